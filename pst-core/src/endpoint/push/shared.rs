//! What the threads of a push share: batches that wait, items whose fate is known, and the end.

use super::{Index, Lane, Options, Parcel, Place, Session};
use crate::endpoint::net::{Notice, patience};
use crate::error::{Error, Kind, Result};
use crate::pipeline::journal::Pushed;
use crate::pipeline::{Fate, Settled};
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

/// How often waiting threads look whether the user has stopped.
pub(super) const LOOK: Duration = Duration::from_millis(200);

/// How often a folder is looked at, at most, until it stays as it is.
const SETTLING: u32 = 20;

/// A folder that items go into.
pub(super) struct Target {
    pub place: Place,
    /// Held for reading by who puts, for writing by who looks up what became of items.
    pub gate: RwLock<()>,
    /// What it had before, where duplicates are looked for.
    pub before: Mutex<Option<Index>>,
    /// Why it takes nothing.
    pub closed: Mutex<Option<String>>,
}

impl Target {
    pub fn new(place: Place) -> Self {
        Self { place, gate: RwLock::new(()), before: Mutex::new(None), closed: Mutex::new(None) }
    }
}

/// Items for one folder.
pub(super) struct Batch {
    pub target: Arc<Target>,
    pub parcels: Vec<Parcel>,
}

#[derive(Default)]
struct Board {
    queue: VecDeque<Batch>,
    settled: Vec<Settled>,
    closing: bool,
    /// Why nothing more can be put.
    dead: Option<(Kind, String)>,
    /// Threads that work or wait for work.
    alive: usize,
    idle: usize,
    /// Threads that have a batch.
    busy: usize,
}

/// What the threads share.
pub(super) struct Shared {
    pub lane: Arc<dyn Lane>,
    pub journal: Pushed,
    pub options: Options,
    board: Mutex<Board>,
    /// There is a batch, or an end.
    work: Condvar,
    /// A fate is known, or there is room.
    news: Condvar,
    /// Nobody puts before this.
    pause: Mutex<Instant>,
    /// When the next item may be put, where there is a rate.
    next: Mutex<Instant>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub fn new(lane: Arc<dyn Lane>, journal: Pushed, options: Options) -> Self {
        let now = Instant::now();
        Self {
            lane,
            journal,
            options,
            board: Mutex::default(),
            work: Condvar::new(),
            news: Condvar::new(),
            pause: Mutex::new(now),
            next: Mutex::new(now),
        }
    }

    pub fn join(&self) {
        lock(&self.board).alive += 1;
    }

    /// Hands over a batch; waits until there is room.
    pub fn enqueue(&self, batch: Batch) -> Result<()> {
        let mut board = lock(&self.board);
        while board.queue.len() >= self.options.connections.max(1) {
            self.check(&board)?;
            board = self.news.wait_timeout(board, LOOK).unwrap_or_else(PoisonError::into_inner).0;
        }
        self.check(&board)?;
        board.queue.push_back(batch);
        self.work.notify_one();
        Ok(())
    }

    fn check(&self, board: &Board) -> Result<()> {
        if self.lane.stopped() {
            return Err(Error::new(Kind::Interrupted, "stopped by the user"));
        }
        board.dead.as_ref().map_or(Ok(()), |(kind, text)| Err(Error::new(*kind, text.clone())))
    }

    /// The next batch; `None` at the end.
    pub fn next(&self) -> Option<Batch> {
        let mut board = lock(&self.board);
        board.idle += 1;
        let batch = loop {
            if board.closing || board.dead.is_some() || self.lane.stopped() {
                break None;
            }
            if let Some(batch) = board.queue.pop_front() {
                break Some(batch);
            }
            board = self.work.wait_timeout(board, LOOK).unwrap_or_else(PoisonError::into_inner).0;
        };
        board.idle -= 1;
        board.busy += usize::from(batch.is_some());
        self.news.notify_all();
        batch
    }

    /// A thread is through with its batch.
    pub fn done(&self) {
        let mut board = lock(&self.board);
        board.busy = board.busy.saturating_sub(1);
        drop(board);
        self.news.notify_all();
    }

    /// True if somebody has nothing to do.
    pub fn has_idle(&self) -> bool {
        let board = lock(&self.board);
        board.queue.is_empty() && board.idle > 0
    }

    pub fn is_queue_empty(&self) -> bool {
        lock(&self.board).queue.is_empty()
    }

    pub fn settle(&self, nth: u64, fate: Fate) {
        lock(&self.board).settled.push(Settled { nth, fate });
        self.news.notify_all();
    }

    /// What was settled since the last call. With `wait` it waits for a moment if that is nothing. It fails when nothing more
    /// will come.
    pub fn settled(&self, wait: bool) -> Result<Vec<Settled>> {
        let mut board = lock(&self.board);
        let over = |board: &Board| board.closing || self.check(board).is_err();
        if wait && board.settled.is_empty() && (board.busy > 0 || !over(&board)) {
            board = self.news.wait_timeout(board, LOOK).unwrap_or_else(PoisonError::into_inner).0;
        }
        if board.settled.is_empty() && board.busy == 0 && over(&board) {
            self.check(&board)?;
            return Err(Error::new(Kind::Interrupted, "the run has ended"));
        }
        Ok(std::mem::take(&mut board.settled))
    }

    /// Nothing more can be put.
    pub fn die(&self, error: &Error) {
        let mut board = lock(&self.board);
        board.dead.get_or_insert_with(|| (error.kind(), error.text().to_owned()));
        drop(board);
        self.work.notify_all();
        self.news.notify_all();
    }

    /// A thread gives up and leaves its batch to the others; the last one takes all hope with it.
    pub fn retire(&self, batch: Batch, error: &Error) {
        let mut board = lock(&self.board);
        board.alive = board.alive.saturating_sub(1);
        board.queue.push_front(batch);
        let last = board.alive == 0;
        drop(board);
        self.work.notify_all();
        if last {
            self.die(error);
        }
    }

    pub fn others(&self) -> bool {
        lock(&self.board).alive > 1
    }

    pub fn close(&self) {
        lock(&self.board).closing = true;
        self.work.notify_all();
    }

    fn over(&self) -> bool {
        let board = lock(&self.board);
        self.lane.stopped() || board.dead.is_some()
    }

    /// Waits; false when there is an end to it all.
    pub fn sleep(&self, until: Instant) -> bool {
        loop {
            if self.over() {
                return false;
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return true;
            }
            std::thread::sleep(left.min(LOOK));
        }
    }

    /// Waits for the `n`th time in a row before a connection is made again.
    pub fn reconnect(&self, n: u32, error: &Error, suggested: Duration) -> bool {
        let wait = patience::wait(n, suggested, self.lane.patience());
        self.lane.tell(&Notice::Reconnecting { why: error.text().to_owned(), wait });
        self.sleep(Instant::now() + wait)
    }

    /// Has everybody leave the server alone, for the `n`th time in a row.
    pub fn leave_alone(&self, n: u32, suggested: Duration, why: String) {
        let wait = patience::wait(n, suggested, self.lane.patience());
        self.lane.tell(&Notice::Waiting { why, wait });
        let mut pause = lock(&self.pause);
        *pause = (*pause).max(Instant::now() + wait);
    }

    /// Waits until items may be put: so many at once. False when there is an end to it all.
    pub fn may_put(&self, items: usize) -> bool {
        let mut until = *lock(&self.pause);
        if let Some(rate) = self.options.rate {
            let mut next = lock(&self.next);
            let begin = (*next).max(Instant::now());
            *next = begin + Duration::from_secs_f64(items as f64 / rate);
            until = until.max(begin);
        }
        self.sleep(until)
    }

    /// Waits until a folder stays as it is: a server goes on for a while with what a connection sent before it broke.
    pub fn calm(&self, session: &mut dyn Session, place: &Place) -> Result<()> {
        let mut before = None;
        for _ in 0..SETTLING {
            let count = session.count(place)?;
            if before == Some(count) {
                break;
            }
            before = Some(count);
            if !self.sleep(Instant::now() + self.lane.patience() * 2) {
                return Err(Error::new(Kind::Interrupted, "stopped by the user"));
            }
        }
        Ok(())
    }
}
