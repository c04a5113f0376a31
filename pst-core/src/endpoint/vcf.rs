//! vCard files as a target: one file for all, or a tree with a file for each folder.

use super::sheets::{Sheet, Sheets};
use crate::error::{Error, Result};
use crate::mapi::Warning;
use crate::mime::Options;
use crate::mime::contact::{Card, Kind};
use crate::pipeline::{Body, Folder, Item, Prepare, Prepared, Sink, Written};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

/// Writes contacts and distribution lists; other items are left out.
pub struct VcfSink {
    sheets: Sheets<Page>,
    options: Options,
}

impl VcfSink {
    /// Starts a file, if the name ends in `.vcf`, or else a tree.
    ///
    /// # Errors
    /// When the target exists or cannot be created.
    pub fn create(path: &Path, overwrite: bool, options: Options) -> Result<Self> {
        Ok(Self { sheets: Sheets::create(path, overwrite, "vcf", "Contacts")?, options })
    }
}

/// Cards, one after the other.
#[derive(Default)]
struct Page;

impl Sheet for Page {
    type Item = Card;

    fn add(&mut self, item: Card, out: &mut dyn Write) -> Result<()> {
        item.write(out)
    }
}

struct VcfPrepare(Options);

impl Prepare for VcfPrepare {
    fn refuses(&self, item: &Item) -> Option<&'static str> {
        let fits = matches!(&item.body, Body::Mapi(message) if Kind::of(message).is_some());
        (item.associated || !fits).then_some("message class")
    }

    fn prepare(&self, _folder: &Folder, item: Item) -> Result<Prepared> {
        let mut warnings = item.warnings;
        let card = match &item.body {
            Body::Mapi(message) => Card::of(message, &self.0)?,
            Body::Mime(_) => None,
        };
        let mut card = card.ok_or_else(|| Error::new(crate::Kind::Usage, "this is no contact"))?;
        warnings.append(&mut card.warnings);
        Ok(Prepared { payload: Box::new(card), bytes: 4096, id: item.id, warnings, content: None, origin: None })
    }
}

impl Sink for VcfSink {
    fn preparer(&self) -> Arc<dyn Prepare> {
        Arc::new(VcfPrepare(self.options.clone()))
    }

    fn folder(&mut self, folder: &Folder) -> Result<()> {
        self.sheets.folder(&folder.path)
    }

    fn item(&mut self, item: Prepared) -> Result<Vec<Warning>> {
        let Ok(card) = item.payload.downcast::<Card>() else {
            return Err(Error::new(crate::Kind::Usage, "an item was prepared for another kind of target"));
        };
        self.sheets.add(*card)?;
        Ok(Vec::new())
    }

    fn finish(self: Box<Self>) -> Result<Written> {
        self.sheets.finish()
    }
}
