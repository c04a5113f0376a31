//! Writing a Unicode file: blocks, pages, maps and B-trees. A new file is appended in one pass, and its header comes last;
//! an existing one is added to, and each commit is one write of one sector of its header.
//!
//! A file that is added to opens at every instant as of its last commit, and `pst check` has at most two words for it: V05,
//! fAMapValid is 0, from the first commit of a run until its end; V02, the file is longer than its header says, while a commit
//! is on its way that needs more room. The next run removes both.

mod adding;
mod alloc;
mod fresh;
mod node;
mod page;
mod spool;

pub use node::{NodeImage, Subnode, TreeImage};

use super::Crypt;
use super::crc::{crc, signature};
use super::disk;
use super::id::{Bid, Nid};
use super::variant::{BlockRef, Node};
use super::{Header, Ndb};
use crate::error::{Error, Kind, Result};
use crate::io::{InPlace, Output};
use adding::Adding;
use fresh::Fresh;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use zerocopy::IntoBytes;
use zerocopy::little_endian::{U16, U32, U64};

/// Most data bytes of a block.
pub const BLOCK: usize = 8176;
/// BIDs in an XBLOCK.
const X_ENTRIES: usize = 1021;
/// Entries of an SLBLOCK.
const SL_ENTRIES: usize = 340;
/// Entries of an SIBLOCK.
const SI_ENTRIES: usize = 510;

/// A file being written at the level of nodes and blocks.
pub struct NdbWriter {
    onto: Onto,
    crypt: Crypt,
    next_block: u64,
    /// Of the length and CRC of each block so far, in a new file.
    digest: Sha256,
}

/// Where the blocks go.
enum Onto {
    New(Box<Fresh>),
    Old(Box<Adding>),
}

impl NdbWriter {
    /// Starts a file.
    pub fn new(file: Box<dyn Output>, crypt: Crypt) -> Self {
        Self { onto: Onto::New(Box::new(Fresh::new(file))), crypt, next_block: 4, digest: Sha256::new() }
    }

    /// Goes on with an existing Unicode file of 512-byte pages; its blocks are encoded as those that are there.
    ///
    /// # Errors
    /// [`Kind::Unsupported`] for other layouts and encodings, [`Kind::Damaged`] when header or B-trees are not whole.
    pub fn open(file: Box<dyn InPlace>) -> Result<Self> {
        let adding = Adding::open(file)?;
        let (crypt, next_block) = (adding.header().crypt, adding.next_block());
        Ok(Self { onto: Onto::Old(Box::new(adding)), crypt, next_block, digest: Sha256::new() })
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
        let size = ((stored.len() + 16).div_ceil(64) * 64) as u64;
        let ib = match &mut self.onto {
            Onto::New(file) => file.take(size)?,
            Onto::Old(file) => file.take(size)?,
        };
        let cb = stored.len() as u16;
        let trailer = disk::BlockTrailerW {
            cb: U16::new(cb),
            sig: U16::new(signature(ib, bid.0)),
            crc: U32::new(sum),
            bid: U64::new(bid.0),
        };
        let mut at = BlockRef { bid, ib, cb, inflated: cb, c_ref: references + 1 };
        match &mut self.onto {
            Onto::New(file) => {
                self.digest.update((stored.len() as u64).to_le_bytes());
                self.digest.update(sum.to_le_bytes());
                file.block(&at, stored, &trailer, size)
            }
            Onto::Old(file) => {
                // References are counted as they are made.
                at.c_ref = 1;
                file.block(at, stored, &trailer, size, self.next_block)
            }
        }
    }

    /// Counts a reference to a block; in a new file each block has the one that it is written with.
    fn refer(&mut self, bid: Bid) {
        if let Onto::Old(file) = &mut self.onto {
            file.refer(bid);
        }
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
            self.refer(*bid);
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
                self.refer(n.data);
                self.refer(n.sub);
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
            self.refer(bid);
            bytes
                .extend_from_slice(disk::SiEntryW { nid: U64::new(u64::from(nid.0)), bid: U64::new(bid.0) }.as_bytes());
        }
        self.internal_block(&bytes)
    }

    /// Adds a node to the node B-tree; in an existing file it takes the place of one with its id.
    ///
    /// # Errors
    /// When a temporary file is needed and cannot be written, or the file cannot be read.
    pub fn node(&mut self, node: Node) -> Result<()> {
        match &mut self.onto {
            Onto::New(file) => file.node(node),
            Onto::Old(file) => file.node(node, self.next_block),
        }
    }

    /// The existing file as it is at this moment, for readers; it must not outlive the next change.
    ///
    /// # Errors
    /// [`Kind::Usage`] for a new file, which cannot be read before it is whole; when the file cannot be written.
    pub fn reader(&mut self) -> Result<Arc<Ndb>> {
        self.old()?.reader()
    }

    /// The header of an existing file, as of the last commit.
    ///
    /// # Errors
    /// [`Kind::Usage`] for a new file.
    pub fn header(&mut self) -> Result<&Header> {
        Ok(self.old()?.header())
    }

    /// The highest index of each type of node in an existing file when it was opened.
    ///
    /// # Errors
    /// [`Kind::Usage`] for a new file.
    pub fn highest(&mut self) -> Result<[u32; 32]> {
        Ok(self.old()?.highest())
    }

    /// The dwUnique that the next commit writes; 0 for a new file.
    pub fn next_commit(&self) -> u32 {
        match &self.onto {
            Onto::New(_) => 0,
            Onto::Old(file) => file.next_commit(),
        }
    }

    /// Makes everything since the last commit part of an existing file, durably.
    ///
    /// # Errors
    /// [`Kind::Usage`] for a new file; when the file cannot be read or written: it is then as of the last commit.
    pub fn commit(&mut self) -> Result<()> {
        let next_block = self.next_block;
        self.old()?.commit(next_block)
    }

    fn old(&mut self) -> Result<&mut Adding> {
        match &mut self.onto {
            Onto::Old(file) => Ok(file),
            Onto::New(_) => Err(Error::new(Kind::Usage, "a new file is written in one pass and completed once")),
        }
    }

    /// Writes what is left: of a new file both B-trees, the maps and the header, and gives it its name; of an existing
    /// one a commit and the maps. Returns the file's size.
    ///
    /// # Errors
    /// When the file cannot be written or named.
    pub fn finish(self) -> Result<u64> {
        match self.onto {
            Onto::New(file) => file.finish(self.crypt, self.next_block),
            Onto::Old(file) => file.finish(self.next_block),
        }
    }

    /// Writes a node image: its data and its subnodes. Returns the BIDs of both trees. If a stream cannot be read, more can
    /// be written: a new file is as before, and in an existing one a commit frees what nothing refers to.
    ///
    /// # Errors
    /// When the file cannot be written, or a stream cannot be read.
    pub fn image(&mut self, image: NodeImage) -> Result<(Bid, Bid)> {
        let point = match &self.onto {
            Onto::New(file) if image.has_stream() => Some((file.point(), self.next_block)),
            _ => None,
        };
        let out = self.image_beside(image, Vec::new());
        if out.is_err()
            && !self.failed()
            && let (Onto::New(file), Some((point, next_block))) = (&mut self.onto, point)
        {
            file.back_to(point);
            self.next_block = next_block;
        }
        out
    }

    /// As [`NdbWriter::image`], for a node of an existing file that keeps subnodes which are there.
    ///
    /// # Errors
    /// As [`NdbWriter::image`].
    pub fn image_beside(&mut self, image: NodeImage, kept: Vec<Node>) -> Result<(Bid, Bid)> {
        let data = self.tree_image(image.data)?;
        let mut entries = kept;
        entries.reserve(image.subs.len());
        for sub in image.subs {
            let (data, below) = self.image_beside(sub.node, Vec::new())?;
            entries.push(Node { nid: sub.nid, data, sub: below, parent: Nid(0) });
        }
        Ok((data, self.sub_tree(entries)?))
    }

    /// Bytes of the file that are in use.
    pub fn used(&self) -> u64 {
        match &self.onto {
            Onto::New(file) => file.used(),
            Onto::Old(file) => file.used(),
        }
    }

    /// True once the file could not be written: nothing more can be.
    pub fn failed(&self) -> bool {
        match &self.onto {
            Onto::New(file) => file.failed(),
            Onto::Old(file) => file.failed(),
        }
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
