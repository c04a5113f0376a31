//! V15: heaps ([MS-PST] 2.3.1).

use super::file::Judge;
use super::report::At;
use crate::ndb::{Bid, Nid, Node, Variant};

/// bSig of every heap.
const SIGNATURE: u8 = 0xEC;
/// Most bytes of an allocation.
pub(super) const MAX_ALLOC: usize = 3580;

/// A judged heap: where its blocks are, and the subnodes beside it.
pub(super) struct Heap {
    pub nid: Nid,
    pub at: At,
    /// Data blocks by position.
    pub leaves: Vec<usize>,
    /// Bytes of all data blocks.
    pub bytes: u64,
    pub subnodes: Vec<Node>,
    /// hidUserRoot.
    pub root: u32,
}

impl Heap {
    pub fn subnode(&self, nid: Nid) -> Option<Node> {
        self.subnodes.binary_search_by_key(&nid, |n| n.nid).ok().and_then(|i| self.subnodes.get(i)).copied()
    }
}

pub(super) fn word(bytes: &[u8], at: usize) -> Option<usize> {
    bytes.get(at..at + 2)?.try_into().ok().map(|b| usize::from(u16::from_le_bytes(b)))
}

pub(super) fn long(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.try_into().ok().map(u32::from_le_bytes)
}

/// Bytes before the first allocation: HNHDR, HNBITMAPHDR or HNPAGEHDR ([MS-PST] 2.3.1.2-2.3.1.4).
const fn head(block: usize) -> usize {
    match block {
        0 => 12,
        8.. if (block - 8).is_multiple_of(128) => 66,
        _ => 2,
    }
}

/// The least free bytes of each fill level ([MS-PST] 2.3.1.2).
const LEVELS: [usize; 15] = [3584, 2560, 2048, 1792, 1536, 1280, 1024, 768, 512, 256, 128, 64, 32, 16, 8];

fn level(free: usize) -> u8 {
    LEVELS.iter().position(|least| free >= *least).unwrap_or(15) as u8
}

impl Judge<'_> {
    /// Judges the heap of a node whose client signature must be one of `clients`. `None` where it cannot be used.
    pub fn heap(&mut self, nid: Nid, data: Bid, sub: Bid, clients: &[u8]) -> Option<Heap> {
        let at = self.at(nid, data);
        let leaves = self.file.leaves(data)?;
        let subnodes = self.file.subnodes(sub)?;
        if leaves.is_empty() {
            self.found.add(15, at, format!("node {nid} has no data where a heap belongs"));
            return None;
        }
        let first = self.block(*leaves.first()?)?;
        let (Some(root), [_, _, sig, client, ..]) = (long(&first, 4), first.as_slice()) else {
            self.found.add(15, at, format!("node {nid}: {} bytes are no heap", first.len()));
            return None;
        };
        if *sig != SIGNATURE || !clients.contains(client) {
            let right: Vec<String> = clients.iter().map(|c| format!("0x{c:02X}")).collect();
            let text = format!(
                "node {nid}: bSig is 0x{sig:02X} and bClientSig 0x{client:02X}, where 0xEC and {} belong",
                right.join(" or ")
            );
            self.found.add(15, at, text);
            return None;
        }
        let bytes = self.file.bytes(&leaves);
        let heap = Heap { nid, at, leaves, bytes, subnodes, root };
        self.heap_blocks(&heap)?;
        if self.alloc(&heap, root).is_none() {
            self.found.add(15, at, format!("node {nid}: hidUserRoot 0x{root:X} is no allocation"));
            return None;
        }
        Some(heap)
    }

    fn heap_blocks(&mut self, heap: &Heap) -> Option<()> {
        let v = self.file.variant();
        let mut levels = Vec::with_capacity(heap.leaves.len());
        let mut stored = Vec::with_capacity(heap.leaves.len());
        for (i, leaf) in heap.leaves.iter().enumerate() {
            let block = self.block(*leaf)?;
            let free = self.heap_block(heap, i, &block)?;
            levels.push(level(free));
            let nibbles = match head(i) {
                12 => block.get(8..12),
                66 => block.get(2..66),
                _ => None,
            };
            stored.extend(nibbles.into_iter().flatten().flat_map(|b| [b & 15, b >> 4]));
        }
        if v != Variant::Unicode4k
            && let Some(i) = levels.iter().zip(&stored).position(|(right, stored)| right != stored)
            && let (Some(right), Some(stored)) = (levels.get(i), stored.get(i))
        {
            let text = format!("node {}: the fill level of heap block {i} is {stored}, not {right}", heap.nid);
            self.found.lenient(15, heap.at, text);
        }
        Some(())
    }

    /// Judges the page map of a block; returns its free bytes.
    fn heap_block(&mut self, heap: &Heap, i: usize, block: &[u8]) -> Option<usize> {
        let (nid, at) = (heap.nid, heap.at);
        let mut wrong = |text: String| self.found.add(15, at, format!("node {nid}, heap block {i}: {text}"));
        let map = word(block, 0)?;
        let (Some(count), Some(empty)) = (word(block, map), word(block, map + 2)) else {
            wrong(format!("ibHnpm {map} is outside its {} bytes", block.len()));
            return None;
        };
        if !map.is_multiple_of(2) {
            wrong(format!("ibHnpm {map} is odd"));
        }
        let Some(starts) = block.get(map + 4..map + 4 + 2 * (count + 1)) else {
            wrong(format!("{count} allocations (cAlloc) do not fit behind ibHnpm {map}"));
            return None;
        };
        let starts: Vec<usize> = starts.chunks_exact(2).filter_map(|s| word(s, 0)).collect();
        let (first, last) = (starts.first().copied().unwrap_or_default(), starts.last().copied().unwrap_or_default());
        if first != head(i) {
            wrong(format!("the first allocation is at {first}, not at {}", head(i)));
        }
        if last != map && last + 1 != map {
            wrong(format!("the last allocation ends at {last}, but ibHnpm is {map}"));
        }
        let mut zero = 0;
        for (n, pair) in starts.windows(2).enumerate() {
            let [start, end] = *pair else { continue };
            match end.checked_sub(start) {
                None => wrong(format!("allocation {} starts at {start} and ends at {end}", n + 1)),
                Some(0) => zero += 1,
                Some(size) if size > MAX_ALLOC => wrong(format!("allocation {} has {size} bytes", n + 1)),
                Some(_) => {}
            }
        }
        if zero != empty {
            wrong(format!("cFree is {empty}, but {zero} allocations are empty"));
        }
        let used = map + 4 + 2 * (count + 1);
        Some(self.file.variant().block_max().saturating_sub(used))
    }

    /// The bytes of an allocation; `None` where the HID points nowhere.
    pub fn alloc(&mut self, heap: &Heap, hid: u32) -> Option<Vec<u8>> {
        if hid & 0x1F != 0 || hid == 0 {
            return None;
        }
        let (block, index) = self.file.variant().split_hid(hid);
        let bytes = self.block(*heap.leaves.get(block)?)?;
        let map = word(&bytes, 0)?;
        if index == 0 || index > word(&bytes, map)? {
            return None;
        }
        let start = word(&bytes, map + 4 + 2 * (index - 1))?;
        bytes.get(start..word(&bytes, map + 4 + 2 * index)?).map(<[u8]>::to_vec)
    }
}
