//! `pst check`.

use crate::args::Check;
use crate::exit::Outcome;
use crate::ui::text::{Out, plural, say};
use pst_core::Result;
use pst_core::check::{LIST_LIMIT, Options, RULES, Report, check};
use serde_json::json;
use std::fmt::Write;

/// Runs the command.
///
/// # Errors
/// When the file cannot be read at all.
pub fn run(a: &Check) -> Result<Outcome> {
    let report = check(&a.file, &Options::default())?;
    let total = report.total();
    let mut out = Out::new();
    if a.json {
        out.json(&as_json(a, &report))?;
        out.end()?;
    } else {
        for f in &report.findings {
            let mut place = String::new();
            if let Some(offset) = f.offset {
                let _ = write!(place, " at 0x{offset:X}");
            }
            if let Some(id) = f.id {
                let _ = write!(place, " id 0x{id:X}");
            }
            out.line(format!("{} {}{place}: {} ([MS-PST] {})", f.rule, f.severity.name(), f.text, f.section))?;
        }
        out.end()?;
        talk(a, &report);
    }
    Ok(if total == 0 { Outcome::Done } else { Outcome::Flawed })
}

/// The summary on standard error.
fn talk(a: &Check, report: &Report) {
    for count in &report.counts {
        for (all, what) in [(count.findings, "findings"), (count.informational, "remarks")] {
            if all > LIST_LIMIT {
                say(format!("{}: {all} {what}; the first {LIST_LIMIT} are listed", count.rule));
            }
        }
    }
    let noted: u64 = report.counts.iter().map(|c| c.informational).sum();
    let by = if report.genuine { ", written by Outlook" } else { "" };
    let mut text = format!(
        "{}: {} by {} ({} file{by})",
        a.file.display(),
        plural(report.total(), "finding"),
        plural(report.judged.len() as u64, "rule"),
        report.variant
    );
    if noted > 0 {
        let _ = write!(text, "; {} that Outlook's own files have too", plural(noted, "remark"));
    }
    say(text);
    let not_judged = not_judged(report);
    if !not_judged.is_empty() {
        say(format!("not judged: {}", not_judged.join(" ")));
    }
    if let Some(why) = &report.stopped {
        say(why);
    }
}

fn not_judged(report: &Report) -> Vec<&'static str> {
    RULES.iter().map(|r| r.id).filter(|id| !report.judged.contains(id)).collect()
}

fn as_json(a: &Check, report: &Report) -> serde_json::Value {
    let findings: Vec<_> = report
        .findings
        .iter()
        .map(|f| {
            json!({"rule": f.rule, "severity": f.severity.name(), "offset": f.offset, "id": f.id, "section": f.section,
                   "text": f.text})
        })
        .collect();
    let counts: Vec<_> = report
        .counts
        .iter()
        .map(|c| json!({"rule": c.rule, "findings": c.findings, "informational": c.informational}))
        .collect();
    json!({"file": a.file.display().to_string(), "variant": report.variant, "written_by_outlook": report.genuine,
           "clean": report.total() == 0, "findings": findings, "counts": counts, "judged": report.judged,
           "not_judged": not_judged(report), "stopped": report.stopped})
}
