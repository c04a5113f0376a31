//! What Outlook wrote: each appointment, task, entry, note, contact and list of the corpus becomes a calendar or a card,
//! and an item again. Text made of that item has every line of the first, and what people see is what it was, or a
//! warning names it.

use super::calendars;
use super::support::content_lines::{Lines, inside, missing};
use super::support::{corpus, files};
use pst_core::endpoint::pst::PstSource;
use pst_core::mapi::{Message, Prop, Value, lid, tag, time};
use pst_core::mime::Options;
use pst_core::mime::calendar;
use pst_core::mime::contact::{self, Card, Directory};
use pst_core::pipeline::{Body, Source};

/// The text of an item, and what was said of it; `None` for items of other kinds.
fn written(message: &Message) -> Option<(String, Vec<String>)> {
    if calendar::Kind::of(message).is_some() {
        return Some(calendars::written(message));
    }
    let card = Card::of(message, &Options::default()).unwrap()?;
    let mut out = Vec::new();
    card.write(&mut out).unwrap();
    Some((String::from_utf8(out).unwrap(), card.warnings.into_iter().map(|w| w.text).collect()))
}

fn read(text: &str) -> Message {
    let mut calendars: Vec<Message> = calendar::read(text.as_bytes()).0.into_iter().map(|i| i.1.message).collect();
    let cards = contact::read(text.as_bytes(), &Directory::default()).0;
    calendars.extend(cards.into_iter().map(|i| i.1.message));
    assert_eq!(calendars.len(), 1, "{text}");
    calendars.remove(0)
}

fn lines(text: &str) -> Lines {
    inside(text, &["VEVENT", "VTODO", "VJOURNAL", "VCARD"])
}

/// The name of a property as warnings tell it.
fn name(prop: &Prop) -> String {
    match &prop.name {
        Some(name) => lid::name_of(name).map_or_else(|| name.to_string(), ToOwned::to_owned),
        None => tag::name_of(prop.tag).map_or_else(|| format!("0x{:04X}", prop.tag.id()), ToOwned::to_owned),
    }
}

/// A value as both formats can hold it: times in seconds, texts without their last line ends.
fn value(prop: &Prop) -> String {
    match &prop.value {
        Value::String8(_) | Value::Unicode(_) => {
            let text = prop.value.to_text().unwrap_or_default();
            // Two characters before a subject tell the length of its prefix.
            let text = text.strip_prefix('\u{1}').and_then(|t| t.get(1..)).unwrap_or(&text);
            text.trim_end().replace("\r\n", "\n")
        }
        Value::Time(t) => time::to_unix(*t).to_string(),
        other => format!("{other:?}"),
    }
}

/// True for values that say no more than their absence.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::String8(b) | Value::Unicode(b) => b.iter().all(|b| *b == 0),
        value => value.as_bool() == Some(false) || value.as_i32() == Some(0),
    }
}

/// What people see of such items, by the names of the properties.
const SEEN: &[&str] = &[
    "AppointmentStartWhole",
    "AppointmentEndWhole",
    "AppointmentSubType",
    "AppointmentRecur",
    "BusyStatus",
    "Subject",
    "DisplayName",
    "Importance",
    "Sensitivity",
    "GivenName",
    "Surname",
    "MiddleName",
    "Nickname",
    "CompanyName",
    "DepartmentName",
    "Title",
    "Email1EmailAddress",
    "Email1AddressType",
    "Email2EmailAddress",
    "Email3EmailAddress",
    "BusinessTelephoneNumber",
    "HomeTelephoneNumber",
    "MobileTelephoneNumber",
    "Birthday",
    "TaskStatus",
    "TaskStartDate",
    "TaskDueDate",
    "TaskComplete",
    "LogType",
    "LogStart",
    "NoteColor",
    "MessageClass",
];

#[test]
fn genuine_items_come_back() {
    let Some(top) = corpus("pst") else { return };
    let (mut n, mut same, mut named) = (0, 0, 0);
    let mut lost_values = Vec::new();
    for path in files(&top, &[".pst", ".ost"]) {
        let Ok(source) = PstSource::open(&path) else { continue };
        for folder in source.folders().unwrap() {
            for item in source.items(&folder).unwrap().flatten() {
                let Ok(loaded) = source.load(&folder, &item) else { continue };
                let Body::Mapi(message) = loaded.body else { continue };
                let Some((text, said)) = written(&message).filter(|_| !loaded.associated) else { continue };
                n += 1;
                let again = read(&text);
                let what = format!("{} {}", path.display(), item.id);
                let lost = missing(&lines(&text), &lines(&written(&again).unwrap().0));
                assert_eq!(lost, Vec::<String>::new(), "{what}");
                for prop in &message.props.0 {
                    let found = again.props.0.iter().find(|p| match (&p.name, &prop.name) {
                        (None, None) => p.tag.id() == prop.tag.id(),
                        (a, b) => a == b,
                    });
                    let key = name(prop);
                    if found.is_some_and(|f| value(f) == value(prop)) {
                        same += 1;
                    } else if said.iter().any(|s| s.contains(&key)) {
                        named += 1;
                    } else if SEEN.contains(&key.as_str()) && !is_nothing(&prop.value) {
                        let found = found.map(value);
                        lost_values.push(format!("{what}: {key} {:.200} | {found:.200?}", value(prop)));
                    }
                }
            }
        }
    }
    eprintln!("{n} items: {same} properties as they were, {named} named in warnings");
    assert!(lost_values.is_empty(), "{}", lost_values.join("\n"));
}
