//! The entries of the node B-tree until the file ends: sorted runs, in a temporary file once they are many.

use crate::error::{Error, Result};
use crate::ndb::{Bid, Nid, variant::Node};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};

/// Entries held in memory.
const HELD: usize = 100_000;
/// Bytes of an entry in the temporary file.
const ENTRY: usize = 24;
/// Entries of a run that are read at once.
const PIECE: u64 = 2048;

/// Nodes in any order; they come out by ascending NID.
#[derive(Default)]
pub(super) struct NodeSpool {
    held: Vec<Node>,
    /// Number of entries of each run in the file.
    runs: Vec<u64>,
    file: Option<File>,
    /// Highest index of each node type.
    highest: [u32; 32],
}

impl NodeSpool {
    pub(super) fn push(&mut self, node: Node) -> Result<()> {
        if let Some(highest) = self.highest.get_mut(usize::from(node.nid.ty())) {
            *highest = (*highest).max(node.nid.index());
        }
        self.held.push(node);
        if self.held.len() < HELD { Ok(()) } else { self.spill() }
    }

    pub(super) fn highest(&self) -> [u32; 32] {
        self.highest
    }

    fn spill(&mut self) -> Result<()> {
        self.held.sort_unstable_by_key(|n| n.nid);
        let mut bytes = Vec::with_capacity(self.held.len() * ENTRY);
        for node in &self.held {
            bytes.extend_from_slice(&node.nid.0.to_le_bytes());
            bytes.extend_from_slice(&node.parent.0.to_le_bytes());
            bytes.extend_from_slice(&node.data.0.to_le_bytes());
            bytes.extend_from_slice(&node.sub.0.to_le_bytes());
        }
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(tempfile::tempfile().map_err(|e| refused(&e))?),
        };
        file.write_all(&bytes).map_err(|e| refused(&e))?;
        self.runs.push(self.held.len() as u64);
        self.held.clear();
        Ok(())
    }

    /// All nodes, sorted.
    pub(super) fn sorted(mut self) -> Result<Sorted> {
        self.held.sort_unstable_by_key(|n| n.nid);
        let mut start = 0;
        let mut runs = Vec::with_capacity(self.runs.len() + 1);
        for left in self.runs {
            runs.push(Run { at: start, left, ready: Vec::new() });
            start += left * ENTRY as u64;
        }
        self.held.reverse();
        runs.push(Run { at: 0, left: 0, ready: self.held });
        let mut out = Sorted { runs, file: self.file, next: BinaryHeap::new() };
        for i in 0..out.runs.len() {
            out.refill(i)?;
        }
        Ok(out)
    }
}

/// A sorted run: entries in the file, and those read already, the next one last.
struct Run {
    at: u64,
    left: u64,
    ready: Vec<Node>,
}

/// Nodes by ascending NID.
pub(super) struct Sorted {
    runs: Vec<Run>,
    file: Option<File>,
    next: BinaryHeap<Reverse<(Nid, usize)>>,
}

impl Sorted {
    pub(super) fn next_node(&mut self) -> Result<Option<Node>> {
        let Some(Reverse((_, i))) = self.next.pop() else { return Ok(None) };
        let node = self.runs.get_mut(i).and_then(|run| run.ready.pop());
        self.refill(i)?;
        Ok(node)
    }

    fn refill(&mut self, i: usize) -> Result<()> {
        let Some(run) = self.runs.get_mut(i) else { return Ok(()) };
        if run.ready.is_empty()
            && run.left > 0
            && let Some(file) = &mut self.file
        {
            let count = run.left.min(PIECE);
            let mut bytes = vec![0; count as usize * ENTRY];
            file.seek(SeekFrom::Start(run.at)).and_then(|_| file.read_exact(&mut bytes)).map_err(|e| refused(&e))?;
            run.at += bytes.len() as u64;
            run.left -= count;
            run.ready.extend(bytes.chunks_exact(ENTRY).rev().map(entry));
        }
        if let Some(node) = run.ready.last() {
            self.next.push(Reverse((node.nid, i)));
        }
        Ok(())
    }
}

fn entry(bytes: &[u8]) -> Node {
    let long =
        |at: usize| bytes.get(at..at + 8).and_then(|b| b.try_into().ok()).map(u64::from_le_bytes).unwrap_or_default();
    let ids = long(0);
    Node { nid: Nid(ids as u32), parent: Nid((ids >> 32) as u32), data: Bid(long(8)), sub: Bid(long(16)) }
}

fn refused(e: &std::io::Error) -> Error {
    let folder = std::env::temp_dir();
    Error::io("cannot keep the list of nodes in a temporary file", folder, std::io::Error::new(e.kind(), e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_nodes_come_out_sorted() {
        let mut spool = NodeSpool::default();
        let count = 3 * HELD as u32 + 17;
        for i in 0..count {
            let nid = (i.wrapping_mul(0x9E37_79B1) >> 5 << 5) | (i % 2);
            let node = Node { nid: Nid(nid), parent: Nid(i), data: Bid(u64::from(i) << 34), sub: Bid(u64::from(!i)) };
            spool.push(node).unwrap();
        }
        let mut sorted = spool.sorted().unwrap();
        let (mut seen, mut last) = (0, 0);
        while let Some(n) = sorted.next_node().unwrap() {
            assert!(n.nid.0 >= last);
            assert_eq!(n.nid.0, (n.parent.0.wrapping_mul(0x9E37_79B1) >> 5 << 5) | (n.parent.0 % 2));
            assert_eq!((n.data.0 >> 34, n.sub.0), (u64::from(n.parent.0), u64::from(!n.parent.0)));
            (seen, last) = (seen + 1, n.nid.0);
        }
        assert_eq!(seen, count);
    }
}
