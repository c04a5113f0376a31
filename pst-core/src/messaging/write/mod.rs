//! Writes a message store: its mandatory nodes, folders and messages ([MS-PST] 2.4, 2.7).

mod message;
mod names;
mod store;
mod stored;
pub mod templates;

pub use message::PreparedMessage;
pub(crate) use message::weight;
pub use names::{Names, SharedNames};
pub use store::{FolderId, Options, StoreWriter};
