//! V03, V04, V07, V08 and V09: map pages, B-tree pages and block trailers of 512-byte page files ([MS-PST] 2.2.2.7).

use super::Report;
use crate::io::Input;
use crate::ndb::crc::{crc, signature};
use crate::ndb::disk::{AMAP_SPAN, FIRST_AMAP, FIRST_PMAP, ptype};
use std::collections::HashSet;

const MAX_LEVEL: u64 = 8;

struct Walk<'a> {
    input: &'a Input,
    wide: bool,
    blocks: Vec<(u64, u64, u64)>,
}

pub(super) fn judge(report: &mut Report, input: &Input, wide: bool, eof: u64, nbt: (u64, u64), bbt: (u64, u64)) {
    report.judged.extend(["V03", "V04", "V07", "V08", "V09"]);
    let mut walk = Walk { input, wide, blocks: Vec::new() };
    let end = eof.min(input.len());
    for ib in (FIRST_AMAP..end).step_by(AMAP_SPAN as usize) {
        walk.page(report, "V03", ib, ib, ptype::AMAP);
    }
    for ib in (FIRST_PMAP..end).step_by(8 * AMAP_SPAN as usize) {
        walk.page(report, "V04", ib, ib, ptype::PMAP);
    }
    walk.tree(report, ptype::NBT, nbt);
    walk.tree(report, ptype::BBT, bbt);
    for (bid, ib, cb) in std::mem::take(&mut walk.blocks) {
        walk.block(report, bid, ib, cb);
    }
}

fn number(bytes: &[u8], at: usize, width: usize) -> u64 {
    let part = bytes.get(at..at + width).unwrap_or_default();
    part.iter().rev().fold(0, |n, b| n << 8 | u64::from(*b))
}

impl Walk<'_> {
    /// Bytes of the page at `ib`, its trailer judged under `rule`.
    fn page(&self, report: &mut Report, rule: &'static str, ib: u64, bid: u64, kind: u8) -> Option<Vec<u8>> {
        let mut page = vec![0; 512];
        if let Err(e) = self.input.read_into(ib, &mut page) {
            report.add(rule, Some(ib), Some(bid), e.to_string());
            return None;
        }
        let body = if self.wide { 496 } else { 500 };
        let (crc_at, bid_at, width) = if self.wide { (500, 504, 8) } else { (508, 504, 4) };
        let map = matches!(kind, ptype::AMAP | ptype::PMAP);
        let sig = if map { 0 } else { signature(ib, bid) };
        let expected = [
            ("ptype", number(&page, body, 1), kind.into()),
            ("ptypeRepeat", number(&page, body + 1, 1), kind.into()),
            ("wSig", number(&page, body + 2, 2), sig.into()),
            ("dwCRC", number(&page, crc_at, 4), crc(page.get(..body).unwrap_or_default()).into()),
            ("bid", number(&page, bid_at, width), bid),
        ];
        for (name, found, right) in expected {
            if found != right {
                report.add(rule, Some(ib), Some(bid), format!("{name} is 0x{found:X}, not 0x{right:X}"));
            }
        }
        Some(page)
    }

    fn tree(&mut self, report: &mut Report, kind: u8, root: (u64, u64)) {
        let mut seen = HashSet::new();
        let mut open = vec![(root, None, None)];
        let mut last_key = None;
        while let Some(((bid, ib), level, first)) = open.pop() {
            if !seen.insert(ib) {
                report.add("V08", Some(ib), Some(bid), "a page is reached twice");
                continue;
            }
            let Some(page) = self.page(report, "V07", ib, bid, kind) else { continue };
            let n = if self.wide { 8 } else { 4 };
            let tail = if self.wide { 488 } else { 496 };
            let [count, most, size, depth] = [0, 1, 2, 3].map(|i| number(&page, tail + i, 1));
            let entry = match (depth, kind) {
                (0, ptype::NBT) => 4 * n,
                _ => 3 * n,
            };
            let mut wrong = |text: String| report.add("V08", Some(ib), Some(bid), text);
            if level.is_some_and(|l| l != depth) || depth >= MAX_LEVEL {
                wrong(format!("cLevel is {depth}, the parent demands {level:?}"));
                continue;
            }
            if size != entry as u64 {
                wrong(format!("cbEnt is {size}, not {entry}"));
                continue;
            }
            if most != (tail / entry) as u64 {
                wrong(format!("cEntMax is {most}, not {}", tail / entry));
            }
            if count > (tail / entry) as u64 || (count == 0 && level.is_some()) {
                wrong(format!("cEnt is {count} of at most {}", tail / entry));
                continue;
            }
            if first.is_some_and(|key| key != number(&page, 0, n)) {
                wrong("the parent's key is not the first key".to_owned());
            }
            let mut children = Vec::new();
            let mut previous = None;
            for at in (0..count as usize).map(|i| i * entry) {
                let [a, b, c] = [0, 1, 2].map(|i| number(&page, at + i * n, n));
                let before = if depth == 0 { &mut last_key } else { &mut previous };
                if before.is_some_and(|k| k >= a) {
                    wrong(format!("key 0x{a:X} does not ascend"));
                }
                *before = Some(a);
                if depth > 0 {
                    children.push(((b, c), Some(depth - 1), Some(a)));
                } else if kind == ptype::BBT {
                    self.blocks.push((a, b, number(&page, at + 2 * n, 2)));
                }
            }
            open.extend(children.into_iter().rev());
        }
    }

    fn block(&self, report: &mut Report, bid: u64, ib: u64, cb: u64) {
        let trailer = if self.wide { 16 } else { 12 };
        let full = (cb + trailer).next_multiple_of(64);
        if full > 8192 || cb == 0 || !ib.is_multiple_of(64) || bid & 1 != 0 {
            report.add("V09", Some(ib), Some(bid), format!("cb {cb} or place is not allowed, or bit 0 is set"));
            return;
        }
        let mut bytes = vec![0; full as usize];
        if let Err(e) = self.input.read_into(ib, &mut bytes) {
            report.add("V09", Some(ib), Some(bid), e.to_string());
            return;
        }
        let at = (full - trailer) as usize;
        let (crc_at, bid_at, width) = if self.wide { (4, 8, 8) } else { (8, 4, 4) };
        let expected = [
            ("cb", number(&bytes, at, 2), cb),
            ("wSig", number(&bytes, at + 2, 2), signature(ib, bid).into()),
            ("dwCRC", number(&bytes, at + crc_at, 4), crc(bytes.get(..cb as usize).unwrap_or_default()).into()),
            ("bid", number(&bytes, at + bid_at, width), bid),
        ];
        for (name, found, right) in expected {
            if found != right {
                report.add("V09", Some(ib), Some(bid), format!("{name} is 0x{found:X}, not 0x{right:X}"));
            }
        }
    }
}
