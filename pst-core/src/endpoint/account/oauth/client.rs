//! The ways to tokens.

use super::super::{Ask, Flow, usage};
use super::assertion;
use super::http::Http;
use super::loopback::Loopback;
use super::provider::Provider;
use crate::endpoint::net::{Secret, tame};
use crate::error::{Error, Kind, Result};
use oauth2::basic::{BasicClient, BasicErrorResponseType, BasicTokenResponse};
use oauth2::{
    AuthType, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, DeviceAuthorizationUrl,
    DeviceCodeErrorResponseType, EndpointMaybeSet, EndpointNotSet, EndpointSet, ErrorResponse, HttpRequest,
    HttpResponse, PkceCodeChallenge, RedirectUrl, RefreshToken, RequestTokenError, Scope,
    StandardDeviceAuthorizationResponse, TokenResponse, TokenUrl, http,
};
use std::fmt::Display;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// How long a token lasts of which the provider says nothing.
const LIFETIME: Duration = Duration::from_hours(1);

/// How long the browser may take.
const PATIENCE: Duration = Duration::from_mins(15);

/// What a sign-in gives.
#[derive(Debug, Clone)]
pub struct Tokens {
    /// What is shown to the mail server.
    pub access: Secret,
    /// What gives the next token without anybody.
    pub refresh: Option<Secret>,
    /// How long the access token lasts.
    pub lifetime: Duration,
}

/// This program towards a provider.
#[derive(Debug, Clone)]
pub struct Client {
    /// The provider.
    pub provider: Provider,
    /// How it is reached.
    pub http: Http,
}

type Endpoints = BasicClient<EndpointMaybeSet, EndpointMaybeSet, EndpointNotSet, EndpointNotSet, EndpointSet>;

impl Client {
    /// Signs in by a flow.
    ///
    /// # Errors
    /// [`Kind::Denied`] where the provider or the person refuses or the time runs out; [`Kind::Usage`] where the provider
    /// has no such flow; [`Kind::Connection`] and [`Kind::Server`] where it does not answer well; [`Kind::Interrupted`].
    pub fn run(&self, flow: Flow, ask: &dyn Ask) -> Result<Tokens> {
        match flow {
            Flow::Device => self.device(ask),
            Flow::Browser => self.browser(ask),
            Flow::App => self.app(),
        }
    }

    /// Tokens for a code that is typed at a page of the provider (RFC 8628).
    fn device(&self, ask: &dyn Ask) -> Result<Tokens> {
        let endpoints = self.endpoints()?;
        let Ok(request) = endpoints.exchange_device_code() else {
            let text = format!("{} gives devices no codes for mail: --oauth browser", self.provider.name);
            return Err(usage(text));
        };
        let device: StandardDeviceAuthorizationResponse =
            request.add_scopes(self.scopes()).request(&|r| self.http.send(&r)).map_err(|e| self.failed(e, None))?;
        let (page, code) = (device.verification_uri().as_str(), device.user_code().secret());
        ask.tell(&format!("To sign in, open {} in any browser and enter the code {}", one_line(page), one_line(code)));
        let stop = &self.http.0.stop;
        // The polling takes every error for a passing one; a refusal ends it once the user wants to stop.
        let send =
            |request: HttpRequest| if stop.load(Ordering::Relaxed) { Ok(no()) } else { self.http.send(&request) };
        let wait = |time: Duration| ask.pause(time.max(Duration::from_secs(1)));
        let answer = endpoints.exchange_device_access_token(&device).request(&send, wait, None);
        if stop.load(Ordering::Relaxed) {
            return Err(Error::new(Kind::Interrupted, "stopped by the user"));
        }
        match answer {
            Ok(tokens) => self.taken(&tokens),
            Err(RequestTokenError::ServerResponse(r)) if *r.error() == DeviceCodeErrorResponseType::ExpiredToken => {
                let text = format!("nobody has signed in at {} before the code expired", self.provider.name);
                Err(Error::new(Kind::Denied, text))
            }
            Err(e) => Err(self.failed(e, Some(&Secret::new(device.device_code().secret())))),
        }
    }

    /// Tokens by the browser of this machine, which comes back to a port of ours (RFC 8252, RFC 7636).
    fn browser(&self, ask: &dyn Ask) -> Result<Tokens> {
        let loopback = Loopback::open()?;
        let redirect = RedirectUrl::new(format!("http://{}:{}/", self.provider.loopback, loopback.port()));
        let redirect = redirect.map_err(|e| usage(format!("the address of this machine is no URL: {e}")))?;
        let endpoints = self.endpoints()?.set_redirect_uri(redirect);
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let Ok(request) = endpoints.authorize_url(CsrfToken::new_random) else {
            return Err(usage(format!("{} has no page for the browser: --auth-url names it", self.provider.name)));
        };
        let mut request = request.add_scopes(self.scopes()).set_pkce_challenge(challenge);
        for (name, value) in &self.provider.extra {
            request = request.add_extra_param(*name, value.as_str());
        }
        let (url, state) = request.url();
        ask.tell(&format!("To sign in, open this page in a browser of this machine: {url}"));
        ask.open(url.as_str());
        let named = |e: Error| Error::new(e.kind(), format!("{} {e}", self.provider.name));
        let code = loopback.wait(&state, &self.http.0.stop, PATIENCE).map_err(named)?;
        let tokens: BasicTokenResponse = endpoints
            .exchange_code(AuthorizationCode::new(code.expose().to_owned()))
            .set_pkce_verifier(verifier)
            .request(&|r| self.http.send(&r))
            .map_err(|e| self.failed(e, Some(&code)))?;
        self.taken(&tokens)
    }

    /// A token for the app itself (RFC 6749, 4.4).
    pub(super) fn app(&self) -> Result<Tokens> {
        let endpoints = self.endpoints()?;
        let mut request = endpoints.exchange_client_credentials().add_scopes(self.scopes());
        let p = &self.provider;
        let statement = p.certificate.as_ref().map(|c| c.statement(&p.client_id, &p.token_url)).transpose()?;
        if let Some(statement) = &statement {
            request = request
                .add_extra_param("client_assertion_type", assertion::KIND)
                .add_extra_param("client_assertion", statement.expose().to_owned());
        }
        let answer = request.request(&|r| self.http.send(&r));
        let tokens: BasicTokenResponse = answer.map_err(|e| self.failed(e, statement.as_ref()))?;
        self.taken(&tokens)
    }

    /// A token for a refresh token (RFC 6749, 6).
    pub(super) fn refresh(&self, refresh: &Secret) -> Result<Tokens> {
        let refresh_token = RefreshToken::new(refresh.expose().to_owned());
        let endpoints = self.endpoints()?;
        let request = endpoints.exchange_refresh_token(&refresh_token).add_scopes(self.scopes());
        let answer: std::result::Result<BasicTokenResponse, _> = request.request(&|r| self.http.send(&r));
        match answer {
            Ok(tokens) => self.taken(&tokens),
            Err(RequestTokenError::ServerResponse(r)) if *r.error() == BasicErrorResponseType::InvalidGrant => {
                let said = self.quoted(&r.to_string(), Some(refresh));
                let text = format!("{} no longer takes the sign-in ({said}); pst login renews it", self.provider.name);
                Err(Error::new(Kind::Denied, text))
            }
            Err(e) => Err(self.failed(e, Some(refresh))),
        }
    }

    fn endpoints(&self) -> Result<Endpoints> {
        let p = &self.provider;
        let wrong = |e| usage(format!("an address of {} is no URL: {e}", p.name));
        let client = BasicClient::new(ClientId::new(p.client_id.clone()))
            .set_auth_type(AuthType::RequestBody)
            .set_auth_uri_option(p.auth_url.clone().map(AuthUrl::new).transpose().map_err(wrong)?)
            .set_device_authorization_url_option(
                p.device_url.clone().map(DeviceAuthorizationUrl::new).transpose().map_err(wrong)?,
            )
            .set_token_uri(TokenUrl::new(p.token_url.clone()).map_err(wrong)?);
        Ok(match &p.client_secret {
            Some(secret) => client.set_client_secret(ClientSecret::new(secret.expose().to_owned())),
            None => client,
        })
    }

    fn scopes(&self) -> impl Iterator<Item = Scope> {
        self.provider.scopes.iter().cloned().map(Scope::new)
    }

    fn taken(&self, answer: &BasicTokenResponse) -> Result<Tokens> {
        let access = answer.access_token().secret();
        if access.is_empty() || access.chars().any(|c| !c.is_ascii_graphic()) {
            return Err(Error::new(Kind::Server, format!("{} has given a token that is none", self.provider.name)));
        }
        Ok(Tokens {
            access: Secret::new(access),
            refresh: answer.refresh_token().map(|r| Secret::new(r.secret())),
            lifetime: answer.expires_in().unwrap_or(LIFETIME),
        })
    }

    /// One sentence of what has failed when `sent` was sent. What could not be parsed may be a token, so it is not shown.
    fn failed<T>(&self, e: RequestTokenError<Error, T>, sent: Option<&Secret>) -> Error
    where
        T: ErrorResponse + Display + 'static,
    {
        let name = &self.provider.name;
        match e {
            RequestTokenError::Request(e) => e,
            RequestTokenError::ServerResponse(said) => {
                Error::new(Kind::Denied, format!("{name} has refused: {}", self.quoted(&said.to_string(), sent)))
            }
            RequestTokenError::Parse(..) => Error::new(
                Kind::Server,
                format!("{name} has answered with something that is neither token nor refusal"),
            ),
            RequestTokenError::Other(said) => {
                Error::new(Kind::Server, format!("{name} has not answered well: {}", self.quoted(&said, sent)))
            }
        }
    }

    /// What the provider says, without the secrets that it was sent and may repeat.
    fn quoted(&self, said: &str, sent: Option<&Secret>) -> String {
        let secrets = self.provider.client_secret.iter().chain(sent);
        // Before it is cut to a length: half a token would not be found.
        one_line(&secrets.fold(said.to_owned(), |text, secret| secret.scrub(&text)))
    }
}

fn one_line(said: &str) -> String {
    tame(said.as_bytes())
}

/// A refusal that no server has sent.
fn no() -> HttpResponse {
    let mut response = HttpResponse::new(br#"{"error":"access_denied"}"#.to_vec());
    *response.status_mut() = http::StatusCode::BAD_REQUEST;
    response
}
