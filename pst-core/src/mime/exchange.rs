//! Addresses of Exchange ("/o=Org/ou=.../cn=Recipients/cn=name") and the Internet addresses that belong to them.

use super::address::{self, Group, Mailbox};
use super::text;
use crate::mapi::named::PSETID_ADDRESS;
use crate::mapi::{Message, NamedProp, PropBag, Value, tag};
use mail_parser::{HeaderName, MessageParser};
use std::fmt::Debug;

/// Knows Internet addresses that an item itself does not tell.
pub trait Directory: Debug + Send + Sync {
    /// The SMTP address that belongs to an Exchange address; case does not matter.
    fn smtp(&self, address: &str) -> Option<String>;
}

/// Longest stored header that is searched, bytes.
const LONGEST_HEADER: usize = 1 << 20;

/// An Exchange address in the form in which it is looked up.
pub fn key(address: &str) -> String {
    let bare = address.trim();
    let start = ["EX:", "X500:"].iter().find(|p| bare.get(..p.len()).is_some_and(|s| s.eq_ignore_ascii_case(p)));
    bare.get(start.map_or(0, |p| p.len())..).unwrap_or_default().to_uppercase()
}

/// The pairs of Exchange address (as [`key`] has it) and SMTP address that an item tells.
pub fn pairs(message: &Message) -> Vec<(String, String)> {
    let page = text::page(&message.props);
    let mut out = Vec::new();
    let mut open = Vec::new();
    for group in [&address::SENDER, &address::REPRESENTING, &address::RECEIVED_BY, &address::READ_RECEIPT] {
        let name = text::some(&message.props, group.name, page);
        take(&message.props, group, name, page, &mut out, &mut open);
    }
    for row in &message.recipients {
        let name = text::some(row, ROW.name, page);
        take(row, &ROW, name, page, &mut out, &mut open);
    }
    contact(&message.props, page, &mut out);
    if !open.is_empty() {
        header(message, page, &open, &mut out);
    }
    out
}

/// A recipient row, described like the other groups.
const ROW: Group = Group {
    name: tag::DISPLAY_NAME,
    kind: tag::ADDRESS_TYPE,
    address: tag::EMAIL_ADDRESS,
    entry: tag::ENTRY_ID,
    key: tag::SEARCH_KEY,
    smtp: tag::SMTP_ADDRESS,
};

fn take(
    props: &PropBag,
    group: &Group,
    name: Option<String>,
    page: u32,
    out: &mut Vec<(String, String)>,
    open: &mut Vec<(String, String)>,
) {
    let own = text::some(props, group.address, page).filter(|a| is_exchange(a));
    let entry = || props.any(group.entry.id()).and_then(Value::as_bytes).and_then(Mailbox::from_address_book);
    let Some(dn) = own.or_else(|| entry().map(|m| m.address)) else { return };
    match text::some(props, group.smtp, page).filter(|s| s.contains('@')) {
        Some(smtp) => out.push((key(&dn), smtp)),
        None => open.extend(name.map(|n| (key(&dn), n))),
    }
}

fn is_exchange(address: &str) -> bool {
    address.starts_with('/') && address.get(..3).is_some_and(|s| s.eq_ignore_ascii_case("/o="))
}

/// The three addresses of a contact: the original entry id or address is Exchange's, and its name is the Internet's.
fn contact(props: &PropBag, page: u32, out: &mut Vec<(String, String)>) {
    for first in [0x8080, 0x8090, 0x80A0] {
        let named = |at: u32| props.named(&NamedProp::id(PSETID_ADDRESS, first + at));
        let string = |at| named(at).and_then(|v| text::value(v, page));
        let entry = || named(5).and_then(Value::as_bytes).and_then(Mailbox::from_address_book);
        let Some(dn) = string(3).filter(|a| is_exchange(a)).or_else(|| entry().map(|m| m.address)) else { continue };
        let smtp = [string(3), string(4)].into_iter().flatten().find(|a| a.contains('@') && !is_exchange(a));
        out.extend(smtp.map(|s| (key(&dn), s)));
    }
}

/// Names whose address is missing, looked for in the stored header: where one name stands for one address there, it is
/// that.
fn header(message: &Message, page: u32, open: &[(String, String)], out: &mut Vec<(String, String)>) {
    let stored = text::get(&message.props, tag::TRANSPORT_MESSAGE_HEADERS, page);
    let Some(stored) = stored.filter(|s| s.len() <= LONGEST_HEADER) else { return };
    let Some(parsed) = MessageParser::new().parse(stored.as_bytes()) else { return };
    let headers = parsed.root_part().headers();
    let mut known: Vec<Mailbox> = Vec::new();
    for field in &headers {
        if matches!(field.name(), HeaderName::From | HeaderName::Sender | HeaderName::To | HeaderName::Cc) {
            known.extend(address::mailboxes(&field, &mut Vec::new()).into_iter().filter(|m| m.address.contains('@')));
        }
    }
    for (dn, name) in open {
        let mut same = known.iter().filter(|m| m.name.eq_ignore_ascii_case(name)).map(|m| m.address.as_str());
        let Some(first) = same.next() else { continue };
        if same.all(|other| other.eq_ignore_ascii_case(first)) {
            out.push((dn.clone(), first.to_owned()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DN: &str = "/o=Org/ou=AG/cn=Recipients/cn=anna";

    #[test]
    fn keys() {
        assert_eq!(key(" ex:/o=Org/cn=a"), "/O=ORG/CN=A");
        assert_eq!(key("X500:/o=x"), "/O=X");
        assert_eq!(key("é"), "É");
    }

    #[test]
    fn rows_contacts_and_headers_tell() {
        let mut m = Message::default();
        let mut row = PropBag::default();
        row.set(tag::EMAIL_ADDRESS, Value::text(DN));
        row.set(tag::SMTP_ADDRESS, Value::text("anna@example.org"));
        m.recipients.push(row);
        assert_eq!(pairs(&m), [(key(DN), "anna@example.org".to_owned())]);

        let mut m = Message::default();
        let mut put = |lid, text: &str| {
            m.props.set_named(NamedProp::id(PSETID_ADDRESS, lid).into(), 0x1F, Value::text(text));
        };
        put(0x8093, DN);
        put(0x8094, "anna@example.org");
        assert_eq!(pairs(&m), [(key(DN), "anna@example.org".to_owned())]);

        let mut m = Message::default();
        m.props.set(tag::SENDER_EMAIL_ADDRESS, Value::text(DN));
        m.props.set(tag::SENDER_NAME, Value::text("Anna"));
        let head = "From: =?utf-8?q?Anna?= <anna@example.org>\r\nTo: Bob <bob@example.org>\r\n";
        m.props.set(tag::TRANSPORT_MESSAGE_HEADERS, Value::text(head));
        assert_eq!(pairs(&m), [(key(DN), "anna@example.org".to_owned())]);
        m.props.set(tag::SENDER_NAME, Value::text("Carl"));
        assert!(pairs(&m).is_empty());
    }
}
