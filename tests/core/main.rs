//! Behaviour of pst-core.

#![allow(clippy::pedantic, reason = "tests are read, not called")]
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod blobs;
mod mapping;
mod mapping_cases;
mod mapping_pst;
mod reading;
#[path = "../support/mod.rs"]
mod support;
mod writing;
