//! Dismissing reminders of the past ([MS-OXORMDR] 2.2.1 and 3.1.4).

use super::recurrence::{AppointmentRecurrence, minutes_of};
use super::timezone::{ZoneDefinition, ZoneStruct};
use super::{PropBag, Value, lid, time};
use jiff::civil::date;
use std::collections::HashSet;

/// Seconds of a day and a minute.
const DAY: i64 = 86_400;
const MINUTE: i64 = 60;
/// PidLidReminderDelta: the default of the reader, and what Outlook takes it for, minutes.
const DEFAULT_DELTA: i32 = 0x5AE9_80E1;
const DEFAULT_MINUTES: i32 = 15;
/// PidLidTaskStatus: the task is done.
const COMPLETE: i32 = 2;

/// What became of a reminder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dismissed {
    /// It is off; when it should have gone off, seconds since 1970 UTC.
    Off(i64),
    /// It is that of a later occurrence now; when it goes off.
    Next(i64),
}

/// Dismisses the reminder of an item, if its time is past: `now` is in seconds since 1970 UTC. `None` where there is none, it
/// is still to come, or nobody knows its time. That of a series goes on with the first occurrence that is still to be
/// reminded of; that of a recurring task which is not done stays, because the next one gets it.
pub fn dismiss(props: &mut PropBag, now: i64) -> Option<Dismissed> {
    let is = |lid| props.lid(lid).and_then(Value::as_bool) == Some(true);
    if !is(lid::REMINDER_SET) {
        return None;
    }
    let due = signal(props)?;
    if due > now {
        return None;
    }
    let number = |lid| props.lid(lid).and_then(Value::as_i32);
    if is(lid::TASK_RECURRING) && !is(lid::TASK_COMPLETE) && number(lid::TASK_STATUS) != Some(COMPLETE) {
        return None;
    }
    let series = props.lid(lid::APPOINTMENT_RECUR).and_then(Value::as_bytes).and_then(AppointmentRecurrence::decode);
    match series.map(|series| next(props, &series, now)) {
        Some(Next::Unknown) => None,
        Some(Next::At { start, signal }) => {
            for (lid, at) in [(lid::REMINDER_TIME, start), (lid::REMINDER_SIGNAL_TIME, signal)] {
                props.set_lid(lid, Value::Time(time::from_unix(at)?));
            }
            Some(Dismissed::Next(signal))
        }
        Some(Next::Never) | None => {
            props.set_lid(lid::REMINDER_SET, Value::Bool(false));
            Some(Dismissed::Off(due))
        }
    }
}

/// Minutes before the start.
fn delta(props: &PropBag) -> i64 {
    let minutes = props.lid(lid::REMINDER_DELTA).and_then(Value::as_i32).unwrap_or(DEFAULT_DELTA);
    i64::from(if minutes == DEFAULT_DELTA { DEFAULT_MINUTES } else { minutes })
}

/// When the reminder goes off.
fn signal(props: &PropBag) -> Option<i64> {
    let moment = |lid| props.lid(lid).and_then(Value::as_time).filter(|t| *t != 0).map(time::to_unix);
    let start = || moment(lid::START_WHOLE).map(|start| start - delta(props) * MINUTE);
    moment(lid::REMINDER_SIGNAL_TIME).or_else(start).or_else(|| moment(lid::REMINDER_TIME))
}

/// The occurrence of a series that is reminded of next.
enum Next {
    At {
        start: i64,
        signal: i64,
    },
    Never,
    /// The series cannot be followed.
    Unknown,
}

fn next(props: &PropBag, series: &AppointmentRecurrence, now: i64) -> Next {
    let zone = zone(props);
    let before = delta(props) * MINUTE;
    let at = |minutes: i64, before: i64| {
        let start = zone.as_ref().map_or(local(minutes), |z| z.to_utc(local(minutes)));
        (start, start - before)
    };
    let pending = |(_, signal): &(i64, i64)| *signal > now;
    let changed = series.exceptions.iter().filter(|e| e.reminder_set != Some(0)).map(|e| {
        let own = e.reminder_delta.map_or(before, |minutes| i64::from(minutes as i32) * MINUTE);
        at(i64::from(e.start), own)
    });
    let changed = changed.filter(pending).min_by_key(|(_, signal)| *signal);
    let Some(occurrences) = series.pattern.occurrences() else {
        // Other calendars than ours: only the end of the series is known.
        let (end, _) = at(i64::from(series.pattern.last), 0);
        let over = !series.pattern.is_endless() && end + DAY < now;
        return if over { Next::Never } else { Next::Unknown };
    };
    let deleted: HashSet<u32> = series.pattern.deleted.iter().copied().collect();
    let regular = occurrences
        .filter(|day| !deleted.contains(day))
        .map(|day| i64::from(day) + i64::from(series.start_offset))
        // No clock is two days off.
        .skip_while(|minutes| local(*minutes) - before + 2 * DAY < now)
        .map(|minutes| at(minutes, before))
        .find(pending);
    match regular.into_iter().chain(changed).min_by_key(|(_, signal)| *signal) {
        Some((start, signal)) => Next::At { start, signal },
        None => Next::Never,
    }
}

/// Local seconds since 1970 of minutes since 1601.
fn local(minutes: i64) -> i64 {
    let epoch = minutes_of(date(1970, 1, 1)).map_or(0, i64::from);
    (minutes - epoch) * MINUTE
}

/// The zone that the series is in.
fn zone(props: &PropBag) -> Option<ZoneDefinition> {
    let bytes = |lid| props.lid(lid).and_then(Value::as_bytes);
    let defined = |lid| bytes(lid).and_then(ZoneDefinition::decode).filter(|z| z.effective().is_some());
    let small = || bytes(lid::TIME_ZONE_STRUCT).and_then(ZoneStruct::decode);
    defined(lid::ZONE_RECUR)
        .or_else(|| small().map(|z| ZoneDefinition::new("", &[(1601, z.rule)])))
        .or_else(|| defined(lid::ZONE_START))
}

#[cfg(test)]
mod tests {
    use super::super::recurrence::{Exception, Frequency, Pattern, RecurrencePattern};
    use super::*;

    fn at(text: &str) -> i64 {
        text.parse::<jiff::Timestamp>().unwrap().as_second()
    }

    fn time_of(props: &PropBag, lid: super::super::Lid) -> i64 {
        time::to_unix(props.lid(lid).and_then(Value::as_time).unwrap())
    }

    fn is_set(props: &PropBag) -> bool {
        props.lid(lid::REMINDER_SET).and_then(Value::as_bool).unwrap()
    }

    fn reminded(signal: &str) -> PropBag {
        let mut props = PropBag::default();
        props.set_lid(lid::REMINDER_SET, Value::Bool(true));
        props.set_lid(lid::REMINDER_DELTA, Value::I32(15));
        props.set_lid(lid::REMINDER_SIGNAL_TIME, Value::Time(time::from_unix(at(signal)).unwrap()));
        props
    }

    /// Every day at 9:00 in Berlin from 2 March 2026.
    fn daily(days: Option<u32>) -> AppointmentRecurrence {
        let start = minutes_of(date(2026, 3, 2)).unwrap();
        let mut pattern = RecurrencePattern::new(Frequency::Daily, Pattern::Day, 1440, 0, start);
        if let Some(days) = days {
            pattern.end = super::super::recurrence::End::Count;
            pattern.count = days;
            pattern.last = start + (days - 1) * 1440;
        }
        AppointmentRecurrence::new(pattern, 540, 600)
    }

    fn berlin() -> Value {
        Value::binary(crate::mapi::timezone::rules::tests::berlin().recurring().encode())
    }

    fn series(of: &AppointmentRecurrence) -> PropBag {
        let mut props = reminded("2026-03-02T07:45:00Z");
        props.set_lid(lid::APPOINTMENT_RECUR, Value::binary(of.encode()));
        props.set_lid(lid::ZONE_RECUR, berlin());
        props
    }

    #[test]
    fn what_is_past_is_dismissed_and_nothing_else() {
        let now = at("2026-06-01T00:00:00Z");
        let mut past = reminded("2026-05-31T23:59:00Z");
        assert_eq!(dismiss(&mut past, now), Some(Dismissed::Off(at("2026-05-31T23:59:00Z"))));
        assert!(!is_set(&past));
        assert_eq!(dismiss(&mut past, now), None);
        let mut pending = reminded("2026-06-01T00:01:00Z");
        assert_eq!(dismiss(&mut pending, now), None);
        assert!(is_set(&pending));
        assert_eq!(dismiss(&mut PropBag::default(), now), None);
        // Without a signal, the start tells.
        let mut bare = PropBag::default();
        bare.set_lid(lid::REMINDER_SET, Value::Bool(true));
        assert_eq!(dismiss(&mut bare, now), None);
        bare.set_lid(lid::START_WHOLE, Value::Time(time::from_unix(now + 899).unwrap()));
        assert_eq!(dismiss(&mut bare, now), Some(Dismissed::Off(now - 1)));
    }

    #[test]
    fn a_series_goes_on_with_its_next_occurrence() {
        let now = at("2026-06-01T06:50:00Z");
        let mut props = series(&daily(None));
        // Today's has gone off five minutes ago.
        assert_eq!(dismiss(&mut props, now), Some(Dismissed::Next(at("2026-06-02T06:45:00Z"))));
        assert_eq!(time_of(&props, lid::REMINDER_TIME), at("2026-06-02T07:00:00Z"));
        assert_eq!(time_of(&props, lid::REMINDER_SIGNAL_TIME), at("2026-06-02T06:45:00Z"));
        assert!(is_set(&props));
        // In winter, clocks are otherwise.
        let mut winter = series(&daily(None));
        assert_eq!(dismiss(&mut winter, at("2026-11-01T12:00:00Z")), Some(Dismissed::Next(at("2026-11-02T07:45:00Z"))));
        let mut over = series(&daily(Some(10)));
        assert!(matches!(dismiss(&mut over, now), Some(Dismissed::Off(_))));
        let mut last = series(&daily(Some(10)));
        assert_eq!(dismiss(&mut last, at("2026-03-11T07:00:00Z")), Some(Dismissed::Next(at("2026-03-11T07:45:00Z"))));
    }

    #[test]
    fn changed_and_deleted_occurrences_count() {
        let day = minutes_of(date(2026, 3, 11)).unwrap();
        let mut of = daily(Some(10));
        of.pattern.deleted = vec![day];
        let mut deleted = series(&of);
        assert!(matches!(dismiss(&mut deleted, at("2026-03-11T07:00:00Z")), Some(Dismissed::Off(_))));
        // The last one was moved to the next week, and is reminded of an hour before.
        of.pattern.modified = vec![day + 7 * 1440];
        let moved = Exception {
            start: day + 7 * 1440 + 540,
            end: day + 7 * 1440 + 600,
            original: day + 540,
            flags: super::super::recurrence::overridden::REMINDER_DELTA,
            reminder_delta: Some(60),
            ..Exception::default()
        };
        of.exceptions = vec![moved];
        let mut props = series(&of);
        assert_eq!(dismiss(&mut props, at("2026-03-12T00:00:00Z")), Some(Dismissed::Next(at("2026-03-18T07:00:00Z"))));
    }

    #[test]
    fn recurring_tasks_keep_theirs_until_they_are_done() {
        let now = at("2026-06-01T00:00:00Z");
        let mut task = reminded("2026-05-01T00:00:00Z");
        task.set_lid(lid::TASK_RECURRING, Value::Bool(true));
        assert_eq!(dismiss(&mut task, now), None);
        task.set_lid(lid::TASK_COMPLETE, Value::Bool(true));
        assert!(matches!(dismiss(&mut task, now), Some(Dismissed::Off(_))));
    }
}
