//! The roles that folders play.

/// The role of a folder in a mailbox, by name or by special use (RFC 6154, PidTagIpm...EntryId).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Role {
    #[default]
    None,
    Inbox,
    Outbox,
    Sent,
    Drafts,
    Deleted,
    Junk,
    Archive,
    Calendar,
    Contacts,
    Tasks,
    Notes,
    Journal,
}
