//! Framing ([RFC 1939] 3): status lines, and answers of many lines with their dots. Every byte of a message comes out as
//! it stands, whatever its lines end with and however long they are.

use memchr::{memchr, memmem};
use std::io::{BufRead, ErrorKind, Result, Write};

/// Longest line of an answer that is no message.
const LINE: usize = 64 << 10;

/// Reads a line without its end; `None` at the end of the stream.
pub fn line(from: &mut impl BufRead) -> Result<Option<Vec<u8>>> {
    let mut out = Vec::new();
    loop {
        let held = from.fill_buf()?;
        if held.is_empty() {
            // Half a line is none.
            return if out.is_empty() { Ok(None) } else { Err(ErrorKind::UnexpectedEof.into()) };
        }
        let end = memchr(b'\n', held);
        let piece = held.get(..end.unwrap_or(held.len())).unwrap_or_default();
        out.extend_from_slice(piece.get(..piece.len().min(LINE.saturating_sub(out.len()))).unwrap_or_default());
        let taken = piece.len() + usize::from(end.is_some());
        from.consume(taken);
        if end.is_some() {
            if out.last() == Some(&b'\r') {
                out.pop();
            }
            return Ok(Some(out));
        }
    }
}

/// Copies an answer of many lines to its final dot, which is not copied. `size`: what the server says that it has, 0 where
/// it says nothing.
///
/// # Errors
/// [`ErrorKind::UnexpectedEof`] when the connection ends before the dot: the message is then not whole.
pub fn lines(from: &mut impl BufRead, size: u64, out: &mut impl Write) -> Result<()> {
    let mut dots = Dots::new(size);
    while !dots.ended {
        let held = from.fill_buf()?;
        if held.is_empty() {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        let taken = dots.feed(held, out)?;
        from.consume(taken);
    }
    Ok(())
}

/// Takes the dots off the lines of an answer.
///
/// Which line ends count is seen at the first one: servers that send bare line feeds do so throughout, and in the answers
/// of the others a bare line feed is part of a line.
struct Dots {
    size: u64,
    copied: u64,
    /// Bare line feeds end lines; `None` before the first one.
    bare: Option<bool>,
    /// The byte before, of those that were copied.
    last: u8,
    /// At the start of a line: what of it has come, which may become the final dot.
    head: Option<Vec<u8>>,
    ended: bool,
}

impl Dots {
    fn new(size: u64) -> Self {
        Self { size, copied: 0, bare: None, last: 0, head: Some(Vec::new()), ended: false }
    }

    /// Takes bytes; returns how many, which are all unless the answer ends in them.
    fn feed(&mut self, data: &[u8], out: &mut impl Write) -> Result<usize> {
        let mut at = 0;
        while let Some(rest) = data.get(at..).filter(|r| !r.is_empty()) {
            if let Some(mut head) = self.head.take() {
                let Some(byte) = rest.first() else { break };
                head.push(*byte);
                match head.as_slice() {
                    b"." | b".\r" => {
                        self.head = Some(head);
                        at += 1;
                    }
                    b".\n" | b".\r\n" => {
                        self.ended = true;
                        return Ok(at + 1);
                    }
                    [b'.', stuffed @ ..] => {
                        at += 1;
                        self.copy(stuffed, out)?;
                    }
                    // The byte is looked at again below, with those behind it.
                    _ => {
                        let end = self.bare_run(rest);
                        self.copy(rest.get(..end).unwrap_or_default(), out)?;
                        at += end;
                    }
                }
            } else {
                let end = self.bare_run(rest);
                self.copy(rest.get(..end).unwrap_or_default(), out)?;
                at += end;
            }
        }
        Ok(at)
    }

    /// How many bytes can be copied at once: up to the next line that begins with a dot.
    fn bare_run(&mut self, rest: &[u8]) -> usize {
        if self.bare.is_none()
            && let Some(first) = memchr(b'\n', rest)
        {
            let before = first.checked_sub(1).and_then(|i| rest.get(i)).copied().unwrap_or(self.last);
            self.bare = Some(before != b'\r');
            return first + 1;
        }
        memmem::find(rest, b"\n.").map_or(rest.len(), |i| i + 1)
    }

    fn copy(&mut self, bytes: &[u8], out: &mut impl Write) -> Result<()> {
        let Some((last, front)) = bytes.split_last() else { return Ok(()) };
        out.write_all(bytes)?;
        self.copied += bytes.len() as u64;
        if *last == b'\n' {
            let before = front.last().copied().unwrap_or(self.last);
            // A message that has all its bytes is over, even where the line before the dot ends oddly.
            let whole = self.size > 0 && self.copied >= self.size;
            if before == b'\r' || self.bare == Some(true) || whole {
                self.head = Some(Vec::new());
            }
        }
        self.last = *last;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufReader, Read};

    /// The message in an answer, read in pieces of every size.
    fn message(answer: &[u8], size: u64) -> Result<Vec<u8>> {
        let mut first = None;
        for piece in 1..answer.len() + 2 {
            let mut from = BufReader::with_capacity(piece, answer);
            let mut out = Vec::new();
            let got = lines(&mut from, size, &mut out).map(|()| out);
            let mut rest = Vec::new();
            from.read_to_end(&mut rest).unwrap();
            if let Ok(got) = &got {
                assert_eq!(rest, b"+OK next", "in pieces of {piece}: {got:?}");
            }
            let got = got.map_err(|e| e.kind());
            assert_eq!(first.get_or_insert(got.clone()), &got, "in pieces of {piece}");
        }
        first.unwrap().map_err(Into::into)
    }

    #[test]
    fn dots_come_off() {
        for (answer, expected) in [
            (&b".\r\n+OK next"[..], &b""[..]),
            (b"a\r\n.\r\n+OK next", b"a\r\n"),
            (b"a\r\n..\r\n...b\r\n.c\r\n.\r\n+OK next", b"a\r\n.\r\n..b\r\nc\r\n"),
            (b"..\r\n.\r\n+OK next", b".\r\n"),
            (b"a\0\xFF\r\n\r\n.\r\n+OK next", b"a\0\xFF\r\n\r\n"),
            // Bare line feeds throughout.
            (b"a\n..\n.b\n.\n+OK next", b"a\n.\nb\n"),
            (b"a\n.\r\n+OK next", b"a\n"),
            // Bare line feeds inside lines: the dot behind one is nobody's.
            (b"a\r\nb\n.\nc\n..d\r\n.\r\n+OK next", b"a\r\nb\n.\nc\n..d\r\n"),
            (b"a\r\nb\rc\r\n.\r\n+OK next", b"a\r\nb\rc\r\n"),
            (b".\rx\r\n.\r\n+OK next", b"\rx\r\n"),
        ] {
            assert_eq!(message(answer, 0).unwrap(), expected, "{answer:?}");
        }
        assert_eq!(message(b"a\r\nb\n.\r\n+OK next", 5).unwrap(), b"a\r\nb\n");
    }

    #[test]
    fn without_the_dot_nothing_is_whole() {
        for answer in [&b""[..], b"a\r\n", b"a\r\n.", b"a\r\n.\r", b"a\r\nb\n.\r\n"] {
            assert_eq!(message(answer, 0).unwrap_err().kind(), ErrorKind::UnexpectedEof, "{answer:?}");
        }
    }

    #[test]
    fn status_lines() {
        let mut from = BufReader::with_capacity(3, &b"+OK hello\r\n-ERR x\n\r\nhalf"[..]);
        assert_eq!(line(&mut from).unwrap().unwrap(), b"+OK hello");
        assert_eq!(line(&mut from).unwrap().unwrap(), b"-ERR x");
        assert_eq!(line(&mut from).unwrap().unwrap(), b"");
        assert!(line(&mut from).is_err());
        let long = [vec![b'x'; 3 * LINE], b"\r\nnext\r\n".to_vec()].concat();
        let mut from = &long[..];
        assert_eq!(line(&mut from).unwrap().unwrap().len(), LINE);
        assert_eq!(line(&mut from).unwrap().unwrap(), b"next");
        assert!(line(&mut from).unwrap().is_none());
    }
}
