//! RRULE as text (RFC 5545 3.3.10).

use super::value::Stamp;
use crate::mapi::recurrence::Frequency;
use std::fmt::Write;

/// The days of the week as RRULE writes them; Sunday is the first.
const DAYS: [&str; 7] = ["SU", "MO", "TU", "WE", "TH", "FR", "SA"];

/// How often a rule falls due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Freq {
    /// Frequencies that Outlook has too.
    Known(Frequency),
    /// HOURLY, MINUTELY or SECONDLY.
    Finer,
}

/// A recurrence rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rule {
    /// FREQ.
    pub freq: Freq,
    /// INTERVAL.
    pub interval: u32,
    /// COUNT.
    pub count: Option<u32>,
    /// UNTIL.
    pub until: Option<Stamp>,
    /// BYDAY: an ordinal (0 for none) and a day (Sunday is 0).
    pub days: Vec<(i32, u32)>,
    /// BYMONTHDAY.
    pub month_days: Vec<i32>,
    /// BYMONTH.
    pub months: Vec<u32>,
    /// BYSETPOS.
    pub positions: Vec<i32>,
    /// WKST (Sunday is 0).
    pub week_start: Option<u32>,
    /// Other parts, names in upper case.
    pub others: Vec<(String, String)>,
}

impl Rule {
    /// An endless rule of every `interval` days, weeks, months or years.
    pub fn new(frequency: Frequency, interval: u32) -> Self {
        Self {
            freq: Freq::Known(frequency),
            interval,
            count: None,
            until: None,
            days: Vec::new(),
            month_days: Vec::new(),
            months: Vec::new(),
            positions: Vec::new(),
            week_start: None,
            others: Vec::new(),
        }
    }

    /// Reads a rule; `None` if it has no FREQ or a part makes no sense.
    pub fn parse(text: &str) -> Option<Self> {
        let mut rule = Self::new(Frequency::Daily, 1);
        let mut freq = None;
        for part in text.trim().split(';').filter(|p| !p.trim().is_empty()) {
            let (name, value) = part.split_once('=')?;
            let (name, value) = (name.trim().to_ascii_uppercase(), value.trim().to_ascii_uppercase());
            match name.as_str() {
                "FREQ" => {
                    freq = Some(match value.as_str() {
                        "DAILY" => Freq::Known(Frequency::Daily),
                        "WEEKLY" => Freq::Known(Frequency::Weekly),
                        "MONTHLY" => Freq::Known(Frequency::Monthly),
                        "YEARLY" => Freq::Known(Frequency::Yearly),
                        "HOURLY" | "MINUTELY" | "SECONDLY" => Freq::Finer,
                        _ => return None,
                    });
                }
                "INTERVAL" => rule.interval = value.parse().ok().filter(|n| *n > 0)?,
                "COUNT" => rule.count = Some(value.parse().ok().filter(|n| *n > 0)?),
                "UNTIL" => rule.until = Some(Stamp::parse(&value)?),
                "BYDAY" => rule.days = numbers(&value, day)?,
                "BYMONTHDAY" => rule.month_days = numbers(&value, |v| v.parse().ok())?,
                "BYMONTH" => rule.months = numbers(&value, |v| v.parse().ok().filter(|m| (1..=12).contains(m)))?,
                "BYSETPOS" => rule.positions = numbers(&value, |v| v.parse().ok())?,
                "WKST" => rule.week_start = Some(day(&value)?.1),
                _ => rule.others.push((name, value)),
            }
        }
        rule.freq = freq?;
        Some(rule)
    }

    /// The days of BYDAY as a mask, if none has an ordinal.
    pub fn mask(&self) -> Option<u32> {
        self.days.iter().try_fold(0, |mask, (nth, day)| (*nth == 0).then_some(mask | 1 << day))
    }
}

fn numbers<T>(text: &str, one: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
    text.split(',').map(|part| one(part.trim())).collect()
}

/// `MO`, `2TU` or `-1FR`.
fn day(text: &str) -> Option<(i32, u32)> {
    let (nth, name) = text.split_at_checked(text.len().checked_sub(2)?)?;
    let day = DAYS.iter().position(|d| *d == name)? as u32;
    let nth = if nth.is_empty() { 0 } else { nth.parse().ok()? };
    Some((nth, day))
}

impl std::fmt::Display for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let freq = match self.freq {
            Freq::Known(Frequency::Daily) => "DAILY",
            Freq::Known(Frequency::Weekly) => "WEEKLY",
            Freq::Known(Frequency::Monthly) => "MONTHLY",
            Freq::Known(Frequency::Yearly) => "YEARLY",
            Freq::Finer => "HOURLY",
        };
        write!(f, "FREQ={freq}")?;
        if let Some(until) = self.until {
            write!(f, ";UNTIL={until}")?;
        }
        if let Some(count) = self.count {
            write!(f, ";COUNT={count}")?;
        }
        if self.interval != 1 {
            write!(f, ";INTERVAL={}", self.interval)?;
        }
        let days = self.days.iter().fold(String::new(), |mut all, (nth, day)| {
            let nth = if *nth == 0 { String::new() } else { nth.to_string() };
            let comma = if all.is_empty() { "" } else { "," };
            let _ = write!(all, "{comma}{nth}{}", DAYS.get(*day as usize).unwrap_or(&"SU"));
            all
        });
        let list = |values: &[i32]| values.iter().map(i32::to_string).collect::<Vec<_>>().join(",");
        let months: Vec<i32> = self.months.iter().map(|m| *m as i32).collect();
        let parts = [
            ("BYMONTH", list(&months)),
            ("BYMONTHDAY", list(&self.month_days)),
            ("BYDAY", days),
            ("BYSETPOS", list(&self.positions)),
        ];
        for (name, value) in parts.iter().filter(|(_, value)| !value.is_empty()) {
            write!(f, ";{name}={value}")?;
        }
        if let Some(day) = self.week_start {
            write!(f, ";WKST={}", DAYS.get(day as usize).unwrap_or(&"SU"))?;
        }
        Ok(())
    }
}
