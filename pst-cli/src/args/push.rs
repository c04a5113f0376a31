//! Options of pushing into a mailbox on a server.

use clap::Args;
use std::path::PathBuf;
use std::time::Duration;

/// How long a busy server is waited for where nothing is said.
const ENDURANCE: Duration = Duration::from_hours(12);

/// How mailboxes on servers are filled.
#[derive(Debug, Clone, Default, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
pub struct PushOptions {
    /// The target is this account of the configuration; all arguments are sources then.
    #[arg(long, value_name = "NAME", conflicts_with = "attachments", help_heading = "Into a mailbox")]
    pub to_account: Option<String>,
    /// Many files into many mailboxes: a list (CSV) with the columns file and mailbox, and where wanted target-root and
    /// code-page; files from the list's folder, * and ? for several. The only argument is the server, or --to-account
    /// names it; the mailboxes take the place of its user.
    #[arg(long, value_name = "CSV", conflicts_with_all = ["attachments", "account", "all_accounts", "journal"], help_heading = "Into a mailbox")]
    pub mailboxes: Option<PathBuf>,
    /// Mailboxes that are filled at once [default: 4].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=64), requires = "mailboxes", help_heading = "Into a mailbox")]
    pub parallel: Option<u8>,
    /// The name that signs in to a mailbox by the password of an administrator: '{user}*admin' for a master user of
    /// Dovecot, 'DOMAIN\admin\{local}' for Exchange; {user} is the mailbox, {local} what stands before its @. The
    /// password is that of the user in the address, where one is named, and asked for once.
    #[arg(long, value_name = "PATTERN", requires = "mailboxes", help_heading = "Into a mailbox")]
    pub login_as: Option<String>,
    /// Where it is noted what was sent; without it pst/push of $XDG_STATE_HOME (~/.local/state), a file for each mailbox.
    #[arg(long, value_name = "FILE", help_heading = "Into a mailbox")]
    pub journal: Option<PathBuf>,
    /// Read each item back and compare it with what was sent.
    #[arg(long, help_heading = "Into a mailbox")]
    pub verify: bool,
    /// Items a second at most; Microsoft 365 over IMAP is content with 4.
    #[arg(long, value_name = "N", value_parser = rate, help_heading = "Into a mailbox")]
    pub rate: Option<f64>,
    /// How long a server that says it is busy is waited for before an item fails or the run ends, as in 90s, 30m, 4h or
    /// 2d [default: 12h].
    #[arg(long, value_name = "TIME", value_parser = time, help_heading = "Into a mailbox")]
    pub patience: Option<Duration>,
    /// Keep requests for read receipts in mail that was read; a server may send the receipts again.
    #[arg(long, help_heading = "Into a mailbox")]
    pub keep_receipts: bool,
    /// Keep reminders whose time is past; Outlook shows all of them at once. Without it they are dismissed, and series go
    /// on with their next date. IMAP has no reminders.
    #[arg(long, help_heading = "Into a mailbox")]
    pub keep_reminders: bool,
    /// The mailbox of somebody else (SMTP address), to which who signs in has access; ews:// and graph:// targets.
    #[arg(long, value_name = "ADDRESS", conflicts_with = "mailboxes", help_heading = "Into a mailbox")]
    pub mailbox: Option<String>,
    /// Open the mailbox in the name of its owner (ExchangeImpersonation); ews:// targets.
    #[arg(long, requires = "mailbox", help_heading = "Into a mailbox")]
    pub impersonate: bool,
    /// Into the online archive of the mailbox; ews:// and graph:// targets.
    #[arg(long, help_heading = "Into a mailbox")]
    pub archive: bool,
    /// Ask the mailbox's domain for its server (Autodiscover); the host of the address does not count then. ews:// targets.
    #[arg(long, help_heading = "Into a mailbox")]
    pub autodiscover: bool,
    /// A host outside of the mailbox's domain that Autodiscover may lead to; the password is sent there. May be repeated.
    #[arg(long, value_name = "HOST", requires = "autodiscover", help_heading = "Into a mailbox")]
    pub autodiscover_host: Vec<String>,
    /// Try EWS with Microsoft 365 all the same, where Microsoft is switching it off; without it ews:// goes by Graph there.
    #[arg(long, help_heading = "Into a mailbox")]
    pub force: bool,
}

impl PushOptions {
    /// How long a busy server is waited for.
    pub fn endurance(&self) -> Duration {
        self.patience.unwrap_or(ENDURANCE)
    }
}

/// A number with a unit.
fn time(text: &str) -> Result<Duration, String> {
    let wrong = || "not a time such as 90s, 30m, 4h or 2d".to_owned();
    let unit = text.chars().next_back().ok_or_else(wrong)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return Err(wrong()),
    };
    let number: u32 = text.strip_suffix(unit).and_then(|n| n.parse().ok()).ok_or_else(wrong)?;
    Ok(Duration::from_secs(u64::from(number) * seconds))
}

fn rate(text: &str) -> Result<f64, String> {
    let number = text.parse().ok();
    number
        .filter(|n: &f64| (0.001..=1e6).contains(n))
        .ok_or_else(|| "not a number of items such as 4 or 0.5".to_owned())
}
