//! IMAP (RFC 3501, RFC 9051): a client that only reads, and the source over it.
//!
//! The layers, from the wire up: [`wire`] frames lines and literals, [`token`] walks over them, [`response`] and
//! [`fetched`] take what they understand: no strict parser stands before a message. [`command`] has everything that is
//! ever sent, [`session`] is one connection. A plan says what is fetched next, workers with a connection each carry it out,
//! and a ladder of other ways stands ready for messages that do not come.

mod append;
mod change;
pub mod command;
mod compare;
pub mod fetched;
pub mod folders;
mod gmail;
mod ladder;
mod lane;
mod letter;
pub mod listing;
mod plan;
pub mod response;
pub mod session;
mod shared;
mod signin;
mod source;
pub mod throttle;
pub mod token;
pub mod wire;
mod worker;

pub use folders::{Counts, Mailbox, Wanted};
pub use lane::{ImapLane, PushOptions};
pub use listing::{FolderState, Known, KnownFolder};
pub use plan::Ledger;
pub use session::{Account, Channel, Compress, Dial, Network, Session};
pub use source::{CONNECTIONS, ImapSource, Labels, Options};

pub use super::net::{Notice, Watch};
