//! Text of header fields: unfolding, encoded words (RFC 2047), bytes that are no UTF-8.

use super::charset;
use crate::mapi::{Code, Warning};
use std::borrow::Cow;
use std::ops::Range;

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

/// Decodes the encoded words of an unfolded text.
pub fn words(text: &str, warnings: &mut Vec<Warning>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut pending: Option<(String, Vec<u8>)> = None;
    let mut rest = text;
    while let Some(at) = rest.find("=?") {
        let (before, from) = rest.split_at(at);
        let between_words = pending.is_some() && before.bytes().all(|b| b.is_ascii_whitespace());
        let Some((label, bytes, after)) = word(from) else {
            flush(&mut out, &mut pending);
            out.push_str(before);
            out.push_str("=?");
            rest = from.get(2..).unwrap_or_default();
            continue;
        };
        if !charset::is_known(label) {
            warnings.push(Code::Charset.with(format!("header text in the unknown charset {label:?} is kept encoded")));
            flush(&mut out, &mut pending);
            out.push_str(before);
            out.push_str(from.get(..from.len() - after.len()).unwrap_or_default());
            rest = after;
            continue;
        }
        match &mut pending {
            Some((open, held)) if between_words && open.eq_ignore_ascii_case(label) => held.extend_from_slice(&bytes),
            _ => {
                flush(&mut out, &mut pending);
                if !between_words {
                    out.push_str(before);
                }
                pending = Some((label.to_owned(), bytes));
            }
        }
        rest = after;
    }
    flush(&mut out, &mut pending);
    out.push_str(rest);
    out
}

fn flush(out: &mut String, pending: &mut Option<(String, Vec<u8>)>) {
    if let Some((label, bytes)) = pending.take() {
        out.push_str(&charset::decode(Some(&label), &bytes).0);
    }
}

/// One encoded word at the start of `text`: charset, decoded bytes, and what follows it.
fn word(text: &str) -> Option<(&str, Vec<u8>, &str)> {
    let (label, rest) = text.strip_prefix("=?")?.split_once('?')?;
    let (encoding, rest) = rest.split_once('?')?;
    let (data, after) = rest.split_once("?=")?;
    let label = label.split('*').next()?;
    if label.is_empty() || label.len() > 40 || label.contains(|c: char| c.is_whitespace()) {
        return None;
    }
    let bytes = match encoding {
        "B" | "b" => mail_parser::Encoding::Base64.decode(data.as_bytes()).into_owned(),
        "Q" | "q" => q_word(data),
        _ => return None,
    };
    Some((label, bytes, after))
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
    let mut lines = 0;
    for at in memchr::memchr_iter(b'\n', bytes) {
        if at == 0 || bytes.get(at - 1) != Some(&b'\r') {
            return false;
        }
        lines += 1;
    }
    memchr::memchr_iter(b'\r', bytes).count() == lines
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
    fn line_ends() {
        assert!(is_crlf(b"a\r\nb\r\n") && is_crlf(b"") && !is_crlf(b"a\nb") && !is_crlf(b"a\rb") && !is_crlf(b"\n"));
        assert!(!is_crlf(b"a\r\n\n") && !is_crlf(b"a\r\r\n"));
        assert_eq!(crlf("a\nb\rc\r\nd\n\r").as_ref(), "a\r\nb\r\nc\r\nd\r\n\r\n");
        assert_eq!(block(b"A: \xE9\n\n").as_ref(), "A: \u{e9}\r\n\r\n");
    }
}
