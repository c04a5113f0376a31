//! Makes every file of fixtures/. Seeded: the same files each time, which a test compares with the committed ones.
//!
//! `PST_WRITE_FIXTURES=1 cargo test --ignore-rust-version -p pst-cli --test cli fixtures` writes them anew.

#[path = "generate/boxes.rs"]
mod boxes;
#[path = "generate/encodings.rs"]
mod encodings;
#[path = "generate/mails.rs"]
mod mails;
#[path = "generate/oddities.rs"]
mod oddities;
#[path = "generate/shapes.rs"]
mod shapes;

use super::support::Seeded;
use std::fmt::Write as _;

/// A file of fixtures/.
pub struct Fixture {
    /// Below fixtures/, with slashes.
    pub path: String,
    /// What it is there for.
    pub about: &'static str,
    pub bytes: Vec<u8>,
}

/// All files but the manifest, sorted by path.
pub fn fixtures() -> Vec<Fixture> {
    let mut all = Vec::new();
    mails::inbox(&mut all);
    mails::sent_and_drafts(&mut all);
    mails::languages(&mut all);
    shapes::shapes(&mut all);
    oddities::oddities(&mut all);
    boxes::mbox(&mut all);
    boxes::maildir(&mut all);
    all.sort_by(|a, b| a.path.cmp(&b.path));
    all
}

/// fixtures/MANIFEST.toml.
pub fn manifest(fixtures: &[Fixture]) -> String {
    let mut out = String::from(
        "# Written by tests/support/generate.rs together with the files. All content is this project's own.\n",
    );
    for f in fixtures {
        let _ = write!(
            out,
            "\n[[file]]\npath = \"{}\"\nbytes = {}\nabout = \"{}\"\n",
            f.path,
            f.bytes.len(),
            f.about.replace('\\', "\\\\").replace('"', "\\\"")
        );
    }
    out
}

/// A template with `\n` for CRLF, and `{name}` for each of the parts.
fn build(template: &str, parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = template.replace('\n', "\r\n").into_bytes();
    for (name, data) in parts {
        let key = format!("{{{name}}}").into_bytes();
        while let Some(at) = out.windows(key.len()).position(|w| w == key.as_slice()) {
            out.splice(at..at + key.len(), data.iter().copied());
        }
    }
    out
}

/// Bytes without a pattern.
pub fn noise(seed: u64, len: usize) -> Vec<u8> {
    let mut seeded = Seeded(seed);
    (0..len).map(|_| seeded.next() as u8).collect()
}

fn eml(all: &mut Vec<Fixture>, path: &str, about: &'static str, bytes: Vec<u8>) {
    all.push(Fixture { path: format!("mail/{path}.eml"), about, bytes });
}
