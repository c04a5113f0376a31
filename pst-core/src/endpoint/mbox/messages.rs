//! Finds the messages of an mbox, window by window.

use super::SEPARATOR;
use crate::error::Result;
use crate::io::Input;
use crate::pipeline::ItemRef;
use memchr::memmem::Finder;
use std::sync::Arc;

/// Bytes looked at once.
const WINDOW: usize = 1 << 20;
/// Bytes before a line end that tell whether a separator may follow.
const BEFORE: u64 = 2;
/// Bytes from a line end on that hold the separator behind it.
const NEEDED: u64 = 1 + SEPARATOR as u64;
/// A line end and the start of a separator.
const NEEDLE: &[u8] = b"\nFrom ";

/// The messages of one mbox, in order.
pub(super) struct Messages {
    input: Arc<Input>,
    /// Where the next message starts.
    at: u64,
    number: u64,
    finder: Finder<'static>,
    window: Vec<u8>,
    window_at: u64,
}

impl Messages {
    pub fn new(input: Arc<Input>) -> Self {
        Self { input, at: 0, number: 0, finder: Finder::new(NEEDLE), window: Vec::new(), window_at: 0 }
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
            let mut next = self.window.len() - rest.len().min(NEEDLE.len() - 1);
            for hit in self.finder.find_iter(rest).map(|hit| start + hit) {
                let line = self.window.get(hit + 1..).unwrap_or_default();
                if line.len() < SEPARATOR && !last {
                    next = hit;
                    break;
                }
                let line = line.get(..SEPARATOR).unwrap_or(line);
                let line = memchr::memchr(b'\n', line).and_then(|e| line.get(..e)).unwrap_or(line);
                let before = self.window.get(..hit).unwrap_or_default();
                let first = self.window_at + hit as u64 == from;
                if is_separator(line, first || before.ends_with(b"\n") || before.ends_with(b"\n\r")) {
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

/// True for "From sender date": a time of day and a year are there, or at least an empty line stands before.
fn is_separator(line: &[u8], empty_before: bool) -> bool {
    let text = String::from_utf8_lossy(line);
    let words: Vec<&str> = text.split_whitespace().collect();
    let clock = words.iter().any(|w| {
        let parts: Vec<&str> = w.split(':').collect();
        (2..=3).contains(&parts.len())
            && parts.iter().all(|p| (1..=2).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_digit()))
    });
    let year = words.iter().any(|w| w.len() == 4 && w.bytes().all(|b| b.is_ascii_digit()));
    let mail = words.len() == 2 && words.get(1).is_some_and(|w| w.contains('@') || *w == "-");
    empty_before && ((clock && year) || mail || words.len() == 1)
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

    /// Separators at and around the end of a window are found as anywhere else.
    #[test]
    fn separators_at_the_edge_of_a_window() {
        for shift in WINDOW - 600..WINDOW + 20 {
            let mut bytes = b"From a@b Sat Jan  3 01:05:34 1996\nA: b\n\n".to_vec();
            bytes.resize(shift - 1, b'x');
            bytes.extend_from_slice(b"\n\nFrom a@b Sat Jan  3 01:05:34 1996\nC: d\n\n>From x\nno From y\nFrom z\n");
            let len = bytes.len() as u64;
            let found = Messages::new(Arc::new(Input::from_bytes(bytes, "test")));
            let found: Vec<(u64, u64)> = found.map(|m| m.map(|m| (m.key, m.size)).unwrap()).collect();
            let second = shift as u64 + 1;
            assert_eq!(found, [(0, second), (second, len - second)], "{shift}");
        }
    }

    #[test]
    fn blanks_before_the_first_message() {
        let bytes = b"\r\n\nFrom a@b Sat Jan  3 01:05:34 1996\nA: b\n\nx\n".to_vec();
        let all: Vec<_> = Messages::new(Arc::new(Input::from_bytes(bytes, "test"))).map(Result::unwrap).collect();
        assert_eq!(all.iter().map(|m| (m.id.as_str(), m.key)).collect::<Vec<_>>(), [("message 1", 3)]);
    }
}
