//! RRULE to the pattern of a series and back ([MS-OXCICAL] 2.1.3.2.2, [MS-OXOCAL] 2.2.1.44.1).

mod ruled;

pub(super) use ruled::rule_of;

use super::rule::{Freq, Rule};
use crate::mapi::recurrence::{
    End, Frequency, LAST, LAST_DAY, Pattern, RecurrencePattern, WEEKDAYS, date_of, minutes_of,
};
use jiff::civil::{Date, DateTime};

const DAY: u32 = 1440;
/// Occurrences that are taken out of a series so that it falls where a rule does; more would be a burden to Outlook.
const MOST_DELETED: usize = 500;
/// The last day that every month has.
const COMMON_DAY: u32 = 28;

/// A pattern made of a rule.
pub(super) struct Fitted {
    /// The pattern, with its end.
    pub pattern: RecurrencePattern,
    /// In what the series differs from the rule, as the end of a sentence.
    pub differs: Option<&'static str>,
}

/// What a rule is without its end.
struct Shape {
    frequency: Frequency,
    pattern: Pattern,
    /// Days, weeks or months.
    period: u32,
    /// The month that the first occurrence stands in, where the rule says.
    month: Option<u32>,
    /// Months without the day are left out; Outlook takes their last day.
    skips: bool,
}

/// Makes a pattern of a rule for a series that starts at a local time. `until` is UNTIL in the series' zone.
///
/// # Errors
/// Why Outlook has no such pattern, as the end of a sentence.
pub(super) fn fit(rule: &Rule, start: DateTime, until: Option<DateTime>) -> Result<Fitted, &'static str> {
    let shape = shape(rule, start)?;
    let first = first_month(&shape, start.date()).ok_or("begins after the last year that Outlook knows")?;
    let period = if matches!(shape.pattern, Pattern::Day) { shape.period.checked_mul(DAY) } else { Some(shape.period) };
    let period = period.ok_or("has too long an interval")?;
    let week_start = rule.week_start.unwrap_or(1);
    let mut pattern = RecurrencePattern::new(shape.frequency, shape.pattern, period, week_start, first);
    let due = |at: &u32| !shape.skips || has_day(shape.pattern, date_of(*at));
    let begin = pattern.occurrences().and_then(|mut all| all.find(due)).ok_or("never falls due")?;
    pattern.start = begin;
    pattern.first = pattern.first_date_time();
    let mut differs =
        (date_of(begin) != start.date()).then_some("does not fall on the first date of the series itself");
    match (rule.count, until) {
        (None, None) => {
            if shape.skips {
                differs = Some("leaves out months that lack the day, where Outlook takes their last day");
            }
        }
        (count, until) => {
            let time = start.time();
            let ended = |at: &u32| until.is_some_and(|until| date_of(*at).to_datetime(time) > until);
            let (mut total, mut left, mut last) = (0u32, count.unwrap_or(u32::MAX), None);
            for at in pattern.clone().occurrences().into_iter().flatten() {
                if left == 0 || ended(&at) {
                    break;
                }
                total += 1;
                if !due(&at) {
                    pattern.deleted.push(at);
                    continue;
                }
                left -= 1;
                last = Some((at, total));
            }
            let (last, total) = last.ok_or("ends before it begins")?;
            pattern.deleted.retain(|at| *at < last);
            if pattern.deleted.len() > MOST_DELETED {
                pattern.deleted.clear();
                differs = Some("leaves out months that lack the day, where Outlook takes their last day");
            }
            pattern.end = if count.is_some() { End::Count } else { End::Date };
            (pattern.count, pattern.last) = (total, last);
        }
    }
    Ok(Fitted { pattern, differs })
}

fn has_day(pattern: Pattern, date: Date) -> bool {
    !matches!(pattern, Pattern::Month { day, .. } if i64::from(date.day()) != i64::from(day))
}

/// The start of the series before its first date is known: in the right month.
fn first_month(shape: &Shape, start: Date) -> Option<u32> {
    let own = i32::from(start.month()) + i32::from(start.year()) * 12 - 1;
    let Some(month) = shape.month else { return minutes_of(start) };
    let wanted = month as i32 - 1;
    let behind = (wanted - own.rem_euclid(12)).rem_euclid(12);
    if behind == 0 {
        return minutes_of(start);
    }
    // A month that is over for the year comes again after the interval.
    let passed = wanted < own.rem_euclid(12);
    let months = if passed { behind - 12 + i32::try_from(shape.period).ok()? } else { behind };
    let number = own.checked_add(months)?;
    let year = i16::try_from(number.div_euclid(12)).ok()?;
    minutes_of(Date::new(year, i8::try_from(number.rem_euclid(12) + 1).ok()?, 1).ok()?)
}

fn shape(rule: &Rule, start: DateTime) -> Result<Shape, &'static str> {
    let Freq::Known(frequency) = rule.freq else { return Err("falls due more than once a day") };
    let mut backward = false;
    for (name, value) in &rule.others {
        let same = |part: i8| value.parse() == Ok(part);
        match name.as_str() {
            "BYHOUR" if same(start.hour()) => {}
            "BYMINUTE" if same(start.minute()) => {}
            "BYSECOND" if same(start.second()) => {}
            "BYHOUR" | "BYMINUTE" | "BYSECOND" => return Err("names other times of day than its start"),
            "RSCALE" if value == "GREGORIAN" => {}
            "RSCALE" => return Err("counts by another calendar"),
            "SKIP" if value == "OMIT" => {}
            "SKIP" if value == "BACKWARD" => backward = true,
            _ if name.starts_with("X-") => {}
            _ => return Err("has parts that Outlook knows nothing of"),
        }
    }
    let weekday = start.weekday().to_sunday_zero_offset() as u32;
    let simple = rule.month_days.is_empty() && rule.months.is_empty() && rule.positions.is_empty();
    let plain = |pattern| Shape { frequency, pattern, period: rule.interval, month: None, skips: false };
    match frequency {
        Frequency::Daily if simple && rule.days.is_empty() => Ok(plain(Pattern::Day)),
        Frequency::Daily if simple && rule.interval == 1 => match rule.mask() {
            Some(WEEKDAYS) => Ok(plain(Pattern::Week(WEEKDAYS))),
            Some(mask) => Ok(Shape { frequency: Frequency::Weekly, ..plain(Pattern::Week(mask)) }),
            None => Err("numbers the days of a day"),
        },
        Frequency::Weekly if simple => {
            let mask = rule.mask().ok_or("numbers the days of a week")?;
            Ok(plain(Pattern::Week(if mask == 0 { 1 << weekday } else { mask })))
        }
        Frequency::Daily | Frequency::Weekly => Err("picks days by month or position"),
        Frequency::Monthly | Frequency::Yearly => {
            let (pattern, skips) = of_month(rule, start.date())?;
            months(rule, frequency, start.date(), pattern, skips && !backward)
        }
    }
}

/// The day of the month that a rule means, and whether months that lack it are left out.
fn of_month(rule: &Rule, start: Date) -> Result<(Pattern, bool), &'static str> {
    let none = Err("picks days of the month in a way that Outlook cannot");
    let nth = |n: i32| match n {
        1..=4 => Some(n as u32),
        -1 => Some(LAST),
        _ => None,
    };
    match (rule.days.as_slice(), rule.month_days.as_slice(), rule.positions.as_slice()) {
        ([], [], []) => Ok(day_of_month(start.day().unsigned_abs().into())),
        ([], [-1], [] | [1 | -1]) => Ok((Pattern::month(LAST_DAY), false)),
        ([], [day @ 1..=31], [] | [1 | -1]) => Ok(day_of_month(*day as u32)),
        // Several last days and the last of them: the day itself, or the last of a month that lacks it.
        ([], days, [-1]) if is_run(days, COMMON_DAY as i32) => {
            Ok((Pattern::month(days.iter().max().map_or(LAST_DAY, |d| *d as u32).min(LAST_DAY)), false))
        }
        ([(n, day)], [], []) if *n != 0 => match nth(*n) {
            Some(n) => Ok((Pattern::nth(1 << day, n), false)),
            None => none,
        },
        (_, [], [position]) => match (rule.mask(), nth(*position)) {
            (Some(mask), Some(n)) if mask != 0 => Ok((Pattern::nth(mask, n), false)),
            _ => none,
        },
        // A weekday of seven following days is the nth of its kind.
        ([(0, day)], days, []) if days.len() == 7 => {
            let first = days.iter().min().copied().unwrap_or_default();
            match (is_run(days, first), first) {
                (true, 1 | 8 | 15 | 22) => Ok((Pattern::nth(1 << day, first as u32 / 7 + 1), false)),
                _ => none,
            }
        }
        _ => none,
    }
}

fn day_of_month(day: u32) -> (Pattern, bool) {
    (Pattern::month(day), day > COMMON_DAY)
}

/// True for the numbers from `first` on without a gap, in any order.
fn is_run(days: &[i32], first: i32) -> bool {
    let mut sorted = days.to_vec();
    sorted.sort_unstable();
    sorted.iter().zip(first..).all(|(a, b)| *a == b) && sorted.len() > 1
}

/// The months in which a monthly or yearly rule falls due.
fn months(
    rule: &Rule,
    frequency: Frequency,
    start: Date,
    pattern: Pattern,
    skips: bool,
) -> Result<Shape, &'static str> {
    let own = u32::from(start.month().unsigned_abs());
    let shape = |frequency, period, month: Option<u32>| {
        // A month that always has the day leaves nothing out.
        let lacks = |month: u32| matches!(pattern, Pattern::Month { day, .. } if day > shortest(month));
        let skips = skips && month.is_none_or(lacks);
        Ok(Shape { frequency, pattern, period, month, skips })
    };
    let years = rule.interval.checked_mul(12).ok_or("has too long an interval")?;
    let mut named = rule.months.clone();
    named.sort_unstable();
    named.dedup();
    match (frequency, named.as_slice()) {
        (Frequency::Monthly, []) => shape(Frequency::Monthly, rule.interval, None),
        (Frequency::Yearly, []) if matches!(pattern, Pattern::MonthNth { .. }) => Err("numbers the days of a year"),
        (Frequency::Yearly, []) => {
            // Without BYMONTH, a day of the month that is named means every month.
            if rule.month_days.is_empty() {
                shape(Frequency::Yearly, years, Some(own))
            } else if rule.interval == 1 {
                shape(Frequency::Monthly, 1, None)
            } else {
                Err("picks several months of some years")
            }
        }
        (Frequency::Yearly, [month]) => shape(Frequency::Yearly, years, Some(*month)),
        (Frequency::Monthly, [month]) if rule.interval == 1 => shape(Frequency::Yearly, 12, Some(*month)),
        (_, [first, second, ..]) if rule.interval == 1 => {
            let gap = second - first;
            let even = named.windows(2).all(|pair| matches!(pair, [a, b] if b - a == gap));
            if even && gap * named.len() as u32 == 12 {
                let next = named.iter().find(|m| **m >= own).or(named.first());
                let mut shape = shape(Frequency::Monthly, gap, next.copied())?;
                shape.skips =
                    skips && named.iter().any(|m| matches!(pattern, Pattern::Month { day, .. } if day > shortest(*m)));
                Ok(shape)
            } else {
                Err("picks months at uneven distances")
            }
        }
        _ => Err("picks months in a way that Outlook cannot"),
    }
}

/// Days that a month has in every year.
const fn shortest(month: u32) -> u32 {
    match month {
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mime::calendar::value::Stamp;

    fn fitted(rule: &str, start: &str) -> Result<Fitted, &'static str> {
        let rule = Rule::parse(rule).expect(rule);
        let until = rule.until.map(Stamp::civil);
        fit(&rule, start.parse().unwrap(), until)
    }

    fn again(pattern: &RecurrencePattern) -> String {
        let until = |date: Date| Some(Stamp::Local(date.at(10, 0, 0, 0)));
        rule_of(pattern, until).unwrap().to_string()
    }

    #[test]
    fn rules_round_trip() {
        for (rule, start) in [
            ("FREQ=DAILY", "2024-01-31T10:00"),
            ("FREQ=DAILY;COUNT=10;INTERVAL=3", "2024-01-31T10:00"),
            ("FREQ=WEEKLY;UNTIL=20240703T100000;INTERVAL=2;BYDAY=MO,WE,FR", "2024-01-31T10:00"),
            ("FREQ=WEEKLY;COUNT=12;INTERVAL=2;BYDAY=SU,TU;WKST=SU", "2024-01-30T10:00"),
            ("FREQ=MONTHLY;COUNT=3;BYMONTHDAY=15", "2024-01-15T10:00"),
            ("FREQ=MONTHLY;BYMONTHDAY=-1", "2024-01-31T10:00"),
            ("FREQ=MONTHLY;INTERVAL=2;BYMONTHDAY=28,29,30;BYSETPOS=-1", "2024-01-30T10:00"),
            ("FREQ=MONTHLY;BYDAY=2TU", "2024-01-09T10:00"),
            ("FREQ=MONTHLY;BYDAY=-1FR", "2024-01-26T10:00"),
            ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "2024-01-31T10:00"),
            ("FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=31", "2024-03-31T10:00"),
            ("FREQ=YEARLY;INTERVAL=2;BYMONTH=11;BYDAY=4TH", "2024-11-28T10:00"),
            ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1", "2024-02-29T10:00"),
        ] {
            let fitted = fitted(rule, start).unwrap();
            assert_eq!((again(&fitted.pattern).as_str(), fitted.differs), (rule, None));
        }
    }

    #[test]
    fn other_words_for_the_same() {
        for (rule, start, same) in [
            ("FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR", "2024-01-31T10:00", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"),
            ("FREQ=WEEKLY;BYHOUR=10;BYMINUTE=0", "2024-01-31T10:00", "FREQ=WEEKLY;BYDAY=WE"),
            ("FREQ=MONTHLY;BYDAY=TU;BYMONTHDAY=8,9,10,11,12,13,14", "2024-01-09T10:00", "FREQ=MONTHLY;BYDAY=2TU"),
            ("FREQ=YEARLY", "2024-03-31T10:00", "FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=31"),
            (
                "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=28,29;BYSETPOS=-1",
                "2024-02-29T10:00",
                "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1",
            ),
            ("FREQ=YEARLY;BYMONTH=1,4,7,10", "2024-04-05T10:00", "FREQ=MONTHLY;INTERVAL=3;BYMONTHDAY=5"),
            (
                "FREQ=MONTHLY;RSCALE=GREGORIAN;SKIP=BACKWARD;BYMONTHDAY=31",
                "2024-01-31T10:00",
                "FREQ=MONTHLY;BYMONTHDAY=-1",
            ),
        ] {
            let fitted = fitted(rule, start).unwrap();
            assert_eq!((again(&fitted.pattern).as_str(), fitted.differs), (same, None), "{rule}");
        }
    }

    #[test]
    fn months_without_the_day_are_taken_out_of_a_series_that_ends() {
        let series = fitted("FREQ=MONTHLY;BYMONTHDAY=31;COUNT=4", "2024-01-31T10:00").unwrap();
        let deleted: Vec<String> = series.pattern.deleted.iter().map(|m| date_of(*m).to_string()).collect();
        assert_eq!(deleted, ["2024-02-29", "2024-04-30", "2024-06-30"]);
        assert_eq!((series.pattern.count, date_of(series.pattern.last).to_string().as_str()), (7, "2024-07-31"));
        assert_eq!(series.differs, None);
        assert!(fitted("FREQ=MONTHLY;BYMONTHDAY=31", "2024-01-31T10:00").unwrap().differs.is_some());
        assert!(fitted("FREQ=YEARLY", "2024-02-29T10:00").unwrap().differs.is_some());
        assert!(fitted("FREQ=YEARLY;BYMONTH=3", "2024-03-31T10:00").unwrap().differs.is_none());
    }

    #[test]
    fn what_outlook_has_no_pattern_for() {
        for rule in [
            "FREQ=SECONDLY",
            "FREQ=HOURLY;INTERVAL=3",
            "FREQ=MONTHLY;BYDAY=1MO,3MO",
            "FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=2,-1",
            "FREQ=MONTHLY;BYDAY=5MO",
            "FREQ=MONTHLY;BYMONTHDAY=1,15",
            "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13",
            "FREQ=YEARLY;BYWEEKNO=20",
            "FREQ=YEARLY;BYYEARDAY=100",
            "FREQ=YEARLY;BYDAY=20MO",
            "FREQ=YEARLY;BYMONTH=1,2",
            "FREQ=WEEKLY;BYMONTH=1",
            "FREQ=DAILY;BYHOUR=9,10",
            "FREQ=MONTHLY;RSCALE=HEBREW;BYMONTHDAY=1",
            "FREQ=WEEKLY;UNTIL=20200101T000000",
            "FREQ=DAILY;INTERVAL=4294967295",
        ] {
            assert!(fitted(rule, "2024-01-31T10:00").is_err(), "{rule}");
        }
        for rule in
            ["", "COUNT=3", "FREQ=DAILY;INTERVAL=0", "FREQ=DAILY;COUNT=0", "FREQ=X", "FREQ=WEEKLY;BYDAY=XX", "FREQ"]
        {
            assert_eq!(Rule::parse(rule), None, "{rule}");
        }
    }

    #[test]
    fn a_rule_that_starts_before_its_first_date() {
        let series = fitted("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO;COUNT=2", "2024-01-31T10:00").unwrap();
        assert_eq!(
            (date_of(series.pattern.start).to_string().as_str(), series.differs.is_some()),
            ("2024-02-12", true)
        );
        let yearly = fitted("FREQ=YEARLY;INTERVAL=2;BYMONTH=1;BYMONTHDAY=5", "2024-03-01T10:00").unwrap();
        assert_eq!(date_of(yearly.pattern.start).to_string(), "2026-01-05");
    }
}
