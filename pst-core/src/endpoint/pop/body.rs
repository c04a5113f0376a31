//! The bytes of a message on their way: in memory, or in a temporary file without a name.

use crate::error::{Error, Result};
use crate::io::Input;
use crate::mime::large;
use crate::pipeline::Mime;
use std::fs::File;
use std::io::{self, Write};
use std::sync::Arc;

/// Bytes of one message in memory.
pub const HELD: usize = 4 << 20;
/// More than any message has.
const LONGEST: u64 = 16 << 30;

/// A message that comes in.
#[derive(Default)]
pub struct Incoming {
    held: Vec<u8>,
    file: Option<File>,
    len: u64,
}

impl Incoming {
    /// Room for a message of about this size.
    pub fn of(size: u64) -> Self {
        Self { held: Vec::with_capacity(size.min(HELD as u64 / 4) as usize), file: None, len: 0 }
    }

    /// What it counts for while it waits: bytes in memory, as much as can be there for a file.
    pub fn held(&self) -> u64 {
        self.len.min(HELD as u64)
    }

    /// The message; large attachments stay in the file.
    ///
    /// # Errors
    /// When the temporary file cannot be read.
    pub fn into_mime(self) -> Result<Mime> {
        let Some(file) = self.file else { return Ok(Mime { bytes: self.held, ..Mime::default() }) };
        let input = Arc::new(Input::from_file(file, self.len, "message"));
        if self.len <= large::HELD {
            let mut bytes = vec![0; self.len as usize];
            input.read_into(0, &mut bytes)?;
            return Ok(Mime { bytes, ..Mime::default() });
        }
        let (bytes, large) = large::slim(&input, 0, self.len)?;
        Ok(Mime { bytes, large, ..Mime::default() })
    }
}

impl Write for Incoming {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.len += bytes.len() as u64;
        if self.len > LONGEST {
            return Err(io::Error::other("the message is longer than any can be"));
        }
        if self.file.is_none() && self.held.len() + bytes.len() > HELD {
            let mut file = tempfile::tempfile().map_err(storing)?;
            file.write_all(&self.held).map_err(storing)?;
            self.held = Vec::new();
            self.file = Some(file);
        }
        match &mut self.file {
            Some(file) => file.write_all(bytes).map_err(storing)?,
            None => self.held.extend_from_slice(bytes),
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The trouble is here, not with the connection.
#[derive(Debug)]
struct Storing(io::Error);

impl std::fmt::Display for Storing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Storing {}

fn storing(e: io::Error) -> io::Error {
    io::Error::other(Storing(e))
}

/// The error of a temporary file, where it is one.
pub fn cannot_store(e: &io::Error) -> Option<Error> {
    let Storing(e) = e.get_ref()?.downcast_ref()?;
    let again = e.raw_os_error().map_or_else(|| io::Error::from(e.kind()), io::Error::from_raw_os_error);
    Some(Error::io("cannot keep a message for a moment", std::env::temp_dir(), again))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_counts_as_much_as_memory() {
        let mut body = Incoming::of(9);
        body.write_all(&[b'x'; 9]).unwrap();
        assert_eq!(body.held(), 9);
        body.write_all(&vec![b'x'; 2 * HELD]).unwrap();
        assert_eq!(body.held(), HELD as u64);
    }
}
