//! A Microsoft Graph for tests: the import of mailbox items, strict towards requests, misbehaving where a test wants it.

use crate::blob::{self, Blob};
use crate::web::{Asked, Told, Web};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};

pub const TOKEN: &str = "graph-token-SECRET";
pub const USER: &str = "anna@example.com";
const MAILBOX: &str = "MBX:0a1b2c3d@9f8e7d6c";

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
}

#[derive(Default)]
pub struct State {
    pub folders: Vec<Folder>,
    pub items: Vec<Stored>,
    /// Mail made from JSON, and the folder.
    pub mail: Vec<(String, Value)>,
    /// By the last word of the path.
    pub troubles: VecDeque<(&'static str, Trouble)>,
    /// Permissions of import sessions that are valid.
    pub sessions: Vec<String>,
    pub begun: usize,
    /// When sessions expire, seconds from now.
    pub lifetime: i64,
    pub may_import: bool,
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
    let body: Value =
        if asked.body.is_empty() { Value::Null } else { serde_json::from_slice(&asked.body).expect("JSON") };
    if path == format!("/api/gv1.0/Mailboxes('{MAILBOX}')/importItem") {
        assert_eq!(asked.field("authorization"), None, "the address is the permission");
        return import(state, query, &body);
    }
    if asked.field("authorization") != Some(&format!("Bearer {TOKEN}")) {
        return refused(401, "InvalidAuthenticationToken", "no");
    }
    let path = path.strip_prefix("/v1.0/").expect("version 1.0");
    if path == format!("users/{USER}/settings/exchange") {
        return Told::new(200, json!({ "primaryMailboxId": MAILBOX }).to_string());
    }
    if let Some(rest) = path.strip_prefix(&format!("users/{USER}/mailFolders/")) {
        let folder = rest.strip_suffix("/messages").unwrap();
        state.mail.push((folder.to_owned(), body));
        return Told::new(201, json!({ "id": format!("M{}", state.mail.len()), "isDraft": false }).to_string());
    }
    let rest = path.strip_prefix(&format!("admin/exchange/mailboxes/{MAILBOX}/")).unwrap_or_else(|| panic!("{path}"));
    let posted = !body.is_null();
    match rest.split('/').collect::<Vec<_>>().as_slice() {
        ["createImportSession"] if !state.may_import => refused(403, "ErrorAccessDenied", "Access is denied."),
        ["createImportSession"] => {
            assert!(asked.body.is_empty());
            state.begun += 1;
            let permission = format!("permission-{}-SECRET", state.begun);
            state.sessions = vec![permission.clone()];
            let url = format!(
                "https://localhost:{}/api/gv1.0/Mailboxes('{MAILBOX}')/importItem?authtoken={permission}",
                state.port
            );
            let end = jiff::Timestamp::from_second(jiff::Timestamp::now().as_second() + state.lifetime).unwrap();
            Told::new(200, json!({ "importUrl": url, "expirationDateTime": end.to_string() }).to_string())
        }
        ["folders"] if posted => create(state, None, &body),
        ["folders"] => list(state, None, query, rest),
        ["folders", id, "childFolders"] if posted => create(state, Some(id), &body),
        ["folders", id, "childFolders"] => list(state, Some(id), query, rest),
        other => panic!("{other:?}"),
    }
}

/// Two folders a page.
fn list(state: &State, parent: Option<&str>, query: &str, rest: &str) -> Told {
    let all: Vec<&Folder> = state.folders.iter().filter(|f| f.parent.as_deref() == parent).collect();
    let skip: usize = query.split('&').find_map(|p| p.strip_prefix("$skip=")).map_or(0, |n| n.parse().unwrap());
    let shown: Vec<Value> = all.iter().skip(skip).take(2).map(|f| shown(state, f)).collect();
    let mut page = json!({ "value": shown });
    if skip + 2 < all.len() {
        let next = format!(
            "https://localhost:{}/v1.0/admin/exchange/mailboxes/{MAILBOX}/{rest}?$top=100&$skip={}",
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
    let id = format!("AQMk{}==", state.folders.len());
    let folder = Folder { id, parent: parent.map(str::to_owned), name: name.into(), class: class.into(), known: "" };
    state.folders.push(folder.clone());
    Told::new(201, shown(state, &folder).to_string())
}

fn import(state: &mut State, query: &str, body: &Value) -> Told {
    if !state.sessions.iter().any(|s| query == format!("authtoken={s}")) {
        return refused(401, "InvalidAuthToken", "The token has expired.");
    }
    let text = |name: &str| body[name].as_str().map(str::to_owned);
    let Some(folder) = text("FolderId").filter(|id| state.folders.iter().any(|f| f.id == *id)) else {
        return refused(404, "ErrorFolderNotFound", "no such folder");
    };
    let update = match (text("Mode").as_deref(), text("ItemId"), text("ChangeKey")) {
        (Some("create"), None, None) => None,
        (Some("update"), Some(id), Some(_)) => Some(id),
        other => return refused(400, "ErrorInvalidRequest", &format!("{other:?}")),
    };
    let data = base64_simd::STANDARD.decode_to_vec(text("Data").unwrap_or_default().as_bytes()).expect("base64");
    let blob = match blob::decode(&data) {
        Ok(blob) => blob,
        Err(e) => return refused(400, "ErrorCorruptData", &e),
    };
    if let Some(id) = update {
        state.items.retain(|i| i.id != id);
    }
    state.given += 1;
    let id = format!("I{}", state.given);
    state.items.push(Stored { id: id.clone(), folder, blob });
    Told::new(200, json!({ "itemId": id, "changeKey": format!("c{id}") }).to_string())
}
