//! Mail into a mailbox over Exchange Web Services, by the command, against a strict server of the tests.

use crate::certificates::{Authority, Wanted};
use crate::command::{at, code, stderr};
use crate::exchange_server::{Ews, Lock, PASSWORD, hash_of};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

pub fn pst(args: &[&str], home: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pst"));
    command.args(args).env("PST_PASSWORD", PASSWORD).env("HOME", home).env("XDG_STATE_HOME", home);
    command.output().unwrap()
}

#[test]
fn a_pst_goes_into_a_mailbox_of_exchange() {
    let dir = tempfile::tempdir().unwrap();
    let Some(authority) = Authority::new(dir.path()) else { return };
    let pem = authority.make(&Wanted::default());
    let mail = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fixtures/mail");
    let (home, source) = (at(&dir, "home"), at(&dir, "made.pst"));
    assert_eq!(code(&crate::command::pst(&["convert", &mail.to_string_lossy(), &source])), 0);
    for lock in [Lock::Basic, Lock::Ntlm] {
        let server = Ews::start((&pem.0, &pem.1), hash_of(&pem.0), lock);
        let target = format!("ews://CORP%5Canna@localhost:{}", server.web.port);
        let authority = authority.file();
        let authority = authority.to_string_lossy();
        let push = |more: &[&str]| {
            let out = pst(&[&["push", "--json", &source, &target, "--ca-file", &authority], more].concat(), &home);
            let said = String::from_utf8_lossy(&out.stdout).into_owned();
            assert!(!said.contains(PASSWORD) && !stderr(&out).contains(PASSWORD));
            (code(&out), serde_json::from_str::<Json>(&said).unwrap_or_default(), stderr(&out))
        };
        let (status, dry, said) = push(&["--dry-run"]);
        assert_eq!((status, server.state().items.len()), (0, 0), "{said}");
        let (status, first, said) = push(&["--verify"]);
        assert_eq!(status, 0, "{said}");
        assert_eq!(first["written"], dry["written"], "{first}");
        let written = first["written"].as_u64().unwrap();
        assert!(written > 40, "{first}");
        assert_eq!(server.state().items.len() as u64, written);
        let (_, again, said) = push(&[]);
        assert_eq!(
            (again["written"].as_u64(), again["skipped"]["being there already"].as_u64()),
            (Some(0), Some(written)),
            "{said}"
        );
        let state = server.state();
        assert!(state.complaints.is_empty(), "{:?}", state.complaints);
    }
}

/// The server, the folder of the test and what of the arguments is always the same.
pub struct Place {
    pub server: Ews,
    pub dir: tempfile::TempDir,
    pub ca: String,
}

impl Place {
    pub fn start() -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let authority = Authority::new(dir.path())?;
        let pem = authority.make(&Wanted::default());
        let server = Ews::start((&pem.0, &pem.1), hash_of(&pem.0), Lock::Basic);
        let ca = authority.file().display().to_string();
        Some(Self { server, dir, ca })
    }

    pub fn target(&self) -> String {
        format!("ews://CORP%5Canna@localhost:{}", self.server.web.port)
    }

    /// A run that is to end well: what it says.
    fn push(&self, source: &str, more: &[&str]) -> Json {
        let target = self.target();
        let home = at(&self.dir, "home");
        let out = pst(&[&["push", "--json", source, &target, "--ca-file", &self.ca], more].concat(), &home);
        assert_eq!(code(&out), 0, "{}", stderr(&out));
        serde_json::from_slice(&out.stdout).unwrap()
    }
}

/// A Maildir of two messages that ask for receipts, one of them read, and appointments with alarms: one of the past, one
/// that is still to come, and a series that goes on.
pub fn noisy(dir: &tempfile::TempDir) -> String {
    let top = dir.path().join("noisy");
    for folder in ["mail/cur", "mail/new", "mail/tmp"] {
        fs::create_dir_all(top.join(folder)).unwrap();
    }
    let mail =
        |n: u32| format!("Message-ID: <{n}@x>\r\nSubject: mail {n}\r\nDisposition-Notification-To: a@x\r\n\r\nx\r\n");
    fs::write(top.join("mail/cur/1.x:2,S"), mail(1)).unwrap();
    fs::write(top.join("mail/new/2.x"), mail(2)).unwrap();
    let event = |uid: &str, start: &str, more: &str| {
        format!(
            "BEGIN:VEVENT\r\nUID:{uid}\r\nSUMMARY:{uid}\r\nDTSTART:{start}\r\nDURATION:PT1H\r\n{more}BEGIN:VALARM\r\nACTION:DISPLAY\r\n\
             DESCRIPTION:Reminder\r\nTRIGGER:-PT15M\r\nEND:VALARM\r\nEND:VEVENT\r\n"
        )
    };
    let events = [
        event("past", "20100105T090000Z", ""),
        event("future", "29990105T090000Z", ""),
        event("series", "20100105T090000Z", "RRULE:FREQ=WEEKLY\r\n"),
    ];
    let calendar = format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n{}END:VCALENDAR\r\n", events.concat());
    fs::write(top.join("Calendar.ics"), calendar).unwrap();
    let file = at(dir, "noisy.pst");
    let made = crate::command::pst(&["convert", &top.to_string_lossy(), &file]);
    assert_eq!(code(&made), 0, "{}", stderr(&made));
    file
}

pub const REMINDER_SET: &str = "0820060000000000c000000000000046/8503:000b";
const REMINDER_SIGNAL: &str = "0820060000000000c000000000000046/8560:0040";
pub const RECEIPT: &str = "0029:000b";

/// A property of each item, by subject.
fn property(place: &Place, name: &str) -> BTreeMap<String, Vec<u8>> {
    let state = place.server.state();
    let of = |i: &crate::exchange_server::Stored| {
        let value = i.blob.as_ref().unwrap().props.get(name).cloned();
        (i.subject(), value.unwrap_or_default())
    };
    state.items.iter().map(of).collect()
}

#[test]
fn old_reminders_and_receipts_make_no_noise() {
    let Some(place) = Place::start() else { return };
    let file = noisy(&place.dir);
    let said = place.push(&file, &[]);
    assert_eq!(said["written"], 5, "{said}");
    assert_eq!(
        (&said["warning_codes"]["reminder"], &said["warning_codes"]["receipt"]),
        (&2.into(), &1.into()),
        "{said}"
    );
    let set = property(&place, REMINDER_SET);
    assert_eq!([&set["past"][0], &set["future"][0], &set["series"][0]], [&0, &1, &1]);
    let signal = property(&place, REMINDER_SIGNAL);
    let goes_off = |subject: &str| {
        let ticks = u64::from_le_bytes(signal[subject][..].try_into().unwrap());
        (ticks / 10_000_000) as i64 - 11_644_473_600
    };
    let now = jiff::Timestamp::now().as_second();
    let (past, series) = (goes_off("past"), goes_off("series"));
    assert!(past < now && series > now && series <= now + 8 * 86_400, "{series}");
    let receipt = property(&place, RECEIPT);
    assert_eq!((receipt["mail 1"].as_slice(), receipt["mail 2"].as_slice()), (&[][..], &[1, 0][..]));
    // What is sent changes with the clock; what is known of it does not.
    let again = place.push(&file, &["--keep-reminders", "--keep-receipts"]);
    assert_eq!((&again["written"], &again["skipped"]["being there already"]), (&0.into(), &5.into()), "{again}");
    // As it was, where that is wanted.
    place.server.state().items.clear();
    let kept = place.push(&file, &["--keep-reminders", "--keep-receipts", "--journal", &at(&place.dir, "kept.state")]);
    assert_eq!(kept["warning_codes"].get("reminder").or(kept["warning_codes"].get("receipt")), None, "{kept}");
    assert!(property(&place, REMINDER_SET).iter().filter(|(s, _)| !s.starts_with("mail")).all(|(_, v)| v[0] == 1));
    assert_eq!(property(&place, RECEIPT)["mail 1"], [1, 0]);
}

/// The archive takes all in, and the mailbox itself nothing.
#[test]
fn archives() {
    let Some(place) = Place::start() else { return };
    let file = noisy(&place.dir);
    let said = place.push(&file, &["--archive", "--verify"]);
    assert_eq!((&said["written"], &said["failed"]), (&5.into(), &0.into()), "{said}");
    let tops = |place: &Place| -> Vec<String> {
        let state = place.server.state();
        let top = |id: &str| {
            let mut at = state.folders.iter().find(|f| f.id == id).unwrap();
            while let Some(parent) = state.folders.iter().find(|f| f.id == at.parent) {
                at = parent;
            }
            at.parent.clone()
        };
        state.items.iter().map(|i| top(&i.folder)).collect()
    };
    assert_eq!(tops(&place), ["ARCHIVE"; 5]);
    assert_eq!(place.push(&file, &["--archive"])["written"], 0);
    // What is in the archive is not in the mailbox, which has a journal of its own.
    assert_eq!(place.push(&file, &[])["written"], 5);
    assert_eq!(tops(&place).iter().filter(|t| *t == "TOP").count(), 5);
}

/// Two files that have folders of equal names go into one mailbox; the report tells them apart.
#[test]
fn reports_name_the_files() {
    let Some(place) = Place::start() else { return };
    let (first, second) = (noisy(&place.dir), at(&place.dir, "second.pst"));
    fs::copy(&first, &second).unwrap();
    let map = at(&place.dir, "map.csv");
    fs::write(&map, "file,mailbox\nnoisy.pst,anna@example.com\nsecond.pst,anna@example.com\n").unwrap();
    for kind in ["json", "html", "csv"] {
        let report = at(&place.dir, &format!("report.{kind}"));
        let args =
            ["push", "--mailboxes", &map, "--login-as", "CORP\\{local}", "--json", "--dry-run", "--report", &report];
        let out = pst(&[&args[..], &[&place.target(), "--ca-file", &place.ca]].concat(), &at(&place.dir, "home"));
        assert_eq!(code(&out), 0, "{}", stderr(&out));
        let text = fs::read_to_string(at(&place.dir, &format!("report anna@example.com.{kind}"))).unwrap();
        for file in ["noisy.pst", "second.pst"] {
            assert!(text.matches(file).count() >= 3, "{file} in {text}");
        }
        if kind == "json" {
            let report: Json = serde_json::from_str(&text).unwrap();
            let folders = report["folders"].as_array().unwrap();
            let of =
                |source: &str| folders.iter().filter(|f| f["source"] == source).map(|f| &f["file"]).collect::<Vec<_>>();
            let calendars = of("");
            assert_eq!(calendars.len(), 2, "{text}");
            assert_ne!(calendars[0], calendars[1]);
        }
    }
}

#[test]
fn what_cannot_be_is_one_sentence() {
    let dir = tempfile::tempdir().unwrap();
    let home = at(&dir, "home");
    let says = |args: &[&str], words: &str| {
        let out = pst(args, &home);
        let said = stderr(&out);
        assert_eq!((code(&out), said.lines().count()), (2, 1), "{said}");
        assert!(said.contains(words) && !said.contains(PASSWORD), "{said}");
    };
    let mail = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fixtures/mail");
    let mail = mail.to_string_lossy();
    says(&["push", &mail, "ews://anna@outlook.office365.com"], "1 April 2027");
    says(&["push", &mail, "imaps://anna@localhost:1", "--archive"], "--archive is for ews://");
    says(&["convert", "ews://anna@localhost:1", &at(&dir, "a.pst")], "ews:// is a target");
    says(&["ls", "ews://anna@localhost:1"], "ews:// is a target");
    says(&["push", &mail, "pop3s://anna@localhost:1"], "POP3 takes no mail in");
}

/// The most resident memory that a run has until its end, MB, and how it ended.
fn peak(command: &mut Command) -> (u64, Output) {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).unwrap_or("0 kB");
        // It only grows, but for the moment when the program takes the place of a copy of this one.
        let now = line.trim().split(' ').next().unwrap().parse::<u64>().unwrap() >> 10;
        peak = if now == 0 { peak } else { now };
        std::thread::sleep(Duration::from_millis(5));
    }
    (peak, child.wait_with_output().unwrap())
}

/// An attachment of 140 MB is written while it is read; when it is read back, it is held twice at most, once as base64.
#[test]
#[ignore = "large"]
fn large_attachments_are_not_held() {
    const SIZE: usize = 140 << 20;
    let Some(place) = Place::start() else { return };
    let noise: Vec<u8> = (0..SIZE as u32 / 4).flat_map(|i| i.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    let lines: Vec<u8> = base64_simd::STANDARD.encode_to_string(&noise).into_bytes();
    let body: Vec<u8> = lines.chunks(76).flat_map(|line| [line, b"\r\n"].concat()).collect();
    let head = "Message-ID: <large@x>\r\nSubject: large\r\nMIME-Version: 1.0\r\nContent-Type: application/octet-stream; \
                name=a.bin\r\nContent-Transfer-Encoding: base64\r\n\r\n";
    let (mail, file) = (at(&place.dir, "large.eml"), at(&place.dir, "large.pst"));
    fs::write(&mail, [head.as_bytes(), &body].concat()).unwrap();
    drop((noise, lines, body));
    assert_eq!(code(&crate::command::pst(&["convert", &mail, &file])), 0);
    let mut peaks = Vec::new();
    for more in [&["--journal", &at(&place.dir, "a.state")][..], &["--verify"]] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pst"));
        command.args(["push", &file, &place.target(), "--ca-file", &place.ca]).args(more);
        let home = at(&place.dir, "home");
        command.env("PST_PASSWORD", PASSWORD).env("HOME", &home).env("XDG_STATE_HOME", &home);
        let (megabytes, out) = peak(&mut command);
        assert_eq!(code(&out), 0, "{}", stderr(&out));
        peaks.push(megabytes);
    }
    eprintln!("{} MB without, {} MB with --verify", peaks[0], peaks[1]);
    assert_eq!(place.server.state().items.len(), 2);
    assert!(peaks[0] < 100 && peaks[1] < 400, "{peaks:?}");
}
