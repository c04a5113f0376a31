//! The body of a request, of known length and written as it is made.

use super::{Base64, base64_length};
use crate::error::{Error, Result};
use std::io::Write;

/// Writes bytes that are not held; called again where a request is sent again.
type Make<'a> = Box<dyn Fn(&mut dyn Write) -> Result<()> + Send + 'a>;

enum Part<'a> {
    Held(Vec<u8>),
    /// Written as base64; the length is that of the bytes before.
    Encoded(u64, Make<'a>),
}

/// The body of a request: text, and base64 of what is made while it is sent.
#[derive(Default)]
pub struct Body<'a> {
    parts: Vec<Part<'a>>,
}

impl<'a> Body<'a> {
    /// Appends bytes.
    pub fn push(&mut self, bytes: impl Into<Vec<u8>>) {
        self.parts.push(Part::Held(bytes.into()));
    }

    /// Appends the base64 of what `make` writes, which has `length` bytes each time.
    pub fn push_encoded(&mut self, length: u64, make: impl Fn(&mut dyn Write) -> Result<()> + Send + 'a) {
        self.parts.push(Part::Encoded(length, Box::new(make)));
    }

    /// Its length, bytes.
    pub fn length(&self) -> u64 {
        let length = |part: &Part<'_>| match part {
            Part::Held(bytes) => bytes.len() as u64,
            Part::Encoded(length, _) => base64_length(*length),
        };
        self.parts.iter().map(length).sum()
    }

    /// Writes it.
    ///
    /// # Errors
    /// When `out` refuses, or something cannot be made.
    pub fn write_to(&self, out: &mut dyn Write) -> Result<()> {
        for part in &self.parts {
            match part {
                Part::Held(bytes) => out.write_all(bytes).map_err(cannot_send)?,
                Part::Encoded(_, make) => {
                    let mut encoder = Base64::new(&mut *out);
                    make(&mut encoder)?;
                    encoder.finish().map_err(cannot_send)?;
                }
            }
        }
        Ok(())
    }
}

fn cannot_send(e: std::io::Error) -> Error {
    Error::system("cannot send", e)
}

impl<T: Into<Vec<u8>>> From<T> for Body<'_> {
    fn from(bytes: T) -> Self {
        let mut body = Self::default();
        body.push(bytes);
        body
    }
}
