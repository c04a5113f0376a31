//! The files that a run of `pst prepare` is about.

use pst_core::{Error, Kind, Result};
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// A file.
pub struct Found {
    /// Its path, from the root of the file system.
    pub path: PathBuf,
    /// Its path below the folder that was given, with slashes; its name where it was given itself.
    pub below: String,
}

impl Found {
    /// The folders between the one that was given and the file.
    pub fn folders(&self) -> Vec<String> {
        let mut parts: Vec<String> = self.below.split('/').map(str::to_owned).collect();
        parts.pop();
        parts
    }

    /// The file's name.
    pub fn name(&self) -> &str {
        self.below.rsplit('/').next().unwrap_or(&self.below)
    }
}

/// All files that were given, and the .pst and .ost files below folders, each once, in order; and how many other files
/// were passed by. What lies in `out` is not taken.
///
/// # Errors
/// When a path is not there, a folder cannot be listed, there are no PSTs, or one of them lies in `out`.
pub fn sources(paths: &[PathBuf], out: Option<&Path>) -> Result<(Vec<Found>, u64)> {
    let out = out.and_then(|o| o.canonicalize().ok());
    let inside = |p: &Path| out.as_ref().is_some_and(|o| p.canonicalize().is_ok_and(|p| p.starts_with(o)));
    let (mut found, mut others, mut seen) = (Vec::new(), 0, HashSet::new());
    for top in paths {
        let meta = std::fs::metadata(top).map_err(|e| Error::io("cannot open", top, e))?;
        if inside(top) {
            let text = "it lies in the folder of --out; sources are never changed";
            return Err(Error::new(Kind::Usage, text).in_file(top));
        }
        let mut below = if meta.is_dir() { listed(top, &inside, &mut others)? } else { vec![(name(top), top.clone())] };
        below.sort();
        for (below, path) in below {
            let path = std::path::absolute(&path).unwrap_or(path);
            if seen.insert(path.canonicalize().unwrap_or_else(|_| path.clone())) {
                found.push(Found { path, below });
            }
        }
    }
    if found.is_empty() {
        return Err(Error::new(Kind::NotFound, "there is no .pst or .ost file in what was given"));
    }
    Ok((found, others))
}

/// PSTs and OSTs below a folder, with their paths from it on.
fn listed(top: &Path, inside: &dyn Fn(&Path) -> bool, others: &mut u64) -> Result<Vec<(String, PathBuf)>> {
    let mut out = Vec::new();
    let mut open = vec![(top.to_path_buf(), String::new())];
    while let Some((folder, prefix)) = open.pop() {
        let failed = |e| Error::io("cannot list", &folder, e);
        for entry in std::fs::read_dir(&folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let (path, kind) = (entry.path(), entry.file_type().map_err(failed)?);
            let below = format!("{prefix}{}", name(&path));
            let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase());
            if kind.is_dir() {
                if !inside(&path) {
                    open.push((path, below + "/"));
                }
            } else if matches!(ending.as_deref(), Some("pst" | "ost")) && path.is_file() {
                out.push((below, path));
            } else {
                *others += 1;
            }
        }
    }
    Ok(out)
}

fn name(path: &Path) -> String {
    path.file_name().map_or_else(|| path.to_string_lossy().into_owned(), |n| n.to_string_lossy().into_owned())
}
