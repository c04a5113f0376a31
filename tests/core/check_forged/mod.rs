//! For each rule of the judge a deliberately damaged file: exactly that rule speaks, and none in the undamaged file.

mod ltp;
mod messaging;
mod ndb;

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

fn attached(f: &Forge, nid: u32) -> (u64, u64) {
    f.subnode(f.node(FULL).sub, nid)
}

#[test]
fn the_sound_file_has_no_findings() {
    let (rules, text) = spoken(forge());
    assert!(rules.is_empty(), "{text}");
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
