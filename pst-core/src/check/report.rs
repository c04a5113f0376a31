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

impl Severity {
    /// The name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Repair => "repair",
            Self::Fatal => "fatal",
        }
    }
}

/// The stable id of a rule, "V01" to "V34".
pub type RuleId = &'static str;

/// One rule.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// Stable id.
    pub id: RuleId,
    /// Severity of its findings.
    pub severity: Severity,
    /// What the rule demands, in short.
    pub title: &'static str,
    /// Section of [MS-PST].
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
    /// Section of [MS-PST].
    pub section: &'static str,
    /// What is wrong, with values.
    pub text: String,
}

/// Findings of one rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// The rule.
    pub rule: RuleId,
    /// Findings that count.
    pub findings: u64,
    /// Deviations that Outlook itself writes.
    pub informational: u64,
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
    /// Findings by rule, at most [`LIST_LIMIT`] of each.
    pub findings: Vec<Finding>,
    /// The rules that found something; all findings are counted.
    pub counts: Vec<Count>,
    /// The rules that were judged; a rule not named here was not looked at.
    pub judged: Vec<RuleId>,
    /// Why rules were not judged, where some were not.
    pub stopped: Option<String>,
}

/// Findings listed per rule; further ones are only counted.
pub const LIST_LIMIT: u64 = 1000;

impl Report {
    /// Number of findings that count.
    pub fn total(&self) -> u64 {
        self.counts.iter().map(|c| c.findings).sum()
    }
}

/// Where a finding is: an offset, an id, both or none.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct At {
    pub offset: Option<u64>,
    pub id: Option<u64>,
}

impl At {
    pub const NOWHERE: Self = Self { offset: None, id: None };

    pub fn offset(offset: u64) -> Self {
        Self { offset: Some(offset), id: None }
    }

    pub fn id(id: impl Into<u64>) -> Self {
        Self { offset: None, id: Some(id.into()) }
    }

    pub fn both(offset: u64, id: impl Into<u64>) -> Self {
        Self { offset: Some(offset), id: Some(id.into()) }
    }
}

/// Findings as they are collected, by one thread.
#[derive(Debug, Clone)]
pub(super) struct Findings {
    /// True for a file that Outlook wrote, in which some deviations are only noted.
    genuine: bool,
    rules: Vec<Bucket>,
}

/// What one rule found: findings that count, and deviations that are only noted.
#[derive(Debug, Clone, Default)]
struct Bucket {
    counted: Listed,
    noted: Listed,
}

#[derive(Debug, Clone, Default)]
struct Listed {
    list: Vec<Finding>,
    all: u64,
}

impl Listed {
    fn push(&mut self, finding: impl FnOnce() -> Finding) {
        self.all += 1;
        if self.all <= LIST_LIMIT {
            self.list.push(finding());
        }
    }

    fn merge(&mut self, other: Self) {
        let room = LIST_LIMIT as usize - self.list.len().min(LIST_LIMIT as usize);
        self.list.extend(other.list.into_iter().take(room));
        self.all += other.all;
    }
}

impl Findings {
    pub fn new(genuine: bool) -> Self {
        Self { genuine, rules: vec![Bucket::default(); super::RULES.len()] }
    }

    /// None yet, of the same file, to be merged later.
    pub fn fresh(&self) -> Self {
        Self::new(self.genuine)
    }

    /// True for a file that Outlook wrote.
    pub fn genuine(&self) -> bool {
        self.genuine
    }

    /// Adds a finding of a rule, given by its number.
    pub fn add(&mut self, rule: usize, at: At, text: impl Into<String>) {
        self.put(rule, at, text.into(), false);
    }

    /// Adds what Outlook's own files have too: a finding in any other file.
    pub fn lenient(&mut self, rule: usize, at: At, text: impl Into<String>) {
        self.put(rule, at, text.into(), self.genuine);
    }

    /// Adds a finding that only counts if `strict`.
    pub fn either(&mut self, rule: usize, at: At, strict: bool, text: impl Into<String>) {
        self.put(rule, at, text.into(), !strict);
    }

    fn put(&mut self, rule: usize, at: At, text: String, info: bool) {
        let index = rule.wrapping_sub(1);
        let (Some(known), Some(bucket)) = (super::RULES.get(index), self.rules.get_mut(index)) else { return };
        let severity = if info { Severity::Info } else { known.severity };
        let At { offset, id } = at;
        let listed = if info { &mut bucket.noted } else { &mut bucket.counted };
        listed.push(|| Finding { rule: known.id, severity, offset, id, section: known.section, text });
    }

    /// Takes in what another thread found, behind what is here.
    pub fn merge(&mut self, other: Self) {
        for (bucket, more) in self.rules.iter_mut().zip(other.rules) {
            bucket.counted.merge(more.counted);
            bucket.noted.merge(more.noted);
        }
    }

    /// Everything by rule, and the counts.
    pub fn into_parts(self) -> (Vec<Finding>, Vec<Count>) {
        let mut findings = Vec::new();
        let mut counts = Vec::new();
        for (rule, Bucket { counted, noted }) in super::RULES.iter().zip(self.rules) {
            if counted.all + noted.all > 0 {
                counts.push(Count { rule: rule.id, findings: counted.all, informational: noted.all });
            }
            findings.extend(counted.list.into_iter().chain(noted.list));
        }
        (findings, counts)
    }
}
