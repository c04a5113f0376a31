//! Which property of a contact is which line of a vCard ([MS-OXVCARD], [MS-OXOCNTC] 2.2.1).

use crate::mapi::{Lid, PropBag, PropTag, PropType, Value, lid, tag};
use crate::mime::carried::Carried;
use crate::mime::header;
use crate::mime::lines::Line;
use std::sync::Arc;

/// A property with a tag or a number.
#[derive(Debug, Clone, Copy)]
pub(super) enum Slot {
    Tag(PropTag),
    Named(Lid),
}

impl Slot {
    /// The text, if it is not empty.
    pub fn text(self, item: &Carried<'_>) -> Option<String> {
        match self {
            Self::Tag(tag) => item.text(tag),
            Self::Named(lid) => item.text_of(lid),
        }
    }

    /// Sets the text.
    pub fn set(self, props: &mut PropBag, text: &str) {
        let value = Value::text(&header::crlf(text));
        match self {
            Self::Tag(tag) => props.set(tag, value),
            Self::Named(lid) => props.set_named(Arc::new(lid.name()), PropType::STRING, value),
        }
    }

    /// True if it is set.
    pub fn is_set(self, props: &PropBag) -> bool {
        match self {
            Self::Tag(tag) => props.get(tag).is_some(),
            Self::Named(lid) => props.lid(lid).is_some(),
        }
    }
}

/// Lines of one text, and their properties. The names that begin with X-PST are our own, as there are no others.
pub(super) const TEXTS: &[(&str, Slot)] = &[
    ("NICKNAME", Slot::Tag(tag::NICKNAME)),
    ("TITLE", Slot::Tag(tag::TITLE)),
    ("ROLE", Slot::Tag(tag::PROFESSION)),
    ("FBURL", Slot::Named(lid::FREE_BUSY_URL)),
    ("X-MS-IMADDRESS", Slot::Named(lid::INSTANT_MESSAGING)),
    ("X-MS-SPOUSE", Slot::Tag(tag::SPOUSE_NAME)),
    ("X-MS-MANAGER", Slot::Tag(tag::MANAGER_NAME)),
    ("X-MS-ASSISTANT", Slot::Tag(tag::ASSISTANT)),
    ("X-MS-INTERESTS", Slot::Tag(tag::HOBBIES)),
    ("X-PHONETIC-FIRST-NAME", Slot::Named(lid::YOMI_FIRST)),
    ("X-PHONETIC-LAST-NAME", Slot::Named(lid::YOMI_LAST)),
    ("X-PHONETIC-ORG", Slot::Named(lid::YOMI_COMPANY)),
    ("X-PST-FILE-AS", Slot::Named(lid::FILE_UNDER)),
    ("X-PST-INITIALS", Slot::Tag(tag::INITIALS)),
    ("X-PST-ACCOUNT", Slot::Tag(tag::ACCOUNT)),
    ("X-PST-GOVERNMENT-ID", Slot::Tag(tag::GOVERNMENT_ID)),
    ("X-PST-LANGUAGE", Slot::Tag(tag::LANGUAGE)),
    ("X-PST-LOCATION", Slot::Tag(tag::LOCATION)),
    ("X-PST-CUSTOMER-ID", Slot::Tag(tag::CUSTOMER_ID)),
    ("X-PST-ORGANIZATIONAL-ID", Slot::Tag(tag::ORGANIZATIONAL_ID)),
    ("X-PST-REFERRED-BY", Slot::Tag(tag::REFERRED_BY)),
    ("X-PST-NETWORK-NAME", Slot::Tag(tag::NETWORK_NAME)),
    ("X-PST-FTP-SITE", Slot::Tag(tag::FTP_SITE)),
    ("X-PST-BILLING", Slot::Named(lid::BILLING)),
    ("X-PST-MILEAGE", Slot::Named(lid::MILEAGE)),
    ("X-PST-USER-FIELD-1", Slot::Named(lid::USER_FIELD_1)),
    ("X-PST-USER-FIELD-2", Slot::Named(lid::USER_FIELD_2)),
    ("X-PST-USER-FIELD-3", Slot::Named(lid::USER_FIELD_3)),
    ("X-PST-USER-FIELD-4", Slot::Named(lid::USER_FIELD_4)),
];

/// A kind of telephone number: the line and its types, and the properties that take such numbers in order.
pub(super) struct Phone {
    /// `TEL` or `X-MS-TEL`.
    pub line: &'static str,
    /// The types that are written, and that a number must have to be one of this kind.
    pub types: &'static [&'static str],
    /// The properties.
    pub slots: &'static [PropTag],
}

const fn tel(types: &'static [&'static str], slots: &'static [PropTag]) -> Phone {
    Phone { line: "TEL", types, slots }
}

const fn ms_tel(types: &'static [&'static str], slots: &'static [PropTag]) -> Phone {
    Phone { line: "X-MS-TEL", types, slots }
}

/// The kinds of telephone numbers; a number is of the first kind whose types it has.
pub(super) const PHONES: &[Phone] = &[
    ms_tel(&["assistant"], &[PropTag(0x3A2E_001F)]),
    ms_tel(&["callback"], &[PropTag(0x3A02_001F)]),
    ms_tel(&["company"], &[PropTag(0x3A57_001F)]),
    ms_tel(&["radio"], &[PropTag(0x3A1D_001F)]),
    ms_tel(&["telex"], &[PropTag(0x3A2C_001F)]),
    tel(&["textphone"], &[PropTag(0x3A4B_001F)]),
    tel(&["work", "fax"], &[PropTag(0x3A24_001F)]),
    tel(&["home", "fax"], &[PropTag(0x3A25_001F)]),
    tel(&["fax"], &[PropTag(0x3A23_001F), PropTag(0x3A24_001F), PropTag(0x3A25_001F)]),
    tel(&["pager"], &[PropTag(0x3A21_001F)]),
    tel(&["car"], &[PropTag(0x3A1E_001F)]),
    tel(&["isdn"], &[PropTag(0x3A2D_001F)]),
    tel(&["cell"], &[PropTag(0x3A1C_001F)]),
    tel(&["work"], &[PropTag(0x3A08_001F), PropTag(0x3A1B_001F)]),
    tel(&["home"], &[PropTag(0x3A09_001F), PropTag(0x3A2F_001F)]),
    tel(&["pref"], &[PropTag(0x3A1A_001F)]),
    tel(&["voice"], &[PropTag(0x3A1F_001F)]),
];

/// The types of a line in lower case: `TYPE=work,voice`, `TYPE="work,voice"`, `TEL;WORK;VOICE`.
pub(super) fn types_of(line: &Line) -> Vec<String> {
    let named = line.all("TYPE").flat_map(|v| v.split(','));
    let bare = line.params.iter().filter(|p| p.values.is_empty()).map(|p| p.name.as_str());
    let mut types: Vec<String> = named.chain(bare).map(|t| t.trim().to_ascii_lowercase()).collect();
    if line.param("PREF").is_some() && !types.iter().any(|t| t == "pref") {
        types.push("pref".to_owned());
    }
    types
}

/// The kind of a telephone number.
pub(super) fn phone_of(line: &Line) -> Option<&'static Phone> {
    let name = ["TEL", "X-MS-TEL"].into_iter().find(|n| line.is(n))?;
    let mut types = types_of(line);
    for (other, ours) in [("x-tty", "textphone"), ("tty", "textphone"), ("ttytdd", "textphone"), ("mobile", "cell")] {
        if types.iter().any(|t| t == other) {
            types.push(ours.to_owned());
        }
    }
    let has = |phone: &&Phone| phone.line == name && phone.types.iter().all(|t| types.iter().any(|o| o == t));
    // A number that says nothing of itself is another one.
    PHONES.iter().find(has).or_else(|| PHONES.iter().find(|p| p.line == name && p.types == ["voice"]))
}

/// The number of a line: a text, or a `tel:` URI.
pub(super) fn number_of(line: &Line) -> String {
    let text = line.plain();
    let text = text.trim();
    let uri = text.get(..4).filter(|s| s.eq_ignore_ascii_case("tel:")).and(text.get(4..));
    uri.unwrap_or(text).to_owned()
}

/// A postal address: its type, its parts as a vCard orders them, and the property of the whole.
pub(super) struct Address {
    /// `work`, `home` or `other`.
    pub kind: &'static str,
    /// Post office box, extended address, street, city, state, postal code and country.
    pub parts: [Option<Slot>; 7],
    /// The formatted address.
    pub whole: Lid,
    /// PidLidPostalAddressId.
    pub id: i32,
    /// The country code.
    pub code: Lid,
}

const fn at(tag: u32) -> Slot {
    Slot::Tag(PropTag(tag))
}

/// The postal addresses of a contact.
pub(super) const ADDRESSES: [Address; 3] = [
    Address {
        kind: "work",
        parts: [
            Some(Slot::Named(lid::WORK_BOX)),
            Some(at(0x3A19_001F)),
            Some(Slot::Named(lid::WORK_STREET)),
            Some(Slot::Named(lid::WORK_CITY)),
            Some(Slot::Named(lid::WORK_STATE)),
            Some(Slot::Named(lid::WORK_CODE)),
            Some(Slot::Named(lid::WORK_COUNTRY)),
        ],
        whole: lid::WORK_ADDRESS,
        id: 2,
        code: lid::WORK_COUNTRY_CODE,
    },
    Address {
        kind: "home",
        parts: [
            Some(at(0x3A5E_001F)),
            None,
            Some(at(0x3A5D_001F)),
            Some(at(0x3A59_001F)),
            Some(at(0x3A5C_001F)),
            Some(at(0x3A5B_001F)),
            Some(at(0x3A5A_001F)),
        ],
        whole: lid::HOME_ADDRESS,
        id: 1,
        code: lid::HOME_COUNTRY_CODE,
    },
    Address {
        kind: "other",
        parts: [
            Some(at(0x3A64_001F)),
            None,
            Some(at(0x3A63_001F)),
            Some(at(0x3A5F_001F)),
            Some(at(0x3A62_001F)),
            Some(at(0x3A61_001F)),
            Some(at(0x3A60_001F)),
        ],
        whole: lid::OTHER_ADDRESS,
        id: 3,
        code: lid::OTHER_COUNTRY_CODE,
    },
];

/// The address that a line is of: by its types, else another one.
pub(super) fn address_of(line: &Line) -> &'static Address {
    let types = types_of(line);
    let typed = ADDRESSES.iter().find(|a| types.iter().any(|t| t == a.kind));
    let [_, _, other] = &ADDRESSES;
    typed.unwrap_or(other)
}

/// The parts of a name as N orders them: surname, given name, middle name, prefix, suffix.
pub(super) const NAME: [PropTag; 5] =
    [tag::SURNAME, tag::GIVEN_NAME, tag::MIDDLE_NAME, tag::NAME_PREFIX, tag::GENERATION];

/// An e-mail address: display name, type, address, original display name and entry id.
pub(super) struct Email {
    pub display: Lid,
    pub kind: Lid,
    pub address: Lid,
    pub original: Lid,
    pub entry: Lid,
}

const fn email(first: u32) -> Email {
    const fn text(id: u32) -> Lid {
        Lid { set: lid::FILE_UNDER.set, id, ty: PropType::STRING }
    }
    Email {
        display: text(first),
        kind: text(first + 2),
        address: text(first + 3),
        original: text(first + 4),
        entry: Lid { set: lid::FILE_UNDER.set, id: first + 5, ty: PropType::BINARY },
    }
}

/// The three e-mail addresses of a contact ([MS-OXOCNTC] 2.2.1.2).
pub(super) const EMAILS: [Email; 3] = [email(0x8080), email(0x8090), email(0x80A0)];
/// What the three fax numbers are as addresses: made of the numbers.
pub(super) const FAXES: [Email; 3] = [email(0x80B0), email(0x80C0), email(0x80D0)];
