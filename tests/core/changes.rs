//! What happened in a source since an earlier run, in a PST one message of which cannot be read any more: the others follow,
//! and the run goes on.

use super::support::moving::{Given, moved};
use pst_core::Result;
use pst_core::endpoint::pst::PstSink;
use pst_core::endpoint::{self, TargetOptions};
use pst_core::mapi::{Message, Value, message::flag, tag};
use pst_core::messaging::Store;
use pst_core::messaging::write::Options;
use pst_core::ndb::Crypt;
use pst_core::pipeline::journal::{Change, Differences};
use pst_core::pipeline::{Flags, Folder, Item, ItemRef, Sink, Source};
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn message(n: usize) -> Message {
    let mut m = Message::default();
    m.props.set(tag::MESSAGE_CLASS, Value::text("IPM.Note"));
    m.props.set(tag::SUBJECT, Value::text(&format!("Subject {n}")));
    m.props.set(tag::MESSAGE_FLAGS, Value::I32(0));
    m
}

fn given(numbers: std::ops::Range<usize>) -> Given {
    Given(numbers.map(message).collect())
}

/// A PST of four messages: its path, and their places. The first one cannot be read.
fn damaged(dir: &Path) -> (PathBuf, Vec<u64>) {
    let path = dir.join("a.pst");
    let options = TargetOptions { crypt: Crypt::None, ..TargetOptions::default() };
    moved(Arc::new(given(0..4)), endpoint::create(&path.to_string_lossy(), &[], &options).unwrap()).unwrap();
    let places = listed(&path, "Given").into_iter().map(|(nid, _)| nid).collect();
    let mut bytes = std::fs::read(&path).unwrap();
    let text: Vec<u8> = "Subject 0".encode_utf16().flat_map(u16::to_le_bytes).collect();
    // The message comes before the table of its folder.
    let at = (0..bytes.len()).find(|at| bytes[*at..].starts_with(&text)).unwrap();
    bytes[at] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    (path, places)
}

/// The places of the messages of a folder, and whether each is read; `None` for one that cannot be read.
fn listed(path: &Path, folder: &str) -> Vec<(u64, Option<bool>)> {
    let store = Store::open(path).unwrap();
    let mut errors = Vec::new();
    let all = store.folders(&mut errors);
    let folder = all.iter().find(|f| f.name == folder).unwrap();
    let listed = store.contents(folder.nid, false, &mut errors);
    assert!(errors.is_empty(), "{errors:?}");
    let read = |m: &Message| m.props.i32(tag::MESSAGE_FLAGS).unwrap() & flag::READ != 0;
    let mut out: Vec<_> =
        listed.iter().map(|l| (u64::from(l.nid.0), store.message(l.nid).ok().map(|(m, _)| read(&m)))).collect();
    out.sort_unstable();
    out
}

/// A source that knows of changes to items of an earlier run.
struct Changed(Given, Vec<Change>);

impl Source for Changed {
    fn folders(&self) -> Result<Vec<Folder>> {
        self.0.folders()
    }

    fn items<'a>(&'a self, folder: &'a Folder) -> Result<Box<dyn Iterator<Item = Result<ItemRef>> + Send + 'a>> {
        self.0.items(folder)
    }

    fn load(&self, folder: &Folder, item: &ItemRef) -> Result<Item> {
        self.0.load(folder, item)
    }

    fn differences(&self, _folder: &Folder) -> Result<Differences> {
        Ok(Differences { there: 3, changes: self.1.clone(), ..Differences::default() })
    }

    fn title(&self) -> String {
        self.0.title()
    }
}

#[test]
fn one_damaged_message_stops_no_run() {
    let dir = tempfile::tempdir().unwrap();
    let (path, places) = damaged(dir.path());
    let flags = Flags { seen: Some(true), ..Flags::default() };
    let mut changes: Vec<Change> = places[..3]
        .iter()
        .map(|place| Change::State { key: Vec::new(), place: *place, flags: flags.clone() })
        .collect();
    changes.push(Change::Gone { key: Vec::new(), place: places[0] });
    changes.push(Change::Gone { key: Vec::new(), place: places[3] });
    let sink = PstSink::open(&path, Options::default(), Default::default()).unwrap();
    let report = moved(Arc::new(Changed(given(4..6), changes)), Box::new(sink)).unwrap();
    assert_eq!((report.written, report.updated, report.gone, report.failed), (2, 2, 1, 2));
    assert_eq!(report.by_folder[0].failed, 2);
    assert!(report.failures.iter().all(|f| !f.id.is_empty() && f.folder == "Given"), "{:?}", report.failures);
    let there = listed(&path, "Given");
    assert_eq!(there[..3], [(places[0], None), (places[1], Some(true)), (places[2], Some(true))]);
    assert_eq!(there[3..].iter().map(|(_, read)| *read).collect::<Vec<_>>(), [Some(false); 2]);
    assert_eq!(listed(&path, "Deleted Items"), [(places[3], Some(false))]);
}

#[test]
fn what_cannot_be_read_is_like_nothing_that_comes() {
    let dir = tempfile::tempdir().unwrap();
    let (path, places) = damaged(dir.path());
    let mut sink = PstSink::open(&path, Options::default(), Default::default()).unwrap();
    sink.folder(&Folder { path: vec!["Given".to_owned()], ..Folder::default() }).unwrap();
    let found: Vec<u64> = sink.contents(&|place| place == places[2]).unwrap().into_iter().map(|(_, at)| at).collect();
    assert_eq!(found, [places[1], places[3]]);
}
