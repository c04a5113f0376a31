//! Framing: lines and the literals in them (RFC 9051 4.3), before anything is understood.
//!
//! A response is one line whose literals have been taken out; text and literals keep their order. Nothing that a server
//! sends makes it fail except the end of the connection and the bounds of [`Limits`].

use crate::endpoint::net::is_stop;
use crate::error::{Error, Kind, Result};
use crate::io::Input;
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::time::{Duration, Instant};

/// Bytes read at once.
const WINDOW: usize = 64 << 10;
/// Literals in one response.
const LITERALS: usize = 10_000;
/// Literals of one response that wait in files.
const FILES: usize = 16;

/// Bounds of what one response may hold.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of text beside the literals. A SEARCH over a folder of a million messages has eight million.
    pub text: usize,
    /// Bytes of literals in memory; what is more goes to temporary files.
    pub held: u64,
    /// Bytes of one literal.
    pub literal: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { text: 16 << 20, held: 4 << 20, literal: 16 << 30 }
    }
}

/// The bytes of a literal: in memory, or in a temporary file without a name.
#[derive(Debug)]
pub enum Data {
    /// In memory.
    Held(Vec<u8>),
    /// In a file, with their number.
    Filed(File, u64),
}

impl Data {
    /// Number of bytes.
    pub fn len(&self) -> u64 {
        match self {
            Self::Held(bytes) => bytes.len() as u64,
            Self::Filed(_, len) => *len,
        }
    }

    /// True for no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// As something that is read by positions.
    pub fn into_input(self) -> Input {
        match self {
            Self::Held(bytes) => Input::from_bytes(bytes, "message"),
            Self::Filed(file, len) => Input::from_file(file, len, "message"),
        }
    }

    /// Adds the bytes of another one.
    ///
    /// # Errors
    /// When a temporary file cannot be read or written.
    pub fn append(&mut self, other: Self, held: u64) -> Result<()> {
        let room = self.len() + other.len();
        let input = other.into_input();
        let mut window = Vec::new();
        let mut at = 0;
        while at < input.len() {
            let take = (input.len() - at).min(WINDOW as u64) as usize;
            let bytes = input.read(at, take, &mut window)?;
            self.push(bytes, if room > held { 0 } else { held })?;
            at += take as u64;
        }
        Ok(())
    }

    /// Adds bytes; goes to a file when they are more than `held`.
    fn push(&mut self, bytes: &[u8], held: u64) -> Result<()> {
        if let Self::Held(before) = self {
            if before.len() as u64 + bytes.len() as u64 <= held {
                before.extend_from_slice(bytes);
                return Ok(());
            }
            let mut file = tempfile::tempfile().map_err(spool)?;
            file.write_all(before).map_err(spool)?;
            *self = Self::Filed(file, before.len() as u64);
        }
        if let Self::Filed(file, len) = self {
            file.write_all(bytes).map_err(spool)?;
            *len += bytes.len() as u64;
        }
        Ok(())
    }
}

fn spool(e: std::io::Error) -> Error {
    Error::system("cannot keep a large message in a temporary file", e)
}

/// A literal and where it stood in the text.
#[derive(Debug)]
pub struct Literal {
    /// Offset in the text.
    pub at: usize,
    /// Its bytes.
    pub data: Data,
}

/// One response: its text without line ends and literals, and the literals.
#[derive(Debug, Default)]
pub struct Line {
    /// The text.
    pub text: Vec<u8>,
    /// The literals, in order.
    pub literals: Vec<Literal>,
}

/// How fast a line is, measured where nothing else is waited for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Pace {
    bytes: u64,
    time: Duration,
}

impl Pace {
    /// Bytes that tell enough.
    const ENOUGH: u64 = 512 << 10;
    /// Bytes a second; packing a stream takes a server much longer than sending it where the line is faster.
    const SLOW: f64 = 2e6;

    fn add(&mut self, bytes: usize, time: Duration) {
        self.bytes += bytes as u64;
        self.time += time;
    }

    /// True for a line on which fewer bytes arrive sooner, though both sides have work with them.
    pub fn is_slow(&self) -> bool {
        self.bytes >= Self::ENOUGH && self.bytes as f64 / self.time.as_secs_f64() < Self::SLOW
    }
}

/// Reads responses.
pub struct Reader<R> {
    inner: R,
    pace: Pace,
    window: Box<[u8]>,
    start: usize,
    end: usize,
    limits: Limits,
}

impl<R: Read> Reader<R> {
    /// A reader over a connection.
    pub fn new(inner: R, limits: Limits) -> Self {
        Self { inner, pace: Pace::default(), window: vec![0; WINDOW].into_boxed_slice(), start: 0, end: 0, limits }
    }

    /// How fast the line is.
    pub fn pace(&self) -> Pace {
        self.pace
    }

    /// The connection, for writing.
    pub fn inner(&mut self) -> &mut R {
        &mut self.inner
    }

    /// The connection and what was read from it, but not taken.
    pub fn into_parts(self) -> (R, Vec<u8>) {
        let rest = self.buffered().to_vec();
        (self.inner, rest)
    }

    /// What was read, but not taken.
    pub fn buffered(&self) -> &[u8] {
        self.window.get(self.start..self.end).unwrap_or_default()
    }

    fn fill(&mut self) -> Result<usize> {
        let n = self.inner.read(&mut self.window).map_err(|e| dropped(&e))?;
        (self.start, self.end) = (0, n);
        Ok(n)
    }

    /// The next response; `None` where the connection ends between two.
    ///
    /// # Errors
    /// [`Kind::Connection`] when the connection ends or stalls, [`Kind::Limit`] when a bound is passed.
    pub fn line(&mut self) -> Result<Option<Line>> {
        let mut line = Line::default();
        let mut markers = 0;
        let mut held = 0;
        let mut files = 0;
        loop {
            let from = line.text.len();
            if !self.text(&mut line.text, markers)? {
                if line.text.is_empty() && line.literals.is_empty() {
                    return Ok(None);
                }
                return Err(closed("in the middle of a response"));
            }
            let Some((len, marker)) = literal(&line.text, from) else { return Ok(Some(line)) };
            if !takes_literals(&line.text) {
                return Ok(Some(line));
            }
            if len > self.limits.literal || line.literals.len() >= LITERALS {
                let text = format!("the server announces a literal of {len} bytes, more than this program takes");
                return Err(Error::new(Kind::Limit, text));
            }
            line.text.truncate(line.text.len() - marker);
            markers += marker;
            let in_memory = held + len <= self.limits.held;
            let data = self.take(len, if in_memory { len } else { 0 })?;
            if in_memory {
                held += len;
            } else {
                files += 1;
            }
            if files > FILES {
                return Err(Error::new(Kind::Limit, "a response of the server has too many large literals"));
            }
            line.literals.push(Literal { at: line.text.len(), data });
        }
    }

    /// Adds the text up to the next line end; false when the connection ends first.
    fn text(&mut self, out: &mut Vec<u8>, markers: usize) -> Result<bool> {
        loop {
            if self.start == self.end && self.fill()? == 0 {
                return Ok(false);
            }
            let have = self.buffered();
            let end = memchr::memchr(b'\n', have);
            let piece = have.get(..end.unwrap_or(have.len())).unwrap_or_default();
            if out.len() + markers + piece.len() > self.limits.text {
                let text = format!("a line of the server has more than {} bytes", self.limits.text);
                return Err(Error::new(Kind::Limit, text));
            }
            out.extend_from_slice(piece);
            self.start += piece.len() + usize::from(end.is_some());
            if end.is_some() {
                while out.last() == Some(&b'\r') {
                    out.pop();
                }
                return Ok(true);
            }
        }
    }

    /// Takes the bytes of a literal.
    fn take(&mut self, len: u64, held: u64) -> Result<Data> {
        let mut data = Data::Held(Vec::new());
        let mut left = len;
        while left > 0 {
            if self.start == self.end {
                let begun = Instant::now();
                let n = self.fill()?;
                if n == 0 {
                    return Err(closed("in the middle of a literal"));
                }
                // The server had begun to send: what is waited for is the line.
                if left < len {
                    self.pace.add(n, begun.elapsed());
                }
            }
            let have = self.buffered();
            let piece = have.get(..have.len().min(usize::try_from(left).unwrap_or(usize::MAX))).unwrap_or_default();
            if let Data::Held(bytes) = &mut data
                && bytes.is_empty()
            {
                bytes.reserve_exact(held as usize);
            }
            data.push(piece, held)?;
            left -= piece.len() as u64;
            self.start += piece.len();
        }
        Ok(data)
    }
}

/// The error of a connection that broke.
pub(super) fn dropped(e: &std::io::Error) -> Error {
    if is_stop(e) {
        return Error::new(Kind::Interrupted, "stopped by the user");
    }
    match e.kind() {
        ErrorKind::TimedOut | ErrorKind::WouldBlock => {
            Error::new(Kind::Connection, "the server has not answered in time")
        }
        _ => Error::new(Kind::Connection, format!("the connection to the server broke: {e}")),
    }
}

fn closed(place: &str) -> Error {
    Error::new(Kind::Connection, format!("the server closed the connection {place}"))
}

/// The length that a literal announces at the end of `text`, and the bytes of the announcement: `{n}`, `{n+}`, `~{n}`.
fn literal(text: &[u8], from: usize) -> Option<(u64, usize)> {
    let body = text.get(from..)?.strip_suffix(b"}")?;
    let body = body.strip_suffix(b"+").unwrap_or(body);
    let digits = body.iter().rev().take_while(|b| b.is_ascii_digit()).count();
    let before = body.get(..body.len() - digits)?.strip_suffix(b"{")?;
    if digits == 0 {
        return None;
    }
    let number = body.get(body.len() - digits..)?;
    // A number that is too large for any counter is too large for the bound, too.
    let len = std::str::from_utf8(number).ok()?.parse().unwrap_or(u64::MAX);
    let before = before.strip_suffix(b"~").unwrap_or(before);
    let apart = matches!(before.last(), None | Some(b' ' | b'(' | b']' | b'>' | b')'));
    apart.then(|| (len, text.len() - from - before.len()))
}

/// Texts for people may end like a literal, but have none.
fn takes_literals(text: &[u8]) -> bool {
    let Some(rest) = text.strip_prefix(b"*") else { return false };
    let word = rest.trim_ascii_start().split(|b| *b == b' ').next().unwrap_or_default();
    ![b"OK".as_slice(), b"NO", b"BAD", b"BYE", b"PREAUTH"].iter().any(|w| word.eq_ignore_ascii_case(w))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives a few bytes at a time.
    struct Drip<'a>(&'a [u8], usize);

    impl Read for Drip<'_> {
        fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
            let n = self.1.min(self.0.len()).min(out.len());
            out[..n].copy_from_slice(&self.0[..n]);
            self.0 = &self.0[n..];
            Ok(n)
        }
    }

    type Taken = (Vec<u8>, Vec<Vec<u8>>);

    fn lines(bytes: &[u8], step: usize, limits: Limits) -> Result<Vec<Taken>> {
        let mut reader = Reader::new(Drip(bytes, step), limits);
        let mut out = Vec::new();
        while let Some(line) = reader.line()? {
            let literals = line.literals.into_iter().map(|l| {
                let input = l.data.into_input();
                let mut bytes = Vec::new();
                input.read(0, input.len() as usize, &mut bytes).unwrap().to_vec()
            });
            let literals = literals.collect();
            out.push((line.text, literals));
        }
        Ok(out)
    }

    #[test]
    fn lines_and_literals() {
        let bytes = b"* OK hi {3}\r\n* 1 FETCH (BODY[] {5}\r\na\r\n\0b UID 1)\n\r\n* 2 FETCH (A ~{2}\nxy B {0+}\r\n)\r\nt1 OK {9}\r\n* X{4}\r\n";
        for step in [1, 3, 1000] {
            for held in [0, 100] {
                let limits = Limits { held, ..Limits::default() };
                let got = lines(bytes, step, limits).unwrap();
                let texts: Vec<_> = got.iter().map(|(t, _)| String::from_utf8_lossy(t).into_owned()).collect();
                assert_eq!(
                    texts,
                    ["* OK hi {3}", "* 1 FETCH (BODY[]  UID 1)", "", "* 2 FETCH (A  B )", "t1 OK {9}", "* X{4}"]
                );
                assert_eq!(got[1].1, [b"a\r\n\0b".to_vec()]);
                assert_eq!(got[3].1, [b"xy".to_vec(), Vec::new()]);
            }
        }
    }

    #[test]
    fn slow_lines() {
        let pace = |bytes, ms| {
            let mut pace = Pace::default();
            pace.add(bytes, Duration::from_millis(ms));
            pace.is_slow()
        };
        assert!(pace(1 << 20, 600) && !pace(1 << 20, 500), "two million bytes a second");
        assert!(!pace(1 << 10, 60_000), "too few to tell");
        assert!(!pace(1 << 20, 0));
    }

    #[test]
    fn ends_and_bounds() {
        let limits = Limits { text: 100, held: 10, literal: 1000 };
        let kind = |bytes: &[u8]| lines(bytes, 7, limits).unwrap_err().kind();
        assert_eq!(kind(b"* 1 FETCH (BODY[] {5}\r\nab"), Kind::Connection);
        assert_eq!(kind(b"* 1 FE"), Kind::Connection);
        assert_eq!(kind(b"* 1 FETCH (BODY[] {5000000000}\r\n"), Kind::Limit);
        assert_eq!(kind(b"* 1 FETCH (BODY[] {99999999999999999999999}\r\n"), Kind::Limit);
        assert_eq!(kind(&[b'x'; 200]), Kind::Limit);
        let many = b"* 1 FETCH ({1}\r\na".iter().chain(b" {1}\r\nb".iter().cycle().take(7 * 200));
        assert_eq!(kind(&many.copied().collect::<Vec<_>>()), Kind::Limit);
    }
}
