//! Blocks, data trees and subnode trees ([MS-PST] 2.2.2.8).

use super::Ndb;
use super::crc::{crc, signature};
use super::id::{Bid, Nid};
use super::variant::{BlockRef, Node, Variant};
use crate::error::{Error, Kind, Result};
use crate::mapi::Stream;
use std::cell::RefCell;
use std::io::{BufRead, Read};
use std::sync::Arc;

/// Leaf blocks that one data tree may have: what lcbTotal can count, in the smallest blocks.
const MAX_LEAVES: usize = 1 << 20;
/// Subnodes that one node may have.
const MAX_SUBNODES: usize = 1 << 20;
/// Bytes of neighbouring blocks that are read at once.
const RUN: u64 = 128 << 10;

thread_local! {
    /// Blocks as they stand in the file, until they are decoded.
    static STORED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// The first `len` bytes of a buffer that only grows.
fn room(buffer: &mut Vec<u8>, len: usize) -> &mut [u8] {
    if buffer.len() < len {
        buffer.resize(len, 0);
    }
    buffer.get_mut(..len).unwrap_or_default()
}

impl Ndb {
    /// Reads, proves and decodes a block into `out`, which is replaced.
    ///
    /// # Errors
    /// When the block is missing, passes the end of the file, or contradicts its trailer.
    pub fn read_block(&self, bid: Bid, out: &mut Vec<u8>) -> Result<()> {
        let block = self.block(bid)?;
        self.read_block_at(&block, out)
    }

    /// As [`Ndb::read_block`], for a block already looked up.
    ///
    /// # Errors
    /// As [`Ndb::read_block`].
    pub fn read_block_at(&self, block: &BlockRef, out: &mut Vec<u8>) -> Result<()> {
        out.clear();
        self.append_block(block, out)
    }

    /// Reads, proves and decodes a block behind what `out` holds; after an error `out` is as before.
    fn append_block(&self, block: &BlockRef, out: &mut Vec<u8>) -> Result<()> {
        let cb = usize::from(block.cb);
        if cb > self.variant().block_max() {
            return Err(damaged(block, format!("{cb} bytes are more than a block holds")));
        }
        STORED.with_borrow_mut(|stored| {
            let stored = room(stored, self.variant().block_size(cb) as usize);
            self.input().read_into(block.ib, stored).map_err(|e| e.within("block").id(block.bid.0))?;
            self.decode_block(block, stored, out)
        })
    }

    /// As [`Ndb::append_block`], for blocks that stand one behind the other in the file.
    fn append_run(&self, run: &[BlockRef], out: &mut Vec<u8>) -> Result<()> {
        let size = |block: &BlockRef| self.variant().block_size(usize::from(block.cb)) as usize;
        let (Some(first), total) = (run.first(), run.iter().map(size).sum()) else { return Ok(()) };
        let read = STORED.with_borrow_mut(|stored| {
            let mut stored = &*{
                let stored = room(stored, total);
                self.input().read_into(first.ib, stored).ok()?;
                stored
            };
            let mut decoded = Ok(());
            for block in run {
                let (bytes, after) = stored.split_at_checked(size(block))?;
                stored = after;
                decoded = decoded.and_then(|()| self.decode_block(block, bytes, out));
            }
            Some(decoded)
        });
        // What cannot be read at once is read one by one, to tell which block it is.
        read.unwrap_or_else(|| run.iter().try_for_each(|block| self.append_block(block, out)))
    }

    /// Proves a block as it stands in the file and appends its data.
    fn decode_block(&self, block: &BlockRef, stored: &[u8], out: &mut Vec<u8>) -> Result<()> {
        let v = self.variant();
        let bad = |text: String| damaged(block, text);
        let cb = usize::from(block.cb);
        let (data, rest) = stored.split_at_checked(cb).unwrap_or_default();
        let trailer = rest
            .len()
            .checked_sub(v.block_trailer())
            .and_then(|at| v.block_trailer_of(rest.get(at..)?))
            .ok_or_else(|| bad("no trailer".to_owned()))?;
        if trailer.bid & !1 != block.bid.key() {
            return Err(bad(format!("the block's trailer names block 0x{:X}", trailer.bid)));
        }
        if trailer.cb != block.cb {
            return Err(bad(format!("the trailer counts {} bytes, the BBT {cb}", trailer.cb)));
        }
        let sum = crc(data);
        if sum != trailer.crc {
            return Err(bad(format!("the CRC is 0x{sum:08X}, but the trailer says 0x{:08X}", trailer.crc)));
        }
        if trailer.sig != signature(block.ib, trailer.bid) {
            return Err(bad(format!("the signature 0x{:04X} does not fit id and offset", trailer.sig)));
        }
        let inflated;
        let data = if v == Variant::Unicode4k && block.inflated != block.cb {
            inflated = inflate(block, data)?;
            &inflated
        } else {
            data
        };
        if block.bid.is_internal() {
            out.extend_from_slice(data);
        } else {
            // The cyclic key is the id as stored.
            self.header().crypt.decode_onto(data, trailer.bid, out);
        }
        Ok(())
    }

    /// The data tree that starts at a block; `Bid(0)` is an empty one.
    ///
    /// # Errors
    /// When an XBLOCK or XXBLOCK cannot be read or contradicts itself.
    pub fn data(&self, bid: Bid) -> Result<DataTree> {
        if bid.is_none() {
            return Ok(DataTree::default());
        }
        if !bid.is_internal() {
            let block = self.block(bid)?;
            return Ok(DataTree { len: u64::from(block.inflated), blocks: vec![block] });
        }
        let mut bytes = Vec::new();
        let (level, total, mut bids) = self.x_block(bid, &mut bytes)?;
        if level == 2 {
            let mut leaves = Vec::new();
            for child in bids {
                let (child_level, _, children) = self.x_block(child, &mut bytes)?;
                if child_level != 1 {
                    return Err(Error::damaged("XXBLOCK", "an entry is not an XBLOCK").id(child.0));
                }
                leaves.extend(children);
                if leaves.len() > MAX_LEAVES {
                    return Err(Error::damaged("XXBLOCK", "more blocks than a data tree can have").id(bid.0));
                }
            }
            bids = leaves;
        }
        let mut tree = DataTree { blocks: Vec::with_capacity(bids.len()), len: 0 };
        for leaf in bids {
            if leaf.is_internal() {
                return Err(Error::damaged("XBLOCK", "an entry is not a data block").id(leaf.0));
            }
            let block = self.block(leaf)?;
            tree.len += u64::from(block.inflated);
            tree.blocks.push(block);
        }
        if tree.len != u64::from(total) {
            let text = format!("the blocks hold {} bytes, but lcbTotal says {total}", tree.len);
            return Err(Error::new(Kind::Damaged, text).within("XBLOCK").id(bid.0));
        }
        Ok(tree)
    }

    /// Level, lcbTotal and entries of an XBLOCK or XXBLOCK ([MS-PST] 2.2.2.8.3.2).
    fn x_block(&self, bid: Bid, bytes: &mut Vec<u8>) -> Result<(u8, u32, Vec<Bid>)> {
        self.read_block(bid, bytes)?;
        let bad = |text: String| Error::new(Kind::Damaged, text).within("XBLOCK").id(bid.0);
        let [b_type, level, e0, e1, t0, t1, t2, t3, entries @ ..] = bytes.as_slice() else {
            return Err(bad(format!("{} bytes are too few", bytes.len())));
        };
        let count = usize::from(u16::from_le_bytes([*e0, *e1]));
        let width = self.variant().bid();
        if *b_type != 1 || !(1..=2).contains(level) || entries.len() < count * width {
            return Err(bad(format!("type {b_type}, level {level}, {count} entries do not make an XBLOCK")));
        }
        let bids = entries.chunks_exact(width).take(count).filter_map(|e| self.variant().x_bid(e)).collect();
        Ok((*level, u32::from_le_bytes([*t0, *t1, *t2, *t3]), bids))
    }

    /// The blocks that an XBLOCK, XXBLOCK, SLBLOCK or SIBLOCK refers to; none for a data block.
    ///
    /// # Errors
    /// When the block cannot be read or contradicts itself.
    pub(super) fn referred(&self, bid: Bid) -> Result<Vec<Bid>> {
        if !bid.is_internal() {
            return Ok(Vec::new());
        }
        let (v, mut bytes) = (self.variant(), Vec::new());
        self.read_block(bid, &mut bytes)?;
        if bytes.first() == Some(&1) {
            return self.x_block(bid, &mut bytes).map(|(_, _, bids)| bids);
        }
        let (level, entries) = self.sub_block(bid, &mut bytes)?;
        Ok(if level == 0 {
            entries.chunks_exact(v.sl_entry()).filter_map(|e| v.sl(e)).flat_map(|n| [n.data, n.sub]).collect()
        } else {
            entries.chunks_exact(v.si_entry()).filter_map(|e| v.si(e)).map(|(_, bid)| bid).collect()
        })
    }

    /// The subnodes under a block, sorted; `Bid(0)` has none ([MS-PST] 2.2.2.8.3.3).
    ///
    /// # Errors
    /// When an SLBLOCK or SIBLOCK cannot be read or contradicts itself.
    pub fn subnodes(&self, bid: Bid) -> Result<Subnodes> {
        let mut out = Subnodes::default();
        if bid.is_none() {
            return Ok(out);
        }
        let v = self.variant();
        let mut bytes = Vec::new();
        let (level, entries) = self.sub_block(bid, &mut bytes)?;
        if level == 0 {
            out.0.extend(entries.chunks_exact(v.sl_entry()).filter_map(|e| v.sl(e)));
        } else {
            let lists: Vec<(Nid, Bid)> = entries.chunks_exact(v.si_entry()).filter_map(|e| v.si(e)).collect();
            for (_, list) in lists {
                let (level, entries) = self.sub_block(list, &mut bytes)?;
                if level != 0 {
                    return Err(Error::damaged("SIBLOCK", "an entry is not an SLBLOCK").id(list.0));
                }
                out.0.extend(entries.chunks_exact(v.sl_entry()).filter_map(|e| v.sl(e)));
                if out.0.len() > MAX_SUBNODES {
                    return Err(Error::damaged("SIBLOCK", "more subnodes than a node can have").id(bid.0));
                }
            }
        }
        out.0.sort_by_key(|n| n.nid);
        Ok(out)
    }

    /// Level and entry bytes of an SLBLOCK or SIBLOCK.
    fn sub_block<'b>(&self, bid: Bid, bytes: &'b mut Vec<u8>) -> Result<(u8, &'b [u8])> {
        let bad = |text: String| Error::new(Kind::Damaged, text).within("SLBLOCK").id(bid.0);
        if !bid.is_internal() {
            return Err(bad("a subnode tree starts at a data block".to_owned()));
        }
        self.read_block(bid, bytes)?;
        let v = self.variant();
        let len = bytes.len();
        let [b_type, level, e0, e1, ..] = bytes.as_slice() else {
            return Err(bad(format!("{len} bytes are too few")));
        };
        let (b_type, level, count) = (*b_type, *level, usize::from(u16::from_le_bytes([*e0, *e1])));
        let width = if level == 0 { v.sl_entry() } else { v.si_entry() };
        match bytes.get(v.sub_head()..v.sub_head() + count * width) {
            Some(entries) if b_type == 2 && level <= 1 => Ok((level, entries)),
            _ => Err(bad(format!("type {b_type}, level {level}, {count} entries do not make an SLBLOCK or SIBLOCK"))),
        }
    }
}

fn damaged(block: &BlockRef, text: String) -> Error {
    Error::new(Kind::Damaged, text).within("block").at(block.ib).id(block.bid.0)
}

/// The bytes of a compressed block of a 4K file.
fn inflate(block: &BlockRef, stored: &[u8]) -> Result<Vec<u8>> {
    let most = usize::from(block.inflated);
    let mut plain = Vec::with_capacity(most);
    flate2::read::ZlibDecoder::new(stored)
        .take(most as u64)
        .read_to_end(&mut plain)
        .map_err(|e| damaged(block, format!("the compressed data cannot be inflated: {e}")))?;
    if plain.len() != most {
        return Err(damaged(block, format!("the data inflate to {} bytes, not {most}", plain.len())));
    }
    Ok(plain)
}

/// The data blocks of a node in order, and their bytes in all. Kept apart from their bytes.
#[derive(Debug, Clone, Default)]
pub struct DataTree {
    blocks: Vec<BlockRef>,
    len: u64,
}

impl DataTree {
    /// Total bytes.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// True for no data.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The blocks in order.
    pub fn blocks(&self) -> &[BlockRef] {
        &self.blocks
    }

    /// Reads block `i` into `out`.
    ///
    /// # Errors
    /// As [`Ndb::read_block`]; [`Kind::NotFound`] past the last block.
    pub fn read(&self, ndb: &Ndb, i: usize, out: &mut Vec<u8>) -> Result<()> {
        let block = self.blocks.get(i).ok_or_else(|| {
            let text = format!("block {i} of a data tree of {} blocks is asked for", self.blocks.len());
            Error::new(Kind::Damaged, text).within("data tree")
        })?;
        ndb.read_block_at(block, out)
    }

    /// Appends block `i` and those that stand right behind it in the file, as far as one read goes; returns the next.
    fn read_run(&self, ndb: &Ndb, i: usize, out: &mut Vec<u8>) -> Result<usize> {
        let blocks = self.blocks.get(i..).unwrap_or_default();
        let v = ndb.variant();
        let (mut count, mut end, mut size) = (0, None, 0);
        for block in blocks {
            let cb = usize::from(block.cb);
            let whole = v.block_size(cb);
            if cb > v.block_max() || end.is_some_and(|end| end != block.ib) || size + whole > RUN {
                break;
            }
            count += 1;
            size += whole;
            end = block.ib.checked_add(whole);
        }
        match blocks.get(..count) {
            Some(run) if count > 1 => ndb.append_run(run, out)?,
            _ => blocks.first().map_or(Ok(()), |block| ndb.append_block(block, out))?,
        }
        Ok(i + count.max(1))
    }

    /// All bytes, if they are at most `limit`.
    ///
    /// # Errors
    /// [`Kind::Limit`] beyond `limit`; as [`Ndb::read_block`].
    pub fn to_vec(&self, ndb: &Ndb, limit: u64) -> Result<Vec<u8>> {
        if self.len() > limit {
            let text = format!("{} bytes are more than the {limit} expected here", self.len());
            return Err(Error::new(Kind::Limit, text).within("data tree"));
        }
        let mut out = Vec::with_capacity(self.len().min(1 << 24) as usize);
        let mut next = 0;
        while next < self.blocks.len() {
            next = self.read_run(ndb, next, &mut out)?;
        }
        Ok(out)
    }
}

/// The subnodes of a node, sorted by NID.
#[derive(Debug, Clone, Default)]
pub struct Subnodes(pub Vec<Node>);

impl Subnodes {
    /// The subnode with an id.
    pub fn find(&self, nid: Nid) -> Option<Node> {
        self.0.binary_search_by_key(&nid, |n| n.nid).ok().and_then(|i| self.0.get(i)).copied()
    }
}

/// A data tree as a [`Stream`]: its blocks are read one at a time.
pub struct DataStream {
    ndb: Arc<Ndb>,
    tree: DataTree,
}

impl DataStream {
    /// A stream over a data tree of `ndb`.
    pub fn new(ndb: Arc<Ndb>, tree: DataTree) -> Self {
        Self { ndb, tree }
    }
}

impl Stream for DataStream {
    fn len(&self) -> u64 {
        self.tree.len()
    }

    fn open(&self) -> Result<Box<dyn Read + Send + '_>> {
        Ok(Box::new(DataReader::new(self)))
    }

    fn open_buffered(&self) -> Result<Box<dyn BufRead + Send + '_>> {
        Ok(Box::new(DataReader::new(self)))
    }
}

struct DataReader<'a> {
    stream: &'a DataStream,
    next: usize,
    /// Blocks that are read.
    blocks: Vec<u8>,
    at: usize,
}

impl<'a> DataReader<'a> {
    fn new(stream: &'a DataStream) -> Self {
        Self { stream, next: 0, blocks: Vec::new(), at: 0 }
    }
}

impl Read for DataReader<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let n = self.fill_buf()?.read(out)?;
        self.consume(n);
        Ok(n)
    }
}

impl BufRead for DataReader<'_> {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        while self.at >= self.blocks.len() && self.next < self.stream.tree.blocks.len() {
            self.blocks.clear();
            self.at = 0;
            let read = self.stream.tree.read_run(&self.stream.ndb, self.next, &mut self.blocks);
            self.next = read.map_err(std::io::Error::other)?;
        }
        Ok(self.blocks.get(self.at..).unwrap_or_default())
    }

    fn consume(&mut self, n: usize) {
        self.at += n;
    }
}
