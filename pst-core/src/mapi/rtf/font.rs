//! The font table: which code page the text of a font is in, and what symbol fonts mean.

use crate::mapi::codepage;
use std::collections::HashMap;

/// The code page of text whose bytes are glyphs of a symbol font.
pub(super) const SYMBOL: u32 = 42;
/// Where the glyphs of symbol fonts stand in Unicode's private area.
const GLYPHS: u32 = 0xF000;
const MOST_FONTS: usize = 10_000;
const LONGEST_NAME: usize = 64;

/// A font.
#[derive(Debug, Clone, Default)]
pub(super) struct Font {
    /// Its name.
    pub name: String,
    /// The generic CSS family, if the table tells.
    pub family: &'static str,
    /// The code page of its text; 0 for the document's.
    pub page: u32,
    named: bool,
}

impl Font {
    /// True for fonts of glyphs.
    pub fn is_symbol(&self) -> bool {
        self.page == SYMBOL
    }
}

/// The fonts of a document.
#[derive(Debug)]
pub(super) struct Fonts {
    list: HashMap<i32, Font>,
    /// The code page of text in fonts that name none.
    pub page: u32,
    /// The font that `\plain` returns to.
    pub default: i32,
    defined: i32,
}

impl Fonts {
    pub fn new() -> Self {
        Self { list: HashMap::new(), page: 1252, default: -1, defined: -1 }
    }

    pub fn get(&self, number: i32) -> Option<&Font> {
        self.list.get(&number)
    }

    /// The code page of text in a font.
    pub fn page_of(&self, number: i32) -> u32 {
        self.get(number).map(|f| f.page).filter(|p| *p != 0).unwrap_or(self.page)
    }

    /// `\ansicpgN`; what no byte of RTF can be in counts as windows-1252.
    pub fn set_page(&mut self, number: Option<i32>) {
        let page = number.and_then(|n| u32::try_from(n).ok()).filter(|p| codepage::is_ascii_based(*p));
        self.page = page.unwrap_or(1252);
    }

    /// The page of text in the entry that is being read.
    pub fn defined_page(&self) -> u32 {
        self.page_of(self.defined)
    }

    /// A control word inside the table.
    pub fn word(&mut self, word: &[u8], number: Option<i32>) {
        if word == b"f" {
            self.defined = number.unwrap_or(0);
            if self.list.len() < MOST_FONTS {
                self.list.insert(self.defined, Font::default());
            }
            return;
        }
        let Some(font) = self.list.get_mut(&self.defined) else { return };
        match word {
            b"fcharset" => font.page = page_of_charset(number.unwrap_or(1)),
            b"cpg" if font.page == 0 => font.page = number.and_then(|n| u32::try_from(n).ok()).unwrap_or(0),
            b"froman" => font.family = "serif",
            b"fswiss" => font.family = "sans-serif",
            b"fmodern" => font.family = "monospace",
            b"fscript" => font.family = "cursive",
            _ => {}
        }
    }

    /// Text inside the table: a name, ended by a semicolon.
    pub fn text(&mut self, text: &str) {
        let Some(font) = self.list.get_mut(&self.defined) else { return };
        if font.named || font.name.len() > LONGEST_NAME {
            return;
        }
        let name = text.split(';').next().unwrap_or_default();
        font.name.push_str(name);
        font.named = name.len() < text.len();
    }
}

/// The code page of a Windows character set (`\fcharset`); 0 for the document's own.
fn page_of_charset(charset: i32) -> u32 {
    match charset {
        0 => 1252,
        2 => SYMBOL,
        77 => 10000,
        78 | 128 => 932,
        79 | 129 | 130 => 949,
        80 | 134 => 936,
        81 | 136 => 950,
        89 => 10007,
        161 => 1253,
        162 => 1254,
        163 => 1258,
        177 => 1255,
        178 => 1256,
        186 => 1257,
        204 => 1251,
        222 => 874,
        238 => 1250,
        254 => 437,
        255 => 850,
        _ => 0,
    }
}

/// The private character of a glyph.
pub(super) fn glyph(byte: u8) -> char {
    char::from_u32(GLYPHS + u32::from(byte)).unwrap_or('\u{FFFD}')
}

/// The byte of a private character.
fn glyph_byte(c: char) -> Option<u8> {
    u32::from(c).checked_sub(GLYPHS).and_then(|n| u8::try_from(n).ok()).filter(|b| *b >= 0x20)
}

/// Glyphs as the bytes that a text had them from, in windows-1252.
pub(super) fn plain(text: &str) -> String {
    text.chars()
        .map(|c| match glyph_byte(c) {
            Some(byte) => codepage::decode(1252, &[byte]).chars().next().unwrap_or(c),
            None => c,
        })
        .collect()
}

/// Glyphs of the fonts Symbol and Wingdings as the characters they show; others stay in the private area.
pub(super) fn shown(text: &str, font: &str) -> String {
    let table: &[(u8, char)] = match () {
        () if font.eq_ignore_ascii_case("Symbol") => SYMBOL_GLYPHS,
        () if font.eq_ignore_ascii_case("Wingdings") => WINGDINGS,
        () => &[],
    };
    let symbol = font.eq_ignore_ascii_case("Symbol");
    let show = |c: char| {
        let byte = glyph_byte(c)?;
        let found = table.iter().find(|(b, _)| *b == byte).map(|(_, c)| *c);
        found.or_else(|| (symbol && byte < 0x7F || byte == 0x20).then_some(char::from(byte)))
    };
    text.chars().map(|c| show(c).unwrap_or(c)).collect()
}

/// What differs from ASCII in Adobe's Symbol encoding.
const SYMBOL_GLYPHS: &[(u8, char)] = &[
    (0x22, '∀'),
    (0x24, '∃'),
    (0x27, '∋'),
    (0x2A, '∗'),
    (0x2D, '−'),
    (0x40, '≅'),
    (0x41, 'Α'),
    (0x42, 'Β'),
    (0x43, 'Χ'),
    (0x44, 'Δ'),
    (0x45, 'Ε'),
    (0x46, 'Φ'),
    (0x47, 'Γ'),
    (0x48, 'Η'),
    (0x49, 'Ι'),
    (0x4A, 'ϑ'),
    (0x4B, 'Κ'),
    (0x4C, 'Λ'),
    (0x4D, 'Μ'),
    (0x4E, 'Ν'),
    (0x4F, 'Ο'),
    (0x50, 'Π'),
    (0x51, 'Θ'),
    (0x52, 'Ρ'),
    (0x53, 'Σ'),
    (0x54, 'Τ'),
    (0x55, 'Υ'),
    (0x56, 'ς'),
    (0x57, 'Ω'),
    (0x58, 'Ξ'),
    (0x59, 'Ψ'),
    (0x5A, 'Ζ'),
    (0x5C, '∴'),
    (0x5E, '⊥'),
    (0x61, 'α'),
    (0x62, 'β'),
    (0x63, 'χ'),
    (0x64, 'δ'),
    (0x65, 'ε'),
    (0x66, 'φ'),
    (0x67, 'γ'),
    (0x68, 'η'),
    (0x69, 'ι'),
    (0x6A, 'ϕ'),
    (0x6B, 'κ'),
    (0x6C, 'λ'),
    (0x6D, 'μ'),
    (0x6E, 'ν'),
    (0x6F, 'ο'),
    (0x70, 'π'),
    (0x71, 'θ'),
    (0x72, 'ρ'),
    (0x73, 'σ'),
    (0x74, 'τ'),
    (0x75, 'υ'),
    (0x76, 'ϖ'),
    (0x77, 'ω'),
    (0x78, 'ξ'),
    (0x79, 'ψ'),
    (0x7A, 'ζ'),
    (0x7E, '∼'),
    (0xA0, '€'),
    (0xA1, 'ϒ'),
    (0xA2, '′'),
    (0xA3, '≤'),
    (0xA4, '⁄'),
    (0xA5, '∞'),
    (0xA6, 'ƒ'),
    (0xA7, '♣'),
    (0xA8, '♦'),
    (0xA9, '♥'),
    (0xAA, '♠'),
    (0xAB, '↔'),
    (0xAC, '←'),
    (0xAD, '↑'),
    (0xAE, '→'),
    (0xAF, '↓'),
    (0xB0, '°'),
    (0xB1, '±'),
    (0xB2, '″'),
    (0xB3, '≥'),
    (0xB4, '×'),
    (0xB5, '∝'),
    (0xB6, '∂'),
    (0xB7, '•'),
    (0xB8, '÷'),
    (0xB9, '≠'),
    (0xBA, '≡'),
    (0xBB, '≈'),
    (0xBC, '…'),
    (0xC0, 'ℵ'),
    (0xC1, 'ℑ'),
    (0xC2, 'ℜ'),
    (0xC3, '℘'),
    (0xC4, '⊗'),
    (0xC5, '⊕'),
    (0xC6, '∅'),
    (0xC7, '∩'),
    (0xC8, '∪'),
    (0xC9, '⊃'),
    (0xCA, '⊇'),
    (0xCB, '⊄'),
    (0xCC, '⊂'),
    (0xCD, '⊆'),
    (0xCE, '∈'),
    (0xCF, '∉'),
    (0xD0, '∠'),
    (0xD1, '∇'),
    (0xD2, '®'),
    (0xD3, '©'),
    (0xD4, '™'),
    (0xD5, '∏'),
    (0xD6, '√'),
    (0xD7, '⋅'),
    (0xD8, '¬'),
    (0xD9, '∧'),
    (0xDA, '∨'),
    (0xDB, '⇔'),
    (0xDC, '⇐'),
    (0xDD, '⇑'),
    (0xDE, '⇒'),
    (0xDF, '⇓'),
    (0xE0, '◊'),
    (0xE1, '〈'),
    (0xE5, '∑'),
    (0xF1, '〉'),
    (0xF2, '∫'),
];

/// The glyphs of Wingdings that mail uses: faces, bullets, arrows, marks.
const WINGDINGS: &[(u8, char)] = &[
    (0x28, '☎'),
    (0x2A, '✉'),
    (0x36, '⌛'),
    (0x43, '👍'),
    (0x44, '👎'),
    (0x46, '☞'),
    (0x4A, '☺'),
    (0x4B, '😐'),
    (0x4C, '☹'),
    (0x6C, '●'),
    (0x6D, '❍'),
    (0x6E, '■'),
    (0x6F, '□'),
    (0x71, '❑'),
    (0x72, '❒'),
    (0x73, '⬧'),
    (0x74, '⧫'),
    (0x75, '◆'),
    (0x76, '❖'),
    (0x77, '⬥'),
    (0x9E, '·'),
    (0x9F, '•'),
    (0xA7, '▪'),
    (0xA8, '◻'),
    (0xAB, '★'),
    (0xD8, '➢'),
    (0xDF, '←'),
    (0xE0, '→'),
    (0xE1, '↑'),
    (0xE2, '↓'),
    (0xE7, '⇦'),
    (0xE8, '➔'),
    (0xF0, '⇨'),
    (0xFB, '✗'),
    (0xFC, '✓'),
    (0xFD, '☒'),
    (0xFE, '☑'),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn glyphs() {
        let text: String = [0x61, 0xB7, 0x28].into_iter().map(glyph).collect();
        assert_eq!(shown(&text, "Symbol"), "α•(");
        assert_eq!(shown("\u{F04A}\u{F020}x", "Wingdings"), "☺ x");
        assert_eq!(shown("\u{F04A}", "Webdings"), "\u{F04A}");
        assert_eq!(plain("\u{F04A}\u{F0A7}z"), "J§z");
    }

    #[test]
    fn the_table() {
        let mut fonts = Fonts::new();
        fonts.set_page(Some(1251));
        fonts.word(b"f", Some(3));
        fonts.word(b"fswiss", None);
        fonts.word(b"fcharset", Some(128));
        fonts.text("MS ");
        fonts.text("Gothic;rest");
        fonts.text("more");
        let font = fonts.get(3).unwrap();
        assert_eq!((font.name.as_str(), font.family, fonts.page_of(3)), ("MS Gothic", "sans-serif", 932));
        assert_eq!(fonts.page_of(4), 1251);
        fonts.set_page(Some(1200));
        assert_eq!(fonts.page_of(4), 1252);
    }
}
