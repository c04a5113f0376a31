//! What can be said of an account, by options or by keys of the configuration.

use super::{PasswordFrom, files, usage};
use crate::endpoint::net::{TlsOptions, tls};
use crate::error::Result;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// How a connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protection {
    /// TLS from the first byte, as imaps:// and pop3s:// have it.
    Tls,
    /// TLS after the greeting, as imap:// and pop3:// have it.
    StartTls,
    /// None.
    Plain,
}

/// What is shown to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Auth {
    /// A password.
    Password,
    /// A token of OAuth 2.
    OAuth,
}

/// How the first token is got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Flow {
    /// A code that is typed at a page of the provider, on any machine (RFC 8628).
    Device,
    /// The browser of this machine (RFC 8252, with PKCE).
    Browser,
    /// The app signs in by itself, for mailboxes that an administrator has opened to it (RFC 6749, 4.4).
    App,
}

/// What is said of an account. What is not said is `None` or empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Settings {
    /// "imaps://imap.example.org".
    pub address: Option<String>,
    /// Who signs in; with OAuth 2 the mailbox, which may be a shared one.
    pub user: Option<String>,
    /// How the connection is protected.
    pub security: Option<Protection>,
    /// Certificates (PEM) that may vouch for the server.
    pub ca_file: Option<PathBuf>,
    /// SHA-256 sums of the server's certificate or key, in hexadecimal or base64.
    pub pin_sha256: Vec<String>,
    /// The certificate (PEM) that is shown to the server.
    pub client_cert: Option<PathBuf>,
    /// Its key (PEM).
    pub client_key: Option<PathBuf>,
    /// What is shown to the server.
    pub auth: Option<Auth>,
    /// The password is the first line of this file.
    pub password_file: Option<PathBuf>,
    /// The password is in this variable of the environment.
    pub password_env: Option<String>,
    /// The password is the first line that this command prints.
    pub password_command: Option<String>,
    /// The password is in this netrc file.
    pub netrc: Option<PathBuf>,
    /// The password is in the keyring.
    pub keyring: bool,
    /// How the first token is got.
    pub oauth: Option<Flow>,
    /// "microsoft", "google", or any name with URLs of its own.
    pub provider: Option<String>,
    /// The client (app) as it is registered at the provider.
    pub client_id: Option<String>,
    /// The client's secret is the first line of this file.
    pub client_secret_file: Option<PathBuf>,
    /// The client's certificate (PEM), which stands for a secret.
    pub app_certificate: Option<PathBuf>,
    /// The RSA key of that certificate (PEM), where it is in another file.
    pub app_key: Option<PathBuf>,
    /// Where Microsoft Graph is, where that is not the global service: "graph.microsoft.us".
    pub graph_host: Option<String>,
    /// The organisation at Microsoft: an id or a domain.
    pub tenant: Option<String>,
    /// The provider's page for the browser.
    pub auth_url: Option<String>,
    /// Where the provider gives tokens.
    pub token_url: Option<String>,
    /// Where the provider gives codes for devices.
    pub device_url: Option<String>,
    /// What is asked for.
    pub scope: Vec<String>,
    /// Patterns of folders that are taken.
    pub include: Vec<String>,
    /// Patterns of folders that are left out.
    pub exclude: Vec<String>,
    /// How many connections at once.
    pub connections: Option<usize>,
    /// Seconds that the server may be silent.
    pub timeout: Option<u64>,
    /// The variable PST_PASSWORD is for another account.
    #[serde(skip)]
    pub one_of_many: bool,
    /// A mailbox of Microsoft 365 is reached by Graph, also where its address is one of EWS, which Microsoft ends there.
    #[serde(skip)]
    pub by_graph: bool,
}

impl Settings {
    /// These settings before those of `base`. Who names one source of passwords wants no other one of the base, and who
    /// names another provider none of its URLs.
    #[must_use]
    pub fn over(self, base: Self) -> Self {
        let password = self.names_password();
        let provider = self.provider.is_some() && self.provider != base.provider;
        let names_user = self.address.as_ref().is_some_and(|a| a.contains('@'));
        let of_base = |own: bool, value: Option<String>| value.filter(|_| !own);
        Self {
            address: self.address.or(base.address),
            user: self.user.or(of_base(names_user, base.user)),
            security: self.security.or(base.security),
            ca_file: self.ca_file.or(base.ca_file),
            pin_sha256: or(self.pin_sha256, base.pin_sha256),
            client_cert: self.client_cert.or(base.client_cert),
            client_key: self.client_key.or(base.client_key),
            auth: self.auth.or(base.auth),
            password_file: self.password_file.or(base.password_file.filter(|_| !password)),
            password_env: self.password_env.or(of_base(password, base.password_env)),
            password_command: self.password_command.or(of_base(password, base.password_command)),
            netrc: self.netrc.or(base.netrc.filter(|_| !password)),
            keyring: self.keyring || (base.keyring && !password),
            oauth: self.oauth.or(base.oauth),
            client_id: self.client_id.or(of_base(provider, base.client_id)),
            client_secret_file: self.client_secret_file.or(base.client_secret_file.filter(|_| !provider)),
            app_certificate: self.app_certificate.or(base.app_certificate.filter(|_| !provider)),
            app_key: self.app_key.or(base.app_key.filter(|_| !provider)),
            graph_host: self.graph_host.or(base.graph_host),
            tenant: self.tenant.or(of_base(provider, base.tenant)),
            auth_url: self.auth_url.or(of_base(provider, base.auth_url)),
            token_url: self.token_url.or(of_base(provider, base.token_url)),
            device_url: self.device_url.or(of_base(provider, base.device_url)),
            scope: or(self.scope, if provider { Vec::new() } else { base.scope }),
            provider: self.provider.or(base.provider),
            include: or(self.include, base.include),
            exclude: or(self.exclude, base.exclude),
            connections: self.connections.or(base.connections),
            timeout: self.timeout.or(base.timeout),
            one_of_many: self.one_of_many || base.one_of_many,
            by_graph: self.by_graph || base.by_graph,
        }
    }

    /// Reads paths from `folder`, or from the home for `~/`.
    #[must_use]
    pub(super) fn in_folder(mut self, folder: &Path) -> Self {
        for path in [
            &mut self.ca_file,
            &mut self.client_cert,
            &mut self.client_key,
            &mut self.password_file,
            &mut self.netrc,
            &mut self.client_secret_file,
            &mut self.app_certificate,
            &mut self.app_key,
        ] {
            *path = path.take().map(|p| files::resolve(&p, folder));
        }
        self
    }

    /// True where a source of the password is named.
    pub(super) fn names_password(&self) -> bool {
        self.password_file.is_some()
            || self.password_env.is_some()
            || self.password_command.is_some()
            || self.netrc.is_some()
            || self.keyring
    }

    /// Which certificates are taken, and which is shown.
    pub(super) fn tls(&self) -> Result<TlsOptions> {
        let client_cert = match (&self.client_cert, &self.client_key) {
            (Some(cert), key) => Some((cert.clone(), key.clone().unwrap_or_else(|| cert.clone()))),
            (None, Some(_)) => return Err(usage("a client key goes with a client certificate (client-cert)")),
            (None, None) => None,
        };
        let pins = self.pin_sha256.iter().map(|p| pin(p)).collect::<Result<_>>()?;
        Ok(TlsOptions { ca_file: self.ca_file.clone(), pins, client_cert })
    }

    /// The one place that the password comes from.
    pub(super) fn password_from(&self) -> Result<PasswordFrom> {
        let named: Vec<PasswordFrom> = [
            self.password_file.clone().map(PasswordFrom::File),
            self.password_env.clone().map(PasswordFrom::Variable),
            self.password_command.clone().map(PasswordFrom::Command),
            self.netrc.clone().map(PasswordFrom::Netrc),
            self.keyring.then_some(PasswordFrom::Keyring),
        ]
        .into_iter()
        .flatten()
        .collect();
        match <[PasswordFrom; 1]>::try_from(named) {
            Ok([PasswordFrom::Keyring]) if !cfg!(feature = "keyring") => {
                Err(usage("this build has no keyring; the feature keyring adds it"))
            }
            Ok([one]) => Ok(one),
            Err(none) if none.is_empty() && self.one_of_many => Ok(PasswordFrom::AnywhereOfItsOwn),
            Err(none) if none.is_empty() => Ok(PasswordFrom::Anywhere),
            Err(_) => {
                Err(usage("the password comes from one place: a file, a variable, a command, netrc or the keyring"))
            }
        }
    }
}

fn or(own: Vec<String>, base: Vec<String>) -> Vec<String> {
    if own.is_empty() { base } else { own }
}

/// A SHA-256 sum in hexadecimal, with or without colons, or in base64 as curl has it ("sha256//...").
///
/// # Errors
/// [`Kind::Usage`](crate::Kind::Usage) for anything else.
pub fn pin(text: &str) -> Result<[u8; 32]> {
    let base64 = text.strip_prefix("sha256//").unwrap_or(text);
    let sum = if base64.len() == 44 { base64_simd::STANDARD.decode_to_vec(base64).ok() } else { None };
    match sum.and_then(|s| s.try_into().ok()) {
        Some(sum) => Ok(sum),
        None => tls::pin(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pins() {
        let hex = "00:01:02:03:04:05:06:07:08:09:0A:0b:0c:0d:0e:0f:10:11:12:13:14:15:16:17:18:19:1a:1b:1c:1d:1e:ff";
        let mut wanted: [u8; 32] = std::array::from_fn(|i| i as u8);
        wanted[31] = 0xFF;
        assert_eq!(pin(hex).unwrap(), wanted);
        assert_eq!(pin(&hex.replace(':', "")).unwrap(), wanted);
        assert_eq!(pin("sha256//AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHv8=").unwrap(), wanted);
        for bad in ["", "00", "xyz", &hex[3..], "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHv8", "é"] {
            assert!(pin(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn one_source_of_passwords_replaces_another() {
        let base = Settings { password_env: Some("A".into()), timeout: Some(5), ..Settings::default() };
        let over = Settings { password_file: Some("p".into()), ..Settings::default() }.over(base.clone());
        assert_eq!(over.password_from().unwrap(), PasswordFrom::File("p".into()));
        assert_eq!(over.timeout, Some(5));
        let anna = Settings { user: Some("anna".into()), address: Some("imaps://a".into()), ..base.clone() };
        let at = |address: &str| Settings { address: Some(address.into()), ..Settings::default() }.over(anna.clone());
        assert_eq!((at("imaps://bob@b").user, at("imaps://b").user.as_deref()), (None, Some("anna")));
        let both = Settings { keyring: true, ..base };
        assert!(both.password_from().is_err());
    }
}
