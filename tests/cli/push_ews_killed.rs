//! Pushes into a mailbox of Exchange that are killed at random moments: each item is there once in the end.

use crate::command::{at, code, stderr};
use crate::push_ews::{Place, pst};
use crate::support::Seeded;
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

/// A PST of mail, appointments and contacts; the subjects of all.
fn source(place: &Place) -> (String, Vec<String>) {
    let top = place.dir.path().join("many");
    fs::create_dir_all(&top).unwrap();
    let mut subjects = Vec::new();
    let mut mails = String::new();
    for n in 0..420 {
        let id = if n % 7 == 0 { String::new() } else { format!("Message-ID: <{n}@x>\n") };
        mails += &format!("From a@x Mon Jan  6 12:00:00 2020\n{id}Subject: mail {n}\n\nline {n}\n\n");
        subjects.push(format!("mail {n}"));
    }
    let events: String = (0..120)
        .map(|n| {
            subjects.push(format!("event {n}"));
            format!("BEGIN:VEVENT\r\nUID:{n}\r\nSUMMARY:event {n}\r\nDTSTART:20200106T120000Z\r\nDURATION:PT1H\r\nEND:VEVENT\r\n")
        })
        .collect();
    let cards: String = (0..60)
        .map(|n| {
            subjects.push(format!("Person {n}"));
            format!("BEGIN:VCARD\r\nVERSION:3.0\r\nN:{n};Person\r\nFN:Person {n}\r\nEND:VCARD\r\n")
        })
        .collect();
    fs::write(top.join("Inbox.mbox"), mails).unwrap();
    fs::write(
        top.join("Calendar.ics"),
        format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n{events}END:VCALENDAR\r\n"),
    )
    .unwrap();
    fs::write(top.join("Contacts.vcf"), cards).unwrap();
    let file = at(&place.dir, "many.pst");
    let made = crate::command::pst(&["convert", &top.to_string_lossy(), &file]);
    assert_eq!(code(&made), 0, "{}", stderr(&made));
    subjects.sort();
    (file, subjects)
}

/// A run that may be killed.
fn run(place: &Place, file: &str, more: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pst"));
    command.args(["push", "--json", file, &place.target(), "--ca-file", &place.ca]).args(more);
    let home = at(&place.dir, "home");
    command.env("PST_PASSWORD", crate::exchange_server::PASSWORD).env("HOME", &home).env("XDG_STATE_HOME", &home);
    command
}

fn kill_after(place: &Place, file: &str, more: &[&str], wait: u64) -> bool {
    let mut child = run(place, file, more).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(wait));
    let whole = child.try_wait().unwrap().is_some_and(|s| s.success());
    child.kill().unwrap();
    child.wait().unwrap();
    whole
}

fn subjects(place: &Place) -> Vec<String> {
    let mut all: Vec<String> = place.server.state().items.iter().map(crate::exchange_server::Stored::subject).collect();
    all.sort();
    all
}

/// How many items are below each folder at the top.
fn by_top(place: &Place) -> BTreeMap<String, usize> {
    let state = place.server.state();
    let mut out = BTreeMap::new();
    for item in &state.items {
        let mut at = state.folders.iter().find(|f| f.id == item.folder).unwrap();
        while let Some(parent) = state.folders.iter().find(|f| f.id == at.parent) {
            at = parent;
        }
        *out.entry(at.name.clone()).or_default() += 1;
    }
    out
}

fn kills(kills: u64, seed: u64, more: &[&str]) -> Option<Place> {
    let place = Place::start()?;
    let (file, wanted) = source(&place);
    place.server.state().delay = Duration::from_millis(50);
    let mut random = Seeded(seed);
    let mut whole = 0;
    for n in 0..kills {
        // Every fifth has the time to look up what the others left in doubt, which is long after their ends.
        let wait = if n % 5 == 4 { 11_000 + random.below(9000) } else { 40 + random.below(900) };
        whole += u64::from(kill_after(&place, &file, more, wait));
    }
    let before = subjects(&place).len();
    let out = run(&place, &file, more).output().unwrap();
    assert_eq!(code(&out), 0, "{}", stderr(&out));
    let got = subjects(&place);
    eprintln!("{kills} kills, {whole} of them after the end; {before} of {} items before the last run", got.len());
    assert!(got == wanted, "{} items instead of {}", got.len(), wanted.len());
    let state = place.server.state();
    assert!(state.complaints.is_empty(), "{:?}", state.complaints);
    drop(state);
    Some(place)
}

#[test]
fn kills_leave_each_item_once() {
    kills(10, 11, &[]);
}

#[test]
#[ignore = "minutes"]
fn fifty_kills_leave_each_item_once() {
    kills(50, 12, &[]);
}

#[test]
fn kills_below_another_root_leave_each_item_once() {
    let Some(place) = kills(5, 13, &["--target-root", "Imported"]) else { return };
    assert_eq!(by_top(&place).keys().collect::<Vec<_>>(), ["Imported"]);
}

#[test]
#[ignore = "minutes"]
fn fifty_kills_below_another_root_leave_each_item_once() {
    kills(50, 14, &["--target-root", "Imported", "--verify"]);
}

/// What was sent before stays where it went, what was in doubt is looked for there, and the rest goes to the new place.
#[test]
fn another_root_after_a_kill() {
    let Some(place) = Place::start() else { return };
    let (file, wanted) = source(&place);
    place.server.state().delay = Duration::from_millis(50);
    while !(40..500).contains(&subjects(&place).len()) {
        place.server.state().items.clear();
        let _ = fs::remove_dir_all(at(&place.dir, "home"));
        kill_after(&place, &file, &["--target-root", "One"], 900);
    }
    std::thread::sleep(Duration::from_millis(300));
    let first = subjects(&place).len();
    let out = run(&place, &file, &["--target-root", "Two"]).output().unwrap();
    assert_eq!(code(&out), 0, "{}", stderr(&out));
    let said: Json = serde_json::from_slice(&out.stdout).unwrap();
    assert!(subjects(&place) == wanted, "{} items instead of {}", subjects(&place).len(), wanted.len());
    assert_eq!(said["skipped"]["being there already, in another folder"], first, "{said}");
    assert_eq!(by_top(&place), BTreeMap::from([("One".into(), first), ("Two".into(), wanted.len() - first)]));
    let again = pst(&["push", "--json", &file, &place.target(), "--ca-file", &place.ca], &at(&place.dir, "home"));
    let again: Json = serde_json::from_slice(&again.stdout).unwrap();
    assert_eq!(again["written"], 0, "{again}");
}
