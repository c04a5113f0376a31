//! Accounts on mail servers as targets of `pst convert`.

use super::fetch::{Remote, is_address};
use super::input::Input;
use crate::args::{Convert, Duplicates};
use crate::ui::Talk;
use crate::ui::text::say;
use pst_core::endpoint::account::{Account, Settings, push_journal};
use pst_core::endpoint::graph::GraphLane;
use pst_core::endpoint::imap::{CONNECTIONS, ImapLane, PushOptions};
use pst_core::endpoint::net::Scheme;
use pst_core::endpoint::push::{self, PushSink};
use pst_core::pipeline::Sink;
use pst_core::{Error, Kind, Result, mime};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

pub(super) fn usage<T>(text: &str) -> Result<T> {
    Err(Error::new(Kind::Usage, text))
}

/// Sources and the mailbox that takes them in; `None` where the target is none on a server.
///
/// # Errors
/// When options contradict each other, or an account cannot be signed in to.
pub fn ends(a: &Convert, stop: &Arc<AtomicBool>) -> Result<Option<(Vec<Input>, Remote)>> {
    let (sources, target) = match (&a.push.to_account, a.paths.split_last()) {
        (Some(_), _) => (a.paths.as_slice(), None),
        (None, Some((last, sources))) if is_address(last)? && a.attachments.is_none() => (sources, Some(last.as_str())),
        _ => return Ok(None),
    };
    if sources.is_empty() && a.account.account.is_none() {
        return match target {
            // An account alone is a source without a target.
            Some(_) => Ok(None),
            None => usage("a source is needed: pst push SOURCE... --to-account NAME"),
        };
    }
    only_added_to(a)?;
    let remote_source = a.account.account.is_some()
        || sources.iter().map(|s| is_address(s)).collect::<Result<Vec<_>>>()?.contains(&true);
    let address = target;
    let target = account(a, target, remote_source)?;
    takes_mail(a, &target)?;
    if target.address.scheme == Scheme::Graph && address.is_some_and(|given| !given.starts_with("graph:")) {
        say(format!(
            "pst: Microsoft switches EWS off in Microsoft 365; this mailbox is filled by Graph: {}",
            target.address
        ));
    }
    let inputs = inputs(a, sources, stop)?;
    Ok(Some((inputs, Remote::of(target, stop)?)))
}

/// Refuses options of targets that can be replaced.
///
/// # Errors
/// [`Kind::Usage`].
pub fn only_added_to(a: &Convert) -> Result<()> {
    if a.overwrite || a.append || a.split.is_some() {
        return usage("a mailbox on a server is only added to; leave out --overwrite, --append and --split");
    }
    Ok(())
}

/// Refuses accounts that are no mailbox as a whole, or take nothing in.
///
/// # Errors
/// [`Kind::Usage`].
pub fn takes_mail(a: &Convert, target: &Account) -> Result<()> {
    if target.address.scheme.is_pop() {
        return usage("POP3 takes no mail in; the target is an imaps://, ews:// or graph:// address");
    }
    super::push_ews::fits(a, &target.address)?;
    super::push_graph::fits(a, &target.address)?;
    if target.address.scheme.is_imap() && target.address.path.is_some() {
        return usage("the folder of the mailbox that takes all in is given by --target-root, not in the address");
    }
    Ok(())
}

/// Refuses addresses that are targets alone.
///
/// # Errors
/// [`Kind::Usage`].
pub fn only_target(scheme: Scheme) -> Result<()> {
    match scheme {
        Scheme::Ews => usage(super::push_ews::TARGET_ONLY),
        Scheme::Graph => usage(super::push_graph::TARGET_ONLY),
        _ => Ok(()),
    }
}

/// The settings of an account of which the options say nothing: nor does the variable PST_PASSWORD.
fn of_its_own() -> Settings {
    Settings { one_of_many: true, ..Settings::default() }
}

/// The account that takes items in.
fn account(a: &Convert, target: Option<&str>, remote_source: bool) -> Result<Account> {
    let by_graph = !a.push.force && !a.push.autodiscover;
    let settings = Settings { by_graph, ..a.account.settings()? };
    match (target, &a.push.to_account) {
        (Some(address), _) if remote_source && a.account.account.is_none() => {
            let text = format!(
                "of two accounts, one comes from the configuration, so that it is plain whose password is whose: --account \
                 NAME for the source, or --to-account NAME in place of {address}"
            );
            Err(Error::new(Kind::Usage, text))
        }
        (Some(address), _) => Account::of_address(address, &settings),
        (None, Some(name)) => {
            let over = match (remote_source, a.account.account.is_some()) {
                (true, false) => Settings { by_graph, ..of_its_own() },
                (true, true) => Settings { one_of_many: true, ..settings },
                (false, _) => settings,
            };
            Account::load(&a.account.configuration()?, name, &over)
        }
        (None, None) => usage("a target is needed"),
    }
}

fn inputs(a: &Convert, sources: &[String], stop: &Arc<AtomicBool>) -> Result<Vec<Input>> {
    if let Some(name) = &a.account.account {
        if !sources.is_empty() {
            return usage("--account is the source by itself: pst push --account NAME TARGET");
        }
        let account = Account::load(&a.account.configuration()?, name, &of_its_own())?;
        return Ok(vec![Input::Remote(Box::new(Remote::source(account, stop)?))]);
    }
    let settings = a.account.settings()?;
    let one = |spec: &String| {
        if !is_address(spec)? {
            return Ok(Input::Local(spec.clone()));
        }
        let account = Account::of_address(spec, &settings)?;
        Ok(Input::Remote(Box::new(Remote::source(account, stop)?)))
    };
    sources.iter().map(one).collect()
}

/// Connects to the mailbox.
///
/// # Errors
/// When the server cannot be reached or refuses the sign-in, or another run pushes into the mailbox.
pub fn sink(
    remote: Remote,
    a: &Convert,
    mail: mime::Options,
    stop: &Arc<AtomicBool>,
    observer: &Arc<dyn Talk>,
) -> Result<Box<dyn Sink>> {
    let journal = match &a.push.journal {
        Some(path) => path.clone(),
        None => push_journal(&remote.account, &mailbox(&remote.account, a), !a.dry_run)?,
    };
    let connections = a.fetch.connections.map(usize::from).or(remote.account.connections).unwrap_or(CONNECTIONS);
    let is_graph = remote.account.address.scheme == Scheme::Graph;
    let connections = if is_graph { GraphLane::connections(connections) } else { connections };
    let options = push::Options {
        journal,
        connections,
        rate: a.push.rate,
        endurance: a.push.endurance(),
        duplicates: match a.duplicates {
            Duplicates::Allow => push::Duplicates::Allow,
            Duplicates::Skip => push::Duplicates::Skip,
            Duplicates::Replace => push::Duplicates::Replace,
        },
        verify: a.push.verify,
        dry_run: a.dry_run,
    };
    if remote.account.address.scheme == Scheme::Ews {
        let lane = super::push_ews::lane(remote, a, mail, stop, observer)?;
        return Ok(Box::new(PushSink::open(Arc::new(lane), options)?));
    }
    if is_graph {
        let lane = super::push_graph::lane(remote, a, mail, stop, observer);
        return Ok(Box::new(PushSink::open(Arc::new(lane), options)?));
    }
    let how = PushOptions { mail, keep_receipts: a.push.keep_receipts };
    let lane = ImapLane::new(remote.imap(a, stop, observer), how);
    Ok(Box::new(PushSink::open(Arc::new(lane), options)?))
}

/// How mail becomes items of a mailbox, which would act on old reminders and requests for receipts.
pub fn import_options(a: &Convert) -> mime::ImportOptions {
    let quiet = mime::Quiet {
        reminders: (!a.push.keep_reminders).then(|| jiff::Timestamp::now().as_second()),
        receipts: !a.push.keep_receipts,
    };
    mime::ImportOptions { quiet, ..super::convert::import_options(a) }
}

/// What tells the mailbox from others that an account opens.
fn mailbox(account: &Account, a: &Convert) -> String {
    let of = match account.address.scheme {
        Scheme::Graph => super::push_graph::mailbox(account, a),
        _ => a.push.mailbox.as_ref().unwrap_or(&account.user).clone(),
    };
    if a.push.archive { format!("archive of {of}") } else { of }
}

/// The address of a mailbox as reports have it.
pub fn name(remote: &Remote) -> String {
    remote.account.address.to_string()
}
