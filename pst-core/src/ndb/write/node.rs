//! A node made ready on any thread: its blocks encoded and summed, waiting only for ids and places.

use super::BLOCK;
use crate::mapi::Stream;
use crate::ndb::crc::crc;
use crate::ndb::{Crypt, Nid};
use std::sync::Arc;

/// A data block as it will be stored.
#[derive(Clone)]
pub struct BlockImage {
    /// Encoded bytes.
    pub stored: Vec<u8>,
    /// Their CRC.
    pub crc: u32,
}

impl BlockImage {
    fn new(stored: Vec<u8>) -> Self {
        Self { crc: crc(&stored), stored }
    }
}

/// The data of a node or subnode.
#[derive(Clone)]
pub enum TreeImage {
    /// No data.
    Empty,
    /// Blocks; all but the last are full.
    Blocks(Vec<BlockImage>),
    /// Bytes to be read when the node is written.
    Stream(Arc<dyn Stream>),
}

impl TreeImage {
    /// The blocks of plain bytes, cut every [`BLOCK`] bytes and encoded.
    pub fn of_bytes(plain: &[u8], crypt: Crypt) -> Self {
        if plain.is_empty() {
            return Self::Empty;
        }
        // The permutation does not depend on the block's id; the cyclic method is never written.
        Self::Blocks(plain.chunks(BLOCK).map(|p| BlockImage::new(crypt.encoded(p, 0))).collect())
    }

    /// Encodes blocks that are cut already.
    pub fn of_blocks(plain: impl IntoIterator<Item = Vec<u8>>, crypt: Crypt) -> Self {
        let encoded = plain.into_iter().map(|mut block| {
            crypt.encode(&mut block, 0);
            BlockImage::new(block)
        });
        Self::Blocks(encoded.collect())
    }

    /// Bytes of all data blocks.
    pub fn size(&self) -> u64 {
        match self {
            Self::Empty => 0,
            Self::Blocks(blocks) => blocks.iter().map(|b| b.stored.len() as u64).sum(),
            Self::Stream(stream) => stream.len(),
        }
    }
}

/// A node: data and subnodes.
#[derive(Clone)]
pub struct NodeImage {
    /// Its data.
    pub data: TreeImage,
    /// Its subnodes.
    pub subs: Vec<Subnode>,
}

impl NodeImage {
    /// A node without subnodes.
    pub fn leaf(data: TreeImage) -> Self {
        Self { data, subs: Vec::new() }
    }

    /// True if some data are read only when they are written.
    pub fn has_stream(&self) -> bool {
        matches!(self.data, TreeImage::Stream(_)) || self.subs.iter().any(|s| s.node.has_stream())
    }

    /// Bytes of the data blocks of the node and of all nodes below, as PidTagMessageSize counts them.
    pub fn size(&self) -> u64 {
        self.data.size() + self.subs.iter().map(|s| s.node.size()).sum::<u64>()
    }
}

/// A subnode.
#[derive(Clone)]
pub struct Subnode {
    /// Its id, unique within its node.
    pub nid: Nid,
    /// What it is.
    pub node: NodeImage,
}
