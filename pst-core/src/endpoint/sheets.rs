//! Targets that hold many items in one file: a single one, or one for each folder.

use super::text::{NewFolder, file_name};
use crate::error::{Error, Result};
use crate::io::NewFile;
use crate::pipeline::Written;
use std::collections::{HashMap, HashSet};
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// What is written into one file.
pub(super) trait Sheet: Default + Send {
    /// What it takes.
    type Item;

    /// Writes what stands before the first item.
    fn begin(&mut self, _out: &mut dyn Write) -> Result<()> {
        Ok(())
    }

    /// Writes an item.
    fn add(&mut self, item: Self::Item, out: &mut dyn Write) -> Result<()>;

    /// Writes what stands after the last item.
    fn end(&mut self, _out: &mut dyn Write) -> Result<()> {
        Ok(())
    }
}

/// Counts what passes into a new file.
struct Into<'a> {
    file: &'a mut NewFile,
    bytes: &'a mut u64,
}

impl Write for Into<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.file.append(bytes).map_err(std::io::Error::other)?;
        *self.bytes += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The files of a tree that were made.
pub(super) struct Made<S> {
    by_folder: HashMap<Vec<String>, (PathBuf, S)>,
    /// Their paths in lower case.
    taken: HashSet<String>,
}

/// The file or the files of a target.
pub(super) enum Sheets<S> {
    /// One file for all folders.
    One { file: Box<NewFile>, sheet: S, bytes: u64 },
    /// A file for each folder, made when its first item comes.
    Tree {
        folder: NewFolder,
        ending: &'static str,
        top: &'static str,
        current: Vec<String>,
        made: Box<Made<S>>,
        open: Option<BufWriter<File>>,
    },
}

impl<S: Sheet> Sheets<S> {
    /// Starts a file if the name has the ending, or else a tree; `top` names the file of the topmost folder.
    pub fn create(path: &Path, overwrite: bool, ending: &'static str, top: &'static str) -> Result<Self> {
        if path.extension().is_some_and(|e| e.eq_ignore_ascii_case(ending)) && !path.is_dir() {
            let mut file = Box::new(NewFile::create(path, overwrite)?);
            let (mut sheet, mut bytes) = (S::default(), 0);
            sheet.begin(&mut Into { file: &mut file, bytes: &mut bytes })?;
            return Ok(Self::One { file, sheet, bytes });
        }
        let folder = NewFolder::create(path, overwrite)?;
        let made = Box::new(Made { by_folder: HashMap::new(), taken: HashSet::new() });
        Ok(Self::Tree { folder, ending, top, current: Vec::new(), made, open: None })
    }

    /// Goes on with a folder.
    pub fn folder(&mut self, path: &[String]) -> Result<()> {
        if let Self::Tree { current, open, .. } = self
            && current.as_slice() != path
        {
            flush(open)?;
            path.clone_into(current);
        }
        Ok(())
    }

    /// Writes an item into the file of the current folder.
    pub fn add(&mut self, item: S::Item) -> Result<()> {
        match self {
            Self::One { file, sheet, bytes } => {
                let mut out = BufWriter::new(Into { file, bytes });
                sheet.add(item, &mut out)?;
                out.flush().map_err(|e| Error::io("cannot write", "the target", e))
            }
            Self::Tree { folder, ending, top, current, made, open } => {
                let is_new = !made.by_folder.contains_key(current);
                if is_new {
                    let path = new_path(folder.path(), current, top, ending, &mut made.taken)?;
                    File::create_new(&path).map_err(|e| Error::io("cannot create", &path, e))?;
                    made.by_folder.insert(current.clone(), (path, S::default()));
                }
                let Some((path, sheet)) = made.by_folder.get_mut(current) else { return Ok(()) };
                if open.is_none() {
                    *open = Some(append(path)?);
                }
                let Some(out) = open else { return Ok(()) };
                if is_new {
                    sheet.begin(out)?;
                }
                sheet.add(item, out)
            }
        }
    }

    /// Ends all files and gives the target its name.
    pub fn finish(self) -> Result<Written> {
        match self {
            Self::One { mut file, mut sheet, mut bytes } => {
                sheet.end(&mut Into { file: &mut file, bytes: &mut bytes })?;
                let path = file.path().to_path_buf();
                file.commit()?;
                Ok(Written { path, bytes })
            }
            Self::Tree { folder, made, mut open, .. } => {
                flush(&mut open)?;
                let mut bytes = 0;
                for (path, mut sheet) in made.by_folder.into_values() {
                    let mut out = Some(append(&path)?);
                    if let Some(out) = &mut out {
                        sheet.end(out)?;
                    }
                    flush(&mut out)?;
                    bytes += std::fs::metadata(&path).map_or(0, |m| m.len());
                }
                let path = folder.target().to_path_buf();
                folder.commit()?;
                Ok(Written { path, bytes })
            }
        }
    }
}

fn append(path: &Path) -> Result<BufWriter<File>> {
    let file = OpenOptions::new().append(true).open(path).map_err(|e| Error::io("cannot open", path, e))?;
    Ok(BufWriter::new(file))
}

fn flush(open: &mut Option<BufWriter<File>>) -> Result<()> {
    open.take().map_or(Ok(()), |mut out| out.flush()).map_err(|e| Error::io("cannot write", "a file of the target", e))
}

/// A file for a folder, beside the folders below it; different folders stay different.
fn new_path(top: &Path, folder: &[String], name: &str, ending: &str, taken: &mut HashSet<String>) -> Result<PathBuf> {
    let (last, parents) = folder.split_last().map_or((name, &[][..]), |(l, p)| (l.as_str(), p));
    let mut dir = top.to_path_buf();
    for parent in parents {
        dir.push(file_name(parent));
    }
    std::fs::create_dir_all(&dir).map_err(|e| Error::io("cannot create", &dir, e))?;
    let base = file_name(last);
    let mut path = dir.join(format!("{base}.{ending}"));
    let mut n = 2;
    while !taken.insert(path.to_string_lossy().to_lowercase()) {
        path = dir.join(format!("{base} ({n}).{ending}"));
        n += 1;
    }
    Ok(path)
}
