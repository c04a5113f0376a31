//! What the choices of an import mean, told for those that were made.

use super::Run;
use pst_core::endpoint::prepare::mapping::{Entry, ROWS};
use std::collections::BTreeMap;

/// Bytes that Microsoft 365 imports in a day at least, says Microsoft.
const A_DAY: u64 = 24 << 30;

/// One choice, and what it does.
pub struct Told {
    /// The column of the mapping file, or another heading.
    pub of: &'static str,
    /// What is chosen; empty for nothing.
    pub value: String,
    /// PSTs that it is for.
    pub psts: usize,
    /// What it means.
    pub meaning: String,
}

/// The choices of all rows, and how imports are repeated.
pub fn told(run: &Run<'_>) -> Vec<Told> {
    let mut out = Vec::new();
    let entries = &run.entries;
    let tell = |of: &'static str, value: String, psts: usize, meaning: String| Told { of, value, psts, meaning };
    for (value, n) in counted(entries, |e| e.target_root.clone().unwrap_or_default()) {
        let meaning = match value.as_str() {
            "" => "Microsoft 365 puts the PST's folders below a new folder \"Imported\"; Exchange Server merges them into the \
                   mailbox's own. --target-root / merges in both."
                .to_owned(),
            "/" => "the PST's folders merge into the mailbox's own, Inbox into Inbox; those that are not there are made.".to_owned(),
            other => format!("the PST's folders go below the folder \"{}\", which is made.", other.trim_start_matches('/')),
        };
        out.push(tell("TargetRootFolder", value, n, meaning));
    }
    for (value, n) in counted(entries, |e| e.archive.to_string().to_uppercase()) {
        let meaning = match value.as_str() {
            "TRUE" => "into the archive mailbox, which must be enabled, and whose quota holds.",
            _ => "into the primary mailbox.",
        };
        out.push(tell("IsArchive", value, n, meaning.to_owned()));
    }
    for (value, n) in counted(entries, |e| e.code_page.map(|p| p.to_string()).unwrap_or_default()) {
        let meaning = match value.as_str() {
            "" => "Unicode PSTs need none.".to_owned(),
            page => format!(
                "8-bit texts of ANSI PSTs, such as names of folders, are read in code page {page}, which --code-page or the \
                 list named, or else most of their items do."
            ),
        };
        out.push(tell("ContentCodePage", value, n, meaning));
    }
    if !entries.is_empty() {
        let path = run.container_path.clone();
        let meaning = if path.is_empty() {
            "the PSTs lie in the container ingestiondata itself (--container-path names a folder in it)."
        } else {
            "the PSTs lie in this folder of the container ingestiondata; the case of its letters matters."
        };
        out.push(tell("FilePath", path, entries.len(), meaning.to_owned()));
    }
    if entries.len() > ROWS {
        let meaning = format!("a mapping file has {ROWS} rows at most; each file is an import job of its own.");
        out.push(tell("Rows", entries.len().to_string(), entries.len(), meaning));
    }
    out
}

/// What holds for every import.
pub fn repeated(run: &Run<'_>) -> Vec<String> {
    let mut out = vec![
        "A second import of the same PST into the same folder skips what the first brought: Exchange knows items by their \
         entry ids. Another PST with the same mail brings it twice."
            .to_owned(),
    ];
    if run.files.iter().any(|f| f.written.is_some()) {
        out.push(
            "The ids in PSTs written here are made of their content: from the same source, with the same options and the \
             same version of pst, they are the same each time. They are not those of the source: import either it or them."
                .to_owned(),
        );
    }
    let mut mailboxes: BTreeMap<String, u64> = BTreeMap::new();
    for e in &run.entries {
        let bytes = std::fs::metadata(&e.path).map_or(0, |m| m.len());
        *mailboxes.entry(e.mailbox.to_lowercase()).or_default() += bytes;
    }
    if let Some((mailbox, bytes)) =
        mailboxes.iter().max_by_key(|(_, bytes)| **bytes).filter(|(_, bytes)| **bytes > A_DAY)
    {
        let days = bytes.div_ceil(A_DAY);
        out.push(format!(
            "{mailbox} gets most, about {days} days of import at the 24 GB a day that Microsoft 365 takes at least."
        ));
    }
    if !run.entries.is_empty() {
        out.push(
            "Microsoft 365 holds the mailbox's retention (retention hold) from the import on, until somebody lifts it."
                .to_owned(),
        );
    }
    out
}

/// Values and how often they are there, in the order in which they first come.
fn counted(entries: &[Entry], value: impl Fn(&Entry) -> String) -> Vec<(String, usize)> {
    let mut out: Vec<(String, usize)> = Vec::new();
    for value in entries.iter().map(value) {
        match out.iter_mut().find(|(known, _)| *known == value) {
            Some((_, n)) => *n += 1,
            None => out.push((value, 1)),
        }
    }
    out
}
