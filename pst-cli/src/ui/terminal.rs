//! The person at the terminal, for sign-ins.

use pst_core::endpoint::account::Ask;
use pst_core::endpoint::net::Secret;
use pst_core::{Error, Kind, Result};
use std::env;
use std::io::{ErrorKind, IsTerminal};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Asks and tells on the terminal.
pub struct Terminal {
    stop: Arc<AtomicBool>,
}

impl Terminal {
    /// The terminal of a command that ends once `stop` is set.
    pub fn new(stop: &Arc<AtomicBool>) -> Self {
        Self { stop: Arc::clone(stop) }
    }
}

impl Ask for Terminal {
    fn attended(&self) -> bool {
        std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
    }

    fn password(&self, prompt: &str) -> Result<Secret> {
        if !self.attended() {
            let text = format!(
                "{prompt}: nobody is there to type it; --password-file, --password-env, --password-command, --netrc or, where \
                 one account is all, the variable PST_PASSWORD bring it"
            );
            return Err(Error::new(Kind::NotFound, text));
        }
        match rpassword::prompt_password(format!("{prompt}: ")) {
            Ok(typed) if typed.is_empty() => Err(Error::new(Kind::NotFound, "no password was typed")),
            Ok(typed) => Ok(Secret::new(typed)),
            Err(e) if e.kind() == ErrorKind::Interrupted => Err(Error::new(Kind::Interrupted, "stopped by the user")),
            Err(e) => Err(Error::system("the terminal cannot be read", e)),
        }
    }

    fn tell(&self, text: &str) {
        super::text::say(format!("pst: {text}"));
    }

    fn open(&self, url: &str) {
        let Some((program, first)) = browser() else { return };
        // Whether it comes up does not matter: the page was told as well.
        let _ = Command::new(program)
            .args(first)
            .arg(url)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
    }

    fn pause(&self, time: Duration) {
        let end = Instant::now() + time;
        while Instant::now() < end && !self.stop.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(100).min(time));
        }
    }
}

/// What opens a page on this system, if there is a screen.
fn browser() -> Option<(&'static str, &'static [&'static str])> {
    if cfg!(windows) {
        // As `start` does, but without the shell, to which an & in a page's address means something.
        return Some(("rundll32", &["url.dll,FileProtocolHandler"]));
    }
    if cfg!(target_os = "macos") {
        return Some(("open", &[]));
    }
    let screen = ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|v| env::var_os(v).is_some_and(|v| !v.is_empty()));
    screen.then_some(("xdg-open", &[]))
}
