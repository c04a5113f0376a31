//! What the database beside a PST tells people.

use super::AccountSummary;
use super::state::{ACCOUNTS, BELOW, FOLDERS, ITEMS, State, collect, is_unborn, opening, state_path};
use crate::error::{Error, Kind, Result};
use redb::{Database, ReadableDatabase, ReadableTable, TableError};
use std::collections::{BTreeMap, HashSet};
use std::path::Path;

impl State {
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
}
