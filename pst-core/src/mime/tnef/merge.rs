//! Puts what a winmail.dat holds into the message that it came with ([MS-OXCMAIL] 2.2.3.4.3, [MS-OXTNEF] 3).

use super::super::{fields, text, to_mapi};
use super::{Tnef, decode, take};
use crate::mapi::{Attachment, Code, Message, PropBag, PropTag, Value, Warning, rtf, tag};
use std::collections::HashMap;

/// Larger ones are kept as files.
const LARGEST: u64 = 512 << 20;
const TNEF_CORRELATION_KEY: PropTag = PropTag(0x007F_0102);
const ROW_ID: u16 = 0x3000;
const NATIVE_RTF: i32 = 2;
const NATIVE_HTML: i32 = 3;

/// Properties that mail has by default, so that the TNEF knows better unless one of these fields is there.
const DEFAULTS: &[(PropTag, &[&str])] = &[
    (tag::MESSAGE_CLASS, &[]),
    (tag::SEARCH_KEY, &[]),
    (tag::IMPORTANCE, &["importance", "x-priority", "priority", "x-msmail-priority"]),
    (tag::PRIORITY, &["importance", "x-priority", "priority", "x-msmail-priority"]),
    (tag::SENSITIVITY, &["sensitivity"]),
    (tag::CONVERSATION_TOPIC, &["thread-topic", "subject"]),
    (tag::CONVERSATION_INDEX, &["thread-index", "references", "in-reply-to"]),
    (tag::DISPLAY_TO, &["to"]),
    (tag::DISPLAY_CC, &["cc"]),
    (tag::DISPLAY_BCC, &["bcc"]),
];

/// Decodes the winmail.dat of a message, if it has one that belongs to it, and puts its properties and attachments into
/// the message. The fields of the mail go before it. What cannot be decoded as a whole stays as a file, too.
pub(in super::super) fn apply(message: &mut Message, depth: usize, warnings: &mut Vec<Warning>) {
    let Some(index) = message.attachments.iter().position(is_tnef) else { return };
    let Some(Value::Binary(data)) = message.attachments.get(index).and_then(|a| a.props.get(tag::ATTACH_DATA_BINARY))
    else {
        return;
    };
    let decoded = (data.len() <= LARGEST).then(|| data.to_vec(LARGEST).ok().and_then(|bytes| decode(&bytes, depth)));
    let Some(mut tnef) = decoded.flatten() else {
        warnings.push(Code::Tnef.with("a winmail.dat could not be decoded and is kept as it is"));
        return;
    };
    let header = message.props.text(tag::TRANSPORT_MESSAGE_HEADERS).unwrap_or_default();
    if !correlates(&header, &tnef.message.props) {
        warnings.push(Code::Tnef.with("a winmail.dat belongs to another message and is kept as it is"));
        return;
    }
    warnings.append(&mut tnef.warnings);
    bodies(message, &mut tnef, warnings);
    recipients(message, &mut tnef, warnings);
    properties(&mut message.props, tnef.message.props, &header);
    derive_text(&mut message.props);
    let after = message.attachments.split_off(index);
    let mut after = after.into_iter();
    if tnef.complete {
        after.next();
    } else {
        warnings.push(Code::Tnef.with("not all of a winmail.dat could be taken over: it is kept as a file, too"));
    }
    message.attachments.append(&mut tnef.message.attachments);
    message.attachments.extend(after);
}

fn is_tnef(attachment: &Attachment) -> bool {
    let text = |t| attachment.props.text(t).unwrap_or_default().to_ascii_lowercase();
    let mime = text(tag::ATTACH_MIME_TAG);
    attachment.embedded.is_none()
        && (matches!(mime.as_str(), "application/ms-tnef" | "application/vnd.ms-tnef")
            || (mime == "application/octet-stream" && text(tag::ATTACH_LONG_FILENAME) == "winmail.dat"))
}

/// The value of a field of a header block.
fn field<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    let lines = header.lines().filter(|l| !l.starts_with([' ', '\t']));
    lines.filter_map(|l| l.split_once(':')).find(|(n, _)| n.trim().eq_ignore_ascii_case(name)).map(|(_, v)| v.trim())
}

/// True unless mail and TNEF both have a correlator, and they differ.
fn correlates(header: &str, props: &PropBag) -> bool {
    let key = props.bytes(TNEF_CORRELATION_KEY).map(|key| String::from_utf8_lossy(key).into_owned());
    match (field(header, "x-ms-tnef-correlator"), key) {
        (Some(ours), Some(theirs)) => {
            let bare = |t: &str| t.trim_matches(|c: char| c.is_whitespace() || "\0<>".contains(c)).to_owned();
            // A folded field tells its value in the next line.
            ours.is_empty() || bare(ours) == bare(&theirs)
        }
        _ => true,
    }
}

/// Chooses between the bodies of mail and TNEF.
fn bodies(message: &mut Message, tnef: &mut Tnef, warnings: &mut Vec<Warning>) {
    let theirs = &mut tnef.message.props;
    let words = |t: &str| t.split_whitespace().collect::<String>();
    let (ours, other) = (message.props.text(tag::BODY), theirs.text(tag::BODY));
    if let (Some(ours), Some(other)) = (&ours, &other)
        && !words(other).is_empty()
    {
        if words(ours).is_empty() {
            message.props.remove(tag::BODY.id());
        } else if words(ours) != words(other) {
            warnings.push(Code::Tnef.with("the text of a mail and that of its winmail.dat differ; the mail's is kept"));
            tnef.complete = false;
        }
    }
    let has = |bag: &PropBag, t: PropTag| bag.any(t.id()).is_some_and(|v| v.size() > 0);
    if has(theirs, tag::HTML) && !has(&message.props, tag::HTML) {
        message.props.remove(tag::INTERNET_CODEPAGE.id());
        message.props.set(tag::NATIVE_BODY, Value::I32(NATIVE_HTML));
    } else if has(theirs, tag::RTF_COMPRESSED) && !has(&message.props, tag::HTML) {
        message.props.set(tag::NATIVE_BODY, Value::I32(NATIVE_RTF));
    }
}

/// A plain text for programs that show nothing else, where only HTML or rich text came.
fn derive_text(props: &mut PropBag) {
    if props.any(tag::BODY.id()).is_some() {
        return;
    }
    let text = if let Some(html) = props.bytes(tag::HTML).filter(|h| !h.is_empty()) {
        let page = props.i32(tag::INTERNET_CODEPAGE).and_then(|p| u32::try_from(p).ok()).unwrap_or(1252);
        to_mapi::plain_of(html, page)
    } else if let Some(packed) = props.bytes(tag::RTF_COMPRESSED) {
        to_mapi::plain_of_rtf(&rtf::decompress(packed, LARGEST as usize).rtf)
    } else {
        return;
    };
    props.set(tag::BODY, Value::text(&text));
}

/// What makes two rows the same recipient: the address, or the name.
fn keys(row: &PropBag) -> Vec<String> {
    let tags = [tag::SMTP_ADDRESS, tag::EMAIL_ADDRESS, tag::DISPLAY_NAME];
    tags.into_iter().filter_map(|t| row.text(t)).map(|t| t.trim().to_lowercase()).filter(|t| !t.is_empty()).collect()
}

/// Completes the recipients of the mail by what the TNEF says of them; where the mail has none, they are the TNEF's.
fn recipients(message: &mut Message, tnef: &mut Tnef, warnings: &mut Vec<Warning>) {
    let theirs = std::mem::take(&mut tnef.message.recipients);
    let none = message.recipients.is_empty();
    let mut known: HashMap<String, usize> = HashMap::new();
    for (i, row) in message.recipients.iter().enumerate() {
        for key in keys(row) {
            known.entry(key).or_insert(i);
        }
    }
    for mut row in theirs {
        row.remove(ROW_ID);
        if none {
            message.recipients.push(row);
            continue;
        }
        let found = keys(&row).iter().find_map(|k| known.get(k)).and_then(|i| message.recipients.get_mut(*i));
        if let Some(ours) = found {
            take(ours, row);
        } else {
            let name = keys(&row).pop().unwrap_or_default();
            warnings
                .push(Code::Tnef.with(format!("the recipient {name:?} stands in a winmail.dat, but not in its mail")));
            tnef.complete = false;
        }
    }
}

fn properties(ours: &mut PropBag, mut theirs: PropBag, header: &str) {
    for (tag, names) in DEFAULTS {
        let told = names.iter().any(|name| field(header, name).is_some());
        if !told && theirs.any(tag.id()).is_some_and(|v| v.size() > 0) {
            ours.remove(tag.id());
        }
    }
    let subject = text::subject(&theirs);
    for computed in [tag::SUBJECT, tag::SUBJECT_PREFIX, tag::NORMALIZED_SUBJECT, tag::MESSAGE_CODEPAGE] {
        theirs.remove(computed.id());
    }
    if let Some(subject) = subject.filter(|_| ours.any(tag::SUBJECT.id()).is_none()) {
        ours.set(tag::SUBJECT, Value::text(&fields::stored_subject(&subject)));
    }
    take(ours, theirs);
}
