//! A .msg file, and the picture of an OLE object.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pst_core::endpoint::msg;
use pst_core::mapi::ole;

fuzz_target!(|data: &[u8]| {
    ole::picture(data);
    if let Ok((message, _)) = msg::read_bytes(data.to_vec(), "fuzz.msg") {
        // Streams of a damaged file may refuse to be read while they are written.
        let _ = pst_core::mime::from_mapi(&message, &mut Vec::new(), &Default::default());
        let _ = pst_core::mime::view(message.clone(), &Default::default(), &mut Vec::new());
        let _ = msg::write(&message, std::io::Cursor::new(Vec::new()));
    }
});
