//! Adding to an existing file ([MS-PST] 2.2): what is there stays untouched until a commit, and a commit is one write of
//! one sector.
//!
//! Blocks and pages go to places that the last commit does not refer to: what is free by the trees themselves, never by
//! the allocation maps alone, and sections behind the end. The two B-trees are changed by copy. A commit writes, in this
//! order:
//!
//! 1. before the first one of a run, the header with fAMapValid = 0: from here on the maps lag behind the trees, and
//!    [MS-PST] 2.6.1.3.8 says that they are rebuilt by whoever finds the file so; Outlook 2013 and later do not look at the
//!    field, so the maps never call a slot free that the header in force refers to. The density list is emptied with it;
//! 2. blocks, pages, and the maps, in which all that is new is taken. What the commit before this one freed is free in them;
//! 3. a sync; the first sector of the header with the new roots; a sync.
//!
//! [`Adding::finish`] writes the maps once more, as they should be, and then the header with fAMapValid = 2.
//!
//! So at every instant the file opens as of the last commit, and `pst check` finds nothing in it but one or both of: V05,
//! the maps are to be rebuilt (fAMapValid is 0), from the first commit of a run until its end; V02, the file is longer than
//! its header says, while a commit that needs more room is on its way. Neither keeps any program from reading the file, and
//! the next run removes both.

mod bits;
mod head;
mod merge;
mod space;
mod survey;
mod trees;

use crate::error::{Error, Kind, Result};
use crate::io::InPlace;
use crate::ndb::changes::Shared;
use crate::ndb::disk::{BlockTrailerW, SLOT};
use crate::ndb::id::{Bid, Nid};
use crate::ndb::variant::{BlockRef, Bref, Node, Variant};
use crate::ndb::{Crypt, Header, Ndb};
use head::{Head, Next};
use space::Space;
use std::collections::HashMap;
use std::sync::Arc;
use survey::Survey;
use zerocopy::IntoBytes;

/// Changes held before they are put into the trees, committed or not; few in unit tests.
const HELD: usize = if cfg!(test) { 60 } else { 100_000 };
/// Sections whose maps are held before they are written.
const HELD_MAPS: usize = 8192;
/// Block ids by which bidNextB runs ahead.
const AHEAD: u64 = 4 << 20;
/// Counters of blocks and pages from here on can only come from damage; ids that were given out are below twice of it.
const MAX_ID: u64 = 1 << 60;

/// A file that is added to.
pub(super) struct Adding {
    space: Space,
    head: Head,
    header: Header,
    /// The roots with all changes that are in the trees; those of the last commit stand in `header`.
    nbt: Bref,
    bbt: Bref,
    next_page: u64,
    /// Block and page ids from which on everything is of this transaction.
    own_block: u64,
    own_page: u64,
    highest: [u32; 32],
    rgnid: [u32; 32],
    changes: Shared,
    /// References to blocks in the trees that have come (or gone, below 0).
    references: HashMap<u64, i32>,
    /// Blocks that something referred to and does not any more; each entry is one reference.
    released: Vec<Bid>,
    reader: Option<Arc<Ndb>>,
    /// New blocks that may be held before they are put into the trees.
    fold_at: usize,
    /// True if this run has said that the maps are being changed.
    marked: bool,
    /// True if anything was written that no commit refers to yet.
    pending: bool,
}

impl Adding {
    pub fn open(file: Box<dyn InPlace>) -> Result<Self> {
        let input = file.input()?;
        let within = |e: Error| e.in_file(input.path());
        let header = Header::read(&input).map_err(within)?;
        fit(&header).map_err(within)?;
        let survey = Survey::read(&input, &header).map_err(|e| not_whole(&e).in_file(input.path()))?;
        let head = Head::read(&input).map_err(within)?;
        let mut rgnid = head.rgnid();
        let highest = survey.highest;
        rgnid.iter_mut().zip(highest).for_each(|(last, highest)| *last = highest.max(*last));
        // What was given out once is not given out again, even if the trees do not know it any more.
        let sane = |next: u64| if next < MAX_ID { next } else { 0 };
        let next_block = ((survey.block & !3) + 4).max(sane(head.bid_next_b()) & !3);
        let next_page = (survey.page + 1).max(sane(header.bid_next_p));
        Ok(Self {
            nbt: header.nbt,
            bbt: header.bbt,
            next_page,
            own_block: next_block,
            own_page: next_page,
            highest,
            rgnid,
            changes: Shared::default(),
            references: HashMap::new(),
            released: Vec::new(),
            reader: None,
            fold_at: HELD,
            marked: false,
            pending: false,
            space: Space::new(file, input, survey),
            head,
            header,
        })
    }

    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The first block id of this transaction.
    pub fn next_block(&self) -> u64 {
        self.own_block
    }

    pub fn highest(&self) -> [u32; 32] {
        self.highest
    }

    pub fn used(&self) -> u64 {
        self.space.eof() - self.space.free()
    }

    pub fn failed(&self) -> bool {
        self.space.failed
    }

    /// The dwUnique of the next commit.
    pub fn next_commit(&self) -> u32 {
        self.head.next_unique()
    }

    pub fn take(&mut self, size: u64) -> Result<u64> {
        self.space.take(size, SLOT)
    }

    /// Writes a block into space that was just taken.
    pub fn block(
        &mut self,
        at: BlockRef,
        stored: &[u8],
        trailer: &BlockTrailerW,
        size: u64,
        next_block: u64,
    ) -> Result<()> {
        let mut whole = stored.to_vec();
        whole.resize(size as usize - trailer.as_bytes().len(), 0);
        whole.extend_from_slice(trailer.as_bytes());
        self.space.write(&whole, at.ib)?;
        self.pending = true;
        let held = {
            let mut changes = self.changes.write();
            changes.blocks.insert(at.bid.key(), at);
            changes.blocks.len()
        };
        if held > self.fold_at || self.space.changed() > HELD_MAPS { self.fold(next_block) } else { Ok(()) }
    }

    /// Counts a reference to a block.
    pub fn refer(&mut self, bid: Bid) {
        if bid.is_none() {
            return;
        }
        match self.changes.write().blocks.get_mut(&bid.key()) {
            Some(new) => new.c_ref = new.c_ref.saturating_add(1),
            None => *self.references.entry(bid.key()).or_default() += 1,
        }
    }

    /// Puts a node in place of the one with its id, if there is one.
    pub fn node(&mut self, node: Node, next_block: u64) -> Result<()> {
        if let Some(rgnid) = self.rgnid.get_mut(usize::from(node.nid.ty())) {
            *rgnid = node.nid.index().max(*rgnid);
        }
        let before = if self.is_known(node.nid) { self.reader()?.node(node.nid)? } else { None };
        self.refer(node.data);
        self.refer(node.sub);
        self.released.extend(before.into_iter().flat_map(|n| [n.data, n.sub]).filter(|b| !b.is_none()));
        self.pending = true;
        let held = {
            let mut changes = self.changes.write();
            changes.nodes.insert(node.nid.0, node);
            changes.nodes.len()
        };
        if held > HELD { self.fold(next_block) } else { Ok(()) }
    }

    /// True if a node may be there already: ids that this run gives out are above all others, and each comes once but for
    /// those among the changes or put into the trees before.
    fn is_known(&self, nid: Nid) -> bool {
        let highest = self.highest.get(usize::from(nid.ty())).copied().unwrap_or_default();
        nid.index() <= highest || self.changes.read().nodes.contains_key(&nid.0)
    }

    /// The file as it is at this moment.
    pub fn reader(&mut self) -> Result<Arc<Ndb>> {
        self.space.flush()?;
        let whole = |r: &&Arc<Ndb>| !self.pending || r.input().len() >= self.space.eof();
        if let Some(reader) = self.reader.as_ref().filter(whole) {
            return Ok(Arc::clone(reader));
        }
        if self.pending {
            // It is whole until the file grows again.
            self.space.settle_length()?;
        }
        let input = self.space.file.input()?;
        let reader = Ndb::under_way(input, self.header.clone(), self.nbt, self.bbt, self.changes.clone());
        Ok(Arc::clone(self.reader.insert(Arc::new(reader))))
    }

    /// Makes everything so far part of the file.
    pub fn commit(&mut self, next_block: u64) -> Result<()> {
        if !self.pending {
            return Ok(());
        }
        let done = self.commit_all(next_block);
        // After an error nobody knows what the disk holds; only the last commit counts.
        self.space.failed |= done.is_err();
        done
    }

    fn commit_all(&mut self, next_block: u64) -> Result<()> {
        self.put_into_trees(true)?;
        self.mark(next_block)?;
        self.space.flush()?;
        self.space.write_maps()?;
        self.space.settle_length()?;
        self.space.sync()?;
        self.write_header(false)?;
        self.space.committed()?;
        self.own_block = next_block;
        self.own_page = self.next_page;
        self.pending = false;
        Ok(())
    }

    fn write_header(&mut self, maps_valid: bool) -> Result<()> {
        let next = Next {
            nbt: self.nbt,
            bbt: self.bbt,
            bid_next_p: self.next_page,
            rgnid: self.rgnid,
            eof: self.space.eof(),
            amap_last: self.space.amap_last(),
            amap_free: self.space.free(),
            maps_valid,
        };
        self.head.commit(&mut *self.space.file, &next)?;
        self.space.sync()?;
        (self.header.nbt, self.header.bbt, self.header.eof) = (self.nbt, self.bbt, next.eof);
        self.header.unique = self.head.unique();
        self.reader = None;
        Ok(())
    }

    /// Before the maps of the file change for the first time: the header says so. And bidNextB runs ahead, so that it need
    /// not change with each commit.
    fn mark(&mut self, next_block: u64) -> Result<()> {
        if self.marked && next_block <= self.head.bid_next_b() {
            return Ok(());
        }
        if next_block > self.head.bid_next_b() {
            self.head.reserve(&mut *self.space.file, next_block + AHEAD)?;
        }
        if !self.marked {
            self.head.invalidate_maps(&mut *self.space.file)?;
            self.marked = true;
        }
        self.space.sync()
    }

    /// Puts what is held into the trees, without a commit, so that it need not be held.
    fn fold(&mut self, next_block: u64) -> Result<()> {
        let done = self.put_into_trees(false).and_then(|()| {
            // The maps may now change in the file: more may be taken in them than the header in force refers to.
            self.mark(next_block)?;
            self.space.flush()?;
            self.space.write_maps()
        });
        self.space.failed |= done.is_err();
        done
    }

    /// Commits, and brings the maps in order. Returns the file's size.
    pub fn finish(mut self, next_block: u64) -> Result<u64> {
        self.commit(next_block)?;
        let in_order = self.head.maps_valid() && self.space.file.input()?.len() == self.space.eof();
        if self.marked || !in_order {
            if next_block < self.head.bid_next_b() {
                self.head.reserve(&mut *self.space.file, next_block)?;
            }
            self.mark(next_block)?;
            self.space.write_maps()?;
            self.space.write_density_list(self.next_page)?;
            self.space.settle_length()?;
            self.space.sync()?;
            self.write_header(true)?;
        }
        Ok(self.space.eof())
    }
}

/// Refuses what is not added to.
fn fit(header: &Header) -> Result<()> {
    let refuse = |what: &str| {
        let text =
            format!("nothing can be added to {what}: convert it to a new file first (pst convert), then add to that");
        Err(Error::new(Kind::Unsupported, text))
    };
    match header.variant {
        Variant::Ansi => return refuse("an ANSI file"),
        Variant::Unicode4k => return refuse("a file of 4096-byte pages"),
        Variant::Unicode => {}
    }
    if header.ost {
        return refuse("an OST, which Outlook keeps in step with a server");
    }
    if header.crypt == Crypt::Cyclic {
        return refuse("a file with the cyclic encoding");
    }
    if !header.crc_partial_ok || !header.crc_full_ok {
        return Err(not_whole(&Error::damaged("HEADER", "a checksum of the header is wrong")));
    }
    Ok(())
}

/// Damage that is found before anything was written.
fn not_whole(e: &Error) -> Error {
    let text = format!("the file is damaged and stays as it is ({e}): convert it to a new file first (pst convert)");
    Error::new(Kind::Damaged, text)
}
