//! PST and OST files.

mod sink;
mod source;

pub use sink::PstSink;
pub use source::PstSource;
