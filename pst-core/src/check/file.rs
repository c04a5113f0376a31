//! What the rules above the pages look things up in: blocks and nodes by id, data and subnode trees, bytes.
//!
//! Nothing here reports: where something is missing or damaged the answer is `None`, and the rule of that structure has
//! spoken or will speak.

use super::report::{At, Findings};
use crate::ndb::{Bid, BlockRef, Ndb, Nid, Node, Variant};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};

/// Ids of named properties, from 0x8000 on.
const NAMED: usize = 0x8000;
/// How often each block may be come across: few are part of several trees, but messages inside messages are gone
/// through once for each message around them. Damage that makes trees overlap is not followed for ever.
const SHARING: u64 = 100;

/// The parts of a file that the rules need, shared by all threads.
pub(super) struct File {
    pub ndb: Arc<Ndb>,
    /// Ascending by NID.
    pub nodes: Vec<Node>,
    /// Ascending by BID.
    pub blocks: Vec<BlockRef>,
    /// True for a file that Outlook wrote.
    pub genuine: bool,
    pub ost: bool,
    /// How often each node was found in a table, up to 2.
    listed: Vec<AtomicU8>,
    /// Named properties that some object has.
    named: Vec<AtomicBool>,
    work: AtomicU64,
}

impl File {
    pub fn new(ndb: Arc<Ndb>, nodes: Vec<Node>, blocks: Vec<BlockRef>, found: &Findings) -> Self {
        let ost = ndb.header().ost;
        Self {
            listed: nodes.iter().map(|_| AtomicU8::new(0)).collect(),
            named: (0..NAMED).map(|_| AtomicBool::new(false)).collect(),
            genuine: found.genuine(),
            ost,
            ndb,
            nodes,
            blocks,
            work: AtomicU64::new(0),
        }
    }

    pub fn variant(&self) -> Variant {
        self.ndb.variant()
    }

    pub fn ansi(&self) -> bool {
        self.variant() == Variant::Ansi
    }

    /// A node by its id.
    pub fn node(&self, nid: Nid) -> Option<Node> {
        self.index(nid).and_then(|i| self.nodes.get(i)).copied()
    }

    fn index(&self, nid: Nid) -> Option<usize> {
        self.nodes.binary_search_by_key(&nid, |n| n.nid).ok()
    }

    /// The position of a block by its id.
    pub fn find(&self, bid: Bid) -> Option<usize> {
        self.blocks.binary_search_by_key(&bid.key(), |b| b.bid.key()).ok()
    }

    pub fn block(&self, bid: Bid) -> Option<&BlockRef> {
        self.blocks.get(self.find(bid)?)
    }

    /// Notes that a table lists a node; true if none did before.
    pub fn list(&self, nid: Nid) -> bool {
        let Some(slot) = self.index(nid).and_then(|i| self.listed.get(i)) else { return true };
        slot.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| Some(n.saturating_add(1))) == Ok(0)
    }

    /// True if a table has listed the node.
    pub fn is_listed(&self, nid: Nid) -> bool {
        self.index(nid).and_then(|i| self.listed.get(i)).is_some_and(|n| n.load(Ordering::Relaxed) > 0)
    }

    /// Notes that some object has a named property.
    pub fn name_used(&self, id: u16) {
        if let Some(slot) = usize::from(id).checked_sub(NAMED).and_then(|i| self.named.get(i)) {
            slot.store(true, Ordering::Relaxed);
        }
    }

    /// The ids of all named properties that objects have.
    pub fn names_used(&self) -> impl Iterator<Item = u16> {
        (0x8000u16..=0xFFFF).zip(&self.named).filter(|(_, used)| used.load(Ordering::Relaxed)).map(|(id, _)| id)
    }

    /// Bytes of a block, read and proved. `None` for one that V09 or V11 reports.
    pub fn read(&self, block: &BlockRef) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        self.ndb.read_block_at(block, &mut out).ok()?;
        Some(out)
    }

    /// The data blocks of a tree, by position. `None` where one is missing.
    pub fn leaves(&self, bid: Bid) -> Option<Vec<usize>> {
        if bid.is_none() {
            return Some(Vec::new());
        }
        let first = self.find(bid)?;
        if !bid.is_internal() {
            self.spend(1)?;
            return Some(vec![first]);
        }
        let (level, mut bids) = self.x_block(bid)?;
        if level == 2 {
            let mut leaves = Vec::new();
            for child in bids {
                let (1, more) = self.x_block(child)? else { return None };
                self.spend(more.len())?;
                leaves.extend(more);
            }
            bids = leaves;
        }
        self.spend(bids.len())?;
        bids.into_iter().map(|b| self.find(b).filter(|_| !b.is_internal())).collect()
    }

    /// Level and entries of an XBLOCK or XXBLOCK.
    fn x_block(&self, bid: Bid) -> Option<(u8, Vec<Bid>)> {
        let bytes = self.read(self.block(bid).filter(|b| b.bid.is_internal())?)?;
        let [1, level @ 1..=2, e0, e1, ..] = *bytes.as_slice() else { return None };
        let (count, width) = (usize::from(u16::from_le_bytes([e0, e1])), self.variant().bid());
        let entries = bytes.get(8..8 + count * width)?;
        Some((level, entries.chunks_exact(width).filter_map(|e| self.variant().x_bid(e)).collect()))
    }

    /// The subnodes of a node, ascending. `None` where a block is missing.
    pub fn subnodes(&self, bid: Bid) -> Option<Vec<Node>> {
        if bid.is_none() {
            return Some(Vec::new());
        }
        let v = self.variant();
        let (level, bytes) = self.sub_block(bid)?;
        let mut out = Vec::new();
        if level == 0 {
            out.extend(bytes.chunks_exact(v.sl_entry()).filter_map(|e| v.sl(e)));
        } else {
            for entry in bytes.chunks_exact(v.si_entry()) {
                let (0, list) = self.sub_block(v.si(entry)?.1)? else { return None };
                out.extend(list.chunks_exact(v.sl_entry()).filter_map(|e| v.sl(e)));
            }
        }
        self.spend(out.len())?;
        out.sort_by_key(|n| n.nid);
        Some(out)
    }

    /// Level and entry bytes of an SLBLOCK or SIBLOCK.
    fn sub_block(&self, bid: Bid) -> Option<(u8, Vec<u8>)> {
        let bytes = self.read(self.block(bid).filter(|b| b.bid.is_internal())?)?;
        let [2, level @ 0..=1, e0, e1, ..] = *bytes.as_slice() else { return None };
        let (count, v) = (usize::from(u16::from_le_bytes([e0, e1])), self.variant());
        let width = if level == 0 { v.sl_entry() } else { v.si_entry() };
        Some((level, bytes.get(v.sub_head()..v.sub_head() + count * width)?.to_vec()))
    }

    /// Bytes of all data blocks of a node and its subnodes, as PidTagMessageSize counts them.
    pub fn size(&self, data: Bid, sub: Bid) -> Option<u64> {
        let mut total = 0;
        let mut open = vec![(data, sub)];
        while let Some((data, sub)) = open.pop() {
            total += self.bytes(&self.leaves(data)?);
            open.extend(self.subnodes(sub)?.iter().map(|n| (n.data, n.sub)));
        }
        Some(total)
    }

    /// Bytes of data blocks.
    pub fn bytes(&self, leaves: &[usize]) -> u64 {
        leaves.iter().filter_map(|i| self.blocks.get(*i)).map(|b| u64::from(b.inflated)).sum()
    }

    fn spend(&self, entries: usize) -> Option<()> {
        self.work.fetch_add(entries as u64, Ordering::Relaxed);
        (!self.exhausted()).then_some(())
    }

    /// True once trees have overlapped so often that no more is judged.
    pub fn exhausted(&self) -> bool {
        self.work.load(Ordering::Relaxed) > SHARING * (self.blocks.len() as u64 + 4096)
    }
}

/// One thread's view of a file: what it found, and the blocks it read last.
pub(super) struct Judge<'a> {
    pub file: &'a File,
    pub found: Findings,
    recent: Vec<(usize, Rc<Vec<u8>>)>,
}

/// Blocks that a thread keeps.
const RECENT: usize = 12;

impl<'a> Judge<'a> {
    pub fn new(file: &'a File, found: &Findings) -> Self {
        Self { file, found: found.fresh(), recent: Vec::new() }
    }

    /// A data block by its position.
    pub fn block(&mut self, index: usize) -> Option<Rc<Vec<u8>>> {
        if let Some(at) = self.recent.iter().position(|(i, _)| *i == index) {
            return self.recent.get(at).map(|(_, bytes)| Rc::clone(bytes));
        }
        let bytes = Rc::new(self.file.read(self.file.blocks.get(index)?)?);
        if self.recent.len() == RECENT {
            self.recent.remove(0);
        }
        self.recent.push((index, Rc::clone(&bytes)));
        Some(bytes)
    }

    /// The place of a node in findings: its id and where its data start.
    pub fn at(&self, nid: Nid, data: Bid) -> At {
        At { offset: self.file.block(data).map(|b| b.ib), id: Some(u64::from(nid.0)) }
    }
}
