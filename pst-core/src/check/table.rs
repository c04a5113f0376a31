//! V18 and V19: table contexts ([MS-PST] 2.3.4).

use super::bth::number;
use super::file::Judge;
use super::heap::{Heap, long, word};
use super::pc::Stored;
use crate::ltp::heap::{client, is_hid};
use crate::mapi::{PropTag, PropType, tag};
use crate::ndb::{Bid, Nid};
use std::ops::Range;

/// A column ([MS-PST] 2.3.4.2).
#[derive(Debug, Clone, Copy)]
pub(super) struct Column {
    pub tag: PropTag,
    at: usize,
    width: usize,
    bit: usize,
}

/// A judged table; its rows are judged as they are read.
pub(super) struct Tc {
    pub heap: Heap,
    /// Ascending by tag.
    pub columns: Vec<Column>,
    /// TCI_1b and TCI_bm: where the cell existence bitmap begins, and where the row ends.
    bitmap: usize,
    width: usize,
    /// Row ids by position in the matrix.
    pub ids: Vec<u32>,
    matrix: Matrix,
}

enum Matrix {
    Held(Vec<u8>),
    /// Data blocks by position.
    Tree(Vec<usize>),
}

impl Tc {
    pub fn column(&self, tag: PropTag) -> Option<&Column> {
        self.columns.iter().find(|c| same(c.tag, tag))
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// The columns of a template that the table has not.
    pub fn lacks(&self, template: &[crate::ltp::build::Col]) -> Vec<PropTag> {
        template.iter().map(|c| PropTag(c.tag)).filter(|t| self.column(*t).is_none()).collect()
    }

    /// The bytes of a cell where the row has one.
    pub fn cell<'r>(&self, row: &'r [u8], column: &Column) -> Option<&'r [u8]> {
        let byte = row.get(self.bitmap + column.bit / 8)?;
        (byte & (0x80 >> (column.bit % 8)) != 0).then(|| row.get(column.at..column.at + column.width)).flatten()
    }

    /// The four bytes of a cell, by tag.
    pub fn inline(&self, row: &[u8], tag: PropTag) -> Option<u32> {
        let cell = self.cell(row, self.column(tag)?)?;
        Some(number(cell) as u32)
    }
}

/// True for the same property: ANSI stores have 8-bit strings where others have Unicode.
pub(super) fn same(a: PropTag, b: PropTag) -> bool {
    let wide = |ty: u16| match ty & !PropType::MULTI {
        PropType::STRING8 => ty + 1,
        _ => ty,
    };
    a.id() == b.id() && wide(a.ty()) == wide(b.ty())
}

/// Bytes of a cell ([MS-PST] 2.3.4.4.1).
const fn width_of(ty: u16) -> usize {
    match ty {
        PropType::INTEGER64 | PropType::TIME | PropType::FLOATING64 | PropType::CURRENCY | PropType::FLOATING_TIME => 8,
        PropType::INTEGER16 => 2,
        PropType::BOOLEAN => 1,
        _ => 4,
    }
}

impl Judge<'_> {
    /// Judges the table of a node, but for its rows.
    pub fn tc(&mut self, nid: Nid, data: Bid, sub: Bid) -> Option<Tc> {
        let heap = self.heap(nid, data, sub, &[client::TC])?;
        let at = heap.at;
        let info = self.alloc(&heap, heap.root)?;
        let count = usize::from(info.get(1).copied().unwrap_or_default());
        let (Some(columns), Some(index), Some(rows)) = (info.get(22..22 + 8 * count), long(&info, 10), long(&info, 14))
        else {
            self.found.add(18, at, format!("table {nid}: TCINFO has {} bytes for {count} columns", info.len()));
            return None;
        };
        if info.first() != Some(&client::TC) {
            self.found.add(18, at, format!("table {nid}: bType is not 0x7C"));
        }
        let columns: Vec<Column> = columns
            .chunks_exact(8)
            .filter_map(|c| {
                let (width, bit) = (usize::from(*c.get(6)?), usize::from(*c.get(7)?));
                Some(Column { tag: PropTag(long(c, 0)?), at: word(c, 4)?, width, bit })
            })
            .collect();
        let rgib = [2, 4, 6, 8].map(|at| word(&info, at).unwrap_or_default());
        self.columns(&heap, &columns, rgib)?;
        for column in columns.iter().filter(|c| c.tag.is_named()) {
            self.file.name_used(column.tag.id());
        }
        let bth = self.bth(&heap, index, &[(4, 4), (4, 2)])?;
        let mut ids = vec![0u32; bth.len()];
        for (key, position) in bth.iter() {
            let (id, position) = (number(key) as u32, number(position) as usize);
            match ids.get_mut(position) {
                Some(slot) if *slot == 0 => *slot = id,
                Some(slot) => {
                    let text = format!("table {nid}: rows 0x{slot:X} and 0x{id:X} are both at position {position}");
                    self.found.add(18, at, text);
                }
                None => {
                    let text = format!("table {nid}: row 0x{id:X} is at position {position} of {}", ids.len());
                    self.found.add(18, at, text);
                    return None;
                }
            }
        }
        let [_, _, bitmap, width] = rgib;
        let mut table = Tc { heap, columns, bitmap, width, ids, matrix: Matrix::Held(Vec::new()) };
        table.matrix = self.matrix(&table, rows)?;
        Some(table)
    }

    fn columns(&mut self, heap: &Heap, columns: &[Column], rgib: [usize; 4]) -> Option<()> {
        let (nid, at) = (heap.nid, heap.at);
        let mut wrong = |text: String| self.found.add(18, at, format!("table {nid}: {text}"));
        let [four, two, one, end] = rgib;
        let count = columns.len();
        if !(four <= two && two <= one) || end != one + count.div_ceil(8) {
            wrong(format!("TCI_4b {four}, TCI_2b {two}, TCI_1b {one}, TCI_bm {end} do not fit {count} columns"));
            return None;
        }
        let mut bits = vec![false; count];
        let mut bytes = vec![false; one];
        for (i, c) in columns.iter().enumerate() {
            if i.checked_sub(1).and_then(|before| columns.get(before)).is_some_and(|b| b.tag >= c.tag) {
                wrong(format!("column {} is not in the order of tags", c.tag));
            }
            let width = width_of(c.tag.ty());
            if c.width != width {
                wrong(format!("column {} has cbData {}, not {width}", c.tag, c.width));
                return None;
            }
            match bits.get_mut(c.bit) {
                Some(bit) if !*bit => *bit = true,
                _ => wrong(format!("column {} has iBit {}, which is another's or none", c.tag, c.bit)),
            }
            let group = match width {
                1 => two..one,
                2 => four..two,
                _ => 0..four,
            };
            match bytes.get_mut(c.at..c.at + width) {
                Some(cell) if group.contains(&c.at) && c.at + width <= group.end && cell.iter().all(|taken| !taken) => {
                    cell.fill(true);
                }
                _ => {
                    wrong(format!("column {} has ibData {}, which is outside its group or another's", c.tag, c.at));
                    return None;
                }
            }
        }
        for (fixed, place, bit) in [(tag::LTP_ROW_ID, 0, 0), (tag::LTP_ROW_VER, 4, 1)] {
            if !columns.iter().any(|c| c.tag == fixed && c.at == place && c.bit == bit) {
                wrong(format!("column {fixed} is not at ibData {place} with iBit {bit}"));
                return None;
            }
        }
        Some(())
    }

    /// Finds the row matrix and judges how many rows it holds.
    fn matrix(&mut self, table: &Tc, hnid: u32) -> Option<Matrix> {
        let (heap, width, rows) = (&table.heap, table.width, table.ids.len());
        let (nid, at) = (heap.nid, heap.at);
        let per_block = self.file.variant().block_max() / width;
        let (matrix, holds) = if hnid == 0 {
            (Matrix::Held(Vec::new()), 0)
        } else if is_hid(hnid) {
            let Some(bytes) = self.alloc(heap, hnid) else {
                self.found.add(18, at, format!("table {nid}: hnidRows 0x{hnid:X} points nowhere"));
                return None;
            };
            if !bytes.len().is_multiple_of(width) {
                self.found.add(19, at, format!("table {nid}: {} bytes are no rows of {width}", bytes.len()));
            }
            let holds = bytes.len() / width;
            (Matrix::Held(bytes), holds)
        } else {
            let Some(node) = heap.subnode(Nid(hnid)) else {
                self.found.add(18, at, format!("table {nid}: hnidRows 0x{hnid:X} names a subnode that does not exist"));
                return None;
            };
            let leaves = self.file.leaves(node.data)?;
            let last = leaves.last().and_then(|i| self.file.blocks.get(*i)).map_or(0, |b| usize::from(b.inflated));
            let holds = leaves.len().saturating_sub(1) * per_block + (last / width).min(per_block);
            (Matrix::Tree(leaves), holds)
        };
        if holds < rows {
            let text = format!("table {nid}: the row index has {rows} rows, but the matrix has room for {holds}");
            self.found.add(18, at, text);
            return None;
        }
        if holds > rows {
            let text = format!("table {nid}: the matrix has {holds} rows, but the row index {rows}");
            self.found.lenient(18, at, text);
        }
        Some(matrix)
    }

    /// Judges rows `range` and gives each to `each`, with its id.
    pub fn rows(&mut self, table: &Tc, range: Range<usize>, mut each: impl FnMut(&mut Self, u32, &[u8])) {
        let width = table.width;
        let per_block = self.file.variant().block_max() / width;
        for i in range {
            let Some(id) = table.ids.get(i).copied() else { return };
            match &table.matrix {
                Matrix::Held(bytes) => {
                    let Some(row) = bytes.get(i * width..(i + 1) * width) else { continue };
                    self.row(table, id, row);
                    each(self, id, row);
                }
                Matrix::Tree(leaves) => {
                    let (block, at) = (i / per_block, i % per_block);
                    let Some(bytes) = leaves.get(block).and_then(|leaf| self.block(*leaf)) else { continue };
                    let Some(row) = bytes.get(at * width..(at + 1) * width) else { continue };
                    if at == 0 {
                        self.tail(table, i, &bytes);
                    }
                    self.row(table, id, row);
                    each(self, id, row);
                }
            }
        }
    }

    /// V19: behind the rows of a matrix block there is nothing.
    fn tail(&mut self, table: &Tc, first: usize, block: &[u8]) {
        let per_block = self.file.variant().block_max() / table.width;
        let rows = (table.ids.len() - first).min(per_block);
        if block.get(rows * table.width..).is_some_and(|tail| tail.iter().any(|b| *b != 0)) {
            let text = format!(
                "table {}: behind row {} of a matrix block stand other bytes than 0",
                table.heap.nid,
                first + rows
            );
            self.found.lenient(19, table.heap.at, text);
        }
    }

    fn row(&mut self, table: &Tc, id: u32, row: &[u8]) {
        let (nid, at) = (table.heap.nid, table.heap.at);
        let stored = long(row, 0).unwrap_or_default();
        if stored != id {
            self.found.add(
                18,
                at,
                format!("table {nid}: the row index names row 0x{id:X}, but its cell says 0x{stored:X}"),
            );
        }
        for column in &table.columns {
            let Some(cell) = table.cell(row, column) else {
                if matches!(column.tag, tag::LTP_ROW_ID | tag::LTP_ROW_VER) {
                    self.found.add(18, at, format!("table {nid}, row 0x{id:X}: cell {} is absent", column.tag));
                }
                let bytes = row.get(column.at..column.at + column.width).unwrap_or_default();
                if bytes.iter().any(|b| *b != 0) {
                    let text = format!("table {nid}, row 0x{id:X}: cell {} is absent, but not 0", column.tag);
                    self.found.lenient(19, at, text);
                }
                continue;
            };
            if column.width == 4 {
                self.stored(&table.heap, column.tag, number(cell) as u32, 18);
            } else if column.width == 1 && cell.first().is_some_and(|b| *b > 1) {
                self.found.add(18, at, format!("table {nid}, row 0x{id:X}: cell {} is {cell:02X?}", column.tag));
            }
        }
        let unused = (table.columns.len()..table.columns.len().next_multiple_of(8))
            .any(|bit| row.get(table.bitmap + bit / 8).is_some_and(|byte| byte & (0x80 >> (bit % 8)) != 0));
        if unused {
            let text = format!("table {nid}, row 0x{id:X}: bits behind the last column are set");
            self.found.lenient(19, at, text);
        }
    }

    /// A cell as it is stored, in the form of a property's value; its row was judged before.
    pub fn cell_value(&mut self, table: &Tc, row: &[u8], column: &Column) -> Option<Stored> {
        let cell = table.cell(row, column)?;
        if column.width == 8 {
            return Some(Stored::Bytes(cell.to_vec()));
        }
        self.peek(&table.heap, column.tag, number(cell) as u32)
    }
}
