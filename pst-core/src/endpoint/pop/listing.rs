//! What is in the mailbox, and what names each message for good.

use super::refusal::{Meaning, meaning};
use super::session::Session;
use crate::endpoint::net::hexadecimal;
use crate::error::{Error, Kind, Result};
use sha2::{Digest, Sha256};
use std::collections::HashMap;

/// Header fields that servers change in the course of time.
const CHANGING: [&str; 5] = ["status:", "x-status:", "x-uidl:", "x-keywords:", "content-length:"];

/// A message of the mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its number in this session.
    pub number: u32,
    /// Bytes as the server counts them; 0 where it does not say.
    pub size: u64,
    /// The name that people see.
    pub name: String,
    /// What names it in other sessions, too.
    pub identity: Identity,
}

/// What a message is recognised by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Identity {
    /// Its UIDL with its size, because servers were seen to use a UIDL again; or a hash of its header, where there is no
    /// UIDL or several messages have the same.
    Lasting(String),
    /// Number and size: good for a connection that is made anew, not for other days.
    Passing(String),
}

impl Identity {
    /// The identity as text, if it is one for other days.
    pub fn lasting(&self) -> Option<&str> {
        match self {
            Self::Lasting(text) => Some(text),
            Self::Passing(_) => None,
        }
    }
}

/// Lists the mailbox.
///
/// # Errors
/// When the server refuses to, or the connection breaks.
pub fn list(session: &mut Session) -> Result<Vec<Entry>> {
    let sizes = sizes(session)?;
    let names = names(session)?;
    let mut times: HashMap<&str, u32> = HashMap::new();
    for name in names.values() {
        *times.entry(name).or_default() += 1;
    }
    let mut out = Vec::with_capacity(sizes.len());
    let mut doubtful = Vec::new();
    for (number, size) in sizes {
        let entry = match names.get(&number) {
            Some(uidl) if times.get(uidl.as_str()) == Some(&1) => Entry {
                number,
                size,
                name: format!("uidl {uidl}"),
                identity: Identity::Lasting(format!("uidl {uidl} {size}")),
            },
            _ => {
                doubtful.push(out.len());
                let name = format!("message {number}");
                Entry { number, size, name, identity: Identity::Passing(format!("once {number} {size}")) }
            }
        };
        out.push(entry);
    }
    name_by_header(session, &mut out, &doubtful)?;
    Ok(out)
}

/// Numbers and sizes.
fn sizes(session: &mut Session) -> Result<Vec<(u32, u64)>> {
    let mut out = Vec::new();
    match session.command("LIST")? {
        Ok(_) => {
            let lines = session.list()?;
            out.extend(lines.iter().filter_map(|line| {
                let mut words = line.split_ascii_whitespace();
                let number = words.next()?.parse().ok().filter(|n| *n > 0)?;
                Some((number, words.next().and_then(|s| s.parse().ok()).unwrap_or_default()))
            }));
            if out.len() != lines.len() {
                let text = "the list of messages has lines that cannot be understood";
                return Err(Error::new(Kind::Server, format!("{}: {text}", session.account().server)));
            }
        }
        Err(words) => return Err(session.refused("the server does not list the messages", &words, Kind::Server)),
    }
    out.sort_unstable();
    out.dedup_by_key(|(number, _)| *number);
    Ok(out)
}

/// UIDLs by number; none where the server has none. One that has them and does not tell them now would have everything
/// named otherwise, and so fetched again.
fn names(session: &mut Session) -> Result<HashMap<u32, String>> {
    if let Err(words) = session.command("UIDL")? {
        if meaning(&words) == Meaning::Passing || session.capabilities.has("UIDL") {
            return Err(session.refused(
                "the server does not tell the names of the messages (UIDL)",
                &words,
                Kind::Server,
            ));
        }
        return Ok(HashMap::new());
    }
    let lines = session.list()?;
    let named = |line: &String| {
        let (number, name) = line.trim().split_once(|c: char| c.is_ascii_whitespace())?;
        let name = name.trim();
        Some((number.parse().ok()?, name.to_owned())).filter(|_| !name.is_empty())
    };
    Ok(lines.iter().filter_map(named).collect())
}

/// Names messages by a hash of their headers, where the server shows these (TOP).
fn name_by_header(session: &mut Session, entries: &mut [Entry], doubtful: &[usize]) -> Result<()> {
    let mut times: HashMap<String, u32> = HashMap::new();
    for some in doubtful.chunks(session.window()) {
        let numbers = some.iter().filter_map(|at| entries.get(*at)).map(|e| e.number);
        session.send(&numbers.map(|n| format!("TOP {n} 0")).collect::<Vec<_>>())?;
        for at in some {
            if session.status("TOP")?.is_err() {
                continue;
            }
            let header = session.list()?;
            let Some(entry) = entries.get_mut(*at) else { continue };
            if let Some(hash) = hash(&header) {
                // Equal ones are told apart by their order.
                let n = times.entry(hash.clone()).and_modify(|n| *n += 1).or_insert(1);
                entry.identity = Identity::Lasting(format!("header {hash} {n}"));
            }
        }
    }
    Ok(())
}

/// The hash of a header; `None` for one that says nothing.
fn hash(header: &[String]) -> Option<String> {
    let mut hash = Sha256::new();
    let mut any = false;
    let mut skipped = false;
    for line in header.iter().take_while(|l| !l.is_empty()) {
        let folded = line.starts_with([' ', '\t']);
        if !folded {
            let lower = line.get(..line.len().min(16)).unwrap_or_default().to_ascii_lowercase();
            skipped = CHANGING.iter().any(|name| lower.starts_with(name));
        }
        if !skipped {
            hash.update(line);
            hash.update("\n");
            any = true;
        }
    }
    any.then(|| hexadecimal(hash.finalize().get(..16).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_without_what_changes() {
        let lines = |text: &str| text.lines().map(ToOwned::to_owned).collect::<Vec<_>>();
        let plain = hash(&lines("From: a\nSubject: b\n c\n\nbody"));
        assert_eq!(plain, hash(&lines("From: a\nStatus: RO\nX-UIDL: x\n y\nSubject: b\n c\n\n")));
        assert_ne!(plain, hash(&lines("From: a\nSubject: b\n")));
        assert_eq!(hash(&lines("Status: RO\n")), None);
        assert_eq!(hash(&[]), None);
    }
}
