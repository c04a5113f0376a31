//! Attachments of a MAPI message as MIME parts ([MS-OXCMAIL] 2.1.3.4).

use super::attach::{self, References};
use super::encode::{self, Transfer, cannot_read, cannot_write};
use super::outobject::Stub;
use super::{date, describe_class, outcomponent, outfield, outheader, outreport, outside, text};
use crate::error::Result;
use crate::mapi::message::attach_method;
use crate::mapi::named::PS_INTERNET_HEADERS;
use crate::mapi::{Attachment, Blob, Code, Message, NamedProp, Value, Warning, tag, time};
use std::fmt::Write as _;
use std::io::{Read, Write};

/// Parts of message/* up to this size are looked at to see whether they can be written as they are.
const LOOKED_AT: u64 = 64 << 20;

/// An attachment and how it is to be written.
pub(super) struct Out<'a> {
    attachment: &'a Attachment,
    page: u32,
    pub mime: String,
    pub name: Option<String>,
    pub cid: Option<String>,
    location: Option<String>,
    method: i32,
    data: Option<&'a Blob>,
    /// The bytes of a message/* part that is written without encoding.
    plain: Option<Vec<u8>>,
    /// What is written where the data are elsewhere.
    pub stub: Option<Stub>,
    /// The Content-Type of a calendar that is another form of the message.
    alternative: Option<String>,
}

impl<'a> Out<'a> {
    pub fn new(attachment: &'a Attachment, index: usize, page: u32) -> Self {
        let props = &attachment.props;
        let method = props.i32(tag::ATTACH_METHOD).unwrap_or(attach_method::BY_VALUE);
        let data = match props.any(tag::ATTACH_DATA_BINARY.id()) {
            Some(Value::Binary(blob) | Value::Object(blob)) => Some(blob),
            _ => None,
        };
        let long = text::some(props, tag::ATTACH_LONG_FILENAME, page);
        let mut name = long.or_else(|| text::some(props, tag::ATTACH_FILENAME, page));
        let stored = text::some(props, tag::ATTACH_MIME_TAG, page).map(|m| m.trim().to_ascii_lowercase());
        let stored = stored.filter(|m| is_mime(m) && !m.starts_with("multipart/"));
        let embedded = attachment.embedded.is_some();
        let mut mime = if embedded {
            "message/rfc822".to_owned()
        } else {
            let guess = || name.as_deref().map_or("application/octet-stream", attach::type_of).to_owned();
            stored.unwrap_or_else(guess)
        };
        if embedded {
            name = name.map(|n| n.strip_suffix(".msg").map_or_else(|| n.clone(), |stem| format!("{stem}.eml")));
        } else if name.is_none() && mime != "message/rfc822" {
            let shown = text::some(props, tag::DISPLAY_NAME, page).map(|n| attach::sanitize(&n));
            name = shown.filter(|n| !n.is_empty()).or_else(|| Some(format!("attachment{}", index + 1)));
        }
        if method == attach_method::OLE && !embedded {
            name = name.map(|n| if n.contains('.') { n } else { format!("{n}.ole") });
        }
        let stub = Stub::of(props, page).filter(|_| data.is_none());
        if let Some(stub) = &stub {
            stub.mime.clone_into(&mut mime);
            name = name.map(|n| if n.ends_with(stub.ending) { n } else { n + stub.ending });
        }
        let cid = text::some(props, tag::ATTACH_CONTENT_ID, page);
        let location = text::some(props, tag::ATTACH_CONTENT_LOCATION, page);
        let mut out =
            Self { attachment, page, mime, name, cid, location, method, data, plain: None, stub, alternative: None };
        out.alternative = outcomponent::alternative(props, page).filter(|_| out.data.is_some());
        out.plain = out.as_is();
        if out.plain.is_none() && !embedded && out.mime == "message/rfc822" {
            // message/rfc822 may not be encoded, and these bytes cannot go without.
            "application/octet-stream".clone_into(&mut out.mime);
            out.name.get_or_insert_with(|| "message.eml".to_owned());
        }
        out
    }

    fn as_is(&self) -> Option<Vec<u8>> {
        if !self.mime.starts_with("message/") || self.attachment.embedded.is_some() {
            return None;
        }
        let blob = self.data.filter(|b| b.len() <= LOOKED_AT)?;
        let bytes = blob.to_vec(LOOKED_AT).ok()?;
        // What lies inside may be of any kind, as long as its lines can travel.
        if self.mime == "message/rfc822" {
            return (travels(&bytes) && is_message(&bytes)).then_some(bytes);
        }
        Transfer::is_plain(&bytes).then_some(bytes)
    }

    /// The embedded message.
    pub fn embedded(&self) -> Option<&'a Message> {
        self.attachment.embedded.as_deref()
    }

    /// True for pictures that the HTML body shows.
    pub fn is_inline(&self, references: &References) -> bool {
        self.attachment.embedded.is_none()
            && references.show(&self.mime, self.name.as_deref(), self.cid.as_deref(), self.location.as_deref())
    }

    /// True for a calendar that is another form of the message.
    pub fn is_alternative(&self) -> bool {
        self.alternative.is_some()
    }

    /// The media type.
    pub fn mime(&self) -> &str {
        &self.mime
    }

    /// What kind of report this is the machine-readable part of.
    pub fn report_type(&self) -> Option<&'static str> {
        outreport::kind_of(&self.mime)
    }

    /// The Content-Location.
    pub fn location(&self) -> Option<&str> {
        self.location.as_deref()
    }

    /// What tells this attachment from others, for the hash that boundaries are made of.
    pub fn summary(&self) -> String {
        let inside = self.embedded().and_then(|m| text::subject(&m.props)).unwrap_or_default();
        let size = match (&self.stub, self.data) {
            (Some(stub), _) => stub.data.len() as u64,
            (None, data) => data.map_or(0, Blob::len),
        };
        // Only what is written may matter.
        let name = self.name.as_deref().filter(|_| self.alternative.is_none());
        format!("{}\0{}\0{size}\0{inside}\0", self.mime, name.unwrap_or_default())
    }

    /// Appends the header of the part.
    pub fn write_head(&self, inline: bool, warnings: &mut Vec<Warning>, head: &mut Vec<u8>) {
        if let Some(kind) = &self.alternative {
            head.extend_from_slice(
                format!("Content-Type: {kind}\r\nContent-Transfer-Encoding: base64\r\n\r\n").as_bytes(),
            );
            return;
        }
        let props = &self.attachment.props;
        let mut fields = format!("Content-Type: {}", self.mime);
        if self.stub.as_ref().is_some_and(|s| s.mime == "text/plain") {
            outfield::parameter("charset", "utf-8", &mut fields);
        } else if self.mime.starts_with("text/")
            && let Some(label) = text::some(props, tag::TEXT_ATTACHMENT_CHARSET, self.page).filter(|l| is_token(l))
        {
            outfield::parameter("charset", &label, &mut fields);
        }
        if let Some(name) = &self.name {
            outfield::old_parameter("name", name, &mut fields);
        }
        if self.attachment.embedded.is_none() {
            let transfer = if self.plain.is_some() { Transfer::Plain } else { Transfer::Base64 };
            let _ = write!(fields, "\r\nContent-Transfer-Encoding: {}", transfer.name());
        }
        if let Some(cid) = &self.cid {
            let _ = write!(
                fields,
                "\r\nContent-ID: {}",
                outfield::words(&format!("<{}>", one_line(cid).trim_matches(['<', '>'])))
            );
        }
        if let Some(location) = &self.location {
            let _ = write!(fields, "\r\nContent-Location: {}", outfield::words(&one_line(location)));
        }
        let _ = write!(fields, "\r\nContent-Disposition: {}", if inline { "inline" } else { "attachment" });
        if let Some(name) = &self.name {
            outfield::parameter("filename", name, &mut fields);
        }
        for (parameter, tag) in
            [("creation-date", tag::CREATION_TIME), ("modification-date", tag::LAST_MODIFICATION_TIME)]
        {
            if let Some(at) = props.time(tag).and_then(time::known).and_then(|t| date::format(time::to_unix(t))) {
                outfield::parameter(parameter, &at, &mut fields);
            }
        }
        fields.push_str("\r\n");
        head.extend_from_slice(fields.as_bytes());
        if let Some(kept) = outside::kept_fields(props) {
            outheader::write_kept(&kept, warnings, head);
        }
        let shown = text::some(props, tag::DISPLAY_NAME, self.page).filter(|d| self.is_description(d));
        if let Some(shown) = shown {
            outfield::field("Content-Description", &outfield::words(&one_line(&shown)), head);
        }
        head.extend_from_slice(b"\r\n");
    }

    /// A display name is worth a field of its own if it is not the file name again.
    fn is_description(&self, shown: &str) -> bool {
        self.attachment.embedded.is_none() && self.name.as_deref() != Some(shown) && !shown.trim().is_empty()
    }

    /// Writes the data; base64 in lines that end with LF alone if `lf` is set.
    pub fn write_data(&self, out: &mut dyn Write, lf: bool, warnings: &mut Vec<Warning>) -> Result<()> {
        if let Some(bytes) = &self.plain {
            return out.write_all(bytes).map_err(cannot_write);
        }
        if let Some(blob) = self.data {
            return write_base64(blob, out, lf);
        }
        let name = self.name.as_deref().unwrap_or("without a name");
        let kept = if self.stub.is_some() { "its path is kept" } else { "an empty part stands for it" };
        warnings.push(Code::NoData.with(format!("the attachment {name} has no data (method {}): {kept}", self.method)));
        let stub = self.stub.as_ref().map(|s| s.data.as_slice());
        encode::stream_base64(&mut stub.unwrap_or_default(), out, lf)
    }
}

fn write_base64(blob: &Blob, out: &mut dyn Write, lf: bool) -> Result<()> {
    match blob {
        Blob::Bytes(bytes) => encode::slice_base64(bytes, out, lf),
        Blob::Stream(stream) => encode::stream_base64(&mut *stream.open_buffered()?, out, lf),
    }
}

/// Text without line ends and other controls.
pub(super) fn one_line(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.+:".contains(&b))
}

fn is_mime(text: &str) -> bool {
    text.split_once('/').is_some_and(|(kind, sub)| is_token(kind) && is_token(sub))
}

/// True if the lines of a nested message can be written as they are.
fn travels(bytes: &[u8]) -> bool {
    super::header::is_crlf(bytes) && !bytes.contains(&0)
}

/// True if the bytes start with a header field.
fn is_message(bytes: &[u8]) -> bool {
    let name = bytes.split(|b| *b == b':').next().unwrap_or_default();
    bytes.is_empty() || (name.len() < bytes.len() && !name.is_empty() && name.iter().all(u8::is_ascii_graphic))
}

/// Writes an S/MIME message out of its one attachment, header included. False if this is none.
pub(super) fn write_smime(
    message: &Message,
    class: &str,
    head: &mut Vec<u8>,
    out: &mut dyn Write,
    lf: bool,
) -> Result<bool> {
    let [only] = message.attachments.as_slice() else { return Ok(false) };
    let Some(Value::Binary(data)) = only.props.any(tag::ATTACH_DATA_BINARY.id()) else { return Ok(false) };
    let page = text::page(&message.props);
    let mime = text::get(&only.props, tag::ATTACH_MIME_TAG, page).unwrap_or_default();
    if describe_class::is_signed(class) && mime.eq_ignore_ascii_case("multipart/signed") {
        let mut start = Vec::new();
        data.open()?.take(13).read_to_end(&mut start).map_err(cannot_read)?;
        if !start.eq_ignore_ascii_case(b"content-type:") {
            return Ok(false);
        }
        out.write_all(head).map_err(cannot_write)?;
        std::io::copy(&mut data.open()?, out).map_err(cannot_write)?;
        return Ok(true);
    }
    let file = text::some(&only.props, tag::ATTACH_LONG_FILENAME, page).unwrap_or_default();
    let is_smime = mime.to_ascii_lowercase().contains("pkcs7-mime") || describe_class::is_p7m(&file);
    if describe_class::is_encrypted(class) && is_smime {
        let name = NamedProp::text(PS_INTERNET_HEADERS, "content-type");
        let stored = message.props.named(&name).and_then(|v| text::value(v, page));
        let stored = stored.filter(|s| s.to_ascii_lowercase().starts_with("application/"));
        let mime = if mime.is_empty() { "application/pkcs7-mime" } else { &mime };
        let value = stored.unwrap_or_else(|| format!("{mime}; name=\"smime.p7m\""));
        outfield::field("Content-Type", &one_line(&value), head);
        head.extend_from_slice(
            b"Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment;\r\n filename=\"smime.p7m\"\r\n\r\n",
        );
        out.write_all(head).map_err(cannot_write)?;
        write_base64(data, out, lf)?;
        return Ok(true);
    }
    Ok(false)
}
