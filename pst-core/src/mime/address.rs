//! Addresses as properties: one-off entry ids, search keys, sender groups and recipient rows ([MS-OXCDATA] 2.2.5.1).

use super::encoded::{self, Marked};
use super::{charset, header};
use crate::mapi::value::push_utf16;
use crate::mapi::{PropBag, PropTag, Value, Warning, tag};
use mail_parser::{AddressList, Header, HeaderForm};

/// The provider UID of one-off entry ids ([MS-OXCDATA] 2.2.5.1).
const ONE_OFF: [u8; 16] =
    [0x81, 0x2B, 0x1F, 0xA4, 0xBE, 0xA3, 0x10, 0x19, 0x9D, 0x6E, 0x00, 0xDD, 0x01, 0x0F, 0x54, 0x02];
/// No rich text, do not look up, Unicode.
const ONE_OFF_FLAGS: u16 = 0x9001;
const UNICODE: u16 = 0x8000;

/// A name and an address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mailbox {
    /// The display name; the address where there is none.
    pub name: String,
    /// The address type: "SMTP", "EX"...
    pub kind: String,
    /// The address.
    pub address: String,
}

impl Mailbox {
    /// An SMTP mailbox; the address stands in for an empty name.
    pub fn smtp(name: &str, address: &str) -> Self {
        let name = if name.is_empty() { address } else { name };
        Self { name: name.to_owned(), kind: "SMTP".to_owned(), address: address.to_owned() }
    }

    /// The one-off entry id ([MS-OXCDATA] 2.2.5.1).
    pub fn one_off(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(64 + 2 * (self.name.len() + self.address.len()));
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(&ONE_OFF);
        out.extend_from_slice(&0u16.to_le_bytes());
        out.extend_from_slice(&ONE_OFF_FLAGS.to_le_bytes());
        for text in [&self.name, &self.kind, &self.address] {
            // A zero would end the text.
            if text.contains('\0') {
                push_utf16(&text.replace('\0', ""), &mut out);
            } else {
                push_utf16(text, &mut out);
            }
            out.extend_from_slice(&[0, 0]);
        }
        out
    }

    /// The search key: "SMTP:ADDRESS" and a zero byte.
    pub fn search_key(&self) -> Vec<u8> {
        let mut key = format!("{}:{}", self.kind, self.address).to_uppercase().into_bytes();
        key.push(0);
        key
    }

    /// Reads a one-off entry id; strings of the non-Unicode form are in the code page `page`.
    pub fn from_one_off(id: &[u8], page: u32) -> Option<Self> {
        let rest = id.get(4..)?.strip_prefix(&ONE_OFF)?.get(2..)?;
        let (flags, rest) = rest.split_first_chunk::<2>()?;
        let mut texts = if u16::from_le_bytes(*flags) & UNICODE != 0 {
            utf16_strings(rest)
        } else {
            rest.split(|b| *b == 0).take(3).map(|s| charset::decode_page(page, s).into_owned()).collect()
        }
        .into_iter();
        Some(Self { name: texts.next()?, kind: texts.next()?, address: texts.next()? })
    }
}

/// The provider UID of entry ids of Exchange's address book ([MS-OXCDATA] 2.2.5.2).
const ADDRESS_BOOK: [u8; 16] =
    [0xDC, 0xA7, 0x40, 0xC8, 0xC0, 0x42, 0x10, 0x1A, 0xB4, 0xB9, 0x08, 0x00, 0x2B, 0x2F, 0xE1, 0x82];

impl Mailbox {
    /// Reads an entry id of Exchange's address book; it tells the address alone.
    pub fn from_address_book(id: &[u8]) -> Option<Self> {
        let dn = id.get(4..)?.strip_prefix(&ADDRESS_BOOK)?.get(8..)?.split(|b| *b == 0).next()?;
        let address = String::from_utf8_lossy(dn).into_owned();
        (!address.is_empty()).then(|| Self { name: String::new(), kind: "EX".to_owned(), address })
    }

    /// Reads an entry id of either kind.
    pub fn from_entry(id: &[u8], page: u32) -> Option<Self> {
        Self::from_one_off(id, page).or_else(|| Self::from_address_book(id))
    }
}

fn utf16_strings(bytes: &[u8]) -> Vec<String> {
    let units: Vec<u16> = bytes.chunks_exact(2).filter_map(|c| c.try_into().ok().map(u16::from_le_bytes)).collect();
    units.split(|u| *u == 0).take(3).map(String::from_utf16_lossy).collect()
}

/// Entry ids as PidTagReplyRecipientEntries holds them: a FLATENTRYLIST ([MS-OXCDATA] 2.3.3).
pub fn flat_entry_list(ids: &[Vec<u8>]) -> Vec<u8> {
    let mut body = Vec::new();
    for id in ids {
        body.extend_from_slice(&(id.len() as u32).to_le_bytes());
        body.extend_from_slice(id);
        body.resize(body.len().next_multiple_of(4), 0);
    }
    let mut out = (ids.len() as u32).to_le_bytes().to_vec();
    out.extend_from_slice(&(body.len() as u32).to_le_bytes());
    out.extend(body);
    out
}

/// The entry ids of a FLATENTRYLIST, as far as its lengths make sense.
pub fn entries(list: &[u8]) -> Vec<&[u8]> {
    let mut out = Vec::new();
    let mut rest = list.get(8..).unwrap_or_default();
    while let Some((len, tail)) = rest.split_first_chunk::<4>() {
        let len = u32::from_le_bytes(*len) as usize;
        let Some(id) = tail.get(..len) else { break };
        out.push(id);
        rest = tail.get(len.next_multiple_of(4)..).unwrap_or_default();
    }
    out
}

/// The mailboxes of an address field, groups flattened. Encoded words are decoded as [`header::words`] does.
pub fn mailboxes(field: &Header<'_>, warnings: &mut Vec<Warning>) -> Vec<Mailbox> {
    let raw = field.raw_value();
    let value = field.value();
    let encoded = memchr::memmem::find(raw, b"=?").is_some();
    if std::str::from_utf8(raw).is_ok()
        && !(encoded && encoded::is_unlike(raw))
        && let Some(list) = value.as_address()
    {
        let found = collect(list, &Marked::default());
        if !encoded || !found.iter().any(|m| encoded::is_doubtful(&m.name) || encoded::is_doubtful(&m.address)) {
            return found;
        }
    }
    let marked = Marked::new(&header::raw(raw), warnings);
    let parsed = HeaderForm::Addresses.parse(marked.text.as_bytes());
    parsed.value().as_address().map(|list| collect(list, &marked)).unwrap_or_default()
}

fn collect(list: AddressList<'_>, marked: &Marked) -> Vec<Mailbox> {
    list.mailboxes()
        .filter_map(|m| {
            let (address, name) =
                (marked.fill(m.address().unwrap_or_default()), marked.fill(m.name().unwrap_or_default()));
            let (address, name) = (without_route(address.trim()), name.trim());
            // A word alone is an address without a domain.
            let address = if address.is_empty() && !name.contains(char::is_whitespace) { name } else { address };
            (!address.is_empty() || !name.is_empty()).then(|| Mailbox::smtp(name, address))
        })
        .collect()
}

/// `u@h` of `@a,@b:u@h`.
fn without_route(address: &str) -> &str {
    if address.starts_with('@') { address.split_once(':').map_or(address, |(_, a)| a) } else { address }
}

/// The five tags of a group that describes one person, and the sixth for the SMTP address.
pub struct Group {
    /// Display name.
    pub name: PropTag,
    /// Address type.
    pub kind: PropTag,
    /// Address.
    pub address: PropTag,
    /// Entry id.
    pub entry: PropTag,
    /// Search key.
    pub key: PropTag,
    /// SMTP address.
    pub smtp: PropTag,
}

/// PidTagSender...
pub const SENDER: Group = Group {
    name: tag::SENDER_NAME,
    kind: tag::SENDER_ADDRESS_TYPE,
    address: tag::SENDER_EMAIL_ADDRESS,
    entry: tag::SENDER_ENTRY_ID,
    key: tag::SENDER_SEARCH_KEY,
    smtp: tag::SENDER_SMTP_ADDRESS,
};

/// PidTagSentRepresenting...
pub const REPRESENTING: Group = Group {
    name: tag::SENT_REPRESENTING_NAME,
    kind: tag::SENT_REPRESENTING_ADDRESS_TYPE,
    address: tag::SENT_REPRESENTING_EMAIL_ADDRESS,
    entry: tag::SENT_REPRESENTING_ENTRY_ID,
    key: tag::SENT_REPRESENTING_SEARCH_KEY,
    smtp: tag::SENT_REPRESENTING_SMTP_ADDRESS,
};

/// PidTagReadReceipt...
pub const READ_RECEIPT: Group = Group {
    name: PropTag(0x402B_001F),
    kind: PropTag(0x4029_001F),
    address: PropTag(0x402A_001F),
    entry: tag::READ_RECEIPT_ENTRY_ID,
    key: PropTag(0x0053_0102),
    smtp: tag::READ_RECEIPT_SMTP_ADDRESS,
};

/// PidTagReceivedBy...
pub const RECEIVED_BY: Group = Group {
    name: tag::RECEIVED_BY_NAME,
    kind: tag::RECEIVED_BY_ADDRESS_TYPE,
    address: tag::RECEIVED_BY_EMAIL_ADDRESS,
    entry: tag::RECEIVED_BY_ENTRY_ID,
    key: PropTag(0x0051_0102),
    smtp: tag::RECEIVED_BY_SMTP_ADDRESS,
};

impl Group {
    /// Sets all properties of the group.
    pub fn set(&self, props: &mut PropBag, who: &Mailbox) {
        props.set(self.name, Value::text(&who.name));
        props.set(self.kind, Value::text(&who.kind));
        props.set(self.address, Value::text(&who.address));
        props.set(self.entry, Value::binary(who.one_off()));
        props.set(self.key, Value::binary(who.search_key()));
        if who.kind.eq_ignore_ascii_case("SMTP") {
            props.set(self.smtp, Value::text(&who.address));
        }
    }
}

/// One recipient row ([MS-PST] 2.4.5.3): `kind` is 1 for To, 2 for Cc, 3 for Bcc.
pub fn recipient(kind: i32, who: &Mailbox) -> PropBag {
    let entry = who.one_off();
    let name = Value::text(&who.name);
    let mut row = PropBag(Vec::with_capacity(16));
    row.set(tag::RECIPIENT_TYPE, Value::I32(kind));
    row.set(tag::RESPONSIBILITY, Value::Bool(true));
    row.set(tag::RECORD_KEY, Value::binary(entry.clone()));
    row.set(tag::OBJECT_TYPE, Value::I32(6));
    row.set(tag::ENTRY_ID, Value::binary(entry.clone()));
    row.set(tag::DISPLAY_NAME, name.clone());
    row.set(tag::ADDRESS_TYPE, Value::text(&who.kind));
    row.set(tag::EMAIL_ADDRESS, Value::text(&who.address));
    row.set(tag::SEARCH_KEY, Value::binary(who.search_key()));
    row.set(tag::DISPLAY_TYPE, Value::I32(0));
    if who.kind.eq_ignore_ascii_case("SMTP") {
        row.set(tag::SMTP_ADDRESS, Value::text(&who.address));
    }
    row.set(tag::DISPLAY_NAME_7BIT, name.clone());
    row.set(tag::TRANSMITTABLE_DISPLAY_NAME, name);
    row.set(tag::SEND_RICH_INFO, Value::Bool(false));
    row.set(tag::RECIPIENT_ENTRY_ID, Value::binary(entry));
    row.set(tag::RECIPIENT_FLAGS, Value::I32(1));
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_off_round_trip() {
        let who = Mailbox::smtp("Zoë", "zoe@example.org");
        assert_eq!(Mailbox::from_one_off(&who.one_off(), 1252), Some(who.clone()));
        assert_eq!(who.search_key(), b"SMTP:ZOE@EXAMPLE.ORG\0");
        let list = flat_entry_list(&[who.one_off(), Mailbox::smtp("", "a@b").one_off()]);
        let ids = entries(&list);
        assert_eq!(ids.len(), 2);
        assert_eq!(Mailbox::from_one_off(ids[1], 1252).unwrap().name, "a@b");
        assert_eq!(list.len() % 4, 0);
    }

    #[test]
    fn address_book_entries() {
        let mut id = vec![0; 4];
        id.extend(ADDRESS_BOOK);
        id.extend([1, 0, 0, 0, 0, 0, 0, 0]);
        id.extend(b"/o=Org/cn=a\0");
        let who = Mailbox::from_entry(&id, 1252).unwrap();
        assert_eq!((who.kind.as_str(), who.address.as_str()), ("EX", "/o=Org/cn=a"));
        assert_eq!(Mailbox::from_entry(&id[..27], 1252), None);
    }

    #[test]
    fn routes() {
        assert_eq!(without_route("@a,@b:u@h"), "u@h");
        assert_eq!(without_route("u@h"), "u@h");
    }
}
