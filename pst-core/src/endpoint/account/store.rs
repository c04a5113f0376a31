//! Where sign-ins are kept between runs: refresh tokens, nothing else.

use super::files;
use crate::endpoint::net::Secret;
use crate::error::{Error, Kind, Result};
use serde_json::{Map, Value, json};
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

/// Whose sign-in, at whom, through which client and for what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The user.
    pub user: String,
    /// Where the provider gives tokens.
    pub token_url: String,
    /// The client that was signed in through.
    pub client_id: String,
    /// What it may do.
    pub scope: String,
}

impl Key {
    /// The key as one text.
    fn name(&self) -> String {
        format!("{} {} {} {}", self.user, self.token_url, self.client_id, self.scope)
    }
}

/// The keyring where this build and the system have one, or else a file that only its owner can read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenStore {
    /// The keyring of the desktop.
    #[cfg(feature = "keyring")]
    Keyring,
    /// A JSON file.
    File(PathBuf),
}

impl fmt::Display for TokenStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            #[cfg(feature = "keyring")]
            Self::Keyring => f.write_str("the keyring"),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

/// The service's name in a keyring.
#[cfg(feature = "keyring")]
const SERVICE: &str = "pst:oauth";

impl TokenStore {
    /// The store of this user.
    ///
    /// # Errors
    /// [`Kind::NotFound`] where the user has no home.
    pub fn standard() -> Result<Self> {
        #[cfg(feature = "keyring")]
        if super::keyring::is_there() {
            return Ok(Self::Keyring);
        }
        let folder = super::state_folder().ok_or_else(|| {
            Error::new(Kind::NotFound, "there is no home to keep sign-ins in; XDG_STATE_HOME names another folder")
        })?;
        Ok(Self::File(folder.join("tokens.json")))
    }

    /// A kept refresh token.
    ///
    /// # Errors
    /// [`Kind::Io`] where the store cannot be read, [`Kind::Damaged`] where it makes no sense or others can read it.
    pub fn load(&self, key: &Key) -> Result<Option<Secret>> {
        match self {
            #[cfg(feature = "keyring")]
            Self::Keyring => super::keyring::load(SERVICE, &key.name()),
            Self::File(path) => Ok(read(path)?.get(&key.name()).and_then(Value::as_str).map(Secret::new)),
        }
    }

    /// Keeps a refresh token in place of an older one.
    ///
    /// # Errors
    /// As [`TokenStore::load`], and where the store cannot be written.
    pub fn save(&self, key: &Key, refresh: &Secret) -> Result<()> {
        match self {
            #[cfg(feature = "keyring")]
            Self::Keyring => super::keyring::save(SERVICE, &key.name(), refresh),
            Self::File(path) => {
                let _lock = lock(path)?;
                let mut all = read(path)?;
                all.insert(key.name(), Value::from(refresh.expose()));
                write(path, &all)
            }
        }
    }

    /// Forgets a refresh token. False if there was none.
    ///
    /// # Errors
    /// As [`TokenStore::save`].
    pub fn remove(&self, key: &Key) -> Result<bool> {
        match self {
            #[cfg(feature = "keyring")]
            Self::Keyring => super::keyring::remove(SERVICE, &key.name()),
            Self::File(path) if !path.exists() => Ok(false),
            Self::File(path) => {
                let _lock = lock(path)?;
                let mut all = read(path)?;
                let was_there = all.remove(&key.name()).is_some();
                if was_there {
                    write(path, &all)?;
                }
                Ok(was_there)
            }
        }
    }
}

/// Runs at the same time wait for each other, so that none loses what another has renewed.
fn lock(path: &Path) -> Result<File> {
    if let Some(folder) = path.parent() {
        files::make_private_folder(folder)?;
    }
    let beside = path.with_extension("lock");
    let failed = |e| Error::io("cannot lock", &beside, e);
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(&beside).map_err(failed)?;
    file.lock().map_err(failed)?;
    Ok(file)
}

fn read(path: &Path) -> Result<Map<String, Value>> {
    if !path.exists() {
        return Ok(Map::new());
    }
    if files::is_open_to_others(path) {
        let text = "others can read this file of sign-ins; chmod 600 ends that, and pst login renews what is in it";
        return Err(Error::new(Kind::Damaged, text).in_file(path));
    }
    let damaged =
        || Error::new(Kind::Damaged, "this is no file of sign-ins; remove it and run pst login again").in_file(path);
    let text = std::fs::read_to_string(path).map_err(|e| Error::io("cannot read", path, e))?;
    match serde_json::from_str(&text) {
        Ok(Value::Object(mut top)) => match top.remove("refresh_tokens") {
            Some(Value::Object(all)) => Ok(all),
            _ => Err(damaged()),
        },
        _ => Err(damaged()),
    }
}

/// Temporary files have mode 0600, which the rename keeps.
fn write(path: &Path, all: &Map<String, Value>) -> Result<()> {
    let failed = |e| Error::io("cannot write", path, e);
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    let mut temp = tempfile::Builder::new().prefix(".tokens-").tempfile_in(folder).map_err(failed)?;
    let text = json!({ "refresh_tokens": all }).to_string();
    temp.write_all(text.as_bytes()).and_then(|()| temp.as_file().sync_all()).map_err(failed)?;
    temp.persist(path).map_err(|e| failed(e.error))?;
    crate::io::commit::sync_folder(path);
    Ok(())
}
