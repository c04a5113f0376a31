//! The folders of an account: names, roles, namespaces.

use super::command::{Command, ListWord, decoded};
use super::response::{Listed, Response};
use super::session::Session;
use crate::error::{Kind, Result};
use crate::pipeline::{Folder, Role};
use std::collections::{HashMap, HashSet};

/// Commands that are under way at once while counts are asked for.
const AT_ONCE: usize = 32;

/// Folders inside each other; what is deeper stays in the name of the last.
const DEPTH: usize = 64;

/// Which folders are listed.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wanted {
    /// Those of other users and shared ones, too.
    pub others: bool,
    /// Only subscribed ones.
    pub subscribed: bool,
}

/// What a folder holds, as far as the server says it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Messages.
    pub messages: Option<u64>,
    /// Unread ones.
    pub unseen: Option<u64>,
    /// Bytes of all.
    pub size: Option<u64>,
}

/// A folder of the account.
#[derive(Debug, Clone, Default)]
pub struct Mailbox {
    /// Its name as on the wire.
    pub name: Vec<u8>,
    /// What the pipeline sees of it; its key is its place in the list.
    pub folder: Folder,
    /// False for a folder that only holds others.
    pub selectable: bool,
    /// What the server says that it is for, in lower case ("\all").
    pub attributes: Vec<String>,
    /// What it holds.
    pub counts: Counts,
}

impl Mailbox {
    /// True for the attribute of this name, in lower case.
    pub fn is(&self, attribute: &str) -> bool {
        self.attributes.iter().any(|a| a == attribute)
    }
}

/// The prefixes of namespaces.
#[derive(Debug, Default)]
struct Spaces {
    own: Vec<Vec<u8>>,
    foreign: Vec<Vec<u8>>,
    /// Of the latter, what names are divided by.
    separator: Option<u8>,
}

/// Of which folders a list tells whether they are there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Covers {
    /// Only of those that it has.
    Some,
    /// Of all but those at or below these.
    AllBut(Vec<Vec<String>>),
}

impl Covers {
    /// True if a folder that is not in the list is not there.
    pub fn covers(&self, path: &[String]) -> bool {
        match self {
            Self::Some => false,
            Self::AllBut(foreign) => !foreign.iter().any(|f| path.starts_with(f)),
        }
    }
}

/// Lists the folders of the account, parents first, with counts.
///
/// # Errors
/// When the connection breaks or the server does not list them.
pub fn folders(session: &mut Session, wanted: Wanted) -> Result<(Vec<Mailbox>, Covers)> {
    let spaces = namespaces(session)?;
    let mut listed = list(session, &spaces, wanted)?;
    if wanted.subscribed {
        let names: HashSet<Vec<u8>> =
            gather(session, ListWord::Lsub, b"", "")?.0.into_iter().map(|l| normal(&l)).collect();
        listed.0.retain(|l| names.contains(&normal(l)));
    }
    let utf8 = session.has_enabled("UTF8=ACCEPT");
    let mut boxes = arranged(listed.0, &spaces, utf8);
    assign_roles(&mut boxes);
    let mut counts: HashMap<Vec<u8>, Counts> = listed.1.into_iter().collect();
    count(session, &boxes, &mut counts)?;
    for (key, mailbox) in boxes.iter_mut().enumerate() {
        mailbox.folder.key = key as u64;
        mailbox.counts = counts.get(&mailbox.name).copied().unwrap_or_default();
        mailbox.folder.count = if mailbox.selectable { mailbox.counts.messages } else { Some(0) };
    }
    let foreign = if wanted.others { &[] } else { spaces.foreign.as_slice() };
    let foreign = foreign.iter().map(|prefix| path_of(prefix, spaces.separator, utf8));
    let covers = if wanted.subscribed { Covers::Some } else { Covers::AllBut(foreign.collect()) };
    Ok((boxes, covers))
}

/// What stands before the names of all own folders, and what names are divided by.
///
/// # Errors
/// When the connection breaks.
pub(super) fn root(session: &mut Session) -> Result<(Vec<u8>, Option<u8>)> {
    let spaces = namespaces(session)?;
    let mut separator = None;
    session.run(&Command::separator(), &mut |response| {
        if let Response::List(listed) = response {
            separator = separator.or(listed.separator);
        }
    })?;
    let prefix = match spaces.own.as_slice() {
        [prefix] => prefix.clone(),
        _ => Vec::new(),
    };
    Ok((prefix, separator))
}

fn namespaces(session: &mut Session) -> Result<Spaces> {
    let mut spaces = Spaces::default();
    if session.can("NAMESPACE") {
        session.run(&Command::namespace(), &mut |response| {
            if let Response::Namespace([own, others, shared]) = response {
                spaces.own = own.into_iter().map(|(prefix, _)| prefix).collect();
                spaces.separator = others.iter().chain(&shared).find_map(|(_, separator)| *separator);
                spaces.foreign = others.into_iter().chain(shared).map(|(prefix, _)| prefix).collect();
            }
        })?;
    }
    // A server that has all in one namespace has no others.
    spaces.foreign.retain(|p| !p.is_empty() && !spaces.own.contains(p));
    Ok(spaces)
}

type Found = (Vec<Listed>, Vec<(Vec<u8>, Counts)>);

fn gather(session: &mut Session, word: ListWord, prefix: &[u8], options: &str) -> Result<Found> {
    let mut found = Found::default();
    session.must("listing the folders", &Command::list(word, prefix, options), &mut |response| match response {
        Response::List(listed) => found.0.push(listed),
        Response::Counts(name, items) => found.1.push((name, counts_of(&items))),
        _ => {}
    })?;
    Ok(found)
}

fn list(session: &mut Session, spaces: &Spaces, wanted: Wanted) -> Result<Found> {
    let mut options = String::new();
    if session.can("LIST-EXTENDED") {
        let mut items = vec!["CHILDREN".to_owned()];
        if session.can("SPECIAL-USE") {
            items.push("SPECIAL-USE".to_owned());
        }
        if session.can("LIST-STATUS") {
            items.push(format!("STATUS ({})", status_items(session)));
        }
        options = format!(" RETURN ({})", items.join(" "));
    }
    let older = !session.can("SPECIAL-USE") && session.can("XLIST");
    let word = if older { ListWord::Xlist } else { ListWord::List };
    let mut found = gather(session, word, b"", &options)?;
    let foreign = |name: &[u8]| spaces.foreign.iter().any(|p| name.starts_with(p) || bare(p) == name);
    if wanted.others {
        for prefix in &spaces.foreign {
            let more = gather(session, word, prefix, &options)?;
            found.0.extend(more.0);
            found.1.extend(more.1);
        }
    } else {
        found.0.retain(|l| !foreign(&l.name));
    }
    Ok(found)
}

/// A prefix without the separator at its end.
fn bare(prefix: &[u8]) -> &[u8] {
    prefix.split_last().map_or(prefix, |(_, rest)| rest)
}

fn status_items(session: &Session) -> &'static str {
    if session.can("STATUS=SIZE") || session.can("IMAP4REV2") { "MESSAGES UNSEEN SIZE" } else { "MESSAGES UNSEEN" }
}

fn counts_of(items: &[(String, u64)]) -> Counts {
    let of = |name: &str| items.iter().find(|(n, _)| n == name).map(|(_, v)| *v);
    Counts { messages: of("MESSAGES"), unseen: of("UNSEEN"), size: of("SIZE") }
}

/// Asks for the counts that the list did not bring.
fn count(session: &mut Session, boxes: &[Mailbox], counts: &mut HashMap<Vec<u8>, Counts>) -> Result<()> {
    let items = status_items(session);
    let missing: Vec<&Mailbox> = boxes.iter().filter(|m| m.selectable && !counts.contains_key(&m.name)).collect();
    for some in missing.chunks(AT_ONCE) {
        let mut open: Vec<(String, &Mailbox)> = Vec::new();
        for mailbox in some {
            let command = Command::status(&mailbox.name, items);
            // A name that the server first has to agree to would mix its answer with the others.
            if command.is_one_line() {
                open.push((session.send(&command)?, mailbox));
            }
        }
        // Commands may end in any order. A name that the server writes in another way belongs to the first of them.
        while let Some((_, first)) = open.first() {
            match session.read()? {
                Response::Counts(name, items) => {
                    let named = some.iter().find(|m| m.name == name).map_or(&first.name, |m| &m.name);
                    counts.insert(named.clone(), counts_of(&items));
                }
                Response::Tagged(tag, _) => open.retain(|(t, _)| *t != tag),
                _ => {}
            }
        }
        for mailbox in some {
            let command = Command::status(&mailbox.name, items);
            if command.is_one_line() {
                continue;
            }
            let mut answer = None;
            let asked = session.run(&command, &mut |response| {
                if let Response::Counts(_, items) = response {
                    answer = Some(counts_of(&items));
                }
            });
            match asked {
                Err(e) if e.kind() != Kind::Server => return Err(e),
                _ => counts.extend(answer.map(|a| (mailbox.name.clone(), a))),
            }
        }
    }
    Ok(())
}

/// A name for comparison: INBOX is written in any case.
fn normal(listed: &Listed) -> Vec<u8> {
    let inbox = listed.name.get(..5).is_some_and(|n| n.eq_ignore_ascii_case(b"INBOX"));
    let ends = listed.name.get(5).is_none_or(|b| Some(*b) == listed.separator);
    match listed.name.get(5..) {
        Some(rest) if inbox && ends => [b"INBOX", rest].concat(),
        _ => listed.name.clone(),
    }
}

/// Folders with their paths, each once, parents before children.
fn arranged(listed: Vec<Listed>, spaces: &Spaces, utf8: bool) -> Vec<Mailbox> {
    let strip = match spaces.own.as_slice() {
        [prefix] if !prefix.is_empty() => prefix.as_slice(),
        _ => b"",
    };
    let mut out: Vec<Mailbox> = Vec::new();
    let mut seen = HashSet::new();
    let mut at: HashMap<Vec<String>, usize> = HashMap::new();
    for l in listed {
        let name = normal(&l);
        if !seen.insert(name.clone()) || name.is_empty() {
            continue;
        }
        let selectable = !l.attributes.iter().any(|a| a == "\\noselect" || a == "\\nonexistent");
        let below = name.strip_prefix(strip).filter(|rest| !rest.is_empty()).unwrap_or(&name);
        // The prefix itself ("INBOX." listed as a folder) is the inbox or nothing.
        let is_prefix = name == strip || (bare(strip) == name && name != b"INBOX");
        if !selectable && is_prefix {
            continue;
        }
        let path = path_of(below, l.separator, utf8);
        if path.is_empty() {
            continue;
        }
        let path = own_path(path, path_of(&name, l.separator, utf8), |p| {
            at.get(p).and_then(|i| out.get(*i)).is_none_or(|m: &Mailbox| m.name.is_empty())
        });
        for depth in 1..path.len() {
            let parent = path.get(..depth).unwrap_or_default().to_vec();
            at.entry(parent.clone()).or_insert_with(|| {
                let folder = Folder { path: parent, ..Folder::default() };
                out.push(Mailbox { folder, ..Mailbox::default() });
                out.len() - 1
            });
        }
        let mailbox = Mailbox {
            name,
            folder: Folder { path: path.clone(), ..Folder::default() },
            selectable,
            attributes: l.attributes,
            counts: Counts::default(),
        };
        // A parent that was only guessed gives way to the real one.
        match at.get(&path).and_then(|i| out.get_mut(*i)) {
            Some(guess) if guess.name.is_empty() => *guess = mailbox,
            _ => {
                at.insert(path, out.len());
                out.push(mailbox);
            }
        }
    }
    out
}

/// A path that no other folder has: names that differ may read alike.
fn own_path(mut path: Vec<String>, whole: Vec<String>, is_free: impl Fn(&[String]) -> bool) -> Vec<String> {
    if is_free(&path) {
        return path;
    }
    if is_free(&whole) {
        return whole;
    }
    let name = path.pop().unwrap_or_default();
    let mut n = 2;
    loop {
        path.push(format!("{name} ({n})"));
        if is_free(&path) {
            return path;
        }
        path.pop();
        n += 1;
    }
}

fn path_of(name: &[u8], separator: Option<u8>, utf8: bool) -> Vec<String> {
    let parts: Vec<&[u8]> = match separator {
        Some(separator) => name.splitn(DEPTH, |b| *b == separator).collect(),
        None => vec![name],
    };
    // Exchange writes a slash inside a name by its code in a private area.
    let plain = |part: &[u8]| decoded(part, utf8).replace("_xF8FF_", "/").replace('\u{F8FF}', "/");
    let path = parts.into_iter().filter(|p| !p.is_empty()).map(plain);
    let mut path: Vec<String> = path.collect();
    if let Some(first) = path.first_mut()
        && first.eq_ignore_ascii_case("INBOX")
    {
        "Inbox".clone_into(first);
    }
    path
}

/// What special use says (RFC 6154), and what XLIST said before.
const USES: &[(&str, Role)] = &[
    ("\\inbox", Role::Inbox),
    ("\\sent", Role::Sent),
    ("\\drafts", Role::Drafts),
    ("\\trash", Role::Deleted),
    ("\\junk", Role::Junk),
    ("\\spam", Role::Junk),
    ("\\archive", Role::Archive),
];

/// Roles that a name may tell. Folders called Calendar or Notes hold mail here.
const NAMED: &[Role] = &[Role::Outbox, Role::Sent, Role::Drafts, Role::Deleted, Role::Junk, Role::Archive];

/// Gives each role to one folder: what the server says counts before names.
fn assign_roles(boxes: &mut [Mailbox]) {
    let mut given = HashSet::new();
    for mailbox in boxes.iter_mut() {
        let role = if mailbox.name == b"INBOX" {
            Some(Role::Inbox)
        } else {
            USES.iter().find(|(attribute, _)| mailbox.is(attribute)).map(|(_, role)| *role)
        };
        if let Some(role) = role.filter(|r| given.insert(*r)) {
            mailbox.folder.role = role;
        }
    }
    for mailbox in boxes.iter_mut().filter(|m| m.selectable && m.folder.role == Role::None) {
        let [name] = mailbox.folder.path.as_slice() else { continue };
        let role = Role::of_name(name);
        if NAMED.contains(&role) && given.insert(role) {
            mailbox.folder.role = role;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(names: &[(&str, &str)], separator: u8) -> Vec<Listed> {
        let one = |(name, attributes): &(&str, &str)| Listed {
            attributes: attributes.split(' ').filter(|a| !a.is_empty()).map(str::to_owned).collect(),
            separator: Some(separator),
            name: name.as_bytes().to_vec(),
        };
        names.iter().map(one).collect()
    }

    fn shown(names: &[(&str, &str)], separator: u8, own: &str) -> Vec<String> {
        let spaces = Spaces { own: vec![own.as_bytes().to_vec()], ..Spaces::default() };
        let mut boxes = arranged(listed(names, separator), &spaces, false);
        assign_roles(&mut boxes);
        let show = |m: &Mailbox| {
            let role = if m.folder.role == Role::None { String::new() } else { format!("={:?}", m.folder.role) };
            format!("{}{}{role}", m.folder.path.join("|"), if m.selectable { "" } else { "?" })
        };
        boxes.iter().map(show).collect()
    }

    #[test]
    fn names_and_roles() {
        let names = [
            ("inbox", ""),
            ("INBOX/Work", ""),
            ("Inbox/Work", ""),
            ("Trash", ""),
            ("[Gmail]", "\\noselect"),
            ("[Gmail]/Bin", "\\trash"),
            ("A/B/C", ""),
            ("A", ""),
            ("Entw&APw-rfe", ""),
            ("Ticket _xF8FF_ 7", ""),
            ("Calendar", ""),
        ];
        assert_eq!(
            shown(&names, b'/', ""),
            [
                "Inbox=Inbox",
                "Inbox|Work",
                "Trash",
                "[Gmail]?",
                "[Gmail]|Bin=Deleted",
                "A",
                "A|B?",
                "A|B|C",
                "Entwürfe=Drafts",
                "Ticket / 7",
                "Calendar"
            ]
        );
    }

    #[test]
    fn a_prefix_of_all_is_left_out() {
        let names = [("INBOX", ""), ("INBOX.Sent", ""), ("INBOX.Sent.2024", ""), ("INBOX.", "\\noselect")];
        assert_eq!(shown(&names, b'.', "INBOX."), ["Inbox=Inbox", "Sent=Sent", "Sent|2024"]);
    }

    #[test]
    fn names_that_read_alike_are_folders_of_their_own() {
        let names = [("INBOX", ""), ("INBOX.INBOX", ""), ("INBOX.A", ""), ("INBOX..A", ""), ("INBOX.A..", "")];
        assert_eq!(shown(&names, b'.', "INBOX."), ["Inbox=Inbox", "Inbox|INBOX", "A", "Inbox|A", "A (2)"]);
    }

    #[test]
    fn folders_are_inside_each_other_to_a_depth() {
        let name = (1..=50_000).map(|n| n.to_string()).collect::<Vec<_>>().join("/");
        let boxes = arranged(listed(&[(&name, "")], b'/'), &Spaces::default(), false);
        assert_eq!(boxes.len(), DEPTH);
        let path = &boxes[DEPTH - 1].folder.path;
        assert!(path.len() == DEPTH && path.join("/") == name && path[DEPTH - 1].starts_with("64/65/66/"));
    }
}
