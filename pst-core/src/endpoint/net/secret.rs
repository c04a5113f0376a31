//! Secrets, and who signs in with them. A secret is never printed.

use crate::error::Result;
use std::fmt;
use std::sync::Arc;

/// A password or token. [`Debug`](fmt::Debug) and [`Display`](fmt::Display) print `***`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes a secret.
    pub fn new(secret: impl Into<String>) -> Self {
        Self(secret.into())
    }

    /// The secret itself, for the one place that sends it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The forms in which it goes over the wire: base64, in quotes, and as it is.
    pub fn forms(&self) -> Vec<String> {
        let quoted = self.0.replace('\\', "\\\\").replace('"', "\\\"");
        vec![encoded(self.0.as_bytes()), quoted, self.0.clone()]
    }

    /// `text` with `***` in place of the secret in any of its forms: a server may repeat what it was sent.
    pub fn scrub(&self, text: &str) -> String {
        scrub(&self.forms(), text)
    }
}

/// Bytes as SASL sends them; without padding, which who repeats them may leave out.
pub(super) fn encoded(bytes: &[u8]) -> String {
    base64_simd::STANDARD_NO_PAD.encode_to_string(bytes)
}

/// `text` with `***` in place of each of `hidden`, in their order.
pub fn scrub(hidden: &[String], text: &str) -> String {
    let hidden = hidden.iter().filter(|form| !form.is_empty());
    hidden.fold(text.to_owned(), |text, form| text.replace(form.as_str(), "***"))
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Gives access tokens of OAuth 2, and new ones when they have run out.
pub trait TokenSource: Send + Sync {
    /// A token. `renew`: the last one was refused, so one from a store will not do.
    ///
    /// # Errors
    /// When there is none to be had.
    fn token(&self, renew: bool) -> Result<Secret>;
}

/// Who signs in, and by what.
#[derive(Clone)]
pub enum Login {
    /// By a password.
    Password {
        /// The name that the server knows.
        user: String,
        /// The password.
        password: Secret,
    },
    /// By an access token of OAuth 2.
    Token {
        /// The mailbox.
        user: String,
        /// Where tokens come from.
        source: Arc<dyn TokenSource>,
    },
}

impl Login {
    /// Who signs in.
    pub fn user(&self) -> &str {
        match self {
            Self::Password { user, .. } | Self::Token { user, .. } => user,
        }
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self {
            Self::Password { .. } => "Password",
            Self::Token { .. } => "Token",
        };
        f.debug_struct(kind).field("user", &self.user()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_do_not_show() {
        let login = Login::Password { user: "eve".into(), password: Secret::new("pa55word") };
        assert!(!format!("{login:?}").contains("pa55"));
        let secret = Secret::new("pa55word");
        assert_eq!(format!("{secret} {secret:?}"), "*** ***");
        assert_eq!(secret.scrub("BAD: LOGIN eve pa55word (cGE1NXdvcmQ=)"), "BAD: LOGIN eve *** (***=)");
        let quoted = Secret::new(r#"pa\"55"#);
        assert_eq!(quoted.scrub(r#"LOGIN eve "pa\\\"55""#), r#"LOGIN eve "***""#);
    }
}
