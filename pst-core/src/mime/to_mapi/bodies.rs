//! Bodies of a message ([MS-OXCMAIL] 2.2.3.3).

use super::Context;
use crate::error::Result;
use crate::mapi::rtf::{self, Origin};
use crate::mapi::{Code, Message, PropBag, Value, tag};
use crate::mime::attach::{self, References};
use crate::mime::charset::{self, Fit};
use crate::mime::joined::{self, Piece};
use crate::mime::select::Selection;
use crate::mime::{header, legacy, outside};
use mail_parser::{MessagePart, PartId, PartKind};
use std::borrow::Cow;

impl Context<'_> {
    /// Sets the bodies and finds what the HTML refers to.
    pub(super) fn bodies(
        &mut self,
        selection: &Selection<'_>,
        made: &[(PartId, String)],
        message: &mut Message,
    ) -> Result<References> {
        for part in selection.bodies().filter(|p| p.parent().is_some()) {
            let names = outside::names_of_others(part);
            if !names.is_empty() {
                self.warnings
                    .push(Code::Outside.with(format!("fields of a text part were left out: {}", names.join(", "))));
            }
        }
        let props = &mut message.props;
        if let Some(part) = selection.plain {
            let bytes = self.decoded(part, "a text body")?;
            let label = label_of(part);
            self.files = legacy::files(&bytes);
            let (text, fit) = charset::decode(label, &bytes);
            self.fit(fit, label);
            let text = match self.tails.pop() {
                Some(tail) => Cow::Owned(format!("{text}\r\n{tail}")),
                None => text,
            };
            props.set(tag::BODY, Value::text(&header::crlf(&text)));
            let page = label.and_then(charset::page_of).unwrap_or(65001);
            props.set(tag::INTERNET_CODEPAGE, Value::I32(page as i32));
            props.set(tag::NATIVE_BODY, Value::I32(1));
        }
        if let Some(part) = selection.rtf {
            self.rich(part, selection, props)?;
        }
        if selection.html.is_empty() {
            return Ok(References::default());
        }
        let (html, page) = self.html(selection, made)?;
        if selection.plain.is_none() {
            props.set(tag::BODY, Value::text(&plain_of(&html, page)));
        }
        let references = if selection.attachments.is_empty() {
            References::default()
        } else {
            References::of(&html, selection.attachments.iter().filter_map(|p| attach::location(*p)))
        };
        props.set(tag::HTML, Value::binary(html));
        props.set(tag::INTERNET_CODEPAGE, Value::I32(page as i32));
        props.set(tag::NATIVE_BODY, Value::I32(3));
        Ok(references)
    }

    /// Sets the rich text body ([MS-OXCMAIL] 2.2.3.3.2), and its plain text where none came.
    fn rich(&mut self, part: MessagePart<'_>, selection: &Selection<'_>, props: &mut PropBag) -> Result<()> {
        let rtf = self.decoded(part, "a rich text body")?;
        if selection.plain.is_none() && selection.html.is_empty() {
            props.set(tag::BODY, Value::text(&plain_of_rtf(&rtf)));
        }
        props.set(tag::RTF_COMPRESSED, Value::binary(rtf::compress(&rtf)));
        props.set(tag::RTF_IN_SYNC, Value::Bool(true));
        props.set(tag::NATIVE_BODY, Value::I32(2));
        Ok(())
    }

    /// The HTML body and its code page: the bytes as they are where Outlook knows the charset, UTF-8 otherwise.
    fn html(&mut self, selection: &Selection<'_>, made: &[(PartId, String)]) -> Result<(Vec<u8>, u32)> {
        if let [part] = selection.html.as_slice() {
            let bytes = self.html_bytes(*part)?;
            let label = label_of(*part).map(ToOwned::to_owned).or_else(|| meta_charset(&bytes));
            if let Some(page) = label.as_deref().and_then(charset::page_of) {
                self.fit(charset::decode(label.as_deref(), &bytes).1, label.as_deref());
                return Ok((bytes.into_owned(), page));
            }
            if label.is_none() && std::str::from_utf8(&bytes).is_ok() {
                return Ok((bytes.into_owned(), 65001));
            }
            let (text, fit) = charset::decode(label.as_deref(), &bytes);
            self.fit(fit, label.as_deref());
            return Ok((mail_parser::strip_charset_meta(&text).into_owned().into_bytes(), 65001));
        }
        let run = if selection.run.is_empty() { &selection.html } else { &selection.run };
        let mut pieces = Vec::with_capacity(run.len());
        for part in run {
            pieces.push(match part.kind() {
                PartKind::Html => {
                    let bytes = self.html_bytes(*part)?;
                    let label = label_of(*part).map(ToOwned::to_owned).or_else(|| meta_charset(&bytes));
                    let (text, fit) = charset::decode(label.as_deref(), &bytes);
                    self.fit(fit, label.as_deref());
                    Piece::Html(mail_parser::strip_charset_meta(&text).into_owned())
                }
                PartKind::Text => {
                    let bytes = self.decoded(*part, "a text body")?;
                    let (text, fit) = charset::decode(label_of(*part), &bytes);
                    self.fit(fit, label_of(*part));
                    Piece::Text(text.into_owned())
                }
                _ => Piece::Picture(joined::content_id(*part, made)),
            });
        }
        self.warnings.push(Code::Body.with(format!("{} HTML parts were joined to one body", selection.html.len())));
        Ok((header::crlf(&joined::join(&pieces)).into_owned().into_bytes(), 65001))
    }

    /// HTML with the line ends that it had in transit; base64 keeps whatever is inside.
    fn html_bytes<'m>(&mut self, part: MessagePart<'m>) -> Result<Cow<'m, [u8]>> {
        let bytes = self.decoded(part, "an HTML body")?;
        if part.encoding() == mail_parser::Encoding::Base64 {
            return Ok(bytes);
        }
        Ok(match header::crlf_bytes(&bytes) {
            Cow::Owned(fixed) => Cow::Owned(fixed),
            Cow::Borrowed(_) => bytes,
        })
    }

    pub(super) fn fit(&mut self, fit: Fit, label: Option<&str>) {
        let label = label.unwrap_or_default();
        match fit {
            Fit::Right => {}
            Fit::Bad => self
                .warnings
                .push(Code::Charset.with(format!("a text is not all in the charset {label:?} that it names"))),
            Fit::Unknown => self
                .warnings
                .push(Code::Charset.with(format!("a text in the unknown charset {label:?} was read as UTF-8"))),
        }
    }
}

pub(super) fn label_of(part: MessagePart<'_>) -> Option<&str> {
    part.content_type()?.attribute("charset").filter(|l| !l.trim().is_empty())
}

/// The charset that an HTML text names in its head.
pub(in crate::mime) fn meta_charset(html: &[u8]) -> Option<String> {
    let head = html.get(..html.len().min(2048))?.to_ascii_lowercase();
    let at = memchr::memmem::find(&head, b"charset=")?;
    let rest = head.get(at + 8..)?;
    let rest = rest.strip_prefix(b"\"").or_else(|| rest.strip_prefix(b"'")).unwrap_or(rest);
    let end = rest.iter().position(|b| !b.is_ascii_alphanumeric() && !b"-_".contains(b)).unwrap_or(rest.len());
    let label = String::from_utf8(rest.get(..end)?.to_vec()).ok()?;
    // A text that one can read a meta element in is not in UTF-16 or UTF-32, whatever it says.
    (!label.is_empty() && !charset::is_wide(&label)).then_some(label)
}

/// The plain text that stands beside an HTML body that came alone.
pub(in crate::mime) fn plain_of(html: &[u8], page: u32) -> String {
    header::crlf(&mail_parser::html_to_text(&charset::decode_page(page, html))).into_owned()
}

/// The plain text that stands beside a rich text body that came alone.
pub(in crate::mime) fn plain_of_rtf(rtf: &[u8]) -> String {
    let text = match rtf::origin(rtf) {
        Origin::Html => mail_parser::html_to_text(&rtf::unwrap(rtf, Origin::Html)),
        Origin::Text => rtf::unwrap(rtf, Origin::Text),
        Origin::Rich => rtf::to_text(rtf, &[]),
    };
    header::crlf(&text).into_owned()
}
