//! V07 and V08: the pages of both B-trees; V34: which node ids may be used ([MS-PST] 2.2.2.7).

use super::header::Head;
use super::report::{At, Findings};
use crate::io::Input;
use crate::ndb::crc::{crc, signature};
use crate::ndb::page::{MAX_LEVEL, Tree};
use crate::ndb::{BlockRef, Bref, Nid, Node, nid_type};
use std::collections::HashSet;

/// What the node B-tree holds.
#[derive(Default)]
pub(super) struct Nbt {
    /// Ascending by NID.
    pub nodes: Vec<Node>,
    pub pages: Vec<u64>,
    pub highest_page: u64,
    /// False where a page could not be read, so that entries may be missing.
    pub whole: bool,
}

/// What the block B-tree holds.
#[derive(Default)]
pub(super) struct Bbt {
    /// Ascending by BID.
    pub blocks: Vec<BlockRef>,
    pub pages: Vec<u64>,
    pub highest_page: u64,
    /// False where a page could not be read, so that entries may be missing.
    pub whole: bool,
}

pub(super) fn nbt(head: &Head, input: &Input, found: &mut Findings) -> Nbt {
    let mut out = Nbt::default();
    let mut walk = Walk::new(head, input, Tree::Nbt, found);
    walk.run(head.nbt, |bytes| out.nodes.extend(head.variant.nbt(bytes)));
    (out.pages, out.highest_page, out.whole) = (walk.pages, walk.highest, walk.whole);
    for node in &out.nodes {
        reserved(node.nid, head, found);
    }
    // Only a tree whose disorder was reported needs it.
    out.nodes.sort_by_key(|n| n.nid);
    out.nodes.dedup_by_key(|n| n.nid);
    out
}

pub(super) fn bbt(head: &Head, input: &Input, found: &mut Findings) -> Bbt {
    let mut out = Bbt::default();
    let mut walk = Walk::new(head, input, Tree::Bbt, found);
    walk.run(head.bbt, |bytes| out.blocks.extend(head.variant.bbt(bytes)));
    (out.pages, out.highest_page, out.whole) = (walk.pages, walk.highest, walk.whole);
    out.blocks.sort_by_key(|b| b.bid.key());
    out.blocks.dedup_by_key(|b| b.bid.key());
    out
}

/// V34: indices below 0x400 are for the store's own nodes.
fn reserved(nid: Nid, head: &Head, found: &mut Findings) {
    let user = match nid.ty() {
        nid_type::NORMAL_FOLDER => nid != Nid::ROOT_FOLDER,
        // The search folder that every store has, and one that belongs to a table of Outlook's.
        nid_type::SEARCH_FOLDER => nid != Nid(0x2223) && nid != Nid(0x723),
        nid_type::NORMAL_MESSAGE | nid_type::ASSOC_MESSAGE | nid_type::ATTACHMENT => true,
        _ => false,
    };
    if user && nid.index() < 0x400 {
        let text = format!("node {nid} has the index 0x{:X}, which is reserved (below 0x400)", nid.index());
        found.either(34, At::id(nid.0), !head.ost, text);
    }
}

struct Walk<'a> {
    head: &'a Head,
    input: &'a Input,
    tree: Tree,
    found: &'a mut Findings,
    pages: Vec<u64>,
    highest: u64,
    whole: bool,
}

/// A page to be looked at: its place, and what its parent says of it.
struct Todo {
    at: Bref,
    /// Level and first key.
    expected: Option<(u8, u64)>,
}

impl<'a> Walk<'a> {
    fn new(head: &'a Head, input: &'a Input, tree: Tree, found: &'a mut Findings) -> Self {
        Self { head, input, tree, found, pages: Vec::new(), highest: 0, whole: true }
    }

    /// Goes through the tree in order and gives out the bytes of each leaf entry.
    fn run(&mut self, root: Bref, mut leaf: impl FnMut(&[u8])) {
        let mut seen = HashSet::new();
        let mut open = vec![Todo { at: root, expected: None }];
        let mut last = None;
        while let Some(todo) = open.pop() {
            if seen.insert(todo.at.ib) {
                match self.page(&todo, &mut last, &mut leaf) {
                    Some(children) => open.extend(children.into_iter().rev()),
                    None => self.whole = false,
                }
            } else {
                let place = At::both(todo.at.ib, todo.at.bid.0);
                self.found.add(8, place, format!("the {} is reached twice", self.tree.name()));
            }
        }
    }

    /// Judges a page; returns its children, `None` where it cannot be used.
    fn page(&mut self, todo: &Todo, last: &mut Option<u64>, leaf: &mut impl FnMut(&[u8])) -> Option<Vec<Todo>> {
        let v = self.head.variant;
        let Bref { bid, ib } = todo.at;
        let place = At::both(ib, bid.0);
        let mut page = vec![0; v.page()];
        if let Err(e) = self.input.read_into(ib, &mut page) {
            self.found.add(7, place, format!("the {} cannot be read: {}", self.tree.name(), e.text()));
            return None;
        }
        self.pages.push(ib);
        self.highest = self.highest.max(bid.0);
        self.trailer(&page, todo)?;
        let counters = v.page_counters(&page)?;
        let root = todo.expected.is_none();
        let (most_level, name) = (MAX_LEVEL, self.tree.name());
        let entry = if counters.level == 0 { self.tree.leaf_entry(v) } else { v.bt_entry() };
        let room = v.entries_area() / entry;
        let mut wrong = |text: String| self.found.add(8, place, format!("{name}: {text}"));
        if counters.level >= most_level || todo.expected.is_some_and(|(level, _)| level != counters.level) {
            wrong(format!("cLevel is {}, not {}", counters.level, todo.expected.map_or(0, |(level, _)| level)));
            return None;
        }
        if usize::from(counters.cb_ent) != entry {
            wrong(format!("cbEnt is {}, not {entry}", counters.cb_ent));
            return None;
        }
        if usize::from(counters.c_ent_max) != room {
            wrong(format!("cEntMax is {}, not {room}", counters.c_ent_max));
        }
        let count = usize::from(counters.c_ent);
        if count > room {
            wrong(format!("cEnt is {count}, but a page has room for {room}"));
            return None;
        }
        if count == 0 && (!root || counters.level > 0) {
            wrong("cEnt is 0, which only an empty tree has".to_owned());
        }
        let entries = page.get(..count * entry).unwrap_or_default();
        let mut children = Vec::new();
        let mut before = if counters.level == 0 { *last } else { None };
        for (i, bytes) in entries.chunks_exact(entry).enumerate() {
            let (key, child) = match counters.level {
                0 if self.tree == Tree::Nbt => (u64::from(v.nbt(bytes)?.nid.0), None),
                0 => (v.bbt(bytes)?.bid.key(), None),
                _ => v.bt(bytes).map(|(key, at)| (key, Some(at)))?,
            };
            if before.is_some_and(|before| before >= key) {
                wrong(format!("key 0x{key:X} of entry {i} does not ascend"));
            }
            if let Some((_, first)) = todo.expected.filter(|(_, first)| i == 0 && *first != key) {
                wrong(format!("the parent's key 0x{first:X} is not the first key, 0x{key:X}"));
            }
            before = Some(key);
            match child {
                Some(at) => children.push(Todo { at, expected: Some((counters.level - 1, key)) }),
                None => leaf(bytes),
            }
        }
        if counters.level == 0 {
            *last = before;
        }
        Some(children)
    }

    /// V07. `None` where type or CRC say that this is not the page.
    fn trailer(&mut self, page: &[u8], todo: &Todo) -> Option<()> {
        let v = self.head.variant;
        let Bref { bid, ib } = todo.at;
        let place = At::both(ib, bid.0);
        let name = self.tree.name();
        let trailer = v.page_trailer(page)?;
        let kind = self.tree.ptype();
        if trailer.ptype != kind || trailer.ptype_repeat != kind {
            let text = format!(
                "the page type is 0x{:02X}/0x{:02X} where a {name} (0x{kind:02X}) belongs",
                trailer.ptype, trailer.ptype_repeat
            );
            self.found.add(7, place, text);
            return None;
        }
        let sum = crc(page.get(..v.page_body()).unwrap_or_default());
        if trailer.crc != sum {
            let text = format!("{name}: dwCRC is 0x{:08X}, but the page's CRC is 0x{sum:08X}", trailer.crc);
            self.found.add(7, place, text);
            return None;
        }
        if trailer.bid != bid.0 {
            // Outlook's header may name the id that a root had before its last change.
            let text = format!("{name}: the page is 0x{:X}, but 0x{:X} is referred to", trailer.bid, bid.0);
            self.found.either(7, place, todo.expected.is_some() || !self.found.genuine(), text);
        }
        let sig = signature(ib, trailer.bid);
        if trailer.sig != sig {
            self.found.add(7, place, format!("{name}: wSig is 0x{:04X}, not 0x{sig:04X}", trailer.sig));
        }
        Some(())
    }
}
