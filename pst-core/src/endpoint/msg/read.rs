//! A .msg file to a message ([MS-OXMSG] 2).

use super::file::{Child, File, MOST_ENTRIES};
use super::names;
use super::property::{
    ATTACHMENT, PROPERTIES, Place, RECIPIENT, STORE_SUPPORT_MASK, UNICODE, entries, stream_name, tag_of,
};
use super::storage::join;
use crate::error::Result;
use crate::io::Input;
use crate::mapi::message::attach_method;
use crate::mapi::{
    Attachment, Blob, Code, MAX_DEPTH, Message, Prop, PropBag, PropTag, PropType, Value, Warning, codepage, namemap,
    subject, tag,
};
use cfb::{CompoundFile, Version};
use std::collections::{HashMap, HashSet};
use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;

/// Values up to this many bytes are held; larger ones stay in the file.
const HELD: u64 = 1 << 20;
const LONGEST: u64 = 1 << 30;
/// A property stream lists 65,536 ids at most, in 16 bytes each.
const LONGEST_LIST: u64 = 4 << 20;
/// Objects up to this many bytes are read.
const LARGEST_OBJECT: u64 = 512 << 20;
/// PidTagRowid: what a .msg file says of itself, not of the message.
const ROW_ID: u16 = 0x3000;

/// Reads a .msg file; what could not be read, or was not as it should be, is told in the second half.
///
/// # Errors
/// When the file cannot be read, is no compound file, or holds no message.
pub fn read(path: &Path) -> Result<(Message, Vec<Warning>)> {
    read_input(Input::open(path)?)
}

/// As [`read`], for a file that is in memory.
///
/// # Errors
/// As [`read`].
pub fn read_bytes(bytes: Vec<u8>, name: &str) -> Result<(Message, Vec<Warning>)> {
    read_input(Input::from_bytes(bytes, name))
}

fn read_input(input: Input) -> Result<(Message, Vec<Warning>)> {
    let file = File::open(input)?;
    let names = names::read(&file)?;
    let mut reader = Reader { file, names, warnings: Vec::new() };
    if !reader.file.children("/")?.iter().any(|c| c.name == PROPERTIES) {
        return Err(reader.file.missing(PROPERTIES));
    }
    let message = reader.message("/", Place::Top, 0)?;
    Ok((message, reader.warnings))
}

struct Reader {
    file: Arc<File>,
    names: namemap::Map,
    warnings: Vec<Warning>,
}

impl Reader {
    fn message(&mut self, storage: &str, place: Place, depth: usize) -> Result<Message> {
        let children = self.file.children(storage)?;
        let mut message = Message { props: self.bag(storage, &children, place)?, ..Message::default() };
        if message.props.i32(STORE_SUPPORT_MASK) == Some(UNICODE) {
            message.props.remove(STORE_SUPPORT_MASK.id());
        }
        subject::mark(&mut message.props);
        name_page(&mut message.props);
        for child in children.iter().filter(|c| !c.is_stream) {
            let path = join(storage, &child.name);
            if child.name.starts_with(RECIPIENT) {
                let mut bag = self.children_bag(&path)?;
                bag.remove(ROW_ID);
                message.recipients.push(bag);
            } else if child.name.starts_with(ATTACHMENT) {
                message.attachments.push(self.attachment(&path, depth)?);
            }
        }
        Ok(message)
    }

    fn children_bag(&mut self, storage: &str) -> Result<PropBag> {
        let children = self.file.children(storage)?;
        self.bag(storage, &children, Place::Part)
    }

    fn attachment(&mut self, storage: &str, depth: usize) -> Result<Attachment> {
        let mut out = Attachment { props: self.children_bag(storage)?, embedded: None };
        out.props.remove(tag::ATTACH_NUMBER.id());
        let object = join(storage, &stream_name(tag::ATTACH_DATA_OBJECT));
        let Ok(inside) = self.file.children(&object) else { return Ok(out) };
        if inside.iter().any(|c| c.name == PROPERTIES) && out.props.i32(tag::ATTACH_METHOD) != Some(attach_method::OLE)
        {
            if depth < MAX_DEPTH {
                out.embedded = Some(Box::new(self.message(&object, Place::Embedded, depth + 1)?));
                return Ok(out);
            }
            self.warnings.push(
                Code::Depth.with(format!("messages nested more than {MAX_DEPTH} deep are kept as objects, unread")),
            );
        }
        match self.object(&object) {
            Ok(bytes) => out.props.set(tag::ATTACH_DATA_OBJECT, Value::Object(Blob::Bytes(bytes))),
            Err(e) => self.warnings.push(Code::Damaged.with(format!("an object could not be read: {e}"))),
        }
        Ok(out)
    }

    /// A storage as a compound file of its own.
    fn object(&self, storage: &str) -> Result<Vec<u8>> {
        let failed = |e| crate::Error::io("cannot copy an object", storage, e);
        let mut copy = CompoundFile::create_with_version(Version::V3, Cursor::new(Vec::new())).map_err(failed)?;
        self.file.copy_storage(storage, &mut copy, LARGEST_OBJECT)?;
        copy.flush().map_err(failed)?;
        Ok(copy.into_inner().into_inner())
    }

    /// The properties of an object: those that its property stream lists, and any whose stream is there all the same.
    fn bag(&mut self, storage: &str, children: &[Child], place: Place) -> Result<PropBag> {
        let stream = self.file.stream(&join(storage, PROPERTIES), LONGEST_LIST)?.unwrap_or_else(|| {
            self.warnings.push(Code::Property.with(format!("{storage} has no property stream")));
            Vec::new()
        });
        let by_name: HashMap<String, &Child> = children.iter().map(|c| (c.name.to_ascii_uppercase(), c)).collect();
        let find = |tag: PropTag| by_name.get(&stream_name(tag).to_ascii_uppercase()).copied();
        let mut bag = PropBag::default();
        let mut seen = HashSet::new();
        for entry in entries(&stream, place) {
            let tag = entry.tag();
            if !seen.insert(tag) {
                continue;
            }
            let value = match (entry.inline(), find(tag)) {
                (Some(value), _) => value,
                (None, Some(child)) if child.is_stream => self.value(storage, child, tag)?,
                (None, Some(_)) => continue,
                (None, None) => {
                    self.warnings.push(
                        Code::Property.with(format!("property {tag} of {storage} has no stream and is left out")),
                    );
                    continue;
                }
            };
            self.push(&mut bag, tag, value);
        }
        for child in children.iter().filter(|c| c.is_stream) {
            let Some(tag) = tag_of(&child.name).filter(|t| seen.insert(*t)) else { continue };
            self.warnings.push(
                Code::Property.with(format!("property {tag} of {storage} is not listed, but its value is there")),
            );
            let value = self.value(storage, child, tag)?;
            self.push(&mut bag, tag, value);
        }
        Ok(bag)
    }

    fn push(&self, bag: &mut PropBag, tag: PropTag, value: Value) {
        let name = self.names.get(&tag.id()).filter(|_| tag.is_named()).cloned();
        bag.0.push(Prop { tag, name, value });
    }

    fn value(&mut self, storage: &str, child: &Child, tag: PropTag) -> Result<Value> {
        let path = join(storage, &child.name);
        let ty = tag.ty();
        if matches!(ty, PropType::BINARY | PropType::OBJECT) && child.len > HELD {
            let blob = Blob::Stream(Arc::new(self.file.lazy(&path, child.len)));
            return Ok(if ty == PropType::BINARY { Value::Binary(blob) } else { Value::Object(blob) });
        }
        let mut bytes = self.file.stream(&path, LONGEST)?.unwrap_or_default();
        Ok(match ty {
            PropType::STRING => {
                // A NUL should not be in the stream, but some programs write it.
                if bytes.ends_with(&[0, 0]) && bytes.len() % 2 == 0 {
                    bytes.truncate(bytes.len() - 2);
                }
                Value::Unicode(bytes)
            }
            PropType::STRING8 => {
                if bytes.ends_with(&[0]) {
                    bytes.pop();
                }
                Value::String8(bytes)
            }
            PropType::BINARY => Value::binary(bytes),
            PropType::OBJECT => Value::Object(Blob::Bytes(bytes)),
            PropType::GUID => match bytes.as_slice().try_into() {
                Ok(guid) => Value::Guid(guid),
                Err(_) => Value::Other(bytes),
            },
            ty if PropType(ty).is_multi() && PropType(ty).fixed_size().is_none() => self.multi(&path, ty, &bytes)?,
            ty if PropType(ty).is_multi() => Value::Multi(bytes),
            _ => Value::Other(bytes),
        })
    }

    /// The elements of a multi-valued property, joined as [MS-PST] 2.3.3.4.2 has them.
    fn multi(&mut self, path: &str, ty: u16, lengths: &[u8]) -> Result<Value> {
        let (step, nul): (usize, &[u8]) = match ty & !PropType::MULTI {
            PropType::STRING => (4, &[0, 0]),
            PropType::STRING8 => (4, &[0]),
            _ => (8, &[]),
        };
        let mut elements = Vec::new();
        let mut missing = 0;
        for i in 0..(lengths.len() / step).min(MOST_ENTRIES) {
            let element = self.file.stream(&format!("{path}-{i:08X}"), LONGEST)?;
            missing += usize::from(element.is_none());
            let mut bytes = element.unwrap_or_default();
            if !nul.is_empty() && bytes.ends_with(nul) && bytes.len() % nul.len() == 0 {
                bytes.truncate(bytes.len() - nul.len());
            }
            elements.push(bytes);
        }
        if missing > 0 {
            self.warnings.push(
                Code::Property.with(format!("{missing} elements of {path} are not there and are taken as empty")),
            );
        }
        Ok(Value::binaries(&elements))
    }
}

/// Names the code page of 8-bit strings by the message's language, where nothing else tells it.
fn name_page(props: &mut PropBag) {
    let eight_bit = props.0.iter().any(|p| matches!(p.value, Value::String8(_)));
    if eight_bit
        && props.i32(tag::MESSAGE_CODEPAGE).is_none()
        && let Some(locale) = props.i32(tag::MESSAGE_LOCALE_ID)
    {
        props.set(tag::MESSAGE_CODEPAGE, Value::I32(codepage::of_locale(locale as u32) as i32));
    }
}
