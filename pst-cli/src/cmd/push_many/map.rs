//! The list of files and the mailboxes that take them in, checked before anything is sent.

use super::super::input::Row;
use crate::args::Convert;
use crate::ui::text::{plural, say};
use pst_core::endpoint::prepare::{self, Choice, Effect, Mailboxes, Users, matches};
use pst_core::endpoint::pst::parts_of;
use pst_core::endpoint::text::file_name;
use pst_core::endpoint::{self, SourceOptions};
use pst_core::pipeline::target_path;
use pst_core::{Error, Kind, Result};
use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

/// A higher number behind a name is a year rather than that of a part.
const PARTS: usize = 1000;

/// A mailbox and its files, in the order of the list.
pub struct Mailbox {
    /// The address or name.
    pub name: String,
    /// What goes into it.
    pub rows: Vec<Row>,
}

/// Reads the list; everything that is wrong with it is told, with its line.
///
/// # Errors
/// When it cannot be read, or anything is wrong.
pub fn read(a: &Convert, path: &Path) -> Result<Vec<Mailbox>> {
    let users = Users::read(path, Mailboxes::Server)?;
    let folder = std::path::absolute(path).map_err(|e| Error::io("cannot find", path, e))?;
    let folder = folder.parent().unwrap_or(Path::new("/"));
    let mut list =
        List { a, folder, files: HashMap::new(), faults: Vec::new(), mailboxes: Vec::new(), places: HashMap::new() };
    for finding in &users.findings {
        match finding.rule.effect {
            Effect::Note => say(format!("pst: {}: {}", path.display(), finding.text)),
            _ => list.faults.push(finding.text.clone()),
        }
    }
    let given: HashSet<PathBuf> = users.rows.iter().map(|row| list.path(&row.file)).collect();
    for row in &users.rows {
        list.row(row, &given);
    }
    list.parts();
    if !list.faults.is_empty() {
        for fault in &list.faults {
            say(format!("pst: {}: {fault}", path.display()));
        }
        let text = format!("{} in the list; nothing was sent", plural(list.faults.len() as u64, "mistake"));
        return Err(Error::new(Kind::Usage, text).in_file(path));
    }
    if list.mailboxes.is_empty() {
        return Err(Error::new(Kind::Usage, "the list has no rows").in_file(path));
    }
    Ok(list.mailboxes)
}

struct List<'a> {
    a: &'a Convert,
    folder: &'a Path,
    /// Each file: the lines that name it, and their mailboxes.
    files: HashMap<PathBuf, Vec<(u64, String)>>,
    faults: Vec<String>,
    mailboxes: Vec<Mailbox>,
    /// Where mailboxes stand above, by the names of their notes.
    places: HashMap<String, usize>,
}

impl List<'_> {
    fn path(&self, file: &str) -> PathBuf {
        self.folder.join(file)
    }

    fn fault(&mut self, line: u64, text: impl std::fmt::Display) {
        self.faults.push(format!("line {line}: {text}"));
    }

    fn row(&mut self, row: &prepare::Row, given: &HashSet<PathBuf>) {
        if row.mailbox.is_empty() {
            return;
        }
        if row.choice.archive == Some(true) {
            return self.fault(row.line, "an archive mailbox is not reached over IMAP; archive can only be FALSE");
        }
        let root = row.choice.target_root.as_deref().or(self.a.target_root.as_deref());
        let under = match root.map(target_path).transpose() {
            Ok(under) => under,
            Err(e) => return self.fault(row.line, e),
        };
        let path = self.path(&row.file);
        let files = if row.is_pattern() && !path.exists() { fitting(&path, given) } else { Ok(vec![path]) };
        match files {
            Ok(files) if files.is_empty() => self.fault(row.line, format!("no file fits \"{}\"", row.file)),
            Ok(files) => files.into_iter().for_each(|file| self.file(row, file, under.clone())),
            Err(e) => self.fault(row.line, e),
        }
    }

    fn file(&mut self, row: &prepare::Row, path: PathBuf, under: Option<Vec<String>>) {
        let Some(file) = path.to_str().map(str::to_owned) else {
            return self.fault(row.line, format!("the name of {} is not text", path.display()));
        };
        let reading = reading(self.a, &row.choice);
        if let Err(e) = endpoint::open(&file, reading).and_then(|source| source.folders()) {
            return self.fault(row.line, e);
        }
        let known = self.files.entry(path.canonicalize().unwrap_or(path)).or_default();
        let equal = known.iter().find(|(_, mailbox)| *mailbox == row.mailbox).map(|(line, _)| *line);
        let other = known.first().cloned();
        known.push((row.line, row.mailbox.clone()));
        if let Some(line) = equal {
            return self.fault(row.line, format!("line {line} puts {file} into {} already", row.mailbox));
        }
        if let Some((line, mailbox)) = other {
            say(format!("pst: {file} goes into {mailbox} (line {line}) and into {} (line {})", row.mailbox, row.line));
        }
        // As with one file: an mbox becomes a folder of its own name.
        let own = || if endpoint::is_single_mbox(&file) { vec![endpoint::name_of(&file)] } else { Vec::new() };
        let under = under.unwrap_or_else(own);
        self.put(row, Row { file, under, reading });
    }

    fn put(&mut self, row: &prepare::Row, file: Row) {
        let place = *self.places.entry(file_name(&row.mailbox).to_lowercase()).or_insert(self.mailboxes.len());
        match self.mailboxes.get_mut(place) {
            Some(mailbox) if mailbox.name == row.mailbox => mailbox.rows.push(file),
            Some(mailbox) => {
                let text = format!(
                    "the mailboxes \"{}\" and \"{}\" would share their notes; one mailbox is always written alike",
                    mailbox.name, row.mailbox
                );
                self.fault(row.line, text);
            }
            None => self.mailboxes.push(Mailbox { name: row.mailbox.clone(), rows: vec![file] }),
        }
    }

    /// Refuses PSTs of which a part is left out.
    fn parts(&mut self) {
        let mut faults: Vec<(u64, String)> = Vec::new();
        let mut told = HashSet::new();
        let line_of = |rows: &[(u64, String)]| rows.first().map_or(0, |(line, _)| *line);
        let mut files: Vec<(u64, &PathBuf)> = self.files.iter().map(|(path, rows)| (line_of(rows), path)).collect();
        files.sort();
        for (line, path) in files {
            let (first, number) = first_part(path);
            let parts = parts_of(&first);
            if number > parts.len() && number < PARTS {
                faults.push((line, format!("{} has no part before it", path.display())));
            }
            for part in parts {
                if !self.files.contains_key(&part) && told.insert(part.clone()) {
                    let text = format!(
                        "{} seems to be a part of the same mailbox as {}, and no row names it; add it, or move it away",
                        part.display(),
                        path.display()
                    );
                    faults.push((line, text));
                }
            }
        }
        faults.sort();
        for (line, text) in faults {
            self.fault(line, text);
        }
    }
}

fn reading(a: &Convert, choice: &Choice) -> SourceOptions {
    SourceOptions { ansi_codepage: choice.code_page.or(a.ansi.ansi_codepage), ..a.ansi.reading() }
}

/// The files whose names fit the last part of a path, but for those that have rows of their own.
fn fitting(path: &Path, given: &HashSet<PathBuf>) -> Result<Vec<PathBuf>> {
    let folder = path.parent().unwrap_or(path);
    let pattern = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let entries = fs::read_dir(folder).map_err(|e| Error::io("cannot list", folder, e))?;
    let mut out = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|e| Error::io("cannot list", folder, e))?.path();
        let name = entry.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        if matches(&pattern, &name) && entry.is_file() && !given.contains(&entry) {
            out.push(entry);
        }
    }
    out.sort();
    Ok(out)
}

/// The first part of the divided PST that a file is, and the number of the file, counted from 1.
fn first_part(path: &Path) -> (PathBuf, usize) {
    let whole = || (path.to_path_buf(), 1);
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let Some((name, number)) = stem.rsplit_once('-') else { return whole() };
    let Some(number) = number.parse().ok().filter(|n| *n > 1) else { return whole() };
    let mut first = path.with_file_name(name);
    if let Some(ending) = path.extension() {
        first.as_mut_os_string().push(".");
        first.as_mut_os_string().push(ending);
    }
    if first.is_file() { (first, number) } else { whole() }
}
