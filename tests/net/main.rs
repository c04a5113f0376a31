//! Mail servers: connections, signing in, and mailboxes as sources.

#![allow(clippy::pedantic, reason = "tests are read, not called")]
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![cfg(unix)]

mod account;
#[path = "../support/blob.rs"]
mod blob;
#[path = "../support/certificates.rs"]
mod certificates;
mod courier;
#[path = "../support/dovecot.rs"]
#[allow(dead_code, reason = "each test uses its part")]
mod dovecot;
mod evil;
mod ews;
mod ews_discover;
mod ews_typed;
#[path = "../support/ews.rs"]
mod exchange;
mod gmail;
mod graph;
#[path = "../support/idp.rs"]
#[allow(dead_code, reason = "each test uses its part")]
mod idp;
mod imap;
#[path = "../support/mailbox.rs"]
mod mailbox;
#[path = "../support/graph.rs"]
mod microsoft;
mod pop;
mod push;
mod sasl;
mod scripted;
#[path = "../support/seeded.rs"]
mod seeded;
mod tls;
mod volume;
#[path = "../support/web.rs"]
mod web;
#[path = "../support/xml.rs"]
mod xml;
