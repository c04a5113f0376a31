//! Accounts on mail servers: where they are, who signs in, and where the secrets come from.
//!
//! What an option or a key of the configuration file says is a [`Settings`]; [`Account::new`] judges them, and
//! [`Account::login`] gets the password or the tokens. Secrets come from people, files, the environment, commands and
//! keyrings, never from a command line or the configuration itself, and stand in no error.

mod ask;
mod config;
mod files;
#[cfg(feature = "keyring")]
mod keyring;
mod netrc;
pub mod oauth;
mod password;
mod settings;
mod store;

pub use ask::{Ask, Nobody};
pub use config::Config;
pub use files::{config_file, push_journal, state_folder};
pub use netrc::find as find_in_netrc;
pub use password::PasswordFrom;
pub use settings::{Auth, Flow, Protection, Settings, pin};
pub use store::{Key, TokenStore};

use crate::endpoint::ews;
use crate::endpoint::net::http::Reach;
use crate::endpoint::net::{Address, Login, Scheme, Security, Server, TlsOptions, TokenSource};
use crate::error::{Error, Kind, Result};
use oauth::http::Http;
use oauth::{Client, OAuthTokens, Provider, provider};
use password::Who;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// How long a server may be silent, where nothing else is said.
pub const TIMEOUT: Duration = Duration::from_mins(1);

/// An account whose settings fit together.
#[derive(Debug, Clone)]
pub struct Account {
    /// Its name in the configuration, or else user and server.
    pub name: String,
    /// The server, and the folder to begin with.
    pub address: Address,
    /// Who signs in.
    pub user: String,
    /// How.
    pub sign_in: SignIn,
    /// How the connection is protected.
    pub security: Security,
    /// Which certificates are taken.
    pub tls: TlsOptions,
    /// How long the server may be silent.
    pub timeout: Duration,
    /// Patterns of folders that are taken; none: all.
    pub include: Vec<String>,
    /// Patterns of folders that are left out.
    pub exclude: Vec<String>,
    /// How many connections at once.
    pub connections: Option<usize>,
}

/// How somebody signs in.
#[derive(Debug, Clone)]
pub enum SignIn {
    /// By a password.
    Password(PasswordFrom),
    /// By OAuth 2.
    OAuth {
        /// The identity provider.
        provider: Box<Provider>,
        /// How a first token is got.
        flow: Flow,
        /// The flow was asked for by name, so it is run even where nobody seems to watch.
        asked: bool,
    },
}

impl Account {
    /// The account that the settings describe; `name` is that of the configuration, where it has one.
    ///
    /// # Errors
    /// [`Kind::Usage`], in one sentence, for settings that are missing or contradict each other.
    pub fn new(name: Option<&str>, s: &Settings) -> Result<Self> {
        Self::build(s, name).map_err(|e| match name {
            Some(name) => Error::new(e.kind(), format!("account \"{name}\": {e}")),
            None => e,
        })
    }

    /// The account at an address ("imaps://anna@imap.example.org").
    ///
    /// # Errors
    /// As [`Account::new`].
    pub fn of_address(spec: &str, s: &Settings) -> Result<Self> {
        Self::new(None, &Settings { address: Some(spec.to_owned()), ..s.clone() })
    }

    /// An account of the configuration; what `over` says goes before it.
    ///
    /// # Errors
    /// [`Kind::NotFound`] for a name that the configuration does not have, and as [`Account::new`].
    pub fn load(config: &Config, name: &str, over: &Settings) -> Result<Self> {
        Self::new(Some(name), &over.clone().over(config.account(name)?.clone()))
    }

    /// All accounts of the configuration by their names, in the order of these; what `over` says goes before each. One
    /// that [`Account::new`] refuses does not keep the others. The variable PST_PASSWORD serves none of them: it would be
    /// shown to servers that it is not for.
    ///
    /// # Errors
    /// [`Kind::NotFound`] where there is none.
    pub fn all(config: &Config, over: &Settings) -> Result<Vec<(String, Result<Self>)>> {
        let over = Settings { one_of_many: true, ..over.clone() };
        let all: Vec<_> = config.names().map(|n| (n.to_owned(), Self::load(config, n, &over))).collect();
        if all.is_empty() {
            return Err(Error::new(Kind::NotFound, "the configuration has no accounts"));
        }
        Ok(all)
    }

    fn build(s: &Settings, name: Option<&str>) -> Result<Self> {
        let spec = s
            .address
            .clone()
            .or_else(|| provider::home(s.provider.as_deref()?))
            .ok_or_else(|| usage("it has no address, such as imaps://anna@imap.example.org (address)"))?;
        let address = Address::parse(&spec)?.ok_or_else(|| {
            usage("its address does not begin with imaps://, imap://, pop3s://, pop3://, ews:// or graph://")
        })?;
        let address = over_graph(address, s)?;
        let user = s.user.clone().or_else(|| address.user.clone()).filter(|u| !u.is_empty()).ok_or_else(|| {
            usage("nobody is named to sign in: --user NAME, or NAME@ in the address (with %40 for the @ in a name)")
        })?;
        if s.connections == Some(0) {
            return Err(usage("without a connection nothing comes: connections is 1 or more"));
        }
        let security = security(address.scheme, s.security)?;
        let name = name.map_or_else(|| format!("{user} at {}", address.host), str::to_owned);
        Ok(Self {
            name,
            sign_in: sign_in(s, &address)?,
            security,
            tls: s.tls()?,
            timeout: s.timeout.map_or(TIMEOUT, |t| Duration::from_secs(t.max(1))),
            include: s.include.clone(),
            exclude: s.exclude.clone(),
            connections: s.connections,
            address,
            user,
        })
    }

    /// The server; reads and writes end soon after `stop` is set.
    pub fn server(&self, stop: &Arc<AtomicBool>) -> Server {
        Server {
            host: self.address.host.clone(),
            port: self.address.port(),
            security: self.security,
            tls: self.tls.clone(),
            timeout: self.timeout,
            stop: Arc::clone(stop),
        }
    }

    /// Gets what is needed to sign in: a password, or tokens. A sign-in that [`Account::sign_in_anew`] has stored serves;
    /// without one the flow is run for this time only.
    ///
    /// # Errors
    /// [`Kind::Denied`] where the identity provider refuses, [`Kind::NotFound`] where no secret is to be had.
    pub fn login(&self, ask: &dyn Ask, stop: &Arc<AtomicBool>) -> Result<Login> {
        let user = self.user.clone();
        match &self.sign_in {
            SignIn::Password(from) => {
                if provider::takes_no_passwords(&self.address.host) {
                    ask.tell("Microsoft's servers no longer take passwords for IMAP and POP3; --oauth is the way in");
                }
                let password = from.read(&Who::of(self), ask)?;
                Ok(Login::Password { user, password })
            }
            SignIn::OAuth { provider, flow, asked } => {
                let client = self.client(provider, stop);
                let source = match flow {
                    Flow::App => OAuthTokens::app(client),
                    _ => self.tokens(client, *flow, *asked, ask)?,
                };
                // A refusal shows now, not with the first connection.
                source.token(false)?;
                Ok(Login::Token { user, source: Arc::new(source) })
            }
        }
    }

    /// The tokens of a sign-in that is kept, or of one that is made now.
    fn tokens(&self, client: Client, flow: Flow, asked: bool, ask: &dyn Ask) -> Result<OAuthTokens> {
        let (store, key) = (TokenStore::standard()?, self.key(&client.provider));
        if let Some(refresh) = store.load(&key)? {
            return Ok(OAuthTokens::stored(client, refresh, store, key));
        }
        if !asked && !ask.attended() {
            let text =
                "nobody has signed in yet, and nobody is here to do it; `pst login` keeps a sign-in for such runs";
            return Err(Error::new(Kind::NotFound, format!("{}: {text}", self.name)));
        }
        Ok(OAuthTokens::new(client.run(flow, ask)?, client))
    }

    /// Signs in anew and keeps the sign-in, so that later runs need nobody; says where it is kept.
    ///
    /// # Errors
    /// As [`Account::login`]; [`Kind::Usage`] where there is nothing to keep.
    pub fn sign_in_anew(&self, ask: &dyn Ask, stop: &Arc<AtomicBool>) -> Result<String> {
        match &self.sign_in {
            SignIn::Password(_) => self.keep_password(ask),
            SignIn::OAuth { provider, flow, .. } => {
                let client = self.client(provider, stop);
                let tokens = client.run(*flow, ask)?;
                if *flow == Flow::App {
                    return Ok("the provider gives tokens to this app; there is nothing to keep".to_owned());
                }
                let Some(refresh) = &tokens.refresh else {
                    let text = format!(
                        "{} has given no refresh token, so the sign-in cannot be kept; ask for it by --scope offline_access \
                         or what the provider calls it",
                        provider.name
                    );
                    return Err(Error::new(Kind::Denied, text));
                };
                let store = TokenStore::standard()?;
                store.save(&self.key(provider), refresh)?;
                Ok(format!("the sign-in is kept in {store}"))
            }
        }
    }

    /// Forgets what [`Account::sign_in_anew`] has kept. False if there was nothing.
    ///
    /// # Errors
    /// [`Kind::Io`] where it cannot be removed.
    pub fn forget(&self) -> Result<bool> {
        match &self.sign_in {
            SignIn::Password(_) => self.forget_password(),
            SignIn::OAuth { provider, .. } => TokenStore::standard()?.remove(&self.key(provider)),
        }
    }

    fn client(&self, provider: &Provider, stop: &Arc<AtomicBool>) -> Client {
        // Pins and the client's certificate are the mail server's; its CA may be the provider's too.
        let tls = TlsOptions { ca_file: self.tls.ca_file.clone(), ..TlsOptions::default() };
        Client { provider: provider.clone(), http: Http(Reach { tls, timeout: self.timeout, stop: Arc::clone(stop) }) }
    }

    fn key(&self, provider: &Provider) -> Key {
        Key {
            user: self.user.clone(),
            token_url: provider.token_url.clone(),
            client_id: provider.client_id.clone(),
            scope: provider.scopes.join(" "),
        }
    }

    #[cfg(feature = "keyring")]
    fn keep_password(&self, ask: &dyn Ask) -> Result<String> {
        let who = Who::of(self);
        let password = ask.password(&who.prompt())?;
        keyring::save(&who.service(), who.user, &password)?;
        Ok("the password is kept in the keyring".to_owned())
    }

    #[cfg(not(feature = "keyring"))]
    #[expect(clippy::unused_self, reason = "the keyring needs it")]
    fn keep_password(&self, _ask: &dyn Ask) -> Result<String> {
        Err(usage(
            "passwords are kept only by builds with the keyring; --password-command and others bring them each time",
        ))
    }

    #[cfg(feature = "keyring")]
    fn forget_password(&self) -> Result<bool> {
        let who = Who::of(self);
        keyring::remove(&who.service(), who.user)
    }

    #[cfg(not(feature = "keyring"))]
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "the keyring needs it")]
    fn forget_password(&self) -> Result<bool> {
        Ok(false)
    }
}

/// An error of what the caller asked for.
fn usage(text: impl Into<String>) -> Error {
    Error::new(Kind::Usage, text)
}

fn security(scheme: Scheme, asked: Option<Protection>) -> Result<Security> {
    match (asked, scheme.security()) {
        (None, security) => Ok(security),
        (Some(Protection::Tls), Security::Tls) => Ok(Security::Tls),
        (Some(Protection::StartTls), Security::StartTls) => Ok(Security::StartTls),
        (Some(Protection::Plain), Security::StartTls) => Ok(Security::Plain),
        (Some(Protection::Tls), _) => Err(usage("TLS from the first byte is what imaps:// and pop3s:// ask for")),
        _ => Err(usage(
            "imaps:// and pop3s:// have TLS from the first byte; STARTTLS or none go with imap:// and pop3://",
        )),
    }
}

/// The address with the service of Graph that the settings name, and that of Graph for EWS of Microsoft 365.
fn over_graph(address: Address, s: &Settings) -> Result<Address> {
    let address = if s.by_graph && address.scheme == Scheme::Ews && ews::is_microsoft_365(&address.host) {
        let retired = ews::not_retired(&address.host);
        match address.by_graph() {
            Some(mailbox) => mailbox,
            None => return Err(retired.err().unwrap_or_else(|| usage("its address names no mailbox"))),
        }
    } else {
        address
    };
    let Some(host) = &s.graph_host else { return Ok(address) };
    if address.scheme != Scheme::Graph {
        return Ok(address);
    }
    match Address::parse(&format!("graph://a@b@{host}")) {
        Ok(Some(Address { host, port, path: None, .. })) => Ok(Address { host, port, ..address }),
        _ => Err(usage("the service of Graph is the name of a host, such as graph.microsoft.us (graph-host)")),
    }
}

fn sign_in(s: &Settings, address: &Address) -> Result<SignIn> {
    if address.scheme == Scheme::Graph {
        if s.names_password() || s.auth == Some(Auth::Password) {
            return Err(usage("Graph takes no passwords: --oauth device, browser or app"));
        }
        return Ok(with_flow(provider::of(s, address)?, s));
    }
    let oauth = s.oauth.is_some() || s.provider.is_some() || s.token_url.is_some();
    match s.auth {
        None if oauth && s.names_password() => Err(usage("either a password or OAuth 2: auth says which")),
        Some(Auth::OAuth) => Ok(with_flow(provider::of(s, address)?, s)),
        None if oauth => Ok(with_flow(provider::of(s, address)?, s)),
        _ => Ok(SignIn::Password(s.password_from()?)),
    }
}

fn with_flow(provider: Provider, s: &Settings) -> SignIn {
    let usual = if provider.is_app {
        Flow::App
    } else if provider.device_url.is_some() {
        Flow::Device
    } else {
        Flow::Browser
    };
    SignIn::OAuth { provider: Box::new(provider), flow: s.oauth.unwrap_or(usual), asked: s.oauth.is_some() }
}
