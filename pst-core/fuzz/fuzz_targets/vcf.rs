//! Cards, their contacts and lists as messages, and those as cards again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pst_core::mime::Options;
use pst_core::mime::contact::{Card, Directory, Version, index, read};

fuzz_target!(|data: &[u8]| {
    for range in index(data) {
        assert!(range.start <= range.end && range.end <= data.len());
    }
    let mut directory = Directory::default();
    directory.add(data);
    let (items, _) = read(data, &directory);
    for (kind, item) in &items {
        pst_fuzz::mailed(&item.message, &Options::default(), data.len());
        for vcard in [Version::V3, Version::V4] {
            let options = Options { vcard, ..Options::default() };
            let Some(card) = Card::of(&item.message, &options).unwrap() else { panic!("{kind:?}") };
            let mut own = Vec::new();
            card.write(&mut own).unwrap();
            pst_fuzz::bounded(own.len(), data.len());
            assert_eq!(index(&own).len(), 1);
            let (again, _) = read(&own, &directory);
            assert_eq!(again.iter().map(|(kind, _)| *kind).collect::<Vec<_>>(), [*kind], "a card comes back");
        }
    }
});
