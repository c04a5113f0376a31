//! Mail servers: connections, signing in, and mailboxes as sources.

#![allow(clippy::pedantic, reason = "tests are read, not called")]
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![cfg(unix)]

mod evil;
mod scripted;
