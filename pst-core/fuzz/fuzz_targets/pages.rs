//! The two B-trees. The first byte chooses the layout; then come pages, of 512 or 4096 bytes: the first is the root of the
//! NBT, the second that of the BBT, and references are bent so that they meet pages that are there.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pst_core::check;
use pst_core::io::Input;
use pst_core::messaging::Store;
use pst_core::ndb::disk::ptype;
use pst_core::ndb::{Bid, Ndb, Nid, Variant};
use pst_fuzz::files;
use std::sync::Arc;

const LAYOUTS: [(Variant, u8); 3] = [(Variant::Ansi, 15), (Variant::Unicode, 23), (Variant::Unicode4k, 36)];
/// Where the first page stands.
const FIRST: usize = 0x4000;
const MOST: usize = 64;

/// The id that a page has.
const fn id(i: usize) -> u64 {
    4 * (i as u64 + 1)
}

/// Makes page and its references fit the file; `count` is the number of pages.
fn bend(v: Variant, i: usize, count: usize, page: &mut [u8]) {
    let kind = if i < 2 { [ptype::NBT, ptype::BBT][i] } else { ptype::BBT + page[v.page_body()] % 2 };
    let Some(counters) = v.page_counters(page) else { return };
    let place = |at: usize| (at % count, (FIRST + at % count * v.page()) as u64);
    if counters.level > 0 {
        for entry in (0..usize::from(counters.c_ent)).map(|n| n * usize::from(counters.cb_ent)) {
            let wide = v != Variant::Ansi;
            let Some(reference) = page.get_mut(entry + if wide { 8 } else { 4 }..entry + v.bt_entry()) else { break };
            let (to, ib) = place(usize::from(reference[0]));
            let (first, second) = reference.split_at_mut(if wide { 8 } else { 4 });
            first.copy_from_slice(&id(to).to_le_bytes()[..first.len()]);
            second.copy_from_slice(&ib.to_le_bytes()[..second.len()]);
        }
    }
    let at = v.page_body();
    page[at..at + 2].fill(kind);
    let bid = id(i).to_le_bytes();
    if v == Variant::Ansi {
        page[at + 4..at + 8].copy_from_slice(&bid[..4]);
    } else {
        page[at + 8..at + 16].copy_from_slice(&bid);
    }
}

fn file(v: Variant, version: u8, pages: &[u8]) -> Vec<u8> {
    let count = (pages.len() / v.page()).min(MOST);
    let mut bytes = vec![0; FIRST + count * v.page()];
    bytes[..4].copy_from_slice(b"!BDN");
    bytes[8..12].copy_from_slice(&[b'S', b'M', version, 0]);
    let roots = if v == Variant::Ansi { [0xB8, 0xC0] } else { [0xD8, 0xE8] };
    for (i, at) in roots.into_iter().enumerate() {
        let (bid, ib) = (id(i), (FIRST + i * v.page()) as u64);
        if v == Variant::Ansi {
            bytes[at..at + 4].copy_from_slice(&(bid as u32).to_le_bytes());
            bytes[at + 4..at + 8].copy_from_slice(&(ib as u32).to_le_bytes());
        } else {
            bytes[at..at + 8].copy_from_slice(&bid.to_le_bytes());
            bytes[at + 8..at + 16].copy_from_slice(&ib.to_le_bytes());
        }
    }
    for i in 0..count {
        let page = &mut bytes[FIRST + i * v.page()..FIRST + (i + 1) * v.page()];
        page.copy_from_slice(&pages[i * v.page()..(i + 1) * v.page()]);
        bend(v, i, count, page);
    }
    files::summed(bytes)
}

fuzz_target!(|data: &[u8]| {
    let Some((layout, pages)) = data.split_first() else { return };
    let (v, version) = LAYOUTS[usize::from(*layout) % LAYOUTS.len()];
    if pages.len() < 2 * v.page() {
        return;
    }
    let bytes = file(v, version, pages);
    let _ = check::judge(Input::from_bytes(bytes.clone(), "fuzz.pst"));
    let Ok(ndb) = Ndb::new(Input::from_bytes(bytes, "fuzz.pst")) else { return };
    let nodes = ndb.nodes().count() + ndb.blocks().count();
    assert!(nodes <= 2 * 64 * 64 * 254, "{nodes} entries of so few pages");
    for key in [0, 0x21, 0x122, 0x8022, u32::MAX] {
        let _ = ndb.node(Nid(key));
        let _ = ndb.block(Bid(u64::from(key)));
    }
    files::read_all(&Store::new(Arc::new(ndb)));
});
