//! Names that would lead out of a target, or onto another file of it: nothing leaves the folder of the target, nothing is
//! overwritten, and each item and attachment is there.

use super::command::{at, code, pst, stderr, tree};
use pst_core::mapi::{Attachment, Blob, Message, PropBag, Role, Value, tag};
use pst_core::messaging::write::{Options, StoreWriter};
use serde_json::Value as Json;
use std::collections::HashSet;
use std::fs;
use std::path::{Component, Path};

/// Names by which folders, subjects, files and people are called.
fn names() -> Vec<String> {
    let plain = [
        "..",
        ".",
        "...",
        "../../out",
        "..\\..\\out",
        "/etc/passwd",
        "\\\\server\\share\\x",
        "C:\\Windows\\x",
        "C:x",
        "~",
        "~root",
        "CON",
        "con.txt",
        "NUL",
        "nul .txt",
        "AUX.eml",
        "COM1",
        "COM¹",
        "LPT9.msg",
        "CONIN$",
        "CLOCK$",
        "a",
        "A",
        "ä",
        "Ä",
        "a\u{308}",
        "a.",
        "a ",
        "a. .",
        " a",
        "a\0b",
        "a\0",
        "\0",
        "a\nb",
        "a\r\nSubject: x",
        "a\u{1B}[2J",
        "a\u{7F}b",
        "gpj\u{202E}exe.txt",
        "\u{2066}a\u{2069}",
        "\u{FEFF}a",
        "a/b",
        "a:b",
        "a:$DATA",
        "a*?\"<>|",
        "%2e%2e%2f",
        "-rf",
        "--overwrite",
        "$(touch x)",
        "`x`",
        ".htaccess",
        "cur",
        "new",
        "tmp",
        ".hidden",
        "index.html",
        "index.csv",
        "index.jsonl",
        "maildirfolder",
        "a.eml",
        "a.mbox",
        "",
        "🙈",
    ];
    let long =
        ["x".repeat(300), "é".repeat(300), "🙈".repeat(200), format!("{}.pdf", "y".repeat(300)), "../".repeat(100)];
    plain.into_iter().map(str::to_owned).chain(long).collect()
}

/// The marks by which items and attachments are known again.
fn mark(n: usize) -> String {
    format!("mark-{n}-")
}

fn item(name: &str, n: usize, class: &str) -> Message {
    let mut m = Message::default();
    m.props.set(tag::MESSAGE_CLASS, Value::text(class));
    m.props.set(tag::SUBJECT, Value::text(name));
    m.props.set(tag::BODY, Value::text(&format!("{} body", mark(n))));
    m.props.set(tag::DISPLAY_NAME, Value::text(name));
    m.props.set(tag::SENDER_NAME, Value::text(name));
    m.props.set(tag::START_DATE, Value::Time(131_000_000_000_000_000));
    m.props.set(tag::END_DATE, Value::Time(131_000_000_000_000_000));
    for (i, set) in [tag::ATTACH_LONG_FILENAME, tag::ATTACH_FILENAME, tag::DISPLAY_NAME].into_iter().enumerate() {
        let mut file = Attachment::default();
        file.props.set(set, Value::text(name));
        file.props.set(tag::ATTACH_METHOD, Value::I32(1));
        let data = format!("{} attachment {i}", mark(n));
        file.props.set(tag::ATTACH_DATA_BINARY, Value::Binary(Blob::Bytes(data.into_bytes())));
        m.attachments.push(file);
    }
    m
}

/// A folder for each name with a folder of the same name in it, and an item in each; and folders in folders, deep down.
fn forged(path: &Path) -> usize {
    let mut writer = StoreWriter::create(path, Options::default()).unwrap();
    let top = writer.top();
    let classes = ["IPM.Note", "IPM.Contact", "IPM.Appointment", "IPM.StickyNote"];
    let mut count = 0;
    let mut add = |writer: &mut StoreWriter, folder, name: &str| {
        for class in classes {
            writer.add(folder, &item(name, count, class), false).unwrap();
            count += 1;
        }
    };
    for name in names() {
        let outer = writer.add_folder(top, &name, Role::None, None, &PropBag::default()).unwrap();
        add(&mut writer, outer, &name);
        let inner = writer.add_folder(outer, &name, Role::None, None, &PropBag::default()).unwrap();
        add(&mut writer, inner, &name);
    }
    let mut deep = top;
    for name in names().into_iter().filter(|n| n.len() > 200).cycle().take(40) {
        deep = writer.add_folder(deep, &name, Role::None, None, &PropBag::default()).unwrap();
    }
    add(&mut writer, deep, "deep down");
    writer.finish().unwrap();
    count
}

/// Judges each file of a target by its name.
fn are_safe(files: &[(std::path::PathBuf, Vec<u8>)], target: &str) {
    let mut seen = HashSet::new();
    for (path, _) in files {
        assert!(
            seen.insert(path.to_string_lossy().to_lowercase()),
            "{target}: {path:?} is there twice but for its case"
        );
        for part in path.components() {
            let Component::Normal(part) = part else { panic!("{target}: {path:?}") };
            let name = part.to_str().unwrap_or_else(|| panic!("{target}: {path:?} is not UTF-8"));
            assert!(name.len() <= 255, "{target}: {name}");
            let bad = |c: char| {
                let turns = matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{200E}' | '\u{200F}');
                c.is_control() || turns || "\\/\"*?<>|".contains(c)
            };
            // A Maildir has colons and dots of its own, and is no kind of Windows.
            if target.starts_with("maildir:") {
                assert!(!name.contains(|c: char| c.is_control() || !c.is_ascii() || c == '\\'), "{target}: {name:?}");
                continue;
            }
            assert!(!name.contains(bad), "{target}: {name:?}");
            assert!(!name.contains(':') && !name.starts_with('.') && !name.ends_with(['.', ' ']), "{target}: {name:?}");
            let stem = name.split('.').next().unwrap().trim_end().to_uppercase();
            let digit = stem.strip_prefix("COM").or_else(|| stem.strip_prefix("LPT"));
            let numbered = digit.is_some_and(|d| "0123456789¹²³".contains(d) && d.chars().count() == 1);
            let device = numbered || ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"].contains(&stem.as_str());
            assert!(!device, "{target}: {name:?} is a device of Windows");
        }
    }
}

fn has(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|w| w == text.as_bytes())
}

#[test]
fn no_name_leads_out_of_a_target() {
    let dir = tempfile::tempdir().unwrap();
    let source = at(&dir, "hostile.pst");
    let count = forged(Path::new(&source));
    let original = fs::read(&source).unwrap();
    for target in [
        "eml:t",
        "msg:t",
        "mbox:t",
        "maildir:t",
        "html:t",
        "attachments:t",
        "ics:t",
        "vcf:t",
        "json:t.jsonl",
        "pst:t.pst",
    ] {
        if target.starts_with("html") && cfg!(not(feature = "html")) {
            continue;
        }
        // Decoys where bad names would lead, and a folder in which the target stands alone.
        let around = dir.path().join("x").join("y");
        let _ = fs::remove_dir_all(dir.path().join("x"));
        fs::create_dir_all(&around).unwrap();
        fs::write(dir.path().join("x").join("out"), "decoy").unwrap();
        let (kind, name) = target.split_once(':').unwrap();
        let to = format!("{kind}:{}", around.join(name).display());
        let out = pst(&["convert", "--json", &source, &to]);
        assert!(code(&out) <= 1 && !out.stdout.is_empty(), "{target}: {}", stderr(&out));
        let report: Json = serde_json::from_slice(&out.stdout).unwrap();
        let number = |field: &str| report[field].as_u64().unwrap();
        assert_eq!(number("failed"), 0, "{target}: {}", stderr(&out));
        assert_eq!(fs::read(dir.path().join("x").join("out")).unwrap(), b"decoy", "{target}");
        let beside: Vec<_> = fs::read_dir(&around).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(beside, [name], "{target}: something stands beside the target");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "{target}");
        assert!(fs::read(&source).unwrap() == original, "{target}: the source has changed");
        if Path::new(name).extension().is_some() {
            assert_eq!(number("written"), count as u64, "{target}");
            continue;
        }
        let files = tree(&around.join(name));
        are_safe(&files, target);
        if kind == "attachments" {
            let data: Vec<&[u8]> = files.iter().map(|(_, b)| b.as_slice()).filter(|b| has(b, " attachment ")).collect();
            assert_eq!(data.len(), 3 * count, "{target}: an attachment was overwritten");
        } else if !matches!(kind, "ics" | "vcf") {
            assert_eq!(number("written"), count as u64, "{target}");
        }
        if kind == "maildir" {
            let messages = files.iter().filter(|(path, _)| path.parent().unwrap().ends_with("cur")).count();
            assert_eq!(messages, count, "{target}: a message was overwritten");
        }
        // Each mark is somewhere: no file was written over.
        if matches!(kind, "eml" | "html") {
            for n in 0..count {
                assert!(files.iter().any(|(_, bytes)| has(bytes, &mark(n))), "{target}: item {n} is not there");
            }
        }
    }
}
