//! Changes of a B-tree by copy: pages that change are written to new places, all others stay ([MS-PST] 2.2.2.7.7).

use super::space::Space;
use crate::error::{Error, Result};
use crate::io::Input;
use crate::ndb::disk::{BtEntryW, PAGE};
use crate::ndb::id::Bid;
use crate::ndb::page::{Page, Tree};
use crate::ndb::variant::{Bref, Variant};
use crate::ndb::write::page::{BBT_ENTRIES, NBT_ENTRIES, bref, bt_page};
use zerocopy::IntoBytes;
use zerocopy::little_endian::U64;

/// Bytes of the longest entry.
const WIDEST: usize = 32;

/// An entry of any page: its key, and its bytes as they stand there.
#[derive(Clone, Copy)]
pub(super) struct Entry {
    pub key: u64,
    bytes: [u8; WIDEST],
}

impl Entry {
    pub fn new(key: u64, bytes: &[u8]) -> Self {
        let mut held = [0; WIDEST];
        held.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        Self { key, bytes: held }
    }
}

/// What becomes of a key: another entry, or none.
pub(super) type Change = (u64, Option<Entry>);

/// A tree being changed.
pub(super) struct Merge<'a> {
    pub space: &'a mut Space,
    pub input: &'a Input,
    pub tree: Tree,
    pub next_page: &'a mut u64,
    /// Pages from this id on are of this transaction: the last commit does not refer to them.
    pub own: u64,
}

impl Merge<'_> {
    /// Applies changes, sorted by key, to the tree below a root; returns the new root.
    pub fn apply(&mut self, root: Bref, changes: &[Change]) -> Result<Bref> {
        if changes.is_empty() {
            return Ok(root);
        }
        let page = self.read(root, None)?;
        let mut level = page.counters.level;
        let mut entries = self.contents(&page, changes, true)?;
        self.free(root, page.bid)?;
        loop {
            match entries.as_slice() {
                [] => return self.page(0, &[]),
                [one] if level > 0 => return self.child(one),
                _ if entries.len() <= self.most(level) => return self.page(level, &entries),
                _ => entries = self.pages(level, &entries, true)?,
            }
            level += 1;
        }
    }

    /// The entries of a page after the changes; `last` is true at the right edge of the tree, where keys are added. The
    /// recursion ends at level 0, and no page has a level above [`crate::ndb::page::MAX_LEVEL`].
    fn contents(&mut self, page: &Page, changes: &[Change], last: bool) -> Result<Vec<Entry>> {
        let old = self.entries(page)?;
        if page.counters.level == 0 {
            return Ok(merged(old, changes));
        }
        let below = page.counters.level - 1;
        let mut out = Vec::with_capacity(old.len() + 1);
        // Entries of neighbours that change, to be put into pages together.
        let mut group: Vec<Entry> = Vec::new();
        let mut rest = changes;
        let half = self.most(below) / 2;
        for (i, entry) in old.iter().enumerate() {
            let end = old.get(i + 1).map_or(rest.len(), |next| rest.partition_point(|(key, _)| *key < next.key));
            let (mine, after) = rest.split_at(end);
            rest = after;
            let touched = !mine.is_empty();
            if !touched && (group.is_empty() || group.len() >= half) {
                self.close(below, &mut group, false, &mut out)?;
                out.push(*entry);
                continue;
            }
            let at = self.child(entry)?;
            let child = self.read(at, Some(below))?;
            let entries =
                if touched { self.contents(&child, mine, last && i + 1 == old.len())? } else { self.entries(&child)? };
            self.free(at, child.bid)?;
            group.extend(entries);
        }
        if !group.is_empty()
            && group.len() < half
            && let Some(left) = out.pop()
        {
            let at = self.child(&left)?;
            let child = self.read(at, Some(below))?;
            let mut entries = self.entries(&child)?;
            self.free(at, child.bid)?;
            entries.append(&mut group);
            group = entries;
        }
        self.close(below, &mut group, last, &mut out)?;
        Ok(out)
    }

    /// Puts a group into pages and lists them.
    fn close(&mut self, level: u8, group: &mut Vec<Entry>, last: bool, out: &mut Vec<Entry>) -> Result<()> {
        if !group.is_empty() {
            out.extend(self.pages(level, group, last)?);
            group.clear();
        }
        Ok(())
    }

    /// Pages for entries: full ones at the right edge, where more will come, else evenly filled ones.
    fn pages(&mut self, level: u8, entries: &[Entry], last: bool) -> Result<Vec<Entry>> {
        let most = self.most(level);
        let count = entries.len().div_ceil(most).max(1);
        let each = if last { most } else { entries.len().div_ceil(count) };
        let mut out = Vec::with_capacity(count);
        for part in entries.chunks(each) {
            let key = part.first().map_or(0, |e| e.key);
            let at = self.page(level, part)?;
            out.push(Entry::new(key, BtEntryW { key: U64::new(key), bref: bref(at) }.as_bytes()));
        }
        Ok(out)
    }

    fn most(&self, level: u8) -> usize {
        if level == 0 && self.tree == Tree::Nbt { NBT_ENTRIES } else { BBT_ENTRIES }
    }

    fn width(&self, level: u8) -> usize {
        if level == 0 { self.tree.leaf_entry(Variant::Unicode) } else { Variant::Unicode.bt_entry() }
    }

    fn page(&mut self, level: u8, entries: &[Entry]) -> Result<Bref> {
        let bid = *self.next_page;
        *self.next_page += 1;
        let at = Bref { bid: Bid(bid), ib: self.space.take(PAGE, PAGE)? };
        let width = self.width(level);
        let bytes: Vec<u8> = entries.iter().flat_map(|e| e.bytes.iter().take(width).copied()).collect();
        let page = bt_page(at, self.tree.ptype(), level, width as u8, self.most(level), &bytes, entries.len());
        self.space.write(&page, at.ib)?;
        Ok(at)
    }

    fn free(&mut self, at: Bref, bid: u64) -> Result<()> {
        if bid >= self.own {
            return self.space.give_back(at.ib, PAGE);
        }
        self.space.give_back_later(at.ib, PAGE);
        Ok(())
    }

    fn read(&self, at: Bref, level: Option<u8>) -> Result<Page> {
        Page::read(self.input, Variant::Unicode, self.tree, at, level)
    }

    fn child(&self, entry: &Entry) -> Result<Bref> {
        let child = Variant::Unicode.bt(&entry.bytes).map(|(_, at)| at);
        child.ok_or_else(|| Error::damaged(self.tree.name(), "an entry cannot be read"))
    }

    fn entries(&self, page: &Page) -> Result<Vec<Entry>> {
        let (v, level) = (Variant::Unicode, page.counters.level);
        let key = |bytes: &[u8]| match (level, self.tree) {
            (0, Tree::Nbt) => v.nbt(bytes).map(|n| u64::from(n.nid.0)),
            (0, Tree::Bbt) => v.bbt(bytes).map(|b| b.bid.key()),
            _ => v.bt(bytes).map(|(key, _)| key),
        };
        let entry = |i: usize| page.entry(i).and_then(|bytes| Some(Entry::new(key(bytes)?, bytes)));
        (0..page.len())
            .map(|i| entry(i).ok_or_else(|| Error::damaged(self.tree.name(), "an entry cannot be read")))
            .collect()
    }
}

/// Old entries and changes, both sorted, in one list.
fn merged(old: Vec<Entry>, changes: &[Change]) -> Vec<Entry> {
    let mut out = Vec::with_capacity(old.len() + changes.len());
    let mut changes = changes.iter().peekable();
    for entry in old {
        while let Some((_, new)) = changes.next_if(|(key, _)| *key < entry.key) {
            out.extend(new);
        }
        match changes.next_if(|(key, _)| *key == entry.key) {
            Some((_, new)) => out.extend(new),
            None => out.push(entry),
        }
    }
    out.extend(changes.filter_map(|(_, new)| *new));
    out
}
