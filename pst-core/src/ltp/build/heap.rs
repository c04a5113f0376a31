//! Builds a Heap-on-Node, block by block ([MS-PST] 2.3.1).

use crate::error::{Error, Kind, Result};
use crate::ltp::heap::allocation;
use crate::ndb::write::BLOCK;

/// Most bytes of one allocation.
pub const MAX_ALLOC: usize = 3580;
/// Allocations of one block: a HID has 11 bits for them.
const MAX_COUNT: usize = 2047;
/// Blocks of one heap: a HID has 16 bits for them.
const MAX_BLOCKS: usize = 1 << 16;

/// A heap being built. Full blocks can be taken away; those that carry fill levels stay until the end.
#[derive(Clone)]
pub struct HeapBuilder {
    /// Blocks so far; `None` once taken.
    blocks: Vec<Option<Vec<u8>>>,
    /// Blocks before this one are taken, or stay.
    taken: usize,
    levels: Vec<u8>,
    /// Starts of the allocations of the block being filled.
    starts: Vec<u16>,
    current: Vec<u8>,
}

impl Default for HeapBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl HeapBuilder {
    /// An empty heap.
    pub fn new() -> Self {
        Self::with_room(0)
    }

    /// An empty heap with room made for so many bytes in its first block.
    pub fn with_room(bytes: usize) -> Self {
        let mut current = Vec::with_capacity(bytes.min(BLOCK) + head(0));
        current.resize(head(0), 0);
        Self { blocks: Vec::new(), taken: 0, levels: Vec::new(), starts: Vec::new(), current }
    }

    /// Puts bytes into the heap and returns their HID; empty bytes get HID 0.
    ///
    /// # Errors
    /// [`Kind::Limit`] beyond [`MAX_ALLOC`] bytes, or when the heap has 65,536 blocks.
    pub fn push(&mut self, bytes: &[u8]) -> Result<u32> {
        if bytes.is_empty() {
            return Ok(0);
        }
        if bytes.len() > MAX_ALLOC {
            let text = format!("{} bytes are more than a heap allocation holds ({MAX_ALLOC})", bytes.len());
            return Err(Error::new(Kind::Limit, text).within("heap"));
        }
        let map = |count: usize| 4 + 2 * (count + 1);
        let end = (self.current.len() + bytes.len()).next_multiple_of(2);
        if end + map(self.starts.len() + 1) > BLOCK || self.starts.len() == MAX_COUNT {
            if self.blocks.len() + 1 == MAX_BLOCKS {
                return Err(Error::new(Kind::Limit, "a heap has no room for more than 65,536 blocks").within("heap"));
            }
            self.close();
            self.current.reserve(BLOCK);
            self.current.resize(head(self.blocks.len()), 0);
        }
        self.starts.push(self.current.len() as u16);
        self.current.extend_from_slice(bytes);
        Ok((self.blocks.len() as u32) << 16 | (self.starts.len() as u32) << 5)
    }

    /// Ends the current block: page map and fill level.
    fn close(&mut self) {
        let end = self.current.len() as u16;
        let map = end.next_multiple_of(2);
        self.current.resize(usize::from(map), 0);
        self.current.extend_from_slice(&(self.starts.len() as u16).to_le_bytes());
        self.current.extend_from_slice(&0u16.to_le_bytes());
        for start in self.starts.drain(..).chain([end]) {
            self.current.extend_from_slice(&start.to_le_bytes());
        }
        put(&mut self.current, 0, &map.to_le_bytes());
        self.levels.push(fill_level(BLOCK - self.current.len()));
        self.blocks.push(Some(std::mem::take(&mut self.current)));
    }

    /// Full blocks that will not change any more, with their positions. They are whole 8,176 bytes.
    pub fn take_full(&mut self) -> Vec<(usize, Vec<u8>)> {
        let mut out = Vec::new();
        for (i, slot) in self.blocks.iter_mut().enumerate().skip(self.taken) {
            if !carries_levels(i)
                && let Some(mut block) = slot.take()
            {
                block.resize(BLOCK, 0);
                out.push((i, block));
            }
        }
        self.taken = self.blocks.len();
        out
    }

    /// Number of blocks so far, the one being filled left out.
    pub fn blocks(&self) -> usize {
        self.blocks.len()
    }

    /// Number of blocks that [`HeapBuilder::take_full`] would look at.
    pub fn full(&self) -> usize {
        self.blocks.len() - self.taken
    }

    /// Bytes of all blocks once the heap is complete.
    pub fn final_size(&self) -> u64 {
        let last = self.current.len().next_multiple_of(2) + 4 + 2 * (self.starts.len() + 1);
        (self.blocks.len() * BLOCK + last) as u64
    }

    /// The bytes of an allocation, unless its block was taken.
    pub fn held(&self, hid: u32) -> Option<&[u8]> {
        let (block, index) = ((hid >> 16) as usize, (hid >> 5 & 0x7FF) as usize);
        if block < self.blocks.len() {
            return allocation(self.blocks.get(block)?.as_deref()?, index);
        }
        let start = *self.starts.get(index.checked_sub(1)?)?;
        let end = self.starts.get(index).map_or(self.current.len(), |end| usize::from(*end));
        self.current.get(usize::from(start)..end)
    }

    /// Bytes held in memory, about.
    pub fn weight(&self) -> usize {
        self.blocks.iter().flatten().map(Vec::len).sum::<usize>() + self.blocks.len() * 24 + self.current.len()
    }

    /// Overwrites an allocation of a block that was not taken.
    pub fn patch(&mut self, hid: u32, offset: usize, bytes: &[u8]) {
        let (block, index) = ((hid >> 16) as usize, (hid >> 5 & 0x7FF) as usize);
        if block == self.blocks.len() {
            if let Some(start) = index.checked_sub(1).and_then(|i| self.starts.get(i)).copied() {
                put(&mut self.current, usize::from(start) + offset, bytes);
            }
        } else if let Some(Some(page)) = self.blocks.get_mut(block) {
            let word = |page: &[u8], at: usize| {
                page.get(at..at + 2).and_then(|b| b.try_into().ok()).map_or(0, |b| usize::from(u16::from_le_bytes(b)))
            };
            let map = word(page, 0);
            let start = word(page, map + 4 + 2 * index.saturating_sub(1));
            put(page, start + offset, bytes);
        }
    }

    /// Completes the heap: its blocks in order, `None` where a block was taken before.
    pub fn finish(mut self, client: u8, root: u32) -> Vec<Option<Vec<u8>>> {
        self.close();
        let count = self.blocks.len();
        let levels = std::mem::take(&mut self.levels);
        for (i, slot) in self.blocks.iter_mut().enumerate() {
            let Some(block) = slot else { continue };
            if i == 0 {
                put(block, 2, &[0xEC, client]);
                put(block, 4, &root.to_le_bytes());
                put_levels(block, 8, levels.get(..8.min(count)).unwrap_or_default());
            } else if carries_levels(i) {
                put_levels(block, 2, levels.get(i..(i + 128).min(count)).unwrap_or_default());
            }
            if i + 1 < count {
                block.resize(BLOCK, 0);
            }
        }
        self.blocks
    }
}

/// Bytes before the first allocation of a block: HNHDR, HNBITMAPHDR or HNPAGEHDR.
const fn head(block: usize) -> usize {
    match block {
        0 => 12,
        _ if carries_levels(block) => 66,
        _ => 2,
    }
}

const fn carries_levels(block: usize) -> bool {
    block == 0 || block % 128 == 8
}

fn put(block: &mut [u8], at: usize, bytes: &[u8]) {
    if let Some(to) = block.get_mut(at..at + bytes.len()) {
        to.copy_from_slice(bytes);
    }
}

/// Two levels to a byte, the earlier block in the low half ([MS-PST] 2.3.1.2).
fn put_levels(block: &mut [u8], at: usize, levels: &[u8]) {
    for (i, pair) in levels.chunks(2).enumerate() {
        let byte = pair.first().copied().unwrap_or_default() | pair.get(1).copied().unwrap_or_default() << 4;
        put(block, at + i, &[byte]);
    }
}

/// The fill level of a block with so many bytes free ([MS-PST] 2.3.1.2).
pub const fn fill_level(free: usize) -> u8 {
    match free {
        3584.. => 0,
        2560.. => 1,
        2048.. => 2,
        1792.. => 3,
        1536.. => 4,
        1280.. => 5,
        1024.. => 6,
        768.. => 7,
        512.. => 8,
        256.. => 9,
        128.. => 10,
        64.. => 11,
        32.. => 12,
        16.. => 13,
        8.. => 14,
        _ => 15,
    }
}

/// Builds a BTH from sorted records and returns the HID of its header, which was reserved before as `header`.
///
/// # Errors
/// As [`HeapBuilder::push`].
pub fn bth(heap: &mut HeapBuilder, header: u32, key: usize, data: usize, records: &[u8]) -> Result<Vec<u32>> {
    let width = key + data;
    let mut leaves = Vec::new();
    let mut level: Vec<(Vec<u8>, u32)> = Vec::new();
    for part in records.chunks(MAX_ALLOC / width * width) {
        let hid = heap.push(part)?;
        leaves.push(hid);
        level.push((part.get(..key).unwrap_or_default().to_vec(), hid));
    }
    let mut levels = 0u8;
    while level.len() > 1 {
        levels += 1;
        let mut above = Vec::new();
        for part in level.chunks(MAX_ALLOC / (key + 4)) {
            let mut bytes = Vec::with_capacity(part.len() * (key + 4));
            for (first, hid) in part {
                bytes.extend_from_slice(first);
                bytes.extend_from_slice(&hid.to_le_bytes());
            }
            let first = part.first().map(|(k, _)| k.clone()).unwrap_or_default();
            above.push((first, heap.push(&bytes)?));
        }
        level = above;
    }
    let root = level.first().map_or(0, |(_, hid)| *hid);
    let mut head = vec![0xB5, key as u8, data as u8, levels];
    head.extend_from_slice(&root.to_le_bytes());
    heap.patch(header, 0, &head);
    Ok(leaves)
}
