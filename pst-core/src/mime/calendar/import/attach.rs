//! ATTACH with data to attachments; links are kept as lines.

use crate::mapi::{Attachment, Blob, Message, Value, tag};
use crate::mime::calendar::export::{given_name, line_of};
use crate::mime::lines::{Component, Line};
use crate::mime::{attach, residue};

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

/// A line with data, without them; of a `data:` URI, what stands before them stays.
fn without_data(line: &Line) -> Line {
    let uri = line.value.trim().strip_prefix("data:").and_then(|uri| uri.split_once(','));
    let value = uri.map(|(head, _)| format!("data:{head},")).unwrap_or_default();
    let mut head = Line { value, ..line.clone() };
    head.params.retain(|p| !p.name.eq_ignore_ascii_case("X-PST-CID"));
    head
}

/// The parameters of a line in an order of their own.
fn shown(line: &Line) -> Vec<String> {
    let params = line.params.iter().map(|p| format!("{}={}", p.name.to_ascii_uppercase(), p.values.join(",")));
    let mut all: Vec<String> = params.chain([line.value.clone()]).collect();
    all.sort_unstable();
    all
}

pub(super) fn set(source: &Component, message: &mut Message) {
    for line in source.all("ATTACH") {
        let Some((data, mime)) = data_of(line) else { continue };
        let mime = line.param("FMTTYPE").map(str::to_ascii_lowercase).or(mime);
        let given = given_name(line);
        let number = message.attachments.len() + 1;
        let mut attachment = by_value(given, mime.as_deref(), number, Blob::Bytes(data));
        if let Some(cid) = line.param("X-PST-CID") {
            attachment.props.set(tag::ATTACH_CONTENT_ID, Value::text(cid));
        }
        let name = attachment.props.text(tag::ATTACH_LONG_FILENAME).unwrap_or_default();
        let kept = without_data(line);
        if shown(&kept) != shown(&line_of(&name, &attachment.props.text(tag::ATTACH_MIME_TAG).unwrap_or_default())) {
            let kept = Component { lines: vec![kept], ..Component::default() };
            residue::store(&mut attachment.props, residue::CALENDAR, &kept);
        }
        message.attachments.push(attachment);
    }
}
