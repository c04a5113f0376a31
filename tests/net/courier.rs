//! Courier, another dialect of IMAP: folders below "INBOX" with dots between them, no UIDNEXT, lines that end with bare
//! line feeds in its files, an alert before the greeting, and a session that is signed in from the start.
//!
//! `tests/run` unpacks it into `target/courier`, since its packages exclude those of Dovecot; it runs without a network,
//! on its standard input and output.

use super::push::{Made, held, mime, options, pushed};
use super::scripted::Program;
use pst_core::Result;
use pst_core::endpoint::imap::{Account, Channel, Compress, Dial, ImapSource, Notice, Options};
use pst_core::endpoint::net::{Security, Server, TlsOptions};
use pst_core::endpoint::push;
use pst_core::pipeline::{Body, Role, Source};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

/// Starts Courier's imapd for each connection.
struct Courier {
    top: PathBuf,
    home: tempfile::TempDir,
}

impl Courier {
    /// `None`, with a word on standard error, where it is not unpacked.
    fn find() -> Option<Self> {
        let top = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/courier/root");
        if !top.join("usr/bin/imapd").is_file() {
            eprintln!("skipped: Courier is not unpacked ({} is not there); tests/run does that", top.display());
            return None;
        }
        Some(Self { top, home: tempfile::tempdir().unwrap() })
    }

    /// Puts a message into a folder ("" for the Inbox, or ".A.B").
    fn deliver(&self, folder: &str, name: &str, bytes: &[u8], date: u64) {
        let folder = self.home.path().join("Maildir").join(folder);
        for part in ["cur", "new", "tmp"] {
            std::fs::create_dir_all(folder.join(part)).unwrap();
        }
        if !folder.ends_with("Maildir") {
            std::fs::write(folder.join("maildirfolder"), "").unwrap();
        }
        let path = folder.join("cur").join(name);
        std::fs::write(&path, bytes).unwrap();
        let file = std::fs::File::options().write(true).open(path).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(date)).unwrap();
    }

    fn start(&self) -> Child {
        let libraries = ["usr/lib", "usr/lib/courier-authlib", "usr/lib/x86_64-linux-gnu", "usr/lib/aarch64-linux-gnu"];
        let libraries = libraries.map(|l| self.top.join(l).display().to_string()).join(":");
        let mut command = Command::new(self.top.join("usr/bin/imapd"));
        command.arg("Maildir").current_dir(self.home.path()).env("LD_LIBRARY_PATH", libraries);
        command.env("AUTHENTICATED", "alice").env("IMAP_CAPABILITY", "IMAP4rev1 UIDPLUS CHILDREN NAMESPACE");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
    }
}

impl Dial for Courier {
    fn dial(&self, _server: &Server) -> Result<Box<dyn Channel>> {
        Ok(Box::new(Program(self.start())))
    }
}

fn account(courier: Courier, heard: &Arc<Mutex<Vec<Notice>>>) -> Account {
    let (tls, timeout) = (TlsOptions::default(), Duration::from_secs(60));
    let server =
        Server { host: "localhost".into(), port: 143, security: Security::Plain, tls, timeout, stop: Arc::default() };
    let heard = Arc::clone(heard);
    Account {
        server,
        login: None,
        dial: Arc::new(courier),
        compress: Compress::Never,
        limits: pst_core::endpoint::imap::wire::Limits::default(),
        patience: Duration::from_millis(10),
        watch: Arc::new(move |notice| heard.lock().unwrap().push(notice.clone())),
    }
}

fn mail(n: usize) -> Vec<u8> {
    format!("From: a@example.com\nSubject: number {n}\n\nline\n.\nlast {}\n", "x".repeat(n * 37)).into_bytes()
}

fn with_crlf(bytes: &[u8]) -> Vec<u8> {
    String::from_utf8(bytes.to_vec()).unwrap().replace('\n', "\r\n").into_bytes()
}

fn folder_of(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// Bytes, date, read, flagged.
type Message = (Vec<u8>, i64, bool, bool);

#[test]
fn an_account_on_courier() {
    let Some(courier) = Courier::find() else { return };
    let mut expected: BTreeMap<String, Vec<Message>> = BTreeMap::new();
    for (folder, name, count) in
        [("", "Inbox", 250), (".Sent", "Sent", 3), (".Projects.2024.Привет", "Projects/2024/Привет", 7)]
    {
        for n in 0..count {
            let (date, bytes) = (1_600_000_000 + n as u64, mail(n));
            let letters = ["", "S", "FS", "RS"][n % 4];
            let file = format!("{}.M{n}P1.test,S={}:2,{letters}", 1_000_000_000 + n, bytes.len());
            courier.deliver(folder, &file, &bytes, date);
            let flags = (letters.contains('S'), letters.contains('F'));
            expected.entry(name.to_owned()).or_default().push((with_crlf(&bytes), date as i64, flags.0, flags.1));
        }
    }
    let heard = Arc::default();
    // Courier gives a folder that nobody has opened for writing another UIDVALIDITY each time it is looked at.
    let options = Options { connections: 1, ..Options::default() };
    let source = ImapSource::open(account(courier, &heard), options).unwrap();
    let mut got: BTreeMap<String, Vec<Message>> = BTreeMap::new();
    for folder in source.folders().unwrap() {
        let name = folder_of(&folder.path.iter().collect::<PathBuf>());
        for item in source.items(&folder).unwrap() {
            let Body::Mime(mime) = source.load(&folder, &item.unwrap()).unwrap().body else { panic!("no mail") };
            let flags = mime.flags;
            let one = (mime.bytes, mime.received.unwrap(), flags.seen == Some(true), flags.flagged);
            got.entry(name.clone()).or_default().push(one);
        }
        let role = match name.as_str() {
            "Inbox" => Role::Inbox,
            "Sent" => Role::Sent,
            _ => Role::None,
        };
        assert_eq!(folder.role, role, "{name}");
    }
    let counts = |m: &BTreeMap<String, Vec<_>>| m.iter().map(|(k, v)| (k.clone(), v.len())).collect::<Vec<_>>();
    assert_eq!(counts(&got), counts(&expected));
    assert!(got == expected, "messages, times or flags differ");
    assert!(heard.lock().unwrap().iter().any(|n| matches!(n, Notice::Alert(_))), "the alert is passed on");
}

#[test]
fn a_mailbox_on_courier_is_filled() {
    let Some(courier) = Courier::find() else { return };
    courier.deliver("", "1000000000.M1P1.test:2,S", &mail(1), 1_600_000_000);
    courier.deliver(".Work", "1000000000.M2P1.test:2,S", &mail(2), 1_600_000_000);
    let (dir, heard) = (tempfile::tempdir().unwrap(), Arc::default());
    let account = account(courier, &heard);
    let named =
        |n: usize| mime(&format!("Message-ID: <{n}@made>\nSubject: n {n}\n\nline\n.\n{}\n", "y".repeat(n * 11)));
    let made = Made::of(&[
        ("Inbox", Role::Inbox, (0..6).map(named).collect()),
        ("work", Role::None, vec![named(50)]),
        ("Projects|2024|Привет.neu", Role::None, vec![named(51)]),
    ]);
    let options = || push::Options { verify: true, ..options(dir.path()) };
    let report = pushed(account.clone(), &made, options());
    assert_eq!((report.written, report.failed), (8, 0), "{report:?}");
    let there = held(account.clone());
    let full = there.iter().filter(|(_, all)| !all.is_empty());
    let counts: Vec<(&str, usize)> = full.map(|(name, all)| (name.as_str(), all.len())).collect();
    assert_eq!(counts, [("Inbox", 7), ("Projects|2024|Привет_neu", 1), ("Work", 2)]);
    for (_, all) in &made.0 {
        for m in all {
            assert!(there.values().flatten().any(|(bytes, date, _)| *bytes == m.bytes && *date == m.received));
        }
    }
    assert_eq!(pushed(account, &made, options()).written, 0);
}
