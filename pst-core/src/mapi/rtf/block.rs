//! A document as paragraphs and tables.

use super::font::Fonts;
use super::picture::Picture;

/// A document.
pub(super) struct Document {
    pub blocks: Vec<Block>,
    pub fonts: Fonts,
    /// The colour table; `None` is the reader's own colour.
    pub colors: Vec<Option<[u8; 3]>>,
    pub pictures: Vec<Picture>,
    /// The addresses of hyperlinks.
    pub links: Vec<String>,
}

impl Document {
    pub fn color(&self, index: u16) -> Option<[u8; 3]> {
        self.colors.get(usize::from(index)).copied().flatten()
    }

    pub fn link(&self, piece: &Piece) -> Option<&str> {
        self.links.get(piece.link?).map(String::as_str)
    }
}

/// A paragraph or a table.
pub(super) enum Block {
    Paragraph(Paragraph),
    Table(Table),
}

pub(super) struct Paragraph {
    pub layout: Layout,
    /// The bullet or number of a list item, as it stands in the text.
    pub marker: Option<String>,
    pub pieces: Vec<Piece>,
}

/// Something in a line.
pub(super) struct Piece {
    pub inline: Inline,
    /// An index of [`Document::links`].
    pub link: Option<usize>,
}

pub(super) enum Inline {
    Text(String, Chars),
    Tab,
    Line,
    /// An index of [`Document::pictures`].
    Picture(usize),
    /// The place of an attachment, counted from 0.
    Attachment(usize),
}

#[derive(Default)]
pub(super) struct Table {
    pub rows: Vec<Row>,
}

#[derive(Default)]
pub(super) struct Row {
    pub cells: Vec<Cell>,
    /// Where each cell of the row ends and how it looks.
    pub shapes: Vec<Shape>,
    pub left: i32,
    pub bordered: bool,
}

#[derive(Default)]
pub(super) struct Cell {
    pub blocks: Vec<Block>,
}

/// How a cell is laid out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Shape {
    /// Its right edge, twips.
    pub edge: i32,
    pub across: Merge,
    pub down: Merge,
    /// An index of the colour table.
    pub back: u16,
}

/// Whether a cell begins or continues a merged one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Merge {
    #[default]
    None,
    First,
    Rest,
}

/// Where a line of text stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Align {
    #[default]
    Left,
    Right,
    Center,
    Justify,
}

/// What a paragraph looks like; lengths in twips.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Layout {
    pub align: Align,
    pub left: i32,
    pub right: i32,
    pub first: i32,
    pub before: i32,
    pub after: i32,
    /// Depth in tables.
    pub depth: usize,
    /// Depth in lists.
    pub level: usize,
    pub rtl: bool,
}

/// Whether letters are made capitals.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Caps {
    #[default]
    None,
    All,
    Small,
}

/// Where letters stand on the line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Script {
    #[default]
    Normal,
    Super,
    Sub,
}

/// What letters look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a property of its own in RTF")]
pub(super) struct Chars {
    pub bold: bool,
    pub italic: bool,
    pub underline: bool,
    pub strike: bool,
    pub hidden: bool,
    pub caps: Caps,
    pub script: Script,
    /// Half points.
    pub size: u16,
    pub color: u16,
    pub back: u16,
    pub font: i32,
}

impl Default for Chars {
    fn default() -> Self {
        Self {
            bold: false,
            italic: false,
            underline: false,
            strike: false,
            hidden: false,
            caps: Caps::None,
            script: Script::Normal,
            size: 24,
            color: 0,
            back: 0,
            font: -1,
        }
    }
}
