//! What is written last: tables and properties of folders, the store object, the nodes that every store has.

use super::super::stored::add_all;
use super::super::templates::{self, Columns};
use super::{DELETED, FINDER, ROOT, SUBTREE, StoreWriter, VIEWS};
use crate::error::Result;
use crate::ltp::build::heap::bth;
use crate::ltp::build::{HeapBuilder, PcBuilder, TableBuilder, TableLayout};
use crate::ltp::heap::client;
use crate::mapi::{PropBag, PropTag, Role, Value, tag};
use crate::ndb::write::{NodeImage, TreeImage};
use crate::ndb::{Crypt, Nid, Node, nid_type};
use sha2::Digest;
use std::collections::BTreeMap;

/// Nodes that share one block; its reference count has 16 bits.
const MAX_SHARED: usize = 0xFFFE;

impl StoreWriter {
    /// Completes the file, and gives a new one its name. Returns its size in bytes.
    ///
    /// # Errors
    /// When the file cannot be written or named.
    pub fn finish(mut self) -> Result<u64> {
        if self.existing.is_some() {
            self.commit()?;
            return self.ndb.finish();
        }
        self.record_key = self.options.record_key.unwrap_or_else(|| self.made_key());
        let mut shared: BTreeMap<&'static str, (Vec<u8>, Vec<Node>)> = BTreeMap::new();
        let nodes: Vec<usize> = (0..self.folders.len()).collect();
        self.finish_folders(&nodes, &mut shared)?;
        self.fixed_nodes(&mut shared)?;
        for (_, (plain, users)) in shared {
            for users in users.chunks(MAX_SHARED) {
                let bid = self.ndb.shared_block(&plain, users.len() as u16)?;
                for node in users {
                    self.ndb.node(Node { data: bid, ..*node })?;
                }
            }
        }
        self.ndb.finish()
    }

    /// A key that tells this store from others: Exchange takes items of the same key and number for the same item.
    fn made_key(&self) -> [u8; 16] {
        let mut hash = self.ndb.digest();
        hash.update(&self.options.display_name);
        for f in &self.folders {
            hash.update((f.parent as u64).to_le_bytes());
            hash.update(f.props.text(tag::DISPLAY_NAME).unwrap_or_default());
        }
        let mut key = [0; 16];
        key.iter_mut().zip(hash.finalize()).for_each(|(to, from)| *to = from);
        key
    }

    fn finish_folders(
        &mut self,
        order: &[usize],
        shared: &mut BTreeMap<&'static str, (Vec<u8>, Vec<Node>)>,
    ) -> Result<()> {
        let special = self.special();
        let inbox = self.roles.get(&Role::Inbox).copied();
        for f in &self.folders {
            if let Some(id) = f.props.bytes(tag::REPL_ITEM_ID).filter(|b| b.len() == 16) {
                self.repl.entry(id.to_vec()).or_insert(f.nid.0);
            }
        }
        for index in order {
            let Some(f) = self.folders.get_mut(*index) else { continue };
            let (contents, associated) = (f.contents.take(), f.associated.take());
            let count = |t: &Option<TableBuilder>| t.as_ref().map_or(0, TableBuilder::len) as i32;
            f.props.set(tag::CONTENT_COUNT, Value::I32(count(&contents)));
            f.props.set(tag::CONTENT_UNREAD_COUNT, Value::I32(f.unread));
            f.props.set(tag::SUBFOLDERS, Value::Bool(!f.children.is_empty() || *index == ROOT));
            if associated.is_some() {
                f.props.set(tag::PST_HIDDEN_COUNT, Value::I32(count(&associated)));
                f.props.set(tag::PST_HIDDEN_UNREAD, Value::I32(f.hidden_unread));
            }
            if Some(f.nid) == inbox || *index == ROOT {
                for (tag, value) in &special {
                    f.props.set(*tag, value.clone());
                }
            }
            let nid = f.nid;
            let tables = [
                (nid_type::CONTENTS_TABLE, contents, "60E", templates::CONTENTS),
                (nid_type::ASSOC_CONTENTS_TABLE, associated, "60F", templates::ASSOC_CONTENTS),
            ];
            for (ty, table, key, template) in tables {
                let node = Node { nid: nid.sibling(ty), ..Node::default() };
                match table {
                    Some(table) => {
                        let (data, sub) = table.finish_into(&mut self.ndb)?;
                        self.ndb.node(Node { data, sub, ..node })?;
                    }
                    None => Self::share(shared, key, template, node)?,
                }
            }
        }
        for index in order {
            let Some(f) = self.folders.get(*index) else { continue };
            let (nid, parent) = (f.nid, self.folders.get(f.parent).map_or(Nid::ROOT_FOLDER, |p| p.nid));
            let mut pc = PcBuilder::new(self.options.crypt, f.props.0.len())?;
            add_all(&mut pc, f.props.0.iter().map(|p| (p.tag, &p.value)))?;
            let (image, _) = pc.finish(None, Vec::new())?;
            let mut rows: Vec<(u32, &PropBag)> =
                f.children.iter().filter_map(|c| self.folders.get(*c)).map(|c| (c.nid.0, &c.props)).collect();
            let spam = spam_props();
            if *index == ROOT {
                rows.insert(0, (0x2223, &spam));
            }
            let table_node = Node { nid: nid.sibling(nid_type::HIERARCHY_TABLE), ..Node::default() };
            let table = if rows.is_empty() {
                None
            } else {
                let mut table = TableBuilder::new(TableLayout::new(templates::HIERARCHY, &[]).0, self.options.crypt)?;
                for (id, props) in rows {
                    table.row(id, |t| props.get(t))?;
                }
                Some(table)
            };
            self.put(nid, parent, image)?;
            match table {
                Some(table) => {
                    let (data, sub) = table.finish_into(&mut self.ndb)?;
                    self.ndb.node(Node { data, sub, ..table_node })?;
                }
                None => Self::share(shared, "60D", templates::HIERARCHY, table_node)?,
            }
        }
        Ok(())
    }

    /// The entry ids of default folders that the inbox and the root carry.
    pub(super) fn special(&self) -> Vec<(PropTag, Value)> {
        let mut out = Vec::new();
        let tags = [
            (Role::Calendar, tag::IPM_APPOINTMENT_ENTRY_ID),
            (Role::Contacts, tag::IPM_CONTACT_ENTRY_ID),
            (Role::Journal, tag::IPM_JOURNAL_ENTRY_ID),
            (Role::Notes, tag::IPM_NOTE_ENTRY_ID),
            (Role::Tasks, tag::IPM_TASK_ENTRY_ID),
            (Role::Drafts, tag::IPM_DRAFTS_ENTRY_ID),
        ];
        for (role, tag) in tags {
            if let Some(nid) = self.roles.get(&role) {
                out.push((tag, self.entry(*nid)));
            }
        }
        if let Some(nid) = self.roles.get(&Role::Junk) {
            // Conflicts, sync issues, local failures, server failures, junk ([MS-OXOSFLD] 2.2.4).
            let id = entry_id(&self.record_key, *nid);
            let mut bytes = 5u32.to_le_bytes().to_vec();
            bytes.extend([24u32; 5].iter().flat_map(|o| o.to_le_bytes()));
            bytes.extend_from_slice(&id);
            out.push((tag::ADDITIONAL_REN_ENTRY_IDS, Value::Multi(bytes)));
        }
        out
    }

    pub(super) fn entry(&self, nid: Nid) -> Value {
        Value::binary(entry_id(&self.record_key, nid))
    }

    /// Remembers a node whose table is empty; all such tables of a kind are one block.
    fn share(
        shared: &mut BTreeMap<&'static str, (Vec<u8>, Vec<Node>)>,
        key: &'static str,
        template: Columns,
        node: Node,
    ) -> Result<()> {
        if let Some((_, users)) = shared.get_mut(key) {
            users.push(node);
            return Ok(());
        }
        shared.insert(key, (Self::empty_table(template)?, vec![node]));
        Ok(())
    }

    fn empty_table(template: Columns) -> Result<Vec<u8>> {
        let table = TableBuilder::new(TableLayout::new(template, &[]).0, Crypt::None)?;
        match table.finish()?.data {
            TreeImage::Blocks(blocks) => Ok(blocks.into_iter().flat_map(|b| b.stored).collect()),
            _ => Ok(Vec::new()),
        }
    }

    pub(super) fn put(&mut self, nid: Nid, parent: Nid, image: NodeImage) -> Result<()> {
        let (data, sub) = self.ndb.image(image)?;
        self.ndb.node(Node { nid, data, sub, parent })?;
        Ok(())
    }

    pub(super) fn put_props(&mut self, nid: Nid, parent: Nid, props: &PropBag) -> Result<()> {
        let mut pc = PcBuilder::new(self.options.crypt, props.0.len())?;
        add_all(&mut pc, props.0.iter().map(|p| (p.tag, &p.value)))?;
        let (image, _) = pc.finish(None, Vec::new())?;
        self.put(nid, parent, image)
    }

    fn fixed_nodes(&mut self, shared: &mut BTreeMap<&'static str, (Vec<u8>, Vec<Node>)>) -> Result<()> {
        let crypt = self.options.crypt;
        self.store_object()?;
        let names = self.names.read().image(crypt)?;
        self.put(Nid::NAME_TO_ID_MAP, Nid(0), names)?;
        for nid in [0x1E1, 0x261, 0xEC1, 0x2226] {
            self.ndb.node(Node { nid: Nid(nid), ..Node::default() })?;
        }
        let active = NodeImage::leaf(TreeImage::of_bytes(&0x2223u32.to_le_bytes(), crypt));
        self.put(Nid::SEARCH_ACTIVITY_LIST, Nid(0), active)?;
        let templates: [(u32, &'static str, Columns); 11] = [
            (0x60D, "60D", templates::HIERARCHY),
            (0x60E, "60E", templates::CONTENTS),
            (0x60F, "60F", templates::ASSOC_CONTENTS),
            (0x610, "610", templates::SEARCH_CONTENTS),
            (0x2230, "610", templates::SEARCH_CONTENTS),
            (0x64C, "64C", templates::OUTGOING_QUEUE),
            (0x671, "671", templates::ATTACHMENT),
            (0x692, "692", templates::RECIPIENT),
            (0x6B6, "6B6", templates::INDEX_6B6),
            (0x6D7, "6D7", templates::INDEX_6D7),
            (0x6F8, "6F8", templates::INDEX_6F8),
        ];
        for (nid, key, columns) in templates {
            Self::share(shared, key, columns, Node { nid: Nid(nid), ..Node::default() })?;
        }
        self.receive_folders()?;
        let map = self.hierarchy_map()?;
        self.put(Nid(0xC01), Nid(0), map)?;
        self.put_props(Nid(0x2223), Nid::ROOT_FOLDER, &spam_props())?;
        let mut criteria = PropBag::default();
        criteria.set(PropTag(0x660B_0003), Value::I32(0));
        self.put_props(Nid(0x2227), Nid(0), &criteria)
    }

    fn store_object(&mut self) -> Result<()> {
        let mut props = PropBag::default();
        let mut mask = 0x89 | 0x40;
        let mut ids = vec![
            (tag::IPM_SUBTREE_ENTRY_ID, SUBTREE),
            (tag::IPM_WASTEBASKET_ENTRY_ID, DELETED),
            (tag::FINDER_ENTRY_ID, FINDER),
            (tag::COMMON_VIEWS_ENTRY_ID, VIEWS),
        ]
        .into_iter()
        .filter_map(|(t, i)| self.folders.get(i).map(|f| (t, f.nid)))
        .collect::<Vec<_>>();
        for (role, tag, bit) in
            [(Role::Outbox, tag::IPM_OUTBOX_ENTRY_ID, 4), (Role::Sent, tag::IPM_SENTMAIL_ENTRY_ID, 0x10)]
        {
            if let Some(nid) = self.roles.get(&role) {
                ids.push((tag, *nid));
                mask |= bit;
            }
        }
        if self.roles.contains_key(&Role::Inbox) {
            mask |= 2;
        }
        let key = self.record_key;
        let mut history = 1u32.to_le_bytes().to_vec();
        history.extend_from_slice(&key);
        history.extend_from_slice(&1u32.to_le_bytes());
        props.set(tag::REPL_VERSION_HISTORY, Value::binary(history));
        props.set(tag::REPL_FLAGS, Value::I32(0));
        props.set(tag::RECORD_KEY, Value::binary(key));
        props.set(tag::DISPLAY_NAME, Value::text(&self.options.display_name));
        props.set(tag::VALID_FOLDER_MASK, Value::I32(mask));
        for (tag, nid) in ids {
            props.set(tag, self.entry(nid));
        }
        props.set(PropTag(0x6633_000B), Value::Bool(true));
        props.set(tag::PST_PASSWORD, Value::I32(0));
        self.put_props(Nid::MESSAGE_STORE, Nid(0), &props)
    }

    /// The receive folder table: which folder takes messages of a class ([MS-PST] 2.4.5).
    pub(super) fn receive_folders(&mut self) -> Result<()> {
        let mut table = TableBuilder::new(TableLayout::new(templates::RECEIVE_FOLDER, &[]).0, self.options.crypt)?;
        let inbox = self.roles.get(&Role::Inbox).copied();
        let to = |nid: Nid| Value::I32(nid.0 as i32);
        let rows = match inbox {
            Some(nid) => vec![("", nid), ("IPM", nid), ("Report.IPM", nid), ("IPC", Nid::ROOT_FOLDER)],
            None => vec![("", Nid::ROOT_FOLDER)],
        };
        for (i, (class, nid)) in rows.into_iter().enumerate() {
            let (class, nid) = (Value::text(class), to(nid));
            table.row(i as u32 + 1, |t| match t {
                tag::MESSAGE_CLASS => Some(&class),
                PropTag(0x6605_0003) => Some(&nid),
                _ => None,
            })?;
        }
        let image = table.finish()?;
        self.put(Nid(0x62B), Nid(0), image)
    }

    /// Node 0xC01: which object each PidTagReplItemid in a table belongs to.
    pub(super) fn hierarchy_map(&self) -> Result<NodeImage> {
        let mut heap = HeapBuilder::new();
        let root = heap.push(&0x40u32.to_le_bytes())?;
        let header = heap.push(&[0xB5, 16, 4, 0, 0, 0, 0, 0])?;
        let records: Vec<u8> =
            self.repl.iter().flat_map(|(id, nid)| id.iter().copied().chain(nid.to_le_bytes())).collect();
        if !records.is_empty() {
            bth(&mut heap, header, 16, 4, &records)?;
        }
        let blocks = heap.finish(client::HMP, root);
        Ok(NodeImage::leaf(TreeImage::of_blocks(blocks.into_iter().flatten(), self.options.crypt)))
    }
}

/// The properties of the search folder that every store of Outlook has.
fn spam_props() -> PropBag {
    let mut props = PropBag::default();
    props.set(tag::DISPLAY_NAME, Value::text("SPAM Search Folder 2"));
    props.set(tag::CONTENT_COUNT, Value::I32(0));
    props.set(tag::CONTENT_UNREAD_COUNT, Value::I32(0));
    props.set(tag::SUBFOLDERS, Value::Bool(false));
    props
}

/// The entry id of a node ([MS-PST] 2.4.3.2).
fn entry_id(key: &[u8; 16], nid: Nid) -> Vec<u8> {
    let mut out = vec![0; 4];
    out.extend_from_slice(key);
    out.extend_from_slice(&nid.0.to_le_bytes());
    out
}
