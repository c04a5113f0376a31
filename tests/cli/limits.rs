//! Conversions at the limits of the system: full disks, files that may not grow, folders that may not be written, few
//! descriptors, sources that shrink, two runs at once, and runs that are stopped at any moment. What is under the name of
//! a target is then nothing, or what was there, or all of it; what is said is a sentence.

use super::command::{at, code, names, pst, stderr};
use super::support::Seeded;
use pst_core::mapi::{Attachment, Blob, Message, PropBag, Role, Value, tag};
use pst_core::messaging::write::{Options, StoreWriter};
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

const PST: &str = env!("CARGO_BIN_EXE_pst");

/// Targets of every kind, by their names.
const TARGETS: [&str; 7] = ["pst:t.pst", "eml:t", "mbox:t", "maildir:t", "msg:t", "json:t.jsonl", "attachments:t"];

/// A PST of as many folders, and in each as many messages with an attachment of 40 KB.
fn filled(path: &Path, folders: usize, messages: usize) {
    let mut writer = StoreWriter::create(path, Options::default()).unwrap();
    for f in 0..folders {
        let folder = writer.add_folder(writer.top(), &format!("Folder {f}"), Role::None, None, &PropBag::default());
        for i in 0..messages {
            let mut m = Message::default();
            m.props.set(tag::SUBJECT, Value::text(&format!("{f} {i}")));
            let mut file = Attachment::default();
            file.props.set(tag::ATTACH_LONG_FILENAME, Value::text("a.bin"));
            let data = (0..40_000).map(|n| (n * (i + 3) + f) as u8).collect();
            file.props.set(tag::ATTACH_DATA_BINARY, Value::Binary(Blob::Bytes(data)));
            m.attachments.push(file);
            writer.add(*folder.as_ref().unwrap(), &m, false).unwrap();
        }
    }
    writer.finish().unwrap();
}

fn target(dir: &Path, of: &str) -> String {
    let (kind, name) = of.split_once(':').unwrap();
    format!("{kind}:{}", dir.join(name).display())
}

/// The command under a shell that sets limits first.
fn limited(limit: &str, args: &[&str]) -> Output {
    Command::new("sh").args(["-c", &format!("{limit}; exec \"$0\" \"$@\""), PST]).args(args).output().unwrap()
}

/// The command, which goes on.
fn begun(args: &[&str]) -> Child {
    Command::new(PST).args(args).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

/// A run that could not go on: its last line is a sentence on the target, and nothing of it is there.
fn is_refused(out: &Output, dir: &Path, before: &[String], of: &str) {
    let said = stderr(out);
    assert_eq!(out.status.code(), Some(2), "{of}: {said}");
    let last = said.lines().last().unwrap_or_default();
    assert!(last.starts_with("pst: ") && last.contains(&dir.display().to_string()), "{of}: {said}");
    assert_eq!(names(dir), before, "{of}: {said}");
}

/// A file system of its own, where that is permitted.
struct Mounted<'a>(&'a Path);

impl<'a> Mounted<'a> {
    fn new(at: &'a Path, options: &str) -> Option<Self> {
        let done = Command::new("mount").args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(at).output();
        if done.is_ok_and(|d| d.status.success()) {
            return Some(Self(at));
        }
        eprintln!("skipped: a file system cannot be mounted here");
        None
    }
}

impl Drop for Mounted<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0).status();
    }
}

#[test]
fn a_full_disk_leaves_what_was_there() {
    let dir = tempfile::tempdir().unwrap();
    let source = at(&dir, "a.pst");
    filled(Path::new(&source), 2, 40);
    let small = dir.path().join("small");
    fs::create_dir(&small).unwrap();
    let Some(_mounted) = Mounted::new(&small, "size=1m") else { return };
    for of in TARGETS {
        let to = target(&small, of);
        is_refused(&pst(&["convert", &source, &to]), &small, &[], of);
        // What is to be replaced stays.
        if of.contains("t.") {
            let old = small.join(of.split_once(':').unwrap().1);
            fs::write(&old, b"From old").unwrap();
            is_refused(&pst(&["convert", "--overwrite", &source, &to]), &small, &names(&small), of);
            assert_eq!(fs::read(&old).unwrap(), b"From old", "{of}");
            fs::remove_file(old).unwrap();
        }
    }
}

#[test]
fn a_folder_that_may_not_be_written_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let source = at(&dir, "a.pst");
    filled(Path::new(&source), 1, 2);
    let fixed = dir.path().join("fixed");
    fs::create_dir(&fixed).unwrap();
    let Some(_mounted) = Mounted::new(&fixed, "size=1m,ro") else { return };
    for of in TARGETS {
        is_refused(&pst(&["convert", &source, &target(&fixed, of)]), &fixed, &[], of);
    }
}

/// Beyond the limit the system would end the process by a signal.
#[test]
fn files_that_may_not_grow_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let source = at(&dir, "a.pst");
    filled(Path::new(&source), 2, 40);
    let to = dir.path().join("to");
    fs::create_dir(&to).unwrap();
    for of in ["pst:t.pst", "json:t.jsonl"] {
        is_refused(&limited("ulimit -f 1000", &["convert", &source, &target(&to, of)]), &to, &[], of);
    }
}

#[test]
fn few_descriptors_are_enough() {
    let dir = tempfile::tempdir().unwrap();
    let source = at(&dir, "a.pst");
    filled(Path::new(&source), 300, 1);
    for descriptors in [64, 1024] {
        let to = dir.path().join(descriptors.to_string());
        fs::create_dir(&to).unwrap();
        for of in TARGETS {
            let one = to.join(of.split_once(':').unwrap().0).join("x");
            fs::create_dir_all(&one).unwrap();
            let written = target(&one, of);
            let limit = format!("ulimit -n {descriptors}");
            let out = limited(&limit, &["convert", "--threads", "8", &source, &written]);
            assert_eq!(code(&out), 0, "{of}, {descriptors}: {}", stderr(&out));
            if !of.starts_with("attachments") {
                let back = limited(&limit, &["convert", "--json", &written, &at(&dir, "back.pst"), "--overwrite"]);
                let report: serde_json::Value = serde_json::from_slice(&back.stdout).unwrap();
                assert_eq!(report["written"], 300, "{of}, {descriptors}: {}", stderr(&back));
            }
        }
    }
}

/// A source that becomes shorter while it is read costs the items that went with it.
#[test]
fn a_source_that_shrinks_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let source = at(&dir, "a.pst");
    filled(Path::new(&source), 4, 100);
    let whole = fs::read(&source).unwrap();
    let mut random = Seeded(11);
    let mut told = 0;
    for n in 0..24 {
        let of = TARGETS[n % TARGETS.len()];
        let to = dir.path().join(format!("to{n}"));
        fs::create_dir(&to).unwrap();
        let child = begun(&["convert", "--threads", "1", &source, &target(&to, of)]);
        std::thread::sleep(Duration::from_millis(random.below(60)));
        let file = fs::File::options().write(true).open(&source).unwrap();
        file.set_len(random.below(whole.len() as u64)).unwrap();
        let out = child.wait_with_output().unwrap();
        let said = stderr(&out);
        assert!(matches!(out.status.code(), Some(0..=2)), "{of}: {}: {said}", out.status);
        assert!(out.status.success() || said.contains("pst: ") || said.contains("a.pst"), "{of}: {said}");
        told += usize::from(said.contains("shorter"));
        fs::write(&source, &whole).unwrap();
    }
    assert!(told > 0, "no run noticed");
}

#[test]
fn of_two_runs_into_one_target_one_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let source = at(&dir, "a.pst");
    filled(Path::new(&source), 4, 40);
    for of in TARGETS {
        let to = dir.path().join(format!("to {}", of.replace(':', " ")));
        fs::create_dir(&to).unwrap();
        let run = || begun(&["convert", &source, &target(&to, of)]);
        let both = [run(), run()].map(|child| child.wait_with_output().unwrap());
        let mut codes = both.each_ref().map(code);
        codes.sort_unstable();
        assert_eq!(codes, [0, 2], "{of}: {} {}", stderr(&both[0]), stderr(&both[1]));
        assert_eq!(names(&to).len(), 1, "{of}");
        if of.starts_with("pst") {
            assert_eq!(code(&pst(&["check", &to.join("t.pst").display().to_string()])), 0);
        }
    }
}

/// Ctrl-C and the word of a system that shuts down.
#[test]
fn a_run_that_is_stopped_leaves_nothing_half_written() {
    let dir = tempfile::tempdir().unwrap();
    let source = at(&dir, "a.pst");
    filled(Path::new(&source), 4, 100);
    let mut random = Seeded(5);
    let mut stopped = 0;
    for n in 0..32 {
        let of = TARGETS[n % TARGETS.len()];
        let to = dir.path().join(format!("to{n}"));
        fs::create_dir(&to).unwrap();
        let child = begun(&["convert", "--threads", "1", &source, &target(&to, of)]);
        std::thread::sleep(Duration::from_millis(random.below(150)));
        let signal = ["-INT", "-TERM"][n % 2];
        assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
        let out = child.wait_with_output().unwrap();
        let (said, left) = (stderr(&out), names(&to));
        match out.status.code() {
            Some(0) => assert_eq!(left.len(), 1, "{of}: {said}"),
            Some(130) => {
                assert!(said.lines().last().is_some_and(|l| l.starts_with("pst: stopped")), "{of}: {said}");
                assert_eq!(left, [""; 0], "{of}: {said}");
                stopped += 1;
            }
            // Before the handler is there, the signal itself ends the run.
            None => assert_eq!(left, [""; 0], "{of}: {said}"),
            code => panic!("{of}: {code:?}: {said}"),
        }
        if of.starts_with("pst") && left.len() == 1 {
            assert_eq!(code(&pst(&["check", &to.join("t.pst").display().to_string()])), 0);
        }
    }
    assert!(stopped > 3, "{stopped} runs were stopped");
}

/// What ends without a word of its own: the target is not there, or is what it was, or is whole.
#[test]
fn a_run_that_is_killed_leaves_the_old_file_or_the_new_one() {
    let dir = tempfile::tempdir().unwrap();
    let (source, old, to) = (at(&dir, "a.pst"), at(&dir, "old.pst"), at(&dir, "t.pst"));
    filled(Path::new(&source), 4, 100);
    filled(Path::new(&old), 1, 3);
    let before = fs::read(&old).unwrap();
    let mut random = Seeded(3);
    for _ in 0..12 {
        fs::copy(&old, &to).unwrap();
        let mut run = Command::new(PST);
        run.args(["convert", "--overwrite", &source, &to]).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = run.spawn().unwrap();
        std::thread::sleep(Duration::from_millis(random.below(200)));
        child.kill().unwrap();
        child.wait().unwrap();
        let now = fs::read(&to).unwrap();
        assert!(now == before || code(&pst(&["check", &to])) == 0, "half of a file has the name of the target");
    }
}
