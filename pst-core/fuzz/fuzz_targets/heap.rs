//! A heap and the B-trees on it: the data blocks and subnodes of one node, each part with its length before it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pst_core::ltp::Heap;
use pst_core::ltp::bth::Bth;
use pst_core::ndb::Nid;
use pst_fuzz::files;

fuzz_target!(|data: &[u8]| {
    let (blocks, subnodes) = files::parts(data);
    if blocks.is_empty() {
        return;
    }
    let (ndb, node) = files::of_node(Nid(0x21), blocks, &subnodes);
    let Ok(heap) = Heap::open(&ndb, node.data, node.sub) else { return };
    for block in 0..heap.blocks().min(4) as u32 {
        for index in 0..16 {
            if let Ok(bytes) = heap.get(block << 16 | index << 5) {
                assert!(bytes.len() <= data.len(), "an allocation is longer than the input");
            }
        }
    }
    for hid in [heap.root, 0x20, 0x40] {
        let Ok(bth) = Bth::read(&heap, hid) else { continue };
        assert_eq!(bth.iter().count(), bth.len());
    }
});
