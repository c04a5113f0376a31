//! What stands in mail for OLE objects and for files that are elsewhere ([MS-OXCMAIL] 2.1.3.4).

use super::outattach::one_line;
use super::{attach, text};
use crate::error::Result;
use crate::mapi::message::attach_method;
use crate::mapi::rtf::picture::Picture;
use crate::mapi::{Attachment, Blob, Code, Message, PropBag, Value, Warning, ole, tag};
use std::collections::{HashMap, HashSet};

/// Objects and their pictures are looked at up to this size, bytes.
const LOOKED_AT: u64 = 64 << 20;

/// The pictures that stand for OLE objects.
#[derive(Default)]
pub(super) struct Renderings {
    /// The pictures, as attachments of their own.
    pub parts: Vec<Attachment>,
    /// The Content-ID of the picture of an attachment, where HTML can show it.
    pub shown: HashMap<usize, String>,
}

/// Finds the pictures of OLE objects: PidTagAttachRendering, or what the object's own storage holds.
pub(super) fn renderings(message: &Message, page: u32, warnings: &mut Vec<Warning>) -> Result<Renderings> {
    let mut out = Renderings::default();
    let mut seen = HashSet::new();
    for (i, attachment) in message.attachments.iter().enumerate() {
        let props = &attachment.props;
        if props.i32(tag::ATTACH_METHOD) != Some(attach_method::OLE) {
            continue;
        }
        let name = file_name(props, page).unwrap_or_else(|| format!("attachment{}", i + 1));
        if props.any(tag::ATTACH_DATA_OBJECT.id()).is_some_and(|v| v.size() > LOOKED_AT) {
            warnings.push(Code::Object.with(format!("the object {name} is too large to look for its picture")));
            continue;
        }
        let Some(picture) = picture(props)? else { continue };
        if attach::is_picture(picture.mime, None) {
            out.shown.insert(i, picture.cid.clone());
        }
        if seen.insert(picture.cid.clone()) {
            out.parts.push(picture_part(name.trim_end_matches(".ole"), picture));
        }
    }
    Ok(out)
}

fn picture(props: &PropBag) -> Result<Option<Picture>> {
    if let Some(Value::Binary(data)) = props.get(tag::ATTACH_RENDERING).filter(|v| (1..=LOOKED_AT).contains(&v.size()))
    {
        return Ok(Some(Picture::metafile(&data.to_vec(LOOKED_AT)?)));
    }
    match props.any(tag::ATTACH_DATA_OBJECT.id()) {
        Some(Value::Binary(data) | Value::Object(data)) => Ok(ole::picture(&data.to_vec(LOOKED_AT)?)),
        _ => Ok(None),
    }
}

/// The file name of an attachment: the long one, the short one, or what it is called in the message.
pub(super) fn file_name(props: &PropBag, page: u32) -> Option<String> {
    let long = text::some(props, tag::ATTACH_LONG_FILENAME, page);
    let given = long.or_else(|| text::some(props, tag::ATTACH_FILENAME, page));
    let shown = || text::some(props, tag::DISPLAY_NAME, page).map(|n| attach::sanitize(&n)).filter(|n| !n.is_empty());
    given.or_else(shown)
}

/// A picture as an attachment that HTML can refer to.
pub(super) fn picture_part(name: &str, picture: Picture) -> Attachment {
    let mut out = Attachment::default();
    attach::set_name(&mut out, &format!("{name}{}", picture.extension));
    out.props.set(tag::ATTACH_MIME_TAG, Value::text(picture.mime));
    out.props.set(tag::ATTACH_CONTENT_ID, Value::text(&picture.cid));
    attach::by_value(&mut out, Blob::Bytes(picture.data));
    out
}

/// What is written for an attachment whose data are elsewhere.
pub(super) struct Stub {
    pub data: Vec<u8>,
    pub mime: &'static str,
    pub ending: &'static str,
}

impl Stub {
    /// A shortcut to a web address, or a note that tells the path; `None` for attachments that are no references.
    pub fn of(props: &PropBag, page: u32) -> Option<Self> {
        let method = props.i32(tag::ATTACH_METHOD)?;
        if !matches!(method, 2..=4 | attach_method::BY_WEB_REFERENCE) {
            return None;
        }
        let places = [tag::ATTACH_LONG_PATHNAME, tag::ATTACH_PATHNAME];
        let path = one_line(&places.into_iter().find_map(|t| text::some(props, t, page))?);
        if method == attach_method::BY_WEB_REFERENCE {
            let data = format!("[InternetShortcut]\r\nURL={path}\r\n").into_bytes();
            return Some(Self { data, mime: "application/internet-shortcut", ending: ".url" });
        }
        let data = format!("This attachment is a reference to: {path}\r\n").into_bytes();
        Some(Self { data, mime: "text/plain", ending: ".txt" })
    }
}
