//! Many messages through several connections, on a real server.

use crate::dovecot::{Dovecot, Mail, PASSWORD};
use crate::mailbox::{Made, mailbox};
use pst_core::endpoint::imap::{Account, Compress, ImapSource, Options};
use pst_core::endpoint::net::{Login, Secret, Security, Server};
use pst_core::pipeline::{Body, Flags, Folder, ItemRef, Source};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

pub fn account(server: Server, user: &str) -> Account {
    Account::new(server, Login::Password { user: user.into(), password: Secret::new(PASSWORD) })
}

type Seen = BTreeMap<(String, [u8; 32]), (Flags, Option<i64>)>;

fn fill(dovecot: &Dovecot, count: u64, heavy: u64) -> (Seen, u64) {
    let (mut all, mut bytes) = (Seen::new(), 0);
    for Made { folder, bytes: body, flags, keywords, date } in mailbox(count, heavy) {
        dovecot.deliver("alice", folder, &Mail { bytes: &body, flags, keywords, date });
        let has = |letter| flags.contains(letter);
        let state = Flags {
            seen: Some(has('S')),
            answered: has('R'),
            flagged: has('F'),
            draft: has('D'),
            keywords: keywords.iter().map(|k| (*k).to_owned()).collect(),
            ..Flags::default()
        };
        bytes += body.len() as u64;
        let name = if folder == "INBOX" { "Inbox" } else { folder };
        all.insert((name.to_owned(), Sha256::digest(&body).into()), (state, Some(date as i64)));
    }
    (all, bytes)
}

/// Everything, as the pipeline takes it: listed in order, loaded by several threads.
fn drain(source: &ImapSource, threads: usize, take: impl Fn(&Folder, Body) + Sync) -> u64 {
    let mut count = 0;
    for folder in source.folders().unwrap() {
        let items: Vec<ItemRef> = source.items(&folder).unwrap().collect::<Result<_, _>>().unwrap();
        count += items.len() as u64;
        let next = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
                        take(&folder, source.load(&folder, item).unwrap().body);
                    }
                });
            }
        });
    }
    count
}

fn read(source: &ImapSource) -> Seen {
    let all = Mutex::new(Seen::new());
    drain(source, 4, |folder, body| {
        let Body::Mime(mime) = body else { panic!("no mail") };
        let mut hash = Sha256::new();
        mime.write_to(&mut hash).unwrap();
        let mut flags = mime.flags;
        // In a Maildir "forwarded" is a keyword of Dovecot.
        flags.forwarded = false;
        all.lock().unwrap().insert((folder.path.join("/"), hash.finalize().into()), (flags, mime.received));
    });
    all.into_inner().unwrap()
}

#[test]
fn everything_arrives_as_it_is() {
    let Some(dovecot) = Dovecot::start() else { return };
    let (expected, _) = fill(&dovecot, 1500, 6);
    for (connections, compress) in [(1, Compress::Never), (3, Compress::Never), (3, Compress::Always)] {
        let account = Account { compress, ..account(dovecot.server(dovecot.imaps), "alice") };
        let source = ImapSource::open(account, Options { connections, ..Options::default() }).unwrap();
        let counted: u64 = source.folders().unwrap().iter().filter_map(|f| f.count).sum();
        assert_eq!(counted, 1500);
        let got = read(&source);
        assert_eq!(got.len(), expected.len());
        assert!(got == expected, "{connections} {compress:?}");
        let ledgers = source.account();
        assert_eq!(ledgers.iter().map(|(_, l)| l.received).sum::<u64>(), 1500);
        assert!(
            ledgers.iter().all(|(_, l)| l.failed.is_empty() && l.server == l.received && l.requested == l.received)
        );
    }
}

/// Prints how long fetching and throwing away takes, and the peak of memory.
#[test]
#[ignore = "a measurement: run it in a release build, with --nocapture"]
fn measure() {
    let Some(dovecot) = Dovecot::start() else { return };
    let (_, bytes) = fill(&dovecot, 20_000, 150);
    println!("20,000 messages, {:.1} MB", bytes as f64 / 1e6);
    for round in 0..3 {
        for (name, tls, connections) in [
            ("plain", false, 3),
            ("plain", false, 2),
            ("plain", false, 1),
            ("TLS", true, 3),
            ("TLS", true, 2),
            ("TLS", true, 1),
        ] {
            let mut server = dovecot.server(if tls { dovecot.imaps } else { dovecot.imap });
            if !tls {
                server.security = Security::Plain;
            }
            let begun = Instant::now();
            let source =
                ImapSource::open(account(server, "alice"), Options { connections, ..Options::default() }).unwrap();
            let count = drain(&source, 2, |_, body| drop(body));
            let took = begun.elapsed().as_secs_f64();
            let word = if round == 0 { " (first, cold)" } else { "" };
            println!("{name}, {connections} connections: {count} messages in {took:.2} s{word}; peak {} KB", peak());
        }
    }
}

/// Peak resident memory of this process, KB.
fn peak() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
    line.unwrap_or_default().trim().trim_end_matches(" kB").to_owned()
}

/// Prints the peak of memory with a message of 200 MB.
#[test]
#[ignore = "a measurement: run it in a release build, alone, with --nocapture"]
fn measure_large() {
    let Some(dovecot) = Dovecot::start() else { return };
    dovecot.deliver("alice", "INBOX", &Mail { bytes: &super::imap::large(200 << 20), flags: "S", ..Mail::default() });
    for (_, bytes) in [(); 40].iter().zip(mailbox(40, 40)) {
        dovecot.deliver("alice", "INBOX", &Mail { bytes: &bytes.bytes, flags: "S", ..Mail::default() });
    }
    println!("before: peak {} KB; written anew from here", peak());
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    let begun = Instant::now();
    let source = ImapSource::open(account(dovecot.server(dovecot.imaps), "alice"), Options::default()).unwrap();
    let count = drain(&source, 2, |_, body| drop(body));
    println!("{count} messages in {:.2} s; peak {} KB", begun.elapsed().as_secs_f64(), peak());
}

/// A way to a server through which its words come at a million bytes a second; adds what the client says to `said`.
fn narrow_way(port: u16, said: &Arc<Mutex<Vec<u8>>>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let here = listener.local_addr().unwrap().port();
    let said = Arc::clone(said);
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let server = TcpStream::connect(("127.0.0.1", port)).unwrap();
            let (mut down, mut up) = (server.try_clone().unwrap(), client.try_clone().unwrap());
            let (mut from, mut to, said) = (client, server, Arc::clone(&said));
            std::thread::spawn(move || pass(&mut from, &mut to, |piece| said.lock().unwrap().extend(piece)));
            std::thread::spawn(move || {
                pass(&mut down, &mut up, |p| std::thread::sleep(Duration::from_micros(p.len() as u64)));
            });
        }
    });
    here
}

fn pass(from: &mut TcpStream, to: &mut TcpStream, before: impl Fn(&[u8])) {
    let mut piece = vec![0; 16 << 10];
    while let Ok(n @ 1..) = from.read(&mut piece) {
        before(&piece[..n]);
        if to.write_all(&piece[..n]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}

#[test]
fn a_slow_line_is_compressed_once_it_shows() {
    let Some(dovecot) = Dovecot::start() else { return };
    let (expected, bytes) = fill(&dovecot, 120, 2);
    assert!(bytes > 2_000_000, "{bytes}");
    for (compress, times) in [(Compress::SlowLines, 1), (Compress::Never, 0)] {
        let said = Arc::new(Mutex::new(Vec::new()));
        let mut server = dovecot.server(narrow_way(dovecot.imap, &said));
        server.security = Security::Plain;
        let account = Account { compress, ..account(server, "alice") };
        let source = ImapSource::open(account, Options { connections: 1, ..Options::default() }).unwrap();
        assert!(read(&source) == expected, "everything comes as it is");
        drop(source);
        let said = said.lock().unwrap();
        let lines = said.split(|b| *b == b'\n').filter(|l| l.windows(16).any(|w| w == b"COMPRESS DEFLATE"));
        assert_eq!(lines.count(), times);
        let fetches = said.windows(9).position(|w| w == b"UID FETCH");
        let packs = said.windows(16).position(|w| w == b"COMPRESS DEFLATE");
        assert!(packs.is_none_or(|at| fetches.is_some_and(|first| first < at)), "not before it shows");
    }
}
