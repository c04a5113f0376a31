//! An account, and how connections to its server are made.

use super::response::Status;
use super::throttle;
use super::wire::Limits;
use crate::endpoint::net::{Login, Server, Stream, Watch, tame};
use crate::error::{Error, Kind, Result};
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
