//! Signing in: AUTHENTICATE by the best mechanism on offer, or LOGIN.

use super::command::Command;
use super::response::{Response, Status};
use super::session::Session;
use super::throttle;
use crate::endpoint::net::sasl::{self, Exchange, Mechanism};
use crate::endpoint::net::{Login, Security, tame};
use crate::error::{Error, Kind, Result};

pub(super) fn sign_in(session: &mut Session) -> Result<()> {
    let done = attempt(session);
    session.hidden.clear();
    done
}

fn attempt(session: &mut Session) -> Result<()> {
    let account = session.account().clone();
    let Some(login) = &account.login else {
        let text = format!("{}: the server wants a sign-in, and there is none for it", account.server);
        return Err(Error::new(Kind::Denied, text));
    };
    let offered: Vec<Mechanism> = session.offered("AUTH=").into_iter().filter_map(Mechanism::of).collect();
    let encrypted = session.is_encrypted();
    let plain = account.server.security == Security::Plain;
    let chosen = sasl::choose(&offered, login, encrypted, plain);
    let status = match (chosen, login) {
        (Ok(mechanism), _) => authenticate(session, mechanism, login)?,
        (Err(_), Login::Password { user, password }) if (encrypted || plain) && !session.can("LOGINDISABLED") => {
            session.forget_capabilities();
            session.hidden = password.forms();
            session.run(&Command::login(user, password.expose()), &mut |_| {})?
        }
        (Err(e), _) => return Err(Error::new(e.kind(), format!("{}: {}", account.server, e.text()))),
    };
    if !status.is_ok() {
        let words = tame(status.words().as_bytes());
        let kind = if throttle::is_passing(&status) { Kind::Connection } else { Kind::Denied };
        let text = format!("{}: the sign-in of {} was refused: {words}", account.server, tame(login.user().as_bytes()));
        return Err(Error::new(kind, text));
    }
    if session.has_capabilities() { Ok(()) } else { session.ask_capabilities() }
}

fn authenticate(session: &mut Session, mechanism: Mechanism, login: &Login) -> Result<Status> {
    let server = session.account().server.clone();
    let first = Exchange::start(mechanism, login, &server.host, server.port)?;
    let status = exchange(session, mechanism, first)?;
    // A token may have run out: a new one is asked for once.
    if !status.is_ok() && matches!(login, Login::Token { .. }) && !throttle::is_passing(&status) {
        let again = Exchange::start_renewed(mechanism, login, &server.host, server.port)?;
        return exchange(session, mechanism, again);
    }
    Ok(status)
}

fn exchange(session: &mut Session, mechanism: Mechanism, mut exchange: Exchange) -> Result<Status> {
    let initial = if session.can("SASL-IR") { exchange.initial() } else { None };
    session.hidden = exchange.hidden();
    let tag = session.send(&Command::authenticate(mechanism.name(), initial.as_deref()))?;
    let offered = session.offered("").into_iter().map(str::to_owned).collect::<Vec<_>>();
    session.forget_capabilities();
    let mut status = loop {
        match session.read()? {
            Response::Tagged(t, status) if t == tag => break status,
            Response::Continue(challenge) => {
                let challenge = base64_simd::forgiving_decode_to_vec(&challenge).unwrap_or_default();
                match exchange.answer(&challenge) {
                    Ok(answer) => {
                        session.hidden = exchange.hidden();
                        let line = format!("{}\r\n", base64_simd::STANDARD.encode_to_string(answer));
                        session.write(line.as_bytes())?;
                    }
                    Err(e) => {
                        session.write(b"*\r\n")?;
                        return Err(Error::new(e.kind(), format!("{}: {}", session.account().server, e.text())));
                    }
                }
            }
            _ => {}
        }
    };
    if status.is_ok() {
        exchange.verify_end()?;
    } else {
        session.restore_capabilities(offered);
        if let Some(refusal) = exchange.refusal() {
            status.text = format!("{} ({refusal})", status.text);
        }
    }
    Ok(status)
}
