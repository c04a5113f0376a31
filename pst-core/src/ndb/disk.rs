//! Every on-disk layout of the NDB layer, once ([MS-PST] 2.2.2).
//!
//! Fields keep the specification's names in snake case. Structures are unaligned and little endian; each has its size
//! asserted. Nothing above `ndb` uses this module.

#![allow(missing_docs, reason = "field names are the specification's")]

use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// dwMagic, "!BDN".
pub const MAGIC: [u8; 4] = *b"!BDN";
/// wMagicClient of a PST, "SM".
pub const MAGIC_CLIENT_PST: [u8; 2] = *b"SM";
/// wMagicClient of an OST, "SO".
pub const MAGIC_CLIENT_OST: [u8; 2] = *b"SO";
/// bSentinel.
pub const SENTINEL: u8 = 0x80;
/// Bytes of an allocation unit that one AMap bit stands for (512-byte page formats).
pub const SLOT: u64 = 64;
/// Bytes of a page in the 512-byte page formats.
pub const PAGE: u64 = 512;
/// Offset of the density list page.
pub const DLIST_AT: u64 = 0x4200;
/// Offset of the first AMap.
pub const FIRST_AMAP: u64 = 0x4400;
/// Bytes that one AMap covers: 496 x 8 x 64.
pub const AMAP_SPAN: u64 = 253_952;
/// Offset of the first PMap; then one every 8 AMaps.
pub const FIRST_PMAP: u64 = 0x4600;
/// AMap index of the first FMap, which stands at slot +0x400; then one every 496 AMaps.
pub const FIRST_FMAP_INDEX: u64 = 128;
/// AMap index of the first FPMap, which stands at slot +0x400; then one every 496 x 64 AMaps.
pub const FIRST_FPMAP_INDEX: u64 = 8192;

/// Page types ([MS-PST] 2.2.2.7.1).
pub mod ptype {
    pub const BBT: u8 = 0x80;
    pub const NBT: u8 = 0x81;
    pub const FMAP: u8 = 0x82;
    pub const PMAP: u8 = 0x83;
    pub const AMAP: u8 = 0x84;
    pub const FPMAP: u8 = 0x85;
    pub const DLIST: u8 = 0x86;
}

macro_rules! layout {
    ($(#[$m:meta])* $name:ident, $size:expr, { $($field:ident: $ty:ty),+ $(,)? }) => {
        $(#[$m])*
        #[derive(Debug, Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
        #[repr(C)]
        pub struct $name { $(pub $field: $ty),+ }
        const _: () = assert!(size_of::<$name>() == $size);
    };
}

layout!(
    /// A BREF, Unicode ([MS-PST] 2.2.2.4).
    BrefW, 16, { bid: U64, ib: U64 }
);
layout!(
    /// A BREF, ANSI.
    BrefA, 8, { bid: U32, ib: U32 }
);
layout!(
    /// ROOT, Unicode ([MS-PST] 2.2.2.5).
    RootW, 72, {
        dw_reserved: U32, ib_file_eof: U64, ib_amap_last: U64, cb_amap_free: U64, cb_pmap_free: U64,
        bref_nbt: BrefW, bref_bbt: BrefW, f_amap_valid: u8, b_reserved: u8, w_reserved: U16,
    }
);
layout!(
    /// ROOT, ANSI.
    RootA, 40, {
        dw_reserved: U32, ib_file_eof: U32, ib_amap_last: U32, cb_amap_free: U32, cb_pmap_free: U32,
        bref_nbt: BrefA, bref_bbt: BrefA, f_amap_valid: u8, b_reserved: u8, w_reserved: U16,
    }
);
layout!(
    /// HEADER, Unicode and 4K ([MS-PST] 2.2.2.6).
    HeaderW, 564, {
        magic: [u8; 4], crc_partial: U32, magic_client: [u8; 2], ver: U16, ver_client: U16,
        platform_create: u8, platform_access: u8, reserved1: U32, reserved2: U32,
        bid_unused: U64, bid_next_p: U64, unique: U32, rgnid: [U32; 32], qw_unused: U64, root: RootW, align: U32,
        rgb_fm: [u8; 128], rgb_fp: [u8; 128], sentinel: u8, crypt_method: u8, rgb_reserved: [u8; 2],
        bid_next_b: U64, crc_full: U32, rgb_reserved2: [u8; 3], b_reserved: u8, rgb_reserved3: [u8; 32],
    }
);
layout!(
    /// HEADER, ANSI ([MS-PST] 2.2.2.6).
    HeaderA, 512, {
        magic: [u8; 4], crc_partial: U32, magic_client: [u8; 2], ver: U16, ver_client: U16,
        platform_create: u8, platform_access: u8, reserved1: U32, reserved2: U32,
        bid_next_b: U32, bid_next_p: U32, unique: U32, rgnid: [U32; 32], root: RootA,
        rgb_fm: [u8; 128], rgb_fp: [u8; 128], sentinel: u8, crypt_method: u8, rgb_reserved: [u8; 2],
        ull_reserved: U64, dw_reserved: U32, rgb_reserved2: [u8; 3], b_reserved: u8, rgb_reserved3: [u8; 32],
    }
);
layout!(
    /// PAGETRAILER, Unicode ([MS-PST] 2.2.2.7.1).
    PageTrailerW, 16, { ptype: u8, ptype_repeat: u8, sig: U16, crc: U32, bid: U64 }
);
layout!(
    /// PAGETRAILER, ANSI.
    PageTrailerA, 12, { ptype: u8, ptype_repeat: u8, sig: U16, bid: U32, crc: U32 }
);
layout!(
    /// PAGETRAILER of 4096-byte pages.
    PageTrailer4k, 24, { ptype: u8, ptype_repeat: u8, sig: U16, crc: U32, bid: U64, unknown: U64 }
);
layout!(
    /// The counters behind the entries of a BTPAGE, ANSI and Unicode ([MS-PST] 2.2.2.7.7.1).
    BtPageTail, 4, { c_ent: u8, c_ent_max: u8, cb_ent: u8, c_level: u8 }
);
layout!(
    /// The counters behind the entries of a 4096-byte BTPAGE.
    BtPageTail4k, 6, { c_ent: U16, c_ent_max: U16, cb_ent: u8, c_level: u8 }
);
layout!(
    /// BTENTRY, Unicode and 4K ([MS-PST] 2.2.2.7.7.2).
    BtEntryW, 24, { key: U64, bref: BrefW }
);
layout!(
    /// BTENTRY, ANSI.
    BtEntryA, 12, { key: U32, bref: BrefA }
);
layout!(
    /// BBTENTRY, Unicode ([MS-PST] 2.2.2.7.7.3).
    BbtEntryW, 24, { bref: BrefW, cb: U16, c_ref: U16, padding: U32 }
);
layout!(
    /// BBTENTRY, ANSI.
    BbtEntryA, 12, { bref: BrefA, cb: U16, c_ref: U16 }
);
layout!(
    /// BBTENTRY of 4K files: stored and inflated sizes.
    BbtEntry4k, 24, { bref: BrefW, cb_stored: U16, cb_inflated: U16, c_ref: U16, padding: U16 }
);
layout!(
    /// NBTENTRY, Unicode and 4K ([MS-PST] 2.2.2.7.7.4).
    NbtEntryW, 32, { nid: U64, bid_data: U64, bid_sub: U64, nid_parent: U32, padding: U32 }
);
layout!(
    /// NBTENTRY, ANSI.
    NbtEntryA, 16, { nid: U32, bid_data: U32, bid_sub: U32, nid_parent: U32 }
);
layout!(
    /// BLOCKTRAILER, Unicode ([MS-PST] 2.2.2.8.1).
    BlockTrailerW, 16, { cb: U16, sig: U16, crc: U32, bid: U64 }
);
layout!(
    /// BLOCKTRAILER, ANSI.
    BlockTrailerA, 12, { cb: U16, sig: U16, bid: U32, crc: U32 }
);
layout!(
    /// BLOCKTRAILER of 4K files.
    BlockTrailer4k, 24, { cb: U16, sig: U16, crc: U32, bid: U64, unknown1: U16, cb_inflated: U16, unknown2: U32 }
);
layout!(
    /// Head of an XBLOCK or XXBLOCK ([MS-PST] 2.2.2.8.3.2).
    XBlockHead, 8, { b_type: u8, c_level: u8, c_ent: U16, lcb_total: U32 }
);
layout!(
    /// Head of an SLBLOCK or SIBLOCK, Unicode with its padding ([MS-PST] 2.2.2.8.3.3).
    SubBlockHeadW, 8, { b_type: u8, c_level: u8, c_ent: U16, padding: U32 }
);
layout!(
    /// Head of an SLBLOCK or SIBLOCK, ANSI.
    SubBlockHeadA, 4, { b_type: u8, c_level: u8, c_ent: U16 }
);
layout!(
    /// SLENTRY, Unicode; the upper half of nid may hold garbage ([MS-PST] 2.2.2.8.3.3.1.1).
    SlEntryW, 24, { nid: U64, bid_data: U64, bid_sub: U64 }
);
layout!(
    /// SLENTRY, ANSI.
    SlEntryA, 12, { nid: U32, bid_data: U32, bid_sub: U32 }
);
layout!(
    /// SIENTRY, Unicode ([MS-PST] 2.2.2.8.3.3.2.1).
    SiEntryW, 16, { nid: U64, bid: U64 }
);
layout!(
    /// SIENTRY, ANSI.
    SiEntryA, 8, { nid: U32, bid: U32 }
);
