//! A new Unicode PST as a sink.

use crate::endpoint::text::message_of;
use crate::error::{Error, Kind, Result};
use crate::mapi::{Message, NamedProp, PropBag, Warning};
use crate::messaging::write::{FolderId, Options, PreparedMessage, SharedNames, StoreWriter, weight};
use crate::mime::ImportOptions;
use crate::ndb::Crypt;
use crate::pipeline::{Folder, Item, Prepare, Prepared, Role, Sink, Written};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Writes a PST.
pub struct PstSink {
    writer: StoreWriter,
    path: PathBuf,
    folders: HashMap<Vec<String>, FolderId>,
    current: FolderId,
    import: ImportOptions,
}

impl PstSink {
    /// Starts a file.
    ///
    /// # Errors
    /// As [`StoreWriter::create`].
    pub fn create(path: &Path, options: Options, import: ImportOptions) -> Result<Self> {
        let writer = StoreWriter::create(path, options)?;
        let current = writer.top();
        let folders = HashMap::from([(Vec::new(), current)]);
        Ok(Self { folders, current, writer, path: path.to_path_buf(), import })
    }
}

/// What travels from the threads to the writer.
enum Ready {
    Built(PreparedMessage),
    /// Uses names that are not numbered yet; built when its turn comes, so that numbers follow the order of items.
    Later {
        message: Box<Message>,
        associated: bool,
    },
}

struct PstPrepare {
    names: SharedNames,
    crypt: Crypt,
    import: ImportOptions,
}

impl Prepare for PstPrepare {
    fn prepare(&self, _folder: &Folder, item: Item) -> Result<Prepared> {
        let mut warnings = item.warnings;
        let message = message_of(item.body, self.import, &mut warnings)?;
        let built = PreparedMessage::new(&message, &self.names.read(), item.associated, self.crypt)?;
        let (ready, bytes) = match built {
            Some(mut built) => {
                warnings.append(&mut built.warnings);
                let size = built.size();
                (Ready::Built(built), size)
            }
            None => {
                let bytes = weight(&message);
                (Ready::Later { message, associated: item.associated }, bytes)
            }
        };
        Ok(Prepared { payload: Box::new(ready), bytes, id: item.id, warnings, content: None })
    }
}

/// An error after which the file can still be written, as [`Sink::item`] marks it.
fn this_item_only(e: &Error) -> Error {
    let place = e.place().clone();
    let mut out = Error::new(Kind::Limit, e.text()).within(place.structure);
    if let Some(offset) = place.offset {
        out = out.at(offset);
    }
    if let Some(id) = place.id {
        out = out.id(id);
    }
    out
}

impl Sink for PstSink {
    fn preparer(&self) -> Arc<dyn Prepare> {
        Arc::new(PstPrepare { names: self.writer.names(), crypt: self.writer.crypt(), import: self.import })
    }

    fn names(&mut self, names: &[NamedProp]) {
        // What does not fit is found again, item by item, and reported there.
        let _ = self.writer.register(names);
    }

    fn folder(&mut self, folder: &Folder) -> Result<()> {
        let mut at = self.writer.top();
        for depth in 1..=folder.path.len() {
            let path = folder.path.get(..depth).unwrap_or_default();
            if let Some(known) = self.folders.get(path) {
                at = *known;
                continue;
            }
            let last = depth == folder.path.len();
            let name = path.last().map_or("", String::as_str);
            let role = match depth {
                _ if last => folder.role,
                1 => Role::of_name(name),
                _ => Role::None,
            };
            let is_new = !self.folders.values().any(|f| *f == self.writer.deleted());
            let id = if role == Role::Deleted && depth == 1 && is_new {
                self.writer.rename(self.writer.deleted(), name);
                self.writer.deleted()
            } else {
                let class = folder.class.as_deref().filter(|_| last);
                self.writer.add_folder(at, name, role, class, &PropBag::default())?
            };
            if last {
                self.writer.folder_props(id, &folder.props)?;
            }
            self.folders.insert(path.to_vec(), id);
            at = id;
        }
        self.current = at;
        Ok(())
    }

    fn item(&mut self, item: Prepared) -> Result<Vec<Warning>> {
        let Ok(ready) = item.payload.downcast::<Ready>() else {
            return Err(Error::new(Kind::Usage, "an item was prepared for another kind of target"));
        };
        let added = match *ready {
            Ready::Built(built) => self.writer.add_prepared(self.current, built).map(|()| Vec::new()),
            Ready::Later { message, associated } => self.writer.add(self.current, &message, associated),
        };
        added.map_err(|e| if self.writer.failed() { e } else { this_item_only(&e) })
    }

    fn finish(self: Box<Self>) -> Result<Written> {
        let bytes = self.writer.finish()?;
        Ok(Written { path: self.path, bytes })
    }
}
