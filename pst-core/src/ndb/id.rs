//! Block ids, node ids and node types ([MS-PST] 2.2.2.1, 2.2.2.2).

use std::fmt;

/// A block id; bit 0 is reserved and ignored, bit 1 marks internal blocks ([MS-PST] 2.2.2.2).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Bid(pub u64);

impl Bid {
    /// The id without its reserved bit, as the BBT is searched.
    pub const fn key(self) -> u64 {
        self.0 & !1
    }

    /// True for XBLOCK, XXBLOCK, SLBLOCK and SIBLOCK.
    pub const fn is_internal(self) -> bool {
        self.0 & 2 != 0
    }

    /// True for "no block".
    pub const fn is_none(self) -> bool {
        self.key() == 0
    }
}

/// A node id: 27 bits of index, 5 bits of type ([MS-PST] 2.2.2.1).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Nid(pub u32);

impl Nid {
    /// The node of a type and index.
    pub const fn new(ty: u8, index: u32) -> Self {
        Self(index << 5 | (ty & 0x1F) as u32)
    }

    /// The type, one of the constants in [`nid_type`].
    pub const fn ty(self) -> u8 {
        (self.0 & 0x1F) as u8
    }

    /// The index, 27 bits.
    pub const fn index(self) -> u32 {
        self.0 >> 5
    }

    /// The node with the same index and another type.
    pub const fn sibling(self, ty: u8) -> Self {
        Self::new(ty, self.index())
    }

    /// The message store ([MS-PST] 2.4.1).
    pub const MESSAGE_STORE: Self = Self(0x21);
    /// The name-to-id map.
    pub const NAME_TO_ID_MAP: Self = Self(0x61);
    /// The root folder.
    pub const ROOT_FOLDER: Self = Self(0x122);
    /// The search management queue.
    pub const SEARCH_MANAGEMENT_QUEUE: Self = Self(0x1E1);
    /// The search activity list.
    pub const SEARCH_ACTIVITY_LIST: Self = Self(0x201);
    /// The search domain object.
    pub const SEARCH_DOMAIN_OBJECT: Self = Self(0x261);
    /// The recipient table inside a message.
    pub const RECIPIENT_TABLE: Self = Self(0x692);
    /// The attachment table inside a message.
    pub const ATTACHMENT_TABLE: Self = Self(0x671);
}

/// Node types ([MS-PST] 2.2.2.1).
#[allow(missing_docs, reason = "the names are the specification's")]
pub mod nid_type {
    pub const HID: u8 = 0;
    pub const INTERNAL: u8 = 1;
    pub const NORMAL_FOLDER: u8 = 2;
    pub const SEARCH_FOLDER: u8 = 3;
    pub const NORMAL_MESSAGE: u8 = 4;
    pub const ATTACHMENT: u8 = 5;
    pub const SEARCH_UPDATE_QUEUE: u8 = 6;
    pub const SEARCH_CRITERIA_OBJECT: u8 = 7;
    pub const ASSOC_MESSAGE: u8 = 8;
    pub const OLE_DATA: u8 = 9;
    pub const CONTENTS_TABLE_INDEX: u8 = 0xA;
    pub const RECEIVE_FOLDER_TABLE: u8 = 0xB;
    pub const OUTGOING_QUEUE_TABLE: u8 = 0xC;
    pub const HIERARCHY_TABLE: u8 = 0xD;
    pub const CONTENTS_TABLE: u8 = 0xE;
    pub const ASSOC_CONTENTS_TABLE: u8 = 0xF;
    pub const SEARCH_CONTENTS_TABLE: u8 = 0x10;
    pub const ATTACHMENT_TABLE: u8 = 0x11;
    pub const RECIPIENT_TABLE: u8 = 0x12;
    pub const LTP: u8 = 0x1F;
}

impl fmt::Debug for Bid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{:X}", self.0)
    }
}

impl fmt::Debug for Nid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{:X}", self.0)
    }
}

impl fmt::Display for Bid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl fmt::Display for Nid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}
