//! A node made ready on any thread: its blocks encoded and summed, waiting only for ids and places.

use super::BLOCK;
use crate::mapi::Stream;
use crate::ndb::crc::crc;
use crate::ndb::{Crypt, Nid};
use std::sync::Arc;

/// A data block as it will be stored.
pub struct BlockImage {
    /// Encoded bytes.
    pub stored: Vec<u8>,
    /// Their CRC.
    pub crc: u32,
}

/// The data of a node or subnode.
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
        Self::of_blocks(plain.chunks(BLOCK).map(<[u8]>::to_vec), crypt)
    }

    /// Encodes blocks that are cut already.
    pub fn of_blocks(plain: impl IntoIterator<Item = Vec<u8>>, crypt: Crypt) -> Self {
        let blocks = plain
            .into_iter()
            .map(|mut stored| {
                // The permutation does not depend on the block's id; the cyclic method is never written.
                crypt.encode(&mut stored, 0);
                BlockImage { crc: crc(&stored), stored }
            })
            .collect();
        Self::Blocks(blocks)
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
pub struct Subnode {
    /// Its id, unique within its node.
    pub nid: Nid,
    /// What it is.
    pub node: NodeImage,
}
