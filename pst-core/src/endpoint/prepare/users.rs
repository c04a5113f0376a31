//! The list of who gets which PST, as an administrator writes it.

use super::limits::{self, Finding, Rule};
use crate::endpoint::text::read_file;
use crate::error::{Error, Kind, Result};
use crate::mapi::codepage;
use encoding_rs::{Encoding, WINDOWS_1252};
use std::collections::HashMap;
use std::path::Path;

/// The largest list, bytes.
const LARGEST: u64 = 64 << 20;

/// Where the items of a PST go, and how they are read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choice {
    /// Into the archive mailbox; `None` where nothing is said.
    pub archive: Option<bool>,
    /// The folder that takes in the top of the PST: "/" for the top of the mailbox, "/Name".
    pub target_root: Option<String>,
    /// The code page of 8-bit texts in ANSI PSTs.
    pub code_page: Option<u32>,
}

impl Choice {
    /// What is said here, and else there.
    #[must_use]
    pub fn or(self, other: &Self) -> Self {
        Self {
            archive: self.archive.or(other.archive),
            target_root: self.target_root.or_else(|| other.target_root.clone()),
            code_page: self.code_page.or(other.code_page),
        }
    }
}

/// One row: a PST or several, and a mailbox.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row {
    /// Its line.
    pub line: u64,
    /// A file's name, or its path from where the PSTs are, or either with * and ?.
    pub file: String,
    /// Whose it is; empty where the row names none that can be.
    pub mailbox: String,
    /// The other columns.
    pub choice: Choice,
}

impl Row {
    /// True if it is for all files whose names fit.
    pub fn is_pattern(&self) -> bool {
        self.file.contains(['*', '?'])
    }
}

/// How a list names mailboxes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mailboxes {
    /// As Exchange's importers want it: by SMTP address or GUID.
    Exchange,
    /// By an address or a name that a mail server knows.
    Server,
}

impl Mailboxes {
    /// True for what can be such a name.
    fn has(self, text: &str) -> bool {
        match self {
            Self::Exchange => is_smtp(text) || is_guid(text),
            Self::Server => text.len() <= 320 && !text.contains(char::is_control) && !text.contains("://"),
        }
    }

    fn refusal(self) -> &'static str {
        match self {
            Self::Exchange => "is neither an SMTP address nor a GUID",
            Self::Server => "is neither an address nor a name of a mailbox",
        }
    }
}

/// The list.
#[derive(Debug, Default)]
pub struct Users {
    /// Its rows.
    pub rows: Vec<Row>,
    /// What is wrong with it.
    pub findings: Vec<Finding>,
    by_file: HashMap<String, Vec<usize>>,
    patterns: Vec<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Column {
    File,
    Mailbox,
    Archive,
    TargetRoot,
    CodePage,
}

impl Column {
    fn of(heading: &str) -> Option<Self> {
        let plain: String = heading.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect();
        Some(match plain.as_str() {
            "file" | "name" | "pst" => Self::File,
            "mailbox" => Self::Mailbox,
            "archive" | "isarchive" => Self::Archive,
            "targetroot" | "targetrootfolder" => Self::TargetRoot,
            "codepage" | "contentcodepage" => Self::CodePage,
            _ => return None,
        })
    }
}

impl Users {
    /// Reads a list: a heading with `file` and `mailbox`, and where wanted `archive`, `target-root` and `code-page`.
    ///
    /// Commas, semicolons and tabs separate, whichever the heading has; UTF-8, UTF-16 with its mark, and else Windows-1252.
    ///
    /// # Errors
    /// When it cannot be read, or its heading has no such columns.
    pub fn read(path: &Path, mailboxes: Mailboxes) -> Result<Self> {
        let bytes = read_file(path, LARGEST)?;
        let (text, is_western) = decoded(&bytes);
        let mut out = Self::parse(&text, mailboxes).map_err(|e| e.in_file(path))?;
        if is_western {
            let text = "the list is not UTF-8 and was read as Windows-1252, as spreadsheets write it";
            out.findings.push(limits::CHOICE_NOTE.found(text));
        }
        Ok(out)
    }

    fn parse(text: &str, mailboxes: Mailboxes) -> Result<Self> {
        let head = text.lines().next().unwrap_or_default();
        let most = [b',', b';', b'\t'].into_iter().rev().max_by_key(|d| head.bytes().filter(|b| b == d).count());
        let mut reader = ::csv::ReaderBuilder::new()
            .delimiter(most.unwrap_or(b','))
            .flexible(true)
            .trim(::csv::Trim::All)
            .from_reader(text.as_bytes());
        let failed = |e: ::csv::Error| Error::new(Kind::Usage, format!("the list cannot be read: {e}"));
        let columns = columns(reader.headers().map_err(failed)?)?;
        let mut out = Self::default();
        for record in reader.records() {
            let record = record.map_err(failed)?;
            if record.iter().any(|cell| !cell.is_empty()) {
                out.row(&columns, &record, mailboxes);
            }
        }
        Ok(out)
    }

    fn row(&mut self, columns: &[Column], record: &::csv::StringRecord, mailboxes: Mailboxes) {
        let line = record.position().map_or(0, ::csv::Position::line);
        let mut row = Row { line, ..Row::default() };
        let mut say =
            |rule: &'static Rule, text: String| self.findings.push(rule.found(format!("line {line}: {text}")));
        if record.len() > columns.len() {
            say(&limits::CHOICE, format!("it has {} cells, the heading {}", record.len(), columns.len()));
        }
        let mut names_mailbox = false;
        for (column, cell) in columns.iter().zip(record.iter()).filter(|(_, cell)| !cell.is_empty()) {
            names_mailbox |= *column == Column::Mailbox;
            match column {
                Column::File => cell.replace('\\', "/").trim_start_matches("./").clone_into(&mut row.file),
                Column::Mailbox if mailboxes.has(cell) => cell.clone_into(&mut row.mailbox),
                Column::Mailbox => say(&limits::MAILBOX, format!("\"{cell:.80}\" {}", mailboxes.refusal())),
                Column::Archive => match yes_or_no(cell) {
                    Some(yes) => row.choice.archive = Some(yes),
                    None => say(&limits::CHOICE, format!("archive is TRUE or FALSE, not \"{cell:.80}\"")),
                },
                Column::TargetRoot => row.choice.target_root = Some(target_root(cell)),
                Column::CodePage => match cell.parse().ok().filter(|n| codepage::is_ascii_based(*n)) {
                    Some(page) => row.choice.code_page = Some(page),
                    None => say(&limits::CHOICE, format!("\"{cell:.80}\" is no code page such as 932 or 1251")),
                },
            }
        }
        if row.file.is_empty() {
            return say(&limits::NO_FILE, "it names no file".to_owned());
        }
        if !names_mailbox {
            say(&limits::MAILBOX, "it names no mailbox".to_owned());
        }
        let index = self.rows.len();
        if row.is_pattern() {
            self.patterns.push(index);
        }
        self.by_file.entry(row.file.to_lowercase()).or_default().push(index);
        self.rows.push(row);
    }

    /// The rows for a file, given by its path from where the PSTs are, with slashes; more than one is an ambiguity.
    ///
    /// A path goes before a name, and both before a pattern; the case of letters counts only where it decides.
    pub fn rows_of(&self, path: &str) -> Vec<usize> {
        let name = path.rsplit('/').next().unwrap_or(path);
        for wanted in [path, name] {
            let Some(found) = self.by_file.get(&wanted.to_lowercase()) else { continue };
            let same = |i: &&usize| self.rows.get(**i).is_some_and(|r| r.file == wanted);
            let exact: Vec<usize> = found.iter().filter(same).copied().collect();
            return if exact.is_empty() { found.clone() } else { exact };
        }
        let (path, name) = (path.to_lowercase(), name.to_lowercase());
        let fits = |i: &&usize| {
            let pattern = self.rows.get(**i).map(|r| r.file.to_lowercase()).unwrap_or_default();
            matches(&pattern, if pattern.contains('/') { &path } else { &name })
        };
        self.patterns.iter().filter(fits).copied().collect()
    }
}

/// Text, and whether it had to be taken for Windows-1252.
fn decoded(bytes: &[u8]) -> (String, bool) {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        let rest = bytes.get(mark..).unwrap_or_default();
        return (encoding.decode_without_bom_handling(rest).0.into_owned(), false);
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => (text.to_owned(), false),
        Err(_) => (WINDOWS_1252.decode_without_bom_handling(bytes).0.into_owned(), true),
    }
}

fn columns(head: &::csv::StringRecord) -> Result<Vec<Column>> {
    let usage = |text: String| Error::new(Kind::Usage, text);
    let mut out = Vec::new();
    for heading in head {
        let Some(column) = Column::of(heading) else {
            let text = format!(
                "the column \"{heading:.80}\" is not known; the columns are file, mailbox, archive, target-root and code-page"
            );
            return Err(usage(text));
        };
        if out.contains(&column) {
            return Err(usage(format!("the column \"{heading:.80}\" is there twice")));
        }
        out.push(column);
    }
    if !out.contains(&Column::File) || !out.contains(&Column::Mailbox) {
        return Err(usage("the first line must name the columns, file and mailbox at least".to_owned()));
    }
    Ok(out)
}

/// True for what can be an SMTP address.
fn is_smtp(text: &str) -> bool {
    let plain = |c: char| !c.is_control() && !c.is_whitespace() && !",;:<>()[]\\\"".contains(c);
    let Some((local, domain)) = text.split_once('@') else { return false };
    let labels = || domain.split('.');
    !local.is_empty()
        && text.len() <= 320
        && text.chars().all(plain)
        && labels().count() > 1
        && labels().all(|l| !l.is_empty() && l.chars().all(|c| c.is_alphanumeric() || c == '-'))
}

/// True for a GUID, in braces or not.
fn is_guid(text: &str) -> bool {
    let bare = text.strip_prefix('{').and_then(|t| t.strip_suffix('}')).unwrap_or(text);
    let groups: Vec<&str> = bare.split('-').collect();
    groups.iter().map(|g| g.len()).eq([8, 4, 4, 4, 12]) && groups.concat().bytes().all(|b| b.is_ascii_hexdigit())
}

fn yes_or_no(text: &str) -> Option<bool> {
    match text.to_lowercase().as_str() {
        "true" | "yes" | "1" | "$true" => Some(true),
        "false" | "no" | "0" | "$false" => Some(false),
        _ => None,
    }
}

/// A folder as the importers want it: with a slash before it.
pub fn target_root(text: &str) -> String {
    format!("/{}", text.replace('\\', "/").trim_matches('/'))
}

/// True if `text` is what a pattern with * and ? means. Takes as many steps as both are long, multiplied.
pub fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t, mut star) = (0, 0, None);
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(c) if *c == '?' || Some(c) == text.get(t) => (p, t) = (p + 1, t + 1),
            _ => {
                // The last star takes in one more.
                let Some((at, taken)) = star else { return false };
                star = Some((at, taken + 1));
                (p, t) = (at + 1, taken + 1);
            }
        }
    }
    pattern.iter().skip(p).all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (pattern, text, fits) in [
            ("*.pst", "anna.pst", true),
            ("a?na*", "anna.pst", true),
            ("*a*a*.pst", "anna.pst", true),
            ("a*b", "acbc", false),
            ("**", "", true),
            ("?", "", false),
            ("ä*", "änna", true),
        ] {
            assert_eq!(matches(pattern, text), fits, "{pattern} {text}");
        }
    }

    #[test]
    fn addresses() {
        for good in ["anna@example.org", "o'hara@example.org", "jörg@müller.example", "a+b@x-y.example.org"] {
            assert!(is_smtp(good), "{good}");
        }
        for bad in
            ["anna", "@example.org", "anna@", "anna@example", "a b@example.org", "a@b@c.org", "a@x..org", "=a(1)@x.org"]
        {
            assert!(!is_smtp(bad), "{bad}");
        }
        assert!(is_guid("2d7a87fe-d6a2-40cc-8aff-1ebea80d4ae7") && is_guid("{2D7A87FE-D6A2-40CC-8AFF-1EBEA80D4AE7}"));
        assert!(!is_guid("2d7a87fe-d6a2-40cc-8aff-1ebea80d4ae") && !is_guid("2d7a87fed6a240cc8aff1ebea80d4ae7"));
    }

    #[test]
    fn names_of_mailboxes() {
        let text = "file,mailbox\na.pst,anna\nb.pst,anna@localhost\nc.pst,DOMAIN\\bob\nd.pst,imaps://dora@x\n";
        let users = Users::parse(text, Mailboxes::Server).unwrap();
        assert_eq!(users.rows.iter().filter(|r| !r.mailbox.is_empty()).count(), 3);
        assert!(
            users
                .findings
                .iter()
                .map(|f| f.text.as_str())
                .eq(["line 5: \"imaps://dora@x\" is neither an address nor a name of a mailbox"])
        );
        assert_eq!(Users::parse(text, Mailboxes::Exchange).unwrap().findings.len(), 4);
    }

    #[test]
    fn rows_of_files() {
        let text = "File;Mailbox;Is Archive\r\n*.pst;all@example.org\r\nB/a.pst;b@example.org;TRUE\r\n\"a.pst\";a@example.org\r\n\
                    A.pst;upper@example.org\r\n\r\nc?.pst;c1@example.org\r\n";
        let users = Users::parse(text, Mailboxes::Exchange).unwrap();
        let who = |path: &str| -> Vec<&str> {
            users.rows_of(path).into_iter().map(|i| users.rows[i].mailbox.split('@').next().unwrap()).collect()
        };
        assert_eq!(who("x/a.pst"), ["a"]);
        assert_eq!(who("A.pst"), ["upper"]);
        assert_eq!(who("b/a.pst"), ["b"]);
        assert_eq!(who("z.pst"), ["all"]);
        assert_eq!(who("c1.pst"), ["all", "c1"]);
        assert_eq!(who("z.ost"), [""; 0]);
        assert_eq!((users.rows[1].choice.archive, users.findings.len()), (Some(true), 0));
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        let text = "file,mailbox,archive,target-root,code-page\na.pst,nobody,maybe,Old\\Mail,77\n,x@example.org\nb.pst\n\
                    c.pst,c@example.org,,/,932,,\n";
        let users = Users::parse(text, Mailboxes::Exchange).unwrap();
        let said: Vec<&str> = users.findings.iter().map(|f| f.text.split(' ').nth(1).unwrap()).collect();
        assert_eq!(said, ["2:", "2:", "2:", "3:", "4:", "5:"], "{:?}", users.findings);
        assert_eq!(users.rows[0].choice.target_root.as_deref(), Some("/Old/Mail"));
        assert_eq!(
            users.rows[2].choice,
            Choice { archive: None, target_root: Some("/".to_owned()), code_page: Some(932) }
        );
        for bad in ["", "file,mail\n", "file,mailbox,file\n", "mailbox\n", "a.pst,a@example.org\n"] {
            assert_eq!(Users::parse(bad, Mailboxes::Exchange).unwrap_err().kind(), Kind::Usage, "{bad}");
        }
    }
}
