//! What a run remembers for the next one: which item of a source went where in the target.
//!
//! A journal and its target are two files, and the power may go between them. So what was added is noted before the
//! target commits, with the number that its next state will bear, and counts only once the target bears it; what was
//! changed is noted after the commit, and is done again when the note is lost.

#[cfg(feature = "network")]
mod account;
#[cfg(feature = "network")]
mod pushed;
#[cfg(feature = "network")]
mod state;

#[cfg(feature = "network")]
pub use account::{AccountState, Before, Listed, Listing};
#[cfg(feature = "network")]
pub use pushed::{Known, Name, Pushed, Whereabouts};
#[cfg(feature = "network")]
pub use state::{Bears, State, state_path};

use super::dedupe::Key;
use super::item::{Flags, Folder};
use crate::error::Result;
use sha2::{Digest, Sha256};

/// The place of an item that the target need not hold: it has another of the same content.
pub const NOWHERE: u64 = u64::MAX;

/// An item that the target holds now.
#[derive(Debug)]
pub struct Taken<'a> {
    /// The source's folder.
    pub folder: &'a Folder,
    /// What names the item in it for good.
    pub key: Vec<u8>,
    /// Where it is in the target.
    pub place: u64,
    /// Stands for its content.
    pub content: Option<Key>,
    /// Its state in the source.
    pub flags: &'a Flags,
    /// It was there before this run, so it counts whatever becomes of the next commit.
    pub found: bool,
}

/// Something that happened in the source to an item that an earlier run wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It was read, flagged, answered...
    State {
        /// What names it in its folder.
        key: Vec<u8>,
        /// Where it is in the target.
        place: u64,
        /// Its state now.
        flags: Flags,
    },
    /// It is no longer there.
    Gone {
        /// What names it in its folder.
        key: Vec<u8>,
        /// Where it is in the target.
        place: u64,
    },
}

/// How a folder of a source differs from what an earlier run took of it, and what is not taken now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Differences {
    /// Items that are in the target already.
    pub there: u64,
    /// What happened to them.
    pub changes: Vec<Change>,
    /// Items that the source no longer has, and that stay in the target.
    pub stay: u64,
    /// The source no longer has the folder itself; the target is not given one.
    pub gone: bool,
    /// Items that the source itself leaves out, by reason.
    pub left_out: Vec<(&'static str, u64)>,
}

/// Remembers where the items of one source went.
pub trait Journal: Send + Sync {
    /// True if it knows what is at a place of the target. What is at others, the content must tell.
    fn knows(&self, place: u64) -> bool;

    /// Where the target has an item of this content from before, not yet known by its name in the folder. Each place is
    /// given once.
    fn there(&self, folder: &Folder, content: &Key) -> Option<u64>;

    /// Takes note of an item that was written, or found.
    fn taken(&self, taken: &Taken<'_>);

    /// Takes note of a change that was made.
    fn changed(&self, folder: &Folder, change: &Change);

    /// Takes note that a folder was gone through, and nothing of it is missing. Tells what is therefore gone.
    fn complete(&self, folder: &Folder) -> Vec<Change>;

    /// Makes durable what was taken; it counts once the files of the target bear these numbers.
    ///
    /// # Errors
    /// When the journal cannot be written.
    fn save(&self, next: &[u32]) -> Result<()>;

    /// Makes durable what was changed; the target is.
    ///
    /// # Errors
    /// When the journal cannot be written.
    fn settle(&self) -> Result<()>;
}

/// What is known of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountSummary {
    /// Its name: protocol, user, server.
    pub account: String,
    /// When it was last downloaded to its end, seconds since 1970.
    pub finished: Option<i64>,
    /// Each folder and how many of its items are in the target.
    pub folders: Vec<(String, u64)>,
}

/// A number that stands for the state of an item: equal states have equal numbers.
pub fn state_number(flags: &Flags) -> u64 {
    let mut hash = Sha256::new();
    let Flags { seen, answered, forwarded, flagged, draft, deleted, keywords } = flags;
    hash.update([*answered, *forwarded, *flagged, *draft, *deleted].map(u8::from));
    hash.update([seen.map_or(2, u8::from)]);
    let mut words: Vec<&String> = keywords.iter().collect();
    words.sort();
    for word in words {
        hash.update(word);
        hash.update([0]);
    }
    let mut first = [0; 8];
    first.iter_mut().zip(hash.finalize()).for_each(|(to, from)| *to = from);
    u64::from_le_bytes(first)
}
