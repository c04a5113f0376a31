//! The whole source of a message, kept inside the item.

use super::large::LargePart;
use super::meeting::Calendar;
use super::quiet::{Quiet, REQUESTS};
use crate::mapi::named::PS_PUBLIC_STRINGS;
use crate::mapi::{Blob, Chain, Message, NamedProp, PropType, Value};
use std::sync::Arc;

/// How messages are taken in.
#[derive(Debug, Clone, Copy, Default)]
pub struct ImportOptions {
    /// Keep the whole source of each MIME message inside the item, in the named property "pst:mime".
    pub keep_mime: bool,
    /// Clear the requests for read receipts and delivery reports; the header still has them.
    pub no_receipts: bool,
    /// What becomes of calendars.
    pub calendar: Calendar,
    /// What is silenced of items of every origin, for targets that act on what they hold.
    pub quiet: Quiet,
}

impl ImportOptions {
    /// Applies what holds for items of every origin.
    pub fn apply(self, message: &mut Message) {
        if self.no_receipts {
            message.props.0.retain(|p| !REQUESTS.iter().any(|t| t.id() == p.tag.id()));
        }
    }
}

fn name() -> NamedProp {
    NamedProp::text(PS_PUBLIC_STRINGS, "pst:mime")
}

/// Keeps a message as it stood in its source: `bytes` with the large parts that were left out of them.
pub(super) fn keep(message: &mut Message, bytes: &[u8], large: &[LargePart]) {
    message.props.set_named(Arc::new(name()), PropType::BINARY, Value::Binary(whole(bytes, 0..bytes.len(), large)));
}

/// A range of a message with the large parts that were left out of it.
pub(super) fn whole(bytes: &[u8], range: std::ops::Range<usize>, large: &[LargePart]) -> Blob {
    let copy = |from: usize, to: usize| Blob::Bytes(bytes.get(from..to).unwrap_or_default().to_vec());
    let mut pieces = Vec::new();
    let mut at = range.start;
    for part in large.iter().filter(|l| l.at >= range.start && l.at + l.placeholder <= range.end) {
        pieces.push(copy(at, part.at));
        pieces.push(part.raw.clone());
        at = part.at + part.placeholder;
    }
    if pieces.is_empty() {
        return copy(range.start, range.end);
    }
    pieces.push(copy(at, range.end));
    Blob::Stream(Arc::new(Chain(pieces)))
}

/// The source that [`ImportOptions::keep_mime`] kept.
pub fn kept_mime(message: &Message) -> Option<&Blob> {
    match message.props.named(&name())? {
        Value::Binary(blob) => Some(blob),
        _ => None,
    }
}
