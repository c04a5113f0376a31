//! The measure itself: on files that Outlook made, the independent readers and ours say the same.

use super::oracle::{self, Listing};
use super::support::{corpus, files};

/// What other readers say otherwise, and why that is not ours to follow.
const EXCEPTIONS: &[(&str, &str, &str)] = &[];

fn excepted(reader: &str, name: &str) -> bool {
    EXCEPTIONS.iter().any(|(r, n, _)| *r == reader && name.contains(n))
}

fn compare(reader: &str, name: &str, theirs: &Listing, ours: &Listing) -> Vec<String> {
    let mut wrong = Vec::new();
    for folder in ours {
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
    let Some(folder) = corpus("pst") else { return };
    let mut wrong = Vec::new();
    for file in files(&folder, &[".pst", ".ost"]) {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let ours = oracle::ours(&file);
        let readers = [("libpff", oracle::libpff(&file)), ("outlook-pst", oracle::outlook_pst(&file).map_err(|e| e.to_string()).into())];
        for (reader, theirs) in readers {
            match theirs {
                Some(Ok(theirs)) => wrong.extend(compare(reader, &name, &theirs, &ours)),
                Some(Err(e)) => wrong.push(format!("{name}: {reader}: {e}")),
                None => {}
            }
        }
    }
    wrong.retain(|w| !EXCEPTIONS.iter().any(|(reader, name, _)| w.contains(reader) && w.contains(name)));
    let _ = excepted;
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
}
