//! Messages with attachments too large to hold: the base64 of each such part stays in the file and is read when needed.
//!
//! [`slim`] copies a message from a file, but puts a short placeholder where a large base64 body stands. What it left
//! out is handed back as [`LargePart`]s, so that memory does not grow with the size of an attachment.

use crate::error::{Error, Kind, Result};
use crate::io::Input;
use crate::mapi::{Blob, Stream};
use std::io::Read;
use std::sync::Arc;

/// Messages up to this many bytes are simply held.
pub const HELD: u64 = 16 << 20;
/// base64 bodies up to this many bytes stay in the message.
const KEPT: usize = 1 << 20;
/// Bytes read at once.
const WINDOW: usize = 256 << 10;
/// Longer lines are cut when headers and boundaries are looked for; they are copied whole.
const LINE: usize = 16 << 10;
/// Start of the text that stands in for a body, base64 of itself in the slim message.
const TOKEN: &str = "pst.large.part/9f1c62d7a4e84b6f/";

/// A base64 body that was left in the file.
#[derive(Debug, Clone)]
pub struct LargePart {
    /// Where its placeholder stands in the slim message, bytes.
    pub at: usize,
    /// Length of the placeholder, bytes.
    pub placeholder: usize,
    /// The body as it stands in the file.
    pub raw: Blob,
    /// The decoded body.
    pub data: Blob,
}

/// The large part whose placeholder, decoded, is `bytes`.
pub fn find<'a>(parts: &'a [LargePart], bytes: &[u8]) -> Option<&'a LargePart> {
    let index = std::str::from_utf8(bytes).ok()?.trim().strip_prefix(TOKEN)?;
    parts.get(index.parse::<usize>().ok()?)
}

/// Copies `len` bytes at `offset` of a file, large base64 bodies left out.
///
/// # Errors
/// When the file cannot be read, or when what remains is still more than 2 GiB.
pub fn slim(input: &Arc<Input>, offset: u64, len: u64) -> Result<(Vec<u8>, Vec<LargePart>)> {
    let mut scan = Scan {
        input,
        out: Vec::new(),
        parts: Vec::new(),
        boundaries: Vec::new(),
        state: State::Header,
        head: Head::default(),
    };
    let mut window = Vec::new();
    let mut at = 0u64;
    let mut line_start = 0u64;
    let mut line: Vec<u8> = Vec::new();
    while at < len {
        let take = (len - at).min(WINDOW as u64) as usize;
        let bytes = input.read(offset + at, take, &mut window)?;
        for piece in bytes.split_inclusive(|&b| b == b'\n') {
            line.extend_from_slice(piece);
            at += piece.len() as u64;
            // A base64 line may be endless: it is passed on in pieces, which only a body may be.
            let whole = piece.ends_with(b"\n");
            if whole || at == len || (line.len() > LINE && scan.in_body()) {
                scan.line(&line, offset + line_start);
                line.clear();
                line_start = at;
            }
        }
        if scan.out.len() > i32::MAX as usize {
            return Err(Error::new(Kind::Limit, "a message with more than 2 GiB of text cannot be held").at(offset));
        }
    }
    scan.leave_body(offset + len);
    Ok((scan.out, scan.parts))
}

/// What stands at the current line.
enum State {
    Header,
    /// A body that is copied.
    Copy,
    /// A base64 body: where it starts in the output and in the file, and how many of its characters count.
    Base64 {
        out: usize,
        file: u64,
        chars: u64,
        left_out: bool,
    },
}

/// The header fields of the current part that matter here, unfolded.
#[derive(Default)]
struct Head {
    field: Vec<u8>,
    base64: bool,
    nested: bool,
    multipart: bool,
}

struct Scan<'a> {
    input: &'a Arc<Input>,
    out: Vec<u8>,
    parts: Vec<LargePart>,
    boundaries: Vec<Vec<u8>>,
    state: State,
    head: Head,
}

impl Scan<'_> {
    fn in_body(&self) -> bool {
        !matches!(self.state, State::Header)
    }

    fn line(&mut self, line: &[u8], file: u64) {
        if self.in_body() && self.is_boundary(line) {
            self.leave_body(file);
            self.state = State::Header;
            self.head = Head::default();
            self.out.extend_from_slice(line);
            return;
        }
        match &mut self.state {
            State::Header => {
                self.out.extend_from_slice(line);
                self.header(line, file + line.len() as u64);
            }
            State::Copy => self.out.extend_from_slice(line),
            State::Base64 { out, chars, left_out, .. } => {
                *chars += line.iter().filter(|b| is_base64(**b)).count() as u64;
                if !*left_out {
                    self.out.extend_from_slice(line);
                    if self.out.len() - *out > KEPT {
                        self.out.truncate(*out);
                        *left_out = true;
                    }
                }
            }
        }
    }

    fn header(&mut self, line: &[u8], next: u64) {
        let text = line.trim_ascii_end();
        if matches!(line.first(), Some(b' ' | b'\t')) && !text.is_empty() {
            if self.head.field.len() < LINE {
                self.head.field.extend_from_slice(text);
            }
            return;
        }
        self.field();
        if !text.is_empty() {
            self.head.field = text.get(..text.len().min(LINE)).unwrap_or_default().to_vec();
            return;
        }
        let head = std::mem::take(&mut self.head);
        self.state = if head.nested && !head.base64 {
            State::Header
        } else if head.base64 && !head.multipart && !head.nested {
            State::Base64 { out: self.out.len(), file: next, chars: 0, left_out: false }
        } else {
            State::Copy
        };
    }

    /// Takes in the field that has just ended.
    fn field(&mut self) {
        let field = std::mem::take(&mut self.head.field);
        let Some(colon) = field.iter().position(|&b| b == b':') else { return };
        let (name, value) = field.split_at(colon);
        let value = String::from_utf8_lossy(value.get(1..).unwrap_or_default()).into_owned();
        let lower = value.trim().to_ascii_lowercase();
        match name.trim_ascii().to_ascii_lowercase().as_slice() {
            b"content-transfer-encoding" => self.head.base64 = lower.starts_with("base64"),
            b"content-type" => {
                self.head.nested = lower.starts_with("message/rfc822") || lower.starts_with("message/global");
                self.head.multipart = lower.starts_with("multipart/");
                let value = value.trim();
                if let Some(i) = lower.find("boundary=")
                    && let Some(rest) = value.get(i + 9..)
                {
                    let name = match rest.strip_prefix('"') {
                        Some(quoted) => quoted.split('"').next().unwrap_or_default(),
                        None => rest.split([';', ' ', '\t']).next().unwrap_or_default(),
                    };
                    if !name.is_empty() && self.boundaries.len() < 1000 {
                        self.boundaries.push(format!("--{name}").into_bytes());
                    }
                }
            }
            _ => {}
        }
    }

    fn is_boundary(&self, line: &[u8]) -> bool {
        line.starts_with(b"--")
            && self.boundaries.iter().any(|b| {
                line.strip_prefix(b.as_slice()).is_some_and(|rest| {
                    let rest = rest.strip_prefix(b"--").unwrap_or(rest);
                    rest.trim_ascii().is_empty()
                })
            })
    }

    fn leave_body(&mut self, end: u64) {
        let State::Base64 { file, chars, left_out: true, .. } = self.state else { return };
        let token = base64_simd::STANDARD.encode_to_string(format!("{TOKEN}{}", self.parts.len()));
        let at = self.out.len();
        self.out.extend_from_slice(token.as_bytes());
        self.out.extend_from_slice(b"\r\n");
        let raw = Arc::new(Range { input: Arc::clone(self.input), offset: file, len: end - file });
        let data = Arc::new(Decoded { raw: Arc::clone(&raw), len: chars * 6 / 8 });
        self.parts.push(LargePart {
            at,
            placeholder: token.len() + 2,
            raw: Blob::Stream(raw),
            data: Blob::Stream(data),
        });
        self.state = State::Copy;
    }
}

/// The data of base64 that stays in a file: `len` bytes at `offset`, `chars` of which are of the alphabet.
pub fn base64(input: &Arc<Input>, offset: u64, len: u64, chars: u64) -> Blob {
    let raw = Arc::new(Range { input: Arc::clone(input), offset, len });
    Blob::Stream(Arc::new(Decoded { raw, len: chars * 6 / 8 }))
}

const fn is_base64(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'+' || b == b'/'
}

/// Bytes of a file.
struct Range {
    input: Arc<Input>,
    offset: u64,
    len: u64,
}

impl Stream for Range {
    fn len(&self) -> u64 {
        self.len
    }

    fn open(&self) -> Result<Box<dyn Read + Send + '_>> {
        Ok(Box::new(RangeReader { range: self, at: 0 }))
    }
}

struct RangeReader<'a> {
    range: &'a Range,
    at: u64,
}

impl Read for RangeReader<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let take = (self.range.len - self.at).min(out.len() as u64) as usize;
        let Some(out) = out.get_mut(..take) else { return Ok(0) };
        self.range.input.read_into(self.range.offset + self.at, out).map_err(std::io::Error::other)?;
        self.at += take as u64;
        Ok(take)
    }
}

/// A base64 body, decoded as it is read; what is not of the alphabet is passed over.
struct Decoded {
    raw: Arc<Range>,
    len: u64,
}

impl Stream for Decoded {
    fn len(&self) -> u64 {
        self.len
    }

    fn open(&self) -> Result<Box<dyn Read + Send + '_>> {
        let raw = RangeReader { range: &self.raw, at: 0 };
        Ok(Box::new(Decoder {
            raw,
            window: vec![0; WINDOW],
            chars: Vec::with_capacity(WINDOW + 4),
            ready: Vec::new(),
            at: 0,
            ended: false,
        }))
    }
}

struct Decoder<'a> {
    raw: RangeReader<'a>,
    window: Vec<u8>,
    chars: Vec<u8>,
    ready: Vec<u8>,
    at: usize,
    ended: bool,
}

impl Decoder<'_> {
    fn fill(&mut self) -> std::io::Result<()> {
        let n = self.raw.read(&mut self.window)?;
        self.ended = n == 0;
        self.chars.extend(self.window.get(..n).unwrap_or_default().iter().copied().filter(|b| is_base64(*b)));
        let whole = if self.ended { self.chars.len() } else { self.chars.len() / 4 * 4 };
        let rest = self.chars.split_off(whole);
        // One character over holds no whole byte.
        if self.chars.len() % 4 == 1 {
            self.chars.pop();
        }
        self.at = 0;
        self.ready = base64_simd::STANDARD_NO_PAD
            .decode_to_vec(&self.chars)
            .or_else(|_| base64_simd::forgiving_decode_to_vec(&self.chars))
            .map_err(|_| std::io::Error::other("a base64 body cannot be decoded"))?;
        self.chars = rest;
        Ok(())
    }
}

impl Read for Decoder<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        while self.at >= self.ready.len() {
            if self.ended {
                return Ok(0);
            }
            self.fill()?;
        }
        let ready = self.ready.get(self.at..).unwrap_or_default();
        let n = ready.len().min(out.len());
        if let (Some(to), Some(from)) = (out.get_mut(..n), ready.get(..n)) {
            to.copy_from_slice(from);
        }
        self.at += n;
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(size: usize) -> (Vec<u8>, Vec<u8>) {
        let data: Vec<u8> = (0..size).map(|i| (i * 31 + i / 251) as u8).collect();
        let text = base64_simd::STANDARD.encode_to_string(&data);
        let mut m = b"Subject: x\r\nContent-Type: multipart/mixed;\r\n boundary=\"b 1\"\r\n\r\n--b 1\r\n\r\nhello\r\n--b 1\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n".to_vec();
        for line in text.as_bytes().chunks(76) {
            m.extend_from_slice(line);
            m.extend_from_slice(b"\r\n");
        }
        m.extend_from_slice(b"--b 1--\r\n");
        (m, data)
    }

    #[test]
    fn a_large_body_stays_in_the_file() {
        for size in [3 << 20, (3 << 20) + 1, (3 << 20) + 2] {
            let (bytes, data) = message(size);
            let input = Arc::new(Input::from_bytes(bytes.clone(), "test"));
            let (slim, parts) = slim(&input, 0, bytes.len() as u64).unwrap();
            assert!(slim.len() < 400, "{}", slim.len());
            let [part] = parts.as_slice() else { panic!("one part") };
            assert_eq!(part.data.len(), size as u64);
            assert!(part.data.to_vec(u64::MAX).unwrap() == data);
            let mut whole = slim[..part.at].to_vec();
            whole.extend(part.raw.to_vec(u64::MAX).unwrap());
            whole.extend(&slim[part.at + part.placeholder..]);
            assert!(whole == bytes);
            let token = base64_simd::forgiving_decode_to_vec(&slim[part.at..part.at + part.placeholder]).unwrap();
            assert_eq!(find(&parts, &token).unwrap().at, part.at);
        }
    }

    #[test]
    fn a_small_message_is_copied() {
        let (bytes, _) = message(1000);
        let input = Arc::new(Input::from_bytes(bytes.clone(), "test"));
        let (slim, parts) = slim(&input, 0, bytes.len() as u64).unwrap();
        assert!(parts.is_empty() && slim == bytes);
    }
}
