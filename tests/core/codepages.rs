//! 8-bit strings that do not say in which code page they are (part of acceptance case 60).

use super::support::forge::Forge;
use pst_core::endpoint::pst::PstSource;
use pst_core::io::Input;
use pst_core::mapi::{Message, PropBag, Role, Value, tag};
use pst_core::messaging::Store;
use pst_core::messaging::write::{Options, StoreWriter};
use pst_core::mime;
use pst_core::ndb::{Ndb, Nid};
use std::path::Path;
use std::sync::Arc;

/// "Привет!!" in windows-1251.
const HELLO: [u8; 8] = [0xCF, 0xF0, 0xE8, 0xE2, 0xE5, 0xF2, b'!', b'!'];
const ASKED: u32 = 0x20_0024;
const FOLDER: u32 = 0x80A2;

/// A Unicode string that takes the same bytes.
fn as_unicode() -> Value {
    Value::Unicode(HELLO.to_vec())
}

fn message(page: Option<i32>) -> Message {
    let mut m = Message::default();
    m.props.set(tag::MESSAGE_CLASS, Value::text("IPM.Note"));
    m.props.set(tag::SENT_REPRESENTING_NAME, as_unicode());
    m.props.set(tag::BODY, as_unicode());
    if let Some(page) = page {
        m.props.set(tag::MESSAGE_CODEPAGE, Value::I32(page));
    }
    m
}

/// A store whose folder name and first message are turned to 8-bit strings; the other messages name a code page.
fn forged(at: &Path, others: &[i32]) -> Forge {
    let path = at.join("a.pst");
    let mut w = StoreWriter::create(&path, Options::default()).unwrap();
    let name = as_unicode().to_text().unwrap();
    let folder = w.add_folder(w.top(), &name, Role::None, None, &PropBag::default()).unwrap();
    w.add(folder, &message(None), false).unwrap();
    for page in others {
        w.add(folder, &message(Some(*page)), false).unwrap();
    }
    w.finish().unwrap();
    let mut forge = Forge { bytes: std::fs::read(&path).unwrap() };
    for (nid, id) in [(ASKED, 0x0042), (ASKED, 0x1000), (FOLDER, 0x3001)] {
        let tree = forge.node(nid).data;
        let (leaf, at) = forge.record(tree, id);
        forge.change(leaf, at + 2, &[0x1E, 0]);
    }
    forge
}

fn open(forge: &Forge) -> Store {
    Store::new(Arc::new(Ndb::new(Input::from_bytes(forge.bytes.clone(), "forged.pst")).unwrap()))
}

fn mail(store: &Store) -> String {
    let (message, errors) = store.message(Nid(ASKED)).unwrap();
    assert!(errors.is_empty());
    let mut out = Vec::new();
    mime::from_mapi(&message, &mut out, &mime::Options::default()).unwrap();
    mail_parser::MessageParser::new().parse(&out).unwrap().body_text(0).unwrap().into_owned()
}

#[test]
fn most_messages_decide() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&forged(dir.path(), &[1251, 1250, 1251]));
    assert_eq!(store.codepage(), 1251);
    assert_eq!(store.folders(&mut Vec::new()).into_iter().find(|f| f.nid == Nid(FOLDER)).unwrap().name, "Привет!!");
    assert_eq!(mail(&store).trim_end(), "Привет!!");
    assert_eq!(store.summary(Nid(ASKED)).unwrap().from, "Привет!!");
}

#[test]
fn the_user_decides_before_them() {
    let dir = tempfile::tempdir().unwrap();
    let forge = forged(dir.path(), &[1250, 1250]);
    assert_eq!(mail(&open(&forge)).trim_end(), "Ďđčâĺň!!");
    assert_eq!(mail(&open(&forge).with_codepage(1251)).trim_end(), "Привет!!");
    // Through the whole job: the strings of the copy are Unicode.
    let (source, copy) = (dir.path().join("source.pst"), dir.path().join("copy.pst"));
    std::fs::write(&source, &forge.bytes).unwrap();
    let source = PstSource::open(&source).unwrap().with_codepage(Some(1251));
    let (message, _) = source.store().message(Nid(ASKED)).unwrap();
    let mut w = StoreWriter::create(&copy, Options::default()).unwrap();
    w.add(w.top(), &message, false).unwrap();
    w.finish().unwrap();
    let (again, _) = Store::open(&copy).unwrap().message(Nid(ASKED)).unwrap();
    assert_eq!(again.props.text(tag::BODY).as_deref(), Some("Привет!!"));
    assert_eq!(again.props.text(tag::SENT_REPRESENTING_NAME).as_deref(), Some("Привет!!"));
}

#[test]
fn nobody_knows() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&forged(dir.path(), &[]));
    assert_eq!((store.codepage(), mail(&store).trim_end()), (1252, "Ïðèâåò!!"));
    assert_eq!(store.message(Nid(ASKED)).unwrap().0.props.i32(tag::MESSAGE_CODEPAGE), None, "nothing is added");
}
