//! The node and block B-trees: look-up and ordered walks ([MS-PST] 2.2.2.7.7).
//!
//! Intermediate pages are held in memory (1/400 of what the leaves describe); leaf pages are read when asked for, and the
//! ones last used are kept: look-ups come in clusters. A tree that changes soon is looked up from its root down instead.

use super::page::{Page, Tree};
use super::variant::{Bref, Variant};
use crate::error::{Error, Kind, Result};
use crate::io::Input;
use std::sync::{Mutex, OnceLock, PoisonError};

/// Bytes of leaf pages that are kept.
const KEPT: usize = 2 << 20;
/// Leaf pages that a tree may have; a larger count can only come from damage.
const MAX_LEAVES: usize = 1 << 26;

/// Slots for pages of a tree that is looked up from its root.
const SLOTS: usize = 512;

/// One B-tree.
pub struct BTree {
    tree: Tree,
    variant: Variant,
    root: Bref,
    /// Read when the tree is opened, or when a tree that is looked up from its root is walked.
    upper: OnceLock<Upper>,
    /// Pages and their offsets; each has one slot where it can stand.
    kept: Vec<Mutex<Option<(u64, Page)>>>,
}

/// What the intermediate pages say.
#[derive(Default)]
struct Upper {
    /// The first key and place of each leaf page, in order.
    leaves: Vec<(u64, Bref)>,
    /// What could not be read.
    lost: Vec<Error>,
}

impl BTree {
    /// Reads the intermediate pages; damaged ones below the root are left out and remembered.
    ///
    /// # Errors
    /// When the root page cannot be read.
    pub fn open(input: &Input, variant: Variant, tree: Tree, root: Bref) -> Result<Self> {
        let mut out = Self { tree, variant, root, upper: OnceLock::new(), kept: Vec::new() };
        let upper = out.read_upper(input)?;
        let slots = (KEPT / variant.page()).min(upper.leaves.len());
        out.kept.resize_with(slots, Mutex::default);
        let _ = out.upper.set(upper);
        Ok(out)
    }

    /// A tree that is looked up from its root down: nothing is read before it is asked for.
    pub fn from_root(variant: Variant, tree: Tree, root: Bref) -> Self {
        let mut out = Self { tree, variant, root, upper: OnceLock::new(), kept: Vec::new() };
        out.kept.resize_with(SLOTS, Mutex::default);
        out
    }

    fn read_upper(&self, input: &Input) -> Result<Upper> {
        let (tree, variant) = (self.tree, self.variant);
        let mut out = Upper::default();
        let page = Page::read(input, variant, tree, self.root, None)?;
        if page.counters.level == 0 {
            out.leaves.push((0, self.root));
            return Ok(out);
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
                out.leaves = children;
                break;
            }
            level = Vec::new();
            for (_, at) in children {
                match Page::read(input, variant, tree, at, Some(depth - 1)) {
                    Ok(page) => level.push(page),
                    Err(e) => out.lost.push(e),
                }
            }
        }
        out.leaves.sort_by_key(|(key, _)| *key);
        Ok(out)
    }

    /// The leaf entry with a key, decoded by `decode` into key and value.
    ///
    /// # Errors
    /// When the leaf page that would hold it cannot be read.
    pub fn find<T>(&self, input: &Input, key: u64, decode: impl Fn(&[u8]) -> Option<(u64, T)>) -> Result<Option<T>> {
        let Some(upper) = self.upper.get() else {
            let Some(at) = self.leaf_of(input, key)? else { return Ok(None) };
            return self.with_page(input, at, Some(0), self.slot(at), |page| search(page, key, decode));
        };
        let after = upper.leaves.partition_point(|(first, _)| *first <= key);
        let leaf = after.checked_sub(1).and_then(|index| upper.leaves.get(index).map(|(_, at)| (index, *at)));
        let found = match leaf {
            Some((index, at)) => self.with_page(input, at, Some(0), index, |page| search(page, key, decode))?,
            None => None,
        };
        // What a lost page led to is not known to be missing.
        match (found, upper.lost.first()) {
            (None, Some(lost)) => Err(lost.retold(lost.kind(), lost.text())),
            (found, _) => Ok(found),
        }
    }

    /// The leaf page that would hold a key, from the root down; levels end at [`super::page::MAX_LEVEL`].
    fn leaf_of(&self, input: &Input, key: u64) -> Result<Option<Bref>> {
        let (mut at, mut level) = (self.root, None);
        loop {
            let next = self.with_page(input, at, level, self.slot(at), |page| {
                if page.counters.level == 0 {
                    return None;
                }
                let child =
                    (0..page.len()).rev().filter_map(|i| self.variant.bt(page.entry(i)?)).find(|(k, _)| *k <= key);
                Some((page.counters.level - 1, child.map(|(_, at)| at)))
            })?;
            match next {
                None => return Ok(Some(at)),
                Some((_, None)) => return Ok(None),
                Some((below, Some(child))) => (at, level) = (child, Some(below)),
            }
        }
    }

    /// The slot of a page that is known by its place alone.
    fn slot(&self, at: Bref) -> usize {
        (at.ib / self.variant.page() as u64) as usize
    }

    /// Uses a page, which is kept in a slot for the next time.
    fn with_page<T>(
        &self,
        input: &Input,
        at: Bref,
        level: Option<u8>,
        slot: usize,
        using: impl FnOnce(&Page) -> T,
    ) -> Result<T> {
        let Some(slot) = self.kept.get(slot % self.kept.len().max(1)) else {
            return Page::read(input, self.variant, self.tree, at, level).map(|page| using(&page));
        };
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        let page = match &mut *slot {
            Some((held, page)) if *held == at.ib => page,
            other => &mut other.insert((at.ib, Page::read(input, self.variant, self.tree, at, level)?)).1,
        };
        Ok(using(page))
    }

    /// All leaf entries in order; a damaged page is one `Err`, and the walk goes on behind it.
    pub fn walk<'a, T: 'a>(
        &'a self,
        input: &'a Input,
        decode: impl Fn(&[u8]) -> Option<T> + Copy + 'a,
    ) -> impl Iterator<Item = Result<T>> + 'a {
        let upper = self
            .upper
            .get_or_init(|| self.read_upper(input).unwrap_or_else(|e| Upper { leaves: Vec::new(), lost: vec![e] }));
        let lost = upper.lost.iter().map(|e| Err(e.retold(e.kind(), e.text()).within(self.tree.name())));
        let found = upper.leaves.iter().flat_map(move |(_, at)| {
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

/// The entry of a key in a leaf page.
fn search<T>(page: &Page, key: u64, decode: impl Fn(&[u8]) -> Option<(u64, T)>) -> Option<T> {
    let (mut low, mut high) = (0, page.len());
    while low < high {
        let mid = usize::midpoint(low, high);
        match page.entry(mid).and_then(&decode) {
            Some((found, value)) if found == key => return Some(value),
            Some((found, _)) if found < key => low = mid + 1,
            Some(_) => high = mid,
            None => return None,
        }
    }
    None
}
