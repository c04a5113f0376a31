//! Which certificates are believed, and what is said of the others.

use crate::certificates::{Authority, Wanted};
use pst_core::endpoint::net::{Security, Server, Stream, TlsOptions};
use pst_core::{Error, Kind};
use std::io::{BufRead, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// `openssl s_server`, which shows a certificate and repeats what it is told.
struct Shown {
    child: Child,
    port: u16,
}

impl Shown {
    fn start((certificate, key): &(PathBuf, PathBuf), more: &[&str]) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = Command::new("openssl");
        command.args(["s_server", "-quiet", "-rev", "-accept", &format!("127.0.0.1:{port}")]);
        command.arg("-cert").arg(certificate).arg("-key").arg(key).args(more);
        let child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(20), "openssl s_server does not answer");
            std::thread::sleep(Duration::from_millis(10));
        }
        Self { child, port }
    }

    fn server(&self, tls: TlsOptions) -> Server {
        plain_server(self.port, Security::Tls, tls)
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn plain_server(port: u16, security: Security, tls: TlsOptions) -> Server {
    let timeout = Duration::from_secs(20);
    Server { host: "localhost".into(), port, security, tls, timeout, stop: Arc::default() }
}

fn believes(file: &Path) -> TlsOptions {
    TlsOptions { ca_file: Some(file.to_path_buf()), ..TlsOptions::default() }
}

fn pins(pins: &[[u8; 32]]) -> TlsOptions {
    TlsOptions { pins: pins.to_vec(), ..TlsOptions::default() }
}

/// A line goes there and comes back the other way round.
fn works(server: &Server) {
    let mut stream = Stream::connect(server).unwrap();
    assert!(stream.is_encrypted());
    stream.write_all(b"abc\n").unwrap();
    let mut line = String::new();
    stream.read_line(&mut line).unwrap();
    assert_eq!(line, "cba\n");
}

fn refused(server: &Server) -> Error {
    let e = Stream::connect(server).err().expect("this certificate must not be accepted");
    assert_eq!(e.kind(), Kind::Connection, "{e}");
    assert!(e.text().starts_with(&format!("localhost:{}: ", server.port)), "{e}");
    e
}

/// The certificate of `shown` is refused with these words and its hash, and accepted once it is pinned.
fn until_pinned(authority: &Authority, shown: &(PathBuf, PathBuf), tls: TlsOptions, words: &str) {
    let openssl = Shown::start(shown, &[]);
    let hash = authority.hash(&shown.0);
    let e = refused(&openssl.server(tls));
    assert!(e.text().contains(words), "{e}");
    let digits: String = hash.iter().map(|b| format!("{b:02x}")).collect();
    assert!(e.text().contains(&digits), "{e}");
    works(&openssl.server(pins(&[[0; 32], hash])));
}

#[test]
fn certificates_of_a_named_authority() {
    let folder = tempfile::tempdir().unwrap();
    let Some(authority) = Authority::new(folder.path()) else { return };
    let good = authority.make(&Wanted::default());
    let openssl = Shown::start(&good, &[]);
    works(&openssl.server(believes(&authority.file())));
    let mut by_number = openssl.server(believes(&authority.file()));
    by_number.host = "127.0.0.1".into();
    works(&by_number);
    drop(openssl);
    let openssl = Shown::start(&good, &["-tls1_2"]);
    works(&openssl.server(believes(&authority.file())));
    drop(openssl);
    until_pinned(&authority, &good, TlsOptions::default(), "signed by nobody that this system believes");
    let name = Wanted { name: "name", names: "DNS:mail.example.com", ..Wanted::default() };
    let words = "is made out for mail.example.com, not for localhost";
    until_pinned(&authority, &authority.make(&name), believes(&authority.file()), words);
    let old = Wanted { name: "old", until: "20240203000000Z", ..Wanted::default() };
    until_pinned(&authority, &authority.make(&old), believes(&authority.file()), "expired on 2024-02-03");
    let early = Wanted { name: "early", from: "20980203000000Z", ..Wanted::default() };
    until_pinned(&authority, &authority.make(&early), believes(&authority.file()), "is not valid before 2098-02-03");
    let itself = authority.make(&Wanted { name: "itself", itself: true, ..Wanted::default() });
    until_pinned(&authority, &itself, TlsOptions::default(), "signs itself");
}

#[test]
fn only_what_is_pinned_is_accepted() {
    let folder = tempfile::tempdir().unwrap();
    let Some(authority) = Authority::new(folder.path()) else { return };
    let good = authority.make(&Wanted::default());
    let openssl = Shown::start(&good, &[]);
    works(&openssl.server(pins(&[authority.key_hash(&good.0)])));
    let both = TlsOptions { pins: vec![[7; 32]], ..believes(&authority.file()) };
    let e = refused(&openssl.server(both));
    assert!(e.text().contains("none of those that are pinned"), "{e}");
}

#[test]
fn a_certificate_of_ours() {
    let folder = tempfile::tempdir().unwrap();
    let Some(authority) = Authority::new(folder.path()) else { return };
    let good = authority.make(&Wanted::default());
    let ours = authority.make(&Wanted { name: "client", names: "DNS:client", ..Wanted::default() });
    let ca = authority.file();
    for version in ["-tls1_2", "-tls1_3"] {
        let openssl =
            Shown::start(&good, &[version, "-Verify", "2", "-verify_return_error", "-CAfile", ca.to_str().unwrap()]);
        works(&openssl.server(TlsOptions { client_cert: Some(ours.clone()), ..believes(&ca) }));
        let server = openssl.server(believes(&ca));
        // With TLS 1.3 the server refuses only after our side of the handshake is done.
        let e = match Stream::connect(&server) {
            Err(e) => e,
            Ok(mut stream) => server.failed("no greeting comes", &stream.read(&mut [0; 9]).unwrap_err()),
        };
        assert!(e.text().contains("a certificate of ours"), "{version}: {e}");
    }
    let missing = TlsOptions { client_cert: Some((ours.0, folder.path().join("none"))), ..believes(&ca) };
    let e = Stream::connect(&Shown::start(&good, &[]).server(missing)).err().unwrap();
    assert_eq!(e.kind(), Kind::Usage, "{e}");
}

/// A server that says `said` to everybody, and then keeps silent.
fn says(said: &'static [u8]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let mut held = Vec::new();
        for mut stream in listener.incoming().flatten() {
            let _ = stream.write_all(said);
            held.push(stream);
        }
    });
    port
}

#[test]
fn servers_without_tls() {
    let e = refused(&plain_server(says(b"* OK ready\r\n"), Security::Tls, TlsOptions::default()));
    assert!(e.text().contains("does not speak TLS on this port"), "{e}");
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let e = refused(&plain_server(port, Security::Tls, TlsOptions::default()));
    assert!(e.text().contains("cannot connect: "), "{e}");
    let mut unknown = plain_server(1, Security::Tls, TlsOptions::default());
    unknown.host = "no-such-host.invalid".into();
    let e = Stream::connect(&unknown).err().unwrap();
    assert!(e.text().contains("cannot be looked up"), "{e}");
}

#[test]
fn bytes_behind_the_answer_to_starttls_are_refused() {
    let server = plain_server(says(b"+OK begin TLS\r\n+OK injected\r\n"), Security::StartTls, TlsOptions::default());
    let mut stream = Stream::connect(&server).unwrap();
    let mut line = String::new();
    stream.read_line(&mut line).unwrap();
    assert_eq!(line, "+OK begin TLS\r\n");
    assert!(!stream.is_encrypted());
    let e = stream.start_tls(&server).err().unwrap();
    assert!(e.text().contains("more bytes behind it"), "{e}");
}

#[test]
fn silence_and_the_wish_to_stop_end_a_read() {
    let mut server = plain_server(says(b""), Security::StartTls, TlsOptions::default());
    server.timeout = Duration::from_millis(400);
    let e = Stream::connect(&server).unwrap().read(&mut [0; 9]).unwrap_err();
    assert_eq!(e.kind(), std::io::ErrorKind::TimedOut);
    assert_eq!(server.failed("no greeting comes", &e).kind(), Kind::Connection);
    server.timeout = Duration::from_secs(600);
    server.stop = Arc::new(AtomicBool::new(false));
    let mut stream = Stream::connect(&server).unwrap();
    let stop = Arc::clone(&server.stop);
    let stopper = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(100));
        stop.store(true, Ordering::Relaxed);
    });
    // Were it not for the wish, this would take ten minutes.
    let e = stream.read(&mut [0; 9]).unwrap_err();
    stopper.join().unwrap();
    assert_eq!(server.failed("no greeting comes", &e).kind(), Kind::Interrupted);
    assert_eq!(Stream::connect(&server).err().unwrap().kind(), Kind::Interrupted);
}
