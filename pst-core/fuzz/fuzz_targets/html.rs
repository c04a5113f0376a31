//! A body of HTML on a page for browsers: nothing in the page runs or fetches. The first byte chooses the charset.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pst_core::endpoint::html::HtmlSink;
use pst_core::mapi::{Message, Value, tag};
use pst_core::pipeline::{Body, Folder, Item, Sink};
use std::path::PathBuf;
use std::sync::LazyLock;

static PLACE: LazyLock<PathBuf> = LazyLock::new(|| tempfile::tempdir().unwrap().keep());

const PAGES: [i32; 8] = [65001, 1252, 932, 50220, 1200, 950, 1251, 20127];
const FORBIDDEN: [&str; 9] = ["script", "iframe", "frame", "object", "embed", "form", "base", "link", "svg"];

/// Judges each tag of a page: its name and its attributes.
fn harmless(page: &str) {
    let mut rest = page;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        if !rest.starts_with(|c: char| c.is_ascii_alphabetic()) {
            continue;
        }
        let end = rest.find(|c: char| c.is_whitespace() || c == '>' || c == '/').unwrap_or(rest.len());
        let name = rest[..end].to_ascii_lowercase();
        assert!(!FORBIDDEN.contains(&name.as_str()), "<{name}> in a page");
        rest = &rest[end..];
        loop {
            rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '/');
            if rest.is_empty() || rest.starts_with('>') {
                break;
            }
            let end = rest.find(|c: char| c.is_whitespace() || c == '=' || c == '>').unwrap_or(rest.len()).max(1);
            let attribute = rest[..end].to_ascii_lowercase();
            rest = &rest[end..];
            let mut value = "";
            if let Some(quoted) = rest.strip_prefix("=\"") {
                let end = quoted.find('"').expect("quotes close");
                (value, rest) = (&quoted[..end], &quoted[end + 1..]);
            } else {
                assert!(!rest.starts_with('='), "a value without quotes");
            }
            assert!(!attribute.starts_with("on"), "{attribute} in a page");
            let value = value.trim_start().to_ascii_lowercase();
            let loads = matches!(attribute.as_str(), "src" | "background" | "srcset" | "poster" | "data");
            assert!(!loads || value.starts_with("data:"), "{attribute} fetches {value}");
            let runs =
                value.starts_with("javascript:") || value.starts_with("vbscript:") || value.starts_with("data:text");
            assert!(attribute != "href" || !runs, "{attribute} runs {value}");
        }
        if name == "style" {
            let end = rest.find("</style").expect("style sheets end");
            let sheet = rest[..end].to_ascii_lowercase();
            assert!(!sheet.contains("@import") && !sheet.contains("url(http"), "a style sheet fetches");
            rest = &rest[end..];
        }
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((choice, html)) = data.split_first() else { return };
    let mut message = Message::default();
    message.props.set(tag::MESSAGE_CLASS, Value::text("IPM.Note"));
    message.props.set(tag::SUBJECT, Value::text("a"));
    message.props.set(tag::HTML, Value::binary(html));
    message.props.set(tag::INTERNET_CODEPAGE, Value::I32(PAGES[usize::from(choice % 8)]));
    let top = PLACE.join("pages");
    let mut sink = Box::new(HtmlSink::create(&top, true, "a", Default::default(), Default::default()).unwrap());
    let folder = Folder::default();
    let item = Item { id: "a".into(), body: Body::Mapi(Box::new(message)), associated: false, warnings: Vec::new() };
    let prepared = sink.preparer().prepare(&folder, item).unwrap();
    sink.folder(&folder).unwrap();
    sink.item(prepared).unwrap();
    sink.finish().unwrap();
    for entry in std::fs::read_dir(&top).unwrap().map(Result::unwrap) {
        if entry.path().extension().is_some_and(|e| e == "html") {
            let page = std::fs::read_to_string(entry.path()).unwrap();
            pst_fuzz::bounded(page.len(), html.len());
            harmless(&page);
        }
    }
});
