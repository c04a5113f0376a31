//! Attachments as files: every one comes out under a safe name of its own, and the index says where it came from.

use super::support::moving::{Given, Pattern, convert, moved, spec, with_data};
use super::support::{corpus, files};
use pst_core::endpoint::attachments::AttachmentsSink;
use pst_core::mapi::{Attachment, Blob, Message, Value, tag, value::sha256};
use pst_core::mime::{self, ImportOptions, Options, State};
use pst_core::pipeline::Report;
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn bytes(data: &[u8]) -> Blob {
    Blob::Bytes(data.to_vec())
}

fn mail(text: &str) -> Message {
    mime::to_mapi(text.as_bytes(), &State::default(), None).unwrap().message
}

/// The attachments of messages as files, and the rows of the index.
fn written(messages: Vec<Message>, once: bool) -> (tempfile::TempDir, PathBuf, Vec<Json>, Report) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out");
    let sink = AttachmentsSink::create(&path, false, once, ImportOptions::default(), Options::default()).unwrap();
    let report = moved(Arc::new(Given(messages)), Box::new(sink)).unwrap();
    let rows = rows(&path);
    (folder, path, rows, report)
}

fn rows(path: &Path) -> Vec<Json> {
    let text = std::fs::read_to_string(path.join("index.jsonl")).unwrap();
    text.lines().map(|l| serde_json::from_str(l).unwrap()).collect()
}

fn all<'a>(rows: &'a [Json], member: &str) -> Vec<&'a str> {
    rows.iter().map(|r| r[member].as_str().unwrap_or_default()).collect()
}

/// Every row names a file that has its size and hash; no file is without a row.
fn prove(path: &Path, rows: &[Json]) {
    let mut named = BTreeMap::new();
    for row in rows {
        let Some(file) = row["file"].as_str() else {
            assert!(!row["note"].as_str().unwrap().is_empty());
            continue;
        };
        let data = std::fs::read(path.join(file)).unwrap_or_else(|e| panic!("{file}: {e}"));
        assert_eq!(row["size"], data.len() as u64);
        assert_eq!(row["sha256"].as_str().unwrap(), sha256(&Blob::Bytes(data)).unwrap());
        named.insert(path.join(file), ());
    }
    let mut todo = vec![path.to_path_buf()];
    while let Some(at) = todo.pop() {
        for entry in std::fs::read_dir(at).unwrap() {
            let entry = entry.unwrap().path();
            if entry.is_dir() {
                todo.push(entry);
            } else if entry.parent() != Some(path)
                || !entry.file_name().unwrap().to_string_lossy().starts_with("index.")
            {
                assert!(named.contains_key(&entry), "{} is in no row", entry.display());
            }
        }
    }
}

#[test]
fn names_are_safe_and_unlike() {
    let names = ["a.txt", "A.TXT", "../../a.txt", "con.txt", "", "x/y\\z:.bin", "\u{202E}gpj.exe", "index.csv"];
    let given = names.map(|n| with_data("subject", n, bytes(n.as_bytes())));
    let (_folder, path, rows, report) = written(given.to_vec(), false);
    prove(&path, &rows);
    assert_eq!((report.written, report.warnings), (8, 0));
    assert_eq!(
        all(&rows, "file"),
        ["a.txt", "A (2).TXT", "_.._a.txt", "_con.txt", "attachment1", "x_y_z_.bin", "_gpj.exe", "index.csv"]
            .map(|n| format!("Given/{n}"))
    );
    assert_eq!(all(&rows, "name"), names);
}

#[test]
fn what_is_inside_comes_out_too() {
    let inner = with_data("inner", "deep.txt", bytes(b"deep"));
    let mut outer = with_data("outer", "top.txt", bytes(b"top"));
    let mut attachment = Attachment { embedded: Some(Box::new(inner)), ..Attachment::default() };
    attachment.props.set(tag::ATTACH_METHOD, Value::I32(5));
    attachment.props.set(tag::DISPLAY_NAME, Value::text("the inner one"));
    outer.attachments.push(attachment);
    // A mail that was attached as a file, with a mail in it.
    let nested = "Subject: as a file\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\ntext\r\n--b\r\n\
        Content-Type: message/rfc822\r\n\r\nSubject: last\r\nContent-Type: application/pdf; name=last.pdf\r\n\r\nPDF\r\n--b--\r\n";
    outer.attachments.extend(with_data("", "saved.eml", bytes(nested.as_bytes())).attachments);
    let (_folder, path, rows, _) = written(vec![outer], false);
    prove(&path, &rows);
    let inside: Vec<String> = rows
        .iter()
        .map(|r| r["inside"].as_array().unwrap().iter().map(|n| n.as_str().unwrap()).collect::<Vec<_>>().join(" > "))
        .collect();
    assert_eq!(
        all(&rows, "file"),
        ["top.txt", "inner.eml", "deep.txt", "saved.eml", "last.eml", "last.pdf"].map(|n| format!("Given/{n}"))
    );
    assert_eq!(inside, ["", "", "inner.eml", "", "saved.eml", "saved.eml > last.eml"]);
    assert_eq!(all(&rows, "type")[1], "message/rfc822");
    let eml = std::fs::read_to_string(path.join("Given/inner.eml")).unwrap();
    assert!(eml.contains("Subject: inner"));
}

#[test]
fn signed_mail_and_winmail_dat_are_opened() {
    let signed = "Subject: signed\r\nFrom: a@b.c\r\nDate: Mon, 5 Feb 2024 10:00:00 +0000\r\n\
        Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; boundary=s\r\n\r\n--s\r\n\
        Content-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\n\r\ntext\r\n--m\r\n\
        Content-Type: application/pdf; name=signed.pdf\r\n\r\nPDF\r\n--m--\r\n--s\r\n\
        Content-Type: application/pkcs7-signature; name=smime.p7s\r\nContent-Transfer-Encoding: base64\r\n\r\nQUJD\r\n--s--\r\n";
    let (_folder, path, rows, _) = written(vec![mail(signed)], false);
    prove(&path, &rows);
    assert_eq!(all(&rows, "name"), ["signed.pdf", "smime.p7s"]);
    assert_eq!(all(&rows, "date"), ["2024-02-05T10:00:00Z"; 2]);
    let Some(folder) = corpus("tnef/jstedfast__MimeKit/UnitTests/TestData/tnef") else { return };
    let data = std::fs::read(folder.join("winmail.tnef")).unwrap();
    let (_folder, path, rows, _) = written(vec![with_data("s", "winmail.dat", Blob::Bytes(data))], false);
    prove(&path, &rows);
    assert!(rows.len() > 1 && rows[1..].iter().all(|r| r["inside"][0] == "winmail.dat"), "{rows:?}");
}

#[test]
fn equal_data_are_written_once_where_asked() {
    let given = || {
        ["one.bin", "two.bin", "one.bin"]
            .into_iter()
            .zip([&b"same"[..], b"same", b"other"])
            .map(|(n, d)| with_data("s", n, bytes(d)))
            .collect::<Vec<_>>()
    };
    let (_folder, path, rows, report) = written(given(), true);
    prove(&path, &rows);
    assert_eq!(all(&rows, "file"), ["Given/one.bin", "Given/one.bin", "Given/one (2).bin"]);
    assert_eq!(all(&rows, "note"), ["", "the same data as an earlier attachment", ""]);
    assert_eq!(report.target_bytes, 9);
    let (_folder, path, rows, _) = written(given(), false);
    prove(&path, &rows);
    assert_eq!(all(&rows, "file"), ["Given/one.bin", "Given/two.bin", "Given/one (2).bin"]);
}

#[test]
fn what_cannot_be_read_is_told() {
    let broken = Blob::Stream(Arc::new(Pattern { len: 3_000_000, breaks: Some(2_000_000) }));
    let mut message = with_data("s", "broken.bin", broken);
    let whole = Blob::Stream(Arc::new(Pattern { len: 3_000_000, breaks: None }));
    message.attachments.extend(with_data("", "whole.bin", whole).attachments);
    let mut empty = Attachment::default();
    empty.props.set(tag::ATTACH_METHOD, Value::I32(1));
    empty.props.set(tag::ATTACH_LONG_FILENAME, Value::text("nothing.bin"));
    message.attachments.push(empty.clone());
    empty.props.set(tag::ATTACH_METHOD, Value::I32(2));
    empty.props.set(tag::ATTACH_LONG_PATHNAME, Value::text("\\\\server\\share\\file.doc"));
    message.attachments.push(empty);
    let (_folder, path, rows, report) = written(vec![message], false);
    prove(&path, &rows);
    assert_eq!(all(&rows, "file"), ["", "Given/whole.bin", "", "Given/nothing.bin.txt"]);
    assert_eq!(report.warnings, 3, "{:?}", report.notes);
    let note = std::fs::read_to_string(path.join("Given/nothing.bin.txt")).unwrap();
    assert!(note.contains("\\\\server\\share\\file.doc"));
}

#[test]
fn the_table_is_one_that_spreadsheets_open() {
    let (_folder, path, _, _) =
        written(vec![with_data("=cmd|' /C calc'!A0, \"quoted\"\n", "grün.txt", bytes(b"x"))], false);
    let table = std::fs::read(path.join("index.csv")).unwrap();
    let text = String::from_utf8(table.strip_prefix(b"\xEF\xBB\xBF").unwrap().to_vec()).unwrap();
    assert!(
        text.starts_with("folder,item,inside,subject,from,date,name,file,type,size,sha256,content_id,inline,note\r\n")
    );
    assert!(text.contains(",\"'=cmd|' /C calc'!A0, \"\"quoted\"\"\n\","), "{text}");
    assert!(text.ends_with(",,no,\r\n") && text.contains("Given/grün.txt"));
}

#[test]
fn stores_of_the_corpus() {
    let Some(folder) = corpus("pst") else { return };
    let (mut found, mut distinct) = (0, 0);
    for file in files(&folder, &[".pst", ".ost"]) {
        let source = file.display().to_string();
        let Ok(opened) = super::support::moving::open(&source) else { continue };
        let scratch = tempfile::tempdir().unwrap();
        let [out, again] = ["out", "again"].map(|n| scratch.path().join(n));
        let report = convert(&source, &spec("attachments", &out));
        let rows = rows(&out);
        prove(&out, &rows);
        // Of every attachment by value, on every level, the data are there.
        let mut hashes: Vec<&str> = all(&rows, "sha256");
        hashes.sort_unstable();
        let mut todo = Vec::new();
        for folder in opened.folders().unwrap() {
            for item in opened.items(&folder).unwrap().flatten() {
                let pst_core::pipeline::Body::Mapi(message) = opened.load(&folder, &item).unwrap().body else {
                    panic!()
                };
                todo.push(*message);
            }
        }
        assert_eq!(report.written, todo.len() as u64);
        while let Some(message) = todo.pop() {
            let class = message.props.text(tag::MESSAGE_CLASS).unwrap_or_default();
            for attachment in message.attachments {
                if let Some(inner) = attachment.embedded {
                    todo.push(*inner);
                } else if let Some(Value::Binary(data)) = attachment.props.get(tag::ATTACH_DATA_BINARY)
                    && !class.ends_with(".MultipartSigned")
                {
                    assert!(hashes.binary_search(&sha256(data).unwrap().as_str()).is_ok(), "{source}");
                    found += 1;
                }
            }
        }
        hashes.dedup();
        distinct += hashes.len();
        // The same source gives the same files and rows.
        convert(&source, &spec("attachments", &again));
        for name in ["index.csv", "index.jsonl"] {
            assert!(std::fs::read(out.join(name)).unwrap() == std::fs::read(again.join(name)).unwrap(), "{source}");
        }
    }
    eprintln!("{found} attachments by value, {distinct} different ones of all kinds");
    assert!(found > 50);
}
