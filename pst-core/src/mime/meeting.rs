//! Calendars in mail on their way in ([MS-OXCICAL] 2.1.3, [MS-OXCMAIL] 2.2.3).

use super::charset::Fit;
use super::{calendar, charset, outcomponent};
use crate::mapi::{Attachment, Code, Message, Warning};
use mail_parser::{HeaderName, MessagePart};
use std::borrow::Cow;

/// What becomes of a calendar in a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Calendar {
    /// An attached file of ordinary mail, so that no Outlook acts on it.
    #[default]
    Note,
    /// A request, an answer or a cancellation, as Outlook has them of its own.
    Native,
}

/// True for a calendar that is a part of mail.
pub(super) fn is_calendar(part: MessagePart<'_>) -> bool {
    part.is_content_type("text", "calendar")
}

/// Makes a meeting of a message that brings a calendar; false, with the reason, if the calendar stays a file.
pub(super) fn native(part: MessagePart<'_>, bytes: &[u8], message: &mut Message, warnings: &mut Vec<Warning>) -> bool {
    let label = part.content_type().and_then(|c| c.attribute("charset")).filter(|l| !l.trim().is_empty());
    let utf8 = match label {
        Some(label) => {
            let (text, fit) = charset::decode(Some(label), bytes);
            if fit != Fit::Right {
                warnings
                    .push(Code::Charset.with(format!("a calendar is not all in the charset {label:?} that it names")));
            }
            Cow::Owned(text.into_owned().into_bytes())
        }
        None => Cow::Borrowed(bytes),
    };
    match calendar::meeting(&utf8, message, warnings) {
        Ok(()) => true,
        Err(reason) => {
            warnings.push(Code::Calendar.with(format!("the calendar of this mail is kept as a file: {reason}")));
            false
        }
    }
}

/// Marks the attachment of a calendar that is another form of its message, if all that its part says can be kept.
pub(super) fn mark(part: MessagePart<'_>, attachment: &mut Attachment) {
    let alternative = part.parent().is_some_and(|p| p.is_content_type("multipart", "alternative"));
    if !alternative || !is_calendar(part) {
        return;
    }
    let known = [HeaderName::ContentType, HeaderName::ContentTransferEncoding];
    if part.headers().iter().any(|h| !known.iter().any(|k| h.name() == *k)) {
        return;
    }
    if let Some(field) = part.headers().get(HeaderName::ContentType) {
        let text = String::from_utf8_lossy(field.raw_value());
        let one_line = text.split(['\r', '\n']).map(str::trim).filter(|l| !l.is_empty()).collect::<Vec<_>>().join(" ");
        outcomponent::set_alternative(attachment, &one_line);
    }
}
