//! V16: B-trees on heaps ([MS-PST] 2.3.2).

use super::file::Judge;
use super::heap::{Heap, long};

/// Levels of index records; three hold all property ids, four all rows that a folder can have.
const MAX_LEVELS: u8 = 8;

/// A judged BTH: its records by ascending key.
pub(super) struct Bth {
    pub key: usize,
    pub data: usize,
    records: Vec<u8>,
}

impl Bth {
    /// Key and data of each record, as numbers of up to eight bytes, and the data's bytes.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.records.chunks_exact(self.key + self.data).map(|r| r.split_at(self.key))
    }

    pub fn len(&self) -> usize {
        self.records.len() / (self.key + self.data)
    }
}

/// A little-endian number of up to eight bytes.
pub(super) fn number(bytes: &[u8]) -> u64 {
    bytes.iter().take(8).rev().fold(0, |n, b| n << 8 | u64::from(*b))
}

/// A key as keys are ordered: numbers by value, the sixteen bytes of the hierarchy map by its first bytes.
fn ordered(key: &[u8]) -> u128 {
    match key.len() {
        ..=8 => u128::from(number(key)),
        _ => key.iter().take(16).fold(0, |n, b| n << 8 | u128::from(*b)),
    }
}

impl Judge<'_> {
    /// Judges the BTH whose header is the allocation `hid`; `sizes` are the allowed bytes of key and data.
    pub fn bth(&mut self, heap: &Heap, hid: u32, sizes: &[(usize, usize)]) -> Option<Bth> {
        let (nid, at) = (heap.nid, heap.at);
        let header = self.alloc(heap, hid).unwrap_or_default();
        let (Some(root), [b_type, key, data, levels, ..]) = (long(&header, 4), header.as_slice()) else {
            self.found.add(16, at, format!("node {nid}: the BTH header 0x{hid:X} has {} bytes, not 8", header.len()));
            return None;
        };
        let (key, data) = (usize::from(*key), usize::from(*data));
        if *b_type != 0xB5 || *levels > MAX_LEVELS || !sizes.contains(&(key, data)) || header.len() != 8 {
            let text = format!(
                "node {nid}: a BTH header with bType 0x{b_type:02X}, cbKey {key}, cbEnt {data}, bIdxLevels {levels}"
            );
            self.found.add(16, at, text);
            return None;
        }
        let mut out = Bth { key, data, records: Vec::new() };
        if root == 0 {
            return Some(out);
        }
        // Each allocation with the key that the record above gives it.
        let mut level: Vec<(Option<u128>, u32)> = vec![(None, root)];
        for depth in (0..=*levels).rev() {
            let width = if depth == 0 { key + data } else { key + 4 };
            let mut next = Vec::new();
            let mut before = None;
            for (expected, hid) in level {
                let Some(bytes) = self.alloc(heap, hid) else {
                    self.found.add(16, at, format!("node {nid}: the BTH refers to 0x{hid:X}, which is no allocation"));
                    return None;
                };
                if !bytes.len().is_multiple_of(width) || bytes.is_empty() {
                    let text = format!("node {nid}: {} bytes at 0x{hid:X} are not BTH records of {width}", bytes.len());
                    self.found.add(16, at, text);
                    return None;
                }
                for (i, record) in bytes.chunks_exact(width).enumerate() {
                    let this = ordered(record.get(..key).unwrap_or_default());
                    if before.is_some_and(|b| b >= this) {
                        self.found.add(16, at, format!("node {nid}: BTH key 0x{this:X} does not ascend"));
                    }
                    if let Some(expected) = expected.filter(|e| i == 0 && *e != this) {
                        let text = format!(
                            "node {nid}: the BTH index names key 0x{expected:X}, but its records begin with 0x{this:X}"
                        );
                        self.found.add(16, at, text);
                    }
                    before = Some(this);
                    if depth > 0 {
                        next.push((Some(this), long(record, key).unwrap_or_default()));
                    }
                }
                if depth == 0 {
                    out.records.extend_from_slice(&bytes);
                }
                // Every record stands in the heap once.
                if out.records.len() as u64 > heap.bytes || next.len() as u64 * 4 > heap.bytes {
                    self.found.add(16, at, format!("node {nid}: the BTH has more records than its heap holds"));
                    return None;
                }
            }
            level = next;
        }
        Some(out)
    }
}
