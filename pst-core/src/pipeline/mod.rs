//! Moves items from sources to sinks. Knows neither PST nor mail formats.

pub mod dedupe;
pub mod event;
pub mod filter;
pub mod item;
pub mod journal;
pub mod run;
mod settling;
pub mod sink;
pub mod source;
mod writer;

pub use event::{Event, Failure, FolderReport, Note, Observer, Report};
pub use filter::{FolderFilter, ItemFilter, target_path};
pub use item::{Body, Flags, Folder, Item, ItemRef, Mime, Role};
pub use run::{Mounted, RunOptions, run};
pub use sink::{Fate, Prepare, Prepared, Rehearsal, Settled, Sink, Written};
pub use source::Source;
