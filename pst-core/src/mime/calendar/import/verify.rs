//! Keeping what has no property, and making sure that nothing was lost.
//!
//! The item is written again as a component: whatever of the source does not come out is kept as lines of its own, and
//! what does not come out even then is named in a warning.

use super::{Group, Input, attach};
use crate::mapi::{Blob, Message, Value, tag};
use crate::mime::calendar::export::{Entry, KEPT_SOURCE, Kind};
use crate::mime::calendar::instead;
use crate::mime::calendar::value::Stamp;
use crate::mime::lines::{self, Component, Line};
use crate::mime::{Options, residue};
use std::collections::HashMap;

/// A line in the form in which two can be compared.
fn canonical(line: &Line) -> String {
    let mut params: Vec<String> = line
        .params
        .iter()
        .flat_map(|p| {
            let name = p.name.to_ascii_uppercase();
            let values = p.values.iter().map(move |v| format!(";{name}={v}"));
            values.chain(p.values.is_empty().then(|| format!(";{}", p.name.to_ascii_uppercase()))).collect::<Vec<_>>()
        })
        .collect();
    params.sort_unstable();
    format!("{}{}:{}", line.name.to_ascii_uppercase(), params.concat(), line.value)
}

fn canonical_part(part: &Component, depth: usize) -> String {
    let mut lines: Vec<String> = part.lines.iter().map(canonical).collect();
    lines.sort_unstable();
    let inner = part.parts.iter().filter(|_| depth < 20).map(|p| canonical_part(p, depth + 1));
    format!("{}\n{}\n{}", part.name, lines.join("\n"), inner.collect::<Vec<_>>().join("\n"))
}

/// How often each text is there.
fn counted(texts: impl Iterator<Item = String>) -> HashMap<String, usize> {
    texts.fold(HashMap::new(), |mut all, text| {
        *all.entry(text).or_default() += 1;
        all
    })
}

/// Takes a text out of a count; false if there is none.
fn taken(counts: &mut HashMap<String, usize>, text: &str) -> bool {
    counts.get_mut(text).filter(|n| **n > 0).map(|n| *n -= 1).is_some()
}

/// What of a source does not come out again.
fn missing(source: &Component, written: &Component) -> Component {
    let mut lines = counted(written.lines.iter().map(canonical));
    let mut parts = counted(written.parts.iter().map(|p| canonical_part(p, 0)));
    let lost_line = |l: &&Line| !attach::is_data(l) && !taken(&mut lines, &canonical(l));
    let lost_part = |p: &&Component| !taken(&mut parts, &canonical_part(p, 0));
    Component {
        name: String::new(),
        lines: source.lines.iter().filter(lost_line).cloned().collect(),
        parts: source.parts.iter().filter(lost_part).cloned().collect(),
    }
}

impl Input<'_> {
    /// Keeps what of a source has no property; `left` are changes of a series that did not become exceptions.
    pub(super) fn keep(&mut self, group: &Group<'_>, message: &mut Message, left: Vec<&Component>) {
        if !self.exact {
            self.attach_source(group, message);
        }
        self.keep_lines(group.kind, group.main, left, message);
    }

    /// Keeps what of a changed occurrence has no property.
    pub(super) fn keep_change(&mut self, change: &Component, message: &mut Message) {
        let mail = std::mem::take(&mut self.mail);
        self.keep_lines(Kind::Event, change, Vec::new(), message);
        self.mail = mail;
    }

    fn keep_lines(&mut self, kind: Kind, source: &Component, left: Vec<&Component>, message: &mut Message) {
        let Ok(bare) = Entry::bare(message, kind) else { return };
        let nothing = Component::default();
        let made = bare.parts().first().unwrap_or(&nothing);
        let mut kept = missing(source, made);
        if self.mail {
            instead::keep(source, made, &mut kept);
        }
        kept.parts.extend(left.into_iter().cloned());
        if !residue::store(&mut message.props, residue::CALENDAR, &kept) {
            self.warn("so much of the component has no property that it was left out");
            return;
        }
        if kept.lines.is_empty() && kept.parts.is_empty() {
            return;
        }
        let Ok(Some(again)) = Entry::within(message, &Options::default(), false, 0) else { return };
        let lost = missing(source, again.parts().first().unwrap_or(&nothing));
        // Of times that name no zone it was said which one is taken.
        let floats = |l: &Line| matches!(Stamp::of(l), Some(Stamp::Local(_))) && l.param("TZID").is_none();
        let lines = lost.lines.iter().filter(|l| !floats(l)).map(|l| l.name.as_str());
        let names: Vec<&str> = lines.chain(lost.parts.iter().map(|p| p.name.as_str())).collect();
        if !names.is_empty() {
            self.warn(format!(
                "what stands here twice or makes no sense could not be kept as it is: {}",
                names.join(", ")
            ));
        }
    }

    /// Attaches the source, where Outlook cannot show all of it.
    fn attach_source(&mut self, group: &Group<'_>, message: &mut Message) {
        let mut calendar = Component::new("VCALENDAR");
        calendar.lines.clone_from(&self.calendar.lines);
        calendar.parts = self.calendar.named("VTIMEZONE").cloned().collect();
        calendar.parts.push(group.main.clone());
        calendar.parts.extend(group.changes.iter().map(|c| (*c).clone()));
        let mut text = Vec::new();
        if lines::write(&calendar, &mut text).is_err() {
            return;
        }
        let attachment = attach::by_value(Some(KEPT_SOURCE), Some("text/calendar"), 1, Blob::Bytes(text));
        message.attachments.push(attachment);
        let flags = message.props.i32(tag::MESSAGE_FLAGS).unwrap_or(0);
        let flags = flags | crate::mapi::message::flag::HAS_ATTACH;
        message.props.set(tag::MESSAGE_FLAGS, Value::I32(flags));
    }
}
