//! What the connections of an account share: the plan, questions that wait for an answer, and the end.

use super::account::Account;
use super::plan::{Id, Outcome, Plan, Task};
use super::session::Session;
use crate::endpoint::net::{Notice, patience};
use crate::error::{Error, Kind, Result};
use std::collections::VecDeque;
use std::sync::mpsc::channel;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How often waiting threads look whether the user has stopped.
const LOOK: Duration = Duration::from_millis(200);

/// A question to the server. Given a session it answers, or says what broke the connection so that it is asked again;
/// given an error it passes that on.
pub(super) type Job = Box<dyn FnMut(std::result::Result<&mut Session, Error>) -> Option<Error> + Send>;

/// What the threads share.
pub(super) struct Shared {
    pub(super) account: Account,
    board: Mutex<Board>,
    /// There is something to do.
    work: Condvar,
    /// Something has come.
    came: Condvar,
}

#[derive(Default)]
pub(super) struct Board {
    pub(super) plan: Plan,
    pub(super) jobs: VecDeque<Job>,
    pub(super) closing: bool,
    /// Why no connection can be had any more.
    pub(super) dead: Option<(Kind, String)>,
    /// Threads that have a connection or hope for one.
    pub(super) alive: usize,
    /// There was a connection once.
    pub(super) connected: bool,
}

/// What a thread does next.
pub(super) enum Next {
    Job(Job),
    Task(Task),
    /// Nothing that can be begun beside what is under way.
    Nothing,
    Close,
}

impl Shared {
    pub(super) fn new(account: Account) -> Self {
        Self { account, board: Mutex::default(), work: Condvar::new(), came: Condvar::new() }
    }

    pub(super) fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// There may be something to do for the connections.
    pub(super) fn wake(&self) {
        self.work.notify_all();
    }

    pub(super) fn stopped(&self) -> bool {
        self.account.server.stopped()
    }

    /// The next thing to do. `busy`: the folder in which commands are under way; with it, nothing is waited for.
    pub(super) fn next(&self, busy: Option<u64>) -> Next {
        let held = self.account.limits.held;
        let mut board = self.board();
        loop {
            if board.closing || self.stopped() {
                return Next::Close;
            }
            if !board.jobs.is_empty() {
                return match busy {
                    None => board.jobs.pop_front().map_or(Next::Nothing, Next::Job),
                    Some(_) => Next::Nothing,
                };
            }
            if let Some(task) = board.plan.next(busy, held) {
                return Next::Task(task);
            }
            if busy.is_some() {
                return Next::Nothing;
            }
            board = self.work.wait_timeout(board, LOOK).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// How long the `n`th wait in a row is.
    pub(super) fn wait(&self, n: u32, suggested: Duration) -> Duration {
        patience::wait(n, suggested, self.account.patience)
    }

    /// Takes in what became of a message.
    pub(super) fn arrive(&self, id: Id, outcome: Outcome) {
        self.board().plan.arrive(id, outcome);
        self.came.notify_all();
    }

    /// Changes the plan and wakes everybody.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut Plan) -> T) -> T {
        let out = change(&mut self.board().plan);
        self.work.notify_all();
        self.came.notify_all();
        out
    }

    /// Waits for a message.
    pub(super) fn take(&self, id: Id) -> Result<Outcome> {
        let mut board = self.board();
        loop {
            if let Some(outcome) = board.plan.take(id) {
                // There is room for more now.
                self.work.notify_one();
                return Ok(outcome);
            }
            self.check(&board)?;
            self.work.notify_one();
            board = self.came.wait_timeout(board, LOOK).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn check(&self, board: &Board) -> Result<()> {
        if self.stopped() || board.closing {
            return Err(Error::new(Kind::Interrupted, "stopped by the user"));
        }
        match &board.dead {
            Some((kind, text)) => Err(Error::new(*kind, text.clone())),
            None => Ok(()),
        }
    }

    /// Has a question answered by one of the connections.
    pub(super) fn ask<T: Send + 'static>(
        &self,
        question: impl Fn(&mut Session) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (answer, answered) = channel();
        let job: Job = Box::new(move |session| {
            let result = match session {
                Err(e) => Err(e),
                Ok(session) => match question(session) {
                    Err(e) if e.kind() == Kind::Connection => return Some(e),
                    result => result,
                },
            };
            // Who has asked may be gone.
            let _ = answer.send(result);
            None
        });
        {
            let mut board = self.board();
            self.check(&board)?;
            board.jobs.push_back(job);
        }
        self.work.notify_all();
        loop {
            match answered.recv_timeout(LOOK) {
                Ok(result) => return result,
                Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => {
                    self.check(&self.board())?;
                    return Err(Error::new(Kind::Connection, "the question to the server was lost"));
                }
                // Connections that have ended answer no more.
                Err(std::sync::mpsc::RecvTimeoutError::Timeout) => self.check(&self.board())?,
            }
        }
    }

    /// A thread gives up. The last one takes all hope with it.
    pub(super) fn retire(&self, error: &Error) {
        let mut board = self.board();
        board.alive = board.alive.saturating_sub(1);
        if board.alive > 0 {
            return;
        }
        board.dead = Some((error.kind(), error.text().to_owned()));
        let jobs = std::mem::take(&mut board.jobs);
        drop(board);
        for mut job in jobs {
            job(Err(Error::new(error.kind(), error.text())));
        }
        self.came.notify_all();
    }

    /// Tells that something is waited for, and waits; false when there is an end to it all.
    pub(super) fn pause(&self, wait: Duration, notice: &Notice) -> bool {
        (self.account.watch)(notice);
        let until = Instant::now() + wait;
        let mut board = self.board();
        loop {
            if board.closing || self.stopped() {
                return false;
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return true;
            }
            // Not the condition of work: who pauses must not be woken by it in place of others.
            drop(board);
            std::thread::sleep(left.min(LOOK));
            board = self.board();
        }
    }

    pub(super) fn close(&self) {
        self.board().closing = true;
        self.work.notify_all();
        self.came.notify_all();
    }
}
