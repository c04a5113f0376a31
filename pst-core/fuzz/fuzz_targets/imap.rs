//! What an IMAP server sends, line by line: nothing of it may stop the reader, and each line is read in linear time.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pst_core::endpoint::imap::response::parse;
use pst_core::endpoint::imap::wire::{Limits, Reader};

fuzz_target!(|data: &[u8]| {
    let limits = Limits { text: 1 << 16, held: 1 << 12, literal: 1 << 16 };
    let mut reader = Reader::new(data, limits);
    while let Ok(Some(line)) = reader.line() {
        let held = line.text.len() + line.literals.iter().map(|l| l.data.len() as usize).sum::<usize>();
        assert!(held <= data.len(), "nothing is invented");
        parse(line);
    }
});
