//! What a server means when it does not do what it was asked.

use super::element::Element;
use crate::endpoint::net::http::Response;
use crate::endpoint::net::patience::LONGEST;
use crate::endpoint::net::tame;
use crate::error::{Error, Kind};
use std::time::Duration;

/// What follows from a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// This item, or whatever was asked for, is not taken.
    Item,
    /// It is more than the server takes at once.
    TooLarge,
    /// The operation is not known there.
    Unknown,
    /// The server wants to be left alone for so long; zero where it does not say how long.
    Again(Duration),
    /// Nothing goes into this folder.
    Folder,
    /// Nothing goes into this mailbox.
    Mailbox,
    /// Nobody knows whether it was done; the connection is made anew.
    Unsure,
}

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The response code ("ErrorItemSave"), or the status of HTTP.
    pub code: String,
    /// The server's words.
    pub words: String,
    /// What follows from it.
    pub meaning: Meaning,
}

impl Refusal {
    /// A refusal of which nothing is known but that there was no word.
    pub fn silence() -> Self {
        let words = "the server has said nothing about it".to_owned();
        Self { code: "no answer".to_owned(), words, meaning: Meaning::Unsure }
    }

    /// The refusal in a response message or in the detail of a fault, if it is one.
    pub fn of(message: &Element) -> Option<Self> {
        let success = message.attribute("ResponseClass").is_some_and(|class| class == "Success");
        let code = message.text_of("ResponseCode").unwrap_or_default();
        if success || code == "NoError" {
            return None;
        }
        let words = message.text_of("MessageText").or_else(|| message.text_of("Message")).unwrap_or_default();
        Some(Self::coded(code, words, back_off(message)))
    }

    /// The refusal of a whole request, by HTTP or a fault of SOAP.
    pub fn of_answer(answer: &Response, envelope: Option<&Element>) -> Self {
        let fault = envelope.and_then(|e| e.at(&["Body", "Fault"]));
        let words = fault.and_then(|f| f.text_of("faultstring")).unwrap_or_default();
        if let Some(detail) = fault.and_then(|f| f.child("detail"))
            && let Some(code) = detail.text_of("ResponseCode").filter(|code| !code.is_empty())
        {
            let said = detail.text_of("Message").unwrap_or(words);
            return Self::coded(code, said, back_off(detail).or_else(|| answer.retry_after()));
        }
        let meaning = match (answer.status, answer.retry_after()) {
            (429, wait) => Meaning::Again(wait.unwrap_or_default().min(LONGEST)),
            (503, Some(wait)) => Meaning::Again(wait.min(LONGEST)),
            // grommunio answers 405 to what is too large for it.
            (405 | 413, _) => Meaning::TooLarge,
            (403 | 404 | 410, _) => Meaning::Mailbox,
            (500, _) if fault.is_some() => Meaning::Unknown,
            _ => Meaning::Unsure,
        };
        let said = match answer.status {
            403 if answer.body.is_empty() => "EWS is not allowed for this mailbox or this program".to_owned(),
            404 => "there is no EWS at this address".to_owned(),
            _ if words.is_empty() => format!("the server answers with status {}", answer.status),
            _ => tame(words.as_bytes()),
        };
        Self { code: format!("status {}", answer.status), words: said, meaning }
    }

    fn coded(code: &str, words: &str, wait: Option<Duration>) -> Self {
        let meaning = match code {
            _ if AGAIN.contains(&code) => Meaning::Again(wait.unwrap_or_default().min(LONGEST)),
            _ if FOLDER.contains(&code) => Meaning::Folder,
            _ if MAILBOX.contains(&code) => Meaning::Mailbox,
            _ if UNKNOWN.contains(&code) => Meaning::Unknown,
            "ErrorTimeoutExpired" | "" => Meaning::Unsure,
            _ => Meaning::Item,
        };
        Self { code: tame(code.as_bytes()), words: tame(words.as_bytes()), meaning }
    }

    /// The error that it is.
    pub fn error(&self) -> Error {
        let kind = match self.meaning {
            Meaning::Mailbox if self.code.contains("Quota") => Kind::Limit,
            Meaning::Mailbox => Kind::Denied,
            Meaning::TooLarge => Kind::Limit,
            Meaning::Unsure => Kind::Connection,
            _ => Kind::Server,
        };
        Error::new(kind, self.to_string())
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", self.words, self.code)
    }
}

/// BackOffMilliseconds, which a busy server may name.
fn back_off(message: &Element) -> Option<Duration> {
    let xml = message.child("MessageXml")?;
    let named = |e: &&Element| e.name == "Value" && e.attribute("Name") == Some("BackOffMilliseconds");
    let value = xml.children.iter().find(named)?;
    value.text.trim().parse().ok().map(Duration::from_millis)
}

/// What was not done and may be asked again.
const AGAIN: &[&str] = &[
    "ErrorServerBusy",
    "ErrorInternalServerTransientError",
    "ErrorMailboxStoreUnavailable",
    "ErrorMailboxMoveInProgress",
    "ErrorMailboxFailover",
    "ErrorTooManyObjectsOpened",
    "ErrorExceededConnectionCount",
    "ErrorBatchProcessingStopped",
    "ErrorInsufficientResources",
    "ErrorADUnavailable",
    "ErrorServiceUnavailable",
];

const FOLDER: &[&str] = &[
    "ErrorFolderNotFound",
    "ErrorParentFolderNotFound",
    "ErrorSavedItemFolderNotFound",
    "ErrorToFolderNotFound",
    "ErrorCreateItemAccessDenied",
    "ErrorMessagePerFolderCountReceiveQuotaExceeded",
];

const MAILBOX: &[&str] = &[
    "ErrorQuotaExceeded",
    "ErrorAccessDenied",
    "ErrorNonExistentMailbox",
    "ErrorInvalidMailbox",
    "ErrorMailboxConfiguration",
    "ErrorMailboxLogonFailed",
    "ErrorImpersonateUserDenied",
    "ErrorImpersonationDenied",
    "ErrorImpersonationFailed",
    "ErrorInvalidExchangeImpersonationHeaderData",
    "ErrorAccountDisabled",
    "ErrorAccountSuspend",
    "ErrorCallerIsInvalidADAccount",
    "ErrorArchiveMailboxNotEnabled",
];

const UNKNOWN: &[&str] =
    &["ErrorInvalidRequest", "ErrorSchemaValidation", "ErrorInvalidOperation", "ErrorNotImplemented"];

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(xml: &str) -> Option<Refusal> {
        Refusal::of(&Element::parse(xml.as_bytes()).unwrap())
    }

    #[test]
    fn codes_are_sorted() {
        assert_eq!(refusal("<m ResponseClass='Success'><ResponseCode>NoError</ResponseCode></m>"), None);
        let of = |code: &str, more: &str| {
            let xml = format!(
                "<m ResponseClass='Error'><MessageText>w</MessageText><ResponseCode>{code}</ResponseCode>{more}</m>"
            );
            refusal(&xml).unwrap().meaning
        };
        let busy = "<MessageXml><t:Value Name='BackOffMilliseconds'>1500</t:Value></MessageXml>";
        assert_eq!(of("ErrorServerBusy", busy), Meaning::Again(Duration::from_millis(1500)));
        assert_eq!(of("ErrorServerBusy", ""), Meaning::Again(Duration::ZERO));
        assert_eq!(of("ErrorServerBusy", &busy.replace("1500", "99999999999")), Meaning::Again(LONGEST));
        assert_eq!(of("ErrorQuotaExceeded", ""), Meaning::Mailbox);
        assert_eq!(of("ErrorItemCorrupt", ""), Meaning::Item);
        assert_eq!(of("ErrorFolderNotFound", ""), Meaning::Folder);
        assert_eq!(of("ErrorTimeoutExpired", ""), Meaning::Unsure);
        assert_eq!(of("", ""), Meaning::Unsure);
    }
}
