//! Voice mail and fax: Content-Class and the Unified Messaging fields ([MS-OXCMAIL] 2.2.3.2.15, 2.2.3.2.23).

use super::{header, text};
use crate::mapi::named::PS_INTERNET_HEADERS;
use crate::mapi::{Attachment, Message, NamedProp, PropBag, PropTag, PropType, Value, Warning, tag};
use std::sync::Arc;

/// What a message of a class must bring.
pub(super) enum Needs {
    Nothing,
    Attached(&'static str),
}

/// Values of Content-Class and the message classes they stand for.
pub(super) const CLASSES: [(&str, &str, Needs); 6] = [
    ("voice", "IPM.Note.Microsoft.Voicemail.UM", Needs::Attached("audio/")),
    ("voice-ca", "IPM.Note.Microsoft.Voicemail.UM.CA", Needs::Attached("audio/")),
    ("voice-uc", "IPM.Note.Microsoft.Conversation.Voice", Needs::Nothing),
    ("missedcall", "IPM.Note.Microsoft.Missed.Voice", Needs::Nothing),
    ("fax", "IPM.Note.Microsoft.Fax", Needs::Attached("image/tif")),
    ("fax-ca", "IPM.Note.Microsoft.Fax.CA", Needs::Attached("image/tif")),
];

/// Fields that are properties of their own, as text or as a number.
const FIELDS: [(&str, PropTag); 6] = [
    ("X-VoiceMessageDuration", PropTag(0x6801_0003)),
    ("X-CallingTelephoneNumber", PropTag(0x6802_001F)),
    ("X-VoiceMessageSenderName", PropTag(0x6803_001F)),
    ("X-FaxNumberOfPages", PropTag(0x6804_0003)),
    ("X-AttachmentOrder", PropTag(0x6805_001F)),
    ("X-CallID", PropTag(0x6806_001F)),
];

fn content_class() -> NamedProp {
    NamedProp::text(PS_INTERNET_HEADERS, "content-class")
}

/// Sets the property of one header field; `name` is in lower case.
pub(super) fn field(name: &str, value: &[u8], props: &mut PropBag, warnings: &mut Vec<Warning>) {
    if name == "content-class" {
        let text = header::text(value, warnings);
        props.set_named(Arc::new(content_class()), PropType::STRING, Value::text(&text));
        return;
    }
    let Some((_, tag)) = FIELDS.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)) else { return };
    let text = header::text(value, warnings);
    if tag.ty() == PropType::STRING {
        props.set(*tag, Value::text(&text));
    } else if let Ok(number) = text.parse() {
        props.set(*tag, Value::I32(number));
    }
}

/// Sets the message class that the Content-Class asks for, if the message is of that kind indeed.
pub(super) fn classify(message: &mut Message) {
    let name = content_class();
    let Some(given) = message.props.named(&name).and_then(|v| text::value(v, 65001)) else { return };
    if message.props.text(tag::MESSAGE_CLASS).as_deref() != Some("IPM.Note") {
        return;
    }
    let Some((_, class, needs)) = CLASSES.iter().find(|(c, ..)| c.eq_ignore_ascii_case(given.trim())) else { return };
    let is = |a: &Attachment, kind: &str| a.props.text(tag::ATTACH_MIME_TAG).is_some_and(|m| m.starts_with(kind));
    let met = match needs {
        Needs::Nothing => true,
        Needs::Attached(kind) => message.attachments.iter().any(|a| is(a, kind)),
    };
    if met {
        message.props.set(tag::MESSAGE_CLASS, Value::text(class));
    }
}

/// The fields of a message that was stored without a header.
pub(super) fn fields(props: &PropBag, class: &str, page: u32) -> Vec<(&'static str, String)> {
    let mut out = Vec::new();
    let stored = props.named(&content_class()).and_then(|v| text::value(v, page));
    let known = || CLASSES.iter().find(|(_, c, _)| c.eq_ignore_ascii_case(class)).map(|(c, ..)| (*c).to_owned());
    out.extend(stored.or_else(known).map(|c| ("Content-Class", c)));
    for (name, tag) in FIELDS {
        let number = props.i32(tag).map(|n| n.to_string());
        out.extend(text::some(props, tag, page).or(number).map(|v| (name, v)));
    }
    out
}
