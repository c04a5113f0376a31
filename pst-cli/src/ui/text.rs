//! Sizes, times and lines for people.

use pst_core::{Error, Result, mapi};
use serde_json::Value;
use std::borrow::Cow;
use std::io::{BufWriter, StdoutLock, Write};

/// Buffered standard output whose errors name it.
pub struct Out(BufWriter<StdoutLock<'static>>);

impl Out {
    /// Locks standard output.
    pub fn new() -> Self {
        Self(BufWriter::with_capacity(1 << 16, std::io::stdout().lock()))
    }

    /// Prints one line for people, tamed.
    ///
    /// # Errors
    /// When standard output cannot be written.
    pub fn line(&mut self, text: impl AsRef<str>) -> Result<()> {
        self.print(&tamed(text.as_ref()))
    }

    /// Prints one line for programs.
    ///
    /// # Errors
    /// When standard output cannot be written.
    pub fn json(&mut self, value: &Value) -> Result<()> {
        self.print(&super::json::line(value))
    }

    fn print(&mut self, line: &str) -> Result<()> {
        writeln!(self.0, "{line}").map_err(|e| Error::io("cannot write", "standard output", e))
    }

    /// Writes what is still held back.
    ///
    /// # Errors
    /// When standard output cannot be written.
    pub fn end(mut self) -> Result<()> {
        self.0.flush().map_err(|e| Error::io("cannot write", "standard output", e))
    }

    /// The writer itself, for raw data.
    pub fn raw(&mut self) -> &mut dyn Write {
        &mut self.0
    }
}

/// "1.5 MB", in steps of 1000.
pub fn bytes(n: u64) -> String {
    let mut value = n as f64;
    for unit in ["bytes", "kB", "MB", "GB"] {
        if value < 1000.0 || unit == "GB" {
            return if unit == "bytes" { format!("{n} bytes") } else { format!("{value:.1} {unit}") };
        }
        value /= 1000.0;
    }
    format!("{n} bytes")
}

/// "2024-01-31 12:00:00" in UTC, or a dash.
pub fn time(filetime: Option<u64>) -> String {
    filetime
        .and_then(mapi::time::to_timestamp)
        .map_or_else(|| "-".to_owned(), |t| t.strftime("%Y-%m-%d %H:%M:%S").to_string())
}

/// Tells people one line on standard error, tamed.
pub fn say(text: impl AsRef<str>) {
    // Where standard error is closed, nobody is left to tell.
    let _ = writeln!(std::io::stderr().lock(), "{}", tamed(text.as_ref()));
}

/// The same text without control characters, so that data cannot steer a terminal.
pub fn tame(text: &str) -> String {
    tamed(text).into_owned()
}

fn tamed(text: &str) -> Cow<'_, str> {
    if text.contains(char::is_control) {
        return Cow::Owned(text.replace(char::is_control, " "));
    }
    Cow::Borrowed(text)
}

/// "1 item", "2 items".
pub fn plural(n: u64, one: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{n} {one}s") }
}
