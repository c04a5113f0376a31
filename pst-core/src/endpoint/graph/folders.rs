//! The folders of a mailbox.

use super::client::{Graph, Said, encoded};
use super::refusal::Refusal;
use crate::endpoint::net::http::Body;
use crate::error::{Error, Kind, Result};
use crate::mapi::Role;
use serde_json::{Value, json};

/// Folders at most, and inside each other.
const MOST: usize = 100_000;
const DEEPEST: usize = 300;

/// A folder of a mailbox.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Container {
    /// Its id, which import takes.
    pub id: String,
    /// The names from the top of the mailbox.
    pub path: Vec<String>,
    /// Its role.
    pub role: Role,
    /// Container class ("IPF.Note").
    pub class: String,
    /// How many items it has.
    pub items: u64,
    children: u64,
}

impl Graph {
    /// All folders that the user sees, parents first.
    ///
    /// # Errors
    /// When they cannot be listed.
    pub fn folders(&mut self) -> Result<Vec<Container>> {
        let mailbox = self.mailbox()?;
        self.tree(&format!("admin/exchange/mailboxes/{mailbox}/folders"))
    }

    /// The folders of a list and those inside them, parents first.
    pub(super) fn tree(&mut self, top: &str) -> Result<Vec<Container>> {
        let mut found = self.page(top, &[])?;
        let mut at = 0;
        while let Some(folder) = found.get(at).cloned() {
            at += 1;
            if folder.children == 0 || folder.path.len() >= DEEPEST {
                continue;
            }
            found.extend(self.page(&format!("{top}/{}/childFolders", encoded(&folder.id)), &folder.path)?);
            if found.len() > MOST {
                return Err(Error::new(Kind::Limit, format!("the mailbox has more than {MOST} folders")));
            }
        }
        Ok(found)
    }

    /// All folders of a list.
    fn page(&mut self, path: &str, above: &[String]) -> Result<Vec<Container>> {
        let folders = self.pages(&format!("{path}?$top=100"), MOST)?;
        Ok(folders.iter().filter_map(|f| Container::of(f, above)).collect())
    }

    /// Everything in a list, which may have several pages; no more is asked for once there are more than `most`.
    ///
    /// # Errors
    /// When a page cannot be had, or the list goes on at another server.
    pub(super) fn pages(&mut self, path: &str, most: usize) -> Result<Vec<Value>> {
        let mut out: Vec<Value> = Vec::new();
        let mut path = path.to_owned();
        loop {
            let mut page = self.must("GET", &path)?;
            let next = page.get("@odata.nextLink").and_then(Value::as_str).map(str::to_owned);
            let mut items = page.get_mut("value").map(Value::take).unwrap_or_default();
            let items = items.as_array_mut().map(std::mem::take).unwrap_or_default();
            let empty = items.is_empty();
            out.extend(items);
            let Some(next) = next.filter(|_| !empty && out.len() <= most) else { return Ok(out) };
            // The link leads to the same server; where it does not, no token goes there.
            let (server, target) = self.reach.server(&next)?;
            let same = self.is_server(&server);
            let Some(rest) = target.strip_prefix(&format!("/{}/", self.version())).filter(|_| same) else {
                return Err(Error::new(Kind::Server, "a list goes on at another server"));
            };
            rest.clone_into(&mut path);
        }
    }

    /// How many items a folder has.
    ///
    /// # Errors
    /// When it cannot be looked at.
    pub fn count(&mut self, folder: &str) -> Result<u64> {
        let mailbox = self.mailbox()?;
        let found = self.must("GET", &format!("admin/exchange/mailboxes/{mailbox}/folders/{}", encoded(folder)))?;
        Ok(found.get("totalItemCount").and_then(Value::as_u64).unwrap_or_default())
    }

    /// Makes a folder below another, or at the top; the refusal stands inside.
    ///
    /// # Errors
    /// When the connection breaks.
    pub fn create_folder(&mut self, parent: Option<&str>, name: &str, class: &str) -> Result<Said<Container>> {
        let mailbox = self.mailbox()?;
        let class = if class.is_empty() { "IPF.Note" } else { class };
        let body = json!({ "displayName": name, "type": class });
        self.create_below(&format!("admin/exchange/mailboxes/{mailbox}/folders"), parent, &body)
    }

    /// Makes a folder in a list, or below one of them.
    pub(super) fn create_below(&mut self, top: &str, parent: Option<&str>, folder: &Value) -> Result<Said<Container>> {
        let path = match parent {
            Some(parent) => format!("{top}/{}/childFolders", encoded(parent)),
            None => top.to_owned(),
        };
        let said = self.ask("POST", &path, Body::from(folder.to_string()))?;
        Ok(said.and_then(|made| Container::of(&made, &[]).ok_or_else(|| Refusal::silence("which folder"))))
    }
}

impl Container {
    /// A folder by what the server says of it, below those of `above`.
    fn of(folder: &Value, above: &[String]) -> Option<Self> {
        let text = |name: &str| folder.get(name).and_then(Value::as_str).unwrap_or_default();
        let number = |name: &str| folder.get(name).and_then(Value::as_u64).unwrap_or_default();
        let mut path = above.to_vec();
        path.push(text("displayName").to_owned());
        Some(Self {
            id: Some(text("id")).filter(|id| !id.is_empty())?.to_owned(),
            path,
            role: role(text("wellKnownName")),
            class: text("type").to_owned(),
            items: number("totalItemCount"),
            children: number("childFolderCount"),
        })
    }
}

/// The role that a well-known name stands for.
fn role(name: &str) -> Role {
    match name.to_ascii_lowercase().as_str() {
        "inbox" => Role::Inbox,
        "outbox" => Role::Outbox,
        "sentitems" => Role::Sent,
        "drafts" => Role::Drafts,
        "deleteditems" => Role::Deleted,
        "junkemail" => Role::Junk,
        "archive" => Role::Archive,
        "calendar" => Role::Calendar,
        "contacts" => Role::Contacts,
        "tasks" => Role::Tasks,
        "notes" => Role::Notes,
        "journal" => Role::Journal,
        _ => Role::None,
    }
}
