//! The options of `pst prepare`.

use super::{codepage, part, size};
use clap::Args;
use std::path::PathBuf;

/// `pst prepare`.
#[derive(Debug, Args)]
#[command(after_help = "\
  pst prepare PSTs                                what the importers would refuse, skip or trip over
  pst prepare PSTs --out ready --repair --split 20G --map users.csv --target-root /
                                                  new PSTs where needed, the mapping file, and the upload by azcopy
  pst prepare PSTs --out ready --map users.csv --unc '\\\\server\\share'
                                                  the requests for Exchange Server as well
users.csv has a heading and a row for each PST, or for several by * and ?:
  file,mailbox,archive,target-root,code-page
  anna.pst,anna@example.org
  old/*.pst,ben@example.org,TRUE,/Old mail
Exit status: 0 all is ready; 1 something has to be seen to; 2 wrong usage or could not start.")]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
pub struct Prepare {
    /// PSTs, or folders with PSTs in them.
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Write the new PSTs, the mapping file and the scripts into this folder; without it nothing is written.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// The list of who gets which PST (CSV).
    #[arg(long, value_name = "FILE")]
    pub map: Option<PathBuf>,
    /// Make several PSTs (mailbox-2.pst ...) of one that is larger than this, such as 20G.
    #[arg(long, value_name = "SIZE", value_parser = part, requires = "out")]
    pub split: Option<u64>,
    /// Make a new Unicode PST, with every item that can be read, of OSTs, ANSI PSTs, and PSTs with a password or damage.
    #[arg(long, requires = "out")]
    pub repair: bool,
    /// The mailbox folder that takes in a PST: "/" merges into the mailbox's own folders, "/Name" puts it below that
    /// folder; without it Microsoft 365 makes a folder "Imported". For rows that name none.
    #[arg(long, value_name = "FOLDER", help_heading = "Import")]
    pub target_root: Option<String>,
    /// Import into archive mailboxes; for rows that do not say.
    #[arg(long, help_heading = "Import")]
    pub archive: bool,
    /// The code page of 8-bit texts in ANSI PSTs, such as 932; without it the one that most of their items name.
    #[arg(long, value_name = "NUMBER", value_parser = codepage, help_heading = "Import")]
    pub code_page: Option<u32>,
    /// The folder of the container ingestiondata that takes in the uploads.
    #[arg(long, value_name = "FOLDER", help_heading = "Import")]
    pub container_path: Option<String>,
    /// The share on which Exchange Server will find the PSTs: \\server\share, or a folder on it.
    #[arg(long, value_name = "SHARE", help_heading = "Import", requires = "map")]
    pub unc: Option<String>,
    /// The largest item that the mailboxes take, such as 36M for an Exchange Server; without it 150M.
    #[arg(long, value_name = "SIZE", value_parser = size, help_heading = "Import")]
    pub item_limit: Option<u64>,
    /// The largest PST; without it 20G.
    #[arg(long, value_name = "SIZE", value_parser = size, help_heading = "Import")]
    pub pst_limit: Option<u64>,
    /// Replace what an earlier run wrote into the folder.
    #[arg(long, requires = "out")]
    pub overwrite: bool,
    /// Print the report as JSON on standard output, and events as lines of JSON on standard error.
    #[arg(long)]
    pub json: bool,
}
