//! The importers' limits, and everything else that is found before an import, as a table.

/// What a finding does to the import.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// Good to know; no finding for the exit status.
    Note,
    /// The import may fail, or go wrong in a part.
    Risk,
    /// The item is not imported; Exchange Server ends the whole request at it, unless told to go on.
    Skipped,
    /// The PST is not imported.
    Refused,
}

impl Effect {
    /// The name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Risk => "risk",
            Self::Skipped => "skipped",
            Self::Refused => "refused",
        }
    }

    /// True for what has to be seen to before the import.
    pub const fn counts(self) -> bool {
        !matches!(self, Self::Note)
    }
}

/// How a finding goes away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cure {
    /// By a new PST of everything that can be read.
    Rewrite,
    /// By several PSTs instead of one.
    Split,
    /// By somebody's hand.
    Hand,
}

/// One thing that is looked for.
#[derive(Debug)]
pub struct Rule {
    /// A name that stays the same from version to version.
    pub id: &'static str,
    /// What it does to the import.
    pub effect: Effect,
    /// How it goes away.
    pub cure: Cure,
    /// The limit, where it is one: bytes, levels, items, folders or rows.
    pub figure: Option<u64>,
    /// What is looked for, in short.
    pub title: &'static str,
    /// What to do.
    pub remedy: &'static str,
    /// Who says so.
    pub source: &'static str,
}

/// Where a finding is within its PST.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Spot {
    /// The folder's path, with slashes.
    pub folder: String,
    /// The item's id, such as 0x200024; empty for the folder itself.
    pub item: String,
    /// The item's subject, where it can be read.
    pub subject: String,
    /// The item's size, where it is known, bytes.
    pub bytes: Option<u64>,
}

/// Something that was found.
#[derive(Debug, Clone)]
pub struct Finding {
    /// What it is.
    pub rule: &'static Rule,
    /// Where it is, if not the file as a whole.
    pub spot: Option<Spot>,
    /// One sentence, with values.
    pub text: String,
}

impl Rule {
    /// A finding about the whole file.
    pub fn found(&'static self, text: impl Into<String>) -> Finding {
        Finding { rule: self, spot: None, text: text.into() }
    }

    /// A finding about an item or a folder.
    pub fn at(&'static self, spot: Spot, text: impl Into<String>) -> Finding {
        Finding { rule: self, spot: Some(spot), text: text.into() }
    }
}

/// The rule of an id.
pub fn rule(id: &str) -> Option<&'static Rule> {
    RULES.iter().copied().find(|r| r.id == id)
}

const PURVIEW: &str = "Microsoft Purview, FAQ about importing PST files";
const UPLOAD: &str = "Microsoft Purview, network upload of PST files";
const ONLINE: &str = "Exchange Online limits, mailbox folder limits";
const SERVER: &str = "New-MailboxImportRequest";
const SERVICE: &str = "practice of administrators; Microsoft documents Outlook's PSTs only";
const FORMAT: &str = "[MS-PST]";
const OURS: &str = "pst";

macro_rules! rules {
    ($($(#[doc = $doc:literal])+ $name:ident = ($id:literal, $effect:ident, $cure:ident, $figure:expr, $source:ident,
       $title:literal, $remedy:literal $(,)?);)+) => {
        $($(#[doc = $doc])+ pub static $name: Rule = Rule {
            id: $id, effect: Effect::$effect, cure: Cure::$cure, figure: $figure, title: $title, remedy: $remedy,
            source: $source,
        };)+

        /// Everything that is looked for.
        pub static RULES: &[&Rule] = &[$(&$name,)+];
    };
}

rules! {
    /// No PST that can be opened.
    UNREADABLE = ("unreadable", Refused, Hand, None, FORMAT, "the file opens as a PST",
        "put back a copy from a backup, or let Outlook's ScanPST try");
    /// An OST.
    OST = ("ost", Refused, Rewrite, None, SERVICE, "the file is a PST, not an OST",
        "--repair makes a PST of it");
    /// A password is set.
    PASSWORD = ("password", Refused, Rewrite, None, SERVICE, "no password is set",
        "take the password off in Outlook (Data File Properties), or let --repair make a PST without one");
    /// A PST of Outlook 97 to 2002.
    ANSI = ("ansi", Note, Rewrite, None, PURVIEW, "the PST is Unicode",
        "--repair makes a Unicode PST of it; without that, its 8-bit texts need the right ContentCodePage (--code-page)");
    /// Larger than is recommended.
    PST_SIZE = ("pst-size", Risk, Split, Some(20 << 30), UPLOAD, "a PST has 20 GB at most",
        "--split 20G makes several PSTs of it");
    /// Folders nested too deep.
    DEPTH = ("depth", Refused, Hand, Some(300), PURVIEW, "folders are nested less than 300 levels deep",
        "move the deep folders up in Outlook, or take them into a PST of their own: pst convert --source-root FOLDER");
    /// An item that is too large.
    ITEM_SIZE = ("item-size", Skipped, Hand, Some(150 << 20), PURVIEW, "an item has 150 MB at most",
        "save its attachments elsewhere (pst convert --attachments) and take them out in Outlook, or do without the item");
    /// An item near the limit, or above what mailboxes usually take.
    ITEM_LARGE = ("item-large", Note, Hand, Some(35 << 20), UPLOAD, "items above 35 MB",
        "Microsoft 365 raises the mailbox's limit by itself; Exchange Server needs a MaxReceiveSize that large");
    /// A folder with too many items.
    FOLDER_ITEMS = ("folder-items", Risk, Hand, Some(1_000_000), ONLINE, "a folder has a million items at most",
        "spread them over several folders in Outlook: beyond the limit nothing more can be saved into the folder");
    /// A folder with too many folders.
    SUBFOLDERS = ("subfolders", Risk, Hand, Some(10_000), ONLINE, "a folder has 10,000 folders in it at most",
        "spread them over several folders in Outlook");
    /// An item that cannot be read in full.
    DAMAGED_ITEM = ("damaged-item", Skipped, Rewrite, None, SERVER, "every item can be read in full",
        "--repair makes a PST of what can be read; or let the request go on (-BadItemLimit) and do without the item");
    /// A folder that cannot be read in full.
    DAMAGED_FOLDER = ("damaged-folder", Risk, Rewrite, None, FORMAT, "every folder can be read in full",
        "--repair makes a PST of what can be read");
    /// What `check` calls fatal.
    STRUCTURE = ("structure", Risk, Rewrite, None, FORMAT, "the file is sound",
        "--repair makes a sound PST of what can be read; pst check lists the findings");
    /// What `check` would have ScanPST repair.
    REPAIRABLE = ("repairable", Note, Rewrite, None, FORMAT, "ScanPST has nothing to repair",
        "--repair makes a clean PST of it; pst check lists the findings");
    /// Nothing to import.
    EMPTY = ("empty", Note, Hand, None, OURS, "there is something to import",
        "leave the file out");
    /// The blob gets another name than the file.
    UPLOAD_NAME = ("upload-name", Note, Hand, None, UPLOAD, "names are unique in a job, and plain",
        "nothing: upload.ps1 and the mapping file use the other name");
    /// A name that azcopy takes for something else.
    FILE_NAME = ("file-name", Refused, Hand, None, OURS, "azcopy can find the file by its name",
        "rename the file");
    /// The rewriting could not take an item over, or not all of it.
    LOST = ("lost", Skipped, Hand, None, OURS, "everything was taken over into the new PST",
        "the damage is in the source; a backup of it may have the item");
    /// A PST of an earlier run that looks like a part.
    LEFT_OVER = ("left-over", Note, Hand, None, OURS, "no parts of earlier runs lie beside the new PSTs",
        "remove it, if it is of no more use; it is neither uploaded nor mapped");
    /// A PST that nobody gets.
    NO_ROW = ("no-row", Risk, Hand, None, OURS, "every PST has its row in the list of mailboxes",
        "add a row for it, or leave the file out");
    /// A row for nothing.
    NO_FILE = ("no-file", Risk, Hand, None, OURS, "every row of the list of mailboxes has its PST",
        "correct the file's name in the row");
    /// Two rows of equal rank.
    TWO_ROWS = ("two-rows", Risk, Hand, None, UPLOAD, "every PST has one mailbox",
        "leave one row; a PST for two mailboxes needs two jobs");
    /// A mailbox that none can be.
    MAILBOX = ("mailbox", Risk, Hand, None, UPLOAD, "a mailbox is an SMTP address or a GUID",
        "correct the row");
    /// A choice that is none.
    CHOICE = ("choice", Risk, Hand, None, UPLOAD, "archive, target-root and code-page have values that exist",
        "correct the row");
    /// A choice that means something else than it seems to.
    CHOICE_NOTE = ("choice-note", Note, Hand, None, UPLOAD, "choices say what they do",
        "nothing, if this is what was meant");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique() {
        for (i, a) in RULES.iter().enumerate() {
            assert!(RULES.iter().skip(i + 1).all(|b| b.id != a.id), "{}", a.id);
            assert!(std::ptr::eq(rule(a.id).unwrap(), *a));
        }
    }
}
