//! Whether an item that was read back is the one that was sent.

use crate::endpoint::push::Difference;
use crate::error::Result;
use crate::mapi::subject;
use crate::mapi::value::sha256;
use crate::mapi::{Attachment, Message, PropTag, Value, codepage, tag};

/// Properties whose loss makes another item of it, and their names.
const SERIOUS: &[(PropTag, &str)] =
    &[(tag::MESSAGE_CLASS, "class"), (tag::INTERNET_MESSAGE_ID, "Message-ID"), (tag::SENDER_EMAIL_ADDRESS, "sender")];
const TIMES: &[(PropTag, &str)] =
    &[(tag::MESSAGE_DELIVERY_TIME, "time of delivery"), (tag::CLIENT_SUBMIT_TIME, "time of sending")];

/// How an item differs from the one that was sent.
pub(in crate::endpoint) fn compare(sent: &Message, back: &Message) -> Result<Vec<Difference>> {
    let mut out = Vec::new();
    let mut say = |serious: bool, what: &str, sent: String, back: String| {
        let text = format!("the {what} is {back}, not {sent}");
        out.push(if serious { Difference::Serious(text) } else { Difference::Slight(text) });
    };
    for (tag, what) in SERIOUS {
        let (sent, back) = (sent.props.text(*tag), back.props.text(*tag));
        if let Some(sent) = sent.filter(|s| !s.is_empty())
            && Some(&sent) != back.as_ref()
        {
            say(true, what, quoted(Some(sent)), quoted(back));
        }
    }
    let (ours, theirs) = (subject_of(sent), subject_of(back));
    if ours != theirs {
        say(true, "subject", quoted(Some(ours)), quoted(Some(theirs)));
    }
    for (tag, what) in TIMES {
        // A server keeps them to the second at least.
        let seconds = |m: &Message| m.props.time(*tag).map(|t| t / 10_000_000);
        if let Some(sent) = seconds(sent)
            && Some(sent) != seconds(back)
        {
            say(false, what, sent.to_string(), seconds(back).map_or_else(|| "missing".to_owned(), |t| t.to_string()));
        }
    }
    if sent.recipients.len() != back.recipients.len() {
        say(true, "number of recipients", sent.recipients.len().to_string(), back.recipients.len().to_string());
    }
    if sent.attachments.len() != back.attachments.len() {
        say(true, "number of attachments", sent.attachments.len().to_string(), back.attachments.len().to_string());
        return Ok(out);
    }
    for (nth, (ours, theirs)) in sent.attachments.iter().zip(&back.attachments).enumerate() {
        if data(ours)? != data(theirs)? || ours.embedded.is_some() != theirs.embedded.is_some() {
            let text = format!("the content of attachment {} is another one", nth + 1);
            out.push(Difference::Serious(text));
        }
    }
    Ok(out)
}

/// How an item differs of which only the subject is known.
pub(super) fn compare_subject(sent: &Message, back: Option<&str>) -> Vec<Difference> {
    let (ours, theirs) = (subject_of(sent), back.unwrap_or_default().to_owned());
    let text = format!("the subject is {}, not {}", quoted(Some(theirs.clone())), quoted(Some(ours.clone())));
    if ours == theirs { Vec::new() } else { vec![Difference::Serious(text)] }
}

fn subject_of(message: &Message) -> String {
    let page = codepage::of_item(&message.props);
    let unmarked = subject::unmarked(&message.props, page).and_then(|s| s.whole.to_text());
    unmarked.or_else(|| message.props.text(tag::SUBJECT)).unwrap_or_default()
}

fn quoted(text: Option<String>) -> String {
    text.map_or_else(|| "missing".to_owned(), |t| format!("\"{t}\""))
}

/// Stands for the bytes of an attachment.
fn data(attachment: &Attachment) -> Result<Option<String>> {
    match attachment.props.any(tag::ATTACH_DATA_BINARY.id()) {
        Some(Value::Binary(blob)) => sha256(blob).map(Some),
        _ => Ok(None),
    }
}
