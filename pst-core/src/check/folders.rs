//! V22 to V24: folders, their tables, and the items that the tables list ([MS-PST] 2.4.4).

use super::file::{File, Judge};
use super::message::Place;
use super::pc::{Pc, Stored};
use super::report::{At, Findings};
use super::table::{Column, Tc, same};
use crate::mapi::message::flag;
use crate::mapi::{PropTag, PropType, tag};
use crate::messaging::write::templates::{self, Columns};
use crate::ndb::{Nid, Node, nid_type};
use rayon::prelude::*;
use std::collections::{HashMap, HashSet};

/// Rows that one task judges.
const PORTION: usize = 64;
/// Columns that rows have and objects need not have.
const ROW_ONLY: [PropTag; 6] = [
    tag::MESSAGE_STATUS,
    tag::CONVERSATION_ID,
    tag::REPL_ITEM_ID,
    tag::REPL_CHANGENUM,
    tag::REPL_VERSION_HISTORY,
    tag::LTP_PARENT_NID,
];
/// Columns that tables of Outlook 2003 and 2007 lack; those of ANSI stores and OSTs lack others too.
const NEWER: [u16; 8] = [0x0E30, 0x0E33, 0x0E34, 0x0E38, 0x0E3C, 0x0E3D, 0x3008, 0x3013];
/// Values are compared up to this size.
const COMPARED: u64 = 1 << 20;

/// The object that each PidTagReplItemid of a row belongs to.
pub(super) type ReplItems = Vec<(Vec<u8>, u32)>;

/// What one task returns.
struct Part {
    found: Findings,
    unread: u32,
    repl: ReplItems,
}

/// What the tables of all folders brought together.
#[derive(Default)]
struct Tables {
    repl: ReplItems,
    /// Folders one of whose tables could not be read: what is in it is not known.
    unread: HashSet<Nid>,
}

pub(super) fn judge(file: &File, found: &mut Findings) {
    let folders: Vec<Node> = file.nodes.iter().filter(|n| is_folder(n.nid) && n.nid != OWN_FORM).copied().collect();
    for folder in &folders {
        family(file, *folder, found);
    }
    let mut tables = Tables::default();
    for folder in &folders {
        let mut judge = Judge::new(file, found);
        judge.folder(*folder, &mut tables);
        found.merge(judge.found);
    }
    let lost = |n: &Node| !file.is_listed(n.nid) && !tables.unread.contains(&n.parent);
    for node in folders.iter().filter(|n| n.nid != Nid::ROOT_FOLDER && lost(n)) {
        let text = format!("folder {} is in no hierarchy table", node.nid);
        found.either(22, At::id(node.nid.0), !file.ost, text);
    }
    unlisted(file, &tables, found);
    if tables.unread.is_empty() {
        super::skeleton::hierarchy_map(file, &tables.repl, found);
    }
}

fn is_folder(nid: Nid) -> bool {
    matches!(nid.ty(), nid_type::NORMAL_FOLDER | nid_type::SEARCH_FOLDER)
}

/// A search folder with its table that some stores of Outlook have, in a form of their own.
const OWN_FORM: Nid = Nid(0x723);

/// V22: the nodes that belong to a folder, and its way up to the root.
fn family(file: &File, folder: Node, found: &mut Findings) {
    let (nid, at) = (folder.nid, At::id(folder.nid.0));
    let kinds: &[(u8, &str)] = if nid.ty() == nid_type::SEARCH_FOLDER {
        &[
            (nid_type::SEARCH_UPDATE_QUEUE, "search update queue"),
            (nid_type::SEARCH_CRITERIA_OBJECT, "search criteria"),
            (nid_type::SEARCH_CONTENTS_TABLE, "search contents table"),
        ]
    } else {
        &[
            (nid_type::HIERARCHY_TABLE, "hierarchy table"),
            (nid_type::CONTENTS_TABLE, "contents table"),
            (nid_type::ASSOC_CONTENTS_TABLE, "associated contents table"),
        ]
    };
    for (ty, name) in kinds {
        if file.node(nid.sibling(*ty)).is_none() {
            let text = format!("folder {nid} has no {name} (node {})", nid.sibling(*ty));
            found.either(22, at, !file.ost, text);
        }
    }
    let mut here = folder;
    for _ in 0..file.nodes.len() {
        if here.nid == Nid::ROOT_FOLDER {
            if here.parent != Nid::ROOT_FOLDER {
                found.add(
                    22,
                    At::id(here.nid.0),
                    format!("nidParent of the root folder is {}, not its own", here.parent),
                );
            }
            return;
        }
        match file.node(here.parent).filter(|p| p.nid.ty() == nid_type::NORMAL_FOLDER) {
            Some(parent) => here = parent,
            None => {
                let text = format!("folder {nid}: nidParent {} of {} is no folder", here.parent, here.nid);
                found.add(22, at, text);
                return;
            }
        }
    }
    found.add(22, at, format!("the parents of folder {nid} lead round in a circle"));
}

/// V24: items that no table lists; their content is judged all the same.
fn unlisted(file: &File, tables: &Tables, found: &mut Findings) {
    let lost: Vec<Node> = file
        .nodes
        .iter()
        .filter(|n| matches!(n.nid.ty(), nid_type::NORMAL_MESSAGE | nid_type::ASSOC_MESSAGE) && !file.is_listed(n.nid))
        .copied()
        .collect();
    let parts: Vec<Findings> = lost
        .par_chunks(PORTION)
        .map(|part| {
            let mut judge = Judge::new(file, found);
            for node in part {
                if !tables.unread.contains(&node.parent) {
                    let text = format!("item {} is in no contents table", node.nid);
                    judge.found.either(24, At::id(node.nid.0), !file.ost, text);
                }
                judge.item(*node, Place::Unlisted);
            }
            judge.found
        })
        .collect();
    for part in parts {
        found.merge(part);
    }
}

impl Judge<'_> {
    fn folder(&mut self, folder: Node, tables: &mut Tables) {
        let nid = folder.nid;
        let Some(pc) = self.pc(nid, folder.data, folder.sub) else { return };
        self.times(&pc);
        let mut required = vec![tag::DISPLAY_NAME, tag::CONTENT_COUNT, tag::CONTENT_UNREAD_COUNT];
        if nid.ty() == nid_type::NORMAL_FOLDER {
            required.push(tag::SUBFOLDERS);
        }
        for tag in required {
            if pc.record(tag.id()).is_none_or(|(have, _)| !same(have, tag)) {
                let text = format!("folder {nid} has no property {tag}");
                self.found.either(22, pc.heap.at, !self.file.ost, text);
            }
        }
        if nid.ty() == nid_type::SEARCH_FOLDER {
            if let Some(node) = self.file.node(nid.sibling(nid_type::SEARCH_CONTENTS_TABLE))
                && let Some(table) = self.open_table(node, templates::SEARCH_CONTENTS)
            {
                let all = 0..table.len();
                self.rows(&table, all, |_, _, _| {});
            }
            if let Some(node) =
                self.file.node(nid.sibling(nid_type::SEARCH_CRITERIA_OBJECT)).filter(|n| !n.data.is_none())
            {
                self.pc(node.nid, node.data, node.sub);
            }
            return;
        }
        let children = self.hierarchy(nid, tables);
        let (items, unread) = self.contents(nid, false, tables);
        self.contents(nid, true, tables);
        let facts = [
            (tag::CONTENT_COUNT, items),
            (tag::CONTENT_UNREAD_COUNT, unread),
            (tag::SUBFOLDERS, children.map(|n| u32::from(n > 0))),
        ];
        for (tag, fact) in facts {
            if let (Some(said), Some(fact)) = (pc.inline(tag), fact)
                && said != fact
            {
                let text = format!("folder {nid}: property {tag} is {said}, but its tables say {fact}");
                self.found.either(23, pc.heap.at, !self.file.ost, text);
            }
        }
    }

    /// A table of a folder, with the columns of its template.
    fn open_table(&mut self, node: Node, template: Columns) -> Option<Tc> {
        let table = self.tc(node.nid, node.data, node.sub)?;
        self.template(&table, template);
        Some(table)
    }

    /// V20: columns that a table must have.
    pub fn template(&mut self, table: &Tc, template: Columns) {
        for tag in table.lacks(template) {
            let text = format!("table {} has no column {tag}, which its template demands", table.heap.nid);
            let older = NEWER.contains(&tag.id()) || self.file.ost || self.file.ansi();
            let strict = !self.file.genuine || !older;
            self.found.either(20, table.heap.at, strict, text);
        }
    }

    /// The rows of a hierarchy table against the folders; returns their number.
    fn hierarchy(&mut self, nid: Nid, tables: &mut Tables) -> Option<u32> {
        let node = self.file.node(nid.sibling(nid_type::HIERARCHY_TABLE))?;
        let Some(table) = self.open_table(node, templates::HIERARCHY) else {
            tables.unread.insert(nid);
            return None;
        };
        let all = 0..table.len();
        self.rows(&table, all, |judge, id, row| {
            let (child, at) = (Nid(id), table.heap.at);
            let Some(node) = judge.file.node(child).filter(|n| is_folder(n.nid)) else {
                judge.found.add(22, at, format!("hierarchy table {} lists {child}, which is no folder", node.nid));
                return;
            };
            if node.parent != nid {
                let text = format!("folder {child} is listed under {nid}, but its nidParent is {}", node.parent);
                judge.found.either(22, at, !judge.file.ost, text);
            }
            if !judge.file.list(child) {
                judge.found.add(22, at, format!("folder {child} is listed twice"));
            }
            if let Some(pc) = judge.quiet_pc(node).filter(|_| child != OWN_FORM) {
                judge.parity(&table, id, row, &pc, 23);
            }
            judge.repl_item(&table, row, id, &mut tables.repl);
        });
        Some(table.len() as u32)
    }

    /// The property context of a node that is judged elsewhere.
    fn quiet_pc(&mut self, node: Node) -> Option<Pc> {
        let before = std::mem::replace(&mut self.found, Findings::new(self.file.genuine));
        let pc = self.pc(node.nid, node.data, node.sub);
        self.found = before;
        pc
    }

    /// The rows of a contents table against the items; returns their number and how many are unread.
    fn contents(&mut self, nid: Nid, associated: bool, tables: &mut Tables) -> (Option<u32>, Option<u32>) {
        let (ty, template) = if associated {
            (nid_type::ASSOC_CONTENTS_TABLE, templates::ASSOC_CONTENTS)
        } else {
            (nid_type::CONTENTS_TABLE, templates::CONTENTS)
        };
        let Some(node) = self.file.node(nid.sibling(ty)) else { return (None, None) };
        let Some(table) = self.open_table(node, template) else {
            tables.unread.insert(nid);
            return (None, None);
        };
        let starts: Vec<usize> = (0..table.len()).step_by(PORTION).collect();
        let (file, found) = (self.file, &self.found);
        let parts: Vec<Part> = starts
            .into_par_iter()
            .map(|start| {
                let mut judge = Judge::new(file, found);
                let (mut unread, mut repl) = (0, Vec::new());
                let end = (start + PORTION).min(table.len());
                judge.rows(&table, start..end, |judge, id, row| {
                    unread += u32::from(judge.listed(&table, nid, associated, id, row));
                    judge.repl_item(&table, row, id, &mut repl);
                });
                Part { found: judge.found, unread, repl }
            })
            .collect();
        let mut unread = 0;
        for part in parts {
            self.found.merge(part.found);
            unread += part.unread;
            tables.repl.extend(part.repl);
        }
        (Some(table.len() as u32), Some(unread))
    }

    /// One row of a contents table and its item. True if the row is unread.
    fn listed(&mut self, table: &Tc, folder: Nid, associated: bool, id: u32, row: &[u8]) -> bool {
        let (nid, at) = (Nid(id), table.heap.at);
        let ty = if associated { nid_type::ASSOC_MESSAGE } else { nid_type::NORMAL_MESSAGE };
        let unread = table.inline(row, tag::MESSAGE_FLAGS).is_some_and(|f| f as i32 & flag::READ == 0);
        let Some(node) = self.file.node(nid).filter(|n| n.nid.ty() == ty) else {
            let text = format!("contents table {} lists {nid}, which is no item of its kind", table.heap.nid);
            self.found.add(24, at, text);
            return unread;
        };
        if node.parent != folder {
            let text = format!("item {nid} is listed in folder {folder}, but its nidParent is {}", node.parent);
            self.found.either(24, at, !self.file.ost, text);
        }
        if !self.file.list(nid) {
            self.found.add(24, at, format!("item {nid} is listed twice"));
            return unread;
        }
        let place = if associated { Place::Associated } else { Place::Normal };
        if let Some(pc) = self.item(node, place) {
            self.parity(table, id, row, &pc, 23);
        }
        unread
    }

    fn repl_item(&mut self, table: &Tc, row: &[u8], id: u32, repl: &mut ReplItems) {
        if let Some(column) = table.column(tag::REPL_ITEM_ID).copied()
            && let Some(Stored::Bytes(bytes)) = self.cell_value(table, row, &column)
            && bytes.len() == 16
        {
            repl.push((bytes, id));
        }
    }

    /// V23 (and V27 for attachments): a row has what its object has.
    pub fn parity(&mut self, table: &Tc, id: u32, row: &[u8], pc: &Pc, rule: usize) {
        for column in &table.columns {
            if matches!(column.tag, tag::LTP_ROW_ID | tag::LTP_ROW_VER) {
                continue;
            }
            let record = pc.record(column.tag.id()).filter(|(have, _)| same(*have, column.tag));
            let row_only = ROW_ONLY.contains(&column.tag);
            let cell = table.cell(row, column);
            let text = match (cell, record) {
                (None, None) => continue,
                (Some(_), None) | (None, Some(_)) if row_only => continue,
                (Some(_), None) => format!("has a cell {}, but the object has no such property", column.tag),
                (None, Some(_)) => format!("has no cell {}, but the object has the property", column.tag),
                (Some(_), Some((have, raw))) => match self.differs(table, row, *column, pc, have, raw) {
                    Some(text) => text,
                    None => continue,
                },
            };
            let strict = !self.file.genuine || !(stale(column.tag) || self.file.ost);
            let text = format!("table {}: row 0x{id:X} {text}", table.heap.nid);
            self.found.either(rule, table.heap.at, strict, text);
        }
    }

    fn differs(&mut self, table: &Tc, row: &[u8], column: Column, pc: &Pc, have: PropTag, raw: u32) -> Option<String> {
        let cell = self.cell_value(table, row, &column)?;
        let value = self.peek(&pc.heap, have, raw)?;
        let short = |n: u64| n <= 8;
        match (&cell, &value) {
            (Stored::Inline(a), Stored::Inline(b)) => {
                let mask = match column.tag.ty() {
                    PropType::BOOLEAN => 0xFF,
                    PropType::INTEGER16 => 0xFFFF,
                    _ => u32::MAX,
                };
                return (a & mask != b & mask)
                    .then(|| format!("has 0x{a:X} in cell {}, but the object 0x{b:X}", column.tag));
            }
            _ if cell.len() != value.len() => {}
            _ => {
                let (a, b) = (self.bytes(&cell, COMPARED)?, self.bytes(&value, COMPARED)?);
                if a == b {
                    return None;
                }
                if short(a.len() as u64) {
                    return Some(format!("has {a:02X?} in cell {}, but the object {b:02X?}", column.tag));
                }
            }
        }
        let (a, b) = (cell.len(), value.len());
        Some(format!("has another value ({a} bytes) in cell {} than the object ({b} bytes)", column.tag))
    }
}

/// Cells that Outlook leaves as they were when an item changes.
fn stale(tag: PropTag) -> bool {
    matches!(tag, tag::MESSAGE_SIZE | tag::DISPLAY_CC | tag::DISPLAY_TO) || NEWER.contains(&tag.id())
}

/// Items by their PidTagReplItemid, for the hierarchy map.
pub(super) fn by_item(repl: &ReplItems) -> HashMap<&[u8], u32> {
    repl.iter().map(|(id, nid)| (id.as_slice(), *nid)).collect()
}
