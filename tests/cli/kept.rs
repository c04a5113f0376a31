//! `--keep-mime`, `--no-receipts` and `--no-bcc`.

use super::command::{at, code, fixtures, pst, stderr, tree};
use super::support::corpus;
use std::fs;
use std::path::Path;

/// What each file holds, without regard to names.
fn contents(top: &Path) -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = tree(top).into_iter().map(|(_, bytes)| bytes).collect();
    all.sort();
    all
}

/// Takes a folder of eml files into a PST and out again.
fn there_and_back(source: &Path) {
    let dir = tempfile::tempdir().unwrap();
    let (store, out) = (at(&dir, "a.pst"), at(&dir, "out"));
    let made = pst(&["convert", &format!("eml:{}", source.display()), &store, "--keep-mime"]);
    assert_eq!(code(&made), 0, "{}", stderr(&made));
    assert_eq!(code(&pst(&["check", &store])), 0);
    assert_eq!(code(&pst(&["convert", &store, &format!("eml:{out}"), "--keep-mime"])), 0);
    let (before, after) = (contents(source), contents(Path::new(&out)));
    assert!(before == after, "{}: {} files in, {} out", source.display(), before.len(), after.len());
}

#[test]
fn mail_comes_back_byte_for_byte() {
    there_and_back(Path::new(&fixtures("mail")));
    if let Some(folder) = corpus("eml/stalwartlabs__mail-parser/resources/eml") {
        // The folder also holds what other programs made of its messages.
        let dir = tempfile::tempdir().unwrap();
        let mut n = 0;
        for (path, bytes) in tree(&folder) {
            if path.extension().is_some_and(|e| e == "eml") && !bytes.is_empty() {
                fs::write(dir.path().join(format!("{n}.eml")), bytes).unwrap();
                n += 1;
            }
        }
        assert!(n > 100);
        there_and_back(dir.path());
    }
}

#[test]
fn a_large_message_comes_back_byte_for_byte() {
    let dir = tempfile::tempdir().unwrap();
    let mut mail = b"Subject: big\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nhello\n--b\nContent-Type: application/x; name=a.bin\nContent-Transfer-Encoding: base64\n\n".to_vec();
    for i in 0..400_000u32 {
        mail.extend_from_slice(format!("{:064}\n", u64::from(i).wrapping_mul(0x9E37_79B9_7F4A_7C15)).as_bytes());
    }
    mail.extend_from_slice(b"--b--\nepilogue");
    fs::create_dir(dir.path().join("in")).unwrap();
    fs::write(dir.path().join("in/a.eml"), mail).unwrap();
    there_and_back(&dir.path().join("in"));
}

#[test]
fn one_source_is_printed() {
    let dir = tempfile::tempdir().unwrap();
    let (source, store) = (at(&dir, "a.eml"), at(&dir, "a.pst"));
    let text = "Subject: x\nX: =?nope?=  \n\nbody without an end";
    fs::write(&source, text).unwrap();
    assert_eq!(code(&pst(&["convert", &source, &store, "--keep-mime"])), 0);
    let listed = pst(&["ls", "--json", &store, "/"]);
    let listed = String::from_utf8(listed.stdout).unwrap();
    let item: serde_json::Value = serde_json::from_str(listed.lines().next().unwrap()).unwrap();
    let id = item["id"].as_str().unwrap();
    assert_eq!(pst(&["cat", &store, id, "--source"]).stdout, text.as_bytes());
    assert_eq!(code(&pst(&["convert", &source, "--overwrite", &store])), 0);
    let out = pst(&["cat", &store, id, "--source"]);
    assert_eq!((code(&out), out.stdout.len()), (2, 0));
    assert!(stderr(&out).contains("--keep-mime"));
}

#[test]
fn receipts_and_bcc_are_withheld() {
    let dir = tempfile::tempdir().unwrap();
    let (source, store) = (at(&dir, "a.eml"), at(&dir, "a.pst"));
    fs::write(
        &source,
        "From: a@x.org\nTo: b@x.org\nBcc: hidden@x.org\nDisposition-Notification-To: a@x.org\nReturn-Receipt-To: a@x.org\n\nx",
    )
    .unwrap();
    let props = |store: &str| {
        let listed = String::from_utf8(pst(&["ls", "--json", store, "/"]).stdout).unwrap();
        let item: serde_json::Value = serde_json::from_str(listed.lines().next().unwrap()).unwrap();
        String::from_utf8(pst(&["cat", "--props", store, item["id"].as_str().unwrap()]).stdout).unwrap()
    };
    assert_eq!(code(&pst(&["convert", &source, &store])), 0);
    let asked = ["0x0029000B", "0x0C06000B", "0x0023000B"];
    assert!(asked.iter().all(|tag| props(&store).contains(tag)), "{}", props(&store));
    // From mail, and from a store that has them already.
    for from in [&source, &store] {
        let copy = at(&dir, "copy.pst");
        assert_eq!(code(&pst(&["convert", from, &copy, "--no-receipts", "--overwrite"])), 0);
        assert!(!asked.iter().any(|tag| props(&copy).contains(tag)));
        assert!(props(&copy).contains("Disposition-Notification-To: a@x.org"), "the header has it");
    }
    for (options, there) in [(vec![], true), (vec!["--no-bcc"], false)] {
        let out = at(&dir, "out");
        let target = format!("eml:{out}");
        let made = pst(&[vec!["convert", &store, &target, "--overwrite"], options].concat());
        assert_eq!(code(&made), 0, "{}", stderr(&made));
        let text = String::from_utf8(contents(Path::new(&out)).remove(0)).unwrap();
        assert_eq!(text.contains("hidden@x.org"), there, "{text}");
    }
}
