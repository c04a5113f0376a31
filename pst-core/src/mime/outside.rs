//! What a message says outside of its bodies and attachments: text before the first and after the last part, and
//! fields of parts that no property stands for. It is kept in properties of our own and written again.

use super::header;
use crate::mapi::named::PS_PUBLIC_STRINGS;
use crate::mapi::{Code, Message, NamedProp, PropBag, PropType, Value, Warning};
use mail_parser::{HeaderName, MessagePart};
use std::sync::Arc;

const PREAMBLE: &str = "pst:preamble";
const EPILOGUE: &str = "pst:epilogue";
const PART_HEADER: &str = "pst:part-header";

fn name(which: &str) -> NamedProp {
    NamedProp::text(PS_PUBLIC_STRINGS, which)
}

fn put(props: &mut PropBag, which: &str, text: &str) {
    props.set_named(Arc::new(name(which)), PropType::STRING, Value::text(text));
}

fn get(props: &PropBag, which: &str) -> Option<String> {
    props.named(&name(which)).and_then(Value::to_text).filter(|t| !t.is_empty())
}

/// Keeps what stands before and behind the parts of a multipart message, and names what inner ones have there.
pub(super) fn keep(root: MessagePart<'_>, message: &mut Message, warnings: &mut Vec<Warning>) {
    let Some((before, behind)) = around(root) else { return };
    for (which, text) in [(PREAMBLE, before), (EPILOGUE, behind)] {
        if !text.trim_ascii().is_empty() {
            put(&mut message.props, which, header::block(text).trim_end_matches(['\r', '\n']));
        }
    }
    let mut todo: Vec<MessagePart<'_>> = root.children().collect();
    let mut lost = 0;
    while let Some(part) = todo.pop() {
        let Some((before, behind)) = around(part) else { continue };
        lost += before.trim_ascii().len() + behind.trim_ascii().len();
        todo.extend(part.children());
    }
    if lost > 0 {
        warnings.push(
            Code::Outside
                .with(format!("{lost} bytes of text outside of the parts of an inner multipart were left out")),
        );
    }
}

/// The bytes of a multipart before its first boundary line and after its last.
fn around(part: MessagePart<'_>) -> Option<(&[u8], &[u8])> {
    if !part.is_multipart() {
        return None;
    }
    let boundary = format!("--{}", part.boundary()?);
    let (start, body) = (part.offset_body(), part.raw_body());
    let first = part.children().next()?.offset_header().checked_sub(start)? as usize;
    let last = part.children().next_back()?.offset_end().checked_sub(start)? as usize;
    let head = body.get(..first)?;
    let mut lines = head.split_inclusive(|b| *b == b'\n').rev();
    let line = lines.find(|l| l.starts_with(boundary.as_bytes()));
    let before =
        line.and_then(|l| (l.as_ptr() as usize).checked_sub(head.as_ptr() as usize)).and_then(|n| head.get(..n));
    let tail = body.get(last..)?;
    let tail = tail.strip_prefix(b"\r").unwrap_or(tail);
    let tail = tail.strip_prefix(b"\n").unwrap_or(tail);
    let ends = tail.starts_with(boundary.as_bytes());
    let behind = memchr::memchr(b'\n', tail).filter(|_| ends).and_then(|end| tail.get(end + 1..));
    Some((before.unwrap_or_default(), behind.unwrap_or_default()))
}

/// The text before the parts of a message, for the writer.
pub(super) fn preamble(message: &Message) -> Option<String> {
    get(&message.props, PREAMBLE)
}

/// The text behind them.
pub(super) fn epilogue(message: &Message) -> Option<String> {
    get(&message.props, EPILOGUE)
}

/// Fields of a part that properties of an attachment stand for, or that say how its bytes travel.
const KNOWN: [HeaderName<'static>; 6] = [
    HeaderName::ContentType,
    HeaderName::ContentTransferEncoding,
    HeaderName::ContentDisposition,
    HeaderName::ContentId,
    HeaderName::ContentLocation,
    HeaderName::ContentDescription,
];

/// True for fields that are kept elsewhere, or made anew.
pub(super) fn is_known(name: &str) -> bool {
    name.eq_ignore_ascii_case("MIME-Version")
        || name.eq_ignore_ascii_case("Content-Length")
        || KNOWN.iter().any(|k| name.eq_ignore_ascii_case(k.as_str()))
}

/// Fields of a part that no property stands for, as they were written.
pub(super) fn other_fields(part: MessagePart<'_>) -> String {
    let mut out = String::new();
    for field in &part.headers() {
        let known = is_known(field.raw_name().trim_end());
        if !known {
            out.push_str(field.raw_name().trim_end());
            out.push(':');
            out.push_str(header::block(field.raw_value()).trim_end());
            out.push_str("\r\n");
        }
    }
    out
}

/// The names of those fields, but for the ones that say how the text itself is to be read.
pub(super) fn names_of_others(part: MessagePart<'_>) -> Vec<String> {
    let fields = part.headers();
    let names = fields.iter().map(|f| f.raw_name().trim_end().to_owned());
    names.filter(|n| !is_known(n) && !n.eq_ignore_ascii_case("Content-Language")).collect()
}

/// Keeps the other fields of the part that an attachment is made of.
pub(super) fn keep_fields(part: MessagePart<'_>, props: &mut PropBag) {
    let fields = other_fields(part);
    if !fields.is_empty() {
        put(props, PART_HEADER, &fields);
    }
}

/// The fields that were kept, for the writer.
pub(super) fn kept_fields(props: &PropBag) -> Option<String> {
    get(props, PART_HEADER)
}
