//! Rules of lists, tables and properties: heaps, trees on them, property and table contexts ([MS-PST] 2.3).

use super::{ALONE, FIRST_OF_MANY, PLAIN, only};
use crate::support::forge::Forge;

#[test]
fn v15_heaps() {
    only("V15", "a fill level", |f| {
        let bid = f.node(PLAIN).data;
        f.data(bid, |b| b[8] = 5);
    });
    only("V15", "cFree", |f| {
        let bid = f.node(PLAIN).data;
        f.data(bid, |b| {
            let map = u16::from_le_bytes([b[0], b[1]]) as usize;
            b[map + 2] = 1;
        });
    });
    only("V15", "the client signature", |f| {
        let bid = f.node(0x6B6).data;
        f.data(bid, |b| b[3] = 0xB5);
    });
}

/// The contents table of the large folder.
fn large_table(f: &Forge) -> (u64, u64) {
    let folder = f.node(FIRST_OF_MANY).parent;
    let node = f.node((folder & !0x1F) | 0xE);
    (node.data, node.sub)
}

#[test]
fn v16_trees_on_heaps() {
    only("V16", "an index key that is not the first of its leaf", |f| {
        let (tree, _) = large_table(f);
        let info = f.read(f.alloc(tree, f.root(tree)));
        let header = f.read(f.alloc(tree, u32::from_le_bytes(info[10..14].try_into().unwrap())));
        assert_eq!(header[3], 1, "index levels");
        let index = f.alloc(tree, u32::from_le_bytes(header[4..8].try_into().unwrap()));
        let key = u32::from_le_bytes(f.read(index)[8..12].try_into().unwrap()) - 1;
        f.change(index, 8, &key.to_le_bytes());
    });
    only("V16", "records out of order", |f| {
        let tree = f.node(PLAIN).data;
        let (leaf, at) = f.record(tree, 0x0E07);
        let mut pair = f.read(leaf)[at..at + 16].to_vec();
        pair.rotate_left(8);
        f.change(leaf, at, &pair);
    });
}

#[test]
fn v17_property_contexts() {
    only("V17", "a Boolean of 0x100", |f| {
        let tree = f.node(PLAIN).data;
        f.set_raw(tree, 0x3016, 0x101);
    });
    only("V17", "an HNID that points nowhere", |f| {
        let tree = f.node(PLAIN).data;
        f.set_raw(tree, 0x1000, 0x7FE0);
    });
    only("V17", "a NUL at the end of a text", |f| {
        let tree = f.node(PLAIN).data;
        let body = f.value(tree, 0x1000);
        f.change(body, body.len - 2, &[0, 0]);
    });
}

#[test]
fn v18_tables() {
    let alone = |f: &Forge| f.node((f.node(ALONE).parent & !0x1F) | 0xE).data;
    only("V18", "a row id that the index does not name", |f| {
        let tree = alone(f);
        let (rows, _, _) = f.cell(tree, 0x67F2_0003);
        f.change(rows, 0, &(ALONE + 0x20).to_le_bytes());
    });
    only("V18", "two columns with one bit", |f| {
        let tree = alone(f);
        let info = f.alloc(tree, f.root(tree));
        let bit = f.read(info)[22 + 8 * 5 + 7];
        let other = f.read(info)[22 + 8 * 4 + 7];
        assert_ne!(bit, other);
        // The template's last two columns but two, both absent in this row: 0x0E3C and 0x0E3D.
        let at =
            |tag: u32| (0..28).map(|i| 22 + 8 * i).find(|at| f.read(info)[*at..*at + 4] == tag.to_le_bytes()).unwrap();
        let (a, b) = (at(0x0E3C_0102), at(0x0E3D_0102));
        let bit = f.read(info)[a + 7];
        f.change(info, b + 7, &[bit]);
    });
}

#[test]
fn v19_rows() {
    only("V19", "an absent cell that is not zero", |f| {
        let tree = f.node((f.node(ALONE).parent & !0x1F) | 0xE).data;
        let (rows, _, at) = f.cell(tree, 0x0E3C_0102);
        f.change(rows, at, &[1]);
    });
    only("V19", "bytes behind the rows of a block", |f| {
        let (tree, sub) = large_table(f);
        let info = f.read(f.alloc(tree, f.root(tree)));
        let (matrix, _) = f.subnode(sub, u32::from_le_bytes(info[14..18].try_into().unwrap()));
        let first = f.leaves(matrix)[0];
        f.data(first, |b| *b.last_mut().unwrap() = 1);
    });
}
