//! An IMAP account as a source.

use super::command::Section;
use super::folders::{Counts, Covers, Mailbox, Wanted, folders};
use super::gmail;
use super::listing::{self, Entry, FolderState, Known, Listing, Manner};
use super::plan::{Choice, Ledger, Outcome};
use super::session::{Account, Session};
use super::shared::Shared;
use super::worker::work;
use crate::error::{Error, Kind, Result};
use crate::io::Input;
use crate::mapi::Code;
use crate::mime::large::{self, LargePart};
use crate::pipeline::journal::Differences;
use crate::pipeline::{Body, Flags, Folder, Item, ItemFilter, ItemRef, Mime, Source};
use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

/// Connections, where nothing is said of their number.
pub const CONNECTIONS: usize = 3;
/// No server takes more from one user.
const MOST_CONNECTIONS: usize = 16;

/// How labels of Gmail are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Labels {
    /// Each message once, its labels as categories.
    #[default]
    Categories,
    /// Each label a folder, a message in each of its folders.
    Folders,
}

/// How an account is read.
#[derive(Clone)]
pub struct Options {
    /// Connections at once.
    pub connections: usize,
    /// Which folders.
    pub folders: Wanted,
    /// Headers without bodies.
    pub headers_only: bool,
    /// How labels of Gmail are taken.
    pub labels: Labels,
    /// Messages that this surely refuses are not fetched; who runs the pipeline judges the others.
    pub filter: ItemFilter,
    /// What earlier runs have.
    pub known: Option<Arc<dyn Known>>,
    /// The name of the mailbox; empty for who signs in.
    pub title: String,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            connections: CONNECTIONS,
            folders: Wanted::default(),
            headers_only: false,
            labels: Labels::default(),
            filter: ItemFilter::default(),
            known: None,
            title: String::new(),
        }
    }
}

/// An account on an IMAP server. Nothing on the server changes.
pub struct ImapSource {
    shared: Arc<Shared>,
    options: Options,
    threads: Mutex<Vec<JoinHandle<()>>>,
    copies: Mutex<gmail::Copies>,
    covers: Covers,
}

impl ImapSource {
    /// Connects, signs in and lists the folders.
    ///
    /// # Errors
    /// [`Kind::Connection`] when the server cannot be reached, [`Kind::Denied`] when it refuses the sign-in.
    pub fn open(account: Account, options: Options) -> Result<Self> {
        let shared = Arc::new(Shared::new(account));
        let (threads, copies) = (Mutex::default(), Mutex::default());
        let mut new = Self { shared, options, threads, copies, covers: Covers::Some };
        new.start(1);
        let wanted = new.options.folders;
        let labels = new.options.labels;
        let (boxes, covers) = new.shared.ask(move |session| {
            let (all, covers) = folders(session, wanted)?;
            // Which labels are folders is chosen anew in each run.
            Ok(if session.can("X-GM-EXT-1") { (gmail::chosen(all, labels), Covers::Some) } else { (all, covers) })
        })?;
        new.covers = covers;
        new.shared.change(|plan| plan.mailboxes = boxes.into_iter().map(Arc::new).collect());
        Ok(new)
    }

    /// Starts threads until there are `most`.
    fn start(&self, most: usize) {
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        let section = if self.options.headers_only { Section::Header } else { Section::Whole };
        while threads.len() < most {
            self.shared.board().alive += 1;
            let shared = Arc::clone(&self.shared);
            threads.push(std::thread::spawn(move || work(shared, section)));
        }
    }

    fn mailbox(&self, key: u64) -> Result<Arc<Mailbox>> {
        let found = self.shared.board().plan.mailboxes.get(key as usize).cloned();
        found.ok_or_else(|| Error::new(Kind::NotFound, "the account has no such folder"))
    }

    /// The folders with what the server says of them.
    pub fn mailboxes(&self) -> Vec<Arc<Mailbox>> {
        self.shared.board().plan.mailboxes.clone()
    }

    /// True if the server would have listed a folder of this path, if it were there.
    pub fn covers(&self, path: &[String]) -> bool {
        self.covers.covers(path)
    }

    /// What the server says that a folder holds.
    pub fn counts(&self, folder: &Folder) -> Counts {
        self.mailbox(folder.key).map(|m| m.counts).unwrap_or_default()
    }

    /// A folder as it was when it was listed; `None` before.
    pub fn state(&self, folder: &Folder) -> Option<FolderState> {
        self.shared.board().plan.states.get(&folder.key).cloned()
    }

    /// What the server has, what was asked for, what came and what did not, by folder. Folders that were not listed are
    /// not in it.
    pub fn account(&self) -> Vec<(Folder, Ledger)> {
        let board = self.shared.board();
        let named = |(key, ledger): (&u64, &Ledger)| {
            let mailbox = board.plan.mailboxes.get(*key as usize)?;
            Some((mailbox.folder.clone(), ledger.clone()))
        };
        board.plan.ledgers.iter().filter_map(named).collect()
    }

    /// What of a folder is not fetched, by reason.
    pub fn left_out(&self, folder: &Folder) -> Vec<(&'static str, u64)> {
        let board = self.shared.board();
        let Some(ledger) = board.plan.ledgers.get(&folder.key) else { return Vec::new() };
        vec![("filter", ledger.filtered), ("being in another folder", ledger.elsewhere)]
    }

    /// Lists a folder and plans what is fetched of it.
    fn list(&self, mailbox: &Arc<Mailbox>) -> Result<()> {
        let known = self.options.known.clone();
        let filter = self.options.filter.clone();
        let asked = Arc::clone(mailbox);
        let labels = self.options.labels;
        let (listing, known, refused) = self.shared.ask(move |session| {
            let gmail = session.can("X-GM-EXT-1");
            let words = |names: &[Vec<u8>]| match labels {
                Labels::Categories => gmail::categories(names),
                Labels::Folders => Vec::new(),
            };
            let manner = Manner { gmail, known: known.as_deref(), labels: &words };
            let (listing, known) = listing::list(session, &asked, &manner)?;
            let refused = refused(session, &listing, &known.uids, &filter)?;
            Ok((listing, known, refused))
        })?;
        let key = mailbox.folder.key;
        self.shared.change(|plan| {
            let numbered = listing.entries.iter().any(|e| e.gmail != 0);
            let (brought, had) = if numbered { plan.gmail_ids(key) } else { Default::default() };
            // In the other folders of labels the same message is wanted again.
            let once = labels == Labels::Categories || gmail::is_all(mailbox);
            let filtered = refused.len() as u64;
            let mut choice = Choice { chosen: Vec::new(), copies: HashSet::new(), known, filtered, elsewhere: 0 };
            for (at, entry) in listing.entries.iter().enumerate() {
                if choice.known.uids.contains(&entry.uid) || refused.contains(&entry.uid) {
                    continue;
                }
                let coming = brought.contains(&entry.gmail);
                if once && (coming || had.contains(&entry.gmail)) {
                    choice.elsewhere += 1;
                    continue;
                }
                if coming {
                    choice.copies.insert(at as u32);
                }
                choice.chosen.push(at as u32);
            }
            plan.add(key, listing, choice);
        });
        Ok(())
    }

    fn copies(&self) -> MutexGuard<'_, gmail::Copies> {
        self.copies.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The entry of an item, with its flags.
    fn entry(&self, folder: &Folder, uid: u32) -> Option<(Entry, Flags)> {
        let listing = self.shared.board().plan.listing(folder.key)?;
        listing.find(uid).map(|e| (*e, listing.flags(e)))
    }

    fn is_copied(&self, entry: Option<&(Entry, Flags)>) -> Option<u64> {
        let (entry, _) = entry.filter(|_| self.options.labels == Labels::Folders)?;
        (entry.gmail != 0 && entry.is_labelled()).then_some(entry.gmail)
    }
}

/// The content of a message: what is small is held, of what is large the large parts stay in the file.
fn content(input: Input, at: u64, len: u64) -> Result<(Vec<u8>, Vec<LargePart>)> {
    if len > large::HELD {
        return large::slim(&Arc::new(input), at, len);
    }
    let mut bytes = Vec::new();
    let input = match input.into_bytes() {
        Ok(bytes) => return Ok((bytes, Vec::new())),
        Err(input) => input,
    };
    input.read(at, len as usize, &mut bytes)?;
    Ok((bytes, Vec::new()))
}

/// The UIDs that the filter surely refuses.
fn refused(
    session: &mut Session,
    listing: &Listing,
    known: &HashSet<u32>,
    filter: &ItemFilter,
) -> Result<HashSet<u32>> {
    let mut out = HashSet::new();
    let exact = session.has_exact_sizes();
    for entry in &listing.entries {
        let date =
            entry.date().is_some_and(|d| filter.since.is_some_and(|s| d < s) || filter.before.is_some_and(|b| d >= b));
        let sized = exact && entry.size > 0;
        let size = sized
            && (filter.larger.is_some_and(|n| entry.size <= n) || filter.smaller.is_some_and(|n| entry.size >= n));
        if (date || size) && !known.contains(&entry.uid) {
            out.insert(entry.uid);
        }
    }
    if filter.from.is_none() && filter.to.is_none() && filter.subject.is_none() {
        return Ok(out);
    }
    // Texts are judged by the filter itself, on the headers: servers search in ways of their own.
    let texts = ItemFilter { larger: None, smaller: None, ..filter.clone() };
    let uids: Vec<u32> =
        listing.entries.iter().map(|e| e.uid).filter(|uid| !out.contains(uid) && !known.contains(uid)).collect();
    listing::headers(session, &uids, &mut |uid, bytes| {
        let received = listing.find(uid).and_then(Entry::date);
        let body = Body::Mime(Mime { bytes, received, ..Mime::default() });
        let item = Item { id: String::new(), body, associated: false, warnings: Vec::new() };
        if texts.refuses(&item).is_some() {
            out.insert(uid);
        }
    })?;
    Ok(out)
}

impl Source for ImapSource {
    fn folders(&self) -> Result<Vec<Folder>> {
        Ok(self.mailboxes().iter().map(|m| m.folder.clone()).collect())
    }

    fn items<'a>(&'a self, folder: &'a Folder) -> Result<Box<dyn Iterator<Item = Result<ItemRef>> + Send + 'a>> {
        let mailbox = self.mailbox(folder.key)?;
        if !mailbox.selectable {
            return Ok(Box::new(std::iter::empty()));
        }
        self.list(&mailbox)?;
        self.start(self.options.connections.clamp(1, MOST_CONNECTIONS));
        let (listing, chosen) = {
            let board = self.shared.board();
            (board.plan.listing(folder.key).unwrap_or_default(), board.plan.chosen(folder.key))
        };
        let unlisted = (listing.unlisted > 0).then(|| {
            let text = format!(
                "the server counts {} messages in this folder, but lists only {}",
                listing.state.exists,
                listing.entries.len()
            );
            Err(Error::new(Kind::Server, text))
        });
        let items = chosen.into_iter().filter_map(move |at| {
            let entry = listing.entries.get(at as usize)?;
            let id = format!("uid {}", entry.uid);
            Some(Ok(ItemRef { id, key: u64::from(entry.uid), size: entry.size, ..ItemRef::default() }))
        });
        Ok(Box::new(items.chain(unlisted)))
    }

    fn load(&self, folder: &Folder, item: &ItemRef) -> Result<Item> {
        let uid = u32::try_from(item.key).unwrap_or_default();
        let entry = self.entry(folder, uid);
        let copied = self.is_copied(entry.as_ref());
        let found = copied.map(|id| self.copies().find(id)).transpose()?.flatten();
        let ((bytes, large), mut warnings) = if let Some((input, at, len)) = found {
            self.shared.change(|plan| plan.copied(folder.key));
            (content(input, at, len)?, Vec::new())
        } else {
            let (data, warnings) = match self.shared.take((folder.key, uid))? {
                Outcome::Here(data, warnings) => (data, warnings),
                Outcome::Failed(kind, text) => return Err(Error::new(kind, text)),
            };
            let input = data.into_input();
            if let Some(id) = copied {
                self.copies().keep(id, &input)?;
            }
            let len = input.len();
            (content(input, 0, len)?, warnings)
        };
        let (received, flags) = entry.map(|(e, flags)| (e.date(), flags)).unwrap_or_default();
        if flags.deleted {
            warnings.push(Code::Deleted.with("the message is marked as deleted on the server".to_owned()));
        }
        let body = Body::Mime(Mime { bytes, flags, received, large });
        Ok(Item { id: item.id.clone(), body, associated: false, warnings })
    }

    fn differences(&self, folder: &Folder) -> Result<Differences> {
        Ok(Differences { left_out: self.left_out(folder), ..Differences::default() })
    }

    fn identity(&self) -> Vec<u8> {
        format!("{} at {}", self.title(), self.shared.account.server.host.to_lowercase()).into_bytes()
    }

    fn title(&self) -> String {
        if !self.options.title.is_empty() {
            return self.options.title.clone();
        }
        let account = &self.shared.account;
        account.login.as_ref().map_or_else(|| account.server.host.clone(), |l| l.user().to_owned())
    }
}

impl Drop for ImapSource {
    fn drop(&mut self) {
        self.shared.close();
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            let _ = thread.join();
        }
    }
}
