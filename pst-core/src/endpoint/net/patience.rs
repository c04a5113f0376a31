//! What is told while a connection goes on, and how long a server is left alone.

use crate::error::{Error, Kind, Result};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Nobody waits longer than this at once, whatever a server suggests.
pub const LONGEST: Duration = Duration::from_mins(15);

/// What is worth telling while a session goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// The server has asked for patience.
    Waiting {
        /// What it said.
        why: String,
        /// How long is waited.
        wait: Duration,
    },
    /// The connection broke and is made again.
    Reconnecting {
        /// What broke it.
        why: String,
        /// How long is waited before.
        wait: Duration,
    },
    /// A message of the server for its users.
    Alert(String),
    /// What is done in another way than was asked for, and why.
    Remark(String),
}

/// Takes notices; called from any thread.
pub type Watch = Arc<dyn Fn(&Notice) + Send + Sync>;

/// How long the `n`th wait in a row is: `patience`, twice that, four times ..., or what the server suggests.
pub fn wait(n: u32, suggested: Duration, patience: Duration) -> Duration {
    suggested.max(patience.saturating_mul(1 << n.min(6))).min(LONGEST)
}

/// How long a wait goes on before the wish to stop is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// Waits, unless the user wants to stop.
///
/// # Errors
/// [`Kind::Interrupted`].
pub fn pause(wait: Duration, stopped: &dyn Fn() -> bool) -> Result<()> {
    let begun = Instant::now();
    while begun.elapsed() < wait {
        if stopped() {
            return Err(Error::new(Kind::Interrupted, "stopped by the user"));
        }
        std::thread::sleep(LOOK.min(wait));
    }
    Ok(())
}

/// How long a busy server is asked the same, where nothing else is said.
pub(in crate::endpoint) const ENDURANCE: Duration = Duration::from_hours(12);

/// The waits of one request that a busy server does not do.
pub(in crate::endpoint) struct Waits {
    first: Duration,
    endurance: Duration,
    begun: Instant,
    count: u32,
}

impl Waits {
    /// The first wait lasts `first` where the server does not say how long; none begins after `endurance`.
    pub fn new(first: Duration, endurance: Duration) -> Self {
        Self { first, endurance, begun: Instant::now(), count: 0 }
    }

    /// Tells of the next wait, and waits.
    ///
    /// # Errors
    /// [`Kind::Server`] where it has lasted too long, [`Kind::Interrupted`].
    pub fn once(&mut self, suggested: Duration, why: &str, watch: &Watch, stopped: &dyn Fn() -> bool) -> Result<()> {
        if self.begun.elapsed() > self.endurance {
            let waited = self.begun.elapsed().as_secs();
            let text = format!("the server was busy for {waited} s, longer than --patience allows: {why}");
            return Err(Error::new(Kind::Server, text));
        }
        let wait = wait(self.count, suggested, self.first);
        self.count += 1;
        watch(&Notice::Waiting { why: why.to_owned(), wait });
        pause(wait, stopped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_limit() {
        let second = Duration::from_secs(1);
        assert_eq!(wait(0, Duration::ZERO, second), second);
        assert_eq!(wait(1, Duration::from_secs(90), second), Duration::from_secs(90));
        assert_eq!(wait(60, Duration::from_secs(3), second), Duration::from_secs(64));
        assert_eq!(wait(99, Duration::from_hours(24), second), LONGEST);
    }
}
