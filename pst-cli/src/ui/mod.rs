//! What people and programs see.

pub mod events;
pub mod json;
pub mod progress;
#[cfg(feature = "network")]
pub mod terminal;
pub mod text;

use std::sync::Arc;

/// Tells a run to somebody.
pub trait Talk: pst_core::pipeline::Observer + Send + Sync {
    /// The run is over.
    fn end(&self);
}

/// Tells a run on standard error: to programs, or to people.
pub fn talk(json: bool) -> Arc<dyn Talk> {
    if json { Arc::new(events::Events::new()) } else { Arc::new(progress::Progress::new()) }
}

/// Several runs at once, each told under the name of its mailbox.
#[cfg(feature = "network")]
pub struct Together {
    json: bool,
    bars: progress::Bars,
}

#[cfg(feature = "network")]
impl Together {
    /// Runs that are told to programs or to people.
    pub fn new(json: bool) -> Self {
        Self { json, bars: progress::Bars::new() }
    }

    /// Tells the run of a mailbox.
    pub fn talk(&self, mailbox: &str) -> Arc<dyn Talk> {
        if self.json { Arc::new(events::Events::of(mailbox)) } else { Arc::new(self.bars.one(mailbox)) }
    }

    /// Tells a line beside the bars.
    pub fn say(&self, text: &str) {
        self.bars.say(text);
    }
}
