//! What went wrong, where, and in which file.

use std::fmt;
use std::path::{Path, PathBuf};

/// The result of every fallible call in this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// The kind of trouble, for programs; the text of the [`Error`] is for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// The file is not of the kind it was taken for.
    NotThisKind,
    /// A variant or feature that this program does not handle.
    Unsupported,
    /// The file ends before a structure that it promises.
    Truncated,
    /// A structure contradicts itself or another one.
    Damaged,
    /// Something that was asked for is not there.
    NotFound,
    /// An item was there when its folder was listed, and was deleted in the source since.
    Gone,
    /// The target exists already.
    Exists,
    /// A limit of the format or of this program would be passed.
    Limit,
    /// The operating system refused.
    Io,
    /// The caller asked for something that makes no sense.
    Usage,
    /// Stopped by the user.
    Interrupted,
    /// A server cannot be reached, has dropped the connection, or cannot prove who it is.
    Connection,
    /// A server has refused the sign-in.
    Denied,
    /// A server has refused what it was asked for, or has answered nonsense.
    Server,
}

/// Where a structure stands: its name and, where known, its file offset and its id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// The structure by its name in the specification ("block trailer", "heap").
    pub structure: &'static str,
    /// Offset in the file, bytes.
    pub offset: Option<u64>,
    /// A BID, NID or other id, printed in hexadecimal.
    pub id: Option<u64>,
}

/// An error: kind, place, file and a sentence.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: Kind,
    place: Place,
    path: Option<PathBuf>,
    text: String,
    source: Option<std::io::Error>,
}

impl Error {
    /// An error with a sentence that says what is wrong and with which value.
    pub fn new(kind: Kind, text: impl Into<String>) -> Self {
        Self(Box::new(Inner { kind, place: Place::default(), path: None, text: text.into(), source: None }))
    }

    /// Shorthand for [`Kind::Damaged`] in a named structure.
    pub fn damaged(structure: &'static str, text: impl Into<String>) -> Self {
        Self::new(Kind::Damaged, text).within(structure)
    }

    /// An error of the operating system while doing `what` to `path`.
    pub fn io(what: &str, path: impl AsRef<Path>, source: std::io::Error) -> Self {
        Self::system(what, source).in_file(path)
    }

    /// An error of the operating system while doing `what`.
    pub fn system(what: &str, source: std::io::Error) -> Self {
        let mut e = Self::new(Kind::Io, format!("{what}: {source}"));
        e.0.source = Some(source);
        e
    }

    /// The same trouble at the same place, told in other words.
    pub fn retold(&self, kind: Kind, text: impl Into<String>) -> Self {
        let mut out = Self::new(kind, text);
        (out.0.place, out.0.path) = (self.0.place.clone(), self.0.path.clone());
        out
    }

    /// Names the structure, unless a more precise one is already named.
    pub fn within(mut self, structure: &'static str) -> Self {
        if self.0.place.structure.is_empty() {
            self.0.place.structure = structure;
        }
        self
    }

    /// Adds the file offset, unless one is already known.
    pub fn at(mut self, offset: u64) -> Self {
        self.0.place.offset.get_or_insert(offset);
        self
    }

    /// Adds the id (BID, NID), unless one is already known.
    pub fn id(mut self, id: u64) -> Self {
        self.0.place.id.get_or_insert(id);
        self
    }

    /// Adds the file, unless one is already known.
    pub fn in_file(mut self, path: impl AsRef<Path>) -> Self {
        self.0.path.get_or_insert_with(|| path.as_ref().to_path_buf());
        self
    }

    /// The kind of trouble.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// Where it happened.
    pub fn place(&self) -> &Place {
        &self.0.place
    }

    /// The file it happened in, where known.
    pub fn path(&self) -> Option<&Path> {
        self.0.path.as_deref()
    }

    /// The sentence alone, without file and place.
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// The operating system's error kind, where there is one.
    pub fn io_kind(&self) -> Option<std::io::ErrorKind> {
        self.0.source.as_ref().map(std::io::Error::kind)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { place, path, text, .. } = &*self.0;
        if let Some(path) = path {
            write!(f, "{}: ", path.display())?;
        }
        f.write_str(text)?;
        let mut parts = Vec::new();
        if !place.structure.is_empty() {
            parts.push(place.structure.to_owned());
        }
        if let Some(id) = place.id {
            parts.push(format!("id 0x{id:X}"));
        }
        if let Some(offset) = place.offset {
            parts.push(format!("offset 0x{offset:X}"));
        }
        if !parts.is_empty() {
            write!(f, " ({})", parts.join(", "))?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_ref().map(|e| e as _)
    }
}
