//! Accounts of a real server into PSTs: once, again, with changes, with what was remembered lost.

use crate::command::{at, code, stderr, tree};
use crate::dovecot::{Dovecot, Mail, PASSWORD};
use crate::mailbox::mailbox;
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// `pst` for an account of this server.
pub fn pst(server: &Dovecot, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pst"));
    command.args(args).arg("--ca-file").arg(server.ca_file()).env("PST_PASSWORD", PASSWORD).env("HOME", "/nonexistent");
    command
}

pub fn imaps(server: &Dovecot, user: &str) -> String {
    format!("imaps://{user}@localhost:{}", server.imaps)
}

pub fn pops(server: &Dovecot, user: &str) -> String {
    format!("pop3s://{user}@localhost:{}", server.pop3s)
}

fn ran(out: &Output, status: i32) -> Json {
    assert_eq!(code(out), status, "{}", stderr(out));
    serde_json::from_slice(&out.stdout).unwrap()
}

pub fn fetch(server: &Dovecot, args: &[&str]) -> Json {
    ran(&pst(server, &[&["download", "--json"], args].concat()).output().unwrap(), 0)
}

/// The report's numbers: read, written, there before, brought up to date, moved to the deleted ones.
pub fn numbers(report: &Json) -> [u64; 5] {
    ["read", "written", "there_before", "updated", "moved_to_deleted"].map(|key| report[key].as_u64().unwrap())
}

/// The sources kept in a PST, sorted, by folder in lower case. The Trash of an account is Outlook's Deleted Items.
pub fn kept(pst: &str) -> BTreeMap<String, Vec<Vec<u8>>> {
    let dir = tempfile::tempdir().unwrap();
    let out = at(&dir, "out");
    let made = crate::command::pst(&["convert", "--keep-mime", pst, &format!("eml:{out}")]);
    assert_eq!(code(&made), 0, "{}", stderr(&made));
    let mut all = BTreeMap::<String, Vec<Vec<u8>>>::new();
    for (path, bytes) in tree(Path::new(&out)) {
        let folder = PathBuf::from(&path).parent().unwrap().to_string_lossy().to_lowercase();
        let folder = if folder == "deleted items" { "trash".to_owned() } else { folder };
        all.entry(folder).or_default().push(bytes);
    }
    all.values_mut().for_each(|v| v.sort());
    all
}

/// Fills a mailbox; returns what the server has, sorted, by folder in lower case.
pub fn fill(server: &Dovecot, user: &str, count: u64, heavy: u64) -> BTreeMap<String, Vec<Vec<u8>>> {
    let mut all = BTreeMap::<String, Vec<Vec<u8>>>::new();
    for made in mailbox(count, heavy) {
        let mail = Mail { bytes: &made.bytes, flags: made.flags, keywords: made.keywords, date: made.date };
        server.deliver(user, made.folder, &mail);
        let folder = if made.folder == "INBOX" { "inbox".to_owned() } else { made.folder.to_lowercase() };
        all.entry(folder).or_default().push(made.bytes);
    }
    all.values_mut().for_each(|v| v.sort());
    all
}

/// Both hold the same; says where they do not.
pub fn same(found: &BTreeMap<String, Vec<Vec<u8>>>, wanted: &BTreeMap<String, Vec<Vec<u8>>>) -> Result<(), String> {
    for (folder, all) in wanted {
        let here = found.get(folder).cloned().unwrap_or_default();
        if here != *all {
            let missing = all.iter().filter(|m| !here.contains(m)).count();
            return Err(format!("{folder}: {} instead of {}, {missing} missing", here.len(), all.len()));
        }
    }
    if found.len() == wanted.len() { Ok(()) } else { Err(format!("{:?}", found.keys())) }
}

pub fn is_sound(pst: &str) {
    let out = crate::command::pst(&["check", pst]);
    assert_eq!(code(&out), 0, "{}{}", String::from_utf8_lossy(&out.stdout), stderr(&out));
}

#[test]
fn an_account_comes_whole_and_again_only_what_is_new() {
    let Some(server) = Dovecot::start() else { return };
    let dir = tempfile::tempdir().unwrap();
    let (account, target) = (imaps(&server, "alice"), at(&dir, "alice.pst"));
    let mut sent = fill(&server, "alice", 300, 2);
    let first = fetch(&server, &["--keep-mime", &account, &target]);
    assert_eq!(numbers(&first), [300, 300, 0, 0, 0], "{first}");
    is_sound(&target);
    assert!(kept(&target) == sent, "every message is there byte for byte, in its folder");
    let again = fetch(&server, &["--keep-mime", &account, &target]);
    assert_eq!(numbers(&again), [0, 0, 300, 0, 0], "{again}");
    // One more, one read and flagged, one gone.
    let new = b"Subject: new\r\n\r\nnew\r\n".to_vec();
    let mail = Mail { bytes: &new, flags: "", keywords: &[], date: 1_600_000_000 };
    let path = server.deliver("alice", "INBOX", &mail);
    let inbox = path.parent().unwrap();
    let mut files: Vec<PathBuf> =
        fs::read_dir(inbox).unwrap().map(|e| e.unwrap().path()).filter(|p| *p != path).collect();
    files.sort();
    let (touched, gone) = (&files[0], &files[1]);
    let name = touched.to_string_lossy();
    let (stem, letters) = name.rsplit_once(',').unwrap();
    let more: String = ['F', 'S'].into_iter().filter(|f| !letters.contains(*f)).collect();
    assert!(!more.is_empty() || letters.contains("FS"), "{letters}");
    let mut sorted: Vec<char> = letters.chars().chain(more.chars()).collect();
    sorted.sort_unstable();
    fs::rename(touched, format!("{stem},{}", sorted.iter().collect::<String>())).unwrap();
    let lost = fs::read(gone).unwrap();
    fs::remove_file(gone).unwrap();
    let third = fetch(&server, &["--keep-mime", "--mirror", &account, &target]);
    assert_eq!(numbers(&third), [1, 1, 299, u64::from(!more.is_empty()), 1], "{third}");
    is_sound(&target);
    let of = sent.get_mut("inbox").unwrap();
    of.retain(|m| *m != lost);
    of.push(new);
    of.sort();
    let trash = sent.get_mut("trash").unwrap();
    trash.push(lost);
    trash.sort();
    assert!(kept(&target) == sent, "what the server has is in the PST, and what it deleted in Deleted Items");
    // What was remembered is lost: the content tells what is there.
    fs::remove_file(format!("{target}.state")).unwrap();
    let size = fs::metadata(&target).unwrap().len();
    let fourth = fetch(&server, &["--keep-mime", &account, &target]);
    assert_eq!(numbers(&fourth)[1], 0, "{fourth}");
    assert_eq!(fourth["skipped"]["being there already"], 300, "{fourth}");
    is_sound(&target);
    assert!(kept(&target).values().map(Vec::len).sum::<usize>() == 301, "no duplicate");
    assert_eq!(fs::metadata(&target).unwrap().len(), size, "nothing was written");
    let known = ran(&crate::command::pst(&["info", "--json", &target]), 0);
    assert_eq!(known["downloads"][0]["account"], "imap alice at localhost");
}

/// A server that has lost its notes numbers everything anew.
#[test]
fn a_new_uidvalidity_brings_no_duplicates() {
    let Some(server) = Dovecot::start() else { return };
    let dir = tempfile::tempdir().unwrap();
    let (account, target) = (imaps(&server, "bob"), at(&dir, "bob.pst"));
    let sent = fill(&server, "bob", 60, 0);
    fetch(&server, &["--keep-mime", &account, &target]);
    // Its validities are seconds.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    for folder in crate::mailbox::FOLDERS {
        for file in fs::read_dir(server.maildir("bob", folder)).unwrap().flatten() {
            if file.file_name().to_string_lossy().starts_with("dovecot") {
                let _ = fs::remove_file(file.path());
            }
        }
    }
    let more = b"Subject: more\r\n\r\nmore\r\n".to_vec();
    server.deliver("bob", "INBOX", &Mail { bytes: &more, flags: "S", keywords: &[], date: 1_700_000_000 });
    let again = fetch(&server, &["--keep-mime", &account, &target]);
    assert_eq!(again["written"], 1, "{again}");
    assert_eq!(again["skipped"]["being there already"], 60, "{again}");
    let third = fetch(&server, &["--keep-mime", &account, &target]);
    assert_eq!(numbers(&third), [0, 0, 61, 0, 0], "{third}");
    let known = ran(&crate::command::pst(&["info", "--json", &target]), 0);
    let counts = known["downloads"][0]["folders"].as_array().unwrap().iter().map(|f| f["items"].as_u64().unwrap());
    assert_eq!(counts.sum::<u64>(), 61, "{known}");
    assert_eq!(kept(&target).values().map(Vec::len).sum::<usize>(), sent.values().map(Vec::len).sum::<usize>() + 1);
    is_sound(&target);
}

#[test]
fn equal_messages_come_once_if_so_asked_and_a_dry_run_notes_nothing() {
    let Some(server) = Dovecot::start() else { return };
    let dir = tempfile::tempdir().unwrap();
    let (account, target) = (imaps(&server, "alice"), at(&dir, "alice.pst"));
    let put = |text: &str| {
        let mail = Mail { bytes: text.as_bytes(), flags: "", keywords: &[], date: 1_600_000_000 };
        server.deliver("alice", "INBOX", &mail);
    };
    put("Subject: one\r\n\r\n1\r\n");
    put("Subject: one\r\n\r\n1\r\n");
    put("Subject: two\r\n\r\n2\r\n");
    let first = fetch(&server, &["--duplicates", "skip", &account, &target]);
    assert_eq!(numbers(&first), [3, 2, 0, 0, 0], "{first}");
    put("Subject: three\r\n\r\n3\r\n");
    let state = || fs::read(format!("{target}.state")).unwrap();
    let before = state();
    let dry = fetch(&server, &["--dry-run", "--duplicates", "skip", &account, &target]);
    assert_eq!(numbers(&dry), [1, 1, 3, 0, 0], "{dry}");
    assert!(state() == before, "a dry run writes nothing");
    let second = fetch(&server, &["--duplicates", "skip", &account, &target]);
    assert_eq!(numbers(&second), [1, 1, 3, 0, 0], "{second}");
    let third = fetch(&server, &["--duplicates", "skip", "--mirror", &account, &target]);
    assert_eq!(numbers(&third), [0, 0, 4, 0, 0], "{third}");
    // Without the notes it is the content that tells, and a dry run leaves none.
    fs::remove_file(format!("{target}.state")).unwrap();
    fetch(&server, &["--dry-run", &account, &target]);
    assert!(!Path::new(&format!("{target}.state")).exists());
    is_sound(&target);
}

#[test]
fn pop3_fetches_once_and_deletes_only_when_asked() {
    let Some(server) = Dovecot::start() else { return };
    let dir = tempfile::tempdir().unwrap();
    let (account, target) = (pops(&server, "carol"), at(&dir, "carol.pst"));
    let mut sent = Vec::new();
    for n in 0..40u64 {
        let bytes = format!("Subject: {n}\r\n\r\n.{}\r\n", "x".repeat(n as usize * 90)).into_bytes();
        server.deliver("carol", "INBOX", &Mail { bytes: &bytes, flags: "", keywords: &[], date: 1_600_000_000 + n });
        sent.push(bytes);
    }
    sent.sort();
    let first = fetch(&server, &["--keep-mime", &account, &target]);
    assert_eq!(numbers(&first), [40, 40, 0, 0, 0], "{first}");
    assert_eq!(kept(&target)["inbox"], sent);
    let inbox = server.maildir("carol", "INBOX");
    let on_server = || ["cur", "new"].map(|d| fs::read_dir(inbox.join(d)).unwrap().count()).iter().sum::<usize>();
    assert_eq!(on_server(), 40, "mail stays on the server");
    let again = fetch(&server, &["--keep-mime", "--delete-after-download", &account, &target]);
    assert_eq!(numbers(&again), [0, 0, 40, 0, 0], "{again}");
    assert!(again["deleted_on_server"] == 40 && again["stay_on_server"].as_array().unwrap().is_empty(), "{again}");
    assert_eq!(on_server(), 0);
    assert_eq!(kept(&target)["inbox"], sent, "the PST has them");
    is_sound(&target);
}

#[test]
fn a_download_is_divided_and_goes_on_in_the_last_part() {
    let Some(server) = Dovecot::start() else { return };
    let dir = tempfile::tempdir().unwrap();
    let (account, target) = (imaps(&server, "dave"), at(&dir, "dave.pst"));
    let mut all: Vec<Vec<u8>> = fill(&server, "dave", 400, 0).into_values().flatten().collect();
    let arguments = ["--keep-mime", "--split", "4M", &account, &target];
    let first = fetch(&server, &arguments);
    assert_eq!(first["written"], 400, "{first}");
    assert_eq!(numbers(&fetch(&server, &arguments)), [0, 0, 400, 0, 0]);
    let new = b"Subject: new\r\n\r\nnew\r\n".to_vec();
    server.deliver("dave", "INBOX", &Mail { bytes: &new, flags: "", keywords: &[], date: 1_600_000_000 });
    assert_eq!(numbers(&fetch(&server, &arguments)), [1, 1, 400, 0, 0]);
    all.push(new);
    all.sort();
    let mut parts = vec![target.clone()];
    parts.extend((2..100).map(|n| at(&dir, &format!("dave-{n}.pst"))).take_while(|p| Path::new(p).exists()));
    assert!(parts.len() > 2, "{parts:?}");
    let mut found = Vec::new();
    let mut folders = Vec::new();
    for part in &parts {
        is_sound(part);
        assert!(fs::metadata(part).unwrap().len() <= 4 << 20, "{part}");
        found.extend(kept(part).into_values().flatten());
        let listed = crate::command::pst(&["ls", "--json", part]);
        let paths = String::from_utf8(listed.stdout).unwrap();
        let mut paths: Vec<String> =
            paths.lines().map(|l| serde_json::from_str::<Json>(l).unwrap()["path"].to_string()).collect();
        paths.sort();
        folders.push(paths);
    }
    let says = |args: &[&str], words: &str| {
        let out = pst(&server, &[&["download"], args].concat()).output().unwrap();
        assert!(code(&out) == 2 && stderr(&out).contains(words), "{}", stderr(&out));
    };
    says(&["--keep-mime", &account, &target], "--split");
    fs::rename(&parts[1], at(&dir, "elsewhere.pst")).unwrap();
    says(&arguments, "is missing");
    fs::rename(at(&dir, "elsewhere.pst"), &parts[1]).unwrap();
    assert_eq!(numbers(&fetch(&server, &arguments)), [0, 0, 401, 0, 0]);
    found.sort();
    assert!(found == all, "each message is in one part: {} of {}", found.len(), all.len());
    assert!(folders.windows(2).all(|two| two[0] == two[1]), "{folders:?}");
}

#[test]
fn bad_input_is_one_sentence() {
    let Some(server) = Dovecot::start() else { return };
    let dir = tempfile::tempdir().unwrap();
    let (account, target) = (imaps(&server, "alice"), at(&dir, "a.pst"));
    fill(&server, "alice", 5, 0);
    let says = |command: &mut Command, status: i32, words: &str| {
        let out = command.output().unwrap();
        let said = stderr(&out);
        assert_eq!((code(&out), said.lines().count()), (status, 1), "{said}");
        assert!(said.contains(words) && !said.contains(PASSWORD), "{said}");
    };
    says(pst(&server, &["convert", &account, &target]).env("PST_PASSWORD", "wrong"), 2, "refused");
    let nowhere = format!(
        "imaps://alice@localhost:{}",
        std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
    );
    says(&mut pst(&server, &["convert", &nowhere, &target]), 2, "localhost");
    let unknown = Command::new(env!("CARGO_BIN_EXE_pst"))
        .args(["convert", &account, &target])
        .env("PST_PASSWORD", PASSWORD)
        .output()
        .unwrap();
    assert!(code(&unknown) == 2 && stderr(&unknown).contains("--pin-sha256"), "{}", stderr(&unknown));
    says(&mut pst(&server, &["convert", "imaps://alice:open@localhost", &target]), 2, "password");
    says(&mut pst(&server, &["convert", "--overwrite", &account, &target]), 2, "--overwrite");
    says(&mut pst(&server, &["convert", "--mirror", &account, &format!("eml:{}", at(&dir, "out"))]), 2, "--mirror");
    says(&mut pst(&server, &["convert", &account, &at(&dir, "none/a.pst")]), 2, "does not exist");
    let listed = pst(&server, &["ls", "--json", &account]).output().unwrap();
    let folders = String::from_utf8(listed.stdout).unwrap();
    let items = |line: &str| serde_json::from_str::<Json>(line).unwrap()["items"].as_u64().unwrap_or_default();
    assert_eq!(folders.lines().map(items).sum::<u64>(), 5, "{folders}");
    // Nothing of all this has left an item behind.
    let report = fetch(&server, &["--dry-run", &account, &at(&dir, "dry.pst")]);
    assert_eq!(report["read"], 5, "{report}");
    assert!(!dir.path().join("dry.pst").exists() && !dir.path().join("dry.pst.state").exists());
}

#[test]
fn accounts_of_the_configuration_get_a_pst_each() {
    let Some(server) = Dovecot::start() else { return };
    let dir = tempfile::tempdir().unwrap();
    fill(&server, "alice", 30, 0);
    let config = at(&dir, "config.toml");
    let account = |name: &str, address: String, more: &str| {
        let ca = server.ca_file();
        format!(
            "[account.{name}]\naddress = \"{address}\"\npassword-env = \"WORD\"\nca-file = \"{}\"\n{more}\n",
            ca.display()
        )
    };
    let text = [
        account("work", imaps(&server, "alice"), "exclude = [\"#JunkEmail#\"]"),
        account("lost", "imaps://alice@localhost:1".to_owned(), ""),
        account("post", pops(&server, "alice"), ""),
        account("nobody", "imaps://localhost".to_owned(), ""),
    ];
    fs::write(&config, text.concat()).unwrap();
    let pst = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pst"));
        command.args(["convert", "--config", &config]).args(args).env("WORD", PASSWORD).env_remove("PST_PASSWORD");
        command.output().unwrap()
    };
    let one = pst(&["--json", "--account", "work", &at(&dir, "one.pst")]);
    let written = ran(&one, 0)["written"].as_u64().unwrap();
    assert!(written > 10 && written <= 30, "without the junk: {written}");
    let folder = at(&dir, "all");
    fs::create_dir(&folder).unwrap();
    let all = pst(&["--all-accounts", &folder, "--report", &at(&dir, "report.json")]);
    assert_eq!(code(&all), 1, "one cannot be reached, and one has no user: {}", stderr(&all));
    assert!(["lost", "nobody"].iter().all(|n| stderr(&all).matches(&format!("account \"{n}\"")).count() == 1));
    for name in ["work", "post"] {
        is_sound(&format!("{folder}/{name}.pst"));
        let report: Json =
            serde_json::from_slice(&fs::read(at(&dir, &format!("report {name}.json"))).unwrap()).unwrap();
        let has: u64 = report["folders"].as_array().unwrap().iter().filter_map(|f| f["target_has"].as_u64()).sum();
        assert_eq!(report["written"].as_u64(), Some(has), "{report}");
    }
    assert!(!Path::new(&folder).join("lost.pst").exists(), "nothing is left of an account that cannot be reached");
}

/// Notes that do not belong to the PST, or are older than it, are as good as none: the content tells.
#[test]
fn wrong_notes_bring_no_duplicates() {
    let Some(server) = Dovecot::start() else { return };
    let dir = tempfile::tempdir().unwrap();
    let account = imaps(&server, "alice");
    fill(&server, "alice", 40, 0);
    let (first, second) = (at(&dir, "first.pst"), at(&dir, "second.pst"));
    let notes = |pst: &str| format!("{pst}.state");
    fetch(&server, &[&account, &first]);
    fs::copy(notes(&first), at(&dir, "old")).unwrap();
    for n in 0..5 {
        let bytes = format!("Subject: later {n}\r\n\r\nlater\r\n").into_bytes();
        server.deliver("alice", "INBOX", &Mail { bytes: &bytes, flags: "", keywords: &[], date: 1_700_000_000 + n });
    }
    fetch(&server, &[&account, &first]);
    fetch(&server, &[&account, &second]);
    let total = |pst: &str| {
        let listed = crate::command::pst(&["ls", "--json", pst]);
        let lines = String::from_utf8(listed.stdout).unwrap();
        lines.lines().map(|l| serde_json::from_str::<Json>(l).unwrap()["items"].as_u64().unwrap()).sum::<u64>()
    };
    let dry = fetch(&server, &["--dry-run", &account, &first]);
    assert_eq!(numbers(&dry), [0, 0, 45, 0, 0], "{dry}");
    let wrong: [(&str, &dyn Fn()); 3] = [
        ("older than the PST", &|| assert!(fs::copy(at(&dir, "old"), notes(&first)).is_ok())),
        ("of another PST", &|| assert!(fs::copy(notes(&second), notes(&first)).is_ok())),
        ("empty", &|| fs::write(notes(&first), b"").unwrap()),
    ];
    for (what, spoil) in wrong {
        spoil();
        fetch(&server, &[&account, &first]);
        assert_eq!(total(&first), 45, "{what}");
        is_sound(&first);
        let again = fetch(&server, &[&account, &first]);
        assert_eq!(numbers(&again), [0, 0, 45, 0, 0], "{what}: {again}");
    }
}
