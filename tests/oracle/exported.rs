//! Every readable PST of the corpus becomes mbox, Maildir, eml and PST without losing an item or a property.

use super::support::{corpus, files};
use super::written::convert;
use pst_core::endpoint::pst::PstSource;
use pst_core::mapi::value::sha256;
use pst_core::mapi::{Message, PropBag, Value};
use pst_core::pipeline::{Body, Source};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The PSTs and OSTs that libpff reads, with the number of messages that it finds outside search folders.
pub fn genuine() -> Vec<(PathBuf, String)> {
    let (Some(folder), Some(truth)) = (corpus("pst"), corpus("groundtruth")) else { return Vec::new() };
    let all = files(&folder, &[".pst", ".ost"]).into_iter();
    all.filter_map(|file| {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        truth.join(format!("{name}.json")).exists().then_some((file, name))
    })
    .collect()
}

/// Messages in normal folders that libpff found.
fn found_by_libpff(name: &str) -> usize {
    let truth = corpus("groundtruth").unwrap().join(format!("{name}.json"));
    let json: Json = serde_json::from_slice(&std::fs::read(truth).unwrap()).unwrap();
    let folders = json["folders"].as_array().unwrap();
    let normal = folders.iter().filter(|f| f["id"].as_u64().is_some_and(|id| id & 0x1F == 2));
    normal.map(|f| f["msgs"].as_array().map_or(0, Vec::len)).sum()
}

/// How many messages each of the forms has in the files below a folder; appointments, contacts and the like are files of
/// their own in a tree of eml files.
fn count(kind: &str, top: &Path) -> usize {
    let mut n = 0;
    let mut todo = vec![top.to_path_buf()];
    while let Some(at) = todo.pop() {
        if at.is_dir() {
            todo.extend(std::fs::read_dir(&at).unwrap().map(|e| e.unwrap().path()));
            continue;
        }
        let parent = at.parent().unwrap().file_name().unwrap().to_string_lossy().into_owned();
        n += match kind {
            "eml" => usize::from(at.extension().is_some_and(|e| e == "eml" || e == "ics" || e == "vcf")),
            "maildir" => usize::from(parent == "cur" || parent == "new"),
            _ => {
                let bytes = std::fs::read(&at).unwrap();
                bytes.split(|b| *b == b'\n').filter(|l| l.starts_with(b"From ")).count()
            }
        };
    }
    n
}

#[test]
fn no_item_is_lost_on_the_way_out() {
    for (file, name) in genuine() {
        let scratch = tempfile::tempdir().unwrap();
        let mut source_count = None;
        for kind in ["eml", "mbox", "maildir"] {
            let target = scratch.path().join(kind);
            let report = convert(&[&file], Path::new(&format!("{kind}:{}", target.display())));
            let written = report["written"].as_u64().unwrap() as usize;
            assert_eq!(written, *source_count.get_or_insert(written), "{name}: {kind}");
            if written > 0 {
                assert_eq!(count(kind, &target), written, "{name}: messages in {kind}");
            }
        }
        // Ours has folder-associated items too, and what libpff could not read.
        assert!(source_count.unwrap() >= found_by_libpff(&name), "{name}: {source_count:?} written");
    }
}

/// What a copy may have that its original lacks, since [MS-PST] 2.4.5.1.1 demands it of every message: status, display
/// name, times, search key.
const ADDED: &[&str] = &["0E17", "3001", "3007", "3008", "300B"];

/// Files with properties that cannot be copied.
const NAMELESS: &[(&str, &str)] =
    &[("aspose-email__Outlook_part2", "it has properties from 0x8000 on whose ids its name-to-id map does not know")];

/// A message as text that shows every property, its type and value; equal texts are equal messages.
fn show(message: &Message, depth: usize, ansi: bool) -> String {
    let mut out = bag(&message.props, ansi);
    for r in &message.recipients {
        out.push_str(&format!("{depth} recipient\n{}", bag(r, ansi)));
    }
    for a in &message.attachments {
        out.push_str(&format!("{depth} attachment\n{}", bag(&a.props, ansi)));
        if let Some(inner) = &a.embedded {
            out.push_str(&show(inner, depth + 1, ansi));
        }
    }
    out
}

/// Computed or bound to a file, by [MS-PST] 2.4 and 2.5: sizes, row ids, and numbers of the table rows.
const COMPUTED: &[u16] = &[0x0E08, 0x0E20, 0x0E21, 0x67F2, 0x67F3, 0x0E38, 0x0E33, 0x0E34];

fn bag(bag: &PropBag, ansi: bool) -> String {
    let mut lines = BTreeMap::new();
    for p in bag.0.iter().filter(|p| !COMPUTED.contains(&p.tag.id())) {
        let name = p.name.as_ref().map_or_else(|| format!("{:04X}", p.tag.id()), |n| n.to_string());
        let value = match &p.value {
            Value::Binary(b) | Value::Object(b) => sha256(b).unwrap(),
            // A copy says of every subject how long its prefix is, also where the original does not.
            Value::String8(_) | Value::Unicode(_) if p.tag.id() == 0x0037 => {
                let text = p.value.to_text().unwrap();
                format!("{:?}", Some(text.strip_prefix("\u{1}\u{1}").unwrap_or(&text)))
            }
            Value::String8(_) | Value::Unicode(_) => format!("{:?}", p.value.to_text()),
            other => format!("{other:?}"),
        };
        // An ANSI store's strings become Unicode.
        let ty = if ansi && p.tag.ty() & 0xFFF == 0x1E { p.tag.ty() + 1 } else { p.tag.ty() };
        let value = if ansi && p.tag.ty() & 0x101E == 0x101E { String::new() } else { value };
        lines.insert(name, format!("{ty:04X} {value}"));
    }
    lines.into_iter().map(|(k, v)| format!("  {k} {v}\n")).collect()
}

pub fn messages(pst: &Path, ansi: bool) -> Vec<(Vec<String>, String)> {
    let source = PstSource::open(pst).unwrap();
    let mut out = Vec::new();
    for folder in source.folders().unwrap() {
        for item in source.items(&folder).unwrap() {
            let item = item.unwrap();
            let Body::Mapi(message) = source.load(&folder, &item).unwrap().body else { panic!("not MAPI") };
            out.push((folder.path.clone(), show(&message, 0, ansi)));
        }
    }
    out.sort();
    out
}

/// Round trip C: a copy has the same properties, known or not, with the same names, types and bytes.
#[test]
fn a_copy_has_every_property() {
    let mut wrong = Vec::new();
    for (file, name) in genuine() {
        let scratch = tempfile::tempdir().unwrap();
        let copy = scratch.path().join("copy.pst");
        convert(&[&file], &copy);
        let ansi = matches!(std::fs::read(&file).unwrap()[10], 14 | 15);
        let (before, after) = (messages(&file, ansi), messages(&copy, ansi));
        if before.len() != after.len() {
            wrong.push(format!("{name}: {} items before, {} after", before.len(), after.len()));
        }
        for ((path, a), (_, b)) in before.iter().zip(&after).filter(|(a, b)| a != b) {
            let lines = |t: &str| t.lines().map(str::to_owned).collect::<Vec<_>>();
            let (la, lb) = (lines(a), lines(b));
            let nameless =
                |l: &str| NAMELESS.iter().any(|(n, _)| name.starts_with(n)) && l.trim_start().starts_with('8');
            let lost: Vec<_> = la.iter().filter(|l| !lb.contains(l) && !nameless(l)).take(6).collect();
            let new: Vec<_> = lb
                .iter()
                .filter(|l| !la.contains(l) && !ADDED.iter().any(|id| l.trim_start().starts_with(id)))
                .take(6)
                .collect();
            if lost.is_empty() && new.is_empty() {
                continue;
            }
            wrong.push(format!("{name} {path:?}:\n  - {lost:?}\n  + {new:?}"));
        }
        let again = scratch.path().join("again.pst");
        convert(&[&copy], &again);
        assert_eq!(messages(&copy, false), messages(&again, false), "{name}: a copy of the copy");
    }
    assert!(wrong.is_empty(), "{} differences\n{}", wrong.len(), wrong.join("\n"));
}
