//! `pst prepare` as administrators call it.

use super::command::{at, code, fixtures, names, pst, stderr, tree};
use super::support::corpus;
use super::support::forge::Forge;
use std::fs;
use std::path::Path;

const HEADER: &str = "Workload,FilePath,Name,Mailbox,IsArchive,TargetRootFolder,ContentCodePage,SPFileContainer,SPManifestContainer,SPSiteUrl\r\n";

/// A folder "src" with PSTs of these names, all alike.
fn sources(dir: &tempfile::TempDir, files: &[&str]) -> String {
    let model = at(dir, "model.pst");
    assert_eq!(code(&pst(&["convert", &fixtures("mail/Drafts"), &model])), 0);
    let src = dir.path().join("src");
    for name in files {
        fs::create_dir_all(src.join(name).parent().unwrap()).unwrap();
        // One file of many names, where the system permits.
        if fs::hard_link(&model, src.join(name)).is_err() {
            fs::copy(&model, src.join(name)).unwrap();
        }
    }
    src.display().to_string()
}

fn json(args: &[&str]) -> (i32, serde_json::Value) {
    let out = pst(&[&["prepare", "--json"], args].concat());
    let report = serde_json::from_slice(&out.stdout).unwrap_or_else(|_| panic!("{}", stderr(&out)));
    (code(&out), report)
}

fn rules(findings: &serde_json::Value) -> Vec<&str> {
    findings.as_array().unwrap().iter().map(|f| f["rule"].as_str().unwrap()).collect()
}

fn with_password(path: &Path) {
    let mut forge = Forge { bytes: fs::read(path).unwrap() };
    let store = forge.node(0x21).data;
    forge.set_raw(store, 0x67FF, 0x1234_5678);
    // A hard link has its bytes in common with others.
    fs::remove_file(path).unwrap();
    fs::write(path, forge.bytes).unwrap();
}

#[test]
fn a_report_writes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let src = sources(&dir, &["a.pst", "sub/B.PST", "notes.txt"]);
    let before = tree(dir.path());
    let out = pst(&["prepare", &src]);
    assert_eq!(code(&out), 0, "{}", stderr(&out));
    let said = String::from_utf8(out.stdout.clone()).unwrap();
    assert!(said.contains("a.pst: ready") && said.contains("sub/B.PST: ready"), "{said}");
    assert!(said.contains("it is uploaded as B.pst"), "{said}");
    assert!(stderr(&out).contains("2 ready") && stderr(&out).contains("1 file of other kinds"), "{}", stderr(&out));
    with_password(&dir.path().join("src/a.pst"));
    let out = pst(&["prepare", &src, "--item-limit", "100"]);
    assert_eq!(code(&out), 1);
    let said = String::from_utf8(out.stdout).unwrap();
    assert!(said.contains("a.pst: would be REFUSED") && said.contains("[password]"), "{said}");
    assert!(said.contains("sub/B.PST: items would be SKIPPED") && said.contains("[item-size] / 0x2"), "{said}");
    assert_eq!(before.len(), tree(dir.path()).len());
}

#[test]
fn what_cannot_start() {
    let dir = tempfile::tempdir().unwrap();
    let src = sources(&dir, &["a.pst"]);
    let map = at(&dir, "users.csv");
    fs::write(&map, "file,mail\na.pst,a@example.org\n").unwrap();
    fs::create_dir(at(&dir, "empty")).unwrap();
    let (empty, gone, out, inner) = (at(&dir, "empty"), at(&dir, "gone"), at(&dir, "out"), at(&dir, "src/out"));
    for (args, said) in [
        (vec!["prepare"], "required"),
        (vec!["prepare", &gone], "gone"),
        (vec!["prepare", &empty], "no .pst or .ost"),
        (vec!["prepare", &src, "--map", &map], "\"mail\" is not known"),
        (vec!["prepare", &src, "--map", &gone], "gone"),
        (vec!["prepare", &src, "--repair"], "--out"),
        (vec!["prepare", &src, "--out", &src, "--repair"], "sources are never changed"),
        (vec!["prepare", &src, "--out", &out, "--container-path", "ingestiondata/x"], "the container itself"),
        (vec!["prepare", &src, "--out", &out, "--map", &map, "--unc", "C:\\PSTs"], "not a share"),
    ] {
        let out = pst(&args);
        assert_eq!(code(&out), 2, "{args:?}");
        assert!(stderr(&out).contains(said), "{args:?}: {}", stderr(&out));
    }
    assert_eq!(names(dir.path()), ["empty", "model.pst", "src", "users.csv"]);
    // A folder below the sources is not taken for one of them.
    for more in [None, Some("--overwrite")] {
        let args: Vec<&str> = ["prepare", &src, "--out", &inner].into_iter().chain(more).collect();
        let out = pst(&args);
        assert_eq!(code(&out), 0, "{}", stderr(&out));
        assert_eq!(names(Path::new(&inner)), ["upload.ps1"]);
    }
    assert_eq!(code(&pst(&["prepare", &src, "--out", &inner])), 2, "without --overwrite nothing is replaced");
}

/// Every byte of the mapping file, with names that are hard on CSV, spreadsheets and PowerShell.
#[test]
fn the_mapping_file_and_the_scripts() {
    let dir = tempfile::tempdir().unwrap();
    let files =
        ["=1+1.pst", "Jörg.pst", "O'Hara.pst", "a, b;c.pst", "anna/archive.pst", "ben/Archive.pst", "x%20y.pst"];
    let src = sources(&dir, &files);
    let map = at(&dir, "users.csv");
    let list = "\u{FEFF}File;Mailbox;Archive;Target Root;Code Page\r\n\
                =1+1.pst;=a@example.org;;;\r\n\
                Jörg.pst;jörg@example.org;no;/;\r\n\
                o'hara.pst;o'hara@example.org;TRUE;Old Mail, 2001;\r\n\
                \"a, b;c.pst\";2d7a87fe-d6a2-40cc-8aff-1ebea80d4ae7;FALSE;/Alt \"\"x;932\r\n\
                anna\\*;anna@example.org\r\n\
                ben/*;ben@example.org;yes\r\n\
                x*;x@example.org\r\n";
    fs::write(&map, list).unwrap();
    let out = at(&dir, "out");
    let args = [&src, "--out", &out, "--map", &map, "--container-path", "/PSTFiles/", "--unc", "//server/share/"];
    let (status, report) = json(&args);
    assert_eq!(status, 0, "{report}");
    assert_eq!(names(Path::new(&out)), ["PstImportMappingFile.csv", "import-requests.ps1", "upload.ps1"]);
    let expected = [
        HEADER,
        "Exchange,PSTFiles,_1+1.pst,=a@example.org,FALSE,,,,,\r\n",
        "Exchange,PSTFiles,Jörg.pst,jörg@example.org,FALSE,/,,,,\r\n",
        "Exchange,PSTFiles,O'Hara.pst,o'hara@example.org,TRUE,\"/Old Mail, 2001\",,,,\r\n",
        "Exchange,PSTFiles,a_ b_c.pst,2d7a87fe-d6a2-40cc-8aff-1ebea80d4ae7,FALSE,\"/Alt \"\"\"\"x\",,,,\r\n",
        "Exchange,PSTFiles,anna_archive.pst,anna@example.org,FALSE,,,,,\r\n",
        "Exchange,PSTFiles,ben_Archive.pst,ben@example.org,TRUE,,,,,\r\n",
        "Exchange,PSTFiles,x_20y.pst,x@example.org,FALSE,,,,,\r\n",
    ];
    let written = fs::read_to_string(dir.path().join("out/PstImportMappingFile.csv")).unwrap();
    assert_eq!(written, expected.concat());
    let upload = fs::read_to_string(dir.path().join("out/upload.ps1")).unwrap();
    assert!(upload.starts_with("\u{FEFF}#") && upload.lines().count() + 1 == upload.split("\r\n").count());
    let of = |name: &str| format!("{}", Path::new(&src).join(name).display()).replace('\'', "''");
    for (name, blob) in [
        ("=1+1.pst", "_1%2B1.pst"),
        ("Jörg.pst", "J%C3%B6rg.pst"),
        ("O'Hara.pst", "O%27Hara.pst"),
        ("anna/archive.pst", "anna_archive.pst"),
    ] {
        let line = format!("\r\nSend '{}' 'PSTFiles/{blob}'\r\n", of(name));
        assert!(upload.contains(&line), "{line}\n{upload}");
    }
    let requests = fs::read_to_string(dir.path().join("out/import-requests.ps1")).unwrap();
    let line = "\r\nNew-MailboxImportRequest -Name 'O''Hara.pst' -BatchName 'pst-prepare' -Mailbox 'o''hara@example.org' \
                -FilePath '\\\\server\\share\\O''Hara.pst' -IsArchive -TargetRootFolder 'Old Mail, 2001'\r\n";
    assert!(requests.contains(line), "{requests}");
    assert!(requests.contains("-FilePath '\\\\server\\share\\anna\\archive.pst'\r\n"), "{requests}");
    // What the choices do is told.
    let told = report["choices"].to_string();
    assert!(
        told.contains("Imported") && told.contains("must be enabled") && told.contains("Inbox into Inbox"),
        "{told}"
    );
    assert!(report["notes"].to_string().contains("skips what the first brought"), "{report}");
}

#[test]
fn more_rows_than_a_mapping_file_takes() {
    let dir = tempfile::tempdir().unwrap();
    let files: Vec<String> = (0..501).map(|i| format!("{i:03}.pst")).collect();
    let src = sources(&dir, &files.iter().map(String::as_str).collect::<Vec<_>>());
    let (map, out) = (at(&dir, "users.csv"), at(&dir, "out"));
    fs::write(&map, "file,mailbox\n*.pst,all@example.org\n").unwrap();
    assert_eq!(json(&[&src, "--out", &out, "--map", &map]).0, 0);
    let read = |name: &str| fs::read_to_string(Path::new(&out).join(name)).unwrap();
    let (first, second) = (read("PstImportMappingFile.csv"), read("PstImportMappingFile-2.csv"));
    assert_eq!(first.matches("\r\n").count(), 501);
    assert_eq!(second, format!("{HEADER}Exchange,,500.pst,all@example.org,FALSE,,,,,\r\n"));
    assert!(first.starts_with(HEADER) && first.contains("Exchange,,499.pst,"));
    // A later run with fewer leaves no rows of this one.
    fs::remove_file(Path::new(&src).join("500.pst")).unwrap();
    assert_eq!(code(&pst(&["prepare", &src, "--out", &out, "--map", &map])), 2);
    assert_eq!(json(&[&src, "--out", &out, "--map", &map, "--overwrite"]).0, 0);
    assert_eq!(names(Path::new(&out)), ["PstImportMappingFile.csv", "upload.ps1"]);
}

#[test]
fn rows_and_files_that_do_not_meet() {
    let dir = tempfile::tempdir().unwrap();
    let src = sources(&dir, &["a.pst", "b.pst", "c.pst", "d.pst"]);
    let (map, out) = (at(&dir, "users.csv"), at(&dir, "out"));
    let list = "file,mailbox,archive\na.pst,a@example.org,perhaps\nb.pst,nobody\nc.pst,c@example.org\nC.pst,c2@example.org\n\
                c.pst,c3@example.org\nx.pst,x@example.org\n";
    fs::write(&map, list).unwrap();
    let (status, report) = json(&[&src, "--out", &out, "--map", &map]);
    assert_eq!(status, 1);
    let files = report["files"].as_array().unwrap();
    let found: Vec<Vec<&str>> = files.iter().map(|f| rules(&f["findings"])).collect();
    assert_eq!(found, [vec![], vec![], vec!["two-rows"], vec!["no-row"]], "{report}");
    assert_eq!(rules(&report["list"]), ["choice", "mailbox", "no-file", "no-file"], "{report}");
    let rows = fs::read_to_string(Path::new(&out).join("PstImportMappingFile.csv")).unwrap();
    assert_eq!(rows, format!("{HEADER}Exchange,,a.pst,a@example.org,FALSE,,,,,\r\n"));
    let upload = fs::read_to_string(Path::new(&out).join("upload.ps1")).unwrap();
    assert_eq!(upload.matches("\r\nSend ").count(), 1, "what has no row is not uploaded");
}

/// Parts have the row of their source, and names that no other file has; a second run writes the same bytes, without
/// which a second import would bring everything twice.
#[test]
fn parts_of_a_split_pst() {
    let dir = tempfile::tempdir().unwrap();
    let src = sources(&dir, &["big-2.pst"]);
    let mbox = at(&dir, "big.mbox");
    let text: String = (0..6)
        .map(|i| {
            let line = |n: u64| format!("{:x}\n", (n + 1 + i * 9000).wrapping_mul(0x9E37_79B9_7F4A_7C15)).repeat(4);
            let body: String = (0..9000).map(line).collect();
            format!("From a@b Sat Jan  3 01:05:34 1996\nSubject: {i}\nMessage-ID: <{i}@x>\n\n{body}\n\n")
        })
        .collect();
    fs::write(&mbox, text).unwrap();
    assert_eq!(code(&pst(&["convert", &mbox, &at(&dir, "src/big.pst")])), 0);
    let (map, out) = (at(&dir, "users.csv"), at(&dir, "out"));
    fs::write(&map, "file,mailbox,target-root\nbig.pst,big@example.org,/\nbig-2.pst,two@example.org\n").unwrap();
    let args = |out: &str| -> Vec<String> {
        [&src, "--out", out, "--map", &map, "--split", "3M"].into_iter().map(str::to_owned).collect()
    };
    let run = |out: &str| json(&args(out).iter().map(String::as_str).collect::<Vec<_>>());
    let (status, report) = run(&out);
    assert_eq!(status, 0, "{report}");
    let parts: Vec<String> = names(Path::new(&out)).into_iter().filter(|n| n.ends_with(".pst")).collect();
    assert!(parts.len() > 1 && parts.contains(&"big_2.pst".to_owned()), "{parts:?}");
    let rows: Vec<&str> = report["rows"].as_array().unwrap().iter().map(|r| r["name"].as_str().unwrap()).collect();
    assert_eq!(rows.iter().filter(|n| **n == "big-2.pst").count(), 1, "{rows:?}");
    for row in report["rows"].as_array().unwrap() {
        let is_part = parts.iter().any(|p| row["name"] == p.as_str());
        let mailbox = if is_part { "big@example.org" } else { "two@example.org" };
        assert_eq!(row["mailbox"], mailbox);
        assert_eq!(row["target_root"], if is_part { "/".into() } else { serde_json::Value::Null });
    }
    assert_eq!(rows.len(), parts.len() + 1);
    assert_eq!(
        report["files"][0]["moved"]["written"].as_u64().or(report["files"][1]["moved"]["written"].as_u64()),
        Some(6)
    );
    for part in &parts {
        assert_eq!(code(&pst(&["check", Path::new(&out).join(part).to_str().unwrap()])), 0);
    }
    let again = at(&dir, "again");
    assert_eq!(run(&again).0, 0);
    for part in &parts {
        assert!(
            fs::read(Path::new(&out).join(part)).unwrap() == fs::read(Path::new(&again).join(part)).unwrap(),
            "{part}"
        );
    }
}

#[test]
fn what_is_refused_stays_out_until_it_is_repaired() {
    let dir = tempfile::tempdir().unwrap();
    let src = sources(&dir, &["a.pst", "b.pst"]);
    let locked = dir.path().join("src/b.pst");
    with_password(&locked);
    let before = fs::read(&locked).unwrap();
    let (map, out) = (at(&dir, "users.csv"), at(&dir, "out"));
    fs::write(&map, "file,mailbox\na.pst,a@example.org\nb.pst,b@example.org\n").unwrap();
    let (status, report) = json(&[&src, "--out", &out, "--map", &map]);
    assert_eq!((status, report["rows"].as_array().unwrap().len()), (1, 1));
    let (status, report) = json(&[&src, "--out", &out, "--map", &map, "--repair", "--overwrite"]);
    assert_eq!((status, report["rows"].as_array().unwrap().len()), (0, 2), "{report}");
    assert_eq!(names(Path::new(&out)), ["PstImportMappingFile.csv", "b.pst", "upload.ps1"]);
    assert!(fs::read(&locked).unwrap() == before, "the source is as it was");
    assert!(report["notes"].to_string().contains("import either it or them"), "{report}");
}

#[test]
fn ansi_psts_get_their_code_page() {
    let Some(ansi) = corpus("pst/enrondata__sample2__cceff7e3.pst") else { return };
    let dir = tempfile::tempdir().unwrap();
    let src = sources(&dir, &["unicode.pst"]);
    fs::copy(ansi, at(&dir, "src/ansi.pst")).unwrap();
    let (map, out) = (at(&dir, "users.csv"), at(&dir, "out"));
    fs::write(&map, "file,mailbox,code-page\n*.pst,a@example.org,932\n").unwrap();
    let (status, report) = json(&[&src, "--out", &out, "--map", &map]);
    assert_eq!(status, 0, "{report}");
    let pages: Vec<_> = report["rows"].as_array().unwrap().iter().map(|r| r["code_page"].clone()).collect();
    assert_eq!(pages, [932.into(), serde_json::Value::Null]);
    assert_eq!(rules(&report["files"][0]["findings"]), ["ansi"]);
    assert_eq!(rules(&report["files"][1]["findings"]), ["choice-note"]);
    let (_, report) = json(&[&src, "--out", &out, "--map", &map, "--repair", "--overwrite"]);
    assert_eq!(report["rows"][0]["code_page"], serde_json::Value::Null, "it is Unicode now");
    assert_eq!(report["files"][0]["new_psts"][0]["kind"], "Unicode PST");
}
