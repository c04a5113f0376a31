//! The pattern of a series in words, as PidLidRecurrencePattern has it ([MS-OXOCAL] 2.2.1.46).

use crate::mapi::recurrence::{DAYS, Frequency, LAST, LAST_DAY, MONTHS, Pattern, RecurrencePattern, WEEKDAYS, date_of};

const ORDINALS: [&str; 5] = ["first", "second", "third", "fourth", "last"];

/// The pattern in words.
pub(super) fn of(pattern: &RecurrencePattern) -> String {
    let month = date_of(pattern.start).month().unsigned_abs();
    let month = MONTHS.get(usize::from(month - 1)).copied().unwrap_or_default();
    let yearly = pattern.frequency == Frequency::Yearly && pattern.period.is_multiple_of(12);
    let span = match pattern.pattern {
        Pattern::Day => every(pattern.period / 1440, "day"),
        Pattern::Week(WEEKDAYS) if pattern.period == 1 => return "every weekday".to_owned(),
        Pattern::Week(_) => every(pattern.period, "week"),
        _ if yearly => every(pattern.period / 12, "year"),
        _ => every(pattern.period, "month"),
    };
    let of = if yearly { format!(" of {month}") } else { String::new() };
    match pattern.pattern {
        Pattern::Day => span,
        Pattern::Week(mask) => format!("{span} on {}", days(mask)),
        Pattern::Month { day, .. } if day >= LAST_DAY => format!("the last day{of} {span}"),
        Pattern::Month { day, .. } => format!("day {day}{of} {span}"),
        Pattern::MonthNth { days: mask, n, .. } => {
            let nth = ORDINALS.get((n.clamp(1, LAST) - 1) as usize).copied().unwrap_or("last");
            format!("the {nth} {}{of} {span}", days(mask))
        }
    }
}

fn every(n: u32, unit: &str) -> String {
    if n <= 1 { format!("every {unit}") } else { format!("every {n} {unit}s") }
}

fn days(mask: u32) -> String {
    match mask & 0x7F {
        0x7F => return "day".to_owned(),
        WEEKDAYS => return "weekday".to_owned(),
        0x41 => return "weekend day".to_owned(),
        _ => {}
    }
    let named = DAYS.iter().enumerate().filter(|(i, _)| mask >> i & 1 == 1).map(|(_, d)| *d);
    named.collect::<Vec<_>>().join(", ")
}
