//! iCalendar to appointments, meetings, tasks, journal entries and notes ([MS-OXCICAL] 2.1.3).

mod attach;
mod common;
mod event;
mod exception;
mod people;
mod series;
mod todo;
mod verify;
mod words;

use super::export::Kind;
use super::zones::Zones;
use crate::mapi::{Code, Message, Warning};
use crate::mime::lines::{self, Component};
use crate::mime::to_mapi::Converted;
use std::collections::{HashMap, HashSet};

pub(in crate::mime) use event::Role;

/// The lines of a calendar that say nothing about its items.
const CALENDAR_LINES: [&str; 5] = ["VERSION", "PRODID", "CALSCALE", "METHOD", "X-WR-TIMEZONE"];

/// One item of a calendar: a component, and those that change single occurrences of it.
struct Group<'a> {
    kind: Kind,
    main: &'a Component,
    changes: Vec<&'a Component>,
}

/// What a component is to Outlook; `None` for components that are no items.
fn kind_of(component: &Component) -> Option<Kind> {
    let class = component.text("X-PST-CLASS").and_then(|c| Kind::of_class(&c));
    match component.name.as_str() {
        "VEVENT" => Some(Kind::Event),
        "VTODO" => Some(Kind::Task),
        "VJOURNAL" => Some(class.filter(|k| *k == Kind::Note).unwrap_or(Kind::Journal)),
        _ => None,
    }
}

/// The items of a calendar file, each with what was lost or guessed. Components that are no items are named in the last
/// list.
pub fn read(bytes: &[u8]) -> (Vec<(Kind, Converted)>, Vec<String>) {
    let text = lines::parse(bytes);
    let mut out = Vec::new();
    let mut left = Vec::new();
    let mut bare = Component::new("VCALENDAR");
    for component in text.components {
        match component.name.as_str() {
            "VCALENDAR" => calendar(&component, &mut out, &mut left),
            // Some programs write components without a calendar around them.
            _ => bare.parts.push(component),
        }
    }
    calendar(&bare, &mut out, &mut left);
    if !text.odd.is_empty() {
        let first: String = text.odd.first().map(|l| l.chars().take(60).collect()).unwrap_or_default();
        left.push(format!("{} lines that are no content lines were left out, the first is {first:?}", text.odd.len()));
    }
    let mut told = HashSet::new();
    left.retain(|sentence| told.insert(sentence.clone()));
    (out, left)
}

fn calendar(calendar: &Component, out: &mut Vec<(Kind, Converted)>, left: &mut Vec<String>) {
    let zones = Zones::new(calendar);
    for group in groups(calendar, left) {
        out.push((group.kind, item(&group, calendar, &zones)));
    }
    let lines: Vec<&str> = calendar.lines.iter().map(|l| l.name.as_str()).collect();
    let mut lines: Vec<&str> =
        lines.into_iter().filter(|n| !CALENDAR_LINES.iter().any(|k| k.eq_ignore_ascii_case(n))).collect();
    lines.dedup();
    if !lines.is_empty() {
        left.push(format!("what the calendar says of itself was left out: {}", lines.join(", ")));
    }
}

fn groups<'a>(calendar: &'a Component, left: &mut Vec<String>) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    let mut series: HashMap<String, usize> = HashMap::new();
    let mut changes: Vec<(String, &Component)> = Vec::new();
    for part in &calendar.parts {
        let Some(kind) = kind_of(part) else {
            if part.name != "VTIMEZONE" {
                left.push(format!("a component {} was left out: Outlook has nothing like it", part.name));
            }
            continue;
        };
        let uid = part.text("UID");
        match uid {
            Some(uid) if kind == Kind::Event && part.line("RECURRENCE-ID").is_some() => changes.push((uid, part)),
            uid => {
                if let (Some(uid), Kind::Event) = (uid, kind) {
                    series.entry(uid).or_insert(groups.len());
                }
                groups.push(Group { kind, main: part, changes: Vec::new() });
            }
        }
    }
    for (uid, change) in changes {
        match series.get(&uid).and_then(|i| groups.get_mut(*i)) {
            Some(group) => group.changes.push(change),
            // A change without its series is an appointment.
            None => groups.push(Group { kind: Kind::Event, main: change, changes: Vec::new() }),
        }
    }
    groups
}

fn item(group: &Group<'_>, calendar: &Component, zones: &Zones<'_>) -> Converted {
    let mut input = Input { zones, calendar, warnings: Vec::new(), exact: true, mail: false };
    let mut message = common::begin(group.kind, group.main);
    let kept = match group.kind {
        Kind::Event => input.event(group.main, &group.changes, &mut message, Role::Appointment),
        Kind::Task => input.task(group.main, &mut message),
        Kind::Journal | Kind::Note => input.journal(group.kind, group.main, &mut message),
    };
    common::end(&mut message);
    input.keep(group, &mut message, kept);
    Converted { message, warnings: input.warnings }
}

/// Sets the properties of a meeting on a mail that brings a calendar of one event; or says why it stays as it is.
pub(in crate::mime) fn meeting(
    bytes: &[u8],
    message: &mut Message,
    warnings: &mut Vec<Warning>,
) -> Result<(), &'static str> {
    let text = lines::parse(bytes);
    let [calendar] = text.components.as_slice() else { return Err("it is not one calendar") };
    let mut left = Vec::new();
    let all = groups(calendar, &mut left);
    let [group] = all.as_slice() else { return Err("it does not hold one event alone") };
    if group.kind != Kind::Event {
        return Err("it holds no event");
    }
    let Some(role) = Role::of(calendar, group.main) else {
        return Err("Outlook has no message for its METHOD, or the answer it gives");
    };
    let zones = Zones::new(calendar);
    let mut input = Input { zones: &zones, calendar, warnings: Vec::new(), exact: true, mail: true };
    common::add(group.main, message);
    let kept = input.event(group.main, &group.changes, message, role);
    input.keep(group, message, kept);
    warnings.append(&mut input.warnings);
    warnings.extend(left.into_iter().map(|t| Code::Calendar.with(t)));
    if !text.odd.is_empty() {
        warnings.push(
            Code::Calendar
                .with(format!("{} lines of the calendar that are no content lines were left out", text.odd.len())),
        );
    }
    Ok(())
}

/// A component on its way into properties.
struct Input<'a> {
    zones: &'a Zones<'a>,
    calendar: &'a Component,
    warnings: Vec<Warning>,
    /// False if Outlook cannot show what the source says: the source is then attached.
    exact: bool,
    /// True if the item is a mail with a subject and a text of its own.
    mail: bool,
}

impl Input<'_> {
    fn warn(&mut self, text: impl Into<String>) {
        self.warnings.push(Code::Calendar.with(text));
    }

    /// Warns of something that Outlook cannot show.
    fn inexact(&mut self, text: impl Into<String>) {
        self.exact = false;
        self.warn(text);
    }
}
