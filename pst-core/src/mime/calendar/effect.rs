//! What a line does to the properties of an item: two lines of the same effect are one to Outlook.

use super::export::people::part_stat;
use super::value::{Stamp, duration};
use crate::mime::lines::{Component, Line};

/// The effect of a line.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Effect {
    /// It sets a property; true if that is what the property is without the line.
    Known(String, bool),
    /// There is no property for it.
    None,
}

/// The effect of a line, but for times and rules, which others compare.
pub(super) fn of(line: &Line) -> Effect {
    let upper = || line.value.trim().to_ascii_uppercase();
    let known = |text: String, usual: bool| Effect::Known(text, usual);
    match line.name.to_ascii_uppercase().as_str() {
        "SUMMARY" | "DESCRIPTION" | "LOCATION" | "X-ALT-DESC" | "X-PST-CLASS" => {
            let text = line.plain();
            let text = text.trim_end_matches(['\r', '\n']).replace("\r\n", "\n");
            // A subject is one line.
            let text = if line.is("SUMMARY") { text.replace(['\r', '\n'], " ") } else { text };
            let usual = text.is_empty();
            known(text, usual)
        }
        "DTSTAMP" | "CREATED" | "LAST-MODIFIED" => Effect::Known(String::new(), true),
        "CLASS" => known(sensitivity(&upper()).to_string(), sensitivity(&upper()) == 0),
        "PRIORITY" => known(importance(&line.value).to_string(), importance(&line.value) == 1),
        "TRANSP" => known((upper() == "TRANSPARENT").to_string(), upper() != "TRANSPARENT"),
        "STATUS" => known(status(&upper()).to_owned(), status(&upper()).is_empty()),
        "SEQUENCE" | "PERCENT-COMPLETE" => {
            let n = line.value.trim().parse::<i64>().unwrap_or(0);
            known(n.to_string(), n == 0)
        }
        "COMPLETED" => known(Stamp::of(line).map(|s| s.civil().date().to_string()).unwrap_or_default(), false),
        "ATTENDEE" | "ORGANIZER" => {
            let (role, status) = (role(line), participation(line));
            let address = address(line).to_lowercase();
            // Someone without an address is in no row.
            let usual = address.is_empty() || line.is("ORGANIZER");
            known(format!("{address}\0{role}\0{}", part_stat(status)), usual)
        }
        "X-MICROSOFT-CDO-BUSYSTATUS" | "X-MICROSOFT-CDO-INTENDEDSTATUS" | "X-PST-RESPONSE" => known(upper(), true),
        "X-MICROSOFT-CDO-ALLDAYEVENT" | "X-MICROSOFT-DISALLOW-COUNTER" => known(upper(), upper() != "TRUE"),
        "X-MS-OLK-APPTSEQTIME"
        | "X-MICROSOFT-CDO-REPLYTIME"
        | "X-MICROSOFT-CDO-OWNER-CRITICAL-CHANGE"
        | "X-MICROSOFT-CDO-ATTENDEE-CRITICAL-CHANGE" => {
            known(Stamp::of(line).map(|s| s.to_string()).unwrap_or_default(), true)
        }
        _ => Effect::None,
    }
}

/// The categories of a line.
pub(super) fn categories(line: &Line) -> Vec<String> {
    line.list(',').into_iter().map(|c| c.trim().to_owned()).filter(|c| !c.is_empty()).collect()
}

/// PidTagSensitivity of CLASS in upper case.
pub(super) fn sensitivity(class: &str) -> i32 {
    match class {
        "X-PERSONAL" => 1,
        "PRIVATE" => 2,
        "CONFIDENTIAL" => 3,
        _ => 0,
    }
}

/// PidTagImportance of PRIORITY.
pub(super) fn importance(priority: &str) -> i32 {
    match priority.trim().parse::<u32>() {
        Ok(1..=4) => 2,
        Ok(6..=9) => 0,
        _ => 1,
    }
}

/// What of STATUS in upper case an item can say.
fn status(text: &str) -> &str {
    match text {
        // TENTATIVE says no more than the busy status, which may say otherwise.
        "CANCELLED" | "COMPLETED" | "IN-PROCESS" => text,
        _ => "",
    }
}

/// The address of a calendar address, its scheme gone and its escapes resolved.
pub(in crate::mime) fn address(line: &Line) -> String {
    let value = line.value.trim();
    let bare = value.get(..7).filter(|s| s.eq_ignore_ascii_case("mailto:")).and(value.get(7..)).unwrap_or(value);
    let bytes = bare.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&byte, tail)) = rest.split_first() {
        let digit = |b: u8| char::from(b).to_digit(16).map(|d| d as u8);
        match tail {
            [a, b, after @ ..] if byte == b'%' => match (digit(*a), digit(*b)) {
                (Some(a), Some(b)) => {
                    out.push(a << 4 | b);
                    rest = after;
                    continue;
                }
                _ => out.push(byte),
            },
            _ => out.push(byte),
        }
        rest = tail;
    }
    String::from_utf8(out).unwrap_or_else(|_| bare.to_owned())
}

/// PidTagRecipientType of an attendee.
pub(super) fn role(line: &Line) -> i32 {
    let is = |name: &str, value: &str| line.param(name).is_some_and(|v| v.eq_ignore_ascii_case(value));
    if is("CUTYPE", "RESOURCE") || is("CUTYPE", "ROOM") {
        3
    } else if is("ROLE", "OPT-PARTICIPANT") || is("ROLE", "NON-PARTICIPANT") {
        2
    } else {
        1
    }
}

/// PidTagRecipientTrackStatus of an attendee.
pub(super) fn participation(line: &Line) -> i32 {
    match line.param("PARTSTAT").map(str::to_ascii_uppercase).as_deref() {
        Some("TENTATIVE") => 2,
        Some("ACCEPTED" | "COMPLETED" | "IN-PROCESS") => 3,
        Some("DECLINED") => 4,
        _ => 0,
    }
}

/// When an alarm goes off, if it is one that Outlook can have. `moment` tells when the lines of a component are.
pub(super) fn goes_off(alarm: &Component, component: &Component, moment: &dyn Fn(&Line) -> Option<i64>) -> Option<i64> {
    let trigger = alarm.line("TRIGGER")?;
    let action = alarm.text("ACTION").unwrap_or_default().to_ascii_uppercase();
    if !matches!(action.as_str(), "DISPLAY" | "AUDIO" | "") {
        return None;
    }
    let Some(offset) = duration(&trigger.value) else { return moment(trigger) };
    let end = trigger.param("RELATED").is_some_and(|r| r.eq_ignore_ascii_case("END"));
    let ends = || component.lines.iter().find(|l| l.is("DTEND") || l.is("DUE"));
    // A task without a start is reminded of before it is due.
    let base = if end { ends() } else { component.line("DTSTART").or_else(ends) };
    moment(base?)?.checked_add(offset)
}
