//! The database of what was pushed into a mailbox on a server: of each item, before it is sent and after it is there.

use super::super::dedupe::Key;
use super::state::is_unborn;
use crate::error::{Error, Kind, Result};
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition, TableError};
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A [`Name`] to a [`Row`].
const ITEMS: TableDefinition<'_, &[u8; 32], Row<'_>> = TableDefinition::new("pushed items");
/// A folder of the target to its number.
const FOLDERS: TableDefinition<'_, &str, u32> = TableDefinition::new("pushed folders");
/// What this program calls the shape of the tables, to its number.
const FORMAT: TableDefinition<'_, &str, u32> = TableDefinition::new("pushed format");
/// The shape of the tables above.
const SHAPE: u32 = 1;
/// Bytes of the file that are held in memory.
const CACHE: usize = 8 << 20;

/// State, folder, id of the item in it, change key.
type Row<'a> = (u8, u32, &'a str, &'a str);

/// The states of a row.
const ABOUT: u8 = 1;
const STORED: u8 = 2;

/// What names an item for good: where it comes from, and its content, since another content is another item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Name {
    /// Stands for the place in its source.
    pub origin: Key,
    /// Stands for its content.
    pub content: Key,
}

impl Name {
    fn bytes(self) -> [u8; 32] {
        let mut out = [0; 32];
        out.iter_mut().zip(self.origin.iter().chain(&self.content)).for_each(|(to, from)| *to = *from);
        out
    }
}

/// Where an item is in the target.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Whereabouts {
    /// Its id in the folder; empty where the server has not told it.
    pub id: String,
    /// What stands for its state there, on servers that have such.
    pub change: String,
}

/// What is known of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// Nothing: it was never sent.
    New,
    /// It was about to be sent to this folder; nobody knows whether it came there.
    Unsure(String),
    /// It is in this folder.
    Stored(String, Whereabouts),
}

/// Notes that the next transaction makes durable.
#[derive(Default)]
struct Pending {
    /// Rows by name; `None` for those that are forgotten.
    rows: HashMap<Name, Option<(u8, u32, Whereabouts)>>,
    folders: HashMap<String, u32>,
    new_folders: Vec<(String, u32)>,
}

/// The database.
pub struct Pushed {
    db: Database,
    path: PathBuf,
    pending: Mutex<Pending>,
}

impl Pushed {
    /// Opens or makes the database, which only its owner can read.
    ///
    /// # Errors
    /// [`Kind::Exists`] when another run has it open; when it cannot be written, or is no such database.
    pub fn open(path: &Path) -> Result<Self> {
        if is_unborn(path) {
            std::fs::remove_file(path).map_err(|e| Error::io("cannot begin anew", path, e))?;
        }
        let mut options = std::fs::File::options();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        drop(options.open(path).map_err(|e| Error::io("cannot open", path, e))?);
        let db = Database::builder().set_cache_size(CACHE).create(path).map_err(|e| opening(&e, path))?;
        Self::over(db, path)
    }

    /// As [`Pushed::open`], on a copy that nobody sees: for a dry run.
    ///
    /// # Errors
    /// When it cannot be read or copied, or is no such database.
    pub fn rehearse(path: &Path) -> Result<Self> {
        let copied = || {
            let mut copy = tempfile::tempfile()?;
            if path.exists() && !is_unborn(path) {
                std::io::copy(&mut std::fs::File::open(path)?, &mut copy)?;
            }
            Ok(copy)
        };
        let copy = copied().map_err(|e| Error::io("cannot copy what was pushed before", path, e))?;
        let db = redb::backends::FileBackend::new(copy)
            .and_then(|copy| Database::builder().set_cache_size(CACHE).create_with_backend(copy))
            .map_err(|e| opening(&e, path))?;
        Self::over(db, path)
    }

    fn over(db: Database, path: &Path) -> Result<Self> {
        let new = Self { db, path: path.to_path_buf(), pending: Mutex::default() };
        let folders = new.begun()?;
        new.pending().folders = folders;
        Ok(new)
    }

    fn begun(&self) -> Result<HashMap<String, u32>> {
        let txn = self.db.begin_write().map_err(|e| self.broken(e))?;
        let mut out = HashMap::new();
        {
            let mut format = txn.open_table(FORMAT).map_err(|e| self.broken(e))?;
            let known = format.get("shape").map_err(|e| self.broken(e))?.map(|v| v.value());
            if known.is_some_and(|k| k != SHAPE) {
                let text = "this was written by another version of this program; move it away, and --duplicates skip tells \
                            what is in the mailbox";
                return Err(Error::new(Kind::Unsupported, text).in_file(&self.path));
            }
            format.insert("shape", SHAPE).map_err(|e| self.broken(e))?;
            txn.open_table(ITEMS).map_err(|e| self.broken(e))?;
            let folders = txn.open_table(FOLDERS).map_err(|e| self.broken(e))?;
            for entry in folders.iter().map_err(|e| self.broken(e))? {
                let (name, number) = entry.map_err(|e| self.broken(e))?;
                out.insert(name.value().to_owned(), number.value());
            }
        }
        txn.commit().map_err(|e| self.broken(e))?;
        Ok(out)
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is known of an item.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn known(&self, name: Name) -> Result<Known> {
        let pending = self.pending();
        let row = match pending.rows.get(&name) {
            Some(row) => row.clone(),
            None => self.row(name)?,
        };
        let Some((state, number, at)) = row else { return Ok(Known::New) };
        let folder = pending.folders.iter().find(|(_, n)| **n == number).map(|(f, _)| f.clone()).unwrap_or_default();
        Ok(if state == STORED { Known::Stored(folder, at) } else { Known::Unsure(folder) })
    }

    fn row(&self, name: Name) -> Result<Option<(u8, u32, Whereabouts)>> {
        let txn = self.db.begin_read().map_err(|e| self.broken(e))?;
        let items = match txn.open_table(ITEMS) {
            Ok(items) => items,
            Err(TableError::TableDoesNotExist(_)) => return Ok(None),
            Err(e) => return Err(self.broken(e)),
        };
        let row = items.get(&name.bytes()).map_err(|e| self.broken(e))?;
        Ok(row.map(|row| {
            let (state, folder, id, change) = row.value();
            (state, folder, Whereabouts { id: id.to_owned(), change: change.to_owned() })
        }))
    }

    /// Notes, for good, that items are about to be sent to a folder, and all that was noted before.
    ///
    /// # Errors
    /// When the database cannot be written; nothing may be sent then.
    pub fn about(&self, folder: &str, names: &[Name]) -> Result<()> {
        let mut pending = self.pending();
        let number = pending.number(folder);
        for name in names {
            pending.rows.insert(*name, Some((ABOUT, number, Whereabouts::default())));
        }
        self.write(&mut pending)
    }

    /// Notes that an item is in a folder; durable with the next [`Pushed::about`] or [`Pushed::save`].
    pub fn stored(&self, folder: &str, name: Name, at: Whereabouts) {
        let mut pending = self.pending();
        let number = pending.number(folder);
        pending.rows.insert(name, Some((STORED, number, at)));
    }

    /// Notes that an item is not there; durable as [`Pushed::stored`].
    pub fn refused(&self, name: Name) {
        self.pending().rows.insert(name, None);
    }

    /// The ids that are known to be items of this program's, in a folder.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn ids(&self, folder: &str) -> Result<HashSet<String>> {
        let mut pending = self.pending();
        self.write(&mut pending)?;
        let Some(number) = pending.folders.get(folder).copied() else { return Ok(HashSet::new()) };
        let txn = self.db.begin_read().map_err(|e| self.broken(e))?;
        let items = txn.open_table(ITEMS).map_err(|e| self.broken(e))?;
        let mut out = HashSet::new();
        for entry in items.iter().map_err(|e| self.broken(e))? {
            let (_, row) = entry.map_err(|e| self.broken(e))?;
            let (state, folder, id, _) = row.value();
            if state == STORED && folder == number && !id.is_empty() {
                out.insert(id.to_owned());
            }
        }
        Ok(out)
    }

    /// Makes durable what was noted.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn save(&self) -> Result<()> {
        self.write(&mut self.pending())
    }

    fn write(&self, pending: &mut Pending) -> Result<()> {
        if pending.rows.is_empty() && pending.new_folders.is_empty() {
            return Ok(());
        }
        let txn = self.db.begin_write().map_err(|e| self.broken(e))?;
        {
            let mut folders = txn.open_table(FOLDERS).map_err(|e| self.broken(e))?;
            for (name, number) in &pending.new_folders {
                folders.insert(name.as_str(), number).map_err(|e| self.broken(e))?;
            }
            let mut items = txn.open_table(ITEMS).map_err(|e| self.broken(e))?;
            for (name, row) in &pending.rows {
                match row {
                    Some((state, folder, at)) => {
                        let row = (*state, *folder, at.id.as_str(), at.change.as_str());
                        items.insert(&name.bytes(), row).map_err(|e| self.broken(e))?;
                    }
                    None => drop(items.remove(&name.bytes()).map_err(|e| self.broken(e))?),
                }
            }
        }
        txn.commit().map_err(|e| self.broken(e))?;
        pending.rows.clear();
        pending.new_folders.clear();
        Ok(())
    }

    fn broken(&self, e: impl Into<redb::Error>) -> Error {
        let e = e.into();
        Error::new(Kind::Io, format!("what was pushed before cannot be looked up or noted: {e}")).in_file(&self.path)
    }
}

impl Pending {
    fn number(&mut self, folder: &str) -> u32 {
        if let Some(number) = self.folders.get(folder) {
            return *number;
        }
        let number = self.folders.values().max().map_or(1, |n| n + 1);
        self.folders.insert(folder.to_owned(), number);
        self.new_folders.push((folder.to_owned(), number));
        number
    }
}

fn opening(e: &redb::DatabaseError, path: &Path) -> Error {
    let (kind, text) = match e {
        redb::DatabaseError::DatabaseAlreadyOpen => {
            (Kind::Exists, "another run is pushing into this mailbox; wait for its end".to_owned())
        }
        e => (
            Kind::Io,
            format!(
                "what was pushed before cannot be looked up: {e}; move this file away, and --duplicates skip tells what is \
                 in the mailbox"
            ),
        ),
    };
    Error::new(kind, text).in_file(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(n: u8) -> Name {
        Name { origin: [n; 16], content: [n + 1; 16] }
    }

    fn at(id: &str) -> Whereabouts {
        Whereabouts { id: id.to_owned(), change: String::new() }
    }

    #[test]
    fn what_is_noted_is_known_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("j.state");
        {
            let journal = Pushed::open(&path).unwrap();
            assert_eq!(Pushed::open(&path).err().map(|e| e.kind()), Some(Kind::Exists));
            journal.about("a", &[name(1), name(2), name(3)]).unwrap();
            journal.stored("a", name(1), at("7"));
            journal.refused(name(3));
            assert_eq!(journal.known(name(1)).unwrap(), Known::Stored("a".into(), at("7")));
            journal.about("b", &[name(4)]).unwrap();
            journal.stored("b", name(4), at("9"));
        }
        let journal = Pushed::open(&path).unwrap();
        assert_eq!(journal.known(name(1)).unwrap(), Known::Stored("a".into(), at("7")));
        assert_eq!(journal.known(name(2)).unwrap(), Known::Unsure("a".into()));
        assert_eq!(journal.known(name(3)).unwrap(), Known::New);
        // The last note was not yet made durable.
        assert_eq!(journal.known(name(4)).unwrap(), Known::Unsure("b".into()));
        assert_eq!(journal.ids("a").unwrap(), HashSet::from(["7".to_owned()]));
        assert_eq!(journal.known(Name { content: [9; 16], ..name(1) }).unwrap(), Known::New);
    }

    #[cfg(unix)]
    #[test]
    fn others_cannot_read_it() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("j.state");
        drop(Pushed::open(&path).unwrap());
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        drop(Pushed::rehearse(&path).unwrap());
    }
}
