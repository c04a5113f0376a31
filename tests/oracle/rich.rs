//! Rich text bodies of genuine files, against what Python packages make of them: compressed-rtf, RTFDE and striprtf.

use super::oracle::{ask, sha};
use super::support::{corpus, files};
use pst_core::endpoint;
use pst_core::mapi::rtf::{self, Origin};
use pst_core::mapi::{Message, tag};
use pst_core::pipeline::Body;

/// Items whose text is told otherwise, and why.
const TOLD_OTHERWISE: &[(&str, &str)] =
    &[("0x214E64", "pictures with binary data, which striprtf takes for text"), ("0x214F04", "the same mail again")];

/// The compressed rich text of a message and of those inside it.
fn collect(message: &Message, id: &str, out: &mut Vec<(String, Vec<u8>)>) {
    if let Some(value) = message.props.any(tag::RTF_COMPRESSED.id()) {
        let pst_core::mapi::Value::Binary(blob) = value else { panic!("{id}: no binary") };
        out.push((id.to_owned(), blob.to_vec(1 << 30).unwrap()));
    }
    for inner in message.attachments.iter().filter_map(|a| a.embedded.as_ref()) {
        collect(inner, &format!("{id}+"), out);
    }
}

fn bodies() -> Option<Vec<(String, Vec<u8>)>> {
    let mut out = Vec::new();
    let mut all = files(&corpus("pst")?, &[".pst", ".ost"]);
    all.push(corpus("msg")?);
    for path in all {
        let Ok(source) = endpoint::open(&path.display().to_string(), endpoint::SourceOptions::default()) else {
            continue;
        };
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        for folder in source.folders().unwrap() {
            for item in source.items(&folder).unwrap().flatten() {
                let Ok(loaded) = source.load(&folder, &item) else { continue };
                if let Body::Mapi(message) = loaded.body {
                    collect(&message, &format!("{name} {}", item.id), &mut out);
                }
            }
        }
    }
    Some(out)
}

/// Line ends are written differently; trailing ones are no text.
fn lines(text: &str) -> String {
    text.replace("\r\n", "\n").trim_end_matches('\n').to_owned()
}

#[test]
fn rich_text_is_what_others_read() {
    let Some(bodies) = bodies() else { return };
    let scratch = tempfile::tempdir().unwrap();
    let mut paths = Vec::new();
    for (i, (_, bytes)) in bodies.iter().enumerate() {
        let path = scratch.path().join(i.to_string());
        std::fs::write(&path, bytes).unwrap();
        paths.push(path.display().to_string());
    }
    let Some(answers) = ask("rich.py", &["compressed_rtf", "RTFDE", "striprtf"], &paths) else { return };
    assert_eq!(answers.len(), bodies.len());
    let (mut html, mut text, mut rich) = (0, 0, 0);
    let mut bad = Vec::new();
    for ((id, bytes), answer) in bodies.iter().zip(&answers) {
        let unpacked = rtf::decompress(bytes, 1 << 30);
        assert!(unpacked.oddities.iter().all(|o| !o.costs_text()), "{id}: {:?}", unpacked.oddities);
        assert_eq!(answer["rtf"].as_str(), Some(sha(&unpacked.rtf).as_str()), "{id}");
        assert_eq!(rtf::decompress(&rtf::compress(&unpacked.rtf), 1 << 30).rtf, unpacked.rtf, "{id}");
        let origin = rtf::origin(&unpacked.rtf);
        let ours = match origin {
            Origin::Rich => rtf::to_text(&unpacked.rtf, &[]),
            _ => rtf::unwrap(&unpacked.rtf, origin),
        };
        let (kind, theirs) = match origin {
            Origin::Html => (Some("html"), &answer["content"]),
            Origin::Text => (Some("text"), &answer["content"]),
            Origin::Rich => (None, &answer["plain"]),
        };
        *match origin {
            Origin::Html => &mut html,
            Origin::Text => &mut text,
            Origin::Rich => &mut rich,
        } += 1;
        if answer["kind"].as_str() != kind || theirs.as_str().map(lines) != Some(lines(&ours)) {
            bad.push(id.clone());
        }
    }
    bad.retain(|id| !TOLD_OTHERWISE.iter().any(|(known, _)| id.ends_with(known)));
    eprintln!("{html} bodies with HTML, {text} with text, {rich} of rich text");
    assert_eq!(bad, Vec::<String>::new());
    assert!(html > 0 && text > 0 && rich > 0);
}
