//! Mail of many parts.

use super::encodings::base64;
use super::{Fixture, build, eml, noise};

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

pub fn shapes(all: &mut Vec<Fixture>) {
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
