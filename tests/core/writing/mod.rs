//! Writing PSTs: sizes and shapes at the edges of the format, read back by the reader and by other programs.

mod failures;
mod items;
mod sizes;

use pst_core::mapi::message::{Attachment, Message, attach_method};
use pst_core::mapi::named::{Guid, NamedProp};
use pst_core::mapi::{Blob, PropBag, PropTag, Role, Stream, Value, tag};
use pst_core::messaging::Store;
use pst_core::messaging::write::{FolderId, Options, StoreWriter};
use pst_core::ndb::Crypt;
use pst_core::{Kind, Result};
use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

fn options() -> Options {
    Options { display_name: "Test".into(), record_key: Some(*b"sixteen bytes ok"), ..Options::default() }
}

fn message(subject: &str, body: &str) -> Message {
    let mut m = Message::default();
    m.props.set(tag::MESSAGE_CLASS, Value::text("IPM.Note"));
    m.props.set(tag::SUBJECT, Value::text(subject));
    m.props.set(tag::BODY, Value::text(body));
    m.props.set(tag::CONVERSATION_TOPIC, Value::text(subject));
    m.props.set(tag::MESSAGE_DELIVERY_TIME, Value::Time(133_000_000_000_000_000));
    m.props.set(tag::SENDER_NAME, Value::text("Ann"));
    m
}

fn recipient(n: usize) -> PropBag {
    let mut r = PropBag::default();
    r.set(tag::RECIPIENT_TYPE, Value::I32(1));
    r.set(tag::DISPLAY_NAME, Value::text(&format!("Person {n}")));
    r.set(tag::ADDRESS_TYPE, Value::text("SMTP"));
    r.set(tag::EMAIL_ADDRESS, Value::text(&format!("person{n}@example.org")));
    r.set(tag::SMTP_ADDRESS, Value::text(&format!("person{n}@example.org")));
    r
}

fn file_attachment(name: &str, data: Blob) -> Attachment {
    let mut a = Attachment::default();
    a.props.set(tag::ATTACH_METHOD, Value::I32(attach_method::BY_VALUE));
    a.props.set(tag::ATTACH_LONG_FILENAME, Value::text(name));
    a.props.set(tag::ATTACH_FILENAME, Value::text(name));
    a.props.set(tag::ATTACH_DATA_BINARY, Value::Binary(data));
    a
}

/// Bytes that are made when they are read.
struct Made(u64);

impl Stream for Made {
    fn len(&self) -> u64 {
        self.0
    }

    fn open(&self) -> Result<Box<dyn Read + Send + '_>> {
        Ok(Box::new(Maker { at: 0, end: self.0 }))
    }
}

struct Maker {
    at: u64,
    end: u64,
}

impl Read for Maker {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let n = (self.end - self.at).min(out.len() as u64) as usize;
        for byte in &mut out[..n] {
            *byte = (self.at ^ (self.at >> 9)) as u8;
            self.at += 1;
        }
        Ok(n)
    }
}

fn write(path: &Path, fill: impl FnOnce(&mut StoreWriter)) -> u64 {
    let mut w = StoreWriter::create(path, options()).unwrap();
    fill(&mut w);
    let size = w.finish().unwrap();
    assert_eq!(size, std::fs::metadata(path).unwrap().len());
    size
}

fn folder(w: &mut StoreWriter, name: &str) -> FolderId {
    let top = w.top();
    w.add_folder(top, name, Role::None, None, &PropBag::default()).unwrap()
}

/// All items of a store by NID and name, read without any error.
fn read(path: &Path) -> BTreeMap<String, Vec<Message>> {
    let store = Store::open(path).unwrap();
    let mut errors = Vec::new();
    let mut out = BTreeMap::new();
    for f in store.folders(&mut errors) {
        let mut items = Vec::new();
        for associated in [false, true] {
            if f.search {
                continue;
            }
            for listed in store.contents(f.nid, associated, &mut errors) {
                let (message, more) = store.message(listed.nid).unwrap();
                errors.extend(more);
                items.push(message);
            }
        }
        out.insert(format!("{:X} {}", f.nid.0, f.name), items);
    }
    assert!(errors.is_empty(), "{errors:?}");
    out
}

fn only(path: &Path, folder: &str) -> Message {
    let mut all = read(path);
    let items = all.iter_mut().find(|(name, _)| name.ends_with(folder)).unwrap().1;
    assert_eq!(items.len(), 1);
    items.remove(0)
}

/// Other programs open the file; those that are not installed are skipped.
fn others_open(path: &Path, messages: usize) {
    libpst_opens(path, messages);
    match Command::new("pffinfo").arg(path).output() {
        Ok(out) => assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr)),
        Err(_) => eprintln!("skipped: pffinfo is not installed"),
    }
}

fn libpst_opens(path: &Path, messages: usize) {
    let run = |program: &str, args: &[&str]| match Command::new(program).args(args).output() {
        Ok(out) => {
            assert!(out.status.success(), "{program}: {}", String::from_utf8_lossy(&out.stderr));
            Some(String::from_utf8_lossy(&out.stdout).into_owned())
        }
        Err(_) => {
            eprintln!("skipped: {program} is not installed");
            None
        }
    };
    let file = path.to_str().unwrap();
    if let Some(text) = run("lspst", &[file]) {
        assert_eq!(text.lines().filter(|l| l.starts_with("Email")).count(), messages);
    }
    let out = path.with_extension("mail");
    std::fs::create_dir(&out).unwrap();
    if let Some(text) = run("readpst", &["-e", "-j0", "-o", out.to_str().unwrap(), file]) {
        assert!(!text.to_lowercase().contains("error"), "{text}");
    }
}

#[test]
fn the_record_key_tells_stores_apart() {
    let dir = tempfile::tempdir().unwrap();
    let key = |name: &str, folder: &str, body: &str| {
        let path = dir.path().join(name);
        let mut w = StoreWriter::create(&path, Options::default()).unwrap();
        let inbox = w.add_folder(w.top(), folder, Role::None, None, &PropBag::default()).unwrap();
        w.add(inbox, &message("x", body), false).unwrap();
        w.finish().unwrap();
        let store = Store::open(&path).unwrap();
        store.props().bytes(tag::RECORD_KEY).unwrap().to_vec()
    };
    let first = key("a.pst", "Mail", "one");
    assert_eq!(first, key("b.pst", "Mail", "one"), "the same mail, the same key");
    assert_ne!(first, key("c.pst", "Mail", "two"));
    assert_ne!(first, key("d.pst", "Post", "one"));
    assert_eq!(first.len(), 16);
}

#[test]
fn an_empty_store() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.pst");
    write(&path, |_| {});
    let all = read(&path);
    assert!(all.values().all(Vec::is_empty));
    assert!(all.keys().any(|k| k.ends_with("Deleted Items")), "{:?}", all.keys());
    others_open(&path, 0);
}

#[test]
fn folders_in_folders_with_roles() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.pst");
    write(&path, |w| {
        let mut at = w.top();
        for depth in 0..40 {
            at = w.add_folder(at, &format!("Ebene {depth} é"), Role::None, None, &PropBag::default()).unwrap();
            w.add(at, &message(&format!("RE: {depth}"), "text"), false).unwrap();
        }
        let top = w.top();
        for (name, role) in [
            ("In", Role::Inbox),
            ("Out", Role::Outbox),
            ("Sent", Role::Sent),
            ("Drafts", Role::Drafts),
            ("Junk", Role::Junk),
            ("Cal", Role::Calendar),
            ("People", Role::Contacts),
        ] {
            w.add_folder(top, name, role, None, &PropBag::default()).unwrap();
        }
        let mut extra = PropBag::default();
        extra.set(tag::COMMENT, Value::text(&"long ".repeat(2000)));
        extra.set_named(Arc::new(NamedProp::text(Guid([7; 16]), "x-colour")), 3, Value::I32(5));
        extra.set(PropTag(0x360E_000D), Value::Object(Blob::Bytes(vec![1; 9])));
        let f = w.add_folder(top, "", Role::None, Some("IPF.Odd"), &extra).unwrap();
        w.add(f, &message("hidden", ""), true).unwrap();
        w.add(f, &message("seen", ""), false).unwrap();
    });
    let all = read(&path);
    assert_eq!(all.values().map(Vec::len).sum::<usize>(), 42);
    let store = Store::open(&path).unwrap();
    assert_eq!(store.props().i32(tag::VALID_FOLDER_MASK), Some(0xDF));
    for t in [tag::IPM_OUTBOX_ENTRY_ID, tag::IPM_SENTMAIL_ENTRY_ID, tag::IPM_WASTEBASKET_ENTRY_ID] {
        assert!(store.entry(t).is_some());
    }
    assert!(store.receive_folder().is_some());
    // lspst lists the hidden one too.
    others_open(&path, 42);
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let make = |name: &str| {
        let path = dir.path().join(name);
        write(&path, |w| {
            let f = folder(w, "F");
            for i in 0..200u32 {
                let mut m = message(&format!("{i}"), "x");
                m.recipients.push(recipient(1));
                m.props.set_named(Arc::new(NamedProp::id(Guid([1; 16]), i)), 3, Value::I32(1));
                m.attachments.push(file_attachment("a", Blob::Stream(Arc::new(Made(9000)))));
                w.add(f, &m, i % 5 == 0).unwrap();
            }
        });
        std::fs::read(path).unwrap()
    };
    assert!(make("a.pst") == make("b.pst"));
}

#[test]
fn the_cyclic_encoding_is_not_written_and_none_is() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.pst");
    let e = StoreWriter::create(&path, Options { crypt: Crypt::Cyclic, ..options() }).err().unwrap();
    assert_eq!(e.kind(), Kind::Unsupported);
    let mut w = StoreWriter::create(&path, Options { crypt: Crypt::None, ..options() }).unwrap();
    let f = folder(&mut w, "F");
    w.add(f, &message("plain", "text in the clear"), false).unwrap();
    w.finish().unwrap();
    assert_eq!(only(&path, "F").props.text(tag::BODY).unwrap(), "text in the clear");
    others_open(&path, 1);
}
