//! When the clocks of a zone change, whatever tells it: the tz database, or a VTIMEZONE (RFC 5545 3.6.5).

use super::rule::{Freq, Rule};
use super::value::{self, Stamp, civil, seconds};
use crate::mapi::recurrence::Frequency;
use crate::mapi::timezone::{SystemTime, ZoneDefinition, ZoneRule};
use crate::mime::lines::{Component, Line};
use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Weekday};
use jiff::tz::TimeZone;

/// Changes that are looked at in one year; a zone that has more is read as far as that.
const MOST_IN_YEAR: usize = 64;
/// Observances of a VTIMEZONE that are looked at.
const MOST_OBSERVED: usize = 1000;
/// Years that a definition has rules for.
const MOST_YEARS: i16 = 60;

/// A change of clocks: the moment in UTC, and seconds east of UTC from then on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Change {
    at: i64,
    to: i64,
}

/// What tells when clocks change.
#[derive(Debug, Clone)]
pub(super) enum Clock {
    /// A zone of the tz database.
    Known(TimeZone),
    /// The observances of a VTIMEZONE.
    Observed(Vec<Observance>, Option<Reach>),
}

/// When a VTIMEZONE speaks, in UTC, and the zone of the tz database that it is named like, which speaks at other times:
/// some programs write the changes of the current year alone.
#[derive(Debug, Clone)]
pub(super) struct Reach {
    first: i64,
    last: i64,
    zone: TimeZone,
}

/// STANDARD or DAYLIGHT.
#[derive(Debug, Clone)]
pub(super) struct Observance {
    start: DateTime,
    from: i64,
    to: i64,
    rules: Vec<Rule>,
    dates: Vec<DateTime>,
}

impl Observance {
    fn read(part: &Component) -> Option<Self> {
        let start = part.line("DTSTART").and_then(Stamp::of)?.civil();
        let from = value::offset(&part.line("TZOFFSETFROM")?.value)?;
        let to = value::offset(&part.line("TZOFFSETTO")?.value)?;
        let rules = part.all("RRULE").filter_map(|l| Rule::parse(&l.value)).take(MOST_IN_YEAR).collect();
        let stamps = |line: &Line| -> Vec<DateTime> {
            line.value.split(',').filter_map(|v| Some(Stamp::parse(v.split('/').next()?)?.civil())).collect()
        };
        let dates = part.all("RDATE").flat_map(stamps).take(MOST_OBSERVED).collect();
        Some(Self { start, from, to, rules, dates })
    }

    /// Its last onset in UTC.
    fn last(&self) -> i64 {
        let ends = |rule: &Rule| rule.until.map_or(i64::MAX, |until| seconds(until.civil()));
        let dates = self.dates.iter().chain([&self.start]).map(|at| seconds(*at) - self.from);
        // Most rules that are counted are counted to the end of time.
        self.rules.iter().map(ends).chain(dates).max().unwrap_or(i64::MAX)
    }

    /// Its onsets in a year, as local times before the change.
    fn onsets(&self, year: i16) -> Vec<DateTime> {
        let own = std::iter::once(self.start).chain(self.dates.iter().copied()).filter(|t| t.year() == year);
        let ruled = self.rules.iter().filter_map(|rule| self.by_rule(rule, year));
        own.chain(ruled).take(MOST_IN_YEAR).collect()
    }

    /// Its last change before a year.
    fn last_before(&self, year: i16) -> Option<Change> {
        let own = std::iter::once(self.start).chain(self.dates.iter().copied()).filter(|t| t.year() < year);
        let ruled = self.rules.iter().filter_map(|rule| {
            let counted = rule.count.map(|n| i64::from(self.start.year()) + i64::from(n.min(9999)));
            let until = rule.until.map(|u| i64::from(u.civil().year()));
            let last = [Some(i64::from(year) - 1), counted, until].into_iter().flatten().min()?;
            let last = i16::try_from(last).ok()?;
            let tries = i16::try_from(rule.interval).ok()?.checked_mul(2)?.min(100);
            (0..=tries).find_map(|back| self.by_rule(rule, last.checked_sub(back)?))
        });
        let onset = own.chain(ruled).max()?;
        Some(Change { at: seconds(onset) - self.from, to: self.to })
    }

    fn by_rule(&self, rule: &Rule, year: i16) -> Option<DateTime> {
        if rule.freq != Freq::Known(Frequency::Yearly) || year <= self.start.year() {
            return None;
        }
        if (year - self.start.year()) % i16::try_from(rule.interval).ok()? != 0 {
            return None;
        }
        let month = match rule.months.as_slice() {
            [] => self.start.month(),
            [month] => i8::try_from(*month).ok()?,
            _ => return None,
        };
        let first = Date::new(year, month, 1).ok()?;
        let day = match (rule.days.as_slice(), rule.month_days.as_slice()) {
            ([], []) => Date::new(year, month, self.start.day()).ok()?,
            ([(nth, day)], []) if *nth != 0 => {
                first.nth_weekday_of_month(i8::try_from(*nth).ok()?, weekday(*day)?).ok()?
            }
            ([(0, day)], [from, ..]) => {
                // The weekday among some days of the month: "the first Sunday on or after the 8th".
                let from = i8::try_from(*rule.month_days.iter().min().unwrap_or(from)).ok()?;
                let from = Date::new(year, month, from.max(1)).ok()?;
                from.yesterday().ok()?.nth_weekday(1, weekday(*day)?).ok()?
            }
            ([], [day]) => Date::new(year, month, i8::try_from(*day).ok()?).ok()?,
            _ => return None,
        };
        let onset = day.to_datetime(self.start.time());
        let counted = rule.count.is_none_or(|n| i64::from(year - self.start.year()) < i64::from(n));
        let until = match rule.until {
            None => true,
            Some(Stamp::Utc(until)) => seconds(onset) - self.from <= seconds(until),
            Some(until) => onset.date() <= until.civil().date(),
        };
        (counted && until).then_some(onset)
    }
}

fn weekday(sunday_based: u32) -> Option<Weekday> {
    Weekday::from_sunday_zero_offset(i8::try_from(sunday_based).ok()?).ok()
}

impl Reach {
    /// True for a year of which the VTIMEZONE tells anything.
    fn has_year(&self, year: i16) -> bool {
        let year_of = |at| civil(at).map(DateTime::year);
        year_of(self.first).is_none_or(|first| first <= year) && year_of(self.last).is_none_or(|last| year <= last)
    }

    fn offset_at(&self, utc: i64) -> i64 {
        Timestamp::from_second(utc).map_or(0, |t| i64::from(self.zone.to_offset(t).seconds()))
    }
}

impl Clock {
    /// The clock of a VTIMEZONE; `None` if it says nothing that can be understood.
    pub fn of(zone: &Component) -> Option<Self> {
        let observed: Vec<Observance> = zone.parts.iter().filter_map(Observance::read).take(MOST_OBSERVED).collect();
        (!observed.is_empty()).then_some(Self::Observed(observed, None))
    }

    /// This clock, and that of a zone of the tz database at times of which a VTIMEZONE says nothing.
    pub fn with(self, zone: TimeZone) -> Self {
        let Self::Observed(observed, _) = self else { return self };
        let first = observed.iter().map(|o| seconds(o.start) - o.from).min().unwrap_or(i64::MIN);
        let last = observed.iter().map(Observance::last).max().unwrap_or(i64::MAX);
        Self::Observed(observed, Some(Reach { first, last, zone }))
    }

    /// The changes of some years, ascending, and the offset before the first of them.
    fn changes(&self, years: std::ops::RangeInclusive<i16>) -> (i64, Vec<Change>) {
        let begin = Date::new(*years.start(), 1, 1).map_or(i64::MIN / 4, |d| seconds(d.at(0, 0, 0, 0)));
        match self {
            Self::Known(zone) => {
                let end = Date::new(*years.end(), 12, 31).map_or(i64::MAX / 4, |d| seconds(d.at(23, 59, 59, 0)));
                let Ok(start) = Timestamp::from_second(begin) else { return (0, Vec::new()) };
                let before = i64::from(zone.to_offset(start).seconds());
                let mut last = before;
                let changes = zone
                    .following(start)
                    .map(|t| Change { at: t.timestamp().as_second(), to: i64::from(t.offset().seconds()) })
                    .take_while(|c| c.at <= end)
                    .take(MOST_IN_YEAR * 4)
                    // Some changes are of names alone.
                    .filter(|c| std::mem::replace(&mut last, c.to) != c.to);
                (before, changes.collect())
            }
            Self::Observed(_, Some(reach)) if !reach.has_year(*years.start()) && !reach.has_year(*years.end()) => {
                Self::Known(reach.zone.clone()).changes(years)
            }
            Self::Observed(observed, _) => {
                let mut all: Vec<Change> = Vec::new();
                for one in observed {
                    for year in years.clone() {
                        let change = |onset| Change { at: seconds(onset) - one.from, to: one.to };
                        all.extend(one.onsets(year).into_iter().map(change));
                    }
                }
                all.sort_unstable();
                (self.before(*years.start()), all)
            }
        }
    }

    /// The offset of a VTIMEZONE when a year begins.
    fn before(&self, year: i16) -> i64 {
        let Self::Observed(observed, reach) = self else { return 0 };
        if let Some(reach) = reach.as_ref().filter(|r| !r.has_year(year.saturating_sub(1))) {
            let begin = Date::new(year, 1, 1).map_or(reach.first, |d| seconds(d.at(0, 0, 0, 0)));
            return reach.offset_at(begin);
        }
        let latest = observed.iter().filter_map(|one| one.last_before(year)).max();
        let earliest = observed.iter().min_by_key(|o| o.start).map_or(0, |o| o.from);
        latest.map_or(earliest, |c| c.to)
    }

    /// Seconds east of UTC at a moment.
    pub fn offset_at(&self, utc: i64) -> i64 {
        if let Self::Known(zone) = self {
            return Timestamp::from_second(utc).map_or(0, |t| i64::from(zone.to_offset(t).seconds()));
        }
        if let Self::Observed(_, Some(reach)) = self
            && !(reach.first..=reach.last).contains(&utc)
        {
            return reach.offset_at(utc);
        }
        let Some(year) = civil(utc).map(DateTime::year) else { return 0 };
        let (before, changes) = self.changes(year.saturating_sub(1)..=year.saturating_add(1));
        changes.iter().rev().find(|c| c.at <= utc).map_or(before, |c| c.to)
    }

    /// The moment of a local time: the earlier of two; where clocks were set forward, as if they had not been.
    pub fn to_utc(&self, local: DateTime) -> i64 {
        let local = seconds(local);
        let (a, b) = (self.offset_at(local - 26 * 3600), self.offset_at(local + 26 * 3600));
        let fits = |offset: &i64| self.offset_at(local - offset) == *offset;
        let offset = [a.max(b), a.min(b)].into_iter().find(fits).unwrap_or(a);
        local - offset
    }

    /// The local time of a moment.
    pub fn to_local(&self, utc: i64) -> Option<DateTime> {
        civil(utc.checked_add(self.offset_at(utc))?)
    }

    /// The rules of some years as a definition; the rules of the last year are the effective ones.
    pub fn definition(&self, name: &str, first: i16, last: i16) -> ZoneDefinition {
        let last = last.clamp(first, first.saturating_add(MOST_YEARS));
        let mut rules: Vec<(u16, ZoneRule)> = Vec::new();
        for year in first..=last {
            let rule = self.rule_of(year);
            if rules.last().is_none_or(|(_, before)| *before != rule) {
                rules.push((u16::try_from(year).unwrap_or(1601), rule));
            }
        }
        if let [only] = rules.as_mut_slice() {
            only.0 = 1601;
        }
        ZoneDefinition::new(name, &rules)
    }

    /// The rules of one year.
    fn rule_of(&self, year: i16) -> ZoneRule {
        let (before, changes) = self.changes(year..=year);
        // A moment in UTC may lie in another year than its local time.
        let changes: Vec<(i64, Change)> = std::iter::once(before)
            .chain(changes.iter().map(|c| c.to))
            .zip(changes.iter().copied())
            .filter(|(from, change)| from != &change.to)
            .collect();
        let fixed = |offset: i64| ZoneRule { bias: minutes_west(offset), ..ZoneRule::default() };
        match changes.as_slice() {
            [] => fixed(before),
            // Clocks changed once: what was before counts as daylight time from the first of January on.
            [(from, change)] => {
                let january = Date::new(year, 1, 1).map_or(0, |d| d.weekday().to_sunday_zero_offset().unsigned_abs());
                let new_year = SystemTime { month: 1, weekday: january.into(), day: 1, ..SystemTime::default() };
                ZoneRule {
                    bias: minutes_west(change.to),
                    daylight_bias: minutes_west(*from) - minutes_west(change.to),
                    standard: self.moment(*change, *from, year),
                    daylight: new_year,
                    ..ZoneRule::default()
                }
            }
            [(from, first), (between, second), ..] => {
                let (first, second) = (self.moment(*first, *from, year), self.moment(*second, *between, year));
                // Daylight time is what is further east.
                let (standard, daylight, on, off) =
                    if between > from { (*from, *between, first, second) } else { (*between, *from, second, first) };
                ZoneRule {
                    bias: minutes_west(standard),
                    daylight_bias: minutes_west(daylight) - minutes_west(standard),
                    standard: off,
                    daylight: on,
                    ..ZoneRule::default()
                }
            }
        }
    }

    /// A change as the nth weekday of its month, or the last where that is what other years have too.
    fn moment(&self, change: Change, from: i64, year: i16) -> SystemTime {
        let Some(local) = civil(change.at + from) else { return SystemTime::default() };
        let day = local.day().unsigned_abs();
        let nth = u16::from((day - 1) / 7 + 1);
        let exact = |day: u16| SystemTime {
            year: 0,
            month: u16::from(local.month().unsigned_abs()),
            weekday: u16::from(local.weekday().to_sunday_zero_offset().unsigned_abs()),
            day,
            hour: u16::from(local.hour().unsigned_abs()),
            minute: u16::from(local.minute().unsigned_abs()),
            second: u16::from(local.second().unsigned_abs()),
            millisecond: 0,
        };
        let (counted, last) = (exact(nth.min(5)), exact(5));
        if last.in_year(year) != Some(local) || nth == 5 {
            return if nth == 5 { last } else { counted };
        }
        let hits = |rule: SystemTime| {
            let matches = |y: &i16| {
                let (_, changes) = self.changes(*y..=*y);
                rule.in_year(*y).is_some_and(|t| changes.iter().any(|c| c.to == change.to && c.at + from == seconds(t)))
            };
            (year.saturating_sub(3)..=year.saturating_add(3)).filter(matches).count()
        };
        if hits(counted) > hits(last) { counted } else { last }
    }
}

/// Whole minutes west of UTC.
fn minutes_west(offset: i64) -> i32 {
    i32::try_from(-offset.div_euclid(60)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mime::lines::parse;

    fn known(name: &str) -> Clock {
        Clock::Known(TimeZone::get(name).unwrap())
    }

    #[test]
    fn rules_of_known_zones() {
        let berlin = known("Europe/Berlin").definition("W. Europe Standard Time", 2020, 2030);
        let [rule] = berlin.rules.as_slice() else { panic!("{:?}", berlin.rules) };
        assert_eq!((rule.rule.bias, rule.rule.daylight_bias, rule.year), (-60, -60, 1601));
        let is = |t: SystemTime| (t.month, t.weekday, t.day, t.hour);
        assert_eq!((is(rule.rule.standard), is(rule.rule.daylight)), ((10, 0, 5, 3), (3, 0, 5, 2)));
        let york = known("America/New_York").definition("Eastern Standard Time", 2006, 2010);
        let years: Vec<u16> = york.rules.iter().map(|r| r.year).collect();
        assert_eq!(years, [2006, 2007]);
        assert_eq!((is(york.rules[1].rule.standard), is(york.rules[1].rule.daylight)), ((11, 0, 1, 2), (3, 0, 2, 2)));
        assert_eq!(york.rules[1].flags, crate::mapi::timezone::EFFECTIVE);
        let sydney = known("Australia/Sydney").rule_of(2024);
        assert_eq!((is(sydney.standard), is(sydney.daylight)), ((4, 0, 1, 3), (10, 0, 1, 2)));
        assert_eq!(known("Asia/Kolkata").rule_of(2024), ZoneRule { bias: -330, ..ZoneRule::default() });
        let moscow = known("Europe/Moscow").rule_of(2011);
        assert_eq!((moscow.bias, moscow.daylight_bias), (-240, 60));
    }

    /// The rules of every zone, applied as Outlook applies them, give the local times of the tz database.
    #[test]
    fn rules_say_what_the_database_says() {
        for name in [
            "Europe/Berlin",
            "Europe/London",
            "America/New_York",
            "Australia/Sydney",
            "America/Sao_Paulo",
            "Asia/Tehran",
            "Pacific/Auckland",
            "Europe/Dublin",
            "Asia/Kolkata",
            "America/St_Johns",
        ] {
            let clock = known(name);
            for year in [1998, 2007, 2015, 2019, 2024] {
                let definition = clock.definition("x", year, year);
                let begin = seconds(Date::constant(year, 1, 2).at(0, 0, 0, 0));
                for hour in (0..363 * 24).step_by(5) {
                    let utc = begin + hour * 3600;
                    assert_eq!(definition.to_local(utc), utc + clock.offset_at(utc), "{name} {year} {utc}");
                }
            }
        }
    }

    #[test]
    fn vtimezones() {
        let text = "BEGIN:VTIMEZONE\nTZID:x\nBEGIN:STANDARD\nDTSTART:16011028T030000\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10\nTZOFFSETFROM:+0200\nTZOFFSETTO:+0100\nEND:STANDARD\nBEGIN:DAYLIGHT\nDTSTART:16010325T020000\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0200\nEND:DAYLIGHT\nEND:VTIMEZONE\n";
        let own = Clock::of(&parse(text.as_bytes()).components[0]).unwrap();
        let berlin = known("Europe/Berlin");
        for at in (0..9000).map(|h| seconds(Date::constant(2023, 12, 1).at(0, 0, 0, 0)) + h * 3600) {
            assert_eq!(own.offset_at(at), berlin.offset_at(at));
        }
        for local in ["2024-03-31T02:30", "2024-10-27T02:30", "2024-07-01T12:00"] {
            let local: DateTime = local.parse().unwrap();
            assert_eq!(own.to_utc(local), berlin.to_utc(local), "{local}");
        }
        assert_eq!(own.rule_of(2024), berlin.rule_of(2024));
        let old = text.replace(
            "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10",
            "RRULE:FREQ=YEARLY;BYMONTH=10;BYMONTHDAY=25,26,27,28,29,30,31;BYDAY=SU",
        );
        let old = Clock::of(&parse(old.as_bytes()).components[0]).unwrap();
        assert_eq!(old.rule_of(2024), berlin.rule_of(2024));
        assert!(Clock::of(&Component::new("VTIMEZONE")).is_none());
    }

    /// A zone as iCal wrote it in 2006: with the changes of that year alone, and an offset before them that is none.
    #[test]
    fn times_of_which_a_vtimezone_says_nothing() {
        let text = "BEGIN:VTIMEZONE\nTZID:Australia/Sydney\nBEGIN:STANDARD\nDTSTART:20060325T160000\nTZOFFSETFROM:+0000\nTZOFFSETTO:+1000\nEND:STANDARD\nBEGIN:DAYLIGHT\nDTSTART:20061029T030000\nTZOFFSETFROM:+1000\nTZOFFSETTO:+1100\nEND:DAYLIGHT\nEND:VTIMEZONE\n";
        let sydney = known("Australia/Sydney");
        let own =
            Clock::of(&parse(text.as_bytes()).components[0]).unwrap().with(TimeZone::get("Australia/Sydney").unwrap());
        for local in
            ["2003-07-31T23:00", "2004-01-01T23:00", "2006-01-01T12:00", "2006-07-01T12:00", "2007-07-01T12:00"]
        {
            let local: DateTime = local.parse().unwrap();
            assert_eq!(own.to_utc(local), sydney.to_utc(local), "{local}");
        }
        assert_eq!((own.rule_of(2003), own.rule_of(2012)), (sydney.rule_of(2003), sydney.rule_of(2012)));
    }
}
