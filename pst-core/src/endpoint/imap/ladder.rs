//! One message by all means: whole, in pieces, header and text apart, and as the first version of the protocol had it.

use super::command::{Command, Section};
use super::fetched::{Doubt, Fetched};
use super::response::{Response, Status};
use super::session::Session;
use super::throttle;
use super::wire::Data;
use super::worker::out_of_step;
use crate::endpoint::net::tame;
use crate::error::{Kind, Result};
use crate::mapi::{Code, Warning};
use std::time::Duration;

/// Bytes that are asked for at once where a message is fetched in pieces.
const PIECE: u64 = 256 << 10;
/// The last rung.
pub(super) const LAST: u8 = 3;
/// How the subject of a stub begins that Exchange sends in place of a message.
const STUB: &str = "Retrieval using the IMAP4 protocol failed for the following message";

/// An attempt at one message.
pub(super) struct Climb {
    pub(super) uid: u32,
    /// RFC822.SIZE.
    pub(super) size: Option<u64>,
    /// The rung that is next.
    pub(super) rung: u8,
    pub(super) headers_only: bool,
    /// What the server said first.
    pub(super) words: Option<String>,
    /// The message as it came, though what follows it does not fit.
    pub(super) spare: Option<Data>,
    /// The connection is out of step.
    pub(super) unsteady: bool,
}

/// What came of it.
pub(super) enum Found {
    Here(Data, Vec<Warning>),
    Failed(Kind, String),
    Throttled(Duration, String),
}

/// What one command brought.
struct Answer {
    fetched: Option<Fetched>,
    status: Status,
    junk: bool,
    /// It said NIL for what was asked for.
    nil: bool,
}

/// Fetches one message. `climb.rung` is advanced before each attempt that may break the connection.
///
/// # Errors
/// When the connection breaks or is out of step.
pub(super) fn climb(session: &mut Session, climb: &mut Climb) -> Result<Found> {
    let first = if climb.headers_only { Section::Header } else { Section::Whole };
    while climb.rung <= LAST {
        let rung = climb.rung;
        climb.rung += 1;
        let found = match rung {
            0 => whole(session, climb, first),
            _ if climb.headers_only => Ok(None),
            1 => pieces(session, climb),
            2 => halves(session, climb),
            _ => whole(session, climb, Section::Old),
        };
        let found = match (found, climb.spare.take()) {
            // Another way brought as much or more: that settles it.
            (Ok(Some(Found::Here(data, warnings))), Some(spare)) if data.len() >= spare.len() => {
                Some(Found::Here(data, warnings))
            }
            (found, Some(spare)) if rung > 0 => {
                climb.unsteady = found.is_err();
                // Both counts of the server agree, but what follows does not: this is all there is to be had.
                let text = "what the server sends after this message does not fit its length; the end may be missing";
                Some(Found::Here(spare, vec![Code::Damaged.with(text.to_owned())]))
            }
            (found, spare) => {
                climb.spare = spare;
                found?
            }
        };
        if let Some(found) = found {
            // What was throttled is tried again on the same rung.
            if matches!(found, Found::Throttled(..)) {
                climb.rung = rung;
            }
            return Ok(found);
        }
        if rung == 0 && climb.spare.is_none() && vanished(session, climb)? {
            let text = "the message was deleted on the server after the folder was listed";
            return Ok(Found::Failed(Kind::Gone, text.to_owned()));
        }
    }
    let words = climb.words.take().unwrap_or_else(|| "nothing: it says OK and sends no content".to_owned());
    Ok(Found::Failed(Kind::Server, format!("the server does not give this message out; it said: {words}")))
}

fn ask(session: &mut Session, uid: u32, section: Section) -> Result<Answer> {
    let mut fetched = None;
    let (mut junk, mut nil) = (false, false);
    let status = session.run(&Command::fetch(&[uid], &section), &mut |response| match response {
        Response::Fetch(f)
            if f.uid.is_none_or(|u| u == uid) && f.bodies.iter().any(|(n, d)| d.is_some() && section.is(n)) =>
        {
            fetched.get_or_insert(*f);
        }
        Response::Fetch(f) if f.uid.is_none_or(|u| u == uid) => nil |= f.bodies.iter().any(|(_, d)| d.is_none()),
        Response::Junk => junk |= fetched.is_some(),
        _ => {}
    })?;
    Ok(Answer { fetched, status, junk, nil })
}

impl Climb {
    /// Notes what the server said, and tells whether it wants to be left alone.
    fn refused(&mut self, status: &Status) -> Option<Found> {
        if status.is_ok() {
            return None;
        }
        let words = tame(status.words().as_bytes());
        let wait = throttle::backoff(&status.words());
        self.words.get_or_insert_with(|| words.clone());
        wait.map(|wait| Found::Throttled(wait, words))
    }

    /// True where so many bytes are as many as the server counts, if it counts.
    fn has_size(&self, len: u64) -> bool {
        self.size.is_none_or(|size| len >= size)
    }

    /// The message as its pieces make it, with a word where the server counts more.
    fn whole_of(&self, all: Data, exact: bool) -> Found {
        let len = all.len();
        let warnings = match self.size {
            Some(size) if exact && len < size => {
                let text = format!(
                    "the server counts {size} bytes of this message and gives out {len}; the end may be missing"
                );
                vec![Code::Damaged.with(text)]
            }
            _ => Vec::new(),
        };
        Found::Here(all, warnings)
    }

    fn doubtful(&mut self) {
        self.words.get_or_insert_with(|| "a number of bytes that does not fit what follows".to_owned());
    }
}

fn data(fetched: Fetched, section: Section) -> Option<Data> {
    fetched.bodies.into_iter().find(|(name, data)| data.is_some() && section.is(name)).and_then(|(_, data)| data)
}

fn whole(session: &mut Session, climb: &mut Climb, section: Section) -> Result<Option<Found>> {
    let answer = ask(session, climb.uid, section)?;
    let Some(fetched) = answer.fetched else { return Ok(climb.refused(&answer.status)) };
    let doubt = fetched.doubt;
    let Some(data) = data(fetched, section) else { return Ok(None) };
    let exact = Some(data.len()) == climb.size;
    match doubt {
        None if !answer.junk => {}
        Some(Doubt::Trailer) if exact && !answer.junk => {}
        _ => {
            climb.doubtful();
            if !exact {
                return Err(out_of_step());
            }
            climb.spare = Some(data);
            return Ok(None);
        }
    }
    Ok(Some(Found::Here(data, Vec::new())))
}

/// True when the message is not in the folder any more.
fn vanished(session: &mut Session, climb: &Climb) -> Result<bool> {
    let mut there = false;
    let status = session.run(&Command::flags(climb.uid), &mut |response| {
        if let Response::Fetch(f) = response {
            there |= f.uid == Some(climb.uid);
        }
    })?;
    Ok(status.is_ok() && !there)
}

fn pieces(session: &mut Session, climb: &mut Climb) -> Result<Option<Found>> {
    let limits = session.account().limits;
    let exact = session.has_exact_sizes();
    let mut all = Data::Held(Vec::new());
    let mut short = false;
    loop {
        let at = all.len();
        let section = Section::Bytes(at, PIECE);
        let answer = ask(session, climb.uid, section)?;
        let Some(fetched) = answer.fetched else {
            // There is no more, or the piece before was all that the server has at once.
            let ended = answer.status.is_ok() && at > 0 && (answer.nil || short || climb.has_size(at));
            return Ok(if ended { Some(climb.whole_of(all, exact)) } else { climb.refused(&answer.status) });
        };
        if fetched.doubt.is_some() || answer.junk {
            climb.doubtful();
            return Err(out_of_step());
        }
        let Some(piece) = data(fetched, section) else { return Ok(None) };
        let len = piece.len();
        if at + len > limits.literal {
            let text = "the server goes on to give out pieces of this message beyond the size that any can have";
            return Ok(Some(Found::Failed(Kind::Limit, text.to_owned())));
        }
        all.append(piece, limits.held)?;
        // A server that does not know pieces sends all at once; some give out less at once than was asked for.
        short = len < PIECE;
        if len == 0 || len > PIECE || (short && climb.has_size(at + len)) {
            return Ok((!all.is_empty()).then(|| climb.whole_of(all, exact)));
        }
    }
}

fn halves(session: &mut Session, climb: &mut Climb) -> Result<Option<Found>> {
    let held = session.account().limits.held;
    let mut all = Data::Held(Vec::new());
    for section in [Section::Header, Section::Text] {
        let answer = ask(session, climb.uid, section)?;
        let Some(fetched) = answer.fetched else { return Ok(climb.refused(&answer.status)) };
        if fetched.doubt.is_some() || answer.junk {
            climb.doubtful();
            return Err(out_of_step());
        }
        let Some(half) = data(fetched, section) else { return Ok(None) };
        all.append(half, held)?;
    }
    Ok((!all.is_empty()).then(|| Found::Here(all, Vec::new())))
}

/// What to say of a stub that stands in for a message; `None` for a message.
pub(super) fn stub(data: &Data) -> Option<String> {
    let Data::Held(bytes) = data else { return None };
    if bytes.len() > 16 << 10 {
        return None;
    }
    let head = bytes.get(..bytes.len().min(4096)).unwrap_or_default();
    let subject = head.split(|b| *b == b'\n').find_map(|line| {
        let (name, value) = line.split_at_checked(8)?;
        name.eq_ignore_ascii_case(b"subject:").then(|| value.trim_ascii())
    })?;
    subject
        .starts_with(STUB.as_bytes())
        .then(|| format!("the server cannot give this message out and sends a notice in its place: {}", tame(subject)))
}
