//! Reads RTF into paragraphs and tables.

use super::block::{Align, Block, Caps, Chars, Document, Inline, Layout, Merge, Paragraph, Piece, Script};
use super::field;
use super::font::{self, Font, Fonts};
use super::picture::{Building, Picture};
use super::reader::{self, Fate, Target};
use super::table::Builder;

const MOST_COLORS: usize = 10_000;
const DEEPEST_LIST: usize = 8;
/// A link may go through so many pieces of text; what is beyond is text alone.
const MOST_PIECES: u32 = 1000;
/// Deeper tables are laid out in the deepest.
const DEEPEST_TABLE: usize = 16;

/// Reads a document.
pub(super) fn read(rtf: &[u8]) -> Document {
    let mut rich = Rich::default();
    let fonts = reader::read(rtf, &mut rich);
    rich.finish(fonts)
}

/// What the text of a group is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Mode {
    #[default]
    Body,
    Colors,
    Picture,
    /// The instruction of a field.
    Field,
    /// The bullet or number of a list item.
    Marker,
    Footnote,
    /// The row of a nested table.
    Row,
    /// A property of a drawing; only a picture in it counts.
    Property,
}

#[derive(Clone, Copy, Default)]
struct State {
    mode: Mode,
    chars: Chars,
    /// An index of the links.
    link: Option<usize>,
    layout: Layout,
    in_table: bool,
}

#[derive(Default)]
struct Rich {
    state: State,
    stack: Vec<State>,
    tables: Builder,
    pieces: Vec<Piece>,
    /// What holds for the last of them.
    last: State,
    marker: Option<String>,
    color: [Option<u8>; 3],
    colors: Vec<Option<[u8; 3]>>,
    picture: Building,
    pictures: Vec<Picture>,
    attached: usize,
    instruction: String,
    link: Option<usize>,
    links: Vec<String>,
    /// Pieces of text that the last link went through.
    linked: u32,
}

impl Target for Rich {
    fn open(&mut self) {
        self.stack.push(self.state);
    }

    fn close(&mut self) {
        let before = self.stack.pop().unwrap_or_default();
        let mode = std::mem::replace(&mut self.state, before).mode;
        if mode == self.state.mode {
            return;
        }
        match mode {
            Mode::Picture => self.end_picture(),
            Mode::Field => {
                let instruction = std::mem::take(&mut self.instruction);
                self.link = field::hyperlink(&instruction).map(|address| {
                    self.links.push(address);
                    self.linked = 0;
                    self.links.len() - 1
                });
            }
            Mode::Footnote => {
                if let Some(Piece { inline: Inline::Text(text, _), .. }) = self.pieces.last_mut() {
                    text.truncate(text.trim_end().len());
                }
                self.put("]");
            }
            Mode::Row => self.tables.inner(false),
            _ => {}
        }
    }

    fn word(&mut self, word: &[u8], number: Option<i32>, starred: bool) -> Fate {
        match self.state.mode {
            Mode::Colors => self.color_word(word, number),
            Mode::Picture => {
                if starred || word == b"sp" {
                    return Fate::Skip;
                }
                self.picture.word(word, number);
            }
            Mode::Property if word == b"pict" => self.state.mode = Mode::Picture,
            Mode::Property => {}
            Mode::Body | Mode::Field | Mode::Marker | Mode::Footnote | Mode::Row => {
                return self.body_word(word, number, starred);
            }
        }
        Fate::Go
    }

    fn text(&mut self, text: &str, number: i32, font: Option<&Font>) {
        match self.state.mode {
            Mode::Colors => self.end_colors(text),
            Mode::Picture => self.picture.hex(text),
            Mode::Field => self.instruction.push_str(text),
            Mode::Property => {}
            _ => {
                self.state.chars.font = number;
                match font.filter(|f| f.is_symbol()) {
                    Some(font) => self.put(&font::shown(text, &font.name)),
                    None => self.put(text),
                }
            }
        }
    }

    fn binary(&mut self, data: &[u8]) {
        if self.state.mode == Mode::Picture {
            self.picture.binary(data);
        }
    }
}

impl Rich {
    /// Text where it belongs.
    fn put(&mut self, text: &str) {
        match self.state.mode {
            Mode::Marker => self.marker.get_or_insert_default().push_str(text),
            _ => {
                let look = self.state.chars;
                let here = self.here();
                match self.pieces.last_mut() {
                    Some(Piece { inline: Inline::Text(last, chars), link }) if *chars == look && *link == here => {
                        last.push_str(text);
                    }
                    _ => self.push(Inline::Text(text.to_owned(), look)),
                }
            }
        }
    }

    /// The link that text is in.
    fn here(&self) -> Option<usize> {
        self.state.link.filter(|_| self.linked <= MOST_PIECES)
    }

    fn push(&mut self, inline: Inline) {
        let link = self.here();
        self.linked += u32::from(link.is_some());
        self.pieces.push(Piece { inline, link });
        self.last = self.state;
    }

    fn body_word(&mut self, word: &[u8], number: Option<i32>, starred: bool) -> Fate {
        match word {
            b"colortbl" => self.state.mode = Mode::Colors,
            b"pict" => self.state.mode = Mode::Picture,
            b"fldinst" => {
                self.instruction.clear();
                self.state.mode = Mode::Field;
            }
            b"fldrslt" if self.state.mode != Mode::Field => self.state.link = self.link.take(),
            b"listtext" | b"pntext" => {
                self.marker = Some(String::new());
                self.state.mode = Mode::Marker;
            }
            b"footnote" if self.state.mode == Mode::Body => {
                self.put(" [");
                self.state.mode = Mode::Footnote;
            }
            b"nesttableprops" => {
                self.tables.inner(true);
                self.state.mode = Mode::Row;
            }
            b"objattph" => {
                self.push(Inline::Attachment(self.attached));
                self.attached += 1;
            }
            b"sp" => self.state.mode = Mode::Property,
            b"shppict" | b"shpinst" | b"shptxt" => {}
            b"nonshppict" | b"shprslt" | b"stylesheet" | b"info" | b"header" | b"headerl" | b"headerr" | b"headerf"
            | b"footer" | b"footerl" | b"footerr" | b"footerf" | b"nonesttables" | b"objdata" | b"objclass" | b"xe"
            | b"tc" | b"template" | b"private" | b"ftnsep" | b"ftnsepc" | b"aftnsep" | b"aftnsepc" | b"comment"
            | b"listname" | b"pntxta" | b"pntxtb" => return Fate::Skip,
            _ if starred => return Fate::Skip,
            _ => self.format(word, number),
        }
        Fate::Go
    }

    fn format(&mut self, word: &[u8], number: Option<i32>) {
        match word {
            b"par" | b"sect" | b"page" | b"column" => self.end_paragraph(),
            b"line" | b"softline" | b"lbr" => self.inline(Inline::Line, " "),
            b"tab" => self.inline(Inline::Tab, "\t"),
            b"cell" | b"nestcell" => {
                let depth = if word == b"cell" { 1 } else { self.depth().max(2) };
                self.end_cell(depth);
            }
            b"row" => self.tables.end_row(1),
            b"nestrow" => self.tables.end_row(self.depth().max(2)),
            _ => {
                if !self.state.chars.set(word, number) && !self.layout_word(word, number) {
                    self.tables.word(word, number);
                }
            }
        }
    }

    fn inline(&mut self, inline: Inline, plain: &str) {
        match self.state.mode {
            Mode::Body | Mode::Row => self.push(inline),
            Mode::Field => self.instruction.push_str(plain),
            _ => self.put(plain),
        }
    }

    fn layout_word(&mut self, word: &[u8], number: Option<i32>) -> bool {
        let layout = &mut self.state.layout;
        let n = number.unwrap_or(0);
        match word {
            b"pard" => {
                *layout = Layout::default();
                self.state.in_table = false;
            }
            b"ql" => layout.align = Align::Left,
            b"qr" => layout.align = Align::Right,
            b"qc" => layout.align = Align::Center,
            b"qj" | b"qd" => layout.align = Align::Justify,
            b"li" | b"lin" => layout.left = n,
            b"ri" | b"rin" => layout.right = n,
            b"fi" => layout.first = n,
            b"sb" => layout.before = n,
            b"sa" => layout.after = n,
            b"rtlpar" => layout.rtl = true,
            b"ltrpar" => layout.rtl = false,
            b"ilvl" => layout.level = usize::try_from(n).unwrap_or(0).min(DEEPEST_LIST),
            b"itap" => layout.depth = usize::try_from(n).unwrap_or(0).min(DEEPEST_TABLE),
            b"intbl" => self.state.in_table = true,
            _ => return false,
        }
        true
    }

    /// How many tables the paragraph is in.
    fn depth(&self) -> usize {
        match self.state.layout.depth {
            0 if self.state.in_table => 1,
            depth => depth,
        }
    }

    fn end_paragraph(&mut self) {
        match self.state.mode {
            Mode::Field | Mode::Footnote | Mode::Marker => self.inline(Inline::Line, " "),
            _ => {
                let depth = self.depth();
                let paragraph = self.paragraph();
                self.tables.add(depth, Block::Paragraph(paragraph));
            }
        }
    }

    fn end_cell(&mut self, depth: usize) {
        let depth = depth.min(DEEPEST_TABLE);
        if !self.pieces.is_empty() || self.marker.is_some() {
            let paragraph = self.paragraph();
            self.tables.add(depth, Block::Paragraph(paragraph));
        }
        self.tables.end_cell(depth);
    }

    fn paragraph(&mut self) -> Paragraph {
        let marker = self.marker.take().map(|m| m.trim().to_owned()).filter(|m| !m.is_empty());
        Paragraph { layout: self.state.layout, marker, pieces: std::mem::take(&mut self.pieces) }
    }

    fn color_word(&mut self, word: &[u8], number: Option<i32>) {
        let value = number.and_then(|n| u8::try_from(n).ok());
        let [red, green, blue] = &mut self.color;
        match word {
            b"red" => *red = value,
            b"green" => *green = value,
            b"blue" => *blue = value,
            _ => {}
        }
    }

    fn end_colors(&mut self, text: &str) {
        for _ in text.matches(';').take(MOST_COLORS.saturating_sub(self.colors.len())) {
            let color = std::mem::take(&mut self.color);
            let given = color.iter().any(Option::is_some);
            self.colors.push(given.then(|| color.map(Option::unwrap_or_default)));
        }
    }

    fn end_picture(&mut self) {
        if let Some(picture) = std::mem::take(&mut self.picture).finish() {
            self.push(Inline::Picture(self.pictures.len()));
            self.pictures.push(picture);
        }
    }

    fn finish(mut self, fonts: Fonts) -> Document {
        if !self.pieces.is_empty() || self.marker.is_some() {
            // The group that a last paragraph without `\par` stood in is closed by now.
            self.state = self.last;
            let depth = self.depth();
            let paragraph = self.paragraph();
            self.tables.add(depth, Block::Paragraph(paragraph));
        }
        Document {
            blocks: self.tables.finish(),
            fonts,
            colors: self.colors,
            pictures: self.pictures,
            links: self.links,
        }
    }
}

impl Chars {
    /// Takes in a control word; false if it is none of these.
    fn set(&mut self, word: &[u8], number: Option<i32>) -> bool {
        let on = number != Some(0);
        let color = || number.and_then(|n| u16::try_from(n).ok()).unwrap_or(0);
        match word {
            b"plain" => *self = Self::default(),
            b"b" => self.bold = on,
            b"i" => self.italic = on,
            b"ulnone" => self.underline = false,
            b"ul" | b"uld" | b"uldash" | b"uldashd" | b"uldashdd" | b"uldb" | b"ulhwave" | b"ulldash" | b"ulth"
            | b"ulthd" | b"ulthdash" | b"ululdbwave" | b"ulw" | b"ulwave" => self.underline = on,
            b"strike" | b"striked" | b"deleted" => self.strike = on,
            b"v" => self.hidden = on,
            b"caps" => self.caps = if on { Caps::All } else { Caps::None },
            b"scaps" => self.caps = if on { Caps::Small } else { Caps::None },
            b"super" => self.script = if on { Script::Super } else { Script::Normal },
            b"sub" => self.script = if on { Script::Sub } else { Script::Normal },
            b"up" => self.script = if number == Some(0) { Script::Normal } else { Script::Super },
            b"dn" => self.script = if number == Some(0) { Script::Normal } else { Script::Sub },
            b"nosupersub" => self.script = Script::Normal,
            b"fs" => self.size = number.and_then(|n| u16::try_from(n).ok()).filter(|n| *n > 0).unwrap_or(24),
            b"cf" => self.color = color(),
            b"cb" | b"highlight" | b"chcbpat" => self.back = color(),
            _ => return false,
        }
        true
    }
}

/// Whether a merge word begins or continues a merged cell.
pub(super) fn merge(word: &[u8]) -> Option<(bool, Merge)> {
    match word {
        b"clmgf" => Some((true, Merge::First)),
        b"clmrg" => Some((true, Merge::Rest)),
        b"clvmgf" => Some((false, Merge::First)),
        b"clvmrg" => Some((false, Merge::Rest)),
        _ => None,
    }
}
