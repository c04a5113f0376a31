//! The commands, one file each.

pub mod cat;
pub mod check;
pub mod convert;
#[cfg(feature = "network")]
pub mod fetch;
pub mod info;
mod input;
#[cfg(feature = "network")]
pub mod login;
pub mod ls;
pub mod prepare;
#[cfg(feature = "network")]
mod push;
#[cfg(feature = "network")]
mod push_ews;
#[cfg(feature = "network")]
mod push_graph;
#[cfg(feature = "network")]
mod push_many;
#[cfg(feature = "network")]
mod server;
mod summary;
