//! Items of a sink that knows only later what became of them: what belongs to each is kept until it tells.

use super::event::Failure;
use super::item::Folder;
use super::sink::{Fate, Settled};
use super::writer::{THERE, Writer};
use crate::error::{Error, Kind, Result};
use crate::mapi::Warning;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Why an item is left out that was on its way when the run ended.
const UNSENT: &str = "not being sent, as the run ended early";

/// What is kept of an item.
struct Waiting {
    /// Its folder among those of the report.
    at: usize,
    folder: Arc<str>,
    id: String,
    warnings: Vec<Warning>,
}

/// Items that were taken and are not yet settled.
#[derive(Default)]
pub(super) struct Outstanding {
    waiting: BTreeMap<u64, Waiting>,
    next: u64,
    folder: Option<(usize, Arc<str>)>,
}

impl Outstanding {
    /// Keeps what belongs to the next item.
    pub(super) fn add(&mut self, at: usize, folder: &Folder, id: String, warnings: Vec<Warning>) {
        let folder = match &self.folder {
            Some((known, path)) if *known == at => Arc::clone(path),
            _ => Arc::from(folder.path.join("/")),
        };
        self.folder = Some((at, Arc::clone(&folder)));
        self.waiting.insert(self.next, Waiting { at, folder, id, warnings });
        self.next += 1;
    }
}

impl Writer<'_> {
    /// Counts what the sink has settled.
    ///
    /// # Errors
    /// When the sink cannot go on, or more failed than may.
    pub(super) fn settle(&mut self, wait: bool) -> Result<()> {
        if self.outstanding.waiting.is_empty() {
            return Ok(());
        }
        let settled = self.sink.settled(wait)?;
        self.take(settled);
        self.limits()
    }

    fn take(&mut self, settled: Vec<Settled>) {
        for Settled { nth, fate } in settled {
            if let Some(waiting) = self.outstanding.waiting.remove(&nth) {
                self.count(waiting, fate);
            }
        }
    }

    fn count(&mut self, waiting: Waiting, fate: Fate) {
        let Waiting { at, folder, id, mut warnings } = waiting;
        let mut nothing = super::FolderReport::default();
        let here = self.report.by_folder.get_mut(at).unwrap_or(&mut nothing);
        let skipped = match fate {
            Fate::Written(more) => {
                here.written += 1;
                self.report.written += 1;
                warnings.extend(more);
                let nth = here.nth;
                return self.remarks(nth, &folder, &id, warnings);
            }
            Fate::Failed(error) => {
                here.failed += 1;
                let nth = here.nth;
                return self.failure(Failure { nth, folder: folder.to_string(), id, error });
            }
            Fate::There => THERE,
            Fate::Skipped(reason) => reason,
        };
        *here.skipped.entry(skipped).or_default() += 1;
        *self.report.skipped.entry(skipped).or_default() += 1;
    }

    /// Waits until everything is settled. What was done stands however the run ended; why it ended early is in the report.
    pub(super) fn settle_all(&mut self, result: Result<()>) {
        let ended = result.and_then(|()| {
            while !self.outstanding.waiting.is_empty() {
                if self.options.stop.load(Ordering::Relaxed) {
                    return Err(Error::new(Kind::Interrupted, "stopped"));
                }
                self.settle(true)?;
            }
            Ok(())
        });
        let Err(error) = ended.and_then(|()| self.sink.flush()) else { return };
        self.sink.cease();
        while !self.outstanding.waiting.is_empty()
            && let Ok(settled) = self.sink.settled(true)
        {
            self.take(settled);
        }
        for waiting in std::mem::take(&mut self.outstanding.waiting).into_values() {
            self.count(waiting, Fate::Skipped(UNSENT));
        }
        self.report.ended = Some(match error.kind() {
            Kind::Interrupted => Error::new(
                Kind::Interrupted,
                "stopped; what arrived so far is in the mailbox, and the next run goes on",
            ),
            _ => error,
        });
    }
}
