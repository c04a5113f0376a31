//! The commands that change a mailbox. Only sessions that push send them.

use super::command::{Command, Piece, quoted};
use crate::mapi::Role;

impl Command {
    /// CREATE, saying what the folder is for where the server takes that (RFC 6154).
    pub(super) fn create(name: &[u8], role: Option<&str>) -> Self {
        let role = role.map(|r| format!(" (USE ({r}))")).unwrap_or_default();
        Self::text("CREATE ").then(name).and(role)
    }

    /// SUBSCRIBE.
    pub(super) fn subscribe(name: &[u8]) -> Self {
        Self::text("SUBSCRIBE ").then(name)
    }

    /// SELECT: opens a folder for changes.
    pub(super) fn select(name: &[u8]) -> Self {
        Self::text("SELECT ").then(name)
    }

    /// UID STORE: adds a flag.
    pub(super) fn add_flag(set: &str, flag: &str) -> Self {
        Self::text(format!("UID STORE {set} +FLAGS.SILENT ({flag})"))
    }

    /// UID EXPUNGE (RFC 4315): removes these messages, and no others.
    pub(super) fn expunge(set: &str) -> Self {
        Self::text(format!("UID EXPUNGE {set}"))
    }

    /// The beginning of APPEND: the folder; messages follow.
    pub(super) fn append(name: &[u8]) -> Vec<Piece> {
        vec![Piece::Text("APPEND ".to_owned()), quoted(name)]
    }
}

/// What special use a role is (RFC 6154).
pub(super) fn special_use(role: Role) -> Option<&'static str> {
    Some(match role {
        Role::Sent => "\\Sent",
        Role::Drafts => "\\Drafts",
        Role::Deleted => "\\Trash",
        Role::Junk => "\\Junk",
        Role::Archive => "\\Archive",
        _ => return None,
    })
}
