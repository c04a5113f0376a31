//! Changes to messages of an existing store: other properties, another folder ([MS-PST] 2.4.5).

use super::super::message::{prefixed, stored_props};
use super::{FolderId, StoreWriter, no_folder};
use crate::error::{Error, Kind, Result};
use crate::ltp::PropContext;
use crate::ltp::build::PcBuilder;
use crate::ltp::build::value::{Stored, stored};
use crate::ltp::heap::is_hid;
use crate::ltp::pc;
use crate::mapi::message::flag;
use crate::mapi::value::is_inline;
use crate::mapi::{NamedProp, Prop, PropBag, PropTag, PropType, Value, tag};
use crate::ndb::{Ndb, Nid, Node, nid_type};
use std::sync::Arc;

/// Messages inside messages are followed so deep.
const MAX_DEPTH: usize = 200;

impl StoreWriter {
    /// Changes the properties of a message. Its property context is written anew, its recipients and attachments keep their
    /// blocks, and its row in the table of contents follows.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when the folder has no such message; when a value cannot be stored, or the file cannot be read or
    /// written.
    pub fn update(&mut self, folder: FolderId, nid: Nid, change: &mut dyn FnMut(&mut PropBag)) -> Result<()> {
        let node = self.message_in(folder, nid)?;
        let associated = nid.ty() == nid_type::ASSOC_MESSAGE;
        // What may fail to be read comes before anything changes. To open a table may change the trees.
        self.open_table(folder.0, associated)?;
        let reader = self.ndb.reader()?;
        let pc = PropContext::open(&reader, node.data, node.sub).map_err(|e| e.id(u64::from(nid.0)))?;
        let names = self.names.read();
        let mut before = PropBag(Vec::with_capacity(pc.records().len()));
        for record in pc.records() {
            let name = record.tag.is_named().then(|| names.name(record.tag.id())).flatten();
            before.0.push(Prop { tag: record.tag, name, value: pc.value(*record)? });
        }
        drop(names);
        let mut after = before.clone();
        change(&mut after);
        settle(&before, &mut after);
        let stays = |(old, new): (&Prop, &Prop)| old.tag == new.tag && same(&old.value, &new.value);
        if before.0.len() == after.0.len() && before.0.iter().zip(&after.0).all(stays) {
            return Ok(());
        }
        let new: Vec<Arc<NamedProp>> = after.0.iter().filter_map(|p| p.name.clone()).collect();
        for name in new {
            self.names.register(&name)?;
        }
        let kept = kept(&pc)?;
        let mut size = 0;
        for sub in &kept {
            size += bytes_of(&reader, *sub, MAX_DEPTH)?;
        }
        let (image, after) = {
            let names = self.names.read();
            let mut props = stored_props(&after, &names, self.options.crypt);
            let mut pc = PcBuilder::with_room(self.options.crypt, props.0.len(), props.in_heap())?
                .beside(kept.iter().map(|n| n.nid));
            props.add_to(&mut pc)?;
            let (image, size) = pc.finish_beside(Some(tag::MESSAGE_SIZE.id()), Vec::new(), size)?;
            props.set(tag::MESSAGE_SIZE, Value::I32(size.min(i32::MAX as u64) as i32));
            (image, props.only(|_| true))
        };
        let (data, sub) = self.ndb.image_beside(image, kept)?;
        let Some(f) = self.folders.get_mut(folder.0) else { return Err(no_folder()) };
        let slot = if associated { &mut f.associated } else { &mut f.contents };
        let Some(table) = slot else { return Err(no_folder()) };
        let mut cells: Vec<(PropTag, Option<&Value>)> = Vec::new();
        for prop in &before.0 {
            match after.get(prop.tag) {
                Some(value) if same(&prop.value, value) => {}
                value => cells.push((prop.tag, value)),
            }
        }
        cells.extend(after.0.iter().filter(|p| before.get(p.tag).is_none()).map(|p| (p.tag, Some(&p.value))));
        cells.retain(|(tag, _)| table.has_column(*tag));
        if table.has_row(nid.0) {
            table.change(&mut self.ndb, nid.0, &cells)?;
        }
        self.ndb.node(Node { data, sub, ..node })?;
        let read = |bag: &PropBag| bag.i32(tag::MESSAGE_FLAGS).unwrap_or_default() & flag::READ != 0;
        let unread = i32::from(read(&before)) - i32::from(read(&after));
        *if associated { &mut f.hidden_unread } else { &mut f.unread } += unread;
        Ok(())
    }

    /// Moves a message to another folder; it keeps its id and all that it is.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when the folder has no such message; when the file cannot be read or written.
    pub fn move_message(&mut self, nid: Nid, from: FolderId, to: FolderId) -> Result<()> {
        let node = self.message_in(from, nid)?;
        let Some(parent) = self.nid(to) else { return Err(no_folder()) };
        if from == to {
            return Ok(());
        }
        let associated = nid.ty() == nid_type::ASSOC_MESSAGE;
        self.open_table(from.0, associated)?;
        self.open_table(to.0, associated)?;
        let reader = self.ndb.reader()?;
        let pc = PropContext::open(&reader, node.data, node.sub).map_err(|e| e.id(u64::from(nid.0)))?;
        let flags = pc.get(tag::MESSAGE_FLAGS.id())?.and_then(|v| v.as_i32()).unwrap_or_default();
        let unread = i32::from(flags & flag::READ == 0);
        let table = |f: &'_ mut super::Folder| if associated { f.associated.take() } else { f.contents.take() };
        let (Some(mut source), Some(mut target)) =
            (self.folders.get_mut(from.0).and_then(table), self.folders.get_mut(to.0).and_then(table))
        else {
            return Err(no_folder());
        };
        let moved = target.room().and_then(|()| {
            let has_row = source.has_row(nid.0);
            let mut cells = if has_row { source.cells(&mut self.ndb, nid.0)? } else { Vec::new() };
            for record in pc.records().iter().filter(|r| target.has_column(r.tag)) {
                // What cannot be read of the message is not in its row; it stays in the message as it is.
                if !cells.iter().any(|(tag, _)| *tag == record.tag)
                    && let Ok(value) = pc.value(*record)
                {
                    cells.push((record.tag, value));
                }
            }
            // At every error the message is still where it was.
            target.row(nid.0, |t| cells.iter().find(|(tag, _)| *tag == t).map(|(_, value)| value))?;
            let out = if has_row { source.remove(&mut self.ndb, nid.0) } else { Ok(()) };
            if out.is_err() {
                target.remove(&mut self.ndb, nid.0)?;
            }
            out.and_then(|()| self.ndb.node(Node { parent, ..node }))
        });
        for (folder, table, unread) in [(from, source, -unread), (to, target, unread)] {
            let Some(f) = self.folders.get_mut(folder.0) else { continue };
            let unread = if moved.is_ok() { unread } else { 0 };
            if associated {
                f.associated = Some(table);
                f.hidden_unread += unread;
            } else {
                f.contents = Some(table);
                f.unread += unread;
            }
        }
        moved
    }

    /// The node of a message, if it is in a folder.
    fn message_in(&mut self, folder: FolderId, nid: Nid) -> Result<Node> {
        let node = self.ndb.reader()?.node(nid)?.filter(|n| Some(n.parent) == self.nid(folder));
        node.ok_or_else(|| Error::new(Kind::NotFound, "the folder has no such message").id(u64::from(nid.0)))
    }
}

/// Makes changed properties fit what the message is: the flags that say what it has are no matter of choice.
fn settle(before: &PropBag, after: &mut PropBag) {
    let own = flag::HAS_ATTACH | flag::ASSOCIATED;
    if let (Some(old), Some(new)) = (before.i32(tag::MESSAGE_FLAGS), after.i32(tag::MESSAGE_FLAGS)) {
        after.set(tag::MESSAGE_FLAGS, Value::I32(old & own | new & !own));
    }
    if let Some(Value::Unicode(text)) = after.get(tag::SUBJECT)
        && !text.starts_with(&[1, 0])
        && !before.get(tag::SUBJECT).is_some_and(|old| same(old, &Value::Unicode(text.clone())))
    {
        let value = Value::Unicode(prefixed(text));
        after.set(tag::SUBJECT, value);
    }
}

/// The subnodes of a message that hold no value of its own properties.
fn kept(pc: &PropContext<'_>) -> Result<Vec<Node>> {
    let mut own = Vec::new();
    for record in pc.records() {
        if is_inline(record.tag.ty()) || record.raw == 0 {
            continue;
        }
        if record.tag.ty() == PropType::OBJECT {
            own.push(pc::object(pc.heap(), record.raw)?.0);
        } else if !is_hid(record.raw) {
            own.push(record.raw);
        }
    }
    Ok(pc.heap().subnodes.0.iter().filter(|n| !own.contains(&n.nid.0)).copied().collect())
}

/// Bytes of the data blocks of a subnode and all below it, as PidTagMessageSize counts them.
fn bytes_of(reader: &Arc<Ndb>, node: Node, depth: usize) -> Result<u64> {
    let mut size = reader.data(node.data)?.len();
    if let Some(depth) = depth.checked_sub(1) {
        for sub in reader.subnodes(node.sub)?.0 {
            size += bytes_of(reader, sub, depth)?;
        }
    }
    Ok(size)
}

/// True for values that are stored alike.
fn same(a: &Value, b: &Value) -> bool {
    match (stored(a), stored(b)) {
        (Stored::Inline(a), Stored::Inline(b)) => a == b,
        (Stored::Bytes(a), Stored::Bytes(b)) => a == b,
        (Stored::Stream(a), Stored::Stream(b)) => Arc::ptr_eq(a, b),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapi::{Message, Role};
    use crate::messaging::Store;
    use crate::messaging::write::Options;
    use std::path::Path;

    /// The subjects of the messages of a folder, sorted, and whether each can be read whole.
    fn subjects(path: &Path, folder: &str) -> Vec<(String, bool)> {
        let store = Store::open(path).unwrap();
        let mut errors = Vec::new();
        let all = store.folders(&mut errors);
        let folder = all.iter().find(|f| f.name == folder).unwrap();
        let listed: Vec<_> = store.contents(folder.nid, false, &mut errors);
        assert!(errors.is_empty(), "{errors:?}");
        let shown = |(m, lost): (Message, Vec<Error>)| {
            let subject = m.props.text(tag::SUBJECT).unwrap_or_default();
            (subject.trim_start_matches('\u{1}').to_owned(), lost.is_empty())
        };
        let mut out: Vec<_> = listed.into_iter().map(|l| shown(store.message(l.nid).unwrap())).collect();
        out.sort_unstable();
        out
    }

    /// A store with three messages in folder A: (path, their nodes). The first has a value that cannot be read and that its
    /// row does not tell either, the second has no row.
    fn damaged(dir: &Path) -> (std::path::PathBuf, Vec<Nid>) {
        let path = dir.join("a.pst");
        let mut w =
            StoreWriter::create(&path, Options { crypt: crate::ndb::Crypt::None, ..Options::default() }).unwrap();
        let a = w.add_folder(w.top(), "A", Role::None, None, &PropBag::default()).unwrap();
        w.add_folder(w.top(), "B", Role::None, None, &PropBag::default()).unwrap();
        let mut nids = Vec::new();
        for n in 0..3 {
            let mut m = Message::default();
            m.props.set(tag::SUBJECT, Value::text(&format!("Subject {n}")));
            m.props.set(tag::DISPLAY_TO, Value::text(&format!("to{n} ").repeat(1000)));
            w.add(a, &m, false).unwrap();
            nids.push(w.newest(false));
        }
        w.finish().unwrap();
        let mut w = StoreWriter::open(&path, Options::default()).unwrap();
        let a = w.folder(&["A"]).unwrap();
        w.open_table(a.0, false).unwrap();
        let table = w.folders[a.0].contents.as_mut().unwrap();
        table.change(&mut w.ndb, nids[0].0, &[(tag::DISPLAY_TO, None)]).unwrap();
        table.remove(&mut w.ndb, nids[1].0).unwrap();
        w.finish().unwrap();
        let mut bytes = std::fs::read(&path).unwrap();
        let text: Vec<u8> = "to0 to0 to0 ".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let found: Vec<usize> = (0..bytes.len() - text.len()).filter(|at| bytes[*at..].starts_with(&text)).collect();
        assert!(!found.is_empty());
        for at in found {
            bytes[at] ^= 1;
        }
        std::fs::write(&path, bytes).unwrap();
        (path, nids)
    }

    #[test]
    fn a_move_is_done_or_it_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let (path, nids) = damaged(dir.path());
        let mut w = StoreWriter::open(&path, Options::default()).unwrap();
        let (a, b) = (w.folder(&["A"]).unwrap(), w.folder(&["B"]).unwrap());
        for nid in &nids {
            w.move_message(*nid, a, b).unwrap();
        }
        w.finish().unwrap();
        assert_eq!(subjects(&path, "A"), []);
        let all: Vec<_> = (0..3).map(|n| (format!("Subject {n}"), n != 0)).collect();
        assert_eq!(subjects(&path, "B"), all);
    }

    #[test]
    fn what_fails_changes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let (path, nids) = damaged(dir.path());
        let mut w = StoreWriter::open(&path, Options::default()).unwrap();
        let a = w.folder(&["A"]).unwrap();
        let unread = |bag: &mut PropBag| bag.set(tag::MESSAGE_FLAGS, Value::I32(0));
        assert_eq!(w.update(a, nids[0], &mut |bag| unread(bag)).unwrap_err().kind(), Kind::Damaged);
        assert!(!w.failed());
        w.update(a, nids[1], &mut |bag| unread(bag)).unwrap();
        w.update(a, nids[2], &mut |bag| unread(bag)).unwrap();
        w.finish().unwrap();
        let all: Vec<_> = (0..3).map(|n| (format!("Subject {n}"), n != 0)).collect();
        assert_eq!(subjects(&path, "A"), all);
    }
}
