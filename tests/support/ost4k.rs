//! Makes an OST with pages of 4096 bytes out of a Unicode PST: no genuine one is at hand. Larger pages and blocks, wider
//! trailers, blocks packed with zlib after encoding, heap ids with other widths, as the documents on the format have it.

use pst_core::ndb::crc::{crc, signature};
use pst_core::ndb::{Bid, Crypt, Ndb, Nid, Node};
use std::collections::HashMap;
use std::io::Write;

/// Most data bytes of a block.
const BLOCK: usize = 65512;
const PAGE: usize = 4096;
/// Where the first allocation map stands; what is made here begins behind it.
const FIRST_AMAP: usize = 0x22000;

/// The bytes of the OST. libpff cannot read packed blocks that are one of several in a tree; without `pack_all` those
/// stay as they are.
pub fn make(pst: &std::path::Path, pack_all: bool) -> Vec<u8> {
    let ndb = Ndb::open(pst).unwrap();
    let mut out = Writer {
        bytes: vec![0; FIRST_AMAP + PAGE],
        blocks: Vec::new(),
        refs: HashMap::new(),
        next: 4,
        page: 1,
        packed: 0,
        pack_all,
    };
    let mut nodes = Vec::new();
    for node in ndb.nodes() {
        let node = node.unwrap();
        let (data, sub) = copy(&ndb, &mut out, node.data, node.sub);
        nodes.push(Node { data, sub, ..node });
    }
    assert!(out.packed > 0, "no block was packed");
    let leaves: Vec<(u64, Vec<u8>)> = nodes
        .iter()
        .map(|n| {
            let mut e = u64::from(n.nid.0).to_le_bytes().to_vec();
            e.extend(n.data.0.to_le_bytes());
            e.extend(n.sub.0.to_le_bytes());
            e.extend(u64::from(n.parent.0).to_le_bytes());
            (u64::from(n.nid.0), e)
        })
        .collect();
    let nbt = out.tree(0x81, 32, leaves);
    nodes.iter().for_each(|n| out.refer(&[n.data, n.sub]));
    let blocks = std::mem::take(&mut out.blocks);
    let leaves = blocks
        .iter()
        .map(|b| {
            let mut e = b.bid.to_le_bytes().to_vec();
            e.extend((b.ib as u64).to_le_bytes());
            e.extend(b.stored.to_le_bytes());
            e.extend(b.inflated.to_le_bytes());
            e.extend((out.refs[&b.bid] + 1).to_le_bytes());
            e.extend([0; 2]);
            (b.bid, e)
        })
        .collect();
    let bbt = out.tree(0x80, 24, leaves);
    out.header(nbt, bbt)
}

struct Stored {
    bid: u64,
    ib: usize,
    stored: u16,
    inflated: u16,
}

struct Writer {
    bytes: Vec<u8>,
    blocks: Vec<Stored>,
    refs: HashMap<u64, u16>,
    next: u64,
    page: u64,
    packed: usize,
    pack_all: bool,
}

impl Writer {
    fn block(&mut self, plain: &[u8], internal: bool, pack: bool) -> Bid {
        assert!(!plain.is_empty() && plain.len() <= BLOCK);
        let bid = self.next | if internal { 2 } else { 0 };
        self.next += 4;
        let mut data = plain.to_vec();
        if !internal {
            Crypt::Permute.encode(&mut data, bid);
        }
        let inflated = data.len();
        let mut packer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        packer.write_all(&data).unwrap();
        let packed = packer.finish().unwrap();
        // Small blocks stay as they are, as in files of Outlook.
        if pack && packed.len() < data.len() && data.len() > 1024 {
            data = packed;
            self.packed += 1;
        }
        let ib = self.bytes.len().next_multiple_of(512);
        let size = (data.len() + 24).next_multiple_of(512);
        self.bytes.resize(ib + size, 0);
        self.bytes[ib..ib + data.len()].copy_from_slice(&data);
        let mut trailer = (data.len() as u16).to_le_bytes().to_vec();
        trailer.extend(signature(ib as u64, bid).to_le_bytes());
        trailer.extend(crc(&data).to_le_bytes());
        trailer.extend(bid.to_le_bytes());
        trailer.extend(2u16.to_le_bytes());
        trailer.extend((inflated as u16).to_le_bytes());
        trailer.extend([0; 4]);
        self.bytes[ib + size - 24..ib + size].copy_from_slice(&trailer);
        self.blocks.push(Stored { bid, ib, stored: data.len() as u16, inflated: inflated as u16 });
        Bid(bid)
    }

    fn refer(&mut self, bids: &[Bid]) {
        bids.iter().for_each(|b| *self.refs.entry(b.0).or_default() += 1);
    }

    fn data_tree(&mut self, blocks: &[Vec<u8>]) -> Bid {
        let pack = self.pack_all || blocks.len() == 1;
        let bids: Vec<Bid> = blocks.iter().map(|b| self.block(b, false, pack)).collect();
        match bids.as_slice() {
            [] => Bid(0),
            [one] => *one,
            many => {
                let total: usize = blocks.iter().map(Vec::len).sum();
                let mut x = vec![1, 1];
                x.extend((many.len() as u16).to_le_bytes());
                x.extend((total as u32).to_le_bytes());
                many.iter().for_each(|b| x.extend(b.0.to_le_bytes()));
                self.refer(many);
                self.block(&x, true, true)
            }
        }
    }

    fn page(&mut self, ptype: u8, entry: usize, level: u8, entries: &[Vec<u8>]) -> (u64, usize) {
        let bid = self.page;
        self.page += 1;
        let ib = self.bytes.len().next_multiple_of(PAGE);
        let mut page = entries.concat();
        page.resize(4056, 0);
        page.extend((entries.len() as u16).to_le_bytes());
        page.extend(((4056 / entry) as u16).to_le_bytes());
        page.extend([entry as u8, level]);
        page.resize(4072, 0);
        let sum = crc(&page);
        page.extend([ptype, ptype]);
        page.extend(signature(ib as u64, bid).to_le_bytes());
        page.extend(sum.to_le_bytes());
        page.extend(bid.to_le_bytes());
        page.resize(PAGE, 0);
        self.bytes.resize(ib, 0);
        self.bytes.extend(page);
        (bid, ib)
    }

    fn tree(&mut self, ptype: u8, entry: usize, leaves: Vec<(u64, Vec<u8>)>) -> (u64, usize) {
        let (mut level, mut width, mut entries) = (0, entry, leaves);
        loop {
            let mut above = Vec::new();
            for part in entries.chunks(4056 / width) {
                let bytes: Vec<Vec<u8>> = part.iter().map(|(_, e)| e.clone()).collect();
                let (bid, ib) = self.page(ptype, width, level, &bytes);
                let mut e = part[0].0.to_le_bytes().to_vec();
                e.extend(bid.to_le_bytes());
                e.extend((ib as u64).to_le_bytes());
                above.push((part[0].0, e, (bid, ib)));
            }
            if let [(_, _, root)] = above.as_slice() {
                return *root;
            }
            entries = above.into_iter().map(|(key, e, _)| (key, e)).collect();
            (level, width) = (level + 1, 24);
        }
    }

    fn header(mut self, nbt: (u64, usize), bbt: (u64, usize)) -> Vec<u8> {
        let eof = self.bytes.len().next_multiple_of(512);
        self.bytes.resize(eof, 0);
        let mut put = |at: usize, bytes: &[u8]| self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, b"!BDN");
        put(8, b"SO");
        put(0x0A, &36u16.to_le_bytes());
        put(0x0C, &12u16.to_le_bytes());
        put(0x0E, &[1, 1]);
        put(0x20, &(self.page + 1).to_le_bytes());
        put(0x28, &1u32.to_le_bytes());
        (0..32).for_each(|i| put(0x2C + 4 * i, &0x10_0000u32.to_le_bytes()));
        put(0xB8, &(eof as u64).to_le_bytes());
        put(0xC0, &(FIRST_AMAP as u64).to_le_bytes());
        for (at, (bid, ib)) in [(0xD8, nbt), (0xE8, bbt)] {
            put(at, &bid.to_le_bytes());
            put(at + 8, &(ib as u64).to_le_bytes());
        }
        put(0xF8, &[2]);
        put(0x200, &[0x80, 1]);
        put(0x204, &self.next.to_le_bytes());
        // The build that wrote it: these files come from Outlook.
        put(0x210, &[1]);
        let partial = crc(&self.bytes[8..479]);
        self.bytes[4..8].copy_from_slice(&partial.to_le_bytes());
        let full = crc(&self.bytes[8..524]);
        self.bytes[0x20C..0x210].copy_from_slice(&full.to_le_bytes());
        self.bytes
    }
}

/// Copies a node with everything below it.
fn copy(ndb: &Ndb, out: &mut Writer, data: Bid, sub: Bid) -> (Bid, Bid) {
    let mut blocks = blocks_of(ndb, data);
    let subnodes = ndb.subnodes(sub).unwrap().0;
    let mut matrix = None;
    let heap = blocks.first().is_some_and(|b| b.len() > 12 && b[2] == 0xEC && [0x7C, 0xBC, 0x9C].contains(&b[3]));
    if heap {
        let mut heap = Heap { moves: moves(&blocks), blocks };
        matrix = heap.translate(ndb, &subnodes);
        blocks = heap.rebuilt();
    } else {
        let all: Vec<u8> = blocks.concat();
        blocks = all.chunks(BLOCK).map(<[u8]>::to_vec).collect();
    }
    let mut entries = Vec::new();
    for n in subnodes {
        let (data, sub) = match &mut matrix {
            Some((nid, rows)) if *nid == n.nid => (out.data_tree(rows), Bid(0)),
            _ => copy(ndb, out, n.data, n.sub),
        };
        let mut e = u64::from(n.nid.0).to_le_bytes().to_vec();
        e.extend(data.0.to_le_bytes());
        e.extend(sub.0.to_le_bytes());
        out.refer(&[data, sub]);
        entries.push(e);
    }
    let data = out.data_tree(&blocks);
    if entries.is_empty() {
        return (data, Bid(0));
    }
    let mut list = vec![2, 0];
    list.extend((entries.len() as u16).to_le_bytes());
    list.extend([0; 4]);
    list.extend(entries.concat());
    (data, out.block(&list, true, true))
}

fn blocks_of(ndb: &Ndb, data: Bid) -> Vec<Vec<u8>> {
    let tree = ndb.data(data).unwrap();
    let read = |i| {
        let mut block = Vec::new();
        tree.read(ndb, i, &mut block).unwrap();
        block
    };
    (0..tree.blocks().len()).map(read).collect()
}

fn word(b: &[u8], at: usize) -> usize {
    usize::from(u16::from_le_bytes([b[at], b[at + 1]]))
}

fn long(b: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(b[at..at + 4].try_into().unwrap())
}

fn in_heap(ty: u32) -> bool {
    !matches!(ty, 0x02 | 0x03 | 0x04 | 0x0A | 0x0B)
}

/// Bytes before the first allocation of a block.
fn head(block: usize) -> usize {
    match block {
        0 => 12,
        8 => 66,
        _ => 2,
    }
}

/// Where each allocation moves: its old id, and its new one in blocks that hold eight times as much. The index has 14
/// bits in place of 11, the block 13 in place of 16.
fn moves(blocks: &[Vec<u8>]) -> Vec<(u32, u32)> {
    let mut out = Vec::new();
    let (mut block, mut count, mut used) = (0, 0, head(0));
    for (i, old) in blocks.iter().enumerate() {
        let map = word(old, 0);
        for n in 0..word(old, map) {
            let len = word(old, map + 4 + 2 * (n + 1)) - word(old, map + 4 + 2 * n);
            if used + len + 1 + 4 + 2 * (count + 2) > BLOCK {
                (block, count) = (block + 1, 0);
                used = head(block);
                assert!(block < 136);
            }
            used += len;
            count += 1;
            out.push(((i << 16 | (n + 1) << 5) as u32, (block << 19 | count << 5) as u32));
        }
    }
    out
}

struct Heap {
    blocks: Vec<Vec<u8>>,
    moves: Vec<(u32, u32)>,
}

impl Heap {
    /// The new id of an allocation; ids of subnodes stay.
    fn wide(&self, hid: u32) -> u32 {
        if hid & 0x1F != 0 || hid == 0 {
            return hid;
        }
        self.moves[self.moves.binary_search_by_key(&hid, |m| m.0).unwrap()].1
    }

    /// Block and range of an allocation.
    fn place(&self, hid: u32) -> (usize, usize, usize) {
        let block = &self.blocks[(hid >> 16) as usize];
        let at = word(block, 0) + 4 + 2 * ((hid >> 5 & 0x7FF) as usize - 1);
        ((hid >> 16) as usize, word(block, at), word(block, at + 2))
    }

    fn bytes(&self, hid: u32) -> Vec<u8> {
        let (block, from, to) = self.place(hid);
        self.blocks[block][from..to].to_vec()
    }

    fn put(&mut self, hid: u32, at: usize, value: u32) {
        let (block, from, _) = self.place(hid);
        self.blocks[block][from + at..from + at + 4].copy_from_slice(&value.to_le_bytes());
    }

    /// Rewrites all heap ids; gives back the rows of a table that are in a subnode.
    fn translate(&mut self, ndb: &Ndb, subnodes: &[Node]) -> Option<(Nid, Vec<Vec<u8>>)> {
        let (client, root) = (self.blocks[0][3], long(&self.blocks[0], 4));
        let wide_root = self.wide(root);
        self.blocks[0][4..8].copy_from_slice(&wide_root.to_le_bytes());
        match client {
            0xBC => self.bth(root, true),
            0x9C => {
                let header = long(&self.bytes(root), 0);
                self.put(root, 0, self.wide(header));
                self.bth(header, false);
            }
            _ => return self.table(root, ndb, subnodes),
        }
        None
    }

    /// The allocations at their new places.
    fn rebuilt(&self) -> Vec<Vec<u8>> {
        let mut out: Vec<Vec<u8>> = Vec::new();
        let mut starts: Vec<u16> = Vec::new();
        for (old, new) in &self.moves {
            let block = (new >> 19) as usize;
            if block == out.len() {
                if let Some(last) = out.last_mut() {
                    close(last, &mut starts);
                    last.resize(BLOCK, 0);
                }
                out.push(vec![0; head(block)]);
            }
            starts.push(out[block].len() as u16);
            let bytes = self.bytes(*old);
            out[block].extend(bytes);
        }
        close(out.last_mut().unwrap(), &mut starts);
        out[0][2..8].copy_from_slice(&self.blocks[0][2..8]);
        out
    }

    fn bth(&mut self, header: u32, props: bool) {
        let head = self.bytes(header);
        let (key, data, levels, root) = (head[1] as usize, head[2] as usize, head[3], long(&head, 4));
        self.put(header, 4, self.wide(root));
        let mut level = if root == 0 { Vec::new() } else { vec![root] };
        for _ in 0..levels {
            let mut next = Vec::new();
            for hid in level {
                for at in (0..self.bytes(hid).len()).step_by(key + 4) {
                    let child = long(&self.bytes(hid), at + key);
                    self.put(hid, at + key, self.wide(child));
                    next.push(child);
                }
            }
            level = next;
        }
        for hid in level.into_iter().filter(|_| props) {
            let bytes = self.bytes(hid);
            for at in (0..bytes.len()).step_by(key + data) {
                if in_heap(word(&bytes, at + 2) as u32) {
                    self.put(hid, at + 4, self.wide(long(&bytes, at + 4)));
                }
            }
        }
    }

    fn table(&mut self, root: u32, ndb: &Ndb, subnodes: &[Node]) -> Option<(Nid, Vec<Vec<u8>>)> {
        let info = self.bytes(root);
        let (width, index, rows) = (word(&info, 8), long(&info, 10), long(&info, 14));
        self.put(root, 10, self.wide(index));
        self.put(root, 14, self.wide(rows));
        self.bth(index, false);
        let bitmap = word(&info, 6);
        let columns: Vec<(usize, usize)> = (0..info[1] as usize)
            .map(|i| 22 + 8 * i)
            .filter(|at| info[at + 6] == 4 && in_heap(long(&info, *at) & 0xFFFF))
            .map(|at| (word(&info, at + 4), info[at + 7] as usize))
            .collect();
        let change = |heap: &Self, all: &mut [u8]| {
            for row in all.chunks_exact_mut(width) {
                for (at, bit) in &columns {
                    if row[bitmap + bit / 8] & (0x80 >> (bit % 8)) != 0 {
                        let value = heap.wide(long(row, *at));
                        row[*at..*at + 4].copy_from_slice(&value.to_le_bytes());
                    }
                }
            }
        };
        if rows == 0 {
            return None;
        }
        if rows & 0x1F == 0 {
            let (block, from, to) = self.place(rows);
            let mut all = self.bytes(rows);
            change(self, &mut all);
            self.blocks[block][from..to].copy_from_slice(&all);
            return None;
        }
        let node = subnodes.iter().find(|n| n.nid.0 == rows).unwrap();
        let mut all: Vec<u8> = Vec::new();
        for block in blocks_of(ndb, node.data) {
            all.extend(&block[..block.len() / width * width]);
        }
        change(self, &mut all);
        let per_block = BLOCK / width;
        let mut blocks: Vec<Vec<u8>> = all.chunks(per_block * width).map(<[u8]>::to_vec).collect();
        let last = blocks.len() - 1;
        blocks[..last].iter_mut().for_each(|b| b.resize(BLOCK, 0));
        Some((node.nid, blocks))
    }
}

/// Ends a heap block with its page map.
fn close(block: &mut Vec<u8>, starts: &mut Vec<u16>) {
    let end = block.len() as u16;
    block.resize(block.len().next_multiple_of(2), 0);
    let map = block.len() as u16;
    block.extend((starts.len() as u16).to_le_bytes());
    block.extend([0; 2]);
    starts.drain(..).chain([end]).for_each(|s| block.extend(s.to_le_bytes()));
    block[..2].copy_from_slice(&map.to_le_bytes());
}
