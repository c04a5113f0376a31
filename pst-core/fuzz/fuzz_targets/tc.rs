//! A table context: the data blocks and subnodes of one node, each part with its length before it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pst_core::ltp::TableContext;
use pst_core::ndb::Nid;
use pst_fuzz::files;

fuzz_target!(|data: &[u8]| {
    let (blocks, subnodes) = files::parts(data);
    if blocks.is_empty() {
        return;
    }
    let (ndb, node) = files::of_node(Nid(0x802E), blocks, &subnodes);
    let Ok(table) = TableContext::open(&ndb, node.data, node.sub) else { return };
    assert!(table.len() <= data.len() * 64, "rows out of nothing");
    let mut rows = table.rows();
    let mut seen = 0;
    while let Some(row) = rows.next_row() {
        seen += 1;
        let Ok((_, row)) = row else { continue };
        for column in table.columns().iter().take(if seen < 50 { 300 } else { 2 }) {
            let _ = table.cell(row, *column);
        }
    }
    assert!(seen <= table.len());
});
