//! Decompresses PidTagRtfCompressed ([MS-OXRTFCP] 2.2).

use std::fmt;

/// What the dictionary starts with ([MS-OXRTFCP] 2.1.2.1).
pub(super) const PRELOAD: &[u8; 207] = b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";
pub(super) const RING: usize = 4096;
pub(super) const HEADER: usize = 16;
/// "LZFu".
pub(super) const COMPRESSED: u32 = 0x7546_5A4C;
/// "MELA".
const STORED: u32 = 0x414C_454D;

/// An RTF text, and what was odd about its compressed form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decompressed {
    /// The text; empty if nothing could be made of the bytes.
    pub rtf: Vec<u8>,
    /// What contradicts [MS-OXRTFCP].
    pub oddities: Vec<Oddity>,
}

/// A way in which PidTagRtfCompressed breaks its rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Oddity {
    /// Fewer bytes than the header has.
    Short(usize),
    /// COMPTYPE is neither "LZFu" nor "MELA".
    Kind(u32),
    /// RTF as it is, without header.
    Plain,
    /// COMPSIZE is not the number of bytes that follow it.
    Size {
        /// As the header says.
        stated: u32,
        /// As it is.
        actual: u32,
    },
    /// RAWSIZE is not the size of the text, with or without a NUL.
    RawSize {
        /// As the header says.
        stated: u32,
        /// As it is.
        actual: u32,
    },
    /// The checksum is not that of the compressed bytes.
    Crc {
        /// As the header says.
        stated: u32,
        /// As it is.
        actual: u32,
    },
    /// The compressed bytes stop without the mark that ends them.
    NoEnd,
    /// The text is longer than the limit and is cut.
    Limit(usize),
}

impl Oddity {
    /// True if text may be missing or wrong.
    pub fn costs_text(&self) -> bool {
        !matches!(self, Self::Plain | Self::Size { .. } | Self::RawSize { .. })
    }
}

impl fmt::Display for Oddity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Short(n) => write!(f, "{n} bytes are too few for a header"),
            Self::Kind(kind) => write!(f, "the compression 0x{kind:08X} is unknown"),
            Self::Plain => f.write_str("it is not compressed and has no header"),
            Self::Size { stated, actual } => write!(f, "COMPSIZE is {stated}, not {actual}"),
            Self::RawSize { stated, actual } => write!(f, "RAWSIZE is {stated}, not {actual}"),
            Self::Crc { stated, actual } => write!(f, "the checksum is 0x{stated:08X}, not 0x{actual:08X}"),
            Self::NoEnd => f.write_str("it ends without an end mark"),
            Self::Limit(n) => write!(f, "it is cut after {n} bytes"),
        }
    }
}

/// Decompresses PidTagRtfCompressed; sizes and checksum are judged but not trusted, and `limit` bounds the result.
pub fn decompress(bytes: &[u8], limit: usize) -> Decompressed {
    if bytes.starts_with(b"{\\rtf") {
        let rtf = bytes.get(..bytes.len().min(limit)).unwrap_or_default().to_vec();
        return Decompressed { rtf, oddities: vec![Oddity::Plain] };
    }
    let word = |at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    let (Some(size), Some(raw_size), Some(kind), Some(crc)) = (word(0), word(4), word(8), word(12)) else {
        return Decompressed { rtf: Vec::new(), oddities: vec![Oddity::Short(bytes.len())] };
    };
    let mut oddities = Vec::new();
    let rest = bytes.get(HEADER..).unwrap_or_default();
    let actual = (bytes.len() - 4).min(u32::MAX as usize) as u32;
    if size != actual {
        oddities.push(Oddity::Size { stated: size, actual });
    }
    let inside = rest.get(..(size as usize).saturating_sub(HEADER - 4)).unwrap_or(rest);
    let rtf = match kind {
        STORED => stored(rest, inside, raw_size, limit),
        COMPRESSED => {
            let (rtf, ended) = unpack(inside, rest, raw_size as usize, limit);
            if !ended && rtf.len() < limit {
                oddities.push(Oddity::NoEnd);
            }
            rtf
        }
        _ => {
            oddities.push(Oddity::Kind(kind));
            return Decompressed { rtf: Vec::new(), oddities };
        }
    };
    let actual = if kind == STORED { 0 } else { checksum(inside) };
    if crc != actual {
        oddities.push(Oddity::Crc { stated: crc, actual });
    }
    let length = rtf.len() as u32;
    if rtf.len() >= limit {
        oddities.push(Oddity::Limit(limit));
    } else if raw_size != length && raw_size != length + 1 {
        oddities.push(Oddity::RawSize { stated: raw_size, actual: length });
    }
    Decompressed { rtf, oddities }
}

fn stored(rest: &[u8], inside: &[u8], raw_size: u32, limit: usize) -> Vec<u8> {
    let data = rest.get(..raw_size as usize).unwrap_or(inside);
    data.get(..data.len().min(limit)).unwrap_or_default().to_vec()
}

/// Unpacks what COMPSIZE covers, and what lies behind it if that was too little. True if the end mark was met; without
/// it, bytes past RAWSIZE are padding.
fn unpack(inside: &[u8], all: &[u8], raw_size: usize, limit: usize) -> (Vec<u8>, bool) {
    let (mut out, ended) = unpack_all(inside, limit);
    if ended {
        return (out, true);
    }
    if out.len() < raw_size && inside.len() < all.len() {
        let (longer, ended) = unpack_all(all, limit);
        if ended {
            return (longer, true);
        }
        out = longer;
    }
    if raw_size > 0 {
        out.truncate(raw_size);
    }
    (out, false)
}

fn unpack_all(data: &[u8], limit: usize) -> (Vec<u8>, bool) {
    let mut ring = Ring::new();
    let mut out = Vec::with_capacity(data.len().saturating_mul(3).min(limit).min(1 << 20));
    let mut input = data.iter().copied();
    while let Some(control) = input.next() {
        for bit in 0..8 {
            if out.len() >= limit {
                return (out, false);
            }
            if control & (1 << bit) == 0 {
                let Some(byte) = input.next() else { return (out, false) };
                ring.put(byte, &mut out);
                continue;
            }
            let (Some(high), Some(low)) = (input.next(), input.next()) else { return (out, false) };
            let reference = u16::from_be_bytes([high, low]);
            let from = usize::from(reference >> 4);
            if from == ring.at {
                return (out, true);
            }
            for i in 0..(usize::from(reference & 15) + 2).min(limit - out.len()) {
                let byte = ring.bytes.get((from + i) % RING).copied().unwrap_or_default();
                ring.put(byte, &mut out);
            }
        }
    }
    (out, false)
}

struct Ring {
    bytes: [u8; RING],
    at: usize,
}

impl Ring {
    fn new() -> Self {
        let mut bytes = [b' '; RING];
        bytes.iter_mut().zip(PRELOAD).for_each(|(to, from)| *to = *from);
        Self { bytes, at: PRELOAD.len() }
    }

    fn put(&mut self, byte: u8, out: &mut Vec<u8>) {
        if let Some(slot) = self.bytes.get_mut(self.at) {
            *slot = byte;
        }
        self.at = (self.at + 1) % RING;
        out.push(byte);
    }
}

/// CRC-32 with seed 0 and without final inversion ([MS-OXRTFCP] 2.1.3.1.3).
pub(super) fn checksum(bytes: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new_with_initial(!0);
    hasher.update(bytes);
    !hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// [MS-OXRTFCP] 3.1.1: "{\rtf1\ansi\ansicpg1252\pard hello world}\r\n".
    const EXAMPLE: [u8; 49] = [
        0x2d, 0x00, 0x00, 0x00, 0x2b, 0x00, 0x00, 0x00, 0x4c, 0x5a, 0x46, 0x75, 0xf1, 0xc5, 0xc7, 0xa7, 0x03, 0x00,
        0x0a, 0x00, 0x72, 0x63, 0x70, 0x67, 0x31, 0x32, 0x35, 0x42, 0x32, 0x0a, 0xf3, 0x20, 0x68, 0x65, 0x6c, 0x09,
        0x00, 0x20, 0x62, 0x77, 0x05, 0xb0, 0x6c, 0x64, 0x7d, 0x0a, 0x80, 0x0f, 0xa0,
    ];
    const TEXT: &[u8] = b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n";

    fn altered(at: usize, bytes: &[u8]) -> Decompressed {
        let mut copy = EXAMPLE.to_vec();
        copy[at..at + bytes.len()].copy_from_slice(bytes);
        decompress(&copy, 1000)
    }

    #[test]
    fn example_of_the_specification() {
        assert_eq!(decompress(&EXAMPLE, 1000), Decompressed { rtf: TEXT.to_vec(), oddities: Vec::new() });
        for cut in 0..EXAMPLE.len() {
            let cut = decompress(&EXAMPLE[..cut], 1000);
            assert!(TEXT.starts_with(&cut.rtf) && !cut.oddities.is_empty());
        }
    }

    #[test]
    fn what_is_odd_is_named_and_read_all_the_same() {
        let crc = altered(12, &[0; 4]);
        assert_eq!((crc.rtf.as_slice(), crc.oddities.len()), (TEXT, 1));
        assert!(matches!(crc.oddities[0], Oddity::Crc { stated: 0, actual: 0xA7C7_C5F1 }));
        // One more for a NUL is allowed.
        assert_eq!(altered(4, &[0x2c]).oddities, []);
        for wrong in [0, 5, 0x2d, 0xFF] {
            let raw = altered(4, &[wrong]);
            assert_eq!(raw.rtf, TEXT);
            assert_eq!(raw.oddities, [Oddity::RawSize { stated: u32::from(wrong), actual: 0x2b }]);
        }
        for wrong in [0, 20, 0xFF] {
            let size = altered(0, &[wrong]);
            assert_eq!(size.rtf, TEXT, "{wrong}");
            assert!(size.oddities.contains(&Oddity::Size { stated: u32::from(wrong), actual: 0x2d }));
        }
        let padded = decompress(&[&EXAMPLE[..], &[0; 7]].concat(), 1000);
        assert_eq!((padded.rtf.as_slice(), padded.oddities.len()), (TEXT, 1));
        assert_eq!(altered(8, b"what").oddities, [Oddity::Kind(0x7461_6877)]);
        assert_eq!(decompress(TEXT, 1000), Decompressed { rtf: TEXT.to_vec(), oddities: vec![Oddity::Plain] });
        assert_eq!(
            decompress(&EXAMPLE, 10),
            Decompressed { rtf: TEXT[..10].to_vec(), oddities: vec![Oddity::Limit(10)] }
        );
    }

    #[test]
    fn stored_text() {
        let mut bytes = Vec::new();
        for word in [TEXT.len() as u32 + 12, TEXT.len() as u32, STORED, 0] {
            bytes.extend_from_slice(&word.to_le_bytes());
        }
        bytes.extend_from_slice(TEXT);
        assert_eq!(decompress(&bytes, 1000), Decompressed { rtf: TEXT.to_vec(), oddities: Vec::new() });
    }
}
