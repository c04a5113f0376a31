//! The thread with the connection: asks for several messages at once where the server allows that, and makes a broken
//! connection anew.

use super::listing::{self, Identity};
use super::refusal::{self, Meaning};
use super::session::{Session, pause};
use super::shared::{Next, Shared};
use crate::endpoint::net::Notice;
use crate::error::{Error, Kind, Result};
use std::collections::{HashMap, VecDeque};

/// Broken connections in a row, without a message between them, before that is final.
const BREAKS: u32 = 6;
/// Times that one message may break the connection, or be refused.
const TRIES: u32 = 3;

/// Fetches until the source is closed, or nothing comes any more.
pub fn run(shared: &Shared, session: Session) {
    let numbers = shared.entries.iter().map(|e| (e.identity.clone(), e.number)).collect();
    let mut fetch = Fetch { shared, numbers, under_way: VecDeque::new(), tries: HashMap::new(), breaks: 0 };
    let mut connected = Some(session);
    loop {
        let outcome = match &mut connected {
            Some(session) => fetch.serve(session),
            None => fetch.reconnect().map(|session| {
                connected = Some(session);
                true
            }),
        };
        match outcome {
            Ok(true) => {}
            Ok(false) => return,
            Err(e) => {
                connected = None;
                if let Err(e) = fetch.broken(&e) {
                    return shared.die(&e);
                }
            }
        }
    }
}

struct Fetch<'a> {
    shared: &'a Shared,
    /// Numbers in the present session.
    numbers: HashMap<Identity, u32>,
    /// Messages that were asked for, in the order of their answers.
    under_way: VecDeque<usize>,
    tries: HashMap<usize, u32>,
    breaks: u32,
}

impl Fetch<'_> {
    /// Sends what there is room for and reads one answer; false when the source is closed.
    fn serve(&mut self, session: &mut Session) -> Result<bool> {
        let window = session.window();
        if self.under_way.len() <= window / 2 {
            let mut commands = Vec::new();
            while self.under_way.len() < window {
                match self.shared.next(!self.under_way.is_empty()) {
                    Next::Fetch(at) => match self.number(at) {
                        Some(number) => {
                            self.under_way.push_back(at);
                            commands.push(format!("RETR {number}"));
                        }
                        None => self.shared.arrive(at, Err(self.failed(at, "has gone from the server"))),
                    },
                    Next::Nothing => break,
                    Next::Close => return Ok(false),
                }
            }
            session.send(&commands)?;
        }
        let Some(at) = self.under_way.front().copied() else { return Ok(true) };
        let size = self.shared.entries.get(at).map_or(0, |e| e.size);
        let outcome = match session.status("RETR")? {
            Ok(_) => Ok(session.message(size)?),
            Err(words) => Err(words),
        };
        self.under_way.pop_front();
        match outcome {
            Ok(message) => {
                self.breaks = 0;
                self.shared.arrive(at, Ok(message));
            }
            Err(words) => self.refused(session, at, &words)?,
        }
        Ok(true)
    }

    /// A message that the server refuses is asked for again: at once, or in a while where that may help.
    fn refused(&mut self, session: &Session, at: usize, words: &str) -> Result<()> {
        let tries = self.tries.entry(at).or_default();
        *tries += 1;
        let passing = refusal::meaning(words) == Meaning::Passing;
        if *tries >= if passing { TRIES } else { 2 } {
            let error = session.refused("the server does not give out the message", words, Kind::Server);
            self.shared.arrive(at, Err(Error::new(Kind::Server, error.text())));
            return Ok(());
        }
        if passing {
            let wait = refusal::wait(*tries - 1, None);
            let why = session.refused("the server puts a message off", words, Kind::Server);
            (self.shared.account.watch)(&Notice::Waiting { why: why.text().to_owned(), wait });
            pause(&self.shared.account, wait)?;
        }
        self.shared.again(std::iter::once(at));
        Ok(())
    }

    fn number(&self, at: usize) -> Option<u32> {
        self.numbers.get(&self.shared.entries.get(at)?.identity).copied()
    }

    fn failed(&self, at: usize, what: &str) -> Error {
        let name = self.shared.entries.get(at).map_or("", |e| &e.name);
        let text = format!("{}: {name} {what} since the mailbox was listed", self.shared.account.server);
        Error::new(Kind::NotFound, text)
    }

    /// Deals with what was under way when the connection broke.
    ///
    /// # Errors
    /// When it makes no sense to go on.
    fn broken(&mut self, e: &Error) -> Result<()> {
        let server = &self.shared.account.server;
        if server.stopped() || !matches!(e.kind(), Kind::Connection | Kind::Server) {
            return Err(Error::new(e.kind(), e.text()));
        }
        if let Some(first) = self.under_way.front().copied() {
            let tries = self.tries.entry(first).or_default();
            *tries += 1;
            if *tries >= TRIES {
                self.under_way.pop_front();
                let text = format!("{}; this has happened {TRIES} times at this message", e.text());
                self.shared.arrive(first, Err(Error::new(Kind::Connection, text)));
                self.breaks = 0;
            }
        }
        self.shared.again(self.under_way.drain(..));
        self.breaks += 1;
        if self.breaks > BREAKS {
            return Err(Error::new(e.kind(), e.text()));
        }
        let wait = refusal::wait(self.breaks - 1, None) / 2;
        (self.shared.account.watch)(&Notice::Reconnecting { why: e.text().to_owned(), wait });
        pause(&self.shared.account, wait)
    }

    /// Connects again; the numbers of messages may have changed.
    fn reconnect(&mut self) -> Result<Session> {
        let mut session = Session::open(&self.shared.account)?;
        self.numbers = listing::list(&mut session)?.into_iter().map(|e| (e.identity, e.number)).collect();
        Ok(session)
    }
}
