//! Import of items: sessions, and what goes through them.

use super::client::{Graph, Said, said};
use super::refusal::{Meaning, Refusal};
use super::turns::Turns;
use crate::endpoint::net::http::{Body, Client, Request};
use crate::endpoint::net::secret::scrub;
use crate::endpoint::net::{Secret, Security, Server};
use crate::error::{Error, Kind, Result};
use crate::mapi::{Message, fast_transfer};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// A session is made anew so long before it expires.
const MARGIN: Duration = Duration::from_mins(5);
/// Longest answer, bytes.
const LONGEST: u64 = 1 << 20;

/// Permission to import into one mailbox, by an address that holds it.
pub struct Session {
    http: Client,
    permission: Permission,
    turns: Arc<Turns>,
}

/// What a session is permitted by.
#[derive(Clone)]
pub(super) struct Permission {
    server: Server,
    /// Path and query, which is the secret.
    target: Secret,
    /// Seconds since 1970 UTC; `None` where the server does not say.
    expires: Option<i64>,
}

/// An item that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// Its id.
    pub id: String,
    /// What stands for its state.
    pub change_key: String,
}

impl Graph {
    /// Begins a session.
    ///
    /// # Errors
    /// [`Kind::Denied`] where import is not permitted: MailboxItem.ImportExport.All for apps, MailboxItem.ImportExport for
    /// one's own mailbox.
    pub fn session(&mut self) -> Result<Session> {
        let permission = self.permission()?.map_err(|refusal| refusal.error())?;
        Ok(Session::of(permission, Arc::clone(&self.turns)))
    }

    /// Gets a permission; the refusal stands inside.
    pub(super) fn permission(&mut self) -> Result<Said<Permission>> {
        let mailbox = match self.named()? {
            Ok(mailbox) => mailbox,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let path = format!("admin/exchange/mailboxes/{mailbox}/createImportSession");
        let made = match self.patiently(|graph| graph.ask("POST", &path, Body::default()))? {
            Ok(made) => made,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let text = |name: &str| made.get(name).and_then(Value::as_str);
        let url = text("importUrl").ok_or_else(|| Error::new(Kind::Server, "the import session has no address"))?;
        let (server, target) = self.reach.server(url)?;
        if server.security != Security::Tls {
            return Err(Error::new(Kind::Server, "the address of the import session is not protected by TLS"));
        }
        let expires = text("expirationDateTime").and_then(|t| t.parse::<jiff::Timestamp>().ok());
        let expires = expires.map(jiff::Timestamp::as_second);
        Ok(Ok(Permission { server, target: Secret::new(target), expires }))
    }
}

impl Permission {
    /// True once it should be made anew: it expires within five minutes.
    pub fn is_over(&self) -> bool {
        let soon = jiff::Timestamp::now().as_second() + MARGIN.as_secs() as i64;
        self.expires.is_some_and(|end| end <= soon)
    }

    /// True if it is the same one.
    pub fn is(&self, other: &Self) -> bool {
        self.target == other.target
    }
}

impl Session {
    /// A session by a permission, which others may use too.
    pub(super) fn of(permission: Permission, turns: Arc<Turns>) -> Self {
        // No sign-in: the address is one.
        Self { http: Client::new(permission.server.clone(), None), permission, turns }
    }

    /// What it is permitted by.
    pub(super) fn permission(&self) -> &Permission {
        &self.permission
    }

    /// True once it should be made anew: it expires within five minutes.
    pub fn is_over(&self) -> bool {
        self.permission.is_over()
    }

    /// Puts an item into a folder, or in the place of one that is there. It is encoded while it is sent.
    ///
    /// # Errors
    /// When the connection breaks: nobody knows then whether the item is there. The refusal stands inside.
    pub fn import(&mut self, folder: &str, message: &Message, replaces: Option<&Imported>) -> Result<Said<Imported>> {
        let options = fast_transfer::Options::default();
        let length = fast_transfer::length(message, &options)?;
        let text = |text: &str| Value::from(text).to_string();
        let mode = match replaces {
            Some(old) => {
                let (id, key) = (text(&old.id), text(&old.change_key));
                format!("\"update\",\"ItemId\":{id},\"ChangeKey\":{key}")
            }
            None => "\"create\"".to_owned(),
        };
        let mut body = Body::from(format!("{{\"FolderId\":{},\"Mode\":{mode},\"Data\":\"", text(folder)));
        body.push_encoded(length, |out| fast_transfer::encode(message, out, &options).map(drop));
        body.push("\"}");
        let request = Request {
            method: "POST",
            target: self.permission.target.expose(),
            fields: vec![("Content-Type", "application/json".to_owned()), ("Accept", "application/json".to_owned())],
            body,
            longest: LONGEST,
            hidden: self.hidden(),
        };
        let turn = self.turns.take();
        let said = said(&self.http.send(&request)?);
        drop(turn);
        if said.as_ref().is_err_and(|r| r.meaning == Meaning::Unsure) {
            self.http.hang_up();
        }
        let said = said.map_err(|r| Refusal { words: self.scrubbed(&r.words), ..r });
        Ok(said.map(|made| {
            let text = |name: &str| made.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
            // That it is there is certain; only its name is not.
            Imported { id: text("itemId"), change_key: text("changeKey") }
        }))
    }

    /// What must not be told: the address, and its values.
    fn hidden(&self) -> Vec<String> {
        let target = self.permission.target.expose();
        let query = target.split_once('?').map(|(_, query)| query).unwrap_or_default();
        let values = query.split('&').filter_map(|pair| pair.split_once('=')).map(|(_, value)| value.to_owned());
        std::iter::once(target.to_owned()).chain(values.filter(|v| v.len() > 3)).collect()
    }

    fn scrubbed(&self, words: &str) -> String {
        scrub(&self.hidden(), words)
    }
}
