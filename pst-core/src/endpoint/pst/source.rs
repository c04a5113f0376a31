//! A PST or OST as a source of folders and items.

use crate::endpoint::SourceOptions;
use crate::error::{Error, Result};
use crate::mapi::{Code, NamedProp, PropBag, tag};
use crate::messaging::{FolderNode, Store};
use crate::ndb::Nid;
use crate::pipeline::{Body, Folder, Item, ItemRef, Source};
use crate::salvage::{self, Salvaged};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// A PST or OST, opened for reading.
pub struct PstSource {
    store: Store,
    /// What could not be read of the tree of folders, until it is told with the first folder's items.
    untold: Mutex<Vec<Error>>,
    /// What was lost or guessed when the file was opened.
    notes: Vec<Error>,
}

impl PstSource {
    /// Opens a file.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Store::open(path).map(Self::of)
    }

    /// Opens a file in the way that the options say.
    ///
    /// # Errors
    /// As [`Store::open`] or [`salvage::open`].
    pub fn open_as(path: impl AsRef<Path>, options: SourceOptions) -> Result<Self> {
        let opened = if options.salvage { Self::salvage(path) } else { Self::open(path) };
        opened.map(|source| source.with_codepage(options.ansi_codepage))
    }

    /// Opens a file however damaged it is: what was lost or guessed is told with the first folder's items.
    ///
    /// # Errors
    /// As [`salvage::open`].
    pub fn salvage(path: impl AsRef<Path>) -> Result<Self> {
        let Salvaged { ndb, notes } = salvage::open(path)?;
        Ok(Self { store: Store::new(Arc::new(ndb)), untold: Mutex::default(), notes })
    }

    /// An open store as a source.
    pub fn of(store: Store) -> Self {
        Self { store, untold: Mutex::default(), notes: Vec::new() }
    }

    /// The same source, whose 8-bit strings are in this code page where they do not say theirs.
    #[must_use]
    pub fn with_codepage(self, page: Option<u32>) -> Self {
        match page {
            Some(page) => Self { store: self.store.with_codepage(page), ..self },
            None => self,
        }
    }

    /// The store.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The folders of the store as they stand in it, each with its path from the top of the mailbox and its role.
    /// Folders outside the top of the mailbox are left out unless they hold items.
    pub fn tree(&self, errors: &mut Vec<Error>) -> Vec<(FolderNode, Folder)> {
        let all = self.store.folders(errors);
        let is_damaged = !errors.is_empty();
        let subtree = self.store.ipm_subtree();
        let top = all.iter().position(|f| f.nid == subtree);
        let roles = self.store.roles(&all);
        let mut paths: Vec<Option<Vec<String>>> = Vec::with_capacity(all.len());
        let mut out: Vec<(FolderNode, Folder)> = Vec::new();
        let mut wanted: Vec<bool> = vec![false; all.len()];
        let mut kept: Vec<(usize, Folder)> = Vec::new();
        for (i, node) in all.iter().enumerate() {
            let parent = node.parent.and_then(|p| paths.get(p)).cloned().flatten();
            let inside = Some(i) == top || node.parent.is_some_and(|p| wanted.get(p) == Some(&true));
            if let Some(slot) = wanted.get_mut(i) {
                *slot = inside;
            }
            let path = match (Some(i) == top || (top.is_none() && i == 0), parent) {
                (true, _) => Vec::new(),
                (_, Some(mut path)) => {
                    path.push(if node.name.is_empty() { format!("{}", node.nid) } else { node.name.clone() });
                    path
                }
                (_, None) if node.nid == Nid::ROOT_FOLDER => Vec::new(),
                (_, None) => vec![node.name.clone()],
            };
            paths.push(Some(path.clone()));
            let (normal, hidden) = (Self::count(node, false), Self::count(node, true));
            // Where folders are damaged, the top may be another than it was, and counters may be lost.
            let counted = normal + hidden > 0 || (is_damaged && self.store.holds_items(node.nid));
            let holds = !node.search && counted;
            if inside || top.is_none() || (holds && node.nid != Nid::ROOT_FOLDER) {
                let folder = Folder {
                    path,
                    role: roles.get(&node.nid).copied().unwrap_or_default(),
                    class: node.props.text(tag::CONTAINER_CLASS),
                    props: node.props.clone(),
                    key: u64::from(node.nid.0),
                    count: Some(normal + hidden),
                    search: node.search,
                };
                kept.push((i, folder));
            }
        }
        for (i, folder) in kept {
            if let Some(node) = all.get(i) {
                out.push((node.clone(), folder));
            }
        }
        out
    }

    /// Items as the folder's own counters say; for lists and progress only.
    fn count(node: &FolderNode, hidden: bool) -> u64 {
        let tag = if hidden { tag::PST_HIDDEN_COUNT } else { tag::CONTENT_COUNT };
        node.props.i32(tag).and_then(|n| u64::try_from(n).ok()).unwrap_or_default()
    }
}

impl Source for PstSource {
    fn folders(&self) -> Result<Vec<Folder>> {
        let mut errors: Vec<Error> = self.notes.iter().map(|e| e.retold(e.kind(), e.text())).collect();
        let folders = self.tree(&mut errors).into_iter().map(|(_, folder)| folder).collect();
        *self.untold.lock().unwrap_or_else(PoisonError::into_inner) = errors;
        Ok(folders)
    }

    fn items<'a>(&'a self, folder: &'a Folder) -> Result<Box<dyn Iterator<Item = Result<ItemRef>> + Send + 'a>> {
        if folder.search {
            return Ok(Box::new(std::iter::empty()));
        }
        let nid = Nid(folder.key as u32);
        let mut errors = std::mem::take(&mut *self.untold.lock().unwrap_or_else(PoisonError::into_inner));
        let mut refs = Vec::new();
        for associated in [false, true] {
            for listed in self.store.contents(nid, associated, &mut errors) {
                refs.push(Ok(ItemRef {
                    id: format!("{}", listed.nid),
                    key: u64::from(listed.nid.0),
                    size: listed.size,
                    path: None,
                    associated,
                }));
            }
        }
        Ok(Box::new(errors.into_iter().map(Err).chain(refs)))
    }

    fn load(&self, _folder: &Folder, item: &ItemRef) -> Result<Item> {
        let (message, errors) = self.store.message(Nid(item.key as u32))?;
        Ok(Item {
            id: item.id.clone(),
            body: Body::Mapi(Box::new(message)),
            associated: item.associated,
            warnings: errors.iter().map(|e| Code::Damaged.with(format!("a part could not be read: {e}"))).collect(),
        })
    }

    fn names(&self) -> Vec<NamedProp> {
        self.store.names().names()
    }

    fn store(&self) -> PropBag {
        self.store.props().clone()
    }

    fn identity(&self) -> Vec<u8> {
        let key = self.store.props().bytes(tag::RECORD_KEY).map(<[u8]>::to_vec);
        key.unwrap_or_else(|| self.title().into_bytes())
    }

    fn title(&self) -> String {
        self.store.display_name()
    }
}
