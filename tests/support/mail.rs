//! Messages in and out, for tests of the mapping.

use pst_core::mapi::{Attachment, Message, PropTag, Value, tag};
use pst_core::mime::{Options, State, from_mapi, to_mapi};

/// The message, and what was said of it.
pub fn import_with(text: &[u8], state: &State, received: Option<i64>) -> (Message, Vec<String>) {
    let converted = to_mapi(text, state, received).unwrap();
    (converted.message, converted.warnings.into_iter().map(|w| w.text).collect())
}

pub fn import(text: impl AsRef<[u8]>) -> Message {
    import_with(text.as_ref(), &State::default(), None).0
}

/// What was said of the message.
pub fn said(text: impl AsRef<[u8]>) -> Vec<String> {
    import_with(text.as_ref(), &State::default(), None).1
}

pub fn export(message: &Message) -> Vec<u8> {
    let mut out = Vec::new();
    from_mapi(message, &mut out, &Options::default()).unwrap();
    out
}

pub fn exported(message: &Message) -> String {
    String::from_utf8(export(message)).unwrap()
}

pub fn text(message: &Message, tag: PropTag) -> Option<String> {
    message.props.text(tag)
}

/// The subject as a PST stores it.
pub fn stored_subject(header: &str) -> Option<String> {
    text(&import(format!("{header}\r\n\r\n")), tag::SUBJECT)
}

/// The subject as a reader shows it.
pub fn shown(message: &Message) -> String {
    text(message, tag::SUBJECT).map(|s| s.chars().skip(2).collect()).unwrap_or_default()
}

pub fn data(attachment: &Attachment) -> Vec<u8> {
    match attachment.props.get(tag::ATTACH_DATA_BINARY) {
        Some(Value::Binary(blob)) => blob.to_vec(u64::MAX).unwrap(),
        other => panic!("data: {other:?}"),
    }
}

pub fn name(attachment: &Attachment) -> String {
    attachment.props.text(tag::ATTACH_LONG_FILENAME).unwrap_or_default()
}

/// A multipart of parts, each with its header and body.
pub fn multipart(kind: &str, parts: &[&str]) -> String {
    let mut out = format!("Content-Type: multipart/{kind}; boundary=\"b_{}\"\r\n\r\n", kind.len());
    for part in parts {
        out += &format!("--b_{}\r\n{part}\r\n", kind.len());
    }
    out + &format!("--b_{}--\r\n", kind.len())
}

/// The value of a header field of a message, unfolded.
pub fn field(message: &[u8], name: &str) -> Option<String> {
    let end = message.windows(4).position(|w| w == b"\r\n\r\n").unwrap_or(message.len());
    let head = String::from_utf8_lossy(&message[..end]).replace("\r\n ", " ").replace("\r\n\t", "\t");
    head.split("\r\n").find_map(|line| {
        let (n, v) = line.split_once(':')?;
        n.eq_ignore_ascii_case(name).then(|| v.trim().to_owned())
    })
}
