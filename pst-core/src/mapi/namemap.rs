//! The streams of a name-to-id map, which PSTs and .msg files share ([MS-PST] 2.4.7, [MS-OXMSG] 2.2.3).

use super::named::{PS_MAPI, PS_PUBLIC_STRINGS};
use super::{Guid, Name, NamedProp};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Streams of a map are not longer than this: 32,767 names of 256 characters.
pub const LONGEST: u64 = 32 << 20;
/// Names of one map: ids from 0x8000 to 0xFFFE.
pub const MOST: usize = 0x7FFF;

/// Which name each property id from 0x8000 stands for.
pub type Map = HashMap<u16, Arc<NamedProp>>;

/// The map of a GUID, an entry and a string stream; entries that point nowhere are left out.
pub fn parse(guids: &[u8], entries: &[u8], strings: &[u8]) -> Map {
    let entry = |e: &[u8; 8]| {
        let whole = u64::from_le_bytes(*e);
        (whole as u32, (whole >> 32) as u16, (whole >> 48) as u16)
    };
    let mut out = Map::new();
    // Names stand in the stream once each; many entries of one long name would be more than was read.
    let mut room = 4 * strings.len();
    let mut spelt = |at: usize| {
        let text = text(strings, at)?;
        room = room.checked_sub(2 * text.len())?;
        Some(Name::Text(text))
    };
    for (id, kind, index) in entries.as_chunks::<8>().0.iter().map(entry) {
        let guid = match kind >> 1 {
            0 => Some(Guid::default()),
            1 => Some(PS_MAPI),
            2 => Some(PS_PUBLIC_STRINGS),
            k => {
                let at = usize::from(k - 3) * 16;
                guids.get(at..at + 16).and_then(|g| g.try_into().ok()).map(Guid)
            }
        };
        let name = if kind & 1 == 0 { Some(Name::Id(id)) } else { spelt(id as usize) };
        if let (Some(guid), Some(name), Some(id)) = (guid, name, 0x8000u16.checked_add(index)) {
            out.insert(id, Arc::new(NamedProp { guid, name }));
        }
    }
    out
}

/// The string at an offset of the string stream: a length in bytes, then UTF-16.
fn text(strings: &[u8], at: usize) -> Option<Vec<u16>> {
    let len = u32::from_le_bytes(strings.get(at..at.checked_add(4)?)?.try_into().ok()?) as usize;
    let bytes = strings.get(at + 4..(at + 4).checked_add(len)?)?;
    Some(bytes.as_chunks::<2>().0.iter().map(|c| u16::from_le_bytes(*c)).collect())
}

/// A map as it is stored.
#[derive(Debug, Clone, Default)]
pub struct Streams {
    /// Property sets that have no number of their own.
    pub guids: Vec<u8>,
    /// One entry for each name, in the order of their ids.
    pub entries: Vec<u8>,
    /// The names that are strings.
    pub strings: Vec<u8>,
    /// The entries by the remainder of their hash.
    pub buckets: BTreeMap<u16, Vec<u8>>,
}

/// The streams of names that are numbered from 0x8000 on; `buckets` is how many buckets there are, and `hash` hashes
/// the UTF-16 of a string.
pub fn streams<'n>(names: impl Iterator<Item = &'n NamedProp>, buckets: u32, hash: impl Fn(&[u8]) -> u32) -> Streams {
    let mut out = Streams::default();
    out.extend(0, names, buckets, hash);
    out
}

impl Streams {
    /// Adds names that are numbered from 0x8000 + `first` on, as [`streams`] does; what is there stays as it is.
    pub fn extend<'n>(
        &mut self,
        first: usize,
        names: impl Iterator<Item = &'n NamedProp>,
        buckets: u32,
        hash: impl Fn(&[u8]) -> u32,
    ) {
        let mut known = HashMap::<Guid, u16>::new();
        for (index, guid) in (3..).zip(self.guids.as_chunks::<16>().0) {
            known.entry(Guid(*guid)).or_insert(index);
        }
        for (index, prop) in (first..).zip(names) {
            let guid = match prop.guid {
                g if g == Guid::default() => 0,
                PS_MAPI => 1,
                PS_PUBLIC_STRINGS => 2,
                g => {
                    let next = (self.guids.len() / 16) as u16 + 3;
                    *known.entry(g).or_insert_with(|| {
                        self.guids.extend_from_slice(&g.0);
                        next
                    })
                }
            };
            let (stored, hashed, text) = match &prop.name {
                Name::Id(id) => (*id, *id, 0),
                Name::Text(units) => {
                    let bytes: Vec<u8> = units.iter().flat_map(|u| u.to_le_bytes()).collect();
                    self.strings.resize(self.strings.len().next_multiple_of(4), 0);
                    let at = self.strings.len() as u32;
                    self.strings.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
                    self.strings.extend_from_slice(&bytes);
                    self.strings.resize(self.strings.len().next_multiple_of(4), 0);
                    (at, hash(&bytes), 1)
                }
            };
            let kind = guid << 1 | text;
            let tail = [kind.to_le_bytes(), (index as u16).to_le_bytes()].concat();
            self.entries.extend_from_slice(&stored.to_le_bytes());
            self.entries.extend_from_slice(&tail);
            let bucket = self.buckets.entry(((hashed ^ u32::from(kind)) % buckets) as u16).or_default();
            bucket.extend_from_slice(&hashed.to_le_bytes());
            bucket.extend_from_slice(&tail);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapi::named::PSETID_COMMON;

    #[test]
    fn what_is_stored_is_read_again() {
        let names = [
            NamedProp::id(PSETID_COMMON, 0x8501),
            NamedProp::text(PS_PUBLIC_STRINGS, "Keywords"),
            NamedProp::id(PSETID_COMMON, 0x8502),
            NamedProp::text(PSETID_COMMON, "odd"),
        ];
        let stored = streams(names.iter(), 251, |b| b.len() as u32);
        assert_eq!((stored.guids.len(), stored.entries.len()), (16, 32));
        let map = parse(&stored.guids, &stored.entries, &stored.strings);
        for (id, name) in (0x8000..).zip(&names) {
            assert_eq!(map.get(&id).map(|n| &**n), Some(name));
        }
        let mut two = streams(names[..2].iter(), 251, |b| b.len() as u32);
        two.extend(2, names[2..].iter(), 251, |b| b.len() as u32);
        assert_eq!(format!("{two:?}"), format!("{stored:?}"), "in one go or in two");
        assert_eq!(parse(&[], &stored.entries, &stored.strings).len(), 1, "entries that point nowhere");
        assert!(parse(&[], &[7; 15], &[]).is_empty());
    }

    #[test]
    fn one_long_name_is_not_read_for_each_entry() {
        let units = vec![b'a'; 100_000];
        let strings = [&(units.len() as u32).to_le_bytes()[..], &units].concat();
        let entries: Vec<u8> =
            (0..30_000u16).flat_map(|i| [&[0, 0, 0, 0, 5, 0], &i.to_le_bytes()[..]].concat()).collect();
        let bytes: usize = parse(&[], &entries, &strings).len() * units.len();
        assert!((1..=4 * strings.len()).contains(&bytes), "{bytes}");
    }
}
