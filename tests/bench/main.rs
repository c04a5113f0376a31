//! How fast `pst` is, beside its peers and the machine: `cargo bench-peers [--size 200M|2G|20G|flat]... [--rounds N]
//! [--peer-rounds N] [--limit SECONDS] [--only WORDS]... [--fresh] [--no-peers]`; without a size, 200M and 2G.
//!
//! Makes a mailbox once for each size (mbox, Maildir up to 4 GB, PST; "flat" is two PSTs with one large folder), runs every
//! job in turn, by `pst`, by the peers, which it installs where that is permitted, and at the limits of the machine. For each
//! size the table goes to target/bench/SIZE.md, a chart to SIZE.svg, the figures to SIZE.json; what shall be reached, over
//! all sizes that were measured, is printed at the end and goes to target/bench/goals.md. Not a test: it fails only where
//! counts do not agree or a run of ours fails.

#![allow(clippy::pedantic, reason = "a benchmark is read, not called")]
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod aims;
#[path = "../support/charsets.rs"]
#[allow(dead_code, reason = "some of its charsets are enough")]
mod charsets;
mod chart;
#[path = "../support/generate/encodings.rs"]
mod encodings;
mod figures;
mod jobs;
mod limits;
mod mailbox;
mod maker;
mod measure;
mod options;
mod prepared;
mod report;
#[path = "../support/seeded.rs"]
mod seeded;
mod texts;
mod tree;
mod walk;

use figures::Figures;
use jobs::{Job, OUTLOOK_WALK, Trees, our_walk};
use options::Options;
use prepared::Prepared;
use std::fs;
use std::path::Path;
use std::process::Command;

/// The allocator of `pst`: both walks are measured in a process like it.
#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.split_first() {
        Some((kind, rest)) if kind == walk::OURS || kind == walk::THEIRS => return walk::main(kind, rest),
        Some((kind, rest)) if kind == tree::CREATE => return tree::create(rest),
        _ => {}
    }
    let options = Options::parse(&args);
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    if options.peers {
        let install = root.join("tests/install");
        let _ = Command::new("bash").arg(install).args(["readpst:pst-utils", "pffexport:pff-tools"]).status();
    }
    let folder = root.join("target/bench");
    fs::create_dir_all(&folder).unwrap();
    let folder = folder.canonicalize().unwrap();
    let wrong: Vec<String> = options.sizes.iter().flat_map(|size| run(&folder, size, &options)).collect();
    let goals = format!("# What shall be reached\n\n{}", aims::Aims::load(&folder).list());
    println!("{goals}");
    fs::write(folder.join("goals.md"), goals).unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Measures one size; what did not go as it must is returned.
fn run(folder: &Path, size: &str, options: &Options) -> Vec<String> {
    let Prepared { place, made, pst_bytes, mbox, pst, mut jobs, trees } = prepared::prepare(folder, size, options);
    let mut trees = Trees { aside: place.folder.join("later"), room: trees };
    trees.clear();
    jobs.iter_mut().for_each(|job| job.line.trouble = job.skipped(options).map(str::to_owned));
    for job in jobs.iter().filter(|j| j.line.trouble.is_some()) {
        eprintln!("skipped: {} {}", job.line.program, job.line.trouble.as_deref().unwrap_or_default());
    }
    for round in 1..=options.rounds.max(options.peer_rounds) {
        for job in jobs.iter_mut().filter(|j| j.line.trouble.is_none() && options.wants(&j.line.job)) {
            if round <= if job.slow { options.peer_rounds } else { options.rounds } {
                eprintln!("{size}, round {round}: {}, {}", job.line.job, job.line.program);
                job.once(&place, options, &mut trees);
            }
        }
        trees.clear();
    }
    let wrong = compare_walks(&mut jobs).into_iter().chain(jobs.iter().filter_map(Job::wrong)).collect();
    let before = Figures::load(folder, size).filter(|f| f.made.recipe == made.recipe).unwrap_or_default();
    let limits = match mbox {
        Some(mbox) if options.wants(limits::NAME) || before.limits.is_empty() => {
            limits::all(&mbox, &pst, &place.folder).unwrap()
        }
        _ => before.limits.clone(),
    };
    let lines = jobs.into_iter().map(|job| job.line).map(|line| match before.any(&line.job, &line.program) {
        Some(earlier) if !options.wants(&line.job) => earlier.clone(),
        _ => line,
    });
    let figures = Figures { made, pst_bytes, threads: place.threads, lines: lines.collect(), limits };
    figures.save(folder, size);
    let report = figures.report(options.rounds);
    println!("{report}");
    fs::write(folder.join(format!("{size}.md")), report).unwrap();
    fs::write(folder.join(format!("{size}.svg")), chart::draw(size, &figures.lines)).unwrap();
    wrong
}

/// Notes what the walks found, and where they disagree.
fn compare_walks(jobs: &mut [Job]) -> Option<String> {
    let tally = |program: &str| jobs.iter().find(|j| j.line.program == program)?.tally;
    let ours = tally(&our_walk(1))?;
    let again = jobs.iter().filter(|j| j.ours()).filter_map(|j| j.tally);
    if again.into_iter().any(|other| other != ours) {
        return Some("the walks on one and on more threads find different things".to_owned());
    }
    let theirs = tally(OUTLOOK_WALK)?;
    let agrees = ours.agrees(&theirs);
    let line = jobs.iter_mut().map(|j| &mut j.line).find(|l| l.program == OUTLOOK_WALK)?;
    line.note = Some(format!(
        "{} of {} messages inside messages could not be read ({:.1} MB left out); {} recipients, {} attachments and {} bytes \
         beside them are {}",
        theirs.unread,
        ours.inside,
        ours.bytes_inside as f64 / 1e6,
        theirs.recipients,
        theirs.attachments,
        theirs.bytes,
        if agrees {
            "what the walk with pst-core finds, too".to_owned()
        } else {
            format!("not what it finds: {ours:?}")
        },
    ));
    (!agrees).then(|| format!("the walks differ: {ours:?}, {theirs:?}"))
}
