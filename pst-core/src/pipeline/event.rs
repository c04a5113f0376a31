//! What a run tells those who watch it, and its final account.

use crate::error::Error;
use crate::mapi::Warning;
use std::collections::BTreeMap;

/// Failures and warnings that a report lists one by one; all are counted.
pub const LISTED: usize = 10_000;

/// Something that happened in a run.
#[derive(Debug)]
pub enum Event<'a> {
    /// All folders are known: how many, and how many items they say they have.
    Planned {
        /// Folders.
        folders: u64,
        /// Items, as far as the sources know.
        items: u64,
    },
    /// A folder begins.
    Folder(&'a str),
    /// Items have gone through: how many more, and their bytes.
    Progress {
        /// Items.
        items: u64,
        /// Bytes.
        bytes: u64,
    },
    /// Items of the folder that are in the target from an earlier run.
    There(u64),
    /// Something that a source tells, such as a server that asks for patience, and how many seconds it waits.
    Notice {
        /// The sentence.
        text: &'a str,
        /// Seconds.
        seconds: u64,
    },
    /// An item could not be moved; the run goes on.
    Failed(&'a Failure),
    /// Something of an item was lost or guessed.
    Warning(&'a Note),
}

/// Watches a run, from any thread.
pub trait Observer: Sync {
    /// Takes note of an event.
    fn event(&self, event: &Event<'_>);
}

/// An item that could not be moved.
#[derive(Debug)]
pub struct Failure {
    /// Which source it is of, counted from 0 in the order of the run.
    pub nth: usize,
    /// Folder path in the source, with slashes.
    pub folder: String,
    /// The item's id; empty if the trouble is the folder's.
    pub id: String,
    /// What was wrong.
    pub error: Error,
}

/// A remark about an item that was moved.
#[derive(Debug, Clone)]
pub struct Note {
    /// Which source it is of, as in [`Failure`].
    pub nth: usize,
    /// Folder path in the source, with slashes.
    pub folder: String,
    /// The item's id.
    pub id: String,
    /// What it is about.
    pub warning: Warning,
}

/// The account of one folder of a run.
#[derive(Debug, Clone, Default)]
pub struct FolderReport {
    /// Which source it is of, as in [`Failure`].
    pub nth: usize,
    /// Path in the source, with slashes.
    pub source: String,
    /// Path in the target, with slashes.
    pub target: String,
    /// Items as the source counts them beforehand.
    pub counted: Option<u64>,
    /// Items that the target had from an earlier run.
    pub there: u64,
    /// Items found, other than those.
    pub read: u64,
    /// Items written.
    pub written: u64,
    /// Items left out, by reason.
    pub skipped: BTreeMap<&'static str, u64>,
    /// Items that could not be moved, and those of earlier runs that could not be brought up to date.
    pub failed: u64,
    /// Items of earlier runs whose state was brought up to date.
    pub updated: u64,
    /// Items of earlier runs that went to the deleted ones.
    pub gone: u64,
    /// Items that the source no longer has, and that stay in the target.
    pub stay: u64,
    /// Size of the items read, bytes.
    pub bytes: u64,
}

/// The account of a run: every item read was written, skipped or failed.
#[derive(Debug, Default)]
pub struct Report {
    /// Folders gone through.
    pub folders: u64,
    /// Items found.
    pub read: u64,
    /// Items written.
    pub written: u64,
    /// Items that the target had from an earlier run.
    pub there: u64,
    /// Items of earlier runs whose state was brought up to date.
    pub updated: u64,
    /// Items of earlier runs that went to the deleted ones.
    pub gone: u64,
    /// Items that the source no longer has, and that stay in the target.
    pub stay: u64,
    /// Each folder, in the order in which they were gone through.
    pub by_folder: Vec<FolderReport>,
    /// Items left out, by reason.
    pub skipped: BTreeMap<&'static str, u64>,
    /// Items that could not be moved, and those of earlier runs that could not be brought up to date.
    pub failed: u64,
    /// The first of them.
    pub failures: Vec<Failure>,
    /// Items written of which a part could not be read.
    pub damaged: u64,
    /// Remarks.
    pub warnings: u64,
    /// Remarks by the names of their codes.
    pub codes: BTreeMap<&'static str, u64>,
    /// The first of them.
    pub notes: Vec<Note>,
    /// Size of the items read, bytes.
    pub bytes: u64,
    /// Size of the target, bytes.
    pub target_bytes: u64,
    /// Why the run ended early, where all that it did stands: in a mailbox on a server.
    pub ended: Option<Error>,
}
