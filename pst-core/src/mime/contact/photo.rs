//! The picture of a contact, and what else is attached to it.

use super::export::{BINARY, Output, Version};
use crate::error::Result;
use crate::mapi::{Attachment, Blob, Code, Message, PropBag, Value, lid, tag};
use crate::mime::carried::Carried;
use crate::mime::lines::{Component, Line};
use crate::mime::{attach, from_mapi, text};
use std::sync::Arc;

/// The name that Outlook gives the picture.
const NAME: &str = "ContactPicture";

/// The media type of a picture by its first bytes.
fn picture_type(data: &Blob) -> &'static str {
    let mut head = [0u8; 12];
    let read = data.open().ok().and_then(|mut r| std::io::Read::read(&mut r, &mut head).ok()).unwrap_or(0);
    match head.get(..read).unwrap_or_default() {
        [0x89, b'P', b'N', b'G', ..] => "image/png",
        [b'G', b'I', b'F', b'8', ..] => "image/gif",
        [b'B', b'M', ..] => "image/bmp",
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P'] => "image/webp",
        _ => "image/jpeg",
    }
}

fn is_picture(attachment: &Attachment, page: u32) -> bool {
    let name = text::some(&attachment.props, tag::ATTACH_LONG_FILENAME, page)
        .or_else(|| text::some(&attachment.props, tag::ATTACH_FILENAME, page));
    attachment.props.bool(tag::CONTACT_PHOTO) == Some(true)
        || name.is_some_and(|n| n.get(..NAME.len()).is_some_and(|s| s.eq_ignore_ascii_case(NAME)))
}

/// A line of bytes: a `data:` URI in vCard 4, base64 in vCard 3.
fn binary(name: &str, mime: &str, data: Blob, version: Version) -> Line {
    let mut line = match version {
        Version::V4 => Line::new(name, format!("data:{mime};base64,")),
        Version::V3 => {
            let kind = mime.rsplit('/').next().unwrap_or_default().to_ascii_uppercase();
            Line::new(name, "").with("ENCODING", "b").with("TYPE", kind)
        }
    };
    line.data = Some(data);
    line
}

impl Output<'_> {
    /// PHOTO, other attachments, and binary properties.
    pub(super) fn pictures(&mut self, message: &Message, item: &Carried<'_>, card: &mut Component) -> Result<()> {
        let mut shown = false;
        for (i, attachment) in message.attachments.iter().enumerate() {
            let props = &attachment.props;
            let data = match props.any(tag::ATTACH_DATA_BINARY.id()) {
                Some(Value::Binary(blob) | Value::Object(blob)) => Some(blob.clone()),
                _ => None,
            };
            if let Some(data) = data.clone().filter(|_| !shown && is_picture(attachment, item.page)) {
                card.lines.push(binary("PHOTO", picture_type(&data), data, self.options.vcard));
                shown = true;
                continue;
            }
            if !self.attach {
                continue;
            }
            let name = text::some(props, tag::ATTACH_LONG_FILENAME, item.page);
            let name = name.or_else(|| text::some(props, tag::ATTACH_FILENAME, item.page));
            let name = name.or_else(|| text::some(props, tag::DISPLAY_NAME, item.page));
            let name = name.unwrap_or_else(|| format!("attachment{}", i + 1));
            let (name, data) = match (&attachment.embedded, data) {
                (Some(inner), _) => {
                    let mut bytes = Vec::new();
                    from_mapi::write(inner, &mut bytes, self.options, self.depth + 1, &mut self.warnings)?;
                    (format!("{}.eml", name.strip_suffix(".msg").unwrap_or(&name)), Blob::Bytes(bytes))
                }
                (None, Some(data)) => (name, data),
                (None, None) => {
                    self.warnings.push(Code::NoData.with(format!("the attachment {name} has no data")));
                    continue;
                }
            };
            let mut line = Line::new("X-PST-ATTACH", "").with("FILENAME", name);
            line.data = Some(data);
            card.lines.push(line);
        }
        for (name, lid) in BINARY {
            if let Some(Value::Binary(data)) = item.lid(lid) {
                let mut line = Line::new(name, "");
                line.data = Some(data.clone());
                card.lines.push(line);
            }
        }
        Ok(())
    }
}

/// The bytes of a line: base64 as vCard 2.1 and 3 have it, a `data:` URI, or base64 alone under a name of our own.
pub(super) fn data_of(line: &Line) -> Option<(Vec<u8>, Option<String>)> {
    let base64 = |text: &str| mail_parser::Encoding::Base64.decode(text.as_bytes()).into_owned();
    let encoded =
        line.param("ENCODING").is_some_and(|e| e.eq_ignore_ascii_case("b") || e.eq_ignore_ascii_case("BASE64"))
            || line.params.iter().any(|p| p.values.is_empty() && p.name.eq_ignore_ascii_case("BASE64"));
    let own = line.is("X-PST-ATTACH") || BINARY.iter().any(|(name, _)| line.is(name));
    if encoded || own {
        let kind =
            super::fields::types_of(line).into_iter().find(|t| matches!(t.as_str(), "jpeg" | "png" | "gif" | "bmp"));
        return Some((base64(&line.value), kind.map(|k| format!("image/{k}"))));
    }
    let uri = line.value.trim().strip_prefix("data:")?;
    let (head, body) = uri.split_once(',').or_else(|| uri.split_once("\\,"))?;
    let head = head.trim_end_matches('\\').replace("\\;", ";");
    let mime = head.split(';').next().filter(|m| m.contains('/')).map(ToOwned::to_owned);
    head.to_ascii_lowercase().ends_with(";base64").then(|| (base64(body), mime))
}

/// True for a line whose bytes become an attachment or a property.
pub(super) fn is_data(line: &Line) -> bool {
    let named = line.is("PHOTO") || line.is("X-PST-ATTACH") || BINARY.iter().any(|(name, _)| line.is(name));
    named && data_of(line).is_some()
}

/// Sets the picture of a contact, its attachments and binary properties.
pub(super) fn set(card: &Component, message: &mut Message) {
    let photos = card.lines.iter().filter(|l| l.is("PHOTO")).filter_map(data_of).filter(|(d, _)| !d.is_empty());
    for (i, (data, _)) in photos.enumerate() {
        let data = Blob::Bytes(data);
        let mime = picture_type(&data);
        let name = format!("{NAME}{}", attach::extension_of(mime));
        let mut attachment = by_value(&name, mime, data);
        if i == 0 {
            attachment.props.set(tag::CONTACT_PHOTO, Value::Bool(true));
            message.props.set_lid(lid::HAS_PICTURE, Value::Bool(true));
        }
        message.attachments.push(attachment);
    }
    for line in card.all("X-PST-ATTACH") {
        if let Some((data, _)) = data_of(line) {
            let name = line.param("FILENAME").map(attach::sanitize).filter(|n| !n.is_empty());
            let name = name.unwrap_or_else(|| format!("attachment{}.bin", message.attachments.len() + 1));
            message.attachments.push(by_value(&name, attach::type_of(&name), Blob::Bytes(data)));
        }
    }
    for (name, lid) in BINARY {
        if let Some((data, _)) = card.line(name).and_then(data_of) {
            message.props.set_named(Arc::new(lid.name()), lid.ty, Value::binary(data));
        }
    }
}

fn by_value(name: &str, mime: &str, data: Blob) -> Attachment {
    let mut attachment = Attachment { props: PropBag::default(), embedded: None };
    attach::set_name(&mut attachment, name);
    let props = &mut attachment.props;
    props.set(tag::RENDERING_POSITION, Value::I32(-1));
    props.set(tag::DISPLAY_NAME, Value::text(name));
    props.set(tag::ATTACH_MIME_TAG, Value::text(mime));
    attach::by_value(&mut attachment, data);
    attachment
}
