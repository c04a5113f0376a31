//! Requests to Graph and their answers.

use super::refusal::{Meaning, Refusal};
use crate::endpoint::net::http::{Body, Client, Reach, Request};
use crate::endpoint::net::{Login, Notice, Server, Watch, patience};
use crate::error::{Error, Kind, Result};
use serde_json::Value;
use std::time::Duration;

/// Where the service is.
pub const SERVICE: &str = "https://graph.microsoft.com";
/// Longest answer that is taken, bytes.
const LONGEST: u64 = 64 << 20;
/// How often a busy server is asked the same.
const ATTEMPTS: u32 = 12;

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
    patience: Duration,
    watch: Watch,
}

impl Graph {
    /// A mailbox that is connected to with the first request; `service` is [`SERVICE`], or that of a national cloud.
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
        Ok(Self { http, reach: reach.clone(), user: user.to_owned(), mailbox: None, patience, watch })
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
        let target = format!("/v1.0/{path}");
        let mut fields = vec![("Accept", "application/json".to_owned())];
        if body.length() > 0 {
            fields.push(("Content-Type", "application/json".to_owned()));
        }
        let request = Request { method, target: &target, fields, body, longest: LONGEST, hidden: Vec::new() };
        let said = send(&mut self.http, &request)?;
        if said.as_ref().is_err_and(|r| r.meaning == Meaning::Unsure) {
            self.http.hang_up();
        }
        Ok(said)
    }

    /// Makes a request that may be made twice, and makes it again while the server is busy.
    ///
    /// # Errors
    /// As [`Graph::ask`]; what the server refuses.
    pub(super) fn must(&mut self, method: &str, path: &str) -> Result<Value> {
        let mut waits = 0;
        loop {
            let refusal = match self.ask(method, path, Body::default())? {
                Ok(value) => return Ok(value),
                Err(refusal) => refusal,
            };
            match refusal.meaning {
                Meaning::Again(wait) if waits < ATTEMPTS => {
                    self.wait(patience::wait(waits, wait, self.patience), &refusal.to_string())?;
                    waits += 1;
                }
                _ => return Err(refusal.error()),
            }
        }
    }

    fn wait(&self, wait: Duration, why: &str) -> Result<()> {
        (self.watch)(&Notice::Waiting { why: why.to_owned(), wait });
        patience::pause(wait, &|| self.stopped())
    }

    /// The mailbox by the name that import and folders know it by ("MBX:...").
    ///
    /// # Errors
    /// When the user has none, or the app may not ask.
    pub fn mailbox(&mut self) -> Result<String> {
        if let Some(known) = &self.mailbox {
            return Ok(known.clone());
        }
        let settings = self.must("GET", &format!("users/{}/settings/exchange", encoded(&self.user.clone())))?;
        let Some(id) = settings.get("primaryMailboxId").and_then(Value::as_str) else {
            let text = format!("Microsoft 365 names no mailbox of {}", self.user);
            return Err(Error::new(Kind::NotFound, text));
        };
        let id = encoded(id);
        self.mailbox = Some(id.clone());
        Ok(id)
    }
}

/// Sends a request whose answer is JSON.
pub(super) fn send(http: &mut Client, request: &Request<'_>) -> Result<Said<Value>> {
    let answer = http.send(request)?;
    let body: Option<Value> = serde_json::from_slice(&answer.body).ok();
    Ok(match (answer.status, body) {
        (204, _) => Ok(Value::Null),
        (200..=299, Some(value)) => Ok(value),
        (200..=299, None) => Err(Refusal::nonsense(&answer)),
        (_, body) => Err(Refusal::of(&answer, body.as_ref())),
    })
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
