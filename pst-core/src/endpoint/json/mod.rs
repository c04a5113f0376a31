#![doc = include_str!("FORMAT.md")]

mod lines;
mod read;
mod sink;
mod slim;
mod source;
mod value;
mod write;

pub use sink::JsonSink;
pub use source::JsonSource;

/// What the first line calls the format.
const FORMAT: &str = "pst-json";
/// The version that is written, and the newest that is read.
const VERSION: u64 = 1;
/// What stands between the head of an item's line and its message.
const MESSAGE: &str = ",\"message\":";

/// True for a text that begins as these files do, or at least as JSON in a file of that ending.
pub fn is_json(path: &std::path::Path, head: &[u8]) -> bool {
    let text = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head).trim_ascii_start();
    let named = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("json") || e.eq_ignore_ascii_case("jsonl"));
    let format = format!("\"{FORMAT}\"");
    text.starts_with(b"{") && (named || memchr::memmem::find(text, format.as_bytes()).is_some())
}
