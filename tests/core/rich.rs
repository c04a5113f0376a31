//! Rich text bodies: out as HTML and text, in from text/rtf parts (acceptance case 59), and the objects inside them.

use super::support::Seeded;
use pst_core::mapi::message::attach_method;
use pst_core::mapi::{Attachment, Message, Value, rtf, tag};
use pst_core::mime::{Options, State, from_mapi, to_mapi};
use std::io::{Cursor, Write};

fn message(compressed: Vec<u8>) -> Message {
    let mut message = Message::default();
    message.props.set(tag::MESSAGE_CLASS, Value::text("IPM.Note"));
    message.props.set(tag::SUBJECT, Value::text("rich"));
    message.props.set(tag::RTF_COMPRESSED, Value::binary(compressed));
    message
}

fn export(message: &Message, keep_rtf: bool) -> (String, Vec<String>) {
    let mut out = Vec::new();
    let warnings = from_mapi(message, &mut out, &Options { keep_rtf, ..Options::default() }).unwrap();
    (String::from_utf8(out).unwrap(), warnings.into_iter().map(|w| w.text).collect())
}

/// Content type and decoded body of every part that holds no others.
fn parts(mail: &str) -> Vec<(String, Vec<u8>)> {
    let parsed = mail_parser::MessageParser::new().parse(mail.as_bytes()).unwrap();
    let leaves = parsed.parts().filter(|p| !p.is_multipart());
    leaves
        .map(|p| {
            let kind = p.content_type().unwrap();
            (format!("{}/{}", kind.ctype(), kind.subtype().unwrap()), p.decoded().into_owned())
        })
        .collect()
}

fn text(part: &(String, Vec<u8>)) -> String {
    String::from_utf8(part.1.clone()).unwrap()
}

fn kinds(mail: &str) -> Vec<String> {
    parts(mail).into_iter().map(|(kind, _)| kind).collect()
}

/// What is written, read and written again is the same.
fn assert_stable(mail: &str) {
    let again = to_mapi(mail.as_bytes(), &State::default(), None).unwrap().message;
    assert_eq!(export(&again, false).0, mail);
}

const RICH: &[u8] = br"{\rtf1\ansi\ansicpg1251\deff0{\fonttbl{\f0\fcharset0 Arial;}{\f1\fcharset128 MS Gothic;}}
\pard\f0\fs20 plain, \b bold\b0 , \f1\'93\'fa\'96\'7b\f0 , \u8364?uro\par second\par}";

#[test]
fn case_59_genuine_rtf_becomes_text_and_html() {
    let (mail, warnings) = export(&message(rtf::compress(RICH)), false);
    assert_eq!(warnings, Vec::<String>::new());
    assert_eq!(kinds(&mail), ["text/plain", "text/html"]);
    let all = parts(&mail);
    assert_eq!(text(&all[0]), "plain, bold, 日本, €uro\r\nsecond\r\n");
    assert!(text(&all[1]).contains("plain, <b>bold</b>, "), "{}", text(&all[1]));
    assert!(text(&all[1]).contains("日本") && text(&all[1]).contains("€uro"));
    assert_stable(&mail);
    let (kept, _) = export(&message(rtf::compress(RICH)), true);
    assert_eq!(kinds(&kept), ["text/plain", "text/html", "application/rtf"]);
    assert_eq!(parts(&kept)[2].1, RICH);
}

#[test]
fn short_text_stays_text_and_html() {
    for body in ["x", "hello world", "one\\par two", "x\\par\\par", "x\\par", "\\par"] {
        let rtf = format!("{{\\rtf1\\ansi {body}}}");
        let (mail, _) = export(&message(rtf::compress(rtf.as_bytes())), false);
        assert_eq!(kinds(&mail), ["text/plain", "text/html"]);
        assert_stable(&mail);
    }
}

#[test]
fn case_59_encapsulated_html_comes_out_as_it_was() {
    let html = |meta: &str| {
        format!(
            r#"{{\rtf1\ansi\ansicpg1251\fromhtml1 \deff0{{\fonttbl{{\f0\fcharset204 Arial;}}}}{{\*\htmltag19 <html>}}{{\*\htmltag34 {meta}}}{{\*\htmltag64 <p>}}\htmlrtf \b\htmlrtf0 \'cf\'f0\'e8\'e2\'e5\'f2 \u8364?{{\*\htmltag27 </html>}}}}"#
        )
    };
    let meta = "<meta charset=windows-1251>";
    let (mail, _) = export(&message(rtf::compress(html(meta).as_bytes())), false);
    let all = parts(&mail);
    let (bytes, ..) = encoding_rs::WINDOWS_1251.encode("<html><meta charset=windows-1251><p>Привет €</html>");
    assert_eq!(
        all,
        [("text/plain".to_owned(), "Привет €\r\n".as_bytes().to_vec()), ("text/html".to_owned(), bytes.into_owned())]
    );
    assert!(mail.contains("text/html; charset=windows-1251"));
    assert_stable(&mail);
    // The charset that it names has no euro.
    let meta = "<meta charset=koi8-r>";
    let (mail, _) = export(&message(rtf::compress(html(meta).as_bytes())), false);
    assert_eq!(text(parts(&mail).last().unwrap()), "<html><meta charset=utf-8><p>Привет €</html>");
    assert!(mail.contains("text/html; charset=utf-8"));
    assert_stable(&mail);
}

#[test]
fn case_59_encapsulated_text_comes_out_as_it_was() {
    let rtf =
        br"{\rtf1\ansi\ansicpg932\fromtext \deff0{\fonttbl{\f0\fcharset128 Arial;}}\f0 \'93\'fa\tab b\par\lquote x}";
    let (mail, _) = export(&message(rtf::compress(rtf)), false);
    assert_eq!(parts(&mail), [("text/plain".to_owned(), "日\tb\r\n‘x".as_bytes().to_vec())]);
    assert_stable(&mail);
}

#[test]
fn case_59_damaged_compression_is_read_and_named() {
    let whole = rtf::compress(RICH);
    let mut wrong = whole.clone();
    wrong[12] ^= 1;
    let (mail, warnings) = export(&message(wrong), false);
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("checksum"));
    assert_eq!(kinds(&mail), ["text/plain", "text/html"]);
    let padded = [whole.as_slice(), &[0; 3]].concat();
    assert_eq!(export(&message(padded), false), export(&message(whole.clone()), false));
    let (mail, warnings) = export(&message(whole[..15].to_vec()), false);
    assert!(warnings[0].contains("15 bytes") && kinds(&mail) == ["text/plain"]);
    let (mail, warnings) = export(&message(whole[..60].to_vec()), false);
    assert!(warnings[0].contains("without an end mark") && kinds(&mail) == ["text/plain", "text/html"]);
}

#[test]
fn rich_text_parts_become_the_rich_text_body() {
    for mail in [
        format!("Subject: x\r\nContent-Type: text/rtf\r\n\r\n{}\r\n", String::from_utf8_lossy(RICH)),
        format!(
            "Subject: x\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\r\nplain\r\n--b\r\nContent-Type: application/rtf\r\n\r\n{}\r\n--b--\r\n",
            String::from_utf8_lossy(RICH)
        ),
    ] {
        let message = to_mapi(mail.as_bytes(), &State::default(), None).unwrap().message;
        let Some(Value::Binary(data)) = message.props.get(tag::RTF_COMPRESSED) else { panic!("no RTF") };
        let unpacked = rtf::decompress(data.bytes().unwrap(), 1 << 20);
        assert_eq!(unpacked.oddities, []);
        assert_eq!(unpacked.rtf.trim_ascii(), RICH);
        assert_eq!(message.props.bool(tag::RTF_IN_SYNC), Some(true));
        assert_eq!(message.props.i32(tag::NATIVE_BODY), Some(2));
        assert!(message.props.text(tag::BODY).unwrap().starts_with("plain") && message.attachments.is_empty());
        let (out, _) = export(&message, false);
        assert_eq!(kinds(&out), ["text/plain", "text/rtf", "text/html"]);
        assert_stable(&out);
    }
    // A document that is sent as a file stays one, and so does what is no RTF.
    for mail in [
        "Content-Type: application/rtf; name=a.rtf\r\n\r\n{\\rtf1 x}\r\n",
        "Content-Type: text/rtf\r\n\r\nno RTF at all\r\n",
    ] {
        let message = to_mapi(mail.as_bytes(), &State::default(), None).unwrap().message;
        assert_eq!(message.attachments.len(), 1, "{mail}");
    }
}

#[test]
fn no_rich_text_panics_or_hangs() {
    let mut seeded = Seeded(3);
    let words = [
        "{",
        "}",
        "\\b ",
        "\\par ",
        "\\u-10179?",
        "\\'e4",
        "\\'93",
        "{\\*\\htmltag1 <p>}",
        "\\htmlrtf ",
        "\\htmlrtf0 ",
        "\\f1 ",
        "{\\fonttbl{\\f1\\fcharset128 M;}}",
        "\\trowd\\cellx9\\clvmgf\\cellx99 ",
        "\\intbl\\itap3 ",
        "\\nestcell ",
        "\\cell ",
        "\\row ",
        "{\\*\\nesttableprops\\trowd\\nestrow}",
        "{\\pict\\dibitmap 2800}",
        "{\\field{\\*\\fldinst HYPERLINK x}",
        "{\\fldrslt y}",
        "{\\listtext 1.}",
        "\\ilvl8 ",
        "\\objattph ",
        "\\bin4 ",
        "\\uc9 ",
        "{\\colortbl;\\red300;}",
        "text ",
        "{\\footnote ",
        "{\\*\\x ",
        "\\",
        "\\'",
        "\u{e9}",
    ];
    for head in ["{\\rtf1", "{\\rtf1\\ansicpg932\\fromhtml1 ", "{\\rtf1\\fromtext "] {
        for _ in 0..400 {
            let body: String =
                (0..seeded.below(60)).map(|_| words[seeded.below(words.len() as u64) as usize]).collect();
            let rtf = format!("{head}{body}");
            let (mail, _) = export(&message(rtf::compress(rtf.as_bytes())), true);
            assert!(!mail.is_empty());
        }
    }
    for _ in 0..2000 {
        let mut bytes = rtf::compress(RICH);
        for _ in 0..1 + seeded.below(5) {
            let at = seeded.below(bytes.len() as u64) as usize;
            bytes[at] = seeded.next() as u8;
        }
        assert!(rtf::decompress(&bytes, 10_000).rtf.len() <= 10_000);
    }
}

#[test]
fn pictures_stand_where_they_stood() {
    let png = b"\x89PNG\r\n\x1a\nand so on";
    let hex: String = png.iter().map(|b| format!("{b:02x}")).collect();
    let rtf = format!("{{\\rtf1 a{{\\pict\\pngblip {hex}}}b\\objattph c\\objattph}}");
    let mut message = message(rtf::compress(rtf.as_bytes()));
    for (at, name) in [(9, "notes.txt"), (4, "face.gif")] {
        let mut attachment = Attachment::default();
        attachment.props.set(tag::ATTACH_METHOD, Value::I32(attach_method::BY_VALUE));
        attachment.props.set(tag::RENDERING_POSITION, Value::I32(at));
        attachment.props.set(tag::ATTACH_LONG_FILENAME, Value::text(name));
        attachment.props.set(tag::ATTACH_DATA_BINARY, Value::binary(name.as_bytes()));
        message.attachments.push(attachment);
    }
    let (mail, _) = export(&message, false);
    assert_eq!(kinds(&mail), ["text/plain", "text/html", "image/gif", "image/png", "text/plain"]);
    let all = parts(&mail);
    assert_eq!(text(&all[0]), "ab[face.gif]c[notes.txt]\r\n");
    assert_eq!(all[3].1, png);
    let html = text(&all[1]);
    assert!(html.contains("<img src=\"cid:attachment2@pst\" alt=\"face.gif\">c[notes.txt]"), "{html}");
    assert_stable(&mail);
}

#[test]
fn objects_come_with_their_picture() {
    let mut file = cfb::CompoundFile::create(Cursor::new(Vec::new())).unwrap();
    file.create_stream("CONTENTS").unwrap().write_all(b"BM bitmap").unwrap();
    file.flush().unwrap();
    let storage = file.into_inner().into_inner();
    let mut message = message(rtf::compress(br"{\rtf1 a\objattph b\objattph}"));
    let mut object = Attachment::default();
    object.props.set(tag::ATTACH_METHOD, Value::I32(attach_method::OLE));
    object.props.set(tag::RENDERING_POSITION, Value::I32(1));
    object.props.set(tag::DISPLAY_NAME, Value::text("Picture"));
    object.props.set(tag::ATTACH_DATA_OBJECT, Value::Object(pst_core::mapi::Blob::Bytes(storage.clone())));
    message.attachments.push(object.clone());
    object.props.set(tag::DISPLAY_NAME, Value::text("Drawing"));
    object.props.set(tag::RENDERING_POSITION, Value::I32(2));
    object.props.set(tag::ATTACH_RENDERING, Value::binary([1, 0, 9, 0, 0, 3]));
    message.attachments.push(object);
    let (mail, _) = export(&message, false);
    let all = parts(&mail);
    assert_eq!(
        kinds(&mail),
        ["text/plain", "text/html", "image/bmp", "application/octet-stream", "application/octet-stream", "image/wmf"]
    );
    assert!(text(&all[1]).contains("a<img src=\"cid:rtf-") && text(&all[1]).contains("b[Drawing]"));
    assert_eq!((all[2].1.as_slice(), &all[3].1), (&b"BM bitmap"[..], &storage));
    assert!(all[5].1.starts_with(&[0xD7, 0xCD, 0xC6, 0x9A]) && all[5].1.ends_with(&[1, 0, 9, 0, 0, 3]));
    for name in ["Picture.ole", "Picture.bmp", "Drawing.ole", "Drawing.wmf"] {
        assert!(mail.contains(&format!("filename=\"{name}\"")), "{name}");
    }
    assert_stable(&mail);
}

#[test]
fn references_keep_their_paths() {
    let mut message = Message::default();
    message.props.set(tag::BODY, Value::text("x"));
    for (method, path) in [(2, r"\\host\share\Plan é.pdf"), (7, "https://cloud.example/plan.docx")] {
        let mut attachment = Attachment::default();
        attachment.props.set(tag::ATTACH_METHOD, Value::I32(method));
        attachment.props.set(tag::ATTACH_LONG_FILENAME, Value::text("plan.pdf"));
        attachment.props.set(tag::ATTACH_LONG_PATHNAME, Value::text(path));
        message.attachments.push(attachment);
    }
    let (mail, warnings) = export(&message, false);
    assert_eq!(warnings.len(), 2);
    let all = parts(&mail);
    assert_eq!(kinds(&mail), ["text/plain", "text/plain", "application/internet-shortcut"]);
    assert_eq!(text(&all[1]), "This attachment is a reference to: \\\\host\\share\\Plan é.pdf\r\n");
    assert_eq!(text(&all[2]), "[InternetShortcut]\r\nURL=https://cloud.example/plan.docx\r\n");
    assert!(mail.contains("filename=\"plan.pdf.txt\"") && mail.contains("filename=\"plan.pdf.url\""));
    assert_stable(&mail);
}
