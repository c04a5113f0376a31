//! The message store: an open PST or OST with its properties, names and folders ([MS-PST] 2.4.1-2.4.3).

use super::names::NameMap;
use crate::error::{Error, Result};
use crate::ltp::PropContext;
use crate::mapi::{Blob, Prop, PropBag, PropTag, Value, tag};
use crate::ndb::{Ndb, Nid, nid_type};
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, OnceLock};

/// Bytes of values that one object may have in memory, in files of any size.
const MOST: u64 = 2 << 30;
/// What small files may have beyond their own size, for blocks that values share.
const SPARE: u64 = 4 << 20;

/// An open PST or OST. Shared by all threads.
pub struct Store {
    ndb: Arc<Ndb>,
    names: NameMap,
    /// Why the names are not known.
    nameless: Option<Error>,
    props: PropBag,
    by_parent: OnceLock<Parents>,
    pub(super) codepage: OnceLock<u32>,
}

/// The nodes below each node, and what could not be read of the tree that says so.
#[derive(Default)]
struct Parents {
    children: HashMap<u32, Vec<u32>>,
    lost: Vec<Error>,
}

impl Store {
    /// Opens a file.
    ///
    /// # Errors
    /// When it is not a PST or OST, or so damaged that no node can be found.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let ndb = Ndb::open(path.as_ref())?;
        Ok(Self::new(Arc::new(ndb)))
    }

    /// The store of an open file. A damaged store object or name map leaves the properties or names empty.
    pub fn new(ndb: Arc<Ndb>) -> Self {
        let (names, nameless) = match NameMap::read(&ndb) {
            Ok(names) => (names, None),
            Err(e) => (NameMap::default(), Some(e)),
        };
        let (props, by_parent, codepage) = (PropBag::default(), OnceLock::new(), OnceLock::new());
        let mut store = Self { ndb, names, nameless, props, by_parent, codepage };
        store.props = store.node_props(Nid::MESSAGE_STORE).unwrap_or_default();
        store
    }

    /// The file below.
    pub fn ndb(&self) -> &Arc<Ndb> {
        &self.ndb
    }

    /// The store's own properties.
    pub fn props(&self) -> &PropBag {
        &self.props
    }

    /// The named properties.
    pub fn names(&self) -> &NameMap {
        &self.names
    }

    /// Why the names of named properties are not known, where they could not be read.
    pub(super) fn nameless(&self) -> Option<&Error> {
        self.nameless.as_ref()
    }

    /// The name that Outlook shows.
    pub fn display_name(&self) -> String {
        self.props.any(tag::DISPLAY_NAME.id()).and_then(|v| self.text_of(v, None)).unwrap_or_default()
    }

    /// True if a password is set; it is a checksum that programs honour, not encryption.
    pub fn has_password(&self) -> bool {
        self.props.i32(tag::PST_PASSWORD).unwrap_or_default() != 0
    }

    /// The node that an entry id of this store names ([MS-PST] 2.4.3.2).
    pub fn entry(&self, tag: PropTag) -> Option<Nid> {
        entry_nid(self.props.bytes(tag)?)
    }

    /// The folder whose subfolders a user sees: what the store names, else (in OSTs) the folder "IPM_SUBTREE" with the
    /// most nodes in it, else 0x8022 where it stands right below the root, else the root.
    pub fn ipm_subtree(&self) -> Nid {
        if let Some(nid) = self.entry(tag::IPM_SUBTREE_ENTRY_ID).filter(|n| n.ty() == nid_type::NORMAL_FOLDER) {
            return nid;
        }
        let named = self.ndb.nodes().flatten().filter(|n| n.nid.ty() == nid_type::NORMAL_FOLDER).filter(|n| {
            self.node_props(n.nid).ok().and_then(|p| p.text(tag::DISPLAY_NAME)).as_deref() == Some("IPM_SUBTREE")
        });
        if let Some(node) = named.max_by_key(|n| self.children(n.nid).len()) {
            return node.nid;
        }
        match self.ndb.node(Nid(0x8022)) {
            Ok(Some(node)) if node.parent == Nid::ROOT_FOLDER => node.nid,
            _ => Nid::ROOT_FOLDER,
        }
    }

    /// All properties of the PC of a node.
    ///
    /// # Errors
    /// When the node is missing or its PC damaged.
    pub fn node_props(&self, nid: Nid) -> Result<PropBag> {
        let node = self.ndb.need(nid)?;
        let pc = PropContext::open(&self.ndb, node.data, node.sub).map_err(|e| e.id(u64::from(nid.0)))?;
        let (mut errors, mut room) = (Vec::new(), self.room());
        Ok(self.bag(&pc, &mut errors, &mut room))
    }

    /// Bytes that the values of one object may have in memory.
    pub(super) fn room(&self) -> u64 {
        self.ndb.capacity().min(MOST).saturating_add(SPARE)
    }

    /// Every property of a PC with its name; what cannot be read, or is more than there is `room` for, goes to `errors`.
    pub(super) fn bag(&self, pc: &PropContext<'_>, errors: &mut Vec<Error>, room: &mut u64) -> PropBag {
        let mut bag = PropBag(Vec::with_capacity(pc.records().len()));
        for record in pc.records() {
            match pc.value(*record) {
                Ok(value) => match room.checked_sub(held(&value)) {
                    Some(left) => {
                        *room = left;
                        bag.0.push(Prop { tag: record.tag, name: self.name(record.tag), value });
                    }
                    None => {
                        let text = format!("the values are larger than the file from property {} on", record.tag);
                        errors.push(Error::damaged("PC", text));
                        break;
                    }
                },
                Err(e) => errors.push(e),
            }
        }
        bag
    }

    /// The name of a tag from 0x8000.
    pub(super) fn name(&self, tag: PropTag) -> Option<Arc<crate::mapi::NamedProp>> {
        tag.is_named().then(|| self.names.get(tag.id()).cloned()).flatten()
    }

    /// The nodes whose nidParent is `parent`, in order; read from the whole NBT once.
    pub(super) fn children(&self, parent: Nid) -> &[u32] {
        self.parents().children.get(&parent.0).map_or(&[], Vec::as_slice)
    }

    fn parents(&self) -> &Parents {
        self.by_parent.get_or_init(|| {
            let mut out = Parents::default();
            for node in self.ndb.nodes() {
                match node {
                    Ok(node) if node.parent.0 != 0 && node.parent != node.nid => {
                        out.children.entry(node.parent.0).or_default().push(node.nid.0);
                    }
                    Ok(_) => {}
                    Err(e) => out.lost.push(e),
                }
            }
            out
        })
    }

    /// The nodes that others name as their parent, in order.
    pub(super) fn named_parents(&self) -> Vec<Nid> {
        let mut all: Vec<Nid> = self.parents().children.keys().map(|n| Nid(*n)).collect();
        all.sort_unstable();
        all
    }

    /// Pages of the node tree that cannot be read: what they list is found by tables alone.
    pub(super) fn lost_pages(&self) -> impl Iterator<Item = Error> + '_ {
        self.parents().lost.iter().map(|e| e.retold(e.kind(), e.text()))
    }
}

/// Bytes of a value that are in memory.
pub(super) fn held(value: &Value) -> u64 {
    match value {
        Value::Binary(Blob::Stream(_)) | Value::Object(Blob::Stream(_)) => 0,
        value => value.size(),
    }
}

/// The NID at the end of a 24-byte entry id.
pub(super) fn entry_nid(id: &[u8]) -> Option<Nid> {
    id.get(20..24).and_then(|b| b.try_into().ok()).map(u32::from_le_bytes).map(Nid)
}
