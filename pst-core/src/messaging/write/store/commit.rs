//! What a commit of an existing store writes ([MS-PST] 2.4): the ends of tables that have changed, the properties of folders
//! whose counts have changed and their rows in the tables of their parents, the name map and the hierarchy map if they grew.
//! Search folders and the queues of their updates ([MS-PST] 2.4.8.4) stay as they are: what a search folder shows is as of
//! Outlook's last search.

use super::super::templates;
use super::existing::open;
use super::{Folder, ROOT, StoreWriter, no_folder};
use crate::error::{Error, Kind, Result};
use crate::ltp::build::TableBuilder;
use crate::mapi::{PropTag, Role, Value, tag};
use crate::messaging::Store;
use crate::ndb::{Nid, Node, nid_type};
use std::collections::BTreeSet;

/// Bytes of tables that stay in memory from one commit to the next.
const HELD_TABLES: usize = 24 << 20;

impl StoreWriter {
    /// Makes everything since the last commit part of an existing store: durable and valid. The writer goes on.
    ///
    /// # Errors
    /// [`Kind::Usage`] for a new store; when the file cannot be read or written: it is then as of the last commit.
    pub fn commit(&mut self) -> Result<()> {
        if self.failed() {
            return Err(Error::new(Kind::Io, "an earlier commit failed; the file is as it was before it"));
        }
        let done = self.commit_all();
        self.spoilt |= done.is_err() && self.existing.is_some();
        done
    }

    fn commit_all(&mut self) -> Result<()> {
        let Some(existing) = &mut self.existing else {
            return Err(Error::new(Kind::Usage, "a new store is completed once"));
        };
        let roles = std::mem::take(&mut existing.roles);
        let touched = std::mem::take(&mut existing.touched);
        if roles {
            self.write_roles()?;
        }
        let more = self.existing.as_mut().map(|e| std::mem::take(&mut e.touched)).unwrap_or_default();
        let touched: BTreeSet<usize> = touched.into_iter().chain(more).collect();
        for index in &touched {
            self.settle(*index)?;
        }
        // Rows in the tables of parents, once both are there.
        for index in &touched {
            self.write_folder(*index)?;
        }
        self.write_tables()?;
        self.write_maps()?;
        self.ndb.commit()?;
        self.let_go();
        Ok(())
    }

    /// The counts of a folder, and the tables of a new one.
    fn settle(&mut self, index: usize) -> Result<()> {
        let Some(f) = self.folders.get_mut(index) else { return Ok(()) };
        if f.there.search {
            return Ok(());
        }
        let new = !f.there.node;
        if new {
            for associated in [false, true] {
                self.open_table(index, associated)?;
            }
            self.open_hierarchy(index)?;
        }
        let Some(f) = self.folders.get_mut(index) else { return Ok(()) };
        if let Some(len) = f.contents.as_ref().map(TableBuilder::len) {
            f.count(tag::CONTENT_COUNT, len as i32);
            f.count(tag::CONTENT_UNREAD_COUNT, f.unread.max(0));
        }
        if let Some(len) = f.associated.as_ref().map(TableBuilder::len).filter(|len| *len > 0 || !new) {
            f.count(tag::PST_HIDDEN_COUNT, len as i32);
            f.count(tag::PST_HIDDEN_UNREAD, f.hidden_unread.max(0));
        }
        let subfolders = !f.children.is_empty();
        if f.props.bool(tag::SUBFOLDERS) != Some(subfolders) && (new || subfolders) {
            f.set(tag::SUBFOLDERS, Value::Bool(subfolders));
        }
        Ok(())
    }

    fn open_hierarchy(&mut self, index: usize) -> Result<()> {
        let Some(f) = self.folders.get_mut(index) else { return Ok(()) };
        if f.there.hierarchy.is_none() {
            let nid = f.there.node.then(|| f.nid.sibling(nid_type::HIERARCHY_TABLE));
            f.there.hierarchy = Some(open(&mut self.ndb, nid, templates::HIERARCHY)?);
        }
        if let (Some(existing), Some(table)) = (&mut self.existing, &mut f.there.hierarchy) {
            table.set_version(self.ndb.next_commit());
            existing.tables.insert((index, nid_type::HIERARCHY_TABLE));
        }
        Ok(())
    }

    /// The properties of a folder that has changed, and its row in the table of its parent.
    fn write_folder(&mut self, index: usize) -> Result<()> {
        let Some(f) = self.folders.get_mut(index) else { return Ok(()) };
        let changed = std::mem::take(&mut f.there.changed);
        if f.there.search || (changed.is_empty() && f.there.node) {
            return Ok(());
        }
        f.there.node = true;
        let (nid, parent, props) = (f.nid, f.parent, f.props.clone());
        if let Some(id) = props.bytes(tag::REPL_ITEM_ID).filter(|b| b.len() == 16) {
            self.repl.entry(id.to_vec()).or_insert(nid.0);
        }
        let parent_nid = self.folders.get(parent).map_or(Nid::ROOT_FOLDER, |p| p.nid);
        self.put_props(nid, parent_nid, &props)?;
        if parent == index {
            return Ok(());
        }
        self.open_hierarchy(parent)?;
        let Some(table) = self.folders.get_mut(parent).and_then(|p| p.there.hierarchy.as_mut()) else {
            return Err(no_folder());
        };
        if table.has_row(nid.0) {
            let cells: Vec<(PropTag, Option<&Value>)> = changed.iter().map(|t| (*t, props.get(*t))).collect();
            table.change(&mut self.ndb, nid.0, &cells)
        } else {
            table.row(nid.0, |t| props.get(t))
        }
    }

    fn write_tables(&mut self) -> Result<()> {
        let Some(existing) = &mut self.existing else { return Ok(()) };
        for (index, ty) in std::mem::take(&mut existing.tables) {
            let Some(f) = self.folders.get_mut(index) else { continue };
            let table = match ty {
                nid_type::CONTENTS_TABLE => &mut f.contents,
                nid_type::ASSOC_CONTENTS_TABLE => &mut f.associated,
                _ => &mut f.there.hierarchy,
            };
            let Some(table) = table else { continue };
            let (data, sub) = table.write(&mut self.ndb)?;
            self.ndb.node(Node { nid: f.nid.sibling(ty), data, sub, parent: Nid(0) })?;
        }
        Ok(())
    }

    /// The name map and the hierarchy map, if they have grown.
    fn write_maps(&mut self) -> Result<()> {
        let Some((names, repl)) = self.existing.as_ref().map(|e| (e.names, e.repl)) else { return Ok(()) };
        let added = self.names.read().added();
        if added != names {
            let image = self.names.read().image(self.options.crypt)?;
            self.put(Nid::NAME_TO_ID_MAP, Nid(0), image)?;
        }
        if self.repl.len() > repl {
            let image = self.hierarchy_map()?;
            self.put(Nid(0xC01), Nid(0), image)?;
        }
        if let Some(existing) = &mut self.existing {
            (existing.names, existing.repl) = (added, self.repl.len());
        }
        Ok(())
    }

    /// Default folders that have come: in the store object, the receive folder table, the inbox and the root.
    fn write_roles(&mut self) -> Result<()> {
        let reader = self.ndb.reader()?;
        let store = Store::new(reader);
        let mut props = store.node_props(Nid::MESSAGE_STORE)?;
        let mut mask = props.i32(tag::VALID_FOLDER_MASK).unwrap_or(0x89);
        let before = (props.0.len(), mask);
        for (role, tag, bit) in
            [(Role::Outbox, tag::IPM_OUTBOX_ENTRY_ID, 4), (Role::Sent, tag::IPM_SENTMAIL_ENTRY_ID, 0x10)]
        {
            if let Some(nid) = self.roles.get(&role).filter(|_| props.get(tag).is_none()) {
                props.set(tag, self.entry(*nid));
                mask |= bit;
            }
        }
        let inbox = self.roles.get(&Role::Inbox).copied();
        if inbox.is_some() && store.receive_folder().is_none() {
            self.receive_folders()?;
            mask |= 2;
        }
        if (props.0.len(), mask) != before {
            props.set(tag::VALID_FOLDER_MASK, Value::I32(mask));
            self.put_props(Nid::MESSAGE_STORE, Nid(0), &props)?;
        }
        let special = self.special();
        let holders: Vec<usize> = (0..self.folders.len())
            .filter(|i| *i == ROOT || self.folders.get(*i).is_some_and(|f| Some(f.nid) == inbox))
            .collect();
        for index in holders {
            let Some(f) = self.folders.get_mut(index) else { continue };
            let missing: Vec<_> = special.iter().filter(|(tag, _)| f.props.get(*tag).is_none()).collect();
            for (tag, value) in missing {
                f.set(*tag, value.clone());
            }
            self.touch(index);
        }
        Ok(())
    }

    /// Lets go of tables that were not used for the longest time, as far as all of them are too many.
    fn let_go(&mut self) {
        let Some(existing) = &mut self.existing else { return };
        existing.commits += 1;
        let weight = |f: &Folder| -> usize {
            [&f.contents, &f.associated, &f.there.hierarchy].into_iter().flatten().map(TableBuilder::weight).sum()
        };
        let mut held: Vec<(u64, usize, usize)> = self
            .folders
            .iter()
            .enumerate()
            .map(|(i, f)| (existing.used.get(&i).copied().unwrap_or_default(), i, weight(f)))
            .filter(|(_, _, weight)| *weight > 0)
            .collect();
        let mut all: usize = held.iter().map(|(_, _, weight)| weight).sum();
        held.sort_unstable();
        for (_, index, weight) in held {
            if all <= HELD_TABLES {
                break;
            }
            if let Some(f) = self.folders.get_mut(index) {
                (f.contents, f.associated, f.there.hierarchy) = (None, None, None);
                all -= weight;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapi::{Message, PropBag, Role};
    use crate::messaging::write::Options;
    use std::path::Path;

    fn message(n: usize) -> Message {
        let mut m = Message::default();
        m.props.set(tag::SUBJECT, Value::text(&format!("Subject {n}")));
        m.props.set(tag::BODY, Value::text(&format!("Text {n}. ").repeat(1 + n * 131 % 2000)));
        m.props.set(tag::MESSAGE_FLAGS, Value::I32(1));
        m
    }

    /// A transaction with more changes than are held: they are in the trees before it is committed, and not in the file.
    #[test]
    fn a_transaction_may_be_larger_than_what_is_held() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.pst");
        let mut w = StoreWriter::create(&path, Options::default()).unwrap();
        let a = w.add_folder(w.top(), "A", Role::None, None, &PropBag::default()).unwrap();
        (0..20).for_each(|n| drop(w.add(a, &message(n), false).unwrap()));
        w.finish().unwrap();
        let count = |path: &Path| {
            let store = Store::open(path).unwrap();
            let mut errors = Vec::new();
            let mut found = BTreeSet::new();
            for folder in store.folders(&mut errors).iter().filter(|f| !f.search) {
                for listed in store.contents(folder.nid, false, &mut errors) {
                    let (m, more) = store.message(listed.nid).unwrap();
                    let n = m.props.text(tag::SUBJECT).unwrap().rsplit(' ').next().unwrap().parse().unwrap();
                    assert_eq!(m.props.text(tag::BODY), message(n).props.text(tag::BODY));
                    assert!(more.is_empty() && found.insert(n), "{n}");
                }
            }
            assert!(errors.is_empty(), "{errors:?}");
            found.len()
        };
        let mut w = StoreWriter::open(&path, Options::default()).unwrap();
        let a = w.folder(&["A"]).unwrap();
        let b = w.add_folder(w.top(), "B", Role::None, None, &PropBag::default()).unwrap();
        let mut nids = Vec::new();
        for n in 20..400 {
            let prepared =
                crate::messaging::write::PreparedMessage::new(&message(n), &w.names.read(), false, w.crypt());
            nids.push(w.add_prepared(a, prepared.unwrap().unwrap()).unwrap());
        }
        for nid in nids.iter().step_by(3) {
            w.move_message(*nid, a, b).unwrap();
            w.update(b, *nid, &mut |bag| bag.set(tag::MESSAGE_FLAGS, Value::I32(0))).unwrap();
        }
        assert_eq!(count(&path), 20, "nothing is committed yet");
        w.commit().unwrap();
        assert_eq!(count(&path), 400);
        for n in 400..500 {
            w.add(b, &message(n), false).unwrap();
        }
        w.finish().unwrap();
        assert_eq!(count(&path), 500);
        let w = StoreWriter::open(&path, Options::default()).unwrap();
        let b = w.folder(&["b"]).and_then(|b| w.folders.get(b.0)).unwrap();
        assert_eq!(b.props.i32(tag::CONTENT_COUNT), Some(127 + 100));
        assert_eq!(b.props.i32(tag::CONTENT_UNREAD_COUNT), Some(127));
    }
}
