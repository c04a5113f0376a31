//! eml files and trees of them; .msg files, calendars and vCards may stand among them.

use super::components::{self, Collections, Format, Shelf, again};
use super::text::{self, Form, Made, NewFolder, StateFields, TextItem, file_name};
use super::{maildir, msg};
use crate::error::{Error, Result};
use crate::io::{Input, open_file};
use crate::mapi::message::flag;
use crate::mapi::tag;
use crate::mapi::{Code, Warning};
use crate::mime::{self, large};
use crate::pipeline::{Body, Folder, Item, ItemRef, Mime, Prepare, Prepared, Role, Sink, Source, Written};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use walkdir::WalkDir;

/// The key of items that are messages.
const MAIL: u64 = u64::MAX;

/// One eml file, or a folder tree of them.
pub struct EmlSource {
    top: PathBuf,
    folders: Vec<(Vec<String>, Vec<Entry>)>,
    components: Collections,
}

/// What stands in a folder.
enum Entry {
    /// A message.
    Mail(PathBuf),
    /// An item of a calendar or an address book: the number of its file and its own.
    Component(usize, usize, Shelf),
    /// A file that cannot be read.
    Broken(Error),
}

impl EmlSource {
    /// Lists a file or tree. Links are not followed.
    ///
    /// # Errors
    /// When a folder cannot be read.
    pub fn open(path: &Path) -> Result<Self> {
        Self::list(path, false)
    }

    /// As [`Self::open`], where the tree holds mboxes and Maildirs too: those are passed over.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn among_others(path: &Path) -> Result<Self> {
        Self::list(path, true)
    }

    fn list(path: &Path, among_others: bool) -> Result<Self> {
        let top = path.to_path_buf();
        if path.is_file() {
            let folders = vec![(Vec::new(), vec![Entry::Mail(top.clone())])];
            return Ok(Self { top, folders, components: Collections::default() });
        }
        let mut components = Collections::default();
        let mut folders: BTreeMap<Vec<String>, Vec<Entry>> = BTreeMap::from([(Vec::new(), Vec::new())]);
        // A tree without a single .eml file may hold mail under other names.
        let is_item = |p: &Path| is_eml(p) || msg::is_msg(p);
        // The first line of a calendar is one of a header, too.
        let may_be_mail = |p: &Path| Format::of_name(p).is_none() && looks_like_mail(p);
        let named = among_others
            || WalkDir::new(path).into_iter().flatten().any(|e| e.file_type().is_file() && is_item(e.path()));
        let inside = |p: &Path| -> Vec<String> {
            let below = p.strip_prefix(path).unwrap_or(p);
            let names = below.components().map(|c| c.as_os_str().to_string_lossy().into_owned());
            // Thunderbird's folders stand in directories that end so.
            let bare =
                |n: String| if among_others { n.strip_suffix(".sbd").map(ToOwned::to_owned).unwrap_or(n) } else { n };
            names.map(bare).collect()
        };
        let passed = |e: &walkdir::DirEntry| among_others && e.file_type().is_dir() && maildir::is_part(e.path());
        for entry in WalkDir::new(path).sort_by_file_name().into_iter().filter_entry(|e| !passed(e)) {
            let entry = entry.map_err(|e| super::cannot_list(e, path))?;
            if entry.file_type().is_dir() && among_others {
                // The others tell it, unless a mail is in it.
            } else if entry.file_type().is_dir() {
                folders.entry(inside(entry.path())).or_default();
            } else if (is_item(entry.path()) || ((!named || is_named_msg(entry.path())) && may_be_mail(entry.path())))
                && let Some(parent) = entry.path().parent()
            {
                folders.entry(inside(parent)).or_default().push(Entry::Mail(entry.path().to_path_buf()));
            } else if let Some(format) = Format::of_name(entry.path())
                && let Some(parent) = entry.path().parent()
            {
                let folder = folders.entry(inside(parent)).or_default();
                match components.add(entry.path(), format) {
                    Ok((file, items)) => {
                        folder.extend((0..).zip(items).map(|(i, shelf)| Entry::Component(file, i, shelf)));
                    }
                    Err(e) => folder.push(Entry::Broken(e)),
                }
            }
        }
        if among_others {
            folders.retain(|_, entries| !entries.is_empty());
        }
        Ok(Self { top, folders: folders.into_iter().collect(), components })
    }
}

/// The container class of a folder whose items are all of one kind other than mail.
fn class_of(entries: &[Entry]) -> Option<&'static str> {
    let mut shelves = entries.iter().map(|e| match e {
        Entry::Component(_, _, shelf) => Some(*shelf),
        Entry::Mail(_) | Entry::Broken(_) => None,
    });
    let first = shelves.next()??;
    shelves.all(|s| s == Some(first)).then(|| first.class())
}

/// True for a name that ends in `.eml`.
pub fn is_eml(path: &Path) -> bool {
    path.extension().is_some_and(|e| e.eq_ignore_ascii_case("eml"))
}

/// True for a name that ends in `.msg`, which mail in text form may have too.
pub(super) fn is_named_msg(path: &Path) -> bool {
    path.extension().is_some_and(|e| e.eq_ignore_ascii_case("msg"))
}

/// True for a file that begins with a header field.
pub fn looks_like_mail(path: &Path) -> bool {
    let mut head = Vec::new();
    let Ok(file) = open_file(path) else { return false };
    if std::io::Read::read_to_end(&mut std::io::Read::take(file, 1024), &mut head).is_err() {
        return false;
    }
    begins_as_mail(&head)
}

/// True for bytes that begin with a header field.
pub(super) fn begins_as_mail(head: &[u8]) -> bool {
    let wide = encoding_rs::Encoding::for_bom(head).map(|(encoding, _)| encoding.decode(head).0);
    let head = wide.as_deref().map_or(head, str::as_bytes);
    let text = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head).trim_ascii_start();
    let first = text.split(|b| *b == b'\n').next().unwrap_or_default();
    let name = first.split(|b| *b == b':').next().unwrap_or_default();
    let name = name.trim_ascii_end();
    (2..70).contains(&name.len())
        && name.len() < first.len()
        && name.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-' || *b == b'_')
        && name.first().is_some_and(u8::is_ascii_alphabetic)
}

impl Source for EmlSource {
    fn folders(&self) -> Result<Vec<Folder>> {
        let folder = |(i, (path, files)): (usize, &(Vec<String>, Vec<Entry>))| Folder {
            class: class_of(files).map(ToOwned::to_owned),
            path: path.clone(),
            role: if path.len() == 1 {
                path.first().map(|n| Role::of_name(n)).unwrap_or_default()
            } else {
                Role::default()
            },
            key: i as u64,
            count: Some(files.len() as u64),
            ..Folder::default()
        };
        Ok(self.folders.iter().enumerate().map(folder).collect())
    }

    fn items<'a>(&'a self, folder: &'a Folder) -> Result<Box<dyn Iterator<Item = Result<ItemRef>> + Send + 'a>> {
        let files = self.folders.get(folder.key as usize).map_or(&[][..], |(_, files)| files);
        Ok(Box::new(files.iter().filter_map(|entry| match entry {
            Entry::Mail(path) => {
                let size = std::fs::metadata(path).map_or(0, |m| m.len());
                let below = path.strip_prefix(&self.top).ok().filter(|p| !p.as_os_str().is_empty());
                let id = below.unwrap_or_else(|| Path::new(path.file_name().unwrap_or_default())).display().to_string();
                Some(Ok(ItemRef { id, size, path: Some(path.clone()), key: MAIL, ..ItemRef::default() }))
            }
            Entry::Component(file, index, _) => self.components.reference(*file, *index, &self.top).map(Ok),
            Entry::Broken(e) => Some(Err(again(e))),
        })))
    }

    fn load(&self, _folder: &Folder, item: &ItemRef) -> Result<Item> {
        if item.key != MAIL {
            return self.components.load(item);
        }
        let path = item.path.as_deref().unwrap_or(&self.top);
        if !is_eml(path) && is_compound(path) {
            let (message, warnings) = msg::read(path)?;
            let flags = message.props.i32(tag::MESSAGE_FLAGS).unwrap_or_default();
            let associated = flags & flag::ASSOCIATED != 0;
            return Ok(Item { id: item.id.clone(), body: Body::Mapi(Box::new(message)), associated, warnings });
        }
        let mut warnings = Vec::new();
        let mut mime = read_mime(path, &mut warnings)?;
        mime.flags = text::state_in(&mime.bytes);
        if text::date_of(&mime.bytes).is_none() {
            mime.received = modified(path);
        }
        Ok(Item { id: item.id.clone(), body: Body::Mime(mime), associated: false, warnings })
    }

    fn title(&self) -> String {
        self.top.file_stem().map_or_else(|| "Mail".to_owned(), |n| n.to_string_lossy().into_owned())
    }
}

/// A message that is a file of its own; large attachments stay in it.
///
/// # Errors
/// When the file cannot be read.
pub(super) fn read_mime(path: &Path, warnings: &mut Vec<Warning>) -> Result<Mime> {
    let size = std::fs::metadata(path).map_err(|e| Error::io("cannot open", path, e))?.len();
    if size <= large::HELD {
        let mut bytes = text::read_file(path, 2 * large::HELD)?;
        if let Some((encoding, _)) = encoding_rs::Encoding::for_bom(&bytes).filter(|(e, _)| *e != encoding_rs::UTF_8) {
            warnings.push(Code::Charset.with(format!("the file is in {} and was taken as UTF-8", encoding.name())));
            bytes = encoding.decode(&bytes).0.into_owned().into_bytes();
        }
        return Ok(Mime { bytes, ..Mime::default() });
    }
    let input = Arc::new(Input::open(path)?);
    let (bytes, large) = large::slim(&input, 0, input.len()).map_err(|e| e.in_file(path))?;
    Ok(Mime { bytes, large, ..Mime::default() })
}

/// When a file was changed, seconds since 1970 UTC.
pub(super) fn modified(path: &Path) -> Option<i64> {
    let time = std::fs::metadata(path).ok()?.modified().ok()?;
    i64::try_from(time.duration_since(std::time::UNIX_EPOCH).ok()?.as_secs()).ok()
}

fn is_compound(path: &Path) -> bool {
    let mut head = [0; 8];
    open_file(path).is_ok_and(|mut f| std::io::Read::read_exact(&mut f, &mut head).is_ok()) && msg::is_compound(&head)
}

/// Names files by their number in the folder and their subject.
#[derive(Default)]
pub(super) struct Numbered(HashMap<PathBuf, u64>);

impl Numbered {
    /// The path of the next file of a folder.
    pub fn next(&mut self, folder: &Path, subject: &str, ending: &str) -> PathBuf {
        let n = self.0.entry(folder.to_path_buf()).or_default();
        *n += 1;
        let name = if subject.is_empty() { "no subject".to_owned() } else { file_name(subject) };
        folder.join(format!("{n:06} {name}.{ending}"))
    }
}

/// Writes a tree of eml files.
pub struct EmlSink {
    folder: NewFolder,
    current: PathBuf,
    made: Made,
    numbered: Numbered,
    bytes: u64,
    mail: mime::Options,
}

impl EmlSink {
    /// Starts a tree.
    ///
    /// # Errors
    /// As [`NewFolder::create`].
    pub fn create(path: &Path, overwrite: bool, mail: mime::Options) -> Result<Self> {
        let folder = NewFolder::create(path, overwrite)?;
        let top = folder.path().to_path_buf();
        Ok(Self { current: top.clone(), made: Made::new(&top), folder, numbered: Numbered::default(), bytes: 0, mail })
    }
}

struct EmlPrepare(mime::Options);

impl Prepare for EmlPrepare {
    fn prepare(&self, _folder: &Folder, mut item: Item) -> Result<Prepared> {
        if let Body::Mapi(message) = &item.body
            && !item.associated
            && !(self.0.kept_mime && mime::kept_mime(message).is_some())
        {
            let mut out = TextItem { subject: mime::title_of(message), ..TextItem::default() };
            if let Some((ending, warnings)) = components::write(message, &self.0, &mut out.data)? {
                item.warnings.extend(warnings);
                out.ending = ending;
                let bytes = out.size();
                return Ok(Prepared {
                    payload: Box::new(out),
                    bytes,
                    id: item.id,
                    warnings: item.warnings,
                    content: None,
                    origin: None,
                });
            }
        }
        prepared(item, &Form { state: StateFields::Special, mail: self.0.clone(), ..Form::default() })
    }
}

/// An item in its MIME form, for any of the sinks that write such.
pub(super) fn prepared(item: Item, form: &Form) -> Result<Prepared> {
    let id = item.id.clone();
    let mut ready = text::ready(item, form)?;
    let (bytes, warnings) = (ready.size(), std::mem::take(&mut ready.warnings));
    Ok(Prepared { payload: Box::new(ready), bytes, id, warnings, content: None, origin: None })
}

/// The message inside a prepared item.
pub(super) fn unpack(item: Prepared) -> Result<Box<TextItem>> {
    item.payload
        .downcast::<TextItem>()
        .map_err(|_| Error::new(crate::Kind::Usage, "an item was prepared for another kind of target"))
}

impl Sink for EmlSink {
    fn preparer(&self) -> Arc<dyn Prepare> {
        Arc::new(EmlPrepare(self.mail.clone()))
    }

    fn folder(&mut self, folder: &Folder) -> Result<()> {
        self.current = self.made.folder(&folder.path)?;
        Ok(())
    }

    fn item(&mut self, item: Prepared) -> Result<Vec<Warning>> {
        let mut message = unpack(item)?;
        let path = self.numbered.next(&self.current, &mime::header_text(&message.subject), message.ending);
        self.bytes += text::write_file(&path, &mut message)?;
        Ok(Vec::new())
    }

    fn finish(self: Box<Self>) -> Result<Written> {
        let path = self.folder.target().to_path_buf();
        self.folder.commit()?;
        Ok(Written { path, bytes: self.bytes })
    }
}
