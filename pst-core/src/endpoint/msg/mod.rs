//! Outlook's .msg files: one item each, in a compound file ([MS-OXMSG], [MS-CFB]).

mod file;
mod names;
mod property;
mod read;
mod sink;
mod storage;
mod write;

pub use read::{read, read_bytes};
pub use sink::MsgSink;
pub use write::write;

use std::io::Read;
use std::path::Path;

/// How compound files begin.
const MAGIC: [u8; 8] = [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1];

/// True for bytes that begin as a compound file does.
pub fn is_compound(head: &[u8]) -> bool {
    head.starts_with(&MAGIC)
}

/// True for a compound file whose name ends in `.msg`, or in `.oft` as templates do.
pub fn is_msg(path: &Path) -> bool {
    let named = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("msg") || e.eq_ignore_ascii_case("oft"));
    let mut head = [0; MAGIC.len()];
    named && crate::io::open_file(path).is_ok_and(|mut f| f.read_exact(&mut head).is_ok()) && is_compound(&head)
}
