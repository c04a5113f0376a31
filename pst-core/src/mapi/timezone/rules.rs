//! Local time and UTC by the rules of a zone. Times are seconds since 1970, local ones as if they were UTC.

use super::{EFFECTIVE, SystemTime, ZoneDefinition, ZoneRule};
use jiff::civil::{Date, DateTime, Time, Weekday};

/// Local seconds of a civil time.
fn seconds(at: DateTime) -> i64 {
    at.duration_since(Date::constant(1970, 1, 1).to_datetime(Time::midnight())).as_secs()
}

/// The year of local seconds.
fn year_of(local: i64) -> i16 {
    jiff::Timestamp::from_second(local).map_or(9999, |t| t.to_zoned(jiff::tz::TimeZone::UTC).year())
}

impl SystemTime {
    /// The local moment of the change in a year; `None` where there is none.
    pub fn in_year(&self, year: i16) -> Option<DateTime> {
        let month = i8::try_from(self.month).ok().filter(|m| (1..=12).contains(m))?;
        let time = |v: u16| i8::try_from(v).ok();
        let time = Time::new(time(self.hour)?, time(self.minute)?, time(self.second)?, 0).ok()?;
        if self.year != 0 {
            let own = i16::try_from(self.year).ok().filter(|y| *y == year)?;
            return Some(Date::new(own, month, i8::try_from(self.day).ok()?).ok()?.to_datetime(time));
        }
        let weekday = Weekday::from_sunday_zero_offset(i8::try_from(self.weekday).ok()?).ok()?;
        let first = Date::new(year, month, 1).ok()?;
        let nth = if self.day >= 5 { -1 } else { i8::try_from(self.day.max(1)).ok()? };
        Some(first.nth_weekday_of_month(nth, weekday).ok()?.to_datetime(time))
    }
}

impl ZoneRule {
    /// True if clocks change.
    pub fn has_daylight(&self) -> bool {
        self.standard.month != 0 && self.daylight.month != 0 && self.standard_bias != self.daylight_bias
    }

    /// Seconds east of UTC in standard time.
    pub fn standard_offset(&self) -> i64 {
        -60 * (i64::from(self.bias) + i64::from(self.standard_bias))
    }

    /// Seconds east of UTC in daylight time.
    pub fn daylight_offset(&self) -> i64 {
        -60 * (i64::from(self.bias) + i64::from(self.daylight_bias))
    }

    /// Seconds east of UTC at a moment in UTC.
    fn offset_at(&self, utc: i64) -> i64 {
        let (standard, daylight) = (self.standard_offset(), self.daylight_offset());
        let year = year_of(utc.saturating_add(standard));
        let on = self.daylight.in_year(year).map(|t| seconds(t) - standard);
        let off = self.standard.in_year(year).map(|t| seconds(t) - daylight);
        let is_daylight = match (on, off) {
            _ if !self.has_daylight() => false,
            (Some(on), Some(off)) if on < off => (on..off).contains(&utc),
            (Some(on), Some(off)) => !(off..on).contains(&utc),
            (Some(on), None) => utc >= on,
            (None, Some(off)) => utc < off,
            (None, None) => false,
        };
        if is_daylight { daylight } else { standard }
    }
}

impl ZoneDefinition {
    /// The rule that counts at a moment: the effective one, or without such a mark the one of the year.
    fn rule_at(&self, utc: i64) -> Option<&ZoneRule> {
        if self.rules.iter().any(|r| r.flags & EFFECTIVE != 0) {
            return self.effective();
        }
        let year = u16::try_from(year_of(utc)).unwrap_or_default();
        let begun = self.rules.iter().rev().find(|r| r.year <= year);
        begun.or_else(|| self.rules.first()).map(|r| &r.rule)
    }

    /// Local seconds of a moment in UTC.
    pub fn to_local(&self, utc: i64) -> i64 {
        utc.saturating_add(self.rule_at(utc).map_or(0, |r| r.offset_at(utc)))
    }

    /// The moment in UTC of local seconds: the earlier of two, and where clocks were set forward as if they had not been.
    pub fn to_utc(&self, local: i64) -> i64 {
        let Some(rule) = self.rule_at(local) else { return local };
        let (standard, daylight) = (rule.standard_offset(), rule.daylight_offset());
        let fits = |offset: &i64| rule.offset_at(local.saturating_sub(*offset)) == *offset;
        let offset = [daylight.max(standard), daylight.min(standard)].into_iter().find(fits).unwrap_or(standard);
        local.saturating_sub(offset)
    }
}

#[cfg(test)]
pub(in crate::mapi) mod tests {
    use super::*;

    pub(in crate::mapi) fn berlin() -> ZoneDefinition {
        let change = |month, hour| SystemTime { month, day: 5, hour, ..SystemTime::default() };
        let rule = ZoneRule {
            bias: -60,
            daylight_bias: -60,
            standard: change(10, 3),
            daylight: change(3, 2),
            ..ZoneRule::default()
        };
        ZoneDefinition::new("W. Europe Standard Time", &[(1601, rule)])
    }

    #[test]
    fn berlin_by_rule_is_berlin() {
        let zone = berlin();
        let local = |text: &str| seconds(text.parse().unwrap());
        for (text, utc) in [
            ("2024-03-31T01:59", "2024-03-31T00:59"),
            ("2024-03-31T03:00", "2024-03-31T01:00"),
            ("2024-03-31T02:30", "2024-03-31T01:30"),
            ("2024-10-27T02:30", "2024-10-27T00:30"),
            ("2024-10-27T03:00", "2024-10-27T02:00"),
            ("2024-12-31T23:30", "2024-12-31T22:30"),
            ("2024-07-01T00:00", "2024-06-30T22:00"),
        ] {
            assert_eq!(zone.to_utc(local(text)), local(utc), "{text}");
        }
        assert_eq!(zone.to_local(local("2024-07-01T00:00")), local("2024-07-01T02:00"));
        assert_eq!(zone.to_local(local("2024-01-01T00:00")), local("2024-01-01T01:00"));
    }

    #[test]
    fn southern_summers_span_the_new_year() {
        let change = |month, day, hour| SystemTime { month, day, hour, ..SystemTime::default() };
        let rule = ZoneRule {
            bias: -600,
            daylight_bias: -60,
            standard: change(4, 1, 3),
            daylight: change(10, 1, 2),
            ..ZoneRule::default()
        };
        let zone = ZoneDefinition::new("AUS Eastern Standard Time", &[(1601, rule)]);
        let utc = |text: &str| seconds(text.parse().unwrap());
        assert_eq!(zone.to_local(utc("2024-01-15T00:00")), utc("2024-01-15T11:00"));
        assert_eq!(zone.to_local(utc("2024-07-15T00:00")), utc("2024-07-15T10:00"));
        assert_eq!(zone.to_local(utc("2024-12-31T20:00")), utc("2025-01-01T07:00"));
    }
}
