//! Properties and reports as JSON.

use pst_core::Result;
use pst_core::mapi::{Attachment, Blob, Message, Prop, PropBag, PropType, Value, tag};
use pst_core::pipeline::{Failure, Note};
use serde_json::{Map, Value as Json, json};

/// Binary values longer than this are given by size and SHA-256 alone.
pub const LONG: u64 = 64 << 10;

/// A value on one line. What terminals take for commands is escaped, beyond what JSON asks for.
pub fn line(value: &Json) -> String {
    let text = value.to_string();
    if !text.contains(char::is_control) {
        return text;
    }
    let escaped = |c: char| if c.is_control() { format!("\\u{:04x}", u32::from(c)) } else { c.to_string() };
    text.chars().map(escaped).collect()
}

/// An item that could not be moved.
pub fn failure(f: &Failure) -> Json {
    json!({"folder": f.folder, "item": f.id, "error": f.error.to_string()})
}

/// A remark about an item.
pub fn note(n: &Note) -> Json {
    json!({"folder": n.folder, "item": n.id, "code": n.warning.code.name(), "warning": n.warning.text})
}

/// A message with its recipients and attachments. Embedded messages are nested, to the depth that was read.
///
/// # Errors
/// When a long value cannot be read.
pub fn message(message: &Message) -> Result<Json> {
    let recipients: Vec<Json> = message.recipients.iter().map(bag).collect::<Result<_>>()?;
    let attachments: Vec<Json> = message.attachments.iter().map(attachment).collect::<Result<_>>()?;
    Ok(json!({ "properties": bag(&message.props)?, "recipients": recipients, "attachments": attachments }))
}

fn attachment(a: &Attachment) -> Result<Json> {
    let mut out = Map::new();
    out.insert("properties".to_owned(), bag(&a.props)?);
    if let Some(inner) = &a.embedded {
        out.insert("message".to_owned(), message(inner)?);
    }
    Ok(Json::Object(out))
}

/// The properties of one object, in their order.
///
/// # Errors
/// When a long value cannot be read.
pub fn bag(bag: &PropBag) -> Result<Json> {
    bag.0.iter().map(prop).collect::<Result<Vec<_>>>().map(Json::Array)
}

fn prop(p: &Prop) -> Result<Json> {
    let mut out = Map::new();
    match &p.name {
        Some(name) => out.insert("named".to_owned(), json!(name.to_string())),
        None => out.insert("id".to_owned(), json!(format!("0x{:04X}", p.tag.id()))),
    };
    out.insert("type".to_owned(), json!(format!("0x{:04X}", p.tag.ty())));
    if let Some(known) = p.name.is_none().then(|| tag::name_of(p.tag)).flatten() {
        out.insert("name".to_owned(), json!(known));
    }
    value(&p.value, p.tag.prop_type(), &mut out)?;
    Ok(Json::Object(out))
}

fn value(v: &Value, ty: PropType, out: &mut Map<String, Json>) -> Result<()> {
    let mut put = |key: &str, j: Json| out.insert(key.to_owned(), j);
    match v {
        Value::Null => put("value", Json::Null),
        Value::I16(n) => put("value", json!(n)),
        Value::I32(n) => put("value", json!(n)),
        Value::F32(n) => put("value", json!(n)),
        Value::F64(n) | Value::FloatingTime(n) => put("value", json!(n)),
        Value::Currency(n) | Value::I64(n) => put("value", json!(n)),
        Value::Error(n) => put("value", json!(n)),
        Value::Bool(b) => put("value", json!(b)),
        Value::Time(t) => {
            if let Some(stamp) = pst_core::mapi::time::to_timestamp(*t) {
                put("time", json!(stamp.to_string()));
            }
            put("value", json!(t))
        }
        Value::Guid(g) => put("value", json!(pst_core::mapi::Guid(*g).to_string())),
        Value::Unicode(b) => {
            if String::from_utf16(&units(b)).is_err() || b.len() % 2 == 1 {
                put("hex", json!(hex(b)));
            }
            put("value", json!(v.to_text()))
        }
        Value::String8(b) => {
            put("hex", json!(hex(b)));
            put("value", json!(v.to_text()))
        }
        Value::Multi(b) => {
            if ty.0 == PropType::MULTI | PropType::STRING
                && let Some(parts) = Value::multi_parts(b)
            {
                let texts: Vec<String> = parts.iter().map(|p| String::from_utf16_lossy(&units(p))).collect();
                put("texts", json!(texts));
            }
            put("hex", json!(hex(b)))
        }
        Value::Other(b) => put("hex", json!(hex(b))),
        Value::Binary(b) | Value::Object(b) => return blob(b, out),
    };
    Ok(())
}

fn blob(b: &Blob, out: &mut Map<String, Json>) -> Result<()> {
    if b.len() <= LONG {
        out.insert("hex".to_owned(), json!(hex(&b.to_vec(LONG)?)));
    } else {
        out.insert("size".to_owned(), json!(b.len()));
        out.insert("sha256".to_owned(), json!(pst_core::mapi::value::sha256(b)?));
    }
    Ok(())
}

fn units(bytes: &[u8]) -> Vec<u16> {
    bytes.chunks_exact(2).filter_map(|c| c.try_into().ok().map(u16::from_le_bytes)).collect()
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut s, b| {
        let _ = write!(s, "{b:02x}");
        s
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_hold_no_commands_and_say_the_same() {
        let value = json!({"name": "\u{1b}[2J\u{9b}2J\u{7f}\r\né\\"});
        let line = line(&value);
        assert!(!line.contains(char::is_control), "{line:?}");
        assert_eq!(serde_json::from_str::<Json>(&line).unwrap(), value);
    }
}
