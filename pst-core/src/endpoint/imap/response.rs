//! What a response says: a tolerant scan that takes what it understands and passes over the rest.

use super::fetched::{Fetched, fetched};
use super::token::Cursor;
use super::wire::Line;

/// A response of the server.
#[derive(Debug)]
pub enum Response {
    /// `* n FETCH`, boxed for its size.
    Fetch(Box<Fetched>),
    /// An untagged status, or the greeting.
    Status(Status),
    /// The end of a command.
    Tagged(String, Status),
    /// `+`: go on.
    Continue(Vec<u8>),
    /// What the server can do, in upper case.
    Capability(Vec<String>),
    /// Extensions that are switched on.
    Enabled(Vec<String>),
    /// A folder, by LIST, LSUB or XLIST.
    List(Listed),
    /// The UIDs that a search found.
    Search(Vec<u32>),
    /// Counts of a folder: its name as on the wire, items in upper case with their numbers.
    Counts(Vec<u8>, Vec<(String, u64)>),
    /// Personal, other users' and shared namespaces: prefix and separator.
    Namespace([Vec<(Vec<u8>, Option<u8>)>; 3]),
    /// Number of messages in the folder.
    Exists(u64),
    /// The message of this number is gone.
    Expunge(u64),
    /// Messages that are gone, and whether it happened before this session.
    Vanished(Vec<(u32, u32)>, bool),
    /// Something else that is a response.
    Other,
    /// An empty line.
    Blank,
    /// No response at all: framing and server disagree.
    Junk,
}

/// OK, NO, BAD, BYE or PREAUTH, with code and text.
#[derive(Debug, Clone)]
pub struct Status {
    /// Which.
    pub word: Word,
    /// The word of the code in brackets, in upper case, and what follows it.
    pub code: Option<(String, String)>,
    /// The text for people.
    pub text: String,
}

/// The first word of a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Word {
    Ok,
    No,
    Bad,
    Bye,
    PreAuth,
}

impl Status {
    /// True for OK.
    pub fn is_ok(&self) -> bool {
        self.word == Word::Ok
    }

    /// What follows the code of this name.
    pub fn code(&self, name: &str) -> Option<&str> {
        self.code.as_ref().filter(|(n, _)| n == name).map(|(_, rest)| rest.as_str())
    }

    /// Code and text as the server sent them.
    pub fn words(&self) -> String {
        match &self.code {
            Some((name, rest)) if rest.is_empty() => format!("[{name}] {}", self.text),
            Some((name, rest)) => format!("[{name} {rest}] {}", self.text),
            None => self.text.clone(),
        }
    }
}

/// A folder as the server lists it.
#[derive(Debug, Clone, Default)]
pub struct Listed {
    /// Attributes in lower case ("\noselect").
    pub attributes: Vec<String>,
    /// The hierarchy separator.
    pub separator: Option<u8>,
    /// The name as on the wire.
    pub name: Vec<u8>,
}

/// Reads one response.
pub fn parse(line: Line) -> Response {
    if line.text.trim_ascii().is_empty() && line.literals.is_empty() {
        return Response::Blank;
    }
    let mut at = Cursor::new(line);
    match at.peek() {
        Some(b'*') => {
            at.skip(b'*');
            at.spaces();
            untagged(at)
        }
        Some(b'+') => {
            at.skip(b'+');
            at.spaces();
            Response::Continue(at.rest())
        }
        _ => tagged(at),
    }
}

fn tagged(mut at: Cursor) -> Response {
    let tag = at.word();
    at.spaces();
    let word = at.word();
    let is_tag = !tag.is_empty() && tag.len() <= 32 && tag.iter().all(u8::is_ascii_alphanumeric);
    match status_word(&word) {
        Some(word) if is_tag => Response::Tagged(String::from_utf8_lossy(&tag).into_owned(), status(word, at)),
        _ => Response::Junk,
    }
}

fn status_word(word: &[u8]) -> Option<Word> {
    Some(match word.to_ascii_uppercase().as_slice() {
        b"OK" => Word::Ok,
        b"NO" => Word::No,
        b"BAD" => Word::Bad,
        b"BYE" => Word::Bye,
        b"PREAUTH" => Word::PreAuth,
        _ => return None,
    })
}

fn status(word: Word, mut at: Cursor) -> Status {
    at.spaces();
    let rest = String::from_utf8_lossy(&at.rest()).trim_end().to_owned();
    let coded = rest.strip_prefix('[').and_then(|r| r.split_once(']'));
    let Some((code, text)) = coded else { return Status { word, code: None, text: rest } };
    let (name, more) = code.split_once(' ').unwrap_or((code, ""));
    Status { word, code: Some((name.to_ascii_uppercase(), more.trim().to_owned())), text: text.trim_start().to_owned() }
}

fn untagged(mut at: Cursor) -> Response {
    let word = at.word();
    if let Some(number) = std::str::from_utf8(&word).ok().and_then(|w| w.parse::<u64>().ok()) {
        return numbered(number, at);
    }
    if let Some(word) = status_word(&word) {
        return Response::Status(status(word, at));
    }
    match word.to_ascii_uppercase().as_slice() {
        b"CAPABILITY" => Response::Capability(capabilities(&at.rest())),
        b"ENABLED" => Response::Enabled(capabilities(&at.rest())),
        b"LIST" | b"LSUB" | b"XLIST" => Response::List(listed(at)),
        b"SEARCH" => Response::Search(numbers(&at.rest())),
        b"ESEARCH" => Response::Search(extended(at)),
        b"STATUS" => counts(at),
        b"NAMESPACE" => Response::Namespace([namespaces(&mut at), namespaces(&mut at), namespaces(&mut at)]),
        b"VANISHED" => vanished(at),
        _ => Response::Other,
    }
}

fn numbered(number: u64, mut at: Cursor) -> Response {
    at.spaces();
    match at.word().to_ascii_uppercase().as_slice() {
        b"FETCH" => Response::Fetch(Box::new(fetched(number, at))),
        b"EXISTS" => Response::Exists(number),
        b"EXPUNGE" => Response::Expunge(number),
        _ => Response::Other,
    }
}

/// Words in upper case.
pub fn capabilities(text: &[u8]) -> Vec<String> {
    String::from_utf8_lossy(text).split_ascii_whitespace().map(str::to_ascii_uppercase).collect()
}

fn listed(mut at: Cursor) -> Listed {
    let attributes = at.list();
    let attributes = attributes.iter().map(|a| String::from_utf8_lossy(a).to_ascii_lowercase()).collect();
    let separator = at.value().bytes().and_then(|b| b.first().copied());
    at.spaces();
    // A name without quotes may have spaces where servers do not care.
    let name = match at.peek() {
        None | Some(b'"') => at.value().bytes().unwrap_or_default(),
        Some(_) => bare_name(at.rest()),
    };
    Listed { attributes, separator, name }
}

fn bare_name(mut name: Vec<u8>) -> Vec<u8> {
    // What LIST-EXTENDED says behind the name is a list.
    if let Some(i) = memchr::memmem::find(&name, b" (") {
        name.truncate(i);
    }
    name.truncate(name.trim_ascii_end().len());
    name
}

fn numbers(text: &[u8]) -> Vec<u32> {
    // "(MODSEQ 917162500)" may follow.
    let text = text.split(|b| *b == b'(').next().unwrap_or_default();
    String::from_utf8_lossy(text).split_ascii_whitespace().filter_map(|n| n.parse().ok()).collect()
}

/// The UIDs of an ESEARCH response (RFC 4731), which go up.
fn extended(mut at: Cursor) -> Vec<u32> {
    let mut out = Vec::new();
    while !at.ended() {
        at.spaces();
        if at.peek() == Some(b'(') {
            at.pass_list();
            continue;
        }
        if at.skip(b')') {
            continue;
        }
        if at.value().bytes().is_some_and(|word| word.eq_ignore_ascii_case(b"ALL")) {
            let set = at.value().bytes().unwrap_or_default();
            for (first, last) in ranges(&set) {
                out.extend((first..=last).take(MOST_FOUND.saturating_sub(out.len())));
            }
        }
    }
    out
}

/// UIDs that a search may find; a folder has no more messages.
const MOST_FOUND: usize = 20_000_000;

/// The ranges of a set such as "1:4,7"; the smaller number first.
pub fn ranges(set: &[u8]) -> Vec<(u32, u32)> {
    let text = String::from_utf8_lossy(set);
    let range = |part: &str| {
        let (first, last) = part.split_once(':').unwrap_or((part, part));
        let (first, last) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        Some(if first <= last { (first, last) } else { (last, first) })
    };
    text.split(',').filter_map(range).collect()
}

fn counts(mut at: Cursor) -> Response {
    let name = at.value().bytes().unwrap_or_default();
    at.spaces();
    // A name with a space and without quotes: the counts are in the last list.
    while !at.ended() && at.peek() != Some(b'(') {
        drop(at.value());
        at.spaces();
        at.skip(b')');
    }
    let words = at.list();
    let mut out = Vec::new();
    let mut words = words.iter();
    while let (Some(item), Some(number)) = (words.next(), words.next()) {
        if let Ok(number) = String::from_utf8_lossy(number).parse() {
            out.push((String::from_utf8_lossy(item).to_ascii_uppercase(), number));
        }
    }
    Response::Counts(name, out)
}

fn namespaces(at: &mut Cursor) -> Vec<(Vec<u8>, Option<u8>)> {
    let mut out = Vec::new();
    at.spaces();
    if !at.skip(b'(') {
        drop(at.value());
        return out;
    }
    loop {
        at.spaces();
        if at.skip(b')') || at.ended() {
            return out;
        }
        if at.peek() == Some(b'(') {
            let mut words = at.list().into_iter();
            if let Some(prefix) = words.next() {
                let separator = words.next().filter(|w| w.len() == 1).and_then(|w| w.first().copied());
                out.push((prefix, separator));
            }
        } else {
            drop(at.value());
        }
    }
}

fn vanished(mut at: Cursor) -> Response {
    at.spaces();
    let earlier = at.peek() == Some(b'(');
    if earlier {
        at.pass_list();
    }
    let set = at.value().bytes().unwrap_or_default();
    Response::Vanished(ranges(&set), earlier)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::imap::wire::{Limits, Reader};

    fn one(bytes: &[u8]) -> Response {
        parse(Reader::new(bytes, Limits::default()).line().unwrap().unwrap())
    }

    #[test]
    fn statuses() {
        let Response::Tagged(tag, status) = one(b"p1 no [UNAVAILABLE] Server \xE9 busy {3}\r\n") else { panic!() };
        assert_eq!((tag.as_str(), status.word), ("p1", Word::No));
        assert_eq!(status.words(), "[UNAVAILABLE] Server \u{FFFD} busy {3}");
        let Response::Status(status) = one(b"*  OK [UIDVALIDITY 12] x\r\n") else { panic!() };
        assert_eq!(status.code("UIDVALIDITY"), Some("12"));
        assert!(matches!(one(b"+\n"), Response::Continue(t) if t.is_empty()));
        assert!(matches!(one(b"+ cGFz\r\n"), Response::Continue(t) if t == b"cGFz"));
        assert!(matches!(one(b"  \r\n"), Response::Blank));
        for junk in [b"Subject: x OK\r\n".as_slice(), b"--b\r\n", b")\r\n", b"hello OK\xFF\r\n"] {
            assert!(matches!(one(junk), Response::Junk), "{junk:?}");
        }
    }

    #[test]
    fn folders() {
        let name = |bytes: &[u8]| match one(bytes) {
            Response::List(l) => (String::from_utf8_lossy(&l.name).into_owned(), l.separator, l.attributes),
            _ => panic!(),
        };
        assert_eq!(
            name(b"* LIST (\\HasNoChildren \\Sent) \"/\" \"a \\\"b\\\\c\"\r\n"),
            ("a \"b\\c".to_owned(), Some(b'/'), vec!["\\hasnochildren".to_owned(), "\\sent".to_owned()])
        );
        assert_eq!(name(b"* LIST () NIL {3}\r\na b\r\n").0, "a b");
        assert_eq!(name(b"* LSUB () \"\\\\\" Entw\xC3\xBCrfe\r\n"), ("Entwürfe".to_owned(), Some(b'\\'), vec![]));
        assert_eq!(name(b"* XLIST () \".\" two words (\"CHILDINFO\" (\"SUBSCRIBED\"))\r\n").0, "two words");
    }

    #[test]
    fn lists_of_numbers() {
        assert!(matches!(one(b"* SEARCH 1 2  9 (MODSEQ 5)\r\n"), Response::Search(n) if n == [1, 2, 9]));
        assert!(matches!(one(b"* SEARCH\r\n"), Response::Search(n) if n.is_empty()));
        assert!(
            matches!(one(b"* ESEARCH (TAG \"p1\") UID ALL 2:4,9 MODSEQ 1\r\n"), Response::Search(n) if n == [2, 3, 4, 9])
        );
        assert!(
            matches!(one(b"* VANISHED (EARLIER) 41,43:116\r\n"), Response::Vanished(r, true) if r == [(41, 41), (43, 116)])
        );
        let Response::Counts(name, counts) = one(b"* STATUS {3}\r\na b (MESSAGES 3 UNSEEN 1 SIZE 99)\r\n") else {
            panic!()
        };
        assert_eq!(name, b"a b");
        assert_eq!(counts[2], ("SIZE".to_owned(), 99));
        let Response::Namespace([own, others, shared]) =
            one(b"* NAMESPACE ((\"INBOX.\" \".\")) NIL ((\"#shared/\" \"/\" \"X\" (\"a\"))(\"#p\" NIL))\r\n")
        else {
            panic!()
        };
        assert_eq!((own, others.len(), shared.len()), (vec![(b"INBOX.".to_vec(), Some(b'.'))], 0, 2));
    }
}
