//! Text of header fields: unfolding, encoded words (RFC 2047), bytes that are no UTF-8.

use super::charset::{self, Fit};
use super::label::{self, Coding};
use crate::mapi::{Code, Warning};
use std::borrow::Cow;
use std::ops::Range;

/// Bytes that are compared before the result is looked at.
const PIECE: usize = 1024;

/// The value of a field as text: unfolded, trimmed, bytes that are no UTF-8 read as windows-1252, nothing decoded.
pub fn raw(value: &[u8]) -> String {
    let text = charset::utf8_or_1252(value);
    let mut out = String::with_capacity(text.len());
    for piece in text.split(['\r', '\n']) {
        out.push_str(piece);
    }
    out.trim().to_owned()
}

/// The value of a field as text with its encoded words decoded. Words in an unknown charset stay as they are, and
/// `warnings` says so.
pub fn text(value: &[u8], warnings: &mut Vec<Warning>) -> String {
    let raw = raw(value);
    if raw.contains("=?") { words(&raw, warnings) } else { raw }
}

/// Decodes the encoded words of an unfolded text. Words in an unknown charset stay as they are; `warnings` says so, and
/// what did not fit a charset.
pub fn words(text: &str, warnings: &mut Vec<Warning>) -> String {
    let mut out = Decoded { text: String::with_capacity(text.len()), open: None, warnings };
    let mut rest = text;
    while let Some(at) = rest.find("=?") {
        let (before, from) = rest.split_at(at);
        let between_words = out.open.is_some() && before.bytes().all(|b| b.is_ascii_whitespace());
        let Some(word) = Word::at(from) else {
            out.plain(before);
            out.plain("=?");
            rest = from.get(2..).unwrap_or_default();
            continue;
        };
        rest = from.get(word.len..).unwrap_or_default();
        let Some(charset) = label::find(word.label) else {
            out.plain(before);
            out.say(format!("header text in the unknown charset {:?} is kept encoded", word.label));
            out.plain(from.get(..word.len).unwrap_or_default());
            continue;
        };
        match &mut out.open {
            Some((label, coding, held))
                if between_words && label.eq_ignore_ascii_case(word.label) && coding.joins() =>
            {
                held.extend(word.bytes());
            }
            _ if between_words => out.begin(&word, charset.coding),
            _ => {
                out.plain(before);
                out.begin(&word, charset.coding);
            }
        }
    }
    out.plain(rest);
    out.text
}

/// Text whose encoded words are being decoded.
struct Decoded<'a, 'w> {
    text: String,
    /// The charset and the bytes of the last words, which may end within a character.
    open: Option<(&'a str, Coding, Vec<u8>)>,
    warnings: &'w mut Vec<Warning>,
}

impl<'a> Decoded<'a, '_> {
    fn plain(&mut self, text: &str) {
        self.close();
        self.text.push_str(text);
    }

    fn begin(&mut self, word: &Word<'a>, coding: Coding) {
        self.close();
        self.open = Some((word.label, coding, word.bytes()));
    }

    fn close(&mut self) {
        let Some((label, coding, bytes)) = self.open.take() else { return };
        let (text, fit) = coding.decode(&bytes);
        self.text.push_str(&text);
        if fit != Fit::Right {
            self.say(format!("header text is not all in the charset {label:?} that it names"));
        }
    }

    /// Says something once, not for each of many words.
    fn say(&mut self, text: String) {
        let warning = Code::Charset.with(text);
        if self.warnings.last() != Some(&warning) {
            self.warnings.push(warning);
        }
    }
}

/// An encoded word.
pub(super) struct Word<'a> {
    /// The charset, without a language.
    pub label: &'a str,
    base64: bool,
    data: &'a str,
    /// Bytes from its beginning to its end.
    pub len: usize,
}

impl<'a> Word<'a> {
    /// The encoded word at the start of a text, if it is one; it ends before another begins.
    pub fn at(text: &'a str) -> Option<Self> {
        let (label, rest) = text.strip_prefix("=?")?.split_once('?')?;
        let label = label.split('*').next()?;
        if label.is_empty() || label.len() > 40 || label.contains(char::is_whitespace) {
            return None;
        }
        let (base64, rest) = match rest.split_at_checked(2)? {
            ("B?" | "b?", rest) => (true, rest),
            ("Q?" | "q?", rest) => (false, rest),
            _ => return None,
        };
        let mut marks = rest.match_indices('?').map(|(at, _)| rest.split_at(at));
        let (data, end) = marks.find(|(data, end)| end.starts_with("?=") || data.ends_with('='))?;
        let after = end.strip_prefix("?=")?;
        Some(Self { label, base64, data, len: text.len() - after.len() })
    }

    fn bytes(&self) -> Vec<u8> {
        if self.base64 {
            mail_parser::Encoding::Base64.decode(self.data.as_bytes()).into_owned()
        } else {
            q_word(self.data)
        }
    }
}

fn q_word(data: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(data.len());
    let mut rest = data.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        match byte {
            b'_' => out.push(b' '),
            b'=' => match tail.split_first_chunk::<2>() {
                Some(([a, b], after)) if a.is_ascii_hexdigit() && b.is_ascii_hexdigit() => {
                    out.push(hex(*a) << 4 | hex(*b));
                    rest = after;
                }
                _ => out.push(byte),
            },
            _ => out.push(byte),
        }
    }
    out
}

const fn hex(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        b'A'..=b'F' => digit - b'A' + 10,
        _ => 0,
    }
}

/// A header block as PidTagTransportMessageHeaders keeps it: CRLF line ends; UTF-8, or each byte as U+00xx where the
/// block is no UTF-8 (so that no byte is lost).
pub fn block(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => crlf(text),
        Err(_) => {
            let text: String = bytes.iter().map(|b| char::from(*b)).collect();
            Cow::Owned(crlf(&text).into_owned())
        }
    }
}

/// True when every line ends in CRLF and no CR or LF stands alone.
pub fn is_crlf(bytes: &[u8]) -> bool {
    // Each CR stands before an LF and each LF behind a CR; compared in pieces, so that many are compared at once.
    let odd = |(from, to): (&[u8], &[u8])| {
        from.iter().zip(to).fold(0, |odd, (a, b)| odd | u8::from((*a == b'\r') != (*b == b'\n'))) != 0
    };
    let after = bytes.get(1..).unwrap_or_default();
    bytes.first() != Some(&b'\n')
        && bytes.last() != Some(&b'\r')
        && !bytes.chunks(PIECE).zip(after.chunks(PIECE)).any(odd)
}

/// Bytes with every line end written as CRLF; a lone CR ends a line too.
pub fn crlf_bytes(bytes: &[u8]) -> Cow<'_, [u8]> {
    if is_crlf(bytes) {
        return Cow::Borrowed(bytes);
    }
    let mut out = Vec::with_capacity(bytes.len() + bytes.len() / 32 + 16);
    each_line(bytes, |line, ended| {
        out.extend_from_slice(bytes.get(line).unwrap_or_default());
        out.extend_from_slice(if ended { b"\r\n" } else { b"" });
    });
    Cow::Owned(out)
}

/// Text with every line end written as CRLF.
pub fn crlf(text: &str) -> Cow<'_, str> {
    if is_crlf(text.as_bytes()) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + text.len() / 32 + 16);
    each_line(text.as_bytes(), |line, ended| {
        out.push_str(text.get(line).unwrap_or_default());
        out.push_str(if ended { "\r\n" } else { "" });
    });
    Cow::Owned(out)
}

/// Goes through lines that end in CRLF, CR or LF: where each stands without its end, and whether it has one.
fn each_line(bytes: &[u8], mut take: impl FnMut(Range<usize>, bool)) {
    let mut from = 0;
    for at in memchr::memchr2_iter(b'\r', b'\n', bytes) {
        if at < from {
            continue;
        }
        take(from..at, true);
        from = at + if bytes.get(at..at + 2) == Some(b"\r\n") { 2 } else { 1 };
    }
    take(from..bytes.len(), false);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoded_words() {
        let mut w = Vec::new();
        assert_eq!(text(b" =?utf-8?B?4oI=?=\r\n =?utf-8?B?rA==?= x\r\n", &mut w), "€ x");
        assert_eq!(text(b"=?iso-8859-1?Q?a_=E9?= =?utf-8?q?b?= c", &mut w), "a éb c");
        assert_eq!(text(b"caf\xE9", &mut w), "café");
        assert_eq!(text(b"=?broken", &mut w), "=?broken");
        assert!(w.is_empty());
        assert_eq!(text(b"=?x-nope?Q?a?= b", &mut w), "=?x-nope?Q?a?= b");
        assert_eq!(w.len(), 1);
    }

    #[test]
    fn words_in_all_charsets() {
        let mut w = Vec::new();
        assert_eq!(text(b"=?iso-2022-jp?B?GyRCRnwbKEI=?= =?ISO-2022-JP?B?GyRCS1wbKEI=?=", &mut w), "日本");
        assert_eq!(text(b"=?utf-16?B?//5hAA==?= =?utf-16?B?//5iAA==?=", &mut w), "ab");
        assert_eq!(text(b"=?cp437?Q?=81ber?= =?cp_437?q?x?=", &mut w), "überx");
        assert_eq!(text(b"=?utf-8?B?QQ==?= =?utf-8?Q?a =?utf-8?Q?b?=", &mut w), "A =?utf-8?Q?a b");
        assert!(w.is_empty());
        assert_eq!(
            text(b"=?utf-8?Q?caf=E9?= =?utf-8?Q?=E9?= =?x?Q?a?= =?x?Q?b?=", &mut w),
            "caféé =?x?Q?a?= =?x?Q?b?="
        );
        assert_eq!(w.len(), 2, "{w:?}");
    }

    #[test]
    fn line_ends() {
        assert!(is_crlf(b"a\r\nb\r\n") && is_crlf(b"") && !is_crlf(b"a\nb") && !is_crlf(b"a\rb") && !is_crlf(b"\n"));
        assert!(!is_crlf(b"a\r\n\n") && !is_crlf(b"a\r\r\n"));
        for long in PIECE - 2..PIECE + 2 {
            let text = |end: &str| "x".repeat(long) + end + "y";
            assert!(is_crlf(text("\r\n").as_bytes()), "{long}");
            assert!(["\r", "\n", "\n\r", "\r\r\n"].iter().all(|end| !is_crlf(text(end).as_bytes())), "{long}");
        }
        assert_eq!(crlf("a\nb\rc\r\nd\n\r").as_ref(), "a\r\nb\r\nc\r\nd\r\n\r\n");
        assert_eq!(block(b"A: \xE9\n\n").as_ref(), "A: \u{e9}\r\n\r\n");
    }
}
