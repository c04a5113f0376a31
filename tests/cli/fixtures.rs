//! The committed fixtures are what their generator makes.

use super::generate;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures")
}

#[test]
fn fixtures_are_as_generated() {
    let made = generate::fixtures();
    let manifest = generate::manifest(&made);
    if std::env::var_os("PST_WRITE_FIXTURES").is_some() {
        for f in &made {
            let path = folder().join(&f.path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, &f.bytes).unwrap();
        }
        fs::write(folder().join("MANIFEST.toml"), &manifest).unwrap();
    }
    for f in &made {
        let found = fs::read(folder().join(&f.path)).unwrap_or_else(|e| panic!("fixtures/{}: {e}", f.path));
        assert!(found == f.bytes, "fixtures/{} is not what tests/support/generate.rs makes", f.path);
    }
    assert_eq!(fs::read_to_string(folder().join("MANIFEST.toml")).unwrap(), manifest);
    assert!(made.iter().map(|f| f.bytes.len()).sum::<usize>() < 300_000);
}

/// A file that nobody generates has no line in the manifest.
#[test]
fn no_file_is_unaccounted_for() {
    let known: BTreeSet<PathBuf> = generate::fixtures().iter().map(|f| folder().join(&f.path)).collect();
    for top in ["mail", "mbox", "maildir"] {
        let mut todo = vec![folder().join(top)];
        while let Some(at) = todo.pop() {
            for entry in fs::read_dir(&at).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    todo.push(path);
                } else {
                    assert!(known.contains(&path), "{} is in no generator", path.display());
                }
            }
        }
    }
}
