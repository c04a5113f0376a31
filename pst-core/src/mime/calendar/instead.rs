//! A mail about a meeting has a subject, a text and recipients of its own. What its calendar says of them is kept beside
//! them, and comes out again as long as those of the mail are what they were.

use super::effect;
use crate::mime::lines::{Component, Line};
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// Tells for which of the mail's own lines the kept ones stand.
const FOR: &str = "X-PST-FOR";
/// Lines that belong together.
const GROUPS: [&[&str]; 3] = [&["SUMMARY"], &["DESCRIPTION", "X-ALT-DESC"], &["ATTENDEE", "ORGANIZER"]];

fn within<'a>(part: &'a Component, group: &'a [&str]) -> impl Iterator<Item = &'a Line> {
    part.lines.iter().filter(|l| group.iter().any(|n| l.is(n)))
}

/// What the lines of a group say.
fn said(part: &Component, group: &[&str]) -> Vec<String> {
    let one = |l: &Line| format!("{} {:?}", l.name.to_ascii_uppercase(), effect::of(l));
    let mut all: Vec<String> = within(part, group).map(one).collect();
    all.sort_unstable();
    all
}

fn hash(part: &Component, group: &[&str]) -> String {
    let mut hash = Sha256::new();
    for text in said(part, group) {
        hash.update(text);
        hash.update([0]);
    }
    hash.finalize().iter().take(8).fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Adds to what is kept of a calendar the lines that its mail says otherwise.
pub(super) fn keep(source: &Component, mail: &Component, kept: &mut Component) {
    for group in GROUPS {
        if said(source, group) == said(mail, group) {
            continue;
        }
        kept.lines.retain(|l| !group.iter().any(|n| l.is(n)));
        kept.lines.extend(within(source, group).cloned());
        kept.lines.extend(group.first().map(|name| Line::new(FOR, hash(mail, group)).with("NAME", *name)));
    }
}

/// Puts kept lines in the place of those of the mail, and returns the rest of what was kept.
pub(super) fn take(mut kept: Vec<Line>, out: &mut Component) -> Vec<Line> {
    for group in GROUPS {
        let of_group = |l: &Line| l.is(FOR) && l.param("NAME").is_some_and(|n| group.first() == Some(&n));
        let Some(at) = kept.iter().position(of_group) else { continue };
        let stands_for = kept.remove(at).value;
        let (ours, rest) = kept.into_iter().partition(|l| group.iter().any(|n| l.is(n)));
        kept = rest;
        if hash(out, group) == stands_for {
            out.lines.retain(|l| !group.iter().any(|n| l.is(n)));
            out.lines.extend::<Vec<Line>>(ours);
        }
    }
    kept
}
