//! Heap-on-Node ([MS-PST] 2.3.1).

use crate::error::{Error, Kind, Result};
use crate::ndb::{Bid, DataTree, Ndb, Subnodes, nid_type};
use std::borrow::Cow;
use std::sync::Arc;

/// Client signatures (bClientSig, [MS-PST] 2.3.1.2).
#[allow(missing_docs, reason = "the names are the specification's")]
pub mod client {
    pub const TC: u8 = 0x7C;
    pub const BTH: u8 = 0xB5;
    pub const PC: u8 = 0xBC;
    /// The hierarchy map, node 0xC01.
    pub const HMP: u8 = 0x9C;
}

/// Heaps up to this many blocks are held whole; larger ones are read block by block as needed.
const HELD: usize = 16;
/// A value in a subnode may be this long in memory; binary values beyond [`STREAMED`] are streamed instead.
pub const MAX_VALUE: u64 = 1 << 30;
/// Binary values longer than this are not held in memory.
pub const STREAMED: u64 = 256 << 10;

/// A heap: one node's data, cut into numbered allocations, with the node's subnodes beside it.
pub struct Heap<'a> {
    ndb: &'a Arc<Ndb>,
    tree: DataTree,
    /// Blocks of a small heap, read at once.
    held: Vec<Vec<u8>>,
    /// Subnodes of the same node, for values too long for the heap.
    pub subnodes: Subnodes,
    /// What the heap is for.
    pub client: u8,
    /// hidUserRoot.
    pub root: u32,
}

impl<'a> Heap<'a> {
    /// Opens the heap of a node.
    ///
    /// # Errors
    /// When its first block cannot be read or is no heap. A damaged subnode tree is an error too.
    pub fn open(ndb: &'a Arc<Ndb>, data: Bid, sub: Bid) -> Result<Self> {
        let tree = ndb.data(data)?;
        if tree.is_empty() {
            return Err(Error::damaged("heap", "the node has no data").id(data.0));
        }
        let mut held = Vec::new();
        let count = tree.blocks().len();
        for i in 0..if count <= HELD { count } else { 1 } {
            let mut block = Vec::new();
            tree.read(ndb, i, &mut block)?;
            held.push(block);
        }
        let Some([_, _, sig, client, r0, r1, r2, r3, ..]) = held.first().map(Vec::as_slice) else {
            return Err(Error::damaged("heap", "the first block is shorter than a heap header").id(data.0));
        };
        if *sig != 0xEC {
            let text = format!("the signature is 0x{sig:02X}, not 0xEC");
            return Err(Error::new(Kind::Damaged, text).within("heap").id(data.0));
        }
        let (client, root) = (*client, u32::from_le_bytes([*r0, *r1, *r2, *r3]));
        let subnodes = ndb.subnodes(sub)?;
        Ok(Self { ndb, tree, held, subnodes, client, root })
    }

    /// The file.
    pub fn ndb(&self) -> &'a Arc<Ndb> {
        self.ndb
    }

    /// The bytes of an allocation; HID 0 is empty ([MS-PST] 2.3.1.1).
    ///
    /// # Errors
    /// When the HID points nowhere.
    pub fn get(&self, hid: u32) -> Result<Cow<'_, [u8]>> {
        if hid == 0 {
            return Ok(Cow::Borrowed(&[]));
        }
        let (block, index) = self.ndb.variant().split_hid(hid);
        let bad = || {
            let text = format!("the HID 0x{hid:X} points nowhere (block {block}, allocation {index})");
            Error::new(Kind::Damaged, text).within("heap").id(self.tree.blocks().first().map_or(0, |b| b.bid.0))
        };
        if hid & 0x1F != 0 {
            return Err(bad());
        }
        if let Some(bytes) = self.held.get(block) {
            return allocation(bytes, index).map(Cow::Borrowed).ok_or_else(bad);
        }
        if block >= self.tree.blocks().len() {
            return Err(bad());
        }
        let mut bytes = Vec::new();
        self.tree.read(self.ndb, block, &mut bytes)?;
        allocation(&bytes, index).map(|s| Cow::Owned(s.to_vec())).ok_or_else(bad)
    }

    /// The data tree of a subnode of this heap's node.
    ///
    /// # Errors
    /// When there is none, or its tree cannot be read.
    pub fn subnode(&self, nid: u32) -> Result<DataTree> {
        let node = self.subnodes.find(crate::ndb::Nid(nid)).ok_or_else(|| {
            Error::damaged("subnode", "a value refers to a subnode that does not exist").id(u64::from(nid))
        })?;
        self.ndb.data(node.data)
    }

    /// Bytes of all its blocks.
    pub fn len(&self) -> u64 {
        self.tree.len()
    }

    /// True for no bytes, which no heap has.
    pub fn is_empty(&self) -> bool {
        self.tree.is_empty()
    }

    /// Number of blocks.
    pub fn blocks(&self) -> usize {
        self.tree.blocks().len()
    }
}

/// True if an HNID is a HID, not the NID of a subnode.
pub const fn is_hid(hnid: u32) -> bool {
    hnid & 0x1F == nid_type::HID as u32
}

/// Allocation `index` (from 1) of a heap block ([MS-PST] 2.3.1.5).
pub(super) fn allocation(block: &[u8], index: usize) -> Option<&[u8]> {
    let u16_at = |at: usize| block.get(at..at + 2)?.try_into().ok().map(|b| usize::from(u16::from_le_bytes(b)));
    let map = u16_at(0)?;
    let count = u16_at(map)?;
    if index == 0 || index > count {
        return None;
    }
    let start = u16_at(map + 4 + 2 * (index - 1))?;
    let end = u16_at(map + 4 + 2 * index)?;
    block.get(start..end)
}
