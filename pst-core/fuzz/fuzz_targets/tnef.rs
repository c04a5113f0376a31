//! A TNEF stream alone, and as the winmail.dat of a mail.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pst_core::mime::{Options, tnef, to_mapi};

fuzz_target!(|data: &[u8]| {
    if let Some(found) = tnef::decode(data, 0) {
        pst_fuzz::written(&found.message, data.len());
    }
    let mail = format!(
        "From: a@b\r\nSubject: c\r\nContent-Type: application/ms-tnef\r\nContent-Transfer-Encoding: base64\r\n\r\n{}\r\n",
        base64_simd::STANDARD.encode_to_string(data)
    );
    let read = to_mapi(mail.as_bytes(), &Default::default(), None).unwrap();
    pst_fuzz::mailed(&read.message, &Options::default(), mail.len());
});
