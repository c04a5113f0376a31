//! Changed occurrences to exceptions: ExceptionInfo in the blob of the series, and an embedded message each
//! ([MS-OXOCAL] 2.2.10).

use super::event::{Role, Times, filetime, reminder, state};
use super::series::{ByDate, dates_of};
use super::{Input, people};
use crate::mapi::message::attach_method;
use crate::mapi::recurrence::{AppointmentRecurrence, Exception, minutes_of, overridden};
use crate::mapi::{Attachment, Lid, Message, PropBag, PropTag, Value, lid, tag, time};
use crate::mime::calendar::export::Kind;
use crate::mime::calendar::value::{Stamp, seconds};
use crate::mime::lines::Component;
use jiff::civil::DateTime;
use std::collections::BTreeSet;

/// The class of embedded exceptions ([MS-OXOCAL] 2.2.10.1.2).
const CLASS: &str = "IPM.OLE.CLASS.{00061055-0000-0000-C000-000000000046}";
/// PidTagAttachmentFlags: an exception.
const IS_EXCEPTION: i32 = 2;
const LINK_ID: PropTag = PropTag(0x7FFA_0003);
const EXCEPTION_START: PropTag = PropTag(0x7FFB_0040);
const EXCEPTION_END: PropTag = PropTag(0x7FFC_0040);
/// Exceptions that one series may have.
const MOST: usize = 5_000;

/// Minutes since 1601 of a local time.
fn minutes(at: DateTime) -> Option<u32> {
    let rest = seconds(at).rem_euclid(86_400) / 60;
    minutes_of(at.date())?.checked_add(u32::try_from(rest).ok()?)
}

impl Input<'_> {
    /// Makes exceptions of the changes that fall on dates of the series; returns the others.
    pub(super) fn exceptions<'c>(
        &mut self,
        source: &Component,
        changes: &[&'c Component],
        times: &Times,
        series: &mut AppointmentRecurrence,
        message: &mut Message,
    ) -> Vec<&'c Component> {
        let mut left: Vec<&'c Component> = Vec::new();
        let mut by_date = ByDate::new();
        for change in changes {
            match self.replaced(change, times) {
                Some(date) if by_date.len() < MOST && !by_date.contains_key(&date) => {
                    by_date.insert(date, change);
                }
                _ => left.push(change),
            }
        }
        let wanted: BTreeSet<u32> = by_date.keys().copied().collect();
        let found: BTreeSet<u32> = dates_of(series, &wanted).into_iter().collect();
        for (date, change) in by_date {
            let made = if found.contains(&date) { self.exception(source, change, date, times, series) } else { None };
            match made {
                Some((exception, attachment)) => {
                    series.pattern.deleted.push(date);
                    series.exceptions.push(exception);
                    message.attachments.push(attachment);
                }
                None => left.push(change),
            }
        }
        series.exceptions.sort_by_key(|e| e.start);
        series.pattern.modified = series.exceptions.iter().map(|e| e.start - e.start % 1440).collect();
        if !left.is_empty() {
            self.inexact(format!("{} changed occurrences that the series does not have are not shown", left.len()));
        }
        left
    }

    /// The date that a change replaces, as minutes since 1601.
    fn replaced(&mut self, change: &Component, times: &Times) -> Option<u32> {
        let line = change.line("RECURRENCE-ID")?;
        if line.param("RANGE").is_some() {
            return None;
        }
        let (stamp, zone) = (Stamp::of(line)?, self.zone_of(line)?);
        let local = match stamp {
            Stamp::Day(date) => date.to_datetime(times.start.time()),
            _ => times.zone.clock.to_local(zone.clock.to_utc(stamp.civil()))?,
        };
        (local.time() == times.start.time()).then(|| minutes_of(local.date())).flatten()
    }

    fn exception(
        &mut self,
        source: &Component,
        change: &Component,
        date: u32,
        times: &Times,
        series: &AppointmentRecurrence,
    ) -> Option<(Exception, Attachment)> {
        let own = self.times(change)?;
        let local = |at: i64| times.zone.clock.to_local(at).and_then(minutes);
        let (start, end) = if own.all_day {
            (minutes(own.start)?, minutes(own.end)?)
        } else {
            (local(own.start_at())?, local(own.end_at)?)
        };
        let original = date.checked_add(series.start_offset)?;
        let mut exception = Exception { start, end, original, ..Exception::default() };
        let mut message = super::common::begin(Kind::Event, change);
        message.props.set(tag::MESSAGE_CLASS, Value::text(CLASS));
        self.event(change, &[], &mut message, Role::Appointment);
        // An exception is in the zone of its series.
        if !own.all_day {
            let definition = times.zone.definition(own.start_at(), own.start.year(), own.start.year());
            for zone in [lid::ZONE_START, lid::ZONE_END] {
                message.props.set_lid(zone, Value::binary(definition.encode()));
            }
        }
        message.props.set(tag::MESSAGE_CLASS, Value::text(CLASS));
        let replaced = times.zone.clock.to_utc(crate::mapi::recurrence::date_of(date).to_datetime(times.start.time()));
        if let Some(at) = filetime(replaced) {
            message.props.set_lid(lid::EXCEPTION_REPLACE_TIME, at);
        }
        super::common::end(&mut message);
        overrides(source, change, &own, times, &message, &mut exception);
        self.keep_change(change, &mut message);
        Some((exception, embedded(message, &own)))
    }
}

/// The attachment that holds an exception ([MS-OXOCAL] 2.2.10.1.1).
fn embedded(message: Message, times: &Times) -> Attachment {
    let mut attachment = Attachment::default();
    let props = &mut attachment.props;
    props.set(tag::ATTACH_METHOD, Value::I32(attach_method::EMBEDDED));
    props.set(tag::ATTACH_SIZE, Value::I32(0));
    props.set(tag::RENDERING_POSITION, Value::I32(-1));
    props.set(tag::DISPLAY_NAME, Value::text("Untitled"));
    props.set(tag::ATTACHMENT_HIDDEN, Value::Bool(true));
    props.set(tag::ATTACHMENT_FLAGS, Value::I32(IS_EXCEPTION));
    props.set(tag::ATTACH_FLAGS, Value::I32(0));
    props.set(LINK_ID, Value::I32(0));
    for (tag, local) in [(EXCEPTION_START, times.start), (EXCEPTION_END, times.end)] {
        if let Some(at) = time::from_unix(seconds(local)) {
            props.set(tag, Value::Time(at));
        }
    }
    attachment.embedded = Some(Box::new(message));
    attachment
}

/// Which fields of the blob an exception overrides.
fn overrides(
    source: &Component,
    change: &Component,
    own: &Times,
    times: &Times,
    message: &Message,
    exception: &mut Exception,
) {
    let differs = |name: &str| {
        let text = |c: &Component| c.text(name).unwrap_or_default();
        (text(source) != text(change)).then(|| text(change))
    };
    exception.set_texts(differs("SUMMARY").as_deref(), differs("LOCATION").as_deref());
    let number = |lid: Lid| message.props.lid(lid).and_then(Value::as_i32).and_then(|n| u32::try_from(n).ok());
    let truth = |lid: Lid| message.props.lid(lid).and_then(Value::as_bool).map(u32::from);
    let words = |c: &Component, names: &[&str]| -> String {
        names.iter().filter_map(|n| c.text(n)).collect::<Vec<_>>().join("\0")
    };
    let mut series = PropBag::default();
    state(source, Role::Appointment, people::invites(source), &mut series);
    reminder(source, times, &mut series);
    let differ = |lid: Lid| message.props.lid(lid).and_then(Value::as_i32) != series.lid(lid).and_then(Value::as_i32);
    if differ(lid::BUSY_STATUS) {
        exception.flags |= overridden::BUSY_STATUS;
        exception.busy = number(lid::BUSY_STATUS);
    }
    let set = |props: &PropBag| props.lid(lid::REMINDER_SET).and_then(Value::as_bool);
    if set(&message.props) != set(&series) || differ(lid::REMINDER_DELTA) {
        exception.flags |= overridden::REMINDER | overridden::REMINDER_DELTA;
        exception.reminder_set = truth(lid::REMINDER_SET);
        exception.reminder_delta = number(lid::REMINDER_DELTA);
    }
    if own.all_day != times.all_day {
        exception.flags |= overridden::SUB_TYPE;
        exception.all_day = Some(u32::from(own.all_day));
    }
    if differ(lid::STATE_FLAGS) {
        exception.flags |= overridden::MEETING_TYPE;
        exception.meeting_type = number(lid::STATE_FLAGS);
    }
    if !message.attachments.is_empty() {
        exception.flags |= overridden::ATTACHMENT;
        exception.attachment = Some(1);
    }
    if words(source, &["DESCRIPTION", "X-ALT-DESC"]) != words(change, &["DESCRIPTION", "X-ALT-DESC"]) {
        exception.flags |= overridden::BODY;
    }
}
