//! The checksum of headers, pages, blocks, names and passwords, and the block signature ([MS-PST] 5.3, 5.5).

/// CRC-32 with the reflected polynomial 0xEDB88320, seed 0 and no final inversion ([MS-PST] 5.3).
pub fn crc(bytes: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new_with_initial(!0);
    hasher.update(bytes);
    !hasher.finalize()
}

/// The signature of a page or block from its file offset and its BID ([MS-PST] 5.5).
pub const fn signature(ib: u64, bid: u64) -> u16 {
    let x = (ib ^ bid) as u32;
    (x >> 16) as u16 ^ x as u16
}

#[cfg(test)]
mod tests {
    #[test]
    fn check_value() {
        assert_eq!(super::crc(b"123456789"), 0x2DFD_2D88);
        assert_eq!(super::crc(b""), 0);
    }
}
