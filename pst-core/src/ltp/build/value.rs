//! How values are stored in records and cells ([MS-PST] 2.3.3.3, 2.3.4.4.2).

use super::heap::{HeapBuilder, MAX_ALLOC};
use crate::error::Result;
use crate::mapi::{Blob, Stream, Value};
use crate::ndb::write::{NodeImage, Subnode, TreeImage};
use crate::ndb::{Crypt, Nid, nid_type};
use std::borrow::Cow;
use std::sync::Arc;

/// A value in its stored form.
pub enum Stored<'a> {
    /// In the four bytes of a record or cell.
    Inline(u32),
    /// In the heap, or in a subnode if long.
    Bytes(Cow<'a, [u8]>),
    /// In a subnode, read when it is written.
    Stream(&'a Arc<dyn Stream>),
}

/// The stored form of a value.
pub fn stored(value: &Value) -> Stored<'_> {
    match value {
        Value::Null => Stored::Inline(0),
        Value::I16(v) => Stored::Inline(u32::from(*v as u16)),
        Value::I32(v) => Stored::Inline(*v as u32),
        Value::F32(v) => Stored::Inline(v.to_bits()),
        Value::Error(v) => Stored::Inline(*v),
        Value::Bool(v) => Stored::Inline(u32::from(*v)),
        Value::F64(v) | Value::FloatingTime(v) => Stored::Bytes(Cow::Owned(v.to_le_bytes().to_vec())),
        Value::Currency(v) | Value::I64(v) => Stored::Bytes(Cow::Owned(v.to_le_bytes().to_vec())),
        Value::Time(v) => Stored::Bytes(Cow::Owned(v.to_le_bytes().to_vec())),
        Value::Guid(v) => Stored::Bytes(Cow::Borrowed(v)),
        Value::String8(b) | Value::Unicode(b) | Value::Multi(b) | Value::Other(b) => Stored::Bytes(Cow::Borrowed(b)),
        Value::Binary(b) | Value::Object(b) => match b {
            Blob::Bytes(b) => Stored::Bytes(Cow::Borrowed(b)),
            Blob::Stream(s) => Stored::Stream(s),
        },
    }
}

/// The subnodes that long values of one node have needed so far.
#[derive(Clone)]
pub struct Overflow {
    /// The subnodes.
    pub subs: Vec<Subnode>,
    crypt: Crypt,
    next: u32,
}

impl Overflow {
    /// None yet.
    pub fn new(crypt: Crypt) -> Self {
        Self { subs: Vec::new(), crypt, next: 0x401 }
    }

    /// None yet, for a node that keeps subnodes of its own: their ids are not given out again.
    pub fn beside(crypt: Crypt, kept: impl Iterator<Item = Nid>) -> Self {
        let next = kept.map(|nid| nid.index() + 1).max().unwrap_or_default();
        Self { next: next.max(0x401), ..Self::new(crypt) }
    }

    /// Adds data of a type of subnode and returns its NID.
    pub fn add(&mut self, ty: u8, data: TreeImage) -> Nid {
        let nid = Nid::new(ty, self.next);
        self.next += 1;
        self.subs.push(Subnode { nid, node: NodeImage::leaf(data) });
        nid
    }

    /// The HNID of bytes: heap, subnode, or 0 for none.
    ///
    /// # Errors
    /// As [`HeapBuilder::push`].
    pub fn put(&mut self, heap: &mut HeapBuilder, bytes: &[u8]) -> Result<u32> {
        if bytes.len() > MAX_ALLOC {
            return Ok(self.add(nid_type::LTP, TreeImage::of_bytes(bytes, self.crypt)).0);
        }
        heap.push(bytes)
    }

    /// The four bytes of a record or cell for a value.
    ///
    /// # Errors
    /// As [`HeapBuilder::push`].
    pub fn hnid(&mut self, heap: &mut HeapBuilder, value: &Value) -> Result<u32> {
        match stored(value) {
            Stored::Inline(raw) => Ok(raw),
            Stored::Bytes(bytes) => self.put(heap, &bytes),
            Stored::Stream(s) if s.is_empty() => Ok(0),
            Stored::Stream(s) => Ok(self.add(nid_type::LTP, TreeImage::Stream(Arc::clone(s))).0),
        }
    }

    /// How data blocks are encoded.
    pub fn crypt(&self) -> Crypt {
        self.crypt
    }
}
