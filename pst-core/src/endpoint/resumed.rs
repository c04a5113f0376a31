//! Accounts as sources of a run that goes on where an earlier one ended: what is in the target is not fetched again.

use super::imap::{FolderState, ImapSource, Known, KnownFolder, Mailbox};
use super::pop::{self, PopSource};
use crate::error::Result;
use crate::pipeline::journal::{AccountState, Differences, Listed, Listing};
use crate::pipeline::{Folder, Item, ItemRef, Role, Source};
use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, OnceLock};

/// The journal as the IMAP source asks it; it may be there only after the connection is.
#[derive(Default)]
pub struct Remembered(pub OnceLock<Arc<AccountState>>);

/// The key of a folder that the server no longer has.
const GONE: u64 = u64::MAX;

fn key(uid: u32) -> Vec<u8> {
    uid.to_be_bytes().to_vec()
}

impl Known for Remembered {
    fn known(&self, mailbox: &Mailbox, state: &FolderState) -> KnownFolder {
        // What cannot be looked up is told when the folder is compared; nothing of it is fetched then.
        let Some(journal) = self.0.get() else { return KnownFolder::default() };
        let before = journal.before(&mailbox.folder.path, state.uidvalidity.into()).unwrap_or_default();
        let uids = before.keys.iter().filter_map(|k| k.as_slice().try_into().ok()).map(u32::from_be_bytes).collect();
        KnownFolder { uids, modseq: before.newest }
    }

    fn knows(&self, mailbox: &Mailbox) -> bool {
        self.0.get().is_some_and(|journal| journal.has(&mailbox.folder.path).unwrap_or(true))
    }
}

/// An IMAP account and its journal. Folders that the server no longer has are listed, too, and empty.
pub struct ResumedImap {
    source: ImapSource,
    journal: Arc<AccountState>,
    /// Filters leave messages out, so that a later run must list them again.
    filtered: bool,
    /// Folders of earlier runs that are gone, and their last UIDVALIDITY.
    gone: BTreeMap<Vec<String>, u64>,
}

impl ResumedImap {
    /// Puts an account and what earlier runs took of it together; `filtered` if messages are left out.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn new(source: ImapSource, journal: Arc<AccountState>, filtered: bool) -> Result<Self> {
        let listed = source.mailboxes().iter().filter(|m| m.selectable).map(|m| m.folder.path.clone()).collect();
        let mut gone = journal.unlisted(&listed)?;
        gone.retain(|path, _| source.covers(path));
        Ok(Self { source, journal, filtered, gone })
    }
}

impl Source for ResumedImap {
    fn folders(&self) -> Result<Vec<Folder>> {
        let mut all = self.source.folders()?;
        let listed: HashSet<Vec<String>> = all.iter().map(|f| f.path.clone()).collect();
        let gone = self.gone.keys().filter(|path| !listed.contains(*path));
        all.extend(gone.map(|path| Folder { path: path.clone(), key: GONE, count: Some(0), ..Folder::default() }));
        Ok(all)
    }

    fn items<'a>(&'a self, folder: &'a Folder) -> Result<Box<dyn Iterator<Item = Result<ItemRef>> + Send + 'a>> {
        if folder.key == GONE { Ok(Box::new(std::iter::empty())) } else { self.source.items(folder) }
    }

    fn load(&self, folder: &Folder, item: &ItemRef) -> Result<Item> {
        self.source.load(folder, item)
    }

    fn differences(&self, folder: &Folder) -> Result<Differences> {
        if let Some(validity) = self.gone.get(&folder.path) {
            let nothing = Listing { validity: *validity, whole: true, ..Listing::default() };
            self.journal.compare(&folder.path, &nothing)?;
            return Ok(Differences { gone: folder.key == GONE, ..self.journal.differences(folder) });
        }
        let Some(state) = self.source.state(folder) else { return Ok(Differences::default()) };
        let mut ranges = state.vanished.clone();
        ranges.sort_unstable();
        // Servers may tell of a message twice.
        ranges.dedup_by(|next, last| {
            let one = next.0 <= last.1;
            last.1 = if one { last.1.max(next.1) } else { last.1 };
            one
        });
        let gone = ranges.iter().map(|(from, to)| (key(*from), key(*to))).collect();
        let listing = Listing {
            validity: state.uidvalidity.into(),
            items: state
                .messages
                .into_iter()
                .map(|(uid, flags, _)| Listed { key: key(uid), flags: Some(flags).filter(|f| f.seen.is_some()) })
                .collect(),
            whole: state.complete,
            gone,
            newest: state.highestmodseq.filter(|_| !self.filtered),
        };
        self.journal.compare(&folder.path, &listing)?;
        Ok(Differences { left_out: self.source.left_out(folder), ..self.journal.differences(folder) })
    }

    fn lasting(&self, item: &ItemRef) -> Vec<u8> {
        key(item.key as u32)
    }

    fn title(&self) -> String {
        self.source.title()
    }
}

/// The Inbox of a POP3 account and its journal.
pub struct ResumedPop {
    /// The account.
    pub source: PopSource,
    /// What earlier runs took of it.
    pub journal: Arc<AccountState>,
}

impl ResumedPop {
    /// Connects to an account, of which earlier runs took what the journal says.
    ///
    /// # Errors
    /// As [`PopSource::open`], and when the journal cannot be read.
    pub fn open(account: pop::Account, title: String, journal: Arc<AccountState>) -> Result<Self> {
        let before = journal.before(&inbox(), 0)?.keys;
        let before: HashSet<String> = before.into_iter().filter_map(|k| String::from_utf8(k).ok()).collect();
        let known: pop::Known = Arc::new(move |name| before.contains(name));
        let source = PopSource::open(account, pop::Options { known: Some(known), title })?;
        Ok(Self { source, journal })
    }

    /// Deletes from the server all that the journal says is in the target, and forgets it: a server may give its name to
    /// another message.
    ///
    /// # Errors
    /// As [`PopSource::delete`], and when the journal cannot be written.
    pub fn delete(&self) -> Result<pop::Ledger> {
        let keys = self.journal.before(&inbox(), 0)?.keys;
        let names: Vec<String> = keys.into_iter().filter_map(|k| String::from_utf8(k).ok()).collect();
        let ledger = self.source.delete(&names)?;
        let gone = ledger.deleted.iter().chain(&ledger.missing).map(|name| name.clone().into_bytes());
        self.journal.forget(&inbox(), 0, gone)?;
        Ok(ledger)
    }
}

fn inbox() -> Vec<String> {
    vec![Role::Inbox.name().to_owned()]
}

impl Source for ResumedPop {
    fn folders(&self) -> Result<Vec<Folder>> {
        self.source.folders()
    }

    fn items<'a>(&'a self, folder: &'a Folder) -> Result<Box<dyn Iterator<Item = Result<ItemRef>> + Send + 'a>> {
        self.source.items(folder)
    }

    fn load(&self, folder: &Folder, item: &ItemRef) -> Result<Item> {
        self.source.load(folder, item)
    }

    fn differences(&self, folder: &Folder) -> Result<Differences> {
        self.journal.compare(&folder.path, &Listing::default())?;
        Ok(Differences { there: self.source.known(), ..self.journal.differences(folder) })
    }

    fn lasting(&self, item: &ItemRef) -> Vec<u8> {
        self.source.lasting(item)
    }

    fn title(&self) -> String {
        self.source.title()
    }
}
