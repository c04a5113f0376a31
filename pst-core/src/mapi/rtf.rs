//! Rich text bodies: LZFu decompression ([MS-OXRTFCP]) and de-encapsulation of HTML and text ([MS-OXRTFEX]).

use super::codepage;
use encoding_rs::{Encoding, WINDOWS_1252};

/// What the dictionary starts with ([MS-OXRTFCP] 2.1.2.1).
const PRELOAD: &[u8; 207] = b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";
const RING: usize = 4096;
const COMPRESSED: u32 = 0x7546_5A4C;
const STORED: u32 = 0x414C_454D;
/// Groups that are looked into; deeper ones are read over.
const DEEPEST: usize = 1000;

/// Decompresses PidTagRtfCompressed. Sizes and checksum are not trusted; `limit` bounds the result. `None` if the
/// signature is unknown.
pub fn decompress(bytes: &[u8], limit: usize) -> Option<Vec<u8>> {
    let word = |at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    let raw_size = word(4)? as usize;
    let kind = word(8)?;
    let end = (word(0)? as usize).saturating_add(4).clamp(16, bytes.len().max(16));
    let data = bytes.get(16..end).or_else(|| bytes.get(16..))?;
    match kind {
        STORED => Some(data.get(..raw_size.min(data.len()).min(limit)).unwrap_or_default().to_vec()),
        COMPRESSED => Some(unpack(data, raw_size.min(limit))),
        _ => None,
    }
}

fn unpack(data: &[u8], size: usize) -> Vec<u8> {
    let mut ring = [b' '; RING];
    for (to, from) in ring.iter_mut().zip(PRELOAD) {
        *to = *from;
    }
    let mut at = PRELOAD.len();
    let mut out = Vec::with_capacity(size.min(1 << 20));
    let mut input = data.iter().copied();
    'all: while let Some(control) = input.next() {
        for bit in 0..8 {
            if out.len() >= size {
                break 'all;
            }
            if control & (1 << bit) == 0 {
                let Some(byte) = input.next() else { break 'all };
                put(&mut ring, &mut at, byte, &mut out);
                continue;
            }
            let (Some(high), Some(low)) = (input.next(), input.next()) else { break 'all };
            let reference = u16::from_be_bytes([high, low]);
            let from = usize::from(reference >> 4);
            if from == at {
                break 'all;
            }
            for i in 0..usize::from(reference & 15) + 2 {
                let byte = ring.get((from + i) % RING).copied().unwrap_or_default();
                put(&mut ring, &mut at, byte, &mut out);
            }
        }
    }
    out.truncate(size);
    out
}

fn put(ring: &mut [u8; RING], at: &mut usize, byte: u8, out: &mut Vec<u8>) {
    if let Some(slot) = ring.get_mut(*at) {
        *slot = byte;
    }
    *at = (*at + 1) % RING;
    out.push(byte);
}

/// What an RTF text turned out to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// HTML that was encapsulated (`\fromhtml1`).
    Html(String),
    /// Plain text that was encapsulated (`\fromtext`).
    Text(String),
    /// Genuine RTF, as plain text.
    Rich(String),
}

/// Reads an RTF text. Never fails: what is not understood is passed over.
pub fn read(rtf: &[u8]) -> Content {
    let mut reader = Reader::new(rtf);
    reader.run();
    reader.flush();
    match reader.kind {
        Kind::Html => Content::Html(reader.out),
        Kind::Text => Content::Text(reader.out),
        Kind::Rich => Content::Rich(reader.out),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Html,
    Text,
    Rich,
}

#[derive(Clone, Copy)]
enum Destination {
    /// The document itself.
    Body,
    /// `\*\htmltag`: copied as it is.
    Tag,
    FontTable,
    /// Read over.
    Ignored,
}

#[derive(Clone, Copy)]
struct State {
    destination: Destination,
    /// Between `\htmlrtf` and `\htmlrtf0`.
    suppressed: bool,
    font: i32,
    unicode_skip: i32,
}

struct Reader<'a> {
    rest: &'a [u8],
    out: String,
    pending: Vec<u8>,
    pending_page: i32,
    kind: Kind,
    state: State,
    stack: Vec<State>,
    overflow: usize,
    default_page: i32,
    default_font: i32,
    fonts: std::collections::HashMap<i32, i32>,
    defined_font: i32,
    starred: bool,
    skip: i32,
    high: Option<u16>,
}

impl<'a> Reader<'a> {
    fn new(rtf: &'a [u8]) -> Self {
        let state = State { destination: Destination::Body, suppressed: false, font: -1, unicode_skip: 1 };
        Self {
            rest: rtf,
            out: String::with_capacity(rtf.len() / 2),
            pending: Vec::new(),
            pending_page: 1252,
            kind: Kind::Rich,
            state,
            stack: Vec::new(),
            overflow: 0,
            default_page: 1252,
            default_font: -1,
            fonts: std::collections::HashMap::new(),
            defined_font: -1,
            starred: false,
            skip: 0,
            high: None,
        }
    }

    fn run(&mut self) {
        while let Some((&byte, tail)) = self.rest.split_first() {
            self.rest = tail;
            match byte {
                b'{' => self.open(),
                b'}' => self.close(),
                b'\\' => self.control(),
                b'\r' | b'\n' | 0 => {}
                _ => self.byte(byte),
            }
        }
    }

    fn open(&mut self) {
        self.skip = 0;
        if self.stack.len() < DEEPEST {
            self.stack.push(self.state);
        } else {
            self.overflow += 1;
        }
    }

    fn close(&mut self) {
        self.skip = 0;
        self.starred = false;
        if self.overflow > 0 {
            self.overflow -= 1;
        } else if let Some(state) = self.stack.pop() {
            self.state = state;
        }
    }

    fn control(&mut self) {
        let Some((&byte, tail)) = self.rest.split_first() else { return };
        if byte.is_ascii_alphabetic() {
            let len = self.rest.iter().position(|b| !b.is_ascii_alphabetic()).unwrap_or(self.rest.len());
            let (word, rest) = self.rest.split_at(len);
            let digits = rest
                .iter()
                .enumerate()
                .position(|(i, b)| !(b.is_ascii_digit() || (i == 0 && *b == b'-')))
                .unwrap_or(rest.len());
            let (number, rest) = rest.split_at(digits);
            self.rest = rest.strip_prefix(b" ").unwrap_or(rest);
            let number = std::str::from_utf8(number).ok().and_then(|n| n.parse::<i32>().ok());
            self.word(word, number);
            return;
        }
        self.rest = tail;
        match byte {
            b'*' => self.starred = true,
            b'\'' => {
                let code = tail.get(..2).and_then(|h| std::str::from_utf8(h).ok());
                if let Some(code) = code.and_then(|h| u8::from_str_radix(h, 16).ok()) {
                    self.rest = tail.get(2..).unwrap_or_default();
                    self.byte(code);
                }
            }
            b'\\' | b'{' | b'}' => self.byte(byte),
            b'~' => self.text("\u{a0}"),
            b'_' => self.text("\u{2011}"),
            b'\r' | b'\n' => self.text("\r\n"),
            _ => {}
        }
    }

    fn word(&mut self, word: &[u8], number: Option<i32>) {
        let starred = std::mem::take(&mut self.starred);
        match word {
            b"fromhtml" => self.kind = Kind::Html,
            b"fromtext" => self.kind = Kind::Text,
            b"ansicpg" => self.default_page = number.filter(|n| *n > 0).unwrap_or(1252),
            b"mac" => self.default_page = 10000,
            b"deff" => self.default_font = number.unwrap_or(-1),
            b"fonttbl" => self.state.destination = Destination::FontTable,
            b"htmltag" => self.state.destination = Destination::Tag,
            b"htmlrtf" => self.state.suppressed = number != Some(0),
            b"f" => match self.state.destination {
                Destination::FontTable => self.defined_font = number.unwrap_or(0),
                _ => self.state.font = number.unwrap_or(-1),
            },
            b"fcharset" => {
                if self.fonts.len() < 10_000 {
                    self.fonts.insert(self.defined_font, page_of_font(number.unwrap_or(0)));
                }
            }
            b"plain" => self.state.font = self.default_font,
            b"uc" => self.state.unicode_skip = number.unwrap_or(1).clamp(0, 100),
            b"u" => self.unicode(number.unwrap_or(0)),
            b"bin" => {
                let len = usize::try_from(number.unwrap_or(0)).unwrap_or(0).min(self.rest.len());
                self.rest = self.rest.get(len..).unwrap_or_default();
            }
            b"colortbl" | b"stylesheet" | b"info" | b"pict" | b"header" | b"footer" | b"headerl" | b"headerr"
            | b"footerl" | b"footerr" | b"mhtmltag" | b"generator" | b"listtable" | b"listoverridetable"
            | b"fldinst" | b"themedata" | b"datastore" | b"objdata" | b"xmlnstbl" | b"latentstyles" | b"rsidtbl" => {
                self.state.destination = Destination::Ignored;
            }
            _ if starred => self.state.destination = Destination::Ignored,
            _ => self.symbol(word),
        }
    }

    fn symbol(&mut self, word: &[u8]) {
        let text = match word {
            b"par" | b"line" | b"row" | b"sect" | b"page" => "\r\n",
            b"tab" | b"cell" => "\t",
            b"lquote" => "\u{2018}",
            b"rquote" => "\u{2019}",
            b"ldblquote" => "\u{201c}",
            b"rdblquote" => "\u{201d}",
            b"bullet" => "\u{2022}",
            b"endash" => "\u{2013}",
            b"emdash" => "\u{2014}",
            b"enspace" => "\u{2002}",
            b"emspace" => "\u{2003}",
            _ => return,
        };
        self.text(text);
    }

    /// `\uN`: a UTF-16 unit, followed by what programs without Unicode show in its place.
    fn unicode(&mut self, number: i32) {
        self.skip = 0;
        let unit = number as u16;
        if !self.shown() {
            self.skip = self.state.unicode_skip;
            return;
        }
        self.flush_bytes();
        match (self.high.take(), unit) {
            (_, 0xD800..=0xDBFF) => self.high = Some(unit),
            (Some(high), 0xDC00..=0xDFFF) => {
                self.out.push_str(&String::from_utf16_lossy(&[high, unit]));
            }
            _ => self.out.push_str(&String::from_utf16_lossy(&[unit])),
        }
        self.skip = self.state.unicode_skip;
    }

    fn shown(&self) -> bool {
        self.overflow == 0
            && match self.state.destination {
                Destination::Body => !(self.state.suppressed && self.kind != Kind::Rich),
                Destination::Tag => self.kind == Kind::Html,
                Destination::FontTable | Destination::Ignored => false,
            }
    }

    fn byte(&mut self, byte: u8) {
        if self.skip > 0 {
            self.skip -= 1;
            return;
        }
        if !self.shown() {
            return;
        }
        let page = match self.state.destination {
            Destination::Tag => self.default_page,
            _ => self.fonts.get(&self.state.font).copied().filter(|p| *p != 0).unwrap_or(self.default_page),
        };
        if page != self.pending_page {
            self.flush_bytes();
            self.pending_page = page;
        }
        self.pending.push(byte);
    }

    fn text(&mut self, text: &str) {
        if self.skip > 0 {
            self.skip -= 1;
            return;
        }
        if self.shown() {
            self.flush_bytes();
            self.out.push_str(text);
        }
    }

    fn flush_bytes(&mut self) {
        if self.high.take().is_some() {
            self.out.push('\u{FFFD}');
        }
        if self.pending.is_empty() {
            return;
        }
        let text = encoding(self.pending_page).decode_without_bom_handling(&self.pending).0;
        self.out.push_str(&text);
        self.pending.clear();
    }

    fn flush(&mut self) {
        self.flush_bytes();
    }
}

/// The code page of a Windows character set ([MS-RTF] `\fcharset`); 0 for the default one.
fn page_of_font(charset: i32) -> i32 {
    match charset {
        77 => 10000,
        128 => 932,
        129 | 130 => 949,
        134 => 936,
        136 => 950,
        161 => 1253,
        162 => 1254,
        163 => 1258,
        177 => 1255,
        178 => 1256,
        186 => 1257,
        204 => 1251,
        222 => 874,
        238 => 1250,
        _ => 0,
    }
}

fn encoding(page: i32) -> &'static Encoding {
    u32::try_from(page).ok().and_then(codepage::encoding).unwrap_or(WINDOWS_1252)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn example_of_the_specification() {
        // [MS-OXRTFCP] 3.1.1: "{\rtf1\ansi\ansicpg1252\pard hello world}\r\n".
        let bytes = [
            0x2d, 0x00, 0x00, 0x00, 0x2b, 0x00, 0x00, 0x00, 0x4c, 0x5a, 0x46, 0x75, 0xf1, 0xc5, 0xc7, 0xa7, 0x03, 0x00,
            0x0a, 0x00, 0x72, 0x63, 0x70, 0x67, 0x31, 0x32, 0x35, 0x42, 0x32, 0x0a, 0xf3, 0x20, 0x68, 0x65, 0x6c, 0x09,
            0x00, 0x20, 0x62, 0x77, 0x05, 0xb0, 0x6c, 0x64, 0x7d, 0x0a, 0x80, 0x0f, 0xa0,
        ];
        let text = decompress(&bytes, 1000).unwrap();
        assert_eq!(text, b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n");
        assert_eq!(read(&text), Content::Rich("hello world".to_owned()));
        for cut in 0..bytes.len() {
            let _ = decompress(&bytes[..cut], 1000);
        }
    }

    #[test]
    fn html_comes_out() {
        let rtf = br#"{\rtf1\ansi\ansicpg1251\fromhtml1 \deff0{\fonttbl{\f0\fswiss Arial;}{\f1\fcharset128 MS;}}
{\*\htmltag64 <p title="\'ef">}\htmlrtf {\htmlrtf0 a\u8364 ?\{\f1 \'93\'fa\htmlrtf }\htmlrtf0{\*\mhtmltag0 no}\par
{\*\htmltag72 </p>}}"#;
        assert_eq!(read(rtf), Content::Html("<p title=\"п\">a€{日\r\n</p>".to_owned()));
    }

    #[test]
    fn text_comes_out() {
        let rtf = b"{\\rtf1\\ansi\\fromtext{\\fonttbl{\\f0 A;}}\\pard a\\tab b\\par c\\'e9}";
        assert_eq!(read(rtf), Content::Text("a\tb\r\nc\u{e9}".to_owned()));
    }

    #[test]
    fn depth_is_bounded() {
        let mut rtf = vec![b'{'; 200_000];
        rtf.extend_from_slice(b"x");
        assert!(matches!(read(&rtf), Content::Rich(_)));
    }
}
