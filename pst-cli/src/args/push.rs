//! Options of pushing into a mailbox on a server.

use clap::Args;
use std::path::PathBuf;

/// How mailboxes on servers are filled.
#[derive(Debug, Clone, Default, Args)]
pub struct PushOptions {
    /// The target is this account of the configuration; all arguments are sources then.
    #[arg(long, value_name = "NAME", conflicts_with = "attachments", help_heading = "Into a mailbox")]
    pub to_account: Option<String>,
    /// Where it is noted what was sent; without it pst/push of $XDG_STATE_HOME (~/.local/state), a file for each mailbox.
    #[arg(long, value_name = "FILE", help_heading = "Into a mailbox")]
    pub journal: Option<PathBuf>,
    /// Read each item back and compare it with what was sent.
    #[arg(long, help_heading = "Into a mailbox")]
    pub verify: bool,
    /// Items a second at most; Microsoft 365 over IMAP is content with 4.
    #[arg(long, value_name = "N", value_parser = rate, help_heading = "Into a mailbox")]
    pub rate: Option<f64>,
    /// Keep requests for read receipts in mail that was read; a server may send the receipts again.
    #[arg(long, help_heading = "Into a mailbox")]
    pub keep_receipts: bool,
}

fn rate(text: &str) -> Result<f64, String> {
    let number = text.parse().ok();
    number
        .filter(|n: &f64| (0.001..=1e6).contains(n))
        .ok_or_else(|| "not a number of items such as 4 or 0.5".to_owned())
}
