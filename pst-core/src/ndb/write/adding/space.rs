//! The space of a file that is added to: sections at the end, and what is free in those that are there.

use super::bits::{Bits, SLOTS};
use super::survey::{Survey, amap};
use crate::error::{Error, Kind, Result};
use crate::io::{InPlace, Input};
use crate::ndb::crc::{crc, signature};
use crate::ndb::disk::{AMAP_SPAN, DLIST_AT, FIRST_AMAP, PAGE, SLOT, ptype};
use crate::ndb::write::alloc::{map_fill, map_kinds, map_page, trailer};
use std::collections::BTreeMap;
use zerocopy::IntoBytes;

/// Bytes that wait to be written at once.
const WAITING: usize = 1 << 20;

/// Gives out space and takes writes.
pub(super) struct Space {
    pub file: Box<dyn InPlace>,
    input: Input,
    /// At least the longest free run of each section, slots.
    longest: Vec<u16>,
    /// Free slots of all sections.
    free: u64,
    /// Bits of sections that differ from those in the file.
    changed: BTreeMap<u64, Bits>,
    /// The section last used, which need not have changed.
    held: Option<(u64, Bits)>,
    /// Places that the last commit refers to and the next one will not.
    later: Vec<(u64, u64)>,
    /// The first section that may have a run of so many slots; [0] is for pages.
    first: [u64; 129],
    /// Writes that wait, one behind the other from an offset on.
    waiting: (u64, Vec<u8>),
    pub failed: bool,
}

impl Space {
    pub fn new(file: Box<dyn InPlace>, input: Input, survey: Survey) -> Self {
        Self {
            file,
            input,
            longest: survey.longest,
            free: survey.free,
            changed: survey.wrong,
            held: None,
            later: Vec::new(),
            first: [0; 129],
            waiting: (0, Vec::new()),
            failed: false,
        }
    }

    /// The size of the file with all sections.
    pub fn eof(&self) -> u64 {
        FIRST_AMAP + self.longest.len() as u64 * AMAP_SPAN
    }

    /// Where the last AMap stands.
    pub fn amap_last(&self) -> u64 {
        self.eof() - AMAP_SPAN
    }

    /// Free bytes.
    pub fn free(&self) -> u64 {
        self.free * SLOT
    }

    /// Takes `size` bytes at a multiple of `align`; both are multiples of 64, and a block's worth at most.
    pub fn take(&mut self, size: u64, align: u64) -> Result<u64> {
        let (count, align) = ((size / SLOT) as usize, (align / SLOT) as usize);
        let class = if align > 1 { 0 } else { count };
        let mut section = self.first.get(class).copied().unwrap_or_default();
        loop {
            let rest = self.longest.get(section as usize..).unwrap_or_default();
            section = match rest.iter().position(|l| usize::from(*l) >= count) {
                Some(skip) => section + skip as u64,
                None => self.grow()?,
            };
            if let Some(first) = self.first.get_mut(class) {
                *first = section;
            }
            let bits = self.bits(section)?;
            if let Some(slot) = bits.find(count, align) {
                self.change(section)?.mark(slot, count);
                self.free -= count as u64;
                return Ok(FIRST_AMAP + section * AMAP_SPAN + slot as u64 * SLOT);
            }
            let longest = bits.longest() as u16;
            if let Some(known) = self.longest.get_mut(section as usize) {
                *known = longest;
            }
            section += 1;
        }
    }

    /// Adds a section with its map pages, but for the AMap, which is written with the others.
    fn grow(&mut self) -> Result<u64> {
        let section = self.longest.len() as u64;
        let base = FIRST_AMAP + section * AMAP_SPAN;
        let mut bits = Bits::none();
        for (i, kind) in map_kinds(section).into_iter().enumerate() {
            let ib = base + i as u64 * PAGE;
            bits.mark(i * (PAGE / SLOT) as usize, (PAGE / SLOT) as usize);
            if kind != ptype::AMAP {
                let page = map_page(kind, ib, &[map_fill(kind); SLOTS / 8]);
                self.now(&page, ib)?;
            }
        }
        self.longest.push(bits.longest() as u16);
        self.free += bits.free();
        self.changed.insert(section, bits);
        Ok(section)
    }

    /// The bits of a section.
    fn bits(&mut self, section: u64) -> Result<&mut Bits> {
        if !self.changed.contains_key(&section) && self.held.as_ref().is_none_or(|(at, _)| *at != section) {
            // The survey has compared every map with what stands there, and only this run changes it since.
            let bits = amap(self.input()?, section).ok_or_else(|| {
                Error::new(Kind::Damaged, "an allocation map cannot be read any more")
                    .within("AMap")
                    .at(FIRST_AMAP + section * AMAP_SPAN)
            })?;
            self.held = Some((section, bits));
        }
        let held = self.held.as_mut().filter(|(at, _)| *at == section).map(|(_, bits)| bits);
        self.changed.get_mut(&section).or(held).ok_or_else(|| Error::damaged("AMap", "it has no bits"))
    }

    /// The bits of a section, to be changed.
    fn change(&mut self, section: u64) -> Result<&mut Bits> {
        self.bits(section)?;
        if let Some((_, bits)) = self.held.take_if(|(at, _)| *at == section) {
            self.changed.entry(section).or_insert(bits);
        }
        self.bits(section)
    }

    /// Frees space that the last commit does not refer to.
    pub fn give_back(&mut self, ib: u64, size: u64) -> Result<()> {
        let (section, at) = ((ib - FIRST_AMAP) / AMAP_SPAN, (ib - FIRST_AMAP) % AMAP_SPAN);
        let bits = self.change(section)?;
        let freed = bits.clear((at / SLOT) as usize, (size / SLOT) as usize);
        let longest = bits.longest();
        self.free += freed;
        if let Some(known) = self.longest.get_mut(section as usize) {
            *known = longest as u16;
        }
        for first in self.first.iter_mut().take(longest + 1) {
            *first = section.min(*first);
        }
        Ok(())
    }

    /// Frees space once the next commit is durable.
    pub fn give_back_later(&mut self, ib: u64, size: u64) {
        self.later.push((ib, size));
    }

    /// The commit is durable: what it does not refer to any more is free.
    pub fn committed(&mut self) -> Result<()> {
        for (ib, size) in std::mem::take(&mut self.later) {
            self.give_back(ib, size)?;
        }
        Ok(())
    }

    /// Writes bytes into space that was taken.
    pub fn write(&mut self, bytes: &[u8], ib: u64) -> Result<()> {
        let (start, waiting) = &self.waiting;
        if start + waiting.len() as u64 != ib || waiting.len() + bytes.len() > WAITING {
            self.flush()?;
            self.waiting.0 = ib;
        }
        self.waiting.1.extend_from_slice(bytes);
        Ok(())
    }

    /// Hands all writes to the system.
    pub fn flush(&mut self) -> Result<()> {
        let (ib, bytes) = &mut self.waiting;
        if bytes.is_empty() {
            return Ok(());
        }
        let written = self.file.write_at(bytes, *ib);
        bytes.clear();
        self.failed |= written.is_err();
        written
    }

    fn now(&mut self, bytes: &[u8], ib: u64) -> Result<()> {
        let written = self.file.write_at(bytes, ib);
        self.failed |= written.is_err();
        written
    }

    /// Writes the AMaps that have changed. Slots that the last commit refers to are taken in all of them.
    pub fn write_maps(&mut self) -> Result<()> {
        for (section, bits) in std::mem::take(&mut self.changed) {
            let ib = FIRST_AMAP + section * AMAP_SPAN;
            self.now(&map_page(ptype::AMAP, ib, &*bits.0), ib)?;
            self.held = Some((section, bits));
        }
        Ok(())
    }

    /// Sections whose map is to be written.
    pub fn changed(&self) -> usize {
        self.changed.len()
    }

    /// A density list that promises nothing: programs then search the AMaps ([MS-PST] 2.2.2.7.4.2).
    pub fn write_density_list(&mut self, next_page: u64) -> Result<()> {
        let last = self.longest.len() as u32 - 1;
        let mut page = vec![0; 4];
        page.extend_from_slice(&last.to_le_bytes());
        page.resize(SLOTS / 8, 0);
        let sum = crc(&page);
        let sig = signature(DLIST_AT, next_page);
        page.extend_from_slice(trailer(ptype::DLIST, sig, sum, next_page).as_bytes());
        self.now(&page, DLIST_AT)
    }

    /// Gives the file the length of its sections.
    pub fn settle_length(&mut self) -> Result<()> {
        let eof = self.eof();
        if self.file.input()?.len() == eof {
            return Ok(());
        }
        let set = self.file.set_len(eof);
        self.failed |= set.is_err();
        set
    }

    pub fn sync(&mut self) -> Result<()> {
        let synced = self.file.sync();
        self.failed |= synced.is_err();
        synced
    }

    /// The file with all writes so far.
    pub fn input(&mut self) -> Result<&Input> {
        self.flush()?;
        self.input = self.file.input()?;
        Ok(&self.input)
    }
}
