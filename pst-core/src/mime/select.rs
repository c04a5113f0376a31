//! Which parts of a message are its body, and which are attachments ([MS-OXCMAIL] 2.2.3.3.2).

use mail_parser::{MessagePart, PartKind};

/// The parts of a message by what becomes of them.
#[derive(Default)]
pub(super) struct Selection<'m> {
    pub plain: Option<MessagePart<'m>>,
    /// More than one where HTML parts follow each other with pictures and text between them (Apple Mail).
    pub html: Vec<MessagePart<'m>>,
    /// Those, and the pictures and texts between them, in order; empty if there is only one.
    pub run: Vec<MessagePart<'m>>,
    pub rtf: Option<MessagePart<'m>>,
    pub attachments: Vec<MessagePart<'m>>,
}

impl<'m> Selection<'m> {
    fn has_body(&self) -> bool {
        self.plain.is_some() || !self.html.is_empty() || self.rtf.is_some()
    }

    /// The parts that are a body, or pieces of one.
    pub fn bodies(&self) -> impl Iterator<Item = MessagePart<'m>> {
        self.plain.into_iter().chain(self.rtf).chain(self.html.iter().copied())
    }

    fn append(&mut self, other: Selection<'m>) {
        self.attachments.extend(other.attachments);
        if self.has_body() {
            self.attachments.extend(other.plain.into_iter().chain(other.rtf).chain(other.html));
        } else {
            self.plain = other.plain;
            self.html = other.html;
            self.run = other.run;
            self.rtf = other.rtf;
        }
    }
}

/// Sorts the parts below `part`, which is the root of a message. The parser bounds the depth.
pub(super) fn select(part: MessagePart<'_>) -> Selection<'_> {
    let mut out = Selection::default();
    if part.is_multipart() && !is_hollow(part) {
        multipart(part, true, &mut out);
    } else {
        leaf(part, true, true, &mut out);
    }
    out
}

/// A multipart in which no part could be found: what stands there is text.
fn is_hollow(part: MessagePart<'_>) -> bool {
    part.is_multipart() && part.children().len() == 0
}

fn any<'m>(part: MessagePart<'m>, may_be_body: bool, first: bool, out: &mut Selection<'m>) {
    if part.is_multipart() && !is_hollow(part) {
        multipart(part, may_be_body, out);
    } else {
        leaf(part, may_be_body, first, out);
    }
}

fn multipart<'m>(part: MessagePart<'m>, may_be_body: bool, out: &mut Selection<'m>) {
    match part.content_type().and_then(|c| c.subtype()).unwrap_or_default() {
        "alternative" if may_be_body => alternative(part, out),
        "related" => {
            let root = related_root(part);
            for (i, child) in part.children().enumerate() {
                any(child, may_be_body && i == root, i == root, out);
            }
        }
        "signed" => {
            for (i, child) in part.children().enumerate() {
                any(child, may_be_body && i == 0, i == 0, out);
            }
        }
        _ => mixed(part, may_be_body, out),
    }
}

fn mixed<'m>(part: MessagePart<'m>, may_be_body: bool, out: &mut Selection<'m>) {
    let children: Vec<MessagePart<'m>> = part.children().collect();
    let run = if may_be_body && !out.has_body() { html_run(&children) } else { None };
    for (i, child) in children.into_iter().enumerate() {
        if run.as_ref().is_some_and(|run| run.contains(&i)) {
            match child.kind() {
                PartKind::Html if qualifies(child, i == 0) => out.html.push(child),
                PartKind::Text if is_between(child) => {}
                _ => {
                    out.attachments.push(child);
                    if !is_shown_between(child) {
                        continue;
                    }
                }
            }
            out.run.push(child);
            continue;
        }
        let body_here = may_be_body && !out.has_body();
        any(child, body_here, i == 0, out);
    }
}

/// The first to the last HTML part, if there are several, with nothing before them that is a body.
fn html_run(children: &[MessagePart<'_>]) -> Option<std::ops::RangeInclusive<usize>> {
    let is_html = |(i, c): &(usize, &MessagePart<'_>)| matches!(c.kind(), PartKind::Html) && qualifies(**c, *i == 0);
    let first = children.iter().enumerate().find(is_html)?.0;
    let last = children.iter().enumerate().rfind(is_html)?.0;
    let is_body = |c: &MessagePart<'_>| c.is_multipart() || (matches!(c.kind(), PartKind::Text) && is_between(*c));
    let before = children.get(..first)?;
    let inside = children.get(first..=last)?;
    (first < last && !before.iter().any(is_body) && !inside.iter().any(MessagePart::is_multipart))
        .then_some(first..=last)
}

/// Text that belongs between HTML parts.
fn is_between(part: MessagePart<'_>) -> bool {
    is_plain(part) && qualifies(part, false)
}

/// A picture that is shown between HTML parts.
fn is_shown_between(part: MessagePart<'_>) -> bool {
    !part.content_disposition().is_some_and(|d| d.is_attachment())
        && super::attach::is_picture(&super::attach::mime_type(part), part.attachment_name())
}

fn alternative<'m>(part: MessagePart<'m>, out: &mut Selection<'m>) {
    let mut chosen = Selection::default();
    for child in part.children() {
        let mut one = Selection::default();
        any(child, true, true, &mut one);
        chosen.attachments.append(&mut one.attachments);
        if one.plain.is_some() {
            chosen.attachments.extend(chosen.plain.take());
            chosen.plain = one.plain;
        }
        if !one.html.is_empty() {
            chosen.attachments.append(&mut chosen.html);
            chosen.html = one.html;
            chosen.run = one.run;
        }
        if one.rtf.is_some() {
            chosen.attachments.extend(chosen.rtf.take());
            chosen.rtf = one.rtf;
        }
    }
    out.append(chosen);
}

fn related_root(part: MessagePart<'_>) -> usize {
    let start = part.content_type().and_then(|c| c.attribute("start")).map(|s| s.trim_matches(['<', '>', ' ']));
    start.and_then(|start| part.children().position(|c| c.content_id() == Some(start))).unwrap_or(0)
}

fn leaf<'m>(part: MessagePart<'m>, may_be_body: bool, first: bool, out: &mut Selection<'m>) {
    if is_hollow(part) {
        match part.raw_body().trim_ascii().is_empty() {
            true => {}
            false if part.parent().is_none() => out.plain = Some(part),
            false => out.attachments.push(part),
        }
        return;
    }
    if part.parent().is_none() && part.content_type().is_some_and(|c| c.ctype() == "multipart") {
        // A multipart without a boundary: all of it is text.
        out.plain = Some(part);
        return;
    }
    if may_be_body && qualifies(part, first) {
        match part.kind() {
            PartKind::Html => return out.html.push(part),
            PartKind::Text if is_plain(part) => {
                out.plain = Some(part);
                return;
            }
            _ if is_rtf(part) && out.rtf.is_none() => {
                out.rtf = Some(part);
                return;
            }
            _ => {}
        }
    }
    out.attachments.push(part);
}

/// Rich text that is no file.
fn is_rtf(part: MessagePart<'_>) -> bool {
    (part.is_content_type("text", "rtf") || part.is_content_type("application", "rtf"))
        && part.attachment_name().is_none()
        && part.decoded().starts_with(b"{\\rtf")
}

fn is_plain(part: MessagePart<'_>) -> bool {
    part.content_type().is_none_or(|c| c.ctype() != "text" || matches!(c.subtype(), None | Some("plain" | "")))
        && !is_nested(part)
}

/// A message/rfc822 part that could not be parsed is shown as text by the parser, but it is no body.
fn is_nested(part: MessagePart<'_>) -> bool {
    part.content_type().is_some_and(|c| !matches!(c.ctype(), "text" | "multipart" | ""))
}

fn qualifies(part: MessagePart<'_>, first: bool) -> bool {
    let disposition = part.content_disposition();
    !disposition.is_some_and(|d| d.is_attachment())
        && (part.attachment_name().is_none() || (first && disposition.is_none()))
}
