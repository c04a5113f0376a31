//! The account of a run as a file, for people (.html), programs (.json) and spreadsheets (.csv).

mod csv;
mod html;

use crate::ui::json;
use pst_core::endpoint::pst::PstSource;
use pst_core::pipeline::{FolderReport, Report, Source};
use pst_core::{Error, Kind, Result};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// What a report tells.
pub struct Account<'a> {
    /// The sources, as they were given.
    pub sources: Vec<String>,
    /// The target, as it was given.
    pub target: String,
    /// True if nothing was written.
    pub dry_run: bool,
    /// When the run began, as a time stamp.
    pub started: String,
    /// How long it took.
    pub seconds: f64,
    /// What happened.
    pub report: &'a Report,
    /// The items of each folder of the target by its path, where the target is a PST.
    pub target_counts: Option<HashMap<String, u64>>,
}

/// The items of each folder of a PST, or of one that is divided, as its own tables have them.
pub fn counts(parts: &[PathBuf]) -> Option<HashMap<String, u64>> {
    let mut out = HashMap::new();
    for part in parts {
        let source = PstSource::open(part).ok()?;
        for folder in &source.folders().ok()? {
            let items = source.items(folder).ok()?.filter(|i| i.as_ref().is_ok_and(|i| !i.associated)).count();
            *out.entry(folder.path.join("/")).or_default() += items as u64;
        }
    }
    Some(out)
}

/// Refuses a name whose ending says no kind of report.
///
/// # Errors
/// [`Kind::Usage`].
pub fn kind(path: &Path) -> Result<&'static str> {
    let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase());
    match ending.as_deref() {
        Some("html" | "htm") => Ok("html"),
        Some("json") => Ok("json"),
        Some("csv") => Ok("csv"),
        _ => Err(Error::new(Kind::Usage, "a report ends in .html, .json or .csv").in_file(path)),
    }
}

impl Account<'_> {
    /// Writes the report; an older one of its name is replaced.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        let text = match kind(path)? {
            "html" => html::page(self),
            "csv" => csv::table(self),
            _ => format!("{:#}\n", self.json()),
        };
        let mut file = pst_core::io::NewFile::create(path, true)?;
        file.append(text.as_bytes())?;
        file.commit()
    }

    /// The source of a folder or item, where there are several.
    fn file(&self, nth: usize) -> Option<&str> {
        self.sources.get(nth).filter(|_| self.sources.len() > 1).map(String::as_str)
    }

    /// Items of a folder in the target.
    fn in_target(&self, folder: &FolderReport) -> Option<u64> {
        let counts = self.target_counts.as_ref()?;
        counts.get(&folder.target).copied()
    }

    /// The whole account as JSON.
    fn json(&self) -> Value {
        let r = self.report;
        let folders: Vec<Value> = r
            .by_folder
            .iter()
            .map(|f| {
                json!({"file": self.sources.get(f.nth), "source": f.source, "target": f.target, "source_has": f.counted, "there_before": f.there,
                       "fetched": f.read, "bytes": f.bytes, "written": f.written, "skipped": f.skipped,
                       "failed": f.failed, "updated": f.updated, "moved_to_deleted": f.gone, "stay": f.stay,
                       "target_has": self.in_target(f), "differences": differences(f)})
            })
            .collect();
        let with_file = |mut object: Value, nth: usize| {
            if let Some(fields) = object.as_object_mut() {
                fields.insert("file".to_owned(), json!(self.sources.get(nth)));
            }
            object
        };
        let failures: Vec<Value> = r.failures.iter().map(|f| with_file(json::failure(f), f.nth)).collect();
        let notes: Vec<Value> = r.notes.iter().map(|n| with_file(json::note(n), n.nth)).collect();
        json!({"sources": self.sources, "target": self.target, "dry_run": self.dry_run, "started": self.started,
               "seconds": self.seconds, "folders": folders, "fetched": r.read, "written": r.written,
               "there_before": r.there, "skipped": r.skipped, "failed": r.failed, "damaged": r.damaged,
               "updated": r.updated, "moved_to_deleted": r.gone, "stay": r.stay, "warnings": r.warnings, "warning_codes": r.codes,
               "failures": failures, "notes": notes, "bytes": r.bytes, "target_bytes": r.target_bytes})
    }
}

/// Why a folder of the target may have other items than that of the source, one sentence each.
fn differences(f: &FolderReport) -> Vec<String> {
    let mut out = Vec::new();
    let mut say = |n: u64, text: &str| {
        if n > 0 {
            out.push(format!("{n} {text}"));
        }
    };
    say(f.failed, "could not be moved; they are listed with their errors");
    for (reason, n) in &f.skipped {
        say(*n, &format!("left out ({reason})"));
    }
    say(f.gone, "were deleted in the source and went to Deleted Items");
    say(f.stay, "are no longer in the source and stay here (--mirror moves them to Deleted Items)");
    if let Some(counted) = f.counted {
        let met = f.there + f.read;
        say(counted.saturating_sub(met), "were counted beforehand, but not found when the folder was listed");
        say(met.saturating_sub(counted), "came while the folder was read");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_difference_has_its_reason() {
        let mut f =
            FolderReport { counted: Some(10), there: 4, read: 5, failed: 2, gone: 1, ..FolderReport::default() };
        f.skipped.insert("date", 1);
        let said = differences(&f);
        assert_eq!(said.len(), 4, "{said:?}");
        assert!(said.iter().any(|s| s.starts_with("1 were counted beforehand")), "{said:?}");
        assert!(kind(Path::new("a.HTML")).is_ok() && kind(Path::new("a.txt")).is_err());
    }
}
