//! Exceptions of a series as components of their own, each with RECURRENCE-ID ([MS-OXCICAL] 2.1.3.1.1.20.20).

use super::Output;
use super::attach::is_exception;
use super::event::Series;
use super::when::When;
use crate::error::Result;
use crate::mapi::message::Message;
use crate::mapi::recurrence::{Exception, date_of, overridden};
use crate::mapi::{PropBag, Value, lid, tag, time};
use crate::mime::carried::Carried;
use crate::mime::lines::Component;
use crate::mime::{residue, text};
use jiff::civil::DateTime;

/// The local time of minutes since 1601.
fn local(minutes: u32) -> DateTime {
    let midnight = date_of(minutes).at(0, 0, 0, 0);
    midnight.saturating_add(jiff::SignedDuration::from_mins((minutes % 1440).into()))
}

/// Properties of a series that its exceptions do not have.
const OF_SERIES: [crate::mapi::Lid; 6] = [
    lid::APPOINTMENT_RECUR,
    lid::RECURRING,
    lid::IS_RECURRING,
    lid::RECURRENCE_TYPE,
    lid::RECURRENCE_PATTERN,
    lid::EXCEPTION_REPLACE_TIME,
];

impl Output {
    /// Appends a component for every exception.
    pub(super) fn exceptions(&mut self, message: &Message, series: &Series, when: &When) -> Result<()> {
        let mut used = vec![false; message.attachments.len()];
        for exception in &series.recurrence.exceptions {
            let original = when.utc(local(exception.original));
            let found = message.attachments.iter().enumerate().find(|(i, a)| {
                used.get(*i) == Some(&false)
                    && is_exception(a)
                    && a.embedded.as_deref().is_some_and(|m| stands_for(m, original, exception, when))
            });
            if let Some(slot) = found.and_then(|(i, _)| used.get_mut(i)) {
                *slot = true;
            }
            let own = found.and_then(|(_, a)| a.embedded.as_deref());
            self.exception(message, own, exception, series, when)?;
        }
        let stray = message.attachments.iter().zip(&used).filter(|(a, used)| !**used && is_exception(a)).count();
        if stray > 0 {
            self.warn(format!("{stray} exceptions that their series does not name were left out"));
        }
        Ok(())
    }

    fn exception(
        &mut self,
        series: &Message,
        own: Option<&Message>,
        exception: &Exception,
        of: &Series,
        when: &When,
    ) -> Result<()> {
        let message = merged(series, own, exception, when);
        let page = text::page(&message.props);
        let item = Carried::new(&message.props, page);
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
        Ok(())
    }
}

/// True for the embedded message of an exception: by the time it replaces, or else by its own.
fn stands_for(message: &Message, original: i64, exception: &Exception, when: &When) -> bool {
    let at = |lid| message.props.lid(lid).and_then(Value::as_time).map(time::to_unix);
    match at(lid::EXCEPTION_REPLACE_TIME) {
        Some(replaced) => replaced == original,
        None => at(lid::START_WHOLE) == Some(when.utc(local(exception.start))),
    }
}

/// The exception as a whole message: what it says itself, and for the rest what the series says.
fn merged(series: &Message, own: Option<&Message>, exception: &Exception, when: &When) -> Message {
    let page = text::page(&series.props);
    let mut props = series.props.clone();
    let series_only = |p: &crate::mapi::Prop| {
        p.name
            .as_deref()
            .is_some_and(|n| OF_SERIES.iter().any(|l| l.name() == *n) || *n == residue::name(residue::CALENDAR))
    };
    props.0.retain(|p| !series_only(p));
    from_blob(&mut props, exception, page, when);
    if let Some(own) = own {
        let bodies = [tag::BODY, tag::HTML, tag::RTF_COMPRESSED, tag::NATIVE_BODY, tag::RTF_IN_SYNC];
        if bodies.iter().any(|b| own.props.any(b.id()).is_some()) {
            for body in bodies {
                props.remove(body.id());
            }
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
        for tag in [tag::BODY, tag::HTML, tag::RTF_COMPRESSED, tag::NATIVE_BODY, tag::RTF_IN_SYNC] {
            props.remove(tag.id());
        }
    }
}
