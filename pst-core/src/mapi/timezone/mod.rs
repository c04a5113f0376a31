//! Time zones of appointments: PidLidTimeZoneStruct and PidLidAppointmentTimeZoneDefinition... ([MS-OXOCAL] 2.2.1.39,
//! 2.2.1.41 to .43).

pub(in crate::mapi) mod rules;

use super::cursor::{Cursor, Put};

/// TZRule flag: the rule that PidLidTimeZoneStruct has.
pub const RECURRING: u16 = 1;
/// TZRule flag: the rule that counts.
pub const EFFECTIVE: u16 = 2;
/// The word before the flags of a TZRule.
const RULE_SIZE: u16 = 0x3E;

/// A SYSTEMTIME that says when clocks change: in every year on the nth weekday of a month (`year` 0), or once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names are the specification's")]
pub struct SystemTime {
    pub year: u16,
    /// 0: clocks never change.
    pub month: u16,
    /// Sunday is 0.
    pub weekday: u16,
    /// 1 to 4 for the nth such weekday, 5 for the last; the day of the month where a year is given.
    pub day: u16,
    pub hour: u16,
    pub minute: u16,
    pub second: u16,
    pub millisecond: u16,
}

/// One set of rules of a zone. Biases are minutes west of UTC: UTC is local time plus bias.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct ZoneRule {
    /// lBias.
    pub bias: i32,
    /// lStandardBias, in addition.
    pub standard_bias: i32,
    /// lDaylightBias, in addition.
    pub daylight_bias: i32,
    /// stStandardDate: when standard time begins, in daylight time.
    pub standard: SystemTime,
    /// stDaylightDate: when daylight time begins, in standard time.
    pub daylight: SystemTime,
}

/// PidLidTimeZoneStruct ([MS-OXOCAL] 2.2.1.39).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ZoneStruct {
    /// The rules.
    pub rule: ZoneRule,
    /// wStandardYear and wDaylightYear.
    pub years: (u16, u16),
}

/// A TZRule of a definition ([MS-OXOCAL] 2.2.1.41.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct YearRule {
    /// Major and minor version.
    pub version: (u8, u8),
    /// The size, as it stands before the flags.
    pub size: u16,
    /// [`RECURRING`] and [`EFFECTIVE`].
    pub flags: u16,
    /// wYear: the year from which the rules hold.
    pub year: u16,
    /// The fourteen bytes after the year.
    pub rest: [u8; 14],
    /// The rules.
    pub rule: ZoneRule,
}

/// PidLidAppointmentTimeZoneDefinitionRecur, ...StartDisplay and ...EndDisplay ([MS-OXOCAL] 2.2.1.41).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZoneDefinition {
    /// Major and minor version.
    pub version: (u8, u8),
    /// cbHeader and the reserved word.
    pub header: (u16, u16),
    /// KeyName, as Windows names the zone.
    pub name: Vec<u16>,
    /// TZRules, by ascending years.
    pub rules: Vec<YearRule>,
    /// What follows.
    pub rest: Vec<u8>,
}

impl SystemTime {
    fn read(at: &mut Cursor<'_>) -> Option<Self> {
        let (year, month, weekday, day) = (at.u16()?, at.u16()?, at.u16()?, at.u16()?);
        let (hour, minute, second, millisecond) = (at.u16()?, at.u16()?, at.u16()?, at.u16()?);
        Some(Self { year, month, weekday, day, hour, minute, second, millisecond })
    }

    fn write(&self, out: &mut Vec<u8>) {
        let date = [self.year, self.month, self.weekday, self.day];
        for field in date.into_iter().chain([self.hour, self.minute, self.second, self.millisecond]) {
            out.u16(field);
        }
    }
}

impl ZoneRule {
    fn write_biases(&self, out: &mut Vec<u8>) {
        for bias in [self.bias, self.standard_bias, self.daylight_bias] {
            out.u32(bias as u32);
        }
    }
}

impl ZoneStruct {
    /// The structure of some rules.
    pub fn new(rule: ZoneRule) -> Self {
        Self { rule, years: (rule.standard.year, rule.daylight.year) }
    }

    /// Reads the structure; `None` if it is cut short.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let mut at = Cursor(bytes);
        let (bias, standard_bias, daylight_bias) = (at.i32()?, at.i32()?, at.i32()?);
        let (standard_year, standard) = (at.u16()?, SystemTime::read(&mut at)?);
        let (daylight_year, daylight) = (at.u16()?, SystemTime::read(&mut at)?);
        let rule = ZoneRule { bias, standard_bias, daylight_bias, standard, daylight };
        Some(Self { rule, years: (standard_year, daylight_year) })
    }

    /// The structure as it is stored: 48 bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(48);
        self.rule.write_biases(&mut out);
        out.u16(self.years.0);
        self.rule.standard.write(&mut out);
        out.u16(self.years.1);
        self.rule.daylight.write(&mut out);
        out
    }
}

impl ZoneDefinition {
    /// A definition of rules by year; the last is the effective one.
    pub fn new(name: &str, rules: &[(u16, ZoneRule)]) -> Self {
        let name: Vec<u16> = name.encode_utf16().take(255).collect();
        let last = rules.len().saturating_sub(1);
        let rule = |(i, (year, rule)): (usize, &(u16, ZoneRule))| YearRule {
            version: (2, 1),
            size: RULE_SIZE,
            flags: if i == last { EFFECTIVE } else { 0 },
            year: *year,
            rest: [0; 14],
            rule: *rule,
        };
        let rules = rules.iter().enumerate().map(rule).collect();
        Self { version: (2, 1), header: (6 + 2 * name.len() as u16, 2), name, rules, rest: Vec::new() }
    }

    /// The same, as PidLidAppointmentTimeZoneDefinitionRecur has it: the effective rule is that of the series.
    pub fn recurring(mut self) -> Self {
        let effective = self.rules.iter_mut().filter(|r| r.flags & EFFECTIVE != 0);
        effective.for_each(|r| r.flags |= RECURRING);
        self
    }

    /// Reads the structure; `None` if it is cut short.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let mut at = Cursor(bytes);
        let version = (at.u8()?, at.u8()?);
        let header = (at.u16()?, at.u16()?);
        let name = at.units()?;
        let mut rules = Vec::new();
        for _ in 0..at.u16()? {
            let version = (at.u8()?, at.u8()?);
            let (size, flags, year, rest) = (at.u16()?, at.u16()?, at.u16()?, at.array()?);
            let (bias, standard_bias, daylight_bias) = (at.i32()?, at.i32()?, at.i32()?);
            let (standard, daylight) = (SystemTime::read(&mut at)?, SystemTime::read(&mut at)?);
            let rule = ZoneRule { bias, standard_bias, daylight_bias, standard, daylight };
            rules.push(YearRule { version, size, flags, year, rest, rule });
        }
        Some(Self { version, header, name, rules, rest: at.0.to_vec() })
    }

    /// The structure as it is stored.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![self.version.0, self.version.1];
        out.u16(self.header.0);
        out.u16(self.header.1);
        out.units(&self.name);
        out.u16(self.rules.len() as u16);
        for rule in &self.rules {
            out.extend_from_slice(&[rule.version.0, rule.version.1]);
            for field in [rule.size, rule.flags, rule.year] {
                out.u16(field);
            }
            out.extend_from_slice(&rule.rest);
            rule.rule.write_biases(&mut out);
            rule.rule.standard.write(&mut out);
            rule.rule.daylight.write(&mut out);
        }
        out.extend_from_slice(&self.rest);
        out
    }

    /// KeyName.
    pub fn key(&self) -> String {
        String::from_utf16_lossy(&self.name)
    }

    /// The rule that counts: the one marked so, else the last.
    pub fn effective(&self) -> Option<&ZoneRule> {
        let marked = self.rules.iter().find(|r| r.flags & EFFECTIVE != 0);
        marked.or_else(|| self.rules.last()).map(|r| &r.rule)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of [MS-OXOCAL] 4.1.4, and the definition of an appointment of Exchange 2010.
    const PACIFIC: &str = "0201300002001500500061006300690066006900630020005300740061006E0064006100720064002000540069006D006500020002013E000000D6070000000000000000000000000000E001000000000000C4FFFFFF00000A000000050002000000000000000000040000000100020000000000000002013E000200D7070000000000000000000000000000E001000000000000C4FFFFFF00000B0000000100020000000000000000000300000002000200000000000000";
    const PAKISTAN: &str = "0201320002001600500061006b0069007300740061006e0020005300740061006e0064006100720064002000540069006d006500040002013e00000001000100000001000000000000000000d4feffff0000000000000000000000000000000000000000000000000000000000000000000000000000000002013e000000d8070100000001000000000000000000d4feffff00000000c4ffffff00000a000500050017003b003b00e703000005000600050017003b003b00e70302013e000000d9070100000001000000000000000000d4feffff00000000c4ffffff00000a000600050017003b003b00e703000004000200020017003b003b00e70302013e000200da070100000001000000000000000000d4feffff00000000000000000000000000000000000000000000000000000000000000000000000000000000";

    fn bytes(hex: &str) -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap()).collect()
    }

    #[test]
    fn definitions_come_out_as_they_went_in() {
        for (hex, name, rules) in [(PACIFIC, "Pacific Standard Time", 2), (PAKISTAN, "Pakistan Standard Time", 4)] {
            let bytes = bytes(hex);
            let read = ZoneDefinition::decode(&bytes).unwrap();
            assert_eq!((read.encode(), read.key().as_str(), read.rules.len()), (bytes.clone(), name, rules));
            let small = ZoneStruct::new(*read.effective().unwrap());
            assert_eq!(small.encode().len(), 48);
            assert_eq!(ZoneStruct::decode(&small.encode()), Some(small));
            for cut in 0..bytes.len() {
                assert_eq!(ZoneDefinition::decode(&bytes[..cut]), None);
            }
        }
        let pacific = ZoneDefinition::decode(&bytes(PACIFIC)).unwrap();
        let rules: Vec<(u16, ZoneRule)> = pacific.rules.iter().map(|r| (r.year, r.rule)).collect();
        assert_eq!(ZoneDefinition::new("Pacific Standard Time", &rules), pacific);
    }
}
