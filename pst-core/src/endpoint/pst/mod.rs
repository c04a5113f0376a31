//! PST and OST files.

mod sink;
mod source;
mod split;

pub use sink::PstSink;
pub use source::PstSource;
pub use split::{SplitSink, parts_of};
