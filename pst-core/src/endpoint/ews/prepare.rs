//! Items made ready for Exchange, on any thread.

use super::items::{KEY, Probe};
use crate::endpoint::push::Payload;
use crate::endpoint::text::message_of;
use crate::error::{Error, Kind, Result};
use crate::mapi::{Message, NamedProp, PropType, Value, fast_transfer, tag};
use crate::mime;
use crate::pipeline::{Folder, Item, Prepare, Prepared, dedupe};
use std::fmt::Write;
use std::sync::Arc;

/// Larger items are not taken by any Exchange ([MS-OXWSBTRF] names no limit; Microsoft 365 and its importers do).
const LARGEST: u64 = 150 << 20;

/// An item ready to be sent.
pub(in crate::endpoint) struct Ready {
    pub message: Box<Message>,
    pub associated: bool,
    /// Its length as Exchange takes it, before base64.
    pub length: u64,
    /// What it is looked for by.
    pub probe: String,
}

/// Makes items ready.
pub(in crate::endpoint) struct Writer {
    pub import: mime::ImportOptions,
}

impl Prepare for Writer {
    fn prepare(&self, _folder: &Folder, item: Item) -> Result<Prepared> {
        let mut warnings = item.warnings;
        let mut message = message_of(item.body, self.import, &mut warnings)?;
        let probe = probe(&mut message);
        let (length, lost) = fast_transfer::measure(&message, &fast_transfer::Options::default())?;
        warnings.extend(lost);
        if length > LARGEST {
            let text = format!("it has {length} bytes, and Exchange takes {LARGEST} at most");
            return Err(Error::new(Kind::Limit, text));
        }
        let ready = Ready { message, associated: item.associated, length, probe: probe.clone() };
        let payload = Payload { form: Box::new(ready), bytes: length, probe };
        let payload = Box::new(payload);
        Ok(Prepared { payload, bytes: length, id: item.id, warnings, content: None, origin: None })
    }
}

/// What an item is looked for by: its Message-ID, its search key, or else a property that it is given.
fn probe(message: &mut Message) -> String {
    let id = message.props.text(tag::INTERNET_MESSAGE_ID).filter(|id| !id.trim().is_empty());
    if let Some(id) = id {
        return of_message_id(&id);
    }
    if let Some(key) = message.props.bytes(tag::SEARCH_KEY).filter(|key| !key.is_empty()) {
        return of_search_key(&base64_simd::STANDARD.encode_to_string(key));
    }
    let key = dedupe::content(message).iter().fold(String::new(), |mut out, b| {
        let _ = write!(out, "{b:02x}");
        out
    });
    if let Some(name) = KEY.named().and_then(|(set, name)| Some(NamedProp::text(super::items::guid(set)?, name))) {
        message.props.set_named(Arc::new(name), PropType::STRING, Value::text(&key));
    }
    of_key(&key)
}

pub(in crate::endpoint) fn of_message_id(id: &str) -> String {
    format!("id {}", id.trim())
}

/// True if an item is looked for by its Message-ID.
pub(super) fn is_message_id(probe: &str) -> bool {
    probe.starts_with("id ")
}

fn of_search_key(key: &str) -> String {
    format!("search {key}")
}

fn of_key(key: &str) -> String {
    format!("key {key}")
}

/// What an item of the mailbox may be looked for by.
pub(in crate::endpoint) fn probes(of: &Probe) -> impl Iterator<Item = String> {
    let id = of.message_id.as_deref().filter(|id| !id.is_empty()).map(of_message_id);
    let search = of.search_key.as_deref().filter(|key| !key.is_empty()).map(of_search_key);
    // What was not uploaded may have been given what it is looked for by as a whole.
    let key = of.key.as_deref().map(|key| if key.contains(' ') { key.to_owned() } else { of_key(key) });
    [id, search, key].into_iter().flatten()
}
