//! Behaviour of pst-core.

#![allow(clippy::pedantic, reason = "tests are read, not called")]
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod appending;
mod appending_forged;
mod attachments;
mod blobs;
mod calendars;
mod cards;
mod cases_bodies;
mod cases_calendar;
mod cases_classes;
mod cases_headers;
mod cases_items;
mod changes;
mod charsets;
mod check_files;
mod check_forged;
mod codepages;
mod damaged;
mod fast_transfer;
mod fuzzed;
#[cfg(feature = "html")]
mod html;
mod json;
mod ledger;
mod mapping;
mod mapping_cases;
mod mapping_pst;
mod msg;
mod parts;
mod pim_genuine;
mod pim_hostile;
mod power;
mod power_converting;
mod prepare;
mod reading;
mod rich;
mod stopping;
#[path = "../support/mod.rs"]
mod support;
mod tnef;
mod writing;
