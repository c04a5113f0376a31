//! The end of `pst convert`: what happened, for people and as JSON.

use super::convert::Ran;
use crate::args::Convert;
use crate::ui::json;
use crate::ui::text::{Out, bytes, plural, say, tame};
use pst_core::{Error, Result};
use serde_json::{Value, json};
use std::fmt::Write;

/// Files that were not taken, as far as the summary names them.
const LISTED: usize = 1000;

/// What became of mail that was to be deleted on servers.
#[derive(Default)]
pub struct Deletion {
    /// Messages that are gone.
    pub deleted: u64,
    /// Messages that stay, and why.
    pub kept: Vec<(String, String)>,
    /// Accounts where it failed, and why.
    pub failed: Vec<Error>,
}

/// Prints the summary: as JSON on standard output, or a few lines on standard error.
///
/// # Errors
/// When standard output cannot be written.
pub fn summary(a: &Convert, ran: &Ran) -> Result<()> {
    if a.json {
        let mut out = Out::new();
        out.json(&object(a, ran))?;
        return out.end();
    }
    let (target, seconds) = (tame(&ran.target), ran.seconds);
    say(counts(a, ran));
    not_taken(ran).iter().for_each(say);
    if !a.dry_run && ran.report.ended.is_none() {
        say(format!("{target} is complete: {}, {seconds:.1} s", bytes(ran.report.target_bytes)));
    }
    for (name, why) in &ran.deletion.kept {
        say(format!("pst: {name} stays on the server: {why}"));
    }
    // The last words of the command are the first of these.
    for e in ran.deletion.failed.iter().skip(1) {
        say(format!("pst: {e}"));
    }
    Ok(())
}

/// A run for programs.
pub fn object(a: &Convert, ran: &Ran) -> Value {
    let Ran { target, report: r, not_taken, deletion, seconds } = ran;
    let failures: Vec<_> = r.failures.iter().map(json::failure).collect();
    let notes: Vec<_> = r.notes.iter().map(json::note).collect();
    let stay: Vec<_> = deletion.kept.iter().map(|(name, why)| json!({"message": name, "why": why})).collect();
    let failed: Vec<_> = deletion.failed.iter().map(ToString::to_string).collect();
    json!({
        "target": target, "dry_run": a.dry_run, "folders": r.folders, "read": r.read, "written": r.written,
        "skipped": r.skipped, "failed": r.failed, "failures": failures, "damaged": r.damaged,
        "warnings": r.warnings, "warning_codes": r.codes, "notes": notes,
        "there_before": r.there, "updated": r.updated, "moved_to_deleted": r.gone, "stay": r.stay,
        "files_not_taken": not_taken.len(), "not_taken": not_taken.iter().take(LISTED).collect::<Vec<_>>(),
        "deleted_on_server": deletion.deleted, "stay_on_server": stay, "deletion_errors": failed,
        "ended": r.ended.as_ref().map(ToString::to_string), "bytes_read": r.bytes, "target_bytes": r.target_bytes,
        "seconds": seconds,
    })
}

/// The counts of a run, one line.
pub fn counts(a: &Convert, ran: &Ran) -> String {
    let r = &ran.report;
    let skipped: u64 = r.skipped.values().sum();
    let verb = if a.dry_run { "would be written" } else { "written" };
    let mut text =
        format!("{} read from {}; {} {verb}", plural(r.read, "item"), plural(r.folders, "folder"), r.written);
    if r.there > 0 {
        let _ = write!(text, "; {} there from before", r.there);
    }
    if r.updated > 0 {
        let _ = write!(text, "; {} brought up to date", r.updated);
    }
    if r.gone > 0 {
        let _ = write!(text, "; {} moved to Deleted Items, as the source deleted them", r.gone);
    }
    if r.stay > 0 {
        let _ = write!(text, "; {} stay that the source no longer has", r.stay);
    }
    if skipped > 0 {
        let reasons: Vec<String> = r.skipped.iter().map(|(reason, n)| format!("{n} by {reason}")).collect();
        let _ = write!(text, "; {skipped} left out ({})", reasons.join(", "));
    }
    if r.failed > 0 {
        let _ = write!(text, "; {} FAILED", r.failed);
    }
    if r.damaged > 0 {
        let _ = write!(text, "; {} DAMAGED: a part could not be read", plural(r.damaged, "item"));
    }
    if r.warnings > 0 {
        let codes: Vec<String> = r.codes.iter().map(|(code, n)| format!("{n} {code}")).collect();
        let _ = write!(text, "; {} ({})", plural(r.warnings, "warning"), codes.join(", "));
    }
    if ran.deletion.deleted > 0 {
        let _ = write!(text, "; {} deleted on the server", ran.deletion.deleted);
    }
    text
}

/// Files in the sources that are none of their items, one line.
pub fn not_taken(ran: &Ran) -> Option<String> {
    let others = &ran.not_taken;
    if others.is_empty() {
        return None;
    }
    let names: Vec<String> = others.iter().take(3).map(|p| tame(&p.display().to_string())).collect();
    let more = if others.len() > names.len() { ", ..." } else { "" };
    let verb = if others.len() == 1 { "is no mail and was" } else { "are no mail and were" };
    let files = plural(others.len() as u64, "file");
    Some(format!("{files} in the sources {verb} not taken: {}{more}", names.join(", ")))
}
