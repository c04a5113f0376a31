//! The power goes after every write and every sync of a run, and what was not yet synced is lost in part: under the
//! target's name there is then nothing, or the old file, or a whole new one.
//!
//! The disk is a model of what systems promise: writes become durable with a sync and not before, in any order, sector
//! by sector; a new name becomes durable with a sync of its folder. [`pst_core::io::NewFile`] commits as the model does.
//!
//! A file that is added to has its name from the start: at every instant it is as of a commit, the last one or the one on
//! its way, and the strict judge has no word but those that `pst_core::ndb::write` promises.

use super::support;
use super::support::Seeded;
use pst_core::io::{HeldFile, InPlace, Input, Output};
use pst_core::mapi::{Attachment, Blob, Message, PropBag, Role, Value, tag};
use pst_core::messaging::Store;
use pst_core::messaging::write::{FolderId, Options, StoreWriter};
use pst_core::ndb::{Ndb, Nid};
use pst_core::{Result, check};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

/// What a disk keeps or loses as one.
const SECTOR: usize = 512;

/// What the writer asked of the disk, in order.
#[derive(Clone)]
pub(super) enum Step {
    Write(u64, Vec<u8>),
    Length(u64),
    Sync,
    /// The file takes the target's name; durable only once the folder is synced.
    Rename,
    SyncFolder,
}

pub(super) struct Recorder(pub Arc<Mutex<Vec<Step>>>);

impl Recorder {
    fn note(&self, steps: impl IntoIterator<Item = Step>) -> Result<()> {
        self.0.lock().unwrap().extend(steps);
        Ok(())
    }
}

impl Output for Recorder {
    fn write_at(&mut self, bytes: &[u8], offset: u64) -> Result<()> {
        self.note([Step::Write(offset, bytes.to_vec())])
    }

    fn set_len(&mut self, len: u64) -> Result<()> {
        self.note([Step::Length(len)])
    }

    fn sync(&mut self) -> Result<()> {
        self.note([Step::Sync])
    }

    fn commit(self: Box<Self>) -> Result<()> {
        self.note([Step::Sync, Step::Rename, Step::SyncFolder])
    }
}

fn subject(i: usize) -> String {
    format!("Message {i}")
}

fn body(i: usize) -> String {
    format!("The text of message {i}. ").repeat(1 + i * 37 % 500)
}

fn data(i: usize) -> Vec<u8> {
    (0..i * 9973 % 120_000).map(|n| (n ^ (n >> 7)) as u8).collect()
}

pub(super) fn message(i: usize) -> Message {
    let mut m = Message::default();
    m.props.set(tag::SUBJECT, Value::text(&subject(i)));
    m.props.set(tag::BODY, Value::text(&body(i)));
    let mut file = Attachment::default();
    file.props.set(tag::ATTACH_LONG_FILENAME, Value::text("a.bin"));
    file.props.set(tag::ATTACH_DATA_BINARY, Value::Binary(Blob::Bytes(data(i))));
    m.attachments.push(file);
    m
}

const MESSAGES: usize = 24;

/// A small run: two folders, bodies and attachments over several sections of the file.
fn steps() -> Vec<Step> {
    let log = Arc::new(Mutex::new(Vec::new()));
    let mut writer = StoreWriter::create_on(Box::new(Recorder(Arc::clone(&log))), Options::default()).unwrap();
    let top = writer.top();
    let folders = ["A", "B"].map(|n| writer.add_folder(top, n, Role::None, None, &PropBag::default()).unwrap());
    for i in 0..MESSAGES {
        writer.add(folders[i % 2], &message(i), false).unwrap();
    }
    writer.finish().unwrap();
    std::mem::take(&mut *log.lock().unwrap())
}

/// What is on the disk after the first steps, when of each sector that was not synced `survives` decides whether it
/// was written nevertheless.
pub(super) fn image(steps: &[Step], survives: &mut dyn FnMut() -> bool) -> Vec<u8> {
    image_over(Vec::new(), steps, survives)
}

fn image_over(mut out: Vec<u8>, steps: &[Step], survives: &mut dyn FnMut() -> bool) -> Vec<u8> {
    let synced = steps.iter().rposition(|s| matches!(s, Step::Sync)).map_or(0, |at| at + 1);
    for (i, step) in steps.iter().enumerate() {
        match step {
            Step::Write(offset, bytes) => {
                let mut at = *offset as usize;
                let mut rest = bytes.as_slice();
                while !rest.is_empty() {
                    let (sector, after) = rest.split_at(rest.len().min(SECTOR - at % SECTOR));
                    if i < synced || survives() {
                        if out.len() < at + sector.len() {
                            out.resize(at + sector.len(), 0);
                        }
                        out[at..at + sector.len()].copy_from_slice(sector);
                    }
                    at += sector.len();
                    rest = after;
                }
            }
            Step::Length(len) if i < synced || survives() => out.resize(*len as usize, 0),
            _ => {}
        }
    }
    out
}

/// Every way in which the power is let go after some steps: all lost, all kept, and seeded choices between.
pub(super) fn ways() -> impl Iterator<Item = Box<dyn FnMut() -> bool>> {
    let always = |answer: bool| Box::new(move || answer) as Box<dyn FnMut() -> bool>;
    let some = (0..24).map(|seed| {
        let mut random = Seeded(seed);
        let odds = 1 + seed % 8;
        Box::new(move || random.below(9) < odds) as Box<dyn FnMut() -> bool>
    });
    [always(false), always(true)].into_iter().chain(some)
}

/// True for a whole file: it opens, and every message reads as it was written, without any complaint.
fn is_whole(bytes: Vec<u8>) -> bool {
    let Ok(ndb) = Ndb::new(Input::from_bytes(bytes, "image.pst")) else { return false };
    if !ndb.header().crc_full_ok || !ndb.header().crc_partial_ok {
        return false;
    }
    let store = Store::new(Arc::new(ndb));
    let mut errors = Vec::new();
    let mut found = 0;
    for folder in store.folders(&mut errors).iter().filter(|f| !f.search) {
        let listed = store.contents(folder.nid, false, &mut errors);
        let first = if folder.name == "A" { 0 } else { 1 };
        for (n, item) in listed.iter().enumerate() {
            let Ok((m, more)) = store.message(item.nid) else { return false };
            let i = 2 * n + first;
            let same = m.props.text(tag::SUBJECT).is_some_and(|s| s.ends_with(&subject(i)))
                && m.props.text(tag::BODY).unwrap_or_default() == body(i)
                && matches!(m.attachments[0].props.get(tag::ATTACH_DATA_BINARY),
                    Some(Value::Binary(blob)) if blob.to_vec(u64::MAX).unwrap() == data(i));
            if !same || !more.is_empty() {
                return false;
            }
            found += 1;
        }
    }
    errors.is_empty() && found == MESSAGES
}

#[test]
fn the_power_goes_at_every_point() {
    let steps = steps();
    let writes = steps.iter().filter(|s| matches!(s, Step::Write(..))).count();
    assert!(writes > 8, "the run is too small: {writes} writes");
    let mut whole = 0;
    for cut in 0..=steps.len() {
        let done = &steps[..cut];
        // The new name may survive before its folder is synced, and it may not.
        let renamed = done.iter().any(|s| matches!(s, Step::Rename));
        let durable = done.iter().any(|s| matches!(s, Step::SyncFolder));
        for mut survives in ways() {
            let is_new = renamed && (durable || survives());
            // Else the name has what it had before: nothing, or the old file, which no step touches.
            if is_new {
                assert!(is_whole(image(done, &mut *survives)), "cut after {cut} of {} steps", steps.len());
                whole += 1;
            }
        }
    }
    assert!(whole > 0);
}

/// The header is the commit record: no state of the disk has a right one over a file that is not whole, so that it
/// would hold even if the file had its name from the start.
#[test]
fn a_right_header_stands_over_a_whole_file_only() {
    let steps = steps();
    let (mut right, mut other) = (0, 0);
    for cut in 0..=steps.len() {
        for mut survives in ways() {
            let bytes = image(&steps[..cut], &mut *survives);
            let header = Ndb::new(Input::from_bytes(bytes.clone(), "image.pst"));
            if header.is_ok_and(|ndb| ndb.header().crc_full_ok && ndb.header().crc_partial_ok) {
                assert!(is_whole(bytes), "cut after {cut} of {} steps", steps.len());
                right += 1;
            } else {
                other += 1;
            }
        }
    }
    assert!(right > 50 && other > 200, "{right} with a right header, {other} without");
}

/// The real new file behaves as the model: nothing under the name before the commit, and the old file stays till then.
#[test]
fn a_new_file_has_no_name_before_its_commit() {
    let dir = tempfile::tempdir().unwrap();
    for old in [None, Some(b"old".to_vec())] {
        let path = dir.path().join("a.pst");
        let _ = std::fs::remove_file(&path);
        if let Some(old) = &old {
            std::fs::write(&path, old).unwrap();
        }
        let mut file: Box<dyn Output> = Box::new(pst_core::io::NewFile::create(&path, old.is_some()).unwrap());
        let mut expected = Vec::new();
        for step in steps() {
            match step {
                Step::Write(offset, bytes) => file.write_at(&bytes, offset).unwrap(),
                Step::Length(len) => file.set_len(len).unwrap(),
                Step::Sync => file.sync().unwrap(),
                Step::Rename => break,
                Step::SyncFolder => {}
            }
            assert_eq!(std::fs::read(&path).ok(), old);
        }
        for step in steps() {
            if let Step::Write(offset, bytes) = step {
                expected.resize(expected.len().max(offset as usize + bytes.len()), 0);
                expected[offset as usize..offset as usize + bytes.len()].copy_from_slice(&bytes);
            }
        }
        file.commit().unwrap();
        assert!(std::fs::read(&path).unwrap() == expected);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}

/// A file that is changed in place, and what was asked of it.
struct Logged {
    file: HeldFile,
    log: Arc<Mutex<Vec<Step>>>,
}

impl InPlace for Logged {
    fn input(&self) -> Result<Input> {
        self.file.input()
    }

    fn write_at(&mut self, bytes: &[u8], offset: u64) -> Result<()> {
        self.log.lock().unwrap().push(Step::Write(offset, bytes.to_vec()));
        self.file.write_at(bytes, offset)
    }

    fn set_len(&mut self, len: u64) -> Result<()> {
        self.log.lock().unwrap().push(Step::Length(len));
        self.file.set_len(len)
    }

    fn sync(&mut self) -> Result<()> {
        self.log.lock().unwrap().push(Step::Sync);
        self.file.sync()
    }
}

/// All that a store holds: each item by folder and node.
pub(super) type Contents = BTreeMap<(String, u32), String>;

pub(super) fn contents(ndb: Ndb) -> Contents {
    let store = Store::new(Arc::new(ndb));
    let mut errors = Vec::new();
    let mut out = Contents::new();
    for folder in store.folders(&mut errors) {
        out.insert((folder.name.clone(), 0), format!("{:?}", folder.props.i32(tag::CONTENT_COUNT)));
        for listed in if folder.search { Vec::new() } else { store.contents(folder.nid, false, &mut errors) } {
            let (m, more) = store.message(listed.nid).unwrap();
            assert!(more.is_empty(), "{more:?}");
            let file = m.attachments.first().and_then(|a| a.props.get(tag::ATTACH_DATA_BINARY).cloned());
            let data = match file {
                Some(Value::Binary(blob)) => blob.to_vec(u64::MAX).unwrap(),
                _ => Vec::new(),
            };
            let text = m.props.text(tag::BODY).unwrap_or_default();
            let crc = |bytes: &[u8]| pst_core::ndb::crc::crc(bytes);
            let flags = m.props.i32(tag::MESSAGE_FLAGS);
            out.insert(
                (folder.name.clone(), listed.nid.0),
                format!("{:X} {:X} {flags:?}", crc(text.as_bytes()), crc(&data)),
            );
        }
    }
    assert!(errors.is_empty(), "{errors:?}");
    out
}

/// Several commits with all that can happen: new mail, a new folder, changes, moves, a run in two parts.
fn add(path: &Path, log: &Arc<Mutex<Vec<Step>>>) -> BTreeMap<u32, Contents> {
    let open = || {
        let file = Logged { file: HeldFile::open(path).unwrap(), log: Arc::clone(log) };
        StoreWriter::open_on(Box::new(file), Options::default()).unwrap()
    };
    let now = |states: &mut BTreeMap<u32, Contents>| {
        let ndb = Ndb::open(path).unwrap();
        states.insert(ndb.header().unique, contents(ndb));
    };
    let mut states = BTreeMap::new();
    now(&mut states);
    let mut writer = open();
    let a = writer.add_folder(writer.top(), "A", Role::None, None, &PropBag::default()).unwrap();
    let b = writer.add_folder(writer.top(), "B", Role::Inbox, None, &PropBag::default()).unwrap();
    let mut all: Vec<(Nid, FolderId)> = Vec::new();
    for i in 0..12 {
        let to = if i % 3 == 0 { b } else { a };
        writer.add(to, &message(i), false).unwrap();
        if i % 4 == 3 {
            writer.commit().unwrap();
            now(&mut states);
            let store = Store::open(path).unwrap();
            let mut errors = Vec::new();
            all = [a, b]
                .into_iter()
                .flat_map(|f| {
                    let listed = store.contents(writer.nid(f).unwrap(), false, &mut errors);
                    listed.into_iter().map(move |l| (l.nid, f)).collect::<Vec<_>>()
                })
                .collect();
        }
    }
    let (nid, from) = all[0];
    writer.move_message(nid, from, if from == a { b } else { a }).unwrap();
    let (nid, from) = all[3];
    writer.update(from, nid, &mut |bag| bag.set(tag::MESSAGE_FLAGS, Value::I32(0))).unwrap();
    writer.commit().unwrap();
    now(&mut states);
    writer.finish().unwrap();
    now(&mut states);
    let mut writer = open();
    let a = writer.folder(&["a"]).unwrap();
    writer.add(a, &message(20), false).unwrap();
    writer.commit().unwrap();
    now(&mut states);
    writer.add(a, &message(21), false).unwrap();
    writer.commit().unwrap();
    now(&mut states);
    writer.finish().unwrap();
    now(&mut states);
    states
}

fn the_power_goes_while_adding_to(original: &Path) {
    let dir = tempfile::tempdir().unwrap();
    let (path, other) = (dir.path().join("a.pst"), dir.path().join("b.pst"));
    std::fs::copy(original, &path).unwrap();
    let mut rights = std::fs::metadata(&path).unwrap().permissions();
    #[allow(clippy::permissions_set_readonly_false, reason = "a copy in a folder of the test")]
    rights.set_readonly(false);
    std::fs::set_permissions(&path, rights).unwrap();
    let base = std::fs::read(&path).unwrap();
    let log = Arc::new(Mutex::new(Vec::new()));
    let states = add(&path, &log);
    let steps = std::mem::take(&mut *log.lock().unwrap());
    let syncs = steps.iter().filter(|s| matches!(s, Step::Sync)).count();
    assert!(states.len() > 6 && syncs > 14, "{} states, {syncs} syncs", states.len());
    let known = |bytes: &[u8]| check::judge(Input::from_bytes(bytes.to_vec(), "image.pst")).unwrap();
    let before: Vec<_> = known(&base).findings.into_iter().map(|f| (f.rule, f.text)).collect();
    // What holds with the steps before a cut is durable: the states go up only.
    let mut least = 0;
    let mut seen = BTreeMap::new();
    for cut in 0..=steps.len() {
        if cut > 0 && matches!(steps[cut - 1], Step::Sync) {
            let ndb = Ndb::new(Input::from_bytes(image_over(base.clone(), &steps[..cut], &mut || false), "image.pst"));
            least = ndb.unwrap().header().unique;
        }
        for (way, mut survives) in ways().take(10).enumerate() {
            let bytes = image_over(base.clone(), &steps[..cut], &mut *survives);
            let at = format!("cut after {cut} of {} steps, way {way}", steps.len());
            let ndb = Ndb::new(Input::from_bytes(bytes.clone(), "image.pst")).expect(&at);
            assert!(ndb.header().crc_full_ok && ndb.header().crc_partial_ok, "{at}");
            let unique = ndb.header().unique;
            assert!(unique >= least, "{at}: a durable commit is lost");
            // A header that says only that the maps change stands for the state before it.
            let (_, expected) = states.range(..=unique).next_back().unwrap();
            assert!(contents(ndb) == *expected, "{at}");
            for finding in known(&bytes).findings {
                let promised = match finding.rule {
                    "V02" => finding.text.contains("but the file has"),
                    "V05" => finding.text.contains("fAMapValid is 0"),
                    _ => false,
                };
                assert!(promised || before.contains(&(finding.rule, finding.text.clone())), "{at}: {finding:?}");
                *seen.entry(finding.rule).or_insert(0) += 1;
            }
            if way < 2 {
                std::fs::write(&other, &bytes).unwrap();
                let mut writer = StoreWriter::open(&other, Options::default()).expect(&at);
                writer.add(writer.top(), &message(30), false).unwrap();
                writer.finish().unwrap();
                let after = std::fs::read(&other).unwrap();
                let found = known(&after).findings;
                assert!(found.iter().all(|f| before.contains(&(f.rule, f.text.clone()))), "{at}: {found:?}");
                let now = contents(Ndb::open(&other).unwrap());
                assert!(expected.iter().all(|(k, v)| k.1 == 0 || now.get(k) == Some(v)), "{at}");
            }
        }
    }
    assert!(seen.get("V05").is_some_and(|n| *n > 50), "{seen:?}");
}

#[test]
fn the_power_goes_while_adding_to_a_file_of_ours() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ours.pst");
    let mut writer = StoreWriter::create(&path, Options::default()).unwrap();
    let old = writer.add_folder(writer.top(), "Old", Role::None, None, &PropBag::default()).unwrap();
    for i in 40..46 {
        writer.add(old, &message(i), false).unwrap();
    }
    writer.finish().unwrap();
    the_power_goes_while_adding_to(&path);
}

#[test]
fn the_power_goes_while_adding_to_a_file_of_outlook() {
    for name in ["pst/microsoft__Empty__df1b80c5.pst", "pst/enrondata__sample1__788c6ad5.pst"] {
        if let Some(path) = support::corpus(name) {
            the_power_goes_while_adding_to(&path);
        }
    }
}
