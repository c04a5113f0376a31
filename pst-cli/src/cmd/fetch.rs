//! Accounts on mail servers as sources of `pst convert`.

use super::convert::{Target, one};
use super::input::{Growing, Input, growing};
use super::summary::Deletion;
use crate::args::Convert;
use crate::args::fetch::{Compression, GmailLabels};
use crate::exit::Outcome;
use crate::ui::Talk;
use crate::ui::terminal::Terminal;
use crate::ui::text::say;
use pst_core::endpoint::account::Account;
use pst_core::endpoint::imap::{self, Compress, ImapSource, Labels, Notice, Wanted};
use pst_core::endpoint::net::{Address, Login};
use pst_core::endpoint::pop::{self, PopSource};
use pst_core::endpoint::resumed::{Remembered, ResumedImap, ResumedPop};
use pst_core::endpoint::text::file_name;
use pst_core::pipeline::journal::{AccountState, State};
use pst_core::pipeline::{Event, ItemFilter, Observer, Sink, Source};
use pst_core::{Error, Kind, Result};
use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// An account that was signed in to.
pub struct Remote {
    /// The account.
    pub account: Account,
    /// What lets us in.
    pub login: Login,
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

    /// As [`Remote::of`], for an account that is read.
    ///
    /// # Errors
    /// As there, and for one that can only be filled.
    pub fn source(account: Account, stop: &Arc<AtomicBool>) -> Result<Self> {
        super::push::only_target(account.address.scheme)?;
        Self::of(account, stop)
    }

    /// The account as the client of IMAP takes it.
    pub fn imap(self, a: &Convert, stop: &Arc<AtomicBool>, observer: &Arc<dyn Talk>) -> imap::Account {
        let compress = match a.fetch.compress {
            Compression::Auto => Compress::SlowLines,
            Compression::Always => Compress::Always,
            Compression::Never => Compress::Never,
        };
        let account = imap::Account::new(self.account.server(stop), self.login);
        imap::Account { compress, watch: watch(observer), ..account }
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
    let title = remote.account.user.clone();
    let journal = || -> Result<Option<Arc<AccountState>>> {
        Ok(target.state()?.map(|s| Arc::new(AccountState::new(s, &name, a.fetch.mirror))))
    };
    if !remote.account.address.scheme.is_imap() {
        observer.event(&Event::Notice { text: pop::NOTE, seconds: 0 });
        let server = pop::Account::new(remote.account.server(stop), remote.login);
        let server = pop::Account { watch: watch(observer), ..server };
        return pop3(server, a, title, &journal, target.there);
    }
    if a.fetch.delete_after_download {
        let text = "--delete-after-download is for POP3: nothing is ever changed on an IMAP server";
        return Err(Error::new(Kind::Usage, text));
    }
    let known = Arc::new(Remembered::default());
    let options = imap::Options {
        connections: a.fetch.connections.map(usize::from).or(remote.account.connections).unwrap_or(imap::CONNECTIONS),
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
    let source = ImapSource::open(remote.imap(a, stop, observer), options)?;
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
    let before = if there { journal()? } else { None };
    let source = if let Some(journal) = before {
        ResumedPop::open(server, title, journal)?
    } else {
        let source = PopSource::open(server, pop::Options { known: None, title })?;
        match journal()? {
            Some(journal) => ResumedPop { source, journal },
            None => return Ok(Opened { source: Arc::new(source), journal: None, delete: None }),
        }
    };
    let source = Arc::new(source);
    let journal = Some(Arc::clone(&source.journal));
    let delete = a.fetch.delete_after_download.then(|| Arc::clone(&source));
    Ok(Opened { source, journal, delete })
}

/// Deletes on POP3 servers what is in the PST. An account where that fails does not keep the others.
pub fn delete(sources: &[Arc<ResumedPop>]) -> Deletion {
    let mut out = Deletion::default();
    for source in sources {
        match source.delete() {
            Ok(ledger) => {
                out.deleted += ledger.deleted.len() as u64;
                out.kept.extend(ledger.kept);
            }
            Err(e) => out.failed.push(e),
        }
    }
    out
}

/// Passes on what a server wants.
pub(super) fn watch(observer: &Arc<dyn Talk>) -> imap::Watch {
    let observer = Arc::clone(observer);
    Arc::new(move |notice| tell(&*observer, notice))
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
        Notice::Remark(text) => (text.clone(), 0),
    };
    observer.event(&Event::Notice { text: &text, seconds });
}

/// Downloads every account of the configuration into a PST of its own. One that fails does not keep the others.
///
/// # Errors
/// When the configuration cannot be read, the folder is not there, two accounts would get one PST, or the run is stopped.
pub fn all(a: &Convert, folder: &Path, stop: &Arc<AtomicBool>) -> Result<Outcome> {
    let accounts = Account::all(&a.account.configuration()?, &a.account.settings()?)?;
    if !folder.is_dir() {
        return Err(Error::new(Kind::Usage, "this folder does not exist; make it first").in_file(folder));
    }
    one_file_each(accounts.iter().map(|(name, _)| name.as_str()))?;
    let mut outcome = Outcome::Done;
    for (name, account) in accounts {
        let file = file_name(&name);
        let target = folder.join(format!("{file}.pst")).to_string_lossy().into_owned();
        let report = a.report.as_deref().map(|r| beside(r, &file));
        let run = |account| {
            let remote = Remote::source(account, stop)?;
            one(a, vec![Input::Remote(Box::new(remote))], Target::new(&target), report.as_deref(), stop)
        };
        // A refused configuration names its account itself.
        let ran = account.and_then(|account| {
            run(account).map_err(|e| match e.kind() {
                Kind::Interrupted => e,
                kind => Error::new(kind, format!("account \"{name}\": {e}")),
            })
        });
        match ran {
            Ok(Outcome::Done) => {}
            Ok(Outcome::Flawed) => outcome = Outcome::Flawed,
            Err(e) if e.kind() == Kind::Interrupted || stop.load(Ordering::Relaxed) => return Err(e),
            Err(e) => {
                say(format!("pst: {e}"));
                outcome = Outcome::Flawed;
            }
        }
    }
    Ok(outcome)
}

/// Refuses accounts that would share a PST: their names may differ in what no file name has, or in case alone.
fn one_file_each<'a>(names: impl Iterator<Item = &'a str>) -> Result<()> {
    let mut files = HashMap::new();
    for name in names {
        let file = file_name(name);
        if let Some(other) = files.insert(file.to_lowercase(), name) {
            let text = format!(
                "the accounts \"{other}\" and \"{name}\" would share the file {file}.pst; give one of them another name in \
                 the configuration"
            );
            return Err(Error::new(Kind::Usage, text));
        }
    }
    Ok(())
}

/// The report of one account: "report.html" becomes "report work.html".
pub fn beside(report: &Path, account: &str) -> PathBuf {
    let stem = report.file_stem().unwrap_or_default().to_string_lossy();
    let ending = report.extension().unwrap_or_default().to_string_lossy();
    report.with_file_name(format!("{stem} {account}.{ending}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_that_would_share_a_file() {
        assert!(one_file_each(["a", "b", "a b"].into_iter()).is_ok());
        for two in [["a/b", "a_b"], ["Work", "work"], ["\u{c9}", "\u{e9}"]] {
            let said = one_file_each(two.into_iter()).unwrap_err().to_string();
            assert!(two.iter().all(|name| said.contains(&format!("\"{name}\""))), "{said}");
        }
    }
}
