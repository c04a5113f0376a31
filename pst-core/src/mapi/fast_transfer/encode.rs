//! A message to a blob.

use super::container::{Chunks, Version};
use super::form::{self, Form};
use super::rules::{Part, left_out};
use super::{ROW_ID, marker};
use crate::error::Result;
use crate::mapi::message::attach_method;
use crate::mapi::subject::{self, Subject};
use crate::mapi::{
    Attachment, Code, MAX_DEPTH, Message, NamedProp, Prop, PropBag, PropTag, PropType, Value, Warning, codepage, tag,
};
use std::collections::{HashMap, HashSet};
use std::io::Write;

const MESSAGE_RECIPIENTS: u32 = 0x0E12_000D;
const MESSAGE_ATTACHMENTS: u32 = 0x0E13_000D;
/// Named properties of one blob at most: ids from 0x8000 to 0xFFFD.
const MOST_NAMES: usize = 0x7FFE;

/// How an item is encoded.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The server that the item is said to come from.
    pub version: Version,
}

/// Writes an item as EWS UploadItems and Graph importItem take it, and tells what was lost or added, one sentence each.
/// Of values that are streams no more than a chunk is held ([MS-OXCFXICS] 2.2.4.2, messageContent).
///
/// # Errors
/// When `out` refuses, a value cannot be read, or one has more than 4 GiB; what was written is then no item.
pub fn encode(message: &Message, out: &mut dyn Write, options: &Options) -> Result<Vec<Warning>> {
    let (_, warnings) = run(message, Some(out), options)?;
    Ok(warnings)
}

/// The number of bytes that [`encode`] would write, without reading values that are streams.
///
/// # Errors
/// When a value has more than 4 GiB.
pub fn length(message: &Message, options: &Options) -> Result<u64> {
    measure(message, options).map(|(length, _)| length)
}

/// The number of bytes that [`encode`] would write, and what it would tell.
///
/// # Errors
/// As [`length`].
pub fn measure(message: &Message, options: &Options) -> Result<(u64, Vec<Warning>)> {
    run(message, None, options)
}

fn run(message: &Message, out: Option<&mut dyn Write>, options: &Options) -> Result<(u64, Vec<Warning>)> {
    let chunks = Chunks::begin(out, options.version)?;
    let mut encoder = Encoder { chunks, names: HashMap::new(), warnings: Vec::new() };
    encoder.message(message, 0)?;
    Ok((encoder.chunks.finish()?, encoder.warnings))
}

struct Encoder<'w, 'm> {
    chunks: Chunks<'w>,
    /// The numbers of names, which mean something in this blob only.
    names: HashMap<&'m NamedProp, u16>,
    warnings: Vec<Warning>,
}

impl<'m> Encoder<'_, 'm> {
    fn marker(&mut self, marker: u32) -> Result<()> {
        self.chunks.whole(&marker.to_le_bytes())
    }

    /// The recursion over embedded messages ends at [`MAX_DEPTH`].
    fn message(&mut self, message: &'m Message, depth: usize) -> Result<()> {
        let page = codepage::of_item(&message.props);
        let first = self.said_anew(message, page, depth);
        self.bag(&message.props, Part::Message, page, &first)?;
        self.emptied(MESSAGE_RECIPIENTS)?;
        for (i, recipient) in message.recipients.iter().enumerate() {
            self.marker(marker::START_RECIP)?;
            self.bag(recipient, Part::Recipient, page, &[plain(ROW_ID, Value::I32(i as i32))])?;
            self.marker(marker::END_TO_RECIP)?;
        }
        self.emptied(MESSAGE_ATTACHMENTS)?;
        for (i, attachment) in message.attachments.iter().enumerate() {
            self.attachment(attachment, i, page, depth)?;
        }
        Ok(())
    }

    /// Says that the target has no recipients, or no attachments, before those that follow.
    fn emptied(&mut self, list: u32) -> Result<()> {
        let del = u32::from(marker::meta::FX_DEL_PROP) << 16 | u32::from(PropType::INTEGER32);
        self.chunks.whole(&[del.to_le_bytes(), list.to_le_bytes()].concat())
    }

    /// Properties that a server needs and the bag has not, or has otherwise.
    fn said_anew(&mut self, message: &Message, page: u32, depth: usize) -> Vec<Prop> {
        let props = &message.props;
        let mut out = Vec::new();
        if props.any(tag::MESSAGE_CLASS.id()).is_none() {
            out.push(plain(tag::MESSAGE_CLASS, Value::text("IPM.Note")));
        }
        if let Some(Subject { prefix, whole, .. }) = subject::unmarked(props, page) {
            out.push(plain(tag::SUBJECT, whole));
            out.push(plain(tag::SUBJECT_PREFIX, prefix));
        }
        let shown = [tag::DISPLAY_TO, tag::DISPLAY_CC, tag::DISPLAY_BCC].into_iter().filter_map(|t| props.text(t));
        if message.recipients.is_empty() && shown.clone().any(|names| !names.is_empty()) {
            let names = shown.filter(|n| !n.is_empty()).collect::<Vec<_>>().join("; ");
            self.warnings.push(Code::Address.with(format!(
                "the item names recipients in its display ({names}), but has none; Exchange will show none"
            )));
        }
        if depth > 0 {
            return out;
        }
        if props.i32(tag::MESSAGE_FLAGS).is_none() {
            // Exchange takes an item without flags for a draft.
            out.push(plain(tag::MESSAGE_FLAGS, Value::I32(0)));
        }
        if let (None, Some(sent)) = (props.time(tag::MESSAGE_DELIVERY_TIME), props.time(tag::CLIENT_SUBMIT_TIME)) {
            out.push(plain(tag::MESSAGE_DELIVERY_TIME, Value::Time(sent)));
            self.warnings
                .push(Code::Date.with("the item has no time of receipt; the time at which it was sent is used"));
        }
        out
    }

    fn attachment(&mut self, attachment: &'m Attachment, index: usize, page: u32, depth: usize) -> Result<()> {
        let mut first = vec![plain(tag::ATTACH_NUMBER, Value::I32(index as i32))];
        let method = attachment.props.i32(tag::ATTACH_METHOD);
        let embedded = attachment.embedded.as_deref().filter(|_| depth < MAX_DEPTH);
        if embedded.is_some() {
            first.push(plain(tag::ATTACH_METHOD, Value::I32(attach_method::EMBEDDED)));
        } else if attachment.embedded.is_some() {
            self.warnings.push(Code::Depth.with(format!("messages nested more than {MAX_DEPTH} deep are left out")));
        } else if method == Some(attach_method::EMBEDDED) {
            self.warnings
                .push(Code::NoData.with(format!("attachment {index} should be a message, but has none inside")));
        }
        self.marker(marker::NEW_ATTACH)?;
        self.bag(&attachment.props, Part::Attachment, page, &first)?;
        if let Some(message) = embedded {
            self.marker(marker::START_EMBED)?;
            self.message(message, depth + 1)?;
            self.marker(marker::END_EMBED)?;
        }
        self.marker(marker::END_ATTACH)
    }

    /// Writes `first`, then the properties of a bag whose ids are not among those of `first`.
    fn bag(&mut self, bag: &'m PropBag, part: Part, page: u32, first: &[Prop]) -> Result<()> {
        for prop in first {
            self.property(prop.tag.id(), None, prop, page)?;
        }
        let is_embedded = first.iter().any(|p| p.tag == tag::ATTACH_METHOD);
        let mut seen = HashSet::new();
        for prop in &bag.0 {
            let is_tagged = prop.name.is_none();
            let is_said = is_tagged && first.iter().any(|p| p.tag.id() == prop.tag.id());
            let is_inside = is_embedded && is_tagged && prop.tag == tag::ATTACH_DATA_OBJECT;
            if is_said || is_inside || (is_tagged && left_out(part, prop.tag).is_some()) {
                continue;
            }
            let Some(id) = self.id(prop) else { continue };
            if !seen.insert(id) {
                self.lost(prop, "is there twice with different types; the first is kept");
                continue;
            }
            self.property(id, prop.name.as_deref(), prop, page)?;
        }
        Ok(())
    }

    fn property(&mut self, id: u16, name: Option<&NamedProp>, prop: &Prop, page: u32) -> Result<()> {
        let form = match Form::of(prop, page) {
            Ok(form) => form,
            Err(why) => {
                self.lost(prop, &format!("{why}; it is left out"));
                return Ok(());
            }
        };
        if name.is_none() && marker::is_reserved(PropTag::new(id, form.ty).0) {
            self.lost(prop, "is left out: its tag has another meaning in a FastTransfer stream");
            return Ok(());
        }
        let Some(head) = form::head(id, form.ty, name) else {
            self.lost(prop, "is left out: its name is too long for a FastTransfer stream, or has a zero inside");
            return Ok(());
        };
        if let Some(loss) = &form.loss {
            self.lost(prop, loss);
        }
        self.chunks.whole(&head)?;
        form.write(&mut self.chunks)
    }

    /// The id of a property in this blob.
    fn id(&mut self, prop: &'m Prop) -> Option<u16> {
        match prop.name.as_deref() {
            None if prop.tag.is_named() => {
                self.lost(prop, "has no name in its store and is left out");
                None
            }
            None => Some(prop.tag.id()),
            Some(name) => {
                let next = self.names.len();
                if next >= MOST_NAMES && !self.names.contains_key(name) {
                    self.lost(prop, "is left out: a FastTransfer stream has no more ids for names");
                    return None;
                }
                Some(*self.names.entry(name).or_insert(0x8000 + next as u16))
            }
        }
    }

    fn lost(&mut self, prop: &Prop, what: &str) {
        let text = match &prop.name {
            Some(name) => format!("property {name} {what}"),
            None => format!("property {} {what}", prop.tag),
        };
        self.warnings.push(Code::Property.with(text));
    }
}

fn plain(tag: PropTag, value: Value) -> Prop {
    Prop { tag, name: None, value }
}
