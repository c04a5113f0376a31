//! Makes a message ready to be written: property contexts, tables, sizes ([MS-PST] 2.4.5, 2.4.6).

use super::names::Names;
use super::templates;
use crate::error::{Error, Kind, Result};
use crate::ltp::build::{PcBuilder, TableBuilder, TableLayout};
use crate::mapi::message::{attach_method, flag};
use crate::mapi::{Attachment, Blob, Message, NamedProp, Prop, PropBag, PropTag, PropType, Value, codepage, tag};
use crate::ndb::write::{NodeImage, Subnode, TreeImage};
use crate::ndb::{Crypt, Nid, nid_type};
use md5::{Digest, Md5};
use sha2::Sha256;
use std::collections::HashSet;
use std::sync::Arc;

/// Ids that tables and the store compute, and that no property context holds.
const NOT_STORED: [u16; 4] =
    [tag::LTP_PARENT_NID.id(), tag::LTP_ROW_ID.id(), tag::LTP_ROW_VER.id(), tag::CONVERSATION_ID.id()];

/// A message whose blocks are ready, and what its folder's table says of it.
pub struct PreparedMessage {
    /// The node.
    pub image: NodeImage,
    /// The properties of its contents row.
    pub row: PropBag,
    /// True for folder-associated items.
    pub associated: bool,
    /// True if it counts as read.
    pub read: bool,
    /// What was left out, one sentence each.
    pub warnings: Vec<String>,
    /// PidTagReplItemid, for the hierarchy map.
    pub repl_item: Option<Vec<u8>>,
}

impl PreparedMessage {
    /// Builds everything that needs no place in the file. `None` if the message uses names that `names` does not have.
    ///
    /// # Errors
    /// When a value cannot be stored at all.
    pub fn new(message: &Message, names: &Names, associated: bool, crypt: Crypt) -> Result<Option<Self>> {
        if !all_names(message, 0).iter().all(|n| names.get(n).is_some()) {
            return Ok(None);
        }
        let mut build = Build { names, crypt, warnings: Vec::new() };
        let (image, _, props) = build.message(message, associated, 0)?;
        let mut row = props;
        row_only(&mut row);
        let read = row.i32(tag::MESSAGE_FLAGS).unwrap_or_default() & flag::READ != 0;
        let repl_item = row.bytes(tag::REPL_ITEM_ID).filter(|b| b.len() == 16).map(<[u8]>::to_vec);
        let columns = if associated { templates::ASSOC_CONTENTS } else { templates::CONTENTS };
        row.0.retain(|p| columns.iter().any(|c| c.tag == p.tag.0));
        Ok(Some(Self { image, row, associated, read, warnings: build.warnings, repl_item }))
    }

    /// Bytes held until it is written.
    pub fn size(&self) -> u64 {
        held(&self.image) + 1024
    }
}

/// Bytes that a message holds in memory, about.
pub(crate) fn weight(message: &Message) -> u64 {
    let bag = |b: &PropBag| -> u64 {
        let held = |v: &Value| !matches!(v, Value::Binary(Blob::Stream(_)) | Value::Object(Blob::Stream(_)));
        b.0.iter().filter(|p| held(&p.value)).map(|p| p.value.size() + 64).sum()
    };
    let attachment = |a: &Attachment| bag(&a.props) + a.embedded.as_deref().map_or(0, weight);
    bag(&message.props)
        + message.recipients.iter().map(bag).sum::<u64>()
        + message.attachments.iter().map(attachment).sum::<u64>()
}

fn held(image: &NodeImage) -> u64 {
    let own = if matches!(image.data, TreeImage::Stream(_)) { 0 } else { image.data.size() };
    own + image.subs.iter().map(|s| held(&s.node)).sum::<u64>()
}

/// The named properties of a message and of all messages inside it.
pub fn all_names(message: &Message, depth: usize) -> Vec<Arc<NamedProp>> {
    let mut out: Vec<Arc<NamedProp>> = Vec::new();
    let bags =
        std::iter::once(&message.props).chain(&message.recipients).chain(message.attachments.iter().map(|a| &a.props));
    for bag in bags {
        out.extend(bag.0.iter().filter_map(|p| p.name.clone()));
    }
    if depth < 200 {
        for inner in message.attachments.iter().filter_map(|a| a.embedded.as_ref()) {
            out.extend(all_names(inner, depth + 1));
        }
    }
    out
}

struct Build<'a> {
    names: &'a Names,
    crypt: Crypt,
    warnings: Vec<String>,
}

impl Build<'_> {
    /// The image of a message, its size, and its properties as stored.
    fn message(&mut self, message: &Message, associated: bool, depth: usize) -> Result<(NodeImage, u64, PropBag)> {
        if depth > 200 {
            return Err(Error::new(Kind::Limit, "messages are nested more than 200 deep"));
        }
        let page = codepage_of(&message.props);
        let mut props = self.stored(&message.props, page);
        props.0.retain(|p| !NOT_STORED.contains(&p.tag.id()) || p.name.is_some());
        complete(&mut props, message, associated);
        let mut subs = vec![Subnode { nid: Nid::RECIPIENT_TABLE, node: self.recipients(&message.recipients, page)? }];
        if !message.attachments.is_empty() {
            let more: Vec<PropTag> = Vec::new();
            let (layout, _) = TableLayout::new(templates::ATTACHMENT, &more);
            let mut table = TableBuilder::new(layout, self.crypt)?;
            for (i, attachment) in message.attachments.iter().enumerate() {
                let nid = Nid::new(nid_type::ATTACHMENT, 0x401 + i as u32);
                let (node, bag) = self.attachment(attachment, page, depth)?;
                table.row(nid.0, |t| bag.get(t))?;
                subs.push(Subnode { nid, node });
            }
            subs.push(Subnode { nid: Nid::ATTACHMENT_TABLE, node: table.finish()? });
        }
        let mut pc = PcBuilder::new(self.crypt, props.0.len())?;
        add_all(&mut pc, &props)?;
        let (image, size) = pc.finish(Some(tag::MESSAGE_SIZE.id()), subs)?;
        props.set(tag::MESSAGE_SIZE, Value::I32(size.min(i32::MAX as u64) as i32));
        Ok((image, size, props))
    }

    /// The properties as this store holds them: its own ids for names, Unicode strings, one property for an id.
    fn stored(&mut self, bag: &PropBag, page: u32) -> PropBag {
        let mut out = PropBag(Vec::with_capacity(bag.0.len() + 8));
        let mut ids = HashSet::with_capacity(bag.0.len());
        for prop in &bag.0 {
            let id = match &prop.name {
                Some(name) => self.names.get(name),
                None if prop.tag.is_named() => {
                    self.warnings.push(format!("property {} has no name in its store and is left out", prop.tag));
                    None
                }
                None => Some(prop.tag.id()),
            };
            let Some(id) = id else { continue };
            if !ids.insert(id) {
                self.warnings
                    .push(format!("property 0x{id:04X} is there twice with different types; the first is kept"));
                continue;
            }
            let (ty, value) = unicode(prop, page);
            out.0.push(Prop { tag: PropTag::new(id, ty), name: None, value });
        }
        out
    }

    fn recipients(&mut self, recipients: &[PropBag], page: u32) -> Result<NodeImage> {
        let bags: Vec<PropBag> = recipients.iter().map(|r| self.stored(r, page)).collect();
        let mut more: Vec<PropTag> = bags.iter().flat_map(|b| b.0.iter().map(|p| p.tag)).collect();
        more.retain(|t| !NOT_STORED.contains(&t.id()));
        let (layout, left_out) = TableLayout::new(templates::RECIPIENT, &more);
        for tag in left_out {
            self.warnings.push(format!("recipient property {tag} is left out: a table has 255 columns at most"));
        }
        let mut table = TableBuilder::new(layout, self.crypt)?;
        for (i, bag) in bags.iter().enumerate() {
            table.row(i as u32 + 1, |t| bag.get(t))?;
        }
        table.finish()
    }

    /// Makes method and data agree ([MS-OXCMSG] 2.2.2.9).
    fn attach_method(&mut self, props: &mut PropBag, embedded: bool) {
        let data = props.any(tag::ATTACH_DATA_BINARY.id());
        let method = match props.i32(tag::ATTACH_METHOD) {
            _ if embedded => attach_method::EMBEDDED,
            None | Some(attach_method::EMBEDDED) if data.is_some() => attach_method::BY_VALUE,
            None => attach_method::NONE,
            Some(attach_method::EMBEDDED) => {
                self.warnings.push("an embedded message is left out: it could not be read".to_owned());
                attach_method::NONE
            }
            Some(method) => method,
        };
        replace(props, tag::ATTACH_METHOD, Value::I32(method));
        if method != attach_method::BY_VALUE {
            return;
        }
        match props.get(tag::ATTACH_DATA_OBJECT) {
            Some(Value::Object(blob)) => {
                let blob = blob.clone();
                replace(props, tag::ATTACH_DATA_BINARY, Value::Binary(blob));
            }
            None if props.any(tag::ATTACH_DATA_BINARY.id()).is_none() => {
                props.set(tag::ATTACH_DATA_BINARY, Value::binary([]));
            }
            _ => {}
        }
    }

    fn attachment(&mut self, attachment: &Attachment, page: u32, depth: usize) -> Result<(NodeImage, PropBag)> {
        let mut props = self.stored(&attachment.props, page);
        props.0.retain(|p| !NOT_STORED.contains(&p.tag.id()));
        self.attach_method(&mut props, attachment.embedded.is_some());
        if props.i32(tag::RENDERING_POSITION).is_none() {
            replace(&mut props, tag::RENDERING_POSITION, Value::I32(-1));
        }
        let mut more = Vec::new();
        let mut object = None;
        if let Some(inner) = &attachment.embedded {
            let (image, size, _) = self.message(inner, false, depth + 1)?;
            let nid = Nid::new(nid_type::NORMAL_MESSAGE, 0x10001);
            more.push(Subnode { nid, node: image });
            props.remove(tag::ATTACH_DATA_OBJECT.id());
            object = Some((nid, size.min(u64::from(u32::MAX)) as u32));
        }
        props.remove(tag::ATTACH_SIZE.id());
        let sizes: u64 = props.0.iter().map(|p| p.value.size()).sum();
        let total = sizes + 4 + object.map_or(0, |(_, size)| u64::from(size));
        if total > i32::MAX as u64 {
            let text = format!("an attachment of {total} bytes is more than a PST can hold (2 GiB)");
            return Err(Error::new(Kind::Limit, text));
        }
        props.set(tag::ATTACH_SIZE, Value::I32(total as i32));
        let mut pc = PcBuilder::new(self.crypt, props.0.len() + usize::from(object.is_some()))?;
        add_all(&mut pc, &props)?;
        if let Some((nid, size)) = object {
            pc.add_object(tag::ATTACH_DATA_OBJECT.id(), nid.0, size)?;
        }
        let (image, _) = pc.finish(None, more)?;
        Ok((image, props))
    }
}

/// Adds all properties of a bag, whose ids do not repeat.
///
/// # Errors
/// When a value cannot be stored.
pub(super) fn add_all(pc: &mut PcBuilder, props: &PropBag) -> Result<()> {
    let crypt = pc.overflow().crypt();
    let mut objects = 0;
    for prop in &props.0 {
        if prop.tag.ty() == PropType::OBJECT
            && let Value::Object(blob) = &prop.value
        {
            objects += 1;
            let nid = Nid::new(nid_type::OLE_DATA, 0x400 + objects);
            let data = match blob {
                Blob::Bytes(bytes) => TreeImage::of_bytes(bytes, crypt),
                Blob::Stream(s) => TreeImage::Stream(Arc::clone(s)),
            };
            let size = data.size().min(u64::from(u32::MAX)) as u32;
            pc.overflow().subs.push(Subnode { nid, node: NodeImage::leaf(data) });
            pc.add_object(prop.tag.id(), nid.0, size)?;
            continue;
        }
        pc.add(prop.tag.id(), prop.tag.ty(), &prop.value)?;
    }
    Ok(())
}

/// Type and value in a Unicode store: 8-bit strings are decoded by the message's code page.
pub(super) fn unicode(prop: &Prop, page: u32) -> (u16, Value) {
    match (&prop.value, prop.tag.ty()) {
        (Value::String8(bytes), _) => (PropType::STRING, Value::text(&codepage::decode(page, bytes))),
        (Value::Multi(bytes), ty) if ty == PropType::MULTI | PropType::STRING8 => match Value::multi_parts(bytes) {
            Some(parts) => {
                let texts: Vec<String> = parts.iter().map(|p| codepage::decode(page, p)).collect();
                (PropType::MULTI | PropType::STRING, Value::texts(&texts))
            }
            None => (ty, prop.value.clone()),
        },
        (value, ty) => (ty, value.clone()),
    }
}

fn codepage_of(props: &PropBag) -> u32 {
    [tag::MESSAGE_CODEPAGE, tag::INTERNET_CODEPAGE]
        .iter()
        .find_map(|t| props.i32(*t))
        .and_then(|cp| u32::try_from(cp).ok())
        .filter(|cp| !matches!(cp, 0 | 1200))
        .unwrap_or(1252)
}

/// Sets a property and removes others of its id: a property context has one of each.
fn replace(props: &mut PropBag, tag: PropTag, value: Value) {
    props.0.retain(|p| p.tag.id() != tag.id() || p.tag == tag);
    props.set(tag, value);
}

/// Adds what every message must have ([MS-PST] 2.4.5.1), computed from what it has.
fn complete(props: &mut PropBag, message: &Message, associated: bool) {
    if props.any(tag::MESSAGE_CLASS.id()).is_none() {
        replace(props, tag::MESSAGE_CLASS, Value::text("IPM.Note"));
    }
    let mut flags = props.i32(tag::MESSAGE_FLAGS).unwrap_or(flag::READ);
    flags &= !(flag::HAS_ATTACH | flag::ASSOCIATED);
    if !message.attachments.is_empty() {
        flags |= flag::HAS_ATTACH;
    }
    if associated {
        flags |= flag::ASSOCIATED;
        if props.any(tag::DISPLAY_NAME.id()).is_none() {
            replace(props, tag::DISPLAY_NAME, Value::text(""));
        }
    }
    replace(props, tag::MESSAGE_FLAGS, Value::I32(flags));
    replace(props, tag::MESSAGE_SIZE, Value::I32(0));
    if props.i32(tag::MESSAGE_STATUS).is_none() {
        replace(props, tag::MESSAGE_STATUS, Value::I32(0));
    }
    if let Some(Value::Unicode(text)) = props.get(tag::SUBJECT)
        && !text.starts_with(&[1, 0])
    {
        let value = Value::Unicode(prefixed(text));
        replace(props, tag::SUBJECT, value);
    }
    let time = [tag::LAST_MODIFICATION_TIME, tag::CREATION_TIME, tag::MESSAGE_DELIVERY_TIME, tag::CLIENT_SUBMIT_TIME]
        .iter()
        .find_map(|t| props.time(*t))
        .unwrap_or(116_444_736_000_000_000);
    for t in [tag::CREATION_TIME, tag::LAST_MODIFICATION_TIME] {
        if props.time(t).is_none() {
            replace(props, t, Value::Time(time));
        }
    }
    if props.bytes(tag::SEARCH_KEY).is_none_or(|k| k.len() != 16) {
        let key = search_key(props);
        replace(props, tag::SEARCH_KEY, Value::binary(key));
    }
}

/// A subject with its prefix marked: U+0001, length of the prefix + 1, text ([MS-PST] 2.5.3.1.1).
pub(super) fn prefixed(text: &[u8]) -> Vec<u8> {
    let units: Vec<u16> = text.chunks_exact(2).filter_map(|c| c.try_into().ok().map(u16::from_le_bytes)).collect();
    let length = prefix_len(&units) as u16;
    let mut out = vec![1, 0];
    out.extend_from_slice(&(length + 1).to_le_bytes());
    out.extend_from_slice(text);
    out
}

/// Units of a prefix such as "RE: ": one to three characters, none a blank, digit or colon, then a colon and blanks.
fn prefix_len(units: &[u16]) -> usize {
    let Some(colon) = units.iter().take(4).position(|u| *u == u16::from(b':')) else { return 0 };
    let plain = |u: &u16| {
        char::from_u32(u32::from(*u)).is_none_or(|c| !c.is_whitespace() && !c.is_ascii_digit() && !c.is_control())
    };
    if colon == 0 || !units.iter().take(colon).all(plain) {
        return 0;
    }
    let blanks = units.iter().skip(colon + 1).take_while(|u| **u == u16::from(b' ')).count();
    colon + 1 + blanks.min(200)
}

/// Sixteen bytes from the content, the same on every run.
fn search_key(props: &PropBag) -> Vec<u8> {
    let mut hash = Sha256::new();
    for prop in &props.0 {
        hash.update(prop.tag.0.to_le_bytes());
        hash.update(prop.value.size().to_le_bytes());
        match &prop.value {
            Value::Unicode(b) | Value::String8(b) => hash.update(b),
            Value::Time(t) => hash.update(t.to_le_bytes()),
            v => hash.update(v.as_bytes().unwrap_or_default()),
        }
    }
    hash.finalize().iter().take(16).copied().collect()
}

/// The cells that only the table has: PidTagConversationId ([MS-PST] 5.4).
fn row_only(row: &mut PropBag) {
    let tracked = row.bool(tag::CONVERSATION_INDEX_TRACKING) == Some(true);
    let from_index = row.bytes(tag::CONVERSATION_INDEX).filter(|i| tracked && i.len() >= 22).and_then(|i| i.get(6..22));
    let id = match from_index {
        Some(id) => Some(id.to_vec()),
        None => row.text(tag::CONVERSATION_TOPIC).filter(|t| !t.is_empty()).map(|topic| {
            let upper: Vec<u8> = topic.to_uppercase().encode_utf16().take(255).flat_map(u16::to_le_bytes).collect();
            Md5::digest(&upper).to_vec()
        }),
    };
    if let Some(id) = id {
        row.set(tag::CONVERSATION_ID, Value::binary(id));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subject_prefixes() {
        let len = |s: &str| prefix_len(&s.encode_utf16().collect::<Vec<_>>());
        assert_eq!(len("RE: SUB"), 4);
        assert_eq!(len("Re:x"), 3);
        assert_eq!(len("RE:   x"), 6);
        for none in ["x", "Antw: x", "R2: x", ": x", "", "a b: x"] {
            assert_eq!(len(none), 0, "{none}");
        }
    }
}
