//! Texts of properties, in whatever type and code page they are stored.

use super::charset;
use crate::mapi::{PropBag, PropTag, Value, tag, wide};

/// The code page of the 8-bit strings of an object.
pub(super) fn page(props: &PropBag) -> u32 {
    [tag::MESSAGE_CODEPAGE, tag::INTERNET_CODEPAGE].into_iter().find_map(|t| props.i32(t)).map_or(1252, |p| p as u32)
}

/// The text of a string property by id, whatever its string type.
pub(super) fn get(props: &PropBag, tag: PropTag, page: u32) -> Option<String> {
    props.0.iter().filter(|p| p.tag.id() == tag.id() && p.name.is_none()).find_map(|p| value(&p.value, page))
}

/// As [`get`], but nothing for an empty text.
pub(super) fn some(props: &PropBag, tag: PropTag, page: u32) -> Option<String> {
    get(props, tag, page).filter(|t| !t.is_empty())
}

/// The text of a string value.
pub(super) fn value(value: &Value, page: u32) -> Option<String> {
    let text = match value {
        Value::Unicode(bytes) => wide::utf_16le(bytes),
        Value::String8(bytes) => charset::decode_page(page, bytes).into_owned(),
        _ => return None,
    };
    Some(match text.strip_suffix('\0') {
        Some(shorter) => shorter.trim_end_matches('\0').to_owned(),
        None => text,
    })
}

/// The subject without the mark of its prefix ([MS-PST] 2.5.3.1.1).
pub(super) fn subject(props: &PropBag) -> Option<String> {
    let page = page(props);
    if let Some(subject) = get(props, tag::SUBJECT, page) {
        let mut chars = subject.chars();
        if chars.next() == Some('\u{1}') {
            chars.next();
            return Some(chars.as_str().to_owned());
        }
        return Some(subject);
    }
    let rest = get(props, tag::NORMALIZED_SUBJECT, page)?;
    Some(get(props, tag::SUBJECT_PREFIX, page).unwrap_or_default() + &rest)
}
