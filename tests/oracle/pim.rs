//! Calendars and vCards against what Python packages read in them: icalendar, recurring-ical-events and vobject; and the
//! PSTs made of them against libpff and outlook-pst.

use super::oracle::{self, ask};
use super::support::corpus;
use super::written::{clean, convert, same, total};
use pst_core::mapi::named::PS_PUBLIC_STRINGS;
use pst_core::mapi::{Message, NamedProp};
use pst_core::mime::Options;
use pst_core::mime::calendar::{Calendar, Entry, index, read};
use pst_core::mime::contact::{self, Card, Version};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::path::PathBuf;

fn all(kind: &str) -> Vec<PathBuf> {
    let (mut out, mut todo) = (Vec::new(), Vec::from_iter(corpus(kind)));
    while let Some(at) = todo.pop() {
        if at.is_dir() {
            todo.extend(std::fs::read_dir(&at).unwrap().map(|e| e.unwrap().path()));
        } else {
            out.push(at);
        }
    }
    out.sort();
    out
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

/// Files whose dates are told otherwise, and why.
const OTHERWISE: &[(&str, &str)] = &[
    ("017.ics", "an occurrence ends before it begins: it has no length"),
    ("021.ics", "icalendar knows the zone of the end and not that of the start"),
    ("085.ics", "a day that ends when it begins lasts a day"),
    ("162.ics item 13", "it ends on a day and begins at a time"),
    ("231.ics", "text in quoted-printable, which icalendar leaves as it is"),
    ("161.ics", "a series over a change of the zone's rules: Outlook has one rule for a series"),
    ("168.ics", "it is not in UTF-8"),
    ("175.ics", "recurring-ical-events has a series of days begin a day early"),
    ("185.ics", "icalendar takes the tz database instead of the rules that the file has for these years"),
    ("197.ics", "an occurrence is left out and changed at once"),
];

/// Words of warnings after which dates or lines may be others.
const SAID: &[&str] =
    &["a time without a zone", "UTC is taken", "no start that can be understood", "only the first of several rules"];

/// True if times from midnight to midnight became whole days, as [MS-OXCICAL] 2.1.3.1.1.20.8 has it.
fn whole_days(source: &[Json], ours: &[Json]) -> bool {
    let is_day = |o: &Json| o[0].as_str().is_some_and(|t| t.len() == 8);
    !ours.is_empty() && ours.iter().all(is_day) && !source.iter().any(is_day) && source.len().abs_diff(ours.len()) < 2
}

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
            made.push(Made {
                what: format!("{} item {i}", path.display()),
                warnings: item.warnings.into_iter().map(|w| w.text).collect(),
            });
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
            if whole[1]["items"].is_null() && !whole[0]["items"].is_null() {
                bad.push(format!("{}: icalendar does not read ours: {}", item.what, whole[1]["error"]));
            }
            continue;
        };
        read += 1;
        for (p, _) in source.iter().filter(|(p, n)| ours.get(*p).unwrap_or(&0) < n) {
            let name = p.split(' ').nth(1).unwrap().trim_matches('"');
            if !said(name) && !SAID.iter().any(|w| said(w)) && !p.contains('\u{FFFD}') && !p.contains("=0A") {
                bad.push(format!("{}: {p} is lost: {:?}", item.what, item.warnings));
            }
        }
        // Where Python knows no zone, there is nothing to compare; nor where it drops a series.
        let floats = |o: &Json| o[0].as_str().is_some_and(|t| t.contains('T') && !t.ends_with('Z'));
        let Some(source) = whole[0]["occurrences"].as_array() else { continue };
        let otherwise = OTHERWISE.iter().any(|(file, _)| item.what.contains(file)) || SAID.iter().any(|w| said(w));
        if source.is_empty() || source.iter().any(floats) || otherwise {
            continue;
        }
        dates += source.len();
        if whole[1]["occurrences"].as_array() != Some(source) {
            bad.push(format!("{}: dates {source:?}\n  with what was kept {:?}", item.what, whole[1]));
        }
        if said("Outlook") || said("only the first occurrence") {
            inexact += 1;
            continue;
        }
        exact += 1;
        let ours = bare[1]["occurrences"].as_array();
        if ours != Some(source) && !ours.is_some_and(|ours| whole_days(source, ours)) {
            bad.push(format!("{}: dates {source:?}\n  by properties {:?}", item.what, bare[1]));
        }
    }
    eprintln!(
        "{} items, {read} read by icalendar, {dates} dates; {exact} items exact by their properties, {inexact} said to differ",
        made.len()
    );
    assert!(bad.is_empty(), "{}\n{}", bad.len(), bad.join("\n"));
}

/// Lines that vobject reads badly in the source, or that ours has in another form of the same.
const BADLY: &[(&str, &str, &str)] = &[
    ("001.vcf", "LABEL", "a comma ends the text in vCard 2.1"),
    ("007.vcf", "LABEL", "a comma ends the text in vCard 2.1"),
    ("010.vcf", "LABEL", "a comma ends the text in vCard 2.1"),
    ("024.vcf", "PHOTO", "a data: URI without its padding"),
    ("033.vcf", "PHOTO", "base64 that is cut off"),
    ("036.vcf", "LABEL", "a comma ends the text in vCard 2.1"),
    ("036.vcf", "X-MS-ANNIVERSARY", "ANNIVERSARY in vCard 4, 2011-01-13 in vCard 3"),
    ("041.vcf", "LABEL", "a comma ends the text in vCard 2.1"),
    ("041.vcf", "NOTE", "CR and LF in two lines of quoted-printable"),
    ("042.vcf", "LABEL", "a comma ends the text in vCard 2.1"),
    ("042.vcf", "NOTE", "a comma ends the text in vCard 2.1"),
    ("042.vcf", "X-MS-ANNIVERSARY", "ANNIVERSARY in vCard 4, 2012-08-01 in vCard 3"),
    ("060.vcf", "LABEL", "a line folded in both ways"),
];

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
        said.extend(items.into_iter().flat_map(|(_, i)| i.warnings).map(|w| w.text));
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
        let Some(source) = source else { continue };
        let (Some(three), Some(four)) = (three, four) else {
            bad.push(format!("{}: vobject does not read ours", item.what));
            continue;
        };
        read += source.len();
        let flat = |cards: &[Json]| -> Vec<String> {
            cards.iter().flat_map(|c| c.as_array().unwrap().clone()).map(|l| l.to_string()).collect()
        };
        let (three, four) = (flat(&three), flat(&four));
        for line in flat(&source) {
            let name = line.split('"').nth(1).unwrap();
            let vobject = BADLY.iter().any(|(file, n, _)| item.what.ends_with(file) && *n == name);
            if name == "VERSION" || vobject || item.warnings.iter().any(|w| w.contains(name)) {
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
        if std::fs::read_dir(&top).unwrap().next().is_none() {
            continue;
        }
        let pst = scratch.path().join(format!("{kind}.pst"));
        let report = convert(&[&top], &pst);
        clean(&pst);
        let ours = oracle::ours(&pst);
        assert_eq!(report["written"], total(&ours), "{kind}");
        if let Some(theirs) = oracle::libpff(&pst) {
            same(&format!("{kind}: libpff"), &theirs.unwrap(), &ours);
        }
        same(&format!("{kind}: outlook-pst"), &oracle::outlook_pst(&pst).unwrap(), &ours);
    }
}
