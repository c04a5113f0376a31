//! `pst login` and `pst logout`.

use crate::args::account::SignIn;
use crate::exit::{self, Outcome};
use crate::ui::terminal::Terminal;
use crate::ui::text::say;
use pst_core::Result;

/// Runs `pst login`.
///
/// # Errors
/// When the sign-in fails or cannot be kept.
pub fn run(a: &SignIn) -> Result<Outcome> {
    let account = a.options.account(a.address.as_deref())?;
    let stop = exit::on_interrupt();
    let said = account.sign_in_anew(&Terminal::new(&stop), &stop)?;
    say(format!("{}: {said}", account.name));
    Ok(Outcome::Done)
}

/// Runs `pst logout`.
///
/// # Errors
/// When what is kept cannot be removed.
pub fn forget(a: &SignIn) -> Result<Outcome> {
    let account = a.options.account(a.address.as_deref())?;
    let said = if account.forget()? { "the sign-in is forgotten" } else { "no sign-in was kept" };
    say(format!("{}: {said}", account.name));
    Ok(Outcome::Done)
}
