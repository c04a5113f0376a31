//! A decoder of what Exchange exports and imports, for the test servers alone: written from [MS-OXCFXICS] 2.2.4 and from
//! nothing of ours, and strict, so that what our encoder and decoder both get wrong does not stay hidden.

use std::collections::BTreeMap;

/// Names of properties: the id and the type in hexadecimal ("0037:001f"), or set and name.
pub type Bag = BTreeMap<String, Vec<u8>>;

/// An item.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Blob {
    pub props: Bag,
    pub recipients: Vec<Bag>,
    pub attachments: Vec<(Bag, Option<Blob>)>,
}

impl Blob {
    /// The text of a property that is a string.
    pub fn text(&self, id: &str) -> Option<String> {
        text(&self.props, id)
    }
}

/// The text of a property of a bag, by its id ("0037") or name.
pub fn text(bag: &Bag, id: &str) -> Option<String> {
    let bytes = bag.iter().find(|(name, _)| name.rsplit_once(':').is_some_and(|(n, ty)| n == id && ty == "84b0"))?.1;
    let units: Vec<u16> = bytes.chunks(2).map(|c| u16::from_le_bytes([c[0], c[1]])).collect();
    let units = units.strip_suffix(&[0]).expect("a string ends in a zero");
    Some(String::from_utf16(units).unwrap())
}

pub fn decode(blob: &[u8]) -> Result<Blob, String> {
    let stream = records(blob)?;
    let mut at = Cursor { bytes: &stream, at: 0 };
    let item = message(&mut at, None)?;
    Ok(item)
}

/// The container: Config, IsInterfaceOk, TellPartnerVersion, then the buffers.
fn records(blob: &[u8]) -> Result<Vec<u8>, String> {
    let mut at = Cursor { bytes: blob, at: 0 };
    let mut stream = Vec::new();
    let mut nth = 0;
    while at.at < blob.len() {
        let (opcode, length) = (at.u32()?, at.u32()? as usize);
        let payload = at.take(length)?;
        match (nth, opcode) {
            (0, 1) if payload == [0, 0, 0, 0, 1, 0, 0, 0] => {}
            (1, 3) => {
                let message = [7, 3, 2, 0, 0, 0, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0x46];
                if length != 0x18 || payload[..4] != [1, 0, 0, 0] || payload[4..20] != message {
                    return Err("IsInterfaceOk does not name IMessage".into());
                }
            }
            (2, 4) if length == 6 && payload[1] >= 0x0E => {}
            (3.., 2) => {
                if length == 0 || length > 0x7BC0 {
                    return Err(format!("a chunk of {length} bytes"));
                }
                stream.extend(payload);
            }
            other => return Err(format!("record {} is a {}", other.0, other.1)),
        }
        nth += 1;
    }
    if nth < 4 { Err("too few records".into()) } else { Ok(stream) }
}

struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn take(&mut self, n: usize) -> Result<&'a [u8], String> {
        let out = self.bytes.get(self.at..self.at + n).ok_or(format!("the data end at {}", self.at))?;
        self.at += n;
        Ok(out)
    }

    fn u32(&mut self) -> Result<u32, String> {
        Ok(u32::from_le_bytes(self.take(4)?.try_into().unwrap()))
    }

    fn peek(&self) -> Option<u32> {
        Some(u32::from_le_bytes(self.bytes.get(self.at..self.at + 4)?.try_into().unwrap()))
    }
}

const START_EMBED: u32 = 0x4001_0003;
const END_EMBED: u32 = 0x4002_0003;
const START_RECIP: u32 = 0x4003_0003;
const END_RECIP: u32 = 0x4004_0003;
const NEW_ATTACH: u32 = 0x4000_0003;
const END_ATTACH: u32 = 0x400E_0003;
const DELETED: u32 = 0x4016_0003;

/// Ids of what has no place in an item: markers of folders and of synchronisation, and meta-properties.
const OTHERS: &[u16] = &[
    0x4000, 0x4001, 0x4002, 0x4003, 0x4004, 0x4008, 0x4009, 0x400A, 0x400B, 0x400C, 0x400D, 0x400E, 0x400F, 0x4010,
    0x4011, 0x4012, 0x4013, 0x4014, 0x4015, 0x4016, 0x4018, 0x402F, 0x403A, 0x403B, 0x4074, 0x4075, 0x407B, 0x407C,
    0x407D,
];

/// messageContent up to `end`, or to the end of the data.
fn message(at: &mut Cursor<'_>, end: Option<u32>) -> Result<Blob, String> {
    let mut item = Blob { props: bag(at)?, ..Blob::default() };
    if !item.props.keys().any(|name| name.starts_with("001a:")) {
        return Err("an item without a class".into());
    }
    deleted(at, 0x0E12_000D)?;
    while at.peek() == Some(START_RECIP) {
        at.u32()?;
        let recipient = bag(at)?;
        expect(at, END_RECIP)?;
        if !recipient.contains_key("3000:0003") {
            return Err("a recipient without its row".into());
        }
        item.recipients.push(recipient);
    }
    deleted(at, 0x0E13_000D)?;
    while at.peek() == Some(NEW_ATTACH) {
        at.u32()?;
        if at.peek() != Some(0x0E21_0003) {
            return Err("an attachment does not begin with its number".into());
        }
        let props = bag(at)?;
        let embedded = if at.peek() == Some(START_EMBED) {
            at.u32()?;
            Some(message(at, Some(END_EMBED))?)
        } else {
            None
        };
        expect(at, END_ATTACH)?;
        item.attachments.push((props, embedded));
    }
    match end {
        Some(end) => expect(at, end)?,
        None if at.at < at.bytes.len() => return Err(format!("something stands behind the item at {}", at.at)),
        None => {}
    }
    Ok(item)
}

fn deleted(at: &mut Cursor<'_>, what: u32) -> Result<(), String> {
    if at.peek() == Some(DELETED) {
        at.u32()?;
        expect(at, what)?;
    }
    Ok(())
}

fn expect(at: &mut Cursor<'_>, marker: u32) -> Result<(), String> {
    let found = at.u32()?;
    if found == marker { Ok(()) } else { Err(format!("{found:08x} stands where {marker:08x} should, at {}", at.at)) }
}

/// Properties up to a marker.
fn bag(at: &mut Cursor<'_>) -> Result<Bag, String> {
    let mut out = Bag::new();
    while let Some(tag) = at.peek() {
        if matches!(tag, START_EMBED | END_EMBED | START_RECIP | END_RECIP | NEW_ATTACH | END_ATTACH | DELETED) {
            break;
        }
        at.u32()?;
        let (ty, id) = (tag as u16, (tag >> 16) as u16);
        if OTHERS.contains(&id) {
            return Err(format!("{tag:08x} has no place among properties"));
        }
        let mut name = format!("{id:04x}");
        if id >= 0x8000 {
            let guid = at.take(16)?.iter().map(|b| format!("{b:02x}")).collect::<String>();
            name = match at.take(1)?[0] {
                0 => format!("{guid}/{:x}", at.u32()?),
                1 => {
                    let mut units = Vec::new();
                    loop {
                        match u16::from_le_bytes(at.take(2)?.try_into().unwrap()) {
                            0 => break,
                            unit => units.push(unit),
                        }
                    }
                    format!("{guid}/{}", String::from_utf16(&units).map_err(|e| e.to_string())?)
                }
                kind => return Err(format!("a name of kind {kind}")),
            };
        }
        let value = value(at, ty)?;
        if out.insert(format!("{name}:{ty:04x}"), value).is_some() {
            return Err(format!("{name} stands there twice"));
        }
    }
    Ok(out)
}

fn value(at: &mut Cursor<'_>, ty: u16) -> Result<Vec<u8>, String> {
    let fixed = |ty: u16| match ty {
        0x0002 | 0x000B => Some(2),
        0x0003 | 0x0004 | 0x000A => Some(4),
        0x0005 | 0x0006 | 0x0007 | 0x0014 | 0x0040 => Some(8),
        0x0048 => Some(16),
        _ => None,
    };
    if let Some(n) = fixed(ty) {
        return Ok(at.take(n)?.to_vec());
    }
    let variable = |at: &mut Cursor<'_>, ty: u16| {
        let n = at.u32()? as usize;
        let bytes = at.take(n)?.to_vec();
        let whole = match ty {
            0x001F | 0x84B0 => n >= 2 && n.is_multiple_of(2) && bytes.ends_with(&[0, 0]),
            0x001E => bytes.ends_with(&[0]),
            _ => true,
        };
        if whole { Ok(bytes) } else { Err(format!("a string of type {ty:04x} without its end")) }
    };
    match ty {
        0x001E | 0x001F | 0x0102 | 0x000D | 0x00FB => variable(at, ty),
        _ if ty & 0x8000 != 0 => variable(at, ty),
        _ if ty & 0x1000 != 0 => {
            let single = ty & !0x1000;
            let count = at.u32()?;
            let mut out = Vec::new();
            for _ in 0..count {
                match fixed(single) {
                    Some(n) => out.extend(at.take(n)?),
                    None => out.extend(variable(at, single)?),
                }
            }
            Ok(out)
        }
        _ => Err(format!("type {ty:04x}")),
    }
}
