//! V29: the name-to-id map ([MS-PST] 2.4.7).

use super::bth::number;
use super::file::{File, Judge};
use super::report::{At, Findings};
use crate::ndb::Nid;
use crate::ndb::crc::crc;
use std::collections::{BTreeMap, HashMap, HashSet};

/// Streams of the map are not longer: 32,767 names of 256 characters.
const STREAM: u64 = 32 << 20;
/// The property id of bucket 0.
const BUCKETS: u16 = 0x1000;

pub(super) fn judge(file: &File, found: &mut Findings) {
    let mut judge = Judge::new(file, found);
    let names = judge.names();
    found.merge(judge.found);
    let Some(names) = names else { return };
    for id in file.names_used().filter(|id| usize::from(id - 0x8000) >= names) {
        let text = format!("property 0x{id:04X} is used, but the name-to-id map ends at 0x{:04X}", 0x8000 + names);
        found.lenient(29, At::id(u64::from(id)), text);
    }
}

impl Judge<'_> {
    /// Judges the map; returns the number of names.
    fn names(&mut self) -> Option<usize> {
        let node = self.file.node(Nid::NAME_TO_ID_MAP)?;
        let pc = self.pc(node.nid, node.data, node.sub)?;
        let at = pc.heap.at;
        let stream = |judge: &mut Self, id: u16| judge.prop(&pc, id, STREAM).map(|(_, b)| b).unwrap_or_default();
        let (guids, entries, strings) = (stream(self, 2), stream(self, 3), stream(self, 4));
        let count = pc.record(1).map_or(0, |(_, raw)| raw);
        if count == 0 {
            self.found.add(29, at, "the name-to-id map has no number of buckets (0x0001)");
            return None;
        }
        if !guids.len().is_multiple_of(16) || !entries.len().is_multiple_of(8) {
            let text = format!("streams of {} and {} bytes hold no GUIDs and entries", guids.len(), entries.len());
            self.found.add(29, at, text);
        }
        let buckets: HashMap<u16, Vec<u8>> = pc
            .records
            .iter()
            .map(|(tag, _)| tag.id())
            .filter(|id| (BUCKETS..0x8000).contains(id))
            .map(|id| (id, stream(self, id)))
            .collect();
        let mut right: BTreeMap<u16, Vec<[u8; 8]>> = BTreeMap::new();
        for (i, entry) in entries.chunks_exact(8).enumerate() {
            let Ok(entry) = <[u8; 8]>::try_from(entry) else { continue };
            let [a, b, c, d, k0, k1, i0, i1] = entry;
            let (id, kind, index) =
                (u32::from_le_bytes([a, b, c, d]), u16::from_le_bytes([k0, k1]), u16::from_le_bytes([i0, i1]));
            let mut wrong = |text: String| self.found.add(29, at, format!("name {i} (0x{:04X}) {text}", 0x8000 + i));
            if usize::from(index) != i {
                wrong(format!("has wPropIdx {index}"));
            }
            let guid = usize::from(kind >> 1);
            if guid >= 3 && (guid - 2) * 16 > guids.len() {
                wrong(format!("has wGuid {guid}, but the GUID stream has {} GUIDs", guids.len() / 16));
            }
            let hashed = if kind & 1 == 0 { Some(id) } else { text(&strings, id as usize).map(crc) };
            match hashed {
                Some(hashed) => {
                    let bucket = BUCKETS.wrapping_add(((hashed ^ u32::from(kind)) % count) as u16);
                    let [h0, h1, h2, h3] = hashed.to_le_bytes();
                    right.entry(bucket).or_default().push([h0, h1, h2, h3, k0, k1, i0, i1]);
                }
                None => wrong(format!("has its text at {id} of a stream of {} bytes", strings.len())),
            }
        }
        for (bucket, records) in &right {
            let have: HashSet<&[u8]> = buckets.get(bucket).into_iter().flat_map(|b| b.chunks_exact(8)).collect();
            let missing = records.iter().filter(|r| !have.contains(r.as_slice())).count();
            if missing > 0 {
                let text =
                    format!("bucket {} lacks {missing} of its {} names", bucket.wrapping_sub(BUCKETS), records.len());
                self.found.add(29, at, text);
            }
        }
        let total: usize = buckets.values().map(|b| b.len() / 8).sum();
        let all = entries.len() / 8;
        if total != all || buckets.values().any(|b| !b.len().is_multiple_of(8)) {
            self.found.add(29, at, format!("the buckets have {total} names, but there are {all}"));
        }
        Some(all)
    }
}

/// The bytes of the text at an offset of the string stream.
fn text(strings: &[u8], at: usize) -> Option<&[u8]> {
    let len = number(strings.get(at..at.checked_add(4)?)?) as usize;
    strings.get(at + 4..(at + 4).checked_add(len)?)
}
