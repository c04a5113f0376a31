//! What several tests need.

pub mod forge;
pub mod mail;

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

/// A small generator of repeatable numbers (SplitMix64).
pub struct Seeded(pub u64);

impl Seeded {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }
}
