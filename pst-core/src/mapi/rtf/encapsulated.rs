//! HTML and plain text that were wrapped in RTF, as they were ([MS-OXRTFEX] 2.2.3).

use super::font::{self, Font};
use super::reader::{self, Fate, Target};
use super::token::{Token, Tokens};

/// Tokens that are searched for `\fromhtml` and `\fromtext`.
const HEADER: usize = 1000;

/// What an RTF text was made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// HTML (`\fromhtml1`).
    Html,
    /// Plain text (`\fromtext`).
    Text,
    /// It was RTF from the start.
    Rich,
}

/// What an RTF text was made from, as its header says ([MS-OXRTFEX] 2.2.3.1).
pub fn origin(rtf: &[u8]) -> Origin {
    let mut depth = 0;
    for token in Tokens::new(rtf).take(HEADER) {
        match token {
            Token::Open => depth += 1,
            Token::Close => depth -= 1,
            Token::Word(b"fromhtml", number) if depth == 1 && number != Some(0) => return Origin::Html,
            Token::Word(b"fromtext", _) if depth == 1 => return Origin::Text,
            Token::Word(b"htmltag" | b"pard" | b"par", _) => break,
            Token::Text(text) if depth == 1 && !text.trim_ascii().is_empty() => break,
            _ => {}
        }
    }
    Origin::Rich
}

/// The HTML or text that an RTF text encapsulates ([MS-OXRTFEX] 2.2.3.2, 2.2.3.3).
pub fn unwrap(rtf: &[u8], origin: Origin) -> String {
    let mut target = Encapsulated {
        html: origin == Origin::Html,
        out: String::with_capacity(rtf.len() / 2),
        state: State::default(),
        stack: Vec::new(),
    };
    reader::read(rtf, &mut target);
    target.out
}

#[derive(Clone, Copy, Default)]
struct State {
    /// Inside `\*\htmltag`.
    tag: bool,
    /// Between `\htmlrtf` and `\htmlrtf0`.
    suppressed: bool,
}

struct Encapsulated {
    html: bool,
    out: String,
    state: State,
    stack: Vec<State>,
}

impl Encapsulated {
    fn is_shown(&self) -> bool {
        !self.html || self.state.tag || !self.state.suppressed
    }
}

impl Target for Encapsulated {
    fn open(&mut self) {
        self.stack.push(self.state);
    }

    fn close(&mut self) {
        self.state = self.stack.pop().unwrap_or_default();
    }

    fn word(&mut self, word: &[u8], number: Option<i32>, starred: bool) -> Fate {
        match word {
            b"htmltag" if self.html => self.state.tag = true,
            b"htmlrtf" if self.html => self.state.suppressed = number != Some(0),
            b"par" | b"line" if self.is_shown() => self.out.push_str("\r\n"),
            b"tab" if self.is_shown() => self.out.push('\t'),
            b"colortbl" | b"stylesheet" | b"info" | b"pict" | b"header" | b"headerl" | b"headerr" | b"headerf"
            | b"footer" | b"footerl" | b"footerr" | b"footerf" | b"htmltag" | b"mhtmltag" | b"pntext" | b"listtext"
            | b"fldinst" | b"nonshppict" => return Fate::Skip,
            _ if starred => return Fate::Skip,
            _ => {}
        }
        Fate::Go
    }

    fn text(&mut self, text: &str, _number: i32, font: Option<&Font>) {
        if !self.is_shown() {
            return;
        }
        // The HTML chose the symbol font with a tag, so its text is that of the keys.
        if font.is_some_and(Font::is_symbol) {
            self.out.push_str(&font::plain(text));
        } else {
            self.out.push_str(text);
        }
    }

    fn symbol(&mut self, c: char, number: i32, font: Option<&Font>) {
        let reference = match c {
            _ if !self.html || self.state.tag => None,
            '\u{A0}' => Some("&nbsp;"),
            '\u{AD}' | '\u{2011}' => Some("&shy;"),
            '\u{2018}' => Some("&lsquo;"),
            '\u{2019}' => Some("&rsquo;"),
            '\u{201C}' => Some("&ldquo;"),
            '\u{201D}' => Some("&rdquo;"),
            '\u{2022}' => Some("&bull;"),
            '\u{2013}' => Some("&ndash;"),
            '\u{2014}' => Some("&mdash;"),
            _ => None,
        };
        match reference {
            Some(reference) if self.is_shown() => self.out.push_str(reference),
            Some(_) => {}
            None => self.text(c.encode_utf8(&mut [0; 4]), number, font),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn html(rtf: &[u8]) -> String {
        assert_eq!(origin(rtf), Origin::Html);
        unwrap(rtf, Origin::Html)
    }

    #[test]
    fn html_comes_out() {
        let rtf = br#"{\rtf1\ansi\ansicpg1251\fromhtml1 \deff0{\fonttbl{\f0\fswiss Arial;}{\f1\fcharset128 MS;}{\f2\fnil\fcharset2 Wingdings;}}
{\*\generator x;}{\*\htmltag64 <p title="\'ef \{\u26085 ?\}">}\htmlrtf {\htmlrtf0 a\u8364 ?\{\f1 \'93\'fa\htmlrtf }\htmlrtf0{\*\mhtmltag0 no}\par
{\*\htmltag84     }\htmlrtf \u83 S\htmlrtf0{\*\htmltag84 &#83;}\lquote\~{\pntext x}{\*\htmltag4 \par }{\f2 J\u-4022 ?}{\*\htmltag72 </p>\tab\~}}"#;
        assert_eq!(html(rtf), "<p title=\"п {日}\">a€{日\r\n    &#83;&lsquo;&nbsp;\r\nJJ</p>\t\u{A0}");
    }

    #[test]
    fn suppression_ends_with_its_group() {
        let rtf = br"{\rtf1\ansi\fromhtml1{\fonttbl{\f0 A;}}a{\htmlrtf b{c\htmlrtf0 d}e}f\htmlrtf1 g\htmlrtf0 h\htmlrtf i{\*\htmltag4 j}}";
        assert_eq!(html(rtf), "adfhj");
    }

    #[test]
    fn text_comes_out() {
        let rtf = b"{\\rtf1\\ansi\\fromtext \\deff0{\\fonttbl{\\f0 A;}}\\pard a\\tab b\\par c\\'e9\\emdash\\line\\~}";
        assert_eq!(origin(rtf), Origin::Text);
        assert_eq!(unwrap(rtf, Origin::Text), "a\tb\r\ncé—\r\n\u{A0}");
    }

    #[test]
    fn origins() {
        assert_eq!(origin(br"{\rtf1\ansi{\fonttbl{\f0 A;}}{\colortbl;}\fromhtml1 \pard"), Origin::Html);
        assert_eq!(origin(br"{\rtf1\ansi\fromhtml0 \pard x}"), Origin::Rich);
        assert_eq!(origin(br"{\rtf1\ansi\pard x\fromhtml1}"), Origin::Rich);
        assert_eq!(origin(br"{\rtf1\ansi{\info\fromtext}\pard x}"), Origin::Rich);
        assert_eq!(origin(b""), Origin::Rich);
    }
}
