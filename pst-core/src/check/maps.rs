//! V03 to V06: allocation maps, free counts and the density list of 512-byte page files ([MS-PST] 2.2.2.7.2-2.2.2.7.4).

use super::header::Head;
use super::report::{At, Findings};
use super::trees::{Bbt, Nbt};
use crate::io::Input;
use crate::ndb::crc::{crc, signature};
use crate::ndb::disk::{AMAP_SPAN, DLIST_AT, FIRST_AMAP, PAGE, SLOT, ptype};
use crate::ndb::{Bref, Variant};

/// Bytes of allocation bits in an AMap.
const BITS: usize = 496;

/// The first page of each kind of map behind the AMaps, and the bytes from one to the next.
const OTHERS: [(u8, u64, u64); 3] = [
    (ptype::PMAP, 0x4600, 2_031_616),
    (ptype::FMAP, 0x1F0_4800, 125_960_192),
    (ptype::FPMAP, 0x7C00_4800, 8_061_452_288),
];

/// The kinds of the map pages at the start of a section, one after the other.
fn kinds(section: u64, variant: Variant) -> Vec<u8> {
    let mut out = vec![ptype::AMAP];
    for (kind, first, every) in OTHERS {
        let next = FIRST_AMAP + section * AMAP_SPAN + out.len() as u64 * PAGE;
        // ANSI files end before the first FPMap.
        if next >= first && (next - first).is_multiple_of(every) && (kind, variant) != (ptype::FPMAP, Variant::Ansi) {
            out.push(kind);
        }
    }
    out
}

/// V03 and V04: judges every map page. Returns for each AMap whether it can be relied on.
pub(super) fn pages(head: &Head, input: &Input, found: &mut Findings) -> Vec<bool> {
    let end = head.eof.min(input.len());
    let sections = end.saturating_sub(FIRST_AMAP).div_ceil(AMAP_SPAN);
    let mut sound = Vec::with_capacity(sections as usize);
    let mut page = Vec::new();
    for section in 0..sections {
        for (i, kind) in kinds(section, head.variant).into_iter().enumerate() {
            let ib = FIRST_AMAP + section * AMAP_SPAN + i as u64 * PAGE;
            let ok = map_page(head, input, ib, kind, &mut page, found);
            if kind == ptype::AMAP {
                sound.push(ok);
            }
        }
    }
    sound
}

fn name_of(kind: u8) -> &'static str {
    match kind {
        ptype::AMAP => "AMap",
        ptype::PMAP => "PMap",
        ptype::FMAP => "FMap",
        _ => "FPMap",
    }
}

/// A map page: its id is its offset, its signature 0.
fn map_page(head: &Head, input: &Input, ib: u64, kind: u8, page: &mut Vec<u8>, found: &mut Findings) -> bool {
    let v = head.variant;
    let rule = if kind == ptype::AMAP { 3 } else { 4 };
    let (at, name) = (At::both(ib, ib), name_of(kind));
    page.resize(v.page(), 0);
    if let Err(e) = input.read_into(ib, page) {
        found.add(rule, at, format!("the {name} cannot be read: {}", e.text()));
        return false;
    }
    let Some(trailer) = v.page_trailer(page) else { return false };
    let sum = crc(page.get(..v.page_body()).unwrap_or_default());
    let mut ok = true;
    for (field, stored, right) in [
        ("ptype", u64::from(trailer.ptype), u64::from(kind)),
        ("ptypeRepeat", trailer.ptype_repeat.into(), kind.into()),
        ("wSig", trailer.sig.into(), 0),
        ("dwCRC", trailer.crc.into(), sum.into()),
        ("bid", trailer.bid, ib),
    ] {
        if stored != right {
            found.add(rule, at, format!("{name}: {field} is 0x{stored:X}, not 0x{right:X}"));
            ok = false;
        }
    }
    ok
}

/// Which 64-byte slots are taken, from the first AMap on.
struct Taken {
    bits: Vec<u8>,
    /// Bytes from the first AMap to the end of the last section.
    span: u64,
}

impl Taken {
    /// Marks a range of the file; false where some of it was taken already.
    fn mark(&mut self, ib: u64, size: u64) -> bool {
        let Some(start) = ib.checked_sub(FIRST_AMAP) else { return true };
        if start.saturating_add(size) > self.span {
            return true;
        }
        let mut free = true;
        for slot in start / SLOT..(start + size).div_ceil(SLOT) {
            if let Some(byte) = self.bits.get_mut((slot / 8) as usize) {
                let bit = 0x80 >> (slot % 8);
                free &= *byte & bit == 0;
                *byte |= bit;
            }
        }
        free
    }
}

/// V05 and V06: the bits of all AMaps against the pages and blocks that there are.
pub(super) fn allocation(head: &Head, input: &Input, sound: &[bool], nbt: &Nbt, bbt: &Bbt, found: &mut Findings) {
    let valid_at = At::offset(if head.variant == Variant::Ansi { 0xE8 } else { 0xF8 });
    if !matches!(head.amap_valid, 1 | 2) {
        let text =
            format!("fAMapValid is {}: the allocation maps are to be rebuilt and are not relied on", head.amap_valid);
        found.add(5, valid_at, text);
        return;
    }
    let taken = taken(head, sound.len() as u64, nbt, bbt, found);
    let v = head.variant;
    let mut page = vec![0; v.page()];
    let (mut free, mut unowned) = (0u64, Vec::new());
    let mut slots_free = Vec::with_capacity(sound.len());
    for (section, owned) in taken.bits.chunks(BITS).enumerate() {
        let base = FIRST_AMAP + section as u64 * AMAP_SPAN;
        let ok = sound.get(section) == Some(&true) && input.read_into(base, &mut page).is_ok();
        let skip = if v == Variant::Ansi { 4 } else { 0 };
        let Some(stored) = page.get(skip..skip + BITS).filter(|_| ok) else { continue };
        let zero: u64 = stored.iter().map(|b| u64::from(b.count_zeros())).sum();
        free += zero;
        slots_free.push(zero);
        // A file may end inside its last section; what lies behind is neither free nor taken.
        let ends = head.eof.saturating_sub(base).min(AMAP_SPAN) / SLOT;
        let place = |i: usize, byte: u8| base + (i as u64 * 8 + u64::from(byte.leading_zeros())) * SLOT;
        let (mut missing, mut extra) = (None, None);
        let (mut lost, mut loose) = (0, 0);
        for (i, (have, want)) in stored.iter().zip(owned).enumerate() {
            let (absent, more) = (want & !have, have & !want);
            lost += u64::from(absent.count_ones());
            missing = missing.or((absent != 0).then(|| place(i, absent)));
            if (i as u64) * 8 < ends {
                loose += u64::from(more.count_ones());
                extra = extra.or((more != 0).then(|| place(i, more)));
            }
        }
        if let Some(at) = missing {
            let text =
                format!("{lost} slots of 64 bytes hold pages or blocks, but the AMap at 0x{base:X} calls them free");
            found.add(5, At::offset(at), text);
        }
        if let Some(at) = extra {
            unowned.push((at, loose, base));
        }
    }
    // What stands where a lost page would have said is not known.
    let known = nbt.whole && bbt.whole;
    if known && unowned.iter().map(|(_, n, _)| n * SLOT).sum::<u64>() != head.pmap_free {
        for (at, slots, base) in unowned {
            let text =
                format!("{slots} slots of 64 bytes are taken in the AMap at 0x{base:X}, but nothing stands in them");
            found.add(5, At::offset(at), text);
        }
    }
    if sound.iter().all(|ok| *ok) {
        free_count(head, free * SLOT, found);
        density(head, input, &slots_free, found);
    }
}

fn taken(head: &Head, sections: u64, nbt: &Nbt, bbt: &Bbt, found: &mut Findings) -> Taken {
    let v = head.variant;
    let span = sections * AMAP_SPAN;
    let mut taken = Taken { bits: vec![0; sections as usize * BITS], span };
    for section in 0..sections {
        for i in 0..kinds(section, v).len() as u64 {
            taken.mark(FIRST_AMAP + section * AMAP_SPAN + i * PAGE, PAGE);
        }
    }
    let pages = nbt.pages.iter().chain(&bbt.pages).map(|ib| (Bref { ib: *ib, ..Bref::default() }, PAGE));
    let blocks = bbt.blocks.iter().map(|b| (Bref { bid: b.bid, ib: b.ib }, v.block_size(usize::from(b.cb))));
    for (at, size) in pages.chain(blocks) {
        let place = At::both(at.ib, at.bid.0);
        if at.ib < FIRST_AMAP || at.ib.saturating_add(size) > FIRST_AMAP + span {
            // Outside the file: V07 or V09.
            continue;
        }
        let start = (at.ib - FIRST_AMAP) % AMAP_SPAN;
        if start + size > AMAP_SPAN {
            found.add(5, place, format!("{size} bytes cross the end of their AMap section"));
        }
        if !taken.mark(at.ib, size) {
            found.add(5, place, format!("{size} bytes overlap a page or block that stands there already"));
        }
    }
    taken
}

fn free_count(head: &Head, free: u64, found: &mut Findings) {
    if free != head.amap_free {
        let at = At::offset(if head.variant == Variant::Ansi { 0xB0 } else { 0xC8 });
        found.add(6, at, format!("cbAMapFree is {}, but the AMaps have {free} bytes free", head.amap_free));
    }
}

/// The density list: optional, but if it is there it must not promise more than there is ([MS-PST] 2.2.2.7.4.2).
fn density(head: &Head, input: &Input, free: &[u64], found: &mut Findings) {
    let v = head.variant;
    let at = At::offset(DLIST_AT);
    let mut page = vec![0; v.page()];
    if input.read_into(DLIST_AT, &mut page).is_err() {
        return;
    }
    let Some(trailer) = v.page_trailer(&page) else { return };
    let sum = crc(page.get(..v.page_body()).unwrap_or_default());
    if trailer.ptype != ptype::DLIST || trailer.ptype_repeat != ptype::DLIST || trailer.crc != sum {
        // Without a list programs search from the first AMap on.
        found.lenient(6, at, "the density list is missing or its CRC is wrong");
        return;
    }
    if trailer.sig != signature(DLIST_AT, trailer.bid) {
        found.lenient(6, at, format!("the density list's wSig is 0x{:04X}", trailer.sig));
    }
    if trailer.bid != head.next_page {
        let text = format!("the density list is 0x{:X}, not bidNextP (0x{:X})", trailer.bid, head.next_page);
        found.lenient(6, at, text);
    }
    let count = usize::from(page.get(1).copied().unwrap_or_default());
    let entries = page.get(8..8 + 4 * count).unwrap_or_default().chunks_exact(4);
    let mut before = u32::MAX;
    for entry in entries.filter_map(|e| e.try_into().ok().map(u32::from_le_bytes)) {
        let (section, slots) = (entry & 0xF_FFFF, entry >> 20);
        match free.get(section as usize) {
            None => found.lenient(6, at, format!("the density list names AMap {section} of {}", free.len())),
            Some(real) if u64::from(slots) > *real => {
                let text = format!("the density list gives AMap {section} {slots} free slots, but it has {real}");
                found.lenient(6, at, text);
            }
            Some(_) => {}
        }
        if slots > before {
            found.lenient(6, at, format!("the density list is not sorted: {slots} slots follow {before}"));
        }
        before = slots;
    }
}
