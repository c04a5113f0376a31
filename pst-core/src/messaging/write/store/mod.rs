//! The store being written: skeleton, folders, contents tables ([MS-PST] 2.4.1-2.4.4, 2.7.1).

mod change;
mod commit;
mod existing;
mod finish;

use super::message::{PreparedMessage, all_names};
use super::names::SharedNames;
use super::stored::unicode;
use super::templates;
use crate::error::{Error, Kind, Result};
use crate::io::{NewFile, Output};
use crate::ltp::build::TableBuilder;
use crate::mapi::{Message, NamedProp, Prop, PropBag, PropTag, Role, Value, Warning, tag};
use crate::ndb::write::NdbWriter;
use crate::ndb::{Crypt, Nid, Node, nid_type};
use existing::{Existing, There, open};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// How a store is written.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// How data blocks are encoded: none or permute.
    pub crypt: Crypt,
    /// Replace an existing file.
    pub overwrite: bool,
    /// The store's name in Outlook.
    pub display_name: String,
    /// PidTagRecordKey, on which all entry ids stand; without one it is made of all that was written, so that the same
    /// input gives the same key and other mail another.
    pub record_key: Option<[u8; 16]>,
}

/// A folder of a store being written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FolderId(usize);

struct Folder {
    nid: Nid,
    parent: usize,
    props: PropBag,
    children: Vec<usize>,
    contents: Option<TableBuilder>,
    associated: Option<TableBuilder>,
    unread: i32,
    hidden_unread: i32,
    /// What is there of it in an existing store.
    there: There,
}

/// Ids of PidTags that the writer computes for folders.
const COMPUTED: [u16; 7] = [
    tag::CONTENT_COUNT.id(),
    tag::CONTENT_UNREAD_COUNT.id(),
    tag::SUBFOLDERS.id(),
    tag::PST_HIDDEN_COUNT.id(),
    tag::PST_HIDDEN_UNREAD.id(),
    tag::LTP_ROW_ID.id(),
    tag::LTP_ROW_VER.id(),
];
/// Entry ids of special folders; those of a source mean nothing in a new store.
const SPECIAL: [u16; 10] = [0x36D0, 0x36D1, 0x36D2, 0x36D3, 0x36D4, 0x36D5, 0x36D6, 0x36D7, 0x36D8, 0x36D9];

/// Writes a new store in one pass, or adds to an existing one.
pub struct StoreWriter {
    ndb: NdbWriter,
    options: Options,
    names: SharedNames,
    folders: Vec<Folder>,
    next_folder: u32,
    next_message: u32,
    next_associated: u32,
    roles: BTreeMap<Role, Nid>,
    record_key: [u8; 16],
    repl: BTreeMap<Vec<u8>, u32>,
    /// The folder that the last message went to.
    current: usize,
    /// The folder whose subfolders a user sees, and the one of deleted items.
    top: usize,
    deleted: usize,
    /// What is known of an existing store.
    existing: Option<Existing>,
    /// A commit came to an end before its time: what it would have written is forgotten.
    spoilt: bool,
    /// Folders by their nodes, as far as they were asked for.
    by_nid: HashMap<Nid, usize>,
    indexed: usize,
}

const ROOT: usize = 0;
const SUBTREE: usize = 1;
const FINDER: usize = 2;
const DELETED: usize = 3;
const VIEWS: usize = 4;

impl StoreWriter {
    /// Starts a file; it appears under its name when [`StoreWriter::finish`] succeeds.
    ///
    /// # Errors
    /// When the target exists or cannot be created.
    pub fn create(path: impl AsRef<Path>, options: Options) -> Result<Self> {
        let file = NewFile::create(path, options.overwrite)?;
        Self::create_on(Box::new(file), options)
    }

    /// Starts a file on any output; `options.overwrite` means nothing here.
    ///
    /// # Errors
    /// [`Kind::Unsupported`] for the cyclic encoding, which is only read.
    pub fn create_on(file: Box<dyn Output>, options: Options) -> Result<Self> {
        if options.crypt == Crypt::Cyclic {
            return Err(Error::new(Kind::Unsupported, "the cyclic encoding is read, but not written"));
        }
        let mut new = Self {
            ndb: NdbWriter::new(file, options.crypt),
            options,
            names: SharedNames::default(),
            folders: Vec::new(),
            next_folder: 0x401,
            next_message: 0x10001,
            next_associated: 0x8001,
            roles: BTreeMap::new(),
            record_key: [0; 16],
            repl: BTreeMap::new(),
            current: ROOT,
            top: SUBTREE,
            deleted: DELETED,
            existing: None,
            spoilt: false,
            by_nid: HashMap::new(),
            indexed: 0,
        };
        new.push(Nid::ROOT_FOLDER, ROOT, "", None);
        for (parent, name) in [
            (ROOT, "Top of Outlook data file"),
            (ROOT, "Search Root"),
            (SUBTREE, "Deleted Items"),
            (ROOT, "IPM_COMMON_VIEWS"),
        ] {
            let nid = new.folder_nid();
            new.push(nid, parent, name, None);
        }
        new.roles.insert(Role::Deleted, Nid(0x8062));
        Ok(new)
    }

    fn folder_nid(&mut self) -> Nid {
        self.next_folder += 1;
        Nid::new(nid_type::NORMAL_FOLDER, self.next_folder - 1)
    }

    fn push(&mut self, nid: Nid, parent: usize, name: &str, class: Option<&str>) -> usize {
        let mut props = PropBag::default();
        props.set(tag::DISPLAY_NAME, Value::text(name));
        if let Some(class) = class {
            props.set(tag::CONTAINER_CLASS, Value::text(class));
        }
        let index = self.folders.len();
        self.folders.push(Folder {
            nid,
            parent,
            props,
            children: Vec::new(),
            contents: None,
            associated: None,
            unread: 0,
            hidden_unread: 0,
            there: There::default(),
        });
        self.touch(index);
        if index != parent
            && let Some(parent) = self.folders.get_mut(parent)
        {
            parent.children.push(index);
        }
        self.touch(parent);
        index
    }

    /// The folder whose subfolders a user sees.
    pub fn top(&self) -> FolderId {
        FolderId(self.top)
    }

    /// The folder of deleted items, which every store of ours has; the top in an existing store without one.
    pub fn deleted(&self) -> FolderId {
        FolderId(self.deleted)
    }

    /// Makes a folder. The first one of a role becomes Outlook's default folder of that kind.
    ///
    /// # Errors
    /// [`Kind::Limit`] when the ids are used up.
    pub fn add_folder(
        &mut self,
        parent: FolderId,
        name: &str,
        role: Role,
        class: Option<&str>,
        props: &PropBag,
    ) -> Result<FolderId> {
        if self.next_folder >= 1 << 27 {
            return Err(Error::new(Kind::Limit, "a store has no room for more folders"));
        }
        let nid = self.folder_nid();
        let class = class.filter(|c| !c.is_empty()).unwrap_or_else(|| role.class());
        let index = self.push(nid, parent.0, name, Some(class));
        self.folder_props(FolderId(index), props)?;
        if role != Role::None && !self.roles.contains_key(&role) {
            self.roles.insert(role, nid);
            self.role_came();
        }
        Ok(FolderId(index))
    }

    /// Adds a source folder's own properties, but for those that are computed or that point into the source.
    ///
    /// # Errors
    /// When there is no room for a name.
    pub fn folder_props(&mut self, folder: FolderId, props: &PropBag) -> Result<()> {
        for prop in &props.0 {
            let id = match &prop.name {
                Some(name) => self.names.register(name)?,
                None => prop.tag.id(),
            };
            let own = prop.name.is_none() && (COMPUTED.contains(&id) || SPECIAL.contains(&id) || id >= 0x8000);
            let (ty, value) = unicode(prop, 1252);
            let Some(folder) = self.folders.get_mut(folder.0) else { break };
            // What a folder of an existing store says of itself stays.
            if !own && !folder.there.node && !folder.props.0.iter().any(|p| p.tag.id() == id) {
                folder.props.0.push(Prop { tag: PropTag::new(id, ty), name: None, value: value.into_owned() });
            }
        }
        Ok(())
    }

    /// Gives a folder another name.
    pub fn rename(&mut self, folder: FolderId, name: &str) {
        if let Some(folder) = self.folders.get_mut(folder.0) {
            folder.set(tag::DISPLAY_NAME, Value::text(name));
        }
        self.touch(folder.0);
    }

    /// True once the file could not be written, or a commit was left half-way: nothing more can be.
    pub fn failed(&self) -> bool {
        self.spoilt || self.ndb.failed()
    }

    /// Numbers names before the first message.
    ///
    /// # Errors
    /// [`Kind::Limit`] when there is no room for them.
    pub fn register(&mut self, names: &[NamedProp]) -> Result<()> {
        names.iter().try_for_each(|n| self.names.register(n).map(|_| ()))
    }

    /// The names as numbered so far and from now on.
    pub fn names(&self) -> SharedNames {
        self.names.clone()
    }

    /// Takes the numbers of another store's names, and those that it gives from now on; for a store without items.
    pub fn share_names(&mut self, names: SharedNames) {
        self.names = names;
        if let Some(existing) = &mut self.existing {
            // The map in the file has other numbers.
            existing.names = usize::MAX;
        }
    }

    /// Bytes of the file that are in use, but for tables and trees that are not written yet.
    pub fn used(&self) -> u64 {
        self.ndb.used()
    }

    /// How data blocks are encoded.
    pub fn crypt(&self) -> Crypt {
        self.options.crypt
    }

    /// Prepares and adds a message, numbering its names.
    ///
    /// # Errors
    /// When a value cannot be stored or the file cannot be written.
    pub fn add(&mut self, folder: FolderId, message: &Message, associated: bool) -> Result<Vec<Warning>> {
        for name in all_names(message) {
            self.names.register(&name)?;
        }
        let prepared = PreparedMessage::new(message, &self.names.read(), associated, self.options.crypt)?;
        match prepared {
            Some(prepared) => {
                let warnings = prepared.warnings.clone();
                self.add_prepared(folder, prepared)?;
                Ok(warnings)
            }
            None => Err(Error::new(Kind::Damaged, "a named property could not be numbered")),
        }
    }

    /// The message that was added last.
    pub fn newest(&self, associated: bool) -> Nid {
        let (ty, next) = if associated {
            (nid_type::ASSOC_MESSAGE, self.next_associated)
        } else {
            (nid_type::NORMAL_MESSAGE, self.next_message)
        };
        Nid::new(ty, next.saturating_sub(1))
    }

    /// Adds a prepared message and returns its node. After an error without [`StoreWriter::failed`], others can still be
    /// added.
    ///
    /// # Errors
    /// When the folder is full, a stream cannot be read or the file cannot be written.
    pub fn add_prepared(&mut self, folder: FolderId, message: PreparedMessage) -> Result<Nid> {
        if folder.0 != self.current {
            self.rest(self.current)?;
            self.current = folder.0;
        }
        let nid = if message.associated {
            Nid::new(nid_type::ASSOC_MESSAGE, self.next_associated)
        } else {
            Nid::new(nid_type::NORMAL_MESSAGE, self.next_message)
        };
        if self.next_message.max(self.next_associated) >= 1 << 27 {
            return Err(Error::new(Kind::Limit, "a store has no room for more messages"));
        }
        self.open_table(folder.0, message.associated)?;
        let Some(f) = self.folders.get_mut(folder.0) else { return Err(no_folder()) };
        let slot = if message.associated { &mut f.associated } else { &mut f.contents };
        let Some(table) = slot else { return Err(no_folder()) };
        table.room()?;
        let (data, sub) = self.ndb.image(message.image)?;
        *if message.associated { &mut self.next_associated } else { &mut self.next_message } += 1;
        self.ndb.node(Node { nid, data, sub, parent: f.nid })?;
        table.row(nid.0, |t| message.row.get(t))?;
        if table.is_heavy() {
            table.spill(&mut self.ndb)?;
        }
        if !message.read {
            *if message.associated { &mut f.hidden_unread } else { &mut f.unread } += 1;
        }
        if let Some(id) = message.repl_item {
            self.repl.entry(id).or_insert(nid.0);
        }
        Ok(nid)
    }

    /// Makes a folder's table of contents ready for a change: a new one, or what is there.
    fn open_table(&mut self, folder: usize, associated: bool) -> Result<()> {
        self.touch(folder);
        let Some(f) = self.folders.get_mut(folder) else { return Err(no_folder()) };
        let (slot, ty, template) = if associated {
            (&mut f.associated, nid_type::ASSOC_CONTENTS_TABLE, templates::ASSOC_CONTENTS)
        } else {
            (&mut f.contents, nid_type::CONTENTS_TABLE, templates::CONTENTS)
        };
        if slot.is_none() {
            let nid = f.there.node.then(|| f.nid.sibling(ty));
            *slot = Some(open(&mut self.ndb, nid, template)?);
        }
        if let (Some(existing), Some(table)) = (&mut self.existing, slot) {
            table.set_version(self.ndb.next_commit());
            existing.tables.insert((folder, ty));
        }
        Ok(())
    }

    /// Lets go of what a folder holds in memory; messages may still come.
    fn rest(&mut self, folder: usize) -> Result<()> {
        let Some(f) = self.folders.get_mut(folder) else { return Ok(()) };
        for table in [&mut f.contents, &mut f.associated].into_iter().flatten() {
            table.spill(&mut self.ndb)?;
        }
        Ok(())
    }
}

fn no_folder() -> Error {
    Error::new(Kind::Usage, "there is no such folder")
}
