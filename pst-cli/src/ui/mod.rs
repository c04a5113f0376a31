//! What people and programs see.

pub mod json;
pub mod progress;
pub mod text;
