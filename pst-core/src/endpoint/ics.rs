//! iCalendar files as a target: one file for all, or a tree with a file for each folder.

use super::sheets::{Sheet, Sheets};
use crate::error::{Error, Result};
use crate::mapi::Warning;
use crate::mime::Options;
use crate::mime::calendar::{Calendar, Entry, Kind};
use crate::pipeline::{Body, Folder, Item, Prepare, Prepared, Sink, Written};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

/// Writes calendar-like items; others are left out.
pub struct IcsSink {
    sheets: Sheets<Page>,
    options: Options,
}

impl IcsSink {
    /// Starts a file, if the name ends in `.ics`, or else a tree.
    ///
    /// # Errors
    /// When the target exists or cannot be created.
    pub fn create(path: &Path, overwrite: bool, options: Options) -> Result<Self> {
        Ok(Self { sheets: Sheets::create(path, overwrite, "ics", "Calendar")?, options })
    }
}

/// One calendar.
#[derive(Default)]
struct Page(Option<Calendar>);

impl Sheet for Page {
    type Item = Entry;

    fn begin(&mut self, out: &mut dyn Write) -> Result<()> {
        self.0 = Some(Calendar::begin(None, out)?);
        Ok(())
    }

    fn add(&mut self, item: Entry, out: &mut dyn Write) -> Result<()> {
        self.0.as_mut().map_or(Ok(()), |calendar| calendar.add(item, out))
    }

    fn end(&mut self, out: &mut dyn Write) -> Result<()> {
        self.0.take().map_or(Ok(()), |calendar| calendar.end(out))
    }
}

struct IcsPrepare(Options);

impl Prepare for IcsPrepare {
    fn refuses(&self, item: &Item) -> Option<&'static str> {
        let fits = matches!(&item.body, Body::Mapi(message) if Kind::of(message).is_some());
        (item.associated || !fits).then_some("message class")
    }

    fn prepare(&self, _folder: &Folder, item: Item) -> Result<Prepared> {
        let mut warnings = item.warnings;
        let entry = match &item.body {
            Body::Mapi(message) => Entry::of(message, &self.0)?,
            Body::Mime(_) => None,
        };
        let mut entry = entry.ok_or_else(|| Error::new(crate::Kind::Usage, "this is no calendar item"))?;
        warnings.append(&mut entry.warnings);
        Ok(Prepared { payload: Box::new(entry), bytes: 4096, id: item.id, warnings, content: None, origin: None })
    }
}

impl Sink for IcsSink {
    fn preparer(&self) -> Arc<dyn Prepare> {
        Arc::new(IcsPrepare(self.options.clone()))
    }

    fn folder(&mut self, folder: &Folder) -> Result<()> {
        self.sheets.folder(&folder.path)
    }

    fn item(&mut self, item: Prepared) -> Result<Vec<Warning>> {
        let Ok(entry) = item.payload.downcast::<Entry>() else {
            return Err(Error::new(crate::Kind::Usage, "an item was prepared for another kind of target"));
        };
        self.sheets.add(*entry)?;
        Ok(Vec::new())
    }

    fn finish(self: Box<Self>) -> Result<Written> {
        self.sheets.finish()
    }
}
