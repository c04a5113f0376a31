//! V01 and V02: the header and the size of the file ([MS-PST] 2.2.2.5, 2.2.2.6).

use super::Report;
use crate::error::{Error, Kind, Result};
use crate::io::Input;
use crate::ndb::crc::crc;
use crate::ndb::disk::{
    AMAP_SPAN, BrefW, FIRST_AMAP, HeaderA, HeaderW, MAGIC, MAGIC_CLIENT_OST, MAGIC_CLIENT_PST, SENTINEL,
};
use zerocopy::FromBytes;

pub(super) fn judge(input: &Input) -> Result<Report> {
    let mut buf = Vec::new();
    let bytes = input.read(0, 564, &mut buf)?;
    if !bytes.starts_with(&MAGIC) {
        return Err(Error::new(Kind::NotThisKind, "this is not a Personal Folders file").in_file(input.path()));
    }
    let short = || Error::new(Kind::Truncated, "the header is cut off").in_file(input.path());
    let (wide, _) = HeaderW::read_from_prefix(bytes).map_err(|_| short())?;
    let ansi = match wide.ver.get() {
        14 | 15 => Some(HeaderA::read_from_prefix(bytes).map_err(|_| short())?.0),
        _ => None,
    };
    let variant = match wide.ver.get() {
        14 | 15 => "ANSI",
        21 | 23 => "Unicode",
        36 | 37 => "4K",
        v => return Err(Error::new(Kind::Unsupported, format!("unknown version {v}")).in_file(input.path())),
    };
    let mut report = Report {
        file: input.path().to_path_buf(),
        variant,
        genuine: ansi.is_some() || wide.rgb_reserved2 != [0; 3] || wide.b_reserved != 0,
        findings: Vec::new(),
        counts: Vec::new(),
        judged: vec!["V01"],
    };
    sums(&mut report, bytes, &wide);
    let (sentinel, at) = ansi.map_or((wide.sentinel, 0x200), |a| (a.sentinel, 0x1CC));
    if sentinel != SENTINEL {
        report.add("V01", Some(at), None, format!("bSentinel is 0x{sentinel:X}"));
    }
    if variant != "4K" {
        report.judged.push("V02");
        let (eof, last) = ansi.map_or((wide.root.ib_file_eof.get(), wide.root.ib_amap_last.get()), |a| {
            (a.root.ib_file_eof.get().into(), a.root.ib_amap_last.get().into())
        });
        size(&mut report, input.len(), eof, last);
        let (nbt, bbt) = ansi.map_or((pair(wide.root.bref_nbt), pair(wide.root.bref_bbt)), |a| {
            let [n, b] = [a.root.bref_nbt, a.root.bref_bbt].map(|r| (r.bid.get().into(), r.ib.get().into()));
            (n, b)
        });
        super::pages::judge(&mut report, input, ansi.is_none(), eof, nbt, bbt);
    }
    Ok(report)
}

fn pair(bref: BrefW) -> (u64, u64) {
    (bref.bid.get(), bref.ib.get())
}

fn sums(report: &mut Report, bytes: &[u8], wide: &HeaderW) {
    if wide.magic_client != MAGIC_CLIENT_PST && wide.magic_client != MAGIC_CLIENT_OST {
        report.add("V01", Some(8), None, format!("wMagicClient is {:02X?}", wide.magic_client));
    }
    let partial = crc(bytes.get(8..8 + 471).unwrap_or_default());
    if partial != wide.crc_partial.get() {
        report.add("V01", Some(4), None, format!("dwCRCPartial is 0x{:X}, computed 0x{partial:X}", wide.crc_partial));
    }
    let full = crc(bytes.get(8..8 + 516).unwrap_or_default());
    if report.variant != "ANSI" && full != wide.crc_full.get() {
        report.add("V01", Some(0x20C), None, format!("dwCRCFull is 0x{:X}, computed 0x{full:X}", wide.crc_full));
    }
}

fn size(report: &mut Report, len: u64, eof: u64, last: u64) {
    let at = if report.variant == "ANSI" { 0xA8 } else { 0xB8 };
    if eof != len {
        report.add("V02", Some(at), None, format!("ibFileEof is {eof}, the file has {len} bytes"));
    }
    let sections = eof.saturating_sub(FIRST_AMAP) / AMAP_SPAN;
    let whole = sections > 0 && FIRST_AMAP + sections * AMAP_SPAN == eof;
    if !whole {
        report.add("V02", Some(at), None, format!("ibFileEof {eof} does not end an AMap section"));
    } else if last != FIRST_AMAP + (sections - 1) * AMAP_SPAN {
        report.add("V02", None, None, format!("ibAMapLast 0x{last:X} is not the last of {sections} AMaps"));
    }
}
