//! Items: values, recipients, attachments and messages inside them.

use super::{Made, file_attachment, folder, message, only, others_open, recipient, write};
use pst_core::mapi::message::{Attachment, attach_method, flag};
use pst_core::mapi::{Blob, PropBag, PropTag, Role, Stream, Value, tag};
use std::io::Read;
use std::sync::Arc;

#[test]
fn five_thousand_recipients() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.pst");
    let to = (0..5000).map(|n| format!("Person {n}")).collect::<Vec<_>>().join("; ");
    write(&path, |w| {
        let f = folder(w, "F");
        let mut m = message("to all", "x");
        m.props.set(tag::DISPLAY_TO, Value::text(&to));
        m.recipients = (0..5000).map(recipient).collect();
        w.add(f, &m, false).unwrap();
    });
    let m = only(&path, "F");
    assert_eq!(m.recipients.len(), 5000);
    assert_eq!(m.recipients[4999].text(tag::SMTP_ADDRESS).unwrap(), "person4999@example.org");
    assert_eq!(m.props.text(tag::DISPLAY_TO).unwrap(), to);
    others_open(&path, 1);
}

#[test]
fn a_long_body_and_every_kind_of_value() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.pst");
    let body = "Ein langer Körper. ".repeat(700_000);
    write(&path, |w| {
        let f = folder(w, "F");
        let mut m = message("big", &body);
        m.props.set(PropTag(0x6001_0002), Value::I16(-2));
        m.props.set(PropTag(0x6002_0005), Value::F64(0.5));
        m.props.set(PropTag(0x6003_0014), Value::I64(-3));
        m.props.set(PropTag(0x6004_0048), Value::Guid([9; 16]));
        m.props.set(PropTag(0x6005_0102), Value::binary([]));
        m.props.set(PropTag(0x6006_101F), Value::texts(&["a", "", "ß"]));
        m.props.set(PropTag(0x6007_1003), Value::Multi(vec![1, 0, 0, 0, 2, 0, 0, 0]));
        m.props.set(PropTag(0x6008_001E), Value::String8(vec![0xE9]));
        m.props.set(PropTag(0x6009_00FB), Value::Other(vec![1, 2, 3]));
        m.props.set(PropTag(0x600A_0102), Value::binary(vec![5; 3580]));
        m.props.set(PropTag(0x600B_0102), Value::binary(vec![6; 3581]));
        m.props.set(PropTag(0x0E08_0014), Value::I64(1));
        w.add(f, &m, false).unwrap();
    });
    let m = only(&path, "F");
    assert_eq!(m.props.text(tag::BODY).unwrap(), body);
    assert_eq!(m.props.text(PropTag(0x6008_001F)).unwrap(), "é");
    assert_eq!(m.props.bytes(PropTag(0x600A_0102)).unwrap(), [5; 3580]);
    assert_eq!(m.props.bytes(PropTag(0x600B_0102)).unwrap(), [6; 3581]);
    assert!(m.props.bytes(PropTag(0x6005_0102)).unwrap().is_empty());
    assert!(matches!(m.props.any(0x6009), Some(Value::Other(b)) if b == &[1, 2, 3]));
    assert_eq!(m.props.0.iter().filter(|p| p.tag.id() == 0x0E08).count(), 1);
    others_open(&path, 1);
}

#[test]
fn a_streamed_attachment_of_20_mb() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.pst");
    write(&path, |w| {
        let f = folder(w, "F");
        let mut m = message("with a file", "x");
        m.attachments.push(file_attachment("a.bin", Blob::Stream(Arc::new(Made(20 << 20)))));
        m.attachments.push(file_attachment("empty.bin", Blob::Bytes(Vec::new())));
        w.add(f, &m, false).unwrap();
    });
    let m = only(&path, "F");
    assert_eq!(m.props.i32(tag::MESSAGE_FLAGS).unwrap() & flag::HAS_ATTACH, flag::HAS_ATTACH);
    let Some(Value::Binary(data)) = m.attachments[0].props.get(tag::ATTACH_DATA_BINARY) else { panic!() };
    let (mut is, mut should) = (Vec::new(), Vec::new());
    data.open().unwrap().read_to_end(&mut is).unwrap();
    Made(20 << 20).open().unwrap().read_to_end(&mut should).unwrap();
    assert!(is == should);
    others_open(&path, 1);
}

#[test]
fn messages_in_messages_64_deep() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.pst");
    let mut m = message("innermost", "deep");
    for depth in 0..64 {
        let mut outer = message(&format!("around {depth}"), "x");
        let mut a = Attachment { embedded: Some(Box::new(m)), ..Attachment::default() };
        a.props.set(tag::ATTACH_METHOD, Value::I32(attach_method::EMBEDDED));
        a.props.set(tag::DISPLAY_NAME, Value::text("inner"));
        outer.attachments.push(a);
        m = outer;
    }
    write(&path, |w| {
        let f = folder(w, "F");
        w.add(f, &m, false).unwrap();
    });
    let m = only(&path, "F");
    let (mut at, mut depth) = (&m, 0);
    while let Some(inner) = at.attachments.first().and_then(|a| a.embedded.as_deref()) {
        (at, depth) = (inner, depth + 1);
    }
    assert_eq!(depth, 64);
    assert_eq!(at.props.text(tag::BODY).unwrap(), "deep");
    others_open(&path, 1);
}

/// Deeper than the reader goes, on a stack as small as a worker's.
#[test]
fn messages_in_messages_150_deep() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.pst");
    let mut m = message("innermost", "deep");
    for _ in 0..150 {
        let mut outer = message("around", "x");
        outer.attachments.push(Attachment { embedded: Some(Box::new(m)), ..Attachment::default() });
        m = outer;
    }
    let target = path.clone();
    let worker = std::thread::Builder::new().stack_size(2 << 20).spawn(move || {
        write(&target, |w| {
            let f = folder(w, "F");
            w.add(f, &m, false).unwrap();
        })
    });
    worker.unwrap().join().unwrap();
    others_open(&path, 1);
}

/// What contradicts itself in a source is put right: a damaged attachment, sizes and keys of other types.
#[test]
fn odd_messages_become_sound_ones() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.pst");
    let attachment = |method: Option<i32>, data: Option<(PropTag, Value)>| {
        let mut a = Attachment::default();
        if let Some(method) = method {
            a.props.set(tag::ATTACH_METHOD, Value::I32(method));
        }
        if let Some((tag, value)) = data {
            a.props.set(tag, value);
        }
        a
    };
    let object = || Some((tag::ATTACH_DATA_OBJECT, Value::Object(Blob::Bytes(vec![7; 5000]))));
    let binary = || Some((tag::ATTACH_DATA_BINARY, Value::binary([1, 2, 3])));
    let mut m = message("odd", "x");
    m.props.set(PropTag(0x0E08_0014), Value::I64(5));
    m.props.set(PropTag(0x300B_001F), Value::text("not a key"));
    m.props.set(PropTag(0x0E17_0014), Value::I64(5));
    m.props.set(tag::CONVERSATION_ID, Value::binary([1; 16]));
    m.props.set(PropTag(0x67F2_0003), Value::I32(5));
    m.props.set(tag::REPL_ITEM_ID, Value::binary([3; 16]));
    m.attachments = vec![
        attachment(Some(attach_method::EMBEDDED), None),
        attachment(Some(attach_method::EMBEDDED), binary()),
        attachment(Some(attach_method::OLE), object()),
        attachment(Some(attach_method::BY_VALUE), object()),
        attachment(Some(attach_method::BY_VALUE), None),
        attachment(None, binary()),
        attachment(None, None),
        attachment(Some(attach_method::BY_REFERENCE_ONLY), None),
    ];
    write(&path, |w| {
        let mut extra = PropBag::default();
        extra.set(tag::REPL_ITEM_ID, Value::binary([2; 16]));
        let top = w.top();
        let f = w.add_folder(top, "F", Role::None, None, &extra).unwrap();
        let warnings = w.add(f, &m, false).unwrap();
        assert_eq!(warnings.len(), 1, "{warnings:?}");
    });
    if let Ok(keep) = std::env::var("PST_KEEP") {
        std::fs::copy(&path, keep).unwrap();
    }
    let m = only(&path, "F");
    let methods: Vec<_> = m.attachments.iter().map(|a| a.props.i32(tag::ATTACH_METHOD).unwrap()).collect();
    assert_eq!(methods, [0, 1, 6, 1, 1, 1, 0, 4]);
    let sizes: Vec<_> = m.attachments.iter().map(|a| a.props.i32(tag::ATTACH_SIZE).unwrap()).collect();
    assert_eq!(sizes, [12, 15, 5012, 5012, 12, 15, 12, 12]);
    let ids: std::collections::BTreeSet<u16> = m.props.0.iter().map(|p| p.tag.id()).collect();
    assert_eq!(ids.len(), m.props.0.len());
    assert!(m.props.get(tag::CONVERSATION_ID).is_none());
    others_open(&path, 1);
}
