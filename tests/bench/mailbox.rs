//! A seeded mailbox of any size, written as it is made: a tree of mboxes, as Thunderbird lays them out, and where wanted the
//! same messages as a Maildir, or a tree for each week. Into a mailbox that has grown, mail has come in turn for all of its
//! folders: its messages do not stand one folder after the other.
//!
//! Half of the messages have less than 8 KB, a tail has attachments of up to some megabytes; about a hundred folders,
//! one of them with many small items; plain text, HTML, inline pictures, messages in messages, many languages.

use super::maker::Maker;
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// Changes with what is made, so that nothing is measured on what was made otherwise.
pub const RECIPE: u32 = 2;

/// What was made.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Made {
    /// [`RECIPE`] of the time.
    pub recipe: u32,
    /// Messages, embedded ones left out.
    pub messages: u64,
    /// Folders that hold messages.
    pub folders: u64,
    /// Bytes of all mboxes.
    pub bytes: u64,
    /// The message that half of all are smaller than, bytes.
    pub median: u64,
}

/// Items of the one large folder in a mailbox of 20 GB.
const MANY: u64 = 200_000;
/// Weeks over which a mailbox grows.
const WEEKS: u64 = 520;

/// What is written.
#[derive(Clone, Copy)]
pub enum Layout<'a> {
    /// A tree of mboxes, and a Maildir where it is wanted.
    Whole(&'a Path, Option<&'a Path>),
    /// A tree of mboxes for each week below a folder.
    Weeks(&'a Path),
}

/// The tree of each week that has mail.
pub fn weeks(top: &Path) -> Vec<PathBuf> {
    (0..WEEKS).map(|n| week(top, n)).filter(|p| p.is_dir()).collect()
}

fn week(top: &Path, n: u64) -> PathBuf {
    top.join(format!("{n:03}"))
}

/// Makes a mailbox of about `size` bytes, the same in every layout.
pub fn make(layout: Layout, size: u64) -> io::Result<Made> {
    let mut maker = Maker::new();
    let mut made = Made { recipe: RECIPE, ..Made::default() };
    let mut sizes = Vec::new();
    let folders = folders();
    let many = (MANY * size / 20_000_000_000).max(100);
    for (i, name) in folders.iter().enumerate() {
        let beside = match layout {
            Layout::Whole(_, Some(top)) => Some(Maildir::new(top, name)?),
            _ => None,
        };
        let mut open: Option<(u64, BufWriter<File>)> = None;
        let (mut here, mut count) = (0, 0);
        let share = (size - made.bytes.min(size)) / (folders.len() - i) as u64;
        while if i == 0 { count < many } else { here < share } {
            let now = if i == 0 { count * WEEKS / many } else { here * WEEKS / share.max(1) };
            let (now, top) = match layout {
                Layout::Whole(top, _) => (0, top.to_path_buf()),
                Layout::Weeks(top) => (now, week(top, now)),
            };
            if open.as_ref().is_none_or(|(week, _)| *week != now) {
                let path = file_of(&top, name);
                fs::create_dir_all(path.parent().unwrap())?;
                open = Some((now, BufWriter::with_capacity(256 << 10, File::create(path)?)));
            }
            maker.message(i == 0, made.messages + count);
            if let Some((_, out)) = &mut open {
                out.write_all(&maker.out)?;
            }
            if let Some(beside) = &beside {
                beside.put(made.messages + count, &maker.out)?;
            }
            here += maker.out.len() as u64;
            count += 1;
            // Every 64th size is enough to tell the median.
            if count % 64 == 0 {
                sizes.push(maker.out.len() as u64);
            }
        }
        made.messages += count;
        made.bytes += here;
        made.folders += 1;
    }
    sizes.sort_unstable();
    made.median = sizes.get(sizes.len() / 2).copied().unwrap_or_default();
    Ok(made)
}

/// Makes one mbox of many small messages.
pub fn make_flat(path: &Path, messages: u64) -> io::Result<Made> {
    let mut maker = Maker::new();
    let mut out = BufWriter::with_capacity(256 << 10, File::create(path)?);
    let mut sizes = Vec::new();
    for number in 0..messages {
        maker.note(number);
        out.write_all(&maker.out)?;
        sizes.push(maker.out.len() as u64);
    }
    out.flush()?;
    sizes.sort_unstable();
    let median = sizes.get(sizes.len() / 2).copied().unwrap_or_default();
    Ok(Made { recipe: RECIPE, messages, folders: 1, bytes: sizes.iter().sum(), median })
}

/// A hundred folders, up to four levels deep; the first one gets the many items.
fn folders() -> Vec<Vec<String>> {
    let path = |text: &str| text.split('/').map(str::to_owned).collect::<Vec<_>>();
    let mut out = vec![path("Inbox"), path("Sent"), path("Drafts"), path("Trash"), path("Inbox/Lists")];
    for year in 2008..2024 {
        for part in ["Customers", "Projects", "Private", "Орг", "会議"] {
            out.push(path(&format!("Archive/{year}/{part}")));
        }
    }
    for team in 1..=15 {
        out.push(path(&format!("Inbox/Teams/Größe {}/{team}", team % 3)));
    }
    out
}

fn file_of(top: &Path, names: &[String]) -> PathBuf {
    let (last, parents) = names.split_last().unwrap();
    parents.iter().fold(top.to_path_buf(), |at, name| at.join(format!("{name}.sbd"))).join(last)
}

/// A folder of a Maildir whose folders stand in each other.
struct Maildir(PathBuf);

impl Maildir {
    fn new(top: &Path, names: &[String]) -> io::Result<Self> {
        let folder = names.iter().fold(top.to_path_buf(), |at, name| at.join(name));
        for part in ["cur", "new", "tmp"] {
            fs::create_dir_all(folder.join(part))?;
        }
        Ok(Self(folder.join("cur")))
    }

    /// Puts a message of an mbox, without its separator and the empty line at its end.
    fn put(&self, number: u64, mail: &[u8]) -> io::Result<()> {
        let start = mail.iter().position(|b| *b == b'\n').map_or(0, |at| at + 1);
        let seen = mail.windows(11).take(8 << 10).any(|w| w == b"\nStatus: RO");
        let flags = if seen { "S" } else { "" };
        fs::write(
            self.0.join(format!("{}.M{number}.bench:2,{flags}", 1_200_000_000 + number)),
            &mail[start..mail.len() - 1],
        )
    }
}
