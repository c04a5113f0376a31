//! Files that Outlook made, and that were added to: the independent readers find what was there and what came.

use super::genuine::{compare, is_exception};
use super::oracle;
use super::support::{corpus, files};
use pst_core::mapi::{Attachment, Blob, Message, PropBag, Role, Value, tag};
use pst_core::messaging::Store;
use pst_core::messaging::write::{FolderId, Options, PreparedMessage, StoreWriter};
use pst_core::ndb::Nid;
use std::path::Path;

fn message(n: usize) -> Message {
    let mut m = Message::default();
    m.props.set(tag::SUBJECT, Value::text(&format!("Added {n}")));
    m.props.set(tag::BODY, Value::text(&format!("Text {n}. ").repeat(1 + n * 97 % 900)));
    m.props.set(tag::MESSAGE_DELIVERY_TIME, Value::Time(133_000_000_000_000_000));
    m.props.set(tag::SENDER_NAME, Value::text("Ann"));
    if n.is_multiple_of(4) {
        let mut file = Attachment::default();
        file.props.set(tag::ATTACH_METHOD, Value::I32(1));
        file.props.set(tag::ATTACH_LONG_FILENAME, Value::text("a.bin"));
        let bytes = (0..n * 2000).map(|i| (i ^ (i >> 7)) as u8).collect();
        file.props.set(tag::ATTACH_DATA_BINARY, Value::Binary(Blob::Bytes(bytes)));
        m.attachments.push(file);
    }
    m
}

/// Adds, changes and moves mail in several commits and two runs.
fn add_to(path: &Path) {
    let add = |w: &mut StoreWriter, to: FolderId, n: usize| -> Nid {
        let prepared = PreparedMessage::new(&message(n), &w.names().read(), false, w.crypt()).unwrap().unwrap();
        w.add_prepared(to, prepared).unwrap()
    };
    let largest = {
        let store = Store::open(path).unwrap();
        let all = store.folders(&mut Vec::new());
        let count = |nid| store.contents(nid, false, &mut Vec::new()).len();
        let largest = all.iter().filter(|f| !f.search && count(f.nid) > 0).max_by_key(|f| count(f.nid));
        largest.map_or_else(|| store.ipm_subtree(), |f| f.nid)
    };
    let mut w = StoreWriter::open(path, Options::default()).unwrap();
    let old = w.of_nid(largest).unwrap();
    let new = w.add_folder(w.top(), "Came later", Role::None, None, &PropBag::default()).unwrap();
    let mut nids = Vec::new();
    for n in 0..90 {
        nids.push(add(&mut w, if n % 3 == 0 { new } else { old }, n));
        if n % 20 == 19 {
            w.commit().unwrap();
        }
    }
    w.finish().unwrap();
    let mut w = StoreWriter::open(path, Options::default()).unwrap();
    let (old, new) = (w.of_nid(largest).unwrap(), w.folder(&["came LATER"]).unwrap());
    w.move_message(nids[0], new, old).unwrap();
    w.move_message(nids[1], old, new).unwrap();
    w.update(old, nids[4], &mut |bag| bag.set(tag::BODY, Value::text(&"another text ".repeat(3000)))).unwrap();
    add(&mut w, new, 91);
    w.finish().unwrap();
}

#[test]
fn readers_read_what_was_added_to() {
    let Some(folder) = corpus("pst") else { return };
    let dir = tempfile::tempdir().unwrap();
    let (mut wrong, mut read) = (Vec::new(), 0);
    for original in files(&folder, &[".pst"]) {
        let name = original.file_name().unwrap().to_string_lossy().into_owned();
        let path = dir.path().join(&name);
        std::fs::write(&path, std::fs::read(&original).unwrap()).unwrap();
        if StoreWriter::open(&path, Options::default()).is_err() {
            continue;
        }
        add_to(&path);
        let ours = oracle::ours(&path);
        let added = ours.iter().flat_map(|f| &f.messages).filter(|m| m.subject.starts_with("Added ")).count();
        assert_eq!(added, 91, "{name}");
        let readers = [
            ("libpff", oracle::libpff(&path)),
            ("outlook-pst", oracle::outlook_pst(&path).map_err(|e| e.to_string()).into()),
        ];
        for (reader, theirs) in readers {
            if is_exception(reader, &name) {
                continue;
            }
            match theirs {
                Some(Ok(theirs)) => {
                    wrong.extend(compare(reader, &name, &theirs, &ours));
                    read += 1;
                }
                Some(Err(e)) => wrong.push(format!("{name}: {reader}: {e}")),
                None => {}
            }
        }
        // readpst says how many items of each folder it found.
        if let Some(theirs) = oracle::libpst(&path) {
            let theirs = theirs.unwrap_or_else(|e| panic!("{name}: readpst: {e}"));
            let found = theirs.iter().flat_map(|f| &f.messages).filter(|m| m.subject.starts_with("Added ")).count();
            if found != 91 {
                wrong.push(format!("{name}: readpst finds {found} of 91 messages that were added"));
            }
            read += 1;
        }
    }
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
    assert!(read > 10, "only {read} readings");
}
