//! `pst check`.

use crate::args::Check;
use crate::exit::Outcome;
use crate::ui::text::{Out, plural, tame};
use pst_core::Result;
use pst_core::check::{Options, RULES, Severity, check};
use serde_json::json;
use std::fmt::Write;

/// Runs the command.
///
/// # Errors
/// When the file cannot be read at all.
pub fn run(a: &Check) -> Result<Outcome> {
    let report = check(&a.file, &Options::default())?;
    let counted: Vec<_> = report.findings.iter().filter(|f| f.severity != Severity::Info).collect();
    let not_judged: Vec<&str> = RULES.iter().map(|r| r.id).filter(|id| !report.judged.contains(id)).collect();
    let mut out = Out::new();
    if a.json {
        let findings: Vec<_> = report
            .findings
            .iter()
            .map(|f| {
                json!({"rule": f.rule, "severity": format!("{:?}", f.severity).to_lowercase(), "offset": f.offset, "id": f.id,
                       "section": f.section, "text": f.text})
            })
            .collect();
        out.line(
            json!({"file": a.file.display().to_string(), "variant": report.variant, "written_by_outlook": report.genuine,
                   "clean": counted.is_empty(), "findings": findings, "counts": report.counts, "judged": report.judged,
                   "not_judged": not_judged})
            .to_string(),
        )?;
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
            let severity = format!("{:?}", f.severity).to_lowercase();
            out.line(format!("{} {severity}{place}: {} ([MS-PST] {})", f.rule, tame(&f.text), f.section))?;
        }
        out.end()?;
        eprintln!(
            "{}: {} by {} ({} file); rules not judged yet: {}",
            a.file.display(),
            plural(counted.len() as u64, "finding"),
            plural(report.judged.len() as u64, "rule"),
            report.variant,
            if not_judged.is_empty() { "none".to_owned() } else { not_judged.join(" ") }
        );
    }
    Ok(if counted.is_empty() { Outcome::Done } else { Outcome::Flawed })
}
