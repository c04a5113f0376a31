//! The downloads that are measured, and their order.

use super::delay;
use super::dovecot::{Dovecot, Mail, PASSWORD};
use super::fetch;
use super::goals;
use super::mailbox::mailbox;
use super::measure;
use super::mirrors;
use super::pushes::{self, Pushed};
use super::report::{Line, table};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

pub const PST: &str = env!("CARGO_BIN_EXE_pst");

pub const PLAIN: &str = "IMAP, plain";
pub const TLS: &str = "IMAP, TLS";
pub const AGAIN: &str = "IMAP, TLS, nothing new";
pub const POP: &str = "POP3, plain";
pub const AWAY: &str = "IMAP, TLS, 40 ms away";
pub const LARGE: &str = "IMAP, TLS, one message of 200 MB";
/// The program that all others are compared with.
pub const OURS: &str = "pst to PST";

/// To the server and back.
pub const ROUND_TRIP: Duration = Duration::from_millis(40);
/// Bytes of the large message.
const LARGE_SIZE: usize = 200_000_000;

pub fn fetches(connections: usize) -> String {
    format!("pst, fetched and thrown away, {connections} at once")
}

pub fn mbsync_named() -> String {
    "mbsync to Maildir".to_owned()
}

/// A user of the server, and what the mailbox has.
struct Mailbox {
    user: &'static str,
    messages: u64,
    bytes: u64,
}

#[derive(Clone, Copy, PartialEq)]
enum Count {
    /// `pst` says what it has written, and what is in the PST: the fewer of both.
    Written,
    /// `pst` says it: what was there before, if nothing was written.
    Before,
    /// It is all that is said.
    Said,
    /// The messages of a Maildir.
    Maildir,
}

struct Job<'a> {
    line: Line,
    /// What it makes, and is removed before; a PST has a file of what is remembered beside it.
    target: PathBuf,
    count: Count,
    /// In the first round alone.
    once: bool,
    command: Box<dyn Fn(&Path) -> Command + 'a>,
}

/// Measures everything, prints the table, and fails where counts do not agree.
pub fn run(messages: u64, rounds: usize) {
    let Some(server) = Dovecot::start() else { return };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/bench/accounts");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    let folder = folder.canonicalize().unwrap();
    let all = Mailbox::fill(&server, "alice", messages, None);
    let popped = Mailbox::fill(&server, "bob", messages / 5, Some("INBOX"));
    let far = Mailbox::fill(&server, "carol", messages / 10, None);
    let large = Mailbox::fill_large(&server, "dave");
    eprintln!("made {} messages, {} MB, and three smaller mailboxes", all.messages, all.bytes / 1_000_000);
    let away = delay::way_to(server.imaps, ROUND_TRIP / 2).unwrap();

    let place = Place { server: &server, folder: &folder };
    let mut jobs = place.jobs(&all, &popped, &far, &large, away);
    warm_up(&jobs);
    for round in 1..=rounds {
        for job in jobs.iter_mut().filter(|j| j.line.trouble.is_none() && (round == 1 || !j.once)) {
            eprintln!("round {round} of {rounds}: {}, {}", job.line.job, job.line.program);
            job.run();
        }
    }
    let mut lines: Vec<Line> = jobs.into_iter().map(|j| j.line).collect();
    let pushed = |from: &Mailbox, port: u16| Pushed {
        user: from.user,
        pst: folder.join(downloaded(from.user, port)),
        messages: from.messages,
        bytes: from.bytes,
    };
    lines.extend(pushes::lines(&server, &folder, &pushed(&all, server.imaps), &pushed(&far, away), rounds));
    let mut out = format!(
        "# An account of {} messages ({:.0} MB) on a server of the same machine: {} processors, medians of {rounds} rounds \
         (mbsync: one)\n\nBy POP3 {} messages ({:.0} MB), from 40 ms away {} ({:.0} MB). The server's own processor time is \
         not in the table.\n\n",
        all.messages,
        all.bytes as f64 / 1e6,
        std::thread::available_parallelism().map_or(1, |n| n.get()),
        popped.messages,
        popped.bytes as f64 / 1e6,
        far.messages,
        far.bytes as f64 / 1e6,
    );
    out.push_str(&table(&lines));
    out.push_str("\nGoals:\n\n");
    out.push_str(&goals::list(&lines));
    println!("{out}");
    fs::write(folder.join("../accounts.md"), out).unwrap();
    fs::remove_dir_all(&folder).unwrap();
    for line in &lines {
        let ours = line.program.starts_with("pst");
        let trouble = line.trouble.as_deref().filter(|_| ours);
        assert!(trouble.is_none(), "{}, {}: {}", line.job, line.program, trouble.unwrap_or_default());
        let agrees = line.trouble.is_some() || line.found == Some(line.messages);
        assert!(agrees, "{}, {}: {:?} of {} messages came", line.job, line.program, line.found, line.messages);
    }
}

/// The server then has its indexes, and all files are in memory.
fn warm_up(jobs: &[Job]) {
    for job in jobs.iter().filter(|j| j.line.program == OURS && j.count == Count::Written) {
        remove(&job.target);
        eprintln!("warms up: {}", job.line.job);
        if let Err(why) = measure::run(&mut (job.command)(&job.target)) {
            panic!("{}: {why}", job.line.job);
        }
    }
}

impl Mailbox {
    /// A seeded mailbox, all in one folder if that is named.
    fn fill(server: &Dovecot, user: &'static str, messages: u64, folder: Option<&str>) -> Self {
        let mut bytes = 0;
        for made in mailbox(messages, messages * 3 / 400) {
            let mail = Mail { bytes: &made.bytes, flags: made.flags, keywords: made.keywords, date: made.date };
            server.deliver(user, folder.unwrap_or(made.folder), &mail);
            bytes += made.bytes.len() as u64;
        }
        Self { user, messages, bytes }
    }

    fn fill_large(server: &Dovecot, user: &'static str) -> Self {
        let mut mail = b"From: a@example.com\r\nSubject: large\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\
            \r\n--b\r\n\r\ntext\r\n--b\r\nContent-Type: application/octet-stream; name=a.bin\r\n\
            Content-Transfer-Encoding: base64\r\n\r\n"
            .to_vec();
        while mail.len() < LARGE_SIZE {
            mail.extend([b'Q'; 76]);
            mail.extend(b"\r\n");
        }
        mail.extend(b"--b--\r\n");
        server.deliver(user, "INBOX", &Mail { bytes: &mail, date: 1_600_000_000, ..Mail::default() });
        Self { user, messages: 1, bytes: mail.len() as u64 }
    }
}

/// The server, and where downloads go.
#[derive(Clone, Copy)]
struct Place<'a> {
    server: &'a Dovecot,
    folder: &'a Path,
}

impl<'a> Place<'a> {
    fn jobs(
        self,
        all: &'a Mailbox,
        popped: &'a Mailbox,
        far: &'a Mailbox,
        large: &'a Mailbox,
        away: u16,
    ) -> Vec<Job<'a>> {
        let (imap, imaps, pop3) = (self.server.imap, self.server.imaps, self.server.pop3);
        let again = Job { count: Count::Before, ..self.ours(AGAIN, all, "imaps", imaps) };
        let mut out =
            vec![self.ours(PLAIN, all, "imap", imap), self.fetched(PLAIN, all, 1), self.fetched(PLAIN, all, 3)];
        out.extend(self.mbsync(PLAIN, all, imap, false));
        out.extend([self.ours(TLS, all, "imaps", imaps), again, self.fetched(TLS, all, 1), self.fetched(TLS, all, 3)]);
        out.extend(self.mbsync(TLS, all, imaps, true));
        out.push(self.ours(POP, popped, "pop3", pop3));
        out.extend(self.mpop(popped));
        out.push(self.ours(AWAY, far, "imaps", away));
        out.extend(self.mbsync(AWAY, far, away, true));
        out.push(self.ours(LARGE, large, "imaps", imaps));
        out
    }

    fn job(
        self,
        job: &'static str,
        program: String,
        mailbox: &Mailbox,
        target: &str,
        count: Count,
        command: impl Fn(&Path) -> Command + 'a,
    ) -> Job<'a> {
        let (bytes, messages) = (mailbox.bytes, mailbox.messages);
        let line = Line { job: job.to_owned(), program, bytes, messages, ..Line::default() };
        Job { line, target: self.folder.join(target), count, once: false, command: Box::new(command) }
    }

    fn ours(self, job: &'static str, mailbox: &'a Mailbox, scheme: &'static str, port: u16) -> Job<'a> {
        let user = mailbox.user;
        let target = downloaded(user, port);
        self.job(job, OURS.to_owned(), mailbox, &target, Count::Written, move |target| {
            let mut command = Command::new(PST);
            command.args(["download", "--json", &format!("{scheme}://{user}@127.0.0.1:{port}")]).arg(target);
            match scheme.ends_with('s') {
                true => command.arg("--ca-file").arg(self.server.ca_file()),
                false => command.arg("--insecure-plaintext"),
            };
            command.env("PST_PASSWORD", PASSWORD).env("HOME", self.folder);
            command
        })
    }

    fn fetched(self, job: &'static str, mailbox: &'a Mailbox, connections: usize) -> Job<'a> {
        let user = mailbox.user;
        self.job(job, fetches(connections), mailbox, "nothing", Count::Said, move |_| {
            let authority = (job == TLS).then(|| self.server.ca_file());
            let port = if job == TLS { self.server.imaps } else { self.server.imap };
            fetch::command(user, port, connections, authority.as_deref())
        })
    }

    fn mbsync(self, job: &'static str, mailbox: &'a Mailbox, port: u16, tls: bool) -> Option<Job<'a>> {
        let user = mailbox.user;
        let new = self.job(job, mbsync_named(), mailbox, "mbsync", Count::Maildir, move |target| {
            fs::create_dir_all(target).unwrap();
            let authority = tls.then(|| self.server.ca_file());
            mirrors::mbsync(self.folder, user, port, authority.as_deref(), target)
        });
        installed("mbsync").then_some(Job { once: true, ..new })
    }

    fn mpop(self, mailbox: &'a Mailbox) -> Option<Job<'a>> {
        let (user, port) = (mailbox.user, self.server.pop3);
        let new = self.job(POP, "mpop to Maildir".to_owned(), mailbox, "mpop", Count::Maildir, move |target| {
            mirrors::mpop(self.folder, user, port, target)
        });
        installed("mpop").then_some(new)
    }
}

impl Job<'_> {
    /// Runs once and keeps what it took.
    fn run(&mut self) {
        if self.count != Count::Before {
            remove(&self.target);
        }
        let mut command = (self.command)(&self.target);
        let _ = Command::new("sync").status();
        match measure::run(&mut command) {
            Ok((cost, output)) => {
                let found = self.found(&output);
                self.line.costs.push(cost);
                self.line.found = Some(self.line.found.map_or(found, |n| n.min(found)));
            }
            Err(why) => self.line.trouble = Some(why),
        }
        if self.count == Count::Maildir {
            remove(&self.target);
        }
    }

    fn found(&self, output: &[u8]) -> u64 {
        match self.count {
            Count::Written => said(output, "written").min(items(&self.target)),
            Count::Before if said(output, "written") > 0 => 0,
            Count::Before => said(output, "there_before").min(items(&self.target)),
            Count::Said => String::from_utf8_lossy(output).trim().parse().unwrap(),
            Count::Maildir => mirrors::messages(&self.target),
        }
    }
}

/// The name of the PST that `pst` makes of a mailbox.
fn downloaded(user: &str, port: u16) -> String {
    format!("{user}-{port}.pst")
}

/// A number of a report in JSON.
fn said(report: &[u8], key: &str) -> u64 {
    let report: serde_json::Value = serde_json::from_slice(report).unwrap();
    report[key].as_u64().unwrap()
}

/// The items that are found in a PST.
fn items(pst: &Path) -> u64 {
    said(&Command::new(PST).args(["info", "--json"]).arg(pst).output().unwrap().stdout, "items")
}

/// Removes what a run has made.
fn remove(target: &Path) {
    let state = PathBuf::from(format!("{}.state", target.display()));
    for path in [target, &state] {
        let _ = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    }
}

pub fn installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).any(|d| d.join(program).is_file());
    if !found {
        eprintln!("skipped: {program} is not installed");
    }
    found
}
