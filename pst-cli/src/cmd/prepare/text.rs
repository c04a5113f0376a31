//! The report for people.

use super::choices::{repeated, told};
use super::{Prepared, Run};
use crate::ui::text::{Out, plural, say, tame};
use pst_core::Result;
use pst_core::endpoint::prepare::{Effect, Finding, Judged, LISTED, size};
use std::fmt::Write;
use std::path::Path;

/// Findings of one rule in one file that are printed; --json has more.
const TOLD: usize = 10;

/// Prints it: findings, mapping and explanations on standard output, the verdict on standard error.
///
/// # Errors
/// When standard output cannot be written.
pub fn print(run: &Run<'_>) -> Result<()> {
    let mut out = Out::new();
    for f in &run.files {
        file(&mut out, f)?;
    }
    if !run.of_list.is_empty() {
        out.line("the list of mailboxes")?;
        findings(&mut out, &run.of_list, &|_| 0)?;
    }
    mapping(&mut out, run)?;
    next(&mut out, run)?;
    out.end()?;
    verdict(run);
    Ok(())
}

fn file(out: &mut Out, f: &Prepared) -> Result<()> {
    let Some((parts, report)) = &f.written else { return one(out, &f.source.below, &f.judged) };
    one(out, &f.source.below, &f.judged)?;
    let lost = if report.failed + report.damaged > 0 {
        format!("; {} not taken over, {} in part", report.failed, report.damaged)
    } else {
        String::new()
    };
    let (psts, items) = (plural(parts.len() as u64, "new PST"), plural(report.written, "item"));
    out.line(format!("  made of it: {psts} with {items} of {}{lost}", report.read))?;
    for part in parts {
        one(out, &part.path.display().to_string(), part)?;
    }
    Ok(())
}

fn one(out: &mut Out, name: &str, j: &Judged) -> Result<()> {
    let state = match j.findings.iter().map(|f| f.rule.effect).max() {
        Some(Effect::Refused) => "would be REFUSED",
        Some(Effect::Skipped) => "items would be SKIPPED",
        Some(Effect::Risk) => "has FINDINGS",
        Some(Effect::Note) | None => "ready",
    };
    out.line(format!("{}: {state}", tame(name)))?;
    if !j.kind.is_empty() {
        let folders = plural(j.folders, "folder");
        out.line(format!(
            "  {}, {}, {} and {} hidden in {folders}, {} deep, the largest item {}",
            j.kind,
            size(j.bytes),
            plural(j.items, "item"),
            j.associated,
            plural(j.levels as u64, "level"),
            size(j.largest)
        ))?;
    }
    findings(out, &j.findings, &|f| j.count(f.rule))
}

/// Findings, those of a rule together, with what to do about them.
fn findings(out: &mut Out, all: &[Finding], count: &dyn Fn(&Finding) -> u64) -> Result<()> {
    let mut rules: Vec<&Finding> = Vec::new();
    for f in all {
        if !rules.iter().any(|known| known.rule.id == f.rule.id) {
            rules.push(f);
        }
    }
    rules.sort_by_key(|f| std::cmp::Reverse(f.rule.effect));
    for first in rules {
        let same: Vec<&Finding> = all.iter().filter(|f| f.rule.id == first.rule.id).collect();
        for f in same.iter().take(TOLD) {
            out.line(format!("  {:<8} {}", f.rule.effect.name(), tame(&sentence(f))))?;
        }
        let total = count(first).max(same.len() as u64);
        if total > TOLD as u64 {
            let listed = if total > LISTED { format!("the first {LISTED}") } else { "them".to_owned() };
            out.line(format!("  {:<8} and {} more like these; --json lists {listed}", "", total - TOLD as u64))?;
        }
        out.line(format!("  {:<8} -> {}", "", first.rule.remedy))?;
    }
    Ok(())
}

fn sentence(f: &Finding) -> String {
    let Some(spot) = &f.spot else { return format!("[{}] {}", f.rule.id, f.text) };
    let item = if spot.item.is_empty() { String::new() } else { format!(" {}", spot.item) };
    let subject = if spot.subject.is_empty() { String::new() } else { format!(" \"{:.80}\"", spot.subject) };
    format!("[{}] /{}{item}{subject}: {}", f.rule.id, spot.folder, f.text)
}

/// What goes where, and what the choices mean.
fn mapping(out: &mut Out, run: &Run<'_>) -> Result<()> {
    if run.entries.is_empty() {
        return Ok(());
    }
    out.line("")?;
    out.line("Mapping")?;
    for e in &run.entries {
        let archive = if e.archive { " (archive)" } else { "" };
        let root = e.target_root.as_deref().unwrap_or("TargetRootFolder blank");
        out.line(format!("  {} -> {}{archive}, {}", tame(&e.name), tame(&e.mailbox), tame(root)))?;
    }
    out.line("")?;
    out.line("Choices")?;
    for t in told(run) {
        let value = if t.value.is_empty() { "blank".to_owned() } else { format!("\"{}\"", tame(&t.value)) };
        out.line(format!("  {} {value} ({}): {}", t.of, plural(t.psts as u64, "PST"), tame(&t.meaning)))?;
    }
    for note in repeated(run) {
        out.line(format!("  {}", tame(&note)))?;
    }
    Ok(())
}

/// What to do now.
fn next(out: &mut Out, run: &Run<'_>) -> Result<()> {
    let a = run.args;
    out.line("")?;
    out.line("Next")?;
    let named = |name: &str| run.written.iter().any(|p| p.file_name().is_some_and(|n| n == name));
    let Some(folder) = &a.out else {
        let wants = if a.map.is_some() { "" } else { " and --map users.csv" };
        return out.line(format!(
            "  --out DIR{wants}: the mapping file and the upload script; --repair, --split 20G: new PSTs"
        ));
    };
    let shown = |name: &str| tame(&folder.join(name).display().to_string());
    if named("upload.ps1") {
        let path = if run.container_path.is_empty() { String::new() } else { format!("/{}", run.container_path) };
        out.line(format!(
            "  Microsoft 365: {} -SasUrl '<SAS URL of the import job>', which calls for each PST",
            shown("upload.ps1")
        ))?;
        out.line(format!(
            "    azcopy copy \"FILE\" \"https://...blob.core.windows.net/ingestiondata{path}/NAME?...\""
        ))?;
    }
    let mappings = |p: &&std::path::PathBuf| Path::new(p).extension().is_some_and(|e| e == "csv");
    for path in run.written.iter().filter(mappings) {
        out.line(format!(
            "  Microsoft 365: give {} to an import job, and let it validate it",
            tame(&path.display().to_string())
        ))?;
    }
    if named("import-requests.ps1") {
        let share = a.unc.as_deref().unwrap_or_default();
        out.line(format!(
            "  Exchange Server: put the PSTs on {} as {} says, and run it in the Exchange Management Shell",
            tame(share),
            shown("import-requests.ps1")
        ))?;
    }
    if a.map.is_none() {
        out.line("  --map users.csv (file,mailbox[,archive][,target-root][,code-page]): the mapping file")?;
    }
    Ok(())
}

fn verdict(run: &Run<'_>) {
    let finals = || run.files.iter().flat_map(Prepared::finals);
    let count = |test: &dyn Fn(&Judged) -> bool| finals().filter(|j| test(j)).count() as u64;
    let all: u64 = finals().map(|j| j.bytes).sum();
    let (ready, refused) = (count(&Judged::is_ready), count(&Judged::is_refused));
    let psts = plural(finals().count() as u64, "PST");
    let mut text = format!("{psts}, {}: {ready} ready", size(all));
    let found = count(&|j| !j.is_ready() && !j.is_refused());
    for (n, what) in [(found, "with findings"), (refused, "would be refused")] {
        if n > 0 {
            let _ = write!(text, ", {n} {what}");
        }
    }
    if run.others > 0 {
        let _ = write!(text, "; {} of other kinds not taken", plural(run.others, "file"));
    }
    say(&text);
}
