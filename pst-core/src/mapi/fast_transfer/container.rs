//! The records around a stream: who exports what, and chunks that no reader has to join before it can go on.

use crate::error::{Error, Kind, Result};
use crate::mapi::{Blob, Guid};
use std::io::{Read, Write};

/// Bytes of a stream in one record at most, as Exchange Online writes them.
pub const CHUNK: usize = 0x7BC0;
/// IID_IMessage, {00020307-0000-0000-C000-000000000046}: what is exported is a message.
pub(super) const MESSAGE: Guid = Guid::ole(0x0002_0307);
/// Copying by IMAPIProp::CopyTo.
const COPY_TO: u32 = 1;
/// Flags of the interface in every known export.
const FLAGS: u32 = 0x8000_2400;

/// What a record holds.
pub(super) mod opcode {
    pub const CONFIG: u32 = 1;
    pub const TRANSFER_BUFFER: u32 = 2;
    pub const IS_INTERFACE_OK: u32 = 3;
    pub const TELL_PARTNER_VERSION: u32 = 4;
}

/// The version of the server that an item comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version {
    /// 14 for Exchange 2010, 15 for later ones.
    pub major: u8,
    /// Its second number.
    pub minor: u8,
    /// Its third number, up to 0x7FFF.
    pub build: u16,
    /// Its last number.
    pub revision: u16,
}

impl Version {
    /// Exchange 2010 SP1, the oldest whose exports are known: servers import what older ones exported.
    pub const EXCHANGE_2010_SP1: Self = Self { major: 14, minor: 1, build: 164, revision: 0 };
    /// Exchange Online, as in the samples of Graph's documentation.
    pub const EXCHANGE_ONLINE: Self = Self { major: 15, minor: 20, build: 4608, revision: 6018 };

    fn words(self) -> [u16; 3] {
        [u16::from_be_bytes([self.major, self.minor]), 0x8000 | self.build, self.revision]
    }

    pub(super) fn of_words([first, build, revision]: [u16; 3]) -> Self {
        let [major, minor] = first.to_be_bytes();
        Self { major, minor, build: build & 0x7FFF, revision }
    }
}

impl Default for Version {
    fn default() -> Self {
        Self::EXCHANGE_2010_SP1
    }
}

/// The three records that stand before the stream.
fn prologue(version: Version) -> Vec<u8> {
    let mut out = Vec::new();
    let mut numbers = |all: &[u32]| out.extend(all.iter().flat_map(|n| n.to_le_bytes()));
    numbers(&[opcode::CONFIG, 8, 0, COPY_TO]);
    numbers(&[opcode::IS_INTERFACE_OK, 24, COPY_TO]);
    out.extend_from_slice(&MESSAGE.0);
    out.extend([FLAGS, opcode::TELL_PARTNER_VERSION, 6].iter().flat_map(|n| n.to_le_bytes()));
    out.extend(version.words().iter().flat_map(|w| w.to_le_bytes()));
    out
}

fn refused(e: std::io::Error) -> Error {
    Error::system("cannot write a FastTransfer stream", e)
}

/// Writes a stream in chunks, or counts what it would write.
pub(super) struct Chunks<'w> {
    out: Option<&'w mut dyn Write>,
    chunk: Vec<u8>,
    /// Bytes in the chunk, which stays empty when bytes are only counted.
    held: usize,
    written: u64,
}

impl<'w> Chunks<'w> {
    /// Begins a blob; without `out`, bytes are counted and the data of streams not read.
    pub fn begin(mut out: Option<&'w mut dyn Write>, version: Version) -> Result<Self> {
        let prologue = prologue(version);
        if let Some(out) = &mut out {
            out.write_all(&prologue).map_err(refused)?;
        }
        let chunk = Vec::with_capacity(if out.is_some() { CHUNK } else { 0 });
        Ok(Self { out, chunk, held: 0, written: prologue.len() as u64 })
    }

    /// Writes the last chunk and tells how long the blob is.
    pub fn finish(mut self) -> Result<u64> {
        self.flush()?;
        Ok(self.written)
    }

    fn flush(&mut self) -> Result<()> {
        if self.held == 0 {
            return Ok(());
        }
        if let Some(out) = &mut self.out {
            out.write_all(&opcode::TRANSFER_BUFFER.to_le_bytes()).map_err(refused)?;
            out.write_all(&(self.held as u32).to_le_bytes()).map_err(refused)?;
            out.write_all(&self.chunk).map_err(refused)?;
            self.chunk.clear();
        }
        self.written += 8 + self.held as u64;
        self.held = 0;
        Ok(())
    }

    /// Writes up to [`CHUNK`] bytes that belong in one chunk: a marker, a tag with its name, a length or a fixed value.
    pub fn whole(&mut self, bytes: &[u8]) -> Result<()> {
        if self.held + bytes.len() > CHUNK {
            self.flush()?;
        }
        if self.out.is_some() {
            self.chunk.extend_from_slice(bytes);
        }
        self.held += bytes.len();
        Ok(())
    }

    /// Writes bytes that may stand in several chunks, but for their units of `unit` bytes.
    pub fn bytes(&mut self, bytes: &[u8], unit: usize) -> Result<()> {
        let mut rest = bytes;
        self.spread(bytes.len() as u64, unit, |chunk, n| {
            let (now, after) = rest.split_at_checked(n).unwrap_or((rest, &[]));
            chunk.extend_from_slice(now);
            rest = after;
            Ok(())
        })
    }

    /// Writes the bytes of a blob, of which no more than a chunk is held.
    pub fn blob(&mut self, blob: &Blob) -> Result<()> {
        if let Some(bytes) = blob.bytes() {
            return self.bytes(bytes, 1);
        }
        if self.out.is_none() {
            return self.spread(blob.len(), 1, |_, _| Ok(()));
        }
        let mut from = blob.open()?;
        self.spread(blob.len(), 1, |chunk, n| {
            let read = (&mut from).take(n as u64).read_to_end(chunk);
            let read = read.map_err(|e| Error::system("cannot read a long value", e))?;
            if read < n {
                let text = format!("a value of {} bytes ends before it should", blob.len());
                return Err(Error::new(Kind::Truncated, text));
            }
            Ok(())
        })
    }

    fn spread(&mut self, len: u64, unit: usize, mut fill: impl FnMut(&mut Vec<u8>, usize) -> Result<()>) -> Result<()> {
        let mut left = len;
        while left > 0 {
            let room = CHUNK - self.held;
            let n = if left <= room as u64 { left as usize } else { room - room % unit };
            if n == 0 {
                self.flush()?;
                continue;
            }
            if self.out.is_some() {
                fill(&mut self.chunk, n)?;
            }
            self.held += n;
            left -= n as u64;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lengths of the chunks, and all bytes of the blob.
    fn chunks(write: impl Fn(&mut Chunks<'_>) -> Result<()>) -> (Vec<usize>, Vec<u8>) {
        let mut out = Vec::new();
        let mut chunks = Chunks::begin(Some(&mut out), Version::default()).unwrap();
        write(&mut chunks).unwrap();
        let written = chunks.finish().unwrap();
        let mut counted = Chunks::begin(None, Version::default()).unwrap();
        write(&mut counted).unwrap();
        assert_eq!((written, counted.finish().unwrap()), (out.len() as u64, out.len() as u64));
        let (mut at, mut lengths) = (62, Vec::new());
        while at < out.len() {
            assert_eq!(out[at..at + 4], [2, 0, 0, 0]);
            let length = u32::from_le_bytes(out[at + 4..at + 8].try_into().unwrap()) as usize;
            lengths.push(length);
            at += 8 + length;
        }
        (lengths, out)
    }

    #[test]
    fn the_prologue_of_the_samples() {
        let (lengths, out) = chunks(|_| Ok(()));
        assert!(lengths.is_empty());
        assert_eq!(out.len(), 62);
        assert_eq!(out[56..], [0x01, 0x0E, 0xA4, 0x80, 0, 0]);
        assert_eq!(out[28..48], [7, 3, 2, 0, 0, 0, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0x46, 0, 0x24, 0, 0x80]);
        let online = [0x14, 0x0F, 0x00, 0x92, 0x82, 0x17];
        assert_eq!(prologue(Version::EXCHANGE_ONLINE)[56..], online);
        assert_eq!(Version::of_words([0x0F14, 0x9200, 0x1782]), Version::EXCHANGE_ONLINE);
    }

    #[test]
    fn fixed_values_stay_whole() {
        for before in [CHUNK - 1, CHUNK - 7, CHUNK - 8, CHUNK] {
            let (lengths, _) = chunks(|c| {
                c.bytes(&vec![1; before], 1)?;
                c.whole(&[2; 8])
            });
            let expected = if before == CHUNK - 8 { vec![CHUNK] } else { vec![before, 8] };
            assert_eq!(lengths, expected);
        }
    }

    #[test]
    fn units_stay_whole() {
        for (before, first) in [(1, CHUNK - 1), (2, CHUNK), (CHUNK - 1, CHUNK - 1)] {
            let (lengths, _) = chunks(|c| {
                c.whole(&vec![1; before])?;
                c.bytes(&vec![2; 40_000], 2)
            });
            assert_eq!((lengths[0], lengths.iter().sum::<usize>()), (first, before + 40_000));
        }
        let (lengths, _) = chunks(|c| {
            c.whole(&[1; 3])?;
            c.bytes(&vec![2; 48 * 1000], 16)
        });
        assert_eq!(lengths, [3 + (CHUNK - 3) / 16 * 16, 48_003 - 3 - (CHUNK - 3) / 16 * 16]);
    }

    #[test]
    fn blobs_in_memory_and_streamed_are_alike() {
        let data: Vec<u8> = (0..100_000u32).map(|i| i as u8).collect();
        let chain = Blob::Stream(std::sync::Arc::new(crate::mapi::Chain(vec![
            Blob::Bytes(data[..70_001].to_vec()),
            Blob::Bytes(data[70_001..].to_vec()),
        ])));
        let held = chunks(|c| c.blob(&Blob::Bytes(data.clone())));
        assert_eq!(held, chunks(|c| c.blob(&chain)));
        assert_eq!(held.0, [CHUNK, CHUNK, CHUNK, 100_000 - 3 * CHUNK]);
    }
}
