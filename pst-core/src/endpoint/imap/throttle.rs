//! What servers say when they want to be left alone for a while, and how long that is.

use super::response::Status;
use std::time::Duration;

/// Nobody waits longer than this at once, whatever a server suggests.
pub const LONGEST: Duration = Duration::from_mins(15);

/// How long the server wants to be left alone, if it says so.
///
/// Exchange: "Request is throttled. Suggested Backoff Time: 299961 milliseconds". Others have codes (RFC 5530) or words.
pub fn backoff(words: &str) -> Option<Duration> {
    let lower = words.to_ascii_lowercase();
    if let Some((_, rest)) = lower.split_once("backoff time:") {
        let digits: String = rest.trim_start().chars().take_while(char::is_ascii_digit).collect();
        let number: u64 = digits.parse().unwrap_or(0);
        let unit = rest.trim_start().trim_start_matches(|c: char| c.is_ascii_digit()).trim_start();
        let wait = if unit.starts_with("sec") { Duration::from_secs(number) } else { Duration::from_millis(number) };
        return Some(wait.min(LONGEST));
    }
    let known =
        ["[throttled]", "[inuse]", "[limit]", "[unavailable]", "throttl", "too many simultaneous", "try again later"];
    known.iter().any(|k| lower.contains(k)).then_some(Duration::ZERO)
}

/// True for a refusal that may be over in a while.
pub fn is_passing(status: &Status) -> bool {
    backoff(&status.words()).is_some()
}

/// True for a refusal of who is signed in.
pub fn is_denial(status: &Status) -> bool {
    ["AUTHENTICATIONFAILED", "AUTHORIZATIONFAILED", "EXPIRED"].iter().any(|c| status.code(c).is_some())
}

/// How long the `n`th wait in a row is: `patience`, twice that, four times ..., or what the server suggests.
pub fn wait(n: u32, suggested: Duration, patience: Duration) -> Duration {
    suggested.max(patience.saturating_mul(1 << n.min(6))).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences() {
        let second = Duration::from_secs(1);
        let ms = |n| Some(Duration::from_millis(n));
        assert_eq!(backoff("Request is throttled. Suggested Backoff Time: 299961 milliseconds"), ms(299_961));
        assert_eq!(backoff("suggested backoff time:  5 seconds"), ms(5000));
        assert_eq!(backoff("Suggested Backoff Time: 99999999999 milliseconds"), Some(LONGEST));
        assert_eq!(backoff("Suggested Backoff Time: soon"), ms(0));
        assert_eq!(backoff("[THROTTLED] slow down"), ms(0));
        assert_eq!(backoff("[INUSE] Mailbox in use"), ms(0));
        assert_eq!(backoff("Mailbox does not exist"), None);
        assert_eq!(wait(0, Duration::ZERO, second), second);
        assert_eq!(wait(60, Duration::from_secs(3), second), Duration::from_secs(64));
    }
}
