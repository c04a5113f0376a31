//! Items that are no mail, made of elements and properties (CreateItem), for servers that do not take them as they are.
//!
//! What the elements of contacts, appointments and tasks have no place for goes along as extended properties; so do
//! journal entries and notes, of which EWS knows the class alone. A series with changed dates goes in as iCalendar.

mod appointment;
mod attachments;
mod contact;
mod extended;
mod fields;
mod node;
mod recurrence;
mod task;

use super::client::Ews;
use super::document::Document;
use super::folders::{FolderId, folder_id};
use super::items::{ItemId, KEY, guid};
use super::refusal::Refusal;
use super::upload::{Stored, answered};
use crate::error::{Error, Result};
use crate::mapi::rtf::{self, Origin};
use crate::mapi::{Code, Lid, Message, NamedProp, Value, Warning, codepage, lid, subject, tag};
use crate::mime::{self, calendar};
use attachments::Attached;
use fields::Fields;
use node::Node;

/// Bodies and calendars are held as a whole; longer ones are cut or refused, bytes.
const LONGEST: u64 = 64 << 20;
/// PidTagSensitivity and PidTagImportance.
const SENSITIVITY: [&str; 4] = ["Normal", "Personal", "Private", "Confidential"];
const IMPORTANCE: [&str; 3] = ["Low", "Normal", "High"];
/// ReminderMinutesBeforeStart takes no more.
const MINUTES: i32 = 2_629_800;

/// What an item is in EWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Contact,
    Appointment,
    Task,
    /// Something that only its class tells: a journal entry or a note.
    Other,
}

/// The classes, and what they are.
const CLASSES: [(&str, Kind); 5] = [
    ("IPM.CONTACT", Kind::Contact),
    ("IPM.APPOINTMENT", Kind::Appointment),
    ("IPM.TASK", Kind::Task),
    ("IPM.ACTIVITY", Kind::Other),
    ("IPM.STICKYNOTE", Kind::Other),
];

impl Kind {
    fn of(class: &str) -> Option<Self> {
        let class = class.to_ascii_uppercase();
        let is = |base: &str| class.strip_prefix(base).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        CLASSES.iter().find(|(base, _)| is(base)).map(|(_, kind)| *kind)
    }

    fn element(self) -> &'static str {
        match self {
            Self::Contact => "t:Contact",
            Self::Appointment => "t:CalendarItem",
            Self::Task => "t:Task",
            Self::Other => "t:Message",
        }
    }
}

/// An item made of elements.
pub(super) struct Typed<'a> {
    kind: Kind,
    class: String,
    /// iCalendar, which says what elements cannot.
    calendar: Option<Vec<u8>>,
    /// What stands before the attachments, and behind them up to the extended properties.
    before: Vec<Node>,
    attachments: Vec<Attached<'a>>,
    behind: Vec<Node>,
    extended: Vec<Node>,
    own: Vec<Node>,
    key: &'a str,
    /// What is lost.
    pub warnings: Vec<Warning>,
}

impl<'a> Typed<'a> {
    /// Makes elements of an item; `None` for a class that has none. It is found again by `key`.
    ///
    /// # Errors
    /// When something of it cannot be read.
    pub fn of(message: &'a Message, key: &'a str, options: &mime::Options) -> Result<Option<Self>> {
        let class = message.props.text(tag::MESSAGE_CLASS).unwrap_or_default();
        let Some(kind) = Kind::of(&class) else { return Ok(None) };
        let as_calendar = kind == Kind::Appointment && appointment::is_more_than_words(&message.props);
        Self::made(message, kind, class, key, options, as_calendar).map(Some)
    }

    /// The same as iCalendar, for an appointment whose elements the server does not take; `None` for others.
    ///
    /// # Errors
    /// As [`Typed::of`].
    pub fn into_calendar(self, message: &'a Message, options: &mime::Options) -> Result<Option<Self>> {
        if self.kind != Kind::Appointment || self.calendar.is_some() {
            return Ok(None);
        }
        Self::made(message, self.kind, self.class, self.key, options, true).map(Some)
    }

    fn made(
        message: &'a Message,
        kind: Kind,
        class: String,
        key: &'a str,
        options: &mime::Options,
        as_calendar: bool,
    ) -> Result<Self> {
        let mut warnings = Vec::new();
        let item = Fields::new(&message.props);
        let (mut before, behind) = (Vec::new(), behind(&item, kind, as_calendar));
        let mut own = match kind {
            Kind::Contact => contact::elements(&item),
            Kind::Appointment => appointment::elements(&item, message, &mut warnings),
            Kind::Task => task::elements(&item, &mut warnings),
            Kind::Other => Vec::new(),
        };
        if kind != Kind::Appointment && !message.recipients.is_empty() {
            let text = format!("its {} recipients have no place in what it is made of", message.recipients.len());
            warnings.push(Code::Property.with(text));
        }
        let mut calendar = None;
        let attachments = if as_calendar {
            // What elements could not say, iCalendar does.
            warnings.clear();
            own.clear();
            calendar = icalendar(message, options, &mut warnings)?;
            Vec::new()
        } else {
            before.extend(head(&item, message, &mut warnings)?);
            attachments::all(&message.attachments, options, &mut warnings)?
        };
        let (mut extended, mut lost) = (Vec::new(), Vec::new());
        let ours = KEY.named().and_then(|(set, name)| Some(NamedProp::text(guid(set)?, name)));
        for prop in item.rest().into_iter().filter(|p| p.name.is_none() || p.name.as_deref() != ours.as_ref()) {
            match extended::property(prop, item.page) {
                Ok(node) => extended.extend(node),
                Err(name) => lost.push(name),
            }
        }
        if !lost.is_empty() {
            let text = format!("{} properties cannot be said in EWS: {}", lost.len(), lost.join(", "));
            warnings.push(Code::Property.with(text));
        }
        Ok(Self { kind, class, calendar, before, attachments, behind, extended, own, key, warnings })
    }

    /// How it went in, as the beginning of a sentence.
    pub fn how(&self) -> &'static str {
        match (&self.calendar, self.kind) {
            (Some(_), _) => "it went in as iCalendar with properties beside it,",
            (None, Kind::Contact) => "it went in as a contact made of its properties,",
            (None, Kind::Appointment) => "it went in as an appointment made of its properties,",
            (None, Kind::Task) => "it went in as a task made of its properties,",
            (None, Kind::Other) => "it went in made of its properties,",
        }
    }

    /// In the order of ItemType in Types.xsd; any other is refused.
    fn write<'d>(&'d self, it: &mut Document<'d>)
    where
        'a: 'd,
    {
        it.element(self.kind.element(), &[], |it| {
            if let Some(bytes) = &self.calendar {
                it.encoded("t:MimeContent", &[("CharacterSet", "UTF-8")], bytes.len() as u64, move |out| {
                    out.write_all(bytes).map_err(|e| Error::system("cannot send", e))
                });
            }
            it.text("t:ItemClass", &[], &self.class);
            self.before.iter().for_each(|node| node.write(it));
            if !self.attachments.is_empty() {
                let contact = self.kind == Kind::Contact;
                it.element("t:Attachments", &[], |it| self.attachments.iter().for_each(|a| a.write(it, contact)));
            }
            self.behind.iter().for_each(|node| node.write(it));
            self.extended.iter().for_each(|node| node.write(it));
            KEY.set(it, self.key);
            self.own.iter().for_each(|node| node.write(it));
        });
    }
}

/// Subject, sensitivity and body.
fn head(item: &Fields<'_>, message: &Message, warnings: &mut Vec<Warning>) -> Result<Vec<Node>> {
    let unmarked = subject::unmarked(&message.props, item.page).and_then(|s| item.string(&s.whole));
    let subject = unmarked.or_else(|| item.text(tag::SUBJECT.id()));
    let named = |value: Option<&Value>, names: &[&'static str]| {
        value.and_then(Value::as_i32).and_then(|n| names.get(usize::try_from(n).ok()?)).copied()
    };
    let nodes = [
        subject.map(|t| Node::text("t:Subject", t)),
        named(item.tag(tag::SENSITIVITY.id()), &SENSITIVITY).map(|name| Node::text("t:Sensitivity", name)),
        body(item, message, warnings)?,
    ];
    Ok(nodes.into_iter().flatten().collect())
}

/// The body: HTML, else text, else what the rich text is made into.
fn body(item: &Fields<'_>, message: &Message, warnings: &mut Vec<Warning>) -> Result<Option<Node>> {
    let element = |kind, text: String| Some(Node::text("t:Body", text).with("BodyType", kind));
    let props = &message.props;
    if let Some(Value::Binary(html)) = props.any(tag::HTML.id()) {
        let page = props.i32(tag::INTERNET_CODEPAGE).and_then(|p| u32::try_from(p).ok()).unwrap_or(item.page);
        return Ok(element("HTML", codepage::decode(page, &html.to_vec(LONGEST)?)));
    }
    if let Some(text) = item.text(tag::BODY.id()) {
        return Ok(element("Text", text));
    }
    let Some(Value::Binary(packed)) = props.any(tag::RTF_COMPRESSED.id()) else { return Ok(None) };
    let unpacked = rtf::decompress(&packed.to_vec(LONGEST)?, LONGEST as usize);
    if let Some(odd) = unpacked.oddities.iter().find(|o| o.costs_text()) {
        warnings.push(Code::RichText.with(format!("the rich text body is damaged: {odd}")));
    }
    Ok(match rtf::origin(&unpacked.rtf) {
        Origin::Html => element("HTML", rtf::unwrap(&unpacked.rtf, Origin::Html)),
        Origin::Text => element("Text", rtf::unwrap(&unpacked.rtf, Origin::Text)),
        Origin::Rich => element("HTML", rtf::to_html(&unpacked.rtf, &[]).html),
    })
}

/// Categories, importance and reminder.
fn behind(item: &Fields<'_>, kind: Kind, as_calendar: bool) -> Vec<Node> {
    const REMINDER: &[Lid] = &[lid::REMINDER_TIME, lid::REMINDER_SIGNAL_TIME];
    let keywords = item.keywords();
    let importance = item.tag(tag::IMPORTANCE.id()).and_then(Value::as_i32);
    let importance = importance.and_then(|n| IMPORTANCE.get(usize::try_from(n).ok()?));
    let mut nodes: Vec<Node> = Node::strings("t:Categories", keywords).into_iter().collect();
    nodes.extend(importance.map(|name| Node::text("t:Importance", *name)));
    let set = item.is(lid::REMINDER_SET);
    let due = item.moment(lid::REMINDER_TIME);
    let minutes = item.number(lid::REMINDER_DELTA).filter(|n| (0..=MINUTES).contains(n));
    if matches!(kind, Kind::Appointment | Kind::Task) && !as_calendar {
        nodes.extend(due.filter(|_| set && kind == Kind::Task).map(|t| Node::text("t:ReminderDueBy", t)));
        nodes.push(Node::text("t:ReminderIsSet", set.to_string()));
        let minutes = minutes.filter(|_| kind == Kind::Appointment);
        nodes.extend(minutes.map(|n| Node::text("t:ReminderMinutesBeforeStart", n.to_string())));
    }
    item.hide(&[], REMINDER);
    nodes
}

fn icalendar(message: &Message, options: &mime::Options, warnings: &mut Vec<Warning>) -> Result<Option<Vec<u8>>> {
    let Some(mut entry) = calendar::Entry::of(message, options)? else { return Ok(None) };
    warnings.append(&mut entry.warnings);
    let mut out = Vec::new();
    let mut all = calendar::Calendar::begin(None, &mut out)?;
    all.add(entry, &mut out)?;
    all.end(&mut out)?;
    Ok(Some(out))
}

impl Ews {
    /// Puts an item into a folder that is made of elements (CreateItem). Nobody is invited to anything by that.
    ///
    /// # Errors
    /// As [`Ews::upload`].
    pub(super) fn create_typed(&mut self, folder: FolderId<'_>, item: &Typed<'_>) -> Result<Stored> {
        let mailbox = self.shared();
        let attributes = [("MessageDisposition", "SaveOnly"), ("SendMeetingInvitations", "SendToNone")];
        let asked = self.ask("CreateItem", |it| {
            it.element("m:CreateItem", &attributes, |it| {
                it.element("m:SavedItemFolderId", &[], |it| folder_id(it, folder, mailbox.as_deref()));
                it.element("m:Items", &[], |it| item.write(it));
            });
        })?;
        Ok(answered(1, asked, |message| ItemId::of(&message).ok_or_else(Refusal::silence)))
    }
}
