//! Named properties of a .msg file ([MS-OXMSG] 2.2.3).

use super::file::File;
use super::property::{NAMES, stream_name};
use super::storage::join;
use crate::error::Result;
use crate::mapi::named::{PS_MAPI, PS_PUBLIC_STRINGS};
use crate::mapi::{Guid, Name, NamedProp, PropTag};
use crate::ndb::crc::crc;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use zerocopy::little_endian::{U16, U32};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// Streams of the map are not longer than this: 32,767 names of 256 characters.
const LONGEST: u64 = 32 << 20;
/// Streams that names are sorted into.
const BUCKETS: u32 = 0x1F;
/// Ids from 0x8000 to 0xFFFE.
const MOST: usize = 0x7FFF;
const GUIDS: PropTag = PropTag(0x0002_0102);
const ENTRIES: PropTag = PropTag(0x0003_0102);
const STRINGS: PropTag = PropTag(0x0004_0102);

/// An entry of the map ([MS-OXMSG] 2.2.3.1.2).
#[derive(FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct Entry {
    /// The number, or the offset of the string (its checksum in the streams that names are sorted into).
    id: U32,
    /// The index of the property set, and whether it is a string.
    kind: U16,
    /// The id, counted from 0x8000.
    index: U16,
}

const _: () = assert!(size_of::<Entry>() == 8);

/// Which name each property id from 0x8000 stands for.
pub(super) type Map = HashMap<u16, Arc<NamedProp>>;

/// Reads the map; entries that point nowhere are left out.
pub(super) fn read(file: &File) -> Result<Map> {
    let stream = |tag| -> Result<Vec<u8>> {
        Ok(file.stream(&join(&join("/", NAMES), &stream_name(tag)), LONGEST)?.unwrap_or_default())
    };
    let (guids, entries, strings) = (stream(GUIDS)?, stream(ENTRIES)?, stream(STRINGS)?);
    let mut out = Map::new();
    for entry in entries.chunks_exact(size_of::<Entry>()).filter_map(|e| Entry::read_from_bytes(e).ok()) {
        let (id, kind, index) = (entry.id.get(), entry.kind.get(), entry.index.get());
        let guid = match kind >> 1 {
            0 => Some(Guid::default()),
            1 => Some(PS_MAPI),
            2 => Some(PS_PUBLIC_STRINGS),
            k => {
                let at = usize::from(k - 3) * 16;
                guids.get(at..at + 16).and_then(|g| g.try_into().ok()).map(Guid)
            }
        };
        let name = if kind & 1 == 0 { Some(Name::Id(id)) } else { text(&strings, id as usize).map(Name::Text) };
        if let (Some(guid), Some(name), Some(id)) = (guid, name, 0x8000u16.checked_add(index)) {
            out.insert(id, Arc::new(NamedProp { guid, name }));
        }
    }
    Ok(out)
}

/// The string at an offset of the string stream: a length in bytes, then UTF-16.
fn text(strings: &[u8], at: usize) -> Option<Vec<u16>> {
    let len = u32::from_le_bytes(strings.get(at..at.checked_add(4)?)?.try_into().ok()?) as usize;
    let bytes = strings.get(at + 4..(at + 4).checked_add(len)?)?;
    Some(bytes.chunks_exact(2).filter_map(|c| c.try_into().ok().map(u16::from_le_bytes)).collect())
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
        if self.order.len() >= MOST {
            return None;
        }
        let id = 0x8000 + self.order.len() as u16;
        self.ids.insert(Arc::clone(name), id);
        self.order.push(Arc::clone(name));
        Some(id)
    }

    /// The streams of the map, by name.
    pub fn streams(&self) -> Vec<(String, Vec<u8>)> {
        let (mut known, mut guids) = (HashMap::<Guid, u16>::new(), Vec::new());
        let (mut entries, mut strings) = (Vec::new(), Vec::new());
        let mut buckets: BTreeMap<u32, Vec<u8>> = BTreeMap::new();
        for (index, prop) in self.order.iter().enumerate() {
            let guid = match prop.guid {
                g if g == Guid::default() => 0,
                PS_MAPI => 1,
                PS_PUBLIC_STRINGS => 2,
                g => {
                    let next = known.len() as u16 + 3;
                    *known.entry(g).or_insert_with(|| {
                        guids.extend_from_slice(&g.0);
                        next
                    })
                }
            };
            let (stored, hashed, is_text) = match &prop.name {
                Name::Id(id) => (*id, *id, 0),
                Name::Text(units) => {
                    let bytes: Vec<u8> = units.iter().flat_map(|u| u.to_le_bytes()).collect();
                    let at = strings.len() as u32;
                    strings.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
                    strings.extend_from_slice(&bytes);
                    strings.resize(strings.len().next_multiple_of(4), 0);
                    (at, crc(&bytes), 1)
                }
            };
            let kind = guid << 1 | is_text;
            let entry = |id| Entry { id: U32::new(id), kind: U16::new(kind), index: U16::new(index as u16) };
            entries.extend_from_slice(entry(stored).as_bytes());
            let bucket = buckets.entry((hashed ^ u32::from(kind)) % BUCKETS).or_default();
            bucket.extend_from_slice(entry(hashed).as_bytes());
        }
        let mut out =
            vec![(stream_name(GUIDS), guids), (stream_name(ENTRIES), entries), (stream_name(STRINGS), strings)];
        out.extend(buckets.into_iter().map(|(b, bytes)| (stream_name(PropTag((0x1000 + b) << 16 | 0x0102)), bytes)));
        out
    }
}
