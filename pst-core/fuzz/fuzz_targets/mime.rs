//! Mail to a message and back, twice; the first byte chooses the options.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pst_core::io::Input;
use pst_core::mime::contact::Version;
use pst_core::mime::{self, Calendar, ImportOptions, Options, State, large};
use std::sync::Arc;

fuzz_target!(|data: &[u8]| {
    let Some((choice, mail)) = data.split_first() else { return };
    let bit = |n: u8| choice >> n & 1 == 1;
    let calendar = if bit(0) { Calendar::Native } else { Calendar::Note };
    let import = ImportOptions { keep_mime: bit(1), no_receipts: bit(2), calendar, ..ImportOptions::default() };
    let vcard = if bit(5) { Version::V3 } else { Version::V4 };
    let options = Options { kept_mime: false, bcc: bit(3), keep_rtf: bit(4), lf: bit(6), vcard, ..Options::default() };
    let state = State { flagged: bit(7), draft: bit(7), ..State::default() };

    let (slim, parts) = large::slim(&Arc::new(Input::from_bytes(mail.to_vec(), "mail")), 0, mail.len() as u64).unwrap();
    assert!(parts.is_empty() && slim == mail, "nothing of a small message is left out");
    let read = mime::to_mapi_large(mail, &[], &state, Some(0), import).unwrap();
    if import.keep_mime {
        let kept = mime::kept_mime(&read.message).map(|blob| blob.to_vec(1 << 20).unwrap());
        assert_eq!(kept.as_deref(), Some(mail));
    }
    let first = pst_fuzz::mailed(&read.message, &options, mail.len());
    let again = mime::to_mapi_large(&first, &[], &state, Some(0), import).unwrap();
    pst_fuzz::written(&again.message, first.len());

    let text = String::from_utf8_lossy(mail);
    let line = text.lines().next().unwrap_or_default();
    mime::header_text(line);
    if let Some(at) = mime::date::parse(line) {
        let written = mime::date::format(at);
        assert!(written.is_none_or(|w| mime::date::parse(&w) == Some(at)), "a date reads as it was written");
    }
});
