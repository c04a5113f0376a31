//! Where the files of accounts are, and who can read them.

use crate::error::{Error, Kind, Result};
use std::env;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

/// More bytes than this are no password.
const LIMIT: u64 = 64 << 10;

/// The user's home.
pub(super) fn home() -> Option<PathBuf> {
    env::home_dir().filter(|h| h.is_absolute())
}

/// `path` with the user's home in place of a leading `~/`, and relative to `base` otherwise.
pub(super) fn resolve(path: &Path, base: &Path) -> PathBuf {
    match (path.strip_prefix("~"), home()) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => base.join(path),
    }
}

/// The folder that a variable of the XDG base directories names, which must be an absolute path to count.
fn xdg(variable: &str) -> Option<PathBuf> {
    env::var_os(variable).map(PathBuf::from).filter(|p| p.is_absolute())
}

/// The system's folder for what `unix` stands for below the home.
fn standard(unix: &str, windows: &str) -> Option<PathBuf> {
    if cfg!(windows) {
        return env::var_os(windows).map(PathBuf::from);
    }
    let mac = "Library/Application Support";
    Some(home()?.join(if cfg!(target_os = "macos") { mac } else { unix }))
}

/// The configuration file where no other is named: `$XDG_CONFIG_HOME/pst/config.toml` or what the system has for it.
pub fn config_file() -> Option<PathBuf> {
    Some(xdg("XDG_CONFIG_HOME").or_else(|| standard(".config", "APPDATA"))?.join("pst").join("config.toml"))
}

/// The folder of what is kept between runs: `$XDG_STATE_HOME/pst` or what the system has for it.
pub fn state_folder() -> Option<PathBuf> {
    Some(xdg("XDG_STATE_HOME").or_else(|| standard(".local/state", "LOCALAPPDATA"))?.join("pst"))
}

/// Where it is noted what was pushed into a mailbox by an account; the folder is made if `make` says so. `mailbox` tells the
/// mailbox from others that the account opens.
///
/// # Errors
/// [`Kind::NotFound`] where there is no home, [`Kind::Io`] where the folder cannot be made.
pub fn push_journal(account: &super::Account, mailbox: &str, make: bool) -> Result<PathBuf> {
    let none =
        || Error::new(Kind::NotFound, "no folder is known for what is kept between runs; --journal FILE names a place");
    let folder = state_folder().ok_or_else(none)?.join("push");
    if make {
        make_private_folder(&folder)?;
    }
    let port = account.address.port.map(|p| format!(" {p}")).unwrap_or_default();
    let name = format!("{mailbox} at {}{port}", account.address.host.to_lowercase());
    Ok(folder.join(format!("{}.state", crate::endpoint::text::file_name(&name))))
}

/// The text of a small file that holds secrets.
///
/// # Errors
/// [`Kind::Io`] where it cannot be read, [`Kind::Limit`] for a large one, [`Kind::Damaged`] for one that is no UTF-8.
pub(super) fn read(path: &Path) -> Result<String> {
    let file = File::open(path).map_err(|e| Error::io("cannot open", path, e))?;
    let mut bytes = Vec::new();
    file.take(LIMIT + 1).read_to_end(&mut bytes).map_err(|e| Error::io("cannot read", path, e))?;
    if bytes.len() as u64 > LIMIT {
        return Err(Error::new(Kind::Limit, "this is too large for a file of secrets").in_file(path));
    }
    String::from_utf8(bytes).map_err(|_| Error::new(Kind::Damaged, "this is not text in UTF-8").in_file(path))
}

/// The first line of a file of secrets, without its end.
///
/// # Errors
/// As [`read`], and [`Kind::NotFound`] where it is empty.
pub(super) fn first_line(path: &Path) -> Result<String> {
    let text = read(path)?;
    let line = text.lines().next().unwrap_or_default();
    if line.is_empty() {
        return Err(Error::new(Kind::NotFound, "its first line, which should be the secret, is empty").in_file(path));
    }
    Ok(line.to_owned())
}

/// True for a regular file that others than its owner can read.
#[cfg(unix)]
pub(super) fn is_open_to_others(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o077 != 0)
}

/// Rights that are lists are not judged.
#[cfg(not(unix))]
pub(super) fn is_open_to_others(_path: &Path) -> bool {
    false
}

/// Makes a folder that only its owner can enter, with those above it.
pub(super) fn make_private_folder(path: &Path) -> Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|e| Error::io("cannot make this folder", path, e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_a_configuration() {
        let base = Path::new("/etc/pst");
        assert_eq!(resolve(Path::new("ca.pem"), base), Path::new("/etc/pst/ca.pem"));
        assert_eq!(resolve(Path::new("/x/ca.pem"), base), Path::new("/x/ca.pem"));
        assert_eq!(resolve(Path::new("~/ca.pem"), base), home().unwrap().join("ca.pem"));
        assert_eq!(resolve(Path::new("~anna/ca.pem"), base), Path::new("/etc/pst/~anna/ca.pem"));
    }

    #[test]
    fn the_first_line_is_the_secret() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret");
        for (text, secret) in [("a b ", "a b "), ("one\r\ntwo", "one"), ("ü\n", "ü")] {
            fs::write(&path, text).unwrap();
            assert_eq!(first_line(&path).unwrap(), secret);
        }
        for text in ["", "\nsecond", "\u{0}"] {
            fs::write(&path, text).unwrap();
            assert_eq!(first_line(&path).is_err(), text != "\u{0}");
        }
        fs::write(&path, b"\xFF\n").unwrap();
        assert!(first_line(&path).is_err());
        fs::write(&path, vec![b'x'; 100_000]).unwrap();
        assert_eq!(first_line(&path).unwrap_err().kind(), Kind::Limit);
    }
}
