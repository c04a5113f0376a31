//! For each rule of the judge a deliberately damaged file: exactly that rule speaks, and none in the undamaged file.

use crate::support::Seeded;
use crate::support::forge::Forge;
use pst_core::check::judge;
use pst_core::io::Input;
use pst_core::mapi::message::{Attachment, Message, attach_method, flag};
use pst_core::mapi::named::{NamedProp, PSETID_COMMON};
use pst_core::mapi::{Blob, PropBag, PropType, Role, Value, tag};
use pst_core::messaging::Store;
use pst_core::messaging::write::{Options, StoreWriter};
use pst_core::ndb::Ndb;
use std::sync::{Arc, LazyLock};

fn note(subject: &str) -> Message {
    let mut m = Message::default();
    m.props.set(tag::MESSAGE_CLASS, Value::text("IPM.Note"));
    m.props.set(tag::SUBJECT, Value::text(subject));
    m.props.set(tag::BODY, Value::text("A body."));
    m.props.set(tag::MESSAGE_DELIVERY_TIME, Value::Time(133_000_000_000_000_000));
    m.props.set(tag::REPLY_TIME, Value::Time(133_000_000_000_000_000));
    m.props.set(tag::MESSAGE_FLAGS, Value::I32(flag::READ));
    m.props.set(tag::IMPORTANCE, Value::I32(1));
    m.props.set(tag::CONVERSATION_INDEX_TRACKING, Value::Bool(true));
    m
}

fn recipient() -> PropBag {
    let mut r = PropBag::default();
    r.set(tag::RECIPIENT_TYPE, Value::I32(1));
    r.set(tag::DISPLAY_NAME, Value::text("Ann"));
    r.set(tag::EMAIL_ADDRESS, Value::text("ann@example.org"));
    r
}

fn attachment(method: i32, data: Value) -> Attachment {
    let mut a = Attachment::default();
    let tag = if matches!(data, Value::Object(_)) { tag::ATTACH_DATA_OBJECT } else { tag::ATTACH_DATA_BINARY };
    a.props.set(tag::ATTACH_METHOD, Value::I32(method));
    a.props.set(tag::ATTACH_LONG_FILENAME, Value::text("file.bin"));
    a.props.set(tag, data);
    a
}

const PLAIN: u32 = 0x20_0024;
const RICH: u32 = 0x20_0044;
const FULL: u32 = 0x20_0064;
const ALONE: u32 = 0x20_0084;
const FIRST_OF_MANY: u32 = 0x20_00A4;
const MANY: u32 = 1200;

/// A store with something for every rule.
static SOUND: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sound.pst");
    let options =
        Options { display_name: "Sound".into(), record_key: Some(*b"sixteen bytes ok"), ..Options::default() };
    let mut w = StoreWriter::create(&path, options).unwrap();
    let top = w.top();
    let inbox = w.add_folder(top, "Inbox", Role::Inbox, None, &PropBag::default()).unwrap();
    let calendar = w.add_folder(top, "Calendar", Role::Calendar, None, &PropBag::default()).unwrap();
    let alone = w.add_folder(top, "Alone", Role::None, None, &PropBag::default()).unwrap();
    let many = w.add_folder(calendar, "Many", Role::None, None, &PropBag::default()).unwrap();
    let mut plain = note("RE: A subject");
    plain.recipients.push(recipient());
    plain.props.set(tag::REPL_ITEM_ID, Value::binary(*b"an id of an item"));
    let name = Arc::new(NamedProp::id(PSETID_COMMON, 0x8530));
    plain.props.set_named(name, PropType::STRING, Value::text("Follow up"));
    w.add(inbox, &plain, false).unwrap();
    let mut rich = note("Rich");
    rich.props.set(tag::RTF_COMPRESSED, Value::binary(pst_core::mapi::rtf::compress(b"{\\rtf1 A body.}")));
    rich.props.set(tag::HTML, Value::binary(*b"<p>A body.</p>"));
    rich.props.set(tag::INTERNET_CODEPAGE, Value::I32(65001));
    w.add(inbox, &rich, false).unwrap();
    let mut full = note("Full");
    full.attachments.push(attachment(attach_method::BY_VALUE, Value::binary(vec![7; 30_000])));
    full.attachments.push(attachment(attach_method::OLE, Value::Object(Blob::Bytes(vec![8; 9000]))));
    let mut embedded = attachment(attach_method::EMBEDDED, Value::binary([]));
    embedded.embedded = Some(Box::new(note("Inside")));
    full.attachments.push(embedded);
    w.add(inbox, &full, false).unwrap();
    w.add(alone, &note("Alone"), false).unwrap();
    for i in 0..MANY {
        w.add(many, &note(&format!("Number {i}")), false).unwrap();
    }
    let mut view = note("View");
    view.props.set(tag::DISPLAY_NAME, Value::text("A view"));
    w.add(inbox, &view, true).unwrap();
    w.finish().unwrap();
    std::fs::read(&path).unwrap()
});

fn forge() -> Forge {
    Forge { bytes: SOUND.clone() }
}

/// The rules that speak, and what they say.
fn spoken(forge: Forge) -> (Vec<&'static str>, String) {
    let report = judge(Input::from_bytes(forge.bytes, "forged.pst")).unwrap();
    let text = report.findings.iter().map(|f| format!("{} {:?} {}\n", f.rule, f.offset, f.text)).collect();
    assert!(report.stopped.is_none(), "{:?}", report.stopped);
    (report.counts.iter().map(|c| c.rule).collect(), text)
}

#[track_caller]
fn only(rule: &str, what: &str, damage: impl FnOnce(&mut Forge)) {
    let mut forged = forge();
    damage(&mut forged);
    let (rules, text) = spoken(forged);
    assert_eq!(rules, [rule], "{what}:\n{text}");
}

#[test]
fn the_sound_file_has_no_findings() {
    let (rules, text) = spoken(forge());
    assert!(rules.is_empty(), "{text}");
}

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

fn attached(f: &Forge, nid: u32) -> (u64, u64) {
    f.subnode(f.node(FULL).sub, nid)
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

/// Damage that no CRC gives away: the bytes of blocks and pages are changed and summed again. Judge and reader come to
/// an end without a panic.
#[test]
fn damage_below_the_checksums_panics_nowhere() {
    let mut random = Seeded(7);
    let sound = forge();
    let blocks: Vec<u64> = sound
        .bbt()
        .into_iter()
        .filter(|(_, level)| *level == 0)
        .flat_map(|(ib, _)| (0..sound.bytes[ib + 488] as usize).map(|i| sound.u64(ib + 24 * i)).collect::<Vec<_>>())
        .collect();
    let pages: Vec<usize> = sound.nbt().into_iter().chain(sound.bbt()).map(|(ib, _)| ib).collect();
    for round in 0..1500 {
        let mut f = forge();
        let value = |random: &mut Seeded| {
            let values = [0, 1, 0x7F, 0x80, 0xFF, random.next() as u8];
            values[random.below(6) as usize]
        };
        for _ in 0..=random.below(3) {
            let bid = blocks[random.below(blocks.len() as u64) as usize];
            let (at, value) = (random.next() as usize, value(&mut random));
            f.data(bid, |b| {
                // Headers are where structure is.
                let len = b.len();
                let at = if at % 3 == 0 { at % len.min(64) } else { at % len };
                b[at] = value;
            });
        }
        // Pages come last: nothing is looked up in damaged trees.
        for _ in 0..random.below(3) {
            let (page, at, value) = (random.below(pages.len() as u64), random.below(496) as usize, value(&mut random));
            f.page(pages[page as usize], |page| page[at] = value);
        }
        let started = std::time::Instant::now();
        let _ = judge(Input::from_bytes(f.bytes.clone(), "forged.pst"));
        if let Ok(ndb) = Ndb::new(Input::from_bytes(f.bytes, "forged.pst")) {
            let store = Store::new(Arc::new(ndb));
            let mut errors = Vec::new();
            for folder in store.folders(&mut errors) {
                for item in store.contents(folder.nid, false, &mut errors) {
                    let _ = store.message(item.nid);
                }
            }
        }
        assert!(started.elapsed().as_secs() < 20, "round {round}");
    }
}

/// Two attachments of a message that hold the message itself: as many copies as two to the power of the depth.
#[test]
fn a_message_inside_itself_comes_to_an_end() {
    let mut f = forge();
    let node = f.node(FULL);
    let (data, sub) = attached(&f, 0x8065);
    let put = |f: &mut Forge, tree: u64, nid: u32, data: u64, below: u64| {
        f.data(tree, |b| {
            let count = u16::from_le_bytes([b[2], b[3]]) as usize;
            let at = (0..count).map(|i| 8 + 24 * i).find(|at| b[*at..*at + 4] == nid.to_le_bytes()).unwrap();
            b[at + 8..at + 16].copy_from_slice(&data.to_le_bytes());
            b[at + 16..at + 24].copy_from_slice(&below.to_le_bytes());
        });
    };
    let nested = u32::from_le_bytes(f.read(f.value(data, 0x3701))[..4].try_into().unwrap());
    put(&mut f, sub, nested, node.data, node.sub);
    put(&mut f, node.sub, 0x8045, data, sub);
    put(&mut f, node.sub, 0x8025, data, sub);
    let report = judge(Input::from_bytes(f.bytes.clone(), "forged.pst")).unwrap();
    assert!(report.total() > 0);
    let store = Store::new(Arc::new(Ndb::new(Input::from_bytes(f.bytes, "forged.pst")).unwrap()));
    let (message, errors) = store.message(pst_core::ndb::Nid(FULL)).unwrap();
    assert_eq!(message.attachments.len(), 3);
    assert!(errors.iter().any(|e| e.to_string().contains("inside itself")), "{errors:?}");
}

#[test]
fn rules_stand_at_their_numbers() {
    assert!(pst_core::check::RULES.iter().enumerate().all(|(i, r)| r.id == format!("V{:02}", i + 1)));
}
