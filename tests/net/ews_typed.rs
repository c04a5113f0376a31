//! Contacts, appointments and tasks over EWS on servers that do not take them as Exchange exports them.

use crate::ews::{Place, python};
use crate::exchange::{Lock, PASSWORD, Stored, Trouble, USER};
use crate::push::options;
use crate::xml::Node;
use pst_core::endpoint::pst::PstSource;
use pst_core::endpoint::push;
use pst_core::endpoint::{self, SourceOptions};
use pst_core::mapi::tag;
use pst_core::pipeline::{Body, Folder, Item, ItemRef, Report, Source};
use pst_core::{Kind, Result};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const CALENDAR: &str = "BEGIN:VCALENDAR
VERSION:2.0
PRODID:x
BEGIN:VTIMEZONE
TZID:W. Europe Standard Time
BEGIN:STANDARD
DTSTART:16010101T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3
END:DAYLIGHT
END:VTIMEZONE
BEGIN:VEVENT
UID:single
SUMMARY:Einzeln <&>
LOCATION:Raum 1
DTSTART:20300105T090000Z
DTEND:20300105T100000Z
CATEGORIES:Rot,Blau
BEGIN:VALARM
ACTION:DISPLAY
DESCRIPTION:Reminder
TRIGGER:-PT30M
END:VALARM
END:VEVENT
BEGIN:VEVENT
UID:weekly
SUMMARY:weekly
DTSTART;TZID=W. Europe Standard Time:20300107T090000
DTEND;TZID=W. Europe Standard Time:20300107T100000
RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE;COUNT=10;WKST=MO
END:VEVENT
BEGIN:VEVENT
UID:monthly
SUMMARY:monthly
DTSTART;VALUE=DATE:20300128
DTEND;VALUE=DATE:20300129
RRULE:FREQ=MONTHLY;BYDAY=-1MO
END:VEVENT
BEGIN:VEVENT
UID:yearly
SUMMARY:yearly
DTSTART:20300301T120000Z
DTEND:20300301T130000Z
RRULE:FREQ=YEARLY;UNTIL=20400301T120000Z
END:VEVENT
BEGIN:VEVENT
UID:changed
SUMMARY:changed
DTSTART:20300101T120000Z
DTEND:20300101T130000Z
RRULE:FREQ=DAILY;COUNT=5
EXDATE:20300102T120000Z
END:VEVENT
BEGIN:VEVENT
UID:changed
SUMMARY:moved
RECURRENCE-ID:20300103T120000Z
DTSTART:20300103T150000Z
DTEND:20300103T160000Z
END:VEVENT
BEGIN:VTODO
UID:todo
SUMMARY:todo
DUE;VALUE=DATE:20300110
STATUS:IN-PROCESS
PERCENT-COMPLETE:25
PRIORITY:1
END:VTODO
BEGIN:VJOURNAL
UID:note
SUMMARY:a journal entry
DTSTART:20200101T120000Z
DESCRIPTION:what happened
END:VJOURNAL
END:VCALENDAR
";

const CARDS: &str = "BEGIN:VCARD
VERSION:3.0
N:Lovelace;Ada;King;Lady;
FN:Ada Lovelace
ORG:Analytical & Sons;Engines
TITLE:Countess
EMAIL:ada@example.com
TEL;TYPE=WORK,VOICE:+44 1
TEL;TYPE=CELL:+44 2
ADR;TYPE=HOME:;;St James's Square 12;London;;SW1;UK
BDAY:1815-12-10
NOTE:Grüße
X-PST-FTP-SITE:ftp.example.com
END:VCARD
";

/// Everything in one source.
fn source(dir: &Path) -> Arc<dyn Source> {
    let top = dir.join("source");
    std::fs::create_dir_all(&top).unwrap();
    std::fs::write(top.join("Calendar.ics"), CALENDAR.replace('\n', "\r\n")).unwrap();
    std::fs::write(top.join("Contacts.vcf"), CARDS.replace('\n', "\r\n")).unwrap();
    endpoint::open(&top.display().to_string(), SourceOptions::default()).unwrap()
}

fn pushed(place: &Place, dir: &Path) -> Report {
    place.pushed_from(source(dir), push::Options { connections: 1, ..options(dir) })
}

/// What the server has, by subject.
fn held(place: &Place) -> BTreeMap<String, Stored> {
    let state = place.server.state();
    state.items.iter().map(|i| (i.subject(), i.clone())).collect()
}

fn said(item: &Stored, name: &str) -> Option<String> {
    item.inner.iter().find(|n| n.name == name).map(|n| n.text.clone())
}

fn written(node: &Node) -> String {
    let inner: Vec<String> = node.children.iter().map(written).collect();
    if inner.is_empty() {
        format!("{}={}", node.name, node.text)
    } else {
        format!("{}({})", node.name, inner.join(" "))
    }
}

fn series(item: &Stored) -> String {
    item.inner.iter().find(|n| n.name == "Recurrence").map(written).unwrap_or_default()
}

#[test]
fn items_are_made_of_their_properties() {
    let Some(place) = Place::start(Lock::Basic) else { return };
    place.server.state().no_upload = true;
    let dir = tempfile::tempdir().unwrap();
    let report = pushed(&place, dir.path());
    assert_eq!((report.written, report.failed), (8, 0), "{report:?}");
    let all = held(&place);
    let single = &all["Einzeln <&>"];
    assert_eq!(single.element, "CalendarItem");
    let wanted = [
        ("Start", "2030-01-05T09:00:00Z"),
        ("End", "2030-01-05T10:00:00Z"),
        ("IsAllDayEvent", "false"),
        ("Location", "Raum 1"),
        ("ReminderIsSet", "true"),
        ("ReminderMinutesBeforeStart", "30"),
        ("UID", "single"),
    ];
    for (name, value) in wanted {
        assert_eq!(said(single, name).as_deref(), Some(value), "{name}");
    }
    assert_eq!(single.categories, ["Rot", "Blau"]);
    assert_eq!(
        series(&all["weekly"]),
        "Recurrence(WeeklyRecurrence(Interval=2 DaysOfWeek=Monday Wednesday FirstDayOfWeek=Monday) \
         NumberedRecurrence(StartDate=2030-01-07 NumberOfOccurrences=10))"
    );
    let zone = all["weekly"].inner.iter().find(|n| n.name == "StartTimeZone").unwrap();
    assert_eq!(zone.attribute("Id"), Some("W. Europe Standard Time"));
    assert_eq!(
        series(&all["monthly"]),
        "Recurrence(RelativeMonthlyRecurrence(Interval=1 DaysOfWeek=Monday DayOfWeekIndex=Last) \
         NoEndRecurrence(StartDate=2030-01-28))"
    );
    assert_eq!(said(&all["monthly"], "IsAllDayEvent").as_deref(), Some("true"));
    assert_eq!(
        series(&all["yearly"]),
        "Recurrence(AbsoluteYearlyRecurrence(DayOfMonth=1 Month=March) \
         EndDateRecurrence(StartDate=2030-03-01 EndDate=2040-03-01))"
    );
    // What elements cannot say, iCalendar does.
    let changed = String::from_utf8(all["changed"].mime.clone()).unwrap();
    assert!(changed.contains("RECURRENCE-ID") && changed.contains("SUMMARY:moved"), "{changed}");
    let todo = &all["todo"];
    assert_eq!((todo.element.as_str(), said(todo, "Status").as_deref()), ("Task", Some("InProgress")));
    assert_eq!(said(todo, "PercentComplete").as_deref(), Some("25"));
    let journal = &all["a journal entry"];
    assert_eq!((journal.element.as_str(), journal.class.as_str()), ("Message", "IPM.Activity"));
    assert_eq!(said(journal, "Body").as_deref().map(str::trim), Some("what happened"));
    let (_, ada) = all.iter().find(|(_, i)| i.element == "Contact").unwrap();
    assert_eq!(said(ada, "Surname").as_deref(), Some("Lovelace"));
    assert_eq!(said(ada, "CompanyName").as_deref(), Some("Analytical & Sons"));
    // PidTagFtpSite, which no element says.
    assert_eq!(ada.properties["0x3A4C"], "ftp.example.com");
    assert!(report.notes.iter().all(|n| n.warning.text.contains("because of this")), "{:?}", report.notes);
    // A second run sends nothing.
    let again = pushed(&place, dir.path());
    assert_eq!((again.written, again.skipped["being there already"]), (0, 8), "{again:?}");
}

#[test]
fn appointments_that_are_refused_go_in_as_icalendar() {
    let Some(place) = Place::start(Lock::Basic) else { return };
    {
        let mut state = place.server.state();
        state.no_upload = true;
        state.refused = vec!["CalendarItem", "Task"];
    }
    let dir = tempfile::tempdir().unwrap();
    let report = pushed(&place, dir.path());
    assert_eq!((report.written, report.failed), (7, 1), "{report:?}");
    let said = report.failures[0].error.to_string();
    assert!(
        said.contains("no items as Exchange exports them") && said.contains("nor made of its properties"),
        "{said}"
    );
    let single = &held(&place)["Einzeln <&>"];
    let text = String::from_utf8(single.mime.clone()).unwrap();
    assert!(text.contains("BEGIN:VEVENT") && text.contains("DTSTART:20300105T090000Z"), "{text}");
}

/// An item is found again by what it was given, also on a server that gives nothing back as Exchange exports it.
#[test]
fn made_items_are_there_once() {
    let Some(place) = Place::start(Lock::Basic) else { return };
    place.server.state().no_upload = true;
    for trouble in [Trouble::CutAfter, Trouble::CutBefore, Trouble::StatusAfter(400)] {
        place.server.trouble("CreateItem", trouble);
    }
    let dir = tempfile::tempdir().unwrap();
    let report = pushed(&place, dir.path());
    assert_eq!((report.written, report.failed), (8, 0), "{report:?}");
    assert!(place.server.state().troubles.is_empty());
    assert_eq!((held(&place).len(), place.server.state().items.len()), (8, 8));
}

#[test]
fn exchangelib_reads_made_items() {
    if !python().args(["-c", "import exchangelib"]).output().is_ok_and(|o| o.status.success()) {
        eprintln!("skipped: exchangelib is not installed");
        return;
    }
    let Some(place) = Place::start(Lock::Basic) else { return };
    place.server.state().no_upload = true;
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(pushed(&place, dir.path()).written, 8);
    // What is asked by others is not ours to judge.
    place.server.state().requests.clear();
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/net/exchangelib_typed.py");
    let out = python()
        .arg(script)
        .arg(place.server.url())
        .env("REQUESTS_CA_BUNDLE", place.reach.tls.ca_file.clone().unwrap())
        .env("EWS_USER", USER)
        .env("EWS_PASSWORD", PASSWORD)
        .output()
        .unwrap();
    place.server.state().requests.clear();
    place.server.state().complaints.clear();
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    assert!(out.status.success(), "{text}{}", String::from_utf8_lossy(&out.stderr));
    for wanted in [
        "contact|Ada|Lovelace|Analytical & Sons|ada@example.com|BusinessPhone=+44 1,MobilePhone=+44 2|Home=St James's Square 12/London|Grüße",
        "event|Einzeln <&>|2030-01-05 09:00:00+00:00|2030-01-05 10:00:00+00:00|False|Raum 1",
        "W. Europe Standard Time|False|(WeeklyPattern(interval=2, weekdays=[1, 3], first_day_of_week='Monday'), NumberedPattern(",
        "(RelativeMonthlyPattern(interval=1, weekday='Monday', week_number='Last'), NoEndPattern(",
        "task|todo|2030-01-10|InProgress|25",
    ] {
        assert!(text.contains(wanted), "{wanted} is not in\n{text}");
    }
}

/// The items of genuine files that are no mail.
struct Genuine(Vec<(Folder, Vec<Item>)>);

impl Genuine {
    /// Of each file some items of each class.
    fn of(root: &Path) -> Self {
        let mut out = Vec::new();
        let mut files: Vec<_> = std::fs::read_dir(root).unwrap().map(|e| e.unwrap().path()).collect();
        files.sort();
        for file in files.iter().filter(|f| f.is_file()) {
            let Ok(source) = PstSource::open(file) else { continue };
            for mut folder in source.folders().unwrap_or_default().into_iter().filter(|f| !f.search) {
                let items = source.items(&folder).into_iter().flatten().flatten().filter(|i| !i.associated);
                let items = items.take(200).filter_map(|i| source.load(&folder, &i).ok());
                let items: Vec<Item> = items.filter(is_other).take(50).collect();
                if !items.is_empty() {
                    folder.key = out.len() as u64;
                    folder.path.insert(0, file.file_name().unwrap().to_string_lossy().into_owned());
                    out.push((folder, items));
                }
            }
        }
        Self(out)
    }
}

fn is_other(item: &Item) -> bool {
    let Body::Mapi(message) = &item.body else { return false };
    let class = message.props.text(tag::MESSAGE_CLASS).unwrap_or_default().to_ascii_uppercase();
    ["IPM.CONTACT", "IPM.APPOINTMENT", "IPM.TASK", "IPM.ACTIVITY", "IPM.STICKYNOTE", "IPM.DISTLIST"]
        .iter()
        .any(|c| class.starts_with(c))
}

impl Source for Genuine {
    fn folders(&self) -> Result<Vec<Folder>> {
        Ok(self.0.iter().map(|(f, _)| f.clone()).collect())
    }

    fn items<'a>(&'a self, folder: &'a Folder) -> Result<Box<dyn Iterator<Item = Result<ItemRef>> + Send + 'a>> {
        let items = &self.0[folder.key as usize].1;
        let one = |(n, item): (usize, &Item)| Ok(ItemRef { id: item.id.clone(), key: n as u64, ..ItemRef::default() });
        Ok(Box::new(items.iter().enumerate().map(one)))
    }

    fn load(&self, folder: &Folder, item: &ItemRef) -> Result<Item> {
        Ok(self.0[folder.key as usize].1[item.key as usize].clone())
    }

    fn title(&self) -> String {
        "genuine".into()
    }
}

/// Every contact, appointment, task, note and journal entry of the corpus is made anew; lists are refused by name.
#[test]
fn genuine_items_are_made_of_their_properties() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus/pst");
    if !root.exists() {
        eprintln!("skipped: no corpus ({} is not there)", root.display());
        return;
    }
    let Some(place) = Place::start(Lock::Basic) else { return };
    place.server.state().no_upload = true;
    let source = Genuine::of(&root);
    let of = |class: &str| {
        let is = |i: &&Item| match &i.body {
            Body::Mapi(m) => {
                m.props.text(tag::MESSAGE_CLASS).unwrap_or_default().to_ascii_uppercase().starts_with(class)
            }
            Body::Mime(_) => false,
        };
        source.0.iter().flat_map(|(_, items)| items).filter(is).count() as u64
    };
    let classes = ["IPM.CONTACT", "IPM.APPOINTMENT", "IPM.TASK", "IPM.ACTIVITY", "IPM.STICKYNOTE"];
    let counts: Vec<u64> = classes.iter().map(|c| of(c)).collect();
    let (wanted, lists) = (counts.iter().sum::<u64>(), of("IPM.DISTLIST"));
    let dir = tempfile::tempdir().unwrap();
    let report = place.pushed_from(Arc::new(source), push::Options { connections: 1, ..options(dir.path()) });
    eprintln!("{counts:?} of {classes:?} went in, {lists} lists were refused");
    assert_eq!((report.written, report.failed), (wanted, lists), "{:#?}", report.failures);
    assert!(wanted > 20, "{counts:?}");
    for failure in &report.failures {
        assert_eq!(failure.error.kind(), Kind::Server, "{failure:?}");
    }
    let state = place.server.state();
    let elements = |name: &str| state.items.iter().filter(|i| i.element == name).count() as u64;
    assert_eq!(["Contact", "CalendarItem", "Task"].map(elements), [counts[0], counts[1], counts[2]]);
    let bare: Vec<String> = state.items.iter().filter(|i| i.subject().is_empty()).map(|i| i.class.clone()).collect();
    eprintln!("{} of them have no subject: {bare:?}", bare.len());
}
