//! Writing PSTs: sizes and shapes at the edges of the format, read back by the reader and by other programs.

use pst_core::io::Output;
use pst_core::mapi::message::{Attachment, Message, attach_method, flag};
use pst_core::mapi::named::{Guid, Name, NamedProp};
use pst_core::mapi::{Blob, PropBag, PropTag, Role, Stream, Value, tag};
use pst_core::messaging::Store;
use pst_core::messaging::write::{FolderId, Options, StoreWriter};
use pst_core::ndb::Crypt;
use pst_core::{Error, Kind, Result};
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

/// A stream that ends before it should.
struct Short;

impl Stream for Short {
    fn len(&self) -> u64 {
        900_000
    }

    fn open(&self) -> Result<Box<dyn Read + Send + '_>> {
        Ok(Box::new(Maker { at: 0, end: 700_000 }))
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
fn three_thousand_messages_in_a_folder() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.pst");
    write(&path, |w| {
        let f = folder(w, "Many");
        for i in 0..3000 {
            let mut m = message(&format!("Subject {i}"), &"body ".repeat(i % 300));
            m.props.set(tag::MESSAGE_FLAGS, Value::I32(if i % 3 == 0 { 0 } else { flag::READ }));
            m.recipients.push(recipient(i));
            if i % 500 == 0 {
                m.props.set(tag::DISPLAY_TO, Value::text(&"To; ".repeat(2500)));
            }
            w.add(f, &m, false).unwrap();
        }
    });
    let all = read(&path);
    let items = all.iter().find(|(n, _)| n.ends_with("Many")).unwrap().1;
    assert_eq!(items.len(), 3000);
    for (i, m) in items.iter().enumerate() {
        assert_eq!(m.props.text(tag::SUBJECT).unwrap(), format!("\u{1}\u{1}Subject {i}"));
        assert_eq!(m.props.text(tag::BODY).unwrap_or_default(), "body ".repeat(i % 300));
        assert_eq!(m.recipients[0].text(tag::EMAIL_ADDRESS).unwrap(), format!("person{i}@example.org"));
    }
    others_open(&path, 3000);
}

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

/// A source that turns out damaged while its attachment is copied costs one message, not the file.
#[test]
fn a_stream_that_ends_early_leaves_no_trace() {
    let dir = tempfile::tempdir().unwrap();
    let (a, b) = (dir.path().join("a.pst"), dir.path().join("b.pst"));
    let fill = |w: &mut StoreWriter, fail: bool| {
        let f = folder(w, "F");
        for i in 0..20 {
            w.add(f, &message(&format!("{i}"), "x"), false).unwrap();
            if fail {
                let mut m = message("lost", "x");
                m.attachments.push(file_attachment("a.bin", Blob::Stream(Arc::new(Short))));
                let e = w.add(f, &m, false).unwrap_err();
                assert_eq!(e.kind(), Kind::Truncated);
                assert!(!w.failed());
            }
        }
    };
    write(&a, |w| fill(w, false));
    write(&b, |w| fill(w, true));
    assert!(std::fs::read(&a).unwrap() == std::fs::read(&b).unwrap());
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

#[test]
fn thirty_thousand_named_properties_and_no_more_than_fit() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.pst");
    // Numbers above 0xFFFF: libpst takes smaller ones for property ids.
    let name = |i: u32| {
        let guid = Guid([(i % 300) as u8, (i % 7) as u8, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]);
        let name = if i.is_multiple_of(2) {
            Name::Id(0x1_0000 + i)
        } else {
            Name::Text(format!("x-{i}").encode_utf16().collect())
        };
        Arc::new(NamedProp { guid, name })
    };
    write(&path, |w| {
        let f = folder(w, "F");
        for i in 0..300 {
            let mut m = message("named", "x");
            for n in i * 100..(i + 1) * 100 {
                m.props.set_named(name(n), 3, Value::I32(n as i32));
            }
            w.add(f, &m, false).unwrap();
        }
        let mut m = message("too many", "x");
        for n in 30_000..33_000 {
            m.props.set_named(name(n), 3, Value::I32(n as i32));
        }
        assert_eq!(w.add(f, &m, false).unwrap_err().kind(), Kind::Limit);
        w.add(f, &message("last", "x"), false).unwrap();
    });
    let all = read(&path);
    let items = all.iter().find(|(n, _)| n.ends_with('F')).unwrap().1;
    assert_eq!(items.len(), 301);
    for (i, m) in items.iter().take(300).enumerate() {
        for n in i * 100..(i + 1) * 100 {
            assert_eq!(m.props.named(&name(n as u32)).and_then(Value::as_i32), Some(n as i32));
        }
    }
    // libpff of 2018 forgets the records while it reads values from more than 32 blocks; later versions do not.
    libpst_opens(&path, 301);
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
fn an_existing_target_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.pst");
    std::fs::write(&path, "mine").unwrap();
    let e = StoreWriter::create(&path, options()).err().unwrap();
    assert_eq!(e.kind(), Kind::Exists);
    assert!(e.to_string().contains("--overwrite"), "{e}");
    // One that appears while the file is written is not lost either.
    let late = dir.path().join("b.pst");
    let w = StoreWriter::create(&late, options()).unwrap();
    std::fs::write(&late, "mine").unwrap();
    assert_eq!(w.finish().unwrap_err().kind(), Kind::Exists);
    assert_eq!(std::fs::read(&late).unwrap(), b"mine");
    let w = StoreWriter::create(&path, Options { overwrite: true, ..options() }).unwrap();
    drop(w);
    assert_eq!(std::fs::read(&path).unwrap(), b"mine");
    StoreWriter::create(&path, Options { overwrite: true, ..options() }).unwrap().finish().unwrap();
    assert!(Store::open(&path).is_ok());
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2);
}

/// An output on which the disk fills up after some writes, or the power goes.
struct Failing {
    file: pst_core::io::NewFile,
    left: usize,
}

impl Failing {
    fn step(&mut self) -> Result<()> {
        if self.left == 0 {
            let e = std::io::Error::from(std::io::ErrorKind::StorageFull);
            return Err(Error::io("cannot write", "a.pst", e));
        }
        self.left -= 1;
        Ok(())
    }
}

impl Output for Failing {
    fn write_at(&mut self, bytes: &[u8], offset: u64) -> Result<()> {
        self.step()?;
        self.file.write_at(bytes, offset)
    }

    fn set_len(&mut self, len: u64) -> Result<()> {
        self.step()?;
        Output::set_len(&mut self.file, len)
    }

    fn sync(&mut self) -> Result<()> {
        self.step()?;
        self.file.sync()
    }

    fn commit(mut self: Box<Self>) -> Result<()> {
        self.step()?;
        self.file.commit()
    }
}

#[test]
fn a_failing_output_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.pst");
    for left in 0.. {
        let file = pst_core::io::NewFile::create(&path, false).unwrap();
        let mut w = StoreWriter::create_on(Box::new(Failing { file, left }), options()).unwrap();
        let f = folder(&mut w, "F");
        let mut failed = None;
        for i in 0..40 {
            if let Err(e) = w.add(f, &message(&format!("{i}"), &"text ".repeat(5000)), false) {
                assert!(w.failed());
                failed = Some(e);
                break;
            }
        }
        match failed.map_or_else(|| w.finish(), Err) {
            Ok(_) => break,
            Err(e) => assert_eq!(e.kind(), Kind::Io, "{e}"),
        }
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "after {left} writes");
    }
    assert_eq!(read(&path).values().map(Vec::len).sum::<usize>(), 40);
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

/// The first FPMap page stands at 2,080,393,216.
#[test]
#[ignore = "writes 2.3 GB"]
fn past_the_first_fpmap() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.pst");
    let size = write(&path, |w| {
        let f = folder(w, "F");
        for i in 0..230 {
            let mut m = message(&format!("{i}"), "x");
            m.attachments.push(file_attachment("a.bin", Blob::Stream(Arc::new(Made(10_000_000 + i)))));
            w.add(f, &m, false).unwrap();
        }
    });
    assert!(size > 2_200_000_000);
    if let Ok(keep) = std::env::var("PST_KEEP") {
        std::fs::copy(&path, keep).unwrap();
    }
    let all = read(&path);
    let items = all.iter().find(|(n, _)| n.ends_with('F')).unwrap().1;
    assert_eq!(items.len(), 230);
    let Some(Value::Binary(data)) = items[229].attachments[0].props.get(tag::ATTACH_DATA_BINARY) else { panic!() };
    let (mut is, mut should) = (Vec::new(), Vec::new());
    data.open().unwrap().read_to_end(&mut is).unwrap();
    Made(10_000_229).open().unwrap().read_to_end(&mut should).unwrap();
    assert!(is == should);
}

/// Most memory this process has held, in MB, where the system says so. The tests that ask run alone.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).unwrap_or("0 kB");
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
}

#[test]
#[ignore = "200,000 messages; run alone, it measures memory"]
fn two_hundred_thousand_messages_in_a_folder() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.pst");
    let start = std::time::Instant::now();
    let size = write(&path, |w| {
        let f = folder(w, "F");
        for i in 0..200_000 {
            let mut m = message(&format!("Subject of message {i}"), "a short body");
            m.props.set(tag::DISPLAY_TO, Value::text(&format!("Person {i}; Another person {i}")));
            m.recipients.push(recipient(i));
            w.add(f, &m, false).unwrap();
        }
    });
    eprintln!("{size} bytes in {:?}, peak {} MB", start.elapsed(), peak());
    assert!(peak() < 300, "{} MB", peak());
    let store = Store::open(&path).unwrap();
    let mut errors = Vec::new();
    let folders = store.folders(&mut errors);
    let f = folders.iter().find(|f| f.name == "F").unwrap();
    assert_eq!(f.props.i32(tag::CONTENT_COUNT), Some(200_000));
    let listed = store.contents(f.nid, false, &mut errors);
    assert_eq!(listed.len(), 200_000);
    assert!(errors.is_empty());
    for i in [0, 1, 99_999, 199_999] {
        let (m, _) = store.message(listed[i].nid).unwrap();
        assert_eq!(m.props.text(tag::SUBJECT).unwrap(), format!("\u{1}\u{1}Subject of message {i}"));
    }
    if let Ok(keep) = std::env::var("PST_KEEP") {
        std::fs::copy(&path, keep).unwrap();
    }
}

#[test]
#[ignore = "writes 1 GiB; run alone, it measures memory"]
fn a_gibibyte_in_one_attachment() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.pst");
    let start = std::time::Instant::now();
    let size = write(&path, |w| {
        let f = folder(w, "F");
        let mut m = message("huge", "x");
        m.attachments.push(file_attachment("a.bin", Blob::Stream(Arc::new(Made(1 << 30)))));
        w.add(f, &m, false).unwrap();
    });
    eprintln!("{size} bytes in {:?}, peak {} MB", start.elapsed(), peak());
    assert!(peak() < 100, "{} MB", peak());
    let m = only(&path, "F");
    let Some(Value::Binary(data)) = m.attachments[0].props.get(tag::ATTACH_DATA_BINARY) else { panic!() };
    assert_eq!(data.len(), 1 << 30);
    let (mut is, mut should) = (data.open().unwrap(), Made(1 << 30).open().unwrap());
    let (mut a, mut b) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    for _ in 0..(1 << 14) {
        is.read_exact(&mut a).unwrap();
        should.read_exact(&mut b).unwrap();
        assert!(a == b);
    }
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
