//! TNEF: the messages inside winmail.dat ([MS-OXTNEF]).
//!
//! A stream is a list of attributes. Old ones say one thing each (subject, body, the name of a file); attMsgProps,
//! attAttachment and attRecipTable hold MAPI properties. [`decode`] makes a message of both, the MAPI properties first.

mod legacy;
pub(super) mod merge;
mod props;
mod stream;

use crate::mapi::{Attachment, Code, Message, Prop, PropBag, Value, Warning, tag};
use legacy::Legacy;
use props::List;
use std::collections::HashSet;
use stream::{Attribute, Level, Stream};

/// What a TNEF stream holds.
#[derive(Debug, Clone, Default)]
pub struct Tnef {
    /// The message; all its strings are Unicode.
    pub message: Message,
    /// What was odd, one sentence each.
    pub warnings: Vec<Warning>,
    /// False if something that the stream holds did not come into the message.
    pub complete: bool,
}

/// Decodes a stream; `None` if it is no TNEF. `depth` counts the messages around it.
pub fn decode(bytes: &[u8], depth: usize) -> Option<Tnef> {
    let mut stream = Stream::open(bytes)?;
    let mut decoder =
        Decoder { depth, page: 1252, out: Tnef { complete: true, ..Tnef::default() }, ..Decoder::default() };
    for attribute in stream.by_ref() {
        decoder.attribute(&attribute);
    }
    decoder.finish();
    let mut out = decoder.out;
    if let Some(trouble) = stream.trouble() {
        out.complete &= !trouble.costs;
        out.warnings.push(Code::Tnef.with(trouble.text));
    }
    Some(out)
}

#[derive(Default)]
struct Decoder {
    depth: usize,
    /// The code page of 8-bit strings.
    page: u32,
    out: Tnef,
    /// What old attributes say of the message; MAPI properties go before it.
    old: PropBag,
    attachment: Option<(Attachment, PropBag)>,
}

impl Decoder {
    fn warn(&mut self, costs: bool, text: String) {
        self.out.warnings.push(Code::Tnef.with(text));
        self.out.complete &= !costs;
    }

    fn attribute(&mut self, attribute: &Attribute<'_>) {
        if !attribute.sound {
            let text =
                format!("the TNEF attribute 0x{:08X} has a wrong checksum; it was read all the same", attribute.id);
            self.warn(true, text);
        }
        match attribute.id {
            stream::OEM_CODEPAGE => self.page = legacy::code_page(attribute.data).unwrap_or(self.page),
            stream::TNEF_VERSION => {}
            stream::MSG_PROPS => {
                let list = self.list(attribute.data);
                take(&mut self.out.message.props, list.bag);
            }
            stream::RECIP_TABLE => self.recipients(attribute.data),
            stream::ATTACH_REND_DATA => {
                self.end_attachment();
                let mut old = PropBag::default();
                legacy::rendering(attribute.data, &mut old);
                self.attachment = Some((Attachment::default(), old));
            }
            stream::ATTACHMENT => {
                let list = self.list(attribute.data);
                let (attachment, _) = self.attachment.get_or_insert_default();
                attachment.embedded = attachment.embedded.take().or(list.embedded);
                take(&mut attachment.props, list.bag);
            }
            id => {
                let bag = match attribute.level {
                    Level::Message => &mut self.old,
                    Level::Attachment => &mut self.attachment.get_or_insert_default().1,
                };
                match legacy::property(id, attribute.data, self.page, bag) {
                    Legacy::Taken => {}
                    Legacy::Unknown => {
                        self.warn(true, format!("the TNEF attribute 0x{id:08X} is not known and is left out"));
                    }
                    Legacy::Damaged => {
                        self.warn(true, format!("the TNEF attribute 0x{id:08X} is damaged and is left out"));
                    }
                }
            }
        }
    }

    fn list(&mut self, data: &[u8]) -> List {
        let mut rest = data;
        let mut list = props::read(&mut rest, self.page, self.depth);
        self.out.warnings.append(&mut list.warnings);
        self.out.complete &= list.complete;
        list
    }

    fn recipients(&mut self, data: &[u8]) {
        let mut rest = data;
        let Some(count) = props::u32(&mut rest) else { return };
        for _ in 0..count {
            if rest.is_empty() {
                self.warn(true, format!("the TNEF recipient table promises {count} rows, but ends before"));
                return;
            }
            let mut list = props::read(&mut rest, self.page, self.depth);
            self.out.warnings.append(&mut list.warnings);
            self.out.complete &= list.complete;
            let whole = list.complete;
            self.out.message.recipients.push(list.bag);
            if !whole {
                return;
            }
        }
    }

    fn end_attachment(&mut self) {
        let Some((mut attachment, old)) = self.attachment.take() else { return };
        // Data may stand in either place, and in the other there may be none.
        let empty = |v: Option<&Value>| v.is_none_or(|v| v.size() == 0);
        if empty(attachment.props.any(tag::ATTACH_DATA_BINARY.id())) && !empty(old.get(tag::ATTACH_DATA_BINARY)) {
            attachment.props.remove(tag::ATTACH_DATA_BINARY.id());
        }
        take(&mut attachment.props, old);
        legacy::complete(&mut attachment);
        self.out.message.attachments.push(attachment);
    }

    fn finish(&mut self) {
        self.end_attachment();
        let old = std::mem::take(&mut self.old);
        take(&mut self.out.message.props, old);
        let props = &mut self.out.message.props;
        if props.any(tag::MESSAGE_CLASS.id()).is_none() {
            props.set(tag::MESSAGE_CLASS, Value::text("IPM.Note"));
        }
    }
}

/// Adds properties whose id or name is not there yet.
pub(super) fn take(to: &mut PropBag, from: PropBag) {
    let key = |p: &Prop| (p.name.clone(), if p.name.is_some() { 0 } else { p.tag.id() });
    let mut seen: HashSet<_> = to.0.iter().map(key).collect();
    to.0.extend(from.0.into_iter().filter(|p| seen.insert(key(p))));
}
