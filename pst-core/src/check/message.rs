//! V25 to V28 and V31 to V33: items, their recipients, attachments and embedded messages ([MS-PST] 2.4.5, 2.4.6).

use super::file::Judge;
use super::pc::{Pc, Stored};
use super::table::{Tc, same};
use crate::mapi::message::{attach_method, flag};
use crate::mapi::rtf::{self, Oddity};
use crate::mapi::{PropTag, PropType, tag};
use crate::messaging::write::templates;
use crate::ndb::{Nid, Node, nid_type};

/// What every item has ([MS-PST] 2.4.5.1).
const REQUIRED: [PropTag; 6] = [
    tag::MESSAGE_CLASS,
    tag::MESSAGE_FLAGS,
    tag::MESSAGE_SIZE,
    tag::CREATION_TIME,
    tag::LAST_MODIFICATION_TIME,
    tag::SEARCH_KEY,
];
/// What every attachment has ([MS-PST] 2.4.6.1).
const ATTACHMENT: [PropTag; 3] = [tag::ATTACH_SIZE, tag::ATTACH_METHOD, tag::RENDERING_POSITION];
/// 4501-01-01 and a day, the latest time that programs write for "never".
const LATEST: u64 = 915_151_392_000_000_000 + 864_000_000_000;
/// Rich text is unpacked up to this size.
const RTF: u64 = 64 << 20;
/// Values that are looked into are read up to this size.
const READ: u64 = 64 << 10;

/// Where an item was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Normal,
    Associated,
    /// In no table.
    Unlisted,
    /// In an attachment.
    Embedded,
}

/// A message inside an attachment, still to be judged.
struct Inner {
    node: Node,
    /// ulSize of the object.
    size: u32,
}

impl Judge<'_> {
    /// Judges an item and all messages inside it; returns its properties.
    pub fn item(&mut self, node: Node, place: Place) -> Option<Pc> {
        let mut inside = Vec::new();
        let pc = self.one_item(node, place, &mut inside);
        // A depth that only damage can bring costs no stack, and the work is bounded by the blocks.
        while let Some(Inner { node, size }) = inside.pop() {
            let Some(pc) = self.one_item(node, Place::Embedded, &mut inside) else { continue };
            let own = pc.inline(tag::MESSAGE_SIZE).unwrap_or_default();
            if own != size {
                let text = format!("embedded message {}: ulSize is {size}, but its size (0x0E08) is {own}", node.nid);
                self.found.lenient(28, pc.heap.at, text);
            }
        }
        pc
    }

    fn one_item(&mut self, node: Node, place: Place, inside: &mut Vec<Inner>) -> Option<Pc> {
        let pc = self.pc(node.nid, node.data, node.sub)?;
        let (nid, at) = (node.nid, pc.heap.at);
        for tag in REQUIRED {
            if pc.record(tag.id()).is_none_or(|(have, _)| !same(have, tag)) {
                let text = format!("item {nid} has no property {tag}");
                let strict = !self.file.genuine || (place != Place::Embedded && !self.file.ost);
                self.found.either(25, at, strict, text);
            }
        }
        if let Some((_, key)) = self.prop(&pc, tag::SEARCH_KEY.id(), READ)
            && key.len() != 16
        {
            self.found.lenient(25, at, format!("item {nid}: the search key has {} bytes, not 16", key.len()));
        }
        let flags = pc.inline(tag::MESSAGE_FLAGS).unwrap_or_default() as i32;
        if matches!(place, Place::Normal | Place::Associated)
            && (flags & flag::ASSOCIATED != 0) != (place == Place::Associated)
        {
            let text = format!("item {nid}: the flags 0x{flags:X} (0x0E07) do not fit the table that lists it");
            self.found.add(24, at, text);
        }
        if let Some(size) = self.file.size(node.data, node.sub)
            && let Some(said) = pc.inline(tag::MESSAGE_SIZE)
            && u64::from(said) != size.min(i32::MAX as u64)
        {
            self.found.lenient(
                25,
                at,
                format!("item {nid}: its size (0x0E08) is {said}, but its data have {size} bytes"),
            );
        }
        self.recipients(&pc);
        let attachments = self.attachments(&pc, inside);
        if attachments.is_some_and(|n| (n > 0) != (flags & flag::HAS_ATTACH != 0)) {
            let n = attachments.unwrap_or_default();
            let text = format!("item {nid}: the flags 0x{flags:X} (0x0E07) do not fit {n} attachments");
            self.found.lenient(25, at, text);
        }
        self.subject(&pc);
        self.rich_text(&pc);
        self.times(&pc);
        let page = [tag::INTERNET_CODEPAGE, tag::MESSAGE_CODEPAGE].iter().any(|t| pc.record(t.id()).is_some());
        if pc.record(tag::HTML.id()).is_some_and(|(_, raw)| raw != 0) && !page {
            self.found.lenient(33, at, format!("item {nid} has HTML (0x1013), but no code page for it (0x3FDE)"));
        }
        Some(pc)
    }

    /// V26.
    fn recipients(&mut self, pc: &Pc) {
        let Some(node) = pc.heap.subnode(Nid::RECIPIENT_TABLE) else {
            let text = format!("item {} has no recipient table", pc.heap.nid);
            return self.found.lenient(26, pc.heap.at, text);
        };
        let Some(table) = self.tc(node.nid, node.data, node.sub) else { return };
        for tag in table.lacks(templates::RECIPIENT) {
            let text = format!("item {}: the recipient table has no column {tag}", pc.heap.nid);
            self.found.lenient(26, table.heap.at, text);
        }
        if table.ids.contains(&0) {
            self.found.add(26, table.heap.at, format!("item {}: a recipient's row id is 0", pc.heap.nid));
        }
        let all = 0..table.len();
        self.rows(&table, all, |_, _, _| {});
    }

    /// V27; returns the number of attachments.
    fn attachments(&mut self, pc: &Pc, inside: &mut Vec<Inner>) -> Option<usize> {
        let (nid, at) = (pc.heap.nid, pc.heap.at);
        let parts: Vec<Node> =
            pc.heap.subnodes.iter().filter(|n| n.nid.ty() == nid_type::ATTACHMENT).copied().collect();
        let Some(node) = pc.heap.subnode(Nid::ATTACHMENT_TABLE) else {
            if !parts.is_empty() {
                let text = format!("item {nid} has {} attachments, but no attachment table", parts.len());
                self.found.add(27, at, text);
            }
            for part in &parts {
                self.attachment(pc, *part, None, inside);
            }
            return Some(parts.len());
        };
        let table = self.tc(node.nid, node.data, node.sub)?;
        for tag in table.lacks(templates::ATTACHMENT) {
            let text = format!("item {nid}: the attachment table has no column {tag}");
            self.found.add(27, table.heap.at, text);
        }
        let mut listed = Vec::new();
        let all = 0..table.len();
        self.rows(&table, all, |judge, id, row| {
            listed.push(Nid(id));
            match parts.iter().find(|p| p.nid == Nid(id)) {
                Some(part) => judge.attachment(pc, *part, Some((&table, row)), inside),
                None => {
                    let text = format!("item {nid}: the attachment table lists 0x{id:X}, which does not exist");
                    judge.found.add(27, table.heap.at, text);
                }
            }
        });
        for part in parts.iter().filter(|p| !listed.contains(&p.nid)) {
            self.found.add(27, table.heap.at, format!("item {nid}: attachment {} is in no row", part.nid));
            self.attachment(pc, *part, None, inside);
        }
        Some(table.len())
    }

    fn attachment(&mut self, item: &Pc, node: Node, row: Option<(&Tc, &[u8])>, inside: &mut Vec<Inner>) {
        let Some(pc) = self.pc(node.nid, node.data, node.sub) else { return };
        let (owner, nid, at) = (item.heap.nid, node.nid, pc.heap.at);
        for tag in ATTACHMENT {
            if pc.record(tag.id()).is_none_or(|(have, _)| !same(have, tag)) {
                self.found.add(27, at, format!("item {owner}, attachment {nid} has no property {tag}"));
            }
        }
        if let Some((table, row)) = row {
            self.parity(table, nid.0, row, &pc, 27);
        }
        let sum: Option<u64> = pc.records.iter().map(|(tag, raw)| self.logical(&pc, *tag, *raw)).sum();
        if let (Some(said), Some(sum)) = (pc.inline(tag::ATTACH_SIZE), sum)
            && u64::from(said) != sum
        {
            let text =
                format!("item {owner}, attachment {nid}: its size (0x0E20) is {said}, but its values have {sum} bytes");
            self.found.lenient(27, at, text);
        }
        self.times(&pc);
        self.method(owner, &pc, inside);
    }

    /// Bytes of a value as PidTagAttachSize counts them.
    fn logical(&mut self, pc: &Pc, tag: PropTag, raw: u32) -> Option<u64> {
        Some(match self.peek(&pc.heap, tag, raw)? {
            Stored::Inline(_) => match tag.ty() {
                PropType::BOOLEAN => 1,
                PropType::INTEGER16 => 2,
                PropType::NULL => 0,
                _ => 4,
            },
            other => other.len(),
        })
    }

    /// V27 and V28: method and data belong together.
    fn method(&mut self, owner: Nid, pc: &Pc, inside: &mut Vec<Inner>) {
        let (nid, at) = (pc.heap.nid, pc.heap.at);
        let method = pc.inline(tag::ATTACH_METHOD).unwrap_or_default() as i32;
        let data = pc.record(tag::ATTACH_DATA_BINARY.id());
        let object = data.and_then(|(tag, raw)| self.peek(&pc.heap, tag, raw));
        let nested = match &object {
            Some(Stored::Object(node, size)) => Some((*node, *size)),
            _ => None,
        };
        let binary = data.is_some_and(|(tag, _)| tag.ty() == PropType::BINARY);
        let fits = match method {
            attach_method::BY_VALUE => binary,
            attach_method::EMBEDDED => nested.is_some_and(|(n, _)| n.nid.ty() == nid_type::NORMAL_MESSAGE),
            attach_method::OLE => binary || nested.is_some_and(|(n, _)| n.nid.ty() == nid_type::OLE_DATA),
            _ => data.is_none(),
        };
        if !fits {
            let what = data.map_or_else(|| "no data".to_owned(), |(tag, _)| format!("data {tag}"));
            let sub = nested.map(|(n, _)| format!(" in subnode {}", n.nid)).unwrap_or_default();
            let text = format!("item {owner}, attachment {nid}: method {method} does not go with {what}{sub}");
            self.found.lenient(27, at, text);
        }
        if method == attach_method::EMBEDDED
            && let Some((node, size)) = nested.filter(|(n, _)| n.nid.ty() == nid_type::NORMAL_MESSAGE)
        {
            inside.push(Inner { node, size });
        }
    }

    /// V31: U+0001, then the length of the prefix + 1 ([MS-PST] 2.5.3.1.1).
    fn subject(&mut self, pc: &Pc) {
        let Some((tag, bytes)) = self.prop(pc, tag::SUBJECT.id(), READ) else { return };
        let units: Vec<u16> = match tag.ty() {
            PropType::STRING => {
                bytes.chunks_exact(2).filter_map(|c| c.try_into().ok().map(u16::from_le_bytes)).collect()
            }
            _ => bytes.iter().map(|b| u16::from(*b)).collect(),
        };
        if let [1, rest @ ..] = units.as_slice() {
            let prefix = rest.first().copied().unwrap_or_default();
            let text = rest.len().saturating_sub(1);
            if prefix == 0 || usize::from(prefix) > text + 1 {
                let text = format!(
                    "item {}: the subject's prefix mark is {prefix}, but {text} characters follow",
                    pc.heap.nid
                );
                self.found.add(31, pc.heap.at, text);
            }
        }
    }

    /// V32 ([MS-OXRTFCP] 2.1.3).
    fn rich_text(&mut self, pc: &Pc) {
        let Some((_, bytes)) = self.prop(pc, tag::RTF_COMPRESSED.id(), RTF) else { return };
        if bytes.is_empty() {
            return;
        }
        for oddity in rtf::decompress(&bytes, RTF as usize).oddities {
            let text = format!("item {}, compressed RTF: {oddity}", pc.heap.nid);
            // Where RAWSIZE counts more than there is, readers stop at the end mark.
            let harmless = matches!(oddity, Oddity::RawSize { stated, actual } if stated > actual);
            self.found.either(32, pc.heap.at, !harmless && !self.file.genuine, text);
        }
    }

    /// V33: times that a calendar knows.
    pub fn times(&mut self, pc: &Pc) {
        for (tag, raw) in &pc.records {
            if tag.ty() != PropType::TIME || *raw == 0 {
                continue;
            }
            let Some(Stored::Bytes(bytes)) = self.peek(&pc.heap, *tag, *raw) else { continue };
            let Some(time) = bytes.as_slice().try_into().ok().map(u64::from_le_bytes) else { continue };
            if time == 0 || time > LATEST {
                // 0 is what programs write for "not known".
                let text = format!("node {}: property {tag} is the time 0x{time:X}", pc.heap.nid);
                self.found.either(33, pc.heap.at, time != 0 && !self.file.genuine, text);
            }
        }
    }
}
