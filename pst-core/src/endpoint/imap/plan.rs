//! What is to be fetched, in which order, and what has come of it; shared by all connections and by all who load.
//!
//! Bodies are fetched ahead in the order of the listing as long as the budget lasts. What somebody waits for is fetched
//! whatever the budget says, so nobody waits for ever.

use super::folders::Mailbox;
use super::listing::{Entry, FolderState, KnownFolder, Listing};
use super::wire::Data;
use crate::error::{Error, Kind};
use crate::mapi::Warning;
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::Arc;

/// Bytes of bodies that are asked for or wait in memory.
const BUDGET: u64 = 16 << 20;
/// Bytes and messages of one command.
const BATCH_BYTES: u64 = 3 << 20;
const BATCH: usize = 100;
/// Below this much room no further batch is begun.
const LEAST: u64 = 1 << 20;
/// Attempts at one message without progress.
pub(super) const ATTEMPTS: u8 = 6;

/// A message: key of the folder and UID.
pub(super) type Id = (u64, u32);

/// What a connection does next.
#[derive(Debug)]
pub(super) enum Task {
    /// Fetch these whole, by one command.
    Batch { folder: u64, uids: Vec<u32> },
    /// Fetch this one by all means, beginning at a rung of the ladder.
    Alone { folder: u64, uid: u32, rung: u8 },
}

/// What became of a message.
#[derive(Debug)]
pub(super) enum Outcome {
    Here(Data, Vec<Warning>),
    Failed(Kind, String),
}

/// How far a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Asked for, or waiting to be asked for again; with what it takes of the budget.
    Flying(u64),
    /// An outcome waits.
    Waiting(u64),
    /// Handed over.
    Loaded,
}

/// The ledger of a folder.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    /// Messages that the server counts.
    pub server: u64,
    /// Messages that need not be fetched: an earlier run has them.
    pub known: u64,
    /// Messages that a filter leaves out.
    pub filtered: u64,
    /// Messages that are left out because another folder has them (Gmail).
    pub elsewhere: u64,
    /// Messages that were asked for.
    pub requested: u64,
    /// Messages that came.
    pub received: u64,
    /// Messages that were deleted on the server while the run went on.
    pub vanished: u64,
    /// Messages that the server counts, but does not list.
    pub unlisted: u64,
    /// Messages that did not come, with the reason: UID and sentence.
    pub failed: Vec<(u32, String)>,
}

/// A folder that was listed.
struct Listed {
    listing: Arc<Listing>,
    /// Places in the listing of what is to be fetched.
    chosen: Vec<u32>,
    /// Places of those that are not fetched ahead.
    copies: HashSet<u32>,
    /// The numbers of Gmail of those that earlier runs have.
    had: HashSet<u64>,
    /// The first of `chosen` that was not asked for yet.
    next: usize,
    /// The folder cannot be read any more, and why.
    broken: Option<(Kind, String)>,
}

/// The plan.
#[derive(Default)]
pub(super) struct Plan {
    pub(super) mailboxes: Vec<Arc<Mailbox>>,
    listed: HashMap<u64, Listed>,
    /// Folders with something to fetch, in order.
    queue: VecDeque<u64>,
    /// What is asked for again, before anything else.
    again: VecDeque<Task>,
    /// Messages that somebody waits for and nobody has asked for.
    wanted: VecDeque<Id>,
    stages: HashMap<Id, Stage>,
    outcomes: HashMap<Id, Outcome>,
    /// How often a message broke the connection.
    strikes: HashMap<Id, u8>,
    used: u64,
    pub(super) ledgers: BTreeMap<u64, Ledger>,
    pub(super) states: HashMap<u64, FolderState>,
}

/// What a listing becomes: which messages are fetched.
pub(super) struct Choice {
    pub(super) chosen: Vec<u32>,
    /// Those of them that another folder brings.
    pub(super) copies: HashSet<u32>,
    pub(super) known: KnownFolder,
    pub(super) filtered: u64,
    pub(super) elsewhere: u64,
}

impl Plan {
    /// Takes a listing in. A folder that is listed again begins anew.
    pub(super) fn add(&mut self, folder: u64, listing: Listing, choice: Choice) {
        let mut state = listing.state.clone();
        state.messages = listing.entries.iter().map(|e| (e.uid, listing.flags(e), e.size)).collect();
        let known: Vec<&Entry> = listing.entries.iter().filter(|e| choice.known.uids.contains(&e.uid)).collect();
        let had = known.iter().map(|e| e.gmail).filter(|g| *g != 0).collect();
        let known = known.len() as u64;
        let unlisted = listing.unlisted;
        let ledger = Ledger {
            server: state.exists,
            // A list of changes has not all of them; one that is short has no number of the newest change.
            known: match state.highestmodseq {
                Some(_) if !state.complete => choice.known.uids.len() as u64,
                _ => known,
            },
            filtered: choice.filtered,
            elsewhere: choice.elsewhere,
            unlisted,
            ..Ledger::default()
        };
        self.ledgers.insert(folder, ledger);
        self.states.insert(folder, state);
        self.forget(folder);
        self.listed.insert(
            folder,
            Listed {
                listing: Arc::new(listing),
                chosen: choice.chosen,
                copies: choice.copies,
                had,
                next: 0,
                broken: None,
            },
        );
        self.queue.push_back(folder);
    }

    /// Forgets what is under way in a folder.
    fn forget(&mut self, folder: u64) {
        self.queue.retain(|f| *f != folder);
        self.outcomes.retain(|(f, _), _| *f != folder);
        let mut freed = 0;
        self.stages.retain(|(f, _), stage| {
            if *f == folder
                && let Stage::Flying(cost) | Stage::Waiting(cost) = *stage
            {
                freed += cost;
            }
            *f != folder
        });
        self.used = self.used.saturating_sub(freed);
    }

    pub(super) fn listing(&self, folder: u64) -> Option<Arc<Listing>> {
        self.listed.get(&folder).map(|l| Arc::clone(&l.listing))
    }

    /// The places of the messages that are fetched, in order.
    pub(super) fn chosen(&self, folder: u64) -> Vec<u32> {
        self.listed.get(&folder).map(|l| l.chosen.clone()).unwrap_or_default()
    }

    pub(super) fn uidvalidity(&self, folder: u64) -> Option<u32> {
        self.listed.get(&folder).map(|l| l.listing.state.uidvalidity)
    }

    /// The next thing to do; `busy` is the folder that the connection has commands under way in: only a further batch
    /// there will do. `held` is what a body takes in memory at most.
    pub(super) fn next(&mut self, busy: Option<u64>, held: u64) -> Option<Task> {
        let fits = |task: &Task| match (busy, task) {
            (None, _) => true,
            (Some(busy), Task::Batch { folder, .. }) => *folder == busy,
            (Some(_), Task::Alone { .. }) => false,
        };
        if let Some(task) = self.again.front() {
            return if fits(task) { self.again.pop_front() } else { None };
        }
        while let Some(id) = self.wanted.front().copied() {
            if self.stages.contains_key(&id) {
                self.wanted.pop_front();
                continue;
            }
            if busy.is_some_and(|b| b != id.0) {
                return None;
            }
            self.wanted.pop_front();
            let mut uids = vec![id.1];
            self.fly(id, held);
            self.batch(id.0, held, &mut uids);
            uids.sort_unstable();
            return Some(Task::Batch { folder: id.0, uids });
        }
        while let Some(folder) = self.queue.front().copied() {
            if busy.is_some_and(|b| b != folder) {
                return None;
            }
            let mut uids = Vec::new();
            if !self.batch(folder, held, &mut uids) {
                self.queue.pop_front();
                continue;
            }
            return if uids.is_empty() { None } else { Some(Task::Batch { folder, uids }) };
        }
        None
    }

    /// Adds messages to a batch as far as the budget lasts; false when the folder has no more.
    fn batch(&mut self, folder: u64, held: u64, uids: &mut Vec<u32>) -> bool {
        let mut bytes = 0;
        loop {
            let Some((at, entry)) = self.upcoming(folder) else { return !uids.is_empty() };
            let cost = entry.size.min(held).max(1);
            let room = BUDGET.saturating_sub(self.used);
            let first = uids.is_empty();
            let full = if first { self.used > 0 && room < LEAST.max(cost) } else { room < cost };
            if full || uids.len() >= BATCH || (!first && bytes + entry.size > BATCH_BYTES) {
                return true;
            }
            bytes += entry.size;
            self.fly((folder, entry.uid), held);
            uids.push(entry.uid);
            if let Some(listed) = self.listed.get_mut(&folder) {
                listed.next = at + 1;
            }
        }
    }

    /// The next message of a folder that was not asked for, with its place among the chosen ones.
    fn upcoming(&mut self, folder: u64) -> Option<(usize, Entry)> {
        let listed = self.listed.get_mut(&folder)?;
        if listed.broken.is_some() {
            return None;
        }
        loop {
            let at = listed.next;
            let place = *listed.chosen.get(at)?;
            let entry = *listed.listing.entries.get(place as usize)?;
            if !self.stages.contains_key(&(folder, entry.uid)) && !listed.copies.contains(&place) {
                return Some((at, entry));
            }
            listed.next += 1;
        }
    }

    fn fly(&mut self, id: Id, held: u64) {
        let size = self.listed.get(&id.0).and_then(|l| l.listing.find(id.1)).map_or(0, |e| e.size);
        let cost = size.min(held).max(1);
        self.used += cost;
        self.stages.insert(id, Stage::Flying(cost));
        if let Some(ledger) = self.ledgers.get_mut(&id.0) {
            ledger.requested += 1;
        }
    }

    /// Puts a task before all others.
    pub(super) fn retry(&mut self, task: Task) {
        match &task {
            Task::Batch { uids, .. } if uids.is_empty() => {}
            _ => self.again.push_back(task),
        }
    }

    /// Counts an attempt that broke the connection; returns how many there were.
    pub(super) fn strike(&mut self, id: Id) -> u8 {
        let strikes = self.strikes.entry(id).or_default();
        *strikes = strikes.saturating_add(1);
        *strikes
    }

    /// True for a message that is still waited for.
    pub(super) fn is_flying(&self, id: Id) -> bool {
        matches!(self.stages.get(&id), Some(Stage::Flying(_)))
    }

    /// Takes in what became of a message.
    pub(super) fn arrive(&mut self, id: Id, outcome: Outcome) {
        let Some(Stage::Flying(before)) = self.stages.get(&id).copied() else { return };
        let cost = match &outcome {
            Outcome::Here(Data::Held(bytes), _) => bytes.len() as u64,
            // A file takes room and a descriptor, whatever size the server had told.
            Outcome::Here(Data::Filed(..), _) => before.max(LEAST),
            Outcome::Failed(..) => 0,
        };
        self.used = self.used.saturating_sub(before) + cost;
        if let Some(ledger) = self.ledgers.get_mut(&id.0) {
            match &outcome {
                Outcome::Here(..) => ledger.received += 1,
                Outcome::Failed(Kind::Gone, _) => ledger.vanished += 1,
                Outcome::Failed(_, text) => ledger.failed.push((id.1, text.clone())),
            }
        }
        self.strikes.remove(&id);
        self.stages.insert(id, Stage::Waiting(cost));
        self.outcomes.insert(id, outcome);
    }

    /// Fails everything of a folder that has not come yet.
    pub(super) fn break_folder(&mut self, folder: u64, error: &Error) {
        if let Some(listed) = self.listed.get_mut(&folder) {
            listed.broken = Some((error.kind(), error.text().to_owned()));
        }
        self.again.retain(
            |task| !matches!(task, Task::Batch { folder: f, .. } | Task::Alone { folder: f, .. } if *f == folder),
        );
        self.queue.retain(|f| *f != folder);
        let flying: Vec<Id> = self
            .stages
            .iter()
            .filter(|((f, _), s)| *f == folder && matches!(s, Stage::Flying(_)))
            .map(|(id, _)| *id)
            .collect();
        for id in flying {
            self.arrive(id, Outcome::Failed(error.kind(), error.text().to_owned()));
        }
    }

    /// The outcome of a message that was asked for; what nobody has asked for yet is wanted from now on.
    pub(super) fn take(&mut self, id: Id) -> Option<Outcome> {
        if let Some(outcome) = self.outcomes.remove(&id) {
            if let Some(Stage::Waiting(cost)) = self.stages.insert(id, Stage::Loaded) {
                self.used = self.used.saturating_sub(cost);
            }
            return Some(outcome);
        }
        if let Some((kind, text)) = self.listed.get(&id.0).and_then(|l| l.broken.clone()) {
            return Some(Outcome::Failed(kind, text));
        }
        // Whoever loads a message twice has it fetched twice.
        if self.stages.get(&id) == Some(&Stage::Loaded) {
            self.stages.remove(&id);
        }
        if !self.stages.contains_key(&id) && !self.wanted.contains(&id) {
            self.wanted.push_back(id);
        }
        None
    }

    /// The numbers of Gmail of the messages that other folders bring, and of those that they brought in earlier runs.
    pub(super) fn gmail_ids(&self, but: u64) -> (HashSet<u64>, HashSet<u64>) {
        let ids = |listed: &Listed| {
            let entries = listed.chosen.iter().filter_map(|at| listed.listing.entries.get(*at as usize));
            entries.map(|e| e.gmail).filter(|g| *g != 0).collect::<Vec<_>>()
        };
        let others = || self.listed.iter().filter(|(f, _)| **f != but).map(|(_, l)| l);
        (others().flat_map(ids).collect(), others().flat_map(|l| l.had.iter().copied()).collect())
    }

    /// Notes that a message came from where another folder had brought it.
    pub(super) fn copied(&mut self, folder: u64) {
        if let Some(ledger) = self.ledgers.get_mut(&folder) {
            ledger.requested += 1;
            ledger.received += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_in_files_holds_fetching_up() {
        let held = 4 << 20;
        let mut listing = Listing::default();
        listing.entries = (1..=50).map(|uid| Entry::sized(uid, 100 << 20)).collect();
        let (copies, known) = (HashSet::new(), KnownFolder::default());
        let choice = Choice { chosen: (0..50).collect(), copies, known, filtered: 0, elsewhere: 0 };
        let mut plan = Plan::default();
        plan.add(0, listing, choice);
        let mut fetched = Vec::new();
        while let Some(Task::Batch { uids, .. }) = plan.next(None, held) {
            for uid in uids {
                let data = Data::Filed(tempfile::tempfile().unwrap(), 100 << 20);
                plan.arrive((0, uid), Outcome::Here(data, Vec::new()));
                fetched.push(uid);
            }
        }
        assert_eq!(fetched, (1..=(BUDGET / held) as u32).collect::<Vec<_>>());
        assert!(plan.take((0, 1)).is_some());
        assert!(plan.next(None, held).is_some(), "there is room again");
        // Who waits for a message gets it all the same.
        assert!(plan.take((0, 50)).is_none());
        assert!(matches!(plan.next(None, held), Some(Task::Batch { uids, .. }) if uids.contains(&50)));
    }
}
