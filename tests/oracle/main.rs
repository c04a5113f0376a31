//! What we write and read, against what independent programs read.

#![allow(clippy::pedantic, reason = "tests are read, not called")]
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unreachable
)]

mod appended;
mod attached;
mod exported;
mod genuine;
#[cfg(feature = "html")]
mod html;
mod json;
mod large_pages;
mod msg;
#[path = "../support/oracle.rs"]
#[allow(dead_code, reason = "each test uses its part")]
mod oracle;
#[path = "../support/ost4k.rs"]
mod ost4k;
mod pim;
mod prepare;
mod readpst;
mod rich;
mod signed;
#[path = "../support/mod.rs"]
#[allow(dead_code, unused_imports, reason = "each test uses its part")]
mod support;
mod written;
