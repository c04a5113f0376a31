//! Apps that prove themselves by a certificate: a signed statement in place of a secret ([RFC 7523] 2.2, [RFC 7515]).

use super::super::usage;
use crate::endpoint::net::Secret;
use crate::error::{Error, Kind, Result};
use base64_simd::URL_SAFE_NO_PAD;
use oauth2::CsrfToken;
use rustls::SignatureScheme;
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::SigningKey;
use serde_json::json;
use sha2::{Digest, Sha256};
use std::fmt;
use std::path::Path;
use std::sync::Arc;

/// How a statement is called in a request.
pub(super) const KIND: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// How long a statement holds, seconds.
const LIFETIME: i64 = 600;

/// The certificate of an app, and its key.
#[derive(Clone)]
pub struct Certificate {
    /// SHA-256 of the certificate, base64url.
    thumbprint: String,
    key: Arc<dyn SigningKey>,
}

impl Certificate {
    /// Reads a certificate and its RSA key (PEM), which may stand in a file of its own.
    ///
    /// # Errors
    /// [`Kind::Io`] where a file cannot be read, [`Kind::Usage`] where it does not hold what it should.
    pub fn read(certificate: &Path, key: Option<&Path>) -> Result<Self> {
        let pem = |path: &Path| std::fs::read(path).map_err(|e| Error::io("cannot read", path, e));
        let wrong = |what: &str, path: &Path| usage(format!("there is no {what} (PEM) in it")).in_file(path);
        let der = CertificateDer::from_pem_slice(&pem(certificate)?).map_err(|_| wrong("certificate", certificate))?;
        let path = key.unwrap_or(certificate);
        let key = PrivateKeyDer::from_pem_slice(&pem(path)?).map_err(|_| wrong("key", path))?;
        let key = any_supported_type(&key).map_err(|_| wrong("key of a known kind", path))?;
        if key.choose_scheme(&[SignatureScheme::RSA_PSS_SHA256]).is_none() {
            return Err(wrong("RSA key", path));
        }
        Ok(Self { thumbprint: URL_SAFE_NO_PAD.encode_to_string(Sha256::digest(&der)), key })
    }

    /// The statement that a client is who it says, for the place where tokens are given; it holds for ten minutes.
    ///
    /// # Errors
    /// [`Kind::Usage`] where the key does not sign.
    pub(super) fn statement(&self, client: &str, audience: &str) -> Result<Secret> {
        let now = jiff::Timestamp::now().as_second();
        let head = json!({ "alg": "PS256", "typ": "JWT", "x5t#S256": self.thumbprint });
        let claims = json!({
            "aud": audience, "iss": client, "sub": client, "jti": CsrfToken::new_random().secret(),
            "nbf": now, "iat": now, "exp": now + LIFETIME,
        });
        let part = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode_to_string(value.to_string());
        let signed = format!("{}.{}", part(&head), part(&claims));
        let fails = || Error::new(Kind::Usage, "the key of the app's certificate does not sign");
        let signer = self.key.choose_scheme(&[SignatureScheme::RSA_PSS_SHA256]).ok_or_else(fails)?;
        let signature = signer.sign(signed.as_bytes()).map_err(|_| fails())?;
        Ok(Secret::new(format!("{signed}.{}", URL_SAFE_NO_PAD.encode_to_string(signature))))
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate").field("thumbprint", &self.thumbprint).finish_non_exhaustive()
    }
}
