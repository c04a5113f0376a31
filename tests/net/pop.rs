//! POP3 accounts as sources: Dovecot, and scripted servers that misbehave.

use crate::dovecot::{Dovecot, Mail, PASSWORD};
use pst_core::endpoint::net::{Login, Secret, Security, Server, TlsOptions, TokenSource};
use pst_core::endpoint::pop::{Account, Ledger, Options, PopSource};
use pst_core::pipeline::{Body, Source};
use pst_core::{Error, Kind, Result};
use std::collections::HashSet;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

fn password(user: &str, password: &str) -> Login {
    Login::Password { user: user.into(), password: Secret::new(password) }
}

/// Messages by their ids, in order, as the pipeline would load them: by several threads.
fn load_all(source: &PopSource) -> Vec<(String, Result<Vec<u8>>)> {
    let folders = source.folders().unwrap();
    assert_eq!(folders.len(), 1);
    let items: Vec<_> = source.items(&folders[0]).unwrap().map(|i| i.unwrap()).collect();
    let next = AtomicUsize::new(0);
    let out: Mutex<Vec<(usize, Result<Vec<u8>>)>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while let Some((at, item)) = {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    items.get(at).map(|item| (at, item))
                } {
                    let loaded = source.load(&folders[0], item).map(|item| match item.body {
                        Body::Mime(mime) => {
                            let mut bytes = Vec::new();
                            mime.write_to(&mut bytes).unwrap();
                            bytes
                        }
                        Body::Mapi(_) => panic!("a message has become properties"),
                    });
                    out.lock().unwrap().push((at, loaded));
                }
            });
        }
    });
    let mut out = out.into_inner().unwrap();
    out.sort_by_key(|(at, _)| *at);
    out.into_iter().map(|(at, bytes)| (items[at].id.clone(), bytes)).collect()
}

fn lasting(source: &PopSource) -> Vec<String> {
    let folder = &source.folders().unwrap()[0];
    let items: Vec<_> = source.items(folder).unwrap().map(|i| i.unwrap()).collect();
    items.iter().map(|i| String::from_utf8(source.lasting(i)).unwrap()).collect()
}

fn known(all: &[String]) -> Options {
    let all: HashSet<String> = all.iter().cloned().collect();
    Options { known: Some(Arc::new(move |id| all.contains(id))), ..Options::default() }
}

fn good(loaded: Vec<(String, Result<Vec<u8>>)>) -> Vec<Vec<u8>> {
    loaded.into_iter().map(|(id, bytes)| bytes.unwrap_or_else(|e| panic!("{id}: {e}"))).collect()
}

fn fails(account: Account) -> Error {
    PopSource::open(account, Options::default()).err().expect("this must not work")
}

/// A message of about `size` bytes with an attachment; lines end with CRLF.
fn mail(n: usize, size: usize) -> Vec<u8> {
    let mut out = format!(
        "From: a@example.com\r\nTo: b@example.com\r\nSubject: number {n}\r\nMessage-ID: <{n}@example.com>\r\n\
         Date: Mon, 6 Jan 2025 10:00:00 +0000\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=xyz\r\n\r\n--xyz\r\nContent-Type: text/plain\r\n\r\n.\r\n.. dots\r\n.x\r\n\
         --xyz\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    )
    .into_bytes();
    let line = base64_simd::STANDARD.encode_to_string([n as u8; 57]);
    while out.len() < size {
        out.extend_from_slice(line.as_bytes());
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"--xyz--\r\n");
    out
}

/// Delivers messages of many sizes; what must come.
fn populate(dovecot: &Dovecot) -> Vec<Vec<u8>> {
    let sizes = [500, 9_000, 0, 5 << 20, 70_000, 40 << 20, 1_000, 3 << 20, 3 << 20, 3 << 20, 3 << 20, 3 << 20, 3 << 20];
    let mut all: Vec<_> = sizes.iter().enumerate().map(|(n, size)| mail(n, *size)).collect();
    all.push([b"Subject: long line\r\n\r\n".to_vec(), vec![b'x'; 300_000], b"\r\n".to_vec()].concat());
    all.push(b"Subject: bytes\r\n\r\n\xFF\x80\r\n.\r\n\r\n".to_vec());
    all.extend((0..300).map(|n| mail(n, 800)));
    for bytes in &all {
        dovecot.deliver("alice", "INBOX", &Mail { bytes, flags: "S", date: 1_700_000_000, ..Mail::default() });
    }
    all
}

struct Fixed(&'static str, &'static str);

impl TokenSource for Fixed {
    fn token(&self, renew: bool) -> Result<Secret> {
        Ok(Secret::new(if renew { self.1 } else { self.0 }))
    }
}

#[test]
fn everything_comes_as_it_is_and_once() {
    let Some(dovecot) = Dovecot::start() else { return };
    let all = populate(&dovecot);
    for port in [dovecot.pop3s, dovecot.pop3] {
        let account = Account::new(dovecot.server(port), password("alice", PASSWORD));
        let source = PopSource::open(account, Options::default()).unwrap();
        assert_eq!(source.on_server().0, all.len() as u64);
        let got = good(load_all(&source));
        assert!(got == all, "what comes is not what was delivered");
    }
    let account = Account::new(dovecot.server(dovecot.pop3s), password("alice", PASSWORD));
    let source = PopSource::open(account.clone(), Options::default()).unwrap();
    let ids = lasting(&source);
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), all.len());
    source.close();
    let late = mail(1000, 4000);
    dovecot.deliver("alice", "INBOX", &Mail { bytes: &late, ..Mail::default() });
    let source = PopSource::open(account, known(&ids)).unwrap();
    assert_eq!(source.known(), all.len() as u64);
    assert_eq!(source.folders().unwrap()[0].count, Some(1));
    assert_eq!(good(load_all(&source)), [late]);
}

#[test]
fn only_what_is_named_is_deleted() {
    let Some(dovecot) = Dovecot::start() else { return };
    let all: Vec<_> = (0..50).map(|n| mail(n, 2_000)).collect();
    for bytes in &all {
        dovecot.deliver("bob", "INBOX", &Mail { bytes, ..Mail::default() });
    }
    let account = Account::new(dovecot.server(dovecot.pop3s), password("bob", PASSWORD));
    let source = PopSource::open(account.clone(), Options::default()).unwrap();
    let ids = lasting(&source);
    assert_eq!(good(load_all(&source)), all);
    // A download alone deletes nothing.
    drop(source);
    let source = PopSource::open(account.clone(), Options::default()).unwrap();
    assert_eq!(source.on_server().0, 50);
    let mut named = ids[10..45].to_vec();
    named.push("uidl 0000000000000000 7".into());
    let ledger = source.delete(&named).unwrap();
    assert_eq!(ledger.deleted, ids[10..45]);
    assert_eq!(ledger.missing, ["uidl 0000000000000000 7"]);
    assert!(ledger.kept.is_empty());
    let source = PopSource::open(account, Options::default()).unwrap();
    assert_eq!(good(load_all(&source)), [&all[..10], &all[45..]].concat());
}

#[test]
fn every_way_to_sign_in() {
    let Some(dovecot) = Dovecot::start() else { return };
    dovecot.deliver("alice", "INBOX", &Mail { bytes: b"Subject: x\r\n\r\n", ..Mail::default() });
    let server = dovecot.server(dovecot.pop3s);
    let open = |login: Login| PopSource::open(Account::new(server.clone(), login), Options::default());
    assert_eq!(open(password("alice", PASSWORD)).unwrap().on_server().0, 1);
    let e = open(password("alice", "wrong-pa55")).err().unwrap();
    assert_eq!(e.kind(), Kind::Denied, "{e}");
    assert!(e.text().contains("refuses the sign-in of alice") && !e.text().contains("pa55"), "{e}");
    dovecot.accept_token("fresh", "alice");
    let token = |old, new| Login::Token { user: "alice".into(), source: Arc::new(Fixed(old, new)) };
    assert_eq!(open(token("fresh", "none")).unwrap().on_server().0, 1);
    assert_eq!(open(token("stale", "fresh")).unwrap().on_server().0, 1, "a refused token is renewed");
    let e = open(token("stale", "stale")).err().unwrap();
    assert_eq!(e.kind(), Kind::Denied, "{e}");
    assert!(!e.text().contains("stale"), "{e}");
    // Without TLS nothing is said that is worth hearing, unless it is allowed.
    let mut plain = dovecot.server(dovecot.pop3);
    plain.security = Security::Plain;
    assert!(PopSource::open(Account::new(plain, password("alice", PASSWORD)), Options::default()).is_ok());
}

/// A server that runs `talk` for each connection, with the number of the connection.
fn scripted(talk: impl Fn(&mut Talk, usize) -> Option<()> + Send + Sync + 'static) -> Account {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for (n, stream) in listener.incoming().flatten().enumerate() {
            let mut talk_to = Talk { lines: BufReader::new(stream.try_clone().unwrap()), stream };
            talk(&mut talk_to, n);
        }
    });
    let (tls, timeout) = (TlsOptions::default(), Duration::from_secs(20));
    let server =
        Server { host: "127.0.0.1".into(), port, security: Security::Plain, tls, timeout, stop: Arc::default() };
    Account::new(server, password("eve", "sesame"))
}

struct Talk {
    stream: TcpStream,
    lines: BufReader<TcpStream>,
}

impl Talk {
    fn hear(&mut self) -> Option<String> {
        let mut line = String::new();
        self.lines.read_line(&mut line).ok().filter(|n| *n > 0)?;
        Some(line.trim_end().to_owned())
    }

    fn say(&mut self, text: &str) -> Option<()> {
        self.stream.write_all(text.as_bytes()).ok()
    }

    /// Answers until the client goes away. `own`: answers of the test; `None` for the usual one.
    fn serve(&mut self, mailbox: &[(&str, &str)], own: impl Fn(&str) -> Option<String>) -> Option<()> {
        self.say("+OK ready <1896.697170952@dbc.mtview.ca.us>\r\n")?;
        loop {
            let line = self.hear()?;
            let (verb, rest) = line.split_once(' ').unwrap_or((&line, ""));
            let message = rest
                .split(' ')
                .next()
                .and_then(|n| n.parse::<usize>().ok())
                .and_then(|n| mailbox.get(n.wrapping_sub(1)));
            let answer = own(&line).unwrap_or_else(|| match (verb, message) {
                ("USER" | "PASS" | "APOP" | "DELE" | "QUIT", _) => "+OK\r\n".into(),
                ("CAPA", _) => "-ERR what?\r\n".into(),
                ("LIST", None) => {
                    let line = |(n, (_, text)): (usize, &(&str, &str))| format!("{} {}\r\n", n + 1, text.len());
                    format!("+OK\r\n{}.\r\n", mailbox.iter().enumerate().map(line).collect::<String>())
                }
                ("UIDL", None) => {
                    let line = |(n, (uidl, _)): (usize, &(&str, &str))| format!("{} {uidl}\r\n", n + 1);
                    format!("+OK\r\n{}.\r\n", mailbox.iter().enumerate().map(line).collect::<String>())
                }
                ("RETR", Some((_, text))) => format!("+OK\r\n{}.\r\n", stuffed(text)),
                ("TOP", Some((_, text))) => format!("+OK\r\n{}\r\n\r\n.\r\n", text.split("\r\n\r\n").next().unwrap()),
                _ => "-ERR no\r\n".into(),
            });
            self.say(&answer)?;
        }
    }
}

fn stuffed(text: &str) -> String {
    text.split_inclusive("\r\n").map(|l| if l.starts_with('.') { format!(".{l}") } else { l.to_owned() }).collect()
}

const THREE: [(&str, &str); 3] = [
    ("a", "Subject: one\r\n\r\n.dot\r\n"),
    ("b", "Subject: two\r\n\r\n..\r\n.\r\n"),
    ("c", "Subject: three\r\n\r\ntext\r\n"),
];

fn texts(mailbox: &[(&str, &str)]) -> Vec<Vec<u8>> {
    mailbox.iter().map(|(_, text)| text.as_bytes().to_vec()).collect()
}

fn open(account: Account) -> PopSource {
    PopSource::open(account, Options::default()).unwrap()
}

#[test]
fn apop_of_rfc_1939() {
    let account = scripted(|talk, _| {
        talk.serve(&THREE, |line| match line {
            // The digest of RFC 1939, 7 for the password "tanstaaf".
            "APOP mrose c4c9334bac560ecc979e58001b3e22fb" => None,
            _ if line.starts_with("APOP") || line.starts_with("USER") => Some("-ERR [AUTH] no\r\n".into()),
            _ => None,
        })
    });
    let account = Account { login: password("mrose", "tanstaaf"), ..account };
    assert_eq!(good(load_all(&open(account))), texts(&THREE));
}

#[test]
fn a_message_without_its_final_dot_is_fetched_again() {
    let cut = cutting(&[("RETR 2", "+OK\r\nSubject: tw"), ("RETR 2", "+OK\r\nSubject: two\r\n\r\n...\r\n")]);
    assert_eq!(good(load_all(&open(cut))), texts(&THREE));
}

/// As a scripted server of [`THREE`], which in its first connections says something to a command and hangs up.
fn cutting(cuts: &'static [(&'static str, &'static str)]) -> Account {
    scripted(move |talk, n| {
        let hang_up = Mutex::new(talk.stream.try_clone().unwrap());
        talk.serve(&THREE, |line| {
            let (_, said) = cuts.get(n).filter(|(command, _)| *command == line)?;
            let mut stream = hang_up.lock().unwrap();
            let _ = stream.write_all(said.as_bytes());
            let _ = stream.shutdown(std::net::Shutdown::Both);
            Some(String::new())
        })
    })
}

#[test]
fn numbers_that_change_between_connections_are_found_by_uidl() {
    let account = scripted(|talk, n| {
        let stream = Mutex::new(talk.stream.try_clone().unwrap());
        let left: &[(&str, &str)] = if n == 0 { &THREE } else { &THREE[1..] };
        talk.serve(left, |line| {
            (n == 0 && line == "RETR 2").then(|| {
                let _ = stream.lock().unwrap().shutdown(std::net::Shutdown::Both);
                String::new()
            })
        })
    });
    assert_eq!(good(load_all(&open(account))), texts(&THREE));
}

#[test]
fn a_message_that_has_gone_is_told() {
    let account = scripted(|talk, n| {
        let stream = Mutex::new(talk.stream.try_clone().unwrap());
        let left: &[(&str, &str)] = if n == 0 { &THREE } else { &[THREE[0], THREE[2]] };
        talk.serve(left, |line| {
            (n == 0 && line == "RETR 2").then(|| {
                let _ = stream.lock().unwrap().shutdown(std::net::Shutdown::Both);
                String::new()
            })
        })
    });
    let loaded = load_all(&open(account));
    let e = loaded[1].1.as_ref().unwrap_err();
    assert_eq!(e.kind(), Kind::NotFound, "{e}");
    assert!(e.text().contains("uidl b has gone"), "{e}");
    assert!(loaded[0].1.is_ok() && loaded[2].1.is_ok());
}

#[test]
fn one_message_that_always_breaks_the_connection_does_not_take_the_others_along() {
    let cuts: &[(&str, &str)] = &[("RETR 2", "+OK\r\nhalf"); 9];
    let account = cutting(cuts);
    let loaded = load_all(&open(account));
    let e = loaded[1].1.as_ref().unwrap_err();
    assert!(e.kind() == Kind::Connection && e.text().contains("3 times"), "{e}");
    assert!(loaded[0].1.is_ok() && loaded[2].1.is_ok());
}

#[test]
fn a_refused_message_is_asked_for_again_and_then_told() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let account = scripted(move |talk, _| {
        talk.serve(&THREE, |line| match line {
            "RETR 1" if count.fetch_add(1, Ordering::Relaxed) == 0 => Some("-ERR hiccup\r\n".into()),
            "RETR 2" => Some("-ERR \x1b[2J cannot read it\r\n".into()),
            _ => None,
        })
    });
    let loaded = load_all(&open(account));
    assert!(loaded[0].1.is_ok() && loaded[2].1.is_ok());
    let e = loaded[1].1.as_ref().unwrap_err();
    assert!(e.kind() == Kind::Server && e.text().contains("cannot read it") && !e.text().contains('\x1b'), "{e}");
}

#[test]
fn uidls_that_are_repeated_used_again_or_missing() {
    // Two messages with one UIDL.
    let twice = [("a", THREE[0].1), ("a", THREE[1].1), ("c", THREE[2].1)];
    let account = scripted(move |talk, _| talk.serve(&twice, |_| None));
    let source = open(account.clone());
    let ids = lasting(&source);
    assert_eq!(good(load_all(&source)), texts(&THREE));
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), 3);
    drop(source);
    assert_eq!(PopSource::open(account.clone(), known(&ids)).unwrap().known(), 3);
    // One of them was fetched, the other is still missing.
    let source = PopSource::open(account, known(&[ids[0].clone(), ids[2].clone()])).unwrap();
    assert_eq!(good(load_all(&source)), [THREE[1].1.as_bytes()]);
    drop(source);
    // The UIDL of a message that was fetched, on another one.
    let again = [("a", "Subject: another\r\n\r\n")];
    let account = scripted(move |talk, _| talk.serve(&again, |_| None));
    let source = PopSource::open(account, known(&[format!("uidl a {}", THREE[0].1.len())])).unwrap();
    assert_eq!(source.known(), 0);
    assert_eq!(good(load_all(&source)), texts(&again));
    drop(source);
    // No UIDL: the header names a message, and without TOP nothing does.
    let account = scripted(|talk, _| talk.serve(&THREE, |line| (line == "UIDL").then(|| "-ERR\r\n".into())));
    let source = open(account.clone());
    let ids = lasting(&source);
    assert_eq!(good(load_all(&source)), texts(&THREE));
    drop(source);
    let source = PopSource::open(account, known(&ids[..2])).unwrap();
    assert_eq!(good(load_all(&source)), texts(&THREE[2..]));
    drop(source);
    let bare = |line: &str| (line == "UIDL" || line.starts_with("TOP")).then(|| "-ERR\r\n".to_owned());
    let source = open(scripted(move |talk, _| talk.serve(&THREE, bare)));
    let ids = lasting(&source);
    assert_eq!(good(load_all(&source)), texts(&THREE));
    let ledger = source.delete(&ids).unwrap();
    assert!(ledger.deleted.is_empty() && ledger.kept.len() == 3, "{ledger:?}");
}

#[test]
fn messages_with_one_header_are_never_deleted_by_it() {
    let alike = [("x", "Subject: s\r\n\r\n1\r\n"), ("x", "Subject: s\r\n\r\n2\r\n"), ("x", "Subject: t\r\n\r\n")];
    let source = open(scripted(move |talk, _| talk.serve(&alike, |_| None)));
    let ids = lasting(&source);
    assert_eq!(good(load_all(&source)), texts(&alike));
    let Ledger { deleted, missing, kept } = source.delete(&ids).unwrap();
    assert_eq!(deleted, [ids[2].clone()]);
    assert!(missing.is_empty() && kept.len() == 2);
}

#[test]
fn a_deletion_that_is_not_confirmed_is_none() {
    let account = scripted(|talk, _| {
        talk.serve(&THREE, |line| match line {
            "DELE 2" => Some("-ERR read-only\r\n".into()),
            "QUIT" => Some("-ERR some deleted messages not removed\r\n".into()),
            _ => None,
        })
    });
    let source = open(account);
    let ids = lasting(&source);
    let ledger = source.delete(&ids).unwrap();
    assert!(ledger.deleted.is_empty());
    assert_eq!(ledger.kept.len(), 3, "{ledger:?}");
}

#[test]
fn servers_that_are_busy_are_waited_for() {
    let account = scripted(|talk, n| match n {
        0 => talk.serve(&THREE, |line| line.starts_with("APOP").then(|| "-ERR [IN-USE] another session\r\n".into())),
        1 => talk.say("-ERR [SYS/TEMP] come back\r\n"),
        _ => talk.serve(&THREE, |_| None),
    });
    let waits = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&waits);
    let watch = Arc::new(move |_: &pst_core::endpoint::imap::Notice| {
        count.fetch_add(1, Ordering::Relaxed);
    });
    assert_eq!(good(load_all(&open(Account { watch, ..account }))), texts(&THREE));
    assert_eq!(waits.load(Ordering::Relaxed), 2);
}

#[test]
fn a_mailbox_in_use_renews_no_token() {
    struct Once;
    impl TokenSource for Once {
        fn token(&self, renew: bool) -> Result<Secret> {
            if renew { Err(Error::new(Kind::Denied, "no other token")) } else { Ok(Secret::new("fresh")) }
        }
    }
    let account = scripted(|talk, n| {
        talk.serve(&THREE, |line| {
            let said = if n == 0 { "-ERR [IN-USE] another session\r\n" } else { "+OK\r\n" };
            line.starts_with("AUTH").then(|| said.to_owned())
        })
    });
    let login = Login::Token { user: "eve".into(), source: Arc::new(Once) };
    assert_eq!(good(load_all(&open(Account { login, ..account }))), texts(&THREE));
}

#[test]
fn names_that_are_not_told_now_are_not_replaced() {
    for (uidl, capabilities) in
        [("-ERR [SYS/TEMP] index is busy\r\n", "-ERR\r\n"), ("-ERR\r\n", "+OK\r\nUIDL\r\n.\r\n")]
    {
        let own = move |line: &str| match line {
            "UIDL" => Some(uidl.to_owned()),
            "CAPA" => Some(capabilities.to_owned()),
            _ => None,
        };
        let e = fails(scripted(move |talk, _| talk.serve(&THREE, own)));
        assert!(e.kind() == Kind::Server && e.text().contains("UIDL"), "{e}");
    }
}

#[test]
fn bare_line_feeds_and_long_lines() {
    let long = format!("Subject: x\n\n{}\n.\n", "y".repeat(200_000));
    let sent = format!("+OK\n{}.\n", long.replace("\n.", "\n.."));
    let account = scripted(move |talk, _| talk.serve(&THREE[..1], |line| (line == "RETR 1").then(|| sent.clone())));
    assert_eq!(good(load_all(&open(account))), [long.into_bytes()]);
}

#[test]
fn what_is_refused() {
    // No TLS on offer, and none is done without.
    let mut account =
        scripted(|talk, _| talk.serve(&THREE, |line| (line == "CAPA").then(|| "+OK\r\nUIDL\r\nUSER\r\n.\r\n".into())));
    account.server.security = Security::StartTls;
    let e = fails(account);
    assert!(e.kind() == Kind::Connection && e.text().contains("does not offer TLS"), "{e}");
    // A server that repeats the password.
    let account = scripted(|talk, _| {
        talk.say("+OK no stamp\r\n")?;
        while let Some(line) = talk.hear() {
            talk.say(&if line.starts_with("USER") { "+OK\r\n".into() } else { format!("-ERR unknown: {line}\r\n") })?;
        }
        None
    });
    let e = fails(account);
    assert!(e.kind() == Kind::Denied && e.text().contains("unknown: PASS ***") && !e.text().contains("sesame"), "{e}");
    // One that repeats a token, in the form that it was sent in.
    let account = scripted(|talk, _| {
        talk.serve(&THREE, |line| line.starts_with("AUTH").then(|| format!("-ERR unknown: {line}\r\n")))
    });
    let login = Login::Token { user: "eve".into(), source: Arc::new(Fixed("sesame", "opener")) };
    let e = fails(Account { login, ..account });
    assert!(e.kind() == Kind::Denied && e.text().contains("unknown: AUTH XOAUTH2 ***"), "{e}");
    // Lists that make no sense, and greetings that are none.
    let account =
        scripted(|talk, _| talk.serve(&THREE, |line| (line == "LIST").then(|| "+OK\r\n1 5\r\nx\r\n.\r\n".into())));
    assert_eq!(fails(account).kind(), Kind::Server);
    let account = scripted(|talk, _| talk.say("220 smtp.example.com ESMTP\r\n"));
    let e = fails(account);
    assert!(e.kind() == Kind::Connection && e.text().contains("out of turn: 220 smtp"), "{e}");
}

#[test]
fn the_wish_to_stop_ends_a_wait() {
    let mut account =
        scripted(|talk, _| talk.serve(&THREE, |line| (line == "RETR 1").then(|| "+OK\r\nand then nothing".into())));
    account.server.timeout = Duration::from_secs(600);
    let stop = Arc::clone(&account.server.stop);
    let source = open(account);
    let stopper = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(300));
        stop.store(true, Ordering::Relaxed);
    });
    // Were it not for the wish, this would take ten minutes.
    let loaded = load_all(&source);
    stopper.join().unwrap();
    assert!(loaded.iter().all(|(_, l)| l.as_ref().unwrap_err().kind() == Kind::Interrupted));
}
