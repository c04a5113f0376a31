//! The part of the Graph of the tests that knows mail: folders, messages made from JSON, and their attachments.

use super::{Folder, State, expanded, given_back, plain, refused, skipped};
use crate::web::{Asked, Told};
use serde_json::{Value, json};
use std::collections::HashMap;

/// Larger requests are refused, bytes.
const LARGEST: usize = 4 << 20;
/// Larger attachments come by upload sessions.
const SMALL: usize = 3 << 20;

/// An upload session: the message, what was announced, and what has come.
pub type Uploads = HashMap<String, (String, Value, Vec<u8>)>;

/// A message.
#[derive(Debug, Clone)]
pub struct Mail {
    pub id: String,
    pub folder: String,
    pub json: Value,
    /// Attachments: what is said of each, and its bytes.
    pub files: Vec<(Value, Vec<u8>)>,
}

impl Mail {
    /// The value of an extended property.
    pub fn property(&self, id: &str) -> Option<&str> {
        let all = self.json["singleValueExtendedProperties"].as_array()?;
        all.iter().find(|p| p["id"] == id).and_then(|p| p["value"].as_str())
    }

    pub(super) fn properties(&self, wanted: &[String]) -> Vec<Value> {
        wanted.iter().filter_map(|id| Some(given_back(id, self.property(id)?))).collect()
    }

    fn is_draft(&self) -> bool {
        self.property("Integer 0x0E07").is_none_or(|flags| flags.parse::<i32>().unwrap() & 8 != 0)
    }

    fn shown(&self, wanted: &[String]) -> Value {
        let mut out = self.json.clone();
        out["id"] = self.id.as_str().into();
        out["changeKey"] = "c".into();
        out["isDraft"] = self.is_draft().into();
        out["internetMessageId"] = self.property("String 0x1035").unwrap_or("<made@server>").into();
        out["singleValueExtendedProperties"] = self.properties(wanted).into();
        out
    }
}

/// Mail knows folders by other ids than import.
pub(super) fn id_of(folder: &str) -> String {
    format!("AAMk/{folder}")
}

fn is_mail(folder: &Folder) -> bool {
    folder.class.starts_with("IPF.Note")
}

fn shown(state: &State, folder: &Folder) -> Value {
    let inside = |f: &&Folder| f.parent.as_ref() == Some(&folder.id) && is_mail(f);
    json!({
        "id": id_of(&folder.id), "displayName": folder.name,
        "totalItemCount": state.mail.iter().filter(|m| m.folder == id_of(&folder.id)).count(),
        "childFolderCount": state.folders.iter().filter(inside).count(),
    })
}

/// The folder of an id of mail or a well-known name.
fn folder<'s>(state: &'s State, id: &str) -> Option<&'s Folder> {
    let id = plain(id);
    state.folders.iter().find(|f| id_of(&f.id) == id || (!f.known.is_empty() && f.known == id)).filter(|f| is_mail(f))
}

fn missing() -> Told {
    refused(404, "ErrorItemNotFound", "there is no such thing")
}

pub(super) fn route(state: &mut State, asked: &Asked, path: &str, query: &str, body: &Value) -> Told {
    if asked.body.len() > LARGEST {
        return refused(413, "RequestEntityTooLarge", "The request is too large.");
    }
    match (asked.method.as_str(), path.split('/').collect::<Vec<_>>().as_slice()) {
        ("GET", ["mailFolders"]) => list(state, None),
        ("POST", ["mailFolders"]) => create(state, None, body),
        ("GET", ["mailFolders", id]) => match folder(state, id) {
            Some(found) => Told::new(200, shown(state, found).to_string()),
            None => missing(),
        },
        ("GET", ["mailFolders", id, "childFolders"]) => match folder(state, id).map(|f| f.id.clone()) {
            Some(parent) => list(state, Some(&parent)),
            None => missing(),
        },
        ("POST", ["mailFolders", id, "childFolders"]) => match folder(state, id).map(|f| f.id.clone()) {
            Some(parent) => create(state, Some(&parent), body),
            None => missing(),
        },
        ("GET", ["mailFolders", id, "messages"]) => messages(state, &plain(id), query, path),
        ("POST", ["mailFolders", id, "messages"]) => match folder(state, id).map(|f| id_of(&f.id)) {
            Some(folder) => message(state, folder, body),
            None => missing(),
        },
        (method, ["messages", id, rest @ ..]) => {
            let id = plain(id);
            let Some(at) = state.mail.iter().position(|m| m.id == id) else { return missing() };
            one(state, at, method, rest, query, body)
        }
        other => panic!("{other:?}"),
    }
}

fn one(state: &mut State, at: usize, method: &str, rest: &[&str], query: &str, body: &Value) -> Told {
    let mail = &mut state.mail[at];
    match (method, rest) {
        ("GET", []) => Told::new(200, mail.shown(&expanded(query)).to_string()),
        ("DELETE", []) => {
            state.mail.remove(at);
            Told::new(204, "")
        }
        ("PATCH", []) => {
            for set in body["singleValueExtendedProperties"].as_array().expect("nothing else is changed") {
                let all = mail.json["singleValueExtendedProperties"].as_array_mut().unwrap();
                all.retain(|p| p["id"] != set["id"]);
                all.push(set.clone());
            }
            Told::new(200, mail.shown(&[]).to_string())
        }
        ("GET", ["attachments"]) => {
            let all: Vec<Value> = mail
                .files
                .iter()
                .enumerate()
                .map(|(i, (said, data))| json!({ "id": format!("F/{i}"), "name": said["name"], "size": data.len() + 300 }))
                .collect();
            Told::new(200, json!({ "value": all }).to_string())
        }
        ("GET", ["attachments", file, "$value"]) => {
            let nth: usize = plain(file).strip_prefix("F/").unwrap().parse().unwrap();
            Told::new(200, mail.files[nth].1.clone())
        }
        ("POST", ["attachments"]) => match file(body) {
            Ok(file) => {
                mail.files.push(file);
                Told::new(201, json!({ "id": "F" }).to_string())
            }
            Err(told) => told,
        },
        ("POST", ["attachments", "createUploadSession"]) => {
            let item = &body["AttachmentItem"];
            assert_eq!(item["attachmentType"], "file");
            let size = item["size"].as_u64().unwrap() as usize;
            if item["name"].as_str().is_none_or(str::is_empty) || size > 150 << 20 {
                return refused(400, "ErrorInvalidRequest", "no name, or too large");
            }
            let name = format!("U{}-SECRET", state.uploads_begun);
            state.uploads_begun += 1;
            let url = format!("https://localhost:{}/upload/{name}?authtoken=upload-SECRET", state.port);
            state.uploads.insert(name, (mail.id.clone(), item.clone(), Vec::new()));
            Told::new(201, json!({ "uploadUrl": url, "nextExpectedRanges": ["0-"] }).to_string())
        }
        other => panic!("{other:?}"),
    }
}

pub(super) fn upload(state: &mut State, asked: &Asked, path: &str, query: &str) -> Told {
    assert_eq!((asked.method.as_str(), query), ("PUT", "authtoken=upload-SECRET"));
    assert!(asked.body.len() < LARGEST && asked.field("content-type") == Some("application/octet-stream"));
    let name = path.strip_prefix("/upload/").unwrap();
    let Some((message, item, data)) = state.uploads.get_mut(name) else { return missing() };
    let size = item["size"].as_u64().unwrap() as usize;
    let range = format!("bytes {}-{}/{size}", data.len(), data.len() + asked.body.len() - 1);
    if asked.field("content-range") != Some(&range) {
        return refused(416, "InvalidRange", &range);
    }
    data.extend(&asked.body);
    if data.len() < size {
        return Told::new(200, json!({ "nextExpectedRanges": [data.len().to_string()] }).to_string());
    }
    let (message, item, data) = (message.clone(), item.clone(), std::mem::take(data));
    state.uploads.remove(name);
    match state.mail.iter_mut().find(|m| m.id == message) {
        Some(mail) => {
            mail.files.push((item, data));
            Told::new(201, "")
        }
        None => missing(),
    }
}

fn list(state: &State, parent: Option<&str>) -> Told {
    let all = state.folders.iter().filter(|f| f.parent.as_deref() == parent && is_mail(f));
    Told::new(200, json!({ "value": all.map(|f| shown(state, f)).collect::<Vec<_>>() }).to_string())
}

fn create(state: &mut State, parent: Option<&str>, body: &Value) -> Told {
    let Some(name) = body["displayName"].as_str() else {
        return refused(400, "ErrorInvalidRequest", "displayName is required");
    };
    // Folders of other kinds have their names, too.
    let same = |f: &&Folder| f.parent.as_deref() == parent && f.name.eq_ignore_ascii_case(name);
    if state.folders.iter().any(|f| same(&f)) {
        return refused(409, "ErrorFolderExists", "A folder with the specified name already exists.");
    }
    let id = format!("AQMk/{}==", state.folders.len());
    let class = "IPF.Note".to_owned();
    let folder = Folder { id, parent: parent.map(str::to_owned), name: name.into(), class, known: "" };
    state.folders.push(folder.clone());
    Told::new(201, shown(state, &folder).to_string())
}

/// Three messages a page.
fn messages(state: &State, folder: &str, query: &str, path: &str) -> Told {
    let wanted = expanded(query);
    let skip = skipped(query);
    let all: Vec<&Mail> = state.mail.iter().filter(|m| m.folder == folder).collect();
    let mut page = json!({ "value": all.iter().skip(skip).take(3).map(|m| m.shown(&wanted)).collect::<Vec<_>>() });
    if skip + 3 < all.len() {
        let query = query.split("&%24skip").next().unwrap();
        let (port, user, next) = (state.port, super::USER, skip + 3);
        page["@odata.nextLink"] =
            format!("https://localhost:{port}/v1.0/users/{user}/{path}?{query}&%24skip={next}").into();
    }
    Told::new(200, page.to_string())
}

fn message(state: &mut State, folder: String, body: &Value) -> Told {
    let kind = body["body"]["contentType"].as_str();
    if body["subject"].as_str().is_none() || !matches!(kind, Some("html" | "text")) {
        return refused(400, "ErrorInvalidRequest", "subject and body are needed");
    }
    for property in body["singleValueExtendedProperties"].as_array().unwrap() {
        let (id, value) = (property["id"].as_str().unwrap(), property["value"].as_str().expect("a text"));
        let good = match id.split_once(' ').unwrap() {
            ("Integer", _) => value.parse::<i32>().is_ok(),
            ("SystemTime", _) => value.parse::<jiff::Timestamp>().is_ok(),
            ("String", _) => true,
            _ => false,
        };
        if !good {
            return refused(400, "ErrorInvalidProperty", id);
        }
    }
    let mut files = Vec::new();
    for said in body["attachments"].as_array().into_iter().flatten() {
        match file(said) {
            Ok(file) => files.push(file),
            Err(told) => return told,
        }
    }
    let mut json = body.clone();
    json.as_object_mut().unwrap().remove("attachments");
    state.given += 1;
    let mail = Mail { id: format!("M/{}", state.given), folder, json, files };
    let told = Told::new(201, mail.shown(&[]).to_string());
    state.mail.push(mail);
    told
}

fn file(said: &Value) -> Result<(Value, Vec<u8>), Told> {
    assert_eq!(said["@odata.type"], "#microsoft.graph.fileAttachment");
    let data = base64_simd::STANDARD.decode_to_vec(said["contentBytes"].as_str().unwrap()).expect("base64");
    if said["name"].as_str().is_none_or(str::is_empty) || data.len() > SMALL {
        return Err(refused(400, "ErrorInvalidRequest", "no name, or too large"));
    }
    let mut said = said.clone();
    said.as_object_mut().unwrap().remove("contentBytes");
    Ok((said, data))
}
