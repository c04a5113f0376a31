//! What an undamaged file holds, and which of its bytes each item needs: found by the file's own trees.

use crate::support;
use pst_core::endpoint::pst::PstSource;
use pst_core::io::Input;
use pst_core::mapi::{Attachment, Message, PropBag, Value};
use pst_core::messaging::Store;
use pst_core::ndb::page::{Page, Tree};
use pst_core::ndb::{Bid, BlockRef, Bref, Ndb, Nid, Node, Variant, nid_type};
use pst_core::pipeline::{Body, Source};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;
use std::sync::Arc;

/// What a reader delivered.
#[derive(Default)]
pub struct Delivered {
    /// Items by node: a hash of all that they hold, and whether anything was said of them.
    pub items: BTreeMap<u32, (u64, bool)>,
    /// Items that came more than once.
    pub twice: Vec<u32>,
    /// What was said of items and folders that could not be read.
    pub errors: Vec<String>,
}

/// Reads a file to its end, as a conversion does.
pub fn deliver(ndb: Ndb) -> Delivered {
    let source = PstSource::of(Store::new(Arc::new(ndb)).with_codepage(1252));
    let mut out = Delivered::default();
    for folder in source.folders().unwrap() {
        for listed in source.items(&folder).unwrap() {
            let loaded = listed.and_then(|l| source.load(&folder, &l).map(|item| (l.key as u32, item)));
            match loaded {
                Ok((nid, item)) => {
                    let Body::Mapi(message) = item.body else { panic!("no item of a store") };
                    match whole(&message) {
                        Ok(hash) => {
                            if out.items.insert(nid, (hash, !item.warnings.is_empty())).is_some() {
                                out.twice.push(nid);
                            }
                        }
                        Err(e) => out.errors.push(e.to_string()),
                    }
                }
                Err(e) => out.errors.push(e.to_string()),
            }
        }
    }
    out
}

/// A hash of all that an item holds.
fn whole(message: &Message) -> pst_core::Result<u64> {
    let mut hasher = DefaultHasher::new();
    add(message, &mut hasher)?;
    Ok(hasher.finish())
}

fn add(message: &Message, to: &mut DefaultHasher) -> pst_core::Result<()> {
    bag(&message.props, to)?;
    message.recipients.iter().try_for_each(|r| bag(r, to))?;
    for Attachment { props, embedded } in &message.attachments {
        bag(props, to)?;
        if let Some(inner) = embedded {
            add(inner, to)?;
        }
    }
    (message.recipients.len(), message.attachments.len()).hash(to);
    Ok(())
}

fn bag(bag: &PropBag, to: &mut DefaultHasher) -> pst_core::Result<()> {
    for prop in &bag.0 {
        (prop.tag.0, format!("{:?}", prop.name)).hash(to);
        match &prop.value {
            Value::Binary(blob) | Value::Object(blob) => blob.to_vec(1 << 30)?.hash(to),
            value => format!("{value:?}").hash(to),
        }
    }
    bag.0.len().hash(to);
    Ok(())
}

/// An undamaged file.
pub struct Original {
    pub name: String,
    pub bytes: Vec<u8>,
    pub variant: Variant,
    pub items: Delivered,
    /// Pages of the two trees: offset and level.
    pub pages: Vec<(usize, u8)>,
    pub blocks: Vec<BlockRef>,
    /// For each item the bytes that must be whole, tree pages apart from blocks and the page that names the node.
    pub needs: BTreeMap<u32, Needs>,
}

/// Bytes of a file that an item needs.
#[derive(Default)]
pub struct Needs {
    /// The node's leaf page, and the blocks of the item and of the name map.
    pub own: Vec<Range<usize>>,
    /// Header and the other pages that lead to them.
    pub leading: Vec<Range<usize>>,
}

/// The way to an entry: the pages from the root down.
type Ways = BTreeMap<u64, Vec<usize>>;

impl Original {
    pub fn new(name: &str, bytes: Vec<u8>) -> Self {
        let ndb = Ndb::new(Input::from_bytes(bytes.clone(), name)).unwrap();
        let v = ndb.variant();
        let (mut pages, mut nodes, mut blocks) = (Vec::new(), HashMap::new(), Vec::new());
        let (mut to_nodes, mut to_blocks) = (Ways::new(), Ways::new());
        ways(&ndb, Tree::Nbt, &mut pages, |entry, way| {
            let node = v.nbt(entry).unwrap();
            nodes.insert(node.nid.0, node);
            to_nodes.insert(u64::from(node.nid.0), way);
        });
        ways(&ndb, Tree::Bbt, &mut pages, |entry, way| {
            let block = v.bbt(entry).unwrap();
            blocks.push(block);
            to_blocks.insert(block.bid.key(), way);
        });
        let mut out = Self {
            name: name.to_owned(),
            bytes,
            variant: v,
            items: Delivered::default(),
            pages,
            blocks,
            needs: BTreeMap::new(),
        };
        let by_key: HashMap<u64, BlockRef> = out.blocks.iter().map(|b| (b.bid.key(), *b)).collect();
        let names = nodes.get(&Nid::NAME_TO_ID_MAP.0).copied();
        for node in nodes.values().filter(|n| matches!(n.nid.ty(), nid_type::NORMAL_MESSAGE | nid_type::ASSOC_MESSAGE))
        {
            let mut needs = Needs::default();
            needs.leading.push(0..600);
            for node in [Some(*node), names].into_iter().flatten() {
                out.need(&to_nodes[&u64::from(node.nid.0)], &mut needs);
                for bid in closure(&ndb, node) {
                    let Some(block) = by_key.get(&bid.key()) else { continue };
                    let ib = block.ib as usize;
                    needs.own.push(ib..ib + v.block_size(usize::from(block.cb)) as usize);
                    needs.leading.extend(to_blocks[&bid.key()].iter().map(|ib| *ib..ib + v.page()));
                }
            }
            out.needs.insert(node.nid.0, needs);
        }
        out.items = deliver(ndb);
        assert_eq!(out.items.errors, [""; 0], "{name}");
        out
    }

    fn need(&self, way: &[usize], needs: &mut Needs) {
        let page = |ib: &usize| *ib..ib + self.variant.page();
        if let Some((leaf, above)) = way.split_last() {
            needs.own.push(page(leaf));
            needs.leading.extend(above.iter().map(page));
        }
    }

    /// The items that must come out of the file after these bytes were hit; `rebuilt` if the trees are not needed.
    pub fn expected(&self, hit: &[Range<usize>], rebuilt: bool) -> BTreeMap<u32, u64> {
        let is_hit = |need: &Range<usize>| hit.iter().any(|h| h.start < need.end && need.start < h.end);
        let stays = |nid: &u32| {
            self.needs
                .get(nid)
                .is_some_and(|needs| !needs.own.iter().any(is_hit) && (rebuilt || !needs.leading.iter().any(is_hit)))
        };
        self.items.items.iter().filter(|(nid, _)| stays(nid)).map(|(nid, (hash, _))| (*nid, *hash)).collect()
    }
}

/// Tells all entries of the leaves of a tree, each with the pages from the root to it.
fn ways(ndb: &Ndb, tree: Tree, pages: &mut Vec<(usize, u8)>, mut each: impl FnMut(&[u8], Vec<usize>)) {
    let v = ndb.variant();
    let mut open: Vec<(Bref, Option<u8>, Vec<usize>)> = vec![(tree.root(ndb.header()), None, Vec::new())];
    while let Some((at, level, mut way)) = open.pop() {
        let page = Page::read(ndb.input(), v, tree, at, level).unwrap();
        way.push(at.ib as usize);
        pages.push((at.ib as usize, page.counters.level));
        for entry in (0..page.len()).filter_map(|i| page.entry(i)) {
            match page.counters.level.checked_sub(1) {
                None => each(entry, way.clone()),
                Some(below) => open.push((v.bt(entry).unwrap().1, Some(below), way.clone())),
            }
        }
    }
}

/// All blocks of a node: of its data and its subnodes, and of theirs.
fn closure(ndb: &Ndb, node: Node) -> BTreeSet<Bid> {
    let v = ndb.variant();
    let mut seen = BTreeSet::new();
    let mut open = vec![node.data, node.sub];
    while let Some(bid) = open.pop() {
        if bid.is_none() || !seen.insert(bid) || !bid.is_internal() {
            continue;
        }
        let mut bytes = Vec::new();
        if ndb.read_block(bid, &mut bytes).is_err() {
            continue;
        }
        let count = usize::from(u16::from_le_bytes([bytes[2], bytes[3]]));
        match (bytes[0], bytes[1]) {
            (1, _) => open.extend(bytes[8..].chunks(v.bid()).take(count).filter_map(|e| v.x_bid(e))),
            (_, 0) => {
                let entries = bytes[v.sub_head()..].chunks(v.sl_entry()).take(count);
                open.extend(entries.filter_map(|e| v.sl(e)).flat_map(|n| [n.data, n.sub]));
            }
            _ => {
                let entries = bytes[v.sub_head()..].chunks(v.si_entry()).take(count);
                open.extend(entries.filter_map(|e| v.si(e)).map(|(_, bid)| bid));
            }
        }
    }
    seen
}

/// The genuine files of the corpus, and one made of 4096-byte pages.
pub fn originals() -> Vec<Original> {
    let Some(folder) = support::corpus("pst") else { return Vec::new() };
    let mut out = Vec::new();
    for path in support::files(&folder, &[".pst", ".ost"]) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        // One of the files came damaged.
        if Ndb::open(&path).is_err() {
            continue;
        }
        out.push(Original::new(&name, std::fs::read(&path).unwrap()));
        if name.starts_with("aspose-email__Outlook_1") {
            out.push(Original::new("large pages.ost", super::ost4k::make(&path, true)));
        }
    }
    out
}
