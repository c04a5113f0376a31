//! What a server no longer has, after a download: it stays, and `--mirror` moves it to Deleted Items.

use crate::command::at;
use crate::dovecot::{Dovecot, Mail};
use crate::download::{fetch, imaps, is_sound, kept, numbers};
use serde_json::Value as Json;
use std::fs;
use std::path::PathBuf;

/// Puts messages into a folder; returns their files.
fn deliver(server: &Dovecot, folder: &str, from: u64, count: u64) -> Vec<PathBuf> {
    let one = |n: u64| {
        let bytes = format!("Message-ID: <{folder}.{n}@example.org>\r\nSubject: {n}\r\n\r\n{n}\r\n").into_bytes();
        server.deliver("alice", folder, &Mail { bytes: &bytes, flags: "S", keywords: &[], date: 1_600_000_000 + n })
    };
    (from..from + count).map(one).collect()
}

/// Written, there before, moved to Deleted Items, staying though gone.
fn fates(report: &Json) -> [u64; 4] {
    let [_, written, there, _, gone] = numbers(report);
    [written, there, gone, report["stay"].as_u64().unwrap()]
}

#[test]
fn folders_and_messages_that_are_gone_stay_or_are_mirrored() {
    let Some(server) = Dovecot::start() else { return };
    let dir = tempfile::tempdir().unwrap();
    let (account, target) = (imaps(&server, "alice"), at(&dir, "alice.pst"));
    let inbox = deliver(&server, "INBOX", 0, 8);
    deliver(&server, "Projects", 0, 5);
    deliver(&server, "Projects/Old", 0, 3);
    let run = |more: &[&str]| fates(&fetch(&server, &[more, &["--keep-mime", &account, &target]].concat()));
    assert_eq!(run(&[]), [16, 0, 0, 0]);
    fs::remove_file(&inbox[2]).unwrap();
    fs::remove_dir_all(server.maildir("alice", "Projects/Old")).unwrap();
    // Said each time, until it is no longer so.
    assert_eq!(run(&[]), [0, 12, 0, 4]);
    assert_eq!(run(&[]), [0, 12, 0, 4]);
    assert_eq!(run(&["--exclude", "Projects/*"]), [0, 7, 0, 1]);
    let shown = kept(&target);
    assert_eq!((shown["inbox"].len(), shown["projects/old"].len()), (8, 3));
    deliver(&server, "News", 0, 1);
    fs::remove_dir_all(server.maildir("alice", "Projects")).unwrap();
    assert_eq!(run(&["--mirror", "--exclude", "Projects/Old"]), [1, 7, 6, 0]);
    assert_eq!(run(&["--mirror"]), [0, 8, 3, 0]);
    assert_eq!(run(&["--mirror"]), [0, 8, 0, 0]);
    let shown = kept(&target);
    let count = |folder: &str| shown.get(folder).map_or(0, Vec::len);
    assert_eq!(["inbox", "projects", "projects/old", "news", "trash"].map(count), [7, 0, 0, 1, 9]);
    is_sound(&target);
    // A folder that comes again is a new one, and what it holds is new to it.
    deliver(&server, "Projects/Old", 0, 3);
    assert_eq!(run(&["--mirror"])[0], 3);
    assert_eq!(kept(&target)["projects/old"].len(), 3);
}

#[test]
fn what_went_together_with_the_numbers_is_mirrored() {
    let Some(server) = Dovecot::start() else { return };
    let dir = tempfile::tempdir().unwrap();
    let (account, target) = (imaps(&server, "alice"), at(&dir, "alice.pst"));
    let inbox = deliver(&server, "INBOX", 0, 8);
    let run = |more: &[&str]| fates(&fetch(&server, &[more, &["--keep-mime", &account, &target]].concat()));
    assert_eq!(run(&[]), [8, 0, 0, 0]);
    // Validities of this server are seconds.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    for file in fs::read_dir(server.maildir("alice", "INBOX")).unwrap().flatten() {
        if file.file_name().to_string_lossy().starts_with("dovecot") {
            let _ = fs::remove_file(file.path());
        }
    }
    fs::remove_file(&inbox[2]).unwrap();
    deliver(&server, "INBOX", 8, 1);
    assert_eq!(run(&["--mirror"]), [1, 0, 1, 0]);
    assert_eq!(run(&["--mirror"]), [0, 8, 0, 0]);
    let shown = kept(&target);
    assert_eq!((shown["inbox"].len(), shown["trash"].len()), (8, 1));
    is_sound(&target);
}
