//! The command as its users call it: exit codes, targets, bad input, options.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

pub fn pst(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_pst")).args(args).output().unwrap()
}

pub fn code(out: &Output) -> i32 {
    out.status.code().unwrap()
}

pub fn stderr(out: &Output) -> String {
    String::from_utf8_lossy(&out.stderr).into_owned()
}

pub fn fixtures(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures").join(name).display().to_string()
}

pub fn at(dir: &tempfile::TempDir, name: &str) -> String {
    dir.path().join(name).display().to_string()
}

pub fn names(dir: &Path) -> Vec<String> {
    let mut all: Vec<String> =
        fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().to_string_lossy().into_owned()).collect();
    all.sort();
    all
}

/// Every file below a folder with its bytes.
pub fn tree(top: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let (mut out, mut todo) = (Vec::new(), vec![top.to_path_buf()]);
    while let Some(dir) = todo.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                todo.push(path);
            } else {
                out.push((path.strip_prefix(top).unwrap().to_path_buf(), fs::read(&path).unwrap()));
            }
        }
    }
    out.sort();
    out
}

#[test]
fn the_main_job_and_back() {
    let dir = tempfile::tempdir().unwrap();
    let target = at(&dir, "a.pst");
    let made = pst(&["convert", &fixtures("mail"), &target]);
    assert_eq!(code(&made), 0, "{}", stderr(&made));
    assert!(made.stdout.is_empty(), "stdout is for data");
    assert_eq!(code(&pst(&["check", &target])), 0);
    let info = pst(&["info", "--json", &target]);
    let info: serde_json::Value = serde_json::from_slice(&info.stdout).unwrap();
    let count = info["items"].as_u64().unwrap();
    let eml =
        tree(Path::new(&fixtures("mail"))).iter().filter(|(p, _)| p.extension().is_some_and(|e| e == "eml")).count();
    assert_eq!(count, eml as u64);
    for out in ["eml:e", "msg:g", "mbox:m", "maildir:d", "pst:b.pst"] {
        let (kind, name) = out.split_once(':').unwrap();
        let to = format!("{kind}:{}", at(&dir, name));
        let report = pst(&["convert", "--json", &target, &to]);
        assert_eq!(code(&report), 0, "{out}: {}", stderr(&report));
        let report: serde_json::Value = serde_json::from_slice(&report.stdout).unwrap();
        assert_eq!(report["written"].as_u64(), Some(count), "{out}");
        assert_eq!(report["failed"].as_u64(), Some(0), "{out}");
        let again = pst(&["convert", "--json", &to, &at(&dir, &format!("{name}.again.pst"))]);
        let again: serde_json::Value = serde_json::from_slice(&again.stdout).unwrap();
        assert_eq!(again["written"].as_u64(), Some(count), "{out} read again");
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let mut images = Vec::new();
    for threads in ["1", "2", "7"] {
        let target = at(&dir, &format!("{threads}.pst"));
        assert_eq!(
            code(&pst(&["convert", "--threads", threads, &fixtures("mail"), &fixtures("mbox/thunderbird"), &target])),
            0
        );
        images.push(fs::read(target).unwrap());
        let out = at(&dir, &format!("{threads}.eml"));
        assert_eq!(code(&pst(&["convert", "--threads", threads, &fixtures("mail"), &format!("eml:{out}")])), 0);
    }
    assert!(images[0] == images[1] && images[0] == images[2]);
    let one = tree(&dir.path().join("1.eml"));
    assert!(one == tree(&dir.path().join("2.eml")) && one == tree(&dir.path().join("7.eml")));
}

/// Names of properties are numbered as the items come, although all threads build messages with them: here they come up
/// late, and far from each other.
#[test]
fn names_are_numbered_in_the_order_of_items() {
    let dir = tempfile::tempdir().unwrap();
    let mut mbox = String::new();
    for i in 0..900 {
        mbox += "From a@example.org Sat Jan  3 01:05:34 1996\n";
        for (first, every, field) in [(20, 7, "X-Mailer"), (300, 5, "Accept-Language"), (301, 3, "User-Agent")] {
            if i >= first && i % every == first % every {
                mbox += &format!("{field}: value {i}\n");
            }
        }
        mbox += &format!("Subject: {i}\nMessage-ID: <{i}@x>\n\n{}\n\n", "text ".repeat(i % 200));
    }
    let source = at(&dir, "a.mbox");
    fs::write(&source, mbox).unwrap();
    let mut images = Vec::new();
    for threads in ["1", "2", "3", "8", "8", "8"] {
        let target = at(&dir, "a.pst");
        assert_eq!(code(&pst(&["convert", "--overwrite", "--threads", threads, &source, &target])), 0);
        images.push(fs::read(target).unwrap());
    }
    assert!(images.windows(2).all(|two| two[0] == two[1]));
}

/// A tree may have more mboxes than a process may have files open.
#[test]
fn more_mboxes_than_open_files() {
    let dir = tempfile::tempdir().unwrap();
    let tree = dir.path().join("tree");
    fs::create_dir(&tree).unwrap();
    for i in 0..300 {
        let text = format!("From a@example.org Sat Jan  3 01:05:34 1996\nSubject: {i}\n\ntext\n");
        fs::write(tree.join(format!("{i:03}")), text).unwrap();
    }
    let target = at(&dir, "a.pst");
    let command = format!("ulimit -n 64; exec {} convert {} {target}", env!("CARGO_BIN_EXE_pst"), tree.display());
    let Ok(made) = Command::new("sh").args(["-c", &command]).output() else {
        eprintln!("skipped: there is no sh");
        return;
    };
    assert_eq!(code(&made), 0, "{}", stderr(&made));
    assert!(stderr(&made).contains("300 items read"), "{}", stderr(&made));
}

#[test]
fn an_existing_target_is_refused_and_kept() {
    let dir = tempfile::tempdir().unwrap();
    for (name, spec) in
        [("a.pst", ""), ("a.mbox", ""), ("a.jsonl", ""), ("tree", "eml:"), ("md", "maildir:"), ("at", "attachments:")]
    {
        let path = at(&dir, name);
        if name.contains('.') {
            fs::write(&path, b"precious").unwrap();
        } else {
            fs::create_dir(&path).unwrap();
            fs::write(Path::new(&path).join("precious.eml"), b"precious").unwrap();
        }
        let target = format!("{spec}{path}");
        let before = tree(dir.path());
        let refused = pst(&["convert", &fixtures("mbox/quoted.mbox"), &target]);
        assert_eq!(code(&refused), 2, "{name}");
        assert!(stderr(&refused).contains("--overwrite") && stderr(&refused).contains(name), "{}", stderr(&refused));
        assert!(before == tree(dir.path()), "{name} was touched");
        assert_eq!(code(&pst(&["convert", "--overwrite", &fixtures("mbox/quoted.mbox"), &target])), 0, "{name}");
        assert!(before != tree(dir.path()), "{name} was not replaced");
    }
}

#[test]
fn bad_input_gets_one_sentence_and_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let good = at(&dir, "good.pst");
    assert_eq!(code(&pst(&["convert", &fixtures("mail"), &good])), 0);
    let image = fs::read(&good).unwrap();
    let mut version = image.clone();
    version[10] = 99;
    let cases: [(&str, &[u8]); 5] = [
        ("empty", b""),
        ("text", b"\x00\x01\x02 nothing"),
        ("short.pst", &image[..300]),
        ("cut.pst", &image[..20_000]),
        ("version.pst", &version),
    ];
    for (name, bytes) in cases {
        fs::write(dir.path().join(name), bytes).unwrap();
    }
    let before = names(dir.path());
    for name in ["empty", "text", "short.pst", "cut.pst", "version.pst", "missing.pst"] {
        let out = pst(&["convert", &at(&dir, name), &at(&dir, "out.pst")]);
        assert_eq!(code(&out), 2, "{name}");
        let said = stderr(&out);
        assert!(said.lines().count() == 1 && said.contains(name), "{name}: {said}");
        assert_eq!(names(dir.path()), before, "{name}");
    }
    for args in [&["convert", "one"][..], &["frobnicate"], &["convert", "--since", "yesterday", "a", "b"]] {
        assert_eq!(code(&pst(args)), 2);
    }
    assert_eq!(code(&pst(&["convert", &good, &good, "--overwrite"])), 2, "the target is the source");
    assert!(fs::read(&good).unwrap() == image);
}

#[test]
fn a_dry_run_writes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let out = pst(&["convert", "--dry-run", "--json", &fixtures("mail"), &at(&dir, "a.pst")]);
    assert_eq!(code(&out), 0);
    let report: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    assert!(report["read"].as_u64().unwrap() > 10);
    assert!(names(dir.path()).is_empty());
}

#[test]
fn choices_and_duplicates() {
    let dir = tempfile::tempdir().unwrap();
    let all = fixtures("mail");
    let count = |args: &[&str]| -> (u64, u64) {
        let mut line = vec!["convert", "--dry-run", "--json"];
        line.extend_from_slice(args);
        let target = at(&dir, "x.pst");
        line.push(&target);
        let out = pst(&line);
        assert_eq!(code(&out), 0, "{}", stderr(&out));
        let report: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
        let skipped: u64 = report["skipped"].as_object().unwrap().values().map(|v| v.as_u64().unwrap()).sum();
        assert_eq!(report["read"].as_u64().unwrap(), report["written"].as_u64().unwrap() + skipped);
        (report["written"].as_u64().unwrap(), skipped)
    };
    let (everything, _) = count(&[&all]);
    let (inbox, _) = count(&["--include", "#Inbox#", &all]);
    let (rest, _) = count(&["--exclude", "inbox", &all]);
    assert!(inbox > 0 && inbox + rest == everything);
    let (large, small) = count(&["--larger", "1K", &all]);
    assert!(large > 0 && small > 0 && large + small == everything);
    let (none, _) = count(&["--since", "2400-01-01", &all]);
    assert_eq!(none, 0);
    let (twice, doubled) = count(&["--duplicates", "skip", "--target-root", "/", &all, &all]);
    assert!(twice + doubled == 2 * everything && doubled >= everything);
}

#[test]
fn rich_text_is_kept_where_it_is_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let (source, store) = (at(&dir, "a.eml"), at(&dir, "a.pst"));
    fs::write(&source, "Subject: x\r\nContent-Type: text/rtf\r\n\r\n{\\rtf1 rich}\r\n").unwrap();
    assert_eq!(code(&pst(&["convert", &source, &store])), 0);
    for (options, kept) in [(vec![], false), (vec!["--keep-rtf"], true)] {
        for kind in ["eml", "mbox", "maildir"] {
            let name = format!("{kind}{kept}");
            let to = format!("{kind}:{}", at(&dir, &name));
            let out = pst(&[vec!["convert", &store, &to], options.clone()].concat());
            assert_eq!(code(&out), 0, "{}", stderr(&out));
            let all = tree(Path::new(&at(&dir, &name)));
            assert_eq!(all.iter().any(|(_, b)| String::from_utf8_lossy(b).contains("body.rtf")), kept, "{name}");
        }
    }
}

#[test]
fn msg_and_eml_files_may_stand_in_one_tree() {
    let dir = tempfile::tempdir().unwrap();
    let (tree, store) = (at(&dir, "tree"), at(&dir, "a.pst"));
    assert_eq!(code(&pst(&["convert", &fixtures("mail/Shapes"), &format!("msg:{tree}")])), 0);
    let count = names(Path::new(&tree)).len();
    assert!(names(Path::new(&tree)).iter().all(|n| n.ends_with(".msg")));
    fs::write(Path::new(&tree).join("0.eml"), "Subject: first\r\n\r\nx\r\n").unwrap();
    fs::write(Path::new(&tree).join("no message.msg"), "Subject: text with this ending\r\n\r\nx\r\n").unwrap();
    let report = pst(&["convert", "--json", &tree, &store]);
    let report: serde_json::Value = serde_json::from_slice(&report.stdout).unwrap();
    assert_eq!(report["written"], count + 2);
    // One file, known by its content whatever its name.
    let one = at(&dir, "renamed");
    fs::copy(Path::new(&tree).join(&names(Path::new(&tree))[1]), &one).unwrap();
    assert_eq!(code(&pst(&["convert", &one, &at(&dir, "b.pst")])), 0);
    fs::write(&one, b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1 and no more").unwrap();
    let out = pst(&["convert", &one, &at(&dir, "c.pst")]);
    assert_eq!(code(&out), 1, "{}", stderr(&out));
    assert!(stderr(&out).contains("compound file"), "{}", stderr(&out));
}

/// Ctrl-C leaves nothing under the target's name, and nothing beside it.
#[cfg(unix)]
#[test]
fn an_interrupt_leaves_nothing() {
    use std::io::Write;
    let dir = tempfile::tempdir().unwrap();
    let source = dir.path().join("big.mbox");
    let mut file = std::io::BufWriter::new(fs::File::create(&source).unwrap());
    for i in 0..150_000 {
        write!(file, "From a@b Sat Jan  3 01:05:34 1996\nSubject: {i}\nFrom: a@b\n\n{}\n\n", "text ".repeat(100))
            .unwrap();
    }
    file.into_inner().unwrap();
    for kind in ["pst", "json", "eml", "html"].into_iter().filter(|k| *k != "html" || cfg!(feature = "html")) {
        let target = format!("{kind}:{}", at(&dir, "out"));
        let args = ["convert", source.to_str().unwrap(), &target];
        let mut child = Command::new(env!("CARGO_BIN_EXE_pst")).args(args).spawn().unwrap();
        // Until its temporary file shows that the run has begun.
        while names(dir.path()).len() < 2 {
            assert!(child.try_wait().unwrap().is_none(), "{kind}: the run ended too early");
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
        assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
        assert_eq!(child.wait().unwrap().code(), Some(130), "{kind}");
        assert_eq!(names(dir.path()), ["big.mbox"], "{kind}");
    }
}

#[test]
fn a_part_that_cannot_be_read_is_said_and_ends_with_status_1() {
    let dir = tempfile::tempdir().unwrap();
    let (mail, store) = (at(&dir, "a.eml"), at(&dir, "a.pst"));
    let data = "precious ".repeat(10_000);
    let text = format!("Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: application/x-a; name=a.bin\r\n\r\n{data}");
    fs::write(&mail, text).unwrap();
    assert_eq!(code(&pst(&["convert", "--crypt", "none", &mail, &store])), 0);
    let mut image = fs::read(&store).unwrap();
    let place = image.windows(18).position(|w| w == b"precious precious ").unwrap();
    image[place + 4000] ^= 0x20;
    fs::write(&store, image).unwrap();
    let out = pst(&["convert", "--json", &store, &at(&dir, "b.pst")]);
    let report: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!((code(&out), &report["written"], &report["damaged"]), (1, &1.into(), &1.into()), "{report}");
    assert_eq!(report["warning_codes"]["damaged"], 1, "{report}");
    assert!(stderr(&out).contains("\"code\":\"damaged\""), "{}", stderr(&out));
}

/// Names in mail and arguments may have what terminals take for commands.
#[cfg(unix)]
#[test]
fn nothing_steers_the_terminal() {
    let dir = tempfile::tempdir().unwrap();
    let bad = "in\u{1b}[2J\u{9b}31m";
    let tree = dir.path().join("tree");
    fs::create_dir_all(tree.join(bad)).unwrap();
    let mail = "From: \u{1b}[5mEva <eva@x>\r\nSubject: a\u{9b}2Jb\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
                --b\r\nContent-Type: text/plain; charset=x-\u{1b}[2J\r\n\r\n\u{e9}\r\n--b\r\nContent-Type: image/png; \
                name=\"\u{1b}[2J.png\"\r\nContent-Transfer-Encoding: base64\r\n\r\n*\r\n";
    fs::write(tree.join(bad).join(format!("{bad}.eml")), mail).unwrap();
    fs::write(tree.join(bad).join(format!("{bad}.bin")), [0; 9]).unwrap();
    let target = at(&dir, "a.pst");
    let harmless = |args: &[&str]| {
        let out = pst(args);
        let said = format!("{}{}", String::from_utf8(out.stdout.clone()).unwrap(), stderr(&out));
        assert!(!said.is_empty() && !said.contains(|c: char| c.is_control() && c != '\n'), "{args:?}: {said:?}");
        String::from_utf8(out.stdout).unwrap()
    };
    let source = tree.display().to_string();
    harmless(&["convert", &source, &target]);
    harmless(&["convert", "--json", "--dry-run", &source, &at(&dir, "b.pst")]);
    harmless(&["info", &target]);
    harmless(&["info", &at(&dir, bad)]);
    harmless(&["convert", &at(&dir, bad), &at(&dir, "c.pst")]);
    harmless(&["check", &at(&dir, bad)]);
    let folders = harmless(&["ls", "--json", &target]);
    let paths = folders.lines().map(|l| serde_json::from_str::<serde_json::Value>(l).unwrap()["path"].clone());
    let path = paths.into_iter().find(|p| p.as_str().unwrap().starts_with("in")).unwrap();
    assert_eq!(path, bad, "programs get it as it is");
    harmless(&["ls", &target]);
    harmless(&["ls", &target, bad]);
    let items = harmless(&["ls", "--json", &target, bad]);
    let id = serde_json::from_str::<serde_json::Value>(&items).unwrap()["id"].as_str().unwrap().to_owned();
    harmless(&["cat", "--props", &target, &id]);
    harmless(&["cat", "--json", &target, &id]);
}
