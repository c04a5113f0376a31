//! Mail made from JSON, where import is not permitted: the last resort.

use super::client::{Graph, LONGEST, Said, encoded};
use super::folders::Container;
use super::items::{Held, MESSAGE_ID, expand, own, text};
use super::letter::{Letter, PROBE, UNFINISHED};
use super::refusal::{Meaning, Refusal};
use crate::endpoint::net::http::Body;
use crate::error::Result;
use crate::mapi::Role;
use serde_json::{Value, json};

/// Messages of a folder at most.
const MOST: usize = 10_000_000;
/// Attachments of a message at most.
const FILES: usize = 100_000;

/// The names by which every mailbox has its folders of mail.
const NAMED: &[(Role, &str)] = &[
    (Role::Inbox, "inbox"),
    (Role::Outbox, "outbox"),
    (Role::Sent, "sentitems"),
    (Role::Drafts, "drafts"),
    (Role::Deleted, "deleteditems"),
    (Role::Junk, "junkemail"),
    (Role::Archive, "archive"),
];

/// What a message was made into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Made {
    pub id: String,
    pub change_key: String,
    pub is_draft: bool,
}

impl Graph {
    fn messages(&self) -> String {
        format!("users/{}/messages", encoded(&self.user))
    }

    fn mail_top(&self) -> String {
        format!("users/{}/mailFolders", encoded(&self.user))
    }

    /// All folders of mail, parents first.
    ///
    /// # Errors
    /// When they cannot be listed.
    pub(super) fn mail_folders(&mut self) -> Result<Vec<Container>> {
        let top = self.mail_top();
        let mut folders = self.tree(&top)?;
        for (role, name) in NAMED {
            let path = format!("{top}/{name}?$select=id");
            match self.patiently(|graph| graph.ask("GET", &path, Body::default()))? {
                Ok(found) => {
                    let id = text(&found, "id");
                    if let Some(folder) = folders.iter_mut().find(|f| Some(&f.id) == id.as_ref()) {
                        folder.role = *role;
                    }
                }
                // A mailbox may lack some.
                Err(refusal) if refusal.meaning == Meaning::Missing => {}
                Err(refusal) => return Err(refusal.error()),
            }
        }
        Ok(folders)
    }

    /// Makes a folder of mail below another, or at the top; the refusal stands inside.
    ///
    /// # Errors
    /// When the connection breaks.
    pub(super) fn create_mail_folder(&mut self, parent: Option<&str>, name: &str) -> Result<Said<Container>> {
        self.create_below(&self.mail_top(), parent, &json!({ "displayName": name }))
    }

    /// How many messages a folder of mail has.
    ///
    /// # Errors
    /// When it cannot be looked at.
    pub(super) fn mail_count(&mut self, folder: &str) -> Result<u64> {
        let found = self.must("GET", &format!("{}/{}", self.mail_top(), encoded(folder)))?;
        Ok(found.get("totalItemCount").and_then(Value::as_u64).unwrap_or_default())
    }

    /// What the messages of a folder are found by.
    ///
    /// # Errors
    /// When they cannot be listed.
    pub(super) fn mail_items(&mut self, folder: &str) -> Result<Vec<Held>> {
        let wanted = expand(&[&own(PROBE), &own(UNFINISHED)]);
        let path =
            format!("{}/{}/messages?$top=100&$select=id,internetMessageId&{wanted}", self.mail_top(), encoded(folder));
        Ok(self.pages(&path, MOST)?.iter().filter_map(Held::of_mail).collect())
    }

    /// Makes a message in a folder and tells its id; the refusal stands inside.
    ///
    /// Graph heeds no dates and no header of its own form at creation, but the properties that they stand in. Attachments
    /// have to fit into one request; others come afterwards.
    ///
    /// # Errors
    /// When the connection breaks.
    pub fn create_mail(&mut self, folder: &str, letter: &Letter) -> Result<Said<String>> {
        let message = letter.whole()?.unwrap_or_else(|| letter.json());
        Ok(self.create_message(folder, &message)?.map(|made| made.id))
    }

    /// Makes a message of JSON.
    pub(super) fn create_message(&mut self, folder: &str, message: &Value) -> Result<Said<Made>> {
        let path = format!("{}/{}/messages", self.mail_top(), encoded(folder));
        let said = self.ask("POST", &path, Body::from(message.to_string()))?;
        Ok(said.and_then(|made| {
            let id = text(&made, "id").ok_or_else(|| Refusal::silence("which message"))?;
            let is_draft = made.get("isDraft").and_then(Value::as_bool).unwrap_or_default();
            Ok(Made { id, change_key: text(&made, "changeKey").unwrap_or_default(), is_draft })
        }))
    }

    /// A message with all of its attachments is whole.
    pub(super) fn finish_message(&mut self, id: &str) -> Result<Said<()>> {
        let path = format!("{}/{}", self.messages(), encoded(id));
        let done = json!({ "singleValueExtendedProperties": [{ "id": own(UNFINISHED), "value": "no" }] }).to_string();
        Ok(self.patiently(|graph| graph.ask("PATCH", &path, Body::from(done.as_str())))?.map(drop))
    }

    /// Deletes a message; the refusal stands inside.
    pub(super) fn delete_message(&mut self, id: &str) -> Result<Said<()>> {
        let path = format!("{}/{}", self.messages(), encoded(id));
        Ok(self.patiently(|graph| graph.ask("DELETE", &path, Body::default()))?.map(drop))
    }

    /// What is compared of a message with what was sent; the refusal stands inside.
    pub(super) fn read_message(&mut self, id: &str) -> Result<Said<Value>> {
        let select = "$select=subject,isRead,isDraft,toRecipients,ccRecipients,bccRecipients,internetMessageId";
        let wanted = expand(&["SystemTime 0x0E06", "SystemTime 0x0039", MESSAGE_ID]);
        let path = format!("{}/{}?{select}&{wanted}", self.messages(), encoded(id));
        self.patiently(|graph| graph.ask("GET", &path, Body::default()))
    }

    /// The ids and names of the attachments of a message, in their order.
    pub(super) fn attachments(&mut self, id: &str) -> Result<Vec<(String, String)>> {
        let path = format!("{}/{}/attachments?$select=id,name,size", self.messages(), encoded(id));
        let all = self.pages(&path, FILES)?;
        Ok(all.iter().filter_map(|a| Some((text(a, "id")?, text(a, "name").unwrap_or_default()))).collect())
    }

    /// The content of an attachment of about so many bytes.
    pub(super) fn attachment(&mut self, id: &str, attachment: &str, bytes: u64) -> Result<Said<Vec<u8>>> {
        let path = format!("{}/{}/attachments/{}/$value", self.messages(), encoded(id), encoded(attachment));
        self.patiently(|graph| graph.bytes(&path, LONGEST + 2 * bytes))
    }

    /// The list that attachments of a message are added to.
    pub(super) fn enclosures(&self, id: &str) -> String {
        format!("{}/{}/attachments", self.messages(), encoded(id))
    }
}
