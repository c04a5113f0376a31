//! Keeping what of a card has no property, and making sure that nothing was lost.
//!
//! The contact is written again as a card: lines that do not come out are kept, and come back with the next card that is
//! written. Lines of which Outlook has no room for one more are kept apart, and always come back.

use super::export::{Card, Version};
use super::fields::{number_of, phone_of, types_of};
use super::{Kind, effect, photo};
use crate::mapi::{Code, Message, Warning};
use crate::mime::calendar::Stamp;
use crate::mime::lines::{Component, Line, Param};
use crate::mime::{Options, residue};
use jiff::civil::DateTime;
use std::collections::{HashMap, HashSet};

/// The component in which lines are kept that always come back.
const MORE: &str = "X-PST-MORE";
/// Lines of one number that are looked at.
const FEW: usize = 16;
/// Lines of which a contact has a limited number.
const LIMITED: [&str; 6] = ["EMAIL", "TEL", "ADR", "URL", "ORG", "NOTE"];

/// A line in the form in which two can be compared.
fn canonical(line: &Line) -> String {
    let mut types = types_of(line);
    types.sort_unstable();
    let mut params: Vec<String> = line
        .params
        .iter()
        .filter(|p| !p.values.is_empty() && !p.name.eq_ignore_ascii_case("TYPE"))
        .filter(|p| !(p.name.eq_ignore_ascii_case("PREF") && p.values == ["1"]))
        .map(|p| format!(";{}={}", p.name.to_ascii_uppercase(), p.values.join(",")))
        .collect();
    params.sort_unstable();
    let group = line.group.as_deref().unwrap_or_default();
    format!("{group}.{};{}{}:{}", line.name.to_ascii_uppercase(), types.join(","), params.concat(), line.value)
}

/// What of a source does not come out again.
fn missing(source: &Component, written: &Component) -> Vec<Line> {
    let mut counts: HashMap<String, usize> = HashMap::new();
    for line in &written.lines {
        *counts.entry(canonical(line)).or_default() += 1;
    }
    let lost = |line: &&Line| {
        !line.is("VERSION")
            && !photo::is_data(line)
            && counts.get_mut(&canonical(line)).filter(|n| **n > 0).map(|n| *n -= 1).is_none()
    };
    source.lines.iter().filter(lost).cloned().collect()
}

/// Keeps what of a card has no property.
pub(super) fn keep(kind: Kind, source: &Component, message: &mut Message, warnings: &mut Vec<Warning>) {
    let Ok(bare) = Card::bare(message, kind, Version::V4) else { return };
    let mut kept = Component { lines: missing(source, &bare), parts: source.parts.clone(), ..Component::default() };
    let stored = residue::store(&mut message.props, residue::CARD, &kept);
    let again = Card::of(message, &Options { vcard: Version::V4, ..Options::default() }).ok().flatten();
    if let Some(again) = again.filter(|_| stored && !kept.lines.is_empty()) {
        let normal: Vec<Line> = source.lines.iter().map(|l| normalized(l.clone(), Version::V4)).collect();
        let normal = Component { lines: normal, ..Component::default() };
        let lost = missing(&normal, again.component());
        let said: HashSet<_> = again.component().lines.iter().filter_map(when).collect();
        let lost: Vec<Line> = lost.into_iter().filter(|l| !is_said(l, &said)).collect();
        if !lost.is_empty() {
            let mut names: Vec<&str> = LIMITED.into_iter().filter(|n| lost.iter().any(|l| l.is(n))).collect();
            names.dedup();
            if !names.is_empty() {
                warnings.push(Code::Contact.with(format!(
                    "Outlook has no room for all that the card says; kept unseen: {}",
                    names.join(", ")
                )));
            }
            kept.parts.push(Component { name: MORE.to_owned(), lines: lost, parts: Vec::new() });
        }
    }
    if !residue::store(&mut message.props, residue::CARD, &kept) {
        warnings.push(Code::Contact.with("so much of the card has no property that it was left out"));
    }
}

/// The first line of each effect.
fn effects(lines: &[Line]) -> HashMap<String, usize> {
    let mut first = HashMap::new();
    for (at, line) in lines.iter().enumerate() {
        if let Some(effect) = effect::of(line) {
            first.entry(effect).or_insert(at);
        }
    }
    first
}

/// True for a date that comes out in the form of the version, and for a name of nothing, which only version 3 must have.
fn is_said(line: &Line, said: &HashSet<(String, DateTime)>) -> bool {
    is_no_name(line) || (is_date(line) && when(line).is_some_and(|w| said.contains(&w)))
}

/// What a line with a time says, whatever the form.
fn when(line: &Line) -> Option<(String, DateTime)> {
    Some((effect::of(line)?, Stamp::of(line)?.civil()))
}

/// True for a name of nothing.
fn is_no_name(line: &Line) -> bool {
    line.is("N") && effect::parts(line, 5).concat().is_empty()
}

/// True for a number that stands in another property of its kind than the first: a fax, a second number at work.
fn is_number(made: &Line, line: &Line) -> bool {
    let slots = |l: &Line| phone_of(l).map(|p| p.slots).unwrap_or_default();
    number_of(made) == number_of(line) && slots(made).first().is_some_and(|slot| slots(line).contains(slot))
}

fn is_date(line: &Line) -> bool {
    ["BDAY", "ANNIVERSARY", "X-MS-ANNIVERSARY", "REV"].iter().any(|n| line.is(n))
        && line.params.iter().all(|p| p.name.eq_ignore_ascii_case("VALUE"))
}

/// Puts what was kept into a card.
pub(super) fn take_back(card: &mut Component, kept: Component, version: Version) {
    let made = effects(&card.lines);
    let mut numbers: HashMap<String, Vec<usize>> = HashMap::new();
    for (i, line) in card.lines.iter().enumerate() {
        numbers.entry(number_of(line)).or_default().push(i);
    }
    for line in kept.lines {
        let line = normalized(line, version);
        let Some(said) = effect::of(&line) else {
            card.lines.push(line);
            continue;
        };
        let same = made.get(&said).copied();
        let candidates = numbers.get(&number_of(&line)).map_or(&[][..], Vec::as_slice);
        let number =
            || candidates.iter().take(FEW).copied().find(|i| card.lines.get(*i).is_some_and(|l| is_number(l, &line)));
        if let Some(slot) = same.or_else(number).filter(|_| !is_date(&line)).and_then(|i| card.lines.get_mut(i)) {
            *slot = line;
        }
    }
    for part in kept.parts {
        if part.name == MORE {
            // A list has no name in parts but one that says nothing.
            if part.lines.iter().any(|l| l.is("N")) {
                card.lines.retain(|l| !is_no_name(l));
            }
            card.lines.extend(part.lines.into_iter().map(|l| normalized(l, version)));
        } else {
            card.parts.push(part);
        }
    }
}

/// A line as a version writes it: types, preference, groups and bytes.
fn normalized(mut line: Line, version: Version) -> Line {
    let renamed = match (version, line.name.to_ascii_uppercase().as_str()) {
        (Version::V4, "X-ADDRESSBOOKSERVER-KIND") => Some("KIND"),
        (Version::V4, "X-ADDRESSBOOKSERVER-MEMBER") => Some("MEMBER"),
        (Version::V4, "X-MS-ANNIVERSARY") => Some("ANNIVERSARY"),
        (Version::V3, "KIND") => Some("X-ADDRESSBOOKSERVER-KIND"),
        (Version::V3, "MEMBER") => Some("X-ADDRESSBOOKSERVER-MEMBER"),
        (Version::V3, "ANNIVERSARY") => Some("X-MS-ANNIVERSARY"),
        _ => None,
    };
    if let Some(name) = renamed {
        name.clone_into(&mut line.name);
    }
    if version == Version::V4
        && let Some((bytes, mime)) =
            photo::data_of(&line).filter(|_| line.param("ENCODING").is_some() || is_bare(&line, "BASE64"))
    {
        let mime = mime.unwrap_or_else(|| "application/octet-stream".to_owned());
        line.value = format!("data:{mime};base64,{}", base64_simd::STANDARD.encode_to_string(bytes));
        line.params.retain(|p| !p.name.eq_ignore_ascii_case("ENCODING") && !p.name.eq_ignore_ascii_case("BASE64"));
    }
    // vCard 2.1 writes types without a name.
    let bare: Vec<String> = line.params.iter().filter(|p| p.values.is_empty()).map(|p| p.name.clone()).collect();
    line.params.retain(|p| !p.values.is_empty());
    if !bare.is_empty() {
        match line.params.iter_mut().find(|p| p.name.eq_ignore_ascii_case("TYPE")) {
            Some(types) => types.values.extend(bare),
            None => line.params.push(Param { name: "TYPE".to_owned(), values: bare }),
        }
    }
    line
}

fn is_bare(line: &Line, name: &str) -> bool {
    line.params.iter().any(|p| p.values.is_empty() && p.name.eq_ignore_ascii_case(name))
}
