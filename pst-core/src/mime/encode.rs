//! Encodings of bodies on the way out: quoted-printable and base64 (RFC 2045).

use crate::error::{Error, Result};
use crate::simd;
use std::io::{BufRead, Write};

/// Longest line of a message, without CRLF (RFC 5322 2.1.1).
pub(super) const LONGEST_LINE: usize = 998;
/// Bytes that make one line of base64.
const LINE_BYTES: usize = 57;
/// Bytes of an attachment that are encoded at once.
const CHUNK: usize = LINE_BYTES * 256;

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

    /// Appends encoded bytes; lines of quoted-printable end with LF alone if `lf` is set.
    pub fn write(self, bytes: &[u8], lf: bool, out: &mut Vec<u8>) {
        match self {
            Self::Plain => out.extend_from_slice(bytes),
            Self::QuotedPrintable => quoted_printable(bytes, if lf { b"\n" } else { b"\r\n" }, out),
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
    let (words, rest) = text.as_chunks::<8>();
    let at = words.iter().position(|word| literals_in(*word) < 8);
    let (before, last) = (8 * at.unwrap_or(words.len()), at.and_then(|at| words.get(at)));
    let tail = || rest.iter().take_while(|b| matches!(b, 0x20..=0x7E) && **b != b'=').count();
    before + last.map_or_else(tail, |word| literals_in(*word))
}

/// As [`literals`], of eight bytes.
fn literals_in(word: [u8; 8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const TOPS: u64 = 0x8080_8080_8080_8080;
    let x = u64::from_le_bytes(word);
    // The lowest top bit that is set marks the first byte below a blank, equal to `=` or DEL, or above ASCII.
    let zero = |x: u64| x.wrapping_sub(ONES) & !x;
    let below = x.wrapping_sub(0x20 * ONES) & !x;
    let stop = (x | below | zero(x ^ (0x3D * ONES)) | zero(x ^ (0x7F * ONES))) & TOPS;
    (stop.trailing_zeros() / 8) as usize
}

/// Each line of the text ends with CRLF, and with `end` when it is encoded.
fn quoted_printable(bytes: &[u8], end: &[u8], out: &mut Vec<u8>) {
    out.reserve(bytes.len() + bytes.len() / 8);
    let mut from = 0;
    for at in memchr::memchr_iter(b'\n', bytes) {
        let Some(line) = bytes.get(from..at).and_then(|line| line.strip_suffix(b"\r")) else { continue };
        quoted_line(line, end, out);
        out.extend_from_slice(end);
        from = at + 1;
    }
    quoted_line(bytes.get(from..).unwrap_or_default(), end, out);
}

/// Each byte as it stands in quoted-printable, and in how many characters: one or three.
static CODES: [[u8; 4]; 256] = codes();

const fn escape(byte: u8) -> [u8; 4] {
    const fn hex(n: u8) -> u8 {
        if n < 10 { b'0' + n } else { b'A' + n - 10 }
    }
    [b'=', hex(byte >> 4), hex(byte & 15), 3]
}

const fn codes() -> [[u8; 4]; 256] {
    let mut out = [[0; 4]; 256];
    let (mut left, mut byte): (&mut [[u8; 4]], u8) = (&mut out, 0);
    while let [code, rest @ ..] = left {
        let literal = byte == b'\t' || (byte >= b' ' && byte < 0x7F && byte != b'=');
        *code = if literal { [byte, 0, 0, 1] } else { escape(byte) };
        byte = byte.wrapping_add(1);
        left = rest;
    }
    out
}

/// Characters of a line of quoted-printable before the `=` that breaks it.
const SOFT: usize = 75;

/// A line that is being made, with room for some more at its end.
type Soft = [u8; SOFT + 9];

/// Puts bytes behind the `len` characters of a line; those that do not count are written over by the next.
fn put<const N: usize>(line: &mut Soft, len: usize, bytes: [u8; N]) {
    if let Some(room) = line.get_mut(len..).and_then(|room| room.first_chunk_mut::<N>()) {
        *room = bytes;
    }
}

/// Characters of a code.
fn width([.., width]: [u8; 4]) -> usize {
    usize::from(width)
}

/// One line of a text, without its end, in as many lines as it needs.
fn quoted_line(text: &[u8], end: &[u8], out: &mut Vec<u8>) {
    let Some((&last, body)) = text.split_last() else { return };
    let dotted = matches!(text.first(), Some(b'.' | b'F'));
    if text.len() <= 76 && literals(text) == text.len() && !dotted && last != b' ' {
        out.extend_from_slice(text);
        return;
    }
    let code = |byte: u8| CODES.get(usize::from(byte)).copied().unwrap_or_default();
    let mut break_off = |line: &[u8]| {
        out.extend_from_slice(line);
        out.push(b'=');
        out.extend_from_slice(end);
    };
    let (mut line, mut len, mut rest): (Soft, _, _) = ([0; SOFT + 9], 0, body);
    if dotted && let Some((&first, after)) = body.split_first() {
        put(&mut line, len, escape(first));
        len = 3;
        rest = after;
    }
    while let Some((byte, after)) = rest.split_first() {
        let code = code(*byte);
        if let ([.., 1], Some(word)) = (code, rest.first_chunk::<8>()) {
            let most = SOFT - len;
            let run = match literals_in(*word) {
                8 if most > 8 => {
                    let run = literals(rest.get(..most).unwrap_or(rest));
                    let room = line.get_mut(len..).and_then(|room| room.get_mut(..run)).unwrap_or_default();
                    room.copy_from_slice(rest.get(..room.len()).unwrap_or_default());
                    run
                }
                few => {
                    put(&mut line, len, *word);
                    few.min(most)
                }
            };
            if run > 0 {
                len += run;
                rest = rest.get(run..).unwrap_or_default();
                continue;
            }
        }
        if len + width(code) > SOFT {
            break_off(line.get(..len).unwrap_or_default());
            len = 0;
        }
        put(&mut line, len, code);
        len += width(code);
        rest = after;
    }
    let odd = matches!(last, b' ' | b'\t') || (dotted && body.is_empty());
    let code = if odd { escape(last) } else { code(last) };
    if len + width(code) > SOFT + 1 {
        break_off(line.get(..len).unwrap_or_default());
        len = 0;
    }
    put(&mut line, len, code);
    out.extend_from_slice(line.get(..len + width(code)).unwrap_or_default());
}

/// Characters of a line of base64.
const LINE_CHARS: usize = LINE_BYTES / 3 * 4;

/// base64 in lines of 76, each ended by CRLF, or by LF; `text` is room for the characters.
fn base64_lines(bytes: &[u8], text: &mut String, lf: bool, out: &mut Vec<u8>) {
    let done = simd::base64_lines(bytes, if lf { b"\n" } else { b"\r\n" }, out);
    text.clear();
    base64_simd::STANDARD.encode_append(bytes.get(done..).unwrap_or_default(), text);
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

/// As [`slice_base64`], for a stream, which is read piece by piece.
pub(super) fn stream_base64(reader: &mut dyn BufRead, out: &mut dyn Write, lf: bool) -> Result<()> {
    let (mut text, mut lines) = (String::new(), Vec::new());
    // The beginning of a line whose end comes with the next piece.
    let mut begun = Vec::with_capacity(LINE_BYTES);
    let mut put = |bytes: &[u8]| {
        lines.clear();
        base64_lines(bytes, &mut text, lf, &mut lines);
        out.write_all(&lines).map_err(cannot_write)
    };
    loop {
        let piece = match reader.fill_buf() {
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => continue,
            piece => piece.map_err(cannot_read)?,
        };
        if piece.is_empty() {
            return if begun.is_empty() { Ok(()) } else { put(&begun) };
        }
        let all = piece.len();
        let missing = if begun.is_empty() { 0 } else { (LINE_BYTES - begun.len()).min(all) };
        let (end, piece) = piece.split_at_checked(missing).unwrap_or_default();
        begun.extend_from_slice(end);
        if begun.len() == LINE_BYTES {
            put(&begun)?;
            begun.clear();
        }
        let (whole, rest) = piece.split_at_checked(piece.len() / LINE_BYTES * LINE_BYTES).unwrap_or_default();
        whole.chunks(CHUNK).try_for_each(&mut put)?;
        begun.extend_from_slice(rest);
        reader.consume(all);
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
        Transfer::QuotedPrintable.write(text.as_bytes(), false, &mut out);
        let encoded = String::from_utf8(out.clone()).unwrap();
        assert!(encoded.starts_with("caf=C3=A9 =3D x=20\r\n=2Edot\r\n=46rom me\r\n"), "{encoded}");
        assert!(encoded.lines().all(|l| l.len() <= 76));
        assert_eq!(mail_parser::Encoding::QuotedPrintable.decode(&out).as_ref(), text.as_bytes());
        let mut bare = Vec::new();
        Transfer::QuotedPrintable.write(text.as_bytes(), true, &mut bare);
        assert_eq!(String::from_utf8(bare).unwrap(), encoded.replace("\r\n", "\n"));
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

    /// Texts of letters, blanks, escapes and line ends in any order come back, and no line is too long.
    #[test]
    fn what_is_quoted_comes_back() {
        let kinds: [&[&str]; 3] =
            [&["a", "b ", ".", "F", "=", "\t", "\r\n", "é"], &["letters", "é", "\r\n"], &["да", "x"]];
        let mut state = 1u32;
        for round in 0..3000 {
            let mut text = String::new();
            for _ in 0..round % 130 {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let kind = kinds[round % 3];
                text.push_str(kind[(state >> 16) as usize % kind.len()]);
            }
            let mut out = Vec::new();
            Transfer::QuotedPrintable.write(text.as_bytes(), false, &mut out);
            assert!(out.split(|b| *b == b'\n').all(|line| line.len() <= 77), "{text:?}");
            assert_eq!(mail_parser::Encoding::QuotedPrintable.decode(&out).as_ref(), text.as_bytes());
        }
    }

    /// Pieces of a stream may end anywhere.
    #[test]
    fn streams_become_the_same_lines() {
        let bytes: Vec<u8> = (0..1000u32).map(|i| (i * 31) as u8).collect();
        for lf in [false, true] {
            for len in [0, 1, 56, 57, 58, 114, 999] {
                let mut whole = Vec::new();
                slice_base64(&bytes[..len], &mut whole, lf).unwrap();
                let end = if lf { "\n" } else { "\r\n" };
                let text = String::from_utf8(whole.clone()).unwrap();
                assert_eq!(text.replace(end, ""), base64_simd::STANDARD.encode_to_string(&bytes[..len]));
                let lines: Vec<&str> = text.split_terminator(end).collect();
                assert!(lines.iter().rev().skip(1).all(|line| line.len() == 76));
                for piece in [1, 3, 56, 57, 58, 200] {
                    let mut out = Vec::new();
                    let mut reader = std::io::BufReader::with_capacity(piece, &bytes[..len]);
                    stream_base64(&mut reader, &mut out, lf).unwrap();
                    assert!(out == whole, "{len} in pieces of {piece}");
                }
            }
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
