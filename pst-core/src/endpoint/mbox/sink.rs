//! Writes an mbox, or a tree of them.

use super::super::eml::{prepared, unpack};
use super::super::text::{Form, Made, NewFolder, StateFields, file_name};
use crate::error::{Error, Kind, Result};
use crate::io::NewFile;
use crate::mapi::Warning;
use crate::mime;
use crate::pipeline::{Folder, Item, Prepare, Prepared, Sink, Written};
use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Bytes that are gathered before they are written; more go straight into the file.
const WINDOW: usize = 256 << 10;

/// Where messages go.
enum Target {
    /// One file for the one folder that has items.
    File { file: NewFile, folder: Option<Vec<String>> },
    /// A tree.
    Tree { folder: NewFolder, tree: Tree, open: Option<(Vec<String>, std::fs::File)> },
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
            let tree = Tree { made: Made::new(&top), top, files: HashMap::new() };
            Target::Tree { folder, tree, open: None }
        };
        Ok(Self { target, path: path.to_path_buf(), current: Vec::new(), buffer: Vec::new(), bytes: 0, mail })
    }

    fn flush(&mut self) -> Result<()> {
        let mut buffer = std::mem::take(&mut self.buffer);
        self.write(&buffer)?;
        buffer.clear();
        self.buffer = buffer;
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        match &mut self.target {
            Target::File { file, .. } => file.append(bytes)?,
            Target::Tree { open: Some((_, file)), .. } => {
                file.write_all(bytes).map_err(|e| Error::io("cannot write", &self.path, e))?;
            }
            Target::Tree { .. } => {}
        }
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    /// Appends bytes to the current folder's file.
    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        if self.buffer.len() + bytes.len() > WINDOW || bytes.len() > WINDOW / 2 {
            self.flush()?;
        }
        if bytes.len() > WINDOW / 2 {
            return self.write(bytes);
        }
        self.buffer.extend_from_slice(bytes);
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
                let Target::Tree { tree, open, .. } = &mut self.target else { return Ok(()) };
                let path = tree.file(&self.current)?;
                let file = std::fs::OpenOptions::new().append(true).create(true).open(&path);
                *open = Some((self.current.clone(), file.map_err(|e| Error::io("cannot create", &path, e))?));
                Ok(())
            }
        }
    }
}

/// The folders and files of a tree.
struct Tree {
    made: Made,
    top: PathBuf,
    files: HashMap<Vec<String>, PathBuf>,
}

impl Tree {
    /// The file of a folder: `A.sbd/B.sbd/C` for A/B/C; the top's own items go to a file named "Top".
    fn file(&mut self, path: &[String]) -> Result<PathBuf> {
        let Some((last, parents)) = path.split_last() else { return Ok(self.top.join("Top")) };
        if let Some(known) = self.files.get(path) {
            return Ok(known.clone());
        }
        let parents: Vec<String> = parents.iter().map(|p| format!("{p}.sbd")).collect();
        let folder = self.made.folder(&parents)?;
        let name = file_name(last);
        // A name that would be read as another, or not at all, says what it is.
        let ending = if super::bare(&name) != name || super::is_other(Path::new(&name)) { ".mbox" } else { "" };
        let file = self.made.free(&folder, &name, ending);
        self.files.insert(path.to_vec(), file.clone());
        Ok(file)
    }
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

    fn item(&mut self, item: Prepared) -> Result<Vec<Warning>> {
        self.ready()?;
        let mut message = unpack(item)?;
        let sender = if message.sender.is_empty() { "-" } else { &message.sender };
        let when = jiff::Timestamp::from_second(message.time.unwrap_or_default()).unwrap_or_default();
        let line = format!("From {sender} {}\n", when.strftime("%a %b %e %H:%M:%S %Y"));
        self.put(line.as_bytes())?;
        let mut last = None;
        if let Some(bytes) = message.data.held() {
            self.put(bytes)?;
            last = bytes.last().copied();
        } else {
            let copied = message.copy_to(&mut Pieces { sink: self, last: &mut last });
            copied.map_err(|e| Error::io("cannot write", &self.path, e))?;
        }
        self.put(if last == Some(b'\n') { b"\n" } else { b"\n\n" })?;
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

/// Writes into the sink piece by piece, and remembers how the text ended.
struct Pieces<'a> {
    sink: &'a mut MboxSink,
    last: &'a mut Option<u8>,
}

impl Write for Pieces<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.sink.put(bytes).map_err(std::io::Error::other)?;
        *self.last = bytes.last().copied().or(*self.last);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Small pieces are gathered and large ones are not, but the order stays.
    #[test]
    fn pieces_of_any_size_keep_their_order() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.mbox");
        let mut sink = MboxSink::create(&path, false, mime::Options::default()).unwrap();
        let mut all = Vec::new();
        for (i, len) in [10, WINDOW / 2, WINDOW / 2 + 1, 10, WINDOW, 3, WINDOW + 1, WINDOW - 3, 4].iter().enumerate() {
            let piece = vec![i as u8; *len];
            sink.put(&piece).unwrap();
            all.extend_from_slice(&piece);
        }
        assert_eq!(Box::new(sink).finish().unwrap().bytes, all.len() as u64);
        assert!(std::fs::read(path).unwrap() == all);
    }
}
