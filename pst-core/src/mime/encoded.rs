//! Encoded text in structured fields: where the parser of fields would decode it otherwise than [`header::words`] does,
//! marks stand for it while the field is parsed.

use super::charset::{self, Fit};
use super::header::{self, Word};
use super::label;
use crate::mapi::{Code, Warning};
use encoding_rs::KOI8_R;
use mail_parser::HeaderForm;
use std::borrow::Cow;
use std::fmt::Write;
use std::ops::Range;

/// Charsets that the parser decodes as we do; what does not fit them comes out as U+FFFD.
const ALIKE: &[&str] = &[
    "utf-8",
    "iso-8859-1",
    "iso-8859-2",
    "iso-8859-15",
    "windows-1250",
    "windows-1251",
    "windows-1252",
    "koi8-r",
    "gb2312",
    "gbk",
    "gb18030",
    "big5",
    "shift_jis",
    "euc-kr",
    "euc-jp",
];

/// A charset in which every byte is a character of its own.
const BYTES: &str = "koi8-r";
/// Not characters, so that no text has them.
const OPEN: char = '\u{FDD0}';
const CLOSE: char = '\u{FDD1}';

/// True for text that the parser may have decoded otherwise than we do.
pub(super) fn is_doubtful(text: &str) -> bool {
    text.contains('\u{FFFD}') || text.contains("=?")
}

/// True if a field has encoded words that the parser decodes otherwise than we do.
pub(super) fn is_unlike(raw: &[u8]) -> bool {
    memchr::memmem::find_iter(raw, b"=?").any(|at| {
        let label = raw.get(at + 2..).unwrap_or_default();
        let end = label.iter().take(41).position(|b| matches!(b, b'?' | b'*'));
        let label = end.and_then(|end| label.get(..end)).unwrap_or_default();
        // The end of a word in base64 looks like the start of one.
        !label.is_empty() && !label.starts_with(b"=") && !ALIKE.iter().any(|a| label.eq_ignore_ascii_case(a.as_bytes()))
    })
}

/// A field in which marks stand for runs of encoded words.
#[derive(Default)]
pub(super) struct Marked {
    /// The field.
    pub text: String,
    runs: Vec<String>,
}

impl Marked {
    /// Puts marks into an unfolded field. Words in an unknown charset stay as they are, and `warnings` says so.
    pub fn new(field: &str, warnings: &mut Vec<Warning>) -> Self {
        let mut marked = Self { text: String::with_capacity(field.len()), runs: Vec::new() };
        let mut rest = field;
        while let Some(at) = rest.find("=?") {
            let (before, from) = rest.split_at(at);
            marked.text.push_str(before);
            let len = run(from);
            let (words, after) = from.split_at_checked(len.max(2)).unwrap_or((from, ""));
            rest = after;
            if len == 0 {
                marked.text.push_str(words);
                continue;
            }
            let _ = write!(marked.text, "{OPEN}{}{CLOSE}", marked.runs.len());
            marked.runs.push(header::words(words, warnings));
        }
        marked.text.push_str(rest);
        marked
    }

    /// Puts the decoded words in the place of their marks.
    pub fn fill<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let Some((start, mut rest)) = text.split_once(OPEN) else { return Cow::Borrowed(text) };
        let mut out = start.to_owned();
        loop {
            let (marked, next) = rest.split_once(OPEN).map_or((rest, None), |(marked, next)| (marked, Some(next)));
            let known =
                marked.split_once(CLOSE).and_then(|(n, after)| Some((self.runs.get(n.parse::<usize>().ok()?)?, after)));
            match known {
                Some((words, after)) => out.extend([words, after]),
                None => out.extend([OPEN.encode_utf8(&mut [0; 4]), marked]),
            }
            let Some(next) = next else { return Cow::Owned(out) };
            rest = next;
        }
    }
}

/// Bytes of the encoded words at the start of a text that only blanks are between.
fn run(text: &str) -> usize {
    let mut end = 0;
    loop {
        let rest = text.get(end..).unwrap_or_default();
        let word = if end == 0 { rest } else { rest.trim_ascii_start() };
        let Some(found) = Word::at(word) else { return end };
        end = text.len() - word.len() + found.len;
    }
}

/// A parameter of a field such as Content-Type (RFC 2231, and RFC 2047, which many follow there).
pub(super) fn parameter(raw: &[u8], parsed: &str, name: &str, warnings: &mut Vec<Warning>) -> String {
    let doubtful = is_doubtful(parsed);
    if !doubtful && !raw.contains(&b'*') && !is_unlike(raw) {
        return parsed.to_owned();
    }
    let mut text = header::raw(raw);
    let extended = extended(&text, name);
    let label = extended.clone().and_then(|range| text.get(range)).unwrap_or_default().to_owned();
    let alike = label.is_empty() || ALIKE.iter().any(|a| a.eq_ignore_ascii_case(&label));
    if !doubtful && alike && !is_unlike(raw) {
        return parsed.to_owned();
    }
    let in_bytes = extended.filter(|_| !alike || doubtful);
    if let Some(range) = in_bytes.clone() {
        text.replace_range(range, BYTES);
    }
    let marked = Marked::new(&text, warnings);
    let field = HeaderForm::ContentType.parse(marked.text.as_bytes());
    let value = field.value();
    let Some(value) = value.as_content_type().and_then(|c| c.attribute(name)) else { return parsed.to_owned() };
    let value = if in_bytes.is_some() { of_bytes(value, &label, warnings) } else { Cow::Borrowed(value) };
    marked.fill(&value).into_owned()
}

/// Where the charset of a parameter stands: between `name*=` or `name*0*=` and an apostrophe.
fn extended(field: &str, name: &str) -> Option<Range<usize>> {
    let stars = field.match_indices('*').map(|(at, _)| at);
    stars
        .filter(|at| {
            at.checked_sub(name.len())
                .and_then(|from| field.get(from..*at))
                .is_some_and(|n| n.eq_ignore_ascii_case(name))
        })
        .find_map(|at| {
            let after = field.get(at + 1..)?;
            let value = after.strip_prefix("0*").unwrap_or(after).trim_ascii_start().strip_prefix('=')?;
            let value = value.trim_ascii_start();
            let value = value.strip_prefix('"').unwrap_or(value);
            let from = field.len() - value.len();
            let len = value.bytes().take(41).position(|b| b == b'\'')?;
            Some(from..from + len)
        })
}

/// Text that was decoded as [`BYTES`], decoded again by its own charset; in an unknown one it stays encoded.
fn of_bytes(text: &str, label: &str, warnings: &mut Vec<Warning>) -> Cow<'static, str> {
    let bytes = bytes_of(text);
    if !label.is_empty() && label::find(label).is_none() {
        warnings.push(Code::Charset.with(format!("header text in the unknown charset {label:?} is kept encoded")));
        let mut kept = format!("{label}''");
        for byte in bytes {
            let _ = if byte.is_ascii_alphanumeric() || b"-._".contains(&byte) {
                write!(kept, "{}", char::from(byte))
            } else {
                write!(kept, "%{byte:02X}")
            };
        }
        return Cow::Owned(kept);
    }
    let (text, fit) = charset::decode(Some(label), &bytes);
    if fit != Fit::Right {
        warnings.push(Code::Charset.with(format!("header text is not all in the charset {label:?} that it names")));
    }
    Cow::Owned(text.into_owned())
}

fn bytes_of(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    for c in text.chars() {
        let mut held = [0; 4];
        let c = &*c.encode_utf8(&mut held);
        match KOI8_R.encode(c) {
            (byte, _, false) => bytes.extend_from_slice(&byte),
            // It stood there as it is.
            _ => bytes.extend_from_slice(c.as_bytes()),
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alike_is_alike() {
        for label in ALIKE {
            let theirs = mail_parser::Charset::from_label(label.as_bytes()).unwrap();
            for first in 0..=255_u8 {
                for second in 0x20..=255_u8 {
                    let bytes = [first, second, b'.'];
                    let read = theirs.decode(&bytes);
                    let ours = charset::decode(Some(label), &bytes).0;
                    assert!(read.contains('\u{FFFD}') || read == ours, "{label} {bytes:?}: {read} {ours}");
                }
            }
        }
    }

    #[test]
    fn every_byte_is_a_character() {
        let all: Vec<u8> = (0..=255).collect();
        let text = mail_parser::Charset::from_label(BYTES.as_bytes()).unwrap().decode(&all).into_owned();
        assert_eq!(bytes_of(&text), all);
        assert_eq!(bytes_of("日"), "日".as_bytes());
    }

    #[test]
    fn marks() {
        let field = "\"=?cp437?Q?=81?=  =?cp437?Q?x?=\" =?x =?x-no?Q?a?= <a@b.c>";
        let mut warnings = Vec::new();
        let marked = Marked::new(field, &mut warnings);
        assert_eq!(marked.text, "\"\u{FDD0}0\u{FDD1}\" =?x \u{FDD0}1\u{FDD1} <a@b.c>");
        assert_eq!(marked.fill(&marked.text), "\"üx\" =?x =?x-no?Q?a?= <a@b.c>");
        assert_eq!(marked.fill("\u{FDD0}9\u{FDD1} \u{FDD0}"), "\u{FDD0}9\u{FDD1} \u{FDD0}");
        assert_eq!(warnings.len(), 1);
    }

    #[test]
    fn unlike_words() {
        for (field, unlike) in [
            (&b"=?utf-8?Q?a?="[..], false),
            (b"=?UTF-8*en?Q?QQ=?= <a@b.c>", false),
            (b"=?utf-8?B?QQ==?= =?cp437?Q?a?=", true),
            (b"=?utf-8?B?QQ==?= =?utf-8?B?QQ==?=", false),
            (b"a = ?", false),
        ] {
            assert_eq!(is_unlike(field), unlike, "{}", String::from_utf8_lossy(field));
        }
    }

    fn filename(field: &str) -> (String, usize) {
        let parsed = HeaderForm::ContentType.parse(field.as_bytes());
        let value = parsed.value();
        let name = value.as_content_type().unwrap().attribute("filename").unwrap();
        let mut warnings = Vec::new();
        (parameter(field.as_bytes(), name, "filename", &mut warnings), warnings.len())
    }

    #[test]
    fn parameters() {
        for (field, name, said) in [
            ("attachment; filename=a*b.txt", "a*b.txt", 0),
            ("attachment; filename*=utf-8''%C3%BC.txt", "ü.txt", 0),
            ("attachment; filename*=cp437'de'%81.txt", "ü.txt", 0),
            ("attachment; FileName*0*=cp437''%81; filename*1*=%84; filename*2=.txt", "üä.txt", 0),
            ("attachment; filename*1*=%84.txt; filename*0*=\"cp437''%81\"", "üä.txt", 0),
            ("attachment; filename*=iso-2022-kr''%1B$%29C%0E0%21%0F.txt", "가.txt", 0),
            ("attachment; filename=\"=?cp437?Q?=81?=\r\n =?cp437?Q?=84;?=.txt\"", "üä;.txt", 0),
            ("attachment; filename==?hz-gb-2312?B?fntWUE5Efn0=?=", "中文", 0),
            ("attachment; filename*=utf-16''%FF%FEa%00.%00b%00", "a.b", 0),
            ("attachment; filename*=x-no'de'%81%20b.txt", "x-no''%81%20b.txt", 1),
            ("attachment; filename=\"=?x-no?Q?a?=.txt\"", "=?x-no?Q?a?=.txt", 1),
            ("attachment; filename*=utf-8''%FC.txt", "ü.txt", 1),
            ("attachment; filename*=''%FC.txt", "ü.txt", 0),
        ] {
            assert_eq!(filename(field), (name.to_owned(), said), "{field}");
        }
    }
}
