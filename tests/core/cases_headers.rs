//! Acceptance cases 1 to 30 of the mapping: header fields, addresses, dates, flags. One test a case.

use super::support::mail::{
    export, exported, field, import, import_with, multipart, said, shown, stored_subject, text,
};
use pst_core::mapi::message::flag;
use pst_core::mapi::named::{PS_PUBLIC_STRINGS, PSETID_COMMON, PSETID_TASK};
use pst_core::mapi::{Message, NamedProp, PropBag, Role, Value, tag, time};
use pst_core::messaging::Store;
use pst_core::messaging::write::{Options, StoreWriter};
use pst_core::mime::State;

/// Writes messages into a store and gives its path.
fn written(messages: &[Message]) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.pst");
    let mut w = StoreWriter::create(&path, Options::default()).unwrap();
    let top = w.top();
    let inbox = w.add_folder(top, "Inbox", Role::Inbox, None, &PropBag::default()).unwrap();
    for m in messages {
        w.add(inbox, m, false).unwrap();
    }
    w.finish().unwrap();
    (folder, path)
}

/// A message as it is read again from a store.
fn reread(message: &Message) -> Message {
    let (_folder, path) = written(std::slice::from_ref(message));
    Store::open(&path).unwrap().message(pst_core::ndb::Nid(0x20_0024)).unwrap().0
}

#[test]
fn case_01_prefix() {
    assert_eq!(stored_subject("Subject: Re: x").unwrap(), "\u{1}\u{5}Re: x");
    assert_eq!(shown(&import("Subject: Re: x\r\n\r\n")), "Re: x");
}

#[test]
fn case_02_no_prefix() {
    assert_eq!(stored_subject("Subject: x").unwrap(), "\u{1}\u{1}x");
}

#[test]
fn case_03_what_is_no_prefix() {
    for subject in ["Antw: x", "R2: x", ": x"] {
        assert_eq!(stored_subject(&format!("Subject: {subject}")).unwrap(), format!("\u{1}\u{1}{subject}"));
    }
}

#[test]
fn case_04_blanks_of_a_prefix() {
    for (subject, length) in [("Re:x", '\u{4}'), ("RE:   x", '\u{7}')] {
        let m = import(format!("Subject: {subject}\r\n\r\n"));
        assert_eq!(text(&m, tag::SUBJECT).unwrap(), format!("\u{1}{length}{subject}"));
        assert_eq!(field(&export(&reread(&m)), "subject").unwrap(), subject);
    }
}

#[test]
fn case_05_no_subject_and_an_empty_one() {
    let (none, empty) = (import("From: a@x.org\r\n\r\n"), import("From: a@x.org\r\nSubject:\r\n\r\n"));
    assert_eq!(text(&none, tag::SUBJECT), None);
    assert_eq!(text(&empty, tag::SUBJECT).unwrap(), "\u{1}\u{1}");
    assert_eq!(field(&export(&reread(&none)), "subject"), None);
    assert_eq!(field(&export(&reread(&empty)), "subject").unwrap(), "");
}

#[test]
fn case_06_a_long_subject() {
    let subject = "long 😀 ".repeat(1500);
    let words: String = subject
        .as_bytes()
        .chunks(42)
        .map(|c| format!(" =?utf-8?B?{}?=\r\n", base64_simd::STANDARD.encode_to_string(c)))
        .collect();
    let m = import(format!("Subject:{words}\r\n"));
    assert_eq!(shown(&m), subject);
    let again = reread(&m);
    assert_eq!(shown(&again), subject);
    let Some(Value::Unicode(units)) = again.props.get(tag::SUBJECT) else { panic!("a text") };
    let units: Vec<u16> = units.chunks(2).map(|c| u16::from_le_bytes([c[0], c[1]])).collect();
    assert!(String::from_utf16(&units).is_ok(), "a surrogate pair was split");
}

#[test]
fn case_07_a_subject_that_looks_marked() {
    let m = import("Subject: =?utf-8?Q?=01=05RE:_x?=\r\n\r\n");
    assert_eq!(text(&m, tag::SUBJECT).unwrap(), "\u{1}\u{1}\u{1}\u{5}RE: x");
    assert_eq!(shown(&reread(&m)), "\u{1}\u{5}RE: x");
}

#[test]
fn case_08_a_character_in_two_words() {
    assert_eq!(shown(&import("Subject: =?utf-8?B?4oI=?= =?utf-8?B?rA==?=\r\n\r\n")), "€");
}

#[test]
fn case_09_a_word_in_an_unknown_charset() {
    let mail = "Subject: a =?x-nobody?Q?=E4?= b\r\n\r\n";
    assert_eq!(shown(&import(mail)), "a =?x-nobody?Q?=E4?= b");
    assert!(said(mail).iter().any(|w| w.contains("x-nobody")), "{:?}", said(mail));
}

#[test]
fn case_10_bytes_without_a_charset() {
    let m = import(b"Subject: caf\xE9 \x80\r\n\r\n");
    assert_eq!(shown(&m), "café €");
    // Each byte as U+00xx: the header can be had back byte for byte.
    let block = text(&m, tag::TRANSPORT_MESSAGE_HEADERS).unwrap();
    let bytes: Vec<u8> = block.chars().map(|c| c as u8).collect();
    assert_eq!(bytes, b"Subject: caf\xE9 \x80\r\n\r\n");
}

#[test]
fn case_11_international_addresses() {
    let m = import("From: Пётр <пётр@почта.рф>\r\nTo: 用户@例え.jp\r\n\r\n");
    assert_eq!(text(&m, tag::SENT_REPRESENTING_EMAIL_ADDRESS).unwrap(), "пётр@почта.рф");
    assert_eq!(m.recipients[0].text(tag::SMTP_ADDRESS).unwrap(), "用户@例え.jp");
    assert_eq!(field(&export(&m), "from").unwrap(), "Пётр <пётр@почта.рф>");
}

#[test]
fn case_12_two_authors_and_a_sender() {
    let m = import("From: A <a@x.org>, B <b@x.org>\r\nSender: S <s@x.org>\r\n\r\n");
    assert_eq!(text(&m, tag::SENT_REPRESENTING_NAME).unwrap(), "A");
    assert_eq!(text(&m, tag::SENDER_NAME).unwrap(), "S");
    assert!(text(&m, tag::TRANSPORT_MESSAGE_HEADERS).unwrap().contains("B <b@x.org>"));
    assert_eq!(field(&export(&m), "from").unwrap(), "A <a@x.org>, B <b@x.org>");
}

#[test]
fn case_13_no_author() {
    let sender = import("Sender: S <s@x.org>\r\n\r\n");
    assert_eq!(text(&sender, tag::SENT_REPRESENTING_NAME).unwrap(), "S");
    assert_eq!(text(&sender, tag::SENDER_NAME).unwrap(), "S");
    let nobody = import("Subject: x\r\n\r\n");
    for tag in [tag::SENDER_NAME, tag::SENT_REPRESENTING_NAME, tag::SENDER_EMAIL_ADDRESS] {
        assert_eq!(text(&nobody, tag), None);
    }
    assert_eq!(field(&export(&nobody), "from"), None);
}

#[test]
fn case_14_undisclosed_recipients() {
    let m = import("To: undisclosed-recipients:;\r\n\r\n");
    assert!(m.recipients.is_empty());
    assert_eq!(text(&m, tag::DISPLAY_TO).unwrap(), "undisclosed-recipients");
    assert_eq!(field(&export(&reread(&m)), "to").unwrap(), "undisclosed-recipients:;");
}

#[test]
fn case_15_groups_and_comments() {
    let m = import(
        "To: Team (the (whole) team): \"D; E\" <d@x.org>, f@x.org (F (of X));\r\nReply-To: \"R; S\" <r@x.org>\r\n\r\n",
    );
    let rows: Vec<String> = m.recipients.iter().map(|r| r.text(tag::EMAIL_ADDRESS).unwrap()).collect();
    assert_eq!(rows, ["d@x.org", "f@x.org"]);
    assert_eq!(m.recipients[0].text(tag::DISPLAY_NAME).unwrap(), "D; E");
    assert_eq!(text(&m, tag::REPLY_RECIPIENT_NAMES).unwrap(), "R S");
}

#[test]
fn case_16_several_to_fields_and_five_thousand_recipients() {
    let list = |from: usize, to: usize| (from..to).map(|i| format!("p{i}@x.org")).collect::<Vec<_>>().join(",\r\n ");
    let mail = format!("To: {}\r\nTo: {}\r\nTo: {}\r\n\r\n", list(0, 2), list(2, 4000), list(4000, 5000));
    let m = import(mail);
    let expected: Vec<String> = (0..5000).map(|i| format!("p{i}@x.org")).collect();
    let rows = |m: &Message| m.recipients.iter().map(|r| r.text(tag::SMTP_ADDRESS).unwrap()).collect::<Vec<_>>();
    assert_eq!(rows(&m), expected);
    assert_eq!(rows(&reread(&m)), expected);
}

#[test]
fn case_17_odd_addresses() {
    let m = import("To: nodomain, Nobody <>, <@a,@b:u@h>\r\n\r\n");
    let rows: Vec<(String, String)> = m
        .recipients
        .iter()
        .map(|r| (r.text(tag::DISPLAY_NAME).unwrap(), r.text(tag::EMAIL_ADDRESS).unwrap()))
        .collect();
    let row = |n: &str, a: &str| (n.to_owned(), a.to_owned());
    // What stands there is kept as it is; the route of an address goes.
    assert_eq!(rows, [row("nodomain", "nodomain"), row("Nobody", "Nobody"), row("u@h", "u@h")]);
    assert_eq!(field(&export(&m), "to").unwrap(), "nodomain, Nobody <>, <@a,@b:u@h>");
}

#[test]
fn case_18_bcc() {
    let m = import("To: a@x.org\r\nBcc: Hidden <h@x.org>\r\n\r\n");
    assert_eq!(m.recipients[1].i32(tag::RECIPIENT_TYPE), Some(3));
    assert_eq!(text(&m, tag::DISPLAY_BCC).unwrap(), "Hidden");
    assert_eq!(field(&export(&m), "bcc").unwrap(), "Hidden <h@x.org>");
    let without = pst_core::mime::Options { bcc: false, ..pst_core::mime::Options::default() };
    let mut out = Vec::new();
    pst_core::mime::from_mapi(&m, &mut out, &without).unwrap();
    assert_eq!(field(&out, "bcc"), None);
}

fn submitted(date: &str) -> Option<i64> {
    import(format!("Date: {date}\r\n\r\n")).props.time(tag::CLIENT_SUBMIT_TIME).map(time::to_unix)
}

#[test]
fn case_19_a_leap_second() {
    // 1999-12-31T23:59:60Z is 2000-01-01T00:00:00Z in a count without leap seconds; the last second of the year will do.
    let at = submitted("Fri, 31 Dec 1999 23:59:60 -0000").unwrap();
    assert!((946_684_799..=946_684_800).contains(&at), "{at}");
}

#[test]
fn case_20_dates_of_all_kinds() {
    for (date, want) in [
        ("Sat Jan  3 01:05:34 1996", 820_631_134),
        ("2024-03-05T06:07:08Z", 1_709_618_828),
        ("1-Jan-2024 10:00:00 +0000", 1_704_103_200),
        ("Mon, 1 January 2024 10:00:00 +0000", 1_704_103_200),
        ("Mon, 1 Jan 2024 10:00 EST", 1_704_121_200),
        ("Mon, 1 Jan 2024 10:00:00 GMT+0100", 1_704_099_600),
    ] {
        assert_eq!(submitted(date), Some(want), "{date}");
    }
    assert_eq!(submitted("Mon, 1 Jan 2024 25:61:00 +0000"), None);
    let mail = "Received: a; Mon, 1 Jan 2024 12:00:00 +0000\r\nDate: Mon, 1 Jan 2024 25:61:00 +0000\r\n\r\n";
    assert!(said(mail).iter().any(|w| w.contains("25:61")));
    assert_eq!(import(mail).props.time(tag::CLIENT_SUBMIT_TIME).map(time::to_unix), Some(1_704_110_400));
}

#[test]
fn case_21_dates_out_of_range() {
    assert_eq!(submitted("Sat, 1 Jan 1600 00:00:00 +0000"), None);
    assert!(said("Date: Sat, 1 Jan 1600 00:00:00 +0000\r\n\r\n").iter().any(|w| w.contains("1600")));
    assert_eq!(submitted("Thu, 1 Jan 1969 00:00:00 +0000"), Some(-31_536_000));
    let far = "Date: Sat, 1 Jan 30000 00:00:00 +0000\r\n\r\n";
    let at = import(far).props.time(tag::CLIENT_SUBMIT_TIME);
    // The latest time that Outlook's calendars know, 4500-08-31; the header keeps what was written.
    assert!(at.is_none() || at <= time::from_unix(79_859_779_200), "{at:?}");
    assert!(said(far).iter().any(|w| w.contains("30000")), "{:?}", said(far));
}

#[test]
fn case_22_no_date_but_arrivals() {
    let mail = "Received: c; Mon, 1 Jan 2024 12:00:00 +0000\r\nReceived: b; Mon, 1 Jan 2024 11:00:00 +0000\r\n\
                Received: a; Mon, 1 Jan 2024 10:00:00 +0000\r\n\r\n";
    let internal = 1_704_117_600;
    let (m, _) = import_with(mail.as_bytes(), &State::default(), Some(internal));
    assert_eq!(m.props.time(tag::MESSAGE_DELIVERY_TIME).map(time::to_unix), Some(internal));
    // The Received field that was written first stands last.
    assert_eq!(m.props.time(tag::CLIENT_SUBMIT_TIME).map(time::to_unix), Some(1_704_103_200));
}

#[test]
fn case_23_importance_wins() {
    assert_eq!(import("X-Priority: 5\r\nImportance: High\r\n\r\n").props.i32(tag::IMPORTANCE), Some(2));
    assert_eq!(import("Importance: High\r\nX-Priority: 5\r\n\r\n").props.i32(tag::IMPORTANCE), Some(2));
}

#[test]
fn case_24_keywords() {
    let m = import("Keywords: a, b;c \r\n\r\n");
    let name = NamedProp::text(PS_PUBLIC_STRINGS, "Keywords");
    let Some(Value::Multi(bytes)) = m.props.named(&name) else { panic!("keywords") };
    let Value::Multi(expected) = Value::texts(&["a", "b", "c"]) else { panic!("texts") };
    assert_eq!(*bytes, expected);
}

#[test]
fn case_25_flags() {
    let state = State { seen: Some(true), answered: true, flagged: true, ..State::default() };
    let (m, _) = import_with(b"Subject: x\r\n\r\n", &state, Some(1_704_103_200));
    assert_eq!(m.props.i32(tag::MESSAGE_FLAGS).unwrap() & flag::READ, 1);
    assert_eq!(m.props.i32(tag::ICON_INDEX), Some(0x105));
    assert_eq!(m.props.i32(tag::LAST_VERB_EXECUTED), Some(102));
    assert_eq!(m.props.i32(tag::FLAG_STATUS), Some(2));
    assert_eq!(m.props.i32(tag::FOLLOWUP_ICON), Some(6));
    assert_eq!(m.props.i32(tag::TODO_ITEM_FLAGS), Some(1));
    let named = |guid, lid| m.props.named(&NamedProp::id(guid, lid));
    assert!(matches!(named(PSETID_COMMON, 0x8530), Some(Value::Unicode(_))));
    assert!(matches!(named(PSETID_TASK, 0x8101), Some(Value::I32(0))));
    assert!(matches!(named(PSETID_TASK, 0x811C), Some(Value::Bool(false))));
    assert!(matches!(named(PSETID_COMMON, 0x85BF), Some(Value::Time(_))));
    let forwarded = State { forwarded: true, ..state };
    let (m, _) = import_with(b"Subject: x\r\n\r\n", &forwarded, None);
    // One icon, one verb: the forward came last, as far as anyone can know; both are kept.
    assert_eq!(pst_core::mime::state_of(&reread(&m)), State { seen: Some(true), ..forwarded });
}

#[test]
fn case_26_drafts() {
    for (state, unsent) in [(State { draft: true, ..State::default() }, true), (State::default(), false)] {
        let (m, _) = import_with(b"Subject: x\r\n\r\n", &state, None);
        assert_eq!(m.props.i32(tag::MESSAGE_FLAGS).unwrap() & flag::UNSENT != 0, unsent);
    }
}

#[test]
fn case_27_a_receipt_is_asked_for() {
    let mail = b"Disposition-Notification-To: <a@x.org>\r\nSubject: x\r\n\r\n";
    let state = State { seen: Some(false), ..State::default() };
    let (m, _) = import_with(mail, &state, None);
    assert_eq!(m.props.bool(tag::READ_RECEIPT_REQUESTED), Some(true));
    assert_eq!(m.props.i32(tag::MESSAGE_FLAGS).unwrap() & flag::READ, 0);
    assert_eq!(field(&export(&m), "disposition-notification-to").unwrap(), "<a@x.org>");
}

#[test]
fn case_28_a_thousand_messages_with_500_fields_of_their_own() {
    let mut messages = Vec::new();
    for i in 0..1000 {
        let fields: String = (0..500).map(|n| format!("X-Field-{i}-{n}: {n}\r\n")).collect();
        messages.push(import(format!("{fields}Subject: {i}\r\n\r\n")));
    }
    let (_one, first) = written(&messages[..1]);
    let (_all, path) = written(&messages);
    let names = |path: &std::path::Path| Store::open(path).unwrap().names().names().len();
    assert_eq!(names(&first), names(&path));
    let store = Store::open(&path).unwrap();
    let (last, _) = store.message(pst_core::ndb::Nid(0x20_0024 + 999 * 0x20)).unwrap();
    assert_eq!(field(&export(&last), "x-field-999-499").unwrap(), "499");
}

#[test]
fn case_29_large_headers() {
    let many: String = (0..40_000).map(|i| format!("X-Number-{i}: the value number {i} of many\r\n")).collect();
    assert!(many.len() > 1_500_000);
    let long = format!("X-Long: {}\r\n", "word ".repeat(200_000).trim_end());
    for block in [many, long] {
        let m = reread(&import(format!("{block}Subject: x\r\n\r\n")));
        assert_eq!(text(&m, tag::TRANSPORT_MESSAGE_HEADERS).unwrap(), format!("{block}Subject: x\r\n\r\n"));
        let out = exported(&m);
        let out = out.replace("\r\n ", " ");
        assert!(out.starts_with(&block), "{}", &out[..200]);
    }
}

#[test]
fn case_30_control_characters_in_a_header() {
    let m = reread(&import(b"Subject: a\0b\rc\r\nX-Y: z\r\n\r\n"));
    let block = text(&m, tag::TRANSPORT_MESSAGE_HEADERS).unwrap();
    assert!(block.starts_with("Subject: a\0b"), "{block:?}");
    let mut out = Vec::new();
    let warnings = pst_core::mime::from_mapi(&m, &mut out, &pst_core::mime::Options::default()).unwrap();
    assert!(!out.contains(&0) && !out.windows(2).any(|w| w[0] == b'\r' && w[1] != b'\n'));
    assert!(warnings.iter().any(|w| w.text.contains("control characters")), "{warnings:?}");
    assert_eq!(field(&out, "x-y").unwrap(), "z");
}

#[test]
fn headers_of_parts_are_no_headers_of_the_message() {
    let m = import(format!("Subject: top\r\n{}", multipart("mixed", &["Subject: part\r\n\r\nx"])));
    assert_eq!(shown(&m), "top");
}

/// Outlook keeps headers of some messages that lack fields which it knows the values of.
#[test]
fn what_the_stored_header_lacks_comes_from_the_properties() {
    let mut m = import("From: a@example.com\r\nSubject: x\r\nX-Priority: 5\r\n\r\nbody");
    m.props.set(tag::INTERNET_MESSAGE_ID, Value::text("<1@example.com>"));
    m.props.set(tag::INTERNET_REFERENCES, Value::text("<0@example.com>"));
    m.props.set(tag::SENSITIVITY, Value::I32(2));
    let out = export(&m);
    assert_eq!(field(&out, "Message-ID").as_deref(), Some("<1@example.com>"));
    assert_eq!(field(&out, "References").as_deref(), Some("<0@example.com>"));
    assert_eq!(field(&out, "Sensitivity").as_deref(), Some("Private"));
    assert_eq!(field(&out, "Importance"), None, "the header says it in its own words");
}

#[test]
fn an_edited_subject_stands_beside_the_one_that_was_sent() {
    let mut m = import("Subject: =?utf-8?Q?gr=C3=BCn?=\r\n and blue\r\n\r\n");
    assert_eq!(field(&export(&m), "X-PST-Subject"), None);
    m.props.set(tag::SUBJECT, Value::text("\u{1}\u{1}red"));
    let out = exported(&m);
    assert_eq!(field(out.as_bytes(), "X-PST-Subject").as_deref(), Some("red"));
    assert!(out.contains("=?utf-8?Q?gr=C3=BCn?="), "{out}");
    let again = import(&out);
    assert_eq!(shown(&again), "red");
    assert_eq!(exported(&again), out);
}
