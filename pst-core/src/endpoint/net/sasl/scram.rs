//! SCRAM-SHA-256 ([RFC 5802], [RFC 7677]), without channel binding.

use super::keyed::{hmac, stretched};
use crate::endpoint::net::{Secret, tame, tls};
use crate::error::{Error, Kind, Result};
use base64_simd::STANDARD;
use sha2::{Digest, Sha256};
use std::borrow::Cow;

/// More rounds than any server asks for; each costs time.
const MOST_ITERATIONS: u32 = 5_000_000;
/// "n,,": no channel binding, nobody else's mailbox.
const BINDING: &str = "n,,";

/// The client's side.
pub struct Scram {
    secret: Secret,
    nonce: String,
    first: String,
    step: Step,
}

enum Step {
    /// Waits for salt and rounds.
    First,
    /// Waits for the proof, which must be this.
    Final(Vec<u8>),
    Proved,
    Failed,
}

/// A nonce that was never used before.
pub fn nonce() -> Result<String> {
    let mut bytes = [0; 18];
    tls::random(&mut bytes)?;
    Ok(STANDARD.encode_to_string(bytes))
}

/// A name as it stands in messages.
pub fn escaped(name: &str) -> String {
    name.replace('=', "=3D").replace(',', "=2C")
}

fn nonsense(what: &str) -> Error {
    Error::new(Kind::Server, format!("SCRAM-SHA-256: {what}"))
}

impl Scram {
    pub fn new(user: &str, secret: Secret, nonce: &str) -> Self {
        let first = format!("n={},r={nonce}", escaped(user));
        Self { secret, nonce: nonce.to_owned(), first, step: Step::First }
    }

    /// The first message.
    pub fn first(&self) -> Vec<u8> {
        format!("{BINDING}{}", self.first).into_bytes()
    }

    /// True once the server has shown that it knows the password.
    pub fn is_proved(&self) -> bool {
        matches!(self.step, Step::Proved)
    }

    pub fn answer(&mut self, challenge: &[u8]) -> Result<Vec<u8>> {
        let text = std::str::from_utf8(challenge).map_err(|_| nonsense("the server's message is not UTF-8"))?;
        match std::mem::replace(&mut self.step, Step::Failed) {
            Step::First => self.prove(text),
            Step::Final(expected) => {
                if let Some(error) = field(text, "e=") {
                    let error = tame(error.as_bytes());
                    return Err(Error::new(Kind::Denied, format!("the server refuses the sign-in: {error}")));
                }
                let proof = field(text, "v=").and_then(|v| STANDARD.decode_to_vec(v).ok());
                if proof.is_none_or(|p| p != expected) {
                    let text = "the server cannot prove that it knows the password; it may be another one";
                    return Err(Error::new(Kind::Denied, text));
                }
                self.step = Step::Proved;
                Ok(Vec::new())
            }
            Step::Proved | Step::Failed => Err(nonsense("the server asks on after the end")),
        }
    }

    fn prove(&mut self, server_first: &str) -> Result<Vec<u8>> {
        if server_first.starts_with("m=") {
            return Err(nonsense("the server wants an extension that is not known"));
        }
        let nonce = field(server_first, "r=").ok_or_else(|| nonsense("the server gives no nonce"))?;
        if !nonce.starts_with(&self.nonce) || nonce.len() == self.nonce.len() {
            return Err(nonsense("the server's nonce does not go on from ours"));
        }
        let salt = field(server_first, "s=").and_then(|s| STANDARD.decode_to_vec(s).ok());
        let salt = salt.ok_or_else(|| nonsense("the server gives no salt"))?;
        let rounds = field(server_first, "i=").and_then(|i| i.parse::<u32>().ok());
        let rounds = rounds
            .filter(|i| (1..=MOST_ITERATIONS).contains(i))
            .ok_or_else(|| nonsense("the server gives no number of rounds that can be"))?;
        // RFC 5802 5.1. What RFC 4013 forbids is sent as it was typed: some servers allow it.
        let password = stringprep::saslprep(self.secret.expose()).unwrap_or(Cow::Borrowed(self.secret.expose()));
        let salted = stretched::<Sha256>(password.as_bytes(), &salt, rounds);
        let client_key = hmac::<Sha256>(&salted, b"Client Key");
        let last = format!("c={},r={nonce}", STANDARD.encode_to_string(BINDING));
        let all = format!("{},{server_first},{last}", self.first);
        let signature = hmac::<Sha256>(&Sha256::digest(client_key), all.as_bytes());
        let proof: Vec<u8> = client_key.iter().zip(&signature).map(|(a, b)| a ^ b).collect();
        let server_key = hmac::<Sha256>(&salted, b"Server Key");
        self.step = Step::Final(hmac::<Sha256>(&server_key, all.as_bytes()).to_vec());
        Ok(format!("{last},p={}", STANDARD.encode_to_string(proof)).into_bytes())
    }
}

/// The value of an attribute.
fn field<'a>(message: &'a str, name: &str) -> Option<&'a str> {
    message.split(',').find_map(|part| part.strip_prefix(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVER_FIRST: &[u8] =
        b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";

    fn scram() -> Scram {
        Scram::new("user", Secret::new("pencil"), "rOprNGfwEbeRWgbNEkqO")
    }

    #[test]
    fn the_example_of_rfc_7677() {
        let mut scram = scram();
        assert_eq!(scram.first(), b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
        assert_eq!(
            scram.answer(SERVER_FIRST).unwrap(),
            b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
        );
        assert!(!scram.is_proved());
        assert_eq!(scram.answer(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=").unwrap(), b"");
        assert!(scram.is_proved());
    }

    #[test]
    fn passwords_have_one_form() {
        let answer = |password: &str| {
            Scram::new("user", Secret::new(password), "rOprNGfwEbeRWgbNEkqO").answer(SERVER_FIRST).unwrap()
        };
        // Typed with a combining accent, and with a soft hyphen (RFC 4013 3).
        assert_eq!(answer("cafe\u{301}"), answer("caf\u{e9}"));
        assert_eq!(answer("I\u{AD}X"), answer("IX"));
        assert_ne!(answer("IX"), answer("ix"));
        assert_ne!(answer("bell\u{7}"), answer("bell"), "what is forbidden stays what it is");
    }

    #[test]
    fn another_server_is_found_out() {
        for last in ["v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G5=", "v=", "", "e=invalid-proof"] {
            let mut scram = scram();
            scram.answer(SERVER_FIRST).unwrap();
            assert_eq!(scram.answer(last.as_bytes()).unwrap_err().kind(), Kind::Denied, "{last}");
            assert!(!scram.is_proved());
        }
    }

    #[test]
    fn broken_messages_are_refused() {
        for first in [
            "",
            "m=x,r=rOprNGfwEbeRWgbNEkqOx,s=AAAA,i=1",
            "r=rOprNGfwEbeRWgbNEkqO,s=AAAA,i=1",
            "r=other,s=AAAA,i=1",
            "r=rOprNGfwEbeRWgbNEkqOx,s=?,i=1",
            "r=rOprNGfwEbeRWgbNEkqOx,s=AAAA,i=0",
            "r=rOprNGfwEbeRWgbNEkqOx,s=AAAA,i=4294967295",
        ] {
            assert!(scram().answer(first.as_bytes()).is_err(), "{first}");
        }
        assert_eq!(escaped("a=b,c"), "a=3Db=2Cc");
    }
}
