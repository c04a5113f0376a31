//! Bytes that wait to be written: in memory, or in a temporary file once they are many.

use std::fs::File;
use std::io::{Result, Seek, SeekFrom, Write};
use std::sync::{Mutex, PoisonError};

/// Buffers that spools have left behind: fresh memory costs the system more than the bytes that go into it.
static LEFT: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());
/// Smaller ones are left to the allocator.
const SMALL: usize = 32 << 10;
/// Bytes that are left behind at most.
const MOST: usize = 32 << 20;

/// The smallest buffer that was left behind and has room for so many bytes, but for those far too large.
fn take_left(bytes: usize) -> Option<Vec<u8>> {
    if bytes < SMALL {
        return None;
    }
    let mut left = LEFT.lock().unwrap_or_else(PoisonError::into_inner);
    let fits = left.iter().enumerate().filter(|(_, b)| (bytes..=bytes.saturating_mul(4)).contains(&b.capacity()));
    let best = fits.min_by_key(|(_, b)| b.capacity()).map(|(at, _)| at)?;
    Some(left.swap_remove(best))
}

fn leave(mut buffer: Vec<u8>) {
    if !(SMALL..=MOST).contains(&buffer.capacity()) {
        return;
    }
    buffer.clear();
    let mut left = LEFT.lock().unwrap_or_else(PoisonError::into_inner);
    if left.iter().map(Vec::capacity).sum::<usize>() + buffer.capacity() <= MOST {
        left.push(buffer);
    }
}

/// Takes bytes and gives them back.
pub struct Spool {
    held: Vec<u8>,
    limit: usize,
    file: Option<File>,
}

impl Spool {
    /// An empty one that holds up to `limit` bytes in memory.
    pub fn new(limit: usize) -> Self {
        Self { held: Vec::new(), limit, file: None }
    }

    /// The bytes, if they are in memory.
    pub fn held(&self) -> Option<&[u8]> {
        self.file.is_none().then_some(&self.held)
    }

    /// Makes room for bytes that are about to come, as far as they will be held.
    pub fn reserve(&mut self, bytes: usize) {
        if self.held.len().saturating_add(bytes) > self.limit {
            return;
        }
        match take_left(bytes).filter(|_| self.held.is_empty()) {
            Some(buffer) => self.held = buffer,
            None => self.held.reserve(bytes),
        }
    }

    fn overflow(&mut self, bytes: &[u8]) -> Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            None => {
                let file = self.file.insert(tempfile::tempfile()?);
                file.write_all(&self.held)?;
                leave(std::mem::take(&mut self.held));
                file
            }
        };
        file.write_all(bytes)
    }

    /// Copies everything.
    ///
    /// # Errors
    /// When the temporary file cannot be read, or `out` refuses.
    pub fn copy_to(&mut self, out: &mut dyn Write) -> Result<u64> {
        let Some(file) = &mut self.file else {
            out.write_all(&self.held)?;
            return Ok(self.held.len() as u64);
        };
        file.seek(SeekFrom::Start(0))?;
        std::io::copy(file, out)
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        leave(std::mem::take(&mut self.held));
    }
}

impl Write for Spool {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        self.write_all(bytes)?;
        Ok(bytes.len())
    }

    #[inline]
    fn write_all(&mut self, bytes: &[u8]) -> Result<()> {
        if self.file.is_none() && self.held.len() + bytes.len() <= self.limit {
            self.held.extend_from_slice(bytes);
            return Ok(());
        }
        self.overflow(bytes)
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_in_comes_out() {
        for (limit, held) in [(1000, true), (100, false), (0, false)] {
            let mut spool = Spool::new(limit);
            for i in 0..50u8 {
                spool.write_all(&[i; 7]).unwrap();
            }
            assert_eq!(spool.held().is_some(), held);
            for _ in 0..2 {
                let mut out = Vec::new();
                assert_eq!(spool.copy_to(&mut out).unwrap(), 350);
                assert!(out.iter().enumerate().all(|(i, b)| usize::from(*b) == i / 7));
            }
        }
    }
}
