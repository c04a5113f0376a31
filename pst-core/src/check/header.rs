//! V01, V02 and V12: the header, the size of the file, the counters ([MS-PST] 2.2.2.5, 2.2.2.6).

use super::report::{At, Findings};
use super::trees::{Bbt, Nbt};
use crate::error::{Error, Kind, Result};
use crate::io::Input;
use crate::ndb::crc::crc;
use crate::ndb::disk::{AMAP_SPAN, FIRST_AMAP, HeaderA, HeaderW, MAGIC, MAGIC_CLIENT_OST, MAGIC_CLIENT_PST, SENTINEL};
use crate::ndb::{Bid, Bref, Nid, Variant, nid_type};
use zerocopy::FromBytes;

/// The header's fields that rules look at, in one shape, and its bytes.
pub(super) struct Head {
    bytes: Vec<u8>,
    pub variant: Variant,
    pub ost: bool,
    /// True for a file that Outlook wrote.
    pub genuine: bool,
    pub eof: u64,
    pub amap_last: u64,
    pub amap_free: u64,
    pub pmap_free: u64,
    pub amap_valid: u8,
    pub nbt: Bref,
    pub bbt: Bref,
    pub next_block: u64,
    pub next_page: u64,
    unique: u32,
    rgnid: [u32; 32],
    sentinel: u8,
    crc_partial: u32,
    crc_full: Option<u32>,
}

impl Head {
    /// Reads the header without judging it.
    ///
    /// # Errors
    /// [`Kind::NotThisKind`], [`Kind::Truncated`] or [`Kind::Unsupported`].
    pub fn read(input: &Input) -> Result<Self> {
        let fail = |kind, text: String| Err(Error::new(kind, text).in_file(input.path()));
        let mut bytes = vec![0; input.len().min(564) as usize];
        input.read_into(0, &mut bytes)?;
        if !bytes.starts_with(&MAGIC) {
            return fail(Kind::NotThisKind, "not a PST or OST: the file does not begin with \"!BDN\"".to_owned());
        }
        let Ok((w, _)) = HeaderW::read_from_prefix(&bytes) else {
            return fail(Kind::Truncated, format!("the file ends after {} bytes, within its header", bytes.len()));
        };
        let Some(variant) = Variant::of(w.ver.get()) else {
            return fail(Kind::Unsupported, format!("version {} (wVer) is not one that this program knows", w.ver));
        };
        let ost = w.magic_client == MAGIC_CLIENT_OST;
        if variant == Variant::Ansi
            && let Ok((a, _)) = HeaderA::read_from_prefix(&bytes)
        {
            let bref = |b: crate::ndb::disk::BrefA| Bref { bid: Bid(b.bid.get().into()), ib: b.ib.get().into() };
            return Ok(Self {
                variant,
                ost,
                genuine: true,
                eof: a.root.ib_file_eof.get().into(),
                amap_last: a.root.ib_amap_last.get().into(),
                amap_free: a.root.cb_amap_free.get().into(),
                pmap_free: a.root.cb_pmap_free.get().into(),
                amap_valid: a.root.f_amap_valid,
                nbt: bref(a.root.bref_nbt),
                bbt: bref(a.root.bref_bbt),
                next_block: a.bid_next_b.get().into(),
                next_page: a.bid_next_p.get().into(),
                unique: a.unique.get(),
                rgnid: a.rgnid.map(zerocopy::little_endian::U32::get),
                sentinel: a.sentinel,
                crc_partial: a.crc_partial.get(),
                crc_full: None,
                bytes,
            });
        }
        let bref = |b: crate::ndb::disk::BrefW| Bref { bid: Bid(b.bid.get()), ib: b.ib.get() };
        Ok(Self {
            variant,
            ost,
            genuine: w.rgb_reserved2 != [0; 3] || w.b_reserved != 0,
            eof: w.root.ib_file_eof.get(),
            amap_last: w.root.ib_amap_last.get(),
            amap_free: w.root.cb_amap_free.get(),
            pmap_free: w.root.cb_pmap_free.get(),
            amap_valid: w.root.f_amap_valid,
            nbt: bref(w.root.bref_nbt),
            bbt: bref(w.root.bref_bbt),
            next_block: w.bid_next_b.get(),
            next_page: w.bid_next_p.get(),
            unique: w.unique.get(),
            rgnid: w.rgnid.map(zerocopy::little_endian::U32::get),
            sentinel: w.sentinel,
            crc_partial: w.crc_partial.get(),
            crc_full: Some(w.crc_full.get()),
            bytes,
        })
    }

    /// The variant's name in reports.
    pub fn name(&self) -> &'static str {
        match self.variant {
            Variant::Ansi => "ANSI",
            Variant::Unicode => "Unicode",
            Variant::Unicode4k => "4K",
        }
    }
}

pub(super) fn judge(head: &Head, input: &Input, found: &mut Findings) {
    let ansi = head.variant == Variant::Ansi;
    let client = head.bytes.get(8..10).unwrap_or_default();
    if client != MAGIC_CLIENT_PST && client != MAGIC_CLIENT_OST {
        found.add(1, At::offset(8), format!("wMagicClient is {client:02X?}, neither \"SM\" nor \"SO\""));
    }
    let partial = crc(head.bytes.get(8..479).unwrap_or_default());
    if partial != head.crc_partial {
        let text = format!("dwCRCPartial is 0x{:08X}, but the header's CRC is 0x{partial:08X}", head.crc_partial);
        found.add(1, At::offset(4), text);
    }
    let full = crc(head.bytes.get(8..524).unwrap_or_default());
    if let Some(stored) = head.crc_full.filter(|stored| *stored != full) {
        found.add(1, At::offset(0x20C), format!("dwCRCFull is 0x{stored:08X}, but the header's CRC is 0x{full:08X}"));
    }
    if head.sentinel != SENTINEL {
        let at = if ansi { 0x1CC } else { 0x200 };
        found.add(1, At::offset(at), format!("bSentinel is 0x{:02X}, not 0x80", head.sentinel));
    }
    if head.variant != Variant::Unicode4k {
        size(head, input.len(), found);
    }
}

fn size(head: &Head, len: u64, found: &mut Findings) {
    let ansi = head.variant == Variant::Ansi;
    let at = At::offset(if ansi { 0xA8 } else { 0xB8 });
    let Head { eof, amap_last, .. } = *head;
    if eof != len {
        found.add(2, at, format!("ibFileEof is {eof}, but the file has {len} bytes"));
    }
    let sections = eof.saturating_sub(FIRST_AMAP).div_ceil(AMAP_SPAN);
    if sections == 0 || AMAP_SPAN.saturating_mul(sections).saturating_add(FIRST_AMAP) != eof {
        // Old ANSI files may end inside a section.
        found.either(2, at, !ansi, format!("ibFileEof {eof} does not end an AMap section"));
    }
    let last = FIRST_AMAP + sections.saturating_sub(1) * AMAP_SPAN;
    if amap_last != last {
        let at = At::offset(if ansi { 0xAC } else { 0xC0 });
        found.add(2, at, format!("ibAMapLast is 0x{amap_last:X}, but the last of {sections} AMaps is at 0x{last:X}"));
    }
}

/// V12: what will be allocated next has not been allocated yet.
pub(super) fn counters(head: &Head, nbt: &Nbt, bbt: &Bbt, found: &mut Findings) {
    let ansi = head.variant == Variant::Ansi;
    let [block_at, page_at, unique_at, rgnid_at] =
        if ansi { [0x18, 0x1C, 0x20, 0x24] } else { [0x204, 0x20, 0x28, 0x2C] };
    let block = bbt.blocks.iter().map(|b| b.bid.key()).max().unwrap_or_default();
    if head.next_block <= block {
        let text = format!("bidNextB is 0x{:X}, but block 0x{block:X} exists", head.next_block);
        found.add(12, At::offset(block_at), text);
    }
    let page = nbt.highest_page.max(bbt.highest_page);
    if head.next_page <= page {
        found.add(12, At::offset(page_at), format!("bidNextP is 0x{:X}, but page 0x{page:X} exists", head.next_page));
    }
    if head.unique == 0 {
        found.add(12, At::offset(unique_at), "dwUnique is 0");
    }
    let mut highest = [0u32; 32];
    for node in &nbt.nodes {
        if let Some(slot) = highest.get_mut(usize::from(node.nid.ty())) {
            *slot = (*slot).max(node.nid.index());
        }
    }
    for (ty, (last, highest)) in head.rgnid.iter().zip(highest).enumerate() {
        // Fixed nodes stand below 0x400 and are not counted.
        if highest >= 0x400 && *last < highest {
            let text = format!(
                "rgnid[{ty}] is 0x{last:X}, but node {} with index 0x{highest:X} exists",
                Nid::new(ty as u8, highest)
            );
            let own = matches!(ty as u8, nid_type::NORMAL_FOLDER..=nid_type::NORMAL_MESSAGE | nid_type::ASSOC_MESSAGE);
            found.either(12, At::offset(rgnid_at + 4 * ty as u64), own || !found.genuine(), text);
        }
    }
}
