//! All figures of one size, kept in a file beside its report, so that sizes and later runs can be compared.

use super::jobs::{TO_EML, created};
use super::mailbox::Made;
use super::report::{self, Line};
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::Path;

/// Trees of many files that one round writes.
const TREES: u64 = 10;

/// The figures of one size.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Figures {
    pub made: Made,
    /// Bytes of the PST.
    pub pst_bytes: u64,
    /// Processors of the machine.
    pub threads: usize,
    pub lines: Vec<Line>,
    /// What the machine can do on one core, MB/s.
    pub limits: Vec<(String, f64)>,
}

impl Figures {
    /// What was measured before, or nothing.
    pub fn load(folder: &Path, size: &str) -> Option<Self> {
        serde_json::from_slice(&fs::read(folder.join(format!("{size}.json"))).ok()?).ok()
    }

    pub fn save(&self, folder: &Path, size: &str) {
        fs::write(folder.join(format!("{size}.json")), serde_json::to_string_pretty(self).unwrap()).unwrap();
    }

    /// What is known of a job, if only that it did not come to its end.
    pub fn any(&self, job: &str, program: &str) -> Option<&Line> {
        self.lines.iter().find(|l| l.job == job && l.program == program)
    }

    /// A job that came to its end.
    pub fn line(&self, job: &str, program: &str) -> Option<&Line> {
        self.any(job, program).filter(|l| !l.costs.is_empty())
    }

    pub fn cpu(&self, job: &str, program: &str) -> Option<f64> {
        self.line(job, program)?.cost()?.cpu.filter(|s| *s > 0.0)
    }

    pub fn wall(&self, job: &str, program: &str) -> Option<f64> {
        Some(self.line(job, program)?.cost()?.wall)
    }

    /// MB/s on one core.
    pub fn limit(&self, name: &str) -> Option<f64> {
        self.limits.iter().find(|(n, _)| n == name).map(|(_, rate)| *rate)
    }

    /// Seconds in which the machine makes the eml files and does nothing else, on as many threads as is fastest.
    pub fn creating(&self) -> Option<f64> {
        [1, self.threads].into_iter().filter_map(|n| self.wall(TO_EML, &created(n))).min_by(f64::total_cmp)
    }

    /// The report as Markdown, without the goals.
    pub fn report(&self, rounds: usize) -> String {
        let made = &self.made;
        let mut out = format!(
            "# {} messages (median {:.1} KB) in {} folders: mbox {:.0} MB, PST {:.0} MB; {} processors, medians of up to \
             {rounds} rounds\n\n",
            made.messages,
            made.median as f64 / 1e3,
            made.folders,
            made.bytes as f64 / 1e6,
            self.pst_bytes as f64 / 1e6,
            self.threads,
        );
        out.push_str(&report::table(&self.lines));
        if let Some(wall) = self.creating() {
            let rate = made.messages as f64 / wall;
            out.push_str(&format!("\nThis machine makes {rate:.0} files a second of the sizes of the eml files.\n"));
        }
        if !self.limits.is_empty() {
            out.push_str("\nThis machine, one core:\n\n");
        }
        for (name, rate) in &self.limits {
            out.push_str(&format!("- {name}: {rate:.0} MB/s\n"));
        }
        out
    }
}

/// Bytes that a run needs at most, those of a mailbox that is not made yet included.
pub fn space(size: u64, made: bool, maildir: bool, trees: bool) -> u64 {
    let mailbox = if made { 0 } else { size * (2 + u64::from(maildir)) };
    let output = size * 12 / 10;
    mailbox + if trees { output * TREES } else { output } + (1 << 30)
}
