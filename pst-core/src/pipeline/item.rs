//! What travels from a source to a sink: folders, references to items, items.

pub use crate::mapi::Role;
use crate::mapi::{Message, PropBag, Warning};
use crate::mime::large::LargePart;
use std::path::PathBuf;

/// A folder of a mailbox.
#[derive(Debug, Clone, Default)]
pub struct Folder {
    /// The names from the top of the mailbox down to this folder; empty for the top itself.
    pub path: Vec<String>,
    /// Its role.
    pub role: Role,
    /// Container class ("IPF.Note"), where known.
    pub class: Option<String>,
    /// The folder's own properties, from sources that have them.
    pub props: PropBag,
    /// The source's own key for the folder (a NID, an index); means nothing elsewhere.
    pub key: u64,
    /// Number of items, where the source knows it beforehand.
    pub count: Option<u64>,
    /// True for search folders: they are listed, but hold no items of their own.
    pub search: bool,
}

/// Points at one item of a source folder; cheap to make and to send.
#[derive(Debug, Clone, Default)]
pub struct ItemRef {
    /// A stable name for people and reports ("nid 0x200024", "message 17", "cur/123:2,S").
    pub id: String,
    /// The source's own key: a NID, or a byte offset.
    pub key: u64,
    /// Bytes, exact or estimated; bounds what is in flight.
    pub size: u64,
    /// The file, for sources with a file per item.
    pub path: Option<PathBuf>,
    /// True for folder-associated (FAI) items.
    pub associated: bool,
}

/// State of a message as mail systems keep it beside the message. `None` where the source says nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own in every mail system")]
pub struct Flags {
    /// Read (Maildir S, mbox Status R). `None`: the source keeps no read state.
    pub seen: Option<bool>,
    /// Replied to.
    pub answered: bool,
    /// Forwarded ($Forwarded, Maildir P).
    pub forwarded: bool,
    /// Flagged for follow-up.
    pub flagged: bool,
    /// A draft.
    pub draft: bool,
    /// Marked as deleted.
    pub deleted: bool,
    /// User keywords.
    pub keywords: Vec<String>,
}

/// An RFC 5322 message and what its source knew beside it.
#[derive(Debug, Clone, Default)]
pub struct Mime {
    /// The message as it stands in the source, without mbox separator and quoting.
    pub bytes: Vec<u8>,
    /// Its state.
    pub flags: Flags,
    /// When it arrived: INTERNALDATE, mbox separator, file time; seconds since 1970 UTC.
    pub received: Option<i64>,
    /// Bodies that are too large to hold and stay in the file; placeholders stand for them in `bytes`.
    pub large: Vec<LargePart>,
}

/// The content of an item; converted only when the sink needs the other form.
#[derive(Debug, Clone)]
pub enum Body {
    /// Properties.
    Mapi(Box<Message>),
    /// A MIME message.
    Mime(Mime),
}

/// One item, loaded.
#[derive(Debug, Clone)]
pub struct Item {
    /// As in its [`ItemRef`].
    pub id: String,
    /// The content.
    pub body: Body,
    /// True for folder-associated (FAI) items.
    pub associated: bool,
    /// What was found odd or lost on the way, one sentence each.
    pub warnings: Vec<Warning>,
}

impl Mime {
    /// Writes the whole message, large bodies included.
    ///
    /// # Errors
    /// When `out` refuses or a large body cannot be read.
    pub fn write_to(&self, out: &mut dyn std::io::Write) -> crate::Result<()> {
        let io = |e| crate::Error::new(crate::Kind::Io, format!("cannot copy a message: {e}"));
        let mut from = 0;
        for part in &self.large {
            out.write_all(self.bytes.get(from..part.at).unwrap_or_default()).map_err(io)?;
            std::io::copy(&mut part.raw.open()?, out).map_err(io)?;
            from = part.at + part.placeholder;
        }
        out.write_all(self.bytes.get(from..).unwrap_or_default()).map_err(io)
    }
}
