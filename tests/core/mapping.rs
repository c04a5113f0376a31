//! MIME to MAPI and back, over every message of the corpus (content-mapping.md 3.1: invariants A and D).

use pst_core::mapi::value::sha256;
use pst_core::mapi::{Blob, Message, Value, tag};
use pst_core::mime::{Options, State, from_mapi, state_of, to_mapi};
use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

fn corpus() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus/eml");
    let path = if path.is_dir() { path } else { PathBuf::from("/work/shared/corpus/eml") };
    path.is_dir().then_some(path)
}

pub fn files() -> Vec<PathBuf> {
    let Some(top) = corpus() else {
        eprintln!("skipped: no corpus");
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = walkdir::WalkDir::new(top)
        .into_iter()
        .filter_map(Result::ok)
        .filter(|e| e.file_type().is_file() && is_mail(e.path()))
        .map(walkdir::DirEntry::into_path)
        .collect();
    files.sort();
    files
}

/// The corpus also holds what other programs made of its messages.
fn is_mail(path: &Path) -> bool {
    !path.extension().is_some_and(|e| ["xml", "html", "json", "txt", "bin"].iter().any(|no| e == *no))
}

fn import(bytes: &[u8]) -> Message {
    to_mapi(bytes, &State::default(), None).expect("it converts").message
}

fn export(message: &Message) -> Vec<u8> {
    let mut out = Vec::new();
    from_mapi(message, &mut out, &Options::default()).expect("it is written");
    out
}

pub fn short(path: &Path) -> String {
    let text = path.display().to_string();
    text.split_once("/eml/").map_or(text.clone(), |(_, t)| t.to_owned())
}

/// Invariant D: what was written once is written the same again.
#[test]
fn export_is_idempotent() {
    let mut bad = Vec::new();
    for path in files() {
        let source = std::fs::read(&path).expect("readable");
        let first = export(&import(&source));
        let second = export(&import(&first));
        if first != second {
            if let Ok(dir) = std::env::var("PST_TEST_DUMP") {
                let name = short(&path).replace('/', "_");
                std::fs::write(format!("{dir}/{name}.1"), &first).expect("dump");
                std::fs::write(format!("{dir}/{name}.2"), &second).expect("dump");
            }
            bad.push(short(&path));
        }
    }
    assert!(bad.is_empty(), "{} files change when they are converted again:\n{}", bad.len(), bad.join("\n"));
}

/// The header fields of a message, unfolded, without those of MIME.
fn fields(bytes: &[u8]) -> Vec<(String, String)> {
    let text: String = match std::str::from_utf8(header_of(bytes)) {
        Ok(t) => t.to_owned(),
        Err(_) => header_of(bytes).iter().map(|b| char::from(*b)).collect(),
    };
    let mut out: Vec<(String, String)> = Vec::new();
    for line in text.replace("\r\n", "\n").replace('\r', "\n").split('\n') {
        if line.starts_with([' ', '\t']) {
            if let Some(last) = out.last_mut() {
                last.1.push_str(line);
            }
        } else if let Some((name, value)) = line.split_once(':') {
            out.push((name.trim_end().to_ascii_lowercase(), value.to_owned()));
        }
    }
    let made = ["type", "transfer-encoding", "disposition", "length", "md5", "id"];
    out.retain(|(n, _)| n != "mime-version" && !n.strip_prefix("content-").is_some_and(|n| made.contains(&n)));
    out.into_iter().map(|(n, v)| (n, v.trim().to_owned())).collect()
}

fn header_of(bytes: &[u8]) -> &[u8] {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let mut at = 0;
    for line in bytes.split_inclusive(|b| *b == b'\n') {
        if line.trim_ascii().is_empty() {
            return &bytes[..at];
        }
        at += line.len();
    }
    bytes
}

/// Files whose header cannot come out as it went in, and why.
const HEADER_EXCEPTIONS: &[(&str, &str)] = &[
    ("COPYING", "no message"),
    (".gitattributes", "no message"),
    ("_TDR", "no message"),
    ("_1394_2_", "no message"),
    ("_2_FP", "no message"),
    ("_RDF_", "no message"),
    ("_2_STln", "no message"),
    ("_2_Sb", "no message"),
    ("sample_output_multipart", "no header at all"),
    ("erroneous.raw", "no header at all"),
    ("malformedHeader-noheader.msg", "no header at all"),
    ("malformedHeader-noheader.out", "no header at all"),
    ("malformedHeaderStartsBody-noheader.msg", "no header at all"),
    ("malformedHeaderStartsBody-noheader.out", "no header at all"),
    ("bad-header-start.raw", "the first field starts with a blank: it is kept as malformed, and made anew"),
    ("obsolete.msg", "lines of blanks inside a folded field end the header for this test's reader"),
    ("obsolete.out", "lines of blanks inside a folded field end the header for this test's reader"),
    ("bad_subject.eml", "lines of blanks inside a folded field end the header for this test's reader"),
    ("new_line_in_to_header.eml", "lines of blanks inside a folded field end the header for this test's reader"),
    ("example14.eml", "lines of blanks inside a folded field end the header for this test's reader"),
    ("example13.eml", "a line that is no field stands inside a folded one: it is kept as malformed"),
];

/// Invariant A, first line: every header field comes out as it went in, in order.
#[test]
fn headers_survive() {
    let mut bad = Vec::new();
    for path in files() {
        let source = std::fs::read(&path).expect("readable");
        let mut before = fields(&source);
        let mut after = fields(&export(&import(&source)));
        after.retain(|(n, _)| n != "x-pst-malformed");
        before.retain(|(n, _)| n.bytes().all(|b| b.is_ascii_graphic()) && !n.is_empty());
        if before != after && !HEADER_EXCEPTIONS.iter().any(|(f, _)| short(&path).ends_with(f)) {
            let diff = before.iter().zip(&after).find(|(a, b)| a != b);
            bad.push(format!("{} {}→{} {diff:?}", short(&path), before.len(), after.len()));
        }
    }
    assert!(bad.is_empty(), "{} headers differ:\n{}", bad.len(), bad.join("\n"));
}

/// Attachments by value: hashes of their data.
fn hashes(message: &Message) -> Vec<Option<String>> {
    message
        .attachments
        .iter()
        .map(|a| match a.props.get(tag::ATTACH_DATA_BINARY) {
            Some(Value::Binary(blob)) if a.embedded.is_none() => Some(sha256(blob).expect("readable")),
            _ => None,
        })
        .collect()
}

struct Leaf {
    kind: String,
    hash: String,
}

fn python(paths: &[PathBuf]) -> Option<HashMap<PathBuf, Option<Vec<Leaf>>>> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/core/leaves.py");
    let mut child = Command::new("python3").arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().ok()?;
    let mut input = child.stdin.take()?;
    let list: Vec<String> = paths.iter().map(|p| p.display().to_string()).collect();
    let feeder = std::thread::spawn(move || input.write_all(list.join("\n").as_bytes()));
    let output = child.wait_with_output().ok()?;
    feeder.join().ok()?.ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut all = HashMap::new();
    let mut current: Option<PathBuf> = None;
    for line in text.lines() {
        let mut parts = line.split('\t');
        match (parts.next()?, parts.next().unwrap_or_default()) {
            ("file", path) => {
                current = Some(path.into());
                all.insert(path.into(), Some(Vec::new()));
            }
            ("leaf", kind) => {
                let hash = parts.next().unwrap_or_default().to_owned();
                if let Some(Some(leaves)) = current.as_ref().and_then(|c| all.get_mut(c)) {
                    leaves.push(Leaf { kind: kind.to_owned(), hash });
                }
            }
            _ => {
                all.insert(current.clone()?, None);
            }
        }
    }
    Some(all)
}

/// Files in which Python's email package and this program see different parts, and why this program is right or what
/// it gives up.
const PART_EXCEPTIONS: &[(&str, &str)] = &[
    ("boolean_decoded_content.eml", "text after the padding of base64: Python decodes it too, into garbage"),
    ("twopart.msg", "blanks after the name of the transfer encoding: Python does not decode"),
    ("twopart.out", "blanks after the name of the transfer encoding: Python does not decode"),
    ("thirdparty/002.eml", "blanks around the name of the transfer encoding: Python does not decode"),
    ("thirdparty/003.eml", "blanks around the name of the transfer encoding: Python does not decode"),
    ("double-bound.msg", "doubled boundaries: empty parts are counted differently"),
    ("2002_06_12_doublebound.msg", "doubled boundaries: empty parts are counted differently"),
    ("sig-uu.msg", "uuencoded files in the text, which Python does not look for"),
    ("sig-uu.out", "uuencoded files in the text, which Python does not look for"),
    ("uu-zeegee.msg", "uuencoded files in the text, which Python does not look for"),
    ("uu-zeegee.out", "uuencoded files in the text, which Python does not look for"),
    ("legacy/049.eml", "uuencoded files in the text, which Python does not look for"),
];

/// Invariant A, attachments: the same number and the same bytes that Python's email package finds.
#[test]
fn attachments_are_those_that_python_finds() {
    let paths = files();
    let Some(all) = python(&paths) else {
        eprintln!("skipped: no python3");
        return;
    };
    let mut bad = Vec::new();
    let mut compared = 0;
    for path in &paths {
        let Some(Some(leaves)) = all.get(path) else { continue };
        let message = import(&std::fs::read(path).expect("readable"));
        let class = message.props.text(tag::MESSAGE_CLASS).unwrap_or_default();
        if class.contains("MultipartSigned") || PART_EXCEPTIONS.iter().any(|(f, _)| short(path).ends_with(f)) {
            continue;
        }
        compared += 1;
        let mut left: Vec<&Leaf> = leaves.iter().collect();
        let mut missing = 0;
        for hash in hashes(&message) {
            let same = |l: &&Leaf| match &hash {
                Some(h) => l.hash == *h,
                None => l.kind.starts_with("message/"),
            };
            let at = left.iter().position(same).or_else(|| left.iter().position(|l| l.kind.starts_with("message/")));
            match at {
                Some(at) => {
                    left.remove(at);
                }
                None => missing += 1,
            }
        }
        let bodies = left.iter().filter(|l| l.kind == "text/plain" || l.kind == "text/html").count();
        let html = left.iter().filter(|l| l.kind == "text/html").count();
        if missing > 0 || bodies != left.len() || bodies > html.max(1) + 1 {
            let kinds: Vec<&str> = left.iter().map(|l| l.kind.as_str()).collect();
            bad.push(format!("{}: {missing} not found there, left there {kinds:?}", short(path)));
        }
    }
    eprintln!("{compared} of {} files compared", paths.len());
    assert!(bad.is_empty(), "{} files differ:\n{}", bad.len(), bad.join("\n"));
}

/// Python's email package finds no defect in what is written.
#[test]
fn python_finds_no_defects() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut written = Vec::new();
    for (i, path) in files().iter().enumerate() {
        let source = std::fs::read(path).expect("readable");
        let target = dir.path().join(format!("{i}.eml"));
        std::fs::write(&target, export(&import(&source))).expect("written");
        written.push((target, short(path)));
    }
    let paths: Vec<PathBuf> = written.iter().map(|(t, _)| t.clone()).collect();
    if let Ok(dump) = std::env::var("PST_TEST_DUMP") {
        for (t, s) in &written {
            std::fs::copy(t, format!("{dump}/{}", s.replace('/', "_"))).expect("dump");
        }
    }
    let Some(all) = python(&paths) else {
        eprintln!("skipped: no python3");
        return;
    };
    // In multipart_report_multiple_status.eml the report itself is malformed, and it is kept as it is.
    written.retain(|(_, s)| !s.ends_with("multipart_report_multiple_status.eml"));
    let bad: Vec<&str> =
        written.iter().filter(|(t, _)| matches!(all.get(t), Some(None) | None)).map(|(_, s)| s.as_str()).collect();
    assert!(bad.is_empty(), "{} of {} with defects:\n{}", bad.len(), written.len(), bad.join("\n"));
}

/// The parts of what is written, as the crate mailparse sees them: the bytes of each that holds no other.
fn parts_by_mailparse(bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
    let root = mailparse::parse_mail(bytes).ok()?;
    let leaves = root.parts().filter(|p| p.subparts.is_empty());
    leaves.map(|p| p.get_body_raw().ok()).collect()
}

/// A second parser, besides Python's, reads all that is written, and finds the bytes of every attachment in it.
#[test]
fn mailparse_reads_what_is_written() {
    let (mut bad, mut compared) = (Vec::new(), 0);
    for path in files() {
        let message = import(&std::fs::read(&path).expect("readable"));
        let Some(parts) = parts_by_mailparse(&export(&message)) else {
            bad.push(format!("{}: not read", short(&path)));
            continue;
        };
        let class = message.props.text(tag::MESSAGE_CLASS).unwrap_or_default();
        // The parts of signed mail are in one attachment in the store.
        if class.contains("MultipartSigned") {
            continue;
        }
        compared += 1;
        let mut left: Vec<String> =
            parts.into_iter().map(|bytes| sha256(&Blob::Bytes(bytes)).expect("in memory")).collect();
        for hash in hashes(&message).into_iter().flatten() {
            match left.iter().position(|h| *h == hash) {
                Some(at) => drop(left.swap_remove(at)),
                None => bad.push(format!("{}: an attachment is not found", short(&path))),
            }
        }
    }
    println!("{compared} messages compared");
    assert!(bad.is_empty(), "{} differences:\n{}", bad.len(), bad.join("\n"));
}

/// The attachments of what is written are those that went in.
#[test]
fn attachments_survive() {
    let mut bad = Vec::new();
    for path in files() {
        let first = import(&std::fs::read(&path).expect("readable"));
        let second = import(&export(&first));
        let (mut a, mut b) = (hashes(&first), hashes(&second));
        a.sort();
        b.sort();
        let body = |m: &Message| m.props.text(tag::BODY).unwrap_or_default();
        if a != b || body(&first) != body(&second) {
            bad.push(format!("{}: {} → {}, body {}", short(&path), a.len(), b.len(), body(&first) == body(&second)));
        }
    }
    assert!(bad.is_empty(), "{} files differ:\n{}", bad.len(), bad.join("\n"));
}

#[test]
fn state_survives() {
    for bits in 0..32 {
        let state = State {
            seen: Some(bits & 1 != 0),
            answered: bits & 2 != 0,
            forwarded: bits & 4 != 0,
            flagged: bits & 8 != 0,
            draft: bits & 16 != 0,
            keywords: if bits & 1 != 0 { vec!["Ärger".into(), "b".into()] } else { Vec::new() },
        };
        let message = to_mapi(b"Subject: x\r\n\r\ny\r\n", &state, Some(0)).expect("it converts").message;
        assert_eq!(state_of(&message), state);
    }
}

#[test]
fn nesting_is_bounded_on_a_small_stack() {
    let run = || {
        let mut mail = Vec::new();
        for i in 0..3000 {
            mail.extend(format!("Subject: level {i}\r\nContent-Type: message/rfc822\r\n\r\n").bytes());
        }
        mail.extend_from_slice(b"Subject: last\r\n\r\nend\r\n");
        let message = import(&mail);
        let mut depth = 0;
        let mut at = &message;
        while let Some(inner) = at.attachments.first().and_then(|a| a.embedded.as_deref()) {
            depth += 1;
            at = inner;
        }
        assert_eq!(depth, 63);
        let text = export(&message);
        assert!(text.ends_with(b"--\r\n") && memchr::memmem::find(&text, b"Subject: last").is_some());
    };
    std::thread::Builder::new().stack_size(2 << 20).spawn(run).expect("a thread").join().expect("no overflow");
}
