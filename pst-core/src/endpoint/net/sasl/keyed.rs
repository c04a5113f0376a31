//! Keyed hashes: HMAC ([RFC 2104]) and PBKDF2 ([RFC 8018] 5.2).

use sha2::digest::{Digest, Output, core_api::BlockSizeUser};

/// A hash under a key, ready for any number of messages.
pub struct Keyed<D> {
    inner: D,
    outer: D,
}

impl<D: Digest + BlockSizeUser + Clone> Keyed<D> {
    /// Takes a key of any length.
    pub fn new(key: &[u8]) -> Self {
        let size = D::block_size();
        let mut block = if key.len() > size { D::digest(key).to_vec() } else { key.to_vec() };
        block.resize(size, 0);
        let started = |pad: u8| D::new().chain_update(block.iter().map(|b| b ^ pad).collect::<Vec<u8>>());
        Self { inner: started(0x36), outer: started(0x5C) }
    }

    /// The hash of one message.
    pub fn of(&self, message: &[u8]) -> Output<D> {
        let inner = self.inner.clone().chain_update(message).finalize();
        self.outer.clone().chain_update(inner).finalize()
    }
}

/// HMAC of one message.
pub fn hmac<D: Digest + BlockSizeUser + Clone>(key: &[u8], message: &[u8]) -> Output<D> {
    Keyed::<D>::new(key).of(message)
}

/// The first block of PBKDF2, which is all that SCRAM uses.
pub fn stretched<D: Digest + BlockSizeUser + Clone>(password: &[u8], salt: &[u8], iterations: u32) -> Output<D> {
    let keyed = Keyed::<D>::new(password);
    let mut last = keyed.of(&[salt, &1_u32.to_be_bytes()].concat());
    let mut out = last.clone();
    for _ in 1..iterations {
        last = keyed.of(&last);
        out.iter_mut().zip(&last).for_each(|(a, b)| *a ^= b);
    }
    out
}
