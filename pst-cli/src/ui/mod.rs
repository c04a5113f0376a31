//! What people and programs see.

pub mod events;
pub mod json;
pub mod progress;
#[cfg(feature = "network")]
pub mod terminal;
pub mod text;
