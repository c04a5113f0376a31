//! Tasks as VTODO, journal entries and sticky notes as VJOURNAL.

use super::event::{Series, fallback_uid};
use super::when::When;
use super::{Kind, Output, alarm, people};
use crate::error::Result;
use crate::mapi::recurrence::{RecurrencePattern, date_of};
use crate::mapi::{Lid, Message, Value, lid};
use crate::mime::calendar::pattern;
use crate::mime::calendar::value::{Stamp, civil};
use crate::mime::calendar::zones::nearest_date;
use crate::mime::carried::Carried;
use crate::mime::lines::{Component, Line};
use crate::mime::{residue, text};
use jiff::civil::Date;

/// STATUS of PidLidTaskStatus; waiting and deferred tasks have none of their own.
pub(in crate::mime::calendar) const TASK_STATUS: [&str; 5] =
    ["NEEDS-ACTION", "IN-PROCESS", "COMPLETED", "NEEDS-ACTION", "NEEDS-ACTION"];
const COMPLETED: i32 = 2;

impl Output<'_> {
    pub(super) fn task(&mut self, message: &Message) -> Result<Vec<String>> {
        let page = text::page(&message.props);
        let item = Carried::new(&message.props, page);
        let mut task = Component::new("VTODO");
        task.put_text("UID", Some(&fallback_uid(&item)));
        self.common(message, &item, Kind::Task, &mut task)?;
        let days = When { all_day: true, zone: None };
        let day = |lid: Lid| item.time_of(lid).and_then(nearest_date);
        let (start, due) = (day(lid::TASK_START_DATE), day(lid::TASK_DUE_DATE));
        let series = self.task_series(&item);
        // A rule needs a start.
        let start = start.or_else(|| series.as_ref().map(|p| date_of(p.start)));
        for (name, date) in [("DTSTART", start), ("DUE", due)] {
            if let Some(date) = date {
                task.lines.push(days.line(name, date.at(0, 0, 0, 0), self));
            }
        }
        if let Some(pattern) = &series {
            let rule = pattern::rule_of(pattern, |date: Date| Some(Stamp::Day(date)));
            task.lines.extend(rule.map(|r| Line::new("RRULE", r.to_string())));
            if pattern.sliding != 0 {
                task.put("X-PST-REGENERATE", "TRUE");
            }
        }
        progress(&item, &mut task);
        if people::has_attendees(message, page) {
            task.lines.extend(self.organizer(message, page));
            task.lines.extend(self.attendees(message, page, false));
        }
        alarm::at_moment(&item, &mut task);
        self.finish(task, &item, &days, series.map(Series::of_days).as_ref());
        Ok(item.left())
    }

    /// The pattern of a recurring task.
    fn task_series(&mut self, item: &Carried<'_>) -> Option<RecurrencePattern> {
        item.lid(lid::TASK_RECURRING);
        let bytes = item.bytes_of(lid::TASK_RECURRENCE)?;
        let pattern = RecurrencePattern::decode(bytes).filter(RecurrencePattern::is_gregorian);
        if pattern.is_none() {
            self.warn("the pattern of a recurring task cannot be written: only the task itself is");
        }
        pattern
    }

    pub(super) fn journal(&mut self, message: &Message) -> Result<Vec<String>> {
        let item = Carried::new(&message.props, text::page(&message.props));
        let mut entry = Component::new("VJOURNAL");
        entry.put_text("UID", Some(&fallback_uid(&item)));
        self.common(message, &item, Kind::Journal, &mut entry)?;
        for (name, lid) in [("DTSTART", lid::LOG_START), ("X-PST-LOG-END", lid::LOG_END)] {
            if let Some(at) = item.time_of(lid).and_then(civil) {
                entry.put(name, Stamp::Utc(at).to_string());
            }
        }
        if let Some(minutes) = item.i32_of(lid::LOG_DURATION).filter(|n| *n > 0) {
            entry.put("X-PST-LOG-DURATION", minutes.to_string());
        }
        self.finish(entry, &item, &When::default(), None);
        Ok(item.left())
    }

    pub(super) fn note(&mut self, message: &Message) -> Result<Vec<String>> {
        let item = Carried::new(&message.props, text::page(&message.props));
        let mut note = Component::new("VJOURNAL");
        note.put_text("UID", Some(&fallback_uid(&item)));
        self.common(message, &item, Kind::Note, &mut note)?;
        self.finish(note, &item, &When::default(), None);
        Ok(item.left())
    }

    fn finish(&mut self, component: Component, item: &Carried<'_>, when: &When, series: Option<&Series>) {
        let kept = if self.keep { residue::load(item, residue::CALENDAR) } else { Component::default() };
        self.take_back(component, kept, when, series);
    }
}

/// STATUS, PERCENT-COMPLETE and COMPLETED.
fn progress(item: &Carried<'_>, task: &mut Component) {
    let complete = item.is(lid::TASK_COMPLETE);
    let status = item.i32_of(lid::TASK_STATUS).unwrap_or(0);
    let status = if complete { COMPLETED } else { status };
    let name = usize::try_from(status).ok().and_then(|n| TASK_STATUS.get(n)).unwrap_or(&"NEEDS-ACTION");
    task.put("STATUS", *name);
    if status > COMPLETED {
        task.put("X-PST-TASK-STATUS", status.to_string());
    }
    if let Some(Value::F64(part)) = item.lid(lid::PERCENT_COMPLETE) {
        let percent = (part * 100.0).round().clamp(0.0, 100.0);
        if percent > 0.0 {
            task.put("PERCENT-COMPLETE", format!("{percent:.0}"));
        }
    }
    if let Some(at) = item.time_of(lid::TASK_DATE_COMPLETED).and_then(civil) {
        task.put("COMPLETED", Stamp::Utc(at).to_string());
    }
}
