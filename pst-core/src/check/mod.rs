//! The strict judge of a file, rule by rule. V01-V04 and V07-V09 are judged so far; [`Report::judged`] names them.

mod header;
mod pages;
mod report;

pub use report::{Finding, LIST_LIMIT, Report, Rule, RuleId, Severity};

use crate::error::Result;
use crate::io::Input;
use std::path::Path;

/// What a check looks at.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Options {}

const fn rule(id: RuleId, severity: Severity, title: &'static str, section: &'static str) -> Rule {
    Rule { id, severity, title, section }
}

/// Every rule that there is.
pub static RULES: [Rule; 34] = [
    rule("V01", Severity::Fatal, "header magic, version, sentinel and checksums", "2.2.2.6"),
    rule("V02", Severity::Repair, "file size and position of the last AMap", "2.2.2.5"),
    rule("V03", Severity::Fatal, "allocation map pages", "2.2.2.7.2"),
    rule("V04", Severity::Repair, "PMap, FMap and FPMap pages", "2.2.2.7.3"),
    rule("V05", Severity::Repair, "allocation bits match pages and blocks", "2.2.2.7.2"),
    rule("V06", Severity::Fatal, "free counts and density list", "2.2.2.7.4"),
    rule("V07", Severity::Fatal, "page trailers", "2.2.2.7.1"),
    rule("V08", Severity::Repair, "B-tree order, counts and levels", "2.2.2.7.7"),
    rule("V09", Severity::Fatal, "blocks and their trailers", "2.2.2.8"),
    rule("V10", Severity::Repair, "reference counts", "2.2.2.7.7.3"),
    rule("V11", Severity::Fatal, "every block id resolves, no orphans", "2.2.2.7.7.4"),
    rule("V12", Severity::Fatal, "counters above all used ids", "2.2.2.6"),
    rule("V13", Severity::Fatal, "data trees", "2.2.2.8.3.2"),
    rule("V14", Severity::Repair, "subnode blocks", "2.2.2.8.3.3"),
    rule("V15", Severity::Repair, "heaps", "2.3.1"),
    rule("V16", Severity::Repair, "B-trees on heaps", "2.3.2"),
    rule("V17", Severity::Repair, "property contexts", "2.3.3"),
    rule("V18", Severity::Fatal, "table contexts", "2.3.4"),
    rule("V19", Severity::Fatal, "absent cells and row blocks", "2.3.4.4"),
    rule("V20", Severity::Repair, "mandatory nodes and templates", "2.7.1"),
    rule("V21", Severity::Fatal, "store properties and entry ids", "2.4.3"),
    rule("V22", Severity::Fatal, "folders, their tables and parents", "2.4.4"),
    rule("V23", Severity::Repair, "rows equal their objects", "2.4.4"),
    rule("V24", Severity::Repair, "messages listed once, in their folder", "2.4.5"),
    rule("V25", Severity::Repair, "message properties, size and flags", "2.4.5.1"),
    rule("V26", Severity::Repair, "recipient tables", "2.4.5.3"),
    rule("V27", Severity::Repair, "attachments and their table", "2.4.6"),
    rule("V28", Severity::Repair, "embedded messages", "2.4.6.2"),
    rule("V29", Severity::Warning, "name-to-id map", "2.4.7"),
    rule("V30", Severity::Repair, "hierarchy map", "2.7.1"),
    rule("V31", Severity::Repair, "subject prefix and displayed recipients", "2.5.3.1.1"),
    rule("V32", Severity::Warning, "compressed RTF", "2.4.5.1"),
    rule("V33", Severity::Warning, "times and code pages", "2.4.5.1"),
    rule("V34", Severity::Fatal, "node ids unique and outside the reserved range", "2.2.2.1"),
];

/// Judges a file.
///
/// # Errors
/// When the file cannot be read or is no Personal Folders file.
pub fn check(path: impl AsRef<Path>, _options: &Options) -> Result<Report> {
    header::judge(&Input::open(path)?)
}
