//! Rich text bodies on the way out: the HTML and text that they hold or are made into ([MS-OXRTFEX], [MS-OXCMAIL] 2.1.3.3).

use super::outbody::{Bodies, LONGEST};
use super::outobject::{self, Renderings};
use super::{attach, charset, header, text, to_mapi};
use crate::error::Result;
use crate::mapi::rtf::{self, Origin, Placeholder};
use crate::mapi::{Attachment, Code, Message, Value, Warning, tag};

/// The RTF of a message; `None` if it has none that can be read.
pub(super) fn rtf_of(message: &Message, warnings: &mut Vec<Warning>) -> Result<Option<Vec<u8>>> {
    let Some(Value::Binary(blob)) = message.props.any(tag::RTF_COMPRESSED.id()) else { return Ok(None) };
    let unpacked = rtf::decompress(&blob.to_vec(LONGEST)?, LONGEST as usize);
    let odd: Vec<String> = unpacked.oddities.iter().filter(|o| o.costs_text()).map(ToString::to_string).collect();
    if !odd.is_empty() {
        warnings.push(Code::RichText.with(format!("the rich text body is damaged: {}", odd.join("; "))));
    }
    Ok(Some(unpacked.rtf).filter(|rtf| !rtf.is_empty()))
}

/// Takes the bodies of a message from its RTF.
pub(super) fn read(
    message: &Message,
    page: u32,
    made: &Renderings,
    bodies: &mut Bodies,
    warnings: &mut Vec<Warning>,
) -> Result<()> {
    let Some(rtf) = rtf_of(message, warnings)? else { return Ok(()) };
    match rtf::origin(&rtf) {
        Origin::Html => {
            let internet = message.props.i32(tag::INTERNET_CODEPAGE).and_then(|p| u32::try_from(p).ok());
            let html = rtf::unwrap(&rtf, Origin::Html);
            bodies.plain = Some(header::crlf(&mail_parser::html_to_text(&html)).into_owned());
            bodies.html = Some(encode(&html, internet));
        }
        Origin::Text => bodies.plain = Some(header::crlf(&rtf::unwrap(&rtf, Origin::Text)).into_owned()),
        Origin::Rich => {
            let attached = placeholders(message, page, made, bodies);
            let html = rtf::to_html(&rtf, &attached);
            bodies.html = Some((html.html.into_bytes(), "utf-8".to_owned()));
            bodies.pictures =
                (1..).zip(html.pictures).map(|(n, p)| outobject::picture_part(&format!("picture{n}"), p)).collect();
            bodies.plain = Some(header::crlf(&rtf::to_text(&rtf, &attached)).into_owned());
            bodies.rtf = Some(rtf).filter(|_| came_as_part(message, page));
        }
    }
    Ok(())
}

/// On the way in, a text that is what the HTML alone would give counts as made of it and would not come out again. So
/// that mail stays the same however often it goes in and out, such a text gets one line end more, or less.
pub(super) fn keep_text(bodies: &mut Bodies) {
    let (Some(plain), Some((html, label))) = (&mut bodies.plain, &bodies.html) else { return };
    if charset::page_of(label).is_some_and(|page| to_mapi::plain_of(html, page) == *plain) {
        match plain.strip_suffix("\r\n") {
            Some(shorter) => *plain = shorter.to_owned(),
            None => plain.push_str("\r\n"),
        }
    }
}

/// Genuine RTF that goes beside an HTML body, since it came so.
pub(super) fn part(message: &Message, page: u32) -> Result<Option<Vec<u8>>> {
    if !came_as_part(message, page) {
        return Ok(None);
    }
    Ok(rtf_of(message, &mut Vec::new())?.filter(|rtf| rtf::origin(rtf) == Origin::Rich))
}

/// HTML in the charset that it names or its message had it in, if that has all its characters; else UTF-8.
fn encode(html: &str, internet: Option<u32>) -> (Vec<u8>, String) {
    let html = header::crlf(html);
    let named = to_mapi::meta_charset(html.as_bytes()).map(|label| charset::page_of(&label));
    let page = match named {
        Some(page) => page,
        None => internet,
    };
    if let Some(page) = page
        && let Some(label) = charset::label_of(page)
        && let Some(bytes) = charset::encode_page(page, &html)
    {
        return (bytes, label.to_owned());
    }
    (mail_parser::strip_charset_meta(&html).into_owned().into_bytes(), "utf-8".to_owned())
}

/// What the text shows at the places of attachments; pictures without a Content-ID get one.
fn placeholders(message: &Message, page: u32, made: &Renderings, bodies: &mut Bodies) -> Vec<Placeholder> {
    let mut placed: Vec<(u32, usize, &Attachment)> = Vec::new();
    for (i, attachment) in message.attachments.iter().enumerate() {
        if let Some(at) = attachment.props.i32(tag::RENDERING_POSITION).filter(|at| *at != -1) {
            placed.push((at as u32, i, attachment));
        }
    }
    placed.sort_by_key(|(at, i, _)| (*at, *i));
    let mut out = Vec::with_capacity(placed.len());
    for (_, i, attachment) in placed {
        let mut one = placeholder(attachment, i, page, bodies);
        if let Some(cid) = made.shown.get(&i) {
            one.cid = Some(cid.clone());
        }
        out.push(one);
    }
    out
}

fn placeholder(attachment: &Attachment, index: usize, page: u32, bodies: &mut Bodies) -> Placeholder {
    let props = &attachment.props;
    let name = outobject::file_name(props, page).unwrap_or_default();
    let mime = text::some(props, tag::ATTACH_MIME_TAG, page).unwrap_or_else(|| attach::type_of(&name).to_owned());
    let has_data = matches!(props.get(tag::ATTACH_DATA_BINARY), Some(Value::Binary(data)) if !data.is_empty());
    if !has_data || !attach::is_picture(&mime.to_ascii_lowercase(), Some(&name)) {
        return Placeholder { name, cid: None };
    }
    let cid = text::some(props, tag::ATTACH_CONTENT_ID, page).unwrap_or_else(|| {
        let cid = format!("attachment{}@pst", index + 1);
        bodies.placed.push((index, cid.clone()));
        cid
    });
    Placeholder { name, cid: Some(cid) }
}

/// True if the RTF was a part of a MIME message, and so can be one again.
fn came_as_part(message: &Message, page: u32) -> bool {
    let stored = text::some(&message.props, tag::TRANSPORT_MESSAGE_HEADERS, page).unwrap_or_default();
    let kind = stored.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.trim_end().eq_ignore_ascii_case("content-type").then(|| value.trim().to_ascii_lowercase())
    });
    kind.is_some_and(|k| ["text/rtf", "application/rtf", "multipart/"].iter().any(|start| k.starts_with(start)))
}
