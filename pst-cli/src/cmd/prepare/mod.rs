//! `pst prepare`.

mod choices;
mod json;
mod output;
mod sources;
mod text;

use crate::args::prepare::Prepare;
use crate::exit::Outcome;
use crate::ui::Talk;
use crate::ui::events::Events;
use crate::ui::progress::Progress;
use pst_core::endpoint::prepare::limits::{
    CHOICE_NOTE, DAMAGED_ITEM, FILE_NAME, ITEM_SIZE, NO_FILE, NO_ROW, TWO_ROWS, UPLOAD_NAME,
};
use pst_core::endpoint::prepare::mapping::{self, Entry};
use pst_core::endpoint::prepare::{
    Choice, Finding, Judged, Mailboxes, Names, Options, RewriteOptions, Users, judge, rewrite, target_root,
    troublesome, upload_name,
};
use pst_core::pipeline::{Event, Report};
use pst_core::{Error, Kind, Result};
use sources::{Found, sources};
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// A source, and what is imported of it: itself, or the new PSTs that were made of it.
struct Prepared {
    source: Found,
    /// The source as it was found.
    judged: Judged,
    /// The row of the list that is about it.
    row: Option<usize>,
    /// What its row says, and else the command line.
    choice: Choice,
    /// Its name on upload, or that of its first new PST.
    name: String,
    /// The new PSTs, and the account of how they were made.
    written: Option<(Vec<Judged>, Report)>,
}

impl Prepared {
    /// What is to be imported.
    fn finals(&self) -> &[Judged] {
        match &self.written {
            Some((parts, _)) => parts,
            None => std::slice::from_ref(&self.judged),
        }
    }
}

/// Everything that a run found and made.
struct Run<'a> {
    args: &'a Prepare,
    files: Vec<Prepared>,
    /// Files in the folders that are neither PST nor OST.
    others: u64,
    users: Option<Users>,
    /// Findings about the list as a whole.
    of_list: Vec<Finding>,
    container_path: String,
    entries: Vec<Entry>,
    /// Files that were written beside the PSTs.
    written: Vec<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// When there is nothing to prepare, the list cannot be understood, or the folder cannot be written.
pub fn run(a: &Prepare) -> Result<Outcome> {
    let stop = crate::exit::on_interrupt();
    let container_path = mapping::container_path(a.container_path.as_deref().unwrap_or_default())?;
    let unc = a.unc.as_deref().map(share).transpose()?;
    let (found, others) = sources(&a.paths, a.out.as_deref())?;
    let users = a.map.as_deref().map(|map| Users::read(map, Mailboxes::Exchange)).transpose()?;
    let out = a.out.as_deref().map(|o| std::path::absolute(o).unwrap_or_else(|_| o.to_path_buf()));
    if let Some(out) = &out {
        output::begin(out, a.overwrite)?;
    }
    let mut files = judged(a, found, users.as_ref(), &stop)?;
    named(a, &mut files);
    if let Some(out) = &out {
        written(a, out, &mut files, &stop)?;
    }
    let mut run = Run {
        args: a,
        others,
        of_list: of_list(&files, users.as_ref()),
        entries: Vec::new(),
        written: Vec::new(),
        files,
        users,
        container_path,
    };
    run.entries = entries(&run, unc.as_deref());
    if let Some(out) = &out {
        run.written = output::write(out, &run)?;
    }
    if a.json {
        json::print(&run)?;
    } else {
        text::print(&run)?;
    }
    Ok(if run.is_ready() { Outcome::Done } else { Outcome::Flawed })
}

impl Run<'_> {
    fn is_ready(&self) -> bool {
        self.files.iter().all(|f| f.finals().iter().all(Judged::is_ready))
            && !self.of_list.iter().any(|f| f.rule.effect.counts())
    }
}

fn talk(json: bool) -> Arc<dyn Talk> {
    if json { Arc::new(Events::new()) } else { Arc::new(Progress::new()) }
}

/// Judges every file by what its row asks for.
fn judged(a: &Prepare, found: Vec<Found>, users: Option<&Users>, stop: &AtomicBool) -> Result<Vec<Prepared>> {
    let given = Choice {
        archive: a.archive.then_some(true),
        target_root: a.target_root.as_deref().map(target_root),
        code_page: a.code_page,
    };
    let observer = talk(a.json);
    observer.event(&Event::Planned { folders: 0, items: found.len() as u64 });
    let mut out = Vec::new();
    for source in found {
        observer.event(&Event::Folder(&source.below));
        let rows = users.map(|u| u.rows_of(&source.below)).unwrap_or_default();
        let row = rows.first().copied();
        let choice = row.and_then(|i| users?.rows.get(i)).map(|r| r.choice.clone()).unwrap_or_default().or(&given);
        let mut judged = judge(&source.path, &options(a, &choice), stop)?;
        let same = |i: &usize| {
            let all = users.map(|u| u.rows.as_slice()).unwrap_or_default();
            let first = row.and_then(|r| all.get(r));
            all.get(*i).zip(first).is_some_and(|(a, b)| a.mailbox == b.mailbox && a.choice == b.choice)
        };
        let ambiguous = !rows.iter().all(same);
        if ambiguous {
            let lines: Vec<String> =
                rows.iter().filter_map(|i| users?.rows.get(*i)).map(|r| r.line.to_string()).collect();
            judged.add(
                TWO_ROWS.found(format!("lines {} of the list are about it, with unlike contents", lines.join(", "))),
            );
        } else if users.is_some() && row.is_none() {
            judged.add(NO_ROW.found("no row of the list names it, so it is not in the mapping file"));
        }
        observer.event(&Event::Progress { items: 1, bytes: judged.bytes });
        let row = row.filter(|_| !ambiguous);
        out.push(Prepared { source, judged, row, choice, name: String::new(), written: None });
    }
    observer.end();
    Ok(out)
}

fn options(a: &Prepare, choice: &Choice) -> Options {
    let usual = Options::default();
    let levels_above = match choice.target_root.as_deref() {
        // Microsoft 365 makes a folder "Imported".
        None => 1,
        Some(root) => root.split('/').filter(|n| !n.is_empty()).count(),
    };
    Options {
        pst: a.pst_limit.unwrap_or(usual.pst),
        item: a.item_limit.unwrap_or(usual.item),
        levels_above,
        codepage: choice.code_page,
    }
}

/// True if new PSTs are to be made of a file.
fn is_rewritten(a: &Prepare, judged: &Judged) -> bool {
    let opens = !judged.kind.is_empty();
    opens && ((a.repair && judged.needs_rewriting()) || a.split.is_some_and(|limit| judged.bytes > limit))
}

/// Gives each file its name on upload.
fn named(a: &Prepare, files: &mut [Prepared]) {
    let mut times: HashMap<String, usize> = HashMap::new();
    for f in files.iter() {
        *times.entry(upload_name(&[], f.source.name()).to_lowercase()).or_default() += 1;
    }
    let mut names = Names::default();
    for f in files {
        let plain = upload_name(&[], f.source.name());
        let alone = times.get(&plain.to_lowercase()) == Some(&1);
        let wanted = if alone { plain } else { upload_name(&f.source.folders(), f.source.name()) };
        let rewritten = is_rewritten(a, &f.judged);
        f.name = names.take(&wanted, rewritten && a.split.is_some());
        if !rewritten && f.name != f.source.name() {
            f.judged.add(UPLOAD_NAME.found(format!("it is uploaded as {}", f.name)));
        }
        if let Some(why) = troublesome(&f.source.path).filter(|_| !rewritten) {
            f.judged.add(FILE_NAME.found(why));
        }
        if let Some(page) = f.choice.code_page.filter(|_| !f.judged.ansi && !f.judged.kind.is_empty()) {
            let text = format!("code page {page} is not put into the mapping: only ANSI PSTs have 8-bit texts");
            f.judged.add(CHOICE_NOTE.found(text));
        }
    }
}

/// Makes the new PSTs that were asked for, and judges them.
fn written(a: &Prepare, out: &Path, files: &mut [Prepared], stop: &Arc<AtomicBool>) -> Result<()> {
    for f in files.iter_mut().filter(|f| is_rewritten(a, &f.judged)) {
        let how = RewriteOptions {
            split: a.split,
            overwrite: a.overwrite,
            codepage: f.choice.code_page,
            stop: Arc::clone(stop),
        };
        let observer = talk(a.json);
        let made = rewrite(&f.source.path, out, &f.name, &how, &*observer);
        observer.end();
        let made = made?;
        let judge = |path: &PathBuf| judge(path, &options(a, &f.choice), stop);
        let mut parts: Vec<Judged> = made.parts.iter().map(judge).collect::<Result<_>>()?;
        if let Some(first) = parts.first_mut() {
            made.tell(first);
            // What was found about the row and not about the file holds for what was made of it.
            let of_row = |finding: &&Finding| [NO_ROW.id, TWO_ROWS.id].contains(&finding.rule.id);
            f.judged.findings.iter().filter(of_row).cloned().for_each(|finding| first.add(finding));
        }
        f.written = Some((parts, made.report));
    }
    Ok(())
}

/// Rows that no file is for, and what is wrong with rows.
fn of_list(files: &[Prepared], users: Option<&Users>) -> Vec<Finding> {
    let Some(users) = users else { return Vec::new() };
    let used: HashSet<usize> = files.iter().flat_map(|f| users.rows_of(&f.source.below)).collect();
    let idle = users.rows.iter().enumerate().filter(|(i, _)| !used.contains(i)).map(|(_, row)| {
        let name = &row.file;
        NO_FILE.found(format!("line {}: no PST that has no better row is named \"{name:.120}\"", row.line))
    });
    users.findings.iter().cloned().chain(idle).collect()
}

/// What goes into the mapping and the requests: whatever is not refused and has its mailbox.
fn entries(run: &Run<'_>, unc: Option<&str>) -> Vec<Entry> {
    let mut out = Vec::new();
    for f in &run.files {
        let row = f.row.and_then(|i| run.users.as_ref()?.rows.get(i)).filter(|r| !r.mailbox.is_empty());
        let Some(row) = row else { continue };
        for part in f.finals().iter().filter(|j| !j.is_refused()) {
            let is_new = f.written.is_some();
            let name = if is_new { file_name(part) } else { f.name.clone() };
            let below = if is_new { name.clone() } else { f.source.below.replace('/', "\\") };
            out.push(Entry {
                path: part.path.clone(),
                name,
                unc: unc.map(|share| format!("{share}\\{below}")),
                mailbox: row.mailbox.clone(),
                archive: f.choice.archive.unwrap_or_default(),
                target_root: f.choice.target_root.clone(),
                code_page: part.codepage,
                remarks: remarks(part),
            });
        }
    }
    out
}

/// What Exchange Server stops at.
fn remarks(judged: &Judged) -> Vec<String> {
    let mut out = Vec::new();
    for (rule, what, option) in [
        (&DAMAGED_ITEM, "damaged", "-BadItemLimit"),
        (&ITEM_SIZE, "larger than the mailbox may take", "-LargeItemLimit"),
    ] {
        let n = judged.count(rule);
        if n > 0 {
            let accept = if n > 50 { " -AcceptLargeDataLoss" } else { "" };
            out.push(format!(
                "Items that are {what}: {n}. The request fails at them unless it has {option} {n}{accept}."
            ));
        }
    }
    out
}

fn file_name(judged: &Judged) -> String {
    judged.path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default()
}

/// A share as Exchange Server wants it.
fn share(text: &str) -> Result<String> {
    let path = text.replace('/', "\\");
    let path = path.trim_end_matches('\\');
    let mut parts = path.strip_prefix("\\\\").unwrap_or_default().split('\\');
    let named = |part: Option<&str>| part.is_some_and(|p| !p.is_empty());
    if named(parts.next()) && named(parts.next()) && !path.chars().any(char::is_control) {
        return Ok(path.to_owned());
    }
    Err(Error::new(Kind::Usage, format!("--unc \"{text:.120}\" is not a share such as \\\\server\\share")))
}
