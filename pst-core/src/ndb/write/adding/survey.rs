//! What stands where in a file: read from the trees, never from the allocation maps, which may be wrong.

use super::MAX_ID;
use super::bits::{Bits, SLOTS};
use crate::error::{Error, Kind, Result};
use crate::io::Input;
use crate::ndb::Header;
use crate::ndb::crc::crc;
use crate::ndb::disk::{AMAP_SPAN, FIRST_AMAP, PAGE, SLOT, ptype};
use crate::ndb::page::{Page, Tree};
use crate::ndb::variant::{Bref, Variant};
use crate::ndb::write::alloc::map_kinds;
use std::collections::BTreeMap;

/// Sections that are looked at in one walk through the trees: 16 MB of bits for 8 GB of file.
const AT_ONCE: u64 = 32 << 10;

/// What a file has free, and its highest ids.
pub(super) struct Survey {
    /// Longest free run of each section, slots.
    pub longest: Vec<u16>,
    /// Free slots.
    pub free: u64,
    /// The sections whose map does not say what stands there, with what it should say.
    pub wrong: BTreeMap<u64, Bits>,
    /// The highest BIDs of blocks and pages.
    pub block: u64,
    pub page: u64,
    /// The highest index of each type of node.
    pub highest: [u32; 32],
}

impl Survey {
    pub fn read(input: &Input, header: &Header) -> Result<Self> {
        if header.eof > input.len() + AMAP_SPAN {
            let text = format!("ibFileEof is {}, but the file has {} bytes", header.eof, input.len());
            return Err(Error::damaged("ROOT", text));
        }
        let sections = header.eof.saturating_sub(FIRST_AMAP).div_ceil(AMAP_SPAN).max(1);
        let mut out = Self {
            longest: Vec::with_capacity(sections as usize),
            free: 0,
            wrong: BTreeMap::new(),
            block: 0,
            page: 0,
            highest: [0; 32],
        };
        let mut first = 0;
        while first < sections {
            let count = AT_ONCE.min(sections - first);
            let taken = out.taken(input, header, first, count)?;
            for (section, bits) in (first..).zip(taken) {
                out.section(input, header, section, bits);
            }
            first += count;
        }
        Ok(out)
    }

    /// The bits of some sections. A page or block at a place that cannot be is damage: nothing is added to such a file.
    fn taken(&mut self, input: &Input, header: &Header, first: u64, count: u64) -> Result<Vec<Bits>> {
        let mut all = vec![Bits::none(); count as usize];
        for (section, bits) in (first..).zip(&mut all) {
            bits.mark(0, map_kinds(section).len() * (PAGE / SLOT) as usize);
        }
        // Behind the sections that the header tells of, space is given out again.
        let sections = header.eof.saturating_sub(FIRST_AMAP).div_ceil(AMAP_SPAN).max(1);
        let len = input.len().min(FIRST_AMAP + sections * AMAP_SPAN);
        let mut mark = |ib: u64, size: u64, what: &'static str, id: u64| {
            let bad = |text: &str| Err(Error::damaged(what, text).at(ib).id(id));
            if ib < FIRST_AMAP || !ib.is_multiple_of(SLOT) || ib.checked_add(size).is_none_or(|end| end > len) {
                return bad("it stands outside the file");
            }
            let (section, at) = ((ib - FIRST_AMAP) / AMAP_SPAN, (ib - FIRST_AMAP) % AMAP_SPAN);
            if at + size > AMAP_SPAN {
                return bad("it crosses the end of an allocation section");
            }
            let Some(bits) = section.checked_sub(first).and_then(|i| all.get_mut(i as usize)) else { return Ok(()) };
            if bits.mark((at / SLOT) as usize, (size / SLOT) as usize) {
                return Ok(());
            }
            bad("it stands where something else stands already")
        };
        let v = header.variant;
        for tree in [Tree::Nbt, Tree::Bbt] {
            pages(input, v, tree, tree.root(header), &mut |at, bid, page| {
                self.page = self.page.max(sane(tree.name(), bid.max(at.bid.0))?);
                mark(at.ib, PAGE, tree.name(), at.bid.0)?;
                for entry in (0..page.len()).filter(|_| page.counters.level == 0).filter_map(|i| page.entry(i)) {
                    if tree == Tree::Bbt {
                        let Some(b) = v.bbt(entry) else { continue };
                        if usize::from(b.cb) > v.block_max() {
                            return Err(Error::damaged("block", "it is longer than a block can be").id(b.bid.0));
                        }
                        self.block = self.block.max(sane("block", b.bid.key())?);
                        mark(b.ib, v.block_size(usize::from(b.cb)), "block", b.bid.0)?;
                    } else if let Some(n) = v.nbt(entry) {
                        // A block that is lost must not come back as another one.
                        let known = [n.data.key(), n.sub.key()].into_iter().filter(|id| *id < MAX_ID);
                        self.block = known.fold(self.block, u64::max);
                        if let Some(highest) = self.highest.get_mut(usize::from(n.nid.ty())) {
                            *highest = n.nid.index().max(*highest);
                        }
                    }
                }
                Ok(())
            })?;
        }
        Ok(all)
    }

    fn section(&mut self, input: &Input, header: &Header, section: u64, mut bits: Bits) {
        let stored = amap(input, section);
        // Outlook 2003 and 2007 took space for pages to come, which nothing stands in yet.
        if header.pmap_free != 0
            && let Some(stored) = &stored
        {
            bits.0.iter_mut().zip(stored.0.iter()).for_each(|(bit, more)| *bit |= more);
        }
        self.longest.push(bits.longest() as u16);
        self.free += bits.free();
        if stored.as_ref() != Some(&bits) {
            self.wrong.insert(section, bits);
        }
    }
}

/// An id, if it can be one.
fn sane(what: &'static str, id: u64) -> Result<u64> {
    if id < 2 * MAX_ID { Ok(id) } else { Err(Error::damaged(what, "its id is larger than one can be").id(id)) }
}

/// The bits of an AMap page as stored, if the page is sound.
pub(super) fn amap(input: &Input, section: u64) -> Option<Bits> {
    let ib = FIRST_AMAP + section * AMAP_SPAN;
    let mut page = vec![0; PAGE as usize];
    input.read_into(ib, &mut page).ok()?;
    let trailer = Variant::Unicode.page_trailer(&page)?;
    let body = page.get(..SLOTS / 8)?;
    let sound = trailer.ptype == ptype::AMAP && trailer.bid == ib && trailer.crc == crc(body);
    let mut bits = Bits::none();
    bits.0.copy_from_slice(body);
    sound.then_some(bits)
}

/// Visits every page of a tree with the id in its trailer. Levels fall from page to page, and pages are not more than the
/// file has room for, so that the walk ends on any input.
fn pages(
    input: &Input,
    v: Variant,
    tree: Tree,
    root: Bref,
    visit: &mut dyn FnMut(Bref, u64, &Page) -> Result<()>,
) -> Result<()> {
    let mut left = input.len() / PAGE;
    let mut stack = vec![(root, None)];
    while let Some((at, level)) = stack.pop() {
        left = left.checked_sub(1).ok_or_else(|| {
            Error::new(Kind::Damaged, "the tree refers to more pages than the file has").within(tree.name())
        })?;
        let page = Page::read(input, v, tree, at, level)?;
        visit(at, page.bid, &page)?;
        if let Some(below) = page.counters.level.checked_sub(1) {
            let children = (0..page.len()).rev().filter_map(|i| v.bt(page.entry(i)?));
            stack.extend(children.map(|(_, child)| (child, Some(below))));
        }
    }
    Ok(())
}
