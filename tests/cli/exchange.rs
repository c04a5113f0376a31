//! Recipients that have an Exchange address alone: where their Internet addresses come from on the way out.

use super::command::{at, code, pst, stderr, tree};
use pst_core::mapi::named::PSETID_ADDRESS;
use pst_core::mapi::{Message, NamedProp, PropBag, Role, Value, tag};
use pst_core::messaging::write::{Options, StoreWriter};
use std::fs;
use std::path::Path;
use std::sync::Arc;

fn dn(name: &str) -> String {
    format!("/o=Org/ou=Exchange Administrative Group/cn=Recipients/cn={name}")
}

fn row(name: &str, smtp: Option<&str>) -> PropBag {
    let mut row = PropBag::default();
    row.set(tag::RECIPIENT_TYPE, Value::I32(1));
    row.set(tag::DISPLAY_NAME, Value::text(name));
    row.set(tag::ADDRESS_TYPE, Value::text("EX"));
    // Exchange is not consistent about case.
    row.set(tag::EMAIL_ADDRESS, Value::text(&if smtp.is_some() { dn(name) } else { dn(name).to_uppercase() }));
    if let Some(smtp) = smtp {
        row.set(tag::SMTP_ADDRESS, Value::text(smtp));
    }
    row
}

fn message(subject: &str, rows: Vec<PropBag>) -> Message {
    let mut m = Message::default();
    m.props.set(tag::MESSAGE_CLASS, Value::text("IPM.Note"));
    m.props.set(tag::SUBJECT, Value::text(subject));
    m.props.set(tag::BODY, Value::text(subject));
    m.recipients = rows;
    m
}

fn unfolded(mail: &[u8]) -> String {
    String::from_utf8_lossy(mail).replace("\r\n", "\n").replace("\n ", " ")
}

/// The message to be read comes first, those that help later, so that order cannot help.
fn store(path: &str) {
    let mut w = StoreWriter::create(Path::new(path), Options::default()).unwrap();
    let top = w.top();
    let inbox = w.add_folder(top, "Inbox", Role::Inbox, None, &PropBag::default()).unwrap();
    let contacts = w.add_folder(top, "Contacts", Role::Contacts, Some("IPF.Contact"), &PropBag::default()).unwrap();
    let who = ["own", "row", "contact", "header", "given", "nobody"];
    let smtp = |name: &str| (name == "own").then_some("own@example.org");
    w.add(inbox, &message("asked", who.iter().map(|n| row(n, smtp(n))).collect()), false).unwrap();
    w.add(inbox, &message("knows a row", vec![row("row", Some("row@example.org"))]), false).unwrap();
    let mut sent = message("knows its header", vec![row("header", None)]);
    sent.props.set(tag::TRANSPORT_MESSAGE_HEADERS, Value::text("From: x@y\r\nTo: \"header\" <header@example.org>\r\n"));
    w.add(inbox, &sent, false).unwrap();
    let mut card = message("", Vec::new());
    card.props.set(tag::MESSAGE_CLASS, Value::text("IPM.Contact"));
    for (lid, text) in [(0x8082, "EX".to_owned()), (0x8083, dn("contact")), (0x8084, "contact@example.org".to_owned())]
    {
        card.props.set_named(Arc::new(NamedProp::id(PSETID_ADDRESS, lid)), 0x001F, Value::text(&text));
    }
    w.add(contacts, &card, false).unwrap();
    w.finish().unwrap();
}

#[test]
fn addresses_are_learnt_from_the_whole_store() {
    let dir = tempfile::tempdir().unwrap();
    let (source, map) = (at(&dir, "a.pst"), at(&dir, "map.csv"));
    store(&source);
    fs::write(&map, format!("LegacyExchangeDN;PrimarySmtpAddress\n{};given@example.org\n", dn("given"))).unwrap();
    for (kind, threads) in [("eml", "1"), ("eml", "4"), ("mbox", "2"), ("maildir", "2")] {
        let target = format!("{kind}:{}", at(&dir, "out"));
        let out = pst(&["convert", &source, &target, "--overwrite", "--ex-map", &map, "--threads", threads, "--json"]);
        assert_eq!(code(&out), 0, "{}", stderr(&out));
        let report = String::from_utf8(out.stdout).unwrap();
        assert!(
            report.contains("no Internet address is known for /O=ORG"),
            "the one that is unknown is named: {report}"
        );
        let files = tree(Path::new(&at(&dir, "out")));
        let mail: String = files.iter().map(|(_, b)| unfolded(b)).collect();
        for name in ["own", "row", "contact", "header", "given"] {
            assert!(mail.contains(&format!("{name} <{name}@example.org>")), "{kind}: {name} in {mail}");
        }
        assert!(mail.contains("nobody <IMCEAEX-"), "nobody is left out: {mail}");
    }
    // One item alone asks the whole store too.
    let listed = String::from_utf8(pst(&["ls", "--json", &source, "#Inbox#"]).stdout).unwrap();
    let first: serde_json::Value = serde_json::from_str(listed.lines().next().unwrap()).unwrap();
    let one = unfolded(&pst(&["cat", &source, first["id"].as_str().unwrap()]).stdout);
    assert!(one.contains("contact <contact@example.org>") && one.contains("given <IMCEAEX-"), "{one}");
}

#[test]
fn a_bad_list_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (source, map) = (at(&dir, "a.pst"), at(&dir, "map.csv"));
    store(&source);
    fs::write(&map, "/o=a,a@b\nnonsense\n").unwrap();
    let out = pst(&["convert", &source, &format!("eml:{}", at(&dir, "out")), "--ex-map", &map]);
    assert_eq!(code(&out), 2);
    assert!(stderr(&out).contains("map.csv") && stderr(&out).contains("line 2"), "{}", stderr(&out));
}
