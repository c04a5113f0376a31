//! mbox files and trees of them: mboxrd and mboxo are read, mboxrd is written, folders nest as Thunderbird's `.sbd`.
//!
//! One `>` is taken from every line of a message that begins with `>From ` (any number of `>`), as mboxrd has it.

mod messages;
mod sink;

pub use sink::MboxSink;

use super::{text, utf7};
use crate::endpoint::cannot_list;
use crate::error::{Error, Kind, Result};
use crate::io::Input;
use crate::mime::{date, large};
use crate::pipeline::{Body, Folder, Item, ItemRef, Mime, Role, Source};
use messages::Messages;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// A separator line is not longer.
const SEPARATOR: usize = 4096;

/// Words at the end of a separator line that may be its date, or stand behind it.
const DATE: usize = 16;

/// What some editors put before a text.
const BOM: &[u8] = b"\xEF\xBB\xBF";

/// Files that are held open: those that are listed and those that are still being loaded.
const OPEN: usize = 16;

/// One mbox, or a tree of them.
pub struct MboxSource {
    title: String,
    folders: Vec<(Vec<String>, Option<PathBuf>)>,
    /// The files used last, by their position in `folders`. A tree may have more files than a process may open.
    open: Mutex<Vec<(u64, Arc<Input>)>>,
}

impl MboxSource {
    /// Opens a file, or all mboxes of a tree.
    ///
    /// # Errors
    /// When a file or folder cannot be read, or nothing in it is an mbox.
    pub fn open(path: &Path) -> Result<Self> {
        let title = path.file_stem().map_or_else(|| "Mail".to_owned(), |n| n.to_string_lossy().into_owned());
        if path.is_file() {
            Input::open(path)?;
            return Ok(Self::of(title, vec![(Vec::new(), Some(path.to_path_buf()))]));
        }
        let mut folders: Vec<(Vec<String>, Option<PathBuf>)> = vec![(Vec::new(), None)];
        for entry in walkdir::WalkDir::new(path).sort_by_file_name() {
            let entry = entry.map_err(|e| cannot_list(e, path))?;
            if !entry.file_type().is_file() || !is_mbox(entry.path()) {
                continue;
            }
            let below = entry.path().strip_prefix(path).unwrap_or(entry.path());
            // Thunderbird names folders of IMAP accounts in modified UTF-7.
            let named = |c: std::path::Component<'_>| utf7::decode(&bare(&c.as_os_str().to_string_lossy()));
            let names: Vec<String> = below.components().map(named).collect();
            for depth in 1..names.len() {
                let parent = names.get(..depth).unwrap_or_default();
                if !folders.iter().any(|(p, _)| p == parent) {
                    folders.push((parent.to_vec(), None));
                }
            }
            let file = Some(entry.into_path());
            match folders.iter_mut().find(|(p, f)| *p == names && f.is_none()) {
                Some(slot) => slot.1 = file,
                None => folders.push((names, file)),
            }
        }
        if folders.iter().all(|(_, file)| file.is_none()) {
            return Err(Error::new(Kind::NotThisKind, "no mbox file is in this folder").in_file(path));
        }
        folders.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(Self::of(title, folders))
    }

    fn of(title: String, folders: Vec<(Vec<String>, Option<PathBuf>)>) -> Self {
        Self { title, folders, open: Mutex::default() }
    }

    /// The file of a folder, if it has one.
    fn input(&self, folder: &Folder) -> Result<Option<Arc<Input>>> {
        let Some((_, Some(path))) = self.folders.get(folder.key as usize) else { return Ok(None) };
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, input)) = open.iter().find(|(key, _)| *key == folder.key) {
            return Ok(Some(Arc::clone(input)));
        }
        let input = Arc::new(Input::open(path)?);
        if open.len() == OPEN {
            open.remove(0);
        }
        open.push((folder.key, Arc::clone(&input)));
        Ok(Some(input))
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

/// True for a name of something else than an mbox: a mail, or an index that Thunderbird keeps beside an mbox.
fn is_other(path: &Path) -> bool {
    path.extension().is_some_and(|e| e.eq_ignore_ascii_case("eml") || e.eq_ignore_ascii_case("msf"))
}

/// True for a file that begins as an mbox does. An empty file is one if its name says so, or has no ending; one that may
/// not be read is, so that it is told.
pub fn is_mbox(path: &Path) -> bool {
    if is_other(path) {
        return false;
    }
    let input = match Input::open(path) {
        Ok(input) => input,
        Err(e) => return e.io_kind() == Some(std::io::ErrorKind::PermissionDenied),
    };
    if input.is_empty() {
        let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase());
        return matches!(ending.as_deref(), None | Some("mbox" | "mbx"));
    }
    let mut head = vec![0; input.len().min(SEPARATOR as u64) as usize];
    input.read_into(0, &mut head).is_ok()
        && messages::begins(head.strip_prefix(BOM).unwrap_or(&head).trim_ascii_start())
}

impl Source for MboxSource {
    fn folders(&self) -> Result<Vec<Folder>> {
        let folder = |(i, (path, file)): (usize, &(Vec<String>, Option<PathBuf>))| Folder {
            path: path.clone(),
            role: match path.as_slice() {
                [] if file.is_some() => Role::of_name(&self.title),
                [name] => Role::of_name(name),
                _ => Role::None,
            },
            key: i as u64,
            ..Folder::default()
        };
        Ok(self.folders.iter().enumerate().map(folder).collect())
    }

    fn items<'a>(&'a self, folder: &'a Folder) -> Result<Box<dyn Iterator<Item = Result<ItemRef>> + Send + 'a>> {
        Ok(match self.input(folder)? {
            Some(input) => Box::new(Messages::new(input)),
            None => Box::new(std::iter::empty()),
        })
    }

    fn load(&self, folder: &Folder, item: &ItemRef) -> Result<Item> {
        let Some(input) = self.input(folder)? else {
            return Err(Error::new(Kind::NotFound, "the folder has no file"));
        };
        let mut mime = Mime::default();
        let separator = separator(&input, item)?;
        mime.received = separator_date(&String::from_utf8_lossy(&separator));
        let (at, size) = (item.key + separator.len() as u64, item.size - separator.len() as u64);
        if item.size <= large::HELD {
            mime.bytes = vec![0; size as usize];
            input.read_into(at, &mut mime.bytes)?;
        } else {
            (mime.bytes, mime.large) = large::slim(&input, at, size)?;
        }
        if memchr::memchr(b'\n', &mime.bytes).is_none() {
            mime.bytes.iter_mut().filter(|b| **b == b'\r').for_each(|b| *b = b'\n');
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

/// The separator line of a message; empty if it has none.
fn separator(input: &Input, item: &ItemRef) -> Result<Vec<u8>> {
    let mut take = item.size.min(SEPARATOR as u64);
    loop {
        let mut head = vec![0; take as usize];
        input.read_into(item.key, &mut head)?;
        let end = memchr::memchr2(b'\n', b'\r', &head);
        // CR ends a line where no LF follows, as on old Macs.
        let end = end.map(|i| if head.get(i..).is_some_and(|l| l.starts_with(b"\r\n")) { i + 1 } else { i });
        if !head.starts_with(b"From ") {
            return Ok(Vec::new());
        }
        if end.is_some() || take == item.size {
            head.truncate(end.map_or(head.len(), |i| i + 1));
            return Ok(head);
        }
        take = (2 * take).min(item.size);
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

/// The date at the end of a separator line, taken as UTC: "From a@b Sat Jan  3 01:05:34 1996". Archives that do not
/// know it write the beginning of 1970, and git writes a hash and one day of 2001.
fn separator_date(line: &str) -> Option<i64> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let hash = words.get(1).is_some_and(|w| w.len() == 40 && w.bytes().all(|b| b.is_ascii_hexdigit()));
    let date = (words.len().saturating_sub(DATE).max(1)..words.len())
        .find_map(|i| words.get(i..).and_then(|w| date::parse(&w.join(" "))));
    date.filter(|at| *at != 0 && !hash)
}

#[cfg(test)]
mod tests {
    use super::separator_date;

    #[test]
    fn dates_of_separators() {
        assert_eq!(separator_date("From a@b Sat Jan  3 01:05:34 1996\n"), Some(820_631_134));
        assert_eq!(separator_date("From mboxrd@z Thu Jan  1 00:00:00 1970\n"), None);
        assert_eq!(separator_date("From 1da177e4c3f41524e886b7f1b8a0c1fc7321cac2 Mon Sep 17 00:00:00 2001\n"), None);
        assert_eq!(separator_date("From a@b\n"), None);
    }
}
