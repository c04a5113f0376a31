//! Courier, another dialect of IMAP: folders below "INBOX" with dots between them, no UIDNEXT, and a
//! session that is signed in from the start.
//!
//! `tests/run` unpacks it into `target/courier`, since its packages exclude those of Dovecot; it runs without a network,
//! on its standard input and output.

use pst_core::endpoint::imap::{Account, Channel, Dial, ImapSource, Options};
use pst_core::endpoint::net::{Login, Secret, Security, Server, TlsOptions};
use pst_core::pipeline::{Body, Role, Source};
use pst_core::{Error, Kind, Result};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
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

    /// Opens folders as any mail program does that may write. Before that, Courier gives a folder another UIDVALIDITY each
    /// time that it is looked at.
    fn open(&self, folders: &[&str]) {
        let mut child = self.start();
        let mut commands: String = folders.iter().map(|f| format!("a SELECT \"{f}\"\r\n")).collect();
        commands += "b LOGOUT\r\n";
        child.stdin.as_mut().unwrap().write_all(commands.as_bytes()).unwrap();
        let said = child.wait_with_output().unwrap().stdout;
        let said = String::from_utf8_lossy(&said).into_owned();
        assert_eq!(said.matches("a OK [READ-WRITE]").count(), folders.len(), "{said}");
    }

    fn start(&self) -> Child {
        let libraries = ["usr/lib", "usr/lib/courier-authlib", "usr/lib/x86_64-linux-gnu", "usr/lib/aarch64-linux-gnu"];
        let libraries = libraries.map(|l| self.top.join(l).display().to_string()).join(":");
        let mut command = Command::new(self.top.join("usr/bin/imapd"));
        command.arg("Maildir").current_dir(self.home.path()).env("LD_LIBRARY_PATH", libraries);
        command.env("AUTHENTICATED", "alice").env("IMAP_CAPABILITY", "IMAP4rev1 UIDPLUS CHILDREN NAMESPACE");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        // Before its greeting it complains that no daemon watches files here; no other server does.
        let (mut line, mut byte) = (Vec::new(), [0]);
        while !line.ends_with(b"\r\n") {
            child.stdout.as_mut().unwrap().read_exact(&mut byte).unwrap();
            line.push(byte[0]);
        }
        assert!(line.starts_with(b"* OK [ALERT] Filesystem notification"), "{}", String::from_utf8_lossy(&line));
        child
    }
}

impl Dial for Courier {
    fn dial(&self, _server: &Server) -> Result<Box<dyn Channel>> {
        Ok(Box::new(Pipes(self.start())))
    }
}

/// A program that is talked to.
struct Pipes(Child);

impl Read for Pipes {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        self.0.stdout.as_mut().unwrap().read(out)
    }
}

impl Write for Pipes {
    fn write(&mut self, data: &[u8]) -> std::io::Result<usize> {
        self.0.stdin.as_mut().unwrap().write(data)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.stdin.as_mut().unwrap().flush()
    }
}

impl Channel for Pipes {
    fn start_tls(self: Box<Self>, _server: &Server) -> Result<Box<dyn Channel>> {
        Err(Error::new(Kind::Unsupported, "no TLS to a program"))
    }

    fn compress(self: Box<Self>) -> Result<Box<dyn Channel>> {
        Err(Error::new(Kind::Unsupported, "no compression to a program"))
    }

    fn is_encrypted(&self) -> bool {
        false
    }
}

impl Drop for Pipes {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn account(courier: Courier) -> Account {
    let (tls, timeout) = (TlsOptions::default(), Duration::from_secs(60));
    let server =
        Server { host: "localhost".into(), port: 143, security: Security::Plain, tls, timeout, stop: Arc::default() };
    let none = Login::Password { user: String::new(), password: Secret::new("") };
    Account { login: None, dial: Arc::new(courier), ..Account::new(server, none) }
}

fn mail(n: usize) -> Vec<u8> {
    format!("From: a@example.com\nSubject: number {n}\n\nline\n.\nlast {}\n", "x".repeat(n * 37)).into_bytes()
}

fn with_crlf(bytes: &[u8]) -> Vec<u8> {
    String::from_utf8(bytes.to_vec()).unwrap().replace('\n', "\r\n").into_bytes()
}

/// A message, when it arrived, whether it was read, and whether it is flagged.
type Arrived = (Vec<u8>, i64, bool, bool);

#[test]
fn an_account_on_courier() {
    let Some(courier) = Courier::find() else { return };
    let mut expected: BTreeMap<String, Vec<Arrived>> = BTreeMap::new();
    for (folder, name, count) in
        [("", "INBOX", 250), (".Sent", "Sent", 3), (".Projects.2024.Привет", "Projects/2024/Привет", 7)]
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
    courier.open(&["INBOX", "INBOX.Sent", "INBOX.Projects.2024.&BB8EQAQ4BDIENQRC-"]);
    let source = ImapSource::open(account(courier), Options::default()).unwrap();
    let mut got: BTreeMap<String, Vec<Arrived>> = BTreeMap::new();
    for folder in source.folders().unwrap() {
        let name = if folder.role == Role::Inbox { "INBOX".to_owned() } else { folder.path.join("/") };
        for item in source.items(&folder).unwrap() {
            let Body::Mime(mime) = source.load(&folder, &item.unwrap()).unwrap().body else { panic!("no mail") };
            let flags = mime.flags;
            let one = (mime.bytes, mime.received.unwrap(), flags.seen == Some(true), flags.flagged);
            got.entry(name.clone()).or_default().push(one);
        }
        let role = match name.as_str() {
            "INBOX" => Role::Inbox,
            "Sent" => Role::Sent,
            _ => Role::None,
        };
        assert_eq!(folder.role, role, "{name}");
    }
    let counts = |m: &BTreeMap<String, Vec<_>>| m.iter().map(|(k, v)| (k.clone(), v.len())).collect::<Vec<_>>();
    assert_eq!(counts(&got), counts(&expected));
    assert!(got == expected, "messages, times or flags differ");
}
