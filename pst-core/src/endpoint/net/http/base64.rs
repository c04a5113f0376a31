//! Base64 without line ends, as it is made.

use base64_simd::STANDARD;
use std::io::{self, Write};

/// Bytes that are encoded at once; a multiple of three.
const CHUNK: usize = 48 * 1024;

/// The length of the base64 of so many bytes.
pub fn base64_length(bytes: u64) -> u64 {
    bytes.div_ceil(3).saturating_mul(4)
}

/// Encodes what is written to it.
pub struct Base64<W> {
    out: W,
    held: Vec<u8>,
    text: Vec<u8>,
}

impl<W: Write> Base64<W> {
    /// Encodes to `out`.
    pub fn new(out: W) -> Self {
        Self { out, held: Vec::with_capacity(CHUNK), text: vec![0; CHUNK / 3 * 4] }
    }

    /// Writes what is left, and the padding.
    ///
    /// # Errors
    /// When `out` refuses.
    pub fn finish(mut self) -> io::Result<W> {
        self.encode()?;
        Ok(self.out)
    }

    fn encode(&mut self) -> io::Result<()> {
        let text = STANDARD.encode(&self.held, base64_simd::Out::from_slice(&mut self.text));
        self.out.write_all(text)?;
        self.held.clear();
        Ok(())
    }
}

impl<W: Write> Write for Base64<W> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let taken = data.len().min(CHUNK - self.held.len());
        self.held.extend_from_slice(data.get(..taken).unwrap_or_default());
        if self.held.len() == CHUNK {
            self.encode()?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_if_encoded_at_once() {
        let data: Vec<u8> = (0..300_000u32).map(|i| ((i * 7) >> 3) as u8).collect();
        for n in [0, 1, 2, 3, 4, CHUNK - 1, CHUNK, CHUNK + 1, 300_000] {
            let mut out = Base64::new(Vec::new());
            data[..n].chunks(1000).for_each(|part| out.write_all(part).unwrap());
            let text = out.finish().unwrap();
            assert_eq!(text, STANDARD.encode_to_string(&data[..n]).into_bytes(), "{n}");
            assert_eq!(text.len() as u64, base64_length(n as u64));
        }
    }
}
