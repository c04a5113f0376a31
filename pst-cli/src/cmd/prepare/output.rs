//! The mapping file and the scripts.

use super::Run;
use pst_core::endpoint::prepare::{mapping, scripts};
use pst_core::io::{NewFile, commit};
use pst_core::{Error, Result};
use std::path::{Path, PathBuf};

const UPLOAD: &str = "upload.ps1";
const REQUESTS: &str = "import-requests.ps1";

/// Makes the folder, and refuses one with files of an earlier run that are not to be replaced.
///
/// # Errors
/// As said, and when it cannot be made.
pub fn begin(out: &Path, overwrite: bool) -> Result<()> {
    std::fs::create_dir_all(out).map_err(|e| Error::io("cannot make the folder", out, e))?;
    earlier(out).iter().try_for_each(|path| commit::refuse_existing(path, overwrite))
}

/// Writes what the run made; what an earlier run left and this one does not replace is removed, so that nothing tells of
/// PSTs that are no longer meant.
///
/// # Errors
/// When a file cannot be written or removed.
pub fn write(out: &Path, run: &Run<'_>) -> Result<Vec<PathBuf>> {
    let mut files = mapping::files(&run.entries, &run.container_path);
    let uploads: Vec<(&Path, &str)> = match run.users {
        Some(_) => run.entries.iter().map(|e| (e.path.as_path(), e.name.as_str())).collect(),
        None => unmapped(run),
    };
    if !uploads.is_empty() {
        files.push((UPLOAD.to_owned(), scripts::upload(&uploads, &run.container_path)));
    }
    if run.args.unc.is_some() && !run.entries.is_empty() {
        files.push((REQUESTS.to_owned(), scripts::requests(&run.entries)));
    }
    let paths: Vec<PathBuf> = files.iter().map(|(name, _)| out.join(name)).collect();
    for (path, (_, text)) in paths.iter().zip(&files) {
        let mut file = NewFile::create(path, run.args.overwrite)?;
        file.append(text.as_bytes())?;
        file.commit()?;
    }
    for path in earlier(out).iter().filter(|p| !paths.contains(p)) {
        std::fs::remove_file(path).map_err(|e| Error::io("cannot remove", path, e))?;
    }
    Ok(paths)
}

/// PSTs without a list of mailboxes, and their names on upload.
fn unmapped<'r>(run: &'r Run<'_>) -> Vec<(&'r Path, &'r str)> {
    let mut out = Vec::new();
    for f in &run.files {
        for part in f.finals().iter().filter(|j| !j.is_refused()) {
            let new = f.written.is_some().then(|| part.path.file_name().and_then(|n| n.to_str())).flatten();
            out.push((part.path.as_path(), new.unwrap_or(&f.name)));
        }
    }
    out
}

/// The files of an earlier run, as far as they are there.
fn earlier(out: &Path) -> Vec<PathBuf> {
    let mappings = (0..).map(mapping::file_name).map(|name| out.join(name)).take_while(|path| path.exists());
    mappings.chain([UPLOAD, REQUESTS].map(|name| out.join(name)).into_iter().filter(|path| path.exists())).collect()
}
