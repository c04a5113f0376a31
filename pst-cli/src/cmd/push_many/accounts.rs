//! How many mailboxes of one server are signed in to.

use super::super::fetch::Remote;
use super::super::push::{takes_mail, usage};
use crate::args::Convert;
use crate::ui::terminal::Terminal;
use crate::ui::text::say;
use pst_core::endpoint::account::{Account, Flow, PasswordFrom, Settings, SignIn};
use pst_core::endpoint::net::{Address, Login};
use pst_core::{Error, Kind, Result};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// The server, and who may sign in to its mailboxes.
pub struct Accounts {
    /// The account's name in the configuration.
    name: Option<String>,
    settings: Settings,
    /// Whose the secret is, where somebody is named.
    owner: Option<String>,
    /// The name that signs in, with {user} or {local} in it.
    pattern: Option<String>,
}

impl Accounts {
    /// What the options say.
    ///
    /// # Errors
    /// [`Kind::Usage`] where they contradict each other.
    pub fn of(a: &Convert) -> Result<Self> {
        let pattern = a.push.login_as.clone();
        if pattern.as_ref().is_some_and(|p| !p.contains("{user}") && !p.contains("{local}")) {
            return usage("--login-as has {user} or {local} where the mailbox goes, such as '{user}*admin'");
        }
        // An administrator's password is one for all; others are of one mailbox each.
        let settings = Settings { one_of_many: pattern.is_none(), ..a.account.settings()? };
        let (name, settings) = match (&a.push.to_account, a.paths.as_slice()) {
            (Some(name), []) => {
                let config = a.account.configuration()?;
                (Some(name.clone()), settings.over(config.account(name)?.clone()))
            }
            (None, [address]) => (None, Settings { address: Some(address.clone()), ..settings }),
            _ => {
                return usage(
                    "with --mailboxes the server is the only argument, such as imaps://imap.example.org, or --to-account NAME \
                     names it; the files stand in the list",
                );
            }
        };
        let address = settings.address.as_deref().map(Address::parse).transpose()?.flatten();
        let owner = settings.user.clone().or_else(|| address.and_then(|a| a.user));
        let it = Self { name, settings, owner, pattern };
        it.judge(a)?;
        Ok(it)
    }

    fn judge(&self, a: &Convert) -> Result<()> {
        let account = self.account(self.owner.as_deref().unwrap_or("{user}"))?;
        takes_mail(a, &account)?;
        let by_password = matches!(account.sign_in, SignIn::Password(_));
        // The user of a configuration is replaced; one of an option or the address was meant for all.
        let is_given = a.account.user.is_some() || (self.name.is_none() && self.owner.is_some());
        if by_password && is_given && self.pattern.is_none() {
            let text = "the mailboxes stand in the list; who signs in to them in place of their owners is told by --login-as, \
                        such as '{user}*admin'";
            return usage(text);
        }
        if !by_password && self.pattern.is_some() {
            return usage("--login-as goes with a password; a token signs in as who asked for it, --user or the app");
        }
        if a.account.config.is_some() && self.name.is_none() {
            return usage("--config is for --to-account, which says what to take from it");
        }
        Ok(())
    }

    fn account(&self, user: &str) -> Result<Account> {
        let settings = Settings { user: Some(user.to_owned()), ..self.settings.clone() };
        let mut account = Account::new(self.name.as_deref(), &settings)?;
        account.address.user = Some(user.to_owned());
        Ok(account)
    }

    /// Who signs in to a mailbox by a password.
    fn signs_in(&self, mailbox: &str) -> String {
        let local = mailbox.split('@').next().unwrap_or(mailbox);
        match &self.pattern {
            Some(pattern) => replaced(pattern, mailbox, local),
            None => mailbox.to_owned(),
        }
    }

    /// Refuses mailboxes that the pattern signs in to by one name: all would go into one.
    fn tells_apart(&self, mailboxes: &[String]) -> Result<()> {
        let mut names = HashMap::new();
        for mailbox in mailboxes {
            let name = self.signs_in(mailbox);
            if let Some(other) = names.insert(name.to_lowercase(), mailbox) {
                return usage(&format!(
                    "\"{name}\" would sign in to both {other} and {mailbox}; --login-as has {{user}} in it"
                ));
            }
        }
        Ok(())
    }

    /// Gets what is needed to sign in to each mailbox, once where one secret is for all.
    ///
    /// # Errors
    /// When a secret is missing; each is told. What a provider refuses is the error of that mailbox alone.
    pub fn sign_in(&self, mailboxes: &[String], stop: &Arc<AtomicBool>) -> Result<Vec<Result<Remote>>> {
        self.tells_apart(mailboxes)?;
        let all = self.of_all(mailboxes, stop)?;
        let mut missing: u64 = 0;
        let mut out = Vec::with_capacity(mailboxes.len());
        for mailbox in mailboxes {
            let remote = self.account(mailbox).and_then(|account| match &all {
                Some(login) => Ok(Remote { login: self.as_mailbox(login, mailbox), account }),
                None => Remote::of(account, stop),
            });
            match &remote {
                Err(e) if e.kind() == Kind::Interrupted => return Err(Error::new(e.kind(), e.text().to_owned())),
                Err(e) if !matches!(e.kind(), Kind::Denied | Kind::Connection) => {
                    missing += 1;
                    say(format!("pst: {mailbox}: {e}"));
                }
                _ => {}
            }
            out.push(remote);
        }
        if missing > 0 {
            let text = format!("{missing} of {} mailboxes cannot be signed in to; nothing was sent", mailboxes.len());
            return Err(Error::new(Kind::NotFound, text));
        }
        Ok(out)
    }

    /// The secret that is for all mailboxes, if there is one.
    fn of_all(&self, mailboxes: &[String], stop: &Arc<AtomicBool>) -> Result<Option<Login>> {
        let named = self.owner.as_deref().or(self.pattern.as_deref());
        let account = self.account(named.or(mailboxes.first().map(String::as_str)).unwrap_or_default())?;
        let is_for_all = match &account.sign_in {
            SignIn::Password(PasswordFrom::File(_) | PasswordFrom::Variable(_) | PasswordFrom::Command(_)) => true,
            SignIn::Password(_) => self.pattern.is_some(),
            SignIn::OAuth { flow, .. } => *flow == Flow::App || self.owner.is_some(),
        };
        if is_for_all { account.login(&Terminal::new(stop), stop).map(Some) } else { Ok(None) }
    }

    fn as_mailbox(&self, login: &Login, mailbox: &str) -> Login {
        match login {
            Login::Password { password, .. } => {
                Login::Password { user: self.signs_in(mailbox), password: password.clone() }
            }
            Login::Token { source, .. } => Login::Token { user: mailbox.to_owned(), source: Arc::clone(source) },
        }
    }
}

/// A pattern with names in the places for them; what looks like a place in a name is none.
fn replaced(pattern: &str, user: &str, local: &str) -> String {
    let parts: Vec<String> = pattern.split("{user}").map(|part| part.replace("{local}", local)).collect();
    parts.join(user)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accounts(pattern: &str) -> Accounts {
        let pattern = Some(pattern.to_owned());
        Accounts { name: None, settings: Settings::default(), owner: None, pattern }
    }

    #[test]
    fn who_signs_in() {
        for (pattern, name) in [
            ("{user}*admin", "anna@example.org*admin"),
            (r"DOMAIN\admin\{local}", r"DOMAIN\admin\anna"),
            ("{local}+{user}", "anna+anna@example.org"),
        ] {
            assert_eq!(accounts(pattern).signs_in("anna@example.org"), name);
        }
        assert_eq!(replaced("{user}*{local}", "{local}@x", "{local}"), "{local}@x*{local}");
    }

    #[test]
    fn one_name_for_two_mailboxes() {
        let two = ["anna@a.example".to_owned(), "anna@b.example".to_owned()];
        assert!(accounts("{user}*admin").tells_apart(&two).is_ok());
        let said = accounts("{local}*admin").tells_apart(&two).unwrap_err().to_string();
        assert!(two.iter().all(|m| said.contains(m.as_str())), "{said}");
    }
}
