//! Sign-in by OAuth 2 (RFC 6749): by a code for devices (RFC 8628), by the browser of this machine (RFC 8252 with PKCE,
//! RFC 7636), and of apps by themselves; and the renewal of tokens while a run lasts.

mod assertion;
mod client;
pub mod http;
mod loopback;
pub mod provider;
mod tokens;

pub use assertion::Certificate;
pub use client::{Client, Tokens};
pub use provider::Provider;
pub use tokens::OAuthTokens;
