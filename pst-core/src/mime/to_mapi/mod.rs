//! A MIME message to a MAPI message ([MS-OXCMAIL] 2.2.3).

mod attachments;
mod bodies;

pub(super) use bodies::{meta_charset, plain_of, plain_of_rtf};

use super::attach::{self, Shown};
use super::joined;
use super::kept::{self, ImportOptions};
use super::large::{self, LargePart};
use super::select::{self, Selection};
use super::{
    Calendar, State, charset, describe_class, fields, header, legacy, meeting, outside, report, state, transfer, uu,
    voice,
};
use crate::error::{Error, Kind, Result};
use crate::mapi::message::flag;
use crate::mapi::named::{PS_INTERNET_HEADERS, PSETID_COMMON};
use crate::mapi::{Attachment, Code, MAX_DEPTH, Message, NamedProp, PropType, Value, Warning, tag, time};
use mail_parser::{DecodeProblems, HeaderForm, HeaderName, MessageParser, MessagePart, MessageRef, PartFlags};
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

/// Nested multiparts and messages that are looked into; every message may bring two multiparts of its own.
const DEPTH: usize = 3 * MAX_DEPTH;
const PARTS: usize = 200_000;
/// A text body that was left in the file is read up to this size.
const LONGEST_BODY: u64 = 1 << 30;

static PARSER: LazyLock<MessageParser> = LazyLock::new(|| {
    MessageParser::new()
        .header(HeaderName::Received, HeaderForm::Ignore)
        .max_depth(DEPTH)
        .max_parts(PARTS)
        .max_encoded_nesting(8)
});

/// A converted message, and what was odd about it.
#[derive(Debug, Clone, Default)]
pub struct Converted {
    /// The message.
    pub message: Message,
    /// What was lost, guessed or replaced, one sentence each.
    pub warnings: Vec<Warning>,
}

/// Converts a MIME message. `received` is when it arrived (seconds since 1970 UTC), where the source knows.
///
/// # Errors
/// [`Kind::Limit`] for messages of more than 2 GiB; anything else converts, with warnings.
pub fn to_mapi(bytes: &[u8], state: &State, received: Option<i64>) -> Result<Converted> {
    to_mapi_large(bytes, &[], state, received, ImportOptions::default())
}

/// As [`to_mapi`], for a message whose large parts were left in the file by [`large::slim`], and with options.
///
/// # Errors
/// As [`to_mapi`], and when a text body that was left in the file cannot be read.
pub fn to_mapi_large(
    bytes: &[u8],
    large: &[LargePart],
    state: &State,
    received: Option<i64>,
    options: ImportOptions,
) -> Result<Converted> {
    let mut converted = convert(bytes, large, state, received, options)?;
    options.apply(&mut converted.message);
    if options.keep_mime {
        kept::keep(&mut converted.message, bytes, large);
    }
    Ok(converted)
}

fn convert(
    bytes: &[u8],
    large: &[LargePart],
    state: &State,
    received: Option<i64>,
    options: ImportOptions,
) -> Result<Converted> {
    if bytes.len() > i32::MAX as usize {
        return Err(Error::new(Kind::Limit, "a message of more than 2 GiB cannot be converted in memory"));
    }
    let bytes = lone_cr(bytes);
    let mut warnings = Vec::new();
    let Some(parsed) = PARSER.parse(bytes.as_ref()) else {
        let text = String::from_utf8_lossy(&bytes);
        let mut message = empty(&[], &bytes);
        if !text.trim().is_empty() {
            warnings.push(Code::Structure.with("this has no header: all of it is taken as text"));
            message.props.set(tag::BODY, Value::text(&header::crlf(&text)));
        }
        finish(&mut message, state, received, &fields::Seen::default(), &mut warnings);
        return Ok(Converted { message, warnings });
    };
    if parsed.parts().any(|p| p.flags().contains(PartFlags::UNTERMINATED)) {
        warnings.push(
            Code::Structure.with("a multipart does not end as it should: its last text or attachment may be cut off"),
        );
    }
    let mut context = Context { options, large, warnings, tails: Vec::new(), files: Vec::new() };
    let message = context.message(parsed.root(), state, received, 0)?;
    Ok(Converted { message, warnings: context.warnings })
}

/// A file whose lines end in CR alone is rewritten; everything else is left as it is.
fn lone_cr(bytes: &[u8]) -> Cow<'_, [u8]> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    if memchr::memchr(b'\n', bytes).is_none() && memchr::memchr(b'\r', bytes).is_some() {
        header::crlf_bytes(bytes)
    } else {
        Cow::Borrowed(bytes)
    }
}

/// A message with what every message has. The search key is made of the whole header and of length and checksum of
/// everything: a cryptographic hash of all bytes would be a seventh of the whole conversion.
fn empty(head: &[u8], bytes: &[u8]) -> Message {
    let mut message = Message::default();
    message.props.0.reserve(64);
    let mut hash = Sha256::new();
    hash.update(head);
    hash.update((bytes.len() as u64).to_le_bytes());
    hash.update(crc32fast::hash(bytes).to_le_bytes());
    let key: Vec<u8> = hash.finalize().iter().copied().take(16).collect();
    message.props.set(tag::MESSAGE_CLASS, Value::text("IPM.Note"));
    message.props.set(tag::SEARCH_KEY, Value::binary(key));
    message.props.set(tag::MESSAGE_CODEPAGE, Value::I32(65001));
    message
}

struct Context<'a> {
    options: ImportOptions,
    large: &'a [LargePart],
    warnings: Vec<Warning>,
    /// Texts that stood behind the end of base64 bodies, and found no place yet.
    tails: Vec<String>,
    /// Files that stand in the text body.
    files: Vec<legacy::Embedded>,
}

impl Context<'_> {
    fn message(
        &mut self,
        source: MessageRef<'_>,
        state: &State,
        received: Option<i64>,
        depth: usize,
    ) -> Result<Message> {
        let root = source.root_part();
        let mut message = empty(root.raw_headers(), source.raw());
        let block = header::block(root.raw_headers());
        message.props.set(tag::TRANSPORT_MESSAGE_HEADERS, Value::text(&block));
        let seen = fields::convert(&root.headers(), &mut message, &mut self.warnings);
        // What was found in the message around this one belongs there.
        let (tails, files) = (std::mem::take(&mut self.tails), std::mem::take(&mut self.files));
        let done = self.content(root, &mut message, depth);
        (self.tails, self.files) = (tails, files);
        done?;
        super::tnef::merge::apply(&mut message, depth, &mut self.warnings);
        report::convert(root, &mut message);
        if !self.options.keep_mime && !is_signed(root) {
            outside::keep(root, &mut message, &mut self.warnings);
        }
        voice::classify(&mut message);
        finish(&mut message, state, received, &seen, &mut self.warnings);
        Ok(message)
    }

    fn content(&mut self, root: MessagePart<'_>, message: &mut Message, depth: usize) -> Result<()> {
        if is_signed(root) {
            message.props.set(tag::MESSAGE_CLASS, Value::text("IPM.Note.SMIME.MultipartSigned"));
            let first = root.children().next();
            let selection = first.map(select::select).unwrap_or_default();
            self.bodies(&selection, &[], message)?;
            message.attachments.push(self.signed(root));
            return Ok(());
        }
        if is_signed_otherwise(root) && !self.options.keep_mime {
            self.warnings.push(
                Code::Signature.with(
                    "the parts of a signed message are kept, but the signature cannot be verified without --keep-mime"
                        .to_owned(),
                ),
            );
        }
        if is_encrypted(root) {
            message.props.set(tag::MESSAGE_CLASS, Value::text("IPM.Note.SMIME"));
            if let Some(field) = root.headers().get(HeaderName::ContentType) {
                let name = Arc::new(NamedProp::text(PS_INTERNET_HEADERS, "content-type"));
                let text = header::raw(field.raw_value());
                message.props.set_named(name, PropType::STRING, Value::text(&text));
            }
        }
        let mut selection = select::select(root);
        let made = joined::content_ids(&selection);
        let references = self.bodies(&selection, &made, message)?;
        self.meeting(&mut selection, message)?;
        let mut shown = Shown::new(references, &made);
        for (i, part) in selection.attachments.iter().enumerate() {
            let mut attachment = self.attachment(*part, i + 1, &mut shown, depth)?;
            meeting::mark(*part, &mut attachment);
            message.attachments.push(attachment);
        }
        self.files_in_text(message);
        for tail in std::mem::take(&mut self.tails) {
            message.attachments.push(attach::text_file("footer.txt", &tail));
        }
        Ok(())
    }

    /// Makes a meeting of the first calendar, if that is wanted; it then is no attachment.
    fn meeting(&mut self, selection: &mut Selection<'_>, message: &mut Message) -> Result<()> {
        if self.options.calendar == Calendar::Note {
            return Ok(());
        }
        let Some(at) = selection.attachments.iter().position(|p| meeting::is_calendar(*p)) else { return Ok(()) };
        let Some(part) = selection.attachments.get(at).copied() else { return Ok(()) };
        let bytes = self.decoded(part, "a calendar")?;
        if meeting::native(part, &bytes, message, &mut self.warnings) {
            selection.attachments.remove(at);
        }
        Ok(())
    }

    /// Files that are written into a text body; the text stays as it is.
    fn files_in_text(&mut self, message: &mut Message) {
        for legacy::Embedded { name, data } in std::mem::take(&mut self.files) {
            let there = |a: &Attachment| a.props.bytes(tag::ATTACH_DATA_BINARY) == Some(data.as_slice());
            if message.attachments.iter().any(there) {
                continue;
            }
            self.warnings.push(Code::Body.with(format!("the file {name:?} in the text was attached as well")));
            message.attachments.push(attach::file(&name, data));
        }
    }

    fn decoded<'m>(&mut self, part: MessagePart<'m>, what: &str) -> Result<Cow<'m, [u8]>> {
        let (bytes, problems) = part.decoded_checked();
        if problems.contains(DecodeProblems::UNKNOWN_TRANSFER_ENCODING)
            && is_uuencoded(part)
            && let Some(data) = uu::decode(&bytes)
        {
            return Ok(Cow::Owned(data));
        }
        if let Some(large) = self.find(&bytes) {
            return Ok(Cow::Owned(large.data.to_vec(LONGEST_BODY)?));
        }
        if problems.contains(DecodeProblems::MALFORMED_TRANSFER_ENCODING)
            && part.encoding() == mail_parser::Encoding::Base64
            && let Some((data, tail)) = transfer::base64_and_tail(part.raw_body())
        {
            self.warnings.push(
                Code::Encoding
                    .with(format!("{what} is followed by {} bytes of text, which are kept apart", tail.len())),
            );
            self.tails.push(charset::utf8_or_1252(tail).into_owned());
            return Ok(Cow::Owned(data));
        }
        if !problems.is_empty() {
            let names: Vec<&str> = problems.names().collect();
            self.warnings.push(Code::Encoding.with(format!("{what} is not encoded as it says ({})", names.join(", "))));
        }
        Ok(bytes)
    }

    fn find(&self, bytes: &[u8]) -> Option<&LargePart> {
        if self.large.is_empty() || bytes.len() > 100 {
            return None;
        }
        large::find(self.large, bytes)
    }
}

fn is_uuencoded(part: MessagePart<'_>) -> bool {
    part.content_transfer_encoding().is_some_and(|e| e.to_ascii_lowercase().contains("uue"))
}

fn is_signed(root: MessagePart<'_>) -> bool {
    root.is_multipart()
        && root.is_content_type("multipart", "signed")
        && root.children().next().is_some()
        && root.content_type().and_then(|c| c.attribute("protocol")).is_some_and(|p| {
            ["application/pkcs7-signature", "application/x-pkcs7-signature"]
                .iter()
                .any(|known| p.eq_ignore_ascii_case(known))
        })
}

fn is_encrypted(root: MessagePart<'_>) -> bool {
    let is = |subtype| root.is_content_type("application", subtype);
    let named = || root.attachment_name().is_some_and(describe_class::is_p7m);
    !root.is_multipart() && (is("pkcs7-mime") || is("x-pkcs7-mime") || (is("octet-stream") && named()))
}

/// A signature over the bytes of its parts, which are not kept as they are.
fn is_signed_otherwise(root: MessagePart<'_>) -> bool {
    root.is_multipart() && root.is_content_type("multipart", "signed") && !is_signed(root)
}

/// Sets what depends on the whole message: dates, flags, categories.
fn finish(
    message: &mut Message,
    state: &State,
    received: Option<i64>,
    seen: &fields::Seen,
    warnings: &mut Vec<Warning>,
) {
    let props = &mut message.props;
    if let Some(at) = seen.submit {
        props.set(tag::CLIENT_SUBMIT_TIME, Value::Time(at));
    }
    let told = [tag::MESSAGE_DELIVERY_TIME, tag::CLIENT_SUBMIT_TIME].into_iter().find_map(|t| props.time(t));
    let delivered = received.and_then(time::from_unix).or(seen.newest_received).or(seen.submit).or(told);
    if let Some(at) = delivered {
        props.set(tag::MESSAGE_DELIVERY_TIME, Value::Time(at));
    } else {
        warnings.push(Code::Date.with("no date at all: 1970-01-01 is taken as the time of creation"));
    }
    let created = delivered.or_else(|| time::from_unix(0)).unwrap_or_default();
    props.set(tag::CREATION_TIME, Value::Time(created));
    props.set(tag::LAST_MODIFICATION_TIME, Value::Time(created));
    fields::set_categories(props, &[seen.keywords.as_slice(), state.keywords.as_slice()].concat());
    let visible = message.attachments.iter().filter(|a| a.props.bool(tag::ATTACHMENT_HIDDEN) != Some(true)).count();
    if visible == 0 && !message.attachments.is_empty() {
        let name = Arc::new(NamedProp::id(PSETID_COMMON, 0x8514));
        message.props.set_named(name, PropType::BOOLEAN, Value::Bool(true));
    }
    let attached = if visible > 0 { flag::HAS_ATTACH } else { 0 };
    state::apply(message, state, seen.unsent, attached, created);
}
