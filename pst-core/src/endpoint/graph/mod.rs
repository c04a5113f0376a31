//! Mailboxes in Microsoft 365 by Microsoft Graph: the import of mailbox items, version 1.0.
//!
//! Items go in as Exchange exports them, one a request, to an address that holds its own permission and expires
//! ([`Session`]). Where import is not permitted, mail is made from JSON ([`Graph::create_mail`]), with the properties that
//! keep it from being a draft of today.

mod client;
mod folders;
mod import;
mod mail;
mod refusal;

pub use client::{Graph, SERVICE};
pub use folders::Container;
pub use import::{Imported, Session};
pub use mail::Letter;
pub use refusal::{Meaning, Refusal};

/// Requests at a time that one mailbox takes from one app; more are answered with 429 (MailboxConcurrency).
pub const AT_ONCE: usize = 4;
