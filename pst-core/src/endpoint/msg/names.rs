//! Named properties of a .msg file ([MS-OXMSG] 2.2.3).

use super::file::File;
use super::property::{NAMES, stream_name};
use super::storage::join;
use crate::error::Result;
use crate::mapi::namemap::{self, Map};
use crate::mapi::{NamedProp, PropTag, PropType};
use crate::ndb::crc::crc;
use std::collections::HashMap;
use std::sync::Arc;

/// Streams that names are sorted into.
const BUCKETS: u32 = 0x1F;
const GUIDS: PropTag = PropTag(0x0002_0102);
const ENTRIES: PropTag = PropTag(0x0003_0102);
const STRINGS: PropTag = PropTag(0x0004_0102);

/// Reads the map; entries that point nowhere are left out.
pub(super) fn read(file: &File) -> Result<Map> {
    let stream = |tag| -> Result<Vec<u8>> {
        Ok(file.stream(&join(&join("/", NAMES), &stream_name(tag)), namemap::LONGEST)?.unwrap_or_default())
    };
    let (guids, entries, strings) = (stream(GUIDS)?, stream(ENTRIES)?, stream(STRINGS)?);
    Ok(namemap::parse(&guids, &entries, &strings))
}

/// The names that a file uses, numbered in the order of their first use.
#[derive(Default)]
pub(super) struct Numbers {
    ids: HashMap<Arc<NamedProp>, u16>,
    order: Vec<Arc<NamedProp>>,
}

impl Numbers {
    /// The id of a name; `None` when all are taken.
    pub fn id(&mut self, name: &Arc<NamedProp>) -> Option<u16> {
        if let Some(id) = self.ids.get(name) {
            return Some(*id);
        }
        if self.order.len() >= namemap::MOST {
            return None;
        }
        let id = 0x8000 + self.order.len() as u16;
        self.ids.insert(Arc::clone(name), id);
        self.order.push(Arc::clone(name));
        Some(id)
    }

    /// The streams of the map, by name.
    pub fn streams(&self) -> Vec<(String, Vec<u8>)> {
        let map = namemap::streams(self.order.iter().map(|n| &**n), BUCKETS, crc);
        let mut out = vec![
            (stream_name(GUIDS), map.guids),
            (stream_name(ENTRIES), map.entries),
            (stream_name(STRINGS), map.strings),
        ];
        let bucket = |b: u16| stream_name(PropTag::new(0x1000 + b, PropType::BINARY));
        out.extend(map.buckets.into_iter().map(|(b, bytes)| (bucket(b), bytes)));
        out
    }
}
