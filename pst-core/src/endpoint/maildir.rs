//! Maildir and Maildir++: folders as `.A.B` beside the inbox, flags in file names, names in modified UTF-7.

use super::eml::{modified, prepared, read_mime, unpack};
use super::text::{self, Form, Made, NewFolder};
use super::utf7;
use crate::endpoint::cannot_list;
use crate::error::{Error, Kind, Result};
use crate::mapi::{Code, Warning};
use crate::mime;
use crate::pipeline::{Body, Flags, Folder, Item, ItemRef, Prepare, Prepared, Role, Sink, Source, Written};
use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// A Maildir with its folders.
pub struct MaildirSource {
    top: PathBuf,
    folders: Vec<(Vec<String>, PathBuf, Vec<String>)>,
}

/// True for a folder that is a Maildir.
pub fn is_maildir(path: &Path) -> bool {
    path.join("cur").is_dir() || path.join("new").is_dir()
}

/// True for the folder of a Maildir that its messages are in.
pub(super) fn is_part(path: &Path) -> bool {
    let named = path.file_name().is_some_and(|n| n == "cur" || n == "new" || n == "tmp");
    named && path.parent().is_some_and(is_maildir)
}

impl MaildirSource {
    /// Lists a Maildir: Maildir++ folders (`.A.B`) and nested ones (`A/B`).
    ///
    /// # Errors
    /// When it cannot be listed, or holds no Maildir.
    pub fn open(path: &Path) -> Result<Self> {
        // Two folders on disk may stand for one of the mailbox: `.A` and `A`, or `.A.`.
        let mut found: BTreeSet<(Vec<String>, PathBuf)> = BTreeSet::new();
        for entry in walkdir::WalkDir::new(path).sort_by_file_name() {
            let entry = entry.map_err(|e| cannot_list(e, path))?;
            if !entry.file_type().is_dir() || !is_maildir(entry.path()) {
                continue;
            }
            let below = entry.path().strip_prefix(path).unwrap_or(entry.path());
            let mut names = Vec::new();
            for part in below.components() {
                let part = part.as_os_str().to_string_lossy().into_owned();
                match part.strip_prefix('.') {
                    Some(dotted) => names.extend(dotted.split('.').filter(|n| !n.is_empty()).map(utf7::decode)),
                    None => names.push(utf7::decode(&part)),
                }
            }
            if names.is_empty() {
                names.push("Inbox".to_owned());
            }
            found.insert((names, entry.path().to_path_buf()));
        }
        if found.is_empty() {
            return Err(
                Error::new(Kind::NotThisKind, "no Maildir is here: no folder has \"cur\" or \"new\"").in_file(path)
            );
        }
        let mut folders: Vec<(Vec<String>, PathBuf, Vec<String>)> = Vec::new();
        for (names, at) in found {
            let words = std::fs::read_to_string(at.join("dovecot-keywords")).unwrap_or_default();
            let keywords = words.lines().filter_map(|l| l.split_once(' ').map(|(_, w)| w.to_owned())).collect();
            folders.push((names, at, keywords));
        }
        Ok(Self { top: path.to_path_buf(), folders })
    }
}

impl Source for MaildirSource {
    fn folders(&self) -> Result<Vec<Folder>> {
        let folder = |(i, (path, at, _)): (usize, &(Vec<String>, PathBuf, Vec<String>))| Folder {
            path: path.clone(),
            role: match path.as_slice() {
                [_] if *at == self.top => Role::Inbox,
                [name] => Role::of_name(name),
                _ => Role::None,
            },
            key: i as u64,
            ..Folder::default()
        };
        Ok(self.folders.iter().enumerate().map(folder).collect())
    }

    fn items<'a>(&'a self, folder: &'a Folder) -> Result<Box<dyn Iterator<Item = Result<ItemRef>> + Send + 'a>> {
        let Some((_, at, _)) = self.folders.get(folder.key as usize) else { return Ok(Box::new(std::iter::empty())) };
        let mut files = Vec::new();
        for part in ["cur", "new"] {
            let dir = at.join(part);
            let Ok(entries) = std::fs::read_dir(&dir) else { continue };
            for entry in entries {
                let entry = entry.map_err(|e| Error::io("cannot list", &dir, e))?;
                let name = entry.file_name().to_string_lossy().into_owned();
                if !name.starts_with('.') && entry.file_type().is_ok_and(|t| t.is_file()) {
                    files.push((name, part, entry.path()));
                }
            }
        }
        files.sort();
        Ok(Box::new(files.into_iter().map(|(name, part, path)| {
            let size = std::fs::metadata(&path).map_or(0, |m| m.len());
            Ok(ItemRef { id: format!("{part}/{name}"), size, path: Some(path), ..ItemRef::default() })
        })))
    }

    fn lasting(&self, item: &ItemRef) -> Vec<u8> {
        lasting_name(item)
    }

    fn load(&self, folder: &Folder, item: &ItemRef) -> Result<Item> {
        let path = item.path.as_deref().unwrap_or(&self.top);
        let mut warnings = Vec::new();
        let mut mime = read_mime(path, &mut warnings)?;
        let keywords = self.folders.get(folder.key as usize).map_or(&[][..], |(_, _, k)| k);
        mime.flags = flags_of(&item.id, keywords);
        mime.received = [delivered(&item.id), modified(path)].into_iter().flatten().min();
        Ok(Item { id: item.id.clone(), body: Body::Mime(mime), associated: false, warnings })
    }

    fn title(&self) -> String {
        self.top.file_name().map_or_else(|| "Mail".to_owned(), |n| n.to_string_lossy().into_owned())
    }
}

/// When a file was delivered, as a name such as `cur/1700000000.host:2,S` tells, seconds since 1970 UTC. A file that was
/// copied is younger than its message.
fn delivered(id: &str) -> Option<i64> {
    let (_, name) = id.split_once('/')?;
    let seconds = name.split(['.', '_']).next()?;
    let is_time = matches!(seconds.len(), 9 | 10) && seconds.bytes().all(|b| b.is_ascii_digit());
    seconds.parse().ok().filter(|s| is_time && *s > 0)
}

/// Flags from a name such as `cur/1234.host:2,FS`.
fn flags_of(id: &str, keywords: &[String]) -> Flags {
    let mut flags = Flags { seen: Some(false), ..Flags::default() };
    if let Some((_, letters)) = id.rsplit_once("2,") {
        for letter in letters.chars() {
            match letter {
                'S' => flags.seen = Some(true),
                'R' => flags.answered = true,
                'P' => flags.forwarded = true,
                'F' => flags.flagged = true,
                'D' => flags.draft = true,
                'T' => flags.deleted = true,
                'a'..='z' => flags.keywords.extend(keywords.get(letter as usize - 'a' as usize).cloned()),
                _ => {}
            }
        }
    }
    flags
}

fn letters(flags: &Flags) -> String {
    [
        (flags.draft, 'D'),
        (flags.flagged, 'F'),
        (flags.forwarded, 'P'),
        (flags.answered, 'R'),
        (flags.seen != Some(false), 'S'),
        (flags.deleted, 'T'),
    ]
    .iter()
    .filter_map(|(set, letter)| set.then_some(*letter))
    .collect()
}

/// Writes a Maildir++.
pub struct MaildirSink {
    folder: NewFolder,
    made: HashMap<Vec<String>, PathBuf>,
    names: Made,
    inbox: Option<Vec<String>>,
    current: PathBuf,
    number: u64,
    bytes: u64,
    mail: mime::Options,
    /// What is to be said of the current folder.
    notes: Vec<Warning>,
}

impl MaildirSink {
    /// Starts a tree.
    ///
    /// # Errors
    /// As [`NewFolder::create`].
    pub fn create(path: &Path, overwrite: bool, mail: mime::Options) -> Result<Self> {
        let folder = NewFolder::create(path, overwrite)?;
        let top = folder.path().to_path_buf();
        let new = Self {
            current: top.clone(),
            folder,
            made: HashMap::new(),
            names: Made::new(&top),
            inbox: None,
            number: 0,
            bytes: 0,
            mail,
            notes: Vec::new(),
        };
        make(&top)?;
        Ok(new)
    }
}

/// The name of a message without its state, and wherever it is: in "new" or in "cur".
pub(super) fn lasting_name(item: &ItemRef) -> Vec<u8> {
    let name = item.id.rsplit('/').next().unwrap_or_default();
    name.split(":2,").next().unwrap_or_default().as_bytes().to_vec()
}

/// True for a file that a Maildir consists of: messages, and what servers note beside them.
pub(super) fn is_own(path: &Path) -> bool {
    let inside = path.parent().and_then(Path::file_name).is_some_and(|n| n == "cur" || n == "new" || n == "tmp");
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    inside || name == "maildirfolder" || name == "subscriptions" || name.starts_with("dovecot")
}

fn make(at: &Path) -> Result<()> {
    for part in ["", "cur", "new", "tmp"] {
        let dir = at.join(part);
        if !dir.is_dir() {
            std::fs::create_dir(&dir).map_err(|e| Error::io("cannot create", &dir, e))?;
        }
    }
    Ok(())
}

struct MaildirPrepare(mime::Options);

impl Prepare for MaildirPrepare {
    fn prepare(&self, _folder: &Folder, item: Item) -> Result<Prepared> {
        prepared(item, &Form { lf: true, mail: self.0.clone(), ..Form::default() })
    }
}

impl Sink for MaildirSink {
    fn preparer(&self) -> Arc<dyn Prepare> {
        Arc::new(MaildirPrepare(self.mail.clone()))
    }

    fn folder(&mut self, folder: &Folder) -> Result<()> {
        if folder.role == Role::Inbox && self.inbox.is_none() {
            self.inbox = Some(folder.path.clone());
        }
        let top = self.folder.path().to_path_buf();
        if folder.path.is_empty() || self.inbox.as_ref() == Some(&folder.path) {
            self.current = top;
            return Ok(());
        }
        if let Some(known) = self.made.get(&folder.path) {
            self.current.clone_from(known);
            return Ok(());
        }
        let name = dotted(&folder.path);
        if name.len() > LONGEST {
            self.notes.push(Code::Name.with(format!(
                "the name of the folder {} is too long for a Maildir and was cut",
                folder.path.join("/")
            )));
        }
        let name = if name.len() > LONGEST { shortened(&folder.path) } else { name };
        let at = self.names.free(&top, &name, "");
        make(&at)?;
        let marker = at.join("maildirfolder");
        std::fs::write(&marker, b"").map_err(|e| Error::io("cannot create", &marker, e))?;
        self.made.insert(folder.path.clone(), at.clone());
        self.current = at;
        Ok(())
    }

    fn item(&mut self, item: Prepared) -> Result<Vec<Warning>> {
        let mut message = unpack(item)?;
        self.number += 1;
        let seconds = message.time.unwrap_or_default();
        // Fixed widths, so that the order of names is the order of items.
        let name = format!("{:010}.{:08}.pst:2,{}", seconds.max(0), self.number, letters(&message.flags));
        let path = self.current.join("cur").join(name);
        self.bytes += text::write_file(&path, &mut message)?;
        if let (Ok(seconds), Ok(file)) = (u64::try_from(seconds), std::fs::File::options().write(true).open(&path)) {
            let _ = file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
        }
        Ok(std::mem::take(&mut self.notes))
    }

    fn finish(self: Box<Self>) -> Result<Written> {
        let path = self.folder.target().to_path_buf();
        self.folder.commit()?;
        Ok(Written { path, bytes: self.bytes })
    }
}

/// A name in a file system is not longer than 255 bytes; a number may follow.
const LONGEST: usize = 240;

/// The name of a folder: `.A.B` for A/B.
fn dotted(path: &[String]) -> String {
    let parts: Vec<String> = path.iter().map(|n| utf7::encode(&n.replace(['.', '/', '\\'], "_"))).collect();
    format!(".{}", parts.join("."))
}

/// As [`dotted`], with the names cut so that it fits; of the deepest folders only the last names are left.
fn shortened(path: &[String]) -> String {
    for letters in (1..100).rev() {
        let cut: Vec<String> = path.iter().map(|n| n.chars().take(letters).collect()).collect();
        let name = dotted(&cut);
        if name.len() <= LONGEST {
            return name;
        }
    }
    let last = path.get(path.len().saturating_sub(8)..).unwrap_or_default();
    let cut: Vec<String> = last.iter().map(|n| n.chars().take(4).collect()).collect();
    dotted(&cut)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_too_long() {
        for path in
            [vec!["x".repeat(300)], vec!["台北台北台北台北台北台北台北".to_owned(); 9], vec!["ab".to_owned(); 500]]
        {
            let name = shortened(&path);
            assert!((20..=LONGEST).contains(&name.len()), "{name}");
        }
    }

    #[test]
    fn a_copy_keeps_its_date() {
        let folder = tempfile::tempdir().unwrap();
        let cur = folder.path().join("cur");
        std::fs::create_dir(&cur).unwrap();
        let changed = 1_600_000_000;
        for name in [
            "1500000000.1.host:2,S",
            "999999999.a",
            "1500000001_0.7.host",
            "1700000000.2.host",
            "name.3",
            "0000000000.4",
        ] {
            let path = cur.join(name);
            std::fs::write(&path, b"Subject: x\n\n").unwrap();
            let file = std::fs::File::options().write(true).open(&path).unwrap();
            file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(changed)).unwrap();
        }
        let source = MaildirSource::open(folder.path()).unwrap();
        let inbox = source.folders().unwrap().remove(0);
        let mut found = Vec::new();
        for item in source.items(&inbox).unwrap() {
            let Body::Mime(mime) = source.load(&inbox, &item.unwrap()).unwrap().body else { panic!("no mail") };
            found.push(mime.received.unwrap());
        }
        assert_eq!(found, [1_600_000_000, 1_500_000_000, 1_500_000_001, 1_600_000_000, 999_999_999, 1_600_000_000]);
    }
}
