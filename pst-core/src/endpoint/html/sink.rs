//! A tree of pages as a sink.

use super::index::{self, Listed, encoded, percent};
use super::page::{Beside, Entry, Link, Page};
use crate::endpoint::eml::Numbered;
use crate::endpoint::text::{Made, NewFolder, Unique, message_of};
use crate::error::{Error, Kind, Result};
use crate::mapi::{Blob, Code, Warning, tag};
use crate::mime::{self, ImportOptions};
use crate::pipeline::{Body, Folder, Item, Prepare, Prepared, Sink, Written};
use std::collections::HashMap;
use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Bytes copied at once.
const PIECE: usize = 256 << 10;

/// Writes a tree of pages.
pub struct HtmlSink {
    folder: NewFolder,
    title: String,
    made: Made,
    folders: Vec<Listed>,
    by_path: HashMap<Vec<String>, usize>,
    current: usize,
    rows: Option<BufWriter<File>>,
    numbered: Numbered,
    bytes: u64,
    import: ImportOptions,
    mail: mime::Options,
}

impl HtmlSink {
    /// Starts a tree; the title is that of its first page.
    ///
    /// # Errors
    /// As [`NewFolder::create`].
    pub fn create(
        path: &Path,
        overwrite: bool,
        title: &str,
        import: ImportOptions,
        mail: mime::Options,
    ) -> Result<Self> {
        let folder = NewFolder::create(path, overwrite)?;
        let top = folder.path().to_path_buf();
        Ok(Self {
            made: Made::new(&top),
            folders: vec![Listed::create(Vec::new(), top)?],
            by_path: HashMap::from([(Vec::new(), 0)]),
            folder,
            title: title.to_owned(),
            current: 0,
            rows: None,
            numbered: Numbered::default(),
            bytes: 0,
            import,
            mail,
        })
    }

    fn flush(&mut self) -> Result<()> {
        let Some(mut rows) = self.rows.take() else { return Ok(()) };
        rows.flush().map_err(|e| Error::io("cannot write", self.folder.path(), e))
    }

    /// A new file for a page, and the folder of what stands beside it.
    fn place(&mut self, subject: &str) -> Result<(PathBuf, File)> {
        let at = self.folders.get(self.current).map(|f| f.at.clone()).unwrap_or_default();
        loop {
            let path = self.numbered.next(&at, subject, "html");
            match File::create_new(&path) {
                Ok(file) => return Ok((path, file)),
                Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(e) => return Err(Error::io("cannot create", path, e)),
            }
        }
    }
}

struct Ready {
    page: Page,
    entry: Entry,
    size: u64,
    associated: bool,
}

struct HtmlPrepare {
    title: String,
    import: ImportOptions,
    mail: mime::Options,
}

impl Prepare for HtmlPrepare {
    fn prepare(&self, folder: &Folder, item: Item) -> Result<Prepared> {
        let mut warnings = item.warnings;
        let mime_size = match &item.body {
            Body::Mime(m) => Some(m.bytes.len() as u64 + m.large.iter().map(|p| p.raw.len()).sum::<u64>()),
            Body::Mapi(_) => None,
        };
        let message = message_of(item.body, self.import, &mut warnings)?;
        let stored = message.props.i32(tag::MESSAGE_SIZE).and_then(|n| u64::try_from(n).ok());
        let up = folder.path.last().unwrap_or(&self.title);
        let (page, entry) = Page::of(*message, up, &self.mail, &mut warnings)?;
        let bytes = page.held();
        let size = mime_size.or(stored).unwrap_or_default();
        let ready = Ready { page, entry, size, associated: item.associated };
        Ok(Prepared { payload: Box::new(ready), bytes, id: item.id, warnings, content: None, origin: None })
    }
}

impl Sink for HtmlSink {
    fn preparer(&self) -> Arc<dyn Prepare> {
        Arc::new(HtmlPrepare { title: self.title.clone(), import: self.import, mail: self.mail.clone() })
    }

    fn folder(&mut self, folder: &Folder) -> Result<()> {
        self.flush()?;
        for depth in 0..=folder.path.len() {
            let path = folder.path.get(..depth).unwrap_or_default().to_vec();
            self.current = match self.by_path.get(&path) {
                Some(known) => *known,
                None => {
                    let at = self.made.folder(&path)?;
                    self.by_path.insert(path.clone(), self.folders.len());
                    self.folders.push(Listed::create(path, at)?);
                    self.folders.len() - 1
                }
            };
        }
        Ok(())
    }

    fn item(&mut self, item: Prepared) -> Result<Vec<Warning>> {
        let Ok(ready) = item.payload.downcast::<Ready>() else {
            return Err(Error::new(Kind::Usage, "an item was prepared for another kind of target"));
        };
        let Ready { page, entry, size, associated } = *ready;
        let (path, file) = self.place(&entry.subject)?;
        let mut writer = Writer::new(&path);
        writer.page(&page, file, &path, index::NAME)?;
        self.bytes += writer.bytes;
        let row = index::row(&entry, &encoded(&path), size, associated);
        let Some(folder) = self.folders.get_mut(self.current) else { return Ok(writer.warnings) };
        folder.items += 1;
        if self.rows.is_none() {
            self.rows = Some(folder.rows()?);
        }
        if let Some(rows) = &mut self.rows {
            rows.write_all(row.as_bytes()).map_err(|e| Error::io("cannot write", &folder.at, e))?;
        }
        Ok(writer.warnings)
    }

    fn finish(mut self: Box<Self>) -> Result<Written> {
        self.flush()?;
        self.bytes += index::write(&self.title, &self.folders)?;
        let path = self.folder.target().to_path_buf();
        self.folder.commit()?;
        Ok(Written { path, bytes: self.bytes })
    }
}

/// Writes the page of an item, and in one folder beside it what belongs to it, on all levels.
struct Writer {
    beside: PathBuf,
    /// True once that folder is there.
    made: bool,
    names: Unique,
    bytes: u64,
    warnings: Vec<Warning>,
}

impl Writer {
    fn new(page: &Path) -> Self {
        let beside = page.with_extension("files");
        Self { beside, made: false, names: Unique::default(), bytes: 0, warnings: Vec::new() }
    }

    fn create(&mut self, name: &str) -> Result<(PathBuf, File)> {
        if !self.made {
            let base = self.beside.clone();
            let mut n = 1;
            // A folder of mail may have the name.
            while self.beside.symlink_metadata().is_ok() {
                n += 1;
                self.beside = base.with_extension(format!("files{n}"));
            }
            std::fs::create_dir(&self.beside).map_err(|e| Error::io("cannot create", &self.beside, e))?;
            self.made = true;
        }
        self.names.create(&self.beside, name)
    }

    /// Recursion ends where pages inside pages end.
    fn page(&mut self, page: &Page, mut file: File, path: &Path, up: &str) -> Result<()> {
        let is_beside = path.parent() == Some(self.beside.as_path());
        let own = encoded(path);
        let mut addresses = Vec::with_capacity(page.files.len());
        for one in &page.files {
            let written = match one {
                Beside::File { name, data } => self.file(name, data)?,
                Beside::Page(inner) => {
                    let (inner_path, inner_file) = self.create(&format!("{}.html", inner.title))?;
                    let up = if is_beside { own.clone() } else { format!("../{own}") };
                    self.page(inner, inner_file, &inner_path, &up)?;
                    Some(inner_path)
                }
            };
            addresses.push(written.map(|to| {
                let name = encoded(&to);
                let folder = self.beside.file_name().map(|n| percent(&n.to_string_lossy())).unwrap_or_default();
                if is_beside { name } else { format!("{folder}/{name}") }
            }));
        }
        let mut text = String::with_capacity(page.text.len() + 64 * page.links.len());
        let mut from = 0;
        for (at, link) in &page.links {
            text.push_str(page.text.get(from..*at).unwrap_or_default());
            from = *at;
            text.push_str(match link {
                Link::Up => up,
                Link::File(i) => addresses.get(*i).and_then(Option::as_deref).unwrap_or("#"),
            });
        }
        text.push_str(page.text.get(from..).unwrap_or_default());
        file.write_all(text.as_bytes()).map_err(|e| Error::io("cannot write", path, e))?;
        self.bytes += text.len() as u64;
        Ok(())
    }

    /// Writes a file; `None` if its data cannot be read.
    fn file(&mut self, name: &str, data: &Blob) -> Result<Option<PathBuf>> {
        let (path, mut file) = self.create(name)?;
        let mut piece = vec![0; PIECE.min(data.len() as usize + 1)];
        let mut reader = match data.open() {
            Ok(reader) => reader,
            Err(e) => return self.unread(&path, name, &e.to_string()),
        };
        loop {
            let n = match reader.read(&mut piece) {
                Ok(0) => return Ok(Some(path)),
                Ok(n) => n,
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(e) => return self.unread(&path, name, &e.to_string()),
            };
            file.write_all(piece.get(..n).unwrap_or_default()).map_err(|e| Error::io("cannot write", &path, e))?;
            self.bytes += n as u64;
        }
    }

    fn unread(&mut self, path: &Path, name: &str, reason: &str) -> Result<Option<PathBuf>> {
        self.warnings
            .push(Code::Damaged.with(format!("the attachment {name} is left out: it cannot be read: {reason}")));
        std::fs::remove_file(path).map_err(|e| Error::io("cannot remove", path, e))?;
        Ok(None)
    }
}
