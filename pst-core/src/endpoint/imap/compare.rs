//! What was sent and what was read back: how they differ.

use super::append::internal_date;
use super::fetched::Fetched;
use super::letter::{Letter, probe};
use super::wire::Data;
use crate::endpoint::push::Difference;
use crate::error::{Error, Result};
use crate::mapi::{Message, tag};
use crate::mime::{self, State};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::io::Write;

/// Larger messages are compared by their hash and header alone.
const PARSED: u64 = 64 << 20;
/// Bytes of a message in which its header stands.
const HEAD: usize = 1 << 20;

/// A message that was read back.
pub(super) struct Back {
    pub sum: [u8; 32],
    pub len: u64,
    /// The bytes, unless there are too many.
    pub bytes: Vec<u8>,
}

impl Back {
    /// # Errors
    /// When a temporary file cannot be read.
    pub(super) fn of(data: Data) -> Result<Self> {
        let (input, mut window) = (data.into_input(), Vec::new());
        let (mut hash, mut at, mut bytes) = (Sha256::new(), 0, Vec::new());
        let kept = if input.len() > PARSED { HEAD } else { input.len() as usize };
        while at < input.len() {
            let take = (input.len() - at).min(1 << 20) as usize;
            let piece = input.read(at, take, &mut window)?;
            hash.update(piece);
            let room = kept.saturating_sub(bytes.len());
            bytes.extend_from_slice(piece.get(..room.min(piece.len())).unwrap_or_default());
            at += take as u64;
        }
        let mut sum = [0; 32];
        sum.iter_mut().zip(hash.finalize()).for_each(|(to, from)| *to = from);
        Ok(Self { sum, len: input.len(), bytes })
    }
}

/// How a message differs from what was sent; `exact` for servers that keep every byte.
///
/// # Errors
/// When what was sent cannot be read from its temporary file.
pub(super) fn compare(
    letter: &mut Letter,
    sent_flags: &[String],
    back: &Back,
    fetched: &Fetched,
    exact: bool,
) -> Result<Vec<Difference>> {
    let mut out = Vec::new();
    if back.sum != letter.sum {
        content(letter, back, exact, &mut out)?;
    }
    let got: Vec<String> = fetched.flags.iter().flatten().map(|f| f.to_ascii_lowercase()).collect();
    let missing: Vec<&str> =
        sent_flags.iter().filter(|f| !got.contains(&f.to_ascii_lowercase())).map(String::as_str).collect();
    if !missing.is_empty() {
        let text = format!("it has the flags ({}), and not {}", got.join(" "), missing.join(" "));
        out.push(Difference::Slight(text));
    }
    if let (Some(sent), Some(is)) = (letter.date, fetched.date)
        && sent != is
    {
        let shown = |t| internal_date(t).unwrap_or_default();
        out.push(Difference::Slight(format!("its INTERNALDATE is{} instead of {}", shown(is), shown(sent).trim())));
    }
    Ok(out)
}

fn content(letter: &mut Letter, back: &Back, exact: bool, out: &mut Vec<Difference>) -> Result<()> {
    let mut sent = Gather(Vec::new(), if letter.len > PARSED { HEAD } else { letter.len as usize });
    letter.data.copy_to(&mut sent).map_err(|e| Error::system("cannot read a message from a temporary file", e))?;
    let mut found = Vec::new();
    let mut differ = |what: &str, sent: &str, is: &str| {
        if sent != is {
            found.push(format!("its {what} is \"{is}\" instead of \"{sent}\""));
        }
    };
    differ("Message-ID, or date, sender and subject,", &probe(&sent.0), &probe(&back.bytes));
    let other = !found.is_empty();
    if letter.len <= PARSED && back.len <= PARSED {
        let (a, b) = (summary(&sent.0), summary(&back.bytes));
        let mut differ = |what: &str, sent: &str, is: &str| {
            if sent != is {
                found.push(format!("its {what} is \"{is}\" instead of \"{sent}\""));
            }
        };
        differ("date", &a.date, &b.date);
        differ("subject", &a.subject, &b.subject);
        for name in a.files.keys().chain(b.files.keys().filter(|n| !a.files.contains_key(*n))) {
            match (a.files.get(name), b.files.get(name)) {
                (Some(_), None) => found.push(format!("its attachment \"{name}\" is missing")),
                (None, Some(_)) => found.push(format!("it has an attachment \"{name}\" that was not sent")),
                (Some(x), Some(y)) if x != y => {
                    found.push(format!("its attachment \"{name}\" has the hash {y} instead of {x}"));
                }
                _ => {}
            }
        }
    }
    if exact {
        let sizes = format!("it has {} bytes with the hash {}", back.len, short(&back.sum));
        let sent = format!("instead of {} with {}", letter.len, short(&letter.sum));
        found.insert(0, format!("{sizes} {sent}"));
    }
    if found.is_empty() {
        return Ok(());
    }
    let text = found.join("; ");
    out.push(if exact || other { Difference::Serious(text) } else { Difference::Slight(text) });
    Ok(())
}

fn short(sum: &[u8; 32]) -> String {
    crate::endpoint::net::hexadecimal(sum.get(..8).unwrap_or_default())
}

struct Gather(Vec<u8>, usize);

impl Write for Gather {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let room = self.1.saturating_sub(self.0.len());
        self.0.extend_from_slice(bytes.get(..room.min(bytes.len())).unwrap_or_default());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What a message is to its readers.
#[derive(Default)]
struct Summary {
    date: String,
    subject: String,
    /// Attachments and the hashes of their data.
    files: BTreeMap<String, String>,
}

fn summary(bytes: &[u8]) -> Summary {
    let Ok(converted) = mime::to_mapi(bytes, &State::default(), None) else { return Summary::default() };
    let message: Message = converted.message;
    let mut out = Summary {
        date: message.props.time(tag::CLIENT_SUBMIT_TIME).map(|t| t.to_string()).unwrap_or_default(),
        subject: mime::title_of(&message),
        files: BTreeMap::new(),
    };
    for attachment in &message.attachments {
        let name = attachment.props.text(tag::ATTACH_LONG_FILENAME).unwrap_or_default();
        let hash = Sha256::digest(attachment.props.bytes(tag::ATTACH_DATA_BINARY).unwrap_or_default());
        out.files.insert(name, crate::endpoint::net::hexadecimal(hash.get(..8).unwrap_or_default()));
    }
    out
}
