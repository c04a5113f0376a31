//! .msg files: what Python's extract-msg reads in genuine ones and in ours, and a PST that becomes .msg files and again a
//! PST.

use super::exported::{genuine, messages};
use super::oracle::{ask, sha};
use super::support::corpus;
use super::written::convert;
use pst_core::endpoint::msg;
use pst_core::endpoint::pst::PstSource;
use pst_core::mapi::value::sha256;
use pst_core::mapi::{Attachment, Message, Name, PropBag, PropTag, Value, codepage, ole, tag};
use pst_core::pipeline::{Body, Source};
use serde_json::{Value as Json, json};
use std::path::{Path, PathBuf};

/// Properties that a .msg file has for its own sake.
const OF_THE_FILE: &[&str] = &["  3701 000D", "  003D 001F", "  0E1D 001F", "  340D 0003 I32(265849)"];

/// A message as msg.py shows one.
fn show(message: &Message, top: bool) -> Json {
    let props = &message.props;
    let page = props.i32(tag::MESSAGE_CODEPAGE).or(props.i32(tag::INTERNET_CODEPAGE)).unwrap_or(1252) as u32;
    let text = |bag: &PropBag, tag: PropTag| match bag.any(tag.id()) {
        Some(Value::String8(bytes)) => Some(codepage::decode(page, bytes)),
        Some(value) => value.to_text(),
        None => None,
    };
    let hash = |tag: PropTag| match props.get(tag) {
        Some(Value::Binary(blob)) if !blob.is_empty() => Some(sha256(blob).unwrap()),
        _ => None,
    };
    let subject = text(props, tag::SUBJECT).map(|s| match s.strip_prefix('\u{1}') {
        Some(marked) => marked.chars().skip(1).collect(),
        None => s,
    });
    let recipient = |r: &PropBag| {
        let address = text(r, tag::SMTP_ADDRESS).or_else(|| text(r, tag::EMAIL_ADDRESS));
        json!([r.i32(tag::RECIPIENT_TYPE), text(r, tag::DISPLAY_NAME), address])
    };
    let attachment = |a: &Attachment| match &a.embedded {
        Some(inner) => json!({ "message": show(inner, false) }),
        None => {
            let name = text(&a.props, tag::ATTACH_LONG_FILENAME).or_else(|| text(&a.props, tag::ATTACH_FILENAME));
            let data = match a.props.get(tag::ATTACH_DATA_BINARY) {
                Some(Value::Binary(blob)) if !blob.is_empty() => Some(sha256(blob).unwrap()),
                // Of a picture that was put into the text, it gives the picture.
                _ => match a.props.get(tag::ATTACH_DATA_OBJECT) {
                    Some(Value::Object(blob)) => ole::picture(&blob.to_vec(1 << 30).unwrap()).map(|p| sha(&p.data)),
                    _ => None,
                },
            };
            json!({ "name": name, "sha": data })
        }
    };
    let mut named: Vec<String> = props
        .0
        .iter()
        .filter_map(|p| p.name.as_ref())
        .map(|n| match &n.name {
            Name::Id(id) => format!("{{{}}}:{id:04X}", n.guid),
            Name::Text(units) => format!("{{{}}}:{}", n.guid, String::from_utf16_lossy(units)).to_uppercase(),
        })
        .collect();
    named.sort();
    json!({
        "class": text(props, tag::MESSAGE_CLASS),
        "subject": subject,
        "sender": text(props, tag::SENDER_NAME),
        "recipients": message.recipients.iter().map(recipient).collect::<Vec<_>>(),
        "body": text(props, tag::BODY).filter(|t| !t.is_empty()).map(|t| sha(t.as_bytes())),
        "html": hash(tag::HTML),
        "rtf": hash(tag::RTF_COMPRESSED),
        "attachments": message.attachments.iter().map(attachment).collect::<Vec<_>>(),
        "named": if top { json!(named) } else { Json::Null },
    })
}

/// What extract-msg says, without what it says of itself, and what it cannot say.
fn tidy(mut theirs: Json, top: bool) -> Json {
    if !top {
        theirs["named"] = Json::Null;
    }
    for attachment in theirs["attachments"].as_array_mut().unwrap() {
        match attachment.get("message").cloned() {
            Some(inner) => attachment["message"] = tidy(inner, false),
            None => _ = attachment.as_object_mut().unwrap().remove("type"),
        }
    }
    theirs
}

fn compare(all: &[(String, PathBuf, Message)]) {
    let paths: Vec<String> = all.iter().map(|(_, path, _)| path.display().to_string()).collect();
    let Some(answers) = ask("msg.py", &["extract_msg"], &paths) else { return };
    assert_eq!(answers.len(), all.len());
    let mut bad = Vec::new();
    for ((id, _, message), theirs) in all.iter().zip(answers) {
        let (ours, theirs) = (show(message, true), tidy(theirs, true));
        if ours != theirs {
            let fields = ours.as_object().unwrap().iter().filter(|(k, v)| **v != theirs[*k]);
            let fields: Vec<String> =
                fields.map(|(k, v)| format!("  {k}\n    ours   {v}\n    theirs {}", theirs[k])).collect();
            bad.push(format!("{id}\n{}", fields.join("\n")));
        }
    }
    eprintln!("{} files", all.len());
    assert!(bad.is_empty(), "{} of {} differ\n{}", bad.len(), all.len(), bad.join("\n"));
}

/// All .msg files below a folder.
fn below(folder: &Path) -> Vec<PathBuf> {
    let (mut out, mut todo) = (Vec::new(), vec![folder.to_path_buf()]);
    while let Some(at) = todo.pop() {
        for entry in std::fs::read_dir(at).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                todo.push(path);
            } else if msg::is_msg(&path) {
                out.push(path);
            }
        }
    }
    out.sort();
    out
}

#[test]
fn genuine_files_read_as_extract_msg_reads_them() {
    let Some(folder) = corpus("msg") else { return };
    let all: Vec<(String, PathBuf, Message)> = below(&folder)
        .into_iter()
        .map(|path| {
            let (message, warnings) = msg::read(&path).unwrap();
            assert_eq!(warnings, Vec::new(), "{}", path.display());
            (path.display().to_string(), path, message)
        })
        .collect();
    assert!(!all.is_empty());
    compare(&all);
}

#[test]
fn extract_msg_reads_what_we_write() {
    let scratch = tempfile::tempdir().unwrap();
    let mut all = Vec::new();
    for (file, name) in genuine() {
        let source = PstSource::open(&file).unwrap();
        for folder in source.folders().unwrap().into_iter().filter(|f| !f.search) {
            for item in source.items(&folder).unwrap() {
                let item = item.unwrap();
                let Body::Mapi(message) = source.load(&folder, &item).unwrap().body else { panic!("not MAPI") };
                let path = scratch.path().join(format!("{}.msg", all.len()));
                let out = std::fs::File::options().read(true).write(true).create_new(true).open(&path).unwrap();
                msg::write(&message, out).unwrap();
                all.push((format!("{name} {}", item.id), path, *message));
            }
        }
    }
    if !all.is_empty() {
        compare(&all);
    }
}

#[test]
fn through_msg_files_and_back_every_property_survives() {
    let mut wrong = Vec::new();
    for (file, name) in genuine() {
        let scratch = tempfile::tempdir().unwrap();
        let [copy, tree, back] = ["copy.pst", "tree", "back.pst"].map(|n| scratch.path().join(n));
        convert(&[&file], &copy);
        convert(&[&copy], Path::new(&format!("msg:{}", tree.display())));
        convert(&[Path::new(&format!("msg:{}", tree.display()))], &back);
        let (before, after) = (messages(&copy, false), messages(&back, false));
        assert_eq!(before.len(), after.len(), "{name}");
        // What is computed from the subject, and what a Unicode .msg file says of itself, is not read as a property.
        // Objects are storages in a .msg file, so their compound file is a new one with the same streams.
        let lines = |t: &str| {
            t.lines().filter(|l| !OF_THE_FILE.iter().any(|p| l.starts_with(p))).map(str::to_owned).collect::<Vec<_>>()
        };
        for ((path, a), (_, b)) in before.iter().zip(&after) {
            let (a, b) = (lines(a), lines(b));
            if a != b {
                let lost: Vec<_> = a.iter().filter(|l| !b.contains(l)).take(6).collect();
                let new: Vec<_> = b.iter().filter(|l| !a.contains(l)).take(6).collect();
                wrong.push(format!("{name} {path:?}:\n  - {lost:?}\n  + {new:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} differences\n{}", wrong.len(), wrong.join("\n"));
}
