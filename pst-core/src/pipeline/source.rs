//! Where items come from.

use super::item::{Folder, Item, ItemRef};
use super::journal::Differences;
use crate::error::Result;
use crate::mapi::{NamedProp, PropBag};
use std::path::PathBuf;

/// Something that holds folders of items. Shared by all threads.
pub trait Source: Send + Sync {
    /// All folders, parents first, in the order they will be written.
    ///
    /// # Errors
    /// When the source cannot be listed at all.
    fn folders(&self) -> Result<Vec<Folder>>;

    /// The items of a folder in order. An `Err` in the iterator is one item (or the rest of the folder) that failed.
    ///
    /// # Errors
    /// When the folder cannot be listed at all.
    fn items<'a>(&'a self, folder: &'a Folder) -> Result<Box<dyn Iterator<Item = Result<ItemRef>> + Send + 'a>>;

    /// Loads one item; called from many threads at once.
    ///
    /// # Errors
    /// When this item cannot be read; the run goes on.
    fn load(&self, folder: &Folder, item: &ItemRef) -> Result<Item>;

    /// What differs from an earlier run; asked for after [`Source::items`] of the folder.
    ///
    /// # Errors
    /// When that cannot be looked up; the items of the folder are then not loaded.
    fn differences(&self, _folder: &Folder) -> Result<Differences> {
        Ok(Differences::default())
    }

    /// What names an item of a folder for good, for a journal.
    fn lasting(&self, item: &ItemRef) -> Vec<u8> {
        match &item.path {
            Some(_) => item.id.clone().into_bytes(),
            None => item.key.to_be_bytes().to_vec(),
        }
    }

    /// What names the source for good, wherever it is.
    fn identity(&self) -> Vec<u8> {
        self.title().into_bytes()
    }

    /// Named properties that items of this source use, so that a sink can number them before the first item.
    fn names(&self) -> Vec<NamedProp> {
        Vec::new()
    }

    /// The properties of the mailbox itself, from sources that have such.
    fn store(&self) -> PropBag {
        PropBag::default()
    }

    /// Files below the source that are of no kind it reads.
    fn not_taken(&self) -> &[PathBuf] {
        &[]
    }

    /// The name of the mailbox, for a store's display name.
    fn title(&self) -> String;
}
