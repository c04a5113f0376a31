//! `pst login` and `pst logout`.

use crate::args::account::SignIn;
use crate::exit::Outcome;
use crate::ui::terminal::Terminal;
use pst_core::Result;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Runs `pst login`.
///
/// # Errors
/// When the sign-in fails or cannot be kept.
pub fn run(a: &SignIn) -> Result<Outcome> {
    let account = a.options.account(a.address.as_deref())?;
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    let _ = ctrlc::set_handler(move || {
        if flag.swap(true, Ordering::SeqCst) {
            std::process::exit(130);
        }
    });
    let said = account.sign_in_anew(&Terminal::new(&stop), &stop)?;
    eprintln!("{}: {said}", account.name);
    Ok(Outcome::Done)
}

/// Runs `pst logout`.
///
/// # Errors
/// When what is kept cannot be removed.
pub fn forget(a: &SignIn) -> Result<Outcome> {
    let account = a.options.account(a.address.as_deref())?;
    let said = if account.forget()? { "the sign-in is forgotten" } else { "no sign-in was kept" };
    eprintln!("{}: {said}", account.name);
    Ok(Outcome::Done)
}
