//! The attachments of mail as files, with an index that says where each came from.

mod gather;
mod index;
mod sink;

pub use index::is_target;
pub use sink::AttachmentsSink;
