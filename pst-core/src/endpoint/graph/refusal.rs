//! What Graph means when it does not do what it was asked.

use crate::endpoint::net::http::Response;
use crate::endpoint::net::patience::LONGEST;
use crate::endpoint::net::tame;
use crate::error::{Error, Kind};
use serde_json::Value;
use std::fmt;
use std::time::Duration;

/// What follows from a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// This item, or whatever was asked for, is not taken.
    Item,
    /// It is larger than what is taken.
    TooLarge,
    /// The app has no permission for this.
    Forbidden,
    /// It is not there.
    Missing,
    /// The server wants to be left alone for so long; zero where it does not say how long.
    Again(Duration),
    /// The permission of the address has run out.
    Expired,
    /// Nothing more goes into the mailbox.
    Full,
    /// Nobody knows whether it was done; the connection is made anew.
    Unsure,
}

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The status of HTTP.
    pub status: u16,
    /// Its code ("ErrorItemNotFound").
    pub code: String,
    /// The server's words.
    pub words: String,
    /// What follows from it.
    pub meaning: Meaning,
}

impl Refusal {
    /// The refusal in an answer, whose status is not one of success.
    pub(super) fn of(answer: &Response, body: Option<&Value>) -> Self {
        let error = body.and_then(|b| b.get("error"));
        let text = |name: &str| error.and_then(|e| e.get(name)).and_then(Value::as_str).unwrap_or_default();
        let (code, words) = (text("code"), text("message"));
        let wait = answer.retry_after();
        let meaning = match (answer.status, code) {
            (_, "ErrorQuotaExceeded" | "ErrorMailboxQuotaExceeded" | "ErrorSubmissionQuotaExceeded") | (507, _) => {
                Meaning::Full
            }
            (429, _) => Meaning::Again(wait.unwrap_or_default().min(LONGEST)),
            (503, _) if wait.is_some() => Meaning::Again(wait.unwrap_or_default().min(LONGEST)),
            (401, _) => Meaning::Expired,
            (403, _) => Meaning::Forbidden,
            (404 | 410, _) => Meaning::Missing,
            (413, _) | (_, "ErrorMessageSizeExceeded") => Meaning::TooLarge,
            (408 | 500..=599, _) => Meaning::Unsure,
            _ if error.is_none() => Meaning::Unsure,
            _ => Meaning::Item,
        };
        let words = if words.is_empty() {
            format!("the server answers with status {}", answer.status)
        } else {
            words.to_owned()
        };
        Self { status: answer.status, code: tame(code.as_bytes()), words: tame(words.as_bytes()), meaning }
    }

    /// An answer that says yes without saying what.
    pub(super) fn nonsense(answer: &Response) -> Self {
        let words = "the server's answer makes no sense".to_owned();
        Self { status: answer.status, code: String::new(), words, meaning: Meaning::Unsure }
    }

    /// A yes to something that was to be made, which does not say `what` was made.
    pub(super) fn silence(what: &str) -> Self {
        let words = format!("the server does not say {what} it has made");
        Self { status: 201, code: String::new(), words, meaning: Meaning::Unsure }
    }

    /// The error that it is.
    pub fn error(&self) -> Error {
        let kind = match self.meaning {
            Meaning::Forbidden | Meaning::Expired => Kind::Denied,
            Meaning::Missing => Kind::NotFound,
            Meaning::TooLarge | Meaning::Full => Kind::Limit,
            Meaning::Unsure => Kind::Connection,
            Meaning::Item | Meaning::Again(_) => Kind::Server,
        };
        Error::new(kind, self.to_string())
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (status {}", self.words, self.status)?;
        if self.code.is_empty() { f.write_str(")") } else { write!(f, ", {})", self.code) }
    }
}
