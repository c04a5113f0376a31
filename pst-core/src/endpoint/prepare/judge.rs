//! A PST against the importers' limits.

use super::limits::{self, Cure, Finding, Rule, Spot};
use crate::check::{self, Severity};
use crate::endpoint::pst::PstSource;
use crate::error::{Error, Kind, Result};
use crate::mapi::{Blob, Message, Value};
use crate::messaging::Store;
use crate::ndb::{Nid, Variant};
use crate::pipeline::Folder;
use rayon::prelude::*;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

/// Findings of one rule that are listed one by one; all are counted.
pub const LISTED: u64 = 1000;
/// Items that are looked at before the user can stop the run again.
const BATCH: usize = 512;

/// How a PST is judged.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// The largest PST, bytes.
    pub pst: u64,
    /// The largest item, bytes.
    pub item: u64,
    /// Levels that the target puts above the top of the PST.
    pub levels_above: usize,
    /// The code page of 8-bit strings that do not say theirs.
    pub codepage: Option<u32>,
}

impl Default for Options {
    fn default() -> Self {
        let figure = |rule: &Rule| rule.figure.unwrap_or(u64::MAX);
        Self { pst: figure(&limits::PST_SIZE), item: figure(&limits::ITEM_SIZE), levels_above: 0, codepage: None }
    }
}

/// What was found in a file.
#[derive(Debug, Default)]
pub struct Judged {
    /// The file.
    pub path: PathBuf,
    /// Its size, bytes.
    pub bytes: u64,
    /// What it is, such as "Unicode PST"; empty where it cannot be opened.
    pub kind: String,
    /// True for an ANSI PST.
    pub ansi: bool,
    /// The code page of its 8-bit strings, in ANSI PSTs.
    pub codepage: Option<u32>,
    /// Items that folders show.
    pub items: u64,
    /// Folder-associated items, such as views and rules, which are imported too.
    pub associated: u64,
    /// Folders below the top.
    pub folders: u64,
    /// Levels of folders below the top.
    pub levels: usize,
    /// Size of the largest item, bytes.
    pub largest: u64,
    /// Findings by rule, at most [`LISTED`] of each.
    pub findings: Vec<Finding>,
    /// How many there are, by the ids of their rules.
    pub counts: BTreeMap<&'static str, u64>,
}

impl Judged {
    /// Adds a finding.
    pub fn add(&mut self, finding: Finding) {
        let count = self.counts.entry(finding.rule.id).or_default();
        *count += 1;
        if *count <= LISTED {
            self.findings.push(finding);
        }
    }

    /// True unless something has to be seen to before the import.
    pub fn is_ready(&self) -> bool {
        !self.findings.iter().any(|f| f.rule.effect.counts())
    }

    /// True if the importers take nothing of it.
    pub fn is_refused(&self) -> bool {
        self.findings.iter().any(|f| f.rule.effect == limits::Effect::Refused)
    }

    /// True if a new PST would be free of something that was found here.
    pub fn needs_rewriting(&self) -> bool {
        self.findings.iter().any(|f| f.rule.cure == Cure::Rewrite)
    }

    /// Findings of a rule.
    pub fn count(&self, rule: &Rule) -> u64 {
        self.counts.get(rule.id).copied().unwrap_or_default()
    }
}

/// Judges a file: reads every item in full, and asks [`check::check`]. A file that cannot be opened is a finding.
///
/// # Errors
/// [`Kind::Interrupted`] once `stop` is set.
pub fn judge(path: &Path, options: &Options, stop: &AtomicBool) -> Result<Judged> {
    let mut out = Judged { path: path.to_path_buf(), ..Judged::default() };
    out.bytes = std::fs::metadata(path).map_or(0, |m| m.len());
    let source = match PstSource::open(path) {
        Ok(source) => source.with_codepage(options.codepage),
        Err(e) => {
            out.add(limits::UNREADABLE.found(e.text()));
            return Ok(out);
        }
    };
    kind(&mut out, source.store());
    if out.bytes > options.pst {
        out.add(limits::PST_SIZE.found(format!("it has {}, more than {}", size(out.bytes), size(options.pst))));
    }
    contents(&mut out, &source, options, stop)?;
    structure(&mut out);
    Ok(out)
}

fn kind(out: &mut Judged, store: &Store) {
    let header = store.ndb().header();
    let layout = match header.variant {
        Variant::Ansi => "ANSI",
        Variant::Unicode => "Unicode",
        Variant::Unicode4k => "Unicode (4K pages)",
    };
    out.kind = format!("{layout} {}", if header.ost { "OST" } else { "PST" });
    out.ansi = header.variant == Variant::Ansi;
    if header.ost || header.variant == Variant::Unicode4k {
        out.add(limits::OST.found("it is the cache of a mailbox on a server, which the importers do not read"));
    }
    if store.has_password() {
        out.add(limits::PASSWORD.found("it has a password, and the importers have nowhere to give it"));
    }
    if out.ansi {
        let page = store.codepage();
        out.codepage = Some(page);
        let text = format!("it is an ANSI PST; its 8-bit texts are taken for code page {page}");
        out.add(limits::ANSI.found(text));
    }
}

/// Folders and items.
fn contents(out: &mut Judged, source: &PstSource, options: &Options, stop: &AtomicBool) -> Result<()> {
    let mut errors = Vec::new();
    let tree = source.tree(&mut errors);
    for e in errors {
        out.add(limits::DAMAGED_FOLDER.found(told(&e)));
    }
    let mut below: HashMap<Option<usize>, u64> = HashMap::new();
    let mut deepest: Option<&Folder> = None;
    for (node, folder) in tree.iter().filter(|(_, f)| !f.search) {
        out.folders += u64::from(!folder.path.is_empty());
        *below.entry(node.parent).or_default() += 1;
        if deepest.is_none_or(|d| d.path.len() < folder.path.len()) {
            deepest = Some(folder);
        }
        items(out, source.store(), Nid(node.nid.0), folder, options, stop)?;
    }
    let largest = below.values().copied().max().unwrap_or_default();
    if largest > limits::SUBFOLDERS.figure.unwrap_or(u64::MAX) {
        out.add(limits::SUBFOLDERS.found(format!("a folder has {largest} folders right below it")));
    }
    out.levels = deepest.map_or(0, |f| f.path.len());
    let levels = out.levels + options.levels_above;
    if levels as u64 >= limits::DEPTH.figure.unwrap_or(u64::MAX) {
        let name = deepest.and_then(|f| f.path.last()).cloned().unwrap_or_default();
        out.add(limits::DEPTH.found(format!("folders are nested {levels} levels deep, down to \"{name:.80}\"")));
    }
    if out.items + out.associated == 0 {
        out.add(limits::EMPTY.found("it holds no items"));
    }
    Ok(())
}

/// The items of one folder.
fn items(
    out: &mut Judged,
    store: &Store,
    nid: Nid,
    folder: &Folder,
    options: &Options,
    stop: &AtomicBool,
) -> Result<()> {
    let path = folder.path.join("/");
    let mut shown = 0;
    for associated in [false, true] {
        let mut errors = Vec::new();
        let listed = store.contents(nid, associated, &mut errors);
        for e in errors {
            let spot = Spot { folder: path.clone(), ..Spot::default() };
            out.add(limits::DAMAGED_FOLDER.at(spot, told(&e)));
        }
        *if associated { &mut out.associated } else { &mut out.items } += listed.len() as u64;
        shown = shown.max(listed.len() as u64);
        for batch in listed.chunks(BATCH) {
            if stop.load(Ordering::Relaxed) {
                return Err(Error::new(Kind::Interrupted, "stopped; nothing was written"));
            }
            let judged: Vec<_> = batch.par_iter().map(|l| item(store, l.nid, options.item)).collect();
            for (bytes, found) in judged {
                out.largest = out.largest.max(bytes);
                for (rule, text, subject) in found {
                    let bytes = (bytes > 0).then_some(bytes);
                    out.add(rule.at(Spot { folder: path.clone(), bytes, ..subject }, text));
                }
            }
        }
    }
    if shown > limits::FOLDER_ITEMS.figure.unwrap_or(u64::MAX) {
        let spot = Spot { folder: path, ..Spot::default() };
        out.add(limits::FOLDER_ITEMS.at(spot, format!("the folder has {shown} items")));
    }
    Ok(())
}

type Found = Vec<(&'static Rule, String, Spot)>;

/// One item: its size, and what is wrong with it.
fn item(store: &Store, nid: Nid, limit: u64) -> (u64, Found) {
    let spot = || Spot {
        item: nid.to_string(),
        subject: store.summary(nid).map(|s| s.subject).unwrap_or_default(),
        ..Spot::default()
    };
    let (message, errors) = match store.message(nid) {
        Ok(read) => read,
        Err(e) => return (0, vec![(&limits::DAMAGED_ITEM, format!("it cannot be read: {}", told(&e)), spot())]),
    };
    let mut found = Vec::new();
    let (bytes, torn) = weigh(&message);
    if let Some(e) = errors.into_iter().chain(torn).next() {
        found.push((&limits::DAMAGED_ITEM, format!("a part of it cannot be read: {}", told(&e)), spot()));
    }
    if bytes > limit {
        let text = format!("it has {}, more than {}", size(bytes), size(limit));
        found.push((&limits::ITEM_SIZE, text, spot()));
    } else if bytes > limits::ITEM_LARGE.figure.unwrap_or(u64::MAX) {
        found.push((&limits::ITEM_LARGE, format!("it has {}", size(bytes)), spot()));
    }
    (bytes, found)
}

/// An error with its place, but without the file that all findings are about.
fn told(e: &Error) -> String {
    let text = e.to_string();
    let file = e.path().map(|p| format!("{}: ", p.display())).unwrap_or_default();
    text.strip_prefix(&file).unwrap_or(&text).to_owned()
}

/// The bytes of everything in a message, which the importers count too, and the first trouble in reading them.
fn weigh(message: &Message) -> (u64, Option<Error>) {
    let (mut bytes, mut trouble) = (0, None);
    let mut open = vec![message];
    while let Some(message) = open.pop() {
        let bags = std::iter::once(&message.props)
            .chain(&message.recipients)
            .chain(message.attachments.iter().map(|a| &a.props));
        for prop in bags.flat_map(|bag| &bag.0) {
            bytes += prop.value.size();
            if let Value::Binary(blob @ Blob::Stream(_)) | Value::Object(blob @ Blob::Stream(_)) = &prop.value
                && trouble.is_none()
            {
                trouble = drained(blob).err();
            }
        }
        open.extend(message.attachments.iter().filter_map(|a| a.embedded.as_deref()));
    }
    (bytes, trouble)
}

fn drained(blob: &Blob) -> Result<()> {
    let failed = |e: std::io::Error| Error::new(Kind::Damaged, e.to_string()).within("attachment");
    let read = std::io::copy(&mut blob.open()?, &mut std::io::sink()).map_err(failed)?;
    if read == blob.len() {
        return Ok(());
    }
    Err(Error::damaged("attachment", format!("{read} of {} bytes are there", blob.len())))
}

/// What `check` says of the file.
fn structure(out: &mut Judged) {
    let report = match check::check(&out.path, &check::Options::default()) {
        Ok(report) => report,
        Err(e) => return out.add(limits::STRUCTURE.found(format!("it could not be judged: {}", e.text()))),
    };
    for (rule, severity) in [(&limits::STRUCTURE, Severity::Fatal), (&limits::REPAIRABLE, Severity::Repair)] {
        let of = |id: &str| check::RULES.iter().any(|r| r.id == id && r.severity == severity);
        let counts: Vec<_> = report.counts.iter().filter(|c| c.findings > 0 && of(c.rule)).collect();
        let Some(first) = report.findings.iter().find(|f| f.severity == severity) else { continue };
        let total: u64 = counts.iter().map(|c| c.findings).sum();
        let rules: Vec<&str> = counts.iter().map(|c| c.rule).collect();
        let text = format!("pst check finds {total} ({}); the first: {}", rules.join(" "), first.text);
        out.add(rule.found(text));
    }
}

/// "1.5 GB", in steps of 1024, as the importers' limits are.
pub fn size(bytes: u64) -> String {
    let steps = [(30, "GB"), (20, "MB"), (10, "kB")];
    match steps.into_iter().find(|(shift, _)| bytes >> shift > 0) {
        Some((shift, unit)) => {
            let tenths = (u128::from(bytes) * 10) >> shift;
            format!("{}.{} {unit}", tenths / 10, tenths % 10)
        }
        None => format!("{bytes} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn sizes() {
        let shown = [0, 1023, 1024, 150 << 20, (150 << 20) + (1 << 19), u64::MAX].map(size);
        assert_eq!(shown, ["0 bytes", "1023 bytes", "1.0 kB", "150.0 MB", "150.5 MB", "17179869183.9 GB"]);
    }
}
