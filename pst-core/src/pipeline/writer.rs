//! The end of a run: takes results in order, writes them, counts them, and keeps the journal in step with the target.

use super::dedupe::{Key, Seen};
use super::event::{Event, Failure, FolderReport, LISTED, Note, Observer, Report};
use super::item::{Flags, Folder};
use super::journal::{Change, Differences, Journal, NOWHERE, Taken};
use super::run::{Mounted, RunOptions, Shared, stopped};
use super::settling::Outstanding;
use super::sink::{Prepared, Sink};
use crate::error::{Error, Kind, Result};
use crate::mapi::{Code, Warning};
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::Ordering;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

/// Time between two commits of a target of which a journal is kept: what a killed run may lose.
const COMMIT_EVERY: Duration = Duration::from_millis(500);
/// Commits take at most one part in this many of a run.
const COMMIT_SHARE: u32 = 10;

/// Why an item is left out that the target has from an earlier run, under another name.
pub(super) const THERE: &str = "being there already";
/// Why an item is left out that equals another one of this run.
const DUPLICATE: &str = "duplicate";
/// What stands for the id of an item that an earlier run wrote.
const EARLIER: &str = "an item of an earlier run";

/// What became of an item before it is written.
pub(super) enum Outcome {
    Ready { prepared: Prepared, key: Option<Key>, size: u64, trace: Option<Trace> },
    Skipped { reason: &'static str, size: u64 },
    Failed { id: String, error: Error, size: u64 },
}

/// What the journal notes of an item.
pub(super) struct Trace {
    pub key: Vec<u8>,
    pub flags: Flags,
}

/// Results as they come from the threads.
pub(super) enum Done<'a> {
    Folder { mounted: &'a Mounted, source: &'a Folder, target: &'a Folder, differences: Differences },
    Items { folder: &'a Folder, outcomes: Vec<Outcome> },
}

/// A result and its place in the order.
pub(super) type Numbered<'a> = (u64, Done<'a>);

/// Writes what is done.
pub(super) struct Writer<'a> {
    pub sink: Box<dyn Sink>,
    pub report: Report,
    seen: Seen,
    pub(super) options: &'a RunOptions,
    observer: &'a dyn Observer,
    sources: &'a [Mounted],
    /// The folder at hand, and its journal.
    at: Option<&'a Folder>,
    journal: Option<&'a dyn Journal>,
    /// What the folder at hand has from before and the journal does not know; looked up when the first item is new to it.
    before: Option<HashMap<Key, Vec<u64>>>,
    /// Where the first item of this run went; all others of it lie behind.
    first: Option<u64>,
    committed: Instant,
    cost: Duration,
    /// Something was written since.
    open: bool,
    /// Items that the sink has taken and not yet settled.
    pub(super) outstanding: Outstanding,
    /// Failures of items that are too large.
    large: u64,
}

impl<'a> Writer<'a> {
    pub fn new(
        sink: Box<dyn Sink>,
        options: &'a RunOptions,
        observer: &'a dyn Observer,
        sources: &'a [Mounted],
    ) -> Self {
        Self {
            sink,
            report: Report::default(),
            seen: Seen::default(),
            options,
            observer,
            sources,
            at: None,
            journal: None,
            before: None,
            first: None,
            committed: Instant::now(),
            cost: Duration::ZERO,
            open: false,
            outstanding: Outstanding::default(),
            large: 0,
        }
    }

    /// Takes results in order of their numbers until all threads are done.
    pub fn write_all(&mut self, state: &Shared<'_>, done: &Receiver<Numbered<'a>>) -> Result<()> {
        let mut next = 0;
        let mut waiting = BTreeMap::new();
        loop {
            // Slow sources must not delay a commit.
            let (seq, result) = match done.recv_timeout(COMMIT_EVERY) {
                Ok(numbered) => numbered,
                Err(std::sync::mpsc::RecvTimeoutError::Timeout) => {
                    self.checkpoint()?;
                    self.settle(false)?;
                    continue;
                }
                Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => return Ok(()),
            };
            if self.options.stop.load(Ordering::Relaxed) {
                return Err(stopped());
            }
            waiting.insert(seq, result);
            while let Some(result) = waiting.remove(&next) {
                next += 1;
                self.write(state, result)?;
                self.limits()?;
            }
            self.settle(false)?;
            self.checkpoint()?;
        }
    }

    /// True if a later run goes on where this one ends.
    pub fn is_journaled(&self) -> bool {
        self.sources.iter().any(|m| m.journal.is_some())
    }

    fn checkpoint(&mut self) -> Result<()> {
        let due = self.open && self.committed.elapsed() >= COMMIT_EVERY.max(self.cost * COMMIT_SHARE);
        if due && self.is_journaled() { self.commit() } else { Ok(()) }
    }

    /// Makes what was written so far part of the target, and has the journals know it.
    pub fn commit(&mut self) -> Result<()> {
        let started = Instant::now();
        let next = self.sink.next_states();
        let journals = || self.sources.iter().filter_map(|m| m.journal.as_deref());
        journals().try_for_each(|j| j.save(&next))?;
        self.sink.flush()?;
        journals().try_for_each(Journal::settle)?;
        self.committed = Instant::now();
        self.cost = started.elapsed();
        self.open = false;
        Ok(())
    }

    fn write(&mut self, state: &Shared<'_>, done: Done<'a>) -> Result<()> {
        let (folder, outcomes) = match done {
            Done::Folder { mounted, source, target, differences } => {
                self.leave()?;
                self.report.folders += 1;
                self.at = Some(source);
                self.journal = mounted.journal.as_deref();
                self.report.by_folder.push(FolderReport {
                    nth: self.sources.iter().position(|m| std::ptr::eq(m, mounted)).unwrap_or_default(),
                    source: source.path.join("/"),
                    target: target.path.join("/"),
                    counted: source.count,
                    ..FolderReport::default()
                });
                self.observer.event(&Event::Folder(&source.path.join("/")));
                if !differences.gone {
                    self.sink.folder(target)?;
                    if let Some(path) = self.sink.path() {
                        self.here(|f| f.target = path.join("/"));
                    }
                }
                self.before = None;
                return self.differ(source, differences);
            }
            Done::Items { folder, outcomes } => (folder, outcomes),
        };
        let (items, mut bytes) = (outcomes.len() as u64, 0);
        for outcome in outcomes {
            bytes += self.one(folder, outcome)?;
        }
        state.give(bytes, items);
        self.report.read += items;
        self.report.bytes += bytes;
        self.here(|f| {
            f.read += items;
            f.bytes += bytes;
        });
        self.observer.event(&Event::Progress { items, bytes });
        Ok(())
    }

    /// Ends the folder at hand.
    ///
    /// # Errors
    /// When the sink cannot go on.
    pub fn leave(&mut self) -> Result<()> {
        let known = |reason: &&str| [THERE, DUPLICATE].contains(reason);
        let missing = |f: &FolderReport| f.failed > 0 || !f.skipped.keys().all(known);
        if let (Some(folder), Some(journal)) = (self.at.take(), self.journal)
            && !self.report.by_folder.last().is_some_and(missing)
        {
            journal.complete(folder).iter().try_for_each(|change| self.change(folder, change))?;
        }
        Ok(())
    }

    /// The source of the folder at hand.
    fn nth(&self) -> usize {
        self.report.by_folder.last().map_or(0, |f| f.nth)
    }

    /// The account of the folder at hand.
    fn here(&mut self, count: impl FnOnce(&mut FolderReport)) {
        if let Some(folder) = self.report.by_folder.last_mut() {
            count(folder);
        }
    }

    /// Brings items of earlier runs up to date.
    fn differ(&mut self, folder: &Folder, differences: Differences) -> Result<()> {
        let Differences { there, changes, stay, left_out, .. } = differences;
        for (reason, n) in left_out.into_iter().filter(|(_, n)| *n > 0) {
            self.report.read += n;
            *self.report.skipped.entry(reason).or_default() += n;
            self.here(|f| {
                f.read += n;
                *f.skipped.entry(reason).or_default() += n;
            });
        }
        self.report.there += there;
        self.report.stay += stay;
        self.here(|f| {
            f.there += there;
            f.stay += stay;
        });
        self.observer.event(&Event::There(there));
        changes.iter().try_for_each(|change| self.change(folder, change))
    }

    fn change(&mut self, folder: &Folder, change: &Change) -> Result<()> {
        let done = match self.sink.change(change) {
            // The journal does not hear of it: the next run tries again.
            Err(error) if error.kind() == Kind::Limit => {
                self.failed(folder, EARLIER.to_owned(), error);
                return Ok(());
            }
            done => done?,
        };
        if let Some(journal) = self.journal {
            journal.changed(folder, change);
        }
        self.open = true;
        if done {
            let gone = matches!(change, Change::Gone { .. });
            *if gone { &mut self.report.gone } else { &mut self.report.updated } += 1;
            self.here(|f| *if gone { &mut f.gone } else { &mut f.updated } += 1);
        }
        Ok(())
    }

    /// Writes, skips or reports one item; returns its size.
    fn one(&mut self, folder: &Folder, outcome: Outcome) -> Result<u64> {
        Ok(match outcome {
            Outcome::Ready { prepared, key, size, trace } => {
                if key.is_some_and(|k| !self.seen.insert(k)) {
                    // A later run does not see the first one of them.
                    if let (Some(journal), Some(Trace { key, flags })) = (self.journal, trace) {
                        journal.taken(&Taken {
                            folder,
                            key,
                            place: NOWHERE,
                            content: None,
                            flags: &flags,
                            found: true,
                        });
                        self.open = true;
                    }
                    self.skipped(DUPLICATE);
                } else if !self.found(folder, &prepared, trace.as_ref())? {
                    self.put(folder, prepared, trace.as_ref())?;
                }
                size
            }
            Outcome::Skipped { reason, size } => {
                self.skipped(reason);
                size
            }
            Outcome::Failed { id, error, size } => {
                self.failed(folder, id, error);
                size
            }
        })
    }

    fn skipped(&mut self, reason: &'static str) {
        *self.report.skipped.entry(reason).or_default() += 1;
        self.here(|f| *f.skipped.entry(reason).or_default() += 1);
    }

    /// True if the target has this item from an earlier run, under another name of the source's.
    fn found(&mut self, folder: &Folder, prepared: &Prepared, trace: Option<&Trace>) -> Result<bool> {
        let (Some(journal), Some(trace), Some(content)) = (self.journal, trace, prepared.content) else {
            return Ok(false);
        };
        let before = match self.before.take() {
            Some(before) => before,
            None => self.unknown(journal)?,
        };
        let before = self.before.insert(before);
        let there = journal.there(folder, &content).or_else(|| before.get_mut(&content).and_then(Vec::pop));
        let Some(place) = there else { return Ok(false) };
        let change = Change::State { key: trace.key.clone(), place, flags: trace.flags.clone() };
        match self.sink.change(&change) {
            Ok(true) => {}
            Ok(false) => return Ok(false),
            // It is there, but not as it is in the source.
            Err(error) if error.kind() == Kind::Limit => {
                self.failed(folder, prepared.id.clone(), error);
                return Ok(true);
            }
            Err(error) => return Err(error),
        }
        let key = trace.key.clone();
        journal.taken(&Taken { folder, key, place, content: Some(content), flags: &trace.flags, found: true });
        self.open = true;
        self.skipped(THERE);
        Ok(true)
    }

    /// What the folder at hand has and the journal does not know.
    fn unknown(&mut self, journal: &dyn Journal) -> Result<HashMap<Key, Vec<u64>>> {
        let mut out = HashMap::<Key, Vec<u64>>::new();
        let first = self.first.unwrap_or(u64::MAX);
        for (content, place) in self.sink.contents(&|place| place >= first || journal.knows(place))? {
            out.entry(content).or_default().push(place);
        }
        Ok(out)
    }

    fn put(&mut self, folder: &Folder, mut prepared: Prepared, trace: Option<&Trace>) -> Result<()> {
        let id = std::mem::take(&mut prepared.id);
        let content = prepared.content;
        let mut warnings = std::mem::take(&mut prepared.warnings);
        match self.sink.item(prepared) {
            Ok(_) if self.sink.later() => {
                let at = self.report.by_folder.len().saturating_sub(1);
                self.outstanding.add(at, folder, id, warnings);
                return Ok(());
            }
            Ok(more) => {
                self.report.written += 1;
                self.here(|f| f.written += 1);
                warnings.extend(more);
                self.open = true;
                let place = self.sink.place();
                self.first.get_or_insert(place);
                if let (Some(journal), Some(Trace { key, flags })) = (self.journal, trace) {
                    journal.taken(&Taken { folder, key: key.clone(), place, content, flags, found: false });
                }
            }
            Err(error) if error.kind() == Kind::Limit => self.failed(folder, id.clone(), error),
            Err(error) => return Err(error),
        }
        self.remarks(self.nth(), &folder.path.join("/"), &id, warnings);
        Ok(())
    }

    /// Counts and tells what was lost of an item.
    pub(super) fn remarks(&mut self, nth: usize, folder: &str, id: &str, warnings: Vec<Warning>) {
        self.report.damaged += u64::from(warnings.iter().any(|w| w.code == Code::Damaged));
        for warning in warnings {
            let note = Note { nth, folder: folder.to_owned(), id: id.to_owned(), warning };
            *self.report.codes.entry(note.warning.code.name()).or_default() += 1;
            self.observer.event(&Event::Warning(&note));
            self.report.warnings += 1;
            if self.report.notes.len() < LISTED {
                self.report.notes.push(note);
            }
        }
    }

    /// Ends the run when more failed than it may.
    pub(super) fn limits(&self) -> Result<()> {
        let bad = self.report.failed - self.large;
        let over = |n: u64, limit: Option<u64>| limit.is_some_and(|l| n > l);
        if over(bad, self.options.bad_items) {
            let text = format!("{bad} items failed, more than --bad-item-limit allows; the run ends here");
            return Err(Error::new(Kind::Limit, text));
        }
        if over(self.large, self.options.large_items) {
            let text = format!(
                "{} items are too large for the target, more than --large-item-limit allows; the run ends here",
                self.large
            );
            return Err(Error::new(Kind::Limit, text));
        }
        Ok(())
    }

    fn failed(&mut self, folder: &Folder, id: String, error: Error) {
        self.here(|f| f.failed += 1);
        self.failure(Failure { nth: self.nth(), folder: folder.path.join("/"), id, error });
    }

    /// Counts and tells a failure.
    pub(super) fn failure(&mut self, failure: Failure) {
        self.observer.event(&Event::Failed(&failure));
        self.report.failed += 1;
        self.large += u64::from(failure.error.kind() == Kind::Limit);
        if self.report.failures.len() < LISTED {
            self.report.failures.push(failure);
        }
    }
}
