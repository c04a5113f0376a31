//! Writing a Unicode file: blocks, pages, maps and B-trees, appended in one pass; the header comes last.

mod alloc;
mod node;
mod spool;

pub use node::{NodeImage, Subnode, TreeImage};

use super::Crypt;
use super::crc::{crc, signature};
use super::disk::{self, ptype};
use super::id::{Bid, Nid, nid_type};
use super::variant::{Bref, Node};
use crate::error::Result;
use crate::io::Output;
use alloc::Allocator;
use sha2::{Digest, Sha256};
use spool::NodeSpool;
use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromZeros, IntoBytes};

/// Most data bytes of a block.
pub const BLOCK: usize = 8176;
/// BIDs in an XBLOCK.
const X_ENTRIES: usize = 1021;
/// Entries of an SLBLOCK.
const SL_ENTRIES: usize = 340;
/// Entries of an SIBLOCK.
const SI_ENTRIES: usize = 510;
/// Entries of a BBT leaf, and of intermediate pages.
const BBT_ENTRIES: usize = 20;
/// Entries of an NBT leaf.
const NBT_ENTRIES: usize = 15;

/// A file being written at the level of nodes and blocks.
pub struct NdbWriter {
    alloc: Allocator,
    crypt: Crypt,
    next_block: u64,
    next_page: u64,
    /// Entries of the BBT leaf being filled.
    bbt: Vec<disk::BbtEntryW>,
    /// Finished BBT leaves: first key and place.
    bbt_leaves: Vec<(u64, Bref)>,
    nodes: NodeSpool,
    /// Of the length and CRC of each block so far.
    digest: Sha256,
}

impl NdbWriter {
    /// Starts a file.
    pub fn new(file: Box<dyn Output>, crypt: Crypt) -> Self {
        Self {
            alloc: Allocator::new(file),
            crypt,
            next_block: 4,
            next_page: 1,
            bbt: Vec::with_capacity(BBT_ENTRIES),
            bbt_leaves: Vec::new(),
            nodes: NodeSpool::default(),
            digest: Sha256::new(),
        }
    }

    /// A hash of all blocks so far, to which what the caller adds belongs too.
    pub fn digest(&self) -> Sha256 {
        self.digest.clone()
    }

    /// How data blocks are encoded.
    pub fn crypt(&self) -> Crypt {
        self.crypt
    }

    /// Writes a data block whose bytes are encoded already; `sum` is their CRC.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn data_block(&mut self, stored: &[u8], sum: u32) -> Result<Bid> {
        let bid = Bid(self.next_block);
        self.block(stored, sum, bid, 1)?;
        Ok(bid)
    }

    /// Writes a data block that `references` nodes share, from plain bytes.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn shared_block(&mut self, plain: &[u8], references: u16) -> Result<Bid> {
        let mut stored = plain.to_vec();
        self.crypt.encode(&mut stored, self.next_block);
        let bid = Bid(self.next_block);
        self.block(&stored, crc(&stored), bid, references)?;
        Ok(bid)
    }

    fn internal_block(&mut self, bytes: &[u8]) -> Result<Bid> {
        let bid = Bid(self.next_block | 2);
        self.block(bytes, crc(bytes), bid, 1)?;
        Ok(bid)
    }

    fn block(&mut self, stored: &[u8], sum: u32, bid: Bid, references: u16) -> Result<()> {
        self.next_block += 4;
        self.digest.update((stored.len() as u64).to_le_bytes());
        self.digest.update(sum.to_le_bytes());
        let size = (stored.len() + 16).div_ceil(64) * 64;
        let ib = self.alloc.take(size as u64, disk::SLOT)?;
        let trailer = disk::BlockTrailerW {
            cb: U16::new(stored.len() as u16),
            sig: U16::new(signature(ib, bid.0)),
            crc: U32::new(sum),
            bid: U64::new(bid.0),
        };
        self.alloc.put(ib, stored);
        self.alloc.put(ib + size as u64 - 16, trailer.as_bytes());
        self.bbt.push(disk::BbtEntryW {
            bref: disk::BrefW { bid: U64::new(bid.0), ib: U64::new(ib) },
            cb: U16::new(stored.len() as u16),
            c_ref: U16::new(references + 1),
            padding: U32::new(0),
        });
        if self.bbt.len() == BBT_ENTRIES { self.bbt_leaf() } else { Ok(()) }
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

    /// Puts a block tree together: one block stays alone, more get an XBLOCK or XXBLOCK.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn tree(&mut self, blocks: &[Bid], total: u64) -> Result<Bid> {
        match blocks {
            [] => Ok(Bid(0)),
            [one] => Ok(*one),
            _ if blocks.len() <= X_ENTRIES => self.x_block(1, blocks, total),
            _ if total > u64::from(u32::MAX) => {
                let text = format!("{total} bytes are more than one value can have (4 GiB)");
                Err(crate::Error::new(crate::Kind::Limit, text).within("XXBLOCK"))
            }
            _ => {
                let mut lists = Vec::new();
                let mut left = total;
                for part in blocks.chunks(X_ENTRIES) {
                    // All blocks but the very last are full.
                    let size = ((part.len() * BLOCK) as u64).min(left);
                    left -= size;
                    lists.push(self.x_block(1, part, size)?);
                }
                self.x_block(2, &lists, total)
            }
        }
    }

    fn x_block(&mut self, level: u8, entries: &[Bid], total: u64) -> Result<Bid> {
        let head = disk::XBlockHead {
            b_type: 1,
            c_level: level,
            c_ent: U16::new(entries.len() as u16),
            lcb_total: U32::new(total as u32),
        };
        let mut bytes = head.as_bytes().to_vec();
        for bid in entries {
            bytes.extend_from_slice(&bid.0.to_le_bytes());
        }
        self.internal_block(&bytes)
    }

    /// Writes a subnode tree; entries need no order.
    ///
    /// # Errors
    /// When the file cannot be written, or there are more entries than two levels hold.
    pub fn sub_tree(&mut self, mut entries: Vec<Node>) -> Result<Bid> {
        if entries.is_empty() {
            return Ok(Bid(0));
        }
        if entries.len() > SL_ENTRIES * SI_ENTRIES {
            let text =
                format!("{} subnodes are more than the format holds ({})", entries.len(), SL_ENTRIES * SI_ENTRIES);
            return Err(crate::Error::new(crate::Kind::Limit, text));
        }
        entries.sort_by_key(|e| e.nid);
        let mut lists = Vec::new();
        for part in entries.chunks(SL_ENTRIES) {
            let head =
                disk::SubBlockHeadW { b_type: 2, c_level: 0, c_ent: U16::new(part.len() as u16), padding: U32::new(0) };
            let mut bytes = head.as_bytes().to_vec();
            for n in part {
                let entry = disk::SlEntryW {
                    nid: U64::new(u64::from(n.nid.0)),
                    bid_data: U64::new(n.data.0),
                    bid_sub: U64::new(n.sub.0),
                };
                bytes.extend_from_slice(entry.as_bytes());
            }
            let first = part.first().map(|n| n.nid).unwrap_or_default();
            lists.push((first, self.internal_block(&bytes)?));
        }
        if let [(_, one)] = lists.as_slice() {
            return Ok(*one);
        }
        let head =
            disk::SubBlockHeadW { b_type: 2, c_level: 1, c_ent: U16::new(lists.len() as u16), padding: U32::new(0) };
        let mut bytes = head.as_bytes().to_vec();
        for (nid, bid) in lists {
            bytes
                .extend_from_slice(disk::SiEntryW { nid: U64::new(u64::from(nid.0)), bid: U64::new(bid.0) }.as_bytes());
        }
        self.internal_block(&bytes)
    }

    /// Adds a node to the node B-tree.
    ///
    /// # Errors
    /// When a temporary file is needed and cannot be written.
    pub fn node(&mut self, node: Node) -> Result<()> {
        self.nodes.push(node)
    }

    fn bt_page(&mut self, ty: u8, level: u8, cb: u8, max: usize, entries: &[u8], count: usize) -> Result<Bref> {
        let bid = self.next_page;
        self.next_page += 1;
        let ib = self.alloc.take(disk::PAGE, disk::PAGE)?;
        let mut page = entries.to_vec();
        page.resize(488, 0);
        let tail = disk::BtPageTail { c_ent: count as u8, c_ent_max: max as u8, cb_ent: cb, c_level: level };
        page.extend_from_slice(tail.as_bytes());
        page.resize(496, 0);
        page.extend_from_slice(alloc::trailer(ty, signature(ib, bid), crc(&page), bid).as_bytes());
        self.alloc.put(ib, &page);
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
                    let entry = disk::BtEntryW {
                        key: U64::new(*key),
                        bref: disk::BrefW { bid: U64::new(at.bid.0), ib: U64::new(at.ib) },
                    };
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
    ///
    /// # Errors
    /// When the file cannot be written or named.
    pub fn finish(mut self) -> Result<u64> {
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
        let header = self.header(highest, nbt, bbt);
        self.alloc.finish(header, self.next_page)
    }

    fn nbt_leaf(&mut self, nodes: &[Node]) -> Result<(u64, Bref)> {
        let mut bytes = Vec::with_capacity(480);
        for n in nodes {
            let entry = disk::NbtEntryW {
                nid: U64::new(u64::from(n.nid.0)),
                bid_data: U64::new(n.data.0),
                bid_sub: U64::new(n.sub.0),
                nid_parent: U32::new(n.parent.0),
                padding: U32::new(0),
            };
            bytes.extend_from_slice(entry.as_bytes());
        }
        let first = nodes.first().map_or(0, |n| u64::from(n.nid.0));
        Ok((first, self.bt_page(ptype::NBT, 0, 32, NBT_ENTRIES, &bytes, nodes.len())?))
    }

    /// The header, but for what the allocator knows. `highest` holds the highest index of each node type.
    fn header(&self, highest: [u32; 32], nbt: Bref, bbt: Bref) -> disk::HeaderW {
        let mut rgnid = highest.map(|index| index.max(0x400));
        let mut least = |ty: u8, index: u32| {
            if let Some(slot) = rgnid.get_mut(usize::from(ty)) {
                *slot = (*slot).max(index);
            }
        };
        least(nid_type::SEARCH_FOLDER, 0x4000);
        least(nid_type::NORMAL_MESSAGE, 0x10000);
        least(nid_type::ASSOC_MESSAGE, 0x8000);
        let bref = |b: Bref| disk::BrefW { bid: U64::new(b.bid.0), ib: U64::new(b.ib) };
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
        h.crypt_method = self.crypt.byte();
        h.bid_next_b = U64::new(self.next_block);
        h
    }

    /// Writes a node image: its data and its subnodes. Returns the BIDs of both trees. If a stream cannot be read,
    /// everything is as before, and more can be written.
    ///
    /// # Errors
    /// When the file cannot be written, or a stream cannot be read.
    pub fn image(&mut self, image: NodeImage) -> Result<(Bid, Bid)> {
        if !image.has_stream() {
            return self.image_parts(image);
        }
        let alloc = self.alloc.point();
        let (next_block, next_page) = (self.next_block, self.next_page);
        let (bbt, leaves) = (self.bbt.clone(), self.bbt_leaves.len());
        let out = self.image_parts(image);
        if out.is_err() && !self.alloc.failed() {
            self.alloc.back_to(alloc);
            (self.next_block, self.next_page, self.bbt) = (next_block, next_page, bbt);
            self.bbt_leaves.truncate(leaves);
        }
        out
    }

    /// True once the file could not be written: nothing more can be.
    pub fn failed(&self) -> bool {
        self.alloc.failed()
    }

    fn image_parts(&mut self, image: NodeImage) -> Result<(Bid, Bid)> {
        let data = self.tree_image(image.data)?;
        let mut entries = Vec::with_capacity(image.subs.len());
        for sub in image.subs {
            let (data, below) = self.image_parts(sub.node)?;
            entries.push(Node { nid: sub.nid, data, sub: below, parent: Nid(0) });
        }
        Ok((data, self.sub_tree(entries)?))
    }

    fn tree_image(&mut self, tree: TreeImage) -> Result<Bid> {
        match tree {
            TreeImage::Empty => Ok(Bid(0)),
            TreeImage::Blocks(blocks) => {
                let mut bids = Vec::with_capacity(blocks.len());
                let mut total = 0;
                for block in blocks {
                    total += block.stored.len() as u64;
                    bids.push(self.data_block(&block.stored, block.crc)?);
                }
                self.tree(&bids, total)
            }
            TreeImage::Stream(stream) => {
                let len = stream.len();
                let mut reader = stream.open()?;
                let mut bids = Vec::new();
                let mut left = len;
                let mut block = Vec::with_capacity(BLOCK);
                while left > 0 {
                    block.clear();
                    let take = left.min(BLOCK as u64);
                    std::io::Read::read_to_end(&mut std::io::Read::take(&mut reader, take), &mut block).map_err(
                        |e| crate::Error::new(crate::Kind::Damaged, format!("cannot read a long value: {e}")),
                    )?;
                    if block.len() as u64 != take {
                        return Err(crate::Error::new(crate::Kind::Truncated, "a long value is shorter than it says"));
                    }
                    left -= take;
                    self.crypt.encode(&mut block, self.next_block);
                    bids.push(self.data_block(&block, crc(&block))?);
                }
                self.tree(&bids, len)
            }
        }
    }
}
