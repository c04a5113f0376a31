//! mbox files and trees of them: mboxrd and mboxo are read, mboxrd is written, folders nest as Thunderbird's `.sbd`.
//!
//! One `>` is taken from every line of a message that begins with `>From ` (any number of `>`), as mboxrd has it.

use super::eml::{make_folder, prepared, unpack};
use super::roles;
use super::text::{self, Form, NewFolder, StateFields, file_name};
use crate::error::{Error, Kind, Result};
use crate::io::{Input, NewFile};
use crate::mime::{self, date, large};
use crate::pipeline::{Body, Folder, Item, ItemRef, Mime, Prepare, Prepared, Role, Sink, Source, Written};
use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Bytes looked at once when messages are sought.
const WINDOW: usize = 1 << 20;
/// A separator line is not longer.
const SEPARATOR: usize = 512;

/// One mbox, or a tree of them.
pub struct MboxSource {
    title: String,
    folders: Vec<(Vec<String>, Option<Arc<Input>>)>,
}

impl MboxSource {
    /// Opens a file, or all mboxes of a tree.
    ///
    /// # Errors
    /// When a file or folder cannot be read, or nothing in it is an mbox.
    pub fn open(path: &Path) -> Result<Self> {
        let title = path.file_stem().map_or_else(|| "Mail".to_owned(), |n| n.to_string_lossy().into_owned());
        if path.is_file() {
            let input = Arc::new(Input::open(path)?);
            return Ok(Self { title, folders: vec![(Vec::new(), Some(input))] });
        }
        let mut folders: Vec<(Vec<String>, Option<Arc<Input>>)> = vec![(Vec::new(), None)];
        for entry in walkdir::WalkDir::new(path).sort_by_file_name() {
            let entry = entry.map_err(|e| {
                let at = e.path().unwrap_or(path).to_path_buf();
                Error::io(
                    "cannot list",
                    at,
                    e.into_io_error().unwrap_or_else(|| std::io::Error::other("the tree loops")),
                )
            })?;
            if !entry.file_type().is_file() || !is_mbox(entry.path()) {
                continue;
            }
            let below = entry.path().strip_prefix(path).unwrap_or(entry.path());
            let names: Vec<String> = below.components().map(|c| bare(&c.as_os_str().to_string_lossy())).collect();
            for depth in 1..names.len() {
                let parent = names.get(..depth).unwrap_or_default();
                if !folders.iter().any(|(p, _)| p == parent) {
                    folders.push((parent.to_vec(), None));
                }
            }
            let input = Some(Arc::new(Input::open(entry.path())?));
            match folders.iter_mut().find(|(p, i)| *p == names && i.is_none()) {
                Some(slot) => slot.1 = input,
                None => folders.push((names, input)),
            }
        }
        if folders.iter().all(|(_, input)| input.is_none()) {
            return Err(Error::new(Kind::NotThisKind, "no mbox file is in this folder").in_file(path));
        }
        folders.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(Self { title, folders })
    }
}

/// The folder name of a file or directory: without `.sbd`, `.mbox`, `.mbx`.
fn bare(name: &str) -> String {
    for ending in [".sbd", ".mbox", ".mbx"] {
        let cut = name.len().saturating_sub(ending.len());
        if cut > 0 && name.get(cut..).is_some_and(|e| e.eq_ignore_ascii_case(ending)) {
            return name.get(..cut).unwrap_or(name).to_owned();
        }
    }
    name.to_owned()
}

/// True for a file that begins as an mbox does. An empty file is one if its name says so, or has no ending.
pub fn is_mbox(path: &Path) -> bool {
    let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase());
    if matches!(ending.as_deref(), Some("msf" | "dat" | "html" | "eml" | "json")) {
        return false;
    }
    let Ok(input) = Input::open(path) else { return false };
    if input.is_empty() {
        return matches!(ending.as_deref(), None | Some("mbox" | "mbx"));
    }
    let mut buf = Vec::new();
    let take = input.len().min(SEPARATOR as u64) as usize;
    input.read(0, take, &mut buf).is_ok_and(|b| b.trim_ascii_start().starts_with(b"From "))
}

impl Source for MboxSource {
    fn folders(&self) -> Result<Vec<Folder>> {
        let folder = |(i, (path, input)): (usize, &(Vec<String>, Option<Arc<Input>>))| Folder {
            path: path.clone(),
            role: match path.as_slice() {
                [] if input.is_some() => roles::of_name(&self.title),
                [name] => roles::of_name(name),
                _ => Role::None,
            },
            key: i as u64,
            ..Folder::default()
        };
        Ok(self.folders.iter().enumerate().map(folder).collect())
    }

    fn items<'a>(&'a self, folder: &'a Folder) -> Result<Box<dyn Iterator<Item = Result<ItemRef>> + Send + 'a>> {
        match self.folders.get(folder.key as usize) {
            Some((_, Some(input))) => Ok(Box::new(Messages::new(input))),
            _ => Ok(Box::new(std::iter::empty())),
        }
    }

    fn load(&self, folder: &Folder, item: &ItemRef) -> Result<Item> {
        let Some((_, Some(input))) = self.folders.get(folder.key as usize) else {
            return Err(Error::new(Kind::NotFound, "the folder has no file"));
        };
        let mut mime = Mime::default();
        if item.size <= large::HELD {
            let mut bytes = vec![0; item.size as usize];
            input.read_into(item.key, &mut bytes)?;
            mime.bytes = bytes;
        } else {
            (mime.bytes, mime.large) = large::slim(input, item.key, item.size)?;
        }
        let end = memchr::memchr(b'\n', &mime.bytes).map_or(mime.bytes.len(), |i| i + 1);
        let separator = String::from_utf8_lossy(mime.bytes.get(..end).unwrap_or_default()).into_owned();
        if separator.starts_with("From ") {
            mime.received = separator_date(&separator);
            mime.bytes.drain(..end);
            mime.large.iter_mut().for_each(|p| p.at -= end);
        }
        // The empty line before the next separator belongs to the mbox, not to the message.
        let tail: &[u8] = if mime.bytes.ends_with(b"\r\n\r\n") { b"\r\n" } else { b"\n" };
        let cut = if mime.bytes.ends_with(b"\n\n") || mime.bytes.ends_with(b"\r\n\r\n") { tail.len() } else { 0 };
        mime.bytes.truncate(mime.bytes.len() - cut);
        unquote(&mut mime);
        mime.flags = text::state_in(&mime.bytes);
        Ok(Item { id: item.id.clone(), body: Body::Mime(mime), associated: false, warnings: Vec::new() })
    }

    fn title(&self) -> String {
        self.title.clone()
    }
}

/// Takes one `>` from lines such as `>From ` and `>>From `.
fn unquote(mime: &mut Mime) {
    let hits: Vec<usize> = memchr::memmem::find_iter(&mime.bytes, b">From ")
        .filter_map(|at| {
            let before = mime.bytes.get(..at)?;
            let start = before.iter().rposition(|b| *b != b'>').map_or(0, |i| i + 1);
            (start == 0 || before.get(start - 1) == Some(&b'\n')).then_some(start)
        })
        .collect();
    if hits.is_empty() {
        return;
    }
    let mut out = Vec::with_capacity(mime.bytes.len());
    let mut from = 0;
    for hit in &hits {
        out.extend_from_slice(mime.bytes.get(from..*hit).unwrap_or_default());
        from = hit + 1;
    }
    out.extend_from_slice(mime.bytes.get(from..).unwrap_or_default());
    for part in &mut mime.large {
        part.at -= hits.iter().filter(|h| **h < part.at).count();
    }
    mime.bytes = out;
}

/// The date at the end of a separator line, taken as UTC: "From a@b Sat Jan  3 01:05:34 1996".
fn separator_date(line: &str) -> Option<i64> {
    let words: Vec<&str> = line.split_whitespace().collect();
    (1..words.len()).find_map(|i| words.get(i..).and_then(|w| date::parse(&w.join(" "))))
}

/// Finds the messages of an mbox, window by window.
struct Messages<'a> {
    input: &'a Input,
    at: u64,
    number: u64,
}

impl<'a> Messages<'a> {
    fn new(input: &'a Input) -> Self {
        Self { input, at: 0, number: 0 }
    }

    /// The start of the next separator after `from`, or the end of the file.
    fn next_separator(&self, from: u64) -> Result<u64> {
        let len = self.input.len();
        let mut at = from;
        let mut buf = Vec::new();
        while at < len {
            let take = (len - at).min((WINDOW + SEPARATOR) as u64) as usize;
            let bytes = self.input.read(at, take, &mut buf)?;
            for hit in memchr::memmem::find_iter(bytes, b"\nFrom ") {
                if hit >= WINDOW {
                    break;
                }
                let line = bytes.get(hit + 1..).unwrap_or_default();
                let line = line.get(..line.len().min(SEPARATOR)).unwrap_or_default();
                let line = memchr::memchr(b'\n', line).and_then(|e| line.get(..e)).unwrap_or(line);
                let before = bytes.get(..hit).unwrap_or_default();
                let empty_before = hit == 0 || before.ends_with(b"\n") || before.ends_with(b"\n\r");
                if is_separator(line, empty_before) {
                    return Ok(at + hit as u64 + 1);
                }
            }
            if take <= WINDOW {
                break;
            }
            at += WINDOW as u64;
        }
        Ok(len)
    }
}

/// True for "From sender date": a time of day and a year are there, or at least an empty line stands before.
fn is_separator(line: &[u8], empty_before: bool) -> bool {
    let text = String::from_utf8_lossy(line);
    let words: Vec<&str> = text.split_whitespace().collect();
    let clock = words.iter().any(|w| {
        let parts: Vec<&str> = w.split(':').collect();
        (2..=3).contains(&parts.len())
            && parts.iter().all(|p| (1..=2).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_digit()))
    });
    let year = words.iter().any(|w| w.len() == 4 && w.bytes().all(|b| b.is_ascii_digit()));
    let mail = words.len() == 2 && words.get(1).is_some_and(|w| w.contains('@') || *w == "-");
    empty_before && ((clock && year) || mail || words.len() == 1)
}

impl Iterator for Messages<'_> {
    type Item = Result<ItemRef>;

    fn next(&mut self) -> Option<Self::Item> {
        let start = self.at;
        if start >= self.input.len() {
            return None;
        }
        // Blanks alone are no message.
        let end = match self.next_separator(start) {
            Ok(end) => end,
            Err(e) => {
                self.at = self.input.len();
                return Some(Err(e));
            }
        };
        self.at = end;
        let size = end - start;
        if size < 64 {
            let mut bytes = vec![0; size as usize];
            if self.input.read_into(start, &mut bytes).is_ok() && bytes.trim_ascii().is_empty() {
                return self.next_nonblank();
            }
        }
        self.number += 1;
        Some(Ok(ItemRef { id: format!("message {}", self.number), key: start, size, ..ItemRef::default() }))
    }
}

impl Messages<'_> {
    /// Goes on behind blanks at the start of a file; there is at most one such stretch.
    fn next_nonblank(&mut self) -> Option<Result<ItemRef>> {
        let start = self.at;
        if start >= self.input.len() {
            return None;
        }
        match self.next_separator(start) {
            Ok(end) => {
                self.at = end;
                self.number += 1;
                Some(Ok(ItemRef {
                    id: format!("message {}", self.number),
                    key: start,
                    size: end - start,
                    ..ItemRef::default()
                }))
            }
            Err(e) => {
                self.at = self.input.len();
                Some(Err(e))
            }
        }
    }
}

/// Where messages go.
enum Target {
    /// One file for the one folder that has items.
    File { file: NewFile, folder: Option<Vec<String>> },
    /// A tree.
    Tree { folder: NewFolder, made: HashMap<Vec<String>, PathBuf>, open: Option<(Vec<String>, std::fs::File)> },
}

/// Writes an mbox, or a tree of them.
pub struct MboxSink {
    target: Target,
    path: PathBuf,
    current: Vec<String>,
    buffer: Vec<u8>,
    bytes: u64,
    mail: mime::Options,
}

impl MboxSink {
    /// Starts a target: one file if the name ends in `.mbox` or `.mbx`, else a tree as Thunderbird has it.
    ///
    /// # Errors
    /// As [`NewFile::create`] and [`NewFolder::create`].
    pub fn create(path: &Path, overwrite: bool, mail: mime::Options) -> Result<Self> {
        let single = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("mbox") || e.eq_ignore_ascii_case("mbx"));
        let target = if single {
            Target::File { file: NewFile::create(path, overwrite)?, folder: None }
        } else {
            let folder = NewFolder::create(path, overwrite)?;
            let top = folder.path().to_path_buf();
            Target::Tree { folder, made: HashMap::from([(Vec::new(), top)]), open: None }
        };
        Ok(Self { target, path: path.to_path_buf(), current: Vec::new(), buffer: Vec::new(), bytes: 0, mail })
    }

    fn flush(&mut self) -> Result<()> {
        let buffer = std::mem::take(&mut self.buffer);
        match &mut self.target {
            Target::File { file, .. } => file.append(&buffer)?,
            Target::Tree { open: Some((_, file)), .. } => {
                file.write_all(&buffer).map_err(|e| Error::io("cannot write", &self.path, e))?;
            }
            Target::Tree { .. } => {}
        }
        self.bytes += buffer.len() as u64;
        self.buffer = buffer;
        self.buffer.clear();
        Ok(())
    }

    /// The file of the current folder, made when its first message comes.
    fn ready(&mut self) -> Result<()> {
        match &mut self.target {
            Target::File { folder, .. } => match folder {
                Some(known) if *known != self.current => Err(Error::new(
                    Kind::Usage,
                    format!(
                        "one mbox file cannot hold several folders (\"{}\" and \"{}\"): give a folder as the target, or choose one with --include",
                        known.join("/"),
                        self.current.join("/")
                    ),
                )),
                Some(_) => Ok(()),
                None => {
                    *folder = Some(self.current.clone());
                    Ok(())
                }
            },
            Target::Tree { open: Some((at, _)), .. } if *at == self.current => Ok(()),
            Target::Tree { .. } => {
                self.flush()?;
                let Target::Tree { made, open, .. } = &mut self.target else { return Ok(()) };
                let path = mbox_path(made, &self.current)?;
                let file = std::fs::OpenOptions::new().append(true).create(true).open(&path);
                *open = Some((self.current.clone(), file.map_err(|e| Error::io("cannot create", &path, e))?));
                Ok(())
            }
        }
    }
}

/// The file of a folder: `A.sbd/B.sbd/C` for A/B/C; the top's own items go to a file named "Top".
fn mbox_path(made: &mut HashMap<Vec<String>, PathBuf>, path: &[String]) -> Result<PathBuf> {
    let Some((last, parents)) = path.split_last() else {
        return Ok(made.get(&[][..]).cloned().unwrap_or_default().join("Top"));
    };
    let parents: Vec<String> = parents.iter().map(|p| format!("{p}.sbd")).collect();
    let folder = make_folder(made, &parents)?;
    let key: Vec<String> = path.iter().map(|p| format!("{p}\0file")).collect();
    if let Some(known) = made.get(&key) {
        return Ok(known.clone());
    }
    let name = file_name(last);
    let mut candidate = folder.join(&name);
    let mut n = 2;
    while candidate.exists() {
        candidate = folder.join(format!("{name} ({n})"));
        n += 1;
    }
    made.insert(key, candidate.clone());
    Ok(candidate)
}

struct MboxPrepare(mime::Options);

impl Prepare for MboxPrepare {
    fn prepare(&self, _folder: &Folder, item: Item) -> Result<Prepared> {
        prepared(item, &Form { lf: true, quote: true, state: StateFields::Always, mail: self.0.clone() })
    }
}

impl Sink for MboxSink {
    fn preparer(&self) -> Arc<dyn Prepare> {
        Arc::new(MboxPrepare(self.mail.clone()))
    }

    fn folder(&mut self, folder: &Folder) -> Result<()> {
        self.flush()?;
        self.current.clone_from(&folder.path);
        // Empty folders are kept too, but for the top, which always is there.
        if matches!(self.target, Target::Tree { .. }) && !folder.path.is_empty() {
            self.ready()?;
        }
        Ok(())
    }

    fn item(&mut self, item: Prepared) -> Result<Vec<String>> {
        self.ready()?;
        let mut message = unpack(item)?;
        let sender = if message.sender.is_empty() { "-" } else { &message.sender };
        let when = jiff::Timestamp::from_second(message.time.unwrap_or_default()).unwrap_or_default();
        let line = format!("From {sender} {}\n", when.strftime("%a %b %e %H:%M:%S %Y"));
        self.buffer.extend_from_slice(line.as_bytes());
        let copied = message.copy_to(&mut Spill { sink: self });
        copied.map_err(|e| Error::io("cannot write", &self.path, e))?;
        if self.buffer.last() != Some(&b'\n') {
            self.buffer.push(b'\n');
        }
        self.buffer.push(b'\n');
        if self.buffer.len() > WINDOW {
            self.flush()?;
        }
        Ok(Vec::new())
    }

    fn finish(mut self: Box<Self>) -> Result<Written> {
        self.flush()?;
        let written = Written { path: self.path.clone(), bytes: self.bytes };
        match self.target {
            Target::File { file, .. } => file.commit()?,
            Target::Tree { folder, open, .. } => {
                if let Some((_, file)) = open {
                    file.sync_all().map_err(|e| Error::io("cannot complete", &self.path, e))?;
                }
                folder.commit()?;
            }
        }
        Ok(written)
    }
}

/// Writes into the sink's buffer, which is emptied as it fills; its last byte stays, to know how the text ended.
struct Spill<'a> {
    sink: &'a mut MboxSink,
}

impl Write for Spill<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.sink.buffer.extend_from_slice(bytes);
        if self.sink.buffer.len() > 4 * WINDOW {
            let last = self.sink.buffer.pop();
            self.sink.flush().map_err(std::io::Error::other)?;
            self.sink.buffer.extend(last);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
