//! RRULE, EXDATE and changed occurrences to the blob of a series ([MS-OXCICAL] 2.1.3.2.2).

use super::Input;
use super::event::{Times, filetime};
use super::words;
use crate::mapi::recurrence::{AppointmentRecurrence, Frequency, date_of, minutes_of};
use crate::mapi::{Message, Value, lid};
use crate::mime::calendar::pattern;
use crate::mime::calendar::rule::Rule;
use crate::mime::calendar::value::{Stamp, seconds};
use crate::mime::lines::{Component, Line};
use jiff::civil::DateTime;
use std::collections::{BTreeMap, BTreeSet};

/// PidLidClipEnd of a series without end: 4500-08-31 23:59 UTC.
const NO_CLIP_END: u64 = 0x0CB3_4557_A3DD_4000;
/// Years of zone rules that a series without end brings along.
const YEARS_AHEAD: i16 = 10;
/// Dates that are sought in a series.
const MOST_DATES: usize = 20_000;

impl Input<'_> {
    /// Makes a series of an event that recurs. True if it did; and the changes that are not part of it.
    pub(super) fn series<'c>(
        &mut self,
        source: &Component,
        changes: &[&'c Component],
        times: &Times,
        message: &mut Message,
    ) -> (bool, Vec<&'c Component>) {
        message.props.set_lid(lid::RECURRENCE_TYPE, Value::I32(0));
        let rules: Vec<&Line> = source.all("RRULE").collect();
        for name in ["RDATE", "EXRULE"] {
            if source.line(name).is_some() {
                self.inexact(format!("{name} is not shown: Outlook has nothing like it"));
            }
        }
        let rule = match rules.as_slice() {
            [] => {
                if !changes.is_empty() {
                    self.inexact(format!(
                        "{} changed occurrences of an event without a rule are not shown",
                        changes.len()
                    ));
                }
                return (false, changes.to_vec());
            }
            [rule] => *rule,
            [rule, ..] => {
                self.inexact("only the first of several rules is shown: Outlook has one for each series");
                rule
            }
        };
        let fitted = match Rule::parse(&rule.value) {
            Some(parsed) => {
                let until = until(&parsed, times);
                pattern::fit(&parsed, times.start, until)
            }
            None => Err("cannot be understood"),
        };
        let fitted = match fitted {
            Ok(fitted) => fitted,
            Err(why) => {
                self.inexact(format!("only the first occurrence is shown: the rule {} {why}", rule.value));
                return (false, changes.to_vec());
            }
        };
        if let Some(how) = fitted.differs {
            self.inexact(format!("Outlook shows the series otherwise than its rule {}, which {how}", rule.value));
        }
        let offset = seconds(times.start).rem_euclid(86_400) / 60;
        let length = (seconds(times.end) - seconds(times.start)).max(0) / 60;
        let start_offset = u32::try_from(offset).unwrap_or_default();
        let end_offset = u32::try_from(offset + length).unwrap_or(start_offset);
        let mut series = AppointmentRecurrence::new(fitted.pattern, start_offset, end_offset);
        let excluded = self.excluded(source, times, &series);
        series.pattern.deleted.extend(excluded);
        let left = self.exceptions(source, changes, times, &mut series, message);
        series.pattern.deleted.sort_unstable();
        series.pattern.deleted.dedup();
        set_series(times, &series, message);
        (true, left)
    }

    /// The dates of EXDATE that are dates of the series.
    fn excluded(&mut self, source: &Component, times: &Times, series: &AppointmentRecurrence) -> Vec<u32> {
        let mut wanted: BTreeSet<DateTime> = BTreeSet::new();
        for line in source.all("EXDATE") {
            let Some(zone) = self.zone_of(line) else { continue };
            for stamp in line.value.split(',').filter_map(Stamp::parse).take(MOST_DATES) {
                let local = match stamp {
                    Stamp::Day(date) => Some(date.to_datetime(times.start.time())),
                    _ => times.zone.clock.to_local(zone.clock.to_utc(stamp.civil())),
                };
                wanted.extend(local);
            }
        }
        let dates: BTreeSet<u32> = wanted
            .into_iter()
            .filter(|at| at.time() == times.start.time())
            .filter_map(|at| minutes_of(at.date()))
            .collect();
        dates_of(series, &dates)
    }
}

/// Which of some dates a series falls on.
pub(super) fn dates_of(series: &AppointmentRecurrence, wanted: &BTreeSet<u32>) -> Vec<u32> {
    let Some(latest) = wanted.last().copied() else { return Vec::new() };
    let all = series.pattern.occurrences().into_iter().flatten().take_while(|at| *at <= latest);
    all.filter(|at| wanted.contains(at)).collect()
}

/// Changes by the date that they replace.
pub(super) type ByDate<'c> = BTreeMap<u32, &'c Component>;

/// UNTIL in the zone of the series.
fn until(rule: &Rule, times: &Times) -> Option<DateTime> {
    match rule.until? {
        Stamp::Utc(at) => times.zone.clock.to_local(seconds(at)),
        Stamp::Local(at) => Some(at),
        // A date means its whole day.
        Stamp::Day(date) => Some(date.at(23, 59, 59, 0)),
    }
}

fn set_series(times: &Times, series: &AppointmentRecurrence, message: &mut Message) {
    let pattern = &series.pattern;
    let props = &mut message.props;
    props.set_lid(lid::APPOINTMENT_RECUR, Value::binary(series.encode()));
    let kind = match pattern.frequency {
        Frequency::Daily => 1,
        Frequency::Weekly => 2,
        Frequency::Monthly => 3,
        Frequency::Yearly => 4,
    };
    props.set_lid(lid::RECURRENCE_TYPE, Value::I32(kind));
    props.set_lid(lid::RECURRENCE_PATTERN, Value::text(&words::of(pattern)));
    let first = date_of(pattern.start);
    let midnight = times.zone.clock.to_utc(first.at(0, 0, 0, 0));
    if let Some(value) = filetime(midnight) {
        props.set_lid(lid::CLIP_START, value);
    }
    let last = date_of(pattern.last);
    let end = times.zone.clock.to_utc(last.at(0, 0, 0, 0));
    let end = filetime(end).filter(|_| !pattern.is_endless()).unwrap_or(Value::Time(NO_CLIP_END));
    props.set_lid(lid::CLIP_END, end);
    let last_year = if pattern.is_endless() { times.start.year() + YEARS_AHEAD } else { last.year() };
    super::event::set_series_zone(times, last_year, props);
}
