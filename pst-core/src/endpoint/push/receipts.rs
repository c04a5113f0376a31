//! Requests for receipts in the headers of mail that was read: they become `X-` fields, lest a server send receipts again.

use crate::endpoint::text::{fields, name_of};
use crate::mapi::{Code, Warning};

/// Fields that ask for receipts.
const FIELDS: &[&str] = &["Disposition-Notification-To", "Return-Receipt-To"];

/// The name of a field of a header, if it asks for a receipt.
pub fn asking(field: &[u8]) -> Option<&'static str> {
    FIELDS.iter().copied().find(|name| name_of(field).eq_ignore_ascii_case(name.as_bytes()))
}

/// What is told of such a field.
pub fn renamed(name: &str) -> Warning {
    let text = format!("the field {name} became X-{name}, so that reading old mail sends nothing (--keep-receipts)");
    Code::Receipt.with(text)
}

/// Mail that asks for no receipts in its header, and the names of the fields that asked.
pub fn disarmed(mail: Vec<u8>) -> (Vec<u8>, Vec<&'static str>) {
    let mut asked = Vec::new();
    let mut at = 0;
    for field in fields(&mail) {
        asked.extend(asking(field).map(|name| (at, name)));
        at += field.len();
    }
    if asked.is_empty() {
        return (mail, Vec::new());
    }
    let mut out = Vec::with_capacity(mail.len() + 2 * asked.len());
    let mut from = 0;
    for (at, _) in &asked {
        out.extend_from_slice(mail.get(from..*at).unwrap_or_default());
        out.extend_from_slice(b"X-");
        from = *at;
    }
    out.extend_from_slice(mail.get(from..).unwrap_or_default());
    (out, asked.into_iter().map(|(_, name)| name).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_headers_are_disarmed() {
        let text = b"A: b\r\nreturn-receipt-to: <a@b>,\r\n c\r\nB: c\r\n\r\nReturn-Receipt-To: body\r\n";
        let (bytes, names) = disarmed(text.to_vec());
        let mut wanted = text.to_vec();
        wanted.splice(6..6, *b"X-");
        assert_eq!((bytes, names), (wanted, vec!["Return-Receipt-To"]));
        assert_eq!(disarmed(b"\r\nReturn-Receipt-To: x\r\n".to_vec()).1, [""; 0]);
    }
}
