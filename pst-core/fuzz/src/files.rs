//! Files in memory: such as hold one node, and such whose sums are set right, so that what is behind them is reached.

#[path = "../../../tests/support/sums.rs"]
mod sums;

use pst_core::io::{Input, Output};
use pst_core::messaging::Store;
use pst_core::mime::{from_mapi, view};
use pst_core::ndb::crc::crc;
use pst_core::ndb::write::{NdbWriter, NodeImage, Subnode, TreeImage};
use pst_core::ndb::{Crypt, Header, Ndb, Nid, Node, Variant};
use std::sync::{Arc, Mutex, PoisonError};

/// A file that is kept in memory.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Output for Kept {
    fn write_at(&mut self, bytes: &[u8], offset: u64) -> pst_core::Result<()> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let end = offset as usize + bytes.len();
        if held.len() < end {
            held.resize(end, 0);
        }
        held[offset as usize..end].copy_from_slice(bytes);
        Ok(())
    }

    fn set_len(&mut self, len: u64) -> pst_core::Result<()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).resize(len as usize, 0);
        Ok(())
    }

    fn sync(&mut self) -> pst_core::Result<()> {
        Ok(())
    }

    fn commit(self: Box<Self>) -> pst_core::Result<()> {
        Ok(())
    }
}

/// A file with one node, whose data blocks and subnodes (numbered from 0x3F on) are these.
pub fn of_node(nid: Nid, blocks: Vec<Vec<u8>>, subnodes: &[&[u8]]) -> (Arc<Ndb>, Node) {
    let file = Kept::default();
    let mut writer = NdbWriter::new(Box::new(file.clone()), Crypt::None);
    let subs = subnodes.iter().enumerate().map(|(i, bytes)| Subnode {
        nid: Nid(0x3F + 0x20 * i as u32),
        node: NodeImage::leaf(TreeImage::of_bytes(bytes, Crypt::None)),
    });
    let image = NodeImage { data: TreeImage::of_blocks(blocks, Crypt::None), subs: subs.collect() };
    let (data, sub) = writer.image(image).expect("a node can be written");
    let node = Node { nid, data, sub, parent: Nid(0) };
    writer.node(node).expect("a node can be listed");
    writer.finish().expect("a file can be written");
    let bytes = std::mem::take(&mut *file.0.lock().unwrap_or_else(PoisonError::into_inner));
    let ndb = Ndb::new(Input::from_bytes(bytes, "fuzz.pst")).expect("what was written opens");
    (Arc::new(ndb), node)
}

/// The input as data blocks and subnodes of a node: each part begins with its length (2 bytes, at most a block), the
/// last bit of which makes it a subnode.
pub fn parts(data: &[u8]) -> (Vec<Vec<u8>>, Vec<&[u8]>) {
    const MOST: usize = 64;
    let (mut blocks, mut subnodes, mut rest) = (Vec::new(), Vec::new(), data);
    while let [low, high, after @ ..] = rest {
        let head = usize::from(u16::from_le_bytes([*low, *high]));
        let (part, after) = after.split_at(after.len().min(head >> 1).min(pst_core::ndb::write::BLOCK));
        rest = after;
        if blocks.len() + subnodes.len() == MOST {
            break;
        }
        if head & 1 == 0 { blocks.push(part.to_vec()) } else { subnodes.push(part) }
    }
    blocks.retain(|block| !block.is_empty());
    (blocks, subnodes)
}

/// Sets the sums and signatures of the header, of all pages that say their kind twice, and of the blocks that the BBT
/// then leads to.
pub fn summed(mut bytes: Vec<u8>) -> Vec<u8> {
    const MOST: usize = 2000;
    let Ok(header) = Header::read(&Input::from_bytes(bytes.clone(), "fuzz.pst")) else { return bytes };
    let v = header.variant;
    if v != Variant::Ansi {
        let full = crc(&bytes[8..524]);
        bytes[0x20C..0x210].copy_from_slice(&full.to_le_bytes());
    }
    let partial = crc(&bytes[8..479]);
    bytes[4..8].copy_from_slice(&partial.to_le_bytes());
    for at in (0..bytes.len() / v.page()).map(|i| i * v.page()) {
        sums::page(v, at, &mut bytes[at..at + v.page()]);
    }
    let Ok(ndb) = Ndb::new(Input::from_bytes(bytes.clone(), "fuzz.pst")) else { return bytes };
    for block in ndb.blocks().flatten().take(MOST) {
        let cb = usize::from(block.cb);
        let end = block.ib.checked_add(v.block_size(cb)).filter(|_| cb <= v.block_max());
        let Some(stored) = end.and_then(|end| bytes.get_mut(block.ib as usize..end as usize)) else { continue };
        sums::block(v, &block, stored);
    }
    bytes
}

/// Reads a store to its end, at most so many items of it.
pub fn read_all(store: &Store) {
    const MOST: usize = 300;
    let mut errors = Vec::new();
    let folders = store.folders(&mut errors);
    let listed = folders.iter().flat_map(|folder| {
        [false, true].into_iter().flat_map(|hidden| store.contents(folder.nid, hidden, &mut Vec::new()))
    });
    for listed in listed.take(MOST) {
        let _ = store.summary(listed.nid);
        let Ok((message, _)) = store.message(listed.nid) else { continue };
        let _ = from_mapi(&message, &mut Vec::new(), &Default::default());
        let _ = view(message, &Default::default(), &mut Vec::new());
    }
}
