//! Servers that answer as none should: each message is delivered byte by byte, or reported; none is lost silently.
//!
//! The rows of the probe in which every IMAP crate lost messages or died, and more of the kind. Message 1 is answered
//! oddly, message 2 is fine.

use super::scripted::{Ask, End, Got, Loaded, Say, Script, Scripted, mail, read_all, run};
use pst_core::Kind;
use pst_core::endpoint::imap::response::{Response, parse};
use pst_core::endpoint::imap::wire::{Limits, Reader};
use pst_core::endpoint::imap::{ImapSource, Notice, Options};
use pst_core::endpoint::net::{Login, Secret, Security};
use pst_core::pipeline::Source;
use std::sync::{Arc, Mutex};

/// What is expected of message 1.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Expect {
    /// Delivered as it is.
    Exact,
    /// Reported with these words.
    Fails(&'static str),
    /// Delivered with a warning that has these words.
    Warns(&'static str),
}
use Expect::{Exact, Fails, Warns};

fn say(bytes: Vec<u8>, end: End) -> Say {
    Say { bytes, end }
}

/// An answer for message 1 between two texts.
fn around(before: &'static [u8], after: &'static [u8]) -> Script {
    Script::new(move |s, ask| s.with(ask, |body| framed(before, body, after)))
}

/// `#` in the text before stands for the length.
fn framed(before: &[u8], body: &[u8], after: &[u8]) -> Vec<u8> {
    let at = before.iter().position(|b| *b == b'#').unwrap();
    let length = body.len().to_string();
    [&before[..at], length.as_bytes(), &before[at + 1..], body, after].concat()
}

/// Message 1 as a literal with another length than it has.
fn lying(by: isize) -> Script {
    Script::new(move |s, ask| {
        s.with(ask, |body| {
            let said = body.len().checked_add_signed(by).unwrap();
            let start = format!("* 1 FETCH (UID 1 BODY[] {{{said}}}\r\n");
            [start.as_bytes(), body, b")\r\n"].concat()
        })
    })
}

/// Something else in place of message 1, whatever is asked for of it, and another end.
fn refusing(bytes: &'static [u8], end: fn() -> End) -> Script {
    Script::new(move |s, ask| {
        if ask.uids.contains(&1) {
            return say(bytes.to_vec(), end());
        }
        say(ask.uids.iter().flat_map(|u| s.fine(*u, ask.item)).collect(), End::Ok)
    })
}

/// The first command gets this, all others the usual.
fn once(odd: impl Fn(&Script, &Ask) -> Say + Send + Sync + 'static) -> Script {
    Script::new(move |s, ask| {
        if ask.nth == 0 {
            return odd(s, ask);
        }
        say(ask.uids.iter().flat_map(|u| s.fine(*u, ask.item)).collect(), End::Ok)
    })
}

fn flags(text: &'static [u8]) -> Script {
    let plain = around(b"* 1 FETCH (UID 1 BODY[] {#}\r\n", b")\r\n");
    plain.listing(move |uid| {
        let size = mail(uid).len();
        let rest = format!(" INTERNALDATE \"01-Jul-2020 12:00:00 +0000\" RFC822.SIZE {size}");
        [b"FLAGS ", text, rest.as_bytes()].concat()
    })
}

fn date(text: &'static str) -> Script {
    let plain = around(b"* 1 FETCH (UID 1 BODY[] {#}\r\n", b")\r\n");
    plain.listing(move |uid| format!("INTERNALDATE {text} FLAGS () RFC822.SIZE {}", mail(uid).len()).into_bytes())
}

fn sized(script: Script, size: usize) -> Script {
    script.listing(move |uid| {
        let size = if uid == 1 { size } else { mail(uid).len() };
        format!("FLAGS () INTERNALDATE \"01-Jul-2020 12:00:00 +0000\" RFC822.SIZE {size}").into_bytes()
    })
}

/// Message 1 is given out in pieces only, by offset; `None` for NIL.
fn in_pieces(piece: fn(&Script, usize) -> Option<Vec<u8>>) -> Script {
    Script::new(move |s, ask| {
        if !ask.uids.contains(&1) {
            return say(ask.uids.iter().flat_map(|u| s.fine(*u, ask.item)).collect(), End::Ok);
        }
        let Some((_, range)) = ask.item.split_once("]<") else {
            return say(Vec::new(), End::Tagged("NO Server error"));
        };
        let at = range.split_once('.').unwrap().0.parse().unwrap();
        let start = format!("* 1 FETCH (UID 1 BODY[]<{at}> ");
        let bytes = match piece(s, at) {
            Some(piece) => [start.as_bytes(), format!("{{{}}}\r\n", piece.len()).as_bytes(), &piece, b")\r\n"].concat(),
            None => [start.as_bytes(), b"NIL)\r\n"].concat(),
        };
        say(bytes, End::Ok)
    })
}

/// A mail of exactly three pieces.
fn large() -> Vec<u8> {
    let mut bytes = mail(1);
    bytes.resize(3 << 18, b'x');
    bytes
}

fn scenarios() -> Vec<(&'static str, Script, Expect)> {
    let whole = mail(1).len();
    vec![
        ("space before the end", around(b"* 1 FETCH (UID 1 BODY[] {#}\r\n", b" )\r\n"), Exact),
        ("double spaces", around(b"*  1  FETCH  (UID  1  BODY[]  {#}\r\n", b")\r\n"), Exact),
        ("NIL for a body", around(b"* 1 FETCH (UID 1 BODY[] NIL X \"#\" Y \"", b"\")\r\n").nil(), Exact),
        ("a body in quotes", Script::new(|s, ask| s.with(ask, |_| b"* 1 FETCH (UID 1 BODY[] \"Subject: \\\"q\\\"\")\r\n".to_vec())).bodies(b"Subject: \"q\""), Exact),
        ("UID after the body", around(b"* 1 FETCH (BODY[] {#}\r\n", b" UID 1)\r\n"), Exact),
        ("FLAGS after the body", around(b"* 1 FETCH (UID 1 BODY[] {#}\r\n", b" FLAGS (\\Seen))\r\n"), Exact),
        ("UID and FLAGS after the body", around(b"* 1 FETCH (RFC822 {#}\r\n", b" FLAGS (\\Seen) UID 1)\r\n"), Exact),
        ("EXISTS between", around(b"* 3 EXISTS\r\n* 0 RECENT\r\n* 1 FETCH (UID 1 BODY[] {#}\r\n", b")\r\n* 4 EXISTS\r\n"), Exact),
        ("EXPUNGE between", around(b"* 9 EXPUNGE\r\n* 1 FETCH (UID 1 BODY[] {#}\r\n", b")\r\n* 8 EXPUNGE\r\n"), Exact),
        ("FETCH of flags between", around(b"* 2 FETCH (FLAGS (\\Seen))\r\n* 1 FETCH (UID 1 BODY[] {#}\r\n", b")\r\n* 1 FETCH (UID 1 FLAGS ())\r\n"), Exact),
        ("a date that is none", date("\"00-Jan-0000 00:00:00 +0000\""), Exact),
        ("a date without padding", date("\"1-Jul-2020 12:00:00 +0000\""), Exact),
        ("NIL for a date", date("NIL"), Exact),
        ("flags with brackets", flags(b"(\\Seen Junk[1])"), Exact),
        ("a star among the flags", flags(b"(\\Seen \\*)"), Exact),
        ("8-bit flags", flags(b"(\\Seen caf\xE9)"), Exact),
        ("flags with a brace", flags(b"(\\Seen {x)"), Exact),
        ("flags as literals", flags(b"(\\Seen {4}\r\nWork)"), Exact),
        ("lines that end with LF", around(b"* 1 FETCH (UID 1 BODY[] {#}\n", b")\n"), Exact),
        ("items of Gmail", around(b"* 1 FETCH (X-GM-THRID 1 X-GM-MSGID 2 X-GM-LABELS (\"\\\\Inbox\" \"a (b\") UID 1 BODY[] {#}\r\n", b")\r\n"), Exact),
        ("an unknown item", around(b"* 1 FETCH (UID 1 NEW (a (b \"c)\" {2}\r\n)) NIL)) BODY[] {#}\r\n", b")\r\n"), Exact),
        ("MODSEQ and EMAILID", around(b"* 1 FETCH (MODSEQ (12) EMAILID (M1) THREADID NIL UID 1 BODY[] {#}\r\n", b")\r\n"), Exact),
        ("a literal of the second kind", around(b"* 1 FETCH (UID 1 BODY[] ~{#}\r\n", b")\r\n"), Exact),
        ("a literal with a plus", around(b"* 1 FETCH (UID 1 BODY[] {#+}\r\n", b")\r\n"), Exact),
        ("8-bit words to everybody", around(b"* OK [ALERT] \xE9t\xE9 {3}\r\n* 1 FETCH (UID 1 BODY[] {#}\r\n", b")\r\n"), Exact),
        ("NULs", around(b"* 1 FETCH (UID 1 BODY[] {#}\r\n", b")\r\n").bodies(b"Subject: \0x\r\n\r\n\0\0\r\n"), Exact),
        ("words in small letters", around(b"* 1 fetch (uid 1 body[] {#}\r\n", b")\r\n"), Exact),
        ("a literal that is too short", lying(-20), Exact),
        ("a literal that is too short, as the size is", sized(lying(-20), whole - 20), Exact),
        ("a literal that is too long by a little", lying(3), Exact),
        ("a literal that takes the next message in", lying(60), Exact),
        ("blank lines", around(b"\r\n\r\n* 1 FETCH (UID 1 BODY[] {#}\r\n", b")\r\n\r\n"), Exact),
        ("something behind the end", around(b"* 1 FETCH (UID 1 BODY[] {#}\r\n", b") by Xeams\r\n"), Exact),
        ("goodbye after one", once(|s, ask| say([s.fine(2, ask.item), b"* BYE see you\r\n".to_vec()].concat(), End::Close)), Exact),
        ("throttled by NO", once(|s, ask| say(s.fine(2, ask.item), End::Tagged("NO Request is throttled. Suggested Backoff Time: 30 milliseconds"))), Exact),
        ("throttled by BAD", once(|s, ask| say(s.fine(2, ask.item), End::Tagged("BAD Request is throttled. Suggested Backoff Time: 30 milliseconds"))), Exact),
        ("throttled and closed", once(|_, _| say(b"* BYE Request is throttled. Suggested Backoff Time: 30 milliseconds\r\n".to_vec(), End::Close)), Exact),
        ("some were not fetched", once(|s, ask| say(s.fine(2, ask.item), End::Tagged("NO some messages could not be FETCHed"))), Exact),
        ("OK without a message, once", once(|s, ask| say(s.fine(2, ask.item), End::Ok)), Exact),
        ("some are never fetched", refusing(b"", || End::Tagged("NO [SERVERBUG] some messages could not be FETCHed")), Fails("could not be FETCHed")),
        ("OK without a message, always", refusing(b"", || End::Ok), Fails("says OK and sends no content")),
        ("a limit on messages", once(|s, ask| say(s.fine(2, ask.item), End::Tagged("OK [MESSAGELIMIT 1 2] partly done"))), Exact),
        ("closed in a literal, once", once(|_, _| say(b"* 1 FETCH (UID 1 BODY[] {500}\r\nFrom:".to_vec(), End::Close)), Exact),
        ("closed in a literal, always", refusing(b"* 1 FETCH (UID 1 BODY[] {500}\r\nFrom:", || End::Close), Fails("attempts")),
        ("silence in a literal", once(|_, _| say(b"* 1 FETCH (UID 1 BODY[] {500}\r\nFrom:".to_vec(), End::Silence)), Exact),
        ("a literal above 32 bits", refusing(b"* 1 FETCH (UID 1 BODY[] {5000000000}\r\nFrom:", || End::Close), Fails("attempts")),
        ("a literal beyond all bounds", refusing(b"* 1 FETCH (UID 1 BODY[] {99999999999999999999}\r\n", || End::Close), Fails("literal")),
        ("a notice of Exchange in place of the message", refusing(b"* 1 FETCH (UID 1 BODY[] {91}\r\nSubject: Retrieval using the IMAP4 protocol failed for the following message: 7\r\n\r\nSorry.\r\n)\r\n", || End::Ok), Fails("in its place")),
        ("whole it is refused, in pieces not", Script::new(|s, ask| {
            if ask.item == "BODY.PEEK[]" && ask.uids.contains(&1) {
                return say(Vec::new(), End::Tagged("NO Server error - Please try again"));
            }
            say(ask.uids.iter().flat_map(|u| s.fine(*u, ask.item)).collect(), End::Ok)
        }), Exact),
        ("pieces are smaller than was asked for", in_pieces(|s, at| Some(s.part(1, &format!("BODY.PEEK[]<{at}.40>")))), Exact),
        ("the end of the pieces is NIL", in_pieces(|s, at| {
            Some(s.part(1, &format!("BODY.PEEK[]<{at}.40>"))).filter(|piece| !piece.is_empty())
        }).bodies(&mail(1)).counting(whole + 9), Warns("counts")),
        ("pieces of an estimated size", in_pieces(|s, at| Some(s.part(1, &format!("BODY.PEEK[]<{at}.400000>")))).counting(whole + 9).exchange(), Exact),
        ("pieces of a size told too small", in_pieces(|s, at| Some(s.part(1, &format!("BODY.PEEK[]<{at}.262144>")))).bodies(&large()).counting(9), Exact),
        ("only header and text are given out", Script::new(|s, ask| {
            if ask.item.starts_with("BODY.PEEK[]") && ask.uids.contains(&1) {
                return say(Vec::new(), End::Tagged("BAD internal error"));
            }
            say(ask.uids.iter().flat_map(|u| s.fine(*u, ask.item)).collect(), End::Ok)
        }), Exact),
        ("lines that are none", around(b"what is this\r\n* 1 FETCH (UID 1 BODY[] {#}\r\n", b")\r\n"), Exact),
        ("other lines behind", around(b"* 1 FETCH (UID 1 BODY[] {#}\r\n", b")\r\nwhat is this\r\n"), Exact),
        (
            "always other lines behind",
            Script::new(|s, ask| {
                let junk = |u: &u32| if *u == 1 { &b"what is this\r\n"[..] } else { b"" };
                say(ask.uids.iter().flat_map(|u| [s.fine(*u, ask.item), junk(u).to_vec()].concat()).collect(), End::Ok)
            }),
            Warns("does not fit its length"),
        ),
        ("the other way round", Script::new(|s, ask| {
            say(ask.uids.iter().rev().flat_map(|u| s.fine(*u, ask.item)).collect(), End::Ok)
        }), Exact),
        ("twice", Script::new(|s, ask| {
            say(ask.uids.iter().chain(&ask.uids).flat_map(|u| s.fine(*u, ask.item)).collect(), End::Ok)
        }), Exact),
    ]
}

impl Script {
    /// Message 1 has these bytes.
    fn bodies(mut self, one: &[u8]) -> Self {
        self.bodies[0] = one.to_vec();
        let size = one.len();
        sized(self, size)
    }

    /// The server says that message 1 has this size.
    fn counting(self, size: usize) -> Self {
        sized(self, size)
    }

    /// The capabilities of Exchange.
    fn exchange(self) -> Self {
        self.other(|command, _| {
            (command == "CAPABILITY").then(|| (b"* CAPABILITY IMAP4rev1 CLIENTACCESSRULES\r\n".to_vec(), End::Ok))
        })
    }

    /// Message 1 is NIL where it is asked for whole.
    fn nil(mut self) -> Self {
        self.fetch = Box::new(|s, ask| s.with(ask, |_| b"* 1 FETCH (UID 1 BODY[] NIL)\r\n".to_vec()));
        self
    }
}

#[test]
fn no_message_is_lost_silently() {
    let mut wrong = Vec::new();
    for (name, script, expect) in scenarios() {
        let bodies = script.bodies.clone();
        let (got, commands) = run(script);
        let [one, two] = got.as_slice() else {
            wrong.push(format!("{name}: {got:?}"));
            continue;
        };
        let exact = |got: &Got, at: usize| got.result.as_ref().is_ok_and(|l| l.bytes == bodies[at]);
        let as_expected = match (expect, &one.result) {
            (Exact, Ok(l)) => exact(one, 0) && l.warnings.is_empty(),
            (Warns(words), Ok(l)) => exact(one, 0) && l.warnings.iter().any(|w| w.contains(words)),
            (Fails(words), Err(text)) => text.contains(words),
            _ => false,
        };
        if !as_expected || !exact(two, 1) {
            let got: Vec<String> = got.iter().map(shown).collect();
            wrong.push(format!("{name}: expected {expect:?}\n   {}\n   {commands:?}", got.join("\n   ")));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), scenarios().len(), wrong.join("\n"));
}

fn shown(got: &Got) -> String {
    match &got.result {
        Ok(l) => format!("{}: {:?} {:?}", got.id, String::from_utf8_lossy(&l.bytes), l.warnings),
        Err(e) => format!("{}: failed: {e}", got.id),
    }
}

#[test]
fn there_are_enough_scenarios() {
    assert!(scenarios().len() >= 42, "{}", scenarios().len());
}

fn fine() -> Script {
    Script::new(|s, ask| say(ask.uids.iter().flat_map(|u| s.fine(*u, ask.item)).collect(), End::Ok))
}

#[test]
fn flags_and_dates_survive() {
    let (got, _) = run(flags(b"(\\Seen Junk[1] $Forwarded {4}\r\nWork \\*)"));
    let Loaded { flags, received, .. } = got[0].result.as_ref().unwrap();
    assert_eq!((flags.seen, flags.forwarded, *received), (Some(true), true, Some(1_593_604_800)));
    assert_eq!(flags.keywords, ["Junk[1]", "Work"]);
    for none in ["NIL", "\"00-Jan-0000 00:00:00 +0000\""] {
        assert_eq!(run(date(none)).0[0].result.as_ref().unwrap().received, None);
    }
}

#[test]
fn names_of_folders() {
    let list = b"* LIST () \"/\" INBOX\r\n* LIST () \"/\" Entw\xC3\xBCrfe\r\n* LIST () \"/\" {5}\r\na (b)\r\n* LIST () \"/\" caf\xE9\r\n* LIST () \"/\" \"Entw&APw-rfe 2\"\r\n";
    let script = fine().other(move |command, _| command.starts_with("LIST").then(|| (list.to_vec(), End::Ok)));
    let server = Scripted::start(script);
    let source = ImapSource::open(server.account(), Options::default()).unwrap();
    let names: Vec<String> = source.folders().unwrap().iter().map(|f| f.path.join("/")).collect();
    assert_eq!(names, ["Inbox", "Entwürfe", "a (b)", "café", "Entwürfe 2"]);
}

#[test]
fn signing_in() {
    let greeting: &[u8] = b"* OK \xE9t\xE9 [x\r\n";
    let login = |text: &'static str| {
        let script = fine().other(move |command, _| match command {
            "" => Some((greeting.to_vec(), End::Ok)),
            c if c.starts_with("LOGIN") => Some((Vec::new(), End::Tagged(text))),
            _ => None,
        });
        let server = Scripted::start(script);
        ImapSource::open(server.account(), Options::default()).map(|s| read_all(&s))
    };
    assert!(login("OK willkommen \u{fc}").unwrap().iter().all(|g| g.result.is_ok()));
    let refused = login("NO [AUTHENTICATIONFAILED] wrong: secret").err().unwrap();
    assert_eq!(refused.kind(), Kind::Denied);
    assert!(refused.text().contains("wrong: ***") && !refused.text().contains("secret"), "{refused}");
    assert_eq!(login("NO [UNAVAILABLE] try again later").err().unwrap().kind(), Kind::Connection);
}

#[test]
fn what_was_sent_to_sign_in_is_not_repeated() {
    let long = "sesame55".repeat(100);
    // The line of the command, in all that can be said while it is under way.
    for (capabilities, password) in
        [("", "secret"), ("", "a\\\"b"), ("AUTH=PLAIN SASL-IR", "secret"), ("AUTH=PLAIN SASL-IR", long.as_str())]
    {
        let line = match capabilities {
            "" => format!("LOGIN \"eve\" \"{}\"", password.replace('\\', "\\\\").replace('"', "\\\"")),
            _ => base64_simd::STANDARD.encode_to_string(format!("\0eve\0{password}")),
        };
        let echo = line.clone();
        let script = fine().other(move |command, _| match command.split(' ').next().unwrap() {
            "" => Some((format!("* OK [CAPABILITY IMAP4rev1 {capabilities}] hi\r\n").into_bytes(), End::Ok)),
            "LOGIN" | "AUTHENTICATE" => {
                let said = format!("* OK [ALERT] you say {echo} {echo}\r\n* BYE you say {echo}\r\n");
                Some((said.into_bytes(), End::Close))
            }
            _ => None,
        });
        let server = Scripted::start(script);
        let mut account = server.account();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let hear = Arc::clone(&heard);
        account.watch = Arc::new(move |notice: &Notice| hear.lock().unwrap().push(format!("{notice:?}")));
        account.login = Some(Login::Password { user: "eve".into(), password: Secret::new(password) });
        let mut said = vec![ImapSource::open(account, Options::default()).err().unwrap().text().to_owned()];
        said.append(&mut heard.lock().unwrap());
        assert!(said.len() > 1 && said.iter().all(|s| s.contains("you say")), "{said:?}");
        let secrets = [password, line.trim_end_matches('='), "c2VzYW1l", "sesame"];
        assert!(said.iter().all(|s| secrets.iter().all(|secret| !s.contains(secret))), "{said:?}");
    }
}

#[test]
fn counts_that_come_in_another_order() {
    let script = fine().other(|command, _| match command.split(' ').next().unwrap() {
        "LIST" => Some((b"* LIST () \"/\" INBOX\r\n* LIST () \"/\" Other\r\n".to_vec(), End::Ok)),
        "STATUS" if command.contains("INBOX") => Some((Vec::new(), End::Later)),
        "STATUS" => {
            let inbox = "OK done\r\n* STATUS INBOX (MESSAGES 7)\r\np4 OK done";
            Some((b"* STATUS Other (MESSAGES 9)\r\n".to_vec(), End::Tagged(inbox)))
        }
        _ => None,
    });
    let server = Scripted::start(script);
    let source = ImapSource::open(server.account(), Options::default()).unwrap();
    let counts: Vec<_> = source.folders().unwrap().iter().map(|f| f.count).collect();
    assert_eq!(counts, [Some(7), Some(9)], "{:?}", server.commands.lock().unwrap());
}

#[test]
fn tls_cannot_be_undone() {
    for (greeting, answer, words) in [
        ("* PREAUTH welcome\r\n", ("", "OK"), "before TLS has begun"),
        ("* OK [CAPABILITY IMAP4rev1] hi\r\n", ("", "NO not today"), "does not begin TLS"),
        ("* OK [CAPABILITY STARTTLS] hi\r\n", ("", "OK go\r\n* CAPABILITY AUTH=PLAIN"), "somebody on the way"),
    ] {
        let script = fine().other(move |command, _| match command {
            "" => Some((greeting.as_bytes().to_vec(), End::Ok)),
            "STARTTLS" => Some((answer.0.as_bytes().to_vec(), End::Tagged(answer.1))),
            _ => None,
        });
        let server = Scripted::start(script);
        let mut account = server.account();
        account.server.security = Security::StartTls;
        let error = ImapSource::open(account, Options::default()).err().unwrap();
        assert!(error.text().contains(words), "{error}");
        assert!(!server.commands.lock().unwrap().iter().any(|c| c.starts_with("LOGIN")));
    }
}

#[test]
fn a_folder_that_is_numbered_anew_is_not_mixed() {
    let script = once(|_, _| say(Vec::new(), End::Close)).other(|command, nth| {
        let validity = 7 + nth;
        command
            .starts_with("EXAMINE")
            .then(|| (format!("* 2 EXISTS\r\n* OK [UIDVALIDITY {validity}] x\r\n").into_bytes(), End::Ok))
    });
    let (got, _) = run(script);
    assert_eq!(got.len(), 2);
    assert!(got.iter().all(|g| g.result.as_ref().is_err_and(|e| e.contains("numbered the folder"))), "{got:?}");
}

#[test]
fn a_folder_that_is_gone_is_reported() {
    let script = fine()
        .other(|command, _| command.starts_with("EXAMINE").then(|| (Vec::new(), End::Tagged("NO no such folder"))));
    let (got, _) = run(script);
    assert!(matches!(got.as_slice(), [g] if g.result.as_ref().is_err_and(|e| e.contains("no such folder"))), "{got:?}");
}

#[test]
fn messages_that_are_deleted_meanwhile_are_reported() {
    let script = refusing(b"", || End::Ok)
        .other(|command, _| (command == "UID FETCH 1 (UID FLAGS)").then(|| (Vec::new(), End::Ok)));
    let (got, _) = run(script);
    assert!(got[0].result.as_ref().is_err_and(|e| e.contains("was deleted on the server")), "{got:?}");
    assert!(got[1].result.is_ok());
}

#[test]
fn what_is_counted_but_not_listed_is_reported() {
    let script = fine().other(|command, _| {
        command.starts_with("EXAMINE").then(|| (b"* 5 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n".to_vec(), End::Ok))
    });
    let (got, _) = run(script);
    assert_eq!(got.iter().filter(|g| g.result.is_ok()).count(), 2);
    assert!(got[2].result.as_ref().is_err_and(|e| e.contains("counts 5 messages")), "{got:?}");
}

#[test]
fn a_listing_that_is_refused_is_made_of_a_search() {
    let script = fine().other(|command, _| {
        command.starts_with("UID FETCH 1:* ").then(|| (Vec::new(), End::Tagged("NO cannot fetch some of them")))
    });
    let (got, _) = run(script);
    assert!(got.len() == 2 && got.iter().all(|g| g.result.is_ok()), "{got:?}");
}

#[test]
fn a_server_that_is_gone_ends_it_all() {
    let script = once(|_, _| say(Vec::new(), End::Close)).other(|command, nth| {
        (command.starts_with("LOGIN") && nth > 0).then(|| (b"* BYE shutting down\r\n".to_vec(), End::Close))
    });
    let (got, _) = run(script);
    assert!(
        got.len() == 2 && got.iter().all(|g| g.result.as_ref().is_err_and(|e| e.contains("shutting down"))),
        "{got:?}"
    );
}

#[test]
fn nothing_is_sent_that_changes_anything() {
    let allowed = ["CAPABILITY", "LOGIN", "LIST", "STATUS", "EXAMINE", "UID FETCH", "UID SEARCH", "LOGOUT"];
    for (name, script, _) in scenarios() {
        let (_, commands) = run(script);
        for command in commands {
            assert!(allowed.iter().any(|a| command.starts_with(a)), "{name}: {command}");
            assert!(!command.contains("BODY["), "{name}: {command}");
        }
    }
}

/// Responses with bytes changed, cut and repeated at seeded places: none stops the reader, none invents bytes.
#[test]
fn damaged_responses_are_read_without_a_fault() {
    let whole: &[u8] = b"* OK [CAPABILITY IMAP4rev1] hi\r\n* LIST (\\HasNoChildren) \"/\" {3}\r\na b\r\n\
        * STATUS \"x\" (MESSAGES 3 SIZE 9)\r\n* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n* SEARCH 1 2 3\r\n* ESEARCH (TAG \"a\") UID ALL 1:4\r\n\
        * VANISHED (EARLIER) 1:9,12\r\n* 1 FETCH (UID 5 FLAGS (\\Seen {2}\r\nab) X (a (b \"c\")) BODY[] {5}\r\nhello INTERNALDATE \"1-Jul-2020 1:1:1 +0000\")\r\n\
        p1 NO [THROTTLED] later\r\n";
    const SIGNS: &[u8] = b"()[]{}\"\\ \r\n*+~0195NIL\0\xFF";
    let mut random = crate::seeded::Seeded(7);
    let mut read = 0;
    for _ in 0..100_000 {
        let mut bytes = whole.to_vec();
        for _ in 0..=random.below(6) {
            let at = random.below(bytes.len() as u64) as usize;
            match random.below(4) {
                0 => bytes[at] = SIGNS[random.below(SIGNS.len() as u64) as usize],
                1 if bytes.len() > 1 => drop(bytes.remove(at)),
                2 => bytes.truncate(at.max(1)),
                _ => {
                    let piece = bytes[at..(at + 20).min(bytes.len())].to_vec();
                    let to = random.below(bytes.len() as u64) as usize;
                    bytes.splice(to..to, piece);
                }
            }
        }
        let limits = Limits { text: 4096, held: 64, literal: 1 << 20 };
        let mut reader = Reader::new(bytes.as_slice(), limits);
        while let Ok(Some(line)) = reader.line() {
            let held = line.text.len() as u64 + line.literals.iter().map(|l| l.data.len()).sum::<u64>();
            assert!(held <= bytes.len() as u64);
            if let Response::Fetch(fetched) = parse(line) {
                read += fetched.bodies.len();
            }
        }
    }
    assert!(read > 10_000, "{read}");
}

/// A source over a script, and its first folder, gone through.
fn gone_through(script: Script, options: Options) -> (ImapSource, Vec<Got>) {
    let server = Scripted::start(script);
    let source = ImapSource::open(server.account(), Options { connections: 1, ..options }).unwrap();
    let got = read_all(&source);
    (source, got)
}

#[test]
fn a_list_that_is_short_is_not_taken_for_the_whole() {
    let proper = |s: &Script, ask: &Ask| say(ask.uids.iter().flat_map(|u| s.fine(*u, ask.item)).collect(), End::Ok);
    let opened = "* OK [UIDVALIDITY 7] x\r\n* OK [HIGHESTMODSEQ 12] x\r\n";
    // Two messages are counted, and one is listed, whatever is asked.
    let short = Script::new(proper).other(move |command, _| match command {
        c if c.starts_with("EXAMINE") => Some((format!("* 2 EXISTS\r\n{opened}").into_bytes(), End::Ok)),
        c if c.starts_with("UID SEARCH") => Some((b"* SEARCH 2\r\n".to_vec(), End::Ok)),
        c if c.starts_with("UID FETCH 1:*") => {
            Some((format!("* 2 FETCH (UID 2 FLAGS () RFC822.SIZE {})\r\n", mail(2).len()).into_bytes(), End::Ok))
        }
        _ => None,
    });
    let (source, got) = gone_through(short, Options::default());
    let state = source.state(&source.folders().unwrap()[0]).unwrap();
    assert!(!state.complete && state.highestmodseq.is_none(), "{state:?}");
    assert!(got[0].result.is_ok() && got[1].result.as_ref().unwrap_err().contains("lists only 1"), "{got:?}");
    // Nothing is said of the number of messages.
    let silent = Script::new(proper)
        .other(move |command, _| command.starts_with("EXAMINE").then(|| (opened.as_bytes().to_vec(), End::Ok)));
    let (source, got) = gone_through(silent, Options::default());
    let state = source.state(&source.folders().unwrap()[0]).unwrap();
    assert!(!state.complete && state.highestmodseq.is_none() && state.exists == 2, "{state:?}");
    assert!(got.len() == 2 && got.iter().all(|g| g.result.is_ok()), "{got:?}");
    // The usual.
    let usual = Script::new(proper).other(move |command, _| {
        let said = || (format!("* 2 EXISTS\r\n{opened}").into_bytes(), End::Ok);
        command.starts_with("EXAMINE").then(said)
    });
    let (source, _) = gone_through(usual, Options::default());
    let state = source.state(&source.folders().unwrap()[0]).unwrap();
    assert!(state.complete && state.highestmodseq == Some(12), "{state:?}");
}

#[test]
fn a_header_that_is_cut_refuses_nothing() {
    let script = Script::new(|s, ask| {
        let answer = |uid: &u32| match (uid, ask.item) {
            // Six bytes short of the subject's end.
            (1, "BODY.PEEK[HEADER]") => {
                let header = s.part(1, ask.item);
                let start = format!("* 1 FETCH (UID 1 BODY[HEADER] {{{}}}\r\n", header.len() - 16);
                [start.as_bytes(), &header, b")\r\n"].concat()
            }
            _ => s.fine(*uid, ask.item),
        };
        say(ask.uids.iter().flat_map(answer).collect(), End::Ok)
    });
    let filter = pst_core::pipeline::ItemFilter { subject: Some("message 1".into()), ..Default::default() };
    let (_, got) = gone_through(script, Options { filter, ..Options::default() });
    let [one] = got.as_slice() else { panic!("{got:?}") };
    assert_eq!(one.result.as_ref().unwrap().bytes, mail(1));
}

#[test]
fn pieces_without_end_are_given_up() {
    let endless = in_pieces(|_, _| Some(vec![b'x'; 1 << 18]));
    let server = Scripted::start(endless);
    let limits = Limits { literal: 1 << 20, ..Limits::default() };
    let account = pst_core::endpoint::imap::Account { limits, ..server.account() };
    let source = ImapSource::open(account, Options { connections: 1, ..Options::default() }).unwrap();
    let got = read_all(&source);
    assert!(got[0].result.as_ref().unwrap_err().contains("beyond the size"), "{got:?}");
    assert!(got[1].result.is_ok());
}

#[test]
fn a_header_is_tried_several_times() {
    let script = Script::new(|s, ask| {
        if ask.nth < 3 && ask.uids.contains(&1) {
            return say(Vec::new(), End::Close);
        }
        say(ask.uids.iter().flat_map(|u| s.fine(*u, ask.item)).collect(), End::Ok)
    });
    let (_, got) = gone_through(script, Options { headers_only: true, ..Options::default() });
    assert!(got.len() == 2 && got.iter().all(|g| g.result.is_ok()), "{got:?}");
}

#[test]
fn a_doubted_message_is_asked_for_once_more_and_alone() {
    let (got, commands) = run(once(|s, ask| s.with(ask, |_| b"* 1 FETCH (UID 1 BODY[] {3}\r\nabcdef)\r\n".to_vec())));
    assert!(got.iter().all(|g| g.result.is_ok()), "{got:?}");
    let asked = commands.iter().filter(|c| c.ends_with("BODY.PEEK[])"));
    assert_eq!(
        asked.collect::<Vec<_>>(),
        ["UID FETCH 1:2 (UID BODY.PEEK[])", "UID FETCH 1 (UID BODY.PEEK[])", "UID FETCH 2 (UID BODY.PEEK[])"]
    );
}

#[test]
fn a_question_that_breaks_off_leaves_no_rest_to_be_read() {
    // Behind what is too long comes what looks like the answer to the next command: an empty folder.
    let script = Script::new(|s, ask| say(ask.uids.iter().flat_map(|u| s.fine(*u, ask.item)).collect(), End::Ok));
    let script = script.other(|command, nth| match command {
        "LIST \"\" \"*\"" => Some((b"* LIST () \"/\" INBOX\r\n* LIST () \"/\" Other\r\n".to_vec(), End::Ok)),
        c if c.starts_with("EXAMINE") && nth == 0 => {
            Some((b"* 1 FETCH (BODY[] {99999999999}\r\n* 0 EXISTS\r\np7 OK done\r\n".to_vec(), End::Ok))
        }
        _ => None,
    });
    let (_, got) = gone_through(script, Options::default());
    assert!(got[0].result.is_err(), "{got:?}");
    let other: Vec<_> = got.iter().filter(|g| g.folder == "Other").collect();
    assert!(other.len() == 2 && other.iter().all(|g| g.result.is_ok()), "{got:?}");
}
