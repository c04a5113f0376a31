//! Mailboxes in Microsoft 365 by Microsoft Graph: the import of mailbox items, version 1.0.
//!
//! Items go in as Exchange exports them, one a request, to an address that holds its own permission and expires
//! ([`Session`]). Where import is not permitted, mail is made from JSON ([`Graph::create_mail`]), with the properties that
//! keep it from being a draft of today. [`GraphLane`] is the way of a push into a mailbox: it asks once whether import is
//! permitted, and its connections share the permission and the turns.

mod by_mail;
mod client;
mod compare;
mod enclose;
mod folders;
mod import;
mod items;
mod lane;
mod letter;
mod mail;
mod mailbox;
mod refusal;
mod turns;

pub use client::Graph;
pub use folders::Container;
pub use import::{Imported, Session};
pub use lane::{GraphLane, Target};
pub use letter::{Enclosure, Letter};
pub use refusal::{Meaning, Refusal};

/// Requests at a time that one mailbox takes from one app; more are answered with 429 (MailboxConcurrency).
pub const AT_ONCE: usize = 4;
