//! What people and programs see.

pub mod events;
pub mod json;
pub mod progress;
#[cfg(feature = "network")]
pub mod terminal;
pub mod text;

/// Tells a run to somebody.
pub trait Talk: pst_core::pipeline::Observer + Send + Sync {
    /// The run is over.
    fn end(&self);
}
