//! Where a file is written: the seam at which tests fill the disk or cut the power.

use crate::error::Result;

/// A file being written at any offset. Dropped before [`Output::commit`], it leaves nothing.
pub trait Output: Send {
    /// Writes bytes at an offset.
    ///
    /// # Errors
    /// [`crate::Kind::Io`], naming the target.
    fn write_at(&mut self, bytes: &[u8], offset: u64) -> Result<()>;

    /// Sets the size in bytes.
    ///
    /// # Errors
    /// [`crate::Kind::Io`], naming the target.
    fn set_len(&mut self, len: u64) -> Result<()>;

    /// Makes the bytes durable.
    ///
    /// # Errors
    /// [`crate::Kind::Io`], naming the target.
    fn sync(&mut self) -> Result<()>;

    /// Makes the file durable and gives it its name.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] or [`crate::Kind::Exists`]; the target's old content, if any, is then untouched.
    fn commit(self: Box<Self>) -> Result<()>;
}
