//! Nodes and blocks that a writer has changed and not yet put into the B-trees.

use super::id::{Bid, Nid};
use super::variant::{BlockRef, Node};
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// The changes of one transaction so far.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// Nodes by NID.
    pub nodes: BTreeMap<u32, Node>,
    /// New blocks by key. Their reference count is one more than the references so far.
    pub blocks: BTreeMap<u64, BlockRef>,
}

/// Changes that a writer makes and a reader sees.
#[derive(Debug, Clone, Default)]
pub(super) struct Shared(Arc<RwLock<Changes>>);

impl Shared {
    pub fn read(&self) -> RwLockReadGuard<'_, Changes> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn write(&self) -> RwLockWriteGuard<'_, Changes> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// A node that is new or has changed.
    pub fn node(&self, nid: Nid) -> Option<Node> {
        self.read().nodes.get(&nid.0).copied()
    }

    /// A new block.
    pub fn block(&self, bid: Bid) -> Option<BlockRef> {
        self.read().blocks.get(&bid.key()).copied()
    }
}
