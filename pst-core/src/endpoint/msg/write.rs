//! A message to a .msg file ([MS-OXMSG] 2).

use super::names::Numbers;
use super::property::{
    ATTACHMENT, EmbeddedHeader, Entry, NAMES, PROPERTIES, Place, RECIPIENT, STORE_SUPPORT_MASK, TopHeader, UNICODE,
    stream_name,
};
use super::storage::{self, join, untimed};
use crate::error::{Error, Kind, Result};
use crate::mapi::message::attach_method;
use crate::mapi::{
    Attachment, Blob, Code, Message, Prop, PropBag, PropTag, PropType, Value, Warning, codepage, subject, tag,
};
use cfb::{CompoundFile, Version};
use std::borrow::Cow;
use std::collections::HashSet;
use std::io::{Read, Seek, Write};
use uuid::Uuid;
use zerocopy::IntoBytes;

/// The class of a storage that holds a message, {00020D0B-0000-0000-C000-000000000046}.
const MESSAGE: Uuid = Uuid::from_u128(0x0002_0D0B_0000_0000_C000_0000_0000_0046);
const STORE_UNICODE_OK: i32 = 0x0004_0000;
const ROW_ID: PropTag = PropTag(0x3000_0003);
/// Ids that mean something in the tables of a PST only.
const ROWS: [u16; 3] = [tag::LTP_PARENT_NID.id(), tag::LTP_ROW_ID.id(), tag::LTP_ROW_VER.id()];
/// Files that may become larger get sectors of 4096 bytes.
const SMALL: u64 = 1 << 30;
const DEEPEST: usize = 200;
/// Objects up to this many bytes are held while they are copied.
const HELD: usize = 8 << 20;
const LARGEST_OBJECT: u64 = 2 << 30;

/// Writes a message into an empty file, and hands it back with what was lost or replaced, one sentence each.
///
/// # Errors
/// When `out` refuses or the data of an attachment cannot be read.
pub fn write<F: Read + Write + Seek>(message: &Message, out: F) -> Result<(F, Vec<Warning>)> {
    let version = if weight(message, 0) < SMALL { Version::V3 } else { Version::V4 };
    let file = CompoundFile::create_with_version(version, out).map_err(failed)?;
    let mut writer = Writer { file, numbers: Numbers::default(), warnings: Vec::new() };
    writer.message("/", message, Place::Top, 0)?;
    let names = join("/", NAMES);
    writer.storage(&names)?;
    for (name, bytes) in writer.numbers.streams() {
        writer.stream(&join(&names, &name), &bytes)?;
    }
    writer.file.flush().map_err(failed)?;
    Ok((writer.file.into_inner(), writer.warnings))
}

/// Bytes of a message and those inside it, about.
fn weight(message: &Message, depth: usize) -> u64 {
    let bag = |b: &PropBag| b.0.iter().map(|p| p.value.size() + 64).sum::<u64>();
    let inner = |a: &Attachment| a.embedded.as_ref().filter(|_| depth < DEEPEST).map_or(0, |m| weight(m, depth + 1));
    bag(&message.props)
        + message.recipients.iter().map(bag).sum::<u64>()
        + message.attachments.iter().map(|a| bag(&a.props) + inner(a)).sum::<u64>()
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in map_err")]
fn failed(e: std::io::Error) -> Error {
    Error::new(Kind::Io, format!("cannot write a .msg file: {e}"))
}

struct Writer<F> {
    file: CompoundFile<F>,
    numbers: Numbers,
    warnings: Vec<Warning>,
}

impl<F: Read + Write + Seek> Writer<F> {
    fn storage(&mut self, path: &str) -> Result<()> {
        self.file.create_storage(path).map_err(failed)?;
        untimed(&mut self.file, path).map_err(failed)
    }

    fn stream(&mut self, path: &str, bytes: &[u8]) -> Result<()> {
        self.file.create_new_stream(path).and_then(|mut s| s.write_all(bytes)).map_err(failed)
    }

    fn blob(&mut self, path: &str, blob: &Blob) -> Result<()> {
        match blob {
            Blob::Bytes(bytes) => self.stream(path, bytes),
            Blob::Stream(data) => {
                let mut to = self.file.create_new_stream(path).map_err(failed)?;
                std::io::copy(&mut data.open()?, &mut to).map(|_| ()).map_err(failed)
            }
        }
    }

    fn message(&mut self, storage: &str, message: &Message, place: Place, depth: usize) -> Result<()> {
        self.file.set_storage_clsid(storage, MESSAGE).map_err(failed)?;
        let page = codepage::of_item(&message.props);
        let mut props = unmarked(&message.props, page);
        if props.any(tag::MESSAGE_CLASS.id()).is_none() {
            props.to_mut().set(tag::MESSAGE_CLASS, Value::text("IPM.Note"));
        }
        let mask = props.i32(STORE_SUPPORT_MASK).map_or(UNICODE, |m| m | STORE_UNICODE_OK);
        props.to_mut().set(STORE_SUPPORT_MASK, Value::I32(mask));
        let counts = EmbeddedHeader::new(message.recipients.len(), message.attachments.len());
        let header = match place {
            Place::Top => TopHeader { counts, reserved: [0; 8] }.as_bytes().to_vec(),
            _ => counts.as_bytes().to_vec(),
        };
        self.bag(storage, &props, header, Vec::new(), page)?;
        for (i, recipient) in message.recipients.iter().enumerate() {
            let path = join(storage, &format!("{RECIPIENT}{i:08X}"));
            self.storage(&path)?;
            let row = Entry::fixed(ROW_ID, &Value::I32(i as i32));
            self.bag(&path, recipient, vec![0; Place::Part.header()], row.into_iter().collect(), page)?;
        }
        for (i, attachment) in message.attachments.iter().enumerate() {
            let path = join(storage, &format!("{ATTACHMENT}{i:08X}"));
            self.storage(&path)?;
            self.attachment(&path, attachment, i, page, depth)?;
        }
        Ok(())
    }

    fn attachment(
        &mut self,
        storage: &str,
        attachment: &Attachment,
        index: usize,
        page: u32,
        depth: usize,
    ) -> Result<()> {
        let mut props = Cow::Borrowed(&attachment.props);
        let mut more: Vec<Entry> = Entry::fixed(tag::ATTACH_NUMBER, &Value::I32(index as i32)).into_iter().collect();
        if let Some(message) = &attachment.embedded {
            if depth >= DEEPEST {
                self.warnings.push(Code::Depth.with(format!("messages nested more than {DEEPEST} deep are left out")));
            } else {
                props.to_mut().0.retain(|p| p.tag != tag::ATTACH_DATA_OBJECT);
                props.to_mut().set(tag::ATTACH_METHOD, Value::I32(attach_method::EMBEDDED));
                more.push(Entry::object(tag::ATTACH_DATA_OBJECT, 1));
                let path = join(storage, &stream_name(tag::ATTACH_DATA_OBJECT));
                self.storage(&path)?;
                self.message(&path, message, Place::Embedded, depth + 1)?;
            }
        }
        self.bag(storage, &props, vec![0; Place::Part.header()], more, page)
    }

    /// Writes the properties of an object: its property stream, and the streams of values that do not fit in it.
    fn bag(&mut self, storage: &str, bag: &PropBag, mut list: Vec<u8>, more: Vec<Entry>, page: u32) -> Result<()> {
        let mut ids: HashSet<u16> = more.iter().map(|e| e.tag().id()).collect();
        for entry in more {
            list.extend_from_slice(entry.as_bytes());
        }
        for prop in &bag.0 {
            let Some(id) = self.id(prop) else { continue };
            // What the file says itself, by position.
            if ROWS.contains(&id) || [ROW_ID, tag::ATTACH_NUMBER].iter().any(|t| t.id() == id && ids.contains(&id)) {
                continue;
            }
            if !ids.insert(id) {
                self.warnings.push(
                    Code::Property
                        .with(format!("property 0x{id:04X} is there twice with different types; the first is kept")),
                );
                continue;
            }
            let (ty, value) = unicode(prop, page);
            let entry = self.value(storage, PropTag::new(id, ty), &value)?;
            list.extend_from_slice(entry.as_bytes());
        }
        self.stream(&join(storage, PROPERTIES), &list)
    }

    fn id(&mut self, prop: &Prop) -> Option<u16> {
        match &prop.name {
            Some(name) => {
                let id = self.numbers.id(name);
                if id.is_none() {
                    self.warnings
                        .push(Code::Property.with(format!("property {name} is left out: no id is free for its name")));
                }
                id
            }
            None if prop.tag.is_named() => {
                self.warnings.push(
                    Code::Property.with(format!("property {} has no name in its store and is left out", prop.tag)),
                );
                None
            }
            None => Some(prop.tag.id()),
        }
    }

    fn value(&mut self, storage: &str, tag: PropTag, value: &Value) -> Result<Entry> {
        if let Some(entry) = Entry::fixed(tag, value) {
            return Ok(entry);
        }
        let path = join(storage, &stream_name(tag));
        match value {
            Value::Object(blob) if self.object(&path, blob)? => return Ok(Entry::object(tag, 4)),
            Value::Binary(blob) | Value::Object(blob) => self.blob(&path, blob)?,
            Value::Multi(bytes) if tag.prop_type().fixed_size().is_none() => return self.multi(&path, tag, bytes),
            Value::Unicode(bytes) | Value::String8(bytes) | Value::Multi(bytes) | Value::Other(bytes) => {
                self.stream(&path, bytes)?;
            }
            Value::Guid(guid) => self.stream(&path, guid)?,
            _ => {}
        }
        Ok(Entry::variable(tag, value.size()))
    }

    /// A multi-valued property of variable size: a stream of lengths, and one for each element.
    fn multi(&mut self, path: &str, tag: PropTag, bytes: &[u8]) -> Result<Entry> {
        let nul: &[u8] = match tag.ty() & !PropType::MULTI {
            PropType::STRING => &[0, 0],
            PropType::STRING8 => &[0],
            _ => &[],
        };
        let Some(parts) = Value::multi_parts(bytes) else {
            self.warnings.push(
                Code::Property.with(format!("the elements of property {tag} contradict each other; it is left empty")),
            );
            self.stream(path, &[])?;
            return Ok(Entry::variable(tag, 0));
        };
        let mut lengths = Vec::new();
        for (i, part) in parts.iter().enumerate() {
            lengths.extend_from_slice(&((part.len() + nul.len()) as u32).to_le_bytes());
            if nul.is_empty() {
                lengths.extend_from_slice(&[0; 4]);
            }
            self.stream(&format!("{path}-{i:08X}"), &[part, nul].concat())?;
        }
        self.stream(path, &lengths)?;
        Ok(Entry::variable(tag, lengths.len() as u64))
    }

    /// Puts a compound file into a storage of its own. False if the data are none: they then go into a stream.
    fn object(&mut self, path: &str, blob: &Blob) -> Result<bool> {
        let mut copy = tempfile::SpooledTempFile::new(HELD);
        std::io::copy(&mut blob.open()?, &mut copy).map_err(failed)?;
        let Ok(mut object) = CompoundFile::open(copy) else { return Ok(false) };
        self.storage(path)?;
        if let Err(e) = storage::copy(&mut object, "/", &mut self.file, path, LARGEST_OBJECT) {
            self.file.remove_storage_all(path).map_err(failed)?;
            self.warnings.push(Code::Object.with(format!("an OLE object is kept as it is, in one stream: {e}")));
            return Ok(false);
        }
        Ok(true)
    }
}

/// Type and value in a Unicode file.
fn unicode(prop: &Prop, page: u32) -> (u16, Cow<'_, Value>) {
    let ty = prop.tag.ty();
    match &prop.value {
        Value::String8(bytes) => (PropType::STRING, Cow::Owned(Value::text(&codepage::decode(page, bytes)))),
        Value::Multi(bytes) if ty == PropType::MULTI | PropType::STRING8 => match Value::multi_parts(bytes) {
            Some(parts) => {
                let texts: Vec<String> = parts.iter().map(|p| codepage::decode(page, p)).collect();
                (PropType::MULTI | PropType::STRING, Cow::Owned(Value::texts(&texts)))
            }
            None => (ty, Cow::Borrowed(&prop.value)),
        },
        value => (ty, Cow::Borrowed(value)),
    }
}

/// The subject without the mark of its prefix, and prefix and rest as properties of their own.
fn unmarked(props: &PropBag, page: u32) -> Cow<'_, PropBag> {
    let Some(subject) = subject::unmarked(props, page) else { return Cow::Borrowed(props) };
    let mut out = props.clone();
    let is_text = |p: &&mut Prop| p.tag.id() == tag::SUBJECT.id() && p.name.is_none() && p.value.to_text().is_some();
    if let Some(prop) = out.0.iter_mut().find(is_text) {
        (prop.tag, prop.value) = (tag::SUBJECT, subject.whole);
    }
    for (t, value) in [(tag::SUBJECT_PREFIX, subject.prefix), (tag::NORMALIZED_SUBJECT, subject.rest)] {
        out.remove(t.id());
        out.set(t, value);
    }
    Cow::Owned(out)
}
