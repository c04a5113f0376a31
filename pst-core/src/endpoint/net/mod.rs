//! What mail servers have in common: addresses, connections, TLS, and signing in.

pub mod address;
pub mod http;
pub mod patience;
pub mod sasl;
pub mod secret;
pub mod srv;
pub mod stream;
pub mod tls;

mod deflate;
mod socket;

pub use address::{Address, Scheme};
pub use patience::{Notice, Watch};
pub use secret::{Login, Secret, TokenSource};
pub use stream::Stream;
pub use tls::TlsOptions;

use crate::error::{Error, Kind};
use std::fmt::{self, Write as _};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Longest part of a server's words that stands in an error or report, characters.
const WORDS: usize = 300;

/// How a connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte.
    Tls,
    /// TLS after the greeting; a server without it is not used.
    StartTls,
    /// No TLS: everybody on the way can read and change everything.
    Plain,
}

/// A server, and how it is reached.
#[derive(Debug, Clone)]
pub struct Server {
    /// Its name or IP address; the name that its certificate must have.
    pub host: String,
    /// Its TCP port.
    pub port: u16,
    /// How the connection is protected.
    pub security: Security,
    /// Which certificates are accepted, and which is shown.
    pub tls: TlsOptions,
    /// How long the server may be silent.
    pub timeout: Duration,
    /// Set by the user's wish to stop: reads and writes then end within 300 ms.
    pub stop: Arc<AtomicBool>,
}

impl Server {
    /// The error of a read or write while doing `what`: [`Kind::Interrupted`] where the user has stopped,
    /// [`Kind::Connection`] otherwise.
    pub fn failed(&self, what: &str, e: &io::Error) -> Error {
        if self.stopped() || is_stop(e) {
            return Error::new(Kind::Interrupted, "stopped by the user");
        }
        if let Some(e) = tls::tls_error(e) {
            return Error::new(Kind::Connection, format!("{self}: {what}: {}", tls::explain(e, None)));
        }
        let why = match e.kind() {
            io::ErrorKind::TimedOut => format!("it has not answered for {} seconds", self.timeout.as_secs()),
            io::ErrorKind::UnexpectedEof => "it has closed the connection".to_owned(),
            io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionAborted => {
                "the connection has broken".to_owned()
            }
            _ => tame(e.to_string().as_bytes()),
        };
        Error::new(Kind::Connection, format!("{self}: {what}: {why}"))
    }

    /// True once the user wants to stop.
    pub fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", address::bracketed(&self.host), self.port)
    }
}

/// Marks the end of a read or write by the user's wish. It is no [`io::ErrorKind::Interrupted`], because callers of the
/// standard library try again on that.
#[derive(Debug)]
struct Stop;

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("stopped by the user")
    }
}

impl std::error::Error for Stop {}

fn stop() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, Stop)
}

/// True for the error of a read or write that ended because the user has stopped.
pub fn is_stop(e: &io::Error) -> bool {
    e.get_ref().and_then(|inner| inner.downcast_ref::<Stop>()).is_some()
}

/// What a server said, fit for a terminal: no control characters, at most 300 characters.
pub fn tame(said: &[u8]) -> String {
    let start = said.get(..said.len().min(8 * WORDS)).unwrap_or_default();
    let text = String::from_utf8_lossy(start);
    let harmless = |c: char| {
        let hidden =
            matches!(c, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}');
        if c.is_control() || hidden { ' ' } else { c }
    };
    let text: String = text.chars().map(harmless).collect();
    match text.trim().char_indices().nth(WORDS) {
        Some((end, _)) => format!("{}…", text.trim().get(..end).unwrap_or_default()),
        None => text.trim().to_owned(),
    }
}

pub(in crate::endpoint) fn hexadecimal(hash: &[u8]) -> String {
    hash.iter().fold(String::new(), |mut out, b| {
        let _ = write!(out, "{b:02x}");
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_says_cannot_move_the_cursor() {
        assert_eq!(tame(b"\x1b[2Jgone\r\nnext\xFF\r\n"), "[2Jgone  next\u{FFFD}");
        assert_eq!(tame("a\u{202E}b".as_bytes()), "a b");
        let long = tame("é".repeat(10_000).as_bytes());
        assert_eq!(long.chars().count(), WORDS + 1);
        assert!(long.ends_with('…'));
    }
}
