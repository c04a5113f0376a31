//! Contacts as vCards.

use super::fields::{ADDRESSES, Address, EMAILS, Email, FAXES, NAME, PHONES, Slot, TEXTS};
use super::{Kind, verify};
use crate::error::Result;
use crate::mapi::{Code, Lid, Message, PropType, Value, Warning, lid, tag};
use crate::mime::address::Mailbox;
use crate::mime::calendar::{Stamp, civil, nearest_date};
use crate::mime::carried::{self, Carried};
use crate::mime::lines::{self, Component, Line, escaped};
use crate::mime::outobject::Renderings;
use crate::mime::{Options, outbody, outheader, residue, state, text};
use jiff::civil::Date;
use std::io::Write;

/// A version of vCard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Version {
    /// RFC 2426; what Outlook reads.
    V3,
    /// RFC 6350.
    #[default]
    V4,
}

/// Names of sensitivities; the first is the default.
pub(super) const CLASS: [&str; 4] = ["PUBLIC", "X-PERSONAL", "PRIVATE", "CONFIDENTIAL"];

/// Binary properties under names of our own, in base64.
pub(super) const BINARY: [(&str, Lid); 2] =
    [("X-PST-BUSINESS-CARD", lid::BUSINESS_CARD), ("X-MS-CARDPICTURE", lid::BUSINESS_CARD_PICTURE)];

/// Properties that say nothing about a contact, or the same as others.
const DERIVED: [Lid; 7] = [
    lid::TASK_STATUS,
    lid::PERCENT_COMPLETE,
    lid::TASK_COMPLETE,
    lid::REMINDER_DELTA,
    lid::TODO_TITLE,
    lid::HTML,
    lid::LIST_NAME,
];

/// What only formatted text has.
const FORMATTED: [&str; 8] = ["<b>", "<i>", "<u>", "<a ", "<img", "<table", "<li", "color:"];

/// An item as a vCard.
#[derive(Debug)]
pub struct Card {
    component: Component,
    /// What was lost or guessed, one sentence each.
    pub warnings: Vec<Warning>,
}

impl Card {
    /// Makes a card of an item, with its attachments; `None` if its class is not one of an address book.
    ///
    /// # Errors
    /// When a body or an attachment cannot be read.
    pub fn of(message: &Message, options: &Options) -> Result<Option<Self>> {
        Self::within(message, options, true, 0)
    }

    /// As [`Self::of`], for an item that stands `depth` messages deep. Without `attach`, whoever writes the card puts the
    /// attachments beside it, but for the picture of a contact.
    pub(in crate::mime) fn within(
        message: &Message,
        options: &Options,
        attach: bool,
        depth: usize,
    ) -> Result<Option<Self>> {
        let page = text::page(&message.props);
        let class = text::get(&message.props, tag::MESSAGE_CLASS, page).unwrap_or_default();
        let Some(kind) = Kind::of_class(&class) else { return Ok(None) };
        let mut out = Output { options, attach, class, warnings: Vec::new(), depth };
        let component = out.card(message, kind, true)?;
        Ok(Some(Self { component, warnings: out.warnings }))
    }

    /// The card of an item without what is kept of the source it came from.
    pub(super) fn bare(message: &Message, kind: Kind, version: Version) -> Result<Component> {
        let options = Options { vcard: version, ..Options::default() };
        let class = kind.class().to_owned();
        Output { options: &options, attach: true, class, warnings: Vec::new(), depth: 0 }.card(message, kind, false)
    }

    /// The lines.
    pub(super) fn component(&self) -> &Component {
        &self.component
    }

    /// Writes the card.
    ///
    /// # Errors
    /// When `out` refuses, or an attachment cannot be read.
    pub fn write(&self, out: &mut dyn Write) -> Result<()> {
        lines::write(&self.component, out)
    }
}

/// An item on its way into a card.
pub(super) struct Output<'a> {
    pub options: &'a Options,
    /// Attachments go into the card.
    pub attach: bool,
    class: String,
    pub warnings: Vec<Warning>,
    /// How many messages the item stands in.
    pub depth: usize,
}

impl Output<'_> {
    fn card(&mut self, message: &Message, kind: Kind, keep: bool) -> Result<Component> {
        let item = Carried::new(&message.props, text::page(&message.props));
        let mut card = Component::new("VCARD");
        card.put("VERSION", if self.options.vcard == Version::V4 { "4.0" } else { "3.0" });
        if !self.class.eq_ignore_ascii_case(kind.class()) {
            card.put_text("X-PST-CLASS", Some(&self.class));
        }
        self.names(message, &item, &mut card);
        match kind {
            Kind::Contact => self.contact(&item, &mut card),
            Kind::List => self.members(&item, &mut card),
        }
        for (name, slot) in TEXTS {
            card.put_text(name, slot.text(&item).as_deref());
        }
        self.common(message, &item, &mut card)?;
        self.pictures(message, &item, &mut card)?;
        if keep {
            verify::take_back(&mut card, residue::load(&item, residue::CARD), self.options.vcard);
        }
        self.warnings.extend(carried::lost(&item.left(), "a vCard").map(|t| Code::Contact.with(t)));
        Ok(card)
    }

    /// FN, N and ORG.
    fn names(&mut self, message: &Message, item: &Carried<'_>, card: &mut Component) {
        let shown = item.text(tag::DISPLAY_NAME).or_else(|| text::subject(&message.props)).filter(|n| !n.is_empty());
        let list = item.text_of(lid::LIST_NAME);
        for tag in [tag::SUBJECT, tag::NORMALIZED_SUBJECT] {
            item.tag(tag);
        }
        let parts: Vec<String> = NAME.iter().map(|t| item.text(*t).unwrap_or_default()).collect();
        let company = item.text(tag::COMPANY_NAME);
        let filed = item.text_of(lid::FILE_UNDER);
        let shown = shown.or(list).or_else(|| company.clone()).or(filed);
        // FN must be there, whatever the contact lacks.
        card.lines.push(Line::text("FN", shown.as_deref().unwrap_or_default()));
        let named = parts.iter().any(|p| !p.is_empty());
        if named || self.options.vcard == Version::V3 {
            card.put("N", parts.iter().map(|p| escaped(p)).collect::<Vec<_>>().join(";"));
        }
        let department = item.text(tag::DEPARTMENT_NAME);
        if company.is_some() || department.is_some() {
            let company = escaped(company.as_deref().unwrap_or_default());
            let department = department.map(|d| format!(";{}", escaped(&d))).unwrap_or_default();
            card.put("ORG", company + &department);
        }
    }

    fn contact(&mut self, item: &Carried<'_>, card: &mut Component) {
        let shown = card.text("FN");
        for (i, email) in EMAILS.iter().enumerate() {
            card.lines.extend(self.email(email, i, shown.as_deref(), item));
        }
        for phone in PHONES {
            for (n, slot) in phone.slots.iter().enumerate() {
                // The first kind that has a slot is the one that it is written with.
                let first = PHONES.iter().find(|p| p.slots.contains(slot)).is_some_and(|p| std::ptr::eq(p, phone));
                if let Some(number) = item.text(*slot).filter(|_| first || n == 0) {
                    card.lines.push(self.typed(Line::text(phone.line, &number), phone.types));
                }
            }
        }
        let mailing = item.i32_of(lid::MAILING_ADDRESS);
        for address in &ADDRESSES {
            card.lines.extend(self.address(address, mailing, item));
        }
        let home = item.text(tag::PERSONAL_HOME_PAGE);
        let work = item.text(tag::BUSINESS_HOME_PAGE).or_else(|| item.text_of(lid::HTML));
        for (url, kind) in [(home, "home"), (work, "work")] {
            if let Some(url) = url {
                card.lines.push(Line::new("URL", url.replace(['\r', '\n'], "")).with("TYPE", kind));
            }
        }
        let day = |lid, tag| item.time_of(lid).or_else(|| item.time(tag)).and_then(nearest_date);
        for tag in [tag::BIRTHDAY, tag::WEDDING_ANNIVERSARY] {
            item.tag(tag);
        }
        card.lines.extend(day(lid::BIRTHDAY_LOCAL, tag::BIRTHDAY).map(|d| self.date("BDAY", d)));
        let name = if self.options.vcard == Version::V4 { "ANNIVERSARY" } else { "X-MS-ANNIVERSARY" };
        card.lines.extend(day(lid::ANNIVERSARY_LOCAL, tag::WEDDING_ANNIVERSARY).map(|d| self.date(name, d)));
        if let Some(gender) = item.tag(tag::GENDER).and_then(Value::as_i32).filter(|g| (1..=2).contains(g)) {
            let name = if self.options.vcard == Version::V4 { "GENDER" } else { "X-GENDER" };
            card.put(name, if gender == 1 { "F" } else { "M" });
        }
        for lid in
            DERIVED.into_iter().chain(FAXES.iter().flat_map(|f| [f.display, f.kind, f.address, f.original, f.entry]))
        {
            item.lid(lid);
        }
        // The mailing address is one of the three again.
        for id in [0x3A15u16, 0x3A26, 0x3A27, 0x3A28, 0x3A29, 0x3A2A, 0x3A2B] {
            item.tag(crate::mapi::PropTag::new(id, PropType::STRING));
        }
        for lid in [lid::ADDRESS_COUNTRY_CODE, lid::HAS_PICTURE] {
            item.lid(lid);
        }
    }

    /// A line with types, as the version writes them.
    fn typed(&self, mut line: Line, types: &[&str]) -> Line {
        let (pref, types): (Vec<&str>, Vec<&str>) =
            types.iter().partition(|t| **t == "pref" && self.options.vcard == Version::V4);
        if !types.is_empty() {
            line = line.with("TYPE", types.first().copied().unwrap_or_default());
            if let Some(param) = line.params.last_mut() {
                param.values = types.iter().map(|t| (*t).to_owned()).collect();
            }
        }
        if pref.is_empty() { line } else { line.with("PREF", "1") }
    }

    /// An address as mail systems take it.
    pub fn routable(&mut self, who: Mailbox) -> String {
        let who = outheader::known(who, self.options);
        if who.kind != "SMTP" && !who.address.is_empty() {
            self.warnings.push(Code::Address.with(format!("no Internet address is known for {}", who.address)));
        }
        outheader::routable(&who)
    }

    fn email(&mut self, email: &Email, index: usize, shown: Option<&str>, item: &Carried<'_>) -> Option<Line> {
        let [display, kind, address, original] =
            [email.display, email.kind, email.address, email.original].map(|lid| item.text_of(lid));
        let entry = item.bytes_of(email.entry).and_then(|e| Mailbox::from_one_off(e, item.page));
        let kind = kind.or_else(|| entry.as_ref().map(|e| e.kind.clone())).unwrap_or_else(|| "SMTP".to_owned());
        let address = address.or_else(|| entry.as_ref().map(|e| e.address.clone()).filter(|a| !a.is_empty()))?;
        let is_smtp = kind.eq_ignore_ascii_case("SMTP");
        let smtp = if is_smtp {
            address.clone()
        } else {
            // An Exchange address often stands beside the Internet address.
            let known = [&original, &display].into_iter().flatten().find_map(|t| inner_address(t));
            known.unwrap_or_else(|| {
                let who = Mailbox { name: String::new(), kind: kind.clone(), address: address.clone() };
                self.routable(who)
            })
        };
        let mut line = Line::text("EMAIL", &smtp);
        if index == 0 {
            line = self.typed(line, &["pref"]);
        }
        if !is_smtp {
            line = line.with("X-PST-ADDRESS-TYPE", kind).with("X-PST-ADDRESS", address);
        }
        // What an import makes of name and address need not be said.
        let usual = |d: &String| *d == smtp || shown.is_some_and(|s| *d == s || *d == format!("{s} ({smtp})"));
        if let Some(display) = display.filter(|d| !usual(d)) {
            line = line.with("X-PST-DISPLAY", display);
        }
        if let Some(original) = original.filter(|o| *o != smtp) {
            line = line.with("X-PST-ORIGINAL-DISPLAY", original);
        }
        Some(line)
    }

    fn address(&self, address: &Address, mailing: Option<i32>, item: &Carried<'_>) -> Option<Line> {
        let parts: Vec<String> =
            address.parts.iter().map(|p| p.and_then(|slot: Slot| slot.text(item)).unwrap_or_default()).collect();
        let whole = item.text_of(address.whole);
        let code = item.text_of(address.code);
        let filled = parts.iter().any(|p| !p.is_empty());
        if !filled && whole.is_none() {
            return None;
        }
        let value = parts.iter().map(|p| escaped(p)).collect::<Vec<_>>().join(";");
        let preferred = mailing == Some(address.id);
        let types: &[&str] = match (address.kind, preferred) {
            ("other", false) => &[],
            ("other", true) => &["pref"],
            ("work", false) => &["work"],
            ("work", true) => &["work", "pref"],
            (_, false) => &["home"],
            (_, true) => &["home", "pref"],
        };
        let mut line = self.typed(Line::new("ADR", value), types);
        // An address that is whole alone has no parts to say it with.
        if let Some(whole) = whole.filter(|_| !filled) {
            let whole = whole.replace("\r\n", "\n");
            if self.options.vcard == Version::V3 {
                return Some(self.typed(Line::text("LABEL", &whole), types));
            }
            line = line.with("LABEL", whole);
        }
        if let Some(code) = code {
            line = line.with("CC", code);
        }
        Some(line)
    }

    fn date(&self, name: &str, date: Date) -> Line {
        match self.options.vcard {
            Version::V4 => Line::new(name, Stamp::Day(date).to_string()),
            Version::V3 => Line::new(name, date.to_string()).with("VALUE", "date"),
        }
    }

    /// NOTE, CATEGORIES, CLASS, REV, UID and children.
    fn common(&mut self, message: &Message, item: &Carried<'_>, card: &mut Component) -> Result<()> {
        for tag in [tag::BODY, tag::HTML, tag::IMPORTANCE, tag::PRIORITY] {
            item.tag(tag);
        }
        let bodies = outbody::of(message, "IPM.Note", &Renderings::default(), &mut self.warnings)?;
        if !bodies.pictures.is_empty() {
            self.warnings.push(
                Code::Contact
                    .with(format!("the pictures in the note ({}) have no place in a vCard", bodies.pictures.len())),
            );
        }
        let html = bodies.html.map(|(bytes, label)| crate::mime::charset::decode(Some(&label), &bytes).0.into_owned());
        let plain = bodies.plain.or_else(|| html.as_deref().map(mail_parser::html_to_text));
        card.put_text("NOTE", plain.as_deref().map(|t| t.trim_end_matches(['\r', '\n'])));
        let lower = html.as_deref().unwrap_or_default().to_ascii_lowercase();
        if FORMATTED.iter().any(|mark| lower.contains(mark)) {
            self.warnings.push(Code::Contact.with("the formatting of the note has no place in a vCard"));
        }
        item.named(&state::keywords());
        let categories: Vec<String> = state::categories(&message.props).iter().map(|c| escaped(c)).collect();
        if !categories.is_empty() {
            card.put("CATEGORIES", categories.join(","));
        }
        if let Some(Value::Multi(bytes)) = item.tag(tag::CHILDREN_NAMES) {
            for part in Value::multi_parts(bytes).unwrap_or_default() {
                card.put_text("X-MS-CHILD", text::value(&Value::Unicode(part.to_vec()), item.page).as_deref());
            }
        }
        let sensitivity = item.tag(tag::SENSITIVITY).and_then(Value::as_i32).unwrap_or(0);
        let sensitivity =
            if item.is(lid::PRIVATE) && sensitivity == 0 { 2 } else { usize::try_from(sensitivity).unwrap_or(0) };
        if let Some(class) = CLASS.get(sensitivity).filter(|_| sensitivity > 0) {
            card.put(if self.options.vcard == Version::V4 { "X-CLASS" } else { "CLASS" }, *class);
        }
        for tag in [tag::CREATION_TIME, tag::CLIENT_SUBMIT_TIME] {
            item.tag(tag);
        }
        // A card that did not say when it was changed has 1970 for it.
        if let Some(at) = item.time(tag::LAST_MODIFICATION_TIME).filter(|t| *t != 0).and_then(civil) {
            let rev = Stamp::Utc(at).to_string();
            let rev = if self.options.vcard == Version::V4 { rev } else { format!("{at}Z") };
            card.put("REV", rev);
        }
        card.put("UID", uid(item));
        Ok(())
    }
}

/// The address in "Name (a@b)" or "a@b".
fn inner_address(text: &str) -> Option<String> {
    let inner = match (text.rfind('('), text.rfind(')')) {
        (Some(a), Some(b)) if a < b => text.get(a + 1..b)?,
        _ => text,
    };
    let inner = inner.trim();
    (inner.contains('@') && !inner.contains([' ', '/', '<', '>'])).then(|| inner.to_owned())
}

/// A UID for a contact, which has none of its own: always the same for the same contact.
fn uid(item: &Carried<'_>) -> String {
    use sha2::{Digest, Sha256};
    let mut hash = Sha256::new();
    match item.tag(tag::SEARCH_KEY).and_then(Value::as_bytes) {
        Some(key) => hash.update(key),
        None => {
            for prop in &item.props().0 {
                hash.update(prop.tag.0.to_le_bytes());
                match &prop.value {
                    Value::Unicode(b) | Value::String8(b) => hash.update(b),
                    Value::Time(t) => hash.update(t.to_le_bytes()),
                    _ => {}
                }
            }
        }
    }
    let bytes = hash.finalize();
    let hex = bytes.iter().take(16).fold(String::new(), |mut text, byte| {
        use std::fmt::Write;
        let _ = write!(text, "{byte:02x}");
        text
    });
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    format!("urn:uuid:{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32))
}
