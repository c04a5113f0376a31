//! Header fields to properties ([MS-OXCMAIL] 2.2.3.1 and 2.2.3.2).

use super::address::{self, Mailbox};
use super::{date, header, voice};
use crate::mapi::named::{PS_INTERNET_HEADERS, PS_PUBLIC_STRINGS, PSETID_COMMON};
use crate::mapi::{Code, Message, NamedProp, PropBag, PropTag, PropType, Value, Warning, tag, time};
use mail_parser::{Header, Headers};
use sha2::{Digest, Sha256};
use std::collections::HashSet;
use std::sync::Arc;

/// Offset of the GUID in PidTagConversationIndex ([MS-OXOMSG] 2.2.1.3).
const CONVERSATION_GUID_AT: usize = 6;

/// What the header says that other parts of the mapping need.
#[derive(Default)]
pub(super) struct Seen {
    pub unsent: bool,
    pub submit: Option<u64>,
    pub newest_received: Option<u64>,
    pub keywords: Vec<String>,
}

/// Sets the properties that come from header fields.
pub(super) fn convert(headers: &Headers<'_>, message: &mut Message, warnings: &mut Vec<Warning>) -> Seen {
    let mut seen = Seen::default();
    let mut all = Collected::default();
    for field in headers {
        collect(&field, &mut all, message, &mut seen, warnings);
    }
    all.finish(message, &mut seen, warnings);
    seen
}

#[derive(Default)]
struct Collected {
    from: Option<Mailbox>,
    sender: Option<Mailbox>,
    reply_to: Vec<Mailbox>,
    rows: [Vec<Mailbox>; 3],
    empty_lists: [String; 3],
    importance: Option<i32>,
    priority: Option<i32>,
    subject: Option<String>,
    edited_subject: Option<String>,
    topic: Option<String>,
    index: Option<Vec<u8>>,
    references: Option<String>,
    message_id: Option<String>,
    date_seen: bool,
    oldest_received: Option<u64>,
    auto_submitted: bool,
}

fn collect(
    field: &Header<'_>,
    all: &mut Collected,
    message: &mut Message,
    seen: &mut Seen,
    warnings: &mut Vec<Warning>,
) {
    let props = &mut message.props;
    let value = field.raw_value();
    let name = field.raw_name().trim_end().to_ascii_lowercase();
    match name.as_str() {
        "from" => all.from = all.from.take().or_else(|| address::mailboxes(field, warnings).into_iter().next()),
        "sender" => all.sender = all.sender.take().or_else(|| address::mailboxes(field, warnings).into_iter().next()),
        "reply-to" => {
            all.reply_to.extend(address::mailboxes(field, warnings).into_iter().filter(|m| !m.address.is_empty()));
        }
        "to" => all.recipients(0, field, warnings),
        "cc" => all.recipients(1, field, warnings),
        "bcc" => all.recipients(2, field, warnings),
        "subject" => all.subject = Some(header::text(value, warnings)),
        "x-pst-subject" => all.edited_subject = Some(header::text(value, warnings)),
        "date" => all.date(value, seen, warnings),
        "received" => all.received(value, seen),
        "message-id" => set_text(props, tag::INTERNET_MESSAGE_ID, &header::raw(value), &mut all.message_id),
        "references" => set_text(props, tag::INTERNET_REFERENCES, &header::raw(value), &mut all.references),
        "in-reply-to" => set_text(props, tag::IN_REPLY_TO_ID, &header::raw(value), &mut None),
        "importance" => all.importance = importance(&header::raw(value)).or(all.importance),
        "priority" | "x-priority" | "x-msmail-priority" => {
            all.priority = all.priority.or_else(|| importance(&header::raw(value)));
        }
        "sensitivity" => sensitivity(props, &header::raw(value)),
        "keywords" => seen.keywords.extend(keywords(&header::text(value, warnings))),
        "thread-topic" => all.topic = Some(header::text(value, warnings)),
        "thread-index" => {
            let bytes = mail_parser::Encoding::Base64.decode(header::raw(value).as_bytes()).into_owned();
            all.index = (bytes.len() >= 22).then_some(bytes);
        }
        "x-unsent" => seen.unsent = header::raw(value) == "1",
        "disposition-notification-to" => receipt(props, field, warnings),
        "return-receipt-to" => props.set(tag::ORIGINATOR_DELIVERY_REPORT_REQUESTED, Value::Bool(true)),
        "expires" | "expiry-date" => set_date(props, tag::EXPIRY_TIME, value),
        "reply-by" => set_date(props, tag::REPLY_TIME, value),
        "deferred-delivery" => set_date(props, tag::DEFERRED_SEND_TIME, value),
        "precedence" => set_text(props, tag::PRECEDENCE, &header::raw(value), &mut None),
        "list-help" | "x-list-help" => set_text(props, tag::LIST_HELP, &header::raw(value), &mut None),
        "list-subscribe" | "x-list-subscribe" => {
            set_text(props, tag::LIST_SUBSCRIBE, &header::raw(value), &mut None);
        }
        "list-unsubscribe" | "x-list-unsubscribe" => {
            set_text(props, tag::LIST_UNSUBSCRIBE, &header::raw(value), &mut None);
        }
        "auto-submitted" => all.auto_submitted = !header::raw(value).eq_ignore_ascii_case("no"),
        "x-auto-response-suppress" => {
            props.set(tag::AUTO_RESPONSE_SUPPRESS, Value::I32(suppress(&header::raw(value))));
        }
        "x-message-flag" => {
            let name = Arc::new(NamedProp::id(PSETID_COMMON, 0x8530));
            props.set_named(name, PropType::STRING, Value::text(&header::text(value, warnings)));
            props.set(tag::FLAG_STATUS, Value::I32(2));
        }
        "accept-language" | "x-mailer" | "user-agent" => {
            let named = Arc::new(NamedProp::text(PS_INTERNET_HEADERS, &name));
            props.set_named(named, PropType::STRING, Value::text(&header::text(value, warnings)));
        }
        "content-class" => voice::field(&name, value, props, warnings),
        _ if name.starts_with("x-") => voice::field(&name, value, props, warnings),
        _ => {}
    }
}

impl Collected {
    fn recipients(&mut self, kind: usize, field: &Header<'_>, warnings: &mut Vec<Warning>) {
        let found = address::mailboxes(field, warnings);
        if found.is_empty() {
            let text = header::text(field.raw_value(), warnings);
            if let Some(display) = self.empty_lists.get_mut(kind) {
                *display = text;
            }
        }
        if let Some(row) = self.rows.get_mut(kind) {
            row.extend(found);
        }
    }

    fn date(&mut self, value: &[u8], seen: &mut Seen, warnings: &mut Vec<Warning>) {
        let text = header::raw(value);
        match date::parse(&text).and_then(time::from_unix) {
            Some(at) if !self.date_seen => {
                self.date_seen = true;
                seen.submit = Some(at);
            }
            Some(_) => {}
            None => warnings.push(Code::Date.with(format!("the date {text:?} cannot be understood"))),
        }
    }

    fn received(&mut self, value: &[u8], seen: &mut Seen) {
        let text = header::raw(value);
        let Some(at) = text.rsplit_once(';').and_then(|(_, d)| date::parse(d)).and_then(time::from_unix) else {
            return;
        };
        seen.newest_received.get_or_insert(at);
        self.oldest_received = Some(at);
    }

    fn finish(mut self, message: &mut Message, seen: &mut Seen, warnings: &mut Vec<Warning>) {
        if seen.submit.is_none() && self.oldest_received.is_some() {
            warnings.push(Code::Date.with("no usable Date: the oldest Received field stands in for it"));
            seen.submit = self.oldest_received;
        }
        self.people(message);
        self.display(&mut message.props);
        let props = &mut message.props;
        if let Some(subject) = self.edited_subject.as_ref().or(self.subject.as_ref()) {
            props.set(tag::SUBJECT, Value::text(&stored_subject(subject)));
        }
        let level = self.importance.or(self.priority).unwrap_or(1);
        props.set(tag::IMPORTANCE, Value::I32(level));
        props.set(tag::PRIORITY, Value::I32(level - 1));
        if props.get(tag::SENSITIVITY).is_none() {
            props.set(tag::SENSITIVITY, Value::I32(0));
        }
        if self.auto_submitted && props.get(tag::AUTO_RESPONSE_SUPPRESS).is_none() {
            props.set(tag::AUTO_RESPONSE_SUPPRESS, Value::I32(0x30));
        }
        self.conversation(props, seen);
    }

    fn people(&mut self, message: &mut Message) {
        let sender = self.sender.as_ref().or(self.from.as_ref());
        let from = self.from.as_ref().or(self.sender.as_ref());
        if let (Some(sender), Some(from)) = (sender, from) {
            address::SENDER.set(&mut message.props, sender);
            address::REPRESENTING.set(&mut message.props, from);
        }
        if !self.reply_to.is_empty() {
            let ids: Vec<Vec<u8>> = self.reply_to.iter().map(Mailbox::one_off).collect();
            let names: Vec<String> = self.reply_to.iter().map(|m| m.name.replace(';', "")).collect();
            message.props.set(tag::REPLY_RECIPIENT_ENTRIES, Value::binary(address::flat_entry_list(&ids)));
            message.props.set(tag::REPLY_RECIPIENT_NAMES, Value::text(&names.join(";")));
        }
        for (kind, row) in (1..).zip(&self.rows) {
            message.recipients.extend(row.iter().map(|who| address::recipient(kind, who)));
        }
    }

    fn display(&self, props: &mut PropBag) {
        let tags = [tag::DISPLAY_TO, tag::DISPLAY_CC, tag::DISPLAY_BCC];
        for ((tag, row), empty) in tags.into_iter().zip(&self.rows).zip(&self.empty_lists) {
            let names: Vec<&str> = row.iter().map(|m| m.name.as_str()).collect();
            let text = if names.is_empty() { empty.trim_end_matches([';', ':']).to_owned() } else { names.join("; ") };
            props.set(tag, Value::text(&text));
        }
    }

    fn conversation(&mut self, props: &mut PropBag, seen: &Seen) {
        let subject = self.subject.as_deref().unwrap_or_default();
        let normalized = subject.get(prefix_bytes(subject)..).unwrap_or_default();
        let topic = self.topic.take().unwrap_or_else(|| normalized.to_owned());
        props.set(tag::CONVERSATION_TOPIC, Value::text(&topic));
        let index = self.index.take().unwrap_or_else(|| {
            let root = self.references.as_deref().and_then(first_id).or(self.message_id.as_deref());
            let mut hash = Sha256::new();
            hash.update(root.unwrap_or(&topic).as_bytes());
            let at = seen.submit.or(seen.newest_received).unwrap_or(0);
            let mut index = vec![1];
            index.extend(at.to_be_bytes().iter().skip(1).take(CONVERSATION_GUID_AT - 1));
            index.extend(hash.finalize().iter().take(16));
            index
        });
        props.set(tag::CONVERSATION_INDEX, Value::binary(index));
        props.set(tag::CONVERSATION_INDEX_TRACKING, Value::Bool(false));
    }
}

fn first_id(references: &str) -> Option<&str> {
    references.split_ascii_whitespace().next()
}

fn set_text(props: &mut PropBag, tag: PropTag, text: &str, keep: &mut Option<String>) {
    if !text.is_empty() && props.get(tag).is_none() {
        props.set(tag, Value::text(text));
        *keep = Some(text.to_owned());
    }
}

fn set_date(props: &mut PropBag, tag: PropTag, value: &[u8]) {
    if let Some(at) = date::parse(&header::raw(value)).and_then(time::from_unix) {
        props.set(tag, Value::Time(at));
    }
}

fn receipt(props: &mut PropBag, field: &Header<'_>, warnings: &mut Vec<Warning>) {
    props.set(tag::READ_RECEIPT_REQUESTED, Value::Bool(true));
    props.set(tag::NON_RECEIPT_NOTIFICATION_REQUESTED, Value::Bool(true));
    if let Some(who) = address::mailboxes(field, warnings).into_iter().next() {
        address::READ_RECEIPT.set(props, &who);
    }
}

fn importance(text: &str) -> Option<i32> {
    let word = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').next()?.to_ascii_lowercase();
    match word.as_str() {
        "low" | "non-urgent" | "4" | "5" | "lowest" => Some(0),
        "normal" | "3" | "medium" => Some(1),
        "high" | "urgent" | "1" | "2" | "highest" => Some(2),
        _ => None,
    }
}

fn sensitivity(props: &mut PropBag, text: &str) {
    let value = match text.to_ascii_lowercase().as_str() {
        "personal" => 1,
        "private" => {
            props.set_named(Arc::new(NamedProp::id(PSETID_COMMON, 0x8506)), PropType::BOOLEAN, Value::Bool(true));
            2
        }
        "company-confidential" => 3,
        _ => 0,
    };
    props.set(tag::SENSITIVITY, Value::I32(value));
}

fn keywords(text: &str) -> Vec<String> {
    text.split([',', ';']).map(|k| k.trim().to_owned()).filter(|k| !k.is_empty()).collect()
}

fn suppress(text: &str) -> i32 {
    text.split([',', ';', ' ']).fold(0, |bits, word| {
        bits | match word.to_ascii_lowercase().as_str() {
            "dr" => 0x1,
            "ndr" => 0x2,
            "rn" => 0x4,
            "nrn" => 0x8,
            "oof" => 0x10,
            "autoreply" => 0x20,
            "all" => -1,
            _ => 0,
        }
    })
}

/// Sets the categories (PS_PUBLIC_STRINGS "Keywords"), each once.
pub(super) fn set_categories(props: &mut PropBag, words: &[String]) {
    let mut seen = HashSet::new();
    let unique: Vec<&String> = words.iter().filter(|word| seen.insert(word.to_ascii_lowercase())).collect();
    if !unique.is_empty() {
        let name = Arc::new(NamedProp::text(PS_PUBLIC_STRINGS, "Keywords"));
        props.set_named(name, PropType::STRING | PropType::MULTI, Value::texts(&unique));
    }
}

/// A subject as a PST stores it: U+0001, the length of the prefix plus one, and the text ([MS-PST] 2.5.3.1.1).
pub(super) fn stored_subject(subject: &str) -> String {
    let prefix: usize = subject.get(..prefix_bytes(subject)).map_or(0, |p| p.encode_utf16().count());
    let length = char::from_u32(prefix as u32 + 1).unwrap_or('\u{1}');
    format!("\u{1}{length}{subject}")
}

/// Bytes of the prefix of a subject: up to three characters that are no colon, space or digit, a colon, and spaces.
fn prefix_bytes(subject: &str) -> usize {
    let Some(colon) = subject.char_indices().take(4).find(|(_, c)| *c == ':').map(|(i, _)| i) else { return 0 };
    let Some(word) = subject.get(..colon) else { return 0 };
    if word.is_empty() || word.contains(|c: char| c == ' ' || c.is_numeric() || c.is_control()) {
        return 0;
    }
    let rest = subject.get(colon + 1..).unwrap_or_default();
    let end = colon + 1 + rest.len() - rest.trim_start_matches(' ').len();
    if end > 200 { 0 } else { end }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects() {
        assert_eq!(stored_subject("Re: x"), "\u{1}\u{5}Re: x");
        assert_eq!(stored_subject("x"), "\u{1}\u{1}x");
        for plain in ["Antw: x", "R2: x", ": x", ""] {
            assert_eq!(stored_subject(plain), format!("\u{1}\u{1}{plain}"));
        }
        assert_eq!(stored_subject("Re:x"), "\u{1}\u{4}Re:x");
        assert_eq!(stored_subject("RE:   x"), "\u{1}\u{7}RE:   x");
    }

    #[test]
    fn levels() {
        assert_eq!(importance("1 (Highest)"), Some(2));
        assert_eq!(importance("Normal"), Some(1));
        assert_eq!(importance("5"), Some(0));
        assert_eq!(keywords("a, b;c "), ["a", "b", "c"]);
    }
}
