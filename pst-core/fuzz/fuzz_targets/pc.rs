//! A property context: the data blocks and subnodes of one node, each part with its length before it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pst_core::ltp::PropContext;
use pst_core::mapi::Value;
use pst_core::ndb::Nid;
use pst_fuzz::files;

fuzz_target!(|data: &[u8]| {
    let (blocks, subnodes) = files::parts(data);
    if blocks.is_empty() {
        return;
    }
    let (ndb, node) = files::of_node(Nid(0x200024), blocks, &subnodes);
    let Ok(pc) = PropContext::open(&ndb, node.data, node.sub) else { return };
    assert!(pc.records().len() <= data.len() * 64, "records out of nothing");
    for record in pc.records().iter().take(500) {
        let _ = pc.get(record.tag.id());
        match pc.value(*record) {
            Ok(Value::Binary(blob) | Value::Object(blob)) => drop(blob.to_vec(1 << 24)),
            Ok(value) => drop(value.to_text()),
            Err(e) => assert!(!e.to_string().is_empty()),
        }
    }
});
