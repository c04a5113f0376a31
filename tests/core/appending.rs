//! Adding to a PST that is there already, made by this program or by Outlook: what was there stays as it was, what comes is
//! found beside it, and the strict judge finds nothing that it did not find before.

use super::support;
use pst_core::check;
use pst_core::mapi::{Attachment, Blob, Message, PropBag, Role, Value, tag};
use pst_core::messaging::Store;
use pst_core::messaging::write::{FolderId, Options, StoreWriter};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn options() -> Options {
    Options { display_name: "Test".into(), record_key: Some(*b"sixteen bytes ok"), ..Options::default() }
}

fn message(n: usize) -> Message {
    let mut m = Message::default();
    m.props.set(tag::MESSAGE_CLASS, Value::text("IPM.Note"));
    m.props.set(tag::SUBJECT, Value::text(&format!("Subject {n}")));
    m.props.set(tag::CONVERSATION_TOPIC, Value::text(&format!("Subject {n}")));
    m.props.set(tag::BODY, Value::text(&format!("The text of message {n}. ").repeat(1 + n * 37 % 300)));
    m.props.set(tag::MESSAGE_DELIVERY_TIME, Value::Time(133_000_000_000_000_000 + n as u64));
    m.props.set(tag::SENDER_NAME, Value::text("Ann"));
    m.props.set(tag::MESSAGE_FLAGS, Value::I32((n % 2) as i32));
    let mut to = PropBag::default();
    to.set(tag::RECIPIENT_TYPE, Value::I32(1));
    to.set(tag::DISPLAY_NAME, Value::text("Bob"));
    to.set(tag::ADDRESS_TYPE, Value::text("SMTP"));
    to.set(tag::EMAIL_ADDRESS, Value::text("bob@example.org"));
    m.recipients.push(to);
    if n.is_multiple_of(3) {
        let mut a = Attachment::default();
        a.props.set(tag::ATTACH_METHOD, Value::I32(1));
        a.props.set(tag::ATTACH_LONG_FILENAME, Value::text("a.bin"));
        let bytes = (0..n * 9973 % 40_000 + 1).map(|i| (i ^ (i >> 7)) as u8).collect();
        a.props.set(tag::ATTACH_DATA_BINARY, Value::Binary(Blob::Bytes(bytes)));
        m.attachments.push(a);
    }
    m
}

fn create(path: &Path, count: usize) {
    let mut w = StoreWriter::create(path, options()).unwrap();
    let inbox = w.add_folder(w.top(), "Inbox", Role::Inbox, None, &PropBag::default()).unwrap();
    for n in 0..count {
        w.add(inbox, &message(n), false).unwrap();
    }
    w.finish().unwrap();
}

/// Findings by rule.
fn findings(path: &Path) -> BTreeMap<&'static str, Vec<String>> {
    let report = check::check(path, &check::Options::default()).unwrap();
    assert!(report.stopped.is_none(), "{:?}", report.stopped);
    let mut out: BTreeMap<_, Vec<String>> = BTreeMap::new();
    for f in report.findings.iter().filter(|f| f.severity != check::Severity::Info) {
        out.entry(f.rule).or_default().push(format!("{:?} {:?} {}", f.offset, f.id, f.text));
    }
    out
}

#[track_caller]
fn clean(path: &Path) {
    let found = findings(path);
    assert!(found.is_empty(), "{found:#?}");
}

/// A hash of each item, by its node and folder.
fn items(path: &Path) -> BTreeMap<(u32, String), String> {
    let store = Store::open(path).unwrap();
    let mut errors = Vec::new();
    let mut out = BTreeMap::new();
    for folder in store.folders(&mut errors).iter().filter(|f| !f.search) {
        for associated in [false, true] {
            for listed in store.contents(folder.nid, associated, &mut errors) {
                let (m, _) = store.message(listed.nid).unwrap();
                out.insert((listed.nid.0, folder.name.clone()), hash(&m));
            }
        }
    }
    out
}

fn hash(m: &Message) -> String {
    let mut text = String::new();
    let bag = |text: &mut String, bag: &PropBag| {
        for p in &bag.0 {
            let value = match &p.value {
                Value::Binary(blob) | Value::Object(blob) => {
                    format!("{:?}", Sha256::digest(blob.to_vec(1 << 30).unwrap()))
                }
                value => format!("{value:?}"),
            };
            text.push_str(&format!("{} {:?} {value}\n", p.tag, p.name));
        }
    };
    bag(&mut text, &m.props);
    m.recipients.iter().for_each(|r| bag(&mut text, r));
    for a in &m.attachments {
        bag(&mut text, &a.props);
        text.push_str(&a.embedded.as_ref().map(|m| hash(m)).unwrap_or_default());
    }
    format!("{:x}", Sha256::digest(text))
}

/// What was there is there as it was.
#[track_caller]
fn kept(before: &BTreeMap<(u32, String), String>, path: &Path) -> usize {
    let after = items(path);
    for (item, hash) in before {
        assert_eq!(after.get(item), Some(hash), "{item:X?} in {}", path.display());
    }
    after.len() - before.len()
}

#[test]
fn messages_come_beside_those_that_are_there() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.pst");
    create(&path, 40);
    clean(&path);
    let before = items(&path);
    let mut w = StoreWriter::open(&path, Options::default()).unwrap();
    let inbox = w.folder(&["INBOX"]).unwrap();
    assert_eq!(w.with_role(Role::Inbox), Some(inbox));
    let next = w.next_commit();
    let more = w.add_folder(w.top(), "Sent", Role::Sent, None, &PropBag::default()).unwrap();
    for n in 40..60 {
        w.add(if n % 4 == 0 { more } else { inbox }, &message(n), false).unwrap();
    }
    w.commit().unwrap();
    let store = Store::open(&path).unwrap();
    assert_eq!(store.ndb().header().unique, next);
    assert_eq!(kept(&before, &path), 20, "after the commit");
    let found = findings(&path);
    assert_eq!(found.keys().collect::<Vec<_>>(), [&"V05"], "{found:#?}");
    assert!(found["V05"][0].contains("fAMapValid is 0"), "{found:#?}");
    w.add(inbox, &message(61), false).unwrap();
    let bytes = w.finish().unwrap();
    assert_eq!(bytes, std::fs::metadata(&path).unwrap().len());
    assert_eq!(kept(&before, &path), 21);
    clean(&path);
}

/// Every PST of the corpus that can be added to.
fn corpus() -> Vec<PathBuf> {
    let Some(folder) = support::corpus("pst") else { return Vec::new() };
    let mut out = Vec::new();
    for entry in walkdir::WalkDir::new(folder).sort_by_file_name() {
        let path = entry.unwrap().into_path();
        if path.is_file() && std::fs::metadata(&path).unwrap().len() < 40 << 20 {
            out.push(path);
        }
    }
    out
}

#[test]
fn files_of_outlook_are_added_to() {
    let dir = tempfile::tempdir().unwrap();
    let (mut done, mut refused) = (0, Vec::new());
    for original in corpus() {
        let path = dir.path().join("a.pst");
        std::fs::copy(&original, &path).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        let mut w = match StoreWriter::open(&path, Options::default()) {
            Ok(w) => w,
            Err(e) => {
                assert!(bytes == std::fs::read(&path).unwrap());
                refused.push(format!("{}: {e}", original.display()));
                continue;
            }
        };
        let (before, found) = (items(&path), findings(&path));
        let biggest = biggest(&path, &w);
        let mut added = 0;
        for round in 0..3 {
            for n in 0..7 {
                w.add(biggest, &message(round * 7 + n), false).unwrap();
                added += 1;
            }
            let name = format!("New {round}");
            let new = w.add_folder(w.top(), &name, Role::None, None, &PropBag::default()).unwrap();
            w.add(new, &message(100), round == 1).unwrap();
            added += 1;
            w.commit().unwrap();
            assert_eq!(kept(&before, &path), added, "{}", original.display());
        }
        w.finish().unwrap();
        assert_eq!(kept(&before, &path), added);
        let after = findings(&path);
        for (rule, texts) in &after {
            let known = found.get(rule).map_or(0, Vec::len);
            assert!(texts.len() <= known, "{} {rule}: {known} before\n{texts:#?}", original.display());
        }
        done += 1;
    }
    eprintln!("added to {done}; refused {}:\n{}", refused.len(), refused.join("\n"));
}

/// The folder with the most items.
fn biggest(path: &Path, w: &StoreWriter) -> FolderId {
    let store = Store::open(path).unwrap();
    let mut errors = Vec::new();
    let all = store.folders(&mut errors);
    let folder =
        all.iter().filter(|f| !f.search).max_by_key(|f| store.contents(f.nid, false, &mut errors).len()).unwrap();
    w.of_nid(folder.nid).unwrap()
}
