//! Rules of messaging: store, folders, items and what they hold, names ([MS-PST] 2.4).

use super::{ALONE, FIRST_OF_MANY, PLAIN, RICH, attached, only};
use crate::support::forge::Forge;

/// Gives a node another id, where both stand between the same neighbours.
fn renumber(f: &mut Forge, nid: u32, to: u32) {
    let nodes = f.nodes();
    let i = nodes.iter().position(|n| n.nid == nid).unwrap();
    assert!(nodes[i - 1].nid < to && to < nodes[i + 1].nid, "0x{to:X} is out of order");
    let entry = nodes[i].entry;
    assert_ne!(entry % 512, 0, "the first of its page");
    f.entry(entry, &u64::from(to).to_le_bytes());
}

#[test]
fn v20_mandatory_nodes() {
    only("V20", "no search folder template", |f| renumber(f, 0xEC1, 0xEE1));
    only("V20", "no outgoing queue", |f| renumber(f, 0x64C, 0x64B));
    only("V20", "a template that lacks a column", |f| {
        // ConversationId of the contents template becomes a property that nobody demands.
        let tree = f.node(0x60E).data;
        let info = f.alloc(tree, f.root(tree));
        let at = f.read(info).windows(4).position(|w| w == 0x3013_0102u32.to_le_bytes()).unwrap();
        f.change(info, at, &0x3014_0102u32.to_le_bytes());
    });
}

#[test]
fn v21_store_object() {
    let store = |f: &Forge| f.node(0x21).data;
    only("V21", "an entry id with another key", |f| {
        let id = f.value(store(f), 0x35E3);
        f.change(id, 4, b"X");
    });
    only("V21", "an entry id of no folder", |f| {
        let id = f.value(store(f), 0x35E0);
        f.change(id, 20, &0x9022u32.to_le_bytes());
    });
    only("V21", "the mask", |f| {
        let mask = f.raw(store(f), 0x35DF) | 4;
        f.set_raw(store(f), 0x35DF, mask);
    });
}

#[test]
fn v22_folders() {
    only("V22", "nidParent that is no folder", |f| {
        let entry = f.node(f.node(ALONE).parent).entry;
        f.entry(entry + 24, &0x21u32.to_le_bytes());
    });
    only("V22", "parents in a circle", |f| {
        let calendar = f.node(f.node(FIRST_OF_MANY).parent).parent;
        let entry = f.node(calendar).entry;
        let many = f.node(FIRST_OF_MANY).parent;
        f.entry(entry + 24, &many.to_le_bytes());
    });
    only("V22", "no associated contents table", |f| {
        // It stays, under a type of id that means nothing to the folder, and the header knows that type.
        let table = (f.node(ALONE).parent & !0x1F) | 0xF;
        renumber(f, table, table & !0x1F | 0x13);
        f.header(0x2C + 4 * 0x13, &(table >> 5).to_le_bytes());
    });
}

#[test]
fn v23_rows_and_objects() {
    let alone = |f: &Forge| (f.node(ALONE).parent & !0x1F) | 0xE;
    only("V23", "a cell that differs", |f| {
        let tree = f.node(alone(f)).data;
        let (rows, _, at) = f.cell(tree, 0x0017_0003);
        f.change(rows, at, &[2]);
    });
    only("V23", "the number of items", |f| {
        // In the folder and in its row, so that they agree.
        let folder = f.node(ALONE).parent;
        let pc = f.node(folder).data;
        f.set_raw(pc, 0x3602, 2);
        let tree = f.node(0x802D).data;
        let (rows, width, id) = f.cell(tree, 0x67F2_0003);
        let (_, _, at) = f.cell(tree, 0x3602_0003);
        let all = f.read(rows);
        let row = (0..all.len() / width).find(|r| all[r * width + id..][..4] == folder.to_le_bytes()).unwrap();
        f.change(rows, row * width + at, &[2]);
    });
}

#[test]
fn v24_lists() {
    only("V24", "nidParent is another folder", |f| {
        let other = f.node(PLAIN).parent;
        let entry = f.node(ALONE).entry;
        f.entry(entry + 24, &other.to_le_bytes());
    });
}

#[test]
fn v25_items() {
    only("V25", "no creation time", |f| {
        let tree = f.node(PLAIN).data;
        let (leaf, at) = f.record(tree, 0x3007);
        f.change(leaf, at, &0x3006u16.to_le_bytes());
    });
    only("V25", "a wrong size", |f| {
        let size = f.raw(f.node(ALONE).data, 0x0E08) + 1;
        both(f, 0x0E08_0003, size);
    });
    only("V25", "a flag for attachments that are not there", |f| both(f, 0x0E07_0003, 0x11));
}

/// Sets a property of the message that is alone in its folder, and its cell.
fn both(f: &mut Forge, tag: u32, value: u32) {
    let node = f.node(ALONE);
    f.set_raw(node.data, (tag >> 16) as u16, value);
    let tree = f.node((node.parent & !0x1F) | 0xE).data;
    let (rows, _, at) = f.cell(tree, tag);
    f.change(rows, at, &value.to_le_bytes());
}

#[test]
fn v26_recipients() {
    only("V26", "row id 0", |f| {
        let (tree, _) = f.subnode(f.node(PLAIN).sub, 0x692);
        let info = f.read(f.alloc(tree, f.root(tree)));
        let header = f.read(f.alloc(tree, u32::from_le_bytes(info[10..14].try_into().unwrap())));
        let leaf = f.alloc(tree, u32::from_le_bytes(header[4..8].try_into().unwrap()));
        f.change(leaf, 0, &[0; 4]);
        let (rows, _, _) = f.cell(tree, 0x67F2_0003);
        f.change(rows, 0, &[0; 4]);
    });
}

/// Sets a property of an attachment, and its cell in the attachment table.
fn attachment_prop(f: &mut Forge, nid: u32, tag: u32, value: u32) {
    let (pc, _) = attached(f, nid);
    f.set_raw(pc, (tag >> 16) as u16, value);
    let (table, _) = attached(f, 0x671);
    let (rows, width, id) = f.cell(table, 0x67F2_0003);
    let (_, _, at) = f.cell(table, tag);
    let all = f.read(rows);
    let row = (0..all.len() / width).find(|r| all[r * width + id..][..4] == nid.to_le_bytes()).unwrap();
    f.change(rows, row * width + at, &value.to_le_bytes());
}

#[test]
fn v27_attachments() {
    only("V27", "a method without data", |f| attachment_prop(f, 0x8025, 0x3705_0003, 7));
    only("V27", "a wrong size", |f| {
        let size = f.raw(attached(f, 0x8045).0, 0x0E20) + 1;
        attachment_prop(f, 0x8045, 0x0E20_0003, size);
    });
    only("V27", "a cell that differs", |f| {
        let (table, _) = attached(f, 0x671);
        let (rows, _, at) = f.cell(table, 0x370B_0003);
        f.change(rows, at, &[7]);
    });
}

#[test]
fn v28_embedded_messages() {
    only("V28", "ulSize", |f| {
        let (pc, _) = attached(f, 0x8065);
        let object = f.value(pc, 0x3701);
        let size = u32::from_le_bytes(f.read(object)[4..8].try_into().unwrap()) + 1;
        f.change(object, 4, &size.to_le_bytes());
        // The attachment's size counts it.
        let size = f.raw(pc, 0x0E20) + 1;
        attachment_prop(f, 0x8065, 0x0E20_0003, size);
    });
}

#[test]
fn v29_names() {
    let map = |f: &Forge| f.node(0x61).data;
    only("V29", "a name in no bucket", |f| {
        let tree = map(f);
        let header = f.read(f.alloc(tree, f.root(tree)));
        let leaf = f.read(f.alloc(tree, u32::from_le_bytes(header[4..8].try_into().unwrap())));
        let bucket = leaf.chunks(8).map(|r| u16::from_le_bytes([r[0], r[1]])).find(|id| *id >= 0x1000).unwrap();
        let records = f.value(tree, bucket);
        f.change(records, 0, &[0xEE]);
    });
    only("V29", "wPropIdx", |f| {
        let entries = f.value(map(f), 3);
        let last = entries.len - 2;
        f.change(entries, last, &0x1234u16.to_le_bytes());
    });
    only("V29", "a property without a name", |f| {
        let tree = f.node(PLAIN).data;
        let header = f.read(f.alloc(tree, f.root(tree)));
        let leaf = f.read(f.alloc(tree, u32::from_le_bytes(header[4..8].try_into().unwrap())));
        let id = leaf.chunks(8).map(|r| u16::from_le_bytes([r[0], r[1]])).find(|id| *id >= 0x8000).unwrap();
        let (leaf, at) = f.record(tree, id);
        f.change(leaf, at, &0xFFF0u16.to_le_bytes());
    });
}

#[test]
fn v30_hierarchy_map() {
    only("V30", "an entry for another item", |f| {
        let tree = f.node(0xC01).data;
        let root = f.read(f.alloc(tree, f.root(tree)));
        let header = f.read(f.alloc(tree, u32::from_le_bytes(root[..4].try_into().unwrap())));
        let leaf = f.alloc(tree, u32::from_le_bytes(header[4..8].try_into().unwrap()));
        f.change(leaf, 16, &RICH.to_le_bytes());
    });
}

#[test]
fn v31_subject() {
    only("V31", "a prefix longer than the subject", |f| {
        let node = f.node(ALONE);
        let value = f.value(node.data, 0x0037);
        f.change(value, 2, &200u16.to_le_bytes());
        let tree = f.node((node.parent & !0x1F) | 0xE).data;
        let (rows, _, at) = f.cell(tree, 0x0037_001F);
        let hid = u32::from_le_bytes(f.read(rows)[at..at + 4].try_into().unwrap());
        let cell = f.alloc(tree, hid);
        f.change(cell, 2, &200u16.to_le_bytes());
    });
}

#[test]
fn v32_rich_text() {
    only("V32", "CRC", |f| {
        let value = f.value(f.node(RICH).data, 0x1009);
        let byte = f.read(value)[12] ^ 1;
        f.change(value, 12, &[byte]);
    });
    only("V32", "COMPSIZE", |f| {
        let value = f.value(f.node(RICH).data, 0x1009);
        let byte = f.read(value)[0] + 1;
        f.change(value, 0, &[byte]);
    });
}

#[test]
fn v33_times_and_code_pages() {
    only("V33", "a time past all calendars", |f| {
        let value = f.value(f.node(PLAIN).data, 0x0030);
        f.change(value, 0, &u64::MAX.to_le_bytes());
    });
    only("V33", "HTML without a code page", |f| {
        // 0x3FDE becomes a property that nobody knows.
        let tree = f.node(RICH).data;
        let (leaf, at) = f.record(tree, 0x3FDE);
        f.change(leaf, at, &0x3FDCu16.to_le_bytes());
    });
}

#[test]
fn v34_reserved_ids() {
    only("V34", "a message below index 0x400", |f| {
        // Its node moves to the front of its kind, and its row with it.
        const TO: u32 = 0x7FE4;
        let node = f.node(ALONE);
        move_node(f, ALONE, TO);
        let tree = f.node((node.parent & !0x1F) | 0xE).data;
        let info = f.read(f.alloc(tree, f.root(tree)));
        let header = f.read(f.alloc(tree, u32::from_le_bytes(info[10..14].try_into().unwrap())));
        let leaf = f.alloc(tree, u32::from_le_bytes(header[4..8].try_into().unwrap()));
        f.change(leaf, 0, &TO.to_le_bytes());
        let (rows, _, _) = f.cell(tree, 0x67F2_0003);
        f.change(rows, 0, &TO.to_le_bytes());
    });
}

/// Gives a node another id and writes all leaves of the NBT again, in order, with the keys above them.
fn move_node(f: &mut Forge, nid: u32, to: u32) {
    let mut entries: Vec<Vec<u8>> = f.nodes().iter().map(|n| f.bytes[n.entry..n.entry + 32].to_vec()).collect();
    let slots: Vec<usize> = f.nodes().iter().map(|n| n.entry).collect();
    for e in entries.iter_mut().filter(|e| e[..4] == nid.to_le_bytes()) {
        e[..4].copy_from_slice(&to.to_le_bytes());
    }
    entries.sort_by_key(|e| u32::from_le_bytes(e[..4].try_into().unwrap()));
    for (slot, entry) in slots.iter().zip(&entries) {
        f.entry(*slot, entry);
    }
    let mut pages = f.nbt();
    pages.sort_by_key(|(_, level)| *level);
    for (ib, _) in pages.into_iter().filter(|(_, level)| *level > 0) {
        for i in 0..f.bytes[ib + 488] as usize {
            let child = f.u64(ib + 24 * i + 16) as usize;
            let key = f.u64(child);
            f.entry(ib + 24 * i, &key.to_le_bytes());
        }
    }
}
