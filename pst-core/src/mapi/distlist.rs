//! Members of a personal distribution list ([MS-OXOCNTC] 2.2.2.2).

use super::cursor::{Cursor, Put};

/// The provider of wrapped entry ids.
const WRAPPER: [u8; 16] =
    [0xC0, 0x91, 0xAD, 0xD3, 0x51, 0x9D, 0xCF, 0x11, 0xA4, 0xA9, 0x00, 0xAA, 0x00, 0x47, 0xFA, 0xA4];
/// Members of more bytes than this go into the stream form.
pub const LARGEST: usize = 15_000;

/// What a wrapped entry id is the id of: the lower four bits of Type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Wrapped {
    /// A one-off address.
    OneOff,
    /// An address of a contact: 0 to 2 the fax numbers, 3 none said, 4 to 6 the e-mail addresses.
    Contact(u8),
    /// Another personal distribution list.
    List,
    /// Someone in the global address list.
    AddressBookUser,
    /// A list of the global address list.
    AddressBookList,
}

/// Takes the wrapper off an entry id ([MS-OXOCNTC] 2.2.2.2.4.1.1); `None` if it has none.
pub fn unwrap(entry: &[u8]) -> Option<(Wrapped, &[u8])> {
    let mut at = Cursor(entry);
    at.u32()?;
    if at.array::<16>()? != WRAPPER {
        return None;
    }
    let kind = at.u8()?;
    let wrapped = match kind & 0xF {
        0 => Wrapped::OneOff,
        3 => Wrapped::Contact(kind >> 4 & 7),
        4 => Wrapped::List,
        5 => Wrapped::AddressBookUser,
        6 => Wrapped::AddressBookList,
        _ => return None,
    };
    Some((wrapped, at.0))
}

/// One member: its entry id, and the one-off id that names it.
pub type Member = (Vec<u8>, Vec<u8>);

/// PidLidDistributionListStream ([MS-OXOCNTC] 2.2.2.2.4).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListStream {
    /// StreamVersion and the reserved word.
    pub version: (u16, u16),
    /// BuildVersion and DistListStreamFlags.
    pub build: (u32, u32),
    /// The members.
    pub members: Vec<Member>,
}

impl ListStream {
    /// The stream of some members.
    pub fn new(members: Vec<Member>) -> Self {
        Self { version: (1, 0), build: (0, 0), members }
    }

    /// Reads the stream; `None` if it is cut short.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let mut at = Cursor(bytes);
        let version = (at.u16()?, at.u16()?);
        let build = (at.u32()?, at.u32()?);
        let count = at.u32()?;
        at.take(12)?;
        let mut members = Vec::new();
        for _ in 0..count {
            members.push((at.block()?.to_vec(), at.block()?.to_vec()));
            at.block()?;
        }
        Some(Self { version, build, members })
    }

    /// The stream as it is stored.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.u16(self.version.0);
        out.u16(self.version.1);
        let total = |part: fn(&Member) -> usize| self.members.iter().map(part).sum::<usize>() as u32;
        let (ids, one_offs) = (total(|m| m.0.len()), total(|m| m.1.len()));
        for field in [self.build.0, self.build.1, self.members.len() as u32, ids, one_offs, 0] {
            out.u32(field);
        }
        for (id, one_off) in &self.members {
            out.block(id);
            out.block(one_off);
            out.u32(0);
        }
        out.extend_from_slice(&[0; 8]);
        out
    }
}

/// PidLidDistributionListChecksum: the CRC-32 of all entry ids with the seed 0 ([MS-OXOCNTC] 2.2.2.2.3).
pub fn checksum<'a>(ids: impl IntoIterator<Item = &'a [u8]>) -> i32 {
    let mut crc = crc32fast::Hasher::new_with_initial(u32::MAX);
    ids.into_iter().for_each(|id| crc.update(id));
    !crc.finalize() as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_come_out_as_they_went_in() {
        let stream = ListStream::new(vec![(vec![1, 2, 3], vec![4]), (vec![5], Vec::new())]);
        let bytes = stream.encode();
        assert_eq!(ListStream::decode(&bytes), Some(stream));
        for cut in 0..bytes.len() - 8 {
            assert_eq!(ListStream::decode(&bytes[..cut]), None);
        }
        let mut many = bytes;
        many[12..16].copy_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(ListStream::decode(&many), None);
    }

    #[test]
    fn wrappers() {
        let entry = [&[0; 4], WRAPPER.as_slice(), &[0xD3, 9, 9]].concat();
        assert_eq!(unwrap(&entry), Some((Wrapped::Contact(5), [9, 9].as_slice())));
        assert_eq!((unwrap(&entry[..20]), unwrap(&[0; 30])), (None, None));
    }
}
