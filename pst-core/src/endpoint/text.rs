//! What the endpoints that hold MIME messages share: making items ready, state in header fields, names of files.

use crate::error::{Error, Kind, Result};
use crate::mapi::Message;
use crate::mime;
use crate::pipeline::{Body, Flags, Item};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

/// Messages larger than this wait on disk until they are written.
const HELD: usize = 8 << 20;

/// A message ready to be written.
pub struct TextItem {
    /// The bytes, in memory or on disk.
    pub data: tempfile::SpooledTempFile,
    /// Its state.
    pub flags: Flags,
    /// When it arrived or was sent, seconds since 1970 UTC.
    pub time: Option<i64>,
    /// The subject, for file names.
    pub subject: String,
    /// The sender's address, for mbox separators.
    pub sender: String,
    /// What was lost.
    pub warnings: Vec<String>,
}

/// How messages are written.
#[derive(Debug, Clone, Default)]
pub struct Form {
    /// Line ends of messages that come from a store become LF.
    pub lf: bool,
    /// Lines that begin with "From " are quoted as mboxrd has it.
    pub quote: bool,
    /// State goes into header fields: never, only what is not plain, or always.
    pub state: StateFields,
    /// How messages that come from a store are written.
    pub mail: mime::Options,
}

/// Which state goes into header fields.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum StateFields {
    /// None: the target keeps state elsewhere.
    #[default]
    Never,
    /// Unread, answered, flagged and drafts.
    Special,
    /// Always, as mbox readers expect.
    Always,
}

/// Converts an item into its MIME form.
///
/// # Errors
/// When it cannot be converted, or its attachments cannot be read.
pub fn ready(item: Item, form: &Form) -> Result<TextItem> {
    let mut out = TextItem {
        data: tempfile::SpooledTempFile::new(HELD),
        flags: Flags::default(),
        time: None,
        subject: String::new(),
        sender: String::new(),
        warnings: item.warnings,
    };
    match item.body {
        Body::Mapi(message) => {
            let s = mime::state_of(&message);
            out.flags = Flags {
                seen: s.seen,
                answered: s.answered,
                forwarded: s.forwarded,
                flagged: s.flagged,
                draft: s.draft,
                deleted: false,
                keywords: s.keywords,
            };
            out.time = mime::delivery_time(&message);
            let mut writer = Lines::new(&mut out.data, form, form.lf, Some(&out.flags));
            let warnings = mime::from_mapi(&message, &mut writer, &form.mail)?;
            (out.subject, out.sender) = writer.end()?;
            out.warnings.extend(warnings);
        }
        Body::Mime(m) => {
            out.time = m.received.or_else(|| date_of(&m.bytes));
            out.flags = m.flags.clone();
            let known = m.flags != Flags::default();
            let mut writer = Lines::new(&mut out.data, form, false, known.then_some(&out.flags));
            m.write_to(&mut writer)?;
            (out.subject, out.sender) = writer.end()?;
        }
    }
    Ok(out)
}

/// The message of an item, converted from MIME where it comes as such; adds what was lost to the warnings.
///
/// # Errors
/// When it cannot be converted.
pub fn message_of(body: Body, warnings: &mut Vec<String>) -> Result<Box<Message>> {
    let m = match body {
        Body::Mapi(message) => return Ok(message),
        Body::Mime(m) => m,
    };
    let f = &m.flags;
    let state = mime::State {
        seen: f.seen,
        answered: f.answered,
        forwarded: f.forwarded,
        flagged: f.flagged,
        draft: f.draft,
        keywords: f.keywords.clone(),
    };
    let converted = mime::to_mapi_large(&m.bytes, &m.large, &state, m.received)?;
    warnings.extend(converted.warnings);
    Ok(Box::new(converted.message))
}

impl TextItem {
    /// Copies the message.
    ///
    /// # Errors
    /// When `out` refuses.
    pub fn copy_to(&mut self, out: &mut dyn Write) -> std::io::Result<u64> {
        self.data.rewind()?;
        std::io::copy(&mut self.data, out)
    }

    /// Bytes held in memory.
    pub fn size(&mut self) -> u64 {
        self.data.stream_position().unwrap_or_default().min(HELD as u64)
    }
}

/// Rewrites a message on its way: line ends, quoting, and the state fields of its header.
struct Lines<'a> {
    out: &'a mut dyn Write,
    form: &'a Form,
    lf: bool,
    flags: Option<Flags>,
    /// The header until it is complete.
    head: Option<Vec<u8>>,
    /// An unfinished line.
    line: Vec<u8>,
    /// True if `line` continues a line that was begun.
    begun: bool,
    subject: String,
    sender: String,
}

/// Longer lines are passed on in pieces.
const LINE: usize = 64 << 10;

impl<'a> Lines<'a> {
    fn new(out: &'a mut dyn Write, form: &'a Form, lf: bool, flags: Option<&Flags>) -> Self {
        Self {
            out,
            form,
            lf,
            flags: flags.cloned(),
            head: Some(Vec::new()),
            line: Vec::new(),
            begun: false,
            subject: String::new(),
            sender: String::new(),
        }
    }

    fn line(&mut self, line: &[u8], whole: bool) -> std::io::Result<()> {
        if let Some(head) = &mut self.head {
            head.extend_from_slice(line);
            if whole && matches!(line, b"\n" | b"\r\n") && !self.begun {
                self.flush_head()?;
            }
            self.begun = !whole;
            return Ok(());
        }
        let quoted =
            line.iter().position(|b| *b != b'>').and_then(|i| line.get(i..)).is_some_and(|l| l.starts_with(b"From "));
        if self.form.quote && !self.begun && quoted {
            self.out.write_all(b">")?;
        }
        self.begun = !whole;
        self.ended(line)
    }

    fn ended(&mut self, line: &[u8]) -> std::io::Result<()> {
        match line.strip_suffix(b"\r\n") {
            Some(bare) if self.lf => {
                self.out.write_all(bare)?;
                self.out.write_all(b"\n")
            }
            _ => self.out.write_all(line),
        }
    }

    fn flush_head(&mut self) -> std::io::Result<()> {
        let Some(head) = self.head.take() else { return Ok(()) };
        let crlf = head.ends_with(b"\r\n") && !self.lf;
        let end: &[u8] = if crlf { b"\r\n" } else { b"\n" };
        let fields = fields(&head);
        let (body_end, state) = match &self.flags {
            Some(flags) => (true, state_fields(flags, self.form.state)),
            None => (false, Vec::new()),
        };
        let mut last = true;
        for field in &fields {
            let name = name_of(field);
            match name.as_str() {
                "subject" => self.subject = value_of(field),
                "from" => self.sender = address_of(&value_of(field)),
                _ => {}
            }
            let is_state = matches!(name.as_str(), "status" | "x-status" | "x-unsent" | "x-keywords");
            if body_end && is_state && self.form.state != StateFields::Never {
                continue;
            }
            if matches!(*field, b"\n" | b"\r\n") {
                last = false;
                for s in &state {
                    self.out.write_all(s.as_bytes())?;
                    self.out.write_all(end)?;
                }
            }
            for line in field.split_inclusive(|b| *b == b'\n') {
                if self.form.quote && line.starts_with(b"From ") {
                    self.out.write_all(b">")?;
                }
                self.ended(line)?;
            }
        }
        if last && !state.is_empty() {
            for s in &state {
                self.out.write_all(s.as_bytes())?;
                self.out.write_all(end)?;
            }
        }
        Ok(())
    }

    /// Ends the message; returns subject and sender's address.
    fn end(mut self) -> Result<(String, String)> {
        let io = |e| Error::io("cannot write", "a temporary file", e);
        let rest = std::mem::take(&mut self.line);
        if !rest.is_empty() {
            self.line(&rest, true).map_err(io)?;
        }
        self.flush_head().map_err(io)?;
        Ok((std::mem::take(&mut self.subject), std::mem::take(&mut self.sender)))
    }
}

impl Write for Lines<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let simple = self.head.is_none() && !self.form.quote && !self.lf;
        if simple && self.line.is_empty() {
            self.out.write_all(bytes)?;
            return Ok(bytes.len());
        }
        let mut rest = bytes;
        while let Some(at) = memchr::memchr(b'\n', rest) {
            let (line, after) = rest.split_at(at + 1);
            rest = after;
            if self.line.is_empty() {
                self.line(line, true)?;
            } else {
                let mut whole = std::mem::take(&mut self.line);
                whole.extend_from_slice(line);
                self.line(&whole, true)?;
                whole.clear();
                self.line = whole;
            }
        }
        self.line.extend_from_slice(rest);
        if self.line.len() > LINE && !self.line.ends_with(b"\r") {
            let piece = std::mem::take(&mut self.line);
            self.line(&piece, false)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The fields of a header with their folded lines; the empty line that ends it is the last.
pub fn fields(head: &[u8]) -> Vec<&[u8]> {
    let mut out = Vec::new();
    let (mut start, mut at) = (0, 0);
    for line in head.split_inclusive(|b| *b == b'\n') {
        let folded = matches!(line.first(), Some(b' ' | b'\t')) && at > start;
        if !folded && at > start {
            out.push(head.get(start..at).unwrap_or_default());
            start = at;
        }
        at += line.len();
        if matches!(line, b"\n" | b"\r\n") {
            break;
        }
    }
    if at > start {
        out.push(head.get(start..at).unwrap_or_default());
    }
    out
}

/// The name of a field in lower case; empty for what is no field.
pub fn name_of(field: &[u8]) -> String {
    let colon = memchr::memchr(b':', field).unwrap_or(0);
    String::from_utf8_lossy(field.get(..colon).unwrap_or_default()).trim().to_ascii_lowercase()
}

/// The value of a field, unfolded.
pub fn value_of(field: &[u8]) -> String {
    let colon = memchr::memchr(b':', field).map_or(0, |i| i + 1);
    let text = String::from_utf8_lossy(field.get(colon..).unwrap_or_default()).into_owned();
    text.replace(['\r', '\n'], "").trim().to_owned()
}

fn address_of(value: &str) -> String {
    let address = match (value.rfind('<'), value.rfind('>')) {
        (Some(a), Some(b)) if a < b => value.get(a + 1..b).unwrap_or_default(),
        _ => value,
    };
    address.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect()
}

/// The Date field of a message, seconds since 1970 UTC.
pub fn date_of(bytes: &[u8]) -> Option<i64> {
    fields(bytes).into_iter().find(|f| name_of(f) == "date").and_then(|f| mime::date::parse(&value_of(f)))
}

fn state_fields(flags: &Flags, which: StateFields) -> Vec<String> {
    let mut out = Vec::new();
    if which == StateFields::Never {
        return out;
    }
    let seen = flags.seen != Some(false);
    if which == StateFields::Always || !seen {
        out.push(format!("Status: {}", if seen { "RO" } else { "O" }));
    }
    let letters: String =
        [(flags.answered, 'A'), (flags.forwarded, 'P'), (flags.flagged, 'F'), (flags.draft, 'T'), (flags.deleted, 'D')]
            .iter()
            .filter_map(|(set, letter)| set.then_some(*letter))
            .collect();
    if !letters.is_empty() {
        out.push(format!("X-Status: {letters}"));
    }
    if flags.draft && which == StateFields::Special {
        out.push("X-Unsent: 1".to_owned());
    }
    out
}

/// The state that header fields of a message tell: Status, X-Status, X-Mozilla-Status, X-Unsent.
pub fn state_in(bytes: &[u8]) -> Flags {
    let mut flags = Flags::default();
    for field in fields(bytes) {
        let name = name_of(field);
        let value = || value_of(field);
        match name.as_str() {
            "status" => flags.seen = Some(value().contains('R')),
            "x-status" => {
                for letter in value().chars() {
                    match letter {
                        'A' => flags.answered = true,
                        'F' => flags.flagged = true,
                        'P' => flags.forwarded = true,
                        'T' => flags.draft = true,
                        'D' => flags.deleted = true,
                        _ => {}
                    }
                }
            }
            "x-unsent" => flags.draft |= value() == "1",
            "x-mozilla-status" => {
                if let Ok(bits) = u16::from_str_radix(value().trim(), 16) {
                    flags.seen = Some(bits & 1 != 0);
                    flags.answered |= bits & 2 != 0;
                    flags.flagged |= bits & 4 != 0;
                    flags.deleted |= bits & 8 != 0;
                    flags.forwarded |= bits & 0x1000 != 0;
                }
            }
            "x-mozilla-keys" | "x-keywords" => {
                let words = value();
                flags.keywords.extend(words.split([' ', ',']).filter(|w| !w.is_empty()).map(str::to_owned));
            }
            _ => {}
        }
    }
    flags
}

/// A name that every file system takes, at most 150 bytes.
pub fn file_name(name: &str) -> String {
    let mut out = String::new();
    for c in name.trim().chars() {
        let bad = c.is_control() || "\"/\\:<>|?*\u{202A}\u{202B}\u{202D}\u{202E}".contains(c);
        let c = if bad { '_' } else { c };
        if out.len() + c.len_utf8() > 150 {
            break;
        }
        out.push(c);
    }
    let trimmed = out.trim_matches(|c: char| c == '.' || c.is_whitespace()).to_owned();
    let stem = trimmed.split('.').next().unwrap_or_default().to_ascii_uppercase();
    let device = matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL")
        || (stem.len() == 4
            && (stem.starts_with("COM") || stem.starts_with("LPT"))
            && stem.ends_with(|c: char| c.is_ascii_digit()));
    match trimmed.as_str() {
        "" => "_".to_owned(),
        _ if device => format!("_{trimmed}"),
        _ => trimmed,
    }
}

/// A folder that appears under its name only when it is whole.
pub struct NewFolder {
    temp: Option<tempfile::TempDir>,
    path: PathBuf,
    overwrite: bool,
}

impl NewFolder {
    /// Creates a temporary folder beside the target.
    ///
    /// # Errors
    /// [`Kind::Exists`] when the target is there, unless it is an empty folder or `overwrite` is set.
    pub fn create(path: &Path, overwrite: bool) -> Result<Self> {
        let empty = std::fs::read_dir(path).is_ok_and(|mut d| d.next().is_none());
        crate::io::commit::refuse_existing(path, overwrite || empty)?;
        let parent = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
        let temp = tempfile::Builder::new()
            .prefix(".pst-")
            .suffix(".tmp")
            .tempdir_in(parent)
            .map_err(|e| Error::io("cannot create a folder in this one", parent, e))?;
        Ok(Self { temp: Some(temp), path: path.to_path_buf(), overwrite })
    }

    /// The temporary folder.
    pub fn path(&self) -> &Path {
        self.temp.as_ref().map_or(self.path.as_path(), tempfile::TempDir::path)
    }

    /// The name it will have.
    pub fn target(&self) -> &Path {
        &self.path
    }

    /// Gives the folder its name. An old one that is replaced goes only when the new one stands.
    ///
    /// # Errors
    /// [`Kind::Io`]; the old target is then put back.
    pub fn commit(mut self) -> Result<()> {
        let Some(temp) = self.temp.take() else { return Ok(()) };
        let fail = |e| Error::io("cannot give the new folder its name", &self.path, e);
        let new = temp.keep();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let _ = std::fs::set_permissions(&new, std::fs::Permissions::from_mode(0o755));
        }
        let exists = self.path.symlink_metadata().is_ok();
        let old = new.with_extension("old");
        if exists && self.overwrite {
            std::fs::rename(&self.path, &old).map_err(fail)?;
        }
        if let Err(e) = std::fs::rename(&new, &self.path) {
            if exists && self.overwrite {
                let _ = std::fs::rename(&old, &self.path);
            }
            let _ = std::fs::remove_dir_all(&new);
            return Err(fail(e));
        }
        if exists && self.overwrite {
            let _ = if old.is_dir() { std::fs::remove_dir_all(&old) } else { std::fs::remove_file(&old) };
        }
        crate::io::commit::sync_folder(&self.path);
        Ok(())
    }
}

/// Writes a file whole.
///
/// # Errors
/// [`Kind::Io`], naming it.
pub fn write_file(path: &Path, item: &mut TextItem) -> Result<u64> {
    let mut file = std::fs::File::create_new(path).map_err(|e| Error::io("cannot create", path, e))?;
    item.copy_to(&mut file).map_err(|e| Error::io("cannot write", path, e))
}

/// Reads a whole file, if it is not too large to hold.
///
/// # Errors
/// [`Kind::Io`] or [`Kind::Limit`], naming it.
pub fn read_file(path: &Path, limit: u64) -> Result<Vec<u8>> {
    let file = std::fs::File::open(path).map_err(|e| Error::io("cannot open", path, e))?;
    let mut out = Vec::new();
    file.take(limit + 1).read_to_end(&mut out).map_err(|e| Error::io("cannot read", path, e))?;
    if out.len() as u64 > limit {
        return Err(Error::new(Kind::Limit, format!("the file has more than {limit} bytes")).in_file(path));
    }
    Ok(out)
}
