//! A file of JSON lines as a source.

use super::lines::Index;
use super::{read, slim};
use crate::error::{Error, Kind, Result};
use crate::io::Input;
use crate::mapi::{NamedProp, PropBag};
use crate::pipeline::{Body, Folder, Item, ItemRef, Source};
use std::path::Path;
use std::sync::Arc;

/// A file of JSON lines, opened for reading.
pub struct JsonSource {
    input: Arc<Input>,
    index: Index,
}

impl JsonSource {
    /// Opens a file and finds its folders and items.
    ///
    /// # Errors
    /// When it cannot be read, or does not begin with the header of a known version.
    pub fn open(path: &Path) -> Result<Self> {
        let input = Arc::new(Input::open(path)?);
        let index = Index::read(&input).map_err(|e| e.in_file(path))?;
        Ok(Self { input, index })
    }
}

impl Source for JsonSource {
    fn folders(&self) -> Result<Vec<Folder>> {
        Ok(self.index.folders.iter().map(|listed| listed.folder.clone()).collect())
    }

    fn items<'a>(&'a self, folder: &'a Folder) -> Result<Box<dyn Iterator<Item = Result<ItemRef>> + Send + 'a>> {
        let Some(listed) = self.index.folders.get(folder.key as usize) else {
            return Ok(Box::new(std::iter::empty()));
        };
        let errors = listed.errors.iter().map(|(line, text)| {
            let place = if *line == 0 { String::new() } else { format!("line {line}: ") };
            Err(Error::new(Kind::Damaged, format!("{place}{text}")).in_file(self.input.path()))
        });
        let items = listed.entries.iter().map(|entry| {
            Ok(ItemRef {
                id: format!("line {}", entry.line),
                key: entry.at,
                size: entry.len,
                path: None,
                associated: entry.associated,
            })
        });
        Ok(Box::new(errors.chain(items)))
    }

    fn load(&self, _folder: &Folder, item: &ItemRef) -> Result<Item> {
        let read = || read::item(&slim::slim(&self.input, item.key, item.size)?);
        let whole = read().map_err(|e| e.at(item.key).in_file(self.input.path()))?;
        let id = if whole.id.is_empty() { item.id.clone() } else { whole.id };
        let body = Body::Mapi(Box::new(whole.message));
        Ok(Item { id, body, associated: whole.associated, warnings: whole.warnings })
    }

    fn names(&self) -> Vec<NamedProp> {
        self.index.names.clone()
    }

    fn store(&self) -> PropBag {
        self.index.stores.first().map(|store| store.props.clone()).unwrap_or_default()
    }

    fn title(&self) -> String {
        self.index.stores.first().map(|store| store.title.clone()).unwrap_or_default()
    }
}
