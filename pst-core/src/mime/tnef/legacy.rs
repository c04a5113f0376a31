//! The attributes that are no property lists, as properties ([MS-OXTNEF] 2.1.3.3).

use super::super::attach;
use crate::mapi::message::{attach_method, flag};
use crate::mapi::{Attachment, PropBag, PropTag, Value, codepage, tag, time};

/// What became of an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Legacy {
    Taken,
    Unknown,
    Damaged,
}

const PARENT_KEY: PropTag = PropTag(0x0025_0102);
const CONVERSATION_KEY: PropTag = PropTag(0x000B_0102);
const ORIGINAL_MESSAGE_CLASS: PropTag = PropTag(0x004B_001F);
const START_DATE: PropTag = PropTag(0x0060_0040);
const END_DATE: PropTag = PropTag(0x0061_0040);
const OWNER_APPOINTMENT_ID: PropTag = PropTag(0x0062_0003);
const RESPONSE_REQUESTED: PropTag = PropTag(0x0063_000B);
const RCVD_REPRESENTING_NAME: PropTag = PropTag(0x0044_001F);
const RCVD_REPRESENTING_ADDRESS_TYPE: PropTag = PropTag(0x0077_001F);
const RCVD_REPRESENTING_EMAIL_ADDRESS: PropTag = PropTag(0x0078_001F);
const ATTACH_TRANSPORT_NAME: PropTag = PropTag(0x370C_001F);
/// The encoding that says "MacBinary" ([MS-OXCMSG] 2.2.2.20).
const MAC_BINARY: [u8; 9] = [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x14, 0x03, 0x0B, 0x01];

/// The classes of Microsoft Mail and what they are called today.
const CLASSES: &[(&str, &str)] = &[
    ("IPM.Microsoft Mail.Note", "IPM.Note"),
    ("IPM.Microsoft Mail.Read Receipt", "REPORT.IPM.Note.IPNRN"),
    ("IPM.Microsoft Mail.Non-Delivery", "REPORT.IPM.Note.NDR"),
    ("IPM.Microsoft Schedule.MtgReq", "IPM.Schedule.Meeting.Request"),
    ("IPM.Microsoft Schedule.MtgCncl", "IPM.Schedule.Meeting.Canceled"),
    ("IPM.Microsoft Schedule.MtgRespP", "IPM.Schedule.Meeting.Resp.Pos"),
    ("IPM.Microsoft Schedule.MtgRespN", "IPM.Schedule.Meeting.Resp.Neg"),
    ("IPM.Microsoft Schedule.MtgRespA", "IPM.Schedule.Meeting.Resp.Tent"),
];

/// The code page of attOemCodepage.
pub(super) fn code_page(mut data: &[u8]) -> Option<u32> {
    super::props::u32(&mut data).filter(|page| codepage::is_ascii_based(*page))
}

/// attAttachRendData: what kind of attachment begins, and where it stands.
pub(super) fn rendering(data: &[u8], bag: &mut PropBag) {
    const OLE: u16 = 2;
    const MAC: u32 = 1;
    let kind = data.first_chunk().map_or(1, |b| u16::from_le_bytes(*b));
    let method = if kind == OLE { attach_method::OLE } else { attach_method::BY_VALUE };
    bag.set(tag::ATTACH_METHOD, Value::I32(method));
    if let Some(position) = data.get(2..6).and_then(|b| b.try_into().ok()).map(i32::from_le_bytes) {
        bag.set(tag::RENDERING_POSITION, Value::I32(position));
    }
    if data.get(10..14).and_then(|b| b.try_into().ok()).map(u32::from_le_bytes) == Some(MAC) {
        bag.set(tag::ATTACH_ENCODING, Value::binary(MAC_BINARY));
    }
}

/// Sets what an attribute says.
pub(super) fn property(id: u32, data: &[u8], page: u32, bag: &mut PropBag) -> Legacy {
    if let Some((tag, value)) = plain(id, data, page) {
        bag.set(tag, value);
        return Legacy::Taken;
    }
    let representing =
        [tag::SENT_REPRESENTING_NAME, tag::SENT_REPRESENTING_ADDRESS_TYPE, tag::SENT_REPRESENTING_EMAIL_ADDRESS];
    let received = [RCVD_REPRESENTING_NAME, RCVD_REPRESENTING_ADDRESS_TYPE, RCVD_REPRESENTING_EMAIL_ADDRESS];
    let taken = match id {
        0x0003_8005 => date(bag, tag::CLIENT_SUBMIT_TIME, data),
        0x0003_8006 => date(bag, tag::MESSAGE_DELIVERY_TIME, data),
        0x0003_8020 | 0x0003_8013 => date(bag, tag::LAST_MODIFICATION_TIME, data),
        0x0003_8012 => date(bag, tag::CREATION_TIME, data),
        0x0003_0006 => date(bag, START_DATE, data),
        0x0003_0007 => date(bag, END_DATE, data),
        0x0004_800D => priority(bag, data),
        0x0006_8007 => status(bag, data),
        0x0001_8009 => key(bag, tag::SEARCH_KEY, data),
        0x0001_800A => key(bag, PARENT_KEY, data),
        0x0001_800B => key(bag, CONVERSATION_KEY, data),
        0x0000_8000 => from(bag, data, page),
        0x0006_0000 => person(bag, received, data, page),
        0x0006_0001 => person(bag, representing, data, page),
        0x0005_0008 => number(data).map(|n| bag.set(OWNER_APPOINTMENT_ID, Value::I32(n))),
        0x0004_0009 => short(data).map(|n| bag.set(RESPONSE_REQUESTED, Value::Bool(n != 0))),
        _ => return Legacy::Unknown,
    };
    if taken.is_some() { Legacy::Taken } else { Legacy::Damaged }
}

/// Attributes whose bytes are the value.
fn plain(id: u32, data: &[u8], page: u32) -> Option<(PropTag, Value)> {
    let text = || Value::text(&decoded(data, page));
    Some(match id {
        0x0001_8004 => (tag::SUBJECT, text()),
        0x0002_800C => (tag::BODY, text()),
        0x0007_8008 => (tag::MESSAGE_CLASS, class(data, page)),
        0x0007_0600 | 0x0007_0006 => (ORIGINAL_MESSAGE_CLASS, class(data, page)),
        0x0001_8010 => (tag::ATTACH_FILENAME, text()),
        0x0006_9001 => (ATTACH_TRANSPORT_NAME, text()),
        0x0006_800F => (tag::ATTACH_DATA_BINARY, Value::binary(data)),
        0x0006_8011 => (tag::ATTACH_RENDERING, Value::binary(data)),
        _ => return None,
    })
}

fn decoded(data: &[u8], page: u32) -> String {
    let end = data.iter().position(|b| *b == 0).unwrap_or(data.len());
    codepage::decode(page, data.get(..end).unwrap_or_default())
}

fn class(data: &[u8], page: u32) -> Value {
    let text = decoded(data, page);
    let text = text.strip_prefix("Microsoft Mail v3.0 ").unwrap_or(&text);
    let today = CLASSES.iter().find(|(old, _)| old.eq_ignore_ascii_case(text)).map(|(_, new)| *new);
    Value::text(today.unwrap_or(text))
}

fn short(data: &[u8]) -> Option<u16> {
    data.first_chunk().map(|b| u16::from_le_bytes(*b))
}

fn number(data: &[u8]) -> Option<i32> {
    data.first_chunk().map(|b| i32::from_le_bytes(*b))
}

/// Year, month, day, hour, minute, second, all of two bytes; a date of zeros is none.
fn date(bag: &mut PropBag, tag: PropTag, data: &[u8]) -> Option<()> {
    let words: Vec<u16> = data.chunks_exact(2).filter_map(short).take(6).collect();
    let [year, month, day, hour, minute, second] = words.as_slice().try_into().ok()?;
    if year == 0 {
        return Some(());
    }
    let part = |n: u16| i8::try_from(n).ok();
    let at = jiff::civil::DateTime::new(
        i16::try_from(year).ok()?,
        part(month)?,
        part(day)?,
        part(hour)?,
        part(minute)?,
        part(second)?,
        0,
    );
    let at = at.ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_second();
    bag.set(tag, Value::Time(time::from_unix(at)?));
    Some(())
}

fn priority(bag: &mut PropBag, data: &[u8]) -> Option<()> {
    let importance = match short(data)? {
        1 => 2,
        3 => 0,
        _ => 1,
    };
    bag.set(tag::IMPORTANCE, Value::I32(importance));
    Some(())
}

fn status(bag: &mut PropBag, data: &[u8]) -> Option<()> {
    let bits = *data.first()?;
    let pairs = [(0x02, flag::UNSENT), (0x04, flag::SUBMITTED), (0x20, flag::READ), (0x80, flag::HAS_ATTACH)];
    let flags = pairs.iter().filter(|(bit, _)| bits & bit != 0).fold(0, |flags, (_, flag)| flags | flag);
    let unmodified = if bits & 0x01 == 0 { flag::UNMODIFIED } else { 0 };
    bag.set(tag::MESSAGE_FLAGS, Value::I32(flags | unmodified));
    Some(())
}

/// A key that is written in hexadecimal digits.
fn key(bag: &mut PropBag, tag: PropTag, data: &[u8]) -> Option<()> {
    let digits: Vec<u8> = data
        .iter()
        .take_while(|b| **b != 0)
        .map(|b| char::from(*b).to_digit(16).map(|d| d as u8))
        .collect::<Option<_>>()?;
    let bytes: Vec<u8> = digits.chunks_exact(2).map(|pair| pair.iter().fold(0, |byte, d| byte << 4 | d)).collect();
    bag.set(tag, Value::binary(bytes));
    Some(())
}

/// attFrom: a triple whose name and address follow its header ([MS-OXTNEF] 2.1.3.3.5).
fn from(bag: &mut PropBag, data: &[u8], page: u32) -> Option<()> {
    let (name_len, address_len) = (short(data.get(4..)?)?, short(data.get(6..)?)?);
    let rest = data.get(8..)?;
    let (name, rest) = rest.split_at_checked(name_len.into())?;
    let address = rest.get(..usize::from(address_len).min(rest.len()))?;
    let tags = [tag::SENDER_NAME, tag::SENDER_ADDRESS_TYPE, tag::SENDER_EMAIL_ADDRESS];
    set_person(bag, tags, &decoded(name, page), &decoded(address, page));
    Some(())
}

/// attOwner and attSentFor: name and address, a length before each ([MS-OXTNEF] 2.1.3.3.8).
fn person(bag: &mut PropBag, tags: [PropTag; 3], data: &[u8], page: u32) -> Option<()> {
    let (name, rest) = data.get(2..)?.split_at_checked(short(data)?.into())?;
    let address = rest.get(2..)?.get(..short(rest)?.into())?;
    set_person(bag, tags, &decoded(name, page), &decoded(address, page));
    Some(())
}

fn set_person(bag: &mut PropBag, tags: [PropTag; 3], name: &str, address: &str) {
    let [name_tag, type_tag, address_tag] = tags;
    let (kind, address) = address.split_once(':').unwrap_or(("SMTP", address));
    for (tag, text) in [(name_tag, name), (type_tag, kind), (address_tag, address)] {
        bag.set(tag, Value::text(text));
    }
}

/// Adds what every attachment must have.
pub(super) fn complete(attachment: &mut Attachment) {
    let props = &mut attachment.props;
    let names = [tag::ATTACH_LONG_FILENAME, tag::ATTACH_FILENAME];
    let name = names.into_iter().find_map(|t| props.text(t)).filter(|n| !n.is_empty());
    if let Some(name) = name
        && props.any(tag::ATTACH_LONG_FILENAME.id()).is_none()
    {
        attach::set_name(attachment, &name);
    }
    let props = &mut attachment.props;
    if attachment.embedded.is_some() {
        props.set(tag::ATTACH_METHOD, Value::I32(attach_method::EMBEDDED));
        props.0.retain(|p| p.tag.id() != tag::ATTACH_DATA_OBJECT.id() || p.name.is_some());
    } else if props.any(tag::ATTACH_METHOD.id()).is_none() {
        props.set(tag::ATTACH_METHOD, Value::I32(attach_method::BY_VALUE));
    }
    if props.any(tag::RENDERING_POSITION.id()).is_none() {
        props.set(tag::RENDERING_POSITION, Value::I32(-1));
    }
    let size = props.any(tag::ATTACH_DATA_BINARY.id()).map_or(0, Value::size);
    if props.any(tag::ATTACH_SIZE.id()).is_none() {
        props.set(tag::ATTACH_SIZE, Value::I32(i32::try_from(size).unwrap_or(i32::MAX)));
    }
}
