//! Properties as JSON: the type tells the form of a value, and what is for people stands beside what is exact.

use crate::mapi::{Blob, Name, NamedProp, Prop, PropBag, PropTag, PropType, Stream, Value, codepage, tag, time};
use std::io::Write as _;
use std::sync::Arc;

/// Integers up to this are numbers: programs that hold numbers as doubles keep them exactly.
const SAFE: u64 = 1 << 53;

/// JSON text, with streams whose base64 belongs into it at some places.
#[derive(Default)]
pub(super) struct Text {
    /// The text without the streams.
    pub bytes: Vec<u8>,
    /// The streams, each with its place in the text.
    pub streams: Vec<(usize, Arc<dyn Stream>)>,
}

impl Text {
    /// Appends text as it is.
    pub fn raw(&mut self, text: &str) {
        self.bytes.extend_from_slice(text.as_bytes());
    }

    /// Appends a string in quotes.
    pub fn string(&mut self, text: &str) {
        // Writing into a vector cannot fail.
        let _ = serde_json::to_writer(&mut self.bytes, text);
    }

    /// Appends the strings of a list.
    pub fn strings(&mut self, list: &[String]) {
        self.list(list, |out, text| out.string(text));
    }

    /// Appends a list.
    pub fn list<T>(&mut self, items: &[T], mut one: impl FnMut(&mut Self, &T)) {
        self.raw("[");
        for (i, item) in items.iter().enumerate() {
            if i > 0 {
                self.raw(",");
            }
            one(self, item);
        }
        self.raw("]");
    }

    fn base64(&mut self, bytes: &[u8]) {
        self.raw("\"");
        base64_simd::STANDARD.encode_append(bytes, &mut self.bytes);
        self.raw("\"");
    }

    fn blob(&mut self, blob: &Blob) {
        match blob {
            Blob::Bytes(bytes) => self.base64(bytes),
            Blob::Stream(stream) => {
                self.raw("\"");
                self.streams.push((self.bytes.len(), Arc::clone(stream)));
                self.raw("\"");
            }
        }
    }

    /// Appends the properties of an object; 8-bit strings are shown as text of a code page.
    pub fn bag(&mut self, bag: &PropBag, page: u32) {
        self.list(&bag.0, |out, prop| out.prop(prop, page));
    }

    fn prop(&mut self, prop: &Prop, page: u32) {
        let _ = write!(self.bytes, "{{\"id\":\"0x{:04X}\",\"type\":\"0x{:04X}\"", prop.tag.id(), prop.tag.ty());
        match &prop.name {
            Some(name) => {
                self.raw(",\"named\":");
                self.name(name);
            }
            None => {
                if let Some(known) = tag::name_of(prop.tag) {
                    self.raw(",\"name\":");
                    self.string(known);
                }
            }
        }
        if natural(prop.tag) != kind(&prop.value) {
            let _ = write!(self.bytes, ",\"as\":\"{}\"", kind(&prop.value).word());
        }
        self.raw(",");
        self.value(&prop.value, prop.tag.ty(), page);
        self.raw("}");
    }

    /// Appends the name of a named property.
    pub fn name(&mut self, name: &NamedProp) {
        let _ = write!(self.bytes, "{{\"guid\":\"{}\",", name.guid);
        match &name.name {
            Name::Id(id) => _ = write!(self.bytes, "\"id\":{id}"),
            Name::Text(units) => {
                self.raw("\"name\":");
                let bytes: Vec<u8> = units.iter().flat_map(|u| u.to_le_bytes()).collect();
                self.utf16(&bytes);
            }
        }
        self.raw("}");
    }

    /// Appends a string; if its text alone would not give it back, its bytes too.
    fn utf16(&mut self, bytes: &[u8]) {
        let utf16 = encoding_rs::UTF_16LE;
        match utf16.decode_without_bom_handling_and_without_replacement(bytes) {
            Some(text) => self.string(&text),
            None => {
                self.string(&utf16.decode_without_bom_handling(bytes).0);
                self.raw(",\"utf16\":");
                self.base64(bytes);
            }
        }
    }

    /// Appends the members of a value.
    fn value(&mut self, value: &Value, ty: u16, page: u32) {
        match value {
            Value::Binary(blob) | Value::Object(blob) => {
                self.raw("\"base64\":");
                self.blob(blob);
                return;
            }
            Value::Other(bytes) => {
                self.raw("\"base64\":");
                self.base64(bytes);
                return;
            }
            Value::Multi(bytes) => {
                self.multi(bytes, ty, page);
                return;
            }
            _ => self.raw("\"value\":"),
        }
        match value {
            Value::I16(n) => _ = write!(self.bytes, "{n}"),
            Value::I32(n) => _ = write!(self.bytes, "{n}"),
            Value::Error(n) => _ = write!(self.bytes, "{n}"),
            Value::Bool(b) => _ = write!(self.bytes, "{b}"),
            Value::I64(n) | Value::Currency(n) => self.integer(n.unsigned_abs(), *n < 0),
            Value::F32(n) => self.float(f64::from(*n), &format!("{n:?}"), u64::from(n.to_bits()), 8),
            Value::F64(n) | Value::FloatingTime(n) => self.float(*n, &format!("{n:?}"), n.to_bits(), 16),
            Value::Time(t) => {
                self.integer(*t, false);
                if let Some(stamp) = time::to_timestamp(*t) {
                    let _ = write!(self.bytes, ",\"time\":\"{stamp}\"");
                }
            }
            Value::Guid(guid) => _ = write!(self.bytes, "\"{}\"", crate::mapi::Guid(*guid)),
            Value::Unicode(bytes) => self.utf16(bytes),
            Value::String8(bytes) => {
                self.string(&codepage::decode(page, bytes));
                self.raw(",\"base64\":");
                self.base64(bytes);
            }
            _ => self.raw("null"),
        }
    }

    fn integer(&mut self, magnitude: u64, negative: bool) {
        let sign = if negative { "-" } else { "" };
        let quote = if magnitude > SAFE { "\"" } else { "" };
        let _ = write!(self.bytes, "{quote}{sign}{magnitude}{quote}");
    }

    /// A floating-point number: what it is about, and its bits.
    fn float(&mut self, number: f64, shown: &str, bits: u64, digits: usize) {
        self.raw(if number.is_finite() { shown } else { "null" });
        let _ = write!(self.bytes, ",\"bits\":\"0x{bits:0digits$X}\"");
    }

    /// The elements of a multi-valued property; its bytes where they are not stored as elements are.
    fn multi(&mut self, bytes: &[u8], ty: u16, page: u32) {
        let element = ty & !PropType::MULTI;
        let Some(values) = elements(bytes, ty).filter(|v| joined(v, ty).as_deref() == Some(bytes)) else {
            self.raw("\"base64\":");
            self.base64(bytes);
            return;
        };
        self.raw("\"values\":");
        self.list(&values, |out, value| {
            out.raw("{");
            out.value(value, element, page);
            out.raw("}");
        });
    }
}

/// The forms that values have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Null,
    I16,
    I32,
    F32,
    F64,
    Currency,
    FloatingTime,
    Error,
    Bool,
    I64,
    Time,
    Guid,
    String8,
    Unicode,
    Binary,
    Object,
    Multi,
    Other,
}

/// The words for forms, where a form is not the one of its type.
const WORDS: &[(Kind, &str)] = &[
    (Kind::Null, "null"),
    (Kind::I16, "integer16"),
    (Kind::I32, "integer32"),
    (Kind::F32, "floating32"),
    (Kind::F64, "floating64"),
    (Kind::Currency, "currency"),
    (Kind::FloatingTime, "floatingTime"),
    (Kind::Error, "errorCode"),
    (Kind::Bool, "boolean"),
    (Kind::I64, "integer64"),
    (Kind::Time, "time"),
    (Kind::Guid, "guid"),
    (Kind::String8, "string8"),
    (Kind::Unicode, "string"),
    (Kind::Binary, "binary"),
    (Kind::Object, "object"),
    (Kind::Multi, "multi"),
    (Kind::Other, "other"),
];

impl Kind {
    fn word(self) -> &'static str {
        WORDS.iter().find(|(kind, _)| *kind == self).map_or("other", |(_, word)| word)
    }

    /// The form that a word stands for.
    pub fn of_word(word: &str) -> Option<Self> {
        WORDS.iter().find(|(_, w)| *w == word).map(|(kind, _)| *kind)
    }
}

/// The form that values of a type have.
pub(super) fn natural(tag: PropTag) -> Kind {
    match tag.ty() {
        PropType::NULL => Kind::Null,
        PropType::INTEGER16 => Kind::I16,
        PropType::INTEGER32 => Kind::I32,
        PropType::FLOATING32 => Kind::F32,
        PropType::FLOATING64 => Kind::F64,
        PropType::CURRENCY => Kind::Currency,
        PropType::FLOATING_TIME => Kind::FloatingTime,
        PropType::ERROR => Kind::Error,
        PropType::BOOLEAN => Kind::Bool,
        PropType::INTEGER64 => Kind::I64,
        PropType::TIME => Kind::Time,
        PropType::GUID => Kind::Guid,
        PropType::STRING8 => Kind::String8,
        PropType::STRING => Kind::Unicode,
        PropType::BINARY => Kind::Binary,
        PropType::OBJECT => Kind::Object,
        ty if PropType(ty).is_multi() => Kind::Multi,
        _ => Kind::Other,
    }
}

fn kind(value: &Value) -> Kind {
    match value {
        Value::Null => Kind::Null,
        Value::I16(_) => Kind::I16,
        Value::I32(_) => Kind::I32,
        Value::F32(_) => Kind::F32,
        Value::F64(_) => Kind::F64,
        Value::Currency(_) => Kind::Currency,
        Value::FloatingTime(_) => Kind::FloatingTime,
        Value::Error(_) => Kind::Error,
        Value::Bool(_) => Kind::Bool,
        Value::I64(_) => Kind::I64,
        Value::Time(_) => Kind::Time,
        Value::Guid(_) => Kind::Guid,
        Value::String8(_) => Kind::String8,
        Value::Unicode(_) => Kind::Unicode,
        Value::Binary(_) => Kind::Binary,
        Value::Object(_) => Kind::Object,
        Value::Multi(_) => Kind::Multi,
        Value::Other(_) => Kind::Other,
    }
}

/// The elements of a multi-valued property; `None` for types whose elements are not known, or that contradict.
fn elements(bytes: &[u8], ty: u16) -> Option<Vec<Value>> {
    match PropType(ty).fixed_size() {
        Some(size) if bytes.len().is_multiple_of(size) => bytes.chunks_exact(size).map(|c| fixed(ty, c)).collect(),
        Some(_) => None,
        None => Value::multi_parts(bytes)?.into_iter().map(|part| variable(ty, part)).collect(),
    }
}

fn fixed(ty: u16, bytes: &[u8]) -> Option<Value> {
    Some(match ty & !PropType::MULTI {
        PropType::INTEGER16 => Value::I16(i16::from_le_bytes(bytes.try_into().ok()?)),
        PropType::INTEGER32 => Value::I32(i32::from_le_bytes(bytes.try_into().ok()?)),
        PropType::ERROR => Value::Error(u32::from_le_bytes(bytes.try_into().ok()?)),
        PropType::BOOLEAN => Value::Bool(bytes != [0]),
        PropType::FLOATING32 => Value::F32(f32::from_le_bytes(bytes.try_into().ok()?)),
        PropType::FLOATING64 => Value::F64(f64::from_le_bytes(bytes.try_into().ok()?)),
        PropType::FLOATING_TIME => Value::FloatingTime(f64::from_le_bytes(bytes.try_into().ok()?)),
        PropType::CURRENCY => Value::Currency(i64::from_le_bytes(bytes.try_into().ok()?)),
        PropType::INTEGER64 => Value::I64(i64::from_le_bytes(bytes.try_into().ok()?)),
        PropType::TIME => Value::Time(u64::from_le_bytes(bytes.try_into().ok()?)),
        PropType::GUID => Value::Guid(bytes.try_into().ok()?),
        _ => return None,
    })
}

fn variable(ty: u16, bytes: &[u8]) -> Option<Value> {
    Some(match ty & !PropType::MULTI {
        PropType::STRING => Value::Unicode(bytes.to_vec()),
        PropType::STRING8 => Value::String8(bytes.to_vec()),
        PropType::BINARY => Value::binary(bytes),
        _ => return None,
    })
}

/// The stored form of elements ([MS-PST] 2.3.3.4); `None` for values that cannot be elements of the type.
pub(super) fn joined(values: &[Value], ty: u16) -> Option<Vec<u8>> {
    if PropType(ty).fixed_size().is_none() {
        let part = |v: &Value| match v {
            Value::Unicode(b) | Value::String8(b) => Some(b.clone()),
            v => v.as_bytes().map(<[u8]>::to_vec),
        };
        let parts: Vec<Vec<u8>> = values.iter().map(part).collect::<Option<_>>()?;
        return match Value::binaries(&parts) {
            Value::Multi(bytes) => Some(bytes),
            _ => None,
        };
    }
    let mut out = Vec::new();
    for value in values {
        match value {
            Value::I16(n) => out.extend_from_slice(&n.to_le_bytes()),
            Value::I32(n) => out.extend_from_slice(&n.to_le_bytes()),
            Value::Error(n) => out.extend_from_slice(&n.to_le_bytes()),
            Value::Bool(b) => out.push(u8::from(*b)),
            Value::F32(n) => out.extend_from_slice(&n.to_le_bytes()),
            Value::F64(n) | Value::FloatingTime(n) => out.extend_from_slice(&n.to_le_bytes()),
            Value::Currency(n) | Value::I64(n) => out.extend_from_slice(&n.to_le_bytes()),
            Value::Time(n) => out.extend_from_slice(&n.to_le_bytes()),
            Value::Guid(guid) => out.extend_from_slice(guid),
            _ => return None,
        }
    }
    Some(out)
}
