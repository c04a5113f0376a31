//! The header of a PST or OST behind its magic, and what is decided by it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pst_core::check;
use pst_core::io::Input;
use pst_core::messaging::Store;
use pst_core::ndb::Ndb;
use pst_fuzz::files;
use std::sync::Arc;

/// What a header may lead to: room for some pages, all of them empty.
const REST: usize = 0x5000;

fuzz_target!(|data: &[u8]| {
    let mut bytes = [b"!BDN", data].concat();
    let input = |bytes: &[u8]| Input::from_bytes(bytes.to_vec(), "fuzz.pst");
    let _ = check::judge(input(&bytes));
    if bytes.len() < 564 {
        return;
    }
    bytes.resize(bytes.len().max(REST), 0);
    let bytes = files::summed(bytes);
    let _ = check::judge(input(&bytes));
    if let Ok(ndb) = Ndb::new(input(&bytes)) {
        files::read_all(&Store::new(Arc::new(ndb)));
    }
});
