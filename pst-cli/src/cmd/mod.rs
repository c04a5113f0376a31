//! The commands, one file each.

pub mod cat;
pub mod check;
pub mod convert;
pub mod info;
#[cfg(feature = "network")]
pub mod login;
pub mod ls;
mod summary;
