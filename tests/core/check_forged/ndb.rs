//! Rules of the node database: header, maps of allocation, B-trees, blocks and what they count ([MS-PST] 2.2).

use super::{FULL, PLAIN, attached, only};
use crate::support::forge::Forge;

#[test]
fn v01_header() {
    only("V01", "dwCRCPartial", |f| f.bytes[4] ^= 1);
    only("V01", "dwCRCFull", |f| f.bytes[0x20C] ^= 1);
    only("V01", "bSentinel", |f| f.header(0x200, &[0x7F]));
    only("V01", "wMagicClient", |f| f.header(8, b"AB"));
}

#[test]
fn v02_sizes() {
    only("V02", "more bytes than ibFileEof", |f| f.bytes.extend([0; 512]));
    only("V02", "ibAMapLast", |f| f.header(0xC0, &0x4600u64.to_le_bytes()));
}

#[test]
fn v03_amap_pages() {
    only("V03", "bid", |f| f.put(0x4400 + 504, &0x4600u64.to_le_bytes()));
    only("V03", "CRC", |f| f.bytes[0x4400 + 500] ^= 1);
    only("V03", "wSig", |f| f.bytes[0x4400 + 498] ^= 1);
}

#[test]
fn v04_pmap_pages() {
    only("V04", "bid", |f| f.put(0x4600 + 504, &0x4400u64.to_le_bytes()));
    only("V04", "ptype", |f| f.bytes[0x4600 + 496] = 0x84);
}

#[test]
fn v05_allocation() {
    // A slot of the last section called free that a block stands in, or taken that nothing stands in.
    let free = |f: &Forge| f.u64(0xC8);
    only("V05", "a taken slot called free", |f| {
        let (last, more) = (f.u64(0xC0) as usize, free(f) + 64);
        f.page(last, |map| {
            let byte = map.iter().rposition(|b| *b != 0).unwrap();
            map[byte] &= map[byte] - 1;
        });
        f.header(0xC8, &more.to_le_bytes());
    });
    only("V05", "a free slot called taken", |f| {
        let (last, less) = (f.u64(0xC0) as usize, free(f) - 64);
        f.page(last, |map| map[495] |= 1);
        f.header(0xC8, &less.to_le_bytes());
    });
    only("V05", "fAMapValid", |f| f.header(0xF8, &[0]));
}

#[test]
fn v06_free_counts_and_density_list() {
    only("V06", "cbAMapFree", |f| {
        let more = f.u64(0xC8) + 64;
        f.header(0xC8, &more.to_le_bytes());
    });
    only("V06", "the list's CRC", |f| f.bytes[0x4200 + 500] ^= 1);
    only("V06", "the list's id", |f| {
        let (bid, ib) = (f.u64(0x4200 + 504) + 1, 0x4200u64);
        f.put(0x4200 + 504, &bid.to_le_bytes());
        let x = (ib ^ bid) as u32;
        f.put(0x4200 + 498, &((x >> 16) as u16 ^ x as u16).to_le_bytes());
    });
    only("V06", "an entry that promises too much", |f| {
        f.page(0x4200, |list| {
            list[1] = 1;
            list[8..12].copy_from_slice(&(4000u32 << 20).to_le_bytes());
        });
    });
}

#[test]
fn v07_tree_pages() {
    let leaf = |f: &Forge| f.nbt().into_iter().find(|(_, level)| *level == 0).unwrap().0;
    only("V07", "wSig", |f| {
        let at = leaf(f) + 498;
        f.bytes[at] ^= 1;
    });
    only("V07", "bid", |f| {
        // The signature goes with the id.
        let ib = leaf(f);
        let bid = f.u64(ib + 504) ^ 0x100;
        f.put(ib + 504, &bid.to_le_bytes());
        let x = (ib as u64 ^ bid) as u32;
        f.put(ib + 498, &((x >> 16) as u16 ^ x as u16).to_le_bytes());
    });
}

#[test]
fn v08_tree_order_and_counts() {
    only("V08", "cEntMax", |f| {
        let ib = f.bbt().last().unwrap().0;
        f.page(ib, |page| page[489] -= 1);
    });
    only("V08", "a parent's key", |f| {
        let (ib, _) = f.nbt().into_iter().find(|(_, level)| *level == 1).unwrap();
        let key = f.u64(ib + 24) - 1;
        f.page(ib, |page| page[24..32].copy_from_slice(&key.to_le_bytes()));
    });
    only("V08", "entries out of order", |f| {
        // Two blocks change places in their leaf.
        let (ib, _) = f.bbt().into_iter().find(|(_, level)| *level == 0).unwrap();
        f.page(ib, |page| {
            let (a, b) = page[24..72].split_at_mut(24);
            a.swap_with_slice(b);
        });
    });
}

#[test]
fn v09_blocks() {
    let end = |f: &Forge, bid: u64| {
        let b = f.block(bid);
        b.ib + (b.cb + 16).next_multiple_of(64) - 16
    };
    for (what, offset) in [("cb", 0), ("wSig", 2), ("dwCRC", 4), ("bid", 8)] {
        only("V09", what, |f| {
            // A block of the large attachment: nothing above looks into it.
            let (data, sub) = (f.node(FULL).data, f.node(FULL).sub);
            assert_ne!(data, 0);
            let (attachment, below) = f.subnode(sub, 0x8025);
            let (value, _) = f.subnode(below, f.raw(attachment, 0x3701));
            let at = end(f, f.leaves(value)[1]) + offset;
            f.bytes[at] ^= 4;
        });
    }
}

#[test]
fn v10_reference_counts() {
    only("V10", "cRef", |f| {
        let entry = f.block(f.node(PLAIN).data).entry;
        f.entry(entry + 18, &3u16.to_le_bytes());
    });
}

#[test]
fn v11_references() {
    only("V11", "bidData that does not exist", |f| {
        let entry = f.node(0x1E1).entry;
        f.entry(entry + 8, &0xFFF_FFF0u64.to_le_bytes());
    });
    only("V11", "bidSub that does not exist", |f| {
        let entry = f.node(0x261).entry;
        f.entry(entry + 16, &0xFFF_FFF2u64.to_le_bytes());
    });
    only("V11", "an orphan", |f| {
        // The search activity list loses its data.
        let entry = f.node(0x201).entry;
        f.entry(entry + 8, &0u64.to_le_bytes());
    });
}

#[test]
fn v12_counters() {
    only("V12", "bidNextB", |f| {
        let less = f.u64(0x204) - 4;
        f.header(0x204, &less.to_le_bytes());
    });
    only("V12", "rgnid of messages", |f| f.header(0x2C + 4 * 4, &0x10001u32.to_le_bytes()));
    only("V12", "dwUnique", |f| f.header(0x28, &[0; 4]));
}

#[test]
fn v13_data_trees() {
    let tree = |f: &Forge| {
        let (pc, below) = attached(f, 0x8025);
        f.subnode(below, f.raw(pc, 0x3701)).0
    };
    only("V13", "lcbTotal", |f| {
        let bid = tree(f);
        f.data(bid, |b| b[4] ^= 1);
    });
    only("V13", "bit 0 of an entry", |f| {
        let bid = tree(f);
        f.data(bid, |b| b[8] |= 1);
    });
    only("V13", "a short block in the middle", |f| {
        let bid = tree(f);
        f.data(bid, |b| {
            let (first, last) = (8, b.len() - 8);
            for i in 0..8 {
                b.swap(first + i, last + i);
            }
        });
    });
}

#[test]
fn v14_subnode_trees() {
    only("V14", "the upper half of a NID", |f| {
        let sub = f.node(FULL).sub;
        f.data(sub, |b| b[12] = 1);
    });
    only("V14", "entries out of order", |f| {
        let sub = f.node(FULL).sub;
        f.data(sub, |b| {
            let (a, c) = b[8..56].split_at_mut(24);
            a.swap_with_slice(c);
        });
    });
}
