//! PSTs against the importers' limits: each limit just kept, and just broken.

use crate::support::forge::Forge;
use pst_core::Kind;
use pst_core::endpoint::prepare::{Effect, Judged, Options, RewriteOptions, judge, rewrite};
use pst_core::mapi::message::attach_method;
use pst_core::mapi::{Attachment, Blob, Message, PropBag, Role, Value, tag};
use pst_core::messaging::write::{self, StoreWriter};
use pst_core::pipeline::{Event, Observer};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

struct Silent;

impl Observer for Silent {
    fn event(&self, _event: &Event<'_>) {}
}

fn message(subject: &str) -> Message {
    let mut m = Message::default();
    m.props.set(tag::MESSAGE_CLASS, Value::text("IPM.Note"));
    m.props.set(tag::SUBJECT, Value::text(subject));
    m
}

fn with_file(subject: &str, bytes: usize) -> Message {
    let mut a = Attachment::default();
    a.props.set(tag::ATTACH_METHOD, Value::I32(attach_method::BY_VALUE));
    a.props.set(tag::ATTACH_LONG_FILENAME, Value::text("file.bin"));
    a.props.set(tag::ATTACH_DATA_BINARY, Value::Binary(Blob::Bytes(vec![7; bytes])));
    Message { attachments: vec![a], ..message(subject) }
}

fn store(path: &Path, fill: impl FnOnce(&mut StoreWriter)) {
    let options = write::Options { display_name: "Test".into(), ..write::Options::default() };
    let mut writer = StoreWriter::create(path, options).unwrap();
    fill(&mut writer);
    writer.finish().unwrap();
}

fn folder(w: &mut StoreWriter, parent: write::FolderId, name: &str) -> write::FolderId {
    w.add_folder(parent, name, Role::None, None, &PropBag::default()).unwrap()
}

fn judged(path: &Path, options: &Options) -> Judged {
    judge(path, options, &AtomicBool::new(false)).unwrap()
}

fn ids(j: &Judged) -> Vec<&'static str> {
    j.counts.keys().copied().collect()
}

#[test]
fn a_plain_pst_is_ready() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.pst");
    store(&path, |w| {
        let inbox = folder(w, w.top(), "Inbox");
        w.add(inbox, &message("one"), false).unwrap();
        w.add(inbox, &message("hidden"), true).unwrap();
    });
    let j = judged(&path, &Options::default());
    assert_eq!((ids(&j), j.is_ready()), (vec![], true));
    assert_eq!((j.kind.as_str(), j.items, j.associated, j.levels), ("Unicode PST", 1, 1, 1));
    assert_eq!(j.bytes, std::fs::metadata(&path).unwrap().len());
}

#[test]
fn sizes_of_items_and_files() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.pst");
    store(&path, |w| {
        let inbox = folder(w, w.top(), "Inbox");
        w.add(inbox, &with_file("small", 1000), false).unwrap();
        w.add(inbox, &with_file("large", 300_000), false).unwrap();
        let outer = Attachment { embedded: Some(Box::new(with_file("inner", 290_000))), ..Attachment::default() };
        let mut outer = outer;
        outer.props.set(tag::ATTACH_METHOD, Value::I32(attach_method::EMBEDDED));
        w.add(inbox, &Message { attachments: vec![outer], ..message("outer") }, false).unwrap();
    });
    let limited = |item| judged(&path, &Options { item, ..Options::default() });
    let largest = limited(1 << 30).largest;
    assert!((300_000..310_000).contains(&largest), "{largest}");
    assert_eq!(ids(&limited(largest)), [""; 0]);
    let j = limited(largest - 1);
    assert_eq!((ids(&j), j.is_ready()), (vec!["item-size"], false));
    let spot = j.findings[0].spot.clone().unwrap();
    assert_eq!((spot.folder.as_str(), spot.subject.as_str(), spot.bytes), ("Inbox", "large", Some(largest)));
    assert_eq!(j.findings[0].rule.effect, Effect::Skipped);
    let names = |j: &Judged| j.findings.iter().map(|f| f.spot.clone().unwrap().subject).collect::<Vec<_>>();
    assert_eq!(names(&limited(280_000)), ["large", "outer"], "what is in embedded messages counts");
    let bytes = std::fs::metadata(&path).unwrap().len();
    let j = judged(&path, &Options { pst: bytes - 1, ..Options::default() });
    assert_eq!(ids(&j), ["pst-size"]);
    assert_eq!(ids(&judged(&path, &Options { pst: bytes, ..Options::default() })), [""; 0]);
}

#[test]
fn an_item_above_35_mb_is_noted() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.pst");
    store(&path, |w| {
        w.add(w.top(), &with_file("large", 36 << 20), false).unwrap();
    });
    let j = judged(&path, &Options::default());
    assert_eq!((ids(&j), j.is_ready()), (vec!["item-large"], true));
}

#[test]
fn three_hundred_levels_are_too_many() {
    let dir = tempfile::tempdir().unwrap();
    let nested = |levels: usize, above: usize| {
        let path = dir.path().join(format!("{levels} and {above}.pst"));
        store(&path, |w| {
            let mut at = w.top();
            for i in 1..=levels {
                at = folder(w, at, &format!("level {i}"));
            }
            w.add(at, &message("deep"), false).unwrap();
        });
        judged(&path, &Options { levels_above: above, ..Options::default() })
    };
    let (kept, broken) = (nested(299, 0), nested(300, 0));
    assert_eq!((ids(&kept), kept.levels), (vec![], 299));
    assert_eq!((ids(&broken), broken.is_refused()), (vec!["depth"], true));
    assert!(broken.findings[0].text.contains("300 levels") && broken.findings[0].text.contains("level 300"));
    assert_eq!(ids(&nested(299, 1)), ["depth"], "the folder that takes it in counts");
}

#[test]
fn too_many_folders_in_one() {
    let dir = tempfile::tempdir().unwrap();
    let wide = |n: usize| {
        let path = dir.path().join("wide.pst");
        let _ = std::fs::remove_file(&path);
        store(&path, |w| {
            let top = folder(w, w.top(), "top");
            for i in 0..n {
                folder(w, top, &format!("{i}"));
            }
            w.add(top, &message("x"), false).unwrap();
        });
        judged(&path, &Options::default())
    };
    assert_eq!(ids(&wide(10_000)), [""; 0]);
    assert_eq!(ids(&wide(10_001)), ["subfolders"]);
}

/// A store with an attachment of several blocks, one of which is damaged; where it is can be seen nowhere above the block.
fn torn(path: &Path) -> PathBuf {
    store(path, |w| {
        let inbox = folder(w, w.top(), "Inbox");
        w.add(inbox, &message("whole"), false).unwrap();
        w.add(inbox, &with_file("torn", 2 << 20), false).unwrap();
    });
    let mut bytes = std::fs::read(path).unwrap();
    // The attachment is the only long run of equal bytes, however the blocks are encoded.
    let is_run = |w: &[u8]| w[0] != 0 && w.iter().all(|c| *c == w[0]);
    let at = bytes.windows(4096).position(is_run).expect("a run of equal bytes");
    bytes[at + 40] ^= 0xFF;
    std::fs::write(path, &bytes).unwrap();
    path.to_path_buf()
}

#[test]
fn damage_is_found_in_the_item_that_it_is_in_and_repaired() {
    let dir = tempfile::tempdir().unwrap();
    let path = torn(&dir.path().join("torn.pst"));
    let j = judged(&path, &Options::default());
    assert_eq!(ids(&j), ["damaged-item", "structure"], "{:?}", j.findings);
    assert_eq!(j.findings[0].spot.clone().unwrap().subject, "torn");
    assert!(j.needs_rewriting() && !j.is_ready());
    let out = dir.path().join("out");
    std::fs::create_dir(&out).unwrap();
    let made = rewrite(&path, &out, "torn.pst", &RewriteOptions::default(), &Silent).unwrap();
    assert_eq!(made.parts, [out.join("torn.pst")]);
    let mut new = judged(&made.parts[0], &Options::default());
    assert_eq!(ids(&new), [""; 0], "{:?}", new.findings);
    made.tell(&mut new);
    assert_eq!(ids(&new), ["lost"]);
    assert_eq!(new.items + made.report.failed, 2);
    let names: Vec<_> = std::fs::read_dir(&out).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names, ["torn.pst"], "nothing else stays");
}

#[test]
fn osts_and_files_that_are_none() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.pst");
    store(&path, |w| {
        w.add(w.top(), &message("x"), false).unwrap();
    });
    let mut forge = Forge { bytes: std::fs::read(&path).unwrap() };
    forge.header(8, b"SO");
    std::fs::write(&path, &forge.bytes).unwrap();
    let j = judged(&path, &Options::default());
    assert!(j.is_refused() && ids(&j).contains(&"ost") && j.kind == "Unicode OST", "{:?}", j.findings);
    for bytes in [&b""[..], b"!BDN", b"no PST at all"] {
        std::fs::write(&path, bytes).unwrap();
        let j = judged(&path, &Options::default());
        assert_eq!((ids(&j), j.is_refused(), j.needs_rewriting()), (vec!["unreadable"], true, false));
    }
    assert_eq!(ids(&judged(&dir.path().join("gone.pst"), &Options::default())), ["unreadable"]);
}

#[test]
fn a_password_is_found_and_taken_off() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.pst");
    store(&path, |w| {
        w.add(w.top(), &message("x"), false).unwrap();
    });
    let mut forge = Forge { bytes: std::fs::read(&path).unwrap() };
    let data = forge.node(0x21).data;
    forge.set_raw(data, 0x67FF, 0x1234_5678);
    std::fs::write(&path, &forge.bytes).unwrap();
    let j = judged(&path, &Options::default());
    assert_eq!((ids(&j), j.is_refused()), (vec!["password"], true));
    let out = dir.path().join("out");
    std::fs::create_dir(&out).unwrap();
    let made = rewrite(&path, &out, "b.pst", &RewriteOptions::default(), &Silent).unwrap();
    assert_eq!(ids(&judged(&made.parts[0], &Options::default())), [""; 0]);
}

#[test]
fn an_empty_pst_and_a_stopped_run() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.pst");
    store(&path, |_| {});
    let j = judged(&path, &Options::default());
    assert_eq!((ids(&j), j.is_ready()), (vec!["empty"], true));
    let full = dir.path().join("b.pst");
    store(&full, |w| {
        w.add(w.top(), &message("x"), false).unwrap();
    });
    let stopped = judge(&full, &Options::default(), &AtomicBool::new(true)).unwrap_err();
    assert_eq!(stopped.kind(), Kind::Interrupted);
    let options = RewriteOptions { stop: Arc::new(AtomicBool::new(true)), ..RewriteOptions::default() };
    let out = dir.path().join("out");
    std::fs::create_dir(&out).unwrap();
    assert_eq!(rewrite(&full, &out, "b.pst", &options, &Silent).unwrap_err().kind(), Kind::Interrupted);
    assert_eq!(std::fs::read_dir(&out).unwrap().count(), 0, "nothing stays");
}

#[test]
fn sources_are_never_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.pst");
    store(&path, |w| {
        w.add(w.top(), &message("x"), false).unwrap();
    });
    let before = std::fs::read(&path).unwrap();
    let options = RewriteOptions { overwrite: true, ..RewriteOptions::default() };
    assert_eq!(rewrite(&path, dir.path(), "a.pst", &options, &Silent).unwrap_err().kind(), Kind::Usage);
    assert!(std::fs::read(&path).unwrap() == before);
    let out = dir.path().join("out");
    std::fs::create_dir(&out).unwrap();
    std::fs::write(out.join("a-2.pst"), b"of an earlier run").unwrap();
    let refused = rewrite(&path, &out, "a.pst", &RewriteOptions::default(), &Silent).unwrap_err();
    assert_eq!(refused.kind(), Kind::Exists);
    let made = rewrite(&path, &out, "a.pst", &options, &Silent).unwrap();
    assert_eq!(made.left_over, [out.join("a-2.pst")]);
}
