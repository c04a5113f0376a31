//! Mail into a mailbox over Exchange Web Services, by the command, against a strict server of the tests.

use crate::certificates::{Authority, Wanted};
use crate::command::{at, code, stderr};
use crate::exchange_server::{Ews, Lock, PASSWORD, hash_of};
use serde_json::Value as Json;
use std::path::PathBuf;
use std::process::{Command, Output};

fn pst(args: &[&str], home: &str) -> Output {
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
