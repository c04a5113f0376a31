//! Signing in at an HTTP server ([RFC 9110] 11): Basic, NTLM and Bearer.

use super::wire::Response;
use crate::endpoint::net::{Login, Secret, Server, tame};
use crate::error::{Error, Kind, Result};

/// How a server lets somebody sign in by a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// It asks for nothing.
    Open,
    /// Name and password with every request ([RFC 7617]).
    Basic,
    /// NTLM by its own name.
    Ntlm,
    /// NTLM as one of what SPNEGO has.
    Negotiate,
}

impl Way {
    /// The name in the fields.
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "",
            Self::Basic => "Basic",
            Self::Ntlm => "NTLM",
            Self::Negotiate => "Negotiate",
        }
    }

    /// The best of those that an answer offers. NTLM goes before Basic, because it does not show the password.
    pub fn of(answer: &Response) -> Option<Self> {
        if answer.status != 401 {
            return Some(Self::Open);
        }
        let offers = |way: &Self| answer.fields("www-authenticate").any(|f| value(f, *way).is_some());
        [Self::Ntlm, Self::Basic, Self::Negotiate].into_iter().find(offers)
    }
}

/// What stands behind the name of a way in a WWW-Authenticate field, which may offer several.
fn value(field: &str, way: Way) -> Option<&str> {
    field.split(',').find_map(|one| {
        let (name, rest) = one.trim().split_once(' ').unwrap_or((one.trim(), ""));
        name.eq_ignore_ascii_case(way.name()).then_some(rest.trim())
    })
}

/// The server's message of NTLM.
pub fn challenge(answer: &Response, way: Way) -> Option<&str> {
    answer.fields("www-authenticate").find_map(|f| value(f, way).filter(|v| !v.is_empty()))
}

/// The value of Authorization for Basic.
pub fn basic(user: &str, password: &Secret) -> Secret {
    let pair = format!("{user}:{}", password.expose());
    Secret::new(format!("Basic {}", base64_simd::STANDARD.encode_to_string(pair)))
}

/// Refuses to show secrets on a connection that everybody can read.
pub fn only_encrypted(server: &Server, encrypted: bool) -> Result<()> {
    if encrypted {
        return Ok(());
    }
    let text = format!("{server}: passwords and tokens are only sent over https://");
    Err(Error::new(Kind::Usage, text))
}

/// The error of a sign-in that was refused.
pub fn refused(server: &Server, login: &Login, answer: &Response) -> Error {
    let offered: Vec<_> = answer
        .fields("www-authenticate")
        .filter_map(|f| f.split([' ', ',']).next())
        .map(|name| tame(name.as_bytes()))
        .collect();
    let what = match login {
        Login::Password { .. } => "name and password",
        Login::Token { .. } => "the token",
    };
    let offered = if offered.is_empty() { String::new() } else { format!(" (it takes {})", offered.join(", ")) };
    let text = format!("{server}: the server does not let {} in by {what}{offered}", login.user());
    Error::new(Kind::Denied, text)
}
