//! Makes every file of fixtures/. Seeded: the same files each time, which a test compares with the committed ones.
//!
//! `PST_WRITE_FIXTURES=1 cargo test --ignore-rust-version -p pst-cli --test cli fixtures` writes them anew.

use super::charsets as text;
use super::support::Seeded;
use std::fmt::Write as _;

/// A file of fixtures/.
pub struct Fixture {
    /// Below fixtures/, with slashes.
    pub path: String,
    /// What it is there for.
    pub about: &'static str,
    pub bytes: Vec<u8>,
}

/// All files but the manifest, sorted by path.
pub fn fixtures() -> Vec<Fixture> {
    let mut all = Vec::new();
    inbox(&mut all);
    sent_and_drafts(&mut all);
    languages(&mut all);
    shapes(&mut all);
    oddities(&mut all);
    mbox(&mut all);
    maildir(&mut all);
    all.sort_by(|a, b| a.path.cmp(&b.path));
    all
}

/// fixtures/MANIFEST.toml.
pub fn manifest(fixtures: &[Fixture]) -> String {
    let mut out = String::from(
        "# Written by tests/support/generate.rs together with the files. All content is this project's own.\n",
    );
    for f in fixtures {
        let _ = write!(
            out,
            "\n[[file]]\npath = \"{}\"\nbytes = {}\nabout = \"{}\"\n",
            f.path,
            f.bytes.len(),
            f.about.replace('\\', "\\\\").replace('"', "\\\"")
        );
    }
    out
}

/// Standard base64 in lines of 76, each ending with CRLF.
pub fn base64(data: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(data.len() * 4 / 3 + data.len() / 28 + 8);
    for (i, three) in data.chunks(3).enumerate() {
        if i > 0 && i % 19 == 0 {
            out.push_str("\r\n");
        }
        let n = three.iter().fold(0u32, |n, b| n << 8 | u32::from(*b)) << (8 * (3 - three.len()));
        for k in 0..4 {
            let digit = DIGITS[(n >> (18 - 6 * k)) as usize & 63];
            out.push(if k <= three.len() { char::from(digit) } else { '=' });
        }
    }
    out.push_str("\r\n");
    out
}

/// Quoted-printable, every byte above ASCII escaped, soft breaks before column 76.
pub fn quoted_printable(data: &[u8]) -> String {
    let mut out = String::new();
    let mut column = 0;
    for line in data.split_inclusive(|b| *b == b'\n') {
        let (line, end) = line.strip_suffix(b"\r\n").map_or((line, ""), |l| (l, "\r\n"));
        for (i, b) in line.iter().enumerate() {
            let last_blank = i + 1 == line.len() && matches!(b, b' ' | b'\t');
            let plain = matches!(b, b' '..=b'~' | b'\t') && *b != b'=' && !last_blank;
            let width = if plain { 1 } else { 3 };
            if column + width > 75 {
                out.push_str("=\r\n");
                column = 0;
            }
            if plain {
                out.push(char::from(*b));
            } else {
                let _ = write!(out, "={b:02X}");
            }
            column += width;
        }
        out.push_str(end);
        column = 0;
    }
    out
}

/// A template with `\n` for CRLF, and `{name}` for each of the parts.
fn build(template: &str, parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = template.replace('\n', "\r\n").into_bytes();
    for (name, data) in parts {
        let key = format!("{{{name}}}").into_bytes();
        while let Some(at) = out.windows(key.len()).position(|w| w == key.as_slice()) {
            out.splice(at..at + key.len(), data.iter().copied());
        }
    }
    out
}

/// Bytes without a pattern.
pub fn noise(seed: u64, len: usize) -> Vec<u8> {
    let mut seeded = Seeded(seed);
    (0..len).map(|_| seeded.next() as u8).collect()
}

/// A square image of one colour, uncompressed.
pub fn png(side: u8, rgb: [u8; 3]) -> Vec<u8> {
    let mut rows = Vec::new();
    for _ in 0..side {
        rows.extend([0]);
        (0..side).for_each(|_| rows.extend(rgb));
    }
    let (mut a, mut b) = (1u32, 0u32);
    for byte in &rows {
        a = (a + u32::from(*byte)) % 65_521;
        b = (b + a) % 65_521;
    }
    let len = rows.len() as u16;
    let mut deflated = vec![0x78, 0x01, 0x01];
    deflated.extend(len.to_le_bytes());
    deflated.extend((!len).to_le_bytes());
    deflated.extend(rows);
    deflated.extend((b << 16 | a).to_be_bytes());
    let side = [0, 0, 0, side];
    let mut out = b"\x89PNG\r\n\x1a\n".to_vec();
    for (kind, data) in
        [(b"IHDR", [&side[..], &side[..], &[8, 2, 0, 0, 0]].concat()), (b"IDAT", deflated), (b"IEND", vec![])]
    {
        let body = [&kind[..], &data].concat();
        out.extend((data.len() as u32).to_be_bytes());
        out.extend(&body);
        out.extend(crc32(&body).to_be_bytes());
    }
    out
}

fn crc32(data: &[u8]) -> u32 {
    !data.iter().fold(!0u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |c, _| if c & 1 == 1 { c >> 1 ^ 0xEDB8_8320 } else { c >> 1 })
    })
}

fn eml(all: &mut Vec<Fixture>, path: &str, about: &'static str, bytes: Vec<u8>) {
    all.push(Fixture { path: format!("mail/{path}.eml"), about, bytes });
}

fn inbox(all: &mut Vec<Fixture>) {
    eml(
        all,
        "Inbox/01-plain",
        "the plainest message that has everything",
        build(
            "\
Return-Path: <ada@example.org>
Received: from mx.example.org (mx.example.org [192.0.2.25])
\tby mail.example.com with ESMTPS id 4F2kQ1; Mon, 6 May 2024 09:15:04 +0200 (CEST)
Date: Mon, 06 May 2024 09:15:00 +0200
From: Ada Lovelace <ada@example.org>
To: Charles Babbage <charles@example.com>
Subject: Notes on the engine
Message-ID: <plain.1@example.org>
MIME-Version: 1.0
Content-Type: text/plain; charset=us-ascii
Content-Transfer-Encoding: 7bit

Dear Charles,

the engine weaves algebraical patterns.

Ada
",
            &[],
        ),
    );
    eml(
        all,
        "Inbox/02-reply",
        "a reply in a thread, with References, Thread-Topic and Thread-Index",
        build(
            "\
Received: from mx.example.com by mail.example.org; Mon, 6 May 2024 10:00:03 +0000
Date: Mon, 06 May 2024 12:00:00 +0200
From: \"Babbage, Charles\" <charles@example.com>
To: Ada Lovelace <ada@example.org>
Subject: RE: Notes on the engine
Message-ID: <reply.2@example.com>
In-Reply-To: <plain.1@example.org>
References: <root.0@example.org> <plain.1@example.org>
Thread-Topic: Notes on the engine
Thread-Index: AdqfhDqLq3V6zW1iQm6J5bTn0c3a2gAAQkBQ
Importance: high
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

> the engine weaves algebraical patterns.

Just as the Jacquard loom weaves flowers and leaves — quite so.
",
            &[],
        ),
    );
    eml(all, "Inbox/03-newsletter", "html alone, quoted-printable, with list headers", build("\
Date: Tue, 07 May 2024 06:30:00 +0000
From: =?utf-8?Q?B=C3=BCcherbrief?= <brief@example.net>
To: leser@example.org
Reply-To: Redaktion <redaktion@example.net>
Subject: =?utf-8?Q?Neue_B=C3=BCcher_im_Mai?=
Message-ID: <newsletter.3@example.net>
List-Id: <brief.example.net>
List-Unsubscribe: <https://example.net/ab/?id=3>
Precedence: bulk
MIME-Version: 1.0
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: quoted-printable

{html}", &[("html", quoted_printable("<!DOCTYPE html>\r\n<html><head><meta charset=\"utf-8\"><title>Neue Bücher</title></head>\r\n<body><h1>Neue Bücher</h1><p>Schöne Grüße &amp; viel Vergnügen beim Lesen — <a href=\"https://example.net/mai?a=1&amp;b=2\">zum Heft</a>.</p></body></html>\r\n".as_bytes()).as_bytes())]));
    eml(
        all,
        "Inbox/04-invoice",
        "plain and html alternatives and a PDF beside them",
        build(
            "\
Date: Wed, 08 May 2024 14:45:10 -0400
From: Billing <billing@example.com>
To: ada@example.org
Cc: Accounts <accounts@example.org>
Subject: Invoice 2024-0508
Message-ID: <invoice.4@example.com>
X-Priority: 1
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=\"outer\"

This is a multi-part message in MIME format.
--outer
Content-Type: multipart/alternative; boundary=\"inner\"

--inner
Content-Type: text/plain; charset=utf-8

Your invoice is attached. Total: 25 EUR.
--inner
Content-Type: text/html; charset=utf-8

<html><body><p>Your invoice is attached. Total: <b>25&nbsp;EUR</b>.</p></body></html>
--inner--

--outer
Content-Type: application/pdf; name=\"invoice.pdf\"
Content-Disposition: attachment; filename=\"invoice.pdf\"; size=1500
Content-Transfer-Encoding: base64

{pdf}--outer--
",
            &[("pdf", base64(&noise(4, 1500)).as_bytes())],
        ),
    );
}

fn sent_and_drafts(all: &mut Vec<Fixture>) {
    eml(
        all,
        "Sent/01-with-bcc",
        "a sent message with Bcc, several To headers and a request for a receipt",
        build(
            "\
Date: Thu, 09 May 2024 08:00:00 +0000
From: Ada Lovelace <ada@example.org>
To: One <one@example.com>
To: Two <two@example.com>, \"Three, the Third\" <three@example.com>
To: four@example.com
Cc: Five <five@example.com>
Bcc: Six <six@example.com>
Subject: To many
Message-ID: <sent.1@example.org>
Disposition-Notification-To: Ada Lovelace <ada@example.org>
Return-Receipt-To: ada@example.org
Sensitivity: Personal
MIME-Version: 1.0
Content-Type: text/plain; charset=us-ascii

Six people in four fields.
",
            &[],
        ),
    );
    eml(
        all,
        "Sent/02-flowed",
        "format=flowed with trailing blanks and quoting",
        build(
            "\
Date: Thu, 09 May 2024 09:30:00 +0000
From: Ada Lovelace <ada@example.org>
To: charles@example.com
Subject: Flowing lines
Message-ID: <sent.2@example.org>
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8; format=flowed; delsp=no

{flowed}",
            &[(
                "flowed",
                "This paragraph goes on \r\nover two lines.\r\n> quoted, and \r\n> flowing as well\r\n-- \r\nAda\r\n"
                    .as_bytes(),
            )],
        ),
    );
    eml(
        all,
        "Drafts/01-unsent",
        "a draft, as X-Unsent says",
        build(
            "\
X-Unsent: 1
Date: Fri, 10 May 2024 11:11:11 +0000
From: Ada Lovelace <ada@example.org>
To: undecided@example.com
Subject: Not finished
MIME-Version: 1.0
Content-Type: text/plain; charset=us-ascii

To be continued
",
            &[],
        ),
    );
}

fn languages(all: &mut Vec<Fixture>) {
    // Name, language, charset, the bytes, and how they travel.
    let bodies: [(&str, &str, &[u8], char); 18] = [
        ("russian-koi8-r", "koi8-r", text::KOI8_R, '8'),
        ("russian-windows-1251", "windows-1251", text::WINDOWS_1251, 'q'),
        ("japanese-iso-2022-jp", "iso-2022-jp", text::ISO_2022_JP, '7'),
        ("japanese-shift_jis", "shift_jis", text::SHIFT_JIS, 'b'),
        ("japanese-euc-jp", "euc-jp", text::EUC_JP, '8'),
        ("chinese-gb18030", "gb18030", text::GB18030, 'b'),
        ("chinese-gbk", "gbk", text::GBK, '8'),
        ("chinese-big5", "big5", text::BIG5, 'q'),
        ("korean-euc-kr", "euc-kr", text::EUC_KR, '8'),
        ("arabic-windows-1256", "windows-1256", text::WINDOWS_1256, 'b'),
        ("hebrew-windows-1255", "windows-1255", text::WINDOWS_1255, 'q'),
        ("greek-iso-8859-7", "iso-8859-7", text::ISO_8859_7, '8'),
        ("polish-iso-8859-2", "iso-8859-2", text::ISO_8859_2, 'q'),
        ("french-iso-8859-15", "iso-8859-15", text::ISO_8859_15, '8'),
        ("english-windows-1252", "windows-1252", text::WINDOWS_1252, 'q'),
        ("turkish-windows-1254", "windows-1254", text::WINDOWS_1254, '8'),
        ("thai-windows-874", "windows-874", text::WINDOWS_874, 'b'),
        ("everyone-utf-16", "utf-16", text::UTF_16, 'b'),
    ];
    for (day, (name, charset, bytes, how)) in bodies.into_iter().enumerate() {
        let (encoding, body) = match how {
            '7' => ("7bit", bytes.to_vec()),
            '8' => ("8bit", bytes.to_vec()),
            'q' => ("quoted-printable", quoted_printable(bytes).into_bytes()),
            _ => ("base64", base64(bytes).into_bytes()),
        };
        let first = bytes.split(|b| *b == b'\r').next().unwrap_or_default();
        let subject = match charset {
            "utf-16" => "=?utf-8?Q?sixteen_bits_=F0=9F=8E=89?=".to_owned(),
            _ => format!("=?{charset}?B?{}?=", base64(first).replace("\r\n", "")),
        };
        let date = format!("{:02} Jun 2024 07:{:02}:00 +0000", day + 1, day);
        all.push(Fixture {
            path: format!("mail/Languages/{name}.eml"),
            about: "a language in its own charset, in the subject and the body",
            bytes: build(
                "\
Date: {date}
From: Writer <writer@example.org>
To: Reader <reader@example.com>
Subject: {subject}
Message-ID: <{name}@example.org>
MIME-Version: 1.0
Content-Type: text/plain; charset={charset}
Content-Transfer-Encoding: {encoding}

{body}",
                &[
                    ("date", date.as_bytes()),
                    ("subject", subject.as_bytes()),
                    ("name", name.as_bytes()),
                    ("charset", charset.as_bytes()),
                    ("encoding", encoding.as_bytes()),
                    ("body", &body),
                ],
            ),
        });
    }
    eml(
        all,
        "Languages/headers-utf-8",
        "headers in raw UTF-8 (RFC 6532), right-to-left and combining characters",
        build(
            "\
Date: 19 Jun 2024 07:19:00 +0000
From: Žofie Nováková <žofie@example.org>
To: 田中太郎 <taro@example.com>, דוד <david@example.com>
Subject: नमस्ते दुनिया — e\u{301}te\u{301} 🌍 مرحبا
Message-ID: <headers-utf-8@example.org>
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

नमस्ते दुनिया
",
            &[],
        ),
    );
}

fn shapes(all: &mut Vec<Fixture>) {
    let image = base64(&png(12, [200, 30, 30]));
    let other = base64(&png(9, [20, 90, 200]));
    let parts = [("image", image.as_bytes()), ("other", other.as_bytes())];
    eml(
        all,
        "Shapes/related",
        "html with an inline image and one that nothing points to",
        build(
            "\
Date: Mon, 01 Jul 2024 10:00:00 +0000
From: shapes@example.org
To: reader@example.com
Subject: Inline image
Message-ID: <related@example.org>
MIME-Version: 1.0
Content-Type: multipart/related; type=\"text/html\"; boundary=\"rel\"

--rel
Content-Type: text/html; charset=utf-8

<html><body><p>See <img src=\"cid:red@example.org\" alt=\"red\"> here.</p></body></html>
--rel
Content-Type: image/png; name=\"red.png\"
Content-Transfer-Encoding: base64
Content-ID: <red@example.org>
Content-Disposition: inline; filename=\"red.png\"

{image}--rel
Content-Type: image/png; name=\"blue.png\"
Content-Transfer-Encoding: base64
Content-ID: <blue@example.org>

{other}--rel--
",
            &parts,
        ),
    );
    eml(
        all,
        "Shapes/full-house",
        "mixed( related( alternative( plain, html ), image ), text file, csv )",
        build(
            "\
Date: Tue, 02 Jul 2024 10:00:00 +0000
From: shapes@example.org
To: reader@example.com
Subject: Everything at once
Message-ID: <full-house@example.org>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=\"m\"

--m
Content-Type: multipart/related; boundary=\"r\"

--r
Content-Type: multipart/alternative; boundary=\"a\"

--a
Content-Type: text/plain; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable

A house, full: caf=E9
--a
Content-Type: text/html; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable

<html><body>A house, full: caf=E9 <img src=3D\"cid:red@example.org\"></body></html>
--a--
--r
Content-Type: image/png
Content-Transfer-Encoding: base64
Content-ID: <red@example.org>
Content-Disposition: inline; filename=\"red.png\"

{image}--r--
--m
Content-Type: text/plain; charset=utf-8; name=\"notes.txt\"
Content-Disposition: attachment; filename=\"notes.txt\"
Content-Transfer-Encoding: 8bit

notes: zwölf
--m
Content-Type: text/csv; charset=utf-8
Content-Disposition: attachment; filename=\"table.csv\"
Content-Transfer-Encoding: base64

{csv}--m--
",
            &[parts[0], ("csv", base64("a;b\r\n1;ä\r\n".as_bytes()).as_bytes())],
        ),
    );
    eml(
        all,
        "Shapes/file-names",
        "file names by RFC 2231 (charset, parts), RFC 2047, raw UTF-8, and none",
        build(
            "\
Date: Wed, 03 Jul 2024 10:00:00 +0000
From: shapes@example.org
To: reader@example.com
Subject: Five names for files
Message-ID: <file-names@example.org>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=\"names\"

--names
Content-Type: text/plain; charset=us-ascii

Five files.
--names
Content-Type: application/octet-stream
Content-Disposition: attachment; filename*=utf-8''%E8%A8%88%E7%94%BB%20%F0%9F%93%8E.bin
Content-Transfer-Encoding: base64

{one}--names
Content-Type: application/octet-stream
Content-Disposition: attachment; filename*0*=iso-8859-1'de'Stra%DFe; filename*1=\" of a very long name\";
 filename*2*=%20f%FCr%20alle.bin
Content-Transfer-Encoding: base64

{two}--names
Content-Type: application/octet-stream; name=\"=?koi8-r?B?7tXE?=.bin\"
Content-Disposition: attachment; filename=\"=?koi8-r?B?7tXE?=.bin\"
Content-Transfer-Encoding: base64

{three}--names
Content-Type: application/octet-stream
Content-Disposition: attachment; filename=\"žluťoučký.bin\"
Content-Transfer-Encoding: base64

{four}--names
Content-Type: application/octet-stream
Content-Disposition: attachment
Content-Transfer-Encoding: base64

{five}--names--
",
            &[
                ("one", base64(&noise(31, 100)).as_bytes()),
                ("two", base64(&noise(32, 101)).as_bytes()),
                ("three", base64(&noise(33, 102)).as_bytes()),
                ("four", base64(&noise(34, 103)).as_bytes()),
                ("five", base64(&noise(35, 104)).as_bytes()),
            ],
        ),
    );
    eml(
        all,
        "Shapes/forwarded",
        "a forwarded message that holds a forwarded message with a file",
        build(
            "\
Date: Thu, 04 Jul 2024 10:00:00 +0000
From: shapes@example.org
To: reader@example.com
Subject: FW: nested
Message-ID: <forwarded@example.org>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=\"f\"

--f
Content-Type: text/plain; charset=us-ascii

See below.
--f
Content-Type: message/rfc822
Content-Disposition: attachment; filename=\"nested.eml\"

Date: Wed, 03 Jul 2024 09:00:00 +0000
From: Middle <middle@example.org>
To: shapes@example.org
Subject: =?iso-8859-1?Q?Mittelst=FCck?=
Message-ID: <middle@example.org>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=\"g\"

--g
Content-Type: text/plain; charset=us-ascii

The middle.
--g
Content-Type: message/rfc822

Date: Tue, 02 Jul 2024 08:00:00 +0000
From: Inner <inner@example.org>
To: middle@example.org
Subject: Innermost
Message-ID: <inner@example.org>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=\"h\"

--h
Content-Type: text/plain; charset=us-ascii

The innermost.
--h
Content-Type: application/zip; name=\"inner.zip\"
Content-Disposition: attachment; filename=\"inner.zip\"
Content-Transfer-Encoding: base64

{zip}--h--
--g--
--f--
",
            &[("zip", base64(&noise(36, 300)).as_bytes())],
        ),
    );
    eml(
        all,
        "Shapes/signed",
        "multipart/signed: the signed part must stay as it is, byte for byte",
        build(
            "\
Date: Fri, 05 Jul 2024 10:00:00 +0000
From: shapes@example.org
To: reader@example.com
Subject: Signed
Message-ID: <signed@example.org>
MIME-Version: 1.0
Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; micalg=sha-256; boundary=\"s\"

--s
Content-Type: text/plain; charset=us-ascii

Signed   text with   odd blanks.
--s
Content-Type: application/pkcs7-signature; name=\"smime.p7s\"
Content-Disposition: attachment; filename=\"smime.p7s\"
Content-Transfer-Encoding: base64

{p7s}--s--
",
            &[("p7s", base64(&noise(37, 400)).as_bytes())],
        ),
    );
    eml(
        all,
        "Shapes/bounce",
        "a report that mail was not delivered",
        build(
            "\
Date: Sat, 06 Jul 2024 10:00:00 +0000
From: MAILER-DAEMON@example.com
To: ada@example.org
Subject: Undelivered Mail Returned to Sender
Message-ID: <bounce@example.com>
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary=\"b\"

--b
Content-Type: text/plain; charset=us-ascii

I could not deliver your message.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.example.com

Final-Recipient: rfc822; nobody@example.com
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 No such user
--b
Content-Type: text/rfc822-headers

From: Ada Lovelace <ada@example.org>
To: nobody@example.com
Subject: Anyone there?
Message-ID: <lost@example.org>
--b--
",
            &[],
        ),
    );
    eml(
        all,
        "Shapes/invitation",
        "a meeting request with a calendar part",
        build(
            "\
Date: Sun, 07 Jul 2024 10:00:00 +0000
From: organizer@example.org
To: reader@example.com
Subject: Tea at four
Message-ID: <invitation@example.org>
MIME-Version: 1.0
Content-Type: multipart/alternative; boundary=\"i\"

--i
Content-Type: text/plain; charset=utf-8

Tea at four?
--i
Content-Type: text/calendar; charset=utf-8; method=REQUEST

BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//example.org//fixture//EN
METHOD:REQUEST
BEGIN:VEVENT
UID:tea@example.org
DTSTAMP:20240707T100000Z
DTSTART:20240710T160000Z
DTEND:20240710T170000Z
SUMMARY:Tea at four
ORGANIZER:mailto:organizer@example.org
ATTENDEE;RSVP=TRUE:mailto:reader@example.com
END:VEVENT
END:VCALENDAR
--i--
",
            &[],
        ),
    );
}

fn oddities(all: &mut Vec<Fixture>) {
    let mut odd = |name: &str, about: &'static str, template: &str, parts: &[(&str, &[u8])]| {
        eml(all, &format!("Oddities/{name}"), about, build(template, parts));
    };
    odd(
        "empty-subject",
        "a subject field without a subject",
        "\
Date: Mon, 05 Aug 2024 10:00:00 +0000\nFrom: odd@example.org\nTo: reader@example.com\nSubject:\nMessage-ID: <empty-subject@example.org>\n\nNo subject.\n",
        &[],
    );
    odd(
        "no-subject",
        "no subject field, no Date, no MIME-Version",
        "\
From: odd@example.org\nTo: reader@example.com\nMessage-ID: <no-subject@example.org>\n\nNothing much.\n",
        &[],
    );
    let long = "A subject that does not end, ".repeat(40);
    let folded =
        long.as_bytes().chunks(58).map(|c| String::from_utf8_lossy(c).into_owned()).collect::<Vec<_>>().join("\r\n ");
    odd(
        "long-subject",
        "a subject of 1,160 characters over many lines",
        "\
Date: Mon, 05 Aug 2024 10:01:00 +0000\nFrom: odd@example.org\nTo: reader@example.com\nSubject: {long}\nMessage-ID: <long-subject@example.org>\n\nLong above.\n",
        &[("long", folded.as_bytes())],
    );
    odd(
        "groups",
        "recipients in groups, an empty group, and a route",
        "\
Date: Mon, 05 Aug 2024 10:02:00 +0000\nFrom: odd@example.org\nTo: Friends: Jo <jo@example.com>, \"Sam (the \\\"man\\\")\" <sam@example.com>;, alone@example.com\nCc: Undisclosed recipients:;\nSubject: Groups\nMessage-ID: <groups@example.org>\n\nTo groups.\n",
        &[],
    );
    odd(
        "undisclosed",
        "nobody is named as recipient",
        "\
Date: Mon, 05 Aug 2024 10:03:00 +0000\nFrom: odd@example.org\nTo: undisclosed-recipients:;\nSubject: Nobody in particular\nMessage-ID: <undisclosed@example.org>\n\nTo nobody.\n",
        &[],
    );
    odd(
        "eight-bit-headers",
        "headers in raw windows-1252 and a body that names no charset",
        "\
Date: Mon, 05 Aug 2024 10:04:00 +0000\nFrom: Jos\u{7f}E9 <jose@example.org>\nTo: reader@example.com\nSubject: Espa\u{7f}F1a\nMessage-ID: <eight-bit@example.org>\n\nAdi\u{7f}F3s.\n",
        &[],
    );
    odd(
        "missing-final-boundary",
        "a multipart that stops without its last boundary",
        "\
Date: Mon, 05 Aug 2024 10:05:00 +0000\nFrom: odd@example.org\nTo: reader@example.com\nSubject: Cut off\nMessage-ID: <cut@example.org>\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=cut\n\n--cut\nContent-Type: text/plain\n\nThe text is whole.\n--cut\nContent-Type: application/octet-stream; name=part.bin\nContent-Transfer-Encoding: base64\n\n{part}",
        &[("part", base64(&noise(51, 200)).as_bytes())],
    );
    let clean = base64(&noise(52, 120)).replace("\r\n", "");
    let dirty = format!("{}\r\n  {}!\r\n\r\n{}\r\n", &clean[..40], &clean[40..100], &clean[100..]);
    odd(
        "dirty-base64",
        "base64 with blanks, a stray character and lines of odd lengths",
        "\
Date: Mon, 05 Aug 2024 10:06:00 +0000\nFrom: odd@example.org\nTo: reader@example.com\nSubject: Dirty\nMessage-ID: <dirty@example.org>\nMIME-Version: 1.0\nContent-Type: application/octet-stream; name=dirty.bin\nContent-Disposition: attachment; filename=dirty.bin\nContent-Transfer-Encoding: base64\n\n{dirty}",
        &[("dirty", dirty.as_bytes())],
    );
    odd(
        "date-two-digit-year",
        "a date with a two-digit year and an obsolete zone",
        "\
Date: Tue, 6 Aug 96 10:07 EST\nFrom: odd@example.org\nTo: reader@example.com\nSubject: Old date\nMessage-ID: <old-date@example.org>\n\nFrom the last century.\n",
        &[],
    );
    odd(
        "date-wrong",
        "a date that is none, while Received has one",
        "\
Received: from a by b; Tue, 6 Aug 2024 10:08:30 +0000\nDate: yesterday, about tea time\nFrom: odd@example.org\nTo: reader@example.com\nSubject: Wrong date\nMessage-ID: <wrong-date@example.org>\n\nWhen?\n",
        &[],
    );
    odd(
        "date-far",
        "a date in the year 2199 with a zone of +1400",
        "\
Date: Thu, 31 Oct 2199 23:59:60 +1400\nFrom: odd@example.org\nTo: reader@example.com\nSubject: Far date\nMessage-ID: <far-date@example.org>\n\nLater.\n",
        &[],
    );
    odd(
        "no-body",
        "headers alone, without even the empty line",
        "\
Date: Tue, 06 Aug 2024 10:09:00 +0000\nFrom: odd@example.org\nTo: reader@example.com\nSubject: Headers alone\nMessage-ID: <no-body@example.org>\n",
        &[],
    );
    odd(
        "unknown-charset",
        "a charset that nobody knows",
        "\
Date: Tue, 06 Aug 2024 10:10:00 +0000\nFrom: odd@example.org\nTo: reader@example.com\nSubject: =?x-nobody?Q?unreadable?= but there\nMessage-ID: <unknown-charset@example.org>\nMIME-Version: 1.0\nContent-Type: text/plain; charset=x-nobody\n\nPlain letters all the same.\n",
        &[],
    );
    odd(
        "long-lines",
        "one line of 5,000 characters and one header of 3,000",
        "\
Date: Tue, 06 Aug 2024 10:11:00 +0000\nFrom: odd@example.org\nTo: reader@example.com\nSubject: Long lines\nX-Long: {header}\nMessage-ID: <long-lines@example.org>\n\n{line}\n",
        &[("header", "x".repeat(3000).as_bytes()), ("line", "0123456789".repeat(500).as_bytes())],
    );
    odd(
        "crowd",
        "a recipient list of 120 in one field",
        "\
Date: Tue, 06 Aug 2024 10:12:00 +0000\nFrom: odd@example.org\nTo: {many}\nSubject: A crowd\nMessage-ID: <crowd@example.org>\n\nHello, all.\n",
        &[(
            "many",
            (1..=120)
                .map(|n| format!("Guest {n} <guest{n}@example.com>"))
                .collect::<Vec<_>>()
                .join(",\r\n ")
                .as_bytes(),
        )],
    );
    // The template is text; raw bytes above ASCII are written as DEL and two digits.
    for f in all.iter_mut().filter(|f| f.path.contains("eight-bit")) {
        let mut out = Vec::new();
        let mut rest = f.bytes.as_slice();
        while let Some((first, tail)) = rest.split_first() {
            rest = tail;
            if *first == 0x7f {
                let digits = std::str::from_utf8(&tail[..2]).unwrap();
                out.push(u8::from_str_radix(digits, 16).unwrap());
                rest = &tail[2..];
            } else {
                out.push(*first);
            }
        }
        f.bytes = out;
    }
}

/// One short message, LF ends as mboxes and Maildirs have them.
fn short(n: u32, subject: &str, extra: &str, body: &str) -> String {
    format!(
        "{extra}Date: Sun, {:02} Sep 2024 0{}:00:00 +0000\nFrom: Friend {n} <friend{n}@example.org>\nTo: ada@example.org\nSubject: {subject}\nMessage-ID: <short.{n}@example.org>\n\n{body}",
        n % 28 + 1,
        n % 10
    )
}

fn mbox(all: &mut Vec<Fixture>) {
    let sep = |n: u32| format!("From friend{n}@example.org Sun Sep {:2} 0{}:00:00 2024\n", n % 28 + 1, n % 10);
    let mut put = |path: &str, about: &'static str, text: String| {
        all.push(Fixture { path: format!("mbox/{path}"), about, bytes: text.into_bytes() });
    };
    let status = |flags: u16| format!("X-Mozilla-Status: {flags:04x}\nX-Mozilla-Status2: 00000000\n");
    let tb = |n, subject: &str, flags, body: &str| format!("{}{}\n", sep(n), short(n, subject, &status(flags), body));
    put(
        "thunderbird/Inbox",
        "Thunderbird: unread, read, replied and flagged, forwarded, and one deleted but not compacted",
        [
            tb(1, "Unread", 0x0000, "one\n"),
            tb(2, "Read", 0x0001, "two\n"),
            tb(3, "Read, replied, flagged", 0x0007, "three\n"),
            tb(4, "Read and forwarded", 0x1001, "four\n"),
            tb(5, "Deleted", 0x0009, "five\n"),
        ]
        .concat(),
    );
    put(
        "thunderbird/Inbox.msf",
        "an index of Thunderbird's, not mail",
        "// <!-- <mdb:mork:z v=\"1.4\"/> -->\n".to_owned(),
    );
    put("thunderbird/Inbox.sbd/Projects", "a folder below Inbox", tb(6, "Project plan", 1, "six\n"));
    put(
        "thunderbird/Inbox.sbd/Projects.sbd/Analytical Engine",
        "a folder two below Inbox, with a blank in its name",
        tb(7, "Cards", 0, "seven\n"),
    );
    put("thunderbird/Sent", "the folder of sent mail", tb(8, "Sent away", 1, "eight\n"));
    put("thunderbird/Entwürfe", "a name beyond ASCII, and no messages", String::new());
    put(
        "quoted.mbox",
        "mboxrd quoting in several depths, Status and X-Status, and no empty line at the end",
        [
            format!(
                "{}{}\n",
                sep(11),
                short(
                    11,
                    "From the start",
                    "Status: RO\nX-Status: A\n",
                    ">From here on, all is quoted.\n>>From twice quoted.\nFrom\n"
                )
            ),
            format!("{}{}\n", sep(12), short(12, "Second", "Status: O\n", "Plain.\n\nAfter an empty line.\n")),
            format!(
                "{}{}",
                sep(13),
                short(13, "Last", "Status: RO\nX-Status: F\nX-Keywords: Work \"Later\"\n", "No newline at the end")
            ),
        ]
        .concat(),
    );
    put(
        "crlf.mbox",
        "CRLF line ends throughout",
        [
            format!("{}{}\n", sep(14), short(14, "One with CRLF", "", "Line.\n")),
            format!("{}{}\n", sep(15), short(15, "Two with CRLF", "", ">From a line.\n")),
        ]
        .concat()
        .replace('\n', "\r\n"),
    );
}

fn maildir(all: &mut Vec<Fixture>) {
    let mut put = |path: &str, about: &'static str, n: u32, subject: &str| {
        let text = short(n, subject, "", &format!("Message {n} of the Maildir.\n"));
        all.push(Fixture { path: format!("maildir/{path}"), about, bytes: text.into_bytes() });
    };
    put("new/1725181200.M1P1.host", "new: not seen", 21, "Just arrived");
    put("cur/1725181201.M2P1.host:2,S", "seen", 22, "Seen");
    put("cur/1725181202.M3P1.host:2,FRS", "flagged, replied, seen", 23, "Flagged and replied");
    put("cur/1725181203.M4P1.host:2,PS", "passed on", 24, "Passed on");
    put("cur/1725181204.M5P1.host:2,", "not seen, not new", 25, "Not opened");
    put(".Sent/cur/1725181205.M6P1.host:2,S", "a Maildir++ folder of sent mail", 26, "Sent from here");
    put(".Drafts/cur/1725181206.M7P1.host:2,DS", "a draft", 27, "Half written");
    put(
        ".Entw&APw-rfe.&U,BTFw-/cur/1725181207.M8P1.host:2,S",
        "nested names in modified UTF-7: Entwürfe / 台北",
        28,
        "Far away",
    );
    put(".Trash/cur/1725181208.M9P1.host:2,ST", "marked as deleted", 29, "Thrown away");
}
