//! New PSTs of what the importers would refuse, on the way that every conversion takes.

use super::judge::Judged;
use super::limits::{self, Spot};
use crate::endpoint::{self, SourceOptions, TargetOptions};
use crate::error::{Error, Kind, Result};
use crate::io::commit::{begun, refuse_existing, sync_folder};
use crate::mapi::Code;
use crate::pipeline::{self, Mounted, Observer, Report, RunOptions};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// How a PST is written anew.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Begin a further PST where one would become larger than this, bytes.
    pub split: Option<u64>,
    /// Replace existing files.
    pub overwrite: bool,
    /// The code page of 8-bit strings that do not say theirs.
    pub codepage: Option<u32>,
    /// Set from outside to stop.
    pub stop: Arc<AtomicBool>,
}

/// What came of it.
#[derive(Debug)]
pub struct Rewritten {
    /// The new PSTs, in order.
    pub parts: Vec<PathBuf>,
    /// What was moved, and what was lost on the way.
    pub report: Report,
    /// PSTs of earlier runs that look like parts of this one.
    pub left_over: Vec<PathBuf>,
}

/// Writes everything that can be read of a PST or OST into Unicode PSTs in a folder, `name` and where it is divided
/// name-2.pst and so on. The same source gives the same bytes, and so the same entry ids.
///
/// The files appear when all of them are whole.
///
/// # Errors
/// When the source cannot be opened, a file exists that is not to be replaced, or the folder cannot be written.
pub fn rewrite(
    source: &Path,
    folder: &Path,
    name: &str,
    options: &Options,
    observer: &dyn Observer,
) -> Result<Rewritten> {
    let home = source.canonicalize().ok().and_then(|s| s.parent().map(Path::to_path_buf));
    if home.is_some() && home == folder.canonicalize().ok() {
        let text = "a new PST does not go into the folder of its source; sources are never changed";
        return Err(Error::new(Kind::Usage, text).in_file(folder));
    }
    let before = parts_of(folder, name)?;
    before.iter().try_for_each(|path| refuse_existing(path, options.overwrite))?;
    let staging = tempfile::Builder::new().prefix(".pst-").suffix(".tmp").tempdir_in(folder);
    let staging = staging.map_err(|e| Error::io("cannot create a folder in this one", folder, e))?;
    begun(staging.path());
    let spec = format!("pst:{}", source.display());
    let opened = endpoint::open(&spec, SourceOptions { ansi_codepage: options.codepage, ..SourceOptions::default() })?;
    let title = opened.title();
    let target = TargetOptions {
        split: options.split,
        title: if title.is_empty() { "Mail".to_owned() } else { title },
        ..TargetOptions::default()
    };
    let to = format!("pst:{}", staging.path().join(name).display());
    let sink = endpoint::create(&to, &[spec], &target)?;
    let run = RunOptions { stop: Arc::clone(&options.stop), ..RunOptions::default() };
    let report = pipeline::run(&[Mounted { source: opened, under: Vec::new(), journal: None }], sink, &run, observer)?;
    let mut parts = Vec::new();
    for from in parts_of(staging.path(), name)? {
        let to = folder.join(from.file_name().unwrap_or_default());
        fs::rename(&from, &to).map_err(|e| Error::io("cannot give the new file its name", &to, e))?;
        parts.push(to);
    }
    parts.iter().take(1).for_each(|path| sync_folder(path));
    let left_over = before.into_iter().filter(|path| !parts.contains(path)).collect();
    Ok(Rewritten { parts, report, left_over })
}

/// The files of a folder that are `name` or, by their number, further parts of it, in order.
fn parts_of(folder: &Path, name: &str) -> Result<Vec<PathBuf>> {
    let stem = name.strip_suffix(".pst").unwrap_or(name);
    let listed = fs::read_dir(folder).map_err(|e| Error::io("cannot list", folder, e))?;
    let number = |path: &Path| {
        let own = path.file_name()?.to_str()?.strip_suffix(".pst")?.strip_prefix(stem)?;
        if own.is_empty() { Some(1) } else { own.strip_prefix('-')?.parse::<u64>().ok().filter(|n| *n > 1) }
    };
    let mut out: Vec<(u64, PathBuf)> = listed.flatten().filter_map(|e| Some((number(&e.path())?, e.path()))).collect();
    out.sort();
    Ok(out.into_iter().map(|(_, path)| path).collect())
}

impl Rewritten {
    /// Adds what was lost on the way to the findings of the first new PST.
    pub fn tell(&self, judged: &mut Judged) {
        for f in &self.report.failures {
            let spot = Spot { folder: f.folder.clone(), item: f.id.clone(), ..Spot::default() };
            judged.add(limits::LOST.at(spot, format!("it was not taken over: {}", f.error)));
        }
        for n in self.report.notes.iter().filter(|n| n.warning.code == Code::Damaged) {
            let spot = Spot { folder: n.folder.clone(), item: n.id.clone(), ..Spot::default() };
            judged.add(limits::LOST.at(spot, n.warning.text.clone()));
        }
        for path in &self.left_over {
            let text = format!("{} is of an earlier run", path.display());
            judged.add(limits::LEFT_OVER.found(text));
        }
    }
}
