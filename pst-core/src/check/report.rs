//! What a check found: rules, findings and counts.

use std::path::PathBuf;

/// How grave a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// A deviation that Outlook itself writes; no finding for the exit code.
    Info,
    /// Tolerated by Outlook.
    Warning,
    /// ScanPST offers a repair.
    Repair,
    /// The file is refused or data is lost.
    Fatal,
}

/// The stable id of a rule, "V01" to "V34".
pub type RuleId = &'static str;

/// One rule.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// Stable id.
    pub id: RuleId,
    /// Severity of its findings in a file of our own.
    pub severity: Severity,
    /// What the rule demands, in short.
    pub title: &'static str,
    /// Section of the specification.
    pub section: &'static str,
}

/// One broken rule at one place.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The rule.
    pub rule: RuleId,
    /// How grave it is in this file.
    pub severity: Severity,
    /// Offset in the file, bytes.
    pub offset: Option<u64>,
    /// BID or NID.
    pub id: Option<u64>,
    /// Section of the specification.
    pub section: &'static str,
    /// What is wrong, with values.
    pub text: String,
}

/// The outcome of a check.
#[derive(Debug, Clone)]
pub struct Report {
    /// The file.
    pub file: PathBuf,
    /// Format variant by wVer.
    pub variant: &'static str,
    /// True for a file that Outlook wrote: build stamp at 0x210 set, or ANSI.
    pub genuine: bool,
    /// Findings, at most [`LIST_LIMIT`] per rule.
    pub findings: Vec<Finding>,
    /// Findings per rule, all counted.
    pub counts: Vec<(RuleId, u64)>,
    /// The rules that were judged; a rule not named here was not looked at.
    pub judged: Vec<RuleId>,
}

/// Findings listed per rule; further ones are only counted.
pub const LIST_LIMIT: u64 = 1000;

impl Report {
    /// Adds a finding of `rule`, with its table severity.
    pub fn add(&mut self, rule: RuleId, offset: Option<u64>, id: Option<u64>, text: impl Into<String>) {
        let Some(entry) = super::RULES.iter().find(|r| r.id == rule) else { return };
        let count = match self.counts.iter_mut().find(|(id, _)| *id == rule) {
            Some((_, count)) => {
                *count += 1;
                *count
            }
            None => {
                self.counts.push((rule, 1));
                1
            }
        };
        if count <= LIST_LIMIT {
            let (severity, section) = (entry.severity, entry.section);
            self.findings.push(Finding { rule, severity, offset, id, section, text: text.into() });
        }
    }
}
