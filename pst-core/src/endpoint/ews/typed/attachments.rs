//! Attachments of an item that is made of elements.

use crate::endpoint::ews::document::Document;
use crate::error::{Error, Kind, Result};
use crate::mapi::message::attach_method;
use crate::mapi::{Attachment, Blob, Code, Value, Warning, codepage, tag};
use crate::mime;

/// PidTagAttachmentFlags: a changed occurrence of a series, which stands in an attachment.
const EXCEPTION: i32 = 2;

/// An attachment on its way.
pub(super) struct Attached<'a> {
    name: String,
    mime: String,
    cid: Option<String>,
    inline: bool,
    photo: bool,
    content: Content<'a>,
}

enum Content<'a> {
    File(&'a Blob),
    /// A message, as MIME.
    Message(Vec<u8>),
}

/// The attachments of an item; what cannot go along is told.
///
/// # Errors
/// When one cannot be read.
pub(super) fn all<'a>(
    attachments: &'a [Attachment],
    options: &mime::Options,
    warnings: &mut Vec<Warning>,
) -> Result<Vec<Attached<'a>>> {
    let mut out = Vec::new();
    for attachment in attachments.iter().filter(|a| !is_exception(a)) {
        match one(attachment, options, warnings)? {
            Some(attached) => out.push(attached),
            None => {
                let text = format!("the attachment \"{}\" has no form that EWS takes", name_of(attachment));
                warnings.push(Code::Object.with(text));
            }
        }
    }
    Ok(out)
}

/// True for what a series has of a changed date.
pub(super) fn is_exception(attachment: &Attachment) -> bool {
    attachment.embedded.is_some() && attachment.props.i32(tag::ATTACHMENT_FLAGS).unwrap_or_default() & EXCEPTION != 0
}

fn name_of(attachment: &Attachment) -> String {
    let page = codepage::of_item(&attachment.props);
    let text = |tag: crate::mapi::PropTag| attachment.props.any(tag.id()).and_then(|v| super::fields::text(v, page));
    let names = [tag::ATTACH_LONG_FILENAME, tag::ATTACH_FILENAME, tag::DISPLAY_NAME];
    names.into_iter().filter_map(text).find(|n| !n.is_empty()).unwrap_or_else(|| "attachment".to_owned())
}

fn one<'a>(
    attachment: &'a Attachment,
    options: &mime::Options,
    warnings: &mut Vec<Warning>,
) -> Result<Option<Attached<'a>>> {
    let props = &attachment.props;
    let method = props.i32(tag::ATTACH_METHOD).unwrap_or(attach_method::BY_VALUE);
    let content = match (&attachment.embedded, props.any(tag::ATTACH_DATA_BINARY.id())) {
        (Some(message), _) => {
            let mut bytes = Vec::new();
            warnings.extend(mime::from_mapi(message, &mut bytes, options)?);
            Content::Message(bytes)
        }
        (None, Some(Value::Binary(blob))) if method == attach_method::BY_VALUE => Content::File(blob),
        _ => return Ok(None),
    };
    let text = |tag| props.text(tag).filter(|t| !t.is_empty());
    Ok(Some(Attached {
        name: name_of(attachment),
        mime: text(tag::ATTACH_MIME_TAG).unwrap_or_else(|| "application/octet-stream".to_owned()),
        cid: text(tag::ATTACH_CONTENT_ID),
        inline: props.bool(tag::ATTACHMENT_HIDDEN) == Some(true),
        photo: props.bool(tag::CONTACT_PHOTO) == Some(true),
        content,
    }))
}

impl<'a> Attached<'a> {
    /// In the order of AttachmentType; `contact` where a picture may be that of the person.
    pub fn write<'d>(&'d self, it: &mut Document<'d>, contact: bool)
    where
        'a: 'd,
    {
        let head = |it: &mut Document<'d>, mime: &str| {
            it.text("t:Name", &[], &self.name);
            it.text("t:ContentType", &[], mime);
            if let Some(cid) = &self.cid {
                it.text("t:ContentId", &[], cid);
            }
            it.text("t:IsInline", &[], if self.inline { "true" } else { "false" });
        };
        match &self.content {
            Content::File(blob) => it.element("t:FileAttachment", &[], |it| {
                head(it, &self.mime);
                if contact {
                    it.text("t:IsContactPhoto", &[], if self.photo { "true" } else { "false" });
                }
                it.encoded("t:Content", &[], blob.len(), move |out| {
                    let copied = std::io::copy(&mut blob.open()?, out);
                    copied.map(drop).map_err(|e| Error::new(Kind::Io, format!("an attachment cannot be sent: {e}")))
                });
            }),
            Content::Message(bytes) => it.element("t:ItemAttachment", &[], |it| {
                head(it, "message/rfc822");
                it.element("t:Message", &[], |it| {
                    let length = bytes.len() as u64;
                    it.encoded("t:MimeContent", &[("CharacterSet", "UTF-8")], length, move |out| {
                        out.write_all(bytes).map_err(|e| Error::system("cannot send", e))
                    });
                });
            }),
        }
    }
}
