//! Space: an append allocator that emits each map page as it passes it ([MS-PST] 2.2.2.7.2-2.2.2.7.4).

use crate::error::Result;
use crate::io::Output;
use crate::ndb::crc::crc;
use crate::ndb::disk::{self, AMAP_SPAN, DLIST_AT, FIRST_AMAP, FIRST_FMAP_INDEX, FIRST_FPMAP_INDEX, PAGE, SLOT, ptype};
use zerocopy::IntoBytes;
use zerocopy::little_endian::{U16, U32, U64};

/// AMaps between FMaps.
const FMAP_EVERY: u64 = 496;
/// AMaps between FPMaps.
const FPMAP_EVERY: u64 = 496 * 64;

/// Hands out space in ascending order. One AMap section is held in memory and written when it is full.
pub(super) struct Allocator {
    file: Box<dyn Output>,
    here: Here,
    failed: bool,
}

/// What the allocator knows of the file so far; a copy of it is a point to go back to.
#[derive(Clone)]
pub(super) struct Here {
    /// Index of the current section.
    section: u64,
    /// Next free byte within the section.
    at: u64,
    /// The section up to where it is filled.
    bytes: Vec<u8>,
    bits: Vec<u8>,
    /// Free slots of all finished sections.
    free: u64,
    /// Free slots of the first section, for the density list.
    first_free: u64,
}

impl Here {
    /// File offset of the section, where its AMap stands.
    fn base(&self) -> u64 {
        FIRST_AMAP + self.section * AMAP_SPAN
    }

    /// Puts bytes at the end of the section as far as it is filled, or over the pages at its start.
    fn put(&mut self, ib: u64, bytes: &[u8]) {
        let start = (ib - self.base()) as usize;
        if start >= self.bytes.len() {
            self.bytes.resize(start, 0);
            self.bytes.extend_from_slice(bytes);
        } else if let Some(to) = self.bytes.get_mut(start..start + bytes.len()) {
            to.copy_from_slice(bytes);
        }
    }

    fn mark(&mut self, start: u64, size: u64) {
        let (mut slot, end) = (start / SLOT, (start + size) / SLOT);
        while slot < end {
            let Some(byte) = self.bits.get_mut((slot / 8) as usize) else { return };
            if slot.is_multiple_of(8) && end - slot >= 8 {
                *byte = 0xFF;
                slot += 8;
            } else {
                *byte |= 0x80 >> (slot % 8);
                slot += 1;
            }
        }
    }

    /// Reserves and fills the map pages at the start of a section; the AMap itself is filled on leaving.
    fn enter(&mut self) {
        let maps = map_kinds(self.section);
        for (i, ty) in maps.iter().enumerate() {
            let at = i as u64 * PAGE;
            self.mark(at, PAGE);
            if *ty != ptype::AMAP {
                let ib = self.base() + at;
                let page = map_page(*ty, ib, &[map_fill(*ty); 496]);
                self.put(ib, &page);
            }
        }
        self.at = maps.len() as u64 * PAGE;
        self.bytes.resize(self.at as usize, 0);
    }
}

impl Allocator {
    pub(super) fn new(file: Box<dyn Output>) -> Self {
        let mut here = Here { section: 0, at: 0, bytes: Vec::new(), bits: vec![0; 496], free: 0, first_free: 0 };
        here.enter();
        Self { file, here, failed: false }
    }

    /// Takes `size` bytes at a multiple of `align`; both are multiples of 64.
    pub(super) fn take(&mut self, size: u64, align: u64) -> Result<u64> {
        // Sections start at multiples of 512, so alignment within them is alignment in the file.
        let mut start = self.here.at.next_multiple_of(align);
        if start + size > AMAP_SPAN {
            self.leave()?;
            let here = &mut self.here;
            here.section += 1;
            here.bytes.clear();
            here.bits.fill(0);
            here.enter();
            start = here.at.next_multiple_of(align);
        }
        self.here.mark(start, size);
        self.here.at = start + size;
        Ok(self.here.base() + start)
    }

    /// Puts bytes into space that was just taken.
    pub(super) fn put(&mut self, ib: u64, bytes: &[u8]) {
        self.here.put(ib, bytes);
    }

    /// A point to go back to; what is written after it is then written over.
    pub(super) fn point(&self) -> Here {
        self.here.clone()
    }

    pub(super) fn back_to(&mut self, here: Here) {
        self.here = here;
    }

    /// Bytes up to the end of what was taken.
    pub(super) fn used(&self) -> u64 {
        self.here.base() + self.here.at
    }

    /// True once the file could not be written.
    pub(super) fn failed(&self) -> bool {
        self.failed
    }

    fn leave(&mut self) -> Result<()> {
        let here = &mut self.here;
        let free: u64 = here.bits.iter().map(|b| u64::from(b.count_zeros())).sum();
        here.free += free;
        if here.section == 0 {
            here.first_free = free;
        }
        let base = here.base();
        let page = map_page(ptype::AMAP, base, &here.bits);
        here.put(base, &page);
        here.bytes.resize(AMAP_SPAN as usize, 0);
        let written = self.file.write_at(&here.bytes, base);
        self.failed |= written.is_err();
        written
    }

    /// Completes the last section, the density list and the header, and commits. Returns the file's size.
    pub(super) fn finish(mut self, mut header: disk::HeaderW, next_page: u64) -> Result<u64> {
        self.leave()?;
        let eof = self.here.base() + AMAP_SPAN;
        // One AMap: listed with its free slots. More: none is listed, the search starts at the last one.
        let mut list = Vec::with_capacity(496);
        let single = self.here.section == 0;
        list.extend_from_slice(&[u8::from(single), u8::from(single), 0, 0]);
        list.extend_from_slice(&(if single { 1 } else { self.here.section as u32 }).to_le_bytes());
        if single {
            list.extend_from_slice(&((self.here.first_free as u32) << 20).to_le_bytes());
        }
        list.resize(496, 0);
        let mut dlist = list;
        let sig = crate::ndb::crc::signature(DLIST_AT, next_page);
        let sum = crc(&dlist);
        dlist.extend_from_slice(trailer(ptype::DLIST, sig, sum, next_page).as_bytes());
        header.root.ib_file_eof = U64::new(eof);
        header.root.ib_amap_last = U64::new(self.here.base());
        header.root.cb_amap_free = U64::new(self.here.free * SLOT);
        let bytes = header.as_bytes();
        header.crc_partial = U32::new(crc(bytes.get(8..479).unwrap_or_default()));
        let bytes = header.as_bytes();
        header.crc_full = U32::new(crc(bytes.get(8..524).unwrap_or_default()));
        self.file.write_at(&dlist, DLIST_AT)?;
        self.file.set_len(eof)?;
        // Everything that the header will vouch for is durable before the header.
        self.file.sync()?;
        self.file.write_at(header.as_bytes(), 0)?;
        self.file.commit()?;
        Ok(eof)
    }
}

/// The map pages at the start of a section, one after the other.
pub(super) fn map_kinds(section: u64) -> Vec<u8> {
    let mut out = vec![ptype::AMAP];
    if section.is_multiple_of(8) {
        out.push(ptype::PMAP);
        let every = |first: u64, step: u64| section >= first && (section - first).is_multiple_of(step);
        if every(FIRST_FMAP_INDEX, FMAP_EVERY) {
            out.push(ptype::FMAP);
        }
        if every(FIRST_FPMAP_INDEX, FPMAP_EVERY) {
            out.push(ptype::FPMAP);
        }
    }
    out
}

/// What every byte of a map page other than an AMap holds: the maps are deprecated ([MS-PST] 2.2.2.7.3).
pub(super) const fn map_fill(ty: u8) -> u8 {
    if ty == ptype::FMAP { 0 } else { 0xFF }
}

/// A map page: its id is its offset, its signature 0.
pub(super) fn map_page(ty: u8, ib: u64, bytes: &[u8]) -> Vec<u8> {
    let mut page = bytes.to_vec();
    page.extend_from_slice(trailer(ty, 0, crc(bytes), ib).as_bytes());
    page
}

pub(super) fn trailer(ty: u8, sig: u16, crc: u32, bid: u64) -> disk::PageTrailerW {
    disk::PageTrailerW { ptype: ty, ptype_repeat: ty, sig: U16::new(sig), crc: U32::new(crc), bid: U64::new(bid) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_stand_where_the_format_says() {
        let at = |section: u64, ty: u8| {
            map_kinds(section).iter().position(|t| *t == ty).map(|i| FIRST_AMAP + section * AMAP_SPAN + i as u64 * PAGE)
        };
        assert_eq!(at(0, ptype::PMAP), Some(0x4600));
        assert_eq!(at(8, ptype::PMAP), Some(0x4600 + 2_031_616));
        assert_eq!(at(7, ptype::PMAP), None);
        assert_eq!(at(128, ptype::FMAP), Some(0x1F0_4800));
        assert_eq!(at(128 + 496, ptype::FMAP), Some(0x1F0_4800 + 125_960_192));
        assert_eq!(at(8192, ptype::FPMAP), Some(0x7C00_4800));
        assert_eq!(at(8192 + 496 * 64, ptype::FPMAP), Some(0x7C00_4800 + 8_061_452_288));
        assert!((0..100_000).all(|s| map_kinds(s).len() <= 3));
    }
}
