//! An HTTPS server on the loopback interface: what it answers is given by the test.

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// A request.
pub struct Asked {
    /// Which connection it came on, counted from 0.
    pub connection: usize,
    pub method: String,
    pub target: String,
    pub fields: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Asked {
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }
}

/// An answer.
pub struct Told {
    pub status: u16,
    pub fields: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
    /// The connection ends without an answer.
    pub cut: bool,
}

impl Told {
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, fields: Vec::new(), body: body.into(), cut: false }
    }

    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.fields.push((name, value.into()));
        self
    }

    pub fn cut() -> Self {
        Self { cut: true, ..Self::new(0, "") }
    }
}

type Answer = dyn Fn(&Asked) -> Told + Send + Sync;

/// The server, which ends with its handle.
pub struct Web {
    pub port: u16,
    over: Arc<AtomicBool>,
    pub connections: Arc<AtomicUsize>,
}

impl Web {
    pub fn start((certificate, key): (&Path, &Path), answer: impl Fn(&Asked) -> Told + Send + Sync + 'static) -> Self {
        let chain = CertificateDer::pem_file_iter(certificate).unwrap().map(Result::unwrap).collect();
        let key = PrivateKeyDer::from_pem_file(key).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = Arc::new(config.with_no_client_auth().with_single_cert(chain, key).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (over, connections) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let answer: Arc<Answer> = Arc::new(answer);
        let (ended, count) = (Arc::clone(&over), Arc::clone(&connections));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if ended.load(Ordering::SeqCst) {
                    return;
                }
                let (config, answer) = (Arc::clone(&config), Arc::clone(&answer));
                let nth = count.fetch_add(1, Ordering::SeqCst);
                std::thread::spawn(move || serve(stream.unwrap(), config, nth, &*answer));
            }
        });
        Self { port, over, connections }
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

fn serve(stream: TcpStream, config: Arc<ServerConfig>, connection: usize, answer: &Answer) {
    let Ok(tls) = ServerConnection::new(config) else { return };
    let mut stream = BufReader::new(StreamOwned::new(tls, stream));
    while let Some(asked) = request(&mut stream, connection) {
        let told = answer(&asked);
        if told.cut || reply(stream.get_mut(), &told).is_err() {
            return;
        }
    }
}

fn request(stream: &mut impl BufRead, connection: usize) -> Option<Asked> {
    let mut line = String::new();
    stream.read_line(&mut line).ok().filter(|n| *n > 0)?;
    let mut words = line.split(' ');
    let method = words.next()?.to_owned();
    let target = words.next()?.to_owned();
    assert_eq!(words.next().map(str::trim_end), Some("HTTP/1.1"), "{line}");
    let mut fields = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).ok().filter(|n| *n > 0)?;
        if line == "\r\n" {
            break;
        }
        let (name, value) = line.trim_end().split_once(": ").expect("a field");
        fields.push((name.to_owned(), value.to_owned()));
    }
    let mut asked = Asked { connection, method, target, fields, body: Vec::new() };
    assert!(asked.field("host").is_some_and(|h| h.starts_with("localhost:")), "Host: {:?}", asked.field("host"));
    if let Some(length) = asked.field("content-length") {
        asked.body = vec![0; length.parse().unwrap()];
        stream.read_exact(&mut asked.body).ok()?;
    }
    Some(asked)
}

/// Every other answer comes in chunks, as Exchange sends large ones.
fn reply(stream: &mut impl Write, told: &Told) -> std::io::Result<()> {
    let mut head = format!("HTTP/1.1 {} Said\r\n", told.status);
    for (name, value) in &told.fields {
        head += &format!("{name}: {value}\r\n");
    }
    let mut out = if told.body.len() % 2 == 1 {
        head += "Transfer-Encoding: chunked\r\n\r\n";
        let mut out = head.into_bytes();
        for chunk in told.body.chunks(1000) {
            out.extend(format!("{:x}\r\n", chunk.len()).bytes());
            out.extend(chunk);
            out.extend(b"\r\n");
        }
        out.extend(b"0\r\n\r\n");
        out
    } else {
        head += &format!("Content-Length: {}\r\n\r\n", told.body.len());
        let mut out = head.into_bytes();
        out.extend(&told.body);
        out
    };
    stream.write_all(&out)?;
    out.clear();
    stream.flush()
}
