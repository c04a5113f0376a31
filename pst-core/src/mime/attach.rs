//! MIME parts to attachments ([MS-OXCMAIL] 2.2.3.4).

use super::{date, encoded, header, outside};
use crate::mapi::message::attach_method;
use crate::mapi::{Attachment, Blob, PropBag, Value, Warning, tag, time};
use mail_parser::{HeaderName, MessagePart, PartId};
use memchr::memmem;
use std::collections::HashSet;

/// PidTagAttachFlags: rendered in the body.
const RENDERED_IN_BODY: i32 = 4;
/// Longest file name that is kept, characters.
const LONGEST_NAME: usize = 256;

/// The addresses that an HTML body refers to.
#[derive(Default)]
pub(super) struct References {
    cids: Vec<String>,
    locations: Vec<String>,
}

/// The pictures that an HTML body shows.
#[derive(Default)]
pub(super) struct Shown<'a> {
    /// What it refers to.
    pub references: References,
    /// Content-IDs that were made for parts without one.
    pub made: &'a [(PartId, String)],
    /// Content-IDs of the pictures so far: of two with one id, only the first is shown.
    taken: HashSet<String>,
}

impl<'a> Shown<'a> {
    pub fn new(references: References, made: &'a [(PartId, String)]) -> Self {
        Self { references, made, taken: HashSet::new() }
    }
}

impl References {
    /// Finds the `cid:` references of an HTML body, and which of some locations it names.
    pub fn of(html: &[u8], locations: impl Iterator<Item = String>) -> Self {
        let mut cids = Vec::new();
        for at in memchr::memchr_iter(b':', html) {
            let Some(scheme) = at.checked_sub(3).and_then(|s| html.get(s..at)) else { continue };
            if !scheme.eq_ignore_ascii_case(b"cid") {
                continue;
            }
            let rest = html.get(at + 1..).unwrap_or_default();
            let end = rest.iter().position(|b| matches!(b, b'"' | b'\'' | b'>' | b' ' | b')' | b'\r' | b'\n' | b'<'));
            let cid = rest.get(..end.unwrap_or(rest.len()).min(998)).unwrap_or_default();
            cids.push(content_id(&String::from_utf8_lossy(cid)));
        }
        let named = |l: &String| !l.is_empty() && memmem::find(html, format!("\"{l}\"").as_bytes()).is_some();
        Self { cids, locations: locations.filter(named).collect() }
    }

    /// True if the body shows this picture.
    pub fn show(&self, mime: &str, name: Option<&str>, cid: Option<&str>, location: Option<&str>) -> bool {
        (cid.is_some_and(|c| self.cid(c)) || location.is_some_and(|l| self.location(l))) && is_picture(mime, name)
    }

    /// True if the body refers to a Content-ID.
    fn cid(&self, cid: &str) -> bool {
        self.cids.contains(&content_id(cid))
    }

    /// True if the body refers to a Content-Location.
    fn location(&self, location: &str) -> bool {
        self.locations.iter().any(|l| l == location)
    }
}

/// A Content-ID in the form in which it compares.
pub(super) fn content_id(text: &str) -> String {
    String::from_utf8_lossy(&unescape(text.as_bytes())).to_ascii_lowercase()
}

/// Decodes %xx.
fn unescape(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        let code = tail.get(..2).and_then(|h| std::str::from_utf8(h).ok()).and_then(|h| u8::from_str_radix(h, 16).ok());
        match code {
            Some(code) if byte == b'%' => {
                out.push(code);
                rest = tail.get(2..).unwrap_or_default();
            }
            _ => out.push(byte),
        }
    }
    out
}

/// "type/subtype" of a part in lower case.
pub(super) fn mime_type(part: MessagePart<'_>) -> String {
    match part.content_type() {
        None => "text/plain".to_owned(),
        Some(c) => match (c.ctype(), c.subtype()) {
            (t, Some(s)) if is_token(t) && is_token(s) => format!("{t}/{s}").to_ascii_lowercase(),
            ("text", _) => "text/plain".to_owned(),
            _ => "application/octet-stream".to_owned(),
        },
    }
}

fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?=".contains(&b))
}

/// The properties that every attachment made of a part has; the data are still missing.
pub(super) fn describe(
    part: MessagePart<'_>,
    number: usize,
    shown: &mut Shown<'_>,
    warnings: &mut Vec<Warning>,
) -> Attachment {
    let mut attachment = Attachment::default();
    let props = &mut attachment.props;
    let mime = mime_type(part);
    props.set(tag::RENDERING_POSITION, Value::I32(-1));
    props.set(tag::ATTACH_MIME_TAG, Value::text(&mime));
    let given = name_of(part, warnings);
    let name = given.as_deref().map(sanitize).filter(|n| !n.is_empty());
    let description = part.headers().get(HeaderName::ContentDescription);
    let description = description.map(|h| header::text(h.raw_value(), warnings)).filter(|d| !d.is_empty());
    let name = name.or_else(|| generated(&mime, number));
    if let Some(name) = &name {
        set_name(&mut attachment, name);
    }
    let props = &mut attachment.props;
    if let Some(display) = description.as_ref().or(given.as_ref()).or(name.as_ref()) {
        props.set(tag::DISPLAY_NAME, Value::text(display));
    }
    let content = part.content_type();
    if let Some(label) = content.and_then(|c| c.attribute("charset")).filter(|l| is_token(l)) {
        props.set(tag::TEXT_ATTACHMENT_CHARSET, Value::text(label));
    }
    let cid =
        raw(part, HeaderName::ContentId).map(|c| c.trim_matches(['<', '>', ' ']).to_owned()).filter(|c| !c.is_empty());
    let cid = cid.or_else(|| shown.made.iter().find(|(id, _)| *id == part.id()).map(|(_, cid)| cid.clone()));
    let location = location(part);
    let is_shown = shown.references.show(&mime, name.as_deref(), cid.as_deref(), location.as_deref())
        && cid.as_ref().is_none_or(|cid| shown.taken.insert(cid.to_lowercase()));
    if let Some(cid) = cid {
        props.set(tag::ATTACH_CONTENT_ID, Value::text(&cid));
    }
    if let Some(location) = location {
        props.set(tag::ATTACH_CONTENT_LOCATION, Value::text(&location));
    }
    dates(part, props);
    outside::keep_fields(part, props);
    if is_shown {
        props.set(tag::ATTACH_FLAGS, Value::I32(RENDERED_IN_BODY));
        props.set(tag::ATTACHMENT_HIDDEN, Value::Bool(true));
    }
    attachment
}

/// When the file was made and last changed (RFC 2183).
fn dates(part: MessagePart<'_>, props: &mut PropBag) {
    let parameters = [("creation-date", tag::CREATION_TIME), ("modification-date", tag::LAST_MODIFICATION_TIME)];
    for (parameter, tag) in parameters {
        let text = part.content_disposition().and_then(|d| d.attribute(parameter));
        if let Some(at) = text.and_then(date::parse).and_then(time::from_unix) {
            props.set(tag, Value::Time(at));
        }
    }
}

fn raw(part: MessagePart<'_>, name: HeaderName<'static>) -> Option<String> {
    part.headers().get(name).map(|h| header::text(h.raw_value(), &mut Vec::new()))
}

/// The Content-Location of a part.
pub(super) fn location(part: MessagePart<'_>) -> Option<String> {
    raw(part, HeaderName::ContentLocation).filter(|l| !l.is_empty())
}

/// True for pictures that HTML shows.
pub(super) fn is_picture(mime: &str, name: Option<&str>) -> bool {
    let mime = match name {
        Some(name) if mime == "application/octet-stream" => type_of(name),
        _ => mime,
    };
    matches!(
        mime.strip_prefix("image/").unwrap_or_default(),
        "jpeg" | "jpg" | "pjpeg" | "gif" | "bmp" | "png" | "x-png"
    )
}

/// Sets long and short file name and extension.
pub(super) fn set_name(attachment: &mut Attachment, name: &str) {
    let props = &mut attachment.props;
    props.set(tag::ATTACH_LONG_FILENAME, Value::text(name));
    props.set(tag::ATTACH_FILENAME, Value::text(&short_name(name)));
    if let Some(extension) = extension(name) {
        props.set(tag::ATTACH_EXTENSION, Value::text(extension));
    }
}

/// A file of its own, by value.
pub(super) fn file(name: &str, data: Vec<u8>) -> Attachment {
    let mut attachment = Attachment::default();
    let safe = sanitize(name);
    attachment.props.set(tag::RENDERING_POSITION, Value::I32(-1));
    attachment.props.set(tag::ATTACH_MIME_TAG, Value::text(type_of(&safe)));
    attachment.props.set(tag::DISPLAY_NAME, Value::text(name));
    set_name(&mut attachment, if safe.is_empty() { "attachment.bin" } else { &safe });
    by_value(&mut attachment, Blob::Bytes(data));
    attachment
}

/// A text in UTF-8 as a file.
pub(super) fn text_file(name: &str, text: &str) -> Attachment {
    let mut attachment = file(name, text.as_bytes().to_vec());
    attachment.props.set(tag::TEXT_ATTACHMENT_CHARSET, Value::text("utf-8"));
    attachment
}

/// Puts data by value into an attachment.
pub(super) fn by_value(attachment: &mut Attachment, data: Blob) {
    let size = i32::try_from(data.len()).unwrap_or(i32::MAX);
    attachment.props.set(tag::ATTACH_METHOD, Value::I32(attach_method::BY_VALUE));
    attachment.props.set(tag::ATTACH_SIZE, Value::I32(size));
    attachment.props.set(tag::ATTACH_DATA_BINARY, Value::Binary(data));
}

/// The file name as written in the part: Content-Disposition, then Content-Type.
fn name_of(part: MessagePart<'_>, warnings: &mut Vec<Warning>) -> Option<String> {
    let disposition = part.content_disposition().and_then(|d| d.attribute("filename"));
    let (parsed, field, parameter) = match disposition {
        Some(name) => (name, HeaderName::ContentDisposition, "filename"),
        None => (part.content_type()?.attribute("name")?, HeaderName::ContentType, "name"),
    };
    let raw = part.headers().get(field).map(|h| h.raw_value()).unwrap_or_default();
    let name = encoded::parameter(raw, parsed, parameter, warnings);
    (!name.trim().is_empty()).then_some(name)
}

/// A name that is safe as a file name; characters that no file system takes become '_'.
pub(super) fn sanitize(name: &str) -> String {
    // Marks that turn the direction of writing make one ending look like another.
    let turns = |c| matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{200E}' | '\u{200F}');
    let bad = |c: char| matches!(c, '"' | '/' | '\\' | ':' | '<' | '>' | '|' | '*' | '?') || c.is_control() || turns(c);
    let clean: String = name.chars().map(|c| if bad(c) { '_' } else { c }).collect();
    let clean = clean.trim_matches([' ', '.']);
    let device = is_device(clean).then(|| format!("_{clean}"));
    let clean = device.as_deref().unwrap_or(clean);
    if clean.chars().count() <= LONGEST_NAME {
        return clean.to_owned();
    }
    let tail = extension(clean).unwrap_or_default();
    let stem: String = clean.chars().take(LONGEST_NAME - tail.chars().count()).collect();
    format!("{stem}{tail}").trim_matches([' ', '.']).to_owned()
}

/// True for names that Windows keeps for devices, with any ending.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_ascii_uppercase();
    matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL")
        || (stem.len() == 4
            && (stem.starts_with("COM") || stem.starts_with("LPT"))
            && stem.ends_with(|c: char| c.is_ascii_digit()))
}

/// The extension with its dot, if it is a plausible one.
fn extension(name: &str) -> Option<&str> {
    let at = name.rfind('.')?;
    let extension = name.get(at..)?;
    ((2..16).contains(&extension.len()) && at > 0 && !extension.contains(' ')).then_some(extension)
}

/// A name of eight characters and an extension of three, as PidTagAttachFilename wants it.
fn short_name(name: &str) -> String {
    let tail = extension(name).unwrap_or_default();
    let stem = name.strip_suffix(tail).unwrap_or(name);
    let plain = |text: &str, most: usize| -> String {
        text.chars()
            .filter(|c| *c != ' ' && *c != '.')
            .map(|c| if c.is_ascii_alphanumeric() || "$%'-_@~!(){}^#&".contains(c) { c } else { '_' })
            .take(most)
            .collect()
    };
    let short = plain(stem, 8);
    let short = if short == stem { short } else { format!("{}~1", plain(stem, 6)) };
    let tail = plain(tail, 3);
    if tail.is_empty() { short } else { format!("{short}.{tail}") }
}

/// A name for a part that has none; embedded messages go by their subject.
fn generated(mime: &str, number: usize) -> Option<String> {
    if mime == "message/rfc822" || mime == "message/global" {
        return None;
    }
    Some(format!("attachment{number}{}", extension_of(mime)))
}

/// File extensions and media types.
const TYPES: &[(&str, &str)] = &[
    (".txt", "text/plain"),
    (".htm", "text/html"),
    (".html", "text/html"),
    (".ics", "text/calendar"),
    (".vcf", "text/vcard"),
    (".vcf", "text/x-vcard"),
    (".csv", "text/csv"),
    (".rtf", "text/rtf"),
    (".rtf", "application/rtf"),
    (".xml", "text/xml"),
    (".xml", "application/xml"),
    (".json", "application/json"),
    (".jpg", "image/jpeg"),
    (".jpeg", "image/jpeg"),
    (".png", "image/png"),
    (".gif", "image/gif"),
    (".bmp", "image/bmp"),
    (".tif", "image/tiff"),
    (".tiff", "image/tiff"),
    (".svg", "image/svg+xml"),
    (".pdf", "application/pdf"),
    (".zip", "application/zip"),
    (".gz", "application/gzip"),
    (".doc", "application/msword"),
    (".xls", "application/vnd.ms-excel"),
    (".ppt", "application/vnd.ms-powerpoint"),
    (".docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    (".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    (".pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
    (".mp3", "audio/mpeg"),
    (".wav", "audio/wav"),
    (".mp4", "video/mp4"),
    (".p7s", "application/pkcs7-signature"),
    (".p7m", "application/pkcs7-mime"),
    (".asc", "application/pgp-signature"),
    (".eml", "message/rfc822"),
    (".txt", "message/delivery-status"),
    (".txt", "message/disposition-notification"),
    (".txt", "text/rfc822-headers"),
    (".dat", "application/ms-tnef"),
];

pub(super) fn extension_of(mime: &str) -> &'static str {
    TYPES.iter().find(|(_, t)| *t == mime).map_or(if mime.starts_with("text/") { ".txt" } else { ".bin" }, |(e, _)| *e)
}

/// The media type that a file name suggests.
pub(super) fn type_of(name: &str) -> &'static str {
    let extension = extension(name).unwrap_or_default().to_ascii_lowercase();
    TYPES.iter().find(|(e, _)| *e == extension).map_or("application/octet-stream", |(_, t)| *t)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        assert_eq!(sanitize(r"..\..\a:b?.exe"), "_.._a_b_.exe");
        assert_eq!(sanitize(&"x".repeat(300)).len(), 256);
        assert_eq!(sanitize(&format!("{}.docx", "é".repeat(300))).chars().count(), 256);
        assert_eq!(short_name("report.pdf"), "report.pdf");
        assert_eq!(short_name("A long report.docx"), "Alongr~1.doc");
        assert_eq!(short_name("日本.txt"), "__~1.txt");
        assert_eq!(type_of("a.PDF"), "application/pdf");
    }

    #[test]
    fn references() {
        let refs = References::of(
            b"<img src=\"CID:A%20b@c\"><img src='cid:x'><a href=\"pic.png\">",
            ["pic.png".to_owned()].into_iter(),
        );
        assert!(refs.cid("a b@C") && refs.cid("X") && !refs.cid("y") && refs.location("pic.png"));
    }
}
