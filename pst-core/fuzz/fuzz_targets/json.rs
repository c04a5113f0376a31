//! A line of JSON as an item; written and read again, it is the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pst_core::endpoint::json::{JsonSink, JsonSource};
use pst_core::mime::ImportOptions;
use pst_core::pipeline::{Body, Sink, Source};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

static PLACE: LazyLock<PathBuf> = LazyLock::new(|| tempfile::tempdir().unwrap().keep());

const HEADER: &[u8] = b"{\"type\":\"header\",\"format\":\"pst-json\",\"version\":1}\n";

/// All of a source that loads, written into a file.
fn copied(source: &dyn Source, to: &Path) -> Vec<u8> {
    let mut sink = Box::new(JsonSink::create(to, true, ImportOptions::default()).unwrap());
    sink.names(&source.names());
    let prepare = sink.preparer();
    for folder in source.folders().unwrap() {
        sink.folder(&folder).unwrap();
        for item in source.items(&folder).unwrap().flatten().filter_map(|item| source.load(&folder, &item).ok()) {
            let prepared = prepare.prepare(&folder, item).unwrap();
            sink.item(prepared).unwrap();
        }
    }
    sink.finish().unwrap();
    std::fs::read(to).unwrap()
}

fuzz_target!(|data: &[u8]| {
    let [read, first, second] = ["read", "first", "second"].map(|name| PLACE.join(name).with_extension("jsonl"));
    let own = data.starts_with(b"{\"type\":\"header\"");
    std::fs::write(&read, if own { data.to_vec() } else { [HEADER, data].concat() }).unwrap();
    let Ok(source) = JsonSource::open(&read) else { return };
    for folder in source.folders().unwrap() {
        for item in source.items(&folder).unwrap().flatten().filter_map(|item| source.load(&folder, &item).ok()) {
            if let Body::Mapi(message) = item.body {
                pst_fuzz::written(&message, data.len());
            }
        }
    }
    let written = copied(&source, &first);
    pst_fuzz::bounded(written.len(), data.len());
    let again = copied(&JsonSource::open(&first).expect("what was written can be read"), &second);
    assert!(written == again, "what was written is read as it was");
});
