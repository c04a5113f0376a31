//! Pages as html5lib reads them: valid, with nothing that runs or fetches, every picture inside, every link to a file
//! good, and all of the text that was in the HTML.

use super::exported::genuine;
use super::oracle::ask;
use super::support::corpus;
use super::support::moving::{Given, moved};
use super::written::convert;
use pst_core::endpoint;
use pst_core::endpoint::html::HtmlSink;
use pst_core::endpoint::text::message_of;
use pst_core::mapi::{Message, Value, tag};
use pst_core::mime;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn create(path: &Path, title: &str) -> pst_core::Result<HtmlSink> {
    HtmlSink::create(path, false, title, mime::ImportOptions::default(), mime::Options::default())
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/mail")
}

/// What html5lib says of trees; demands that nothing is wrong. Gives back pages and words.
fn prove(trees: &[(PathBuf, Vec<(PathBuf, PathBuf)>)]) -> Option<(u64, u64)> {
    let lines: Vec<String> =
        trees.iter().map(|(tree, originals)| json!({"tree": tree, "originals": originals}).to_string()).collect();
    let answers = ask("pages.py", &["html5lib"], &lines)?;
    let wrong: Vec<&str> =
        answers.iter().flat_map(|a| a["wrong"].as_array().unwrap()).filter_map(|w| w.as_str()).collect();
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong[..wrong.len().min(40)].join("\n"));
    let sum = |member: &str| answers.iter().map(|a| a[member].as_u64().unwrap()).sum();
    Some((sum("pages"), sum("words")))
}

#[test]
fn stores_and_mail() {
    let scratch = tempfile::tempdir().unwrap();
    let mut sources: Vec<String> = genuine().into_iter().map(|(file, _)| file.display().to_string()).collect();
    sources.push(fixtures().display().to_string());
    sources.extend(corpus("eml").map(|c| format!("eml:{}", c.display())));
    let more = ["msg", "mbox/jstedfast__MimeKit/UnitTests/TestData/mbox/content-length.mbox.txt"];
    sources.extend(more.into_iter().filter_map(corpus).map(|c| c.display().to_string()));
    let mut trees = Vec::new();
    for (i, source) in sources.iter().enumerate() {
        let tree = scratch.path().join(i.to_string());
        convert(&[Path::new(source)], Path::new(&format!("html:{}", tree.display())));
        trees.push((tree, Vec::new()));
    }
    if let Some((pages, _)) = prove(&trees) {
        eprintln!("{} sources, {pages} pages", trees.len());
        assert!(pages > 50);
    }
}

/// Messages with an HTML body, from all sources.
fn with_html() -> Vec<Message> {
    let mut sources: Vec<String> = genuine().into_iter().map(|(file, _)| file.display().to_string()).collect();
    sources.push(fixtures().display().to_string());
    sources.extend(corpus("eml").map(|c| format!("eml:{}", c.display())));
    let mut out = Vec::new();
    for source in sources {
        let source = endpoint::open(&source, endpoint::SourceOptions::default()).unwrap();
        for folder in source.folders().unwrap() {
            for item in source.items(&folder).unwrap() {
                let item = source.load(&folder, &item.unwrap()).unwrap();
                out.push(*message_of(item.body, mime::ImportOptions::default(), &mut Vec::new()).unwrap());
            }
        }
    }
    // HTML of others, as it stands.
    if let Some(folder) = corpus("mbox/jstedfast__MimeKit/UnitTests/TestData/mbox") {
        for file in super::support::files(&folder, &[".html"]) {
            let mut message = Message::default();
            message.props.set(tag::INTERNET_CODEPAGE, Value::I32(65001));
            message.props.set(tag::HTML, Value::binary(std::fs::read(file).unwrap()));
            out.push(message);
        }
    }
    out
}

#[test]
fn the_text_is_all_there() {
    let scratch = tempfile::tempdir().unwrap();
    let (mut given, mut html) = (Vec::new(), Vec::new());
    for mut message in with_html() {
        let Some(text) = mime::view(message.clone(), &mime::Options::default(), &mut Vec::new()).unwrap().html else {
            continue;
        };
        message.props.remove(tag::SUBJECT.id());
        message.props.set(tag::SUBJECT, Value::text("x"));
        let original = scratch.path().join(format!("{}.original", html.len()));
        std::fs::write(&original, text).unwrap();
        html.push(original);
        given.push(message);
    }
    let tree = scratch.path().join("pages");
    let report = moved(Arc::new(Given(given)), Box::new(create(&tree, "All").unwrap())).unwrap();
    assert_eq!(report.written, html.len() as u64);
    let originals: Vec<_> = html
        .into_iter()
        .enumerate()
        .map(|(i, original)| (tree.join(format!("Given/{:06} x.html", i + 1)), original))
        .collect();
    let count = originals.len();
    if let Some((pages, words)) = prove(&[(tree, originals)]) {
        eprintln!("{count} messages, {pages} pages, {words} words");
    }
}

/// HTML that was written to get past such programs as this one.
#[test]
fn hostile_html() {
    let cases = include_str!("hostile.html");
    let given: Vec<Message> = cases
        .split("\n====\n")
        .map(|html| {
            let mut message = Message::default();
            message.props.set(tag::SUBJECT, Value::text("</title><script>alert(1)</script>"));
            message.props.set(tag::SENDER_NAME, Value::text("\"><img src=http://x onerror=alert(1)>"));
            message.props.set(tag::INTERNET_CODEPAGE, Value::I32(65001));
            message.props.set(tag::HTML, Value::binary(html.as_bytes()));
            message
        })
        .collect();
    let scratch = tempfile::tempdir().unwrap();
    let tree = scratch.path().join("pages");
    let count = given.len();
    moved(Arc::new(Given(given)), Box::new(create(&tree, "<b>\"&").unwrap())).unwrap();
    if let Some((pages, _)) = prove(&[(tree, Vec::new())]) {
        assert_eq!(pages as usize, count + 2);
        eprintln!("{count} cases");
    }
}
