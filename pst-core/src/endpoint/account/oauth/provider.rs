//! Identity providers: where they are and what is asked of them.

use super::super::{Flow, Settings, files, usage};
use super::assertion::Certificate;
use crate::endpoint::net::address::GRAPH;
use crate::endpoint::net::{Address, Scheme, Secret};
use crate::error::{Error, Kind, Result};
use oauth2::url::{Host, Url};

/// An identity provider, and the client (app) that this program is there.
#[derive(Debug, Clone)]
pub struct Provider {
    /// Its name for people.
    pub name: String,
    /// The page for the browser.
    pub auth_url: Option<String>,
    /// Where tokens are given.
    pub token_url: String,
    /// Where codes for devices are given.
    pub device_url: Option<String>,
    /// What is asked for.
    pub scopes: Vec<String>,
    /// The client as it is registered there.
    pub client_id: String,
    /// The client's secret, which apps of desktops at Google have, and every app that signs in by itself.
    pub client_secret: Option<Secret>,
    /// The client's certificate, by which it signs in instead of a secret.
    pub certificate: Option<Certificate>,
    /// The app signs in by itself.
    pub is_app: bool,
    /// How the page of this machine is called towards the provider: the name that its rules for desktops let have any
    /// port.
    pub loopback: &'static str,
    /// What else the page for the browser wants to know.
    pub extra: Vec<(&'static str, String)>,
}

/// A service of Microsoft that is not IMAP or POP3.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// Exchange Web Services in Microsoft 365.
    Ews,
    /// Microsoft Graph.
    Graph,
}

impl Service {
    /// What is asked for: all that the tenant has granted the app. `app`: it signs in by itself, and gets no refresh token.
    pub fn scopes(self, app: bool) -> Vec<String> {
        let all = match self {
            Self::Ews => "https://outlook.office365.com/.default",
            Self::Graph => "https://graph.microsoft.com/.default",
        };
        let more = if app { None } else { Some("offline_access") };
        std::iter::once(all).chain(more).map(str::to_owned).collect()
    }
}

/// Hosts of mailboxes whose provider is known.
const HOSTS: &[(&str, &str)] = &[
    ("outlook.office365.com", "microsoft"),
    ("outlook.office.com", "microsoft"),
    ("imap.gmail.com", "google"),
    ("pop.gmail.com", "google"),
];

/// National clouds: the host of Graph, and where its users sign in.
const CLOUDS: &[(&str, &str)] = &[
    ("graph.microsoft.us", "login.microsoftonline.us"),
    ("dod-graph.microsoft.us", "login.microsoftonline.us"),
    ("microsoftgraph.chinacloudapi.cn", "login.partner.microsoftonline.cn"),
];

/// Where users of a cloud sign in, and what is asked for there in place of the global Graph.
fn cloud(host: &str) -> (&'static str, &'static str) {
    let cloud = CLOUDS.iter().find(|(graph, _)| *graph == host);
    cloud.map_or(("login.microsoftonline.com", GRAPH), |(graph, login)| (login, graph))
}

/// True for Exchange Online, where the sign-in by passwords is switched off for everybody.
pub(in super::super) fn takes_no_passwords(host: &str) -> bool {
    HOSTS.iter().any(|(h, p)| *p == "microsoft" && h.eq_ignore_ascii_case(host))
}

/// The address of the mailboxes of a provider that is known.
pub(in super::super) fn home(name: &str) -> Option<String> {
    match name.to_ascii_lowercase().as_str() {
        "microsoft" => Some("imaps://outlook.office365.com".to_owned()),
        "google" => Some("imaps://imap.gmail.com".to_owned()),
        _ => None,
    }
}

/// The provider of an account.
pub(in super::super) fn of(s: &Settings, address: &Address) -> Result<Provider> {
    let host = address.host.to_ascii_lowercase();
    let graph = address.scheme == Scheme::Graph;
    let known = || HOSTS.iter().find(|(h, _)| *h == host || graph).map(|(_, p)| (*p).to_owned());
    let custom = s.token_url.is_some() && !graph;
    let name = s.provider.clone().or_else(|| if custom { Some("the provider".to_owned()) } else { known() });
    let name = name.ok_or_else(|| {
        usage(format!(
            "the provider of {host} is not known: --provider microsoft or google, or --token-url with the others"
        ))
    })?;
    let client_id = s.client_id.clone().ok_or_else(|| {
        usage(
            "OAuth 2 needs the id of an app that is registered at the provider, and this program has none of its own: \
             --client-id, or client-id in the configuration",
        )
    })?;
    let client_secret = s.client_secret_file.as_deref().map(files::first_line).transpose()?.map(Secret::new);
    let certificate =
        s.app_certificate.as_deref().map(|file| Certificate::read(file, s.app_key.as_deref())).transpose()?;
    let has_proof = client_secret.is_some() || certificate.is_some();
    // Nobody else has a proof of the app.
    let app = s.oauth.map_or(graph && has_proof, |flow| flow == Flow::App);
    match (&client_secret, &certificate) {
        (None, None) if app => {
            let text =
                "an app that signs in by itself has a secret or a certificate: --client-secret-file, --app-certificate";
            return Err(usage(text));
        }
        (Some(_), Some(_)) => return Err(usage("an app has a secret or a certificate, not both")),
        (None, Some(_)) if !app => {
            return Err(usage("a certificate is for apps that sign in by themselves: --oauth app"));
        }
        (_, None) if s.app_key.is_some() => return Err(usage("--app-key goes with --app-certificate")),
        _ => {}
    }
    let blank = Provider {
        name: name.clone(),
        auth_url: None,
        token_url: String::new(),
        device_url: None,
        scopes: Vec::new(),
        client_id,
        client_secret,
        certificate,
        is_app: app,
        loopback: "127.0.0.1",
        extra: Vec::new(),
    };
    let mut provider = match name.to_ascii_lowercase().as_str() {
        "microsoft" => {
            let (login, host) = cloud(if graph { &host } else { GRAPH });
            let user = address.user.as_ref().filter(|_| graph && app).or(s.user.as_ref());
            let domain = user.and_then(|u| u.rsplit_once('@')).map(|(_, domain)| domain).filter(|_| graph && app);
            let known = microsoft(blank, login, s.tenant.as_deref().or(domain), address.scheme.is_pop(), app)?;
            let scopes = match address.scheme {
                Scheme::Ews => Service::Ews.scopes(app),
                Scheme::Graph => Service::Graph.scopes(app).iter().map(|s| s.replace(GRAPH, host)).collect(),
                _ => known.scopes,
            };
            Provider { scopes, ..known }
        }
        "google" => google(blank, s.user.as_ref().or(address.user.as_ref())),
        _ if custom => blank,
        _ => {
            return Err(usage(format!(
                "the provider \"{name}\" is not known; microsoft and google are, others are described by --token-url and \
                 --auth-url or --device-url"
            )));
        }
    };
    if s.tenant.is_some() && !provider.name.eq_ignore_ascii_case("microsoft") {
        return Err(usage("a tenant is for the provider microsoft"));
    }
    if app && provider.name.eq_ignore_ascii_case("google") {
        return Err(usage("Google lets no app read mail by itself through this sign-in; browser does"));
    }
    provider.auth_url = s.auth_url.clone().or(provider.auth_url);
    provider.token_url = s.token_url.clone().unwrap_or(provider.token_url);
    provider.device_url = s.device_url.clone().or(provider.device_url);
    if !s.scope.is_empty() {
        provider.scopes = s.scope.iter().flat_map(|s| s.split_whitespace()).map(str::to_owned).collect();
    }
    for url in
        [provider.auth_url.as_ref(), Some(&provider.token_url), provider.device_url.as_ref()].into_iter().flatten()
    {
        checked(url)?;
    }
    Ok(provider)
}

/// Microsoft 365 and Outlook.com. "common" takes accounts of both; apps have a tenant of their own.
fn microsoft(blank: Provider, login: &str, tenant: Option<&str>, pop: bool, app: bool) -> Result<Provider> {
    let tenant = match tenant {
        Some(tenant) if tenant.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b)) => tenant,
        Some(_) => return Err(usage("the tenant is an id or a domain: letters, digits, hyphens and dots")),
        None if app => return Err(usage("an app that signs in by itself belongs to a tenant: --tenant ID")),
        None => "common",
    };
    let at = |what: &str| format!("https://{login}/{tenant}/oauth2/v2.0/{what}");
    let mail = if pop { "POP.AccessAsUser.All" } else { "IMAP.AccessAsUser.All" };
    let scopes = if app {
        vec!["https://outlook.office365.com/.default".to_owned()]
    } else {
        vec![format!("https://outlook.office.com/{mail}"), "offline_access".to_owned()]
    };
    // Of its names for this machine, "localhost" alone may have any port.
    Ok(Provider {
        auth_url: Some(at("authorize")),
        token_url: at("token"),
        device_url: Some(at("devicecode")),
        scopes,
        loopback: "localhost",
        ..blank
    })
}

/// Gmail and Google Workspace, which give devices no access to mail.
fn google(blank: Provider, user: Option<&String>) -> Provider {
    let mut extra = vec![("access_type", "offline".to_owned()), ("prompt", "consent".to_owned())];
    extra.extend(user.map(|u| ("login_hint", u.clone())));
    Provider {
        auth_url: Some("https://accounts.google.com/o/oauth2/v2/auth".to_owned()),
        token_url: "https://oauth2.googleapis.com/token".to_owned(),
        scopes: vec!["https://mail.google.com/".to_owned()],
        extra,
        ..blank
    }
}

/// An URL that secrets may go to: TLS, or this machine.
pub(super) fn checked(url: &str) -> Result<Url> {
    let parsed = Url::parse(url).map_err(|e| usage(format!("\"{url}\" is no URL: {e}")))?;
    let here = match parsed.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    };
    match parsed.scheme() {
        "https" => Ok(parsed),
        "http" if here => Ok(parsed),
        _ => Err(Error::new(Kind::Usage, format!("\"{url}\" is not protected; providers are at https://"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(provider: &str) -> Settings {
        Settings { provider: Some(provider.into()), client_id: Some("id".into()), ..Settings::default() }
    }

    fn at(spec: &str) -> Address {
        Address::parse(spec).unwrap().unwrap()
    }

    #[test]
    fn the_known_ones() {
        let m = of(&settings("Microsoft"), &at("pop3s://outlook.office365.com")).unwrap();
        assert_eq!(m.token_url, "https://login.microsoftonline.com/common/oauth2/v2.0/token");
        assert_eq!(m.scopes, ["https://outlook.office.com/POP.AccessAsUser.All", "offline_access"]);
        let g = of(&Settings { provider: None, ..settings("") }, &at("imaps://a%40b.c@imap.gmail.com")).unwrap();
        assert_eq!((g.name.as_str(), g.device_url, g.extra.len()), ("google", None, 3));
        let tenant = Settings { tenant: Some("corp.example".into()), ..settings("microsoft") };
        assert!(of(&tenant, &at("imaps://x")).unwrap().device_url.unwrap().contains("/corp.example/"));
    }

    #[test]
    fn services_are_asked_for_what_was_granted() {
        assert_eq!(Service::Ews.scopes(true), ["https://outlook.office365.com/.default"]);
        assert_eq!(Service::Graph.scopes(false), ["https://graph.microsoft.com/.default", "offline_access"]);
    }

    #[test]
    fn graph_signs_in_where_its_cloud_does() {
        let of = |spec: &str, s: Settings| of(&Settings { provider: None, ..s }, &at(spec)).unwrap();
        let person = of("graph://anna@a.example", settings(""));
        assert_eq!(person.token_url, "https://login.microsoftonline.com/common/oauth2/v2.0/token");
        assert_eq!(person.scopes, ["https://graph.microsoft.com/.default", "offline_access"]);
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret");
        std::fs::write(&file, "s").unwrap();
        let app = Settings { client_secret_file: Some(file), ..settings("") };
        for (host, login, scope) in [
            ("graph.microsoft.com", "login.microsoftonline.com", "graph.microsoft.com"),
            ("graph.microsoft.us", "login.microsoftonline.us", "graph.microsoft.us"),
            ("dod-graph.microsoft.us", "login.microsoftonline.us", "dod-graph.microsoft.us"),
            ("microsoftgraph.chinacloudapi.cn", "login.partner.microsoftonline.cn", "microsoftgraph.chinacloudapi.cn"),
        ] {
            let it = of(&format!("graph://anna@a.example@{host}"), app.clone());
            assert_eq!(it.token_url, format!("https://{login}/a.example/oauth2/v2.0/token"));
            assert_eq!((it.scopes, it.is_app), (vec![format!("https://{scope}/.default")], true));
        }
    }

    #[test]
    fn what_does_not_fit() {
        let imap = at("imaps://imap.example.org");
        let refused = |s: Settings| of(&s, &imap).unwrap_err().to_string();
        assert!(refused(Settings { provider: None, ..settings("") }).contains("not known"));
        assert!(refused(settings("yahoo")).contains("yahoo"));
        assert!(refused(Settings { client_id: None, ..settings("google") }).contains("--client-id"));
        assert!(refused(Settings { tenant: Some("a/../b".into()), ..settings("microsoft") }).contains("tenant"));
        assert!(refused(Settings { tenant: Some("a".into()), ..settings("google") }).contains("tenant"));
        assert!(refused(Settings { oauth: Some(Flow::App), ..settings("microsoft") }).contains("secret"));
        for url in ["http://login.example.org/token", "ftp://localhost/", "login"] {
            assert!(refused(Settings { token_url: Some(url.into()), ..settings("own") }).contains(url));
        }
        assert!(of(&Settings { token_url: Some("http://[::1]:5/t".into()), ..settings("own") }, &imap).is_ok());
    }
}
