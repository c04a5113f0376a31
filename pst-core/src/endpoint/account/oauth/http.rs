//! The few requests that OAuth 2 makes.

use crate::endpoint::net::http::{Body, Client, Reach, Request};
use crate::endpoint::net::tame;
use crate::error::{Error, Kind, Result};
use oauth2::{HttpRequest, HttpResponse, http};

/// Longest answer, bytes.
const LONGEST: u64 = 1 << 20;

/// How providers are reached.
#[derive(Debug, Clone)]
pub struct Http(pub Reach);

impl Http {
    /// Sends a request and reads the answer, whatever its status says; redirections are not followed.
    ///
    /// # Errors
    /// [`Kind::Connection`] where the server cannot be reached or breaks off; [`Kind::Server`] where it cannot serve now
    /// or makes no sense.
    pub fn send(&self, request: &HttpRequest) -> Result<HttpResponse> {
        let (server, target) = self.0.server(&request.uri().to_string())?;
        let named = server.to_string();
        let value = |v: &http::HeaderValue| v.to_str().unwrap_or_default().to_owned();
        let mut fields: Vec<_> = request.headers().iter().map(|(name, v)| (name.as_str(), value(v))).collect();
        fields.push(("Connection", "close".to_owned()));
        let answer = Client::new(server, None).send(&Request {
            method: request.method().as_str(),
            target: &target,
            fields,
            body: Body::from(request.body().clone()),
            longest: LONGEST,
            hidden: Vec::new(),
        })?;
        if answer.status >= 500 || answer.status == 429 {
            let status = answer.status;
            return Err(Error::new(
                Kind::Server,
                format!("{named} cannot serve now: status {status}; try again later"),
            ));
        }
        let mut response = http::Response::builder().status(answer.status);
        if let Some(kind) = answer.field("content-type") {
            response = response.header(http::header::CONTENT_TYPE, tame(kind.as_bytes()));
        }
        let nonsense = |_| Error::new(Kind::Server, format!("{named}: its answer makes no sense as HTTP: its header"));
        response.body(answer.body).map_err(nonsense)
    }
}
