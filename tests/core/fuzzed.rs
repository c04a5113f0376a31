//! What the fuzz targets (pst-core/fuzz) found, with the bytes they found it by, cut down.

use crate::support::forge::Forge;
use pst_core::check;
use pst_core::endpoint::maildir::MaildirSource;
use pst_core::endpoint::mbox::MboxSource;
use pst_core::io::{Input, NewFile};
use pst_core::ltp::Heap;
use pst_core::ltp::bth::Bth;
use pst_core::mapi::NamedProp;
use pst_core::mapi::named::PSETID_COMMON;
use pst_core::mapi::recurrence::{AppointmentRecurrence, End, Exception, Frequency, Pattern, RecurrencePattern};
use pst_core::messaging::Store;
use pst_core::messaging::write::{self as store, StoreWriter};
use pst_core::mime::calendar::{Entry, Kind, index, read};
use pst_core::mime::{Options, contact};
use pst_core::ndb::write::{NdbWriter, NodeImage, Subnode, TreeImage};
use pst_core::ndb::{Crypt, Ndb, Nid, Node};
use pst_core::pipeline::{Body, Item, Source};
use std::sync::Arc;

/// An event inside an event came out beside it: each export and import made more items.
#[test]
fn an_event_inside_an_event_makes_no_second_item() {
    let source = b"BEGIN:VEVENT\r\nUID:1\r\nSUMMARY:a\r\nBEGIN:VEVENT\r\nSUMMARY:b\r\nEND:VEVENT\r\n\
        BEGIN:VEVENT\r\nUID:2\r\nRECURRENCE-ID:20150708T120000Z\r\nEND:VEVENT\r\nEND:VEVENT\r\n";
    let (items, _) = read(source);
    let [(Kind::Event, item)] = items.as_slice() else { panic!("{items:?}") };
    let mut out = Vec::new();
    Entry::of(&item.message, &Options::default()).unwrap().unwrap().write(&mut out).unwrap();
    let (again, _) = read(&out);
    assert_eq!(again.len(), 1, "{}", String::from_utf8_lossy(&out));
    let text = String::from_utf8(out).unwrap();
    assert_eq!(text.matches("BEGIN:VEVENT").count(), 3, "{text}");
}

/// The start of what follows the exceptions was written twice where its end is missing.
#[test]
fn a_recurrence_that_is_cut_short_keeps_its_length() {
    let pattern = RecurrencePattern::new(Frequency::Daily, Pattern::Day, 1440, 0, 1440);
    let mut series = AppointmentRecurrence::new(pattern, 540, 600);
    series.exceptions.push(Exception { start: 2000, end: 2060, original: 1980, ..Exception::default() });
    series.reserved1 = vec![1, 2, 3];
    let whole = series.encode();
    let bare = AppointmentRecurrence { whole: false, ..series }.encode().len();
    for cut in bare..=whole.len() {
        let bytes = &whole[..cut];
        assert_eq!(AppointmentRecurrence::decode(bytes).unwrap().encode(), bytes, "cut at {cut}");
    }
}

/// A week without a period was a day: dates came several times. A series from the first week of 1601 had none.
#[test]
fn dates_of_a_series_without_a_period_ascend() {
    for pattern in [Pattern::Day, Pattern::Week(0x7F), Pattern::Month { kind: 2, day: 31 }] {
        let mut series = RecurrencePattern::new(Frequency::Weekly, pattern, 0, 0, 1440 * 5);
        series.end = End::Never;
        let dates: Vec<u32> = series.occurrences().unwrap().take(100).collect();
        assert_eq!(dates.len(), 100, "{pattern:?}");
        assert!(dates.is_sorted_by(|a, b| a < b), "{pattern:?} {dates:?}");
    }
}

/// Of several events inside an event with the same UID, none may become an item, be the event a change itself.
#[test]
fn a_change_inside_a_change_makes_no_second_item() {
    let change = "UID:1\r\nDTSTART:20150708T120000Z\r\nRECURRENCE-ID:20150708T120000Z\r\n";
    let source = format!("BEGIN:VEVENT\r\n{change}BEGIN:VEVENT\r\n{change}SUMMARY:b\r\nEND:VEVENT\r\nEND:VEVENT\r\n");
    let (items, _) = read(source.as_bytes());
    let mut out = Vec::new();
    Entry::of(&items[0].1.message, &Options::default()).unwrap().unwrap().write(&mut out).unwrap();
    assert_eq!((items.len(), read(&out).0.len()), (1, 1), "{}", String::from_utf8_lossy(&out));
}

/// A name-to-id map whose count of buckets goes beyond the property ids.
#[test]
fn a_name_map_of_too_many_buckets_is_judged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("names.pst");
    let mut writer = StoreWriter::create(&path, store::Options::default()).unwrap();
    let names: Vec<NamedProp> = (0..200).map(|i| NamedProp::id(PSETID_COMMON, 0x9_0000 + i * 0x101)).collect();
    writer.register(&names).unwrap();
    writer.finish().unwrap();
    let mut forge = Forge { bytes: std::fs::read(&path).unwrap() };
    let map = forge.node(0x61).data;
    forge.set_raw(map, 0x0001, u32::MAX);
    let report = check::judge(Input::from_bytes(forge.bytes, "names.pst")).unwrap();
    assert!(report.counts.iter().any(|c| c.rule == "V29"), "{:?}", report.findings);
}

/// Of folders on disk whose names say the same, one was read and the others were not.
#[test]
fn folders_of_a_maildir_that_are_called_alike() {
    let top = tempfile::tempdir().unwrap();
    for (i, name) in [".A", ".A.", "A", ".A&-", ".A&-."].into_iter().enumerate() {
        std::fs::create_dir_all(top.path().join(name).join("cur")).unwrap();
        let message = top.path().join(name).join("cur").join(format!("{i}:2,S"));
        std::fs::write(message, b"Subject: a\n\nb\n").unwrap();
    }
    let source = MaildirSource::open(top.path()).unwrap();
    let folders = source.folders().unwrap();
    assert_eq!(folders.iter().map(|f| source.items(f).unwrap().count()).sum::<usize>(), 5);
    let under_a = folders.iter().filter(|f| f.path == ["A"]).count();
    assert_eq!(under_a, 3, "{folders:?}");
}

/// A store of one node, whose heap has these allocations and is for `client`, with one subnode, 0x3F.
fn heap(nid: Nid, client: u8, allocations: &[&[u8]], subnode: &[u8]) -> (Arc<Ndb>, Node) {
    let mut block = vec![0, 0, 0xEC, client, 0x20, 0, 0, 0, 0, 0, 0, 0];
    let mut places = vec![block.len() as u16];
    for allocation in allocations {
        block.extend_from_slice(allocation);
        places.push(block.len() as u16);
    }
    let map = block.len().next_multiple_of(2);
    block.resize(map, 0);
    block[..2].copy_from_slice(&(map as u16).to_le_bytes());
    let counts = [allocations.len() as u16, 0];
    block.extend(counts.iter().chain(&places).flat_map(|n| n.to_le_bytes()));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("node.pst");
    let mut writer = NdbWriter::new(Box::new(NewFile::create(&path, false).unwrap()), Crypt::None);
    let sub = NodeImage::leaf(TreeImage::of_bytes(subnode, Crypt::None));
    let image =
        NodeImage { data: TreeImage::of_bytes(&block, Crypt::None), subs: vec![Subnode { nid: Nid(0x3F), node: sub }] };
    let (data, sub) = writer.image(image).unwrap();
    let node = Node { nid, data, sub, parent: Nid::ROOT_FOLDER };
    writer.node(node).unwrap();
    writer.finish().unwrap();
    let bytes = std::fs::read(&path).unwrap();
    (Arc::new(Ndb::new(Input::from_bytes(bytes, "node.pst")).unwrap()), node)
}

/// A leaf that index records named again and again was read as often: 8 KB became 128 MB, and rows without number.
#[test]
fn a_tree_on_a_heap_whose_leaf_is_named_again_and_again() {
    let index: Vec<u8> = (0..450u32).flat_map(|i| [i.to_le_bytes(), 0x60u32.to_le_bytes()].concat()).collect();
    let leaf = [0; 3200];
    let (ndb, node) = heap(Nid(0x8042), 0xB5, &[&[0xB5, 4, 4, 1, 0x40, 0, 0, 0], &index, &leaf], b"a");
    let heap = Heap::open(&ndb, node.data, node.sub).unwrap();
    let error = Bth::read(&heap, heap.root).err().unwrap();
    assert!(error.text().contains("more records than the heap has room for"), "{error}");
}

/// Each of many properties had the same long value: a file of 1 MB was an item of 500 MB.
#[test]
fn an_item_of_one_long_value_again_and_again() {
    let records: Vec<u8> =
        (0x3000..0x31F4u16).flat_map(|id| [&id.to_le_bytes()[..], &[0x1F, 0, 0x3F, 0, 0, 0]].concat()).collect();
    let nid = Nid(0x20_0024);
    let (ndb, _) = heap(nid, 0xBC, &[&[0xB5, 2, 6, 0, 0x40, 0, 0, 0], &records], &[b'a'; 1 << 20]);
    let size = ndb.input().len();
    let (message, errors) = Store::new(ndb).message(nid).unwrap();
    let held: u64 = message.props.0.iter().map(|p| p.value.size()).sum();
    assert!(held < size + (5 << 20), "{held} bytes of a file of {size}");
    assert!(errors.iter().any(|e| e.text().contains("larger than the file")), "{errors:?}");
}

/// The tests below did not come to an end: the time grew with the square of the lines.
const MANY: usize = 20_000;

fn mbox_dates(separator: &str) -> Vec<Option<i64>> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.mbox");
    std::fs::write(&path, format!("{separator}\nSubject: a\n\nb\n")).unwrap();
    let source = MboxSource::open(&path).unwrap();
    let top = &source.folders().unwrap()[0];
    let items: Vec<_> = source.items(top).unwrap().map(|i| source.load(top, &i.unwrap()).unwrap()).collect();
    let received = |item: Item| match item.body {
        Body::Mime(mime) => mime.received,
        Body::Mapi(_) => panic!("no mail"),
    };
    items.into_iter().map(received).collect()
}

#[test]
fn a_separator_of_many_words() {
    let date = "Sat Jan  3 01:05:34 1996";
    assert_eq!(mbox_dates(&format!("From a b c {date} remote from d")), [Some(820_631_134)]);
    assert_eq!(mbox_dates(&format!("From {}", "a@b ".repeat(MANY))), [None]);
    assert_eq!(mbox_dates(&format!("From {}{date}", "9:99:9 ".repeat(MANY))), [Some(820_631_134)]);
}

#[test]
fn a_card_of_many_addresses() {
    let lines = |n: usize| -> String { (0..n).map(|i| format!("ADR:;;c{i}\r\nBDAY:19700101\r\n")).collect() };
    let source = format!("BEGIN:VCARD\r\nFN:a\r\n{}END:VCARD\r\n", lines(MANY));
    let (items, _) = contact::read(source.as_bytes(), &contact::Directory::default());
    let mut out = Vec::new();
    contact::Card::of(&items[0].1.message, &Options::default()).unwrap().unwrap().write(&mut out).unwrap();
    let found = memchr::memmem::find_iter(&out, "\r\nADR").count();
    assert_eq!(found, MANY, "{}", String::from_utf8_lossy(&out[..600]));
}

#[test]
fn an_event_of_many_people_alarms_and_categories() {
    let lines: String = (0..MANY)
        .map(|i| {
            format!(
                "ATTENDEE:mailto:a{i}@b\r\nCATEGORIES:c{i}\r\nBEGIN:VALARM\r\nACTION:AUDIO\r\nTRIGGER:-PT{i}M\r\n\
                 END:VALARM\r\n"
            )
        })
        .collect();
    let source = format!("BEGIN:VEVENT\r\nUID:1\r\nDTSTART:20150708T120000Z\r\n{lines}END:VEVENT\r\n");
    let (items, _) = read(source.as_bytes());
    assert_eq!(items[0].1.message.recipients.len(), MANY);
    let mut out = Vec::new();
    Entry::of(&items[0].1.message, &Options::default()).unwrap().unwrap().write(&mut out).unwrap();
    assert_eq!(memchr::memmem::find_iter(&out, "BEGIN:VALARM").count(), MANY);
}

/// Each item was compared with each zone; what stands with every item was given as often as it stood there.
#[test]
fn a_calendar_of_many_zones_and_items() {
    let zone = |i: usize| format!("BEGIN:VTIMEZONE\r\nTZID:z{i}\r\nEND:VTIMEZONE\r\nMETHOD:PUBLISH\r\n");
    let event =
        |i: usize| format!("BEGIN:VEVENT\r\nUID:{i}\r\nDTSTART;TZID=\"z{i}\":20150708T120000\r\nEND:VEVENT\r\n");
    let zones: String = (0..MANY).map(zone).collect();
    let events: String = (0..MANY).map(event).collect();
    let source = format!("BEGIN:VCALENDAR\r\nX-WR-TIMEZONE:z7\r\n{zones}{events}END:VCALENDAR\r\n");
    let places = index(source.as_bytes());
    assert_eq!(places.len(), MANY);
    let text: String = places[9].pieces.iter().map(|piece| &source[piece.clone()]).collect();
    assert_eq!((text.matches("VTIMEZONE").count(), text.matches("METHOD").count()), (4, 1), "{text}");
    assert!(text.contains("TZID:z7\r") && text.contains("TZID:z9\r"), "{text}");
}
