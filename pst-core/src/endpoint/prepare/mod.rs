//! What it takes to bring PSTs into Exchange by its own importers: Microsoft 365's network upload, and
//! New-MailboxImportRequest on Exchange Server.
//!
//! [`judge`] holds a PST against the importers' limits, [`rewrite`] makes new PSTs of what they would refuse,
//! [`Users`] reads who gets which PST, and [`mapping`] and [`scripts`] write what the importers are given.

mod judge;
pub mod limits;
pub mod mapping;
mod names;
mod rewrite;
pub mod scripts;
mod users;

pub use judge::{Judged, LISTED, Options, judge, size};
pub use limits::{Cure, Effect, Finding, RULES, Rule, Spot, rule};
pub use names::{Names, troublesome, upload_name};
pub use rewrite::{Options as RewriteOptions, Rewritten, rewrite};
pub use users::{Choice, Mailboxes, Row, Users, matches, target_root};
