//! Builds a property context ([MS-PST] 2.3.3).

use super::heap::{HeapBuilder, MAX_ALLOC, bth};
use super::value::Overflow;
use crate::error::Result;
use crate::ltp::heap::client;
use crate::mapi::Value;
use crate::ndb::write::{NodeImage, Subnode, TreeImage};
use crate::ndb::{Crypt, Nid};

/// A PC being built.
pub struct PcBuilder {
    heap: HeapBuilder,
    overflow: Overflow,
    header: u32,
    /// Where the records will stand if there are as many as were announced.
    leaf: u32,
    announced: usize,
    records: Vec<(u16, u16, u32)>,
}

/// Records of one BTH leaf.
const LEAF: usize = MAX_ALLOC / 8;

impl PcBuilder {
    /// A PC for `count` properties. Header and records come first in the heap, as Outlook has them.
    ///
    /// # Errors
    /// Never in practice; the heap is empty.
    pub fn new(crypt: Crypt, count: usize) -> Result<Self> {
        Self::with_room(crypt, count, 0)
    }

    /// As [`PcBuilder::new`], with room made for values of so many bytes.
    ///
    /// # Errors
    /// As [`PcBuilder::new`].
    pub fn with_room(crypt: Crypt, count: usize, bytes: usize) -> Result<Self> {
        // Each has an entry in the map; starts are even.
        let mut heap = HeapBuilder::with_room(bytes + 10 * count + 64);
        let header = heap.push(&[0; 8])?;
        let leaf = if count <= LEAF { heap.push(&vec![0; count * 8])? } else { 0 };
        let overflow = Overflow::new(crypt);
        Ok(Self { heap, overflow, header, leaf, announced: count, records: Vec::with_capacity(count) })
    }

    /// Adds a property; ids must not repeat.
    ///
    /// # Errors
    /// As [`HeapBuilder::push`].
    pub fn add(&mut self, id: u16, ty: u16, value: &Value) -> Result<()> {
        let raw = self.overflow.hnid(&mut self.heap, value)?;
        self.records.push((id, ty, raw));
        Ok(())
    }

    /// Adds a property of type object: the subnode `nid` (which the caller adds) and its size.
    ///
    /// # Errors
    /// As [`HeapBuilder::push`].
    pub fn add_object(&mut self, id: u16, nid: u32, size: u32) -> Result<()> {
        let mut bytes = nid.to_le_bytes().to_vec();
        bytes.extend_from_slice(&size.to_le_bytes());
        let raw = self.heap.push(&bytes)?;
        self.records.push((id, crate::mapi::PropType::OBJECT, raw));
        Ok(())
    }

    /// The subnodes of long values.
    pub fn overflow(&mut self) -> &mut Overflow {
        &mut self.overflow
    }

    /// The same PC for a node that keeps subnodes of its own beside those of long values.
    pub fn beside(mut self, kept: impl Iterator<Item = Nid>) -> Self {
        self.overflow = Overflow::beside(self.overflow.crypt(), kept);
        self
    }

    /// Completes the PC. With `computed`, the inline value of that id becomes the size of the node with `more`
    /// subnodes, which is also returned.
    ///
    /// # Errors
    /// As [`HeapBuilder::push`].
    pub fn finish(self, computed: Option<u16>, more: Vec<Subnode>) -> Result<(NodeImage, u64)> {
        self.finish_beside(computed, more, 0)
    }

    /// As [`PcBuilder::finish`], for a node that keeps subnodes of so many bytes.
    ///
    /// # Errors
    /// As [`HeapBuilder::push`].
    pub fn finish_beside(mut self, computed: Option<u16>, more: Vec<Subnode>, kept: u64) -> Result<(NodeImage, u64)> {
        self.records.sort_unstable_by_key(|r| r.0);
        let mut bytes = Vec::with_capacity(self.records.len() * 8);
        for (id, ty, raw) in &self.records {
            bytes.extend_from_slice(&id.to_le_bytes());
            bytes.extend_from_slice(&ty.to_le_bytes());
            bytes.extend_from_slice(&raw.to_le_bytes());
        }
        let leaves = if self.leaf != 0 && self.records.len() == self.announced {
            self.heap.patch(self.leaf, 0, &bytes);
            let mut header = vec![0xB5, 2, 6, 0];
            header.extend_from_slice(&self.leaf.to_le_bytes());
            self.heap.patch(self.header, 0, &header);
            vec![self.leaf]
        } else {
            bth(&mut self.heap, self.header, 2, 6, &bytes)?
        };
        let place = computed
            .and_then(|id| self.records.iter().position(|r| r.0 == id))
            .map(|i| (leaves.get(i / LEAF).copied().unwrap_or_default(), i % LEAF * 8 + 4));
        let crypt = self.overflow.crypt();
        let mut subs = self.overflow.subs;
        subs.extend(more);
        let below: u64 = subs.iter().map(|s| s.node.size()).sum();
        // The value is patched before the blocks are encoded; their sizes do not change.
        let own = self.heap.final_size();
        let total = own + below + kept;
        if let Some((hid, at)) = place {
            self.heap.patch(hid, at, &(total.min(i32::MAX as u64) as u32).to_le_bytes());
        }
        let blocks = self.heap.finish(client::PC, self.header);
        let data = TreeImage::of_blocks(blocks.into_iter().flatten(), crypt);
        Ok((NodeImage { data, subs }, total))
    }
}
