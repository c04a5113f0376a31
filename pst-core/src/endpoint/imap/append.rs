//! APPEND: many messages in one command where the server can (RFC 3502), or one command behind the other without waiting
//! where it takes literals so (RFC 7888), or each by itself.

use super::change::special_use;
use super::command::{Command, Piece};
use super::letter::{Letter, keyword};
use super::response::{Response, Status, ranges};
use super::session::Session;
use super::throttle;
use crate::endpoint::net::tame;
use crate::endpoint::push::{Answer, Parcel};
use crate::error::{Error, Kind, Result};
use crate::mapi::{Code, Warning};
use crate::pipeline::journal::Whereabouts;
use std::collections::{HashSet, VecDeque};

/// Commands under way at once.
const WINDOW: usize = 32;
/// As [`WINDOW`], for Exchange, which says goodbye after ten errors.
const FEW: usize = 4;
/// Bytes that are gathered before they are sent.
const GATHERED: usize = 128 << 10;
/// The largest literal of LITERAL- that need not be agreed to.
const SMALL: u64 = 4096;
/// Lines longer than this are refused by Exchange.
const LONG: usize = 9_900;

/// What a folder keeps of flags.
#[derive(Debug, Clone, Default)]
pub(super) struct Allowed {
    /// New keywords, too.
    pub any: bool,
    /// Flags and keywords by name, in lower case; `None` where the server has not said.
    pub flags: Option<HashSet<String>>,
}

impl Allowed {
    pub(super) fn of(code: &str) -> Self {
        let flags: HashSet<String> =
            code.trim_matches(['(', ')']).split_ascii_whitespace().map(str::to_ascii_lowercase).collect();
        Self { any: flags.contains("\\*"), flags: Some(flags) }
    }

    fn has(&self, flag: &str) -> bool {
        self.flags.as_ref().is_none_or(|f| f.contains(&flag.to_ascii_lowercase()))
    }
}

/// A folder that is appended to.
pub(super) struct Into<'a> {
    pub name: &'a [u8],
    pub allowed: &'a Allowed,
    /// The server is Exchange.
    pub exchange: bool,
}

/// The letter of a parcel.
pub(super) fn letter(parcel: &mut Parcel) -> Result<&mut Letter> {
    let wrong = || Error::new(Kind::Usage, "an item was prepared for another kind of target");
    parcel.payload.form.downcast_mut::<Letter>().ok_or_else(wrong)
}

/// The flags of a message as they are sent, and what of them is lost.
pub(super) fn flags(letter: &Letter, into: &Into<'_>) -> (Vec<String>, Vec<Warning>) {
    let f = &letter.flags;
    let system = [
        (f.seen != Some(false), "\\Seen"),
        (f.answered, "\\Answered"),
        (f.flagged, "\\Flagged"),
        (f.draft, "\\Draft"),
        (f.deleted, "\\Deleted"),
    ];
    let (mut out, mut warnings) = (Vec::new(), Vec::new());
    for (_, name) in system.iter().filter(|(set, _)| *set) {
        if into.allowed.has(name) {
            out.push((*name).to_owned());
        } else {
            warnings.push(Code::Property.with(format!("the folder does not keep the flag {name}")));
        }
    }
    let forwarded = f.forwarded.then(|| "$Forwarded".to_owned());
    for word in forwarded.iter().chain(&f.keywords) {
        let name = keyword(word);
        if into.exchange || !(into.allowed.any || into.allowed.has(&name)) {
            warnings.push(Code::Property.with(format!("the folder keeps no keywords, so \"{word}\" is lost")));
            continue;
        }
        if name != *word {
            warnings.push(Code::Name.with(format!("the category \"{word}\" became the keyword {name}")));
        }
        if !out.iter().any(|o| o.eq_ignore_ascii_case(&name)) {
            out.push(name);
        }
    }
    (out, warnings)
}

/// INTERNALDATE: " 1-Jul-2020 12:00:00 +0000".
pub(super) fn internal_date(seconds: i64) -> Option<String> {
    let zoned = jiff::Timestamp::from_second(seconds).ok()?.to_zoned(jiff::tz::TimeZone::UTC);
    Some(zoned.strftime("%e-%b-%Y %H:%M:%S +0000").to_string())
}

/// What stands before the literal of a message.
fn head(letter: &Letter, into: &Into<'_>) -> (String, Vec<Warning>) {
    let (flags, warnings) = flags(letter, into);
    let date = letter.date.and_then(internal_date).map(|d| format!(" \"{d}\"")).unwrap_or_default();
    (format!(" ({}){date} ", flags.join(" ")), warnings)
}

/// A pipe of commands.
struct Pipe<'a> {
    session: &'a mut Session,
    out: Vec<u8>,
    /// Commands under way: tag, number, what was lost.
    open: VecDeque<(String, usize, Vec<Warning>)>,
    told: &'a mut dyn FnMut(usize, Answer),
    /// The server wants nothing more for now.
    held: bool,
    exchange: bool,
}

/// Puts messages into a folder.
///
/// # Errors
/// When the connection breaks; answers that came before are told.
pub(super) fn put(
    session: &mut Session,
    into: &Into<'_>,
    items: &mut [Parcel],
    told: &mut dyn FnMut(usize, Answer),
) -> Result<()> {
    let all = session.can("LITERAL+");
    if all && session.can("MULTIAPPEND") && items.len() > 1 && at_once(session, into, items, told)? {
        return Ok(());
    }
    let small = session.can("LITERAL-") || session.can("IMAP4REV2");
    let most = if all { u64::MAX } else { SMALL * u64::from(small) };
    let exchange = into.exchange;
    let mut pipe = Pipe { session, out: Vec::new(), open: VecDeque::new(), told, held: false, exchange };
    for (i, parcel) in items.iter_mut().enumerate() {
        let result = pipe.one(into, i, letter(parcel)?, most);
        if let Err(e) = result {
            // What was answered before the connection broke is still there to be read.
            while pipe.session.is_usable() && !pipe.open.is_empty() && pipe.answer().is_ok() {}
            return Err(e);
        }
        if pipe.held {
            break;
        }
    }
    pipe.flush()?;
    while !pipe.open.is_empty() {
        pipe.answer()?;
    }
    Ok(())
}

impl Pipe<'_> {
    fn flush(&mut self) -> Result<()> {
        if self.out.is_empty() {
            return Ok(());
        }
        let result = self.session.write(&self.out);
        self.out.clear();
        result
    }

    fn one(&mut self, into: &Into<'_>, i: usize, letter: &mut Letter, most: u64) -> Result<()> {
        let (head, warnings) = head(letter, into);
        let free = letter.len <= most;
        if !free {
            // The server has to agree first: all others must have been answered.
            self.flush()?;
            while !self.open.is_empty() {
                self.answer()?;
            }
            if self.held {
                return Ok(());
            }
        }
        let tag = self.session.tag();
        self.out.extend_from_slice(format!("{tag} ").as_bytes());
        self.open.push_back((tag, i, warnings));
        if !self.folder(into, most)? {
            return Ok(());
        }
        let plus = if free { "+" } else { "" };
        self.out.extend_from_slice(format!("{head}{{{}{plus}}}\r\n", letter.len).as_bytes());
        if !free {
            self.flush()?;
            if !self.agreed()? {
                return Ok(());
            }
        }
        match letter.data.held() {
            Some(bytes) if bytes.len() <= GATHERED => self.out.extend_from_slice(bytes),
            _ => {
                self.flush()?;
                self.session.pour(&mut letter.data)?;
            }
        }
        self.out.extend_from_slice(b"\r\n");
        if !free || self.out.len() > GATHERED {
            self.flush()?;
        }
        let window = if self.exchange { FEW } else { WINDOW };
        while self.open.len() >= window || (!free && !self.open.is_empty()) {
            self.flush()?;
            self.answer()?;
        }
        Ok(())
    }

    /// Writes the command's first words; false if the server does not agree to the folder's name.
    fn folder(&mut self, into: &Into<'_>, most: u64) -> Result<bool> {
        for piece in Command::append(into.name) {
            match piece {
                Piece::Text(text) => self.out.extend_from_slice(text.as_bytes()),
                Piece::Literal(name) if name.len() as u64 <= most => {
                    self.out.extend_from_slice(format!("{{{}+}}\r\n", name.len()).as_bytes());
                    self.out.extend_from_slice(&name);
                }
                Piece::Literal(name) => {
                    self.out.extend_from_slice(format!("{{{}}}\r\n", name.len()).as_bytes());
                    self.flush()?;
                    if !self.agreed()? {
                        return Ok(false);
                    }
                    self.out.extend_from_slice(&name);
                }
            }
        }
        Ok(true)
    }

    /// Waits until the server agrees to a literal; false if it answers the command instead.
    fn agreed(&mut self) -> Result<bool> {
        loop {
            match self.session.read()? {
                Response::Continue(_) => return Ok(true),
                Response::Tagged(tag, status) => {
                    let ends = self.open.back().is_some_and(|(t, ..)| *t == tag);
                    self.tell(&tag, &status);
                    if ends {
                        return Ok(false);
                    }
                }
                _ => {}
            }
        }
    }

    /// Reads one answer.
    fn answer(&mut self) -> Result<()> {
        loop {
            if let Response::Tagged(tag, status) = self.session.read()? {
                self.tell(&tag, &status);
                return Ok(());
            }
        }
    }

    fn tell(&mut self, tag: &str, status: &Status) {
        let Some(at) = self.open.iter().position(|(t, ..)| t == tag) else { return };
        let Some((_, i, warnings)) = self.open.remove(at) else { return };
        let answer = answered(status, warnings, self.exchange);
        self.held |= matches!(answer, Answer::Again(..) | Answer::Closed(_) | Answer::Over(_))
            || (self.exchange && matches!(answer, Answer::Refused(_)));
        (self.told)(i, answer);
    }
}

/// Puts all messages by one command, which takes all or none. False if the server takes none.
fn at_once(
    session: &mut Session,
    into: &Into<'_>,
    items: &mut [Parcel],
    told: &mut dyn FnMut(usize, Answer),
) -> Result<bool> {
    let tag = session.tag();
    let mut out = format!("{tag} ").into_bytes();
    for piece in Command::append(into.name) {
        match piece {
            Piece::Text(text) => out.extend_from_slice(text.as_bytes()),
            Piece::Literal(name) => {
                out.extend_from_slice(format!("{{{}+}}\r\n", name.len()).as_bytes());
                out.extend_from_slice(&name);
            }
        }
    }
    let mut lost = Vec::with_capacity(items.len());
    let mut sent = Ok(());
    for parcel in items.iter_mut() {
        let letter = letter(parcel)?;
        let (head, warnings) = head(letter, into);
        lost.push(warnings);
        out.extend_from_slice(format!("{head}{{{}+}}\r\n", letter.len).as_bytes());
        match letter.data.held() {
            Some(bytes) if bytes.len() <= GATHERED => out.extend_from_slice(bytes),
            _ => {
                sent = session.write(&std::mem::take(&mut out)).and_then(|()| session.pour(&mut letter.data));
            }
        }
        if sent.is_ok() && out.len() > GATHERED {
            sent = session.write(&std::mem::take(&mut out));
        }
        if sent.is_err() {
            break;
        }
    }
    out.extend_from_slice(b"\r\n");
    let sent = sent.and_then(|()| session.write(&out));
    // A server that breaks off has often said why.
    let status = match (session.finish(&tag, &mut |_| {}), sent) {
        (Ok(status), Ok(())) => status,
        (Ok(status), Err(e)) if status.is_ok() => return Err(e),
        (Ok(_) | Err(_), Err(e)) | (Err(e), Ok(())) => return Err(e),
    };
    if !status.is_ok() {
        return Ok(false);
    }
    let uids = uids(&status);
    for (i, warnings) in lost.into_iter().enumerate() {
        let id = uids.get(i).filter(|_| uids.len() == items.len()).map(u32::to_string).unwrap_or_default();
        told(i, Answer::Stored(Whereabouts { id, change: String::new() }, warnings));
    }
    Ok(true)
}

/// The UIDs of APPENDUID (RFC 4315), in the order of the messages.
fn uids(status: &Status) -> Vec<u32> {
    let set = status.code("APPENDUID").and_then(|c| c.split_once(' ')).map(|(_, set)| set).unwrap_or_default();
    ranges(set.as_bytes()).into_iter().flat_map(|(first, last)| (first..=last).take(WINDOW * 100)).collect()
}

/// What the tagged answer to an APPEND means.
fn answered(status: &Status, warnings: Vec<Warning>, exchange: bool) -> Answer {
    if status.is_ok() {
        let id = uids(status).first().map(u32::to_string).unwrap_or_default();
        return Answer::Stored(Whereabouts { id, change: String::new() }, warnings);
    }
    let words = tame(status.words().as_bytes());
    let lower = words.to_ascii_lowercase();
    let quota = status.code("OVERQUOTA").is_some()
        || lower.contains("quota")
        || (exchange && lower.contains("server unavailable. 15"));
    if quota {
        let text = format!("the mailbox is full; the run ends here, and goes on once there is room: {words}");
        return Answer::Over(Error::new(Kind::Server, text));
    }
    if let Some(wait) = throttle::backoff(&words) {
        return Answer::Again(wait, words);
    }
    let closed = ["NOPERM", "READ-ONLY", "TRYCREATE", "NONEXISTENT"].iter().any(|c| status.code(c).is_some())
        || ["permission denied", "read-only", "readonly", "access denied"].iter().any(|w| lower.contains(w));
    if closed {
        return Answer::Closed(words);
    }
    let large = status.code("TOOBIG").is_some() || lower.contains("too large") || lower.contains("maximum size");
    Answer::Refused(Error::new(
        if large { Kind::Limit } else { Kind::Server },
        format!("the server does not take it: {words}"),
    ))
}

/// Adds to a refusal of Exchange what it is most likely about.
pub(super) fn explained(error: Error, letter: &Letter) -> Error {
    if letter.longest <= LONG {
        return error;
    }
    let text =
        format!("{} (it has a line of {} bytes, and Exchange takes {LONG} at most)", error.text(), letter.longest);
    Error::new(error.kind(), text)
}

/// The words of CREATE for a role.
pub(super) fn use_of(session: &Session, role: crate::pipeline::Role) -> Option<&'static str> {
    special_use(role).filter(|_| session.can("CREATE-SPECIAL-USE"))
}

#[cfg(test)]
mod tests {
    use super::super::response::parse;
    use super::super::wire::{Limits, Reader};
    use super::*;

    fn said(text: &str) -> Answer {
        let line = format!("p1 {text}\r\n");
        let Response::Tagged(_, status) =
            parse(Reader::new(line.as_bytes(), Limits::default()).line().unwrap().unwrap())
        else {
            panic!()
        };
        answered(&status, Vec::new(), true)
    }

    #[test]
    fn what_servers_say() {
        assert!(matches!(said("OK [APPENDUID 7 12] done"), Answer::Stored(at, _) if at.id == "12"));
        assert!(matches!(said("OK done"), Answer::Stored(at, _) if at.id.is_empty()));
        assert!(matches!(said("NO [OVERQUOTA] full"), Answer::Over(_)));
        assert!(matches!(said("NO Server Unavailable. 15"), Answer::Over(_)));
        let throttled = said("BAD Request is throttled. Suggested Backoff Time: 3000 milliseconds");
        assert!(matches!(throttled, Answer::Again(wait, _) if wait.as_secs() == 3));
        assert!(matches!(said("NO [NOPERM] no"), Answer::Closed(_)));
        assert!(matches!(said("NO Mailbox is read-only"), Answer::Closed(_)));
        assert!(matches!(said("NO [TOOBIG] no"), Answer::Refused(e) if e.kind() == Kind::Limit));
        assert!(matches!(said("BAD Command Argument Error. 11"), Answer::Refused(e) if e.kind() == Kind::Server));
    }

    #[test]
    fn dates() {
        assert_eq!(internal_date(1_593_604_800).as_deref(), Some(" 1-Jul-2020 12:00:00 +0000"));
        assert_eq!(internal_date(0).as_deref(), Some(" 1-Jan-1970 00:00:00 +0000"));
        let allowed = Allowed::of("(\\Answered \\Seen $MDNSent \\*)");
        assert!(allowed.any && allowed.has("\\seen") && !allowed.has("\\Flagged"));
    }
}
