//! V09 to V11, V13 and V14: blocks, references between them, data trees and subnode trees ([MS-PST] 2.2.2.8).

use super::file::File;
use super::report::{At, Findings};
use crate::ndb::crc::{crc, signature};
use crate::ndb::{Bid, BlockRef, Variant};
use rayon::prelude::*;
use std::sync::atomic::{AtomicU32, Ordering};

/// Blocks that one task judges.
const PORTION: usize = 1024;

pub(super) fn judge(file: &File, found: &mut Findings) {
    let references: Vec<AtomicU32> = file.blocks.iter().map(|_| AtomicU32::new(0)).collect();
    let refs = Refs { file, counts: &references };
    let mut nodes = found.fresh();
    for node in &file.nodes {
        let at = At::id(node.nid.0);
        let data = refs.to(node.data, at, "bidData", &mut nodes);
        let sub = refs.to(node.sub, at, "bidSub", &mut nodes);
        if data && node.data.is_internal() && refs.kind(node.data).is_some_and(|k| k != 1) {
            nodes.add(11, at, format!("bidData {} is not a data block, XBLOCK or XXBLOCK", node.data));
        }
        if sub && refs.kind(node.sub).is_none_or(|k| k != 2) {
            nodes.add(11, at, format!("bidSub {} is not an SLBLOCK or SIBLOCK", node.sub));
        }
    }
    found.merge(nodes);
    let parts: Vec<Findings> = file
        .blocks
        .par_chunks(PORTION)
        .map(|part| {
            let mut mine = found.fresh();
            let mut bytes = Vec::new();
            for block in part {
                if trailer(file, block, &mut bytes, &mut mine) && block.bid.is_internal() {
                    internal(&refs, block, &mut mine);
                }
            }
            mine
        })
        .collect();
    for part in parts {
        found.merge(part);
    }
    for (block, counted) in file.blocks.iter().zip(&references) {
        let (counted, at) = (counted.load(Ordering::Relaxed), At::both(block.ib, block.bid.0));
        if counted == 0 {
            found.lenient(11, at, format!("nothing refers to block {}", block.bid));
        } else if u32::from(block.c_ref) != counted + 1 {
            let text = format!("cRef of block {} is {}, but it has {counted} references (+ 1)", block.bid, block.c_ref);
            found.add(10, at, text);
        }
    }
}

/// V09. True if the bytes are those that the trailer vouches for.
fn trailer(file: &File, block: &BlockRef, bytes: &mut Vec<u8>, found: &mut Findings) -> bool {
    let v = file.variant();
    let at = At::both(block.ib, block.bid.0);
    let mut wrong = |text: String| {
        found.add(9, at, format!("block {}: {text}", block.bid));
        false
    };
    let cb = usize::from(block.cb);
    if cb == 0 || cb > v.block_max() {
        return wrong(format!("cb is {cb}, which is not 1 to {}", v.block_max()));
    }
    if !block.ib.is_multiple_of(v.block_align()) {
        return wrong(format!("it stands at 0x{:X}, not at a multiple of {}", block.ib, v.block_align()));
    }
    let mut ok = block.bid.0 & 1 == 0 || wrong("bit 0 of its id is set".to_owned());
    let size = v.block_size(cb) as usize;
    bytes.resize(size, 0);
    if let Err(e) = file.ndb.input().read_into(block.ib, bytes) {
        return wrong(format!("it cannot be read: {}", e.text()));
    }
    let Some(t) = bytes.get(size - v.block_trailer()..).and_then(|t| v.block_trailer_of(t)) else { return false };
    let sum = crc(bytes.get(..cb).unwrap_or_default());
    for (field, stored, right) in [
        ("cb", u64::from(t.cb), u64::from(block.cb)),
        ("bid", t.bid & !1, block.bid.key()),
        ("dwCRC", t.crc.into(), sum.into()),
        ("wSig", t.sig.into(), signature(block.ib, t.bid).into()),
    ] {
        if stored != right {
            ok = wrong(format!("{field} of its trailer is 0x{stored:X}, not 0x{right:X}"));
        }
    }
    ok
}

/// Counts references.
struct Refs<'a> {
    file: &'a File,
    counts: &'a [AtomicU32],
}

impl Refs<'_> {
    /// Counts a reference; false and V11 where it leads nowhere.
    fn to(&self, bid: Bid, at: At, field: &str, found: &mut Findings) -> bool {
        if bid.is_none() {
            return false;
        }
        match self.file.find(bid).and_then(|i| self.counts.get(i)) {
            Some(count) => {
                count.fetch_add(1, Ordering::Relaxed);
                true
            }
            None => {
                found.add(11, at, format!("{field} refers to block {bid}, which does not exist"));
                false
            }
        }
    }

    /// btype of an internal block.
    fn kind(&self, bid: Bid) -> Option<u8> {
        let block = self.file.block(bid).filter(|b| b.bid.is_internal())?;
        self.file.read(block)?.first().copied()
    }
}

/// Judges an internal block whose bytes are sound.
fn internal(refs: &Refs<'_>, block: &BlockRef, found: &mut Findings) {
    let Some(bytes) = refs.file.read(block) else { return };
    let at = At::both(block.ib, block.bid.0);
    match bytes.first() {
        Some(1) => x_block(refs, block, &bytes, found),
        Some(2) => sub_block(refs, block, &bytes, found),
        kind => found.add(13, at, format!("internal block {} has btype {kind:?}, not 1 or 2", block.bid)),
    }
}

/// V13: an XBLOCK or XXBLOCK.
fn x_block(refs: &Refs<'_>, block: &BlockRef, bytes: &[u8], found: &mut Findings) {
    let (v, at) = (refs.file.variant(), At::both(block.ib, block.bid.0));
    let [_, level, e0, e1, t0, t1, t2, t3, ..] = *bytes else {
        return found.add(13, at, format!("XBLOCK {} has only {} bytes", block.bid, bytes.len()));
    };
    let (count, total) = (usize::from(u16::from_le_bytes([e0, e1])), u32::from_le_bytes([t0, t1, t2, t3]));
    let name = if level == 1 { "XBLOCK" } else { "XXBLOCK" };
    let mut wrong = |text: String| found.add(13, at, format!("{name} {}: {text}", block.bid));
    if !matches!(level, 1 | 2) {
        return wrong(format!("cLevel is {level}, not 1 or 2"));
    }
    let most = (v.block_max() - 8) / v.bid();
    let Some(entries) = bytes.get(8..8 + count * v.bid()).filter(|_| (1..=most).contains(&count)) else {
        return wrong(format!("cEnt is {count}, which does not fit {} bytes", bytes.len()));
    };
    let mut sum = 0u64;
    let mut marked = 0;
    for (i, entry) in entries.chunks_exact(v.bid()).enumerate() {
        let Some(bid) = v.x_bid(entry) else { continue };
        marked += u32::from(bid.0 & 1 != 0);
        if !refs.to(bid, at, name, found) {
            continue;
        }
        let last = i + 1 == count;
        let mut wrong = |text: String| found.add(13, at, format!("{name} {}: entry {i}, {bid}, {text}", block.bid));
        if bid.is_internal() == (level == 1) {
            wrong(if level == 1 { "is not a data block" } else { "is not an XBLOCK" }.to_owned());
            continue;
        }
        let Some(child) = refs.file.block(bid) else { continue };
        if level == 1 {
            let size = usize::from(child.inflated);
            sum += size as u64;
            if !last && size != v.block_max() {
                wrong(format!("has {size} bytes; only the last block may have less than {}", v.block_max()));
            }
            continue;
        }
        let Some(inner) = refs.file.read(child) else { return };
        let [1, 1, e0, e1, t0, t1, t2, t3, ..] = *inner.as_slice() else {
            wrong("is not an XBLOCK".to_owned());
            continue;
        };
        let (n, size) = (u16::from_le_bytes([e0, e1]), u32::from_le_bytes([t0, t1, t2, t3]));
        sum += u64::from(size);
        if !last && u64::from(size) != u64::from(n) * v.block_max() as u64 {
            wrong(format!("has {size} bytes in {n} blocks; only the last block may have less than {}", v.block_max()));
        }
    }
    if sum != u64::from(total) {
        found.add(13, at, format!("{name} {}: lcbTotal is {total}, but its blocks have {sum} bytes", block.bid));
    }
    if marked > 0 {
        found.lenient(13, at, format!("{name} {}: bit 0 is set in {marked} of its {count} entries", block.bid));
    }
}

/// V14: an SLBLOCK or SIBLOCK.
fn sub_block(refs: &Refs<'_>, block: &BlockRef, bytes: &[u8], found: &mut Findings) {
    let (v, at) = (refs.file.variant(), At::both(block.ib, block.bid.0));
    let [_, level, e0, e1, ..] = *bytes else {
        return found.add(14, at, format!("SLBLOCK {} has only {} bytes", block.bid, bytes.len()));
    };
    let count = usize::from(u16::from_le_bytes([e0, e1]));
    let name = if level == 0 { "SLBLOCK" } else { "SIBLOCK" };
    let width = if level == 0 { v.sl_entry() } else { v.si_entry() };
    let mut wrong = |text: String| found.add(14, at, format!("{name} {}: {text}", block.bid));
    if level > 1 {
        return wrong(format!("cLevel is {level}, not 0 or 1"));
    }
    let Some(entries) = bytes.get(v.sub_head()..v.sub_head() + count * width).filter(|_| count > 0) else {
        return wrong(format!("cEnt is {count}, which does not fit {} bytes", bytes.len()));
    };
    let mut before = None;
    let mut garbage = 0;
    for entry in entries.chunks_exact(width) {
        if v != Variant::Ansi && entry.get(4..8).is_some_and(|upper| upper != [0; 4]) {
            garbage += 1;
        }
        let nid = if level == 0 {
            let Some(node) = v.sl(entry) else { continue };
            refs.to(node.data, at, "bidData of a subnode", found);
            if refs.to(node.sub, at, "bidSub of a subnode", found) && refs.kind(node.sub).is_none_or(|k| k != 2) {
                found.add(11, at, format!("bidSub {} of subnode {} is not an SLBLOCK or SIBLOCK", node.sub, node.nid));
            }
            node.nid
        } else {
            let Some((nid, list)) = v.si(entry) else { continue };
            if refs.to(list, at, name, found)
                && let Some(inner) = refs.file.block(list).and_then(|b| refs.file.read(b))
            {
                let first = inner.get(v.sub_head()..).and_then(|e| v.sl(e)).map(|n| n.nid);
                if !matches!(inner.as_slice(), [2, 0, ..]) {
                    found.add(14, at, format!("{name} {}: entry {list} is not an SLBLOCK", block.bid));
                } else if first != Some(nid) {
                    let text = format!("{name} {}: the entry for {list} names {nid}, not its first subnode", block.bid);
                    found.add(14, at, text);
                }
            }
            nid
        };
        if before.is_some_and(|b| b >= nid) {
            found.add(14, at, format!("{name} {}: subnode {nid} does not ascend", block.bid));
        }
        before = Some(nid);
    }
    if garbage > 0 {
        found.lenient(14, at, format!("{name} {}: the upper half of {garbage} NIDs is not 0", block.bid));
    }
}
