//! The three layouts, decoded into one shape. Nothing above this module knows a width or a page size.

use super::disk::{self, PAGE};
use super::id::{Bid, Nid};
use zerocopy::FromBytes;

/// The layout of a file, from wVer ([MS-PST] 2.2.2.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variant {
    /// wVer 14 or 15: 32-bit offsets.
    Ansi,
    /// wVer 21 or 23: 64-bit offsets, 512-byte pages.
    Unicode,
    /// wVer 36 and above: 4096-byte pages, zlib blocks; OST of Outlook 2013 and later.
    Unicode4k,
}

/// A block or page reference: id and file offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Bref {
    /// The id.
    pub bid: Bid,
    /// File offset, bytes.
    pub ib: u64,
}

/// An entry of the block B-tree ([MS-PST] 2.2.2.7.7.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BlockRef {
    /// The block's id as stored.
    pub bid: Bid,
    /// File offset, bytes.
    pub ib: u64,
    /// Stored bytes without padding and trailer.
    pub cb: u16,
    /// Bytes after inflation where they differ (4K files), else equal to `cb`.
    pub inflated: u16,
    /// Reference count.
    pub c_ref: u16,
}

/// An entry of the node B-tree ([MS-PST] 2.2.2.7.7.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Node {
    /// The node's id.
    pub nid: Nid,
    /// Its data tree; 0 for none.
    pub data: Bid,
    /// Its subnode tree; 0 for none.
    pub sub: Bid,
    /// The parent folder, for folders and messages.
    pub parent: Nid,
}

/// A page trailer ([MS-PST] 2.2.2.7.1).
#[derive(Debug, Clone, Copy)]
pub struct PageTrailer {
    /// Page type.
    pub ptype: u8,
    /// Page type again.
    pub ptype_repeat: u8,
    /// Signature.
    pub sig: u16,
    /// CRC of the bytes before the trailer.
    pub crc: u32,
    /// The page's id.
    pub bid: u64,
}

/// A block trailer ([MS-PST] 2.2.2.8.1).
#[derive(Debug, Clone, Copy)]
pub struct BlockTrailer {
    /// Stored bytes of data.
    pub cb: u16,
    /// Bytes after inflation, 0 where the layout does not say.
    pub inflated: u16,
    /// Signature.
    pub sig: u16,
    /// CRC of the stored data.
    pub crc: u32,
    /// The block's id.
    pub bid: u64,
}

/// The counters of a BTPAGE ([MS-PST] 2.2.2.7.7.1).
#[derive(Debug, Clone, Copy)]
pub struct PageCounters {
    /// Entries.
    pub c_ent: u16,
    /// Room for entries.
    pub c_ent_max: u16,
    /// Bytes of an entry.
    pub cb_ent: u8,
    /// Level, 0 for leaves.
    pub level: u8,
}

impl Variant {
    /// The variant of a wVer.
    pub const fn of(ver: u16) -> Option<Self> {
        match ver {
            14 | 15 => Some(Self::Ansi),
            21 | 23 => Some(Self::Unicode),
            36..=38 => Some(Self::Unicode4k),
            _ => None,
        }
    }

    /// Bytes of a page.
    pub const fn page(self) -> usize {
        match self {
            Self::Unicode4k => 4096,
            _ => PAGE as usize,
        }
    }

    /// Bytes of a page covered by its CRC: all before the trailer.
    pub const fn page_body(self) -> usize {
        match self {
            Self::Ansi => 500,
            Self::Unicode => 496,
            Self::Unicode4k => 4072,
        }
    }

    /// Bytes of a BTPAGE in which entries stand.
    pub const fn entries_area(self) -> usize {
        match self {
            Self::Ansi => 496,
            Self::Unicode => 488,
            Self::Unicode4k => 4056,
        }
    }

    /// Alignment of blocks, bytes.
    pub const fn block_align(self) -> u64 {
        match self {
            Self::Unicode4k => 512,
            _ => 64,
        }
    }

    /// Bytes of a block trailer.
    pub const fn block_trailer(self) -> usize {
        match self {
            Self::Ansi => 12,
            Self::Unicode => 16,
            Self::Unicode4k => 24,
        }
    }

    /// Most data bytes of a block.
    pub const fn block_max(self) -> usize {
        match self {
            Self::Ansi => 8180,
            Self::Unicode => 8176,
            Self::Unicode4k => 65512,
        }
    }

    /// Bytes of data that one byte of the file can stand for, where blocks are packed.
    pub const fn inflation(self) -> u64 {
        match self {
            Self::Unicode4k => u16::MAX as u64 / self.block_align() + 1,
            _ => 1,
        }
    }

    /// Bytes that a block of `cb` stored bytes occupies.
    pub const fn block_size(self, cb: usize) -> u64 {
        let align = self.block_align();
        (cb as u64 + self.block_trailer() as u64).div_ceil(align) * align
    }

    /// Bytes of a BTENTRY.
    pub const fn bt_entry(self) -> usize {
        if matches!(self, Self::Ansi) { 12 } else { 24 }
    }

    /// Bytes of a BBTENTRY.
    pub const fn bbt_entry(self) -> usize {
        if matches!(self, Self::Ansi) { 12 } else { 24 }
    }

    /// Bytes of an NBTENTRY.
    pub const fn nbt_entry(self) -> usize {
        if matches!(self, Self::Ansi) { 16 } else { 32 }
    }

    /// Bytes of a BID in an XBLOCK.
    pub const fn bid(self) -> usize {
        if matches!(self, Self::Ansi) { 4 } else { 8 }
    }

    /// Bytes of the head of an SLBLOCK or SIBLOCK.
    pub const fn sub_head(self) -> usize {
        if matches!(self, Self::Ansi) { 4 } else { 8 }
    }

    /// Bytes of an SLENTRY.
    pub const fn sl_entry(self) -> usize {
        if matches!(self, Self::Ansi) { 12 } else { 24 }
    }

    /// Bytes of an SIENTRY.
    pub const fn si_entry(self) -> usize {
        if matches!(self, Self::Ansi) { 8 } else { 16 }
    }

    /// Splits a HID or HNID into heap block index and 1-based allocation index ([MS-PST] 2.3.1.1).
    pub const fn split_hid(self, hid: u32) -> (usize, usize) {
        match self {
            Self::Unicode4k => ((hid >> 19) as usize, (hid >> 5 & 0x3FFF) as usize),
            _ => ((hid >> 16) as usize, (hid >> 5 & 0x7FF) as usize),
        }
    }

    /// The trailer of a page.
    pub fn page_trailer(self, page: &[u8]) -> Option<PageTrailer> {
        let tail = page.get(self.page_body()..)?;
        Some(match self {
            Self::Ansi => {
                let (t, _) = disk::PageTrailerA::read_from_prefix(tail).ok()?;
                PageTrailer {
                    ptype: t.ptype,
                    ptype_repeat: t.ptype_repeat,
                    sig: t.sig.get(),
                    crc: t.crc.get(),
                    bid: u64::from(t.bid.get()),
                }
            }
            _ => {
                let (t, _) = disk::PageTrailerW::read_from_prefix(tail).ok()?;
                PageTrailer {
                    ptype: t.ptype,
                    ptype_repeat: t.ptype_repeat,
                    sig: t.sig.get(),
                    crc: t.crc.get(),
                    bid: t.bid.get(),
                }
            }
        })
    }

    /// The counters of a BTPAGE.
    pub fn page_counters(self, page: &[u8]) -> Option<PageCounters> {
        let tail = page.get(self.entries_area()..)?;
        Some(match self {
            Self::Unicode4k => {
                let (t, _) = disk::BtPageTail4k::read_from_prefix(tail).ok()?;
                PageCounters { c_ent: t.c_ent.get(), c_ent_max: t.c_ent_max.get(), cb_ent: t.cb_ent, level: t.c_level }
            }
            _ => {
                let (t, _) = disk::BtPageTail::read_from_prefix(tail).ok()?;
                PageCounters {
                    c_ent: u16::from(t.c_ent),
                    c_ent_max: u16::from(t.c_ent_max),
                    cb_ent: t.cb_ent,
                    level: t.c_level,
                }
            }
        })
    }

    /// A BTENTRY: key and child page.
    pub fn bt(self, bytes: &[u8]) -> Option<(u64, Bref)> {
        Some(match self {
            Self::Ansi => {
                let (e, _) = disk::BtEntryA::read_from_prefix(bytes).ok()?;
                (u64::from(e.key.get()), bref_a(e.bref))
            }
            _ => {
                let (e, _) = disk::BtEntryW::read_from_prefix(bytes).ok()?;
                (e.key.get(), bref_w(&e.bref))
            }
        })
    }

    /// A BBTENTRY.
    pub fn bbt(self, bytes: &[u8]) -> Option<BlockRef> {
        Some(match self {
            Self::Ansi => {
                let (e, _) = disk::BbtEntryA::read_from_prefix(bytes).ok()?;
                let Bref { bid, ib } = bref_a(e.bref);
                BlockRef { bid, ib, cb: e.cb.get(), inflated: e.cb.get(), c_ref: e.c_ref.get() }
            }
            Self::Unicode => {
                let (e, _) = disk::BbtEntryW::read_from_prefix(bytes).ok()?;
                let Bref { bid, ib } = bref_w(&e.bref);
                BlockRef { bid, ib, cb: e.cb.get(), inflated: e.cb.get(), c_ref: e.c_ref.get() }
            }
            Self::Unicode4k => {
                let (e, _) = disk::BbtEntry4k::read_from_prefix(bytes).ok()?;
                let Bref { bid, ib } = bref_w(&e.bref);
                let cb = e.cb_stored.get();
                let inflated = if e.cb_inflated.get() == 0 { cb } else { e.cb_inflated.get() };
                BlockRef { bid, ib, cb, inflated, c_ref: e.c_ref.get() }
            }
        })
    }

    /// An NBTENTRY.
    pub fn nbt(self, bytes: &[u8]) -> Option<Node> {
        Some(match self {
            Self::Ansi => {
                let (e, _) = disk::NbtEntryA::read_from_prefix(bytes).ok()?;
                Node {
                    nid: Nid(e.nid.get()),
                    data: Bid(u64::from(e.bid_data.get())),
                    sub: Bid(u64::from(e.bid_sub.get())),
                    parent: Nid(e.nid_parent.get()),
                }
            }
            _ => {
                let (e, _) = disk::NbtEntryW::read_from_prefix(bytes).ok()?;
                Node {
                    nid: Nid(e.nid.get() as u32),
                    data: Bid(e.bid_data.get()),
                    sub: Bid(e.bid_sub.get()),
                    parent: Nid(e.nid_parent.get()),
                }
            }
        })
    }

    /// An SLENTRY; the garbage that Outlook leaves in the upper half of the NID is masked.
    pub fn sl(self, bytes: &[u8]) -> Option<Node> {
        Some(match self {
            Self::Ansi => {
                let (e, _) = disk::SlEntryA::read_from_prefix(bytes).ok()?;
                Node {
                    nid: Nid(e.nid.get()),
                    data: Bid(u64::from(e.bid_data.get())),
                    sub: Bid(u64::from(e.bid_sub.get())),
                    parent: Nid(0),
                }
            }
            _ => {
                let (e, _) = disk::SlEntryW::read_from_prefix(bytes).ok()?;
                Node {
                    nid: Nid(e.nid.get() as u32),
                    data: Bid(e.bid_data.get()),
                    sub: Bid(e.bid_sub.get()),
                    parent: Nid(0),
                }
            }
        })
    }

    /// An SIENTRY: first NID and SLBLOCK.
    pub fn si(self, bytes: &[u8]) -> Option<(Nid, Bid)> {
        Some(match self {
            Self::Ansi => {
                let (e, _) = disk::SiEntryA::read_from_prefix(bytes).ok()?;
                (Nid(e.nid.get()), Bid(u64::from(e.bid.get())))
            }
            _ => {
                let (e, _) = disk::SiEntryW::read_from_prefix(bytes).ok()?;
                (Nid(e.nid.get() as u32), Bid(e.bid.get()))
            }
        })
    }

    /// A BID of an XBLOCK.
    pub fn x_bid(self, bytes: &[u8]) -> Option<Bid> {
        match self {
            Self::Ansi => bytes.get(..4)?.try_into().ok().map(|b| Bid(u64::from(u32::from_le_bytes(b)))),
            _ => bytes.get(..8)?.try_into().ok().map(|b| Bid(u64::from_le_bytes(b))),
        }
    }

    /// A block trailer.
    pub fn block_trailer_of(self, bytes: &[u8]) -> Option<BlockTrailer> {
        Some(match self {
            Self::Ansi => {
                let (t, _) = disk::BlockTrailerA::read_from_prefix(bytes).ok()?;
                let bid = u64::from(t.bid.get());
                BlockTrailer { cb: t.cb.get(), inflated: 0, sig: t.sig.get(), crc: t.crc.get(), bid }
            }
            Self::Unicode => {
                let (t, _) = disk::BlockTrailerW::read_from_prefix(bytes).ok()?;
                BlockTrailer { cb: t.cb.get(), inflated: 0, sig: t.sig.get(), crc: t.crc.get(), bid: t.bid.get() }
            }
            Self::Unicode4k => {
                let (t, _) = disk::BlockTrailer4k::read_from_prefix(bytes).ok()?;
                let inflated = t.cb_inflated.get();
                BlockTrailer { cb: t.cb.get(), inflated, sig: t.sig.get(), crc: t.crc.get(), bid: t.bid.get() }
            }
        })
    }
}

pub(super) fn bref_w(b: &disk::BrefW) -> Bref {
    Bref { bid: Bid(b.bid.get()), ib: b.ib.get() }
}

pub(super) fn bref_a(b: disk::BrefA) -> Bref {
    Bref { bid: Bid(u64::from(b.bid.get())), ib: u64::from(b.ib.get()) }
}
