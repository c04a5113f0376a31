//! What several tests need.

pub mod blobs;
pub mod content_lines;
pub mod forge;
pub mod mail;
pub mod moving;
mod seeded;
pub mod sums;

#[allow(unused_imports, reason = "each test uses its part")]
pub use seeded::Seeded;

use std::path::PathBuf;

/// A file or folder of the corpus of real files, or `None` (with a word on standard error) where there is no corpus.
pub fn corpus(name: &str) -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus").join(name);
    if path.exists() {
        return Some(path);
    }
    eprintln!("skipped: no corpus ({} is not there)", path.display());
    None
}

/// The files of a folder whose names end with one of `ends`, sorted.
pub fn files(folder: &std::path::Path, ends: &[&str]) -> Vec<PathBuf> {
    let mut out: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| ends.iter().any(|e| p.to_string_lossy().ends_with(e)))
        .collect();
    out.sort();
    out
}
