//! A compound file open for reading, shared by the values that still lie in it.

use crate::error::{Error, Kind, Result};
use crate::io::Input;
use crate::mapi::Stream;
use cfb::CompoundFile;
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Bytes of a value that are read at once.
const WINDOW: usize = 1 << 20;
/// Entries of one storage that are looked at.
pub(super) const MOST_ENTRIES: usize = 200_000;

/// A file as the crate cfb reads it.
struct Bytes {
    input: Input,
    at: u64,
}

impl Read for Bytes {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let take = self.input.len().saturating_sub(self.at).min(out.len() as u64) as usize;
        let Some(out) = out.get_mut(..take) else { return Ok(0) };
        self.input.read_into(self.at, out).map_err(std::io::Error::other)?;
        self.at += take as u64;
        Ok(take)
    }
}

impl Seek for Bytes {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.input.len().checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or_else(|| std::io::Error::other("a seek before the start"))?;
        Ok(self.at)
    }
}

/// One object in a storage.
#[derive(Debug, Clone)]
pub(super) struct Child {
    pub name: String,
    pub is_stream: bool,
    pub len: u64,
}

/// A compound file.
pub(super) struct File {
    path: PathBuf,
    inner: Mutex<CompoundFile<Bytes>>,
}

impl File {
    pub fn open(input: Input) -> Result<Arc<Self>> {
        let path = input.path().to_path_buf();
        let inner = CompoundFile::open(Bytes { input, at: 0 })
            .map_err(|e| Error::new(Kind::Damaged, format!("this is no sound compound file: {e}")).in_file(&path))?;
        Ok(Arc::new(Self { path, inner: Mutex::new(inner) }))
    }

    fn lock(&self) -> MutexGuard<'_, CompoundFile<Bytes>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn error(&self, at: &str, e: &std::io::Error) -> Error {
        Error::new(Kind::Damaged, format!("cannot read {at}: {e}")).within("compound file").in_file(&self.path)
    }

    pub fn missing(&self, at: &str) -> Error {
        Error::new(Kind::NotThisKind, format!("there is no {at}: this is a compound file, but no message"))
            .in_file(&self.path)
    }

    /// What a storage holds, sorted by name.
    pub fn children(&self, storage: &str) -> Result<Vec<Child>> {
        let file = self.lock();
        let entries = file.read_storage(storage).map_err(|e| self.error(storage, &e))?;
        let child = |e: cfb::Entry| Child { name: e.name().to_owned(), is_stream: e.is_stream(), len: e.len() };
        let mut out: Vec<Child> = entries.take(MOST_ENTRIES).map(child).collect();
        out.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(out)
    }

    /// A whole stream, at most `limit` bytes; `None` if there is none of that name.
    pub fn stream(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>> {
        let mut file = self.lock();
        if !file.is_stream(path) {
            return Ok(None);
        }
        let mut out = Vec::new();
        let stream = file.open_stream(path).map_err(|e| self.error(path, &e))?;
        stream.take(limit).read_to_end(&mut out).map_err(|e| self.error(path, &e))?;
        Ok(Some(out))
    }

    /// A stream that is read when it is needed.
    pub fn lazy(self: &Arc<Self>, path: &str, len: u64) -> Lazy {
        Lazy { file: Arc::clone(self), path: path.to_owned(), len }
    }

    /// Copies the storage at `from` with all below it into another compound file.
    pub fn copy_storage<F: Read + std::io::Write + Seek>(
        &self,
        from: &str,
        to: &mut CompoundFile<F>,
        limit: u64,
    ) -> Result<()> {
        let mut file = self.lock();
        super::storage::copy(&mut file, from, to, "/", limit).map_err(|e| self.error(from, &e))
    }
}

/// A stream of a compound file.
pub(super) struct Lazy {
    file: Arc<File>,
    path: String,
    len: u64,
}

impl Stream for Lazy {
    fn len(&self) -> u64 {
        self.len
    }

    fn open(&self) -> Result<Box<dyn Read + Send + '_>> {
        Ok(Box::new(LazyReader { lazy: self, at: 0, window: Vec::new(), used: 0 }))
    }
}

struct LazyReader<'a> {
    lazy: &'a Lazy,
    at: u64,
    window: Vec<u8>,
    used: usize,
}

impl LazyReader<'_> {
    fn fill(&mut self) -> std::io::Result<()> {
        let take = (self.lazy.len - self.at).min(WINDOW as u64);
        let mut file = self.lazy.file.lock();
        let mut stream = file.open_stream(&self.lazy.path)?;
        stream.seek(SeekFrom::Start(self.at))?;
        self.window.resize(take as usize, 0);
        stream.read_exact(&mut self.window)?;
        self.at += take;
        self.used = 0;
        Ok(())
    }
}

impl Read for LazyReader<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        if self.used >= self.window.len() {
            if self.at >= self.lazy.len {
                return Ok(0);
            }
            self.fill()?;
        }
        let ready = self.window.get(self.used..).unwrap_or_default();
        let n = ready.len().min(out.len());
        if let (Some(to), Some(from)) = (out.get_mut(..n), ready.get(..n)) {
            to.copy_from_slice(from);
        }
        self.used += n;
        Ok(n)
    }
}
