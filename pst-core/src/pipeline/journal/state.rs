//! The database beside a PST: folders of accounts, and where each of their items is in the PST.

use super::super::dedupe::Key;
use super::{AccountSummary, NOWHERE};
use crate::error::{Error, Kind, Result};
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition, TableError};
use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// "account NUL folder NUL validity" to the folder's number.
const FOLDERS: TableDefinition<'_, &str, u32> = TableDefinition::new("folders");
/// A folder's number and an item's name in it to a [`Row`].
const ITEMS: TableDefinition<'_, (u32, &[u8]), Row> = TableDefinition::new("items");
/// A folder's number to the newest change of the server's that was taken, where servers count changes: CONDSTORE.
const CHANGES: TableDefinition<'_, u32, u64> = TableDefinition::new("changes");
/// A file of the target, counted from 0, to the highest number of a state that rows waited for.
const PARTS: TableDefinition<'_, u32, u32> = TableDefinition::new("parts");
/// An account to when it was last downloaded to its end, seconds since 1970.
const ACCOUNTS: TableDefinition<'_, &str, i64> = TableDefinition::new("accounts");
/// The record key of the PST that all this is about.
const TARGET: TableDefinition<'_, &str, [u8; 16]> = TableDefinition::new("target");
/// What this program calls the shape of the tables, to its number.
const FORMAT: TableDefinition<'_, &str, u32> = TableDefinition::new("format");
/// The shape of the tables above.
const SHAPE: u32 = 1;
/// Bytes of the file that are held in memory.
const CACHE: usize = 8 << 20;

/// Place, number of the state, state of the item, whether there is a content key, the key.
type Row = (u64, u32, u64, bool, Key);

/// An item of an earlier run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ItemRow {
    /// Where it is in the target: the file in the upper half, the node in the lower.
    pub place: u64,
    /// The state of that file from which on it is there.
    pub since: u32,
    /// Its state in the source.
    pub state: u64,
    /// Stands for its content.
    pub content: Option<Key>,
}

impl ItemRow {
    fn stored(&self) -> Row {
        (self.place, self.since, self.state, self.content.is_some(), self.content.unwrap_or_default())
    }

    fn of((place, since, state, known, content): Row) -> Self {
        Self { place, since, state, content: known.then_some(content) }
    }
}

/// The file of a place.
pub(super) fn part_of(place: u64) -> u32 {
    (place >> 32) as u32
}

/// A target as it is.
#[derive(Debug, Clone, Copy)]
pub struct Bears<'a> {
    /// What tells it from others: the record key of its first PST.
    pub key: [u8; 16],
    /// The numbers of the states that its files bear.
    pub states: &'a [u32],
}

/// True if the target has an item at a place, of this content if that is known.
pub type Exists<'e> = &'e mut dyn FnMut(u64, Option<&Key>) -> bool;

/// The database beside a PST.
pub struct State {
    db: Database,
    path: PathBuf,
    next_folder: Mutex<u32>,
    /// The numbers of the states that the files of the target bore when the database was opened.
    bore: Vec<u32>,
    /// Places in the target that something is known of, in ascending order.
    places: Vec<u64>,
}

/// The name of the database beside a target.
pub fn state_path(target: &Path) -> PathBuf {
    let mut name = target.file_name().unwrap_or_default().to_os_string();
    name.push(".state");
    target.with_file_name(name)
}

/// Stands between the names of a path.
pub(super) const BELOW: &str = "\u{1f}";

/// The names of a path in one.
pub(super) fn path_key(path: &[String]) -> String {
    let plain = |name: &String| name.replace(['\0', '\u{1}', '\u{1f}'], "\u{1e}");
    path.iter().map(plain).collect::<Vec<_>>().join(BELOW)
}

/// The key of a folder.
pub(super) fn folder_key(account: &str, path: &[String], validity: u64) -> String {
    format!("{account}\0{}\0{validity}", path_key(path))
}

impl State {
    /// Opens or makes the database beside a target. What speaks of later states than the files of the target bear never came
    /// to be and is forgotten. Others may have counted on since; so what was noted last must also exist.
    ///
    /// # Errors
    /// When another run has it open, it cannot be written, or it is no such database.
    pub fn open(target: &Path, of: &Bears<'_>, exists: Exists<'_>) -> Result<Self> {
        let path = state_path(target);
        if is_unborn(&path) {
            std::fs::remove_file(&path).map_err(|e| Error::io("cannot begin anew", &path, e))?;
        }
        let db = Database::builder().set_cache_size(CACHE).create(&path).map_err(|e| opening(&e, &path))?;
        Self::over(db, path, of, exists)
    }

    /// As [`State::open`], on a copy of the database that nobody sees: for a dry run.
    ///
    /// # Errors
    /// When it cannot be read or copied, or is no such database.
    pub fn rehearse(target: &Path, of: &Bears<'_>, exists: Exists<'_>) -> Result<Self> {
        let path = state_path(target);
        let copied = || {
            let mut copy = tempfile::tempfile()?;
            if path.exists() && !is_unborn(&path) {
                std::io::copy(&mut std::fs::File::open(&path)?, &mut copy)?;
            }
            Ok(copy)
        };
        let copy = copied().map_err(|e| Error::system("cannot copy what was downloaded before", e).in_file(&path))?;
        let db = redb::backends::FileBackend::new(copy)
            .and_then(|copy| Database::builder().set_cache_size(CACHE).create_with_backend(copy))
            .map_err(|e| opening(&e, &path))?;
        Self::over(db, path, of, exists)
    }

    fn over(db: Database, path: PathBuf, of: &Bears<'_>, exists: Exists<'_>) -> Result<Self> {
        let bore = of.states.to_vec();
        let mut state = Self { db, path, next_folder: Mutex::new(1), bore, places: Vec::new() };
        state.places = state.prepare(of, exists)?;
        Ok(state)
    }

    /// True if something was known of a place when the database was opened.
    pub fn knows(&self, place: u64) -> bool {
        self.places.binary_search(&place).is_ok()
    }

    /// The number of the state that the file of a place bore when the database was opened.
    pub(super) fn bore(&self, place: u64) -> u32 {
        self.bore.get(part_of(place) as usize).copied().unwrap_or_default()
    }

    fn prepare(&self, of: &Bears<'_>, exists: Exists<'_>) -> Result<Vec<u64>> {
        let mut places = Vec::new();
        let txn = self.db.begin_write().map_err(|e| self.broken(e))?;
        {
            let mut format = txn.open_table(FORMAT).map_err(|e| self.broken(e))?;
            let known = format.get("shape").map_err(|e| self.broken(e))?.map(|v| v.value());
            if known.is_some_and(|k| k != SHAPE) {
                let text = "this was written by another version of this program; move it away, and the download begins \
                            anew without copying twice";
                return Err(Error::new(Kind::Unsupported, text).in_file(&self.path));
            }
            format.insert("shape", SHAPE).map_err(|e| self.broken(e))?;
            let mut parts = txn.open_table(PARTS).map_err(|e| self.broken(e))?;
            let mut items = txn.open_table(ITEMS).map_err(|e| self.broken(e))?;
            let mut changes = txn.open_table(CHANGES).map_err(|e| self.broken(e))?;
            let said: Vec<(u32, u32)> =
                collect(parts.iter().map_err(|e| self.broken(e))?, |k, v| (k, v)).map_err(|e| self.broken(e))?;
            let mut about = txn.open_table(TARGET).map_err(|e| self.broken(e))?;
            let other = about.get("key").map_err(|e| self.broken(e))?.is_some_and(|key| key.value() != of.key);
            about.insert("key", of.key).map_err(|e| self.broken(e))?;
            if let Some((part, _)) =
                said.iter().find(|(part, since)| !other && *since > 0 && *part as usize >= of.states.len())
            {
                let text = format!(
                    "this tells of {} PSTs, but {} there: put the others back, and give --split as before; or move this \
                     away, and what is there is known by its content",
                    part + 1,
                    if of.states.len() == 1 {
                        "only one is".to_owned()
                    } else {
                        format!("only {} are", of.states.len())
                    }
                );
                return Err(Error::new(Kind::Usage, text).in_file(&self.path));
            }
            // What was noted of another PST says nothing of this one.
            let bears = |part: u32| if other { 0 } else { of.states.get(part as usize).copied().unwrap_or(0) };
            let last: BTreeMap<u32, u32> = said.iter().copied().collect();
            let mut forgotten = false;
            let mut came_to_be = |row: &ItemRow| {
                let part = part_of(row.place);
                let sure = row.place == NOWHERE || last.get(&part) != Some(&row.since);
                let is = !other && row.since <= bears(part) && (sure || exists(row.place, row.content.as_ref()));
                forgotten |= !is;
                if is {
                    places.push(row.place);
                }
                is
            };
            items.retain(|_, row| came_to_be(&ItemRow::of(row))).map_err(|e| self.broken(e))?;
            if forgotten {
                // What is fetched again must be listed again.
                changes.retain(|_, _| false).map_err(|e| self.broken(e))?;
                for (part, since) in said {
                    parts.insert(part, since.min(bears(part))).map_err(|e| self.broken(e))?;
                }
            }
            let folders = txn.open_table(FOLDERS).map_err(|e| self.broken(e))?;
            let numbers = collect(folders.iter().map_err(|e| self.broken(e))?, |_, v| v).map_err(|e| self.broken(e))?;
            if let Ok(mut next) = self.next_folder.lock() {
                *next = numbers.into_iter().max().unwrap_or(0) + 1;
            }
            txn.open_table(ACCOUNTS).map_err(|e| self.broken(e))?;
        }
        txn.commit().map_err(|e| self.broken(e))?;
        places.sort_unstable();
        Ok(places)
    }

    /// The number of a folder, and those of its earlier lives.
    pub(super) fn folder(&self, account: &str, path: &[String], validity: u64) -> Result<(Option<u32>, Vec<u32>)> {
        let txn = self.db.begin_read().map_err(|e| self.broken(e))?;
        let table = txn.open_table(FOLDERS).map_err(|e| self.broken(e))?;
        let wanted = folder_key(account, path, validity);
        let path = path_key(path);
        let (first, last) = (format!("{account}\0{path}\0"), format!("{account}\0{path}\u{1}"));
        let range = table.range(first.as_str()..last.as_str()).map_err(|e| self.broken(e))?;
        let (mut own, mut earlier) = (None, Vec::new());
        for entry in range {
            let (key, number) = entry.map_err(|e| self.broken(e))?;
            if key.value() == wanted { own = Some(number.value()) } else { earlier.push(number.value()) }
        }
        Ok((own, earlier))
    }

    /// The folders of an account that items are known of, each with the validity of its newest life.
    pub(super) fn folders(&self, account: &str) -> Result<BTreeMap<String, u64>> {
        let txn = self.db.begin_read().map_err(|e| self.broken(e))?;
        let table = txn.open_table(FOLDERS).map_err(|e| self.broken(e))?;
        let items = txn.open_table(ITEMS).map_err(|e| self.broken(e))?;
        let (first, last) = (format!("{account}\0"), format!("{account}\u{1}"));
        let mut newest = BTreeMap::<String, (u32, u64, bool)>::new();
        for entry in table.range(first.as_str()..last.as_str()).map_err(|e| self.broken(e))? {
            let (key, number) = entry.map_err(|e| self.broken(e))?;
            let mut names = key.value().split('\0').skip(1);
            let path = names.next().unwrap_or_default().to_owned();
            let validity = names.next().and_then(|v| v.parse().ok()).unwrap_or_default();
            let number = number.value();
            let empty: &[u8] = &[];
            let range = (number, empty)..(number + 1, empty);
            let has = items.range(range).map_err(|e| self.broken(e))?.next().is_some();
            let life = newest.entry(path).or_insert((number, validity, false));
            life.2 |= has;
            if number > life.0 {
                (life.0, life.1) = (number, validity);
            }
        }
        Ok(newest
            .into_iter()
            .filter(|(_, (_, _, has))| *has)
            .map(|(path, (_, validity, _))| (path, validity))
            .collect())
    }

    /// A number for a folder that is not known yet.
    pub(super) fn new_folder(&self) -> u32 {
        self.next_folder.lock().map_or(0, |mut next| {
            *next += 1;
            *next - 1
        })
    }

    /// All items of a folder.
    pub(super) fn items(&self, folder: u32) -> Result<Vec<(Vec<u8>, ItemRow)>> {
        let txn = self.db.begin_read().map_err(|e| self.broken(e))?;
        let table = txn.open_table(ITEMS).map_err(|e| self.broken(e))?;
        let empty: &[u8] = &[];
        let range = table.range((folder, empty)..(folder + 1, empty)).map_err(|e| self.broken(e))?;
        let mut out = Vec::new();
        for entry in range {
            let (key, row) = entry.map_err(|e| self.broken(e))?;
            out.push((key.value().1.to_vec(), ItemRow::of(row.value())));
        }
        Ok(out)
    }

    /// The newest change of a folder that was taken.
    pub(super) fn newest(&self, folder: u32) -> Result<Option<u64>> {
        let txn = self.db.begin_read().map_err(|e| self.broken(e))?;
        let table = txn.open_table(CHANGES).map_err(|e| self.broken(e))?;
        Ok(table.get(folder).map_err(|e| self.broken(e))?.map(|v| v.value()))
    }

    /// Makes rows durable, and forgets those without a row.
    pub(super) fn write(&self, what: &Noted) -> Result<()> {
        let txn = self.db.begin_write().map_err(|e| self.broken(e))?;
        {
            let mut folders = txn.open_table(FOLDERS).map_err(|e| self.broken(e))?;
            for (key, number) in &what.folders {
                folders.insert(key.as_str(), number).map_err(|e| self.broken(e))?;
            }
            let mut changes = txn.open_table(CHANGES).map_err(|e| self.broken(e))?;
            for (folder, newest) in &what.newest {
                changes.insert(folder, newest).map_err(|e| self.broken(e))?;
            }
            let mut items = txn.open_table(ITEMS).map_err(|e| self.broken(e))?;
            for ((folder, key), row) in &what.items {
                let key = (*folder, key.as_slice());
                match row {
                    Some(row) => items.insert(key, row.stored()).map_err(|e| self.broken(e))?,
                    None => items.remove(key).map_err(|e| self.broken(e))?,
                };
            }
            let mut parts = txn.open_table(PARTS).map_err(|e| self.broken(e))?;
            for (part, number) in &what.parts {
                let known = parts.get(part).map_err(|e| self.broken(e))?.map_or(0, |v| v.value());
                parts.insert(part, known.max(*number)).map_err(|e| self.broken(e))?;
            }
        }
        txn.commit().map_err(|e| self.broken(e))
    }

    /// Notes that an account was downloaded to its end.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn finished(&self, account: &str, at: i64) -> Result<()> {
        let txn = self.db.begin_write().map_err(|e| self.broken(e))?;
        {
            let mut table = txn.open_table(ACCOUNTS).map_err(|e| self.broken(e))?;
            table.insert(account, at).map_err(|e| self.broken(e))?;
        }
        txn.commit().map_err(|e| self.broken(e))
    }

    /// What the database beside a target remembers; nothing if there is none.
    ///
    /// # Errors
    /// When it is in use, or no such database.
    pub fn summaries(target: &Path) -> Result<Vec<AccountSummary>> {
        let path = state_path(target);
        if !path.exists() || is_unborn(&path) {
            return Ok(Vec::new());
        }
        let broken = |e: redb::Error| Error::new(Kind::Damaged, e.to_string()).in_file(&path);
        let txn = match redb::ReadOnlyDatabase::open(&path) {
            Ok(db) => db.begin_read(),
            // A run was killed; what it was about to write is taken back.
            Err(redb::DatabaseError::RepairAborted) => {
                Database::builder().open(&path).map_err(|e| opening(&e, &path))?.begin_read()
            }
            Err(e) => return Err(opening(&e, &path)),
        };
        let txn = txn.map_err(|e| broken(e.into()))?;
        let folders = match txn.open_table(FOLDERS) {
            Ok(table) => table,
            Err(TableError::TableDoesNotExist(_)) => return Ok(Vec::new()),
            Err(e) => return Err(broken(e.into())),
        };
        let items = txn.open_table(ITEMS).map_err(|e| broken(e.into()))?;
        let accounts = txn.open_table(ACCOUNTS).map_err(|e| broken(e.into()))?;
        let mut out = BTreeMap::<String, BTreeMap<String, HashSet<u64>>>::new();
        let all = collect(folders.iter().map_err(|e| broken(e.into()))?, |k: &str, v| (k.to_owned(), v));
        for (key, number) in all.map_err(|e| broken(e.into()))? {
            let mut names = key.split('\0').map(str::to_owned);
            let (account, folder) = (names.next().unwrap_or_default(), names.next().unwrap_or_default());
            let folder = folder.replace(BELOW, "/");
            let empty: &[u8] = &[];
            let range = items.range((number, empty)..(number + 1, empty)).map_err(|e| broken(e.into()))?;
            // One item may be known from several lives of the folder.
            let places = out.entry(account).or_default().entry(folder).or_default();
            places.extend(collect(range, |_, row| row.0).map_err(|e| broken(e.into()))?);
        }
        let mut summaries = Vec::new();
        for (account, folders) in out {
            let finished = accounts.get(account.as_str()).map_err(|e| broken(e.into()))?.map(|v| v.value());
            let folders = folders.into_iter().map(|(folder, places)| (folder, places.len() as u64)).collect();
            summaries.push(AccountSummary { account, finished, folders });
        }
        Ok(summaries)
    }

    fn broken(&self, e: impl Into<redb::Error>) -> Error {
        let e = e.into();
        let text = format!("what was downloaded before cannot be looked up or noted: {e}");
        Error::new(Kind::Io, text).in_file(&self.path)
    }
}

/// A folder's number and an item's name in it.
pub(super) type Name = (u32, Vec<u8>);

/// True for a database of which a run was killed while it was made: what it begins with is written last.
pub(super) fn is_unborn(path: &Path) -> bool {
    let mut magic = [1; 9];
    let read = std::fs::File::open(path).and_then(|mut file| std::io::Read::read_exact(&mut file, &mut magic));
    read.is_ok() && magic == [0; 9]
}

/// What one transaction writes.
#[derive(Default)]
pub(super) struct Noted {
    /// New folders: key and number.
    pub folders: Vec<(String, u32)>,
    /// Items by folder and name; without a row, they are forgotten.
    pub items: Vec<(Name, Option<ItemRow>)>,
    /// The newest change of folders.
    pub newest: Vec<(u32, u64)>,
    /// For files of the target, the highest number of a state that items wait for.
    pub parts: BTreeMap<u32, u32>,
}

impl Noted {
    pub fn is_empty(&self) -> bool {
        self.folders.is_empty() && self.items.is_empty() && self.newest.is_empty()
    }
}

fn opening(e: &redb::DatabaseError, path: &Path) -> Error {
    let (kind, text) = match e {
        redb::DatabaseError::DatabaseAlreadyOpen => {
            (Kind::Exists, "another run is downloading into this PST; wait for its end".to_owned())
        }
        e => (
            Kind::Io,
            format!(
                "what was downloaded before cannot be looked up: {e}; move this file away, and what is there is known by its content"
            ),
        ),
    };
    Error::new(kind, text).in_file(path)
}

/// All entries of a table, owned.
fn collect<K: redb::Key + 'static, V: redb::Value + 'static, T>(
    range: redb::Range<'_, K, V>,
    own: impl Fn(K::SelfType<'_>, V::SelfType<'_>) -> T,
) -> std::result::Result<Vec<T>, redb::StorageError> {
    range.map(|entry| entry.map(|(k, v)| own(k.value(), v.value()))).collect()
}
