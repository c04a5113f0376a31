//! A whole file, read to its end as it is and with its sums set right.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pst_core::io::Input;
use pst_core::messaging::Store;
use pst_core::ndb::Ndb;
use pst_fuzz::files;
use std::sync::Arc;

fuzz_target!(|data: &[u8]| {
    for bytes in [data.to_vec(), files::summed(data.to_vec())] {
        let Ok(ndb) = Ndb::new(Input::from_bytes(bytes, "fuzz.pst")) else { continue };
        files::read_all(&Store::new(Arc::new(ndb)));
    }
});
