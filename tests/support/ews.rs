//! An Exchange server for tests: strict towards requests, and misbehaving where a test wants it.
//!
//! It refuses elements out of order, folders without ids, properties that EWS cannot name, and blobs that its own decoder
//! does not take. It keeps folders and items, as far as tests look at them.

#[path = "ntlm.rs"]
mod ntlm;
#[path = "ews_order.rs"]
mod order;
#[path = "ews_shown.rs"]
mod shown;

use crate::blob::{self, Blob};
use crate::web::{Asked, Told, Web};
use crate::xml::{Node, safe};
use ntlm::{challenge_of, proves};
use order::in_order;
use sha2::{Digest, Sha256};
use shown::{by_id, find_item, ids, name_of, shown};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

/// How it lets people in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Lock {
    Basic,
    Ntlm,
    Bearer,
}

/// The name and the password that it takes.
pub const USER: &str = "CORP\\anna";
pub const PASSWORD: &str = "pa55-SECRET";

/// What goes wrong with the next request of an operation.
#[derive(Debug, Clone)]
pub enum Trouble {
    /// A bare status, and Retry-After.
    Status(u16, Option<u64>),
    /// ErrorServerBusy, and BackOffMilliseconds.
    Busy(Option<u64>),
    /// The connection ends before anything is done.
    CutBefore,
    /// Everything is done, and the connection ends.
    CutAfter,
    /// Everything is done, and the answer is a status without sense.
    StatusAfter(u16),
    /// Items of the request are refused from one on, by a code.
    From(usize, &'static str),
    /// One item is refused, by a code.
    One(usize, &'static str),
}

#[derive(Debug, Clone, Default)]
pub struct Folder {
    pub id: String,
    pub parent: String,
    pub name: String,
    pub class: String,
    /// The name by which every mailbox has it.
    pub named: &'static str,
}

#[derive(Debug, Clone, Default)]
pub struct Stored {
    pub id: String,
    pub folder: String,
    pub associated: bool,
    /// What came by UploadItems, and what it decodes to.
    pub data: Vec<u8>,
    pub blob: Option<Blob>,
    /// What came by CreateItem.
    pub mime: Vec<u8>,
    /// The element that it was, and what stood in it beside MIME and extended properties.
    pub element: String,
    pub inner: Vec<Node>,
    pub class: String,
    pub categories: Vec<String>,
    /// Extended properties by "0x0E07" or "set/name".
    pub properties: BTreeMap<String, String>,
    pub read: bool,
}

#[derive(Default)]
pub struct State {
    pub folders: Vec<Folder>,
    pub items: Vec<Stored>,
    pub troubles: VecDeque<(&'static str, Trouble)>,
    /// Operations in the order in which they came, and who was impersonated.
    pub operations: Vec<String>,
    /// Bodies of all requests.
    pub requests: Vec<Vec<u8>>,
    /// Tokens that are taken.
    pub tokens: Vec<String>,
    /// What was wrong with requests.
    pub complaints: Vec<String>,
    /// Fields of requests that are looked at.
    pub fields: Vec<(String, String)>,
    /// UploadItems and ExportItems are not known.
    pub no_upload: bool,
    /// How long an upload takes.
    pub delay: Duration,
    /// Elements that CreateItem does not take.
    pub refused: Vec<&'static str>,
    connections: HashMap<usize, (Option<[u8; 8]>, bool)>,
    given: usize,
    page: usize,
}

pub struct Ews {
    pub web: Web,
    pub state: Arc<Mutex<State>>,
}

impl Ews {
    pub fn start(certificate: (&Path, &Path), hash: [u8; 32], lock: Lock) -> Self {
        let state = State { folders: usual(), page: 3, ..State::default() };
        let state = Arc::new(Mutex::new(state));
        let shared = Arc::clone(&state);
        let web = Web::start(certificate, move |asked| answer(&mut shared.lock().unwrap(), asked, lock, &hash));
        Self { web, state }
    }

    pub fn url(&self) -> String {
        format!("https://localhost:{}/EWS/Exchange.asmx", self.web.port)
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub fn trouble(&self, operation: &'static str, trouble: Trouble) {
        self.state().troubles.push_back((operation, trouble));
    }
}

fn usual() -> Vec<Folder> {
    let names = [
        ("inbox", "Posteingang", "IPF.Note"),
        ("sentitems", "Gesendete Elemente", "IPF.Note"),
        ("drafts", "Entwürfe", "IPF.Note"),
        ("deleteditems", "Gelöschte Elemente", "IPF.Note"),
        ("junkemail", "Junk-E-Mail", "IPF.Note"),
        ("outbox", "Postausgang", "IPF.Note"),
        ("calendar", "Kalender", "IPF.Appointment"),
        ("contacts", "Kontakte", "IPF.Contact"),
        ("tasks", "Aufgaben", "IPF.Task"),
    ];
    let folder = |(i, (named, name, class)): (usize, (&'static str, &str, &str))| Folder {
        id: format!("F{i}="),
        parent: TOP.into(),
        name: name.into(),
        class: class.into(),
        named,
    };
    let mut all: Vec<Folder> = names.into_iter().enumerate().map(folder).collect();
    let archived = ("archivedeleteditems", "Gelöschte Elemente", "IPF.Note");
    all.push(Folder { parent: ARCHIVE.into(), ..folder((all.len(), archived)) });
    all
}

/// The tops of the mailbox and of its archive.
const TOP: &str = "TOP";
const ARCHIVE: &str = "ARCHIVE";

/// The top that a folder is in.
fn top_of<'a>(state: &'a State, folder: &'a Folder) -> &'a str {
    match state.folders.iter().find(|f| f.id == folder.parent) {
        Some(parent) => top_of(state, parent),
        None => &folder.parent,
    }
}

fn answer(state: &mut State, asked: &Asked, lock: Lock, hash: &[u8; 32]) -> Told {
    if let Some(refused) = locked(state, asked, lock, hash) {
        return refused;
    }
    if asked.body.is_empty() {
        return Told::new(500, "");
    }
    for name in ["X-AnchorMailbox", "X-PreferServerAffinity", "SOAPAction", "Cookie", "Content-Type"] {
        if let Some(value) = asked.field(name) {
            state.fields.push((name.to_owned(), value.to_owned()));
        }
    }
    state.requests.push(asked.body.clone());
    let envelope = match Node::parse(&asked.body) {
        Ok(envelope) => envelope,
        Err(e) => return fault(state, "ErrorInvalidRequest", &format!("no XML: {e}")),
    };
    if let Err(e) = in_order(&envelope, "") {
        state.complaints.push(e.clone());
        return fault(state, "ErrorSchemaValidation", &e);
    }
    let Some(request) = envelope.child("Body").and_then(|b| b.children.first()).cloned() else {
        return fault(state, "ErrorInvalidRequest", "no request");
    };
    let operation = request.name.clone();
    let mut in_name_of = Vec::new();
    envelope.all("PrimarySmtpAddress", &mut in_name_of);
    state.operations.push(match in_name_of.first() {
        Some(node) => format!("{operation} as {}", node.text),
        None => operation.clone(),
    });
    let trouble = match state.troubles.front() {
        Some((name, _)) if *name == operation => state.troubles.pop_front().map(|(_, t)| t),
        _ => None,
    };
    match &trouble {
        Some(Trouble::Status(status, wait)) => {
            let told = Told::new(*status, "<html>not now</html>");
            return match wait {
                Some(wait) => told.with("Retry-After", wait.to_string()),
                None => told,
            };
        }
        Some(Trouble::Busy(wait)) => return busy(*wait),
        Some(Trouble::CutBefore) => return Told::cut(),
        _ => {}
    }
    let refused = |nth: usize| match trouble {
        Some(Trouble::From(from, code)) if nth >= from => Some(code),
        Some(Trouble::One(one, code)) if nth == one => Some(code),
        _ => None,
    };
    let messages = match operation.as_str() {
        "GetFolder" => get_folder(state, &request),
        "FindFolder" => find_folder(state, &request),
        "CreateFolder" => create_folder(state, &request, &refused),
        "UploadItems" | "ExportItems" if state.no_upload => {
            return soap_fault("ErrorInvalidRequest", &format!("what is {operation}?"), "");
        }
        "UploadItems" => {
            std::thread::sleep(state.delay);
            upload(state, &request, &refused)
        }
        "CreateItem" => create(state, &request, &refused),
        "FindItem" => find_item(state, &request),
        "GetItem" => by_id(state, &request, &|_, item, asked| format!("<m:Items>{}</m:Items>", shown(item, asked))),
        "ExportItems" => by_id(state, &request, &|_, item, _| {
            format!("<m:ItemId Id=\"{}\"/><m:Data>{}</m:Data>", item.id, encoded(&item.data))
        }),
        "DeleteItem" => {
            let out = by_id(state, &request, &|_, _, _| String::new());
            let ids = ids(&request);
            state.items.retain(|i| !ids.contains(&i.id));
            out
        }
        other => return fault(state, "ErrorInvalidRequest", other),
    };
    let told = envelope_of(&operation, &messages).with("Set-Cookie", "exchangecookie=abc; path=/; HttpOnly");
    match trouble {
        Some(Trouble::CutAfter) => Told::cut(),
        Some(Trouble::StatusAfter(status)) => Told::new(status, "Bad Request"),
        _ => told,
    }
}

/// Signing in. `None` once somebody is in.
fn locked(state: &mut State, asked: &Asked, lock: Lock, hash: &[u8; 32]) -> Option<Told> {
    let sent = asked.field("authorization").unwrap_or_default();
    let no = |way: &str| Some(Told::new(401, "").with("WWW-Authenticate", way));
    match lock {
        Lock::Basic => {
            let wanted = format!("Basic {}", encoded(format!("{USER}:{PASSWORD}").as_bytes()));
            if sent == wanted { None } else { no("Basic realm=\"x\"") }
        }
        Lock::Bearer => match sent.strip_prefix("Bearer ") {
            Some(token) if state.tokens.iter().any(|t| t == token) => None,
            _ => no("Bearer"),
        },
        Lock::Ntlm => {
            let (challenge, signed) = state.connections.entry(asked.connection).or_default();
            let Some(message) = sent.strip_prefix("NTLM ") else {
                let offers = || no("NTLM").map(|t| t.with("WWW-Authenticate", "Negotiate"));
                return if *signed { None } else { offers() };
            };
            let message = base64_simd::STANDARD.decode_to_vec(message).unwrap();
            assert!(message.starts_with(b"NTLMSSP\0"));
            if message[8] == 1 {
                assert!(asked.body.is_empty(), "the body was sent before anybody was let in");
                let nonce = [1, 2, 3, 4, 5, 6, 7, asked.connection as u8];
                *challenge = Some(nonce);
                return Some(
                    Told::new(401, "").with("WWW-Authenticate", format!("NTLM {}", encoded(&challenge_of(nonce)))),
                );
            }
            let nonce = challenge.take().expect("a challenge came before");
            match proves(&message, nonce, hash) {
                Ok(()) => {
                    *signed = true;
                    None
                }
                Err(e) => {
                    state.complaints.push(e);
                    no("NTLM")
                }
            }
        }
    }
}

fn encoded(bytes: &[u8]) -> String {
    base64_simd::STANDARD.encode_to_string(bytes)
}

const XMLNS: &str = "xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" \
    xmlns:m=\"http://schemas.microsoft.com/exchange/services/2006/messages\" \
    xmlns:t=\"http://schemas.microsoft.com/exchange/services/2006/types\"";
const HEADER: &str = "<s:Header><t:ServerVersionInfo MajorVersion=\"15\" MinorVersion=\"2\" MajorBuildNumber=\"1544\" \
    MinorBuildNumber=\"4\"/></s:Header>";

fn envelope_of(operation: &str, messages: &[String]) -> Told {
    let body = messages.concat();
    let kind = |class: &str| format!("<m:{operation}ResponseMessage ResponseClass=\"{class}\">");
    let body = body.replace("<OK>", &format!("{}<m:ResponseCode>NoError</m:ResponseCode>", kind("Success")));
    let body = body.replace("<NO>", &kind("Error")).replace("<END>", &format!("</m:{operation}ResponseMessage>"));
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><s:Envelope {XMLNS}>{HEADER}<s:Body><m:{operation}Response><m:ResponseMessages>\
         {body}</m:ResponseMessages></m:{operation}Response></s:Body></s:Envelope>"
    );
    Told::new(200, text).with("Content-Type", "text/xml; charset=utf-8")
}

fn fine(content: &str) -> String {
    format!("<OK>{content}<END>")
}

fn no(code: &str) -> String {
    format!("<NO><m:MessageText>The server says {code}.</m:MessageText><m:ResponseCode>{code}</m:ResponseCode><END>")
}

fn fault(state: &mut State, code: &str, words: &str) -> Told {
    state.complaints.push(words.to_owned());
    soap_fault(code, words, "")
}

fn soap_fault(code: &str, words: &str, more: &str) -> Told {
    let words = safe(words);
    let text = format!(
        "<s:Envelope {XMLNS}><s:Body><s:Fault><faultcode>a:{code}</faultcode><faultstring>{words}</faultstring><detail>\
         <e:ResponseCode xmlns:e=\"http://schemas.microsoft.com/exchange/services/2006/errors\">{code}</e:ResponseCode>\
         <e:Message xmlns:e=\"http://schemas.microsoft.com/exchange/services/2006/errors\">{words}</e:Message>{more}</detail>\
         </s:Fault></s:Body></s:Envelope>"
    );
    Told::new(500, text).with("Content-Type", "text/xml; charset=utf-8")
}

fn busy(wait: Option<u64>) -> Told {
    let wait =
        wait.map(|ms| format!("<t:MessageXml><t:Value Name=\"BackOffMilliseconds\">{ms}</t:Value></t:MessageXml>"));
    soap_fault("ErrorServerBusy", "The server cannot service this request right now.", &wait.unwrap_or_default())
}

/// The folder that an id element means.
fn folder_of(state: &State, id: &Node) -> Option<String> {
    let said = id.attribute("Id")?;
    let top = match said {
        "msgfolderroot" | "root" | TOP => Some(TOP),
        "archivemsgfolderroot" | ARCHIVE => Some(ARCHIVE),
        _ => None,
    };
    if let Some(top) = top {
        return Some(top.into());
    }
    match id.name.as_str() {
        "DistinguishedFolderId" => state.folders.iter().find(|f| f.named == said).map(|f| f.id.clone()),
        _ => state.folders.iter().find(|f| f.id == said).map(|f| f.id.clone()),
    }
}

fn folder_shown(state: &State, folder: &Folder) -> String {
    let count = state.items.iter().filter(|i| i.folder == folder.id && !i.associated).count();
    let children = state.folders.iter().filter(|f| f.parent == folder.id).count();
    let element = match folder.class.as_str() {
        "IPF.Appointment" => "CalendarFolder",
        "IPF.Contact" => "ContactsFolder",
        "IPF.Task" => "TasksFolder",
        _ => "Folder",
    };
    format!(
        "<t:{element}><t:FolderId Id=\"{}\" ChangeKey=\"k\"/><t:ParentFolderId Id=\"{}\" ChangeKey=\"k\"/><t:FolderClass>{}</t:FolderClass>\
         <t:DisplayName>{}</t:DisplayName><t:TotalCount>{count}</t:TotalCount><t:ChildFolderCount>{children}</t:ChildFolderCount>\
         </t:{element}>",
        folder.id,
        folder.parent,
        safe(&folder.class),
        safe(&folder.name),
    )
}

fn get_folder(state: &State, request: &Node) -> Vec<String> {
    let one = |id: &Node| match folder_of(state, id) {
        Some(found) if [TOP, ARCHIVE].contains(&found.as_str()) => {
            let top = Folder { id: found, parent: "ROOT".into(), name: "Top".into(), ..Folder::default() };
            fine(&format!("<m:Folders>{}</m:Folders>", folder_shown(state, &top)))
        }
        Some(found) => {
            let folder = state.folders.iter().find(|f| f.id == found).unwrap();
            fine(&format!("<m:Folders>{}</m:Folders>", folder_shown(state, folder)))
        }
        None => no("ErrorFolderNotFound"),
    };
    request.child("FolderIds").unwrap().children.iter().map(one).collect()
}

/// A page, whose size the server decides.
fn page<'a, T>(state: &State, request: &Node, view: &str, all: &'a [T]) -> (&'a [T], String) {
    let view = request.child(view);
    let number = |name: &str| view.and_then(|v| v.attribute(name)).and_then(|n| n.parse::<usize>().ok());
    let from = number("Offset").unwrap_or(0).min(all.len());
    let until = (from + number("MaxEntriesReturned").unwrap_or(1000).min(state.page)).min(all.len());
    let last = until == all.len();
    let head = format!(
        "IndexedPagingOffset=\"{until}\" TotalItemsInView=\"{}\" IncludesLastItemInRange=\"{last}\"",
        all.len()
    );
    (&all[from..until], head)
}

fn find_folder(state: &State, request: &Node) -> Vec<String> {
    assert_eq!(request.attribute("Traversal"), Some("Deep"));
    let Some(top) = folder_of(state, &request.at("ParentFolderIds").unwrap().children[0]) else {
        return vec![no("ErrorFolderNotFound")];
    };
    let inside: Vec<&Folder> = state.folders.iter().filter(|f| top_of(state, f) == top).collect();
    let (some, head) = page(state, request, "IndexedPageFolderView", &inside);
    let shown: String = some.iter().map(|f| folder_shown(state, f)).collect();
    vec![fine(&format!("<m:RootFolder {head}><t:Folders>{shown}</t:Folders></m:RootFolder>"))]
}

type Refused<'a> = dyn Fn(usize) -> Option<&'static str> + 'a;

fn create_folder(state: &mut State, request: &Node, refused: &Refused<'_>) -> Vec<String> {
    let Some(parent) = folder_of(state, &request.child("ParentFolderId").unwrap().children[0]) else {
        return vec![no("ErrorParentFolderNotFound")];
    };
    let new = &request.child("Folders").unwrap().children[0];
    let text = |name: &str| new.child(name).map(|n| n.text.clone()).unwrap_or_default();
    let name = text("DisplayName");
    if let Some(code) = refused(0) {
        return vec![no(code)];
    }
    if name.is_empty() {
        return vec![no("ErrorInvalidRequest")];
    }
    if state.folders.iter().any(|f| f.parent == parent && f.name.eq_ignore_ascii_case(&name)) {
        return vec![no("ErrorFolderExists")];
    }
    let id = format!("F{}=", state.folders.len());
    state.folders.push(Folder { id: id.clone(), parent, name, class: text("FolderClass"), named: "" });
    vec![fine(&format!("<m:Folders><t:Folder><t:FolderId Id=\"{id}\" ChangeKey=\"k\"/></t:Folder></m:Folders>"))]
}

fn upload(state: &mut State, request: &Node, refused: &Refused<'_>) -> Vec<String> {
    let mut out = Vec::new();
    for (nth, item) in request.child("Items").unwrap().children.iter().enumerate() {
        out.push(uploaded(state, item, refused(nth)));
    }
    out
}

fn uploaded(state: &mut State, item: &Node, refused: Option<&str>) -> String {
    let folder = folder_of(state, item.child("ParentFolderId").unwrap());
    let replaced = item.child("ItemId").and_then(|i| i.attribute("Id")).map(str::to_owned);
    let is_new = item.attribute("CreateAction") == Some("CreateNew");
    let Some(folder) = folder else { return no("ErrorParentFolderNotFound") };
    if is_new == replaced.is_some() {
        return no("ErrorInvalidRequest");
    }
    let data = base64_simd::STANDARD.decode_to_vec(item.child("Data").unwrap().text.as_bytes()).expect("base64");
    let blob = match blob::decode(&data) {
        Ok(blob) => blob,
        Err(e) => {
            state.complaints.push(e);
            return no("ErrorCorruptData");
        }
    };
    if let Some(code) = refused {
        return no(code);
    }
    let class = blob.text("001a").unwrap();
    if let Some(id) = replaced {
        state.items.retain(|i| i.id != id);
    }
    let stored = Stored {
        folder,
        associated: item.attribute("IsAssociated") == Some("true"),
        data,
        class,
        read: blob.props.get("0e07:0003").is_some_and(|f| f[0] & 1 == 1),
        blob: Some(blob),
        ..Stored::default()
    };
    let id = keep(state, stored);
    fine(&format!("<m:ItemId Id=\"{id}\" ChangeKey=\"c{id}\"/>"))
}

fn keep(state: &mut State, mut item: Stored) -> String {
    state.given += 1;
    item.id = format!("I{}==", state.given);
    state.items.push(item);
    format!("I{}==", state.given)
}

fn create(state: &mut State, request: &Node, refused: &Refused<'_>) -> Vec<String> {
    let folder = folder_of(state, &request.child("SavedItemFolderId").unwrap().children[0]);
    assert_eq!(request.attribute("MessageDisposition"), Some("SaveOnly"));
    let mut out = Vec::new();
    for (nth, item) in request.child("Items").unwrap().children.iter().enumerate() {
        let Some(folder) = folder.clone() else {
            out.push(no("ErrorSavedItemFolderNotFound"));
            continue;
        };
        if let Some(code) = refused(nth) {
            out.push(no(code));
            continue;
        }
        let text = |name: &str| item.child(name).map(|n| n.text.clone()).unwrap_or_default();
        let mime = base64_simd::STANDARD.decode_to_vec(text("MimeContent").as_bytes()).expect("base64");
        let class = text("ItemClass");
        let is_mail = item.name == "Message" && (class.is_empty() || class.starts_with("IPM.Note"));
        if mime.is_empty() && is_mail {
            out.push(no("ErrorMimeContentInvalid"));
            continue;
        }
        if item.name == "CalendarItem" && request.attribute("SendMeetingInvitations") != Some("SendToNone") {
            out.push(no("ErrorSendMeetingInvitationsRequired"));
            continue;
        }
        if mime.is_empty() && state.refused.contains(&item.name.as_str()) {
            out.push(no("ErrorItemSave"));
            continue;
        }
        let mut properties = BTreeMap::new();
        for property in item.children.iter().filter(|c| c.name == "ExtendedProperty") {
            let uri = property.child("ExtendedFieldURI").unwrap();
            let value = property.child("Value").map(|v| v.text.clone());
            let values =
                || property.child("Values").unwrap().children.iter().map(|v| v.text.as_str()).collect::<Vec<_>>();
            let value = value.unwrap_or_else(|| values().join("\n"));
            if properties.insert(name_of(uri), value).is_some() {
                state.complaints.push(format!("{} is there twice", name_of(uri)));
            }
        }
        let categories =
            item.child("Categories").map(|c| c.children.iter().map(|s| s.text.clone()).collect()).unwrap_or_default();
        let stored = Stored {
            folder,
            mime,
            class,
            categories,
            properties,
            read: text("IsRead") == "true",
            element: item.name.clone(),
            inner: item.children.iter().filter(|c| !BESIDE.contains(&c.name.as_str())).cloned().collect(),
            ..Stored::default()
        };
        let id = keep(state, stored);
        out.push(fine(&format!(
            "<m:Items><t:Message><t:ItemId Id=\"{id}\" ChangeKey=\"c{id}\"/></t:Message></m:Items>"
        )));
    }
    out
}

/// What is kept beside the other elements of an item.
const BESIDE: &[&str] = &["MimeContent", "ItemClass", "ExtendedProperty", "Attachments"];

/// An element as it is sent.
fn xml(node: &Node) -> String {
    let attributes: String = node.attributes.iter().map(|(n, v)| format!(" {n}=\"{}\"", safe(v))).collect();
    let inner: String = node.children.iter().map(xml).collect();
    format!("<t:{0}{attributes}>{1}{inner}</t:{0}>", node.name, safe(&node.text))
}

/// SHA-256 of a certificate in a PEM file.
pub fn hash_of(certificate: &Path) -> [u8; 32] {
    use rustls::pki_types::pem::PemObject;
    let der = rustls::pki_types::CertificateDer::from_pem_file(certificate).unwrap();
    Sha256::digest(&der).into()
}
