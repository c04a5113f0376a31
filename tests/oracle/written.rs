//! Every mail source becomes a PST that `pst check` finds clean and that all readers read completely and alike.

use super::oracle::{self, Entry, Leaf, Listing, SourceMail};
use super::support::{corpus, files};
use std::path::{Path, PathBuf};
use std::process::Command;

pub const PST: &str = env!("CARGO_BIN_EXE_pst");

/// What libpst (readpst) gets wrong in any PST, by what it concerns.
const LIBPST: &str =
    "readpst decodes subjects by its own rules and leaves parts of no length out: only numbers compare";

fn fixtures(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures").join(name)
}

/// Converts and demands a complete run; gives back the summary.
pub fn convert(sources: &[&Path], target: &Path) -> serde_json::Value {
    let out = Command::new(PST).arg("convert").arg("--json").args(sources).arg(target).output().unwrap();
    let name = sources[0].display();
    assert!(out.status.success(), "{name}: {}\n{}", out.status, String::from_utf8_lossy(&out.stderr));
    let report: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(report["failed"], 0, "{name}: {report}");
    // Forms that cannot hide what is hidden leave it out.
    let hidden = report["skipped"]["folder-associated"].as_u64().unwrap_or(0);
    let written = report["written"].as_u64().unwrap();
    assert_eq!(report["read"], written + hidden, "{name}: {report}");
    report
}

pub fn clean(pst: &Path) {
    let out = Command::new(PST).arg("check").arg(pst).output().unwrap();
    assert!(out.status.success(), "{}: {}", pst.display(), String::from_utf8_lossy(&out.stdout));
}

pub fn total(listing: &Listing) -> usize {
    listing.iter().map(|f| f.messages.len()).sum()
}

/// Converts a source and compares what everyone reads in the PST; gives back what we read.
fn prove(source: &Path) -> Listing {
    let scratch = tempfile::tempdir().unwrap();
    let pst = scratch.path().join("proof.pst");
    let report = convert(&[source], &pst);
    clean(&pst);
    let ours = oracle::ours(&pst);
    let name = source.display();
    assert_eq!(report["written"], total(&ours), "{name}: items written and read again");
    if let Some(theirs) = oracle::libpff(&pst) {
        same(&format!("{name}: libpff"), &theirs.unwrap(), &ours);
    }
    same(
        &format!("{name}: outlook-pst"),
        &oracle::outlook_pst(&pst).unwrap_or_else(|e| panic!("{name}: outlook-pst: {e}")),
        &ours,
    );
    if let Some(count) = oracle::pffexport(&pst) {
        assert_eq!(count.unwrap(), total(&ours), "{name}: pffexport");
    }
    if let Some(count) = oracle::lspst(&pst) {
        assert_eq!(count.unwrap(), total(&ours), "{name}: lspst");
    }
    if let Some(theirs) = oracle::libpst(&pst) {
        libpst(&name.to_string(), &theirs.unwrap(), &ours);
    }
    ours
}

pub fn same(what: &str, theirs: &Listing, ours: &Listing) {
    let paths = |l: &Listing| l.iter().map(|f| f.path.clone()).collect::<Vec<_>>();
    assert_eq!(paths(theirs), paths(ours), "{what}: folders");
    for (a, b) in theirs.iter().zip(ours) {
        assert_eq!(a.messages.len(), b.messages.len(), "{what}: messages in {:?}", a.path);
        for (i, (a, b)) in a.messages.iter().zip(&b.messages).enumerate() {
            assert_eq!(a, b, "{what}: message {i}");
        }
    }
}

/// readpst writes into folders of its own naming: what is compared is the messages of all folders together.
fn libpst(name: &str, theirs: &Listing, ours: &Listing) {
    assert_eq!(total(theirs), total(ours), "{name}: readpst ({LIBPST})");
    let nothing = oracle::sha(b"");
    let files = |l: &Listing, of: &dyn Fn(&str) -> bool| -> Vec<String> {
        let all = l.iter().flat_map(|f| &f.messages).flat_map(|m| &m.attachments);
        let mut all: Vec<String> = all.filter(|a| of(a)).cloned().collect();
        all.sort();
        all
    };
    let file = |a: &str| a != "embedded" && a != "report" && a != nothing;
    let mut left = files(ours, &file);
    for found in files(theirs, &file) {
        let at = left.iter().position(|a| *a == found);
        left.swap_remove(at.unwrap_or_else(|| panic!("{name}: readpst has a file {found} that we have not")));
    }
    // Python takes messages and reports apart, whether they were files in the PST or embedded messages.
    let opened = files(theirs, &|a| a == "report" || a == "embedded").len() - files(ours, &|a| a == "embedded").len();
    assert_eq!(left.len(), opened, "{name}: files that readpst does not have: {left:?}");
}

/// Demands that a message of the PST holds all of a message of the source.
fn holds(name: &str, source: &SourceMail, entry: &Entry) {
    if let Some(subject) = &source.subject {
        let found = entry.subject.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(&found, subject, "{name}: subject");
    }
    let beside: Vec<&Leaf> = source
        .leaves
        .iter()
        .filter(|l| !["text/", "message/", "multipart/"].iter().any(|k| l.kind.starts_with(k)))
        .collect();
    if entry.attachments.iter().any(|a| a == "embedded") {
        return; // What is inside the embedded message is not listed here.
    }
    for leaf in beside {
        assert!(entry.attachments.contains(&leaf.sha), "{name}: a {} part is not among the attachments", leaf.kind);
    }
}

#[test]
fn fixtures_as_eml() {
    let ours = prove(&fixtures("mail"));
    let top = fixtures("mail");
    let mut compared = 0;
    for folder in ["Drafts", "Inbox", "Languages", "Oddities", "Sent", "Shapes"] {
        let sources = files(&top.join(folder), &[".eml"]);
        let found = ours.iter().find(|f| f.path == [folder]).unwrap_or_else(|| panic!("no folder {folder}"));
        assert_eq!(found.messages.len(), sources.len(), "{folder}");
        let Some(parsed) = oracle::source_mail(&sources, None) else { return };
        for ((path, source), entry) in sources.iter().zip(&parsed).zip(&found.messages) {
            let name = path.display().to_string();
            // Signed mail is one attachment: the whole, as it is.
            if !name.contains("signed") && !SUBJECTS.iter().any(|(n, _)| name.contains(n)) {
                holds(&name, source, entry);
                compared += 1;
            }
        }
    }
    assert!(compared >= 40, "{compared}");
}

/// Fixtures whose subject Python reads otherwise.
const SUBJECTS: &[(&str, &str)] = &[
    ("headers-utf-8", "Python takes raw UTF-8 in a header for an unknown charset"),
    ("eight-bit-headers", "Python takes raw windows-1252 in a header for an unknown charset"),
];

#[test]
fn fixtures_as_mbox() {
    let ours = prove(&fixtures("mbox"));
    let count = |path: &[&str]| {
        let found = ours.iter().find(|f| f.path == path).unwrap_or_else(|| panic!("no folder {path:?}"));
        found.messages.len()
    };
    assert_eq!(count(&["quoted"]), 3);
    assert_eq!(count(&["crlf"]), 2);
    assert_eq!(count(&["thunderbird", "Inbox", "Projects"]), 1);
    assert_eq!(count(&["thunderbird", "Inbox", "Projects", "Analytical Engine"]), 1);
    assert_eq!(count(&["thunderbird", "Sent"]), 1);
    assert_eq!(count(&["thunderbird", "Entwürfe"]), 0);
    for file in ["quoted.mbox", "crlf.mbox"] {
        let Some(parsed) = oracle::source_mail(&[], Some(&fixtures("mbox").join(file))) else { return };
        let folder = file.trim_end_matches(".mbox");
        let found = ours.iter().find(|f| f.path == [folder]).unwrap();
        for (source, entry) in parsed.iter().zip(&found.messages) {
            holds(file, source, entry);
        }
    }
}

#[test]
fn fixtures_as_maildir() {
    let ours = prove(&fixtures("maildir"));
    assert_eq!(total(&ours), 9);
    assert!(ours.iter().any(|f| f.path == ["Entwürfe", "台北"] && f.messages.len() == 1));
}

/// Trees of messages and mboxes, with the number of messages in them: of .eml files, or where the files have other
/// names, of those that begin with a header; for mboxes, of separators as Python's reading finds them.
const CORPUS: &[(&str, &str, usize)] = &[
    ("eml", "Webklex__php-imap", 60),
    ("eml", "apache__james-mime4j", 161),
    ("eml", "ddeboer__imap", 42),
    ("eml", "jhillyerd__enmime", 58),
    ("eml", "mikel__mail", 103),
    ("eml", "stalwartlabs__mail-parser", 107),
    ("mbox", "dovecot__imaptest", 191),
    // 29 of them in content-length.mbox.txt, as the list of offsets beside it has them, though empty lines are missing.
    ("mbox", "jstedfast__MimeKit", 223),
    ("mbox", "linux-usb-2000.mbox", 2000),
];

/// All are tried before the first that fails is told.
#[test]
fn the_corpus_of_mail() {
    let mut failed = Vec::new();
    for (kind, name, expected) in CORPUS {
        let Some(path) = corpus(&format!("{kind}/{name}")) else { return };
        let source = PathBuf::from(format!("{kind}:{}", path.display()));
        match std::panic::catch_unwind(|| total(&prove(&source))) {
            Ok(n) if n == *expected => {}
            Ok(n) => failed.push(format!("{name}: {n} messages, not {expected}")),
            Err(_) => failed.push((*name).to_owned()),
        }
    }
    assert!(failed.is_empty(), "{failed:?}");
}

/// The messages of each mbox are those that Python's reading finds, in the same order.
#[test]
fn mboxes_are_split_as_python_splits_them() {
    for name in ["mbox/linux-usb-2000.mbox", "mbox/dovecot__imaptest/src/tests"] {
        let Some(path) = corpus(name) else { return };
        let all = if path.is_dir() { files(&path, &[".mbox"]) } else { vec![path] };
        for mbox in all {
            let Some(parsed) = oracle::source_mail(&[], Some(&mbox)) else { return };
            let scratch = tempfile::tempdir().unwrap();
            let pst = scratch.path().join("split.pst");
            convert(&[&mbox], &pst);
            let found: Vec<Entry> = oracle::ours(&pst).into_iter().flat_map(|f| f.messages).collect();
            assert_eq!(found.len(), parsed.len(), "{}", mbox.display());
            for (source, entry) in
                parsed.iter().zip(&found).filter(|(s, _)| s.subject.as_ref().is_some_and(|t| t.is_ascii()))
            {
                holds(&mbox.display().to_string(), source, entry);
            }
        }
    }
}
