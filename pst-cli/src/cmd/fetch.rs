//! Accounts on mail servers as sources of `pst convert`.

use super::convert::{Target, one};
use super::input::{Growing, Input, growing};
use crate::args::fetch::GmailLabels;
use crate::args::{Convert, Ls};
use crate::exit::Outcome;
use crate::ui::Talk;
use crate::ui::terminal::Terminal;
use crate::ui::text::{Out, bytes, plural, tame};
use pst_core::endpoint::account::Account;
use pst_core::endpoint::imap::{self, Counts, ImapSource, Labels, Notice, Wanted};
use pst_core::endpoint::net::{Address, Login};
use pst_core::endpoint::pop::{self, PopSource};
use pst_core::endpoint::resumed::{Remembered, ResumedImap, ResumedPop};
use pst_core::pipeline::journal::{AccountState, State};
use pst_core::pipeline::{Event, ItemFilter, Observer, Role, Sink, Source};
use pst_core::{Error, Kind, Result};
use serde_json::json;
use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// An account that was signed in to.
pub struct Remote {
    /// The account.
    pub account: Account,
    login: Login,
}

/// True for a source on a server.
///
/// # Errors
/// When it is a broken address.
pub fn is_address(spec: &str) -> Result<bool> {
    Address::parse(spec).map(|a| a.is_some())
}

impl Remote {
    /// Gets what is needed to sign in to an account.
    ///
    /// # Errors
    /// As [`Account::login`].
    pub fn of(account: Account, stop: &Arc<AtomicBool>) -> Result<Self> {
        let login = account.login(&Terminal::new(stop), stop)?;
        Ok(Self { account, login })
    }

    /// The account as the client of IMAP takes it.
    pub fn imap(self, a: &Convert, stop: &Arc<AtomicBool>, observer: &Arc<dyn Talk>) -> imap::Account {
        let watch = Arc::clone(observer);
        let watch: imap::Watch = Arc::new(move |notice| tell(&*watch, notice));
        let account = imap::Account::new(self.account.server(stop), self.login);
        imap::Account { compress: a.fetch.compress, watch, ..account }
    }

    /// What the journal calls the account: the same whether TLS comes first or later, and on whatever port.
    pub fn name(&self) -> String {
        let protocol = if self.account.address.scheme.is_imap() { "imap" } else { "pop3" };
        format!("{protocol} {} at {}", self.account.user, self.account.address.host.to_lowercase())
    }

    /// The folders that address and configuration mean, as patterns.
    pub fn include(&self) -> Vec<String> {
        let path = self.account.address.path.iter().map(|p| format!("{p}/*"));
        path.chain(self.account.include.iter().cloned()).collect()
    }
}

/// A source on a server, and what earlier runs took of it.
pub struct Opened {
    /// The source.
    pub source: Arc<dyn Source>,
    /// Its journal, where the target keeps one.
    pub journal: Option<Arc<AccountState>>,
    /// The same source, if mail is to be deleted from its server afterwards.
    pub delete: Option<Arc<ResumedPop>>,
}

/// The PST that accounts are downloaded into. A new one is made once a server has let somebody in, and not before.
pub struct Grown<'a> {
    a: &'a Convert,
    target: &'a str,
    /// The name of the store; `None` where no source is an account.
    title: Option<String>,
    /// It was there before.
    there: bool,
    opened: RefCell<Option<Growing>>,
}

impl<'a> Grown<'a> {
    /// Opens the PST if it is there.
    ///
    /// # Errors
    /// When it cannot be opened, or is in use.
    pub fn new(a: &'a Convert, inputs: &[Input], target: &'a str) -> Result<Self> {
        let title = inputs.iter().find(|i| i.local().is_none()).map(Input::name);
        let there = pst_core::endpoint::pst_target(target).is_some_and(Path::exists);
        let new = Self { a, target, title, there, opened: RefCell::new(None) };
        if there {
            new.state()?;
        }
        Ok(new)
    }

    /// What the PST remembers, which is made if it is not there.
    fn state(&self) -> Result<Option<Arc<State>>> {
        let Some(title) = &self.title else { return Ok(None) };
        let mut opened = self.opened.borrow_mut();
        if opened.is_none() {
            *opened = growing(self.a, title, self.target)?;
        }
        Ok(opened.as_ref().map(|g| Arc::clone(&g.state)))
    }

    /// The PST, if one was opened.
    pub fn sink(self) -> Option<Box<dyn Sink>> {
        self.opened.into_inner().map(|g| g.sink)
    }
}

/// Connects to an account; only then is a new target made.
///
/// # Errors
/// When the server cannot be reached or refuses the sign-in.
pub fn open(
    remote: Remote,
    a: &Convert,
    items: &ItemFilter,
    target: &Grown<'_>,
    stop: &Arc<AtomicBool>,
    observer: &Arc<dyn Talk>,
) -> Result<Opened> {
    let name = remote.name();
    let Remote { account, login } = remote;
    let title = account.user.clone();
    let watch = Arc::clone(observer);
    let watch: imap::Watch = Arc::new(move |notice| tell(&*watch, notice));
    let journal = || -> Result<Option<Arc<AccountState>>> {
        Ok(target.state()?.map(|s| Arc::new(AccountState::new(s, &name, a.fetch.mirror))))
    };
    if !account.address.scheme.is_imap() {
        observer.event(&Event::Notice { text: pop::NOTE, seconds: 0 });
        let server = pop::Account { watch, ..pop::Account::new(account.server(stop), login) };
        return pop3(server, a, title, &journal, target.there);
    }
    if a.fetch.delete_after_download {
        let text = "--delete-after-download is for POP3: nothing is ever changed on an IMAP server";
        return Err(Error::new(Kind::Usage, text));
    }
    let server = imap::Account { compress: a.fetch.compress, watch, ..imap::Account::new(account.server(stop), login) };
    let known = Arc::new(Remembered::default());
    let options = imap::Options {
        connections: a.fetch.connections.map(usize::from).or(account.connections).unwrap_or(imap::CONNECTIONS),
        folders: Wanted { others: a.fetch.shared, subscribed: a.fetch.subscribed },
        headers_only: a.fetch.headers_only,
        labels: match a.fetch.gmail_labels {
            GmailLabels::Categories => Labels::Categories,
            GmailLabels::Folders => Labels::Folders,
        },
        filter: items.clone(),
        known: Some(Arc::clone(&known) as Arc<dyn imap::Known>),
        title,
    };
    let source = ImapSource::open(server, options)?;
    let Some(journal) = journal()? else {
        return Ok(Opened { source: Arc::new(source), journal: None, delete: None });
    };
    let _ = known.0.set(Arc::clone(&journal));
    let source = Arc::new(ResumedImap::new(source, Arc::clone(&journal), items.is_some())?);
    Ok(Opened { source, journal: Some(journal), delete: None })
}

fn pop3(
    server: pop::Account,
    a: &Convert,
    title: String,
    journal: &dyn Fn() -> Result<Option<Arc<AccountState>>>,
    there: bool,
) -> Result<Opened> {
    let resumed = if there {
        match journal()? {
            Some(journal) => ResumedPop::open(server, title, journal)?,
            None => {
                let source = Arc::new(PopSource::open(server, pop::Options { known: None, title })?);
                return Ok(Opened { source, journal: None, delete: None });
            }
        }
    } else {
        let source = PopSource::open(server, pop::Options { known: None, title })?;
        match journal()? {
            Some(journal) => ResumedPop { source, journal },
            None => return Ok(Opened { source: Arc::new(source), journal: None, delete: None }),
        }
    };
    let source = Arc::new(resumed);
    let journal = Some(Arc::clone(&source.journal));
    let delete = a.fetch.delete_after_download.then(|| Arc::clone(&source));
    Ok(Opened { source, journal, delete })
}

/// Deletes on a POP3 server what is in the PST; true if nothing of it is left.
///
/// # Errors
/// When the server cannot be reached; nothing is deleted then.
pub fn delete(source: &ResumedPop) -> Result<bool> {
    let ledger = source.delete()?;
    for (name, why) in &ledger.kept {
        eprintln!("pst: {} stays on the server: {}", tame(name), tame(why));
    }
    eprintln!("{} deleted on the server", plural(ledger.deleted.len() as u64, "message"));
    Ok(ledger.kept.is_empty())
}

fn tell(observer: &dyn Observer, notice: &Notice) {
    let (text, seconds) = match notice {
        Notice::Waiting { why, wait } => {
            let seconds = wait.as_secs();
            (format!("the server asks for patience: {why}; going on in {seconds} s"), seconds)
        }
        Notice::Reconnecting { why, wait } => {
            let seconds = wait.as_secs();
            (format!("{why}; connecting again in {seconds} s"), seconds)
        }
        Notice::Alert(why) => (format!("the server says: {why}"), 0),
    };
    observer.event(&Event::Notice { text: &text, seconds });
}

/// The account that `pst ls` is to list, if it is none of a file.
///
/// # Errors
/// When it is a broken address, or options contradict each other.
pub fn listed(a: &Ls) -> Result<Option<Account>> {
    let Some(file) = &a.file else { return a.account.account(None).map(Some) };
    let spec = file.to_string_lossy();
    if !is_address(&spec)? {
        return Ok(None);
    }
    if a.account.account.is_some() {
        return Err(Error::new(Kind::Usage, "--account is the account by itself: pst ls --account NAME"));
    }
    a.account.account(Some(&spec)).map(Some)
}

/// Lists the folders of an account with what its server says that they hold; nothing is fetched.
///
/// # Errors
/// When the server cannot be reached or refuses the sign-in.
pub fn list(a: &Ls, account: Account) -> Result<Outcome> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    let _ = ctrlc::set_handler(move || {
        if flag.swap(true, Ordering::SeqCst) {
            std::process::exit(130);
        }
    });
    let Remote { account, login } = Remote::of(account, &stop)?;
    let mut out = Out::new();
    let mut line = |path: &str, role: Role, counts: Counts| {
        if a.json {
            let role = (role != Role::None).then(|| role.name());
            return out.line(
                json!({"path": path, "role": role, "items": counts.messages, "unread": counts.unseen, "bytes": counts.size})
                    .to_string(),
            );
        }
        let number = |n: Option<u64>| n.map_or_else(|| "-".to_owned(), |n| n.to_string());
        let size = counts.size.map_or_else(|| "-".to_owned(), bytes);
        out.line(format!("{:>8} {:>8} {size:>10}  /{}", number(counts.messages), number(counts.unseen), tame(path)))
    };
    if account.address.scheme.is_imap() {
        let source = ImapSource::open(imap::Account::new(account.server(&stop), login), imap::Options::default())?;
        for folder in source.folders()? {
            line(&folder.path.join("/"), folder.role, source.counts(&folder))?;
        }
    } else {
        let source = PopSource::open(pop::Account::new(account.server(&stop), login), pop::Options::default())?;
        let (messages, size) = source.on_server();
        let counts = Counts { messages: Some(messages), unseen: None, size: Some(size) };
        line(Role::Inbox.name(), Role::Inbox, counts)?;
    }
    out.end()?;
    Ok(Outcome::Done)
}

/// Downloads every account of the configuration into a PST of its own. One that fails does not keep the others.
///
/// # Errors
/// When the configuration cannot be read, the folder is not there, or the run is stopped.
pub fn all(a: &Convert, folder: &Path, stop: &Arc<AtomicBool>) -> Result<Outcome> {
    let accounts = Account::all(&a.account.configuration()?, &a.account.settings()?)?;
    if !folder.is_dir() {
        return Err(Error::new(Kind::Usage, "this folder does not exist; make it first").in_file(folder));
    }
    let mut outcome = Outcome::Done;
    for account in accounts {
        let name = account.name.clone();
        let file = pst_core::endpoint::text::file_name(&name);
        let target = folder.join(format!("{file}.pst")).to_string_lossy().into_owned();
        let report = a.report.as_deref().map(|r| beside(r, &file));
        let run = || {
            let remote = Remote::of(account, stop)?;
            one(a, vec![Input::Remote(Box::new(remote))], Target::new(&target), report.as_deref(), stop)
        };
        match run() {
            Ok(Outcome::Done) => {}
            Ok(Outcome::Flawed) => outcome = Outcome::Flawed,
            Err(e) if e.kind() == Kind::Interrupted => return Err(e),
            Err(e) => {
                eprintln!("pst: account \"{name}\": {e}");
                outcome = Outcome::Flawed;
            }
        }
    }
    Ok(outcome)
}

/// The report of one account: "report.html" becomes "report work.html".
fn beside(report: &Path, account: &str) -> PathBuf {
    let stem = report.file_stem().unwrap_or_default().to_string_lossy();
    let ending = report.extension().unwrap_or_default().to_string_lossy();
    report.with_file_name(format!("{stem} {account}.{ending}"))
}
