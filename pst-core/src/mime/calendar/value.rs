//! Values of iCalendar: dates, times and durations (RFC 5545 3.3).

use crate::mime::lines::Line;
use jiff::civil::{Date, DateTime, Time};

/// A date, or a time with or without a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::mime) enum Stamp {
    /// A whole day.
    Day(Date),
    /// A local time; its zone stands in TZID, or nowhere.
    Local(DateTime),
    /// A time in UTC.
    Utc(DateTime),
}

impl Stamp {
    /// Reads `20240131`, `20240131T120000` or `20240131T120000Z`; hyphens and colons are ignored.
    pub fn parse(text: &str) -> Option<Self> {
        let clean: String = text.trim().chars().filter(|c| !matches!(c, '-' | ':')).collect();
        let (date, rest) = clean.split_at_checked(8)?;
        let digits = |from: usize, to: usize, of: &str| of.get(from..to)?.parse::<i16>().ok();
        let small = |from, of: &str| digits(from, from + 2, of).and_then(|n| i8::try_from(n).ok());
        let date = Date::new(digits(0, 4, date)?, small(4, date)?, small(6, date)?).ok()?;
        let Some(rest) = rest.strip_prefix(['T', 't']) else {
            return rest.is_empty().then_some(Self::Day(date));
        };
        let (time, zone) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len()));
        let (minute, second) = match time.len() {
            4 => (small(2, time)?, 0),
            6 => (small(2, time)?, small(4, time)?.min(59)),
            _ => return None,
        };
        let at = date.to_datetime(Time::new(small(0, time)?, minute, second, 0).ok()?);
        match zone {
            "" => Some(Self::Local(at)),
            "Z" | "z" => Some(Self::Utc(at)),
            // Fractions of seconds, as some programs write them.
            _ if zone.starts_with('.') => {
                Some(if zone.ends_with(['Z', 'z']) { Self::Utc(at) } else { Self::Local(at) })
            }
            _ => None,
        }
    }

    /// The stamp of a line of one value.
    pub fn of(line: &Line) -> Option<Self> {
        Self::parse(&line.value)
    }

    /// Date and time as they are written.
    pub fn civil(self) -> DateTime {
        match self {
            Self::Day(date) => date.to_datetime(Time::midnight()),
            Self::Local(at) | Self::Utc(at) => at,
        }
    }
}

impl std::fmt::Display for Stamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let at = self.civil();
        write!(f, "{:04}{:02}{:02}", at.year(), at.month(), at.day())?;
        if !matches!(self, Self::Day(_)) {
            write!(f, "T{:02}{:02}{:02}", at.hour(), at.minute(), at.second())?;
        }
        f.write_str(if matches!(self, Self::Utc(_)) { "Z" } else { "" })
    }
}

/// Seconds of a duration: `PT15M`, `-P1DT2H`, `P1W`. Years and months are none.
pub(super) fn duration(text: &str) -> Option<i64> {
    let text = text.trim();
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let mut rest = rest.strip_prefix(['P', 'p'])?;
    let (mut total, mut any) = (0i64, false);
    while !rest.is_empty() {
        rest = rest.strip_prefix(['T', 't']).unwrap_or(rest);
        let end = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, tail) = rest.split_at(end);
        let mut unit = tail.chars();
        let seconds = match unit.next()?.to_ascii_uppercase() {
            'W' => 604_800,
            'D' => 86_400,
            'H' => 3600,
            'M' => 60,
            'S' => 1,
            _ => return None,
        };
        total = total.checked_add(number.parse::<i64>().ok()?.checked_mul(seconds)?)?;
        rest = unit.as_str();
        any = true;
    }
    any.then_some(sign * total)
}

/// A duration as it is written.
pub(super) fn written_duration(seconds: i64) -> String {
    use std::fmt::Write;
    let mut out = String::from(if seconds < 0 { "-P" } else { "P" });
    let left = seconds.unsigned_abs();
    if left > 0 && left.is_multiple_of(604_800) {
        let _ = write!(out, "{}W", left / 604_800);
        return out;
    }
    let (days, left) = (left / 86_400, left % 86_400);
    if days > 0 {
        let _ = write!(out, "{days}D");
    }
    if left > 0 || days == 0 {
        out.push('T');
        for (value, unit) in [(left / 3600, 'H'), (left / 60 % 60, 'M'), (left % 60, 'S')] {
            if value > 0 || (unit == 'M' && left == 0) {
                let _ = write!(out, "{value}{unit}");
            }
        }
    }
    out
}

/// Seconds east of UTC of `+0100` or `-000115`.
pub(super) fn offset(text: &str) -> Option<i64> {
    let text = text.trim();
    let (sign, digits) = match text.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => (1, text),
    };
    let digits: String = digits.chars().filter(|c| *c != ':').collect();
    let two = |at: usize| digits.get(at..at + 2).map_or(Some(0), |d| d.parse::<i64>().ok());
    if !digits.bytes().all(|b| b.is_ascii_digit()) || !matches!(digits.len(), 4 | 6) {
        return None;
    }
    Some(sign * (two(0)? * 3600 + two(2)? * 60 + two(4)?)).filter(|s| s.abs() < 26 * 3600)
}

/// Seconds east of UTC as they are written.
pub(super) fn written_offset(seconds: i64) -> String {
    let (sign, n) = (if seconds < 0 { '-' } else { '+' }, seconds.unsigned_abs());
    let rest = if n.is_multiple_of(60) { String::new() } else { format!("{:02}", n % 60) };
    format!("{sign}{:02}{:02}{rest}", n / 3600, n / 60 % 60)
}

/// Seconds since 1970 of a civil time, as if it were UTC.
pub(in crate::mime) fn seconds(at: DateTime) -> i64 {
    at.duration_since(Date::constant(1970, 1, 1).to_datetime(Time::midnight())).as_secs()
}

/// The civil time of seconds since 1970, as if they were UTC.
pub(in crate::mime) fn civil(seconds: i64) -> Option<DateTime> {
    let at = jiff::Timestamp::from_second(seconds).ok()?;
    Some(at.to_zoned(jiff::tz::TimeZone::UTC).datetime())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps() {
        for text in ["20240131", "20240131T120000", "20240131T120000Z"] {
            assert_eq!(Stamp::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Stamp::parse("2024-01-31T12:00:60Z").unwrap().to_string(), "20240131T120059Z");
        assert_eq!(Stamp::parse("20240131T1200").unwrap().to_string(), "20240131T120000");
        for text in
            ["", "2024", "20240231", "20240131T", "20240131T250000", "20240131T120000X", "20240131Tab", "aaaaaaaa"]
        {
            assert_eq!(Stamp::parse(text), None, "{text}");
        }
        assert_eq!(
            civil(seconds(Stamp::parse("20240131T120000").unwrap().civil())).unwrap().to_string(),
            "2024-01-31T12:00:00"
        );
    }

    #[test]
    fn durations_and_offsets() {
        for (text, seconds) in [
            ("PT15M", 900),
            ("-PT15M", -900),
            ("P1DT2H3M4S", 93_784),
            ("P2W", 1_209_600),
            ("PT0M", 0),
            ("P1D", 86_400),
            ("-PT1H30M", -5400),
        ] {
            assert_eq!((duration(text), written_duration(seconds).as_str()), (Some(seconds), text));
        }
        assert_eq!(duration("PT1W"), Some(604_800));
        for text in ["", "P", "PT", "15M", "P1Y", "P99999999999999999999D", "PT9223372036854775807W"] {
            assert_eq!(duration(text), None, "{text}");
        }
        assert_eq!(
            (offset("+0100"), offset("-000115"), offset("+01:00"), offset("5")),
            (Some(3600), Some(-75), Some(3600), None)
        );
    }
}
