//! vCards to contacts and distribution lists.

use super::fields::{Address, EMAILS, NAME, TEXTS, address_of, number_of, phone_of, types_of};
use super::{Kind, effect, list, photo, verify};
use crate::mapi::message::flag;
use crate::mapi::{Code, Message, PropBag, PropTag, PropType, Value, Warning, lid, tag, time};
use crate::mime::address::Mailbox;
use crate::mime::calendar::Stamp;
use crate::mime::lines::{self, Component, Line};
use crate::mime::to_mapi::Converted;
use crate::mime::{fields, header};
use sha2::{Digest, Sha256};
use std::collections::HashMap;

/// PidTagIconIndex of contacts and lists.
const ICON_CONTACT: i32 = 512;
const ICON_LIST: i32 = 514;
/// PidLidSideEffects, as Outlook sets them.
const SIDE_EFFECTS: i32 = 0x10;
/// PidLidFileUnderId: "Last, First Middle".
const LAST_FIRST: i32 = 0x8017;
/// PidLidFileUnderId: as it is.
const FILED_AS_IT_IS: i32 = -1;
/// Minutes after midnight UTC at which a birthday is stored: the date is then the same in nearly all zones.
const BIRTHDAY_MINUTES: i64 = 11 * 60 + 59;

/// Who is who by the UIDs of cards: lists name members so.
#[derive(Debug, Clone, Default)]
pub struct Directory(HashMap<String, (String, String)>);

impl Directory {
    /// Takes note of the cards of a file.
    pub fn add(&mut self, bytes: &[u8]) {
        for card in lines::parse(bytes).components {
            let Some(uid) = card.text("UID") else { continue };
            let name = card.text("FN").unwrap_or_default();
            let address = card.line("EMAIL").map(effect::email_of).unwrap_or_default();
            self.0.insert(uid.trim_start_matches("urn:uuid:").to_owned(), (name, address));
        }
    }

    /// Name and address of a UID.
    pub(super) fn find(&self, uid: &str) -> Option<&(String, String)> {
        self.0.get(uid)
    }
}

/// The items of a vCard file, each with what was lost or guessed. Components that are no cards are named in the last
/// list.
pub fn read(bytes: &[u8], directory: &Directory) -> (Vec<(Kind, Converted)>, Vec<String>) {
    let text = lines::parse(bytes);
    let mut out = Vec::new();
    let mut left = Vec::new();
    for card in &text.components {
        if card.name == "VCARD" {
            out.push(item(card, directory));
        } else {
            left.push(format!("a component {} was left out: it is no vCard", card.name));
        }
    }
    if let Some(first) = text.odd.first() {
        let first: String = first.chars().take(60).collect();
        left.push(format!("{} lines that are no content lines were left out, the first is {first:?}", text.odd.len()));
    }
    (out, left)
}

fn item(card: &Component, directory: &Directory) -> (Kind, Converted) {
    let kind = if list::is_group(card) { Kind::List } else { Kind::Contact };
    let mut message = Message::default();
    let mut warnings = Vec::new();
    let shown = shown_name(card);
    common(card, kind, &shown, &mut message);
    match kind {
        Kind::Contact => contact(card, &shown, &mut message.props),
        Kind::List => members(card, &shown, directory, &mut message.props, &mut warnings),
    }
    photo::set(card, &mut message);
    let attached = if message.attachments.is_empty() { 0 } else { flag::HAS_ATTACH };
    message.props.set(tag::MESSAGE_FLAGS, Value::I32(flag::READ | attached));
    // A member by the UID of a card is one by its address now.
    let mut card = card.clone();
    card.lines.retain(|l| !list::is_member(l) || !list::is_found(l, directory));
    verify::keep(kind, &card, &mut message, &mut warnings);
    (kind, Converted { message, warnings })
}

/// FN, or what stands in for it.
fn shown_name(card: &Component) -> String {
    let name = || {
        let parts = effect::parts(card.line("N")?, 5);
        let [last, first, middle, prefix, suffix] = parts.as_slice() else { return None };
        let words: Vec<&str> =
            [prefix, first, middle, last, suffix].into_iter().map(String::as_str).filter(|w| !w.is_empty()).collect();
        (!words.is_empty()).then(|| words.join(" "))
    };
    let company = || card.line("ORG").map(|l| effect::parts(l, 1).concat()).filter(|c| !c.is_empty());
    let email = || card.line("EMAIL").map(effect::email_of).filter(|e| !e.is_empty());
    let shown = card.text("FN").or_else(name).or_else(company).or_else(email).unwrap_or_default();
    shown.replace(['\r', '\n'], " ")
}

/// What contacts and lists have in common.
fn common(card: &Component, kind: Kind, shown: &str, message: &mut Message) {
    let props = &mut message.props;
    props.0.reserve(64);
    let class = card.text("X-PST-CLASS").filter(|c| Kind::of_class(c) == Some(kind));
    props.set(tag::MESSAGE_CLASS, Value::text(class.as_deref().unwrap_or(kind.class())));
    let mut text = Vec::new();
    let _ = lines::write(card, &mut text);
    let key: Vec<u8> = Sha256::digest(&text).iter().copied().take(16).collect();
    props.set(tag::SEARCH_KEY, Value::binary(key));
    props.set(tag::MESSAGE_CODEPAGE, Value::I32(65001));
    props.set(tag::ICON_INDEX, Value::I32(if kind == Kind::List { ICON_LIST } else { ICON_CONTACT }));
    props.set_lid(lid::SIDE_EFFECTS, Value::I32(SIDE_EFFECTS));
    props.set(tag::SUBJECT, Value::text(&fields::stored_subject(shown)));
    props.set(tag::CONVERSATION_TOPIC, Value::text(shown));
    props.set(tag::DISPLAY_NAME, Value::text(shown));
    props.set(tag::IMPORTANCE, Value::I32(1));
    props.set(tag::PRIORITY, Value::I32(0));
    props.set(tag::MESSAGE_STATUS, Value::I32(0));
    let changed =
        card.line("REV").and_then(Stamp::of).and_then(|s| time::from_unix(crate::mime::calendar::seconds(s.civil())));
    for tag in [tag::CREATION_TIME, tag::LAST_MODIFICATION_TIME, tag::CLIENT_SUBMIT_TIME, tag::MESSAGE_DELIVERY_TIME] {
        if let Some(at) = changed {
            props.set(tag, Value::Time(at));
        }
    }
    let class = card.line("CLASS").or_else(|| card.line("X-CLASS"));
    let class = class.map(|l| l.value.trim().to_ascii_uppercase()).unwrap_or_default();
    let sensitivity = super::export::CLASS.iter().position(|c| *c == class).and_then(|n| i32::try_from(n).ok());
    let sensitivity = sensitivity.unwrap_or(0);
    props.set(tag::SENSITIVITY, Value::I32(sensitivity));
    props.set_lid(lid::PRIVATE, Value::Bool(sensitivity == 2));
    let categories: Vec<String> = card
        .all("CATEGORIES")
        .flat_map(|l| l.list(','))
        .map(|c| c.trim().to_owned())
        .filter(|c| !c.is_empty())
        .collect();
    fields::set_categories(props, &categories);
    if let Some(note) = card.text("NOTE") {
        props.set(tag::BODY, Value::text(&header::crlf(&note)));
        props.set(tag::NATIVE_BODY, Value::I32(1));
    }
    for (name, slot) in TEXTS {
        if let Some(text) = card.text(name) {
            slot.set(props, &text);
        }
    }
}

fn contact(card: &Component, shown: &str, props: &mut PropBag) {
    let name = card.line("N").map(|l| effect::parts(l, 5)).unwrap_or_default();
    for (tag, part) in NAME.into_iter().zip(&name).filter(|(_, p)| !p.is_empty()) {
        props.set(tag, Value::text(part));
    }
    let org = card.line("ORG").map(|l| effect::parts(l, 2)).unwrap_or_default();
    for (tag, part) in [tag::COMPANY_NAME, tag::DEPARTMENT_NAME].into_iter().zip(&org).filter(|(_, p)| !p.is_empty()) {
        props.set(tag, Value::text(part));
    }
    file_as(&name, org.first().map(String::as_str), shown, props);
    emails(card, shown, props);
    for line in card.lines.iter().filter(|l| l.is("TEL") || l.is("X-MS-TEL")) {
        let free = phone_of(line).and_then(|p| p.slots.iter().find(|t| props.get(**t).is_none()));
        let number = number_of(line);
        if let Some(slot) = free.filter(|_| !number.is_empty()) {
            props.set(*slot, Value::text(&number));
        }
    }
    addresses(card, props);
    for line in card.all("URL") {
        let slot = if effect::is_home(line) { tag::PERSONAL_HOME_PAGE } else { tag::BUSINESS_HOME_PAGE };
        let url = line.plain();
        if props.get(slot).is_none() && !url.trim().is_empty() {
            props.set(slot, Value::text(url.trim()));
        }
    }
    dates(card, props);
    if let Some(gender) = card.line("GENDER").or_else(|| card.line("X-GENDER")).and_then(effect::gender) {
        props.set(tag::GENDER, Value::I16(gender));
    }
    relations(card, props);
}

/// Spouse, children and the first address for messages, where they stand in the lines of vCard 4.
fn relations(card: &Component, props: &mut PropBag) {
    let mut children: Vec<String> = card.all("X-MS-CHILD").map(Line::plain).collect();
    for line in card.all("RELATED").filter(|l| l.param("VALUE").is_some_and(|v| v.eq_ignore_ascii_case("text"))) {
        let types = types_of(line);
        if types.iter().any(|t| t == "child") {
            children.push(line.plain());
        } else if types.iter().any(|t| t == "spouse") && props.get(tag::SPOUSE_NAME).is_none() {
            props.set(tag::SPOUSE_NAME, Value::text(&line.plain()));
        }
    }
    if !children.is_empty() {
        props.set(tag::CHILDREN_NAMES, Value::texts(&children));
    }
    if let Some(address) = card.text("IMPP").filter(|_| props.lid(lid::INSTANT_MESSAGING).is_none()) {
        props.set_lid(lid::INSTANT_MESSAGING, Value::text(&address));
    }
}

/// PidLidFileUnder: as the card says, or "Last, First Middle", or the company.
fn file_as(name: &[String], company: Option<&str>, shown: &str, props: &mut PropBag) {
    let own = props.lid(lid::FILE_UNDER).is_some();
    let part = |i: usize| name.get(i).map(String::as_str).unwrap_or_default();
    let given = [part(1), part(2)].into_iter().filter(|p| !p.is_empty()).collect::<Vec<_>>().join(" ");
    let filed = match (part(0), given.as_str()) {
        ("", "") => company.filter(|c| !c.is_empty()).unwrap_or(shown).to_owned(),
        (last, "") => last.to_owned(),
        ("", given) => given.to_owned(),
        (last, given) => format!("{last}, {given}"),
    };
    let named = !own && !name.iter().all(String::is_empty);
    props.set_lid(lid::FILE_UNDER_ID, Value::I32(if named { LAST_FIRST } else { FILED_AS_IT_IS }));
    if !own {
        props.set_lid(lid::FILE_UNDER, Value::text(&filed));
    }
}

fn emails(card: &Component, shown: &str, props: &mut PropBag) {
    let mut present: Vec<u8> = Vec::new();
    let mut bits = 0;
    let lines = card.all("EMAIL").filter(|l| !effect::email_of(l).is_empty());
    for ((slot, line), index) in EMAILS.iter().zip(lines).zip(0u32..) {
        let smtp = effect::email_of(line);
        let kind = line.param("X-PST-ADDRESS-TYPE").unwrap_or("SMTP");
        let address = line.param("X-PST-ADDRESS").unwrap_or(&smtp);
        let usual = if shown.is_empty() || shown == smtp { smtp.clone() } else { format!("{shown} ({smtp})") };
        let display = line.param("X-PST-DISPLAY").unwrap_or(&usual);
        let original = line.param("X-PST-ORIGINAL-DISPLAY").unwrap_or(&smtp);
        let who = Mailbox { name: original.to_owned(), kind: kind.to_owned(), address: address.to_owned() };
        for (lid, text) in
            [(slot.display, display), (slot.kind, kind), (slot.address, address), (slot.original, original)]
        {
            props.set_lid(lid, Value::text(text));
        }
        props.set_lid(slot.entry, Value::binary(who.one_off()));
        present.extend_from_slice(&index.to_le_bytes());
        bits |= 1 << index;
    }
    if bits != 0 {
        props.set_lid(lid::PROVIDER_EMAIL_LIST, Value::Multi(present));
        props.set_lid(lid::PROVIDER_ARRAY_TYPE, Value::I32(bits));
    }
}

fn addresses(card: &Component, props: &mut PropBag) {
    let mut mailing: Option<(&Address, Vec<String>, bool)> = None;
    for line in card.all("ADR").chain(card.all("LABEL")) {
        let address = address_of(line);
        let whole = line.is("LABEL");
        let parts = if whole { vec![String::new(); 7] } else { effect::parts(line, 7) };
        let label = if whole { Some(line.plain()) } else { line.param("LABEL").map(ToOwned::to_owned) };
        let filled = parts.iter().any(|p| !p.is_empty());
        if props.lid(address.whole).is_some() || (!filled && label.is_none()) {
            continue;
        }
        for (slot, part) in address.parts.iter().zip(&parts).filter(|(_, p)| !p.is_empty()) {
            if let Some(slot) = slot.filter(|s| !s.is_set(props)) {
                slot.set(props, part);
            }
        }
        let whole = if filled { formatted(&parts) } else { label.unwrap_or_default() };
        props.set_lid(address.whole, Value::text(&header::crlf(&whole)));
        if let Some(code) = line.param("CC") {
            props.set_lid(address.code, Value::text(code));
        }
        let preferred = types_of(line).iter().any(|t| t == "pref");
        if mailing.as_ref().is_none_or(|(_, _, before)| preferred && !before) {
            mailing = Some((address, parts, preferred));
        }
    }
    let Some((address, parts, _)) = mailing.filter(|(_, _, preferred)| *preferred) else { return };
    props.set_lid(lid::MAILING_ADDRESS, Value::I32(address.id));
    props.set(PropTag::new(0x3A15, PropType::STRING), Value::text(&formatted(&parts)));
    // Post office box, street, city, state, postal code and country of the mailing address.
    for (id, i) in [(0x3A2B, 0), (0x3A29, 2), (0x3A27, 3), (0x3A28, 4), (0x3A2A, 5), (0x3A26, 6)] {
        if let Some(part) = parts.get(i).filter(|p| !p.is_empty()) {
            props.set(PropTag::new(id, PropType::STRING), Value::text(part));
        }
    }
}

/// An address in lines.
fn formatted(parts: &[String]) -> String {
    let part = |i: usize| parts.get(i).map(String::as_str).unwrap_or_default();
    let place = [part(3), part(4), part(5)].into_iter().filter(|p| !p.is_empty()).collect::<Vec<_>>().join(" ");
    let lines = [part(0), part(2), place.as_str(), part(6)];
    lines.into_iter().filter(|l| !l.is_empty()).collect::<Vec<_>>().join("\r\n")
}

fn dates(card: &Component, props: &mut PropBag) {
    let anniversary = card.line("ANNIVERSARY").or_else(|| card.line("X-MS-ANNIVERSARY"));
    for (line, tag, local) in [
        (card.line("BDAY"), tag::BIRTHDAY, lid::BIRTHDAY_LOCAL),
        (anniversary, tag::WEDDING_ANNIVERSARY, lid::ANNIVERSARY_LOCAL),
    ] {
        let Some(stamp) = line.and_then(Stamp::of) else { continue };
        let midnight = crate::mime::calendar::seconds(stamp.civil().date().at(0, 0, 0, 0));
        if let (Some(at), Some(day)) = (time::from_unix(midnight + BIRTHDAY_MINUTES * 60), time::from_unix(midnight)) {
            props.set(tag, Value::Time(at));
            props.set_lid(local, Value::Time(day));
        }
    }
}

fn members(card: &Component, shown: &str, directory: &Directory, props: &mut PropBag, warnings: &mut Vec<Warning>) {
    let lines: Vec<&Line> = card.lines.iter().filter(|l| list::is_member(l)).collect();
    let found: Vec<Mailbox> = lines.iter().filter_map(|l| list::named_by(l, directory)).collect();
    if found.len() < lines.len() {
        let unknown = lines.len() - found.len();
        warnings.push(
            Code::Contact
                .with(format!("{unknown} members of the list are known by an id alone that no card of the file has")),
        );
    }
    list::set(&found, shown, props);
    props.set_lid(lid::FILE_UNDER_ID, Value::I32(FILED_AS_IT_IS));
    if props.lid(lid::FILE_UNDER).is_none() {
        props.set_lid(lid::FILE_UNDER, Value::text(shown));
    }
}
