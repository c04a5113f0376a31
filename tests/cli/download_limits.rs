//! Downloads at their limits: stopped at any moment, a disk that is full, many messages.

use crate::command::{at, code, stderr};
use crate::dovecot::{Dovecot, Mail};
use crate::download::{fill, imaps, is_sound, kept, pst, same};
use crate::support::Seeded;
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Ctrl-C while folders are listed once left the run waiting for connections that had ended.
#[test]
fn a_stop_ends_the_run_at_any_moment() {
    let Some(server) = Dovecot::start() else { return };
    let dir = tempfile::tempdir().unwrap();
    let (account, target) = (imaps(&server, "bob"), at(&dir, "bob.pst"));
    let sent = fill(&server, "bob", 150, 0);
    let mut random = Seeded(7);
    for _ in 0..40 {
        let mut run = pst(&server, &["download", "--keep-mime", &account, &target]);
        let mut child = run.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(random.below(250)));
        let interrupt = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
        assert!(interrupt.success());
        let asked = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            if asked.elapsed() > Duration::from_secs(60) {
                child.kill().unwrap();
                panic!("the run hangs");
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        // Before the handler is there, the signal itself ends the run.
        assert!(matches!(status.code(), Some(0 | 130) | None), "{status}");
    }
    let out = pst(&server, &["download", "--keep-mime", &account, &target]).output().unwrap();
    assert_eq!(code(&out), 0, "{}", stderr(&out));
    assert_eq!(same(&kept(&target), &sent), Ok(()));
    is_sound(&target);
}

/// A limit of the size of files stands in for a full disk: writes fail, and later there is room.
#[test]
fn a_full_disk_costs_nothing_that_was_there() {
    let Some(server) = Dovecot::start() else { return };
    let dir = tempfile::tempdir().unwrap();
    let (account, target) = (imaps(&server, "carol"), at(&dir, "carol.pst"));
    let sent = fill(&server, "carol", 200, 1);
    let whole = pst(&server, &["download", "--keep-mime", &account, &target]);
    let line: Vec<String> = whole.get_args().map(|a| a.to_string_lossy().into_owned()).collect();
    let mut limited = Command::new("sh");
    limited.args(["-c", "trap '' XFSZ; ulimit -f 4000; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_pst")]).args(&line);
    limited.env("PST_PASSWORD", crate::dovecot::PASSWORD).env("HOME", "/nonexistent");
    let out = limited.output().unwrap();
    let said = stderr(&out);
    assert!(code(&out) == 2 && said.lines().last().unwrap().contains("carol.pst"), "{said}");
    is_sound_or_behind(&target);
    let mut whole = whole;
    let out = whole.output().unwrap();
    assert_eq!(code(&out), 0, "{}", stderr(&out));
    assert_eq!(same(&kept(&target), &sent), Ok(()));
    is_sound(&target);
}

/// A run that broke off leaves at most what the next one mends (V05: maps that lag behind, V02: a longer file).
pub fn is_sound_or_behind(pst: &str) {
    let out = crate::command::pst(&["check", "--json", pst]);
    let report: Json = serde_json::from_slice(&out.stdout).unwrap();
    for finding in report["findings"].as_array().unwrap() {
        assert!(["V05", "V02"].contains(&finding["rule"].as_str().unwrap()), "{finding}");
    }
}

#[test]
#[ignore = "20,000 messages, 745 MB; a minute or more"]
fn twenty_thousand_messages_byte_for_byte() {
    let Some(server) = Dovecot::start() else { return };
    let dir = tempfile::tempdir().unwrap();
    let (account, target) = (imaps(&server, "alice"), at(&dir, "alice.pst"));
    let sent = fill(&server, "alice", 20_000, 150);
    let out = pst(&server, &["download", "--keep-mime", "--json", &account, &target]).output().unwrap();
    assert_eq!(code(&out), 0, "{}", stderr(&out));
    assert_eq!(same(&kept(&target), &sent), Ok(()));
    is_sound(&target);
}

#[test]
#[ignore = "100,000 messages in one folder; a minute or more"]
fn a_hundred_thousand_messages_in_one_folder() {
    let Some(server) = Dovecot::start() else { return };
    let dir = tempfile::tempdir().unwrap();
    let (account, target) = (imaps(&server, "dave"), at(&dir, "dave.pst"));
    let mut sent = Vec::new();
    for n in 0..100_000u64 {
        let bytes = format!("Message-ID: <{n}@example.org>\r\nSubject: {n}\r\n\r\nsmall {n}\r\n").into_bytes();
        server.deliver("dave", "INBOX", &Mail { bytes: &bytes, flags: "S", keywords: &[], date: 1_600_000_000 + n });
        sent.push(bytes);
    }
    sent.sort();
    let out = pst(&server, &["download", "--keep-mime", "--json", &account, &target]).output().unwrap();
    assert_eq!(code(&out), 0, "{}", stderr(&out));
    assert_eq!(same(&kept(&target), &BTreeMap::from([("inbox".to_owned(), sent)])), Ok(()));
    is_sound(&target);
}
