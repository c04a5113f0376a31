//! What events, tasks, journal entries and notes have in common.

use crate::mapi::message::flag;
use crate::mapi::{Message, PropType, Value, lid, tag, time};
use crate::mime::calendar::effect;
use crate::mime::calendar::export::{Kind, OWN};
use crate::mime::calendar::value::{Stamp, seconds};
use crate::mime::lines::{self, Component, Line};
use crate::mime::{fields, header, state, to_mapi};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// PidTagIconIndex of kinds.
const fn icon(kind: Kind) -> i32 {
    match kind {
        Kind::Event => 0x400,
        Kind::Task => 0x500,
        Kind::Journal => 0x600,
        Kind::Note => 0x300,
    }
}

/// PidLidSideEffects of kinds, as Outlook sets them.
const fn side_effects(kind: Kind) -> i32 {
    match kind {
        Kind::Event => 0x171,
        Kind::Task => 0x110,
        Kind::Journal => 0x100,
        Kind::Note => 0x1110,
    }
}

/// The FILETIME of a stamp in UTC.
fn filetime(line: Option<&Line>) -> Option<u64> {
    match line.and_then(Stamp::of)? {
        Stamp::Utc(at) => time::from_unix(seconds(at)),
        _ => None,
    }
}

/// A message with what every item has.
pub(super) fn begin(kind: Kind, source: &Component) -> Message {
    let mut message = Message::default();
    let props = &mut message.props;
    props.0.reserve(64);
    let class = source.text("X-PST-CLASS").filter(|c| Kind::of_class(c) == Some(kind));
    props.set(tag::MESSAGE_CLASS, Value::text(class.as_deref().unwrap_or(kind.class())));
    let mut text = Vec::new();
    let _ = lines::write(source, &mut text);
    let key: Vec<u8> = Sha256::digest(&text).iter().copied().take(16).collect();
    props.set(tag::SEARCH_KEY, Value::binary(key));
    props.set(tag::MESSAGE_CODEPAGE, Value::I32(65001));
    props.set(tag::ICON_INDEX, Value::I32(icon(kind)));
    props.set_lid(lid::SIDE_EFFECTS, Value::I32(side_effects(kind)));
    let stamp = filetime(source.line("DTSTAMP"));
    let (created, modified) = (filetime(source.line("CREATED")), filetime(source.line("LAST-MODIFIED")));
    let start = source.line("DTSTART").and_then(Stamp::of).and_then(|s| time::from_unix(seconds(s.civil())));
    if let Some(made) = created.or(stamp).or(modified).or(start) {
        props.set(tag::CREATION_TIME, Value::Time(made));
        props.set(tag::LAST_MODIFICATION_TIME, Value::Time(modified.or(stamp).unwrap_or(made)));
        props.set(tag::CLIENT_SUBMIT_TIME, Value::Time(made));
        props.set(tag::MESSAGE_DELIVERY_TIME, Value::Time(made));
    }
    texts(source, &mut message);
    super::attach::set(source, &mut message);
    message
}

/// The body: plain text, and HTML where the source has it.
fn body(source: &Component, message: &mut Message) {
    let props = &mut message.props;
    let html =
        source.all("X-ALT-DESC").find(|l| l.param("FMTTYPE").is_none_or(|t| t.eq_ignore_ascii_case("text/html")));
    let html = html.map(Line::plain).filter(|t| !t.trim().is_empty());
    let plain = source.text("DESCRIPTION");
    if let Some(html) = &html {
        let bytes = header::crlf(html).into_owned().into_bytes();
        if plain.is_none() {
            props.set(tag::BODY, Value::text(&to_mapi::plain_of(&bytes, 65001)));
        }
        props.set(tag::HTML, Value::binary(bytes));
        props.set(tag::INTERNET_CODEPAGE, Value::I32(65001));
        props.set(tag::NATIVE_BODY, Value::I32(3));
    }
    if let Some(plain) = plain {
        props.set(tag::BODY, Value::text(&header::crlf(&plain)));
        if html.is_none() {
            props.set(tag::NATIVE_BODY, Value::I32(1));
        }
    }
}

/// Adds what a calendar says of its event to the mail that brought it; what the mail says itself goes first.
pub(super) fn add(source: &Component, message: &mut Message) {
    let said = |tag, usual| message.props.i32(tag).filter(|n| *n != usual).map(|n| (tag, n));
    let own = [said(tag::IMPORTANCE, 1), said(tag::PRIORITY, 0), said(tag::SENSITIVITY, 0)];
    let categories = state::categories(&message.props);
    labels(source, message);
    for (tag, value) in own.into_iter().flatten() {
        message.props.set(tag, Value::I32(value));
    }
    let others = source.all("CATEGORIES").flat_map(effect::categories);
    let others: Vec<String> = others.filter(|c| !categories.contains(c)).collect();
    fields::set_categories(&mut message.props, &[categories, others].concat());
    if [tag::BODY, tag::HTML, tag::RTF_COMPRESSED].iter().all(|t| message.props.any(t.id()).is_none()) {
        body(source, message);
    }
    super::attach::set(source, message);
}

/// Subject, body, class, priority, categories, and the properties that have names of our own.
fn texts(source: &Component, message: &mut Message) {
    let props = &mut message.props;
    let subject = source.line("SUMMARY").map(Line::plain).unwrap_or_default();
    let subject = subject.trim_end_matches(['\r', '\n']).replace(['\r', '\n'], " ");
    props.set(tag::SUBJECT, Value::text(&fields::stored_subject(&subject)));
    props.set(tag::CONVERSATION_TOPIC, Value::text(&subject));
    labels(source, message);
    body(source, message);
}

/// Class, priority, categories, and the properties that have names of our own.
fn labels(source: &Component, message: &mut Message) {
    let props = &mut message.props;
    let upper = |name: &str| source.line(name).map(|l| l.value.trim().to_ascii_uppercase()).unwrap_or_default();
    let sensitivity = effect::sensitivity(&upper("CLASS"));
    let importance = source.line("PRIORITY").map_or(1, |l| effect::importance(&l.value));
    props.set(tag::IMPORTANCE, Value::I32(importance));
    props.set(tag::PRIORITY, Value::I32(importance - 1));
    props.set(tag::SENSITIVITY, Value::I32(sensitivity));
    props.set_lid(lid::PRIVATE, Value::Bool(sensitivity == 2));
    fields::set_categories(props, &source.all("CATEGORIES").flat_map(effect::categories).collect::<Vec<_>>());
    for (name, lid) in OWN {
        let texts: Vec<String> = source.all(name).map(Line::plain).filter(|t| !t.is_empty()).collect();
        let Some(first) = texts.first() else { continue };
        let value = match lid.ty {
            PropType::MULTI_STRING => Some(Value::texts(&texts)),
            PropType::INTEGER32 => first.trim().parse().ok().map(Value::I32),
            PropType::BOOLEAN => Some(Value::Bool(first.eq_ignore_ascii_case("TRUE"))),
            _ => Some(Value::text(first)),
        };
        if let Some(value) = value {
            message.props.set_named(Arc::new(lid.name()), lid.ty, value);
        }
    }
}

/// Flags, once all attachments are there.
pub(super) fn end(message: &mut Message) {
    let visible = message.attachments.iter().filter(|a| a.props.bool(tag::ATTACHMENT_HIDDEN) != Some(true)).count();
    let attached = if visible > 0 { flag::HAS_ATTACH } else { 0 };
    message.props.set(tag::MESSAGE_FLAGS, Value::I32(flag::READ | attached));
    message.props.set(tag::MESSAGE_STATUS, Value::I32(0));
    if visible == 0 && !message.attachments.is_empty() {
        message.props.set_lid(lid::SMART_NO_ATTACH, Value::Bool(true));
    }
}
