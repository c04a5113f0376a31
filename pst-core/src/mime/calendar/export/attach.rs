//! Attachments inside components, in base64 (RFC 5545 3.8.1.1).

use super::Output;
use crate::error::Result;
use crate::mapi::message::attach_method;
use crate::mapi::{Attachment, Blob, Message, Value, tag};
use crate::mime::carried::Carried;
use crate::mime::lines::{Component, Line};
use crate::mime::{attach, from_mapi, residue, text};

/// The name of the calendar that an import keeps where Outlook has no pattern for a series.
pub(in crate::mime::calendar) const KEPT_SOURCE: &str = "original.ics";

/// The line of an attachment, without its data.
pub(in crate::mime::calendar) fn line_of(name: &str, mime: &str) -> Line {
    let line = Line::new("ATTACH", "").with("FMTTYPE", mime).with("ENCODING", "BASE64").with("VALUE", "BINARY");
    line.with("FILENAME", name).with("X-FILENAME", name)
}

/// The name that a line gives an attachment.
pub(in crate::mime::calendar) fn given_name(line: &Line) -> Option<&str> {
    ["FILENAME", "X-FILENAME", "X-APPLE-FILENAME", "X-LABEL"].into_iter().find_map(|n| line.param(n))
}

/// True for an exception of a series, which becomes a component of its own.
pub(super) fn is_exception(attachment: &Attachment) -> bool {
    let class = |m: &Message| {
        text::get(&m.props, tag::MESSAGE_CLASS, text::page(&m.props)).unwrap_or_default().to_ascii_uppercase()
    };
    attachment.embedded.as_deref().is_some_and(|m| class(m).starts_with("IPM.OLE.CLASS.{00061055"))
}

impl Output<'_> {
    /// Appends ATTACH of every attachment that does not become a component of its own.
    ///
    /// Also of the pictures that the HTML shows; `placed` are the Content-IDs of attachments without one that it shows.
    pub(super) fn attachments(
        &mut self,
        message: &Message,
        pictures: &[Attachment],
        placed: &[(usize, String)],
        out: &mut Component,
    ) -> Result<()> {
        if !self.attach {
            return Ok(());
        }
        let page = text::page(&message.props);
        let all = message.attachments.iter().chain(pictures).enumerate();
        for (i, attachment) in all {
            if self.entry.exceptions.contains(&i) {
                continue;
            }
            let Some(line) = self.attachment(attachment, page, i)? else { continue };
            let given = placed.iter().find(|(at, _)| *at == i).map(|(_, cid)| cid.clone());
            let cid = given.or_else(|| text::some(&attachment.props, tag::ATTACH_CONTENT_ID, page));
            out.lines.push(cid.into_iter().fold(line, |line, cid| line.with("X-PST-CID", cid)));
        }
        Ok(())
    }

    fn attachment(&mut self, attachment: &Attachment, page: u32, index: usize) -> Result<Option<Line>> {
        let props = &attachment.props;
        let long = text::some(props, tag::ATTACH_LONG_FILENAME, page);
        let name = long.or_else(|| text::some(props, tag::ATTACH_FILENAME, page));
        let name = name.or_else(|| text::some(props, tag::DISPLAY_NAME, page));
        let mut name = name.unwrap_or_else(|| format!("attachment{}", index + 1));
        if name == KEPT_SOURCE && self.keep {
            return Ok(None);
        }
        let (data, mime) = if let Some(embedded) = &attachment.embedded {
            let mut bytes = Vec::new();
            from_mapi::write(embedded, &mut bytes, self.options, self.depth + 1, &mut self.entry.warnings)?;
            name = format!("{}.eml", name.strip_suffix(".msg").unwrap_or(&name));
            (Blob::Bytes(bytes), "message/rfc822".to_owned())
        } else {
            let data = match props.any(tag::ATTACH_DATA_BINARY.id()) {
                Some(Value::Binary(blob) | Value::Object(blob)) => blob.clone(),
                _ => return Ok(self.reference(attachment, page, &name)),
            };
            let stored = text::some(props, tag::ATTACH_MIME_TAG, page).filter(|m| m.contains('/'));
            (data, stored.unwrap_or_else(|| attach::type_of(&name).to_owned()))
        };
        let item = Carried::new(props, page);
        let kept = residue::load(&item, residue::CALENDAR).lines.into_iter().next();
        let fits = |kept: &Line| {
            let named = given_name(kept).map(attach::sanitize);
            let data = kept.value.starts_with("data:") || kept.param("ENCODING").is_some();
            data && kept.is("ATTACH")
                && kept.param("FMTTYPE").is_none_or(|t| t.eq_ignore_ascii_case(&mime))
                && named.map_or_else(|| name.starts_with("attachment"), |n| n == name)
        };
        let mut line = kept.filter(|k| self.keep && fits(k)).unwrap_or_else(|| line_of(&name, &mime));
        line.data = Some(data);
        Ok(Some(line))
    }

    /// An attachment that is only a reference.
    fn reference(&mut self, attachment: &Attachment, page: u32, name: &str) -> Option<Line> {
        let props = &attachment.props;
        let method = props.i32(tag::ATTACH_METHOD).unwrap_or(attach_method::NONE);
        let path = text::some(props, tag::ATTACH_LONG_PATHNAME, page)
            .or_else(|| text::some(props, tag::ATTACH_PATHNAME, page))
            .filter(|_| method != attach_method::NONE);
        let Some(path) = path else {
            self.warn(format!("the attachment {name} has no data (method {method})"));
            return None;
        };
        let uri = if path.contains("://") { path } else { format!("file:{}", path.replace('\\', "/")) };
        Some(Line::new("ATTACH", uri.replace(['\r', '\n'], "")).with("X-FILENAME", name))
    }
}
