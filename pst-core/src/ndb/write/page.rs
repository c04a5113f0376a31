//! Pages of B-trees, and their entries, as they are written ([MS-PST] 2.2.2.7.7).

use super::alloc::trailer;
use crate::ndb::crc::{crc, signature};
use crate::ndb::disk;
use crate::ndb::variant::{BlockRef, Bref, Node};
use zerocopy::IntoBytes;
use zerocopy::little_endian::{U16, U32, U64};

/// Entries of a BBT leaf, and of intermediate pages.
pub(super) const BBT_ENTRIES: usize = 20;
/// Entries of an NBT leaf.
pub(super) const NBT_ENTRIES: usize = 15;

/// A B-tree page for its place.
pub(super) fn bt_page(at: Bref, ty: u8, level: u8, cb: u8, max: usize, entries: &[u8], count: usize) -> Vec<u8> {
    let mut page = entries.to_vec();
    page.resize(488, 0);
    let tail = disk::BtPageTail { c_ent: count as u8, c_ent_max: max as u8, cb_ent: cb, c_level: level };
    page.extend_from_slice(tail.as_bytes());
    page.resize(496, 0);
    page.extend_from_slice(trailer(ty, signature(at.ib, at.bid.0), crc(&page), at.bid.0).as_bytes());
    page
}

pub(super) fn nbt_entry(n: &Node) -> disk::NbtEntryW {
    disk::NbtEntryW {
        nid: U64::new(u64::from(n.nid.0)),
        bid_data: U64::new(n.data.0),
        bid_sub: U64::new(n.sub.0),
        nid_parent: U32::new(n.parent.0),
        padding: U32::new(0),
    }
}

pub(super) fn bbt_entry(b: &BlockRef) -> disk::BbtEntryW {
    disk::BbtEntryW {
        bref: bref(Bref { bid: b.bid, ib: b.ib }),
        cb: U16::new(b.cb),
        c_ref: U16::new(b.c_ref),
        padding: U32::new(0),
    }
}

pub(super) fn bref(b: Bref) -> disk::BrefW {
    disk::BrefW { bid: U64::new(b.bid.0), ib: U64::new(b.ib) }
}
