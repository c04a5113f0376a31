//! A row of PSTs instead of one large one: mailbox.pst, mailbox-2.pst and so on, each with the whole tree of folders.

use super::PstSink;
use crate::error::{Error, Kind, Result};
use crate::mapi::{NamedProp, PropBag, Warning};
use crate::messaging::write::Options;
use crate::mime::ImportOptions;
use crate::pipeline::dedupe::Key;
use crate::pipeline::journal::Change;
use crate::pipeline::{Folder, Prepare, Prepared, Sink, Written};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Bytes of an item in tables and trees, about.
const BESIDE: u64 = 700;
/// Bytes that every part needs: a store without items takes one section of the file, folders some more.
const EACH: u64 = 512 << 10;

/// Numbers of parts that are looked at behind one that is missing.
const LOOKED_AT: usize = 1000;

/// Begins a new PST wherever the one at hand would become larger than a size. Items are not divided: one that is larger
/// gets a part of its own.
pub struct SplitSink {
    /// Parts that are full, those of earlier runs too.
    full: Vec<PstSink>,
    last: PstSink,
    path: PathBuf,
    limit: u64,
    parts: Parts,
    options: Options,
    import: ImportOptions,
    names: Vec<NamedProp>,
    /// What a further part is told before its first item.
    stores: Vec<(Vec<String>, String, PropBag)>,
    folders: Vec<Folder>,
    /// Items in the last part, of this run.
    items: u64,
    /// True if the last part has items, of whatever run.
    begun: bool,
}

/// How parts come about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Parts {
    /// All are new, and appear when all are whole.
    New,
    /// Each is whole from its first moment on and grows.
    Growing { journaled: bool },
}

impl Parts {
    /// The sink as parts of this kind are.
    fn of(self, sink: PstSink) -> PstSink {
        if self == (Self::Growing { journaled: true }) { sink.keeping_journal() } else { sink }
    }
}

/// The file of a part, counted from 0.
fn part_path(path: &Path, part: usize) -> PathBuf {
    if part == 0 {
        return path.to_path_buf();
    }
    let mut name = path.file_stem().unwrap_or_default().to_os_string();
    name.push(format!("-{}", part + 1));
    if let Some(ending) = path.extension() {
        name.push(".");
        name.push(ending);
    }
    path.with_file_name(name)
}

/// The files that are there of a PST that is divided, in their order.
pub fn parts_of(path: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    loop {
        let part = part_path(path, all.len());
        if !part.exists() {
            return all;
        }
        all.push(part);
    }
}

/// Refuses parts behind one that is missing: `from` is the first part that would be behind it, counted from 0.
fn gap(path: &Path, from: usize) -> Result<()> {
    let behind = (from..from + LOOKED_AT).map(|n| part_path(path, n)).find(|p| p.exists());
    match behind {
        Some(part) => {
            let text = "a part before this one is missing; put it back, or move this one away";
            Err(Error::new(Kind::Usage, text).in_file(part))
        }
        None => Ok(()),
    }
}

impl SplitSink {
    /// Starts new files; they appear under their names when all are whole.
    ///
    /// # Errors
    /// As [`PstSink::create`].
    pub fn create(path: &Path, limit: u64, options: Options, import: ImportOptions) -> Result<Self> {
        let first = PstSink::create(path, options.clone(), import)?;
        Ok(Self::over(Vec::new(), first, path, limit, options, import, Parts::New))
    }

    /// Opens the parts that are there to add to the last one, or makes the first one; `journaled` if a journal is kept of
    /// what is added.
    ///
    /// # Errors
    /// As [`PstSink::open`] and [`PstSink::create_in_place`].
    pub fn grow(path: &Path, limit: u64, options: Options, import: ImportOptions, journaled: bool) -> Result<Self> {
        let parts = Parts::Growing { journaled };
        let mut last = parts.of(PstSink::grow(path, options.clone(), import)?);
        let mut full = Vec::new();
        loop {
            let part = part_path(path, full.len() + 1);
            if !part.exists() {
                gap(path, full.len() + 2)?;
                return Ok(Self::over(full, last, path, limit, options, import, parts));
            }
            let next = parts.of(PstSink::open(&part, options.clone(), import)?);
            full.push(std::mem::replace(&mut last, next));
        }
    }

    fn over(
        full: Vec<PstSink>,
        last: PstSink,
        path: &Path,
        limit: u64,
        options: Options,
        import: ImportOptions,
        parts: Parts,
    ) -> Self {
        let path = path.to_path_buf();
        let (names, stores, folders) = (Vec::new(), Vec::new(), Vec::new());
        let begun = last.has_items();
        Self { full, last, path, limit, parts, options, import, names, stores, folders, items: 0, begun }
    }

    /// Begins the next part, with the folders and the numbers of names that the others have.
    fn next(&mut self) -> Result<()> {
        let path = part_path(&self.path, self.full.len() + 1);
        // What is on its way was built with the encoding and the numbers of the part before.
        let options = Options { crypt: self.last.crypt(), ..self.options.clone() };
        let mut part = match self.parts {
            Parts::New => PstSink::create(&path, options, self.import)?,
            Parts::Growing { .. } => self.parts.of(PstSink::create_in_place(&path, options, self.import)?),
        };
        part.share_names(&self.last);
        for (under, title, props) in &self.stores {
            part.store(under, title, props)?;
        }
        for folder in &self.folders {
            part.folder(folder)?;
        }
        part.names(&self.names);
        self.full.push(std::mem::replace(&mut self.last, part));
        (self.items, self.begun) = (0, false);
        Ok(())
    }

    fn part(&mut self, place: u64) -> Option<&mut PstSink> {
        let number = (place >> 32) as usize;
        if number == self.full.len() { Some(&mut self.last) } else { self.full.get_mut(number) }
    }
}

impl Sink for SplitSink {
    fn preparer(&self) -> Arc<dyn Prepare> {
        self.last.preparer()
    }

    fn names(&mut self, names: &[NamedProp]) {
        self.names = names.to_vec();
        self.last.names(names);
    }

    fn store(&mut self, under: &[String], title: &str, props: &PropBag) -> Result<()> {
        self.stores.push((under.to_vec(), title.to_owned(), props.clone()));
        self.last.store(under, title, props)
    }

    fn folder(&mut self, folder: &Folder) -> Result<()> {
        self.folders.push(folder.clone());
        if self.parts == (Parts::Growing { journaled: true }) {
            // What is looked up later is looked up in all parts, and each shows the whole tree.
            self.full.iter_mut().try_for_each(|part| part.folder(folder))?;
        }
        self.last.folder(folder)
    }

    fn item(&mut self, item: Prepared) -> Result<Vec<Warning>> {
        let used = self.last.used() + self.items * BESIDE + EACH;
        if self.begun && used + item.bytes + BESIDE > self.limit {
            self.next()?;
        }
        self.items += 1;
        self.begun = true;
        self.last.item(item)
    }

    fn path(&self) -> Option<Vec<String>> {
        self.last.path()
    }

    fn place(&self) -> u64 {
        (self.full.len() as u64) << 32 | self.last.place()
    }

    fn contents(&mut self, known: &dyn Fn(u64) -> bool) -> Result<Vec<(Key, u64)>> {
        let mut out = Vec::new();
        let here = self.folders.last().cloned().unwrap_or_default();
        for (number, part) in self.full.iter_mut().chain([&mut self.last]).enumerate() {
            let place = |place: u64| (number as u64) << 32 | place;
            if !part.enter(&here) {
                continue;
            }
            let here = part.contents(&|at| known(place(at)))?;
            out.extend(here.into_iter().map(|(key, at)| (key, place(at))));
        }
        Ok(out)
    }

    fn has(&mut self, place: u64, content: Option<&Key>) -> bool {
        self.part(place).is_some_and(|p| p.has(place, content))
    }

    fn change(&mut self, change: &Change) -> Result<bool> {
        let (Change::State { place, .. } | Change::Gone { place, .. }) = change;
        self.part(*place).map_or(Ok(false), |p| p.change(change))
    }

    fn identity(&self) -> Option<[u8; 16]> {
        self.full.first().unwrap_or(&self.last).identity()
    }

    fn states(&mut self) -> Vec<u32> {
        self.full.iter_mut().chain([&mut self.last]).flat_map(Sink::states).collect()
    }

    fn next_states(&self) -> Vec<u32> {
        self.full.iter().chain([&self.last]).flat_map(Sink::next_states).collect()
    }

    fn flush(&mut self) -> Result<()> {
        self.full.iter_mut().chain([&mut self.last]).try_for_each(Sink::flush)
    }

    fn finish(self: Box<Self>) -> Result<Written> {
        let mut written = Written { path: self.path, bytes: 0 };
        for part in self.full.into_iter().chain([self.last]) {
            written.bytes += Box::new(part).finish()?.bytes;
        }
        Ok(written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_parts() {
        assert_eq!(part_path(Path::new("a/mailbox.pst"), 0), Path::new("a/mailbox.pst"));
        assert_eq!(part_path(Path::new("a/mailbox.pst"), 1), Path::new("a/mailbox-2.pst"));
        assert_eq!(part_path(Path::new("a/b"), 9), Path::new("a/b-10"));
    }
}
