//! PidLidGlobalObjectId and PidLidCleanGlobalObjectId: what tells one meeting from another ([MS-OXOCAL] 2.2.1.27).

use super::cursor::{Cursor, Put};
use std::fmt::Write;

const ARRAY_ID: [u8; 16] =
    [0x04, 0x00, 0x00, 0x00, 0x82, 0x00, 0xE0, 0x00, 0x74, 0xC5, 0xB7, 0x10, 0x1A, 0x82, 0xE0, 0x08];
/// What stands before a UID that another program made ([MS-OXCICAL] 2.1.3.1.1.20.26).
const FOREIGN: &[u8] = b"vCal-Uid\x01\x00\x00\x00";

/// A GlobalObjectId. Its data are opaque, or hold the UID of an iCalendar component.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GlobalObjectId {
    /// Year, month and day of the occurrence that an exception stands for, in the series' zone; zeros for a whole series.
    pub instance: (u16, u8, u8),
    /// Creation time, FILETIME.
    pub created: u64,
    /// The eight bytes after it.
    pub reserved: [u8; 8],
    /// Data.
    pub data: Vec<u8>,
    /// What follows the data.
    pub rest: Vec<u8>,
}

impl GlobalObjectId {
    /// Reads the structure; `None` if its id is another one or it is cut short.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let mut at = Cursor(bytes);
        if at.array::<16>()? != ARRAY_ID {
            return None;
        }
        let year = u16::from_be_bytes(at.array()?);
        let instance = (year, at.u8()?, at.u8()?);
        let (created, reserved, data) = (at.u64()?, at.array()?, at.block()?.to_vec());
        Some(Self { instance, created, reserved, data, rest: at.0.to_vec() })
    }

    /// The structure as it is stored.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = ARRAY_ID.to_vec();
        out.extend_from_slice(&self.instance.0.to_be_bytes());
        out.extend_from_slice(&[self.instance.1, self.instance.2]);
        out.extend_from_slice(&self.created.to_le_bytes());
        out.extend_from_slice(&self.reserved);
        out.block(&self.data);
        out.extend_from_slice(&self.rest);
        out
    }

    /// The id of the whole series: PidLidCleanGlobalObjectId.
    pub fn clean(&self) -> Self {
        Self { instance: (0, 0, 0), ..self.clone() }
    }

    /// The UID of the iCalendar component: the one that was brought along, or the clean id in upper-case hexadecimal.
    pub fn uid(&self) -> String {
        let foreign = self.data.strip_prefix(FOREIGN).map(|text| text.strip_suffix(b"\0").unwrap_or(text));
        if let Some(uid) = foreign.and_then(|t| std::str::from_utf8(t).ok()).filter(|t| !t.is_empty()) {
            return uid.to_owned();
        }
        self.clean().encode().iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02X}");
            text
        })
    }

    /// The id that goes with a UID: [`Self::uid`] of it is the same UID.
    pub fn of_uid(uid: &str) -> Self {
        let own = from_hex(uid).and_then(|bytes| Self::decode(&bytes)).filter(|id| id.uid().eq_ignore_ascii_case(uid));
        own.unwrap_or_else(|| Self { data: [FOREIGN, uid.as_bytes(), b"\0"].concat(), ..Self::default() })
    }
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |c: u8| char::from(c).to_digit(16).map(|d| d as u8);
    text.as_bytes().chunks(2).map(|two| Some(digit(*two.first()?)? << 4 | digit(*two.get(1)?)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uids_round_trip() {
        for uid in ["abc@example.org", "Ünïcode", "040000008200E00074C5B7101A82E008", "0", "0G"] {
            let id = GlobalObjectId::of_uid(uid);
            assert_eq!((id.uid().as_str(), &id.data[..12]), (uid, FOREIGN));
            assert_eq!(GlobalObjectId::decode(&id.encode()), Some(id));
        }
        let own = "040000008200E00074C5B7101A82E00800000000104C50809830CC01000000000000000010000000693BE90803FC004FBABCB0ABDD257870";
        let id = GlobalObjectId::of_uid(own);
        assert_eq!((id.uid().as_str(), id.data.len()), (own, 16));
        assert_eq!(id.created, 0x01CC_3098_8050_4C10);
        let exception = GlobalObjectId { instance: (2024, 2, 29), ..id.clone() };
        assert_eq!(exception.encode()[16..20], [0x07, 0xE8, 2, 29]);
        assert_eq!((exception.uid(), exception.clean()), (own.to_owned(), id));
        for cut in 0..40 {
            assert_eq!(GlobalObjectId::decode(&exception.encode()[..cut]), None);
        }
    }
}
