//! IMAP against Dovecot: what is there arrives as it is, and nothing changes there.

use crate::dovecot::{Dovecot, Mail};
use crate::scripted::Program;
use crate::volume::account;
use pst_core::endpoint::imap::{
    Account, Channel, Compress, Dial, FolderState, ImapSource, Known, KnownFolder, Mailbox, Network, Notice, Options,
    Wanted,
};
use pst_core::endpoint::net::{Login, Secret, Server};
use pst_core::pipeline::{Body, Folder, ItemFilter, ItemRef, Mime, Role, Source};
use pst_core::{Kind, Result};
use sha2::{Digest, Sha256};
use std::collections::{BTreeSet, HashMap};
use std::io::{Read, Write};
use std::process::Stdio;
use std::sync::{Arc, Mutex};

fn open(dovecot: &Dovecot, options: Options) -> ImapSource {
    ImapSource::open(account(dovecot.server(dovecot.imaps), "alice"), options).unwrap()
}

fn folder(source: &ImapSource, path: &str) -> Folder {
    source.folders().unwrap().into_iter().find(|f| f.path.join("/") == path).unwrap()
}

fn items(source: &ImapSource, folder: &Folder) -> Vec<ItemRef> {
    source.items(folder).unwrap().collect::<Result<_>>().unwrap()
}

fn mail(source: &ImapSource, folder: &Folder, item: &ItemRef) -> Mime {
    match source.load(folder, item).unwrap().body {
        Body::Mime(mime) => mime,
        Body::Mapi(_) => panic!("no mail"),
    }
}

fn mails(source: &ImapSource, path: &str) -> Vec<Mime> {
    let folder = folder(source, path);
    items(source, &folder).iter().map(|i| mail(source, &folder, i)).collect()
}

fn plain(subject: &str) -> Vec<u8> {
    format!("From: a@example.com\r\nSubject: {subject}\r\n\r\nHello.\r\n").into_bytes()
}

/// A message with an attachment of about this many bytes of base64.
pub fn large(size: usize) -> Vec<u8> {
    let mut out =
        b"Subject: large\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\ntext\r\n\
                    --b\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n"
            .to_vec();
    let line = [b'Q'; 76];
    while out.len() < size {
        out.extend(line);
        out.extend(b"\r\n");
    }
    out.extend(b"--b--\r\n");
    out
}

#[test]
fn folders_have_names_roles_and_counts() {
    let Some(dovecot) = Dovecot::start() else { return };
    for (name, count) in
        [("INBOX", 3), ("Sent", 1), ("Papierkorb", 0), ("Проекты/Отчёты", 2), ("R&D – alt", 1), ("会議", 1)]
    {
        dovecot.maildir("alice", name);
        for n in 0..count {
            dovecot.deliver(
                "alice",
                name,
                &Mail { bytes: &plain("x"), flags: if n == 0 { "" } else { "S" }, ..Mail::default() },
            );
        }
    }
    let source = open(&dovecot, Options::default());
    let shown: BTreeSet<(String, Role, Option<u64>)> =
        source.folders().unwrap().into_iter().map(|f| (f.path.join("/"), f.role, f.count)).collect();
    let expected = [
        ("Inbox", Role::Inbox, 3),
        ("Papierkorb", Role::Deleted, 0),
        ("R&D – alt", Role::None, 1),
        ("Sent", Role::Sent, 1),
        ("Проекты", Role::None, 0),
        ("Проекты/Отчёты", Role::None, 2),
        ("会議", Role::None, 1),
    ];
    let expected: BTreeSet<_> = expected.map(|(n, r, c)| (n.to_owned(), r, Some(c))).into();
    assert_eq!(shown, expected);
    let inbox = folder(&source, "Inbox");
    let counts = source.counts(&inbox);
    assert_eq!((counts.messages, counts.unseen), (Some(3), Some(1)));
    assert!(counts.size.is_some_and(|s| s > 100));
    assert_eq!(source.title(), "alice");
    let none = open(&dovecot, Options { folders: Wanted { subscribed: true, others: true }, ..Options::default() });
    assert!(none.folders().unwrap().is_empty());
}

#[test]
fn messages_flags_and_dates() {
    let Some(dovecot) = Dovecot::start() else { return };
    let eight_bit = b"Subject: caf\xE9\r\nX-Long: "
        .iter()
        .copied()
        .chain([b'x'; 20_000])
        .chain(*b"\r\n\r\n\xFF\xFE\r\nFrom here\r\n)\r\n* 1 FETCH {5}\r\n");
    let eight_bit: Vec<u8> = eight_bit.collect();
    let sent = [
        (plain("flags"), "FRS", vec!["Work", "$Later"], 1_593_604_800),
        (eight_bit, "DT", vec![], 86_400),
        (plain("new"), "", vec!["$Forwarded"], 1_700_000_000),
        (b"\r\n".to_vec(), "S", vec![], 1_000_000_000),
    ];
    for (bytes, flags, keywords, date) in &sent {
        dovecot.deliver("alice", "INBOX", &Mail { bytes, flags, keywords, date: *date });
    }
    let source = open(&dovecot, Options::default());
    let got = mails(&source, "Inbox");
    assert_eq!(got.len(), sent.len());
    for (mime, (bytes, letters, keywords, date)) in got.iter().zip(&sent) {
        assert!(mime.bytes == *bytes, "{}", String::from_utf8_lossy(&mime.bytes));
        let flags = &mime.flags;
        let has = |c| letters.contains(c);
        assert_eq!(flags.seen, Some(has('S')));
        assert_eq!(
            [flags.answered, flags.flagged, flags.draft, flags.deleted],
            [has('R'), has('F'), has('D'), has('T')]
        );
        let forwarded = keywords.contains(&"$Forwarded");
        assert_eq!(flags.forwarded, forwarded);
        let words: Vec<&str> = keywords.iter().copied().filter(|k| *k != "$Forwarded").collect();
        assert_eq!(flags.keywords, words);
        assert_eq!(mime.received, Some(*date as i64));
    }
}

#[test]
fn a_message_of_200_mb() {
    let Some(dovecot) = Dovecot::start() else { return };
    let bytes = large(200 << 20);
    dovecot.deliver("alice", "INBOX", &Mail { bytes: &plain("before"), ..Mail::default() });
    dovecot.deliver("alice", "INBOX", &Mail { bytes: &bytes, ..Mail::default() });
    dovecot.deliver("alice", "INBOX", &Mail { bytes: &plain("after"), ..Mail::default() });
    let hash = Sha256::digest(&bytes);
    drop(bytes);
    let source = open(&dovecot, Options::default());
    let got = mails(&source, "Inbox");
    assert_eq!(got[0].bytes, plain("before"));
    assert_eq!(got[2].bytes, plain("after"));
    assert!(got[1].bytes.len() < 1000 && got[1].large.len() == 1);
    let mut all = Sha256::new();
    got[1].write_to(&mut all).unwrap();
    assert_eq!(all.finalize(), hash);
}

/// Notes what is sent.
struct Listening(Arc<Mutex<Vec<u8>>>);

impl Dial for Listening {
    fn dial(&self, server: &Server) -> Result<Box<dyn Channel>> {
        Ok(Box::new(Overheard(Network.dial(server)?, Arc::clone(&self.0))))
    }
}

struct Overheard(Box<dyn Channel>, Arc<Mutex<Vec<u8>>>);

impl Read for Overheard {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        self.0.read(out)
    }
}

impl Write for Overheard {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let n = self.0.write(bytes)?;
        self.1.lock().unwrap().extend(&bytes[..n]);
        Ok(n)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

impl Channel for Overheard {
    fn start_tls(self: Box<Self>, server: &Server) -> Result<Box<dyn Channel>> {
        let Self(inner, noted) = *self;
        Ok(Box::new(Self(inner.start_tls(server)?, noted)))
    }

    fn compress(self: Box<Self>) -> Result<Box<dyn Channel>> {
        let Self(inner, noted) = *self;
        Ok(Box::new(Self(inner.compress()?, noted)))
    }

    fn is_encrypted(&self) -> bool {
        self.0.is_encrypted()
    }
}

/// The files of a Maildir that hold messages, by name and content.
fn files(dovecot: &Dovecot) -> BTreeSet<(String, Vec<u8>)> {
    let mut out = BTreeSet::new();
    for part in ["cur", "new"] {
        for entry in std::fs::read_dir(dovecot.maildir("alice", "INBOX").join(part)).unwrap() {
            let entry = entry.unwrap();
            let name = format!("{part}/{}", entry.file_name().to_string_lossy());
            out.insert((name, std::fs::read(entry.path()).unwrap()));
        }
    }
    out
}

#[test]
fn a_run_changes_nothing_and_can_change_nothing() {
    let Some(dovecot) = Dovecot::start() else { return };
    for n in 0..5 {
        dovecot.deliver("alice", "INBOX", &Mail { bytes: &plain(&n.to_string()), ..Mail::default() });
    }
    let new = dovecot.deliver("alice", "INBOX", &Mail { bytes: &plain("new"), ..Mail::default() });
    std::fs::rename(&new, new.parent().unwrap().parent().unwrap().join("new/1000.M1P1.test")).unwrap();
    let before = files(&dovecot);
    let noted: Arc<Mutex<Vec<u8>>> = Arc::default();
    let dial = Arc::new(Listening(Arc::clone(&noted)));
    // With STARTTLS, compression and all filters that ask for something.
    let server = dovecot.server(dovecot.imap);
    let account = Account { dial, compress: Compress::Always, ..account(server, "alice") };
    let filter = ItemFilter { subject: Some("E".to_owned()), ..ItemFilter::default() };
    for options in [
        Options::default(),
        Options { filter, ..Options::default() },
        Options { headers_only: true, ..Options::default() },
    ] {
        let expected = if options.filter.subject.is_some() { 1 } else { 6 };
        let source = ImapSource::open(account.clone(), options).unwrap();
        assert_eq!(mails(&source, "Inbox").len(), expected);
    }
    assert_eq!(files(&dovecot), before);
    let sent = String::from_utf8_lossy(&noted.lock().unwrap()).into_owned();
    let allowed = [
        "CAPABILITY",
        "STARTTLS",
        "AUTHENTICATE",
        "ID",
        "ENABLE",
        "COMPRESS DEFLATE",
        "NAMESPACE",
        "LIST",
        "STATUS",
        "EXAMINE",
        "UID FETCH",
        "UID SEARCH",
        "LOGOUT",
    ];
    let mut used = BTreeSet::new();
    for line in sent.lines() {
        // Answers to challenges have no tag.
        let Some((_, command)) = line.split_once(' ').filter(|(tag, _)| tag.starts_with('p')) else { continue };
        let word = allowed.iter().find(|a| command.starts_with(*a)).unwrap_or_else(|| panic!("{command}"));
        used.insert(*word);
        assert!(!command.contains("BODY[") && !command.contains("RFC822 "), "{command}");
    }
    assert!(["STARTTLS", "COMPRESS DEFLATE", "EXAMINE", "UID FETCH"].iter().all(|w| used.contains(w)), "{used:?}");
}

struct Spawn(Arc<Dovecot>);

impl Dial for Spawn {
    fn dial(&self, _server: &Server) -> Result<Box<dyn Channel>> {
        let mut command = self.0.imap_program("bob");
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        Ok(Box::new(Program(child)))
    }
}

#[test]
fn a_session_that_is_signed_in_already() {
    let Some(dovecot) = Dovecot::start() else { return };
    let dovecot = Arc::new(dovecot);
    for n in 0..30 {
        dovecot.deliver("bob", "INBOX", &Mail { bytes: &plain(&n.to_string()), flags: "S", ..Mail::default() });
    }
    let mut server = dovecot.server(dovecot.imap);
    server.security = pst_core::endpoint::net::Security::Plain;
    let login = Login::Password { user: "bob".into(), password: Secret::new("not needed") };
    let account = Account { dial: Arc::new(Spawn(Arc::clone(&dovecot))), login: None, ..Account::new(server, login) };
    let source = ImapSource::open(account, Options { connections: 2, ..Options::default() }).unwrap();
    let got = mails(&source, "Inbox");
    assert!(got.len() == 30 && got.iter().enumerate().all(|(n, m)| m.bytes == plain(&n.to_string())));
}

#[test]
fn errors_are_sentences() {
    let Some(dovecot) = Dovecot::start() else { return };
    let login = Login::Password { user: "alice".into(), password: Secret::new("wr0ng-word") };
    let error = ImapSource::open(Account::new(dovecot.server(dovecot.imaps), login), Options::default()).err().unwrap();
    assert_eq!(error.kind(), Kind::Denied);
    assert!(error.text().contains("alice") && !error.text().contains("wr0ng"), "{error}");
    let mut server = dovecot.server(dovecot.imaps);
    server.host = "nowhere.invalid".to_owned();
    let error = ImapSource::open(account(server, "alice"), Options::default()).err().unwrap();
    assert_eq!(error.kind(), Kind::Connection, "{error}");
}

#[derive(Default)]
struct Earlier(Mutex<HashMap<u32, KnownFolder>>);

impl Known for Earlier {
    fn known(&self, mailbox: &Mailbox, state: &FolderState) -> KnownFolder {
        assert_eq!(mailbox.folder.path, ["Inbox"]);
        self.0.lock().unwrap().get(&state.uidvalidity).cloned().unwrap_or_default()
    }

    fn knows(&self, _mailbox: &Mailbox) -> bool {
        !self.0.lock().unwrap().is_empty()
    }
}

#[test]
fn a_later_run_fetches_what_is_new() {
    let Some(dovecot) = Dovecot::start() else { return };
    let put = |n: u32| dovecot.deliver("alice", "INBOX", &Mail { bytes: &plain(&n.to_string()), ..Mail::default() });
    let paths: Vec<_> = (1..=5).map(put).collect();
    let known = Arc::new(Earlier::default());
    let options = || Options { known: Some(Arc::clone(&known) as Arc<dyn Known>), ..Options::default() };
    let source = open(&dovecot, options());
    assert_eq!(mails(&source, "Inbox").len(), 5);
    let state = source.state(&folder(&source, "Inbox")).unwrap();
    assert!(state.complete && state.messages.len() == 5 && state.highestmodseq.is_some());
    drop(source);
    put(6);
    std::fs::remove_file(&paths[1]).unwrap();
    std::fs::rename(&paths[3], paths[3].to_string_lossy().into_owned() + "FS").unwrap();
    let uids: std::collections::HashSet<u32> = state.messages.iter().map(|(uid, ..)| *uid).collect();
    for modseq in [None, state.highestmodseq] {
        known.0.lock().unwrap().insert(state.uidvalidity, KnownFolder { uids: uids.clone(), modseq });
        let source = open(&dovecot, options());
        let got = mails(&source, "Inbox");
        assert_eq!(got.iter().map(|m| m.bytes.clone()).collect::<Vec<_>>(), [plain("6")]);
        let now = source.state(&folder(&source, "Inbox")).unwrap();
        assert_eq!(now.complete, modseq.is_none());
        let flagged: Vec<u32> = now.messages.iter().filter(|(_, f, _)| f.flagged).map(|(uid, ..)| *uid).collect();
        assert_eq!(flagged, [4]);
        if modseq.is_some() {
            assert!(now.messages.iter().all(|(uid, ..)| [4, 6].contains(uid)), "{now:?}");
            assert!(now.vanished.iter().any(|(a, b)| (*a..=*b).contains(&2)), "{now:?}");
        } else {
            assert_eq!(now.messages.iter().map(|(uid, ..)| *uid).collect::<Vec<_>>(), [1, 3, 4, 5, 6]);
        }
        let ledger = &source.account()[0].1;
        assert_eq!((ledger.requested, ledger.received, ledger.server), (1, 1, 5));
    }
}

#[test]
fn a_server_that_restarts_is_asked_again() {
    let Some(dovecot) = Dovecot::start() else { return };
    for n in 0..1000 {
        let bytes = [plain(&n.to_string()), vec![b'x'; 60_000]].concat();
        dovecot.deliver("alice", "INBOX", &Mail { bytes: &bytes, flags: "S", ..Mail::default() });
    }
    let mut account = account(dovecot.server(dovecot.imaps), "alice");
    account.patience = std::time::Duration::from_millis(50);
    let broke = Arc::new(Mutex::new(0));
    let count = Arc::clone(&broke);
    account.watch = Arc::new(move |notice| {
        if matches!(notice, Notice::Reconnecting { .. }) {
            *count.lock().unwrap() += 1;
        }
    });
    let source = ImapSource::open(account, Options::default()).unwrap();
    let inbox = folder(&source, "Inbox");
    for (n, item) in items(&source, &inbox).iter().enumerate() {
        if n % 150 == 30 {
            dovecot.drop_sessions();
        }
        let mime = mail(&source, &inbox, item);
        assert!(mime.bytes.starts_with(&plain(&n.to_string())) && mime.bytes.len() > 60_000);
    }
    assert!(*broke.lock().unwrap() > 0);
}
