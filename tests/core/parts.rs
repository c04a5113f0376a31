//! A row of PSTs that several runs add to: each item can be read in its part, and no part becomes too large.

use super::support::moving::{Given, moved};
use pst_core::endpoint::pst::{PstSink, SplitSink};
use pst_core::endpoint::{self, TargetOptions};
use pst_core::mapi::named::PSETID_COMMON;
use pst_core::mapi::{Message, NamedProp, PropType, Value, tag};
use pst_core::messaging::Store;
use pst_core::messaging::write::Options;
use pst_core::ndb::Crypt;
use pst_core::pipeline::{Body, Folder, Item, Sink};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Parts of this size take some twenty messages.
const LIMIT: u64 = 1 << 20;

fn message(n: usize) -> Message {
    let mut m = Message::default();
    m.props.set(tag::MESSAGE_CLASS, Value::text("IPM.Note"));
    m.props.set(tag::SUBJECT, Value::text(&format!("Subject {n}")));
    m.props.set(tag::BODY, Value::text(&format!("The text of message {n}. ").repeat(600)));
    m.props.set_named(Arc::new(NamedProp::text(PSETID_COMMON, "of ours")), PropType::INTEGER32, Value::I32(n as i32));
    m
}

fn part(path: &Path, n: usize) -> PathBuf {
    if n == 0 { path.to_path_buf() } else { path.with_file_name(format!("a-{}.pst", n + 1)) }
}

fn parts(path: &Path) -> Vec<PathBuf> {
    (0..).map(|n| part(path, n)).take_while(|p| p.exists()).collect()
}

/// The numbers of the messages in all parts, each of which is as it was given.
fn numbers(path: &Path) -> Vec<usize> {
    let mut out = Vec::new();
    for part in parts(path) {
        let store = Store::open(&part).unwrap();
        let mut errors = Vec::new();
        for folder in store.folders(&mut errors).iter().filter(|f| !f.search) {
            for listed in store.contents(folder.nid, false, &mut errors) {
                let (m, lost) = store.message(listed.nid).unwrap();
                assert!(lost.is_empty(), "{lost:?}");
                let n = m.props.text(tag::SUBJECT).unwrap().rsplit(' ').next().unwrap().parse().unwrap();
                assert_eq!(m.props.text(tag::BODY), message(n).props.text(tag::BODY), "{n} in {}", part.display());
                let named = m.props.named(&NamedProp::text(PSETID_COMMON, "of ours")).and_then(Value::as_i32);
                assert_eq!(named, Some(n as i32), "{n} in {}", part.display());
                out.push(n);
            }
        }
        assert!(errors.is_empty(), "{errors:?}");
    }
    out.sort_unstable();
    out
}

fn add(path: &Path, numbers: std::ops::Range<usize>, crypt: Crypt) {
    let options = TargetOptions { append: true, split: Some(LIMIT), crypt, ..TargetOptions::default() };
    let sink = endpoint::create(&path.to_string_lossy(), &[], &options).unwrap();
    let report = moved(Arc::new(Given(numbers.map(message).collect())), sink).unwrap();
    assert_eq!(report.failed, 0);
}

/// The items of a run are encoded as the part is that is there when it begins; those in further parts, too.
#[test]
fn further_parts_are_encoded_as_the_first() {
    for (first, more) in [(Crypt::None, Crypt::Permute), (Crypt::Permute, Crypt::None)] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.pst");
        add(&path, 0..5, first);
        add(&path, 5..100, more);
        assert!(parts(&path).len() > 2, "{:?}", parts(&path));
        assert_eq!(numbers(&path), (0..100).collect::<Vec<_>>());
        add(&path, 100..140, more);
        assert_eq!(numbers(&path), (0..140).collect::<Vec<_>>());
    }
}

/// The first part has all names when the second run begins, so that this run numbers none.
#[test]
fn further_parts_have_the_names_of_the_first() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.pst");
    add(&path, 0..5, Crypt::Permute);
    add(&path, 5..60, Crypt::Permute);
    add(&path, 60..90, Crypt::Permute);
    assert!(parts(&path).len() > 2);
    assert_eq!(numbers(&path), (0..90).collect::<Vec<_>>());
}

/// Many runs of one item each: the first item of a run does not go into a part that is full.
#[test]
fn each_run_minds_the_size() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.pst");
    for n in 0..90 {
        add(&path, n..n + 1, Crypt::Permute);
    }
    assert_eq!(numbers(&path), (0..90).collect::<Vec<_>>());
    let sizes: Vec<u64> = parts(&path).iter().map(|p| p.metadata().unwrap().len()).collect();
    assert!(sizes.len() > 1 && sizes.iter().all(|size| *size <= LIMIT), "{sizes:?}");
    assert!(sizes.len() < 8, "{sizes:?}");
}

/// What is looked up in full parts makes nothing there; where a journal is kept, all parts have the whole tree of folders,
/// and only then is the content of items told.
#[test]
fn looking_up_makes_no_folders() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.pst");
    add(&path, 0..60, Crypt::Permute);
    let open = |journaled| SplitSink::grow(&path, LIMIT, Options::default(), Default::default(), journaled).unwrap();
    let folder = |name: &str| Folder { path: vec![name.to_owned()], ..Folder::default() };
    let has = |p: &PathBuf, name: &str| {
        PstSink::open(p, Options::default(), Default::default()).unwrap().writer().folder(&[name]).is_some()
    };
    for (journaled, name) in [(false, "New"), (true, "Newer")] {
        let mut sink = Box::new(open(journaled));
        sink.folder(&folder(name)).unwrap();
        assert!(sink.contents(&|_| false).unwrap().is_empty());
        sink.folder(&folder("GIVEN")).unwrap();
        assert_eq!(sink.contents(&|_| false).unwrap().len(), 60);
        sink.finish().unwrap();
        let with: Vec<bool> = parts(&path).iter().map(|p| has(p, name)).collect();
        assert!(with.len() > 1);
        assert_eq!(with, (1..=with.len()).map(|n| journaled || n == with.len()).collect::<Vec<_>>());
    }
    for journaled in [false, true] {
        let item =
            Item { id: String::new(), body: Body::Mapi(Box::new(message(1))), associated: false, warnings: vec![] };
        let prepared = open(journaled).preparer().prepare(&folder("New"), item).unwrap();
        assert_eq!(prepared.content.is_some(), journaled);
    }
}
