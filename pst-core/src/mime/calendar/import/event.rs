//! VEVENT to appointments and messages of meetings ([MS-OXCICAL] 2.1.3.1.1.20).

use super::{Input, people};
use crate::mapi::goid::GlobalObjectId;
use crate::mapi::timezone::ZoneStruct;
use crate::mapi::{Lid, Message, PropBag, Value, lid, tag, time};
use crate::mime::calendar::effect;
use crate::mime::calendar::export::{BUSY, FREE, TENTATIVE};
use crate::mime::calendar::value::{Stamp, civil, duration, seconds};
use crate::mime::calendar::zones::Zone;
use crate::mime::lines::{Component, Line};
use jiff::civil::DateTime;
use std::rc::Rc;

/// PidLidAppointmentStateFlags.
const MEETING: i32 = 1;
const RECEIVED: i32 = 2;
const CANCELED: i32 = 4;
/// PidLidResponseStatus: no answer yet.
const NOT_RESPONDED: i32 = 5;
const ORGANIZED: i32 = 1;
/// PidTagIconIndex.
const ICON_SERIES: i32 = 0x401;
const ICON_MEETING: i32 = 0x402;
const ICON_MEETING_SERIES: i32 = 0x403;

/// What an event becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::mime) enum Role {
    /// An appointment in a calendar.
    Appointment,
    /// An invitation.
    Request,
    /// A cancellation.
    Canceled,
    /// An answer: accepted, tentative or declined.
    Answer(&'static str),
    /// A proposal of another time.
    Counter,
}

impl Role {
    /// What the METHOD of a calendar makes of its event; `None` for methods that Outlook has no class for.
    pub fn of(calendar: &Component, event: &Component) -> Option<Self> {
        let method = calendar.text("METHOD")?.trim().to_ascii_uppercase();
        match method.as_str() {
            "PUBLISH" => Some(Self::Appointment),
            "REQUEST" => Some(Self::Request),
            "CANCEL" => Some(Self::Canceled),
            "COUNTER" => Some(Self::Counter),
            "REPLY" => {
                let [attendee] = event.all("ATTENDEE").collect::<Vec<_>>().try_into().ok()?;
                let answer: &Line = attendee;
                match answer.param("PARTSTAT").map(str::to_ascii_uppercase).as_deref() {
                    Some("ACCEPTED") => Some(Self::Answer("Pos")),
                    Some("TENTATIVE") => Some(Self::Answer("Tent")),
                    Some("DECLINED") => Some(Self::Answer("Neg")),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// The message class.
    pub fn class(self) -> String {
        match self {
            Self::Appointment => "IPM.Appointment".to_owned(),
            Self::Request => "IPM.Schedule.Meeting.Request".to_owned(),
            Self::Canceled => "IPM.Schedule.Meeting.Canceled".to_owned(),
            Self::Answer(answer) => format!("IPM.Schedule.Meeting.Resp.{answer}"),
            Self::Counter => "IPM.Schedule.Meeting.Resp.Tent".to_owned(),
        }
    }
}

/// The times of an event.
pub(super) struct Times {
    /// All day.
    pub all_day: bool,
    /// The zone it is in; UTC for days and for times that name none.
    pub zone: Rc<Zone>,
    /// The start, local to the zone.
    pub start: DateTime,
    /// The end, local to the zone.
    pub end: DateTime,
    /// The zone of the end, where it is another.
    pub end_zone: Option<Rc<Zone>>,
    /// The end as a moment.
    pub end_at: i64,
}

impl Times {
    /// The start as a moment.
    pub fn start_at(&self) -> i64 {
        self.zone.clock.to_utc(self.start)
    }
}

/// A FILETIME of seconds since 1970.
pub(super) fn filetime(utc: i64) -> Option<Value> {
    time::from_unix(utc).map(Value::Time)
}

impl Input<'_> {
    /// Sets the properties of an event. Returns the changes that could not become exceptions.
    pub(super) fn event<'c>(
        &mut self,
        source: &Component,
        changes: &[&'c Component],
        message: &mut Message,
        role: Role,
    ) -> Vec<&'c Component> {
        if role != Role::Appointment {
            message.props.set(tag::MESSAGE_CLASS, Value::text(&role.class()));
        } else if message.props.text(tag::MESSAGE_CLASS).is_none_or(|c| c.eq_ignore_ascii_case("IPM.Note")) {
            message.props.set(tag::MESSAGE_CLASS, Value::text("IPM.Appointment"));
        }
        self.id(source, message);
        let meeting = role != Role::Appointment || people::set(source, message);
        if matches!(role, Role::Request | Role::Canceled) {
            people::names(source, message);
        }
        state(source, role, meeting, &mut message.props);
        let location = source.line("LOCATION").map(Line::plain).unwrap_or_default();
        message.props.set_lid(lid::LOCATION, Value::text(&location));
        if role != Role::Appointment {
            message.props.set_lid(lid::WHERE, Value::text(&location));
            message.props.set_lid(lid::APPOINTMENT_MESSAGE_CLASS, Value::text("IPM.Appointment"));
        }
        let Some(times) = self.times(source) else {
            self.warn("the event has no start that can be understood");
            return changes.to_vec();
        };
        set_times(&times, role, &mut message.props);
        reminder(source, &times, &mut message.props);
        let (recurring, left) = self.series(source, changes, &times, message);
        message.props.set_lid(lid::RECURRING, Value::Bool(recurring));
        message.props.set_lid(lid::IS_RECURRING, Value::Bool(recurring));
        if role == Role::Appointment {
            let icon = match (meeting, recurring) {
                (true, true) => ICON_MEETING_SERIES,
                (true, false) => ICON_MEETING,
                (false, true) => ICON_SERIES,
                (false, false) => return left,
            };
            message.props.set(tag::ICON_INDEX, Value::I32(icon));
        }
        left
    }

    /// UID and RECURRENCE-ID.
    fn id(&mut self, source: &Component, message: &mut Message) {
        let Some(uid) = source.text("UID") else { return };
        let clean = GlobalObjectId::of_uid(&uid).clean();
        let mut id = clean.clone();
        let replaced = source.line("RECURRENCE-ID").and_then(|l| Some((Stamp::of(l)?, self.zone_of(l)?)));
        if let Some((stamp, zone)) = replaced {
            let local = stamp.civil();
            let year = u16::try_from(local.year()).unwrap_or_default();
            id.instance = (year, local.month().unsigned_abs(), local.day().unsigned_abs());
            if let Some(at) = filetime(zone.clock.to_utc(local)) {
                message.props.set_lid(lid::EXCEPTION_REPLACE_TIME, at);
            }
            message.props.set_lid(lid::IS_EXCEPTION, Value::Bool(true));
        }
        message.props.set_lid(lid::GLOBAL_OBJECT_ID, Value::binary(id.encode()));
        message.props.set_lid(lid::CLEAN_GLOBAL_OBJECT_ID, Value::binary(clean.encode()));
    }

    /// The zone of a line of times. Local times that name none are those of the calendar, or else UTC.
    pub(super) fn zone_of(&mut self, line: &Line) -> Option<Rc<Zone>> {
        let stamp = Stamp::parse(line.value.split(',').next().unwrap_or_default())?;
        if !matches!(stamp, Stamp::Local(_)) {
            return Some(Rc::new(Zone::utc()));
        }
        let tzid = line.param("TZID").filter(|t| !t.is_empty());
        let found = tzid.and_then(|t| self.zones.find(t));
        let zone = found.or_else(|| self.zones.default()).unwrap_or_else(|| Rc::new(Zone::utc()));
        let warning = match tzid {
            Some(tzid) if self.zones.find(tzid).is_none() => {
                format!("the time zone {tzid:?} is unknown: {} is taken", zone.key)
            }
            Some(_) => return Some(zone),
            None => format!("a time without a zone is taken as one of {}", zone.key),
        };
        if !self.warnings.iter().any(|w| w.text == warning) {
            self.warn(warning);
        }
        Some(zone)
    }

    /// Start and end.
    pub(super) fn times(&mut self, source: &Component) -> Option<Times> {
        let line = source.line("DTSTART")?;
        let first = Stamp::of(line)?;
        let zone = self.zone_of(line)?;
        let (all_day, start) = (matches!(first, Stamp::Day(_)), first.civil());
        let start_at = zone.clock.to_utc(start);
        time::from_unix(start_at)?;
        let mut end_zone = None;
        let ended = source.line("DTEND").and_then(|l| Some((l, Stamp::of(l)?)));
        let length =
            source.line("DURATION").and_then(|l| duration(&l.value)).filter(|n| (0..=i64::from(u32::MAX)).contains(n));
        let mut end = match (ended, length) {
            (Some((line, stamp)), _) => {
                let own = self.zone_of(line)?;
                let at = own.clock.to_utc(stamp.civil());
                if own.key != zone.key && !all_day && matches!(stamp, Stamp::Local(_)) {
                    end_zone = Some(own);
                }
                if all_day { stamp.civil() } else { zone.clock.to_local(at)? }
            }
            // Days and weeks are days of the calendar, the rest is time that passes.
            (None, Some(n)) if all_day || n % 86_400 == 0 => civil(seconds(start) + n)?,
            (None, Some(n)) => zone.clock.to_local(start_at + n)?,
            (None, None) => start,
        };
        if end < start {
            self.warn("the event ends before it starts: it is taken to end when it starts");
            end = start;
        }
        if all_day && end.date() == start.date() {
            end = civil(seconds(start) + 86_400)?;
        }
        let end_at = zone.clock.to_utc(end).max(start_at);
        time::from_unix(end_at)?;
        Some(Times { all_day, zone, start, end, end_zone, end_at })
    }
}

/// Busy status, sequence and the state of a meeting.
pub(super) fn state(source: &Component, role: Role, meeting: bool, props: &mut PropBag) {
    let upper = |name: &str| source.line(name).map(|l| l.value.trim().to_ascii_uppercase()).unwrap_or_default();
    let busy = |name: &str| BUSY.iter().position(|b| *b == upper(name)).and_then(|n| i32::try_from(n).ok());
    let implied = match (upper("TRANSP").as_str(), upper("STATUS").as_str()) {
        ("TRANSPARENT", _) => FREE,
        (_, "TENTATIVE") => TENTATIVE,
        _ => 2,
    };
    let stated = busy("X-MICROSOFT-CDO-BUSYSTATUS");
    let own = stated.unwrap_or(implied);
    let intended = busy("X-MICROSOFT-CDO-INTENDEDSTATUS");
    let canceled = upper("STATUS") == "CANCELLED" || role == Role::Canceled;
    let (status, intended) = match role {
        Role::Appointment => (own, intended),
        Role::Canceled => (stated.unwrap_or(FREE), Some(intended.unwrap_or(FREE))),
        _ => (stated.unwrap_or(TENTATIVE), Some(intended.unwrap_or(own))),
    };
    props.set_lid(lid::BUSY_STATUS, Value::I32(status));
    if let Some(intended) = intended {
        props.set_lid(lid::INTENDED_BUSY_STATUS, Value::I32(intended));
    }
    let answered = match upper("X-PST-RESPONSE").as_str() {
        "TENTATIVE" => Some(2),
        "ACCEPTED" => Some(3),
        "DECLINED" => Some(4),
        "NEEDS-ACTION" => Some(NOT_RESPONDED),
        _ => None,
    };
    let (mut flags, response) = match role {
        Role::Appointment if !meeting => (0, 0),
        Role::Appointment => {
            (if answered.is_some() { MEETING | RECEIVED } else { MEETING }, answered.unwrap_or(ORGANIZED))
        }
        Role::Answer(_) | Role::Counter => (MEETING, 0),
        Role::Request | Role::Canceled => (MEETING | RECEIVED, NOT_RESPONDED),
    };
    if canceled {
        flags |= CANCELED;
    }
    props.set_lid(lid::STATE_FLAGS, Value::I32(flags));
    props.set_lid(lid::RESPONSE_STATUS, Value::I32(response));
    props.set_lid(lid::F_INVITED, Value::Bool(meeting));
    let sequence = source.line("SEQUENCE").and_then(|l| l.value.trim().parse().ok()).unwrap_or(0i32).max(0);
    props.set_lid(lid::SEQUENCE, Value::I32(sequence));
    props.set_lid(lid::NOT_ALLOW_PROPOSE, Value::Bool(upper("X-MICROSOFT-DISALLOW-COUNTER") == "TRUE"));
    let moment = |name: &str| match source.line(name).and_then(Stamp::of)? {
        Stamp::Utc(at) => filetime(seconds(at)),
        _ => None,
    };
    let changed = if matches!(role, Role::Answer(_) | Role::Counter) {
        lid::ATTENDEE_CRITICAL_CHANGE
    } else {
        lid::OWNER_CRITICAL_CHANGE
    };
    for (lid, name) in [
        (changed, "DTSTAMP"),
        (lid::OWNER_CRITICAL_CHANGE, "X-MICROSOFT-CDO-OWNER-CRITICAL-CHANGE"),
        (lid::ATTENDEE_CRITICAL_CHANGE, "X-MICROSOFT-CDO-ATTENDEE-CRITICAL-CHANGE"),
        (lid::SEQUENCE_TIME, "X-MS-OLK-APPTSEQTIME"),
        (lid::REPLY_TIME, "X-MICROSOFT-CDO-REPLYTIME"),
    ] {
        if let Some(value) = moment(name) {
            props.set_lid(lid, value);
        }
    }
}

fn set_times(times: &Times, role: Role, props: &mut PropBag) {
    let (start, end) = (filetime(times.start_at()), filetime(times.end_at));
    let set = |props: &mut PropBag, lids: &[Lid], value: &Option<Value>| {
        for lid in lids {
            if let Some(value) = value {
                props.set_lid(*lid, value.clone());
            }
        }
    };
    let counter = role == Role::Counter;
    set(props, &[lid::START_WHOLE, lid::CLIP_START, lid::COMMON_START], &start);
    set(props, &[lid::END_WHOLE, lid::CLIP_END, lid::COMMON_END], &end);
    if counter {
        set(props, &[lid::PROPOSED_START], &start);
        set(props, &[lid::PROPOSED_END], &end);
        props.set_lid(lid::COUNTER_PROPOSAL, Value::Bool(true));
    }
    for (tag, value) in [(tag::START_DATE, start), (tag::END_DATE, end)] {
        if let Some(value) = value {
            props.set(tag, value);
        }
    }
    let minutes = (times.end_at - times.start_at()) / 60;
    props.set_lid(lid::DURATION, Value::I32(i32::try_from(minutes).unwrap_or(i32::MAX)));
    props.set_lid(lid::SUB_TYPE, Value::Bool(times.all_day));
    let year = times.start.year();
    let utc = times.zone.key == "UTC";
    if !utc || times.all_day {
        let definition = times.zone.definition(times.start_at(), year, year);
        let ends = times.end_zone.as_ref().map(|z| z.definition(times.end_at, year, year));
        props.set_lid(lid::ZONE_START, Value::binary(definition.encode()));
        props.set_lid(lid::ZONE_END, Value::binary(ends.unwrap_or(definition).encode()));
        props.set_lid(lid::TIME_ZONE_DESCRIPTION, Value::text(&times.zone.description()));
    }
}

/// The zone of a series, with the rules of all years that it spans.
pub(super) fn set_series_zone(times: &Times, last: i16, props: &mut PropBag) {
    let definition = times.zone.definition(times.start_at(), times.start.year(), last);
    if let Some(rule) = definition.effective() {
        props.set_lid(lid::TIME_ZONE_STRUCT, Value::binary(ZoneStruct::new(*rule).encode()));
    }
    props.set_lid(lid::ZONE_RECUR, Value::binary(definition.recurring().encode()));
    props.set_lid(lid::TIME_ZONE_DESCRIPTION, Value::text(&times.zone.description()));
}

pub(super) fn reminder(source: &Component, times: &Times, props: &mut PropBag) {
    let moment = |line: &Line| match (line.is("DTSTART"), Stamp::of(line)?) {
        (true, _) => Some(times.start_at()),
        (false, Stamp::Utc(at)) => Some(seconds(at)),
        (false, _) => Some(times.end_at),
    };
    let start = times.start_at();
    let mut alarms = source.named("VALARM").filter_map(|a| effect::goes_off(a, source, &moment));
    let before =
        alarms.find_map(|at| i32::try_from((start - at) / 60).ok().filter(|m| *m >= 0 && (start - at) % 60 == 0));
    let minutes = before.unwrap_or(super::super::export::DEFAULT_MINUTES);
    props.set_lid(lid::REMINDER_SET, Value::Bool(before.is_some()));
    props.set_lid(lid::REMINDER_DELTA, Value::I32(minutes));
    for (lid, at) in [(lid::REMINDER_TIME, start), (lid::REMINDER_SIGNAL_TIME, start - i64::from(minutes) * 60)] {
        if let Some(value) = filetime(at) {
            props.set_lid(lid, value);
        }
    }
}
