//! Reading every PST and OST of the corpus, whole and damaged.

use super::support::{Seeded, corpus, files};
use pst_core::check::judge;
use pst_core::io::Input;
use pst_core::mapi::{Message, tag};
use pst_core::messaging::Store;
use pst_core::ndb::{Ndb, Nid};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Everything of a store, read to the last byte: messages by NID, and how many parts failed.
fn walk(store: &Store) -> (BTreeMap<u32, Message>, usize) {
    let mut errors = Vec::new();
    let mut messages = BTreeMap::new();
    for folder in store.folders(&mut errors) {
        for associated in [false, true] {
            if folder.search {
                continue;
            }
            for listed in store.contents(folder.nid, associated, &mut errors) {
                match store.message(listed.nid) {
                    Ok((message, more)) => {
                        errors.extend(more);
                        drain(&message, 0);
                        messages.insert(listed.nid.0, message);
                    }
                    Err(e) => errors.push(e),
                }
            }
        }
    }
    (messages, errors.len())
}

fn drain(message: &Message, depth: usize) {
    assert!(depth <= 65);
    for attachment in &message.attachments {
        for prop in &attachment.props.0 {
            if let pst_core::mapi::Value::Binary(b) | pst_core::mapi::Value::Object(b) = &prop.value
                && let Ok(mut reader) = b.open()
            {
                let _ = std::io::copy(&mut reader, &mut std::io::sink());
            }
        }
        if let Some(inner) = &attachment.embedded {
            drain(inner, depth + 1);
        }
    }
}

/// What libpff found in each file: folders, messages, subjects, lengths of bodies and attachments.
#[test]
fn every_file_reads_as_libpff_reads_it() {
    let (Some(truth), Some(psts)) = (corpus("groundtruth"), corpus("pst")) else { return };
    let mut compared = 0;
    for file in files(&truth, &[".json"]) {
        let expected: Json = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        let name = expected["file"].as_str().unwrap();
        let store = Store::open(psts.join(name)).unwrap();
        let mut errors = Vec::new();
        let folders = store.folders(&mut errors);
        for folder in expected["folders"].as_array().unwrap() {
            // libpff could not read some folders of one damaged file; they have no id there.
            let Some(nid) = folder["id"].as_u64().map(|n| Nid(n as u32)) else { continue };
            let found = folders.iter().find(|f| f.nid == nid);
            assert!(found.is_some(), "{name}: folder {nid} ({}) is missing", folder["path"]);
            if found.unwrap().search {
                continue;
            }
            let listed: Vec<u32> = store.contents(nid, false, &mut errors).iter().map(|l| l.nid.0).collect();
            let messages = folder["msgs"].as_array().into_iter().flatten();
            for m in messages {
                let Some(id) = m["id"].as_u64().map(|n| n as u32) else { continue };
                assert!(listed.contains(&id), "{name}: message 0x{id:X} is missing from {nid}");
                let (message, parts) = store.message(Nid(id)).unwrap();
                assert!(parts.is_empty(), "{name} 0x{id:X}: {parts:?}");
                compare(name, id, m, &message);
                compared += 1;
            }
        }
        assert!(errors.is_empty(), "{name}: {errors:?}");
    }
    assert!(compared > 150, "only {compared} messages compared");
}

fn compare(name: &str, id: u32, expected: &Json, message: &Message) {
    let text = |t| message.props.text(t).unwrap_or_default();
    let of = |key: &str| expected[key].as_str().unwrap_or_default().to_owned();
    assert_eq!(text(tag::MESSAGE_CLASS), of("class"), "{name} 0x{id:X}: class");
    if name.contains("32-bit") || name.contains("sample2") {
        return; // ANSI strings: libpff counts other bytes
    }
    assert_eq!(text(tag::SUBJECT), of("subject"), "{name} 0x{id:X}: subject");
    assert_eq!(
        message.attachments.len(),
        expected["att"].as_array().map_or(0, Vec::len),
        "{name} 0x{id:X}: attachments"
    );
    if let Some(len) = expected["html"][0].as_u64() {
        let html = message.props.get(tag::HTML).unwrap();
        assert_eq!(html.size(), len, "{name} 0x{id:X}: html");
    }
}

#[test]
fn damaged_files_give_what_is_left() {
    let Some(folder) = corpus("pst-derived") else { return };
    let whole = Store::open(corpus("pst/enrondata__sample2__cceff7e3.pst").unwrap()).unwrap();
    let (expected, _) = walk(&whole);
    for file in files(&folder, &[".pst"]) {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        match Store::open(&file) {
            Ok(store) => {
                let (messages, failed) = walk(&store);
                eprintln!("{name}: {} messages, {failed} failed parts", messages.len());
                for same in [
                    "sample2__cceff7e3.crypt0",
                    "sample2__cceff7e3.crypt2",
                    "hdrcrc",
                    "trailgarbage",
                    "amap0",
                    "amapinvalid",
                ] {
                    if name.contains(same) && name.contains("sample2") {
                        assert_eq!(messages.len(), expected.len(), "{name}");
                        assert_eq!(failed, 0, "{name}");
                    }
                }
            }
            Err(e) => {
                eprintln!("{name}: {e}");
                assert!(e.to_string().contains(&name), "{e}");
                assert!(name.contains("root0") || name.contains("trunc"), "{name} should open: {e}");
            }
        }
    }
}

/// Two thousand damages of two small files: no panic, no hang, every call returns.
#[test]
fn no_damage_panics_or_hangs() {
    let Some(folder) = corpus("pst") else { return };
    for name in ["enrondata__sample1__788c6ad5.pst", "mooijtech__32-bit__8800186a.pst"] {
        let image = std::fs::read(folder.join(name)).unwrap();
        let mut random = Seeded(42);
        for round in 0..1000 {
            let mut bytes = image.clone();
            damage(&mut bytes, &mut random, Path::new(name));
            let started = Instant::now();
            let _ = judge(Input::from_bytes(bytes.clone(), name));
            if let Ok(ndb) = Ndb::new(Input::from_bytes(bytes, name)) {
                let _ = walk(&Store::new(Arc::new(ndb)));
            }
            assert!(started.elapsed() < Duration::from_secs(20), "{name}, round {round}");
        }
    }
}

fn damage(bytes: &mut Vec<u8>, random: &mut Seeded, _name: &Path) {
    match random.below(4) {
        0 => {
            for _ in 0..=random.below(20) {
                let at = random.below(bytes.len() as u64) as usize;
                bytes[at] ^= 1 << random.below(8);
            }
        }
        1 => {
            let at = random.below(bytes.len() as u64 / 512) as usize * 512;
            bytes[at..at + 512].fill(random.below(2) as u8 * 0xFF);
        }
        2 => bytes.truncate(random.below(bytes.len() as u64) as usize),
        _ => {
            let (a, b) = (random.below(bytes.len() as u64 / 512), random.below(bytes.len() as u64 / 512));
            for i in 0..512 {
                bytes.swap(a as usize * 512 + i, b as usize * 512 + i);
            }
        }
    }
}
