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
#[path = "../support/charsets.rs"]
mod charsets;
mod command;
mod exchange;
mod fixtures;
mod folders;
#[path = "../support/generate.rs"]
mod generate;
#[cfg(feature = "network")]
#[path = "../support/idp.rs"]
#[allow(dead_code, reason = "each test uses its part")]
mod idp;
mod kept;
#[cfg(feature = "network")]
mod login;
mod pim;
#[path = "../support/mod.rs"]
#[allow(dead_code, unused_imports, reason = "each test uses its part")]
mod support;
mod targets;
