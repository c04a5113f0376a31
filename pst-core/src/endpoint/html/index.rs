//! The lists of folders: which messages are in each, and which folders.

use super::clean::escape;
use super::page::{Entry, GENERATOR, bytes, date, head};
use crate::endpoint::text::Unique;
use crate::error::{Error, Result};
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

/// Messages in one list.
const PER_PAGE: u64 = 1000;
/// The list of a folder.
pub(super) const NAME: &str = "index.html";
/// Where the rows of a list wait until the folder is complete.
const ROWS: &str = ".rows";

/// A folder on disk.
pub(super) struct Listed {
    /// Its names from the top on; empty for the top.
    pub path: Vec<String>,
    pub at: PathBuf,
    pub items: u64,
}

impl Listed {
    /// Takes the names that the lists of a folder need.
    ///
    /// # Errors
    /// [`crate::Kind::Io`], naming the file.
    pub fn create(path: Vec<String>, at: PathBuf) -> Result<Self> {
        let list = at.join(NAME);
        File::create_new(&list).map_err(|e| Error::io("cannot create", list, e))?;
        Ok(Self { path, at, items: 0 })
    }

    /// The file that rows are appended to.
    ///
    /// # Errors
    /// [`crate::Kind::Io`], naming the file.
    pub fn rows(&self) -> Result<BufWriter<File>> {
        let rows = self.at.join(ROWS);
        let file = File::options().create(true).append(true).open(&rows);
        file.map(BufWriter::new).map_err(|e| Error::io("cannot create", rows, e))
    }

    fn name<'a>(&'a self, title: &'a str) -> &'a str {
        self.path.last().map_or(title, String::as_str)
    }
}

/// True for a folder with a list that this program wrote.
pub fn is_target(folder: &Path) -> bool {
    let mut head = String::new();
    let read = File::open(folder.join(NAME)).and_then(|f| f.take(2000).read_to_string(&mut head));
    read.is_ok() && head.contains(GENERATOR)
}

/// The row of a message, one line.
pub(super) fn row(entry: &Entry, link: &str, size: u64, associated: bool) -> String {
    let line = |text: &str| escape(text).replace(['\r', '\n'], " ");
    let date = entry.date.map(date).unwrap_or_default();
    let files = if entry.files > 0 { format!(" <small>+{}</small>", entry.files) } else { String::new() };
    let hidden = if associated { " <small>associated</small>" } else { "" };
    let size = if size > 0 { bytes(size) } else { String::new() };
    format!(
        "<tr><td>{date}</td><td>{}</td><td><a href=\"{link}\">{}</a>{files}{hidden}</td><td>{size}</td></tr>\n",
        line(&entry.from),
        line(&entry.subject)
    )
}

/// Writes the lists of all folders; returns their size.
///
/// # Errors
/// [`crate::Kind::Io`], naming the file.
pub(super) fn write(title: &str, folders: &[Listed]) -> Result<u64> {
    let mut written = 0;
    for folder in folders {
        written += List { title, folder, folders }.write()?;
    }
    Ok(written)
}

struct List<'a> {
    title: &'a str,
    folder: &'a Listed,
    folders: &'a [Listed],
}

impl List<'_> {
    fn write(&self) -> Result<u64> {
        let at = &self.folder.at;
        let rows = at.join(ROWS);
        let mut lines = File::open(&rows).ok().map(BufReader::new);
        let pages = self.folder.items.div_ceil(PER_PAGE).max(1);
        let mut names = Unique::default();
        let mut files = Vec::new();
        for n in 1..=pages {
            files.push(if n == 1 {
                let list = at.join(NAME);
                (list.clone(), File::create(&list).map_err(|e| Error::io("cannot write", list, e))?)
            } else {
                names.create(at, &format!("index-{n}.html"))?
            });
        }
        let links: Vec<String> = files.iter().map(|(path, _)| encoded(path)).collect();
        let mut written = 0;
        for (n, (path, file)) in files.into_iter().enumerate() {
            let failed = |e| Error::io("cannot write", &path, e);
            let mut text = self.start(n == 0);
            let around = self.pages(&links, n);
            text.push_str(&around);
            if self.folder.items > 0 {
                text.push_str("<table>\n<thead><tr><th>Date</th><th>From</th><th>Subject</th><th>Size</th></tr></thead>\n<tbody>\n");
                for _ in 0..PER_PAGE {
                    if lines.as_mut().is_none_or(|l| l.read_line(&mut text).is_ok_and(|n| n == 0)) {
                        break;
                    }
                }
                text.push_str("</tbody>\n</table>\n");
            }
            text.push_str(&around);
            text.push_str("</body>\n</html>\n");
            let mut file = BufWriter::new(file);
            file.write_all(text.as_bytes()).and_then(|()| file.flush()).map_err(failed)?;
            written += text.len() as u64;
        }
        drop(lines);
        if self.folder.items > 0 {
            std::fs::remove_file(&rows).map_err(|e| Error::io("cannot remove", rows, e))?;
        }
        Ok(written)
    }

    /// Head, the way up, and on the first page the folders below.
    fn start(&self, first: bool) -> String {
        let name = self.folder.name(self.title);
        let mut out = head(name, "");
        let depth = self.folder.path.len();
        if depth > 0 {
            out.push_str("<nav>");
            let above = std::iter::once(self.title).chain(self.folder.path.iter().map(String::as_str));
            for (i, name) in above.take(depth).enumerate() {
                let _ = write!(out, "<a href=\"{}{NAME}\">{}</a> / ", "../".repeat(depth - i), escape(name));
            }
            let _ = writeln!(out, "{}</nav>", escape(name));
        }
        let _ = writeln!(out, "<h1>{}</h1>", escape(name));
        if first {
            self.below(&mut out);
        }
        out
    }

    /// The folders below: all of them at the top, else those right below.
    fn below(&self, out: &mut String) {
        let depth = self.folder.path.len();
        let inside = |f: &&Listed| f.path.len() > depth && f.path.starts_with(&self.folder.path);
        let near = |f: &&Listed| depth == 0 || f.path.len() == depth + 1;
        let mut list = String::new();
        for folder in self.folders.iter().filter(inside).filter(near) {
            let below = folder.at.strip_prefix(&self.folder.at).unwrap_or(&folder.at);
            let parts: Vec<String> = below.components().map(|c| percent(&c.as_os_str().to_string_lossy())).collect();
            let name = folder.path.get(depth..).unwrap_or_default().join(" / ");
            let (link, items) = (parts.join("/"), folder.items);
            let _ = writeln!(list, "<li><a href=\"{link}/{NAME}\">{}</a> <small>{items}</small></li>", escape(&name));
        }
        if !list.is_empty() {
            let _ = write!(out, "<ul>\n{list}</ul>\n");
        }
    }

    /// Links to the parts of a long list.
    fn pages(&self, links: &[String], this: usize) -> String {
        if links.len() < 2 {
            return String::new();
        }
        let mut out = format!("<nav>{} messages:", self.folder.items);
        for (n, link) in links.iter().enumerate() {
            if n == this {
                let _ = write!(out, " {}", n + 1);
            } else {
                let _ = write!(out, " <a href=\"{link}\">{}</a>", n + 1);
            }
        }
        out.push_str("</nav>\n");
        out
    }
}

/// The last name of a path as an address.
pub(super) fn encoded(path: &Path) -> String {
    path.file_name().map(|name| percent(&name.to_string_lossy())).unwrap_or_default()
}

/// A name as a part of an address.
pub(super) fn percent(name: &str) -> String {
    name.bytes().fold(String::with_capacity(name.len()), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}
