//! Dates in header fields: RFC 5322, and what mail programs have written in its place.

use jiff::civil;

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// Zone names and their hours (and half hours) east of UTC, in minutes.
const ZONES: &[(&str, i64)] = &[
    ("ut", 0),
    ("utc", 0),
    ("gmt", 0),
    ("z", 0),
    ("wet", 0),
    ("west", 60),
    ("bst", 60),
    ("cet", 60),
    ("met", 60),
    ("cest", 120),
    ("mest", 120),
    ("eet", 120),
    ("sast", 120),
    ("eest", 180),
    ("msk", 180),
    ("ist", 330),
    ("hkt", 480),
    ("sgt", 480),
    ("awst", 480),
    ("jst", 540),
    ("kst", 540),
    ("acst", 570),
    ("aest", 600),
    ("aedt", 660),
    ("nzst", 720),
    ("nzdt", 780),
    ("nst", -210),
    ("ast", -240),
    ("adt", -180),
    ("est", -300),
    ("edt", -240),
    ("cst", -360),
    ("cdt", -300),
    ("mst", -420),
    ("mdt", -360),
    ("pst", -480),
    ("pdt", -420),
    ("akst", -540),
    ("hst", -600),
];

#[derive(Default)]
struct Found {
    year: Option<i64>,
    month: Option<i64>,
    day: Option<i64>,
    time: Option<(i64, i64, i64)>,
    afternoon: Option<bool>,
    zone: Option<i64>,
    /// "Pacific" of "Pacific Standard Time", minutes of its standard time.
    region: Option<i64>,
}

/// Seconds since 1970 UTC of a date in a header field; `None` if it is no date, or an impossible one.
pub fn parse(text: &str) -> Option<i64> {
    let mut found = Found::default();
    let plain = without_comments(text);
    for word in plain.split([' ', '\t', '\r', '\n', ',']).filter(|w| !w.is_empty()) {
        found.word(word)?;
    }
    found.seconds()
}

/// A date as RFC 5322 writes it, in UTC.
pub fn format(seconds: i64) -> Option<String> {
    let at = jiff::Timestamp::from_second(seconds).ok()?.to_zoned(jiff::tz::TimeZone::UTC);
    let day = DAYS.get(usize::try_from(at.weekday().to_monday_zero_offset()).ok()?)?;
    let month = MONTHS.get(usize::try_from(at.month() - 1).ok()?)?;
    let (first, rest) = month.split_at(1);
    Some(format!(
        "{day}, {:02} {}{rest} {:04} {:02}:{:02}:{:02} +0000",
        at.day(),
        first.to_ascii_uppercase(),
        at.year(),
        at.hour(),
        at.minute(),
        at.second()
    ))
}

fn without_comments(text: &str) -> std::borrow::Cow<'_, str> {
    if !text.contains('(') {
        return text.into();
    }
    let mut depth = 0u32;
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth == 0 => out.push(c),
            _ => {}
        }
    }
    out.into()
}

impl Found {
    fn word(&mut self, word: &str) -> Option<()> {
        let first = word.bytes().next()?;
        if first.is_ascii_digit() {
            return self.number(word);
        }
        if matches!(first, b'+' | b'-') {
            self.zone = self.zone.or(offset(word));
            return Some(());
        }
        let lower = word.trim_end_matches('.').to_ascii_lowercase();
        if let Some(afternoon) = noon(&lower) {
            self.afternoon = Some(afternoon);
        } else if let Some(month) = month(&lower) {
            self.month = self.month.or(Some(month));
        } else if let Some((_, minutes)) = ZONES.iter().find(|(name, _)| *name == lower) {
            self.zone = self.zone.or(Some(*minutes));
        } else if let Some(rest) = lower.strip_prefix("gmt").or_else(|| lower.strip_prefix("utc")) {
            self.zone = self.zone.or(offset(rest));
        } else {
            match lower.as_str() {
                "eastern" => self.region = Some(-300),
                "central" => self.region = Some(-360),
                "mountain" => self.region = Some(-420),
                "pacific" => self.region = Some(-480),
                "standard" => self.zone = self.zone.or(self.region),
                "daylight" => self.zone = self.zone.or(self.region.map(|r| r + 60)),
                _ => {}
            }
        }
        Some(())
    }

    fn number(&mut self, word: &str) -> Option<()> {
        if word.bytes().all(|b| b.is_ascii_digit()) {
            let n: i64 = word.parse().ok()?;
            if word.len() <= 2 && self.day.is_none() {
                self.day = Some(n);
            } else if self.year.is_none() {
                self.year = Some(full_year(word, n));
            }
            return Some(());
        }
        if let Some((date, time)) = word.split_once(['T', 't'])
            && date.len() >= 8
            && date.bytes().all(|b| b.is_ascii_digit() || b == b'-')
        {
            self.numeric_date(date)?;
            return self.clock(time);
        }
        let dots = word.bytes().filter(|b| *b == b'.').count();
        if word.contains(':') || (dots > 0 && self.time.is_none() && self.day.is_some()) {
            return self.clock(word);
        }
        if word.contains(['-', '/']) {
            return self.numeric_date(word);
        }
        None
    }

    /// 2024-01-31, 31-Jan-2024 or 1/31/2024.
    fn numeric_date(&mut self, word: &str) -> Option<()> {
        let parts: Vec<&str> = word.split(['-', '/']).collect();
        let [a, b, c] = parts.as_slice() else {
            // 20240131
            let digits = word.get(..8).filter(|d| d.bytes().all(|b| b.is_ascii_digit()))?;
            self.year = digits.get(..4)?.parse().ok();
            self.month = digits.get(4..6)?.parse().ok();
            self.day = digits.get(6..)?.parse().ok();
            return Some(());
        };
        if a.len() == 4 {
            self.year = a.parse().ok();
            self.month = b.parse().ok().or_else(|| month(&b.to_ascii_lowercase()));
            self.day = c.parse().ok();
        } else if word.contains('/') {
            self.month = a.parse().ok();
            self.day = b.parse().ok();
            self.year = c.parse().ok().map(|n| full_year(c, n));
        } else {
            self.day = a.parse().ok();
            self.month = month(&b.to_ascii_lowercase()).or_else(|| b.parse().ok());
            self.year = c.parse().ok().map(|n| full_year(c, n));
        }
        Some(())
    }

    /// 10:00, 10:00:00, 10.00.00, 10:00:00.123Z, 3:04PM, 10:00:00+01:00.
    fn clock(&mut self, word: &str) -> Option<()> {
        let end = word.find(|c: char| !c.is_ascii_digit() && c != ':' && c != '.').unwrap_or(word.len());
        let (clock, rest) = word.split_at(end);
        let separator = if clock.contains(':') { ':' } else { '.' };
        let mut parts = clock.split(separator);
        let mut next = || parts.next().map(|p| p.split('.').next().unwrap_or_default().parse::<i64>());
        let hour = next()?.ok()?;
        let minute = next()?.ok()?;
        let second = next().map_or(Some(0), Result::ok)?;
        self.time = self.time.or(Some((hour, minute, second)));
        let rest = rest.to_ascii_lowercase();
        if let Some(afternoon) = noon(&rest) {
            self.afternoon = Some(afternoon);
        } else if rest == "z" {
            self.zone = Some(0);
        } else if !rest.is_empty() {
            self.zone = self.zone.or(offset(&rest));
        }
        Some(())
    }

    fn seconds(&self) -> Option<i64> {
        let (year, month, day) = (self.year?, self.month?, self.day?);
        let (mut hour, minute, second) = self.time.unwrap_or_default();
        match self.afternoon {
            Some(true) if hour < 12 => hour += 12,
            Some(false) if hour == 12 => hour = 0,
            _ => {}
        }
        let midnight_after = hour == 24 && minute == 0 && second == 0;
        if (hour > 23 && !midnight_after) || minute > 59 || second > 60 || !YEARS.contains(&year) {
            return None;
        }
        let date = civil::Date::new(year.try_into().ok()?, month.try_into().ok()?, day.try_into().ok()?).ok()?;
        let midnight = date.to_datetime(civil::Time::midnight()).to_zoned(jiff::tz::TimeZone::UTC).ok()?;
        let local = midnight.timestamp().as_second() + hour * 3600 + minute * 60 + second.min(59);
        Some(local - self.zone.unwrap_or(0) * 60)
    }
}

/// From the first year of a FILETIME to the last that Outlook has a calendar for.
const YEARS: std::ops::RangeInclusive<i64> = 1601..=4500;

fn full_year(word: &str, n: i64) -> i64 {
    match word.len() {
        0..=2 if n < 50 => 2000 + n,
        0..=3 => 1900 + n,
        _ => n,
    }
}

fn month(lower: &str) -> Option<i64> {
    let three = lower.get(..3)?;
    if !lower.bytes().all(|b| b.is_ascii_alphabetic()) {
        return None;
    }
    MONTHS.iter().position(|m| *m == three).map(|i| i as i64 + 1)
}

fn noon(lower: &str) -> Option<bool> {
    match lower {
        "am" | "a.m" => Some(false),
        "pm" | "p.m" => Some(true),
        _ => None,
    }
}

/// Minutes of "+0100", "-08:00" or "+1".
fn offset(word: &str) -> Option<i64> {
    let (sign, digits) = match word.split_at_checked(1)? {
        ("+", d) => (1, d),
        ("-", d) => (-1, d),
        _ => return None,
    };
    let (hours, minutes) = match digits.split_once(':') {
        Some(pair) => pair,
        None if digits.len() > 2 => digits.split_at_checked(digits.len() - 2)?,
        None => (digits, "0"),
    };
    let (hours, minutes): (i64, i64) = (hours.parse().ok()?, minutes.parse().ok()?);
    ((0..=15).contains(&hours) && (0..=59).contains(&minutes)).then_some(sign * (hours * 60 + minutes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        let jan1 = 1_704_103_200; // 2024-01-01 10:00:00 UTC
        for (text, want) in [
            ("Mon, 1 Jan 2024 10:00:00 +0000", Some(jan1)),
            ("Mon, 01 Jan 2024 10:00 EST", Some(jan1 + 5 * 3600)),
            ("Mon Jan  1 10:00:00 2024", Some(jan1)),
            ("2024-01-01T10:00:00Z", Some(jan1)),
            ("2024-01-01T10:00:00.5+01:00", Some(jan1 - 3600)),
            ("1-Jan-2024 10:00", Some(jan1)),
            ("1 January 2024 10:00:00", Some(jan1)),
            ("01/01/2024 10:00 AM", Some(jan1)),
            ("Mon, 1 Jan 2024 10:00:00 GMT+0100", Some(jan1 - 3600)),
            ("Mon, 1 Jan 2024 10:00:00 Pacific Standard Time", Some(jan1 + 8 * 3600)),
            ("Mon, 1 Jan 24 10.00.00 +0000 (comment)", Some(jan1)),
            ("Fri, 31 Dec 1999 23:59:60 -0000", Some(946_684_799)),
            ("Fri, 31 Dec 1999 24:00:00 -0000", Some(946_684_800)),
            ("32 Foo 2024 25:61", None),
            ("Fri, 31 Feb 2020 10:00:00 +0000", None),
            ("Mon, 1 Jan 1600 10:00:00 +0000", None),
            ("Mon, 1 Jan 30000 10:00:00 +0000", None),
            ("Thu, 1 Jan 1970 00:00:00 +0000", Some(0)),
            ("", None),
        ] {
            assert_eq!(parse(text), want, "{text}");
        }
        assert_eq!(format(jan1).as_deref(), Some("Mon, 01 Jan 2024 10:00:00 +0000"));
    }
}
