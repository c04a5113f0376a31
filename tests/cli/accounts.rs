//! The account of a run: reports in three forms, and events for programs.

use super::command::{at, code, fixtures, names, pst, stderr};
use serde_json::Value as Json;
use std::fs;

#[test]
fn a_report_tells_each_folder_and_what_the_target_has() {
    let dir = tempfile::tempdir().unwrap();
    let (mail, target) = (fixtures("mail"), at(&dir, "a.pst"));
    let report = at(&dir, "report.json");
    let out = pst(&["convert", "--report", &report, "--json", &mail, &target]);
    assert_eq!(code(&out), 0, "{}", stderr(&out));
    let summary: Json = serde_json::from_slice(&out.stdout).unwrap();
    let told: Json = serde_json::from_str(&fs::read_to_string(&report).unwrap()).unwrap();
    assert_eq!(told["written"], summary["written"]);
    let folders = told["folders"].as_array().unwrap();
    let sum = |key: &str| folders.iter().map(|f| f[key].as_u64().unwrap()).sum::<u64>();
    assert!(sum("written") > 10 && sum("written") == summary["written"].as_u64().unwrap(), "{told}");
    for f in folders {
        assert_eq!(f["written"], f["target_has"], "{f}");
        assert_eq!(f["differences"], serde_json::json!([]), "{f}");
    }
    let names: Vec<&str> = folders.iter().map(|f| f["target"].as_str().unwrap()).collect();
    for ending in ["html", "csv"] {
        let file = at(&dir, &format!("report.{ending}"));
        let out = pst(&["convert", "--overwrite", "--larger", "1K", "--report", &file, &mail, &target]);
        assert_eq!(code(&out), 0, "{}", stderr(&out));
        let text = fs::read_to_string(&file).unwrap();
        assert!(names.iter().all(|n| text.contains(n)), "{text}");
        assert!(text.contains("left out (size)"), "{text}");
    }
    let refused = pst(&["convert", "--report", &at(&dir, "report.txt"), &mail, &at(&dir, "b.pst")]);
    assert_eq!(code(&refused), 2);
    assert!(stderr(&refused).contains(".html, .json or .csv") && !dir.path().join("b.pst").exists());
}

#[test]
fn events_are_lines_of_json() {
    let dir = tempfile::tempdir().unwrap();
    let out = pst(&["convert", "--json", &fixtures("mail"), &at(&dir, "a.pst")]);
    let events: Vec<Json> = stderr(&out).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let kinds: Vec<&str> = events.iter().map(|e| e["event"].as_str().unwrap()).collect();
    assert_eq!(kinds[0], "planned");
    let folders = kinds.iter().filter(|k| **k == "folder").count();
    assert_eq!(Some(folders as u64), events[0]["folders"].as_u64());
    let last = events.last().unwrap();
    let summary: Json = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!((last["event"].as_str(), &last["items"]), (Some("progress"), &summary["read"]));
}

/// What the target has is counted over all parts of it, and by the exact names of folders.
#[test]
fn a_report_counts_all_parts() {
    let dir = tempfile::tempdir().unwrap();
    let tree = dir.path().join("tree");
    let mut random = crate::support::Seeded(3);
    for (folder, count) in [("A", 12), ("a", 5)] {
        fs::create_dir_all(tree.join(folder)).unwrap();
        for n in 0..count {
            let text: String = (0..400_000).map(|_| char::from(b'a' + random.below(26) as u8)).collect();
            let mail = format!("From: a@x\r\nSubject: {n}\r\n\r\n{text}\r\n");
            fs::write(tree.join(folder).join(format!("{n}.eml")), mail).unwrap();
        }
    }
    if fs::read_dir(&tree).unwrap().count() == 1 {
        eprintln!("skipped: names of files here differ in more than case");
        return;
    }
    let (target, report) = (at(&dir, "a.pst"), at(&dir, "report.json"));
    let source = tree.display().to_string();
    let out = pst(&["convert", "--split", "4M", "--report", &report, &source, &target]);
    assert_eq!(code(&out), 0, "{}", stderr(&out));
    let parts = names(dir.path()).iter().filter(|n| n.ends_with(".pst")).count();
    assert!(parts > 2, "{parts}");
    let told: Json = serde_json::from_str(&fs::read_to_string(&report).unwrap()).unwrap();
    let has = |name: &str| {
        let folders = told["folders"].as_array().unwrap();
        folders.iter().find(|f| f["target"] == name).unwrap()["target_has"].as_u64()
    };
    assert_eq!((has("A"), has("a")), (Some(12), Some(5)), "{told}");
}
