//! Adding to a PST that is there already, made by this program or by Outlook: what was there stays as it was, what comes is
//! found beside it, and the strict judge finds nothing that it did not find before.

use super::support;
use pst_core::Kind;
use pst_core::check;
use pst_core::endpoint::pst::{PstSink, PstSource};
use pst_core::mapi::named::PSETID_COMMON;
use pst_core::mapi::{Attachment, Blob, Message, NamedProp, PropBag, PropType, Role, Value, tag};
use pst_core::messaging::Store;
use pst_core::messaging::write::{FolderId, Options, StoreWriter};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

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

/// As [`items`], without those that cannot be read.
fn readable(path: &Path) -> BTreeMap<(u32, String), String> {
    let store = Store::open(path).unwrap();
    let mut errors = Vec::new();
    let mut out = BTreeMap::new();
    for folder in store.folders(&mut errors).iter().filter(|f| !f.search) {
        for listed in store.contents(folder.nid, false, &mut errors) {
            if let Ok((m, _)) = store.message(listed.nid) {
                out.insert((listed.nid.0, folder.name.clone()), try_hash(&m).unwrap_or_default());
            }
        }
    }
    out
}

fn hash(m: &Message) -> String {
    try_hash(m).unwrap()
}

fn try_hash(m: &Message) -> pst_core::Result<String> {
    let mut text = String::new();
    let bag = |text: &mut String, bag: &PropBag| -> pst_core::Result<()> {
        for p in &bag.0 {
            let value = match &p.value {
                Value::Binary(blob) | Value::Object(blob) => format!("{:?}", Sha256::digest(blob.to_vec(1 << 30)?)),
                value => format!("{value:?}"),
            };
            text.push_str(&format!("{} {:?} {value}\n", p.tag, p.name));
        }
        Ok(())
    };
    bag(&mut text, &m.props)?;
    for recipient in &m.recipients {
        bag(&mut text, recipient)?;
    }
    for a in &m.attachments {
        bag(&mut text, &a.props)?;
        if let Some(embedded) = &a.embedded {
            text.push_str(&try_hash(embedded)?);
        }
    }
    Ok(format!("{:x}", Sha256::digest(text)))
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
        copy(&original, &path);
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
        let biggest = biggest(&path, &mut w);
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
fn biggest(path: &Path, w: &mut StoreWriter) -> FolderId {
    let store = Store::open(path).unwrap();
    let mut errors = Vec::new();
    let all = store.folders(&mut errors);
    let folder =
        all.iter().filter(|f| !f.search).max_by_key(|f| store.contents(f.nid, false, &mut errors).len()).unwrap();
    w.of_nid(folder.nid).unwrap()
}

/// A copy that can be written to, whatever the original's rights.
fn copy(original: &Path, path: &Path) {
    std::fs::write(path, std::fs::read(original).unwrap()).unwrap();
}

/// Bytes of the file, and of it what no block or page has.
fn size_and_free(path: &Path) -> (u64, u64) {
    let store = Store::open(path).unwrap();
    (store.ndb().header().eof, store.ndb().header().amap_free)
}

#[test]
fn space_is_used_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.pst");
    create(&path, 300);
    let mut w = StoreWriter::open(&path, Options::default()).unwrap();
    let inbox = w.folder(&["inbox"]).unwrap();
    let mut sizes = Vec::new();
    for n in 0..500 {
        let mut m = Message::default();
        m.props.set(tag::SUBJECT, Value::text(&format!("Small {n}")));
        w.add(inbox, &m, false).unwrap();
        w.commit().unwrap();
        sizes.push(std::fs::metadata(&path).unwrap().len());
    }
    w.finish().unwrap();
    clean(&path);
    // Each message is 500 to 1000 bytes with its row; the tables that each commit writes anew are some 30 KB.
    let (first, last) = (sizes[10], *sizes.last().unwrap());
    assert!(last - first < 3 * 253_952, "{first} bytes after 10 commits, {last} after 500");
    assert_eq!(items(&path).len(), 800);
    // Many runs of one commit each, too.
    let (before, _) = size_and_free(&path);
    for n in 0..40 {
        let mut w = StoreWriter::open(&path, Options::default()).unwrap();
        let inbox = w.folder(&["inbox"]).unwrap();
        w.add(inbox, &message(n), false).unwrap();
        w.finish().unwrap();
    }
    clean(&path);
    let (after, free) = size_and_free(&path);
    assert!(after - before < 4 * 253_952, "{before} bytes before 40 runs, {after} after, of them {free} free");
    assert_eq!(items(&path).len(), 840);
}

#[test]
fn a_hundred_commits_over_many_folders() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.pst");
    create(&path, 5);
    let before = items(&path);
    let mut w = StoreWriter::open(&path, Options::default()).unwrap();
    let mut folders = vec![w.top()];
    for n in 0..100 {
        if n % 5 == 0 {
            let parent = folders[n * 7 % folders.len()];
            folders.push(w.add_folder(parent, &format!("F{n}"), Role::None, None, &PropBag::default()).unwrap());
        }
        for i in 0..4 {
            w.add(folders[(n * 3 + i) % folders.len()], &message(n * 4 + i), i == 3).unwrap();
        }
        w.commit().unwrap();
    }
    w.finish().unwrap();
    clean(&path);
    assert_eq!(kept(&before, &path), 400);
}

#[test]
fn named_properties_keep_their_numbers() {
    let dir = tempfile::tempdir().unwrap();
    let names = [
        NamedProp::id(PSETID_COMMON, 0x8554),
        NamedProp::text(PSETID_COMMON, "of ours"),
        NamedProp::id(PSETID_COMMON, 0x8503),
    ];
    let mut files = corpus();
    let ours = dir.path().join("ours.pst");
    create(&ours, 1);
    files.push(ours);
    for original in files {
        let path = dir.path().join("a.pst");
        copy(&original, &path);
        let Ok(mut w) = StoreWriter::open(&path, Options::default()) else { continue };
        let numbers = |path: &Path| -> BTreeMap<u16, NamedProp> {
            let store = Store::open(path).unwrap();
            (0x8000..=0xFFFE).filter_map(|id| store.names().get(id).map(|n| (id, (**n).clone()))).collect()
        };
        let before = numbers(&path);
        let mut m = message(1);
        for (i, name) in names.iter().enumerate() {
            m.props.set_named(Arc::new(name.clone()), PropType::INTEGER32, Value::I32(i as i32));
        }
        w.add(w.top(), &m, false).unwrap();
        w.commit().unwrap();
        m.props.set_named(Arc::new(NamedProp::text(PSETID_COMMON, "later")), PropType::INTEGER32, Value::I32(9));
        w.add(w.top(), &m, false).unwrap();
        w.finish().unwrap();
        let after = numbers(&path);
        assert!(before.iter().all(|(id, name)| after.get(id) == Some(name)), "{}", original.display());
        let new = names.iter().filter(|n| !before.values().any(|b| b == *n)).count() + 1;
        assert_eq!(after.len(), before.len() + new, "{}", original.display());
        let store = Store::open(&path).unwrap();
        let mut errors = Vec::new();
        let last = store.contents(store.ipm_subtree(), false, &mut errors).pop().unwrap();
        let (m, _) = store.message(last.nid).unwrap();
        for (i, name) in names.iter().enumerate() {
            assert_eq!(m.props.named(name).and_then(|v| v.as_i32()), Some(i as i32), "{}", original.display());
        }
    }
}

#[test]
fn default_folders_that_come_are_known() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.pst");
    StoreWriter::create(&path, options()).unwrap().finish().unwrap();
    let mut files = vec![path.clone()];
    files.extend(support::corpus("pst/microsoft__Empty__df1b80c5.pst"));
    for original in files {
        let path = dir.path().join("b.pst");
        copy(&original, &path);
        let mut w = StoreWriter::open(&path, Options::default()).unwrap();
        assert_eq!(w.with_role(Role::Inbox), None);
        let roles = [Role::Inbox, Role::Sent, Role::Outbox, Role::Drafts, Role::Junk, Role::Calendar];
        for role in roles {
            w.add_folder(w.top(), &format!("My {role:?}"), role, None, &PropBag::default()).unwrap();
        }
        w.finish().unwrap();
        assert!(findings(&path).len() <= findings(&original).len(), "{:#?}", findings(&path));
        let w = StoreWriter::open(&path, Options::default()).unwrap();
        for role in roles.iter().filter(|r| **r != Role::Junk) {
            assert_eq!(w.with_role(*role), w.folder(&[format!("my {role:?}")]), "{role:?}");
            assert!(w.with_role(*role).is_some());
        }
    }
}

#[test]
fn messages_are_changed_and_moved() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.pst");
    let mut w = StoreWriter::create(&path, options()).unwrap();
    let inbox = w.add_folder(w.top(), "Inbox", Role::Inbox, None, &PropBag::default()).unwrap();
    let old = w.add_folder(w.top(), "Old", Role::None, None, &PropBag::default()).unwrap();
    let mut nids = Vec::new();
    for n in 0..400 {
        let mut m = message(n);
        m.props.set(tag::BODY, Value::text(&"long ".repeat(if n % 10 == 0 { 20_000 } else { 3 })));
        let prepared = pst_core::messaging::write::PreparedMessage::new(&m, &w.names().read(), false, w.crypt());
        nids.push(w.add_prepared(inbox, prepared.unwrap().unwrap()).unwrap());
    }
    w.finish().unwrap();
    let before = items(&path);
    let mut w = StoreWriter::open(&path, Options::default()).unwrap();
    let (inbox, old) = (w.folder(&["inbox"]).unwrap(), {
        let _ = old;
        w.folder(&["OLD"]).unwrap()
    });
    let read = |bag: &mut PropBag| {
        let flags = bag.i32(tag::MESSAGE_FLAGS).unwrap();
        bag.set(tag::MESSAGE_FLAGS, Value::I32(flags | 1));
    };
    for (n, nid) in nids.iter().enumerate() {
        match n % 8 {
            0 | 1 => w.update(inbox, *nid, &mut |bag| read(bag)).unwrap(),
            2 => w.move_message(*nid, inbox, old).unwrap(),
            3 => {
                w.move_message(*nid, inbox, old).unwrap();
                w.update(old, *nid, &mut |bag| {
                    read(bag);
                    bag.set(tag::SUBJECT, Value::text("Another subject"));
                    bag.set_named(Arc::new(NamedProp::text(PSETID_COMMON, "new")), PropType::STRING, Value::text("x"));
                    bag.remove(tag::SENDER_NAME.id());
                })
                .unwrap();
            }
            _ => {}
        }
        if n % 100 == 77 {
            w.commit().unwrap();
            let found = findings(&path);
            assert_eq!(found.keys().collect::<Vec<_>>(), [&"V05"], "{found:#?}");
        }
    }
    // Of this transaction, too.
    let prepared = pst_core::messaging::write::PreparedMessage::new(&message(7), &w.names().read(), false, w.crypt());
    let nid = w.add_prepared(inbox, prepared.unwrap().unwrap()).unwrap();
    w.update(inbox, nid, &mut |bag| bag.set(tag::MESSAGE_FLAGS, Value::I32(0))).unwrap();
    w.move_message(nid, inbox, old).unwrap();
    let e = w.move_message(nid, inbox, old).unwrap_err();
    assert_eq!(e.kind(), Kind::NotFound);
    assert_eq!(w.update(inbox, nid, &mut |_| {}).unwrap_err().kind(), Kind::NotFound);
    w.finish().unwrap();
    clean(&path);
    let after = items(&path);
    assert_eq!(after.len(), 401);
    let store = Store::open(&path).unwrap();
    for (n, nid) in nids.iter().enumerate() {
        let folder = if matches!(n % 8, 2 | 3) { "Old" } else { "Inbox" };
        let now = after.get(&(nid.0, folder.to_owned())).unwrap_or_else(|| panic!("{n} is not in {folder}"));
        if matches!(n % 8, 2 | 4..) {
            assert_eq!(before.get(&(nid.0, "Inbox".to_owned())), Some(now), "message {n} is as it was");
        }
        let (m, _) = store.message(*nid).unwrap();
        let flags = m.props.i32(tag::MESSAGE_FLAGS).unwrap();
        assert_eq!(flags & 1 != 0, n % 2 == 1 || matches!(n % 8, 0 | 1 | 3), "message {n}");
        assert_eq!(m.attachments.len(), usize::from(n % 3 == 0));
        assert_eq!(m.recipients.len(), 1);
        if n % 8 == 3 {
            assert!(m.props.text(tag::SUBJECT).unwrap().ends_with("Another subject"));
            assert!(m.props.any(tag::SENDER_NAME.id()).is_none());
        }
    }
}

#[test]
fn a_file_is_held_and_others_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.pst");
    create(&path, 1);
    let first = StoreWriter::open(&path, Options::default()).unwrap();
    let e = StoreWriter::open(&path, Options::default()).err().unwrap();
    assert!(e.to_string().contains("another run or Outlook has this file open"), "{e}");
    drop(first);
    assert!(StoreWriter::open(&path, Options::default()).is_ok());
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[0x20C] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    let e = StoreWriter::open(&path, Options::default()).err().unwrap();
    assert!(e.kind() == Kind::Damaged && e.to_string().contains("convert it"), "{e}");
    assert!(std::fs::read(&path).unwrap() == bytes);
    std::fs::write(&path, b"no mail").unwrap();
    assert_eq!(StoreWriter::open(&path, Options::default()).err().unwrap().kind(), Kind::NotThisKind);
}

/// Maps that call taken space free, or free space taken, do no harm: what stands where is read from the trees.
#[test]
fn wrong_maps_are_not_trusted() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.pst");
    create(&path, 30);
    let sound = std::fs::read(&path).unwrap();
    for fill in [0x00, 0x55, 0xFF] {
        let mut bytes = sound.clone();
        for base in (0x4400..bytes.len()).step_by(253_952) {
            bytes[base..base + 496].fill(fill);
            let sum = pst_core::ndb::crc::crc(&bytes[base..base + 496]);
            bytes[base + 500..base + 504].copy_from_slice(&sum.to_le_bytes());
        }
        std::fs::write(&path, &bytes).unwrap();
        let before = items(&path);
        let mut w = StoreWriter::open(&path, Options::default()).unwrap();
        for n in 0..20 {
            w.add(w.top(), &message(n), false).unwrap();
        }
        w.finish().unwrap();
        assert_eq!(kept(&before, &path), 20);
        clean(&path);
    }
}

/// Damaged files stay as they are, or are added to and lose nothing that could be read before.
#[test]
fn damaged_files_lose_nothing() {
    let Some(folder) = support::corpus("pst-derived") else { return };
    let dir = tempfile::tempdir().unwrap();
    let (mut added, mut refused) = (0, 0);
    for original in support::files(&folder, &[".pst"]) {
        let path = dir.path().join("a.pst");
        copy(&original, &path);
        let bytes = std::fs::read(&path).unwrap();
        match StoreWriter::open(&path, Options::default()) {
            Ok(mut w) => {
                let before = readable(&path);
                w.add(w.top(), &message(1), false).unwrap();
                if w.finish().is_ok() {
                    let after = readable(&path);
                    assert!(before.iter().all(|(item, hash)| after.get(item) == Some(hash)), "{}", original.display());
                    assert_eq!(after.len(), before.len() + 1);
                }
                added += 1;
            }
            Err(e) => {
                assert!(bytes == std::fs::read(&path).unwrap(), "{e}");
                refused += 1;
            }
        }
    }
    assert!(added > 1 && refused > 5, "{added} added to, {refused} refused");
}

#[test]
fn a_sink_goes_on_with_a_store() {
    let dir = tempfile::tempdir().unwrap();
    let (source, path) = (dir.path().join("source.pst"), dir.path().join("a.pst"));
    let mut w = StoreWriter::create(&source, options()).unwrap();
    let inbox = w.add_folder(w.top(), "Posteingang", Role::Inbox, None, &PropBag::default()).unwrap();
    let sub = w.add_folder(inbox, "Projekt", Role::None, None, &PropBag::default()).unwrap();
    for n in 0..10 {
        w.add(if n < 6 { inbox } else { sub }, &message(n), false).unwrap();
    }
    w.finish().unwrap();
    let mut sink = PstSink::create_in_place(&path, Options::default(), Default::default()).unwrap();
    let next = pst_core::pipeline::Sink::next_states(&sink)[0];
    let w = sink.writer();
    let inbox = w.add_folder(w.top(), "Inbox", Role::Inbox, None, &PropBag::default()).unwrap();
    w.add_folder(inbox, "PROJEKT", Role::None, None, &PropBag::default()).unwrap();
    pst_core::pipeline::Sink::flush(&mut sink).unwrap();
    assert_eq!(Store::open(&path).unwrap().ndb().header().unique, next);
    drop(sink);
    for round in 1..=3 {
        let sink = PstSink::open(&path, Options::default(), Default::default()).unwrap();
        let report = support::moving::moved(Arc::new(PstSource::open(&source).unwrap()), Box::new(sink)).unwrap();
        assert_eq!((report.written, report.failed), (10, 0));
        clean(&path);
        let store = Store::open(&path).unwrap();
        let mut errors = Vec::new();
        let counts: Vec<(String, i32)> = store
            .folders(&mut errors)
            .iter()
            .filter(|f| f.props.i32(tag::CONTENT_COUNT) > Some(0))
            .map(|f| (f.name.clone(), f.props.i32(tag::CONTENT_COUNT).unwrap()))
            .collect();
        assert_eq!(counts, [("Inbox".to_owned(), 6 * round), ("PROJEKT".to_owned(), 4 * round)]);
    }
}

#[test]
#[ignore = "takes minutes: 100,000 messages in one folder, a commit each 500"]
fn a_hundred_thousand_messages() {
    let dir = tempfile::tempdir_in(std::env::var("PST_TEST_LARGE").unwrap_or_else(|_| "/tmp".into())).unwrap();
    let path = dir.path().join("large.pst");
    let started = std::time::Instant::now();
    let mut sink = PstSink::create_in_place(&path, Options::default(), Default::default()).unwrap();
    let w = sink.writer();
    let inbox = w.add_folder(w.top(), "Inbox", Role::Inbox, None, &PropBag::default()).unwrap();
    let mut slowest = std::time::Duration::ZERO;
    for n in 0..100_000 {
        w.add(inbox, &message(n), false).unwrap();
        if n % 500 == 499 {
            let commit = std::time::Instant::now();
            w.commit().unwrap();
            slowest = slowest.max(commit.elapsed());
            if n % 10_000 == 9_999 {
                let (size, free) = size_and_free(&path);
                eprintln!(
                    "{:?} after {} messages: {size} bytes, {free} free; {:?} for this commit, memory {}",
                    started.elapsed(),
                    n + 1,
                    commit.elapsed(),
                    memory()
                );
            }
        }
    }
    let finishing = std::time::Instant::now();
    pst_core::pipeline::Sink::finish(Box::new(sink)).unwrap();
    eprintln!("finished in {:?}, slowest commit {slowest:?}", finishing.elapsed());
    let opening = std::time::Instant::now();
    let mut w = StoreWriter::open(&path, Options::default()).unwrap();
    eprintln!("opened in {:?}", opening.elapsed());
    let inbox = w.folder(&["inbox"]).unwrap();
    let nid = w.nid(inbox).unwrap();
    let first = std::time::Instant::now();
    w.add(inbox, &message(1), false).unwrap();
    w.commit().unwrap();
    eprintln!("first commit of a run in {:?}", first.elapsed());
    w.finish().unwrap();
    clean(&path);
    assert_eq!(Store::open(&path).unwrap().contents(nid, false, &mut Vec::new()).len(), 100_001);
    eprintln!("{:?} in all, memory {}", started.elapsed(), memory());
}

/// The most memory that this process had, as Linux says.
fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().find(|l| l.starts_with("VmHWM")).unwrap_or_default().to_owned()
}
