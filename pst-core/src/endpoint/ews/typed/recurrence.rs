//! Series as EWS has them (RecurrenceType and TaskRecurrenceType in Types.xsd).

use super::node::Node;
use crate::mapi::recurrence::{DAYS, End, Frequency, LAST, LAST_DAY, MONTHS, Pattern, RecurrencePattern, date_of};

const NTH: [&str; 5] = ["First", "Second", "Third", "Fourth", "Last"];
const DAY: u32 = 1440;
const YEAR: u32 = 12;
/// The masks of days that have a name of their own.
const GROUPS: [(u32, &str); 3] = [(0x7F, "Day"), (0x3E, "Weekday"), (0x41, "WeekendDay")];

/// The Recurrence element of a series; `None` for one that EWS has no words for.
pub(super) fn recurrence(of: &RecurrencePattern) -> Option<Node> {
    if !of.is_gregorian() {
        return None;
    }
    let pattern = if of.sliding == 1 { regeneration(of) } else { pattern(of)? };
    Some(Node::of("t:Recurrence", vec![pattern, range(of)]))
}

fn interval(of: u32) -> Node {
    Node::text("t:Interval", of.max(1).to_string())
}

/// A task that starts anew so long after it was done.
fn regeneration(of: &RecurrencePattern) -> Node {
    let (name, every) = match of.frequency {
        Frequency::Daily => ("t:DailyRegeneration", of.period / DAY),
        Frequency::Weekly => {
            let period = if matches!(of.pattern, Pattern::Day) { of.period / (7 * DAY) } else { of.period };
            ("t:WeeklyRegeneration", period)
        }
        Frequency::Monthly => ("t:MonthlyRegeneration", of.period),
        Frequency::Yearly => ("t:YearlyRegeneration", of.period / YEAR),
    };
    Node::of(name, vec![interval(every)])
}

fn pattern(of: &RecurrencePattern) -> Option<Node> {
    let yearly = of.frequency == Frequency::Yearly && of.period == YEAR;
    let month = || {
        let month = usize::try_from(date_of(of.start).month()).ok()?.checked_sub(1)?;
        Some(Node::text("t:Month", *MONTHS.get(month)?))
    };
    Some(match of.pattern {
        Pattern::Day if of.period.is_multiple_of(DAY) => Node::of("t:DailyRecurrence", vec![interval(of.period / DAY)]),
        Pattern::Day => return None,
        Pattern::Week(mask) => {
            let days: Vec<&str> =
                DAYS.iter().enumerate().filter(|(i, _)| mask >> i & 1 == 1).map(|(_, d)| *d).collect();
            let first = DAYS.get(of.first_day as usize % 7).copied().unwrap_or("Sunday");
            if days.is_empty() {
                return None;
            }
            let parts = [
                interval(of.period),
                Node::text("t:DaysOfWeek", days.join(" ")),
                Node::text("t:FirstDayOfWeek", first),
            ];
            Node::of("t:WeeklyRecurrence", parts.into())
        }
        Pattern::Month { day, .. } => {
            let day = Node::text("t:DayOfMonth", day.clamp(1, LAST_DAY).to_string());
            if yearly {
                Node::of("t:AbsoluteYearlyRecurrence", vec![day, month()?])
            } else {
                Node::of("t:AbsoluteMonthlyRecurrence", vec![interval(of.period), day])
            }
        }
        Pattern::MonthNth { days, n, .. } => {
            let one = |mask: u32| DAYS.iter().enumerate().find(|(i, _)| mask == 1 << i).map(|(_, day)| *day);
            let named = GROUPS.iter().find(|(mask, _)| *mask == days).map(|(_, name)| *name).or_else(|| one(days))?;
            let nth = NTH.get((n.clamp(1, LAST) - 1) as usize)?;
            let (days, nth) = (Node::text("t:DaysOfWeek", named), Node::text("t:DayOfWeekIndex", *nth));
            if yearly {
                Node::of("t:RelativeYearlyRecurrence", vec![days, nth, month()?])
            } else {
                Node::of("t:RelativeMonthlyRecurrence", vec![interval(of.period), days, nth])
            }
        }
    })
}

fn range(of: &RecurrencePattern) -> Node {
    let start = Node::text("t:StartDate", date_of(of.start).to_string());
    match of.end {
        End::Never | End::NeverToo => Node::of("t:NoEndRecurrence", vec![start]),
        End::Date => {
            Node::of("t:EndDateRecurrence", vec![start, Node::text("t:EndDate", date_of(of.last).to_string())])
        }
        End::Count => {
            let count = Node::text("t:NumberOfOccurrences", of.count.max(1).to_string());
            Node::of("t:NumberedRecurrence", vec![start, count])
        }
    }
}
