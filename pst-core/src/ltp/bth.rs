//! BTree-on-Heap ([MS-PST] 2.3.2).

use super::heap::Heap;
use crate::error::{Error, Kind, Result};

/// Deeper trees than this are refused; three levels hold all 65,536 property ids and hundreds of millions of rows.
const MAX_LEVELS: u8 = 8;

/// The sorted records of a BTH, read at once: keys and data side by side.
pub struct Bth {
    /// Bytes of a key.
    pub key: usize,
    /// Bytes of data behind each key.
    pub data: usize,
    records: Vec<u8>,
}

impl Bth {
    /// Reads the tree whose header is the allocation `hid`.
    ///
    /// # Errors
    /// When a level cannot be read or contradicts itself.
    pub fn read(heap: &Heap<'_>, hid: u32) -> Result<Self> {
        let head = heap.get(hid)?;
        let bad = |text: String| Error::new(Kind::Damaged, text).within("BTH");
        let [b_type, key, data, levels, r0, r1, r2, r3, ..] = *head else {
            return Err(bad(format!("a header of {} bytes", head.len())));
        };
        let root = u32::from_le_bytes([r0, r1, r2, r3]);
        if b_type != 0xB5 || !matches!(key, 2 | 4 | 8 | 16) || data == 0 || data > 32 || levels > MAX_LEVELS {
            return Err(bad(format!("type 0x{b_type:02X}, key {key}, data {data}, levels {levels} make no BTH")));
        }
        let (key, data) = (usize::from(key), usize::from(data));
        let mut out = Self { key, data, records: Vec::new() };
        if root == 0 {
            return Ok(out);
        }
        // Records have their place in the heap: more of them than its bytes come of leaves that are named again and again.
        let room = usize::try_from(heap.len()).unwrap_or(usize::MAX);
        let mut level = vec![root];
        for _ in 0..levels {
            let mut next = Vec::new();
            for hid in &level {
                for record in heap.get(*hid)?.chunks_exact(key + 4) {
                    if let Some(Ok(child)) = record.get(key..).map(TryInto::try_into) {
                        next.push(u32::from_le_bytes(child));
                    }
                }
                if next.len() > room / (key + 4) {
                    return Err(bad("more index records than the heap has room for".to_owned()));
                }
            }
            level = next;
        }
        for hid in &level {
            let leaf = heap.get(*hid)?;
            if leaf.len() % (key + data) != 0 {
                return Err(bad(format!(
                    "a leaf of {} bytes does not hold whole records of {}",
                    leaf.len(),
                    key + data
                )));
            }
            out.records.extend_from_slice(&leaf);
            if out.records.len() > room {
                return Err(bad("more records than the heap has room for".to_owned()));
            }
        }
        Ok(out)
    }

    /// All records in order: key bytes and data bytes.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&[u8], &[u8])> {
        self.records.chunks_exact(self.key + self.data).map(|r| r.split_at(self.key))
    }

    /// Number of records.
    pub fn len(&self) -> usize {
        self.records.len() / (self.key + self.data)
    }

    /// True for no records.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }
}

/// A little-endian number of up to eight bytes.
pub fn number(bytes: &[u8]) -> u64 {
    bytes.iter().take(8).rev().fold(0, |n, b| n << 8 | u64::from(*b))
}
