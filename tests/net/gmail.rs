//! Gmail's labels, told by a scripted server: no other server has them.

use super::scripted::{End, Script, Scripted, mail, read_all};
use pst_core::endpoint::imap::{FolderState, ImapSource, Known, KnownFolder, Labels, Mailbox, Options};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

/// Folder, attribute, and its messages: number of Gmail and labels.
type Labelled = (&'static str, &'static str, &'static [(u32, &'static str)]);

const FOLDERS: [Labelled; 6] = [
    ("INBOX", "", &[(1, "Work \"\\\\Important\""), (4, "")]),
    ("Work", "", &[(1, "\"\\\\Inbox\"")]),
    ("[Gmail]", "\\Noselect", &[]),
    (
        "[Gmail]/All Mail",
        "\\All",
        &[(1, "Work \\Inbox \"\\\\Starred\" \"Entw&APw-rfe\""), (2, ""), (4, "\"\\\\Inbox\"")],
    ),
    ("[Gmail]/Starred", "\\Flagged", &[(1, "Work")]),
    ("[Gmail]/Trash", "\\Trash", &[(3, "")]),
];

fn answer(command: &str, open: &Mutex<usize>) -> Option<(Vec<u8>, End)> {
    let text = match command {
        "" => "* OK [CAPABILITY IMAP4rev1 X-GM-EXT-1 SPECIAL-USE] hi\r\n".to_owned(),
        "CAPABILITY" => "* CAPABILITY IMAP4rev1 X-GM-EXT-1 SPECIAL-USE\r\n".to_owned(),
        c if c.starts_with("LIST") => {
            FOLDERS.iter().map(|(name, attribute, _)| format!("* LIST ({attribute}) \"/\" \"{name}\"\r\n")).collect()
        }
        c if c.starts_with("STATUS") => String::new(),
        c if c.starts_with("EXAMINE") => {
            let at = FOLDERS.iter().position(|(n, ..)| c == format!("EXAMINE \"{n}\"")).unwrap();
            *open.lock().unwrap() = at;
            format!("* {} EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n", FOLDERS[at].2.len())
        }
        c if c.starts_with("UID FETCH") => {
            let messages = FOLDERS[*open.lock().unwrap()].2;
            let listing = c.contains("X-GM-LABELS");
            let set = c.split(' ').nth(2).unwrap();
            let mut out = String::new();
            for (at, (id, labels)) in messages.iter().enumerate() {
                let uid = at as u32 + 1;
                let asked = set.split(',').any(|part| {
                    let (first, last) = part.split_once(':').unwrap_or((part, part));
                    first.parse::<u32>().unwrap() <= uid && last.parse::<u32>().unwrap_or(u32::MAX) >= uid
                });
                let body = String::from_utf8(mail(*id)).unwrap();
                let size = body.len();
                let items = if listing {
                    format!("FLAGS () RFC822.SIZE {size} X-GM-MSGID {} X-GM-LABELS ({labels})", 100 + id)
                } else {
                    format!("BODY[] {{{size}}}\r\n{body}")
                };
                if asked {
                    out += &format!("* {uid} FETCH (UID {uid} {items})\r\n");
                }
            }
            out
        }
        _ => return None,
    };
    Some((text.into_bytes(), End::Ok))
}

type Found = (String, u32, Vec<String>);

/// What an earlier run has: folders by their names on the wire, and UIDs.
struct Earlier(&'static [(&'static str, u32)]);

impl Known for Earlier {
    fn known(&self, mailbox: &Mailbox, _state: &FolderState) -> KnownFolder {
        let here = self.0.iter().filter(|(name, _)| name.as_bytes() == mailbox.name);
        KnownFolder { uids: here.map(|(_, uid)| *uid).collect(), modseq: None }
    }

    fn knows(&self, mailbox: &Mailbox) -> bool {
        self.0.iter().any(|(name, _)| name.as_bytes() == mailbox.name)
    }
}

/// Folder, message and keywords of all; and how many bodies were fetched.
fn run(labels: Labels) -> (BTreeSet<Found>, usize) {
    run_again(labels, &[])
}

fn run_again(labels: Labels, known: &'static [(&'static str, u32)]) -> (BTreeSet<Found>, usize) {
    let open = Mutex::new(0);
    let script = Script::new(|_, _| panic!("not asked")).other(move |command, _| answer(command, &open));
    let server = Scripted::start(script);
    let known: Option<Arc<dyn Known>> = Some(Arc::new(Earlier(known)));
    let options = Options { connections: 1, labels, known, ..Options::default() };
    let source = ImapSource::open(server.account(), options).unwrap();
    let mut out = BTreeSet::new();
    for got in read_all(&source) {
        let loaded = got.result.unwrap();
        let number = (1..=4).find(|n| loaded.bytes == mail(*n)).unwrap();
        assert!(out.insert((got.folder, number, loaded.flags.keywords)));
    }
    drop(source);
    let commands = server.commands.lock().unwrap().clone();
    let bodies =
        commands.iter().filter_map(|c| c.strip_suffix(" (UID BODY.PEEK[])")?.strip_prefix("UID FETCH ")).map(|set| {
            set.split(',')
                .map(|p| {
                    p.split_once(':').map_or(1, |(a, b)| b.parse::<usize>().unwrap() - a.parse::<usize>().unwrap() + 1)
                })
                .sum::<usize>()
        });
    (out, bodies.sum())
}

fn shown(all: &[(&str, u32, &[&str])]) -> BTreeSet<Found> {
    all.iter().map(|(f, n, k)| ((*f).to_owned(), *n, k.iter().map(|k| (*k).to_owned()).collect())).collect()
}

#[test]
fn each_message_once_with_its_labels_as_categories() {
    let (got, fetched) = run(Labels::Categories);
    assert_eq!(fetched, 4);
    let expected = [
        ("All Mail", 1, &["Work", "Inbox", "Entwürfe"][..]),
        ("All Mail", 2, &[]),
        ("All Mail", 4, &["Inbox"]),
        ("Trash", 3, &[]),
    ];
    assert_eq!(got, shown(&expected));
}

#[test]
fn each_label_a_folder() {
    let (got, fetched) = run(Labels::Folders);
    let expected = [
        ("Inbox", 1, &[][..]),
        ("Inbox", 4, &[]),
        ("Work", 1, &[]),
        ("[Gmail]/All Mail", 2, &[]),
        ("[Gmail]/Trash", 3, &[]),
    ];
    assert_eq!(got, shown(&expected));
    assert_eq!(fetched, 4);
}

#[test]
fn what_an_earlier_run_has_in_another_folder_does_not_come_again() {
    let everything = &[("INBOX", 1), ("INBOX", 2), ("Work", 1), ("[Gmail]/All Mail", 2), ("[Gmail]/Trash", 1)];
    assert_eq!(run_again(Labels::Folders, everything), (BTreeSet::new(), 0));
    // A label that is new brings the message into its folder, and only there.
    let before = &[("INBOX", 1), ("INBOX", 2), ("[Gmail]/All Mail", 2), ("[Gmail]/Trash", 1)];
    assert_eq!(run_again(Labels::Folders, before), (shown(&[("Work", 1, &[])]), 1));
}
