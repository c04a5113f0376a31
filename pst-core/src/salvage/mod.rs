//! What is left of a damaged file: pages and blocks say themselves what they are, and so are found without the trees that
//! should lead to them, and without the header.
//!
//! Blocks are taken where they prove themselves. Nodes come from the pages that the node tree still leads to; where it
//! leads nowhere any more, from other pages of it, the newest first: an older page counts only for ids that no newer one
//! speaks of, so that what was deleted since does not come back.

mod header;
mod scan;

use crate::error::{Error, Kind, Result};
use crate::io::Input;
use crate::ndb::page::{Page, Tree};
use crate::ndb::{BlockRef, Bref, Header, Ndb, Node};
use scan::{Found, Leaf};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

/// A file whose trees were made anew, and what is to be said of that.
pub struct Salvaged {
    /// The file.
    pub ndb: Ndb,
    /// What was lost or guessed.
    pub notes: Vec<Error>,
}

/// Opens a PST or OST however damaged it is.
///
/// # Errors
/// [`Kind::Io`] when it cannot be read, [`Kind::NotThisKind`] when nothing in it is of a PST or OST.
pub fn open(path: impl AsRef<Path>) -> Result<Salvaged> {
    salvage(Input::open(path)?)
}

/// As [`open`], for any input.
///
/// # Errors
/// As [`open`].
pub fn salvage(input: Input) -> Result<Salvaged> {
    let mut notes = Vec::new();
    let known = Header::read(&input);
    let is_sound = known.as_ref().is_ok_and(|h| h.crc_partial_ok && h.crc_full_ok);
    let (header, found) = match known {
        Ok(header) if is_sound => {
            let found = scan::scan(&input, header.variant)?;
            (header, found)
        }
        known => {
            let (header, found) = header::guess(&input, known.as_ref().ok())?;
            notes.push(
                Error::new(Kind::Damaged, "the header is damaged; layout and encoding were found from the data")
                    .within("HEADER"),
            );
            (header, found)
        }
    };
    let Found { leaves, blocks } = found;
    let (live, lost) = pages(&input, &header);
    let nodes = nodes(&input, &header, leaves, &live, !lost.is_empty());
    notes.extend(lost);
    if nodes.is_empty() {
        let text = "no page of a node tree is in this file";
        return Err(Error::new(Kind::NotThisKind, text).in_file(input.path()));
    }
    let blocks = placed(&input, &header, blocks, &mut notes);
    Ok(Salvaged { ndb: Ndb::of_parts(input, header, nodes, blocks), notes })
}

/// The leaf pages that the node tree leads to, and what it leads to in vain.
fn pages(input: &Input, header: &Header) -> (Vec<Bref>, Vec<Error>) {
    let (mut live, mut lost) = (Vec::new(), Vec::new());
    let mut seen = BTreeSet::new();
    let mut open = vec![(header.nbt, None)];
    while let Some((at, level)) = open.pop() {
        if !seen.insert(at.ib) {
            continue;
        }
        match Page::read(input, header.variant, Tree::Nbt, at, level) {
            Err(e) => lost.push(e),
            Ok(page) => match page.counters.level.checked_sub(1) {
                None => live.push(at),
                Some(_) if page.is_empty() => {
                    lost.push(Error::damaged(Tree::Nbt.name(), "the page leads to no other").at(at.ib).id(at.bid.0));
                }
                Some(below) => {
                    let children = (0..page.len()).filter_map(|i| header.variant.bt(page.entry(i)?));
                    open.extend(children.map(|(_, child)| (child, Some(below))));
                }
            },
        }
    }
    (live, lost)
}

/// Nodes by their ids: those of live pages, and where pages are lost, those of others.
fn nodes(input: &Input, header: &Header, mut leaves: Vec<Leaf>, live: &[Bref], has_lost: bool) -> Vec<Node> {
    let is_live: BTreeSet<u64> = live.iter().map(|at| at.ib).collect();
    leaves.retain(|leaf| has_lost || is_live.contains(&leaf.at.ib));
    let maps = scan::Allocated::new(header);
    // Live ones first, then what the allocation maps call taken, then what they say nothing of; of each the newest.
    leaves.sort_by_key(|leaf| {
        let rank = match maps.is_taken(input, leaf.at.ib) {
            _ if is_live.contains(&leaf.at.ib) => 0,
            Some(true) => 1,
            None => 2,
            Some(false) => 3,
        };
        (rank, std::cmp::Reverse(leaf.at.bid), leaf.at.ib)
    });
    let mut out = BTreeMap::new();
    let mut spoken = Ranges::default();
    for leaf in leaves {
        let Ok(page) = Page::read(input, header.variant, Tree::Nbt, leaf.at, None) else { continue };
        let entries: Vec<Node> = (0..page.len()).filter_map(|i| header.variant.nbt(page.entry(i)?)).collect();
        for node in entries.iter().filter(|n| !spoken.has(n.nid.0)) {
            out.entry(node.nid).or_insert(*node);
        }
        if let (Some(first), Some(last)) = (entries.first(), entries.last()) {
            spoken.add(first.nid.0, last.nid.0);
        }
    }
    out.into_values().collect()
}

/// Ranges of ids that do not overlap: first and last.
#[derive(Default)]
struct Ranges(BTreeMap<u32, u32>);

impl Ranges {
    fn has(&self, id: u32) -> bool {
        self.0.range(..=id).next_back().is_some_and(|(_, last)| *last >= id)
    }

    fn add(&mut self, mut first: u32, mut last: u32) {
        let overlaps = |(from, to): (&u32, &u32)| (*to >= first && *from <= last).then_some((*from, *to));
        let around: Vec<(u32, u32)> = self.0.range(..=last).rev().map_while(overlaps).collect();
        for (from, to) in around {
            (first, last) = (first.min(from), last.max(to));
            self.0.remove(&from);
        }
        self.0.insert(first, last);
    }
}

/// Blocks by their ids. Those that the block tree knows stay where it says, if they can be read there.
fn placed(input: &Input, header: &Header, found: Vec<BlockRef>, notes: &mut Vec<Error>) -> Vec<BlockRef> {
    let mut all: HashMap<u64, BlockRef> = found.into_iter().map(|b| (b.bid.key(), b)).collect();
    let (mut open, mut seen, mut lost) = (vec![(header.bbt, None)], BTreeSet::new(), 0);
    while let Some((at, level)) = open.pop() {
        if !seen.insert(at.ib) {
            continue;
        }
        let Ok(page) = Page::read(input, header.variant, Tree::Bbt, at, level) else {
            lost += 1;
            continue;
        };
        for entry in (0..page.len()).filter_map(|i| page.entry(i)) {
            match page.counters.level.checked_sub(1) {
                Some(below) => open.extend(header.variant.bt(entry).map(|(_, child)| (child, Some(below)))),
                // A block that does not prove itself is still named, so that what needs it says why it is lost.
                None => {
                    if let Some(block) = header.variant.bbt(entry) {
                        all.entry(block.bid.key()).or_insert(block);
                    }
                }
            }
        }
    }
    if lost > 0 {
        let text = format!("{lost} pages of the block tree are lost; blocks were found by themselves");
        notes.push(Error::damaged("BBT page", text));
    }
    let mut out: Vec<BlockRef> = all.into_values().collect();
    out.sort_unstable_by_key(|b| b.bid.key());
    out
}

#[cfg(test)]
mod tests {
    use super::Ranges;

    #[test]
    fn ranges_that_meet_become_one() {
        let mut ranges = Ranges::default();
        for (first, last) in [(10, 20), (40, 50), (15, 30), (5, 5), (60, 70), (29, 41)] {
            ranges.add(first, last);
        }
        assert_eq!(ranges.0.into_iter().collect::<Vec<_>>(), [(5, 5), (10, 50), (60, 70)]);
    }
}
