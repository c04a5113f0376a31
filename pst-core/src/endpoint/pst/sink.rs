//! A Unicode PST as a sink: a new one, or an existing one that is added to.

use crate::endpoint::text::{message_of, state_of};
use crate::error::{Error, Kind, Result};
use crate::io::Output;
use crate::mapi::{Message, NamedProp, PropBag, Warning, tag};
use crate::messaging::write::{FolderId, Options, PreparedMessage, SharedNames, StoreWriter, weight};
use crate::mime::{self, ImportOptions};
use crate::ndb::{Crypt, Nid};
use crate::pipeline::dedupe::{self, Key};
use crate::pipeline::journal::Change;
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
    /// True for a store that was there before.
    adding: bool,
    /// The folder that takes in the source at hand.
    under: Vec<String>,
    /// A journal is kept: the content of items is told.
    journaled: bool,
    /// The last message written.
    last: Nid,
}

impl PstSink {
    /// Starts a PST on a file that is open already; `path` is what it is called.
    ///
    /// # Errors
    /// As [`StoreWriter::create_on`].
    pub fn create_on(file: Box<dyn Output>, path: &Path, options: Options, import: ImportOptions) -> Result<Self> {
        Ok(Self::over(StoreWriter::create_on(file, options)?, path, import, false))
    }

    /// Starts a new PST.
    ///
    /// # Errors
    /// As [`StoreWriter::create`].
    pub fn create(path: &Path, options: Options, import: ImportOptions) -> Result<Self> {
        Ok(Self::over(StoreWriter::create(path, options)?, path, import, false))
    }

    /// Opens an existing store to add to it. Its folders go on: the one of a role takes in what has that role, others are
    /// found by their paths, whatever the case of their letters. Each [`Sink::flush`] is a commit.
    ///
    /// # Errors
    /// As [`StoreWriter::open`].
    pub fn open(path: &Path, options: Options, import: ImportOptions) -> Result<Self> {
        Ok(Self::over(StoreWriter::open(path, options)?, path, import, true))
    }

    /// Makes an empty store, whole and durable, and opens it to add to it.
    ///
    /// # Errors
    /// As [`StoreWriter::create`] and [`StoreWriter::open`].
    pub fn create_in_place(path: &Path, options: Options, import: ImportOptions) -> Result<Self> {
        // Of an empty store no key can be made that tells it from others.
        let record_key = options.record_key.unwrap_or_else(new_key);
        StoreWriter::create(path, Options { record_key: Some(record_key), ..options.clone() })?.finish()?;
        Self::open(path, options, import)
    }

    /// Opens the store that is there, or makes it, to add to it.
    ///
    /// # Errors
    /// As [`PstSink::open`] and [`PstSink::create_in_place`].
    pub fn grow(path: &Path, options: Options, import: ImportOptions) -> Result<Self> {
        let made = if path.exists() { None } else { Some(Self::create_in_place(path, options.clone(), import)) };
        match made {
            // Another run was faster.
            Some(Err(e)) if e.kind() != Kind::Exists => Err(e),
            Some(Ok(sink)) => Ok(sink),
            _ => Self::open(path, options, import),
        }
    }

    /// The store being written.
    pub fn writer(&mut self) -> &mut StoreWriter {
        &mut self.writer
    }

    fn over(writer: StoreWriter, path: &Path, import: ImportOptions, adding: bool) -> Self {
        let current = writer.top();
        let folders = HashMap::from([(Vec::new(), current)]);
        Self {
            folders,
            current,
            writer,
            path: path.to_path_buf(),
            import,
            adding,
            under: Vec::new(),
            journaled: false,
            last: Nid(0),
        }
    }

    /// The same sink, which tells the content of items to a journal.
    #[must_use]
    pub fn keeping_journal(self) -> Self {
        Self { journaled: true, ..self }
    }

    /// Bytes of the file that are in use.
    pub(super) fn used(&self) -> u64 {
        self.writer.used()
    }

    /// How data blocks are encoded.
    pub(super) fn crypt(&self) -> Crypt {
        self.writer.crypt()
    }

    /// True if any folder had an item at the last commit.
    pub(super) fn has_items(&self) -> bool {
        self.writer.has_items()
    }

    /// Goes to a folder as [`Sink::folder`] does, if the store has it.
    pub(super) fn enter(&mut self, folder: &Folder) -> bool {
        let mut at = self.writer.top();
        for (depth, name) in (1..).zip(&folder.path) {
            let path = folder.path.get(..depth).unwrap_or_default();
            let Some(id) = self.known(at, path, name, role_of(folder, depth)) else { return false };
            at = id;
        }
        self.current = at;
        true
    }

    /// The folder of a path if it is there, and remembers it.
    fn known(&mut self, parent: FolderId, path: &[String], name: &str, role: Role) -> Option<FolderId> {
        if let Some(known) = self.folders.get(path) {
            return Some(*known);
        }
        let id = self.existing(parent, name, role)?;
        self.folders.insert(path.to_vec(), id);
        Some(id)
    }

    /// Numbers named properties as another store does, and goes on so with it; for a store without items.
    pub(super) fn share_names(&mut self, other: &Self) {
        self.writer.share_names(other.writer.names());
    }

    /// Marks an error after which the file can still be written, as [`Sink::item`] and [`Sink::change`] do.
    fn marked(&self, e: Error) -> Error {
        if self.writer.failed() { e } else { e.retold(Kind::Limit, e.text()) }
    }

    /// Makes a change, as [`Sink::change`] does.
    fn changed(&mut self, change: &Change) -> Result<bool> {
        let (Change::State { place, .. } | Change::Gone { place, .. }) = change;
        let Some((nid, folder)) = self.at(*place)? else { return Ok(false) };
        match change {
            Change::State { flags, .. } => {
                let state = state_of(flags);
                self.writer.update(folder, nid, &mut |props| {
                    // When it happened is not told; the time of the message is what it has at the first import, too.
                    let at = [tag::MESSAGE_DELIVERY_TIME, tag::CREATION_TIME].iter().find_map(|t| props.time(*t));
                    mime::update(props, &state, at.unwrap_or_default());
                })?;
            }
            Change::Gone { .. } => self.writer.move_message(nid, folder, self.writer.deleted())?,
        }
        Ok(true)
    }

    /// The message at a place, and its folder.
    fn at(&mut self, place: u64) -> Result<Option<(Nid, FolderId)>> {
        let nid = Nid(place as u32);
        Ok(self.writer.home(nid)?.map(|folder| (nid, folder)))
    }

    /// The folder of an existing store that stands for a folder of a source.
    fn existing(&self, parent: FolderId, name: &str, role: Role) -> Option<FolderId> {
        if !self.adding {
            return None;
        }
        // Two folders of a source stay two, even if they claim one role or differ only in the case of their letters.
        let is_free = |id: &FolderId| !self.folders.values().any(|known| known == id);
        let by_role = self.writer.with_role(role).filter(|_| role != Role::None && self.under.is_empty());
        by_role.filter(is_free).or_else(|| self.writer.children_named(parent, name).into_iter().find(is_free))
    }
}

/// The role of a folder, or of one that it is in, by the depth of the path.
fn role_of(folder: &Folder, depth: usize) -> Role {
    match depth {
        _ if depth == folder.path.len() => folder.role,
        1 => folder.path.first().map_or(Role::None, |name| Role::of_name(name)),
        _ => Role::None,
    }
}

/// Sixteen bytes that no other store has: from the time, the process and where the system put a hash map's keys.
fn new_key() -> [u8; 16] {
    use std::hash::{BuildHasher, RandomState};
    let mut key = [0; 16];
    let halves = [RandomState::new(), RandomState::new()].map(|state| {
        let time = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        state.hash_one((time.as_nanos(), std::process::id())).to_le_bytes()
    });
    key.iter_mut().zip(halves.as_flattened()).for_each(|(to, from)| *to = *from);
    key
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
    journaled: bool,
}

impl Prepare for PstPrepare {
    fn prepare(&self, _folder: &Folder, item: Item) -> Result<Prepared> {
        let mut warnings = item.warnings;
        let message = message_of(item.body, self.import, &mut warnings)?;
        let content = self.journaled.then(|| dedupe::content(&message));
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
        Ok(Prepared { payload: Box::new(ready), bytes, id: item.id, warnings, content, origin: None })
    }
}

impl Sink for PstSink {
    fn preparer(&self) -> Arc<dyn Prepare> {
        Arc::new(PstPrepare {
            names: self.writer.names(),
            crypt: self.writer.crypt(),
            import: self.import,
            journaled: self.journaled,
        })
    }

    fn names(&mut self, names: &[NamedProp]) {
        // What does not fit is found again, item by item, and reported there.
        let _ = self.writer.register(names);
    }

    fn store(&mut self, under: &[String], _title: &str, _props: &PropBag) -> Result<()> {
        self.under = under.to_vec();
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        if self.adding { self.writer.commit() } else { Ok(()) }
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
            let role = role_of(folder, depth);
            let is_new = !self.adding && !self.folders.values().any(|f| *f == self.writer.deleted());
            let id = if let Some(id) = self.existing(at, name, role) {
                id
            } else if role == Role::Deleted && depth == 1 && is_new {
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
            Ready::Built(built) => self.writer.add_prepared(self.current, built).map(|nid| {
                self.last = nid;
                Vec::new()
            }),
            Ready::Later { message, associated } => {
                let added = self.writer.add(self.current, &message, associated);
                self.last = self.writer.newest(associated);
                added
            }
        };
        added.map_err(|e| self.marked(e))
    }

    fn path(&self) -> Option<Vec<String>> {
        Some(self.writer.path(self.current))
    }

    fn place(&self) -> u64 {
        u64::from(self.last.0)
    }

    fn has(&mut self, place: u64, content: Option<&Key>) -> bool {
        let Ok(Some((nid, _))) = self.at(place) else { return false };
        let Some(content) = content else { return true };
        let message = self.writer.store().and_then(|store| store.message(nid));
        message.is_ok_and(|(message, lost)| lost.is_empty() && dedupe::content(&message) == *content)
    }

    fn contents(&mut self, known: &dyn Fn(u64) -> bool) -> Result<Vec<(Key, u64)>> {
        let Some(folder) = self.writer.nid(self.current).filter(|_| self.adding) else { return Ok(Vec::new()) };
        let store = self.writer.store()?;
        let mut out = Vec::new();
        // What cannot be listed or read is like nothing that comes.
        for listed in store.contents(folder, false, &mut Vec::new()) {
            if known(u64::from(listed.nid.0)) {
                continue;
            }
            let Ok((message, lost)) = store.message(listed.nid) else { continue };
            if lost.is_empty() {
                out.push((dedupe::content(&message), u64::from(listed.nid.0)));
            }
        }
        Ok(out)
    }

    fn change(&mut self, change: &Change) -> Result<bool> {
        self.changed(change).map_err(|e| self.marked(e))
    }

    fn identity(&self) -> Option<[u8; 16]> {
        self.adding.then(|| self.writer.key())
    }

    fn states(&mut self) -> Vec<u32> {
        if self.adding { vec![self.writer.last_commit()] } else { Vec::new() }
    }

    fn next_states(&self) -> Vec<u32> {
        if self.adding { vec![self.writer.next_commit()] } else { Vec::new() }
    }

    fn finish(self: Box<Self>) -> Result<Written> {
        let bytes = self.writer.finish()?;
        Ok(Written { path: self.path, bytes })
    }
}
