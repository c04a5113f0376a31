//! Writes an mbox, or a tree of them.

use super::super::eml::{make_folder, prepared, unpack};
use super::super::text::{Form, NewFolder, StateFields, file_name};
use crate::error::{Error, Kind, Result};
use crate::io::NewFile;
use crate::pipeline::{Folder, Item, Prepare, Prepared, Sink, Written};
use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Bytes that are gathered before they are written.
const WINDOW: usize = 1 << 20;

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
}

impl MboxSink {
    /// Starts a target: one file if the name ends in `.mbox` or `.mbx`, else a tree as Thunderbird has it.
    ///
    /// # Errors
    /// As [`NewFile::create`] and [`NewFolder::create`].
    pub fn create(path: &Path, overwrite: bool) -> Result<Self> {
        let single = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("mbox") || e.eq_ignore_ascii_case("mbx"));
        let target = if single {
            Target::File { file: NewFile::create(path, overwrite)?, folder: None }
        } else {
            let folder = NewFolder::create(path, overwrite)?;
            let top = folder.path().to_path_buf();
            Target::Tree { folder, made: HashMap::from([(Vec::new(), top)]), open: None }
        };
        Ok(Self { target, path: path.to_path_buf(), current: Vec::new(), buffer: Vec::new(), bytes: 0 })
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

struct MboxPrepare;

impl Prepare for MboxPrepare {
    fn prepare(&self, _folder: &Folder, item: Item) -> Result<Prepared> {
        prepared(item, Form { lf: true, quote: true, state: StateFields::Always })
    }
}

impl Sink for MboxSink {
    fn preparer(&self) -> Arc<dyn Prepare> {
        Arc::new(MboxPrepare)
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
