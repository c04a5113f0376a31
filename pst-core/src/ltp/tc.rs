//! Table contexts ([MS-PST] 2.3.4).

use super::bth::{Bth, number};
use super::heap::{Heap, client, is_hid};
use super::pc::{from_bytes, named, value};
use crate::error::{Error, Kind, Result};
use crate::mapi::value::is_inline;
use crate::mapi::{PropTag, Value};
use crate::ndb::{Bid, DataTree, Ndb};
use std::sync::Arc;

/// A column ([MS-PST] 2.3.4.2).
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// Id and type.
    pub tag: PropTag,
    /// Where its cell starts in a row, bytes.
    pub at: u16,
    /// Bytes of the cell.
    pub width: u8,
    /// Its bit in the cell existence bitmap.
    pub bit: u8,
}

/// The table of a node. Rows are read block by block as they are asked for, in the order of the matrix.
pub struct TableContext<'a> {
    heap: Heap<'a>,
    columns: Vec<Column>,
    /// TCI_4b, TCI_2b, TCI_1b, TCI_bm.
    rgib: [u16; 4],
    /// Row ids by position in the matrix; 0 where no index record names the row.
    ids: Vec<u32>,
    matrix: Matrix,
}

enum Matrix {
    Held(Vec<u8>),
    Tree(DataTree),
}

impl<'a> TableContext<'a> {
    /// Opens the table of a node given by its data and subnode BIDs.
    ///
    /// # Errors
    /// When the node holds no table, or its heap, columns or row index are damaged.
    pub fn open(ndb: &'a Arc<Ndb>, data: Bid, sub: Bid) -> Result<Self> {
        let bad = |text: String| Error::new(Kind::Damaged, text).within("TC").id(data.0);
        let heap = Heap::open(ndb, data, sub)?;
        if heap.client != client::TC {
            return Err(bad(format!("the node holds a structure 0x{:02X}, not a table (0x7C)", heap.client)));
        }
        let info = heap.get(heap.root)?.into_owned();
        let short = || bad(format!("TCINFO has only {} bytes", info.len()));
        let head = info.get(..22).ok_or_else(short)?;
        let u16_at = |i: usize| head.get(i..i + 2).map_or(0, |b| number(b) as u16);
        let u32_at = |i: usize| head.get(i..i + 4).map_or(0, |b| number(b) as u32);
        let count = head.get(1).map_or(0, |c| usize::from(*c));
        let rgib = [u16_at(2), u16_at(4), u16_at(6), u16_at(8)];
        let (row_index, rows) = (u32_at(10), u32_at(14));
        let columns: Vec<Column> = info
            .get(22..22 + 8 * count)
            .ok_or_else(short)?
            .chunks_exact(8)
            .filter_map(|c| match *c {
                [t0, t1, t2, t3, a0, a1, width, bit] => Some(Column {
                    tag: PropTag(u32::from_le_bytes([t0, t1, t2, t3])),
                    at: u16::from_le_bytes([a0, a1]),
                    width,
                    bit,
                }),
                _ => None,
            })
            .collect();
        let [.., bitmap, end] = rgib;
        if usize::from(end) < usize::from(bitmap) + count.div_ceil(8) || end < 4 {
            return Err(bad(format!("rows of {end} bytes have no room for {count} columns")));
        }
        let bth = Bth::read(&heap, row_index)?;
        let mut ids = Vec::new();
        for (key, at) in bth.iter() {
            let at = number(at) as usize;
            // No index names more rows than it has records.
            if at >= bth.len() {
                return Err(bad(format!("the row index names row {at}, but there are {} rows", bth.len())));
            }
            if ids.len() <= at {
                ids.resize(at + 1, 0);
            }
            if let Some(id) = ids.get_mut(at) {
                *id = number(key) as u32;
            }
        }
        let matrix = if rows == 0 {
            Matrix::Held(Vec::new())
        } else if is_hid(rows) {
            Matrix::Held(heap.get(rows)?.into_owned())
        } else {
            Matrix::Tree(heap.subnode(rows)?)
        };
        Ok(Self { heap, columns, rgib, ids, matrix })
    }

    /// The columns, sorted by tag.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The four offsets of TCINFO.
    pub fn rgib(&self) -> [u16; 4] {
        self.rgib
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// True for no rows.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The row ids in the order of the matrix, without reading the rows.
    pub fn ids(&self) -> &[u32] {
        &self.ids
    }

    /// A reader of rows.
    pub fn rows(&self) -> Rows<'_, 'a> {
        Rows { table: self, next: 0, block: usize::MAX, bytes: Vec::new() }
    }

    /// The column of a property id.
    pub fn column(&self, id: u16) -> Option<Column> {
        self.columns.iter().find(|c| c.tag.id() == id).copied()
    }

    /// The cell of a column in a row, `None` where the row has none.
    ///
    /// # Errors
    /// When the value cannot be read.
    pub fn cell(&self, row: &[u8], column: Column) -> Result<Option<Value>> {
        let bitmap = usize::from(self.rgib[2]) + usize::from(column.bit / 8);
        if row.get(bitmap).is_none_or(|b| b & (0x80 >> (column.bit % 8)) == 0) {
            return Ok(None);
        }
        let at = usize::from(column.at);
        let ty = column.tag.ty();
        let Some(cell) = row.get(at..at + usize::from(column.width)) else {
            return Err(Error::damaged("TC", format!("the cell of column {} is outside its row", column.tag)));
        };
        if is_inline(ty) || column.width == 4 {
            return value(&self.heap, ty, number(cell) as u32).map(Some).map_err(|e| named(&e, column.tag));
        }
        from_bytes(ty, cell).map(Some).map_err(|e| named(&e, column.tag))
    }
}

/// Reads the rows of a table in order, one block at a time.
pub struct Rows<'t, 'a> {
    table: &'t TableContext<'a>,
    next: usize,
    block: usize,
    bytes: Vec<u8>,
}

impl Rows<'_, '_> {
    /// The next row: its id and its bytes. A block that cannot be read is one `Err`; the next call goes on behind it.
    pub fn next_row(&mut self) -> Option<Result<(u32, &[u8])>> {
        let id = *self.table.ids.get(self.next)?;
        let width = usize::from(self.table.rgib[3]);
        let i = self.next;
        self.next += 1;
        let short = || Error::damaged("TC", format!("row {i} is not in the row matrix"));
        match &self.table.matrix {
            Matrix::Held(bytes) => Some(bytes.get(i * width..(i + 1) * width).map(|row| (id, row)).ok_or_else(short)),
            Matrix::Tree(tree) => {
                let per_block = (self.table.heap.ndb().variant().block_max() / width).max(1);
                let (block, at) = (i / per_block, i % per_block);
                if block != self.block {
                    self.block = block;
                    if let Err(e) = tree.read(self.table.heap.ndb(), block, &mut self.bytes) {
                        self.bytes.clear();
                        self.next = ((block + 1) * per_block).max(self.next);
                        return Some(Err(e));
                    }
                }
                Some(self.bytes.get(at * width..(at + 1) * width).map(|row| (id, row)).ok_or_else(short))
            }
        }
    }
}
