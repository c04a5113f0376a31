//! A header in place of one that cannot be read.

use super::scan::{Found, scan};
use crate::error::{Error, Kind, Result};
use crate::io::Input;
use crate::ltp::heap::client;
use crate::ndb::page::{Page, Tree};
use crate::ndb::{Bref, Crypt, Header, Variant};

/// Blocks that are asked how they are encoded.
const ASKED: usize = 200;

/// The header of a file whose own is damaged, with what was found by it: the layout in which most pages and blocks prove
/// themselves, and the encoding in which most nodes are heaps. Trees have no roots.
///
/// # Errors
/// When the file cannot be read, or no layout fits.
pub fn guess(input: &Input, known: Option<&Header>) -> Result<(Header, Found)> {
    let mut best: Option<(Variant, Found)> = None;
    for v in [Variant::Unicode, Variant::Ansi, Variant::Unicode4k] {
        let found = scan(input, v)?;
        let weight = |f: &Found| f.leaves.len() + f.blocks.len();
        if best.as_ref().is_none_or(|(_, other)| weight(other) < weight(&found)) {
            best = Some((v, found));
        }
    }
    let Some((variant, found)) = best.filter(|(_, f)| !f.leaves.is_empty()) else {
        let text = "nothing in this file is of a PST or OST";
        return Err(Error::new(Kind::NotThisKind, text).in_file(input.path()));
    };
    let mut header = Header {
        variant,
        ost: known.is_some_and(|h| h.ost),
        magic_client: *b"SM",
        ver: 23,
        ver_client: 19,
        crypt: Crypt::Permute,
        sentinel: 0x80,
        bid_next_b: 0,
        bid_next_p: 0,
        unique: 0,
        rgnid: [0; 32],
        eof: input.len(),
        amap_last: 0,
        amap_free: 0,
        pmap_free: 0,
        nbt: Bref::default(),
        bbt: Bref::default(),
        amap_valid: 0,
        crc_partial_ok: false,
        crc_full_ok: false,
        build: 0,
    };
    header.crypt = encoding(input, &found);
    // Roots that still lead somewhere are better than none.
    let leads = |h: &&Header| h.variant == variant && Page::read(input, variant, Tree::Nbt, h.nbt, None).is_ok();
    if let Some(h) = known.filter(leads) {
        (header.nbt, header.bbt) = (h.nbt, h.bbt);
    }
    Ok((header, found))
}

/// The encoding by which most data blocks begin as heaps do ([MS-PST] 2.3.1.2).
fn encoding(input: &Input, found: &Found) -> Crypt {
    let heads: Vec<(u64, [u8; 4])> = found
        .blocks
        .iter()
        .filter(|b| !b.bid.is_internal() && b.cb >= 4 && b.inflated == b.cb)
        .filter_map(|b| {
            let mut head = [0; 4];
            input.read_into(b.ib, &mut head).ok().map(|()| (b.bid.0, head))
        })
        .take(ASKED)
        .collect();
    let heaps = |crypt: &Crypt| {
        let is_heap = |(bid, head): &&(u64, [u8; 4])| {
            let mut head = *head;
            crypt.decode(&mut head, *bid, 0);
            matches!(head, [_, _, 0xEC, client::TC | client::BTH | client::PC | client::HMP])
        };
        heads.iter().filter(is_heap).count()
    };
    [Crypt::None, Crypt::Cyclic, Crypt::Permute].into_iter().max_by_key(heaps).unwrap_or(Crypt::Permute)
}
