//! The folders of a run as a table for spreadsheets (RFC 4180, UTF-8).

use super::{Account, differences};
use pst_core::endpoint::cells::shown;
use std::fmt::Write;

/// A line for each folder, and one for all.
pub fn table(a: &Account<'_>) -> String {
    let mut out = String::from(
        "source,target,source_has,there_before,fetched,bytes,written,left_out,failed,updated,moved_to_deleted,target_has,\
         differences,file\r\n",
    );
    for f in &a.report.by_folder {
        let number = |n: Option<u64>| n.map_or_else(String::new, |n| n.to_string());
        let _ = write!(
            out,
            "{},{},{},{},{},{},{},{},{},{},{},{},{},{}\r\n",
            shown(&f.source),
            shown(&f.target),
            number(f.counted),
            f.there,
            f.read,
            f.bytes,
            f.written,
            f.skipped.values().sum::<u64>(),
            f.failed,
            f.updated,
            f.gone,
            number(a.in_target(f)),
            shown(&differences(f).join("; ")),
            shown(a.file(f.nth).unwrap_or_default()),
        );
    }
    for f in &a.report.failures {
        let (what, file) = (format!("{}: {}", f.id, f.error), a.file(f.nth).unwrap_or_default());
        let _ = write!(out, "{},,,,,,,,,,,,{},{}\r\n", shown(&f.folder), shown(&what), shown(file));
    }
    out
}
