//! Stores, folders and messages ([MS-PST] 2.4).

mod codepage;
mod folder;
mod message;
mod names;
mod roles;
mod store;
pub mod write;

pub use folder::FolderNode;
pub use message::Summary;
pub use names::NameMap;
pub use store::Store;
