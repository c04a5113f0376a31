//! The dates on which a series falls ([MS-OXOCAL] 2.2.1.44.1.1 and 2.2.1.44.1.2).

use super::{End, LAST, NO_END, Pattern, RecurrencePattern};
use jiff::civil::{Date, date};

const DAY: u32 = 1440;
const WEEK_DAYS: i64 = 7;
/// Steps without a date after which a series is given up: one that has no day in any of its months.
const IDLE: u32 = 10_000;

/// The first day that is counted.
const fn epoch() -> Date {
    date(1601, 1, 1)
}

/// The date of minutes since 1601.
pub fn date_of(minutes: u32) -> Date {
    epoch().saturating_add(jiff::SignedDuration::from_hours(i64::from(minutes / DAY) * 24))
}

/// Minutes since 1601 of the midnight of a date; `None` outside the years 1601 to 4500.
pub fn minutes_of(date: Date) -> Option<u32> {
    let minutes = u32::try_from(days_of(date)).ok()?.checked_mul(DAY)?;
    (minutes <= NO_END).then_some(minutes)
}

fn days_of(date: Date) -> i64 {
    date.duration_since(epoch()).as_hours() / 24
}

/// The dates of a series, ascending, as minutes since 1601; deleted and modified ones included.
pub struct Occurrences<'a> {
    series: &'a RecurrencePattern,
    left: Option<u32>,
    /// The day, week or month that is looked at, counted from 1601.
    unit: i64,
    step: i64,
    /// Days of the week or month that still come, descending.
    ready: Vec<u32>,
    idle: u32,
}

impl RecurrencePattern {
    /// The dates of the series; `None` where its months are not those of the Gregorian calendar.
    pub fn occurrences(&self) -> Option<Occurrences<'_>> {
        if !self.is_gregorian() {
            return None;
        }
        let start = date_of(self.start);
        let (unit, step) = match self.pattern {
            Pattern::Day => (i64::from(self.start / DAY), i64::from(self.period / DAY)),
            Pattern::Week(_) => (self.week_start(), i64::from(self.period.max(1)) * WEEK_DAYS),
            Pattern::Month { .. } | Pattern::MonthNth { .. } => (month_number(start), i64::from(self.period)),
        };
        let left = (self.end == End::Count).then_some(self.count);
        Some(Occurrences { series: self, left, unit, step: step.max(1), ready: Vec::new(), idle: 0 })
    }

    /// The day, counted from 1601, on which the week of the start begins.
    fn week_start(&self) -> i64 {
        let day = i64::from(self.start / DAY);
        // 1601-01-01 was a Monday.
        let weekday = (day + 1) % WEEK_DAYS;
        day - (weekday - i64::from(self.first_day % 7)).rem_euclid(WEEK_DAYS)
    }

    /// What FirstDateTime is to be.
    pub fn first_date_time(&self) -> u32 {
        match self.pattern {
            Pattern::Day => self.start % self.period.max(1),
            Pattern::Week(_) => {
                let minutes = self.week_start() * i64::from(DAY);
                let span = i64::from(self.period.max(1)) * WEEK_DAYS * i64::from(DAY);
                minutes.rem_euclid(span) as u32
            }
            Pattern::Month { .. } | Pattern::MonthNth { .. } => {
                let month = month_number(date_of(self.start)).rem_euclid(i64::from(self.period.max(1)));
                month_start(month).and_then(minutes_of).unwrap_or_default()
            }
        }
    }
}

fn month_number(date: Date) -> i64 {
    (i64::from(date.year()) - 1601) * 12 + i64::from(date.month()) - 1
}

fn month_start(number: i64) -> Option<Date> {
    let year = i16::try_from(number.div_euclid(12) + 1601).ok()?;
    Date::new(year, i8::try_from(number.rem_euclid(12) + 1).ok()?, 1).ok()
}

impl Occurrences<'_> {
    /// Puts the days of the next day, week or month in `ready`; `None` past the end of time.
    fn fill(&mut self) -> Option<()> {
        let unit = self.unit;
        self.unit = self.unit.checked_add(self.step)?;
        let minutes = |day: i64| u32::try_from(day).ok().and_then(|d| d.checked_mul(DAY)).filter(|m| *m <= NO_END);
        match self.series.pattern {
            Pattern::Day => self.ready.push(minutes(unit)?),
            Pattern::Week(mask) => {
                // The first week may begin before time does.
                minutes(unit.max(0))?;
                for day in (unit..unit + WEEK_DAYS).rev() {
                    if mask >> ((day + 1) % WEEK_DAYS) & 1 == 1 {
                        self.ready.extend(minutes(day));
                    }
                }
            }
            Pattern::Month { day, .. } => {
                let first = month_start(unit)?;
                let day = i64::from(day.max(1)).min(i64::from(first.days_in_month()));
                self.ready.push(minutes(days_of(first) + day - 1)?);
            }
            Pattern::MonthNth { days, n, .. } => {
                let first = month_start(unit)?;
                let base = days_of(first);
                minutes(base)?;
                let fits = |day: &i64| days >> ((base + day + 1) % WEEK_DAYS) & 1 == 1;
                let mut all = (0..i64::from(first.days_in_month())).filter(fits);
                let chosen = if n >= LAST { all.next_back() } else { all.nth((n.max(1) - 1) as usize) };
                self.ready.extend(chosen.and_then(|day| minutes(base + day)));
            }
        }
        Some(())
    }
}

impl Iterator for Occurrences<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        if self.left == Some(0) {
            return None;
        }
        loop {
            let Some(at) = self.ready.pop() else {
                self.idle += 1;
                if self.idle > IDLE {
                    return None;
                }
                self.fill()?;
                continue;
            };
            // The first week or month may begin before the series does.
            if at < self.series.start - self.series.start % DAY {
                continue;
            }
            if self.series.end == End::Date && at > self.series.last {
                return None;
            }
            self.idle = 0;
            self.left = self.left.map(|n| n - 1);
            return Some(at);
        }
    }
}
