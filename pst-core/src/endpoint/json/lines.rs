//! The lines of a file: what each is, and where the items stand.

use super::read::{self, Line};
use super::slim::slim;
use super::{FORMAT, MESSAGE, VERSION};
use crate::error::{Error, Kind, Result};
use crate::io::Input;
use crate::mapi::{NamedProp, PropBag};
use crate::pipeline::Folder;
use std::collections::HashMap;
use std::sync::Arc;

/// Bytes read at once.
const WINDOW: usize = 1 << 20;
/// Folders of a file, and bad lines that are told one by one.
const MOST_FOLDERS: usize = 200_000;
const MOST_ERRORS: u64 = 10_000;
/// How much of a line is looked at for the head of an item.
const HEAD: usize = 64 << 10;

/// What some programs put before a text in UTF-8.
const MARK: &[u8; 3] = b"\xEF\xBB\xBF";

/// Where the line of an item stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    /// Offset in the file, bytes.
    pub at: u64,
    /// Bytes, without the line end.
    pub len: u64,
    /// The number of the line, from 1.
    pub line: u64,
    /// True for folder-associated items.
    pub associated: bool,
}

/// A store that a file tells of.
pub(super) struct Store {
    pub title: String,
    pub props: PropBag,
}

/// A folder and what it holds, in order.
#[derive(Default)]
pub(super) struct Listed {
    pub folder: Folder,
    pub entries: Vec<Entry>,
    /// Lines that could not be read.
    pub errors: Vec<(u64, String)>,
}

/// What a file holds.
#[derive(Default)]
pub(super) struct Index {
    pub names: Vec<NamedProp>,
    pub stores: Vec<Store>,
    pub folders: Vec<Listed>,
    by_path: HashMap<Vec<String>, usize>,
    last: Option<usize>,
    /// Lines of folders and of items.
    told: (u64, u64),
    errors: u64,
    started: bool,
    ended: bool,
}

impl Index {
    /// Goes through a file once.
    ///
    /// # Errors
    /// When the file cannot be read, or its first line is not the header of a version that is known.
    pub fn read(input: &Arc<Input>) -> Result<Self> {
        let mut index = Self::default();
        let (mut window, mut head, mut line) = (Vec::new(), Vec::new(), 0);
        let mut at = if starts_with_mark(input)? { MARK.len() as u64 } else { 0 };
        let mut start = at;
        while at < input.len() {
            let take = (input.len() - at).min(WINDOW as u64) as usize;
            let mut rest = input.read(at, take, &mut window)?;
            while !rest.is_empty() {
                let end = memchr::memchr(b'\n', rest);
                let (part, after) = rest.split_at_checked(end.unwrap_or(rest.len())).unwrap_or((rest, &[]));
                head.extend_from_slice(part.get(..(HEAD - head.len()).min(part.len())).unwrap_or_default());
                at += part.len() as u64;
                if end.is_some() || at == input.len() {
                    line += 1;
                    let entry = Entry { at: start, len: at - start, line, associated: false };
                    index.line(input, &head, entry)?;
                    head.clear();
                }
                if end.is_some() {
                    at += 1;
                    start = at;
                }
                rest = after.get(1..).unwrap_or_default();
            }
        }
        index.complete()?;
        Ok(index)
    }

    fn line(&mut self, input: &Arc<Input>, head: &[u8], entry: Entry) -> Result<()> {
        if entry.len == 0 || (entry.len as usize == head.len() && head.trim_ascii().is_empty()) {
            return Ok(());
        }
        let parsed = match quick(head) {
            Some(line) => Ok(line),
            None => slim(input, entry.at, entry.len).and_then(|slim| read::line(&slim)),
        };
        match parsed {
            Ok(line) => self.take(line, entry),
            Err(e) if !self.started => {
                let text = format!("this is no file of JSON lines that pst wrote: line {}: {e}", entry.line);
                Err(Error::new(Kind::NotThisKind, text).in_file(input.path()))
            }
            Err(e) => {
                self.fail(entry.line, &e.to_string());
                Ok(())
            }
        }
    }

    fn take(&mut self, line: Line, mut entry: Entry) -> Result<()> {
        if !self.started {
            let Line::Header { format, version } = line else {
                return Err(Error::new(Kind::NotThisKind, "the first line is not the header of a file of JSON lines"));
            };
            if format != FORMAT {
                let text = format!("the first line names the format {format:?}, not {FORMAT:?}");
                return Err(Error::new(Kind::NotThisKind, text));
            }
            if version > VERSION {
                let text = format!("this file has version {version}; {VERSION} is the newest that is known");
                return Err(Error::new(Kind::Unsupported, text));
            }
            self.started = true;
            return Ok(());
        }
        if self.folders.len() > MOST_FOLDERS {
            return Err(Error::new(Kind::Limit, format!("the file tells of more than {MOST_FOLDERS} folders")));
        }
        match line {
            Line::Names(names) => self.names.extend(names),
            Line::Store(store) => self.stores.push(store),
            Line::Folder(folder) => {
                self.told.0 += 1;
                self.last = Some(self.folders.len());
                self.by_path.insert(folder.path.clone(), self.folders.len());
                self.folders.push(Listed { folder, ..Listed::default() });
            }
            Line::Item { path, associated } => {
                self.told.1 += 1;
                entry.associated = associated;
                let at = self.place(path);
                self.last = Some(at);
                if let Some(listed) = self.folders.get_mut(at) {
                    listed.entries.push(entry);
                }
            }
            Line::End { folders, items } => {
                self.ended = true;
                for (what, told, found) in [("folders", folders, self.told.0), ("items", items, self.told.1)] {
                    if let Some(told) = told.filter(|told| *told != found) {
                        self.fail(entry.line, &format!("the last line tells of {told} {what}, but there are {found}"));
                    }
                }
            }
            Line::Header { .. } => self.fail(entry.line, "a second header"),
            Line::Other(kind) => self.fail(entry.line, &format!("the type {kind:?} of this line is not known")),
        }
        Ok(())
    }

    /// The folder of a path: the last one that a line tells of, or one that only its items tell of.
    fn place(&mut self, path: Vec<String>) -> usize {
        if let Some(at) = self.by_path.get(&path) {
            return *at;
        }
        let at = self.folders.len();
        self.by_path.insert(path.clone(), at);
        self.folders.push(Listed { folder: Folder { path, ..Folder::default() }, ..Listed::default() });
        at
    }

    fn fail(&mut self, line: u64, text: &str) {
        self.errors += 1;
        if self.errors <= MOST_ERRORS {
            self.list(line, text);
        }
    }

    fn list(&mut self, line: u64, text: &str) {
        let at = self.last.unwrap_or_else(|| self.place(Vec::new()));
        if let Some(listed) = self.folders.get_mut(at) {
            listed.errors.push((line, text.to_owned()));
        }
    }

    fn complete(&mut self) -> Result<()> {
        if !self.started {
            return Err(Error::new(Kind::NotThisKind, "the file has no header line"));
        }
        if self.errors > MOST_ERRORS {
            self.list(0, &format!("{} more lines cannot be read", self.errors - MOST_ERRORS));
        }
        if !self.ended {
            self.list(0, "the file ends without its last line: it is not whole");
        }
        for (i, listed) in self.folders.iter_mut().enumerate() {
            listed.folder.key = i as u64;
            listed.folder.count = Some(listed.entries.len() as u64);
        }
        self.by_path = HashMap::new();
        Ok(())
    }
}

fn starts_with_mark(input: &Input) -> Result<bool> {
    let mut start = [0; MARK.len()];
    Ok(input.len() >= MARK.len() as u64 && input.read_into(0, &mut start).map(|()| start == *MARK)?)
}

/// An item's line as this program writes it: what stands before its message is enough. In a string, the quotes of the
/// mark would be escaped.
fn quick(head: &[u8]) -> Option<Line> {
    let rest = head.strip_prefix(b"{\"type\":\"item\",")?;
    let end = memchr::memmem::find(rest, MESSAGE.as_bytes())?;
    let object = [b"{", rest.get(..end)?, b"}"].concat();
    read::item_head(&serde_json::from_slice(&object).ok()?).ok()
}
