//! Signing in to Dovecot by every mechanism, over IMAP.

use crate::dovecot::{Dovecot, PASSWORD};
use pst_core::endpoint::net::sasl::{Exchange, Mechanism};
use pst_core::endpoint::net::{Login, Secret, Server, Stream, TokenSource};
use std::io::{BufRead, Write};
use std::sync::Arc;

const PASSWORDS: [Mechanism; 4] = [Mechanism::Plain, Mechanism::Login, Mechanism::CramMd5, Mechanism::ScramSha256];
const TOKENS: [Mechanism; 2] = [Mechanism::XOAuth2, Mechanism::OAuthBearer];

struct Fixed(&'static str);

impl TokenSource for Fixed {
    fn token(&self, _renew: bool) -> pst_core::Result<Secret> {
        Ok(Secret::new(self.0))
    }
}

fn line(stream: &mut Stream) -> String {
    let mut line = String::new();
    stream.read_line(&mut line).unwrap();
    line
}

/// Signs in; the tagged answer. `ahead`: the first message goes with the command.
fn sign_in(server: &Server, mechanism: Mechanism, login: &Login, ahead: bool) -> (String, Exchange) {
    let mut stream = Stream::connect(server).unwrap();
    assert!(stream.is_encrypted());
    assert!(line(&mut stream).starts_with("* OK"));
    let mut exchange = Exchange::start(mechanism, login, &server.host, server.port).unwrap();
    let encode = |data: Vec<u8>| base64_simd::STANDARD.encode_to_string(data);
    let first = if ahead { exchange.initial().map(|d| format!(" {}", encode(d))) } else { None };
    let command = format!("a AUTHENTICATE {}{}\r\n", mechanism.name(), first.unwrap_or_default());
    stream.write_all(command.as_bytes()).unwrap();
    loop {
        let said = line(&mut stream);
        let Some(challenge) = said.strip_prefix("+ ") else { return (said, exchange) };
        let challenge = base64_simd::STANDARD.decode_to_vec(challenge.trim_end()).unwrap();
        let answer = exchange.answer(&challenge).unwrap();
        stream.write_all(format!("{}\r\n", encode(answer)).as_bytes()).unwrap();
    }
}

#[test]
fn every_mechanism_signs_in() {
    let Some(dovecot) = Dovecot::start() else { return };
    let server = dovecot.server(dovecot.imaps);
    let login = Login::Password { user: "alice".into(), password: Secret::new(PASSWORD) };
    dovecot.accept_token("good-token", "alice");
    let token = Login::Token { user: "alice".into(), source: Arc::new(Fixed("good-token")) };
    for ahead in [true, false] {
        for (mechanism, login) in PASSWORDS.map(|m| (m, &login)).into_iter().chain(TOKENS.map(|m| (m, &token))) {
            let (said, exchange) = sign_in(&server, mechanism, login, ahead);
            assert!(said.starts_with("a OK"), "{mechanism:?}: {said}");
            exchange.verify_end().unwrap();
        }
    }
}

#[test]
fn wrong_secrets_are_refused() {
    let Some(dovecot) = Dovecot::start() else { return };
    let server = dovecot.server(dovecot.imaps);
    let login = Login::Password { user: "alice".into(), password: Secret::new("wrong") };
    for mechanism in PASSWORDS {
        let (said, _) = sign_in(&server, mechanism, &login, true);
        assert!(said.starts_with("a NO"), "{mechanism:?}: {said}");
    }
    let token = Login::Token { user: "alice".into(), source: Arc::new(Fixed("bad-token")) };
    for mechanism in TOKENS {
        let (said, exchange) = sign_in(&server, mechanism, &token, true);
        assert!(said.starts_with("a NO"), "{mechanism:?}: {said}");
        let refusal = exchange.refusal().expect("the server says why").to_owned();
        assert!(refusal.contains("status"), "{mechanism:?}: {refusal}");
    }
}
