//! Rewrites a message on its way: line ends, quoting, and the state fields of its header.

use super::fields::{address_of, fields, lines, name_of, state_fields, value_of};
use super::{Form, StateFields};
use crate::error::{Error, Result};
use crate::io::Spool;
use crate::pipeline::Flags;
use std::io::Write;

/// Longer lines are passed on in pieces.
const LINE: usize = 64 << 10;

/// Takes a message in pieces of any size.
pub(super) struct Lines<'a> {
    out: &'a mut Spool,
    form: &'a Form,
    lf: bool,
    flags: Option<Flags>,
    /// The header until it is complete.
    head: Option<Vec<u8>>,
    /// An unfinished line.
    line: Vec<u8>,
    /// True if `line` continues a line that was begun.
    begun: bool,
    subject: String,
    sender: String,
}

impl<'a> Lines<'a> {
    pub fn new(out: &'a mut Spool, form: &'a Form, lf: bool, flags: Option<&Flags>) -> Self {
        Self {
            out,
            form,
            lf,
            flags: flags.cloned(),
            head: Some(Vec::new()),
            line: Vec::new(),
            begun: false,
            subject: String::new(),
            sender: String::new(),
        }
    }

    fn line(&mut self, line: &[u8], whole: bool) -> std::io::Result<()> {
        if let Some(head) = &mut self.head {
            head.extend_from_slice(line);
            if whole && matches!(line, b"\n" | b"\r\n") && !self.begun {
                self.flush_head()?;
            }
            self.begun = !whole;
            return Ok(());
        }
        if self.form.quote && !self.begun && is_quoted(line) {
            self.out.write_all(b">")?;
        }
        self.begun = !whole;
        self.ended(line)
    }

    fn ended(&mut self, line: &[u8]) -> std::io::Result<()> {
        match line.strip_suffix(b"\r\n") {
            Some(bare) if self.lf => {
                self.out.write_all(bare)?;
                self.out.write_all(b"\n")
            }
            _ => self.out.write_all(line),
        }
    }

    /// Passes on whole lines of the body among which none is to be quoted; false if that cannot be said of these.
    fn in_one_go(&mut self, lines: &[u8]) -> std::io::Result<bool> {
        if self.head.is_some() || self.begun || !self.line.is_empty() {
            return Ok(false);
        }
        // What is encoded has neither blanks nor, on its way to such a target, CRs.
        if memchr::memchr2(b' ', b'\r', lines).is_none() {
            self.out.write_all(lines)?;
            return Ok(true);
        }
        if self.form.quote && memchr::memmem::find(lines, b"From ").is_some() {
            return Ok(false);
        }
        let mut from = 0;
        if self.lf {
            for at in memchr::memchr_iter(b'\r', lines) {
                if lines.get(at + 1) == Some(&b'\n') {
                    self.out.write_all(lines.get(from..at).unwrap_or_default())?;
                    from = at + 1;
                }
            }
        }
        self.out.write_all(lines.get(from..).unwrap_or_default())?;
        Ok(true)
    }

    /// Takes what whole lines of the header there are, with the empty one that ends it; returns how many bytes they have.
    fn header(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let (mut end, mut ends) = (0, false);
        for at in memchr::memchr_iter(b'\n', bytes) {
            ends = matches!(bytes.get(end..=at), Some(b"\n" | b"\r\n"));
            end = at + 1;
            if ends {
                break;
            }
        }
        if let Some(head) = &mut self.head {
            head.extend_from_slice(bytes.get(..end).unwrap_or_default());
        }
        if ends {
            self.flush_head()?;
        }
        Ok(end)
    }

    fn flush_head(&mut self) -> std::io::Result<()> {
        let Some(head) = self.head.take() else { return Ok(()) };
        let crlf = head.ends_with(b"\r\n") && !self.lf;
        let end: &[u8] = if crlf { b"\r\n" } else { b"\n" };
        let mut state = match &self.flags {
            Some(flags) => state_fields(flags, self.form.state),
            None => Vec::new(),
        };
        let anew = self.flags.is_some() && self.form.state != StateFields::Never;
        for field in fields(&head) {
            let name = name_of(field);
            if name.eq_ignore_ascii_case(b"subject") {
                self.subject = value_of(field);
            } else if name.eq_ignore_ascii_case(b"from") {
                self.sender = address_of(&value_of(field));
            } else if anew && is_state(name) {
                continue;
            }
            if matches!(field, b"\n" | b"\r\n") {
                self.put_state(&mut state, end)?;
            }
            for line in lines(field) {
                if self.form.quote && line.starts_with(b"From ") {
                    self.out.write_all(b">")?;
                }
                self.ended(line)?;
            }
        }
        self.put_state(&mut state, end)
    }

    fn put_state(&mut self, state: &mut Vec<String>, end: &[u8]) -> std::io::Result<()> {
        for field in state.drain(..) {
            self.out.write_all(field.as_bytes())?;
            self.out.write_all(end)?;
        }
        Ok(())
    }

    /// Ends the message; returns subject and sender's address.
    pub fn end(mut self) -> Result<(String, String)> {
        let io = |e| Error::io("cannot write", "a temporary file", e);
        let rest = std::mem::take(&mut self.line);
        if !rest.is_empty() {
            self.line(&rest, true).map_err(io)?;
        }
        self.flush_head().map_err(io)?;
        Ok((std::mem::take(&mut self.subject), std::mem::take(&mut self.sender)))
    }
}

/// True for a line that mboxrd quotes: any number of `>`, then "From ".
fn is_quoted(line: &[u8]) -> bool {
    match line.first() {
        Some(b'F') => line.starts_with(b"From "),
        Some(b'>') => {
            line.iter().position(|b| *b != b'>').and_then(|i| line.get(i..)).is_some_and(|l| l.starts_with(b"From "))
        }
        _ => false,
    }
}

fn is_state(name: &[u8]) -> bool {
    ["status", "x-status", "x-unsent", "x-keywords"].iter().any(|s| name.eq_ignore_ascii_case(s.as_bytes()))
}

impl Write for Lines<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let simple = self.head.is_none() && !self.form.quote && !self.lf;
        if simple && self.line.is_empty() {
            self.out.write_all(bytes)?;
            return Ok(bytes.len());
        }
        let mut rest = bytes;
        if self.head.is_some() && self.line.is_empty() && !self.begun {
            let taken = self.header(rest)?;
            rest = rest.get(taken..).unwrap_or_default();
        }
        if let Some(end) = memchr::memrchr(b'\n', rest)
            && let Some((whole, after)) = rest.split_at_checked(end + 1)
            && self.in_one_go(whole)?
        {
            rest = after;
        }
        while let Some(at) = memchr::memchr(b'\n', rest) {
            let (line, after) = rest.split_at(at + 1);
            rest = after;
            if self.line.is_empty() {
                self.line(line, true)?;
            } else {
                let mut whole = std::mem::take(&mut self.line);
                whole.extend_from_slice(line);
                self.line(&whole, true)?;
                whole.clear();
                self.line = whole;
            }
        }
        self.line.extend_from_slice(rest);
        if self.line.len() > LINE && !self.line.ends_with(b"\r") {
            let piece = std::mem::take(&mut self.line);
            self.line(&piece, false)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
