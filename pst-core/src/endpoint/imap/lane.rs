//! The way into a mailbox over IMAP: [RFC 9051] 6.3.12 and what Exchange makes of it.

use super::account::Account;
use super::append::{Allowed, Into, explained, flags, letter, put, use_of};
use super::command::{Command, set};
use super::compare::{Back, compare};
use super::folders::{self, Wanted};
use super::letter::{Writer, probe};
use super::listing;
use super::response::Response;
use super::session::Session;
use super::throttle;
use crate::endpoint::net::{Notice, tame};
use crate::endpoint::push::{Answer, Difference, Index, Lane, Limits, Parcel, Place, Session as Pushing};
use crate::endpoint::utf7;
use crate::error::{Error, Kind, Result};
use crate::mapi::{Code, Warning};
use crate::mime;
use crate::pipeline::{Prepare, Role};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Messages of a batch, and their bytes.
const BATCH: Limits = Limits { items: 100, bytes: 4 << 20 };
/// UIDs in one command.
const NAMED: usize = 500;

/// How messages go into a mailbox over IMAP.
#[derive(Debug, Clone, Default)]
pub struct PushOptions {
    /// How messages of a store become mail.
    pub mail: mime::Options,
    /// Requests for read receipts stay in mail that was read.
    pub keep_receipts: bool,
}

/// A mailbox on an IMAP server as a target.
pub struct ImapLane {
    account: Account,
    options: PushOptions,
    /// Set with the first session.
    learnt: Mutex<Option<Learnt>>,
    allowed: Arc<Mutex<HashMap<String, Allowed>>>,
}

/// What a server is like.
#[derive(Debug, Clone)]
struct Learnt {
    /// What stands before the names of all folders.
    prefix: Vec<u8>,
    separator: Option<u8>,
    exchange: bool,
    /// The largest message (RFC 7889).
    limit: Option<u64>,
}

impl ImapLane {
    /// A mailbox that is connected to when it is first needed.
    pub fn new(account: Account, options: PushOptions) -> Self {
        Self { account, options, learnt: Mutex::default(), allowed: Arc::default() }
    }

    fn learnt(&self) -> Option<Learnt> {
        self.learnt.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Lane for ImapLane {
    fn preparer(&self) -> Arc<dyn Prepare> {
        let learnt = self.learnt();
        Arc::new(Writer {
            mail: self.options.mail.clone(),
            keep_receipts: self.options.keep_receipts,
            mail_only: learnt.as_ref().is_some_and(|l| l.exchange),
            limit: learnt.and_then(|l| l.limit),
        })
    }

    fn limits(&self) -> Limits {
        BATCH
    }

    fn session(&self) -> Result<Box<dyn Pushing>> {
        let mut session = Session::open_to_change(&self.account)?;
        let learnt = match self.learnt() {
            Some(learnt) => learnt,
            None => {
                let (prefix, separator) = folders::root(&mut session)?;
                let limit = session.offered("APPENDLIMIT=").first().and_then(|n| n.parse().ok());
                let learnt = Learnt { prefix, separator, exchange: !session.has_exact_sizes(), limit };
                *self.learnt.lock().unwrap_or_else(PoisonError::into_inner) = Some(learnt.clone());
                learnt
            }
        };
        Ok(Box::new(Mailbox { session, learnt, allowed: Arc::clone(&self.allowed) }))
    }

    fn stopped(&self) -> bool {
        self.account.server.stopped()
    }

    fn tell(&self, notice: &Notice) {
        (self.account.watch)(notice);
    }

    fn backoff(&self, words: &str) -> Option<Duration> {
        throttle::backoff(words)
    }

    fn patience(&self) -> Duration {
        self.account.patience
    }
}

/// A session that changes the mailbox.
struct Mailbox {
    session: Session,
    learnt: Learnt,
    /// What folders keep of flags, by their ids.
    allowed: Arc<Mutex<HashMap<String, Allowed>>>,
}

/// The name of a folder as text; each byte is a character, since some servers have other names than IMAP allows.
fn id_of(name: &[u8]) -> String {
    name.iter().map(|b| char::from(*b)).collect()
}

fn name_of(place: &Place) -> Vec<u8> {
    place.id.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect()
}

/// The set of ids that are UIDs.
fn uids(ids: impl Iterator<Item = String>) -> Vec<u32> {
    let mut uids: Vec<u32> = ids.filter_map(|id| id.parse().ok()).collect();
    uids.sort_unstable();
    uids.dedup();
    uids
}

/// A name that every server takes.
fn careful(name: &str) -> String {
    let plain: String = name.chars().map(|c| if "*%#&\\\"/.~".contains(c) { '_' } else { c }).collect();
    plain.trim().to_owned()
}

impl Mailbox {
    fn allowed(&self, place: &Place) -> Allowed {
        let allowed = self.allowed.lock().unwrap_or_else(PoisonError::into_inner);
        allowed.get(&place.id).cloned().unwrap_or_default()
    }

    /// Opens a folder to read what is in it; its number of messages.
    fn examine(&mut self, place: &Place) -> Result<u64> {
        let mailbox = super::Mailbox {
            name: name_of(place),
            folder: crate::pipeline::Folder { path: place.path.clone(), ..crate::pipeline::Folder::default() },
            ..super::Mailbox::default()
        };
        Ok(listing::examine(&mut self.session, &mailbox)?.exists)
    }

    /// Exchange forgets the flag when it comes with the message.
    fn flag(&mut self, place: &Place, uids: &[u32]) -> Result<Option<String>> {
        if uids.is_empty() {
            return Ok(None);
        }
        self.session.must("opening the folder", &Command::select(&name_of(place)), &mut |_| {})?;
        let status = self.session.run(&Command::add_flag(&set(uids), "\\Flagged"), &mut |_| {})?;
        Ok((!status.is_ok()).then(|| tame(status.words().as_bytes())))
    }
}

impl Pushing for Mailbox {
    fn folders(&mut self) -> Result<Vec<Place>> {
        let (boxes, _) = folders::folders(&mut self.session, Wanted::default())?;
        let place = |m: super::Mailbox| Place {
            id: id_of(&m.name),
            path: m.folder.path,
            role: m.folder.role,
            state: String::new(),
            holds_items: m.selectable,
        };
        // A parent that the server does not list has no name yet.
        let mut places: Vec<Place> = boxes.into_iter().filter(|m| !m.name.is_empty()).map(place).collect();
        if !places.iter().any(|p| p.role == Role::Inbox) {
            let inbox = Place { id: "INBOX".to_owned(), role: Role::Inbox, holds_items: true, ..Place::default() };
            places.insert(0, Place { path: vec!["Inbox".to_owned()], ..inbox });
        }
        Ok(places)
    }

    fn tame(&self, name: &str) -> String {
        let separator = self.learnt.separator.map(char::from);
        let bad = |c: char| c.is_control() || Some(c) == separator || (self.learnt.exchange && c == '/');
        let plain: String = name.chars().map(|c| if bad(c) { '_' } else { c }).collect();
        // Folders of Exchange whose names end in a space cannot be opened.
        let plain = if self.learnt.exchange { plain.trim().to_owned() } else { plain };
        if plain.is_empty() { "_".to_owned() } else { plain }
    }

    fn create(
        &mut self,
        parent: Option<&Place>,
        name: &str,
        role: Role,
        _class: &str,
    ) -> Result<(Place, Vec<Warning>)> {
        let tame_name = self.tame(name);
        let careful = careful(&tame_name);
        // Some names are reserved, such as "Files" at Microsoft.
        let mut candidates = vec![tame_name, careful.clone(), format!("{careful}_")];
        candidates.dedup();
        let mut refusal = String::new();
        for candidate in candidates {
            let mut wire = match parent {
                Some(parent) => {
                    let mut above = name_of(parent);
                    above.extend(self.learnt.separator);
                    above
                }
                None => self.learnt.prefix.clone(),
            };
            wire.extend_from_slice(utf7::encode(&candidate).as_bytes());
            let role_word = use_of(&self.session, role);
            let mut status = self.session.run(&Command::create(&wire, role_word), &mut |_| {})?;
            if !status.is_ok() && role_word.is_some() {
                status = self.session.run(&Command::create(&wire, None), &mut |_| {})?;
            }
            let words = tame(status.words().as_bytes());
            let there = status.code("ALREADYEXISTS").is_some() || words.to_lowercase().contains("exists");
            if !status.is_ok() && !there {
                refusal = if refusal.is_empty() { words } else { refusal };
                continue;
            }
            // A folder that cannot be subscribed to is there all the same.
            self.session.run(&Command::subscribe(&wire), &mut |_| {})?;
            let mut path = parent.map(|p| p.path.clone()).unwrap_or_default();
            path.push(candidate.clone());
            let mut warnings = Vec::new();
            if candidate != name {
                let text =
                    format!("the folder \"{name}\" is called \"{candidate}\" here, as the server has no such names");
                warnings.push(Code::Name.with(text));
            }
            let place = Place { id: id_of(&wire), path, role, state: String::new(), holds_items: true };
            return Ok((place, warnings));
        }
        Err(Error::new(Kind::Server, format!("the server does not make the folder \"{name}\": {refusal}")))
    }

    fn look(&mut self, place: &mut Place) -> Result<()> {
        let name = name_of(place);
        if !place.holds_items {
            // One that only holds others becomes one that holds messages, too.
            self.session.run(&Command::create(&name, None), &mut |_| {})?;
            place.holds_items = true;
        }
        let mut allowed = Allowed::default();
        let mut state = String::new();
        let status = self.session.run(&Command::select(&name), &mut |response| {
            if let Response::Status(status) = response {
                if let Some(validity) = status.code("UIDVALIDITY") {
                    validity.clone_into(&mut state);
                }
                if let Some(flags) = status.code("PERMANENTFLAGS") {
                    allowed = Allowed::of(flags);
                }
            }
        })?;
        if !status.is_ok() {
            let words = tame(status.words().as_bytes());
            let text = format!("the server does not open the folder \"{}\": {words}", place.path.join("/"));
            return Err(Error::new(Kind::Server, text));
        }
        if status.code("READ-ONLY").is_some() {
            // Whether messages may be added all the same, only the server knows.
            allowed = Allowed::default();
        }
        place.state = state;
        self.allowed.lock().unwrap_or_else(PoisonError::into_inner).insert(place.id.clone(), allowed);
        Ok(())
    }

    fn put(&mut self, place: &Place, items: &mut [Parcel], told: &mut dyn FnMut(usize, Answer)) -> Result<()> {
        let (name, allowed, exchange) = (name_of(place), self.allowed(place), self.learnt.exchange);
        let into = Into { name: &name, allowed: &allowed, exchange };
        if !exchange {
            return put(&mut self.session, &into, items, told);
        }
        let mut answers = Vec::new();
        let result = put(&mut self.session, &into, items, &mut |i, answer| answers.push((i, answer)));
        let mut flagged = Vec::new();
        let mut unflagged = None;
        for (i, answer) in &answers {
            let wanted = items.get_mut(*i).and_then(|p| letter(p).ok()).is_some_and(|l| l.flags.flagged);
            if let (Answer::Stored(at, _), true) = (answer, wanted) {
                flagged.extend(at.id.parse::<u32>().ok());
            }
        }
        flagged.sort_unstable();
        if result.is_ok() {
            unflagged = self.flag(place, &flagged).unwrap_or_else(|e| Some(e.text().to_owned()));
        }
        for (i, answer) in answers {
            let letter = items.get_mut(i).and_then(|p| letter(p).ok());
            told(
                i,
                match (answer, letter) {
                    (Answer::Stored(at, mut warnings), Some(letter)) if letter.flags.flagged => {
                        let why = if at.id.is_empty() {
                            Some("it does not tell where it is".to_owned())
                        } else {
                            unflagged.clone()
                        };
                        let text = |why| format!("the flag could not be set: {why}");
                        warnings.extend(why.map(|why| Code::Property.with(text(why))));
                        Answer::Stored(at, warnings)
                    }
                    (Answer::Refused(error), Some(letter)) => Answer::Refused(explained(error, letter)),
                    (answer, _) => answer,
                },
            );
        }
        result
    }

    fn count(&mut self, place: &Place) -> Result<u64> {
        self.examine(place)
    }

    fn index(&mut self, place: &Place) -> Result<Index> {
        let mut index = Index::new();
        if self.examine(place)? == 0 {
            return Ok(index);
        }
        self.session.must("looking what the folder has", &Command::probes("1:*"), &mut |response| {
            let Response::Fetch(fetched) = response else { return };
            let head = fetched.bodies.into_iter().find(|(name, _)| name.starts_with("BODY[HEADER.FIELDS"));
            if let (Some(uid), Some((_, Some(super::wire::Data::Held(bytes))))) = (fetched.uid, head) {
                index.entry(probe(&bytes)).or_default().push(uid.to_string());
            }
        })?;
        Ok(index)
    }

    fn check(&mut self, place: &Place, items: &mut [(String, &mut Parcel)]) -> Result<Vec<Vec<Difference>>> {
        let (name, allowed, exchange) = (name_of(place), self.allowed(place), self.learnt.exchange);
        let into = Into { name: &name, allowed: &allowed, exchange };
        self.examine(place)?;
        let numbers: HashMap<u32, usize> =
            items.iter().enumerate().filter_map(|(i, (id, _))| Some((id.parse().ok()?, i))).collect();
        let missing = || vec![Difference::Serious("it is not there".to_owned())];
        let mut out: Vec<Vec<Difference>> = items.iter().map(|_| missing()).collect();
        let wanted = uids(items.iter().map(|(id, _)| id.clone()));
        for some in wanted.chunks(NAMED) {
            let mut failed = None;
            self.session.must("reading back", &Command::whole(&set(some)), &mut |response| {
                let Response::Fetch(mut fetched) = response else { return };
                let Some(at) = fetched.uid.and_then(|uid| numbers.get(&uid)).copied() else { return };
                let body = fetched.bodies.iter().position(|(name, data)| name == "BODY[]" && data.is_some());
                let Some((_, Some(data))) = body.map(|i| fetched.bodies.swap_remove(i)) else { return };
                let judged = items.get_mut(at).map_or(Ok(Vec::new()), |(_, parcel)| {
                    let letter = letter(parcel)?;
                    let (sent, _) = flags(letter, &into);
                    compare(letter, &sent, &Back::of(data)?, &fetched, !exchange)
                });
                match (judged, out.get_mut(at)) {
                    (Ok(judged), Some(slot)) => *slot = judged,
                    (Err(e), _) => failed = Some(e),
                    _ => {}
                }
            })?;
            if let Some(e) = failed {
                return Err(e);
            }
        }
        Ok(out)
    }

    fn delete(&mut self, place: &Place, ids: &[String]) -> Result<Vec<Warning>> {
        let uids = uids(ids.iter().cloned());
        if uids.is_empty() {
            return Ok(Vec::new());
        }
        self.session.must("opening the folder", &Command::select(&name_of(place)), &mut |_| {})?;
        let set = set(&uids);
        self.session.must("deleting", &Command::add_flag(&set, "\\Deleted"), &mut |_| {})?;
        if !self.session.can("UIDPLUS") {
            let text =
                "what it replaces is marked as deleted; the server removes it with the next cleaning of the folder";
            return Ok(vec![Code::Deleted.with(text)]);
        }
        self.session.must("deleting", &Command::expunge(&set), &mut |_| {})?;
        Ok(Vec::new())
    }

    fn close(self: Box<Self>) {
        self.session.close();
    }
}
