//! A seeded mailbox of any size, written as it is made: for each month a tree of mboxes, as Thunderbird lays them out. In
//! a mailbox that has grown, the messages of its folders do not stand one folder after the other.
//!
//! Half of the messages have less than 8 KB, a tail has attachments of up to some megabytes; about a hundred folders,
//! one of them with many small items; plain text, HTML, inline pictures, messages in messages, many languages.

use super::encodings::{base64, quoted_printable};
use super::seeded::Seeded;
use super::texts::{self, Text};
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// What was made.
#[derive(Debug, Clone, Copy, Default)]
pub struct Made {
    /// Messages, embedded ones left out.
    pub messages: u64,
    /// Folders that hold messages.
    pub folders: u64,
    /// Bytes of all mboxes.
    pub bytes: u64,
    /// The message that half of all are smaller than, bytes.
    pub median: u64,
}

/// Items of the one large folder in a mailbox of 20 GB.
const MANY: u64 = 200_000;
/// Characters of base64 that attachments are cut from.
const POOL: usize = 8 << 20;

/// Months over which a mailbox grows.
const MONTHS: u64 = 24;

/// The tree of each month that has mail.
pub fn months(top: &Path) -> Vec<PathBuf> {
    (0..MONTHS).map(|n| month(top, n)).filter(|p| p.is_dir()).collect()
}

fn month(top: &Path, n: u64) -> PathBuf {
    top.join(format!("{n:02}"))
}

/// Makes a mailbox of about `size` bytes under `top`.
pub fn make(top: &Path, size: u64) -> io::Result<Made> {
    let mut maker = Maker::new();
    let mut made = Made::default();
    let mut sizes = Vec::new();
    let folders = folders();
    let many = (MANY * size / 20_000_000_000).max(100);
    for (i, name) in folders.iter().enumerate() {
        let mut open: Option<(u64, BufWriter<File>)> = None;
        let (mut here, mut count) = (0, 0);
        let share = (size - made.bytes.min(size)) / (folders.len() - i) as u64;
        while if i == 0 { count < many } else { here < share } {
            let now = if i == 0 { count * MONTHS / many } else { here * MONTHS / share.max(1) };
            if open.as_ref().is_none_or(|(month, _)| *month != now) {
                let path = file_of(&month(top, now), name);
                fs::create_dir_all(path.parent().unwrap())?;
                open = Some((now, BufWriter::with_capacity(256 << 10, File::create(path)?)));
            }
            maker.message(i == 0, made.messages + count);
            if let Some((_, out)) = &mut open {
                out.write_all(&maker.out)?;
            }
            here += maker.out.len() as u64;
            count += 1;
            // Every 64th size is enough to tell the median.
            if count % 64 == 0 {
                sizes.push(maker.out.len() as u64);
            }
        }
        made.messages += count;
        made.bytes += here;
        made.folders += 1;
    }
    sizes.sort_unstable();
    made.median = sizes.get(sizes.len() / 2).copied().unwrap_or_default();
    Ok(made)
}

/// A hundred folders, up to four levels deep; the first one gets the many items.
fn folders() -> Vec<Vec<String>> {
    let path = |text: &str| text.split('/').map(str::to_owned).collect::<Vec<_>>();
    let mut out = vec![path("Inbox"), path("Sent"), path("Drafts"), path("Trash"), path("Inbox/Lists")];
    for year in 2008..2024 {
        for part in ["Customers", "Projects", "Private", "Орг", "会議"] {
            out.push(path(&format!("Archive/{year}/{part}")));
        }
    }
    for team in 1..=15 {
        out.push(path(&format!("Inbox/Teams/Größe {}/{team}", team % 3)));
    }
    out
}

fn file_of(top: &Path, names: &[String]) -> PathBuf {
    let (last, parents) = names.split_last().unwrap();
    parents.iter().fold(top.to_path_buf(), |at, name| at.join(format!("{name}.sbd"))).join(last)
}

struct Maker {
    random: Seeded,
    texts: Vec<Text>,
    pool: Vec<u8>,
    /// The message that was made last, with its separator.
    out: Vec<u8>,
    marks: u64,
}

impl Maker {
    fn new() -> Self {
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
    fn message(&mut self, small: bool, number: u64) {
        self.out.clear();
        let when = jiff::Timestamp::from_second(1_200_000_000 + (number * 7919 % 500_000_000) as i64).unwrap();
        self.line(format!("From sender{}@example.org {}", number % 97, when.strftime("%a %b %e %H:%M:%S %Y")));
        let language = self.below(self.texts.len() as u64 * 3) as usize;
        // Two of three are in one of the first four languages.
        let language = if language < self.texts.len() { language } else { language % 4 };
        self.header(number, language, when);
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
