//! Names of files that no other file of a folder has.

use super::file_name;
use crate::error::{Error, Result};
use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::fs::File;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};

/// Endings longer than this are no endings.
const LONGEST_ENDING: usize = 16;

/// The names that are taken in one folder. Each costs a few bytes, whatever its length.
#[derive(Default)]
pub struct Unique(HashMap<u64, u32>);

impl Unique {
    /// Creates a file of a name, made safe and unlike all others; also where the file system tells fewer names apart
    /// than we do.
    ///
    /// # Errors
    /// [`crate::Kind::Io`], naming the file.
    pub fn create(&mut self, folder: &Path, name: &str) -> Result<(PathBuf, File)> {
        let (stem, ending) = safe(name);
        let first = key(&format!("{stem}{ending}"));
        let mut used = self.0.get(&first).copied().unwrap_or_default();
        loop {
            used += 1;
            let number = if used == 1 { String::new() } else { format!(" ({used})") };
            let name = format!("{stem}{number}{ending}");
            let path = folder.join(&name);
            if self.0.contains_key(&key(&name)) || path.symlink_metadata().is_ok() {
                continue;
            }
            match File::create_new(&path) {
                Ok(file) => {
                    self.0.insert(key(&name), 1);
                    self.0.insert(first, used);
                    return Ok((path, file));
                }
                Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(e) => return Err(Error::io("cannot create", path, e)),
            }
        }
    }
}

/// Stands for a name, whatever the case of its letters.
fn key(name: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    name.to_lowercase().hash(&mut hasher);
    hasher.finish()
}

/// Stem and ending that every file system takes.
fn safe(name: &str) -> (String, String) {
    let name = name.trim().trim_end_matches(['.', ' ']);
    let plausible = |e: &str| {
        (2..=LONGEST_ENDING).contains(&e.len()) && !e.contains(|c: char| c.is_whitespace() || matches!(c, '/' | '\\'))
    };
    let at = name.rfind('.').filter(|at| *at > 0 && name.get(*at..).is_some_and(plausible));
    let (stem, ending) = at.and_then(|at| name.split_at_checked(at)).unwrap_or((name, ""));
    let ending = if ending.is_empty() { String::new() } else { format!(".{}", file_name(ending)) };
    (file_name(stem), ending)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_are_kept() {
        let of = |name: &str| {
            let (stem, ending) = safe(name);
            stem + &ending
        };
        assert_eq!(of("report.pdf"), "report.pdf");
        assert_eq!(of(&format!("{}.docx", "é".repeat(200))), format!("{}.docx", "é".repeat(75)));
        assert_eq!(of("../../etc/passwd"), "_.._etc_passwd");
        assert_eq!(of(".bashrc"), "bashrc");
        assert_eq!(of("con.txt"), "_con.txt");
        assert_eq!(of("a\u{202E}fdp.exe"), "a_fdp.exe");
        assert_eq!(of("a.b:c"), "a.b_c");
        assert_eq!(of("end. . "), "end");
        assert_eq!(of(""), "_");
        assert_eq!(of("no ending. Really"), "no ending. Really");
    }

    #[test]
    fn no_two_are_alike() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("A")).unwrap();
        let mut unique = Unique::default();
        let mut made = Vec::new();
        for name in ["a.txt", "A.TXT", "a.txt", "a (2).txt", "A", "x/y", "x:y"] {
            let (path, _) = unique.create(folder.path(), name).unwrap();
            made.push(path.file_name().unwrap().to_string_lossy().into_owned());
        }
        assert_eq!(made, ["a.txt", "A (2).TXT", "a (3).txt", "a (2) (2).txt", "A (2)", "x_y", "x_y (2)"]);
    }
}
