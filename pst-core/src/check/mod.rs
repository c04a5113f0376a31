//! The strict judge of a file: what ScanPST, Outlook and Exchange refuse, rule by rule, V01 to V34.
//!
//! The readers elsewhere in this crate tolerate what genuine files bring; the judge says what they tolerated. It parses
//! every structure itself, so that a mistake that reader and writer share is seen here. In files that Outlook wrote
//! (build stamp behind the header's CRC, or ANSI) deviations that Outlook itself writes are [`Severity::Info`] and do not count.
//!
//! Damage is reported by the rule of the lowest structure that shows it; what could not be read because of it is not
//! judged again above.

mod blocks;
mod bth;
mod file;
mod folders;
mod header;
mod heap;
mod maps;
mod message;
mod names;
mod pc;
mod report;
mod skeleton;
mod table;
mod trees;

pub use report::{Count, Finding, LIST_LIMIT, Report, Rule, RuleId, Severity};

use crate::error::Result;
use crate::io::Input;
use crate::ndb::{Ndb, Variant};
use file::File;
use report::{At, Findings};
use std::path::Path;

const fn rule(id: RuleId, severity: Severity, title: &'static str, section: &'static str) -> Rule {
    Rule { id, severity, title, section }
}

/// Every rule that there is, in order: rule n stands at n - 1.
pub static RULES: [Rule; 34] = [
    rule("V01", Severity::Fatal, "header magic, version, sentinel and checksums", "2.2.2.6"),
    rule("V02", Severity::Repair, "file size and position of the last AMap", "2.2.2.5"),
    rule("V03", Severity::Fatal, "allocation map pages", "2.2.2.7.2"),
    rule("V04", Severity::Repair, "PMap, FMap and FPMap pages", "2.2.2.7.3"),
    rule("V05", Severity::Repair, "allocation bits match pages and blocks", "2.2.2.7.2"),
    rule("V06", Severity::Fatal, "free counts and density list", "2.2.2.7.4"),
    rule("V07", Severity::Fatal, "B-tree pages and their trailers", "2.2.2.7.1"),
    rule("V08", Severity::Repair, "B-tree order, counts and levels", "2.2.2.7.7"),
    rule("V09", Severity::Fatal, "blocks and their trailers", "2.2.2.8.1"),
    rule("V10", Severity::Repair, "reference counts", "2.2.2.7.7.3"),
    rule("V11", Severity::Fatal, "every block id resolves, no orphans", "2.2.2.7.7.4"),
    rule("V12", Severity::Fatal, "counters above all ids in use", "2.2.2.6"),
    rule("V13", Severity::Fatal, "data trees", "2.2.2.8.3.2"),
    rule("V14", Severity::Repair, "subnode trees", "2.2.2.8.3.3"),
    rule("V15", Severity::Repair, "heaps", "2.3.1"),
    rule("V16", Severity::Repair, "B-trees on heaps", "2.3.2"),
    rule("V17", Severity::Repair, "property contexts and their values", "2.3.3"),
    rule("V18", Severity::Fatal, "table contexts, columns and row index", "2.3.4"),
    rule("V19", Severity::Fatal, "absent cells and row blocks", "2.3.4.4"),
    rule("V20", Severity::Repair, "mandatory nodes, templates and their columns", "2.7.1"),
    rule("V21", Severity::Fatal, "store properties and entry ids", "2.4.3"),
    rule("V22", Severity::Fatal, "folders, their tables and parents", "2.4.4"),
    rule("V23", Severity::Repair, "table rows equal their objects", "2.4.4"),
    rule("V24", Severity::Repair, "every item listed once, in its own folder", "2.4.5"),
    rule("V25", Severity::Repair, "item properties, size and flags", "2.4.5.1"),
    rule("V26", Severity::Repair, "recipient tables", "2.4.5.3"),
    rule("V27", Severity::Repair, "attachments and their table", "2.4.6"),
    rule("V28", Severity::Repair, "embedded messages", "2.4.6.2"),
    rule("V29", Severity::Warning, "name-to-id map", "2.4.7"),
    rule("V30", Severity::Repair, "hierarchy map", "2.7.1"),
    rule("V31", Severity::Repair, "subject prefix", "2.5.3.1.1"),
    rule("V32", Severity::Warning, "compressed RTF", "2.4.5.1"),
    rule("V33", Severity::Warning, "times and code pages", "2.4.5.1"),
    rule("V34", Severity::Fatal, "node ids outside the reserved range", "2.2.2.1"),
];

/// What a check looks at.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Options {}

/// Judges a file, on all cores.
///
/// # Errors
/// When the file cannot be read or is no Personal Folders file.
pub fn check(path: impl AsRef<Path>, _options: &Options) -> Result<Report> {
    judge(Input::open(path)?)
}

/// As [`check`], for any input.
///
/// # Errors
/// As [`check`].
pub fn judge(input: Input) -> Result<Report> {
    let head = header::Head::read(&input)?;
    let path = input.path().to_path_buf();
    let mut found = Findings::new(head.genuine);
    header::judge(&head, &input, &mut found);
    let paged = head.variant != Variant::Unicode4k;
    let amaps = paged.then(|| maps::pages(&head, &input, &mut found));
    let nbt = trees::nbt(&head, &input, &mut found);
    let bbt = trees::bbt(&head, &input, &mut found);
    if let Some(amaps) = amaps {
        maps::allocation(&head, &input, &amaps, &nbt, &bbt, &mut found);
    }
    header::counters(&head, &nbt, &bbt, &mut found);
    let mut judged: Vec<RuleId> = RULES.iter().map(|r| r.id).collect();
    // Where maps stand in files of 4096-byte pages is not known for certain: no genuine sample is at hand.
    judged.retain(|id| paged || !matches!(*id, "V02" | "V03" | "V04" | "V05" | "V06"));
    let mut stopped = None;
    match Ndb::new(input) {
        Ok(ndb) => {
            let file = File::new(std::sync::Arc::new(ndb), nbt.nodes, bbt.blocks, &found);
            blocks::judge(&file, &mut found);
            skeleton::judge(&file, &mut found);
            folders::judge(&file, &mut found);
            names::judge(&file, &mut found);
            if file.exhausted() {
                found.add(11, At::NOWHERE, "trees overlap so often that what is in them was not judged to the end");
            }
        }
        Err(e) => {
            judged.retain(|id| *id <= "V08" || matches!(*id, "V12" | "V34"));
            stopped = Some(format!("what is in the nodes and blocks was not judged: {}", e.text()));
        }
    }
    let (findings, counts) = found.into_parts();
    Ok(Report { file: path, variant: head.name(), genuine: head.genuine, findings, counts, judged, stopped })
}
