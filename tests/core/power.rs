//! The power goes after every write and every sync of a run, and what was not yet synced is lost in part: under the
//! target's name there is then nothing, or the old file, or a whole new one.
//!
//! The disk is a model of what systems promise: writes become durable with a sync and not before, in any order, sector
//! by sector; a new name becomes durable with a sync of its folder. [`pst_core::io::NewFile`] commits as the model does.

use super::support::Seeded;
use pst_core::Result;
use pst_core::io::{Input, Output};
use pst_core::mapi::{Attachment, Blob, Message, PropBag, Role, Value, tag};
use pst_core::messaging::Store;
use pst_core::messaging::write::{Options, StoreWriter};
use pst_core::ndb::Ndb;
use std::sync::{Arc, Mutex};

/// What a disk keeps or loses as one.
const SECTOR: usize = 512;

/// What the writer asked of the disk, in order.
#[derive(Clone)]
enum Step {
    Write(u64, Vec<u8>),
    Length(u64),
    Sync,
    /// The file takes the target's name; durable only once the folder is synced.
    Rename,
    SyncFolder,
}

struct Recorder(Arc<Mutex<Vec<Step>>>);

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

const MESSAGES: usize = 24;

/// A small run: two folders, bodies and attachments over several sections of the file.
fn steps() -> Vec<Step> {
    let log = Arc::new(Mutex::new(Vec::new()));
    let mut writer = StoreWriter::create_on(Box::new(Recorder(Arc::clone(&log))), Options::default()).unwrap();
    let top = writer.top();
    let folders = ["A", "B"].map(|n| writer.add_folder(top, n, Role::None, None, &PropBag::default()).unwrap());
    for i in 0..MESSAGES {
        let mut m = Message::default();
        m.props.set(tag::SUBJECT, Value::text(&subject(i)));
        m.props.set(tag::BODY, Value::text(&body(i)));
        let mut file = Attachment::default();
        file.props.set(tag::ATTACH_LONG_FILENAME, Value::text("a.bin"));
        file.props.set(tag::ATTACH_DATA_BINARY, Value::Binary(Blob::Bytes(data(i))));
        m.attachments.push(file);
        writer.add(folders[i % 2], &m, false).unwrap();
    }
    writer.finish().unwrap();
    std::mem::take(&mut *log.lock().unwrap())
}

/// What is on the disk after the first steps, when of each sector that was not synced `survives` decides whether it
/// was written nevertheless.
fn image(steps: &[Step], survives: &mut dyn FnMut() -> bool) -> Vec<u8> {
    let synced = steps.iter().rposition(|s| matches!(s, Step::Sync)).map_or(0, |at| at + 1);
    let mut out = Vec::new();
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
fn ways() -> impl Iterator<Item = Box<dyn FnMut() -> bool>> {
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
