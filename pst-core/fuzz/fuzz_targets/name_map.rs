//! The name-to-id map: its three streams, each with its length before it, as values and as the node that holds them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pst_core::mapi::namemap;

fuzz_target!(|data: &[u8]| {
    let mut rest = data;
    let mut streams = [[].as_slice(); 3];
    for stream in &mut streams {
        let [low, high, after @ ..] = rest else { break };
        let head = usize::from(u16::from_le_bytes([*low, *high]));
        (*stream, rest) = after.split_at(after.len().min(head));
    }
    let [guids, entries, strings] = streams;
    let map = namemap::parse(guids, entries, strings);
    assert!(map.len() <= entries.len() / 8, "names out of nothing");
    let held: usize = map.values().map(|name| format!("{name:?}").len()).sum();
    pst_fuzz::bounded(held, data.len());
    // What is known is written and read again as the same names.
    let mut names: Vec<_> = map.values().map(|name| (**name).clone()).collect();
    names.sort();
    names.dedup();
    let made = namemap::streams(names.iter(), 251, pst_core::ndb::crc::crc);
    let again = namemap::parse(&made.guids, &made.entries, &made.strings);
    let mut found: Vec<_> = again.values().map(|name| (**name).clone()).collect();
    found.sort();
    assert_eq!(found, names);
});
