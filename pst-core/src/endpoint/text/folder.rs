//! A folder that appears under its name only when it is whole.

use crate::endpoint::{attachments, maildir, mbox};
use crate::error::{Error, Kind, Result};
use std::path::{Path, PathBuf};

/// A new folder beside its target. Dropped before [`NewFolder::commit`], it leaves nothing.
pub struct NewFolder {
    temp: Option<tempfile::TempDir>,
    path: PathBuf,
    /// The target with all links followed, if it is there.
    real: Option<PathBuf>,
    overwrite: bool,
    /// It waits inside of the target, an empty folder that cannot be replaced.
    inside: bool,
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
        let real = path.canonicalize().ok();
        let inside = real.as_deref().is_some_and(is_fixed);
        if inside && !empty {
            let text = "this folder cannot be replaced while it is the current one or a file system of its own; \
                        give a folder in it as the target";
            return Err(Error::new(Kind::Exists, text).in_file(path));
        }
        let beside = real.as_deref().unwrap_or(path);
        let parent = if inside { Some(beside) } else { beside.parent().filter(|p| !p.as_os_str().is_empty()) };
        let parent = parent.unwrap_or_else(|| Path::new("."));
        let temp = tempfile::Builder::new()
            .prefix(".pst-")
            .suffix(".tmp")
            .tempdir_in(parent)
            .map_err(|e| Error::io("cannot create a folder in this one", parent, e))?;
        crate::io::commit::begun(temp.path());
        Ok(Self { temp: Some(temp), path: path.to_path_buf(), real, overwrite, inside })
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
    /// [`crate::Kind::Io`]; the old target is then put back. [`crate::Kind::Exists`] when others have put something there
    /// while this ran.
    pub fn commit(mut self) -> Result<()> {
        let Some(temp) = self.temp.take() else { return Ok(()) };
        let fail = |e| Error::io("cannot give the new folder its name", &self.path, e);
        if self.inside {
            return move_up(temp.path()).map_err(fail);
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let _ = std::fs::set_permissions(temp.path(), std::fs::Permissions::from_mode(0o755));
        }
        let target = self.real.as_deref().unwrap_or(&self.path);
        // A folder that was to be there empty, or not at all, is not set aside: the system refuses to replace a full one.
        let exists = self.overwrite && target.symlink_metadata().is_ok();
        let old = temp.path().with_extension("old");
        if exists {
            refuse_foreign(target)?;
            std::fs::rename(target, &old).map_err(fail)?;
        }
        if let Err(e) = std::fs::rename(temp.path(), target) {
            if exists {
                let _ = std::fs::rename(&old, target);
            }
            return Err(fail(e));
        }
        // It has another name now; nothing is left to be removed.
        let _ = temp.keep();
        if exists {
            let _ = std::fs::remove_dir_all(&old);
        }
        crate::io::commit::sync_folder(target);
        Ok(())
    }
}

/// True for a folder that cannot get another name: the one the program runs in, or where a file system is mounted.
fn is_fixed(folder: &Path) -> bool {
    if std::env::current_dir().and_then(|d| d.canonicalize()).is_ok_and(|d| d == folder) {
        return true;
    }
    let Some(parent) = folder.parent() else { return true };
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let device = |p: &Path| p.metadata().map(|m| m.dev()).ok();
        device(folder) != device(parent)
    }
    #[cfg(not(unix))]
    {
        let _ = parent;
        false
    }
}

/// Moves all that is in a folder beside it; if one thing does not go, none has gone.
fn move_up(folder: &Path) -> std::io::Result<()> {
    let Some(parent) = folder.parent() else { return Ok(()) };
    let mut moved = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let from = entry?.path();
        let to = parent.join(from.file_name().unwrap_or_default());
        let done = if to.symlink_metadata().is_ok() {
            Err(std::io::Error::other("something of that name has come while this ran"))
        } else {
            std::fs::rename(&from, &to)
        };
        if let Err(e) = done {
            for (from, to) in moved {
                let _ = std::fs::rename(to, from);
            }
            return Err(e);
        }
        moved.push((from, to));
    }
    crate::io::commit::sync_folder(folder);
    Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes into the place of the target during a run stays, and the run fails.
    #[test]
    fn nothing_of_others_goes_at_the_end() {
        for (overwrite, there) in [(false, false), (false, true), (true, false), (true, true)] {
            let top = tempfile::tempdir().unwrap();
            let target = top.path().join("target");
            if there {
                std::fs::create_dir(&target).unwrap();
            }
            let new = NewFolder::create(&target, overwrite).unwrap();
            std::fs::write(new.path().join("1.eml"), "ours").unwrap();
            std::fs::create_dir_all(&target).unwrap();
            std::fs::write(target.join("thesis.txt"), "precious").unwrap();
            assert!(new.commit().is_err(), "{overwrite} {there}");
            assert_eq!(std::fs::read(target.join("thesis.txt")).unwrap(), b"precious");
            assert_eq!(std::fs::read_dir(top.path()).unwrap().count(), 1, "nothing of ours is left");
        }
    }
}
