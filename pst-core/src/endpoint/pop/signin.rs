//! Signing in: SASL ([RFC 5034]) by the best mechanism on offer, APOP, or USER and PASS.

use super::refusal::{Meaning, meaning};
use super::session::{Answer, Session};
use crate::endpoint::net::sasl::{self, Exchange, Mechanism};
use crate::endpoint::net::{Login, Secret, Security, hexadecimal, tame};
use crate::error::{Error, Kind, Result};
use base64_simd::STANDARD;
use md5::{Digest, Md5};

/// Initial responses longer than this go in a line of their own ([RFC 2449] 4: 255 bytes for a command).
const AHEAD: usize = 200;

pub(super) fn sign_in(session: &mut Session) -> Result<()> {
    let done = attempt(session);
    session.hidden.clear();
    done
}

fn attempt(session: &mut Session) -> Result<()> {
    let account = session.account().clone();
    let server = &account.server;
    let encrypted = session.is_encrypted();
    let plain = server.security == Security::Plain;
    let offered = session.capabilities.arguments("SASL").unwrap_or_default();
    let offered: Vec<Mechanism> = offered.iter().filter_map(|name| Mechanism::of(name)).collect();
    let at_server = |e: &Error| Error::new(e.kind(), format!("{server}: {}", e.text()));
    let (answer, refusal): (Answer, String) = match &account.login {
        login @ Login::Token { .. } => {
            // Servers that tell no capabilities may take tokens all the same.
            let offered = if offered.is_empty() { vec![Mechanism::XOAuth2] } else { offered };
            let mechanism = sasl::choose(&offered, login, encrypted, plain).map_err(|e| at_server(&e))?;
            let first = Exchange::start(mechanism, login, &server.host, server.port)?;
            match exchange(session, mechanism, first)? {
                // Where the mailbox is in use, a new token does not help.
                answer if answer.0.as_ref().map_or_else(|words| meaning(words) == Meaning::Passing, |_| true) => answer,
                // A token may have run out: a new one is asked for once.
                _ => {
                    let again = Exchange::start_renewed(mechanism, login, &server.host, server.port)?;
                    exchange(session, mechanism, again)?
                }
            }
        }
        login @ Login::Password { user, password } => {
            session.hidden = password.forms();
            let way = sasl::choose(&offered, login, encrypted, plain).ok();
            let proof = matches!(way, Some(Mechanism::ScramSha256 | Mechanism::CramMd5));
            if let Some(mechanism) = way.filter(|_| proof || encrypted) {
                let first = Exchange::start(mechanism, login, &server.host, server.port)?;
                exchange(session, mechanism, first)?
            } else if let Some(stamp) = session.stamp.clone().filter(|_| !encrypted) {
                (apop(session, &stamp, user, password)?, String::new())
            } else if encrypted || plain {
                (by_words(session, user, password)?, String::new())
            } else {
                let text = "the server takes the password only in the clear, and the connection is not encrypted";
                return Err(Error::new(Kind::Denied, format!("{server}: {text}")));
            }
        }
    };
    answer.map(|_| ()).map_err(|words| {
        let what = format!("the server refuses the sign-in of {}", tame(account.login.user().as_bytes()));
        session.refused(&what, &format!("{words}{refusal}"), Kind::Denied)
    })
}

/// Carries an exchange out; the answer, and what the server said of a token.
fn exchange(session: &mut Session, mechanism: Mechanism, mut exchange: Exchange) -> Result<(Answer, String)> {
    let encode = |bytes: Vec<u8>| STANDARD.encode_to_string(bytes);
    let first = exchange.initial().map(encode);
    let (ahead, mut later) = match first {
        Some(first) if first.len() <= AHEAD => (Some(first), None),
        first => (None, first),
    };
    session.hidden = exchange.hidden();
    let ahead = ahead.map(|first| format!(" {first}")).unwrap_or_default();
    session.send(&[format!("AUTH {}{ahead}", mechanism.name())])?;
    loop {
        let line = session.line("AUTH")?;
        if let Some(words) = line.strip_prefix("+OK") {
            let server = session.account().server.clone();
            exchange.verify_end().map_err(|e| Error::new(e.kind(), format!("{server}: {}", e.text())))?;
            return Ok((Ok(words.trim().to_owned()), String::new()));
        }
        if let Some(words) = line.strip_prefix("-ERR") {
            let said = exchange.refusal().map(|r| format!(" ({r})")).unwrap_or_default();
            return Ok((Err(words.trim().to_owned()), said));
        }
        let Some(challenge) = line.strip_prefix('+') else {
            let server = &session.account().server;
            let words = session.said(&line);
            return Err(Error::new(
                Kind::Connection,
                format!("{server}: AUTH: the server answers out of turn: {words}"),
            ));
        };
        let answer = match later.take() {
            Some(first) => first,
            None => {
                let challenge = base64_simd::forgiving_decode_to_vec(challenge.trim().as_bytes()).unwrap_or_default();
                match exchange.answer(&challenge) {
                    Ok(answer) => {
                        session.hidden = exchange.hidden();
                        encode(answer)
                    }
                    Err(e) => {
                        let server = session.account().server.clone();
                        session.send(&["*".to_owned()])?;
                        // Nonsense does not get better by waiting.
                        let kind = if e.kind() == Kind::Server { Kind::Connection } else { e.kind() };
                        return Err(Error::new(kind, format!("{server}: {}", e.text())));
                    }
                }
            }
        };
        session.send(&[answer])?;
    }
}

fn apop(session: &mut Session, stamp: &str, user: &str, password: &Secret) -> Result<Answer> {
    one_line(user, "name")?;
    let digest = Md5::new().chain_update(stamp).chain_update(password.expose()).finalize();
    session.command(&format!("APOP {user} {}", hexadecimal(&digest)))
}

fn by_words(session: &mut Session, user: &str, password: &Secret) -> Result<Answer> {
    one_line(user, "name")?;
    one_line(password.expose(), "password")?;
    match session.command(&format!("USER {user}"))? {
        Ok(_) => session.command(&format!("PASS {}", password.expose())),
        refused => Ok(refused),
    }
}

fn one_line(text: &str, what: &str) -> Result<()> {
    if text.is_empty() || text.contains(['\r', '\n', '\0']) {
        return Err(Error::new(
            Kind::Usage,
            format!("a {what} that is empty or has line ends cannot be used to sign in"),
        ));
    }
    Ok(())
}
