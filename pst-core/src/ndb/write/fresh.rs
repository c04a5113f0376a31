//! The file behind a writer of a new file: everything is appended in one pass, the header comes last.

use super::alloc::{Allocator, Here};
use super::page::{BBT_ENTRIES, NBT_ENTRIES, bbt_entry, bref, bt_page, nbt_entry};
use super::spool::NodeSpool;
use crate::error::Result;
use crate::io::Output;
use crate::ndb::Crypt;
use crate::ndb::disk::{self, ptype};
use crate::ndb::id::{Bid, nid_type};
use crate::ndb::variant::{BlockRef, Bref, Node};
use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromZeros, IntoBytes};

/// A new file.
pub(super) struct Fresh {
    alloc: Allocator,
    next_page: u64,
    /// Entries of the BBT leaf being filled.
    bbt: Vec<disk::BbtEntryW>,
    /// Finished BBT leaves: first key and place.
    bbt_leaves: Vec<(u64, Bref)>,
    nodes: NodeSpool,
}

/// A point to go back to.
pub(super) struct Point {
    alloc: Here,
    next_page: u64,
    bbt: Vec<disk::BbtEntryW>,
    leaves: usize,
}

impl Fresh {
    pub fn new(file: Box<dyn Output>) -> Self {
        Self {
            alloc: Allocator::new(file),
            next_page: 1,
            bbt: Vec::with_capacity(BBT_ENTRIES),
            bbt_leaves: Vec::new(),
            nodes: NodeSpool::default(),
        }
    }

    /// Takes space for a block.
    pub fn take(&mut self, size: u64) -> Result<u64> {
        self.alloc.take(size, disk::SLOT)
    }

    /// Puts a block into space that was just taken, and lists it. Its CRC stands in its trailer.
    pub fn block(&mut self, at: &BlockRef, stored: &[u8], trailer: &disk::BlockTrailerW, size: u64) -> Result<()> {
        self.alloc.put(at.ib, stored);
        self.alloc.put(at.ib + size - 16, trailer.as_bytes());
        self.bbt.push(bbt_entry(at));
        if self.bbt.len() == BBT_ENTRIES { self.bbt_leaf() } else { Ok(()) }
    }

    pub fn node(&mut self, node: Node) -> Result<()> {
        self.nodes.push(node)
    }

    pub fn used(&self) -> u64 {
        self.alloc.used()
    }

    pub fn failed(&self) -> bool {
        self.alloc.failed()
    }

    pub fn point(&self) -> Point {
        Point {
            alloc: self.alloc.point(),
            next_page: self.next_page,
            bbt: self.bbt.clone(),
            leaves: self.bbt_leaves.len(),
        }
    }

    pub fn back_to(&mut self, point: Point) {
        self.alloc.back_to(point.alloc);
        (self.next_page, self.bbt) = (point.next_page, point.bbt);
        self.bbt_leaves.truncate(point.leaves);
    }

    fn bbt_leaf(&mut self) -> Result<()> {
        let entries = std::mem::take(&mut self.bbt);
        let Some(first) = entries.first().map(|e| e.bref.bid.get()) else { return Ok(()) };
        let at = self.bt_page(ptype::BBT, 0, 24, BBT_ENTRIES, entries.as_bytes(), entries.len())?;
        self.bbt_leaves.push((first, at));
        self.bbt = entries;
        self.bbt.clear();
        Ok(())
    }

    fn bt_page(&mut self, ty: u8, level: u8, cb: u8, max: usize, entries: &[u8], count: usize) -> Result<Bref> {
        let bid = self.next_page;
        self.next_page += 1;
        let ib = self.alloc.take(disk::PAGE, disk::PAGE)?;
        self.alloc.put(ib, &bt_page(Bref { bid: Bid(bid), ib }, ty, level, cb, max, entries, count));
        Ok(Bref { bid: Bid(bid), ib })
    }

    /// The levels above the leaves.
    fn upper(&mut self, ty: u8, mut level: Vec<(u64, Bref)>) -> Result<Bref> {
        let mut depth = 0;
        while level.len() > 1 {
            depth += 1;
            let mut above = Vec::with_capacity(level.len() / BBT_ENTRIES + 1);
            for part in level.chunks(BBT_ENTRIES) {
                let mut bytes = Vec::with_capacity(480);
                for (key, at) in part {
                    let entry = disk::BtEntryW { key: U64::new(*key), bref: bref(*at) };
                    bytes.extend_from_slice(entry.as_bytes());
                }
                let first = part.first().map_or(0, |(key, _)| *key);
                above.push((first, self.bt_page(ty, depth, 24, BBT_ENTRIES, &bytes, part.len())?));
            }
            level = above;
        }
        match level.first() {
            Some((_, root)) => Ok(*root),
            None => self.bt_page(ty, 0, if ty == ptype::BBT { 24 } else { 32 }, BBT_ENTRIES, &[], 0),
        }
    }

    /// Writes both B-trees, the remaining maps and the header, and gives the file its name. Returns its size.
    pub fn finish(mut self, crypt: Crypt, next_block: u64) -> Result<u64> {
        self.bbt_leaf()?;
        let bbt_leaves = std::mem::take(&mut self.bbt_leaves);
        let bbt = self.upper(ptype::BBT, bbt_leaves)?;
        let spool = std::mem::take(&mut self.nodes);
        let highest = spool.highest();
        let mut nodes = spool.sorted()?;
        let mut leaves = Vec::new();
        let mut page = Vec::with_capacity(NBT_ENTRIES);
        loop {
            let node = nodes.next_node()?;
            if !page.is_empty() && (node.is_none() || page.len() == NBT_ENTRIES) {
                leaves.push(self.nbt_leaf(&page)?);
                page.clear();
            }
            match node {
                Some(node) => page.push(node),
                None => break,
            }
        }
        let nbt = self.upper(ptype::NBT, leaves)?;
        let header = self.header(highest, nbt, bbt, crypt, next_block);
        self.alloc.finish(header, self.next_page)
    }

    fn nbt_leaf(&mut self, nodes: &[Node]) -> Result<(u64, Bref)> {
        let mut bytes = Vec::with_capacity(480);
        for n in nodes {
            bytes.extend_from_slice(nbt_entry(n).as_bytes());
        }
        let first = nodes.first().map_or(0, |n| u64::from(n.nid.0));
        Ok((first, self.bt_page(ptype::NBT, 0, 32, NBT_ENTRIES, &bytes, nodes.len())?))
    }

    /// The header, but for what the allocator knows. `highest` holds the highest index of each node type.
    fn header(&self, highest: [u32; 32], nbt: Bref, bbt: Bref, crypt: Crypt, next_block: u64) -> disk::HeaderW {
        let mut rgnid = highest.map(|index| index.max(0x400));
        let mut least = |ty: u8, index: u32| {
            if let Some(slot) = rgnid.get_mut(usize::from(ty)) {
                *slot = (*slot).max(index);
            }
        };
        least(nid_type::SEARCH_FOLDER, 0x4000);
        least(nid_type::NORMAL_MESSAGE, 0x10000);
        least(nid_type::ASSOC_MESSAGE, 0x8000);
        let mut h = disk::HeaderW::new_zeroed();
        h.magic = disk::MAGIC;
        h.magic_client = disk::MAGIC_CLIENT_PST;
        h.ver = U16::new(23);
        h.ver_client = U16::new(19);
        h.platform_create = 1;
        h.platform_access = 1;
        h.bid_unused = U64::new(0x1_0000_0004);
        h.bid_next_p = U64::new(self.next_page);
        h.unique = U32::new(1);
        h.rgnid = rgnid.map(U32::new);
        h.root.bref_nbt = bref(nbt);
        h.root.bref_bbt = bref(bbt);
        h.root.f_amap_valid = 2;
        h.rgb_fm = [0xFF; 128];
        h.rgb_fp = [0xFF; 128];
        h.sentinel = disk::SENTINEL;
        h.crypt_method = crypt.byte();
        h.bid_next_b = U64::new(next_block);
        h
    }
}
