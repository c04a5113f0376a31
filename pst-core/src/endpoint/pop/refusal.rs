//! What servers say when they refuse: response codes ([RFC 2449] 8, [RFC 3206]), or words.

use crate::endpoint::net::patience;
use std::time::Duration;

/// The first wait.
const PATIENCE: Duration = Duration::from_secs(2);

/// What a refusal means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// Later it may be different: somebody else has the mailbox, or the server has trouble.
    Passing,
    /// The name or password is wrong, or the mailbox is closed to us.
    Denied,
    /// Anything else.
    Other,
}

/// The meaning of a refusal.
pub fn meaning(words: &str) -> Meaning {
    let lower = words.trim_start().to_ascii_lowercase();
    let code = lower.strip_prefix('[').and_then(|rest| rest.split_once(']')).map(|(code, _)| code.trim());
    match code {
        Some("in-use" | "login-delay" | "sys/temp" | "sys/temporary") => return Meaning::Passing,
        Some("auth" | "sys/perm") => return Meaning::Denied,
        _ => {}
    }
    // Most servers have no codes.
    let passing = ["in use", "too many", "try again", "try later", "temporar", "throttl", "busy", "unavailable"];
    let locked = lower.contains("lock") && (lower.contains("maildrop") || lower.contains("mailbox"));
    if locked || passing.iter().any(|word| lower.contains(word)) { Meaning::Passing } else { Meaning::Other }
}

/// How long the `n`th wait in a row is: 2, 4, 8 ... seconds, or the time that must pass between two sign-ins.
pub fn wait(n: u32, delay: Option<Duration>) -> Duration {
    patience::wait(n, delay.unwrap_or_default(), PATIENCE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_words() {
        for words in [
            "[IN-USE] Do you have another POP session running?",
            "[LOGIN-DELAY] minimum time between mail checks violation",
            "[SYS/TEMP] disk error",
            "[login-delay] x",
            "maildrop already locked",
            "unable to lock maildrop, try again later",
        ] {
            assert_eq!(meaning(words), Meaning::Passing, "{words}");
        }
        assert_eq!(meaning("[AUTH] Authentication failed: try again"), Meaning::Denied);
        assert_eq!(meaning("[SYS/PERM] mailbox closed"), Meaning::Denied);
        for words in ["no such message", "your account is locked", "your address is blocked", ""] {
            assert_eq!(meaning(words), Meaning::Other, "{words}");
        }
        assert_eq!(wait(0, None), Duration::from_secs(2));
        assert_eq!(wait(1, Some(Duration::from_secs(90))), Duration::from_secs(90));
    }
}
