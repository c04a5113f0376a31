//! What the thread with the connection and those that wait for messages share.

use super::Account;
use super::body::Incoming;
use super::listing::Entry;
use crate::error::{Error, Kind, Result};
use std::collections::{BTreeSet, HashMap};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Bytes in memory that were fetched ahead.
const AHEAD: u64 = 16 << 20;
/// How often who waits looks whether the user has stopped.
const LOOK: Duration = Duration::from_millis(200);

/// Messages by their place in the listing.
pub struct Shared {
    pub account: Account,
    pub entries: Vec<Entry>,
    board: Mutex<Board>,
    work: Condvar,
    came: Condvar,
}

#[derive(Default)]
struct Board {
    /// To be fetched some time.
    ahead: BTreeSet<usize>,
    /// Somebody waits for these.
    wanted: BTreeSet<usize>,
    /// Asked for, and not come yet.
    under_way: BTreeSet<usize>,
    come: HashMap<usize, Result<Incoming>>,
    /// Bytes of those that have come, and of those that are under way.
    held: u64,
    closing: bool,
    /// Why nothing comes any more.
    dead: Option<(Kind, String)>,
}

/// What comes next.
pub enum Next {
    Fetch(usize),
    Nothing,
    Close,
}

impl Shared {
    pub fn new(account: Account, entries: Vec<Entry>) -> Self {
        Self { account, entries, board: Mutex::default(), work: Condvar::new(), came: Condvar::new() }
    }

    fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn size(&self, at: usize) -> u64 {
        // What is larger waits in a file.
        self.entries.get(at).map_or(0, |e| e.size.min(super::body::HELD as u64))
    }

    /// Has messages fetched in their order.
    pub fn plan(&self, chosen: impl Iterator<Item = usize>) {
        self.board().ahead.extend(chosen);
        self.work.notify_all();
    }

    /// The next message to ask for; `busy`: nothing is waited for, answers are under way.
    pub fn next(&self, busy: bool) -> Next {
        let mut board = self.board();
        loop {
            if board.closing || self.account.server.stopped() {
                return Next::Close;
            }
            let first = board.wanted.pop_first();
            let first =
                first.or_else(|| board.ahead.first().copied().filter(|at| board.held + self.size(*at) <= AHEAD));
            if let Some(at) = first {
                board.ahead.remove(&at);
                board.under_way.insert(at);
                board.held += self.size(at);
                return Next::Fetch(at);
            }
            if busy {
                return Next::Nothing;
            }
            board = self.work.wait_timeout(board, LOOK).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Takes in what became of a message that was asked for.
    pub fn arrive(&self, at: usize, outcome: Result<Incoming>) {
        let mut board = self.board();
        let held = outcome.as_ref().map_or(0, Incoming::held);
        board.held = board.held.saturating_sub(self.size(at)) + held;
        board.under_way.remove(&at);
        board.come.insert(at, outcome);
        drop(board);
        self.came.notify_all();
    }

    /// Messages that were asked for and did not come have to be asked for again, before others.
    pub fn again(&self, all: impl Iterator<Item = usize>) {
        let mut board = self.board();
        for at in all {
            board.held = board.held.saturating_sub(self.size(at));
            board.under_way.remove(&at);
            board.wanted.insert(at);
        }
    }

    /// Waits for a message.
    ///
    /// # Errors
    /// Why it does not come.
    pub fn take(&self, at: usize) -> Result<Incoming> {
        let mut board = self.board();
        loop {
            if let Some(outcome) = board.come.remove(&at) {
                board.held = board.held.saturating_sub(outcome.as_ref().map_or(0, Incoming::held));
                drop(board);
                self.work.notify_one();
                return outcome;
            }
            if board.closing || self.account.server.stopped() {
                return Err(Error::new(Kind::Interrupted, "stopped by the user"));
            }
            if let Some((kind, text)) = &board.dead {
                return Err(Error::new(*kind, text.clone()));
            }
            // Next in turn, whatever waits in memory.
            if !board.under_way.contains(&at) && board.wanted.insert(at) {
                board.ahead.remove(&at);
                self.work.notify_one();
            }
            board = self.came.wait_timeout(board, LOOK).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Nothing comes any more.
    pub fn die(&self, error: &Error) {
        self.board().dead = Some((error.kind(), error.text().to_owned()));
        self.came.notify_all();
    }

    pub fn close(&self) {
        self.board().closing = true;
        self.work.notify_all();
        self.came.notify_all();
    }
}
