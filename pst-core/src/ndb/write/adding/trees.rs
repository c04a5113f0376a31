//! References to blocks, and how changes get into the B-trees ([MS-PST] 2.2.2.7.7, 2.2.2.7.7.3).

use super::Adding;
use super::merge::{Change, Entry, Merge};
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
