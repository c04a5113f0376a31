//! Header fields as they stand in a message, and the state that they tell.

use super::StateFields;
use crate::mime;
use crate::pipeline::Flags;

/// The fields of a header with their folded lines; the empty line that ends it is the last.
pub(crate) fn fields(head: &[u8]) -> Vec<&[u8]> {
    let mut out = Vec::new();
    let (mut start, mut at) = (0, 0);
    for line in lines(head) {
        let folded = matches!(line.first(), Some(b' ' | b'\t')) && at > start;
        if !folded && at > start {
            out.push(head.get(start..at).unwrap_or_default());
            start = at;
        }
        at += line.len();
        if matches!(line, b"\n" | b"\r\n") {
            break;
        }
    }
    if at > start {
        out.push(head.get(start..at).unwrap_or_default());
    }
    out
}

/// Lines with their ends.
pub(super) fn lines(mut rest: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |i| i + 1);
        let (line, after) = rest.split_at(end);
        rest = after;
        (!line.is_empty()).then_some(line)
    })
}

/// The name of a field as it is written; empty for what is no field.
pub(crate) fn name_of(field: &[u8]) -> &[u8] {
    let colon = memchr::memchr(b':', field).unwrap_or(0);
    field.get(..colon).unwrap_or_default().trim_ascii()
}

/// The value of a field, unfolded.
pub(crate) fn value_of(field: &[u8]) -> String {
    let colon = memchr::memchr(b':', field).map_or(0, |i| i + 1);
    let text = String::from_utf8_lossy(field.get(colon..).unwrap_or_default()).into_owned();
    text.replace(['\r', '\n'], "").trim().to_owned()
}

pub(super) fn address_of(value: &str) -> String {
    let address = match (value.rfind('<'), value.rfind('>')) {
        (Some(a), Some(b)) if a < b => value.get(a + 1..b).unwrap_or_default(),
        _ => value,
    };
    address.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect()
}

/// The Date field of a message, seconds since 1970 UTC.
pub fn date_of(bytes: &[u8]) -> Option<i64> {
    fields(bytes)
        .into_iter()
        .find(|f| name_of(f).eq_ignore_ascii_case(b"date"))
        .and_then(|f| mime::date::parse(&value_of(f)))
}

pub(super) fn state_fields(flags: &Flags, which: StateFields) -> Vec<String> {
    let mut out = Vec::new();
    if which == StateFields::Never {
        return out;
    }
    let seen = flags.seen != Some(false);
    if which == StateFields::Always || !seen {
        out.push(format!("Status: {}", if seen { "RO" } else { "O" }));
    }
    let letters: String =
        [(flags.answered, 'A'), (flags.forwarded, 'P'), (flags.flagged, 'F'), (flags.draft, 'T'), (flags.deleted, 'D')]
            .iter()
            .filter_map(|(set, letter)| set.then_some(*letter))
            .collect();
    if !letters.is_empty() {
        out.push(format!("X-Status: {letters}"));
    }
    if flags.draft && which == StateFields::Special {
        out.push("X-Unsent: 1".to_owned());
    }
    out
}

/// The state that header fields of a message tell: Status, X-Status, X-Mozilla-Status, X-Unsent.
pub fn state_in(bytes: &[u8]) -> Flags {
    let mut flags = Flags::default();
    for field in fields(bytes) {
        let name = name_of(field);
        // Few fields are of interest; the others need no more than a look at their length.
        if !(6..=16).contains(&name.len()) {
            continue;
        }
        let value = || value_of(field);
        match name.to_ascii_lowercase().as_slice() {
            b"status" => flags.seen = Some(value().contains('R')),
            b"x-status" => {
                for letter in value().chars() {
                    match letter {
                        'A' => flags.answered = true,
                        'F' => flags.flagged = true,
                        'P' => flags.forwarded = true,
                        'T' => flags.draft = true,
                        'D' => flags.deleted = true,
                        _ => {}
                    }
                }
            }
            b"x-unsent" => flags.draft |= value() == "1",
            b"x-mozilla-status" => {
                if let Ok(bits) = u16::from_str_radix(value().trim(), 16) {
                    flags.seen = Some(bits & 1 != 0);
                    flags.answered |= bits & 2 != 0;
                    flags.flagged |= bits & 4 != 0;
                    flags.deleted |= bits & 8 != 0;
                    flags.forwarded |= bits & 0x1000 != 0;
                }
            }
            b"x-mozilla-keys" | b"x-keywords" => {
                let words = value();
                flags.keywords.extend(words.split([' ', ',']).filter(|w| !w.is_empty()).map(str::to_owned));
            }
            _ => {}
        }
    }
    flags
}
