//! ORGANIZER and ATTENDEE to sender groups and recipient rows.

use crate::mapi::{Message, PropTag, Value, lid, tag, time};
use crate::mime::address::{self, Mailbox, REPRESENTING, SENDER};
use crate::mime::calendar::effect;
use crate::mime::calendar::value::{Stamp, seconds};
use crate::mime::lines::{Component, Line};

/// PidTagRecipientFlags: sendable, and the organizer.
const ORGANIZER: i32 = 3;
/// PidTagRecipientTrackStatusTime.
const TRACK_TIME: PropTag = PropTag(0x5FFB_0040);

fn mailbox(line: &Line) -> Mailbox {
    let who = Mailbox::smtp(line.param("CN").unwrap_or_default().trim(), &effect::address(line));
    match (line.param("X-PST-ADDRESS-TYPE"), line.param("X-PST-ADDRESS")) {
        (Some(kind), Some(address)) => Mailbox { kind: kind.to_owned(), address: address.to_owned(), ..who },
        _ => who,
    }
}

/// True if anyone is invited.
pub(super) fn invites(source: &Component) -> bool {
    source.all("ATTENDEE").any(|l| !effect::address(l).is_empty())
}

/// Sets organizer and attendees; true if there are attendees.
pub(super) fn set(source: &Component, message: &mut Message) -> bool {
    message.recipients.clear();
    let organizer = source.line("ORGANIZER").filter(|l| !effect::address(l).is_empty());
    if let Some(line) = organizer {
        let who = mailbox(line);
        SENDER.set(&mut message.props, &who);
        REPRESENTING.set(&mut message.props, &who);
    }
    let attendees: Vec<&Line> = source.all("ATTENDEE").filter(|l| !effect::address(l).is_empty()).collect();
    if attendees.is_empty() {
        return false;
    }
    if let Some(line) = organizer {
        let mut row = address::recipient(1, &mailbox(line));
        row.set(tag::RECIPIENT_FLAGS, Value::I32(ORGANIZER));
        row.set(tag::RECIPIENT_TRACK_STATUS, Value::I32(0));
        message.recipients.push(row);
    }
    for line in attendees {
        let mut row = address::recipient(effect::role(line), &mailbox(line));
        row.set(tag::RECIPIENT_TRACK_STATUS, Value::I32(effect::participation(line)));
        let replied = line.param("X-MS-OLK-RESPTIME").and_then(Stamp::parse);
        if let Some(at) = replied.and_then(|s| time::from_unix(seconds(s.civil()))) {
            row.set(TRACK_TIME, Value::Time(at));
        }
        message.recipients.push(row);
    }
    let [to, cc] = names(source, message);
    message.props.set(tag::DISPLAY_TO, Value::text(&to));
    message.props.set(tag::DISPLAY_CC, Value::text(&cc));
    true
}

/// Sets the names of attendees, and whether they are to answer; returns the required and the other ones.
pub(super) fn names(source: &Component, message: &mut Message) -> [String; 2] {
    let mut names: [Vec<String>; 2] = Default::default();
    for line in source.all("ATTENDEE").filter(|l| !effect::address(l).is_empty()) {
        if let Some(list) = names.get_mut(usize::from(effect::role(line) != 1)) {
            list.push(mailbox(line).name);
        }
    }
    let [to, cc] = names.map(|list| list.join("; "));
    let all = [to.as_str(), cc.as_str()].into_iter().filter(|l| !l.is_empty()).collect::<Vec<_>>().join("; ");
    let props = &mut message.props;
    props.set_lid(lid::ALL_ATTENDEES, Value::text(&all));
    props.set_lid(lid::TO_ATTENDEES, Value::text(&to));
    props.set_lid(lid::CC_ATTENDEES, Value::text(&cc));
    let rsvp = source.all("ATTENDEE").any(|l| l.param("RSVP").is_some_and(|r| r.eq_ignore_ascii_case("TRUE")));
    props.set(tag::RESPONSE_REQUESTED, Value::Bool(rsvp));
    [to, cc]
}
