//! Mailboxes over EWS, against a server that is strict and misbehaves.

use crate::certificates::{Authority, Wanted};
use crate::exchange::{Ews as Exchange, Lock, PASSWORD, Trouble, USER, hash_of};
use crate::push::{Made, Nobody, mime, options};
use pst_core::endpoint::ews::{self, Ews, EwsLane, Field, FolderId, KEY, Mail, Meaning, Options, Refusal, Upload};
use pst_core::endpoint::net::http::Reach;
use pst_core::endpoint::net::{Login, Notice, Secret, TlsOptions, TokenSource};
use pst_core::endpoint::pst::PstSource;
use pst_core::endpoint::push::{self, PushSink};
use pst_core::mapi::{Attachment, Message, NamedProp, PropBag, PropType, Role, Value, fast_transfer, tag};
use pst_core::pipeline::{Body, Flags, Mime, Mounted, Report, RunOptions, Source, run};
use pst_core::{Kind, Result};
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A server and how it is reached.
pub struct Place {
    pub server: Exchange,
    pub reach: Reach,
    notices: Arc<Mutex<Vec<Notice>>>,
    _folder: tempfile::TempDir,
}

impl Place {
    pub fn start(lock: Lock) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::new(folder.path())?;
        let pem = authority.make(&Wanted::default());
        let server = Exchange::start((&pem.0, &pem.1), hash_of(&pem.0), lock);
        let tls = TlsOptions { ca_file: Some(authority.file()), ..TlsOptions::default() };
        let reach = Reach { tls, timeout: Duration::from_secs(20), stop: Arc::default() };
        Some(Self { server, reach, notices: Arc::default(), _folder: folder })
    }

    fn open_with(&self, login: Login, options: Options) -> Ews {
        let notices = Arc::clone(&self.notices);
        let watch = Arc::new(move |n: &Notice| notices.lock().unwrap().push(n.clone()));
        Ews::new(&self.server.url(), &self.reach, login, options, Duration::from_millis(5), watch).unwrap()
    }

    fn open(&self) -> Ews {
        self.open_with(anna(PASSWORD), Options::default())
    }
}

impl Place {
    /// A run that pushes what was made.
    fn pushed(&self, made: &Made, options: push::Options) -> Report {
        self.pushed_from(Arc::new(made.clone()), options)
    }

    /// A run that pushes a source.
    pub fn pushed_from(&self, source: Arc<dyn Source>, options: push::Options) -> Report {
        let notices = Arc::clone(&self.notices);
        let target = ews::Target {
            url: self.server.url(),
            reach: self.reach.clone(),
            login: anna(PASSWORD),
            mailbox: Options::default(),
            patience: Duration::from_millis(5),
            endurance: Duration::from_hours(1),
            watch: Arc::new(move |n: &Notice| notices.lock().unwrap().push(n.clone())),
        };
        let lane = EwsLane::new(target, ews::PushOptions::default());
        let sink = PushSink::open(Arc::new(lane), options).unwrap();
        let mounted = [Mounted { source, under: Vec::new(), journal: None }];
        run(&mounted, Box::new(sink), &RunOptions::default(), &Nobody).unwrap()
    }

    /// Folder and subject of all that the server has.
    fn held(&self) -> Vec<String> {
        let state = self.server.state();
        let name = |id: &str| state.folders.iter().find(|f| f.id == id).unwrap().name.clone();
        let mut out: Vec<_> = state.items.iter().map(|i| format!("{}|{}", name(&i.folder), i.subject())).collect();
        out.sort();
        out
    }
}

fn mails(from: usize, until: usize) -> Vec<Mime> {
    (from..until).map(|n| mime(&format!("Message-ID: <{n}@made>\nSubject: n{n:02}\n\nline\n"))).collect()
}

fn in_folders(all: &[(&str, std::ops::Range<usize>)]) -> Vec<String> {
    let mut out: Vec<_> = all.iter().flat_map(|(f, r)| r.clone().map(move |n| format!("{f}|n{n:02}"))).collect();
    out.sort();
    out
}

#[test]
fn pushing() {
    let Some(place) = Place::start(Lock::Ntlm) else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut made = Made::of(&[
        ("Inbox", Role::Inbox, mails(0, 45)),
        ("Inbox|Kunden", Role::None, mails(45, 50)),
        ("Calendar", Role::Calendar, mails(50, 51)),
    ]);
    made.0[1].0.class = Some("IPF.Appointment".into());
    let options = || push::Options { connections: 1, verify: true, ..options(folder.path()) };
    let report = place.pushed(&made, options());
    assert_eq!((report.written, report.failed), (51, 0), "{report:?}");
    let wanted = in_folders(&[("Posteingang", 0..45), ("Kunden", 45..50), ("Kalender", 50..51)]);
    assert_eq!(place.held(), wanted);
    let class = place.server.state().folders.iter().find(|f| f.name == "Kunden").unwrap().class.clone();
    assert_eq!(class, "IPF.Appointment");
    // A second run sends nothing.
    let again = place.pushed(&made, options());
    assert_eq!((again.written, again.skipped["being there already"]), (0, 51), "{again:?}");
    assert_eq!(place.held(), wanted);
}

/// A busy server is waited for, but not for ever: then the item fails, and not the run.
#[test]
fn patience_has_an_end() {
    let Some(place) = Place::start(Lock::Basic) else { return };
    for _ in 0..5 {
        place.server.trouble("UploadItems", Trouble::Busy(Some(1)));
    }
    let folder = tempfile::tempdir().unwrap();
    let made = Made::of(&[("Inbox", Role::Inbox, mails(0, 1)), ("Sent Items", Role::Sent, mails(1, 2))]);
    let long = push::Options { connections: 1, ..options(folder.path()) };
    let short = push::Options { endurance: Duration::ZERO, ..long.clone() };
    let report = place.pushed(&made, short);
    assert_eq!((report.written, report.failed), (0, 2), "{report:?}");
    assert!(report.failures[0].error.text().contains("--patience"), "{report:?}");
    let report = place.pushed(&made, long);
    assert_eq!((report.written, report.failed), (2, 0), "{report:?}");
}

/// Whatever breaks: each item is there once.
#[test]
fn pushing_through_trouble() {
    let Some(place) = Place::start(Lock::Basic) else { return };
    let server = &place.server;
    for trouble in [
        Trouble::CutAfter,
        Trouble::CutBefore,
        Trouble::Busy(Some(20)),
        Trouble::StatusAfter(400),
        Trouble::Status(503, None),
        Trouble::From(7, "ErrorServerBusy"),
        Trouble::From(3, "ErrorTimeoutExpired"),
        Trouble::Status(429, Some(0)),
        Trouble::Status(413, None),
    ] {
        server.trouble("UploadItems", trouble);
    }
    let folder = tempfile::tempdir().unwrap();
    let made = Made::of(&[("Inbox", Role::Inbox, mails(0, 60)), ("Sent Items", Role::Sent, mails(60, 70))]);
    let options = push::Options { connections: 1, ..options(folder.path()) };
    let report = place.pushed(&made, options);
    assert_eq!((report.written, report.failed), (70, 0), "{report:?}");
    assert!(server.state().troubles.is_empty(), "all of it happened");
    assert_eq!(place.held(), in_folders(&[("Posteingang", 0..60), ("Gesendete Elemente", 60..70)]));
}

#[test]
fn pushing_what_is_not_taken_as_it_is() {
    let Some(place) = Place::start(Lock::Basic) else { return };
    place.server.trouble("UploadItems", Trouble::One(1, "ErrorItemSave"));
    let folder = tempfile::tempdir().unwrap();
    let made = Made::of(&[("Inbox", Role::Inbox, mails(0, 3))]);
    let options = |name: &str| push::Options { connections: 1, ..options(&folder.path().join(name)) };
    for name in ["a", "b", "c"] {
        std::fs::create_dir(folder.path().join(name)).unwrap();
    }
    let report = place.pushed(&made, options("a"));
    assert_eq!((report.written, report.failed), (3, 0), "{report:?}");
    {
        let state = place.server.state();
        let as_mime: Vec<_> = state.items.iter().filter(|i| !i.mime.is_empty()).collect();
        assert_eq!(as_mime.len(), 1);
        assert_eq!((as_mime[0].subject(), as_mime[0].read), ("n01".to_owned(), true));
        assert_eq!(as_mime[0].properties["0x0E07"], "1");
        assert_eq!(as_mime[0].properties["0x0E06"], "2020-09-13T12:26:40Z");
    }
    // A server without UploadItems gets MIME, and is asked once.
    place.server.state().items.clear();
    place.server.state().no_upload = true;
    let report = place.pushed(&made, options("b"));
    assert_eq!((report.written, report.failed), (3, 0), "{report:?}");
    assert!(place.server.state().items.iter().all(|i| !i.mime.is_empty()));
    place.server.state().complaints.clear();
    place.server.state().no_upload = false;
    // A mailbox that is full ends the run, and says so.
    place.server.state().items.clear();
    place.server.trouble("UploadItems", Trouble::From(1, "ErrorQuotaExceeded"));
    let report = place.pushed(&made, options("c"));
    assert_eq!(report.written, 1, "{report:?}");
    let ended = report.ended.unwrap().to_string();
    assert!(ended.contains("ErrorQuotaExceeded"), "{ended}");
}

impl Drop for Place {
    /// Nothing that was asked was wrong by the server's own table; where the schemas are at hand, by these as well.
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let state = self.server.state();
        assert_eq!(state.complaints, [""; 0]);
        judged_by_schemas(&state.requests);
    }
}

pub fn anna(password: &str) -> Login {
    Login::Password { user: USER.into(), password: Secret::new(password) }
}

pub fn python() -> Command {
    Command::new(std::env::var_os("PST_TEST_PYTHON").unwrap_or_else(|| "python3".into()))
}

fn judged_by_schemas(requests: &[Vec<u8>]) {
    let schemas = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/ews-schema");
    let has_lxml = || python().args(["-c", "import lxml"]).output().is_ok_and(|o| o.status.success());
    if !schemas.exists() || !has_lxml() {
        eprintln!("skipped: requests are not judged by the schemas (lxml or {} is not there)", schemas.display());
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for (i, request) in requests.iter().enumerate() {
        std::fs::write(folder.path().join(format!("{i}.xml")), request).unwrap();
    }
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/net/schemas.py");
    let said = python().arg(script).arg(&schemas).arg(folder.path()).output().unwrap();
    let text = String::from_utf8_lossy(&said.stdout).into_owned() + &String::from_utf8_lossy(&said.stderr);
    assert!(said.status.success(), "{text}");
    assert_eq!(text.trim(), format!("{} valid", requests.len()));
}

fn note(subject: &str) -> Message {
    let mut props = PropBag::default();
    props.set(tag::MESSAGE_CLASS, Value::text("IPM.Note"));
    props.set(tag::SUBJECT, Value::text(subject));
    props.set(tag::BODY, Value::text("Grüße, <&>"));
    props.set(tag::INTERNET_MESSAGE_ID, Value::text(&format!("<{subject}@example.com>")));
    Message { props, ..Message::default() }
}

fn up(message: &Message) -> Upload<'_> {
    Upload { message, associated: false, replaces: None }
}

fn inbox(ews: &mut Ews) -> String {
    ews.folders().unwrap().into_iter().find(|f| f.role == Role::Inbox).unwrap().id
}

#[test]
fn folders_have_roles_and_paths() {
    let Some(place) = Place::start(Lock::Basic) else { return };
    let mut ews = place.open();
    let top = ews.top();
    let parent = ews.create_folder(top, "Projekte & <mehr>", "IPF.Note").unwrap().unwrap();
    let child = ews.create_folder(FolderId::Id(&parent), "Termine", "IPF.Appointment").unwrap().unwrap();
    let again = ews.create_folder(top, "projekte & <MEHR>", "").unwrap().unwrap_err();
    assert_eq!((again.code.as_str(), again.meaning), ("ErrorFolderExists", Meaning::Item));
    let folders = ews.folders().unwrap();
    let of = |role: Role| folders.iter().find(|f| f.role == role).unwrap().path.join("/");
    assert_eq!([Role::Inbox, Role::Sent, Role::Calendar].map(of), ["Posteingang", "Gesendete Elemente", "Kalender"]);
    let found = folders.iter().find(|f| f.id == child).unwrap();
    assert_eq!(
        (found.path.join("/"), found.class.as_str()),
        ("Projekte & <mehr>/Termine".to_owned(), "IPF.Appointment")
    );
    assert_eq!(folders.len(), 11);
}

#[test]
fn items_go_in_as_they_are() {
    let Some(place) = Place::start(Lock::Basic) else { return };
    let mut ews = place.open();
    let inbox = inbox(&mut ews);
    let mut first = note("first");
    let set = uuid::Uuid::parse_str("5ea1fbd5-4f4e-4bd0-9e39-1dbb7a8d2f60").unwrap().to_bytes_le();
    let name = Arc::new(NamedProp::text(pst_core::mapi::Guid(set), "PstItem"));
    first.props.set_named(name, PropType::STRING, Value::text("key-1"));
    first.recipients.push(PropBag::default());
    let mut file = Attachment::default();
    file.props.set(tag::ATTACH_METHOD, Value::I32(1));
    file.props.set(tag::ATTACH_DATA_BINARY, Value::binary(vec![7; 200_000]));
    first.attachments.push(file);
    first.attachments.push(Attachment { embedded: Some(Box::new(note("inner"))), ..Attachment::default() });
    let second = note("second");
    let hidden = Upload { associated: true, ..up(&second) };
    let stored = ews.upload(&inbox, &[up(&first), up(&second), hidden]).unwrap();
    let ids: Vec<_> = stored.into_iter().map(std::result::Result::unwrap).collect();

    let probes = ews.probes(FolderId::Id(&inbox), false, None).unwrap();
    assert_eq!(probes.len(), 2);
    assert_eq!(probes[0].key.as_deref(), Some("key-1"));
    assert_eq!(probes[1].message_id.as_deref(), Some("<second@example.com>"));
    assert_eq!(ews.probes(FolderId::Named("inbox"), true, None).unwrap()[0].item.id, ids[2].id);
    let mine = ews.probes(FolderId::Id(&inbox), false, Some((KEY, "key-1"))).unwrap();
    assert_eq!((mine.len(), &mine[0].item.id), (1, &ids[0].id));

    let back = ews.export(&ids[0]).unwrap().unwrap();
    let mut sent = Vec::new();
    fast_transfer::encode(&first, &mut sent, &fast_transfer::Options::default()).unwrap();
    assert!(back == sent, "what comes back is what was sent");
    let flags = Field::Tag(0x0E07, "Integer");
    let got = ews.get(&ids[..1], false, &[flags]).unwrap().remove(0).unwrap();
    assert_eq!(got.text_of("Subject"), Some("first"));
    let decoded = place.server.state().items[0].blob.clone().unwrap();
    assert_eq!((decoded.recipients.len(), decoded.attachments.len()), (1, 2));
    assert_eq!(decoded.attachments[0].0["3701:0102"], vec![7; 200_000]);
    assert_eq!(decoded.attachments[1].1.as_ref().unwrap().text("0037").as_deref(), Some("inner"));

    let newer = note("newer");
    let replaced = ews.upload(&inbox, &[Upload { replaces: Some(&ids[1]), ..up(&newer) }]).unwrap().remove(0).unwrap();
    let gone = ews.delete(&[ids[0].clone(), ids[1].clone()]).unwrap();
    assert!(gone[0].is_ok());
    assert_eq!(gone[1].as_ref().unwrap_err().code, "ErrorItemNotFound");
    let left = ews.probes(FolderId::Id(&inbox), false, None).unwrap();
    assert_eq!((left.len(), &left[0].item.id), (1, &replaced.id));
}

/// Many items, over several pages, each once.
#[test]
fn pages() {
    let Some(place) = Place::start(Lock::Basic) else { return };
    let mut ews = place.open();
    let inbox = inbox(&mut ews);
    let notes: Vec<_> = (0..10).map(|i| note(&format!("n{i}"))).collect();
    let all: Vec<_> = notes.iter().map(up).collect();
    assert_eq!(ews.upload(&inbox, &all).unwrap().into_iter().filter(|s| s.is_ok()).count(), 10);
    let mut ids: Vec<_> =
        ews.probes(FolderId::Id(&inbox), false, None).unwrap().into_iter().map(|p| p.item.id).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 10);
}

#[test]
fn mail_goes_in_as_mime() {
    let Some(place) = Place::start(Lock::Basic) else { return };
    let mut ews = place.open();
    let text = "Message-ID: <m@example.com>\r\nSubject: as mime\r\n\r\nbody\r\n";
    let flags = Flags { seen: Some(true), ..Flags::default() };
    let mime = Mime { bytes: text.into(), flags, ..Mime::default() };
    let draft = Mime { flags: Flags { draft: true, ..Flags::default() }, ..mime.clone() };
    let categories = ["Red & blue".to_owned()];
    let mail = |mime| Mail {
        mime,
        class: Some("IPM.Note.Custom"),
        received: Some(1_600_000_000),
        submitted: None,
        categories: &categories,
        key: Some("key-2"),
    };
    let stored = ews.create(FolderId::Named("drafts"), &[mail(&mime), mail(&draft)]).unwrap();
    assert!(stored.iter().all(std::result::Result::is_ok));
    let state = place.server.state();
    let (read, draft) = (&state.items[0], &state.items[1]);
    assert_eq!(read.mime, text.as_bytes());
    assert_eq!((read.read, draft.read), (true, false));
    assert_eq!((&*read.properties["0x0E07"], &*draft.properties["0x0E07"]), ("1", "8"));
    assert_eq!(read.properties["0x0E06"], "2020-09-13T12:26:40Z");
    assert!(!read.properties.contains_key("0x0039"));
    assert_eq!((&read.categories[..], read.class.as_str()), (&categories[..], "IPM.Note.Custom"));
    drop(state);
    let found = ews.probes(FolderId::Named("drafts"), false, Some((KEY, "key-2"))).unwrap();
    assert_eq!((found.len(), found[0].message_id.as_deref()), (2, Some("<m@example.com>")));
}

#[test]
fn whose_mailbox_it_is() {
    let Some(place) = Place::start(Lock::Basic) else { return };
    let other = Options { mailbox: Some("bob@example.com".into()), impersonate: true, archive: false };
    let mut ews = place.open_with(anna(PASSWORD), other.clone());
    inbox(&mut ews);
    inbox(&mut place.open_with(anna(PASSWORD), Options { impersonate: false, ..other }));
    let state = place.server.state();
    assert_eq!(state.operations[0], "GetFolder as bob@example.com");
    assert!(state.operations.iter().any(|o| o == "GetFolder"));
    let sent = |name: &str| state.fields.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone());
    assert_eq!(sent("X-AnchorMailbox").as_deref(), Some("bob@example.com"));
    assert_eq!(sent("X-PreferServerAffinity").as_deref(), Some("true"));
    assert_eq!(sent("Cookie").as_deref(), Some("exchangecookie=abc"));
    let shared = state.requests.iter().filter(|r| String::from_utf8_lossy(r).contains("<t:Mailbox>")).count();
    assert!(shared > 0 && shared < state.requests.len());
}

#[test]
fn passwords() {
    for lock in [Lock::Basic, Lock::Ntlm] {
        let Some(place) = Place::start(lock) else { return };
        let mut ews = place.open();
        let inbox = inbox(&mut ews);
        let big = note("big");
        for _ in 0..5 {
            assert!(ews.upload(&inbox, &[up(&big)]).unwrap()[0].is_ok());
        }
        // NTLM signs in a connection, which is kept.
        assert_eq!(place.server.web.connections.load(Ordering::SeqCst), 1);
        let wrong = place.open_with(anna("other-SECRET"), Options::default()).folders().unwrap_err();
        assert_eq!(wrong.kind(), Kind::Denied);
        let said = wrong.to_string();
        assert!(said.contains(USER) && !said.contains("SECRET"), "{said}");
        place.server.state().complaints.clear();
    }
}

struct Tokens(AtomicUsize);

impl TokenSource for Tokens {
    fn token(&self, renew: bool) -> Result<Secret> {
        let n = if renew { self.0.fetch_add(1, Ordering::SeqCst) + 1 } else { self.0.load(Ordering::SeqCst) };
        Ok(Secret::new(format!("token-{n}-SECRET")))
    }
}

#[test]
fn tokens_are_renewed_once() {
    let Some(place) = Place::start(Lock::Bearer) else { return };
    let source = Arc::new(Tokens(AtomicUsize::new(0)));
    let login =
        || Login::Token { user: "anna@example.com".into(), source: Arc::clone(&source) as Arc<dyn TokenSource> };
    place.server.state().tokens = vec!["token-1-SECRET".into()];
    let mut ews = place.open_with(login(), Options::default());
    inbox(&mut ews);
    assert_eq!(source.0.load(Ordering::SeqCst), 1);
    place.server.state().tokens.clear();
    let refused = ews.folders().unwrap_err();
    assert_eq!(refused.kind(), Kind::Denied);
    assert!(!refused.to_string().contains("SECRET"), "{refused}");
    assert_eq!(source.0.load(Ordering::SeqCst), 2);
}

#[test]
fn busy_servers_are_left_alone() {
    let Some(place) = Place::start(Lock::Basic) else { return };
    let mut ews = place.open();
    let inbox = inbox(&mut ews);
    let server = &place.server;
    server.trouble("FindItem", Trouble::Busy(Some(40)));
    server.trouble("FindItem", Trouble::Busy(None));
    server.trouble("FindItem", Trouble::Status(503, Some(0)));
    server.trouble("FindItem", Trouble::Status(429, None));
    assert!(ews.probes(FolderId::Id(&inbox), false, None).unwrap().is_empty());
    let waits: Vec<Duration> = place
        .notices
        .lock()
        .unwrap()
        .iter()
        .map(|n| match n {
            Notice::Waiting { wait, .. } => *wait,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(waits, [40, 10, 20, 40].map(Duration::from_millis));

    // Patience has an end, and the option that makes it longer is named.
    server.trouble("FindItem", Trouble::Busy(Some(20)));
    server.trouble("FindItem", Trouble::Busy(Some(20)));
    let mut hasty = place.open().enduring(Duration::ZERO);
    let ended = hasty.probes(FolderId::Id(&inbox), false, None).unwrap_err();
    assert!(ended.kind() == Kind::Server && ended.text().contains("--patience"), "{ended}");
    server.state().troubles.clear();

    let meaning = |ews: &mut Ews| ews.upload(&inbox, &[up(&note("x"))]).unwrap().remove(0).unwrap_err().meaning;
    server.trouble("UploadItems", Trouble::Busy(Some(1500)));
    assert_eq!(meaning(&mut ews), Meaning::Again(Duration::from_millis(1500)));
    server.trouble("UploadItems", Trouble::Status(429, Some(7)));
    assert_eq!(meaning(&mut ews), Meaning::Again(Duration::from_secs(7)));
    server.trouble("UploadItems", Trouble::Status(405, None));
    assert_eq!(meaning(&mut ews), Meaning::TooLarge);
    server.trouble("UploadItems", Trouble::Status(503, None));
    assert_eq!(meaning(&mut ews), Meaning::Unsure);
    server.trouble("UploadItems", Trouble::Status(403, None));
    assert_eq!(meaning(&mut ews), Meaning::Mailbox);
    assert!(server.state().items.is_empty());
}

#[test]
fn refusals_of_some_items() {
    let Some(place) = Place::start(Lock::Basic) else { return };
    let mut ews = place.open();
    let inbox = inbox(&mut ews);
    let notes: Vec<_> = (0..4).map(|i| note(&format!("n{i}"))).collect();
    let all: Vec<_> = notes.iter().map(up).collect();
    let server = &place.server;
    server.trouble("UploadItems", Trouble::One(1, "ErrorItemSave"));
    let said = ews.upload(&inbox, &all).unwrap();
    let refused: Vec<Option<&Refusal>> = said.iter().map(|s| s.as_ref().err()).collect();
    assert_eq!(refused.iter().filter(|r| r.is_some()).count(), 1);
    assert_eq!(refused[1].unwrap().to_string(), "The server says ErrorItemSave. (ErrorItemSave)");
    server.trouble("UploadItems", Trouble::From(2, "ErrorQuotaExceeded"));
    let said = ews.upload(&inbox, &all).unwrap();
    assert_eq!(said.iter().filter(|s| s.is_ok()).count(), 2);
    let full = said[3].as_ref().unwrap_err();
    assert_eq!((full.meaning, full.error().kind()), (Meaning::Mailbox, Kind::Limit));
    assert_eq!(server.state().items.len(), 5);
    let nowhere = ews.upload("nowhere", &all[..1]).unwrap().remove(0).unwrap_err();
    assert_eq!(nowhere.meaning, Meaning::Folder);
}

/// What was done before the connection broke is there, and nothing is sent again by itself.
#[test]
fn connections_break() {
    let Some(place) = Place::start(Lock::Ntlm) else { return };
    let mut ews = place.open();
    let inbox = inbox(&mut ews);
    let it = note("once");
    let server = &place.server;
    server.trouble("UploadItems", Trouble::CutBefore);
    assert_eq!(ews.upload(&inbox, &[up(&it)]).unwrap_err().kind(), Kind::Connection);
    assert!(server.state().items.is_empty());
    server.trouble("UploadItems", Trouble::CutAfter);
    assert_eq!(ews.upload(&inbox, &[up(&it)]).unwrap_err().kind(), Kind::Connection);
    server.trouble("UploadItems", Trouble::StatusAfter(400));
    let unsure = ews.upload(&inbox, &[up(&it)]).unwrap().remove(0).unwrap_err();
    assert_eq!((unsure.meaning, unsure.error().kind()), (Meaning::Unsure, Kind::Connection));
    assert_eq!(server.state().items.len(), 2);
    assert!(ews.upload(&inbox, &[up(&it)]).unwrap()[0].is_ok());
    assert_eq!(ews.probes(FolderId::Id(&inbox), false, None).unwrap().len(), 3);
}

/// An item that cannot be read to its end is not sent in part.
#[test]
fn stopping() {
    let Some(place) = Place::start(Lock::Basic) else { return };
    let mut ews = place.open();
    place.server.trouble("GetFolder", Trouble::Busy(Some(600_000)));
    let stop = Arc::clone(&place.reach.stop);
    let stopper = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(300));
        stop.store(true, Ordering::SeqCst);
    });
    assert_eq!(ews.folders().unwrap_err().kind(), Kind::Interrupted);
    stopper.join().unwrap();
}

#[test]
fn servers_without_upload() {
    let Some(place) = Place::start(Lock::Basic) else { return };
    let mut ews = place.open();
    let inbox = inbox(&mut ews);
    place.server.state().no_upload = true;
    let refused = ews.upload(&inbox, &[up(&note("x"))]).unwrap().remove(0).unwrap_err();
    assert_eq!(refused.meaning, Meaning::Unknown);
    place.server.state().complaints.clear();
}

/// Secrets are not shown to servers that everybody on the way can hear.
#[test]
fn nothing_secret_without_tls() {
    let reach = Reach { tls: TlsOptions::default(), timeout: Duration::from_secs(5), stop: Arc::default() };
    let url = "http://localhost:9/EWS/Exchange.asmx";
    let watch = Arc::new(|_: &Notice| {});
    let mut ews = Ews::new(url, &reach, anna(PASSWORD), Options::default(), Duration::ZERO, watch).unwrap();
    let refused = ews.folders().unwrap_err();
    assert_eq!(refused.kind(), Kind::Usage);
    assert!(refused.to_string().contains("https"), "{refused}");
}

/// Every item of genuine files is taken by a decoder that was written separately.
#[test]
fn genuine_items() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus/pst");
    let Ok(entries) = std::fs::read_dir(&root) else {
        eprintln!("skipped: no corpus ({} is not there)", root.display());
        return;
    };
    let Some(place) = Place::start(Lock::Basic) else { return };
    let mut ews = place.open();
    let inbox = inbox(&mut ews);
    let mut files: Vec<_> = entries.map(|e| e.unwrap().path()).filter(|p| p.is_file()).collect();
    files.sort();
    let (mut sent, mut taken, mut refused) = (0, 0, Vec::new());
    for file in files.iter().filter(|f| f.metadata().unwrap().len() < 8 << 20) {
        let Ok(source) = PstSource::open(file) else { continue };
        for folder in source.folders().unwrap_or_default().iter().filter(|f| !f.search) {
            let Ok(items) = source.items(folder) else { continue };
            for item in items.flatten().take(20) {
                let Ok(item) = source.load(folder, &item) else { continue };
                let Body::Mapi(message) = item.body else { continue };
                sent += 1;
                match ews.upload(&inbox, &[Upload { message: &message, associated: item.associated, replaces: None }]) {
                    Ok(said) if said[0].is_ok() => taken += 1,
                    other => refused.push(format!("{} {}: {other:?}", file.display(), item.id)),
                }
            }
        }
        place.server.state().requests.clear();
    }
    eprintln!("{taken} of {sent} items were taken");
    assert_eq!((refused.len(), sent > 100), (0, true), "{refused:#?} {:?}", place.server.state().complaints);
}

/// A client of others reads what we have put there.
#[test]
fn exchangelib_reads_it() {
    if !python().args(["-c", "import exchangelib"]).output().is_ok_and(|o| o.status.success()) {
        eprintln!("skipped: exchangelib is not installed");
        return;
    }
    let Some(place) = Place::start(Lock::Basic) else { return };
    let mut ews = place.open();
    let inbox = inbox(&mut ews);
    let folder = ews.create_folder(FolderId::Id(&inbox), "Grüße", "IPF.Note").unwrap().unwrap();
    let mut first = note("first");
    first.props.set(tag::MESSAGE_DELIVERY_TIME, Value::Time(132_000_000_000_000_000));
    first.props.set(tag::MESSAGE_FLAGS, Value::I32(1));
    assert!(ews.upload(&folder, &[up(&first)]).unwrap()[0].is_ok());
    let text = "Message-ID: <m@example.com>\r\nSubject: as mime\r\n\r\nbody\r\n";
    let mime = Mime { bytes: text.into(), ..Mime::default() };
    let mail =
        Mail { mime: &mime, class: None, received: Some(1_600_000_000), submitted: None, categories: &[], key: None };
    assert!(ews.create(FolderId::Id(&folder), &[mail]).unwrap()[0].is_ok());
    place.server.state().requests.clear();
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/net/exchangelib_reads.py");
    let ca = place.reach.tls.ca_file.clone().unwrap();
    let said = python()
        .arg(script)
        .arg(place.server.url())
        .env("REQUESTS_CA_BUNDLE", ca)
        .env("EWS_USER", USER)
        .env("EWS_PASSWORD", PASSWORD)
        .output()
        .unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let lines: Vec<String> = String::from_utf8(said.stdout).unwrap().lines().map(str::to_owned).collect();
    let wanted = [
        "Grüße|as mime|<m@example.com>|2020-09-13T12:26:40+00:00|False",
        "Grüße|first|<first@example.com>|2019-04-17T18:40:00+00:00|True",
    ];
    assert_eq!(lines, wanted);
}
