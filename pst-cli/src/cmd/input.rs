//! The sources of `pst convert`: files, and accounts on servers where the build knows them.

use crate::args::Convert;
use pst_core::endpoint;
#[cfg(feature = "network")]
use pst_core::pipeline::journal::{Bears, State};
#[cfg(feature = "network")]
use pst_core::pipeline::{Rehearsal, Sink};
use pst_core::{Error, Kind, Result};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// A source.
pub enum Input {
    /// A file or folder, as it was given.
    Local(String),
    /// A file or folder of a list of mailboxes.
    #[cfg(feature = "network")]
    Row(Row),
    /// An account on a server.
    #[cfg(feature = "network")]
    Remote(Box<super::fetch::Remote>),
}

/// A file of a list of mailboxes.
#[cfg(feature = "network")]
#[derive(Debug, Clone)]
pub struct Row {
    /// Its path.
    pub file: String,
    /// The folder of the mailbox that takes it in; empty for the top.
    pub under: Vec<String>,
    /// How it is read.
    pub reading: endpoint::SourceOptions,
}

impl Input {
    /// The folder of the target that it was given, where it was.
    pub fn place(&self) -> Option<&[String]> {
        match self {
            #[cfg(feature = "network")]
            Self::Row(row) => Some(&row.under),
            _ => None,
        }
    }

    /// The file or folder.
    pub fn local(&self) -> Option<&str> {
        match self {
            Self::Local(spec) => Some(spec),
            #[cfg(feature = "network")]
            Self::Row(row) => Some(&row.file),
            #[cfg(feature = "network")]
            Self::Remote(_) => None,
        }
    }

    /// What reports call it.
    pub fn title(&self) -> String {
        match self {
            Self::Local(spec) => spec.clone(),
            #[cfg(feature = "network")]
            Self::Row(row) => row.file.clone(),
            #[cfg(feature = "network")]
            Self::Remote(remote) => remote.account.address.to_string(),
        }
    }

    /// The folder that takes it in, where there are several.
    pub fn name(&self) -> String {
        match self {
            Self::Local(spec) => endpoint::name_of(spec),
            #[cfg(feature = "network")]
            Self::Row(row) => endpoint::name_of(&row.file),
            #[cfg(feature = "network")]
            Self::Remote(remote) => remote.account.user.clone(),
        }
    }

    /// Folders that it takes and leaves out by itself.
    pub fn patterns(&self) -> (Vec<String>, Vec<String>) {
        match self {
            Self::Local(_) => Default::default(),
            #[cfg(feature = "network")]
            Self::Row(_) => Default::default(),
            #[cfg(feature = "network")]
            Self::Remote(remote) => (remote.include(), remote.account.exclude.clone()),
        }
    }
}

/// True if the source is an account of the configuration.
pub fn is_account(a: &Convert) -> bool {
    #[cfg(feature = "network")]
    return a.account.account.is_some();
    #[cfg(not(feature = "network"))]
    {
        let _ = a;
        false
    }
}

/// Takes the sources as they were given, and signs in to accounts.
///
/// # Errors
/// When an account cannot be signed in to, or files would be copied into a PST once more with each download.
pub fn inputs(a: &Convert, sources: &[String], target: &str, stop: &Arc<AtomicBool>) -> Result<Vec<Input>> {
    #[cfg(feature = "network")]
    {
        use super::fetch::{Remote, is_address};
        if is_account(a) {
            if !sources.is_empty() {
                let text = "--account is the source by itself: pst convert --account NAME TARGET";
                return Err(Error::new(Kind::Usage, text));
            }
            let remote = Remote::source(a.account.account(None)?, stop)?;
            return Ok(vec![Input::Remote(Box::new(remote))]);
        }
        let are_remote = sources.iter().map(|spec| is_address(spec)).collect::<Result<Vec<bool>>>()?;
        let accounts = are_remote.iter().filter(|is_remote| **is_remote).count();
        if accounts > 0 && accounts < sources.len() && !a.append && !a.overwrite {
            refuse_again(target)?;
        }
        let one = |(spec, is_remote): (&String, &bool)| {
            if !is_remote {
                return Ok(Input::Local(spec.clone()));
            }
            let remote = Remote::source(a.account.one_of(accounts, spec)?, stop)?;
            Ok(Input::Remote(Box::new(remote)))
        };
        sources.iter().zip(&are_remote).map(one).collect()
    }
    #[cfg(not(feature = "network"))]
    {
        let _ = (a, target, stop);
        if let Some(spec) = sources.iter().find(|s| s.contains("://")) {
            let text = format!("{spec}: this program was built without mail servers (network)");
            return Err(Error::new(Kind::Unsupported, text));
        }
        Ok(sources.iter().cloned().map(Input::Local).collect())
    }
}

/// Refuses a PST that is there for files beside an account: only of accounts is it remembered what it has.
#[cfg(feature = "network")]
fn refuse_again(target: &str) -> Result<()> {
    match endpoint::pst_target(target).filter(|path| path.exists()) {
        Some(path) => {
            let text = "this PST is there already, and the files beside the account would be copied into it once more; leave \
                        them out to go on with the download, or give --append to add them";
            Err(Error::new(Kind::Usage, text).in_file(path))
        }
        None => Ok(()),
    }
}

/// A PST that grows, run after run.
#[cfg(feature = "network")]
pub struct Growing {
    /// The PST.
    pub sink: Box<dyn Sink>,
    /// What it remembers of accounts.
    pub state: Arc<State>,
}

/// Opens or makes the PST that accounts are downloaded into; `None` for other targets.
///
/// # Errors
/// When it cannot be opened, or is in use.
#[cfg(feature = "network")]
pub fn growing(a: &Convert, title: &str, target: &str) -> Result<Option<Growing>> {
    let usage = |text: &str| Err(Error::new(Kind::Usage, text));
    let remembers = a.fetch.mirror || a.fetch.delete_after_download;
    if a.fetch.headers_only {
        let text = "--headers-only is a survey; it does not go with --mirror or --delete-after-download";
        return if remembers { usage(text) } else { Ok(None) };
    }
    let Some(path) = endpoint::pst_target(target) else {
        let text = "--mirror and --delete-after-download need a PST as target, which remembers what it has";
        return if remembers { usage(text) } else { Ok(None) };
    };
    if a.overwrite {
        let text = "a download adds to the PST that is there; leave out --overwrite, or move the PST and its .state file \
                    away to begin anew";
        return Err(Error::new(Kind::Usage, text).in_file(path));
    }
    if a.dry_run && !path.exists() {
        return Ok(None);
    }
    let mut sink = endpoint::grow(path, &super::convert::target_options(a, title.to_owned(), Vec::new())?)?;
    let (key, states) = (sink.identity().unwrap_or_default(), sink.states());
    let open = if a.dry_run { State::rehearse } else { State::open };
    let state = open(path, &Bears { key, states: &states }, &mut |place, content| sink.has(place, content))?;
    let sink = if a.dry_run { Box::new(Rehearsal::of(sink)) } else { sink };
    Ok(Some(Growing { sink, state: Arc::new(state) }))
}
