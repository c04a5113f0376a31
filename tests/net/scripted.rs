//! An IMAP server for misbehaviour: what it says is given by the test.

use pst_core::endpoint::imap::{Account, Channel, ImapSource, Options};
use pst_core::endpoint::net::{Login, Secret, Security, Server, TlsOptions};
use pst_core::pipeline::{Body, Flags, Source};
use pst_core::{Error, Kind};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Child;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A FETCH of bodies.
pub struct Ask<'a> {
    pub uids: Vec<u32>,
    /// "BODY.PEEK[]" and the like.
    pub item: &'a str,
    /// How many such commands there were before, on all connections.
    pub nth: usize,
}

/// What the server sends; the tagged answer follows unless `end` says otherwise.
pub struct Say {
    pub bytes: Vec<u8>,
    pub end: End,
}

pub enum End {
    Ok,
    /// Another tagged answer: word and text.
    Tagged(&'static str),
    /// The tagged answer stands in what a later command is answered.
    Later,
    /// The connection is closed.
    Close,
    /// Nothing more comes.
    Silence,
}

type Fetch = dyn Fn(&Script, &Ask) -> Say + Send + Sync;
type Text = dyn Fn(u32) -> Vec<u8> + Send + Sync;
/// Answers any other command: its line without the tag; `None` for the usual answer.
type Other = dyn Fn(&str, usize) -> Option<(Vec<u8>, End)> + Send + Sync;

/// What the server has and how it behaves.
pub struct Script {
    pub bodies: Vec<Vec<u8>>,
    /// The items of a listing, without UID.
    pub listing: Box<Text>,
    pub fetch: Box<Fetch>,
    pub other: Box<Other>,
}

impl Script {
    pub fn new(fetch: impl Fn(&Script, &Ask) -> Say + Send + Sync + 'static) -> Self {
        let bodies = vec![mail(1), mail(2)];
        let sizes: Vec<usize> = bodies.iter().map(Vec::len).collect();
        let listing = move |uid: u32| {
            format!(
                "FLAGS (\\Seen) INTERNALDATE \"01-Jul-2020 12:00:00 +0000\" RFC822.SIZE {}",
                sizes[uid as usize - 1]
            )
            .into_bytes()
        };
        Self { bodies, listing: Box::new(listing), fetch: Box::new(fetch), other: Box::new(|_, _| None) }
    }

    pub fn other(mut self, other: impl Fn(&str, usize) -> Option<(Vec<u8>, End)> + Send + Sync + 'static) -> Self {
        self.other = Box::new(other);
        self
    }

    pub fn listing(mut self, listing: impl Fn(u32) -> Vec<u8> + Send + Sync + 'static) -> Self {
        self.listing = Box::new(listing);
        self
    }

    /// The part of a body that an item asks for.
    pub fn part(&self, uid: u32, item: &str) -> Vec<u8> {
        let body = &self.bodies[uid as usize - 1];
        let split = body.windows(4).position(|w| w == b"\r\n\r\n").map_or(body.len(), |i| i + 4);
        if let Some((_, range)) = item.split_once("]<") {
            let (at, len) = range.trim_end_matches('>').split_once('.').unwrap();
            let (at, len): (usize, usize) = (at.parse().unwrap(), len.parse().unwrap());
            return body[at.min(body.len())..(at + len).min(body.len())].to_vec();
        }
        match item {
            "BODY.PEEK[HEADER]" => body[..split].to_vec(),
            "BODY.PEEK[TEXT]" => body[split..].to_vec(),
            _ => body.clone(),
        }
    }

    /// A proper answer for one message.
    pub fn fine(&self, uid: u32, item: &str) -> Vec<u8> {
        let part = self.part(uid, item);
        let name = item.replace(".PEEK", "").split('.').next().unwrap().to_owned();
        let name = if name.contains('<') { format!("{name}>") } else { name };
        let mut out = format!("* {uid} FETCH (UID {uid} {name} {{{}}}\r\n", part.len()).into_bytes();
        out.extend(part);
        out.extend(b")\r\n");
        out
    }

    /// Proper answers for all that was asked for, with something else for message 1 where it is asked for whole.
    pub fn with(&self, ask: &Ask, odd: impl FnOnce(&[u8]) -> Vec<u8>) -> Say {
        let mut odd = Some(odd);
        let mut bytes = Vec::new();
        for uid in &ask.uids {
            match odd.take_if(|_| *uid == 1 && ask.item == "BODY.PEEK[]") {
                Some(odd) => bytes.extend(odd(&self.bodies[0])),
                None => bytes.extend(self.fine(*uid, ask.item)),
            }
        }
        Say { bytes, end: End::Ok }
    }
}

pub fn mail(n: u32) -> Vec<u8> {
    format!("From: a@example.com\r\nSubject: message {n}\r\n\r\nline {n}\r\n* 9 FETCH (x {{3}}\r\n)\r\nlast\r\n")
        .into_bytes()
}

/// A running server, and the commands that came.
pub struct Scripted {
    pub port: u16,
    pub commands: Arc<Mutex<Vec<String>>>,
}

impl Scripted {
    pub fn start(script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let commands: Arc<Mutex<Vec<String>>> = Arc::default();
        let (script, noted, count) = (Arc::new(script), Arc::clone(&commands), Arc::new(AtomicUsize::new(0)));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (script, noted, count) = (Arc::clone(&script), Arc::clone(&noted), Arc::clone(&count));
                std::thread::spawn(move || serve(stream, &script, &noted, &count));
            }
        });
        Self { port, commands }
    }

    pub fn account(&self) -> Account {
        let server = Server {
            host: "127.0.0.1".into(),
            port: self.port,
            security: Security::Plain,
            tls: TlsOptions::default(),
            timeout: Duration::from_millis(400),
            stop: Arc::default(),
        };
        let login = Login::Password { user: "eve".into(), password: Secret::new("secret") };
        Account { patience: Duration::from_millis(2), ..Account::new(server, login) }
    }
}

fn serve(stream: TcpStream, script: &Script, noted: &Mutex<Vec<String>>, count: &AtomicUsize) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut out = stream.try_clone().ok()?;
    let mut lines = BufReader::new(stream);
    match (script.other)("", 0) {
        Some((bytes, _)) => out.write_all(&bytes).ok()?,
        None => out.write_all(b"* OK [CAPABILITY IMAP4rev1] ready\r\n").ok()?,
    }
    while let Some(line) = command(&mut lines, &mut out) {
        let (tag, command) = line.split_once(' ')?;
        noted.lock().unwrap().push(command.to_owned());
        let nth = noted.lock().unwrap().iter().filter(|c| c.split(' ').next() == command.split(' ').next()).count() - 1;
        let (bytes, end) = match (script.other)(command, nth) {
            Some(said) => said,
            None => answer(script, command, count),
        };
        out.write_all(&bytes).ok()?;
        match end {
            End::Ok => out.write_all(format!("{tag} OK done\r\n").as_bytes()).ok()?,
            End::Tagged(text) => out.write_all(format!("{tag} {text}\r\n").as_bytes()).ok()?,
            End::Later => {}
            End::Close => return None,
            End::Silence => std::thread::sleep(Duration::from_secs(3)),
        }
    }
    None
}

/// A command, its literals taken in; 8-bit bytes become question marks.
fn command(lines: &mut impl BufRead, out: &mut TcpStream) -> Option<String> {
    let mut all = Vec::new();
    loop {
        if lines.read_until(b'\n', &mut all).ok()? == 0 {
            return None;
        }
        all.truncate(all.trim_ascii_end().len());
        let text = String::from_utf8_lossy(&all).replace('\u{FFFD}', "?");
        let Some(length) = text.strip_suffix('}').and_then(|t| t.rsplit_once('{')).and_then(|(_, n)| n.parse().ok())
        else {
            return Some(text);
        };
        out.write_all(b"+ go on\r\n").ok()?;
        let mut literal = vec![0; length];
        lines.read_exact(&mut literal).ok()?;
        all.push(b' ');
        all.extend(literal);
    }
}

fn answer(script: &Script, command: &str, count: &AtomicUsize) -> (Vec<u8>, End) {
    let all = script.bodies.len() as u32;
    let text = match command.split(' ').next().unwrap() {
        "CAPABILITY" => "* CAPABILITY IMAP4rev1\r\n".to_owned(),
        "LIST" => "* LIST () \"/\" INBOX\r\n".to_owned(),
        "STATUS" => format!("* STATUS INBOX (MESSAGES {all} UNSEEN 0)\r\n"),
        "EXAMINE" => format!("* {all} EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT {}] x\r\n", all + 1),
        "LOGOUT" => return (b"* BYE\r\n".to_vec(), End::Ok),
        "UID" if command.starts_with("UID SEARCH") => {
            let uids: String = (1..=all).map(|u| format!(" {u}")).collect();
            format!("* SEARCH{uids}\r\n")
        }
        "UID" => return fetch(script, command, count),
        _ => String::new(),
    };
    (text.into_bytes(), End::Ok)
}

fn fetch(script: &Script, command: &str, count: &AtomicUsize) -> (Vec<u8>, End) {
    let (set, items) = command.strip_prefix("UID FETCH ").unwrap().split_once(" (").unwrap();
    let mut uids = Vec::new();
    for part in set.split(',') {
        let (first, last) = part.split_once(':').unwrap_or((part, part));
        let last = if last == "*" { script.bodies.len() as u32 } else { last.parse().unwrap() };
        uids.extend(first.parse::<u32>().unwrap()..=last);
    }
    let items = items.trim_end_matches(')');
    if items.contains("INTERNALDATE") || items.ends_with("FLAGS") {
        let mut bytes = Vec::new();
        for uid in uids {
            bytes.extend(format!("* {uid} FETCH (UID {uid} ").as_bytes());
            bytes.extend((script.listing)(uid));
            bytes.extend(b")\r\n");
        }
        return (bytes, End::Ok);
    }
    let nth = count.fetch_add(1, Ordering::Relaxed);
    let Say { bytes, end } = (script.fetch)(script, &Ask { uids, item: items.strip_prefix("UID ").unwrap(), nth });
    (bytes, end)
}

/// What a source gives for one message, or the sentence of its failure.
#[derive(Debug)]
pub struct Got {
    pub folder: String,
    pub id: String,
    pub result: Result<Loaded, String>,
}

#[derive(Debug)]
pub struct Loaded {
    pub bytes: Vec<u8>,
    pub flags: Flags,
    pub received: Option<i64>,
    pub warnings: Vec<String>,
}

/// Reads everything.
pub fn read_all(source: &ImapSource) -> Vec<Got> {
    let mut out = Vec::new();
    for folder in source.folders().unwrap() {
        let name = folder.path.join("/");
        let items = match source.items(&folder) {
            Ok(items) => items,
            Err(e) => {
                out.push(Got { folder: name.clone(), id: String::new(), result: Err(e.to_string()) });
                continue;
            }
        };
        for item in items {
            let loaded = item.map(|i| (i.id.clone(), source.load(&folder, &i).map_err(|e| e.to_string())));
            let (id, result) = match loaded {
                Ok(loaded) => loaded,
                Err(e) => (String::new(), Err(e.to_string())),
            };
            let result = result.map(|item| {
                let Body::Mime(mime) = item.body else { panic!("not a mail") };
                let mut bytes = Vec::new();
                mime.write_to(&mut bytes).unwrap();
                let warnings = item.warnings.iter().map(|w| w.text.clone()).collect();
                Loaded { bytes, flags: mime.flags, received: mime.received, warnings }
            });
            out.push(Got { folder: name.clone(), id, result });
        }
    }
    out
}

/// Runs a source over a script.
pub fn run(script: Script) -> (Vec<Got>, Vec<String>) {
    let server = Scripted::start(script);
    let source = ImapSource::open(server.account(), Options { connections: 1, ..Options::default() }).unwrap();
    let got = read_all(&source);
    drop(source);
    let commands = server.commands.lock().unwrap().clone();
    (got, commands)
}

/// A program on its input and output.
pub struct Program(pub Child);

impl Read for Program {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        self.0.stdout.as_mut().unwrap().read(out)
    }
}

impl Write for Program {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.stdin.as_mut().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.stdin.as_mut().unwrap().flush()
    }
}

impl Channel for Program {
    fn start_tls(self: Box<Self>, _server: &Server) -> pst_core::Result<Box<dyn Channel>> {
        Err(Error::new(Kind::Unsupported, "no TLS to a program"))
    }

    fn compress(self: Box<Self>) -> pst_core::Result<Box<dyn Channel>> {
        Err(Error::new(Kind::Unsupported, "no compression to a program"))
    }

    fn is_encrypted(&self) -> bool {
        false
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
