//! Delivery reports and read receipts to REPORT items ([MS-OXCMAIL] 2.2.3.7).

use super::address::{self, Mailbox};
use super::{attach, charset, date, header};
use crate::mapi::{Message, PropBag, PropTag, Value, tag, time};
use mail_parser::MessagePart;
use std::borrow::Cow;

/// Recipients of one report that become rows.
const MOST_ROWS: usize = 100_000;
/// Reports up to this size are read.
const LONGEST: usize = 64 << 20;
/// "Transfer failed" and no more known ([MS-OXOMSG] 2.2.2.30 and 2.2.2.31).
const REASON_FAILED: i32 = 0;
const NO_DIAGNOSTIC: i32 = -1;

/// What a delivery report says of its recipients, from the mildest to the worst; each with its message class.
pub(super) const ACTIONS: [(&str, &str); 5] = [
    ("delivered", "REPORT.IPM.Note.DR"),
    ("expanded", "REPORT.IPM.Note.Expanded.DR"),
    ("relayed", "REPORT.IPM.Note.Relayed.DR"),
    ("delayed", "REPORT.IPM.Note.Delayed.DR"),
    ("failed", "REPORT.IPM.Note.NDR"),
];

const READ: &str = "REPORT.IPM.Note.IPNRN";
const NOT_READ: &str = "REPORT.IPM.Note.IPNNRN";
/// The message classes of read receipts.
pub(super) const RECEIPTS: [&str; 2] = [READ, NOT_READ];

/// The media types of machine-readable reports, and the `report-type` of a message that holds one.
pub(super) const TYPES: [(&str, &str); 5] = [
    ("message/delivery-status", "delivery-status"),
    ("message/global-delivery-status", "delivery-status"),
    ("message/disposition-notification", "disposition-notification"),
    ("message/global-disposition-notification", "disposition-notification"),
    ("message/feedback-report", "feedback-report"),
];

/// Makes a REPORT item of a message whose root is a multipart/report; others stay what they are.
pub(super) fn convert(root: MessagePart<'_>, message: &mut Message) {
    if !root.is_content_type("multipart", "report") {
        return;
    }
    for part in root.children() {
        let mime = attach::mime_type(part);
        let Some((_, kind)) = TYPES.iter().find(|(t, _)| *t == mime) else { continue };
        let bytes = part.decoded();
        if bytes.len() > LONGEST {
            return;
        }
        let text = charset::utf8_or_1252(&bytes);
        let known = match *kind {
            "delivery-status" => delivery(&text, message),
            "disposition-notification" => disposition(&text, message),
            _ => false,
        };
        if known {
            original(root, message);
        }
        return;
    }
}

/// The fields of one paragraph.
struct Fields<'a>(Vec<(&'a str, String)>);

impl<'a> Fields<'a> {
    fn of(text: &'a str) -> Self {
        let mut fields: Vec<(&str, String)> = Vec::new();
        for line in text.lines() {
            match (line.starts_with([' ', '\t']), fields.last_mut(), line.split_once(':')) {
                (true, Some((_, value)), _) => {
                    value.push(' ');
                    value.push_str(line.trim());
                }
                (_, _, Some((name, value))) => fields.push((name.trim(), value.trim().to_owned())),
                _ => {}
            }
        }
        Self(fields)
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, v)| n.eq_ignore_ascii_case(name) && !v.is_empty()).map(|(_, v)| v.as_str())
    }

    /// The value without its leading "type;".
    fn untyped(&self, name: &str) -> Option<&str> {
        let value = self.get(name)?;
        Some(value.split_once(';').map_or(value, |(_, v)| v.trim()))
    }

    /// The address of a "type;address" field.
    fn who(&self) -> Option<Mailbox> {
        let value = self.get("Final-Recipient").or_else(|| self.get("Original-Recipient"))?;
        let (kind, address) = value.split_once(';').unwrap_or(("rfc822", value));
        let address = address.trim().trim_matches(['<', '>']);
        let name = header::words(self.get("X-Display-Name").unwrap_or_default(), &mut Vec::new());
        let mut who = Mailbox::smtp(&name, address);
        if !["rfc822", "utf-8"].iter().any(|k| kind.trim().eq_ignore_ascii_case(k)) {
            who.kind = kind.trim().to_ascii_uppercase();
        }
        (!address.is_empty()).then_some(who)
    }

    fn severity(&self) -> Option<usize> {
        let action = self.get("Action")?.split(['(', ' ', ';']).next()?;
        ACTIONS.iter().position(|(a, _)| action.eq_ignore_ascii_case(a))
    }
}

/// Blank lines part the fields of the message from those of each recipient (RFC 3464, 2.1).
fn paragraphs(text: &str) -> impl Iterator<Item = Fields<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(['\r', '\n']);
        if rest.is_empty() {
            return None;
        }
        let mut end = 0;
        for line in rest.split_inclusive('\n') {
            if line.trim().is_empty() {
                break;
            }
            end += line.len();
        }
        // A line of blanks alone makes a paragraph without fields.
        let end = if end == 0 { rest.find('\n').map_or(rest.len(), |n| n + 1) } else { end };
        let (one, tail) = rest.split_at_checked(end)?;
        rest = tail;
        Some(Fields::of(one))
    })
}

/// A delivery report ([MS-OXCMAIL] 2.2.3.7.1). False if nothing is known of any recipient.
fn delivery(text: &str, message: &mut Message) -> bool {
    let all: Vec<Fields<'_>> = paragraphs(text).take(MOST_ROWS + 1).collect();
    let Some(worst) = all.iter().filter_map(Fields::severity).max() else { return false };
    let Some((_, class)) = ACTIONS.get(worst) else { return false };
    let at = message.props.time(tag::CLIENT_SUBMIT_TIME);
    let rows: Vec<PropBag> =
        all.iter().filter(|f| f.severity() == Some(worst)).filter_map(|f| row(f, worst, at)).collect();
    if !rows.is_empty() {
        message.recipients = rows;
        let names: Vec<String> = message.recipients.iter().filter_map(|r| r.text(tag::DISPLAY_NAME)).collect();
        message.props.set(tag::DISPLAY_TO, Value::text(&names.join("; ")));
        message.props.set(tag::DISPLAY_CC, Value::text(""));
        message.props.set(tag::DISPLAY_BCC, Value::text(""));
    }
    let props = &mut message.props;
    props.set(tag::MESSAGE_CLASS, Value::text(class));
    set(props, tag::REPORTING_MTA, all.iter().find_map(|f| f.untyped("Reporting-MTA")));
    if let Some(key) = all.iter().find_map(|f| f.get("X-MSExch-Correlation-Key")) {
        correlate(props, key);
    }
    true
}

fn row(fields: &Fields<'_>, severity: usize, message_time: Option<u64>) -> Option<PropBag> {
    let mut row = address::recipient(1, &fields.who()?);
    let attempt = fields.get("Last-Attempt-Date").and_then(date::parse).and_then(time::from_unix);
    if let Some(at) = attempt.or(message_time) {
        row.set(tag::REPORT_TIME, Value::Time(at));
    }
    let status = fields.get("Status").and_then(status);
    if severity + 1 == ACTIONS.len() {
        let (reason, diagnosis) =
            status.map_or((REASON_FAILED, NO_DIAGNOSTIC), |(_, subject, detail)| codes(subject, detail));
        row.set(tag::NDR_REASON_CODE, Value::I32(reason));
        row.set(tag::NDR_DIAG_CODE, Value::I32(diagnosis));
    }
    if let Some((class @ 0..=9, subject, detail)) = status {
        // One digit for each; zero stands for what does not fit.
        let digit = |n: u16| if n > 9 { 0 } else { i32::from(n) };
        row.set(tag::NDR_STATUS_CODE, Value::I32(i32::from(class) * 100 + digit(subject) * 10 + digit(detail)));
    }
    let remote = fields.untyped("Remote-MTA").unwrap_or_default();
    set(&mut row, tag::REMOTE_MTA, Some(remote));
    let given = fields.get("X-Supplementary-Info").map(Cow::Borrowed);
    let made = status.map(|(a, b, c)| {
        let diagnostic = fields.get("Diagnostic-Code").unwrap_or_default();
        Cow::Owned(format!("<{}>", format!("{remote} #{a}.{b}.{c} {diagnostic}").trim()))
    });
    set(&mut row, tag::SUPPLEMENTARY_INFO, given.or(made).as_deref());
    Some(row)
}

/// The three numbers of a status code (RFC 3463).
fn status(text: &str) -> Option<(u16, u16, u16)> {
    let code = text.split(|c: char| !c.is_ascii_digit() && c != '.').next()?;
    let mut numbers = code.split('.').map(|n| n.parse::<u16>().ok());
    Some((numbers.next()??, numbers.next()??, numbers.next()??))
}

/// Reason and diagnosis of a failed delivery ([MS-OXCMAIL] 2.2.3.7.1.2).
pub(super) fn codes(subject: u16, detail: u16) -> (i32, i32) {
    const UNRECOGNIZED: i32 = 0;
    match (subject, detail) {
        (1, 1) => (1, 35),
        (1, 2) => (REASON_FAILED, 48),
        (1, 3) => (REASON_FAILED, 32),
        (1, 4) => (REASON_FAILED, 1),
        (1, 6) => (REASON_FAILED, 40),
        (1, _) => (REASON_FAILED, UNRECOGNIZED),
        (2, 2 | 3) | (3, 4) => (REASON_FAILED, 13),
        (2, 4) => (REASON_FAILED, 30),
        (2, _) => (REASON_FAILED, 38),
        (3, 3) => (REASON_FAILED, 18),
        (4, 5) => (REASON_FAILED, 2),
        (4, 6) => (REASON_FAILED, 3),
        (4, 7) => (REASON_FAILED, 5),
        (5, 3) => (REASON_FAILED, 16),
        (5, 4) => (REASON_FAILED, 11),
        (6, 1) => (2, 15),
        (6, 2) => (2, 9),
        (6, 3 | 5) => (2, 8),
        (7, 1) => (REASON_FAILED, 29),
        (7, 2) => (REASON_FAILED, 28),
        (7, _) => (REASON_FAILED, 46),
        _ => (REASON_FAILED, NO_DIAGNOSTIC),
    }
}

/// A read receipt ([MS-OXCMAIL] 2.2.3.7.2). False if it does not say what became of the message.
fn disposition(text: &str, message: &mut Message) -> bool {
    let all: Vec<Fields<'_>> = paragraphs(text).take(MOST_ROWS).collect();
    let get = |name: &str| all.iter().find_map(|f| f.get(name));
    let Some(disposition) = get("Disposition") else { return false };
    let (mode, word) = disposition.split_once(';').unwrap_or(("", disposition));
    let word = word.trim().split(['/', ' ', ',']).next().unwrap_or_default().to_ascii_lowercase();
    let class = match word.as_str() {
        "displayed" | "dispatched" | "processed" => READ,
        "deleted" | "denied" | "failed" => NOT_READ,
        _ => return false,
    };
    let props = &mut message.props;
    props.set(tag::MESSAGE_CLASS, Value::text(class));
    set(props, tag::REPORT_DISPOSITION, Some(&word));
    set(props, tag::REPORT_DISPOSITION_MODE, Some(mode.trim()));
    set(props, tag::ORIGINAL_MESSAGE_ID, get("Original-Message-ID"));
    let shown = get("X-Display-Name").map(|n| header::words(n, &mut Vec::new()));
    let who = all.iter().find_map(Fields::who).map(|w| w.address);
    set(props, tag::ORIGINAL_DISPLAY_TO, shown.or(who).as_deref());
    if let Some(at) = props.time(tag::CLIENT_SUBMIT_TIME) {
        props.set(tag::REPORT_TIME, Value::Time(at));
    }
    if let Some(text) = props.get(tag::BODY).cloned() {
        props.set(tag::REPORT_TEXT, text);
    }
    if let Some(key) = get("X-MSExch-Correlation-Key") {
        correlate(props, key);
    }
    true
}

fn correlate(props: &mut PropBag, key: &str) {
    let bytes = mail_parser::Encoding::Base64.decode(key.as_bytes()).into_owned();
    if !bytes.is_empty() {
        props.set(tag::PARENT_KEY, Value::binary(bytes));
    }
}

/// What is known of the message that the report is about: from its copy, or from its header alone.
fn original(root: MessagePart<'_>, message: &mut Message) {
    let head = root.children().find_map(|part| match part.nested() {
        Some(nested) => Some(nested.root_part().raw_headers().to_vec()),
        None => part.is_content_type("text", "rfc822-headers").then(|| part.decoded().into_owned()),
    });
    let props = &mut message.props;
    props.set(tag::ORIGINAL_MESSAGE_CLASS, Value::text("IPM.Note"));
    let Some(head) = head else { return };
    let text = charset::utf8_or_1252(&head);
    let fields = Fields::of(&text);
    let words = |name: &str| fields.get(name).map(|v| header::words(v, &mut Vec::new()));
    set(props, tag::ORIGINAL_SUBJECT, words("Subject").as_deref());
    if props.get(tag::ORIGINAL_MESSAGE_ID).is_none() {
        set(props, tag::ORIGINAL_MESSAGE_ID, fields.get("Message-ID"));
    }
    if props.get(tag::ORIGINAL_DISPLAY_TO).is_none() {
        set(props, tag::ORIGINAL_DISPLAY_TO, words("To").as_deref());
    }
    if let Some(at) = fields.get("Date").and_then(date::parse).and_then(time::from_unix) {
        props.set(tag::ORIGINAL_SUBMIT_TIME, Value::Time(at));
    }
}

fn set(props: &mut PropBag, tag: PropTag, text: Option<&str>) {
    if let Some(text) = text.filter(|t| !t.is_empty()) {
        props.set(tag, Value::text(text));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_of_fields() {
        let text = "A: 1\r\nB: x; y\r\n  z\r\n\r\n \r\nC: 3\r\n";
        let all: Vec<Fields<'_>> = paragraphs(text).collect();
        assert_eq!(all.iter().filter(|f| !f.0.is_empty()).count(), 2);
        assert_eq!((all[0].get("a"), all[0].untyped("b")), (Some("1"), Some("y z")));
        assert_eq!(paragraphs("\r\n\r\n").count(), 0);
    }

    #[test]
    fn status_codes() {
        assert_eq!(status("5.1.1 (no such user)"), Some((5, 1, 1)));
        assert_eq!((status("5.1"), status("x"), status("5..1")), (None, None, None));
        assert_eq!(codes(1, 1), (1, 35));
        assert_eq!(codes(9, 9), (0, -1));
    }
}
