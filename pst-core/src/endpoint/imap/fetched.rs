//! FETCH responses: items in any order, known and unknown ones, with everything that servers were seen to do to them.

use super::token::{Cursor, Value};
use super::wire::Data;
use crate::mime::date;

/// What a FETCH response says of a message.
#[derive(Debug, Default)]
pub struct Fetched {
    /// The number of the message in the folder.
    pub number: u64,
    /// Its UID.
    pub uid: Option<u32>,
    /// Flags and keywords as they stand.
    pub flags: Option<Vec<String>>,
    /// RFC822.SIZE: an estimate on some servers.
    pub size: Option<u64>,
    /// INTERNALDATE, seconds since 1970 UTC.
    pub date: Option<i64>,
    /// MODSEQ.
    pub modseq: Option<u64>,
    /// X-GM-MSGID.
    pub gmail_id: Option<u64>,
    /// X-GM-LABELS as on the wire.
    pub labels: Option<Vec<Vec<u8>>>,
    /// Parts of the message by name (`BODY[]`, `BODY[HEADER]`); `None` for NIL.
    pub bodies: Vec<(String, Option<Data>)>,
    /// What makes it doubtful that the body is whole.
    pub doubt: Option<Doubt>,
}

/// Why the end of a response does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// Something follows the closing parenthesis. Some servers do that to every response.
    Trailer,
    /// The text behind the body is none that could follow one.
    Unclosed,
}

pub(super) fn fetched(number: u64, mut at: Cursor) -> Fetched {
    let mut out = Fetched { number, ..Fetched::default() };
    at.spaces();
    let open = at.skip(b'(');
    loop {
        at.spaces();
        if at.skip(b')') {
            at.spaces();
            if !at.ended() {
                out.doubt = Some(Doubt::Trailer);
            }
            return out;
        }
        if at.ended() {
            if open {
                out.doubt = Some(Doubt::Unclosed);
            }
            return out;
        }
        let name = at.name();
        if !is_item(&name) {
            out.doubt = Some(Doubt::Unclosed);
            // A list or literal where a name should be is passed over.
            if name.is_empty() {
                drop(at.value());
            }
            continue;
        }
        item(&mut out, name, &mut at);
    }
}

/// True for what can be the name of an item.
fn is_item(name: &str) -> bool {
    let head = name.split('[').next().unwrap_or_default();
    !head.is_empty()
        && head.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'_'))
}

fn item(out: &mut Fetched, name: String, at: &mut Cursor) {
    match name.as_str() {
        "UID" => out.uid = at.value().number().and_then(|n| u32::try_from(n).ok()).filter(|n| *n > 0),
        "FLAGS" => out.flags = Some(at.list().iter().map(|f| String::from_utf8_lossy(f).into_owned()).collect()),
        "RFC822.SIZE" => out.size = at.value().number(),
        "INTERNALDATE" => out.date = at.value().bytes().and_then(|d| internal_date(&d)),
        "MODSEQ" => out.modseq = at.list().first().and_then(|n| std::str::from_utf8(n).ok()?.parse().ok()),
        "X-GM-MSGID" => out.gmail_id = at.value().number(),
        "X-GM-LABELS" => out.labels = Some(at.list()),
        _ if name.starts_with("BODY[") || name.starts_with("BINARY[") || name.starts_with("RFC822") => {
            let data = match at.value() {
                Value::Literal(data) => Some(data),
                Value::Bytes(bytes) => Some(Data::Held(bytes)),
                Value::Nil | Value::List => None,
            };
            out.bodies.push((name, data));
            // A body is followed by a space or the end; anything else is the rest of it, or of the next response.
            if !matches!(at.peek(), Some(b' ' | b'\t' | b')')) && !at.ended() {
                out.doubt = Some(Doubt::Unclosed);
            }
        }
        _ => drop(at.value()),
    }
}

/// INTERNALDATE: " 1-Jul-2020 12:00:00 +0200", with or without padding. What names no day is no date.
fn internal_date(text: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(text).ok()?;
    let (day, rest) = text.trim().split_once('-')?;
    let (month, rest) = rest.split_once('-')?;
    let (year, time) = rest.split_once(' ').unwrap_or((rest, "00:00:00 +0000"));
    if day.parse::<u8>().ok()? == 0 || year.parse::<u16>().ok()? == 0 {
        return None;
    }
    date::parse(&format!("{day} {month} {year} {time}"))
}

#[cfg(test)]
mod tests {
    use super::super::response::{Response, parse};
    use super::super::wire::{Limits, Reader};
    use super::*;

    fn one(bytes: &[u8]) -> Fetched {
        match parse(Reader::new(bytes, Limits::default()).line().unwrap().unwrap()) {
            Response::Fetch(fetched) => *fetched,
            other => panic!("{other:?}"),
        }
    }

    fn body(fetched: &Fetched) -> &[u8] {
        match fetched.bodies.as_slice() {
            [(_, Some(Data::Held(bytes)))] => bytes,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn any_order_and_odd_spaces() {
        for text in [
            b"* 1 FETCH (UID 5 FLAGS (\\Seen Junk[1]) BODY[] {3}\r\nabc)\r\n".as_slice(),
            b"* 1 FETCH (BODY[] {3}\r\nabc UID 5 FLAGS (\\Seen Junk[1]) )\r\n",
            b"* 1 FETCH (UID  5  FLAGS  ( \\Seen  Junk[1] )  BODY[]  {3}\nabc)\n",
            b"* 1 fetch (uid 5 flags (\\Seen {7}\r\nJunk[1]) body[] ~{3}\r\nabc)\r\n",
            b"* 1 FETCH (MODSEQ (7) EMAILID (x (y \"(\" {1}\r\n)) z) UID 5 X NIL FLAGS (\\Seen Junk[1]) BODY[] \"abc\")\r\n",
        ] {
            let got = one(text);
            assert_eq!((got.uid, body(&got), got.doubt), (Some(5), b"abc".as_slice(), None), "{text:?}");
            assert_eq!(got.flags.unwrap(), ["\\Seen", "Junk[1]"]);
        }
    }

    #[test]
    fn flags_and_labels() {
        let got = one(b"* 2 FETCH (FLAGS (\\* caf\xE9 {x \\Seen) X-GM-LABELS (\"\\\\Inbox\" &AOk- {3}\r\na b) X-GM-MSGID 18446744073709551615 UID 9)\r\n");
        assert_eq!(got.flags.unwrap(), ["\\*", "caf\u{FFFD}", "{x", "\\Seen"]);
        assert_eq!(got.labels.unwrap(), [b"\\Inbox".to_vec(), b"&AOk-".to_vec(), b"a b".to_vec()]);
        assert_eq!((got.gmail_id, got.uid), (Some(u64::MAX), Some(9)));
    }

    #[test]
    fn dates() {
        let date = |d: &str| one(format!("* 1 FETCH (INTERNALDATE {d} UID 1)\r\n").as_bytes()).date;
        for good in
            ["\" 1-Jul-2020 14:00:00 +0200\"", "\"1-Jul-2020 12:00:00 +0000\"", "\"01-jul-2020 12:00:00 +0000\""]
        {
            assert_eq!(date(good), Some(1_593_604_800), "{good}");
        }
        for none in ["NIL", "\"00-Jan-0000 00:00:00 +0000\"", "\"\"", "\"0-Jul-2020 1:1:1 +0000\"", "x"] {
            assert_eq!(date(none), None, "{none}");
        }
    }

    #[test]
    fn ends_that_do_not_fit() {
        assert_eq!(one(b"* 1 FETCH (BODY[] {3}\r\nabc) xeams\r\n").doubt, Some(Doubt::Trailer));
        for text in [
            b"* 1 FETCH (BODY[] {3}\r\nabcdef)\r\n".as_slice(),
            b"* 1 FETCH (BODY[] {3}\r\nabc and, so on\r\n",
            b"* 1 FETCH (BODY[] {20}\r\nabc)\r\n* 2 FETCH (UID 2 BODY[] {3}\r\nxyz)\r\n",
            b"* 1 FETCH (BODY[] {3}\r\nabc\r\n",
        ] {
            assert_eq!(one(text).doubt, Some(Doubt::Unclosed), "{text:?}");
        }
        assert!(one(b"* 1 FETCH (UID 3 BODY[] NIL)\r\n").bodies[0].1.is_none());
    }
}
