//! JSON lines: valid by the schema in FORMAT.md, says Python's jsonschema; and what Python reads in them is what libpff
//! reads in the PST that they were made of.

use super::exported::genuine;
use super::genuine::{compare, is_exception};
use super::oracle::{self, ask};
use super::support::corpus;
use super::written::convert;
use std::path::{Path, PathBuf};

fn format() -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../pst-core/src/endpoint/json/FORMAT.md").display().to_string()
}

/// What Python reads in files of JSON lines, in the order given.
fn read(files: &[PathBuf]) -> Option<Vec<oracle::Listing>> {
    let mut lines = vec![format()];
    lines.extend(files.iter().map(|f| f.display().to_string()));
    let answers = ask("lines.py", &["jsonschema"], &lines)?;
    assert_eq!(answers.len(), files.len());
    Some(answers.iter().map(|a| oracle::listing(a["folders"].to_string().as_bytes())).collect())
}

#[test]
fn stores_of_the_corpus() {
    let scratch = tempfile::tempdir().unwrap();
    let (mut files, mut stores) = (Vec::new(), Vec::new());
    for (store, name) in genuine() {
        let file = scratch.path().join(format!("{name}.jsonl"));
        convert(&[&store], &file);
        files.push(file);
        stores.push((store, name));
    }
    if files.is_empty() {
        return;
    }
    let Some(listings) = read(&files) else { return };
    let mut compared = 0;
    for ((store, name), listing) in stores.iter().zip(listings) {
        assert!(listing == oracle::ours(store), "{}", store.display());
        if !is_exception("libpff", name)
            && let Some(theirs) = oracle::libpff(store)
        {
            let differences = compare("libpff", name, &theirs.unwrap(), &listing);
            assert!(differences.is_empty(), "{}", differences.join("\n"));
            compared += 1;
        }
    }
    eprintln!("{} stores, {compared} compared with libpff", stores.len());
}

#[test]
fn mail_of_all_kinds() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/mail");
    let mut sources = vec![fixtures.display().to_string()];
    // A Maildir is among the files of others.
    sources.extend(corpus("eml").map(|c| format!("eml:{}", c.display())));
    let more = ["msg", "mbox/jstedfast__MimeKit/UnitTests/TestData/mbox/content-length.mbox.txt"];
    sources.extend(more.into_iter().filter_map(corpus).map(|c| c.display().to_string()));
    let scratch = tempfile::tempdir().unwrap();
    let mut files = Vec::new();
    for (i, source) in sources.iter().enumerate() {
        let file = scratch.path().join(format!("{i}.jsonl"));
        convert(&[Path::new(source)], &file);
        files.push(file);
    }
    let Some(listings) = read(&files) else { return };
    let messages: usize = listings.iter().flatten().map(|f| f.messages.len()).sum();
    eprintln!("{messages} messages");
    assert!(messages > 40);
}
