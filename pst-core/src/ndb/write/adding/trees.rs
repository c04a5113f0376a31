//! References to blocks, and how changes get into the B-trees ([MS-PST] 2.2.2.7.7, 2.2.2.7.7.3).

use super::merge::{Change, Entry, Merge};
use super::{Adding, HELD};
use crate::error::{Error, Kind, Result};
use crate::ndb::id::{Bid, Nid};
use crate::ndb::page::Tree;
use crate::ndb::variant::{BlockRef, Variant};
use crate::ndb::write::page::{bbt_entry, nbt_entry};
use std::collections::BTreeMap;
use zerocopy::IntoBytes;

impl Adding {
    /// Puts what is held into the B-trees. With `commit`, what nothing refers to then is freed.
    pub(super) fn put_into_trees(&mut self, commit: bool) -> Result<()> {
        self.space.settle_length()?;
        let dead = self.settle(commit)?;
        let reader = self.reader()?;
        let (nodes, blocks) = {
            let mut changes = self.changes.write();
            // A block that nothing refers to yet is kept: a table that is being built will.
            let (kept, blocks) = std::mem::take(&mut changes.blocks).into_iter().partition(|(_, b)| b.c_ref < 2);
            changes.blocks = kept;
            // Those are held in any case: the blocks of a long value, until its XBLOCKs come.
            self.fold_at = changes.blocks.len() + HELD;
            (std::mem::take(&mut changes.nodes), blocks)
        };
        let new = |b: &BlockRef| Entry::new(b.bid.key(), bbt_entry(b).as_bytes());
        let blocks: BTreeMap<u64, BlockRef> = blocks;
        let mut bbt: Vec<Change> = blocks.iter().map(|(key, b)| (*key, Some(new(b)))).collect();
        bbt.extend(dead.iter().map(|b| (b.bid.key(), None)));
        for (key, change) in std::mem::take(&mut self.references) {
            if change == 0 || dead.binary_search_by_key(&key, |b| b.bid.key()).is_ok() {
                continue;
            }
            let mut block = reader.block(Bid(key))?;
            let count = i32::from(block.c_ref) + change;
            block.c_ref = u16::try_from(count).map_err(|_| {
                Error::new(Kind::Limit, format!("block has {count} references, more than can be counted")).id(key)
            })?;
            bbt.push((key, Some(new(&block))));
        }
        bbt.sort_unstable_by_key(|(key, _)| *key);
        let nbt: Vec<Change> = nodes
            .iter()
            .map(|(nid, n)| (u64::from(*nid), Some(Entry::new(u64::from(*nid), nbt_entry(n).as_bytes()))))
            .collect();
        for (tree, root, changes) in [(Tree::Nbt, self.nbt, nbt), (Tree::Bbt, self.bbt, bbt)] {
            let input = self.space.file.input()?;
            let mut merge = Merge {
                space: &mut self.space,
                input: &input,
                tree,
                next_page: &mut self.next_page,
                own: self.own_page,
            };
            let root = merge.apply(root, &changes)?;
            *if tree == Tree::Nbt { &mut self.nbt } else { &mut self.bbt } = root;
        }
        for (nid, _) in nodes {
            // What stands in the trees is looked up from now on.
            if let Some(highest) = self.highest.get_mut(usize::from(Nid(nid).ty())) {
                *highest = Nid(nid).index().max(*highest);
            }
        }
        self.reader = None;
        Ok(())
    }

    /// Takes back the references that are gone, and frees blocks that have none left; returns those among them that stand
    /// in the tree, sorted.
    fn settle(&mut self, commit: bool) -> Result<Vec<BlockRef>> {
        let mut dead = Vec::new();
        let mut released = std::mem::take(&mut self.released);
        if commit {
            // What nothing refers to when all is written was in vain.
            let vain: Vec<Bid> = self.changes.read().blocks.values().filter(|b| b.c_ref < 2).map(|b| b.bid).collect();
            for bid in vain {
                released.extend(self.bury_new(bid)?);
            }
        }
        while let Some(bid) = released.pop() {
            if bid.is_none() {
                continue;
            }
            let left = self.changes.write().blocks.get_mut(&bid.key()).map(|new| {
                new.c_ref -= 1;
                new.c_ref
            });
            match left {
                Some(1) => released.extend(self.bury_new(bid)?),
                Some(_) => {}
                None => {
                    let change = self.references.entry(bid.key()).or_default();
                    *change -= 1;
                    if *change >= 0 {
                        continue;
                    }
                    let change = *change;
                    let reader = self.reader()?;
                    // What is not there needs no freeing; a count that was wrong frees nothing.
                    let Ok(block) = reader.block(bid) else { continue };
                    if i32::from(block.c_ref) + change == 1 {
                        released.extend(reader.referred(block.bid)?);
                        let size = Variant::Unicode.block_size(usize::from(block.cb));
                        if block.bid.key() >= self.own_block {
                            self.space.give_back(block.ib, size)?;
                        } else {
                            self.space.give_back_later(block.ib, size);
                        }
                        dead.push(block);
                    }
                }
            }
        }
        dead.sort_unstable_by_key(|b| b.bid.key());
        Ok(dead)
    }

    /// Frees a block that is in no tree yet; returns what it refers to.
    fn bury_new(&mut self, bid: Bid) -> Result<Vec<Bid>> {
        let below = self.reader()?.referred(bid)?;
        if let Some(block) = self.changes.write().blocks.remove(&bid.key()) {
            self.space.give_back(block.ib, Variant::Unicode.block_size(usize::from(block.cb)))?;
        }
        Ok(below)
    }
}

#[cfg(test)]
mod tests {
    use crate::error::Result;
    use crate::io::{HeldFile, InPlace, Input, NewFile};
    use crate::mapi::Stream;
    use crate::ndb::crc::crc;
    use crate::ndb::write::{BLOCK, NdbWriter, NodeImage, TreeImage};
    use crate::ndb::{Bid, Crypt, Ndb, Nid, Node};
    use std::io::Read;
    use std::path::{Path, PathBuf};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// A file whose writes are counted.
    struct Counted {
        file: HeldFile,
        writes: Arc<AtomicUsize>,
    }

    impl InPlace for Counted {
        fn input(&self) -> Result<Input> {
            self.file.input()
        }

        fn write_at(&mut self, bytes: &[u8], offset: u64) -> Result<()> {
            self.writes.fetch_add(1, Ordering::Relaxed);
            self.file.write_at(bytes, offset)
        }

        fn set_len(&mut self, len: u64) -> Result<()> {
            self.file.set_len(len)
        }

        fn sync(&mut self) -> Result<()> {
            self.file.sync()
        }
    }

    /// Bytes that end early, if `whole` is false.
    struct Sevens {
        len: u64,
        whole: bool,
    }

    impl Stream for Sevens {
        fn len(&self) -> u64 {
            self.len
        }

        fn open(&self) -> Result<Box<dyn Read + Send + '_>> {
            let len = if self.whole { self.len } else { self.len - 1 };
            Ok(Box::new(std::io::repeat(7).take(len)))
        }
    }

    fn image(blocks: usize, whole: bool) -> NodeImage {
        let stream: Arc<dyn Stream> = Arc::new(Sevens { len: (blocks * BLOCK) as u64, whole });
        NodeImage { data: TreeImage::Stream(stream), subs: Vec::new() }
    }

    fn empty(dir: &Path) -> PathBuf {
        let path = dir.join("a.pst");
        let mut new = NdbWriter::new(Box::new(NewFile::create(&path, false).unwrap()), Crypt::Permute);
        let data = new.data_block(b"one", crc(b"one")).unwrap();
        new.node(Node { nid: Nid(0x21), data, sub: Bid(0), parent: Nid(0) }).unwrap();
        new.finish().unwrap();
        path
    }

    /// The blocks of a long value have no XBLOCK yet, and so they stay when what is held goes into the trees. That must not
    /// come again with each further block.
    #[test]
    fn a_long_value_does_not_fold_at_each_block() {
        let dir = tempfile::tempdir().unwrap();
        let path = empty(dir.path());
        let writes = Arc::new(AtomicUsize::new(0));
        let file = Counted { file: HeldFile::open(&path).unwrap(), writes: Arc::clone(&writes) };
        let mut w = NdbWriter::open(Box::new(file)).unwrap();
        let blocks = 3000;
        let (data, sub) = w.image(image(blocks, true)).unwrap();
        w.node(Node { nid: Nid(0x0020_0024), data, sub, parent: Nid(0x122) }).unwrap();
        w.finish().unwrap();
        let writes = writes.load(Ordering::Relaxed);
        assert!(writes < blocks / 5, "{writes} writes");
        let ndb = Arc::new(Ndb::open(&path).unwrap());
        let node = ndb.node(Nid(0x0020_0024)).unwrap().unwrap();
        let bytes = ndb.data(node.data).unwrap().to_vec(&ndb, u64::MAX).unwrap();
        assert!(bytes.len() == blocks * BLOCK && bytes.iter().all(|b| *b == 7));
    }

    /// What a value that ends early has left behind is free after the commit.
    #[test]
    fn a_value_that_ends_early_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = empty(dir.path());
        let mut w = NdbWriter::open(Box::new(HeldFile::open(&path).unwrap())).unwrap();
        let mut used = Vec::new();
        for nid in [0x41, 0x61, 0x81] {
            w.image(image(1500, false)).unwrap_err();
            assert!(!w.failed());
            w.node(Node { nid: Nid(nid), data: Bid(0), sub: Bid(0), parent: Nid(0) }).unwrap();
            w.commit().unwrap();
            used.push(w.used());
        }
        // The file has grown, but it does not grow again.
        assert!(used[0] < 100_000 && used.iter().all(|u| *u == used[0]), "{used:?}");
        w.finish().unwrap();
        let ndb = Ndb::open(&path).unwrap();
        assert_eq!(ndb.blocks().count(), 1);
    }

    /// A reader is made once, also where the file has grown.
    #[test]
    fn a_reader_lasts() {
        let dir = tempfile::tempdir().unwrap();
        let path = empty(dir.path());
        let mut w = NdbWriter::open(Box::new(HeldFile::open(&path).unwrap())).unwrap();
        let data = vec![1; BLOCK];
        let len = std::fs::metadata(&path).unwrap().len();
        while w.used() <= len {
            w.data_block(&data, crc(&data)).unwrap();
        }
        assert!(Arc::ptr_eq(&w.reader().unwrap(), &w.reader().unwrap()));
    }
}
