//! Where passwords come from.

use super::{Account, Ask, files, netrc};
use crate::endpoint::net::Secret;
use crate::error::{Error, Kind, Result};
use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The variable that a password is taken from where nothing else is said.
const VARIABLE: &str = "PST_PASSWORD";

/// Where a password comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PasswordFrom {
    /// The first line of a file.
    File(PathBuf),
    /// A variable of the environment.
    Variable(String),
    /// The first line that a command of the shell prints.
    Command(String),
    /// A netrc file.
    Netrc(PathBuf),
    /// The keyring of the desktop.
    Keyring,
    /// Nothing is said: the variable PST_PASSWORD, the keyring where this build has it, ~/.netrc, and then a person.
    Anywhere,
    /// As [`PasswordFrom::Anywhere`], without the variable, which would be the same for several servers.
    AnywhereOfItsOwn,
}

/// Whose password.
pub(super) struct Who<'a> {
    pub host: &'a str,
    pub user: &'a str,
    pop: bool,
}

impl<'a> Who<'a> {
    pub(super) fn of(account: &'a Account) -> Self {
        Self { host: &account.address.host, user: &account.user, pop: account.address.scheme.is_pop() }
    }

    /// What a person is asked.
    pub(super) fn prompt(&self) -> String {
        format!("Password of {} at {}", self.user, self.host)
    }

    /// The name of the service in a keyring.
    #[cfg(feature = "keyring")]
    pub(super) fn service(&self) -> String {
        format!("pst:{}://{}", if self.pop { "pop3" } else { "imap" }, self.host)
    }

    fn nothing_in(&self, place: &str) -> Error {
        let protocol = if self.pop { "POP3" } else { "IMAP" };
        Error::new(Kind::NotFound, format!("{place} has no {protocol} password of {} at {}", self.user, self.host))
    }
}

impl PasswordFrom {
    /// The password.
    ///
    /// # Errors
    /// [`Kind::NotFound`] where there is none, [`Kind::Io`] where it cannot be read; one sentence without the password.
    pub(super) fn read(&self, who: &Who<'_>, ask: &dyn Ask) -> Result<Secret> {
        match self {
            Self::File(path) => {
                warn(path, ask);
                files::first_line(path).map(Secret::new)
            }
            Self::Variable(name) => variable(name)?.ok_or_else(|| {
                Error::new(Kind::NotFound, format!("the variable {name}, which should have the password, is not set"))
            }),
            Self::Command(command) => printed_by(command),
            Self::Netrc(path) => in_netrc(path, who, ask)?.ok_or_else(|| who.nothing_in("this file").in_file(path)),
            Self::Keyring => in_keyring(who)?.ok_or_else(|| who.nothing_in("the keyring")),
            Self::Anywhere => match variable(VARIABLE)? {
                Some(password) => Ok(password),
                None => Self::AnywhereOfItsOwn.read(who, ask),
            },
            Self::AnywhereOfItsOwn => {
                // A keyring that does not answer is none: the desktop may not be there.
                if let Ok(Some(password)) = in_keyring(who) {
                    return Ok(password);
                }
                let netrc = files::home().map(|h| h.join(".netrc")).filter(|p| p.is_file());
                if let Some(path) = netrc
                    && let Some(password) = in_netrc(&path, who, ask)?
                {
                    return Ok(password);
                }
                ask.password(&who.prompt())
            }
        }
    }
}

/// Says that others can read a file of secrets.
pub(super) fn warn(path: &Path, ask: &dyn Ask) {
    if files::is_open_to_others(path) {
        ask.tell(&format!("{}: others can read this file of secrets; chmod 600 ends that", path.display()));
    }
}

fn variable(name: &str) -> Result<Option<Secret>> {
    match env::var(name) {
        Ok(text) => Ok(Some(text).filter(|t| !t.is_empty()).map(Secret::new)),
        Err(env::VarError::NotPresent) => Ok(None),
        Err(env::VarError::NotUnicode(_)) => {
            Err(Error::new(Kind::Damaged, format!("the variable {name} is not text in UTF-8")))
        }
    }
}

fn in_netrc(path: &Path, who: &Who<'_>, ask: &dyn Ask) -> Result<Option<Secret>> {
    let found = netrc::find(&files::read(path)?, who.host, who.user);
    if found.is_some() {
        warn(path, ask);
    }
    Ok(found)
}

#[cfg(feature = "keyring")]
fn in_keyring(who: &Who<'_>) -> Result<Option<Secret>> {
    super::keyring::load(&who.service(), who.user)
}

#[cfg(not(feature = "keyring"))]
#[expect(clippy::unnecessary_wraps, reason = "a keyring may fail")]
fn in_keyring(_who: &Who<'_>) -> Result<Option<Secret>> {
    Ok(None)
}

/// The first line that a command prints. It may talk to the user by the terminal.
fn printed_by(command: &str) -> Result<Secret> {
    let (shell, flag) = if cfg!(windows) { ("cmd", "/C") } else { ("sh", "-c") };
    let output = Command::new(shell)
        .args([flag, command])
        .stdin(Stdio::inherit())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|e| Error::system("the command for the password cannot be started", e))?;
    if !output.status.success() {
        let text = format!("the command for the password has failed ({})", output.status);
        return Err(Error::new(Kind::NotFound, text));
    }
    let text = String::from_utf8(output.stdout)
        .map_err(|_| Error::new(Kind::Damaged, "what the command for the password prints is not text in UTF-8"))?;
    match text.lines().next() {
        Some(line) if !line.is_empty() => Ok(Secret::new(line)),
        _ => Err(Error::new(Kind::NotFound, "the command for the password has printed none")),
    }
}
