//! `pst push` as its users call it: files and accounts into a mailbox of a real server.

use crate::command::{at, code, fixtures, stderr, tree};
use crate::dovecot::{Dovecot, PASSWORD};
use crate::download::{fill, imaps};
use crate::support::Seeded;
use pst_core::endpoint::imap::{Account, ImapSource, Options};
use pst_core::endpoint::net::{Login, Secret};
use pst_core::pipeline::{Body, Flags, Source};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

/// `pst` for an account of this server, whose notes go into a folder of the test.
pub fn pst(server: &Dovecot, dir: &tempfile::TempDir, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pst"));
    command.args(args).arg("--ca-file").arg(server.ca_file()).env("PST_PASSWORD", PASSWORD);
    command.env("HOME", "/nonexistent").env("XDG_STATE_HOME", dir.path().join("state"));
    command
}

fn push(server: &Dovecot, dir: &tempfile::TempDir, args: &[&str]) -> (i32, Json, Output) {
    let out = pst(server, dir, &[&["push", "--json"], args].concat()).output().unwrap();
    let json = serde_json::from_slice(&out.stdout).unwrap_or_else(|_| panic!("{}", stderr(&out)));
    (code(&out), json, out)
}

/// Bytes, flags and date of each message, by folder.
pub type Held = BTreeMap<String, Vec<(Vec<u8>, Option<i64>, Vec<String>)>>;

fn words(f: &Flags) -> Vec<String> {
    let set = [
        (f.seen == Some(true), "seen"),
        (f.answered, "answered"),
        (f.flagged, "flagged"),
        (f.draft, "draft"),
        (f.forwarded, "forwarded"),
    ];
    let mut out: Vec<String> = set.iter().filter(|(on, _)| *on).map(|(_, w)| (*w).to_owned()).collect();
    out.extend(f.keywords.iter().cloned());
    out.sort();
    out
}

pub fn held(server: &Dovecot, user: &str) -> Held {
    let login = Login::Password { user: user.into(), password: Secret::new(PASSWORD) };
    let account = Account::new(server.server(server.imaps), login);
    let source = ImapSource::open(account, Options::default()).unwrap();
    let mut out = Held::new();
    for folder in source.folders().unwrap() {
        let all = out.entry(folder.path.join("/")).or_default();
        for item in source.items(&folder).unwrap() {
            let Body::Mime(mime) = source.load(&folder, &item.unwrap()).unwrap().body else { panic!("no mail") };
            let mut bytes = Vec::new();
            mime.write_to(&mut bytes).unwrap();
            all.push((bytes, mime.received, words(&mime.flags)));
        }
        all.sort();
    }
    out
}

/// A configuration with an account of this server.
fn configured(server: &Dovecot, dir: &tempfile::TempDir, name: &str, user: &str) -> String {
    let secret = at(dir, "secret");
    fs::write(&secret, format!("{PASSWORD}\n")).unwrap();
    let (address, ca) = (imaps(server, user), server.ca_file().display().to_string());
    let text = format!("[account.{name}]\naddress = \"{address}\"\npassword-file = \"{secret}\"\nca-file = \"{ca}\"\n");
    let path = at(dir, "config.toml");
    fs::write(&path, text).unwrap();
    path
}

#[test]
fn an_account_goes_into_another_as_it_is_and_only_once() {
    let Some(server) = Dovecot::start() else { return };
    let dir = tempfile::tempdir().unwrap();
    fill(&server, "alice", 300, 2);
    let (config, target) = (configured(&server, &dir, "old", "alice"), imaps(&server, "bob"));
    let report = at(&dir, "report.json");
    let args = ["--account", "old", "--config", &config, &target, "--verify", "--report", &report];
    let (status, said, out) = push(&server, &dir, &args);
    assert_eq!((status, said["written"].as_u64(), said["failed"].as_u64()), (0, Some(300), Some(0)), "{said}");
    assert_eq!(said["warnings"], 0, "{said}");
    let (alice, bob) = (held(&server, "alice"), held(&server, "bob"));
    assert_eq!(alice.keys().collect::<Vec<_>>(), bob.keys().collect::<Vec<_>>());
    assert!(alice == bob, "messages, dates, flags and keywords are those of the source");
    let (status, again, _) = push(&server, &dir, &args);
    assert_eq!(
        (status, again["written"].as_u64(), again["skipped"]["being there already"].as_u64()),
        (0, Some(0), Some(300))
    );
    assert!(held(&server, "bob") == bob);
    // Who could see the password?
    let mut seen = vec![out.stdout, out.stderr, fs::read(&report).unwrap()];
    seen.extend(tree(&dir.path().join("state")).into_iter().map(|(_, bytes)| bytes));
    assert!(seen.len() > 3, "there is a journal");
    for bytes in seen {
        assert!(!String::from_utf8_lossy(&bytes).contains(PASSWORD));
    }
    // The other way round: the target by its name.
    let (status, third, _) =
        push(&server, &dir, &["--to-account", "old", "--config", &config, &imaps(&server, "bob"), "--dry-run"]);
    assert_eq!((status, third["written"].as_u64()), (0, Some(300)), "{third}");
    let refused = pst(&server, &dir, &["push", &imaps(&server, "alice"), &target]).output().unwrap();
    assert_eq!(code(&refused), 2);
    assert!(stderr(&refused).contains("--to-account"), "{}", stderr(&refused));
}

#[test]
fn a_pst_goes_into_a_mailbox_as_it_goes_into_a_maildir() {
    let Some(server) = Dovecot::start() else { return };
    let dir = tempfile::tempdir().unwrap();
    let (file, plain) = (at(&dir, "a.pst"), at(&dir, "plain"));
    for args in [["convert", &fixtures("mail"), &file], ["convert", &file, &format!("maildir:{plain}")]] {
        let out = crate::command::pst(&args);
        assert_eq!(code(&out), 0, "{}", stderr(&out));
    }
    let crlf = |bytes: Vec<u8>| -> Vec<u8> {
        let mut out = Vec::new();
        for line in bytes.split_inclusive(|b| *b == b'\n') {
            match line.strip_suffix(b"\n") {
                Some(bare) => out.extend([bare.strip_suffix(b"\r").unwrap_or(bare), b"\r\n"].concat()),
                None => out.extend(line),
            }
        }
        out
    };
    let mut wanted: Vec<Vec<u8>> = tree(Path::new(&plain))
        .into_iter()
        .filter(|(p, _)| p.parent().unwrap().ends_with("cur"))
        .map(|(_, b)| crlf(b))
        .collect();
    wanted.sort();
    let (status, said, _) = push(&server, &dir, &[&file, &imaps(&server, "carol"), "--verify", "--keep-receipts"]);
    assert_eq!((status, said["failed"].as_u64()), (0, Some(0)), "{said}");
    let mut got: Vec<Vec<u8>> = held(&server, "carol").into_values().flatten().map(|(b, ..)| b).collect();
    got.sort();
    assert!(got == wanted, "{} messages instead of {}", got.len(), wanted.len());
    let (_, again, _) = push(&server, &dir, &[&file, &imaps(&server, "carol")]);
    assert_eq!(again["written"], 0, "{again}");
    // Below a folder of the target, and what is no option of a mailbox.
    let (_, below, _) = push(
        &server,
        &dir,
        &[&fixtures("mail"), &imaps(&server, "dave"), "--target-root", "Imported", "--rate", "1000"],
    );
    assert_eq!(below["failed"], 0, "{below}");
    assert!(held(&server, "dave").iter().all(|(name, all)| all.is_empty() || name.starts_with("Imported")));
    for more in ["--overwrite", "--append"] {
        assert_eq!(code(&pst(&server, &dir, &["push", &file, &imaps(&server, "carol"), more]).output().unwrap()), 2);
    }
    assert_eq!(code(&crate::command::pst(&["convert", &file, &at(&dir, "b.pst"), "--duplicates", "replace"])), 2);
}

#[test]
fn fifty_kills_leave_each_item_once() {
    for can in ["", "imap_capability = IMAP4rev1 NAMESPACE SASL-IR SPECIAL-USE LITERAL+ UIDPLUS"] {
        let Some(server) = Dovecot::start_with(can) else { return };
        let dir = tempfile::tempdir().unwrap();
        fill(&server, "alice", 600, 2);
        let mut wanted: Vec<Vec<u8>> = held(&server, "alice").into_values().flatten().map(|(b, ..)| b).collect();
        wanted.sort();
        let (config, target) = (configured(&server, &dir, "old", "alice"), imaps(&server, "bob"));
        let args = ["push", "--account", "old", "--config", &config, &target, "--json"];
        let mut random = Seeded(7);
        let mut whole = 0;
        for n in 0..25 {
            let mut child = pst(&server, &dir, &args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            // Every fifth has the time to look up what the others left in doubt.
            std::thread::sleep(Duration::from_millis(60 + random.below(if n % 5 == 4 { 4000 } else { 300 })));
            whole += u32::from(child.try_wait().unwrap().is_some_and(|s| s.success()));
            child.kill().unwrap();
            child.wait().unwrap();
        }
        let out = pst(&server, &dir, &args).output().unwrap();
        assert_eq!(code(&out), 0, "{}", stderr(&out));
        let mut got: Vec<Vec<u8>> = held(&server, "bob").into_values().flatten().map(|(b, ..)| b).collect();
        got.sort();
        assert!(got == wanted, "{} messages instead of {}", got.len(), wanted.len());
        eprintln!("25 kills, {whole} of them after the end: {}", String::from_utf8_lossy(&out.stdout));
    }
}
