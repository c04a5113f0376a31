//! JSON to what the lines tell of. A member that is not as it should be is an error; one that is not known is passed
//! over.

use super::lines::Store;
use super::slim::Slim;
use super::value::{Kind as Form, joined, natural};
use super::write::role_of;
use crate::error::{Error, Kind, Result};
use crate::mapi::{
    Attachment, Blob, Code, Guid, MAX_DEPTH, Message, Name, NamedProp, Prop, PropBag, PropTag, PropType, Value, Warning,
};
use crate::pipeline::Folder;
use serde_json::{Map, Value as Json};
use std::sync::Arc;

type Object = Map<String, Json>;

/// What a line tells of.
pub(super) enum Line {
    Header { format: String, version: u64 },
    Names(Vec<NamedProp>),
    Store(Store),
    Folder(Folder),
    Item { path: Vec<String>, associated: bool },
    End { folders: Option<u64>, items: Option<u64> },
    Other(String),
}

/// An item, whole.
pub(super) struct Whole {
    pub id: String,
    pub associated: bool,
    pub message: Message,
    pub warnings: Vec<Warning>,
}

/// Reads a line.
///
/// # Errors
/// When it is no JSON, or not as it should be.
pub(super) fn line(slim: &Slim) -> Result<Line> {
    let json = parse(slim)?;
    let object = object(&json, "the line")?;
    let read = Reader { left: &slim.left };
    Ok(match text(object, "type")? {
        "header" => Line::Header {
            format: text(object, "format")?.to_owned(),
            version: object.get("version").and_then(Json::as_u64).ok_or_else(|| wrong("version", "a number"))?,
        },
        "names" => Line::Names(list(object, "names")?.iter().map(named).collect::<Result<_>>()?),
        "store" => {
            Line::Store(Store { title: text(object, "title")?.to_owned(), props: read.bag(object.get("properties"))? })
        }
        "folder" => Line::Folder(Folder {
            path: path(object)?,
            role: match object.get("role") {
                Some(word) => word.as_str().and_then(role_of).ok_or_else(|| wrong("role", "the word of a role"))?,
                None => crate::mapi::Role::None,
            },
            class: optional(object, "class")?.map(str::to_owned),
            props: read.bag(object.get("properties"))?,
            search: flag(object, "search")?,
            ..Folder::default()
        }),
        "item" => item_head(&json)?,
        "end" => Line::End {
            folders: object.get("folders").and_then(Json::as_u64),
            items: object.get("items").and_then(Json::as_u64),
        },
        other => Line::Other(other.to_owned()),
    })
}

/// What an item's line says before its message.
pub(super) fn item_head(json: &Json) -> Result<Line> {
    let object = object(json, "the line")?;
    Ok(Line::Item { path: path(object)?, associated: flag(object, "associated")? })
}

/// Reads the line of an item.
///
/// # Errors
/// When it is no JSON, or not as it should be.
pub(super) fn item(slim: &Slim) -> Result<Whole> {
    let json = parse(slim)?;
    let object = object(&json, "the line")?;
    let read = Reader { left: &slim.left };
    Ok(Whole {
        id: optional(object, "id")?.unwrap_or_default().to_owned(),
        associated: flag(object, "associated")?,
        message: read.message(object.get("message").unwrap_or(&Json::Null), 0)?,
        warnings: list(object, "warnings")?.iter().map(warning).collect::<Result<_>>()?,
    })
}

/// The depth was bounded when the line was copied, so that the parser's own bound, which is too low for messages inside
/// messages, can go.
fn parse(slim: &Slim) -> Result<Json> {
    let mut parser = serde_json::Deserializer::from_slice(&slim.text);
    parser.disable_recursion_limit();
    let mut values = parser.into_iter::<Json>();
    match (values.next(), values.next()) {
        (Some(Ok(json)), None) => Ok(json),
        (Some(Err(e)), _) | (_, Some(Err(e))) => Err(Error::new(Kind::Damaged, format!("this line is no JSON: {e}"))),
        _ => Err(Error::new(Kind::Damaged, "this line is not one JSON value")),
    }
}

fn wrong(member: &str, wanted: &str) -> Error {
    Error::new(Kind::Damaged, format!("the member {member:?} is not {wanted}"))
}

fn object<'a>(json: &'a Json, what: &str) -> Result<&'a Object> {
    json.as_object().ok_or_else(|| Error::new(Kind::Damaged, format!("{what} is no object")))
}

fn text<'a>(object: &'a Object, member: &str) -> Result<&'a str> {
    object.get(member).and_then(Json::as_str).ok_or_else(|| wrong(member, "a string"))
}

fn optional<'a>(object: &'a Object, member: &str) -> Result<Option<&'a str>> {
    if object.contains_key(member) { text(object, member).map(Some) } else { Ok(None) }
}

fn flag(object: &Object, member: &str) -> Result<bool> {
    object.get(member).map_or(Ok(false), |json| json.as_bool().ok_or_else(|| wrong(member, "true or false")))
}

fn list<'a>(object: &'a Object, member: &str) -> Result<&'a [Json]> {
    match object.get(member) {
        None => Ok(&[]),
        Some(Json::Array(items)) => Ok(items),
        Some(_) => Err(wrong(member, "a list")),
    }
}

/// A code that a later version has is taken for one that says nothing of the item's state.
fn warning(json: &Json) -> Result<Warning> {
    let object = object(json, "a warning")?;
    Ok(Code::of_name(text(object, "code")?).unwrap_or(Code::Property).with(text(object, "text")?))
}

fn strings(object: &Object, member: &str) -> Result<Vec<String>> {
    let text = |json: &Json| json.as_str().map(str::to_owned).ok_or_else(|| wrong(member, "a list of strings"));
    list(object, member)?.iter().map(text).collect()
}

fn path(object: &Object) -> Result<Vec<String>> {
    if object.contains_key("path") { strings(object, "path") } else { Err(wrong("path", "there")) }
}

fn hex(text: &str) -> Option<u64> {
    let digits = text.strip_prefix("0x").filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()))?;
    u64::from_str_radix(digits, 16).ok()
}

/// "0x001F" or a number.
fn number16(object: &Object, member: &str) -> Result<u16> {
    let parsed = match object.get(member) {
        Some(Json::String(text)) => hex(text).and_then(|n| u16::try_from(n).ok()),
        Some(json) => json.as_u64().and_then(|n| u16::try_from(n).ok()),
        None => None,
    };
    parsed.ok_or_else(|| wrong(member, "a hexadecimal number of 16 bits such as \"0x001F\""))
}

fn guid(text: &str) -> Result<Guid> {
    let wrong = || wrong("guid", "a GUID such as \"00020329-0000-0000-C000-000000000046\"");
    let digits = text.trim_start_matches('{').trim_end_matches('}').replace('-', "");
    let plain = digits.len() == 32 && digits.bytes().all(|b| b.is_ascii_hexdigit());
    let number = u128::from_str_radix(&digits, 16).ok().filter(|_| plain).ok_or_else(wrong)?;
    let [a3, a2, a1, a0, b1, b0, c1, c0, rest @ ..] = number.to_be_bytes();
    // The first three fields are stored with their low bytes first.
    let mut out = [a0, a1, a2, a3, b0, b1, c0, c1, 0, 0, 0, 0, 0, 0, 0, 0];
    out.iter_mut().skip(8).zip(rest).for_each(|(to, from)| *to = from);
    Ok(Guid(out))
}

fn named(json: &Json) -> Result<NamedProp> {
    let object = object(json, "the name of a property")?;
    let guid = guid(text(object, "guid")?)?;
    if let Some(id) = object.get("id") {
        let id = id.as_u64().and_then(|n| u32::try_from(n).ok()).ok_or_else(|| wrong("id", "a number of 32 bits"))?;
        return Ok(NamedProp { guid, name: Name::Id(id) });
    }
    let bytes = utf16(object, "name")?;
    let units = bytes.chunks_exact(2).filter_map(|c| c.try_into().ok().map(u16::from_le_bytes)).collect();
    Ok(NamedProp { guid, name: Name::Text(units) })
}

/// UTF-16LE of a string; of its "utf16" member where there is one.
fn utf16(object: &Object, member: &str) -> Result<Vec<u8>> {
    if let Some(exact) = optional(object, "utf16")? {
        return decode(exact);
    }
    match Value::text(text(object, member)?) {
        Value::Unicode(bytes) => Ok(bytes),
        _ => Ok(Vec::new()),
    }
}

fn decode(base64: &str) -> Result<Vec<u8>> {
    base64_simd::forgiving_decode_to_vec(base64.as_bytes()).map_err(|_| wrong("base64", "base64"))
}

struct Reader<'a> {
    /// Values that stay in the file.
    left: &'a [Blob],
}

impl Reader<'_> {
    /// Recursion ends at [`MAX_DEPTH`].
    fn message(&self, json: &Json, depth: usize) -> Result<Message> {
        if depth > MAX_DEPTH {
            return Err(Error::new(Kind::Limit, format!("messages are nested more than {MAX_DEPTH} deep")));
        }
        let message = object(json, "the message")?;
        let attachment = |json: &Json| {
            let attachment = object(json, "the attachment")?;
            let embedded = attachment.get("message").map(|m| self.message(m, depth + 1)).transpose()?;
            Ok(Attachment { props: self.bag(attachment.get("properties"))?, embedded: embedded.map(Box::new) })
        };
        Ok(Message {
            props: self.bag(message.get("properties"))?,
            recipients: list(message, "recipients")?.iter().map(|r| self.bag(Some(r))).collect::<Result<_>>()?,
            attachments: list(message, "attachments")?.iter().map(attachment).collect::<Result<_>>()?,
        })
    }

    fn bag(&self, json: Option<&Json>) -> Result<PropBag> {
        match json {
            None => Ok(PropBag::default()),
            Some(Json::Array(props)) => props.iter().map(|p| self.prop(p)).collect::<Result<_>>().map(PropBag),
            Some(_) => Err(wrong("properties", "a list")),
        }
    }

    fn prop(&self, json: &Json) -> Result<Prop> {
        let object = object(json, "the property")?;
        let tag = PropTag::new(number16(object, "id")?, number16(object, "type")?);
        let name = object.get("named").map(named).transpose()?.map(Arc::new);
        let form = match optional(object, "as")? {
            Some(word) => Form::of_word(word).ok_or_else(|| wrong("as", "the word of a form"))?,
            None => natural(tag),
        };
        let value = self.value(object, form, tag.ty()).map_err(|e| {
            let what = name.as_ref().map_or_else(|| tag.to_string(), ToString::to_string);
            Error::new(e.kind(), format!("property {what}: {}", e.text()))
        })?;
        Ok(Prop { tag, name, value })
    }

    fn value(&self, object: &Object, form: Form, ty: u16) -> Result<Value> {
        let whole = |bits: u32| whole(object, bits);
        Ok(match form {
            Form::Null => Value::Null,
            Form::I16 => Value::I16(whole(16)? as i16),
            Form::I32 => Value::I32(whole(32)? as i32),
            Form::I64 => Value::I64(whole(64)?),
            Form::Currency => Value::Currency(whole(64)?),
            Form::Error => Value::Error(unsigned(object, u64::from(u32::MAX))? as u32),
            Form::Time => Value::Time(unsigned(object, u64::MAX)?),
            Form::F32 => Value::F32(match bits(object, u64::from(u32::MAX))? {
                Some(bits) => f32::from_bits(bits as u32),
                None => float(object)? as f32,
            }),
            Form::F64 => Value::F64(double(object)?),
            Form::FloatingTime => Value::FloatingTime(double(object)?),
            Form::Bool => {
                Value::Bool(object.get("value").and_then(Json::as_bool).ok_or_else(|| wrong("value", "true or false"))?)
            }
            Form::Guid => Value::Guid(guid(text(object, "value")?)?.0),
            Form::Unicode => Value::Unicode(utf16(object, "value")?),
            Form::String8 => Value::String8(self.held(object)?),
            Form::Binary => Value::Binary(self.blob(object)?),
            Form::Object => Value::Object(self.blob(object)?),
            Form::Other => Value::Other(self.held(object)?),
            Form::Multi if object.contains_key("base64") => Value::Multi(self.held(object)?),
            Form::Multi => {
                let element = ty & !PropType::MULTI;
                let form = natural(PropTag::new(0, element));
                let one = |json: &Json| self.value(self::object(json, "the element")?, form, element);
                let values: Vec<Value> = list(object, "values")?.iter().map(one).collect::<Result<_>>()?;
                Value::Multi(joined(&values, ty).ok_or_else(|| wrong("values", "a list of elements of the type"))?)
            }
        })
    }

    fn blob(&self, object: &Object) -> Result<Blob> {
        match object.get("base64") {
            Some(Json::String(base64)) => decode(base64).map(Blob::Bytes),
            // What was left in the file when the line was copied.
            Some(Json::Number(at)) => {
                let left = at.as_u64().and_then(|at| self.left.get(usize::try_from(at).ok()?));
                left.cloned().ok_or_else(|| wrong("base64", "a string"))
            }
            _ => Err(wrong("base64", "a string")),
        }
    }

    /// The bytes of a value that is held.
    fn held(&self, object: &Object) -> Result<Vec<u8>> {
        match self.blob(object)? {
            Blob::Bytes(bytes) => Ok(bytes),
            blob @ Blob::Stream(_) => blob.to_vec(u64::MAX),
        }
    }
}

/// A signed integer of some bits, as a number or a string.
fn whole(object: &Object, bits: u32) -> Result<i64> {
    let parsed = match object.get("value") {
        Some(Json::String(text)) => text.parse().ok(),
        Some(json) => json.as_i64(),
        None => None,
    };
    let fits = |n: &i64| bits == 64 || (-(1i64 << (bits - 1))..1i64 << (bits - 1)).contains(n);
    parsed.filter(fits).ok_or_else(|| wrong("value", &format!("an integer of {bits} bits")))
}

fn unsigned(object: &Object, most: u64) -> Result<u64> {
    let parsed = match object.get("value") {
        Some(Json::String(text)) => text.parse().ok(),
        Some(json) => json.as_u64(),
        None => None,
    };
    parsed.filter(|n| *n <= most).ok_or_else(|| wrong("value", &format!("an integer from 0 to {most}")))
}

fn bits(object: &Object, most: u64) -> Result<Option<u64>> {
    let Some(text) = optional(object, "bits")? else { return Ok(None) };
    let parsed = hex(text).filter(|n| *n <= most);
    parsed.map(Some).ok_or_else(|| wrong("bits", "a hexadecimal number"))
}

fn float(object: &Object) -> Result<f64> {
    object.get("value").and_then(Json::as_f64).ok_or_else(|| wrong("value", "a number"))
}

fn double(object: &Object) -> Result<f64> {
    match bits(object, u64::MAX)? {
        Some(bits) => Ok(f64::from_bits(bits)),
        None => float(object),
    }
}
