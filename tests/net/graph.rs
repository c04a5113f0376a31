//! Mailboxes over Graph, against a server that is strict and misbehaves.

use crate::certificates::{Authority, Wanted};
use crate::microsoft::{Graph as Microsoft, TOKEN, Trouble, USER};
use pst_core::Kind;
use pst_core::endpoint::graph::{Graph, Letter, Meaning};
use pst_core::endpoint::net::http::Reach;
use pst_core::endpoint::net::{Login, Notice, Secret, TlsOptions, TokenSource};
use pst_core::mapi::{Message, PropBag, Role, Value, tag};
use std::sync::{Arc, Mutex};
use std::time::Duration;

struct Place {
    server: Microsoft,
    reach: Reach,
    notices: Arc<Mutex<Vec<Notice>>>,
    _folder: tempfile::TempDir,
}

struct Fixed(&'static str);

impl TokenSource for Fixed {
    fn token(&self, _renew: bool) -> pst_core::Result<Secret> {
        Ok(Secret::new(self.0))
    }
}

impl Place {
    fn start() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::new(folder.path())?;
        let pem = authority.make(&Wanted::default());
        let server = Microsoft::start((&pem.0, &pem.1));
        let tls = TlsOptions { ca_file: Some(authority.file()), ..TlsOptions::default() };
        let reach = Reach { tls, timeout: Duration::from_secs(20), stop: Arc::default() };
        Some(Self { server, reach, notices: Arc::default(), _folder: folder })
    }

    fn open(&self, token: &'static str) -> Graph {
        let notices = Arc::clone(&self.notices);
        let watch = Arc::new(move |n: &Notice| notices.lock().unwrap().push(n.clone()));
        let login = Login::Token { user: USER.into(), source: Arc::new(Fixed(token)) };
        Graph::new(&self.server.url(), USER, &self.reach, login, Duration::from_millis(5), watch).unwrap()
    }
}

fn note(subject: &str) -> Message {
    let mut props = PropBag::default();
    props.set(tag::MESSAGE_CLASS, Value::text("IPM.Note"));
    props.set(tag::SUBJECT, Value::text(subject));
    Message { props, ..Message::default() }
}

#[test]
fn folders_over_pages_and_levels() {
    let Some(place) = Place::start() else { return };
    let mut graph = place.open(TOKEN);
    let top = graph.create_folder(None, "Über/alles \"x\"", "").unwrap().unwrap();
    let below = graph.create_folder(Some(&top.id), "Termine", "IPF.Appointment").unwrap().unwrap();
    let again = graph.create_folder(None, "Über/ALLES \"x\"", "").unwrap().unwrap_err();
    assert!((again.status, again.code.as_str()) == (409, "ErrorFolderExists"), "{again}");
    let folders = graph.folders().unwrap();
    assert_eq!(folders.len(), 5);
    let inbox = folders.iter().find(|f| f.role == Role::Inbox).unwrap();
    assert_eq!(inbox.path, ["Posteingang"]);
    let found = folders.iter().find(|f| f.id == below.id).unwrap();
    assert_eq!(
        (found.path.join("|"), found.class.as_str()),
        ("Über/alles \"x\"|Termine".to_owned(), "IPF.Appointment")
    );
}

#[test]
fn items_go_in() {
    let Some(place) = Place::start() else { return };
    let mut graph = place.open(TOKEN);
    let inbox = graph.folders().unwrap()[0].id.clone();
    let mut session = graph.session().unwrap();
    assert!(!session.is_over());
    let mut big = note("big");
    big.props.set(tag::BODY, Value::text(&"ä".repeat(300_000)));
    let first = session.import(&inbox, &big, None).unwrap().unwrap();
    let second = session.import(&inbox, &note("second"), None).unwrap().unwrap();
    session.import(&inbox, &note("newer"), Some(&second)).unwrap().unwrap();
    assert_eq!(first.change_key, "cI/1");
    let state = place.server.state();
    let subjects: Vec<_> = state.items.iter().map(|i| i.blob.text("0037").unwrap()).collect();
    assert_eq!(subjects, ["big", "newer"]);
    assert_eq!(state.items[0].blob.text("1000").unwrap().chars().count(), 300_000);
    drop(state);
    let nowhere = session.import("nowhere", &note("x"), None).unwrap().unwrap_err();
    assert_eq!((nowhere.meaning, nowhere.error().kind()), (Meaning::Missing, Kind::NotFound));
    // Everything went over the two connections that there are.
    assert_eq!(place.server.web.connections.load(std::sync::atomic::Ordering::SeqCst), 2);
}

#[test]
fn sessions_end() {
    let Some(place) = Place::start() else { return };
    let mut graph = place.open(TOKEN);
    let inbox = graph.folders().unwrap()[0].id.clone();
    place.server.state().lifetime = 100;
    let mut session = graph.session().unwrap();
    assert!(session.is_over(), "a session that ends in 100 seconds is made anew before an item is sent");
    place.server.state().sessions.clear();
    let expired = session.import(&inbox, &note("x"), None).unwrap().unwrap_err();
    assert_eq!(expired.meaning, Meaning::Expired);
    let mut session = graph.session().unwrap();
    assert!(session.import(&inbox, &note("x"), None).unwrap().is_ok());
    place.server.state().may_import = false;
    assert_eq!(graph.session().err().unwrap().kind(), Kind::Denied);
}

#[test]
fn patience_and_refusals() {
    let Some(place) = Place::start() else { return };
    let mut graph = place.open(TOKEN);
    let server = &place.server;
    server.trouble("exchange", Trouble::Status(429, "TooManyRequests", Some(0)));
    server.trouble("exchange", Trouble::Status(503, "ServiceUnavailable", Some(0)));
    graph.mailbox().unwrap();
    assert_eq!(place.notices.lock().unwrap().len(), 2);
    server.trouble("exchange", Trouble::Status(429, "TooManyRequests", Some(0)));
    let short = place.open(TOKEN).enduring(Duration::ZERO).mailbox().unwrap_err();
    assert!(short.text().contains("--patience"), "it ends: {short}");
    let inbox = graph.folders().unwrap()[0].id.clone();
    let mut session = graph.session().unwrap();
    let mut meaning = |trouble| {
        server.trouble("importItem", trouble);
        let refusal = session.import(&inbox, &note("x"), None).unwrap().unwrap_err();
        assert!(!refusal.to_string().contains("SECRET"), "{refusal}");
        refusal.meaning
    };
    assert_eq!(meaning(Trouble::Status(429, "TooManyRequests", Some(9))), Meaning::Again(Duration::from_secs(9)));
    assert_eq!(meaning(Trouble::Status(413, "", None)), Meaning::TooLarge);
    assert_eq!(meaning(Trouble::Status(400, "ErrorCorruptData", None)), Meaning::Item);
    assert_eq!(meaning(Trouble::Status(403, "ErrorQuotaExceeded", None)), Meaning::Full);
    assert_eq!(meaning(Trouble::Status(502, "", None)), Meaning::Unsure);
    server.trouble("importItem", Trouble::CutBefore);
    assert_eq!(session.import(&inbox, &note("x"), None).unwrap_err().kind(), Kind::Connection);
    assert!(server.state().items.is_empty());
    server.trouble("importItem", Trouble::CutAfter);
    let broken = session.import(&inbox, &note("x"), None).unwrap_err();
    assert_eq!(broken.kind(), Kind::Connection);
    assert!(!broken.to_string().contains("SECRET"), "{broken}");
    assert_eq!(server.state().items.len(), 1);
}

#[test]
fn a_token_that_is_not_taken() {
    let Some(place) = Place::start() else { return };
    let refused = place.open("other-SECRET").folders().unwrap_err();
    assert_eq!(refused.kind(), Kind::Denied);
    assert!(!refused.to_string().contains("SECRET"), "{refused}");
}

/// Without import, mail is no draft of today all the same.
#[test]
fn mail_from_json() {
    let Some(place) = Place::start() else { return };
    let mut graph = place.open(TOKEN);
    let letter = Letter {
        subject: "Grüße".into(),
        body: ("<p>x</p>".into(), true),
        from: Some(("Anna".into(), "anna@example.com".into())),
        flags: 1,
        times: [Some(1_600_000_000), None],
        message_id: Some("<a@b>".into()),
        ..Letter::default()
    };
    assert_eq!(graph.create_mail("AAMk/AQMk1==", &letter).unwrap().unwrap(), "M/1");
    let state = place.server.state();
    let (folder, json) = (&state.mail[0].folder, &state.mail[0].json);
    assert_eq!(folder, "AAMk/AQMk1==");
    let properties: Vec<String> = json["singleValueExtendedProperties"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| format!("{}={}", p["id"].as_str().unwrap(), p["value"].as_str().unwrap()))
        .collect();
    assert_eq!(properties, ["Integer 0x0E07=1", "SystemTime 0x0E06=2020-09-13T12:26:40Z", "String 0x1035=<a@b>"]);
    assert_eq!((json["isRead"].as_bool(), json["from"]["emailAddress"]["name"].as_str()), (Some(true), Some("Anna")));
}
