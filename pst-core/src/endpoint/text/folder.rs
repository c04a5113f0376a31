//! A folder that appears under its name only when it is whole.

use crate::endpoint::{attachments, maildir, mbox};
use crate::error::{Error, Kind, Result};
use std::path::{Path, PathBuf};

/// A new folder beside its target. Dropped before [`NewFolder::commit`], it leaves nothing.
pub struct NewFolder {
    temp: Option<tempfile::TempDir>,
    path: PathBuf,
    overwrite: bool,
}

impl NewFolder {
    /// Creates a temporary folder beside the target.
    ///
    /// # Errors
    /// [`crate::Kind::Exists`] when the target is there, unless it is an empty folder, or `overwrite` is set and all
    /// in it is of a kind that a target consists of.
    pub fn create(path: &Path, overwrite: bool) -> Result<Self> {
        let empty = std::fs::read_dir(path).is_ok_and(|mut d| d.next().is_none());
        crate::io::commit::refuse_existing(path, overwrite || empty)?;
        if overwrite && path.exists() {
            refuse_foreign(path)?;
        }
        let parent = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
        let temp = tempfile::Builder::new()
            .prefix(".pst-")
            .suffix(".tmp")
            .tempdir_in(parent)
            .map_err(|e| Error::io("cannot create a folder in this one", parent, e))?;
        Ok(Self { temp: Some(temp), path: path.to_path_buf(), overwrite })
    }

    /// The temporary folder.
    pub fn path(&self) -> &Path {
        self.temp.as_ref().map_or(self.path.as_path(), tempfile::TempDir::path)
    }

    /// The name it will have.
    pub fn target(&self) -> &Path {
        &self.path
    }

    /// Gives the folder its name. An old one that is replaced goes only when the new one stands.
    ///
    /// # Errors
    /// [`crate::Kind::Io`]; the old target is then put back.
    pub fn commit(mut self) -> Result<()> {
        let Some(temp) = self.temp.take() else { return Ok(()) };
        let fail = |e| Error::io("cannot give the new folder its name", &self.path, e);
        let new = temp.keep();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let _ = std::fs::set_permissions(&new, std::fs::Permissions::from_mode(0o755));
        }
        let exists = self.path.symlink_metadata().is_ok();
        let old = new.with_extension("old");
        if exists && self.overwrite {
            std::fs::rename(&self.path, &old).map_err(fail)?;
        }
        if let Err(e) = std::fs::rename(&new, &self.path) {
            if exists && self.overwrite {
                let _ = std::fs::rename(&old, &self.path);
            }
            let _ = std::fs::remove_dir_all(&new);
            return Err(fail(e));
        }
        if exists && self.overwrite {
            let _ = if old.is_dir() { std::fs::remove_dir_all(&old) } else { std::fs::remove_file(&old) };
        }
        crate::io::commit::sync_folder(&self.path);
        Ok(())
    }
}

/// A folder is replaced whole: what others have put there would go with it.
fn refuse_foreign(path: &Path) -> Result<()> {
    if !path.is_dir() {
        let text = "this is a file, and the target is to be a folder; take another name, or remove the file";
        return Err(Error::new(Kind::Exists, text).in_file(path));
    }
    if attachments::is_target(path) || html_is_target(path) {
        return Ok(());
    }
    let own = |p: &Path| {
        let ending = p.extension().unwrap_or_default().to_ascii_lowercase();
        ["eml", "msg", "ics", "vcf"].iter().any(|e| ending == *e) || mbox::is_mbox(p) || maildir::is_own(p)
    };
    for entry in walkdir::WalkDir::new(path) {
        let entry = entry.map_err(|e| crate::endpoint::cannot_list(e, path))?;
        if !entry.file_type().is_dir() && !own(entry.path()) {
            let text = "this is not of an earlier run, and the folder it is in would be replaced whole; take another name \
                        for the target, or remove the folder";
            return Err(Error::new(Kind::Exists, text).in_file(entry.path()));
        }
    }
    Ok(())
}

#[cfg(feature = "html")]
use crate::endpoint::html::is_target as html_is_target;

#[cfg(not(feature = "html"))]
fn html_is_target(_: &Path) -> bool {
    false
}
