//! AppointmentRecurrencePattern: the series of an appointment with its exceptions ([MS-OXOCAL] 2.2.1.44.2 to .5).

use super::RecurrencePattern;
use crate::mapi::codepage;
use crate::mapi::cursor::{Cursor, Put};

/// ReaderVersion2.
const READER: u32 = 0x3006;
/// WriterVersion2 from which ExtendedException begins with ChangeHighlight.
const WITH_HIGHLIGHT: u32 = 0x3009;

/// OverrideFlags of ExceptionInfo.
#[allow(missing_docs, reason = "the names are the specification's")]
pub mod overridden {
    pub const SUBJECT: u16 = 0x1;
    pub const MEETING_TYPE: u16 = 0x2;
    pub const REMINDER_DELTA: u16 = 0x4;
    pub const REMINDER: u16 = 0x8;
    pub const LOCATION: u16 = 0x10;
    pub const BUSY_STATUS: u16 = 0x20;
    pub const ATTACHMENT: u16 = 0x40;
    pub const SUB_TYPE: u16 = 0x80;
    pub const COLOR: u16 = 0x100;
    pub const BODY: u16 = 0x200;
}

/// One modified occurrence: ExceptionInfo and its ExtendedException. Times are minutes since 1601 in the series' zone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exception {
    /// StartDateTime.
    pub start: u32,
    /// EndDateTime.
    pub end: u32,
    /// OriginalStartDate.
    pub original: u32,
    /// OverrideFlags ([`overridden`]); each says that the field below is there.
    pub flags: u16,
    /// Subject, in the code page of the writer.
    pub subject: Vec<u8>,
    /// MeetingType.
    pub meeting_type: Option<u32>,
    /// ReminderDelta, minutes.
    pub reminder_delta: Option<u32>,
    /// ReminderSet.
    pub reminder_set: Option<u32>,
    /// Location, in the code page of the writer.
    pub location: Vec<u8>,
    /// BusyStatus.
    pub busy: Option<u32>,
    /// Attachment: 1 if the exception has attachments of its own.
    pub attachment: Option<u32>,
    /// SubType: 1 for all day.
    pub all_day: Option<u32>,
    /// AppointmentColor.
    pub color: Option<u32>,
    /// The ExtendedException.
    pub extended: Extended,
}

/// The ExtendedException structure ([MS-OXOCAL] 2.2.1.44.4).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Extended {
    /// ChangeHighlight with what follows it.
    pub highlight: Option<Vec<u8>>,
    /// ReservedBlockEE1.
    pub reserved: Vec<u8>,
    /// Times and texts once more; there where subject or location are overridden.
    pub texts: Option<WideTexts>,
}

/// The times and UTF-16 texts of an ExtendedException.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WideTexts {
    /// StartDateTime, EndDateTime and OriginalStartDate.
    pub times: (u32, u32, u32),
    /// WideCharSubject.
    pub subject: Vec<u16>,
    /// WideCharLocation.
    pub location: Vec<u16>,
    /// ReservedBlockEE2.
    pub reserved: Vec<u8>,
}

/// The AppointmentRecurrencePattern structure: PidLidAppointmentRecur ([MS-OXOCAL] 2.2.1.44.5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppointmentRecurrence {
    /// The RecurrencePattern.
    pub pattern: RecurrencePattern,
    /// ReaderVersion2 and WriterVersion2.
    pub versions: (u32, u32),
    /// StartTimeOffset: minutes after midnight.
    pub start_offset: u32,
    /// EndTimeOffset: minutes after the midnight before the start.
    pub end_offset: u32,
    /// The exceptions, in the order of [`RecurrencePattern::modified`].
    pub exceptions: Vec<Exception>,
    /// ReservedBlock1.
    pub reserved1: Vec<u8>,
    /// ReservedBlock2.
    pub reserved2: Vec<u8>,
    /// False if what follows the exceptions could not be read to its end: all of it is then in `rest`.
    pub whole: bool,
    /// What follows the structure, or what could not be read of it.
    pub rest: Vec<u8>,
}

impl AppointmentRecurrence {
    /// A series with times of day and no exceptions.
    pub fn new(pattern: RecurrencePattern, start_offset: u32, end_offset: u32) -> Self {
        Self {
            pattern,
            versions: (READER, WITH_HIGHLIGHT),
            start_offset,
            end_offset,
            exceptions: Vec::new(),
            reserved1: Vec::new(),
            reserved2: Vec::new(),
            whole: true,
            rest: Vec::new(),
        }
    }

    /// Reads the structure; `None` if pattern, times or exceptions are cut short or of an unknown kind.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let mut at = Cursor(bytes);
        let pattern = RecurrencePattern::read(&mut at)?;
        let versions = (at.u32()?, at.u32()?);
        let mut new = Self::new(pattern, at.u32()?, at.u32()?);
        new.versions = versions;
        for _ in 0..at.u16()? {
            new.exceptions.push(Exception::read(&mut at)?);
        }
        let after = at.0;
        if new.read_rest(&mut at).is_none() {
            (new.whole, at.0) = (false, after);
        }
        new.rest = at.0.to_vec();
        Some(new)
    }

    fn read_rest(&mut self, at: &mut Cursor<'_>) -> Option<()> {
        self.reserved1 = at.block()?.to_vec();
        let highlighted = self.versions.1 >= WITH_HIGHLIGHT;
        for exception in &mut self.exceptions {
            exception.extended = Extended::read(at, highlighted, exception.flags)?;
        }
        self.reserved2 = at.block()?.to_vec();
        Some(())
    }

    /// The structure as it is stored.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = self.pattern.encode();
        for field in [self.versions.0, self.versions.1, self.start_offset, self.end_offset] {
            out.u32(field);
        }
        out.u16(self.exceptions.len() as u16);
        self.exceptions.iter().for_each(|e| e.write(&mut out));
        if self.whole {
            out.block(&self.reserved1);
            let highlighted = self.versions.1 >= WITH_HIGHLIGHT;
            self.exceptions.iter().for_each(|e| e.extended.write(&mut out, highlighted, e.flags));
            out.block(&self.reserved2);
        }
        out.extend_from_slice(&self.rest);
        out
    }
}

impl Exception {
    const fn has(&self, flag: u16) -> bool {
        self.flags & flag != 0
    }

    fn read(at: &mut Cursor<'_>) -> Option<Self> {
        let mut new =
            Self { start: at.u32()?, end: at.u32()?, original: at.u32()?, flags: at.u16()?, ..Self::default() };
        if new.has(overridden::SUBJECT) {
            new.subject = text8(at)?;
        }
        let flags = new.flags;
        let mut number = |flag| if flags & flag != 0 { at.u32().map(Some) } else { Some(None) };
        new.meeting_type = number(overridden::MEETING_TYPE)?;
        new.reminder_delta = number(overridden::REMINDER_DELTA)?;
        new.reminder_set = number(overridden::REMINDER)?;
        if flags & overridden::LOCATION != 0 {
            new.location = text8(at)?;
        }
        let mut number = |flag| if flags & flag != 0 { at.u32().map(Some) } else { Some(None) };
        new.busy = number(overridden::BUSY_STATUS)?;
        new.attachment = number(overridden::ATTACHMENT)?;
        new.all_day = number(overridden::SUB_TYPE)?;
        new.color = number(overridden::COLOR)?;
        Some(new)
    }

    fn write(&self, out: &mut Vec<u8>) {
        for field in [self.start, self.end, self.original] {
            out.u32(field);
        }
        out.u16(self.flags);
        let numbers = |out: &mut Vec<u8>, fields: [(u16, Option<u32>); 4]| {
            for (_, value) in fields.into_iter().filter(|(flag, _)| self.has(*flag)) {
                out.u32(value.unwrap_or_default());
            }
        };
        if self.has(overridden::SUBJECT) {
            put_text8(&self.subject, out);
        }
        numbers(
            out,
            [
                (overridden::MEETING_TYPE, self.meeting_type),
                (overridden::REMINDER_DELTA, self.reminder_delta),
                (overridden::REMINDER, self.reminder_set),
                (0, None),
            ],
        );
        if self.has(overridden::LOCATION) {
            put_text8(&self.location, out);
        }
        numbers(
            out,
            [
                (overridden::BUSY_STATUS, self.busy),
                (overridden::ATTACHMENT, self.attachment),
                (overridden::SUB_TYPE, self.all_day),
                (overridden::COLOR, self.color),
            ],
        );
    }

    /// The subject, if it is overridden; `page` is the code page of the 8-bit text.
    pub fn subject_text(&self, page: u32) -> Option<String> {
        self.has(overridden::SUBJECT).then(|| self.text(|t| &t.subject, &self.subject, page))
    }

    /// The location, if it is overridden; `page` is the code page of the 8-bit text.
    pub fn location_text(&self, page: u32) -> Option<String> {
        self.has(overridden::LOCATION).then(|| self.text(|t| &t.location, &self.location, page))
    }

    fn text(&self, wide: impl Fn(&WideTexts) -> &Vec<u16>, narrow: &[u8], page: u32) -> String {
        match &self.extended.texts {
            Some(texts) => String::from_utf16_lossy(wide(texts)),
            None => codepage::decode(page, narrow),
        }
    }

    /// Overrides subject and location with UTF-16 texts, beside 8-bit ones in windows-1252.
    pub fn set_texts(&mut self, subject: Option<&str>, location: Option<&str>) {
        let narrow = |t: &str| -> Vec<u8> {
            let mut bytes = encoding_rs::WINDOWS_1252.encode(t).0.into_owned();
            bytes.truncate(usize::from(u16::MAX) - 1);
            bytes
        };
        let wide = |t: &str| -> Vec<u16> { t.encode_utf16().take(usize::from(u16::MAX)).collect() };
        let mut texts = WideTexts { times: (self.start, self.end, self.original), ..WideTexts::default() };
        if let Some(text) = subject {
            self.flags |= overridden::SUBJECT;
            (self.subject, texts.subject) = (narrow(text), wide(text));
        }
        if let Some(text) = location {
            self.flags |= overridden::LOCATION;
            (self.location, texts.location) = (narrow(text), wide(text));
        }
        self.extended.texts = (subject.is_some() || location.is_some()).then_some(texts);
    }
}

/// A length with its terminator, a length without, and the text.
fn text8(at: &mut Cursor<'_>) -> Option<Vec<u8>> {
    at.u16()?;
    let n = usize::from(at.u16()?);
    at.take(n).map(<[u8]>::to_vec)
}

fn put_text8(text: &[u8], out: &mut Vec<u8>) {
    out.u16((text.len() as u16).saturating_add(1));
    out.u16(text.len() as u16);
    out.extend_from_slice(text);
}

impl Extended {
    fn read(at: &mut Cursor<'_>, highlighted: bool, flags: u16) -> Option<Self> {
        let highlight = if highlighted { Some(at.block()?.to_vec()) } else { None };
        let reserved = at.block()?.to_vec();
        let (subject, location) = (flags & overridden::SUBJECT != 0, flags & overridden::LOCATION != 0);
        let mut texts = None;
        if subject || location {
            texts = Some(WideTexts {
                times: (at.u32()?, at.u32()?, at.u32()?),
                subject: if subject { at.units()? } else { Vec::new() },
                location: if location { at.units()? } else { Vec::new() },
                reserved: at.block()?.to_vec(),
            });
        }
        Some(Self { highlight, reserved, texts })
    }

    fn write(&self, out: &mut Vec<u8>, highlighted: bool, flags: u16) {
        if highlighted {
            out.block(self.highlight.as_deref().unwrap_or(&[0; 4]));
        }
        out.block(&self.reserved);
        let (subject, location) = (flags & overridden::SUBJECT != 0, flags & overridden::LOCATION != 0);
        if !subject && !location {
            return;
        }
        let none = WideTexts::default();
        let texts = self.texts.as_ref().unwrap_or(&none);
        for field in [texts.times.0, texts.times.1, texts.times.2] {
            out.u32(field);
        }
        if subject {
            out.units(&texts.subject);
        }
        if location {
            out.units(&texts.location);
        }
        out.block(&texts.reserved);
    }
}
