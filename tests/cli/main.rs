//! Behaviour of the `pst` command.

#![allow(clippy::pedantic, reason = "tests are read, not called")]
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unreachable
)]

mod accounts;
#[cfg(all(unix, feature = "network"))]
#[cfg(all(unix, feature = "network"))]
#[path = "../support/blob.rs"]
#[allow(dead_code, reason = "each test uses its part")]
mod blob;
#[path = "../support/certificates.rs"]
#[allow(dead_code, reason = "each test uses its part")]
mod certificates;
#[path = "../support/charsets.rs"]
mod charsets;
mod command;
#[cfg(all(unix, feature = "network"))]
#[path = "../support/dovecot.rs"]
#[allow(dead_code, reason = "each test uses its part")]
mod dovecot;
#[cfg(all(unix, feature = "network"))]
mod download;
#[cfg(all(unix, feature = "network"))]
mod download_killed;
#[cfg(all(unix, feature = "network"))]
mod download_limits;
mod exchange;
#[cfg(all(unix, feature = "network"))]
#[path = "../support/ews.rs"]
#[allow(dead_code, reason = "each test uses its part")]
mod exchange_server;
mod fixtures;
mod folders;
#[path = "../support/generate.rs"]
mod generate;
mod hostile_names;
#[cfg(feature = "network")]
#[path = "../support/idp.rs"]
#[allow(dead_code, reason = "each test uses its part")]
mod idp;
mod kept;
#[cfg(target_os = "linux")]
mod limits;
#[cfg(feature = "network")]
mod login;
#[cfg(all(unix, feature = "network"))]
#[path = "../support/mailbox.rs"]
mod mailbox;
#[cfg(all(unix, feature = "network"))]
#[path = "../support/graph.rs"]
#[allow(dead_code, reason = "each test uses its part")]
mod microsoft;
#[cfg(all(unix, feature = "network"))]
mod mirrored;
mod pim;
mod prepare;
#[cfg(all(unix, feature = "network"))]
mod push;
#[cfg(all(unix, feature = "network"))]
mod push_ews;
#[cfg(all(unix, feature = "network"))]
mod push_ews_killed;
#[cfg(all(unix, feature = "network"))]
mod push_graph;
#[cfg(all(unix, feature = "network"))]
mod push_many;
#[cfg(all(unix, feature = "network"))]
mod several;
#[path = "../support/mod.rs"]
#[allow(dead_code, unused_imports, reason = "each test uses its part")]
mod support;
mod targets;
#[cfg(all(unix, feature = "network"))]
#[path = "../support/web.rs"]
#[allow(dead_code, reason = "each test uses its part")]
mod web;
#[cfg(all(unix, feature = "network"))]
#[path = "../support/xml.rs"]
#[allow(dead_code, reason = "each test uses its part")]
mod xml;

/// What mailbox.rs asks for.
#[cfg(all(unix, feature = "network"))]
mod seeded {
    pub use super::support::Seeded;
}
