//! What people and programs see.

pub mod events;
pub mod json;
pub mod progress;
pub mod text;
