//! The keyring of the desktop: the Secret Service, the Keychain, the Credential Manager.

use crate::endpoint::net::Secret;
use crate::error::{Error, Kind, Result};
use keyring::Entry;

fn entry(service: &str, user: &str) -> Result<Entry> {
    Entry::new(service, user).map_err(|e| failed(&e))
}

/// Errors of the keyring may carry what it holds, so that only their kind is told.
fn failed(e: &keyring::Error) -> Error {
    let why = match e {
        keyring::Error::NoDefaultStore => "there is none here",
        keyring::Error::NoStorageAccess(_) => "it is locked or refuses",
        keyring::Error::Ambiguous(_) => "it has several entries of this name",
        keyring::Error::BadEncoding(_) => "its entry is not text",
        _ => "it has failed",
    };
    Error::new(Kind::Io, format!("the keyring cannot be used: {why}"))
}

/// True where there is a keyring.
pub(super) fn is_there() -> bool {
    Entry::store_status().is_ok()
}

/// A secret, if it is there.
pub(super) fn load(service: &str, user: &str) -> Result<Option<Secret>> {
    match entry(service, user)?.get_password() {
        Ok(secret) => Ok(Some(Secret::new(secret))),
        Err(keyring::Error::NoEntry) => Ok(None),
        Err(e) => Err(failed(&e)),
    }
}

/// Keeps a secret in place of an older one.
pub(super) fn save(service: &str, user: &str, secret: &Secret) -> Result<()> {
    entry(service, user)?.set_password(secret.expose()).map_err(|e| failed(&e))
}

/// Removes a secret. False if it was not there.
pub(super) fn remove(service: &str, user: &str) -> Result<bool> {
    match entry(service, user)?.delete_credential() {
        Ok(()) => Ok(true),
        Err(keyring::Error::NoEntry) => Ok(false),
        Err(e) => Err(failed(&e)),
    }
}
