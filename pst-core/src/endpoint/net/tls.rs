//! TLS: whom we believe (the system's roots, a file of authorities, pinned certificates), and who we are.

use super::socket::Socket;
use super::{Server, hexadecimal};
use crate::error::{Error, Kind, Result};
use rustls::client::ResolvesClientCert;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::sign::CertifiedKey;
use rustls::{
    AlertDescription, CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, Error as TlsError,
    PeerIncompatible, SignatureScheme,
};
use rustls_platform_verifier::Verifier;
use sha2::{Digest, Sha256};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Which certificates are accepted, and which is shown.
#[derive(Debug, Clone, Default)]
pub struct TlsOptions {
    /// Certificates (PEM) of authorities that are believed beside those of the system.
    pub ca_file: Option<PathBuf>,
    /// SHA-256 of the server's certificate or of its public key (SubjectPublicKeyInfo). Where there are pins, they stand in
    /// for authority, name and date: only what is pinned is accepted.
    pub pins: Vec<[u8; 32]>,
    /// Our own certificate with its chain, and its key (PEM, the key not encrypted).
    pub client_cert: Option<(PathBuf, PathBuf)>,
}

/// The digits of a pin, as people write them: hexadecimal, with or without colons.
///
/// # Errors
/// When these are not 64 digits.
pub fn pin(text: &str) -> Result<[u8; 32]> {
    let digits: Vec<u8> = text.bytes().filter(|b| !b":- ".contains(b)).collect();
    let wrong =
        || Error::new(Kind::Usage, "a pin is the SHA-256 of a certificate or its public key: 64 hexadecimal digits");
    let mut pin = [0; 32];
    if digits.len() != 64 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return Err(wrong());
    }
    for (byte, pair) in pin.iter_mut().zip(digits.chunks(2)) {
        let pair = std::str::from_utf8(pair).map_err(|_| wrong())?;
        *byte = u8::from_str_radix(pair, 16).map_err(|_| wrong())?;
    }
    Ok(pin)
}

/// Random bytes fit for cryptography.
pub(super) fn random(out: &mut [u8]) -> Result<()> {
    let failed = |_| Error::new(Kind::Io, "the system gives no random numbers");
    ring::default_provider().secure_random.fill(out).map_err(failed)
}

/// Runs the handshake to its end.
pub(super) fn handshake(server: &Server, socket: &mut Socket) -> Result<ClientConnection> {
    let judge = Arc::new(Judge::new(server)?);
    let asked = Arc::new(Asked::default());
    let config = config(server, Arc::clone(&judge), Arc::clone(&asked))?;
    let name = ServerName::try_from(server.host.clone()).map_err(|_| {
        Error::new(Kind::Usage, format!("{server}: this name of a server cannot stand in a certificate"))
    })?;
    let failed = |e: &TlsError| {
        // TLS 1.2 has no word of its own for that.
        let wanted =
            *e == TlsError::AlertReceived(AlertDescription::HandshakeFailure) && asked.0.load(Ordering::Relaxed);
        let e = if wanted { &TlsError::AlertReceived(AlertDescription::CertificateRequired) } else { e };
        Error::new(Kind::Connection, format!("{server}: {}", explain(e, judge.seen())))
    };
    let mut tls = ClientConnection::new(config, name).map_err(|e| failed(&e))?;
    while tls.is_handshaking() {
        match tls.complete_io(socket) {
            Ok(_) => {}
            Err(e) => {
                return Err(match tls_error(&e) {
                    Some(inner) => failed(inner),
                    None => server.failed("the TLS handshake does not come to its end", &e),
                });
            }
        }
    }
    Ok(tls)
}

/// Remembers that the server has asked for a certificate that we do not have.
#[derive(Debug, Default)]
struct Asked(AtomicBool);

impl ResolvesClientCert for Asked {
    fn resolve(&self, _hints: &[&[u8]], _schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.0.store(true, Ordering::Relaxed);
        None
    }

    fn has_certs(&self) -> bool {
        false
    }
}

fn config(server: &Server, judge: Arc<Judge>, asked: Arc<Asked>) -> Result<Arc<ClientConfig>> {
    let unusable = |e: &TlsError| Error::new(Kind::Usage, format!("TLS cannot be set up: {e}"));
    let builder = ClientConfig::builder_with_provider(Arc::clone(&judge.provider))
        .with_safe_default_protocol_versions()
        .map_err(|e| unusable(&e))?
        .dangerous()
        .with_custom_certificate_verifier(judge);
    let Some((certificate, key)) = &server.tls.client_cert else {
        return Ok(Arc::new(builder.with_client_cert_resolver(asked)));
    };
    let chain = certificates(certificate)?;
    let private = PrivateKeyDer::from_pem_file(key).map_err(|e| {
        Error::new(Kind::Usage, format!("the file holds no private key that can be used (PEM, not encrypted): {e}"))
            .in_file(key)
    })?;
    let config = builder.with_client_auth_cert(chain, private).map_err(|e| {
        Error::new(Kind::Usage, format!("certificate and key cannot be used together: {e}")).in_file(certificate)
    })?;
    Ok(Arc::new(config))
}

/// The certificates of a PEM file.
fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let broken = |e| Error::new(Kind::Usage, format!("the certificates cannot be read: {e}")).in_file(path);
    let all: Vec<_> =
        CertificateDer::pem_file_iter(path).map_err(broken)?.collect::<std::result::Result<_, _>>().map_err(broken)?;
    if all.is_empty() {
        return Err(Error::new(Kind::Usage, "the file holds no certificate in PEM form").in_file(path));
    }
    Ok(all)
}

/// Judges the certificate of a server, and remembers its hash for the error.
struct Judge {
    provider: Arc<CryptoProvider>,
    pins: Vec<[u8; 32]>,
    /// Not needed where there are pins.
    roots: Option<Verifier>,
    seen: Mutex<Option<[u8; 32]>>,
}

impl Judge {
    fn new(server: &Server) -> Result<Self> {
        let provider = Arc::new(ring::default_provider());
        let TlsOptions { ca_file, pins, .. } = &server.tls;
        let more = ca_file.as_deref().map(certificates).transpose()?.unwrap_or_default();
        let roots = if pins.is_empty() {
            let verifier = Verifier::new_with_extra_roots(more, Arc::clone(&provider)).map_err(|e| {
                let text = "the authorities that sign certificates cannot be read; install them (ca-certificates), or name a \
                            file by --ca-file";
                let e = Error::new(Kind::Usage, format!("{text}: {e}"));
                ca_file.as_ref().map_or(Error::new(e.kind(), e.text()), |file| Error::new(e.kind(), e.text()).in_file(file))
            })?;
            Some(verifier)
        } else {
            None
        };
        Ok(Self { provider, pins: pins.clone(), roots, seen: Mutex::new(None) })
    }

    fn seen(&self) -> Option<[u8; 32]> {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Judge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Judge").field("pins", &self.pins.len()).finish_non_exhaustive()
    }
}

impl ServerCertVerifier for Judge {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> std::result::Result<ServerCertVerified, TlsError> {
        let hash: [u8; 32] = Sha256::digest(end_entity).into();
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(hash);
        if let Some(roots) = &self.roots {
            return roots.verify_server_cert(end_entity, intermediates, name, ocsp, now);
        }
        let key = || -> Option<[u8; 32]> {
            Some(Sha256::digest(ParsedCertificate::try_from(end_entity).ok()?.subject_public_key_info()).into())
        };
        if self.pins.contains(&hash) || key().is_some_and(|k| self.pins.contains(&k)) {
            return Ok(ServerCertVerified::assertion());
        }
        Err(CertificateError::ApplicationVerificationFailure.into())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, TlsError> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, TlsError> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// The error of TLS inside that of a read or write.
pub(super) fn tls_error(e: &io::Error) -> Option<&TlsError> {
    e.get_ref()?.downcast_ref()
}

/// What is wrong, and what can be done about it.
pub(super) fn explain(e: &TlsError, seen: Option<[u8; 32]>) -> String {
    let hash = seen.map(|h| hexadecimal(&h)).unwrap_or_default();
    match e {
        TlsError::InvalidCertificate(CertificateError::ApplicationVerificationFailure) => format!(
            "the certificate is none of those that are pinned (its SHA-256 is {hash}); either it was renewed, or somebody \
             stands between this machine and the server: ask who runs the server"
        ),
        TlsError::InvalidCertificate(why) => format!(
            "the certificate {}; its SHA-256 is {hash}: if who runs the server confirms that, --pin-sha256 {hash} accepts it",
            wrong_with(why)
        ),
        TlsError::AlertReceived(
            AlertDescription::CertificateRequired
            | AlertDescription::BadCertificate
            | AlertDescription::UnknownCA
            | AlertDescription::CertificateUnknown
            | AlertDescription::CertificateExpired
            | AlertDescription::AccessDenied,
        ) => "the server wants a certificate of ours that it knows (--client-cert, --client-key)".to_owned(),
        TlsError::AlertReceived(AlertDescription::ProtocolVersion | AlertDescription::InsufficientSecurity)
        | TlsError::PeerIncompatible(PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig) => {
            "the server has outdated TLS only; TLS 1.2 or 1.3 is needed".to_owned()
        }
        TlsError::InvalidMessage(_) => {
            "the server does not speak TLS on this port; imap:// and pop3:// start TLS after the greeting, imaps:// and \
             pop3s:// with the first byte"
                .to_owned()
        }
        e => format!("TLS fails: {}", super::tame(e.to_string().as_bytes())),
    }
}

/// The predicate of "the certificate ...".
fn wrong_with(e: &CertificateError) -> String {
    match e {
        CertificateError::Expired => "has expired".to_owned(),
        CertificateError::ExpiredContext { not_after, .. } => format!("expired on {}", day(*not_after)),
        CertificateError::NotValidYet => "is not valid yet; is the clock of this machine right?".to_owned(),
        CertificateError::NotValidYetContext { not_before, .. } => {
            format!("is not valid before {}; is the clock of this machine right?", day(*not_before))
        }
        CertificateError::NotValidForName => "is made out for another name".to_owned(),
        CertificateError::NotValidForNameContext { expected, presented } => {
            let names: Vec<_> = presented.iter().take(5).map(|n| super::tame(bare_name(n).as_bytes())).collect();
            let names = if names.is_empty() { "no name at all".to_owned() } else { names.join(", ") };
            format!("is made out for {names}, not for {}", expected.to_str())
        }
        CertificateError::UnknownIssuer => {
            "is signed by nobody that this system believes (--ca-file names an authority of your own)".to_owned()
        }
        CertificateError::Revoked => "has been revoked by who signed it".to_owned(),
        // What the library says of a certificate that signs itself.
        CertificateError::Other(why) if why.to_string().contains("CaUsedAsEndEntity") => {
            "signs itself, as an authority would, so that nobody vouches for it".to_owned()
        }
        e => format!("is not accepted ({})", super::tame(e.to_string().as_bytes())),
    }
}

/// "DnsName("x")", as the library lists names, without its wrapping.
fn bare_name(name: &str) -> &str {
    name.split_once("(\"").and_then(|(_, rest)| rest.strip_suffix("\")")).unwrap_or(name)
}

fn day(time: UnixTime) -> String {
    let time = i64::try_from(time.as_secs()).ok().and_then(|s| jiff::Timestamp::from_second(s).ok());
    time.map_or_else(|| "an impossible date".to_owned(), |t| t.strftime("%Y-%m-%d").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pins_as_people_write_them() {
        let plain = "00ff".repeat(16);
        let colons =
            plain.as_bytes().chunks(2).map(|p| std::str::from_utf8(p).unwrap().to_uppercase()).collect::<Vec<_>>();
        assert_eq!(pin(&plain).unwrap(), pin(&colons.join(":")).unwrap());
        assert_eq!(hexadecimal(&pin(&plain).unwrap()), plain);
        for wrong in ["", "00", &"0".repeat(63), &"+0".repeat(32), &"zz".repeat(32)] {
            assert!(pin(wrong).is_err(), "{wrong}");
        }
    }
}
