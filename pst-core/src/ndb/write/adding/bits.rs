//! The allocation bits of one section: which of its slots of 64 bytes are taken ([MS-PST] 2.2.2.7.2).

use crate::ndb::disk::{AMAP_SPAN, SLOT};

/// Slots of a section.
pub(super) const SLOTS: usize = (AMAP_SPAN / SLOT) as usize;

/// One bit for each slot, the first one in the high bit of the first byte.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Bits(pub Box<[u8; SLOTS / 8]>);

impl Bits {
    pub fn none() -> Self {
        Self(Box::new([0; SLOTS / 8]))
    }

    /// Marks slots; false where one of them was marked already.
    pub fn mark(&mut self, slot: usize, count: usize) -> bool {
        let mut new = true;
        for slot in slot..(slot + count).min(SLOTS) {
            if let Some(byte) = self.0.get_mut(slot / 8) {
                let bit = 0x80 >> (slot % 8);
                new &= *byte & bit == 0;
                *byte |= bit;
            }
        }
        new
    }

    /// Frees slots; returns how many of them were taken.
    pub fn clear(&mut self, slot: usize, count: usize) -> u64 {
        let mut freed = 0;
        for slot in slot..(slot + count).min(SLOTS) {
            if let Some(byte) = self.0.get_mut(slot / 8) {
                let bit = 0x80 >> (slot % 8);
                freed += u64::from(*byte & bit != 0);
                *byte &= !bit;
            }
        }
        freed
    }

    /// Number of free slots.
    pub fn free(&self) -> u64 {
        self.0.iter().map(|b| u64::from(b.count_zeros())).sum()
    }

    /// The free runs: first slot and length.
    fn runs(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        let mut at = 0;
        std::iter::from_fn(move || {
            at = self.next(at, false)?;
            let start = at;
            at = self.next(at, true).unwrap_or(SLOTS);
            Some((start, at - start))
        })
    }

    /// The first slot from `at` on that is taken or free.
    fn next(&self, at: usize, taken: bool) -> Option<usize> {
        let skip = if taken { 0 } else { 0xFF };
        let mut slot = at;
        while slot < SLOTS {
            let byte = *self.0.get(slot / 8)?;
            if byte == skip {
                slot = (slot / 8 + 1) * 8;
                continue;
            }
            if (byte & (0x80 >> (slot % 8)) != 0) == taken {
                return Some(slot);
            }
            slot += 1;
        }
        None
    }

    /// Length of the longest free run.
    pub fn longest(&self) -> usize {
        self.runs().map(|(_, len)| len).max().unwrap_or_default()
    }

    /// The first place for `count` slots at a multiple of `align` slots.
    pub fn find(&self, count: usize, align: usize) -> Option<usize> {
        self.runs().find_map(|(start, len)| {
            let at = start.next_multiple_of(align);
            (at + count <= start + len).then_some(at)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_found_as_bits_say() {
        let mut bits = Bits::none();
        assert_eq!((bits.longest(), bits.find(SLOTS, 8), bits.free()), (SLOTS, Some(0), SLOTS as u64));
        assert!(bits.mark(0, 9) && bits.mark(20, 3) && bits.mark(31, SLOTS - 31 - 5));
        assert!(!bits.mark(22, 2) && bits.clear(23, 1) == 1);
        assert_eq!(bits.runs().collect::<Vec<_>>(), [(9, 11), (23, 8), (SLOTS - 5, 5)]);
        assert_eq!((bits.find(8, 1), bits.find(8, 8), bits.find(12, 1)), (Some(9), None, None));
        assert_eq!((bits.find(4, 8), bits.find(5, 8), bits.longest()), (Some(16), Some(24), 11));
        assert_eq!(bits.free(), 24);
    }
}
