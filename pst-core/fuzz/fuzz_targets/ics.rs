//! A calendar, its items as messages, and those as calendars again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pst_core::mime::Options;
use pst_core::mime::calendar::{Calendar, Entry, index, read};

fuzz_target!(|data: &[u8]| {
    let mut end = 0;
    for piece in index(data).iter().flat_map(|place| &place.pieces) {
        assert!(piece.start <= piece.end && piece.end <= data.len());
        end = end.max(piece.end);
    }
    let (items, _) = read(data);
    let mut file = Vec::new();
    let mut calendar = Calendar::begin(None, &mut file).unwrap();
    let mut count = 0;
    for (kind, item) in &items {
        pst_fuzz::mailed(&item.message, &Options::default(), data.len());
        let Some(entry) = Entry::of(&item.message, &Options::default()).unwrap() else { panic!("{kind:?}") };
        let mut own = Vec::new();
        entry.write(&mut own).unwrap();
        pst_fuzz::bounded(own.len(), data.len());
        let (again, _) = read(&own);
        assert_eq!(again.iter().map(|(kind, _)| *kind).collect::<Vec<_>>(), [*kind], "an item comes back");
        if let Some(entry) = Entry::of(&item.message, &Options::default()).unwrap() {
            calendar.add(entry, &mut file).unwrap();
            count += 1;
        }
    }
    calendar.end(&mut file).unwrap();
    assert!(index(&file).len() <= count && (count == 0) == index(&file).is_empty(), "items of a file");
});
