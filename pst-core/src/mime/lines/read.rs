//! Text to content lines.

use super::{Component, DEPTH, Line, Param};
use crate::mime::charset;
use std::borrow::Cow;

/// A text taken apart.
#[derive(Default)]
pub(in crate::mime) struct Text {
    /// The outermost components.
    pub components: Vec<Component>,
    /// Lines that are none, or stand where none may.
    pub odd: Vec<String>,
}

/// Reads a text: UTF-8, UTF-16 with a mark, or bytes in whatever charset each line says.
pub(in crate::mime) fn parse(bytes: &[u8]) -> Text {
    let (text, raw) = decode(bytes);
    let mut out = Text::default();
    let mut open: Vec<Component> = Vec::new();
    let mut skipped = 0usize;
    for physical in Unfold(&text) {
        let Some(mut line) = line(&physical) else {
            if !physical.trim().is_empty() {
                out.odd.push(physical.into_owned());
            }
            continue;
        };
        if raw {
            decode_line(&mut line);
        }
        decode_quoted(&mut line);
        if line.is("BEGIN") {
            if open.len() >= DEPTH {
                skipped += 1;
                if skipped == 1 {
                    out.odd.push(physical.into_owned());
                }
                continue;
            }
            open.push(Component::new(&line.value.trim().to_ascii_uppercase()));
        } else if line.is("END") {
            if skipped > 0 {
                skipped -= 1;
                continue;
            }
            let name = line.value.trim().to_ascii_uppercase();
            // An END that fits none of what is open is ignored; one that fits an outer one closes the inner ones.
            match open.iter().rposition(|c| c.name == name) {
                Some(at) => (at..open.len()).for_each(|_| close(&mut open, &mut out)),
                None => out.odd.push(physical.into_owned()),
            }
        } else if let Some(component) = open.last_mut().filter(|_| skipped == 0) {
            component.lines.push(line);
        } else if skipped == 0 {
            out.odd.push(physical.into_owned());
        }
    }
    while !open.is_empty() {
        close(&mut open, &mut out);
    }
    out
}

fn close(open: &mut Vec<Component>, out: &mut Text) {
    if let Some(done) = open.pop() {
        match open.last_mut() {
            Some(outer) => outer.parts.push(done),
            None => out.components.push(done),
        }
    }
}

/// The text, and whether its characters are bytes still to be decoded.
fn decode(bytes: &[u8]) -> (Cow<'_, str>, bool) {
    if let Some((encoding, mark)) = encoding_rs::Encoding::for_bom(bytes) {
        let rest = bytes.get(mark..).unwrap_or_default();
        return (encoding.decode_without_bom_handling(rest).0, false);
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => (Cow::Borrowed(text), false),
        Err(_) => (Cow::Owned(bytes.iter().map(|b| char::from(*b)).collect()), true),
    }
}

/// Decodes a line whose characters are bytes.
fn decode_line(line: &mut Line) {
    let label = line.param("CHARSET").map(ToOwned::to_owned);
    let text = |chars: &str| -> String {
        let bytes: Vec<u8> = chars.chars().map(|c| c as u8).collect();
        in_charset(&bytes, label.as_deref())
    };
    line.value = text(&line.value);
    for value in line.params.iter_mut().flat_map(|p| p.values.iter_mut()) {
        *value = text(value);
    }
}

fn in_charset(bytes: &[u8], label: Option<&str>) -> String {
    match label {
        Some(label) => charset::decode(Some(label), bytes).0.into_owned(),
        None => charset::utf8_or_1252(bytes).into_owned(),
    }
}

/// True for a line that is quoted-printable, as vCard 2.1 has them.
fn is_quoted(line: &Line) -> bool {
    line.param("ENCODING").is_some_and(|e| e.eq_ignore_ascii_case("QUOTED-PRINTABLE"))
        || line.params.iter().any(|p| p.values.is_empty() && p.name.eq_ignore_ascii_case("QUOTED-PRINTABLE"))
}

/// Decodes quoted-printable; what it holds is then escaped as any other text, but for the separators of parts.
fn decode_quoted(line: &mut Line) {
    if !is_quoted(line) {
        return;
    }
    let bytes = mail_parser::Encoding::QuotedPrintable.decode(line.value.as_bytes()).into_owned();
    let text = in_charset(&bytes, line.param("CHARSET"));
    line.value = text.replace("\r\n", "\n").replace('\n', "\\n");
    let quoted = |text: &str| text.eq_ignore_ascii_case("QUOTED-PRINTABLE");
    let is_encoding = |p: &Param| p.name.eq_ignore_ascii_case("ENCODING") && p.values.iter().any(|v| quoted(v));
    line.params.retain(|p| !(p.name.eq_ignore_ascii_case("CHARSET") || quoted(&p.name) || is_encoding(p)));
}

/// The lines of a text with their continuations.
struct Unfold<'a>(&'a str);

impl<'a> Unfold<'a> {
    /// One physical line, without its end.
    fn physical(&mut self) -> Option<&'a str> {
        if self.0.is_empty() {
            return None;
        }
        let end = memchr::memchr2(b'\r', b'\n', self.0.as_bytes()).unwrap_or(self.0.len());
        let (line, rest) = self.0.split_at(end);
        // Some files have passed through one conversion of line ends too many.
        let crlf = rest.trim_start_matches('\r').strip_prefix('\n');
        self.0 = crlf.or_else(|| rest.strip_prefix('\r')).unwrap_or(rest);
        Some(line)
    }
}

impl Unfold<'_> {
    /// True if a continuation follows. Old programs of Mozilla write an empty line before each.
    fn continues(&mut self) -> bool {
        let end = self.0.strip_prefix("\r\n").or_else(|| self.0.strip_prefix('\n'));
        if let Some(rest) = end.filter(|rest| rest.starts_with([' ', '\t'])) {
            self.0 = rest;
        }
        self.0.starts_with([' ', '\t'])
    }
}

impl<'a> Iterator for Unfold<'a> {
    type Item = Cow<'a, str>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut line = Cow::Borrowed(self.physical()?);
        let head = line.split(':').next().unwrap_or_default().to_ascii_uppercase();
        let quoted = head.contains("QUOTED-PRINTABLE");
        let base64 = head.contains("BASE64") || head.contains("ENCODING=B");
        loop {
            if quoted && line.ends_with('=') {
                let next = self.physical().unwrap_or_default();
                let line = line.to_mut();
                line.pop();
                line.push_str(next);
            } else if self.continues() {
                let next = self.physical().unwrap_or_default();
                line.to_mut().push_str(next.get(1..).unwrap_or_default());
            } else if base64 && is_base64(self.0) {
                let next = self.physical().unwrap_or_default();
                line.to_mut().push_str(next);
            } else {
                return Some(line);
            }
        }
    }
}

/// True if the next line can only be more of a base64 value.
fn is_base64(text: &str) -> bool {
    let end = memchr::memchr2(b'\r', b'\n', text.as_bytes()).unwrap_or(text.len());
    let line = text.as_bytes().get(..end).unwrap_or_default();
    !line.is_empty() && line.iter().all(|b| b.is_ascii_alphanumeric() || b"+/=".contains(b))
}

/// Takes one line apart; `None` if it is none.
fn line(text: &str) -> Option<Line> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let end = text.find([';', ':'])?;
    let (full, mut rest) = text.split_at(end);
    let full = full.trim();
    let (group, name) = match full.rsplit_once('.') {
        Some((group, name)) => (Some(group.to_owned()), name),
        None => (None, full),
    };
    // Names of one's own are less strict in practice.
    let own = name.get(..2).is_some_and(|x| x.eq_ignore_ascii_case("X-"));
    let fits =
        |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_' || (own && (b.is_ascii_graphic() || b == b' '));
    if name.is_empty() || !name.bytes().all(fits) {
        return None;
    }
    let mut params = Vec::new();
    while let Some(tail) = rest.strip_prefix(';') {
        let (param, tail) = param(tail)?;
        params.extend(param);
        rest = tail;
    }
    let value = rest.strip_prefix(':')?;
    Some(Line { group, name: name.to_owned(), params, value: value.to_owned(), data: None })
}

/// One parameter, and what follows it.
fn param(text: &str) -> Option<(Option<Param>, &str)> {
    let end = text.find(['=', ';', ':'])?;
    let (name, mut rest) = text.split_at(end);
    let mut param = Param { name: name.trim().to_owned(), values: Vec::new() };
    while let Some(tail) = rest.strip_prefix(if param.values.is_empty() { '=' } else { ',' }) {
        let (value, tail) = match tail.trim_start_matches(' ').strip_prefix('"') {
            Some(quoted) => {
                let (value, tail) = quoted.split_once('"')?;
                (value, tail.trim_start_matches(|c| !matches!(c, ',' | ';' | ':')))
            }
            None => tail.split_at(unquoted(tail)?),
        };
        param.values.push(caret(value));
        rest = tail;
    }
    Some(((!param.name.is_empty()).then_some(param), rest))
}

/// Where a value without quotes ends. Some programs escape a semicolon in it as in a text; a backslash before one that
/// begins the next parameter is part of the value, as in `CN=DOMAIN\;ROLE=CHAIR`.
fn unquoted(text: &str) -> Option<usize> {
    let mut from = 0;
    loop {
        let end = from + text.get(from..)?.find([',', ';', ':'])?;
        let (head, tail) = text.split_at_checked(end)?;
        let escaped = head.ends_with('\\') && tail.strip_prefix(';').is_some_and(|rest| !begins_param(rest));
        if !escaped {
            return Some(end);
        }
        from = end + 1;
    }
}

/// True for `NAME=`.
fn begins_param(text: &str) -> bool {
    let name = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).next().unwrap_or_default();
    !name.is_empty() && text.get(name.len()..).is_some_and(|rest| rest.starts_with('='))
}

/// Resolves the escapes of RFC 6868.
fn caret(value: &str) -> String {
    if !value.contains('^') {
        return value.to_owned();
    }
    let mut out = String::with_capacity(value.len());
    let mut chars = value.chars().peekable();
    while let Some(c) = chars.next() {
        let plain = match (c, chars.peek()) {
            ('^', Some('n')) => '\n',
            ('^', Some('\'')) => '"',
            ('^', Some('^')) => '^',
            _ => {
                out.push(c);
                continue;
            }
        };
        chars.next();
        out.push(plain);
    }
    out
}
