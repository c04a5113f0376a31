//! JSON lines, pages and attachments as targets of the command: with all options, whatever the number of threads.

use super::command::{at, code, fixtures, pst, stderr, tree};
use serde_json::Value as Json;
use std::fs;
use std::path::Path;

fn report(args: &[&str]) -> Json {
    let out = pst(&[&["convert", "--json"], args].concat());
    assert_eq!(code(&out), 0, "{}", stderr(&out));
    serde_json::from_slice(&out.stdout).unwrap()
}

/// The targets and what they are called in a folder.
fn targets(dir: &tempfile::TempDir, name: &str) -> Vec<String> {
    let kinds = ["json", "attachments", "html"].into_iter().filter(|k| *k != "html" || cfg!(feature = "html"));
    kinds.map(|kind| format!("{kind}:{}", at(dir, &format!("{name}.{kind}")))).collect()
}

fn path(target: &str) -> &Path {
    Path::new(target.split_once(':').unwrap().1)
}

#[test]
fn any_number_of_threads_gives_the_same_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let all = ["1", "2", "7"].map(|threads| {
        let targets = targets(&dir, threads);
        targets.iter().for_each(|t| _ = report(&["--threads", threads, &fixtures("mail"), t]));
        targets
    });
    for i in 0..all[0].len() {
        let read =
            |t: &str| if path(t).is_dir() { tree(path(t)) } else { vec![("".into(), fs::read(path(t)).unwrap())] };
        let [one, two, seven] = all.each_ref().map(|targets| read(&targets[i]));
        assert!(one == two && one == seven, "{}", all[0][i]);
    }
}

#[test]
fn the_options_count_for_all() {
    let dir = tempfile::tempdir().unwrap();
    let mail = fixtures("mail");
    for target in targets(&dir, "a") {
        let everything = report(&[&mail, &target])["written"].as_u64().unwrap();
        let inbox = report(&["--overwrite", "--include", "#Inbox#", &mail, &target])["written"].as_u64().unwrap();
        assert!(inbox > 0 && inbox < everything, "{target}");
        let late = report(&["--overwrite", "--since", "2400-01-01", &mail, &target]);
        assert_eq!(late["written"], 0, "{target}");
        assert_eq!(late["skipped"]["date"], everything, "{target}");
        let under = report(&["--overwrite", "--target-root", "Old", &mail, &mail, &target]);
        assert_eq!(under["written"], 2 * everything, "{target}");
        if path(&target).is_dir() {
            let found = tree(path(&target));
            assert!(found.iter().any(|(p, _)| p.starts_with("Old/Inbox")), "{target}");
        }
    }
}

#[test]
fn json_lines_are_recognised_and_read() {
    let dir = tempfile::tempdir().unwrap();
    let [first, lines, renamed, second] = ["a.pst", "a.json", "renamed", "b/a.pst"].map(|n| at(&dir, n));
    report(&[&fixtures("mail"), &first]);
    report(&[&first, &lines]);
    fs::rename(&lines, &renamed).unwrap();
    fs::create_dir(dir.path().join("b")).unwrap();
    let there = report(&[&renamed, &second]);
    assert_eq!(there["read"], there["written"]);
    // What is broken off is told, and what is whole is there.
    let text = fs::read(&renamed).unwrap();
    fs::write(&renamed, &text[..text.len() * 9 / 10]).unwrap();
    let cut = pst(&["convert", "--json", &renamed, &at(&dir, "cut.pst")]);
    assert_eq!(code(&cut), 1, "{}", stderr(&cut));
    let cut: Json = serde_json::from_slice(&cut.stdout).unwrap();
    assert!(cut["written"].as_u64().unwrap() > 10 && cut["failed"].as_u64().unwrap() > 0);
    assert!(cut["failures"].to_string().contains("not whole"), "{cut}");
}

#[test]
fn attachments_by_option() {
    let dir = tempfile::tempdir().unwrap();
    let (out, mail) = (at(&dir, "out"), fixtures("mail"));
    let done = pst(&["convert", &mail, "--attachments", &out]);
    assert_eq!(code(&done), 0, "{}", stderr(&done));
    let rows = |out: &str| -> Vec<Json> {
        let text = fs::read_to_string(Path::new(out).join("index.jsonl")).unwrap();
        text.lines().map(|l| serde_json::from_str(l).unwrap()).collect()
    };
    let files = |out: &str| tree(Path::new(out)).len() - 2;
    let once = rows(&out).len();
    assert!(once > 5 && files(&out) == once, "{once}");
    // Both sources are listed; of the second, no file is written again.
    let refused = pst(&["convert", &mail, "--attachments", &out]);
    assert!(code(&refused) == 2 && stderr(&refused).contains("--overwrite"));
    let twice = ["convert", "--overwrite", "--duplicates", "skip", &mail, &mail, "--attachments", &out];
    assert_eq!(code(&pst(&twice)), 0);
    assert_eq!(rows(&out).len(), 2 * once);
    assert!(files(&out) <= once);
    for args in [&["convert", "--attachments", &out][..], &["convert", &mail], &["convert", "html:x", "a.pst"]] {
        assert_eq!(code(&pst(args)), 2, "{args:?}");
    }
}

#[test]
fn a_pst_is_added_to() {
    let dir = tempfile::tempdir().unwrap();
    let target = at(&dir, "a.pst");
    let first = report(&[&fixtures("mail"), &target]);
    let size = fs::metadata(&target).unwrap().len();
    for round in 2..=3 {
        let more = report(&["--append", &fixtures("mail"), &target]);
        assert_eq!(more["written"], first["written"]);
        let listed = pst(&["info", "--json", &target]);
        let info: Json = serde_json::from_slice(&listed.stdout).unwrap();
        assert_eq!(info["items"].as_u64().unwrap(), round * first["written"].as_u64().unwrap(), "{info}");
        assert_eq!(code(&pst(&["check", &target])), 0);
    }
    assert!(fs::metadata(&target).unwrap().len() > size);
    let before = fs::read(&target).unwrap();
    report(&["--append", "--dry-run", &fixtures("mail"), &target]);
    assert!(fs::read(&target).unwrap() == before, "a dry run changes nothing");
    let out = pst(&["convert", "--append", &fixtures("mail"), &at(&dir, "b.mbox")]);
    assert!(code(&out) == 2 && stderr(&out).contains("only a PST can be added to"), "{}", stderr(&out));
    let out = pst(&["convert", "--append", "--overwrite", &fixtures("mail"), &target]);
    assert_eq!(code(&out), 2);
    let out = pst(&["convert", "--append", &target, &target]);
    assert!(stderr(&out).contains("sources are never changed"), "{}", stderr(&out));
}
