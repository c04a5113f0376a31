//! Names of PSTs in an import job: unique in whatever case, and so plain that azcopy, the mapping file and a spreadsheet
//! leave them as they are.

use std::collections::HashSet;
use std::path::Path;

/// Longest name of a blob's last part, in characters, with room for the number of a part.
const LONGEST: usize = 200;

/// Names that are taken.
#[derive(Debug, Default)]
pub struct Names {
    /// In lower case.
    taken: HashSet<String>,
    /// Stems that parts with numbers may stand behind, in lower case.
    divided: HashSet<String>,
}

impl Names {
    /// Takes a name that no other file has, as near to `wanted` as can be; `divided` keeps wanted-2.pst and so on free as
    /// well. `wanted` is a name as [`upload_name`] gives it.
    pub fn take(&mut self, wanted: &str, divided: bool) -> String {
        let stem = wanted.strip_suffix(".pst").unwrap_or(wanted);
        let tried = (1..).map(|n| if n == 1 { stem.to_owned() } else { format!("{stem}_{n}") });
        let stem = tried.into_iter().find(|s| self.is_free(&s.to_lowercase(), divided)).unwrap_or_default();
        let lower = stem.to_lowercase();
        if divided {
            self.divided.insert(lower.clone());
        }
        self.taken.insert(lower);
        format!("{stem}.pst")
    }

    fn is_free(&self, stem: &str, divided: bool) -> bool {
        let is_part = part_of(stem).is_some_and(|base| self.divided.contains(base));
        let has_parts = divided && self.taken.iter().any(|t| part_of(t) == Some(stem));
        !(self.taken.contains(stem) || is_part || has_parts)
    }
}

/// The stem that a name with a number belongs to: "anna" for "anna-2".
fn part_of(stem: &str) -> Option<&str> {
    let (base, number) = stem.rsplit_once('-')?;
    (!number.is_empty() && number.bytes().all(|b| b.is_ascii_digit())).then_some(base)
}

/// A plain name, ending in ".pst", for a file. `folders` are names of folders that tell it from others of its name.
///
/// Characters that Windows does not allow, commas and quotation marks (whether the service understands quoted cells is not
/// documented) become low lines, and so does a sign at the beginning that makes a formula of a cell.
pub fn upload_name(folders: &[String], name: &str) -> String {
    let lower = name.to_lowercase();
    let cut = [".pst", ".ost"].iter().any(|e| lower.ends_with(e) && name.is_char_boundary(name.len() - 4));
    let stem = if cut { name.get(..name.len() - 4).unwrap_or(name) } else { name };
    let joined: Vec<&str> = folders.iter().map(String::as_str).chain([stem]).collect();
    let plain = |c: char| if c.is_control() || "<>:\"/\\|?*,;%#".contains(c) { '_' } else { c };
    let mut text: String = joined.join("_").chars().map(plain).take(LONGEST).collect();
    text = text.trim_matches([' ', '.']).to_owned();
    if text.starts_with(['=', '+', '-', '@']) {
        text.replace_range(..1, "_");
    }
    if text.is_empty() {
        text.push('_');
    }
    format!("{text}.pst")
}

/// Why azcopy does not find a file by its path, if so.
pub fn troublesome(path: &Path) -> Option<&'static str> {
    let Some(text) = path.to_str() else { return Some("its name is not valid Unicode") };
    if text.chars().any(char::is_control) {
        return Some("its name has control characters");
    }
    if text.contains('*') {
        return Some("its name has an asterisk, which azcopy takes for any name");
    }
    // On Windows it stands between folders.
    (cfg!(unix) && text.contains('\\')).then_some("its name has a backslash, which azcopy takes for a folder's end")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_names() {
        for (name, plain) in [
            ("anna.pst", "anna.pst"),
            ("Anna.PST", "Anna.pst"),
            ("cache.ost", "cache.pst"),
            ("Jörg's mail.pst", "Jörg's mail.pst"),
            ("a,b \"c\".pst", "a_b _c_.pst"),
            ("=cmd|x.pst", "_cmd_x.pst"),
            ("-1.pst", "_1.pst"),
            ("no ending", "no ending.pst"),
            (" . .pst", "_.pst"),
            ("line\nbreak.pst", "line_break.pst"),
            ("ÄÖÜ", "ÄÖÜ.pst"),
        ] {
            assert_eq!(upload_name(&[], name), plain);
        }
        assert_eq!(upload_name(&["anna".to_owned(), "old".to_owned()], "archive.pst"), "anna_old_archive.pst");
    }

    #[test]
    fn names_are_unique_in_whatever_case() {
        let mut names = Names::default();
        let taken: Vec<String> = [
            ("a.pst", false),
            ("A.pst", false),
            ("a_2.pst", false),
            ("big-2.pst", false),
            ("big.pst", true),
            ("wide.pst", true),
            ("wide-3.pst", false),
        ]
        .into_iter()
        .map(|(name, divided)| names.take(name, divided))
        .collect();
        let expected = ["a.pst", "A_2.pst", "a_2_2.pst", "big-2.pst", "big_2.pst", "wide.pst", "wide-3_2.pst"];
        assert_eq!(taken, expected);
    }
}
