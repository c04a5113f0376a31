//! Properties that no element of an item says, as extended properties.

use super::fields::{moment, text};
use super::node::Node;
use crate::mapi::fast_transfer::{Part, left_out};
use crate::mapi::{Name, Prop, PropType, Value};

/// Ids that a server makes itself or that elements of every item say: subject, bodies, conversation, creation and change.
const MADE: &[u16] = &[
    0x001A, 0x0017, 0x0036, 0x0037, 0x003D, 0x0070, 0x0071, 0x0E17, 0x0E1D, 0x0E1F, 0x0E23, 0x1000, 0x1009, 0x1013,
    0x1016, 0x1080, 0x10F2, 0x10F3, 0x3007, 0x3008, 0x300B, 0x3010, 0x3013, 0x3016, 0x3FDE, 0x3FF8, 0x3FF9, 0x3FFA,
    0x3FFB,
];
/// Longer values are no fields any more, bytes.
const LONGEST: u64 = 1 << 20;

/// A property as an element: `Ok(None)` where the server has it from elsewhere, its name where there is no way to say it.
pub(super) fn property(prop: &Prop, page: u32) -> Result<Option<Node>, String> {
    if prop.name.is_none() && (MADE.contains(&prop.tag.id()) || left_out(Part::Message, prop.tag).is_some()) {
        return Ok(None);
    }
    let name = || prop.name.as_ref().map_or_else(|| format!("0x{:04X}", prop.tag.id()), ToString::to_string);
    let said = value(prop, page).ok_or_else(name)?;
    let uri = uri(prop, said.0).ok_or_else(name)?;
    Ok(said.1.map(|value| Node::of("t:ExtendedProperty", vec![uri, value])))
}

/// Names of values that have several parts.
const SEVERAL: [(&str, &str); 9] = [
    ("Short", "ShortArray"),
    ("Integer", "IntegerArray"),
    ("Double", "DoubleArray"),
    ("Currency", "CurrencyArray"),
    ("Long", "LongArray"),
    ("String", "StringArray"),
    ("SystemTime", "SystemTimeArray"),
    ("CLSID", "CLSIDArray"),
    ("Binary", "BinaryArray"),
];

fn uri(prop: &Prop, ty: &'static str) -> Option<Node> {
    let uri = Node::text("t:ExtendedFieldURI", "");
    let uri = match &prop.name {
        // The server takes no ids from here on without a name.
        None if prop.tag.id() >= 0x8000 => return None,
        None => uri.with("PropertyTag", format!("0x{:04X}", prop.tag.id())),
        Some(name) if name.guid.0 == [0; 16] => return None,
        Some(name) => {
            let uri = uri.with("PropertySetId", name.guid.to_string().to_lowercase());
            match &name.name {
                Name::Id(id) => uri.with("PropertyId", i32::try_from(*id).ok()?.to_string()),
                Name::Text(units) => uri.with("PropertyName", String::from_utf16(units).ok()?),
            }
        }
    };
    Some(uri.with("PropertyType", ty))
}

/// The name of the type, and the element of the value; none for a value that is no more than its absence.
fn value(prop: &Prop, page: u32) -> Option<(&'static str, Option<Node>)> {
    if let Value::Multi(bytes) = &prop.value {
        let (ty, values) = values(prop.tag.0 as u16 & !PropType::MULTI, bytes, page)?;
        let several = SEVERAL.iter().find(|(one, _)| *one == ty)?.1;
        let values: Vec<Node> = values.into_iter().map(|v| Node::text("t:Value", v)).collect();
        return Some((several, Node::some("t:Values", values)));
    }
    let (ty, text) = match &prop.value {
        Value::Null | Value::Error(_) => return Some(("Null", None)),
        Value::Binary(blob) if blob.len() <= LONGEST => {
            ("Binary", base64_simd::STANDARD.encode_to_string(blob.to_vec(LONGEST).ok()?))
        }
        Value::String8(bytes) | Value::Unicode(bytes) if bytes.len() as u64 > LONGEST => return None,
        value => single(value, page)?,
    };
    Some((ty, Some(Node::text("t:Value", text))))
}

fn single(value: &Value, page: u32) -> Option<(&'static str, String)> {
    Some(match value {
        Value::I16(n) => ("Short", n.to_string()),
        Value::I32(n) => ("Integer", n.to_string()),
        Value::I64(n) => ("Long", n.to_string()),
        Value::F32(n) => ("Float", n.to_string()),
        Value::F64(n) => ("Double", n.to_string()),
        Value::FloatingTime(n) => ("ApplicationTime", n.to_string()),
        Value::Currency(n) => ("Currency", n.to_string()),
        Value::Bool(b) => ("Boolean", b.to_string()),
        Value::Time(t) => ("SystemTime", moment(*t)?),
        Value::Guid(g) => ("CLSID", crate::mapi::Guid(*g).to_string().to_lowercase()),
        Value::String8(_) | Value::Unicode(_) => ("String", text(value, page)?),
        _ => return None,
    })
}

/// The parts of a value that has several.
fn values(ty: u16, bytes: &[u8], page: u32) -> Option<(&'static str, Vec<String>)> {
    if bytes.len() as u64 > LONGEST {
        return None;
    }
    let numbers = |size: usize, name, read: &dyn Fn(&[u8]) -> Option<String>| {
        let all: Option<Vec<String>> = bytes.chunks_exact(size).map(read).collect();
        all.map(|all| (name, all))
    };
    let parts = || Value::multi_parts(bytes);
    match ty {
        PropType::INTEGER16 => numbers(2, "Short", &|b| Some(i16::from_le_bytes(b.try_into().ok()?).to_string())),
        PropType::INTEGER32 => numbers(4, "Integer", &|b| Some(i32::from_le_bytes(b.try_into().ok()?).to_string())),
        PropType::INTEGER64 => numbers(8, "Long", &|b| Some(i64::from_le_bytes(b.try_into().ok()?).to_string())),
        PropType::FLOATING64 => numbers(8, "Double", &|b| Some(f64::from_le_bytes(b.try_into().ok()?).to_string())),
        PropType::TIME => numbers(8, "SystemTime", &|b| moment(u64::from_le_bytes(b.try_into().ok()?))),
        PropType::GUID => {
            numbers(16, "CLSID", &|b| Some(crate::mapi::Guid(b.try_into().ok()?).to_string().to_lowercase()))
        }
        PropType::STRING => {
            let one = |b: &[u8]| text(&Value::Unicode(b.to_vec()), page);
            Some(("String", parts()?.into_iter().filter_map(one).collect()))
        }
        PropType::STRING8 => {
            let one = |b: &[u8]| text(&Value::String8(b.to_vec()), page);
            Some(("String", parts()?.into_iter().filter_map(one).collect()))
        }
        PropType::BINARY => {
            let one = |b: &[u8]| base64_simd::STANDARD.encode_to_string(b);
            Some(("Binary", parts()?.into_iter().map(one).collect()))
        }
        _ => None,
    }
}
