//! V17: property contexts, and how values are stored ([MS-PST] 2.3.3).

use super::bth::number;
use super::file::Judge;
use super::heap::Heap;
use super::report::At;
use crate::ltp::heap::{client, is_hid};
use crate::mapi::value::is_inline;
use crate::mapi::{PropTag, PropType, Value};
use crate::ndb::{Bid, Nid, Node};

/// A judged property context.
pub(super) struct Pc {
    pub heap: Heap,
    /// Tag and the four bytes of each record, by ascending id.
    pub records: Vec<(PropTag, u32)>,
}

/// A value as it is stored.
pub(super) enum Stored {
    /// In the four bytes themselves.
    Inline(u32),
    /// In the heap; empty for HNID 0.
    Bytes(Vec<u8>),
    /// In a subnode: its data blocks by position, and their bytes.
    Long(Vec<usize>, u64),
    /// An object: its subnode and its size as stored.
    Object(Node, u32),
}

/// Values in subnodes are read up to this size where all of their bytes count.
const READ: u64 = 1 << 20;

impl Stored {
    /// Number of bytes.
    pub fn len(&self) -> u64 {
        match self {
            Self::Inline(_) => 4,
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Long(_, len) => *len,
            Self::Object(_, size) => u64::from(*size),
        }
    }
}

impl Pc {
    /// The record of a property, of whatever type.
    pub fn record(&self, id: u16) -> Option<(PropTag, u32)> {
        self.records.binary_search_by_key(&id, |(tag, _)| tag.id()).ok().and_then(|i| self.records.get(i)).copied()
    }

    /// The four bytes of a property of an inline type.
    pub fn inline(&self, tag: PropTag) -> Option<u32> {
        self.record(tag.id()).filter(|(have, _)| *have == tag).map(|(_, raw)| raw)
    }
}

impl Judge<'_> {
    /// Judges the property context of a node.
    pub fn pc(&mut self, nid: Nid, data: Bid, sub: Bid) -> Option<Pc> {
        let heap = self.heap(nid, data, sub, &[client::PC])?;
        let bth = self.bth(&heap, heap.root, &[(2, 6)])?;
        let record = |(key, data): (&[u8], &[u8])| {
            let data = number(data);
            (PropTag::new(number(key) as u16, data as u16), (data >> 16) as u32)
        };
        let mut records: Vec<(PropTag, u32)> = bth.iter().map(record).collect();
        // Disorder was reported above; look-ups need order.
        records.sort_by_key(|(tag, _)| tag.id());
        for (tag, raw) in &records {
            if tag.is_named() {
                self.file.name_used(tag.id());
            }
            self.stored(&heap, *tag, *raw, 17);
        }
        Some(Pc { heap, records })
    }

    /// Judges how a value is stored, and finds it. `rule` is V17 for records and V18 for cells.
    pub fn stored(&mut self, heap: &Heap, tag: PropTag, raw: u32, rule: usize) -> Option<Stored> {
        let (nid, at, ty) = (heap.nid, heap.at, tag.ty());
        if is_inline(ty) {
            let upper = match ty {
                PropType::BOOLEAN => raw > 1,
                PropType::INTEGER16 => raw > 0xFFFF,
                _ => false,
            };
            if upper && rule == 17 {
                self.found.add(rule, at, format!("node {nid}, property {tag}: the value is 0x{raw:X}"));
            }
            return Some(Stored::Inline(raw));
        }
        let fixed = PropType(ty).fixed_size().filter(|_| ty & PropType::MULTI == 0);
        if raw == 0 {
            if let Some(size) = fixed.or((ty == PropType::OBJECT).then_some(8)) {
                let text = format!("node {nid}, property {tag}: a value of {size} bytes is missing (HNID 0)");
                self.found.lenient(rule, at, text);
            }
            return Some(Stored::Bytes(Vec::new()));
        }
        let mut wrong = |text: String| {
            self.found.add(rule, at, format!("node {nid}, property {tag}: {text}"));
            None
        };
        if !is_hid(raw) {
            if fixed.is_some() || ty == PropType::OBJECT {
                return wrong(format!("HNID 0x{raw:X} names a subnode, where the heap belongs"));
            }
            let Some(node) = heap.subnode(Nid(raw)) else {
                return wrong(format!("HNID 0x{raw:X} names a subnode that does not exist"));
            };
            let leaves = self.file.leaves(node.data)?;
            let len = self.file.bytes(&leaves);
            if len == 0 {
                return wrong(format!("subnode {} has no data", node.nid));
            }
            let ends = self.ends(&leaves, len);
            self.form(tag, len, &ends, heap, rule);
            return Some(Stored::Long(leaves, len));
        }
        let Some(bytes) = self.alloc(heap, raw) else {
            return self.wrong(rule, at, format!("node {nid}, property {tag}: HID 0x{raw:X} points nowhere"));
        };
        if let Some(size) = fixed.filter(|size| *size != bytes.len()) {
            let text = format!("node {nid}, property {tag}: {} bytes where {size} belong", bytes.len());
            return self.wrong(rule, at, text);
        }
        if bytes.is_empty() {
            let text = format!("node {nid}, property {tag}: HID 0x{raw:X} is an empty allocation (invalid HNID)");
            self.found.add(rule, at, text);
        }
        if ty == PropType::OBJECT {
            return self.object(heap, tag, &bytes, rule);
        }
        self.form(tag, bytes.len() as u64, &bytes, heap, rule);
        Some(Stored::Bytes(bytes))
    }

    fn wrong<T>(&mut self, rule: usize, at: At, text: String) -> Option<T> {
        self.found.add(rule, at, text);
        None
    }

    fn object(&mut self, heap: &Heap, tag: PropTag, bytes: &[u8], rule: usize) -> Option<Stored> {
        let (nid, at) = (heap.nid, heap.at);
        let [n0, n1, n2, n3, s0, s1, s2, s3] = *bytes else {
            let text = format!("node {nid}, property {tag}: an object of {} bytes, not 8", bytes.len());
            return self.wrong(rule, at, text);
        };
        let (sub, size) = (Nid(u32::from_le_bytes([n0, n1, n2, n3])), u32::from_le_bytes([s0, s1, s2, s3]));
        match heap.subnode(sub) {
            Some(node) => Some(Stored::Object(node, size)),
            None => self.wrong(rule, at, format!("node {nid}, property {tag}: subnode {sub} does not exist")),
        }
    }

    /// What [`Judge::form`] looks at of a long value: all of it if it is not too long, else its last bytes.
    fn ends(&mut self, leaves: &[usize], len: u64) -> Vec<u8> {
        let from = if len <= READ { 0 } else { leaves.len().saturating_sub(1) };
        let mut out = Vec::new();
        for leaf in leaves.get(from..).unwrap_or_default() {
            let Some(block) = self.block(*leaf) else { return Vec::new() };
            out.extend_from_slice(&block);
        }
        out
    }

    /// Judges the form of a value of variable size. `bytes` are all of it, or its end.
    fn form(&mut self, tag: PropTag, len: u64, bytes: &[u8], heap: &Heap, rule: usize) {
        let (nid, at) = (heap.nid, heap.at);
        let whole = bytes.len() as u64 == len;
        let trouble = match tag.ty() {
            PropType::STRING if !len.is_multiple_of(2) => Some(format!("{len} bytes are no UTF-16")),
            PropType::STRING if bytes.ends_with(&[0, 0]) && bytes.len().is_multiple_of(2) => {
                Some("the text ends in a NUL".to_owned())
            }
            PropType::STRING8 if bytes.ends_with(&[0]) => Some("the text ends in a NUL".to_owned()),
            ty if ty & PropType::MULTI != 0 => match PropType(ty).fixed_size() {
                Some(size) if !len.is_multiple_of(size as u64) => Some(format!("{len} bytes are no values of {size}")),
                None if whole && Value::multi_parts(bytes).is_none() => {
                    Some(format!("the offsets of {len} bytes of values contradict"))
                }
                _ => None,
            },
            _ => None,
        };
        if let Some(text) = trouble {
            self.found.add(rule, at, format!("node {nid}, property {tag}: {text}"));
        }
    }

    /// All bytes of a stored value, if they are at most `limit`.
    pub fn bytes(&mut self, stored: &Stored, limit: u64) -> Option<Vec<u8>> {
        match stored {
            Stored::Inline(raw) => Some(raw.to_le_bytes().to_vec()),
            Stored::Bytes(bytes) => Some(bytes.clone()),
            Stored::Long(leaves, len) if *len <= limit => {
                let mut out = Vec::with_capacity(*len as usize);
                for leaf in leaves {
                    out.extend_from_slice(&self.block(*leaf)?);
                }
                Some(out)
            }
            Stored::Long(..) | Stored::Object(..) => None,
        }
    }

    /// The bytes of a property, judged before: `None` where it is absent, damaged or longer than `limit`.
    pub fn prop(&mut self, pc: &Pc, id: u16, limit: u64) -> Option<(PropTag, Vec<u8>)> {
        let (tag, raw) = pc.record(id)?;
        let stored = self.peek(&pc.heap, tag, raw)?;
        self.bytes(&stored, limit).map(|bytes| (tag, bytes))
    }

    /// As [`Judge::stored`], without saying anything.
    pub fn peek(&mut self, heap: &Heap, tag: PropTag, raw: u32) -> Option<Stored> {
        if is_inline(tag.ty()) {
            return Some(Stored::Inline(raw));
        }
        if raw == 0 {
            return Some(Stored::Bytes(Vec::new()));
        }
        if !is_hid(raw) {
            let leaves = self.file.leaves(heap.subnode(Nid(raw))?.data)?;
            let len = self.file.bytes(&leaves);
            return Some(Stored::Long(leaves, len));
        }
        let bytes = self.alloc(heap, raw)?;
        match (tag.ty(), bytes.as_slice()) {
            (PropType::OBJECT, [n0, n1, n2, n3, s0, s1, s2, s3]) => {
                let node = heap.subnode(Nid(u32::from_le_bytes([*n0, *n1, *n2, *n3])))?;
                Some(Stored::Object(node, u32::from_le_bytes([*s0, *s1, *s2, *s3])))
            }
            (PropType::OBJECT, _) => None,
            _ => Some(Stored::Bytes(bytes)),
        }
    }
}
