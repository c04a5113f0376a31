//! A read-only file that many threads read at once, by positioned reads.
//!
//! Nothing is mapped: mapped pages count as resident memory, and the budget holds for sources of any size and number. A
//! file that shrinks while it is read is then an error, not a fault.

use crate::error::{Error, Kind, Result};
use std::fs::File;
use std::path::{Path, PathBuf};

/// Opens a regular file: a pipe or device would wait for ever, or has no size.
///
/// # Errors
/// [`Kind::Io`] when the system refuses, [`Kind::NotThisKind`] for what is no file.
pub fn open_file(path: &Path) -> Result<File> {
    let meta = std::fs::metadata(path).map_err(|e| Error::io("cannot open", path, e))?;
    if !meta.is_file() {
        let text = if meta.is_dir() { "this is a folder, not a file" } else { "this is a pipe or device, not a file" };
        return Err(Error::new(Kind::NotThisKind, text).in_file(path));
    }
    File::open(path).map_err(|e| Error::io("cannot open", path, e))
}

enum Backing {
    Bytes(Vec<u8>),
    File(File),
}

/// A read-only source of bytes; `Sync`, without locks.
pub struct Input {
    backing: Backing,
    len: u64,
    path: PathBuf,
}

impl Input {
    /// Opens a file.
    ///
    /// # Errors
    /// [`Kind::Io`] when the system refuses, [`Kind::NotThisKind`] for a directory.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        Self::of_file(open_file(path)?, path)
    }

    /// An open file, as long as it is now.
    ///
    /// # Errors
    /// [`Kind::Io`] when the system refuses.
    pub fn of_file(file: File, path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let meta = file.metadata().map_err(|e| Error::io("cannot read the size", path, e))?;
        let len = meta.len();
        let backing = if len == 0 { Backing::Bytes(Vec::new()) } else { Backing::File(file) };
        Ok(Self { backing, len, path: path.to_path_buf() })
    }

    /// Bytes in memory in place of a file, with a name for messages.
    pub fn from_bytes(bytes: Vec<u8>, name: impl Into<PathBuf>) -> Self {
        Self { len: bytes.len() as u64, backing: Backing::Bytes(bytes), path: name.into() }
    }

    /// A file that is open already, of `len` bytes, with a name for messages.
    pub fn from_file(file: File, len: u64, name: impl Into<PathBuf>) -> Self {
        Self { len, backing: Backing::File(file), path: name.into() }
    }

    /// The bytes, if they are in memory.
    ///
    /// # Errors
    /// Gives the file back.
    pub fn into_bytes(self) -> std::result::Result<Vec<u8>, Self> {
        match self.backing {
            Backing::Bytes(bytes) => Ok(bytes),
            Backing::File(_) => Err(self),
        }
    }

    /// Size in bytes when it was opened.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// True for an empty file.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The name it was opened by.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// `len` bytes at `offset`: a slice of what is in memory, or `buf` filled. The caller bounds `len`.
    ///
    /// # Errors
    /// [`Kind::Truncated`] when the range passes the end of the file, [`Kind::Io`] when the system refuses.
    pub fn read<'a>(&'a self, offset: u64, len: usize, buf: &'a mut Vec<u8>) -> Result<&'a [u8]> {
        self.bounds(offset, len)?;
        match &self.backing {
            Backing::Bytes(b) => Self::slice(b, offset, len),
            Backing::File(_) => {
                buf.resize(len, 0);
                self.read_into(offset, buf)?;
                Ok(buf)
            }
        }
    }

    /// Fills `out` with the bytes at `offset`.
    ///
    /// # Errors
    /// As [`Input::read`].
    pub fn read_into(&self, offset: u64, out: &mut [u8]) -> Result<()> {
        self.bounds(offset, out.len())?;
        match &self.backing {
            Backing::Bytes(b) => out.copy_from_slice(Self::slice(b, offset, out.len())?),
            Backing::File(f) => {
                read_exact_at(f, out, offset).map_err(|e| match e.kind() {
                    // What is asked for was there when the file was opened.
                    std::io::ErrorKind::UnexpectedEof => {
                        let text = "the file has become shorter while it was read";
                        Error::new(Kind::Truncated, text).at(offset).in_file(&self.path)
                    }
                    _ => Error::io("cannot read", &self.path, e).at(offset),
                })?;
            }
        }
        Ok(())
    }

    fn slice(bytes: &[u8], offset: u64, len: usize) -> Result<&[u8]> {
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        bytes
            .get(start..start.saturating_add(len))
            .ok_or_else(|| Error::new(Kind::Truncated, "the file ends too early").at(offset))
    }

    fn bounds(&self, offset: u64, len: usize) -> Result<()> {
        if offset.checked_add(len as u64).is_none_or(|end| end > self.len) {
            return Err(Error::new(
                Kind::Truncated,
                format!("the file has {} bytes, but {len} bytes at offset {offset} are needed", self.len),
            )
            .at(offset)
            .in_file(&self.path));
        }
        Ok(())
    }
}

#[cfg(unix)]
fn read_exact_at(file: &File, out: &mut [u8], offset: u64) -> std::io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, out, offset)
}

#[cfg(windows)]
fn read_exact_at(file: &File, mut out: &mut [u8], mut offset: u64) -> std::io::Result<()> {
    while !out.is_empty() {
        let n = std::os::windows::fs::FileExt::seek_read(file, out, offset)?;
        if n == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        out = out.split_at_mut(n).1;
        offset += n as u64;
    }
    Ok(())
}
