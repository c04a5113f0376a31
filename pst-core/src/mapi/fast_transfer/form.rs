//! The form of a property in a stream ([MS-OXCFXICS] 2.2.4.1).

use super::container::{CHUNK, Chunks};
use super::{PAGED, SERVER_ID, UTF_16, fixed_size, is_multi, terminator};
use crate::error::{Error, Kind, Result};
use crate::mapi::{Blob, Name, NamedProp, Prop, PropType, Value, codepage};
use std::borrow::Cow;

/// Bytes of a tag and a name at most, which one chunk has to hold.
const LONGEST_NAME: usize = CHUNK / 2;

/// A value as a stream has it.
pub(super) struct Form<'v> {
    /// The type that the stream gives it.
    pub ty: u16,
    shape: Shape<'v>,
    /// What was lost, as the end of a sentence about the property.
    pub loss: Option<String>,
}

enum Shape<'v> {
    /// A value of fixed size.
    Fixed(Vec<u8>),
    /// Bytes behind their length; strings without the zero at their end.
    Variable(Cow<'v, [u8]>),
    /// Data that may be many.
    Long(&'v Blob),
    /// Elements of fixed size behind their number.
    Elements(&'v [u8], usize),
    /// Elements behind their number, each behind its length; strings without the zero at their end.
    Parts(Vec<Cow<'v, [u8]>>),
}

impl<'v> Form<'v> {
    /// The form of a property's value; `page` is the code page of 8-bit strings. The error is the end of a sentence that
    /// says why there is none.
    pub fn of(prop: &'v Prop, page: u32) -> std::result::Result<Self, String> {
        let fixed = |ty: u16, bytes: &[u8]| Ok(Self { ty, shape: Shape::Fixed(bytes.to_vec()), loss: None });
        match &prop.value {
            Value::I16(v) => fixed(PropType::INTEGER16, &v.to_le_bytes()),
            Value::I32(v) => fixed(PropType::INTEGER32, &v.to_le_bytes()),
            Value::F32(v) => fixed(PropType::FLOATING32, &v.to_le_bytes()),
            Value::F64(v) => fixed(PropType::FLOATING64, &v.to_le_bytes()),
            Value::Currency(v) => fixed(PropType::CURRENCY, &v.to_le_bytes()),
            Value::FloatingTime(v) => fixed(PropType::FLOATING_TIME, &v.to_le_bytes()),
            Value::Error(v) => fixed(PropType::ERROR, &v.to_le_bytes()),
            Value::Bool(v) => fixed(PropType::BOOLEAN, &u16::from(*v).to_le_bytes()),
            Value::I64(v) => fixed(PropType::INTEGER64, &v.to_le_bytes()),
            Value::Time(v) => fixed(PropType::TIME, &v.to_le_bytes()),
            Value::Guid(v) => fixed(PropType::GUID, v),
            Value::Unicode(bytes) => {
                let (bytes, loss) = even(Cow::Borrowed(bytes));
                Ok(Self { ty: UTF_16, shape: Shape::Variable(bytes), loss })
            }
            Value::String8(bytes) => {
                let (bytes, loss) = decoded(bytes, page);
                Ok(Self { ty: UTF_16, shape: Shape::Variable(bytes.into()), loss })
            }
            Value::Binary(blob) => Ok(Self { ty: PropType::BINARY, shape: Shape::Long(blob), loss: None }),
            Value::Object(blob) => Ok(Self { ty: PropType::OBJECT, shape: Shape::Long(blob), loss: None }),
            Value::Multi(bytes) => Self::multi(prop.tag.ty(), bytes, page),
            // The width of the length of a PtypServerId differs between readers of the specification.
            Value::Other(bytes) if prop.tag.ty() & PAGED != 0 && prop.tag.ty() != SERVER_ID => {
                Ok(Self { ty: prop.tag.ty(), shape: Shape::Variable(bytes.into()), loss: None })
            }
            Value::Null | Value::Other(_) => {
                Err(format!("has the type 0x{:04X}, which a FastTransfer stream cannot carry", prop.tag.ty()))
            }
        }
    }

    fn multi(ty: u16, bytes: &'v [u8], page: u32) -> std::result::Result<Self, String> {
        if !is_multi(ty) {
            return Err(format!("has the type 0x{ty:04X}, which a FastTransfer stream cannot carry"));
        }
        if let Some(size) = fixed_size(ty) {
            let extra = bytes.len() % size;
            let loss = (extra > 0).then(|| format!("loses {extra} bytes at its end, which are no whole element"));
            let whole = bytes.get(..bytes.len() - extra).unwrap_or_default();
            return Ok(Self { ty, shape: Shape::Elements(whole, size), loss });
        }
        let parts = if bytes.is_empty() { Some(Vec::new()) } else { Value::multi_parts(bytes) };
        let Some(parts) = parts else { return Err("has elements whose offsets contradict each other".to_owned()) };
        let mut loss = None;
        let parts = parts.into_iter().map(|part| {
            let (part, lost) = match ty & !PropType::MULTI {
                PropType::STRING8 => {
                    let (text, lost) = decoded(part, page);
                    (Cow::Owned(text), lost)
                }
                PropType::STRING => even(Cow::Borrowed(part)),
                _ => (Cow::Borrowed(part), None),
            };
            loss = loss.take().or(lost);
            part
        });
        let parts = parts.collect();
        let is_text = ty == PropType::MULTI | PropType::STRING8;
        let ty = if is_text { PropType::MULTI_STRING } else { ty };
        Ok(Self { ty, shape: Shape::Parts(parts), loss })
    }

    /// Writes the value behind its tag.
    ///
    /// # Errors
    /// When the value is too long for a stream, cannot be read, or the writer refuses.
    pub fn write(&self, to: &mut Chunks<'_>) -> Result<()> {
        match &self.shape {
            Shape::Fixed(bytes) => to.whole(bytes),
            Shape::Variable(bytes) => variable(to, self.ty, bytes),
            Shape::Long(blob) => {
                to.whole(&length(blob.len())?)?;
                to.blob(blob)
            }
            Shape::Elements(bytes, size) => {
                to.whole(&length((bytes.len() / size) as u64)?)?;
                to.bytes(bytes, *size)
            }
            Shape::Parts(parts) => {
                to.whole(&length(parts.len() as u64)?)?;
                parts.iter().try_for_each(|part| variable(to, self.ty & !PropType::MULTI, part))
            }
        }
    }
}

fn variable(to: &mut Chunks<'_>, ty: u16, bytes: &[u8]) -> Result<()> {
    let end = terminator(ty);
    to.whole(&length((bytes.len() + end.len()) as u64)?)?;
    to.bytes(bytes, end.len().max(1))?;
    to.whole(end)
}

fn length(bytes: u64) -> Result<[u8; 4]> {
    let text = || Error::new(Kind::Limit, format!("a value of {bytes} bytes is too long for a FastTransfer stream"));
    u32::try_from(bytes).map(u32::to_le_bytes).map_err(|_| text())
}

/// UTF-16 without half a unit at its end.
fn even(bytes: Cow<'_, [u8]>) -> (Cow<'_, [u8]>, Option<String>) {
    if bytes.len().is_multiple_of(2) {
        return (bytes, None);
    }
    let mut whole = bytes.into_owned();
    whole.pop();
    (Cow::Owned(whole), Some("loses the last byte, which is half a character".to_owned()))
}

/// An 8-bit string in UTF-16LE.
fn decoded(bytes: &[u8], page: u32) -> (Vec<u8>, Option<String>) {
    let text = codepage::decode(page, bytes);
    let loss = text.contains('\u{FFFD}').then(|| format!("has bytes that are no text in code page {page}"));
    let mut out = Vec::new();
    crate::mapi::value::push_utf16(&text, &mut out);
    (out, loss)
}

/// A tag, and the name behind it; `None` if the name has no form.
pub(super) fn head(id: u16, ty: u16, name: Option<&NamedProp>) -> Option<Vec<u8>> {
    let mut out = [ty.to_le_bytes(), id.to_le_bytes()].concat();
    let Some(name) = name else { return Some(out) };
    out.extend_from_slice(&name.guid.0);
    match &name.name {
        Name::Id(lid) => {
            out.push(0);
            out.extend_from_slice(&lid.to_le_bytes());
        }
        Name::Text(units) => {
            if units.contains(&0) || 2 * units.len() > LONGEST_NAME {
                return None;
            }
            out.push(1);
            out.extend(units.iter().chain(&[0]).flat_map(|u| u.to_le_bytes()));
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapi::named::{PS_PUBLIC_STRINGS, PSETID_COMMON};
    use crate::mapi::{PropTag, Value};

    fn stream(ty: u16, value: Value) -> (u16, Vec<u8>, Option<String>) {
        let prop = Prop { tag: PropTag::new(0x6800, ty), name: None, value };
        let form = Form::of(&prop, 1251).unwrap();
        let mut out = Vec::new();
        let mut chunks = Chunks::begin(Some(&mut out), super::super::Version::default()).unwrap();
        form.write(&mut chunks).unwrap();
        chunks.finish().unwrap();
        (form.ty, out.split_off(62 + 8), form.loss)
    }

    #[test]
    fn values() {
        let bytes = |ty, value| stream(ty, value).1;
        assert_eq!(bytes(0x000B, Value::Bool(true)), [1, 0]);
        assert_eq!(bytes(0x0003, Value::I32(-2)), [0xFE, 0xFF, 0xFF, 0xFF]);
        assert_eq!(bytes(0x0102, Value::binary([7, 8])), [2, 0, 0, 0, 7, 8]);
        assert_eq!(stream(0x001F, Value::text("a")), (0x84B0, vec![4, 0, 0, 0, b'a', 0, 0, 0], None));
        assert_eq!(bytes(0x001F, Value::text("")), [2, 0, 0, 0, 0, 0]);
        assert_eq!(bytes(0x1003, Value::Multi(vec![1, 0, 0, 0, 2, 0, 0, 0])), [2, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0]);
        let texts = [2, 0, 0, 0, 4, 0, 0, 0, b'a', 0, 0, 0, 2, 0, 0, 0, 0, 0];
        assert_eq!(bytes(0x101F, Value::texts(&["a", ""])), texts);
        assert_eq!(bytes(0x1102, Value::binaries(&[vec![9]])), [1, 0, 0, 0, 1, 0, 0, 0, 9]);
        assert_eq!(bytes(0x1102, Value::Multi(Vec::new())), [0; 4]);
    }

    #[test]
    fn eight_bit_strings_are_decoded() {
        assert_eq!(stream(0x001E, Value::String8(vec![0xCF])), (0x84B0, vec![4, 0, 0, 0, 0x1F, 4, 0, 0], None));
        let (ty, bytes, _) = stream(0x101E, Value::binaries(&[vec![0xCF]]));
        assert_eq!((ty, bytes), (0x101F, vec![1, 0, 0, 0, 4, 0, 0, 0, 0x1F, 4, 0, 0]));
    }

    #[test]
    fn what_is_damaged_is_said() {
        let (_, bytes, loss) = stream(0x001F, Value::Unicode(vec![b'a', 0, b'b']));
        assert_eq!(bytes, [4, 0, 0, 0, b'a', 0, 0, 0]);
        assert!(loss.is_some());
        assert!(stream(0x1003, Value::Multi(vec![0; 6])).2.is_some());
        for (ty, value) in [
            (0x00FD, Value::Other(vec![1])),
            (0x00FB, Value::Other(vec![1])),
            (0x0000, Value::Null),
            (0x100B, Value::Multi(vec![1])),
            (0x101F, Value::Multi(vec![9; 4])),
        ] {
            let prop = Prop { tag: PropTag::new(0x6800, ty), name: None, value };
            assert!(Form::of(&prop, 1252).is_err(), "{ty:04X}");
        }
    }

    #[test]
    fn names() {
        assert_eq!(head(0x001A, 0x84B0, None).unwrap(), [0xB0, 0x84, 0x1A, 0]);
        let numbered = head(0x8000, 3, Some(&NamedProp::id(PSETID_COMMON, 0x8501))).unwrap();
        assert_eq!(numbered.len(), 4 + 16 + 1 + 4);
        assert_eq!(numbered[20..], [0, 0x01, 0x85, 0, 0]);
        let text = head(0x8001, 3, Some(&NamedProp::text(PS_PUBLIC_STRINGS, "k"))).unwrap();
        assert_eq!(text[20..], [1, b'k', 0, 0, 0]);
        assert_eq!(head(0x8001, 3, Some(&NamedProp::text(PS_PUBLIC_STRINGS, "a\0b"))), None);
        assert_eq!(head(0x8001, 3, Some(&NamedProp::text(PS_PUBLIC_STRINGS, &"a".repeat(9000)))), None);
    }
}
