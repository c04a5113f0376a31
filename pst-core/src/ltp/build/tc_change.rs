//! Changes to a table that is there already: its rows stream into a builder that keeps every column and cell, and from
//! then on only what changes is written again ([MS-PST] 2.3.4).

use super::heap::MAX_ALLOC;
use super::tc::{Col, TableBuilder, TableLayout};
use crate::error::{Error, Kind, Result};
use crate::ltp::heap::{MAX_VALUE, STREAMED, allocation, is_hid};
use crate::ltp::pc::{from_bytes, inline};
use crate::ltp::tc::{Column, TableContext};
use crate::mapi::value::is_inline;
use crate::mapi::{Blob, PropTag, PropType, Value, tag};
use crate::ndb::write::{BLOCK, NdbWriter};
use crate::ndb::{DataStream, Ndb};
use std::sync::Arc;

impl TableLayout {
    /// The layout of an existing table, as long as its rows are laid out as its column types say; else one with the same
    /// columns.
    fn of(table: &TableContext<'_>, template: &[Col]) -> Self {
        let col = |c: &Column| Col { tag: c.tag.0, at: c.at, bit: c.bit };
        let columns: Vec<Col> = table.columns().iter().map(col).collect();
        let [four, two, one, end] = table.rgib();
        let mut taken = vec![false; usize::from(one)];
        let mut bits = [false; 256];
        let mut fits = four <= two && two <= one && usize::from(end) == usize::from(one) + columns.len().div_ceil(8);
        fits &= usize::from(end) <= BLOCK && columns.is_sorted() && columns.len() < 256;
        for (col, stored) in columns.iter().zip(table.columns()) {
            let (at, width) = (usize::from(col.at), usize::from(col.width()));
            fits &= width == usize::from(stored.width) && usize::from(col.bit) < columns.len();
            fits &= taken.get(at..at + width).is_some_and(|cell| cell.iter().all(|t| !t));
            taken.iter_mut().skip(at).take(width).for_each(|t| *t = true);
            fits &= bits.get_mut(usize::from(col.bit)).is_some_and(|bit| !std::mem::replace(bit, true));
        }
        for (tag, at) in [(tag::LTP_ROW_ID, 0), (tag::LTP_ROW_VER, 4)] {
            fits &= columns.iter().any(|c| c.tag == tag.0 && c.at == at);
        }
        if fits {
            return Self { columns, rgib: table.rgib() };
        }
        Self::new(template, &columns.iter().map(|c| PropTag(c.tag)).collect::<Vec<_>>()).0
    }
}

impl TableBuilder {
    /// The rows of an existing table, in a builder; full blocks go to the writer as they come.
    ///
    /// # Errors
    /// When a row or cell cannot be read, or the file cannot be written.
    pub fn of_existing(table: &TableContext<'_>, template: &[Col], ndb: &mut NdbWriter) -> Result<Self> {
        let mut out = Self::new(TableLayout::of(table, template), ndb.crypt())?;
        let versions = table.column(tag::LTP_ROW_VER.id());
        let mut rows = table.rows();
        while let Some(row) = rows.next_row() {
            let (id, row) = row?;
            // No record of the index names such a row: it is not there.
            if id == 0 {
                continue;
            }
            let mut cells: Vec<(PropTag, Value)> = Vec::with_capacity(table.columns().len());
            for column in table.columns() {
                cells.extend(table.cell(row, *column)?.map(|value| (column.tag, value)));
            }
            let version = versions.and_then(|c| table.cell(row, c).ok()?).and_then(|v| v.as_i32()).unwrap_or(1);
            out.row_of(id, version as u32, |t| cells.iter().find(|(tag, _)| *tag == t).map(|(_, value)| value))?;
            if out.is_heavy() {
                out.spill(ndb)?;
            }
        }
        Ok(out)
    }

    /// True if the table has a column.
    pub fn has_column(&self, tag: PropTag) -> bool {
        self.layout.columns.iter().any(|c| c.tag == tag.0)
    }

    /// True if a row is there.
    pub fn has_row(&self, id: u32) -> bool {
        self.ids.contains(&id)
    }

    /// Changes cells of a row: a value, or `None` to empty the cell. Columns that the table does not have are passed over.
    ///
    /// # Errors
    /// [`Kind::NotFound`] without such a row, as [`super::HeapBuilder::push`], or when the file cannot be read.
    pub fn change(&mut self, ndb: &mut NdbWriter, id: u32, cells: &[(PropTag, Option<&Value>)]) -> Result<()> {
        let at = self.position(id)?;
        let mut row = self.row_at(ndb, at)?;
        let version = self.version();
        for i in 0..self.layout.columns.len() {
            let Some(col) = self.layout.columns.get(i).copied() else { break };
            let bytes = match cells.iter().find(|(tag, _)| tag.0 == col.tag) {
                _ if col.tag == tag::LTP_ROW_VER.0 => Some(u64::from(version).to_le_bytes()),
                None => continue,
                Some(_) if col.tag == tag::LTP_ROW_ID.0 => continue,
                Some((_, None)) => None,
                Some((_, Some(value))) => Some(self.cell(col, value)?),
            };
            self.forget(&row, col);
            self.layout.set(&mut row, col, bytes);
        }
        self.put_row(ndb, at, &row)?;
        if self.is_heavy() { self.spill(ndb) } else { Ok(()) }
    }

    /// The cells of a row, but for id and version.
    ///
    /// # Errors
    /// [`Kind::NotFound`] without such a row, or when the file cannot be read.
    pub fn cells(&mut self, ndb: &mut NdbWriter, id: u32) -> Result<Vec<(PropTag, Value)>> {
        let at = self.position(id)?;
        let row = self.row_at(ndb, at)?;
        let mut cells = Vec::with_capacity(self.layout.columns.len());
        for i in 0..self.layout.columns.len() {
            let Some(col) = self.layout.columns.get(i).copied() else { break };
            if !matches!(PropTag(col.tag), tag::LTP_ROW_ID | tag::LTP_ROW_VER) {
                cells.extend(self.value(ndb, &row, col)?.map(|value| (PropTag(col.tag), value)));
            }
        }
        Ok(cells)
    }

    /// Takes a row out; the last row takes its place.
    ///
    /// # Errors
    /// [`Kind::NotFound`] without such a row, or when the file cannot be read; the table is then as before.
    pub fn remove(&mut self, ndb: &mut NdbWriter, id: u32) -> Result<()> {
        let at = self.position(id)?;
        let last = self.ids.len() - 1;
        let row = self.row_at(ndb, at)?;
        let moved = self.row_at(ndb, last)?;
        let runs_out = self.rows.len() <= row.len() && self.matrix.is_empty();
        if let Some(block) = self.matrix_bids.len().checked_sub(1).filter(|_| runs_out) {
            // The block that is to be filled again.
            let bytes = self.stored(ndb, block)?;
            self.changed.entry(block).or_insert(bytes);
        }
        if at != last {
            self.put_row(ndb, at, &moved)?;
        }
        for i in 0..self.layout.columns.len() {
            if let Some(col) = self.layout.columns.get(i).copied() {
                self.forget(&row, col);
            }
        }
        self.ids.swap_remove(at);
        self.rows.truncate(self.rows.len().saturating_sub(row.len()));
        if self.rows.is_empty() && !self.ids.is_empty() {
            let per_block = BLOCK / row.len().max(1);
            if let Some(block) = self.matrix.pop() {
                self.rows = block;
            } else if let Some(block) = self.matrix_bids.len().checked_sub(1) {
                self.rows = self.changed.remove(&block).unwrap_or_default();
                self.matrix_bids.pop();
            }
            self.rows.truncate(per_block * row.len());
        }
        Ok(())
    }

    /// Bytes held in memory, about.
    pub fn weight(&self) -> usize {
        let blocks = self.matrix.len() + self.changed.len();
        let bids = 16 * (self.heap_bids.len() + self.matrix_bids.len()) + 24 * self.sub_nodes.len();
        self.heap.weight() + blocks * BLOCK + self.rows.len() + bids + 4 * self.ids.len()
    }

    fn position(&self, id: u32) -> Result<usize> {
        let found = self.ids.iter().position(|i| *i == id);
        found.ok_or_else(|| Error::new(Kind::NotFound, "the table has no such row").within("TC").id(u64::from(id)))
    }

    /// Block and offset of a row.
    fn place(&self, at: usize) -> (usize, usize) {
        let len = usize::from(self.layout.rgib[3]).max(1);
        let per_block = (BLOCK / len).max(1);
        (at / per_block, at % per_block * len)
    }

    /// A matrix block that a writer took, as it is now.
    fn stored(&mut self, ndb: &mut NdbWriter, block: usize) -> Result<Vec<u8>> {
        if let Some(bytes) = self.changed.get(&block) {
            return Ok(bytes.clone());
        }
        let mut bytes = Vec::new();
        if let Some(bid) = self.matrix_bids.get(block) {
            ndb.reader()?.read_block(*bid, &mut bytes)?;
        }
        Ok(bytes)
    }

    fn row_at(&mut self, ndb: &mut NdbWriter, at: usize) -> Result<Vec<u8>> {
        let (block, start) = self.place(at);
        let end = start + usize::from(self.layout.rgib[3]);
        let row = match block.checked_sub(self.matrix_bids.len()) {
            None => self.stored(ndb, block)?.get(start..end).map(<[u8]>::to_vec),
            Some(i) => self.matrix.get(i).unwrap_or(&self.rows).get(start..end).map(<[u8]>::to_vec),
        };
        row.ok_or_else(|| Error::damaged("TC", "a row is not in its block"))
    }

    fn put_row(&mut self, ndb: &mut NdbWriter, at: usize, row: &[u8]) -> Result<()> {
        let (block, start) = self.place(at);
        let bytes = match block.checked_sub(self.matrix_bids.len()) {
            None => {
                let stored = self.stored(ndb, block)?;
                self.changed.entry(block).or_insert(stored)
            }
            Some(i) => self.matrix.get_mut(i).unwrap_or(&mut self.rows),
        };
        if let Some(to) = bytes.get_mut(start..start + row.len()) {
            to.copy_from_slice(row);
        }
        Ok(())
    }

    /// The four bytes of a cell that may lead elsewhere, if the row has it.
    fn reference(&self, row: &[u8], col: Col) -> Option<u32> {
        let bit = row.get(usize::from(self.layout.rgib[2]) + usize::from(col.bit / 8))? & (0x80 >> (col.bit % 8));
        let at = usize::from(col.at);
        let raw = row.get(at..at + 4).and_then(|b| b.try_into().ok()).map(u32::from_le_bytes)?;
        (bit != 0 && col.width() == 4 && !is_inline(PropTag(col.tag).ty())).then_some(raw)
    }

    /// Lets go of the subnode of a cell that is about to go.
    fn forget(&mut self, row: &[u8], col: Col) {
        if let Some(raw) = self.reference(row, col).filter(|raw| !is_hid(*raw)) {
            self.sub_nodes.retain(|n| n.nid.0 != raw);
            self.overflow.subs.retain(|s| s.nid.0 != raw);
        }
    }

    /// The value of a cell, if the row has it.
    fn value(&mut self, ndb: &mut NdbWriter, row: &[u8], col: Col) -> Result<Option<Value>> {
        let ty = PropTag(col.tag).ty();
        let bit = row.get(usize::from(self.layout.rgib[2]) + usize::from(col.bit / 8));
        if bit.is_none_or(|b| b & (0x80 >> (col.bit % 8)) == 0) {
            return Ok(None);
        }
        let at = usize::from(col.at);
        let cell = row.get(at..at + usize::from(col.width())).unwrap_or_default();
        let Some(raw) = self.reference(row, col) else {
            let raw = || cell.iter().rev().fold(0u32, |n, b| n << 8 | u32::from(*b));
            return if is_inline(ty) { Ok(Some(inline(ty, raw()))) } else { from_bytes(ty, cell).map(Some) };
        };
        if raw == 0 {
            return from_bytes(ty, &[]).map(Some);
        }
        if is_hid(raw) {
            return self.allocation(ndb, raw).and_then(|bytes| from_bytes(ty, &bytes)).map(Some);
        }
        self.spill(ndb)?;
        let Some(node) = self.sub_nodes.iter().find(|n| n.nid.0 == raw).copied() else {
            return Err(Error::damaged("TC", "a cell refers to a subnode that does not exist").id(u64::from(raw)));
        };
        let reader: Arc<Ndb> = ndb.reader()?;
        let tree = reader.data(node.data)?;
        if ty == PropType::BINARY && tree.len() > STREAMED {
            return Ok(Some(Value::Binary(Blob::Stream(Arc::new(DataStream::new(reader, tree))))));
        }
        let bytes = tree.to_vec(&reader, MAX_VALUE)?;
        from_bytes(ty, &bytes).map(Some)
    }

    fn allocation(&self, ndb: &mut NdbWriter, hid: u32) -> Result<Vec<u8>> {
        if let Some(bytes) = self.heap.held(hid) {
            return Ok(bytes.to_vec());
        }
        let (block, index) = ((hid >> 16) as usize, (hid >> 5 & 0x7FF) as usize);
        let mut bytes = Vec::with_capacity(MAX_ALLOC);
        if let Ok(Some((_, bid))) =
            self.heap_bids.binary_search_by_key(&block, |(i, _)| *i).map(|i| self.heap_bids.get(i))
        {
            ndb.reader()?.read_block(*bid, &mut bytes)?;
        }
        let found = allocation(&bytes, index).map(<[u8]>::to_vec);
        found.ok_or_else(|| Error::damaged("heap", "a cell points nowhere").id(u64::from(hid)))
    }
}
