//! Makes the messages of a seeded mailbox, one after the other.

use super::encodings::{base64, quoted_printable};
use super::seeded::Seeded;
use super::texts::{self, Text};
use std::fmt::Write as _;

/// Characters of base64 that attachments are cut from.
const POOL: usize = 8 << 20;

/// A source of messages.
pub struct Maker {
    random: Seeded,
    texts: Vec<Text>,
    pool: Vec<u8>,
    /// The message that was made last, with its separator.
    pub out: Vec<u8>,
    marks: u64,
}

impl Maker {
    pub fn new() -> Self {
        let mut random = Seeded(20_240_131);
        let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let pool = (0..POOL).map(|_| digits[random.below(64) as usize]).collect();
        Self { texts: texts::all(&mut random), random, pool, out: Vec::new(), marks: 0 }
    }

    fn below(&mut self, n: u64) -> u64 {
        self.random.below(n)
    }

    fn line(&mut self, text: impl AsRef<[u8]>) {
        self.out.extend_from_slice(text.as_ref());
        self.out.push(b'\n');
    }

    /// A number with a long tail: `least` times up to two to the power of `doublings`.
    fn tail(&mut self, least: u64, doublings: u64) -> u64 {
        let mut n = least + self.below(least);
        for _ in 0..doublings {
            if self.below(100) < 45 {
                break;
            }
            n *= 2;
        }
        n
    }

    /// Makes one message into `out`.
    pub fn message(&mut self, small: bool, number: u64) {
        let language = self.begin(number);
        let kind = self.below(100);
        if kind < 1 && !small {
            self.forwarded(number, language);
        } else if kind < 25 && !small {
            self.with_attachments(language);
        } else if kind < 31 && !small {
            self.with_pictures(language);
        } else {
            self.bodies(language, kind < 75);
        }
        self.line("");
    }

    /// Makes one message of a few lines of plain text into `out`.
    pub fn note(&mut self, number: u64) {
        let language = self.begin(number);
        self.text(language, 1, false);
        self.line("");
    }

    /// Separator and header; tells the language.
    fn begin(&mut self, number: u64) -> usize {
        self.out.clear();
        let when = jiff::Timestamp::from_second(1_200_000_000 + (number * 7919 % 500_000_000) as i64).unwrap();
        self.line(format!("From sender{}@example.org {}", number % 97, when.strftime("%a %b %e %H:%M:%S %Y")));
        let language = self.below(self.texts.len() as u64 * 3) as usize;
        // Two of three are in one of the first four languages.
        let language = if language < self.texts.len() { language } else { language % 4 };
        self.header(number, language, when);
        language
    }

    fn header(&mut self, number: u64, language: usize, when: jiff::Timestamp) {
        let date = when.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string();
        for hop in 0..2 + self.below(4) {
            let id = self.below(u64::MAX);
            self.line(format!(
                "Received: from mx{hop}.example.net (mx{hop}.example.net [192.0.2.{}])\n\tby mail.example.org \
                 (Postfix) with ESMTPS id {id:016X}\n\tfor <someone{}@example.org>; {date}",
                hop + 1,
                number % 50
            ));
        }
        if self.below(3) > 0 {
            let at = self.below(POOL as u64 - 1000) as usize;
            let digits = String::from_utf8(self.pool[at..at + 344].to_vec()).unwrap();
            let folded: Vec<String> =
                digits.as_bytes().chunks(70).map(|c| format!("\t {}", String::from_utf8_lossy(c))).collect();
            self.line(format!(
                "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.net;\n\ts=k1; h=from:to:subject:date:\
                 message-id;\n\tb=\n{}",
                folded.join("\n")
            ));
        }
        let names = self.texts[language].names.clone();
        let person = |n: u64| {
            let name = &names[n as usize % names.len()];
            format!("{name} <person{}@example.{}>", n % 5000, ["org", "net", "com"][n as usize % 3])
        };
        let from = person(number * 31);
        self.line(format!("From: {from}"));
        let to = self.tail(1, 5);
        let rows: Vec<String> = (0..to).map(|i| person(number * 7 + i * 13)).collect();
        self.line(format!("To: {}", rows.join(",\n ")));
        if self.below(3) == 0 {
            let rows: Vec<String> = (0..1 + to / 2).map(|i| person(number * 3 + i * 17)).collect();
            self.line(format!("Cc: {}", rows.join(",\n ")));
        }
        let reply = self.below(3) == 0;
        let at = self.below(self.texts[language].subjects.len() as u64) as usize;
        let subject = self.texts[language].subjects[at].clone();
        self.line(format!("Subject: {}{subject}", if reply { "Re: " } else { "" }));
        self.line(format!("Date: {date}\nMessage-ID: <{number}.{:x}@example.net>", number * 0x9E37_79B9));
        if reply {
            let earlier: Vec<String> =
                (1..=1 + number % 6).map(|i| format!("<{}.x{i}@example.net>", number / 2 + i)).collect();
            self.line(format!("In-Reply-To: {}\nReferences: {}", earlier[0], earlier.join("\n ")));
        }
        self.line("User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:115.0) Gecko/20100101 Thunderbird/115.6.0");
        self.line("X-Spam-Status: No, score=-1.9 required=5.0 tests=BAYES_00,DKIM_SIGNED,DKIM_VALID,SPF_PASS");
        let state = ["RO", "O", "RO", "RO"][number as usize % 4];
        self.line(format!("X-Mozilla-Status: 0001\nStatus: {state}\nMIME-Version: 1.0"));
    }

    fn boundary(&mut self) -> String {
        self.marks += 1;
        format!("------------{:024x}", self.marks.wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }

    /// Plain text, or plain text and HTML.
    fn bodies(&mut self, language: usize, html: bool) {
        let count = self.tail(3, 5) as usize;
        if !html {
            return self.text(language, count, false);
        }
        let boundary = self.boundary();
        self.line(format!("Content-Type: multipart/alternative;\n boundary=\"{boundary}\"\n"));
        self.line(format!("--{boundary}"));
        self.text(language, count, false);
        self.line(format!("\n--{boundary}"));
        self.text(language, count, true);
        self.line(format!("\n--{boundary}--"));
    }

    fn text(&mut self, language: usize, count: usize, html: bool) {
        let text = &self.texts[language];
        let kind = if html { "html" } else { "plain" };
        let head = format!(
            "Content-Type: text/{kind}; charset={}\nContent-Transfer-Encoding: {}\n\n",
            text.charset, text.transfer
        );
        self.out.extend_from_slice(head.as_bytes());
        let pieces = if html { &text.html } else { &text.plain };
        let start = self.random.next() as usize;
        if html {
            self.out.extend_from_slice(&text.html_head);
        }
        for i in 0..count {
            self.out.extend_from_slice(&pieces[(start + i) % pieces.len()]);
        }
        if html {
            self.out.extend_from_slice(&text.html_tail);
        }
    }

    fn with_attachments(&mut self, language: usize) {
        let boundary = self.boundary();
        self.line(format!("Content-Type: multipart/mixed; boundary=\"{boundary}\"\n\nThis is a multi-part message."));
        self.line(format!("--{boundary}"));
        self.bodies(language, true);
        for i in 0..1 + self.below(5) / 3 {
            let (kind, ending) = [
                ("application/pdf", "pdf"),
                ("image/jpeg", "jpg"),
                ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx"),
                ("application/zip", "zip"),
                ("text/csv", "csv"),
            ][self.below(5) as usize];
            self.line(format!(
                "\n--{boundary}\nContent-Type: {kind};\n name=\"report {i} of {}.{ending}\"\n\
                 Content-Transfer-Encoding: base64\nContent-Disposition: attachment;\n filename=\"report {i}.{ending}\"\n",
                self.marks
            ));
            let size = self.tail(6_000, 10);
            self.data(size);
        }
        self.line(format!("\n--{boundary}--"));
    }

    fn with_pictures(&mut self, language: usize) {
        let boundary = self.boundary();
        self.line(format!("Content-Type: multipart/related; boundary=\"{boundary}\"\n\n--{boundary}"));
        let text = &self.texts[language];
        let head = format!(
            "Content-Type: text/html; charset={}\nContent-Transfer-Encoding: {}\n\n",
            text.charset, text.transfer
        );
        let body = [&text.html_head[..], &text.html[0], &text.picture, &text.html_tail].concat();
        self.line(head);
        self.line(body);
        self.line(format!(
            "--{boundary}\nContent-Type: image/png; name=\"logo.png\"\nContent-Transfer-Encoding: base64\n\
             Content-ID: <part1.logo@example.org>\nContent-Disposition: inline; filename=\"logo.png\"\n"
        ));
        let size = self.tail(2_000, 4);
        self.data(size);
        self.line(format!("\n--{boundary}--"));
    }

    fn forwarded(&mut self, number: u64, language: usize) {
        let boundary = self.boundary();
        self.line(format!("Content-Type: multipart/mixed; boundary=\"{boundary}\"\n\n--{boundary}"));
        self.bodies(language, false);
        self.line(format!(
            "\n--{boundary}\nContent-Type: message/rfc822; charset=UTF-8; name=\"forwarded.eml\"\n\
             Content-Disposition: attachment; filename=\"forwarded.eml\"\n"
        ));
        self.header(number + 1_000_000_000, language, jiff::Timestamp::from_second(1_300_000_000).unwrap());
        self.with_attachments(language);
        self.line(format!("\n--{boundary}--"));
    }

    /// `size` bytes of data without a pattern, in base64.
    fn data(&mut self, size: u64) {
        let mut left = (size as usize / 3 * 4).next_multiple_of(4);
        let mut at = self.below((POOL - (1 << 20)) as u64) as usize;
        while left > 0 {
            let take = left.min(76);
            if at + take > POOL {
                at = 0;
            }
            self.out.extend_from_slice(&self.pool[at..at + take]);
            self.out.push(b'\n');
            at += take;
            left -= take;
        }
    }
}

/// Text in a transfer encoding, with LF as line end.
pub fn encoded(text: &[u8], transfer: &str) -> Vec<u8> {
    let wire = match transfer {
        // Pieces without padding can be joined.
        "base64" => base64(&[text, &b"  "[..(3 - text.len() % 3) % 3]].concat()),
        "quoted-printable" => quoted_printable(text),
        _ => return text.iter().copied().filter(|b| *b != b'\r').collect(),
    };
    wire.replace('\r', "").into_bytes()
}

/// A header text in encoded words.
pub fn word(charset: &str, bytes: &[u8]) -> String {
    let mut out = String::new();
    for piece in bytes.chunks(36) {
        if !out.is_empty() {
            out.push_str("\n ");
        }
        let _ = write!(out, "=?{charset}?B?{}?=", base64(piece).trim_end());
    }
    out
}
