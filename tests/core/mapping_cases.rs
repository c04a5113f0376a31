//! Cases of content-mapping.md 3.3, one message each.

use super::support::{Seeded, corpus};
use pst_core::io::Input;
use pst_core::mapi::value::sha256;
use pst_core::mapi::{Message, PropTag, Value, tag};
use pst_core::mime::{
    ImportOptions, Options, State, delivery_time, from_mapi, large, state_of, to_mapi, to_mapi_large,
};
use std::sync::Arc;

fn import(text: &[u8]) -> Message {
    to_mapi(text, &State::default(), None).unwrap().message
}

fn export(message: &Message) -> Vec<u8> {
    let mut out = Vec::new();
    from_mapi(message, &mut out, &Options::default()).unwrap();
    out
}

fn text(message: &Message, tag: PropTag) -> Option<String> {
    message.props.text(tag)
}

fn data(message: &Message, index: usize) -> &[u8] {
    message.attachments[index].props.bytes(tag::ATTACH_DATA_BINARY).unwrap()
}

#[test]
fn people() {
    let m = import(
        "From: A One <a@x.org>, b@x.org\r\nSender: s@x.org\r\nReply-To: \"R; S\" <r@x.org>\r\nTo: c@x.org\r\n\
         To: Team: \"D, E\" <d@x.org>, <@r1,@r2:e@x.org>;, nodomain\r\nCc: =?utf-8?B?Wm/Dqw==?= <z@x.org>\r\n\
         Bcc: h@x.org\r\nResent-To: no@x.org\r\nSubject: Re: x\r\n\r\n"
            .as_bytes(),
    );
    assert_eq!(text(&m, tag::SENT_REPRESENTING_NAME).unwrap(), "A One");
    assert_eq!(text(&m, tag::SENDER_EMAIL_ADDRESS).unwrap(), "s@x.org");
    assert_eq!(text(&m, tag::REPLY_RECIPIENT_NAMES).unwrap(), "R S");
    let rows: Vec<(i32, String, String)> = m
        .recipients
        .iter()
        .map(|r| {
            (
                r.i32(tag::RECIPIENT_TYPE).unwrap(),
                r.text(tag::DISPLAY_NAME).unwrap(),
                r.text(tag::EMAIL_ADDRESS).unwrap(),
            )
        })
        .collect();
    let row = |k, n: &str, a: &str| (k, n.to_owned(), a.to_owned());
    assert_eq!(
        rows,
        [
            row(1, "c@x.org", "c@x.org"),
            row(1, "D, E", "d@x.org"),
            row(1, "e@x.org", "e@x.org"),
            row(1, "nodomain", "nodomain"),
            row(2, "Zoë", "z@x.org"),
            row(3, "h@x.org", "h@x.org"),
        ]
    );
    assert_eq!(text(&m, tag::DISPLAY_TO).unwrap(), "c@x.org; D, E; e@x.org; nodomain");
    assert_eq!(text(&m, tag::SUBJECT).unwrap(), "\u{1}\u{5}Re: x");
    let none = import(b"To: undisclosed-recipients:;\r\n\r\n");
    assert!(none.recipients.is_empty());
    assert_eq!(text(&none, tag::DISPLAY_TO).unwrap(), "undisclosed-recipients");
    assert!(text(&none, tag::SUBJECT).is_none() && text(&none, tag::SENDER_NAME).is_none());
}

#[test]
fn levels_and_words() {
    let m = import(
        b"Importance: High\r\nX-Priority: 5\r\nKeywords: a, b;c \r\nSensitivity: Private\r\nSubject: caf\xE9\r\n\r\n",
    );
    assert_eq!(m.props.i32(tag::IMPORTANCE), Some(2));
    assert_eq!(m.props.i32(tag::SENSITIVITY), Some(2));
    assert_eq!(state_of(&m).keywords, ["a", "b", "c"]);
    assert_eq!(text(&m, tag::SUBJECT).unwrap(), "\u{1}\u{1}café");
    assert!(text(&m, tag::TRANSPORT_MESSAGE_HEADERS).unwrap().contains("caf\u{e9}\r\n"));
    assert!(std::str::from_utf8(&export(&m)).is_ok());
}

#[test]
fn only_drafts_are_unsent() {
    assert!(!state_of(&import(b"Subject: x\r\n\r\n")).draft);
    assert!(state_of(&import(b"X-Unsent: 1\r\n\r\n")).draft);
}

#[test]
fn times() {
    let mail = b"Received: a; Mon, 1 Jan 2024 12:00:00 +0000\r\nReceived: b; Mon, 1 Jan 2024 11:00:00 +0000\r\nDate: Mon, 1 Jan 2024 10:00:00 +0000\r\n\r\n";
    let noon = 1_704_110_400;
    assert_eq!(delivery_time(&import(mail)), Some(noon));
    let given = to_mapi(mail, &State::default(), Some(noon + 5)).unwrap().message;
    assert_eq!(delivery_time(&given), Some(noon + 5));
    assert_eq!(given.props.time(tag::CREATION_TIME), given.props.time(tag::MESSAGE_DELIVERY_TIME));
}

#[test]
fn bodies_and_pictures() {
    let mail = b"Content-Type: multipart/related; boundary=r\r\n\r\n--r\r\nContent-Type: multipart/alternative; boundary=a\r\n\r\n\
--a\r\nContent-Type: text/plain; charset=koi8-r\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=C1\r\n\
--a\r\nContent-Type: text/html; charset=koi8-r\r\nContent-Transfer-Encoding: 8bit\r\n\r\n<p>\xC1!<img src=\"cid:A%20b@c\">\r\n\
--a\r\nContent-Type: text/calendar; method=REQUEST\r\n\r\nBEGIN:VCALENDAR\r\n--a--\r\n\
--r\r\nContent-Type: image/png\r\nContent-ID: <a b@C>\r\nContent-Transfer-Encoding: base64\r\n\r\nAAEC\r\n\
--r\r\nContent-Type: image/png\r\nContent-ID: <other>\r\nContent-Transfer-Encoding: base64\r\n\r\nAAEC\r\n--r--\r\n";
    let m = import(mail);
    assert_eq!(text(&m, tag::BODY).unwrap(), "а");
    assert_eq!(m.props.bytes(tag::HTML).unwrap(), b"<p>\xC1!<img src=\"cid:A%20b@c\">");
    assert_eq!(m.props.i32(tag::INTERNET_CODEPAGE), Some(20866));
    let hidden: Vec<Option<bool>> = m.attachments.iter().map(|a| a.props.bool(tag::ATTACHMENT_HIDDEN)).collect();
    assert_eq!(hidden, [None, Some(true), None]);
    assert_eq!(m.attachments[0].props.text(tag::ATTACH_MIME_TAG).unwrap(), "text/calendar");
    let out = String::from_utf8(export(&m)).unwrap();
    for needle in ["multipart/mixed", "multipart/related", "multipart/alternative", "charset=koi8-r", "inline"] {
        assert!(out.contains(needle), "{needle}\n{out}");
    }
}

#[test]
fn one_html_body_of_several() {
    let m = import(b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>one\r\n--b\r\nContent-Type: image/gif; name=a.gif\r\n\r\nGIF\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>two\r\n--b--\r\n");
    let html = String::from_utf8(m.props.bytes(tag::HTML).unwrap().to_vec()).unwrap();
    assert!(html.contains("<p>one") && html.contains("<p>two"));
    assert_eq!(m.attachments.len(), 1);
    assert!(text(&m, tag::BODY).unwrap().contains("two"));
}

#[test]
fn names_of_attachments() {
    for (header, want) in [
        ("filename*0*=utf-8''%E6%97%A5; filename*1*=%E6%9C%AC; filename*2=.txt", "日本.txt"),
        ("filename=\"=?iso-8859-1?Q?caf=E9.txt?=\"", "café.txt"),
        ("filename=\"rohé.txt\"", "rohé.txt"),
        ("filename=\"..\\\\..\\\\a:b?.exe\"", "_.._a_b_.exe"),
        ("x=y", "attachment1.bin"),
    ] {
        let mail = format!(
            "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b\r\nContent-Type: application/x-y\r\nContent-Disposition: attachment; {header}\r\n\r\nDATA\r\n--b--\r\n"
        );
        let m = import(mail.as_bytes());
        assert_eq!(m.attachments[0].props.text(tag::ATTACH_LONG_FILENAME).unwrap(), want);
        assert_eq!(data(&m, 0), b"DATA");
        let again = import(&export(&m));
        assert_eq!(again.attachments[0].props.text(tag::ATTACH_LONG_FILENAME).unwrap(), want);
    }
}

#[test]
fn signed_mail_stays_as_it_is() {
    let body = "--s\r\nContent-Type: text/plain\r\n\r\ntrailing blanks  \r\nand \u{e9}\r\n--s\r\nContent-Type: application/pkcs7-signature; name=smime.p7s\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA\r\n--s--\r\n";
    let kind = "multipart/signed; protocol=\"application/pkcs7-signature\";\r\n\tmicalg=sha1; boundary=s";
    let mail = format!("Subject: signed\r\nMIME-Version: 1.0\r\nContent-Type: {kind}\r\n\r\n{body}");
    let m = import(mail.as_bytes());
    assert_eq!(text(&m, tag::MESSAGE_CLASS).unwrap(), "IPM.Note.SMIME.MultipartSigned");
    assert!(text(&m, tag::BODY).unwrap().starts_with("trailing blanks  \r\n"));
    let out = String::from_utf8(export(&m)).unwrap();
    assert!(out.ends_with(body), "{out}");
    assert_eq!(out.matches("multipart/signed").count(), 1);
}

#[test]
fn encrypted_mail_keeps_its_data() {
    let m = import(b"Subject: e\r\nContent-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m\r\nContent-Transfer-Encoding: base64\r\n\r\nAAECAwQ=\r\n");
    assert_eq!(text(&m, tag::MESSAGE_CLASS).unwrap(), "IPM.Note.SMIME");
    let out = String::from_utf8(export(&m)).unwrap();
    assert!(out.contains("smime-type=enveloped-data") && out.contains("AAECAwQ="), "{out}");
}

#[test]
fn the_original_charset_of_plain_text() {
    for (label, bytes, want) in [
        ("iso-2022-jp", &b"\x1B$BF|K\\\x1B(B"[..], "日本"),
        ("windows-1251", b"\xEF", "п"),
        ("utf-8", b"caf\xE9", "café"),
        ("x-unknown", b"plain", "plain"),
        ("utf-16le", b"a\0b\0", "ab"),
    ] {
        let mut mail = format!("Content-Type: text/plain; charset={label}\r\n\r\n").into_bytes();
        mail.extend_from_slice(bytes);
        assert_eq!(text(&import(&mail), tag::BODY).unwrap(), want, "{label}");
    }
}

#[test]
fn a_large_attachment_streams() {
    let bytes: Vec<u8> = (0..3u32 << 20).map(|i| (i * 31 + i / 251) as u8).collect();
    let mut mail = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nhello\r\n--b\r\nContent-Type: application/pdf; name=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n".to_vec();
    for line in base64_simd::STANDARD.encode_to_string(&bytes).as_bytes().chunks(76) {
        mail.extend_from_slice(line);
        mail.extend_from_slice(b"\r\n");
    }
    mail.extend_from_slice(b"--b--\r\n");
    let input = Arc::new(Input::from_bytes(mail.clone(), "test"));
    let (slim, parts) = large::slim(&input, 0, mail.len() as u64).unwrap();
    assert_eq!(parts.len(), 1);
    let m = to_mapi_large(&slim, &parts, &State::default(), None, ImportOptions::default()).unwrap().message;
    let whole = import(&mail);
    let hash = |m: &Message| match m.attachments[0].props.get(tag::ATTACH_DATA_BINARY) {
        Some(Value::Binary(blob)) => (blob.len(), blob.bytes().is_some(), sha256(blob).unwrap()),
        _ => panic!("data"),
    };
    let (streamed, held) = (hash(&m), hash(&whole));
    assert_eq!((streamed.0, &streamed.2), (held.0, &held.2));
    assert!(!streamed.1 && held.1);
    assert!(export(&m) == export(&whole));
}

#[test]
fn damaged_mail_never_panics() {
    let Some(top) = corpus("eml") else { return };
    let mut random = Seeded(7);
    let mut n = 0;
    for entry in walkdir::WalkDir::new(top).sort_by_file_name().into_iter().filter_map(Result::ok) {
        if !entry.file_type().is_file() || entry.metadata().is_ok_and(|m| m.len() > 100_000) {
            continue;
        }
        let source = std::fs::read(entry.path()).unwrap();
        for _ in 0..6 {
            let mut bytes = source.clone();
            for _ in 0..=random.below(8) {
                if bytes.is_empty() {
                    break;
                }
                let at = random.below(bytes.len() as u64) as usize;
                match random.below(4) {
                    0 => bytes.truncate(at),
                    1 => bytes[at] = random.next() as u8,
                    2 => bytes[at] = b"\r\n-=:;\"\0<>@ "[random.below(12) as usize],
                    _ => {
                        let end = (at + random.below(80) as usize).min(bytes.len());
                        bytes.drain(at..end);
                    }
                }
            }
            let first = export(&import(&bytes));
            let second = export(&import(&first));
            let third = export(&import(&second));
            if second != third {
                if let Ok(dir) = std::env::var("PST_TEST_DUMP") {
                    std::fs::write(format!("{dir}/a"), &second).unwrap();
                    std::fs::write(format!("{dir}/b"), &third).unwrap();
                }
                panic!("{} does not settle", entry.path().display());
            }
            n += usize::from(first != second);
        }
    }
    eprintln!("{n} damaged messages needed two passes to settle");
}

#[test]
fn deep_multiparts_on_a_small_stack() {
    let run = || {
        let mut mail = Vec::new();
        for i in 0..3000 {
            mail.extend(format!("Content-Type: multipart/mixed; boundary=b{i}\r\n\r\n--b{i}\r\n").bytes());
        }
        mail.extend_from_slice(b"\r\nend\r\n");
        let m = import(&mail);
        let out = export(&m);
        assert_eq!(out, export(&import(&out)));
        assert!(!m.attachments.is_empty());
    };
    std::thread::Builder::new().stack_size(2 << 20).spawn(run).unwrap().join().unwrap();
}
