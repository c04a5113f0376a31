//! The mail of ordinary folders, and a folder of languages.

use super::encodings::{base64, quoted_printable};
use super::{Fixture, build, eml, noise};
use crate::charsets as text;

pub fn inbox(all: &mut Vec<Fixture>) {
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

pub fn sent_and_drafts(all: &mut Vec<Fixture>) {
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

pub fn languages(all: &mut Vec<Fixture>) {
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
