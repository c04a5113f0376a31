//! Mail made from JSON, where import is not permitted: the last resort.

use super::client::{Graph, Said, encoded};
use super::refusal::Refusal;
use crate::endpoint::net::http::Body;
use crate::error::Result;
use serde_json::{Value, json};

/// What of a message JSON can carry. Attachments and all that is no mail have no place here.
#[derive(Debug, Clone, Default)]
pub struct Letter {
    /// The subject.
    pub subject: String,
    /// The body, and whether it is HTML.
    pub body: (String, bool),
    /// Who sent it: name and address.
    pub from: Option<(String, String)>,
    /// Who got it, by name and address: To, Cc, Bcc.
    pub recipients: [Vec<(String, String)>; 3],
    /// Its header (PidTagTransportMessageHeaders).
    pub header: Option<String>,
    /// Its Message-ID.
    pub message_id: Option<String>,
    /// PidTagMessageFlags: what is not unsent is no draft.
    pub flags: i32,
    /// When it came and when it was sent, seconds since 1970 UTC.
    pub times: [Option<i64>; 2],
    /// Its categories.
    pub categories: Vec<String>,
}

impl Graph {
    /// Makes a message in a folder and tells its id; the refusal stands inside.
    ///
    /// Graph heeds no dates and no header of its own form at creation, but the properties that they stand in.
    ///
    /// # Errors
    /// When the connection breaks.
    pub fn create_mail(&mut self, folder: &str, letter: &Letter) -> Result<Said<String>> {
        let user = encoded(&self.user.clone());
        let path = format!("users/{user}/mailFolders/{}/messages", encoded(folder));
        let said = self.ask("POST", &path, Body::from(letter.json().to_string()))?;
        Ok(said.and_then(|made| {
            let id = made.get("id").and_then(Value::as_str).map(str::to_owned);
            id.ok_or_else(|| Refusal {
                status: 201,
                code: String::new(),
                words: "the server does not say which message it has made".to_owned(),
                meaning: super::Meaning::Unsure,
            })
        }))
    }
}

impl Letter {
    fn json(&self) -> Value {
        let person =
            |(name, address): &(String, String)| json!({ "emailAddress": { "name": name, "address": address } });
        let people = |all: &Vec<(String, String)>| all.iter().map(person).collect::<Vec<_>>();
        let [to, cc, bcc] = &self.recipients;
        let mut properties = vec![json!({ "id": "Integer 0x0E07", "value": self.flags.to_string() })];
        for (tag, time) in ["0x0E06", "0x0039"].iter().zip(self.times) {
            if let Some(time) = time.and_then(|t| jiff::Timestamp::from_second(t).ok()) {
                properties.push(json!({ "id": format!("SystemTime {tag}"), "value": time.to_string() }));
            }
        }
        let texts = [("String 0x007D", &self.header), ("String 0x1035", &self.message_id)];
        let text = |(id, value): (&str, &Option<String>)| Some(json!({ "id": id, "value": value.as_ref()? }));
        properties.extend(texts.into_iter().filter_map(text));
        let (body, is_html) = &self.body;
        let mut out = json!({
            "subject": self.subject,
            "body": { "contentType": if *is_html { "html" } else { "text" }, "content": body },
            "toRecipients": people(to),
            "ccRecipients": people(cc),
            "bccRecipients": people(bcc),
            "categories": self.categories,
            "isRead": self.flags & 1 != 0,
            "singleValueExtendedProperties": properties,
        });
        if let (Some(from), Some(fields)) = (&self.from, out.as_object_mut()) {
            fields.insert("from".to_owned(), person(from));
            fields.insert("sender".to_owned(), person(from));
        }
        out
    }
}
