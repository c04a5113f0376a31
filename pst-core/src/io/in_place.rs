//! An existing file that is changed where it stands, held by a lock for as long as it is open.

use super::commit::write_all_at;
use super::input::Input;
use crate::error::{Error, Kind, Result};
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

/// A file that is changed in place: the seam at which tests cut the power.
pub trait InPlace: Send {
    /// What stands in the file now, as long as it is when this is called; later writes show through it.
    ///
    /// # Errors
    /// [`Kind::Io`], naming the file.
    fn input(&self) -> Result<Input>;

    /// Writes bytes at an offset.
    ///
    /// # Errors
    /// [`Kind::Io`], naming the file.
    fn write_at(&mut self, bytes: &[u8], offset: u64) -> Result<()>;

    /// Sets the size in bytes.
    ///
    /// # Errors
    /// [`Kind::Io`], naming the file.
    fn set_len(&mut self, len: u64) -> Result<()>;

    /// Makes everything written so far durable.
    ///
    /// # Errors
    /// [`Kind::Io`], naming the file.
    fn sync(&mut self) -> Result<()>;
}

/// An open file that no other run writes to at the same time.
pub struct HeldFile {
    file: File,
    path: PathBuf,
}

impl HeldFile {
    /// Opens a file for reading and writing, and holds it.
    ///
    /// # Errors
    /// [`Kind::Io`] when the system refuses or somebody else holds the file, [`Kind::NotThisKind`] for what is no file.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        // A pipe or device is told by the same words as in reading.
        drop(super::open_file(path)?);
        let mut options = OpenOptions::new();
        options.read(true).write(true);
        // Others may read meanwhile (FILE_SHARE_READ), but not write.
        #[cfg(windows)]
        std::os::windows::fs::OpenOptionsExt::share_mode(&mut options, 1);
        let file = options.open(path).map_err(|e| match e.raw_os_error() {
            Some(SHARING_VIOLATION | LOCK_VIOLATION) if cfg!(windows) => held_elsewhere(path),
            _ => Error::io("cannot open for writing", path, e),
        })?;
        // The share mode is the lock there; a lock proper would keep readers out, too.
        if cfg!(not(windows)) {
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(held_elsewhere(path)),
                // Some network file systems have no locks: nobody can be asked there.
                Err(TryLockError::Error(e)) if e.kind() == std::io::ErrorKind::Unsupported => {}
                Err(TryLockError::Error(e)) => return Err(Error::io("cannot lock", path, e)),
            }
        }
        Ok(Self { file, path: path.to_path_buf() })
    }
}

impl Drop for HeldFile {
    /// Lets go at once: a process that is being started at this moment has a copy of the descriptor until it runs.
    fn drop(&mut self) {
        if cfg!(not(windows)) {
            let _ = self.file.unlock();
        }
    }
}

/// ERROR_SHARING_VIOLATION.
const SHARING_VIOLATION: i32 = 32;
/// ERROR_LOCK_VIOLATION.
const LOCK_VIOLATION: i32 = 33;

fn held_elsewhere(path: &Path) -> Error {
    let text = "another run or Outlook has this file open; wait for the run to end or close the file in Outlook, then \
                try again";
    Error::new(Kind::Io, text).in_file(path)
}

impl InPlace for HeldFile {
    fn input(&self) -> Result<Input> {
        let file = self.file.try_clone().map_err(|e| Error::io("cannot read", &self.path, e))?;
        Input::of_file(file, &self.path)
    }

    fn write_at(&mut self, bytes: &[u8], offset: u64) -> Result<()> {
        write_all_at(&self.file, bytes, offset).map_err(|e| Error::io("cannot write", &self.path, e).at(offset))
    }

    fn set_len(&mut self, len: u64) -> Result<()> {
        self.file.set_len(len).map_err(|e| Error::io("cannot set the size", &self.path, e))
    }

    fn sync(&mut self) -> Result<()> {
        self.file.sync_data().map_err(|e| Error::io("cannot make durable", &self.path, e))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As long as a child of this process has not begun to run, it holds copies of all descriptors.
    #[test]
    fn a_copy_of_the_descriptor_does_not_hold_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.pst");
        std::fs::write(&path, b"abc").unwrap();
        let held = HeldFile::open(&path).unwrap();
        let copy = held.file.try_clone().unwrap();
        drop(held);
        HeldFile::open(&path).unwrap();
        drop(copy);
    }

    #[test]
    fn a_file_is_held_by_one_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.pst");
        std::fs::write(&path, b"abc").unwrap();
        let mut first = HeldFile::open(&path).unwrap();
        let second = HeldFile::open(&path).err().unwrap();
        assert!(second.text().starts_with("another run or Outlook has this file open"), "{second}");
        first.write_at(b"x", 1).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"axc");
        drop(first);
        assert!(HeldFile::open(&path).is_ok());
        assert_eq!(HeldFile::open(dir.path()).err().unwrap().kind(), Kind::NotThisKind);
    }
}
