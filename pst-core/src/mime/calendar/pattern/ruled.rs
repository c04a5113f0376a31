//! The pattern of a series to RRULE ([MS-OXCICAL] 2.1.3.2.2).

use super::{COMMON_DAY, DAY, shortest};
use crate::mapi::recurrence::{End, Frequency, LAST, LAST_DAY, NO_END, Pattern, RecurrencePattern, date_of};
use crate::mime::calendar::rule::Rule;
use crate::mime::calendar::value::Stamp;
use jiff::civil::Date;

/// The rule of a pattern; `None` where months are not those of the Gregorian calendar. `until` makes UNTIL of the last
/// date.
pub(in crate::mime::calendar) fn rule_of(
    pattern: &RecurrencePattern,
    until: impl Fn(Date) -> Option<Stamp>,
) -> Option<Rule> {
    if !pattern.is_gregorian() {
        return None;
    }
    let first = pattern.occurrences()?.next().map_or_else(|| date_of(pattern.start), date_of);
    let mut rule = match pattern.pattern {
        Pattern::Day => Rule::new(Frequency::Daily, (pattern.period / DAY).max(1)),
        Pattern::Week(mask) => {
            let mut rule = Rule::new(Frequency::Weekly, pattern.period.max(1));
            rule.days = days_in(mask);
            rule.week_start = (pattern.first_day != 1).then_some(pattern.first_day % 7);
            rule
        }
        Pattern::Month { day, .. } => {
            let mut rule = by_months(pattern, first);
            let month = rule.months.first().copied();
            let (short, long) = month.map_or((COMMON_DAY, LAST_DAY), |m| (shortest(m), longest(m)));
            if day >= long && day > short {
                rule.month_days = vec![-1];
            } else if day > short {
                rule.month_days = (short as i32..=day as i32).collect();
                rule.positions = vec![-1];
            } else {
                rule.month_days = vec![day.max(1) as i32];
            }
            rule
        }
        Pattern::MonthNth { days, n, .. } => {
            let mut rule = by_months(pattern, first);
            let n = if n >= LAST { -1 } else { n.max(1) as i32 };
            rule.days = days_in(days);
            match rule.days.as_mut_slice() {
                [(nth, _)] => *nth = n,
                _ => rule.positions = vec![n],
            }
            rule
        }
    };
    match pattern.end {
        End::Count => rule.count = Some(pattern.count.max(1)),
        End::Date if pattern.last < NO_END => rule.until = until(date_of(pattern.last)),
        _ => {}
    }
    Some(rule)
}

fn by_months(pattern: &RecurrencePattern, first: Date) -> Rule {
    let period = pattern.period.max(1);
    if pattern.frequency == Frequency::Yearly && period.is_multiple_of(12) {
        let mut rule = Rule::new(Frequency::Yearly, period / 12);
        rule.months = vec![u32::from(first.month().unsigned_abs())];
        return rule;
    }
    Rule::new(Frequency::Monthly, period)
}

fn days_in(mask: u32) -> Vec<(i32, u32)> {
    (0..7).filter(|day| mask >> day & 1 == 1).map(|day| (0, day)).collect()
}

/// Days that a month has in some year.
const fn longest(month: u32) -> u32 {
    if month == 2 { 29 } else { shortest(month) }
}
