//! VTODO to tasks, VJOURNAL to journal entries and sticky notes.

use super::Input;
use super::event::filetime;
use crate::mapi::{Lid, Message, Value, lid, tag, time};
use crate::mime::calendar::effect;
use crate::mime::calendar::export::{Kind, TASK_STATUS};
use crate::mime::calendar::pattern;
use crate::mime::calendar::rule::Rule;
use crate::mime::calendar::value::{Stamp, civil, duration, seconds};
use crate::mime::lines::{Component, Line};
use jiff::civil::Date;

const COMPLETED: i32 = 2;
/// Icons and colours of sticky notes begin here; yellow is the colour of one that names none.
const NOTE_ICON: i32 = 0x300;
const YELLOW: i32 = 3;
/// PidLidTaskOrdinal of a task without a place.
const NO_ORDINAL: i32 = i32::MAX;

/// A date as tasks keep it: its midnight, as if it were UTC.
fn midnight(date: Date) -> Option<Value> {
    time::from_unix(seconds(date.at(0, 0, 0, 0))).map(Value::Time)
}

impl Input<'_> {
    /// Sets the properties of a task; nothing of it is left over.
    pub(super) fn task<'c>(&mut self, source: &Component, message: &mut Message) -> Vec<&'c Component> {
        let date = |name: &str| source.line(name).and_then(Stamp::of).map(|s| s.civil().date());
        let start = date("DTSTART");
        let length = source.line("DURATION").and_then(|l| duration(&l.value));
        let begin = source.line("DTSTART").and_then(Stamp::of);
        let ends = begin
            .zip(length)
            .and_then(|(s, n)| civil(seconds(s.civil()).checked_add(n)?))
            .map(jiff::civil::DateTime::date);
        let due = date("DUE").or(ends);
        for (lids, date) in [
            ([lid::TASK_START_DATE, lid::COMMON_START], start),
            ([lid::TASK_DUE_DATE, lid::COMMON_END], due),
            ([lid::TASK_DATE_COMPLETED; 2], date("COMPLETED")),
        ] {
            for lid in lids {
                if let Some(value) = date.and_then(midnight) {
                    message.props.set_lid(lid, value);
                }
            }
        }
        progress(source, message);
        self.task_series(source, start.or(due), message);
        self.task_reminder(source, message);
        super::people::set(source, message);
        for (lid, value) in [
            (lid::TASK_STATE, 1),
            (lid::TASK_VERSION, 1),
            (lid::TASK_OWNERSHIP, 0),
            (lid::TASK_ACCEPTANCE, 0),
            (lid::TASK_ORDINAL, NO_ORDINAL),
            (lid::TASK_MODE, 0),
        ] {
            message.props.set_lid(lid, Value::I32(value));
        }
        Vec::new()
    }

    fn task_series(&mut self, source: &Component, start: Option<Date>, message: &mut Message) {
        let line = source.line("RRULE");
        message.props.set_lid(lid::TASK_RECURRING, Value::Bool(false));
        let Some(line) = line else { return };
        let fitted = match (Rule::parse(&line.value), start) {
            (Some(rule), Some(start)) => {
                let until = rule.until.map(|u| u.civil().date().at(23, 59, 59, 0));
                pattern::fit(&rule, start.at(0, 0, 0, 0), until)
            }
            (None, _) => Err("cannot be understood"),
            (_, None) => Err("has no start"),
        };
        match fitted {
            Ok(mut fitted) => {
                if let Some(how) = fitted.differs {
                    self.inexact(format!("Outlook shows the task otherwise than its rule {}, which {how}", line.value));
                }
                fitted.pattern.sliding = u32::from(source.text("X-PST-REGENERATE").is_some());
                message.props.set_lid(lid::TASK_RECURRENCE, Value::binary(fitted.pattern.encode()));
                message.props.set_lid(lid::TASK_RECURRING, Value::Bool(true));
            }
            Err(why) => self.inexact(format!("the task is shown once: its rule {} {why}", line.value)),
        }
    }

    fn task_reminder(&mut self, source: &Component, message: &mut Message) {
        let mut moments = Vec::new();
        for line in source.lines.iter().filter(|l| l.is("DTSTART") || l.is("DUE")) {
            let at = self.zone_of(line).zip(Stamp::of(line)).map(|(z, s)| z.clock.to_utc(s.civil()));
            moments.push((line.name.to_ascii_uppercase(), at));
        }
        let moment = |line: &Line| match Stamp::of(line) {
            Some(Stamp::Utc(at)) => Some(seconds(at)),
            _ => moments.iter().find(|(name, _)| line.is(name)).and_then(|(_, at)| *at),
        };
        let at = source.named("VALARM").find_map(|a| effect::goes_off(a, source, &moment)).and_then(filetime);
        message.props.set_lid(lid::REMINDER_SET, Value::Bool(at.is_some()));
        if let Some(at) = at {
            message.props.set_lid(lid::REMINDER_TIME, at.clone());
            message.props.set_lid(lid::REMINDER_SIGNAL_TIME, at);
        }
    }

    /// Sets the properties of a journal entry or of a note.
    pub(super) fn journal<'c>(&mut self, kind: Kind, source: &Component, message: &mut Message) -> Vec<&'c Component> {
        if kind == Kind::Note {
            let color = message.props.lid(lid::NOTE_COLOR).and_then(Value::as_i32);
            // Blue is the colour 0, and our own names leave out zeros.
            let own = source.lines.iter().any(|l| l.name.starts_with("X-PST-"));
            let color = color.filter(|c| (0..5).contains(c)).unwrap_or(if own { 0 } else { YELLOW });
            message.props.set_lid(lid::NOTE_COLOR, Value::I32(color));
            message.props.set(tag::ICON_INDEX, Value::I32(NOTE_ICON + color));
            return Vec::new();
        }
        let mut moment = |name: &str| {
            let line = source.line(name)?;
            let (stamp, zone) = (Stamp::of(line)?, self.zone_of(line)?);
            Some(zone.clock.to_utc(stamp.civil()))
        };
        let start = moment("DTSTART");
        let minutes = source.line("X-PST-LOG-DURATION").and_then(|l| l.value.trim().parse::<i32>().ok());
        let end = moment("X-PST-LOG-END").or_else(|| Some(start? + i64::from(minutes.unwrap_or(0)) * 60));
        let set = |message: &mut Message, lids: [Lid; 2], at: Option<i64>| {
            for lid in lids {
                if let Some(value) = at.and_then(filetime) {
                    message.props.set_lid(lid, value);
                }
            }
        };
        set(message, [lid::LOG_START, lid::COMMON_START], start);
        set(message, [lid::LOG_END, lid::COMMON_END], end);
        message.props.set_lid(lid::LOG_DURATION, Value::I32(minutes.unwrap_or(0).max(0)));
        if message.props.lid(lid::LOG_TYPE).is_none() {
            message.props.set_lid(lid::LOG_TYPE, Value::text("Note"));
        }
        Vec::new()
    }
}

fn progress(source: &Component, message: &mut Message) {
    let upper = source.line("STATUS").map(|l| l.value.trim().to_ascii_uppercase()).unwrap_or_default();
    let number = |name: &str| source.line(name).and_then(|l| l.value.trim().parse::<i32>().ok());
    let named = TASK_STATUS.iter().position(|s| *s == upper).and_then(|n| i32::try_from(n).ok());
    let percent = number("PERCENT-COMPLETE").unwrap_or(0).clamp(0, 100);
    let done = named == Some(COMPLETED) || (source.line("COMPLETED").is_some() && named.is_none());
    let status = number("X-PST-TASK-STATUS").filter(|n| (3..=4).contains(n)).or(named).unwrap_or(0);
    let status = if done { COMPLETED } else { status };
    let part = if done { 1.0 } else { f64::from(percent) / 100.0 };
    message.props.set_lid(lid::TASK_STATUS, Value::I32(status));
    message.props.set_lid(lid::PERCENT_COMPLETE, Value::F64(part));
    message.props.set_lid(lid::TASK_COMPLETE, Value::Bool(done));
}
