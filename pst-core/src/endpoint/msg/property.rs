//! Property streams and the names of the streams beside them ([MS-OXMSG] 2.4, 2.1).

use crate::mapi::{PropTag, PropType, Value};
use zerocopy::little_endian::U32;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// The stream that lists the properties of an object.
pub(super) const PROPERTIES: &str = "__properties_version1.0";
/// The storage that maps property ids to names.
pub(super) const NAMES: &str = "__nameid_version1.0";
/// How the names of recipient storages begin.
pub(super) const RECIPIENT: &str = "__recip_version1.0_#";
/// How the names of attachment storages begin.
pub(super) const ATTACHMENT: &str = "__attach_version1.0_#";
/// How the names of value streams begin.
pub(super) const VALUE: &str = "__substg1.0_";
/// PidTagStoreSupportMask, which tells whether the strings of the file are Unicode.
pub(super) const STORE_SUPPORT_MASK: PropTag = PropTag(0x340D_0003);
/// What it says in a file of Outlook's that is.
pub(super) const UNICODE: i32 = 0x0004_0E79;
/// PROPATTR_READABLE and PROPATTR_WRITABLE.
const FLAGS: u32 = 0x6;
/// The size that an entry of a PtypObject tells.
const OBJECT_SIZE: u32 = u32::MAX;

/// The header of a property stream, by the object it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Top,
    Embedded,
    Part,
}

impl Place {
    /// Bytes of the header.
    pub fn header(self) -> usize {
        match self {
            Self::Top => size_of::<TopHeader>(),
            Self::Embedded => size_of::<EmbeddedHeader>(),
            Self::Part => 8,
        }
    }
}

/// [MS-OXMSG] 2.4.1.2, without the eight reserved bytes that only the top has.
#[derive(FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(super) struct EmbeddedHeader {
    reserved: [u8; 8],
    next_recipient: U32,
    next_attachment: U32,
    recipients: U32,
    attachments: U32,
}

const _: () = assert!(size_of::<EmbeddedHeader>() == 24);

impl EmbeddedHeader {
    pub fn new(recipients: usize, attachments: usize) -> Self {
        let (recipients, attachments) = (U32::new(recipients as u32), U32::new(attachments as u32));
        Self { reserved: [0; 8], next_recipient: recipients, next_attachment: attachments, recipients, attachments }
    }
}

/// [MS-OXMSG] 2.4.1.1.
#[derive(FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(super) struct TopHeader {
    pub counts: EmbeddedHeader,
    pub reserved: [u8; 8],
}

const _: () = assert!(size_of::<TopHeader>() == 32);

/// An entry of a property stream ([MS-OXMSG] 2.4.2).
#[derive(Debug, Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(super) struct Entry {
    tag: U32,
    flags: U32,
    /// The value, or its size and a word that tells what an object is.
    value: [u8; 8],
}

const _: () = assert!(size_of::<Entry>() == 16);

impl Entry {
    pub fn tag(&self) -> PropTag {
        PropTag(self.tag.get())
    }

    fn new(tag: PropTag, value: [u8; 8]) -> Self {
        Self { tag: U32::new(tag.0), flags: U32::new(FLAGS), value }
    }

    /// The entry of a value that stands in it.
    pub fn fixed(tag: PropTag, value: &Value) -> Option<Self> {
        let mut bytes = [0; 8];
        let mut put = |from: &[u8]| bytes.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
        match value {
            Value::Null => {}
            Value::I16(v) => put(&v.to_le_bytes()),
            Value::I32(v) => put(&v.to_le_bytes()),
            Value::Error(v) => put(&v.to_le_bytes()),
            Value::F32(v) => put(&v.to_le_bytes()),
            Value::F64(v) | Value::FloatingTime(v) => put(&v.to_le_bytes()),
            Value::Currency(v) | Value::I64(v) => put(&v.to_le_bytes()),
            Value::Bool(v) => put(&[u8::from(*v)]),
            Value::Time(v) => put(&v.to_le_bytes()),
            _ => return None,
        }
        Some(Self::new(tag, bytes))
    }

    /// The entry of a value in a stream of its own.
    pub fn variable(tag: PropTag, size: u64) -> Self {
        // Strings count the NUL that their stream has not.
        let more = match tag.ty() {
            PropType::STRING => 2,
            PropType::STRING8 => 1,
            _ => 0,
        };
        let size = (size + more).min(u64::from(u32::MAX)) as u32;
        Self::with_size(tag, size, 0)
    }

    /// The entry of an object in a storage: 1 for an embedded message, 4 for any other.
    pub fn object(tag: PropTag, kind: u32) -> Self {
        Self::with_size(tag, OBJECT_SIZE, kind)
    }

    fn with_size(tag: PropTag, size: u32, kind: u32) -> Self {
        let mut bytes = [0; 8];
        bytes.iter_mut().zip(size.to_le_bytes().into_iter().chain(kind.to_le_bytes())).for_each(|(to, b)| *to = b);
        Self::new(tag, bytes)
    }

    /// The value that stands in it; `None` if it stands in a stream.
    pub fn inline(&self) -> Option<Value> {
        let [a, b, c, d, ..] = self.value;
        let (two, four, eight) = ([a, b], [a, b, c, d], self.value);
        Some(match self.tag().ty() {
            PropType::NULL => Value::Null,
            PropType::INTEGER16 => Value::I16(i16::from_le_bytes(two)),
            PropType::INTEGER32 => Value::I32(i32::from_le_bytes(four)),
            PropType::FLOATING32 => Value::F32(f32::from_le_bytes(four)),
            PropType::FLOATING64 => Value::F64(f64::from_le_bytes(eight)),
            PropType::CURRENCY => Value::Currency(i64::from_le_bytes(eight)),
            PropType::FLOATING_TIME => Value::FloatingTime(f64::from_le_bytes(eight)),
            PropType::ERROR => Value::Error(u32::from_le_bytes(four)),
            PropType::BOOLEAN => Value::Bool(u16::from_le_bytes(two) != 0),
            PropType::INTEGER64 => Value::I64(i64::from_le_bytes(eight)),
            PropType::TIME => Value::Time(u64::from_le_bytes(eight)),
            _ => return None,
        })
    }
}

/// The entries behind the header of a property stream; what is too short for one is left.
pub(super) fn entries(stream: &[u8], place: Place) -> Vec<Entry> {
    let rest = stream.get(place.header()..).unwrap_or_default();
    rest.chunks_exact(size_of::<Entry>()).filter_map(|c| Entry::read_from_bytes(c).ok()).collect()
}

/// The name of the stream of a value.
pub(super) fn stream_name(tag: PropTag) -> String {
    format!("{VALUE}{:08X}", tag.0)
}

/// The tag in the name of a value stream; `None` for other names, and for elements of multi-valued properties.
pub(super) fn tag_of(name: &str) -> Option<PropTag> {
    let digits = name.strip_prefix(VALUE).filter(|d| d.len() == 8)?;
    u32::from_str_radix(digits, 16).ok().map(PropTag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_in_entries() {
        for value in [
            Value::Null,
            Value::I16(-2),
            Value::I32(-70_000),
            Value::F32(1.5),
            Value::F64(-2.5),
            Value::Currency(12),
            Value::FloatingTime(3.25),
            Value::Error(7),
            Value::Bool(true),
            Value::I64(i64::MIN),
            Value::Time(u64::MAX),
        ] {
            let ty = match value {
                Value::Null => PropType::NULL,
                Value::I16(_) => PropType::INTEGER16,
                Value::I32(_) => PropType::INTEGER32,
                Value::F32(_) => PropType::FLOATING32,
                Value::F64(_) => PropType::FLOATING64,
                Value::Currency(_) => PropType::CURRENCY,
                Value::FloatingTime(_) => PropType::FLOATING_TIME,
                Value::Error(_) => PropType::ERROR,
                Value::Bool(_) => PropType::BOOLEAN,
                Value::I64(_) => PropType::INTEGER64,
                _ => PropType::TIME,
            };
            let entry = Entry::fixed(PropTag::new(0x1234, ty), &value).unwrap();
            assert_eq!(format!("{:?}", entry.inline().unwrap()), format!("{value:?}"));
        }
    }

    #[test]
    fn names_and_sizes() {
        let tag = PropTag(0x0037_001F);
        assert_eq!(stream_name(tag), "__substg1.0_0037001F");
        assert_eq!(tag_of("__substg1.0_0037001F"), Some(tag));
        assert_eq!(tag_of("__substg1.0_8012101F-00000000"), None);
        assert_eq!(Entry::variable(tag, 10).value, [12, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(Entry::variable(PropTag(0x1013_0102), 10).value, [10, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(entries(&[0; 8 + 35], Place::Part).len(), 2);
    }
}
