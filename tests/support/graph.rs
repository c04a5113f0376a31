//! A Microsoft Graph for tests: the import of mailbox items, strict towards requests, misbehaving where a test wants it.

#[path = "graph_mail.rs"]
mod mail;

use crate::blob::{self, Blob};
use crate::web::{Asked, Told, Web};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};

pub use mail::Mail;

pub const TOKEN: &str = "graph-token-SECRET";
pub const USER: &str = "anna@example.com";
const MAILBOX: &str = "MBX:0a1b2c3d@9f8e7d6c";
const ARCHIVE: &str = "MBX:4eba5149@9f8e7d6c";

#[derive(Debug, Clone)]
pub enum Trouble {
    /// A status and its code, and Retry-After.
    Status(u16, &'static str, Option<u64>),
    /// The connection ends before anything is done.
    CutBefore,
    /// Everything is done, and the connection ends.
    CutAfter,
}

#[derive(Debug, Clone)]
pub struct Folder {
    pub id: String,
    pub parent: Option<String>,
    pub name: String,
    pub class: String,
    pub known: &'static str,
}

#[derive(Debug, Clone)]
pub struct Stored {
    pub id: String,
    pub folder: String,
    pub blob: Blob,
    /// As it came, in base64.
    pub data: String,
}

#[derive(Default)]
pub struct State {
    pub folders: Vec<Folder>,
    pub items: Vec<Stored>,
    /// Mail made from JSON.
    pub mail: Vec<Mail>,
    /// By the last word of the path.
    pub troubles: VecDeque<(&'static str, Trouble)>,
    /// Permissions of import sessions that are valid.
    pub sessions: Vec<String>,
    pub begun: usize,
    /// When sessions expire, seconds from now.
    pub lifetime: i64,
    pub may_import: bool,
    /// How many items a permission is good for; 0 for any number.
    pub uses: usize,
    /// The subject of an item that is not imported.
    pub refused: String,
    /// Milliseconds that a request takes at least.
    pub slow: u64,
    /// Tokens that are taken beside [`TOKEN`].
    pub tokens: Vec<String>,
    /// Which mailbox was asked for last.
    pub mailbox: String,
    /// Import sessions of the version "beta".
    pub betas: usize,
    used: usize,
    uploads: mail::Uploads,
    uploads_begun: usize,
    pub at_once: usize,
    pub most_at_once: usize,
    given: usize,
    port: u16,
}

pub struct Graph {
    pub web: Web,
    pub state: Arc<Mutex<State>>,
}

impl Graph {
    pub fn start(certificate: (&Path, &Path)) -> Self {
        let names = [
            ("inbox", "Posteingang", "IPF.Note"),
            ("sentitems", "Gesendet", "IPF.Note"),
            ("calendar", "Kalender", "IPF.Appointment"),
        ];
        let folder = |(i, (known, name, class)): (usize, (&'static str, &str, &str))| Folder {
            id: format!("AQMk{i}=="),
            parent: None,
            name: name.into(),
            class: class.into(),
            known,
        };
        let folders = names.into_iter().enumerate().map(folder).collect();
        let state = State { folders, lifetime: 3600, may_import: true, ..State::default() };
        let state = Arc::new(Mutex::new(state));
        let shared = Arc::clone(&state);
        let web = Web::start(certificate, move |asked| {
            let at_once = {
                let mut state = shared.lock().unwrap();
                state.at_once += 1;
                state.most_at_once = state.most_at_once.max(state.at_once);
                state.at_once
            };
            // More than four at a time is too much for a mailbox.
            let slow = shared.lock().unwrap().slow;
            std::thread::sleep(std::time::Duration::from_millis(slow));
            let told = if at_once > 4 {
                refused(429, "ApplicationThrottled", "MailboxConcurrency")
            } else {
                answer(&mut shared.lock().unwrap(), asked)
            };
            shared.lock().unwrap().at_once -= 1;
            told
        });
        state.lock().unwrap().port = web.port;
        Self { web, state }
    }

    pub fn url(&self) -> String {
        format!("https://localhost:{}", self.web.port)
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub fn trouble(&self, word: &'static str, trouble: Trouble) {
        self.state().troubles.push_back((word, trouble));
    }
}

fn refused(status: u16, code: &str, words: &str) -> Told {
    Told::new(status, json!({ "error": { "code": code, "message": words } }).to_string())
}

fn answer(state: &mut State, asked: &Asked) -> Told {
    let (path, query) = asked.target.split_once('?').unwrap_or((&asked.target, ""));
    let word = path.rsplit('/').next().unwrap();
    let trouble = match state.troubles.front() {
        Some((name, _)) if *name == word => state.troubles.pop_front().map(|(_, t)| t),
        _ => None,
    };
    match trouble {
        Some(Trouble::Status(status, code, wait)) => {
            let told = refused(status, code, &format!("The server says {code} to {}.", asked.target));
            match wait {
                Some(wait) => told.with("Retry-After", wait.to_string()),
                None => told,
            }
        }
        Some(Trouble::CutBefore) => Told::cut(),
        Some(Trouble::CutAfter) => {
            route(state, asked, path, query);
            Told::cut()
        }
        None => route(state, asked, path, query),
    }
}

fn route(state: &mut State, asked: &Asked, path: &str, query: &str) -> Told {
    for version in ["gv1.0", "gbeta"] {
        let own = if version == "gbeta" { ARCHIVE } else { MAILBOX };
        if path == format!("/api/{version}/Mailboxes('{own}')/importItem") {
            assert_eq!(asked.field("authorization"), None, "the address is the permission");
            return import(state, query, &json(asked));
        }
    }
    if path.starts_with("/upload/") {
        assert_eq!(asked.field("authorization"), None, "the address is the permission");
        return mail::upload(state, asked, path, query);
    }
    let token = asked.field("authorization").and_then(|f| f.strip_prefix("Bearer ")).unwrap_or_default();
    if token != TOKEN && !state.tokens.iter().any(|t| t == token) {
        return refused(401, "InvalidAuthenticationToken", "no");
    }
    let body = json(asked);
    let (version, path) = path[1..].split_once('/').unwrap();
    assert!(version == "v1.0" || version == "beta", "{version}");
    if let Some(user) = path.strip_prefix("users/").and_then(|p| p.strip_suffix("/settings/exchange")) {
        if user != USER && user != "boss@example.com" {
            return refused(404, "Request_ResourceNotFound", "there is nobody of this name");
        }
        user.clone_into(&mut state.mailbox);
        let mut settings = json!({ "primaryMailboxId": MAILBOX });
        if version == "beta" {
            settings["inPlaceArchiveMailboxId"] = ARCHIVE.into();
        }
        return Told::new(200, settings.to_string());
    }
    if let Some(rest) = path.strip_prefix("users/") {
        assert_eq!(version, "v1.0");
        let (user, rest) = rest.split_once('/').unwrap();
        assert_eq!(user, USER);
        return mail::route(state, asked, rest, query, &body);
    }
    let own = if version == "beta" { ARCHIVE } else { MAILBOX };
    let rest = path.strip_prefix(&format!("admin/exchange/mailboxes/{own}/")).unwrap_or_else(|| panic!("{path}"));
    match (asked.method.as_str(), rest.split('/').collect::<Vec<_>>().as_slice()) {
        ("POST", ["createImportSession"]) if !state.may_import => {
            refused(403, "ErrorAccessDenied", "Access is denied.")
        }
        ("POST", ["createImportSession"]) => {
            assert!(asked.body.is_empty());
            begin(state, version, own)
        }
        ("POST", ["folders"]) => create(state, None, &body),
        ("GET", ["folders"]) => list(state, None, query, rest, version, own),
        ("GET", ["folders", id]) => match folder(state, id) {
            Some(found) => Told::new(200, shown(state, &found).to_string()),
            None => refused(404, "ErrorItemNotFound", "no such folder"),
        },
        ("POST", ["folders", id, "childFolders"]) => create(state, Some(&plain(id)), &body),
        ("GET", ["folders", id, "childFolders"]) => list(state, Some(&plain(id)), query, rest, version, own),
        ("GET", ["folders", id, "items"]) => items(state, &plain(id), query, rest, version, own),
        ("DELETE", ["folders", id, "items", item]) => {
            assert_eq!(query, "disposalType=softDelete");
            let (folder, item, before) = (plain(id), plain(item), state.items.len() + state.mail.len());
            state.items.retain(|i| i.id != item || i.folder != folder);
            state.mail.retain(|m| format!("X{}", m.id) != item);
            if state.items.len() + state.mail.len() == before {
                return refused(404, "ErrorItemNotFound", "no such item");
            }
            Told::new(204, "")
        }
        ("POST", ["exportItems"]) if !state.may_import => refused(403, "ErrorAccessDenied", "Access is denied."),
        ("POST", ["exportItems"]) => export(state, &body),
        other => panic!("{other:?}"),
    }
}

fn json(asked: &Asked) -> Value {
    if asked.body.is_empty() { Value::Null } else { serde_json::from_slice(&asked.body).expect("JSON") }
}

/// A segment of a path without its percent signs.
fn plain(segment: &str) -> String {
    let bytes = segment.as_bytes();
    let (mut out, mut i) = (Vec::new(), 0);
    while i < bytes.len() {
        if bytes[i] == b'%' {
            out.push(u8::from_str_radix(&segment[i + 1..i + 3], 16).unwrap());
            i += 3;
        } else {
            out.push(bytes[i]);
            i += 1;
        }
    }
    String::from_utf8(out).unwrap()
}

fn folder(state: &State, id: &str) -> Option<Folder> {
    let id = plain(id);
    state.folders.iter().find(|f| f.id == id).cloned()
}

fn begin(state: &mut State, version: &str, own: &str) -> Told {
    state.begun += 1;
    state.used = 0;
    state.betas += usize::from(version == "beta");
    let permission = format!("permission-{}-SECRET", state.begun);
    // A new permission ends the one before.
    state.sessions = vec![permission.clone()];
    let port = state.port;
    let url = format!("https://localhost:{port}/api/g{version}/Mailboxes('{own}')/importItem?authtoken={permission}");
    let end = jiff::Timestamp::from_second(jiff::Timestamp::now().as_second() + state.lifetime).unwrap();
    Told::new(200, json!({ "importUrl": url, "expirationDateTime": end.to_string() }).to_string())
}

/// The ids of the properties that a query expands.
fn expanded(query: &str) -> Vec<String> {
    let Some(expand) = query.split('&').find_map(|part| part.strip_prefix("$expand=")) else { return Vec::new() };
    let expand = plain(expand);
    let filter = expand.strip_prefix("singleValueExtendedProperties($filter=").unwrap();
    let filter = filter.strip_suffix(')').expect("the filter ends");
    filter
        .split(" or ")
        .map(|one| one.strip_prefix("id eq '").unwrap().strip_suffix('\'').unwrap().to_owned())
        .collect()
}

/// A property as Graph gives it back: "String 0x0E1D" becomes "String 0xe1d".
fn given_back(id: &str, value: &str) -> Value {
    let id = match id.split_once(" 0x") {
        Some((ty, tag)) => format!("{ty} {:#x}", u16::from_str_radix(tag, 16).expect("four digits")),
        None => id.to_owned(),
    };
    json!({ "id": id, "value": value })
}

/// How many entries of a list were on the pages before.
fn skipped(query: &str) -> usize {
    query.split('&').find_map(|p| p.strip_prefix("%24skip=")).map_or(0, |n| n.parse().unwrap())
}

/// What an item has of a property.
fn property(blob: &Blob, id: &str) -> Option<String> {
    if let Some((set, name)) = id.strip_prefix("String {").and_then(|rest| rest.split_once("} Name ")) {
        let set = uuid::Uuid::parse_str(set).unwrap().to_bytes_le();
        let set = set.iter().map(|b| format!("{b:02x}")).collect::<String>();
        return blob.text(&format!("{set}/{name}"));
    }
    let (ty, tag) = id.split_once(" 0x").expect("a type and a tag");
    let tag = tag.to_lowercase();
    match ty {
        "String" => blob.text(&tag),
        "Binary" => {
            let bytes = blob.props.get(&format!("{tag}:0102"))?;
            Some(base64_simd::STANDARD.encode_to_string(bytes))
        }
        other => panic!("{other}"),
    }
}

/// Three items a page.
fn items(state: &State, folder: &str, query: &str, rest: &str, version: &str, own: &str) -> Told {
    let wanted = expanded(query);
    let skip = skipped(query);
    let mut all: Vec<Value> = Vec::new();
    for item in state.items.iter().filter(|i| i.folder == folder) {
        let properties: Vec<Value> =
            wanted.iter().filter_map(|id| Some(given_back(id, &property(&item.blob, id)?))).collect();
        all.push(json!({ "id": item.id, "changeKey": "c", "singleValueExtendedProperties": properties }));
    }
    for mail in state.mail.iter().filter(|m| m.folder == mail::id_of(folder)) {
        all.push(json!({ "id": format!("X{}", mail.id), "singleValueExtendedProperties": mail.properties(&wanted) }));
    }
    let mut page = json!({ "value": all.iter().skip(skip).take(3).collect::<Vec<_>>() });
    if skip + 3 < all.len() {
        let query = query.split("&%24skip").next().unwrap();
        let at = format!("https://localhost:{}/{version}/admin/exchange/mailboxes/{own}/{rest}", state.port);
        page["@odata.nextLink"] = format!("{at}?{query}&%24skip={}", skip + 3).into();
    }
    Told::new(200, page.to_string())
}

fn export(state: &State, body: &Value) -> Told {
    let ids: Vec<&str> = body["itemIds"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
    if ids.is_empty() || ids.len() > 20 {
        return refused(400, "ErrorInvalidRequest", "1 to 20 items");
    }
    let found: Vec<Value> = state
        .items
        .iter()
        .filter(|i| ids.contains(&i.id.as_str()))
        .map(|i| json!({ "itemId": i.id, "changeKey": "c", "data": i.data }))
        .collect();
    if found.len() < ids.len() {
        return refused(404, "ErrorItemNotFound", "no such item");
    }
    Told::new(200, json!({ "value": found }).to_string())
}

/// Two folders a page.
fn list(state: &State, parent: Option<&str>, query: &str, rest: &str, version: &str, own: &str) -> Told {
    let all: Vec<&Folder> = state.folders.iter().filter(|f| f.parent.as_deref() == parent).collect();
    let skip = skipped(query);
    let shown: Vec<Value> = all.iter().skip(skip).take(2).map(|f| shown(state, f)).collect();
    let mut page = json!({ "value": shown });
    if skip + 2 < all.len() {
        let next = format!(
            "https://localhost:{}/{version}/admin/exchange/mailboxes/{own}/{rest}?$top=100&%24skip={}",
            state.port,
            skip + 2
        );
        page["@odata.nextLink"] = next.into();
    }
    Told::new(200, page.to_string())
}

fn shown(state: &State, folder: &Folder) -> Value {
    json!({
        "id": folder.id, "displayName": folder.name, "type": folder.class, "wellKnownName": folder.known,
        "totalItemCount": state.items.iter().filter(|i| i.folder == folder.id).count(),
        "childFolderCount": state.folders.iter().filter(|f| f.parent.as_ref() == Some(&folder.id)).count(),
    })
}

fn create(state: &mut State, parent: Option<&str>, body: &Value) -> Told {
    let (Some(name), Some(class)) = (body["displayName"].as_str(), body["type"].as_str()) else {
        return refused(400, "ErrorInvalidRequest", "displayName and type are required");
    };
    if parent.is_some_and(|p| !state.folders.iter().any(|f| f.id == p)) {
        return refused(404, "ErrorItemNotFound", "no such folder");
    }
    let same = |f: &&Folder| f.parent.as_deref() == parent && f.name.eq_ignore_ascii_case(name);
    if state.folders.iter().any(|f| same(&f)) {
        return refused(409, "ErrorFolderExists", "A folder with the specified name already exists.");
    }
    let id = format!("AQMk/{}==", state.folders.len());
    let folder = Folder { id, parent: parent.map(str::to_owned), name: name.into(), class: class.into(), known: "" };
    state.folders.push(folder.clone());
    Told::new(201, shown(state, &folder).to_string())
}

fn import(state: &mut State, query: &str, body: &Value) -> Told {
    let valid = state.sessions.iter().any(|s| query == format!("authtoken={s}"));
    if !valid || (state.uses > 0 && state.used >= state.uses) {
        return refused(401, "InvalidAuthToken", "The token has expired.");
    }
    state.used += 1;
    let text = |name: &str| body[name].as_str().map(str::to_owned);
    let Some(folder) = text("FolderId").filter(|id| state.folders.iter().any(|f| f.id == *id)) else {
        return refused(404, "ErrorFolderNotFound", "no such folder");
    };
    let update = match (text("Mode").as_deref(), text("ItemId"), text("ChangeKey")) {
        (Some("create"), None, None) => None,
        (Some("update"), Some(id), Some(_)) => Some(id),
        other => return refused(400, "ErrorInvalidRequest", &format!("{other:?}")),
    };
    let encoded = text("Data").unwrap_or_default();
    let data = base64_simd::STANDARD.decode_to_vec(encoded.as_bytes()).expect("base64");
    let blob = match blob::decode(&data) {
        Ok(blob) => blob,
        Err(e) => return refused(400, "ErrorCorruptData", &e),
    };
    if !state.refused.is_empty() && blob.text("0037").is_some_and(|subject| subject == state.refused) {
        return refused(400, "ErrorItemSave", "The item cannot be saved.");
    }
    if let Some(id) = update {
        state.items.retain(|i| i.id != id);
    }
    state.given += 1;
    let id = format!("I/{}", state.given);
    state.items.push(Stored { id: id.clone(), folder, blob, data: encoded });
    Told::new(200, json!({ "itemId": id, "changeKey": format!("c{id}") }).to_string())
}
