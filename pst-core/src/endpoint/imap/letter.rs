//! An item as APPEND takes it: bytes with CRLF, flags, keywords, date.

use crate::endpoint::push::{Payload, receipts};
use crate::endpoint::text::{self, Form, TextItem, fields, name_of, value_of};
use crate::error::{Error, Kind, Result};
use crate::io::Spool;
use crate::mapi::{Code, Warning, tag};
use crate::mime;
use crate::pipeline::{Body, Flags, Folder, Item, Prepare, Prepared};
use sha2::{Digest, Sha256};
use std::io::Write;

/// Messages larger than this wait on disk.
const HELD: usize = 4 << 20;
/// Longer headers are not looked into.
const HEAD: usize = 1 << 20;
/// Characters of a keyword.
const KEYWORD: usize = 100;

/// A message ready to be sent.
pub(super) struct Letter {
    pub data: Spool,
    pub len: u64,
    /// SHA-256 of the bytes.
    pub sum: [u8; 32],
    pub flags: Flags,
    /// INTERNALDATE, seconds since 1970.
    pub date: Option<i64>,
    /// The longest line, bytes.
    pub longest: usize,
}

/// Makes letters.
pub(super) struct Writer {
    pub mail: mime::Options,
    /// Requests for receipts stay in mail that was read.
    pub keep_receipts: bool,
    /// The server is Exchange, which takes no other items than mail.
    pub mail_only: bool,
    /// The largest message that the server takes (RFC 7889).
    pub limit: Option<u64>,
}

impl Prepare for Writer {
    fn refuses(&self, item: &Item) -> Option<&'static str> {
        let Body::Mapi(message) = &item.body else { return None };
        let class = message.props.text(tag::MESSAGE_CLASS).unwrap_or_default().to_ascii_uppercase();
        let mail = ["IPM.NOTE", "IPM.POST", "REPORT.", "IPM.SCHEDULE.", "IPM.RECALL", "IPM.OUTLOOK.RECALL"];
        let is_mail = class.is_empty() || class == "IPM" || mail.iter().any(|m| class.starts_with(m));
        (self.mail_only && !is_mail).then_some("being no mail, and Exchange takes nothing else over IMAP")
    }

    fn prepare(&self, _folder: &Folder, item: Item) -> Result<Prepared> {
        let id = item.id.clone();
        let form = Form { mail: self.mail.clone(), ..Form::default() };
        let mut ready = text::ready(item, &form)?;
        let mut warnings = std::mem::take(&mut ready.warnings);
        let disarm = !self.keep_receipts && ready.flags.seen != Some(false);
        let (letter, probe) = letter(ready, disarm, &mut warnings)?;
        if let Some(limit) = self.limit.filter(|l| letter.len > *l) {
            let text = format!("it has {} bytes, and the server takes {limit} at most", letter.len);
            return Err(Error::new(Kind::Limit, text));
        }
        let bytes = letter.data.held().map_or(0, |b| b.len() as u64);
        let payload = Payload { bytes: letter.len, probe, form: Box::new(letter) };
        Ok(Prepared { payload: Box::new(payload), bytes, id, warnings, content: None, origin: None })
    }
}

fn letter(mut ready: TextItem, disarm: bool, warnings: &mut Vec<Warning>) -> Result<(Letter, String)> {
    let mut wire = Wire::new(disarm);
    let copied = ready.data.copy_to(&mut wire).and_then(|_| wire.end());
    copied.map_err(|e| Error::system("cannot keep a message in a temporary file", e))?;
    if wire.nul {
        let text = "it has NUL bytes, which IMAP does not take; this is most likely damage";
        return Err(Error::new(Kind::Damaged, text));
    }
    if wire.len == 0 {
        return Err(Error::new(Kind::Damaged, "it is empty, and IMAP takes no empty message"));
    }
    warnings.extend(wire.disarmed.into_iter().map(receipts::renamed));
    let date = ready.time.filter(|t| *t >= 0);
    if date.is_none() {
        warnings.push(Code::Date.with("it has no date that IMAP can hold; the server gives it that of its arrival"));
    }
    let mut sum = [0; 32];
    sum.iter_mut().zip(wire.hash.finalize()).for_each(|(to, from)| *to = from);
    let letter =
        Letter { data: wire.out, len: wire.len, sum, flags: ready.flags, date, longest: wire.longest.max(wire.line) };
    Ok((letter, wire.probe))
}

/// What a message is looked for by: its Message-ID, or else its date, sender and subject.
pub(super) fn probe(head: &[u8]) -> String {
    let all = fields(head);
    let value = |name: &[u8]| {
        let field = all.iter().find(|f| name_of(f).eq_ignore_ascii_case(name));
        field.map(|f| value_of(f).split_whitespace().collect::<Vec<_>>().join(" ")).unwrap_or_default()
    };
    let id = value(b"message-id");
    if !id.is_empty() {
        return id;
    }
    let rest = [value(b"date"), value(b"from"), value(b"subject")];
    if rest.iter().all(String::is_empty) { String::new() } else { rest.join("\0") }
}

/// Takes a message in pieces, and makes of it what is sent.
struct Wire {
    out: Spool,
    /// The header until it is complete.
    head: Option<Vec<u8>>,
    disarm: bool,
    disarmed: Vec<&'static str>,
    probe: String,
    hash: Sha256,
    len: u64,
    /// The last byte was a CR.
    cr: bool,
    nul: bool,
    line: usize,
    longest: usize,
}

impl Wire {
    fn new(disarm: bool) -> Self {
        Self {
            out: Spool::new(HELD),
            head: Some(Vec::new()),
            disarm,
            disarmed: Vec::new(),
            probe: String::new(),
            hash: Sha256::new(),
            len: 0,
            cr: false,
            nul: false,
            line: 0,
            longest: 0,
        }
    }

    fn put(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.hash.update(bytes);
        self.len += bytes.len() as u64;
        self.out.write_all(bytes)
    }

    /// Passes bytes on with CRLF for each line end.
    fn pass(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.nul |= memchr::memchr(0, bytes).is_some();
        let mut from = 0;
        for at in memchr::memchr_iter(b'\n', bytes) {
            let cr = if at == 0 { self.cr } else { bytes.get(at - 1) == Some(&b'\r') };
            self.longest = self.longest.max((self.line + at - from).saturating_sub(usize::from(cr)));
            self.line = 0;
            if cr {
                self.put(bytes.get(from..=at).unwrap_or_default())?;
            } else {
                self.put(bytes.get(from..at).unwrap_or_default())?;
                self.put(b"\r\n")?;
            }
            from = at + 1;
        }
        let rest = bytes.get(from..).unwrap_or_default();
        self.line += rest.len();
        self.put(rest)?;
        if let Some(last) = bytes.last() {
            self.cr = *last == b'\r';
        }
        Ok(())
    }

    fn flush_head(&mut self) -> std::io::Result<()> {
        let Some(head) = self.head.take() else { return Ok(()) };
        self.probe = probe(&head);
        if !self.disarm {
            return self.pass(&head);
        }
        let mut at = 0;
        for field in fields(&head) {
            at += field.len();
            if let Some(name) = receipts::asking(field) {
                self.disarmed.push(name);
                self.pass(b"X-")?;
            }
            self.pass(field)?;
        }
        self.pass(head.get(at..).unwrap_or_default())
    }

    fn end(&mut self) -> std::io::Result<()> {
        self.flush_head()
    }
}

/// Where the header of a message ends, with its empty line.
fn end_of_head(bytes: &[u8], from: usize) -> Option<usize> {
    memchr::memchr_iter(b'\n', bytes.get(from..)?).map(|i| i + from).find_map(|at| {
        let before = bytes.get(..at)?;
        let before = before.strip_suffix(b"\r").unwrap_or(before);
        (before.is_empty() || before.ends_with(b"\n")).then_some(at + 1)
    })
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let Some(head) = &mut self.head else {
            self.pass(bytes)?;
            return Ok(bytes.len());
        };
        let known = head.len().saturating_sub(2);
        let take = bytes.len().min((HEAD + 4).saturating_sub(head.len()));
        head.extend_from_slice(bytes.get(..take).unwrap_or_default());
        let end = end_of_head(head, known).or_else(|| (head.len() > HEAD).then_some(head.len()));
        let Some(end) = end else { return Ok(bytes.len()) };
        let rest = head.split_off(end);
        self.flush_head()?;
        self.pass(&rest)?;
        self.pass(bytes.get(take..).unwrap_or_default())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A category as a keyword, which is an atom of IMAP.
pub(super) fn keyword(category: &str) -> String {
    let fits = |c: char| c.is_ascii_graphic() && !"(){%*\"\\]".contains(c);
    let name: String = category.trim().chars().take(KEYWORD).map(|c| if fits(c) { c } else { '_' }).collect();
    if name.is_empty() { "_".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(text: &[u8], step: usize, disarm: bool) -> (Vec<u8>, String, Vec<&'static str>) {
        let mut wire = Wire::new(disarm);
        text.chunks(step).for_each(|c| wire.write_all(c).unwrap());
        wire.end().unwrap();
        let bytes = wire.out.held().unwrap().to_vec();
        assert_eq!(wire.len, bytes.len() as u64);
        assert_eq!(wire.hash.finalize().to_vec(), Sha256::digest(&bytes).to_vec());
        (bytes, wire.probe, wire.disarmed)
    }

    #[test]
    fn line_ends_and_probes() {
        let text = b"Message-ID:\r\n <a@b>\nSubject: x\n\nline\r\nbare\r\rreturn\nend";
        for step in [1, 2, 3, 100] {
            let (bytes, probe, _) = sent(text, step, false);
            assert_eq!(bytes, b"Message-ID:\r\n <a@b>\r\nSubject: x\r\n\r\nline\r\nbare\r\rreturn\r\nend");
            assert_eq!(probe, "<a@b>");
        }
        assert_eq!(sent(b"Subject: x\r\nDate: d\r\n\r\nMessage-ID: no\r\n", 4, false).1, "d\0\0x");
        assert_eq!(sent(b"\nbody", 1, true).0, b"\r\nbody");
        assert_eq!(sent(b"", 1, true).1, "");
    }

    #[test]
    fn receipts_are_not_asked_for_again() {
        let text = b"A: b\r\ndisposition-notification-to: <a@b>,\r\n c\r\n\r\nReturn-Receipt-To: body\r\n";
        for step in [1, 7, 100] {
            let (bytes, _, names) = sent(text, step, true);
            let mut wanted = text.to_vec();
            wanted.splice(6..6, *b"X-");
            assert_eq!(bytes, wanted);
            assert_eq!(names, ["Disposition-Notification-To"]);
            assert_eq!(sent(text, step, false).0, text);
        }
    }

    #[test]
    fn categories_become_atoms() {
        assert_eq!(keyword("Work"), "Work");
        assert_eq!(keyword("Grün & (blau)"), "Gr_n_&__blau_");
        assert_eq!(keyword(" "), "_");
    }
}
