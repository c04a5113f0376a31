//! Trees of files that programs write: what is counted in them, how two are compared, and how fast the machine makes such
//! files at all.

use pst_core::ndb::crc::crc;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::thread;

/// The first argument of the process that makes files; the list, the folder and the number of threads follow.
pub const CREATE: &str = "create";

/// All files below a folder.
pub fn files(top: &Path) -> Vec<PathBuf> {
    let mut out = Vec::new();
    let mut todo = vec![top.to_path_buf()];
    while let Some(at) = todo.pop() {
        for entry in fs::read_dir(at).unwrap().map(Result::unwrap) {
            match entry.file_type().unwrap().is_dir() {
                true => todo.push(entry.path()),
                false => out.push(entry.path()),
            }
        }
    }
    out
}

/// Files with this ending.
pub fn with_ending(top: &Path, ending: &str) -> u64 {
    files(top).iter().filter(|f| f.extension().is_some_and(|e| e == ending)).count() as u64
}

/// Messages of a tree as pffexport writes it, those inside messages left out.
pub fn exported(top: &Path) -> u64 {
    let mut count = 0;
    let mut todo = vec![top.to_path_buf()];
    while let Some(at) = todo.pop() {
        for entry in fs::read_dir(at).unwrap().map(Result::unwrap).filter(|e| e.file_type().unwrap().is_dir()) {
            let name = entry.file_name().to_string_lossy().into_owned();
            match name.strip_prefix("Message") {
                Some(number) if number.bytes().all(|b| b.is_ascii_digit()) => count += 1,
                _ => todo.push(entry.path()),
            }
        }
    }
    count
}

/// Lines of mboxes that begin with "From ", as readpst writes them.
pub fn separators(top: &Path) -> u64 {
    let count = |path: &PathBuf| {
        let mut reader = BufReader::with_capacity(1 << 20, File::open(path).unwrap());
        let (mut line, mut count) = (Vec::new(), 0);
        while reader.read_until(b'\n', &mut line).unwrap() > 0 {
            count += u64::from(line.starts_with(b"From "));
            line.clear();
        }
        count
    };
    files(top).iter().map(count).sum()
}

/// Names, sizes and contents of a tree in one number, and a list of its files with their sizes.
pub fn digest(top: &Path) -> (String, String) {
    let mut all = files(top);
    all.sort();
    let (mut hash, mut list) = (Sha256::new(), String::new());
    for path in &all {
        let bytes = fs::read(path).unwrap();
        let name = path.strip_prefix(top).unwrap().to_str().expect("a path in UTF-8");
        hash.update(format!("{name}\0{} {:08x}\n", bytes.len(), crc(&bytes)));
        writeln!(list, "{} {name}", bytes.len()).unwrap();
    }
    (hash.finalize().iter().map(|b| format!("{b:02x}")).collect(), list)
}

/// Makes files of the sizes of a list, as fast as the machine can: each thread a run of them, in order.
pub fn create(args: &[String]) {
    let list = fs::read_to_string(&args[0]).unwrap();
    let top = Path::new(&args[1]);
    let threads: usize = args[2].parse().unwrap();
    let files: Vec<(usize, PathBuf)> =
        list.lines().filter_map(|l| l.split_once(' ')).map(|(n, name)| (n.parse().unwrap(), top.join(name))).collect();
    let most = files.iter().map(|(n, _)| *n).max().unwrap_or_default();
    let bytes = vec![b'x'; most];
    let mut last = None;
    for (_, path) in &files {
        let parent = path.parent();
        if parent != last {
            fs::create_dir_all(parent.unwrap()).unwrap();
            last = parent;
        }
    }
    thread::scope(|scope| {
        for some in files.chunks(files.len().div_ceil(threads).max(1)) {
            let bytes = &bytes;
            scope.spawn(move || {
                for (n, path) in some {
                    File::create_new(path).unwrap().write_all(&bytes[..*n]).unwrap();
                }
            });
        }
    });
    println!("{}", files.len());
}
