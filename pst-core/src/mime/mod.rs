//! tmp
pub mod large;
