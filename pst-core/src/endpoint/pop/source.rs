//! The Inbox of an account as a source, and the deletion of what was downloaded.

use super::listing::{self, Entry};
use super::session::Session;
use super::shared::Shared;
use super::{Account, fetch};
use crate::error::{Error, Kind, Result};
use crate::pipeline::{Body, Folder, Item, ItemRef, Role, Source};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::SystemTime;

/// Begins the names of messages that cannot be recognised on another day.
const ONCE: &str = "once ";

/// Tells of a message whether an earlier run has it, by what [`Source::lasting`] gave then.
pub type Known = Arc<dyn Fn(&str) -> bool + Send + Sync>;

/// How an account is read.
#[derive(Clone, Default)]
pub struct Options {
    /// What earlier runs have is not fetched again.
    pub known: Option<Known>,
    /// The name of the mailbox; empty for who signs in.
    pub title: String,
}

/// What became of messages that were to be deleted, by the names that were given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ledger {
    /// The server has confirmed that these are gone.
    pub deleted: Vec<String>,
    /// These were not there any more.
    pub missing: Vec<String>,
    /// These are still there, or may be; with the reason.
    pub kept: Vec<(String, String)>,
}

/// The Inbox of an account on a POP3 server. Nothing on the server changes unless [`Self::delete`] is called.
pub struct PopSource {
    shared: Arc<Shared>,
    /// Places in the listing of what is to be fetched.
    chosen: Vec<usize>,
    options: Options,
    /// Seconds since 1970 UTC.
    opened: u64,
    state: Mutex<State>,
}

enum State {
    Listed(Box<Session>),
    Fetching(JoinHandle<()>),
    Closed,
}

impl PopSource {
    /// Connects, signs in and lists the messages.
    ///
    /// # Errors
    /// [`Kind::Connection`] when the server cannot be reached, [`Kind::Denied`] when it refuses the sign-in.
    pub fn open(account: Account, options: Options) -> Result<Self> {
        let mut session = Session::open(&account)?;
        let entries = listing::list(&mut session)?;
        let known = |e: &Entry| options.known.as_ref().zip(e.identity.lasting()).is_some_and(|(known, id)| known(id));
        let chosen = entries.iter().enumerate().filter(|(_, e)| !known(e)).map(|(at, _)| at).collect();
        let shared = Arc::new(Shared::new(account, entries));
        let opened = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |d| d.as_secs());
        Ok(Self { shared, chosen, options, opened, state: Mutex::new(State::Listed(Box::new(session))) })
    }

    /// Messages on the server, and their bytes as it counts them.
    pub fn on_server(&self) -> (u64, u64) {
        (self.shared.entries.len() as u64, self.shared.entries.iter().map(|e| e.size).sum())
    }

    /// Messages of which an earlier run says that it has them.
    pub fn known(&self) -> u64 {
        (self.shared.entries.len() - self.chosen.len()) as u64
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start(&self) {
        let mut state = self.state();
        match std::mem::replace(&mut *state, State::Closed) {
            State::Listed(session) => {
                self.shared.plan(self.chosen.iter().copied());
                let shared = Arc::clone(&self.shared);
                *state = State::Fetching(std::thread::spawn(move || fetch::run(&shared, *session)));
            }
            other => *state = other,
        }
    }

    /// Ends the connection, without QUIT: the server forgets that it was there. Nothing can be loaded any more.
    pub fn close(&self) {
        self.shared.close();
        let state = std::mem::replace(&mut *self.state(), State::Closed);
        if let State::Fetching(thread) = state {
            // A thread that has panicked has ended, too.
            let _ = thread.join();
        }
    }

    fn place(&self, item: &ItemRef) -> Option<usize> {
        let number = u32::try_from(item.key).ok()?;
        self.shared.entries.binary_search_by_key(&number, |e| e.number).ok()
    }

    /// Deletes messages on the server, by what [`Source::lasting`] gave, in a session of its own. What is not surely one of
    /// them stays.
    ///
    /// # Errors
    /// When the server cannot be reached or the connection breaks before the end: then nothing is deleted.
    pub fn delete(&self, lasting: &[String]) -> Result<Ledger> {
        self.close();
        let nothing = |e: Error| Error::new(e.kind(), format!("{}; no message was deleted", e.text()));
        let mut session = Session::open(&self.shared.account).map_err(nothing)?;
        let entries = listing::list(&mut session).map_err(nothing)?;
        let mut ledger = Ledger::default();
        let found = find(&entries, lasting, &mut ledger);
        let mut marked = Vec::new();
        for some in found.chunks(session.window()) {
            let commands: Vec<String> = some.iter().map(|(n, _)| format!("DELE {n}")).collect();
            session.send(&commands).map_err(nothing)?;
            for (_, name) in some {
                match session.status("DELE").map_err(nothing)? {
                    Ok(_) => marked.push((*name).clone()),
                    Err(words) => {
                        let error = session.refused("the server does not delete the message", &words, Kind::Server);
                        ledger.kept.push(((*name).clone(), error.text().to_owned()));
                    }
                }
            }
        }
        let why = match session.command("QUIT") {
            Ok(Ok(_)) => {
                ledger.deleted = marked;
                return Ok(ledger);
            }
            Ok(Err(words)) => session.refused("the server has not deleted all messages", &words, Kind::Server),
            Err(e) => e,
        };
        let unsure = format!("{}; it is not sure that the message was deleted", why.text());
        ledger.kept.extend(marked.into_iter().map(|name| (name, unsure.clone())));
        Ok(ledger)
    }
}

/// The numbers of what is to be deleted.
fn find<'a>(entries: &[Entry], lasting: &'a [String], ledger: &mut Ledger) -> Vec<(u32, &'a String)> {
    let mut numbers: HashMap<&str, u32> = HashMap::new();
    let mut alike: HashSet<&str> = HashSet::new();
    for entry in entries {
        if let Some(text) = entry.identity.lasting() {
            numbers.insert(text, entry.number);
            // Of several with the same header nobody can tell which is which.
            if let Some((header, n)) = hashed(text)
                && n != "1"
            {
                alike.insert(header);
            }
        }
    }
    let mut out = Vec::new();
    let mut asked: HashSet<&str> = HashSet::new();
    for name in lasting.iter().filter(|name| asked.insert(name)) {
        let doubtful = hashed(name).is_some_and(|(header, n)| n != "1" || alike.contains(header));
        match numbers.get(name.as_str()) {
            None if name.starts_with(ONCE) => {
                let text = "the server has neither UIDL nor TOP, by which this message could be recognised";
                ledger.kept.push((name.clone(), text.to_owned()));
            }
            None => ledger.missing.push(name.clone()),
            Some(_) if doubtful => {
                let text = "the server has no UIDL of its own for this message, and others have the same header";
                ledger.kept.push((name.clone(), text.to_owned()));
            }
            Some(number) => out.push((*number, name)),
        }
    }
    out
}

fn hashed(lasting: &str) -> Option<(&str, &str)> {
    lasting.starts_with("header ").then(|| lasting.rsplit_once(' ')).flatten()
}

impl Source for PopSource {
    fn folders(&self) -> Result<Vec<Folder>> {
        let path = vec![Role::Inbox.name().to_owned()];
        Ok(vec![Folder { path, role: Role::Inbox, count: Some(self.chosen.len() as u64), ..Folder::default() }])
    }

    fn items<'a>(&'a self, _folder: &'a Folder) -> Result<Box<dyn Iterator<Item = Result<ItemRef>> + Send + 'a>> {
        self.start();
        let entries = self.chosen.iter().filter_map(|at| self.shared.entries.get(*at));
        Ok(Box::new(
            entries.map(|e| {
                Ok(ItemRef { id: e.name.clone(), key: u64::from(e.number), size: e.size, ..ItemRef::default() })
            }),
        ))
    }

    fn load(&self, _folder: &Folder, item: &ItemRef) -> Result<Item> {
        let place = self.place(item).ok_or_else(|| Error::new(Kind::NotFound, "the mailbox has no such message"))?;
        let mime = self.shared.take(place)?.into_mime()?;
        Ok(Item { id: item.id.clone(), body: Body::Mime(mime), associated: false, warnings: Vec::new() })
    }

    /// UIDL and size, or a hash of the header. A message that cannot be recognised on another day gets a name that is good
    /// for this one.
    fn lasting(&self, item: &ItemRef) -> Vec<u8> {
        let entry = self.place(item).and_then(|at| self.shared.entries.get(at));
        match entry.and_then(|e| e.identity.lasting()) {
            Some(lasting) => lasting.as_bytes().to_vec(),
            None => format!("{ONCE}{} {}", self.opened, item.key).into_bytes(),
        }
    }

    fn title(&self) -> String {
        if self.options.title.is_empty() {
            self.shared.account.login.user().to_owned()
        } else {
            self.options.title.clone()
        }
    }
}

impl Drop for PopSource {
    fn drop(&mut self) {
        // The thread ends with the answers that are under way; nobody waits for it.
        self.shared.close();
    }
}
