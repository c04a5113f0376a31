//! The main fields of items that are no mail (contacts, appointments, tasks...) as readable text.

use super::address::Mailbox;
use super::{date, text};
use crate::mapi::named::{Guid, PSETID_ADDRESS, PSETID_APPOINTMENT, PSETID_LOG, PSETID_TASK};
use crate::mapi::{Message, NamedProp, PropTag, Value, tag, time};
use std::fmt::Write;

enum Where {
    Tag(u32),
    Named(Guid, u32),
}
use Where::{Named, Tag};

const CONTACT: &[(&str, Where)] = &[
    ("Name", Tag(0x3001_001F)),
    ("File as", Named(PSETID_ADDRESS, 0x8005)),
    ("Company", Tag(0x3A16_001F)),
    ("Department", Tag(0x3A18_001F)),
    ("Title", Tag(0x3A17_001F)),
    ("E-mail", Named(PSETID_ADDRESS, 0x8083)),
    ("E-mail name", Named(PSETID_ADDRESS, 0x8084)),
    ("E-mail 2", Named(PSETID_ADDRESS, 0x8093)),
    ("E-mail 3", Named(PSETID_ADDRESS, 0x80A3)),
    ("Business phone", Tag(0x3A08_001F)),
    ("Business phone 2", Tag(0x3A1B_001F)),
    ("Home phone", Tag(0x3A09_001F)),
    ("Home phone 2", Tag(0x3A2F_001F)),
    ("Mobile phone", Tag(0x3A1C_001F)),
    ("Pager", Tag(0x3A21_001F)),
    ("Other phone", Tag(0x3A1F_001F)),
    ("Business fax", Tag(0x3A24_001F)),
    ("Home fax", Tag(0x3A25_001F)),
    ("Business address", Named(PSETID_ADDRESS, 0x801B)),
    ("Home address", Named(PSETID_ADDRESS, 0x801A)),
    ("Other address", Named(PSETID_ADDRESS, 0x801C)),
    ("Web page", Tag(0x3A51_001F)),
    ("Messenger", Named(PSETID_ADDRESS, 0x8062)),
    ("Birthday", Tag(0x3A42_0040)),
    ("Anniversary", Tag(0x3A41_0040)),
    ("Spouse", Tag(0x3A48_001F)),
    ("Nickname", Tag(0x3A4F_001F)),
];

const APPOINTMENT: &[(&str, Where)] = &[
    ("Start", Named(PSETID_APPOINTMENT, 0x820D)),
    ("End", Named(PSETID_APPOINTMENT, 0x820E)),
    ("All day", Named(PSETID_APPOINTMENT, 0x8215)),
    ("Location", Named(PSETID_APPOINTMENT, 0x8208)),
    ("Recurrence", Named(PSETID_APPOINTMENT, 0x8232)),
    ("Attendees", Named(PSETID_APPOINTMENT, 0x8238)),
    ("Start", Tag(0x0060_0040)),
    ("End", Tag(0x0061_0040)),
];

const TASK: &[(&str, Where)] = &[
    ("Start", Named(PSETID_TASK, 0x8104)),
    ("Due", Named(PSETID_TASK, 0x8105)),
    ("Status", Named(PSETID_TASK, 0x8101)),
    ("Complete", Named(PSETID_TASK, 0x8102)),
    ("Completed on", Named(PSETID_TASK, 0x810F)),
    ("Owner", Named(PSETID_TASK, 0x811F)),
];

const JOURNAL: &[(&str, Where)] = &[
    ("Type", Named(PSETID_LOG, 0x8700)),
    ("Start", Named(PSETID_LOG, 0x8706)),
    ("End", Named(PSETID_LOG, 0x8708)),
    ("Minutes", Named(PSETID_LOG, 0x8707)),
];

const REPORT: &[(&str, Where)] = &[
    ("Original subject", Tag(0x0049_001F)),
    ("Original recipients", Tag(0x0074_001F)),
    ("Report time", Tag(0x0032_0040)),
];

/// The fields of an item as lines of text; `None` for mail, and for reports that have a body.
pub(super) fn fields(message: &Message, class: &str, has_body: bool) -> Option<String> {
    let upper = class.to_ascii_uppercase();
    let is = |name: &str| upper == name || upper.strip_prefix(name).is_some_and(|r| r.starts_with('.'));
    let table = match () {
        () if is("IPM.CONTACT") => CONTACT,
        () if is("IPM.APPOINTMENT") || is("IPM.SCHEDULE") => APPOINTMENT,
        () if is("IPM.TASK") || is("IPM.TASKREQUEST") => TASK,
        () if is("IPM.ACTIVITY") => JOURNAL,
        () if is("REPORT") && has_body => return None,
        () if is("REPORT") => REPORT,
        () if is("IPM.DISTLIST") => return Some(members(message)),
        () => return None,
    };
    let page = text::page(&message.props);
    let mut out = String::new();
    for (label, place) in table {
        let value = match place {
            Tag(t) => message.props.any(PropTag(*t).id()),
            Named(guid, lid) => message.props.named(&NamedProp::id(*guid, *lid)),
        };
        let shown = value.and_then(|v| show(v, page)).filter(|s| !s.trim().is_empty());
        if let Some(shown) = shown {
            let line = format!("{label}: {}\r\n", shown.split(['\r', '\n']).collect::<Vec<_>>().join(" "));
            if !out.contains(&line) {
                out.push_str(&line);
            }
        }
    }
    recipients(message, page, &mut out);
    (!out.is_empty()).then_some(out)
}

fn recipients(message: &Message, page: u32, out: &mut String) {
    for row in &message.recipients {
        for (label, id) in [("Reported for", 0x0C1B_001F), ("Status", 0x1001_001F)] {
            if let Some(text) = text::some(row, PropTag(id), page) {
                let name = text::some(row, tag::DISPLAY_NAME, page).unwrap_or_default();
                let text = text.split(['\r', '\n']).collect::<Vec<_>>().join(" ");
                let _ = write!(out, "{label} {name}: {text}\r\n");
            }
        }
    }
}

fn members(message: &Message) -> String {
    let mut out = String::new();
    let page = text::page(&message.props);
    let value = message.props.named(&NamedProp::id(PSETID_ADDRESS, 0x8054));
    if let Some(Value::Multi(bytes)) = value {
        for entry in Value::multi_parts(bytes).unwrap_or_default() {
            if let Some(who) = Mailbox::from_one_off(entry, page) {
                let _ = write!(out, "Member: {} <{}>\r\n", who.name, who.address);
            }
        }
    }
    out
}

fn show(value: &Value, page: u32) -> Option<String> {
    match value {
        Value::Time(at) => date::format(time::to_unix(*at)),
        Value::Bool(yes) => yes.then(|| "yes".to_owned()),
        Value::I32(n) => Some(n.to_string()),
        Value::F64(n) => Some(format!("{:.0} %", n * 100.0)),
        other => text::value(other, page),
    }
}

/// The lines as the head of an HTML body, in ASCII.
pub(super) fn as_html(fields: &str) -> String {
    let mut out = String::from("<pre>");
    for c in fields.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            c if c.is_ascii() => out.push(c),
            c => {
                let _ = write!(out, "&#{};", u32::from(c));
            }
        }
    }
    out.push_str("</pre>\r\n");
    out
}
