//! A seeded mailbox for servers: many small messages, a tail of large ones, folders with names in several scripts.

use crate::seeded::Seeded;

/// Folders, some nested, in several scripts.
pub const FOLDERS: [&str; 15] = [
    "INBOX",
    "Sent",
    "Drafts",
    "Trash",
    "Junk",
    "Archive",
    "Archive/2023",
    "Archive/2024",
    "Проекты",
    "Проекты/Отчёты",
    "会議メモ",
    "أرشيف",
    "Fun 😀",
    "R&D – alt",
    "Two words",
];

/// A message of a mailbox.
pub struct Made {
    pub folder: &'static str,
    pub bytes: Vec<u8>,
    pub flags: &'static str,
    pub keywords: &'static [&'static str],
    pub date: u64,
}

/// `count` messages, `heavy` of them with 1 to 5 MB: half below 8 KB.
pub fn mailbox(count: u64, heavy: u64) -> impl Iterator<Item = Made> {
    let mut random = Seeded(count);
    (0..count).map(move |n| {
        let size = match random.below(100) {
            _ if n % (count / heavy.max(1)).max(1) == 7 && heavy > 0 => 1_000_000 + random.below(4_000_000),
            0..=59 => 1_000 + random.below(8_000),
            60..=93 => 8_000 + random.below(30_000),
            _ => 30_000 + random.below(60_000),
        };
        let flags = ["", "S", "RS", "FS", "S", "PS", "DS", "S"][random.below(8) as usize];
        let keywords: &[&str] = [&[][..], &[], &["Work"], &["Work", "$Later"]][random.below(4) as usize];
        Made {
            folder: FOLDERS[random.below(15) as usize],
            bytes: message(n, size, &mut random),
            flags,
            keywords,
            date: 1_500_000_000 + random.below(200_000_000),
        }
    })
}

fn message(n: u64, size: u64, random: &mut Seeded) -> Vec<u8> {
    let mut out = format!(
        "From: Sender {n} <sender{n}@example.com>\r\nTo: alice@example.org\r\nSubject: =?utf-8?Q?Nachricht_{n}_=C3=BC?=\r\n\
         Message-ID: <{n}.{size}@example.com>\r\nDate: Mon, 6 Jul 2020 10:{:02}:00 +0200\r\nMIME-Version: 1.0\r\n",
        n % 60
    )
    .into_bytes();
    let attached = size > 100_000;
    if attached {
        out.extend(b"Content-Type: application/octet-stream; name=a.bin\r\nContent-Transfer-Encoding: base64\r\n\r\n");
    } else {
        out.extend(b"Content-Type: text/plain; charset=utf-8\r\n\r\n");
    }
    while (out.len() as u64) < size {
        let line: String = (0..9).map(|_| format!("{:08X}", random.next() as u32)).collect();
        out.extend(line.as_bytes());
        out.extend(b"\r\n");
    }
    out
}
