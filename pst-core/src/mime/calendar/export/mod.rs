//! Appointments, meetings, tasks, journal entries and notes to iCalendar ([MS-OXCICAL] 2.1.3).

mod alarm;
mod attach;
mod common;
mod event;
mod exception;
mod hints;
pub(super) mod people;
mod todo;
mod when;

pub(super) use alarm::DEFAULT_MINUTES;
pub(super) use attach::{KEPT_SOURCE, given_name, line_of};
pub(super) use common::OWN;
pub(super) use event::{BUSY, FREE, TENTATIVE};
pub(super) use todo::TASK_STATUS;

use super::zones::ItemZone;
use crate::error::Result;
use crate::mapi::{Code, Message, Warning, tag};
use crate::mime::lines::{self, Component, Line};
use crate::mime::{Options, carried, text};
use std::collections::{HashMap, HashSet};
use std::io::Write;

/// What an item is in iCalendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// VEVENT: an appointment or a meeting.
    Event,
    /// VTODO: a task.
    Task,
    /// VJOURNAL: a journal entry.
    Journal,
    /// VJOURNAL: a sticky note.
    Note,
}

/// The message classes of calendar-like items.
const CLASSES: [(&str, Kind); 5] = [
    ("IPM.APPOINTMENT", Kind::Event),
    ("IPM.OLE.CLASS.{00061055-0000-0000-C000-000000000046}", Kind::Event),
    ("IPM.TASK", Kind::Task),
    ("IPM.ACTIVITY", Kind::Journal),
    ("IPM.STICKYNOTE", Kind::Note),
];

impl Kind {
    /// What a message class is in iCalendar; classes derived from one are like it.
    pub fn of_class(class: &str) -> Option<Self> {
        let class = class.to_ascii_uppercase();
        let is = |base: &str| class.strip_prefix(base).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        CLASSES.iter().find(|(base, _)| is(base)).map(|(_, kind)| *kind)
    }

    /// What an item is in iCalendar.
    pub fn of(message: &Message) -> Option<Self> {
        Self::of_class(&text::get(&message.props, tag::MESSAGE_CLASS, text::page(&message.props))?)
    }

    /// The message class that a component of this kind gets.
    pub const fn class(self) -> &'static str {
        match self {
            Self::Event => "IPM.Appointment",
            Self::Task => "IPM.Task",
            Self::Journal => "IPM.Activity",
            Self::Note => "IPM.StickyNote",
        }
    }
}

/// An item as iCalendar components: itself, then its exceptions.
#[derive(Debug, Default)]
pub struct Entry {
    parts: Vec<Component>,
    zones: Vec<ItemZone>,
    method: Option<&'static str>,
    /// The attachments whose messages became components.
    exceptions: HashSet<usize>,
    /// What was lost or guessed, one sentence each.
    pub warnings: Vec<Warning>,
}

impl Entry {
    /// Makes components of an item, with its attachments; `None` if its class is not one of a calendar.
    ///
    /// # Errors
    /// When a body or an attachment cannot be read.
    pub fn of(message: &Message, options: &Options) -> Result<Option<Self>> {
        Self::within(message, options, true, 0)
    }

    /// As [`Self::of`], for an item that stands `depth` messages deep. Without `attach`, whoever writes the components
    /// puts the attachments beside them.
    pub(in crate::mime) fn within(
        message: &Message,
        options: &Options,
        attach: bool,
        depth: usize,
    ) -> Result<Option<Self>> {
        let page = text::page(&message.props);
        let class = text::get(&message.props, tag::MESSAGE_CLASS, page).unwrap_or_default();
        let mut out = Output { options, attach, class, method: None, entry: Self::default(), keep: true, depth };
        let kind = match Kind::of_class(&out.class) {
            Some(kind) => kind,
            None => match method_of(&out.class, message) {
                Some(method) => {
                    out.method = Some(method);
                    Kind::Event
                }
                None => return Ok(None),
            },
        };
        out.item(kind, message)?;
        // Every exception of a series has the people of the series.
        let mut told = HashSet::new();
        out.entry.warnings.retain(|w| told.insert(w.clone()));
        out.entry.method = out.method;
        Ok(Some(out.entry))
    }

    /// Makes components of an item without what is kept of the source it came from.
    pub(super) fn bare(message: &Message, kind: Kind) -> Result<Self> {
        let (options, class) = (Options::default(), kind.class().to_owned());
        let options = &options;
        let mut out =
            Output { options, attach: false, class, method: None, entry: Self::default(), keep: false, depth: 0 };
        out.item(kind, message)?;
        Ok(out.entry)
    }

    /// The components.
    pub(super) fn parts(&self) -> &[Component] {
        &self.parts
    }

    /// The attachments whose messages became components: exceptions of the series.
    pub(in crate::mime) fn take_exceptions(&mut self) -> HashSet<usize> {
        std::mem::take(&mut self.exceptions)
    }

    /// METHOD, for messages of a meeting.
    pub fn method(&self) -> Option<&'static str> {
        self.method
    }

    /// Writes a calendar of its own.
    ///
    /// # Errors
    /// When `out` refuses, or an attachment cannot be read.
    pub fn write(self, out: &mut dyn Write) -> Result<()> {
        let mut calendar = Calendar::begin(self.method, out)?;
        calendar.add(self, out)?;
        calendar.end(out)
    }
}

/// METHOD of a message about a meeting ([MS-OXCICAL] 2.1.3.1.1.1).
fn method_of(class: &str, message: &Message) -> Option<&'static str> {
    let class = class.to_ascii_uppercase();
    let rest = class.strip_prefix("IPM.SCHEDULE.MEETING.")?;
    let counters = message.props.lid(crate::mapi::lid::COUNTER_PROPOSAL).and_then(crate::mapi::Value::as_bool);
    match rest.split('.').next()? {
        "REQUEST" => Some("REQUEST"),
        "CANCELED" => Some("CANCEL"),
        "RESP" if counters == Some(true) => Some("COUNTER"),
        "RESP" => Some("REPLY"),
        _ => None,
    }
}

/// A calendar that is being written.
#[derive(Debug)]
pub struct Calendar {
    /// The names of the zones that stand in it, by the name and definition that an item has.
    zones: HashMap<(String, Vec<u8>), String>,
    /// How many zones of each name there are.
    names: HashMap<String, u32>,
    /// The UIDs that this program made, and how often.
    uids: HashMap<String, u64>,
}

impl Calendar {
    /// Begins a calendar.
    ///
    /// # Errors
    /// When `out` refuses.
    pub fn begin(method: Option<&str>, out: &mut dyn Write) -> Result<Self> {
        let mut head = Component::default();
        head.put("VERSION", "2.0");
        head.put("PRODID", concat!("-//pst//pst ", env!("CARGO_PKG_VERSION"), "//EN"));
        if let Some(method) = method {
            head.put("METHOD", method);
        }
        put(out, "BEGIN:VCALENDAR\r\n")?;
        lines::write_inside(&head, out)?;
        Ok(Self { zones: HashMap::new(), names: HashMap::new(), uids: HashMap::new() })
    }

    /// Adds the components of an item, and the zones they need.
    ///
    /// # Errors
    /// When `out` refuses, or an attachment cannot be read.
    pub fn add(&mut self, entry: Entry, out: &mut dyn Write) -> Result<()> {
        let mut parts = entry.parts;
        for zone in entry.zones {
            self.zone(zone, &mut parts, out)?;
        }
        self.tell_apart(&mut parts);
        parts.iter().try_for_each(|part| lines::write(part, out))
    }

    /// Items without a UID that are the same in all get different ones, or readers would take them for one.
    fn tell_apart(&mut self, parts: &mut [Component]) {
        let uid = parts.first().and_then(|p| p.line("UID")).map(|l| l.value.clone());
        let Some(uid) = uid.filter(|u| u.starts_with("pst-")) else { return };
        let n = self.uids.entry(uid.clone()).or_default();
        *n += 1;
        if *n > 1 {
            let lines = parts.iter_mut().flat_map(|p| p.lines.iter_mut());
            for line in lines.filter(|l| l.is("UID") && l.value == uid) {
                line.value = format!("{uid}-{n}");
            }
        }
    }

    /// Writes a zone, once. One of the same name and other rules gets a name of its own.
    fn zone(&mut self, mut zone: ItemZone, parts: &mut [Component], out: &mut dyn Write) -> Result<()> {
        let old = zone.tzid.clone();
        let key = (old.clone(), zone.definition.encode());
        let name = match self.zones.get(&key) {
            Some(name) => name.clone(),
            None => {
                let name = self.free_name(&old);
                zone.tzid.clone_from(&name);
                lines::write(&zone.component(), out)?;
                self.zones.insert(key, name.clone());
                name
            }
        };
        if name != old {
            let named = parts.iter_mut().flat_map(|p| p.lines.iter_mut()).flat_map(|l| l.params.iter_mut());
            let values = named.filter(|p| p.name == "TZID").flat_map(|p| p.values.iter_mut());
            values.filter(|v| **v == old).for_each(|v| v.clone_from(&name));
        }
        Ok(())
    }

    /// A name that no zone of this calendar has.
    fn free_name(&mut self, wanted: &str) -> String {
        let mut n = self.names.get(wanted).copied().unwrap_or(0);
        loop {
            n += 1;
            let name = if n == 1 { wanted.to_owned() } else { format!("{wanted} ({n})") };
            if n == 1 || !self.names.contains_key(&name) {
                self.names.insert(wanted.to_owned(), n);
                self.names.entry(name.clone()).or_insert(1);
                return name;
            }
        }
    }

    /// Ends the calendar.
    ///
    /// # Errors
    /// When `out` refuses.
    pub fn end(self, out: &mut dyn Write) -> Result<()> {
        put(out, "END:VCALENDAR\r\n")
    }
}

fn put(out: &mut dyn Write, text: &str) -> Result<()> {
    out.write_all(text.as_bytes()).map_err(crate::mime::encode::cannot_write)
}

/// An item on its way into components.
struct Output<'a> {
    options: &'a Options,
    /// Attachments go into the components.
    attach: bool,
    class: String,
    method: Option<&'static str>,
    entry: Entry,
    /// Take back what was kept of a source.
    keep: bool,
    /// How many messages the item stands in.
    depth: usize,
}

impl Output<'_> {
    fn item(&mut self, kind: Kind, message: &Message) -> Result<()> {
        let lost = match kind {
            Kind::Event => self.event(message)?,
            Kind::Task => self.task(message)?,
            Kind::Journal => self.journal(message)?,
            Kind::Note => self.note(message)?,
        };
        self.entry.warnings.extend(carried::lost(&lost, "iCalendar").map(|t| Code::Calendar.with(t)));
        Ok(())
    }

    fn warn(&mut self, text: impl Into<String>) {
        self.entry.warnings.push(Code::Calendar.with(text));
    }

    /// Notes a zone that the components name, and returns its final name.
    fn use_zone(&mut self, zone: &ItemZone) {
        if !self.entry.zones.iter().any(|z| z.tzid == zone.tzid) {
            self.entry.zones.push(zone.clone());
        }
    }

    /// The class of an item, if it is another than its component stands for.
    fn class_line(&self, kind: Kind) -> Option<Line> {
        let usual = self.method.is_some() || self.class.eq_ignore_ascii_case(kind.class());
        let usual = usual && kind != Kind::Note || self.class.to_ascii_uppercase().starts_with("IPM.OLE.CLASS.");
        (!usual).then(|| Line::text("X-PST-CLASS", &self.class))
    }
}
