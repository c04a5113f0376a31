//! The subject as a PST stores it: U+0001, the length of the prefix plus one, the text ([MS-PST] 2.5.3.1.1).

use super::{PropBag, PropType, Value, codepage, tag};

/// A subject without its mark.
pub struct Subject {
    /// The prefix ("RE: "), PtypString.
    pub prefix: Value,
    /// What stands behind the prefix, PtypString.
    pub rest: Value,
    /// All of the text, PtypString.
    pub whole: Value,
}

/// The parts of a marked subject; `page` is the code page of 8-bit strings. `None` if there is no mark.
pub fn unmarked(props: &PropBag, page: u32) -> Option<Subject> {
    let mut values = props.0.iter().filter(|p| p.tag.id() == tag::SUBJECT.id() && p.name.is_none()).map(|p| &p.value);
    let units: Vec<u16> = values.find_map(|value| match value {
        Value::Unicode(bytes) => Some(bytes.as_chunks::<2>().0.iter().map(|c| u16::from_le_bytes(*c)).collect()),
        Value::String8(bytes) => Some(codepage::decode(page, bytes).encode_utf16().collect()),
        _ => None,
    })?;
    let [1, length, text @ ..] = units.as_slice() else { return None };
    let length = usize::from(*length).saturating_sub(1).min(text.len());
    let (prefix, rest) = text.split_at_checked(length)?;
    let value = |units: &[u16]| Value::Unicode(units.iter().flat_map(|u| u.to_le_bytes()).collect());
    Some(Subject { prefix: value(prefix), rest: value(rest), whole: value(text) })
}

/// Puts the prefix of the subject where a PST has it, and removes the properties that said the same.
pub fn mark(props: &mut PropBag) {
    let text = |props: &PropBag, id: u16| match props.any(id) {
        Some(Value::Unicode(bytes)) => Some((bytes.clone(), 2)),
        Some(Value::String8(bytes)) => Some((bytes.clone(), 1)),
        _ => None,
    };
    let Some((prefix, width)) = text(props, tag::SUBJECT_PREFIX.id()) else { return };
    let rest = text(props, tag::NORMALIZED_SUBJECT.id()).filter(|(_, w)| *w == width).map(|(rest, _)| rest);
    let whole = match text(props, tag::SUBJECT.id()) {
        Some((whole, w)) if w == width => whole,
        Some(_) => return,
        None => match &rest {
            Some(rest) => [prefix.as_slice(), rest].concat(),
            None => return,
        },
    };
    let Some(after) = whole.strip_prefix(prefix.as_slice()) else { return };
    let length = prefix.len() / width + 1;
    if length > 0x7F || rest.is_some_and(|rest| rest != after) {
        return;
    }
    let mark = [1, length as u8].into_iter().flat_map(|b| std::iter::once(b).chain(vec![0; width - 1]));
    let marked: Vec<u8> = mark.chain(whole).collect();
    for t in [tag::SUBJECT_PREFIX, tag::NORMALIZED_SUBJECT, tag::SUBJECT] {
        props.remove(t.id());
    }
    if width == 2 {
        props.set(tag::SUBJECT, Value::Unicode(marked));
    } else {
        props.set(super::PropTag::new(tag::SUBJECT.id(), PropType::STRING8), Value::String8(marked));
    }
}
