//! Dates and times of an item as lines.

use super::Output;
use crate::mime::calendar::value::{Stamp, civil};
use crate::mime::calendar::zones::{ItemZone, nearest_date};
use crate::mime::lines::Line;
use jiff::civil::DateTime;

/// How the times of an item are written.
#[derive(Debug, Clone, Default)]
pub(super) struct When {
    /// As dates.
    pub all_day: bool,
    /// In this zone; without one, in UTC.
    pub zone: Option<ItemZone>,
}

impl When {
    /// The local time of a moment.
    pub fn local(&self, utc: i64) -> Option<DateTime> {
        match &self.zone {
            Some(zone) => zone.to_local(utc),
            None if self.all_day => nearest_date(utc).map(|d| d.at(0, 0, 0, 0)),
            None => civil(utc),
        }
    }

    /// The local time of the end of a series.
    pub fn until(&self, until: Stamp) -> Option<DateTime> {
        match (until, &self.zone) {
            (Stamp::Utc(at), Some(zone)) => zone.to_local(super::super::value::seconds(at)),
            (Stamp::Utc(at), None) | (Stamp::Local(at), _) => Some(at),
            // A date means its whole day.
            (Stamp::Day(date), _) => Some(date.at(23, 59, 59, 0)),
        }
    }

    /// The moment of a local time.
    pub fn utc(&self, local: DateTime) -> i64 {
        match &self.zone {
            Some(zone) => zone.to_utc(local),
            None => super::super::value::seconds(local),
        }
    }

    /// A local time as a stamp.
    pub fn stamp(&self, local: DateTime) -> Stamp {
        match &self.zone {
            _ if self.all_day => Stamp::Day(local.date()),
            Some(_) => Stamp::Local(local),
            None => Stamp::Utc(local),
        }
    }

    /// A line of local times.
    pub fn lines(&self, name: &str, times: &[DateTime], out: &mut Output<'_>) -> Line {
        let value = times.iter().map(|t| self.stamp(*t).to_string()).collect::<Vec<_>>().join(",");
        let line = Line::new(name, value);
        match &self.zone {
            _ if self.all_day => line.with("VALUE", "DATE"),
            Some(zone) => {
                out.use_zone(zone);
                line.with("TZID", zone.tzid.clone())
            }
            None => line,
        }
    }

    /// A line of one local time.
    pub fn line(&self, name: &str, local: DateTime, out: &mut Output<'_>) -> Line {
        self.lines(name, &[local], out)
    }

    /// A line of a moment.
    pub fn line_at(&self, name: &str, utc: i64, out: &mut Output<'_>) -> Option<Line> {
        let local = self.local(utc)?;
        Some(self.line(name, local, out))
    }
}
