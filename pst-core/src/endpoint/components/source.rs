//! Calendars and address books as a source: one file, or a tree of them.

use super::{Collections, Format, Shelf, again};
use crate::error::{Error, Kind, Result};
use crate::pipeline::{Folder, Item, ItemRef, Role, Source};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The items of each place and kind: the numbers of their files and their own.
type Shelves = BTreeMap<(Vec<String>, Shelf), Vec<(usize, usize)>>;

/// A folder of the source, and its items.
type Shelved = (Folder, Vec<(usize, usize)>);

/// One file of components, or a tree of such files.
pub struct ComponentSource {
    top: PathBuf,
    files: Collections,
    /// Files that hold nothing.
    empty: Vec<Error>,
    folders: Vec<Shelved>,
}

impl ComponentSource {
    /// Opens a file, or all files of a format in a tree. Links are not followed.
    ///
    /// # Errors
    /// When a file or folder cannot be read, or nothing of that format is there.
    pub fn open(path: &Path, format: Format) -> Result<Self> {
        let what = match format {
            Format::Calendar => "no iCalendar file (.ics) is in this folder",
            Format::Contacts => "no vCard file (.vcf) is in this folder",
        };
        Self::of(path, &[format], what)
    }

    /// Opens all calendars and vCards of a tree.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_all(path: &Path) -> Result<Self> {
        let what = "no iCalendar file (.ics) and no vCard file (.vcf) is in this folder";
        Self::of(path, &[Format::Calendar, Format::Contacts], what)
    }

    fn of(path: &Path, formats: &[Format], nothing: &str) -> Result<Self> {
        let mut source =
            Self { top: path.to_path_buf(), files: Collections::default(), empty: Vec::new(), folders: Vec::new() };
        let mut shelves: Shelves = BTreeMap::new();
        for (folder, file, format) in files(path, formats)? {
            match source.files.add(&file, format) {
                Ok((number, items)) => {
                    for (i, shelf) in items.into_iter().enumerate() {
                        shelves.entry((folder.clone(), shelf)).or_default().push((number, i));
                    }
                }
                // One file alone that holds nothing is a mistake; one of many is reported as an item that failed.
                Err(e) if path.is_file() => return Err(e),
                Err(e) => source.empty.push(e),
            }
        }
        if shelves.is_empty() && source.empty.is_empty() {
            return Err(Error::new(Kind::NotThisKind, nothing).in_file(path));
        }
        source.folders = folders(shelves);
        if source.folders.is_empty() {
            source.folders.push((Folder::default(), Vec::new()));
        }
        Ok(source)
    }
}

/// The files of some formats below a path, each with the names of the folders it is in.
fn files(path: &Path, formats: &[Format]) -> Result<Vec<(Vec<String>, PathBuf, Format)>> {
    if path.is_file() {
        return Ok(formats.iter().take(1).map(|format| (Vec::new(), path.to_path_buf(), *format)).collect());
    }
    let mut out = Vec::new();
    for entry in walkdir::WalkDir::new(path).sort_by_file_name() {
        let entry = entry.map_err(|e| {
            let at = e.path().unwrap_or(path).to_path_buf();
            Error::io("cannot list", at, e.into_io_error().unwrap_or_else(|| std::io::Error::other("the tree loops")))
        })?;
        let format = formats.iter().find(|f| entry.file_type().is_file() && is_of(entry.path(), **f));
        if let Some(format) = format {
            let below = entry.path().strip_prefix(path).unwrap_or(entry.path());
            let names =
                below.parent().map(|p| p.components().map(|c| c.as_os_str().to_string_lossy().into_owned()).collect());
            out.push((names.unwrap_or_default(), entry.into_path(), *format));
        }
    }
    Ok(out)
}

/// True for a file of a format, by its name, or by its content if its name says nothing.
fn is_of(path: &Path, format: Format) -> bool {
    match Format::of_name(path) {
        Some(named) => named == format,
        None => path.extension().is_none() && head(path).is_some_and(|h| Format::of_content(&h) == Some(format)),
    }
}

/// The first bytes of a file.
fn head(path: &Path) -> Option<Vec<u8>> {
    let mut head = Vec::new();
    let file = crate::io::open_file(path).ok()?;
    std::io::Read::read_to_end(&mut std::io::Read::take(file, 256), &mut head).ok()?;
    Some(head)
}

/// A folder for each place and kind: the place itself, if all that is there is of one kind.
fn folders(shelves: Shelves) -> Vec<Shelved> {
    let mut kinds: BTreeMap<Vec<String>, usize> = BTreeMap::new();
    for (path, _) in shelves.keys() {
        *kinds.entry(path.clone()).or_default() += 1;
    }
    let mut out: Vec<Shelved> = Vec::new();
    for ((path, shelf), items) in shelves {
        let (name, role, class) = shelf.folder();
        let itself = !path.is_empty() && kinds.get(&path) == Some(&1);
        let mut full = path;
        if !itself {
            full.push(name.to_owned());
        }
        let named = full.len() == 1 && full.first().is_some_and(|n| Role::of_name(n) == role);
        let folder = Folder {
            path: full,
            role: if named { role } else { Role::None },
            class: Some(class.to_owned()),
            key: out.len() as u64,
            count: Some(items.len() as u64),
            ..Folder::default()
        };
        out.push((folder, items));
    }
    out
}

impl Source for ComponentSource {
    fn folders(&self) -> Result<Vec<Folder>> {
        Ok(self.folders.iter().map(|(folder, _)| folder.clone()).collect())
    }

    fn items<'a>(&'a self, folder: &'a Folder) -> Result<Box<dyn Iterator<Item = Result<ItemRef>> + Send + 'a>> {
        let items = self.folders.get(folder.key as usize).map_or(&[][..], |(_, items)| items);
        // What holds nothing is told of in the first folder.
        let empty = self.empty.iter().filter(|_| folder.key == 0).map(|e| Err(again(e)));
        let items = items.iter().filter_map(|(file, index)| self.files.reference(*file, *index, &self.top).map(Ok));
        Ok(Box::new(empty.chain(items)))
    }

    fn load(&self, _folder: &Folder, item: &ItemRef) -> Result<Item> {
        self.files.load(item)
    }

    fn title(&self) -> String {
        let name = if self.top.is_dir() { self.top.file_name() } else { self.top.file_stem() };
        name.map_or_else(|| "Mail".to_owned(), |n| n.to_string_lossy().into_owned())
    }
}
