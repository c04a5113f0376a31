//! One connection at work: commands under way, bodies that come, and what is done about those that do not.

use super::command::{Command, Section};
use super::fetched::{Doubt, Fetched};
use super::ladder::{self, Climb};
use super::listing::{changed, examine};
use super::plan::{ATTEMPTS, Id, Outcome, Task};
use super::response::{Response, Status};
use super::session::Session;
use super::shared::{Job, Next, Shared};
use super::throttle;
use super::wire::Data;
use crate::endpoint::net::{Notice, tame};
use crate::error::{Error, Kind, Result};
use crate::mapi::Warning;
use std::collections::VecDeque;
use std::sync::Arc;

/// Commands under way on one connection.
const UNDER_WAY: usize = 2;

/// A command under way.
struct Flight {
    tag: String,
    folder: u64,
    uids: Vec<u32>,
    /// The last body that came, until what follows it shows that it was whole.
    last: Option<(u32, Fetched)>,
}

/// A connection and what it does.
struct Worker {
    shared: Arc<Shared>,
    section: Section,
    session: Option<Session>,
    flights: VecDeque<Flight>,
    /// Connections that broke, and waits that the server asked for, since the last message.
    breaks: u32,
}

/// Works until there is nothing more to hope for.
pub(super) fn work(shared: Arc<Shared>, section: Section) {
    let mut worker = Worker { shared, section, session: None, flights: VecDeque::new(), breaks: 0 };
    let end = worker.work();
    if let Some(session) = worker.session.take()
        && end.is_ok()
        && worker.flights.is_empty()
    {
        session.close();
    }
    if let Err(e) = end {
        worker.shared.retire(&e);
    }
}

impl Worker {
    /// # Errors
    /// When no connection can be had any more.
    fn work(&mut self) -> Result<()> {
        loop {
            let busy = self.flights.front().map(|f| f.folder);
            // The form of the connection can change only when nothing is under way.
            let packing = self.session.as_ref().is_some_and(Session::would_compress);
            if packing
                && self.flights.is_empty()
                && let Some(session) = &mut self.session
            {
                if let Err(e) = session.compress() {
                    self.broken(e)?;
                }
                continue;
            }
            let room = !packing && self.flights.len() < UNDER_WAY;
            let next = if room { self.shared.next(busy) } else { Next::Nothing };
            let result = match next {
                Next::Close => return Ok(()),
                Next::Job(job) => self.job(job),
                Next::Task(task) => self.begin(task),
                Next::Nothing => self.step(),
            };
            if let Err(e) = result {
                self.broken(e)?;
            }
        }
    }

    /// The session, made anew where it broke.
    fn connect(&mut self) -> Result<()> {
        if self.session.as_ref().is_some_and(Session::is_usable) {
            return Ok(());
        }
        let mut tries = 0;
        loop {
            let error = match Session::open(&self.shared.account) {
                Ok(session) => {
                    self.session = Some(session);
                    self.shared.board().connected = true;
                    return Ok(());
                }
                Err(e) => e,
            };
            let (others, before) = {
                let board = self.shared.board();
                (board.alive > 1, board.connected)
            };
            // Where there has never been a connection, and where others do the work, nobody waits.
            let most = if others { 2 } else { u32::from(ATTEMPTS) };
            if error.kind() != Kind::Connection || !before || tries >= most {
                return Err(error);
            }
            let suggested = throttle::backoff(error.text()).unwrap_or_default();
            let wait = self.shared.wait(tries, suggested);
            tries += 1;
            if !self.shared.pause(wait, &Notice::Reconnecting { why: error.text().to_owned(), wait }) {
                return Err(Error::new(Kind::Interrupted, "stopped by the user"));
            }
        }
    }

    fn job(&mut self, mut job: Job) -> Result<()> {
        let mut tries = 0;
        loop {
            if let Err(e) = self.connect() {
                // Another connection may still answer.
                if self.shared.board().alive > 1 {
                    self.shared.board().jobs.push_front(job);
                    self.shared.wake();
                } else {
                    job(Err(Error::new(e.kind(), e.text())));
                }
                return Err(fatal(e));
            }
            let Some(session) = &mut self.session else { return Ok(()) };
            let Some(error) = job(Ok(session)) else { return Ok(()) };
            self.session = None;
            tries += 1;
            let suggested = throttle::backoff(error.text()).unwrap_or_default();
            let wait = self.shared.wait(tries - 1, suggested);
            if tries > u32::from(ATTEMPTS)
                || !self.shared.pause(wait, &Notice::Reconnecting { why: error.text().to_owned(), wait })
            {
                job(Err(error));
                return Ok(());
            }
        }
    }

    /// Begins a task.
    fn begin(&mut self, task: Task) -> Result<()> {
        let (folder, uids) = match &task {
            Task::Batch { folder, uids } => (*folder, uids.clone()),
            Task::Alone { folder, uid, .. } => (*folder, vec![*uid]),
        };
        if let Err(e) = self.connect() {
            self.shared.change(|plan| plan.retry(task));
            return Err(fatal(e));
        }
        match self.open_folder(folder) {
            Ok(true) => {}
            Ok(false) => return Ok(()),
            Err(e) => {
                self.shared.change(|plan| plan.retry(task));
                return Err(e);
            }
        }
        match task {
            Task::Batch { folder, uids } => self.send(folder, uids),
            Task::Alone { folder, uid, rung } => {
                debug_assert!(uids == [uid]);
                self.climb(folder, uid, rung)
            }
        }
    }

    /// Opens a folder, unless it is open; false when it cannot be read any more, which is then known to all.
    fn open_folder(&mut self, folder: u64) -> Result<bool> {
        let (mailbox, validity) = {
            let board = self.shared.board();
            (board.plan.mailboxes.get(folder as usize).cloned(), board.plan.uidvalidity(folder))
        };
        let (Some(session), Some(mailbox)) = (&mut self.session, mailbox) else { return Ok(false) };
        let is_open = session.opened.as_ref().is_some_and(|(name, v)| *name == mailbox.name && Some(*v) == validity);
        if is_open {
            return Ok(true);
        }
        let error = match examine(session, &mailbox) {
            Ok(state) if Some(state.uidvalidity) == validity => return Ok(true),
            Ok(_) => changed(&mailbox),
            Err(e) if e.kind() != Kind::Server => return Err(e),
            Err(e) => e,
        };
        if let Some(suggested) = throttle::backoff(error.text())
            && self.breaks < u32::from(ATTEMPTS)
        {
            return Err(self.wait(suggested, &error));
        }
        self.shared.change(|plan| plan.break_folder(folder, &error));
        Ok(false)
    }

    /// Waits as the server asks; returns what has to be passed on so that everything is asked for again.
    fn wait(&mut self, suggested: std::time::Duration, error: &Error) -> Error {
        let wait = self.shared.wait(self.breaks, suggested);
        self.breaks += 1;
        if self.shared.pause(wait, &Notice::Waiting { why: error.text().to_owned(), wait }) {
            Error::new(Kind::Connection, error.text())
        } else {
            Error::new(Kind::Interrupted, "stopped by the user")
        }
    }

    fn send(&mut self, folder: u64, uids: Vec<u32>) -> Result<()> {
        let Some(session) = &mut self.session else { return Ok(()) };
        let command = Command::fetch(&uids, &self.section);
        let sent = session.send(&command);
        self.flights.push_back(Flight { tag: String::new(), folder, uids, last: None });
        if let Some(flight) = self.flights.back_mut() {
            flight.tag = sent?;
        }
        Ok(())
    }

    /// Reads one response.
    fn step(&mut self) -> Result<()> {
        let Some(session) = &mut self.session else { return Ok(()) };
        let response = session.read()?;
        match response {
            Response::Junk => return self.junk(),
            Response::Fetch(fetched) => {
                self.confirm();
                self.body(*fetched)?;
            }
            Response::Tagged(tag, status) => {
                self.confirm();
                if let Some(at) = self.flights.iter().position(|f| f.tag == tag) {
                    // Commands end in order: what stands before has lost its end.
                    for _ in 0..at {
                        if let Some(flight) = self.flights.pop_front() {
                            self.again(&flight);
                        }
                    }
                    if let Some(flight) = self.flights.pop_front() {
                        self.settle(&flight, &status)?;
                    }
                }
            }
            Response::Blank => {}
            _ => self.confirm(),
        }
        Ok(())
    }

    /// What followed the last body shows that it was whole.
    fn confirm(&mut self) {
        for flight in &mut self.flights {
            if let Some((uid, fetched)) = flight.last.take() {
                deliver(&self.shared, (flight.folder, uid), fetched, &self.section);
                self.breaks = 0;
            }
        }
    }

    fn size_of(&self, id: Id) -> Option<u64> {
        let listing = self.shared.board().plan.listing(id.0)?;
        listing.find(id.1).map(|e| e.size)
    }

    /// A line that is no response: what came last may not have been whole.
    fn junk(&mut self) -> Result<()> {
        let Some((folder, uid)) = self.flights.iter().find_map(|f| Some((f.folder, f.last.as_ref()?.0))) else {
            return Ok(());
        };
        for flight in &mut self.flights {
            flight.last = None;
        }
        self.doubt(folder, uid);
        Err(out_of_step())
    }

    /// Has a message fetched alone, and by no other command.
    fn doubt(&mut self, folder: u64, uid: u32) {
        for flight in self.flights.iter_mut().filter(|f| f.folder == folder) {
            flight.uids.retain(|u| *u != uid);
        }
        self.shared.change(|plan| plan.retry(Task::Alone { folder, uid, rung: 0 }));
    }

    fn body(&mut self, fetched: Fetched) -> Result<()> {
        let has_body = fetched.bodies.iter().any(|(name, data)| data.is_some() && self.section.is(name));
        // A single message needs no UID to be known by.
        let lone = match self.flights.front() {
            Some(flight) if flight.uids.len() == 1 && has_body => flight.uids.first().copied(),
            _ => None,
        };
        let Some(uid) = fetched.uid.or(lone).filter(|_| has_body) else { return Ok(()) };
        let Some(at) = self.flights.iter().position(|f| f.uids.contains(&uid)) else { return Ok(()) };
        let Some(folder) = self.flights.get(at).map(|f| f.folder) else { return Ok(()) };
        let size = self.size_of((folder, uid));
        let exact = fetched.bodies.iter().any(|(_, d)| d.as_ref().is_some_and(|d| Some(d.len()) == size));
        match fetched.doubt {
            None => {}
            Some(Doubt::Trailer) if exact => {}
            Some(_) => {
                self.doubt(folder, uid);
                return Err(out_of_step());
            }
        }
        if let Some(flight) = self.flights.get_mut(at) {
            flight.last = Some((uid, fetched));
        }
        Ok(())
    }

    /// Asks again for everything of a command that has not come.
    fn again(&self, flight: &Flight) {
        let uids = self.missing(flight);
        self.shared.change(|plan| plan.retry(Task::Batch { folder: flight.folder, uids }));
    }

    fn missing(&self, flight: &Flight) -> Vec<u32> {
        let board = self.shared.board();
        flight.uids.iter().copied().filter(|uid| board.plan.is_flying((flight.folder, *uid))).collect()
    }

    /// A command has ended: what did not come is asked for in another way.
    fn settle(&mut self, flight: &Flight, status: &Status) -> Result<()> {
        let missing = self.missing(flight);
        let folder = flight.folder;
        let suggested = if status.is_ok() { None } else { throttle::backoff(&status.words()) };
        if let Some(suggested) = suggested.filter(|_| self.breaks < u32::from(ATTEMPTS)) {
            let came = missing.len() < flight.uids.len();
            self.breaks = if came { 0 } else { self.breaks };
            self.shared.change(|plan| plan.retry(Task::Batch { folder, uids: missing }));
            let wait = self.shared.wait(self.breaks, suggested);
            self.breaks += 1;
            let why = tame(status.words().as_bytes());
            return if self.shared.pause(wait, &Notice::Waiting { why, wait }) {
                Ok(())
            } else {
                Err(Error::new(Kind::Interrupted, "stopped by the user"))
            };
        }
        let Some((first, rest)) = missing.split_first() else { return Ok(()) };
        // RFC 9738: the server takes only so many messages at once.
        let limited = status.code("MESSAGELIMIT").is_some() && missing.len() < flight.uids.len();
        self.shared.change(|plan| {
            if limited {
                plan.retry(Task::Batch { folder, uids: missing.clone() });
            } else if status.is_ok() {
                for uid in &missing {
                    plan.retry(Task::Alone { folder, uid: *uid, rung: 0 });
                }
            } else {
                plan.retry(Task::Alone { folder, uid: *first, rung: 0 });
                plan.retry(Task::Batch { folder, uids: rest.to_vec() });
            }
        });
        Ok(())
    }

    /// Fetches one message by all means.
    fn climb(&mut self, folder: u64, uid: u32, rung: u8) -> Result<()> {
        let id = (folder, uid);
        if !self.shared.board().plan.is_flying(id) {
            return Ok(());
        }
        let size = self.size_of(id);
        let Some(session) = &mut self.session else { return Ok(()) };
        let headers_only = self.section == Section::Header;
        let mut climb = Climb { uid, size, rung, headers_only, words: None, spare: None, unsteady: false };
        match ladder::climb(session, &mut climb) {
            Ok(ladder::Found::Here(data, warnings)) => {
                arrive(&self.shared, id, data, warnings);
                self.breaks = 0;
                if climb.unsteady { Err(out_of_step()) } else { Ok(()) }
            }
            Ok(ladder::Found::Failed(kind, text)) => {
                self.shared.arrive(id, Outcome::Failed(kind, text));
                Ok(())
            }
            Ok(ladder::Found::Throttled(suggested, words)) => {
                self.shared.change(|plan| plan.retry(Task::Alone { folder, uid, rung: climb.rung }));
                Err(self.wait(suggested, &Error::new(Kind::Connection, words)))
            }
            Err(e) if e.kind() == Kind::Interrupted => Err(e),
            Err(e) => {
                // There is one way only to get a header.
                let rung = if headers_only { 0 } else { climb.rung };
                let over = self.shared.change(|plan| {
                    let over = plan.strike(id) >= ATTEMPTS || rung > ladder::LAST;
                    if !over {
                        plan.retry(Task::Alone { folder, uid, rung });
                    }
                    over
                });
                if over {
                    let words = climb.words.unwrap_or_else(|| e.text().to_owned());
                    let text = format!("the message could not be fetched in {ATTEMPTS} attempts: {words}");
                    self.shared.arrive(id, Outcome::Failed(Kind::Server, text));
                }
                Err(e)
            }
        }
    }

    /// The connection broke: what was under way is asked for again.
    fn broken(&mut self, error: Error) -> Result<()> {
        let flights = std::mem::take(&mut self.flights);
        self.session = None;
        let mut suspected = error.text() == STEP;
        for flight in &flights {
            let missing = self.missing(flight);
            let Some((first, rest)) = missing.split_first() else { continue };
            let folder = flight.folder;
            self.shared.change(|plan| {
                // The first one that did not come may be what breaks the connection.
                if suspected || plan.strike((folder, *first)) < 2 {
                    plan.retry(Task::Batch { folder, uids: missing.clone() });
                } else {
                    plan.retry(Task::Alone { folder, uid: *first, rung: 0 });
                    plan.retry(Task::Batch { folder, uids: rest.to_vec() });
                }
            });
            suspected = true;
        }
        match error.kind() {
            Kind::Connection | Kind::Limit if !is_fatal(&error) => {}
            _ => return Err(error),
        }
        if error.text() == STEP {
            return Ok(());
        }
        let suggested = throttle::backoff(error.text()).unwrap_or_default();
        let wait = self.shared.wait(self.breaks, suggested);
        self.breaks += 1;
        if self.shared.pause(wait, &Notice::Reconnecting { why: error.text().to_owned(), wait }) {
            Ok(())
        } else {
            Err(Error::new(Kind::Interrupted, "stopped by the user"))
        }
    }
}

const STEP: &str = "the server's count of bytes does not fit what it sends";

/// The server's counts are wrong: only a new connection is in step again.
pub(super) fn out_of_step() -> Error {
    Error::new(Kind::Connection, STEP)
}

/// Marks the error of a connection that cannot be had.
fn fatal(e: Error) -> Error {
    e.within("sign-in")
}

fn is_fatal(e: &Error) -> bool {
    e.place().structure == "sign-in"
}

/// Hands over the body that a response has.
fn deliver(shared: &Shared, id: Id, fetched: Fetched, section: &Section) {
    let body = fetched.bodies.into_iter().find(|(name, data)| data.is_some() && section.is(name));
    if let Some((_, Some(data))) = body {
        arrive(shared, id, data, Vec::new());
    }
}

fn arrive(shared: &Shared, id: Id, data: Data, warnings: Vec<Warning>) {
    let outcome = match ladder::stub(&data) {
        Some(text) => Outcome::Failed(Kind::Server, text),
        None => Outcome::Here(data, warnings),
    };
    shared.arrive(id, outcome);
}
