//! Encodings of bodies on the way out: quoted-printable and base64 (RFC 2045).

use crate::error::{Error, Result};
use std::io::{Read, Write};

/// Longest line of a message, without CRLF (RFC 5322 2.1.1).
pub(super) const LONGEST_LINE: usize = 998;
/// Bytes that make one line of base64.
const LINE_BYTES: usize = 57;
/// Bytes of an attachment that are held at once.
const CHUNK: usize = LINE_BYTES * 1024;

/// A transfer encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Transfer {
    Plain,
    QuotedPrintable,
    Base64,
}

impl Transfer {
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "7bit",
            Self::QuotedPrintable => "quoted-printable",
            Self::Base64 => "base64",
        }
    }

    /// The encoding that suits a text body. Line ends other than CRLF only survive in base64.
    pub fn for_text(bytes: &[u8]) -> Self {
        if !super::header::is_crlf(bytes) {
            return Self::Base64;
        }
        // Counted in bytes, so that many are counted at once.
        let odd_in = |part: &[u8]| part.iter().map(|b| odd(*b)).sum::<u8>();
        let odd: usize = bytes.chunks(255).map(|part| usize::from(odd_in(part))).sum();
        if odd == 0 && fits_lines(bytes) && memchr::memmem::find(bytes, super::from_mapi::MARK.as_bytes()).is_none() {
            Self::Plain
        } else if odd * 5 > bytes.len() {
            Self::Base64
        } else {
            Self::QuotedPrintable
        }
    }

    /// True for bytes that need no encoding at all.
    pub fn is_plain(bytes: &[u8]) -> bool {
        Self::for_text(bytes) == Self::Plain
    }

    /// Appends encoded bytes.
    pub fn write(self, bytes: &[u8], out: &mut Vec<u8>) {
        match self {
            Self::Plain => out.extend_from_slice(bytes),
            Self::QuotedPrintable => quoted_printable(bytes, out),
            Self::Base64 => {
                base64_lines(bytes, &mut String::new(), false, out);
                out.truncate(out.trim_ascii_end().len());
            }
        }
    }
}

fn fits_lines(bytes: &[u8]) -> bool {
    let mut start = 0;
    for end in memchr::memchr_iter(b'\n', bytes).chain([bytes.len()]) {
        if end - start > LONGEST_LINE {
            return false;
        }
        start = end + 1;
    }
    true
}

/// 1 for a byte that does not suit a line of text, else 0.
fn odd(b: u8) -> u8 {
    u8::from(!(0x20..0x80).contains(&b)) - u8::from(matches!(b, b'\t' | b'\r' | b'\n'))
}

/// How many bytes at the start of `text` quoted-printable may leave as they are: printable ASCII but for `=`.
fn literals(text: &[u8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const TOPS: u64 = 0x8080_8080_8080_8080;
    let (words, rest) = text.as_chunks::<8>();
    for (i, word) in words.iter().enumerate() {
        let x = u64::from_le_bytes(*word);
        // The lowest top bit that is set marks the first byte below a blank, equal to `=` or DEL, or above ASCII.
        let zero = |x: u64| x.wrapping_sub(ONES) & !x;
        let below = x.wrapping_sub(0x20 * ONES) & !x;
        let stop = (x | below | zero(x ^ (0x3D * ONES)) | zero(x ^ (0x7F * ONES))) & TOPS;
        if stop != 0 {
            return 8 * i + (stop.trailing_zeros() / 8) as usize;
        }
    }
    let tail = rest.iter().take_while(|b| matches!(b, 0x20..=0x7E) && **b != b'=').count();
    8 * words.len() + tail
}

fn quoted_printable(bytes: &[u8], out: &mut Vec<u8>) {
    out.reserve(bytes.len() + bytes.len() / 8);
    let mut from = 0;
    for end in memchr::memmem::find_iter(bytes, b"\r\n") {
        quoted_line(bytes.get(from..end).unwrap_or_default(), out);
        out.extend_from_slice(b"\r\n");
        from = end + 2;
    }
    quoted_line(bytes.get(from..).unwrap_or_default(), out);
}

/// One line of a text, without its end, in as many lines as it needs.
fn quoted_line(text: &[u8], out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let hex = |n: u8| HEX.get(usize::from(n)).copied().unwrap_or(b'0');
    if text.len() <= 76
        && literals(text) == text.len()
        && !matches!(text.first(), Some(b'.' | b'F'))
        && text.last() != Some(&b' ')
    {
        out.extend_from_slice(text);
        return;
    }
    let mut line = 0;
    let mut rest = text;
    while let Some((&byte, tail)) = rest.split_first() {
        // Most of a text goes in runs; what stands last is looked at by itself.
        if line > 0 {
            let room = rest.get(..tail.len().min(75 - line)).unwrap_or_default();
            let run = literals(room);
            if let Some((literal, after)) = rest.split_at_checked(run).filter(|_| run > 0) {
                out.extend_from_slice(literal);
                line += run;
                rest = after;
                continue;
            }
        }
        let ends_line = tail.is_empty();
        let literal = match byte {
            b' ' | b'\t' => !ends_line,
            b'=' => false,
            b'.' | b'F' if line == 0 => false,
            0x21..=0x7E => true,
            _ => false,
        };
        let width = if literal { 1 } else { 3 };
        if line + width > if ends_line { 76 } else { 75 } {
            out.extend_from_slice(b"=\r\n");
            line = 0;
        }
        if literal {
            out.push(byte);
        } else {
            out.extend_from_slice(&[b'=', hex(byte >> 4), hex(byte & 15)]);
        }
        line += width;
        rest = tail;
    }
}

/// Characters of a line of base64.
const LINE_CHARS: usize = LINE_BYTES / 3 * 4;

/// base64 in lines of 76, each ended by CRLF, or by LF; `text` is room for the characters.
fn base64_lines(bytes: &[u8], text: &mut String, lf: bool, out: &mut Vec<u8>) {
    text.clear();
    base64_simd::STANDARD.encode_append(bytes, text);
    if lf {
        cut_lines(text.as_bytes(), *b"\n", out);
    } else {
        cut_lines(text.as_bytes(), *b"\r\n", out);
    }
}

fn cut_lines<const N: usize>(text: &[u8], end: [u8; N], out: &mut Vec<u8>) {
    let (lines, last) = text.as_chunks::<LINE_CHARS>();
    let start = out.len();
    out.resize(start + lines.len() * (LINE_CHARS + N), 0);
    let room = out.get_mut(start..).unwrap_or_default();
    for (to, line) in room.chunks_exact_mut(LINE_CHARS + N).zip(lines) {
        if let Some((chars, after)) = to.split_first_chunk_mut::<LINE_CHARS>() {
            *chars = *line;
            after.copy_from_slice(&end);
        }
    }
    if !last.is_empty() {
        out.extend_from_slice(last);
        out.extend_from_slice(&end);
    }
}

/// Writes bytes in base64, each line ended by CRLF, or by LF.
pub(super) fn slice_base64(bytes: &[u8], out: &mut dyn Write, lf: bool) -> Result<()> {
    let (mut text, mut lines) = (String::new(), Vec::new());
    for chunk in bytes.chunks(CHUNK) {
        lines.clear();
        base64_lines(chunk, &mut text, lf, &mut lines);
        out.write_all(&lines).map_err(cannot_write)?;
    }
    Ok(())
}

/// As [`slice_base64`], for a stream, which is read chunk by chunk.
pub(super) fn stream_base64(reader: &mut dyn Read, out: &mut dyn Write, lf: bool) -> Result<()> {
    let mut chunk = Vec::with_capacity(CHUNK);
    let (mut text, mut lines) = (String::new(), Vec::new());
    loop {
        chunk.clear();
        reader.take(CHUNK as u64).read_to_end(&mut chunk).map_err(cannot_read)?;
        if chunk.is_empty() {
            return Ok(());
        }
        lines.clear();
        base64_lines(&chunk, &mut text, lf, &mut lines);
        out.write_all(&lines).map_err(cannot_write)?;
    }
}

pub(super) fn cannot_read(e: std::io::Error) -> Error {
    Error::system("cannot read an attachment", e)
}

pub(super) fn cannot_write(e: std::io::Error) -> Error {
    Error::system("cannot write a message", e)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_printable_lines() {
        let mut out = Vec::new();
        let text = format!("caf\u{e9} = x \r\n.dot\r\nFrom me\r\n{}end ", "é".repeat(60));
        Transfer::QuotedPrintable.write(text.as_bytes(), &mut out);
        let encoded = String::from_utf8(out.clone()).unwrap();
        assert!(encoded.starts_with("caf=C3=A9 =3D x=20\r\n=2Edot\r\n=46rom me\r\n"), "{encoded}");
        assert!(encoded.lines().all(|l| l.len() <= 76));
        assert_eq!(mail_parser::Encoding::QuotedPrintable.decode(&out).as_ref(), text.as_bytes());
    }

    #[test]
    fn literals_end_where_they_should() {
        for b in 0..=255u8 {
            for at in 0..20 {
                let mut text = *b"a plain text, >9 ~ <;";
                text[at] = b;
                let should = if (0x20..0x7F).contains(&b) && b != b'=' { text.len() } else { at };
                assert_eq!(literals(&text), should, "0x{b:02X} at {at}");
            }
            assert_eq!(odd(b) == 1, b >= 0x80 || (b < 0x20 && !b"\t\r\n".contains(&b)));
        }
    }

    #[test]
    fn choices() {
        assert_eq!(Transfer::for_text(b"plain\r\n"), Transfer::Plain);
        assert_eq!(Transfer::for_text(b"bare\nline"), Transfer::Base64);
        assert_eq!(Transfer::for_text("some text, é".as_bytes()), Transfer::QuotedPrintable);
        assert_eq!(Transfer::for_text("日本語".as_bytes()), Transfer::Base64);
        assert_eq!(Transfer::for_text(&[b'x'; 1000]), Transfer::QuotedPrintable);
    }
}
