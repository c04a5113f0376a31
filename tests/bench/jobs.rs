//! What is measured: each job, by `pst` and by its peers, and how one is run.

use super::measure;
use super::options::Options;
use super::report::Line;
use super::tree;
use super::walk::{self, Tally};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const PST: &str = env!("CARGO_BIN_EXE_pst");

pub const WALK: &str = "every property, body and file";
pub const LOOK: &str = "a look at every item";
pub const TO_MBOX: &str = "PST to mbox";
pub const TO_EML: &str = "PST to eml";
pub const TO_MAILDIR: &str = "PST to Maildir";
pub const ATTACHMENTS: &str = "attachments alone";
pub const TO_PST: &str = "PST to PST";
pub const FROM_MBOX: &str = "mbox to PST";
pub const FROM_MAILDIR: &str = "Maildir to PST";
pub const CHECK: &str = "check, every rule";
pub const FLAT: &str = "list of one folder of 100,000";
pub const FLAT_DOUBLE: &str = "list of one folder of 200,000";

pub const CONVERT: &str = "pst convert";
pub const ONE_THREAD: &str = "pst convert --threads 1";
pub const OUTLOOK_WALK: &str = "outlook-pst, walk";
pub const COPIED: &str = "cp";

/// The program that walks with our library, on this many threads.
pub fn our_walk(threads: usize) -> String {
    format!("pst-core, walk on {}", on(threads))
}

/// The program that makes files of the same sizes and does nothing else, on this many threads.
pub fn created(threads: usize) -> String {
    format!("such files alone, on {}", on(threads))
}

fn on(threads: usize) -> String {
    format!("{threads} {}", if threads == 1 { "thread" } else { "threads" })
}

/// How the messages that came out are counted.
#[derive(Clone, Copy, PartialEq)]
pub enum Count {
    /// `pst` says it as JSON.
    Told,
    /// Separator lines of mboxes.
    Mbox,
    /// Files.
    Files,
    /// Files that end in .eml.
    Eml,
    /// Folders of pffexport.
    Exported,
    /// Lines of lspst.
    Listed,
    /// Lines, one for each message.
    Lines,
    /// A walk says it.
    Walked,
    Not,
}

/// A file of the mailbox, and where the runs of a job go.
#[derive(Clone)]
pub struct Place {
    pub folder: PathBuf,
    pub scratch: PathBuf,
    pub messages: u64,
    pub threads: usize,
}

pub struct Job {
    pub line: Line,
    /// A program of others that has to be there.
    pub needs: Option<&'static str>,
    pub count: Count,
    /// Many files come out, which may differ from those of another run.
    pub compared: bool,
    /// In fewer rounds.
    pub slow: bool,
    /// What a walk found last.
    pub tally: Option<Tally>,
    command: Vec<String>,
}

impl Place {
    fn job(&self, job: &'static str, program: &str, bytes: u64, count: Count, command: &[&str]) -> Job {
        let line = Line {
            job: job.to_owned(),
            program: program.to_owned(),
            bytes,
            messages: self.messages,
            ..Line::default()
        };
        let command = command.iter().map(|a| (*a).to_owned()).collect();
        Job { line, needs: None, count, compared: false, slow: false, tally: None, command }
    }

    fn target(&self) -> String {
        text(&self.scratch.join("t")).to_owned()
    }

    /// A conversion of ours, whose program is named without the paths.
    pub fn convert(&self, job: &'static str, bytes: u64, from: &[PathBuf], kind: &str, more: &[&str]) -> Job {
        let target = format!("{kind}:{}", self.target());
        let mut command = vec![PST, "convert", "--json"];
        command.extend(from.iter().map(|p| text(p)));
        command.push(&target);
        command.extend(more);
        let told: Vec<&str> = more.iter().filter(|m| !["--target-root", "/"].contains(m)).copied().collect();
        let program = [&[CONVERT], &told[..]].concat().join(" ");
        self.job(job, &program, bytes, Count::Told, &command)
    }

    /// `readpst`, with these options.
    fn readpst(&self, job: &'static str, bytes: u64, options: &str, count: Count, pst: &Path) -> Job {
        let scratch = text(&self.scratch);
        let mut command: Vec<&str> = vec!["readpst"];
        command.extend(options.split(' '));
        command.extend(["-q", "-o", scratch, text(pst)]);
        Job {
            needs: Some("readpst"),
            slow: true,
            ..self.job(job, &format!("readpst {options}"), bytes, count, &command)
        }
    }

    /// All that is measured on a mailbox.
    pub fn jobs(&self, mail: &Path, maildir: Option<&Path>, mail_bytes: u64, pst: &Path) -> Vec<Job> {
        let bytes = fs::metadata(pst).unwrap().len();
        let (file, one) = (text(pst), [pst.to_path_buf()]);
        let (merge, mail) = (["--target-root", "/"], [mail.to_path_buf()]);
        let mut out = self.reading(bytes, file);
        out.extend([
            self.convert(TO_MBOX, bytes, &one, "mbox", &[]),
            self.readpst(TO_MBOX, bytes, "-r -j 0", Count::Mbox, pst),
            self.readpst(TO_MBOX, bytes, "-r", Count::Mbox, pst),
        ]);
        out.extend([
            self.convert(TO_PST, bytes, &one, "pst", &[]),
            self.job(TO_PST, COPIED, bytes, Count::Not, &["cp", file, &self.target()]),
            self.job(
                TO_PST,
                "cp, sync",
                bytes,
                Count::Not,
                &["sh", "-c", "cp \"$1\" \"$2\" && sync \"$2\"", "sh", file, &self.target()],
            ),
            self.convert(TO_PST, bytes, &one, "pst", &["--dry-run"]),
            self.convert(FROM_MBOX, mail_bytes, &mail, "pst", &merge),
            self.convert(FROM_MBOX, mail_bytes, &mail, "pst", &[&merge[..], &["--dry-run"]].concat()),
        ]);
        let maildir = maildir.map(Path::to_path_buf);
        out.extend(maildir.map(|top| self.convert(FROM_MAILDIR, mail_bytes, &[top], "pst", &merge)));
        // Last, because many files stay in memory.
        out.extend(self.files(bytes, pst));
        out
    }

    fn reading(&self, bytes: u64, file: &str) -> Vec<Job> {
        let this = std::env::current_exe().unwrap();
        let walk = |threads: usize| {
            let count = threads.to_string();
            self.job(WALK, &our_walk(threads), bytes, Count::Walked, &[text(&this), walk::OURS, file, &count])
        };
        let mut out = vec![walk(1)];
        if self.threads > 1 {
            out.push(walk(self.threads));
        }
        let theirs = self.job(WALK, OUTLOOK_WALK, bytes, Count::Walked, &[text(&this), walk::THEIRS, file]);
        out.push(Job { slow: true, ..theirs });
        let lspst = self.job(LOOK, "lspst", bytes, Count::Listed, &["lspst", file]);
        out.extend([
            self.job(LOOK, "pst info", bytes, Count::Not, &[PST, "info", file]),
            Job { needs: Some("lspst"), slow: true, ..lspst },
            self.job(CHECK, "pst check", bytes, Count::Not, &[PST, "check", file]),
        ]);
        out
    }

    fn files(&self, bytes: u64, pst: &Path) -> Vec<Job> {
        let (one, file) = ([pst.to_path_buf()], text(pst));
        let this = std::env::current_exe().unwrap();
        let (list, target) = (self.folder.join("files.txt"), self.target());
        let alone = |threads: usize| {
            let command = [text(&this), tree::CREATE, text(&list), &target, &threads.to_string()];
            self.job(TO_EML, &created(threads), bytes, Count::Not, &command)
        };
        let exported = self.job(
            TO_EML,
            "pffexport -f all",
            bytes,
            Count::Exported,
            &["pffexport", "-q", "-f", "all", "-m", "items", "-t", &target, file],
        );
        let attachments = [PST, "convert", "--json", file, "--attachments", &target];
        vec![
            Job { compared: true, ..self.convert(TO_EML, bytes, &one, "eml", &[]) },
            alone(self.threads),
            Job { compared: true, ..self.convert(TO_EML, bytes, &one, "eml", &["--threads", "1"]) },
            alone(1),
            self.readpst(TO_EML, bytes, "-e -j 0", Count::Eml, pst),
            self.readpst(TO_EML, bytes, "-e", Count::Eml, pst),
            Job { needs: Some("pffexport"), slow: true, ..exported },
            self.convert(TO_MAILDIR, bytes, &one, "maildir", &[]),
            self.readpst(TO_MAILDIR, bytes, "-M -j 0", Count::Files, pst),
            self.job(ATTACHMENTS, "pst convert --attachments", bytes, Count::Not, &attachments),
            self.readpst(ATTACHMENTS, bytes, "-S -j 0", Count::Not, pst),
        ]
    }

    /// What is measured on a PST with one large folder.
    pub fn flat_jobs(&self, job: &'static str, pst: &Path) -> Vec<Job> {
        let (bytes, file) = (fs::metadata(pst).unwrap().len(), text(pst));
        let peer = |program: &'static str, count| Job {
            needs: Some(program),
            slow: true,
            ..self.job(job, program, bytes, count, &[program, file])
        };
        vec![
            self.job(job, "pst ls", bytes, Count::Lines, &[PST, "ls", file, "#Inbox#"]),
            peer("lspst", Count::Listed),
            peer("pffinfo", Count::Not),
        ]
    }
}

impl Job {
    pub fn ours(&self) -> bool {
        self.line.program.starts_with("pst")
    }

    /// Why it is not run, if it is not.
    pub fn skipped(&self, options: &Options) -> Option<&'static str> {
        match self.needs {
            Some(_) if !options.peers => Some("was not asked for"),
            Some(program) if !installed(program) => Some("is not installed"),
            _ => None,
        }
    }

    /// What did not go as it must, in a job of ours.
    pub fn wrong(&self) -> Option<String> {
        let Line { job, program, found, messages, trouble, .. } = &self.line;
        if !self.ours() {
            return None;
        }
        match (trouble, found) {
            (Some(why), _) => Some(format!("{job}, {program}: {why}")),
            (None, Some(n)) if n != messages => Some(format!("{job}, {program}: {n} of {messages} messages came out")),
            _ => None,
        }
    }

    /// Runs the job once more, in an empty folder, with nothing left to be written by others.
    pub fn once(&mut self, place: &Place, options: &Options, trees: &mut Trees) {
        let scratch = &place.scratch;
        let _ = fs::remove_dir_all(scratch);
        fs::create_dir_all(scratch).unwrap();
        let _ = Command::new("sync").status();
        let mut command = Command::new(&self.command[0]);
        command.args(&self.command[1..]);
        match measure::run_within(&mut command, options.limit) {
            Ok((cost, output)) => {
                self.line.costs.push(cost);
                self.look(place, &output);
            }
            Err(why) => self.line.trouble = Some(why),
        }
        trees.put_away(scratch, &self.line);
    }

    /// Counts what came out, and compares it.
    fn look(&mut self, place: &Place, output: &[u8]) {
        if let Some(found) = self.found(&place.scratch, output) {
            self.line.found = Some(self.line.found.map_or(found, |n| n.min(found)));
        }
        if self.count == Count::Walked {
            self.tally = serde_json::from_slice(output).ok();
        }
        if self.compared && self.line.digest.is_none() {
            let (digest, list) = tree::digest(&place.scratch.join("t"));
            self.line.digest = Some(digest);
            fs::write(place.folder.join("files.txt"), list).unwrap();
        }
    }

    fn found(&self, scratch: &Path, output: &[u8]) -> Option<u64> {
        let text = || String::from_utf8_lossy(output).into_owned();
        match self.count {
            Count::Told => serde_json::from_str::<serde_json::Value>(&text()).ok()?["written"].as_u64(),
            Count::Listed => Some(text().lines().filter(|l| l.starts_with("Email")).count() as u64),
            Count::Lines => Some(text().lines().count() as u64),
            Count::Walked => Some(serde_json::from_str::<Tally>(&text()).ok()?.messages),
            Count::Mbox => Some(tree::separators(scratch)),
            Count::Files => Some(tree::files(scratch).len() as u64),
            Count::Eml => Some(tree::with_ending(scratch, "eml")),
            Count::Exported => Some(tree::exported(scratch)),
            Count::Not => None,
        }
    }
}

/// Trees of many files, put aside until the end of a round where there is room: ext4 makes new files slowly for minutes
/// after many were deleted.
pub struct Trees {
    pub aside: PathBuf,
    pub room: bool,
}

impl Trees {
    fn put_away(&mut self, scratch: &Path, line: &Line) {
        let many = [TO_EML, TO_MAILDIR, ATTACHMENTS].contains(&line.job.as_str());
        if many && self.room {
            fs::create_dir_all(&self.aside).unwrap();
            let name = format!("{} {} {}", line.costs.len(), line.job, line.program).replace('/', "-");
            fs::rename(scratch, self.aside.join(name)).unwrap();
        }
        let _ = fs::remove_dir_all(scratch);
    }

    pub fn clear(&self) {
        let _ = fs::remove_dir_all(&self.aside);
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

fn installed(program: &str) -> bool {
    std::env::var_os("PATH").is_some_and(|p| std::env::split_paths(&p).any(|d| d.join(program).is_file()))
}
