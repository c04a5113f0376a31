//! Acceptance cases 31 to 51 of the mapping: bodies, charsets, damaged structure, attachments. One test a case.

use super::support::mail::{data, export, exported, field, import, multipart, name, said, text};
use pst_core::mapi::message::{attach_method, flag};
use pst_core::mapi::{Attachment, Message, tag};

const PNG: &str = "Content-Transfer-Encoding: base64\r\n\r\niVBORw0KGgo=";

fn html(m: &Message) -> String {
    String::from_utf8(m.props.bytes(tag::HTML).unwrap().to_vec()).unwrap()
}

fn body(m: &Message) -> String {
    text(m, tag::BODY).unwrap()
}

fn hidden(a: &Attachment) -> bool {
    a.props.bool(tag::ATTACHMENT_HIDDEN) == Some(true) && a.props.i32(tag::ATTACH_FLAGS) == Some(4)
}

fn shown_attachments(m: &Message) -> bool {
    m.props.i32(tag::MESSAGE_FLAGS).unwrap() & flag::HAS_ATTACH != 0
}

fn picture(cid: &str) -> String {
    format!("Content-Type: image/png; name=p.png\r\nContent-ID: <{cid}>\r\n{PNG}")
}

#[test]
fn case_31_html_picture_html() {
    let m = import(multipart(
        "mixed",
        &[
            "Content-Type: text/html; charset=utf-8\r\n\r\n<p>One</p>",
            "Content-Type: image/png; name=p.png\r\nContent-Disposition: inline; filename=p.png\r\nContent-Transfer-Encoding: base64\r\n\r\niVBORw0KGgo=",
            "Content-Type: text/html; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<p>Zw=F6</p>",
        ],
    ));
    let html = html(&m);
    assert!(html.contains("<p>One</p>") && html.contains("<p>Zwö</p>"), "{html}");
    assert_eq!(m.props.i32(tag::INTERNET_CODEPAGE), Some(65001));
    let cid = m.attachments[0].props.text(tag::ATTACH_CONTENT_ID).expect("the picture has a cid");
    let (one, img, two) =
        (html.find("One").unwrap(), html.find(&format!("cid:{cid}")).expect("it is shown"), html.find("Zw").unwrap());
    assert!(one < img && img < two, "{html}");
    assert!(hidden(&m.attachments[0]));
}

#[test]
fn case_32_alternative_with_a_picture() {
    let related = multipart("related", &["Content-Type: text/html\r\n\r\n<img src=\"cid:p@x\">", &picture("p@x")]);
    let m = import(multipart("alternative", &["Content-Type: text/plain\r\n\r\nplain", &related]));
    assert_eq!(body(&m), "plain");
    assert_eq!(html(&m), "<img src=\"cid:p@x\">");
    assert!(hidden(&m.attachments[0]));
    assert!(!shown_attachments(&m));
}

#[test]
fn case_33_a_picture_and_a_document() {
    let alternative = multipart(
        "alternative",
        &["Content-Type: text/plain\r\n\r\nplain", "Content-Type: text/html\r\n\r\n<img src=\"cid:p@x\">"],
    );
    let related = multipart("related", &[&alternative, &picture("p@x")]);
    let m = import(multipart(
        "mixed",
        &[&related, "Content-Type: application/pdf; name=d.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nJVBERg=="],
    ));
    assert!(hidden(&m.attachments[0]) && !hidden(&m.attachments[1]));
    assert_eq!((name(&m.attachments[1]).as_str(), data(&m.attachments[1]).as_slice()), ("d.pdf", &b"%PDF"[..]));
    assert!(shown_attachments(&m));
    let out = exported(&m);
    let order = ["multipart/mixed", "multipart/related", "multipart/alternative", "image/png", "application/pdf"];
    let at: Vec<usize> = order.iter().map(|k| out.find(k).unwrap_or_else(|| panic!("{k}\n{out}"))).collect();
    assert!(at.windows(2).all(|w| w[0] < w[1]), "{at:?}");
}

#[test]
fn case_34_a_picture_that_is_not_shown() {
    let m = import(multipart("related", &["Content-Type: text/html\r\n\r\n<p>no picture", &picture("p@x")]));
    assert!(!hidden(&m.attachments[0]));
    assert!(shown_attachments(&m));
}

#[test]
fn case_35_cids_in_other_spellings() {
    for (cid, source) in [("a b@c", "cid:a%20b@c"), ("p@X.org", "CID:P@x.ORG"), ("\"q\"@x", "cid:%22q%22@x")] {
        let html = format!("Content-Type: text/html\r\n\r\n<img src='{source}'>");
        let m = import(multipart("related", &[&html, &picture(cid)]));
        assert!(hidden(&m.attachments[0]), "{cid} {source}");
    }
}

#[test]
fn case_36_two_parts_with_one_cid() {
    let html = "Content-Type: text/html\r\n\r\n<img src=\"cid:p@x\">";
    let m = import(multipart("related", &[html, &picture("p@x"), &picture("p@x")]));
    assert_eq!(m.attachments.len(), 2);
    assert!(hidden(&m.attachments[0]));
    assert!(!hidden(&m.attachments[1]), "the second one is not what the body shows");
}

#[test]
fn case_37_the_header_has_the_last_word_on_the_charset() {
    let mut mail = b"Content-Type: text/html; charset=koi8-r\r\nContent-Transfer-Encoding: 8bit\r\n\r\n".to_vec();
    let bytes = b"<meta charset=utf-8><p>\xF0\xD2\xC9";
    mail.extend_from_slice(bytes);
    let m = import(mail);
    assert_eq!(m.props.i32(tag::INTERNET_CODEPAGE), Some(20866));
    assert_eq!(m.props.bytes(tag::HTML).unwrap(), bytes);
    assert!(body(&m).contains("При"));
}

#[test]
fn case_38_rare_charsets() {
    for (label, bytes, want) in [
        ("iso-2022-kr", &b"\x1B$)C\x0E0!\x0F!"[..], "가!"),
        ("ibm437", b"\x81ber", "über"),
        ("cp850", b"caf\x82", "café"),
        ("ibm852", b"\xFD", "ř"),
        ("cp862", b"\x80\x81", "אב"),
        ("hz-gb-2312", b"~{VPND~}", "中文"),
        ("x-mac-cyrillic", b"\x8F", "П"),
        ("x-mac-ce", b"\x8A", "ä"),
        ("macintosh", b"\x8E", "é"),
    ] {
        let mut mail = format!("Content-Type: text/plain; charset={label}\r\n\r\n").into_bytes();
        mail.extend_from_slice(bytes);
        assert_eq!(body(&import(&mail)), want, "{label}");
        assert_eq!(said(&mail).iter().filter(|w| w.contains("charset")).count(), 0, "{label}");
    }
}

#[test]
fn case_39_not_the_charset_it_says() {
    let mail = b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\nDate: Mon, 1 Jan 2024 10:00:00 +0000\r\n\r\ncaf\xC3\xA9 and caf\xE9";
    assert_eq!(body(&import(mail)), "café and café");
    assert!(said(mail).iter().any(|w| w.contains("utf-8")), "{:?}", said(mail));
}

#[test]
fn case_40_utf_16_and_utf_7() {
    let utf16 = base64_simd::STANDARD.encode_to_string(b"\xFF\xFEH\0\xE9\0");
    let mail = format!("Content-Type: text/plain; charset=utf-16\r\nContent-Transfer-Encoding: base64\r\n\r\n{utf16}");
    assert_eq!(body(&import(mail)), "Hé");
    assert_eq!(body(&import("Content-Type: text/plain; charset=utf-7\r\n\r\nH+AOk-!")), "Hé!");
}

#[test]
fn case_41_flowed_text() {
    let text = "A line that \r\nflows on \r\n\r\n> quoted \r\n-- \r\nsignature\r\n";
    let m = import(format!("Content-Type: text/plain; format=flowed; delsp=yes\r\n\r\n{text}"));
    assert_eq!(body(&m), text);
}

#[test]
fn case_42_an_end_that_never_comes() {
    let mail = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>body\r\n\
                --b\r\nContent-Type: application/pdf; name=d.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nJVBERi0xLj";
    let m = import(mail);
    assert_eq!(html(&m), "<p>body");
    assert_eq!(data(&m.attachments[0]), b"%PDF-1.");
    assert!(said(mail).iter().any(|w| w.contains("attachment")), "{:?}", said(mail));
}

#[test]
fn case_43_an_inner_multipart_that_never_ends() {
    let m = import(
        "Content-Type: multipart/mixed; boundary=out\r\n\r\n--out\r\nContent-Type: multipart/alternative; boundary=in\r\n\r\n\
         --in\r\nContent-Type: text/plain\r\n\r\nplain\r\n--in\r\nContent-Type: text/html\r\n\r\n<p>html\r\n\
         --out\r\nContent-Type: application/pdf; name=d.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nJVBERg==\r\n--out--\r\n",
    );
    assert_eq!((body(&m).as_str(), html(&m).as_str()), ("plain", "<p>html"));
    assert_eq!(data(&m.attachments[0]), b"%PDF");
}

#[test]
fn case_44_what_looks_like_a_boundary() {
    let m = import(
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nin the --b middle\r\n--bcdef\r\nend\r\n--b--\r\n",
    );
    assert_eq!(body(&m), "in the --b middle\r\n--bcdef\r\nend");
    let empty = import("Content-Type: multipart/mixed; boundary=\"\"\r\n\r\nall of it\r\n");
    assert_eq!(body(&empty), "all of it\r\n");
}

#[test]
fn case_45_dirty_base64() {
    let part = |data: &str| {
        let mail = multipart(
            "mixed",
            &[
                "\r\ntext",
                &format!("Content-Type: application/x-y; name=a\r\nContent-Transfer-Encoding: base64\r\n\r\n{data}"),
            ],
        );
        (data_of(&import(&mail)), said(&mail))
    };
    fn data_of(m: &Message) -> Vec<u8> {
        data(&m.attachments[0])
    }
    assert_eq!(part("aGVs!bG8*=").0, b"hello");
    assert_eq!(part("aGVsbG8").0, b"hello");
    let footer = "aGVsbG8gd29ybGQh\r\naGVsbG8=\r\n_______________________________________________\r\nlist mailing list\r\nhttp://lists.example.org/list\r\n";
    let (bytes, warnings) = part(footer);
    assert_eq!(bytes, b"hello world!hello");
    assert!(!warnings.is_empty());
}

#[test]
fn case_46_odd_quoted_printable() {
    let mail = "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
                a=ZZb caf=c3=a9  \r\nsoft=  \r\nend=";
    let text = body(&import(mail));
    assert_eq!(text.trim_end(), "a=ZZb café\r\nsoftend");
}

#[test]
fn case_47_line_ends_and_marks() {
    let mail = "Subject: x\nContent-Type: text/plain\n\none\ntwo\n";
    for (what, bytes) in [
        ("CR", mail.replace('\n', "\r")),
        ("LF", mail.to_owned()),
        ("mixed", mail.replacen('\n', "\r\n", 2)),
        ("BOM", format!("\u{FEFF}{mail}")),
    ] {
        let m = import(bytes);
        assert_eq!(super::support::mail::shown(&m), "x", "{what}");
        assert_eq!(body(&m), "one\r\ntwo\r\n", "{what}");
    }
    // A quote mark before "From " belongs to the message where it is not in an mbox.
    assert_eq!(body(&import("Subject: x\r\n\r\n>From here\r\n")), ">From here\r\n");
}

#[test]
fn case_48_file_names() {
    let long = format!("{}.docx", "n".repeat(300));
    for (given, kept) in [
        ("filename*0*=utf-8''%E6%97%A5; filename*1*=%E6%9C%AC%20; filename*2=\"x.txt\"", "日本 x.txt"),
        ("filename=\"=?iso-8859-1?Q?caf=E9.txt?=\"", "café.txt"),
        ("filename=\"rohé.txt\"", "rohé.txt"),
        ("filename=\"..\\\\..\\\\a:b?.exe\"", "_.._a_b_.exe"),
        (&format!("filename=\"{long}\""), &format!("{}.docx", "n".repeat(251))),
        ("filename=\"dots...\"", "dots"),
        ("filename*=utf-8''a%E2%80%AEcod.exe", "a_cod.exe"),
        ("filename=\"CON\"", "_CON"),
        ("filename=\"nul.txt\"", "_nul.txt"),
    ] {
        let m = import(multipart(
            "mixed",
            &[
                "\r\nx",
                &format!("Content-Type: application/x-y\r\nContent-Disposition: attachment; {given}\r\n\r\nDATA"),
            ],
        ));
        let props = &m.attachments[0].props;
        assert_eq!(name(&m.attachments[0]), kept, "{given}");
        assert!(name(&m.attachments[0]).chars().count() <= 256);
        let short = props.text(tag::ATTACH_FILENAME).unwrap();
        let (stem, ending) = short.split_once('.').unwrap_or((&short, ""));
        assert!((1..=8).contains(&stem.len()) && ending.len() <= 3 && short.is_ascii(), "{short}");
    }
    // What was given is kept where it could not be used, and both names of one part agree on the first.
    let m = import(multipart(
        "mixed",
        &[
            "\r\nx",
            "Content-Type: a/b; name=type.txt\r\nContent-Disposition: attachment; filename=\"a/b.txt\"\r\n\r\nD",
        ],
    ));
    assert_eq!(name(&m.attachments[0]), "a_b.txt");
    assert_eq!(m.attachments[0].props.text(tag::DISPLAY_NAME).unwrap(), "a/b.txt");
}

#[test]
fn case_49_no_name_no_type_no_bytes() {
    let m = import(multipart(
        "mixed",
        &["\r\nx", "Content-Disposition: attachment\r\n\r\nDATA", "Content-Type: image/png; name=e.png\r\n\r\n"],
    ));
    assert_eq!(name(&m.attachments[0]), "attachment1.txt");
    assert_eq!(data(&m.attachments[0]), b"DATA");
    assert_eq!((name(&m.attachments[1]).as_str(), data(&m.attachments[1]).len()), ("e.png", 0));
    // An attachment of 1 GiB: writing::sizes::a_gibibyte_in_one_attachment.
}

#[test]
fn case_50_messages_in_messages() {
    let mut mail = "Subject: innermost\r\n\r\nend\r\n".to_owned();
    for depth in (0..70).rev() {
        mail = format!("Subject: {depth}\r\nContent-Type: message/rfc822\r\n\r\n{mail}");
    }
    let run = move || {
        let m = import(&mail);
        let (mut at, mut depth) = (&m, 0);
        while let Some(inner) = at.attachments.first().and_then(|a| a.embedded.as_deref()) {
            (at, depth) = (inner, depth + 1);
        }
        assert!((60..=64).contains(&depth), "{depth}");
        // The rest is in one file, whole.
        let rest = data(&at.attachments[0]);
        assert!(String::from_utf8(rest).unwrap().contains("Subject: innermost"));
        assert!(String::from_utf8(export(&m)).unwrap().contains("Subject: innermost"));
    };
    std::thread::Builder::new().stack_size(2 << 20).spawn(run).unwrap().join().unwrap();
    let packed = base64_simd::STANDARD.encode_to_string("Subject: packed\r\n\r\nx");
    let m = import(format!("Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n{packed}\r\n"));
    assert_eq!(super::support::mail::shown(m.attachments[0].embedded.as_ref().unwrap()), "packed");
    let empty = import(multipart("mixed", &["\r\nx", "Content-Type: message/rfc822\r\n\r\n"]));
    assert_eq!(empty.attachments.len(), 1);
}

#[test]
fn case_51_a_digest() {
    let m =
        import(multipart("digest", &["\r\nSubject: 1\r\n\r\na", "\r\nSubject: 2\r\n\r\nb", "\r\nSubject: 3\r\n\r\nc"]));
    let methods: Vec<_> = m.attachments.iter().map(|a| a.props.i32(tag::ATTACH_METHOD)).collect();
    assert_eq!(methods, [Some(attach_method::EMBEDDED); 3]);
    assert_eq!(super::support::mail::shown(m.attachments[2].embedded.as_ref().unwrap()), "3");
    assert!(field(&export(&m), "content-type").unwrap().starts_with("multipart/"));
}

/// What stands in a text belongs to the message of that text, whatever is attached to it.
#[test]
fn files_and_tails_stay_with_their_message() {
    let inner = "Content-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\nno file here\r\n";
    let outer = "Content-Type: text/plain\r\n\r\nbegin 644 a.txt\r\n#86)C\r\n`\r\nend\r\n";
    let m = import(multipart("mixed", &[outer, inner]));
    let names: Vec<String> = m.attachments.iter().map(name).collect();
    assert_eq!(names.last().map(String::as_str), Some("a.txt"), "{names:?}");
    let embedded = m.attachments.iter().find_map(|a| a.embedded.as_deref()).unwrap();
    assert!(embedded.attachments.is_empty());
    let html =
        "Content-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\nPHA+eDwvcD4=\r\nA footer of the list.\r\n";
    let m = import(multipart("mixed", &[html, inner]));
    assert_eq!(name(m.attachments.last().unwrap()), "footer.txt");
    assert!(m.attachments.iter().find_map(|a| a.embedded.as_deref()).unwrap().attachments.is_empty());
}
