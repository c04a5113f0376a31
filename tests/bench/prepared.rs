//! What a size is measured on: made once, and kept under target/bench.

use super::figures;
use super::jobs::{FLAT, FLAT_DOUBLE, Job, Place};
use super::mailbox::{self, Layout, Made, RECIPE};
use super::options::{self, Options};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const PST: &str = env!("CARGO_BIN_EXE_pst");
/// Up to this size there is a Maildir, and trees of many files may stay for a round.
const SMALL: u64 = 4_000_000_000;

/// The mailbox of one size, and the jobs on it.
pub struct Prepared {
    pub place: Place,
    pub made: Made,
    pub pst_bytes: u64,
    /// An mbox of it, where one stays.
    pub mbox: Option<PathBuf>,
    pub pst: PathBuf,
    pub jobs: Vec<Job>,
    /// Trees of many files may stay for a round.
    pub trees: bool,
}

/// Makes what is not there yet.
pub fn prepare(folder: &Path, size: &str, options: &Options) -> Prepared {
    let here = folder.join(size);
    if options.fresh {
        let _ = fs::remove_dir_all(&here);
    }
    fs::create_dir_all(&here).unwrap();
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get());
    let place = Place { scratch: here.join("out"), folder: here, messages: 0, threads };
    if size == "flat" { flat(place) } else { grown(place, options::bytes(size)) }
}

/// A mailbox that has grown week by week.
fn grown(place: Place, size: u64) -> Prepared {
    let (mail, pst) = (place.folder.join("mail"), place.folder.join("mail.pst"));
    let maildir = (size <= SMALL).then(|| place.folder.join("Maildir"));
    let known = known(&place.folder);
    let space = |trees| figures::space(size, known.is_some(), maildir.is_some(), trees);
    let trees = size <= SMALL && free(&place.folder).is_none_or(|free| free >= space(true));
    needs(&place.folder, space(trees));
    let made = known.unwrap_or_else(|| {
        let weeks = place.folder.join("weeks");
        for top in [Some(&mail), Some(&weeks), maildir.as_ref()].into_iter().flatten() {
            let _ = fs::remove_dir_all(top);
        }
        mailbox::make(Layout::Weeks(&weeks), size).unwrap();
        convert(&mailbox::weeks(&weeks), &pst);
        fs::remove_dir_all(weeks).unwrap();
        let made = mailbox::make(Layout::Whole(&mail, maildir.as_deref()), size).unwrap();
        keep(&place.folder, &made);
        made
    });
    let place = Place { messages: made.messages, ..place };
    let jobs = place.jobs(&mail, maildir.as_deref(), made.bytes, &pst);
    let (mbox, pst_bytes) = (Some(mail.join("Sent")), fs::metadata(&pst).unwrap().len());
    Prepared { place, made, pst_bytes, mbox, pst, jobs, trees }
}

/// Two PSTs, each with one large folder.
fn flat(place: Place) -> Prepared {
    let path = |name: &str| place.folder.join(name);
    let sizes = [(FLAT, 100_000), (FLAT_DOUBLE, 200_000)];
    let known = known(&place.folder);
    needs(&place.folder, if known.is_some() { 1 << 30 } else { 4 << 30 });
    let made = known.unwrap_or_else(|| {
        let mut made = Made::default();
        for (_, messages) in sizes {
            let mbox = path(&format!("{messages}/Inbox"));
            fs::create_dir_all(mbox.parent().unwrap()).unwrap();
            made = mailbox::make_flat(&mbox, messages).unwrap();
            convert(&[path(&messages.to_string())], &path(&format!("{messages}.pst")));
            fs::remove_dir_all(path(&messages.to_string())).unwrap();
        }
        keep(&place.folder, &made);
        made
    });
    let jobs = sizes.into_iter().flat_map(|(job, messages)| {
        Place { messages, ..place.clone() }.flat_jobs(job, &path(&format!("{messages}.pst")))
    });
    let pst = path("200000.pst");
    let pst_bytes = fs::metadata(&pst).unwrap().len();
    Prepared { made, pst_bytes, mbox: None, pst, jobs: jobs.collect(), trees: false, place: place.clone() }
}

fn convert(from: &[PathBuf], pst: &Path) {
    let mut command = Command::new(PST);
    command.args(["convert", "--overwrite", "--target-root", "/"]).args(from).arg(pst);
    let status = command.status().unwrap();
    assert!(status.success(), "{command:?}: {status}");
}

/// What was made before by the same recipe.
fn known(folder: &Path) -> Option<Made> {
    let made: Made = serde_json::from_slice(&fs::read(folder.join("made.json")).ok()?).ok()?;
    (made.recipe == RECIPE).then_some(made)
}

fn keep(folder: &Path, made: &Made) {
    fs::write(folder.join("made.json"), serde_json::to_string(made).unwrap()).unwrap();
    eprintln!("made {} messages in {} folders, {} MB", made.messages, made.folders, made.bytes / 1_000_000);
}

/// Says how much room a run needs, and ends it where there is less.
fn needs(folder: &Path, bytes: u64) {
    let gb = |bytes: u64| format!("{:.1} GB", bytes as f64 / 1e9);
    let free = free(folder);
    let there = free.map_or_else(|| "unknown".to_owned(), gb);
    eprintln!("{}: at most {} are needed, free: {there}", folder.display(), gb(bytes));
    assert!(free.is_none_or(|free| free >= bytes), "there is not enough room");
}

/// Bytes that are free where a folder is.
fn free(folder: &Path) -> Option<u64> {
    let out = Command::new("df").args(["--output=avail", "-B1"]).arg(folder).output().ok()?;
    String::from_utf8_lossy(&out.stdout).lines().nth(1)?.trim().parse().ok()
}
