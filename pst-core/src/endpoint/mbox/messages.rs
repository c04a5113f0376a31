//! Finds the messages of an mbox, window by window.

use super::{BOM, SEPARATOR};
use crate::error::Result;
use crate::io::Input;
use crate::pipeline::ItemRef;
use memchr::memmem::Finder;
use std::sync::Arc;

/// Bytes looked at once.
const WINDOW: usize = 1 << 20;
/// Bytes before a line end that tell whether a separator may follow.
const BEFORE: u64 = 2;
/// Bytes of the line after a separator that tell whether a header begins there.
const AFTER: usize = 128;
/// Bytes from a line end on that hold the separator behind it and the start of the next line.
const NEEDED: u64 = (1 + SEPARATOR + AFTER) as u64;

/// The messages of one mbox, in order.
pub(super) struct Messages {
    input: Arc<Input>,
    /// Where the next message starts.
    at: u64,
    number: u64,
    /// What lines end with.
    newline: u8,
    /// Finds a line end and the start of a separator.
    finder: Finder<'static>,
    window: Vec<u8>,
    window_at: u64,
}

impl Messages {
    pub fn new(input: Arc<Input>) -> Self {
        let newline = newline(&input);
        let needle: &[u8] = if newline == b'\r' { b"\rFrom " } else { b"\nFrom " };
        let mut head = [0; BOM.len()];
        let marked = input.read_into(0, &mut head).is_ok() && head == BOM;
        let at = if marked { BOM.len() as u64 } else { 0 };
        Self { input, at, number: 0, newline, finder: Finder::new(needle), window: Vec::new(), window_at: 0 }
    }

    /// Reads the window that begins a little before `at`.
    fn look(&mut self, at: u64) -> Result<()> {
        self.window_at = at.saturating_sub(BEFORE);
        let take = (self.input.len() - self.window_at).min(WINDOW as u64) as usize;
        self.window.resize(take, 0);
        self.input.read_into(self.window_at, &mut self.window)
    }

    /// The start of the next separator after `from`, where a message starts, or the end of the file.
    fn next_separator(&mut self, from: u64) -> Result<u64> {
        let len = self.input.len();
        let mut at = from;
        loop {
            let end = self.window_at + self.window.len() as u64;
            if at + NEEDED > end && end < len {
                self.look(at)?;
            }
            let last = self.window_at + self.window.len() as u64 == len;
            let start = (at - self.window_at) as usize;
            let rest = self.window.get(start..).unwrap_or_default();
            // A separator that may be cut off is looked at again in the next window; so is half a needle.
            let mut next = self.window.len() - rest.len().min(self.finder.needle().len() - 1);
            for hit in self.finder.find_iter(rest).map(|hit| start + hit) {
                let follows = self.window.get(hit + 1..).unwrap_or_default();
                if follows.len() as u64 + 1 < NEEDED && !last {
                    next = hit;
                    break;
                }
                let before = self.window.get(..hit).unwrap_or_default();
                let first = self.window_at + hit as u64 == from;
                let empty = first || before.ends_with(&[self.newline]) || before.ends_with(b"\n\r");
                if is_separator(follows, self.newline, empty) {
                    return Ok(self.window_at + hit as u64 + 1);
                }
            }
            if last {
                return Ok(len);
            }
            at = self.window_at + next as u64;
        }
    }

    /// The next message, or what stands before the first one.
    fn next_piece(&mut self) -> Option<Result<(u64, u64)>> {
        let start = self.at;
        if start >= self.input.len() {
            return None;
        }
        let end = self.next_separator(start);
        self.at = *end.as_ref().unwrap_or(&self.input.len());
        Some(end.map(|end| (start, end - start)))
    }

    /// Blanks alone are no message.
    fn is_blank(&self, start: u64, size: u64) -> bool {
        let mut bytes = vec![0; size.min(64) as usize];
        size < 64 && self.input.read_into(start, &mut bytes).is_ok() && bytes.trim_ascii().is_empty()
    }
}

/// What the lines of a file end with: CR in those of old Macs, else LF.
fn newline(input: &Input) -> u8 {
    let mut head = vec![0; input.len().min(1 << 16) as usize];
    let read = input.read_into(0, &mut head).is_ok();
    if read && memchr::memchr(b'\n', &head).is_none() && memchr::memchr(b'\r', &head).is_some() { b'\r' } else { b'\n' }
}

/// True for the line that parts two messages, at the start of `text`.
///
/// Writers differ in the date, and some leave the empty line out, while text may begin with "From " too. So two of three
/// are asked for: an empty line before, "From sender date" as programs write it, and a header behind.
fn is_separator(text: &[u8], newline: u8, empty_before: bool) -> bool {
    let text = text.get(..SEPARATOR + AFTER).unwrap_or(text);
    let end = memchr::memchr(newline, text).unwrap_or(text.len());
    let (line, rest) = text.split_at_checked(end).unwrap_or((text, &[]));
    let rest = rest.get(1..).unwrap_or_default();
    match dating(line) {
        Dating::Exact if empty_before => true,
        Dating::Exact => begins_header(rest, newline),
        Dating::Likely => empty_before && (begins_header(rest, newline) || is_empty_line(rest, newline)),
        Dating::None => false,
    }
}

/// True for text that begins with a separator.
pub(super) fn begins(text: &[u8]) -> bool {
    let line = text.split(|b| matches!(b, b'\r' | b'\n')).next().unwrap_or_default();
    line.starts_with(b"From ") && !matches!(dating(line), Dating::None)
}

/// How much a line looks like a separator.
enum Dating {
    /// "From sender Sat Jan  3 01:05:34 1996", or "From -".
    Exact,
    /// A sender alone, or with something that may be a date.
    Likely,
    /// Words.
    None,
}

fn dating(line: &[u8]) -> Dating {
    let text = String::from_utf8_lossy(line);
    let words: Vec<&str> = text.split_whitespace().skip(1).collect();
    let number = |w: &str, digits: &[usize]| digits.contains(&w.len()) && w.bytes().all(|b| b.is_ascii_digit());
    let clock = |w: &str| (2..=3).contains(&w.split(':').count()) && w.split(':').all(|p| number(p, &[1, 2]));
    let day = |w: &str| ["sun", "mon", "tue", "wed", "thu", "fri", "sat"].iter().any(|d| w.eq_ignore_ascii_case(d));
    let month = |w: &str| {
        let months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
        months.iter().any(|m| w.eq_ignore_ascii_case(m))
    };
    let asctime = words.windows(4).position(|w| match w {
        [a, b, c, d] => day(a) && month(b) && number(c, &[1, 2]) && clock(d),
        _ => false,
    });
    let year = |at: usize| words.iter().skip(at).any(|w| number(w, &[4]));
    // Netscape wrote a dash alone.
    if asctime.is_some_and(|at| year(at + 4)) || words == ["-"] {
        return Dating::Exact;
    }
    let dated = words.iter().any(|w| clock(w) || w.bytes().filter(u8::is_ascii_digit).count() >= 4);
    if dated || words.len() <= 1 { Dating::Likely } else { Dating::None }
}

/// True if a field stands there, or a quoted separator as some servers put before it.
fn begins_header(text: &[u8], newline: u8) -> bool {
    let line = text.split(|b| *b == newline).next().unwrap_or_default();
    let name = line.split(|b| *b == b':').next().unwrap_or_default();
    line.starts_with(b">From ")
        || (!name.is_empty() && name.len() < line.len() && name.iter().all(u8::is_ascii_graphic))
}

fn is_empty_line(text: &[u8], newline: u8) -> bool {
    text.first().is_none_or(|b| *b == newline) || text.starts_with(b"\r\n")
}

impl Iterator for Messages {
    type Item = Result<ItemRef>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut piece = self.next_piece()?;
        if matches!(piece, Ok((start, size)) if self.is_blank(start, size)) {
            piece = self.next_piece()?;
        }
        Some(piece.map(|(key, size)| {
            self.number += 1;
            ItemRef { id: format!("message {}", self.number), key, size, ..ItemRef::default() }
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Separators at and around the end of a window are found as anywhere else, at the end of the file and before it.
    #[test]
    fn separators_at_the_edge_of_a_window() {
        for shift in WINDOW - NEEDED as usize - 100..WINDOW + 20 {
            for more in [0, 2 * NEEDED as usize] {
                let mut bytes = b"From a@b Sat Jan  3 01:05:34 1996\nA: b\n\n".to_vec();
                bytes.resize(shift - 1, b'x');
                bytes.extend_from_slice(b"\n\nFrom a@b Sat Jan  3 01:05:34 1996\nC: d\n\n>From x\nno From y\nFrom z\n");
                bytes.resize(bytes.len() + more, b'z');
                let len = bytes.len() as u64;
                let found = Messages::new(Arc::new(Input::from_bytes(bytes, "test")));
                let found: Vec<(u64, u64)> = found.take(3).map(|m| m.map(|m| (m.key, m.size)).unwrap()).collect();
                let second = shift as u64 + 1;
                assert_eq!(found, [(0, second), (second, len - second)], "{shift}");
            }
        }
    }

    fn parts(text: &str) -> usize {
        let found = Messages::new(Arc::new(Input::from_bytes(text.into(), "test")));
        found.map(Result::unwrap).count()
    }

    #[test]
    fn separators_of_many_writers() {
        let start = "From a@b Sat Jan  3 01:05:34 1996\nA: b\n\nx\n";
        for line in [
            "From MAILER-DAEMON",
            "From - ",
            "From a@b.c",
            "From a@b.c Sat, 03 Jan 96 01:05:34 +0000",
            "From a@b 1996-01-03T01:05:34Z",
            "From a@b Jan 3, 1996",
            "From \"john doe\"@b.c Sat Jan  3 01:05:34 MET DST 1996",
            "From  Sat Jan  3 01:05 1996",
            "From a@b.c Sat Jan  3 01:05:34 1996 remote from foo",
        ] {
            assert_eq!(parts(&format!("{start}\n{line}\nC: d\n\ny\n")), 2, "{line}");
            assert_eq!(parts(&format!("{start}\n{line}\n\ny\n")), 2, "{line}, without a header");
        }
        let exact = "From a@b Sat Jan  3 01:05:34 1996";
        for line in [exact, "From - "] {
            assert_eq!(parts(&format!("{start}{line}\nC: d\n\ny\n")), 2, "no empty line before {line}");
        }
        assert_eq!(parts(&format!("{start}\nFrom {} Sat Jan  3 01:05:34 1996\nC: d\n", "x".repeat(3000))), 2);
        assert_eq!(parts(&format!("{start}\n{exact}\nC: d\n\ny\n").replace('\n', "\r")), 2, "of an old Mac");
    }

    #[test]
    fn text_that_begins_with_from() {
        let start = "From a@b Sat Jan  3 01:05:34 1996\nA: b\n\nx\n";
        for text in [
            "\nFrom here on we go 12:30 in 1996 blah\nand on",
            "\nFrom what I know\nNote: this is text",
            "From a@b.c\nA: b",
            "From a@b Sat Jan  3 01:05:34 1996\nis quoted here",
            "From a@b 1996-01-03T01:05:34Z\nA: b",
        ] {
            assert_eq!(parts(&format!("{start}{text}\n")), 1, "{text}");
        }
    }

    #[test]
    fn a_mark_before_the_first_message() {
        let bytes = b"\xEF\xBB\xBFFrom a@b Sat Jan  3 01:05:34 1996\nA: b\n\nx\n".to_vec();
        let all: Vec<_> = Messages::new(Arc::new(Input::from_bytes(bytes, "test"))).map(Result::unwrap).collect();
        assert_eq!(all.iter().map(|m| m.key).collect::<Vec<_>>(), [3]);
    }

    #[test]
    fn blanks_before_the_first_message() {
        let bytes = b"\r\n\nFrom a@b Sat Jan  3 01:05:34 1996\nA: b\n\nx\n".to_vec();
        let all: Vec<_> = Messages::new(Arc::new(Input::from_bytes(bytes, "test"))).map(Result::unwrap).collect();
        assert_eq!(all.iter().map(|m| (m.id.as_str(), m.key)).collect::<Vec<_>>(), [("message 1", 3)]);
    }
}
