//! What of a message JSON can carry, where import is not permitted.

use super::items::{MESSAGE_ID, own};
use crate::endpoint::net::http::base64_length;
use crate::error::Result;
use crate::mapi::message::flag;
use crate::mapi::{Blob, Code, Message, Warning, tag, time};
use crate::mime::{self, Data, Person};
use serde_json::{Value, json};

/// Bytes of JSON that one request may have: Graph refuses more than 4 MB.
const REQUEST: u64 = 3 << 20;
/// What a message is looked for by.
pub(super) const PROBE: &str = "PstProbe";
/// Set while attachments of a message are still on their way.
pub(super) const UNFINISHED: &str = "PstUnfinished";

/// A message as JSON. What is no mail has no place here, nor has a property that is not among these.
#[derive(Debug, Clone, Default)]
pub struct Letter {
    /// The subject.
    pub subject: String,
    /// The body, and whether it is HTML.
    pub body: (String, bool),
    /// Who it is from: name and address.
    pub from: Option<(String, String)>,
    /// Who sent it, if that is another.
    pub sender: Option<(String, String)>,
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
    /// Further properties as Graph calls them ("String 0x1042"), and their values.
    pub more: Vec<(String, String)>,
    /// Its attachments.
    pub files: Vec<Enclosure>,
}

/// An attachment of a letter.
#[derive(Debug, Clone)]
pub struct Enclosure {
    /// Its name.
    pub name: String,
    /// Media type.
    pub mime: String,
    /// Content-ID without angle brackets.
    pub cid: Option<String>,
    /// True for what the HTML shows.
    pub inline: bool,
    /// What is in it.
    pub data: Blob,
}

impl Letter {
    /// What of a message JSON can carry; `probe` is what it is looked for by. What is lost goes to the warnings.
    ///
    /// # Errors
    /// When a body or an attached message cannot be read.
    pub fn of(message: &Message, probe: &str, mail: &mime::Options, warnings: &mut Vec<Warning>) -> Result<Self> {
        let view = mime::view(message.clone(), mail, warnings)?;
        let state = mime::state_of(message);
        let props = &message.props;
        let pair = |who: Person| (who.name, who.address);
        let people = |all: Vec<Person>| all.into_iter().map(pair).collect::<Vec<_>>();
        let mut flags = if state.seen == Some(false) { 0 } else { flag::READ };
        if state.draft {
            flags |= flag::UNSENT;
        }
        let mut more = vec![(own(PROBE), probe.to_owned())];
        if !view.class.is_empty() && !view.class.eq_ignore_ascii_case("IPM.Note") {
            more.push(("String 0x001A".to_owned(), view.class));
        }
        for (tag, id) in [(tag::IN_REPLY_TO_ID, "String 0x1042"), (tag::INTERNET_REFERENCES, "String 0x1039")] {
            more.extend(props.text(tag).filter(|t| !t.is_empty()).map(|t| (id.to_owned(), t)));
        }
        for tag in [tag::IMPORTANCE, tag::SENSITIVITY, tag::ICON_INDEX, tag::LAST_VERB_EXECUTED, tag::FLAG_STATUS] {
            more.extend(props.i32(tag).map(|n| (format!("Integer 0x{:04X}", tag.id()), n.to_string())));
        }
        let mut files = Vec::new();
        for file in view.files {
            let (name, mime, cid, inline) = (file.name, file.mime, file.cid, file.inline);
            let (mime, data) = match file.data {
                Data::Bytes(data) => (mime, data),
                Data::Message(inner) => {
                    let mut bytes = Vec::new();
                    warnings.extend(mime::from_mapi(&inner, &mut bytes, mail)?);
                    warnings
                        .push(Code::Structure.with(format!("the attached message \"{name}\" is a file of mail now")));
                    ("message/rfc822".to_owned(), Blob::Bytes(bytes))
                }
                Data::Missing => continue,
            };
            files.push(Enclosure { name, mime, cid, inline, data });
        }
        Ok(Self {
            subject: view.subject,
            body: view.html.map_or_else(|| (view.text.unwrap_or_default(), false), |html| (html, true)),
            from: view.from.map(pair),
            sender: view.sender.map(pair),
            recipients: [people(view.to), people(view.cc), people(view.bcc)],
            header: props.text(tag::TRANSPORT_MESSAGE_HEADERS).filter(|h| !h.is_empty()),
            message_id: props.text(tag::INTERNET_MESSAGE_ID).filter(|id| !id.is_empty()),
            flags,
            times: [
                mime::delivery_time(message),
                props.time(tag::CLIENT_SUBMIT_TIME).and_then(time::known).map(time::to_unix),
            ],
            categories: state.keywords,
            more,
            files,
        })
    }

    /// The message without its attachments.
    pub(super) fn json(&self) -> Value {
        let people = |all: &Vec<(String, String)>| all.iter().map(person).collect::<Vec<_>>();
        let [to, cc, bcc] = &self.recipients;
        let set = |id: &str, value: &str| json!({ "id": id, "value": value });
        let mut properties = vec![set("Integer 0x0E07", &self.flags.to_string())];
        for (tag, time) in ["0x0E06", "0x0039"].iter().zip(self.times) {
            if let Some(time) = time.and_then(|t| jiff::Timestamp::from_second(t).ok()) {
                properties.push(set(&format!("SystemTime {tag}"), &time.to_string()));
            }
        }
        let texts = [("String 0x007D", &self.header), (MESSAGE_ID, &self.message_id)];
        properties.extend(texts.into_iter().filter_map(|(id, value)| Some(set(id, value.as_ref()?))));
        properties.extend(self.more.iter().map(|(id, value)| set(id, value)));
        let (body, is_html) = &self.body;
        let mut out = json!({
            "subject": self.subject,
            "body": { "contentType": if *is_html { "html" } else { "text" }, "content": body },
            "toRecipients": people(to),
            "ccRecipients": people(cc),
            "bccRecipients": people(bcc),
            "categories": self.categories,
            "isRead": self.flags & flag::READ != 0,
            "singleValueExtendedProperties": properties,
        });
        if let (Some(from), Some(fields)) = (&self.from, out.as_object_mut()) {
            fields.insert("from".to_owned(), person(from));
            fields.insert("sender".to_owned(), person(self.sender.as_ref().unwrap_or(from)));
        }
        out
    }

    /// The message with its attachments, where one request takes them all.
    pub(super) fn whole(&self) -> Result<Option<Value>> {
        let mut out = self.json();
        let files: u64 = self.files.iter().map(|f| base64_length(f.data.len()) + 1000).sum();
        if files > REQUEST || out.to_string().len() as u64 + files > REQUEST {
            return Ok(if self.files.is_empty() { Some(out) } else { None });
        }
        let files = self.files.iter().map(Enclosure::json).collect::<Result<Vec<_>>>()?;
        if let Some(fields) = out.as_object_mut().filter(|_| !files.is_empty()) {
            fields.insert("attachments".to_owned(), files.into());
        }
        Ok(Some(out))
    }
}

impl Enclosure {
    /// The attachment with its content.
    pub(super) fn json(&self) -> Result<Value> {
        let data = self.data.to_vec(REQUEST)?;
        let mut out = json!({
            "@odata.type": "#microsoft.graph.fileAttachment",
            "name": self.name,
            "contentType": self.mime,
            "isInline": self.inline,
            "contentBytes": base64_simd::STANDARD.encode_to_string(data),
        });
        if let (Some(cid), Some(fields)) = (&self.cid, out.as_object_mut()) {
            fields.insert("contentId".to_owned(), cid.as_str().into());
        }
        Ok(out)
    }
}

fn person((name, address): &(String, String)) -> Value {
    if address.is_empty() {
        return json!({ "emailAddress": { "name": name } });
    }
    json!({ "emailAddress": { "name": name, "address": address } })
}
