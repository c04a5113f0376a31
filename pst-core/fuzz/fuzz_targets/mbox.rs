//! An mbox: its messages stand one behind the other, and each can be converted.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pst_core::endpoint::mbox::MboxSource;
use pst_core::endpoint::text;
use pst_core::mime::ImportOptions;
use pst_core::pipeline::Source;
use std::path::PathBuf;
use std::sync::LazyLock;

static PLACE: LazyLock<PathBuf> = LazyLock::new(|| tempfile::tempdir().unwrap().keep());

fuzz_target!(|data: &[u8]| {
    let path = PLACE.join("fuzz.mbox");
    std::fs::write(&path, data).unwrap();
    let Ok(source) = MboxSource::open(&path) else { return };
    for folder in source.folders().unwrap() {
        let mut at = 0;
        for item in source.items(&folder).unwrap() {
            let item = item.unwrap();
            assert!(item.key >= at && item.size > 0, "messages ascend");
            at = item.key + item.size;
            assert!(at <= data.len() as u64);
            let loaded = source.load(&folder, &item).unwrap();
            let message = text::message_of(loaded.body, ImportOptions::default(), &mut Vec::new()).unwrap();
            pst_fuzz::mailed(&message, &Default::default(), item.size as usize);
        }
    }
});
