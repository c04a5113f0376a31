//! What events, tasks, journal entries and notes have in common.

use super::{Kind, Output};
use crate::error::Result;
use crate::mapi::{Attachment, Lid, Message, PropType, Value, lid, tag};
use crate::mime::calendar::value::{Stamp, civil};
use crate::mime::carried::Carried;
use crate::mime::lines::{Component, Line, escaped};
use crate::mime::outbody::{self, Bodies};
use crate::mime::outobject;
use crate::mime::{charset, state, text};
use std::borrow::Cow;

/// Properties that go under a name of our own, because iCalendar has none: texts, numbers, truths and lists of texts.
pub(in crate::mime::calendar) const OWN: &[(&str, Lid)] = &[
    ("X-PST-BILLING", lid::BILLING),
    ("X-PST-MILEAGE", lid::MILEAGE),
    ("X-PST-COMPANY", lid::COMPANIES),
    ("X-PST-COLOR", lid::COLOR),
    ("X-PST-NOTE-COLOR", lid::NOTE_COLOR),
    ("X-PST-NOTE-WIDTH", lid::NOTE_WIDTH),
    ("X-PST-NOTE-HEIGHT", lid::NOTE_HEIGHT),
    ("X-PST-NOTE-X", lid::NOTE_X),
    ("X-PST-NOTE-Y", lid::NOTE_Y),
    ("X-PST-LOG-TYPE", lid::LOG_TYPE),
    ("X-PST-LOG-TYPE-DESC", lid::LOG_TYPE_DESC),
    ("X-PST-LOG-FLAGS", lid::LOG_FLAGS),
    ("X-PST-LOG-PRINTED", lid::LOG_PRINTED),
    ("X-PST-LOG-SAVED", lid::LOG_SAVED),
    ("X-PST-LOG-ROUTED", lid::LOG_ROUTED),
    ("X-PST-LOG-POSTED", lid::LOG_POSTED),
    ("X-PST-ACTUAL-EFFORT", lid::TASK_ACTUAL_EFFORT),
    ("X-PST-ESTIMATED-EFFORT", lid::TASK_ESTIMATED_EFFORT),
    ("X-PST-TEAM-TASK", lid::TEAM_TASK),
    ("X-PST-OWNER", lid::TASK_OWNER),
    ("X-PST-ASSIGNER", lid::TASK_ASSIGNER),
    ("X-PST-MEETING-TYPE", lid::MEETING_TYPE),
    ("X-PST-REMINDER-OVERRIDE", lid::REMINDER_OVERRIDE),
    ("X-PST-REMINDER-SOUND", lid::REMINDER_PLAY_SOUND),
    ("X-PST-REMINDER-FILE", lid::REMINDER_FILE),
    ("X-PST-DO-NOT-ARCHIVE", lid::AGING_DONT_AGE_ME),
    ("CONTACT", lid::CONTACTS),
];

/// Names of sensitivities; the first is the default.
pub(in crate::mime::calendar) const CLASS: [&str; 4] = ["PUBLIC", "X-PERSONAL", "PRIVATE", "CONFIDENTIAL"];

impl Output<'_> {
    /// UID, stamps, texts and the rest that every component has.
    pub(super) fn common(
        &mut self,
        message: &Message,
        item: &Carried<'_>,
        kind: Kind,
        out: &mut Component,
    ) -> Result<()> {
        out.lines.extend(self.class_line(kind));
        stamps(item, self.method, out);
        out.put_text("SUMMARY", text::subject(&message.props).as_deref());
        for tag in [tag::SUBJECT, tag::NORMALIZED_SUBJECT, tag::BODY, tag::HTML] {
            item.tag(tag);
        }
        let made = outobject::renderings(message, item.page, &mut self.entry.warnings)?;
        let bodies = outbody::of(message, "IPM.Note", &made, &mut self.entry.warnings)?;
        describe(&bodies, out);
        let sensitivity = item.tag(tag::SENSITIVITY).and_then(Value::as_i32).unwrap_or(0);
        let private = item.is(lid::PRIVATE) && sensitivity == 0;
        let sensitivity = if private { 2 } else { usize::try_from(sensitivity).unwrap_or(0) };
        if let Some(class) = CLASS.get(sensitivity).filter(|_| sensitivity > 0) {
            out.put("CLASS", *class);
        }
        match item.tag(tag::IMPORTANCE).and_then(Value::as_i32) {
            Some(0) => out.put("PRIORITY", "9"),
            Some(2) => out.put("PRIORITY", "1"),
            _ => {}
        }
        item.tag(tag::PRIORITY);
        item.named(&state::keywords());
        let categories: Vec<String> = state::categories(&message.props).iter().map(|c| escaped(c)).collect();
        if !categories.is_empty() {
            out.put("CATEGORIES", categories.join(","));
        }
        for (name, lid) in OWN {
            let Some(value) = item.lid(*lid) else { continue };
            own(name, *lid, value, item.page, out);
        }
        let pictures: Vec<Attachment> = made.parts.into_iter().chain(bodies.pictures).collect();
        self.attachments(message, &pictures, &bodies.placed, out)
    }
}

/// DESCRIPTION, and the HTML as Outlook writes it.
fn describe(bodies: &Bodies, out: &mut Component) {
    let html = bodies.html.as_ref().map(|(bytes, label)| charset::decode(Some(label), bytes).0);
    let made = || html.as_deref().map(|h| Cow::Owned(mail_parser::html_to_text(h)));
    let plain = bodies.plain.as_deref().map(Cow::Borrowed).or_else(made);
    out.put_text("DESCRIPTION", plain.as_deref().map(|t| t.trim_end_matches(['\r', '\n'])));
    if let Some(html) = html.filter(|h| !h.trim().is_empty()) {
        out.lines.push(Line::text("X-ALT-DESC", html.trim_end_matches(['\r', '\n'])).with("FMTTYPE", "text/html"));
    }
}

/// DTSTAMP, CREATED and LAST-MODIFIED.
fn stamps(item: &Carried<'_>, method: Option<&str>, out: &mut Component) {
    let answer = matches!(method, Some("REPLY" | "COUNTER"));
    let (owner, attendee) = (item.time_of(lid::OWNER_CRITICAL_CHANGE), item.time_of(lid::ATTENDEE_CRITICAL_CHANGE));
    let (created, modified) = (item.time(tag::CREATION_TIME), item.time(tag::LAST_MODIFICATION_TIME));
    let sent = item.time(tag::CLIENT_SUBMIT_TIME);
    let changed = if answer { attendee.or(owner) } else { owner };
    let stamp = changed.or(modified).or(sent).or(created).unwrap_or(0);
    // When a message about a meeting was made says nothing about the meeting.
    let own = |at: Option<i64>| at.filter(|_| method.is_none());
    for (name, at) in [("DTSTAMP", Some(stamp)), ("CREATED", own(created)), ("LAST-MODIFIED", own(modified))] {
        if let Some(at) = at.and_then(civil) {
            out.put(name, Stamp::Utc(at).to_string());
        }
    }
    for (name, at) in [
        ("X-MICROSOFT-CDO-OWNER-CRITICAL-CHANGE", owner.filter(|o| *o != stamp)),
        ("X-MICROSOFT-CDO-ATTENDEE-CRITICAL-CHANGE", attendee.filter(|a| *a != stamp)),
    ] {
        if let Some(at) = at.and_then(civil) {
            out.put(name, Stamp::Utc(at).to_string());
        }
    }
}

/// A property under a name of our own; zero, false and empty say nothing.
fn own(name: &str, lid: Lid, value: &Value, page: u32, out: &mut Component) {
    match value {
        Value::I32(0) | Value::Bool(false) => {}
        Value::I32(n) => out.put(name, n.to_string()),
        Value::Bool(true) => out.put(name, "TRUE"),
        Value::Multi(bytes) if lid.ty == PropType::MULTI_STRING => {
            for part in Value::multi_parts(bytes).unwrap_or_default() {
                out.put_text(name, text::value(&Value::Unicode(part.to_vec()), page).as_deref());
            }
        }
        other => out.put_text(name, text::value(other, page).as_deref()),
    }
}
