//! What the endpoints that hold MIME messages share: making items ready, state in header fields, names of files.

mod fields;
mod folder;
mod lines;
mod made;
mod unique;

pub use fields::{date_of, state_in};
#[cfg(feature = "network")]
pub(crate) use fields::{fields, name_of, value_of};
pub use folder::NewFolder;
pub use made::Made;
pub use unique::Unique;

use crate::error::{Error, Kind, Result};
use crate::io::{Spool, open_file};
use crate::mapi::{Code, Message, Warning, tag};
use crate::mime;
use crate::pipeline::{Body, Flags, Item};
use lines::Lines;
use std::io::{Read, Write};
use std::path::Path;

/// Messages larger than this wait on disk until they are written.
const HELD: usize = 32 << 20;

/// A message ready to be written.
pub struct TextItem {
    /// The bytes, in memory or on disk.
    pub data: Spool,
    /// Its state.
    pub flags: Flags,
    /// When it arrived or was sent, seconds since 1970 UTC.
    pub time: Option<i64>,
    /// The subject, for file names.
    pub subject: String,
    /// The sender's address, for mbox separators.
    pub sender: String,
    /// What was lost.
    pub warnings: Vec<Warning>,
    /// The ending of a file that holds it alone.
    pub ending: &'static str,
}

impl Default for TextItem {
    fn default() -> Self {
        Self {
            data: Spool::new(HELD),
            flags: Flags::default(),
            time: None,
            subject: String::new(),
            sender: String::new(),
            warnings: Vec::new(),
            ending: "eml",
        }
    }
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
    let mut out = TextItem { warnings: item.warnings, ..TextItem::default() };
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
            // base64 adds a third, UTF-8 takes away about as much.
            let size = message.props.i32(tag::MESSAGE_SIZE).and_then(|s| usize::try_from(s).ok());
            out.data.reserve(size.unwrap_or_default().saturating_mul(11) / 8);
            let whole = form.mail.kept_mime && mime::kept_mime(&message).is_some();
            let state = (!whole || form.state == StateFields::Always).then_some(&out.flags);
            let mut writer = Lines::new(&mut out.data, form, form.lf && !whole, state);
            let options = mime::Options { lf: form.lf, ..form.mail.clone() };
            let warnings = mime::from_mapi(&message, &mut writer, &options)?;
            (out.subject, out.sender) = writer.end()?;
            out.warnings.extend(warnings);
        }
        Body::Mime(m) => {
            out.time = m.received.or_else(|| date_of(&m.bytes));
            out.flags = m.flags.clone();
            out.data.reserve(m.bytes.len() + m.bytes.len() / 32);
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
pub fn message_of(body: Body, options: mime::ImportOptions, warnings: &mut Vec<Warning>) -> Result<Box<Message>> {
    let m = match body {
        Body::Mapi(mut message) => {
            options.apply(&mut message);
            warnings.extend(options.quiet.apply(&mut message));
            return Ok(message);
        }
        Body::Mime(m) => m,
    };
    let f = &m.flags;
    if f.deleted {
        warnings.push(Code::Deleted.with("its source marks this as deleted, and no store can say so"));
    }
    let state = state_of(f);
    let mut converted = mime::to_mapi_large(&m.bytes, &m.large, &state, m.received, options)?;
    warnings.extend(converted.warnings);
    warnings.extend(options.quiet.apply(&mut converted.message));
    Ok(Box::new(converted.message))
}

/// The state that flags mean.
pub fn state_of(f: &Flags) -> mime::State {
    mime::State {
        seen: f.seen,
        answered: f.answered,
        forwarded: f.forwarded,
        flagged: f.flagged,
        draft: f.draft,
        keywords: f.keywords.clone(),
    }
}

impl TextItem {
    /// Copies the message.
    ///
    /// # Errors
    /// When `out` refuses.
    pub fn copy_to(&mut self, out: &mut dyn Write) -> std::io::Result<u64> {
        self.data.copy_to(out)
    }

    /// Bytes held in memory.
    pub fn size(&self) -> u64 {
        self.data.held().map_or(0, |b| b.len() as u64)
    }
}

/// Marks that turn the direction of writing can make one ending look like another.
fn turns(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{200E}' | '\u{200F}')
}

/// A name that every file system takes, at most 150 bytes.
pub fn file_name(name: &str) -> String {
    let mut out = String::new();
    for c in name.trim().chars() {
        let bad = c.is_control() || "\"/\\:<>|?*".contains(c) || turns(c);
        let c = if bad { '_' } else { c };
        if out.len() + c.len_utf8() > 150 {
            break;
        }
        out.push(c);
    }
    let trimmed = out.trim_matches(|c: char| c == '.' || c.is_whitespace()).to_owned();
    match trimmed.as_str() {
        "" => "_".to_owned(),
        name if is_device(name) => format!("_{trimmed}"),
        _ => trimmed,
    }
}

/// True for names that Windows takes for devices, whatever their ending.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_ascii_uppercase();
    let port = stem.strip_prefix("COM").or_else(|| stem.strip_prefix("LPT"));
    matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$" | "CLOCK$")
        || port.is_some_and(|p| p.chars().count() == 1 && p.contains(|c: char| c.is_ascii_digit() || "¹²³".contains(c)))
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
    let file = open_file(path)?;
    let mut out = Vec::new();
    file.take(limit + 1).read_to_end(&mut out).map_err(|e| Error::io("cannot read", path, e))?;
    if out.len() as u64 > limit {
        return Err(Error::new(Kind::Limit, format!("the file has more than {limit} bytes")).in_file(path));
    }
    Ok(out)
}
