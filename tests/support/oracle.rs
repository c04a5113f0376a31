//! What independent programs read in a PST, in one form that can be compared: libpff, libpst, outlook-pst, and ours.

use outlook_pst::UnicodePstFile;
use outlook_pst::ltp::prop_context::PropertyValue;
use outlook_pst::messaging::attachment::{Attachment as _, AttachmentData, UnicodeAttachment};
use outlook_pst::messaging::folder::{Folder as _, UnicodeFolder};
use outlook_pst::messaging::message::{Message as _, UnicodeMessage};
use outlook_pst::messaging::store::{Store as _, UnicodeStore};
use outlook_pst::ndb::node_id::NodeId;
use pst_core::endpoint::pst::PstSource;
use pst_core::mapi::{Message, Value, tag};
use pst_core::pipeline::{Body, Source};
use serde_json::Value as Json;
use sha2::{Digest, Sha256};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::rc::Rc;

/// A message, as far as every reader can tell.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// Without the two characters that tell the length of the prefix ([MS-PST] 2.5.3.1.1.1).
    pub subject: String,
    /// SHA-256 of the text in UTF-8.
    pub body: Option<String>,
    /// SHA-256 of the bytes.
    pub html: Option<String>,
    /// SHA-256 of each file, or "embedded".
    pub attachments: Vec<String>,
}

/// A folder below the top of the mailbox, and what is in it, in order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Folder {
    pub path: Vec<String>,
    pub messages: Vec<Entry>,
}

/// Folders by path.
pub type Listing = Vec<Folder>;

pub fn sha(data: &[u8]) -> String {
    hex(&Sha256::digest(data))
}

fn hex(digest: &[u8]) -> String {
    digest.iter().map(|b| format!("{b:02x}")).collect()
}

fn bare(subject: &str) -> String {
    let mut chars = subject.chars();
    if chars.next() == Some('\u{1}') {
        chars.next();
        return chars.as_str().to_owned();
    }
    subject.to_owned()
}

/// Ours, through the library.
pub fn ours(file: &Path) -> Listing {
    let source = PstSource::open(file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    let mut out = Vec::new();
    for folder in source.folders().unwrap().into_iter().filter(|f| !f.search) {
        let mut messages = Vec::new();
        for item in source.items(&folder).unwrap() {
            let item = item.unwrap_or_else(|e| panic!("{}: {e}", file.display()));
            if item.associated {
                continue;
            }
            let Body::Mapi(message) = source.load(&folder, &item).unwrap().body else { panic!("not MAPI") };
            messages.push(our_entry(&message));
        }
        out.push(Folder { path: folder.path, messages });
    }
    sorted(out)
}

fn our_entry(message: &Message) -> Entry {
    let embedded = |a: &pst_core::mapi::Attachment| a.props.i32(tag::ATTACH_METHOD) == Some(5);
    Entry {
        subject: bare(&message.props.text(tag::SUBJECT).unwrap_or_default()),
        body: message.props.text(tag::BODY).filter(|t| !t.is_empty()).map(|t| sha(t.as_bytes())),
        html: message.props.any(tag::HTML.id()).filter(|v| v.size() > 0).and_then(value_sha),
        attachments: message
            .attachments
            .iter()
            .map(|a| {
                if embedded(a) {
                    return "embedded".to_owned();
                }
                a.props.get(tag::ATTACH_DATA_BINARY).and_then(value_sha).unwrap_or_else(|| sha(b""))
            })
            .collect(),
    }
}

fn value_sha(value: &Value) -> Option<String> {
    let blob = match value {
        Value::Binary(blob) | Value::Object(blob) => blob,
        Value::String8(bytes) | Value::Unicode(bytes) => return Some(sha(bytes)),
        _ => return None,
    };
    let mut reader = blob.open().unwrap();
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let n = reader.read(&mut buffer).unwrap();
        if n == 0 {
            return Some(hex(&hasher.finalize()));
        }
        hasher.update(&buffer[..n]);
    }
}

/// Microsoft's own reader in Rust, the crate outlook-pst. It reads Unicode PSTs with the usual pages only.
pub fn outlook_pst(file: &Path) -> std::io::Result<Listing> {
    let store = UnicodeStore::read(Rc::new(UnicodePstFile::open(file)?))?;
    let top = store.properties().ipm_sub_tree_entry_id()?;
    let mut todo = vec![(top.node_id(), Vec::new())];
    let mut out = Vec::new();
    while let Some((node, path)) = todo.pop() {
        let folder = UnicodeFolder::read(store.clone(), &store.properties().make_entry_id(node)?)?;
        if let Some(table) = folder.hierarchy_table() {
            for row in table.rows_matrix() {
                let below = NodeId::from(u32::from(row.id()));
                // A search folder has no place in the comparison: it holds no message of its own.
                if u32::from(below) & 0x1F == 0x03 {
                    continue;
                }
                let props = UnicodeFolder::read(store.clone(), &store.properties().make_entry_id(below)?)?;
                let mut path = path.clone();
                path.push(props.properties().display_name()?);
                todo.push((below, path));
            }
        }
        let mut messages = Vec::new();
        if let Some(table) = folder.contents_table() {
            for row in table.rows_matrix() {
                let id = store.properties().make_entry_id(NodeId::from(u32::from(row.id())))?;
                messages.push(outlook_entry(&UnicodeMessage::read(store.clone(), &id, None)?)?);
            }
        }
        out.push(Folder { path, messages });
    }
    Ok(sorted(out))
}

fn outlook_entry(message: &Rc<UnicodeMessage>) -> std::io::Result<Entry> {
    let mut attachments = Vec::new();
    if let Some(table) = message.attachment_table() {
        for row in table.rows_matrix() {
            let id = NodeId::from(u32::from(row.id()));
            let attachment = match UnicodeAttachment::read(message.clone(), id, None) {
                // Version 1.2.0 loses the properties from the first PtypObject on, in Outlook's own files too.
                Err(e) if e.to_string() == "Missing PidTagAttachMethod on message" => {
                    attachments.push("embedded".to_owned());
                    continue;
                }
                // An empty file, whose value is the null HNID.
                Err(e) if e.to_string().ends_with("attachment: Null") => {
                    attachments.push(sha(b""));
                    continue;
                }
                read => read?,
            };
            attachments.push(match attachment.data() {
                Some(AttachmentData::Binary(b)) => sha(b.buffer()),
                Some(AttachmentData::Message(_)) => "embedded".to_owned(),
                None => sha(b""),
            });
        }
    }
    let text = |id| message.properties().get(id).and_then(outlook_text);
    let html = match message.properties().get(0x1013) {
        Some(PropertyValue::Binary(b)) if !b.buffer().is_empty() => Some(sha(b.buffer())),
        // Text, as old stores have it.
        Some(PropertyValue::Unicode(t)) if !t.buffer().is_empty() => {
            Some(sha(&t.buffer().iter().flat_map(|u| u.to_le_bytes()).collect::<Vec<u8>>()))
        }
        _ => None,
    };
    Ok(Entry {
        subject: bare(&text(0x0037).unwrap_or_default()),
        body: text(0x1000).filter(|t| !t.is_empty()).map(|t| sha(t.as_bytes())),
        html,
        attachments,
    })
}

fn outlook_text(value: &PropertyValue) -> Option<String> {
    match value {
        PropertyValue::Unicode(t) => Some(t.to_string()),
        PropertyValue::Null => Some(String::new()),
        _ => None,
    }
}

/// libpff, through Python's pypff; `None` where that is not installed.
pub fn libpff(file: &Path) -> Option<Result<Listing, String>> {
    python_has("pypff").then(|| run(python().arg(script("pff.py")).arg(file)).map(|out| listing(&out)))
}

/// The number of messages that pffexport writes, embedded ones left out; `None` where it is not installed.
pub fn pffexport(file: &Path) -> Option<Result<usize, String>> {
    let scratch = tempfile::tempdir().unwrap();
    if !has("pffexport") {
        return None;
    }
    let target = scratch.path().join("out");
    let done = run(Command::new("pffexport").args(["-q", "-m", "items", "-t"]).arg(&target).arg(file));
    let mut count = 0;
    let mut todo = vec![target.with_extension("export")];
    while let Some(at) = todo.pop() {
        for entry in std::fs::read_dir(&at).into_iter().flatten() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && name.starts_with("Message") && name[7..].bytes().all(|b| b.is_ascii_digit()) {
                count += 1;
            } else if path.is_dir() {
                todo.push(path);
            }
        }
    }
    Some(done.map(|_| count))
}

/// libpst: what readpst writes as eml files; bodies are left out, since it writes them anew. `None` where it is not
/// installed.
pub fn libpst(file: &Path) -> Option<Result<Listing, String>> {
    if !has("readpst") || !python_has("email") {
        return None;
    }
    let scratch = tempfile::tempdir().unwrap();
    let done =
        run(Command::new("readpst").args(["-q", "-D", "-8", "-e", "-j", "0", "-o"]).arg(scratch.path()).arg(file));
    Some(done.and_then(|_| run(python().arg(script("readpst.py")).arg(scratch.path())).map(|out| listing(&out))))
}

/// Where what readpst exports of a PST says more than our eml tree does, as tests/oracle/carries.py prints it; `None` where
/// readpst or Python is not installed.
pub fn more_than(file: &Path, ours: &Path) -> Option<Result<Vec<Json>, String>> {
    if !has("readpst") || !python_has("icalendar") {
        return None;
    }
    let scratch = tempfile::tempdir().unwrap();
    let done = run(Command::new("readpst").args(["-q", "-D", "-e", "-j", "0", "-o"]).arg(scratch.path()).arg(file));
    let said = done.and_then(|_| run(python().arg(script("carries.py")).arg(scratch.path()).arg(ours)));
    Some(said.map(|out| {
        let text = String::from_utf8_lossy(&out).into_owned();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }))
}

/// The number of items that lspst lists; `None` where it is not installed.
pub fn lspst(file: &Path) -> Option<Result<usize, String>> {
    if !has("lspst") {
        return None;
    }
    let items = ["Email", "Report", "Appointment", "Contact", "Journal"];
    Some(run(Command::new("lspst").arg(file)).map(|out| {
        let text = String::from_utf8_lossy(&out).into_owned();
        text.lines().filter(|l| items.iter().any(|i| l.starts_with(i))).count()
    }))
}

/// A message of the source, as Python's email package reads it.
#[derive(Debug, Clone)]
pub struct SourceMail {
    /// `None` where Python cannot decode it.
    pub subject: Option<String>,
    pub leaves: Vec<Leaf>,
}

/// A part without parts.
#[derive(Debug, Clone)]
pub struct Leaf {
    pub kind: String,
    pub sha: String,
    /// With every run of white space as one blank; `None` where Python cannot decode it.
    pub text: Option<String>,
}

/// Message files (an empty `mbox`), or the messages of an mbox; `None` where there is no Python.
pub fn source_mail(files: &[PathBuf], mbox: Option<&Path>) -> Option<Vec<SourceMail>> {
    if !python_has("email") {
        return None;
    }
    let mut command = python();
    command.arg(script("mail.py")).args(mbox);
    let list = tempfile::NamedTempFile::new().unwrap();
    let names: String = files.iter().map(|f| format!("{}\n", f.display())).collect();
    std::fs::write(list.path(), names).unwrap();
    command.stdin(std::fs::File::open(list.path()).unwrap());
    let out = run(&mut command).unwrap_or_else(|e| panic!("mail.py: {e}"));
    let text = String::from_utf8(out).unwrap();
    Some(
        text.lines()
            .map(|line| {
                let json: Json = serde_json::from_str(line).unwrap();
                let leaf = |l: &Json| Leaf {
                    kind: l["type"].as_str().unwrap().to_owned(),
                    sha: l["sha"].as_str().unwrap().to_owned(),
                    text: l["text"].as_str().map(str::to_owned),
                };
                SourceMail {
                    subject: json["subject"].as_str().map(str::to_owned),
                    leaves: json["leaves"].as_array().unwrap().iter().map(leaf).collect(),
                }
            })
            .collect(),
    )
}

/// One line of JSON for each line of standard input from a script of tests/oracle; `None` where Python lacks a module.
pub fn ask(name: &str, modules: &[&str], lines: &[String]) -> Option<Vec<Json>> {
    if !modules.iter().all(|m| python_has(m)) {
        return None;
    }
    let list = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(list.path(), lines.iter().map(|l| format!("{l}\n")).collect::<String>()).unwrap();
    let mut command = python();
    command.arg(script(name)).stdin(std::fs::File::open(list.path()).unwrap());
    let out = run(&mut command).unwrap_or_else(|e| panic!("{name}: {e}"));
    let text = String::from_utf8(out).unwrap();
    Some(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

/// A program is on the PATH.
pub fn has(program: &str) -> bool {
    let found = std::env::var_os("PATH").is_some_and(|p| std::env::split_paths(&p).any(|d| d.join(program).is_file()));
    if !found {
        eprintln!("skipped: {program} is not installed");
    }
    found
}

fn python_has(module: &str) -> bool {
    let found = python().args(["-c", &format!("import {module}")]).output().is_ok_and(|o| o.status.success());
    if !found {
        eprintln!("skipped: no python3 with {module}");
    }
    found
}

/// The Python that tests/run prepared, or the system's.
pub fn python() -> Command {
    Command::new(std::env::var_os("PST_TEST_PYTHON").unwrap_or_else(|| "python3".into()))
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/oracle").join(name)
}

fn run(command: &mut Command) -> Result<Vec<u8>, String> {
    let out = command.output().map_err(|e| format!("{command:?}: {e}"))?;
    if out.status.success() {
        return Ok(out.stdout);
    }
    Err(format!("{command:?}: {}\n{}", out.status, String::from_utf8_lossy(&out.stderr)))
}

/// What a script of tests/oracle says of folders.
pub fn listing(json: &[u8]) -> Listing {
    let json: Json = serde_json::from_slice(json).unwrap();
    let text = |j: &Json| j.as_str().map(str::to_owned);
    let list = |j: &Json| j.as_array().unwrap().iter().map(|t| t.as_str().unwrap().to_owned()).collect::<Vec<_>>();
    let entry = |j: &Json| Entry {
        subject: bare(j["subject"].as_str().unwrap()),
        body: text(&j["body"]),
        html: text(&j["html"]),
        attachments: list(&j["attachments"]),
    };
    let folder = |j: &Json| Folder {
        path: list(&j["path"]),
        messages: j["messages"].as_array().unwrap().iter().map(entry).collect(),
    };
    sorted(json.as_array().unwrap().iter().map(folder).collect())
}

fn sorted(mut listing: Listing) -> Listing {
    listing.sort_by(|a, b| a.path.cmp(&b.path));
    listing
}
