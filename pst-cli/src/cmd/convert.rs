//! `pst convert`.

use super::summary::summary;
use crate::args::{Calendar, Convert, Crypt, Duplicates, Vcard};
use crate::exit::Outcome;
use crate::report::{self, Account};
use crate::ui::events::Events;
use crate::ui::progress::Progress;
use pst_core::endpoint::directory::{Learnt, read_map};
use pst_core::endpoint::{self, SourceOptions, TargetOptions};
use pst_core::mime::contact::Version;
use pst_core::pipeline::{self, FolderFilter, ItemFilter, Mounted, Rehearsal, Report, RunOptions, Sink};
use pst_core::{Error, Kind, Result, mime};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// Runs the command.
///
/// # Errors
/// When a source cannot be opened or the target cannot be written.
pub fn run(a: &Convert) -> Result<Outcome> {
    let (started, begun) = (Instant::now(), jiff::Timestamp::now());
    let (sources, target) = ends(a)?;
    if let Some(path) = &a.report {
        report::kind(path)?;
    }
    let target = target.as_str();
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    // The first Ctrl-C lets the run end by itself, a second one does not wait.
    let _ = ctrlc::set_handler(move || {
        if flag.swap(true, Ordering::SeqCst) {
            pst_core::io::remove_unfinished();
            std::process::exit(130);
        }
    });
    let mut opened = Vec::new();
    let how = SourceOptions { ansi_codepage: a.ansi.ansi_codepage };
    let mut others = Vec::new();
    for spec in sources {
        let source = endpoint::open(spec, how)?;
        others.extend_from_slice(source.not_taken());
        opened.push((spec, source));
    }
    let merge = a.target_root.is_some();
    let mut mounted = Vec::new();
    let several = opened.len() > 1 && !merge;
    let mut used: Vec<String> = Vec::new();
    for (spec, source) in opened {
        let under = if several || (!merge && endpoint::is_single_mbox(spec)) {
            vec![unique(&endpoint::name_of(spec), &mut used)]
        } else {
            Vec::new()
        };
        mounted.push(Mounted { source, under, journal: None });
    }
    // The same message may be there twice; of its attachments, the second ones are only listed.
    let only_attachments = target.starts_with("attachments:");
    let options = RunOptions {
        threads: a.threads,
        folders: FolderFilter {
            source_root: a.source_root.clone(),
            target_root: a.target_root.clone(),
            no_subfolders: a.no_subfolders,
            include: a.include.clone(),
            exclude: a.exclude.clone(),
        },
        items: ItemFilter {
            since: a.since,
            before: a.before,
            from: a.from.clone(),
            to: a.to.clone(),
            subject: a.subject.clone(),
            larger: a.larger,
            smaller: a.smaller,
            associated: a.associated || (!a.no_associated && endpoint::keeps_associated(target)),
        },
        skip_duplicates: a.duplicates == Duplicates::Skip && !only_attachments,
        stop,
    };
    let given = a.ex_map.as_deref().map(read_map).transpose()?.unwrap_or_default();
    let directory = Learnt::new(mounted.iter().map(|m| Arc::clone(&m.source)).collect(), given);
    let target_options = TargetOptions {
        crypt: if a.crypt == Crypt::None { pst_core::ndb::Crypt::None } else { pst_core::ndb::Crypt::Permute },
        overwrite: a.overwrite,
        once: a.duplicates == Duplicates::Skip,
        title: mounted.first().map(|m| m.source.title()).filter(|t| !t.is_empty()).unwrap_or_else(|| "Mail".to_owned()),
        mail: mime::Options {
            keep_rtf: a.keep_rtf,
            kept_mime: a.keep_mime,
            bcc: !a.no_bcc,
            directory: Some(Arc::new(directory)),
            vcard: vcard(a.vcard),
            ..mime::Options::default()
        },
        import: mime::ImportOptions {
            keep_mime: a.keep_mime,
            no_receipts: a.no_receipts,
            calendar: match a.calendar {
                Calendar::Note => mime::Calendar::Note,
                Calendar::Native => mime::Calendar::Native,
            },
        },
    };
    let sink = endpoint::create(target, sources, &target_options)?;
    let sink: Box<dyn Sink> = if a.dry_run { Box::new(Rehearsal::of(sink)) } else { sink };
    let report = watched(a, &mounted, sink, &options)?;
    let seconds = started.elapsed().as_secs_f64();
    if let Some(path) = &a.report {
        let written = endpoint::pst_target(target).filter(|_| !a.dry_run);
        let account = Account {
            sources: sources.to_vec(),
            target: target.to_owned(),
            dry_run: a.dry_run,
            started: begun.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
            seconds,
            report: &report,
            target_counts: written.and_then(report::counts),
        };
        account.write(path)?;
    }
    summary(a, target, &report, &others, seconds)?;
    Ok(if report.failed + report.damaged > 0 { Outcome::Flawed } else { Outcome::Done })
}

/// Runs with the events told to people, or to programs.
fn watched(a: &Convert, mounted: &[Mounted], sink: Box<dyn Sink>, options: &RunOptions) -> Result<Report> {
    if a.json {
        let events = Events::new();
        let result = pipeline::run(mounted, sink, options, &events);
        events.end();
        return result;
    }
    let progress = Progress::new();
    let result = pipeline::run(mounted, sink, options, &progress);
    progress.end();
    result
}

fn vcard(version: Vcard) -> Version {
    match version {
        Vcard::V4 => Version::V4,
        Vcard::V3 => Version::V3,
    }
}

/// Sources and target.
fn ends(a: &Convert) -> Result<(&[String], String)> {
    if let Some(folder) = &a.attachments {
        return Ok((&a.paths, format!("attachments:{folder}")));
    }
    match a.paths.split_last() {
        Some((target, sources)) if !sources.is_empty() => Ok((sources, target.clone())),
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
