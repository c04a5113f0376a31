//! Names of a Maildir: the lines of the input are folders of a mailbox, which are written and read again. Nothing stands
//! outside of the target, and no folder takes another's mail.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pst_core::endpoint::maildir::{MaildirSink, MaildirSource};
use pst_core::endpoint::utf7;
use pst_core::mapi::{Message, Value, tag};
use pst_core::pipeline::{Body, Folder, Item, Sink, Source};
use std::path::PathBuf;
use std::sync::LazyLock;

static PLACE: LazyLock<PathBuf> = LazyLock::new(|| tempfile::tempdir().unwrap().keep());

const MOST: usize = 12;

fn item(number: usize) -> Item {
    let mut message = Message::default();
    message.props.set(tag::SUBJECT, Value::text(&format!("number {number}.")));
    Item { id: number.to_string(), body: Body::Mapi(Box::new(message)), associated: false, warnings: Vec::new() }
}

/// Names that a file system may hold are read, whatever they are.
fn named(lines: &[String]) {
    let top = PLACE.join("named");
    let _ = std::fs::remove_dir_all(&top);
    std::fs::create_dir_all(top.join("cur")).unwrap();
    for name in lines.iter().filter(|n| !n.is_empty() && n.len() < 200 && !n.contains(['/', '\0']) && *n != ".." && *n != ".") {
        let _ = std::fs::create_dir_all(top.join(name).join("cur"));
        let _ = std::fs::write(top.join("cur").join(name), b"Subject: a\n\nb\n");
    }
    let source = MaildirSource::open(&top).expect("a Maildir opens");
    for folder in source.folders().unwrap() {
        for listed in source.items(&folder).unwrap() {
            let listed = listed.unwrap();
            source.lasting(&listed);
            source.load(&folder, &listed).expect("a message loads");
        }
    }
}

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let lines: Vec<String> = text.split('\n').take(MOST).map(str::to_owned).collect();
    for line in &lines {
        let coded = utf7::encode(line);
        assert!(coded.bytes().all(|b| (0x20..0x7F).contains(&b)), "{coded:?}");
        assert_eq!(utf7::decode(&coded), *line);
        utf7::decode(line);
    }
    named(&lines);
    let mut paths: Vec<Vec<String>> = lines.iter().map(|l| l.split('\t').map(str::to_owned).collect()).collect();
    paths.sort();
    paths.dedup();
    let around = PLACE.join("around");
    let _ = std::fs::remove_dir_all(&around);
    std::fs::create_dir_all(&around).unwrap();
    let mut sink = Box::new(MaildirSink::create(&around.join("target"), false, Default::default()).unwrap());
    let prepare = sink.preparer();
    for (number, path) in paths.iter().enumerate() {
        let folder = Folder { path: path.clone(), ..Folder::default() };
        let prepared = prepare.prepare(&folder, item(number)).unwrap();
        sink.folder(&folder).unwrap();
        sink.item(prepared).unwrap();
    }
    sink.finish().unwrap();
    let beside: Vec<_> = std::fs::read_dir(&around).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(beside, ["target"]);
    let source = MaildirSource::open(&around.join("target")).unwrap();
    let folders = source.folders().unwrap();
    let found: usize = folders.iter().map(|folder| source.items(folder).unwrap().count()).sum();
    assert_eq!(found, paths.len(), "{paths:?}");
});
