//! Recognises an item that was copied before: Message-ID and a hash of header and content.

use super::item::{Body, Item};
use crate::error::{Error, Kind};
use crate::mapi::{Blob, Message, Prop, Value, tag};
use sha2::{Digest, Sha256};
use std::collections::HashSet;
use std::io::{ErrorKind, Read};

/// Sixteen bytes that stand for an item's content.
pub type Key = [u8; 16];

/// The items of a run so far, 16 bytes each.
#[derive(Default)]
pub struct Seen(HashSet<Key>);

impl Seen {
    /// True if the key is new.
    pub fn insert(&mut self, key: Key) -> bool {
        self.0.insert(key)
    }
}

/// The key of an item. One that cannot be read to its end has a key of its own.
pub fn key(item: &Item) -> Key {
    let mut hash = Hash { sha: Sha256::new(), broken: false };
    match &item.body {
        Body::Mime(m) => {
            // Line ends differ between mbox, Maildir and eml copies of one message.
            for line in m.bytes.split(|b| *b == b'\n') {
                hash.sha.update(line.strip_suffix(b"\r").unwrap_or(line));
                hash.sha.update(b"\n");
            }
            for part in &m.large {
                hash.blob(&part.data);
            }
        }
        Body::Mapi(m) => message(&mut hash, m, 0),
    }
    if hash.broken {
        hash.sha.update(&item.id);
    }
    key_of(hash.sha)
}

/// Stands for the content of a message, whether it is on its way into a store or was read from one: ids, header, times,
/// and size and CRC-32 of bodies and attachments. Its state (read, flagged, categories) does not count.
pub fn content(message: &Message) -> Key {
    let mut sha = Sha256::new();
    content_of(&mut sha, message, 0);
    key_of(sha)
}

fn key_of(sha: Sha256) -> Key {
    let mut key = Key::default();
    key.iter_mut().zip(sha.finalize()).for_each(|(to, from)| *to = from);
    key
}

fn content_of(sha: &mut Sha256, m: &Message, depth: usize) {
    for t in [tag::INTERNET_MESSAGE_ID, tag::TRANSPORT_MESSAGE_HEADERS, tag::MESSAGE_CLASS] {
        let text = m.props.text(t).unwrap_or_default();
        sha.update((text.len() as u64).to_le_bytes());
        sha.update(text);
    }
    for t in [tag::MESSAGE_DELIVERY_TIME, tag::CLIENT_SUBMIT_TIME] {
        sha.update(m.props.time(t).unwrap_or_default().to_le_bytes());
    }
    for t in [tag::BODY, tag::HTML, tag::RTF_COMPRESSED] {
        sum(sha, m.props.any(t.id()));
    }
    sha.update((m.attachments.len() as u64).to_le_bytes());
    for a in &m.attachments {
        sha.update(a.props.text(tag::ATTACH_LONG_FILENAME).unwrap_or_default());
        match a.embedded.as_ref().filter(|_| depth < 100) {
            Some(inner) => content_of(sha, inner, depth + 1),
            None => sum(sha, a.props.any(tag::ATTACH_DATA_BINARY.id())),
        }
    }
}

/// Size and CRC-32 of a value.
fn sum(sha: &mut Sha256, value: Option<&Value>) {
    let bytes = match value {
        None => return sha.update([0]),
        Some(Value::Binary(Blob::Bytes(b)) | Value::Object(Blob::Bytes(b)) | Value::Unicode(b) | Value::String8(b)) => {
            b
        }
        Some(Value::Binary(stream) | Value::Object(stream)) => {
            let mut crc = crc32fast::Hasher::new();
            let read = pieces(stream, |piece| crc.update(piece));
            sha.update(stream.len().to_le_bytes());
            // One that cannot be read is like no other.
            return match read {
                Ok(()) => sha.update(crc.finalize().to_le_bytes()),
                Err(_) => sha.update([1]),
            };
        }
        Some(v) => return sha.update(v.size().to_le_bytes()),
    };
    sha.update((bytes.len() as u64).to_le_bytes());
    sha.update(crc32fast::hash(bytes).to_le_bytes());
}

/// Reads a stream to its end.
fn pieces(blob: &Blob, mut take: impl FnMut(&[u8])) -> crate::Result<()> {
    let mut buffer = vec![0; 1 << 16];
    let mut reader = blob.open()?;
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(n) => take(buffer.get(..n).unwrap_or_default()),
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) => return Err(Error::new(Kind::Io, e.to_string())),
        }
    }
}

struct Hash {
    sha: Sha256,
    /// Something could not be read.
    broken: bool,
}

impl Hash {
    fn blob(&mut self, blob: &Blob) {
        self.sha.update(blob.len().to_le_bytes());
        if let Blob::Bytes(bytes) = blob {
            self.sha.update(bytes);
            return;
        }
        let read = pieces(blob, |piece| self.sha.update(piece));
        self.broken |= read.is_err();
    }
}

/// What a copy of a message keeps: ids, times, names, bodies, attachments; not what a store adds.
fn message(hash: &mut Hash, m: &Message, depth: usize) {
    let tags = [
        tag::INTERNET_MESSAGE_ID,
        tag::SUBJECT,
        tag::MESSAGE_CLASS,
        tag::CLIENT_SUBMIT_TIME,
        tag::MESSAGE_DELIVERY_TIME,
        tag::SENDER_EMAIL_ADDRESS,
        tag::TRANSPORT_MESSAGE_HEADERS,
        tag::DISPLAY_TO,
        tag::BODY,
        tag::HTML,
        tag::RTF_COMPRESSED,
    ];
    for t in tags {
        value(hash, m.props.any(t.id()));
    }
    if !is_mail(m) {
        fields(hash, m);
    }
    for row in &m.recipients {
        for t in [tag::RECIPIENT_TYPE, tag::DISPLAY_NAME, tag::EMAIL_ADDRESS] {
            value(hash, row.any(t.id()));
        }
    }
    for a in &m.attachments {
        value(hash, a.props.any(tag::ATTACH_LONG_FILENAME.id()));
        value(hash, a.props.any(tag::ATTACH_DATA_BINARY.id()));
        if let Some(inner) = a.embedded.as_ref().filter(|_| depth < 100) {
            message(hash, inner, depth + 1);
        }
    }
}

fn is_mail(m: &Message) -> bool {
    let class = m.props.text(tag::MESSAGE_CLASS).unwrap_or_default().to_ascii_uppercase();
    class.is_empty() || class == "IPM.NOTE" || class.starts_with("IPM.NOTE.") || class.starts_with("REPORT.")
}

/// What an item that is no mail says: appointments of one name differ in their times alone, contacts in their numbers.
fn fields(hash: &mut Hash, m: &Message) {
    let said = |id: u16| matches!(id, 0x0060 | 0x0061 | 0x3001) || (0x3A00..0x3B00).contains(&id);
    let mut all: Vec<&Prop> = m.props.0.iter().filter(|p| p.name.is_some() || said(p.tag.id())).collect();
    let key = |p: &Prop| (p.name.clone(), if p.name.is_some() { 0 } else { p.tag.id() });
    all.sort_by_cached_key(|p| key(p));
    for prop in all {
        match &prop.name {
            Some(name) => hash.sha.update(name.to_string()),
            None => hash.sha.update(prop.tag.id().to_le_bytes()),
        }
        value(hash, Some(&prop.value));
    }
}

fn value(hash: &mut Hash, value: Option<&Value>) {
    match value {
        None => hash.sha.update([0]),
        Some(v) => {
            hash.sha.update([1]);
            hash.sha.update(v.size().to_le_bytes());
            match v {
                Value::Time(t) => hash.sha.update(t.to_le_bytes()),
                Value::Bool(b) => hash.sha.update([u8::from(*b)]),
                Value::I16(n) => hash.sha.update(n.to_le_bytes()),
                Value::I32(n) => hash.sha.update(n.to_le_bytes()),
                Value::I64(n) => hash.sha.update(n.to_le_bytes()),
                Value::F64(n) | Value::FloatingTime(n) => hash.sha.update(n.to_le_bytes()),
                Value::Unicode(b) | Value::String8(b) | Value::Multi(b) => hash.sha.update(b),
                Value::Binary(blob) | Value::Object(blob) => hash.blob(blob),
                v => hash.sha.update(v.as_bytes().unwrap_or_default()),
            }
        }
    }
}
