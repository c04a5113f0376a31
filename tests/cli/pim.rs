//! Calendars and vCards as users have them: out of Exchange, Google and Apple, into a PST and out again.

use super::command::{at, code, pst, stderr, tree};
use super::support::content_lines::{inside, missing};
use serde_json::Value as Json;
use std::fs;
use std::path::Path;

const EXCHANGE: &str = "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nPRODID:Microsoft Exchange Server 2010\r\nVERSION:2.0\r\nBEGIN:VTIMEZONE\r\nTZID:W. Europe Standard Time\r\nBEGIN:STANDARD\r\nDTSTART:16010101T030000\r\nTZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\nRRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10\r\nEND:STANDARD\r\nBEGIN:DAYLIGHT\r\nDTSTART:16010101T020000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\nRRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3\r\nEND:DAYLIGHT\r\nEND:VTIMEZONE\r\nBEGIN:VEVENT\r\nORGANIZER;CN=Ann:mailto:ann@example.org\r\nATTENDEE;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE;CN=Bob:mailto:bob@example.org\r\nDESCRIPTION;LANGUAGE=en-US:See you there\\n\r\nRRULE:FREQ=WEEKLY;UNTIL=20240326T080000Z;INTERVAL=1;BYDAY=TU;WKST=SU\r\nUID:040000008200E00074C5B7101A82E00800000000B0B7A1F8E13DDA01000000000000000010000000AABBCCDDEEFF00112233445566778899\r\nSUMMARY;LANGUAGE=en-US:Weekly\r\nDTSTART;TZID=W. Europe Standard Time:20240102T090000\r\nDTEND;TZID=W. Europe Standard Time:20240102T100000\r\nCLASS:PUBLIC\r\nPRIORITY:5\r\nDTSTAMP:20240101T120000Z\r\nTRANSP:OPAQUE\r\nSTATUS:CONFIRMED\r\nSEQUENCE:0\r\nLOCATION;LANGUAGE=en-US:Room 1\r\nX-MICROSOFT-CDO-APPT-SEQUENCE:0\r\nX-MICROSOFT-CDO-BUSYSTATUS:TENTATIVE\r\nX-MICROSOFT-CDO-INTENDEDSTATUS:BUSY\r\nX-MICROSOFT-CDO-ALLDAYEVENT:FALSE\r\nX-MICROSOFT-CDO-IMPORTANCE:1\r\nX-MICROSOFT-CDO-INSTTYPE:1\r\nX-MICROSOFT-DISALLOW-COUNTER:FALSE\r\nBEGIN:VALARM\r\nDESCRIPTION:REMINDER\r\nTRIGGER;RELATED=START:-PT15M\r\nACTION:DISPLAY\r\nEND:VALARM\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

const GOOGLE: &str = "BEGIN:VCALENDAR\r\nPRODID:-//Google Inc//Google Calendar 70.9054//EN\r\nVERSION:2.0\r\nCALSCALE:GREGORIAN\r\nMETHOD:PUBLISH\r\nX-WR-TIMEZONE:Europe/Berlin\r\nBEGIN:VEVENT\r\nDTSTART;TZID=Europe/Berlin:20240102T100000\r\nDTEND;TZID=Europe/Berlin:20240102T103000\r\nRRULE:FREQ=WEEKLY;BYDAY=TU\r\nEXDATE;TZID=Europe/Berlin:20240109T100000\r\nDTSTAMP:20240101T000000Z\r\nORGANIZER;CN=Me:mailto:me@example.org\r\nUID:abc123@google.com\r\nATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=ACCEPTED;CN=Me;X-NUM-GUESTS=0:mailto:me@example.org\r\nX-GOOGLE-CONFERENCE:https://meet.example/abc\r\nSEQUENCE:1\r\nSTATUS:CONFIRMED\r\nSUMMARY:Stand-up\r\nTRANSP:OPAQUE\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nDTSTART;TZID=Europe/Berlin:20240116T140000\r\nDTEND;TZID=Europe/Berlin:20240116T150000\r\nDTSTAMP:20240101T000000Z\r\nUID:abc123@google.com\r\nRECURRENCE-ID;TZID=Europe/Berlin:20240116T100000\r\nSEQUENCE:2\r\nSTATUS:CONFIRMED\r\nSUMMARY:Stand-up (moved)\r\nTRANSP:OPAQUE\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

const APPLE: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Apple Inc.//macOS 14.0//EN\r\nCALSCALE:GREGORIAN\r\nBEGIN:VEVENT\r\nTRANSP:TRANSPARENT\r\nDTEND;VALUE=DATE:20240303\r\nUID:7E0F6A7C-0000-4B3E-8E1D-000000000001\r\nDTSTAMP:20240101T000000Z\r\nSEQUENCE:0\r\nX-APPLE-TRAVEL-ADVISORY-BEHAVIOR:AUTOMATIC\r\nSUMMARY:Fair\r\nDTSTART;VALUE=DATE:20240301\r\nCREATED:20231231T120000Z\r\nBEGIN:VALARM\r\nX-WR-ALARMUID:7E0F6A7C-0000-4B3E-8E1D-000000000002\r\nUID:7E0F6A7C-0000-4B3E-8E1D-000000000002\r\nTRIGGER:-PT15H\r\nACTION:AUDIO\r\nATTACH;VALUE=URI:Chord\r\nX-APPLE-DEFAULT-ALARM:TRUE\r\nEND:VALARM\r\nEND:VEVENT\r\nBEGIN:VTODO\r\nUID:7E0F6A7C-0000-4B3E-8E1D-000000000003\r\nDTSTAMP:20240101T000000Z\r\nSUMMARY:Buy milk\r\nDUE;VALUE=DATE:20240105\r\nPRIORITY:1\r\nX-APPLE-SORT-ORDER:700000000\r\nEND:VTODO\r\nBEGIN:VJOURNAL\r\nUID:7E0F6A7C-0000-4B3E-8E1D-000000000004\r\nDTSTAMP:20240101T000000Z\r\nDTSTART;VALUE=DATE:20240106\r\nSUMMARY:A day\r\nEND:VJOURNAL\r\nEND:VCALENDAR\r\n";

const CARDS: &str = "BEGIN:VCARD\r\nVERSION:3.0\r\nPRODID:-//Apple Inc.//macOS 14.0//EN\r\nN:Doe;Jane;;;\r\nFN:Jane Doe\r\nEMAIL;type=INTERNET;type=HOME;type=pref:jane@example.org\r\nitem1.TEL;type=pref:+1 555 0100\r\nitem1.X-ABLabel:_$!<Other>!$_\r\nBDAY:1980-02-29\r\nUID:1-2-3\r\nEND:VCARD\r\nBEGIN:VCARD\r\nVERSION:3.0\r\nN:Friends;;;;\r\nFN:Friends\r\nX-ADDRESSBOOKSERVER-KIND:group\r\nX-ADDRESSBOOKSERVER-MEMBER:urn:uuid:1-2-3\r\nEND:VCARD\r\n";

fn report(args: &[&str]) -> Json {
    let out = pst(&[&["convert", "--json"], args].concat());
    assert_eq!(code(&out), 0, "{}", stderr(&out));
    serde_json::from_slice(&out.stdout).unwrap()
}

/// A folder with a file of each flavour.
fn sources(dir: &tempfile::TempDir) -> String {
    let top = dir.path().join("in");
    fs::create_dir(&top).unwrap();
    for (name, text) in
        [("exchange.ics", EXCHANGE), ("google.ics", GOOGLE), ("apple.ics", APPLE), ("contacts.vcf", CARDS)]
    {
        fs::write(top.join(name), text).unwrap();
    }
    top.display().to_string()
}

#[test]
fn files_of_all_flavours_come_back_whole() {
    let dir = tempfile::tempdir().unwrap();
    let source = sources(&dir);
    let [store, calendars, cards] = ["a.pst", "out.ics", "out.vcf"].map(|n| at(&dir, n));
    let made = report(&[&source, &store]);
    assert_eq!((&made["read"], &made["written"]), (&Json::from(7), &Json::from(7)), "{made}");
    assert_eq!(code(&pst(&["check", &store])), 0);
    let out = report(&[&store, &calendars]);
    assert_eq!((&out["written"], &out["skipped"]["message class"]), (&Json::from(5), &Json::from(2)), "{out}");
    assert_eq!(report(&["--vcard", "3.0", &store, &cards])["written"], 2);
    let lines = |text: &str| inside(text, &["VEVENT", "VTODO", "VJOURNAL", "VCARD"]);
    let out = fs::read_to_string(&calendars).unwrap() + &fs::read_to_string(&cards).unwrap();
    // Dates have the form of the version, and the member is named by the address that its card has.
    let sources = [EXCHANGE, GOOGLE, APPLE, CARDS].concat();
    let sources = sources.replace("BDAY:", "BDAY;VALUE=date:");
    let sources = sources.replace("MEMBER:urn:uuid:1-2-3", "MEMBER;CN=Jane Doe:mailto:jane@example.org");
    let lost = missing(&lines(&sources), &lines(&out));
    assert_eq!(lost, Vec::<String>::new(), "{out}");
}

#[test]
fn folders_have_the_classes_of_what_is_in_them() {
    let dir = tempfile::tempdir().unwrap();
    let source = sources(&dir);
    let [store, lines] = ["a.pst", "a.jsonl"].map(|n| at(&dir, n));
    report(&[&source, &store]);
    report(&[&store, &lines]);
    let text = fs::read_to_string(&lines).unwrap();
    for (folder, class) in [
        ("Calendar", "IPF.Appointment"),
        ("Tasks", "IPF.Task"),
        ("Journal", "IPF.Journal"),
        ("Contacts", "IPF.Contact"),
    ] {
        let line = text.lines().find(|l| l.contains(&format!("\"{folder}\"")) && l.contains("\"folder\""));
        assert!(line.is_some_and(|l| l.contains(class)), "{folder}: {line:?}");
    }
}

#[test]
fn trees_of_files_for_each_folder_and_each_item() {
    let dir = tempfile::tempdir().unwrap();
    let source = sources(&dir);
    let store = at(&dir, "a.pst");
    report(&[&source, &store]);
    let names = |target: &str| -> Vec<String> {
        let files = tree(Path::new(target.split_once(':').unwrap().1));
        files.into_iter().map(|(p, _)| p.display().to_string()).collect()
    };
    let [ics, vcf, eml] = [("ics", "i"), ("vcf", "v"), ("eml", "e")].map(|(k, n)| format!("{k}:{}", at(&dir, n)));
    report(&[&store, &ics]);
    report(&[&store, &vcf]);
    report(&[&store, &eml]);
    assert_eq!(names(&ics), ["Calendar.ics", "Journal.ics", "Tasks.ics"]);
    assert_eq!(names(&vcf), ["Contacts.vcf"]);
    let all = names(&eml);
    assert_eq!(all.iter().filter(|n| n.ends_with(".ics")).count(), 5, "{all:?}");
    assert_eq!(all.iter().filter(|n| n.ends_with(".vcf")).count(), 2, "{all:?}");
    // A tree of them is read again, whatever the number of threads.
    let [one, seven] = ["1", "7"].map(|threads| {
        let target = at(&dir, &format!("{threads}.pst"));
        let back = report(&["--threads", threads, &eml, &target]);
        assert_eq!(back["written"], 7, "{back}");
        fs::read(target).unwrap()
    });
    assert!(one == seven);
}

#[test]
fn invitations_by_option() {
    let dir = tempfile::tempdir().unwrap();
    let mail = dir.path().join("in.eml");
    fs::write(&mail, format!("From: Ann <ann@example.org>\r\nTo: bob@example.org\r\nSubject: Weekly\r\nDate: Mon, 1 Jan 2024 12:00:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nSee you there\r\n--b\r\nContent-Type: text/calendar; charset=utf-8; method=REQUEST\r\n\r\n{EXCHANGE}\r\n--b--\r\n")).unwrap();
    let class = |args: &[&str]| -> String {
        let target = at(&dir, "m.jsonl");
        report(&[&["--overwrite"], args, &[&mail.display().to_string(), &target]].concat());
        fs::read_to_string(target).unwrap()
    };
    let (usual, note, native) = (class(&[]), class(&["--calendar", "note"]), class(&["--calendar", "native"]));
    assert_eq!(usual, note);
    assert!(note.contains("IPM.Note") && note.contains("text/calendar") && !note.contains("IPM.Schedule"));
    assert!(native.contains("IPM.Schedule.Meeting.Request"));
    let wrong = pst(&["convert", "--calendar", "other", "a.eml", "b.pst"]);
    assert_eq!(code(&wrong), 2);
}

#[test]
fn prefixes_force_a_kind_and_bad_files_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let [odd, empty] = ["calendar.txt", "empty.ics"].map(|n| at(&dir, n));
    fs::write(&odd, GOOGLE).unwrap();
    fs::write(&empty, "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n").unwrap();
    assert_eq!(report(&[&format!("ics:{odd}"), &at(&dir, "a.pst")])["written"], 1);
    for source in [empty.clone(), format!("vcf:{odd}")] {
        let out = pst(&["convert", &source, &at(&dir, "b.pst")]);
        assert_eq!(code(&out), 2, "{source}");
        assert!(stderr(&out).contains("in this file"), "{}", stderr(&out));
    }
}
