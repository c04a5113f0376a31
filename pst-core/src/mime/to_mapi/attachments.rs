//! Attachments of a message ([MS-OXCMAIL] 2.2.3.4).

use super::Context;
use crate::error::Result;
use crate::mapi::message::attach_method;
use crate::mapi::{Attachment, Blob, Chain, Code, MAX_DEPTH, Value, tag};
use crate::mime::attach::{self, Shown};
use crate::mime::{State, header, kept, text};
use mail_parser::{HeaderName, MessagePart, MessageRef, PartFlags};
use std::sync::Arc;

impl Context<'_> {
    pub(super) fn attachment(
        &mut self,
        part: MessagePart<'_>,
        number: usize,
        shown: &mut Shown<'_>,
        depth: usize,
    ) -> Result<Attachment> {
        let mut attachment = attach::describe(part, number, shown, &mut self.warnings);
        if part.flags().contains(PartFlags::LIMIT_REACHED) {
            self.warnings.push(Code::Structure.with("parts nested too deeply are kept as they are, in one attachment"));
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
            self.warnings
                .push(Code::Depth.with(format!("messages nested more than {MAX_DEPTH} deep are kept as files")));
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

    pub(super) fn embedded(
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
            let subject = text::subject(&message.props).filter(|s| !s.is_empty());
            props.set(tag::DISPLAY_NAME, Value::text(subject.as_deref().unwrap_or("message")));
        }
        attachment.embedded = Some(Box::new(message));
        Ok(attachment)
    }

    /// The signed part as [MS-OXOSMIME] 2.1.3.1 keeps it: its Content-Type and its body, unchanged.
    pub(super) fn signed(&self, root: MessagePart<'_>) -> Attachment {
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
    pub(super) fn raw(&self, part: MessagePart<'_>, bytes: &[u8]) -> Blob {
        let source = part.message().source_bytes();
        let start = (bytes.as_ptr() as usize).saturating_sub(source.as_ptr() as usize);
        let top = matches!(part.message().source(), mail_parser::Source::Raw);
        kept::whole(source, start..start + bytes.len(), if top { self.large } else { &[] })
    }
}
