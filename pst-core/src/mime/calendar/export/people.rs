//! Organizer and attendees ([MS-OXCICAL] 2.1.3.1.1.20.2 and .16).

use super::Output;
use crate::mapi::{Message, PropBag, PropTag, tag};
use crate::mime::address::{Mailbox, REPRESENTING, SENDER};
use crate::mime::calendar::value::{Stamp, civil};
use crate::mime::lines::Line;
use crate::mime::{outheader, text};

/// PidTagRecipientFlags: the organizer.
const ORGANIZER: i32 = 2;
/// PidTagRecipientTrackStatusTime.
const TRACK_TIME: PropTag = PropTag(0x5FFB_0040);

/// An address as it may stand in a URI.
fn escaped(address: &str) -> String {
    use std::fmt::Write;
    let mut out = String::new();
    for c in address.chars() {
        if c.is_control() || matches!(c, ' ' | '"' | '<' | '>' | '%' | '\\') {
            let mut utf8 = [0; 4];
            for byte in c.encode_utf8(&mut utf8).bytes() {
                let _ = write!(out, "%{byte:02X}");
            }
        } else {
            out.push(c);
        }
    }
    out
}

impl Output<'_> {
    /// A person as a calendar address. An address of Exchange stands beside the one of the Internet.
    fn address(&mut self, name: &str, who: Mailbox) -> Line {
        let (kind, own) = (who.kind.clone(), who.address.clone());
        let who = outheader::known(who, self.options);
        if who.kind != "SMTP" && !own.is_empty() {
            self.warn(format!("no Internet address is known for {own}"));
        }
        let mut line = Line::new(name, format!("mailto:{}", escaped(&outheader::routable(&who))));
        if !who.name.is_empty() && who.name != who.address {
            line = line.with("CN", who.name.replace(['\r', '\n'], " "));
        }
        if kind != "SMTP" && !own.is_empty() {
            line = line.with("X-PST-ADDRESS-TYPE", kind).with("X-PST-ADDRESS", own);
        }
        line
    }

    /// The organizer of a meeting: the represented person, or else the sender.
    pub(super) fn organizer(&mut self, message: &Message, page: u32) -> Option<Line> {
        author(message, page).map(|who| self.address("ORGANIZER", who))
    }

    /// The attendees of a meeting.
    pub(super) fn attendees(&mut self, message: &Message, page: u32, rsvp: bool) -> Vec<Line> {
        let invited = message.recipients.iter().filter(|r| r.i32(tag::RECIPIENT_FLAGS).unwrap_or(0) & ORGANIZER == 0);
        invited.filter_map(|row| self.attendee(row, page, rsvp)).collect()
    }

    fn attendee(&mut self, row: &PropBag, page: u32, rsvp: bool) -> Option<Line> {
        let mut line = self.address("ATTENDEE", outheader::of_row(row, page)?);
        match row.i32(tag::RECIPIENT_TYPE).unwrap_or(1) & 0xF {
            2 => line = line.with("ROLE", "OPT-PARTICIPANT"),
            3 => line = line.with("CUTYPE", "RESOURCE").with("ROLE", "NON-PARTICIPANT"),
            _ => line = line.with("ROLE", "REQ-PARTICIPANT"),
        }
        let status = row.i32(tag::RECIPIENT_TRACK_STATUS).unwrap_or(0);
        line = line.with("PARTSTAT", part_stat(status));
        if rsvp && matches!(status, 0 | 5) {
            line = line.with("RSVP", "TRUE");
        }
        let replied = row.time(TRACK_TIME).and_then(crate::mime::carried::moment).filter(|_| matches!(status, 2..=4));
        if let Some(at) = replied.and_then(civil) {
            line = line.with("X-MS-OLK-RESPTIME", Stamp::Utc(at).to_string());
        }
        Some(line)
    }

    /// The people of an answer to an invitation: the first recipient is the organizer, the author the only attendee.
    pub(super) fn answer(&mut self, message: &Message, page: u32, status: &str) -> Vec<Line> {
        let organizer = message.recipients.first().and_then(|r| outheader::of_row(r, page));
        let mut out: Vec<Line> = organizer.map(|who| self.address("ORGANIZER", who)).into_iter().collect();
        out.extend(author(message, page).map(|who| self.address("ATTENDEE", who).with("PARTSTAT", status)));
        out
    }
}

/// Who a message is from: the represented person, or else the sender.
fn author(message: &Message, page: u32) -> Option<Mailbox> {
    let learned = |who| outheader::learn(who, &message.recipients, page);
    let represented = outheader::person(&message.props, &REPRESENTING, page).map(learned);
    let sender = outheader::person(&message.props, &SENDER, page).map(learned);
    represented.filter(|w| !w.address.is_empty()).or(sender)
}

/// PARTSTAT of PidTagRecipientTrackStatus and PidLidResponseStatus.
pub(in crate::mime::calendar) fn part_stat(status: i32) -> &'static str {
    match status {
        1 | 3 => "ACCEPTED",
        2 => "TENTATIVE",
        4 => "DECLINED",
        _ => "NEEDS-ACTION",
    }
}

/// True if anyone was invited.
pub(super) fn has_attendees(message: &Message, page: u32) -> bool {
    message.recipients.iter().any(|r| {
        r.i32(tag::RECIPIENT_FLAGS).unwrap_or(0) & ORGANIZER == 0
            && (text::some(r, tag::DISPLAY_NAME, page).is_some() || text::some(r, tag::EMAIL_ADDRESS, page).is_some())
    })
}
