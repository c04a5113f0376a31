//! Whether a message that was read back as JSON is the one that was sent.

use super::items::{MESSAGE_ID, property};
use super::letter::Letter;
use crate::endpoint::push::Difference;
use crate::mapi::message::flag;
use serde_json::Value;

/// How a message differs from the letter that was sent, but for its attachments.
pub(super) fn compare(sent: &Letter, back: &Value) -> Vec<Difference> {
    let mut out = Vec::new();
    let text = |name: &str| back.get(name).and_then(Value::as_str).unwrap_or_default();
    let differs = |what: &str, sent: &str, back: &str| format!("the {what} is {back}, not {sent}");
    // What stands at the ends of a subject may go.
    if sent.subject.trim() != text("subject").trim() {
        let quoted = |s: &str| format!("\"{s}\"");
        out.push(Difference::Serious(differs("subject", &quoted(&sent.subject), &quoted(text("subject")))));
    }
    for (people, name) in sent.recipients.iter().zip(["toRecipients", "ccRecipients", "bccRecipients"]) {
        let said = back.get(name).and_then(Value::as_array).map_or(0, Vec::len);
        if said != people.len() {
            let what = format!("number of {name}");
            out.push(Difference::Serious(differs(&what, &people.len().to_string(), &said.to_string())));
        }
    }
    let id = property(back, MESSAGE_ID).unwrap_or_else(|| text("internetMessageId"));
    if let Some(sent) = sent.message_id.as_deref().filter(|sent| *sent != id) {
        out.push(Difference::Slight(differs("Message-ID", sent, id)));
    }
    for ((tag, what), sent) in [("0x0E06", "time of delivery"), ("0x0039", "time of sending")].iter().zip(sent.times) {
        let said = property(back, &format!("SystemTime {tag}")).unwrap_or_default();
        let seconds = said.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_second);
        if let Some(sent) = sent.filter(|sent| Some(*sent) != seconds) {
            out.push(Difference::Slight(differs(
                what,
                &sent.to_string(),
                if said.is_empty() { "missing" } else { said },
            )));
        }
    }
    let is = |name: &str| back.get(name).and_then(Value::as_bool);
    for (name, bit) in [("isRead", flag::READ), ("isDraft", flag::UNSENT)] {
        let wanted = sent.flags & bit != 0;
        if let Some(said) = is(name).filter(|said| *said != wanted) {
            out.push(Difference::Slight(format!("{name} is {said}, not {wanted}")));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_counts_as_another_message() {
        let sent = Letter {
            subject: "a ".into(),
            flags: 1,
            times: [Some(1_600_000_000), None],
            recipients: [vec![("A".into(), "a@b".into())], vec![], vec![]],
            ..Letter::default()
        };
        let back = json!({
            "subject": "a", "isRead": true, "isDraft": false, "toRecipients": [{}],
            "singleValueExtendedProperties": [{ "id": "SystemTime 0xe06", "value": "2020-09-13T12:26:40Z" }],
        });
        assert_eq!(compare(&sent, &back), []);
        let other = json!({ "subject": "b", "isRead": true, "isDraft": true });
        let said = compare(&sent, &other);
        assert_eq!(said.iter().filter(|d| matches!(d, Difference::Serious(_))).count(), 2, "{said:?}");
        assert_eq!(said.len(), 4, "{said:?}");
    }
}
