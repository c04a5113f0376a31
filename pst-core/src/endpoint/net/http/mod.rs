//! HTTP/1.1 ([RFC 9112]) over connections of ours, so that certificates, the wish to stop and silence are judged where
//! those of mail servers are.
//!
//! A [`Client`] speaks to one server over one connection, which it keeps: NTLM signs in connections, not requests. Bodies
//! are written while they are made, redirections are left to who asked, and nothing is asked for compressed.

mod base64;
mod body;
mod client;
mod cookies;
mod ntlm;
mod signin;
mod wire;

pub use base64::{Base64, base64_length};
pub use body::Body;
pub use client::{Client, Request};
pub use wire::Response;

use super::{Security, Server, TlsOptions};
use crate::error::{Error, Kind, Result};
use oauth2::url::{Host, Url};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// How servers are reached.
#[derive(Debug, Clone)]
pub struct Reach {
    /// Which certificates are taken.
    pub tls: TlsOptions,
    /// How long a server may be silent.
    pub timeout: Duration,
    /// Set by the user's wish to stop.
    pub stop: Arc<AtomicBool>,
}

impl Reach {
    /// The server of an URL, and what it is asked for: path and query. No error repeats the URL, which may hold a secret.
    ///
    /// # Errors
    /// [`Kind::Usage`] for what is no URL of `https` or `http`.
    pub fn server(&self, url: &str) -> Result<(Server, String)> {
        let wrong = || Error::new(Kind::Usage, "an address that should begin with https:// does not");
        let url = Url::parse(url).map_err(|_| wrong())?;
        let security = match url.scheme() {
            "https" => Security::Tls,
            "http" => Security::Plain,
            _ => return Err(wrong()),
        };
        let host = match url.host().ok_or_else(wrong)? {
            Host::Ipv6(ip) => ip.to_string(),
            host => host.to_string(),
        };
        let server = Server {
            host,
            port: url.port_or_known_default().unwrap_or(443),
            security,
            tls: self.tls.clone(),
            timeout: self.timeout,
            stop: Arc::clone(&self.stop),
        };
        let query = url.query().map(|q| format!("?{q}")).unwrap_or_default();
        Ok((server, format!("{}{query}", url.path())))
    }
}
