//! The command line.

#[cfg(feature = "network")]
pub mod account;
#[cfg(feature = "network")]
pub mod fetch;
pub mod prepare;
#[cfg(feature = "network")]
pub mod push;

use clap::{Args, Parser, Subcommand, ValueEnum};
use pst_core::endpoint::SourceOptions;
use std::path::PathBuf;

/// Moves mail, calendars and contacts between the world and Outlook's Personal Folders files (.pst, .ost).
#[derive(Debug, Parser)]
#[command(
    name = "pst",
    version,
    max_term_width = 110,
    after_help = "Exit status: 0 done; 1 done, but items failed or findings were made; 2 wrong usage or could not start; \
                  130 interrupted.\nData goes to standard output, talk to standard error."
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Copy mail, calendars and contacts from one or more sources into a target.
    #[command(visible_aliases = ["import", "export", "download", "push"])]
    Convert(Box<Convert>),
    /// Say what a PST or OST is and what is in it.
    Info(Info),
    /// List the folders of a PST, an OST or an account on a mail server, or the items of one folder.
    Ls(Box<Ls>),
    /// Print one item as an eml message, or all its properties.
    Cat(Cat),
    /// Judge a PST or OST by the rules that ScanPST, Outlook and Exchange apply.
    Check(Check),
    /// Make PSTs ready for the importers of Microsoft 365 and Exchange Server.
    Prepare(Box<prepare::Prepare>),
    /// Sign in to an account and keep the sign-in, so that later runs need nobody.
    #[cfg(feature = "network")]
    Login(Box<account::SignIn>),
    /// Forget what login has kept.
    #[cfg(feature = "network")]
    Logout(Box<account::SignIn>),
}

/// `pst convert`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Kinds are recognised; a prefix forces one: pst:, eml:, msg:, mbox:, maildir:, ics:, vcf:, json:; html: and attachments: are
targets only.
  pst convert Inbox.mbox mailbox.pst              an mbox into a new PST
  pst convert old.ost mailbox.pst                 an OST or ANSI PST into a Unicode PST
  pst convert mailbox.pst maildir:Mail            a PST into a Maildir++ tree
  pst convert mailbox.pst msg:out                 a PST into Outlook's .msg files, one for each item
  pst convert mailbox.pst Contacts.vcf            the contacts of a PST into one file of vCards
  pst convert mailbox.pst mailbox.jsonl           every property of every item as JSON lines; and back
  pst convert mailbox.pst html:pages              a page for each message, safe to open, and lists of the folders
  pst convert mailbox.pst --attachments out       attachments only, with index.csv and index.jsonl
  pst convert a.pst b.mbox merged.pst             several sources, each under a folder of its own
  pst convert imaps://anna@imap.example.org anna.pst    an account; run again, it adds what is new
  pst convert --account work work.pst             an account of the configuration
  pst push old.pst imaps://anna@imap.example.org  into a mailbox on a server; run again, it sends what is missing
  pst push old.pst graph://anna@example.org --client-id ID    into a mailbox of Microsoft 365
  pst push --account old --to-account new         from one account into another
  pst push --mailboxes map.csv --login-as '{user}*admin' imaps://imap.example.org    many files into many mailboxes
  pst convert mailbox.pst eml:out --include '#Inbox#/*' --since 2024-01-01")]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
pub struct Convert {
    /// SOURCE... TARGET: PST or OST files, eml and .msg files or trees, mbox files or trees, Maildirs, .ics and .vcf files
    /// or trees, JSON lines.
    ///
    /// An ics: target takes calendar items, tasks, journal entries and notes alone, a vcf: target contacts and lists.
    /// An account is an address such as imaps://anna@imap.example.org or pop3s://anna@pop.example.org; as the target, it is
    /// filled, and the options of accounts are its.
    #[arg(value_name = "SOURCE... TARGET")]
    pub paths: Vec<String>,
    /// Take this folder of the source as the top.
    #[arg(long, value_name = "FOLDER", help_heading = "Folders")]
    pub source_root: Option<String>,
    /// Put everything under this folder of the target ("/" merges into the top).
    #[arg(long, value_name = "FOLDER", help_heading = "Folders")]
    pub target_root: Option<String>,
    /// Take only the items of the top folder (or of the included folders), not those of folders below.
    #[arg(long, help_heading = "Folders")]
    pub no_subfolders: bool,
    /// Take only folders that match: Name, Name/* (with all below), #Inbox# for well-known folders. May be repeated.
    #[arg(long, value_name = "PATTERN", help_heading = "Folders")]
    pub include: Vec<String>,
    /// Leave out folders that match; the same patterns. May be repeated.
    #[arg(long, value_name = "PATTERN", help_heading = "Folders")]
    pub exclude: Vec<String>,
    /// Only items received (or else sent) at or after this date: 2024-01-31 or 2024-01-31T12:00:00Z; days begin in UTC.
    #[arg(long, value_name = "DATE", value_parser = date, help_heading = "Items")]
    pub since: Option<i64>,
    /// Only items received (or else sent) before this date.
    #[arg(long, value_name = "DATE", value_parser = date, help_heading = "Items")]
    pub before: Option<i64>,
    /// Only items whose sender contains this text.
    #[arg(long, value_name = "TEXT", help_heading = "Items")]
    pub from: Option<String>,
    /// Only items one of whose recipients contains this text.
    #[arg(long, value_name = "TEXT", help_heading = "Items")]
    pub to: Option<String>,
    /// Only items whose subject contains this text.
    #[arg(long, value_name = "TEXT", help_heading = "Items")]
    pub subject: Option<String>,
    /// Only items larger than this: bytes, or with K, M, G (1024s).
    #[arg(long, value_name = "SIZE", value_parser = size, help_heading = "Items")]
    pub larger: Option<u64>,
    /// Only items smaller than this.
    #[arg(long, value_name = "SIZE", value_parser = size, help_heading = "Items")]
    pub smaller: Option<u64>,
    /// What to do with an item that was already copied in this run (same Message-ID and same content), or that the folder of
    /// a mailbox on a server has already (same Message-ID, or else same date, sender and subject).
    #[arg(long, value_enum, default_value_t = Duplicates::Allow, help_heading = "Items")]
    pub duplicates: Duplicates,
    /// Leave out folder-associated items (views, rules, forms), which no folder shows.
    #[arg(long, help_heading = "Items")]
    pub no_associated: bool,
    /// Take folder-associated items also where the target cannot hide them: as mail, pages or calendars.
    #[arg(long, conflicts_with = "no_associated", help_heading = "Items")]
    pub associated: bool,
    /// How the data blocks of a new PST are encoded; Outlook's own files use permute.
    #[arg(long, value_enum, default_value_t = Crypt::Permute, help_heading = "Target")]
    pub crypt: Crypt,
    /// Write nothing but the attachments, those inside messages and winmail.dat too, into this folder, which then is the
    /// target; --duplicates skip writes equal ones once.
    #[arg(long, value_name = "DIR", help_heading = "Target")]
    pub attachments: Option<String>,
    /// Replace an existing target; it stays as it is until the new one is whole.
    #[arg(long, help_heading = "Target")]
    pub overwrite: bool,
    /// Add to an existing PST: what is there stays, folders of the same path or role go on.
    #[arg(long, help_heading = "Target", conflicts_with = "overwrite")]
    pub append: bool,
    /// Begin a further PST (mailbox-2.pst, mailbox-3.pst ...) where one would become larger than this, such as 20G; the tree
    /// of folders is repeated in each.
    #[arg(long, value_name = "SIZE", value_parser = part, help_heading = "Target")]
    pub split: Option<u64>,
    /// Attach the rich text body of messages that have one, as body.rtf; eml, mbox and Maildir targets.
    #[arg(long, help_heading = "Target")]
    pub keep_rtf: bool,
    /// The version of vCards: eml and vcf targets, and the cards in mail.
    #[arg(long, value_enum, default_value_t = Vcard::V4, help_heading = "Target")]
    pub vcard: Vcard,
    /// What becomes of calendars (text/calendar) in mail; PST targets.
    #[arg(long, value_enum, default_value_t = Calendar::Note, help_heading = "Target")]
    pub calendar: Calendar,
    /// Keep the whole source of each mail inside its item (PST and .msg targets), and write items that have it as they
    /// came, byte for byte (eml, mbox and Maildir targets).
    #[arg(long, help_heading = "Target")]
    pub keep_mime: bool,
    /// A list of Exchange addresses and their Internet addresses (CSV: "/o=Org/...,anna@example.org"), for recipients of
    /// whom neither the item nor any other item of the sources tells the Internet address.
    #[arg(long, value_name = "FILE", help_heading = "Target")]
    pub ex_map: Option<PathBuf>,
    /// Clear requests for read receipts and delivery reports, so that reading old mail sends nothing.
    #[arg(long, help_heading = "Target")]
    pub no_receipts: bool,
    /// Leave the Bcc recipients out of the header; eml, mbox and Maildir targets.
    #[arg(long, help_heading = "Target")]
    pub no_bcc: bool,
    /// Read, convert and count everything, but write nothing.
    #[arg(long, help_heading = "Target")]
    pub dry_run: bool,
    /// How old and damaged stores are read.
    #[command(flatten)]
    pub ansi: Ansi,
    /// End the run when more items than this failed; all failures are listed [default: no limit].
    #[arg(long, value_name = "N", help_heading = "Items")]
    pub bad_item_limit: Option<u64>,
    /// End the run when more items than this are too large for the target [default: no limit].
    #[arg(long, value_name = "N", help_heading = "Items")]
    pub large_item_limit: Option<u64>,
    /// How accounts on mail servers are reached and signed in to.
    #[cfg(feature = "network")]
    #[command(flatten)]
    pub account: account::AccountOptions,
    /// How they are downloaded.
    #[cfg(feature = "network")]
    #[command(flatten)]
    pub fetch: fetch::FetchOptions,
    /// How they are filled.
    #[cfg(feature = "network")]
    #[command(flatten)]
    pub push: push::PushOptions,
    /// Threads to use; 0 means one for each processor. The result does not depend on it.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub threads: usize,
    /// Write an account of the run into this file, folder by folder: what the source has, what was taken, what the target
    /// has now, each difference with its reason. The ending says how: .html, .json or .csv.
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// Print the summary as JSON on standard output, and events as lines of JSON on standard error.
    #[arg(long)]
    pub json: bool,
}

/// How old and damaged stores are read.
#[derive(Debug, Clone, Copy, Args)]
pub struct Ansi {
    /// The code page of 8-bit texts in old PSTs whose items do not name theirs, such as 1251; without it the one that
    /// most items name.
    #[arg(long, value_name = "NUMBER", value_parser = codepage)]
    pub ansi_codepage: Option<u32>,
    /// Read PSTs and OSTs however damaged they are: pages and blocks are found by themselves, without header and trees.
    #[arg(long)]
    pub salvage: bool,
}

impl Ansi {
    /// As the library has it.
    pub fn reading(self) -> SourceOptions {
        SourceOptions { ansi_codepage: self.ansi_codepage, salvage: self.salvage }
    }
}

/// `--duplicates`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Duplicates {
    /// Copy it again.
    Allow,
    /// Leave it out and count it.
    Skip,
    /// Put it in the place of what the mailbox has; mailboxes on servers only.
    Replace,
}

/// `--crypt`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Crypt {
    /// Plain.
    None,
    /// Compressible encryption, Outlook's default.
    Permute,
}

/// `--vcard`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Vcard {
    /// RFC 6350.
    #[value(name = "4.0")]
    V4,
    /// RFC 2426, which Outlook reads.
    #[value(name = "3.0")]
    V3,
}

/// `--calendar`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Calendar {
    /// The mail stays mail, with the calendar as an attached file.
    Note,
    /// Meeting requests, answers and cancellations; Outlook acts on them as on new ones.
    Native,
}

/// `pst info`.
#[derive(Debug, Args)]
pub struct Info {
    /// The PST or OST.
    pub file: PathBuf,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
    /// How old and damaged stores are read.
    #[command(flatten)]
    pub ansi: Ansi,
}

/// `pst ls`.
#[derive(Debug, Args)]
pub struct Ls {
    /// The PST or OST, or an account on a mail server, such as imaps://anna@imap.example.org; not needed with --account.
    #[cfg_attr(feature = "network", arg(required_unless_present = "account"))]
    #[cfg_attr(not(feature = "network"), arg(required = true))]
    pub file: Option<PathBuf>,
    /// A folder, by its path ("Inbox/Project"), by its id ("0x8082") or as a well-known one ("#Inbox#"); without it
    /// the folders are listed. Of an account, each message has its UID and the letters of its flags: draft D, flagged F,
    /// forwarded P, answered R, read S, deleted T.
    pub folder: Option<String>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
    /// How old and damaged stores are read.
    #[command(flatten)]
    pub ansi: Ansi,
    /// How an account is reached and signed in to.
    #[cfg(feature = "network")]
    #[command(flatten)]
    pub account: account::AccountOptions,
}

/// `pst cat`.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
pub struct Cat {
    /// The PST or OST.
    pub file: PathBuf,
    /// The item's id as `pst ls` shows it, such as 0x200024.
    #[arg(value_parser = node_id)]
    pub item: u32,
    /// Print every property, recipient and attachment instead of the message.
    #[arg(long)]
    pub props: bool,
    /// Attach the rich text body, if the item has one, as body.rtf.
    #[arg(long)]
    pub keep_rtf: bool,
    /// Print the source that `convert --keep-mime` kept, byte for byte.
    #[arg(long, conflicts_with_all = ["props", "json"])]
    pub source: bool,
    /// Print JSON; implies --props.
    #[arg(long)]
    pub json: bool,
    /// How old and damaged stores are read.
    #[command(flatten)]
    pub ansi: Ansi,
}

/// `pst check`.
#[derive(Debug, Args)]
pub struct Check {
    /// The PST or OST.
    pub file: PathBuf,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// The number of a code page that texts can be read in.
fn codepage(text: &str) -> Result<u32, String> {
    let number = text.trim().trim_start_matches("cp").trim_start_matches("windows-").parse().ok();
    number
        .filter(|n| pst_core::mapi::codepage::is_ascii_based(*n))
        .ok_or_else(|| "not a code page such as 1250, 1251, 932 or 65001".to_owned())
}

/// Seconds since 1970 of a date or time stamp; dates begin at midnight UTC.
fn date(text: &str) -> Result<i64, String> {
    if let Ok(stamp) = text.parse::<jiff::Timestamp>() {
        return Ok(stamp.as_second());
    }
    text.parse::<jiff::civil::Date>()
        .ok()
        .and_then(|d| d.to_zoned(jiff::tz::TimeZone::UTC).ok())
        .map(|z| z.timestamp().as_second())
        .ok_or_else(|| "not a date such as 2024-01-31 or 2024-01-31T12:00:00Z".to_owned())
}

/// A number of bytes with an optional K, M or G (also KB, KiB ...), in steps of 1024.
fn size(text: &str) -> Result<u64, String> {
    let upper = text.trim().to_ascii_uppercase();
    let bare = upper.trim_end_matches("IB").trim_end_matches('B');
    let (digits, shift) = match bare.chars().last() {
        Some('K') => (bare.trim_end_matches('K'), 10),
        Some('M') => (bare.trim_end_matches('M'), 20),
        Some('G') => (bare.trim_end_matches('G'), 30),
        _ => (bare, 0),
    };
    digits
        .trim()
        .parse::<u64>()
        .ok()
        .and_then(|n| n.checked_mul(1 << shift))
        .ok_or_else(|| "not a size such as 500, 20K, 5M or 1G".to_owned())
}

/// A size that a PST with something in it can have.
fn part(text: &str) -> Result<u64, String> {
    size(text).and_then(|n| if n < 2 << 20 { Err("a part has 2M at least".to_owned()) } else { Ok(n) })
}

/// A node id in hexadecimal (0x...) or decimal.
pub fn node_id(text: &str) -> Result<u32, String> {
    let parsed = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(hex) => u32::from_str_radix(hex, 16),
        None => text.parse(),
    };
    parsed.map_err(|_| "not an id such as 0x200024".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_sound() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }

    #[test]
    fn sizes_dates_and_ids() {
        assert_eq!(size("5M"), Ok(5 << 20));
        assert_eq!(size("20 KiB"), Ok(20 << 10));
        assert_eq!(size("7"), Ok(7));
        assert!(size("M").is_err() && size("-1").is_err() && size("99999999999G").is_err());
        assert_eq!(date("1970-01-02"), Ok(86_400));
        assert_eq!(date("1970-01-01T00:00:05Z"), Ok(5));
        assert!(date("yesterday").is_err());
        assert_eq!(node_id("0x200024"), Ok(0x20_0024));
        assert!(node_id("inbox").is_err());
    }
}
