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
        let mut found = self.page(&format!("admin/exchange/mailboxes/{mailbox}/folders"), &[])?;
        let mut at = 0;
        while let Some(folder) = found.get(at).cloned() {
            at += 1;
            if folder.children == 0 || folder.path.len() >= DEEPEST {
                continue;
            }
            let below = format!("admin/exchange/mailboxes/{mailbox}/folders/{}/childFolders", encoded(&folder.id));
            found.extend(self.page(&below, &folder.path)?);
            if found.len() > MOST {
                return Err(Error::new(Kind::Limit, format!("the mailbox has more than {MOST} folders")));
            }
        }
        Ok(found)
    }

    /// All folders of a list, which may have several pages.
    fn page(&mut self, path: &str, above: &[String]) -> Result<Vec<Container>> {
        let mut out: Vec<Container> = Vec::new();
        let mut path = format!("{path}?$top=100");
        loop {
            let page = self.must("GET", &path)?;
            let folders = page.get("value").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            out.extend(folders.iter().filter_map(|f| Container::of(f, above)));
            let next = page.get("@odata.nextLink").and_then(Value::as_str).map(str::to_owned);
            let Some(next) = next.filter(|_| !folders.is_empty() && out.len() <= MOST) else { return Ok(out) };
            // The link leads to the same server; where it does not, no token goes there.
            let (server, target) = self.reach.server(&next)?;
            let same = self.is_server(&server);
            let Some(rest) = target.strip_prefix("/v1.0/").filter(|_| same) else {
                return Err(Error::new(Kind::Server, "the list of folders goes on at another server"));
            };
            rest.clone_into(&mut path);
        }
    }

    /// Makes a folder below another, or at the top; the refusal stands inside.
    ///
    /// # Errors
    /// When the connection breaks.
    pub fn create_folder(&mut self, parent: Option<&str>, name: &str, class: &str) -> Result<Said<Container>> {
        let mailbox = self.mailbox()?;
        let class = if class.is_empty() { "IPF.Note" } else { class };
        let body = json!({ "displayName": name, "type": class }).to_string();
        let path = match parent {
            Some(parent) => format!("admin/exchange/mailboxes/{mailbox}/folders/{}/childFolders", encoded(parent)),
            None => format!("admin/exchange/mailboxes/{mailbox}/folders"),
        };
        let said = self.ask("POST", &path, Body::from(body))?;
        Ok(said.and_then(|made| {
            Container::of(&made, &[]).ok_or_else(|| Refusal {
                status: 201,
                code: String::new(),
                words: "the server does not say which folder it has made".to_owned(),
                meaning: super::Meaning::Unsure,
            })
        }))
    }
}

impl Container {
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
