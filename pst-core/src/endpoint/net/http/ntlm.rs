//! NTLM over HTTP ([MS-NLMP], [MS-NTHT]): two messages of ours, one of the server between them.
//!
//! The proof is bound to the TLS connection (extended protection), which Exchange Server demands since 2024.

use crate::endpoint::net::Secret;
use crate::error::{Error, Kind, Result};
use md5::{Digest, Md5};
use ntlmclient::{Credentials, Flags, Message, NegotiateMessage};
use sha2::{Sha256, Sha384, Sha512};

/// AvIds of [MS-NLMP] 2.2.2.1.
const END: u16 = 0;
const TIMESTAMP: u16 = 7;
const CHANNEL_BINDINGS: u16 = 10;
/// Longest target information that is taken, bytes.
const LONGEST: usize = 16 << 10;

/// The first message, base64 ([MS-NLMP] 2.2.1.1).
pub fn negotiate() -> Result<String> {
    let message = Message::Negotiate(NegotiateMessage {
        flags: flags() | Flags::REQUEST_TARGET,
        supplied_domain: String::new(),
        supplied_workstation: String::new(),
        os_version: ntlmclient::OsVersion::default(),
    });
    encoded(&message)
}

fn flags() -> Flags {
    Flags::NEGOTIATE_UNICODE | Flags::NEGOTIATE_NTLM | Flags::NEGOTIATE_NTLM2_KEY | Flags::NEGOTIATE_ALWAYS_SIGN
}

fn encoded(message: &Message) -> Result<String> {
    let bytes =
        message.to_bytes().map_err(|_| Error::new(Kind::Usage, "this name cannot be used to sign in by NTLM"))?;
    Ok(base64_simd::STANDARD.encode_to_string(bytes))
}

/// The last message, base64, for the server's challenge. `certificate`: the server's (DER), over TLS.
///
/// # Errors
/// [`Kind::Server`] for a challenge that is none.
pub fn authenticate(challenge: &str, user: &str, password: &Secret, certificate: Option<&[u8]>) -> Result<String> {
    let nonsense = || Error::new(Kind::Server, "the server's part of NTLM makes no sense");
    let bytes = base64_simd::STANDARD.decode_to_vec(challenge.trim()).map_err(|_| nonsense())?;
    let challenge = Challenge::parse(&bytes).ok_or_else(nonsense)?;
    // A longer name would not fit the message.
    if user.len() > 1024 {
        return Err(Error::new(Kind::Usage, "this name is too long to sign in by NTLM"));
    }
    let (domain, name) = user.split_once('\\').unwrap_or(("", user));
    let credentials =
        Credentials { username: name.to_owned(), password: password.expose().to_owned(), domain: domain.to_owned() };
    let (info, time) = challenge.bound(certificate);
    let now = || ntlmclient::get_ntlm_time();
    let mut response =
        ntlmclient::respond_challenge_ntlm_v2(challenge.nonce, &info, time.unwrap_or_else(now), &credentials);
    if time.is_some() {
        // [MS-NLMP] 3.1.5.1.2: no LMv2 response where the server tells the time.
        response.lm_response = vec![0; 24];
    }
    // No key was exchanged.
    response.session_key = Vec::new();
    encoded(&response.to_message(&credentials, "", flags()))
}

/// What is used of a CHALLENGE_MESSAGE ([MS-NLMP] 2.2.1.2).
struct Challenge {
    nonce: [u8; 8],
    /// Pairs of AvId and value, without the end.
    info: Vec<(u16, Vec<u8>)>,
}

impl Challenge {
    fn parse(bytes: &[u8]) -> Option<Self> {
        if !bytes.starts_with(b"NTLMSSP\0\x02\0\0\0") {
            return None;
        }
        let nonce = bytes.get(24..32)?.try_into().ok()?;
        let length = usize::from(word(bytes, 40)?);
        let at = u32::from_le_bytes(bytes.get(44..48)?.try_into().ok()?) as usize;
        if length > LONGEST {
            return None;
        }
        let mut rest = if length == 0 { &[] } else { bytes.get(at..at.checked_add(length)?)? };
        let mut info = Vec::new();
        while let (Some(id), Some(size)) = (word(rest, 0), word(rest, 2)) {
            let value = rest.get(4..4 + usize::from(size))?;
            if id == END {
                break;
            }
            info.push((id, value.to_vec()));
            rest = rest.get(4 + usize::from(size)..)?;
        }
        Some(Self { nonce, info })
    }

    /// The target information with the connection in it, and the server's time.
    fn bound(&self, certificate: Option<&[u8]>) -> (Vec<u8>, Option<i64>) {
        let mut out = Vec::new();
        let mut add = |id: u16, value: &[u8]| {
            out.extend_from_slice(&id.to_le_bytes());
            out.extend_from_slice(&(value.len() as u16).to_le_bytes());
            out.extend_from_slice(value);
        };
        self.info.iter().filter(|(id, _)| *id != CHANNEL_BINDINGS).for_each(|(id, value)| add(*id, value));
        if let Some(certificate) = certificate {
            add(CHANNEL_BINDINGS, &bindings(certificate));
        }
        add(END, &[]);
        let time = self.info.iter().find(|(id, _)| *id == TIMESTAMP).map(|(_, value)| value.as_slice());
        (out, time.and_then(|t| t.try_into().ok()).map(i64::from_le_bytes))
    }
}

fn word(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

/// MD5 of gss_channel_bindings_struct with the application data "tls-server-end-point" ([RFC 5929] 4, [MS-NLMP] 3.1.5.1.2).
fn bindings(certificate: &[u8]) -> [u8; 16] {
    let hash: Vec<u8> = match signature_hash(certificate) {
        384 => Sha384::digest(certificate).to_vec(),
        512 => Sha512::digest(certificate).to_vec(),
        _ => Sha256::digest(certificate).to_vec(),
    };
    let data = [b"tls-server-end-point:".as_slice(), &hash].concat();
    let mut md5 = Md5::new();
    // No addresses of either side.
    md5.update([0; 16]);
    md5.update((data.len() as u32).to_le_bytes());
    md5.update(&data);
    md5.finalize().into()
}

/// Bits of the hash that a certificate is signed by, as its signatureAlgorithm says; 256 for older and unknown ones.
fn signature_hash(certificate: &[u8]) -> u32 {
    const RSA: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01];
    const ECDSA: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03];
    let oid = || {
        let (whole, _) = der(certificate)?;
        let (_, rest) = der(whole)?;
        let (algorithm, _) = der(rest)?;
        der(algorithm).map(|(oid, _)| oid)
    };
    match oid().unwrap_or_default() {
        oid if oid.strip_prefix(RSA) == Some(&[12]) || oid.strip_prefix(ECDSA) == Some(&[3]) => 384,
        oid if oid.strip_prefix(RSA) == Some(&[13]) || oid.strip_prefix(ECDSA) == Some(&[4]) => 512,
        _ => 256,
    }
}

/// The content of the first DER value, and what follows it.
fn der(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let first = *bytes.get(1)?;
    let (length, head) = if first < 0x80 {
        (usize::from(first), 2)
    } else {
        let digits = bytes.get(2..2 + usize::from(first & 0x7F)).filter(|d| d.len() <= 4)?;
        (digits.iter().fold(0, |n, d| n << 8 | usize::from(*d)), 2 + digits.len())
    };
    let rest = bytes.get(head..)?;
    Some((rest.get(..length)?, rest.get(length..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// [MS-NLMP] 4.2.4: the challenge, names and time of the example.
    fn challenge(info: &[u8]) -> Vec<u8> {
        let mut out = b"NTLMSSP\0\x02\0\0\0".to_vec();
        out.extend([0; 8]);
        out.extend(0x0000_8201u32.to_le_bytes());
        out.extend([0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF]);
        out.extend([0; 8]);
        out.extend((info.len() as u16).to_le_bytes());
        out.extend((info.len() as u16).to_le_bytes());
        out.extend(56u32.to_le_bytes());
        out.extend([0; 8]);
        out.extend(info);
        out
    }

    #[test]
    fn challenges() {
        let info = [7, 0, 8, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0];
        let parsed = Challenge::parse(&challenge(&info)).unwrap();
        let (bound, time) = parsed.bound(Some(b"certificate"));
        assert_eq!(time, Some(0x0807_0605_0403_0201));
        assert_eq!((bound.len(), &bound[12..16]), (12 + 20 + 4, [10, 0, 16, 0].as_slice()));
        for cut in 0..challenge(&info).len() {
            let _ = Challenge::parse(&challenge(&info)[..cut]);
        }
        assert!(Challenge::parse(&challenge(&[1, 0, 255, 255, 0, 0])).is_none());
        assert!(authenticate("TlRMTVNTUAAB", "u", &Secret::new("p"), None).is_err());
        assert!(authenticate("no base64!", "u", &Secret::new("p"), None).is_err());
    }

    #[test]
    fn hashes_of_signatures() {
        let certificate = |oid: &[u8]| {
            let mut algorithm = vec![6, oid.len() as u8];
            algorithm.extend(oid);
            let mut whole = vec![0x30, 0x81, 0, 0x30, 1, 0, 0x30, algorithm.len() as u8];
            whole.extend(algorithm);
            whole[2] = whole.len() as u8 - 3;
            whole
        };
        let rsa = |n| certificate(&[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, n]);
        assert_eq!([rsa(11), rsa(12), rsa(13), rsa(5)].map(|c| signature_hash(&c)), [256, 384, 512, 256]);
        assert_eq!(signature_hash(&certificate(&[0x2A, 0x86, 0x48, 0xCE, 0x3D, 4, 3, 3])), 384);
        assert_eq!(signature_hash(&[0x30, 0xFF]), 256);
    }
}
