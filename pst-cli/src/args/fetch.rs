//! Options of downloads.

use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// How accounts are downloaded.
#[derive(Debug, Clone, Default, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
pub struct FetchOptions {
    /// Download every account of the configuration, each into a PST of its name in this folder; the only argument then.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["paths", "account"], help_heading = "Account")]
    pub all_accounts: Option<PathBuf>,
    /// Connections to the server at once [default: 3].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=16), help_heading = "Connection")]
    pub connections: Option<u8>,
    /// When the server compresses what it sends, which costs both sides much time.
    #[arg(long, value_enum, value_name = "WHEN", num_args = 0..=1, require_equals = true, default_value_t, default_missing_value = "always", help_heading = "Connection")]
    pub compress: Compression,
    /// Only folders that are subscribed to.
    #[arg(long, help_heading = "Folders")]
    pub subscribed: bool,
    /// Folders of other users and public ones, too.
    #[arg(long, help_heading = "Folders")]
    pub shared: bool,
    /// Headers alone, for a survey; into a new target.
    #[arg(long, help_heading = "Items")]
    pub headers_only: bool,
    /// What becomes of the labels of Gmail.
    #[arg(long, value_enum, value_name = "HOW", default_value_t, help_heading = "Items")]
    pub gmail_labels: GmailLabels,
    /// Move items that were deleted on the server since an earlier download to Deleted Items of the PST.
    #[arg(long, help_heading = "Target")]
    pub mirror: bool,
    /// Delete mail on a POP3 server once it is in the PST for good.
    #[arg(long, help_heading = "Target")]
    pub delete_after_download: bool,
}

/// `--gmail-labels`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum GmailLabels {
    /// Each message once, its labels as categories.
    #[default]
    Categories,
    /// A folder for each label, and a message in each of its folders.
    Folders,
}

/// `--compress`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Compression {
    /// Once a line has shown that it is slow.
    #[default]
    Auto,
    /// From the beginning.
    Always,
    /// Not at all.
    Never,
}
