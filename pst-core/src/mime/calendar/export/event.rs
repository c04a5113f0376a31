//! Appointments and messages of meetings as VEVENT ([MS-OXCICAL] 2.1.3.1.1.20).

use super::hints::rename_zone;
use super::when::When;
use super::{Kind, Output, alarm, people};
use crate::error::Result;
use crate::mapi::goid::GlobalObjectId;
use crate::mapi::recurrence::{AppointmentRecurrence, RecurrencePattern, date_of};
use crate::mapi::{Message, Value, lid, tag};
use crate::mime::calendar::pattern;
use crate::mime::calendar::value::{Stamp, civil};
use crate::mime::calendar::zones::ItemZone;
use crate::mime::carried::Carried;
use crate::mime::lines::{Component, Line};
use crate::mime::{residue, text};
use jiff::civil::{Date, DateTime};
use std::collections::{BTreeSet, HashSet};

/// PidLidAppointmentStateFlags.
const MEETING: i32 = 1;
const CANCELED: i32 = 4;

/// X-MICROSOFT-CDO-BUSYSTATUS of PidLidBusyStatus.
pub(in crate::mime::calendar) const BUSY: [&str; 5] = ["FREE", "TENTATIVE", "BUSY", "OOF", "WORKINGELSEWHERE"];
pub(in crate::mime::calendar) const FREE: i32 = 0;
pub(in crate::mime::calendar) const TENTATIVE: i32 = 1;

/// A series: its blob and the first date on which it falls.
pub(super) struct Series {
    pub recurrence: AppointmentRecurrence,
    first: Date,
}

impl Series {
    /// The series of a pattern of whole days.
    pub fn of_days(pattern: RecurrencePattern) -> Self {
        let first = pattern.occurrences().and_then(|mut all| all.next()).unwrap_or(pattern.start);
        Self { recurrence: AppointmentRecurrence::new(pattern, 0, 0), first: date_of(first) }
    }

    /// The local time of an occurrence on a date.
    pub fn on(&self, date: Date) -> Option<DateTime> {
        let midnight = date.at(0, 0, 0, 0);
        midnight.checked_add(jiff::SignedDuration::from_mins(self.recurrence.start_offset.into())).ok()
    }

    fn length(&self) -> jiff::SignedDuration {
        let minutes = i64::from(self.recurrence.end_offset) - i64::from(self.recurrence.start_offset);
        jiff::SignedDuration::from_mins(minutes.max(0))
    }
}

impl Output<'_> {
    pub(super) fn event(&mut self, message: &Message) -> Result<Vec<String>> {
        let page = text::page(&message.props);
        let item = Carried::new(&message.props, page);
        let series = self.series(&item);
        let mut when = when(&item, series.is_some());
        if let (Some(zone), Some(start)) = (&mut when.zone, item.time_of(lid::START_WHOLE)) {
            zone.name_at(start);
        }
        let kept = if self.keep { residue::load(&item, residue::CALENDAR) } else { Component::default() };
        rename_zone(&mut when, &kept);
        let mut event = Component::new("VEVENT");
        let own = self.own_messages(message, series.as_ref(), &when);
        self.fields(message, &item, &when, series.as_ref(), &mut event)?;
        self.take_back(event, kept, &when, series.as_ref());
        let mut lost = item.left();
        if let Some(series) = &series {
            let more = self.exceptions(message, &own, series, &when)?;
            let known: HashSet<String> = lost.iter().cloned().collect();
            let mut new = BTreeSet::from_iter(more);
            new.retain(|n| !known.contains(n));
            lost.extend(new);
        }
        Ok(lost)
    }

    /// The series, if the item is one that iCalendar can hold.
    fn series(&mut self, item: &Carried<'_>) -> Option<Series> {
        let recurring = item.is(lid::RECURRING);
        let bytes = item.bytes_of(lid::APPOINTMENT_RECUR)?;
        let recurrence = AppointmentRecurrence::decode(bytes);
        let first = recurrence.as_ref().and_then(|r| r.pattern.occurrences()?.next()).map(date_of);
        match (recurrence, first) {
            (Some(recurrence), Some(first)) => Some(Series { recurrence, first }),
            (Some(r), None) if !r.pattern.is_gregorian() => {
                self.warn(format!("a series by calendar {} is written as its first appointment", r.pattern.calendar));
                None
            }
            _ => {
                if recurring {
                    self.warn("the pattern of a series cannot be read: only its first appointment is written");
                }
                None
            }
        }
    }

    /// Appends everything but what was kept of a source. Used for an exception too, where `series` is none.
    pub(super) fn fields(
        &mut self,
        message: &Message,
        item: &Carried<'_>,
        when: &When,
        series: Option<&Series>,
        out: &mut Component,
    ) -> Result<()> {
        let id = item.bytes_of(lid::GLOBAL_OBJECT_ID).or_else(|| item.bytes_of(lid::CLEAN_GLOBAL_OBJECT_ID));
        item.lid(lid::CLEAN_GLOBAL_OBJECT_ID);
        let id = id.and_then(GlobalObjectId::decode);
        let uid = id.as_ref().map_or_else(|| fallback_uid(item), GlobalObjectId::uid);
        out.put_text("UID", Some(&uid));
        self.common(message, item, Kind::Event, out)?;
        out.put_text("LOCATION", item.text_of(lid::LOCATION).as_deref());
        self.times(item, when, series, out);
        if let Some(series) = series {
            self.rule(series, when, out);
        } else if let Some(at) = item.time_of(lid::EXCEPTION_REPLACE_TIME) {
            out.lines.extend(when.line_at("RECURRENCE-ID", at, self));
        }
        self.people(message, item, out);
        status(item, self.method, out);
        alarm::before_start(item, out);
        Ok(())
    }

    fn times(&mut self, item: &Carried<'_>, when: &When, series: Option<&Series>, out: &mut Component) {
        let proposed = (item.time_of(lid::PROPOSED_START), item.time_of(lid::PROPOSED_END));
        let start = item.time_of(lid::START_WHOLE).or_else(|| item.time(tag::START_DATE));
        let end = item.time_of(lid::END_WHOLE).or_else(|| item.time(tag::END_DATE));
        let minutes = item.i32_of(lid::DURATION).map(|n| i64::from(n.max(0)) * 60);
        let end = end.or_else(|| Some(start? + minutes?));
        if let Some(local) = series.and_then(|s| s.on(s.first)) {
            out.lines.push(when.line("DTSTART", local, self));
            let length = series.map(Series::length).unwrap_or_default();
            if let Ok(end) = local.checked_add(length) {
                out.lines.push(when.line("DTEND", end, self));
            }
            return;
        }
        let counter = self.method == Some("COUNTER");
        let (start, end) = if counter { (proposed.0.or(start), proposed.1.or(end)) } else { (start, end) };
        let Some(start) = start else {
            self.warn("the appointment has no start");
            return;
        };
        out.lines.extend(when.line_at("DTSTART", start, self));
        // An appointment may end in another zone than it starts in.
        let mut other = ItemZone::defined(item.props(), lid::ZONE_END)
            .filter(|z| when.zone.as_ref().is_some_and(|s| s.key != z.key) && !when.all_day);
        if let Some(zone) = &mut other {
            zone.name_at(start);
        }
        let ends = match other {
            Some(zone) => When { zone: Some(zone), all_day: false },
            None => when.clone(),
        };
        if let Some(end) = end {
            out.lines.extend(ends.line_at("DTEND", end, self));
        }
    }

    /// RRULE and EXDATE.
    fn rule(&mut self, series: &Series, when: &When, out: &mut Component) {
        let until = |date: Date| {
            let local = series.on(date)?;
            Some(if when.all_day { Stamp::Day(date) } else { civil(when.utc(local)).map(Stamp::Utc)? })
        };
        let recurrence = &series.recurrence;
        if let Some(rule) = pattern::rule_of(&recurrence.pattern, until) {
            out.lines.push(Line::new("RRULE", rule.to_string()));
        }
        let modified: Vec<u32> = recurrence.exceptions.iter().map(|e| e.original - e.original % 1440).collect();
        let deleted = recurrence.pattern.deleted.iter().filter(|d| !modified.contains(&(**d - **d % 1440)));
        let times: Vec<DateTime> = deleted.filter_map(|d| series.on(date_of(*d))).collect();
        if !times.is_empty() {
            let line = when.lines("EXDATE", &times, self);
            out.lines.push(line);
        }
    }

    fn people(&mut self, message: &Message, item: &Carried<'_>, out: &mut Component) {
        let rsvp = item.tag(tag::RESPONSE_REQUESTED).and_then(Value::as_bool) == Some(true);
        let flags = item.i32_of(lid::STATE_FLAGS).unwrap_or(0);
        match self.method {
            Some("REPLY" | "COUNTER") => {
                let class = self.class.to_ascii_uppercase();
                let status = match class.split('.').nth(4) {
                    Some("POS") => "ACCEPTED",
                    Some("NEG") => "DECLINED",
                    _ => "TENTATIVE",
                };
                out.lines.extend(self.answer(message, item.page, status));
            }
            method => {
                if method.is_some() || flags & MEETING != 0 || people::has_attendees(message, item.page) {
                    out.lines.extend(self.organizer(message, item.page));
                    out.lines.extend(self.attendees(message, item.page, rsvp));
                }
            }
        }
        let response = item.i32_of(lid::RESPONSE_STATUS).filter(|s| !matches!(s, 0 | 1) && self.method.is_none());
        if let Some(response) = response {
            out.put("X-PST-RESPONSE", people::part_stat(response));
        }
    }
}

/// STATUS, TRANSP, SEQUENCE and what Microsoft adds.
fn status(item: &Carried<'_>, method: Option<&str>, out: &mut Component) {
    let shown = item.i32_of(lid::BUSY_STATUS).unwrap_or(2);
    let intended = item.i32_of(lid::INTENDED_BUSY_STATUS);
    // What a request shows is a placeholder; what the organizer wants is the intended status.
    let busy = if method.is_some() { intended.filter(|i| *i >= 0).unwrap_or(shown) } else { shown };
    let flags = item.i32_of(lid::STATE_FLAGS).unwrap_or(0);
    let name = |n: i32| usize::try_from(n).ok().and_then(|n| BUSY.get(n)).copied();
    out.put("SEQUENCE", item.i32_of(lid::SEQUENCE).unwrap_or(0).max(0).to_string());
    out.put("TRANSP", if busy == FREE { "TRANSPARENT" } else { "OPAQUE" });
    let canceled = flags & CANCELED != 0 || method == Some("CANCEL");
    out.put(
        "STATUS",
        if canceled {
            "CANCELLED"
        } else if busy == TENTATIVE {
            "TENTATIVE"
        } else {
            "CONFIRMED"
        },
    );
    if let Some(name) = name(shown) {
        out.put("X-MICROSOFT-CDO-BUSYSTATUS", name);
    }
    if let Some(name) = intended.and_then(name) {
        out.put("X-MICROSOFT-CDO-INTENDEDSTATUS", name);
    }
    if item.is(lid::SUB_TYPE) {
        out.put("X-MICROSOFT-CDO-ALLDAYEVENT", "TRUE");
    }
    if item.is(lid::NOT_ALLOW_PROPOSE) {
        out.put("X-MICROSOFT-DISALLOW-COUNTER", "TRUE");
    }
    for (name, lid) in [("X-MS-OLK-APPTSEQTIME", lid::SEQUENCE_TIME), ("X-MICROSOFT-CDO-REPLYTIME", lid::REPLY_TIME)] {
        if let Some(at) = item.time_of(lid).and_then(civil) {
            out.put(name, Stamp::Utc(at).to_string());
        }
    }
}

/// The zones of an item stand in its times.
pub(super) fn carry_zones(item: &Carried<'_>) {
    for lid in [lid::ZONE_START, lid::ZONE_END, lid::ZONE_RECUR, lid::TIME_ZONE_STRUCT, lid::TIME_ZONE_DESCRIPTION] {
        item.lid(lid);
    }
}

/// A UID for an item that has none, always the same for the same item.
pub(super) fn fallback_uid(item: &Carried<'_>) -> String {
    use sha2::{Digest, Sha256};
    use std::fmt::Write;
    let mut hash = Sha256::new();
    match item.tag(tag::SEARCH_KEY).and_then(Value::as_bytes) {
        Some(key) => hash.update(key),
        None => {
            hash.update(item.text(tag::SUBJECT).unwrap_or_default());
            for at in [item.time_of(lid::START_WHOLE), item.time(tag::CREATION_TIME)] {
                hash.update(at.unwrap_or(0).to_le_bytes());
            }
        }
    }
    hash.finalize().iter().take(16).fold(String::from("pst-"), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// How the times of the item are written.
fn when(item: &Carried<'_>, recurring: bool) -> When {
    carry_zones(item);
    When { all_day: item.is(lid::SUB_TYPE), zone: ItemZone::of(item.props(), item.page, recurring) }
}
