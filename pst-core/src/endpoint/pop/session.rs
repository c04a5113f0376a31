//! One connection, from the greeting on: capabilities, TLS, and the commands.

use super::body::{Incoming, cannot_store};
use super::{Account, refusal, signin, wire};
use crate::endpoint::net::secret::scrub;
use crate::endpoint::net::{Notice, Security, Stream, tame};
use crate::error::{Error, Kind, Result};
use std::io::{ErrorKind, Write};
use std::time::{Duration, Instant};

/// Sign-ins that the server puts off before that is final.
const PATIENCE: u32 = 6;
/// Bytes of an answer that is a list. Ten million messages have less.
const LIST: usize = 512 << 20;

/// What a server says that it can do ([RFC 2449]).
#[derive(Debug, Clone, Default)]
pub struct Capabilities {
    /// It has answered; many servers do not know the question.
    pub told: bool,
    /// Names in upper case, with their arguments.
    pub all: Vec<(String, Vec<String>)>,
}

impl Capabilities {
    /// True for something that the server has.
    pub fn has(&self, name: &str) -> bool {
        self.arguments(name).is_some()
    }

    /// What stands behind a capability.
    pub fn arguments(&self, name: &str) -> Option<&[String]> {
        self.all.iter().find(|(n, _)| n == name).map(|(_, arguments)| arguments.as_slice())
    }

    /// How much time must pass between two sign-ins.
    pub fn login_delay(&self) -> Option<Duration> {
        Some(Duration::from_secs(self.arguments("LOGIN-DELAY")?.first()?.parse().ok()?))
    }
}

/// A connection.
pub struct Session {
    account: Account,
    /// `None` only while the connection changes its form.
    stream: Option<Stream>,
    /// `<...>` in the greeting, for APOP.
    pub(super) stamp: Option<String>,
    /// What is not repeated if the server says it, while somebody signs in.
    pub(super) hidden: Vec<String>,
    /// What the server can do.
    pub capabilities: Capabilities,
}

/// The answer to a command: its words behind `+OK`, or those behind `-ERR`.
pub type Answer = std::result::Result<String, String>;

impl Session {
    /// Connects and signs in, with patience where the server asks for it.
    ///
    /// # Errors
    /// [`Kind::Connection`] when the server cannot be reached, [`Kind::Denied`] when it refuses the sign-in.
    pub fn open(account: &Account) -> Result<Self> {
        let mut n = 0;
        loop {
            let mut delay = None;
            let error = match Self::attempt(account, &mut delay) {
                Err(e) if e.kind() == Kind::Server => e,
                done => return done,
            };
            if n == PATIENCE {
                return Err(error);
            }
            let wait = refusal::wait(n, delay);
            n += 1;
            (account.watch)(&Notice::Waiting { why: error.text().to_owned(), wait });
            pause(account, wait)?;
        }
    }

    /// One attempt. [`Kind::Server`]: later it may be different.
    fn attempt(account: &Account, delay: &mut Option<Duration>) -> Result<Self> {
        let stream = Some(Stream::connect(&account.server)?);
        let (account, capabilities) = (account.clone(), Capabilities::default());
        let mut new = Self { account, stream, stamp: None, hidden: Vec::new(), capabilities };
        match new.status("the greeting")? {
            Ok(greeting) => {
                let stamp = greeting.find('<').zip(greeting.rfind('>'));
                new.stamp = stamp.and_then(|(from, to)| greeting.get(from..=to)).map(ToOwned::to_owned);
            }
            Err(words) => return Err(new.refused("the server turns everybody away", &words, Kind::Connection)),
        }
        new.ask_capabilities()?;
        if new.account.server.security == Security::StartTls {
            new.start_tls()?;
        }
        *delay = new.capabilities.login_delay();
        signin::sign_in(&mut new)?;
        // Some servers tell more to who has signed in.
        new.ask_capabilities()?;
        Ok(new)
    }

    fn start_tls(&mut self) -> Result<()> {
        let server = self.account.server.clone();
        if self.capabilities.told && !self.capabilities.has("STLS") {
            let text = "the server does not offer TLS here (STLS); pop3s:// may reach it, and --insecure-plaintext does \
                        without, so that everybody on the way can read the password and the mail";
            return Err(Error::new(Kind::Connection, format!("{server}: {text}")));
        }
        if let Err(words) = self.command("STLS")? {
            return Err(self.refused("the server does not begin TLS", &words, Kind::Connection));
        }
        let stream = self.stream.take().ok_or_else(|| self.gone())?;
        self.stream = Some(stream.start_tls(&server)?);
        // What was said before may have been said by anybody.
        self.ask_capabilities()
    }

    fn ask_capabilities(&mut self) -> Result<()> {
        let mut told = Capabilities::default();
        if self.command("CAPA")?.is_ok() {
            told.told = true;
            for line in self.list()? {
                let mut words = line.split_ascii_whitespace().map(str::to_ascii_uppercase);
                if let Some(name) = words.next() {
                    told.all.push((name, words.collect()));
                }
            }
        } else if self.capabilities.told {
            // Asked again too late for this server.
            return Ok(());
        }
        self.capabilities = told;
        Ok(())
    }

    /// The account.
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// True in TLS.
    pub fn is_encrypted(&self) -> bool {
        self.stream.as_ref().is_some_and(Stream::is_encrypted)
    }

    /// How many commands may be under way.
    pub fn window(&self) -> usize {
        if self.capabilities.has("PIPELINING") { 32 } else { 1 }
    }

    /// The error of a refusal. `kind`: what it is unless the server says more.
    pub(super) fn refused(&self, what: &str, words: &str, kind: Kind) -> Error {
        let kind = match refusal::meaning(words) {
            refusal::Meaning::Passing => Kind::Server,
            refusal::Meaning::Denied => Kind::Denied,
            refusal::Meaning::Other => kind,
        };
        let words = if words.is_empty() { "no reason".to_owned() } else { self.said(words) };
        Error::new(kind, format!("{}: {what}; it says: {words}", self.account.server))
    }

    /// Words of the server, fit to be shown.
    pub(super) fn said(&self, words: &str) -> String {
        tame(scrub(&self.hidden, words).as_bytes())
    }

    fn gone(&self) -> Error {
        Error::new(Kind::Connection, format!("{}: the connection is closed", self.account.server))
    }

    fn stream(&mut self) -> Result<&mut Stream> {
        if self.stream.is_none() {
            return Err(self.gone());
        }
        self.stream.as_mut().ok_or_else(|| Error::new(Kind::Connection, "the connection is closed"))
    }

    /// Sends lines, all at once.
    pub fn send(&mut self, lines: &[String]) -> Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        let server = self.account.server.clone();
        let bytes = lines.join("\r\n") + "\r\n";
        self.stream()?.write_all(bytes.as_bytes()).map_err(|e| server.failed("a command cannot be sent", &e))
    }

    /// Sends a line and reads the answer.
    pub fn command(&mut self, command: &str) -> Result<Answer> {
        self.send(&[command.to_owned()])?;
        // What stands behind the first word may be secret.
        self.status(command.split(' ').next().unwrap_or_default())
    }

    /// Reads the first line of an answer.
    pub fn status(&mut self, what: &str) -> Result<Answer> {
        let line = self.line(what)?;
        let words = |rest: &str| rest.trim().to_owned();
        if let Some(rest) = line.strip_prefix("+OK") {
            return Ok(Ok(words(rest)));
        }
        if let Some(rest) = line.strip_prefix("-ERR") {
            return Ok(Err(words(rest)));
        }
        // Nothing that comes behind this can be trusted.
        self.stream = None;
        let text = format!("{}: {what}: the server answers out of turn: {}", self.account.server, self.said(&line));
        Err(Error::new(Kind::Connection, text))
    }

    /// Reads a line.
    pub(super) fn line(&mut self, what: &str) -> Result<String> {
        let server = self.account.server.clone();
        let waiting = format!("{what} is not answered");
        let line = wire::line(self.stream()?).and_then(|l| l.ok_or_else(|| ErrorKind::UnexpectedEof.into()));
        match line {
            Ok(line) => Ok(String::from_utf8_lossy(&line).into_owned()),
            Err(e) => {
                self.stream = None;
                Err(server.failed(&waiting, &e))
            }
        }
    }

    /// Reads the lines of a list.
    pub fn list(&mut self) -> Result<Vec<String>> {
        struct Bounded(Vec<u8>);
        impl Write for Bounded {
            fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
                if self.0.len() + bytes.len() > LIST {
                    return Err(std::io::Error::other("the list has no end"));
                }
                self.0.extend_from_slice(bytes);
                Ok(bytes.len())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let server = self.account.server.clone();
        let mut all = Bounded(Vec::new());
        wire::lines(self.stream()?, 0, &mut all).map_err(|e| server.failed("a list breaks off", &e))?;
        Ok(String::from_utf8_lossy(&all.0).lines().map(ToOwned::to_owned).collect())
    }

    /// Reads a message of about `size` bytes.
    pub fn message(&mut self, size: u64) -> Result<Incoming> {
        let server = self.account.server.clone();
        let mut body = Incoming::of(size);
        match wire::lines(self.stream()?, size, &mut body) {
            Ok(()) => Ok(body),
            Err(e) => {
                self.stream = None;
                Err(cannot_store(&e).unwrap_or_else(|| server.failed("a message breaks off", &e)))
            }
        }
    }
}

/// Waits, unless the user stops.
pub fn pause(account: &Account, wait: Duration) -> Result<()> {
    let until = Instant::now() + wait;
    loop {
        if account.server.stopped() {
            return Err(Error::new(Kind::Interrupted, "stopped by the user"));
        }
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        std::thread::sleep(left.min(Duration::from_millis(200)));
    }
}
