//! What the endpoints of calendars and address books share: files that hold several items, and the folders they make.

mod source;

pub use source::ComponentSource;

use super::text;
use crate::error::{Error, Kind, Result};
use crate::io::Input;
use crate::mapi::{Code, Message, Warning};
use crate::mime::{self, calendar, contact};
use crate::pipeline::{Body, Item, ItemRef, Role};
use std::borrow::Cow;
use std::io::Write;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Largest file that is looked through.
const LARGEST: u64 = 2 << 30;
/// Bytes of one item that are read at once.
const LARGEST_ITEM: usize = 1 << 30;

/// The two kinds of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// iCalendar.
    Calendar,
    /// vCard.
    Contacts,
}

impl Format {
    /// The format that a file has by its name.
    pub fn of_name(path: &Path) -> Option<Self> {
        let ending = path.extension()?.to_string_lossy().to_lowercase();
        match ending.as_str() {
            "ics" | "ical" | "ifb" | "vcs" => Some(Self::Calendar),
            "vcf" | "vcard" => Some(Self::Contacts),
            _ => None,
        }
    }

    /// The format of a file by its first bytes.
    pub fn of_content(head: &[u8]) -> Option<Self> {
        let text = utf8(head);
        let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&text).trim_ascii_start();
        let begins = |with: &str| text.get(..with.len()).is_some_and(|t| t.eq_ignore_ascii_case(with.as_bytes()));
        match () {
            () if begins("BEGIN:VCALENDAR") => Some(Self::Calendar),
            () if begins("BEGIN:VCARD") => Some(Self::Contacts),
            () => None,
        }
    }
}

/// A text as UTF-8, if it is marked as UTF-16; other bytes as they are.
fn utf8(bytes: &[u8]) -> Cow<'_, [u8]> {
    match encoding_rs::Encoding::for_bom(bytes) {
        Some((encoding, mark)) if encoding != encoding_rs::UTF_8 => {
            let rest = bytes.get(mark..).unwrap_or_default();
            Cow::Owned(encoding.decode_without_bom_handling(rest).0.into_owned().into_bytes())
        }
        _ => Cow::Borrowed(bytes),
    }
}

/// What an item is, and so which folder it goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Shelf {
    Calendar,
    Tasks,
    Journal,
    Notes,
    Contacts,
}

impl Shelf {
    const fn of(kind: calendar::Kind) -> Self {
        match kind {
            calendar::Kind::Event => Self::Calendar,
            calendar::Kind::Task => Self::Tasks,
            calendar::Kind::Journal => Self::Journal,
            calendar::Kind::Note => Self::Notes,
        }
    }

    /// Name of the folder, its role and its container class.
    const fn folder(self) -> (&'static str, Role, &'static str) {
        match self {
            Self::Calendar => ("Calendar", Role::Calendar, "IPF.Appointment"),
            Self::Tasks => ("Tasks", Role::Tasks, "IPF.Task"),
            Self::Journal => ("Journal", Role::Journal, "IPF.Journal"),
            Self::Notes => ("Notes", Role::Notes, "IPF.StickyNote"),
            Self::Contacts => ("Contacts", Role::Contacts, "IPF.Contact"),
        }
    }

    /// The container class.
    pub const fn class(self) -> &'static str {
        self.folder().2
    }
}

/// A file of calendar components or vCards, and where its items stand.
#[derive(Debug)]
struct Collection {
    path: PathBuf,
    format: Format,
    utf16: bool,
    places: Vec<(Shelf, Vec<Range<usize>>)>,
}

impl Collection {
    /// Finds the items of a file; the UIDs of its cards go into `directory`.
    ///
    /// # Errors
    /// When it cannot be read, or holds nothing that could be an item.
    fn open(path: &Path, format: Format, directory: &mut contact::Directory) -> Result<Self> {
        let bytes = text::read_file(path, LARGEST)?;
        let text = utf8(&bytes);
        let places: Vec<(Shelf, Vec<Range<usize>>)> = match format {
            Format::Calendar => calendar::index(&text).into_iter().map(|p| (Shelf::of(p.kind), p.pieces)).collect(),
            Format::Contacts => contact::index(&text).into_iter().map(|r| (Shelf::Contacts, vec![r])).collect(),
        };
        if places.is_empty() {
            let what = match format {
                Format::Calendar => "no event, task or journal entry is in this file",
                Format::Contacts => "no vCard is in this file",
            };
            return Err(Error::new(Kind::NotThisKind, what).in_file(path));
        }
        // Only lists look for their members by UID.
        let lower = |w: &[u8]| w.eq_ignore_ascii_case(b"kind:group");
        if format == Format::Contacts && text.windows(10).any(lower) {
            directory.add(&text);
        }
        let utf16 = matches!(text, Cow::Owned(_));
        Ok(Self { path: path.to_path_buf(), format, utf16, places })
    }

    /// Points at an item of this file, which is below `top` and the one of this number there.
    fn reference(&self, number: usize, index: usize, top: &Path) -> ItemRef {
        let size = self.places.get(index).map_or(0, |(_, pieces)| pieces.iter().map(ExactSizeIterator::len).sum());
        let below = self.path.strip_prefix(top).unwrap_or(&self.path);
        let name = if below.as_os_str().is_empty() { self.path.file_name() } else { Some(below.as_os_str()) };
        let mut id = name.unwrap_or_default().to_string_lossy().into_owned();
        if self.places.len() > 1 {
            id = format!("{id} item {}", index + 1);
        }
        let key = (number as u64) << 32 | index as u64;
        ItemRef { id, key, size: size as u64, path: Some(self.path.clone()), associated: false }
    }

    fn load(&self, index: usize, directory: &contact::Directory) -> Result<(Message, Vec<Warning>)> {
        let pieces = self.places.get(index).map_or(&[][..], |(_, pieces)| pieces);
        let mut bytes = Vec::new();
        if self.utf16 {
            let whole = text::read_file(&self.path, LARGEST)?;
            let whole = utf8(&whole);
            for range in pieces {
                bytes.extend_from_slice(whole.get(range.clone()).unwrap_or_default());
            }
        } else {
            let input = Input::open(&self.path)?;
            for range in pieces {
                let at = bytes.len();
                if at + range.len() > LARGEST_ITEM {
                    return Err(Error::new(Kind::Limit, "an item of more than 1 GiB").in_file(&self.path));
                }
                bytes.resize(at + range.len(), 0);
                input.read_into(range.start as u64, bytes.get_mut(at..).unwrap_or_default())?;
                if !bytes.ends_with(b"\n") {
                    bytes.extend_from_slice(b"\r\n");
                }
            }
        }
        let gone = || Error::new(Kind::Damaged, "the item is not there any more").in_file(&self.path);
        let (found, left) = match self.format {
            Format::Calendar => {
                let bytes = [b"BEGIN:VCALENDAR\r\n", bytes.as_slice(), b"END:VCALENDAR\r\n"].concat();
                let (items, left) = calendar::read(&bytes);
                (items.into_iter().next().map(|(_, c)| c), left)
            }
            Format::Contacts => {
                let (items, left) = contact::read(&bytes, directory);
                (items.into_iter().next().map(|(_, c)| c), left)
            }
        };
        let code = match self.format {
            Format::Calendar => Code::Calendar,
            Format::Contacts => Code::Contact,
        };
        let mut found = found.ok_or_else(gone)?;
        found.warnings.extend(left.into_iter().map(|sentence| code.with(sentence)));
        Ok((found.message, found.warnings))
    }
}

/// The files of components of a source.
#[derive(Debug, Default)]
pub(super) struct Collections {
    files: Vec<Collection>,
    directory: contact::Directory,
}

impl Collections {
    /// Adds a file, and returns its number and what its items are.
    ///
    /// # Errors
    /// When it cannot be read, or holds nothing that could be an item.
    pub fn add(&mut self, path: &Path, format: Format) -> Result<(usize, Vec<Shelf>)> {
        let file = Collection::open(path, format, &mut self.directory)?;
        let shelves = file.places.iter().map(|(shelf, _)| *shelf).collect();
        self.files.push(file);
        Ok((self.files.len() - 1, shelves))
    }

    /// Points at an item of a file below `top`.
    pub fn reference(&self, number: usize, index: usize, top: &Path) -> Option<ItemRef> {
        Some(self.files.get(number)?.reference(number, index, top))
    }

    /// Reads an item.
    ///
    /// # Errors
    /// When its file cannot be read, or has changed.
    pub fn load(&self, item: &ItemRef) -> Result<Item> {
        let gone = || Error::new(Kind::NotFound, "no such item");
        let file = self.files.get((item.key >> 32) as usize).ok_or_else(gone)?;
        let (message, warnings) = file.load(item.key as u32 as usize, &self.directory)?;
        Ok(Item { id: item.id.clone(), body: Body::Mapi(Box::new(message)), associated: false, warnings })
    }
}

/// The same error once more.
pub(super) fn again(e: &Error) -> Error {
    let new = Error::new(e.kind(), e.text());
    match e.path() {
        Some(path) => new.in_file(path),
        None => new,
    }
}

/// Writes an item as a file of its own, and returns the ending of that file and what was lost; `None` for items that are
/// neither of a calendar nor of an address book.
pub(super) fn write(
    message: &Message,
    options: &mime::Options,
    out: &mut dyn Write,
) -> Result<Option<(&'static str, Vec<Warning>)>> {
    if calendar::Kind::of(message).is_some()
        && let Some(mut entry) = calendar::Entry::of(message, options)?
    {
        let warnings = std::mem::take(&mut entry.warnings);
        entry.write(out)?;
        return Ok(Some(("ics", warnings)));
    }
    let Some(mut card) = contact::Card::of(message, options)? else {
        return Ok(None);
    };
    card.write(out)?;
    Ok(Some(("vcf", std::mem::take(&mut card.warnings))))
}
