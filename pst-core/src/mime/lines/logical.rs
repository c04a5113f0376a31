//! The lines of a text by their places, for files that are too large to take apart at once.

use std::ops::Range;

/// A line with its continuations: where it stands, line ends included.
pub(in crate::mime) struct Logical<'a> {
    /// The bytes of the line in the text.
    pub range: Range<usize>,
    text: &'a [u8],
}

impl Logical<'_> {
    /// The line without its line ends and folds, as far as it is UTF-8.
    pub fn unfolded(&self) -> String {
        let raw = self.text.get(self.range.clone()).unwrap_or_default();
        let text = String::from_utf8_lossy(raw.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(raw));
        let mut out = String::with_capacity(text.len());
        for (i, line) in text.split('\n').enumerate() {
            let line = line.trim_end_matches('\r');
            out.push_str(if i == 0 { line } else { line.get(1..).unwrap_or_default() });
        }
        out
    }

    /// Name and value of a line without parameters that matters: `BEGIN`, `END`, `UID`...
    pub fn named(&self, names: &[&'static str]) -> Option<(&'static str, String)> {
        let raw = self.text.get(self.range.clone()).unwrap_or_default();
        let raw = raw.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(raw);
        let is = |name: &&&str| {
            let (head, tail) = raw.split_at_checked(name.len()).unwrap_or((&[], &[]));
            head.eq_ignore_ascii_case(name.as_bytes()) && matches!(tail.first(), Some(b':' | b';' | b' '))
        };
        let name = names.iter().find(is)?;
        let line = self.unfolded();
        let value = line.split_once(':').map(|(_, v)| v.trim().to_owned()).unwrap_or_default();
        Some((name, value))
    }
}

/// True if what follows a line end continues the line, be it after an empty line.
fn continues(rest: &[u8]) -> bool {
    let after = rest.strip_prefix(b"\r\n").or_else(|| rest.strip_prefix(b"\n")).unwrap_or(rest);
    matches!(after.first(), Some(b' ' | b'\t'))
}

/// The lines of a text, in order.
pub(in crate::mime) fn logical(text: &[u8]) -> impl Iterator<Item = Logical<'_>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        if at >= text.len() {
            return None;
        }
        let start = at;
        loop {
            let rest = text.get(at..).unwrap_or_default();
            at += memchr::memchr(b'\n', rest).map_or(rest.len(), |n| n + 1);
            if !continues(text.get(at..).unwrap_or_default()) {
                return Some(Logical { range: start..at, text });
            }
        }
    })
}
