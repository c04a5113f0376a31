//! Requests to one mailbox and their answers.

use super::document::Document;
use super::element::Element;
use super::refusal::{Meaning, Refusal};
use crate::endpoint::net::http::{Client, Reach, Request, Response};
use crate::endpoint::net::patience::{ENDURANCE, Waits};
use crate::endpoint::net::{Login, Watch};
use crate::error::Result;
use std::time::Duration;

/// Longest answer that is taken, bytes; an item that is read back may have 150 MB, and a third more as base64.
const LONGEST: u64 = 256 << 20;

/// Which mailbox is meant, and how it is asked for.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The mailbox of somebody else, to which who signs in has access; SMTP address.
    pub mailbox: Option<String>,
    /// The mailbox is opened in the name of its owner (ExchangeImpersonation), not as one that was shared.
    pub impersonate: bool,
    /// The online archive of the mailbox.
    pub archive: bool,
}

/// A mailbox over Exchange Web Services.
pub struct Ews {
    http: Client,
    target: String,
    pub(super) options: Options,
    patience: Duration,
    endurance: Duration,
    watch: Watch,
}

/// What a request brings: its response messages, or the refusal of the whole of it.
pub type Asked = std::result::Result<Vec<Element>, Refusal>;

impl Ews {
    /// A mailbox that is connected to with the first request. `patience`: how long is waited when a busy server does not
    /// say how long; twice that the next time, and so on.
    ///
    /// # Errors
    /// [`crate::error::Kind::Usage`] where the address is no URL.
    pub fn new(
        url: &str,
        reach: &Reach,
        login: Login,
        options: Options,
        patience: Duration,
        watch: Watch,
    ) -> Result<Self> {
        let (server, target) = reach.server(url)?;
        Ok(Self { http: Client::new(server, Some(login)), target, options, patience, endurance: ENDURANCE, watch })
    }

    /// The same, asking a busy server so long.
    #[must_use]
    pub fn enduring(self, endurance: Duration) -> Self {
        Self { endurance, ..self }
    }

    /// True once the user wants to stop.
    pub fn stopped(&self) -> bool {
        self.http.server().stopped()
    }

    /// Makes one request.
    ///
    /// # Errors
    /// When the connection breaks, or the sign-in is refused.
    pub(super) fn ask<'a>(&mut self, operation: &str, write: impl FnOnce(&mut Document<'a>)) -> Result<Asked> {
        let answer = self.send(operation, write)?;
        Ok(self.judge(operation, &answer))
    }

    /// As [`Ews::ask`], with the text of the element Data apart: it may be long, and is held once.
    ///
    /// # Errors
    /// As [`Ews::ask`].
    pub(super) fn ask_for_data<'a>(
        &mut self,
        operation: &str,
        write: impl FnOnce(&mut Document<'a>),
    ) -> Result<(Asked, Vec<u8>)> {
        let mut answer = self.send(operation, write)?;
        let data = lift(&mut answer.body);
        Ok((self.judge(operation, &answer), data))
    }

    fn send<'a>(&mut self, operation: &str, write: impl FnOnce(&mut Document<'a>)) -> Result<Response> {
        let body = Document::envelope(|it| self.headers(it), write);
        let action = format!("\"http://schemas.microsoft.com/exchange/services/2006/messages/{operation}\"");
        let mut fields = vec![
            ("Content-Type", "text/xml; charset=utf-8".to_owned()),
            ("Accept", "text/xml".to_owned()),
            ("SOAPAction", action),
            // The same machine of a farm answers all requests.
            ("X-PreferServerAffinity", "true".to_owned()),
        ];
        if let Some(mailbox) = &self.options.mailbox {
            fields.push(("X-AnchorMailbox", mailbox.clone()));
        }
        let hidden = Vec::new();
        let request = Request { method: "POST", target: &self.target, fields, body, longest: LONGEST, hidden };
        self.http.send(&request)
    }

    fn judge(&mut self, operation: &str, answer: &Response) -> Asked {
        let envelope = Element::parse(&answer.body);
        let response = envelope.as_ref().and_then(|e| e.child("Body")).and_then(|b| b.children.first());
        match response {
            Some(response) if answer.status == 200 && response.name == format!("{operation}Response") => {
                Ok(response.child("ResponseMessages").map(|m| m.children.clone()).unwrap_or_default())
            }
            _ => {
                let refusal = Refusal::of_answer(answer, envelope.as_ref());
                if refusal.meaning == Meaning::Unsure {
                    self.http.hang_up();
                }
                Err(refusal)
            }
        }
    }

    /// In the order that the schema gives them.
    fn headers(&self, it: &mut Document<'_>) {
        it.empty("t:RequestServerVersion", &[("Version", "Exchange2013")]);
        if let Some(mailbox) = self.options.mailbox.as_deref().filter(|_| self.options.impersonate) {
            it.element("t:ExchangeImpersonation", &[], |it| {
                it.element("t:ConnectingSID", &[], |it| it.text("t:PrimarySmtpAddress", &[], mailbox));
            });
        }
    }

    /// Makes a request that changes nothing, and makes it again while the server is busy.
    ///
    /// # Errors
    /// As [`Ews::ask`]; what the server refuses.
    pub(super) fn must<'a>(&mut self, operation: &str, write: impl Fn(&mut Document<'a>)) -> Result<Vec<Element>> {
        let mut waits = Waits::new(self.patience, self.endurance);
        loop {
            let refusal = match self.ask(operation, &write)? {
                Ok(messages) => match messages.iter().find_map(Refusal::of) {
                    Some(refusal) if matches!(refusal.meaning, Meaning::Again(_)) => refusal,
                    _ => return Ok(messages),
                },
                Err(refusal) => refusal,
            };
            let Meaning::Again(wait) = refusal.meaning else { return Err(refusal.error()) };
            waits.once(wait, &refusal.to_string(), &self.watch, &|| self.stopped())?;
        }
    }
}

/// Takes the text of the first element Data out of an answer; empty where there is none.
fn lift(body: &mut Vec<u8>) -> Vec<u8> {
    const NAME: &[u8] = b"Data>";
    let opens = |at: &usize| at.checked_sub(1).and_then(|before| body.get(before)).is_some_and(|b| b"<:".contains(b));
    let Some(start) = memchr::memmem::find_iter(body, NAME).find(opens).map(|at| at + NAME.len()) else {
        return Vec::new();
    };
    let length = body.get(start..).and_then(|rest| memchr::memchr(b'<', rest)).unwrap_or_default();
    let tail = body.split_off(start + length);
    let mut head = body.get(..start).unwrap_or_default().to_vec();
    head.extend(tail);
    let mut data = std::mem::replace(body, head);
    data.drain(..start);
    data
}

/// The first message of an answer.
///
/// # Errors
/// Its refusal, or that there is none.
pub(super) fn first(messages: Vec<Element>) -> std::result::Result<Element, Refusal> {
    let message = messages.into_iter().next().ok_or_else(Refusal::silence)?;
    Refusal::of(&message).map_or(Ok(message), Err)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_held_once() {
        let text = |data: &str| format!("<e><m:Data Id='1'/><m:Data>{data}</m:Data><n>x</n></e>").into_bytes();
        let mut body = text("QUJD");
        assert_eq!(lift(&mut body), b"QUJD");
        assert_eq!(body, text(""));
        assert_eq!(lift(&mut body), b"");
        assert_eq!(body, text(""));
        for other in ["<e><NoData>x</NoData></e>", "</Data>", "<Data>", ""] {
            let mut body = other.as_bytes().to_vec();
            assert_eq!((lift(&mut body), body), (Vec::new(), other.as_bytes().to_vec()), "{other}");
        }
    }
}
