//! Case 58 of the catalogue: calendars in mail, as files and as meetings.

use super::support::mail::{data, export, exported, field, import, multipart, name, shown, text};
use pst_core::mapi::goid::GlobalObjectId;
use pst_core::mapi::recurrence::{AppointmentRecurrence, End, Pattern, date_of};
use pst_core::mapi::timezone::ZoneDefinition;
use pst_core::mapi::{Lid, Message, Value, lid, tag, time};
use pst_core::mime::{Calendar, Converted, ImportOptions, Options, State, from_mapi, to_mapi_large};

/// A weekly meeting on Mondays and Wednesdays: one date is left out, one is moved; the zone has its name from Windows.
const WEEKLY: &str = "BEGIN:VCALENDAR\r\n\
METHOD:REQUEST\r\n\
PRODID:Microsoft Exchange Server 2010\r\n\
VERSION:2.0\r\n\
BEGIN:VTIMEZONE\r\n\
TZID:W. Europe Standard Time\r\n\
BEGIN:STANDARD\r\n\
DTSTART:16010101T030000\r\n\
TZOFFSETFROM:+0200\r\n\
TZOFFSETTO:+0100\r\n\
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10\r\n\
END:STANDARD\r\n\
BEGIN:DAYLIGHT\r\n\
DTSTART:16010101T020000\r\n\
TZOFFSETFROM:+0100\r\n\
TZOFFSETTO:+0200\r\n\
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3\r\n\
END:DAYLIGHT\r\n\
END:VTIMEZONE\r\n\
BEGIN:VEVENT\r\n\
ORGANIZER;CN=Ann:mailto:ann@example.org\r\n\
ATTENDEE;CN=Bob;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:bob@example.org\r\n\
ATTENDEE;CN=Cid;ROLE=OPT-PARTICIPANT;PARTSTAT=ACCEPTED:mailto:cid@example.org\r\n\
DESCRIPTION:Weekly review\\n\r\n\
SUMMARY:Review\r\n\
RRULE:FREQ=WEEKLY;UNTIL=20240430T070000Z;INTERVAL=1;BYDAY=MO,WE;WKST=MO\r\n\
EXDATE;TZID=W. Europe Standard Time:20240408T090000\r\n\
DTSTART;TZID=W. Europe Standard Time:20240318T090000\r\n\
DTEND;TZID=W. Europe Standard Time:20240318T100000\r\n\
UID:review-1@example.org\r\n\
CLASS:PUBLIC\r\n\
PRIORITY:5\r\n\
DTSTAMP:20240301T120000Z\r\n\
TRANSP:OPAQUE\r\n\
STATUS:CONFIRMED\r\n\
SEQUENCE:2\r\n\
LOCATION:Room 1\r\n\
X-MICROSOFT-CDO-BUSYSTATUS:TENTATIVE\r\n\
X-MICROSOFT-CDO-INTENDEDSTATUS:BUSY\r\n\
X-CUSTOM-FIELD:kept\r\n\
BEGIN:VALARM\r\n\
ACTION:DISPLAY\r\n\
DESCRIPTION:REMINDER\r\n\
TRIGGER;RELATED=START:-PT15M\r\n\
END:VALARM\r\n\
END:VEVENT\r\n\
BEGIN:VEVENT\r\n\
ORGANIZER;CN=Ann:mailto:ann@example.org\r\n\
ATTENDEE;CN=Bob;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:bob@example.org\r\n\
DESCRIPTION:Weekly review\\n\r\n\
SUMMARY:Review (moved)\r\n\
DTSTART;TZID=W. Europe Standard Time:20240327T140000\r\n\
DTEND;TZID=W. Europe Standard Time:20240327T150000\r\n\
UID:review-1@example.org\r\n\
RECURRENCE-ID;TZID=W. Europe Standard Time:20240327T090000\r\n\
DTSTAMP:20240301T120000Z\r\n\
SEQUENCE:2\r\n\
LOCATION:Room 2\r\n\
END:VEVENT\r\n\
END:VCALENDAR\r\n";

/// A calendar of one event.
fn event(method: &str, lines: &str) -> String {
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\nMETHOD:{method}\r\nBEGIN:VEVENT\r\nUID:one@example.org\r\nDTSTAMP:20240301T120000Z\r\nSUMMARY:One\r\n{lines}END:VEVENT\r\nEND:VCALENDAR\r\n"
    )
}

/// A mail that has the calendar as another form of its text, as Exchange and Google send it.
fn invitation(calendar: &str, method: &str) -> String {
    let head = "From: ann@example.org\r\nTo: bob@example.org\r\nSubject: Review\r\nDate: Fri, 1 Mar 2024 12:00:00 +0000\r\nMessage-ID: <1@example.org>\r\nMIME-Version: 1.0\r\n";
    let part = format!(
        "Content-Type: text/calendar; charset=\"utf-8\"; method={method}\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{calendar}"
    );
    let plain = "Content-Type: text/plain; charset=utf-8\r\n\r\nPlease come.\r\n";
    format!(
        "{head}{}",
        multipart(
            "alternative",
            &[plain, "Content-Type: text/html; charset=utf-8\r\n\r\n<p>Please come.</p>\r\n", &part]
        )
    )
}

fn native(mail: &str) -> Converted {
    let options = ImportOptions { calendar: Calendar::Native, ..ImportOptions::default() };
    to_mapi_large(mail.as_bytes(), &[], &State::default(), None, options).unwrap()
}

fn class(message: &Message) -> String {
    text(message, tag::MESSAGE_CLASS).unwrap()
}

/// Seconds since 1970 of a numbered property.
fn at(message: &Message, lid: Lid) -> i64 {
    time::to_unix(message.props.lid(lid).and_then(Value::as_time).unwrap())
}

fn unix(moment: &str) -> i64 {
    moment.parse::<jiff::Timestamp>().unwrap().as_second()
}

fn bytes(message: &Message, lid: Lid) -> Vec<u8> {
    message.props.lid(lid).and_then(Value::as_bytes).unwrap().to_vec()
}

/// The calendar of an exported message, unfolded.
fn calendar_of(message: &Message) -> String {
    let mail = export(message);
    let parsed = mail_parser::MessageParser::default().parse(&mail).unwrap();
    let part = parsed.parts().find(|p| p.is_content_type("text", "calendar")).unwrap();
    String::from_utf8(part.decoded().into_owned()).unwrap().replace("\r\n ", "")
}

#[test]
fn case_58_a_calendar_stays_a_file_of_ordinary_mail() {
    for (calendar, method) in [
        (WEEKLY.to_owned(), "REQUEST"),
        (event("REQUEST", "DTSTART;VALUE=DATE:20240501\r\nDTEND;VALUE=DATE:20240502\r\n"), "REQUEST"),
        (event("PUBLISH", "DTSTART:20240501T090000\r\nDTEND:20240501T100000\r\n"), "PUBLISH"),
        (event("CANCEL", "DTSTART;TZID=Pacific Standard Time:20240501T090000\r\n"), "CANCEL"),
    ] {
        let message = import(invitation(&calendar, method));
        assert_eq!(class(&message), "IPM.Note");
        assert_eq!(text(&message, tag::BODY).unwrap().trim_end(), "Please come.");
        let [file] = message.attachments.as_slice() else { panic!("{}", message.attachments.len()) };
        assert_eq!(file.props.text(tag::ATTACH_MIME_TAG).as_deref(), Some("text/calendar"));
        assert!(name(file).ends_with(".ics"), "{}", name(file));
        assert_eq!(String::from_utf8(data(file)).unwrap(), calendar);
        assert!(message.props.lid(lid::GLOBAL_OBJECT_ID).is_none());
        // It goes out as what it came: another form of the text.
        let out = exported(&message);
        assert!(out.contains("Content-Type: multipart/alternative"), "{out}");
        assert!(out.contains(&format!("Content-Type: text/calendar; charset=\"utf-8\"; method={method}\r\n")), "{out}");
        assert!(!out.contains("multipart/mixed") && !out.contains("Content-Disposition"), "{out}");
        assert_eq!(calendar_of(&message), calendar);
    }
}

#[test]
fn case_58_a_request_becomes_a_meeting_with_its_series() {
    let converted = native(&invitation(WEEKLY, "REQUEST"));
    let message = &converted.message;
    assert_eq!(class(message), "IPM.Schedule.Meeting.Request");
    assert_eq!(shown(message), "Review");
    assert_eq!(text(message, tag::BODY).unwrap().trim_end(), "Please come.");
    // UID: kept in the form for ids of others, and the same in the id that has no date.
    let id = GlobalObjectId::decode(&bytes(message, lid::GLOBAL_OBJECT_ID)).unwrap();
    assert_eq!(id.uid(), "review-1@example.org");
    assert_eq!(bytes(message, lid::GLOBAL_OBJECT_ID), bytes(message, lid::CLEAN_GLOBAL_OBJECT_ID));
    // The series: every week, Monday and Wednesday, from 18 March to 24... 30 April, 9 to 10 local time.
    let recurrence = AppointmentRecurrence::decode(&bytes(message, lid::APPOINTMENT_RECUR)).unwrap();
    let pattern = &recurrence.pattern;
    assert_eq!(pattern.pattern, Pattern::Week(0b000_1010));
    assert_eq!((pattern.period, pattern.first_day), (1, 1));
    assert!(matches!(pattern.end, End::Date), "{:?}", pattern.end);
    assert_eq!((recurrence.start_offset, recurrence.end_offset), (9 * 60, 10 * 60));
    assert_eq!(date_of(pattern.start).to_string(), "2024-03-18");
    // The moved date is deleted and modified, the other deleted alone.
    let dates = |all: &[u32]| all.iter().map(|d| date_of(*d).to_string()).collect::<Vec<_>>();
    assert_eq!(dates(&pattern.deleted), ["2024-03-27", "2024-04-08"]);
    assert_eq!(dates(&pattern.modified), ["2024-03-27"]);
    let [exception] = recurrence.exceptions.as_slice() else { panic!() };
    assert_eq!(exception.subject_text(1252).as_deref(), Some("Review (moved)"));
    assert_eq!(exception.location_text(1252).as_deref(), Some("Room 2"));
    assert_eq!((exception.start % 1440, exception.end % 1440), (14 * 60, 15 * 60));
    // Winter time on the first date.
    assert_eq!(at(message, lid::START_WHOLE), unix("2024-03-18T08:00:00Z"));
    assert_eq!(at(message, lid::END_WHOLE), unix("2024-03-18T09:00:00Z"));
    let zone = ZoneDefinition::decode(&bytes(message, lid::ZONE_RECUR)).unwrap();
    assert_eq!(zone.key(), "W. Europe Standard Time");
    assert_eq!(message.props.lid(lid::SEQUENCE).and_then(Value::as_i32), Some(2));
    assert_eq!(message.props.lid(lid::BUSY_STATUS).and_then(Value::as_i32), Some(1));
    assert_eq!(message.props.lid(lid::INTENDED_BUSY_STATUS).and_then(Value::as_i32), Some(2));
    assert_eq!(message.props.lid(lid::REMINDER_DELTA).and_then(Value::as_i32), Some(15));
    assert_eq!(message.props.lid(lid::LOCATION).and_then(Value::to_text).as_deref(), Some("Room 1"));
    assert_eq!(converted.warnings, Vec::new());
}

#[test]
fn case_58_a_meeting_goes_out_with_the_rule_it_came_with() {
    let message = native(&invitation(WEEKLY, "REQUEST")).message;
    let mail = exported(&message);
    assert!(mail.contains("Content-Type: text/calendar; charset=utf-8; method=REQUEST\r\n"), "{mail}");
    let calendar = calendar_of(&message);
    // The zone is made anew of its rules; everything else stands as it stood.
    let events = &WEEKLY[WEEKLY.find("BEGIN:VEVENT").unwrap()..];
    for line in events.split("\r\n") {
        assert!(calendar.split("\r\n").any(|l| l == line), "{line} is not in\n{calendar}");
    }
    for rule in ["RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU", "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU"] {
        assert!(calendar.contains(rule), "{calendar}");
    }
    assert_eq!(calendar.matches("BEGIN:VEVENT").count(), 2);
    // And once more.
    let again = native(&mail).message;
    assert_eq!(bytes(&again, lid::APPOINTMENT_RECUR), bytes(&message, lid::APPOINTMENT_RECUR));
    assert_eq!(calendar_of(&again), calendar);
}

#[test]
fn case_58_days_floating_times_and_zones_without_a_definition() {
    let one = |lines: &str| native(&invitation(&event("REQUEST", lines), "REQUEST")).message;
    // All day: midnight to midnight.
    let day = one("DTSTART;VALUE=DATE:20240501\r\nDTEND;VALUE=DATE:20240503\r\n");
    assert_eq!(day.props.lid(lid::SUB_TYPE).and_then(Value::as_bool), Some(true));
    assert_eq!(at(&day, lid::END_WHOLE) - at(&day, lid::START_WHOLE), 2 * 86400);
    let lines = calendar_of(&day);
    assert!(
        lines.contains("DTSTART;VALUE=DATE:20240501\r\n") && lines.contains("DTEND;VALUE=DATE:20240503\r\n"),
        "{lines}"
    );
    // Without a zone: taken as UTC, since nothing says more, and written without a zone again.
    let floating =
        native(&invitation(&event("REQUEST", "DTSTART:20240501T090000\r\nDTEND:20240501T100000\r\n"), "REQUEST"));
    assert_eq!(at(&floating.message, lid::START_WHOLE), unix("2024-05-01T09:00:00Z"));
    assert!(floating.warnings.iter().any(|w| w.text.contains("zone")), "{:?}", floating.warnings);
    assert!(calendar_of(&floating.message).contains("DTSTART:20240501T090000\r\n"));
    // A zone of Windows and one of the tz database, neither defined.
    for (tzid, hour) in [("Pacific Standard Time", 16), ("America/Los_Angeles", 16), ("Europe/Berlin", 7)] {
        let message = one(&format!("DTSTART;TZID={tzid}:20240501T090000\r\nDURATION:PT1H\r\n"));
        assert_eq!(at(&message, lid::START_WHOLE), unix(&format!("2024-05-01T{hour:02}:00:00Z")), "{tzid}");
        assert_eq!(at(&message, lid::END_WHOLE), at(&message, lid::START_WHOLE) + 3600, "{tzid}");
        let lines = calendar_of(&message);
        for line in [format!("DTSTART;TZID={tzid}:20240501T090000"), "DURATION:PT1H".to_owned(), format!("TZID:{tzid}")]
        {
            assert!(lines.split("\r\n").any(|l| l == line), "{line} is not in\n{lines}");
        }
    }
}

#[test]
fn answers_and_cancellations_become_those_of_outlook() {
    let when = "DTSTART:20240501T090000Z\r\nDTEND:20240501T100000Z\r\nORGANIZER:mailto:ann@example.org\r\n";
    let answer = |status: &str| format!("{when}ATTENDEE;CN=Bob;PARTSTAT={status}:mailto:bob@example.org\r\n");
    for (method, lines, expected) in [
        ("REQUEST", answer("NEEDS-ACTION"), "IPM.Schedule.Meeting.Request"),
        ("CANCEL", answer("NEEDS-ACTION"), "IPM.Schedule.Meeting.Canceled"),
        ("REPLY", answer("ACCEPTED"), "IPM.Schedule.Meeting.Resp.Pos"),
        ("REPLY", answer("TENTATIVE"), "IPM.Schedule.Meeting.Resp.Tent"),
        ("REPLY", answer("DECLINED"), "IPM.Schedule.Meeting.Resp.Neg"),
        ("COUNTER", answer("TENTATIVE"), "IPM.Schedule.Meeting.Resp.Tent"),
        ("PUBLISH", answer("NEEDS-ACTION"), "IPM.Appointment"),
    ] {
        let calendar = event(method, &lines);
        let mut mail = invitation(&calendar, method);
        if method == "REPLY" || method == "COUNTER" {
            mail = mail
                .replace("From: ann@", "From: Bob <bob@")
                .replace("\r\nTo: bob@example.org", ">\r\nTo: ann@example.org");
        }
        let message = native(&mail).message;
        assert_eq!(class(&message), expected, "{method}");
        assert!(message.attachments.is_empty(), "{method}");
        assert_eq!(at(&message, lid::START_WHOLE), unix("2024-05-01T09:00:00Z"), "{method}");
        let out = calendar_of(&message);
        for line in calendar
            .split("\r\n")
            .filter(|l| !(l.starts_with("PRODID") || method == "PUBLISH" && l.starts_with("METHOD")))
        {
            assert!(out.split("\r\n").any(|l| l == line), "{method}: {line} is not in\n{out}");
        }
    }
    let counter = native(&invitation(&event("COUNTER", &answer("TENTATIVE")), "COUNTER")).message;
    assert_eq!(counter.props.lid(lid::COUNTER_PROPOSAL).and_then(Value::as_bool), Some(true));
}

/// What Outlook has no message for stays mail with a file, and that is said.
#[test]
fn what_is_no_meeting_stays_a_file() {
    let when = "DTSTART:20240501T090000Z\r\n";
    let two = event("REQUEST", when).replace(
        "END:VCALENDAR\r\n",
        "BEGIN:VEVENT\r\nUID:two\r\nDTSTART:20240501T090000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
    );
    let todo = "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VTODO\r\nUID:t\r\nEND:VTODO\r\nEND:VCALENDAR\r\n".to_owned();
    for calendar in [event("REFRESH", when), event("REPLY", when), two, todo, String::new(), "no calendar".to_owned()] {
        let converted = native(&invitation(&calendar, "REQUEST"));
        assert_eq!(class(&converted.message), "IPM.Note", "{calendar}");
        assert_eq!(converted.message.attachments.len(), 1, "{calendar}");
        assert!(
            converted.warnings.iter().any(|w| w.text.starts_with("the calendar of this mail is kept as a file")),
            "{calendar}"
        );
    }
}

/// A rule that no pattern of Outlook is: the meeting stands for its first date, and the source is attached.
#[test]
fn a_rule_outlook_cannot_show_is_kept_in_a_file() {
    let rule = "DTSTART:20240501T090000Z\r\nDTEND:20240501T100000Z\r\nRRULE:FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=2,-2\r\n";
    let converted = native(&invitation(&event("REQUEST", rule), "REQUEST"));
    assert_eq!(class(&converted.message), "IPM.Schedule.Meeting.Request");
    assert!(converted.warnings.iter().any(|w| w.text.contains("BYSETPOS")), "{:?}", converted.warnings);
    let [file] = converted.message.attachments.as_slice() else { panic!() };
    assert_eq!(name(file), "original.ics");
    assert!(String::from_utf8(data(file)).unwrap().contains("BYSETPOS=2,-2"));
    // The rule comes out again all the same.
    assert!(calendar_of(&converted.message).contains("RRULE:FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=2,-2\r\n"));
}

/// The text of a calendar is read in the charset of its part.
#[test]
fn a_calendar_in_another_charset() {
    let calendar = event("REQUEST", "DTSTART:20240501T090000Z\r\nLOCATION:Büro\r\n");
    let head = "From: ann@example.org\r\nSubject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/calendar; charset=iso-8859-1; method=REQUEST\r\nContent-Transfer-Encoding: 8bit\r\n\r\n";
    let mut mail = head.as_bytes().to_vec();
    mail.extend(calendar.chars().map(|c| c as u8));
    let options = ImportOptions { calendar: Calendar::Native, ..ImportOptions::default() };
    let message = to_mapi_large(&mail, &[], &State::default(), None, options).unwrap().message;
    assert_eq!(message.props.lid(lid::LOCATION).and_then(Value::to_text).as_deref(), Some("Büro"));
    let mut out = Vec::new();
    assert_eq!(from_mapi(&message, &mut out, &Options::default()).unwrap(), Vec::new());
    assert_eq!(field(&out, "From").as_deref(), Some("ann@example.org"));
}
