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
