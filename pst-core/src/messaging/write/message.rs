//! Makes a message ready to be written: property contexts, tables, sizes ([MS-PST] 2.4.5, 2.4.6).

use super::names::Names;
use super::stored::{StoredBag, unicode};
use super::templates;
use crate::error::{Error, Kind, Result};
use crate::ltp::build::{PcBuilder, TableBuilder, TableLayout};
use crate::mapi::message::{attach_method, flag};
use crate::mapi::{Attachment, Blob, Code, Message, NamedProp, PropBag, PropTag, Value, Warning, tag};
use crate::ndb::write::{NodeImage, Subnode, TreeImage};
use crate::ndb::{Crypt, Nid, nid_type};
use md5::{Digest, Md5};
use sha2::Sha256;
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
    pub warnings: Vec<Warning>,
    /// PidTagReplItemid, for the hierarchy map.
    pub repl_item: Option<Vec<u8>>,
}

impl PreparedMessage {
    /// Builds everything that needs no place in the file. `None` if the message uses names that `names` does not have.
    ///
    /// # Errors
    /// When a value cannot be stored at all.
    pub fn new(message: &Message, names: &Names, associated: bool, crypt: Crypt) -> Result<Option<Self>> {
        if !each_name(message, 0, &mut |n| names.get(n).is_some()) {
            return Ok(None);
        }
        let mut build = Build { names, crypt, warnings: Vec::new(), ids: vec![0; IDS] };
        let (image, _, mut row) = build.message(message, associated, 0)?;
        row_only(&mut row);
        let read = row.i32(tag::MESSAGE_FLAGS).unwrap_or_default() & flag::READ != 0;
        let repl_item = row.bytes(tag::REPL_ITEM_ID).filter(|b| b.len() == 16).map(<[u8]>::to_vec);
        let columns = if associated { templates::ASSOC_CONTENTS } else { templates::CONTENTS };
        let row = row.only(|t| columns.iter().any(|c| c.tag == t.0) || names.is_column(t));
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
pub fn all_names(message: &Message) -> Vec<Arc<NamedProp>> {
    let mut out: Vec<Arc<NamedProp>> = Vec::new();
    each_name(message, 0, &mut |name| {
        out.push(Arc::clone(name));
        true
    });
    out
}

/// Goes through the names of a message and of all messages inside it, as long as `go_on` says so.
fn each_name(message: &Message, depth: usize, go_on: &mut dyn FnMut(&Arc<NamedProp>) -> bool) -> bool {
    let mut bags =
        std::iter::once(&message.props).chain(&message.recipients).chain(message.attachments.iter().map(|a| &a.props));
    let mut inner = message.attachments.iter().filter_map(|a| a.embedded.as_ref());
    bags.all(|bag| bag.0.iter().filter_map(|p| p.name.as_ref()).all(&mut *go_on))
        && (depth >= 200 || inner.all(|m| each_name(m, depth + 1, go_on)))
}

/// Words of a bit set of all property ids.
const IDS: usize = 1 << 10;

/// The properties of a bag as a store holds them.
pub(super) fn stored_props<'m>(bag: &'m PropBag, names: &Names, crypt: Crypt) -> StoredBag<'m> {
    Build { names, crypt, warnings: Vec::new(), ids: vec![0; IDS] }.stored(bag, codepage_of(bag))
}

struct Build<'a> {
    names: &'a Names,
    crypt: Crypt,
    warnings: Vec<Warning>,
    /// The ids of the bag at hand, one bit each; none between bags.
    ids: Vec<u64>,
}

impl Build<'_> {
    /// The image of a message, its size, and its properties as stored.
    fn message<'m>(
        &mut self,
        message: &'m Message,
        associated: bool,
        depth: usize,
    ) -> Result<(NodeImage, u64, StoredBag<'m>)> {
        if depth > 200 {
            return Err(Error::new(Kind::Limit, "messages are nested more than 200 deep"));
        }
        let page = codepage_of(&message.props);
        let mut props = self.stored(&message.props, page);
        props.remove_all(&NOT_STORED);
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
        let mut pc = PcBuilder::with_room(self.crypt, props.0.len(), props.in_heap())?;
        props.add_to(&mut pc)?;
        let (image, size) = pc.finish(Some(tag::MESSAGE_SIZE.id()), subs)?;
        props.set(tag::MESSAGE_SIZE, Value::I32(size.min(i32::MAX as u64) as i32));
        Ok((image, size, props))
    }

    /// The properties as this store holds them.
    fn stored<'m>(&mut self, bag: &'m PropBag, page: u32) -> StoredBag<'m> {
        let mut out = StoredBag(Vec::with_capacity(bag.0.len() + 8));
        for prop in &bag.0 {
            let id = match &prop.name {
                Some(name) => self.names.get(name),
                None if prop.tag.is_named() => {
                    self.warnings.push(
                        Code::Property.with(format!("property {} has no name in its store and is left out", prop.tag)),
                    );
                    None
                }
                None => Some(prop.tag.id()),
            };
            let Some(id) = id else { continue };
            if !self.is_new(id) {
                self.warnings.push(
                    Code::Property
                        .with(format!("property 0x{id:04X} is there twice with different types; the first is kept")),
                );
                continue;
            }
            let (ty, value) = unicode(prop, page);
            out.push(PropTag::new(id, ty), value);
        }
        for (tag, _) in &out.0 {
            if let Some(word) = self.ids.get_mut(usize::from(tag.id() / 64)) {
                *word = 0;
            }
        }
        out
    }

    /// True the first time that an id comes up in the bag at hand.
    fn is_new(&mut self, id: u16) -> bool {
        let Some(word) = self.ids.get_mut(usize::from(id / 64)) else { return true };
        let bit = 1 << (id % 64);
        let new = *word & bit == 0;
        *word |= bit;
        new
    }

    fn recipients(&mut self, recipients: &[PropBag], page: u32) -> Result<NodeImage> {
        let bags: Vec<StoredBag<'_>> = recipients.iter().map(|r| self.stored(r, page)).collect();
        let mut more: Vec<PropTag> = bags.iter().flat_map(|b| b.0.iter().map(|(tag, _)| *tag)).collect();
        more.retain(|t| !NOT_STORED.contains(&t.id()));
        let (layout, left_out) = TableLayout::new(templates::RECIPIENT, &more);
        for tag in left_out {
            self.warnings.push(
                Code::Property.with(format!("recipient property {tag} is left out: a table has 255 columns at most")),
            );
        }
        let mut table = TableBuilder::new(layout, self.crypt)?;
        for (i, bag) in bags.iter().enumerate() {
            table.row(i as u32 + 1, |t| bag.get(t))?;
        }
        table.finish()
    }

    /// Makes method and data agree ([MS-OXCMSG] 2.2.2.9).
    fn attach_method(&mut self, props: &mut StoredBag<'_>, embedded: bool) {
        let data = props.any(tag::ATTACH_DATA_BINARY.id());
        let method = match props.i32(tag::ATTACH_METHOD) {
            _ if embedded => attach_method::EMBEDDED,
            None | Some(attach_method::EMBEDDED) if data.is_some() => attach_method::BY_VALUE,
            None => attach_method::NONE,
            Some(attach_method::EMBEDDED) => {
                self.warnings.push(Code::Damaged.with("an embedded message is left out: it could not be read"));
                attach_method::NONE
            }
            Some(method) => method,
        };
        props.set(tag::ATTACH_METHOD, Value::I32(method));
        if method != attach_method::BY_VALUE {
            return;
        }
        match props.get(tag::ATTACH_DATA_OBJECT) {
            Some(Value::Object(blob)) => {
                let blob = blob.clone();
                props.set(tag::ATTACH_DATA_BINARY, Value::Binary(blob));
            }
            None if props.any(tag::ATTACH_DATA_BINARY.id()).is_none() => {
                props.set(tag::ATTACH_DATA_BINARY, Value::binary([]));
            }
            _ => {}
        }
    }

    fn attachment<'m>(
        &mut self,
        attachment: &'m Attachment,
        page: u32,
        depth: usize,
    ) -> Result<(NodeImage, StoredBag<'m>)> {
        let mut props = self.stored(&attachment.props, page);
        props.remove_all(&NOT_STORED);
        self.attach_method(&mut props, attachment.embedded.is_some());
        if props.i32(tag::RENDERING_POSITION).is_none() {
            props.set(tag::RENDERING_POSITION, Value::I32(-1));
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
        let sizes: u64 = props.0.iter().map(|(_, value)| value.size()).sum();
        let total = sizes + 4 + object.map_or(0, |(_, size)| u64::from(size));
        if total > i32::MAX as u64 {
            let text = format!("an attachment of {total} bytes is more than a PST can hold (2 GiB)");
            return Err(Error::new(Kind::Limit, text));
        }
        props.set(tag::ATTACH_SIZE, Value::I32(total as i32));
        let count = props.0.len() + usize::from(object.is_some());
        let mut pc = PcBuilder::with_room(self.crypt, count, props.in_heap())?;
        props.add_to(&mut pc)?;
        if let Some((nid, size)) = object {
            pc.add_object(tag::ATTACH_DATA_OBJECT.id(), nid.0, size)?;
        }
        let (image, _) = pc.finish(None, more)?;
        Ok((image, props))
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

/// Adds what every message must have ([MS-PST] 2.4.5.1), computed from what it has.
fn complete(props: &mut StoredBag<'_>, message: &Message, associated: bool) {
    if props.any(tag::MESSAGE_CLASS.id()).is_none() {
        props.set(tag::MESSAGE_CLASS, Value::text("IPM.Note"));
    }
    let mut flags = props.i32(tag::MESSAGE_FLAGS).unwrap_or(flag::READ);
    flags &= !(flag::HAS_ATTACH | flag::ASSOCIATED);
    if !message.attachments.is_empty() {
        flags |= flag::HAS_ATTACH;
    }
    if associated {
        flags |= flag::ASSOCIATED;
        if props.any(tag::DISPLAY_NAME.id()).is_none() {
            props.set(tag::DISPLAY_NAME, Value::text(""));
        }
    }
    props.set(tag::MESSAGE_FLAGS, Value::I32(flags));
    props.set(tag::MESSAGE_SIZE, Value::I32(0));
    if props.i32(tag::MESSAGE_STATUS).is_none() {
        props.set(tag::MESSAGE_STATUS, Value::I32(0));
    }
    if let Some(Value::Unicode(text)) = props.get(tag::SUBJECT)
        && !text.starts_with(&[1, 0])
    {
        let value = Value::Unicode(prefixed(text));
        props.set(tag::SUBJECT, value);
    }
    let time = [tag::LAST_MODIFICATION_TIME, tag::CREATION_TIME, tag::MESSAGE_DELIVERY_TIME, tag::CLIENT_SUBMIT_TIME]
        .iter()
        .find_map(|t| props.time(*t))
        .unwrap_or(crate::mapi::time::STAND_IN);
    for t in [tag::CREATION_TIME, tag::LAST_MODIFICATION_TIME] {
        if props.time(t).is_none() {
            props.set(t, Value::Time(time));
        }
    }
    if props.bytes(tag::SEARCH_KEY).is_none_or(|k| k.len() != 16) {
        let key = search_key(props);
        props.set(tag::SEARCH_KEY, Value::binary(key));
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
fn search_key(props: &StoredBag<'_>) -> Vec<u8> {
    let mut hash = Sha256::new();
    for (tag, value) in &props.0 {
        hash.update(tag.0.to_le_bytes());
        hash.update(value.size().to_le_bytes());
        match &**value {
            Value::Unicode(b) | Value::String8(b) => hash.update(b),
            Value::Time(t) => hash.update(t.to_le_bytes()),
            v => hash.update(v.as_bytes().unwrap_or_default()),
        }
    }
    hash.finalize().iter().take(16).copied().collect()
}

/// The cells that only the table has: PidTagConversationId ([MS-PST] 5.4).
fn row_only(row: &mut StoredBag<'_>) {
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
