//! Signing in: where secrets come from, and OAuth 2 against a provider of our own. No secret may stand in what is said.

use crate::dovecot::{Dovecot, PASSWORD};
use crate::idp::{APP_SECRET, Idp, fetch};
use pst_core::endpoint::account::oauth::http::Http;
use pst_core::endpoint::account::oauth::{Client, OAuthTokens, Provider, Tokens};
use pst_core::endpoint::account::{Account, Ask, Config, Flow, Key, Nobody, Settings, SignIn, TokenStore};
use pst_core::endpoint::imap::{self, Session};
use pst_core::endpoint::net::http::Reach;
use pst_core::endpoint::net::{Login, Secret, Security, TlsOptions, TokenSource};
use pst_core::{Error, Kind, Result};
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// A person with a browser, who types one password, and whose time flies.
#[derive(Default)]
struct Person {
    told: Mutex<Vec<String>>,
    pauses: Mutex<Vec<u64>>,
    /// The statuses of the pages that the browser got from us.
    pages: Mutex<Vec<JoinHandle<Vec<u16>>>>,
    /// Set as soon as time passes.
    leaves: Option<Arc<AtomicBool>>,
}

impl Ask for Person {
    fn attended(&self) -> bool {
        true
    }

    fn password(&self, prompt: &str) -> Result<Secret> {
        self.tell(prompt);
        Ok(Secret::new("typed-SECRET"))
    }

    fn tell(&self, text: &str) {
        self.told.lock().unwrap().push(text.to_owned());
    }

    fn open(&self, url: &str) {
        let place = fetch(url).1.unwrap();
        let top = place.split('?').next().unwrap().to_owned();
        // The sign-in waits for the browser, which therefore works beside it, and asks for other pages first.
        let stray = ["code=code-SECRET&state=another", "error=access_denied", "code=&state="];
        let stray = stray.map(|query| format!("{top}?{query}"));
        let pages = [&[format!("{top}favicon.ico?code=x"), top][..], &stray, &[place]].concat();
        let visit = std::thread::spawn(move || pages.iter().map(|p| fetch(p).0).collect());
        self.pages.lock().unwrap().push(visit);
    }

    fn pause(&self, time: Duration) {
        self.pauses.lock().unwrap().push(time.as_secs());
        if let Some(stop) = &self.leaves {
            stop.store(true, Ordering::SeqCst);
        }
    }
}

impl Person {
    fn told(&self) -> String {
        self.told.lock().unwrap().join("\n")
    }

    fn pages(&self) -> Vec<u16> {
        self.pages.lock().unwrap().drain(..).flat_map(|p| p.join().unwrap()).collect()
    }
}

fn client(idp: &Idp) -> Client {
    let provider = Provider {
        name: "Example".into(),
        auth_url: Some(idp.url("authorize?audience=mail")),
        token_url: idp.url("token"),
        device_url: Some(idp.url("device")),
        scopes: vec!["mail.read".into(), "offline_access".into()],
        client_id: "desktop".into(),
        client_secret: None,
        certificate: None,
        is_app: false,
        loopback: "localhost",
        extra: vec![("access_type", "offline".into())],
    };
    let http = Http(Reach { tls: TlsOptions::default(), timeout: Duration::from_secs(20), stop: Arc::default() });
    Client { provider, http }
}

fn app(idp: &Idp, secret: &str) -> Client {
    let mut client = client(idp);
    client.provider.client_id = "app".into();
    client.provider.client_secret = Some(Secret::new(secret));
    client
}

/// One sentence on one line, with no secret in it.
fn sentence(e: &Error) -> String {
    let text = e.to_string();
    assert!(!text.contains("SECRET") && !format!("{e:?}").contains("SECRET"), "{text}");
    assert!(!text.chars().any(char::is_control) && text.len() < 500, "{text}");
    text
}

fn refused(client: &Client, flow: Flow, kind: Kind, says: &str) {
    let person = Person::default();
    let error = client.run(flow, &person).unwrap_err();
    let text = sentence(&error);
    assert!(error.kind() == kind && text.contains(says), "{says}: {text}");
    assert!(!person.told().contains("SECRET"));
}

#[test]
fn a_code_for_devices() {
    let idp = Idp::start();
    idp.state.lock().unwrap().polls = ["authorization_pending", "slow_down", "authorization_pending"].into();
    let person = Person::default();
    let tokens = client(&idp).run(Flow::Device, &person).unwrap();
    assert_eq!((tokens.access.expose(), tokens.refresh.unwrap().expose()), ("access-SECRET-1", "refresh-SECRET-1"));
    assert_eq!(*person.pauses.lock().unwrap(), [2, 7, 7], "RFC 8628 3.5: slow_down adds five seconds for good");
    let told = person.told();
    assert!(told.contains(&idp.url("enter")) && told.contains("WDJB-MJHT") && !told.contains("SECRET"), "{told}");
    assert_eq!(idp.forms("device")[0]["scope"], "mail.read offline_access");
    assert_eq!(idp.forms("device")[0]["client_id"], "desktop");
}

#[test]
fn devices_that_are_refused() {
    let idp = Idp::start();
    let client = client(&idp);
    for (poll, says) in [
        ("access_denied", "Example has refused: access_denied: about  access_denied"),
        ("expired_token", "nobody has signed in at Example before the code expired"),
        ("invalid_client", "invalid_client"),
    ] {
        idp.state.lock().unwrap().polls = ["authorization_pending", poll].into();
        refused(&client, Flow::Device, Kind::Denied, says);
    }
    idp.state.lock().unwrap().answers = [(400, "{\"error\":\"unauthorized_client\"}".to_owned())].into();
    refused(&client, Flow::Device, Kind::Denied, "unauthorized_client");
    idp.state.lock().unwrap().answers = [(503, "SECRET".to_owned())].into();
    refused(&client, Flow::Device, Kind::Server, "status 503");
    let mut none = client.clone();
    none.provider.device_url = None;
    refused(&none, Flow::Device, Kind::Usage, "--oauth browser");
}

#[test]
fn a_server_that_fails_between_polls_is_asked_again() {
    let idp = Idp::start();
    let device = fetch_device(&idp);
    idp.state.lock().unwrap().answers = [(200, device), (500, String::new()), (429, "slow".into())].into();
    let person = Person::default();
    client(&idp).run(Flow::Device, &person).unwrap();
    assert_eq!(*person.pauses.lock().unwrap(), [4, 8]);
}

/// An answer with a code for a device, as the provider gives it.
fn fetch_device(idp: &Idp) -> String {
    fetch(&idp.url("device")).2
}

#[test]
fn who_leaves_while_a_code_waits_is_not_kept() {
    let idp = Idp::start();
    idp.state.lock().unwrap().polls = vec!["authorization_pending"; 1000].into();
    let client = client(&idp);
    let person = Person { leaves: Some(Arc::clone(&client.http.0.stop)), ..Person::default() };
    assert_eq!(client.run(Flow::Device, &person).unwrap_err().kind(), Kind::Interrupted);
    assert_eq!(idp.forms("token").len(), 1);
}

#[test]
fn the_browser_of_this_machine() {
    let idp = Idp::start();
    let person = Person::default();
    let tokens = client(&idp).run(Flow::Browser, &person).unwrap();
    assert_eq!(tokens.access.expose(), "access-SECRET-1");
    assert_eq!(person.pages(), [404, 404, 400, 400, 400, 200], "who does not know the state ends no sign-in");
    let asked = &idp.forms("authorize")[0];
    assert!(asked["redirect_uri"].starts_with("http://localhost:"), "{asked:?}");
    assert_eq!((asked["audience"].as_str(), asked["access_type"].as_str()), ("mail", "offline"));
    assert!(asked["state"].len() >= 16 && asked["code_challenge"].len() == 43);
    assert!(person.told().contains(&idp.url("authorize")));
}

#[test]
fn browsers_that_come_back_with_nothing() {
    let idp = Idp::start();
    let client = client(&idp);
    idp.state.lock().unwrap().denied = "access_denied";
    refused(&client, Flow::Browser, Kind::Denied, "Example has refused: access_denied: no way");
    idp.state.lock().unwrap().denied = "";
    idp.state.lock().unwrap().answers = [(400, "{\"error\":\"invalid_grant\"}".to_owned())].into();
    refused(&client, Flow::Browser, Kind::Denied, "invalid_grant");
    let mut none = client.clone();
    none.provider.auth_url = None;
    refused(&none, Flow::Browser, Kind::Usage, "--auth-url");
}

#[test]
fn an_app_by_itself() {
    let idp = Idp::start();
    let tokens = app(&idp, APP_SECRET).run(Flow::App, &Nobody).unwrap();
    assert!(tokens.refresh.is_none());
    let source = OAuthTokens::app(app(&idp, APP_SECRET));
    assert_eq!(source.token(false).unwrap().expose(), "access-SECRET-2");
    assert_eq!(source.token(false).unwrap().expose(), "access-SECRET-2");
    assert_eq!(idp.forms("token").len(), 2);
    // The provider repeats what it was sent.
    refused(&app(&idp, "wrong-SECRET"), Flow::App, Kind::Denied, "not ***");
    refused(&app(&idp, &"wrong-SECRET".repeat(50)), Flow::App, Kind::Denied, "not ***");
}

#[test]
fn answers_that_make_no_sense() {
    let idp = Idp::start();
    for (status, body) in [
        (200, "<html>SECRET</html>"),
        (200, ""),
        (200, "{\"access_token\":\"SECRET"),
        (200, "{\"access_token\":[\"SECRET\"],\"token_type\":\"bearer\"}"),
        (200, "{\"access_token\":\"SECRET\\r\\nx LOGOUT\",\"token_type\":\"bearer\"}"),
        (200, "{\"access_token\":\"\",\"token_type\":\"bearer\"}"),
        (302, "SECRET"),
        (404, "SECRET"),
        (400, "{\"refused\":\"SECRET\"}"),
    ] {
        idp.state.lock().unwrap().answers = [(status, body.to_owned())].into();
        refused(&app(&idp, APP_SECRET), Flow::App, Kind::Server, "Example has");
    }
    let mut nowhere = app(&idp, APP_SECRET);
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    nowhere.provider.token_url = format!("http://{closed}/");
    refused(&nowhere, Flow::App, Kind::Connection, &closed.to_string());
}

fn key(user: &str) -> Key {
    Key { user: user.into(), token_url: "https://x/token".into(), client_id: "desktop".into(), scope: "mail".into() }
}

/// A sign-in of the provider, and a store that has it.
fn signed_in(idp: &Idp, folder: &Path) -> (TokenStore, Secret) {
    let tokens = client(idp).run(Flow::Device, &Person::default()).unwrap();
    let store = TokenStore::File(folder.join("pst").join("tokens.json"));
    store.save(&key("anna"), tokens.refresh.as_ref().unwrap()).unwrap();
    (store, tokens.refresh.unwrap())
}

#[test]
fn one_renewal_serves_all_connections() {
    let idp = Idp::start();
    let dir = tempfile::tempdir().unwrap();
    let (store, refresh) = signed_in(&idp, dir.path());
    let source = OAuthTokens::stored(client(&idp), refresh, store.clone(), key("anna"));
    let tokens: Vec<String> = std::thread::scope(|scope| {
        let all: Vec<_> = (0..8)
            .map(|i| {
                scope.spawn({
                    let s = &source;
                    move || s.token(i % 2 == 0).unwrap()
                })
            })
            .collect();
        all.into_iter().map(|t| t.join().unwrap().expose().to_owned()).collect()
    });
    assert!(tokens.iter().all(|t| t == "access-SECRET-2"), "{tokens:?}");
    assert_eq!(idp.forms("token").len(), 2);
    assert_eq!(store.load(&key("anna")).unwrap().unwrap().expose(), "refresh-SECRET-2", "the new one is kept");
    assert!(!format!("{source:?}").contains("SECRET"));
}

#[test]
fn a_token_near_its_end_is_renewed() {
    let idp = Idp::start();
    let of = |lifetime| Tokens {
        lifetime: Duration::from_secs(lifetime),
        ..client(&idp).run(Flow::Device, &Person::default()).unwrap()
    };
    let tokens = of(0);
    let source = OAuthTokens::new(tokens, client(&idp));
    assert_eq!(source.token(false).unwrap().expose(), "access-SECRET-2");
    assert_eq!(source.token(false).unwrap().expose(), "access-SECRET-2");
    // Whoever takes back a sign-in is told so by name.
    let lost = OAuthTokens::new(of(0), client(&idp));
    client(&idp).run(Flow::Device, &Person::default()).unwrap();
    let error = lost.token(false).unwrap_err();
    assert!(error.kind() == Kind::Denied && sentence(&error).contains("pst login renews it"), "{error}");
    let long = "long-SECRET".repeat(50);
    let kept = OAuthTokens::new(Tokens { refresh: Some(Secret::new(long.as_str())), ..of(0) }, client(&idp));
    let answer = format!("{{\"error\":\"invalid_grant\",\"error_description\":\"not {long}\"}}");
    idp.state.lock().unwrap().answers = [(400, answer)].into();
    assert!(sentence(&kept.token(false).unwrap_err()).contains("not ***"));
    // Providers may repeat what they were sent, and tokens are longer than what is shown of an answer.
    let long = Secret::new("refresh-SECRET-".repeat(100));
    for refusal in ["invalid_request", "invalid_grant", "temporarily_unavailable"] {
        let body = format!("{{\"error\":\"{refusal}\",\"error_description\":\"of {}\"}}", long.expose());
        let repeats = OAuthTokens::new(Tokens { refresh: Some(long.clone()), ..of(0) }, client(&idp));
        idp.state.lock().unwrap().answers = [(400, body)].into();
        let said = sentence(&repeats.token(false).unwrap_err());
        assert!(said.contains(refusal) && said.contains("of ***"), "{said}");
    }
    let none = OAuthTokens::new(Tokens { refresh: None, ..of(0) }, client(&idp));
    assert!(sentence(&none.token(false).unwrap_err()).contains("no refresh token"));
}

#[test]
fn runs_at_the_same_time_lose_no_sign_in() {
    let dir = tempfile::tempdir().unwrap();
    let store = TokenStore::File(dir.path().join("tokens.json"));
    let users: Vec<String> = (0..16).map(|i| format!("user {i}")).collect();
    std::thread::scope(|scope| {
        for user in &users {
            scope.spawn(|| store.save(&key(user), &Secret::new(user.as_str())).unwrap());
        }
    });
    for user in &users {
        assert_eq!(store.load(&key(user)).unwrap().unwrap().expose(), user);
    }
}

#[test]
fn what_is_kept_is_for_its_owner() {
    let idp = Idp::start();
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = signed_in(&idp, dir.path());
    let folder = dir.path().join("pst");
    let path = folder.join("tokens.json");
    let mode = |p: &Path| fs::metadata(p).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(&folder)), (0o600, 0o700));
    store.save(&key("bob"), &Secret::new("bobs-SECRET")).unwrap();
    assert_eq!(mode(&path), 0o600);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains("refresh-SECRET-1") && !text.contains("access-SECRET"), "{text}");
    assert!(store.remove(&key("bob")).unwrap() && !store.remove(&key("bob")).unwrap());
    assert!(store.load(&key("bob")).unwrap().is_none() && store.load(&key("anna")).unwrap().is_some());
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    assert!(sentence(&store.load(&key("anna")).unwrap_err()).contains("chmod 600"));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    for damage in ["", "[]", "{\"refresh_tokens\":\"SECRET\"}", "{SECRET"] {
        fs::write(&path, damage).unwrap();
        assert!(sentence(&store.load(&key("anna")).unwrap_err()).contains("pst login"));
        assert!(store.save(&key("anna"), &Secret::new("x")).is_err(), "what is not understood is not replaced");
    }
}

fn of(address: &str, s: Settings) -> Result<Account> {
    Account::of_address(address, &s)
}

fn password(account: &Account, ask: &dyn Ask) -> Result<String> {
    match account.login(ask, &Arc::default())? {
        Login::Password { user, password } => Ok(format!("{user} {}", password.expose())),
        Login::Token { .. } => panic!(),
    }
}

#[test]
fn passwords_come_from_where_it_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str, text: &str, mode: u32| {
        let path = dir.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        Some(path)
    };
    let netrc = "machine imap.example.org login anna password net-SECRET\n";
    let command = |c: &str| Settings { password_command: Some(c.into()), ..Settings::default() };
    for (s, says, warns) in [
        (Settings { password_file: at("a", "a-SECRET\nmore", 0o600), ..Settings::default() }, "a-SECRET", false),
        (Settings { password_file: at("b", "b SECRET\r\n", 0o644), ..Settings::default() }, "b SECRET", true),
        (Settings { netrc: at("c", netrc, 0o640), ..Settings::default() }, "net-SECRET", true),
        (command("printf 'c-%s\\nrest' SECRET"), "c-SECRET", false),
        (Settings { password_env: Some("PATH".into()), ..Settings::default() }, &std::env::var("PATH").unwrap(), false),
    ] {
        let person = Person::default();
        let account = of("imaps://anna@imap.example.org", s).unwrap();
        assert_eq!(password(&account, &person).unwrap(), format!("anna {says}"));
        assert_eq!(person.told().contains("chmod 600"), warns, "{}", person.told());
        assert!(!format!("{account:?}{}", person.told()).contains("net-SECRET"));
    }
    for (s, says) in [
        (Settings { password_file: Some(dir.path().join("none")), ..Settings::default() }, "cannot open"),
        (Settings { password_file: at("d", "\nSECRET", 0o600), ..Settings::default() }, "first line"),
        (
            Settings { netrc: at("e", "machine other password SECRET", 0o600), ..Settings::default() },
            "no IMAP password of anna",
        ),
        (Settings { password_env: Some("PST_NO_SUCH".into()), ..Settings::default() }, "PST_NO_SUCH"),
        (command("echo SECRET; exit 3"), "has failed (exit status: 3)"),
        (command("true"), "printed none"),
        (command("printf '\\377SECRET'"), "UTF-8"),
    ] {
        let account = of("imaps://anna@imap.example.org", s).unwrap();
        let error = sentence(&password(&account, &Person::default()).unwrap_err());
        assert!(error.contains(says), "{says}: {error}");
    }
}

#[test]
fn settings_that_fit_and_those_that_do_not() {
    let s = Settings { timeout: Some(5), pin_sha256: vec!["0".repeat(64)], ..Settings::default() };
    let account = of("imap://anna%40corp.example@mail.example.org:1143/Work", s).unwrap();
    let server = account.server(&Arc::default());
    assert_eq!((server.port, server.security, server.timeout), (1143, Security::StartTls, Duration::from_secs(5)));
    assert_eq!((account.user.as_str(), server.tls.pins.len()), ("anna@corp.example", 1));
    let plain = Settings { security: Some(pst_core::endpoint::account::Protection::Plain), ..Settings::default() };
    assert_eq!(of("pop3://a@b", plain.clone()).unwrap().security, Security::Plain);
    assert_eq!(of("pop3://a@b", plain.clone()).unwrap().server(&Arc::default()).port, 110);
    let google = Settings {
        provider: Some("google".into()),
        client_id: Some("id".into()),
        user: Some("a".into()),
        ..Settings::default()
    };
    let known = Account::new(None, &google).unwrap();
    assert_eq!(known.address.host, "imap.gmail.com");
    assert!(matches!(known.sign_in, SignIn::OAuth { flow: Flow::Browser, asked: false, .. }));
    let mixed = Settings { password_env: Some("A".into()), ..google };
    for (address, s, says) in [
        ("imaps://b", Settings::default(), "--user"),
        ("imaps://a@b", plain, "TLS from the first byte"),
        ("imaps://a:SECRET@b", Settings::default(), "password"),
        ("mailbox.pst", Settings::default(), "imaps://"),
        ("imaps://a@b", Settings { pin_sha256: vec!["12".into()], ..Settings::default() }, "64"),
        ("imaps://a@b", Settings { client_key: Some("k".into()), ..Settings::default() }, "client-cert"),
        ("imaps://a@b", mixed, "either a password or OAuth 2"),
    ] {
        let error = of(address, s).unwrap_err();
        assert!(error.kind() == Kind::Usage && sentence(&error).contains(says), "{says}: {error}");
    }
}

#[test]
fn accounts_of_a_configuration() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("config.toml");
    fs::write(
        &path,
        "[account.work]\naddress = \"imaps://imap.example.org\"\nuser = \"anna\"\nca-file = \"ca.pem\"\ninclude = [\"#Inbox#\"]\n\
         connections = 3\n\n[account.bad]\naddress = \"imaps://imap.example.org\"\n",
    )
    .unwrap();
    let config = Config::read(&path).unwrap();
    let over = Settings { user: Some("bob".into()), ..Settings::default() };
    let work = Account::load(&config, "work", &over).unwrap();
    assert_eq!((work.name.as_str(), work.user.as_str(), work.connections), ("work", "bob", Some(3)));
    assert_eq!((work.tls.ca_file, work.include), (Some(dir.path().join("ca.pem")), vec!["#Inbox#".to_owned()]));
    let all = Account::all(&config, &over).unwrap();
    assert!(all.len() == 2 && all.iter().all(|(_, account)| account.is_ok()));
    let [(bad, error), (work, account)] = &Account::all(&config, &Settings::default()).unwrap()[..] else { panic!() };
    assert_eq!((bad.as_str(), work.as_str()), ("bad", "work"));
    let error = sentence(error.as_ref().unwrap_err());
    assert!(error.contains("account \"bad\"") && error.contains("--user"), "{error}");
    assert!(account.is_ok(), "one that is refused does not keep the others");
    assert!(Account::all(&Config::default(), &over).is_err());
}

/// What a session needs is what an account gives.
fn open(account: &Account) -> Result<Session> {
    let stop = Arc::default();
    let login = account.login(&Nobody, &stop)?;
    Session::open(&imap::Account::new(account.server(&stop), login))
}

#[test]
fn a_server_takes_what_the_account_brings() {
    let Some(dovecot) = Dovecot::start() else { return };
    let idp = Idp::start();
    let dir = tempfile::tempdir().unwrap();
    let secret = |text: &str| {
        let path = dir.path().join("secret");
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        Some(path)
    };
    let base = Settings { ca_file: Some(dovecot.ca_file()), ..Settings::default() };
    for address in
        [format!("imaps://alice@localhost:{}", dovecot.imaps), format!("imap://alice@localhost:{}", dovecot.imap)]
    {
        let by = |text: &str| of(&address, Settings { password_file: secret(text), ..base.clone() }).unwrap();
        open(&by(PASSWORD)).unwrap();
        let error = open(&by("wrong-SECRET")).err().unwrap();
        assert!(error.kind() == Kind::Denied, "{}", sentence(&error));
        let oauth = Settings {
            oauth: Some(Flow::App),
            client_id: Some("app".into()),
            client_secret_file: secret(APP_SECRET),
            token_url: Some(idp.url("token")),
            ..base.clone()
        };
        let account = of(&address, oauth).unwrap();
        let error = open(&account).err().unwrap();
        assert!(error.kind() == Kind::Denied, "{}", sentence(&error));
        dovecot.accept_token(&format!("access-SECRET-{}", idp.state.lock().unwrap().given + 1), "alice");
        open(&account).unwrap();
    }
}

/// The provider is believed as the mail server is: by the system's authorities and the file, and by no pin.
#[test]
fn providers_have_certificates() {
    let Some(dovecot) = Dovecot::start() else { return };
    let idp = Idp::start();
    let mut client = app(&idp, APP_SECRET);
    client.provider.token_url = format!("https://localhost:{}/token", dovecot.imaps);
    refused(&client, Flow::App, Kind::Connection, "certificate");
    client.http.0.tls.ca_file = Some(dovecot.ca_file());
    refused(&client, Flow::App, Kind::Server, "makes no sense as HTTP");
}
