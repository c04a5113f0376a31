//! Exceptions of a series as components of their own, each with RECURRENCE-ID ([MS-OXCICAL] 2.1.3.1.1.20.20).

use super::Output;
use super::attach::is_exception;
use super::event::{Series, carry_zones};
use super::when::When;
use crate::error::Result;
use crate::mapi::message::Message;
use crate::mapi::recurrence::{Exception, date_of, overridden};
use crate::mapi::{PropBag, PropTag, Value, lid, tag, time};
use crate::mime::carried::Carried;
use crate::mime::lines::Component;
use crate::mime::{residue, text};
use jiff::civil::DateTime;
use std::collections::HashMap;

/// The local time of minutes since 1601.
fn local(minutes: u32) -> DateTime {
    let midnight = date_of(minutes).at(0, 0, 0, 0);
    midnight.saturating_add(jiff::SignedDuration::from_mins((minutes % 1440).into()))
}

/// The properties of a text.
const BODIES: [PropTag; 5] = [tag::BODY, tag::HTML, tag::RTF_COMPRESSED, tag::NATIVE_BODY, tag::RTF_IN_SYNC];
/// Bytes of text that all exceptions of a series may repeat.
const REPEATED: u64 = 64 << 20;

/// Properties of a series that its exceptions do not have.
const OF_SERIES: [crate::mapi::Lid; 6] = [
    lid::APPOINTMENT_RECUR,
    lid::RECURRING,
    lid::IS_RECURRING,
    lid::RECURRENCE_TYPE,
    lid::RECURRENCE_PATTERN,
    lid::EXCEPTION_REPLACE_TIME,
];

impl Output<'_> {
    /// Finds the embedded message of every exception that has one, and the attachments that these messages are in.
    pub(super) fn own_messages<'m>(
        &mut self,
        message: &'m Message,
        series: Option<&Series>,
        when: &When,
    ) -> Vec<Option<&'m Message>> {
        let mut by_time: HashMap<Key, Vec<usize>> = HashMap::new();
        for (i, attachment) in message.attachments.iter().enumerate().filter(|(_, a)| is_exception(a)) {
            let key = attachment.embedded.as_deref().and_then(Key::of);
            by_time.entry(key.unwrap_or(Key::None)).or_default().push(i);
        }
        for all in by_time.values_mut() {
            all.reverse();
        }
        let exceptions = series.map_or(&[][..], |s| s.recurrence.exceptions.as_slice());
        let mut out = Vec::with_capacity(exceptions.len());
        for exception in exceptions {
            let replaced = Key::Replaced(when.utc(local(exception.original)));
            let start = Key::Start(when.utc(local(exception.start)));
            let found = [replaced, start].iter().find_map(|k| by_time.get_mut(k)?.pop());
            self.entry.exceptions.extend(found);
            out.push(found.and_then(|i| message.attachments.get(i)?.embedded.as_deref()));
        }
        let stray: usize = by_time.values().map(Vec::len).sum();
        if stray > 0 {
            self.warn(format!("{stray} exceptions that their series does not name are attached to it"));
        }
        out
    }

    /// Appends a component for every exception, and returns the names of the properties that found no place.
    pub(super) fn exceptions(
        &mut self,
        message: &Message,
        own: &[Option<&Message>],
        series: &Series,
        when: &When,
    ) -> Result<Vec<String>> {
        let exceptions = &series.recurrence.exceptions;
        let base = self.base(message, exceptions.len());
        // The attachments of an exception go into it: beside the series nobody could tell whose they are.
        let attach = self.attach;
        self.attach = self.keep;
        let of_series = std::mem::take(&mut self.entry.exceptions);
        let mut lost = Vec::new();
        for (exception, own) in exceptions.iter().zip(own) {
            self.exception(&base, *own, exception, series, when, &mut lost)?;
        }
        self.attach = attach;
        self.entry.exceptions = of_series;
        Ok(lost)
    }

    /// What exceptions take from their series.
    fn base(&mut self, series: &Message, exceptions: usize) -> Message {
        let series_only = |p: &crate::mapi::Prop| {
            p.name
                .as_deref()
                .is_some_and(|n| OF_SERIES.iter().any(|l| l.name() == *n) || *n == residue::name(residue::CALENDAR))
        };
        let text: u64 = BODIES.iter().filter_map(|b| series.props.any(b.id())).map(Value::size).sum();
        let long = text.saturating_mul(exceptions as u64) > REPEATED;
        if long {
            self.warn("the text of the series is too long to be repeated in all its exceptions: it stands in the series alone");
        }
        let mut props = PropBag::default();
        for prop in series.props.0.iter().filter(|p| !series_only(p)) {
            let is_body = prop.name.is_none() && BODIES.iter().any(|b| b.id() == prop.tag.id());
            if !(long && is_body) {
                props.0.push(prop.clone());
            }
        }
        Message { props, recipients: series.recipients.clone(), attachments: Vec::new() }
    }

    fn exception(
        &mut self,
        series: &Message,
        own: Option<&Message>,
        exception: &Exception,
        of: &Series,
        when: &When,
        lost: &mut Vec<String>,
    ) -> Result<()> {
        let message = merged(series, own, exception, when);
        let page = text::page(&message.props);
        let item = Carried::new(&message.props, page);
        carry_zones(&item);
        let when = When { all_day: item.is(lid::SUB_TYPE), zone: when.zone.clone() };
        let mut event = Component::new("VEVENT");
        self.fields(&message, &item, &when, None, &mut event)?;
        let at = local(exception.original);
        let id = When { all_day: when.all_day && at.time() == jiff::civil::Time::midnight(), zone: when.zone.clone() };
        // What belongs to a series has its UID.
        event.lines.retain(|l| !l.is("RECURRENCE-ID") && !l.is("UID"));
        event.lines.splice(0..0, self.entry.parts.first().and_then(|p| p.line("UID")).cloned());
        event.lines.push(id.line("RECURRENCE-ID", at, self));
        let kept = if self.keep { residue::load(&item, residue::CALENDAR) } else { Component::default() };
        self.take_back(event, kept, &when, Some(of));
        lost.append(&mut item.left());
        Ok(())
    }
}

/// What an embedded message is found by: the time that it replaces, or else its own.
#[derive(PartialEq, Eq, Hash)]
enum Key {
    Replaced(i64),
    Start(i64),
    None,
}

impl Key {
    fn of(message: &Message) -> Option<Self> {
        let at = |lid| message.props.lid(lid).and_then(Value::as_time).map(time::to_unix);
        at(lid::EXCEPTION_REPLACE_TIME).map(Self::Replaced).or_else(|| at(lid::START_WHOLE).map(Self::Start))
    }
}

/// The exception as a whole message: what it says itself, and for the rest what the series says.
fn merged(series: &Message, own: Option<&Message>, exception: &Exception, when: &When) -> Message {
    let page = text::page(&series.props);
    let mut props = series.props.clone();
    from_blob(&mut props, exception, page, when);
    if let Some(own) = own {
        if BODIES.iter().any(|b| own.props.any(b.id()).is_some()) {
            remove_bodies(&mut props);
        }
        let own_page = text::page(&own.props);
        for prop in own.props.0.iter().filter(|p| p.tag.id() != tag::MESSAGE_CLASS.id() || p.name.is_some()) {
            props.0.retain(|p| match (&p.name, &prop.name) {
                (Some(a), Some(b)) => a != b,
                (None, None) => p.tag.id() != prop.tag.id(),
                _ => true,
            });
            let mut prop = prop.clone();
            // The two may keep 8-bit strings in different code pages.
            if let Value::String8(_) = prop.value {
                prop.value = Value::text(&text::value(&prop.value, own_page).unwrap_or_default());
            }
            props.0.push(prop);
        }
    }
    let recipients = own.map(|m| &m.recipients).filter(|r| !r.is_empty()).unwrap_or(&series.recipients);
    let attachments = own.map(|m| m.attachments.clone()).unwrap_or_default();
    Message { props, recipients: recipients.clone(), attachments }
}

fn remove_bodies(props: &mut PropBag) {
    for body in BODIES {
        props.remove(body.id());
    }
}

/// What the blob of the series says of an exception.
fn from_blob(props: &mut PropBag, exception: &Exception, page: u32, when: &When) {
    let moment = |minutes| time::from_unix(when.utc(local(minutes))).map(Value::Time);
    for (lid, value) in [(lid::START_WHOLE, moment(exception.start)), (lid::END_WHOLE, moment(exception.end))] {
        if let Some(value) = value {
            props.set_lid(lid, value);
        }
    }
    for tag in [tag::START_DATE, tag::END_DATE] {
        props.remove(tag.id());
    }
    if let Some(subject) = exception.subject_text(page) {
        props.remove(tag::SUBJECT.id());
        props.set(tag::SUBJECT, Value::text(&crate::mime::fields::stored_subject(&subject)));
    }
    let number = |v: Option<u32>| v.and_then(|n| i32::try_from(n).ok()).map(Value::I32);
    let truth = |v: Option<u32>| v.map(|n| Value::Bool(n != 0));
    for (lid, value) in [
        (lid::LOCATION, exception.location_text(page).map(|t| Value::text(&t))),
        (lid::REMINDER_DELTA, number(exception.reminder_delta)),
        (lid::REMINDER_SET, truth(exception.reminder_set)),
        (lid::BUSY_STATUS, number(exception.busy)),
        (lid::STATE_FLAGS, number(exception.meeting_type)),
        (lid::SUB_TYPE, truth(exception.all_day)),
        (lid::COLOR, number(exception.color)),
    ] {
        if let Some(value) = value {
            props.0.retain(|p| p.name.as_deref() != Some(&lid.name()));
            props.set_lid(lid, value);
        }
    }
    if exception.flags & overridden::BODY != 0 {
        // The body stands in the embedded message alone.
        remove_bodies(props);
    }
}
