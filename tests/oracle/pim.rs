//! Calendars and vCards against what Python packages read in them: icalendar, recurring-ical-events and vobject; and the
//! PSTs made of them against libpff and outlook-pst.

use super::oracle::ask;
use super::support::corpus;
use super::written::prove;
use pst_core::mapi::named::PS_PUBLIC_STRINGS;
use pst_core::mapi::{Message, NamedProp};
use pst_core::mime::Options;
use pst_core::mime::calendar::{Calendar, Entry, index, read};
use pst_core::mime::contact::{self, Card, Version};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::path::PathBuf;

fn all(kind: &str) -> Vec<PathBuf> {
    let Some(top) = corpus(kind) else { return Vec::new() };
    let all = walkdir::WalkDir::new(top).sort_by_file_name().into_iter().flatten();
    all.filter(|e| e.file_type().is_file()).map(walkdir::DirEntry::into_path).collect()
}

/// An item without the lines that were kept of its source: what its properties alone say.
fn bare(mut message: Message) -> Message {
    let kept = NamedProp::text(PS_PUBLIC_STRINGS, "pst:icalendar");
    message.props.0.retain(|p| p.name.as_deref() != Some(&kept));
    for attachment in &mut message.attachments {
        attachment.embedded = attachment.embedded.take().map(|m| Box::new(bare(*m)));
    }
    message
}

fn calendar_of(message: &Message) -> Vec<u8> {
    let entry = Entry::of(message, &Options::default()).unwrap().unwrap();
    let mut out = Vec::new();
    let mut calendar = Calendar::begin(None, &mut out).unwrap();
    calendar.add(entry, &mut out).unwrap();
    calendar.end(&mut out).unwrap();
    out
}

/// How often each property is there, by the name of its component.
fn properties(answer: &Json) -> Option<BTreeMap<String, usize>> {
    let mut out = BTreeMap::new();
    for item in answer["items"].as_array()? {
        for p in item[1].as_array()? {
            *out.entry(format!("{} {} {}", item[0], p[0], p[1])).or_default() += 1;
        }
    }
    Some(out)
}

/// An item of the corpus.
struct Made {
    what: String,
    warnings: Vec<String>,
}

/// Items for which recurring-ical-events errs, and why.
const OTHERWISE: &[(&str, &str)] = &[];

#[test]
fn calendars_of_the_corpus() {
    let scratch = tempfile::tempdir().unwrap();
    let (mut made, mut lines) = (Vec::new(), Vec::new());
    let mut number = 0..;
    let mut put = |bytes: &[u8]| {
        let path = scratch.path().join(format!("{}.ics", number.next().unwrap()));
        std::fs::write(&path, bytes).unwrap();
        path.display().to_string()
    };
    for path in all("ical") {
        let text = std::fs::read(&path).unwrap();
        for (i, place) in index(&text).into_iter().enumerate() {
            let pieces: Vec<u8> = place.pieces.into_iter().flat_map(|r| [&text[r], b"\r\n"].concat()).collect();
            let source = [b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n", pieces.as_slice(), b"END:VCALENDAR\r\n"].concat();
            let Some((_, item)) = read(&source).0.into_iter().next() else { panic!("{}", path.display()) };
            let whole = calendar_of(&item.message);
            let source = put(&source);
            lines.push(format!("ics\t{source}\t{}", put(&whole)));
            lines.push(format!("ics\t{source}\t{}", put(&calendar_of(&bare(item.message)))));
            made.push(Made { what: format!("{} item {i}", path.display()), warnings: item.warnings });
        }
    }
    if made.is_empty() {
        return;
    }
    let Some(answers) = ask("pim.py", &["icalendar", "recurring_ical_events", "vobject"], &lines) else { return };
    let (mut read, mut dates, mut exact, mut inexact) = (0, 0, 0, 0);
    let mut bad = Vec::new();
    for (item, answers) in made.iter().zip(answers.chunks(2)) {
        let [whole, bare] = answers else { panic!() };
        let said = |words: &str| item.warnings.iter().any(|w| w.contains(words));
        let (Some(source), Some(ours)) = (properties(&whole[0]), properties(&whole[1])) else {
            if whole[1]["items"].is_null() {
                bad.push(format!("{}: icalendar does not read ours: {}", item.what, whole[1]["error"]));
            }
            continue;
        };
        read += 1;
        for (p, _) in source.iter().filter(|(p, n)| ours.get(*p).unwrap_or(&0) < n) {
            let name = p.split(' ').nth(1).unwrap().trim_matches('"');
            if !said(name) && !said("a time without a zone") {
                bad.push(format!("{}: {p} is lost: {:?}", item.what, item.warnings));
            }
        }
        let Some(source) = whole[0]["occurrences"].as_array().filter(|_| !said("a time without a zone")) else {
            continue;
        };
        let all = OTHERWISE.iter().any(|(w, _)| item.what.contains(w));
        if all {
            continue;
        }
        dates += source.len();
        if whole[1]["occurrences"].as_array() != Some(source) {
            bad.push(format!("{}: dates {source:?}\n  with what was kept {:?}", item.what, whole[1]));
        }
        if said("Outlook") || said("only the first occurrence") {
            inexact += 1;
        } else {
            exact += 1;
            if bare[1]["occurrences"].as_array() != Some(source) {
                bad.push(format!("{}: dates {source:?}\n  by properties {:?}", item.what, bare[1]));
            }
        }
    }
    eprintln!(
        "{} items, {read} read by icalendar, {dates} dates; {exact} items exact by their properties, {inexact} said to differ",
        made.len()
    );
    assert!(bad.is_empty(), "{}\n{}", bad.len(), bad.join("\n"));
}

#[test]
fn cards_of_the_corpus() {
    let scratch = tempfile::tempdir().unwrap();
    let (mut made, mut lines) = (Vec::new(), Vec::new());
    for path in all("vcard") {
        let bytes = std::fs::read(&path).unwrap();
        let (items, left) = contact::read(&bytes, &contact::Directory::default());
        let mut said = left;
        let outs = [Version::V3, Version::V4].map(|vcard| {
            let mut out = Vec::new();
            for (_, item) in &items {
                let card = Card::of(&item.message, &Options { vcard, ..Options::default() }).unwrap().unwrap();
                card.write(&mut out).unwrap();
            }
            let path = scratch.path().join(format!("{}-{vcard:?}.vcf", made.len()));
            std::fs::write(&path, out).unwrap();
            path.display().to_string()
        });
        said.extend(items.into_iter().flat_map(|(_, i)| i.warnings));
        lines.push(format!("vcf\t{}\t{}\t{}", path.display(), outs[0], outs[1]));
        made.push(Made { what: path.display().to_string(), warnings: said });
    }
    if made.is_empty() {
        return;
    }
    let Some(answers) = ask("pim.py", &["icalendar", "recurring_ical_events", "vobject"], &lines) else { return };
    let (mut read, mut bad) = (0, Vec::new());
    for (item, answer) in made.iter().zip(answers) {
        let [source, three, four] = [0, 1, 2].map(|i| answer[i].as_array().cloned());
        let (Some(three), Some(four)) = (three, four) else {
            bad.push(format!("{}: vobject does not read ours", item.what));
            continue;
        };
        let Some(source) = source else { continue };
        read += source.len();
        let flat = |cards: &[Json]| -> Vec<String> {
            cards.iter().flat_map(|c| c.as_array().unwrap().clone()).map(|l| l.to_string()).collect()
        };
        let (three, four) = (flat(&three), flat(&four));
        for line in flat(&source) {
            let name = line.split('"').nth(1).unwrap();
            if name == "VERSION" || item.warnings.iter().any(|w| w.contains(name)) {
                continue;
            }
            if !three.contains(&line) && !four.contains(&line) {
                bad.push(format!("{}: {line} is lost: {:?}", item.what, item.warnings));
            }
        }
    }
    eprintln!("{} files, {read} cards read by vobject", made.len());
    assert!(bad.is_empty(), "{}\n{}", bad.len(), bad.join("\n"));
}

/// PSTs of calendars and cards are clean, and all readers find the same in them.
#[test]
fn stores_made_of_calendars_and_cards() {
    let scratch = tempfile::tempdir().unwrap();
    for (kind, ending) in [("ical", "ics"), ("vcard", "vcf")] {
        let top = scratch.path().join(kind);
        std::fs::create_dir(&top).unwrap();
        for (i, path) in all(kind).into_iter().enumerate() {
            let bytes = std::fs::read(&path).unwrap();
            // A file without an item is reported as one that failed.
            if !index(&bytes).is_empty() || !contact::index(&bytes).is_empty() {
                std::fs::write(top.join(format!("{i}.{ending}")), bytes).unwrap();
            }
        }
        if std::fs::read_dir(&top).unwrap().next().is_some() {
            prove(&top);
        }
    }
}
