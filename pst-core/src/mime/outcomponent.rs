//! Calendars and cards as parts of mail ([MS-OXCMAIL] 2.1.3.4, [MS-OXCICAL] 2.1.3): of items that are no mail, of items
//! inside mail, and of messages about meetings.

use super::calendar::{self, Entry};
use super::contact::{self, Card};
use super::{attach, from_mapi, text, title_of};
use crate::error::Result;
use crate::mapi::named::PS_PUBLIC_STRINGS;
use crate::mapi::{Attachment, Code, Message, NamedProp, PropBag, PropType, Value, Warning, tag};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, LazyLock};

/// Items inside items become parts down to this depth, and mail below it: what is inside an item is in base64 twice.
const DEEPEST: usize = 3;
/// Longest Content-Type of a calendar that is another form of its message.
const LONGEST_TYPE: usize = 500;

/// Keeps the Content-Type of a calendar that is another form of its message, and no file.
static ALTERNATIVE: LazyLock<NamedProp> =
    LazyLock::new(|| NamedProp::text(PS_PUBLIC_STRINGS, "pst:calendar-alternative"));

/// Marks an attachment as another form of its message.
pub(super) fn set_alternative(attachment: &mut Attachment, content_type: &str) {
    attachment.props.set_named(Arc::new(ALTERNATIVE.clone()), PropType::STRING, Value::text(content_type));
}

/// The Content-Type of an attachment that is another form of its message.
pub(super) fn alternative(props: &PropBag, page: u32) -> Option<String> {
    let stored = text::value(props.named(&ALTERNATIVE)?, page)?;
    let plain = stored.len() <= LONGEST_TYPE && stored.bytes().all(|b| b == b' ' || b.is_ascii_graphic());
    let calendar = stored.get(..13).is_some_and(|start| start.eq_ignore_ascii_case("text/calendar"));
    (plain && calendar).then_some(stored)
}

/// The calendars and cards of a message.
#[derive(Default)]
pub(super) struct Components {
    /// What the message itself is.
    pub own: Option<Attachment>,
    /// What stands for embedded items, by the number of their attachment.
    embedded: HashMap<usize, Attachment>,
    /// The attachments that the calendar of the message holds.
    held: HashSet<usize>,
    /// True if the message is about a meeting, and its calendar another form of it.
    pub is_alternative: bool,
}

impl Components {
    /// Makes the parts of a message.
    pub fn of(
        message: &Message,
        options: &from_mapi::Options,
        depth: usize,
        warnings: &mut Vec<Warning>,
    ) -> Result<Self> {
        let mut out = Self::default();
        if depth > DEEPEST {
            if calendar::Kind::of(message).is_some() || contact::Kind::of(message).is_some() {
                warnings.push(Code::Depth.with(format!("an item more than {DEEPEST} messages deep is only described")));
            }
            return Ok(out);
        }
        if let Some(mut entry) = Entry::within(message, options, false, depth)? {
            warnings.append(&mut entry.warnings);
            out.held = entry.take_exceptions();
            let method = entry.method();
            out.is_alternative = method.is_some();
            let mut bytes = Vec::new();
            entry.write(&mut bytes)?;
            let mut part = file(message, "ics", "text/calendar", bytes);
            if let Some(method) = method {
                set_alternative(&mut part, &format!("text/calendar; charset=utf-8; method={method}"));
            }
            out.own = Some(part);
        } else if let Some((part, mut lost)) = card(message, options, false, depth)? {
            warnings.append(&mut lost);
            out.own = Some(part);
        }
        for (i, attachment) in message.attachments.iter().enumerate() {
            let Some(embedded) = attachment.embedded.as_deref().filter(|_| !out.holds(i)) else { continue };
            if let Some((part, mut lost)) = component(embedded, options, depth + 1)? {
                warnings.append(&mut lost);
                out.embedded.insert(i, part);
            }
        }
        Ok(out)
    }

    /// True for an attachment that the calendar of the message holds.
    pub fn holds(&self, attachment: usize) -> bool {
        self.held.contains(&attachment)
    }

    /// An attachment, or what stands for it.
    pub fn of_attachment<'a>(&'a self, number: usize, attachment: &'a Attachment) -> &'a Attachment {
        self.embedded.get(&number).unwrap_or(attachment)
    }
}

/// A part, and what was lost.
type Part = (Attachment, Vec<Warning>);

/// An embedded item of a calendar or an address book as a part.
fn component(message: &Message, options: &from_mapi::Options, depth: usize) -> Result<Option<Part>> {
    if calendar::Kind::of(message).is_none() {
        return card(message, options, true, depth);
    }
    let Some(mut entry) = Entry::within(message, options, true, depth)? else { return Ok(None) };
    let lost = std::mem::take(&mut entry.warnings);
    let mut bytes = Vec::new();
    entry.write(&mut bytes)?;
    Ok(Some((file(message, "ics", "text/calendar", bytes), lost)))
}

fn card(message: &Message, options: &from_mapi::Options, attach: bool, depth: usize) -> Result<Option<Part>> {
    let Some(mut card) = Card::within(message, options, attach, depth)? else { return Ok(None) };
    let mut bytes = Vec::new();
    card.write(&mut bytes)?;
    Ok(Some((file(message, "vcf", "text/vcard", bytes), std::mem::take(&mut card.warnings))))
}

/// A file that has the name of its item.
fn file(message: &Message, ending: &str, mime: &str, bytes: Vec<u8>) -> Attachment {
    let title = title_of(message);
    let stem = Some(title.trim().trim_end_matches('.')).filter(|t| !t.is_empty()).unwrap_or("item");
    let mut out = attach::file(&format!("{stem}.{ending}"), bytes);
    // The name that is shown is the name of the file.
    if let Some(name) = out.props.text(tag::ATTACH_LONG_FILENAME) {
        out.props.set(tag::DISPLAY_NAME, Value::text(&name));
    }
    out.props.set(tag::ATTACH_MIME_TAG, Value::text(mime));
    out.props.set(tag::TEXT_ATTACHMENT_CHARSET, Value::text("utf-8"));
    out
}
