//! The node and block B-trees: look-up and ordered walks ([MS-PST] 2.2.2.7.7).
//!
//! Intermediate pages are held in memory (1/400 of what the leaves describe); leaf pages are read when asked for, and the
//! ones last used are kept: look-ups come in clusters.

use super::page::{Page, Tree};
use super::variant::{Bref, Variant};
use crate::error::{Error, Kind, Result};
use crate::io::Input;
use std::sync::{Mutex, PoisonError};

/// Bytes of leaf pages that are kept.
const KEPT: usize = 2 << 20;
/// Leaf pages that a tree may have; a larger count can only come from damage.
const MAX_LEAVES: usize = 1 << 26;

/// One B-tree: the first key and place of each leaf page, in order.
pub struct BTree {
    tree: Tree,
    variant: Variant,
    leaves: Vec<(u64, Bref)>,
    /// What could not be read of the intermediate pages.
    lost: Vec<Error>,
    /// Leaf pages and their positions in `leaves`; each has one slot where it can stand.
    kept: Vec<Mutex<Option<(usize, Page)>>>,
}

impl BTree {
    /// Reads the intermediate pages; damaged ones below the root are left out and remembered.
    ///
    /// # Errors
    /// When the root page cannot be read.
    pub fn open(input: &Input, variant: Variant, tree: Tree, root: Bref) -> Result<Self> {
        let mut out = Self { tree, variant, leaves: Vec::new(), lost: Vec::new(), kept: Vec::new() };
        out.read_upper(input, root)?;
        let slots = (KEPT / variant.page()).min(out.leaves.len());
        out.kept.resize_with(slots, Mutex::default);
        Ok(out)
    }

    fn read_upper(&mut self, input: &Input, root: Bref) -> Result<()> {
        let (tree, variant) = (self.tree, self.variant);
        let page = Page::read(input, variant, tree, root, None)?;
        if page.counters.level == 0 {
            self.leaves.push((0, root));
            return Ok(());
        }
        let mut level = vec![page];
        // The pages of a level cannot outnumber the pages of the file.
        let most = ((input.len() / variant.page() as u64) as usize).min(MAX_LEAVES);
        while let Some(depth) = level.first().map(|p| p.counters.level) {
            let mut children = Vec::new();
            for page in &level {
                for i in 0..page.len() {
                    if let Some(entry) = page.entry(i).and_then(|e| variant.bt(e)) {
                        children.push(entry);
                    }
                }
            }
            if children.len() > most {
                return Err(Error::damaged(tree.name(), "the tree refers to more pages than the file has"));
            }
            if depth == 1 {
                self.leaves = children;
                break;
            }
            level = Vec::new();
            for (_, at) in children {
                match Page::read(input, variant, tree, at, Some(depth - 1)) {
                    Ok(page) => level.push(page),
                    Err(e) => self.lost.push(e),
                }
            }
        }
        self.leaves.sort_by_key(|(key, _)| *key);
        Ok(())
    }

    /// The leaf entry with a key, decoded by `decode` into key and value.
    ///
    /// # Errors
    /// When the leaf page that would hold it cannot be read.
    pub fn find<T>(&self, input: &Input, key: u64, decode: impl Fn(&[u8]) -> Option<(u64, T)>) -> Result<Option<T>> {
        let after = self.leaves.partition_point(|(first, _)| *first <= key);
        let Some(index) = after.checked_sub(1) else { return Ok(None) };
        let (Some((_, at)), Some(slot)) = (self.leaves.get(index), self.kept.get(index % self.kept.len().max(1)))
        else {
            return Ok(None);
        };
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        let page = match &mut *slot {
            Some((held, page)) if *held == index => page,
            other => &mut other.insert((index, Page::read(input, self.variant, self.tree, *at, Some(0))?)).1,
        };
        let (mut low, mut high) = (0, page.len());
        while low < high {
            let mid = usize::midpoint(low, high);
            match page.entry(mid).and_then(&decode) {
                Some((found, value)) if found == key => return Ok(Some(value)),
                Some((found, _)) if found < key => low = mid + 1,
                Some(_) => high = mid,
                None => return Ok(None),
            }
        }
        Ok(None)
    }

    /// All leaf entries in order; a damaged page is one `Err`, and the walk goes on behind it.
    pub fn walk<'a, T: 'a>(
        &'a self,
        input: &'a Input,
        decode: impl Fn(&[u8]) -> Option<T> + Copy + 'a,
    ) -> impl Iterator<Item = Result<T>> + 'a {
        let lost = self.lost.iter().map(|e| {
            let mut copy = Error::new(e.kind(), e.text()).within(self.tree.name());
            if let Some(at) = e.place().offset {
                copy = copy.at(at);
            }
            Err(copy)
        });
        let found = self.leaves.iter().flat_map(move |(_, at)| {
            match Page::read(input, self.variant, self.tree, *at, Some(0)) {
                Ok(page) => {
                    let items: Vec<Result<T>> = (0..page.len())
                        .map(|i| {
                            page.entry(i).and_then(decode).ok_or_else(|| {
                                Error::new(Kind::Damaged, "an entry cannot be read").within(self.tree.name()).at(at.ib)
                            })
                        })
                        .collect();
                    items.into_iter()
                }
                Err(e) => vec![Err(e)].into_iter(),
            }
        });
        lost.chain(found)
    }
}
