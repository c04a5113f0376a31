//! MAPI property lists inside TNEF ([MS-OXTNEF] 2.1.3.4).

use crate::mapi::{
    Blob, Code, Guid, MAX_DEPTH, Message, Name, NamedProp, Prop, PropBag, PropTag, PropType, Value, Warning, codepage,
};
use std::sync::Arc;

/// IID_IMessage, {00020307-0000-0000-C000-000000000046}: an embedded message.
const MESSAGE: Guid = Guid::ole(0x0002_0307);

/// What a list holds.
pub(super) struct List {
    pub bag: PropBag,
    pub embedded: Option<Box<Message>>,
    pub warnings: Vec<Warning>,
    /// False if something of it was lost.
    pub complete: bool,
}

/// Takes a number from the front.
pub(super) fn u32(rest: &mut &[u8]) -> Option<u32> {
    let (bytes, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(u32::from_le_bytes(*bytes))
}

fn u16(rest: &mut &[u8]) -> Option<u16> {
    let (bytes, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(u16::from_le_bytes(*bytes))
}

/// Takes bytes, and those that fill them up to a multiple of four.
fn padded<'a>(rest: &mut &'a [u8], len: usize) -> Option<&'a [u8]> {
    let (bytes, after) = rest.split_at_checked(len)?;
    let fill = (len.next_multiple_of(4) - len).min(after.len());
    *rest = after.get(fill..).unwrap_or_default();
    Some(bytes)
}

/// Reads a list and leaves `rest` behind it; `page` is the code page of 8-bit strings.
pub(super) fn read(rest: &mut &[u8], page: u32, depth: usize) -> List {
    let mut list = List { bag: PropBag::default(), embedded: None, warnings: Vec::new(), complete: true };
    let Some(count) = u32(rest) else {
        list.warnings.push(Code::Tnef.with("a TNEF property list ends before it begins"));
        list.complete = false;
        return list;
    };
    for i in 0..count {
        if read_one(rest, page, depth, &mut list).is_none() {
            list.warnings.push(Code::Tnef.with(format!("a TNEF property list ends after {i} of {count} properties")));
            list.complete = false;
            *rest = &[];
            break;
        }
    }
    list
}

fn read_one(rest: &mut &[u8], page: u32, depth: usize, list: &mut List) -> Option<()> {
    let (ty, id) = (u16(rest)?, u16(rest)?);
    let name = if id >= 0x8000 { Some(Arc::new(name(rest)?)) } else { None };
    let single = ty & !PropType::MULTI;
    let is_multi = ty & PropType::MULTI != 0;
    let counted = matches!(single, PropType::STRING8 | PropType::STRING | PropType::BINARY | PropType::OBJECT);
    let count = if is_multi || counted { u32(rest)? } else { 1 };
    let mut values = Vec::new();
    for _ in 0..count {
        values.push(if counted {
            let len = u32(rest)? as usize;
            padded(rest, len)?
        } else {
            fixed(rest, single)?
        });
    }
    let mut push =
        |ty: u16, value: Value| list.bag.0.push(Prop { tag: PropTag::new(id, ty), name: name.clone(), value });
    if is_multi {
        let (ty, value) = multi(ty, &values, page);
        push(ty, value);
        return Some(());
    }
    let Some(first) = values.first().copied() else {
        // A count of none: the property has no value.
        return Some(());
    };
    match single {
        PropType::STRING8 => push(PropType::STRING, Value::text(&codepage::decode(page, until_nul(first)))),
        PropType::STRING => push(ty, Value::Unicode(first.strip_suffix(&[0, 0]).unwrap_or(first).to_vec())),
        PropType::BINARY => push(ty, Value::binary(first)),
        PropType::OBJECT => {
            let (kind, data) = first.split_at_checked(16)?;
            if kind != MESSAGE.0 {
                push(ty, Value::Object(Blob::Bytes(data.to_vec())));
                return Some(());
            }
            match super::decode(data, depth + 1).filter(|_| depth < MAX_DEPTH) {
                Some(inner) => {
                    list.complete &= inner.complete;
                    list.warnings.extend(inner.warnings);
                    list.embedded = Some(Box::new(inner.message));
                }
                None => {
                    list.complete = false;
                    list.warnings.push(Code::Tnef.with("a message inside a TNEF stream could not be decoded"));
                }
            }
        }
        _ => push(ty, inline(single, first)),
    }
    if values.len() > 1 {
        list.complete = false;
        list.warnings
            .push(Code::Tnef.with(format!("the TNEF property 0x{id:04X} has more than one value; the first is kept")));
    }
    Some(())
}

/// The name of a named property ([MS-OXTNEF] 2.1.3.4, MsgPropertyName).
fn name(rest: &mut &[u8]) -> Option<NamedProp> {
    let (guid, after) = rest.split_first_chunk::<16>()?;
    *rest = after;
    let guid = Guid(*guid);
    if u32(rest)? == 0 {
        return Some(NamedProp { guid, name: Name::Id(u32(rest)?) });
    }
    let len = u32(rest)? as usize;
    let bytes = padded(rest, len)?;
    let units = bytes.chunks_exact(2).filter_map(|c| c.try_into().ok().map(u16::from_le_bytes));
    Some(NamedProp { guid, name: Name::Text(units.take_while(|u| *u != 0).collect()) })
}

/// The bytes of a value of fixed size, which take a multiple of four.
fn fixed<'a>(rest: &mut &'a [u8], ty: u16) -> Option<&'a [u8]> {
    match PropType(ty).fixed_size() {
        Some(2) => padded(rest, 2),
        // A boolean has two bytes here.
        Some(1) => padded(rest, 2).and_then(|b| b.get(..1)),
        Some(size) => padded(rest, size),
        None if ty == PropType::NULL => Some(&[]),
        None => None,
    }
}

fn inline(ty: u16, bytes: &[u8]) -> Value {
    let value = || {
        Some(match ty {
            PropType::INTEGER16 => Value::I16(i16::from_le_bytes(bytes.try_into().ok()?)),
            PropType::INTEGER32 => Value::I32(i32::from_le_bytes(bytes.try_into().ok()?)),
            PropType::FLOATING32 => Value::F32(f32::from_le_bytes(bytes.try_into().ok()?)),
            PropType::FLOATING64 => Value::F64(f64::from_le_bytes(bytes.try_into().ok()?)),
            PropType::CURRENCY => Value::Currency(i64::from_le_bytes(bytes.try_into().ok()?)),
            PropType::FLOATING_TIME => Value::FloatingTime(f64::from_le_bytes(bytes.try_into().ok()?)),
            PropType::ERROR => Value::Error(u32::from_le_bytes(bytes.try_into().ok()?)),
            PropType::BOOLEAN => Value::Bool(bytes != [0]),
            PropType::INTEGER64 => Value::I64(i64::from_le_bytes(bytes.try_into().ok()?)),
            PropType::TIME => Value::Time(u64::from_le_bytes(bytes.try_into().ok()?)),
            PropType::GUID => Value::Guid(bytes.try_into().ok()?),
            _ => return None,
        })
    };
    value().unwrap_or(Value::Null)
}

fn multi(ty: u16, values: &[&[u8]], page: u32) -> (u16, Value) {
    match ty & !PropType::MULTI {
        PropType::STRING8 => {
            let texts: Vec<String> = values.iter().map(|v| codepage::decode(page, until_nul(v))).collect();
            (PropType::MULTI | PropType::STRING, Value::texts(&texts))
        }
        PropType::STRING => {
            let parts: Vec<Vec<u8>> = values.iter().map(|v| v.strip_suffix(&[0, 0]).unwrap_or(v).to_vec()).collect();
            (ty, Value::binaries(&parts))
        }
        PropType::BINARY | PropType::OBJECT => {
            let parts: Vec<Vec<u8>> = values.iter().map(|v| v.to_vec()).collect();
            (ty, Value::binaries(&parts))
        }
        _ => (ty, Value::Multi(values.concat())),
    }
}

fn until_nul(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
    bytes.get(..end).unwrap_or_default()
}
