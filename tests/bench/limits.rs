//! What this machine can do at most, on one core: the rates that no program that does the same work can pass.

use mail_parser::MessageParser;
use pst_core::ndb::crc::crc;
use std::fs::File;
use std::hint::black_box;
use std::io::{Read, Write};
use std::path::Path;
use std::time::Instant;

/// Bytes at a time.
const PIECE: usize = 1 << 20;
/// Bytes in all.
const TOTAL: usize = 512 << 20;
/// Bytes of mail that are parsed.
const MAIL: u64 = 64 << 20;

/// What is asked for to measure them anew.
pub const NAME: &str = "limits of the machine";
pub const PARSE: &str = "parse mail and decode its parts, by mail-parser";
pub const CRC: &str = "CRC-32";
pub const DURABLE: &str = "write a file and make it durable";

/// Name and MB/s of each limit, the best of three.
pub fn all(mbox: &Path, pst: &Path, scratch: &Path) -> std::io::Result<Vec<(String, f64)>> {
    let mut piece = vec![7; PIECE];
    let other = vec![9; 64 << 20];
    let mut copy = vec![0; 64 << 20];
    let mut out = Vec::new();
    let mut best = |name: &str, run: &mut dyn FnMut() -> std::io::Result<usize>| -> std::io::Result<()> {
        let mut rate = 0.0;
        for _ in 0..3 {
            let start = Instant::now();
            let bytes = run()?;
            rate = f64::max(rate, bytes as f64 / 1e6 / start.elapsed().as_secs_f64());
        }
        out.push((name.to_owned(), rate));
        Ok(())
    };
    best("read a file that is in memory", &mut || {
        let mut file = File::open(pst)?;
        let mut total = 0;
        while total < TOTAL {
            match file.read(&mut piece)? {
                0 => break,
                n => total += n,
            }
        }
        Ok(total)
    })?;
    best("copy memory", &mut || {
        for _ in 0..TOTAL / copy.len() {
            copy.copy_from_slice(black_box(&other));
            black_box(&mut copy);
        }
        Ok(TOTAL)
    })?;
    best(CRC, &mut || {
        for block in other.chunks(8176) {
            black_box(crc(black_box(block)));
        }
        Ok(other.len())
    })?;
    let mails = mails(mbox)?;
    best(PARSE, &mut || {
        for mail in &mails {
            let message = MessageParser::new().parse(black_box(mail));
            message.iter().flat_map(|m| m.parts().map(|p| p.decoded().len())).for_each(|n| _ = black_box(n));
        }
        Ok(mails.iter().map(Vec::len).sum())
    })?;
    let target = scratch.join("limit");
    best("write a file", &mut || {
        let mut file = File::create(&target)?;
        for _ in 0..TOTAL / PIECE {
            file.write_all(&piece)?;
        }
        Ok(TOTAL)
    })?;
    best(DURABLE, &mut || {
        let mut file = File::create(&target)?;
        for _ in 0..TOTAL / PIECE {
            file.write_all(&piece)?;
        }
        file.sync_all()?;
        Ok(TOTAL)
    })?;
    std::fs::remove_file(target)?;
    Ok(out)
}

/// The first messages of an mbox.
fn mails(mbox: &Path) -> std::io::Result<Vec<Vec<u8>>> {
    let mut bytes = Vec::new();
    File::open(mbox)?.take(MAIL).read_to_end(&mut bytes)?;
    let mut out: Vec<Vec<u8>> = Vec::new();
    for line in bytes.split_inclusive(|b| *b == b'\n') {
        match out.last_mut() {
            Some(mail) if !line.starts_with(b"From ") => mail.extend_from_slice(line),
            _ => out.push(Vec::new()),
        }
    }
    Ok(out)
}
