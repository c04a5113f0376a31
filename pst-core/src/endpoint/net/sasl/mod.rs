//! Signing in by SASL ([RFC 4422]): the mechanisms that mail servers offer.
//!
//! Names and passwords go as UTF-8, as they were given: SASLprep ([RFC 4013]) leaves ASCII as it is, and servers seldom
//! apply it to the rest.

mod keyed;
mod scram;

use super::secret::{encoded, scrub};
use super::{Login, Secret, hexadecimal, tame};
use crate::error::{Error, Kind, Result};
use keyed::hmac;
use md5::Md5;
use scram::Scram;

/// A way of signing in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mechanism {
    /// Name and password in one message ([RFC 4616]).
    Plain,
    /// Name and password in two (draft-murchison-sasl-login).
    Login,
    /// Proof of the password by a keyed MD5 ([RFC 2195]).
    CramMd5,
    /// Proof of the password by both sides ([RFC 5802], [RFC 7677]).
    ScramSha256,
    /// A token, as Google and Microsoft take it.
    XOAuth2,
    /// A token ([RFC 7628]).
    OAuthBearer,
}

impl Mechanism {
    /// The mechanism that a server names; `None` for one that this program does not know.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|m| m.name().eq_ignore_ascii_case(name))
    }

    /// Its registered name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::Login => "LOGIN",
            Self::CramMd5 => "CRAM-MD5",
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::XOAuth2 => "XOAUTH2",
            Self::OAuthBearer => "OAUTHBEARER",
        }
    }

    const ALL: [Self; 6] =
        [Self::Plain, Self::Login, Self::CramMd5, Self::ScramSha256, Self::XOAuth2, Self::OAuthBearer];

    /// True where who listens learns the secret.
    fn shows_secret(self) -> bool {
        !matches!(self, Self::CramMd5 | Self::ScramSha256)
    }
}

/// The best of the mechanisms that a server offers.
///
/// # Errors
/// [`Kind::Denied`] when none fits the login, or each would show the secret on a connection that is not encrypted.
pub fn choose(offered: &[Mechanism], login: &Login, encrypted: bool, plaintext_allowed: bool) -> Result<Mechanism> {
    use Mechanism::{CramMd5, Login as LoginName, OAuthBearer, Plain, ScramSha256, XOAuth2};
    let by_worth: &[Mechanism] = match login {
        // On an encrypted connection PLAIN is as safe as CRAM-MD5, and works with passwords that are stored as hashes.
        Login::Password { .. } if encrypted => &[ScramSha256, Plain, LoginName, CramMd5],
        Login::Password { .. } => &[ScramSha256, CramMd5, Plain, LoginName],
        Login::Token { .. } => &[XOAuth2, OAuthBearer],
    };
    let safe = |m: &Mechanism| encrypted || plaintext_allowed || !m.shows_secret();
    let fitting: Vec<Mechanism> = by_worth.iter().copied().filter(|m| offered.contains(m)).collect();
    if let Some(best) = fitting.iter().copied().find(safe) {
        return Ok(best);
    }
    let what = match login {
        Login::Password { .. } => "a password",
        Login::Token { .. } => "an OAuth 2 token",
    };
    let text = if fitting.is_empty() {
        let names: Vec<_> = offered.iter().map(|m| m.name()).collect();
        let names = if names.is_empty() { "none that is known".to_owned() } else { names.join(", ") };
        format!("the server does not let anybody sign in by {what} (ways that it offers: {names})")
    } else {
        format!("the server takes {what} only in the clear, and the connection is not encrypted")
    };
    Err(Error::new(Kind::Denied, text))
}

/// One attempt to sign in, after the command that begins it. What goes over the wire is base64 of what stands here.
pub struct Exchange {
    /// What is sent before the server has said anything, or to its first, empty challenge.
    initial: Option<Vec<u8>>,
    state: State,
    secret: Secret,
    /// What was given out, as it went over the wire.
    given: Vec<String>,
    refusal: Option<String>,
}

enum State {
    /// Nothing follows the first message.
    Done,
    Name {
        user: String,
    },
    Password,
    Cram {
        user: String,
    },
    Scram(Box<Scram>),
    /// The server answers with an error, which is acknowledged by this.
    Bearer(&'static [u8]),
}

impl Exchange {
    /// Begins; `host` and `port` are named in OAUTHBEARER.
    ///
    /// # Errors
    /// When there is no token to be had, or name or secret hold characters that the mechanism cannot carry.
    pub fn start(mechanism: Mechanism, login: &Login, host: &str, port: u16) -> Result<Self> {
        Self::begin(mechanism, login, host, port, false)
    }

    /// Begins again after the server has refused a token, with a new one.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn start_renewed(mechanism: Mechanism, login: &Login, host: &str, port: u16) -> Result<Self> {
        Self::begin(mechanism, login, host, port, true)
    }

    fn begin(mechanism: Mechanism, login: &Login, host: &str, port: u16, renew: bool) -> Result<Self> {
        let secret = match login {
            Login::Password { password, .. } => password.clone(),
            Login::Token { source, .. } => source.token(renew)?,
        };
        let user = login.user().to_owned();
        if [&user, secret.expose()].into_iter().any(|s| s.contains(['\0', '\u{1}'])) {
            let text = "a name, password or token with control characters cannot be used to sign in";
            return Err(Error::new(Kind::Usage, text));
        }
        let token = secret.expose();
        let (initial, state) = match mechanism {
            Mechanism::Plain => (Some(format!("\0{user}\0{token}").into_bytes()), State::Done),
            Mechanism::Login => (None, State::Name { user }),
            Mechanism::CramMd5 => (None, State::Cram { user }),
            Mechanism::ScramSha256 => {
                let scram = Scram::new(&user, secret.clone(), &scram::nonce()?);
                (Some(scram.first()), State::Scram(Box::new(scram)))
            }
            Mechanism::XOAuth2 => {
                let message = format!("user={user}\u{1}auth=Bearer {token}\u{1}\u{1}");
                (Some(message.into_bytes()), State::Bearer(b""))
            }
            Mechanism::OAuthBearer => {
                let user = scram::escaped(&user);
                let message = format!("n,a={user},\u{1}host={host}\u{1}port={port}\u{1}auth=Bearer {token}\u{1}\u{1}");
                (Some(message.into_bytes()), State::Bearer(b"\x01"))
            }
        };
        Ok(Self { initial, state, secret, given: Vec::new(), refusal: None })
    }

    /// What may be sent together with the command (SASL-IR), where the mechanism has the client speak first. A caller that
    /// cannot send it leaves this out: [`Self::answer`] gives it to the first challenge.
    pub fn initial(&mut self) -> Option<Vec<u8>> {
        let initial = self.initial.take()?;
        self.given.push(encoded(&initial));
        Some(initial)
    }

    /// The answer to a challenge.
    ///
    /// # Errors
    /// When the challenge is none that the mechanism has, or the server cannot prove itself.
    pub fn answer(&mut self, challenge: &[u8]) -> Result<Vec<u8>> {
        if let Some(initial) = self.initial() {
            return Ok(initial);
        }
        let answer = self.respond(challenge)?;
        self.given.push(encoded(&answer));
        Ok(answer)
    }

    fn respond(&mut self, challenge: &[u8]) -> Result<Vec<u8>> {
        match std::mem::replace(&mut self.state, State::Done) {
            State::Done => {
                Err(Error::new(Kind::Server, "the server asks on when everything to sign in has been said already"))
            }
            State::Name { user } => {
                self.state = State::Password;
                Ok(user.into_bytes())
            }
            State::Password => Ok(self.secret.expose().as_bytes().to_vec()),
            State::Cram { user } => {
                let proof = hmac::<Md5>(self.secret.expose().as_bytes(), challenge);
                Ok(format!("{user} {}", hexadecimal(&proof)).into_bytes())
            }
            State::Scram(mut scram) => {
                let answer = scram.answer(challenge);
                self.state = State::Scram(scram);
                answer
            }
            State::Bearer(acknowledged) => {
                self.refusal = Some(tame(self.scrub(&String::from_utf8_lossy(challenge)).as_bytes()));
                Ok(acknowledged.to_vec())
            }
        }
    }

    /// Whether the server has proved itself where the mechanism has it do so; asked after the server has said that all is
    /// well.
    ///
    /// # Errors
    /// [`Kind::Denied`] when it has not: it may be another server that does not know the password.
    pub fn verify_end(&self) -> Result<()> {
        match &self.state {
            State::Scram(scram) if !scram.is_proved() => {
                let text = "the server has not proved that it knows the password; it may be another one";
                Err(Error::new(Kind::Denied, text))
            }
            _ => Ok(()),
        }
    }

    /// What the server said of a token that it refuses.
    pub fn refusal(&self) -> Option<&str> {
        self.refusal.as_deref()
    }

    /// What must not be shown of this exchange: a server may repeat what it was sent.
    pub fn hidden(&self) -> Vec<String> {
        let mut hidden = self.given.clone();
        hidden.extend(self.secret.forms());
        hidden
    }

    fn scrub(&self, text: &str) -> String {
        scrub(&self.hidden(), text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn password(user: &str, password: &str) -> Login {
        Login::Password { user: user.into(), password: Secret::new(password) }
    }

    struct Tokens(&'static str, &'static str);

    impl super::super::TokenSource for Tokens {
        fn token(&self, renew: bool) -> Result<Secret> {
            Ok(Secret::new(if renew { self.1 } else { self.0 }))
        }
    }

    fn token(user: &str, token: &'static str) -> Login {
        Login::Token { user: user.into(), source: Arc::new(Tokens(token, "new")) }
    }

    #[test]
    fn plain_and_login() {
        // RFC 4616, 4 (without the authorisation identity).
        let mut plain = Exchange::start(Mechanism::Plain, &password("tim", "tanstaaftanstaaf"), "h", 1).unwrap();
        assert_eq!(plain.answer(b"").unwrap(), b"\0tim\0tanstaaftanstaaf");
        assert!(plain.answer(b"").is_err());
        let mut login = Exchange::start(Mechanism::Login, &password("tim", "pässword"), "h", 1).unwrap();
        assert_eq!(login.initial(), None);
        assert_eq!(login.answer(b"User Name\0").unwrap(), b"tim");
        assert_eq!(login.answer(b"Password\0").unwrap(), "pässword".as_bytes());
        assert!(login.answer(b"").is_err());
        assert!(Exchange::start(Mechanism::Plain, &password("tim\0root", "x"), "h", 1).is_err());
    }

    #[test]
    fn cram_md5_of_rfc_2195() {
        let mut cram = Exchange::start(Mechanism::CramMd5, &password("tim", "tanstaaftanstaaf"), "h", 1).unwrap();
        let answer = cram.answer(b"<1896.697170952@postoffice.reston.mci.net>").unwrap();
        assert_eq!(answer, b"tim b913a602c7eda7a495b4e6e7334d3890");
    }

    #[test]
    fn tokens() {
        let login = token("someuser@example.com", "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg");
        let mut google = Exchange::start(Mechanism::XOAuth2, &login, "h", 1).unwrap();
        assert_eq!(
            base64_simd::STANDARD.encode_to_string(google.initial().unwrap()),
            "dXNlcj1zb21ldXNlckBleGFtcGxlLmNvbQFhdXRoPUJlYXJlciB5YTI5LnZGOWRmdDRxbVRjMk52YjNSbGNrQmhkSFJoZG1semRHRXVZMjl0Q2\
             cBAQ=="
        );
        assert_eq!(google.answer(br#"{"status":"401","schemes":"bearer"}"#).unwrap(), b"");
        assert!(google.refusal().unwrap().contains("401"));
        // RFC 7628, 4.1.
        let login = token("user@example.com", "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==");
        let mut bearer = Exchange::start(Mechanism::OAuthBearer, &login, "server.example.com", 143).unwrap();
        assert_eq!(
            base64_simd::STANDARD.encode_to_string(bearer.initial().unwrap()),
            "bixhPXVzZXJAZXhhbXBsZS5jb20sAWhvc3Q9c2VydmVyLmV4YW1wbGUuY29tAXBvcnQ9MTQzAWF1dGg9QmVhcmVyIHZGOWRmdDRxbVRjMk52Yj\
             NSbGNrQmhiSFJoZG1semRHRXVZMjl0Q2c9PQEB"
        );
        assert_eq!(bearer.answer(br#"{"status":"invalid_token"}"#).unwrap(), b"\x01");
        // What is repeated is hidden, in every form, before it is cut to a length.
        for mechanism in [Mechanism::XOAuth2, Mechanism::OAuthBearer, Mechanism::Plain] {
            let login = token("user@example.com", "q7".repeat(400).leak());
            let mut echoed = Exchange::start(mechanism, &login, "h", 1).unwrap();
            let line = base64_simd::STANDARD.encode_to_string(echoed.initial().unwrap());
            let said = scrub(&echoed.hidden(), &format!("NO {line} {}", "q7".repeat(400)));
            assert!(!said.contains("q7") && !said.contains(&encoded(b"q7q")), "{said}");
            if mechanism != Mechanism::Plain {
                echoed.answer(format!("{} {}", "x".repeat(200), "q7".repeat(400)).as_bytes()).unwrap();
                assert!(!echoed.refusal().unwrap().contains("q7"));
            }
        }
        let mut again = Exchange::start_renewed(Mechanism::XOAuth2, &login, "h", 1).unwrap();
        assert!(again.initial().unwrap().ends_with(b"Bearer new\x01\x01"));
    }

    #[test]
    fn the_best_is_chosen_and_nothing_is_shown() {
        use Mechanism::{CramMd5, Login as LoginName, OAuthBearer, Plain, ScramSha256, XOAuth2};
        let (word, tok) = (password("u", "p"), token("u", "t"));
        let chosen = |offered: &[Mechanism], login, encrypted, allowed| choose(offered, login, encrypted, allowed).ok();
        assert_eq!(chosen(&Mechanism::ALL, &word, true, false), Some(ScramSha256));
        assert_eq!(chosen(&[CramMd5, LoginName, Plain], &word, true, false), Some(Plain));
        assert_eq!(chosen(&[CramMd5, LoginName, Plain], &word, false, true), Some(CramMd5));
        assert_eq!(chosen(&[LoginName, Plain], &word, false, false), None);
        assert_eq!(chosen(&[LoginName], &word, false, true), Some(LoginName));
        assert_eq!(chosen(&[XOAuth2, OAuthBearer], &word, true, true), None);
        assert_eq!(chosen(&[OAuthBearer], &tok, true, false), Some(OAuthBearer));
        assert_eq!(chosen(&[OAuthBearer], &tok, false, false), None);
        assert_eq!(Mechanism::of("scram-sha-256"), Some(ScramSha256));
    }
}
