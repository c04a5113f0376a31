//! Damages a Unicode PST at named fields: whatever a change makes wrong below it (CRCs, encoding) is made right again,
//! so that only the field itself speaks. Parses the file by itself, by the offsets of the specification.

/// A place in the file: a block or node as its B-tree has it.
#[derive(Debug, Clone, Copy)]
pub struct Block {
    pub ib: usize,
    pub cb: usize,
    /// Where its BBT entry stands.
    pub entry: usize,
}

#[derive(Debug, Clone, Copy)]
pub struct Node {
    pub nid: u32,
    pub data: u64,
    pub sub: u64,
    pub parent: u32,
    /// Where its NBT entry stands.
    pub entry: usize,
}

/// A heap allocation of a block: `at` and `len` within the block's data.
#[derive(Debug, Clone, Copy)]
pub struct Alloc {
    pub bid: u64,
    pub at: usize,
    pub len: usize,
}

pub struct Forge {
    pub bytes: Vec<u8>,
}

/// CRC-32, reflected 0xEDB88320, seed 0, no final inversion, bit by bit.
pub fn crc(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0u32, |crc, b| {
        (0..8).fold(crc ^ u32::from(*b), |c, _| if c & 1 == 1 { c >> 1 ^ 0xEDB8_8320 } else { c >> 1 })
    })
}

impl Forge {
    pub fn u16(&self, at: usize) -> u16 {
        u16::from_le_bytes(self.bytes[at..at + 2].try_into().unwrap())
    }

    pub fn u32(&self, at: usize) -> u32 {
        u32::from_le_bytes(self.bytes[at..at + 4].try_into().unwrap())
    }

    pub fn u64(&self, at: usize) -> u64 {
        u64::from_le_bytes(self.bytes[at..at + 8].try_into().unwrap())
    }

    pub fn put(&mut self, at: usize, bytes: &[u8]) {
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
    }

    /// Changes header fields and sums the header again.
    pub fn header(&mut self, at: usize, bytes: &[u8]) {
        self.put(at, bytes);
        let partial = crc(&self.bytes[8..479]);
        self.put(4, &partial.to_le_bytes());
        let full = crc(&self.bytes[8..524]);
        self.put(0x20C, &full.to_le_bytes());
    }

    /// Changes a page and sums it again.
    pub fn page(&mut self, ib: usize, change: impl FnOnce(&mut [u8])) {
        change(&mut self.bytes[ib..ib + 496]);
        let sum = crc(&self.bytes[ib..ib + 496]);
        self.put(ib + 500, &sum.to_le_bytes());
    }

    /// All pages of a tree, root first: offset and level.
    pub fn pages(&self, root: usize) -> Vec<(usize, u8)> {
        let mut out = Vec::new();
        let mut open = vec![self.u64(root + 8) as usize];
        while let Some(ib) = open.pop() {
            let (count, level) = (self.bytes[ib + 488], self.bytes[ib + 491]);
            out.push((ib, level));
            if level > 0 {
                open.extend((0..count as usize).map(|i| self.u64(ib + 24 * i + 16) as usize));
            }
        }
        out
    }

    pub fn nbt(&self) -> Vec<(usize, u8)> {
        self.pages(0xD8)
    }

    pub fn bbt(&self) -> Vec<(usize, u8)> {
        self.pages(0xE8)
    }

    pub fn nodes(&self) -> Vec<Node> {
        let mut out: Vec<Node> = Vec::new();
        for (ib, _) in self.nbt().into_iter().filter(|(_, level)| *level == 0) {
            for entry in (0..self.bytes[ib + 488] as usize).map(|i| ib + 32 * i) {
                let (data, sub) = (self.u64(entry + 8), self.u64(entry + 16));
                out.push(Node { nid: self.u32(entry), data, sub, parent: self.u32(entry + 24), entry });
            }
        }
        out.sort_by_key(|n| n.nid);
        out
    }

    pub fn node(&self, nid: u32) -> Node {
        self.nodes().into_iter().find(|n| n.nid == nid).unwrap_or_else(|| panic!("no node 0x{nid:X}"))
    }

    pub fn block(&self, bid: u64) -> Block {
        for (ib, _) in self.bbt().into_iter().filter(|(_, level)| *level == 0) {
            for entry in (0..self.bytes[ib + 488] as usize).map(|i| ib + 24 * i) {
                if self.u64(entry) == bid {
                    return Block { ib: self.u64(entry + 8) as usize, cb: self.u16(entry + 16) as usize, entry };
                }
            }
        }
        panic!("no block 0x{bid:X}")
    }

    /// Changes bytes that stand in a B-tree page, and sums the page again.
    pub fn entry(&mut self, at: usize, bytes: &[u8]) {
        let ib = at / 512 * 512;
        self.page(ib, |page| page[at - ib..at - ib + bytes.len()].copy_from_slice(bytes));
    }

    /// The plain bytes of a block.
    pub fn plain(&self, bid: u64) -> Vec<u8> {
        let Block { ib, cb, .. } = self.block(bid);
        let mut bytes = self.bytes[ib..ib + cb].to_vec();
        if bid & 2 == 0 {
            pst_core::ndb::Crypt::Permute.decode(&mut bytes, bid, 0);
        }
        bytes
    }

    /// Changes the plain bytes of a block, encodes and sums it again.
    pub fn data(&mut self, bid: u64, change: impl FnOnce(&mut [u8])) {
        let Block { ib, cb, .. } = self.block(bid);
        let mut bytes = self.plain(bid);
        change(&mut bytes);
        if bid & 2 == 0 {
            pst_core::ndb::Crypt::Permute.encode(&mut bytes, bid);
        }
        self.put(ib, &bytes);
        let trailer = ib + (cb + 16).next_multiple_of(64) - 16;
        self.put(trailer + 4, &crc(&bytes).to_le_bytes());
    }

    /// The leaf blocks of a data tree.
    pub fn leaves(&self, bid: u64) -> Vec<u64> {
        if bid & 2 == 0 {
            return vec![bid];
        }
        let bytes = self.plain(bid);
        let count = u16::from_le_bytes([bytes[2], bytes[3]]) as usize;
        let entries = (0..count).map(|i| u64::from_le_bytes(bytes[8 + 8 * i..16 + 8 * i].try_into().unwrap()));
        entries.flat_map(|b| self.leaves(b)).collect()
    }

    /// A subnode of a node with one SLBLOCK: its data and subnode BIDs.
    pub fn subnode(&self, sub: u64, nid: u32) -> (u64, u64) {
        let bytes = self.plain(sub);
        assert_eq!(bytes[1], 0);
        let count = u16::from_le_bytes([bytes[2], bytes[3]]) as usize;
        let long = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
        (0..count)
            .map(|i| 8 + 24 * i)
            .find(|at| long(*at) as u32 == nid)
            .map(|at| (long(at + 8), long(at + 16)))
            .unwrap_or_else(|| panic!("no subnode 0x{nid:X}"))
    }

    /// Where a heap allocation stands.
    pub fn alloc(&self, tree: u64, hid: u32) -> Alloc {
        let bid = self.leaves(tree)[(hid >> 16) as usize];
        let bytes = self.plain(bid);
        let word = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]) as usize;
        let at = word(0) + 4 + 2 * ((hid >> 5 & 0x7FF) as usize - 1);
        Alloc { bid, at: word(at), len: word(at + 2) - word(at) }
    }

    pub fn change(&mut self, alloc: Alloc, offset: usize, bytes: &[u8]) {
        assert!(offset + bytes.len() <= alloc.len);
        self.data(alloc.bid, |b| b[alloc.at + offset..alloc.at + offset + bytes.len()].copy_from_slice(bytes));
    }

    pub fn read(&self, alloc: Alloc) -> Vec<u8> {
        self.plain(alloc.bid)[alloc.at..alloc.at + alloc.len].to_vec()
    }

    /// hidUserRoot of a heap.
    pub fn root(&self, tree: u64) -> u32 {
        let bytes = self.plain(self.leaves(tree)[0]);
        u32::from_le_bytes(bytes[4..8].try_into().unwrap())
    }

    /// The record of a property in a PC with one BTH leaf: the leaf and the record's offset in it.
    pub fn record(&self, tree: u64, id: u16) -> (Alloc, usize) {
        let header = self.read(self.alloc(tree, self.root(tree)));
        assert_eq!(header[3], 0, "index levels");
        let leaf = self.alloc(tree, u32::from_le_bytes(header[4..8].try_into().unwrap()));
        let bytes = self.read(leaf);
        let at = bytes
            .chunks(8)
            .position(|r| r[..2] == id.to_le_bytes())
            .unwrap_or_else(|| panic!("no property 0x{id:04X}"));
        (leaf, at * 8)
    }

    /// The four bytes of a property.
    pub fn raw(&self, tree: u64, id: u16) -> u32 {
        let (leaf, at) = self.record(tree, id);
        u32::from_le_bytes(self.read(leaf)[at + 4..at + 8].try_into().unwrap())
    }

    pub fn set_raw(&mut self, tree: u64, id: u16, value: u32) {
        let (leaf, at) = self.record(tree, id);
        self.change(leaf, at + 4, &value.to_le_bytes());
    }

    /// The heap allocation that a property's value is in.
    pub fn value(&self, tree: u64, id: u16) -> Alloc {
        self.alloc(tree, self.raw(tree, id))
    }

    /// A table whose rows are in its heap: the allocation of the rows, the bytes of a row, and where the cell of a
    /// column begins.
    pub fn cell(&self, tree: u64, tag: u32) -> (Alloc, usize, usize) {
        let info = self.read(self.alloc(tree, self.root(tree)));
        let long = |at: usize| u32::from_le_bytes(info[at..at + 4].try_into().unwrap());
        let word = |at: usize| u16::from_le_bytes([info[at], info[at + 1]]) as usize;
        let column = (0..info[1] as usize).map(|i| 22 + 8 * i).find(|at| long(*at) == tag).unwrap();
        (self.alloc(tree, long(14)), word(8), word(column + 4))
    }
}
