//! Folders: their tree, properties and rows ([MS-PST] 2.4.4).

use super::store::{Store, entry_nid};
use crate::error::{Error, Result};
use crate::ltp::TableContext;
use crate::mapi::{PropBag, PropTag, tag};
use crate::ndb::{Nid, nid_type};
use std::collections::HashSet;

/// Folders nested deeper than this are not followed.
const MAX_DEPTH: usize = 1000;

/// A folder in the tree of a store.
#[derive(Debug, Clone)]
pub struct FolderNode {
    /// Its node.
    pub nid: Nid,
    /// Position of the parent in the list of all folders; `None` for the root.
    pub parent: Option<usize>,
    /// Levels below the root folder.
    pub depth: usize,
    /// PidTagDisplayName.
    pub name: String,
    /// All properties.
    pub props: PropBag,
    /// True for search folders.
    pub search: bool,
}

/// What a contents table says of one item.
#[derive(Debug, Clone, Copy)]
pub struct Listed {
    /// The item's node.
    pub nid: Nid,
    /// PidTagMessageSize, 0 if the table does not say.
    pub size: u64,
}

impl Store {
    /// All folders, parents before children, in the order of the hierarchy tables; folders that only their nidParent
    /// leads to come after their listed siblings, and those that nothing leads to, but that items or folders name as
    /// their parent, last of all. Trouble goes to `errors`.
    pub fn folders(&self, errors: &mut Vec<Error>) -> Vec<FolderNode> {
        errors.extend(self.lost_pages());
        let mut out: Vec<FolderNode> = Vec::new();
        let mut seen = HashSet::new();
        self.below((Nid::ROOT_FOLDER, None), &mut out, &mut seen, errors);
        // A folder whose own parent is lost as well comes below it.
        let lost: Vec<Nid> = self.named_parents().into_iter().filter(|n| is_folder(*n) && !seen.contains(n)).collect();
        let has_lost_parent = |nid: &Nid| {
            self.ndb().node(*nid).ok().flatten().is_some_and(|n| n.parent != *nid && lost.contains(&n.parent))
        };
        let (inner, tops): (Vec<Nid>, Vec<Nid>) = lost.iter().partition(|nid| has_lost_parent(nid));
        for nid in tops.into_iter().chain(inner).filter(|n| n.ty() == nid_type::NORMAL_FOLDER) {
            self.below((nid, Some(0)), &mut out, &mut seen, errors);
        }
        out
    }

    /// Adds a folder and all below it, but those that were seen.
    fn below(
        &self,
        (top, under): (Nid, Option<usize>),
        out: &mut Vec<FolderNode>,
        seen: &mut HashSet<Nid>,
        errors: &mut Vec<Error>,
    ) {
        let mut stack = vec![(top, under, usize::from(under.is_some()))];
        while let Some((nid, parent, depth)) = stack.pop() {
            if depth > MAX_DEPTH || !seen.insert(nid) {
                continue;
            }
            let search = nid.ty() == nid_type::SEARCH_FOLDER;
            let props = match self.folder_props(nid) {
                Ok(props) => props,
                Err(e) => {
                    errors.push(e.within("folder").id(u64::from(nid.0)));
                    PropBag::default()
                }
            };
            let name = props.text(tag::DISPLAY_NAME).unwrap_or_default();
            let index = out.len();
            out.push(FolderNode { nid, parent, depth, name, props, search });
            if search {
                continue;
            }
            let mut children = self.table_ids(nid.sibling(nid_type::HIERARCHY_TABLE), errors);
            children.retain(|n| is_folder(*n));
            let listed: HashSet<Nid> = children.iter().copied().collect();
            let more = self.children(nid).iter().map(|n| Nid(*n)).filter(|n| is_folder(*n) && !listed.contains(n));
            children.extend(more);
            stack.extend(children.into_iter().rev().map(|child| (child, Some(index), depth + 1)));
        }
    }

    /// The row ids of a table, which are NIDs.
    fn table_ids(&self, nid: Nid, errors: &mut Vec<Error>) -> Vec<Nid> {
        let Ok(Some(node)) = self.ndb().node(nid) else { return Vec::new() };
        if node.data.is_none() {
            return Vec::new();
        }
        match TableContext::open(self.ndb(), node.data, node.sub) {
            Ok(table) => table.ids().iter().map(|id| Nid(*id)).filter(|n| n.0 != 0).collect(),
            Err(e) => {
                errors.push(e.id(u64::from(nid.0)));
                Vec::new()
            }
        }
    }

    /// The messages of a folder in the order of its contents table, or its associated items; messages that only their
    /// nidParent leads to come last. A table that cannot be read is reported in `errors`, and the NBT stands in for it.
    pub fn contents(&self, folder: Nid, associated: bool, errors: &mut Vec<Error>) -> Vec<Listed> {
        let (table_type, item_type) = if associated {
            (nid_type::ASSOC_CONTENTS_TABLE, nid_type::ASSOC_MESSAGE)
        } else {
            (nid_type::CONTENTS_TABLE, nid_type::NORMAL_MESSAGE)
        };
        let mut out = Vec::new();
        let nid = folder.sibling(table_type);
        if let Err(e) = self.rows(nid, item_type, &mut out, errors) {
            errors.push(e.id(u64::from(nid.0)));
        }
        let mut seen: HashSet<Nid> = HashSet::with_capacity(out.len());
        out.retain(|l| seen.insert(l.nid));
        for child in self.children(folder) {
            let nid = Nid(*child);
            if nid.ty() == item_type && seen.insert(nid) {
                out.push(Listed { nid, size: 0 });
            }
        }
        out
    }

    /// True if a folder holds items by the node tree, whatever its own counters say.
    pub fn holds_items(&self, folder: Nid) -> bool {
        let is_item = |n: &u32| matches!(Nid(*n).ty(), nid_type::NORMAL_MESSAGE | nid_type::ASSOC_MESSAGE);
        self.children(folder).iter().any(is_item)
    }

    fn rows(&self, nid: Nid, item_type: u8, out: &mut Vec<Listed>, errors: &mut Vec<Error>) -> Result<()> {
        let Some(node) = self.ndb().node(nid)? else { return Ok(()) };
        if node.data.is_none() {
            return Ok(());
        }
        let table = TableContext::open(self.ndb(), node.data, node.sub)?;
        let size = table.column(tag::MESSAGE_SIZE.id());
        let mut rows = table.rows();
        while let Some(row) = rows.next_row() {
            match row {
                Ok((id, row)) if Nid(id).ty() == item_type => {
                    let size = size.and_then(|c| table.cell(row, c).ok().flatten()).and_then(|v| v.as_i32());
                    out.push(Listed {
                        nid: Nid(id),
                        size: size.and_then(|s| u64::try_from(s).ok()).unwrap_or_default(),
                    });
                }
                Ok(_) => {}
                Err(e) => errors.push(e.id(u64::from(nid.0))),
            }
        }
        Ok(())
    }

    /// The node that an entry id among a folder's properties names.
    pub fn folder_entry(props: &PropBag, tag: PropTag) -> Option<Nid> {
        entry_nid(props.bytes(tag)?)
    }

    /// The folder that receives messages of any class, from the receive folder table ([MS-PST] 2.4.5).
    pub fn receive_folder(&self) -> Option<Nid> {
        let node = self.ndb().node(Nid(0x62B)).ok()??;
        let table = TableContext::open(self.ndb(), node.data, node.sub).ok()?;
        let (class, folder) = (table.column(tag::MESSAGE_CLASS.id())?, table.column(0x6605)?);
        let mut rows = table.rows();
        while let Some(row) = rows.next_row() {
            let Ok((_, row)) = row else { continue };
            let class = table.cell(row, class).ok().flatten().and_then(|v| v.to_text()).unwrap_or_default();
            let nid = table.cell(row, folder).ok().flatten().and_then(|v| v.as_i32()).map(|n| Nid(n as u32));
            if class.is_empty() || class.eq_ignore_ascii_case("IPM") {
                return nid.filter(|n| n.ty() == nid_type::NORMAL_FOLDER && *n != Nid::ROOT_FOLDER);
            }
        }
        None
    }
}

fn is_folder(nid: Nid) -> bool {
    matches!(nid.ty(), nid_type::NORMAL_FOLDER | nid_type::SEARCH_FOLDER)
}
