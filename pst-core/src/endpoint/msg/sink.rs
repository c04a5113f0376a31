//! A tree of .msg files as a sink.

use super::write;
use crate::endpoint::eml::Numbered;
use crate::endpoint::text::{Made, NewFolder, message_of};
use crate::error::{Error, Kind, Result};
use crate::mapi::{PropBag, Value, Warning, tag};
use crate::mime::ImportOptions;
use crate::pipeline::{Folder, Item, Prepare, Prepared, Sink, Written};
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::SpooledTempFile;

/// Files larger than this wait on disk until they are written.
const HELD: usize = 8 << 20;

/// Writes a tree of .msg files.
pub struct MsgSink {
    folder: NewFolder,
    current: PathBuf,
    made: Made,
    numbered: Numbered,
    bytes: u64,
    import: ImportOptions,
}

impl MsgSink {
    /// Starts a tree.
    ///
    /// # Errors
    /// As [`NewFolder::create`].
    pub fn create(path: &Path, overwrite: bool, import: ImportOptions) -> Result<Self> {
        let folder = NewFolder::create(path, overwrite)?;
        let top = folder.path().to_path_buf();
        let made = Made::new(&top);
        Ok(Self { folder, current: top, made, numbered: Numbered::default(), bytes: 0, import })
    }
}

struct Ready {
    data: SpooledTempFile,
    subject: String,
}

struct MsgPrepare(ImportOptions);

impl Prepare for MsgPrepare {
    fn prepare(&self, _folder: &Folder, item: Item) -> Result<Prepared> {
        let mut warnings = item.warnings;
        let message = message_of(item.body, self.0, &mut warnings)?;
        let (mut data, lost) = write::write(&message, SpooledTempFile::new(HELD))?;
        warnings.extend(lost);
        let bytes = data.stream_position().unwrap_or_default().min(HELD as u64);
        let payload = Box::new(Ready { data, subject: subject(&message.props) });
        Ok(Prepared { payload, bytes, id: item.id, warnings, content: None, origin: None })
    }
}

fn subject(props: &PropBag) -> String {
    let text = props.any(tag::SUBJECT.id()).and_then(Value::to_text).unwrap_or_default();
    if text.starts_with('\u{1}') { text.chars().skip(2).collect() } else { text }
}

impl Sink for MsgSink {
    fn preparer(&self) -> Arc<dyn Prepare> {
        Arc::new(MsgPrepare(self.import))
    }

    fn folder(&mut self, folder: &Folder) -> Result<()> {
        self.current = self.made.folder(&folder.path)?;
        Ok(())
    }

    fn item(&mut self, item: Prepared) -> Result<Vec<Warning>> {
        let Ok(mut ready) = item.payload.downcast::<Ready>() else {
            return Err(Error::new(Kind::Usage, "an item was prepared for another kind of target"));
        };
        let path = self.numbered.next(&self.current, &ready.subject, "msg");
        let failed = |e| Error::io("cannot write", &path, e);
        ready.data.rewind().map_err(failed)?;
        let mut file = std::fs::File::create_new(&path).map_err(failed)?;
        self.bytes += std::io::copy(&mut ready.data.by_ref(), &mut file).map_err(failed)?;
        Ok(Vec::new())
    }

    fn finish(self: Box<Self>) -> Result<Written> {
        let path = self.folder.target().to_path_buf();
        self.folder.commit()?;
        Ok(Written { path, bytes: self.bytes })
    }
}
