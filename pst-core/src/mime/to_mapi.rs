//! A MIME message to a MAPI message ([MS-OXCMAIL] 2.2.3).

use super::attach::{self, References, Shown};
use super::charset::Fit;
use super::joined::{self, Piece};
use super::kept::{self, ImportOptions};
use super::large::{self, LargePart};
use super::select::{self, Selection};
use super::{
    Calendar, State, charset, describe_class, fields, header, legacy, meeting, outside, report, state, transfer, uu,
    voice,
};
use crate::error::{Error, Kind, Result};
use crate::mapi::message::{attach_method, flag};
use crate::mapi::named::{PS_INTERNET_HEADERS, PSETID_COMMON};
use crate::mapi::rtf::{self, Origin};
use crate::mapi::{Attachment, Blob, Chain, MAX_DEPTH, Message, NamedProp, PropBag, PropType, Value, tag, time};
use mail_parser::{
    DecodeProblems, HeaderForm, HeaderName, MessageParser, MessagePart, MessageRef, PartFlags, PartId, PartKind,
};
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
    pub warnings: Vec<String>,
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
            warnings.push("this has no header: all of it is taken as text".to_owned());
            message.props.set(tag::BODY, Value::text(&header::crlf(&text)));
        }
        finish(&mut message, state, received, &fields::Seen::default(), &mut warnings);
        return Ok(Converted { message, warnings });
    };
    if parsed.parts().any(|p| p.flags().contains(PartFlags::UNTERMINATED)) {
        warnings.push("a multipart does not end as it should: its last text or attachment may be cut off".to_owned());
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
    warnings: Vec<String>,
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
                "the parts of a signed message are kept, but the signature cannot be verified without --keep-mime"
                    .to_owned(),
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
            self.warnings.push(format!("the file {name:?} in the text was attached as well"));
            message.attachments.push(attach::file(&name, data));
        }
    }

    /// Sets the bodies and finds what the HTML refers to.
    fn bodies(
        &mut self,
        selection: &Selection<'_>,
        made: &[(PartId, String)],
        message: &mut Message,
    ) -> Result<References> {
        for part in selection.bodies().filter(|p| p.parent().is_some()) {
            let names = outside::names_of_others(part);
            if !names.is_empty() {
                self.warnings.push(format!("fields of a text part were left out: {}", names.join(", ")));
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
        self.warnings.push(format!("{} HTML parts were joined to one body", selection.html.len()));
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

    fn fit(&mut self, fit: Fit, label: Option<&str>) {
        let label = label.unwrap_or_default();
        match fit {
            Fit::Right => {}
            Fit::Bad => self.warnings.push(format!("a text is not all in the charset {label:?} that it names")),
            Fit::Unknown => self.warnings.push(format!("a text in the unknown charset {label:?} was read as UTF-8")),
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
            self.warnings.push(format!("{what} is followed by {} bytes of text, which are kept apart", tail.len()));
            self.tails.push(charset::utf8_or_1252(tail).into_owned());
            return Ok(Cow::Owned(data));
        }
        if !problems.is_empty() {
            let names: Vec<&str> = problems.names().collect();
            self.warnings.push(format!("{what} is not encoded as it says ({})", names.join(", ")));
        }
        Ok(bytes)
    }

    fn find(&self, bytes: &[u8]) -> Option<&LargePart> {
        if self.large.is_empty() || bytes.len() > 100 {
            return None;
        }
        large::find(self.large, bytes)
    }

    fn attachment(
        &mut self,
        part: MessagePart<'_>,
        number: usize,
        shown: &mut Shown<'_>,
        depth: usize,
    ) -> Result<Attachment> {
        let mut attachment = attach::describe(part, number, shown, &mut self.warnings);
        if part.flags().contains(PartFlags::LIMIT_REACHED) {
            self.warnings.push("parts nested too deeply are kept as they are, in one attachment".to_owned());
        }
        if part.is_multipart() {
            // A multipart that was not opened: its own header goes with it.
            attach::set_name(&mut attachment, &format!("attachment{number}.eml"));
            attachment.props.set(tag::ATTACH_MIME_TAG, Value::text("application/octet-stream"));
            attach::by_value(&mut attachment, self.raw(part, part.raw()));
            return Ok(attachment);
        }
        if let Some(nested) = part.nested() {
            if depth + 1 < MAX_DEPTH {
                return self.embedded(attachment, part, nested, depth);
            }
            self.warnings.push(format!("messages nested more than {MAX_DEPTH} deep are kept as files"));
            attach::by_value(&mut attachment, self.raw(part, nested.raw()));
            return Ok(attachment);
        }
        if !self.large.is_empty()
            && part.raw_body().len() < 100
            && let Some(large) = self.find(&part.decoded())
        {
            attach::by_value(&mut attachment, large.data.clone());
            return Ok(attachment);
        }
        let bytes = self.decoded(part, "an attachment")?;
        let lines = part.encoding() == mail_parser::Encoding::None
            && part.content_type().is_some_and(|c| c.ctype() == "message");
        let bytes = match (lines, bytes) {
            (true, bytes) => header::crlf_bytes(&bytes).into_owned(),
            (false, bytes) => bytes.into_owned(),
        };
        attach::by_value(&mut attachment, Blob::Bytes(bytes));
        Ok(attachment)
    }

    fn embedded(
        &mut self,
        mut attachment: Attachment,
        part: MessagePart<'_>,
        nested: MessageRef<'_>,
        depth: usize,
    ) -> Result<Attachment> {
        let state = State { seen: Some(true), ..State::default() };
        let message = self.message(nested, &state, None, depth + 1)?;
        let props = &mut attachment.props;
        props.set(tag::ATTACH_METHOD, Value::I32(attach_method::EMBEDDED));
        props.set(tag::ATTACH_SIZE, Value::I32(i32::try_from(part.raw_body().len()).unwrap_or(i32::MAX)));
        if props.get(tag::DISPLAY_NAME).is_none() {
            let subject = super::text::subject(&message.props).filter(|s| !s.is_empty());
            props.set(tag::DISPLAY_NAME, Value::text(subject.as_deref().unwrap_or("message")));
        }
        attachment.embedded = Some(Box::new(message));
        Ok(attachment)
    }

    /// The signed part as [MS-OXOSMIME] 2.1.3.1 keeps it: its Content-Type and its body, unchanged.
    fn signed(&self, root: MessagePart<'_>) -> Attachment {
        let mut attachment = Attachment::default();
        let props = &mut attachment.props;
        props.set(tag::RENDERING_POSITION, Value::I32(-1));
        props.set(tag::ATTACH_MIME_TAG, Value::text("multipart/signed"));
        props.set(tag::DISPLAY_NAME, Value::text("SMIME.p7m"));
        attach::set_name(&mut attachment, "SMIME.p7m");
        let field = root.headers().get(HeaderName::ContentType).map(|h| h.raw_value()).unwrap_or_default();
        let mut head = b"Content-Type:".to_vec();
        head.extend_from_slice(field.trim_ascii_end());
        head.extend_from_slice(b"\r\n\r\n");
        let head = header::crlf_bytes(&head).into_owned();
        let data = match self.raw(root, root.raw_body()) {
            Blob::Bytes(body) => Blob::Bytes([head.as_slice(), header::crlf_bytes(&body).as_ref()].concat()),
            stream @ Blob::Stream(_) => Blob::Stream(Arc::new(Chain(vec![Blob::Bytes(head), stream]))),
        };
        attach::by_value(&mut attachment, data);
        attachment
    }

    /// A range of the message as it stood in the file, with the large parts that were left out of it.
    fn raw(&self, part: MessagePart<'_>, bytes: &[u8]) -> Blob {
        let source = part.message().source_bytes();
        let start = (bytes.as_ptr() as usize).saturating_sub(source.as_ptr() as usize);
        let top = matches!(part.message().source(), mail_parser::Source::Raw);
        kept::whole(source, start..start + bytes.len(), if top { self.large } else { &[] })
    }
}

fn label_of(part: MessagePart<'_>) -> Option<&str> {
    part.content_type()?.attribute("charset").filter(|l| !l.trim().is_empty())
}

/// The charset that an HTML text names in its head.
pub(super) fn meta_charset(html: &[u8]) -> Option<String> {
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
pub(super) fn plain_of(html: &[u8], page: u32) -> String {
    header::crlf(&mail_parser::html_to_text(&charset::decode_page(page, html))).into_owned()
}

/// The plain text that stands beside a rich text body that came alone.
pub(super) fn plain_of_rtf(rtf: &[u8]) -> String {
    let text = match rtf::origin(rtf) {
        Origin::Html => mail_parser::html_to_text(&rtf::unwrap(rtf, Origin::Html)),
        Origin::Text => rtf::unwrap(rtf, Origin::Text),
        Origin::Rich => rtf::to_text(rtf, &[]),
    };
    header::crlf(&text).into_owned()
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
    warnings: &mut Vec<String>,
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
        warnings.push("no date at all: 1970-01-01 is taken as the time of creation".to_owned());
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
