//! An item as Exchange exports it; also a stream without its records. The first byte chooses.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pst_core::mapi::Message;
use pst_core::mapi::fast_transfer::{Options, decode, encode, length};

/// The records before a stream.
const PROLOGUE: [u32; 15] = [1, 8, 0, 1, 3, 24, 1, 0x0002_0307, 0, 0xC0, 0x4600_0000, 0x8000_2400, 4, 6, 0x80A4_0E01];

fn wrapped(stream: &[u8]) -> Vec<u8> {
    let mut out: Vec<u8> = PROLOGUE.iter().flat_map(|n| n.to_le_bytes()).chain([0, 0]).collect();
    for chunk in stream.chunks(1000) {
        out.extend([2, chunk.len() as u32].iter().flat_map(|n| n.to_le_bytes()));
        out.extend_from_slice(chunk);
    }
    out
}

fuzz_target!(|data: &[u8]| {
    let [choice, bytes @ ..] = data else { return };
    let bytes = if choice & 1 == 0 { bytes.to_vec() } else { wrapped(bytes) };
    let Ok(decoded) = decode(&mut bytes.as_slice()) else { return };
    let first = again(&decoded.message, bytes.len());
    // What the first encoding adds stands among the other properties from then on.
    let second = again(&first, bytes.len());
    assert!(encoded(&second) == encoded(&first), "an item changes each time that it is encoded");
    pst_fuzz::written(&decoded.message, bytes.len());
});

fn encoded(message: &Message) -> Vec<u8> {
    let mut out = Vec::new();
    encode(message, &mut out, &Options::default()).expect("a message in memory can be encoded");
    assert_eq!(length(message, &Options::default()).expect("a length"), out.len() as u64);
    out
}

fn again(message: &Message, input: usize) -> Message {
    let blob = encoded(message);
    pst_fuzz::bounded(blob.len(), input);
    let decoded = decode(&mut blob.as_slice()).expect("what was encoded can be decoded");
    assert!(decoded.cut.is_none(), "{:?}", decoded.cut);
    decoded.message
}
