//! Every vCard of the corpus becomes a contact or a list and a card again, in both versions.
//!
//! What must hold of each card: every line comes out in version 4 (names and types in any case, bytes in any encoding, a
//! date in the form of the version), or a warning names it; from then on, text and properties change no more; and a PST
//! keeps all that the text needs.

use super::support::content_lines::{name_of, text_of, unfolded};
use super::support::corpus;
use pst_core::endpoint::components::{ComponentSource, Format};
use pst_core::endpoint::pst::PstSource;
use pst_core::mapi::{Message, PropBag, Role, tag};
use pst_core::messaging::write::{Options as WriteOptions, StoreWriter};
use pst_core::mime::Options;
use pst_core::mime::contact::{Card, Directory, Kind, Version, index, read};
use pst_core::pipeline::{Body, Source};
use std::collections::BTreeMap;
use std::path::PathBuf;

fn files() -> Vec<PathBuf> {
    let Some(top) = corpus("vcard") else { return Vec::new() };
    let all = walkdir::WalkDir::new(top).sort_by_file_name().into_iter().flatten();
    all.filter(|e| e.file_type().is_file()).map(walkdir::DirEntry::into_path).collect()
}

/// The card of an item, and what was said of it.
fn written(message: &Message, vcard: Version) -> (String, Vec<String>) {
    let card = Card::of(message, &Options { vcard, ..Options::default() }).unwrap().unwrap();
    let mut out = Vec::new();
    card.write(&mut out).unwrap();
    (String::from_utf8(out).unwrap(), card.warnings.into_iter().map(|w| w.text).collect())
}

/// The bytes that a value holds in base64.
fn bytes_of(value: &str) -> Option<Vec<u8>> {
    let value = value.strip_prefix("data:").map_or(value, |v| v.split_once("base64").map_or(v, |(_, b)| b));
    let text: String = value.chars().filter(|c| !c.is_whitespace() && !['\\', ',', ';'].contains(c)).collect();
    let text = text.trim_end_matches('=').as_bytes();
    // Some files lack their last bytes.
    let whole = if text.len() % 4 == 1 { &text[..text.len() - 1] } else { text };
    base64_simd::forgiving_decode_to_vec(whole).ok().filter(|b| b.len() > 8)
}

/// True for what a version may write in another form of the same date.
fn is_date(name: &str) -> bool {
    ["BDAY", "ANNIVERSARY", "X-MS-ANNIVERSARY", "REV", "X-ANNIVERSARY"].contains(&name)
}

/// A line in one form for all versions: types without their names and in lower case, bytes without their encoding.
fn canonical(line: &str) -> String {
    let (mut pieces, mut quoted, mut before) = (vec![String::new()], false, ' ');
    let mut rest = line.chars();
    for c in rest.by_ref() {
        match c {
            '"' => quoted = !quoted,
            ':' if !quoted => break,
            ';' if !quoted && before != '\\' => pieces.push(String::new()),
            c => pieces.last_mut().unwrap().push(c),
        }
        before = c;
    }
    let value = rest.as_str().trim_end();
    let mut pieces = pieces.into_iter();
    let name = pieces.next().unwrap_or_default().to_ascii_uppercase();
    let name = match name.as_str() {
        "X-ADDRESSBOOKSERVER-KIND" => "KIND",
        "X-ADDRESSBOOKSERVER-MEMBER" => "MEMBER",
        "X-MS-ANNIVERSARY" => "ANNIVERSARY",
        name => name,
    }
    .to_owned();
    let bare = name.rsplit('.').next().unwrap().to_owned();
    let all: Vec<String> = pieces.collect();
    let binary = all.iter().any(|p| {
        let p = p.to_ascii_uppercase();
        ["ENCODING=B", "ENCODING=BASE64", "BASE64"].contains(&p.as_str())
    });
    if let Some(bytes) = bytes_of(value).filter(|_| binary || value.starts_with("data:")) {
        return format!("{name}: {} bytes, {:08x}", bytes.len(), crc32fast::hash(&bytes));
    }
    if is_date(&bare) {
        let digits: String = value.chars().filter(char::is_ascii_digit).collect();
        if digits.len() >= 8 && !value.starts_with('-') {
            return format!("{name}:{}", &digits[..8]);
        }
    }
    let mut params: Vec<String> = Vec::new();
    for piece in all {
        match piece.split_once('=') {
            Some((n, v)) if n.eq_ignore_ascii_case("TYPE") => {
                params.extend(v.split(',').map(|t| t.trim().to_ascii_lowercase()));
            }
            Some((n, "1")) if n.eq_ignore_ascii_case("PREF") => params.push("pref".to_owned()),
            Some((n, v)) => params.push(format!("{}={}", n.to_ascii_uppercase(), v.replace("^'", ""))),
            None => params.push(piece.to_ascii_lowercase()),
        }
    }
    params.sort();
    params.dedup();
    // A comma means the same with and without its mark, where one value alone may stand.
    format!("{name};{}:{}", params.join(";"), value.replace("\\,", ","))
}

/// A value in quoted-printable as vCard 4 writes it, and the parameters without those that say how it was encoded.
fn decoded(line: &str) -> String {
    let Some((head, value)) = line.split_once(':') else { return line.to_owned() };
    let mut params: Vec<&str> = head.split(';').collect();
    params.retain(|p| {
        let p = p.to_ascii_uppercase();
        !p.starts_with("CHARSET=") && !p.ends_with("QUOTED-PRINTABLE")
    });
    let mut bytes = Vec::new();
    let mut rest = value.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let hex = tail.get(..2).and_then(|h| u8::from_str_radix(std::str::from_utf8(h).ok()?, 16).ok());
        match hex.filter(|_| *first == b'=') {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    let text = String::from_utf8(bytes).unwrap_or_else(|e| pst_core::mapi::codepage::decode(1252, e.as_bytes()));
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    format!("{}:{}", params.join(";"), text.replace('\n', "\\n"))
}

/// The lines of a text, with those of quoted-printable in one piece and decoded.
fn whole_lines(text: &str) -> Vec<String> {
    let (mut out, mut open): (Vec<String>, bool) = (Vec::new(), false);
    for line in unfolded(text) {
        let is_quoted = |l: &String| l.to_ascii_uppercase().split(':').next().unwrap().contains("QUOTED-PRINTABLE");
        if open {
            let last = out.last_mut().unwrap();
            last.pop();
            last.push_str(&line);
        } else {
            out.push(line);
        }
        open = out.last().is_some_and(|l| is_quoted(l) && l.ends_with('='));
    }
    out.into_iter().map(|l| if l.to_ascii_uppercase().contains("QUOTED-PRINTABLE") { decoded(&l) } else { l }).collect()
}

/// How often each line is there, but for the version, and for a name that says nothing.
fn lines(text: &str) -> BTreeMap<String, usize> {
    let mut out = BTreeMap::new();
    let said = |l: &&String| !["BEGIN", "END", "VERSION"].contains(&name_of(l).as_str()) && l.as_str() != "N:;;;;";
    for line in whole_lines(text).iter().filter(said) {
        *out.entry(canonical(line)).or_default() += 1;
    }
    out
}

/// Lines of quoted-printable that are folded too, after a soft line break: the blank belongs to the text, which is more
/// than the plain reader here knows.
const BOTH_FOLDS: [(&str, &str); 2] = [("009.vcf", "FN"), ("060.vcf", "LABEL")];

#[test]
fn every_card_becomes_an_item_and_a_card_again() {
    let (mut all, mut cards, mut empty) = (0, 0, 0);
    let mut bad = Vec::new();
    for path in files() {
        let bytes = std::fs::read(&path).unwrap();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let text = text_of(&bytes);
        all += 1;
        let (found, left) = read(&bytes, &Directory::default());
        assert_eq!(index(text.as_bytes()).len(), found.len(), "{name}");
        if found.is_empty() {
            empty += 1;
            assert!(!text.to_ascii_uppercase().contains("BEGIN:VCARD"), "{name}: a card was overlooked");
            continue;
        }
        cards += found.len();
        let mut out: BTreeMap<String, usize> = BTreeMap::new();
        let mut said: Vec<String> = left;
        for (kind, item) in &found {
            said.extend(item.warnings.iter().map(|w| w.text.clone()));
            for version in [Version::V4, Version::V3] {
                let (text, warnings) = written(&item.message, version);
                if !warnings.is_empty() {
                    bad.push(format!("{name}: {warnings:?}"));
                }
                if version == Version::V4 {
                    for (line, n) in lines(&text) {
                        *out.entry(line).or_default() += n;
                    }
                }
                let (again, odd) = read(text.as_bytes(), &Directory::default());
                assert_eq!(odd, Vec::<String>::new(), "{name}");
                let [(kind_again, again)] = again.as_slice() else { panic!("{name}: {} items of one", again.len()) };
                assert_eq!(kind_again, kind, "{name}");
                let second = written(&again.message, version).0;
                if lines(&second) != lines(&text) {
                    bad.push(format!("{name}: not the same again\n{text}\n{second}"));
                }
            }
        }
        for (line, n) in lines(&text) {
            if out.get(&line).unwrap_or(&0) >= &n {
                continue;
            }
            let property = name_of(&line);
            if BOTH_FOLDS.contains(&(name.as_str(), property.as_str())) {
                continue;
            }
            if !said.iter().any(|s| s.contains(&property) || s.contains("no content lines")) {
                bad.push(format!("{name}: {line} is lost, and nothing is said of it: {said:?}"));
            }
        }
    }
    eprintln!("{all} files, {cards} cards, {empty} files without");
    assert!(bad.is_empty(), "{}\n{}", bad.len(), bad.join("\n"));
}

/// Through a PST, with the folder and the classes that Outlook expects.
#[test]
fn a_pst_keeps_every_card() {
    let Some(top) = corpus("vcard") else { return };
    let source = ComponentSource::open(&top, Format::Contacts).unwrap();
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("a.pst");
    let mut w = StoreWriter::create(&path, WriteOptions::default()).unwrap();
    let mut expected = Vec::new();
    for folder in source.folders().unwrap() {
        assert_eq!(folder.class.as_deref(), Some("IPF.Contact"));
        let to = w
            .add_folder(w.top(), &folder.path.join("/"), Role::None, folder.class.as_deref(), &PropBag::default())
            .unwrap();
        for item in source.items(&folder).unwrap().flatten() {
            let Body::Mapi(message) = source.load(&folder, &item).unwrap().body else { panic!() };
            let class = Kind::of(&message).unwrap().class();
            assert!(message.props.text(tag::MESSAGE_CLASS).unwrap().starts_with(class), "{}", item.id);
            w.add(to, &message, false).unwrap();
            expected.push([Version::V4, Version::V3].map(|v| written(&message, v).0));
        }
    }
    w.finish().unwrap();
    let stored = PstSource::open(&path).unwrap();
    let mut n = 0;
    for folder in stored.folders().unwrap() {
        for item in stored.items(&folder).unwrap() {
            let Body::Mapi(message) = stored.load(&folder, &item.unwrap()).unwrap().body else { panic!() };
            assert_eq!([Version::V4, Version::V3].map(|v| written(&message, v).0), expected[n], "item {n}");
            n += 1;
        }
    }
    assert_eq!(n, expected.len());
    assert!(n > 80, "{n}");
}
