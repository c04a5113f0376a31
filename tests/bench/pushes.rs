//! The pushes that are measured: what was downloaded goes into empty mailboxes of a second server.

use super::delay;
use super::dovecot::{Dovecot, PASSWORD};
use super::downloads::{PST, ROUND_TRIP, installed};
use super::measure;
use super::mirrors;
use super::report::Line;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

pub const PUSH_PLAIN: &str = "push by IMAP, plain";
pub const PUSH_TLS: &str = "push by IMAP, TLS";
pub const PUSH_AGAIN: &str = "push by IMAP, TLS, nothing new";
pub const PUSH_AWAY: &str = "push by IMAP, TLS, 40 ms away";
/// The program that the others are compared with.
pub const OURS: &str = "pst from PST";
pub const MBSYNC: &str = "mbsync from Maildir";

/// A PST of a download, and the mailbox that it came from.
pub struct Pushed {
    pub user: &'static str,
    pub pst: PathBuf,
    pub messages: u64,
    pub bytes: u64,
}

struct Job<'a> {
    line: Line,
    user: &'static str,
    /// The mailbox and what is remembered of it are there from the job before.
    again: bool,
    once: bool,
    command: Box<dyn Fn() -> Command + 'a>,
}

/// Measures all of them; `from` is the server that the PSTs came from, `far` the smaller one for long ways.
pub fn lines(from: &Dovecot, folder: &Path, all: &Pushed, far: &Pushed, rounds: usize) -> Vec<Line> {
    let Some(server) = Dovecot::start() else { return vec![] };
    let away = delay::way_to(server.imaps, ROUND_TRIP / 2).unwrap();
    let mut jobs = vec![
        ours(PUSH_PLAIN, all, server.imap, None, folder),
        ours(PUSH_TLS, all, server.imaps, Some(server.ca_file()), folder),
        Job { again: true, ..ours(PUSH_AGAIN, all, server.imaps, Some(server.ca_file()), folder) },
        ours(PUSH_AWAY, far, away, Some(server.ca_file()), folder),
    ];
    if installed("mbsync") {
        for pushed in [all, far] {
            mirror(from, pushed, folder);
        }
        jobs.push(peer(PUSH_PLAIN, all, server.imap, None, folder));
        jobs.push(peer(PUSH_TLS, all, server.imaps, Some(server.ca_file()), folder));
        jobs.push(peer(PUSH_AWAY, far, away, Some(server.ca_file()), folder));
    }
    for round in 1..=rounds {
        for job in jobs.iter_mut().filter(|j| j.line.trouble.is_none() && (round == 1 || !j.once)) {
            eprintln!("round {round} of {rounds}: {}, {}", job.line.job, job.line.program);
            job.run(&server, folder);
        }
    }
    jobs.into_iter().map(|j| j.line).collect()
}

fn ours<'a>(job: &'static str, from: &'a Pushed, port: u16, authority: Option<PathBuf>, folder: &'a Path) -> Job<'a> {
    let command = move || {
        let mut command = Command::new(PST);
        let scheme = if authority.is_some() { "imaps" } else { "imap" };
        command.arg("push").arg(&from.pst).arg(format!("{scheme}://{}@127.0.0.1:{port}", from.user));
        match &authority {
            Some(file) => command.arg("--ca-file").arg(file),
            None => command.arg("--insecure-plaintext"),
        };
        command.env("PST_PASSWORD", PASSWORD).env("HOME", folder).env_remove("XDG_STATE_HOME");
        command
    };
    Job::new(job, OURS, from, false, command)
}

fn peer<'a>(job: &'static str, from: &'a Pushed, port: u16, authority: Option<PathBuf>, folder: &'a Path) -> Job<'a> {
    let command = move || mirrors::mbsync_push(folder, from.user, port, authority.as_deref(), &mirrored(folder, from));
    Job::new(job, MBSYNC, from, true, command)
}

fn mirrored(folder: &Path, pushed: &Pushed) -> PathBuf {
    folder.join(format!("mirror-{}", pushed.user))
}

/// The account as a Maildir, for mbsync.
fn mirror(from: &Dovecot, pushed: &Pushed, folder: &Path) {
    let target = mirrored(folder, pushed);
    fs::create_dir_all(&target).unwrap();
    let status = mirrors::mbsync(folder, pushed.user, from.imap, None, &target).status().unwrap();
    assert!(status.success(), "mbsync: {status}");
}

impl<'a> Job<'a> {
    fn new(job: &'static str, program: &str, from: &'a Pushed, once: bool, command: impl Fn() -> Command + 'a) -> Self {
        let (bytes, messages) = (from.bytes, from.messages);
        let line = Line { job: job.to_owned(), program: program.to_owned(), bytes, messages, ..Line::default() };
        Self { line, user: from.user, again: false, once, command: Box::new(command) }
    }

    fn run(&mut self, server: &Dovecot, folder: &Path) {
        if !self.again {
            server.empty(self.user);
            let _ = fs::remove_dir_all(folder.join(".local"));
            mirrors::forget(folder);
        }
        let _ = Command::new("sync").status();
        match measure::run(&mut (self.command)()) {
            Ok((cost, _)) => {
                let found = mirrors::messages(&server.mail(self.user));
                self.line.costs.push(cost);
                self.line.found = Some(self.line.found.map_or(found, |n| n.min(found)));
            }
            Err(why) => self.line.trouble = Some(why),
        }
    }
}
