//! What servers say when they want to be left alone for a while, and how long that is.

use super::response::Status;
use crate::endpoint::net::patience::LONGEST;
use std::time::Duration;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences() {
        let ms = |n| Some(Duration::from_millis(n));
        assert_eq!(backoff("Request is throttled. Suggested Backoff Time: 299961 milliseconds"), ms(299_961));
        assert_eq!(backoff("suggested backoff time:  5 seconds"), ms(5000));
        assert_eq!(backoff("Suggested Backoff Time: 99999999999 milliseconds"), Some(LONGEST));
        assert_eq!(backoff("Suggested Backoff Time: soon"), ms(0));
        assert_eq!(backoff("[THROTTLED] slow down"), ms(0));
        assert_eq!(backoff("[INUSE] Mailbox in use"), ms(0));
        assert_eq!(backoff("Mailbox does not exist"), None);
    }
}
