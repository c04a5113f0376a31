//! The run: lists folders, loads and prepares items on all cores, writes them in order.
//!
//! Items travel in batches that carry a sequence number, so the target does not depend on the number of threads. What is
//! in flight is bounded by bytes: the slowness of the sink is the back-pressure.

use super::dedupe::{Key, key};
use super::event::{Event, Observer, Report};
use super::filter::{FolderFilter, ItemFilter};
use super::item::{Body, Flags, Folder, ItemRef};
use super::journal::{Differences, Journal};
use super::sink::{Prepare, Sink, Written};
use super::source::Source;
use super::writer::{Done, Numbered, Outcome, Trace, Writer};
use crate::error::{Error, Kind, Result};
use sha2::{Digest, Sha256};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Bytes of items between source and target, where nothing else is said: for each thread, and at most. Memory that is
/// touched for the first time costs more than what goes into it.
const IN_FLIGHT: (u64, u64) = (8 << 20, 48 << 20);
/// Items between source and target.
const ITEMS_IN_FLIGHT: u64 = 1024;
/// Items that one thread takes at once, unless they have more bytes than [`BATCH_BYTES`].
const BATCH: usize = 16;
const BATCH_BYTES: u64 = 256 << 10;

/// How a run goes.
#[derive(Debug, Clone, Default)]
pub struct RunOptions {
    /// Threads; 0 for one per processor.
    pub threads: usize,
    /// Which folders, and where they go.
    pub folders: FolderFilter,
    /// Which items.
    pub items: ItemFilter,
    /// Leave out items that were copied before in this run.
    pub skip_duplicates: bool,
    /// How many items may fail before the run ends, other than those that are too large for the target.
    pub bad_items: Option<u64>,
    /// How many items may be too large for the target before the run ends.
    pub large_items: Option<u64>,
    /// Bytes of items between source and target; 0 for 8 MB for each thread, 48 MB at most. Sources that fetch ahead hold
    /// as much again.
    pub in_flight: u64,
    /// Set from outside to stop the run.
    pub stop: Arc<AtomicBool>,
}

/// A source and the folder of the target that takes it in.
pub struct Mounted {
    /// The source.
    pub source: Arc<dyn Source>,
    /// Folder path in the target; empty for the top.
    pub under: Vec<String>,
    /// Remembers for the next run where its items went.
    pub journal: Option<Arc<dyn Journal>>,
}

/// Moves everything from the sources to the sink.
///
/// # Errors
/// When a source cannot be listed, the sink cannot go on, or the run is stopped; the target is then as it was, or not
/// there, but for what was committed where a journal is kept.
pub fn run(
    sources: &[Mounted],
    mut sink: Box<dyn Sink>,
    options: &RunOptions,
    observer: &dyn Observer,
) -> Result<Report> {
    let mut plan = Vec::new();
    let mut names = Vec::new();
    for mounted in sources {
        for folder in options.folders.select(&mounted.source.folders()?, &mounted.under)? {
            plan.push((mounted, folder));
        }
        names.extend(mounted.source.names());
    }
    if plan.is_empty() && !options.folders.include.is_empty() {
        let text = format!("no folder of the sources matches --include {}", options.folders.include.join(", "));
        return Err(Error::new(Kind::NotFound, text));
    }
    names.sort();
    names.dedup();
    sink.names(&names);
    for Mounted { source, under, .. } in sources {
        sink.store(under, &source.title(), &source.store())?;
    }
    let items = plan.iter().filter_map(|(_, (f, _))| f.count).sum();
    observer.event(&Event::Planned { folders: plan.len() as u64, items });
    let preparer = sink.preparer();
    let threads = if options.threads == 0 {
        std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
    } else {
        options.threads.min(256)
    };
    // One more for the thread that lists.
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads + 1)
        .stack_size(8 << 20)
        .build()
        .map_err(|e| Error::new(Kind::Io, format!("cannot start threads: {e}")))?;
    let state = Shared {
        options,
        preparer: &*preparer,
        later: sink.later(),
        in_flight: match (options.in_flight, IN_FLIGHT) {
            // A slow target is sent as much ahead as there may be.
            (0, (_, most)) if sink.later() => most,
            (0, (each, most)) => most.min(each * threads as u64),
            (given, _) => given,
        },
        budget: Mutex::new(Budget::default()),
        freed: Condvar::new(),
        ended: AtomicBool::new(false),
    };
    let (job_in, job_out) = channel::<Batch<'_>>();
    let (done_in, done_out) = channel::<Numbered<'_>>();
    let jobs = Mutex::new(job_out);
    let mut writer = Writer::new(sink, options, observer, sources);
    let result = pool.in_place_scope(|scope| {
        let (state, jobs, plan) = (&state, &jobs, &plan);
        let list_in = done_in.clone();
        scope.spawn(move |_| {
            let lister = Lister { state, jobs: &job_in, done: &list_in, next: 0, held: Vec::new(), bytes: 0 };
            lister.all(plan);
        });
        for _ in 0..threads {
            let done_in = done_in.clone();
            scope.spawn(move |_| work(state, jobs, &done_in));
        }
        drop(done_in);
        let result = writer.write_all(state, &done_out);
        state.ended.store(true, Ordering::Relaxed);
        state.freed.notify_all();
        result
    });
    let result = match result {
        Ok(()) if options.stop.load(Ordering::Relaxed) => Err(stopped()),
        result => result,
    };
    if state.later {
        writer.settle_all(result);
    } else if writer.is_journaled() {
        // What was fetched stays fetched, however the run ended.
        let result = result.and_then(|()| writer.leave());
        match (writer.commit(), result) {
            (Ok(()), Err(e)) if e.kind() == Kind::Interrupted => {
                return Err(Error::new(
                    e.kind(),
                    "stopped; what came so far is in the target, and the next run goes on",
                ));
            }
            // Who stops must hear that the last items did not get in.
            (Err(e), Err(stop)) if stop.kind() == Kind::Interrupted => return Err(e),
            (_, Err(e)) | (Err(e), Ok(())) => return Err(e),
            (Ok(()), Ok(())) => {}
        }
    } else {
        result?;
    }
    let Writer { sink, mut report, .. } = writer;
    let Written { bytes, .. } = sink.finish()?;
    report.target_bytes = bytes;
    Ok(report)
}

pub(super) fn stopped() -> Error {
    Error::new(Kind::Interrupted, "stopped; nothing of this run is in the target")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Default)]
struct Budget {
    bytes: u64,
    items: u64,
}

pub(super) struct Shared<'a> {
    options: &'a RunOptions,
    preparer: &'a dyn Prepare,
    /// The sink settles later, and asks where items come from.
    later: bool,
    /// Bytes of items between source and target.
    in_flight: u64,
    budget: Mutex<Budget>,
    freed: Condvar,
    ended: AtomicBool,
}

impl Shared<'_> {
    fn over(&self) -> bool {
        self.ended.load(Ordering::Relaxed) || self.options.stop.load(Ordering::Relaxed)
    }

    /// Waits until there is room; one oversize batch is let through alone.
    fn take(&self, bytes: u64, items: u64) {
        let mut budget = lock(&self.budget);
        while !self.over()
            && budget.items > 0
            && (budget.bytes + bytes > self.in_flight || budget.items + items > ITEMS_IN_FLIGHT)
        {
            let wait = std::time::Duration::from_millis(200);
            budget = self.freed.wait_timeout(budget, wait).unwrap_or_else(PoisonError::into_inner).0;
        }
        budget.bytes += bytes;
        budget.items += items;
    }

    pub(super) fn give(&self, bytes: u64, items: u64) {
        let mut budget = lock(&self.budget);
        budget.bytes = budget.bytes.saturating_sub(bytes);
        budget.items = budget.items.saturating_sub(items);
        // The lister sleeps until there is room for several batches.
        if budget.bytes <= self.in_flight / 4 * 3 && budget.items <= ITEMS_IN_FLIGHT / 4 * 3 {
            self.freed.notify_one();
        }
    }
}

/// Items of one folder, in order.
struct Batch<'a> {
    seq: u64,
    mounted: &'a Mounted,
    folder: &'a Folder,
    target: &'a Folder,
    items: Vec<ItemRef>,
}

type Planned<'a> = (&'a Mounted, (Folder, Folder));

/// Gives out folders and items in order.
struct Lister<'l, 'a> {
    state: &'l Shared<'l>,
    jobs: &'l Sender<Batch<'a>>,
    done: &'l Sender<Numbered<'a>>,
    next: u64,
    held: Vec<ItemRef>,
    bytes: u64,
}

impl<'a> Lister<'_, 'a> {
    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next - 1
    }

    /// Lists everything; ends early when nobody takes it any more.
    fn all(mut self, plan: &'a [Planned<'a>]) -> Option<()> {
        for (mounted, (folder, target)) in plan {
            self.folder(mounted, folder, target)?;
        }
        Some(())
    }

    fn folder(&mut self, mounted: &'a Mounted, folder: &'a Folder, target: &'a Folder) -> Option<()> {
        let source = &*mounted.source;
        let failed = |error| Outcome::Failed { id: String::new(), error, size: 0 };
        let listed = source.items(folder).and_then(|items| Ok((items, source.differences(folder)?)));
        let (listed, differences) = match listed {
            Ok((items, differences)) => (Ok(items), differences),
            Err(error) => (Err(error), Differences::default()),
        };
        let seq = self.number();
        self.done.send((seq, Done::Folder { mounted, source: folder, target, differences })).ok()?;
        let items = match listed {
            Ok(items) => items,
            Err(error) => return self.out(folder, failed(error)),
        };
        for item in items {
            if self.state.over() {
                return None;
            }
            let outcome = match item {
                Ok(item) if item.associated && !self.state.options.items.associated => {
                    Outcome::Skipped { reason: "folder-associated", size: 0 }
                }
                Ok(item) => {
                    if self.bytes + item.size > BATCH_BYTES || self.held.len() == BATCH {
                        self.send(mounted, folder, target)?;
                    }
                    self.bytes += item.size;
                    self.held.push(item);
                    continue;
                }
                Err(error) => failed(error),
            };
            self.send(mounted, folder, target)?;
            self.out(folder, outcome)?;
        }
        self.send(mounted, folder, target)
    }

    /// Sends what is held.
    fn send(&mut self, mounted: &'a Mounted, folder: &'a Folder, target: &'a Folder) -> Option<()> {
        if self.held.is_empty() {
            return Some(());
        }
        let items = std::mem::take(&mut self.held);
        self.state.take(std::mem::take(&mut self.bytes), items.len() as u64);
        let seq = self.number();
        self.jobs.send(Batch { seq, mounted, folder, target, items }).ok()
    }

    /// Sends what needs no work.
    fn out(&mut self, folder: &'a Folder, outcome: Outcome) -> Option<()> {
        self.state.take(0, 1);
        let seq = self.number();
        self.done.send((seq, Done::Items { folder, outcomes: vec![outcome] })).ok()
    }
}

/// Loads, filters and prepares items until there are no more.
fn work<'a>(state: &Shared<'_>, jobs: &Mutex<Receiver<Batch<'a>>>, done: &Sender<Numbered<'a>>) {
    loop {
        let next = lock(jobs).recv();
        let Ok(batch) = next else { return };
        let outcomes = batch.items.iter().map_while(|item| (!state.over()).then(|| outcome(state, &batch, item)));
        let outcomes: Vec<Outcome> = outcomes.collect();
        if !state.over() && done.send((batch.seq, Done::Items { folder: batch.folder, outcomes })).is_err() {
            return;
        }
    }
}

fn outcome(state: &Shared<'_>, batch: &Batch<'_>, item: &ItemRef) -> Outcome {
    let failed = |error| Outcome::Failed { id: item.id.clone(), error, size: item.size };
    match catch_unwind(AssertUnwindSafe(|| one(state, batch, item))) {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(error)) => failed(error),
        Err(_) => failed(Error::new(Kind::Damaged, "a fault of this program in this item; please report it")),
    }
}

fn one(state: &Shared<'_>, batch: &Batch<'_>, item: &ItemRef) -> Result<Outcome> {
    let (size, source) = (item.size, &*batch.mounted.source);
    let lasting = batch.mounted.journal.is_some().then(|| source.lasting(item));
    let origin = state.later.then(|| origin(source, batch.folder, item));
    let item = match source.load(batch.folder, item) {
        Err(e) if e.kind() == Kind::Gone => {
            return Ok(Outcome::Skipped { reason: "being deleted meanwhile", size });
        }
        loaded => loaded?,
    };
    if let Some(reason) = state.options.items.refuses(&item).or_else(|| state.preparer.refuses(&item)) {
        return Ok(Outcome::Skipped { reason, size });
    }
    let key = (state.options.skip_duplicates || state.later).then(|| key(&item));
    let trace = lasting.map(|key| match &item.body {
        Body::Mime(m) => Trace { key, flags: m.flags.clone() },
        Body::Mapi(_) => Trace { key, flags: Flags::default() },
    });
    let mut prepared = state.preparer.prepare(batch.target, item)?;
    if state.later {
        (prepared.origin, prepared.content) = (origin, key);
    }
    let key = key.filter(|_| state.options.skip_duplicates);
    Ok(Outcome::Ready { prepared, key, size, trace })
}

/// Stands for the place that an item has in its source.
fn origin(source: &dyn Source, folder: &Folder, item: &ItemRef) -> Key {
    let mut hash = Sha256::new();
    let folder: Vec<Vec<u8>> = folder.path.iter().map(|name| name.clone().into_bytes()).collect();
    for part in [source.identity()].iter().chain(&folder).chain(&[source.lasting(item)]) {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    let mut key = Key::default();
    key.iter_mut().zip(hash.finalize()).for_each(|(to, from)| *to = from);
    key
}
