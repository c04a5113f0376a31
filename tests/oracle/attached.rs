//! Folders of attachments: Python's csv reads their index, and what libpff finds attached in a store is there.

use super::exported::genuine;
use super::genuine::is_exception;
use super::oracle::{self, ask};
use super::support::corpus;
use super::written::convert;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// How often each hash is there.
fn counted(hashes: impl Iterator<Item = String>) -> BTreeMap<String, usize> {
    hashes.fold(BTreeMap::new(), |mut all, hash| {
        *all.entry(hash).or_default() += 1;
        all
    })
}

#[test]
fn stores_and_mail() {
    let scratch = tempfile::tempdir().unwrap();
    let stores = genuine();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/mail");
    let mut sources: Vec<String> = stores.iter().map(|(file, _)| file.display().to_string()).collect();
    sources.push(fixtures.display().to_string());
    sources.extend(corpus("eml").map(|c| format!("eml:{}", c.display())));
    sources.extend(corpus("msg").map(|c| c.display().to_string()));
    let folders: Vec<PathBuf> = (0..sources.len()).map(|i| scratch.path().join(i.to_string())).collect();
    for (source, folder) in sources.iter().zip(&folders) {
        convert(&[Path::new(source)], Path::new(&format!("attachments:{}", folder.display())));
    }
    let lines: Vec<String> = folders.iter().map(|f| f.display().to_string()).collect();
    let Some(answers) = ask("attached.py", &["csv"], &lines) else { return };
    assert_eq!(answers.len(), sources.len());
    let hashes = |i: usize| answers[i].as_array().unwrap().iter().map(|h| h.as_str().unwrap().to_owned());
    let total: usize = (0..answers.len()).map(|i| hashes(i).count()).sum();
    let mut compared = 0;
    for (i, (store, name)) in stores.iter().enumerate().filter(|(_, (_, name))| !is_exception("libpff", name)) {
        let Some(theirs) = oracle::libpff(store) else { continue };
        let ours = counted(hashes(i));
        let files = theirs.unwrap().into_iter().flat_map(|f| f.messages).flat_map(|m| m.attachments);
        // Messages have no bytes to compare, and libpff gives none for objects and files that are elsewhere.
        let files = files.filter(|hash| hash != "embedded" && *hash != oracle::sha(b""));
        for (hash, n) in counted(files) {
            assert!(ours.get(&hash).is_some_and(|m| *m >= n), "{name}: {hash} is there {n} times");
            compared += n;
        }
    }
    eprintln!("{} sources, {total} files, {compared} of them as libpff has them", sources.len());
}
