//! V20, V21 and V30: the nodes that every store has ([MS-PST] 2.4.3, 2.7.1).

use super::file::{File, Judge};
use super::folders::{ReplItems, by_item};
use super::pc::Pc;
use super::report::{At, Findings};
use super::table::same;
use crate::ltp::heap::client;
use crate::mapi::{PropTag, tag};
use crate::messaging::write::templates::{self, Columns};
use crate::ndb::{Nid, Node, nid_type};

/// Which files may lack a node.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Need {
    Always,
    /// ANSI files lack it.
    Unicode,
    /// Stores older than Outlook 2013 lack it too.
    Newest,
}

/// Nodes that are only looked for; tables and the objects that other rules read stand elsewhere.
const NODES: [(u32, &str, Need); 15] = [
    (0x21, "message store", Need::Always),
    (0x61, "name-to-id map", Need::Always),
    (0x122, "root folder", Need::Always),
    (0x1E1, "search management queue", Need::Always),
    (0x201, "search activity list", Need::Always),
    (0x261, "search domain object", Need::Unicode),
    (0xC01, "hierarchy map", Need::Unicode),
    (0xEC1, "search folder template", Need::Newest),
    (0x2223, "search folder", Need::Unicode),
    (0x2226, "its update queue", Need::Unicode),
    (0x2227, "its criteria", Need::Unicode),
    (0x2230, "its contents table", Need::Unicode),
    (0x12D, "root hierarchy table", Need::Always),
    (0x12E, "root contents table", Need::Always),
    (0x12F, "root associated contents table", Need::Always),
];

/// Tables with fixed ids and their columns.
const TABLES: [(u32, &str, Columns, Need); 11] = [
    (0x60D, "hierarchy template", templates::HIERARCHY, Need::Always),
    (0x60E, "contents template", templates::CONTENTS, Need::Always),
    (0x60F, "associated contents template", templates::ASSOC_CONTENTS, Need::Always),
    (0x610, "search contents template", templates::SEARCH_CONTENTS, Need::Always),
    (0x671, "attachment template", templates::ATTACHMENT, Need::Always),
    (0x692, "recipient template", templates::RECIPIENT, Need::Always),
    (0x62B, "receive folder table", templates::RECEIVE_FOLDER, Need::Always),
    (0x64C, "outgoing queue", templates::OUTGOING_QUEUE, Need::Always),
    (0x6B6, "index template", templates::INDEX_6B6, Need::Unicode),
    (0x6D7, "index template", templates::INDEX_6D7, Need::Unicode),
    (0x6F8, "index template", templates::INDEX_6F8, Need::Unicode),
];

/// Entry ids of the store, their bits in PidTagValidFolderMask, and whether every store has them.
const ENTRIES: [(PropTag, u32, bool); 7] = [
    (tag::IPM_SUBTREE_ENTRY_ID, 0x01, true),
    (tag::IPM_OUTBOX_ENTRY_ID, 0x04, false),
    (tag::IPM_WASTEBASKET_ENTRY_ID, 0x08, true),
    (tag::IPM_SENTMAIL_ENTRY_ID, 0x10, false),
    (tag::VIEWS_ENTRY_ID, 0x20, false),
    (tag::COMMON_VIEWS_ENTRY_ID, 0x40, false),
    (tag::FINDER_ENTRY_ID, 0x80, true),
];

pub(super) fn judge(file: &File, found: &mut Findings) {
    let mut judge = Judge::new(file, found);
    for (nid, name, need) in NODES {
        judge.present(nid, name, need);
    }
    for (nid, name, columns, need) in TABLES {
        if let Some(node) = judge.present(nid, name, need)
            && let Some(table) = judge.tc(node.nid, node.data, node.sub)
        {
            judge.template(&table, columns);
            let all = 0..table.len();
            judge.rows(&table, all, |_, _, _| {});
        }
    }
    judge.store();
    found.merge(judge.found);
}

impl Judge<'_> {
    /// V20: a node that a store must have.
    fn present(&mut self, nid: u32, name: &str, need: Need) -> Option<Node> {
        let node = self.file.node(Nid(nid));
        if node.is_none() {
            let strict = match need {
                Need::Always => !self.file.ost,
                Need::Unicode => !self.file.ost && !self.file.ansi(),
                Need::Newest => !self.file.genuine,
            };
            self.found.either(20, At::id(nid), strict, format!("node 0x{nid:X} ({name}) is missing"));
        }
        node
    }

    /// V21: the store object.
    fn store(&mut self) {
        let Some(node) = self.file.node(Nid::MESSAGE_STORE) else { return };
        let Some(pc) = self.pc(node.nid, node.data, node.sub) else { return };
        let at = pc.heap.at;
        for tag in [tag::RECORD_KEY, tag::DISPLAY_NAME, tag::VALID_FOLDER_MASK, tag::PST_PASSWORD] {
            if pc.record(tag.id()).is_none_or(|(have, _)| !same(have, tag)) {
                self.found.either(21, at, !self.file.ost, format!("the store has no property {tag}"));
            }
        }
        let key = self.prop(&pc, tag::RECORD_KEY.id(), 64).map(|(_, key)| key).unwrap_or_default();
        if key.len() != 16 {
            let text = format!("the store's record key (0x0FF9) has {} bytes, not 16", key.len());
            self.found.either(21, at, !self.file.ost, text);
            return;
        }
        let mask = pc.inline(tag::VALID_FOLDER_MASK).unwrap_or_default();
        for (tag, bit, always) in ENTRIES {
            let there = self.entry(&pc, tag, &key, always);
            if there != (mask & bit != 0) {
                let text = format!("bit 0x{bit:X} of the store's mask 0x{mask:X} (0x35DF) does not fit property {tag}");
                self.found.lenient(21, at, text);
            }
        }
        for nid in [Some(Nid::ROOT_FOLDER), self.inbox()].into_iter().flatten() {
            let Some(node) = self.file.node(nid) else { continue };
            let mut quiet = Judge::new(self.file, &self.found);
            let Some(folder) = quiet.pc(node.nid, node.data, node.sub) else { continue };
            for id in 0x36D0..=0x36D7u16 {
                if folder.record(id).is_some() {
                    self.special(&folder, PropTag::new(id, 0x0102), &key);
                }
            }
        }
    }

    /// Judges an entry id of the store object; true if it is there.
    fn entry(&mut self, pc: &Pc, tag: PropTag, key: &[u8], always: bool) -> bool {
        let Some((_, id)) = self.prop(pc, tag.id(), 1024) else {
            if always {
                self.found.either(21, pc.heap.at, !self.file.ost, format!("the store has no property {tag}"));
            }
            return false;
        };
        if let Some(text) = self.entry_trouble(&id, key) {
            self.found.either(21, pc.heap.at, !self.file.ost, format!("the store's entry id {tag} {text}"));
        }
        true
    }

    /// Entry ids of default folders in the inbox and the root, which Outlook leaves as they were in another store.
    fn special(&mut self, pc: &Pc, tag: PropTag, key: &[u8]) {
        if let Some((_, id)) = self.prop(pc, tag.id(), 1024).filter(|(_, id)| !id.is_empty())
            && let Some(text) = self.entry_trouble(&id, key)
        {
            self.found.lenient(21, pc.heap.at, format!("folder {}: the entry id {tag} {text}", pc.heap.nid));
        }
    }

    /// What is wrong with the entry id of a folder ([MS-PST] 2.4.3.2).
    fn entry_trouble(&self, id: &[u8], key: &[u8]) -> Option<String> {
        let (Some(flags), Some(uid), Some(nid), 24) = (id.get(..4), id.get(4..20), super::heap::long(id, 20), id.len())
        else {
            return Some(format!("has {} bytes, not 24", id.len()));
        };
        let nid = Nid(nid);
        if flags != [0; 4] || uid != key {
            return Some("does not carry the store's record key".to_owned());
        }
        let folder = matches!(nid.ty(), nid_type::NORMAL_FOLDER | nid_type::SEARCH_FOLDER);
        (!folder || self.file.node(nid).is_none()).then(|| format!("names {nid}, which is no folder"))
    }

    /// The folder that takes messages of any class.
    fn inbox(&mut self) -> Option<Nid> {
        let node = self.file.node(Nid(0x62B))?;
        let mut quiet = Judge::new(self.file, &self.found);
        let table = quiet.tc(node.nid, node.data, node.sub)?;
        let mut inbox = None;
        let all = 0..table.len();
        quiet.rows(&table, all, |_, _, row| {
            if let Some(nid) = table.inline(row, PropTag(0x6605_0003)) {
                inbox = inbox.or(Some(Nid(nid)));
            }
        });
        inbox.filter(|n| *n != Nid::ROOT_FOLDER)
    }
}

/// V30: node 0xC01 against the PidTagReplItemid of all rows.
pub(super) fn hierarchy_map(file: &File, repl: &ReplItems, found: &mut Findings) {
    let Some(node) = file.node(Nid(0xC01)) else { return };
    let mut judge = Judge::new(file, found);
    let entries = judge.map_entries(node);
    found.merge(judge.found);
    let Some(entries) = entries else { return };
    let at = At::id(node.nid.0);
    let rows = by_item(repl);
    let map: std::collections::HashMap<&[u8], u32> = entries.iter().map(|(id, nid)| (id.as_slice(), *nid)).collect();
    for (id, nid) in repl {
        match map.get(id.as_slice()) {
            Some(named) if named == nid || rows.get(id.as_slice()) == Some(named) => {}
            Some(named) => {
                found.lenient(
                    30,
                    at,
                    format!("the hierarchy map gives {} for the item id of {}", Nid(*named), Nid(*nid)),
                );
            }
            None => found.lenient(30, at, format!("the item id of {} is not in the hierarchy map", Nid(*nid))),
        }
    }
    // Deleted objects stay in the map as 0.
    for (id, nid) in entries.iter().filter(|(id, nid)| *nid != 0 && !rows.contains_key(id.as_slice())) {
        let text = format!("the hierarchy map has {} for an item id ({} bytes) that no row has", Nid(*nid), id.len());
        found.lenient(30, at, text);
    }
}

impl Judge<'_> {
    fn map_entries(&mut self, node: Node) -> Option<ReplItems> {
        let heap = self.heap(node.nid, node.data, node.sub, &[client::HMP])?;
        let root = self.alloc(&heap, heap.root)?;
        let Some(header) = super::heap::long(&root, 0) else {
            let text = format!("the root of the hierarchy map has {} bytes, not 4", root.len());
            self.found.add(30, heap.at, text);
            return None;
        };
        let bth = self.bth(&heap, header, &[(16, 4)])?;
        Some(bth.iter().map(|(key, data)| (key.to_vec(), super::bth::number(data) as u32)).collect())
    }
}
