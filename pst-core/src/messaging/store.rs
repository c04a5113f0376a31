//! The message store: an open PST or OST with its properties, names and folders ([MS-PST] 2.4.1-2.4.3).

use super::names::NameMap;
use crate::error::Result;
use crate::ltp::PropContext;
use crate::mapi::{Prop, PropBag, PropTag, tag};
use crate::ndb::{Ndb, Nid, nid_type};
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, OnceLock};

/// An open PST or OST. Shared by all threads.
pub struct Store {
    ndb: Arc<Ndb>,
    names: NameMap,
    props: PropBag,
    by_parent: OnceLock<HashMap<u32, Vec<u32>>>,
    pub(super) codepage: OnceLock<u32>,
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
        let names = NameMap::read(&ndb).unwrap_or_default();
        let mut store =
            Self { ndb, names, props: PropBag::default(), by_parent: OnceLock::new(), codepage: OnceLock::new() };
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
        let mut errors = Vec::new();
        Ok(self.bag(&pc, &mut errors))
    }

    /// Every property of a PC with its name; what cannot be read goes to `errors`.
    pub(super) fn bag(&self, pc: &PropContext<'_>, errors: &mut Vec<crate::Error>) -> PropBag {
        let mut bag = PropBag(Vec::with_capacity(pc.records().len()));
        for record in pc.records() {
            match pc.value(*record) {
                Ok(value) => bag.0.push(Prop { tag: record.tag, name: self.name(record.tag), value }),
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
        let map = self.by_parent.get_or_init(|| {
            let mut map: HashMap<u32, Vec<u32>> = HashMap::new();
            for node in self.ndb.nodes().flatten() {
                if node.parent.0 != 0 && node.parent != node.nid {
                    map.entry(node.parent.0).or_default().push(node.nid.0);
                }
            }
            map
        });
        map.get(&parent.0).map_or(&[], Vec::as_slice)
    }
}

/// The NID at the end of a 24-byte entry id.
pub(super) fn entry_nid(id: &[u8]) -> Option<Nid> {
    id.get(20..24).and_then(|b| b.try_into().ok()).map(u32::from_le_bytes).map(Nid)
}
