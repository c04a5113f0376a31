//! The bodies of a MAPI message as plain text and HTML ([MS-OXBBODY] 2.1.3.1, [MS-OXCMAIL] 2.1.3.3).

use super::outobject::Renderings;
use super::{charset, describe, describe_class, header, outrich, text, to_mapi};
use crate::error::Result;
use crate::mapi::{Attachment, Message, Value, Warning, codepage, tag};

/// Bodies larger than this are cut, with a warning.
pub(super) const LONGEST: u64 = 1 << 30;
const NATIVE_RTF: i32 = 2;

/// What stands in the body parts of a message.
#[derive(Default)]
pub(super) struct Bodies {
    /// Plain text with CRLF line ends.
    pub plain: Option<String>,
    /// HTML and the name of its charset.
    pub html: Option<(Vec<u8>, String)>,
    /// RTF that is written too, as an alternative.
    pub rtf: Option<Vec<u8>>,
    /// Pictures of the RTF that the HTML shows.
    pub pictures: Vec<Attachment>,
    /// Content-IDs of attachments without one that the HTML shows.
    pub placed: Vec<(usize, String)>,
}

impl Bodies {
    /// Bytes of all forms of the body.
    pub fn len(&self) -> usize {
        let rtf = self.rtf.as_ref().map_or(0, Vec::len);
        self.plain.as_ref().map_or(0, String::len) + self.html.as_ref().map_or(0, |(html, _)| html.len()) + rtf
    }

    /// How many forms of the body there are.
    pub fn count(&self) -> usize {
        usize::from(self.plain.is_some()) + usize::from(self.html.is_some()) + usize::from(self.rtf.is_some())
    }
}

/// Finds the bodies of a message.
pub(super) fn of(message: &Message, class: &str, made: &Renderings, warnings: &mut Vec<Warning>) -> Result<Bodies> {
    let page = text::page(&message.props);
    let mut bodies = Bodies::default();
    let plain = body_text(message, page)?;
    let html = html(message, page)?;
    let native_rtf = message.props.i32(tag::NATIVE_BODY) == Some(NATIVE_RTF);
    let has_rtf = message.props.any(tag::RTF_COMPRESSED.id()).is_some();
    if html.is_none() && has_rtf && (plain.is_none() || native_rtf || in_sync(message)) {
        outrich::read(message, page, made, &mut bodies, warnings)?;
    }
    if html.is_some() && has_rtf && in_sync(message) {
        bodies.rtf = outrich::part(message, page)?;
    }
    bodies.html = html.or(bodies.html.take());
    bodies.plain = plain.or(bodies.plain.take());
    if has_rtf {
        outrich::keep_text(&mut bodies);
    }
    if is_derived(&bodies, message) {
        bodies.plain = None;
    }
    if bodies.count() == 0 && describe_class::is_report(class) {
        bodies.plain = text::some(&message.props, tag::REPORT_TEXT, page).map(|t| header::crlf(&t).into_owned());
    }
    if let Some(fields) = describe::fields(message, class, bodies.count() > 0) {
        if let Some((html, _)) = &mut bodies.html {
            let mut head = describe::as_html(&fields).into_bytes();
            head.append(html);
            *html = head;
        }
        if bodies.html.is_none() || bodies.plain.is_some() {
            let rest = bodies.plain.take().unwrap_or_default();
            bodies.plain = Some(if rest.is_empty() { fields } else { format!("{fields}\r\n{rest}") });
        }
    }
    Ok(bodies)
}

fn in_sync(message: &Message) -> bool {
    message.props.bool(tag::RTF_IN_SYNC) == Some(true)
}

fn body_text(message: &Message, page: u32) -> Result<Option<String>> {
    let found = match message.props.any(tag::BODY.id()) {
        Some(Value::Binary(blob)) => Some(charset::decode_page(page, &blob.to_vec(LONGEST)?).into_owned()),
        Some(value) => text::value(value, page),
        None => None,
    };
    Ok(found.map(|t| match header::crlf(&t) {
        std::borrow::Cow::Borrowed(_) => t,
        std::borrow::Cow::Owned(fixed) => fixed,
    }))
}

fn html(message: &Message, page: u32) -> Result<Option<(Vec<u8>, String)>> {
    let (bytes, label) = match message.props.any(tag::HTML.id()) {
        Some(Value::Binary(blob)) => {
            let bytes = blob.to_vec(LONGEST)?;
            let internet = message.props.i32(tag::INTERNET_CODEPAGE).map(|p| p as u32);
            let label = [internet, Some(page)]
                .into_iter()
                .flatten()
                .find_map(charset::label_of)
                .map(ToOwned::to_owned)
                .or_else(|| to_mapi::meta_charset(&bytes));
            (bytes, label.unwrap_or_else(|| "windows-1252".to_owned()))
        }
        Some(value) => match text::value(value, page) {
            Some(text) => (mail_parser::strip_charset_meta(&text).into_owned().into_bytes(), "utf-8".to_owned()),
            None => return Ok(None),
        },
        None => return Ok(None),
    };
    let end = bytes.iter().rposition(|b| *b != 0).map_or(0, |at| at + 1);
    let mut bytes = bytes;
    bytes.truncate(end);
    Ok((!bytes.is_empty()).then_some((bytes, label)))
}

/// True if the plain text is what the way in makes of an HTML body that comes alone.
fn is_derived(bodies: &Bodies, message: &Message) -> bool {
    let (Some(plain), Some((html, label))) = (&bodies.plain, &bodies.html) else { return false };
    message.props.any(tag::RTF_COMPRESSED.id()).is_none()
        && charset::page_of(label)
            .is_some_and(|page| starts_alike(html, page, plain) && to_mapi::plain_of(html, page) == *plain)
}

/// False if the start of the HTML is enough to tell that the plain text was not made of it.
fn starts_alike(html: &[u8], page: u32, plain: &str) -> bool {
    let mut most = 1 << 10;
    while 2 * most < html.len() && codepage::encoding(page).is_some_and(encoding_rs::Encoding::is_ascii_compatible) {
        // A tag ends every word, so that what comes of this much is the beginning of what comes of all, but for the
        // last word, before which a blank may be missing.
        let cut = html.get(..most).and_then(|start| memchr::memrchr(b'<', start)).unwrap_or_default();
        let text = to_mapi::plain_of(html.get(..cut).unwrap_or_default(), page);
        let sure = text.rfind([' ', '\t', '\r', '\n']).and_then(|at| text.get(..at)).unwrap_or_default();
        let sure = sure.trim_end_matches('\r');
        if !plain.starts_with(sure) {
            return false;
        }
        if sure.len() > 256 {
            break;
        }
        most *= 4;
    }
    true
}
