//! Recurring appointments and tasks: PidLidAppointmentRecur and PidLidTaskRecurrence ([MS-OXOCAL] 2.2.1.44).
//!
//! Dates are minutes since 1601-01-01 00:00, in the time zone of the series.

mod exception;
mod occurrences;

pub use exception::{AppointmentRecurrence, Exception, Extended, WideTexts, overridden};
pub use occurrences::{Occurrences, date_of, minutes_of};

use super::cursor::{Cursor, Put};

/// ReaderVersion and WriterVersion.
pub const VERSION: u16 = 0x3004;
/// EndDate of a series without end: the last day of the year 4500.
pub const NO_END: u32 = 0x5AE9_80DF;
/// The days of the week in English, as their numbers go.
pub(crate) const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
/// The months in English.
pub(crate) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
/// Day of PatternTypeSpecific: the last day of the month.
pub const LAST_DAY: u32 = 31;
/// N of PatternTypeSpecific: the last such day.
pub const LAST: u32 = 5;
/// The mask of Monday to Friday; Sunday is bit 0.
pub const WEEKDAYS: u32 = 0x3E;
/// OccurrenceCount of a series without end.
const UNCOUNTED: u32 = 10;

/// RecurFrequency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names are the specification's")]
pub enum Frequency {
    Daily = 0x200A,
    Weekly = 0x200B,
    Monthly = 0x200C,
    Yearly = 0x200D,
}

/// EndType.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names are the specification's")]
pub enum End {
    Date,
    Count,
    Never,
    /// The other value that means "never".
    NeverToo,
}

/// The values of EndType.
const ENDS: [(End, u32); 4] =
    [(End::Date, 0x2021), (End::Count, 0x2022), (End::Never, 0x2023), (End::NeverToo, 0xFFFF_FFFF)];

/// PatternType and PatternTypeSpecific. `kind` is the PatternType where several share a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Pattern {
    /// Every Period minutes.
    Day,
    /// On the days of a mask (Sunday is bit 0), every Period weeks.
    Week(u32),
    /// On a day of the month, every Period months: 2 month, 4 month end, 0xA and 0xC the same of the Hijri calendar.
    Month {
        /// PatternType.
        kind: u16,
        /// 1 to 31; months that are shorter take their last day.
        day: u32,
    },
    /// On the nth of the days of a mask, every Period months: 3, and 0xB of the Hijri calendar.
    MonthNth {
        /// PatternType.
        kind: u16,
        /// The days; Sunday is bit 0.
        days: u32,
        /// 1 to 4, and 5 for the last.
        n: u32,
    },
}

impl Pattern {
    const MONTH: u16 = 2;
    const MONTH_NTH: u16 = 3;

    /// On a day of the month of the Gregorian calendar.
    pub const fn month(day: u32) -> Self {
        Self::Month { kind: Self::MONTH, day }
    }

    /// On the nth of some days of the month of the Gregorian calendar.
    pub const fn nth(days: u32, n: u32) -> Self {
        Self::MonthNth { kind: Self::MONTH_NTH, days, n }
    }

    const fn kind(self) -> u16 {
        match self {
            Self::Day => 0,
            Self::Week(_) => 1,
            Self::Month { kind, .. } | Self::MonthNth { kind, .. } => kind,
        }
    }

    const fn is_hijri(self) -> bool {
        self.kind() >= 0xA
    }
}

/// The RecurrencePattern structure ([MS-OXOCAL] 2.2.1.44.1); the whole of PidLidTaskRecurrence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecurrencePattern {
    /// ReaderVersion and WriterVersion.
    pub versions: (u16, u16),
    /// RecurFrequency.
    pub frequency: Frequency,
    /// PatternType and PatternTypeSpecific.
    pub pattern: Pattern,
    /// CalendarType: 0 and 1 Gregorian, others as Windows numbers calendars.
    pub calendar: u16,
    /// FirstDateTime.
    pub first: u32,
    /// Period: minutes, weeks or months.
    pub period: u32,
    /// SlidingFlag: 1 for tasks that start anew when they are completed.
    pub sliding: u32,
    /// EndType.
    pub end: End,
    /// OccurrenceCount, deleted occurrences included.
    pub count: u32,
    /// FirstDOW: the first day of the week, Sunday is 0.
    pub first_day: u32,
    /// DeletedInstanceDates: the original dates of deleted and of modified occurrences, ascending.
    pub deleted: Vec<u32>,
    /// ModifiedInstanceDates: the new dates of modified occurrences, ascending.
    pub modified: Vec<u32>,
    /// StartDate: the date of the first occurrence.
    pub start: u32,
    /// EndDate: the date of the last occurrence.
    pub last: u32,
}

impl RecurrencePattern {
    /// A series without end and without exceptions; [`Self::first`] is set as [MS-OXOCAL] 2.2.1.44.1.1 has it.
    pub fn new(frequency: Frequency, pattern: Pattern, period: u32, first_day: u32, start: u32) -> Self {
        let mut new = Self {
            versions: (VERSION, VERSION),
            frequency,
            pattern,
            calendar: 0,
            first: 0,
            period,
            sliding: 0,
            end: End::Never,
            count: UNCOUNTED,
            first_day,
            deleted: Vec::new(),
            modified: Vec::new(),
            start,
            last: NO_END,
        };
        new.first = new.first_date_time();
        new
    }

    /// Reads the structure; `None` if it is cut short or of an unknown kind.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        Self::read(&mut Cursor(bytes))
    }

    pub(super) fn read(at: &mut Cursor<'_>) -> Option<Self> {
        let versions = (at.u16()?, at.u16()?);
        let frequency = match at.u16()? {
            0x200A => Frequency::Daily,
            0x200B => Frequency::Weekly,
            0x200C => Frequency::Monthly,
            0x200D => Frequency::Yearly,
            _ => return None,
        };
        let kind = at.u16()?;
        let (calendar, first, period, sliding) = (at.u16()?, at.u32()?, at.u32()?, at.u32()?);
        let pattern = match kind {
            0 => Pattern::Day,
            1 => Pattern::Week(at.u32()?),
            2 | 4 | 0xA | 0xC => Pattern::Month { kind, day: at.u32()? },
            3 | 0xB => Pattern::MonthNth { kind, days: at.u32()?, n: at.u32()? },
            _ => return None,
        };
        let end = at.u32()?;
        let end = ENDS.iter().find(|(_, value)| *value == end)?.0;
        Some(Self {
            versions,
            frequency,
            pattern,
            calendar,
            first,
            period,
            sliding,
            end,
            count: at.u32()?,
            first_day: at.u32()?,
            deleted: at.numbers()?,
            modified: at.numbers()?,
            start: at.u32()?,
            last: at.u32()?,
        })
    }

    /// The structure as it is stored.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(&mut out);
        out
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.u16(self.versions.0);
        out.u16(self.versions.1);
        out.u16(self.frequency as u16);
        out.u16(self.pattern.kind());
        out.u16(self.calendar);
        for field in [self.first, self.period, self.sliding] {
            out.u32(field);
        }
        match self.pattern {
            Pattern::Day => {}
            Pattern::Week(days) => out.u32(days),
            Pattern::Month { day, .. } => out.u32(day),
            Pattern::MonthNth { days, n, .. } => {
                out.u32(days);
                out.u32(n);
            }
        }
        let end = ENDS.iter().find(|(end, _)| *end == self.end).map_or(0, |(_, value)| *value);
        for field in [end, self.count, self.first_day] {
            out.u32(field);
        }
        for list in [&self.deleted, &self.modified] {
            out.u32(list.len() as u32);
            for date in list {
                out.u32(*date);
            }
        }
        out.u32(self.start);
        out.u32(self.last);
    }

    /// True where months and years are those of the Gregorian calendar.
    pub fn is_gregorian(&self) -> bool {
        // Japan, Taiwan, Korea and Thailand count years otherwise; the later numbers are Gregorian in other languages.
        !self.pattern.is_hijri() && matches!(self.calendar, 0..=5 | 7 | 9..=0xC)
    }

    /// True for a series without end.
    pub fn is_endless(&self) -> bool {
        matches!(self.end, End::Never | End::NeverToo)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(hex: &str) -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap()).collect()
    }

    /// The examples of [MS-OXOCAL] 4.1.1.1 to 4.1.1.4 and 4.1.1.6.
    const WEEKLY: &str = "043004300B2001000000C0210000010000000000000032000000222000000C0000000000000000000000000000008020BC0C20ADBC0C0630000009300000580200007602000000000000000000000000";
    const WEEKLY_CHANGED: &str = "043004300B2001000000C0210000010000000000000032000000222000000C0000000000000001000000A096BC0C01000000A096BC0C8020BC0C20ADBC0C0630000009300000580200007602000001003499BC0C5299BC0CF898BC0C11002200210053696D706C6520526563757272656E6365207769746820657863657074696F6E730800070033342F34313431000000000400000000000000000000003499BC0C5299BC0CF898BC0C2100530069006D0070006C006500200052006500630075007200720065006E006300650020007700690074006800200065007800630065007000740069006F006E0073000700330034002F0034003100340031000000000000000000";
    const DAILY: &str = "043004300A2000000000A0050000E010000000000000212000000A0000000000000002000000A0C1DC0C80D2DC0C00000000207EDC0C0016DD0C0630000009300000E0010000FE01000000000000000000000000";
    const MONTHLY: &str = "043004300C200300000060AE000003000000000000004100000003000000222000000A00000000000000020000006028C50C4028C70C02000000002EC50C4028C70C8028C30C6027D50C063000000930000048030000FC03000002004831C50CFC31C50CA82BC50C0000882BC70C3C2CC70C882BC70C10000D000C006E6577206C6F636174696F6E00000000040000000000000000000000040000000000000000000000882BC70C3C2CC70C882BC70C0C006E006500770020006C006F0063006100740069006F006E000000000000000000";
    const HEBREW: &str = "043004300D200200080080750A000C0000000000000003000000232000000A0000000000000001000000207EDC0C01000000207EDC0C6074C40CDF80E95A0630000009300000E0010000FE01000001000080DC0C1E80DC0C0080DC0C24023C000000010000000000000004000000000000000000000000000000";

    #[test]
    fn the_examples_of_the_specification_come_out_as_they_went_in() {
        for hex in [WEEKLY, WEEKLY_CHANGED, DAILY, MONTHLY, HEBREW] {
            let bytes = bytes(hex);
            let read = AppointmentRecurrence::decode(&bytes).unwrap();
            assert_eq!(read.encode(), bytes, "{hex}");
            let pattern = RecurrencePattern::decode(&bytes).unwrap();
            assert_eq!(RecurrencePattern::decode(&pattern.encode()), Some(pattern.clone()));
            if pattern.is_gregorian() {
                assert_eq!(pattern.first_date_time(), pattern.first, "{hex}");
            }
        }
        let hijri = RecurrencePattern {
            pattern: Pattern::MonthNth { kind: 0xB, days: 2, n: 1 },
            calendar: 6,
            ..RecurrencePattern::decode(&bytes(DAILY)).unwrap()
        };
        assert_eq!(RecurrencePattern::decode(&hijri.encode()), Some(hijri.clone()));
        assert!(!hijri.is_gregorian());
    }

    #[test]
    fn exceptions_are_read() {
        let read = AppointmentRecurrence::decode(&bytes(WEEKLY_CHANGED)).unwrap();
        let [one] = read.exceptions.as_slice() else { panic!("{:?}", read.exceptions) };
        assert_eq!((one.original - one.original % 1440, one.start - one.original), (read.pattern.deleted[0], 60));
        assert_eq!(one.subject_text(1252).as_deref(), Some("Simple Recurrence with exceptions"));
        assert_eq!(one.location_text(1252).as_deref(), Some("34/4141"));
        let hebrew = AppointmentRecurrence::decode(&bytes(HEBREW)).unwrap();
        assert_eq!(hebrew.exceptions[0].reminder_delta, Some(60));
        assert_eq!(hebrew.exceptions[0].busy, Some(1));
        assert!(hebrew.exceptions[0].flags & overridden::BODY != 0 && hebrew.pattern.occurrences().is_none());
    }

    #[test]
    fn occurrences_of_the_examples() {
        let dates = |hex: &str| -> Vec<String> {
            let pattern = RecurrencePattern::decode(&bytes(hex)).unwrap();
            pattern.occurrences().unwrap().map(|m| date_of(m).to_string()).collect()
        };
        let weekly = dates(WEEKLY);
        assert_eq!((weekly.len(), weekly[0].as_str(), weekly[11].as_str()), (12, "2007-03-26", "2007-04-20"));
        assert_eq!(weekly[..4], ["2007-03-26", "2007-03-29", "2007-03-30", "2007-04-02"]);
        let daily = dates(DAILY);
        assert_eq!((daily.len(), daily[0].as_str(), daily[9].as_str()), (10, "2011-04-07", "2011-05-04"));
        let monthly = dates(MONTHLY);
        assert_eq!((monthly.len(), monthly[0].as_str(), monthly[1].as_str()), (10, "2008-02-09", "2008-05-10"));
        assert_eq!(monthly[9], "2010-05-08");
    }

    #[test]
    fn damage_is_no_panic() {
        for hex in [WEEKLY, WEEKLY_CHANGED, DAILY, MONTHLY, HEBREW] {
            let whole = bytes(hex);
            for cut in 0..whole.len() {
                let _ = AppointmentRecurrence::decode(&whole[..cut]);
                for value in [0, 0x7F, 0xFF] {
                    let mut damaged = whole.clone();
                    damaged[cut] = value;
                    if let Some(read) = AppointmentRecurrence::decode(&damaged) {
                        assert!(read.pattern.occurrences().is_none_or(|o| o.take(1000).count() <= 1000));
                    }
                }
            }
        }
    }
}
