//! Dovecot on free ports of the loopback interface, for one test: everything runs as one user without rights, in a folder
//! that goes away, and ends with the test.

use crate::certificates::{Authority, Wanted};
use pst_core::endpoint::net::{Security, Server, TlsOptions};
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

/// The password of alice, bob, carol and dave.
pub const PASSWORD: &str = "open sesame";

/// A running server with two protocols on two ports each.
pub struct Dovecot {
    folder: tempfile::TempDir,
    account: Account,
    child: Child,
    authority: Authority,
    tokens: Tokens,
    delivered: AtomicU64,
    /// IMAP with STARTTLS.
    pub imap: u16,
    /// IMAP in TLS.
    pub imaps: u16,
    /// POP3 with STLS.
    pub pop3: u16,
    /// POP3 in TLS.
    pub pop3s: u16,
}

/// A message to be put into a mailbox.
#[derive(Default)]
pub struct Mail<'a> {
    pub bytes: &'a [u8],
    /// Letters as Maildir has them: P R S T D F.
    pub flags: &'a str,
    pub keywords: &'a [&'a str],
    /// INTERNALDATE, seconds since 1970.
    pub date: u64,
}

impl Dovecot {
    /// Starts one; `None`, with a word on standard error, where Dovecot 2.3 is not installed.
    pub fn start() -> Option<Self> {
        Self::start_with("")
    }

    /// Starts one with lines of configuration behind those that stand here.
    pub fn start_with(more: &str) -> Option<Self> {
        let program = program()?;
        let folder = tempfile::Builder::new().prefix("dovecot").tempdir().unwrap();
        let account = Account::find()?;
        let authority = Authority::new(&folder.path().join("authority"))?;
        let (certificate, key) = authority.make(&Wanted::default());
        let tokens = Tokens::start();
        let users: String =
            ["alice", "bob", "carol", "dave"].map(|u| format!("{u}:{{PLAIN}}{PASSWORD}::::::\n")).concat();
        std::fs::write(folder.path().join("users"), users).unwrap();
        std::fs::create_dir_all(folder.path().join("mail")).unwrap();
        std::fs::write(folder.path().join("oauth2.conf"), tokens.config()).unwrap();
        let ports = free_ports();
        let config = config(folder.path(), &account, &certificate, &key, ports) + more + "\n";
        std::fs::write(folder.path().join("dovecot.conf"), config).unwrap();
        account.own_all(folder.path());
        // The shell ends the server, and whatever it has started, when its input ends: so too when the test is killed.
        let script = "\"$1\" -F -c \"$2\" & read -r _; kill -KILL 0";
        let mut command = Command::new("sh");
        command.arg("-c").arg(script).arg("sh").arg(program).arg(folder.path().join("dovecot.conf"));
        command.process_group(0).current_dir("/").stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        if account.switch {
            command.uid(account.uid).gid(account.gid);
        }
        let child = command.spawn().unwrap();
        let [imap, imaps, pop3, pop3s] = ports;
        let delivered = AtomicU64::new(0);
        let it = Self { folder, account, child, authority, tokens, delivered, imap, imaps, pop3, pop3s };
        it.wait_until_it_answers();
        Some(it)
    }

    fn wait_until_it_answers(&self) {
        let begun = Instant::now();
        for port in [self.imap, self.pop3] {
            while TcpStream::connect(("127.0.0.1", port)).is_err() {
                assert!(begun.elapsed() < Duration::from_secs(20), "Dovecot does not answer: {}", self.log());
                std::thread::sleep(Duration::from_millis(10));
            }
        }
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("dovecot.log")).unwrap_or_default()
    }

    /// Breaks every connection that is signed in.
    pub fn drop_sessions(&self) {
        let group = self.child.id().to_string();
        let list = Command::new("ps").args(["-eo", "pgid=,pid=,comm="]).output().unwrap();
        for line in String::from_utf8_lossy(&list.stdout).lines() {
            let mut words = line.split_whitespace();
            let ours = words.next() == Some(&group);
            if let (true, Some(pid), Some("imap" | "imap-login")) = (ours, words.next(), words.next()) {
                let _ = Command::new("kill").arg("-KILL").arg(pid).status();
            }
        }
    }

    /// The program that speaks IMAP for a user who is signed in already, on its input and output.
    pub fn imap_program(&self, user: &str) -> Command {
        let mut command = Command::new("/usr/lib/dovecot/imap");
        command.arg("-c").arg(self.folder.path().join("dovecot.conf")).current_dir("/");
        command.env("USER", user).env("HOME", self.folder.path().join("mail").join(user)).env_remove("RUST_LOG");
        if self.account.switch {
            command.uid(self.account.uid).gid(self.account.gid);
        }
        command
    }

    /// The certificate of the authority that has signed the server's.
    pub fn ca_file(&self) -> PathBuf {
        self.authority.file()
    }

    /// How a port of it is reached, the authority being known.
    pub fn server(&self, port: u16) -> Server {
        let security = if [self.imaps, self.pop3s].contains(&port) { Security::Tls } else { Security::StartTls };
        let tls = TlsOptions { ca_file: Some(self.ca_file()), ..TlsOptions::default() };
        let timeout = Duration::from_secs(30);
        Server { host: "localhost".into(), port, security, tls, timeout, stop: Arc::default() }
    }

    /// Lets a token sign in as `user`.
    pub fn accept_token(&self, token: &str, user: &str) {
        self.tokens.accepted.lock().unwrap().insert(token.into(), user.into());
    }

    /// Lets a token not sign in any more.
    pub fn refuse_token(&self, token: &str) {
        self.tokens.accepted.lock().unwrap().remove(token);
    }

    /// The Maildir of a folder; `INBOX` or a path with slashes, in UTF-8. It is made where it is not there.
    pub fn maildir(&self, user: &str, folder: &str) -> PathBuf {
        let mut path = self.folder.path().join("mail").join(user);
        let names = if folder == "INBOX" { Vec::new() } else { folder.split('/').collect() };
        for name in std::iter::once("").chain(names) {
            path.push(name);
            for part in ["", "cur", "new", "tmp"].map(|p| path.join(p)) {
                if !part.exists() {
                    std::fs::create_dir_all(&part).unwrap();
                    self.account.own(&part);
                }
            }
        }
        path
    }

    /// Where the mail of a user is.
    pub fn mail(&self, user: &str) -> PathBuf {
        self.folder.path().join("mail").join(user)
    }

    /// Takes all mail and all folders of a user away.
    pub fn empty(&self, user: &str) {
        let _ = std::fs::remove_dir_all(self.mail(user));
    }

    /// Puts a message into a folder, behind those that are there; returns its file.
    pub fn deliver(&self, user: &str, folder: &str, mail: &Mail) -> PathBuf {
        let maildir = self.maildir(user, folder);
        let letters: String = mail.keywords.iter().map(|k| self.keyword(&maildir, k)).collect();
        let n = self.delivered.fetch_add(1, Ordering::Relaxed);
        let (flags, size) = (mail.flags, mail.bytes.len());
        let path = maildir.join("cur").join(format!("{}.M{n}P1.test,S={size}:2,{flags}{letters}", 1_000_000_000 + n));
        std::fs::write(&path, mail.bytes).unwrap();
        let file = std::fs::File::options().write(true).open(&path).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(mail.date)).unwrap();
        self.account.own(&path);
        path
    }

    /// The letter of a keyword in a Maildir of Dovecot.
    fn keyword(&self, maildir: &Path, keyword: &str) -> char {
        let list = maildir.join("dovecot-keywords");
        let mut text = std::fs::read_to_string(&list).unwrap_or_default();
        let known = text.lines().position(|l| l.split_once(' ').is_some_and(|(_, k)| k == keyword));
        let index = known.unwrap_or_else(|| {
            let index = text.lines().count();
            text += &format!("{index} {keyword}\n");
            std::fs::write(&list, &text).unwrap();
            self.account.own(&list);
            index
        });
        char::from(b'a' + index as u8)
    }
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("{}", self.log());
        }
    }
}

fn program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let places = std::env::split_paths(&path).chain(["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from));
    let found = places.map(|p| p.join("dovecot")).find(|p| p.is_file());
    let Some(found) = found else {
        eprintln!("skipped: Dovecot is not installed (Debian packages dovecot-imapd and dovecot-pop3d)");
        return None;
    };
    let version = String::from_utf8_lossy(&Command::new(&found).arg("--version").output().ok()?.stdout).into_owned();
    if !version.starts_with("2.3.") {
        eprintln!("skipped: this is Dovecot {}; the tests configure 2.3", version.trim());
        return None;
    }
    Some(found)
}

/// Who the server runs as: who runs the test, or nobody where that is root.
struct Account {
    switch: bool,
    uid: u32,
    gid: u32,
    user: String,
    group: String,
}

impl Account {
    fn find() -> Option<Self> {
        let ask = |args: &[&str]| -> Option<String> {
            let out = Command::new("id").args(args).output().ok().filter(|o| o.status.success())?;
            Some(String::from_utf8(out.stdout).ok()?.trim().to_owned())
        };
        let switch = ask(&["-u"])? == "0";
        let of = |what: &str| if switch { ask(&[what, "nobody"]) } else { ask(&[what]) };
        let it = || {
            Some(Self {
                switch,
                uid: of("-u")?.parse().ok()?,
                gid: of("-g")?.parse().ok()?,
                user: of("-un")?,
                group: of("-gn")?,
            })
        };
        let it = it();
        if it.is_none() {
            eprintln!("skipped: the user who runs this test has no name, and Dovecot needs one");
        }
        it
    }

    fn own(&self, path: &Path) {
        if self.switch {
            chown(path, Some(self.uid), Some(self.gid)).unwrap();
        }
    }

    fn own_all(&self, folder: &Path) {
        self.own(folder);
        for entry in std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()) {
            if entry.is_dir() { self.own_all(&entry) } else { self.own(&entry) }
        }
    }
}

fn free_ports() -> [u16; 4] {
    // All are held until all are known.
    let held = [(); 4].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    held.map(|l| l.local_addr().unwrap().port())
}

fn config(folder: &Path, account: &Account, certificate: &Path, key: &Path, ports: [u16; 4]) -> String {
    let (d, user, group) = (folder.display(), &account.user, &account.group);
    let (uid, gid) = (account.uid, account.gid);
    let [imap, imaps, pop3, pop3s] = ports;
    let (certificate, key) = (certificate.display(), key.display());
    format!(
        r#"
base_dir = {d}/run
state_dir = {d}/state
log_path = {d}/dovecot.log
protocols = imap pop3
listen = 127.0.0.1
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
ssl = yes
ssl_cert = <{certificate}
ssl_key = <{key}
ssl_dh =
disable_plaintext_auth = no
auth_mechanisms = plain login cram-md5 scram-sha-256 xoauth2 oauthbearer
auth_failure_delay = 0
mail_location = maildir:{d}/mail/%u:LAYOUT=fs:UTF-8
mail_home = {d}/mail/%u
first_valid_uid = 1
mail_max_userip_connections = 100
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {d}/users
}}
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {d}/oauth2.conf
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={d}/mail/%u
}}
namespace inbox {{
  inbox = yes
  separator = /
  mailbox Sent {{
    special_use = \Sent
  }}
  mailbox Drafts {{
    special_use = \Drafts
  }}
  mailbox Trash {{
    special_use = \Trash
  }}
  mailbox Junk {{
    special_use = \Junk
  }}
}}
protocol imap {{
  mail_plugins = imap_zlib
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
service pop3-login {{
  chroot =
  inet_listener pop3 {{
    port = {pop3}
  }}
  inet_listener pop3s {{
    port = {pop3s}
    ssl = yes
  }}
}}
"#
    )
}

/// Says whom a token belongs to ([RFC 7662]), as an OAuth 2 provider would.
struct Tokens {
    port: u16,
    accepted: Arc<Mutex<HashMap<String, String>>>,
}

impl Tokens {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let accepted: Arc<Mutex<HashMap<String, String>>> = Arc::default();
        let known = Arc::downgrade(&accepted);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let Some(known) = known.upgrade() else { return };
                let _ = answer(stream, &known.lock().unwrap());
            }
        });
        Self { port, accepted }
    }

    fn config(&self) -> String {
        let port = self.port;
        format!(
            "introspection_url = http://127.0.0.1:{port}/introspect?token=\nintrospection_mode = get\n\
             username_attribute = email\nactive_attribute = active\nactive_value = true\n"
        )
    }
}

impl Drop for Tokens {
    fn drop(&mut self) {
        self.accepted = Arc::default();
        // The thread looks once more, and ends.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

fn answer(mut stream: TcpStream, known: &HashMap<String, String>) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut lines = BufReader::new(Read::take(&stream, 65_536)).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    while lines.next().transpose()?.is_some_and(|l| !l.is_empty()) {}
    let token = request.split_whitespace().nth(1).and_then(|p| p.split_once("token=")).map_or("", |(_, t)| t);
    let token = token.split('&').next().unwrap_or_default();
    let body = match known.get(token) {
        Some(user) => format!(r#"{{"active":true,"email":"{user}"}}"#),
        None => r#"{"active":false}"#.to_owned(),
    };
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}
