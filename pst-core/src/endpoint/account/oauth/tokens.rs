//! Access tokens for as long as a run lasts.

use super::super::{Key, TokenStore};
use super::client::{Client, Tokens};
use crate::endpoint::net::{Secret, TokenSource};
use crate::error::{Error, Kind, Result};
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A token is renewed this long before its end, or a tenth of its life if that is less.
const MARGIN: Duration = Duration::from_mins(5);

/// A token younger than this is not renewed again: where many connections find the old one refused, the first that asks
/// renews it for all.
const YOUNG: Duration = Duration::from_secs(20);

/// The tokens of one sign-in, for any number of connections.
pub struct OAuthTokens {
    client: Client,
    /// Where a new refresh token is kept, if the old one came from there.
    kept: Option<(TokenStore, Key)>,
    held: Mutex<Held>,
}

/// What is held now.
#[derive(Default)]
struct Held {
    access: Option<Access>,
    /// Gives the next token; without it, and for an app, the client itself does.
    refresh: Option<Secret>,
    app: bool,
}

struct Access {
    token: Secret,
    since: Instant,
    lifetime: Duration,
}

impl Access {
    fn age(&self) -> Duration {
        self.since.elapsed()
    }

    fn is_fresh(&self) -> bool {
        self.age() + MARGIN.min(self.lifetime / 10) < self.lifetime
    }
}

impl OAuthTokens {
    /// The tokens of a sign-in that was just made.
    pub fn new(tokens: Tokens, client: Client) -> Self {
        let mut held = Held::default();
        held.take(tokens);
        Self { client, kept: None, held: Mutex::new(held) }
    }

    /// The tokens of a sign-in that is kept in a store.
    pub fn stored(client: Client, refresh: Secret, store: TokenStore, key: Key) -> Self {
        let held = Held { refresh: Some(refresh), ..Held::default() };
        Self { client, kept: Some((store, key)), held: Mutex::new(held) }
    }

    /// The tokens of an app that signs in by itself.
    pub fn app(client: Client) -> Self {
        Self { client, kept: None, held: Mutex::new(Held { app: true, ..Held::default() }) }
    }

    fn renewed(&self, held: &Held) -> Result<Tokens> {
        if held.app {
            return self.client.app();
        }
        match &held.refresh {
            Some(refresh) => self.client.refresh(refresh),
            None => {
                let text = format!(
                    "the token of {} has run out, and there is no refresh token to get another one",
                    self.client.provider.name
                );
                Err(Error::new(Kind::Denied, text))
            }
        }
    }
}

impl Held {
    /// Takes new tokens. True if the refresh token is another one now.
    fn take(&mut self, tokens: Tokens) -> bool {
        self.access = Some(Access { token: tokens.access, since: Instant::now(), lifetime: tokens.lifetime });
        match tokens.refresh {
            Some(refresh) if self.refresh.as_ref() != Some(&refresh) => {
                self.refresh = Some(refresh);
                true
            }
            _ => false,
        }
    }
}

impl TokenSource for OAuthTokens {
    fn token(&self, renew: bool) -> Result<Secret> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(access) = &held.access
            && access.is_fresh()
            && (!renew || access.age() < YOUNG)
        {
            return Ok(access.token.clone());
        }
        match self.renewed(&held) {
            Ok(tokens) => {
                let token = tokens.access.clone();
                if held.take(tokens)
                    && let (Some((store, key)), Some(refresh)) = (&self.kept, &held.refresh)
                {
                    // The run goes on with what it holds; if the old one is no longer taken, the next run says so.
                    let _ = store.save(key, refresh);
                }
                Ok(token)
            }
            Err(e) => match &held.access {
                // While the provider cannot be reached, a token serves to its end.
                Some(access) if !renew && e.kind() != Kind::Denied && access.age() < access.lifetime => {
                    Ok(access.token.clone())
                }
                _ => Err(e),
            },
        }
    }
}

impl fmt::Debug for OAuthTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OAuthTokens").field("provider", &self.client.provider.name).finish_non_exhaustive()
    }
}
