//! The header of a file that is added to: a commit changes one sector of it.
//!
//! The header spans two sectors, and what a disk keeps as one is a sector. The checksum dwCRCFull stands in the second one
//! and covers both. So four bytes that nobody reads (bidUnused) are chosen such that the checksum over the first sector
//! never changes: each of the two sectors can then be written by itself, and every mixture of old and new ones is right.
//! The second one changes only when bidNextB does; it runs ahead of what is used, so that this is seldom.

use crate::error::{Error, Kind, Result};
use crate::io::{InPlace, Input};
use crate::ndb::crc::crc;
use crate::ndb::disk::{self, HeaderW};
use crate::ndb::variant::Bref;
use zerocopy::little_endian::{U32, U64};
use zerocopy::{FromBytes, IntoBytes};

/// Bytes of a sector.
const SECTOR: usize = 512;
/// Where the checksums begin.
const SUMMED: usize = 8;
/// Where bidUnused stands.
const FREE_BYTES: usize = 0x18;

/// What a commit writes.
pub(super) struct Next {
    pub nbt: Bref,
    pub bbt: Bref,
    pub bid_next_p: u64,
    pub rgnid: [u32; 32],
    pub eof: u64,
    pub amap_last: u64,
    pub amap_free: u64,
    /// fAMapValid: true for VALID_AMAP2.
    pub maps_valid: bool,
}

/// The header as it stands in the file.
pub(super) struct Head {
    h: HeaderW,
    /// The checksum over the first sector, which stays.
    sum: u32,
}

impl Head {
    pub fn read(input: &Input) -> Result<Self> {
        let mut bytes = vec![0; size_of::<HeaderW>()];
        input.read_into(0, &mut bytes)?;
        let (h, _) = HeaderW::read_from_prefix(&bytes)
            .map_err(|_| Error::new(Kind::Truncated, "the file ends within its header").within("HEADER"))?;
        Ok(Self { sum: crc(bytes.get(SUMMED..SECTOR).unwrap_or_default()), h })
    }

    pub fn unique(&self) -> u32 {
        self.h.unique.get()
    }

    pub fn rgnid(&self) -> [u32; 32] {
        self.h.rgnid.map(U32::get)
    }

    pub fn bid_next_b(&self) -> u64 {
        self.h.bid_next_b.get()
    }

    pub fn maps_valid(&self) -> bool {
        self.h.root.f_amap_valid != 0
    }

    /// The dwUnique of the next commit. Only commits count: a run that was cut off tells by it what is durable.
    pub fn next_unique(&self) -> u32 {
        self.unique().wrapping_add(1).max(1)
    }

    /// Writes the first sector: the commit record, or the same commit with its maps in order.
    pub fn commit(&mut self, file: &mut dyn InPlace, next: &Next) -> Result<()> {
        if !next.maps_valid {
            self.h.unique = U32::new(self.next_unique());
        }
        let h = &mut self.h;
        h.bid_next_p = U64::new(next.bid_next_p);
        h.rgnid = next.rgnid.map(U32::new);
        let bref = |b: Bref| disk::BrefW { bid: U64::new(b.bid.0), ib: U64::new(b.ib) };
        (h.root.bref_nbt, h.root.bref_bbt) = (bref(next.nbt), bref(next.bbt));
        h.root.ib_file_eof = U64::new(next.eof);
        h.root.ib_amap_last = U64::new(next.amap_last);
        h.root.cb_amap_free = U64::new(next.amap_free);
        h.root.f_amap_valid = if next.maps_valid { 2 } else { 0 };
        self.write_first(file)
    }

    /// Says that the allocation maps are being changed, and nothing else.
    pub fn invalidate_maps(&mut self, file: &mut dyn InPlace) -> Result<()> {
        self.h.root.f_amap_valid = 0;
        self.write_first(file)
    }

    fn write_first(&mut self, file: &mut dyn InPlace) -> Result<()> {
        self.h.bid_unused = U64::new(self.h.bid_unused.get() & !0xFFFF_FFFF);
        let mut sector = self.h.as_bytes().get(..SECTOR).unwrap_or_default().to_vec();
        let fitting = fitting(&sector, self.sum);
        self.h.bid_unused = U64::new(self.h.bid_unused.get() | u64::from(fitting));
        if let Some(free) = sector.get_mut(FREE_BYTES..FREE_BYTES + 4) {
            free.copy_from_slice(&fitting.to_le_bytes());
        }
        let partial = crc(sector.get(SUMMED..479).unwrap_or_default());
        self.h.crc_partial = U32::new(partial);
        if let Some(slot) = sector.get_mut(4..8) {
            slot.copy_from_slice(&partial.to_le_bytes());
        }
        file.write_at(&sector, 0)
    }

    /// Writes the second sector with another bidNextB; right beside any first one that this run has written.
    pub fn reserve(&mut self, file: &mut dyn InPlace, bid_next_b: u64) -> Result<()> {
        self.h.bid_next_b = U64::new(bid_next_b);
        let full = crc(self.h.as_bytes().get(SUMMED..524).unwrap_or_default());
        self.h.crc_full = U32::new(full);
        file.write_at(self.h.as_bytes().get(SECTOR..).unwrap_or_default(), SECTOR as u64)
    }
}

/// The four bytes at [`FREE_BYTES`] that give a sector a checksum; those of `sector` are zero. The checksum is linear: a
/// bit of the four bytes changes it by what that bit alone would give.
fn fitting(sector: &[u8], sum: u32) -> u32 {
    let mut alone = vec![0; sector.len() - SUMMED];
    let mut basis: Vec<(u32, u32)> = Vec::with_capacity(32);
    let reduce = |basis: &[(u32, u32)], mut sum: u32, mut bits: u32| {
        for (pivot, from) in basis {
            if sum & (1 << pivot.ilog2()) != 0 {
                (sum, bits) = (sum ^ pivot, bits ^ from);
            }
        }
        (sum, bits)
    };
    for bit in 0..32u32 {
        if let Some(four) = alone.get_mut(FREE_BYTES - SUMMED..FREE_BYTES - SUMMED + 4) {
            four.copy_from_slice(&(1u32 << bit).to_le_bytes());
        }
        let (rest, bits) = reduce(&basis, crc(&alone), 1 << bit);
        // Four bytes reach every checksum once, so that none is a sum of others.
        if rest != 0 {
            basis.push((rest, bits));
        }
    }
    let wanted = crc(sector.get(SUMMED..).unwrap_or_default()) ^ sum;
    reduce(&basis, wanted, 0).1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_bytes_give_any_checksum() {
        let mut sector: Vec<u8> = (0..512u32).map(|i| (i * 7 % 251) as u8).collect();
        sector[FREE_BYTES..FREE_BYTES + 4].fill(0);
        for sum in [0, 1, 0x8000_0000, 0xDEAD_BEEF, u32::MAX, crc(&sector[SUMMED..])] {
            let mut fitted = sector.clone();
            fitted[FREE_BYTES..FREE_BYTES + 4].copy_from_slice(&fitting(&sector, sum).to_le_bytes());
            assert_eq!(crc(&fitted[SUMMED..]), sum);
        }
    }
}
