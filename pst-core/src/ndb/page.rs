//! B-tree pages, read and proved ([MS-PST] 2.2.2.7).

use super::crc::{crc, signature};
use super::disk::ptype;
use super::header::Header;
use super::variant::{Bref, PageCounters, Variant};
use crate::error::{Error, Kind, Result};
use crate::io::Input;

/// Deeper trees than this are refused; the format allows eight levels ([MS-PST] 2.2.2.7.7.1).
pub const MAX_LEVEL: u8 = 8;

/// One of the two B-trees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tree {
    /// Nodes.
    Nbt,
    /// Blocks.
    Bbt,
}

impl Tree {
    /// The page type.
    pub const fn ptype(self) -> u8 {
        match self {
            Self::Nbt => ptype::NBT,
            Self::Bbt => ptype::BBT,
        }
    }

    /// Name for messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nbt => "NBT page",
            Self::Bbt => "BBT page",
        }
    }

    /// Bytes of a leaf entry.
    pub const fn leaf_entry(self, v: Variant) -> usize {
        match self {
            Self::Nbt => v.nbt_entry(),
            Self::Bbt => v.bbt_entry(),
        }
    }

    /// The root of this tree.
    pub const fn root(self, header: &Header) -> Bref {
        match self {
            Self::Nbt => header.nbt,
            Self::Bbt => header.bbt,
        }
    }
}

/// A proved B-tree page: its counters and its entries' bytes.
pub struct Page {
    /// The counters.
    pub counters: PageCounters,
    /// The id in its trailer.
    pub bid: u64,
    bytes: Vec<u8>,
}

impl Page {
    /// Reads and proves a page: type, id, CRC, counters; `level` is what the parent expects, if there is one.
    ///
    /// # Errors
    /// [`Kind::Truncated`] past the end of the file, [`Kind::Damaged`] with what contradicts.
    pub fn read(input: &Input, v: Variant, tree: Tree, at: Bref, level: Option<u8>) -> Result<Self> {
        let bad = |text: String| Error::new(Kind::Damaged, text).within(tree.name()).at(at.ib).id(at.bid.0);
        let mut bytes = vec![0; v.page()];
        input.read_into(at.ib, &mut bytes).map_err(|e| e.within(tree.name()).id(at.bid.0))?;
        let (Some(trailer), Some(counters)) = (v.page_trailer(&bytes), v.page_counters(&bytes)) else {
            return Err(bad("the page is too short".to_owned()));
        };
        if trailer.ptype != tree.ptype() || trailer.ptype_repeat != trailer.ptype {
            let text = format!(
                "page type 0x{:02X}/0x{:02X} where 0x{:02X} belongs",
                trailer.ptype,
                trailer.ptype_repeat,
                tree.ptype()
            );
            return Err(bad(text));
        }
        let body = bytes.get(..v.page_body()).unwrap_or_default();
        let sum = crc(body);
        if sum != trailer.crc {
            return Err(bad(format!("the CRC is 0x{sum:08X}, but the trailer says 0x{:08X}", trailer.crc)));
        }
        // A genuine file's header named the id that its root had before; its place was right.
        if trailer.bid != at.bid.0 && level.is_some() {
            return Err(bad(format!("the page is 0x{:X}, not the one referred to", trailer.bid)));
        }
        if trailer.sig != signature(at.ib, trailer.bid) {
            return Err(bad(format!("the signature 0x{:04X} does not fit id and offset", trailer.sig)));
        }
        if counters.level > MAX_LEVEL || level.is_some_and(|l| l != counters.level) {
            return Err(bad(format!("level {} is not the one expected", counters.level)));
        }
        let least = if counters.level == 0 { tree.leaf_entry(v) } else { v.bt_entry() };
        let cb = usize::from(counters.cb_ent);
        if cb < least || usize::from(counters.c_ent) * cb > v.entries_area() {
            return Err(bad(format!("{} entries of {cb} bytes do not fit", counters.c_ent)));
        }
        bytes.truncate(usize::from(counters.c_ent) * cb);
        Ok(Self { counters, bid: trailer.bid, bytes })
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        usize::from(self.counters.c_ent)
    }

    /// True for a page without entries, which only an empty tree has.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes of an entry.
    pub fn entry(&self, i: usize) -> Option<&[u8]> {
        let cb = usize::from(self.counters.cb_ent);
        self.bytes.get(i * cb..(i + 1) * cb)
    }
}
