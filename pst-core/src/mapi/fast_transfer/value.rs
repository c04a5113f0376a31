//! Values of a stream, read ([MS-OXCFXICS] 2.2.4.1).

use super::records::Records;
use super::{PAGED, SERVER_ID, UTF_16, fixed_size, is_multi, terminator};
use crate::error::{Error, Result};
use crate::mapi::{Blob, Guid, Name, NamedProp, PropType, Value, codepage};

/// The code page of UTF-16LE.
const WIDE: u32 = 1200;
/// The code page of UTF-16BE.
const WIDE_BIG: u32 = 1201;

/// A value, the type that a bag gives it, and what is wrong with it.
pub(super) struct Read {
    pub ty: u16,
    pub value: Value,
    /// The end of a sentence about the property.
    pub doubt: Option<String>,
}

/// Reads a value of a type.
///
/// # Errors
/// When the stream ends inside it, or the type is none of a FastTransfer stream.
pub(super) fn read(from: &mut Records<'_>, ty: u16) -> Result<Read> {
    let sure = |ty: u16, value: Value| Ok(Read { ty, value, doubt: None });
    match ty {
        PropType::INTEGER16 => sure(ty, Value::I16(i16::from_le_bytes(from.array()?))),
        PropType::INTEGER32 => sure(ty, Value::I32(i32::from_le_bytes(from.array()?))),
        PropType::FLOATING32 => sure(ty, Value::F32(f32::from_le_bytes(from.array()?))),
        PropType::FLOATING64 => sure(ty, Value::F64(f64::from_le_bytes(from.array()?))),
        PropType::CURRENCY => sure(ty, Value::Currency(i64::from_le_bytes(from.array()?))),
        PropType::FLOATING_TIME => sure(ty, Value::FloatingTime(f64::from_le_bytes(from.array()?))),
        PropType::ERROR => sure(ty, Value::Error(from.u32()?)),
        PropType::BOOLEAN => sure(ty, Value::Bool(from.array::<2>()? != [0, 0])),
        PropType::INTEGER64 => sure(ty, Value::I64(i64::from_le_bytes(from.array()?))),
        PropType::TIME => sure(ty, Value::Time(u64::from_le_bytes(from.array()?))),
        PropType::GUID => sure(ty, Value::Guid(from.array()?)),
        PropType::STRING => sure(ty, Value::Unicode(string(from, ty)?)),
        PropType::STRING8 => sure(ty, Value::String8(string(from, ty)?)),
        PropType::BINARY => sure(ty, Value::Binary(Blob::Bytes(from.counted()?))),
        PropType::OBJECT => sure(ty, Value::Object(Blob::Bytes(from.counted()?))),
        SERVER_ID => sure(ty, Value::Other(from.counted()?)),
        ty if ty & PAGED != 0 => paged(from, ty),
        ty if is_multi(ty) => sure(ty, multi(from, ty)?),
        _ => {
            let text = format!("0x{ty:04X} is no property type of a FastTransfer stream");
            Err(Error::damaged("FastTransfer stream", text))
        }
    }
}

/// A string without the zero at its end, which some writers leave out.
fn string(from: &mut Records<'_>, ty: u16) -> Result<Vec<u8>> {
    let mut bytes = from.counted()?;
    let end = terminator(ty);
    if bytes.ends_with(end) {
        bytes.truncate(bytes.len() - end.len());
    }
    Ok(bytes)
}

/// The code page of a type, which has 15 bits for it: pages from 0x8000 on lose their highest.
fn page_of(ty: u16) -> Option<u32> {
    [ty & !PAGED, ty].into_iter().map(u32::from).find(|page| codepage::is_known(*page))
}

/// A string in a code page, or several. In a code page that is not known it stays as it is.
fn paged(from: &mut Records<'_>, ty: u16) -> Result<Read> {
    let multi = ty & !PropType::MULTI;
    match page_of(ty) {
        Some(WIDE) => Ok(Read { ty: PropType::STRING, value: Value::Unicode(string(from, UTF_16)?), doubt: None }),
        Some(page) => {
            let bytes = string(from, if page == WIDE_BIG { UTF_16 } else { PropType::STRING8 })?;
            let text = codepage::decode(page, &bytes);
            let doubt =
                text.contains('\u{FFFD}').then(|| format!("has bytes that are no text in its code page {page}"));
            Ok(Read { ty: PropType::STRING, value: Value::text(&text), doubt })
        }
        None if multi != ty && page_of(multi) == Some(WIDE) => {
            let value = parts(from, UTF_16)?;
            Ok(Read { ty: PropType::MULTI_STRING, value, doubt: None })
        }
        None => {
            let doubt = Some(format!("is text in a code page that is not known (type 0x{ty:04X}); it is kept unread"));
            Ok(Read { ty, value: Value::Other(from.counted()?), doubt })
        }
    }
}

fn multi(from: &mut Records<'_>, ty: u16) -> Result<Value> {
    let Some(size) = fixed_size(ty) else { return parts(from, ty & !PropType::MULTI) };
    let bytes = u64::from(from.u32()?) * size as u64;
    let mut out = Vec::new();
    from.append(bytes, &mut out)?;
    Ok(Value::Multi(out))
}

/// Elements of variable size.
fn parts(from: &mut Records<'_>, single: u16) -> Result<Value> {
    let count = from.u32()?;
    let mut parts = Vec::new();
    for _ in 0..count {
        parts.push(string(from, single)?);
    }
    Ok(Value::binaries(&parts))
}

/// The name behind a tag from 0x8000 on.
///
/// # Errors
/// When the stream ends inside it, or it is neither a number nor a text.
pub(super) fn name(from: &mut Records<'_>) -> Result<NamedProp> {
    let guid = Guid(from.array()?);
    let name = match from.array::<1>()? {
        [0] => Name::Id(from.u32()?),
        [1] => {
            let mut units = Vec::new();
            loop {
                match u16::from_le_bytes(from.array()?) {
                    0 => break Name::Text(units),
                    unit => units.push(unit),
                }
            }
        }
        [kind] => {
            let text = format!("the name of a property is of the kind {kind}, which is not known");
            return Err(Error::damaged("FastTransfer stream", text));
        }
    };
    Ok(NamedProp { guid, name })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_pages_of_types() {
        assert_eq!(page_of(0x84B0), Some(1200));
        assert_eq!(page_of(0x84E4), Some(1252));
        assert_eq!(page_of(0x83A4), Some(932));
        assert_eq!(page_of(0xFDE9), Some(65001));
        assert_eq!(page_of(0xD182), Some(20866), "the bit of multi-valued types is part of it");
        assert_eq!(page_of(0x94B0), None);
    }
}
