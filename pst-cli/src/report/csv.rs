//! The folders of a run as a table for spreadsheets (RFC 4180, UTF-8).

use super::{Account, differences};
use std::fmt::Write;

/// A line for each folder, and one for all.
pub fn table(a: &Account<'_>) -> String {
    let mut out = String::from(
        "source,target,source_has,there_before,fetched,bytes,written,left_out,failed,updated,moved_to_deleted,target_has,\
         differences\r\n",
    );
    for f in &a.report.by_folder {
        let number = |n: Option<u64>| n.map_or_else(String::new, |n| n.to_string());
        let _ = write!(
            out,
            "{},{},{},{},{},{},{},{},{},{},{},{},{}\r\n",
            cell(&f.source),
            cell(&f.target),
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
            cell(&differences(f).join("; ")),
        );
    }
    for f in &a.report.failures {
        let _ = write!(out, "{},,,,,,,,,,,,{}\r\n", cell(&f.folder), cell(&format!("{}: {}", f.id, f.error)));
    }
    out
}

/// A cell, quoted; text that a spreadsheet would take for a formula is marked as text.
fn cell(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    format!("\"{}{}\"", if formula { "'" } else { "" }, text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells() {
        assert_eq!(cell("a \"b\", c"), "\"a \"\"b\"\", c\"");
        assert_eq!(cell("=1+1"), "\"'=1+1\"");
    }
}
