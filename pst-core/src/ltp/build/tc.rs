//! Builds a table context, row by row ([MS-PST] 2.3.4).

use super::heap::{HeapBuilder, MAX_ALLOC, bth};
use super::value::Overflow;
use crate::error::{Error, Kind, Result};
use crate::ltp::heap::client;
use crate::mapi::{PropTag, PropType, Value, tag};
use crate::ndb::write::{BLOCK, NdbWriter, NodeImage, TreeImage};
use crate::ndb::{Bid, Crypt, Nid, Node, nid_type};
use std::collections::BTreeMap;

/// Heap blocks after which a table takes no rows; the rest of the 65,536 is for its row index.
const MAX_HEAP: usize = 56 << 10;
/// Long cells of a table; a node has room for 173,400 subnodes.
const MAX_SUBNODES: usize = 173_000;

/// A column: tag, offset in the row, bit in the cell existence bitmap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Col {
    /// Id and type.
    pub tag: u32,
    /// Offset in the row, bytes.
    pub at: u16,
    /// Bit.
    pub bit: u8,
}

impl Col {
    /// Bytes of the cell ([MS-PST] 2.3.4.4.1).
    pub const fn width(self) -> u16 {
        match self.tag as u16 {
            PropType::INTEGER64
            | PropType::TIME
            | PropType::FLOATING64
            | PropType::CURRENCY
            | PropType::FLOATING_TIME => 8,
            PropType::INTEGER16 => 2,
            PropType::BOOLEAN => 1,
            _ => 4,
        }
    }
}

/// The columns of a table and the shape of its rows.
#[derive(Debug, Clone)]
pub struct TableLayout {
    /// Sorted by tag.
    pub columns: Vec<Col>,
    /// TCI_4b, TCI_2b, TCI_1b, TCI_bm.
    pub rgib: [u16; 4],
}

impl TableLayout {
    /// The layout of a template, with more columns appended to their groups. A row has at most 255 columns; further
    /// ones are left out and returned.
    pub fn new(template: &[Col], more: &[PropTag]) -> (Self, Vec<PropTag>) {
        let mut columns = template.to_vec();
        let mut extra: Vec<u32> = more.iter().map(|t| t.0).filter(|t| !template.iter().any(|c| c.tag == *t)).collect();
        extra.sort_unstable();
        extra.dedup();
        let left_out = extra.split_off(extra.len().min(255 - template.len())).into_iter().map(PropTag).collect();
        let ends = |cols: &[Col], width: &dyn Fn(u16) -> bool, from: u16| {
            cols.iter().filter(|c| width(c.width())).map(|c| c.at + c.width()).max().unwrap_or(from)
        };
        let old4 = ends(&columns, &|w| w >= 4, 0);
        let old2 = ends(&columns, &|w| w == 2, old4);
        let mut bit = columns.len() as u8;
        let mut add = |columns: &mut Vec<Col>, at: &mut u16, width: &dyn Fn(u16) -> bool| {
            for t in &extra {
                let col = Col { tag: *t, at: *at, bit };
                if width(col.width()) {
                    *at += col.width();
                    bit += 1;
                    columns.push(col);
                }
            }
        };
        let mut at = old4;
        add(&mut columns, &mut at, &|w| w >= 4);
        let four = at;
        for c in columns.iter_mut().filter(|c| c.width() == 2 && c.at >= old4) {
            c.at += four - old4;
        }
        at = four + (old2 - old4);
        add(&mut columns, &mut at, &|w| w == 2);
        let two = at;
        for c in columns.iter_mut().filter(|c| c.width() == 1) {
            c.at += two - old2;
        }
        at = ends(&columns, &|w| w == 1, two);
        add(&mut columns, &mut at, &|w| w == 1);
        let one = at;
        columns.sort_unstable();
        let end = one + columns.len().div_ceil(8) as u16;
        (Self { columns, rgib: [four, two, one, end] }, left_out)
    }

    /// Sets the cell of a column in a row, or empties it.
    pub(super) fn set(&self, row: &mut [u8], col: Col, bytes: Option<[u8; 8]>) {
        let (at, width) = (usize::from(col.at), usize::from(col.width()));
        if let (Some(to), Some(from)) = (row.get_mut(at..at + width), bytes.unwrap_or_default().get(..width)) {
            to.copy_from_slice(from);
        }
        if let Some(byte) = row.get_mut(usize::from(self.rgib[2]) + usize::from(col.bit / 8)) {
            let bit = 0x80 >> (col.bit % 8);
            *byte = if bytes.is_some() { *byte | bit } else { *byte & !bit };
        }
    }

    /// TCINFO, but for the row index and the rows ([MS-PST] 2.3.4.1).
    fn info(&self, row_index: u32) -> Vec<u8> {
        let mut out = vec![client::TC, self.columns.len() as u8];
        for b in self.rgib {
            out.extend_from_slice(&b.to_le_bytes());
        }
        out.extend_from_slice(&row_index.to_le_bytes());
        out.extend_from_slice(&[0; 8]);
        for c in &self.columns {
            out.extend_from_slice(&c.tag.to_le_bytes());
            out.extend_from_slice(&c.at.to_le_bytes());
            out.extend_from_slice(&[c.width() as u8, c.bit]);
        }
        out
    }
}

/// A table being built. A table that grows large can hand its full blocks to a writer as it goes.
#[derive(Clone)]
pub struct TableBuilder {
    pub(super) layout: TableLayout,
    pub(super) heap: HeapBuilder,
    pub(super) overflow: Overflow,
    row_index: u32,
    info: u32,
    /// Rows of the matrix block being filled.
    pub(super) rows: Vec<u8>,
    /// Finished matrix blocks, plain.
    pub(super) matrix: Vec<Vec<u8>>,
    /// What a writer took already: heap blocks, matrix blocks, subnodes.
    pub(super) heap_bids: Vec<(usize, Bid)>,
    pub(super) matrix_bids: Vec<Bid>,
    pub(super) sub_nodes: Vec<Node>,
    /// Matrix blocks that were taken and have changed since, by position.
    pub(super) changed: BTreeMap<usize, Vec<u8>>,
    pub(super) ids: Vec<u32>,
    /// PidTagLtpRowVer of rows that are added or changed.
    version: u32,
}

impl TableBuilder {
    /// An empty table.
    ///
    /// # Errors
    /// Never in practice; a layout of 255 columns fits a heap allocation.
    pub fn new(layout: TableLayout, crypt: Crypt) -> Result<Self> {
        let mut heap = HeapBuilder::new();
        let row_index = heap.push(&[0xB5, 4, 4, 0, 0, 0, 0, 0])?;
        let info = heap.push(&layout.info(row_index))?;
        Ok(Self {
            layout,
            heap,
            overflow: Overflow::new(crypt),
            row_index,
            info,
            rows: Vec::new(),
            matrix: Vec::new(),
            heap_bids: Vec::new(),
            matrix_bids: Vec::new(),
            sub_nodes: Vec::new(),
            changed: BTreeMap::new(),
            ids: Vec::new(),
            version: 1,
        })
    }

    /// Rows that are added or changed from now on have this PidTagLtpRowVer; 1 without a call.
    pub fn set_version(&mut self, version: u32) {
        self.version = version;
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// True for no rows.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Refuses another row when the format has no room for it.
    ///
    /// # Errors
    /// [`Kind::Limit`].
    pub fn room(&self) -> Result<()> {
        let subnodes = self.sub_nodes.len() + self.overflow.subs.len();
        if self.heap.blocks() < MAX_HEAP && subnodes < MAX_SUBNODES {
            return Ok(());
        }
        let text = format!("a folder's table of {} rows has no room for more", self.ids.len());
        Err(Error::new(Kind::Limit, text).within("TC"))
    }

    /// Adds a row; `cells` gives the value of a column, if the row has one.
    ///
    /// # Errors
    /// As [`HeapBuilder::push`].
    pub fn row<'v>(&mut self, id: u32, cells: impl Fn(PropTag) -> Option<&'v Value>) -> Result<()> {
        self.row_of(id, self.version, cells)
    }

    /// As [`TableBuilder::row`], with a PidTagLtpRowVer of its own.
    ///
    /// # Errors
    /// As [`HeapBuilder::push`].
    pub fn row_of<'v>(&mut self, id: u32, version: u32, cells: impl Fn(PropTag) -> Option<&'v Value>) -> Result<()> {
        let mut row = vec![0; usize::from(self.layout.rgib[3])];
        for i in 0..self.layout.columns.len() {
            let Some(col) = self.layout.columns.get(i).copied() else { break };
            let tag = PropTag(col.tag);
            let bytes: [u8; 8] = match tag {
                tag::LTP_ROW_ID => u64::from(id).to_le_bytes(),
                tag::LTP_ROW_VER => u64::from(version).to_le_bytes(),
                _ => match cells(tag) {
                    None => continue,
                    Some(value) => self.cell(col, value)?,
                },
            };
            self.layout.set(&mut row, col, Some(bytes));
        }
        if self.rows.len() + row.len() > BLOCK {
            self.rows.resize(BLOCK, 0);
            self.matrix.push(std::mem::take(&mut self.rows));
        }
        self.rows.extend_from_slice(&row);
        self.ids.push(id);
        Ok(())
    }

    /// The bytes of a cell; those that do not fit go to the heap or a subnode.
    pub(super) fn cell(&mut self, col: Col, value: &Value) -> Result<[u8; 8]> {
        if col.width() == 8 {
            return Ok(fixed(value));
        }
        self.overflow.hnid(&mut self.heap, value).map(|raw| u64::from(raw).to_le_bytes())
    }

    /// PidTagLtpRowVer of rows that are added or changed.
    pub(super) fn version(&self) -> u32 {
        self.version
    }

    /// True if much is held that will not change any more.
    pub fn is_heavy(&self) -> bool {
        self.changed.len() > 64 || self.matrix.len() + self.heap.full() > 64 || self.overflow.subs.len() > 64
    }

    /// Hands everything that will not change any more to a writer.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn spill(&mut self, ndb: &mut NdbWriter) -> Result<()> {
        for (i, block) in self.heap.take_full() {
            self.heap_bids.push((i, plain(ndb, block)?));
        }
        for block in self.matrix.drain(..) {
            self.matrix_bids.push(plain(ndb, block)?);
        }
        for (at, block) in std::mem::take(&mut self.changed) {
            let bid = plain(ndb, block)?;
            if let Some(slot) = self.matrix_bids.get_mut(at) {
                *slot = bid;
            }
        }
        for sub in std::mem::take(&mut self.overflow.subs) {
            let (data, below) = ndb.image(sub.node)?;
            self.sub_nodes.push(Node { nid: sub.nid, data, sub: below, parent: Nid(0) });
        }
        Ok(())
    }

    /// Writes the table as it is now, and goes on: blocks that are full stay where they are, the last ones and the row
    /// index are written anew each time. Returns its data and subnode trees.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&mut self, ndb: &mut NdbWriter) -> Result<(Bid, Bid)> {
        self.spill(ndb)?;
        self.clone().finish_into(ndb)
    }

    /// The row index and the heap's last allocations; returns the HNID of the rows' subnode tree, if they need one.
    fn close(&mut self) -> Result<bool> {
        let mut index: Vec<(u32, u32)> = self.ids.iter().copied().zip(0..).collect();
        index.sort_unstable();
        let mut bytes = Vec::with_capacity(index.len() * 8);
        for (id, at) in index {
            bytes.extend_from_slice(&id.to_le_bytes());
            bytes.extend_from_slice(&at.to_le_bytes());
        }
        if !bytes.is_empty() {
            bth(&mut self.heap, self.row_index, 4, 4, &bytes)?;
        }
        let alone = self.matrix.is_empty() && self.matrix_bids.is_empty();
        if alone && self.rows.len() <= MAX_ALLOC {
            let hid = self.heap.push(&self.rows)?;
            self.heap.patch(self.info, 14, &hid.to_le_bytes());
            self.rows.clear();
            return Ok(false);
        }
        Ok(true)
    }

    /// Completes a table of which nothing was spilled.
    ///
    /// # Errors
    /// As [`HeapBuilder::push`].
    pub fn finish(mut self) -> Result<NodeImage> {
        let crypt = self.overflow.crypt();
        if self.close()? {
            let mut blocks = std::mem::take(&mut self.matrix);
            blocks.push(std::mem::take(&mut self.rows));
            let nid = self.overflow.add(nid_type::LTP, TreeImage::of_blocks(blocks, crypt));
            self.heap.patch(self.info, 14, &nid.0.to_le_bytes());
        }
        let blocks = self.heap.finish(client::TC, self.info);
        Ok(NodeImage { data: TreeImage::of_blocks(blocks.into_iter().flatten(), crypt), subs: self.overflow.subs })
    }

    /// Completes a table of which blocks may have been spilled; returns its data and subnode trees.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn finish_into(mut self, ndb: &mut NdbWriter) -> Result<(Bid, Bid)> {
        if self.close()? {
            let mut bids = std::mem::take(&mut self.matrix_bids);
            for block in std::mem::take(&mut self.matrix) {
                bids.push(plain(ndb, block)?);
            }
            let last = std::mem::take(&mut self.rows);
            let total = (bids.len() * BLOCK + last.len()) as u64;
            bids.push(plain(ndb, last)?);
            let nid = self.overflow.add(nid_type::LTP, TreeImage::Empty);
            self.overflow.subs.pop();
            let data = ndb.tree(&bids, total)?;
            self.sub_nodes.push(Node { nid, data, sub: Bid(0), parent: Nid(0) });
            self.heap.patch(self.info, 14, &nid.0.to_le_bytes());
        }
        for sub in std::mem::take(&mut self.overflow.subs) {
            let (data, below) = ndb.image(sub.node)?;
            self.sub_nodes.push(Node { nid: sub.nid, data, sub: below, parent: Nid(0) });
        }
        let blocks = self.heap.finish(client::TC, self.info);
        let (count, mut total) = (blocks.len(), 0);
        let mut bids = vec![Bid(0); count];
        let mut set = |i: usize, bid: Bid| {
            if let Some(slot) = bids.get_mut(i) {
                *slot = bid;
            }
        };
        for (i, bid) in self.heap_bids {
            total += BLOCK as u64;
            set(i, bid);
        }
        for (i, block) in blocks.into_iter().enumerate() {
            if let Some(block) = block {
                total += block.len() as u64;
                set(i, plain(ndb, block)?);
            }
        }
        Ok((ndb.tree(&bids, total)?, ndb.sub_tree(self.sub_nodes)?))
    }
}

fn plain(ndb: &mut NdbWriter, block: Vec<u8>) -> Result<Bid> {
    let TreeImage::Blocks(images) = TreeImage::of_blocks([block], ndb.crypt()) else { return Ok(Bid(0)) };
    match images.first() {
        Some(image) => ndb.data_block(&image.stored, image.crc),
        None => Ok(Bid(0)),
    }
}

/// The eight bytes of a fixed value.
fn fixed(value: &Value) -> [u8; 8] {
    match value {
        Value::F64(v) | Value::FloatingTime(v) => v.to_le_bytes(),
        Value::Currency(v) | Value::I64(v) => v.to_le_bytes(),
        Value::Time(v) => v.to_le_bytes(),
        _ => [0; 8],
    }
}
