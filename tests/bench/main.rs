//! How fast `pst` is, beside its peers: `cargo bench-peers [--size 200M|1G|2G|20G] [--rounds N] [--no-peers]`.
//!
//! Makes a mailbox and a PST of it, runs every conversion in turn, `pst` and the peers that are installed, and prints a
//! table, which also goes to target/bench/report.md. Not a test: it fails only where counts do not agree or a run of
//! ours fails.

#![allow(clippy::pedantic, reason = "a benchmark is read, not called")]
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

#[path = "../support/charsets.rs"]
#[allow(dead_code, reason = "some of its charsets are enough")]
mod charsets;
#[path = "../support/generate/encodings.rs"]
mod encodings;
mod limits;
mod mailbox;
mod measure;
mod report;
#[path = "../support/seeded.rs"]
mod seeded;
mod texts;

use report::Line;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const PST: &str = env!("CARGO_BIN_EXE_pst");

fn main() {
    let options = Options::parse(std::env::args().skip(1));
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/bench").join(&options.name);
    fs::create_dir_all(&folder).unwrap();
    let folder = folder.canonicalize().unwrap();
    let (mail, pst, scratch) = (folder.join("mail"), folder.join("mail.pst"), folder.join("out"));
    let _ = fs::remove_dir_all(&mail);
    let _ = fs::remove_dir_all(folder.join("later"));
    let made = mailbox::make(&mail, options.size).unwrap();
    eprintln!("made {} messages in {} folders, {} MB", made.messages, made.folders, made.bytes / 1_000_000);
    let months = mailbox::months(&mail);
    let mut grow = Command::new(PST);
    grow.args(["convert", "--overwrite", "--target-root", "/"]).args(&months).arg(&pst);
    let status = grow.status().unwrap();
    assert!(status.success(), "{grow:?}: {status}");
    let pst_bytes = fs::metadata(&pst).unwrap().len();

    let mut lines = Vec::new();
    for job in jobs(&months, &pst, &scratch) {
        let bytes = if job.from_mail { made.bytes } else { pst_bytes };
        if !job.ours && (!options.peers || !installed(job.program[0])) {
            let why = if options.peers { "is not installed" } else { "was not asked for" };
            eprintln!("skipped: {} {why}", job.program[0]);
            continue;
        }
        let line = Line {
            job: job.name,
            program: job.title(),
            bytes,
            messages: made.messages,
            found: None,
            costs: vec![],
            trouble: None,
        };
        lines.push((job, line));
    }
    for round in 1..=options.rounds {
        for (job, line) in lines.iter_mut().filter(|(_, l)| l.trouble.is_none()) {
            eprintln!("round {round} of {}: {}, {}", options.rounds, job.name, job.title());
            job.once(&scratch, &folder.join("later").join(format!("{round} {}", line.program)), line);
        }
    }
    let _ = fs::remove_dir_all(folder.join("later"));
    let lines: Vec<Line> = lines.into_iter().map(|(_, line)| line).collect();
    let mut out = format!(
        "# {} messages (median {:.1} KB) in {} folders: mbox {:.0} MB, PST {:.0} MB; {} processors, medians of {} rounds\n\n",
        made.messages,
        made.median as f64 / 1e3,
        made.folders,
        made.bytes as f64 / 1e6,
        pst_bytes as f64 / 1e6,
        std::thread::available_parallelism().map_or(1, |n| n.get()),
        options.rounds,
    );
    out.push_str(&report::table(&lines));
    out.push_str("\nThis machine, one core:\n\n");
    for (name, rate) in limits::all(&pst, &folder).unwrap() {
        out.push_str(&format!("- {name}: {rate:.0} MB/s\n"));
    }
    println!("{out}");
    fs::write(folder.join("../report.md"), out).unwrap();
    for line in lines.iter().filter(|l| l.program.starts_with("pst ")) {
        assert!(line.trouble.is_none(), "{}: {}", line.job, line.trouble.as_deref().unwrap_or_default());
        assert!(line.found.is_none_or(|n| n == line.messages), "{}: not all messages came out", line.job);
    }
}

struct Options {
    name: String,
    size: u64,
    rounds: usize,
    peers: bool,
}

impl Options {
    fn parse(args: impl Iterator<Item = String>) -> Self {
        let mut out = Self { name: "1G".to_owned(), size: 1_000_000_000, rounds: 3, peers: true };
        let mut args = args.filter(|a| a != "--bench");
        while let Some(arg) = args.next() {
            let mut value = || args.next().unwrap_or_else(|| panic!("{arg} needs a value"));
            match arg.as_str() {
                "--size" => {
                    out.name = value();
                    let (digits, unit) = out.name.split_at(out.name.len() - 1);
                    let unit = match unit {
                        "M" => 1_000_000,
                        "G" => 1_000_000_000,
                        _ => panic!("a size is a number and M or G"),
                    };
                    out.size = digits.parse::<u64>().expect("a size is a number and M or G") * unit;
                }
                "--rounds" => out.rounds = value().parse().expect("a number of rounds"),
                "--no-peers" => out.peers = false,
                _ => panic!("usage: cargo bench-peers [--size 200M|1G|2G|20G] [--rounds N] [--no-peers]"),
            }
        }
        out
    }
}

/// How the messages that came out are counted.
#[derive(Clone, Copy, PartialEq)]
enum Count {
    /// `pst` says it as JSON.
    Told,
    /// Separator lines of mboxes.
    Mbox,
    /// eml files.
    Files,
    /// Lines of lspst.
    Listed,
    Not,
}

struct Job {
    name: &'static str,
    ours: bool,
    from_mail: bool,
    program: Vec<&'static str>,
    args: Vec<String>,
    count: Count,
}

fn jobs(mail: &[PathBuf], pst: &Path, scratch: &Path) -> Vec<Job> {
    let to = |kind: &str| format!("{kind}:{}", scratch.join("t").display());
    let ours = |name, command, inputs: &[PathBuf], target: Option<&str>, more: &[&str]| {
        let mut args: Vec<String> = inputs.iter().map(|p| text(p).to_owned()).collect();
        args.extend(target.map(to));
        args.extend(more.iter().map(|a| (*a).to_owned()));
        let count = if target.is_some() { Count::Told } else { Count::Not };
        Job { name, ours: true, from_mail: inputs == mail, program: vec![command], args, count }
    };
    let peer = |name, program: &[&'static str], count| {
        let mut args: Vec<String> = Vec::new();
        if program[0] == "readpst" {
            args = ["-q", "-o"].map(str::to_owned).to_vec();
            args.push(text(scratch).to_owned());
        }
        args.push(text(pst).to_owned());
        Job { name, ours: false, from_mail: false, program: program.to_vec(), args, count }
    };
    let merge = &["--json", "--target-root", "/"][..];
    let json = &["--json"][..];
    let pst = &[pst.to_path_buf()][..];
    vec![
        ours("mbox to PST", "convert", mail, Some("pst"), merge),
        ours("PST to mbox", "convert", pst, Some("mbox"), json),
        peer("PST to mbox", &["readpst", "-r", "-j", "0"], Count::Mbox),
        peer("PST to mbox", &["readpst", "-r"], Count::Mbox),
        ours("PST to PST", "convert", pst, Some("pst"), json),
        ours("PST to PST, nothing written", "convert", pst, Some("pst"), &["--json", "--dry-run"]),
        ours(
            "mbox to PST, nothing written",
            "convert",
            mail,
            Some("pst"),
            &["--json", "--dry-run", "--target-root", "/"],
        ),
        ours("list of folders", "ls", pst, None, &[]),
        // Both look at every item: for class and date, and for sender and subject.
        ours("open and count", "info", pst, None, &[]),
        peer("open and count", &["lspst"], Count::Listed),
        // Last, because many files stay in memory.
        ours("PST to eml", "convert", pst, Some("eml"), json),
        peer("PST to eml", &["readpst", "-e", "-j", "0"], Count::Files),
        peer("PST to eml", &["readpst", "-e"], Count::Files),
    ]
}

impl Job {
    fn title(&self) -> String {
        let dry = self.args.iter().any(|a| a == "--dry-run");
        let words = self.program.join(" ");
        if self.ours { format!("pst {words}{}", if dry { " --dry-run" } else { "" }) } else { words }
    }

    /// Runs the job once more, in an empty folder, with nothing left to be written by others. What it wrote is deleted at
    /// once; trees of many files are put aside for the end, because ext4 makes new files slowly for minutes after many
    /// were deleted.
    fn once(&self, scratch: &Path, later: &Path, line: &mut Line) {
        let _ = fs::remove_dir_all(scratch);
        fs::create_dir_all(scratch).unwrap();
        let _ = Command::new("sync").status();
        let mut command = if self.ours { Command::new(PST) } else { Command::new(self.program[0]) };
        command.args(&self.program[usize::from(!self.ours)..]).args(&self.args);
        match measure::run(&mut command) {
            Ok((cost, output)) => {
                line.costs.push(cost);
                if let Some(found) = self.found(scratch, &output) {
                    line.found = Some(line.found.map_or(found, |n| n.min(found)));
                }
            }
            Err(why) => line.trouble = Some(why),
        }
        if self.name == "PST to eml" {
            fs::create_dir_all(later.parent().unwrap()).unwrap();
            fs::rename(scratch, later).unwrap();
        }
        let _ = fs::remove_dir_all(scratch);
    }

    fn found(&self, scratch: &Path, output: &[u8]) -> Option<u64> {
        let text = || String::from_utf8_lossy(output).into_owned();
        match self.count {
            Count::Told => serde_json::from_str::<serde_json::Value>(&text()).ok()?["written"].as_u64(),
            Count::Listed => Some(text().lines().filter(|l| l.starts_with("Email")).count() as u64),
            Count::Mbox => Some(files(scratch).iter().map(|f| separators(f)).sum()),
            Count::Files => {
                Some(files(scratch).iter().filter(|f| f.extension().is_some_and(|e| e == "eml")).count() as u64)
            }
            Count::Not => None,
        }
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

fn installed(program: &str) -> bool {
    std::env::var_os("PATH").is_some_and(|p| std::env::split_paths(&p).any(|d| d.join(program).is_file()))
}

fn files(top: &Path) -> Vec<PathBuf> {
    let mut out = Vec::new();
    let mut todo = vec![top.to_path_buf()];
    while let Some(at) = todo.pop() {
        for entry in fs::read_dir(at).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { todo.push(path) } else { out.push(path) }
        }
    }
    out
}

/// Lines of an mbox that begin with "From ", as readpst writes them.
fn separators(path: &Path) -> u64 {
    use std::io::{BufRead, BufReader};
    let mut reader = BufReader::with_capacity(1 << 20, fs::File::open(path).unwrap());
    let (mut line, mut count) = (Vec::new(), 0);
    while reader.read_until(b'\n', &mut line).unwrap() > 0 {
        count += u64::from(line.starts_with(b"From "));
        line.clear();
    }
    count
}
