//! A MAPI message to MIME ([MS-OXCMAIL] 2.1.3).

use super::attach::References;
use super::contact::Version;
use super::encode::{Transfer, cannot_write};
use super::exchange::Directory;
use super::kept::kept_mime;
use super::outattach::{self, Out};
use super::outbody::{self, Bodies};
use super::outcomponent::Components;
use super::{outheader, outobject, outreport, outrich, outside, text};
use crate::error::Result;
use crate::mapi::{Code, MAX_DEPTH, Message, Warning, tag};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::io::Write;
use std::sync::Arc;

/// How boundaries begin; a body that holds this is encoded, so that no boundary can occur in it.
pub(super) const MARK: &str = "=_pst-";

/// The first part of a message encrypted with OpenPGP (RFC 3156).
const PGP: &str = "application/pgp-encrypted";
const ENCRYPTED: &str = "encrypted;";

/// How a message is written.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
pub struct Options {
    /// Write a Bcc field where recipients of that kind are stored.
    pub bcc: bool,
    /// Write messages that were kept whole ([`super::ImportOptions::keep_mime`]) as they came, byte for byte.
    pub kept_mime: bool,
    /// Attach the RTF of messages that have a rich text body.
    pub keep_rtf: bool,
    /// Where Internet addresses of Exchange's recipients are looked up that the message does not tell.
    pub directory: Option<Arc<dyn Directory>>,
    /// End the lines of encoded texts and attachments with LF; for a target that turns all line ends into LF anyway.
    pub lf: bool,
    /// The version of vCards.
    pub vcard: Version,
}

impl Default for Options {
    fn default() -> Self {
        Self { bcc: true, kept_mime: false, keep_rtf: false, directory: None, lf: false, vcard: Version::default() }
    }
}

/// Writes a message in MIME form and returns what was lost or replaced, one sentence each. The data of attachments are
/// streamed.
///
/// # Errors
/// When `out` refuses, or when the data of an attachment cannot be read.
pub fn from_mapi(message: &Message, out: &mut dyn Write, options: &Options) -> Result<Vec<Warning>> {
    if let Some(source) = kept_mime(message).filter(|_| options.kept_mime) {
        std::io::copy(&mut source.open()?, out).map_err(cannot_write)?;
        return Ok(Vec::new());
    }
    let mut warnings = Vec::new();
    write(message, out, options, 0, &mut warnings)?;
    Ok(warnings)
}

/// Writes a message that stands `depth` messages deep.
pub(super) fn write(
    message: &Message,
    out: &mut dyn Write,
    options: &Options,
    depth: usize,
    warnings: &mut Vec<Warning>,
) -> Result<()> {
    let page = text::page(&message.props);
    let class = text::get(&message.props, tag::MESSAGE_CLASS, page).unwrap_or_default();
    let mut head = Vec::with_capacity(4096);
    outheader::write(message, options, warnings, &mut head);
    head.extend_from_slice(b"MIME-Version: 1.0\r\n");
    if outattach::write_smime(message, &class, &mut head, out, options.lf)? {
        return Ok(());
    }
    let made = outobject::renderings(message, page, warnings)?;
    let components = Components::of(message, options, depth, warnings)?;
    // A calendar beside the text says what a description of the meeting would.
    let described = if components.is_alternative { "IPM.Note" } else { &class };
    let bodies = outbody::of(message, described, &made, warnings)?;
    head.reserve(bodies.len() / 8 * 9 + 4096);
    let report = outreport::made(message, &class, page, options);
    let kept = if options.keep_rtf { outrich::rtf_of(message, &mut Vec::new())? } else { None };
    let mut all: Vec<Out<'_>> = message
        .attachments
        .iter()
        .enumerate()
        .map(|(i, a)| components.of_attachment(i, a))
        .chain(&made.parts)
        .chain(&bodies.pictures)
        .chain(&components.own)
        .chain(&report)
        .enumerate()
        .map(|(i, a)| Out::new(a, i, page))
        .collect();
    for (i, cid) in &bodies.placed {
        if let Some(out) = all.get_mut(*i) {
            out.cid = Some(cid.clone());
        }
    }
    let mut number = 0..;
    all.retain(|_| number.next().is_none_or(|n| !components.holds(n)));
    let (alternatives, all): (Vec<Out<'_>>, Vec<Out<'_>>) = all.into_iter().partition(Out::is_alternative);
    let references = match &bodies.html {
        Some((html, _)) if !all.is_empty() => {
            References::of(html, all.iter().filter_map(|a| a.location().map(ToOwned::to_owned)))
        }
        _ => References::default(),
    };
    let (inline, mut attached): (Vec<&Out<'_>>, Vec<&Out<'_>>) = all.iter().partition(|a| a.is_inline(&references));
    let report = attached.iter().position(|a| a.report_type().is_some());
    let report = report.filter(|_| outreport::is_report(message, &class, page)).and_then(|at| {
        // The machine-readable part stands right behind the text (RFC 6522).
        attached.get_mut(..=at)?.rotate_right(1);
        attached.first()?.report_type()
    });
    let bare = bodies.count() == 0 && inline.is_empty() && kept.is_none();
    let kind = match (report, attached.as_slice()) {
        (Some(kind), _) => format!("report; report-type={kind}"),
        (None, [version, _])
            if bare && version.mime() == PGP && outreport::was(message, "multipart/encrypted", page) =>
        {
            format!("{ENCRYPTED} protocol=\"{PGP}\"")
        }
        _ => "mixed".to_owned(),
    };
    // Only boundaries are made of it.
    let several = bodies.count().max(1) + alternatives.len() > 1;
    let parts = !all.is_empty() || kept.is_some() || several;
    let shown = inline.iter().chain(&attached).copied().chain(&alternatives);
    let seed = if parts { seed(&head, &bodies, shown, depth) } else { String::new() };
    let preamble = outside::preamble(message);
    let alternatives = alternatives.as_slice();
    let mut writer = Writer { out, head, seed, alternatives, options, depth, warnings, preamble, opened: false };
    writer.mixed(&kind, &bodies, kept.as_deref(), &inline, &attached)?;
    writer.outside(outside::epilogue(message));
    writer.flush()
}

/// A hash of what will be written, as far as it is at hand: the same message always gets the same boundaries. Bodies
/// take part by length and checksum, which is enough to tell messages apart and takes no time.
fn seed<'a>(head: &[u8], bodies: &Bodies, all: impl Iterator<Item = &'a Out<'a>>, depth: usize) -> String {
    let mut hash = Sha256::new();
    hash.update(head);
    let mut body = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(crc32fast::hash(bytes).to_le_bytes());
    };
    body(bodies.plain.as_deref().unwrap_or_default().as_bytes());
    if let Some((html, label)) = &bodies.html {
        body(html);
        body(label.as_bytes());
    }
    body(bodies.rtf.as_deref().unwrap_or_default());
    for one in all {
        hash.update(one.summary());
    }
    hash.update([depth as u8]);
    hash.finalize().iter().take(12).fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

struct Writer<'a> {
    out: &'a mut dyn Write,
    /// What is still to be written before the next attachment.
    head: Vec<u8>,
    seed: String,
    /// Calendars that are other forms of the message.
    alternatives: &'a [Out<'a>],
    options: &'a Options,
    depth: usize,
    warnings: &'a mut Vec<Warning>,
    /// What stands before the first part, until that is written.
    preamble: Option<String>,
    /// True once there is a multipart.
    opened: bool,
}

impl Writer<'_> {
    fn flush(&mut self) -> Result<()> {
        self.out.write_all(&self.head).map_err(cannot_write)?;
        self.head.clear();
        Ok(())
    }

    fn mixed(
        &mut self,
        kind: &str,
        bodies: &Bodies,
        kept: Option<&[u8]>,
        inline: &[&Out<'_>],
        attached: &[&Out<'_>],
    ) -> Result<()> {
        if attached.is_empty() && kept.is_none() {
            self.related(bodies, inline)?;
            if !inline.is_empty() || self.forms(bodies) > 1 {
                self.head.extend_from_slice(b"\r\n");
            }
            return Ok(());
        }
        let boundary = self.open(kind, 'm');
        let has_body = !kind.starts_with(ENCRYPTED);
        if has_body {
            self.delimit(&boundary, true);
            self.related(bodies, inline)?;
        }
        for (i, one) in attached.iter().enumerate() {
            self.delimit(&boundary, i == 0 && !has_body);
            self.attachment(one, false)?;
        }
        if let Some(rtf) = kept {
            self.delimit(&boundary, false);
            self.head.extend_from_slice(b"Content-Type: application/rtf;\r\n name=\"body.rtf\"\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment;\r\n filename=\"body.rtf\"\r\n\r\n");
            Transfer::Base64.write(rtf, false, &mut self.head);
        }
        self.close(&boundary);
        self.head.extend_from_slice(b"\r\n");
        Ok(())
    }

    fn related(&mut self, bodies: &Bodies, inline: &[&Out<'_>]) -> Result<()> {
        if inline.is_empty() {
            return self.alternative(bodies);
        }
        let boundary = self.open("related", 'r');
        self.delimit(&boundary, true);
        self.alternative(bodies)?;
        for one in inline {
            self.delimit(&boundary, false);
            self.attachment(one, true)?;
        }
        self.close(&boundary);
        Ok(())
    }

    /// How many forms of the body are written.
    fn forms(&self, bodies: &Bodies) -> usize {
        bodies.count().max(1) + self.alternatives.len()
    }

    fn alternative(&mut self, bodies: &Bodies) -> Result<()> {
        let boundary = (self.forms(bodies) > 1).then(|| self.open("alternative", 'a'));
        let mut first = true;
        let mut part = |writer: &mut Self, kind: &str, bytes: &[u8], label: Option<&str>| {
            if let Some(boundary) = &boundary {
                writer.delimit(boundary, std::mem::take(&mut first));
            }
            writer.text(kind, bytes, label);
        };
        if bodies.plain.is_some() || bodies.count() == 0 {
            part(self, "plain", bodies.plain.as_deref().unwrap_or_default().as_bytes(), Some("utf-8"));
        }
        if let Some(rtf) = &bodies.rtf {
            part(self, "rtf", rtf, None);
        }
        if let Some((html, label)) = &bodies.html {
            part(self, "html", html, Some(label));
        }
        if let Some(boundary) = &boundary {
            let alternatives = self.alternatives;
            for one in alternatives {
                self.delimit(boundary, false);
                self.attachment(one, false)?;
            }
            self.close(boundary);
        }
        Ok(())
    }

    fn text(&mut self, kind: &str, bytes: &[u8], label: Option<&str>) {
        let transfer = Transfer::for_text(bytes);
        let charset = label.map(|label| format!("; charset={label}")).unwrap_or_default();
        let head =
            format!("Content-Type: text/{kind}{charset}\r\nContent-Transfer-Encoding: {}\r\n\r\n", transfer.name());
        self.head.extend_from_slice(head.as_bytes());
        transfer.write(bytes, self.options.lf, &mut self.head);
    }

    fn open(&mut self, kind: &str, level: char) -> String {
        let boundary = format!("{MARK}{}-{level}", self.seed);
        let head = format!("Content-Type: multipart/{kind};\r\n boundary=\"{boundary}\"\r\n\r\n");
        self.head.extend_from_slice(head.as_bytes());
        self.opened = true;
        if let Some(text) = self.preamble.take() {
            self.beside(&text);
        }
        boundary
    }

    /// Writes a text that stands outside of the parts.
    fn beside(&mut self, text: &str) {
        if text.contains(MARK) {
            self.warnings.push(Code::Outside.with("text outside of the parts looks like a boundary and was left out"));
            return;
        }
        for line in text.split("\r\n") {
            let clean: String = line.chars().filter(|c| !c.is_control() || *c == '\t').collect();
            self.head.extend_from_slice(clean.as_bytes());
            self.head.extend_from_slice(b"\r\n");
        }
    }

    /// Writes what stands behind the last part, or says that there is no place for it.
    fn outside(&mut self, epilogue: Option<String>) {
        if self.opened {
            if let Some(text) = epilogue {
                self.beside(&text);
            }
        } else if self.preamble.is_some() || epilogue.is_some() {
            self.warnings
                .push(Code::Outside.with("text outside of the parts was left out: there is one part alone now"));
        }
    }

    fn delimit(&mut self, boundary: &str, first: bool) {
        let end = if first { "" } else { "\r\n" };
        self.head.extend_from_slice(format!("{end}--{boundary}\r\n").as_bytes());
    }

    fn close(&mut self, boundary: &str) {
        self.head.extend_from_slice(format!("\r\n--{boundary}--").as_bytes());
    }

    fn attachment(&mut self, one: &Out<'_>, inline: bool) -> Result<()> {
        one.write_head(inline, self.warnings, &mut self.head);
        if let Some(embedded) = one.embedded() {
            self.flush()?;
            if self.depth + 1 > MAX_DEPTH {
                self.warnings
                    .push(Code::Depth.with(format!("messages nested more than {MAX_DEPTH} deep were left out")));
                return Ok(());
            }
            return write(embedded, self.out, self.options, self.depth + 1, self.warnings);
        }
        self.flush()?;
        one.write_data(self.out, self.options.lf, self.warnings)
    }
}
