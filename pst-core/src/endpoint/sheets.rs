//! Targets that hold many items in one file: a single one, or one for each folder.

use super::text::{Made, NewFolder, file_name};
use crate::error::{Error, Result};
use crate::io::NewFile;
use crate::pipeline::Written;
use std::collections::HashMap;
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

/// The file or the files of a target.
pub(super) enum Sheets<S> {
    /// One file for all folders.
    One { file: Box<NewFile>, sheet: S, bytes: u64 },
    /// A file for each folder, made when its first item comes.
    Tree(Box<Tree<S>>),
}

/// The files of a tree.
pub(super) struct Tree<S> {
    folder: NewFolder,
    ending: &'static str,
    /// Names the file of the topmost folder.
    top: &'static str,
    current: Vec<String>,
    made: Made,
    files: HashMap<Vec<String>, (PathBuf, S)>,
    open: Option<BufWriter<File>>,
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
        let (made, files) = (Made::new(folder.path()), HashMap::new());
        Ok(Self::Tree(Box::new(Tree { folder, ending, top, current: Vec::new(), made, files, open: None })))
    }

    /// Goes on with a folder.
    pub fn folder(&mut self, path: &[String]) -> Result<()> {
        if let Self::Tree(tree) = self
            && tree.current.as_slice() != path
        {
            flush(&mut tree.open)?;
            path.clone_into(&mut tree.current);
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
            Self::Tree(tree) => {
                let Tree { ending, top, current, made, files, open, .. } = &mut **tree;
                let is_new = !files.contains_key(current);
                if is_new {
                    // Beside the folders below it.
                    let (last, parents) = current.split_last().map_or((*top, &[][..]), |(l, p)| (l.as_str(), p));
                    let dir = made.folder(parents)?;
                    let path = made.free(&dir, &file_name(last), &format!(".{ending}"));
                    File::create_new(&path).map_err(|e| Error::io("cannot create", &path, e))?;
                    files.insert(current.clone(), (path, S::default()));
                }
                let Some((path, sheet)) = files.get_mut(current) else { return Ok(()) };
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
            Self::Tree(tree) => {
                let Tree { folder, files, mut open, .. } = *tree;
                flush(&mut open)?;
                let mut bytes = 0;
                for (path, mut sheet) in files.into_values() {
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
