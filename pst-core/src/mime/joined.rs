//! Several HTML parts as one body, with the pictures and texts between them ([MS-OXCMAIL] 2.2.3.3.2).

use super::select::Selection;
use mail_parser::{MessagePart, PartId, PartKind};
use std::fmt::Write;

/// One part of a joined body.
pub(super) enum Piece {
    Html(String),
    Text(String),
    /// A picture by its Content-ID.
    Picture(String),
}

/// Content-IDs for the pictures between HTML parts that have none: the same message always gets the same.
pub(super) fn content_ids(selection: &Selection<'_>) -> Vec<(PartId, String)> {
    let bare = |p: &&MessagePart<'_>| !matches!(p.kind(), PartKind::Html | PartKind::Text) && own(**p).is_none();
    let made = |(i, p): (usize, &MessagePart<'_>)| {
        (p.id(), format!("picture{}.{:08x}@between.invalid", i + 1, crc32fast::hash(p.raw_body())))
    };
    selection.run.iter().filter(bare).enumerate().map(made).collect()
}

fn own(part: MessagePart<'_>) -> Option<&str> {
    part.content_id().map(|c| c.trim_matches(['<', '>', ' '])).filter(|c| !c.is_empty())
}

/// The Content-ID of a picture, its own or one that was made.
pub(super) fn content_id(part: MessagePart<'_>, made: &[(PartId, String)]) -> String {
    let given = made.iter().find(|(id, _)| *id == part.id()).map(|(_, cid)| cid.clone());
    given.or_else(|| own(part).map(ToOwned::to_owned)).unwrap_or_default()
}

/// The pieces as one HTML text.
pub(super) fn join(pieces: &[Piece]) -> String {
    let mut out = String::new();
    for piece in pieces {
        match piece {
            Piece::Html(html) => out.push_str(html),
            Piece::Text(text) => {
                let _ = write!(out, "<pre>{}</pre>", escaped(text));
            }
            Piece::Picture(cid) => {
                let _ = write!(out, "<img src=\"cid:{}\">", escaped(cid));
            }
        }
    }
    out
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
