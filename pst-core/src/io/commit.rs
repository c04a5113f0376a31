//! A file that appears under its name only when it is whole.

use super::output::Output;
use crate::error::{Error, Kind, Result};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;
use tempfile::NamedTempFile;

/// Bytes after which what is written goes to the disk in the background, so that the end has little to wait for.
const AHEAD: u64 = 64 << 20;

/// A new file beside its target. Dropped before [`NewFile::commit`], it leaves nothing.
pub struct NewFile {
    temp: NamedTempFile,
    path: PathBuf,
    overwrite: bool,
    /// Bytes written since the disk was last asked to take them.
    pending: u64,
    syncing: Option<JoinHandle<std::io::Result<()>>>,
}

/// What was begun and may not be whole yet.
static BEGUN: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Notes a temporary file or folder of ours.
pub(crate) fn begun(path: &Path) {
    BEGUN.lock().unwrap_or_else(PoisonError::into_inner).push(path.to_path_buf());
}

/// Removes all temporary files and folders of targets, for a program that ends at once.
pub fn remove_unfinished() {
    for path in BEGUN.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
        // One that was completed has another name by now.
        let _ = if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
    }
}

impl NewFile {
    /// Creates the temporary file in the target's folder.
    ///
    /// # Errors
    /// [`Kind::Exists`] when the target is there and `overwrite` is not set, [`Kind::Io`] when the system refuses.
    pub fn create(path: impl AsRef<Path>, overwrite: bool) -> Result<Self> {
        let path = path.as_ref().to_path_buf();
        refuse_existing(&path, overwrite)?;
        let folder =
            path.parent().filter(|p| !p.as_os_str().is_empty()).map_or_else(|| PathBuf::from("."), Path::to_path_buf);
        let mut builder = tempfile::Builder::new();
        builder.prefix(".pst-").suffix(".tmp");
        // A replaced file keeps its rights; a new one gets those that the user's mask allows.
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let rights = std::fs::metadata(&path).map_or(0o666, |m| m.permissions().mode() & 0o777);
            builder.permissions(std::fs::Permissions::from_mode(rights));
        }
        let temp =
            builder.tempfile_in(&folder).map_err(|e| Error::io("cannot create a file in this folder", &folder, e))?;
        begun(temp.path());
        Ok(Self { temp, path, overwrite, pending: 0, syncing: None })
    }

    /// Writes bytes at an offset.
    ///
    /// # Errors
    /// [`Kind::Io`], naming the target.
    pub fn write_at(&mut self, bytes: &[u8], offset: u64) -> Result<()> {
        write_all_at(self.temp.as_file(), bytes, offset)
            .map_err(|e| Error::io("cannot write", &self.path, e).at(offset))?;
        self.written(bytes.len())
    }

    /// Appends bytes where the last write through this call ended.
    ///
    /// # Errors
    /// [`Kind::Io`], naming the target.
    pub fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.temp.write_all(bytes).map_err(|e| Error::io("cannot write", &self.path, e))?;
        self.written(bytes.len())
    }

    /// Keeps the disk busy.
    fn written(&mut self, bytes: usize) -> Result<()> {
        self.pending += bytes as u64;
        if self.pending < AHEAD || self.syncing.as_ref().is_some_and(|s| !s.is_finished()) {
            return Ok(());
        }
        self.synced()?;
        if let Ok(file) = self.temp.as_file().try_clone() {
            self.pending = 0;
            self.syncing = Some(std::thread::spawn(move || file.sync_data()));
        }
        Ok(())
    }

    /// Waits for what went to the disk in the background. Its trouble counts: the system reports it only once.
    fn synced(&mut self) -> Result<()> {
        let Some(syncing) = self.syncing.take() else { return Ok(()) };
        let done = syncing.join().unwrap_or_else(|_| Err(std::io::Error::other("a thread broke off")));
        done.map_err(|e| Error::io("cannot complete", &self.path, e))
    }

    /// The target's name.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes the bytes durable.
    ///
    /// # Errors
    /// [`Kind::Io`], naming the target.
    pub fn sync(&mut self) -> Result<()> {
        self.synced()?;
        self.temp.as_file().sync_all().map_err(|e| Error::io("cannot complete", &self.path, e))
    }

    /// Makes the file durable and gives it its name.
    ///
    /// # Errors
    /// [`Kind::Io`] or [`Kind::Exists`]; the target's old content, if any, is then untouched.
    pub fn commit(mut self) -> Result<()> {
        self.sync()?;
        let Self { temp, path, overwrite, .. } = self;
        let renamed = if overwrite { temp.persist(&path) } else { temp.persist_noclobber(&path) };
        renamed.map_err(|e| match e.error.kind() {
            std::io::ErrorKind::AlreadyExists => exists(&path),
            _ => Error::io("cannot give the new file its name", &path, e.error),
        })?;
        sync_folder(&path);
        Ok(())
    }
}

impl Output for NewFile {
    fn write_at(&mut self, bytes: &[u8], offset: u64) -> Result<()> {
        self.write_at(bytes, offset)
    }

    fn set_len(&mut self, len: u64) -> Result<()> {
        self.temp.as_file().set_len(len).map_err(|e| Error::io("cannot set the size", &self.path, e))
    }

    fn sync(&mut self) -> Result<()> {
        self.sync()
    }

    fn commit(self: Box<Self>) -> Result<()> {
        Self::commit(*self)
    }
}

/// Refuses a target that exists.
///
/// # Errors
/// [`Kind::Exists`].
pub fn refuse_existing(path: &Path, overwrite: bool) -> Result<()> {
    if !overwrite && path.symlink_metadata().is_ok() {
        return Err(exists(path));
    }
    Ok(())
}

fn exists(path: &Path) -> Error {
    Error::new(Kind::Exists, "the target exists already; --overwrite replaces it").in_file(path)
}

/// Makes a rename durable; systems that cannot sync a folder do without.
pub fn sync_folder(path: &Path) {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
}

#[cfg(unix)]
pub(super) fn write_all_at(file: &File, bytes: &[u8], offset: u64) -> std::io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, offset)
}

#[cfg(windows)]
pub(super) fn write_all_at(file: &File, mut bytes: &[u8], mut offset: u64) -> std::io::Result<()> {
    while !bytes.is_empty() {
        let n = std::os::windows::fs::FileExt::seek_write(file, bytes, offset)?;
        bytes = bytes.get(n..).unwrap_or_default();
        offset += n as u64;
    }
    Ok(())
}
