//! What this machine can do at most, on one core: the rates that no program that does the same work can pass.

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

/// Name and MB/s of each limit, the best of three.
pub fn all(input: &Path, scratch: &Path) -> std::io::Result<Vec<(&'static str, f64)>> {
    let mut piece = vec![7; PIECE];
    let other = vec![9; 64 << 20];
    let mut copy = vec![0; 64 << 20];
    let mut out = Vec::new();
    let mut best = |name, run: &mut dyn FnMut() -> std::io::Result<usize>| -> std::io::Result<()> {
        let mut rate = 0.0;
        for _ in 0..3 {
            let start = Instant::now();
            let bytes = run()?;
            rate = f64::max(rate, bytes as f64 / 1e6 / start.elapsed().as_secs_f64());
        }
        out.push((name, rate));
        Ok(())
    };
    best("read a file that is in memory", &mut || {
        let mut file = File::open(input)?;
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
    best("CRC-32", &mut || {
        for block in other.chunks(8176) {
            black_box(crc(black_box(block)));
        }
        Ok(other.len())
    })?;
    let target = scratch.join("limit");
    best("write a file", &mut || {
        let mut file = File::create(&target)?;
        for _ in 0..TOTAL / PIECE {
            file.write_all(&piece)?;
        }
        Ok(TOTAL)
    })?;
    best("write a file and make it durable", &mut || {
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
