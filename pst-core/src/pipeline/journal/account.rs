//! The journal of one account: compares what its server lists with what earlier runs took.

use super::state::{BELOW, ItemRow, Name, Noted, State, folder_key, part_of, path_key};
use super::{Change, Differences, Journal, Key, NOWHERE, Taken, state_number};
use crate::error::Result;
use crate::pipeline::item::{Flags, Folder};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// An item that a server lists.
#[derive(Debug, Clone)]
pub struct Listed {
    /// What names it in its folder for good: a UID, a UIDL.
    pub key: Vec<u8>,
    /// Its state, where the server keeps one.
    pub flags: Option<Flags>,
}

/// A folder as a server lists it.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    /// What tells this life of the folder from an earlier one: UIDVALIDITY.
    pub validity: u64,
    /// Its items, or the new and changed ones alone.
    pub items: Vec<Listed>,
    /// True if these are all items of the folder, so that others are gone.
    pub whole: bool,
    /// Items that are gone, where the server says so: ranges of names, both ends included, in ascending order.
    pub gone: Vec<(Vec<u8>, Vec<u8>)>,
    /// The newest change, where the server counts changes.
    pub newest: Option<u64>,
}

/// What earlier runs took of a folder.
#[derive(Debug, Clone, Default)]
pub struct Before {
    /// The names of the items.
    pub keys: Vec<Vec<u8>>,
    /// The newest change up to which everything was taken.
    pub newest: Option<u64>,
}

/// Stands for the state that the target will bear next, until that is known.
const NEXT: u32 = u32::MAX;

/// Items that are here from a folder's earlier lives.
#[derive(Default)]
struct Earlier {
    /// What each of them is known as.
    names: HashMap<u64, Vec<Name>>,
    places: HashMap<Key, Vec<u64>>,
}

/// A folder at hand.
struct Open {
    number: u32,
    earlier: Earlier,
    differences: Differences,
    newest: Option<u64>,
}

#[derive(Default)]
struct Inner {
    folders: HashMap<Vec<String>, Open>,
    /// To be noted before the target commits.
    taken: Noted,
    /// To be noted after it.
    changed: Noted,
    rows: HashMap<Name, ItemRow>,
    /// What is known under which names, of items that are gone, by place.
    gone: HashMap<u64, Vec<Name>>,
}

/// The journal of one account.
pub struct AccountState {
    state: Arc<State>,
    account: String,
    mirror: bool,
    inner: Mutex<Inner>,
}

impl AccountState {
    /// The journal of an account in a database; with `mirror`, what its server deleted is told.
    pub fn new(state: Arc<State>, account: &str, mirror: bool) -> Self {
        Self { state, account: account.to_owned(), mirror, inner: Mutex::default() }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// True if earlier runs took something of a folder, in whichever life of it.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn has(&self, path: &[String]) -> Result<bool> {
        let (own, earlier) = self.state.folder(&self.account, path, 0)?;
        Ok(own.is_some() || !earlier.is_empty())
    }

    /// What earlier runs took of a folder in this life of it.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn before(&self, path: &[String], validity: u64) -> Result<Before> {
        let Some(number) = self.state.folder(&self.account, path, validity)?.0 else { return Ok(Before::default()) };
        let keys = self.state.items(number)?.into_iter().map(|(key, _)| key).collect();
        Ok(Before { keys, newest: self.state.newest(number)? })
    }

    /// Compares a folder with what earlier runs took of it.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn compare(&self, path: &[String], listing: &Listing) -> Result<()> {
        let (number, lives) = self.state.folder(&self.account, path, listing.validity)?;
        let rows: HashMap<Vec<u8>, ItemRow> = match number {
            Some(number) => self.state.items(number)?.into_iter().collect(),
            None => HashMap::new(),
        };
        let number_or_new = number.unwrap_or_else(|| self.state.new_folder());
        let (mut changes, mut kept) = (Vec::new(), Vec::new());
        let mut listed = HashSet::new();
        for item in &listing.items {
            let Some(row) = rows.get(&item.key) else { continue };
            listed.insert(&item.key);
            if let Some(flags) = item.flags.as_ref().filter(|f| state_number(f) != row.state && row.place != NOWHERE) {
                let (key, flags) = (item.key.clone(), flags.clone());
                kept.push(((number_or_new, key.clone()), *row));
                changes.push(Change::State { key, place: row.place, flags });
            }
        }
        let told = |key: &Vec<u8>| {
            let after = listing.gone.partition_point(|(from, _)| from <= key);
            after.checked_sub(1).and_then(|i| listing.gone.get(i)).is_some_and(|(_, to)| key <= to)
        };
        let is_gone = |key: &Vec<u8>| told(key) || (listing.whole && !listed.contains(key));
        let mut gone: Vec<_> = rows.iter().filter(|(key, _)| is_gone(key)).collect();
        gone.sort_by_key(|(key, _)| *key);
        let there = (rows.len() - gone.len()) as u64;
        let stay = if self.mirror { 0 } else { gone.len() as u64 };
        let mut names = HashMap::<u64, Vec<Name>>::new();
        for (key, row) in gone {
            let known = names.entry(row.place).or_default();
            if known.is_empty() && self.mirror {
                changes.push(Change::Gone { key: key.clone(), place: row.place });
            }
            known.push((number_or_new, key.clone()));
        }
        let earlier = self.earlier(&rows, lives, &mut names)?;
        let mut inner = self.inner();
        inner.gone.extend(names);
        if number.is_none() {
            inner.taken.folders.push((folder_key(&self.account, path, listing.validity), number_or_new));
        }
        inner.rows.extend(kept);
        let differences = Differences { there, changes, stay, ..Differences::default() };
        // A later run may want to know what was gone by now.
        let newest = listing.newest.filter(|_| stay == 0);
        let open = Open { number: number_or_new, earlier, differences, newest };
        inner.folders.insert(path.to_vec(), open);
        Ok(())
    }

    /// Folders of which earlier runs took items, other than those `listed`; of each, its newest life.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn unlisted(&self, listed: &HashSet<Vec<String>>) -> Result<BTreeMap<Vec<String>, u64>> {
        let listed: HashSet<String> = listed.iter().map(|path| path_key(path)).collect();
        let known = self.state.folders(&self.account)?;
        let gone = known.into_iter().filter(|(path, _)| !listed.contains(path));
        Ok(gone.map(|(path, validity)| (path.split(BELOW).map(str::to_owned).collect(), validity)).collect())
    }

    /// Places of items from earlier lives of a folder that are not known in this one. What is `gone` is so under all names.
    fn earlier(
        &self,
        rows: &HashMap<Vec<u8>, ItemRow>,
        lives: Vec<u32>,
        gone: &mut HashMap<u64, Vec<Name>>,
    ) -> Result<Earlier> {
        let placed: HashSet<u64> = rows.values().map(|r| r.place).collect();
        let mut earlier = Earlier::default();
        for life in lives {
            for (key, row) in self.state.items(life)? {
                if let Some(names) = gone.get_mut(&row.place) {
                    names.push((life, key));
                } else if let Some(content) = row.content.filter(|_| !placed.contains(&row.place)) {
                    let names = earlier.names.entry(row.place).or_default();
                    if names.is_empty() {
                        earlier.places.entry(content).or_default().push(row.place);
                    }
                    names.push((life, key));
                }
            }
        }
        Ok(earlier)
    }

    /// Forgets items of a folder.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn forget(&self, path: &[String], validity: u64, keys: impl Iterator<Item = Vec<u8>>) -> Result<()> {
        let Some(number) = self.state.folder(&self.account, path, validity)?.0 else { return Ok(()) };
        let items = keys.map(|key| ((number, key), None)).collect();
        self.state.write(&Noted { items, ..Noted::default() })
    }

    /// Notes that the account was downloaded to its end.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn finished(&self, at: i64) -> Result<()> {
        self.state.finished(&self.account, at)
    }

    /// What the last comparison of a folder found.
    pub fn differences(&self, folder: &Folder) -> Differences {
        self.inner().folders.get_mut(&folder.path).map(|o| std::mem::take(&mut o.differences)).unwrap_or_default()
    }
}

impl Journal for AccountState {
    fn knows(&self, place: u64) -> bool {
        self.state.knows(place)
    }

    fn there(&self, folder: &Folder, content: &Key) -> Option<u64> {
        let mut inner = self.inner();
        let earlier = &mut inner.folders.get_mut(&folder.path)?.earlier;
        let place = earlier.places.get_mut(content)?.pop()?;
        earlier.names.remove(&place);
        Some(place)
    }

    fn taken(&self, taken: &Taken<'_>) {
        let mut inner = self.inner();
        let Some(number) = inner.folders.get(&taken.folder.path).map(|o| o.number) else { return };
        let since = if taken.found { self.state.bore(taken.place) } else { NEXT };
        let row = ItemRow { place: taken.place, since, state: state_number(taken.flags), content: taken.content };
        inner.taken.items.push(((number, taken.key.clone()), Some(row)));
    }

    fn changed(&self, folder: &Folder, change: &Change) {
        let mut inner = self.inner();
        let Some(number) = inner.folders.get(&folder.path).map(|o| o.number) else { return };
        match change {
            Change::State { key, flags, .. } => {
                if let Some(row) = inner.rows.remove(&(number, key.clone())) {
                    let row = ItemRow { state: state_number(flags), ..row };
                    inner.changed.items.push(((number, key.clone()), Some(row)));
                }
            }
            Change::Gone { place, .. } => {
                let names = inner.gone.remove(place).unwrap_or_default();
                inner.changed.items.extend(names.into_iter().map(|name| (name, None)));
            }
        }
    }

    fn complete(&self, folder: &Folder) -> Vec<Change> {
        let mut inner = self.inner();
        let Some(open) = inner.folders.get_mut(&folder.path) else { return Vec::new() };
        let (number, newest) = (open.number, open.newest);
        // What was not found again in the folder's new life is gone.
        let mut left: Vec<_> = std::mem::take(&mut open.earlier).names.into_iter().collect();
        inner.changed.newest.extend(newest.map(|newest| (number, newest)));
        if !self.mirror {
            return Vec::new();
        }
        left.sort_unstable();
        let gone = |(place, names): &(u64, Vec<Name>)| {
            let key = names.first().map(|(_, key)| key.clone()).unwrap_or_default();
            Change::Gone { key, place: *place }
        };
        let changes = left.iter().map(gone).collect();
        inner.gone.extend(left);
        changes
    }

    fn save(&self, next: &[u32]) -> Result<()> {
        let mut noted = std::mem::take(&mut self.inner().taken);
        if noted.is_empty() {
            return Ok(());
        }
        for row in noted.items.iter_mut().filter_map(|(_, row)| row.as_mut()) {
            let part = part_of(row.place);
            // Of what was found, no state has to be awaited.
            let mut awaited = 1;
            if row.since == NEXT {
                awaited = next.get(part as usize).copied().unwrap_or_default();
                row.since = awaited;
            }
            if row.place != NOWHERE {
                let known = noted.parts.entry(part).or_default();
                *known = awaited.max(*known);
            }
        }
        self.state.write(&noted)
    }

    fn settle(&self) -> Result<()> {
        let noted = std::mem::take(&mut self.inner().changed);
        if noted.is_empty() { Ok(()) } else { self.state.write(&noted) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Bears;
    use super::*;

    fn listing(validity: u64, items: &[(u8, bool)]) -> Listing {
        let flags = |seen| Flags { seen: Some(seen), ..Flags::default() };
        let items = items.iter().map(|(key, seen)| Listed { key: vec![*key], flags: Some(flags(*seen)) }).collect();
        Listing { validity, items, whole: true, ..Listing::default() }
    }

    fn account(dir: &std::path::Path, durable: u32, exists: bool) -> AccountState {
        let state =
            State::open(&dir.join("a.pst"), &Bears { key: [7; 16], states: &[durable] }, &mut |_, _| exists).unwrap();
        AccountState::new(Arc::new(state), "imap anna", true)
    }

    fn known(journal: &AccountState, folder: &Folder) -> Vec<Vec<u8>> {
        journal.before(&folder.path, 1).unwrap().keys
    }

    fn take(journal: &AccountState, folder: &Folder, key: u8, place: u64) {
        let flags = Flags { seen: Some(false), ..Flags::default() };
        journal.taken(&Taken { folder, key: vec![key], place, content: Some([key; 16]), flags: &flags, found: false });
    }

    #[test]
    fn what_the_target_never_got_is_forgotten() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder { path: vec!["Inbox".to_owned()], ..Folder::default() };
        let all = listing(1, &[(1, false), (2, false), (3, false)]);
        let journal = account(dir.path(), 1, true);
        journal.compare(&folder.path, &all).unwrap();
        assert!(known(&journal, &folder).is_empty());
        take(&journal, &folder, 1, 11);
        journal.save(&[2]).unwrap();
        take(&journal, &folder, 2, 12);
        journal.save(&[3]).unwrap();
        drop(journal);
        // The power went before the target's third state.
        let journal = account(dir.path(), 2, true);
        assert_eq!(known(&journal, &folder), [[1]]);
        journal.compare(&folder.path, &all).unwrap();
        assert!(journal.knows(11) && !journal.knows(12));
        take(&journal, &folder, 2, 12);
        journal.save(&[3]).unwrap();
        drop(journal);
        // It went again, and Outlook counted on by itself.
        let journal = account(dir.path(), 9, false);
        assert_eq!(known(&journal, &folder), [[1]]);
        journal.compare(&folder.path, &all).unwrap();
        drop(journal);
        // The notes of another PST say nothing of this one.
        let other = Bears { key: [8; 16], states: &[9] };
        let state = State::open(&dir.path().join("a.pst"), &other, &mut |_, _| true).unwrap();
        assert!(known(&AccountState::new(Arc::new(state), "imap anna", true), &folder).is_empty());
        let first = State::open(&dir.path().join("a.pst"), &Bears { key: [8; 16], states: &[] }, &mut |_, _| true);
        assert!(first.is_ok(), "nothing is known of any part");
    }

    #[test]
    fn a_database_that_was_never_finished_is_made_anew() {
        let dir = tempfile::tempdir().unwrap();
        let path = super::super::state_path(&dir.path().join("a.pst"));
        std::fs::write(&path, [0; 8192]).unwrap();
        account(dir.path(), 1, true);
        std::fs::write(&path, b"something else that somebody wrote").unwrap();
        let of = Bears { key: [7; 16], states: &[1] };
        assert!(State::open(&dir.path().join("a.pst"), &of, &mut |_, _| true).is_err());
        assert!(std::fs::read(&path).unwrap().starts_with(b"something"), "it is left as it is");
    }

    /// Folders have one life after the other; each item is in the target once.
    #[test]
    fn a_place_is_given_once() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder { path: vec!["Inbox".to_owned()], ..Folder::default() };
        let journal = account(dir.path(), 5, true);
        let found = |journal: &AccountState, key: u8, content: u8, place: u64| {
            let (flags, content) = (Flags::default(), Some([content; 16]));
            journal.taken(&Taken { folder: &folder, key: vec![key], place, content, flags: &flags, found: true });
        };
        journal.compare(&folder.path, &listing(1, &[(1, false), (2, false), (3, false)])).unwrap();
        take(&journal, &folder, 1, 11);
        take(&journal, &folder, 2, 12);
        take(&journal, &folder, 3, 13);
        journal.save(&[1]).unwrap();
        for (validity, key) in [(2, 20), (3, 30)] {
            journal.compare(&folder.path, &listing(validity, &[(key, false), (key + 1, false)])).unwrap();
            assert_eq!(journal.there(&folder, &[1; 16]), Some(11));
            assert_eq!(journal.there(&folder, &[1; 16]), None, "another message of this content is another one");
            found(&journal, key, 1, 11);
            journal.save(&[2]).unwrap();
            let gone = journal.complete(&folder);
            let places: Vec<u64> =
                gone.iter().map(|c| if let Change::Gone { place, .. } = c { *place } else { 0 }).collect();
            // The second one went with the first change of numbers, the third one was not moved then.
            assert_eq!(places, if validity == 2 { vec![12, 13] } else { vec![13] });
            journal.changed(&folder, &gone[0]);
            journal.settle().unwrap();
        }
        // An older copy of the target is put back: what was found in a later one may not be in it.
        drop(journal);
        assert_eq!(account(dir.path(), 5, false).before(&folder.path, 3).unwrap().keys, [[30]]);
        assert!(account(dir.path(), 4, true).before(&folder.path, 3).unwrap().keys.is_empty());
    }

    #[test]
    fn changes_are_told_until_they_are_settled() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder { path: vec!["Inbox".to_owned()], ..Folder::default() };
        let journal = account(dir.path(), 1, true);
        journal.compare(&folder.path, &listing(1, &[(1, false), (2, false)])).unwrap();
        take(&journal, &folder, 1, 11);
        take(&journal, &folder, 2, 12);
        journal.save(&[1]).unwrap();
        let now = listing(1, &[(1, true)]);
        for settled in [false, true] {
            journal.compare(&folder.path, &now).unwrap();
            let found = journal.differences(&folder);
            let flags = Flags { seen: Some(true), ..Flags::default() };
            let read = Change::State { key: vec![1], place: 11, flags };
            let changes = vec![read, Change::Gone { key: vec![2], place: 12 }];
            assert_eq!(found, Differences { there: 1, changes: changes.clone(), ..Differences::default() });
            if settled {
                for change in &changes {
                    journal.changed(&folder, change);
                }
                journal.settle().unwrap();
            }
        }
        journal.compare(&folder.path, &Listing { newest: Some(77), ..now }).unwrap();
        assert_eq!(journal.differences(&folder), Differences { there: 1, ..Differences::default() });
        journal.complete(&folder);
        assert_eq!(journal.before(&folder.path, 1).unwrap().newest, None);
        journal.settle().unwrap();
        assert_eq!(journal.before(&folder.path, 1).unwrap().newest, Some(77));
        // The server numbered its messages anew: the content tells which is which, once.
        journal.compare(&folder.path, &listing(2, &[(7, true)])).unwrap();
        assert_eq!(journal.differences(&folder), Differences::default());
        assert_eq!(journal.there(&folder, &[1; 16]), Some(11));
        assert_eq!(journal.there(&folder, &[1; 16]), None);
        drop(journal);
        let known = State::summaries(&dir.path().join("a.pst")).unwrap();
        assert_eq!(known.len(), 1);
        assert_eq!(known[0].folders, [("Inbox".to_owned(), 1)]);
    }
}
