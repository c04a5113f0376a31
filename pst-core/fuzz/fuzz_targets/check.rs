//! A whole file before the strict judge, as it is and with its sums set right. What is judged has no end of findings only
//! in number, not in what is kept of them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pst_core::check::{self, LIST_LIMIT};
use pst_core::io::Input;
use pst_fuzz::files;

fuzz_target!(|data: &[u8]| {
    for bytes in [data.to_vec(), files::summed(data.to_vec())] {
        let Ok(report) = check::judge(Input::from_bytes(bytes, "fuzz.pst")) else { continue };
        for count in &report.counts {
            let listed = report.findings.iter().filter(|f| f.rule == count.rule).count();
            assert!(listed as u64 <= LIST_LIMIT, "{listed} findings of {}", count.rule);
        }
    }
});
