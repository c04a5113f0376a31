//! Recognises an item that was copied before: Message-ID and a hash of header and content.

use super::item::{Body, Item};
use crate::mapi::{Message, Prop, Value, tag};
use sha2::{Digest, Sha256};
use std::collections::HashSet;

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

/// The key of an item.
pub fn key(item: &Item) -> Key {
    let mut hash = Sha256::new();
    match &item.body {
        Body::Mime(m) => {
            // Line ends differ between mbox, Maildir and eml copies of one message.
            for line in m.bytes.split(|b| *b == b'\n') {
                hash.update(line.strip_suffix(b"\r").unwrap_or(line));
                hash.update(b"\n");
            }
            for part in &m.large {
                hash.update(part.raw.len().to_le_bytes());
            }
        }
        Body::Mapi(m) => message(&mut hash, m, 0),
    }
    let mut key = Key::default();
    key.iter_mut().zip(hash.finalize()).for_each(|(to, from)| *to = from);
    key
}

/// What a copy of a message keeps: ids, times, names, bodies, attachments; not what a store adds.
fn message(hash: &mut Sha256, m: &Message, depth: usize) {
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
fn fields(hash: &mut Sha256, m: &Message) {
    let said = |id: u16| matches!(id, 0x0060 | 0x0061 | 0x3001) || (0x3A00..0x3B00).contains(&id);
    let mut all: Vec<&Prop> = m.props.0.iter().filter(|p| p.name.is_some() || said(p.tag.id())).collect();
    let key = |p: &Prop| (p.name.clone(), if p.name.is_some() { 0 } else { p.tag.id() });
    all.sort_by_cached_key(|p| key(p));
    for prop in all {
        match &prop.name {
            Some(name) => hash.update(name.to_string()),
            None => hash.update(prop.tag.id().to_le_bytes()),
        }
        value(hash, Some(&prop.value));
    }
}

fn value(hash: &mut Sha256, value: Option<&Value>) {
    match value {
        None => hash.update([0]),
        Some(v) => {
            hash.update([1]);
            hash.update(v.size().to_le_bytes());
            match v {
                Value::Time(t) => hash.update(t.to_le_bytes()),
                Value::Bool(b) => hash.update([u8::from(*b)]),
                Value::I16(n) => hash.update(n.to_le_bytes()),
                Value::I32(n) => hash.update(n.to_le_bytes()),
                Value::I64(n) => hash.update(n.to_le_bytes()),
                Value::F64(n) | Value::FloatingTime(n) => hash.update(n.to_le_bytes()),
                Value::Unicode(b) | Value::String8(b) | Value::Multi(b) => hash.update(b),
                v => hash.update(v.as_bytes().unwrap_or_default()),
            }
        }
    }
}
