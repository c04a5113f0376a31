//! A file of JSON lines as a sink.

use super::value::Text;
use super::write;
use crate::endpoint::text::message_of;
use crate::error::{Error, Kind, Result};
use crate::io::{NewFile, Output};
use crate::mapi::{NamedProp, PropBag, Stream, Warning};
use crate::mime::ImportOptions;
use crate::pipeline::{Body, Folder, Item, Prepare, Prepared, Sink, Written};
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

/// Bytes that are written at once.
const HELD: usize = 1 << 20;
/// Bytes of a stream that are encoded at once; a multiple of three, so that pieces can be joined.
const PIECE: usize = 192 << 10;

/// Writes a file of JSON lines.
pub struct JsonSink {
    out: Lines,
    path: Vec<String>,
    folders: u64,
    items: u64,
    import: ImportOptions,
}

impl JsonSink {
    /// Starts a file.
    ///
    /// # Errors
    /// As [`NewFile::create`].
    pub fn create(path: &Path, overwrite: bool, import: ImportOptions) -> Result<Self> {
        let mut out = Lines { file: NewFile::create(path, overwrite)?, held: Vec::new(), written: 0 };
        out.push(write::header().as_bytes())?;
        Ok(Self { out, path: Vec::new(), folders: 0, items: 0, import })
    }
}

struct JsonPrepare(ImportOptions);

impl Prepare for JsonPrepare {
    fn prepare(&self, folder: &Folder, mut item: Item) -> Result<Prepared> {
        let mut warnings = std::mem::take(&mut item.warnings);
        let body = std::mem::replace(&mut item.body, Body::Mapi(Box::default()));
        let message = message_of(body, self.0, &mut warnings)?;
        let text = write::item(&folder.path, &item, &message, &mut warnings);
        Ok(Prepared {
            bytes: text.bytes.len() as u64,
            payload: Box::new(text),
            id: item.id,
            warnings,
            content: None,
            origin: None,
        })
    }
}

impl Sink for JsonSink {
    fn preparer(&self) -> Arc<dyn Prepare> {
        Arc::new(JsonPrepare(self.import))
    }

    fn names(&mut self, names: &[NamedProp]) {
        if !names.is_empty() {
            self.out.held.extend(write::names(names));
        }
    }

    fn store(&mut self, under: &[String], title: &str, props: &PropBag) -> Result<()> {
        self.out.text(&write::store(under, title, props))
    }

    fn folder(&mut self, folder: &Folder) -> Result<()> {
        self.folders += 1;
        self.path.clone_from(&folder.path);
        self.out.text(&write::folder(folder))
    }

    fn item(&mut self, item: Prepared) -> Result<Vec<Warning>> {
        let Ok(text) = item.payload.downcast::<Text>() else {
            return Err(Error::new(Kind::Usage, "an item was prepared for another kind of target"));
        };
        self.out.text(&text)?;
        self.items += 1;
        Ok(Vec::new())
    }

    fn finish(mut self: Box<Self>) -> Result<Written> {
        self.out.push(write::end(self.folders, self.items).as_bytes())?;
        let path = self.out.file.path().to_path_buf();
        let bytes = self.out.commit()?;
        Ok(Written { path, bytes })
    }
}

/// The file as far as it is written. A line that cannot be written whole is taken back.
struct Lines {
    file: NewFile,
    held: Vec<u8>,
    /// Bytes before those that are held.
    written: u64,
}

impl Lines {
    fn push(&mut self, bytes: &[u8]) -> Result<()> {
        self.held.extend_from_slice(bytes);
        if self.held.len() >= HELD {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        self.file.write_at(&self.held, self.written)?;
        self.written += self.held.len() as u64;
        self.held.clear();
        Ok(())
    }

    /// Writes a line with its streams.
    ///
    /// # Errors
    /// [`Kind::Limit`] when a stream cannot be read: the line is then not there.
    fn text(&mut self, text: &Text) -> Result<()> {
        let start = self.written + self.held.len() as u64;
        let mut from = 0;
        for (at, stream) in &text.streams {
            self.push(text.bytes.get(from..*at).unwrap_or_default())?;
            from = *at;
            match self.stream(&**stream) {
                Ok(()) => {}
                Err(Failed { reading: true, error }) => {
                    self.back_to(start);
                    return Err(Error::new(Kind::Limit, format!("a long value cannot be read: {error}")));
                }
                Err(Failed { error, .. }) => return Err(error),
            }
        }
        self.push(text.bytes.get(from..).unwrap_or_default())
    }

    fn stream(&mut self, stream: &dyn Stream) -> std::result::Result<(), Failed> {
        let reading = |error| Failed { reading: true, error };
        let mut reader = stream.open().map_err(reading)?;
        let (mut piece, mut text) = (Vec::with_capacity(PIECE), Vec::new());
        loop {
            piece.clear();
            let read = reader.by_ref().take(PIECE as u64).read_to_end(&mut piece);
            read.map_err(|e| reading(Error::new(Kind::Io, e.to_string())))?;
            if piece.is_empty() {
                return Ok(());
            }
            text.clear();
            base64_simd::STANDARD.encode_append(&piece, &mut text);
            self.push(&text).map_err(|error| Failed { reading: false, error })?;
        }
    }

    fn back_to(&mut self, start: u64) {
        let kept = start.saturating_sub(self.written) as usize;
        if start < self.written {
            self.written = start;
        }
        self.held.truncate(kept);
    }

    /// Gives the file its name; returns its size.
    fn commit(mut self) -> Result<u64> {
        self.flush()?;
        // What was taken back may stand behind the end.
        Output::set_len(&mut self.file, self.written)?;
        self.file.commit()?;
        Ok(self.written)
    }
}

/// Why a stream could not be copied.
struct Failed {
    reading: bool,
    error: Error,
}
