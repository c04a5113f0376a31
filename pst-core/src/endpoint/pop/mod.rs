//! POP3 ([RFC 1939]): a client that reads an Inbox, and the source over it.
//!
//! POP3 shows the messages of one folder, without flags or times of arrival: [`NOTE`] says so in reports. A download ends
//! without QUIT, so that a server changes nothing even where it deletes what was fetched ([RFC 2449] 6.7, EXPIRE 0). Only
//! [`PopSource::delete`] deletes, and only what it is given.

mod body;
mod fetch;
mod listing;
mod refusal;
mod session;
mod shared;
mod signin;
mod source;
mod wire;

pub use session::Capabilities;
pub use source::{Known, Ledger, Options, PopSource};

use super::net::{Login, Server, Watch};
use std::sync::Arc;

/// What a report of a download by POP3 has to say.
pub const NOTE: &str = "POP3 shows the Inbox only: other folders, flags and the times of arrival are not in this download; \
                        IMAP has them, where the server speaks it";

/// An account on a server.
#[derive(Clone)]
pub struct Account {
    /// The server.
    pub server: Server,
    /// Who signs in.
    pub login: Login,
    /// Takes notices: waits, broken connections.
    pub watch: Watch,
}

impl Account {
    /// An account whose notices nobody takes.
    pub fn new(server: Server, login: Login) -> Self {
        Self { server, login, watch: Arc::new(|_| {}) }
    }
}
