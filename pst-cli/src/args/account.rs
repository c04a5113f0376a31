//! Options of accounts on mail servers.

use clap::{Args, ValueEnum};
use pst_core::endpoint::account::{Account, Auth, Config, Flow, Protection, Settings};
use pst_core::{Error, Kind, Result};
use std::path::PathBuf;

/// What --help says of secrets.
const SECRETS: &str = "\
Passwords are never options. One comes from the place that an option or the configuration names; where none is named, \
from the first of: the variable PST_PASSWORD (where one account is all), the keyring (in builds that have it), ~/.netrc, a \
prompt on the terminal. Files of secrets that others can read are told of.

OAuth 2 needs the id of an app (--client-id) that you or your administrator have registered at the provider; pst has none \
of its own. `pst login` keeps the sign-in (a refresh token, no password) in the keyring, or else in pst/tokens.json of \
$XDG_STATE_HOME (~/.local/state), mode 0600; `pst logout` removes it. Without --oauth the flow is device where the \
provider has it for mail, browser otherwise.

Accounts stand in pst/config.toml of $XDG_CONFIG_HOME (~/.config), under the names of the options; in place of --oauth \
and --starttls there are also auth = \"password\" or \"oauth\", and security = \"tls\", \"starttls\" or \"plain\":
  [account.work]
  address = \"imaps://outlook.office365.com\"
  user = \"anna@example.org\"
  provider = \"microsoft\"
  client-id = \"00000000-0000-0000-0000-000000000000\"
  tenant = \"example.org\"
  include = [\"#Inbox#/*\", \"#SentItems#\"]
  exclude = [\"Inbox/Lists\"]
  connections = 4

  [account.cloud]
  address = \"graph://anna@example.org\"
  client-id = \"00000000-0000-0000-0000-000000000000\"
  app-certificate = \"~/app.pem\"

  [account.old]
  address = \"imaps://anna@mail.example.net\"
  password-command = \"pass show mail\"
  ca-file = \"~/old-ca.pem\"";

/// `pst login` and `pst logout`.
#[derive(Debug, Args)]
#[command(after_help = SECRETS)]
pub struct SignIn {
    /// The account's address, such as imaps://anna@imap.example.org; not needed with --account.
    pub address: Option<String>,
    /// How to sign in.
    #[command(flatten)]
    pub options: AccountOptions,
}

/// How an account is reached and signed in to.
#[derive(Debug, Clone, Default, Args)]
pub struct AccountOptions {
    /// An account of the configuration, by its name; options go before what stands there.
    #[arg(long, value_name = "NAME", help_heading = "Account")]
    pub account: Option<String>,
    /// The configuration; without it pst/config.toml of the user's folder for configurations.
    #[arg(long, value_name = "FILE", help_heading = "Account")]
    pub config: Option<PathBuf>,
    /// Who signs in, if the address does not say it; with OAuth 2 the mailbox, which may be a shared one.
    #[arg(long, value_name = "NAME", help_heading = "Account")]
    pub user: Option<String>,
    /// The password is the first line of this file.
    #[arg(long, value_name = "FILE", help_heading = "Account")]
    pub password_file: Option<PathBuf>,
    /// The password is in this variable of the environment.
    #[arg(long, value_name = "NAME", help_heading = "Account")]
    pub password_env: Option<String>,
    /// The password is the first line that this command (of sh, or cmd on Windows) prints.
    #[arg(long, value_name = "COMMAND", help_heading = "Account")]
    pub password_command: Option<String>,
    /// The password is in this netrc file.
    #[arg(long, value_name = "FILE", help_heading = "Account")]
    pub netrc: Option<PathBuf>,
    /// The password is in the keyring, where `pst login` keeps it (in builds with the feature keyring).
    #[arg(long, help_heading = "Account")]
    pub keyring: bool,
    /// Sign in by OAuth 2.
    #[arg(long, value_enum, value_name = "FLOW", help_heading = "OAuth 2")]
    pub oauth: Option<OAuth>,
    /// The identity provider: microsoft or google (known by their servers), or any name with the URLs below.
    #[arg(long, value_name = "NAME", help_heading = "OAuth 2")]
    pub provider: Option<String>,
    /// The id of your app at the provider.
    #[arg(long, value_name = "ID", help_heading = "OAuth 2")]
    pub client_id: Option<String>,
    /// The app's secret, if it has one, is the first line of this file.
    #[arg(long, value_name = "FILE", help_heading = "OAuth 2")]
    pub client_secret_file: Option<PathBuf>,
    /// The app's certificate and RSA key (PEM) in place of a secret; graph:// and --oauth app.
    #[arg(long, value_name = "FILE", conflicts_with = "client_secret_file", help_heading = "OAuth 2")]
    pub app_certificate: Option<PathBuf>,
    /// The key (PEM) of the app's certificate, if it is not in the same file.
    #[arg(long, value_name = "FILE", requires = "app_certificate", help_heading = "OAuth 2")]
    pub app_key: Option<PathBuf>,
    /// The organisation at Microsoft, by id or domain; needed by --oauth app, but for graph://, whose addresses name it.
    #[arg(long, value_name = "ID", help_heading = "OAuth 2")]
    pub tenant: Option<String>,
    /// The provider's page for the browser.
    #[arg(long, value_name = "URL", help_heading = "OAuth 2")]
    pub auth_url: Option<String>,
    /// Where the provider gives tokens.
    #[arg(long, value_name = "URL", help_heading = "OAuth 2")]
    pub token_url: Option<String>,
    /// Where the provider gives codes for devices.
    #[arg(long, value_name = "URL", help_heading = "OAuth 2")]
    pub device_url: Option<String>,
    /// What is asked for, instead of what the provider has for mail. May be repeated.
    #[arg(long, value_name = "SCOPE", help_heading = "OAuth 2")]
    pub scope: Vec<String>,
    /// Where Graph is in a national cloud: graph.microsoft.us (GCC High), dod-graph.microsoft.us,
    /// microsoftgraph.chinacloudapi.cn; graph:// targets.
    #[arg(long, value_name = "HOST", help_heading = "Connection")]
    pub graph_host: Option<String>,
    /// TLS after the greeting, or nothing is sent: what imap:// and pop3:// mean anyway.
    #[arg(long, help_heading = "Connection")]
    pub starttls: bool,
    /// No TLS with imap:// and pop3://: everybody on the way sees password and mail.
    #[arg(long, conflicts_with = "starttls", help_heading = "Connection")]
    pub insecure_plaintext: bool,
    /// Certificates (PEM) of authorities that are believed beside those of the system.
    #[arg(long, value_name = "FILE", help_heading = "Connection")]
    pub ca_file: Option<PathBuf>,
    /// Believe the server by the SHA-256 of its certificate or public key alone (hexadecimal or base64). May be repeated.
    #[arg(long, value_name = "SUM", help_heading = "Connection")]
    pub pin_sha256: Vec<String>,
    /// Our own certificate (PEM) for the server.
    #[arg(long, value_name = "FILE", help_heading = "Connection")]
    pub client_cert: Option<PathBuf>,
    /// Its key (PEM), if it is not in the same file.
    #[arg(long, value_name = "FILE", requires = "client_cert", help_heading = "Connection")]
    pub client_key: Option<PathBuf>,
    /// How long the server may be silent [default: 60].
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=3600), help_heading = "Connection")]
    pub timeout: Option<u64>,
}

/// `--oauth`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OAuth {
    /// A code that you type at a page of the provider, on any machine.
    Device,
    /// The browser of this machine.
    Browser,
    /// The app by its own secret, for mailboxes that an administrator has opened to it.
    App,
}

impl AccountOptions {
    /// What the options say.
    ///
    /// # Errors
    /// [`Kind::Usage`] where they say both password and OAuth 2.
    pub fn settings(&self) -> Result<Settings> {
        let password = self.keyring
            || [&self.password_file, &self.netrc].iter().any(|o| o.is_some())
            || [&self.password_env, &self.password_command].iter().any(|o| o.is_some());
        let auth = match (password, self.oauth) {
            (true, Some(_)) => return Err(usage("either a password or --oauth, not both")),
            (true, None) => Some(Auth::Password),
            (false, Some(_)) => Some(Auth::OAuth),
            (false, None) => None,
        };
        let security = match (self.starttls, self.insecure_plaintext) {
            (_, true) => Some(Protection::Plain),
            (true, _) => Some(Protection::StartTls),
            _ => None,
        };
        Ok(Settings {
            user: self.user.clone(),
            security,
            ca_file: self.ca_file.clone(),
            pin_sha256: self.pin_sha256.clone(),
            client_cert: self.client_cert.clone(),
            client_key: self.client_key.clone(),
            auth,
            password_file: self.password_file.clone(),
            password_env: self.password_env.clone(),
            password_command: self.password_command.clone(),
            netrc: self.netrc.clone(),
            keyring: self.keyring,
            oauth: self.oauth.map(|o| match o {
                OAuth::Device => Flow::Device,
                OAuth::Browser => Flow::Browser,
                OAuth::App => Flow::App,
            }),
            provider: self.provider.clone(),
            client_id: self.client_id.clone(),
            client_secret_file: self.client_secret_file.clone(),
            app_certificate: self.app_certificate.clone(),
            app_key: self.app_key.clone(),
            graph_host: self.graph_host.clone(),
            tenant: self.tenant.clone(),
            auth_url: self.auth_url.clone(),
            token_url: self.token_url.clone(),
            device_url: self.device_url.clone(),
            scope: self.scope.clone(),
            timeout: self.timeout,
            ..Settings::default()
        })
    }

    /// The account: of the configuration where `--account` names it, or else at `address`.
    ///
    /// # Errors
    /// [`Kind::Usage`] and [`Kind::NotFound`], in one sentence.
    pub fn account(&self, address: Option<&str>) -> Result<Account> {
        self.account_over(address, self.settings()?)
    }

    /// The account at an address, which is one of so many in this run. Of several, none gets the variable PST_PASSWORD:
    /// it would be shown to servers that it is not for.
    ///
    /// # Errors
    /// As [`AccountOptions::account`].
    pub fn one_of(&self, addresses: usize, address: &str) -> Result<Account> {
        self.account_over(Some(address), Settings { one_of_many: addresses > 1, ..self.settings()? })
    }

    fn account_over(&self, address: Option<&str>, over: Settings) -> Result<Account> {
        let over = Settings { address: address.map(str::to_owned), ..over };
        match (&self.account, address) {
            (Some(name), _) => Account::load(&self.configuration()?, name, &over),
            (None, Some(address)) if self.config.is_none() => Account::of_address(address, &over),
            (None, Some(_)) => Err(usage("--config is for --account, which says what to take from it")),
            (None, None) if over.provider.is_some() => Account::new(None, &over),
            (None, None) => Err(usage("an address such as imaps://anna@imap.example.org is needed, or --account NAME")),
        }
    }

    /// The configuration: that of `--config`, or else the usual one, which need not be there.
    ///
    /// # Errors
    /// As [`Config::read`].
    pub fn configuration(&self) -> Result<Config> {
        self.config.as_deref().map_or_else(Config::standard, Config::read)
    }
}

fn usage(text: &str) -> Error {
    Error::new(Kind::Usage, text)
}
