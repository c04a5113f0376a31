//! What `pst prepare` writes, as independent programs read it: new PSTs hold what their sources held, and the mapping
//! file is a table.

use super::oracle;
use super::support::{corpus, files};
use super::written::{PST, clean, same};
use std::path::{Path, PathBuf};
use std::process::Command;

fn prepare(args: &[&str]) -> serde_json::Value {
    let out = Command::new(PST).args(["prepare", "--json"]).args(args).output().unwrap();
    let code = out.status.code().unwrap();
    assert!(code < 2, "{}", String::from_utf8_lossy(&out.stderr));
    let report: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(report["ready"], code == 0);
    report
}

/// OLE objects are attachments without a file for us; outlook-pst takes them for embedded messages, and libpff for the
/// reference to their node.
fn alike(what: &str, theirs: &oracle::Listing, ours: &oracle::Listing) {
    let nothing = oracle::sha(b"");
    let mut theirs = theirs.clone();
    let own = ours.iter().flat_map(|f| &f.messages).map(|m| m.attachments.clone());
    for (message, own) in theirs.iter_mut().flat_map(|f| &mut f.messages).zip(own) {
        for (theirs, own) in message.attachments.iter_mut().zip(own).filter(|(_, own)| *own == nothing) {
            *theirs = own;
        }
    }
    same(what, &theirs, ours);
}

/// Subjects and attachments of all messages, whatever their folders.
fn contents(listing: oracle::Listing) -> Vec<(String, Vec<String>)> {
    let mut out: Vec<_> = listing.into_iter().flat_map(|f| f.messages).map(|m| (m.subject, m.attachments)).collect();
    out.sort();
    out
}

/// ANSI PSTs, OSTs, and PSTs with passwords or damaged structures.
#[test]
fn repaired_psts_hold_all_that_their_sources_held() {
    let Some(folder) = corpus("pst") else { return };
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let report = prepare(&[folder.to_str().unwrap(), "--out", out.to_str().unwrap(), "--repair"]);
    let mut made = 0;
    for file in report["files"].as_array().unwrap().iter().filter(|f| !f["new_psts"].is_null()) {
        let source = Path::new(file["file"].as_str().unwrap());
        assert_eq!((&file["moved"]["failed"], &file["moved"]["damaged"]), (&0.into(), &0.into()), "{file}");
        let new = Path::new(file["new_psts"][0]["file"].as_str().unwrap());
        assert_eq!(file["new_psts"][0]["ready"], true, "{file}");
        clean(new);
        let ours = oracle::ours(new);
        assert_eq!(contents(ours.clone()), contents(oracle::ours(source)), "{}", source.display());
        let name = new.display().to_string();
        if let Some(theirs) = oracle::libpff(new) {
            alike(&format!("{name}: libpff"), &theirs.unwrap(), &ours);
        }
        alike(&format!("{name}: outlook-pst"), &oracle::outlook_pst(new).unwrap(), &ours);
        made += 1;
    }
    // Six of the corpus are such, and three that other programs wrote have findings of `check`.
    let wanted = report["files"].as_array().unwrap().iter().filter(|f| {
        let cured = ["ost", "password", "ansi", "structure", "repairable", "damaged-item", "damaged-folder"];
        cured.iter().any(|id| !f["counts"][id].is_null())
    });
    assert_eq!(made, wanted.count());
    assert!(made >= 6, "{made}");
}

#[test]
fn parts_together_hold_what_the_source_held() {
    let Some(folder) = corpus("pst") else { return };
    let Some(source) = files(&folder, &[".ost"]).pop() else { return };
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let report = prepare(&[source.to_str().unwrap(), "--out", out.to_str().unwrap(), "--split", "2M"]);
    let parts: Vec<PathBuf> = files(&out, &[".pst"]);
    assert!(parts.len() > 1 && report["files"][0]["new_psts"].as_array().unwrap().len() == parts.len());
    let mut all = Vec::new();
    for part in &parts {
        assert!(std::fs::metadata(part).unwrap().len() <= 2 << 20);
        clean(part);
        let ours = oracle::ours(part);
        if let Some(theirs) = oracle::libpff(part) {
            alike(&format!("{}: libpff", part.display()), &theirs.unwrap(), &ours);
        }
        alike(&format!("{}: outlook-pst", part.display()), &oracle::outlook_pst(part).unwrap(), &ours);
        all.extend(ours);
    }
    assert_eq!(contents(all), contents(oracle::ours(&source)));
}

#[test]
fn python_reads_the_mapping_file() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name).display().to_string();
    let names = ["plain.pst", "o'neil, \"x\".pst", "=1+1.pst", "Jörg.pst"];
    std::fs::create_dir(at("src")).unwrap();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/mail/Drafts");
    for name in names.iter().filter(|n| cfg!(unix) || !n.contains('"')) {
        let target = format!("pst:{}", Path::new(&at("src")).join(name).display());
        let made = Command::new(PST).arg("convert").arg(&fixtures).arg(&target).status().unwrap();
        assert!(made.success());
    }
    std::fs::write(at("users.csv"), "file,mailbox,target-root\n*,anna@example.org,\"/Old, \"\"very\"\" old\"\n")
        .unwrap();
    let report = prepare(&[&at("src"), "--out", &at("out"), "--map", &at("users.csv")]);
    let code =
        "import csv, json, sys\nprint(json.dumps(list(csv.reader(open(sys.argv[1], newline='', encoding='utf-8')))))";
    let python = std::env::var("PST_TEST_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let Ok(read) = Command::new(python).args(["-c", code, &at("out/PstImportMappingFile.csv")]).output() else {
        eprintln!("skipped: the mapping file through Python (no python3)");
        return;
    };
    let rows: Vec<Vec<String>> = serde_json::from_slice(&read.stdout).unwrap();
    assert_eq!(rows.len(), report["rows"].as_array().unwrap().len() + 1);
    assert!(rows.len() > names.len() - usize::from(!cfg!(unix)));
    for (row, told) in rows.iter().skip(1).zip(report["rows"].as_array().unwrap()) {
        assert_eq!(row.len(), 10);
        assert_eq!(
            (row[0].as_str(), row[2].as_str(), row[3].as_str()),
            ("Exchange", told["name"].as_str().unwrap(), "anna@example.org")
        );
        assert_eq!(row[5], "/Old, \"very\" old");
    }
}
