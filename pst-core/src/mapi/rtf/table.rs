//! Tables: how their rows and cells are put together, and which cells are one.

use super::block::{Block, Cell, Merge, Row, Shape, Table};
use super::rich::merge;
use std::collections::{BTreeSet, HashMap};

/// Cells of one row.
const MOST_CELLS: usize = 1000;

/// Puts blocks into the cells of tables within tables.
#[derive(Default)]
pub(super) struct Builder {
    blocks: Vec<Block>,
    /// The tables that are open, the outermost first.
    open: Vec<Open>,
    outer: Definition,
    nested: Definition,
    inner: bool,
}

#[derive(Default)]
struct Open {
    table: Table,
    cells: Vec<Cell>,
    cell: Cell,
}

/// What `\trowd` and the words after it say of a row.
#[derive(Default)]
struct Definition {
    shapes: Vec<Shape>,
    next: Shape,
    left: i32,
    bordered: bool,
    border: bool,
}

impl Builder {
    /// Words are about a nested row from now on, or no longer.
    pub fn inner(&mut self, inner: bool) {
        self.inner = inner;
    }

    /// A control word that may be of a row or cell.
    pub fn word(&mut self, word: &[u8], number: Option<i32>) {
        let row = if self.inner { &mut self.nested } else { &mut self.outer };
        let n = number.unwrap_or(0);
        match word {
            b"trowd" => *row = Definition::default(),
            b"trleft" => row.left = n,
            b"cellx" => {
                let shape = std::mem::take(&mut row.next);
                row.border = false;
                if row.shapes.len() < MOST_CELLS {
                    row.shapes.push(Shape { edge: n, ..shape });
                }
            }
            b"clcbpat" => row.next.back = number.and_then(|n| u16::try_from(n).ok()).unwrap_or(0),
            b"brdrs" | b"brdrth" | b"brdrdb" | b"brdrdot" | b"brdrdash" | b"brdrhair" if row.border => {
                row.bordered = true;
            }
            _ if word.starts_with(b"clbrdr") || word.starts_with(b"trbrdr") => row.border = true,
            _ if word.starts_with(b"brdr") && word.len() == 5 => row.border = false,
            _ => match merge(word) {
                Some((true, merge)) => row.next.across = merge,
                Some((false, merge)) => row.next.down = merge,
                None => {}
            },
        }
    }

    /// Adds a block that stands `depth` tables deep.
    pub fn add(&mut self, depth: usize, block: Block) {
        self.reach(depth);
        self.current().push(block);
    }

    fn current(&mut self) -> &mut Vec<Block> {
        match self.open.last_mut() {
            Some(open) => &mut open.cell.blocks,
            None => &mut self.blocks,
        }
    }

    /// Opens and closes tables until `depth` are open.
    fn reach(&mut self, depth: usize) {
        while self.open.len() > depth {
            let Some(mut open) = self.open.pop() else { break };
            if !open.cell.blocks.is_empty() {
                open.cells.push(open.cell);
            }
            if !open.cells.is_empty() {
                open.table.rows.push(Row { cells: open.cells, ..Row::default() });
            }
            if !open.table.rows.is_empty() {
                self.current().push(Block::Table(open.table));
            }
        }
        while self.open.len() < depth {
            self.open.push(Open::default());
        }
    }

    /// Ends a cell of the table at `depth`.
    pub fn end_cell(&mut self, depth: usize) {
        self.reach(depth);
        if let Some(open) = self.open.last_mut() {
            let cell = std::mem::take(&mut open.cell);
            open.cells.push(cell);
        }
    }

    /// Ends a row of the table at `depth`.
    pub fn end_row(&mut self, depth: usize) {
        self.reach(depth.min(self.open.len().max(1)));
        let definition = if depth > 1 { &self.nested } else { &self.outer };
        let Some(open) = self.open.last_mut() else { return };
        let mut cells = std::mem::take(&mut open.cells);
        let cell = std::mem::take(&mut open.cell);
        if !cell.blocks.is_empty() {
            cells.push(cell);
        }
        if cells.is_empty() {
            return;
        }
        let fits = definition.shapes.len() == cells.len();
        let shapes = if fits { definition.shapes.clone() } else { Vec::new() };
        open.table.rows.push(Row { cells, shapes, left: definition.left, bordered: definition.bordered });
    }

    /// All blocks, tables closed.
    pub fn finish(mut self) -> Vec<Block> {
        self.reach(0);
        self.blocks
    }
}

/// How much of the grid a cell takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub columns: usize,
    pub rows: usize,
}

/// The spans of the cells of a table; `None` for cells that are part of another one.
pub(super) fn spans(table: &Table) -> Vec<Vec<Option<Span>>> {
    let edges: BTreeSet<i32> =
        table.rows.iter().flat_map(|r| r.shapes.iter().map(|s| s.edge).chain([r.left])).collect();
    let edges: Vec<i32> = edges.into_iter().collect();
    let column = |edge: i32| edges.binary_search(&edge).unwrap_or(0);
    let mut out: Vec<Vec<Option<Span>>> = Vec::with_capacity(table.rows.len());
    // Cells that are merged downwards, by their left edge: row and cell they began in, and the row they reach.
    let mut down: HashMap<i32, (usize, usize, usize)> = HashMap::new();
    for (y, row) in table.rows.iter().enumerate() {
        let mut spans = vec![Some(Span { columns: 1, rows: 1 }); row.cells.len()];
        let (mut left, mut first) = (row.left, 0);
        for (x, shape) in row.shapes.iter().enumerate() {
            let columns = column(shape.edge).saturating_sub(column(left)).max(1);
            let across = shape.across == Merge::Rest && x > 0;
            if across {
                if let Some(Some(span)) = spans.get_mut(first) {
                    span.columns += columns;
                }
            } else {
                first = x;
            }
            let mut covered = across;
            if shape.down == Merge::Rest
                && let Some((from, cell, reached)) = down.get_mut(&left)
                && *reached + 1 == y
            {
                *reached = y;
                covered = true;
                if let Some(Some(Some(span))) = out.get_mut(*from).map(|row| row.get_mut(*cell)) {
                    span.rows += 1;
                }
            } else if shape.down == Merge::First {
                down.insert(left, (y, x, y));
            }
            if let Some(slot) = spans.get_mut(x) {
                *slot = (!covered).then_some(Span { columns, rows: 1 });
            }
            left = shape.edge;
        }
        out.push(spans);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(shapes: &[(i32, Merge, Merge)]) -> Row {
        let shapes: Vec<Shape> = shapes
            .iter()
            .map(|(edge, across, down)| Shape { edge: *edge, across: *across, down: *down, back: 0 })
            .collect();
        Row { cells: shapes.iter().map(|_| Cell::default()).collect(), shapes, ..Row::default() }
    }

    #[test]
    fn merged_cells() {
        use Merge::{First, None as No, Rest};
        let table = Table {
            rows: vec![
                row(&[(100, No, First), (200, First, No), (300, Rest, No)]),
                row(&[(100, No, Rest), (250, No, No), (300, No, No)]),
            ],
        };
        let span = |columns, rows| Some(Span { columns, rows });
        assert_eq!(spans(&table), [vec![span(1, 2), span(3, 1), None], vec![None, span(2, 1), span(1, 1)]]);
    }
}
