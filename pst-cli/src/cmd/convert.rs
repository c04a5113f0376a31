//! `pst convert`.

use super::input::{Input, inputs};
use super::summary::{Deletion, summary};
use crate::args::{Calendar, Convert, Crypt, Duplicates, Vcard};
use crate::exit::{self, Outcome};
use crate::report::{self, Account};
use crate::ui::text::say;
use crate::ui::{Talk, talk};
use pst_core::endpoint::directory::{Learnt, read_map};
use pst_core::endpoint::pst::parts_of;
use pst_core::endpoint::{self, SourceOptions, TargetOptions};
use pst_core::mime::contact::Version;
use pst_core::pipeline::journal::Journal;
use pst_core::pipeline::{self, FolderFilter, ItemFilter, Mounted, Rehearsal, Report, RunOptions, Sink, Source};
use pst_core::{Error, Kind, Result, mime};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

/// Bytes of items between a mail server and the target, beside those that are fetched ahead.
const FETCHED: u64 = 8 << 20;

/// Runs the command.
///
/// # Errors
/// When a source cannot be opened or the target cannot be written.
pub fn run(a: &Convert) -> Result<Outcome> {
    let stop = exit::on_interrupt();
    if let Some(path) = &a.report {
        report::kind(path)?;
    }
    #[cfg(feature = "network")]
    if let Some(folder) = &a.fetch.all_accounts {
        return super::fetch::all(a, folder, &stop);
    }
    #[cfg(feature = "network")]
    if let Some(map) = &a.push.mailboxes {
        return super::push_many::run(a, map, &stop);
    }
    #[cfg(feature = "network")]
    if let Some((inputs, mailbox)) = super::push::ends(a, &stop)? {
        let name = super::push::name(&mailbox);
        let a = &super::push_graph::below(a, &mailbox.account)?;
        return one(a, inputs, Target::mailbox(&name, mailbox), a.report.as_deref(), &stop);
    }
    let (sources, target) = ends(a)?;
    if a.duplicates == Duplicates::Replace {
        let text = "--duplicates replace is for mailboxes on servers; other targets are new, or added to";
        return Err(Error::new(Kind::Usage, text));
    }
    let inputs = inputs(a, sources, &target, &stop)?;
    one(a, inputs, Target::new(&target), a.report.as_deref(), &stop)
}

/// Where items go.
pub struct Target<'t> {
    name: &'t str,
    /// The mailbox, where the target is one on a server.
    #[cfg(feature = "network")]
    mailbox: Option<super::fetch::Remote>,
}

impl<'t> Target<'t> {
    /// A target that is none on a server.
    pub fn new(name: &'t str) -> Self {
        Self {
            name,
            #[cfg(feature = "network")]
            mailbox: None,
        }
    }

    /// A mailbox on a server, and its address.
    #[cfg(feature = "network")]
    pub fn mailbox(name: &'t str, mailbox: super::fetch::Remote) -> Self {
        Self { name, mailbox: Some(mailbox) }
    }
}

/// A run that has ended.
pub struct Ran {
    /// The target, as it was given.
    pub target: String,
    /// What happened.
    pub report: Report,
    /// Files in the sources that are none of their items.
    pub not_taken: Vec<PathBuf>,
    /// What became of mail that was to be deleted on servers.
    pub deletion: Deletion,
    /// How long it took.
    pub seconds: f64,
}

impl Ran {
    /// True if items failed, are damaged or stay, or the run did not get to its end.
    pub fn is_flawed(&self) -> bool {
        self.report.failed + self.report.damaged > 0 || !self.deletion.kept.is_empty() || self.report.ended.is_some()
    }
}

/// One run: from these sources into this target.
///
/// # Errors
/// As [`run`].
pub fn one(
    a: &Convert,
    inputs: Vec<Input>,
    to: Target<'_>,
    account: Option<&Path>,
    stop: &Arc<AtomicBool>,
) -> Result<Outcome> {
    let ran = carry(a, inputs, to, account, &talk(a.json), stop)?;
    match summary(a, &ran) {
        Err(e) if exit::is_closed_pipe(&e) => {}
        told => told?,
    }
    let outcome = if ran.is_flawed() { Outcome::Flawed } else { Outcome::Done };
    match ran.report.ended {
        Some(e) if e.kind() == Kind::Interrupted => return Err(e),
        Some(e) => say(format!("pst: {e}")),
        None => {}
    }
    ran.deletion.failed.into_iter().next().map_or(Ok(outcome), Err)
}

/// Carries items from these sources into this target, and writes the account of it.
///
/// # Errors
/// As [`run`].
pub fn carry(
    a: &Convert,
    inputs: Vec<Input>,
    to: Target<'_>,
    account: Option<&Path>,
    observer: &Arc<dyn Talk>,
    stop: &Arc<AtomicBool>,
) -> Result<Ran> {
    let (started, begun) = (Instant::now(), jiff::Timestamp::now());
    let names: Vec<String> = inputs.iter().map(Input::title).collect();
    let folders = folders(a, &inputs)?;
    let target = to.name;
    #[cfg(feature = "network")]
    let mailbox = to.mailbox;
    #[cfg(feature = "network")]
    let is_mailbox = mailbox.is_some();
    #[cfg(not(feature = "network"))]
    let is_mailbox = false;
    let items = items(a, !is_mailbox && endpoint::keeps_associated(target));
    #[cfg(feature = "network")]
    let growing = super::fetch::Grown::new(a, &inputs, target)?;
    let local: Vec<String> = inputs.iter().filter_map(|i| i.local().map(str::to_owned)).collect();
    let remote = inputs.iter().any(|i| i.local().is_none());
    let several = inputs.len() > 1 && a.target_root.is_none();
    let (mut mounted, mut others, mut used) = (Vec::new(), Vec::new(), Vec::new());
    #[cfg(feature = "network")]
    let (mut journals, mut deletions) = (Vec::new(), Vec::new());
    for input in inputs {
        let single = a.target_root.is_none() && input.local().is_some_and(endpoint::is_single_mbox);
        let under = match input.place() {
            Some(place) => place.to_vec(),
            None if several || single => vec![unique(&input.name(), &mut used)],
            None => Vec::new(),
        };
        let (source, journal): (_, Option<Arc<dyn Journal>>) = match input {
            Input::Local(spec) => (endpoint::open(&spec, reading(a))?, None),
            #[cfg(feature = "network")]
            Input::Row(row) => (endpoint::open(&row.file, row.reading)?, None),
            #[cfg(feature = "network")]
            Input::Remote(remote) => {
                let opened = super::fetch::open(*remote, a, &items, &growing, stop, observer)?;
                // A dry run asks what is there, but takes no notes.
                let journal = opened.journal.filter(|_| !a.dry_run);
                journals.extend(journal.clone());
                deletions.extend(opened.delete.filter(|_| !a.dry_run));
                (opened.source, journal.map(|j| j as Arc<dyn Journal>))
            }
        };
        others.extend_from_slice(source.not_taken());
        mounted.push(Mounted { source, under, journal });
    }
    // The same message may be there twice; of its attachments, the second ones are only listed.
    let only_attachments = target.starts_with("attachments:");
    let options = RunOptions {
        threads: a.threads,
        folders,
        items,
        in_flight: if remote { FETCHED } else { 0 },
        bad_items: a.bad_item_limit,
        large_items: a.large_item_limit,
        skip_duplicates: a.duplicates == Duplicates::Skip && !only_attachments,
        stop: Arc::clone(stop),
    };
    let title = mounted.first().map(|m| m.source.title()).unwrap_or_default();
    let learnt = mounted.iter().filter(|m| m.journal.is_none()).map(|m| Arc::clone(&m.source)).collect();
    let how = target_options(a, title, learnt)?;
    #[cfg(feature = "network")]
    let opened = match mailbox {
        Some(remote) => Some(super::push::sink(remote, a, how.mail.clone(), stop, observer)?),
        None => growing.sink(),
    };
    #[cfg(not(feature = "network"))]
    let opened = None;
    let sink: Box<dyn Sink> = match opened {
        Some(sink) => sink,
        None => {
            let sink = endpoint::create(target, &local, &how)?;
            if a.dry_run { Box::new(Rehearsal::of(sink)) } else { sink }
        }
    };
    let result = pipeline::run(&mounted, sink, &options, &**observer);
    observer.end();
    let report = result?;
    // What is told may find nobody to listen; what is to be done is done before.
    #[cfg(not(feature = "network"))]
    let deletion = Deletion::default();
    #[cfg(feature = "network")]
    let deletion = {
        // A run in which items failed has not come to its end.
        if report.failed == 0 {
            journals.iter().try_for_each(|j| j.finished(begun.as_second()))?;
        }
        super::fetch::delete(&deletions)
    };
    let seconds = started.elapsed().as_secs_f64();
    if let Some(path) = account {
        let account = Account {
            sources: names,
            target: target.to_owned(),
            dry_run: a.dry_run,
            started: begun.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
            seconds,
            report: &report,
            target_counts: if a.dry_run { None } else { report::counts(&parts(a, target)) },
        };
        account.write(path)?;
    }
    Ok(Ran { target: target.to_owned(), report, not_taken: others, deletion, seconds })
}

/// How sources are read.
pub fn reading(a: &Convert) -> SourceOptions {
    a.ansi.reading()
}

/// The files of the target, if it is a PST.
fn parts(a: &Convert, target: &str) -> Vec<PathBuf> {
    match (endpoint::pst_target(target), a.split) {
        (None, _) => Vec::new(),
        (Some(path), None) => vec![path.to_path_buf()],
        (Some(path), Some(_)) => parts_of(path),
    }
}

fn folders(a: &Convert, inputs: &[Input]) -> Result<FolderFilter> {
    let mut filter = FolderFilter {
        source_root: a.source_root.clone(),
        target_root: a.target_root.clone(),
        no_subfolders: a.no_subfolders,
        include: a.include.clone(),
        exclude: a.exclude.clone(),
    };
    for input in inputs {
        let (include, exclude) = input.patterns();
        if inputs.len() > 1 && !(include.is_empty() && exclude.is_empty()) {
            let text = "an account with folders of its own in address or configuration must be the only source";
            return Err(Error::new(Kind::Usage, text));
        }
        filter.include.extend(include);
        filter.exclude.extend(exclude);
    }
    Ok(filter)
}

fn items(a: &Convert, keeps_associated: bool) -> ItemFilter {
    ItemFilter {
        since: a.since,
        before: a.before,
        from: a.from.clone(),
        to: a.to.clone(),
        subject: a.subject.clone(),
        larger: a.larger,
        smaller: a.smaller,
        associated: a.associated || (!a.no_associated && keeps_associated),
    }
}

/// How the target is written; `learnt` are sources whose items tell Internet addresses of Exchange's.
///
/// # Errors
/// When the list of addresses cannot be read.
pub fn target_options(a: &Convert, title: String, learnt: Vec<Arc<dyn Source>>) -> Result<TargetOptions> {
    let given = a.ex_map.as_deref().map(read_map).transpose()?.unwrap_or_default();
    let directory = Learnt::new(learnt, given);
    Ok(TargetOptions {
        crypt: if a.crypt == Crypt::None { pst_core::ndb::Crypt::None } else { pst_core::ndb::Crypt::Permute },
        overwrite: a.overwrite,
        append: a.append,
        split: a.split,
        once: a.duplicates == Duplicates::Skip,
        title: if title.is_empty() { "Mail".to_owned() } else { title },
        mail: mime::Options {
            keep_rtf: a.keep_rtf,
            kept_mime: a.keep_mime,
            bcc: !a.no_bcc,
            directory: Some(Arc::new(directory)),
            vcard: match a.vcard {
                Vcard::V4 => Version::V4,
                Vcard::V3 => Version::V3,
            },
            ..mime::Options::default()
        },
        import: import_options(a),
    })
}

/// How mail becomes messages of a store.
pub fn import_options(a: &Convert) -> mime::ImportOptions {
    mime::ImportOptions {
        keep_mime: a.keep_mime,
        no_receipts: a.no_receipts,
        calendar: match a.calendar {
            Calendar::Note => mime::Calendar::Note,
            Calendar::Native => mime::Calendar::Native,
        },
        ..mime::ImportOptions::default()
    }
}

/// Sources and target.
fn ends(a: &Convert) -> Result<(&[String], String)> {
    if let Some(folder) = &a.attachments {
        return Ok((&a.paths, format!("attachments:{folder}")));
    }
    match a.paths.split_last() {
        Some((target, sources)) if !sources.is_empty() || super::input::is_account(a) => Ok((sources, target.clone())),
        _ => Err(Error::new(Kind::Usage, "a source and a target are needed: pst convert SOURCE... TARGET")),
    }
}

/// A folder name that no other source of this run has.
fn unique(name: &str, used: &mut Vec<String>) -> String {
    let mut candidate = name.to_owned();
    let mut n = 2;
    while used.contains(&candidate) {
        candidate = format!("{name} ({n})");
        n += 1;
    }
    used.push(candidate.clone());
    candidate
}
