//! The index of attachments: for people as a table that spreadsheets open, for programs as JSON lines.

use super::gather::{Content, Entry, Gathered, Hash};
use crate::endpoint::cells::shown;
use crate::error::{Error, Result};
use serde_json::json;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

/// The names of the two files.
const FILES: [&str; 2] = ["index.csv", "index.jsonl"];
/// What the columns of the table are called, and the members of the lines.
const COLUMNS: [&str; 14] = [
    "folder",
    "item",
    "inside",
    "subject",
    "from",
    "date",
    "name",
    "file",
    "type",
    "size",
    "sha256",
    "content_id",
    "inline",
    "note",
];

/// Both files, open.
pub(super) struct Index {
    table: BufWriter<File>,
    lines: BufWriter<File>,
}

/// Where an attachment was found, and where it went.
pub(super) struct Row<'a> {
    pub folder: &'a [String],
    pub item: &'a str,
    pub of: &'a Gathered,
    pub entry: &'a Entry,
    /// The file, from the top of the target on, with slashes; empty where there is none.
    pub file: &'a str,
    pub note: &'a str,
}

/// True for a folder with an index.
pub fn is_target(folder: &Path) -> bool {
    FILES.iter().all(|name| folder.join(name).is_file())
}

impl Index {
    /// Starts both files in a folder.
    ///
    /// # Errors
    /// [`crate::Kind::Io`], naming the file.
    pub fn create(folder: &Path) -> Result<Self> {
        let create = |name| {
            let path = folder.join(name);
            File::create_new(&path).map(BufWriter::new).map_err(|e| Error::io("cannot create", path, e))
        };
        let [table, lines] = FILES;
        let mut out = Self { table: create(table)?, lines: create(lines)? };
        // With this mark spreadsheets take the table for UTF-8.
        let head = format!("\u{FEFF}{}\r\n", COLUMNS.join(","));
        out.table.write_all(head.as_bytes()).map_err(failed)?;
        Ok(out)
    }

    /// Adds an attachment.
    ///
    /// # Errors
    /// [`crate::Kind::Io`].
    pub fn add(&mut self, row: &Row<'_>) -> Result<()> {
        let date = row.of.date.and_then(|s| jiff::Timestamp::from_second(s).ok()).map(|t| t.to_string());
        let has_data = !matches!(row.entry.content, Content::None(_));
        let hash = if has_data { hex(&row.entry.hash) } else { String::new() };
        let (folder, inside) = (row.folder.join("/"), row.entry.inside.join(" > "));
        let size = row.entry.len.to_string();
        let cells: [&str; COLUMNS.len()] = [
            &folder,
            row.item,
            &inside,
            &row.of.subject,
            &row.of.from,
            date.as_deref().unwrap_or_default(),
            &row.entry.stored,
            row.file,
            &row.entry.mime,
            if has_data { &size } else { "" },
            &hash,
            row.entry.cid.as_deref().unwrap_or_default(),
            if row.entry.inline { "yes" } else { "no" },
            row.note,
        ];
        let record = cells.map(shown).join(",") + "\r\n";
        self.table.write_all(record.as_bytes()).map_err(failed)?;
        let text = |t: &str| if t.is_empty() { json!(null) } else { json!(t) };
        let line = json!({
            "folder": row.folder, "item": row.item, "inside": row.entry.inside, "subject": row.of.subject,
            "from": text(&row.of.from), "date": date, "name": row.entry.stored, "file": text(row.file),
            "type": row.entry.mime, "size": has_data.then_some(row.entry.len), "sha256": text(&hash),
            "content_id": row.entry.cid, "inline": row.entry.inline, "note": text(row.note),
        });
        writeln!(self.lines, "{line}").map_err(failed)
    }

    /// Writes what is still held.
    ///
    /// # Errors
    /// [`crate::Kind::Io`].
    pub fn finish(mut self) -> Result<()> {
        self.table.flush().and_then(|()| self.lines.flush()).map_err(failed)
    }
}

fn failed(e: std::io::Error) -> Error {
    Error::io("cannot write", "the index of attachments", e)
}

fn hex(hash: &Hash) -> String {
    hash.iter().fold(String::with_capacity(64), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}
