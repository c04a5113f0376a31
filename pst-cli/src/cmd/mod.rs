//! The commands, one file each.

pub mod cat;
pub mod check;
pub mod convert;
pub mod info;
pub mod ls;
mod summary;
