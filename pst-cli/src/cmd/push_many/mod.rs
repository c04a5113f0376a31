//! `pst push --mailboxes`: many files into many mailboxes.

mod accounts;
mod map;

use super::convert::{Ran, Target, carry};
use super::fetch::{Remote, beside};
use super::input::Input;
use super::push::{name, only_added_to};
use super::summary::{counts, not_taken, object};
use crate::args::Convert;
use crate::exit::Outcome;
use crate::ui::Together;
use crate::ui::text::{Out, say};
use accounts::Accounts;
use map::Mailbox;
use pst_core::endpoint::text::file_name;
use pst_core::{Error, Kind, Result};
use serde_json::json;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// Mailboxes at once where nothing is said.
const PARALLEL: u8 = 4;

/// A mailbox that waits, and what lets us in.
type Job = (usize, Mailbox, Result<Remote>);

/// Pushes what a list names into the mailboxes that it names. One that fails does not keep the others.
///
/// # Errors
/// When anything of the list cannot be done, before anything is sent; at the end, when a mailbox could not be filled or the
/// run was stopped.
pub fn run(a: &Convert, map: &Path, stop: &Arc<AtomicBool>) -> Result<Outcome> {
    only_added_to(a)?;
    let accounts = Accounts::of(a)?;
    let mailboxes = map::read(a, map)?;
    let names: Vec<String> = mailboxes.iter().map(|m| m.name.clone()).collect();
    let remotes = accounts.sign_in(&names, stop)?;
    let parallel = usize::from(a.push.parallel.unwrap_or(PARALLEL)).min(names.len());
    let run = Run { a, each: each(a, parallel), together: Together::new(a.json), stop };
    let jobs: Vec<Job> = mailboxes.into_iter().zip(remotes).enumerate().map(|(n, (m, r))| (n, m, r)).collect();
    let results = run.all(jobs, parallel);
    if !a.json {
        tell(a, &names, &results);
    }
    outcome(results)
}

/// The options of a single mailbox: rows say where their files go, and processors are shared.
fn each(a: &Convert, parallel: usize) -> Convert {
    let processors = thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let threads = if a.threads == 0 { (processors / parallel.max(1)).max(1) } else { a.threads };
    Convert { target_root: None, threads, ..a.clone() }
}

struct Run<'a> {
    a: &'a Convert,
    each: Convert,
    together: Together,
    stop: &'a Arc<AtomicBool>,
}

impl Run<'_> {
    /// What became of each mailbox, in the order of the list; `None` where the run was stopped before it.
    fn all(&self, jobs: Vec<Job>, parallel: usize) -> Vec<Option<Result<Ran>>> {
        let results: Vec<Mutex<Option<Result<Ran>>>> = jobs.iter().map(|_| Mutex::new(None)).collect();
        let waiting = Mutex::new(jobs.into_iter());
        let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).next();
        thread::scope(|scope| {
            for _ in 0..parallel {
                scope.spawn(|| {
                    while !self.stop.load(Ordering::Relaxed)
                        && let Some((n, mailbox, remote)) = next()
                    {
                        let ran = self.one(&mailbox, remote);
                        if let Some(place) = results.get(n) {
                            *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(ran);
                        }
                    }
                });
            }
        });
        results.into_iter().map(|r| r.into_inner().unwrap_or_else(PoisonError::into_inner)).collect()
    }

    fn one(&self, mailbox: &Mailbox, remote: Result<Remote>) -> Result<Ran> {
        let ran = remote.and_then(|remote| self.fill(mailbox, remote));
        if self.a.json {
            // What is told may find nobody to listen.
            let _ = print(self.a, &mailbox.name, &ran);
        } else if let Err(e) = &ran {
            self.together.say(&format!("pst: {}: {e}", mailbox.name));
        }
        ran
    }

    fn fill(&self, mailbox: &Mailbox, remote: Remote) -> Result<Ran> {
        let observer = self.together.talk(&mailbox.name);
        let report = self.a.report.as_deref().map(|r| beside(r, &file_name(&mailbox.name)));
        let inputs = mailbox.rows.iter().cloned().map(Input::Row).collect();
        let address = name(&remote);
        let to = Target::mailbox(&address, remote);
        let ran = carry(&self.each, inputs, to, report.as_deref(), &observer, self.stop);
        if ran.is_err() {
            observer.end();
        }
        ran
    }
}

/// A mailbox for programs, a line on standard output.
fn print(a: &Convert, mailbox: &str, ran: &Result<Ran>) -> Result<()> {
    let mut line = match ran {
        Ok(ran) => object(a, ran),
        Err(e) => json!({"error": e.to_string()}),
    };
    if let Some(fields) = line.as_object_mut() {
        fields.insert("mailbox".to_owned(), mailbox.into());
    }
    let mut out = Out::new();
    out.json(&line)?;
    out.end()
}

/// Tells people what became of each mailbox.
fn tell(a: &Convert, names: &[String], results: &[Option<Result<Ran>>]) {
    for (name, result) in names.iter().zip(results) {
        match result {
            Some(Ok(ran)) => {
                let ended = ran.report.ended.as_ref().map(|e| format!("; ENDED: {e}")).unwrap_or_default();
                say(format!("{name}: {}{ended}", counts(a, ran)));
                if let Some(line) = not_taken(ran) {
                    say(format!("{name}: {line}"));
                }
            }
            Some(Err(e)) => say(format!("{name}: FAILED: {e}")),
            None => say(format!("{name}: not begun")),
        }
    }
    let complete = results.iter().flatten().flatten().filter(|ran| ran.report.ended.is_none()).count();
    if !a.dry_run {
        say(format!("{complete} of {} mailboxes complete", names.len()));
    }
}

/// The worst of what happened.
fn outcome(results: Vec<Option<Result<Ran>>>) -> Result<Outcome> {
    let all = results.len();
    let mut failed: Vec<Kind> = Vec::new();
    let mut outcome = Outcome::Done;
    let mut stopped = None;
    for result in results {
        let ended = match result {
            Some(Ok(ran)) => {
                if ran.is_flawed() {
                    outcome = Outcome::Flawed;
                }
                ran.report.ended.filter(|e| e.kind() == Kind::Interrupted)
            }
            Some(Err(e)) if e.kind() == Kind::Interrupted => Some(e),
            Some(Err(e)) => {
                failed.push(e.kind());
                None
            }
            None => Some(Error::new(Kind::Interrupted, "stopped by the user")),
        };
        stopped = stopped.or(ended);
    }
    match (stopped, failed.first()) {
        (Some(e), _) => Err(e),
        (None, Some(kind)) => Err(Error::new(*kind, format!("{} of {all} mailboxes failed", failed.len()))),
        (None, None) => Ok(outcome),
    }
}
