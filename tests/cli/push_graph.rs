//! Items into mailboxes of Microsoft 365 over Microsoft Graph, by the command, against a strict server of the tests.

use crate::blob::{Bag, Blob};
use crate::certificates::{Authority, Wanted};
use crate::command::{at, code, fixtures, stderr, tree};
use crate::idp::{APP_SECRET, Idp};
use crate::microsoft::{Graph, Mail, Trouble, USER};
use crate::push_ews::{RECEIPT, REMINDER_SET, noisy};
use crate::support::moving::all;
use crate::support::{Seeded, corpus};
use pst_core::mapi::{Attachment, Message, Value, tag};
use pst_core::mime;
use pst_core::pipeline::Body;
use serde_json::Value as Json;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

/// A mailbox, who lets us in, and a folder of the test.
struct Place {
    server: Graph,
    idp: Idp,
    authority: Authority,
    dir: tempfile::TempDir,
}

impl Place {
    fn start() -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let authority = Authority::new(&dir.path().join("certificates"))?;
        let pem = authority.make(&Wanted::default());
        let server = Graph::start((&pem.0, &pem.1));
        server.state().tokens = (1..500).map(|n| format!("access-SECRET-{n}")).collect();
        fs::write(dir.path().join("app"), APP_SECRET).unwrap();
        Some(Self { server, idp: Idp::start(), authority, dir })
    }

    /// `pst` with a home of its own, for the server of this test; the app signs in by its secret.
    fn pst(&self, args: &[&str]) -> Command {
        let secret = at(&self.dir, "app");
        self.signing_in(args, &["--client-id", "app", "--client-secret-file", &secret])
    }

    fn signing_in(&self, args: &[&str], how: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pst"));
        let (ca, host) = (self.authority.file(), format!("localhost:{}", self.server.web.port));
        command.args(args).args(how).arg("--ca-file").arg(ca).args(["--graph-host", &host]);
        command.args(["--token-url", &self.idp.url("token"), "--device-url", &self.idp.url("device")]);
        command.env("HOME", at(&self.dir, "home")).env_remove("XDG_CONFIG_HOME");
        command.env("XDG_STATE_HOME", at(&self.dir, "state"));
        command
    }

    fn push(&self, args: &[&str]) -> (i32, Json, String) {
        self.ran(&self.pst(&[&["push", "--json"], args].concat()).output().unwrap())
    }

    fn ran(&self, out: &Output) -> (i32, Json, String) {
        let said = format!("{}{}", String::from_utf8_lossy(&out.stdout), stderr(out));
        assert!(!said.contains("SECRET"), "{said}");
        (code(out), serde_json::from_slice(&out.stdout).unwrap_or_default(), stderr(out))
    }

    /// What nobody else may read stands in no file that a run has written.
    fn nothing_secret_is_kept(&self) {
        let state = tree(&self.dir.path().join("state"));
        assert!(!state.is_empty(), "there is a journal");
        for (path, bytes) in state {
            assert!(!bytes.windows(6).any(|w| w == b"SECRET"), "{}", path.display());
        }
    }

    fn folders(&self) -> BTreeMap<String, usize> {
        let state = self.server.state();
        let count = |id: &str| state.items.iter().filter(|i| i.folder == id).count();
        state.folders.iter().map(|f| (f.name.clone(), count(&f.id))).collect()
    }
}

fn target() -> String {
    format!("graph://{USER}")
}

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().take(6).map(|b| format!("{b:02x}")).collect()
}

/// What tells an item from others, by our own reader.
fn of_message(m: &Message) -> String {
    let file = |a: &Attachment| match (&a.embedded, a.props.any(tag::ATTACH_DATA_BINARY.id())) {
        (Some(inner), _) => of_message(inner),
        (None, Some(Value::Binary(data))) => hash(&data.to_vec(1 << 30).unwrap()),
        _ => String::new(),
    };
    let text = |tag| m.props.text(tag).unwrap_or_default();
    let parts = [text(tag::MESSAGE_CLASS), mime::title_of(m), text(tag::INTERNET_MESSAGE_ID)];
    let time = m.props.time(tag::MESSAGE_DELIVERY_TIME).unwrap_or_default();
    let files: Vec<String> = m.attachments.iter().map(file).collect();
    format!("{}|{time}|{}|{files:?}", parts.join("|"), m.recipients.len())
}

/// The same, by the decoder of the tests.
fn of_blob(b: &Blob) -> String {
    let file = |(bag, inner): &(Bag, Option<Blob>)| match inner {
        Some(inner) => of_blob(inner),
        None => bag.get("3701:0102").map(|data| hash(data)).unwrap_or_default(),
    };
    let get = |id: &str| b.text(id).unwrap_or_default();
    let title = Some(get("0037")).filter(|s| !s.is_empty()).unwrap_or_else(|| get("3001"));
    let time = b.props.get("0e06:0040").map(|t| u64::from_le_bytes(t.as_slice().try_into().unwrap()));
    let files: Vec<String> = b.attachments.iter().map(file).collect();
    let parts = [get("001a"), title, get("1035")];
    format!("{}|{}|{}|{files:?}", parts.join("|"), time.unwrap_or_default(), b.recipients.len())
}

/// The items of a source that are no associated ones.
fn items(spec: &str) -> Vec<Message> {
    let folders = all(spec).into_iter().filter(|(f, _)| !f.search);
    let items = folders.flat_map(|(_, items)| items).filter(|i| !i.associated);
    items
        .map(|item| match item.body {
            Body::Mapi(message) => *message,
            Body::Mime(_) => panic!("a store has messages"),
        })
        .collect()
}

fn sorted(mut all: Vec<String>) -> Vec<String> {
    all.sort();
    all
}

/// A PST of the fixtures.
fn made(place: &Place) -> String {
    let source = at(&place.dir, "made.pst");
    assert_eq!(code(&crate::command::pst(&["convert", &fixtures("mail"), &source])), 0);
    source
}

#[test]
fn a_pst_goes_into_a_mailbox_of_microsoft_365() {
    let Some(place) = Place::start() else { return };
    let source = made(&place);
    place.server.state().slow = 5;
    let (status, dry, said) = place.push(&[&source, &target(), "--dry-run"]);
    assert_eq!((status, place.server.state().items.len()), (0, 0), "{said}");
    let report = at(&place.dir, "report.json");
    let (status, first, said) = place.push(&[&source, &target(), "--verify", "--report", &report]);
    assert_eq!((status, &first["written"], &first["failed"]), (0, &dry["written"], &0.into()), "{said} {first}");
    assert_eq!(first["warnings"], dry["warnings"], "nothing differs: {first}");
    let (wanted, arrived) = (items(&source), place.server.state().items.clone());
    assert!(wanted.len() > 40);
    assert_eq!(
        sorted(arrived.iter().map(|i| of_blob(&i.blob)).collect()),
        sorted(wanted.iter().map(of_message).collect())
    );
    let folders = place.folders();
    assert!(folders["Posteingang"] > 0 && folders["Gesendet"] > 0 && !folders.contains_key("Inbox"), "{folders:?}");
    assert!((2..=4).contains(&place.server.state().most_at_once), "{}", place.server.state().most_at_once);
    assert_eq!(place.server.state().begun, 2, "one permission a run");
    let (_, again, said) = place.push(&[&source, &target()]);
    let there = again["skipped"]["being there already"].as_u64();
    assert_eq!((again["written"].as_u64(), there), (Some(0), first["written"].as_u64()), "{said}");
    assert_eq!(place.server.state().items.len(), arrived.len());
    assert!(!fs::read_to_string(&report).unwrap().contains("SECRET"));
    place.nothing_secret_is_kept();
}

/// Calendars, contacts, lists, messages inside messages, ANSI stores, as others have made them.
#[test]
fn genuine_files() {
    let Some(place) = Place::start() else { return };
    for name in [
        "aquasync__msgInMsg__a6251764.pst",
        "aspose-email__SampleContacts__d9e19d99.pst",
        "rjohnsondev__dist-list__06a9c591.pst",
        "mooijtech__32-bit__8800186a.pst",
        "enrondata__submessage__9e8635d5.pst",
        "aspose-email__Outlook__0f69be7e.pst",
    ] {
        let Some(file) = corpus(&format!("pst/{name}")) else { return };
        let file = file.to_string_lossy();
        place.server.state().items.clear();
        let (status, ran, said) = place.push(&[&file, &target(), "--verify"]);
        let wanted: Vec<String> = sorted(items(&file).iter().map(of_message).collect());
        assert!(!wanted.is_empty(), "{name}");
        assert_eq!((status, ran["written"].as_u64()), (0, Some(wanted.len() as u64)), "{name}: {said} {ran}");
        let arrived = sorted(place.server.state().items.iter().map(|i| of_blob(&i.blob)).collect());
        assert_eq!(arrived, wanted, "{name}");
        eprintln!("{name}: {} items", wanted.len());
    }
}

#[test]
fn old_reminders_and_receipts_make_no_noise() {
    let Some(place) = Place::start() else { return };
    let file = noisy(&place.dir);
    let property = |name: &str| -> BTreeMap<String, Vec<u8>> {
        let state = place.server.state();
        let of = |b: &Blob| (b.text("0037").unwrap_or_default(), b.props.get(name).cloned().unwrap_or_default());
        state.items.iter().map(|i| of(&i.blob)).collect()
    };
    let (_, said, _) = place.push(&[&file, &target()]);
    let codes = &said["warning_codes"];
    assert_eq!((&said["written"], &codes["reminder"], &codes["receipt"]), (&5.into(), &2.into(), &1.into()), "{said}");
    let set = property(REMINDER_SET);
    assert_eq!([&set["past"][0], &set["future"][0], &set["series"][0]], [&0, &1, &1]);
    let receipt = property(RECEIPT);
    assert_eq!((receipt["mail 1"].as_slice(), receipt["mail 2"].as_slice()), (&[][..], &[1, 0][..]));
    let (_, again, _) = place.push(&[&file, &target(), "--keep-reminders", "--keep-receipts"]);
    assert_eq!(again["written"], 0, "what is known does not change with the clock: {again}");
}

#[test]
fn trouble_on_the_way() {
    let Some(place) = Place::start() else { return };
    let source = made(&place);
    place.server.state().uses = 7;
    for (word, trouble) in [
        ("createImportSession", Trouble::Status(429, "TooManyRequests", Some(0))),
        ("importItem", Trouble::Status(429, "ApplicationThrottled", Some(1))),
        ("importItem", Trouble::Status(503, "ServiceUnavailable", Some(1))),
        ("importItem", Trouble::Status(401, "InvalidAuthToken", None)),
        ("importItem", Trouble::CutBefore),
        ("importItem", Trouble::CutAfter),
        ("importItem", Trouble::Status(500, "ErrorInternalServerError", None)),
        ("items", Trouble::Status(429, "TooManyRequests", Some(0))),
        ("importItem", Trouble::CutAfter),
        ("exportItems", Trouble::CutBefore),
        ("exportItems", Trouble::Status(429, "TooManyRequests", Some(0))),
    ] {
        place.server.trouble(word, trouble);
    }
    let (status, ran, said) = place.push(&[&source, &target(), "--verify"]);
    assert_eq!((status, ran["failed"].as_u64()), (0, Some(0)), "{said} {ran}");
    assert!(place.server.state().troubles.is_empty(), "all of it happened: {:?}", place.server.state().troubles);
    assert!(place.server.state().begun > 5, "permissions were renewed");
    let arrived = sorted(place.server.state().items.iter().map(|i| of_blob(&i.blob)).collect());
    assert_eq!(arrived, sorted(items(&source).iter().map(of_message).collect()), "each is there once");
}

/// An item that is not imported goes in as JSON, if it is mail; the others are imported.
#[test]
fn an_item_that_is_refused() {
    let Some(place) = Place::start() else { return };
    let source = mbox(&place, 6, 1000);
    place.server.state().refused = "Message 3".to_owned();
    let (status, ran, said) = place.push(&[&source, &target(), "--verify", "--target-root", "/"]);
    assert_eq!((status, ran["written"].as_u64(), ran["failed"].as_u64()), (0, Some(6), Some(0)), "{said} {ran}");
    assert!(said.contains("it went in as JSON") && said.contains("cannot be saved"), "{said}");
    {
        let state = place.server.state();
        assert_eq!((state.items.len(), state.mail.len()), (5, 1));
        assert_eq!(state.mail[0].json["subject"], "Message 3");
        assert_eq!(state.mail[0].folder, "AAMk/AQMk0==", "it is in the folder of the others");
    }
    let (_, again, _) = place.push(&[&source, &target(), "--target-root", "/"]);
    assert_eq!(again["written"], 0, "{again}");
    // What is no mail has no other way.
    place.server.state().refused = "Holiday".to_owned();
    let calendar = at(&place.dir, "holiday.ics");
    let event = "BEGIN:VEVENT\r\nUID:1\r\nDTSTART:20200101T100000Z\r\nSUMMARY:Holiday\r\nEND:VEVENT\r\n";
    fs::write(&calendar, format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{event}END:VCALENDAR\r\n")).unwrap();
    let (status, ran, said) = place.push(&[&calendar, &target()]);
    assert_eq!((status, ran["failed"].as_u64()), (1, Some(1)), "{ran}");
    assert!(said.contains("cannot be saved") && said.contains("mail alone goes in"), "{said}");
}

/// An mbox of so many messages; each tenth has an attachment of `large` bytes.
fn mbox(place: &Place, count: usize, large: usize) -> String {
    let mut out = String::new();
    for n in 0..count {
        let data: Vec<u8> = (0..if n % 10 == 0 { large } else { 30 }).map(|i| (i * 7 + n) as u8).collect();
        let data = base64_simd::STANDARD.encode_to_string(data);
        let data: Vec<&str> = data.as_bytes().chunks(76).map(|c| std::str::from_utf8(c).unwrap()).collect();
        out += &format!(
            "From a@b Mon Jan  6 10:00:00 2020\nFrom: Anna <anna@example.com>\nTo: Bob <bob@example.com>\n\
             Subject: Message {n}\nMessage-ID: <{n}@example.com>\nDate: Mon, 6 Jan 2020 10:{:02}:{:02} +0000\n\
             Content-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: text/plain\n\nText {n}.\n--x\n\
             Content-Type: application/octet-stream\nContent-Disposition: attachment; filename=\"{n}.bin\"\n\
             Content-Transfer-Encoding: base64\n\n{}\n--x--\n\n",
            n / 60 % 60,
            n % 60,
            data.join("\n"),
        );
    }
    let path = at(&place.dir, "mail.mbox");
    fs::write(&path, out).unwrap();
    path
}

/// Every message once, with its whole attachment, and none that is unfinished.
fn each_once(all: &[Mail], count: usize, large: usize) {
    let mut ids: Vec<&str> = all.iter().filter_map(|m| m.property("String 0x1035")).collect();
    ids.sort_unstable();
    let mut wanted: Vec<String> = (0..count).map(|n| format!("<{n}@example.com>")).collect();
    wanted.sort();
    assert_eq!(ids, wanted);
    for mail in all {
        let n: usize = mail.json["subject"].as_str().unwrap().strip_prefix("Message ").unwrap().parse().unwrap();
        let data: Vec<u8> = (0..if n.is_multiple_of(10) { large } else { 30 }).map(|i| (i * 7 + n) as u8).collect();
        assert_eq!(mail.files.len(), 1, "{n}");
        assert!(mail.files[0].1 == data && mail.files[0].0["name"] == format!("{n}.bin"), "{n}");
        let property =
            |name: &str| mail.property(&format!("String {{5ea1fbd5-4f4e-4bd0-9e39-1dbb7a8d2f60}} Name {name}"));
        assert_eq!(property("PstProbe"), Some(format!("id <{n}@example.com>").as_str()));
        assert_ne!(property("PstUnfinished"), Some("yes"), "{n}");
    }
}

#[test]
fn without_import_mail_goes_in_as_json() {
    let Some(place) = Place::start() else { return };
    place.server.state().may_import = false;
    let (count, large) = (12, 5_000_000);
    let source = mbox(&place, count, large);
    let args = [&source, &target(), "--verify", "--target-root", "Old/2020"];
    let (status, ran, said) = place.push(&args);
    assert_eq!((status, ran["written"].as_u64()), (0, Some(count as u64)), "{said} {ran}");
    assert!(said.contains("does not permit import") && said.contains("Access is denied"), "{said}");
    assert!(!said.contains("read back, it differs"), "{said}");
    let mail = place.server.state().mail.clone();
    each_once(&mail, count, large);
    assert!(place.server.state().items.is_empty() && place.folders().contains_key("2020"));
    let first = &mail.iter().find(|m| m.json["subject"] == "Message 1").unwrap();
    assert_eq!(first.property("Integer 0x0E07"), Some("1"), "it is no draft");
    assert_eq!(first.property("SystemTime 0x0039"), Some("2020-01-06T10:00:01Z"));
    assert!(first.property("String 0x007D").unwrap().contains("Message-ID: <1@example.com>"));
    assert_eq!(first.json["toRecipients"][0]["emailAddress"]["address"], "bob@example.com");
    let (_, again, _) = place.push(&args);
    assert_eq!(again["written"], 0, "{again}");
    place.nothing_secret_is_kept();
}

/// Attachments that come after their message, and connections that break between them.
#[test]
fn attachments_on_the_way() {
    let Some(place) = Place::start() else { return };
    place.server.state().may_import = false;
    let (count, large) = (3, 5_000_000);
    let source = mbox(&place, count, large);
    for (word, trouble) in [
        ("createUploadSession", Trouble::CutAfter),
        ("createUploadSession", Trouble::Status(429, "TooManyRequests", Some(0))),
        ("U1-SECRET", Trouble::CutAfter),
        ("U2-SECRET", Trouble::Status(503, "ServiceUnavailable", Some(0))),
        ("messages", Trouble::CutAfter),
    ] {
        place.server.trouble(word, trouble);
    }
    let (status, ran, said) = place.push(&[&source, &target(), "--verify", "--connections", "1"]);
    assert_eq!((status, ran["failed"].as_u64()), (0, Some(0)), "{said} {ran}");
    assert!(place.server.state().troubles.is_empty(), "{:?}", place.server.state().troubles);
    each_once(&place.server.state().mail, count, large);
}

/// Runs that are killed at random moments, and one at the end that is not.
fn killed(place: &Place, source: &str, kills: usize, seed: u64) {
    place.server.state().slow = 4;
    let target = target();
    let args = ["push", source, &target, "--json"];
    let mut random = Seeded(seed);
    let mut whole = 0;
    for n in 0..kills {
        let mut child = place.pst(&args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // Every fifth has the time to look up what the others left in doubt.
        std::thread::sleep(Duration::from_millis(80 + random.below(if n % 5 == 4 { 9000 } else { 500 })));
        whole += u32::from(child.try_wait().unwrap().is_some_and(|s| s.success()));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let (status, ran, said) = place.ran(&place.pst(&args).output().unwrap());
    assert_eq!(status, 0, "{said}");
    eprintln!("{kills} kills, {whole} of them after the end: {ran}");
    place.nothing_secret_is_kept();
}

fn kills_while_importing(kills: usize) {
    let Some(place) = Place::start() else { return };
    let source = mbox(&place, 300, 20_000);
    killed(&place, &source, kills, 11);
    let arrived = sorted(place.server.state().items.iter().map(|i| i.blob.text("1035").unwrap()).collect());
    assert_eq!(arrived, sorted((0..300).map(|n| format!("<{n}@example.com>")).collect()));
}

fn kills_while_sending_json(kills: usize) {
    let Some(place) = Place::start() else { return };
    place.server.state().may_import = false;
    let (count, large) = (100, 4_000_000);
    let source = mbox(&place, count, large);
    killed(&place, &source, kills, 12);
    each_once(&place.server.state().mail, count, large);
}

#[test]
fn killed_runs_leave_each_item_once() {
    kills_while_importing(10);
    kills_while_sending_json(10);
}

#[test]
#[ignore = "takes minutes"]
fn many_killed_runs_leave_each_item_once() {
    kills_while_importing(25);
    kills_while_sending_json(25);
}

#[test]
fn archives_shared_mailboxes_and_folders() {
    let Some(place) = Place::start() else { return };
    let source = mbox(&place, 2, 10);
    let (status, ran, said) = place.push(&[&source, &format!("{}/Alt/2019", target()), "--archive"]);
    assert_eq!((status, ran["written"].as_u64(), place.server.state().betas), (0, Some(2), 1), "{said} {ran}");
    assert_eq!(place.folders()["2019"], 2);
    let (status, ran, said) = place.push(&[&source, &target(), "--mailbox", "boss@example.com"]);
    assert_eq!((status, ran["written"].as_u64()), (0, Some(2)), "each mailbox has its own journal: {said} {ran}");
    assert_eq!(place.server.state().mailbox, "boss@example.com");
    // Without import, nothing goes into an archive.
    place.server.state().may_import = false;
    let (status, _, said) = place.push(&[&source, &target(), "--archive"]);
    assert!(status == 2 && said.contains("online archive"), "{said}");
    let (status, _, said) = place.push(&[&source, "graph://nobody@example.com"]);
    assert!(status == 2 && said.contains("status 404"), "{said}");
}

/// Microsoft ends EWS: such addresses are reached by Graph.
#[test]
fn addresses_of_ews_in_microsoft_365() {
    let Some(place) = Place::start() else { return };
    let source = mbox(&place, 2, 10);
    let (status, ran, said) = place.push(&[&source, &format!("ews://{USER}@outlook.office365.com")]);
    assert_eq!((status, ran["written"].as_u64()), (0, Some(2)), "{said} {ran}");
    assert!(said.contains("switches EWS off") && said.contains("graph://anna@example.com"), "{said}");
    assert_eq!(place.server.state().items.len(), 2);
}

#[test]
fn many_mailboxes() {
    let Some(place) = Place::start() else { return };
    let source = mbox(&place, 3, 10);
    let map = at(&place.dir, "map.csv");
    fs::write(&map, format!("file,mailbox,target-root\n{source},{USER},A\n{source},boss@example.com,B\n")).unwrap();
    let out =
        place.pst(&["push", "--json", "--mailboxes", &map, "graph://example.com", "--tenant", "x"]).output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&out.stdout), stderr(&out));
    assert!(code(&out) == 0 && !said.contains("SECRET"), "{said}");
    let folders = place.folders();
    assert_eq!((folders["A"], folders["B"]), (3, 3), "{said}");
}

#[test]
fn an_app_signs_in_by_its_certificate() {
    let Some(place) = Place::start() else { return };
    let source = mbox(&place, 1, 10);
    let (file, key) = (at(&place.dir, "app.pem"), at(&place.dir, "app.key"));
    let made = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=app", "-keyout", &key, "-out", &file];
    assert!(Command::new("openssl").args(made).output().unwrap().status.success());
    let certificate = Path::new(&file);
    let push = |how: &[&str]| {
        let out = place.signing_in(&["push", "--json", &source, &target()], how).output().unwrap();
        place.ran(&out)
    };
    let (status, ran, said) = push(&["--client-id", "certified", "--app-certificate", &file, "--app-key", &key]);
    assert_eq!((status, ran["written"].as_u64()), (0, Some(1)), "{said} {ran}");
    let form = place.idp.forms("token").pop().unwrap();
    let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    assert_eq!((form["grant_type"].as_str(), form["client_assertion_type"].as_str()), ("client_credentials", kind));
    assert!(!form.contains_key("client_secret") && form["scope"] == "https://graph.microsoft.com/.default");
    let parts: Vec<&str> = form["client_assertion"].split('.').collect();
    let json = |part: &str| -> Json {
        serde_json::from_slice(&base64_simd::URL_SAFE_NO_PAD.decode_to_vec(part).unwrap()).unwrap()
    };
    let (head, claims) = (json(parts[0]), json(parts[1]));
    let thumbprint = base64_simd::URL_SAFE_NO_PAD.encode_to_string(place.authority.hash(certificate));
    assert_eq!((head["alg"].as_str(), head["x5t#S256"].as_str()), (Some("PS256"), Some(thumbprint.as_str())));
    assert_eq!((claims["iss"].as_str(), claims["sub"].as_str()), (Some("certified"), Some("certified")));
    assert_eq!(claims["aud"].as_str(), Some(place.idp.url("token").as_str()));
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["nbf"].as_i64().unwrap(), 600);
    // OpenSSL finds that the signature is the certificate's.
    let write = |name: &str, bytes: &[u8]| {
        fs::write(place.dir.path().join(name), bytes).unwrap();
        at(&place.dir, name)
    };
    let signed = write("signed", format!("{}.{}", parts[0], parts[1]).as_bytes());
    let signature = write("signature", &base64_simd::URL_SAFE_NO_PAD.decode_to_vec(parts[2]).unwrap());
    let public = Command::new("openssl").args(["x509", "-in", &file, "-noout", "-pubkey"]).output().unwrap();
    let public = write("public", &public.stdout);
    let options = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:32"];
    let verify = ["dgst", "-sha256", "-verify", &public, "-signature", &signature];
    let verified = Command::new("openssl").args(verify).args(options).arg(&signed).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&verified.stdout), "Verified OK\n", "{}", stderr(&verified));
    // What is no certificate, what is no RSA key, and what is both.
    let (_, other) = place.authority.make(&Wanted { name: "other", ..Wanted::default() });
    let other = other.to_string_lossy();
    let (status, _, said) = push(&["--client-id", "certified", "--app-certificate", &file, "--app-key", &other]);
    assert!(status == 2 && said.contains("no RSA key"), "{said}");
    let (status, _, said) = push(&["--client-id", "certified", "--app-certificate", &source]);
    assert!(status == 2 && said.contains("no certificate"), "{said}");
    let secret = at(&place.dir, "app");
    let (status, _, said) = push(&["--client-id", "x", "--app-certificate", &file, "--client-secret-file", &secret]);
    assert!(status == 2 && said.contains("cannot be used with"), "{said}");
}

#[test]
fn a_person_signs_in_by_a_code() {
    let Some(place) = Place::start() else { return };
    let source = mbox(&place, 1, 10);
    place.idp.state.lock().unwrap().polls = ["authorization_pending"].into();
    let args = ["push", "--json", &source, &target(), "--oauth", "device"];
    let (status, ran, said) = place.ran(&place.signing_in(&args, &["--client-id", "desktop"]).output().unwrap());
    assert_eq!((status, ran["written"].as_u64()), (0, Some(1)), "{said} {ran}");
    assert!(said.contains("WDJB-MJHT"), "{said}");
    let form = place.idp.forms("device").pop().unwrap();
    assert_eq!(form["scope"], "https://graph.microsoft.com/.default offline_access");
}

#[test]
fn what_cannot_be_is_one_sentence() {
    let dir = tempfile::tempdir().unwrap();
    let (home, mail) = (at(&dir, "home"), fixtures("mail"));
    let says = |args: &[&str], words: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pst"));
        command.args(args).env("HOME", &home).env("XDG_STATE_HOME", &home).env_remove("XDG_CONFIG_HOME");
        let out = command.stdin(Stdio::null()).output().unwrap();
        let said = stderr(&out);
        assert_eq!((code(&out), said.lines().count()), (2, 1), "{said}");
        assert!(said.contains(words), "{said}");
    };
    let anna = "graph://anna@localhost";
    says(&["push", &mail, anna], "--client-id");
    says(&["push", &mail, anna, "--client-id", "x"], "nobody is here to do it");
    says(&["push", &mail, anna, "--client-id", "x", "--oauth", "app"], "--app-certificate");
    says(&["push", &mail, anna, "--client-id", "x", "--associated"], "no folder-associated items");
    says(&["push", &mail, anna, "--client-id", "x", "--force"], "--force is for ews://");
    says(&["push", &mail, anna, "--client-id", "x", "--netrc", "x"], "Graph takes no passwords");
    says(&["push", &mail, anna, "--client-id", "x", "--graph-host", "a/b"], "name of a host");
    says(&["push", &mail, "imaps://anna@localhost:1", "--graph-host", "x"], "--graph-host is for graph://");
    says(&["push", &mail, "graph://anna@localhost:1"], "no port");
    says(&["convert", anna, &at(&dir, "a.pst"), "--client-id", "x"], "graph:// is a target");
    says(&["ls", anna, "--client-id", "x"], "graph:// is a target");
    assert!(!Path::new(&at(&dir, "a.pst")).exists());
}
