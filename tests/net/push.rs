//! Pushing into mailboxes: real servers that take what they are given, and scripted ones that do not.

use crate::dovecot::Dovecot;
use crate::scripted::{End, Say, Script, Scripted};
use crate::volume::account;
use pst_core::endpoint::imap::{Account, Channel, Dial, ImapLane, ImapSource, Network, Notice, Options, PushOptions};
use pst_core::endpoint::net::Server;
use pst_core::endpoint::push::{self, Duplicates, PushSink};
use pst_core::pipeline::{
    Body, Event, Flags, Folder, Item, ItemRef, Mime, Mounted, Observer, Report, Role, RunOptions, Source, run,
};
use pst_core::{Error, Kind, Result};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// A source of messages that the test has made.
#[derive(Default, Clone)]
pub struct Made(pub Vec<(Folder, Vec<Mime>)>);

impl Made {
    pub fn of(folders: &[(&str, Role, Vec<Mime>)]) -> Self {
        let folder =
            |path: &str, role| Folder { path: path.split('|').map(str::to_owned).collect(), role, ..Folder::default() };
        let numbered = folders.iter().enumerate();
        Self(
            numbered
                .map(|(n, (path, role, all))| (Folder { key: n as u64, ..folder(path, *role) }, all.clone()))
                .collect(),
        )
    }
}

impl Source for Made {
    fn folders(&self) -> Result<Vec<Folder>> {
        Ok(self.0.iter().map(|(f, _)| f.clone()).collect())
    }

    fn items<'a>(&'a self, folder: &'a Folder) -> Result<Box<dyn Iterator<Item = Result<ItemRef>> + Send + 'a>> {
        let one = |(n, m): (usize, &Mime)| {
            Ok(ItemRef { id: format!("message {n}"), key: n as u64, size: m.bytes.len() as u64, ..ItemRef::default() })
        };
        Ok(Box::new(self.0[folder.key as usize].1.iter().enumerate().map(one)))
    }

    fn load(&self, folder: &Folder, item: &ItemRef) -> Result<Item> {
        let mime = self.0[folder.key as usize].1[item.key as usize].clone();
        Ok(Item { id: item.id.clone(), body: Body::Mime(mime), associated: false, warnings: Vec::new() })
    }

    fn title(&self) -> String {
        "made".into()
    }
}

pub fn mime(text: &str) -> Mime {
    let flags = Flags { seen: Some(true), ..Flags::default() };
    Mime { bytes: text.replace('\n', "\r\n").into_bytes(), flags, received: Some(1_600_000_000), ..Mime::default() }
}

fn numbered(n: usize) -> Mime {
    mime(&format!("Message-ID: <{n}@made>\nSubject: number {n}\n\nline {n}\n{}end", "x".repeat(n % 7 * 50)))
}

pub struct Nobody;

impl Observer for Nobody {
    fn event(&self, _event: &Event<'_>) {}
}

pub fn options(dir: &Path) -> push::Options {
    push::Options {
        journal: dir.join("push.state"),
        connections: 2,
        rate: None,
        endurance: std::time::Duration::from_hours(1),
        duplicates: Duplicates::Allow,
        verify: false,
        dry_run: false,
    }
}

pub fn pushed(account: Account, made: &Made, options: push::Options) -> Report {
    pushed_with(account, made, options, &RunOptions::default(), PushOptions::default())
}

fn pushed_with(account: Account, made: &Made, options: push::Options, how: &RunOptions, mail: PushOptions) -> Report {
    let sink = PushSink::open(Arc::new(ImapLane::new(account, mail)), options).unwrap();
    let mounted = [Mounted { source: Arc::new(made.clone()), under: Vec::new(), journal: None }];
    let report = run(&mounted, Box::new(sink), how, &Nobody).unwrap();
    let skipped: u64 = report.skipped.values().sum();
    assert_eq!(report.read, report.written + report.failed + skipped, "{report:?}");
    report
}

/// Folder, bytes, date, flags in words.
pub type Held = BTreeMap<String, Vec<(Vec<u8>, Option<i64>, Flags)>>;

/// What an account has, by folder.
pub fn held(account: Account) -> Held {
    let source = ImapSource::open(account, Options { connections: 1, ..Options::default() }).unwrap();
    let mut out = Held::new();
    for folder in source.folders().unwrap() {
        let all = out.entry(folder.path.join("|")).or_default();
        for item in source.items(&folder).unwrap() {
            let Body::Mime(mut mime) = source.load(&folder, &item.unwrap()).unwrap().body else { panic!("no mail") };
            mime.flags.keywords.sort();
            all.push((mime.bytes, mime.received, mime.flags));
        }
        all.sort_by(|a, b| a.0.cmp(&b.0));
    }
    out
}

fn expected(made: &Made) -> Vec<(Vec<u8>, Option<i64>, Flags)> {
    let mut all: Vec<_> =
        made.0.iter().flat_map(|(_, all)| all).map(|m| (m.bytes.clone(), m.received, m.flags.clone())).collect();
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

fn found(held: Held) -> Vec<(Vec<u8>, Option<i64>, Flags)> {
    let mut all: Vec<_> = held.into_values().flatten().collect();
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

#[test]
fn what_servers_can_differs_and_what_arrives_does_not() {
    let dir = tempfile::tempdir().unwrap();
    let mut inbox: Vec<Mime> = (0..60).map(numbered).collect();
    inbox[3].flags = Flags { seen: Some(false), flagged: true, ..Flags::default() };
    inbox[4].flags = Flags {
        seen: Some(true),
        answered: true,
        forwarded: true,
        draft: true,
        keywords: vec!["Work".into()],
        ..Flags::default()
    };
    inbox[5].received = Some(86_400);
    inbox.push(Mime { bytes: [b"Subject: \xE9\r\n\r\n".as_slice(), &[0xFF; 5000], b"\r\n"].concat(), ..mime("") });
    inbox.push(Mime { bytes: [b"Subject: large\r\n\r\n".to_vec(), vec![b'y'; 6 << 20]].concat(), ..mime("") });
    let made =
        Made::of(&[("Posteingang", Role::Inbox, inbox), ("Gesendet", Role::Sent, (60..70).map(numbered).collect())]);
    for can in [
        "",
        "LITERAL-",
        "LITERAL+",
        "LITERAL+ MULTIAPPEND",
        "LITERAL- UIDPLUS",
        "LITERAL+ UIDPLUS",
        "LITERAL+ UIDPLUS MULTIAPPEND",
    ] {
        let Some(dovecot) = Dovecot::start_with(&format!("imap_capability = IMAP4rev1 NAMESPACE SPECIAL-USE {can}"))
        else {
            return;
        };
        dovecot.maildir("alice", "Sent");
        let account = account(dovecot.server(dovecot.imaps), "alice");
        let journal = dir.path().join(format!("{can}.state"));
        let options = push::Options { journal, verify: true, ..options(dir.path()) };
        let report = pushed(account.clone(), &made, options.clone());
        assert_eq!((report.written, report.failed, report.warnings), (72, 0, 0), "{can}: {report:?}");
        let there = held(account.clone());
        assert_eq!(there["Inbox"].len(), 62, "{can}");
        assert_eq!(there["Sent"].len(), 10, "{can}: {:?}", there.keys());
        assert!(found(there) == expected(&made), "{can}");
        let again = pushed(account.clone(), &made, options);
        assert_eq!((again.written, again.skipped["being there already"]), (0, 72), "{can}");
        assert_eq!(found(held(account)).len(), 72);
    }
}

#[test]
fn names_keywords_and_receipts() {
    let Some(dovecot) = Dovecot::start() else { return };
    let dir = tempfile::tempdir().unwrap();
    let mut read = mime("Subject: a\nDisposition-Notification-To: a@b\n\nx\n");
    read.flags.keywords = vec!["Grün & blau".into()];
    let mut unread = mime("Subject: b\nDisposition-Notification-To: a@b\n\nx\n");
    unread.flags.seen = Some(false);
    let bare = Mime { bytes: b"Subject: c\n\nbare\nlines\n".to_vec(), ..mime("") };
    let nul = Mime { bytes: b"Subject: d\r\n\r\n\0\r\n".to_vec(), ..mime("") };
    let made = Made::of(&[
        ("R/D", Role::None, vec![read]),
        ("会議|A & B", Role::None, vec![unread]),
        ("leer", Role::None, vec![]),
        ("inbox", Role::None, vec![bare, nul]),
    ]);
    let account = account(dovecot.server(dovecot.imaps), "alice");
    let report = pushed(account.clone(), &made, options(dir.path()));
    assert_eq!((report.written, report.failed), (3, 1), "{report:?}");
    assert!(report.failures[0].error.to_string().contains("NUL"));
    let codes: BTreeMap<_, _> = report.codes.clone();
    assert_eq!(codes, BTreeMap::from([("receipt", 1), ("name", 2)]), "{report:?}");
    let there = held(account);
    assert!(there["R_D"][0].0.starts_with(b"Subject: a\r\nX-Disposition-Notification-To: a@b\r\n"));
    assert_eq!(there["R_D"][0].2.keywords, ["Gr_n_&_blau"]);
    assert!(there["会議|A & B"][0].0.starts_with(b"Subject: b\r\nDisposition-Notification-To: a@b\r\n"));
    assert_eq!(there["Inbox"][0].0, b"Subject: c\r\n\r\nbare\r\nlines\r\n");
    assert!(there["leer"].is_empty());
    let source = ImapSource::open(
        crate::volume::account(dovecot.server(dovecot.imaps), "alice"),
        Options { folders: pst_core::endpoint::imap::Wanted { subscribed: true, others: false }, ..Options::default() },
    );
    let subscribed: Vec<String> = source.unwrap().folders().unwrap().into_iter().map(|f| f.path.join("|")).collect();
    for name in ["R_D", "会議|A & B", "leer"] {
        assert!(subscribed.contains(&name.to_owned()), "{subscribed:?}");
    }
}

#[test]
fn duplicates_are_left_out_or_replaced() {
    let Some(dovecot) = Dovecot::start() else { return };
    let dir = tempfile::tempdir().unwrap();
    let old = Made::of(&[("Inbox", Role::Inbox, (0..10).map(numbered).collect())]);
    let account = account(dovecot.server(dovecot.imaps), "alice");
    let journal = |name: &str| push::Options { journal: dir.path().join(name), ..options(dir.path()) };
    assert_eq!(pushed(account.clone(), &old, journal("a")).written, 10);
    let changed = |n| mime(&format!("Message-ID: <{n}@made>\nSubject: another {n}\n\nchanged\n"));
    let new = Made::of(&[("Inbox", Role::Inbox, (5..15).map(changed).collect())]);
    let skip = push::Options { duplicates: Duplicates::Skip, ..journal("b") };
    let report = pushed(account.clone(), &new, skip);
    assert_eq!((report.written, report.skipped["the mailbox having it already"]), (5, 5), "{report:?}");
    assert_eq!(held(account.clone())["Inbox"].len(), 15);
    let replace = push::Options { duplicates: Duplicates::Replace, verify: true, ..journal("c") };
    assert_eq!(pushed(account.clone(), &new, replace.clone()).written, 10);
    let there = held(account.clone());
    assert_eq!(there["Inbox"].len(), 15);
    let texts: Vec<String> = there["Inbox"].iter().map(|m| String::from_utf8_lossy(&m.0).into_owned()).collect();
    assert_eq!(texts.iter().filter(|t| t.contains("changed")).count(), 10, "{texts:?}");
    // What was put there stays where it is put again.
    assert_eq!(pushed(account.clone(), &new, replace).written, 0);
    assert_eq!(held(account)["Inbox"].len(), 15);
}

#[test]
fn a_dry_run_changes_nothing() {
    let Some(dovecot) = Dovecot::start() else { return };
    let dir = tempfile::tempdir().unwrap();
    let made = Made::of(&[("New", Role::None, (0..3).map(numbered).collect())]);
    let account = account(dovecot.server(dovecot.imaps), "alice");
    let dry = push::Options { dry_run: true, ..options(dir.path()) };
    assert_eq!(pushed(account.clone(), &made, dry.clone()).written, 3);
    assert!(!held(account.clone()).contains_key("New"));
    assert!(!dir.path().join("push.state").exists());
    assert_eq!(pushed(account.clone(), &made, options(dir.path())).written, 3);
    let again = pushed(account, &made, dry);
    assert_eq!((again.written, again.skipped["being there already"]), (0, 3));
}

#[test]
fn a_mailbox_that_is_emptied_is_filled_again() {
    let dir = tempfile::tempdir().unwrap();
    let made =
        Made::of(&[("Inbox", Role::Inbox, (0..5).map(numbered).collect()), ("A", Role::None, vec![numbered(9)])]);
    // Another mailbox of the same name: the folders are others.
    for _ in 0..2 {
        let Some(dovecot) = Dovecot::start() else { return };
        let account = account(dovecot.server(dovecot.imaps), "alice");
        assert_eq!(pushed(account.clone(), &made, options(dir.path())).written, 6);
        assert_eq!(found(held(account)).len(), 6);
        // Folders are numbered by the second.
        std::thread::sleep(std::time::Duration::from_millis(1100));
    }
}

#[test]
fn a_full_mailbox_ends_the_run_and_a_later_one_goes_on() {
    let more = |kilobytes: u32| {
        format!(
            "protocol imap {{\n  mail_plugins = quota\n}}\n\
             plugin {{\n  quota = maildir:User quota\n  quota_rule = *:storage={kilobytes}K\n  quota_grace = 0\n}}"
        )
    };
    let Some(dovecot) = Dovecot::start_with(&more(40)) else { return };
    let dir = tempfile::tempdir().unwrap();
    let large = |n: usize| mime(&format!("Message-ID: <{n}@made>\nSubject: n {n}\n\n{}\n", "z".repeat(5000)));
    let made = Made::of(&[("Inbox", Role::Inbox, (0..30).map(large).collect())]);
    let account = account(dovecot.server(dovecot.imaps), "alice");
    let report = pushed(account.clone(), &made, options(dir.path()));
    let ended = report.ended.as_ref().unwrap().to_string();
    assert!(ended.contains("the mailbox is full"), "{ended}");
    assert!(report.written > 0 && report.written < 10, "{report:?}");
    assert_eq!(found(held(account)).len() as u64, report.written);
}

/// Breaks connections after some bytes of what is sent.
struct Cutting {
    /// Bytes that each connection may send, in turn; later ones may send all.
    after: Mutex<Vec<usize>>,
}

struct Cut {
    inner: Box<dyn Channel>,
    left: usize,
}

impl Dial for Cutting {
    fn dial(&self, server: &Server) -> Result<Box<dyn Channel>> {
        let mut after = self.after.lock().unwrap();
        let left = if after.is_empty() { usize::MAX } else { after.remove(0) };
        Ok(Box::new(Cut { inner: Network.dial(server)?, left }))
    }
}

impl Read for Cut {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        if self.left == 0 { Err(std::io::ErrorKind::ConnectionReset.into()) } else { self.inner.read(out) }
    }
}

impl Write for Cut {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.left == 0 {
            return Err(std::io::ErrorKind::BrokenPipe.into());
        }
        let n = self.inner.write(&bytes[..bytes.len().min(self.left)])?;
        self.left -= n;
        if self.left == 0 {
            self.inner.flush()?;
        }
        Ok(n)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.inner.flush()
    }
}

impl Channel for Cut {
    fn start_tls(self: Box<Self>, server: &Server) -> Result<Box<dyn Channel>> {
        let left = self.left;
        Ok(Box::new(Cut { inner: self.inner.start_tls(server)?, left }))
    }

    fn compress(self: Box<Self>) -> Result<Box<dyn Channel>> {
        Err(Error::new(Kind::Unsupported, "not here"))
    }

    fn is_encrypted(&self) -> bool {
        self.inner.is_encrypted()
    }
}

#[test]
fn connections_that_break_lose_and_double_nothing() {
    for can in ["LITERAL+ UIDPLUS MULTIAPPEND", "LITERAL+ UIDPLUS", "UIDPLUS", ""] {
        let Some(dovecot) = Dovecot::start_with(&format!("imap_capability = IMAP4rev1 NAMESPACE SASL-IR {can}")) else {
            return;
        };
        let dir = tempfile::tempdir().unwrap();
        let mut made: Vec<Mime> = (0..150).map(numbered).collect();
        // Two that are equal, and two of one Message-ID.
        made.push(numbered(3));
        made.push(mime("Message-ID: <4@made>\nSubject: other\n\nother\n"));
        let made = Made::of(&[("Inbox", Role::Inbox, made)]);
        let whole = || usize::MAX;
        let after = vec![whole(), 900, 2_000, 5_000, 7_000, 300, 12_000, 1_000, 9_000, 4_000];
        let mut account = account(dovecot.server(dovecot.imap), "alice");
        account.dial = Arc::new(Cutting { after: Mutex::new(after) });
        account.patience = std::time::Duration::from_millis(30);
        let report = pushed(account.clone(), &made, options(dir.path()));
        assert_eq!((report.written, report.failed), (152, 0), "{can}: {report:?}");
        assert!(found(held(account)) == expected(&made), "{can}");
    }
}

/// A scripted mailbox: what was appended, and what the server says to the nth APPEND.
#[derive(Clone, Default)]
struct Box_ {
    kept: Arc<Mutex<Vec<Vec<u8>>>>,
}

type Says = dyn Fn(usize, &Box_, &[u8]) -> Option<(Vec<u8>, End)> + Send + Sync;

impl Box_ {
    /// A server that keeps what it is given unless `says` has another answer.
    fn server(&self, says: Box<Says>) -> Scripted {
        self.greeting(None, says)
    }

    fn greeting(&self, greeting: Option<&'static str>, says: Box<Says>) -> Scripted {
        let this = self.clone();
        let appends = AtomicUsize::new(0);
        let script = Script::new(|_, _| Say { bytes: Vec::new(), end: End::Ok }).other(move |command, _| {
            let word = command.split(' ').next().unwrap();
            match word {
                "CAPABILITY" => greeting.map(|g| (g.replace("OK [", "").replace("] ready", "").into_bytes(), End::Ok)),
                "" => greeting.map(|g| (g.as_bytes().to_vec(), End::Ok)),
                "SELECT" | "EXAMINE" => {
                    let n = this.kept.lock().unwrap().len();
                    Some((format!("* {n} EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n").into_bytes(), End::Ok))
                }
                "UID" if command.starts_with("UID STORE") => Some((Vec::new(), End::Ok)),
                "STATUS" => Some((b"* STATUS INBOX (MESSAGES 0 UNSEEN 0)\r\n".to_vec(), End::Ok)),
                "APPEND" => {
                    let nth = appends.fetch_add(1, Ordering::SeqCst);
                    // "APPEND "INBOX" (\Seen) "date" {n} body", as the script hands literals over.
                    let body = command.split_once("} ").map(|(_, b)| b.as_bytes().to_vec()).unwrap();
                    if let Some(said) = says(nth, &this, &body) {
                        return Some(said);
                    }
                    this.kept.lock().unwrap().push(body);
                    Some((Vec::new(), End::Ok))
                }
                "UID" if command.starts_with("UID FETCH") => {
                    let mut out = Vec::new();
                    for (n, body) in this.kept.lock().unwrap().iter().enumerate() {
                        let uid = n + 1;
                        let whole = command.contains("BODY.PEEK[])");
                        let name = if whole { "BODY[]" } else { "BODY[HEADER.FIELDS (MESSAGE-ID DATE FROM SUBJECT)]" };
                        let text = String::from_utf8_lossy(body).into_owned();
                        let part =
                            if whole { text } else { text.split_once("\r\n\r\n").unwrap().0.to_owned() + "\r\n\r\n" };
                        let more =
                            if whole { " FLAGS (\\Seen) INTERNALDATE \"13-Sep-2020 12:26:40 +0000\"" } else { "" };
                        out.extend(
                            format!("* {uid} FETCH (UID {uid}{more} {name} {{{}}}\r\n{part})\r\n", part.len())
                                .into_bytes(),
                        );
                    }
                    Some((out, End::Ok))
                }
                _ => None,
            }
        });
        Scripted::start(script)
    }

    fn texts(&self) -> Vec<String> {
        self.kept.lock().unwrap().iter().map(|b| String::from_utf8_lossy(b).into_owned()).collect()
    }
}

fn few(n: usize) -> Made {
    Made::of(&[("Inbox", Role::Inbox, (0..n).map(numbered).collect())])
}

fn one_connection(dir: &Path) -> push::Options {
    push::Options { connections: 1, ..options(dir) }
}

#[test]
fn an_answer_that_does_not_come_is_looked_up() {
    let dir = tempfile::tempdir().unwrap();
    let mailbox = Box_::default();
    // The second is kept, and the connection breaks before its OK; of the fourth nothing is kept.
    let server = mailbox.server(Box::new(|nth, mailbox, body| match nth {
        1 => {
            mailbox.kept.lock().unwrap().push(body.to_vec());
            Some((Vec::new(), End::Close))
        }
        3 => Some((Vec::new(), End::Close)),
        _ => None,
    }));
    let report = pushed(server.account(), &few(6), one_connection(dir.path()));
    assert_eq!((report.written, report.failed), (6, 0), "{report:?}");
    let texts = mailbox.texts();
    assert_eq!(texts.len(), 6, "{texts:?}");
    assert!((0..6).all(|n| texts.iter().any(|t| t.contains(&format!("number {n}\r\n")))));
}

#[test]
fn what_is_refused_is_told_and_ten_errors_are_not_reached() {
    let dir = tempfile::tempdir().unwrap();
    let mailbox = Box_::default();
    let server = mailbox
        .server(Box::new(|nth, _, _| (nth < 20).then(|| (Vec::new(), End::Tagged("NO Command Argument Error. 11")))));
    let report = pushed(server.account(), &few(25), one_connection(dir.path()));
    assert_eq!((report.written, report.failed), (5, 20), "{report:?}");
    assert!(report.failures[0].error.to_string().contains("Command Argument Error"));
    // A refused item is tried again by the next run.
    let again = pushed(server.account(), &few(25), one_connection(dir.path()));
    assert_eq!((again.written, again.skipped["being there already"]), (20, 5));
    let how = RunOptions { bad_items: Some(3), ..RunOptions::default() };
    let other = Box_::default().server(Box::new(|_, _, _| Some((Vec::new(), End::Tagged("NO bad")))));
    let dir = tempfile::tempdir().unwrap();
    let report = pushed_with(other.account(), &few(25), one_connection(dir.path()), &how, PushOptions::default());
    assert!(report.ended.unwrap().to_string().contains("--bad-item-limit"));
}

#[test]
fn servers_that_ask_for_patience_get_it() {
    let dir = tempfile::tempdir().unwrap();
    let mailbox = Box_::default();
    let throttled = "NO Request is throttled. Suggested Backoff Time: 20 milliseconds";
    let server =
        mailbox.server(Box::new(move |nth, _, _| (nth == 1 || nth == 2).then(|| (Vec::new(), End::Tagged(throttled)))));
    let heard: Arc<Mutex<Vec<Notice>>> = Arc::default();
    let notes = Arc::clone(&heard);
    let account =
        Account { watch: Arc::new(move |n: &Notice| notes.lock().unwrap().push(n.clone())), ..server.account() };
    let report = pushed(account, &few(4), one_connection(dir.path()));
    assert_eq!((report.written, report.failed, mailbox.texts().len()), (4, 0, 4));
    assert!(
        heard.lock().unwrap().iter().any(|n| matches!(n, Notice::Waiting { why, .. } if why.contains("throttled")))
    );
}

#[test]
fn a_folder_that_takes_nothing_does_not_keep_the_others() {
    let dir = tempfile::tempdir().unwrap();
    let mailbox = Box_::default();
    let server =
        mailbox.server(Box::new(|nth, _, _| (nth == 0).then(|| (Vec::new(), End::Tagged("NO [NOPERM] not yours")))));
    let made =
        Made::of(&[("Inbox", Role::Inbox, (0..5).map(numbered).collect()), ("B", Role::None, vec![numbered(7)])]);
    let report = pushed(server.account(), &made, one_connection(dir.path()));
    assert_eq!((report.written, report.failed), (1, 5), "{report:?}");
    assert!(report.failures[4].error.to_string().contains("not yours"));
}

#[test]
fn verifying_finds_what_was_changed_on_the_way() {
    let dir = tempfile::tempdir().unwrap();
    let mailbox = Box_::default();
    let server = mailbox.server(Box::new(|nth, mailbox, body| {
        (nth == 2).then(|| {
            let text = String::from_utf8_lossy(body).replace("line", "lime");
            mailbox.kept.lock().unwrap().push(text.into_bytes());
            (b"".to_vec(), End::Ok)
        })
    }));
    let report = pushed(server.account(), &few(4), push::Options { verify: true, ..one_connection(dir.path()) });
    assert_eq!((report.written, report.failed), (3, 1), "{report:?}");
    let said = report.failures[0].error.to_string();
    assert!(said.contains("bytes with the hash") && report.failures[0].id == "message 2", "{said}");
}

#[test]
fn messages_that_are_too_large_are_told_before_they_are_sent() {
    let Some(dovecot) = Dovecot::start_with("imap_capability = IMAP4rev1 LITERAL+ UIDPLUS APPENDLIMIT=100") else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let account = account(dovecot.server(dovecot.imaps), "alice");
    let how = RunOptions { large_items: Some(100), bad_items: Some(0), ..RunOptions::default() };
    let report = pushed_with(account, &few(14), options(dir.path()), &how, PushOptions::default());
    assert!(report.failed == 12 && report.written == 2 && report.ended.is_none(), "{report:?}");
    assert!(report.failures[0].error.to_string().contains("100 at most"));
}

#[test]
fn what_exchange_wants_otherwise() {
    let dir = tempfile::tempdir().unwrap();
    let mailbox = Box_::default();
    let exchange = "* OK [CAPABILITY IMAP4rev1 UIDPLUS CLIENTACCESSRULES] ready\r\n";
    let server = mailbox.greeting(
        Some(exchange),
        Box::new(|nth, mailbox, body| match nth {
            0 => {
                mailbox.kept.lock().unwrap().push(body.to_vec());
                Some((Vec::new(), End::Tagged("OK [APPENDUID 7 1] done")))
            }
            2 => Some((Vec::new(), End::Tagged("BAD Command Argument Error. 11"))),
            _ => None,
        }),
    );
    let mut flagged = numbered(1);
    flagged.flags = Flags { seen: Some(true), flagged: true, keywords: vec!["Work".into()], ..Flags::default() };
    let long = mime(&format!("Message-ID: <2@made>\nSubject: long\n\n{}\n", "x".repeat(12_000)));
    let made = Made::of(&[("Inbox ", Role::Inbox, vec![flagged, numbered(3), long]), ("Files ", Role::None, vec![])]);
    let report = pushed(server.account(), &made, one_connection(dir.path()));
    assert_eq!((report.written, report.failed, report.warnings), (2, 1, 1), "{report:?}");
    assert!(report.notes[0].warning.text.contains("keywords"), "{report:?}");
    assert!(report.failures[0].error.to_string().contains("12000 bytes"), "{report:?}");
    let commands = server.commands.lock().unwrap().clone();
    assert!(commands.iter().any(|c| c == "UID STORE 1 +FLAGS.SILENT (\\Flagged)"), "{commands:?}");
    assert!(commands.iter().any(|c| c == "CREATE \"Files\""), "{commands:?}");
    assert!(!commands.iter().any(|c| c.contains("Work")));
    let mut meeting = pst_core::mapi::Message::default();
    meeting.props.set(pst_core::mapi::tag::MESSAGE_CLASS, pst_core::mapi::Value::text("IPM.Appointment"));
    let item = Item { id: "x".into(), body: Body::Mapi(Box::new(meeting)), associated: false, warnings: Vec::new() };
    let lane = ImapLane::new(server.account(), PushOptions::default());
    drop(push::Lane::session(&lane).unwrap());
    assert!(push::Lane::preparer(&lane).refuses(&item).unwrap().contains("Exchange"));
}
