//! The elements of a contact (ContactItemType in Types.xsd, [MS-OXOCNTC] 2.2.1).

use super::fields::{Fields, texts};
use super::node::Node;
use crate::mapi::{Lid, PropType, lid};

/// Telephone numbers, in the order of PhoneNumberKeyType.
const PHONES: &[(&str, u16)] = &[
    ("AssistantPhone", 0x3A2E),
    ("BusinessFax", 0x3A24),
    ("BusinessPhone", 0x3A08),
    ("BusinessPhone2", 0x3A1B),
    ("Callback", 0x3A02),
    ("CarPhone", 0x3A1E),
    ("CompanyMainPhone", 0x3A57),
    ("HomeFax", 0x3A25),
    ("HomePhone", 0x3A09),
    ("HomePhone2", 0x3A2F),
    ("Isdn", 0x3A2D),
    ("MobilePhone", 0x3A1C),
    ("OtherFax", 0x3A23),
    ("OtherTelephone", 0x3A1F),
    ("Pager", 0x3A21),
    ("PrimaryPhone", 0x3A1A),
    ("RadioPhone", 0x3A1D),
    ("Telex", 0x3A2C),
    ("TtyTddPhone", 0x3A4B),
];
const STREET: &str = "t:Street";
const CITY: &str = "t:City";
const STATE: &str = "t:State";
const COUNTRY: &str = "t:CountryOrRegion";
const CODE: &str = "t:PostalCode";
/// PidLidPostalAddressId.
const MAILING: [&str; 4] = ["None", "Home", "Business", "Other"];

/// The elements, in the order of the schema.
pub(super) fn elements(item: &Fields<'_>) -> Vec<Node> {
    let text = |name, id| item.text(id).map(|t| Node::text(name, t));
    let several = |name, value| Node::strings(name, texts(value));
    let mailing = item.number(lid::MAILING_ADDRESS).and_then(|n| MAILING.get(usize::try_from(n).ok()?));
    let all = [
        item.text_of(lid::FILE_UNDER).map(|t| Node::text("t:FileAs", t)),
        text("t:DisplayName", 0x3001),
        text("t:GivenName", 0x3A06),
        text("t:Initials", 0x3A0A),
        text("t:MiddleName", 0x3A44),
        text("t:Nickname", 0x3A4F),
        text("t:CompanyName", 0x3A16),
        Node::some("t:EmailAddresses", emails(item)),
        Node::some("t:PhysicalAddresses", addresses(item)),
        Node::some("t:PhoneNumbers", phones(item)),
        text("t:AssistantName", 0x3A30),
        item.moment_of(0x3A42).map(|t| Node::text("t:Birthday", t)),
        text("t:BusinessHomePage", 0x3A51),
        several("t:Children", item.tag(0x3A58)),
        several("t:Companies", item.lid(lid::COMPANIES)),
        text("t:Department", 0x3A18),
        text("t:Generation", 0x3A05),
        item.text_of(lid::INSTANT_MESSAGING)
            .map(|t| Node::of("t:ImAddresses", vec![Node::text("t:Entry", t).with("Key", "ImAddress1")])),
        text("t:JobTitle", 0x3A17),
        text("t:Manager", 0x3A4E),
        item.text_of(lid::MILEAGE).map(|t| Node::text("t:Mileage", t)),
        text("t:OfficeLocation", 0x3A19),
        mailing.map(|name| Node::text("t:PostalAddressIndex", *name)),
        text("t:Profession", 0x3A46),
        text("t:SpouseName", 0x3A48),
        text("t:Surname", 0x3A11),
        item.moment_of(0x3A41).map(|t| Node::text("t:WeddingAnniversary", t)),
    ];
    all.into_iter().flatten().collect()
}

fn emails(item: &Fields<'_>) -> Vec<Node> {
    const KEYS: [(&str, u32); 3] = [("EmailAddress1", 0x8080), ("EmailAddress2", 0x8090), ("EmailAddress3", 0x80A0)];
    let slot = |id| Lid { set: lid::FILE_UNDER.set, id, ty: PropType::STRING };
    let email = |(key, first): &(&'static str, u32)| {
        let address = item.text_of(slot(first + 3))?;
        let kind = item.text_of(slot(first + 2)).unwrap_or_else(|| "SMTP".to_owned());
        let name = item.text_of(slot(first + 4)).or_else(|| item.text_of(slot(*first)));
        item.hide(&[], &[slot(*first)]);
        let entry = Node::text("t:Entry", address).with("Key", *key);
        let entry = name.into_iter().fold(entry, |entry, name| entry.with("Name", name));
        Some(entry.with("RoutingType", kind))
    };
    KEYS.iter().filter_map(email).collect()
}

fn phones(item: &Fields<'_>) -> Vec<Node> {
    let phone = |(key, id): &(&'static str, u16)| Some(Node::text("t:Entry", item.text(*id)?).with("Key", *key));
    PHONES.iter().filter_map(phone).collect()
}

fn addresses(item: &Fields<'_>) -> Vec<Node> {
    let tagged = |parts: [(&'static str, u16); 5]| -> Vec<Node> {
        parts.into_iter().filter_map(|(name, id)| Some(Node::text(name, item.text(id)?))).collect()
    };
    let home = tagged([(STREET, 0x3A5D), (CITY, 0x3A59), (STATE, 0x3A5C), (COUNTRY, 0x3A5A), (CODE, 0x3A5B)]);
    let other = tagged([(STREET, 0x3A63), (CITY, 0x3A5F), (STATE, 0x3A62), (COUNTRY, 0x3A60), (CODE, 0x3A61)]);
    let named = [
        (STREET, lid::WORK_STREET),
        (CITY, lid::WORK_CITY),
        (STATE, lid::WORK_STATE),
        (COUNTRY, lid::WORK_COUNTRY),
        (CODE, lid::WORK_CODE),
    ];
    let work: Vec<Node> =
        named.into_iter().filter_map(|(name, lid)| Some(Node::text(name, item.text_of(lid)?))).collect();
    // The server puts these together from their parts.
    item.hide(&[], &[lid::HOME_ADDRESS, lid::WORK_ADDRESS, lid::OTHER_ADDRESS]);
    let all = [("Home", home), ("Business", work), ("Other", other)];
    all.into_iter().filter_map(|(key, parts)| Node::some("t:Entry", parts).map(|n| n.with("Key", key))).collect()
}
