//! Files whose header or trees say what cannot be: nothing is added to them, or what is added does no harm.

use super::support::forge::Forge;
use pst_core::Kind;
use pst_core::mapi::{Message, PropBag, Role, Value, tag};
use pst_core::messaging::Store;
use pst_core::messaging::write::{Options, StoreWriter};
use pst_core::ndb::Ndb;
use std::path::Path;

const EOF: usize = 0xB8;
const BID_NEXT_B: usize = 0x204;

fn message(n: usize) -> Message {
    let mut m = Message::default();
    m.props.set(tag::MESSAGE_CLASS, Value::text("IPM.Note"));
    m.props.set(tag::SUBJECT, Value::text(&format!("Subject {n}")));
    m.props.set(tag::BODY, Value::text(&format!("Text {n}. ").repeat(3000)));
    m
}

/// Makes a store of some messages and changes it.
fn forged(path: &Path, messages: usize, change: impl FnOnce(&mut Forge)) {
    let mut w = StoreWriter::create(path, Options { overwrite: true, ..Options::default() }).unwrap();
    let a = w.add_folder(w.top(), "A", Role::None, None, &PropBag::default()).unwrap();
    for n in 0..messages {
        w.add(a, &message(n), false).unwrap();
    }
    w.finish().unwrap();
    let mut forge = Forge { bytes: std::fs::read(path).unwrap() };
    change(&mut forge);
    std::fs::write(path, forge.bytes).unwrap();
}

fn refused(path: &Path) {
    let before = std::fs::read(path).unwrap();
    let Err(e) = StoreWriter::open(path, Options::default()) else { panic!("something is added to it") };
    assert_eq!(e.kind(), Kind::Damaged, "{e}");
    assert!(before == std::fs::read(path).unwrap());
}

fn add(path: &Path) {
    let mut w = StoreWriter::open(path, Options::default()).unwrap();
    let a = w.folder(&["A"]).unwrap();
    w.add(a, &message(1000), false).unwrap();
    w.finish().unwrap();
    let store = Store::open(path).unwrap();
    let mut errors = Vec::new();
    let folder = store.folders(&mut errors).into_iter().find(|f| f.name == "A").unwrap();
    let listed = store.contents(folder.nid, false, &mut errors);
    let subject = |m: Message| m.props.text(tag::SUBJECT).unwrap_or_default();
    assert!(listed.iter().any(|l| store.message(l.nid).is_ok_and(|(m, _)| subject(m).ends_with("Subject 1000"))));
}

#[test]
fn an_end_far_behind_the_file_is_damage() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.pst");
    for eof in [1 << 30, 1 << 50, u64::MAX] {
        forged(&path, 1, |f| f.header(EOF, &eof.to_le_bytes()));
        refused(&path);
    }
}

/// Behind the end, space is given out again: a block that stands there would be written over.
#[test]
fn blocks_behind_the_end_are_damage() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.pst");
    forged(&path, 100, |f| {
        assert!(f.bytes.len() > 3 * 0x3E000);
        f.header(EOF, &(0x4400u64 + 0x3E000).to_le_bytes());
    });
    refused(&path);
}

/// The keys of the blocks that are there.
fn blocks(path: &Path) -> Vec<u64> {
    Ndb::open(path).unwrap().blocks().map(|b| b.unwrap().bid.0 & !3).collect()
}

#[test]
fn what_the_counter_says_was_given_out_is_not_given_out_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.pst");
    let high = 0x0100_0000u64;
    forged(&path, 1, |f| f.header(BID_NEXT_B, &high.to_le_bytes()));
    let before = blocks(&path);
    add(&path);
    let after = blocks(&path);
    let new: Vec<u64> = after.into_iter().filter(|b| !before.contains(b)).collect();
    assert!(!new.is_empty() && new.iter().all(|b| *b >= high), "{new:X?}");
    let next = Ndb::open(&path).unwrap().header().bid_next_b;
    assert!(new.iter().all(|b| *b < next), "{next:X}");
    add(&path);
    // What no counter can be is not believed.
    for wrong in [1 << 60, u64::MAX] {
        forged(&path, 1, |f| f.header(BID_NEXT_B, &u64::to_le_bytes(wrong)));
        add(&path);
        add(&path);
        assert!(blocks(&path).iter().all(|b| *b < high));
    }
}

#[test]
fn a_lost_block_does_not_come_back_as_another() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.pst");
    // The next block of all.
    forged(&path, 1, |f| {
        let lost = f.u64(BID_NEXT_B) & !3;
        let node = f.nodes().into_iter().find(|n| n.nid & 0x1F == 4).unwrap();
        f.entry(node.entry + 16, &lost.to_le_bytes());
    });
    let lost = Ndb::open(&path).unwrap().header().bid_next_b & !3;
    add(&path);
    assert!(!blocks(&path).contains(&lost), "{lost:X}");
}
