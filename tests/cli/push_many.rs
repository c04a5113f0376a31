//! `pst push --mailboxes`: many files into many mailboxes of a real server.

use crate::command::{at, code, stderr};
use crate::dovecot::{Dovecot, PASSWORD};
use crate::idp::{APP_SECRET, Idp};
use crate::push::{Held, held, pst};
use crate::support::{Seeded, files};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

/// The password of every administrator.
const MASTER: &str = "master-of-all";

/// Lets administrators sign in as anybody: "alice*admin".
const MASTERS: &str = "auth_master_user_separator = *\npassdb {\n  driver = static\n  master = yes\n  args = \
                       password=master-of-all\n}\n";

/// An mbox of so many messages, whose subjects begin with a word.
fn mbox(path: &str, word: &str, count: u64) {
    let one = |n: u64| {
        format!(
            "From eva@example.org Sat Jan  3 01:05:34 1996\nFrom: eva@example.org\nMessage-ID: <{word}{n}@example.org>\n\
             Subject: {word} {n}\nDate: Sat, 3 Jan 1996 01:05:34 +0000\n\n{word} says {n}\n\n"
        )
    };
    fs::write(path, (0..count).map(one).collect::<String>()).unwrap();
}

fn store(dir: &tempfile::TempDir, word: &str, count: u64) {
    let (plain, file) = (at(dir, &format!("{word}.mbox")), at(dir, &format!("{word}.pst")));
    mbox(&plain, word, count);
    let out = crate::command::pst(&["convert", &plain, &file, "--target-root", "Inbox"]);
    assert_eq!(code(&out), 0, "{}", stderr(&out));
}

fn list(dir: &tempfile::TempDir, text: &str) -> String {
    let path = at(dir, "map.csv");
    fs::write(&path, text).unwrap();
    path
}

fn secret(dir: &tempfile::TempDir, word: &str) -> String {
    let path = at(dir, "secret");
    fs::write(&path, format!("{word}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    path
}

/// The address of the server alone.
fn address(server: &Dovecot) -> String {
    format!("imaps://localhost:{}", server.imaps)
}

/// The subjects in each folder of a mailbox that has any.
fn subjects(server: &Dovecot, user: &str) -> BTreeMap<String, Vec<String>> {
    let subject = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes).into_owned();
        text.lines().find_map(|l| l.strip_prefix("Subject: ").map(str::to_owned)).unwrap()
    };
    let mut out = BTreeMap::new();
    for (folder, all) in held(server, user).into_iter().filter(|(_, all)| !all.is_empty()) {
        let mut subjects: Vec<String> = all.iter().map(|(bytes, ..)| subject(bytes)).collect();
        subjects.sort();
        out.insert(folder, subjects);
    }
    out
}

fn numbered(word: &str, count: u64) -> Vec<String> {
    let mut all: Vec<String> = (0..count).map(|n| format!("{word} {n}")).collect();
    all.sort();
    all
}

/// What standard output says of each mailbox.
fn said(out: &Output) -> BTreeMap<String, Json> {
    let lines = String::from_utf8(out.stdout.clone()).unwrap();
    let lines = lines.lines().map(|l| serde_json::from_str::<Json>(l).unwrap());
    lines.map(|l| (l["mailbox"].as_str().unwrap().to_owned(), l)).collect()
}

#[test]
fn each_file_goes_into_its_mailbox_by_the_password_of_an_administrator() {
    let Some(server) = Dovecot::start_with(MASTERS) else { return };
    let dir = tempfile::tempdir().unwrap();
    for (word, count) in [("one", 40), ("two", 30), ("three", 20)] {
        store(&dir, word, count);
    }
    mbox(&at(&dir, "four.mbox"), "four", 10);
    let map = list(
        &dir,
        "File;Mailbox;Target Root\r\n.\\one.pst;alice;\r\nt*.pst;bob;\r\nfour.mbox;alice;/Old/2019\r\nfour.mbox;carol;\r\n",
    );
    let report = at(&dir, "report.html");
    let address = address(&server);
    let args = ["push", "--mailboxes", &map, "--login-as", "{user}*admin", &address, "--verify", "--report", &report];
    let run = |more: &[&str]| {
        let out = pst(&server, &dir, &[&args, more].concat()).env("PST_PASSWORD", MASTER).output().unwrap();
        assert_eq!(code(&out), 0, "{}", stderr(&out));
        out
    };
    let rehearsed = run(&["--dry-run"]);
    assert!(stderr(&rehearsed).contains("bob: 50 items read"), "{}", stderr(&rehearsed));
    assert!(["alice", "bob", "carol"].iter().all(|user| subjects(&server, user).is_empty()));
    let out = run(&["--json"]);
    let by = said(&out);
    let written = |by: &BTreeMap<String, Json>| -> Vec<(String, u64)> {
        by.iter().map(|(name, j)| (name.clone(), j["written"].as_u64().unwrap())).collect()
    };
    assert_eq!(written(&by), [("alice".into(), 50), ("bob".into(), 50), ("carol".into(), 10)]);
    let alice = BTreeMap::from([("Inbox".into(), numbered("one", 40)), ("Old/2019".into(), numbered("four", 10))]);
    let bob: Vec<String> = [numbered("three", 20), numbered("two", 30)].concat();
    let carol = BTreeMap::from([("four".into(), numbered("four", 10))]);
    let as_wanted = || {
        assert_eq!(subjects(&server, "alice"), alice);
        assert_eq!(subjects(&server, "bob"), BTreeMap::from([("Inbox".to_owned(), bob.clone())]));
        assert_eq!(subjects(&server, "carol"), carol);
    };
    as_wanted();
    let events = stderr(&out);
    let events = events.lines().filter(|l| l.starts_with('{')).map(|l| serde_json::from_str::<Json>(l).unwrap());
    let named: Vec<bool> = events.map(|e| e["mailbox"].is_string()).collect();
    assert!(named.len() > 6 && named.iter().all(|named| *named));
    for (name, one) in [("alice", "one.pst"), ("bob", "three.pst"), ("carol", "four.mbox")] {
        let page = fs::read_to_string(at(&dir, &format!("report {name}.html"))).unwrap();
        assert!(page.contains(one) && !page.contains(MASTER), "{name}");
    }
    assert!(!Path::new(&report).exists());
    let again = run(&["--json"]);
    assert_eq!(written(&said(&again)).iter().map(|(_, n)| n).sum::<u64>(), 0);
    as_wanted();
    // Told to people: a line for each mailbox.
    let text = stderr(&run(&[]));
    for start in ["alice: 50 items read", "bob: 50 items read", "carol: 10 items read", "3 of 3 mailboxes complete"] {
        assert_eq!(text.lines().filter(|l| l.starts_with(start)).count(), 1, "{start}: {text}");
    }
}

#[test]
fn a_mailbox_that_is_denied_does_not_keep_the_others() {
    let Some(server) = Dovecot::start() else { return };
    let dir = tempfile::tempdir().unwrap();
    for word in ["one", "two"] {
        store(&dir, word, 20);
    }
    let map = list(&dir, "file,mailbox\none.pst,nobody\none.pst,alice\ntwo.pst,bob\n");
    let (word, address) = (secret(&dir, PASSWORD), address(&server));
    let args = ["push", "--mailboxes", &map, &address, "--password-file", &word, "--parallel", "1"];
    let out = pst(&server, &dir, &args).output().unwrap();
    let text = stderr(&out);
    assert_eq!(code(&out), 2, "{text}");
    assert!(text.contains("nobody: FAILED: ") && text.contains("the sign-in of nobody was refused"), "{text}");
    assert!(text.ends_with("pst: 1 of 3 mailboxes failed\n") && !text.contains(PASSWORD), "{text}");
    assert_eq!(subjects(&server, "alice")["Inbox"], numbered("one", 20));
    assert_eq!(subjects(&server, "bob")["Inbox"], numbered("two", 20));
    let out = pst(&server, &dir, &[&args[..], &["--json"]].concat()).output().unwrap();
    let by = said(&out);
    assert!(by["nobody"]["error"].as_str().unwrap().contains("refused"));
    assert_eq!((&by["alice"]["written"], &by["bob"]["written"]), (&0.into(), &0.into()));
}

/// Netrc has a password for each; where one is missing, nothing is sent to anybody.
#[test]
fn passwords_of_their_own() {
    let Some(server) = Dovecot::start() else { return };
    let dir = tempfile::tempdir().unwrap();
    store(&dir, "one", 5);
    let map = list(&dir, "file,mailbox\none.pst,alice\none.pst,bob\n");
    let netrc = at(&dir, "netrc");
    let entry = |user: &str| format!("machine localhost login {user} password \"{PASSWORD}\"\n");
    let address = address(&server);
    let args = ["push", "--mailboxes", &map, &address, "--netrc", &netrc];
    fs::write(&netrc, entry("alice")).unwrap();
    let out = pst(&server, &dir, &args).output().unwrap();
    assert_eq!(code(&out), 2);
    assert!(stderr(&out).contains("bob: ") && subjects(&server, "alice").is_empty(), "{}", stderr(&out));
    // One variable is not shown for many mailboxes, and nobody is asked where nobody is.
    let out = pst(&server, &dir, &args[..4]).output().unwrap();
    assert_eq!(code(&out), 2);
    assert!(stderr(&out).contains("Password of alice at localhost: nobody is there"), "{}", stderr(&out));
    fs::write(&netrc, entry("alice") + &entry("bob")).unwrap();
    let config = at(&dir, "config.toml");
    let text = format!("[account.new]\naddress = \"{address}\"\nuser = \"dave\"\nnetrc = \"netrc\"\n");
    fs::write(&config, text).unwrap();
    let args = ["push", "--mailboxes", &map, "--to-account", "new", "--config", &config];
    let out = pst(&server, &dir, &args).output().unwrap();
    assert_eq!(code(&out), 0, "{}", stderr(&out));
    assert!(subjects(&server, "dave").is_empty());
    assert_eq!(subjects(&server, "alice"), subjects(&server, "bob"));
    assert_eq!(subjects(&server, "bob"), BTreeMap::from([("Inbox".into(), numbered("one", 5))]));
}

#[test]
fn a_list_is_checked_before_anything_is_sent() {
    let dir = tempfile::tempdir().unwrap();
    for word in ["one", "two", "two-2", "two-3", "six", "six-3"] {
        store(&dir, word, 1);
    }
    fs::write(at(&dir, "broken.pst"), b"!BDN and nothing else").unwrap();
    let map = list(
        &dir,
        "file,mailbox,target-root,archive\none.pst,alice,,\nnone.pst,alice,,\nbroken.pst,alice,,\none.pst,alice,/Old,\n\
         two.pst,bob,,\ntwo-2.pst,bob,,\nsix.pst,Alice,,\none.pst,imaps://dora@x,,\none.pst,carol,#Nothing#,\n\
         one.pst,carol,,TRUE\n*.ost,carol,,\nsix-3.pst,carol,,\n",
    );
    let out = crate::command::pst(&["push", "--mailboxes", &map, "imaps://localhost:1"]);
    let text = stderr(&out);
    assert_eq!(code(&out), 2);
    for (line, words) in [
        (3, "none.pst"),
        (4, "broken.pst"),
        (5, "line 2 puts"),
        (6, "two-3.pst seems to be a part"),
        (8, "the mailboxes \"alice\" and \"Alice\" would share"),
        (9, "imaps://dora@x"),
        (10, "#Nothing#"),
        (11, "archive"),
        (12, "no file fits \"*.ost\""),
        (13, "has no part before it"),
    ] {
        let here = |l: &&str| l.contains(&format!("line {line}: ")) && l.contains(words);
        assert_eq!(text.lines().filter(here).count(), 1, "{line}: {words}: {text}");
    }
    assert!(text.ends_with("map.csv: 10 mistakes in the list; nothing was sent\n"), "{text}");
    let map = list(&dir, "file,mailbox\none.pst,alice\n");
    let state = at(&dir, "state");
    for (args, words) in [
        (&["imaps://admin@localhost:1"][..], "--login-as"),
        (&["imaps://localhost:1", "--user", "admin"], "--login-as"),
        (&["imaps://localhost:1", "--login-as", "admin"], "{user}"),
        (&["one.pst", "imaps://localhost:1"], "the only argument"),
        (&["pop3s://localhost:1"], "POP3 takes no mail in"),
        (&["imaps://localhost:1/Inbox"], "--target-root"),
        (&["imaps://localhost:1", "--overwrite"], "--overwrite"),
        (&["imaps://localhost:1", "--journal", "x"], "cannot be used with"),
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pst"));
        command.args(["push", "--mailboxes", &map]).args(args).env("XDG_STATE_HOME", &state);
        let out = command.output().unwrap();
        assert!(code(&out) == 2 && stderr(&out).contains(words), "{words}: {}", stderr(&out));
    }
    assert!(!Path::new(&state).exists());
}

#[test]
fn kills_and_interrupts_leave_each_item_once() {
    let Some(server) = Dovecot::start_with(MASTERS) else { return };
    let dir = tempfile::tempdir().unwrap();
    let users = ["alice", "bob", "carol"];
    for user in users {
        store(&dir, user, 300);
    }
    let map = list(&dir, "file,mailbox\nalice.pst,alice\nbob.pst,bob\ncarol.pst,carol\n");
    let address = address(&server);
    let args = ["push", "--mailboxes", &map, "--login-as", "{user}*admin", &address, "--rate", "60", "--json"];
    let start = || {
        let mut command = pst(&server, &dir, &args);
        command.env("PST_PASSWORD", MASTER).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    };
    let mut random = Seeded(11);
    for n in 0..8 {
        let mut child = start();
        std::thread::sleep(Duration::from_millis(200 + random.below(500)));
        if n % 2 == 0 {
            child.kill().unwrap();
            child.wait().unwrap();
            continue;
        }
        Command::new("kill").arg("-INT").arg(child.id().to_string()).status().unwrap();
        let status = child.wait().unwrap();
        assert!(matches!(status.code(), Some(130 | 0)), "{status}");
    }
    let out = pst(&server, &dir, &args).env("PST_PASSWORD", MASTER).output().unwrap();
    assert_eq!(code(&out), 0, "{}", stderr(&out));
    for user in users {
        assert_eq!(subjects(&server, user), BTreeMap::from([("Inbox".to_owned(), numbered(user, 300))]));
    }
}

/// An app's token is for all mailboxes; the server says into which it lets.
#[test]
fn one_token_for_all() {
    let Some(server) = Dovecot::start() else { return };
    let (idp, dir) = (Idp::start(), tempfile::tempdir().unwrap());
    store(&dir, "one", 10);
    server.accept_token("access-SECRET-1", "alice");
    let map = list(&dir, "file,mailbox\none.pst,alice\none.pst,bob\n");
    let (word, address, token) = (secret(&dir, APP_SECRET), address(&server), idp.url("token"));
    let app = ["--oauth", "app", "--client-id", "app", "--token-url", &token, "--client-secret-file", &word];
    let args = [&["push", "--mailboxes", &map, &address, "--parallel", "1"], &app[..]].concat();
    let out = pst(&server, &dir, &args).output().unwrap();
    let text = stderr(&out);
    assert_eq!(code(&out), 2, "{text}");
    assert!(text.contains("bob: FAILED: ") && text.contains("the sign-in of bob was refused"), "{text}");
    assert!(!text.contains("SECRET"), "{text}");
    assert_eq!(subjects(&server, "alice"), BTreeMap::from([("Inbox".to_owned(), numbered("one", 10))]));
    assert_eq!(idp.forms("token").len(), 1);
    let out = pst(&server, &dir, &[&args[..], &["--login-as", "{user}*admin"]].concat()).output().unwrap();
    assert!(code(&out) == 2 && stderr(&out).contains("goes with a password"), "{}", stderr(&out));
}

#[test]
fn a_full_mailbox_does_not_keep_the_others() {
    let quota = "protocol imap {\n  mail_plugins = imap_zlib quota\n}\nplugin {\n  quota = maildir:User quota\n  \
                 quota_rule = *:storage=8K\n  quota_grace = 0\n}\n";
    let Some(server) = Dovecot::start_with(quota) else { return };
    let dir = tempfile::tempdir().unwrap();
    store(&dir, "few", 5);
    store(&dir, "many", 300);
    let map = list(&dir, "file,mailbox\nmany.pst,alice\nfew.pst,bob\n");
    let (word, address) = (secret(&dir, PASSWORD), address(&server));
    let args = ["push", "--mailboxes", &map, &address, "--password-file", &word, "--parallel", "1"];
    let out = pst(&server, &dir, &args).output().unwrap();
    let text = stderr(&out);
    assert_eq!(code(&out), 1, "{text}");
    assert!(text.contains("; ENDED: ") && text.ends_with("1 of 2 mailboxes complete\n"), "{text}");
    let alice = subjects(&server, "alice").values().map(Vec::len).sum::<usize>();
    assert!(alice > 0 && alice < 300, "{alice}");
    assert_eq!(subjects(&server, "bob"), BTreeMap::from([("Inbox".to_owned(), numbered("few", 5))]));
}

/// What has no date, such as a contact, is of the moment of its arrival.
fn dated(mut held: Held) -> Held {
    for all in held.values_mut() {
        for (bytes, date, _) in all.iter_mut() {
            let text = String::from_utf8_lossy(bytes);
            let head = text.split("\r\n\r\n").next().unwrap_or_default();
            *date = date.filter(|_| head.lines().any(|l| l.starts_with("Date: ")));
        }
        all.sort();
    }
    held
}

/// Every PST of the corpus that opens goes by a list into the mailboxes that `pst push`, one by one, fills as well.
#[test]
fn real_files_arrive_as_one_by_one() {
    let Some(corpus) = crate::support::corpus("pst") else { return };
    let Some(server) = Dovecot::start() else { return };
    let dir = tempfile::tempdir().unwrap();
    let opens = |p: &std::path::PathBuf| code(&crate::command::pst(&["ls", &p.display().to_string()])) == 0;
    let files: Vec<_> = files(&corpus, &[".pst"]).into_iter().filter(opens).collect();
    assert!(files.len() > 4, "{files:?}");
    let users = |n: usize| if n.is_multiple_of(2) { ("alice", "carol") } else { ("bob", "dave") };
    let row = |(n, file): (usize, &std::path::PathBuf)| format!("{},{},F{n}\n", file.display(), users(n).0);
    let rows: String = files.iter().enumerate().map(row).collect();
    let map = list(&dir, &format!("file,mailbox,target-root\n{rows}"));
    let (word, server_alone) = (secret(&dir, PASSWORD), address(&server));
    let args = ["push", "--mailboxes", &map, &server_alone, "--password-file", &word, "--json"];
    let out = pst(&server, &dir, &args).output().unwrap();
    assert!(matches!(code(&out), 0 | 1), "{}", stderr(&out));
    let by = said(&out);
    let mut alone = BTreeMap::from([("alice", 0), ("bob", 0)]);
    for (n, file) in files.iter().enumerate() {
        let target = format!("imaps://{}@localhost:{}", users(n).1, server.imaps);
        let args = ["push", &file.display().to_string(), &target, "--target-root", &format!("F{n}"), "--json"];
        let out = pst(&server, &dir, &args).output().unwrap();
        let said: Json = serde_json::from_slice(&out.stdout).unwrap();
        *alone.get_mut(users(n).0).unwrap() += said["written"].as_u64().unwrap();
    }
    for (many, one) in [("alice", "carol"), ("bob", "dave")] {
        let written = by[many]["written"].as_u64().unwrap();
        assert_eq!(written, alone[many], "{many}");
        assert!(dated(held(&server, many)) == dated(held(&server, one)), "{many}");
        eprintln!("{many}: {written} items");
    }
}
