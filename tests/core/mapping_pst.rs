//! Items of genuine PSTs as mail, and back again.

use super::support::{corpus, files};
use pst_core::mapi::{Message, tag};
use pst_core::messaging::Store;
use pst_core::mime::{Options, State, calendar, contact, from_mapi, to_mapi};
use std::path::Path;

fn each(path: &Path, mut f: impl FnMut(&str, &Message)) {
    let Ok(store) = Store::open(path) else { return };
    let mut errors = Vec::new();
    let file = path.file_name().unwrap().to_string_lossy().into_owned();
    for folder in store.folders(&mut errors).into_iter().filter(|f| !f.search) {
        for listed in store.contents(folder.nid, false, &mut errors) {
            if let Ok((message, _)) = store.message(listed.nid) {
                f(&format!("{file} 0x{:X}", listed.nid.0), &message);
            }
        }
    }
}

fn export(message: &Message) -> (Vec<u8>, Vec<String>) {
    let mut out = Vec::new();
    let warnings = from_mapi(message, &mut out, &Options::default()).expect("it is written");
    (out, warnings.into_iter().map(|w| w.text).collect())
}

fn header(mail: &[u8]) -> &[u8] {
    let end = memchr::memmem::find(mail, b"\r\n\r\n").expect("a header ends");
    &mail[..end + 2]
}

/// True for items whose calendar or card travels with their mail as a part of its own.
fn brings_component(message: &Message) -> bool {
    let class = message.props.text(tag::MESSAGE_CLASS).unwrap_or_default();
    let meeting = ["IPM.Schedule.Meeting.Request", "IPM.Schedule.Meeting.Canceled", "IPM.Schedule.Meeting.Resp"];
    calendar::Kind::of(message).is_some()
        || contact::Kind::of(message).is_some()
        || meeting.iter().any(|m| class.starts_with(m))
}

/// Every item becomes valid MIME that says the same when it is read again, and is written the same from then on.
#[test]
fn items_become_mail() {
    let mut bad = Vec::new();
    let (mut items, mut warned) = (0, 0);
    let dump = std::env::var("PST_TEST_DUMP").ok();
    for top in ["pst", "pst-derived"] {
        let Some(top) = corpus(top) else { return };
        let damaged = top.ends_with("pst-derived");
        for path in files(&top, &[".pst", ".ost"]) {
            each(&path, |id, message| {
                items += 1;
                let (first, warnings) = export(message);
                warned += usize::from(!warnings.is_empty());
                if let Some(dump) = &dump {
                    std::fs::write(format!("{dump}/{id}.eml"), &first).unwrap();
                    if !warnings.is_empty() {
                        eprintln!("{id}: {warnings:?}");
                    }
                }
                let head = header(&first);
                let types =
                    head.split(|b| *b == b'\n').filter(|l| l.to_ascii_lowercase().starts_with(b"content-type:"));
                let long = first.split(|b| *b == b'\n').any(|l| l.len() > 999);
                let again = to_mapi(&first, &State::default(), None).expect("it converts").message;
                let second = export(&again).0;
                let subject = |m: &Message| {
                    let text = m.props.text(tag::SUBJECT).unwrap_or_default();
                    let text = if text.starts_with('\u{1}') { text.chars().skip(2).collect() } else { text };
                    text.split_whitespace().collect::<Vec<_>>().join(" ")
                };
                let mut said = Vec::new();
                if types.count() != 1 {
                    said.push("not one Content-Type".to_owned());
                }
                if std::str::from_utf8(head).is_err() || head.contains(&0) {
                    said.push("binary in the header".to_owned());
                }
                if long {
                    said.push("a long line".to_owned());
                }
                if second != first {
                    said.push("not the same again".to_owned());
                }
                if subject(message) != subject(&again) {
                    said.push(format!("subject {:?} → {:?}", subject(message), subject(&again)));
                }
                // OLE objects and rich text bring pictures with them, reports what they say in a form for machines:
                // those are parts of their own in mail.
                let class = message.props.text(tag::MESSAGE_CLASS).unwrap_or_default();
                let made = class.starts_with("REPORT.")
                    || message.attachments.iter().any(|a| a.props.i32(tag::ATTACH_METHOD) == Some(6));
                let expected = message.attachments.len() + usize::from(brings_component(message));
                let found = again.attachments.len();
                if expected != found && (expected > found || !made) {
                    said.push(format!("attachments {expected} → {found}"));
                }
                let (before, after) = (message.recipients.len(), again.recipients.len());
                if before != after && !damaged {
                    said.push(format!("recipients {before} → {after}"));
                }
                if !said.is_empty() {
                    bad.push(format!("{id}: {}", said.join(", ")));
                }
            });
        }
    }
    eprintln!("{items} items, {warned} with warnings");
    assert!(bad.is_empty(), "{} items:\n{}", bad.len(), bad.join("\n"));
}
