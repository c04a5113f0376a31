//! What a folder holds: opened by EXAMINE, listed by one command, and counted against what the server promised.

use super::command::{Command, Section, set};
use super::fetched::Fetched;
use super::folders::Mailbox;
use super::response::{Response, Status};
use super::session::Session;
use super::wire::Data;
use crate::error::{Error, Kind, Result};
use crate::pipeline::Flags;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// UIDs in one command where they are named one by one: servers take lines of some 8,000 bytes.
const NAMED: usize = 500;

/// A folder as the server has it at one moment; what an incremental run needs to know.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FolderState {
    /// As long as it stays the same, UIDs mean the same messages.
    pub uidvalidity: u32,
    /// The UID that the next message will have, where the server says it.
    pub uidnext: Option<u32>,
    /// The newest change (CONDSTORE), where the server counts changes and lists all messages that it counts.
    pub highestmodseq: Option<u64>,
    /// Number of messages.
    pub exists: u64,
    /// UID, flags and size of the messages that were listed, in ascending order of UIDs.
    pub messages: Vec<(u32, Flags, u64)>,
    /// True where `messages` has all of the folder; false where it has only new and changed ones since
    /// [`KnownFolder::modseq`], or the server does not list all messages that it counts.
    pub complete: bool,
    /// UIDs that were known and are gone, where the server tells so.
    pub vanished: Vec<(u32, u32)>,
}

/// What an earlier run has of a folder.
#[derive(Debug, Clone, Default)]
pub struct KnownFolder {
    /// UIDs that need not be fetched again.
    pub uids: HashSet<u32>,
    /// [`FolderState::highestmodseq`] of that run: only what changed since then is listed where the server can.
    pub modseq: Option<u64>,
}

/// Remembers earlier runs.
pub trait Known: Send + Sync {
    /// What is known of a folder. `state` has no messages yet; a state with another `uidvalidity` than the remembered one
    /// is a different folder.
    fn known(&self, mailbox: &Mailbox, state: &FolderState) -> KnownFolder;

    /// False if nothing is known of a folder, whatever its state.
    fn knows(&self, mailbox: &Mailbox) -> bool;
}

/// Bits of [`Entry::bits`].
const SEEN: u8 = 1;
const ANSWERED: u8 = 2;
const FORWARDED: u8 = 4;
const FLAGGED: u8 = 8;
const DRAFT: u8 = 16;
const DELETED: u8 = 32;
/// The server has not told the flags.
const UNTOLD: u8 = 64;
/// The message has labels: it is in other folders, too (Gmail).
const LABELLED: u8 = 128;

/// A message of a listing; small, because a folder may have a million.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    pub(super) uid: u32,
    /// Number of its keywords among [`Listing::words`].
    words: u32,
    pub(super) size: u64,
    date: Option<i64>,
    pub(super) gmail: u64,
    bits: u8,
}

impl Entry {
    #[cfg(test)]
    pub(super) fn sized(uid: u32, size: u64) -> Self {
        Self { uid, words: 0, size, date: None, gmail: 0, bits: 0 }
    }

    pub(super) fn date(&self) -> Option<i64> {
        self.date
    }

    pub(super) fn is_labelled(&self) -> bool {
        self.bits & LABELLED != 0
    }
}

/// A folder that was listed.
#[derive(Debug, Default)]
pub(super) struct Listing {
    pub(super) state: FolderState,
    pub(super) entries: Vec<Entry>,
    words: Vec<Arc<[String]>>,
    numbers: HashMap<Arc<[String]>, u32>,
    /// Messages that the server counts but does not list.
    pub(super) unlisted: u64,
}

impl Listing {
    fn add(&mut self, fetched: &Fetched, labels: &dyn Fn(&[Vec<u8>]) -> Vec<String>) {
        let Some(uid) = fetched.uid else { return };
        let (mut bits, mut words) = (UNTOLD, Vec::new());
        if let Some(flags) = &fetched.flags {
            (bits, words) = read_flags(flags);
        }
        if fetched.labels.as_ref().is_some_and(|l| !l.is_empty()) {
            bits |= LABELLED;
        }
        if let Some(more) = &fetched.labels {
            let mut there: HashSet<String> = words.iter().cloned().collect();
            words.extend(labels(more).into_iter().filter(|label| there.insert(label.clone())));
        }
        let words = self.number(words);
        let size = fetched.size.unwrap_or_default();
        let gmail = fetched.gmail_id.unwrap_or_default();
        self.entries.push(Entry { uid, words, size, date: fetched.date, gmail, bits });
    }

    fn number(&mut self, words: Vec<String>) -> u32 {
        let words: Arc<[String]> = words.into();
        if let Some(number) = self.numbers.get(&words) {
            return *number;
        }
        let number = self.words.len() as u32;
        self.words.push(Arc::clone(&words));
        self.numbers.insert(words, number);
        number
    }

    pub(super) fn find(&self, uid: u32) -> Option<&Entry> {
        let at = self.entries.binary_search_by_key(&uid, |e| e.uid).ok()?;
        self.entries.get(at)
    }

    pub(super) fn flags(&self, entry: &Entry) -> Flags {
        let has = |bit| entry.bits & bit != 0;
        Flags {
            seen: (!has(UNTOLD)).then(|| has(SEEN)),
            answered: has(ANSWERED),
            forwarded: has(FORWARDED),
            flagged: has(FLAGGED),
            draft: has(DRAFT),
            deleted: has(DELETED),
            keywords: self.words.get(entry.words as usize).map(|w| w.to_vec()).unwrap_or_default(),
        }
    }

    fn take(&mut self, response: Response, manner: &Manner<'_>) {
        match response {
            Response::Fetch(fetched) => self.add(&fetched, manner.labels),
            Response::Exists(n) => self.state.exists = self.state.exists.max(n),
            Response::Expunge(_) => self.state.exists = self.state.exists.saturating_sub(1),
            Response::Vanished(ranges, true) => self.state.vanished.extend(ranges),
            Response::Vanished(ranges, false) => {
                let gone: u64 = ranges.iter().map(|(first, last)| u64::from(last - first) + 1).sum();
                self.state.exists = self.state.exists.saturating_sub(gone);
            }
            _ => {}
        }
    }

    /// In ascending order, each UID once: the first response that tells size or date is the answer, the others are news.
    fn settle(&mut self) {
        self.entries.sort_by_key(|e| (e.uid, e.size == 0 && e.date.is_none()));
        self.entries.dedup_by_key(|e| e.uid);
    }
}

fn read_flags(flags: &[String]) -> (u8, Vec<String>) {
    let mut bits = 0;
    let mut words = Vec::new();
    for flag in flags {
        bits |= match flag.to_ascii_lowercase().as_str() {
            "\\seen" => SEEN,
            "\\answered" => ANSWERED,
            "$forwarded" | "forwarded" => FORWARDED,
            "\\flagged" => FLAGGED,
            "\\draft" => DRAFT,
            "\\deleted" => DELETED,
            "\\recent" | "\\*" | "" => 0,
            _ => {
                words.push(flag.clone());
                0
            }
        };
    }
    (bits, words)
}

/// Opens a folder for reading only. `complete` is true where the server has said how many messages there are.
///
/// # Errors
/// When the connection breaks or the server refuses.
pub(super) fn examine(session: &mut Session, mailbox: &Mailbox) -> Result<FolderState> {
    let mut state = FolderState::default();
    let command = opening(session, mailbox);
    let status = session.run(&command, &mut |response| note(&mut state, response))?;
    opened(session, mailbox, &state, &status)?;
    Ok(state)
}

fn opening(session: &mut Session, mailbox: &Mailbox) -> Command {
    session.opened = None;
    Command::examine(&mailbox.name, session.can("CONDSTORE") || session.can("QRESYNC"))
}

fn note(state: &mut FolderState, response: Response) {
    let number = |code: Option<&str>| code.and_then(|c| c.parse::<u64>().ok());
    match response {
        Response::Exists(n) => (state.exists, state.complete) = (n, true),
        Response::Status(status) => {
            if let Some(n) = number(status.code("UIDVALIDITY")) {
                state.uidvalidity = n as u32;
            }
            state.uidnext = state.uidnext.or(number(status.code("UIDNEXT")).map(|n| n as u32));
            state.highestmodseq = state.highestmodseq.or(number(status.code("HIGHESTMODSEQ")));
        }
        _ => {}
    }
}

fn opened(session: &mut Session, mailbox: &Mailbox, state: &FolderState, status: &Status) -> Result<()> {
    if !status.is_ok() {
        let what = format!("opening the folder \"{}\"", mailbox.folder.path.join("/"));
        return Err(session.account().refused(&what, status));
    }
    session.opened = Some((mailbox.name.clone(), state.uidvalidity));
    Ok(())
}

/// How folders are listed.
pub(super) struct Manner<'a> {
    pub(super) gmail: bool,
    pub(super) known: Option<&'a dyn Known>,
    /// What the labels of Gmail become.
    pub(super) labels: &'a dyn Fn(&[Vec<u8>]) -> Vec<String>,
}

/// Opens and lists a folder. Known messages are listed with their flags, too.
///
/// # Errors
/// When the connection breaks, or the server neither opens nor lists the folder.
pub(super) fn list(session: &mut Session, mailbox: &Mailbox, manner: &Manner<'_>) -> Result<(Listing, KnownFolder)> {
    let more = if manner.gmail { " X-GM-MSGID X-GM-LABELS" } else { "" };
    // Where nothing is known that the folder has to be compared with, it is opened and listed in one go.
    let new = manner.known.is_none_or(|k| !k.knows(mailbox)) && mailbox.counts.messages.is_some_and(|n| n > 0);
    let mut listing = Listing::default();
    let mut refusal = None;
    let mut listed = false;
    if new {
        let (open, all) = (opening(session, mailbox), Command::listing("1:*", more, ""));
        let mut take = |is_open, response| {
            if is_open { listing.take(response, manner) } else { note(&mut listing.state, response) }
        };
        let (status, end) = session.run_both(&open, &all, &mut take)?;
        opened(session, mailbox, &listing.state, &status)?;
        listed = end.is_some();
        refusal = end.filter(|s| !s.is_ok());
    } else {
        listing.state = examine(session, mailbox)?;
    }
    let known = manner.known.map(|k| k.known(mailbox, &listing.state)).unwrap_or_default();
    let counted = listing.state.complete;
    if counted && listing.state.exists == 0 {
        return Ok((listing, known));
    }
    // The labels of all messages are needed to tell which are in several folders.
    let qresync = counted && !manner.gmail && session.has_enabled("QRESYNC") && listing.state.highestmodseq.is_some();
    if let Some(since) = known.modseq.filter(|m| qresync && *m > 0 && !known.uids.is_empty()) {
        let modifier = format!(" (CHANGEDSINCE {since} VANISHED)");
        listing.state.complete = false;
        let status = ask(session, &mut listing, &Command::listing("1:*", more, &modifier), manner)?;
        if status.is_none() {
            listing.settle();
            return Ok((listing, known));
        }
        listing.state.complete = true;
        listing.entries.clear();
    }
    if !listed {
        refusal = ask(session, &mut listing, &Command::listing("1:*", more, ""), manner)?;
    }
    listing.settle();
    if (listing.entries.len() as u64) < listing.state.exists || refusal.is_some() || !counted {
        complete(session, mailbox, &mut listing, more, manner, refusal)?;
    }
    if listing.unlisted > 0 || !counted {
        // What is not listed need not be gone, and has to be looked for in the next run.
        listing.state.complete = false;
        listing.state.highestmodseq = None;
        listing.state.exists = listing.state.exists.max(listing.entries.len() as u64);
    }
    Ok((listing, known))
}

/// Runs one command of a listing; returns what the server said if it refused.
fn ask(session: &mut Session, listing: &mut Listing, command: &Command, manner: &Manner<'_>) -> Result<Option<Status>> {
    let status = session.run(command, &mut |response| listing.take(response, manner))?;
    Ok(if status.is_ok() { None } else { Some(status) })
}

/// Asks for messages that the first answer left out, and notes those of which only the UID is known.
fn complete(
    session: &mut Session,
    mailbox: &Mailbox,
    listing: &mut Listing,
    more: &str,
    manner: &Manner<'_>,
    refusal: Option<Status>,
) -> Result<()> {
    let mut found = Vec::new();
    let status = session.run(&Command::search("ALL"), &mut |response| {
        if let Response::Search(uids) = response {
            found.extend(uids);
        }
    })?;
    if let (false, true, Some(refusal)) = (status.is_ok(), listing.entries.is_empty(), refusal) {
        let what = format!("listing the folder \"{}\"", mailbox.folder.path.join("/"));
        return Err(session.account().refused(&what, &refusal));
    }
    found.sort_unstable();
    found.dedup();
    let missing =
        |listing: &Listing| -> Vec<u32> { found.iter().copied().filter(|uid| listing.find(*uid).is_none()).collect() };
    for some in missing(listing).chunks(NAMED) {
        ask(session, listing, &Command::listing(&set(some), more, ""), manner)?;
    }
    listing.settle();
    for uid in missing(listing) {
        listing.add(&Fetched { uid: Some(uid), ..Fetched::default() }, manner.labels);
    }
    listing.settle();
    listing.unlisted = listing.state.exists.saturating_sub(listing.entries.len() as u64);
    Ok(())
}

/// The headers of messages, for filters that need them.
///
/// # Errors
/// When the connection breaks.
pub(super) fn headers(session: &mut Session, uids: &[u32], take: &mut dyn FnMut(u32, Vec<u8>)) -> Result<()> {
    for some in uids.chunks(NAMED) {
        session.run(&Command::fetch(some, &Section::Header), &mut |response| {
            let Response::Fetch(fetched) = response else { return };
            let header = fetched.bodies.into_iter().find(|(name, _)| Section::Header.is(name));
            // A header that may be cut tells nothing; the message is judged when it is there.
            if let (Some(uid), Some((_, Some(Data::Held(bytes)))), None) = (fetched.uid, header, fetched.doubt) {
                take(uid, bytes);
            }
        })?;
    }
    Ok(())
}

/// The error of a folder whose UIDs have a new meaning.
pub(super) fn changed(mailbox: &Mailbox) -> Error {
    let text = format!(
        "the server has numbered the folder \"{}\" anew while it was read (UIDVALIDITY); run again to get the rest of it",
        mailbox.folder.path.join("/")
    );
    Error::new(Kind::Server, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_and_keywords() {
        let mut listing = Listing::default();
        let words = |flags: &[&str]| Some(flags.iter().map(|f| (*f).to_owned()).collect());
        for (uid, flags) in [
            (3, words(&["\\SEEN", "\\Recent", "Work", "$Forwarded"])),
            (1, words(&["Work"])),
            (2, None),
            (3, words(&["\\Deleted"])),
        ] {
            listing.add(&Fetched { uid: Some(uid), flags, ..Fetched::default() }, &|_| Vec::new());
        }
        listing.settle();
        assert_eq!(listing.entries.iter().map(|e| e.uid).collect::<Vec<_>>(), [1, 2, 3]);
        let flags = listing.flags(listing.find(3).unwrap());
        assert_eq!((flags.seen, flags.forwarded, flags.deleted), (Some(true), true, false));
        assert_eq!(flags.keywords, ["Work"]);
        assert_eq!(listing.flags(listing.find(2).unwrap()).seen, None);
        assert_eq!(listing.flags(listing.find(1).unwrap()).seen, Some(false));
    }
}
