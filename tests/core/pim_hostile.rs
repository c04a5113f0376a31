//! Calendars, vCards and the blobs of series that were made to hurt: nothing panics, and what is written stays in
//! proportion to what was read. The sizes are such that a step for every pair of lines would be felt.

use super::support::{Seeded, corpus};
use pst_core::mapi::recurrence::{AppointmentRecurrence, RecurrencePattern};
use pst_core::mapi::timezone::{ZoneDefinition, ZoneStruct};
use pst_core::mapi::{Message, Value, lid};
use pst_core::mime::calendar::{self, Entry};
use pst_core::mime::contact::{self, Card, Directory};
use pst_core::mime::{ImportOptions, Options, State, to_mapi, to_mapi_large};

/// Reads a text in all ways, and writes what was read; the number of items and of bytes.
fn through(bytes: &[u8]) -> (usize, usize) {
    let (mut items, mut out) = (0, Vec::new());
    calendar::index(bytes);
    for (_, item) in calendar::read(bytes).0 {
        items += 1;
        if let Some(entry) = Entry::of(&item.message, &Options::default()).unwrap() {
            entry.write(&mut out).unwrap();
        }
    }
    contact::index(bytes);
    for (_, item) in contact::read(bytes, &Directory::default()).0 {
        items += 1;
        if let Some(card) = Card::of(&item.message, &Options::default()).unwrap() {
            card.write(&mut out).unwrap();
        }
    }
    (items, out.len())
}

/// Writes an appointment with a blob in place of its series.
fn with_blob(message: &Message, blob: Vec<u8>) {
    let mut message = message.clone();
    AppointmentRecurrence::decode(&blob);
    RecurrencePattern::decode(&blob).map(|p| p.occurrences().map_or(0, |all| all.take(1000).count()));
    ZoneDefinition::decode(&blob);
    ZoneStruct::decode(&blob);
    message.props.set_lid(lid::APPOINTMENT_RECUR, Value::binary(blob));
    if let Some(entry) = Entry::of(&message, &Options::default()).unwrap() {
        entry.write(&mut Vec::new()).unwrap();
    }
}

/// Changes some bytes, or puts a piece of the text elsewhere.
fn mutate(random: &mut Seeded, bytes: &mut Vec<u8>) {
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len().max(1) as u64) as usize;
        match random.below(5) {
            0 => bytes.truncate(at.max(1)),
            1 => {
                let words: [&[u8]; 8] =
                    [b"9999999999", b"-1", b"\r\n", b";", b"BEGIN:VEVENT\r\n", b"T235960Z", b"=", b"99991231"];
                let word = words[random.below(8) as usize];
                bytes.splice(at.min(bytes.len())..at.min(bytes.len()), word.iter().copied());
            }
            2 => {
                let end = (at + random.below(80) as usize).min(bytes.len());
                let piece = bytes[at.min(end)..end].to_vec();
                let to = random.below(bytes.len().max(1) as u64) as usize;
                bytes.splice(to..to, piece);
            }
            _ => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = random.below(256) as u8;
                }
            }
        }
    }
}

#[test]
fn mutated_calendars_cards_and_series() {
    let mut random = Seeded(60);
    let mut texts: Vec<Vec<u8>> = Vec::new();
    for kind in ["ical", "vcard"] {
        let Some(top) = corpus(kind) else { continue };
        let files = walkdir::WalkDir::new(top).sort_by_file_name().into_iter().flatten();
        texts.extend(files.filter(|e| e.file_type().is_file()).map(|e| std::fs::read(e.path()).unwrap()));
    }
    let series = "BEGIN:VEVENT\r\nUID:a\r\nDTSTART;TZID=Europe/Berlin:20240102T100000\r\nRRULE:FREQ=MONTHLY;BYDAY=-1FR;COUNT=9\r\nEXDATE;TZID=Europe/Berlin:20240223T100000\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nUID:a\r\nRECURRENCE-ID;TZID=Europe/Berlin:20240329T100000\r\nDTSTART;TZID=Europe/Berlin:20240330T100000\r\nSUMMARY:moved\r\nEND:VEVENT\r\n";
    texts.push(series.as_bytes().to_vec());
    let (mut n, mut sizes) = (0, 0);
    for text in texts.iter().filter(|t| t.len() <= 20_000) {
        for _ in 0..15 {
            let mut changed = text.clone();
            mutate(&mut random, &mut changed);
            through(&changed);
            n += 1;
            sizes += changed.len();
        }
    }
    let message = calendar::read(series.as_bytes()).0.remove(0).1.message;
    let blob = message.props.lid(lid::APPOINTMENT_RECUR).and_then(Value::as_bytes).unwrap().to_vec();
    for _ in 0..4000 {
        let mut changed = blob.clone();
        for _ in 0..=random.below(3) {
            let at = random.below(changed.len() as u64) as usize;
            changed[at] = [0, 1, 0x7F, 0xFF, random.below(256) as u8][random.below(5) as usize];
        }
        changed.truncate(changed.len() - random.below(3) as usize * random.below(10) as usize);
        with_blob(&message, changed);
    }
    eprintln!("{n} texts of {sizes} bytes, 4000 blobs");
    assert!(n > 10);
}

fn event(lines: &str) -> String {
    format!(
        "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:a\r\nDTSTART:20240101T100000Z\r\n{lines}END:VEVENT\r\nEND:VCALENDAR\r\n"
    )
}

/// A text that grows with a number.
type Grown = Box<dyn Fn(usize) -> String>;

#[test]
fn what_grows_is_read_to_its_end() {
    let zone = |tzid: usize, more: &str| {
        format!(
            "BEGIN:VTIMEZONE\r\nTZID:{tzid}\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\n{more}END:STANDARD\r\nEND:VTIMEZONE\r\n"
        )
    };
    let date = |n: usize| format!("{}{:02}{:02}T100000Z", 2024 + n / 336 % 2000, 1 + n / 28 % 12, 1 + n % 28);
    let cases: Vec<(&str, usize, Grown)> = vec![
        (
            "RDATE",
            50_000,
            Box::new(move |n| event(&format!("RDATE:{}\r\n", (0..n).map(date).collect::<Vec<_>>().join(",")))),
        ),
        (
            "EXDATE",
            20_000,
            Box::new(move |n| {
                let dates: Vec<String> = (0..n).map(date).collect();
                event(&format!("RRULE:FREQ=DAILY\r\nEXDATE:{}\r\n", dates.join(",")))
            }),
        ),
        (
            "EXDATE lines",
            10_000,
            Box::new(move |n| {
                let lines: String = (0..n).map(|i| format!("EXDATE:{}\r\n", date(i))).collect();
                event(&format!("RRULE:FREQ=DAILY\r\n{lines}"))
            }),
        ),
        ("BYDAY", 50_000, Box::new(|n| event(&format!("RRULE:FREQ=MONTHLY;BYDAY={}\r\n", vec!["MO"; n].join(","))))),
        ("rules", 20_000, Box::new(|n| event(&"RRULE:FREQ=DAILY\r\n".repeat(n)))),
        (
            "attendees",
            40_000,
            Box::new(|n| event(&(0..n).map(|i| format!("ATTENDEE;CN=x:mailto:a{i}@b.c\r\n")).collect::<String>())),
        ),
        (
            "alarms",
            20_000,
            Box::new(|n| {
                event(
                    &(0..n)
                        .map(|i| format!("BEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-PT{i}M\r\nEND:VALARM\r\n"))
                        .collect::<String>(),
                )
            }),
        ),
        (
            "changes",
            5_000,
            Box::new(move |n| {
                let changes: String = (0..n)
                    .map(|i| {
                        format!(
                            "BEGIN:VEVENT\r\nUID:a\r\nRECURRENCE-ID:{}\r\nDTSTART:{}\r\nEND:VEVENT\r\n",
                            date(i),
                            date(i)
                        )
                    })
                    .collect();
                format!("{}{changes}", event("RRULE:FREQ=DAILY\r\n").replace("END:VCALENDAR\r\n", ""))
                    + "END:VCALENDAR\r\n"
            }),
        ),
        (
            "zones",
            4_000,
            Box::new(move |n| {
                let zones: String = (0..n).map(|i| zone(i, "")).collect();
                let events: String = (0..n)
                    .map(|i| format!("BEGIN:VEVENT\r\nUID:{i}\r\nDTSTART;TZID={i}:20240101T100000\r\nEND:VEVENT\r\n"))
                    .collect();
                format!("BEGIN:VCALENDAR\r\n{zones}{events}END:VCALENDAR\r\n")
            }),
        ),
        (
            "dates of a zone",
            20_000,
            Box::new(move |n| {
                let dates: Vec<String> = (0..n).map(date).collect();
                let zone = zone(1, &format!("RDATE:{}\r\n", dates.join(",")));
                format!(
                    "BEGIN:VCALENDAR\r\n{zone}BEGIN:VEVENT\r\nDTSTART;TZID=1:20240101T100000\r\nRRULE:FREQ=DAILY\r\nEXDATE;TZID=1:{}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
                    dates.join(",").replace('Z', "")
                )
            }),
        ),
        (
            "rules of a zone",
            2_000,
            Box::new(move |n| {
                let zone = zone(1, &"RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\r\n".repeat(n));
                let events = "BEGIN:VEVENT\r\nDTSTART;TZID=1:20240101T100000\r\nEND:VEVENT\r\n".repeat(n);
                format!("BEGIN:VCALENDAR\r\n{zone}{events}END:VCALENDAR\r\n")
            }),
        ),
        ("depth", 50_000, Box::new(|n| format!("BEGIN:VCALENDAR\r\n{}", "BEGIN:VEVENT\r\n".repeat(n)))),
        ("cards in cards", 20_000, Box::new(|n| "BEGIN:VCARD\r\n".repeat(n))),
        (
            "numbers",
            20_000,
            Box::new(|n| {
                format!(
                    "BEGIN:VCARD\r\nFN:a\r\n{}END:VCARD\r\n",
                    (0..n).map(|i| format!("TEL;TYPE=fax:{i}\r\n")).collect::<String>()
                )
            }),
        ),
        (
            "members",
            10_000,
            Box::new(|n| {
                format!(
                    "BEGIN:VCARD\r\nKIND:group\r\nFN:a\r\n{}END:VCARD\r\n",
                    (0..n).map(|i| format!("MEMBER:mailto:{i}@b.c\r\n")).collect::<String>()
                )
            }),
        ),
        (
            "photos",
            2_000,
            Box::new(|n| {
                format!(
                    "BEGIN:VCARD\r\nFN:a\r\n{}END:VCARD\r\n",
                    "PHOTO:data:image/png;base64,iVBORw0KGgo=\r\n".repeat(n)
                )
            }),
        ),
        ("folds", 100_000, Box::new(|n| event(&format!("SUMMARY:a\r\n{}", " b\r\n".repeat(n))))),
        (
            "parameters",
            20_000,
            Box::new(|n| event(&format!("X-A{}:b\r\n", (0..n).map(|i| format!(";P{i}=1")).collect::<String>()))),
        ),
    ];
    for (name, n, text) in cases {
        let text = text(n);
        let (items, bytes) = through(text.as_bytes());
        eprintln!("{name:>16}: {} bytes, {items} items, {bytes} bytes", text.len());
        assert!(items > 0, "{name}");
        assert!(bytes < 40 * text.len(), "{name}: {bytes} bytes of {}", text.len());
    }
}

/// Numbers past all bounds are refused, or cut where Outlook's calendar ends.
#[test]
fn rules_past_all_bounds() {
    for rule in [
        "FREQ=DAILY;COUNT=1000000000",
        "FREQ=DAILY;COUNT=4294967295;INTERVAL=4294967295",
        "FREQ=DAILY;INTERVAL=0",
        "FREQ=WEEKLY;INTERVAL=99999;COUNT=1000000000;BYDAY=MO,TU,WE,TH,FR,SA,SU",
        "FREQ=MONTHLY;BYMONTHDAY=31;COUNT=999999999",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;UNTIL=99991231T235959Z",
        "FREQ=DAILY;UNTIL=99991231",
        "FREQ=SECONDLY;COUNT=4000000000",
        "FREQ=MONTHLY;BYSETPOS=-2147483648;BYDAY=-2147483648MO",
    ] {
        for start in
            ["20240229T100000Z", "16010101T000000Z", "45000831T000000Z", "99991231T235959Z", "00000000T000000Z"]
        {
            let text = event(&format!("RRULE:{rule}\r\n")).replace("20240101T100000Z", start);
            through(text.as_bytes());
            let mail =
                format!("Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/calendar; method=REQUEST\r\n\r\n{text}");
            to_mapi(mail.as_bytes(), &State::default(), None).unwrap();
            let options = ImportOptions { calendar: pst_core::mime::Calendar::Native, ..ImportOptions::default() };
            to_mapi_large(mail.as_bytes(), &[], &State::default(), None, options).unwrap();
        }
    }
}
