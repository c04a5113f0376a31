//! A folder of attachments as a sink.

use super::gather::{Content, Entry, Gathered, Hash};
use super::index::{Index, Row};
use crate::endpoint::text::{Made, NewFolder, Unique, message_of};
use crate::error::{Error, Kind, Result};
use crate::mapi::{Code, Warning};
use crate::mime;
use crate::pipeline::{Folder, Item, Prepare, Prepared, Sink, Written};
use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;

/// Bytes copied at once.
const PIECE: usize = 256 << 10;

/// Writes attachments, one folder for each folder of the source.
pub struct AttachmentsSink {
    folder: NewFolder,
    made: Made,
    /// The folder at hand, and the names that are taken in it.
    path: Vec<String>,
    names: Unique,
    index: Index,
    /// What was written, where data are written once only.
    seen: Option<Seen>,
    bytes: u64,
    import: mime::ImportOptions,
    options: mime::Options,
}

impl AttachmentsSink {
    /// Starts a folder. With `once`, data that were written before are not written again; the index names their file.
    ///
    /// # Errors
    /// As [`NewFolder::create`].
    pub fn create(
        path: &Path,
        overwrite: bool,
        once: bool,
        import: mime::ImportOptions,
        options: mime::Options,
    ) -> Result<Self> {
        let folder = NewFolder::create(path, overwrite)?;
        let top = folder.path().to_path_buf();
        let index = Index::create(&top)?;
        let seen = once.then(Seen::new).transpose()?;
        let made = Made::new(&top);
        Ok(Self { folder, made, path: Vec::new(), names: Unique::default(), index, seen, bytes: 0, import, options })
    }

    /// Writes the data of an attachment; returns its file, from the top on, and what is to be noted.
    fn write(&mut self, entry: &mut Entry) -> Result<(String, String)> {
        if let Content::None(reason) = &entry.content {
            return Ok((String::new(), reason.clone()));
        }
        if let Some(earlier) = self.seen.as_mut().map(|s| s.find(&entry.hash)).transpose()?.flatten() {
            return Ok((earlier, "the same data as an earlier attachment".to_owned()));
        }
        let at = self.made.folder(&self.path)?;
        let (path, mut file) = self.names.create(&at, &entry.name)?;
        let copied = match &mut entry.content {
            Content::Blob(blob) => match blob.open() {
                Ok(mut reader) => copy(&mut reader, &mut file, &path)?,
                Err(e) => Err(e),
            },
            Content::Spool(spool) => Ok(spool.copy_to(&mut file).map_err(|e| Error::io("cannot write", &path, e))?),
            Content::None(_) => Ok(0),
        };
        match copied {
            Ok(bytes) => self.bytes += bytes,
            Err(e) => {
                drop(file);
                std::fs::remove_file(&path).map_err(|e| Error::io("cannot remove", &path, e))?;
                let reason = format!("it cannot be read: {e}");
                entry.content = Content::None(reason.clone());
                return Ok((String::new(), reason));
            }
        }
        let below = path.strip_prefix(self.folder.path()).unwrap_or(&path);
        let parts: Vec<_> = below.components().map(|c| c.as_os_str().to_string_lossy()).collect();
        let name = parts.join("/");
        if let Some(seen) = &mut self.seen {
            seen.insert(&entry.hash, &name)?;
        }
        let note = if entry.made { "a picture of an object or of the rich text, no attachment of its own" } else { "" };
        Ok((name, note.to_owned()))
    }
}

/// Copies data; the inner result is that of reading them.
fn copy(reader: &mut dyn Read, file: &mut File, path: &Path) -> Result<Result<u64>> {
    let (mut piece, mut copied) = (vec![0; PIECE], 0);
    loop {
        let n = match reader.read(&mut piece) {
            Ok(0) => return Ok(Ok(copied)),
            Ok(n) => n,
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(e) => return Ok(Err(Error::new(Kind::Io, e.to_string()))),
        };
        file.write_all(piece.get(..n).unwrap_or_default()).map_err(|e| Error::io("cannot write", path, e))?;
        copied += n as u64;
    }
}

struct AttachmentsPrepare(mime::ImportOptions, mime::Options);

impl Prepare for AttachmentsPrepare {
    fn prepare(&self, _folder: &Folder, item: Item) -> Result<Prepared> {
        let mut warnings = item.warnings;
        let message = message_of(item.body, self.0, &mut warnings)?;
        let mut gathered = Gathered::of(*message, warnings, &self.1)?;
        let warnings = std::mem::take(&mut gathered.warnings);
        let bytes = gathered.held();
        Ok(Prepared {
            payload: Box::new((item.id.clone(), gathered)),
            bytes,
            id: item.id,
            warnings,
            content: None,
            origin: None,
        })
    }
}

impl Sink for AttachmentsSink {
    fn preparer(&self) -> Arc<dyn Prepare> {
        Arc::new(AttachmentsPrepare(self.import, self.options.clone()))
    }

    fn folder(&mut self, folder: &Folder) -> Result<()> {
        self.path.clone_from(&folder.path);
        self.names = Unique::default();
        Ok(())
    }

    fn item(&mut self, item: Prepared) -> Result<Vec<Warning>> {
        let Ok(payload) = item.payload.downcast::<(String, Gathered)>() else {
            return Err(Error::new(Kind::Usage, "an item was prepared for another kind of target"));
        };
        let (id, mut gathered) = *payload;
        let mut warnings = Vec::new();
        let entries = std::mem::take(&mut gathered.entries);
        for mut entry in entries {
            let readable = !matches!(entry.content, Content::None(_));
            let (file, note) = self.write(&mut entry)?;
            if readable && file.is_empty() {
                warnings.push(Code::NoData.with(format!("the attachment {} is left out: {note}", entry.name)));
            }
            let row = Row { folder: &self.path, item: &id, of: &gathered, entry: &entry, file: &file, note: &note };
            self.index.add(&row)?;
        }
        Ok(warnings)
    }

    fn finish(self: Box<Self>) -> Result<Written> {
        self.index.finish()?;
        let path = self.folder.target().to_path_buf();
        self.folder.commit()?;
        Ok(Written { path, bytes: self.bytes })
    }
}

/// The files of data that were written, by the hash of the data. The names wait in a temporary file.
struct Seen {
    names: File,
    len: u64,
    at: HashMap<[u8; 16], u64>,
}

impl Seen {
    fn new() -> Result<Self> {
        let names = tempfile::tempfile().map_err(failed)?;
        Ok(Self { names, len: 0, at: HashMap::new() })
    }

    /// Half of the hash tells data apart well enough.
    fn key(hash: &Hash) -> [u8; 16] {
        let mut key = [0; 16];
        key.iter_mut().zip(hash).for_each(|(to, from)| *to = *from);
        key
    }

    fn find(&mut self, hash: &Hash) -> Result<Option<String>> {
        let Some(at) = self.at.get(&Self::key(hash)) else { return Ok(None) };
        let mut len = [0; 4];
        self.names.seek(SeekFrom::Start(*at)).and_then(|_| self.names.read_exact(&mut len)).map_err(failed)?;
        let mut name = String::new();
        let mut rest = (&self.names).take(u64::from(u32::from_le_bytes(len)));
        rest.read_to_string(&mut name).map_err(failed)?;
        Ok(Some(name))
    }

    fn insert(&mut self, hash: &Hash, name: &str) -> Result<()> {
        self.names.seek(SeekFrom::Start(self.len)).map_err(failed)?;
        let record = [&(name.len() as u32).to_le_bytes(), name.as_bytes()].concat();
        self.names.write_all(&record).map_err(failed)?;
        self.at.insert(Self::key(hash), self.len);
        self.len += record.len() as u64;
        Ok(())
    }
}

fn failed(e: std::io::Error) -> Error {
    Error::io("cannot use", "a temporary file", e)
}
