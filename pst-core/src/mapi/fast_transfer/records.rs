//! Reads the records of a blob: who exported it, then the stream as if it stood in one piece.

use super::container::{MESSAGE, Version, opcode};
use crate::error::{Error, Kind, Result};
use crate::io::room;
use std::io::{BufReader, ErrorKind, Read};

/// The stream of a blob. What ends too early is an error of the kind [`Kind::Truncated`].
pub(super) struct Records<'r> {
    from: BufReader<&'r mut dyn Read>,
    /// Bytes of the blob so far.
    offset: u64,
    /// Bytes of the current chunk that are not read yet.
    left: u64,
}

impl<'r> Records<'r> {
    /// Reads the three records before the stream.
    ///
    /// # Errors
    /// When the bytes are no export of a message.
    pub fn open(from: &'r mut dyn Read) -> Result<(Self, Version)> {
        let mut records = Self { from: BufReader::new(from), offset: 0, left: 0 };
        let version = records.prologue().map_err(|e| match e.kind() {
            Kind::Truncated => {
                Error::new(Kind::NotThisKind, "the data are no exported item: they end before it begins")
                    .at(e.place().offset.unwrap_or(0))
            }
            _ => e,
        })?;
        Ok((records, version))
    }

    fn prologue(&mut self) -> Result<Version> {
        self.expect(opcode::CONFIG, 8)?;
        let _flags_and_method: [u8; 8] = self.raw()?;
        self.expect(opcode::IS_INTERFACE_OK, 24)?;
        let _method: [u8; 4] = self.raw()?;
        let at = self.offset;
        if self.raw::<16>()? != MESSAGE.0 {
            let text = "the exported object is no message";
            return Err(Error::new(Kind::NotThisKind, text).at(at));
        }
        let _flags: [u8; 4] = self.raw()?;
        self.expect(opcode::TELL_PARTNER_VERSION, 6)?;
        let mut word = || self.raw().map(u16::from_le_bytes);
        Ok(Version::of_words([word()?, word()?, word()?]))
    }

    fn expect(&mut self, code: u32, length: u32) -> Result<()> {
        let at = self.offset;
        let found = [u32::from_le_bytes(self.raw()?), u32::from_le_bytes(self.raw()?)];
        if found == [code, length] {
            return Ok(());
        }
        let text = format!(
            "the data are no exported item: where a record {code} of {length} bytes belongs, they have {found:?}"
        );
        Err(Error::new(Kind::NotThisKind, text).at(at))
    }

    /// Where in the blob the next byte stands.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Bytes outside of chunks.
    fn raw<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut out = [0; N];
        let n = self.fill(&mut out)?;
        if n < N { Err(self.ended(N - n)) } else { Ok(out) }
    }

    /// Fills `out` as far as there are bytes.
    fn fill(&mut self, out: &mut [u8]) -> Result<usize> {
        let mut done = 0;
        while let Some(room) = out.get_mut(done..).filter(|room| !room.is_empty()) {
            match self.from.read(room) {
                Ok(0) => break,
                Ok(n) => done += n,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(Error::system("cannot read an exported item", e).at(self.offset)),
            }
        }
        self.offset += done as u64;
        Ok(done)
    }

    fn ended(&self, missing: usize) -> Error {
        Error::new(Kind::Truncated, format!("the exported item is cut off: {missing} bytes are missing"))
            .at(self.offset)
    }

    /// Goes to the next byte of the stream; false if there is none.
    fn advance(&mut self) -> Result<bool> {
        while self.left == 0 {
            let at = self.offset;
            let mut head = [0; 8];
            match self.fill(&mut head)? {
                0 => return Ok(false),
                8 => {}
                n => return Err(self.ended(8 - n)),
            }
            let [c0, c1, c2, c3, length @ ..] = head;
            let code = u32::from_le_bytes([c0, c1, c2, c3]);
            if code != opcode::TRANSFER_BUFFER {
                let text = format!("a record of the kind {code} does not belong in an exported item");
                return Err(Error::damaged("FastTransfer record", text).at(at));
            }
            self.left = u64::from(u32::from_le_bytes(length));
        }
        Ok(true)
    }

    /// The next four bytes as a number, and where they stand; `None` at the end of the stream.
    pub fn tag(&mut self) -> Result<Option<(u32, u64)>> {
        if !self.advance()? {
            return Ok(None);
        }
        let at = self.offset;
        self.u32().map(|tag| Some((tag, at)))
    }

    pub fn u32(&mut self) -> Result<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut out = [0; N];
        let mut done = 0;
        while done < N {
            if !self.advance()? {
                return Err(self.ended(N - done));
            }
            let n = self.left.min((N - done) as u64) as usize;
            let to = out.get_mut(done..done + n).unwrap_or_default();
            let read = self.fill(to)?;
            if read < n {
                return Err(self.ended(N - done - read));
            }
            self.left -= n as u64;
            done += n;
        }
        Ok(out)
    }

    /// Appends that many bytes; memory grows with what is there, not with what is promised.
    pub fn append(&mut self, len: u64, out: &mut Vec<u8>) -> Result<()> {
        let mut missing = len;
        while missing > 0 {
            if !self.advance()? {
                return Err(self.ended(missing as usize));
            }
            let n = room(out, len - missing, missing).min(self.left);
            let read = (&mut self.from).take(n).read_to_end(out);
            let read = read.map_err(|e| Error::system("cannot read an exported item", e).at(self.offset))? as u64;
            self.offset += read;
            self.left -= read;
            missing -= read;
            if read < n {
                return Err(self.ended(missing as usize));
            }
        }
        Ok(())
    }

    /// Bytes behind their length.
    pub fn counted(&mut self) -> Result<Vec<u8>> {
        let length = u64::from(self.u32()?);
        let mut out = Vec::new();
        self.append(length, &mut out)?;
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::super::container::Chunks;
    use super::*;

    fn blob(pieces: &[&[u8]]) -> Vec<u8> {
        let mut out = Vec::new();
        Chunks::begin(Some(&mut out), Version::EXCHANGE_ONLINE).unwrap().finish().unwrap();
        for piece in pieces {
            out.extend([2, piece.len() as u32].iter().flat_map(|n| n.to_le_bytes()));
            out.extend_from_slice(piece);
        }
        out
    }

    #[test]
    fn chunks_may_end_anywhere() {
        let bytes = blob(&[&[1], &[], &[2, 3], &[4, 3, 0, 0, 0, 9], &[8, 7]]);
        let mut from = bytes.as_slice();
        let (mut records, version) = Records::open(&mut from).unwrap();
        assert_eq!(version, Version::EXCHANGE_ONLINE);
        assert_eq!(records.tag().unwrap(), Some((0x0403_0201, 70)));
        assert_eq!(records.counted().unwrap(), [9, 8, 7]);
        assert_eq!(records.tag().unwrap(), None);
        assert_eq!(records.offset(), bytes.len() as u64);
    }

    #[test]
    fn ends_are_told() {
        let whole = blob(&[&[1, 2, 3, 4], &[5]]);
        for cut in 0..whole.len() {
            let mut from = &whole[..cut];
            let Ok((mut records, _)) = Records::open(&mut from) else {
                assert!(cut < 62);
                continue;
            };
            let first = records.tag();
            match first {
                Ok(None) => assert_eq!(cut, 62),
                Ok(Some(_)) if cut == 74 => assert_eq!(records.tag().unwrap(), None),
                Ok(Some(_)) => assert_eq!(records.tag().unwrap_err().kind(), Kind::Truncated, "{cut}"),
                Err(e) => assert_eq!((e.kind(), e.place().offset), (Kind::Truncated, Some(cut as u64))),
            }
        }
        let mut promised = blob(&[]);
        promised.extend([2, u32::MAX, u32::MAX].iter().flat_map(|n| n.to_le_bytes()));
        let mut from = promised.as_slice();
        let error = Records::open(&mut from).unwrap().0.counted().unwrap_err();
        assert_eq!(error.kind(), Kind::Truncated);
    }

    #[test]
    fn other_records_are_errors() {
        let mut bytes = blob(&[&[1; 4]]);
        bytes[62] = 17;
        let mut from = bytes.as_slice();
        let error = Records::open(&mut from).unwrap().0.tag().unwrap_err();
        assert_eq!((error.kind(), error.place().offset), (Kind::Damaged, Some(62)));
        bytes[32] = 9;
        assert_eq!(Records::open(&mut bytes.as_slice()).err().unwrap().kind(), Kind::NotThisKind);
        assert_eq!(Records::open(&mut b"From: a@b".as_slice()).err().unwrap().kind(), Kind::NotThisKind);
    }
}
