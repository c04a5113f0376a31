//! The file header, in one shape for all layouts ([MS-PST] 2.2.2.6).

use super::crc::crc;
use super::crypt::Crypt;
use super::disk;
use super::variant::{Bref, Variant, bref_a, bref_w};
use crate::error::{Error, Kind, Result};
use crate::io::Input;
use zerocopy::FromBytes;

/// What the header says.
#[derive(Debug, Clone)]
pub struct Header {
    /// The layout.
    pub variant: Variant,
    /// True for wMagicClient "SO".
    pub ost: bool,
    /// wMagicClient.
    pub magic_client: [u8; 2],
    /// wVer.
    pub ver: u16,
    /// wVerClient.
    pub ver_client: u16,
    /// How data blocks are encoded.
    pub crypt: Crypt,
    /// bSentinel.
    pub sentinel: u8,
    /// bidNextB.
    pub bid_next_b: u64,
    /// bidNextP.
    pub bid_next_p: u64,
    /// dwUnique.
    pub unique: u32,
    /// rgnid: the last index used, by node type.
    pub rgnid: [u32; 32],
    /// ibFileEof.
    pub eof: u64,
    /// ibAMapLast.
    pub amap_last: u64,
    /// cbAMapFree.
    pub amap_free: u64,
    /// cbPMapFree.
    pub pmap_free: u64,
    /// Root of the node B-tree.
    pub nbt: Bref,
    /// Root of the block B-tree.
    pub bbt: Bref,
    /// fAMapValid.
    pub amap_valid: u8,
    /// True if dwCRCPartial is right.
    pub crc_partial_ok: bool,
    /// True if dwCRCFull is right; ANSI files have none.
    pub crc_full_ok: bool,
    /// The program's build, which Outlook writes behind the header's CRC; 0 in other programs' files.
    pub build: u32,
}

impl Header {
    /// Reads the header.
    ///
    /// # Errors
    /// [`Kind::NotThisKind`] without the magic, [`Kind::Truncated`] for a file shorter than a header,
    /// [`Kind::Unsupported`] for unknown versions and encodings.
    pub fn read(input: &Input) -> Result<Self> {
        let mut buf = Vec::new();
        let take = input.len().min(564) as usize;
        let bytes = input.read(0, take, &mut buf)?;
        if bytes.is_empty() {
            return Err(Error::new(Kind::NotThisKind, "the file is empty, not a PST or OST"));
        }
        if bytes.get(..4) != Some(&disk::MAGIC) {
            return Err(Error::new(Kind::NotThisKind, "not a PST or OST: the file does not begin with \"!BDN\""));
        }
        let short = || {
            Error::new(Kind::Truncated, format!("the file ends after {take} bytes, within its header")).within("HEADER")
        };
        let ver = bytes.get(10..12).and_then(|b| b.try_into().ok()).map(u16::from_le_bytes).ok_or_else(short)?;
        let Some(variant) = Variant::of(ver) else {
            return Err(Error::new(
                Kind::Unsupported,
                format!("version {ver} (wVer) is not one that this program knows"),
            )
            .within("HEADER")
            .at(10));
        };
        let crc_of = |range: std::ops::Range<usize>| bytes.get(range).map(crc);
        let mut header = if variant == Variant::Ansi {
            let (h, _) = disk::HeaderA::read_from_prefix(bytes).map_err(|_| short())?;
            let mut rgnid = [0; 32];
            rgnid.iter_mut().zip(h.rgnid).for_each(|(to, from)| *to = from.get());
            Self {
                variant,
                ost: false,
                magic_client: h.magic_client,
                ver,
                ver_client: h.ver_client.get(),
                crypt: crypt(h.crypt_method, 0x1CD)?,
                sentinel: h.sentinel,
                bid_next_b: u64::from(h.bid_next_b.get()),
                bid_next_p: u64::from(h.bid_next_p.get()),
                unique: h.unique.get(),
                rgnid,
                eof: u64::from(h.root.ib_file_eof.get()),
                amap_last: u64::from(h.root.ib_amap_last.get()),
                amap_free: u64::from(h.root.cb_amap_free.get()),
                pmap_free: u64::from(h.root.cb_pmap_free.get()),
                nbt: bref_a(h.root.bref_nbt),
                bbt: bref_a(h.root.bref_bbt),
                amap_valid: h.root.f_amap_valid,
                crc_partial_ok: crc_of(8..479) == Some(h.crc_partial.get()),
                crc_full_ok: true,
                build: 0,
            }
        } else {
            let (h, _) = disk::HeaderW::read_from_prefix(bytes).map_err(|_| short())?;
            let mut rgnid = [0; 32];
            rgnid.iter_mut().zip(h.rgnid).for_each(|(to, from)| *to = from.get());
            let [b0, b1, b2] = h.rgb_reserved2;
            Self {
                variant,
                ost: false,
                magic_client: h.magic_client,
                ver,
                ver_client: h.ver_client.get(),
                crypt: crypt(h.crypt_method, 0x201)?,
                sentinel: h.sentinel,
                bid_next_b: h.bid_next_b.get(),
                bid_next_p: h.bid_next_p.get(),
                unique: h.unique.get(),
                rgnid,
                eof: h.root.ib_file_eof.get(),
                amap_last: h.root.ib_amap_last.get(),
                amap_free: h.root.cb_amap_free.get(),
                pmap_free: h.root.cb_pmap_free.get(),
                nbt: bref_w(&h.root.bref_nbt),
                bbt: bref_w(&h.root.bref_bbt),
                amap_valid: h.root.f_amap_valid,
                crc_partial_ok: crc_of(8..479) == Some(h.crc_partial.get()),
                crc_full_ok: crc_of(8..524) == Some(h.crc_full.get()),
                build: u32::from_le_bytes([b0, b1, b2, h.b_reserved]),
            }
        };
        header.ost = header.magic_client == disk::MAGIC_CLIENT_OST;
        Ok(header)
    }
}

fn crypt(byte: u8, at: u64) -> Result<Crypt> {
    Crypt::from_byte(byte).ok_or_else(|| {
        let text =
            format!("the data are encoded by method 0x{byte:02X} (bCryptMethod), which this program cannot decode");
        Error::new(Kind::Unsupported, text).within("HEADER").at(at)
    })
}
