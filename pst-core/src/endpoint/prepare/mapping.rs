//! PstImportMappingFile.csv, which tells Microsoft 365's import service where each uploaded PST goes.

use crate::endpoint::cells::exact;
use crate::error::{Error, Kind, Result};
use std::path::PathBuf;

/// The first line, which must not be changed.
pub const HEADER: &str = "Workload,FilePath,Name,Mailbox,IsArchive,TargetRootFolder,ContentCodePage,SPFileContainer,\
                          SPManifestContainer,SPSiteUrl";
/// Rows that a mapping file may have.
pub const ROWS: usize = 500;

/// A PST that is ready to be imported, and into what.
#[derive(Debug, Clone, Default)]
pub struct Entry {
    /// The file.
    pub path: PathBuf,
    /// Its name on upload, unique in the job.
    pub name: String,
    /// Where Exchange Server finds it: a path on a share.
    pub unc: Option<String>,
    /// SMTP address or GUID.
    pub mailbox: String,
    /// Into the archive mailbox.
    pub archive: bool,
    /// The folder that takes in the top of the PST; see [`super::Choice::target_root`].
    pub target_root: Option<String>,
    /// The code page of an ANSI PST's 8-bit texts.
    pub code_page: Option<u32>,
    /// What the import will leave out, one sentence each.
    pub remarks: Vec<String>,
}

/// The folder of the container that takes in the uploads, without slashes at its ends.
///
/// # Errors
/// [`Kind::Usage`] for what azcopy and the service would understand in another way.
pub fn container_path(text: &str) -> Result<String> {
    let path = text.trim_matches('/').to_owned();
    let usage = |why: &str| Err(Error::new(Kind::Usage, format!("--container-path \"{text:.80}\": {why}")));
    if path.split('/').next().is_some_and(|first| first.eq_ignore_ascii_case("ingestiondata")) {
        return usage("ingestiondata is the container itself; give the folder below it");
    }
    let odd = |part: &str| part.is_empty() || part == "." || part == ".." || part.trim_end_matches(['.', ' ']) != part;
    if !path.is_empty() && path.split('/').any(odd) {
        return usage("a folder in it has no name, or ends in a dot or a space");
    }
    if path.chars().any(|c| c.is_control() || "<>:\"\\|?*,;%#".contains(c)) {
        return usage("it has a character that no folder there should have");
    }
    Ok(path)
}

/// The mapping files with their names, in order; each line ends in CR LF.
pub fn files(entries: &[Entry], container_path: &str) -> Vec<(String, String)> {
    let row = |e: &Entry| {
        let cells = [
            "Exchange",
            container_path,
            &e.name,
            &e.mailbox,
            if e.archive { "TRUE" } else { "FALSE" },
            e.target_root.as_deref().unwrap_or_default(),
            &e.code_page.map(|p| p.to_string()).unwrap_or_default(),
            "",
            "",
            "",
        ];
        cells.map(exact).join(",") + "\r\n"
    };
    let file = |(i, part): (usize, &[Entry])| {
        let text: String = std::iter::once(format!("{HEADER}\r\n")).chain(part.iter().map(row)).collect();
        (file_name(i), text)
    };
    entries.chunks(ROWS).enumerate().map(file).collect()
}

/// The name of a mapping file, counted from 0.
pub fn file_name(number: usize) -> String {
    match number {
        0 => "PstImportMappingFile.csv".to_owned(),
        n => format!("PstImportMappingFile-{}.csv", n + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn container_paths() {
        assert_eq!(container_path("/PSTFiles/2026/").unwrap(), "PSTFiles/2026");
        assert_eq!(container_path("").unwrap(), "");
        for bad in ["ingestiondata/x", "a//b", "a/../b", "a\\b", "a,b", "a.", "x?sv=1"] {
            assert_eq!(container_path(bad).unwrap_err().kind(), Kind::Usage, "{bad}");
        }
    }
}
