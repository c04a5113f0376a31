//! Sums and signatures of pages and blocks, set right after their bytes were changed, in any layout.

use pst_core::ndb::crc::{crc, signature};
use pst_core::ndb::disk::ptype;
use pst_core::ndb::{BlockRef, Variant};

/// Sets sum and signature of the page at an offset, if it says its kind twice.
pub fn page(v: Variant, at: usize, page: &mut [u8]) {
    let (Some(known), sum) = (v.page_trailer(page), crc(&page[..v.page_body()])) else { return };
    if known.ptype == known.ptype_repeat && (ptype::BBT..=ptype::DLIST).contains(&known.ptype) {
        trailer(v, &mut page[v.page_body()..], signature(at as u64, known.bid), sum, known.bid);
    }
}

/// Sets size, sum, signature and id of a block as it is stored: data, padding and trailer.
pub fn block(v: Variant, block: &BlockRef, stored: &mut [u8]) {
    let (sum, at) = (crc(&stored[..usize::from(block.cb)]), stored.len() - v.block_trailer());
    trailer(v, &mut stored[at..], signature(block.ib, block.bid.0), sum, block.bid.0);
    stored[at..at + 2].copy_from_slice(&block.cb.to_le_bytes());
}

/// Signature, sum and id of a trailer, which stand alike in pages and blocks.
fn trailer(v: Variant, bytes: &mut [u8], signature: u16, sum: u32, bid: u64) {
    bytes[2..4].copy_from_slice(&signature.to_le_bytes());
    if v == Variant::Ansi {
        bytes[4..8].copy_from_slice(&(bid as u32).to_le_bytes());
        bytes[8..12].copy_from_slice(&sum.to_le_bytes());
    } else {
        bytes[4..8].copy_from_slice(&sum.to_le_bytes());
        bytes[8..16].copy_from_slice(&bid.to_le_bytes());
    }
}
