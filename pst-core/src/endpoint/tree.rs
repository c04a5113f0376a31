//! Folders on disk: which kinds of mail are in them, and sources for more than one kind.

use super::components::Format;
use super::{SourceOptions, eml, maildir, mbox, msg, open_as};
use crate::error::{Error, Kind, Result};
use crate::pipeline::{Folder, Item, ItemRef, Source};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use walkdir::WalkDir;

/// What was found in a folder on disk.
#[derive(Default)]
struct Survey {
    /// The kinds of source that are needed to read it all; empty if nothing in it is mail.
    kinds: Vec<&'static str>,
    /// The files that none of them takes.
    others: Vec<PathBuf>,
}

impl Survey {
    /// Looks at all files below a folder. Links to folders, mboxes and into Maildirs are not followed, but told.
    fn of(top: &Path) -> Result<Self> {
        let mut found = Self::default();
        let (mut calendars, mut cards, mut unnamed) = (false, false, Vec::new());
        for entry in WalkDir::new(top).sort_by_file_name() {
            let entry = entry.map_err(|e| super::cannot_list(e, top))?;
            let path = entry.path();
            let linked = entry.path_is_symlink();
            if entry.file_type().is_dir() {
                if maildir::is_maildir(path) {
                    found.add("maildir");
                }
            } else if !linked && maildir::is_own(path) && path.ancestors().take(3).any(maildir::is_maildir) {
                // Told with its folder.
            } else if eml::is_eml(path) || msg::is_msg(path) {
                found.add("eml");
            } else if let Some(format) = Format::of_name(path) {
                calendars |= format == Format::Calendar;
                cards |= format == Format::Contacts;
            } else if !linked && mbox::is_mbox(path) {
                found.add("mbox");
            } else {
                unnamed.push(entry.into_path());
            }
        }
        match (calendars, cards) {
            // The source of eml files reads calendars and cards too.
            _ if !found.kinds.is_empty() && (calendars || cards) => found.add("eml"),
            (true, true) => found.add("components"),
            (true, false) => found.add("ics"),
            (false, true) => found.add("vcf"),
            (false, false) => {}
        }
        // A tree in which nothing is named as mail may hold mail under other names.
        let loose = found.kinds.is_empty();
        let is_mail = |f: &PathBuf| (loose || eml::is_named_msg(f)) && eml::looks_like_mail(f);
        if unnamed.iter().any(is_mail) {
            found.add("eml");
        }
        unnamed.retain(|f| !is_mail(f));
        found.others = unnamed;
        Ok(found)
    }

    fn add(&mut self, kind: &'static str) {
        if !self.kinds.contains(&kind) {
            self.kinds.push(kind);
        }
    }
}

/// All mail of a folder on disk: a source for each kind that is in it, as one.
pub struct TreeSource {
    sources: Vec<Arc<dyn Source>>,
    /// Every folder as it is told, the source it is of, and as that source told it.
    folders: Vec<(Folder, usize, Folder)>,
    others: Vec<PathBuf>,
}

impl TreeSource {
    /// Looks at a folder and opens what is in it.
    ///
    /// # Errors
    /// When it cannot be listed, or nothing in it is mail.
    pub fn open(top: &Path, options: SourceOptions) -> Result<Self> {
        let Survey { kinds, others } = Survey::of(top)?;
        let sources: Vec<Arc<dyn Source>> = match kinds.as_slice() {
            [] => {
                let text = "nothing is in this folder: no eml or msg files, mboxes, Maildir, calendars or vCards";
                return Err(Error::new(Kind::NotThisKind, text).in_file(top));
            }
            [kind] => vec![open_as(kind, top, options)?],
            several => {
                let one = |kind: &&str| match *kind {
                    "eml" => Ok(Arc::new(eml::EmlSource::among_others(top)?) as Arc<dyn Source>),
                    kind => open_as(kind, top, options),
                };
                several.iter().map(one).collect::<Result<_>>()?
            }
        };
        let mut folders = Vec::new();
        for (i, source) in sources.iter().enumerate() {
            folders.extend(source.folders()?.into_iter().map(|folder| (folder.clone(), i, folder)));
        }
        // Folders of one path stay beside each other; a single source has an order of its own.
        if sources.len() > 1 {
            folders.sort_by(|(a, i, _), (b, j, _)| a.path.cmp(&b.path).then(i.cmp(j)));
        }
        for (key, (folder, ..)) in (0..).zip(&mut folders) {
            folder.key = key;
        }
        Ok(Self { sources, folders, others })
    }

    fn inner(&self, folder: &Folder) -> Result<(&Arc<dyn Source>, &Folder)> {
        let found = self.folders.get(folder.key as usize);
        found
            .and_then(|(_, i, inner)| Some((self.sources.get(*i)?, inner)))
            .ok_or_else(|| Error::new(Kind::NotFound, "no such folder is in the tree"))
    }
}

impl Source for TreeSource {
    fn folders(&self) -> Result<Vec<Folder>> {
        Ok(self.folders.iter().map(|(folder, ..)| folder.clone()).collect())
    }

    fn items<'a>(&'a self, folder: &'a Folder) -> Result<Box<dyn Iterator<Item = Result<ItemRef>> + Send + 'a>> {
        let (source, inner) = self.inner(folder)?;
        source.items(inner)
    }

    fn load(&self, folder: &Folder, item: &ItemRef) -> Result<Item> {
        let (source, inner) = self.inner(folder)?;
        source.load(inner, item)
    }

    fn lasting(&self, item: &ItemRef) -> Vec<u8> {
        match &item.path {
            Some(path) if maildir::is_own(path) => maildir::lasting_name(item),
            Some(_) => item.id.clone().into_bytes(),
            None => item.key.to_be_bytes().to_vec(),
        }
    }

    fn not_taken(&self) -> &[PathBuf] {
        &self.others
    }

    fn title(&self) -> String {
        self.sources.first().map_or_else(|| "Mail".to_owned(), |s| s.title())
    }
}
