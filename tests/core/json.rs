//! JSON lines: what is written reads back as the same in every bit, and damage costs the line it is in.

use super::support::moving::{Given, Pattern, all, convert, messages, moved, show, show_bag, spare, spec, with_data};
use super::support::{Seeded, corpus, files};
use pst_core::Kind;
use pst_core::endpoint::json::{JsonSink, JsonSource};
use pst_core::mapi::named::{PS_PUBLIC_STRINGS, PSETID_COMMON};
use pst_core::mapi::{Attachment, Blob, Guid, MAX_DEPTH, Message, Name, NamedProp, Prop, PropBag, PropTag, Value, tag};
use pst_core::mime::ImportOptions;
use pst_core::pipeline::Source;
use serde_json::Value as Json;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A value of each type and form, those that no program should write among them.
fn values() -> Vec<(u16, Value)> {
    let mut out = vec![
        (0x0001, Value::Null),
        (0x0002, Value::I16(i16::MIN)),
        (0x0003, Value::I32(i32::MIN)),
        (0x0003, Value::I32(i32::MAX)),
        (0x000A, Value::Error(u32::MAX)),
        (0x000B, Value::Bool(true)),
        (0x000B, Value::Bool(false)),
        (0x0048, Value::Guid(*b"\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0A\x0B\x0C\x0D\x0E\x0F\xFF")),
        (0x001F, Value::text("Grüße 😀 \u{1}\u{5}\0 end\u{FEFF}")),
        (0x001F, Value::text("")),
        (0x001F, Value::Unicode(vec![0x3D, 0xD8, b'x', 0])),
        (0x001F, Value::Unicode(vec![b'x', 0, 0x00, 0xDE])),
        (0x001F, Value::Unicode(vec![b'x', 0, b'y'])),
        (0x001E, Value::String8(b"caf\xE9 \x81\0x".to_vec())),
        (0x001E, Value::String8(vec![])),
        (0x0102, Value::binary([])),
        (0x0102, Value::binary((0..=255).collect::<Vec<u8>>())),
        (0x000D, Value::Object(Blob::Bytes(vec![1, 2]))),
        (0x0000, Value::Other(vec![1, 2, 3])),
        (0x00FB, Value::Other(vec![])),
        (0x0048, Value::Other(vec![9; 15])),
        (0x001F, Value::I32(7)),
        (0x0003, Value::I16(7)),
        (0x0102, Value::Multi(vec![7])),
        (0x101F, Value::binary([7])),
        (0x0014, Value::Time(7)),
        (0x000D, Value::Null),
        // Multi-valued: as stored elsewhere, and not.
        (0x1002, Value::Multi(vec![1, 0, 0xFF, 0xFF])),
        (0x1002, Value::Multi(vec![1, 0, 2])),
        (0x1003, Value::Multi(vec![])),
        (0x100B, Value::Multi(vec![0, 1])),
        (0x100B, Value::Multi(vec![0, 2])),
        (0x1014, Value::Multi((0..32).collect())),
        (0x1006, Value::Multi(vec![0xFF; 16])),
        (0x1040, Value::Multi((0..24).collect())),
        (0x1048, Value::Multi((0..32).collect())),
        (0x1005, Value::Multi([f64::NAN.to_le_bytes(), (-0.0f64).to_le_bytes()].concat())),
        (0x1004, Value::Multi([1.1f32.to_le_bytes(), f32::INFINITY.to_le_bytes()].concat())),
        (0x101F, Value::texts(&["one", "", "drei ä"])),
        (0x101F, Value::texts::<&str>(&[])),
        (0x101F, Value::binaries(&[vec![0x00, 0xD8], vec![b'x']])),
        (0x101E, Value::binaries(&[b"caf\xE9".to_vec(), vec![]])),
        (0x1102, Value::binaries(&[vec![], vec![1, 2, 3]])),
        // A gap between table and elements, and a table that contradicts itself.
        (0x1102, Value::Multi(vec![1, 0, 0, 0, 9, 0, 0, 0, 7, 1])),
        (0x101F, Value::Multi(vec![9, 0, 0, 0, 1])),
        (0x100D, Value::Multi(vec![1, 2, 3])),
        (0x10FB, Value::Multi(vec![1, 2, 3])),
    ];
    for n in [0, 1, -1, 1 << 53, (1 << 53) + 1, -(1 << 53), -(1 << 53) - 1, i64::MAX, i64::MIN] {
        out.push((0x0014, Value::I64(n)));
        out.push((0x0006, Value::Currency(n)));
    }
    for t in [0, 1, 116_444_736_000_000_001, 131_000_000_000_000_000, 1 << 53, (1 << 53) + 1, u64::MAX] {
        out.push((0x0040, Value::Time(t)));
    }
    for bits in
        [0, 1 << 63, 1, 0x7FF8_0000_0000_0001, 0xFFF0_0000_0000_0000, 0x7FEF_FFFF_FFFF_FFFF, 0x3FB9_9999_9999_999A]
    {
        out.push((0x0005, Value::F64(f64::from_bits(bits))));
        out.push((0x0007, Value::FloatingTime(f64::from_bits(bits))));
        out.push((0x0004, Value::F32(f32::from_bits((bits >> 32) as u32))));
    }
    out
}

fn everything() -> PropBag {
    let mut bag = PropBag::default();
    for (i, (ty, value)) in values().into_iter().enumerate() {
        bag.0.push(Prop { tag: spare(i, ty), name: None, value });
    }
    let odd = Name::Text(vec![0xD800, u16::from(b'x'), 0]);
    let names = [
        NamedProp::id(PSETID_COMMON, 0x8514),
        NamedProp::id(Guid([0xAB; 16]), u32::MAX),
        NamedProp::id(Guid::default(), 0),
        NamedProp::text(PS_PUBLIC_STRINGS, "Keywords \"quoted\" \\ \n"),
        NamedProp { guid: Guid([1; 16]), name: odd },
    ];
    for (i, name) in names.into_iter().enumerate() {
        let tag = PropTag::new(0x8001 + i as u16, 0x0003);
        bag.0.push(Prop { tag, name: Some(Arc::new(name)), value: Value::I32(i as i32) });
    }
    bag.0.push(Prop { tag: PropTag(0x8123_0003), name: None, value: Value::I32(1) });
    bag.0.push(Prop { tag: spare(0, 0x0003), name: None, value: Value::I32(1) });
    bag
}

fn message() -> Message {
    Message { props: everything(), ..Message::default() }
}

/// Messages as a file of JSON lines.
fn written(messages: Vec<Message>) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("given.jsonl");
    let report =
        moved(Arc::new(Given(messages)), Box::new(JsonSink::create(&path, false, ImportOptions::default()).unwrap()))
            .unwrap();
    assert_eq!(report.failed, 0);
    (folder, path)
}

fn read(path: &Path) -> Vec<Message> {
    messages(&path.display().to_string())
}

#[test]
fn every_value_comes_back() {
    let mut whole = message();
    whole.recipients = vec![everything(), PropBag::default()];
    whole.attachments.push(Attachment { props: everything(), embedded: None });
    whole.attachments.push(Attachment { props: everything(), embedded: Some(Box::new(message())) });
    let (_folder, path) = written(vec![whole.clone(), Message::default()]);
    let again = read(&path);
    assert_eq!(again.len(), 2);
    assert_eq!(show(&again[0]), show(&whole));
    assert_eq!(show(&again[1]), show(&Message::default()));
}

#[test]
fn what_is_for_people_is_right() {
    let mut message = Message::default();
    message.props.set(tag::MESSAGE_CODEPAGE, Value::I32(1251));
    message.props.set(PropTag(0x0037_001E), Value::String8(vec![0xCF, 0xF0]));
    message.props.set(tag::CLIENT_SUBMIT_TIME, Value::Time(131_000_000_000_000_001));
    message.props.set(spare(1, 0x0005), Value::F64(0.1));
    message.props.set(spare(2, 0x0005), Value::F64(f64::NAN));
    message.props.set(spare(3, 0x001F), Value::Unicode(vec![0, 0xD8, b'x', 0]));
    let (_folder, path) = written(vec![message]);
    let text = std::fs::read_to_string(path).unwrap();
    let lines: Vec<Json> = text.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    let kinds: Vec<&str> = lines.iter().map(|l| l["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["header", "store", "folder", "item", "end"]);
    let props = &lines[3]["message"]["properties"];
    assert_eq!(props[1]["value"], "Пр");
    assert_eq!(props[1]["name"], "Subject");
    assert_eq!(props[2]["time"], "2016-02-15T08:53:20.0000001Z");
    assert_eq!(props[3]["value"], 0.1);
    assert_eq!(props[4]["value"], Json::Null);
    assert_eq!(props[5]["value"], "\u{FFFD}x");
    assert_eq!(lines[4], serde_json::json!({"type": "end", "folders": 1, "items": 1}));
}

#[test]
fn the_deepest_messages_come_back() {
    let mut deep = message();
    for _ in 0..MAX_DEPTH + 2 {
        let attachment = Attachment { embedded: Some(Box::new(deep)), ..Attachment::default() };
        deep = Message { attachments: vec![attachment], ..message() };
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep.jsonl");
    let report =
        moved(Arc::new(Given(vec![deep])), Box::new(JsonSink::create(&path, false, ImportOptions::default()).unwrap()))
            .unwrap();
    assert_eq!(report.warnings, 1);
    let again = read(&path);
    let (mut at, mut depth) = (&again[0], 0);
    while let Some(inner) = at.attachments.first().and_then(|a| a.embedded.as_deref()) {
        assert_eq!(show_bag(&inner.props), show_bag(&everything()));
        at = inner;
        depth += 1;
    }
    assert_eq!(depth, MAX_DEPTH);
}

/// Through JSON lines, a store becomes the same file as without them, byte by byte: properties, names, folders, order.
#[test]
fn stores_of_the_corpus_are_the_same_through_json() {
    let Some(folder) = corpus("pst") else { return };
    let (mut stores, mut items) = (0, 0);
    for file in files(&folder, &[".pst", ".ost"]) {
        let source = file.display().to_string();
        let Ok(_) = super::support::moving::open(&source) else { continue };
        let scratch = tempfile::tempdir().unwrap();
        let [json, direct, through, again] = ["a.jsonl", "direct.pst", "through.pst", "again.jsonl"]
            .map(|n| scratch.path().join(n).display().to_string());
        let report = convert(&source, &json);
        if report.failed > 0 {
            eprintln!("{source}: {} items cannot be read", report.failed);
        }
        items += report.written;
        let sources = super::support::moving::open(&source).unwrap();
        let mut expected = Vec::new();
        for folder in sources.folders().unwrap() {
            for item in sources.items(&folder).unwrap().flatten() {
                let Ok(item) = sources.load(&folder, &item) else { continue };
                let pst_core::pipeline::Body::Mapi(message) = item.body else { panic!("no MAPI") };
                expected.push((folder.path.clone(), item.id, item.associated, show(&message)));
            }
        }
        let mut found = Vec::new();
        let mut folders = Vec::new();
        for (folder, items) in all(&json) {
            for item in items {
                let pst_core::pipeline::Body::Mapi(message) = item.body else { panic!("no MAPI") };
                found.push((folder.path.clone(), item.id, item.associated, show(&message)));
            }
            folders.push((
                folder.path.clone(),
                folder.role,
                folder.class.clone(),
                folder.search,
                show_bag(&folder.props),
            ));
        }
        assert!(expected == found, "{source}: the messages differ");
        let told: Vec<_> = sources
            .folders()
            .unwrap()
            .into_iter()
            .map(|f| (f.path, f.role, f.class, f.search, show_bag(&f.props)))
            .collect();
        assert_eq!(told, folders, "{source}");
        let json_source = super::support::moving::open(&json).unwrap();
        assert_eq!(show_bag(&json_source.store()), show_bag(&sources.store()), "{source}");
        assert_eq!(json_source.title(), sources.title());
        convert(&source, &direct);
        convert(&json, &through);
        assert!(std::fs::read(&direct).unwrap() == std::fs::read(&through).unwrap(), "{source}: the stores differ");
        convert(&json, &again);
        assert!(std::fs::read(&json).unwrap() == std::fs::read(&again).unwrap(), "{source}: JSON of JSON differs");
        stores += 1;
    }
    eprintln!("{stores} stores with {items} items");
    assert!(stores >= 16);
}

#[test]
fn mail_becomes_what_it_becomes_in_a_store() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/mail").display().to_string();
    let scratch = tempfile::tempdir().unwrap();
    let [json, direct, through] =
        ["a.json", "direct.pst", "through.pst"].map(|n| scratch.path().join(n).display().to_string());
    let report = convert(&fixtures, &json);
    assert!(report.written > 40 && report.failed == 0, "{report:?}");
    convert(&fixtures, &direct);
    convert(&json, &through);
    let stores = [direct, through].map(|pst| {
        let mut shown: Vec<_> = messages(&pst).iter().map(show).collect();
        // Ids of named properties follow their first use, which other threads may have in another order.
        shown.iter_mut().for_each(|lines| lines.sort());
        shown
    });
    assert!(stores[0] == stores[1]);
}

#[test]
fn large_data_are_streamed_both_ways() {
    let len = 5_000_001;
    let blob = Blob::Stream(Arc::new(Pattern { len, breaks: None }));
    let (_folder, path) = written(vec![with_data("large", "large.bin", blob.clone())]);
    let again = read(&path);
    let Some(Value::Binary(found)) = again[0].attachments[0].props.get(tag::ATTACH_DATA_BINARY) else { panic!("data") };
    assert!(matches!(found, Blob::Stream(_)) && found.len() == len);
    assert!(found.to_vec(u64::MAX).unwrap() == blob.to_vec(u64::MAX).unwrap());
}

#[test]
fn an_item_whose_data_break_off_is_taken_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("broken.jsonl");
    let broken = |breaks| Blob::Stream(Arc::new(Pattern { len: 6_000_000, breaks }));
    let given = vec![
        with_data("before", "a", broken(None)),
        with_data("broken", "b", broken(Some(5_000_000))),
        with_data("broken early", "b", broken(Some(0))),
        with_data("after", "c", Blob::Bytes(vec![1])),
    ];
    let report =
        moved(Arc::new(Given(given)), Box::new(JsonSink::create(&path, false, ImportOptions::default()).unwrap()))
            .unwrap();
    assert_eq!((report.written, report.failed), (2, 2));
    let subjects: Vec<_> = read(&path).iter().map(|m| m.props.text(tag::SUBJECT).unwrap()).collect();
    assert_eq!(subjects, ["before", "after"]);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.ends_with("{\"type\":\"end\",\"folders\":1,\"items\":2}\n"));
}

/// What FORMAT.md shows is what is read and written.
#[test]
fn the_examples_are_right() {
    let page = include_str!("../../pst-core/src/endpoint/json/FORMAT.md");
    let examples: Vec<&str> = page.lines().filter(|l| l.starts_with("{\"id\"")).collect();
    assert_eq!(examples.len(), 3);
    let item = format!(r#"{{"type":"item","path":[],"message":{{"properties":[{}]}}}}"#, examples.join(","));
    let source = with_lines(&[HEADER, &item, r#"{"type":"end"}"#]).unwrap();
    let folder = &source.folders().unwrap()[0];
    let item = source.items(folder).unwrap().next().unwrap().unwrap();
    let pst_core::pipeline::Body::Mapi(message) = source.load(folder, &item).unwrap().body else { panic!() };
    let (_folder, path) = written(vec![*message]);
    let text = std::fs::read_to_string(path).unwrap();
    assert!(examples.iter().all(|e| text.contains(e)), "{text}");
}

/// A file with one item whose message is as told, and what reading it gives.
fn with_lines(lines: &[&str]) -> pst_core::Result<JsonSource> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), lines.join("\n")).unwrap();
    JsonSource::open(file.path())
}

const HEADER: &str = r#"{"type":"header","format":"pst-json","version":1}"#;

/// What is wrong with the folders and items of a source.
fn troubles(source: &JsonSource) -> Vec<String> {
    let mut out = Vec::new();
    for folder in source.folders().unwrap() {
        for item in source.items(&folder).unwrap() {
            if let Err(e) = item.and_then(|i| source.load(&folder, &i)) {
                out.push(e.text().to_owned());
            }
        }
    }
    out
}

#[test]
fn files_of_other_kinds_are_refused() {
    let kind = |lines: &[&str]| with_lines(lines).err().map(|e| e.kind());
    assert_eq!(kind(&[]), Some(Kind::NotThisKind));
    assert_eq!(kind(&["{}"]), Some(Kind::NotThisKind));
    assert_eq!(kind(&["[1]"]), Some(Kind::NotThisKind));
    assert_eq!(kind(&["nothing"]), Some(Kind::NotThisKind));
    assert_eq!(kind(&[r#"{"type":"header","format":"other","version":1}"#]), Some(Kind::NotThisKind));
    assert_eq!(kind(&[r#"{"type":"header","format":"pst-json","version":2}"#]), Some(Kind::Unsupported));
    assert_eq!(kind(&[HEADER]), None);
}

#[test]
fn lines_of_other_programs_are_read() {
    let item = r#"{ "message" : { "properties" : [ {"type":31,"id":55,"value":"x","note":1} ] },
        "path" : ["A"], "type" : "item" }"#
        .replace('\n', " ");
    let minimal = r#"{"type":"item","path":["A"],"message":{}}"#;
    let header = format!("\u{FEFF}{HEADER}\r");
    let source = with_lines(&[&header, "", &item, minimal, r#"{"type":"end"}"#]).unwrap();
    assert_eq!(troubles(&source), Vec::<String>::new());
    let folders = source.folders().unwrap();
    assert_eq!(folders[0].path, ["A"]);
    let items: Vec<_> = source.items(&folders[0]).unwrap().map(Result::unwrap).collect();
    assert_eq!(items.iter().map(|i| i.id.as_str()).collect::<Vec<_>>(), ["line 3", "line 4"]);
    let pst_core::pipeline::Body::Mapi(message) = source.load(&folders[0], &items[0]).unwrap().body else { panic!() };
    assert_eq!(message.props.text(tag::SUBJECT).as_deref(), Some("x"));
}

#[test]
fn a_bad_line_costs_itself_and_is_told() {
    let good = r#"{"type":"item","path":[],"message":{}}"#;
    let end = r#"{"type":"end"}"#;
    let one = |line: &str| {
        let source = with_lines(&[HEADER, good, line, good, end]).unwrap();
        let folders = source.folders().unwrap();
        let found = troubles(&source);
        let loaded: usize = folders.iter().map(|f| source.items(f).unwrap().filter(Result::is_ok).count()).sum();
        assert!((2..=3).contains(&loaded), "{line}: {loaded}");
        assert_eq!(found.len(), 1, "{line}: {found:?}");
        found[0].clone()
    };
    let prop = |text: &str| one(&format!(r#"{{"type":"item","path":[],"message":{{"properties":[{text}]}}}}"#));
    assert!(one("{").contains("line 3"));
    assert!(one(r#"{"type":"item"}"#).contains("path"));
    assert!(one(r#"{"type":"item","path":[1],"message":{}}"#).contains("path"));
    assert!(one(r#"{"type":"item","path":[],"message":[]}"#).contains("message"));
    assert!(one(r#"{"type":"news"}"#).contains("news"));
    assert!(one(r#"{"type":"folder","path":["A"],"role":"king"}"#).contains("role"));
    assert!(one(HEADER).contains("second header"));
    assert!(one("{\"type\":\"item\",\"path\":[],\"message\":{\"x\":\"\u{1}\"}}").contains("no JSON"));
    assert!(one(r#"{"type":"item","path":[],"message":{}} {}"#).contains("one JSON value"));
    assert!(prop("1").contains("property"));
    assert!(prop(r#"{"id":"0x0037"}"#).contains("type"));
    assert!(prop(r#"{"id":"0x10037","type":"0x001F","value":"x"}"#).contains("id"));
    assert!(prop(r#"{"id":"0x0037","type":"0x001F"}"#).contains("value"));
    assert!(prop(r#"{"id":"0x0037","type":"0x001F","value":"x","as":"poem"}"#).contains("as"));
    assert!(prop(r#"{"id":"0x0037","type":"0x0003","value":2147483648}"#).contains("32 bits"));
    assert!(prop(r#"{"id":"0x0037","type":"0x0002","value":-32769}"#).contains("16 bits"));
    assert!(prop(r#"{"id":"0x0037","type":"0x0040","value":-1}"#).contains("from 0"));
    assert!(prop(r#"{"id":"0x0037","type":"0x0014","value":"9223372036854775808"}"#).contains("64 bits"));
    assert!(prop(r#"{"id":"0x0037","type":"0x0005","bits":"1"}"#).contains("bits"));
    assert!(prop(r#"{"id":"0x0037","type":"0x0102","base64":"*"}"#).contains("base64"));
    assert!(prop(r#"{"id":"0x0037","type":"0x0102","base64":3}"#).contains("base64"));
    assert!(prop(r#"{"id":"0x0037","type":"0x101F","values":[{"value":3}]}"#).contains("value"));
    assert!(prop(r#"{"id":"0x0037","type":"0x0048","value":"x"}"#).contains("GUID"));
    assert!(prop(r#"{"id":"0x8037","type":"0x0003","value":1,"named":{"guid":"+0020329-0000-0000-C000-000000000046","id":1}}"#)
        .contains("GUID"));
    let deep = format!("{{\"type\":\"item\",\"path\":[],\"message\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(one(&deep).contains("nested"));
}

#[test]
fn what_is_bad_everywhere_is_bounded() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), format!("{HEADER}\n{}", "x\n".repeat(100_000))).unwrap();
    let found = troubles(&JsonSource::open(file.path()).unwrap());
    assert_eq!(found.len(), 10_002);
    assert_eq!(found[10_000], "90000 more lines cannot be read");
    std::fs::write(file.path(), format!("{HEADER}\n{}", "{\"type\":\"folder\",\"path\":[]}\n".repeat(200_100)))
        .unwrap();
    assert_eq!(JsonSource::open(file.path()).err().map(|e| e.kind()), Some(Kind::Limit));
}

#[test]
fn a_file_that_is_not_whole_is_told() {
    let item = r#"{"type":"item","path":["A"],"message":{}}"#;
    let of = |lines: &[&str]| troubles(&with_lines(lines).unwrap());
    assert_eq!(of(&[HEADER, item]), ["the file ends without its last line: it is not whole"]);
    assert_eq!(of(&[HEADER]), ["the file ends without its last line: it is not whole"]);
    assert_eq!(
        of(&[HEADER, item, r#"{"type":"end","folders":0,"items":2}"#]),
        ["line 3: the last line tells of 2 items, but there are 1"]
    );
}

#[test]
fn no_damage_panics_or_hangs() {
    let mut whole = message();
    whole.attachments.push(Attachment { props: everything(), embedded: Some(Box::new(message())) });
    let (_folder, path) = written(vec![whole.clone(), whole]);
    let sample = std::fs::read(&path).unwrap();
    let header = sample.iter().position(|b| *b == b'\n').unwrap();
    let scratch = tempfile::NamedTempFile::new().unwrap();
    let mut seeded = Seeded(5);
    let mut sound = 0;
    for _ in 0..2000 {
        let mut bytes = sample.clone();
        for _ in 0..1 + seeded.below(6) {
            let at = header + seeded.below((bytes.len() - header) as u64) as usize;
            let to = b"\"{}[]:,0\\\n9 A\xFF"[seeded.below(14) as usize];
            bytes[at] = to;
        }
        if seeded.below(8) == 0 {
            bytes.truncate(seeded.below(bytes.len() as u64) as usize);
        }
        std::fs::write(scratch.path(), &bytes).unwrap();
        let Ok(source) = JsonSource::open(scratch.path()) else { continue };
        for folder in source.folders().unwrap() {
            for item in source.items(&folder).unwrap().flatten() {
                sound += usize::from(source.load(&folder, &item).is_ok());
            }
        }
    }
    assert!(sound > 500, "{sound} were readable");
}

/// An attachment of 1 GiB in and out of JSON lines; takes a while and 3 GB of disk.
#[test]
#[ignore = "large: 1 GiB"]
fn an_attachment_of_a_gibibyte() {
    let folder = tempfile::tempdir().unwrap();
    let [json, back] = ["a.jsonl", "b.jsonl"].map(|n| folder.path().join(n));
    let blob = Blob::Stream(Arc::new(Pattern { len: 1 << 30, breaks: None }));
    let given = Arc::new(Given(vec![with_data("large", "large.bin", blob)]));
    moved(given, Box::new(JsonSink::create(&json, false, ImportOptions::default()).unwrap())).unwrap();
    convert(&json.display().to_string(), &spec("json", &back));
    let read = |path| std::io::BufReader::with_capacity(1 << 20, std::fs::File::open(path).unwrap());
    let (mut a, mut b) = (read(&json), read(&back));
    let (mut one, mut two) = (vec![0; 1 << 20], vec![0; 1 << 20]);
    loop {
        use std::io::Read;
        let n = a.by_ref().take(1 << 20).read(&mut one).unwrap();
        b.read_exact(&mut two[..n]).unwrap();
        // What differs stands in the first line with data only: none.
        assert!(one[..n] == two[..n]);
        if n == 0 {
            break;
        }
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    if let Some(peak) = status.lines().find_map(|l| l.strip_prefix("VmHWM:")) {
        eprintln!("peak memory {}", peak.trim());
    }
}
