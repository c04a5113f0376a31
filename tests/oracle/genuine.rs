//! The measure itself: on files that Outlook made, the independent readers and ours say the same.

use super::oracle::{self, Listing};
use super::support::{corpus, files};

/// Files that a reader does not read (or not whole), and its words or the reason.
const EXCEPTIONS: &[(&str, &str, &str)] = &[
    ("libpff", "aspose-email__Outlook_part2", "a table with rows but no row matrix: libpff gives the folder up"),
    ("libpff", "aspose-email__SampleOstFile", "an OST names no top of the mailbox"),
    ("outlook-pst", "aspose-email__SampleOstFile", "Invalid HEADER wMagicClient: 0x4F53"),
    ("outlook-pst", "aspose-email__SampleContacts", "Missing Sub-Node Tree on message"),
    ("outlook-pst", "rjohnsondev__dist-list", "Missing Sub-Node Tree on message"),
    ("outlook-pst", "rjohnsondev__passworded", "Missing Sub-Node Tree on message"),
    ("outlook-pst", "aspose-email__MapiNoteToPST_out", "Missing Sub-Node Tree on message"),
    ("outlook-pst", "enrondata__sample2", "ANSI PST version: 0x000F"),
    ("outlook-pst", "mooijtech__32-bit", "ANSI PST version: 0x000F"),
];

/// True for a file that a reader does not read, or not whole.
pub fn is_exception(reader: &str, name: &str) -> bool {
    EXCEPTIONS.iter().any(|(r, n, _)| *r == reader && name.starts_with(n))
}

/// Where a reader finds something else than we do.
pub fn compare(reader: &str, name: &str, theirs: &Listing, ours: &Listing) -> Vec<String> {
    let mut wrong = Vec::new();
    for folder in ours {
        if reader == "outlook-pst" && folder.path == ["Freebusy Data"] {
            continue; // It stands outside the mailbox, where the walk with outlook-pst does not go.
        }
        let Some(other) = theirs.iter().find(|f| f.path == folder.path) else {
            wrong.push(format!("{name}: {reader} has no folder {:?}", folder.path));
            continue;
        };
        let (mut a, mut b) = (folder.messages.clone(), other.messages.clone());
        a.sort();
        b.sort();
        if a.len() != b.len() {
            wrong.push(format!("{name}: {:?}: {} with {reader}, {} with us", folder.path, b.len(), a.len()));
        }
        for (a, b) in a.iter().zip(&b).filter(|(a, b)| a != b) {
            wrong.push(format!("{name}: {:?}:\n  {reader} {b:?}\n  ours {a:?}", folder.path));
        }
    }
    wrong
}

#[test]
fn readers_agree_on_genuine_files() {
    let (Some(folder), Some(truth)) = (corpus("pst"), corpus("groundtruth")) else { return };
    let mut wrong = Vec::new();
    for file in files(&folder, &[".pst", ".ost"]) {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        // No reader takes the two files that some other library wrote.
        if !truth.join(format!("{name}.json")).exists() {
            continue;
        }
        let ours = oracle::ours(&file);
        let readers = [
            ("libpff", oracle::libpff(&file)),
            ("outlook-pst", oracle::outlook_pst(&file).map_err(|e| e.to_string()).into()),
        ];
        for (reader, theirs) in readers {
            if is_exception(reader, &name) {
                continue;
            }
            match theirs {
                Some(Ok(theirs)) => wrong.extend(compare(reader, &name, &theirs, &ours)),
                Some(Err(e)) => wrong.push(format!("{name}: {reader}: {e}")),
                None => {}
            }
        }
    }
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
}
