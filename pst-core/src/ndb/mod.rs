//! The Node Database: nodes, blocks, pages and their B-trees ([MS-PST] 2.2).
//!
//! The layout of a file (ANSI, Unicode, 4K pages) ends here: nothing above this module knows it.

pub mod block;
mod btree;
mod changes;
pub mod crc;
pub mod crypt;
pub mod disk;
pub mod header;
pub mod id;
pub mod page;
pub mod variant;
pub mod write;

pub use block::{DataStream, DataTree, Subnodes};
pub use crypt::Crypt;
pub use header::Header;
pub use id::{Bid, Nid, nid_type};
pub use variant::{BlockRef, Bref, Node, Variant};

use crate::error::{Error, Result};
use crate::io::Input;
use btree::BTree;
use changes::Shared;
use page::Tree;
use std::path::Path;

/// An open PST or OST at the level of nodes and blocks. Shared by all threads, without locks.
pub struct Ndb {
    input: Input,
    header: Header,
    nbt: BTree,
    bbt: BTree,
    /// What a writer has changed and not committed.
    changes: Option<Shared>,
    /// What stands for trees that are damaged.
    parts: Option<Parts>,
}

/// Nodes and blocks that were found without trees, sorted by their ids.
struct Parts {
    nodes: Vec<Node>,
    blocks: Vec<BlockRef>,
}

impl Ndb {
    /// Opens a file: its header and the upper levels of its two B-trees.
    ///
    /// # Errors
    /// When it is not a PST or OST, or when the root of a B-tree cannot be read.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::new(Input::open(path)?)
    }

    /// As [`Ndb::open`], for any input.
    ///
    /// # Errors
    /// As [`Ndb::open`].
    pub fn new(input: Input) -> Result<Self> {
        let within = |e: Error| e.in_file(input.path());
        let header = Header::read(&input).map_err(within)?;
        let nbt = BTree::open(&input, header.variant, Tree::Nbt, header.nbt).map_err(within)?;
        let bbt = BTree::open(&input, header.variant, Tree::Bbt, header.bbt).map_err(within)?;
        Ok(Self { input, header, nbt, bbt, changes: None, parts: None })
    }

    /// A file as a writer sees it that has not yet committed: `nbt` and `bbt` are the roots it works on, `changes` what
    /// goes before what they say. Walks show only what the roots lead to.
    fn under_way(input: Input, mut header: Header, nbt: Bref, bbt: Bref, changes: Shared) -> Self {
        (header.nbt, header.bbt) = (nbt, bbt);
        let tree = |tree, root| BTree::from_root(header.variant, tree, root);
        Self {
            nbt: tree(Tree::Nbt, nbt),
            bbt: tree(Tree::Bbt, bbt),
            input,
            header,
            changes: Some(changes),
            parts: None,
        }
    }

    /// A file whose trees are not read: these are its nodes and blocks, sorted by their ids.
    pub(crate) fn of_parts(input: Input, header: Header, nodes: Vec<Node>, blocks: Vec<BlockRef>) -> Self {
        let tree = |tree, root| BTree::from_root(header.variant, tree, root);
        let (nbt, bbt) = (tree(Tree::Nbt, header.nbt), tree(Tree::Bbt, header.bbt));
        Self { nbt, bbt, input, header, changes: None, parts: Some(Parts { nodes, blocks }) }
    }

    /// The header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The layout.
    pub fn variant(&self) -> Variant {
        self.header.variant
    }

    /// The file.
    pub fn input(&self) -> &Input {
        &self.input
    }

    /// Bytes that all data blocks of the file together can hold at most; more only come of blocks that are used again.
    pub fn capacity(&self) -> u64 {
        self.input.len().saturating_mul(self.variant().inflation())
    }

    /// The node with an id, if there is one.
    ///
    /// # Errors
    /// When the page that would hold it cannot be read.
    pub fn node(&self, nid: Nid) -> Result<Option<Node>> {
        if let Some(known) = self.changes.as_ref().and_then(|c| c.node(nid)) {
            return Ok(Some(known));
        }
        if let Some(Parts { nodes, .. }) = &self.parts {
            let at = nodes.binary_search_by_key(&nid, |n| n.nid).ok();
            return Ok(at.and_then(|at| nodes.get(at)).copied());
        }
        let v = self.variant();
        self.nbt.find(&self.input, u64::from(nid.0), |e| v.nbt(e).map(|n| (u64::from(n.nid.0), n)))
    }

    /// The node with an id.
    ///
    /// # Errors
    /// As [`Ndb::node`], and when there is none.
    pub fn need(&self, nid: Nid) -> Result<Node> {
        self.node(nid)?.ok_or_else(|| Error::damaged("NBT", "the node does not exist").id(u64::from(nid.0)))
    }

    /// All nodes in order; a damaged page is one `Err`, and the walk goes on behind it.
    pub fn nodes(&self) -> impl Iterator<Item = Result<Node>> + '_ {
        let v = self.variant();
        let tree = self.parts.is_none().then(|| self.nbt.walk(&self.input, move |e| v.nbt(e)));
        let parts = self.parts.iter().flat_map(|p| p.nodes.iter().copied().map(Ok));
        tree.into_iter().flatten().chain(parts)
    }

    /// The place of a block.
    ///
    /// # Errors
    /// When there is none, or when the page that would hold it cannot be read.
    pub fn block(&self, bid: Bid) -> Result<BlockRef> {
        if let Some(known) = self.changes.as_ref().and_then(|c| c.block(bid)) {
            return Ok(known);
        }
        let v = self.variant();
        let found = match &self.parts {
            Some(Parts { blocks, .. }) => {
                let at = blocks.binary_search_by_key(&bid.key(), |b| b.bid.key()).ok();
                at.and_then(|at| blocks.get(at)).copied()
            }
            None => self.bbt.find(&self.input, bid.key(), |e| v.bbt(e).map(|b| (b.bid.key(), b)))?,
        };
        found.ok_or_else(|| Error::damaged("BBT", "the block does not exist").id(bid.0))
    }

    /// All blocks in order; a damaged page is one `Err`.
    pub fn blocks(&self) -> impl Iterator<Item = Result<BlockRef>> + '_ {
        let v = self.variant();
        let tree = self.parts.is_none().then(|| self.bbt.walk(&self.input, move |e| v.bbt(e)));
        let parts = self.parts.iter().flat_map(|p| p.blocks.iter().copied().map(Ok));
        tree.into_iter().flatten().chain(parts)
    }
}
