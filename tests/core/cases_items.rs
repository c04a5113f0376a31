//! Case 60 of the catalogue, as far as it is about items that are no mail: contacts, lists, tasks, notes, journal
//! entries and appointments of a PST, as Outlook stores them.

use super::support::mail::{data, export, import, name};
use pst_core::endpoint::pst::PstSource;
use pst_core::mapi::message::attach_method;
use pst_core::mapi::{Attachment, Blob, Lid, Message, PropBag, PropTag, Role, Value, lid, tag, time};
use pst_core::messaging::write::{Options as WriteOptions, StoreWriter};
use pst_core::mime::contact::{Card, Directory, Version};
use pst_core::mime::{Options, calendar, contact};
use pst_core::pipeline::{Body, Source};

/// The smallest JPEG header that tells what it is.
const PICTURE: &[u8] = b"\xFF\xD8\xFF\xE0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0\xFF\xD9";

fn item(class: &str, tags: &[(PropTag, &str)], lids: &[(Lid, Value)]) -> Message {
    let mut message = Message::default();
    message.props.set(tag::MESSAGE_CLASS, Value::text(class));
    message.props.set(tag::SEARCH_KEY, Value::binary(class.as_bytes().to_vec()));
    for (tag, text) in tags {
        message.props.set(*tag, Value::text(text));
    }
    for (lid, value) in lids {
        message.props.set_lid(*lid, value.clone());
    }
    message
}

fn text(lid: Lid, text: &str) -> (Lid, Value) {
    (lid, Value::text(text))
}

fn at(lid: Lid, moment: &str) -> (Lid, Value) {
    let seconds = moment.parse::<jiff::Timestamp>().unwrap().as_second();
    (lid, Value::Time(time::from_unix(seconds).unwrap()))
}

/// The item as it is read from a PST that holds it.
fn stored(message: &Message) -> Message {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.pst");
    let mut w = StoreWriter::create(&path, WriteOptions::default()).unwrap();
    let top = w.top();
    let at = w.add_folder(top, "Items", Role::None, None, &PropBag::default()).unwrap();
    w.add(at, message, false).unwrap();
    w.finish().unwrap();
    let source = PstSource::open(&path).unwrap();
    let all = source.folders().unwrap();
    let items = all.iter().flat_map(|f| source.items(f).unwrap().map(move |i| (f, i.unwrap())));
    let mut items: Vec<Message> = items
        .map(|(f, i)| match source.load(f, &i).unwrap().body {
            Body::Mapi(message) => *message,
            Body::Mime(_) => panic!("a PST holds properties"),
        })
        .collect();
    assert_eq!(items.len(), 1);
    items.remove(0)
}

/// The card of an item, unfolded, and what was said.
fn card(message: &Message, version: Version) -> (String, Vec<String>) {
    let card = Card::of(message, &Options { vcard: version, ..Options::default() }).unwrap().unwrap();
    let mut out = Vec::new();
    card.write(&mut out).unwrap();
    (String::from_utf8(out).unwrap().replace("\r\n ", ""), card.warnings.into_iter().map(|w| w.text).collect())
}

/// The calendar of an item, unfolded, and what was said.
fn calendar_of(message: &Message) -> (String, Vec<String>) {
    let mut entry = calendar::Entry::of(message, &Options::default()).unwrap().unwrap();
    let warnings = std::mem::take(&mut entry.warnings);
    let mut out = Vec::new();
    entry.write(&mut out).unwrap();
    (String::from_utf8(out).unwrap().replace("\r\n ", ""), warnings.into_iter().map(|w| w.text).collect())
}

fn lines(expected: &[&str], text: &str) {
    for line in expected {
        assert!(text.split("\r\n").any(|l| l == *line), "{line} is not in\n{text}");
    }
}

/// A one-off entry id ([MS-OXCDATA] 2.2.5.1) in Unicode.
fn one_off(shown: &str, kind: &str, address: &str) -> Vec<u8> {
    const PROVIDER: [u8; 16] =
        [0x81, 0x2B, 0x1F, 0xA4, 0xBE, 0xA3, 0x10, 0x19, 0x9D, 0x6E, 0x00, 0xDD, 0x01, 0x0F, 0x54, 0x02];
    let mut out = [&[0; 4], PROVIDER.as_slice(), &[0, 0, 1, 0x90]].concat();
    for text in [shown, kind, address] {
        out.extend(text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes));
    }
    out
}

/// An entry id that wraps another ([MS-OXOCNTC] 2.2.2.2.4.1.1).
fn wrapped(kind: u8, inner: &[u8]) -> Vec<u8> {
    const PROVIDER: [u8; 16] =
        [0xC0, 0x91, 0xAD, 0xD3, 0x51, 0x9D, 0xCF, 0x11, 0xA4, 0xA9, 0x00, 0xAA, 0x00, 0x47, 0xFA, 0xA4];
    [&[0; 4], PROVIDER.as_slice(), &[kind], inner].concat()
}

const fn email(first: u32, n: u32) -> Lid {
    Lid { id: first + n, ..lid::FILE_UNDER }
}

fn person() -> Message {
    let mut lids = vec![
        text(lid::FILE_UNDER, "Doe, Jane"),
        text(lid::USER_FIELD_1, "one"),
        text(lid::WORK_STREET, "1 Main St\r\nFloor 2"),
    ];
    lids.extend([
        text(lid::WORK_CITY, "Springfield"),
        text(lid::WORK_COUNTRY, "USA"),
        text(lid::INSTANT_MESSAGING, "jane@chat.example"),
    ]);
    lids.push((lid::HAS_PICTURE, Value::Bool(true)));
    for (n, first) in [(1, 0x8080), (2, 0x8090), (3, 0x80A0)] {
        let address = format!("jane{n}@example.org");
        lids.push(text(email(first, 0), &format!("Jane Doe ({address})")));
        lids.push(text(email(first, 2), "SMTP"));
        lids.push(text(email(first, 3), &address));
        lids.push(text(email(first, 4), &address));
        let entry = Lid { id: first + 5, ty: lid::LIST_STREAM.ty, ..lid::FILE_UNDER };
        lids.push((entry, Value::binary(one_off("Jane Doe", "SMTP", &address))));
    }
    let tags = [
        (tag::DISPLAY_NAME, "Dr. Jane Ann Doe Jr."),
        (tag::SUBJECT, "Dr. Jane Ann Doe Jr."),
        (tag::SURNAME, "Doe"),
        (tag::GIVEN_NAME, "Jane"),
        (tag::MIDDLE_NAME, "Ann"),
        (tag::NAME_PREFIX, "Dr."),
        (tag::GENERATION, "Jr."),
        (tag::NICKNAME, "JD"),
        (tag::COMPANY_NAME, "Example; Inc."),
        (tag::TITLE, "Chief"),
        (PropTag(0x3A18_001F), "Research, Development"),
        (PropTag(0x3A08_001F), "+1 555 0100"),
        (PropTag(0x3A1B_001F), "+1 555 0101"),
        (PropTag(0x3A1C_001F), "+1 555 0102"),
        (PropTag(0x3A24_001F), "+1 555 0103"),
        (PropTag(0x3A2E_001F), "+1 555 0104"),
        (PropTag(0x3A5D_001F), "2 Home Rd"),
        (PropTag(0x3A59_001F), "Shelbyville"),
        (tag::SPOUSE_NAME, "John"),
        (tag::BODY, "A note,\r\nof two lines."),
    ];
    let mut message = item("IPM.Contact", &tags, &lids);
    let birthday = "1980-02-29T00:00:00Z".parse::<jiff::Timestamp>().unwrap().as_second();
    message.props.set(tag::BIRTHDAY, Value::Time(time::from_unix(birthday).unwrap()));
    let mut photo = Attachment::default();
    photo.props.set(tag::ATTACH_METHOD, Value::I32(attach_method::BY_VALUE));
    photo.props.set(tag::ATTACH_LONG_FILENAME, Value::text("ContactPicture.jpg"));
    photo.props.set(tag::CONTACT_PHOTO, Value::Bool(true));
    photo.props.set(tag::ATTACH_DATA_BINARY, Value::Binary(Blob::Bytes(PICTURE.to_vec())));
    message.attachments.push(photo);
    message
}

#[test]
fn case_60_a_contact_with_three_addresses_and_a_photo() {
    let contact = stored(&person());
    let (four, said) = card(&contact, Version::V4);
    assert_eq!(said, Vec::<String>::new());
    lines(
        &[
            "VERSION:4.0",
            "FN:Dr. Jane Ann Doe Jr.",
            "N:Doe;Jane;Ann;Dr.;Jr.",
            "NICKNAME:JD",
            "ORG:Example\\; Inc.;Research\\, Development",
            "TITLE:Chief",
            "BDAY:19800229",
            "NOTE:A note\\,\\nof two lines.",
            "X-MS-SPOUSE:John",
            "X-PST-USER-FIELD-1:one",
            "X-PST-FILE-AS:Doe\\, Jane",
            "X-MS-IMADDRESS:jane@chat.example",
        ],
        &four,
    );
    for n in 1..=3 {
        assert!(
            four.split("\r\n").any(|l| l.starts_with("EMAIL") && l.ends_with(&format!(":jane{n}@example.org"))),
            "{four}"
        );
    }
    for number in ["0100", "0101", "0102", "0103", "0104"] {
        assert!(four.contains(&format!("+1 555 {number}\r\n")), "{four}");
    }
    assert!(
        four.contains("1 Main St\\nFloor 2;Springfield;;;USA\r\n") && four.contains(";2 Home Rd;Shelbyville;;;\r\n"),
        "{four}"
    );
    assert!(
        four.contains("PHOTO:data:image/jpeg;base64,") || four.contains("PHOTO:data:image/jpeg;base64\\,"),
        "{four}"
    );
    let (three, _) = card(&contact, Version::V3);
    lines(&["VERSION:3.0", "BDAY;VALUE=date:1980-02-29", "N:Doe;Jane;Ann;Dr.;Jr."], &three);
    assert!(three.contains("PHOTO;TYPE=JPEG;ENCODING=b:") || three.contains("PHOTO;ENCODING=b;TYPE=JPEG:"), "{three}");
    // And back: the same properties, in both versions.
    for text in [four, three] {
        let (items, left) = contact::read(text.as_bytes(), &Directory::default());
        assert_eq!(left, Vec::<String>::new());
        let [(contact::Kind::Contact, again)] = items.as_slice() else { panic!("{items:?}") };
        let again = &again.message;
        for p in person().props.0.iter().filter(|p| ![tag::SEARCH_KEY.id()].contains(&p.tag.id())) {
            let found = match &p.name {
                Some(name) => again.props.named(name),
                None => again.props.get(p.tag),
            };
            let entry = p.name.is_some() && matches!(p.value, Value::Binary(_));
            // What an entry id is called is not in a card.
            if p.tag.id() == tag::BIRTHDAY.id() {
                // One minute to noon in UTC is the same day everywhere; midnight is kept too.
                let Some(Value::Time(noon)) = found else { panic!("{found:?}") };
                assert_eq!(Some(time::to_unix(*noon)), p.value.as_time().map(|t| time::to_unix(t) + 43_140));
                let local = again.props.lid(lid::BIRTHDAY_LOCAL).and_then(Value::as_time);
                assert_eq!(local, p.value.as_time());
            } else if entry {
                assert!(found.is_some(), "{:?}", p.name);
            } else if p.tag.id() == tag::SUBJECT.id() {
                assert_eq!(found.unwrap().to_text().unwrap().trim_start_matches('\u{1}'), "Dr. Jane Ann Doe Jr.");
            } else {
                assert_eq!(format!("{found:?}"), format!("{:?}", Some(&p.value)), "{:?} {:?}", p.tag, p.name);
            }
        }
        let [photo] = again.attachments.as_slice() else { panic!() };
        assert_eq!(data(photo), PICTURE);
        assert_eq!(photo.props.bool(tag::CONTACT_PHOTO), Some(true));
    }
}

#[test]
fn case_60_a_list_in_a_list() {
    let members = [
        (wrapped(0, &one_off("Bob", "SMTP", "bob@example.org")), one_off("Bob", "SMTP", "bob@example.org")),
        (wrapped(0x43, &[1; 24]), one_off("Jane", "SMTP", "jane@example.org")),
        (wrapped(0x04, &[2; 24]), one_off("Inner list", "MAPIPDL", "Unknown")),
        (wrapped(0x05, &[3; 30]), one_off("Ex Change", "EX", "/o=org/cn=ex")),
    ];
    let ids: Vec<Vec<u8>> = members.iter().map(|m| m.0.clone()).collect();
    let one_offs: Vec<Vec<u8>> = members.iter().map(|m| m.1.clone()).collect();
    let lids = [
        text(lid::LIST_NAME, "Friends"),
        (lid::LIST_MEMBERS, Value::binaries(&ids)),
        (lid::LIST_ONE_OFFS, Value::binaries(&one_offs)),
    ];
    let list = stored(&item("IPM.DistList", &[(tag::DISPLAY_NAME, "Friends"), (tag::SUBJECT, "Friends")], &lids));
    let (four, said) = card(&list, Version::V4);
    assert_eq!(said, ["no Internet address is known for /o=org/cn=ex"]);
    lines(
        &["KIND:group", "FN:Friends", "MEMBER;CN=Bob:mailto:bob@example.org", "MEMBER;CN=Jane:mailto:jane@example.org"],
        &four,
    );
    assert_eq!(four.matches("\r\nMEMBER").count(), 4, "{four}");
    for version in [Version::V4, Version::V3] {
        let text = card(&list, version).0;
        let (items, _) = contact::read(text.as_bytes(), &Directory::default());
        let [(contact::Kind::List, again)] = items.as_slice() else { panic!("{items:?}") };
        assert_eq!(again.message.props.text(tag::MESSAGE_CLASS).as_deref(), Some("IPM.DistList"));
        let Some(Value::Multi(found)) = again.message.props.lid(lid::LIST_ONE_OFFS) else { panic!() };
        // The members are the same, by name, type and address.
        let found = Value::multi_parts(found).unwrap();
        let expected: Vec<&[u8]> = one_offs.iter().map(Vec::as_slice).collect();
        assert_eq!(
            found.iter().map(|m| &m[24..]).collect::<Vec<_>>(),
            expected.iter().map(|m| &m[24..]).collect::<Vec<_>>()
        );
    }
}

/// A list of more members than two properties may hold becomes a stream, and comes out of it again.
#[test]
fn case_60_a_long_list() {
    let mut text = String::from("BEGIN:VCARD\r\nVERSION:4.0\r\nKIND:group\r\nFN:All\r\n");
    for n in 0..1000 {
        text += &format!("MEMBER:mailto:member{n}@example.org\r\n");
    }
    text += "END:VCARD\r\n";
    let (mut items, _) = contact::read(text.as_bytes(), &Directory::default());
    let list = stored(&items.remove(0).1.message);
    assert!(list.props.lid(lid::LIST_STREAM).is_some() && list.props.lid(lid::LIST_MEMBERS).is_none());
    let out = card(&list, Version::V4).0;
    let members: Vec<&str> = out.split("\r\n").filter(|l| l.starts_with("MEMBER")).collect();
    let expected: Vec<String> = (0..1000).map(|n| format!("MEMBER:mailto:member{n}@example.org")).collect();
    assert_eq!(members, expected);
}

#[test]
fn case_60_a_task() {
    let day = "2024-05-02T00:00:00Z";
    let lids = [
        (lid::TASK_STATUS, Value::I32(1)),
        (lid::PERCENT_COMPLETE, Value::F64(0.25)),
        at(lid::TASK_START_DATE, "2024-05-01T00:00:00Z"),
        at(lid::TASK_DUE_DATE, day),
        (lid::TASK_COMPLETE, Value::Bool(false)),
        (lid::TASK_ACTUAL_EFFORT, Value::I32(90)),
        text(lid::TASK_OWNER, "Jane"),
    ];
    let mut task = item("IPM.Task", &[(tag::SUBJECT, "Write"), (tag::BODY, "It all.")], &lids);
    task.props.set(tag::IMPORTANCE, Value::I32(2));
    let (text, said) = calendar_of(&stored(&task));
    assert_eq!(said, Vec::<String>::new());
    lines(
        &[
            "BEGIN:VTODO",
            "SUMMARY:Write",
            "DESCRIPTION:It all.",
            "STATUS:IN-PROCESS",
            "PERCENT-COMPLETE:25",
            "DTSTART;VALUE=DATE:20240501",
            "DUE;VALUE=DATE:20240502",
            "PRIORITY:1",
            "X-PST-ACTUAL-EFFORT:90",
            "X-PST-OWNER:Jane",
        ],
        &text,
    );
    let (items, _) = calendar::read(text.as_bytes());
    let [(calendar::Kind::Task, again)] = items.as_slice() else { panic!("{items:?}") };
    for (lid, value) in &lids {
        assert_eq!(format!("{:?}", again.message.props.lid(*lid)), format!("{:?}", Some(value)), "{lid:?}");
    }
}

#[test]
fn case_60_a_note_and_a_journal_entry() {
    let lids =
        [(lid::NOTE_COLOR, Value::I32(3)), (lid::NOTE_WIDTH, Value::I32(200)), (lid::NOTE_HEIGHT, Value::I32(166))];
    let note = stored(&item("IPM.StickyNote", &[(tag::SUBJECT, "Milk"), (tag::BODY, "Milk\r\nBread")], &lids));
    let (text_of_note, said) = calendar_of(&note);
    assert_eq!(said, Vec::<String>::new());
    lines(
        &[
            "BEGIN:VJOURNAL",
            "SUMMARY:Milk",
            "DESCRIPTION:Milk\\nBread",
            "X-PST-NOTE-COLOR:3",
            "X-PST-CLASS:IPM.StickyNote",
        ],
        &text_of_note,
    );
    let (items, _) = calendar::read(text_of_note.as_bytes());
    let [(calendar::Kind::Note, again)] = items.as_slice() else { panic!("{items:?}") };
    assert_eq!(again.message.props.text(tag::MESSAGE_CLASS).as_deref(), Some("IPM.StickyNote"));
    assert_eq!(again.message.props.text(tag::BODY).as_deref(), Some("Milk\r\nBread"));
    assert_eq!(again.message.props.lid(lid::NOTE_COLOR).and_then(Value::as_i32), Some(3));

    let lids = [
        text(lid::LOG_TYPE, "Phone call"),
        at(lid::LOG_START, "2024-05-01T09:00:00Z"),
        at(lid::LOG_END, "2024-05-01T09:30:00Z"),
        (lid::LOG_DURATION, Value::I32(30)),
    ];
    let entry = stored(&item("IPM.Activity", &[(tag::SUBJECT, "Call")], &lids));
    let (text_of_entry, said) = calendar_of(&entry);
    assert_eq!(said, Vec::<String>::new());
    lines(&["BEGIN:VJOURNAL", "SUMMARY:Call", "DTSTART:20240501T090000Z", "X-PST-LOG-TYPE:Phone call"], &text_of_entry);
    let (items, _) = calendar::read(text_of_entry.as_bytes());
    let [(calendar::Kind::Journal, again)] = items.as_slice() else { panic!("{items:?}") };
    for (lid, value) in &lids {
        assert_eq!(format!("{:?}", again.message.props.lid(*lid)), format!("{:?}", Some(value)), "{lid:?}");
    }
}

/// What has no line of its own is named.
#[test]
fn case_60_what_is_left_out_is_named() {
    let unknown = Lid { id: 0x9999, ..lid::LOCATION };
    let lids =
        [at(lid::START_WHOLE, "2024-05-01T09:00:00Z"), at(lid::END_WHOLE, "2024-05-01T10:00:00Z"), text(unknown, "x")];
    let (_, said) = calendar_of(&stored(&item("IPM.Appointment", &[(tag::SUBJECT, "A")], &lids)));
    let [only] = said.as_slice() else { panic!("{said:?}") };
    assert!(only.starts_with("one property has no place in iCalendar: ") && only.contains("0x9999"), "{only}");
    let mut contact = person();
    contact.props.set_lid(unknown, Value::text("x"));
    let (_, said) = card(&stored(&contact), Version::V4);
    let [only] = said.as_slice() else { panic!("{said:?}") };
    assert!(only.starts_with("one property has no place in a vCard: ") && only.contains("0x9999"), "{only}");
}

/// In mail, an item describes itself and brings its card or calendar; items inside mail are cards and calendars.
#[test]
fn items_in_mail_bring_their_cards_and_calendars() {
    let mail = export(&stored(&person()));
    let again = import(&mail);
    let names: Vec<String> = again.attachments.iter().map(name).collect();
    assert_eq!(names, ["ContactPicture.jpg", "Dr. Jane Ann Doe Jr.vcf"]);
    assert_eq!(data(&again.attachments[0]), PICTURE);
    let (items, _) = contact::read(&data(&again.attachments[1]), &Directory::default());
    assert_eq!(items[0].1.message.props.text(tag::NICKNAME).as_deref(), Some("JD"));
    assert!(again.props.text(tag::BODY).unwrap().contains("E-mail 2: jane2@example.org"));

    let lids = [at(lid::START_WHOLE, "2024-05-01T09:00:00Z"), at(lid::END_WHOLE, "2024-05-01T10:00:00Z")];
    let appointment = item("IPM.Appointment", &[(tag::SUBJECT, "Lunch")], &lids);
    let mut mail = import("Subject: See\r\n\r\nBoth.");
    for inner in [person(), appointment] {
        let mut attachment = Attachment::default();
        attachment.props.set(tag::ATTACH_METHOD, Value::I32(attach_method::EMBEDDED));
        attachment.embedded = Some(Box::new(inner));
        mail.attachments.push(attachment);
    }
    let again = import(export(&stored(&mail)));
    let kinds: Vec<String> = again.attachments.iter().filter_map(|a| a.props.text(tag::ATTACH_MIME_TAG)).collect();
    assert_eq!(kinds, ["text/vcard", "text/calendar"]);
    assert!(again.attachments.iter().all(|a| a.embedded.is_none()));
    assert!(String::from_utf8(data(&again.attachments[1])).unwrap().contains("DTSTART:20240501T090000Z\r\n"));
}

/// Items inside items inside items come to an end, and their size stays in bounds.
#[test]
fn nested_items_do_not_grow_without_end() {
    let lids = [at(lid::START_WHOLE, "2024-05-01T09:00:00Z"), at(lid::END_WHOLE, "2024-05-01T10:00:00Z")];
    let mut message = item("IPM.Appointment", &[(tag::SUBJECT, "inmost"), (tag::BODY, &"x".repeat(10_000))], &lids);
    for _ in 0..60 {
        let mut outer = item("IPM.Appointment", &[(tag::SUBJECT, "outer")], &lids);
        let mut attachment = Attachment::default();
        attachment.props.set(tag::ATTACH_METHOD, Value::I32(attach_method::EMBEDDED));
        attachment.embedded = Some(Box::new(message));
        outer.attachments.push(attachment);
        message = outer;
    }
    let mail = export(&message);
    assert!(mail.len() < 2_000_000, "{}", mail.len());
    assert!(calendar_of(&message).0.len() < 2_000_000);
}
