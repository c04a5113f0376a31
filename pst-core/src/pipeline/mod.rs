//! Moves items from sources to sinks. Knows neither PST nor mail formats.

pub mod item;
pub mod sink;
pub mod source;

pub use item::{Body, Flags, Folder, Item, ItemRef, Mime, Role};
pub use sink::{Prepare, Prepared, Sink, Written};
pub use source::Source;
