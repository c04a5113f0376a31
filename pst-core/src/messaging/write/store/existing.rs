//! A store that is there already: what is read of it at first ([MS-PST] 2.4).

use super::super::names::{Names, SharedNames};
use super::super::templates::{self, Columns};
use super::{COMPUTED, Folder, FolderId, Options, ROOT, StoreWriter};
use crate::error::{Error, Kind, Result};
use crate::io::{HeldFile, InPlace};
use crate::ltp::bth::{Bth, number};
use crate::ltp::build::{TableBuilder, TableLayout};
use crate::ltp::heap::{Heap, client};
use crate::ltp::{PropContext, TableContext};
use crate::mapi::{Prop, PropBag, PropTag, Role, Value, tag};
use crate::messaging::{FolderNode, Store};
use crate::ndb::write::NdbWriter;
use crate::ndb::{Ndb, Nid, nid_type};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;

/// Columns of a table of items that its items need not have.
const ROW_ONLY: [u16; 2] = [tag::LTP_ROW_ID.id(), tag::LTP_ROW_VER.id()];

/// What is known of a store that is added to.
#[derive(Default)]
pub(super) struct Existing {
    /// Folders that may have changed.
    pub touched: BTreeSet<usize>,
    /// Tables that have changed: folder and type of the node.
    pub tables: BTreeSet<(usize, u8)>,
    /// True if a folder has got a role.
    pub roles: bool,
    /// Names and entries of the hierarchy map that are in the file.
    pub names: usize,
    pub repl: usize,
    /// The order in which folders were last used.
    pub used: HashMap<usize, u64>,
    pub commits: u64,
}

/// What is there of a folder in an existing store.
#[derive(Default)]
pub(super) struct There {
    /// True if its nodes are there.
    pub node: bool,
    pub search: bool,
    /// Properties that have changed since the last commit.
    pub changed: Vec<PropTag>,
    pub hierarchy: Option<TableBuilder>,
}

impl Folder {
    /// Sets a property, and remembers that it has changed.
    pub(super) fn set(&mut self, tag: PropTag, value: Value) {
        self.there.changed.push(tag);
        self.props.set(tag, value);
    }

    /// Sets a number that may be as it was.
    pub(super) fn count(&mut self, tag: PropTag, value: i32) {
        if self.props.i32(tag) != Some(value) {
            self.set(tag, Value::I32(value));
        }
    }
}

/// The table of a node that is there, or an empty one.
pub(super) fn open(ndb: &mut NdbWriter, nid: Option<Nid>, template: Columns) -> Result<TableBuilder> {
    if let Some(nid) = nid {
        let reader = ndb.reader()?;
        if let Some(node) = reader.node(nid)?.filter(|n| !n.data.is_none()) {
            let table = TableContext::open(&reader, node.data, node.sub).map_err(|e| e.id(u64::from(nid.0)))?;
            return TableBuilder::of_existing(&table, template, ndb).map_err(|e| e.id(u64::from(nid.0)));
        }
    }
    TableBuilder::new(TableLayout::new(template, &[]).0, ndb.crypt())
}

impl StoreWriter {
    /// Opens an existing store to add to it. Of the options, none counts: the file keeps its own name, key and encoding.
    ///
    /// # Errors
    /// [`Kind::Io`] when the file cannot be opened or somebody else holds it, [`Kind::Unsupported`] for kinds that are not
    /// added to, [`Kind::Damaged`] for a file that is not whole.
    pub fn open(path: impl AsRef<Path>, options: Options) -> Result<Self> {
        let path = path.as_ref();
        let file = HeldFile::open(path)?;
        Self::open_on(Box::new(file), options).map_err(|e| e.in_file(path))
    }

    /// As [`StoreWriter::open`], on any file that is changed in place.
    ///
    /// # Errors
    /// As [`StoreWriter::open`].
    pub fn open_on(file: Box<dyn InPlace>, mut options: Options) -> Result<Self> {
        let mut ndb = NdbWriter::open(file)?;
        options.crypt = ndb.crypt();
        let reader = ndb.reader()?;
        let store = Store::new(Arc::clone(&reader));
        let mut errors = Vec::new();
        let all = store.folders(&mut errors);
        if let Some(e) = errors.into_iter().next() {
            let text = format!("a folder cannot be read, and nothing is added to such a file: {e}");
            return Err(Error::new(Kind::Damaged, text));
        }
        let roles: BTreeMap<Role, Nid> = store.roles(&all).into_iter().map(|(nid, role)| (role, nid)).collect();
        let index = |nid: Nid| all.iter().position(|f| f.nid == nid);
        let top = index(store.ipm_subtree()).unwrap_or(ROOT);
        let deleted = roles.get(&Role::Deleted).and_then(|nid| index(*nid)).unwrap_or(top);
        let Some(record_key) = store.props().bytes(tag::RECORD_KEY).and_then(|key| key.try_into().ok()) else {
            return Err(Error::damaged("store", "the store has no PidTagRecordKey of 16 bytes"));
        };
        let names = names(&reader, &all)?;
        let repl = hierarchy_map(&reader)?;
        let (highest, last) = (ndb.highest()?, ndb.header()?.rgnid);
        let next = |types: &[u8]| {
            let used = |of: &[u32; 32], ty: &u8| of.get(usize::from(*ty)).copied().unwrap_or_default();
            // A counter that is out of bounds says nothing; the nodes do.
            let counters = types.iter().map(|ty| used(&last, ty)).filter(|last| *last < (1 << 27) - 1);
            types.iter().map(|ty| used(&highest, ty)).chain(counters).max().unwrap_or_default() + 1
        };
        let folder_types = [
            nid_type::NORMAL_FOLDER,
            nid_type::HIERARCHY_TABLE,
            nid_type::CONTENTS_TABLE,
            nid_type::ASSOC_CONTENTS_TABLE,
        ];
        let (next_folder, next_message, next_associated) =
            (next(&folder_types), next(&[nid_type::NORMAL_MESSAGE]), next(&[nid_type::ASSOC_MESSAGE]));
        Ok(Self {
            existing: Some(Existing { repl: repl.len(), ..Existing::default() }),
            spoilt: false,
            by_nid: HashMap::new(),
            indexed: 0,
            folders: folders(all),
            ndb,
            options,
            names: SharedNames::from(names),
            next_folder,
            next_message,
            next_associated,
            roles,
            record_key,
            repl,
            current: ROOT,
            top,
            deleted,
        })
    }

    /// The folder at a path below the top, whatever the case of its letters.
    pub fn folder<S: AsRef<str>>(&self, path: &[S]) -> Option<FolderId> {
        path.iter().try_fold(self.top(), |at, name| self.child(at, name.as_ref()))
    }

    /// The subfolder of a name, whatever the case of its letters; one that is written the same goes first.
    pub fn child(&self, folder: FolderId, name: &str) -> Option<FolderId> {
        self.children_named(folder, name).first().copied()
    }

    /// All subfolders of a name, whatever the case of its letters; those that are written the same come first.
    pub fn children_named(&self, folder: FolderId, name: &str) -> Vec<FolderId> {
        let wanted = name.to_lowercase();
        let children = self.folders.get(folder.0).map_or(&[][..], |f| f.children.as_slice());
        let mut out: Vec<(bool, FolderId)> = Vec::new();
        for index in children {
            let Some(f) = self.folders.get(*index).filter(|f| !f.there.search) else { continue };
            let own = f.props.text(tag::DISPLAY_NAME).unwrap_or_default();
            if own == name || own.to_lowercase() == wanted {
                out.push((own != name, FolderId(*index)));
            }
        }
        out.sort_by_key(|(differs, _)| *differs);
        out.into_iter().map(|(_, id)| id).collect()
    }

    /// The folder that has a role.
    pub fn with_role(&self, role: Role) -> Option<FolderId> {
        let nid = self.roles.get(&role)?;
        self.folders.iter().position(|f| f.nid == *nid && !f.there.search).map(FolderId)
    }

    /// True if any folder of an existing store had an item at the last commit.
    pub fn has_items(&self) -> bool {
        let any = |f: &Folder| {
            [tag::CONTENT_COUNT, tag::PST_HIDDEN_COUNT].iter().any(|t| f.props.i32(*t).is_some_and(|n| n > 0))
        };
        self.existing.is_some() && self.folders.iter().filter(|f| !f.there.search).any(any)
    }

    /// The folder that a message is in, wherever it was moved.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn home(&mut self, message: Nid) -> Result<Option<FolderId>> {
        let node = self.ndb.reader()?.node(message)?;
        Ok(node.and_then(|n| self.of_nid(n.parent)))
    }

    /// PidTagRecordKey of an existing store, which it keeps for good.
    pub fn key(&self) -> [u8; 16] {
        self.record_key
    }

    /// The store as it is now, for reading.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn store(&mut self) -> Result<Store> {
        Ok(Store::new(self.ndb.reader()?))
    }

    /// The names of a folder and of those it is in, from below the top down.
    pub fn path(&self, folder: FolderId) -> Vec<String> {
        let mut out = Vec::new();
        let mut at = folder.0;
        while let Some(f) = self.folders.get(at).filter(|f| at != self.top && at != f.parent) {
            out.push(f.props.text(tag::DISPLAY_NAME).unwrap_or_default());
            at = f.parent;
            if out.len() > self.folders.len() {
                break;
            }
        }
        out.reverse();
        out
    }

    /// The folder of a node.
    pub fn of_nid(&mut self, nid: Nid) -> Option<FolderId> {
        for (index, folder) in self.folders.iter().enumerate().skip(self.indexed).filter(|(_, f)| !f.there.search) {
            self.by_nid.entry(folder.nid).or_insert(index);
        }
        self.indexed = self.folders.len();
        self.by_nid.get(&nid).copied().map(FolderId)
    }

    /// The node of a folder.
    pub fn nid(&self, folder: FolderId) -> Option<Nid> {
        self.folders.get(folder.0).map(|f| f.nid)
    }

    /// The dwUnique that the next commit writes into the header; 0 for a new store. A run that was cut off learns when it
    /// opens the file again whether a commit took place: [`StoreWriter::last_commit`] is then what this was before it.
    /// Other runs, and Outlook, count on from there.
    pub fn next_commit(&self) -> u32 {
        self.ndb.next_commit()
    }

    /// The dwUnique of the last commit of an existing store; 0 for a new one.
    pub fn last_commit(&mut self) -> u32 {
        self.ndb.header().map_or(0, |h| h.unique)
    }

    /// Notes that a folder may have changed.
    pub(super) fn touch(&mut self, folder: usize) {
        if let Some(existing) = &mut self.existing {
            existing.touched.insert(folder);
            existing.used.insert(folder, existing.commits);
        }
    }

    /// Notes that a folder has got a role.
    pub(super) fn role_came(&mut self) {
        if let Some(existing) = &mut self.existing {
            existing.roles = true;
        }
    }
}

/// The folders of a store, as the writer holds them.
fn folders(all: Vec<FolderNode>) -> Vec<Folder> {
    let mut out: Vec<Folder> = Vec::with_capacity(all.len());
    for (index, node) in all.into_iter().enumerate() {
        let parent = node.parent.unwrap_or(ROOT);
        let FolderNode { nid, props, search, .. } = node;
        out.push(Folder {
            nid,
            parent,
            children: Vec::new(),
            contents: None,
            associated: None,
            unread: props.i32(tag::CONTENT_UNREAD_COUNT).unwrap_or_default(),
            hidden_unread: props.i32(tag::PST_HIDDEN_UNREAD).unwrap_or_default(),
            props: PropBag(props.0.into_iter().map(|p| Prop { name: None, ..p }).collect()),
            there: There { node: true, search, ..There::default() },
        });
        if let Some(parent) = out.get_mut(parent).filter(|_| index != parent) {
            parent.children.push(index);
        }
    }
    out
}

/// The names of a store, and the columns that its tables of contents have beyond ours.
fn names(reader: &Arc<Ndb>, all: &[FolderNode]) -> Result<Names> {
    let mut columns = BTreeSet::new();
    for folder in all.iter().filter(|f| !f.search) {
        for (ty, template) in [
            (nid_type::CONTENTS_TABLE, templates::CONTENTS),
            (nid_type::ASSOC_CONTENTS_TABLE, templates::ASSOC_CONTENTS),
        ] {
            let Some(node) = reader.node(folder.nid.sibling(ty))?.filter(|n| !n.data.is_none()) else { continue };
            let table = TableContext::open(reader, node.data, node.sub).map_err(|e| e.id(u64::from(node.nid.0)))?;
            let more = table.columns().iter().map(|c| c.tag).filter(|t| !template.iter().any(|c| c.tag == t.0));
            columns.extend(more.filter(|t| !ROW_ONLY.contains(&t.id()) && !COMPUTED.contains(&t.id())));
        }
    }
    let mut props = PropBag::default();
    if let Some(node) = reader.node(Nid::NAME_TO_ID_MAP)? {
        let pc = PropContext::open(reader, node.data, node.sub)?;
        for record in pc.records() {
            props.0.push(Prop { tag: record.tag, name: None, value: pc.value(*record)? });
        }
    }
    Names::of_existing(props, columns.into_iter().collect())
}

/// Node 0xC01 as it is.
fn hierarchy_map(reader: &Arc<Ndb>) -> Result<BTreeMap<Vec<u8>, u32>> {
    let Some(node) = reader.node(Nid(0xC01))?.filter(|n| !n.data.is_none()) else { return Ok(BTreeMap::new()) };
    let heap = Heap::open(reader, node.data, node.sub)?;
    let root = heap.get(heap.root)?;
    if heap.client != client::HMP || root.len() != 4 {
        return Ok(BTreeMap::new());
    }
    let bth = Bth::read(&heap, number(&root) as u32)?;
    Ok(bth.iter().map(|(key, nid)| (key.to_vec(), number(nid) as u32)).collect())
}
