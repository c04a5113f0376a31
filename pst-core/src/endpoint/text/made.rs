//! Folders on disk for the folders of a mailbox.

use super::file_name;
use crate::error::{Error, Result};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Paths below the top of a target that are longer than this get short names only: systems take some four thousand bytes.
const LONG: usize = 2000;
/// What is below paths that are longer than this comes into the top.
const LONGEST: usize = 3000;

/// The folders that a target has so far; different names stay different, also where the file system tells fewer apart.
pub struct Made {
    paths: HashMap<Vec<String>, PathBuf>,
    /// How often a name was wanted, in lower case with its folder.
    wanted: HashMap<String, u32>,
}

impl Made {
    /// Starts with the top of the target.
    pub fn new(top: &Path) -> Self {
        Self { paths: HashMap::from([(Vec::new(), top.to_path_buf())]), wanted: HashMap::new() }
    }

    /// The folder on disk for a folder path, made if it is not there.
    ///
    /// # Errors
    /// [`crate::Kind::Io`], naming the folder.
    pub fn folder(&mut self, path: &[String]) -> Result<PathBuf> {
        let mut at = self.paths.get(&[][..]).cloned().unwrap_or_default();
        for depth in 1..=path.len() {
            let part = path.get(..depth).unwrap_or_default();
            if let Some(known) = self.paths.get(part) {
                at.clone_from(known);
                continue;
            }
            let name = part.last().map_or("", String::as_str);
            let top = self.paths.get(&[][..]).cloned().unwrap_or_default();
            let (within, name) = match at.as_os_str().len().saturating_sub(top.as_os_str().len()) {
                ..LONG => (at, file_name(name)),
                LONG..LONGEST => (at, file_name(&name.chars().take(10).collect::<String>())),
                _ => (top, file_name(name)),
            };
            let new = self.free(&within, &name, "");
            std::fs::create_dir(&new).map_err(|e| Error::io("cannot create", &new, e))?;
            self.paths.insert(part.to_vec(), new.clone());
            at = new;
        }
        Ok(at)
    }

    /// A path in a folder that nothing has yet: the name, a number if there must be one, and the ending.
    pub fn free(&mut self, folder: &Path, name: &str, ending: &str) -> PathBuf {
        let key = |p: &Path| p.to_string_lossy().to_lowercase();
        let first = folder.join(format!("{name}{ending}"));
        let mut n = self.wanted.get(&key(&first)).copied().unwrap_or_default();
        loop {
            n += 1;
            let path = if n == 1 { first.clone() } else { folder.join(format!("{name} ({n}){ending}")) };
            let fresh = n == 1 || !self.wanted.contains_key(&key(&path));
            if fresh && path.symlink_metadata().is_err() {
                self.wanted.insert(key(&first), n);
                self.wanted.entry(key(&path)).or_insert(1);
                return path;
            }
        }
    }
}
