//! ATTACH with data to attachments; links are kept as lines.

use crate::mapi::{Attachment, Blob, Message, Value, tag};
use crate::mime::attach;
use crate::mime::lines::{Component, Line};

/// The data of a line in base64, or of a `data:` URI.
pub(super) fn data_of(line: &Line) -> Option<(Vec<u8>, Option<String>)> {
    let base64 = |text: &str| mail_parser::Encoding::Base64.decode(text.as_bytes()).into_owned();
    let is = |name: &str, value: &str| line.param(name).is_some_and(|v| v.eq_ignore_ascii_case(value));
    if is("ENCODING", "BASE64") || is("ENCODING", "B") || is("VALUE", "BINARY") {
        return Some((base64(&line.value), None));
    }
    let uri = line.value.trim().strip_prefix("data:")?;
    let (head, body) = uri.split_once(',')?;
    let mime = head.split(';').next().filter(|m| m.contains('/')).map(ToOwned::to_owned);
    head.to_ascii_lowercase().ends_with(";base64").then(|| (base64(body), mime))
}

/// True for a line whose data become an attachment.
pub(super) fn is_data(line: &Line) -> bool {
    line.is("ATTACH") && data_of(line).is_some()
}

/// An attachment by value.
pub(super) fn by_value(name: Option<&str>, mime: Option<&str>, number: usize, data: Blob) -> Attachment {
    let mut attachment = Attachment::default();
    let clean = name.map(attach::sanitize).filter(|n| !n.is_empty());
    let mime = mime.filter(|m| m.contains('/'));
    let name = clean.unwrap_or_else(|| {
        let extension = attach::extension_of(mime.unwrap_or("application/octet-stream"));
        format!("attachment{number}{extension}")
    });
    attach::set_name(&mut attachment, &name);
    let props = &mut attachment.props;
    props.set(tag::RENDERING_POSITION, Value::I32(-1));
    props.set(tag::DISPLAY_NAME, Value::text(&name));
    props.set(tag::ATTACH_MIME_TAG, Value::text(mime.unwrap_or_else(|| attach::type_of(&name))));
    attach::by_value(&mut attachment, data);
    attachment
}

pub(super) fn set(source: &Component, message: &mut Message) {
    for line in source.all("ATTACH") {
        let Some((data, mime)) = data_of(line) else { continue };
        let mime = line.param("FMTTYPE").map(str::to_ascii_lowercase).or(mime);
        let given = ["FILENAME", "X-FILENAME", "X-APPLE-FILENAME", "X-LABEL"].into_iter().find_map(|n| line.param(n));
        let number = message.attachments.len() + 1;
        let mut attachment = by_value(given, mime.as_deref(), number, Blob::Bytes(data));
        if let Some(cid) = line.param("X-PST-CID") {
            attachment.props.set(tag::ATTACH_CONTENT_ID, Value::text(cid));
        }
        message.attachments.push(attachment);
    }
}
