//! Reads little-endian fields of blobs; never past their end.

/// A place in a blob.
pub(super) struct Cursor<'a>(pub &'a [u8]);

impl<'a> Cursor<'a> {
    pub fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let (head, tail) = self.0.split_at_checked(n)?;
        self.0 = tail;
        Some(head)
    }

    pub fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, tail) = self.0.split_first_chunk::<N>()?;
        self.0 = tail;
        Some(*head)
    }

    pub fn u8(&mut self) -> Option<u8> {
        self.array::<1>().map(u8::from_le_bytes)
    }

    pub fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub fn i32(&mut self) -> Option<i32> {
        self.array().map(i32::from_le_bytes)
    }

    pub fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    /// A size of four bytes, and that many bytes.
    pub fn block(&mut self) -> Option<&'a [u8]> {
        let size = self.u32()? as usize;
        self.take(size)
    }

    /// A count of four bytes, and that many numbers of four bytes.
    pub fn numbers(&mut self) -> Option<Vec<u32>> {
        let bytes = (self.u32()? as usize).checked_mul(4)?;
        let bytes = self.take(bytes)?;
        Some(bytes.chunks_exact(4).filter_map(|c| c.try_into().ok().map(u32::from_le_bytes)).collect())
    }

    /// A count of two bytes, and that many UTF-16 units.
    pub fn units(&mut self) -> Option<Vec<u16>> {
        let n = usize::from(self.u16()?);
        let bytes = self.take(n * 2)?;
        Some(bytes.chunks_exact(2).filter_map(|c| c.try_into().ok().map(u16::from_le_bytes)).collect())
    }
}

/// Appends little-endian fields.
pub(super) trait Put {
    fn u16(&mut self, v: u16);
    fn u32(&mut self, v: u32);
    fn block(&mut self, bytes: &[u8]);
    fn units(&mut self, units: &[u16]);
}

impl Put for Vec<u8> {
    fn u16(&mut self, v: u16) {
        self.extend_from_slice(&v.to_le_bytes());
    }

    fn u32(&mut self, v: u32) {
        self.extend_from_slice(&v.to_le_bytes());
    }

    fn block(&mut self, bytes: &[u8]) {
        self.u32(bytes.len() as u32);
        self.extend_from_slice(bytes);
    }

    fn units(&mut self, units: &[u16]) {
        self.u16(units.len() as u16);
        self.extend(units.iter().flat_map(|u| u.to_le_bytes()));
    }
}
