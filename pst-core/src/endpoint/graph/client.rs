//! Requests to Graph and their answers.

use super::refusal::{Meaning, Refusal};
use super::turns::Turns;
use crate::endpoint::net::http::{Body, Client, Reach, Request, Response};
use crate::endpoint::net::patience::{ENDURANCE, Waits};
use crate::endpoint::net::{Login, Server, Watch};
use crate::error::{Error, Kind, Result};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// Longest answer that is taken, bytes.
pub(super) const LONGEST: u64 = 64 << 20;
/// The version that knows mailboxes and their import.
const VERSION: &str = "v1.0";
/// The version that knows online archives, too.
const WITH_ARCHIVES: &str = "beta";

/// What a request brings.
pub(super) type Said<T> = std::result::Result<T, Refusal>;

/// A mailbox over Graph.
pub struct Graph {
    http: Client,
    pub(super) reach: Reach,
    /// Whose mailbox it is: user principal name or id.
    pub(super) user: String,
    /// The mailbox by the name that import and folders know it by.
    mailbox: Option<String>,
    /// The online archive is meant.
    archive: bool,
    pub(super) turns: Arc<Turns>,
    patience: Duration,
    endurance: Duration,
    watch: Watch,
}

impl Graph {
    /// A mailbox that is connected to with the first request; `service` is its URL (`https://graph.microsoft.com`).
    /// `patience`: how long is waited when a busy server does not say how long; twice that the next time, and so on.
    ///
    /// # Errors
    /// [`Kind::Usage`] where the service is no URL.
    pub fn new(
        service: &str,
        user: &str,
        reach: &Reach,
        login: Login,
        patience: Duration,
        watch: Watch,
    ) -> Result<Self> {
        let (server, _) = reach.server(service)?;
        let http = Client::new(server, Some(login));
        let (user, turns) = (user.to_owned(), Arc::default());
        let (reach, endurance) = (reach.clone(), ENDURANCE);
        Ok(Self { http, reach, user, mailbox: None, archive: false, turns, patience, endurance, watch })
    }

    /// The same, asking a busy server so long.
    #[must_use]
    pub fn enduring(self, endurance: Duration) -> Self {
        Self { endurance, ..self }
    }

    /// The online archive of the mailbox instead, which the version "beta" of the service knows.
    pub fn archive(mut self) -> Self {
        self.archive = true;
        self
    }

    /// Takes turns with others that ask for the same mailbox.
    pub(super) fn taking(mut self, turns: Arc<Turns>) -> Self {
        self.turns = turns;
        self
    }

    /// The version of the service.
    pub(super) fn version(&self) -> &'static str {
        if self.archive { WITH_ARCHIVES } else { VERSION }
    }

    /// True once the user wants to stop.
    pub fn stopped(&self) -> bool {
        self.http.server().stopped()
    }

    /// True for the server that tokens are shown to.
    pub(super) fn is_server(&self, server: &Server) -> bool {
        let mine = self.http.server();
        (&mine.host, mine.port, mine.security) == (&server.host, server.port, server.security)
    }

    /// Makes one request; what the answer says, or the refusal.
    ///
    /// # Errors
    /// When the connection breaks, or the sign-in is refused.
    pub(super) fn ask(&mut self, method: &str, path: &str, body: Body<'_>) -> Result<Said<Value>> {
        self.ask_for(method, path, body, LONGEST)
    }

    /// As [`Graph::ask`], with the longest answer that is taken, bytes.
    pub(super) fn ask_for(&mut self, method: &str, path: &str, body: Body<'_>, longest: u64) -> Result<Said<Value>> {
        let answer = self.answer(method, path, body, longest)?;
        Ok(self.kept(said(&answer)))
    }

    /// The bytes that a request brings.
    ///
    /// # Errors
    /// As [`Graph::ask`].
    pub(super) fn bytes(&mut self, path: &str, longest: u64) -> Result<Said<Vec<u8>>> {
        let answer = self.answer("GET", path, Body::default(), longest)?;
        let answer =
            if (200..300).contains(&answer.status) { Ok(answer.body) } else { said(&answer).map(|_| Vec::new()) };
        Ok(self.kept(answer))
    }

    fn answer(&mut self, method: &str, path: &str, body: Body<'_>, longest: u64) -> Result<Response> {
        let target = format!("/{}/{path}", self.version());
        let mut fields = vec![("Accept", "application/json".to_owned())];
        if body.length() > 0 {
            fields.push(("Content-Type", "application/json".to_owned()));
        }
        let _turn = self.turns.take();
        self.http.send(&Request { method, target: &target, fields, body, longest, hidden: Vec::new() })
    }

    /// Gives the connection up where nobody knows what became of a request on it.
    fn kept<T>(&mut self, said: Said<T>) -> Said<T> {
        if said.as_ref().is_err_and(|r| r.meaning == Meaning::Unsure) {
            self.http.hang_up();
        }
        said
    }

    /// Makes a request that may be made twice, and makes it again while the server is busy.
    ///
    /// # Errors
    /// As [`Graph::ask`]; what the server refuses.
    pub(super) fn must(&mut self, method: &str, path: &str) -> Result<Value> {
        self.patiently(|graph| graph.ask(method, path, Body::default()))?.map_err(|refusal| refusal.error())
    }

    /// Asks again while the server is busy.
    ///
    /// # Errors
    /// As [`Graph::ask`]; [`Kind::Server`] where it is busy too long.
    pub(super) fn patiently<T>(&mut self, mut asked: impl FnMut(&mut Self) -> Result<Said<T>>) -> Result<Said<T>> {
        let mut waits = Waits::new(self.patience, self.endurance);
        loop {
            match asked(self)? {
                Err(Refusal { meaning: Meaning::Again(wait), words, .. }) => {
                    waits.once(wait, &words, &self.watch, &|| self.stopped())?;
                }
                said => return Ok(said),
            }
        }
    }

    /// The mailbox by the name that import and folders know it by ("MBX:...").
    ///
    /// # Errors
    /// When the user has none, or the app may not ask.
    pub fn mailbox(&mut self) -> Result<String> {
        self.named()?.map_err(|refusal| refusal.error())
    }

    /// As [`Graph::mailbox`]; the refusal stands inside.
    ///
    /// # Errors
    /// As [`Graph::ask`].
    pub(super) fn named(&mut self) -> Result<Said<String>> {
        if let Some(known) = &self.mailbox {
            return Ok(Ok(known.clone()));
        }
        let path = format!("users/{}/settings/exchange", encoded(&self.user));
        let settings = match self.patiently(|graph| graph.ask("GET", &path, Body::default()))? {
            Ok(settings) => settings,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let (field, what) =
            if self.archive { ("inPlaceArchiveMailboxId", "online archive") } else { ("primaryMailboxId", "mailbox") };
        let Some(id) = settings.get(field).and_then(Value::as_str) else {
            return Err(Error::new(Kind::NotFound, format!("Microsoft 365 names no {what} of {}", self.user)));
        };
        let id = encoded(id);
        self.mailbox = Some(id.clone());
        Ok(Ok(id))
    }
}

/// What an answer says, whose body is JSON.
pub(super) fn said(answer: &Response) -> Said<Value> {
    let body: Option<Value> = serde_json::from_slice(&answer.body).ok();
    match (answer.status, body) {
        (202 | 204, _) => Ok(Value::Null),
        (200..=299, Some(value)) => Ok(value),
        (200..=299, None) => Err(Refusal::nonsense(answer)),
        (_, body) => Err(Refusal::of(answer, body.as_ref())),
    }
}

/// A segment of a path.
pub(super) fn encoded(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~@:=".contains(&b);
    text.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments() {
        assert_eq!(encoded("MBX:a-1@b.c"), "MBX:a-1@b.c");
        assert_eq!(encoded("a/../b?c#d e%é"), "a%2F..%2Fb%3Fc%23d%20e%25%C3%A9");
    }
}
