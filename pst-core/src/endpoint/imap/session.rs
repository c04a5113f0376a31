//! One connection to a server, from the greeting to the farewell; several commands may be under way.

use super::command::{Command, Piece};
use super::response::{Response, Status, Word, capabilities, parse};
use super::throttle;
use super::wire::{Limits, Line, Reader, dropped};
use crate::endpoint::net::secret::scrub;
use crate::endpoint::net::{Login, Notice, Security, Server, Stream, Watch, tame};
use crate::error::{Error, Kind, Result};
use crate::io::Spool;
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::sync::Arc;
use std::time::Duration;

/// A connection of any kind.
pub trait Channel: Read + Write + Send {
    /// Continues in TLS.
    ///
    /// # Errors
    /// When it cannot.
    fn start_tls(self: Box<Self>, server: &Server) -> Result<Box<dyn Channel>>;

    /// Continues compressed.
    ///
    /// # Errors
    /// When it cannot.
    fn compress(self: Box<Self>) -> Result<Box<dyn Channel>>;

    /// True in TLS.
    fn is_encrypted(&self) -> bool;
}

impl Channel for Stream {
    fn start_tls(self: Box<Self>, server: &Server) -> Result<Box<dyn Channel>> {
        Ok(Box::new(Self::start_tls(*self, server)?))
    }

    fn compress(self: Box<Self>) -> Result<Box<dyn Channel>> {
        Ok(Box::new(Self::compress(*self)?))
    }

    fn is_encrypted(&self) -> bool {
        Self::is_encrypted(self)
    }
}

/// Makes connections: over the network, or to a program that speaks IMAP.
pub trait Dial: Send + Sync {
    /// A new connection.
    ///
    /// # Errors
    /// When the server cannot be reached.
    fn dial(&self, server: &Server) -> Result<Box<dyn Channel>>;
}

/// Over the network.
#[derive(Debug, Clone, Copy, Default)]
pub struct Network;

impl Dial for Network {
    fn dial(&self, server: &Server) -> Result<Box<dyn Channel>> {
        Ok(Box::new(Stream::connect(server)?))
    }
}

/// When a server is asked to compress: it costs both sides much time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Compress {
    /// Once a line has shown that it is slow.
    #[default]
    SlowLines,
    /// From the beginning.
    Always,
    /// Not at all.
    Never,
}

/// An account on a server, and how it is talked to.
#[derive(Clone)]
pub struct Account {
    /// The server.
    pub server: Server,
    /// Who signs in; `None` where the connection is signed in already (PREAUTH).
    pub login: Option<Login>,
    /// How connections are made.
    pub dial: Arc<dyn Dial>,
    /// When the server is asked to compress what it sends, where it can.
    pub compress: Compress,
    /// Bounds of a response.
    pub limits: Limits,
    /// How long is waited before a connection that broke is made again; twice that before the next attempt, and so on.
    pub patience: Duration,
    /// Takes notices.
    pub watch: Watch,
}

impl Account {
    /// An account over the network.
    pub fn new(server: Server, login: Login) -> Self {
        Self {
            server,
            login: Some(login),
            dial: Arc::new(Network),
            compress: Compress::default(),
            limits: Limits::default(),
            patience: Duration::from_secs(1),
            watch: Arc::new(|_| {}),
        }
    }

    /// What the server said, as an error.
    pub(super) fn refused(&self, what: &str, status: &Status) -> Error {
        let words = tame(status.words().as_bytes());
        let kind = if throttle::is_denial(status) { Kind::Denied } else { Kind::Server };
        Error::new(kind, format!("{}: {what}: the server said: {words}", self.server))
    }
}

/// A session.
pub struct Session {
    account: Account,
    /// `None` while the connection changes its form, and once reading has failed.
    reader: Option<Reader<Box<dyn Channel>>>,
    capabilities: BTreeSet<String>,
    enabled: BTreeSet<String>,
    /// The server was asked to compress.
    packed: bool,
    tags: u32,
    /// The server has said goodbye.
    bye: Option<Status>,
    /// The server has said that nobody need sign in.
    signed_in: bool,
    /// What is not repeated if the server says it, while somebody signs in.
    pub(super) hidden: Vec<String>,
    /// It is for changes: nothing is switched on that changes how names and messages are sent.
    changes: bool,
    /// The folder that is open: its name as on the wire, and its UIDVALIDITY.
    pub(super) opened: Option<(Vec<u8>, u32)>,
}

impl Session {
    /// Connects and signs in.
    ///
    /// # Errors
    /// [`Kind::Connection`] when the server cannot be reached, [`Kind::Denied`] when it refuses the sign-in.
    pub fn open(account: &Account) -> Result<Self> {
        Self::begin(account, false)
    }

    /// As [`Session::open`], for a session that changes the mailbox.
    ///
    /// # Errors
    /// As [`Session::open`].
    pub(super) fn open_to_change(account: &Account) -> Result<Self> {
        Self::begin(account, true)
    }

    fn begin(account: &Account, changes: bool) -> Result<Self> {
        let channel = account.dial.dial(&account.server)?;
        let mut new = Self {
            reader: Some(Reader::new(channel, account.limits)),
            account: account.clone(),
            capabilities: BTreeSet::new(),
            enabled: BTreeSet::new(),
            packed: false,
            tags: 0,
            bye: None,
            signed_in: false,
            hidden: Vec::new(),
            changes,
            opened: None,
        };
        new.greet()?;
        new.greeted()?;
        Ok(new)
    }

    /// The account.
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// True for what the server can do, by its name in upper case.
    pub fn can(&self, capability: &str) -> bool {
        self.capabilities.contains(capability)
    }

    /// The names behind a prefix of capabilities, such as "AUTH=".
    pub fn offered(&self, prefix: &str) -> Vec<&str> {
        self.capabilities.iter().filter_map(|c| c.strip_prefix(prefix)).collect()
    }

    /// True for extensions that are switched on.
    pub fn has_enabled(&self, extension: &str) -> bool {
        self.enabled.contains(extension)
    }

    /// False for Exchange, which only estimates the sizes of messages.
    pub(super) fn has_exact_sizes(&self) -> bool {
        !self.can("CLIENTACCESSRULES") && !self.can("BACKENDAUTHENTICATE")
    }

    /// What the server said when it ended the session.
    pub fn bye(&self) -> Option<&Status> {
        self.bye.as_ref()
    }

    fn greet(&mut self) -> Result<()> {
        let status = loop {
            match self.read()? {
                Response::Status(status) => break status,
                Response::Blank => {}
                _ => return Err(self.failed(Kind::Server, "it does not greet as an IMAP server does")),
            }
        };
        match status.word {
            Word::Ok | Word::PreAuth => {}
            _ => return Err(self.account.refused("connecting", &status)),
        }
        let server = &self.account.server;
        if server.security == Security::StartTls {
            if self.signed_in {
                let text = "it says that the session is signed in before TLS has begun; somebody on the way may have \
                            said that";
                return Err(self.failed(Kind::Connection, text));
            }
            self.start_tls()?;
        }
        if self.capabilities.is_empty() {
            self.ask_capabilities()?;
        }
        // Courier may have a word to say before it greets: then the greeting has been read by now.
        if !self.signed_in {
            super::signin::sign_in(self)?;
        }
        Ok(())
    }

    /// What every session does once it is signed in.
    fn greeted(&mut self) -> Result<()> {
        let wanted = ["UTF8=ACCEPT", "QRESYNC", "CONDSTORE"];
        let wanted: Vec<&str> = wanted.into_iter().filter(|c| self.can(c)).collect();
        let enable = Command::enable(&wanted.join(" "));
        match (self.can("ID"), self.can("ENABLE") && !wanted.is_empty() && !self.changes) {
            (true, true) => drop(self.run_both(&Command::id(), &enable, &mut |_, _| {})?),
            (true, false) => drop(self.run(&Command::id(), &mut |_| {})?),
            (false, true) => drop(self.run(&enable, &mut |_| {})?),
            (false, false) => {}
        }
        if self.account.compress == Compress::Always && self.can("COMPRESS=DEFLATE") {
            self.compress()?;
        }
        Ok(())
    }

    /// True once the line has shown that it is slow, and the server can compress. Nothing may be under way then.
    pub(super) fn would_compress(&self) -> bool {
        let slow = || self.reader.as_ref().is_some_and(|r| r.pace().is_slow());
        self.account.compress == Compress::SlowLines && !self.packed && self.can("COMPRESS=DEFLATE") && slow()
    }

    /// Has the server compress from now on, if it will; it is asked once.
    ///
    /// # Errors
    /// When the connection breaks.
    pub(super) fn compress(&mut self) -> Result<()> {
        self.packed = true;
        let status = self.run(&Command::compress(), &mut |_| {})?;
        if status.is_ok() { self.change(Channel::compress) } else { Ok(()) }
    }

    fn start_tls(&mut self) -> Result<()> {
        let status = self.run(&Command::start_tls(), &mut |_| {})?;
        if !status.is_ok() {
            let words = tame(status.words().as_bytes());
            let text =
                format!("it does not begin TLS ({words}); without TLS everybody on the way can read the password");
            return Err(self.failed(Kind::Connection, &text));
        }
        let server = self.account.server.clone();
        self.change(|channel| channel.start_tls(&server))?;
        // What was said before TLS may have been said by anybody.
        self.capabilities.clear();
        self.signed_in = false;
        Ok(())
    }

    /// Changes the form of the connection. What is read already would belong to the old form.
    fn change(&mut self, to: impl FnOnce(Box<dyn Channel>) -> Result<Box<dyn Channel>>) -> Result<()> {
        let Some(reader) = self.reader.take() else { return Err(self.gone()) };
        let (channel, rest) = reader.into_parts();
        if !rest.is_empty() {
            let text =
                "more bytes stand behind its answer than there should be, as if somebody on the way had added them";
            return Err(self.failed(Kind::Connection, text));
        }
        self.reader = Some(Reader::new(to(channel)?, self.account.limits));
        Ok(())
    }

    pub(super) fn ask_capabilities(&mut self) -> Result<()> {
        let status = self.run(&Command::capability(), &mut |_| {})?;
        if status.is_ok() { Ok(()) } else { Err(self.account.refused("asking what it can do", &status)) }
    }

    pub(super) fn forget_capabilities(&mut self) {
        self.capabilities.clear();
    }

    pub(super) fn restore_capabilities(&mut self, words: Vec<String>) {
        self.capabilities.extend(words);
    }

    pub(super) fn has_capabilities(&self) -> bool {
        !self.capabilities.is_empty()
    }

    pub(super) fn is_encrypted(&mut self) -> bool {
        self.reader.as_mut().is_some_and(|r| r.inner().is_encrypted())
    }

    /// False once reading has failed.
    pub(super) fn is_usable(&self) -> bool {
        self.reader.is_some()
    }

    fn gone(&self) -> Error {
        let said = self.bye.as_ref().map(|b| format!(" (it said: {})", tame(b.words().as_bytes())));
        self.failed(Kind::Connection, &format!("it has closed the connection{}", said.unwrap_or_default()))
    }

    fn failed(&self, kind: Kind, text: &str) -> Error {
        Error::new(kind, format!("{}: {text}", self.account.server))
    }

    fn named(&self, e: &Error) -> Error {
        if self.bye.is_some() && e.kind() == Kind::Connection {
            return self.gone();
        }
        if e.kind() == Kind::Interrupted {
            return Error::new(Kind::Interrupted, e.text());
        }
        self.failed(e.kind(), e.text())
    }

    /// Sends bytes.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let Some(reader) = &mut self.reader else { return Err(self.gone()) };
        let channel = reader.inner();
        let sent = channel.write_all(bytes).and_then(|()| channel.flush()).map_err(|e| dropped(&e));
        sent.map_err(|e| self.named(&e))
    }

    /// Sends what waits to be written.
    pub(super) fn pour(&mut self, data: &mut Spool) -> Result<()> {
        let Some(reader) = &mut self.reader else { return Err(self.gone()) };
        let channel = reader.inner();
        let sent = data.copy_to(channel).and_then(|_| channel.flush()).map_err(|e| dropped(&e));
        sent.map_err(|e| self.named(&e))
    }

    /// The tag of the next command.
    pub(super) fn tag(&mut self) -> String {
        self.tags += 1;
        format!("p{}", self.tags)
    }

    /// Begins a command; returns its tag.
    ///
    /// # Errors
    /// When the connection breaks, or the server refuses a literal of it.
    pub fn send(&mut self, command: &Command) -> Result<String> {
        let tag = self.tag();
        let mut out = format!("{tag} ").into_bytes();
        for piece in &command.0 {
            match piece {
                Piece::Text(text) => out.extend_from_slice(text.as_bytes()),
                Piece::Literal(bytes) if self.can("LITERAL+") => {
                    out.extend_from_slice(format!("{{{}+}}\r\n", bytes.len()).as_bytes());
                    out.extend_from_slice(bytes);
                }
                Piece::Literal(bytes) => {
                    out.extend_from_slice(format!("{{{}}}\r\n", bytes.len()).as_bytes());
                    self.write(&std::mem::take(&mut out))?;
                    self.await_continue(&tag)?;
                    out.extend_from_slice(bytes);
                }
            }
        }
        out.extend_from_slice(b"\r\n");
        self.write(&out)?;
        Ok(tag)
    }

    fn await_continue(&mut self, tag: &str) -> Result<()> {
        loop {
            match self.read()? {
                Response::Continue(_) => return Ok(()),
                Response::Tagged(t, status) if t == tag => return Err(self.account.refused("sending a name", &status)),
                _ => {}
            }
        }
    }

    /// The next response, whatever it is.
    ///
    /// # Errors
    /// [`Kind::Connection`] when the connection ends or stalls; with the server's words where it said goodbye.
    pub fn read(&mut self) -> Result<Response> {
        let Some(reader) = &mut self.reader else { return Err(self.gone()) };
        let line: Line = match reader.line() {
            Ok(Some(line)) => line,
            Ok(None) => return Err(self.gone()),
            Err(e) => {
                // What follows is the rest of something: nothing that can be understood.
                self.reader = None;
                return Err(self.named(&e));
            }
        };
        let mut response = parse(line);
        match &mut response {
            Response::Capability(words) => self.capabilities = words.iter().cloned().collect(),
            Response::Enabled(words) => self.enabled.extend(words.iter().cloned()),
            Response::Status(status) => self.noted(status),
            Response::Tagged(_, status) => {
                self.learn(status);
                self.hide(status);
            }
            _ => {}
        }
        Ok(response)
    }

    fn noted(&mut self, status: &mut Status) {
        self.learn(status);
        self.hide(status);
        if status.code("ALERT").is_some() {
            (self.account.watch)(&Notice::Alert(tame(status.text.as_bytes())));
        }
        self.signed_in |= status.word == Word::PreAuth;
        if status.word == Word::Bye {
            self.bye = Some(status.clone());
        }
    }

    /// Takes out of a status what was sent to sign in: errors and alerts are made of it.
    fn hide(&self, status: &mut Status) {
        if !self.hidden.is_empty() {
            status.text = scrub(&self.hidden, &status.text);
            status.code = status.code.take().map(|(name, rest)| (name, scrub(&self.hidden, &rest)));
        }
    }

    fn learn(&mut self, status: &Status) {
        if let Some(words) = status.code("CAPABILITY") {
            self.capabilities = capabilities(words.as_bytes()).into_iter().collect();
        }
    }

    /// Runs a command to its end; `take` is given the responses on the way.
    ///
    /// # Errors
    /// When the connection breaks. A NO or BAD of the server is returned, not an error.
    pub fn run(&mut self, command: &Command, take: &mut dyn FnMut(Response)) -> Result<Status> {
        let tag = self.send(command)?;
        self.finish(&tag, take)
    }

    /// Reads to the end of a command that was begun.
    ///
    /// # Errors
    /// When the connection breaks.
    pub fn finish(&mut self, tag: &str, take: &mut dyn FnMut(Response)) -> Result<Status> {
        loop {
            match self.read()? {
                Response::Tagged(t, status) if t == tag => return Ok(status),
                other => take(other),
            }
        }
    }

    /// Runs two commands of which the server learns at once; `take` is told whether the first has ended. Without a second
    /// status, the second one ended before the first, and what came of it cannot be told apart.
    ///
    /// # Errors
    /// When the connection breaks.
    pub fn run_both(
        &mut self,
        first: &Command,
        second: &Command,
        take: &mut dyn FnMut(bool, Response),
    ) -> Result<(Status, Option<Status>)> {
        let (one, two) = (self.send(first)?, self.send(second)?);
        let mut early = false;
        let status = self.finish(&one, &mut |response| match response {
            Response::Tagged(tag, _) if tag == two => early = true,
            other => take(false, other),
        })?;
        let end = if early { None } else { Some(self.finish(&two, &mut |response| take(true, response))?) };
        Ok((status, end))
    }

    /// As [`Self::run`], but a refusal is an error that says `what` was done.
    ///
    /// # Errors
    /// When the connection breaks, or the server says NO or BAD.
    pub fn must(&mut self, what: &str, command: &Command, take: &mut dyn FnMut(Response)) -> Result<Status> {
        let status = self.run(command, take)?;
        if status.is_ok() { Ok(status) } else { Err(self.account.refused(what, &status)) }
    }

    /// Says goodbye; what the server answers does not matter any more.
    pub fn close(mut self) {
        if self.bye.is_none() && self.send(&Command::logout()).is_ok() {
            // A server that does not answer is left alone after the farewell.
            let _ = self.read();
        }
    }
}
