//! A blob to a message.

use super::container::Version;
use super::marker::{self, meta};
use super::records::Records;
use super::{ROW_ID, value};
use crate::error::{Error, Kind, Result};
use crate::mapi::{Attachment, Code, MAX_DEPTH, Message, NamedProp, Prop, PropBag, PropTag, Warning, subject, tag};
use std::io::Read;
use std::sync::Arc;

/// An item that was exported.
#[derive(Debug)]
pub struct Decoded {
    /// The item, in the form in which a PST has it.
    pub message: Message,
    /// The server that exported it.
    pub version: Version,
    /// MetaTagDnPrefix: what a server may have left out at the beginning of X.500 addresses.
    pub dn_prefix: Option<String>,
    /// What is missing, where the data end too early: the message is then what stands before.
    pub cut: Option<Error>,
    /// What is doubtful about the rest, one sentence each.
    pub warnings: Vec<Warning>,
}

/// Reads an item as EWS ExportItems and Graph exportItems give it, after base64 ([MS-OXCFXICS] 2.2.4.2,
/// messageContent).
///
/// # Errors
/// When the data cannot be read, are no exported message, or have something inside that cannot be understood; the
/// error names its offset.
pub fn decode(from: &mut dyn Read) -> Result<Decoded> {
    let (records, version) = Records::open(from)?;
    let mut decoder =
        Decoder { records, levels: vec![Level::default()], failing: false, dn_prefix: None, warnings: Vec::new() };
    let cut = match decoder.stream() {
        Ok(()) => decoder.unfinished(),
        Err(e) if e.kind() == Kind::Truncated => Some(e),
        Err(e) => return Err(e),
    };
    while decoder.levels.len() > 1 {
        decoder.end_embedded();
    }
    let message = decoder.levels.pop().map(Level::close).unwrap_or_default();
    Ok(Decoded { message, version, dn_prefix: decoder.dn_prefix, cut, warnings: decoder.warnings })
}

/// A message that is read: the item itself, or one inside it.
#[derive(Default)]
struct Level {
    message: Message,
    /// What the properties belong to, if not to the message.
    recipient: Option<PropBag>,
    attachment: Option<Attachment>,
}

impl Level {
    fn bag(&mut self) -> &mut PropBag {
        match (&mut self.recipient, &mut self.attachment) {
            (Some(recipient), _) => recipient,
            (None, Some(attachment)) => &mut attachment.props,
            (None, None) => &mut self.message.props,
        }
    }

    fn is_open(&self) -> bool {
        self.recipient.is_some() || self.attachment.is_some()
    }

    fn is_new(&self) -> bool {
        let Message { props, recipients, attachments } = &self.message;
        !self.is_open() && props.0.is_empty() && recipients.is_empty() && attachments.is_empty()
    }

    fn end_recipient(&mut self) {
        if let Some(mut recipient) = self.recipient.take() {
            recipient.remove(ROW_ID.id());
            self.message.recipients.push(recipient);
        }
    }

    fn end_attachment(&mut self) {
        if let Some(mut attachment) = self.attachment.take() {
            attachment.props.remove(tag::ATTACH_NUMBER.id());
            self.message.attachments.push(attachment);
        }
    }

    fn close(mut self) -> Message {
        self.end_recipient();
        self.end_attachment();
        subject::mark(&mut self.message.props);
        self.message
    }
}

struct Decoder<'r> {
    records: Records<'r>,
    /// The messages around the place that is read, the item itself first; never empty.
    levels: Vec<Level>,
    /// True behind FXErrorInfo: the properties up to the next marker tell of an error.
    failing: bool,
    dn_prefix: Option<String>,
    warnings: Vec<Warning>,
}

impl Decoder<'_> {
    fn stream(&mut self) -> Result<()> {
        loop {
            let Some((tag, at)) = self.records.tag()? else { return Ok(()) };
            if let Some(name) = marker::name_of(tag) {
                self.failing = false;
                if !self.marker(tag) {
                    let text = format!("the marker {name} (0x{tag:08X}) does not belong where it stands");
                    return Err(Error::damaged("FastTransfer stream", text).at(at));
                }
            } else if let Some(name) = marker::foreign(tag) {
                let text = format!("the marker {name} (0x{tag:08X}) does not belong in an item");
                return Err(Error::damaged("FastTransfer stream", text).at(at));
            } else {
                self.property(PropTag(tag)).map_err(|e| inside(&e, tag, at))?;
            }
        }
    }

    /// Takes a marker; false if it does not belong here.
    fn marker(&mut self, marker: u32) -> bool {
        let depth = self.levels.len();
        let Some(level) = self.levels.last_mut() else { return false };
        match marker {
            marker::START_RECIP if !level.is_open() => level.recipient = Some(PropBag::default()),
            marker::END_TO_RECIP if level.recipient.is_some() => level.end_recipient(),
            marker::NEW_ATTACH if !level.is_open() => level.attachment = Some(Attachment::default()),
            marker::END_ATTACH if level.attachment.is_some() => level.end_attachment(),
            marker::START_EMBED if level.attachment.as_ref().is_some_and(|a| a.embedded.is_none()) => {
                self.levels.push(Level::default());
            }
            marker::END_EMBED if depth > 1 && !level.is_open() => self.end_embedded(),
            // Another operation than the export of one item may wrap it.
            marker::START_MESSAGE | marker::START_FAI_MSG if depth == 1 && level.is_new() => {}
            marker::END_MESSAGE if depth == 1 && !level.is_open() => {}
            marker::FX_ERROR_INFO => {
                self.failing = true;
                self.warnings.push(Code::Damaged.with("the server could not export a part of the item"));
            }
            _ => return false,
        }
        true
    }

    fn end_embedded(&mut self) {
        let depth = self.levels.len() - 1;
        let Some(inner) = self.levels.pop() else { return };
        if depth > MAX_DEPTH {
            self.warnings.push(Code::Depth.with(format!("a message nested {depth} deep is left out")));
            return;
        }
        let message = inner.close();
        if let Some(attachment) = self.levels.last_mut().and_then(|l| l.attachment.as_mut()) {
            attachment.embedded = Some(Box::new(message));
        }
    }

    fn property(&mut self, tag: PropTag) -> Result<()> {
        if meta::is_meta(tag.id()) {
            return self.meta(tag);
        }
        let name = if tag.is_named() { Some(value::name(&mut self.records)?) } else { None };
        let read = value::read(&mut self.records, tag.ty())?;
        if self.failing {
            return Ok(());
        }
        if let Some(doubt) = read.doubt {
            let text = name.as_ref().map_or_else(|| tag.to_string(), NamedProp::to_string);
            self.warnings.push(Code::Charset.with(format!("property {text} {doubt}")));
        }
        if let Some(level) = self.levels.last_mut() {
            let tag = PropTag::new(tag.id(), read.ty);
            level.bag().0.push(Prop { tag, name: name.map(Arc::new), value: read.value });
        }
        Ok(())
    }

    fn meta(&mut self, tag: PropTag) -> Result<()> {
        let value = value::read(&mut self.records, tag.ty())?.value;
        match tag.id() {
            meta::DN_PREFIX => self.dn_prefix = value.to_text(),
            meta::EC_WARNING => {
                let code = value.as_i32().unwrap_or_default();
                self.warnings.push(Code::Damaged.with(format!("the server warned of 0x{code:08X} in its export")));
            }
            _ => {}
        }
        Ok(())
    }

    /// What was begun and not ended, where the data end between two properties.
    fn unfinished(&self) -> Option<Error> {
        let level = self.levels.last()?;
        let what = match (&level.recipient, &level.attachment) {
            (Some(_), _) => "a recipient",
            (None, Some(_)) => "an attachment",
            (None, None) if self.levels.len() > 1 => "an embedded message",
            (None, None) => return None,
        };
        let text = format!("the exported item is cut off inside {what}");
        Some(Error::new(Kind::Truncated, text).within("FastTransfer stream").at(self.records.offset()))
    }
}

/// Adds the property to an error about its value, and the place where it begins.
fn inside(e: &Error, tag: u32, at: u64) -> Error {
    let text = format!("property {}: {}", PropTag(tag), e.text());
    Error::new(e.kind(), text).within("FastTransfer stream").at(at)
}
