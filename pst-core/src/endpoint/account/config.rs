//! The configuration file: accounts by name, in TOML.

use super::Settings;
use crate::error::{Error, Kind, Result};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use toml::de::DeTable;

/// Keys that people would put secrets under. Configurations are copied, mailed and committed.
const SECRETS: &[&str] = &[
    "password",
    "pass",
    "passwd",
    "secret",
    "client-secret",
    "client_secret",
    "token",
    "access-token",
    "refresh-token",
];

/// A configuration as it was read.
#[derive(Debug, Clone, Default)]
pub struct Config {
    path: PathBuf,
    accounts: BTreeMap<String, Settings>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Top {
    #[serde(default)]
    account: BTreeMap<String, Settings>,
}

impl Config {
    /// Reads a configuration; relative paths in it are read from its folder.
    ///
    /// # Errors
    /// [`Kind::Io`] where it cannot be read; [`Kind::Usage`] with the line of what is wrong: syntax, unknown keys, and
    /// secrets, which do not belong there.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|e| Error::io("cannot read", path, e))?;
        Self::parse(&text, path)
    }

    /// Reads the configuration at its usual place; there need not be one.
    ///
    /// # Errors
    /// As [`Config::read`].
    pub fn standard() -> Result<Self> {
        match super::config_file() {
            Some(path) if path.exists() => Self::read(&path),
            path => Ok(Self { path: path.unwrap_or_default(), accounts: BTreeMap::new() }),
        }
    }

    fn parse(text: &str, path: &Path) -> Result<Self> {
        let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
        let wrong = |span: Option<Range<usize>>, what: &str| {
            let line = line_of(text, span.map_or(0, |s| s.start));
            Error::new(Kind::Usage, format!("line {line}: {what}")).in_file(path)
        };
        // What the parser shows of a line could be a secret; its sentence alone does not show it.
        let invalid = |e: &toml::de::Error| {
            let said = e.message().lines().next().unwrap_or_default();
            match said.split_once(", expected one of") {
                Some((unknown, _)) => wrong(e.span(), &format!("{unknown}; pst login --help names what there is")),
                None => wrong(e.span(), said),
            }
        };
        refuse_secrets(text, &wrong, &invalid)?;
        let top: Top = toml::from_str(text).map_err(|e| invalid(&e))?;
        let folder = path.parent().unwrap_or_else(|| Path::new(""));
        let accounts = top.account.into_iter().map(|(name, s)| (name, s.in_folder(folder))).collect();
        Ok(Self { path: path.to_path_buf(), accounts })
    }

    /// The names of the accounts, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.accounts.keys().map(String::as_str)
    }

    /// What is said of an account.
    ///
    /// # Errors
    /// [`Kind::NotFound`], naming those that are there.
    pub fn account(&self, name: &str) -> Result<&Settings> {
        self.accounts.get(name).ok_or_else(|| {
            let names: Vec<&str> = self.names().collect();
            let there = if names.is_empty() { "no account".to_owned() } else { names.join(", ") };
            let text = format!("there is no account \"{name}\" in the configuration, which has {there}");
            Error::new(Kind::NotFound, text).in_file(&self.path)
        })
    }
}

fn refuse_secrets(
    text: &str,
    wrong: &dyn Fn(Option<Range<usize>>, &str) -> Error,
    invalid: &dyn Fn(&toml::de::Error) -> Error,
) -> Result<()> {
    let table = DeTable::parse(text).map_err(|e| invalid(&e))?;
    let accounts = table.get_ref().get("account").and_then(|a| a.get_ref().as_table());
    for (key, _) in accounts.into_iter().flatten().filter_map(|(_, a)| a.get_ref().as_table()).flatten() {
        if SECRETS.contains(&key.get_ref().to_ascii_lowercase().as_str()) {
            let what = "secrets do not stand in the configuration; password-file, password-env, password-command, \
                        netrc, keyring and client-secret-file say where they are";
            return Err(wrong(Some(key.span()), what));
        }
    }
    Ok(())
}

/// The number of the line that an offset is in.
fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|b| *b == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config> {
        Config::parse(text, Path::new("/etc/pst/config.toml"))
    }

    #[test]
    fn accounts() {
        let config = parse(
            "\u{FEFF}[account.work]\naddress = \"imaps://imap.example.org\"\nuser = \"anna\"\npassword-file = \"secret\"\n\
             include = [\"#Inbox#/*\"]\nconnections = 3\n[account.\"at home\"]\nprovider = \"google\"\nauth = \"oauth\"\n",
        )
        .unwrap();
        assert_eq!(config.names().collect::<Vec<_>>(), ["at home", "work"]);
        let work = config.account("work").unwrap();
        assert_eq!(work.password_file.as_deref(), Some(Path::new("/etc/pst/secret")));
        assert_eq!((work.connections, work.include.len()), (Some(3), 1));
        let missing = config.account("wrok").unwrap_err().to_string();
        assert!(missing.contains("\"wrok\"") && missing.contains("at home, work"), "{missing}");
        assert_eq!(parse("").unwrap().names().count(), 0);
    }

    #[test]
    fn mistakes_have_lines_and_show_no_secrets() {
        for (text, line, says) in [
            ("[account.a]\nuser = \"x\"\npasswrod-file = \"f\"\n", 3, "unknown field `passwrod-file`"),
            ("[account.a]\npassword = \"hunter2\"\n", 2, "secrets do not stand"),
            ("[account.a]\n\n\"Client-Secret\" = \"hunter2\"\n", 3, "secrets do not stand"),
            ("[account.a]\npassword = hunter2\n", 2, ""),
            ("account.a.password = \"hunter2\"\n", 1, "secrets do not stand"),
            ("[account.a]\nconnections = \"many\"\n", 2, "invalid type"),
            ("[account.a]\nauth = \"magic\"\n", 2, "unknown variant"),
            ("[acount.a]\nuser = \"x\"\n", 1, "unknown field `acount`"),
            ("[account.a]\nuser = \"x\"\nuser = \"y\"\n", 3, "duplicate"),
            ("[account.a\n", 1, ""),
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!(error.kind(), Kind::Usage);
            let said = error.to_string();
            assert!(said.contains(&format!("line {line}:")) && said.contains(says), "{text}: {said}");
            assert!(!said.contains("hunter2") && !said.contains('\n'), "{said}");
        }
    }
}
