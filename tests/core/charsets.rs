//! One text in every place of a mail that a charset can be named in.

use super::support::mail::{data, import, name, said, shown};
use pst_core::mapi::{Message, tag};

#[path = "../support/charsets.rs"]
#[allow(dead_code, reason = "the lines are what is compared")]
mod texts;

/// A charset, a text, and its bytes as Python's codecs write them (ISO-2022-CN: iconv); of several lines the first.
const TEXTS: &[(&str, &str, &[u8])] = &[
    ("koi8-r", "Съешь ещё этих мягких французских булок, да выпей же чаю.", texts::KOI8_R),
    ("windows-1251", "Добрый день! Отчёт за квартал — во вложении.", texts::WINDOWS_1251),
    ("iso-2022-jp", "こんにちは。資料をお送りします。", texts::ISO_2022_JP),
    ("shift_jis", "お世話になっております。", texts::SHIFT_JIS),
    ("euc-jp", "本日の会議は午後三時からです。", texts::EUC_JP),
    ("gb18030", "你好，世界。这是一封测试邮件。", texts::GB18030),
    ("gbk", "请查收附件中的报告，谢谢！", texts::GBK),
    ("big5", "您好，這是一封測試信件。", texts::BIG5),
    ("euc-kr", "안녕하세요. 시험 편지입니다.", texts::EUC_KR),
    ("windows-1256", "مرحبا بالعالم، هذه رسالة اختبار.", texts::WINDOWS_1256),
    ("windows-1255", "שלום עולם, זוהי הודעת ניסיון.", texts::WINDOWS_1255),
    ("iso-8859-7", "Καλημέρα κόσμε, αυτό είναι ένα δοκιμαστικό μήνυμα.", texts::ISO_8859_7),
    ("iso-8859-2", "Zażółć gęślą jaźń. Příliš žluťoučký kůň.", texts::ISO_8859_2),
    ("iso-8859-15", "Le prix est de 25 €, déjà payé à l'œuvre.", texts::ISO_8859_15),
    ("windows-1252", "“Smart quotes” – an en dash, 30 € and a bullet •", texts::WINDOWS_1252),
    ("windows-1254", "Pijamalı hasta yağız şoföre çabucak güvendi. İstanbul ığdır.", texts::WINDOWS_1254),
    ("windows-874", "สวัสดีชาวโลก นี่คือจดหมายทดสอบ", texts::WINDOWS_874),
    ("utf-16", "Unicode 🎉 in sixteen-bit units: ä ö ü 漢字", texts::UTF_16),
    ("us-ascii", "plain", b"plain"),
    ("ansi_x3.4-1968", "plain", b"plain"),
    ("utf-8", "äö日😀", b"\xC3\xA4\xC3\xB6\xE6\x97\xA5\xF0\x9F\x98\x80"),
    ("UTF_8", "äö日😀", b"\xC3\xA4\xC3\xB6\xE6\x97\xA5\xF0\x9F\x98\x80"),
    ("utf8", "äö", b"\xC3\xA4\xC3\xB6"),
    ("unicode-1-1-utf-8", "äö", b"\xC3\xA4\xC3\xB6"),
    ("utf-7", "äö日本+x", b"+AOQA9mXlZywAKw-x"),
    ("unicode-1-1-utf-7", "äö日本", b"+AOQA9mXlZyw-"),
    ("utf-16", "äö日本😀", b"\xFF\xFE\xE4\x00\xF6\x00\xE5e,g=\xD8\x00\xDE"),
    ("utf-16le", "äö日本", b"\xE4\x00\xF6\x00\xE5e,g"),
    ("UTF-16BE", "äö日本", b"\x00\xE4\x00\xF6e\xE5g,"),
    ("ucs-2", "äö", b"\x00\xE4\x00\xF6"),
    ("utf-32", "äö😀", b"\xFF\xFE\x00\x00\xE4\x00\x00\x00\xF6\x00\x00\x00\x00\xF6\x01\x00"),
    ("utf-32le", "äö😀", b"\xE4\x00\x00\x00\xF6\x00\x00\x00\x00\xF6\x01\x00"),
    ("utf-32be", "äö😀", b"\x00\x00\x00\xE4\x00\x00\x00\xF6\x00\x01\xF6\x00"),
    ("iso-8859-1", "äöüÄ", b"\xE4\xF6\xFC\xC4"),
    ("8859-1", "äöü", b"\xE4\xF6\xFC"),
    ("iso8859-1", "äöü", b"\xE4\xF6\xFC"),
    ("iso_8859-1:1987", "äöü", b"\xE4\xF6\xFC"),
    ("latin-1", "äöü", b"\xE4\xF6\xFC"),
    ("iso-8859-2", "šžáĎ", b"\xB9\xBE\xE1\xCF"),
    ("latin2", "šžáĎ", b"\xB9\xBE\xE1\xCF"),
    ("iso-8859-3", "ħĝ", b"\xB1\xF8"),
    ("iso-8859-4", "ąķŗ", b"\xB1\xF3\xB3"),
    ("iso-8859-5", "Привет", b"\xBF\xE0\xD8\xD2\xD5\xE2"),
    ("iso-8859-6", "مرحبا", b"\xE5\xD1\xCD\xC8\xC7"),
    ("iso-8859-7", "Γειά", b"\xC3\xE5\xE9\xDC"),
    ("iso-8859-8", "שלום", b"\xF9\xEC\xE5\xED"),
    ("iso-8859-8-i", "שלום", b"\xF9\xEC\xE5\xED"),
    ("iso-8859-9", "ğış", b"\xF0\xFD\xFE"),
    ("iso-8859-10", "ąēģ", b"\xB1\xB2\xB3"),
    ("iso-8859-11", "สวัสดี", b"\xCA\xC7\xD1\xCA\xB4\xD5"),
    ("tis-620", "สวัสดี", b"\xCA\xC7\xD1\xCA\xB4\xD5"),
    ("windows-874", "สวัสดี…", b"\xCA\xC7\xD1\xCA\xB4\xD5\x85"),
    ("iso-8859-13", "ąčę", b"\xE0\xE8\xE6"),
    ("iso-8859-14", "ŵ", b"\xF0"),
    ("iso-8859-15", "€œ", b"\xA4\xBD"),
    ("iso-8859-16", "ș€", b"\xBA\xA4"),
    ("windows-1250", "šž€", b"\x9A\x9E\x80"),
    ("windows-1251", "Привет", b"\xCF\xF0\xE8\xE2\xE5\xF2"),
    ("win-1251", "Привет", b"\xCF\xF0\xE8\xE2\xE5\xF2"),
    ("win1251", "Привет", b"\xCF\xF0\xE8\xE2\xE5\xF2"),
    ("cp1251", "Привет", b"\xCF\xF0\xE8\xE2\xE5\xF2"),
    ("x-cp1251", "Привет", b"\xCF\xF0\xE8\xE2\xE5\xF2"),
    ("1251", "Привет", b"\xCF\xF0\xE8\xE2\xE5\xF2"),
    ("windows-1252", "€“”", b"\x80\x93\x94"),
    ("windows-1253", "Γειά", b"\xC3\xE5\xE9\xDC"),
    ("windows-1254", "ğış", b"\xF0\xFD\xFE"),
    ("windows-1255", "שלום", b"\xF9\xEC\xE5\xED"),
    ("windows-1256", "مرحبا", b"\xE3\xD1\xCD\xC8\xC7"),
    ("windows-1257", "ąčę", b"\xE0\xE8\xE6"),
    ("windows-1258", "ơư", b"\xF5\xFD"),
    ("koi8-r", "Привет", b"\xF0\xD2\xC9\xD7\xC5\xD4"),
    ("koi8", "Привет", b"\xF0\xD2\xC9\xD7\xC5\xD4"),
    ("koi8-u", "Привіт", b"\xF0\xD2\xC9\xD7\xA6\xD4"),
    ("cp437", "äöü", b"\x84\x94\x81"),
    ("ibm737", "Γειά", b"\x82\x9C\xA0\xE1"),
    ("cp775", "ąčę", b"\xD0\xD1\xD2"),
    ("cp850", "äöü", b"\x84\x94\x81"),
    ("cp-850", "äöü", b"\x84\x94\x81"),
    ("850", "äöü", b"\x84\x94\x81"),
    ("cp852", "šž", b"\xE7\xA7"),
    ("ibm855", "Привет", b"\xDD\xE1\xB7\xEB\xA8\xE5"),
    ("cp857", "ğış", b"\xA7\x8D\x9F"),
    ("cp858", "ä€", b"\x84\xD5"),
    ("cp862", "שלום", b"\x99\x8C\x85\x8D"),
    ("cp866", "Привет", b"\x8F\xE0\xA8\xA2\xA5\xE2"),
    ("cp869", "Γεια", b"\xA6\xDE\xE3\xD6"),
    ("macintosh", "äöüŒ", b"\x8A\x9A\x9F\xCE"),
    ("macroman", "äöü", b"\x8A\x9A\x9F"),
    ("x-mac-cyrillic", "Привет", b"\x8F\xF0\xE8\xE2\xE5\xF2"),
    ("x-mac-ce", "šž", b"\xE4\xEC"),
    ("x-mac-greek", "Γειά", b"\xA1\xE5\xE9\xC0"),
    ("x-mac-turkish", "ğış", b"\xDB\xDD\xDF"),
    ("x-mac-icelandic", "þð", b"\xDF\xDD"),
    ("gb2312", "你好", b"\xC4\xE3\xBA\xC3"),
    ("gb_2312-80", "你好", b"\xC4\xE3\xBA\xC3"),
    ("euc-cn", "你好", b"\xC4\xE3\xBA\xC3"),
    ("gbk", "你好镕", b"\xC4\xE3\xBA\xC3\xE9F"),
    ("cp936", "你好镕", b"\xC4\xE3\xBA\xC3\xE9F"),
    ("gb18030", "你好㐀𠀀", b"\xC4\xE3\xBA\xC3\x819\xEE9\x952\x826"),
    ("hz-gb-2312", "你好~a", b"~{Dc:C~}~~a"),
    ("big5", "你好", b"\xA7A\xA6n"),
    ("big5-hkscs", "你好嘅", b"\xA7A\xA6n\x9D\xEF"),
    ("cp950", "你好", b"\xA7A\xA6n"),
    ("shift_jis", "日本語", b"\x93\xFA\x96{\x8C\xEA"),
    ("x-sjis", "日本語", b"\x93\xFA\x96{\x8C\xEA"),
    ("cp932", "①日本髙", b"\x87@\x93\xFA\x96{\xEE\xE0"),
    ("ms932", "①", b"\x87@"),
    ("windows-31j", "①", b"\x87@"),
    ("euc-jp", "日本語", b"\xC6\xFC\xCB\xDC\xB8\xEC"),
    ("iso-2022-jp", "日本語 abc", b"\x1B$BF|K\\8l\x1B(B abc"),
    ("_iso-2022-jp$ESC", "日本語", b"\x1B$BF|K\\8l\x1B(B"),
    ("iso-2022-jp-1", "日本丂", b"\x1B$BF|K\\\x1B$(D0!\x1B(B"),
    ("iso-2022-jp-2", "日本你가éα丂", b"\x1B$BF|K\\\x1B$(D0_\x1B$(C0!\x1B$(D+1\x1B$B&A\x1B$(D0!\x1B(B"),
    ("iso-2022-jp-3", "日本①", b"\x1B$BF|K\\\x1B$(O-!\x1B(B"),
    ("iso-2022-jp-ext", "日本ｱｶ", b"\x1B$BF|K\\\x1B(I16\x1B(B"),
    ("iso-2022-kr", "한국 abc", b"\x1B$)C\x0EGQ19\x0F abc"),
    ("euc-kr", "한국", b"\xC7\xD1\xB1\xB9"),
    ("ks_c_5601-1987", "한국", b"\xC7\xD1\xB1\xB9"),
    ("ks_c_5601", "한국", b"\xC7\xD1\xB1\xB9"),
    ("cp949", "한국똠", b"\xC7\xD1\xB1\xB9\x8Cc"),
    ("iso-2022-cn", "你好 abc", b"\x1B$)A\x0EDc:C\x0F abc\x0F"),
    ("iso-2022-cn-ext", "你好 abc", b"\x1B$)A\x0EDc:C\x0F abc\x0F"),
    ("iso-2022-jp-ms", "日本①", b"\x1B$BF|K\\-!\x1B(B"),
    ("cp50220", "日本①", b"\x1B$BF|K\\-!\x1B(B"),
    ("cp50221", "日本①", b"\x1B$BF|K\\-!\x1B(B"),
    ("x-user-defined", "äö", b"\xC3\xA4\xC3\xB6"),
    ("default", "äö", b"\xC3\xA4\xC3\xB6"),
    ("unknown-8bit", "äö", b"\xC3\xA4\xC3\xB6"),
    ("none", "äö", b"\xC3\xA4\xC3\xB6"),
];

fn base64(bytes: &[u8]) -> String {
    base64_simd::STANDARD.encode_to_string(bytes)
}

fn percent(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("%{b:02X}")).collect()
}

fn first_line(bytes: &'static [u8]) -> &'static [u8] {
    let end = (0..bytes.len()).find(|at| bytes[*at..].starts_with(b"\r\n") || bytes[*at..].starts_with(b"\r\0\n\0"));
    &bytes[..end.unwrap_or(bytes.len())]
}

/// A mail with the text as subject, names, descriptions, file names and bodies.
fn mail(label: &str, bytes: &[u8]) -> String {
    let word = format!("=?{label}?B?{}?=", base64(bytes));
    let q: String = percent(bytes).replace('%', "=");
    format!(
        "Date: Mon, 1 Jan 2024 10:00:00 +0000\r\nSubject: {word}\r\nFrom: {word} <a@x.org>\r\n\
         Sender: b@x.org (=?{label}?Q?{q}?=)\r\nTo: \"{word}\" <c@x.org>,\r\n =?{label}?Q?{q}?= <d@x.org>\r\n\
         Cc: Group: {word} <e@x.org>, <f@x.org>;\r\n\
         MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\
         Content-Type: text/plain; charset=\"{label}\"\r\nContent-Transfer-Encoding: base64\r\n\r\n{}\r\n--b\r\n\
         Content-Type: application/x-a; name=\"{word}\"\r\nContent-Description: {word}\r\n\r\n1\r\n--b\r\n\
         Content-Type: application/x-a\r\nContent-Disposition: attachment; filename*=\"{label}''{}\"\r\n\r\n\
         2\r\n--b--\r\n",
        base64(bytes),
        percent(bytes)
    )
}

/// What stands in all those places.
fn places(m: &Message) -> Vec<(&'static str, String)> {
    let text = |tag| m.props.text(tag).unwrap_or_default();
    let row = |at: usize| m.recipients[at].text(tag::DISPLAY_NAME).unwrap_or_default();
    let described = m.attachments[0].props.text(tag::DISPLAY_NAME).unwrap_or_default();
    vec![
        ("subject", shown(m)),
        ("from", text(tag::SENT_REPRESENTING_NAME)),
        ("sender, in a comment", text(tag::SENDER_NAME)),
        ("to, in quotes", row(0)),
        ("to", row(1)),
        ("cc, in a group", row(2)),
        ("body", text(tag::BODY)),
        ("description", described),
        ("name", name(&m.attachments[0])),
        ("file name", name(&m.attachments[1])),
    ]
}

#[test]
fn everywhere_the_same() {
    for (label, want, bytes) in TEXTS {
        let mail = mail(label, first_line(bytes));
        let m = import(&mail);
        for (place, found) in places(&m) {
            // A file name does not end in a dot, and has no colon.
            let is_file = place.ends_with("name");
            let want = if is_file { want.trim_end_matches('.').replace(':', "_") } else { (*want).to_owned() };
            assert_eq!(found.trim_end(), want, "{label}: {place}");
        }
        let addresses: Vec<String> = m.recipients.iter().filter_map(|r| r.text(tag::EMAIL_ADDRESS)).collect();
        assert_eq!(addresses, ["c@x.org", "d@x.org", "e@x.org", "f@x.org"], "{label}");
        assert_eq!((data(&m.attachments[0]), data(&m.attachments[1])), (b"1".to_vec(), b"2".to_vec()), "{label}");
        assert_eq!(said(&mail), Vec::<String>::new(), "{label}");
    }
}

#[test]
fn html_as_well() {
    let wide = |label: &str| ["utf-16", "utf-32", "ucs"].iter().any(|w| label.to_ascii_lowercase().starts_with(w));
    for (label, want, bytes) in TEXTS.iter().filter(|(label, ..)| !wide(label)) {
        let html = [b"<p>", first_line(bytes), b"</p>"].concat();
        let mail = format!(
            "Date: Mon, 1 Jan 2024 10:00:00 +0000\r\nContent-Type: text/html; charset=\"{label}\"\r\n\
             Content-Transfer-Encoding: base64\r\n\r\n{}",
            base64(&html)
        );
        assert_eq!(import(&mail).props.text(tag::BODY).unwrap().trim_end(), *want, "{label}");
        assert_eq!(said(&mail), Vec::<String>::new(), "{label}");
    }
}

#[test]
fn what_no_table_has_is_said() {
    // The second set of ISO-2022-CN, CNS 11643.
    let mail = mail("iso-2022-cn", b"a\x1B$)G\x0EDc\x0Fb");
    let m = import(&mail);
    for (place, found) in places(&m) {
        assert_eq!(found.trim_end(), "a\u{FFFD}b", "{place}");
    }
    let said = said(&mail);
    assert!(said.iter().any(|w| w.contains("a text is not all in the charset \"iso-2022-cn\"")), "{said:?}");
    assert!(said.iter().any(|w| w.contains("header text is not all in the charset \"iso-2022-cn\"")), "{said:?}");
}

#[test]
fn bytes_that_are_not_of_the_charset_are_said() {
    for (label, bytes) in [
        ("shift_jis", &b"\xFF\xFD"[..]),
        ("cp857", b"\xD5"),
        ("euc-kr", b"\xC7"),
        ("utf-16be", b"\0a\xD8\0"),
        ("utf-32", b"\0\x7F\0\0"),
        ("utf-7", b"+2AA-"),
        ("iso-2022-jp", b"\x1B$B~~\x1B(B"),
        ("hz", b"~{1~}"),
    ] {
        let mail = mail(label, bytes);
        for (place, found) in places(&import(&mail)) {
            assert!(found.contains('\u{FFFD}'), "{label}: {place}: {found:?}");
        }
        let said = said(&mail);
        let of = |what: &str| said.iter().filter(|w| w.starts_with(what) && w.contains("is not all in")).count();
        assert!(of("a text") == 1 && of("header text") > 0, "{label}: {said:?}");
        let html = format!(
            "Content-Type: text/html; charset={label}\r\nContent-Transfer-Encoding: base64\r\n\r\n{}",
            base64(bytes)
        );
        let said = super::support::mail::said(html);
        assert!(said.iter().any(|w| w.starts_with("a text is not all in")), "{label}: {said:?}");
    }
}

#[test]
fn an_unknown_charset_stays_encoded() {
    let mail = mail("x-nope", b"\x81b");
    let m = import(&mail);
    for (place, found) in places(&m) {
        let want = match place {
            "sender, in a comment" | "to" => "=?x-nope?Q?=81=62?=",
            "body" => "\u{81}b",
            "name" => "=_x-nope_B_gWI=_=",
            "file name" => "x-nope''%81b",
            _ => "=?x-nope?B?gWI=?=",
        };
        assert_eq!(found.trim_end(), want, "{place}");
    }
    let said = said(&mail);
    assert!(said.contains(&"header text in the unknown charset \"x-nope\" is kept encoded".to_owned()), "{said:?}");
    assert!(said.contains(&"a text in the unknown charset \"x-nope\" was read as UTF-8".to_owned()), "{said:?}");
}
