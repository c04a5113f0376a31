//! Reads RTF: groups, fonts, code pages and Unicode escapes are dealt with here, the rest is the target's.

use super::font::{self, Font, Fonts, SYMBOL};
use super::token::{Token, Tokens};
use crate::mapi::codepage;

/// Groups that are looked into; deeper ones are read over.
const DEEPEST: usize = 1000;

/// What becomes of a control word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// The group goes on.
    Go,
    /// The rest of the group is read over.
    Skip,
}

/// What takes a document apart, in order.
pub(super) trait Target {
    /// A group begins.
    fn open(&mut self) {}
    /// A group ends.
    fn close(&mut self) {}
    /// A control word, `\*` before it or not.
    fn word(&mut self, word: &[u8], number: Option<i32>, starred: bool) -> Fate;
    /// Text in a font; that of symbol fonts stands in the private area.
    fn text(&mut self, text: &str, number: i32, font: Option<&Font>);
    /// A character that is written as a control word or symbol.
    fn symbol(&mut self, c: char, number: i32, font: Option<&Font>) {
        self.text(c.encode_utf8(&mut [0; 4]), number, font);
    }
    /// The data of `\bin`.
    fn binary(&mut self, _data: &[u8]) {}
}

/// Reads a document into a target. What is not understood is passed over.
pub(super) fn read(rtf: &[u8], target: &mut impl Target) -> Fonts {
    let mut reader = Reader::new(target);
    for token in Tokens::new(rtf) {
        reader.token(token);
    }
    reader.flush();
    reader.fonts
}

#[derive(Clone, Copy)]
struct State {
    font: i32,
    /// Characters after `\uN` that stand for it in programs without Unicode.
    replaced: i32,
    skipped: bool,
    /// Inside the font table.
    fonts: bool,
}

struct Reader<'t, T> {
    target: &'t mut T,
    fonts: Fonts,
    state: State,
    stack: Vec<State>,
    /// Groups that are open beyond [`DEEPEST`].
    overflow: usize,
    starred: bool,
    /// Characters that are still to be skipped after `\uN`.
    skip: i32,
    /// The first half of a surrogate pair.
    high: Option<u16>,
    /// Bytes that are not yet decoded.
    bytes: Vec<u8>,
    page: u32,
    /// Text that the target has not yet seen.
    text: String,
}

impl<'t, T: Target> Reader<'t, T> {
    fn new(target: &'t mut T) -> Self {
        let state = State { font: -1, replaced: 1, skipped: false, fonts: false };
        Self {
            target,
            fonts: Fonts::new(),
            state,
            stack: Vec::new(),
            overflow: 0,
            starred: false,
            skip: 0,
            high: None,
            bytes: Vec::new(),
            page: 1252,
            text: String::new(),
        }
    }

    fn token(&mut self, token: Token<'_>) {
        let starred = std::mem::take(&mut self.starred);
        match token {
            Token::Open => self.open(),
            Token::Close => self.close(),
            Token::Word(word, number) => self.word(word, number, starred),
            Token::Symbol(b'*') => self.starred = true,
            Token::Symbol(byte) => self.symbol(byte),
            Token::Hex(byte) => self.push(&[byte]),
            Token::Text(bytes) => self.push(bytes),
            Token::Binary(data) => {
                if self.skip > 0 {
                    self.skip -= 1;
                } else if self.is_shown() {
                    self.deliver();
                    self.target.binary(data);
                }
            }
        }
    }

    fn open(&mut self) {
        self.skip = 0;
        if self.overflow > 0 || self.stack.len() >= DEEPEST {
            self.overflow += 1;
            return;
        }
        self.deliver();
        self.stack.push(self.state);
        self.target.open();
    }

    fn close(&mut self) {
        self.skip = 0;
        if self.overflow > 0 {
            self.overflow -= 1;
            return;
        }
        let Some(state) = self.stack.pop() else { return };
        if self.state.fonts {
            self.flush();
        } else {
            self.deliver();
        }
        self.state = state;
        self.target.close();
    }

    fn is_shown(&self) -> bool {
        !self.state.skipped && self.overflow == 0
    }

    fn word(&mut self, word: &[u8], number: Option<i32>, starred: bool) {
        if self.overflow > 0 {
            return;
        }
        if self.state.skipped {
            if word == b"ud" {
                self.state.skipped = false;
            }
            return;
        }
        match word {
            b"ansicpg" => self.fonts.set_page(number),
            b"mac" => self.fonts.set_page(Some(10000)),
            b"pc" => self.fonts.set_page(Some(437)),
            b"pca" => self.fonts.set_page(Some(850)),
            b"deff" => {
                self.fonts.default = number.unwrap_or(-1);
                self.state.font = self.fonts.default;
            }
            b"uc" => self.state.replaced = number.unwrap_or(1).clamp(0, 100),
            b"u" => self.unicode(number.unwrap_or(0)),
            b"fonttbl" => self.state.fonts = true,
            _ if self.state.fonts => self.font_word(word, number, starred),
            b"f" => {
                self.deliver();
                self.state.font = number.unwrap_or(-1);
            }
            b"upr" => self.state.skipped = true,
            _ => match character(word) {
                Some(c) => self.character(c),
                None => {
                    self.deliver();
                    if word == b"plain" {
                        self.state.font = self.fonts.default;
                    }
                    if self.target.word(word, number, starred) == Fate::Skip {
                        self.state.skipped = true;
                    }
                }
            },
        }
    }

    fn font_word(&mut self, word: &[u8], number: Option<i32>, starred: bool) {
        self.flush();
        if starred {
            self.state.skipped = true;
        } else {
            self.fonts.word(word, number);
        }
    }

    fn symbol(&mut self, byte: u8) {
        match byte {
            b'\\' | b'{' | b'}' => self.push(&[byte]),
            b'~' => self.character('\u{A0}'),
            b'_' => self.character('\u{2011}'),
            b'-' => self.character('\u{AD}'),
            b'\r' | b'\n' => self.word(b"par", None, false),
            b'\t' => self.word(b"tab", None, false),
            _ => {}
        }
    }

    fn character(&mut self, c: char) {
        if self.skip > 0 {
            self.skip -= 1;
        } else if self.is_shown() && !self.state.fonts {
            self.flush();
            let font = self.fonts.get(self.state.font);
            self.target.symbol(c, self.state.font, font);
        }
    }

    /// `\uN`: a UTF-16 unit, followed by what programs without Unicode show in its place.
    fn unicode(&mut self, number: i32) {
        self.decode(true);
        self.skip = self.state.replaced;
        if let Some(c) = u32::try_from(number).ok().filter(|n| *n > 0xFFFF).and_then(char::from_u32) {
            self.text.push(c);
            return;
        }
        let unit = number as u16;
        let high = self.high.take();
        match (high, unit) {
            (None, 0xD800..=0xDBFF) => self.high = Some(unit),
            (Some(high), 0xDC00..=0xDFFF) => self.text.push_str(&String::from_utf16_lossy(&[high, unit])),
            (Some(_), 0xD800..=0xDBFF) => {
                self.text.push('\u{FFFD}');
                self.high = Some(unit);
            }
            (high, _) => {
                if high.is_some() {
                    self.text.push('\u{FFFD}');
                }
                self.text.push_str(&String::from_utf16_lossy(&[unit]));
            }
        }
    }

    fn push(&mut self, mut bytes: &[u8]) {
        if self.skip > 0 {
            let skipped = (self.skip as usize).min(bytes.len());
            self.skip -= skipped as i32;
            bytes = bytes.get(skipped..).unwrap_or_default();
        }
        if bytes.is_empty() || !self.is_shown() {
            return;
        }
        let page = if self.state.fonts { self.fonts.defined_page() } else { self.page_of_text() };
        if page != self.page {
            self.decode(true);
            self.page = page;
        }
        if self.high.take().is_some() {
            self.text.push('\u{FFFD}');
        }
        match std::str::from_utf8(bytes) {
            Ok(ascii) if self.bytes.is_empty() && page != SYMBOL && ascii.is_ascii() => self.text.push_str(ascii),
            _ => self.bytes.extend_from_slice(bytes),
        }
    }

    fn page_of_text(&self) -> u32 {
        self.fonts.page_of(self.state.font)
    }

    /// Decodes what has come in; the first half of a two-byte character waits for the second unless `all`.
    fn decode(&mut self, all: bool) {
        if self.bytes.is_empty() {
            return;
        }
        if self.page == SYMBOL {
            self.text.extend(self.bytes.drain(..).map(font::glyph));
            return;
        }
        let held = if all { 0 } else { codepage::incomplete(self.page, &self.bytes) };
        let rest = self.bytes.split_off(self.bytes.len() - held);
        self.text.push_str(&codepage::decode(self.page, &self.bytes));
        self.bytes = rest;
    }

    /// Hands text over, all but half a character.
    fn deliver(&mut self) {
        self.decode(false);
        self.hand_over();
    }

    /// Hands everything over.
    fn flush(&mut self) {
        self.decode(true);
        if self.high.take().is_some() {
            self.text.push('\u{FFFD}');
        }
        self.hand_over();
    }

    fn hand_over(&mut self) {
        if self.text.is_empty() {
            return;
        }
        if self.state.fonts {
            self.fonts.text(&self.text);
        } else {
            let font = self.fonts.get(self.state.font);
            self.target.text(&self.text, self.state.font, font);
        }
        self.text.clear();
    }
}

/// Control words that are characters.
fn character(word: &[u8]) -> Option<char> {
    Some(match word {
        b"lquote" => '\u{2018}',
        b"rquote" => '\u{2019}',
        b"ldblquote" => '\u{201C}',
        b"rdblquote" => '\u{201D}',
        b"bullet" => '\u{2022}',
        b"endash" => '\u{2013}',
        b"emdash" => '\u{2014}',
        b"enspace" => '\u{2002}',
        b"emspace" => '\u{2003}',
        b"qmspace" => '\u{2005}',
        b"zwj" => '\u{200D}',
        b"zwnj" => '\u{200C}',
        b"zwbo" => '\u{200B}',
        b"zwnbo" => '\u{2060}',
        b"ltrmark" => '\u{200E}',
        b"rtlmark" => '\u{200F}',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct All(String);

    impl Target for All {
        fn word(&mut self, word: &[u8], _number: Option<i32>, starred: bool) -> Fate {
            if word == b"par" {
                self.0.push('|');
            }
            if starred { Fate::Skip } else { Fate::Go }
        }

        fn text(&mut self, text: &str, _number: i32, _font: Option<&Font>) {
            self.0.push_str(text);
        }
    }

    fn text_of(rtf: &[u8]) -> String {
        let mut all = All::default();
        read(rtf, &mut all);
        all.0
    }

    #[test]
    fn two_byte_characters() {
        let head = br"{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0 A;}{\f1\fcharset128 M;}{\f2\fcharset134 S;}{\f3\fcharset129 B;}{\f4\fcharset136 P;}}";
        let body = |rtf: &[u8]| text_of(&[head, rtf, b"}"].concat());
        assert_eq!(body(br"\f1 \'93\'fa\'96{\b \'7b}"), "日本");
        // The second byte is a letter, a backslash, a brace, on a new line, behind a word, in a group of its own.
        assert_eq!(body(b"\\f1 \\'83A\\'83\\\\\\'83\\}\\'93\r\n\\'fa\\'93\\b \\'fa{\\i\\'93}\\'fa"), "アソマ日日日");
        assert_eq!(body(br"\f2 \'d6\'d0{\f3 \'b0\'a1}\f4 \'a4\'a4\f0 \'e9"), "中가中é");
        assert_eq!(body(br"\f1 \'93\u26412 ?x"), "\u{FFFD}本x");
    }

    #[test]
    fn unicode_escapes() {
        assert_eq!(text_of(br"{\rtf1 \u8364?\u-10179?\u-8704?\uc0\u169 \uc2\u26085\'93\'fa!}"), "€😀©日!");
        assert_eq!(text_of(br"{\rtf1 {\uc3\u65 abcd}\u66 \'3fe\u128512 ?}"), "AdBe😀");
        assert_eq!(text_of(br"{\rtf1 \u-10179?x\u-8704?y}"), "\u{FFFD}x\u{FFFD}y");
        assert_eq!(text_of(br"{\rtf1{\upr{\b old}{\*\ud{new\u8364 ?}}}}"), "new€");
    }

    #[test]
    fn destinations_and_characters() {
        assert_eq!(
            text_of(b"{\\rtf1 a\\~b\\_c\\-\\lquote\\emdash  d\\\r\ne{\\*\\what x{y}}f\\par}"),
            "a\u{A0}b\u{2011}c\u{AD}‘— d|ef|"
        );
        assert_eq!(text_of(br"{\rtf1\mac \'8e\pc \'82\pca \'d5}"), "ééı");
    }

    #[test]
    fn depth_is_bounded() {
        let mut rtf = vec![b'{'; 200_000];
        rtf.extend_from_slice(b"x");
        assert_eq!(text_of(&rtf), "");
    }
}
