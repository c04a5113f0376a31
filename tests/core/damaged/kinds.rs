//! The ways in which a file is damaged. Each tells the bytes it has hit: what it leaves is as it was.

use super::model::Original;
use crate::support::{Seeded, sums};
use pst_core::ndb::{BlockRef, Variant};
use std::io::Write;
use std::ops::Range;

/// A way of damaging a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Single bits.
    Flips,
    /// Pages full of zeros.
    ZeroedPages,
    /// Sixty holes of 4 KB in random places, fewer in small files.
    Holes,
    /// Pages that changed places.
    SwappedPages,
    /// The end is missing, from a multiple of 4 KB on.
    Truncated,
    /// A tree page leads to its root, to itself, or to another page; its sum is right.
    CyclicTrees,
    /// A tree page counts more entries, or larger ones, than it has; its sum is right.
    AbsurdPages,
    /// Numbers in a block are as large as they can be; its sum is right.
    AbsurdBlocks,
    /// The reserved bit of references to blocks is set, which readers ignore; sums are right.
    ReservedBits,
    /// A list of subnodes leads to itself, or a tree of data blocks does; sums are right.
    InsideItself,
    /// A packed block that would inflate to more than it says; sums are right. Files of 4096-byte pages only.
    Bombs,
}

impl Kind {
    pub const ALL: [Self; 11] = [
        Self::Flips,
        Self::ZeroedPages,
        Self::Holes,
        Self::SwappedPages,
        Self::Truncated,
        Self::CyclicTrees,
        Self::AbsurdPages,
        Self::AbsurdBlocks,
        Self::ReservedBits,
        Self::InsideItself,
        Self::Bombs,
    ];

    /// True where sums tell each byte that has changed.
    pub fn is_seen(self) -> bool {
        matches!(self, Self::Flips | Self::ZeroedPages | Self::Holes | Self::SwappedPages | Self::Truncated)
    }

    /// The damaged bytes and what was hit.
    pub fn damage(self, original: &Original, random: &mut Seeded) -> (Vec<u8>, Vec<Range<usize>>) {
        let mut work = Work { original, bytes: original.bytes.clone(), hit: Vec::new() };
        match self {
            Self::Flips => (0..1 + random.below(8)).for_each(|_| work.flip(random)),
            Self::ZeroedPages => (0..1 + random.below(8)).for_each(|_| work.zero(original.variant.page(), random)),
            Self::Holes => (0..(work.bytes.len() / 16_384).clamp(1, 60)).for_each(|_| work.zero(4096, random)),
            Self::SwappedPages => (0..1 + random.below(4)).for_each(|_| work.swap(random)),
            Self::Truncated => work.truncate(random),
            Self::CyclicTrees => work.cycle(random),
            Self::AbsurdPages => work.page_counts(random),
            Self::AbsurdBlocks => (0..1 + random.below(4)).for_each(|_| work.block_counts(random)),
            Self::ReservedBits => work.reserve(random),
            Self::InsideItself => work.inside_itself(random),
            Self::Bombs => work.bomb(random),
        }
        (work.bytes, work.hit)
    }
}

struct Work<'a> {
    original: &'a Original,
    bytes: Vec<u8>,
    hit: Vec<Range<usize>>,
}

impl Work<'_> {
    fn flip(&mut self, random: &mut Seeded) {
        let at = random.below(self.bytes.len() as u64) as usize;
        self.bytes[at] ^= 1 << random.below(8);
        self.hit.push(at..at + 1);
    }

    fn zero(&mut self, size: usize, random: &mut Seeded) {
        let at = random.below((self.bytes.len() / size) as u64) as usize * size;
        self.bytes[at..at + size].fill(0);
        self.hit.push(at..at + size);
    }

    fn swap(&mut self, random: &mut Seeded) {
        let size = self.original.variant.page();
        let place = |random: &mut Seeded| random.below((self.original.bytes.len() / size) as u64) as usize * size;
        let (a, b) = (place(random), place(random));
        let first = self.bytes[a..a + size].to_vec();
        self.bytes.copy_within(b..b + size, a);
        self.bytes[b..b + size].copy_from_slice(&first);
        self.hit.extend([a..a + size, b..b + size]);
    }

    fn truncate(&mut self, random: &mut Seeded) {
        let at = (1 + random.below(self.bytes.len() as u64 / 4096)) as usize * 4096;
        let end = self.bytes.len();
        self.bytes.truncate(at.min(end));
        self.hit.push(at..end);
    }

    /// Changes a page of a tree and sums it again.
    fn page(&mut self, at: usize, change: impl FnOnce(Variant, &mut [u8])) {
        let v = self.original.variant;
        let Some(page) = self.bytes.get_mut(at..at + v.page()) else { return };
        change(v, page);
        sums::page(v, at, page);
        self.hit.push(at..at + v.page());
    }

    fn cycle(&mut self, random: &mut Seeded) {
        let pages = &self.original.pages;
        let upper: Vec<usize> = pages.iter().filter(|(_, level)| *level > 0).map(|(at, _)| *at).collect();
        let Some(at) = pick(&upper, random) else { return self.page_counts(random) };
        let (to, keep) = (pages[random.below(pages.len() as u64) as usize].0, random.below(2) == 0);
        self.page(at, |v, page| {
            let counters = v.page_counters(page).unwrap();
            let entry = random.below(u64::from(counters.c_ent)) as usize * usize::from(counters.cb_ent);
            let to = if random.below(2) == 0 { at } else { to };
            let half = if v == Variant::Ansi { 4 } else { 8 };
            // The id of the page that is meant, so that it is taken for it.
            let bid = if keep { v.page_trailer(&self_page(self.original, to)).unwrap().bid } else { 4 };
            page[entry + half..entry + 2 * half].copy_from_slice(&bid.to_le_bytes()[..half]);
            page[entry + 2 * half..entry + 3 * half].copy_from_slice(&(to as u64).to_le_bytes()[..half]);
        });
    }

    fn page_counts(&mut self, random: &mut Seeded) {
        let at = self.original.pages[random.below(self.original.pages.len() as u64) as usize].0;
        let (which, value) = (random.below(4) as usize, [0xFF, 0x7F, 0, 1][random.below(4) as usize]);
        self.page(at, |v, page| page[v.entries_area() + which] = value);
    }

    /// Changes a block as it is stored and sums it again. The blocks of pages that were replaced are not there.
    fn block(&mut self, block: BlockRef, change: impl FnOnce(&mut [u8])) {
        let v = self.original.variant;
        let range = block.ib as usize..block.ib as usize + v.block_size(usize::from(block.cb)) as usize;
        let Some(stored) = self.bytes.get_mut(range.clone()) else { return };
        change(&mut stored[..usize::from(block.cb)]);
        sums::block(v, &block, stored);
        self.hit.push(range);
    }

    fn block_counts(&mut self, random: &mut Seeded) {
        let Some(block) = pick(&self.original.blocks, random) else { return };
        let (at, width) = (random.below(64), 1 + random.below(4) as usize);
        self.block(block, |data| {
            let at = (at as usize).min(data.len());
            let end = (at + width).min(data.len());
            data[at..end].fill(0xFF);
        });
    }

    fn reserve(&mut self, random: &mut Seeded) {
        let leaves: Vec<usize> =
            self.original.pages.iter().filter(|(_, level)| *level == 0).map(|(at, _)| *at).collect();
        for at in leaves {
            let before = self.hit.len();
            self.page(at, |v, page| {
                let counters = v.page_counters(page).unwrap();
                let is_bbt = v.page_trailer(page).unwrap().ptype == pst_core::ndb::disk::ptype::BBT;
                for entry in (0..usize::from(counters.c_ent)).map(|i| i * usize::from(counters.cb_ent)) {
                    // Ids of nodes come first in their entries, ids of blocks behind them.
                    let ids: &[usize] = match (is_bbt, v) {
                        (true, _) => &[0],
                        (_, Variant::Ansi) => &[4, 8],
                        _ => &[8, 16],
                    };
                    for id in ids {
                        if random.below(2) == 0 && page[entry + id..entry + id + 4] != [0; 4] {
                            page[entry + id] |= 1;
                        }
                    }
                }
            });
            self.hit.truncate(before);
        }
    }

    fn inside_itself(&mut self, random: &mut Seeded) {
        let v = self.original.variant;
        let internal: Vec<BlockRef> = self.original.blocks.iter().filter(|b| b.bid.is_internal()).copied().collect();
        let Some(block) = pick(&internal, random) else { return self.block_counts(random) };
        self.block(block, |data| {
            let (head, width) = match (data[0], data[1]) {
                (1, _) => (8, v.bid()),
                (_, 0) => (v.sub_head(), v.sl_entry()),
                _ => (v.sub_head(), v.si_entry()),
            };
            let count = ((data.len() - head) / width).max(1) as u64;
            let entry = head + random.below(count) as usize * width;
            let id = v.bid();
            // The last id of an entry is the one that leads on.
            let at = entry + width - id;
            data[at..at + id].copy_from_slice(&block.bid.0.to_le_bytes()[..id]);
        });
    }

    fn bomb(&mut self, random: &mut Seeded) {
        let packed: Vec<BlockRef> =
            self.original.blocks.iter().filter(|b| b.inflated != b.cb && b.cb >= 1024).copied().collect();
        let Some(block) = pick(&packed, random) else { return self.block_counts(random) };
        // As many zeros as the block has room for when they are packed.
        let mut packer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
        packer.write_all(&vec![0; usize::from(block.cb) * 900]).unwrap();
        let bomb = packer.finish().unwrap();
        self.block(block, |data| {
            let end = bomb.len().min(data.len());
            data[..end].copy_from_slice(&bomb[..end]);
        });
    }
}

fn pick<T: Copy>(all: &[T], random: &mut Seeded) -> Option<T> {
    (!all.is_empty()).then(|| all[random.below(all.len() as u64) as usize])
}

fn self_page(original: &Original, at: usize) -> Vec<u8> {
    original.bytes[at..at + original.variant.page()].to_vec()
}
