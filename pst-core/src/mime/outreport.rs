//! REPORT items as multipart/report ([MS-OXCMAIL] 2.1.3.6).

use super::address::{self, Mailbox};
use super::from_mapi::Options;
use super::outheader::{known, of_row, person, routable};
use super::report::{self, ACTIONS};
use super::{attach, date, describe_class, outfield, text};
use crate::mapi::{Attachment, Blob, Message, PropBag, Value, tag, time};

/// The machine-readable part of a report that has none among its attachments.
pub(super) fn made(message: &Message, class: &str, page: u32, options: &Options) -> Option<Attachment> {
    let stored = |a: &Attachment| text::some(&a.props, tag::ATTACH_MIME_TAG, page);
    if message.attachments.iter().filter_map(stored).any(|m| kind_of(&m).is_some()) {
        return None;
    }
    let (mime, data) = match describe_class::report_ending(class)?.as_str() {
        "DR" | "NDR" => ("message/delivery-status", delivery(message, class, page, options)),
        "IPNRN" => ("message/disposition-notification", disposition(message, "displayed", page, options)),
        "IPNNRN" => ("message/disposition-notification", disposition(message, "deleted", page, options)),
        _ => return None,
    };
    let mut attachment = attach::file("details.txt", Vec::new());
    attachment.props.set(tag::ATTACH_MIME_TAG, Value::text(mime));
    attach::by_value(&mut attachment, Blob::Bytes(data));
    Some(attachment)
}

/// The `report-type` of a message that holds a part of this media type.
pub(super) fn kind_of(mime: &str) -> Option<&'static str> {
    report::TYPES.iter().find(|(t, _)| mime.trim().eq_ignore_ascii_case(t)).map(|(_, kind)| *kind)
}

/// True for messages that are reports: by class, or because their stored header says so.
pub(super) fn is_report(message: &Message, class: &str, page: u32) -> bool {
    describe_class::is_report(class) || was(message, "multipart/report", page)
}

/// True if the stored header says that the message was of this media type.
pub(super) fn was(message: &Message, mime: &str, page: u32) -> bool {
    let stored = text::get(&message.props, tag::TRANSPORT_MESSAGE_HEADERS, page).unwrap_or_default();
    stored.lines().any(|line| {
        let line = line.to_ascii_lowercase();
        line.strip_prefix("content-type:").is_some_and(|v| v.trim_start().starts_with(mime))
    })
}

fn put(name: &str, value: Option<String>, out: &mut Vec<u8>) {
    if let Some(value) = value.filter(|v| !v.trim().is_empty()) {
        outfield::field(name, &value, out);
    }
}

/// The fields of a delivery report ([MS-OXCMAIL] 2.1.3.6.1).
fn delivery(message: &Message, class: &str, page: u32, options: &Options) -> Vec<u8> {
    let mut out = Vec::new();
    let props = &message.props;
    let mta = text::some(props, tag::REPORTING_MTA, page).unwrap_or_else(|| "unknown".to_owned());
    put("Reporting-MTA", Some(format!("dns; {}", outfield::words(&mta))), &mut out);
    correlation(props, &mut out);
    // The longest class that fits: "….Relayed.DR" ends like "….DR".
    let class = class.to_ascii_uppercase();
    let action = ACTIONS.iter().enumerate().filter(|(_, (_, c))| {
        let ending = c.get("REPORT.IPM.Note".len()..).unwrap_or_default();
        class.ends_with(&ending.to_ascii_uppercase())
    });
    let (severity, word) =
        action.max_by_key(|(_, (_, c))| c.len()).map_or((0, "delivered"), |(i, (word, _))| (i, *word));
    for row in &message.recipients {
        out.extend_from_slice(b"\r\n");
        let who = of_row(row, page).map(|who| known(who, options));
        put("Final-Recipient", who.as_ref().map(|w| format!("rfc822; {}", outfield::words(&routable(w)))), &mut out);
        put("Action", Some(word.to_owned()), &mut out);
        put("Status", Some(status(row, severity)), &mut out);
        let remote = text::some(row, tag::REMOTE_MTA, page);
        put("Remote-MTA", remote.map(|m| format!("dns; {}", outfield::words(&m))), &mut out);
        let attempt = row.time(tag::REPORT_TIME).and_then(|t| date::format(time::to_unix(t)));
        put("Last-Attempt-Date", attempt, &mut out);
        let info = text::some(row, tag::SUPPLEMENTARY_INFO, page);
        put("X-Supplementary-Info", info.map(|i| outfield::words(&one_line(&i))), &mut out);
        let told = text::some(row, tag::REPORT_TEXT, page);
        put("X-Report-Text", told.map(|t| outfield::words(&one_line(&t))), &mut out);
        put("X-Display-Name", name(who), &mut out);
    }
    out
}

/// The three numbers of a status: as stored, or what the codes of a failure mean, or "unknown" of the right class.
fn status(row: &PropBag, severity: usize) -> String {
    if let Some(code @ 100..=999) = row.i32(tag::NDR_STATUS_CODE) {
        return format!("{}.{}.{}", code / 100, code / 10 % 10, code % 10);
    }
    if severity + 1 < ACTIONS.len() {
        return if severity + 2 == ACTIONS.len() { "4.0.0" } else { "2.0.0" }.to_owned();
    }
    let codes = (row.i32(tag::NDR_REASON_CODE).unwrap_or(0), row.i32(tag::NDR_DIAG_CODE).unwrap_or(-1));
    let pairs = (1..8).flat_map(|subject| (0..9).map(move |detail| (subject, detail)));
    let (subject, detail) = pairs.into_iter().find(|(s, d)| report::codes(*s, *d) == codes).unwrap_or((0, 0));
    format!("5.{subject}.{detail}")
}

/// The fields of a read receipt ([MS-OXCMAIL] 2.1.3.6.2).
fn disposition(message: &Message, word: &str, page: u32, options: &Options) -> Vec<u8> {
    let mut out = Vec::new();
    let props = &message.props;
    let who = person(props, &address::SENDER, page).or_else(|| person(props, &address::REPRESENTING, page));
    let who = who.map(|who| known(who, options));
    put("Final-Recipient", who.as_ref().map(|w| format!("rfc822; {}", outfield::words(&routable(w)))), &mut out);
    let mode = text::some(props, tag::REPORT_DISPOSITION_MODE, page).map(|m| one_line(&m));
    let mode = mode.unwrap_or_else(|| "automatic-action/MDN-sent-automatically".to_owned());
    put("Disposition", Some(format!("{}; {word}", outfield::words(&mode))), &mut out);
    correlation(props, &mut out);
    let id = text::some(props, tag::ORIGINAL_MESSAGE_ID, page);
    put("Original-Message-ID", id.map(|i| outfield::words(&one_line(&i))), &mut out);
    put("X-Display-Name", name(who), &mut out);
    out
}

fn correlation(props: &PropBag, out: &mut Vec<u8>) {
    let key = props.bytes(tag::PARENT_KEY).filter(|k| k.len() < 1000);
    put("X-MSExch-Correlation-Key", key.map(|k| base64_simd::STANDARD.encode_to_string(k)), out);
}

fn name(who: Option<Mailbox>) -> Option<String> {
    who.filter(|w| w.name != w.address).map(|w| outfield::words(&one_line(&w.name)))
}

fn one_line(text: &str) -> String {
    text.split(['\r', '\n']).map(str::trim).collect::<Vec<_>>().join(" ")
}
