//! Folders on disk as sources and targets: what is taken, what is replaced, what is left alone.

use super::command::{at, code, fixtures, names, pst, stderr, tree};
use std::fs;
use std::path::Path;
use std::process::Command;

#[test]
fn overwrite_takes_nothing_that_is_of_others() {
    let dir = tempfile::tempdir().unwrap();
    for kind in ["eml", "msg", "mbox", "maildir", "html", "attachments", "ics", "vcf"] {
        let path = at(&dir, kind);
        fs::create_dir(&path).unwrap();
        fs::write(Path::new(&path).join("thesis.txt"), b"precious").unwrap();
        let out = pst(&["convert", "--overwrite", &fixtures("mail"), &format!("{kind}:{path}")]);
        assert_eq!(code(&out), 2, "{kind}: {}", stderr(&out));
        assert!(stderr(&out).contains("thesis.txt"), "{}", stderr(&out));
        assert_eq!(names(Path::new(&path)), ["thesis.txt"]);
        fs::remove_file(Path::new(&path).join("thesis.txt")).unwrap();
        for _ in 0..2 {
            let out = pst(&["convert", "--overwrite", &fixtures("mail"), &format!("{kind}:{path}")]);
            assert_eq!(code(&out), 0, "what an earlier run wrote is replaced: {}", stderr(&out));
        }
    }
    let docs = at(&dir, "docs");
    fs::create_dir(&docs).unwrap();
    let source = at(&dir, "docs/a.eml");
    fs::write(&source, b"Subject: x\n\n").unwrap();
    let out = pst(&["convert", "--overwrite", &source, &format!("eml:{docs}")]);
    assert_eq!(code(&out), 2);
    assert!(stderr(&out).contains("a source lies in this target"), "{}", stderr(&out));
    assert!(Path::new(&source).exists());
}

#[test]
fn every_kind_of_mail_in_a_tree_is_taken_and_the_rest_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let mail = |n: u8| format!("From: a@b.c\nSubject: {n}\nMessage-ID: <{n}@x>\n\nbody\n");
    let mbox = |n: u8| format!("From - Sat Jan  3 01:05:34 1996\n{}\n", mail(n));
    let files = [
        ("t/Inbox", mbox(1)),
        ("t/Inbox.msf", "index".to_owned()),
        ("t/Inbox.sbd/index.html", mbox(2)),
        ("t/Inbox.sbd/saved.eml", mail(3)),
        ("t/Maildir/cur/1.x:2,S", mail(4)),
        ("t/Maildir/new/2.x", mail(5)),
        ("t/Maildir/dovecot.index", "index".to_owned()),
        ("t/text.msg", mail(8)),
        ("t/wide.eml", String::new()),
        ("t/notes.txt", "no mail".to_owned()),
        ("t/event.ics", "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART:20240101T100000Z\r\nSUMMARY:7\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n".to_owned()),
    ];
    for (name, text) in &files {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let wide: Vec<u8> = "\u{feff}".encode_utf16().chain(mail(6).encode_utf16()).flat_map(u16::to_le_bytes).collect();
    fs::write(dir.path().join("t/wide.eml"), wide).unwrap();
    let target = at(&dir, "a.pst");
    let out = pst(&["convert", "--json", &at(&dir, "t"), &target]);
    let report: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!((code(&out), report["written"].as_u64()), (0, Some(8)), "{report}");
    assert_eq!(report["files_not_taken"], 2, "{report}");
    let said = report["not_taken"].to_string();
    assert!(said.contains("Inbox.msf") && said.contains("notes.txt"), "{report}");
    let listed = String::from_utf8(pst(&["ls", &target, "Inbox/index.html"]).stdout).unwrap();
    assert!(listed.lines().count() == 1 && listed.contains('2'), "{listed}");
    // Names that would be read as something else go out and come back.
    let again = at(&dir, "again.pst");
    assert_eq!(code(&pst(&["convert", &target, &format!("mbox:{}", at(&dir, "mbox")), "--no-associated"])), 0);
    assert_eq!(code(&pst(&["convert", &at(&dir, "mbox"), &again])), 0);
    let listed = String::from_utf8(pst(&["ls", &again, "Inbox/index.html"]).stdout).unwrap();
    assert_eq!(listed.lines().count(), 1, "{listed}");
}

#[cfg(unix)]
#[test]
fn an_empty_folder_takes_the_target_even_if_it_cannot_be_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let here = at(&dir, "here");
    fs::create_dir(&here).unwrap();
    let run = |args: &[&str]| Command::new(env!("CARGO_BIN_EXE_pst")).current_dir(&here).args(args).output().unwrap();
    let out = run(&["convert", &fixtures("mail"), "eml:."]);
    assert_eq!(code(&out), 0, "{}", stderr(&out));
    assert!(tree(Path::new(&here)).len() > 10 && names(Path::new(&here)).iter().all(|n| !n.starts_with('.')));
    let before = tree(dir.path());
    let out = run(&["convert", "--overwrite", &fixtures("mail"), "eml:."]);
    assert_eq!(code(&out), 2, "{}", stderr(&out));
    assert!(before == tree(dir.path()));
    let (real, link) = (at(&dir, "real"), at(&dir, "link"));
    fs::create_dir(&real).unwrap();
    std::os::unix::fs::symlink(&real, &link).unwrap();
    assert_eq!(code(&pst(&["convert", &fixtures("mail"), &format!("maildir:{link}")])), 0);
    assert!(Path::new(&real).join("cur").is_dir() && fs::symlink_metadata(&link).unwrap().is_symlink());
}

#[cfg(unix)]
#[test]
fn links_that_are_not_followed_are_named() {
    let dir = tempfile::tempdir().unwrap();
    for folder in ["t", "away"] {
        fs::create_dir(dir.path().join(folder)).unwrap();
    }
    fs::write(at(&dir, "t/a.eml"), b"Subject: x\n\n").unwrap();
    fs::write(at(&dir, "away/b.eml"), b"Subject: y\n\n").unwrap();
    fs::write(at(&dir, "away/box"), b"From a@b Sat Jan  3 01:05:34 1996\nSubject: z\n\n").unwrap();
    std::os::unix::fs::symlink(at(&dir, "away"), at(&dir, "t/folder")).unwrap();
    std::os::unix::fs::symlink(at(&dir, "away/box"), at(&dir, "t/box")).unwrap();
    let out = pst(&["convert", "--json", &at(&dir, "t"), &at(&dir, "a.pst")]);
    let report: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!((&report["written"], &report["files_not_taken"]), (&1.into(), &2.into()), "{report}");
}

#[cfg(unix)]
#[test]
fn a_pipe_among_the_files_is_one_failed_item() {
    let dir = tempfile::tempdir().unwrap();
    let tree = at(&dir, "tree");
    fs::create_dir(&tree).unwrap();
    fs::write(at(&dir, "tree/a.eml"), b"Subject: x\n\n").unwrap();
    assert!(Command::new("mkfifo").arg(at(&dir, "tree/b.eml")).status().unwrap().success());
    let out = pst(&["convert", &tree, &at(&dir, "a.pst")]);
    assert_eq!(code(&out), 1, "{}", stderr(&out));
    assert!(stderr(&out).contains("this is a pipe"), "{}", stderr(&out));
    assert_eq!(code(&pst(&["convert", &at(&dir, "tree/b.eml"), &at(&dir, "b.pst")])), 2);
}

#[test]
fn duplicates_with_other_attachments_are_none() {
    let dir = tempfile::tempdir().unwrap();
    let tree = at(&dir, "tree");
    fs::create_dir(&tree).unwrap();
    for n in 0..3u8 {
        let data = vec![b'A' + n; 3 << 20];
        let mail = [
            b"Message-ID: <1@x>\nSubject: x\nMIME-Version: 1.0\nContent-Type: application/octet-stream; name=a.bin\n\n",
            data.as_slice(),
        ];
        fs::write(at(&dir, &format!("tree/{n}.eml")), mail.concat()).unwrap();
    }
    let all = at(&dir, "all.pst");
    assert_eq!(code(&pst(&["convert", &tree, &all])), 0);
    for source in [&tree, &all] {
        let out = pst(&["convert", "--duplicates", "skip", "--dry-run", "--json", source, &at(&dir, "no.pst")]);
        let report: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
        assert_eq!(report["written"], 3, "{report}");
    }
}

#[test]
fn the_folder_of_a_target_must_exist() {
    let dir = tempfile::tempdir().unwrap();
    for kind in ["pst", "eml", "mbox", "maildir", "msg", "json", "attachments"] {
        let out = pst(&["convert", &fixtures("mbox/quoted.mbox"), &format!("{kind}:{}", at(&dir, "none/target"))]);
        assert_eq!(code(&out), 2, "{kind}");
        assert_eq!(stderr(&out), format!("pst: {}: this folder does not exist; make it first\n", at(&dir, "none")));
    }
    assert!(names(dir.path()).is_empty());
}

#[test]
fn a_pattern_that_no_folder_matches_ends_the_run() {
    let dir = tempfile::tempdir().unwrap();
    let (store, target) = (at(&dir, "a.pst"), at(&dir, "b.pst"));
    let tree = at(&dir, "t");
    fs::create_dir_all(Path::new(&tree).join("Inbox/Proj/Old")).unwrap();
    for place in ["Inbox/1.eml", "Inbox/Proj/2.eml", "Inbox/Proj/Old/3.eml"] {
        fs::write(Path::new(&tree).join(place), b"Subject: x\n\n").unwrap();
    }
    assert_eq!(code(&pst(&["convert", &tree, &store])), 0);
    let out = pst(&["convert", "--include", "Nope", &store, &target]);
    assert_eq!(code(&out), 2, "{}", stderr(&out));
    assert!(stderr(&out).contains("--include Nope") && !Path::new(&target).exists());
    // Patterns are read from the folder that is taken as the top, too.
    let out = pst(&["convert", "--json", "--source-root", "Inbox", "--include", "Proj/*", &store, &target]);
    let report: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(report["written"], 2, "{report}");
}

#[test]
fn a_folder_that_moves_plays_the_role_of_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let (store, tree) = (at(&dir, "a.pst"), at(&dir, "t"));
    fs::create_dir(&tree).unwrap();
    fs::write(Path::new(&tree).join("1.eml"), b"Subject: x\n\n").unwrap();
    for (root, shown) in [("Deleted Items", "/Deleted Items"), ("#Inbox#/Old", "/Inbox/Old")] {
        let out = pst(&["convert", "--overwrite", "--target-root", root, &tree, &store]);
        assert_eq!(code(&out), 0, "{}", stderr(&out));
        let listed = String::from_utf8(pst(&["ls", &store]).stdout).unwrap();
        let here: Vec<&str> = listed.lines().filter(|l| l.trim_end().ends_with(shown)).collect();
        assert_eq!(here.len(), 1, "{listed}");
        assert_eq!(here[0].split_whitespace().nth(1), Some("1"), "{listed}");
    }
}

#[test]
fn a_copy_invents_no_date() {
    let dir = tempfile::tempdir().unwrap();
    let (mail, first, second) = (at(&dir, "a.eml"), at(&dir, "a.pst"), at(&dir, "b.pst"));
    fs::write(&mail, b"Subject: no date\n\n").unwrap();
    assert_eq!(code(&pst(&["convert", &mail, &first])), 0);
    assert_eq!(code(&pst(&["convert", &first, &second])), 0);
    let out = at(&dir, "out");
    assert_eq!(code(&pst(&["convert", &second, &format!("eml:{out}")])), 0);
    let (_, bytes) = tree(Path::new(&out)).pop().unwrap();
    assert!(!String::from_utf8(bytes).unwrap().contains("\nDate:"));
}
