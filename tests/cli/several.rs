//! Accounts beside files and beside one another, what a run does at its end, and the messages of an account's folder.

use crate::command::{at, code, stderr};
use crate::dovecot::{Dovecot, Mail, PASSWORD};
use crate::download::{fetch, fill, imaps, numbers, pops, pst};
use serde_json::Value as Json;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output, Stdio};

fn says(out: &Output, status: i32, words: &str) {
    let said = stderr(out);
    assert!(code(out) == status && said.contains(words), "{words}: {} {said}", code(out));
    assert!(!said.contains(PASSWORD), "{said}");
}

fn on_server(server: &Dovecot, user: &str) -> usize {
    let inbox = server.maildir(user, "INBOX");
    ["cur", "new"].map(|d| fs::read_dir(inbox.join(d)).unwrap().count()).iter().sum()
}

fn deliver(server: &Dovecot, user: &str, count: u64) {
    for n in 0..count {
        let bytes = format!("From: Eva <eva@x>\r\nSubject: number {n}\r\n\r\nbody {n}\r\n").into_bytes();
        let flags = if n == 0 { "FRS" } else { "" };
        server.deliver(user, "INBOX", &Mail { bytes: &bytes, flags, keywords: &[], date: 1_600_000_000 + n });
    }
}

#[test]
fn one_password_is_not_shown_to_several_servers() {
    let Some(server) = Dovecot::start() else { return };
    let dir = tempfile::tempdir().unwrap();
    deliver(&server, "alice", 2);
    let (alice, bob, target) = (imaps(&server, "alice"), imaps(&server, "bob"), at(&dir, "a.pst"));
    let out = pst(&server, &["convert", &alice, &bob, &target]).output().unwrap();
    says(&out, 2, "Password of alice at localhost: nobody is there to type it");
    assert!(!server.log().contains("auth failed"), "nothing was shown");
    let word = at(&dir, "word");
    fs::write(&word, PASSWORD).unwrap();
    fs::set_permissions(&word, fs::Permissions::from_mode(0o600)).unwrap();
    let out = pst(&server, &["convert", "--password-file", &word, &alice, &bob, &target]).output().unwrap();
    assert_eq!(code(&out), 0, "{}", stderr(&out));
}

/// No journal is kept of files, so a second run would copy them again.
#[test]
fn files_beside_an_account_are_not_copied_again() {
    let Some(server) = Dovecot::start() else { return };
    let dir = tempfile::tempdir().unwrap();
    deliver(&server, "alice", 3);
    let (account, mbox, target) = (imaps(&server, "alice"), at(&dir, "old.mbox"), at(&dir, "a.pst"));
    fs::write(&mbox, "From a@example.org Sat Jan  3 01:05:34 1996\nSubject: old\n\ntext\n").unwrap();
    let first = fetch(&server, &[&account, &mbox, &target]);
    assert_eq!(numbers(&first), [4, 4, 0, 0, 0], "{first}");
    let bytes = fs::read(&target).unwrap();
    says(&pst(&server, &["convert", &account, &mbox, &target]).output().unwrap(), 2, "give --append");
    assert!(fs::read(&target).unwrap() == bytes);
    let again = fetch(&server, &["--append", &account, &mbox, &target]);
    assert_eq!(numbers(&again), [1, 1, 3, 0, 0], "{again}");
}

#[test]
fn accounts_that_would_share_a_pst_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let config = at(&dir, "config.toml");
    let account = |name: &str| format!("[account.\"{name}\"]\naddress = \"imaps://a@localhost:1\"\n");
    fs::write(&config, account("a/b") + &account("A_b")).unwrap();
    let args = ["convert", "--config", &config, "--all-accounts", &at(&dir, "")];
    let out = crate::command::pst(&args);
    says(&out, 2, "the accounts \"A_b\" and \"a/b\" would share the file a_b.pst");
    assert_eq!(stderr(&out).lines().count(), 1, "nothing was fetched");
}

/// "| head" must not keep mail on a server, nor the run from being at its end.
#[test]
fn nobody_needs_to_listen() {
    let Some(server) = Dovecot::start() else { return };
    let dir = tempfile::tempdir().unwrap();
    deliver(&server, "carol", 5);
    let (account, target) = (pops(&server, "carol"), at(&dir, "carol.pst"));
    let mut command = pst(&server, &["download", "--json", "--delete-after-download", &account, &target]);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(on_server(&server, "carol"), 0);
    let info = crate::command::pst(&["info", "--json", &target]);
    let info: Json = serde_json::from_slice(&info.stdout).unwrap();
    assert!(info["items"] == 5 && info["downloads"][0]["last"].is_string(), "{info}");
}

#[test]
fn the_messages_of_a_folder() {
    let Some(server) = Dovecot::start() else { return };
    let dir = tempfile::tempdir().unwrap();
    fill(&server, "dave", 40, 0);
    deliver(&server, "alice", 3);
    let config = at(&dir, "config.toml");
    let text = format!(
        "[account.work]\naddress = \"{}\"\nca-file = \"{}\"\n",
        imaps(&server, "alice"),
        server.ca_file().display()
    );
    fs::write(&config, text).unwrap();
    let alice = imaps(&server, "alice");
    let by_name = ["ls", "--config", &config, "--account", "work", "--json", "Inbox"];
    for args in [&["ls", "--json", &alice, "#Inbox#"][..], &by_name] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pst"));
        command.args(args).arg("--ca-file").arg(server.ca_file()).env("PST_PASSWORD", PASSWORD);
        let out = command.output().unwrap();
        assert_eq!(code(&out), 0, "{}", stderr(&out));
        let listed = String::from_utf8(out.stdout).unwrap();
        let listed: Vec<Json> = listed.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
        assert_eq!(listed.len(), 3, "{listed:?}");
        let first = &listed[0];
        assert!(first["subject"] == "number 0" && first["from"] == "Eva" && first["uid"] == 1, "{first}");
        assert!(first["read"] == true && first["flagged"] == true && first["answered"] == true, "{first}");
        assert!(first["time"] == "2020-09-13 12:26:40" && listed[1]["read"] == false, "{listed:?}");
    }
    let out = pst(&server, &["ls", &alice, "Inbox"]).output().unwrap();
    let lines = String::from_utf8(out.stdout).unwrap();
    assert!(lines.lines().next().unwrap().contains("-F-RS- Eva"), "{lines}");
    let folders = pst(&server, &["ls", "--json", &imaps(&server, "dave")]).output().unwrap();
    let mut all = 0;
    for folder in String::from_utf8(folders.stdout).unwrap().lines() {
        let folder: Json = serde_json::from_str(folder).unwrap();
        let path = folder["path"].as_str().unwrap();
        let out = pst(&server, &["ls", &imaps(&server, "dave"), path]).output().unwrap();
        assert_eq!(code(&out), 0, "{}", stderr(&out));
        let lines = String::from_utf8(out.stdout).unwrap().lines().count();
        assert_eq!(Some(lines as u64), folder["items"].as_u64().or(Some(0)), "{folder}");
        all += lines;
    }
    assert_eq!(all, 40);
    says(&pst(&server, &["ls", &alice, "Nowhere"]).output().unwrap(), 2, "there is no folder \"Nowhere\"");
    says(&pst(&server, &["ls", &pops(&server, "alice"), "Inbox"]).output().unwrap(), 2, "POP3");
    let twice = ["ls", "--config", &config, "--account", "work", &alice];
    says(&crate::command::pst(&twice), 2, "pst ls --account NAME [FOLDER]");
}
