//! Property values and the property bag.

use super::lid::Lid;
use super::named::NamedProp;
use super::ptype::PropType;
use super::tag::PropTag;
use super::wide;
use crate::error::Result;
use std::io::{BufRead, BufReader, Read};
use std::sync::Arc;

/// Bytes of a stream that are read at once, where the stream has no measure of its own.
const BUFFER: usize = 64 << 10;

/// Bytes that may be too many to hold: the data of an attachment, read when they are needed.
pub trait Stream: Send + Sync {
    /// Exact number of bytes that [`Stream::open`] yields.
    fn len(&self) -> u64;

    /// True for no bytes.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A reader over the bytes from the first on; errors name the structure that could not be read.
    fn open(&self) -> Result<Box<dyn Read + Send + '_>>;

    /// As [`Stream::open`]; what the reader has read at once can be looked at where it stands.
    fn open_buffered(&self) -> Result<Box<dyn BufRead + Send + '_>> {
        Ok(Box::new(BufReader::with_capacity(BUFFER, self.open()?)))
    }
}

/// Blobs one after the other.
pub struct Chain(pub Vec<Blob>);

impl Stream for Chain {
    fn len(&self) -> u64 {
        self.0.iter().map(Blob::len).sum()
    }

    fn open(&self) -> Result<Box<dyn Read + Send + '_>> {
        let mut all: Box<dyn Read + Send> = Box::new(std::io::empty());
        for blob in &self.0 {
            all = Box::new(all.chain(blob.open()?));
        }
        Ok(all)
    }
}

/// Binary data, in memory or streamed.
#[derive(Clone)]
pub enum Blob {
    /// Held in memory.
    Bytes(Vec<u8>),
    /// Read on demand.
    Stream(Arc<dyn Stream>),
}

impl Blob {
    /// Number of bytes.
    pub fn len(&self) -> u64 {
        match self {
            Self::Bytes(b) => b.len() as u64,
            Self::Stream(s) => s.len(),
        }
    }

    /// True for no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A reader over the bytes.
    pub fn open(&self) -> Result<Box<dyn Read + Send + '_>> {
        match self {
            Self::Bytes(b) => Ok(Box::new(b.as_slice())),
            Self::Stream(s) => s.open(),
        }
    }

    /// All bytes in memory; `limit` bounds what is read.
    pub fn to_vec(&self, limit: u64) -> Result<Vec<u8>> {
        match self {
            Self::Bytes(b) => Ok(b.clone()),
            Self::Stream(s) => {
                let mut out = Vec::with_capacity(s.len().min(limit).min(1 << 24) as usize);
                s.open()?
                    .take(limit)
                    .read_to_end(&mut out)
                    .map_err(|e| crate::Error::new(crate::Kind::Io, format!("cannot read a long value: {e}")))?;
                Ok(out)
            }
        }
    }

    /// The bytes, if they are in memory.
    pub fn bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Bytes(b) => Some(b),
            Self::Stream(_) => None,
        }
    }
}

impl std::fmt::Debug for Blob {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bytes(b) => write!(f, "Bytes({})", b.len()),
            Self::Stream(s) => write!(f, "Stream({})", s.len()),
        }
    }
}

/// A property value. Strings keep their stored bytes, so a copy is exact even where they are not valid text.
#[derive(Debug, Clone)]
pub enum Value {
    /// PtypNull, or an unspecified value without data.
    Null,
    /// PtypInteger16.
    I16(i16),
    /// PtypInteger32.
    I32(i32),
    /// PtypFloating32.
    F32(f32),
    /// PtypFloating64.
    F64(f64),
    /// PtypCurrency, 1/10000 units.
    Currency(i64),
    /// PtypFloatingTime, days since 1899-12-30.
    FloatingTime(f64),
    /// PtypErrorCode.
    Error(u32),
    /// PtypBoolean.
    Bool(bool),
    /// PtypInteger64.
    I64(i64),
    /// PtypTime: FILETIME, 100 ns since 1601-01-01 UTC.
    Time(u64),
    /// PtypGuid, as stored.
    Guid([u8; 16]),
    /// PtypString8: bytes in the store's or message's code page, without terminator.
    String8(Vec<u8>),
    /// PtypString: UTF-16LE bytes, without terminator.
    Unicode(Vec<u8>),
    /// PtypBinary.
    Binary(Blob),
    /// PtypObject whose data are raw bytes (OLE); an embedded message stands in [`super::Attachment::embedded`].
    Object(Blob),
    /// A multi-valued property in its LTP form ([MS-PST] 2.3.3.4): packed elements, or count, offsets and data.
    Multi(Vec<u8>),
    /// A type that this program does not know: its bytes (four where the type's values are inline).
    Other(Vec<u8>),
}

impl Value {
    /// A PtypString of a text. Zeros at its end are left out: readers take them for the end of the text.
    pub fn text(text: &str) -> Self {
        let text = text.trim_end_matches('\0');
        let mut bytes = Vec::with_capacity(2 * text.len());
        push_utf16(text, &mut bytes);
        Self::Unicode(bytes)
    }

    /// A PtypBinary of bytes in memory.
    pub fn binary(bytes: impl Into<Vec<u8>>) -> Self {
        Self::Binary(Blob::Bytes(bytes.into()))
    }

    /// A multi-valued PtypString (type 0x101F) in its stored form.
    pub fn texts<S: AsRef<str>>(items: &[S]) -> Self {
        let parts: Vec<Vec<u8>> = items
            .iter()
            .map(|s| {
                let mut bytes = Vec::new();
                push_utf16(s.as_ref(), &mut bytes);
                bytes
            })
            .collect();
        Self::binaries(&parts)
    }

    /// A multi-valued PtypBinary (type 0x1102) in its stored form.
    pub fn binaries(parts: &[Vec<u8>]) -> Self {
        let mut out = (parts.len() as u32).to_le_bytes().to_vec();
        let mut at = 4 + 4 * parts.len();
        for part in parts {
            out.extend_from_slice(&(at as u32).to_le_bytes());
            at += part.len();
        }
        for part in parts {
            out.extend_from_slice(part);
        }
        Self::Multi(out)
    }

    /// Splits a stored multi-valued variable-size value into its elements' bytes; `None` if offsets contradict.
    pub fn multi_parts(bytes: &[u8]) -> Option<Vec<&[u8]>> {
        let count = u32::from_le_bytes(bytes.get(..4)?.try_into().ok()?) as usize;
        let table = bytes.get(4..4usize.checked_add(count.checked_mul(4)?)?)?;
        let mut ends: Vec<usize> =
            table.chunks_exact(4).filter_map(|c| c.try_into().ok().map(|a| u32::from_le_bytes(a) as usize)).collect();
        ends.push(bytes.len());
        ends.windows(2).map(|w| bytes.get(*w.first()?..*w.get(1)?)).collect()
    }

    /// The text of a PtypString, or of a PtypString8 in windows-1252; unpaired surrogates become U+FFFD.
    pub fn to_text(&self) -> Option<String> {
        match self {
            Self::Unicode(b) => Some(wide::utf_16le(b)),
            Self::String8(b) => Some(encoding_rs::WINDOWS_1252.decode_without_bom_handling(b).0.into_owned()),
            _ => None,
        }
    }

    /// The value of a PtypInteger32 or PtypInteger16.
    pub fn as_i32(&self) -> Option<i32> {
        match self {
            Self::I32(v) => Some(*v),
            Self::I16(v) => Some(i32::from(*v)),
            _ => None,
        }
    }

    /// The value of a PtypBoolean.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(v) => Some(*v),
            _ => None,
        }
    }

    /// The FILETIME of a PtypTime.
    pub fn as_time(&self) -> Option<u64> {
        match self {
            Self::Time(v) => Some(*v),
            _ => None,
        }
    }

    /// The bytes of a PtypBinary that is in memory.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Binary(b) | Self::Object(b) => b.bytes(),
            _ => None,
        }
    }

    /// Number of bytes of the value as [MS-PST] counts it: 4 for Integer32, 1 for Boolean, 8 for Time, byte length otherwise.
    pub fn size(&self) -> u64 {
        match self {
            Self::Null => 0,
            Self::I16(_) => 2,
            Self::I32(_) | Self::F32(_) | Self::Error(_) => 4,
            Self::Bool(_) => 1,
            Self::F64(_) | Self::Currency(_) | Self::FloatingTime(_) | Self::I64(_) | Self::Time(_) => 8,
            Self::Guid(_) => 16,
            Self::String8(b) | Self::Unicode(b) | Self::Multi(b) | Self::Other(b) => b.len() as u64,
            Self::Binary(b) | Self::Object(b) => b.len(),
        }
    }
}

/// Appends a text in UTF-16LE, without terminator.
pub fn push_utf16(text: &str, out: &mut Vec<u8>) {
    let start = out.len();
    if text.is_ascii() {
        out.resize(start + 2 * text.len(), 0);
        let room = out.get_mut(start..).unwrap_or_default();
        for (unit, byte) in room.as_chunks_mut::<2>().0.iter_mut().zip(text.bytes()) {
            *unit = [byte, 0];
        }
        return;
    }
    let mut units = [0; 1024];
    let mut rest = text;
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(rest.floor_char_boundary(units.len() - 1));
        rest = after;
        let count = encoding_rs::mem::convert_str_to_utf16(piece, &mut units);
        let start = out.len();
        out.resize(start + 2 * count, 0);
        let room = out.get_mut(start..).unwrap_or_default();
        for (two, unit) in room.as_chunks_mut::<2>().0.iter_mut().zip(&units) {
            *two = unit.to_le_bytes();
        }
    }
}

/// One property: tag, name (for ids from 0x8000) and value.
#[derive(Debug, Clone)]
pub struct Prop {
    /// The tag; for a named property the id is that of the store it came from and means nothing elsewhere.
    pub tag: PropTag,
    /// The name of a named property; `None` for ids below 0x8000, or when the store does not map the id.
    pub name: Option<Arc<NamedProp>>,
    /// The value.
    pub value: Value,
}

/// The properties of one object, in the order they were read or set. The truth about the object.
#[derive(Debug, Clone, Default)]
pub struct PropBag(pub Vec<Prop>);

impl PropBag {
    /// The value of a property by its tag (id and type).
    pub fn get(&self, tag: PropTag) -> Option<&Value> {
        self.0.iter().find(|p| p.tag == tag && p.name.is_none()).map(|p| &p.value)
    }

    /// The value of a property by id, whatever its type.
    pub fn any(&self, id: u16) -> Option<&Value> {
        self.0.iter().find(|p| p.tag.id() == id && p.name.is_none()).map(|p| &p.value)
    }

    /// The value of a named property, whatever its type.
    pub fn named(&self, name: &NamedProp) -> Option<&Value> {
        self.0.iter().find(|p| p.name.as_deref() == Some(name)).map(|p| &p.value)
    }

    /// Sets a property, replacing one with the same tag.
    pub fn set(&mut self, tag: PropTag, value: Value) {
        match self.0.iter_mut().find(|p| p.tag == tag && p.name.is_none()) {
            Some(prop) => prop.value = value,
            None => self.0.push(Prop { tag, name: None, value }),
        }
    }

    /// Sets a named property of a type, replacing one with the same name and type.
    pub fn set_named(&mut self, name: Arc<NamedProp>, ty: u16, value: Value) {
        match self.0.iter_mut().find(|p| p.tag.ty() == ty && p.name.as_deref() == Some(&*name)) {
            Some(prop) => prop.value = value,
            None => self.0.push(Prop { tag: PropTag::new(0x8000, ty), name: Some(name), value }),
        }
    }

    /// The value of a numbered property, whatever its type.
    pub fn lid(&self, lid: Lid) -> Option<&Value> {
        self.named(&lid.name())
    }

    /// Sets a numbered property with its usual type.
    pub fn set_lid(&mut self, lid: Lid, value: Value) {
        self.set_named(Arc::new(lid.name()), lid.ty, value);
    }

    /// Removes every property with an id, whatever its type.
    pub fn remove(&mut self, id: u16) {
        self.0.retain(|p| p.tag.id() != id || p.name.is_some());
    }

    /// The text of a string property (PtypString or PtypString8) by the id of `tag`.
    pub fn text(&self, tag: PropTag) -> Option<String> {
        self.0.iter().filter(|p| p.tag.id() == tag.id() && p.name.is_none()).find_map(|p| p.value.to_text())
    }

    /// The integer of a property by tag.
    pub fn i32(&self, tag: PropTag) -> Option<i32> {
        self.get(tag).and_then(Value::as_i32)
    }

    /// The boolean of a property by tag.
    pub fn bool(&self, tag: PropTag) -> Option<bool> {
        self.get(tag).and_then(Value::as_bool)
    }

    /// The FILETIME of a property by tag.
    pub fn time(&self, tag: PropTag) -> Option<u64> {
        self.get(tag).and_then(Value::as_time)
    }

    /// The in-memory bytes of a binary property by tag.
    pub fn bytes(&self, tag: PropTag) -> Option<&[u8]> {
        self.get(tag).and_then(Value::as_bytes)
    }
}

/// True for types whose values stand in the four bytes of a PC record or cell ([MS-PST] 2.3.3.3).
pub const fn is_inline(ty: u16) -> bool {
    matches!(
        ty,
        PropType::INTEGER16
            | PropType::INTEGER32
            | PropType::FLOATING32
            | PropType::ERROR
            | PropType::BOOLEAN
            | PropType::NULL
    )
}

/// The SHA-256 of a blob in lower-case hexadecimal, read in pieces.
///
/// # Errors
/// When its stream cannot be read.
pub fn sha256(blob: &Blob) -> Result<String> {
    use sha2::{Digest, Sha256};
    use std::fmt::Write;
    let mut hash = Sha256::new();
    let mut reader = blob.open()?;
    let mut piece = vec![0; 64 << 10];
    loop {
        let n = reader
            .read(&mut piece)
            .map_err(|e| crate::Error::new(crate::Kind::Io, format!("cannot read a long value: {e}")))?;
        if n == 0 {
            break;
        }
        hash.update(piece.get(..n).unwrap_or_default());
    }
    Ok(hash.finalize().iter().fold(String::new(), |mut s, b| {
        let _ = write!(s, "{b:02x}");
        s
    }))
}
