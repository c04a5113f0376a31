//! Items as Exchange exports and imports them: what is encoded is decoded again, and damage is survived.

use super::support::{Seeded, corpus, files};
use pst_core::mapi::fast_transfer::{CHUNK, Decoded, Options, Part, Version, decode, encode, left_out, length};
use pst_core::mapi::message::attach_method;
use pst_core::mapi::named::{PS_PUBLIC_STRINGS, PSETID_COMMON};
use pst_core::mapi::{
    Attachment, Blob, Code, Guid, MAX_DEPTH, Message, NamedProp, Prop, PropBag, PropTag, Stream, Value, codepage, tag,
};
use pst_core::messaging::Store;
use pst_core::{Error, Kind};
use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Arc;

/// The sample of the documentation of UploadItems, which its author cut off.
const SAMPLE: &str = "AQAAAAgAAAAAAAAAAQAAAAMAAAAYAAAAAQAAAAcDAgAAAAAAwAAAAAAAAEYAJACABAAAAAYAAAABDqSAAAACAAAAcSMAAOSECEBb\
    AAAAL089RklSU1QgT1JHQU5JWkFUSU9OL09VPUVYQ0hBTkdFIEFETUlOSVNUUkFUSVZFIEdST1VQIChGWURJQk9IRjIzU1BETFQpL0NOPVJFQ0lQSUVOVFMv\
    Q049AAMAFwABAAAAsIQaABIAAABJAFAATQAuAE4AbwB0AGUAAAALACMAAAADACYAAAAAAAsAKQAAAAMALgAAAAAAAwA2AAAAAACwhw4=";

fn encoded(message: &Message) -> (Vec<u8>, Vec<String>) {
    let mut out = Vec::new();
    let warnings = encode(message, &mut out, &Options::default()).unwrap();
    assert_eq!(length(message, &Options::default()).unwrap(), out.len() as u64);
    (out, warnings.into_iter().map(|w| w.text).collect())
}

fn read(mut bytes: &[u8]) -> Result<Decoded, Error> {
    decode(&mut bytes)
}

/// Decodes what must be whole and beyond doubt.
fn sound(bytes: &[u8]) -> Message {
    let decoded = read(bytes).unwrap();
    assert!(decoded.cut.is_none() && decoded.warnings.is_empty(), "{:?} {:?}", decoded.cut, decoded.warnings);
    decoded.message
}

/// A blob of a stream.
fn blob(stream: &[u8]) -> Vec<u8> {
    let mut out = encoded(&Message::default()).0;
    out.truncate(62);
    out.extend([2, stream.len() as u32].iter().flat_map(|n| n.to_le_bytes()));
    out.extend_from_slice(stream);
    out
}

/// Names and values of a bag that a blob keeps, in the types in which it keeps them: 8-bit strings become Unicode, and
/// half characters, and what a stream cannot carry, go with a warning.
fn kept(bag: &PropBag, part: Part, page: u32, lost: &mut usize) -> BTreeMap<String, String> {
    let mut out = BTreeMap::new();
    let marked = bag.text(tag::SUBJECT).is_some_and(|s| s.starts_with('\u{1}'));
    let implied = [tag::SUBJECT_PREFIX.id(), tag::NORMALIZED_SUBJECT.id()];
    for prop in &bag.0 {
        let is_plain = prop.name.is_none();
        let is_implied = marked && part == Part::Message && implied.contains(&prop.tag.id());
        if is_plain && (is_implied || left_out(part, prop.tag).is_some()) {
            continue;
        }
        if is_plain && prop.tag.is_named() {
            *lost += 1;
            continue;
        }
        let texts = |bytes: &[u8]| {
            let parts = Value::multi_parts(bytes).unwrap_or_default();
            parts.iter().map(|p| codepage::decode(page, p)).collect::<Vec<_>>()
        };
        let (ty, value) = match (&prop.value, prop.tag.ty()) {
            (Value::String8(bytes), _) => (0x1F, Value::text(&codepage::decode(page, bytes))),
            (Value::Multi(bytes), 0x101E) => (0x101F, Value::texts(&texts(bytes))),
            (Value::Unicode(bytes), ty) if bytes.len() % 2 == 1 => {
                *lost += 1;
                (ty, Value::Unicode(bytes[..bytes.len() - 1].to_vec()))
            }
            (value, ty) => (ty, value.clone()),
        };
        let name = prop.name.as_ref().map_or_else(|| format!("{:04X}", prop.tag.id()), |n| n.to_string());
        let shown = match value {
            Value::Binary(b) | Value::Object(b) => format!("{:?}", b.to_vec(u64::MAX).unwrap()),
            v => format!("{v:?}"),
        };
        out.insert(format!("{name} {ty:04X}"), shown);
    }
    out
}

/// What differs between a message and what came out of its blob, apart from what is left out and what is added.
fn compare(before: &Message, after: &Message, depth: usize, said: &mut Vec<String>, lost: &mut usize) -> usize {
    let page = codepage::of_item(&before.props);
    let mut count = 0;
    let mut bags = |before: &PropBag, after: &PropBag, part, added: &[PropTag]| {
        let mut expected = kept(before, part, page, lost);
        let found = kept(after, part, page, &mut 0);
        for tag in added.iter().filter(|t| before.any(t.id()).is_none()) {
            let name = format!("{:04X} {:04X}", tag.id(), tag.ty());
            expected.extend(found.get_key_value(&name).map(|(k, v)| (k.clone(), v.clone())));
        }
        count += expected.len();
        for name in expected.keys().chain(found.keys()) {
            if expected.get(name) != found.get(name) {
                said.push(format!("{part:?} {name}: {:?} → {:?}", expected.get(name), found.get(name)));
            }
        }
    };
    let top = [tag::MESSAGE_CLASS, tag::MESSAGE_FLAGS, tag::MESSAGE_DELIVERY_TIME];
    bags(&before.props, &after.props, Part::Message, if depth == 0 { &top } else { &top[..1] });
    for (a, b) in before.recipients.iter().zip(&after.recipients) {
        bags(a, b, Part::Recipient, &[]);
    }
    for (a, b) in before.attachments.iter().zip(&after.attachments) {
        bags(&a.props, &b.props, Part::Attachment, &[]);
    }
    let counts = |m: &Message| (m.recipients.len(), m.attachments.len());
    if counts(before) != counts(after) {
        said.push(format!("recipients and attachments: {:?} → {:?}", counts(before), counts(after)));
    }
    for (a, b) in before.attachments.iter().zip(&after.attachments) {
        match (&a.embedded, &b.embedded) {
            (Some(a), Some(b)) => count += compare(a, b, depth + 1, said, lost),
            (None, None) => {}
            _ => said.push("an embedded message came or went".to_owned()),
        }
    }
    count
}

fn items(mut f: impl FnMut(&str, &Message)) -> bool {
    for top in ["pst", "pst-derived"] {
        let Some(top) = corpus(top) else { return false };
        for path in files(&top, &[".pst", ".ost"]) {
            let Ok(store) = Store::open(&path) else { continue };
            let mut errors = Vec::new();
            let file = path.file_name().unwrap().to_string_lossy().into_owned();
            for folder in store.folders(&mut errors).into_iter().filter(|f| !f.search) {
                for hidden in [false, true] {
                    for listed in store.contents(folder.nid, hidden, &mut errors) {
                        if let Ok((message, _)) = store.message(listed.nid) {
                            f(&format!("{file} 0x{:X}", listed.nid.0), &message);
                        }
                    }
                }
            }
        }
    }
    true
}

/// Every item of every PST comes back, and what could not be carried was told, property by property.
#[test]
fn every_item_comes_back() {
    let (mut count, mut props, mut told) = (0, 0, 0);
    let mut bad = Vec::new();
    let complete = items(|id, message| {
        let (bytes, warnings) = encoded(message);
        let (mut said, mut lost) = (Vec::new(), 0);
        props += compare(message, &sound(&bytes), 0, &mut said, &mut lost);
        let about_properties = warnings.iter().filter(|w| w.starts_with("property ")).count();
        if about_properties != lost {
            said.push(format!("{lost} properties were lost, {about_properties} told: {warnings:?}"));
        }
        count += 1;
        told += warnings.len();
        bad.extend(said.into_iter().map(|s| format!("{id}: {s}")));
    });
    if complete {
        eprintln!("{count} items, {props} properties, {told} warnings");
        assert!(bad.is_empty(), "{}:\n{}", bad.len(), bad.join("\n"));
        assert!(count > 0);
    }
}

/// The grammar of every blob, read by other means: chunks are no longer than Exchange's, begin and end in pairs.
#[test]
fn chunks_are_no_longer_than_those_of_exchange() {
    items(|id, message| {
        let (bytes, _) = encoded(message);
        let mut at = 62;
        while at < bytes.len() {
            let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
            assert_eq!(word(at), 2, "{id}");
            let length = word(at + 4) as usize;
            assert!((1..=CHUNK).contains(&length), "{id}: {length}");
            at += 8 + length;
        }
        assert_eq!(at, bytes.len(), "{id}");
    });
}

#[test]
fn the_sample_of_the_documentation() {
    let bytes = base64_simd::STANDARD.decode_to_vec(SAMPLE).unwrap();
    assert_eq!(bytes.len(), 242);
    let decoded = read(&bytes).unwrap();
    assert_eq!(decoded.version, Version { major: 14, minor: 1, build: 164, revision: 0 });
    let prefix = "/O=FIRST ORGANIZATION/OU=EXCHANGE ADMINISTRATIVE GROUP (FYDIBOHF23SPDLT)/CN=RECIPIENTS/CN=";
    assert_eq!(decoded.dn_prefix.as_deref(), Some(prefix));
    let props = &decoded.message.props;
    assert_eq!(props.0.len(), 7);
    assert_eq!(props.i32(tag::IMPORTANCE), Some(1));
    assert_eq!(props.text(tag::MESSAGE_CLASS).as_deref(), Some("IPM.Note"));
    assert_eq!(props.get(tag::MESSAGE_CLASS).unwrap().size(), 16);
    for tag in [0x0023_000B, 0x0029_000B] {
        assert_eq!(props.bool(PropTag(tag)), Some(false));
    }
    for tag in [0x0026_0003, 0x002E_0003, 0x0036_0003] {
        assert_eq!(props.i32(PropTag(tag)), Some(0));
    }
    let cut = decoded.cut.unwrap();
    assert_eq!((cut.kind(), cut.place().offset), (Kind::Truncated, Some(242)));
    assert!(decoded.warnings.is_empty());
}

/// One property of each type that a stream carries.
fn everything() -> PropBag {
    let values = [
        (0x0002, Value::I16(-3)),
        (0x0003, Value::I32(i32::MIN)),
        (0x0004, Value::F32(0.5)),
        (0x0005, Value::F64(1e300)),
        (0x0006, Value::Currency(-1)),
        (0x0007, Value::FloatingTime(41_000.25)),
        (0x000A, Value::Error(0x8004_010F)),
        (0x000B, Value::Bool(true)),
        (0x000D, Value::Object(Blob::Bytes(vec![4; 9]))),
        (0x0014, Value::I64(i64::MAX)),
        (0x001F, Value::text("Grüße 😀")),
        (0x0040, Value::Time(131_000_000_000_000_000)),
        (0x0048, Value::Guid([7; 16])),
        (0x0102, Value::binary([1, 2, 3])),
        (0x1002, Value::Multi(vec![1, 0, 2, 0])),
        (0x1003, Value::Multi(vec![1, 0, 0, 0, 2, 0, 0, 0])),
        (0x1004, Value::Multi(vec![5; 8])),
        (0x1005, Value::Multi(vec![6; 24])),
        (0x1006, Value::Multi(vec![7; 8])),
        (0x1007, Value::Multi(vec![8; 8])),
        (0x1014, Value::Multi(vec![1; 16])),
        (0x101F, Value::texts(&["one", "", "drei ä"])),
        (0x1040, Value::Multi(vec![2; 24])),
        (0x1048, Value::Multi(vec![3; 32])),
        (0x1102, Value::binaries(&[vec![1, 2], vec![], vec![9]])),
        (0xFDE8, Value::Other(vec![1, 2, 0])),
    ];
    let mut bag = PropBag::default();
    for (i, (ty, value)) in values.into_iter().enumerate() {
        bag.set(PropTag::new(0x6800 + i as u16, ty), value.clone());
        let name = NamedProp::text(Guid([9; 16]), &format!("name {i}"));
        bag.set_named(Arc::new(name), ty, value);
    }
    bag.set_named(Arc::new(NamedProp::id(PSETID_COMMON, 0x8514)), 0x000B, Value::Bool(false));
    bag.set_named(Arc::new(NamedProp::text(PS_PUBLIC_STRINGS, "Keywords")), 0x101F, Value::texts(&["a"]));
    bag.set(PropTag(0x6900_001F), Value::text(""));
    bag.set(PropTag(0x6901_0102), Value::binary([]));
    bag.set(PropTag(0x6902_001F), Value::Unicode(vec![b'a', 0, 0, 0]));
    // PidTagSenderFlags, whose tag looks like a marker's.
    bag.set(PropTag(0x4019_0003), Value::I32(2));
    bag
}

fn message() -> Message {
    let mut message = Message { props: everything(), ..Message::default() };
    message.props.set(tag::MESSAGE_CLASS, Value::text("IPM.Note.Own"));
    message.props.set(tag::SUBJECT, Value::text("\u{1}\u{5}RE: subject"));
    message.props.set(tag::MESSAGE_FLAGS, Value::I32(1));
    message
}

/// A message with all that one can have.
fn full() -> Message {
    let mut whole = message();
    whole.recipients = vec![everything(), PropBag::default()];
    for (method, embedded) in [(attach_method::BY_VALUE, None), (attach_method::EMBEDDED, Some(message()))] {
        let mut attachment = Attachment { props: everything(), embedded: embedded.map(Box::new) };
        attachment.props.set(tag::ATTACH_METHOD, Value::I32(method));
        whole.attachments.push(attachment);
    }
    let mut ole = Attachment::default();
    ole.props.set(tag::ATTACH_METHOD, Value::I32(attach_method::OLE));
    ole.props.set(tag::ATTACH_DATA_OBJECT, Value::Object(Blob::Bytes(vec![0xD0; 70_000])));
    whole.attachments.push(ole);
    whole
}

#[test]
fn every_type_comes_back() {
    let whole = full();
    let (bytes, warnings) = encoded(&whole);
    assert_eq!(warnings, Vec::<String>::new());
    let decoded = read(&bytes).unwrap();
    assert!(decoded.cut.is_none());
    assert!(decoded.warnings.iter().all(|w| w.code == Code::Charset), "{:?}", decoded.warnings);
    let (mut said, mut lost) = (Vec::new(), 0);
    let count = compare(&whole, &decoded.message, 0, &mut said, &mut lost);
    assert_eq!((said, lost), (Vec::new(), 0));
    assert_eq!(count, 5 * everything().0.len() + 2 * 3 + 2 + 2);
    assert!(encoded(&decoded.message).0 == bytes, "the same item gives the same bytes");
}

#[test]
fn a_server_finds_what_it_needs() {
    let mut bare = Message::default();
    bare.props.set(tag::SUBJECT, Value::text("\u{1}\u{5}RE: subject"));
    bare.props.set(tag::CLIENT_SUBMIT_TIME, Value::Time(77));
    bare.props.set(tag::ENTRY_ID, Value::binary([1]));
    let mut attachment = Attachment::default();
    attachment.props.set(tag::ATTACH_LONG_FILENAME, Value::text("a"));
    bare.attachments.push(attachment);
    let (bytes, warnings) = encoded(&bare);
    let find = |part: &[u8]| memchr::memmem::find(&bytes, part);
    assert!(find(&[0xB0, 0x84, 0x1A, 0, 18, 0, 0, 0, b'I', 0, b'P', 0]).is_some(), "a class");
    assert!(find(&[3, 0, 0x07, 0x0E, 0, 0, 0, 0]).is_some(), "flags, so that it is no draft");
    assert!(find(&[0x40, 0, 0x06, 0x0E, 77, 0, 0, 0, 0, 0, 0, 0]).is_some(), "a time of receipt");
    assert!(find(&[0xB0, 0x84, 0x37, 0, 24, 0, 0, 0, b'R', 0]).is_some(), "a subject without mark");
    assert!(find(&[0xB0, 0x84, 0x3D, 0, 10, 0, 0, 0, b'R', 0, b'E', 0, b':', 0, b' ', 0, 0, 0]).is_some(), "a prefix");
    assert!(find(&[0xFF, 0x0F]).is_none(), "no id of the old store");
    let recipients = find(&[3, 0, 0x16, 0x40, 0x0D, 0, 0x12, 0x0E]).unwrap();
    let attachments = find(&[3, 0, 0x16, 0x40, 0x0D, 0, 0x13, 0x0E]).unwrap();
    assert!(recipients < attachments);
    let first = find(&[3, 0, 0, 0x40, 3, 0, 0x21, 0x0E, 0, 0, 0, 0]).unwrap();
    assert_eq!(first, attachments + 8, "the number comes first");
    assert_eq!(warnings, ["the item has no time of receipt; the time at which it was sent is used"]);
    assert_eq!(sound(&bytes).props.text(tag::SUBJECT).as_deref(), Some("\u{1}\u{5}RE: subject"));
    // A draft stays one.
    bare.props.set(tag::MESSAGE_FLAGS, Value::I32(8));
    assert_eq!(sound(&encoded(&bare).0).props.i32(tag::MESSAGE_FLAGS), Some(8));
}

#[test]
fn losses_are_told() {
    let mut odd = message();
    let mut add = |tag: u32, value: Value| odd.props.0.push(Prop { tag: PropTag(tag), name: None, value });
    add(0x8123_0003, Value::I32(1));
    add(0x6800_001F, Value::text("another type"));
    add(0x4001_0003, Value::I32(1));
    add(0x4008_001F, Value::text("a meta-property"));
    add(0x6A00_00FD, Value::Other(vec![1]));
    add(0x6A01_001F, Value::Unicode(vec![b'a', 0, b'b']));
    let long = NamedProp::text(PS_PUBLIC_STRINGS, &"n".repeat(20_000));
    odd.props.set_named(Arc::new(long), 3, Value::I32(1));
    odd.props.set(tag::DISPLAY_TO, Value::text("Ann"));
    odd.attachments.push(Attachment::default());
    odd.attachments[0].props.set(tag::ATTACH_METHOD, Value::I32(attach_method::EMBEDDED));
    let (bytes, warnings) = encoded(&odd);
    assert_eq!(warnings.len(), 9, "{warnings:#?}");
    for part in ["0x81230003", "0x6800001F", "0x40010003", "0x4008001F", "0x6A0000FD", "0x6A01001F", ":nnn", "Ann"] {
        assert!(warnings.iter().any(|w| w.contains(part)), "{part}: {warnings:?}");
    }
    let again = read(&bytes).unwrap();
    assert_eq!(again.message.props.text(PropTag(0x6A01_001F)).as_deref(), Some("a"));
    assert!(again.cut.is_none());
}

#[test]
fn strings_in_code_pages() {
    let mut stream = vec![0xE4, 0x84, 0x1A, 0, 2, 0, 0, 0, b'x', 0];
    stream.extend([0xA4, 0x83, 0x37, 0, 3, 0, 0, 0, 0x93, 0xFA, 0]);
    // Code page 65001, whose highest bit is the mark of these types; no zero at the end.
    stream.extend([0xE9, 0xFD, 0x00, 0x10, 2, 0, 0, 0, 0xC3, 0xA9]);
    // Two strings of UTF-16.
    stream.extend([0xB0, 0x94, 0x00, 0x69, 2, 0, 0, 0, 4, 0, 0, 0, b'a', 0, 0, 0, 2, 0, 0, 0, b'b', 0]);
    let props = sound(&blob(&stream)).props;
    for (tag, text) in [(tag::MESSAGE_CLASS, "x"), (tag::SUBJECT, "日"), (tag::BODY, "é")] {
        assert_eq!(props.text(tag).as_deref(), Some(text));
        assert!(props.get(tag).is_some(), "as PtypString");
    }
    let Some(Value::Multi(list)) = props.get(PropTag(0x6900_101F)) else { panic!("{props:?}") };
    assert_eq!(Value::multi_parts(list).unwrap(), [b"a\0", b"b\0"]);
    let doubtful = read(&blob(&[0xA4, 0x83, 0x37, 0, 2, 0, 0, 0, 0x93, 0])).unwrap();
    assert_eq!(doubtful.warnings.len(), 1, "half a character");
}

#[test]
fn markers_out_of_place_are_errors() {
    let markers = |all: &[u32]| blob(&all.iter().flat_map(|m| m.to_le_bytes()).collect::<Vec<_>>());
    for (all, wrong) in [
        (&[0x4009_0003][..], 0),
        (&[0x4003_0003, 0x4003_0003], 1),
        (&[0x4004_0003], 0),
        (&[0x400E_0003], 0),
        (&[0x4001_0003], 0),
        (&[0x4000_0003, 0x4001_0003, 0x400E_0003], 2),
        (&[0x4000_0003, 0x4001_0003, 0x4002_0003, 0x4001_0003], 3),
        (&[0x4000_0003, 0x4001_0003, 0x400C_0003], 2),
        (&[0x400C_0003, 0x400D_0003, 0x4003_0003, 0x4004_0003, 0x400C_0003], 4),
        (&[0x4012_0003], 0),
        (&[0x6800_00FD], 0),
    ] {
        let error = read(&markers(all)).unwrap_err();
        assert_eq!((error.kind(), error.place().offset), (Kind::Damaged, Some(70 + 4 * wrong)), "{all:08X?}");
    }
    let wrapped = markers(&[0x4010_0003, 0x4003_0003, 0x4004_0003, 0x400D_0003]);
    assert_eq!(sound(&wrapped).recipients.len(), 1);
    for (all, inside) in [
        (&[0x4003_0003][..], "a recipient"),
        (&[0x4000_0003], "an attachment"),
        (&[0x4000_0003, 0x4001_0003], "an embedded message"),
    ] {
        let cut = read(&markers(all)).unwrap().cut.unwrap();
        assert!(cut.text().ends_with(inside), "{cut}");
    }
}

#[test]
fn what_a_server_adds_is_understood() {
    let mut stream = Vec::new();
    stream.extend([3, 0, 0x18, 0x40]);
    stream.extend([2, 1, 0, 0, 1, 0, 0, 0, 7]);
    stream.extend([3, 0, 0x0F, 0x40, 0x1F, 1, 4, 0x80]);
    stream.extend([3, 0, 0x03, 0x40, 3, 0, 0x04, 0x40]);
    stream.extend([3, 0, 0x17, 0, 1, 0, 0, 0]);
    let decoded = read(&blob(&stream)).unwrap();
    assert_eq!(decoded.warnings.len(), 2, "{:?}", decoded.warnings);
    assert!(
        decoded.warnings.iter().all(|w| w.code == Code::Damaged) && decoded.warnings[1].text.contains("0x8004011F")
    );
    assert_eq!((decoded.message.props.0.len(), decoded.message.recipients.len()), (1, 1));
}

#[test]
fn depth_is_bounded() {
    let mut deep = message();
    for _ in 0..MAX_DEPTH + 6 {
        let attachment = Attachment { embedded: Some(Box::new(deep)), ..Attachment::default() };
        deep = message();
        deep.attachments.push(attachment);
    }
    let depth = |mut at: &Message| {
        let mut depth = 0;
        while let Some(inner) = at.attachments.first().and_then(|a| a.embedded.as_deref()) {
            at = inner;
            depth += 1;
        }
        depth
    };
    let (bytes, warnings) = encoded(&deep);
    assert_eq!((depth(&read(&bytes).unwrap().message), warnings.len()), (MAX_DEPTH, 1));
    let begin = [0x4000_0003u32, 0x4001_0003].map(u32::to_le_bytes).concat();
    let end = [0x4002_0003u32, 0x400E_0003].map(u32::to_le_bytes).concat();
    for stream in [[begin.repeat(200_000), end.repeat(200_000)].concat(), begin.repeat(200_000)] {
        let decoded = read(&blob(&stream)).unwrap();
        assert_eq!(depth(&decoded.message), MAX_DEPTH);
        assert!(!decoded.warnings.is_empty());
    }
}

/// Data that come in pieces, of which none but the current one exists.
struct Pattern {
    promised: u64,
    real: u64,
}

impl Stream for Pattern {
    fn len(&self) -> u64 {
        self.promised
    }

    fn open(&self) -> pst_core::Result<Box<dyn Read + Send + '_>> {
        Ok(Box::new(Bytes((0..self.real).map(|i| (i % 251) as u8))))
    }
}

struct Bytes<I>(I);

impl<I: Iterator<Item = u8>> Read for Bytes<I> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        Ok(out.iter_mut().zip(&mut self.0).map(|(to, from)| *to = from).count())
    }
}

fn with_stream(promised: u64, real: u64) -> Message {
    let mut whole = message();
    let mut attachment = Attachment::default();
    let data = Blob::Stream(Arc::new(Pattern { promised, real }));
    attachment.props.set(tag::ATTACH_DATA_BINARY, Value::Binary(data));
    whole.attachments.push(attachment);
    whole
}

#[test]
fn streams_are_read_in_chunks() {
    let again = sound_but_for_pages(&encoded(&with_stream(500_001, 500_001)).0);
    let data = again.attachments[0].props.bytes(tag::ATTACH_DATA_BINARY).unwrap();
    assert!(data.len() == 500_001 && data.iter().zip(0u64..).all(|(b, i)| u64::from(*b) == i % 251));
    let error = encode(&with_stream(500_001, 400_000), &mut std::io::sink(), &Options::default()).unwrap_err();
    assert_eq!(error.kind(), Kind::Truncated);
    let error = length(&with_stream(1 << 32, 0), &Options::default()).unwrap_err();
    assert_eq!(error.kind(), Kind::Limit);
    assert!(length(&with_stream((1 << 32) - 1, 0), &Options::default()).unwrap() > 1 << 32);
}

fn sound_but_for_pages(bytes: &[u8]) -> Message {
    let decoded = read(bytes).unwrap();
    assert!(decoded.cut.is_none() && decoded.warnings.iter().all(|w| w.code == Code::Charset));
    decoded.message
}

/// A small blob with everything in it, and one of several chunks.
fn samples() -> [Vec<u8>; 2] {
    let mut small = full();
    small.attachments.pop();
    let mut large = full();
    large.props.set(tag::BODY, Value::text(&"Text. ".repeat(6_000)));
    [small, large].map(|m| encoded(&m).0)
}

#[test]
fn every_truncation_is_told() {
    let [small, large] = samples();
    let cuts = (0..small.len()).map(|cut| (&small, cut)).chain((0..large.len()).step_by(997).map(|cut| (&large, cut)));
    for (bytes, cut) in cuts {
        match read(&bytes[..cut]) {
            Ok(decoded) => {
                let between = decoded.cut.is_none();
                assert!(!between || cut == 62 || cut < bytes.len() && bytes[cut..].starts_with(&[2, 0, 0, 0]), "{cut}");
                let e = decoded.cut;
                assert!(e.is_none_or(|e| e.kind() == Kind::Truncated && e.place().offset.is_some()));
            }
            Err(e) => assert!(cut < 62 && e.kind() == Kind::NotThisKind, "{cut}: {e}"),
        }
    }
}

#[test]
fn no_damage_panics_or_hangs() {
    let [small, large] = samples();
    let (mut whole, mut seeded) = (0, Seeded(5));
    let mut survive = |bytes: &[u8]| match read(bytes) {
        Ok(decoded) => {
            whole += usize::from(decoded.cut.is_none());
            encode(&decoded.message, &mut std::io::sink(), &Options::default()).unwrap();
        }
        Err(e) => assert!(e.place().offset.is_some_and(|at| at <= bytes.len() as u64), "{e}"),
    };
    for at in 0..small.len() {
        for change in [0xFF, 0x80, 1] {
            let mut bytes = small.clone();
            bytes[at] ^= change;
            survive(&bytes);
        }
    }
    for _ in 0..2_000 {
        let mut bytes = large.clone();
        for _ in 0..1 + seeded.below(8) {
            let at = seeded.below(bytes.len() as u64) as usize;
            bytes[at] = [0, 0xFF, seeded.next() as u8][seeded.below(3) as usize];
        }
        survive(&bytes);
    }
    assert!(whole > 1_000, "{whole} were readable");
}
