//! Time zones by their names and definitions.

use super::changes::Clock;
use super::names;
use super::value::{civil, seconds, written_offset};
use crate::mapi::timezone::{SystemTime, ZoneDefinition, ZoneRule, ZoneStruct};
use crate::mapi::{Lid, PropBag, Value, lid};
use crate::mime::lines::{Component, Line};
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

/// The year in which rules without a beginning are said to begin, as Outlook has it.
const FIRST_YEAR: i16 = 1601;
/// What Outlook calls UTC in a definition.
const UTC_NAMES: [&str; 3] = ["UTC", "tzone://Microsoft/Utc", "Etc/UTC"];

/// A zone that a component names.
#[derive(Debug)]
pub(super) struct Zone {
    /// When its clocks change.
    pub clock: Clock,
    /// Its Windows name, or else the name that the component gives it.
    pub key: String,
    /// What the tz database knows of a zone that a calendar describes itself, often for a few years only.
    known: Option<Clock>,
}

impl Zone {
    /// UTC.
    pub fn utc() -> Self {
        Self::of(Clock::Known(TimeZone::UTC), "UTC")
    }

    fn of(clock: Clock, key: &str) -> Self {
        Self { clock, key: key.to_owned(), known: None }
    }

    /// The rules of some years, for an item that begins at a moment: those of the tz database where they agree then.
    pub fn definition(&self, at: i64, first: i16, last: i16) -> ZoneDefinition {
        let known = self.known.as_ref().filter(|k| k.offset_at(at) == self.clock.offset_at(at));
        known.unwrap_or(&self.clock).definition(&self.key, first, last)
    }

    /// What Outlook shows for the zone.
    pub fn description(&self) -> String {
        names::description_of(&self.key).map_or_else(|| self.key.clone(), ToOwned::to_owned)
    }

    /// The zone of a name alone: of the tz database, of Windows, or an offset.
    pub fn named(tzid: &str) -> Option<Self> {
        let tzid = tzid.trim().trim_matches('"');
        if UTC_NAMES.iter().any(|n| n.eq_ignore_ascii_case(tzid)) {
            return Some(Self::utc());
        }
        if let Some(windows) = windows_name(tzid) {
            let zone = names::iana_of(windows).and_then(|n| TimeZone::get(n).ok())?;
            return Some(Self::of(Clock::Known(zone), windows));
        }
        let Some(iana) = iana_in(tzid) else { return Self::fixed(tzid) };
        let clock = Clock::Known(TimeZone::get(iana).ok()?);
        Some(Self::of(clock, names::windows_of(iana).unwrap_or(iana)))
    }

    /// The zone of a name such as `(GMT +01:00)` or `UTC-5`.
    fn fixed(tzid: &str) -> Option<Self> {
        let bare = tzid.trim_matches(['(', ')', ' ']);
        let rest = bare.get(..3).filter(|s| s.eq_ignore_ascii_case("GMT") || s.eq_ignore_ascii_case("UTC"));
        let rest = bare.get(rest?.len()..)?.trim();
        let digits = rest.get(1..).unwrap_or_default();
        let padded = match digits.len() {
            1 => format!("{}0{digits}00", rest.get(..1)?),
            2 => format!("{rest}00"),
            _ => rest.to_owned(),
        };
        let seconds = super::value::offset(&padded).filter(|_| rest.starts_with(['+', '-']))?;
        let offset = jiff::tz::Offset::from_seconds(i32::try_from(seconds).ok()?).ok()?;
        Some(Self::of(Clock::Known(TimeZone::fixed(offset)), tzid))
    }

    /// The zone of a VTIMEZONE.
    fn observed(zone: &Component) -> Option<Self> {
        let clock = Clock::of(zone)?;
        let tzid = zone.text("TZID").unwrap_or_default();
        let known = Self::named(&tzid).or_else(|| Self::named(&zone.text("X-LIC-LOCATION")?));
        // A name of the tz database tells of all years.
        let clock = match &known {
            Some(Self { clock: Clock::Known(zone), .. }) if windows_name(&tzid).is_none() => clock.with(zone.clone()),
            _ => clock,
        };
        let (key, known) = known.map_or((tzid, None), |k| (k.key, Some(k.clock)));
        Some(Self { clock, key, known })
    }
}

/// The Windows zone of a Windows name or description.
fn windows_name(name: &str) -> Option<&'static str> {
    if let Some(iana) = names::iana_of(name) {
        return names::windows_of(iana);
    }
    names::described(name)
}

/// The name of the tz database in a name such as `/mozilla.org/20050126_1/Europe/Berlin`.
fn iana_in(name: &str) -> Option<&str> {
    let known = |name: &&str| !name.is_empty() && TimeZone::get(name).is_ok();
    let cuts = std::iter::once(name).chain(name.match_indices('/').filter_map(|(at, _)| name.get(at + 1..)));
    cuts.take(12).find(known)
}

/// The zones of one calendar.
pub(super) struct Zones<'a> {
    calendar: &'a Component,
    defined: HashMap<String, &'a Component>,
    found: RefCell<HashMap<String, Option<Rc<Zone>>>>,
}

impl<'a> Zones<'a> {
    pub fn new(calendar: &'a Component) -> Self {
        let mut defined = HashMap::new();
        for zone in calendar.named("VTIMEZONE") {
            if let Some(tzid) = zone.text("TZID") {
                defined.entry(tzid).or_insert(zone);
            }
        }
        Self { calendar, defined, found: RefCell::default() }
    }

    /// The zone that a TZID names: by its VTIMEZONE, else by its name.
    pub fn find(&self, tzid: &str) -> Option<Rc<Zone>> {
        if let Some(known) = self.found.borrow().get(tzid) {
            return known.clone();
        }
        let zone = self.defined.get(tzid).copied().and_then(Zone::observed).or_else(|| Zone::named(tzid)).map(Rc::new);
        self.found.borrow_mut().insert(tzid.to_owned(), zone.clone());
        zone
    }

    /// The zone that the calendar is said to be in.
    pub fn default(&self) -> Option<Rc<Zone>> {
        self.calendar.text("X-WR-TIMEZONE").and_then(|name| self.find(&name))
    }
}

/// The zone of a stored item, and the name it gets in iCalendar.
#[derive(Debug, Clone)]
pub(super) struct ItemZone {
    /// The rules.
    pub definition: ZoneDefinition,
    /// The Windows name.
    pub key: String,
    /// TZID.
    pub tzid: String,
}

impl ItemZone {
    /// The zone of an item: of its series, or of its start. `None` for UTC and where none is stored.
    pub fn of(props: &PropBag, page: u32, recurring: bool) -> Option<Self> {
        let order = if recurring { [lid::ZONE_RECUR, lid::ZONE_START] } else { [lid::ZONE_START, lid::ZONE_RECUR] };
        let small = || Self::of_struct(props, page);
        let defined = |lid| Self::defined(props, lid);
        // A series without a definition of its own is in the zone of the older property.
        let zone = match order {
            [first, second] if recurring => defined(first).or_else(small).or_else(|| defined(second)),
            [first, second] => defined(first).or_else(|| defined(second)).or_else(small),
        };
        zone.filter(|z| !z.is_utc())
    }

    /// The zone that one property defines.
    pub fn defined(props: &PropBag, lid: Lid) -> Option<Self> {
        let definition = props.lid(lid).and_then(Value::as_bytes).and_then(ZoneDefinition::decode)?;
        definition.effective()?;
        let key = definition.key();
        Some(Self { tzid: key.clone(), key, definition })
    }

    fn of_struct(props: &PropBag, page: u32) -> Option<Self> {
        let rule = props.lid(lid::TIME_ZONE_STRUCT).and_then(Value::as_bytes).and_then(ZoneStruct::decode)?.rule;
        let text = props.lid(lid::TIME_ZONE_DESCRIPTION).and_then(|v| crate::mime::text::value(v, page));
        let text = text.filter(|t| !t.trim().is_empty());
        let key = text.as_deref().and_then(names::described).map(ToOwned::to_owned).or(text);
        let key = key.unwrap_or_else(|| "Customized Time Zone".to_owned());
        Some(Self { definition: ZoneDefinition::new(&key, &[(1601, rule)]), tzid: key.clone(), key })
    }

    fn is_utc(&self) -> bool {
        UTC_NAMES.iter().any(|n| n.eq_ignore_ascii_case(&self.key))
            && self.definition.effective().is_some_and(|r| !r.has_daylight() && r.standard_offset() == 0)
    }

    /// Names the zone as the tz database does, if that says the same in the year of a moment and the next.
    pub fn name_at(&mut self, utc: i64) {
        let Some(iana) = names::iana_of(&self.key) else { return };
        let Some(zone) = TimeZone::get(iana).ok().map(Clock::Known) else { return };
        let month = 30 * 86_400;
        let same = |n: i64| {
            let at = utc.saturating_add(n * month);
            self.definition.to_local(at) == at.saturating_add(zone.offset_at(at))
        };
        if (0..13).all(same) {
            iana.clone_into(&mut self.tzid);
        }
    }

    /// The local time of a moment.
    pub fn to_local(&self, utc: i64) -> Option<DateTime> {
        civil(self.definition.to_local(utc))
    }

    /// The moment of a local time.
    pub fn to_utc(&self, local: DateTime) -> i64 {
        self.definition.to_utc(seconds(local))
    }

    /// The zone as a VTIMEZONE.
    pub fn component(&self) -> Component {
        let mut out = Component::new("VTIMEZONE");
        out.put_text("TZID", Some(&self.tzid));
        if self.definition.rules.iter().any(|r| r.flags & crate::mapi::timezone::EFFECTIVE != 0) {
            if let Some(rule) = self.definition.effective() {
                observances(rule, FIRST_YEAR, None, &mut out);
            }
            return out;
        }
        let rules = &self.definition.rules;
        for (i, rule) in rules.iter().enumerate() {
            let from = if i == 0 { FIRST_YEAR } else { i16::try_from(rule.year).unwrap_or(FIRST_YEAR) };
            let until = rules.get(i + 1).and_then(|next| i16::try_from(next.year).ok());
            observances(&rule.rule, from, until, &mut out);
        }
        out
    }
}

/// Appends STANDARD and DAYLIGHT of some rules that hold from a year until another.
fn observances(rule: &ZoneRule, from: i16, until: Option<i16>, out: &mut Component) {
    let (standard, daylight) = (rule.standard_offset(), rule.daylight_offset());
    if !rule.has_daylight() {
        let mut part = Component::new("STANDARD");
        part.put("DTSTART", format!("{from:04}0101T000000"));
        part.put("TZOFFSETFROM", written_offset(standard));
        part.put("TZOFFSETTO", written_offset(standard));
        out.parts.push(part);
        return;
    }
    for (name, at, before, after) in
        [("STANDARD", rule.standard, daylight, standard), ("DAYLIGHT", rule.daylight, standard, daylight)]
    {
        let year = if at.year == 0 { from } else { i16::try_from(at.year).unwrap_or(from) };
        let Some(onset) = at.in_year(year) else { continue };
        let mut part = Component::new(name);
        part.put("DTSTART", super::value::Stamp::Local(onset).to_string());
        if at.year == 0 {
            let last = until.and_then(|y| at.in_year(y - 1)).and_then(|t| civil(seconds(t) - before));
            part.lines.push(yearly(at, onset, last));
        }
        part.put("TZOFFSETFROM", written_offset(before));
        part.put("TZOFFSETTO", written_offset(after));
        out.parts.push(part);
    }
}

fn yearly(at: SystemTime, onset: DateTime, last: Option<DateTime>) -> Line {
    let nth = if at.day >= 5 { -1 } else { i32::from(at.day.max(1)) };
    let mut rule = super::rule::Rule::new(crate::mapi::recurrence::Frequency::Yearly, 1);
    rule.until = last.map(super::value::Stamp::Utc);
    rule.months = vec![u32::from(onset.month().unsigned_abs())];
    rule.days = vec![(nth, onset.weekday().to_sunday_zero_offset() as u32)];
    Line::new("RRULE", rule.to_string())
}

/// The date that a moment stands for where only dates are meant: the nearest midnight.
pub(in crate::mime) fn nearest_date(utc: i64) -> Option<Date> {
    civil(utc.checked_add(43_200)?).map(DateTime::date)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mime::lines::parse;

    #[test]
    fn names_of_all_kinds() {
        for (name, key) in [
            ("Europe/Vienna", "W. Europe Standard Time"),
            ("W. Europe Standard Time", "W. Europe Standard Time"),
            ("/freeassociation.sourceforge.net/Tzfile/Europe/Berlin", "W. Europe Standard Time"),
            ("(UTC+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna", "W. Europe Standard Time"),
            ("US/Eastern", "Eastern Standard Time"),
            ("Asia/Kolkata", "India Standard Time"),
            ("UTC", "UTC"),
        ] {
            assert_eq!(Zone::named(name).unwrap().key, key, "{name}");
        }
        for (name, hours) in [("(GMT +01:00)", 1), ("UTC-5", -5), ("GMT+0200", 2)] {
            assert_eq!(Zone::named(name).unwrap().clock.offset_at(0), hours * 3600, "{name}");
        }
        assert!(Zone::named("Nowhere").is_none() && Zone::named("").is_none() && Zone::named("////").is_none());
    }

    #[test]
    fn a_definition_becomes_a_vtimezone_that_says_the_same() {
        for name in ["Europe/Berlin", "America/New_York", "Australia/Sydney", "Asia/Kolkata"] {
            let zone = Zone::named(name).unwrap();
            let definition = zone.definition(1_704_067_200, 2024, 2024);
            let mut item = ItemZone { definition, key: zone.key.clone(), tzid: zone.key.clone() };
            item.name_at(1_704_067_200);
            assert_eq!(item.tzid, names::iana_of(&zone.key).unwrap());
            let mut text = Vec::new();
            crate::mime::lines::write(&item.component(), &mut text).unwrap();
            let read = Clock::of(&parse(&text).components[0]).unwrap();
            for at in (0..366 * 8).map(|n| 1_704_067_200 + n * 3 * 3600) {
                assert_eq!(read.offset_at(at), zone.clock.offset_at(at), "{name} {at}");
            }
        }
    }
}
