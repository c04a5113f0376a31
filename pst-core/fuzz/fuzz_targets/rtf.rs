//! Rich text, compressed where the first byte is odd.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pst_core::mapi::rtf::{self, Origin, Placeholder};

const LIMIT: usize = 1 << 20;

fuzz_target!(|data: &[u8]| {
    let Some((choice, bytes)) = data.split_first() else { return };
    let unpacked = rtf::decompress(bytes, LIMIT).rtf;
    assert!(unpacked.len() <= LIMIT);
    let text = if choice & 1 == 1 { &unpacked } else { bytes };
    let text = &text[..text.len().min(1 << 16)];
    assert!(rtf::decompress(&rtf::compress(text), LIMIT).rtf == text, "what is compressed comes out as it went in");
    let attached = vec![Placeholder { name: "a".into(), cid: Some("b".into()) }; usize::from(choice >> 4)];
    pst_fuzz::bounded(rtf::to_html(text, &attached).html.len(), text.len());
    pst_fuzz::bounded(rtf::to_text(text, &attached).len(), text.len());
    for origin in [rtf::origin(text), Origin::Html, Origin::Text] {
        pst_fuzz::bounded(rtf::unwrap(text, origin).len(), text.len());
    }
});
