//! .msg files: what is written is read again, whatever the properties; and damage costs no more than what it is in.

use super::support::{Seeded, corpus};
use cfb::CompoundFile;
use pst_core::endpoint::msg;
use pst_core::mapi::message::attach_method;
use pst_core::mapi::named::{PS_PUBLIC_STRINGS, PSETID_COMMON};
use pst_core::mapi::{
    Attachment, Blob, Guid, MAX_DEPTH, Message, NamedProp, Prop, PropBag, PropTag, Stream, Value, tag,
};
use std::io::{Cursor, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn written(message: &Message) -> (Vec<u8>, Vec<String>) {
    let (out, warnings) = msg::write(message, Cursor::new(Vec::new())).unwrap();
    (out.into_inner(), warnings.into_iter().map(|w| w.text).collect())
}

fn read(bytes: &[u8]) -> (Message, Vec<String>) {
    let file = tempfile::NamedTempFile::with_suffix(".msg").unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    let (message, warnings) = msg::read(file.path()).unwrap();
    (message, warnings.into_iter().map(|w| w.text).collect())
}

fn show(bag: &PropBag) -> Vec<String> {
    let value = |v: &Value| match v {
        Value::Binary(b) | Value::Object(b) => format!("{:?}", b.to_vec(u64::MAX).unwrap()),
        v => format!("{v:?}"),
    };
    let mut out: Vec<String> = bag
        .0
        .iter()
        .map(|p| match &p.name {
            Some(name) => format!("{name} {:04X} {}", p.tag.ty(), value(&p.value)),
            None => format!("{} {}", p.tag, value(&p.value)),
        })
        .collect();
    out.sort();
    out
}

/// One property of each type.
fn everything() -> PropBag {
    let binaries = {
        let mut bytes = vec![3, 0, 0, 0, 16, 0, 0, 0, 18, 0, 0, 0, 18, 0, 0, 0];
        bytes.extend_from_slice(&[1, 2, 9]);
        Value::Multi(bytes)
    };
    let mut bag = PropBag::default();
    let values = [
        (0x0002, Value::I16(-3)),
        (0x0003, Value::I32(i32::MIN)),
        (0x0004, Value::F32(0.5)),
        (0x0005, Value::F64(1e300)),
        (0x0006, Value::Currency(-1)),
        (0x0007, Value::FloatingTime(41_000.25)),
        (0x000A, Value::Error(0x8004_010F)),
        (0x000B, Value::Bool(true)),
        (0x0014, Value::I64(i64::MAX)),
        (0x001F, Value::text("Grüße 😀")),
        (0x0040, Value::Time(131_000_000_000_000_000)),
        (0x0048, Value::Guid([7; 16])),
        (0x0102, Value::binary([1, 2, 3])),
        (0x1002, Value::Multi(vec![1, 0, 2, 0])),
        (0x1003, Value::Multi(vec![1, 0, 0, 0, 2, 0, 0, 0])),
        (0x1014, Value::Multi(vec![1; 16])),
        (0x101F, Value::texts(&["one", "", "drei ä"])),
        (0x1040, Value::Multi(vec![2; 24])),
        (0x1048, Value::Multi(vec![3; 32])),
        (0x1102, binaries),
        (0x00FB, Value::Other(vec![1, 2, 3])),
    ];
    for (i, (ty, value)) in values.into_iter().enumerate() {
        bag.set(PropTag::new(0x6700 + i as u16, ty), value.clone());
        let name = NamedProp::text(Guid([9; 16]), &format!("name {i}"));
        bag.set_named(Arc::new(name), ty, value);
    }
    bag.set_named(Arc::new(NamedProp::id(PSETID_COMMON, 0x8514)), 0x000B, Value::Bool(false));
    bag.set_named(Arc::new(NamedProp::text(PS_PUBLIC_STRINGS, "Keywords")), 0x101F, Value::texts(&["a"]));
    bag.set(PropTag(0x6800_001F), Value::text(""));
    bag.set(PropTag(0x6801_0102), Value::binary([]));
    bag
}

fn message() -> Message {
    let mut message = Message { props: everything(), ..Message::default() };
    message.props.set(tag::MESSAGE_CLASS, Value::text("IPM.Note.Own"));
    message.props.set(tag::SUBJECT, Value::text("\u{1}\u{5}RE: subject"));
    message
}

#[test]
fn every_type_comes_back() {
    let mut whole = message();
    whole.recipients = vec![everything(), PropBag::default()];
    let mut attachment = Attachment { props: everything(), embedded: None };
    attachment.props.set(tag::ATTACH_METHOD, Value::I32(attach_method::BY_VALUE));
    whole.attachments.push(attachment.clone());
    attachment.props.set(tag::ATTACH_METHOD, Value::I32(attach_method::EMBEDDED));
    attachment.embedded = Some(Box::new(message()));
    whole.attachments.push(attachment);
    let (bytes, warnings) = written(&whole);
    assert_eq!(warnings, Vec::<String>::new());
    let (again, warnings) = read(&bytes);
    assert_eq!(warnings, Vec::<String>::new());
    assert_eq!(show(&again.props), show(&whole.props));
    assert_eq!(again.recipients.iter().map(show).collect::<Vec<_>>(), [show(&everything()), vec![]]);
    for (a, b) in again.attachments.iter().zip(&whole.attachments) {
        assert_eq!(show(&a.props), show(&b.props));
    }
    let inner = again.attachments[1].embedded.as_ref().unwrap();
    assert_eq!(show(&inner.props), show(&message().props));
    // The same message gives the same bytes, at any time.
    std::thread::sleep(std::time::Duration::from_millis(20));
    assert!(written(&whole).0 == bytes);
    assert!(written(&again).0.len() == bytes.len());
}

#[test]
fn the_subject_is_one_that_other_programs_show() {
    let (bytes, _) = written(&message());
    let mut file = CompoundFile::open(Cursor::new(bytes)).unwrap();
    let mut text = |id: &str| {
        let mut out = Vec::new();
        file.open_stream(format!("/__substg1.0_{id}001F")).unwrap().read_to_end(&mut out).unwrap();
        String::from_utf16(&out.chunks(2).map(|c| u16::from_le_bytes([c[0], c[1]])).collect::<Vec<_>>()).unwrap()
    };
    assert_eq!([text("0037"), text("003D"), text("0E1D")], ["RE: subject", "RE: ", "subject"]);
}

#[test]
fn eight_bit_strings_become_unicode() {
    let mut message = Message::default();
    message.props.set(tag::MESSAGE_CODEPAGE, Value::I32(1251));
    message.props.set(PropTag(0x0037_001E), Value::String8(vec![0xCF, 0xF0]));
    let mut list = vec![2, 0, 0, 0, 12, 0, 0, 0, 13, 0, 0, 0];
    list.extend_from_slice(&[0xE0, b'x']);
    message.props.set(PropTag(0x6700_101E), Value::Multi(list));
    let (again, _) = read(&written(&message).0);
    assert_eq!(again.props.text(tag::SUBJECT).unwrap(), "Пр");
    let Some(Value::Multi(bytes)) = again.props.get(PropTag(0x6700_101F)) else { panic!("no list") };
    assert_eq!(Value::multi_parts(bytes).unwrap(), [&[0x30, 4][..], &[b'x', 0]]);
}

/// A marked subject in another code page than the western one was decoded as western.
#[test]
fn the_prefix_of_an_eight_bit_subject_is_decoded_by_its_code_page() {
    let mut message = Message::default();
    message.props.set(tag::MESSAGE_CODEPAGE, Value::I32(1251));
    message.props.set(PropTag(0x0037_001E), Value::String8(vec![1, 5, 0xCD, 0xC0, b':', b' ', 0xCF, 0xF0]));
    let (again, _) = read(&written(&message).0);
    assert_eq!(again.props.text(tag::SUBJECT).unwrap(), "\u{1}\u{5}НА: Пр");
}

#[test]
fn objects_are_storages() {
    let mut object = CompoundFile::create(Cursor::new(Vec::new())).unwrap();
    object.create_storage("inner").unwrap();
    for (name, data) in [("CONTENTS", b"picture".as_slice()), ("\u{1}Ole", b"x"), ("inner/deep", &[5; 9000])] {
        object.create_stream(name).unwrap().write_all(data).unwrap();
    }
    object.flush().unwrap();
    let object = object.into_inner().into_inner();
    let mut whole = message();
    for data in [object.clone(), b"no compound file".to_vec()] {
        let mut attachment = Attachment::default();
        attachment.props.set(tag::ATTACH_METHOD, Value::I32(attach_method::OLE));
        attachment.props.set(tag::ATTACH_DATA_OBJECT, Value::Object(Blob::Bytes(data)));
        whole.attachments.push(attachment);
    }
    let (bytes, _) = written(&whole);
    let streams = |bytes: &[u8]| {
        let mut file = CompoundFile::open(Cursor::new(bytes.to_vec())).unwrap();
        let paths: Vec<PathBuf> = file.walk().filter(|e| e.is_stream()).map(|e| e.path().to_path_buf()).collect();
        paths
            .into_iter()
            .map(|p| {
                let mut data = Vec::new();
                file.open_stream(&p).unwrap().read_to_end(&mut data).unwrap();
                (p, data)
            })
            .collect::<Vec<_>>()
    };
    let (again, warnings) = read(&bytes);
    assert_eq!(warnings, Vec::<String>::new());
    let data = |i: usize| match again.attachments[i].props.get(tag::ATTACH_DATA_OBJECT) {
        Some(Value::Object(blob)) => blob.to_vec(u64::MAX).unwrap(),
        other => panic!("{other:?}"),
    };
    assert_eq!(streams(&data(0)), streams(&object));
    assert_eq!(data(1), b"no compound file");
}

/// Data that come in pieces, of which none but the current one exists.
struct Pattern(u64);

impl Stream for Pattern {
    fn len(&self) -> u64 {
        self.0
    }

    fn open(&self) -> pst_core::Result<Box<dyn Read + Send + '_>> {
        let bytes = (0..self.0).map(|i| (i % 251) as u8);
        Ok(Box::new(Bytes(bytes)))
    }
}

struct Bytes<I>(I);

impl<I: Iterator<Item = u8>> Read for Bytes<I> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        Ok(out.iter_mut().zip(&mut self.0).map(|(to, from)| *to = from).count())
    }
}

#[test]
fn large_data_stay_where_they_are() {
    const SIZE: u64 = 5_000_001;
    let mut whole = message();
    let mut attachment = Attachment::default();
    let data = Blob::Stream(Arc::new(Pattern(SIZE)));
    attachment.props.set(tag::ATTACH_DATA_BINARY, Value::Binary(data));
    whole.attachments.push(attachment);
    let (again, _) = read(&written(&whole).0);
    let Some(Value::Binary(blob)) = again.attachments[0].props.get(tag::ATTACH_DATA_BINARY) else { panic!("no data") };
    assert!(matches!(blob, Blob::Stream(_)) && blob.len() == SIZE);
    let mut expected = Vec::new();
    Pattern(SIZE).open().unwrap().read_to_end(&mut expected).unwrap();
    assert!(blob.to_vec(u64::MAX).unwrap() == expected);
}

#[test]
fn depth_is_bounded() {
    let mut deep = message();
    for _ in 0..MAX_DEPTH + 6 {
        let attachment = Attachment { embedded: Some(Box::new(deep)), ..Attachment::default() };
        deep = message();
        deep.attachments.push(attachment);
    }
    let (again, warnings) = read(&written(&deep).0);
    let mut at = &again;
    let mut depth = 0;
    while let Some(inner) = at.attachments.first().and_then(|a| a.embedded.as_deref()) {
        at = inner;
        depth += 1;
    }
    assert_eq!(depth, MAX_DEPTH);
    assert!(at.attachments[0].props.get(tag::ATTACH_DATA_OBJECT).is_some() && warnings.len() == 1, "{warnings:?}");
}

#[test]
fn what_the_lists_forget_is_found() {
    let bytes = written(&message()).0;
    let mut file = CompoundFile::open(Cursor::new(bytes)).unwrap();
    file.create_stream("/__substg1.0_6900001F").unwrap().write_all(b"x\0").unwrap();
    file.remove_stream("/__substg1.0_0037001F").unwrap();
    file.flush().unwrap();
    let (again, warnings) = read(&file.into_inner().into_inner());
    assert_eq!(again.props.text(PropTag(0x6900_001F)).as_deref(), Some("x"));
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert_eq!(again.props.text(tag::SUBJECT).as_deref(), Some("\u{1}\u{5}RE: subject"), "from its two halves");
}

#[test]
fn properties_without_names_are_named_in_warnings() {
    let mut odd = message();
    odd.props.0.push(Prop { tag: PropTag(0x8123_0003), name: None, value: Value::I32(1) });
    odd.props.0.push(Prop { tag: PropTag(0x0037_001E), name: None, value: Value::String8(b"twice".to_vec()) });
    let (bytes, warnings) = written(&odd);
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert_eq!(show(&read(&bytes).0.props), show(&message().props));
}

#[test]
fn no_damage_panics_or_hangs() {
    let Some(folder) = corpus("msg/aquasync__ruby-msg/test") else { return };
    let scratch = tempfile::NamedTempFile::with_suffix(".msg").unwrap();
    let mut seeded = Seeded(11);
    let mut sound = 0;
    let mut samples: Vec<Vec<u8>> =
        super::support::files(&folder, &[".msg"]).iter().map(|p| std::fs::read(p).unwrap()).collect();
    let mut nested = message();
    nested.attachments.push(Attachment { props: everything(), embedded: Some(Box::new(message())) });
    samples.push(written(&nested).0);
    for sample in &samples {
        for _ in 0..150 {
            let mut bytes = sample.clone();
            for _ in 0..1 + seeded.below(8) {
                let at = seeded.below(bytes.len() as u64) as usize;
                bytes[at] = [0, 0xFF, seeded.next() as u8][seeded.below(3) as usize];
            }
            if seeded.below(8) == 0 {
                bytes.truncate(seeded.below(bytes.len() as u64) as usize);
            }
            std::fs::write(scratch.path(), &bytes).unwrap();
            if let Ok((message, _)) = msg::read(Path::new(scratch.path())) {
                sound += 1;
                let _ = msg::write(&message, Cursor::new(Vec::new()));
            }
        }
    }
    assert!(sound > 100, "{sound} were readable");
}
