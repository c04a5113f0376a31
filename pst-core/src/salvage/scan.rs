//! Finds pages and blocks by their trailers.

use crate::error::Result;
use crate::io::Input;
use crate::ndb::crc::{crc, signature};
use crate::ndb::disk::{AMAP_SPAN, FIRST_AMAP, SLOT, ptype};
use crate::ndb::page::{Page, Tree};
use crate::ndb::{Bid, BlockRef, Bref, Header, Variant};
use std::cell::RefCell;
use std::collections::HashMap;

/// Bytes that are read at once, and how many of them the next read has again, for blocks across the border.
const WINDOW: usize = 4 << 20;
const AGAIN: usize = 128 << 10;

/// A leaf page of a node tree.
pub struct Leaf {
    /// Its id and place.
    pub at: Bref,
}

/// What proves itself in a file.
#[derive(Default)]
pub struct Found {
    /// Leaf pages of the node tree, older states too.
    pub leaves: Vec<Leaf>,
    /// Data blocks and internal blocks, freed ones too.
    pub blocks: Vec<BlockRef>,
}

/// Looks at each place of a file where a page or block may end.
///
/// # Errors
/// When the file cannot be read.
pub fn scan(input: &Input, v: Variant) -> Result<Found> {
    let mut out = Found::default();
    let mut window = vec![0; WINDOW];
    let mut start = 0u64;
    while start < input.len() {
        let len = (input.len() - start).min(WINDOW as u64) as usize;
        let Some(bytes) = window.get_mut(..len) else { break };
        input.read_into(start, bytes)?;
        let step = v.block_align() as usize;
        // What ended in the part that is read again was found before.
        let from = if start == 0 { step } else { AGAIN + step };
        for end in (from..=len).step_by(step) {
            block(v, bytes, start, end, &mut out);
            if (start + end as u64).is_multiple_of(v.page() as u64) {
                page(input, v, bytes, start, end, &mut out);
            }
        }
        if len < WINDOW {
            break;
        }
        start += (WINDOW - AGAIN) as u64;
    }
    Ok(out)
}

/// Takes the block that ends at `end` of the bytes, if there is one.
fn block(v: Variant, bytes: &[u8], start: u64, end: usize, out: &mut Found) {
    let trailer = end.checked_sub(v.block_trailer()).and_then(|at| v.block_trailer_of(bytes.get(at..end)?));
    let Some(trailer) = trailer.filter(|t| t.cb > 0 && t.bid > 1 && usize::from(t.cb) <= v.block_max()) else { return };
    let cb = usize::from(trailer.cb);
    let Some(begin) = end.checked_sub(v.block_size(cb) as usize) else { return };
    let ib = start + begin as u64;
    if trailer.sig != signature(ib, trailer.bid) {
        return;
    }
    if bytes.get(begin..begin + cb).is_some_and(|data| crc(data) == trailer.crc) {
        let inflated = if trailer.inflated == 0 { trailer.cb } else { trailer.inflated };
        out.blocks.push(BlockRef { bid: Bid(trailer.bid), ib, cb: trailer.cb, inflated, c_ref: 2 });
    }
}

/// Takes the leaf page of a node tree that ends at `end` of the bytes, if there is one.
fn page(input: &Input, v: Variant, bytes: &[u8], start: u64, end: usize, out: &mut Found) {
    let Some(page) = end.checked_sub(v.page()).and_then(|at| bytes.get(at..end)) else { return };
    let Some(trailer) = v.page_trailer(page).filter(|t| t.ptype == ptype::NBT && t.ptype_repeat == ptype::NBT) else {
        return;
    };
    let at = Bref { bid: Bid(trailer.bid), ib: start + (end - v.page()) as u64 };
    if Page::read(input, v, Tree::Nbt, at, Some(0)).is_ok() {
        out.leaves.push(Leaf { at });
    }
}

/// What the allocation maps say of places, where they can be read ([MS-PST] 2.2.2.7.2).
pub struct Allocated {
    is_known: bool,
    /// The bits of a section, or `None` where its map is damaged.
    sections: RefCell<HashMap<u64, Option<Vec<u8>>>>,
}

impl Allocated {
    /// The maps of a file, if its header vouches for them.
    pub fn new(header: &Header) -> Self {
        let is_known = header.amap_valid != 0 && header.variant != Variant::Unicode4k;
        Self { is_known, sections: RefCell::default() }
    }

    /// True if the slot at an offset is taken, false if it is free, `None` if nobody knows.
    pub fn is_taken(&self, input: &Input, ib: u64) -> Option<bool> {
        let at = ib.checked_sub(FIRST_AMAP).filter(|_| self.is_known)?;
        let (section, slot) = (at / AMAP_SPAN, (at % AMAP_SPAN / SLOT) as usize);
        let mut sections = self.sections.borrow_mut();
        let bits = sections.entry(section).or_insert_with(|| map(input, section)).as_ref()?;
        bits.get(slot / 8).map(|byte| byte & (0x80 >> (slot % 8)) != 0)
    }
}

/// The bits of a section, if its map proves itself. ANSI and Unicode maps are alike but for the trailer's order.
fn map(input: &Input, section: u64) -> Option<Vec<u8>> {
    let mut bytes = vec![0; 512];
    input.read_into(FIRST_AMAP + section * AMAP_SPAN, &mut bytes).ok()?;
    let proves = |v: Variant| {
        let (trailer, body) = (v.page_trailer(&bytes)?, bytes.get(..v.page_body())?);
        (trailer.ptype == ptype::AMAP && trailer.ptype_repeat == ptype::AMAP && crc(body) == trailer.crc).then_some(())
    };
    proves(Variant::Unicode).or_else(|| proves(Variant::Ansi))?;
    Some(bytes)
}
