//! The person who signs in.

use crate::endpoint::net::Secret;
use crate::error::{Error, Kind, Result};
use std::time::Duration;

/// Whom a sign-in talks to.
pub trait Ask: Send + Sync {
    /// True where somebody watches and can answer.
    fn attended(&self) -> bool;

    /// Asks for a password, which is not shown.
    ///
    /// # Errors
    /// [`Kind::NotFound`] where nobody is there to answer.
    fn password(&self, prompt: &str) -> Result<Secret>;

    /// Says something.
    fn tell(&self, text: &str);

    /// Opens a page in the browser, where there is one.
    fn open(&self, url: &str);

    /// Lets time pass, less of it once the user wants to stop.
    fn pause(&self, time: Duration) {
        std::thread::sleep(time);
    }
}

/// Nobody: what is said is lost, and every question is an error.
#[derive(Debug, Clone, Copy, Default)]
pub struct Nobody;

impl Ask for Nobody {
    fn attended(&self) -> bool {
        false
    }

    fn password(&self, prompt: &str) -> Result<Secret> {
        Err(Error::new(Kind::NotFound, format!("{prompt}: nobody is there to answer")))
    }

    fn tell(&self, _text: &str) {}

    fn open(&self, _url: &str) {}
}
