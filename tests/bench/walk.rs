//! A walk over all that a PST holds, by our library and by the crate outlook-pst: every folder, item, recipient, attachment
//! and message inside, every property read, the bytes of texts and binary values added up. Both prove the CRC of each block.
//!
//! Each runs in a process of its own, this program once more, and prints what it found as JSON.

use outlook_pst::UnicodePstFile;
use outlook_pst::ltp::prop_context::PropertyValue;
use outlook_pst::messaging::attachment::{Attachment as _, UnicodeAttachment};
use outlook_pst::messaging::folder::{Folder as _, UnicodeFolder};
use outlook_pst::messaging::message::{Message as _, UnicodeMessage};
use outlook_pst::messaging::store::{Store as _, UnicodeStore};
use outlook_pst::ndb::node_id::NodeId;
use pst_core::mapi::{Blob, Message, PropBag, Value};
use pst_core::messaging::Store;
use pst_core::ndb::Nid;
use serde::{Deserialize, Serialize};
use std::io::{self, Read};
use std::path::Path;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// The first argument of the process that walks with our library; the file and the number of threads follow.
pub const OURS: &str = "walk";
/// The same with outlook-pst, on the one thread that it has.
pub const THEIRS: &str = "walk-outlook-pst";

/// Items that a thread takes at a time.
const TAKE: usize = 32;
/// The search folder among the kinds of nodes.
const SEARCH: u32 = 0x03;

/// What a walk has found.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    pub folders: u64,
    pub messages: u64,
    pub recipients: u64,
    pub attachments: u64,
    /// Bytes of texts and binary values, those of messages inside messages and of what carries them left out.
    pub bytes: u64,
    /// Messages inside messages.
    pub inside: u64,
    /// Bytes of them.
    pub bytes_inside: u64,
    /// Messages inside messages that could not be read.
    pub unread: u64,
    /// Anything else that could not be read.
    pub failed: u64,
}

impl Tally {
    fn add(mut self, other: Self) -> Self {
        self.folders += other.folders;
        self.messages += other.messages;
        self.recipients += other.recipients;
        self.attachments += other.attachments;
        self.bytes += other.bytes;
        self.inside += other.inside;
        self.bytes_inside += other.bytes_inside;
        self.unread += other.unread;
        self.failed += other.failed;
        self
    }

    /// True if both walks found the same, as far as the other could read.
    pub fn agrees(&self, other: &Self) -> bool {
        let seen = |t: &Self| (t.folders, t.messages, t.recipients, t.attachments, t.bytes, t.failed);
        seen(self) == seen(other) && self.inside >= other.unread
    }
}

/// Walks and prints what was found.
pub fn main(kind: &str, args: &[String]) {
    let file = Path::new(&args[0]);
    let tally = match kind {
        OURS => ours(file, args[1].parse().unwrap()).unwrap(),
        _ => theirs(file).unwrap(),
    };
    println!("{}", serde_json::to_string(&tally).unwrap());
}

/// Gives each thread what is next, and adds up what they found.
fn share<T: Sync>(threads: usize, take: usize, all: &[T], work: impl Fn(&T, &mut Tally) + Sync) -> Tally {
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut tally = Tally::default();
        loop {
            let at = next.fetch_add(take, Ordering::Relaxed);
            let Some(some) = all.get(at..all.len().min(at + take)).filter(|s| !s.is_empty()) else { return tally };
            some.iter().for_each(|one| work(one, &mut tally));
        }
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (1..threads).map(|_| scope.spawn(worker)).collect();
        let mine = worker();
        workers.into_iter().fold(mine, |sum, one| sum.add(one.join().unwrap()))
    })
}

fn ours(file: &Path, threads: usize) -> pst_core::Result<Tally> {
    let store = Store::open(file)?;
    let mut errors = Vec::new();
    let folders: Vec<Nid> = store.folders(&mut errors).iter().filter(|f| !f.search).map(|f| f.nid).collect();
    let listed = std::sync::Mutex::new(Vec::new());
    let mut sum = share(threads, 1, &folders, |folder, tally| {
        let mut errors = Vec::new();
        tally.folders += 1;
        for associated in [false, true] {
            let items = store.contents(*folder, associated, &mut errors);
            listed.lock().unwrap().extend(items.iter().map(|l| l.nid));
        }
        tally.failed += errors.len() as u64;
    });
    sum.failed += errors.len() as u64;
    let listed = listed.into_inner().unwrap();
    let items = share(threads, TAKE, &listed, |nid, tally| match store.message(*nid) {
        Ok((message, errors)) => {
            tally.messages += 1;
            tally.failed += errors.len() as u64;
            message_bytes(&message, tally, false);
        }
        Err(_) => tally.failed += 1,
    });
    Ok(sum.add(items))
}

fn message_bytes(message: &Message, tally: &mut Tally, inside: bool) {
    let mut bytes =
        bag_bytes(&message.props, tally) + message.recipients.iter().map(|r| bag_bytes(r, tally)).sum::<u64>();
    if !inside {
        tally.recipients += message.recipients.len() as u64;
        tally.attachments += message.attachments.len() as u64;
    }
    for attachment in &message.attachments {
        let its = bag_bytes(&attachment.props, tally);
        match &attachment.embedded {
            Some(embedded) => {
                tally.inside += 1;
                tally.bytes_inside += its;
                message_bytes(embedded, tally, true);
            }
            None => bytes += its,
        }
    }
    *if inside { &mut tally.bytes_inside } else { &mut tally.bytes } += bytes;
}

fn bag_bytes(bag: &PropBag, tally: &mut Tally) -> u64 {
    let bytes = |value: &Value| match value {
        Value::String8(b) | Value::Unicode(b) => Ok(b.len() as u64),
        Value::Binary(Blob::Bytes(b)) => Ok(b.len() as u64),
        Value::Binary(blob) => blob.open().map_err(io::Error::other).and_then(read_through),
        _ => Ok(0),
    };
    bag.0.iter().map(|prop| bytes(&prop.value).unwrap_or_else(|_| failed(tally))).sum()
}

fn failed(tally: &mut Tally) -> u64 {
    tally.failed += 1;
    0
}

/// Reads to the end and tells how much there was.
fn read_through(mut from: impl Read) -> io::Result<u64> {
    let (mut buffer, mut total) = (vec![0; 64 << 10], 0);
    loop {
        match from.read(&mut buffer)? {
            0 => return Ok(total),
            n => total += n as u64,
        }
    }
}

fn theirs(file: &Path) -> io::Result<Tally> {
    let store = UnicodeStore::read(Rc::new(UnicodePstFile::open(file)?))?;
    let mut tally = Tally::default();
    let mut todo = vec![Nid::ROOT_FOLDER.0];
    while let Some(id) = todo.pop() {
        tally.folders += 1;
        let entry = store.properties().make_entry_id(NodeId::from(id))?;
        let folder = UnicodeFolder::read(store.clone(), &entry)?;
        if let Some(table) = folder.hierarchy_table() {
            todo.extend(table.rows_matrix().map(|r| u32::from(r.id())).filter(|id| id & 0x1F != SEARCH));
        }
        for table in [folder.contents_table(), folder.associated_table()].into_iter().flatten() {
            for row in table.rows_matrix() {
                let entry = store.properties().make_entry_id(NodeId::from(u32::from(row.id())))?;
                match UnicodeMessage::read(store.clone(), &entry, None) {
                    Ok(message) => their_message(&message, &mut tally)?,
                    Err(_) => tally.failed += 1,
                }
            }
        }
    }
    Ok(tally)
}

fn their_message(message: &Rc<UnicodeMessage>, tally: &mut Tally) -> io::Result<()> {
    tally.messages += 1;
    tally.bytes += message.properties().iter().map(|(_, value)| value_bytes(value)).sum::<u64>();
    if let Some(table) = message.recipient_table() {
        for row in table.rows_matrix() {
            tally.recipients += 1;
            let columns = table.context().columns().iter().zip(row.columns(table.context())?);
            for (column, value) in columns.filter_map(|(column, value)| Some((column, value?))) {
                tally.bytes += value_bytes(&table.read_column(&value, column.prop_type())?);
            }
        }
    }
    let Some(table) = message.attachment_table() else { return Ok(()) };
    for row in table.rows_matrix() {
        tally.attachments += 1;
        match UnicodeAttachment::read(message.clone(), NodeId::from(u32::from(row.id())), None) {
            Ok(attachment) => {
                tally.bytes += attachment.properties().iter().map(|(_, value)| value_bytes(value)).sum::<u64>();
            }
            // Version 1.2.0 loses the properties from the first PtypObject on, in Outlook's own files too.
            Err(e) if e.to_string() == "Missing PidTagAttachMethod on message" => tally.unread += 1,
            Err(_) => tally.failed += 1,
        }
    }
    Ok(())
}

fn value_bytes(value: &PropertyValue) -> u64 {
    match value {
        PropertyValue::String8(text) => text.buffer().len() as u64,
        PropertyValue::Unicode(text) => 2 * text.buffer().len() as u64,
        PropertyValue::Binary(bytes) => bytes.buffer().len() as u64,
        _ => 0,
    }
}
