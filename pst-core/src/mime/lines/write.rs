//! Content lines to text, folded at 75 bytes.

use super::{Component, Line, Param};
use crate::error::Result;
use crate::mime::encode::{cannot_read, cannot_write};
use std::fmt::Write as _;
use std::io::{Read, Write};

/// Longest line, without CRLF.
const WIDTH: usize = 75;
/// Bytes that are encoded at once; a multiple of three.
const CHUNK: usize = 48 << 10;

/// A text with the escapes of RFC 5545 3.3.11 and RFC 6350 3.4.
pub(in crate::mime) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' | ';' | ',' => out.extend(['\\', c]),
            '\r' if chars.peek() == Some(&'\n') => {}
            '\r' | '\n' => out.push_str("\\n"),
            c if c.is_ascii_control() && c != '\t' => {}
            c => out.push(c),
        }
    }
    out
}

/// Writes a component with all that is inside; depth is bounded by whoever made it.
///
/// # Errors
/// When `out` refuses, or data cannot be read.
pub(in crate::mime) fn write(component: &Component, out: &mut dyn Write) -> Result<()> {
    let frame = |word: &str, out: &mut dyn Write| {
        out.write_all(format!("{word}:{}\r\n", component.name).as_bytes()).map_err(cannot_write)
    };
    frame("BEGIN", out)?;
    write_inside(component, out)?;
    frame("END", out)
}

/// Writes what stands inside a component.
///
/// # Errors
/// As [`write`].
pub(in crate::mime) fn write_inside(component: &Component, out: &mut dyn Write) -> Result<()> {
    for line in &component.lines {
        write_line(line, out)?;
    }
    component.parts.iter().try_for_each(|part| write(part, out))
}

fn write_line(line: &Line, out: &mut dyn Write) -> Result<()> {
    let mut text = String::new();
    if let Some(group) = &line.group {
        let _ = write!(text, "{group}.");
    }
    text.push_str(&line.name);
    line.params.iter().for_each(|p| put_param(p, &mut text));
    text.push(':');
    text.extend(line.value.chars().filter(|c| !matches!(c, '\r' | '\n')));
    let mut fold = Fold { out, column: 0 };
    fold.text(&text)?;
    if let Some(data) = &line.data {
        let mut reader = data.open()?;
        let mut chunk = Vec::with_capacity(CHUNK);
        loop {
            chunk.clear();
            reader.by_ref().take(CHUNK as u64).read_to_end(&mut chunk).map_err(cannot_read)?;
            if chunk.is_empty() {
                break;
            }
            fold.text(&base64_simd::STANDARD.encode_to_string(&chunk))?;
        }
    }
    fold.out.write_all(b"\r\n").map_err(cannot_write)
}

fn put_param(param: &Param, text: &mut String) {
    let _ = write!(text, ";{}", param.name);
    for (i, value) in param.values.iter().enumerate() {
        text.push(if i == 0 { '=' } else { ',' });
        let quoted = value.contains([',', ';', ':']);
        text.push_str(if quoted { "\"" } else { "" });
        let mut chars = value.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                '"' => text.push_str("^'"),
                '\n' => text.push_str("^n"),
                // A caret alone means itself.
                '^' if matches!(chars.peek(), Some('n' | '\'' | '^')) => text.push_str("^^"),
                c if c.is_ascii_control() && c != '\t' => {}
                c => text.push(c),
            }
        }
        text.push_str(if quoted { "\"" } else { "" });
    }
}

/// Breaks lines between characters.
struct Fold<'a> {
    out: &'a mut dyn Write,
    column: usize,
}

impl Fold<'_> {
    fn text(&mut self, mut text: &str) -> Result<()> {
        while self.column + text.len() > WIDTH {
            let mut end = WIDTH.saturating_sub(self.column);
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            let (head, tail) = text.split_at_checked(end).unwrap_or(("", text));
            self.out.write_all(head.as_bytes()).map_err(cannot_write)?;
            self.out.write_all(b"\r\n ").map_err(cannot_write)?;
            self.column = 1;
            text = tail;
        }
        self.column += text.len();
        self.out.write_all(text.as_bytes()).map_err(cannot_write)
    }
}
